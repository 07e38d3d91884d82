//! From a name and a port to a connection, in two seconds or not at all.
//!
//! Where it stands: the first that happens.
//!
//! What this file must never do: wait longer than [`CONNECT_MAX`], whatever a name has for addresses and whoever is asked for them.

use crate::link::Failure;
use crate::net::addresses_of;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// So long it may take to find the name and to connect to one of its addresses, all together.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unreachable {
    /// Nobody knows the name.
    HostNotFound { host: String },
    /// The host is there, and nothing listens at this port.
    Refused { host: String, port: u16 },
    /// Neither an answer nor a refusal came in time.
    TimedOut { host: String, port: u16 },
    /// The system says why.
    Other(io::Error),
}

impl fmt::Display for Unreachable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreachable::HostNotFound { host } => {
                write!(formatter, "no host is called {host}; is the name right, and the network there?")
            }
            Unreachable::Refused { host, port } => {
                write!(
                    formatter,
                    "nothing listens at {host} port {port}; is the server running, and is that its port?"
                )
            }
            Unreachable::TimedOut { host, port } => {
                let seconds = CONNECT_MAX.as_secs();
                write!(
                    formatter,
                    "{host} port {port} did not answer within {seconds} seconds, at any of its addresses"
                )
            }
            Unreachable::Other(error) => write!(formatter, "{error}"),
        }
    }
}

/// Connects to the first of the host's addresses that answers.
///
/// # Errors
/// If the name is unknown, or none of its addresses has answered in time: what the last of them said.
pub(super) fn connect(host: &str, port: u16) -> Result<TcpStream, Unreachable> {
    let deadline = Instant::now() + CONNECT_MAX;
    let addresses = addresses_of(host, port, CONNECT_MAX).map_err(|failure| match failure {
        Failure::TimedOut => Unreachable::TimedOut { host: host.into(), port },
        // The system tells a name that nobody knows from other trouble only in words.
        _ => Unreachable::HostNotFound { host: host.into() },
    })?;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        match connect_to(address, share(deadline, addresses.len() - index)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        None => Unreachable::HostNotFound { host: host.into() },
        Some(error) => why(error, host, port),
    })
}

/// The part of the time that is left which one of so many addresses may take: one that does not answer must not keep the next
/// from being tried.
fn share(deadline: Instant, addresses_left: usize) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    left / u32::try_from(addresses_left).unwrap_or(u32::MAX).max(1)
}

fn connect_to(address: &SocketAddr, time_max: Duration) -> io::Result<TcpStream> {
    if time_max.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    let stream = TcpStream::connect_timeout(address, time_max)?;
    // A line is sent when it is typed.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn why(error: io::Error, host: &str, port: u16) -> Unreachable {
    match error.kind() {
        ErrorKind::ConnectionRefused => Unreachable::Refused { host: host.into(), port },
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Unreachable::TimedOut { host: host.into(), port },
        _ => Unreachable::Other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn server_is_reached_by_name_and_by_address() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        for host in ["127.0.0.1", "localhost"] {
            connect(host, port).unwrap_or_else(|problem| panic!("{host}: {problem}"));
        }
    }

    #[test]
    fn reason_is_told_in_words() {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            listener.local_addr().expect("an address").port()
        };
        let refused = connect("127.0.0.1", port).expect_err("nobody listens any more");
        assert!(refused.to_string().starts_with("nothing listens at 127.0.0.1 port "), "{refused}");
        // RFC 6761 §6.4: there is no such name.
        let unknown = connect("roomful.invalid", port).expect_err("nobody is called that");
        assert!(unknown.to_string().starts_with("no host is called roomful.invalid"), "{unknown}");
    }

    #[test]
    fn every_address_has_a_share_of_the_time() {
        let deadline = Instant::now() + Duration::from_secs(2);
        let share_of_three = share(deadline, 3);
        assert!(share_of_three <= Duration::from_secs(2) / 3 && !share_of_three.is_zero());
        assert!(share(Instant::now(), 1).is_zero());
    }
}
