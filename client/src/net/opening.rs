//! Opening a connection: the name becomes addresses, and one of these answers, or none.
//!
//! Where it stands: the beginning of a connection's thread; `join --raw` looks up its names here, too.
//!
//! What this file must never do: try for longer than [`ALL_MAX`].

use super::outbox::WRITE_MAX;
use crate::link::Failure;
use rustix::net::sockopt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long one address may take to answer.
const ONE_MAX: Duration = Duration::from_secs(5);
/// How long all of it may take.
const ALL_MAX: Duration = Duration::from_secs(10);
/// A peer of which nothing has been heard for so long is asked by the system whether it is there…
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// … so often …
const KEEPALIVE_PROBES: u32 = 4;
/// … and with so much time between.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Tries all addresses of that name, one after another.
pub(super) fn open(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let deadline = Instant::now() + ALL_MAX;
    let mut failure = Failure::NotFound;
    for address in addresses_of(host, port, ALL_MAX)? {
        let left = deadline.saturating_duration_since(Instant::now()).min(ONE_MAX);
        if left.is_zero() {
            return Err(Failure::TimedOut);
        }
        match TcpStream::connect_timeout(&address, left).and_then(prepared) {
            Ok(socket) => return Ok(socket),
            // That one machine refuses says more than that a way to another does not exist.
            Err(_) if failure == Failure::Refused => {}
            Err(error) => failure = failure_of(&error),
        }
    }
    Err(failure)
}

/// The addresses of that name. Who looks up a name cannot be told to stop: a thread of its own does, and is waited for no longer
/// than that.
pub(crate) fn addresses_of(host: &str, port: u16, time_max: Duration) -> Result<Vec<SocketAddr>, Failure> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let host = host.to_owned();
    thread::spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody may be waiting any more.
        let _ = sender.send(found);
    });
    match receiver.recv_timeout(time_max) {
        // The system says in many words, and in its user's language, why it found nothing.
        Ok(found) => found.map_err(|_| Failure::NotFound),
        Err(_) => Err(Failure::TimedOut),
    }
}

fn prepared(socket: TcpStream) -> io::Result<TcpStream> {
    socket.set_nodelay(true)?;
    socket.set_write_timeout(Some(WRITE_MAX))?;
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(&socket, KEEPALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(&socket, KEEPALIVE_PROBES)?;
    Ok(socket)
}

fn failure_of(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Failure::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Failure::Other("there is no way to it; check the address and the network".to_owned())
        }
        _ => Failure::Other(error.to_string()),
    }
}
