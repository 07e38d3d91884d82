//! Listeners: where connections come from. Addresses are parsed and opened here, and what goes wrong is said so that the
//! operator knows what to do.

use crate::vanishing::Patience;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::time::Duration;

/// The port that Roomful listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 8008;
/// How many connections may wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 4096;
/// How often a peer that says nothing is asked whether it is still there, before it has vanished.
const PROBES: u64 = 4;

/// What every connection inherits from its listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SocketOptions {
    keepalive: Keepalive,
    /// Keepalive does not look at peers to which something is on its way; these are asked at least so often, and
    /// `vanishing` looks whether they answer.
    asking_interval_max: Duration,
    send_buffer_bytes: Option<usize>,
}

/// When a peer that says nothing is asked whether it is still there (`tcp(7)`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Keepalive {
    idle: Duration,
    interval: Duration,
    probes: u32,
}

impl SocketOptions {
    /// For peers that have vanished when nothing of them has come for so long, though they were asked. The first half of
    /// that time they may just be silent.
    pub(crate) fn new(patience: Patience, send_buffer_bytes: Option<usize>) -> SocketOptions {
        let seconds = patience.seconds();
        let idle = seconds / 2;
        let asking = seconds - idle;
        let interval = (asking / PROBES).max(1);
        SocketOptions {
            keepalive: Keepalive {
                idle: Duration::from_secs(idle),
                interval: Duration::from_secs(interval),
                probes: asking.div_ceil(interval) as u32,
            },
            asking_interval_max: patience.asking_interval_max(),
            send_buffer_bytes,
        }
    }

    fn set(&self, socket: impl AsFd) -> io::Result<()> {
        let socket = socket.as_fd();
        // Without it, Nagle's algorithm and delayed acknowledgements together hold a line back for up to 44 ms.
        sockopt::set_tcp_nodelay(socket, true)?;
        sockopt::set_socket_keepalive(socket, true)?;
        sockopt::set_tcp_keepidle(socket, self.keepalive.idle)?;
        sockopt::set_tcp_keepintvl(socket, self.keepalive.interval)?;
        sockopt::set_tcp_keepcnt(socket, self.keepalive.probes)?;
        match eventloop::set_asking_interval_max(socket, self.asking_interval_max) {
            // Before Linux 6.15 it is up to two minutes, and a peer that vanishes while it has no room is noticed later.
            Err(error) if error.raw_os_error() == Some(Errno::NOPROTOOPT.raw_os_error()) => {}
            result => result?,
        }
        if let Some(bytes) = self.send_buffer_bytes {
            sockopt::set_socket_send_buffer_size(socket, bytes)?;
        }
        Ok(())
    }
}

/// Why the server could not start.
#[derive(Debug)]
pub enum ListenError {
    /// That is no address to listen on.
    NoAddress(String),
    /// That address cannot be listened on.
    Address(SocketAddr, io::Error),
    /// The system gave no thread or descriptor.
    System(io::Error),
}

impl fmt::Display for ListenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::NoAddress(raw) => write!(
                formatter,
                "'{}' is no address to listen on; write PORT, ADDRESS:PORT or [ADDRESS]:PORT, such as 8008, \
                 127.0.0.1:8008 or [::1]:8008",
                hub::quoted(raw)
            ),
            ListenError::Address(address, error) => {
                write!(formatter, "cannot listen on {address}: {}", reason(error, *address))
            }
            ListenError::System(error) => {
                write!(formatter, "the system does not let the server start: {error}")
            }
        }
    }
}

impl std::error::Error for ListenError {}

fn reason(error: &io::Error, address: SocketAddr) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program (perhaps another Roomful) is listening there; stop it or choose another port with --listen {}",
            SocketAddr::new(address.ip(), 0)
        ),
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose a higher one".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    }
}

/// Parses an address to listen on: `PORT`, `:PORT`, `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`. A bare port means all
/// interfaces, IPv6 and IPv4.
///
/// # Errors
/// If it is none of these. Names are not looked up: what one listens on is an address of this machine.
pub fn parse_listen(raw: &str) -> Result<SocketAddr, ListenError> {
    let everywhere = |port| SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
    let port_only = raw.strip_prefix(':').unwrap_or(raw).parse::<u16>();
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let named = || {
        let port = raw.strip_prefix("localhost:")?;
        port.parse().ok().map(local)
    };
    let bare = || raw.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, DEFAULT_PORT));
    port_only
        .map(everywhere)
        .ok()
        .or_else(|| raw.parse().ok())
        .or_else(bare)
        .or_else(named)
        .ok_or_else(|| ListenError::NoAddress(raw.to_owned()))
}

