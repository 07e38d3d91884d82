//! Where a server listens and a client connects: a transport with an address.
//!
//! The first thing that a user of the crate writes down. Names are turned into addresses here and nowhere else. It must
//! never open a socket: that is the listener's business and the client's.

use crate::Error;
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix, SocketType};
use std::ffi::OsStr;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fmt, io};

/// How bytes travel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// A stream of bytes over IPv4 or IPv6 (`tcp(7)`).
    Tcp,
    /// Datagrams over IPv4 or IPv6 (`udp(7)`). They may get lost, doubled, and overtake each other.
    Udp,
    /// A stream of bytes on this machine (`unix(7)`).
    UnixStream,
    /// Datagrams on this machine. They arrive, in order; a client that wants an answer has to have an address, and to read: a
    /// reply waits for room a tenth of a second (not at all in an evented server) and fails then.
    UnixDatagram,
    /// Connections that keep records apart, on this machine (`SOCK_SEQPACKET`).
    UnixSeqpacket,
}

impl Transport {
    /// All of them.
    pub const ALL: [Transport; 5] = [
        Transport::Tcp,
        Transport::Udp,
        Transport::UnixStream,
        Transport::UnixDatagram,
        Transport::UnixSeqpacket,
    ];

    /// Whether a client is accepted and stays until one of the two ends it. Otherwise each datagram stands for itself.
    pub const fn has_connections(self) -> bool {
        !matches!(self, Transport::Udp | Transport::UnixDatagram)
    }

    /// Whether what is sent at once is received at once: datagrams and records, unlike a stream.
    pub const fn keeps_boundaries(self) -> bool {
        !matches!(self, Transport::Tcp | Transport::UnixStream)
    }

    pub(crate) const fn socket_type(self) -> SocketType {
        match self {
            Transport::Tcp | Transport::UnixStream => SocketType::STREAM,
            Transport::Udp | Transport::UnixDatagram => SocketType::DGRAM,
            Transport::UnixSeqpacket => SocketType::SEQPACKET,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::UnixStream => "unix",
            Transport::UnixDatagram => "unix-datagram",
            Transport::UnixSeqpacket => "unix-seqpacket",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// The address of one end of a socket.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// An IP address with a port.
    Inet(SocketAddr),
    /// A socket file.
    Path(PathBuf),
    /// A name that is no file (Linux only): it disappears with the socket, and any user of the machine may connect.
    Abstract(Vec<u8>),
    /// None: a local client that did not bind itself to one.
    Unnamed,
}

impl Address {
    /// The IP address with its port, if it is one.
    pub const fn inet(&self) -> Option<SocketAddr> {
        match self {
            Address::Inet(address) => Some(*address),
            _ => None,
        }
    }

    pub(crate) fn of(raw: &SocketAddrAny) -> Address {
        if let Ok(address) = SocketAddr::try_from(raw.clone()) {
            return Address::Inet(address);
        }
        let Ok(unix) = SocketAddrUnix::try_from(raw.clone()) else { return Address::Unnamed };
        if let Some(path) = unix.path_bytes() {
            // One that fills `sun_path` comes back with the zero behind it.
            let path = path.strip_suffix(&[0]).unwrap_or(path);
            return Address::Path(Path::new(OsStr::from_bytes(path)).to_path_buf());
        }
        // A client without a name comes with an empty one.
        abstract_name(&unix)
            .filter(|name| !name.is_empty())
            .map_or(Address::Unnamed, |name| Address::Abstract(name.to_vec()))
    }

    /// # Errors
    /// If a path or name is too long or empty, or a path contains a zero.
    pub(crate) fn to_raw(&self) -> Result<SocketAddrAny, Error> {
        let unix = match self {
            Address::Inet(address) => return Ok((*address).into()),
            Address::Path(path) => path_to_raw(path)?,
            Address::Abstract(name) => name_to_raw(name)?,
            Address::Unnamed => unnamed(),
        };
        Ok(unix.into())
    }

    pub(crate) const fn family(&self) -> AddressFamily {
        match self {
            Address::Inet(SocketAddr::V4(_)) => AddressFamily::INET,
            Address::Inet(SocketAddr::V6(_)) => AddressFamily::INET6,
            Address::Path(_) | Address::Abstract(_) | Address::Unnamed => AddressFamily::UNIX,
        }
    }
}

/// What `sun_path` holds: 108 bytes on Linux, 104 elsewhere; a path also needs a zero behind it to be portable.
pub(crate) const PATH_BYTES_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

fn path_to_raw(path: &Path) -> Result<SocketAddrUnix, Error> {
    let bytes = path.as_os_str().len();
    if bytes > PATH_BYTES_MAX {
        return Err(Error::PathTooLong { bytes });
    }
    let unusable =
        |error: io::Error| Error::System { doing: format!("using the path `{}`", path.display()), error };
    if bytes == 0 {
        return Err(unusable(io::Error::new(io::ErrorKind::InvalidInput, "it is empty")));
    }
    SocketAddrUnix::new(path).map_err(|error| unusable(error.into()))
}

#[cfg(target_os = "linux")]
fn name_to_raw(name: &[u8]) -> Result<SocketAddrUnix, Error> {
    if name.is_empty() {
        return Err(Error::NoEndpoint("an abstract name is empty; write @NAME".to_owned()));
    }
    SocketAddrUnix::new_abstract_name(name).map_err(|_| Error::PathTooLong { bytes: name.len() })
}

#[cfg(not(target_os = "linux"))]
fn name_to_raw(_: &[u8]) -> Result<SocketAddrUnix, Error> {
    Err(Error::Unsupported("only Linux has abstract names; use a path"))
}

#[cfg(target_os = "linux")]
fn abstract_name(address: &SocketAddrUnix) -> Option<&[u8]> {
    address.abstract_name()
}

#[cfg(not(target_os = "linux"))]
fn abstract_name(_: &SocketAddrUnix) -> Option<&[u8]> {
    None
}

#[cfg(target_os = "linux")]
fn unnamed() -> SocketAddrUnix {
    SocketAddrUnix::new_unnamed()
}

#[cfg(not(target_os = "linux"))]
fn unnamed() -> SocketAddrUnix {
    // Nothing binds to it where the system does not choose a name by itself.
    SocketAddrUnix::new("").expect("an empty path fits")
}

/// As people write them: `127.0.0.1:80`, `[::1]:80`, `/run/echo`, `@name`, `(unnamed)`.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Inet(address) => address.fmt(formatter),
            Address::Path(path) => path.display().fmt(formatter),
            Address::Abstract(name) => write!(formatter, "@{}", name.escape_ascii()),
            Address::Unnamed => formatter.write_str("(unnamed)"),
        }
    }
}

