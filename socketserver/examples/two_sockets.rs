//! Two sockets, watched by one thread for five seconds at a time.
//!
//! What one learns: to have one loop for several servers, which is what pollers are for. A poller waits for all of them and for
//! the end of a timeout; whoever is ready then has a request, so that `handle_request` does not wait. That one handler
//! serves connections and datagrams alike comes on top.
//!
//! ```text
//! cargo run -p socketserver --example two_sockets               # or: -- ADDRESS:PORT SECONDS
//! nc -d 127.0.0.1 8000                                          # in another terminal: TCP
//! echo hello | nc -u -w 1 127.0.0.1 8000                        # UDP
//! ```

use eventloop::{Events, Interest, Poller, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use socketserver::{Endpoint, Iterative, Listener, Request, Server};
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const TCP: Token = Token(1);
const UDP: Token = Token(2);
const SIGNAL: Token = Token(3);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let seconds = arguments.next().map_or(Ok(5.0), |word| word.parse())?;
    let patience = Duration::try_from_secs_f64(seconds)?;

    let tcp = Listener::open(&Endpoint::tcp(&address)?)?;
    let udp = Listener::open(&Endpoint::udp(&address)?)?;
    println!("listening at {} (TCP) and {} (UDP)", tcp.address(), udp.address());
    // Readiness is a hint: a client may have gone again. So each only looks, and never waits for the next one.
    let mut tcp = Server::blocking(tcp, Iterative, |request: &mut Request| answer("TCP", request))?
        .timeout(Duration::ZERO);
    let mut udp = Server::blocking(udp, Iterative, |request: &mut Request| answer("UDP", request))?
        .timeout(Duration::ZERO);

    // A signal becomes a byte in a pipe, and so one more thing to wait for.
    let (signals, signalled) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::low_level::pipe::register(signal, signalled.try_clone()?)?;
    }

    let poller = Poller::new()?;
    poller.register(&tcp, TCP, Interest::READ)?;
    poller.register(&udp, UDP, Interest::READ)?;
    poller.register(&signals, SIGNAL, Interest::READ)?;
    let mut events = Events::with_capacity(3);
    loop {
        poller.poll(&mut events, Some(patience))?;
        if events.is_empty() {
            println!("{} elapsed.", spoken(patience));
        }
        for event in events.iter() {
            match event.token {
                TCP => drop(tcp.handle_request()?),
                UDP => drop(udp.handle_request()?),
                _ => return Ok(()),
            }
        }
    }
}

fn answer(socket: &str, request: &mut Request) -> io::Result<()> {
    println!("{socket}: {}", request.client_address());
    writeln!(request.writer, "You have reached the {socket} socket.")
}

/// `Five seconds`, `One second`, `0.25 seconds`.
fn spoken(duration: Duration) -> String {
    const WORDS: [&str; 11] =
        ["Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];
    match WORDS.get(duration.as_secs() as usize) {
        Some(&"One") if duration.subsec_nanos() == 0 => "One second".to_owned(),
        Some(word) if duration.subsec_nanos() == 0 => format!("{word} seconds"),
        _ => format!("{} seconds", duration.as_secs_f64()),
    }
}
