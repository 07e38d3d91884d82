//! A client that is read line by line, and a server for it.

use hub::RoomName;
use server::{Options, Server};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Nothing here takes so long.
pub(crate) const GUARD: Duration = Duration::from_secs(20);

/// The defaults, listening on the loopback interface; with the poller that `ROOMFUL_POLLER` names, if it does.
pub(crate) fn options() -> Options {
    let home = RoomName::parse("lobby").expect("a name");
    let listen = vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)];
    let named = std::env::var_os("ROOMFUL_POLLER");
    let named = named.map(|name| name.to_string_lossy().parse().expect("the name of a poller"));
    Options { listen, poller: named.unwrap_or_default(), ..Options::new(home) }
}

/// Stops a server and waits for it.
pub(crate) fn stop(server: Server) {
    server.stop();
    server.join();
}

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client::on(TcpStream::connect(address).expect("the server accepts"))
    }

    pub(crate) fn on(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(GUARD)).expect("an option of sockets");
        Client(BufReader::new(stream))
    }

    pub(crate) fn says(&self, line: &str) {
        self.0.get_ref().write_all(format!("{line}\n").as_bytes()).expect("the server takes what is sent");
    }

    /// The next line; nothing at the end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).expect("a line or an orderly end") {
            0 => None,
            _ => Some(line.trim_end_matches('\n').to_owned()),
        }
    }

    pub(crate) fn waits_for(&mut self, part: &str) -> String {
        let mut heard = Vec::new();
        while let Some(line) = self.line() {
            if line.contains(part) {
                return line;
            }
            heard.push(line);
        }
        panic!("never heard {part:?}, but {heard:?}");
    }

    /// Nothing comes but these lines and the end.
    pub(crate) fn ends_with(&mut self, expected: &[&str]) {
        let heard: Vec<_> = std::iter::from_fn(|| self.line()).collect();
        assert_eq!(heard, expected);
    }
}