/// Where a server listens or a client connects.
///
/// It is also a word: `tcp:127.0.0.1:8000`, `udp:[::1]:53`, `unix:/run/echo`, `unix-datagram:@echo` (a name that is no
/// file), `unix-seqpacket:/run/records`. A name or path that is no text has no such word: it is shown with escapes, which nobody
/// reads back.
///
/// ```
/// use socketserver::Endpoint;
///
/// let endpoint: Endpoint = "tcp:127.0.0.1:8000".parse().unwrap();
/// assert_eq!(endpoint.to_string(), "tcp:127.0.0.1:8000");
/// let mistake = "http:example".parse::<Endpoint>().unwrap_err().to_string();
/// assert!(mistake.contains("unknown transport `http`"), "{mistake}");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Endpoint {
    transport: Transport,
    /// At least one. A name may stand for several; they are tried in this order.
    addresses: Vec<Address>,
}

impl Endpoint {
    /// TCP at this address; port 0 takes any free one. A name is looked up, which may ask the network.
    ///
    /// # Errors
    /// If it is no address, or a name that nobody knows.
    pub fn tcp(address: impl ToSocketAddrs) -> Result<Endpoint, Error> {
        inet(Transport::Tcp, address)
    }

    /// UDP at this address; port 0 takes any free one.
    ///
    /// # Errors
    /// If it is no address, or a name that nobody knows.
    pub fn udp(address: impl ToSocketAddrs) -> Result<Endpoint, Error> {
        inet(Transport::Udp, address)
    }

    /// A local stream at this path.
    pub fn unix_stream(path: impl Into<PathBuf>) -> Endpoint {
        Endpoint::local(Transport::UnixStream, Address::Path(path.into()))
    }

    /// Local datagrams at this path.
    pub fn unix_datagram(path: impl Into<PathBuf>) -> Endpoint {
        Endpoint::local(Transport::UnixDatagram, Address::Path(path.into()))
    }

    /// Local connections with records at this path.
    pub fn unix_seqpacket(path: impl Into<PathBuf>) -> Endpoint {
        Endpoint::local(Transport::UnixSeqpacket, Address::Path(path.into()))
    }

