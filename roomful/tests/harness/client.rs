//! A client over TCP: what a person at netcat is to the server, in the hands of a test.

use super::ears::{Ears, Heard};
use super::server::Server;
use super::{GUARD, is_harmless};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A connection that is read line by line. It checks that each line can be shown by a terminal as it is.
pub(crate) struct Client {
    who: String,
    reader: BufReader<TcpStream>,
    partial: Vec<u8>,
    heard: Vec<String>,
}

impl Client {
    /// Connects and says nothing.
    pub(crate) fn connect(server: &Server) -> Client {
        let stream = TcpStream::connect(server.address()).expect("the server accepts");
        stream.set_nodelay(true).expect("an option of TCP");
        stream.set_write_timeout(Some(GUARD)).expect("an option of sockets");
        Client {
            who: "client".to_owned(),
            reader: BufReader::new(stream),
            partial: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// Connects, takes a nick, and has read everything up to there.
    pub(crate) fn join(server: &Server, nick: &str) -> Client {
        let mut client = Client::connect(server);
        nick.clone_into(&mut client.who);
        client.says(&format!("/nick {nick}"));
        client.waits_for(&format!("-- you are now {nick}"));
        client
    }

    /// Connects, waits until it is greeted, and has read the greeting.
    pub(crate) fn listen(server: &Server) -> Client {
        let mut client = Client::connect(server);
        client.waits_for("-- type to talk;");
        client
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.stream().local_addr().expect("an address")
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    /// Types a line.
    pub(crate) fn says(&self, line: &str) {
        self.sends(format!("{line}\n").as_bytes());
    }

    pub(crate) fn sends(&self, bytes: &[u8]) {
        self.stream().write_all(bytes).expect("the server takes what is sent");
    }

    /// Will say nothing more, but still hears.
    pub(crate) fn half_closes(&self) {
        self.stream().shutdown(Shutdown::Write).expect("half of the connection is closed");
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.reader.into_inner()
    }
}

impl Ears for Client {
    fn who(&self) -> &str {
        &self.who
    }

    fn next_within(&mut self, time: Duration) -> Heard {
        self.stream().set_read_timeout(Some(time)).expect("an option of sockets");
        match self.reader.read_until(b'\n', &mut self.partial) {
            Ok(0) if self.partial.is_empty() => Heard::End,
            Ok(_) if self.partial.pop() == Some(b'\n') => {
                let line = String::from_utf8(std::mem::take(&mut self.partial)).expect("UTF-8");
                assert!(is_harmless(&line), "{} was sent {line:?}", self.who);
                Heard::Line(line)
            }
            Ok(_) => self.fail("heard a line without an end"),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Heard::Silence
            }
            Err(error) => self.fail(&format!("was cut off: {error}")),
        }
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }
}

/// Something that is not at netcat: it sends bytes and reads the whole answer.
pub(crate) struct Probe {
    stream: TcpStream,
}

impl Probe {
    pub(crate) fn connect(server: &Server) -> Probe {
        let stream = TcpStream::connect(server.address()).expect("the server accepts");
        Probe::on(stream)
    }

    pub(crate) fn on(stream: TcpStream) -> Probe {
        stream.set_read_timeout(Some(GUARD)).expect("an option of sockets");
        stream.set_write_timeout(Some(GUARD)).expect("an option of sockets");
        Probe { stream }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.stream.local_addr().expect("an address")
    }

    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes what is sent");
    }

    /// Everything until the server ends the stream, which it does in an orderly way.
    pub(crate) fn answer(&mut self) -> Vec<u8> {
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).expect("an answer and an orderly end");
        answer
    }
}

/// Ends a connection like a machine that loses its power: with a reset instead of an orderly end.
pub(crate) fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("an option of sockets");
    drop(stream);
}