/// Opens all listeners, or none.
pub(crate) fn open_all(
    addresses: &[SocketAddr],
    options: &SocketOptions,
) -> Result<Vec<TcpListener>, ListenError> {
    addresses.iter().map(|address| open(*address, options)).collect()
}

fn open(address: SocketAddr, options: &SocketOptions) -> Result<TcpListener, ListenError> {
    match listen(address, options) {
        // A machine without IPv6 still has all its IPv4 addresses.
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && has_no_ipv6(&error) => {
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
            listen(address, options).map_err(|error| ListenError::Address(address, error))
        }
        opened => opened.map_err(|error| ListenError::Address(address, error)),
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
        || code == Some(rustix::io::Errno::ADDRNOTAVAIL.raw_os_error())
}

fn listen(address: SocketAddr, options: &SocketOptions) -> io::Result<TcpListener> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    // Inherited by every connection that is accepted: no system call for each of them.
    options.set(&socket)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !address.ip().is_unspecified())?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_in_many_ways() {
        let parsed =
            |raw| parse_listen(raw).map(|address| address.to_string()).map_err(|error| error.to_string());
        assert_eq!(parsed("9000"), Ok("[::]:9000".to_owned()));
        assert_eq!(parsed(":9000"), Ok("[::]:9000".to_owned()));
        assert_eq!(parsed("127.0.0.1"), Ok("127.0.0.1:8008".to_owned()));
        assert_eq!(parsed("127.0.0.1:0"), Ok("127.0.0.1:0".to_owned()));
        assert_eq!(parsed("[::1]:80"), Ok("[::1]:80".to_owned()));
        assert_eq!(parsed("::1"), Ok("[::1]:8008".to_owned()));
        assert_eq!(parsed("localhost:80"), Ok("127.0.0.1:80".to_owned()));
        assert!(parsed("chat.example:80").unwrap_err().contains("write PORT, ADDRESS:PORT"));
        assert!(parsed("70000").is_err());
    }

    #[test]
    fn all_interfaces_means_both_families() {
        let listener = open_usual("0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        std::net::TcpStream::connect(("::1", port)).unwrap();
    }

    #[test]
    fn an_address_in_use_is_said_to_be_in_use() {
        let first = open_usual("127.0.0.1:0").unwrap();
        let error = open_usual(&first.local_addr().unwrap().to_string()).unwrap_err().to_string();
        assert!(error.contains("another program"), "{error}");
    }

    fn patience(seconds: u64) -> Patience {
        Patience::new(Duration::from_secs(seconds))
    }

    fn open_usual(raw: &str) -> Result<TcpListener, ListenError> {
        open(parse_listen(raw)?, &SocketOptions::new(patience(120), None))
    }

    #[test]
    fn accepted_connections_inherit_what_their_listener_has() {
        let options = SocketOptions::new(patience(120), Some(50_000));
        let listener = open(parse_listen("127.0.0.1:0").unwrap(), &options).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        rustix::io::ioctl_fionbio(&listener, false).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(sockopt::tcp_nodelay(&accepted).unwrap());
        assert!(sockopt::socket_keepalive(&accepted).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&accepted).unwrap(), Duration::from_secs(60));
        assert_eq!(sockopt::tcp_keepintvl(&accepted).unwrap(), Duration::from_secs(15));
        assert_eq!(sockopt::tcp_keepcnt(&accepted).unwrap(), 4);
        // It would cut off who is there and does not read.
        assert_eq!(sockopt::tcp_user_timeout(&accepted).unwrap(), 0);
        // The system doubles what it is asked for (`socket(7)`).
        assert_eq!(sockopt::socket_send_buffer_size(&accepted).unwrap(), 100_000);
    }

    #[test]
    fn peers_are_asked_within_the_time_after_which_they_have_vanished() {
        for seconds in 0..400 {
            let options = SocketOptions::new(patience(seconds), None);
            let Keepalive { idle, interval, probes } = options.keepalive;
            let noticed = idle + interval * probes;
            let vanished = Duration::from_secs(patience(seconds).seconds());
            assert!(idle >= Duration::from_secs(1) && interval >= Duration::from_secs(1), "{seconds}");
            assert!(noticed >= vanished && noticed <= vanished + interval, "{seconds}: {options:?}");
        }
    }
}