    /// A transport with an address that fits to it.
    ///
    /// # Errors
    /// If it does not: TCP and UDP have IP addresses, the others paths and names.
    pub fn new(transport: Transport, address: Address) -> Result<Endpoint, Error> {
        let is_inet = matches!(transport, Transport::Tcp | Transport::Udp);
        if is_inet != matches!(address, Address::Inet(_)) {
            return Err(Error::NoEndpoint(format!("{transport} has no address {address}")));
        }
        Ok(Endpoint::local(transport, address))
    }

    fn local(transport: Transport, address: Address) -> Endpoint {
        Endpoint { transport, addresses: vec![address] }
    }

    /// How bytes travel.
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// The address; of a name that stands for several, the first one.
    pub fn address(&self) -> &Address {
        &self.addresses[0]
    }

    /// Tries its addresses in their order until one will do.
    pub(crate) fn first_ok<T>(
        &self,
        mut attempt: impl FnMut(&Address) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut outcome = attempt(&self.addresses[0]);
        for address in &self.addresses[1..] {
            if outcome.is_ok() {
                break;
            }
            outcome = attempt(address);
        }
        outcome
    }
}

fn inet(transport: Transport, address: impl ToSocketAddrs) -> Result<Endpoint, Error> {
    let found = address.to_socket_addrs();
    let found = found.map_err(|error| Error::System { doing: "looking up the address".to_owned(), error })?;
    let addresses: Vec<Address> = found.map(Address::Inet).collect();
    if addresses.is_empty() {
        return Err(Error::NoEndpoint("the name has no address".to_owned()));
    }
    Ok(Endpoint { transport, addresses })
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.transport, self.address())
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(word: &str) -> Result<Endpoint, Error> {
        let (transport, rest) = word.split_once(':').ok_or_else(|| no_endpoint(word))?;
        let Some(transport) = Transport::ALL.into_iter().find(|known| known.word() == transport) else {
            let known = Transport::ALL.map(Transport::word).join(", ");
            return Err(Error::NoEndpoint(format!(
                "unknown transport `{transport}`, expected one of: {known}"
            )));
        };
        match transport {
            _ if rest.is_empty() => Err(no_endpoint(word)),
            Transport::Tcp | Transport::Udp => inet(transport, rest),
            _ => Ok(Endpoint::local(transport, local_address(rest))),
        }
    }
}

fn local_address(word: &str) -> Address {
    match word.strip_prefix('@') {
        Some(name) => Address::Abstract(name.as_bytes().to_vec()),
        None => Address::Path(word.into()),
    }
}

fn no_endpoint(word: &str) -> Error {
    Error::NoEndpoint(format!(
        "`{word}` is no endpoint; write tcp:ADDRESS:PORT, udp:ADDRESS:PORT, unix:PATH or unix:@NAME"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_endpoints_are_two_ways_to_write_the_same() {
        for word in [
            "tcp:127.0.0.1:80",
            "udp:[::1]:53",
            "unix:/run/echo",
            "unix:@echo",
            "unix-datagram:relative/path",
            "unix-seqpacket:/run/records",
        ] {
            assert_eq!(word.parse::<Endpoint>().unwrap().to_string(), word);
        }
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        let mistake = |word: &str| word.parse::<Endpoint>().unwrap_err().to_string();
        assert!(mistake("8000").contains("write tcp:ADDRESS:PORT"));
        assert!(mistake("unix:").contains("write tcp:ADDRESS:PORT"));
        assert!(mistake("tpc:1.2.3.4:5").contains("expected one of: tcp, udp, unix"));
        assert!(mistake("tcp:127.0.0.1").contains("looking up the address"));
        let crossed = Endpoint::new(Transport::Tcp, Address::Path("/x".into())).unwrap_err();
        assert_eq!(crossed.to_string(), "tcp has no address /x");
    }

    #[test]
    fn path_that_does_not_fit_is_refused_with_both_lengths() {
        let fits = Address::Path("x".repeat(PATH_BYTES_MAX).into());
        assert_eq!(Address::of(&fits.to_raw().unwrap()), fits);
        let too_long = Address::Path("x".repeat(PATH_BYTES_MAX + 1).into()).to_raw().unwrap_err();
        assert_eq!(
            too_long.to_string(),
            format!("the path has 108 bytes, and a socket's may have {PATH_BYTES_MAX}")
        );
        assert!(Address::Path("".into()).to_raw().is_err());
        assert!(Address::Path("a\0b".into()).to_raw().is_err());
        assert!(Address::Abstract(vec![b'x'; 108]).to_raw().is_err());
        assert!(Address::Abstract(Vec::new()).to_raw().is_err());
    }
}
