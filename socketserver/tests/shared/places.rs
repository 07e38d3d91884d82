//! Where test servers listen, and how their clients get there: used by the table and by the cases with a process of their own.
//!
//! It must never name a fixed port or a path that two tests could share.

use rustix::net::sockopt;
use socketserver::{Address, Client, Endpoint, Transport};
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Long enough for a busy machine, and an end for a server that never answers.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The longest record, and the longest message that a client here reads.
pub(crate) const RECORD_BYTES_MAX: usize = 64 * 1024;

/// A kind of address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Tcp4,
    Tcp6,
    /// At an IPv6 address, and reached over IPv4.
    TcpDual,
    Udp4,
    Udp6,
    StreamPath,
    StreamName,
    DatagramPath,
    DatagramName,
    RecordsPath,
}

impl Place {
    pub(crate) const ALL: [Place; 10] = [
        Place::Tcp4,
        Place::Tcp6,
        Place::TcpDual,
        Place::Udp4,
        Place::Udp6,
        Place::StreamPath,
        Place::StreamName,
        Place::DatagramPath,
        Place::DatagramName,
        Place::RecordsPath,
    ];

    pub(crate) const fn transport(self) -> Transport {
        match self {
            Place::Tcp4 | Place::Tcp6 | Place::TcpDual => Transport::Tcp,
            Place::Udp4 | Place::Udp6 => Transport::Udp,
            Place::StreamPath | Place::StreamName => Transport::UnixStream,
            Place::DatagramPath | Place::DatagramName => Transport::UnixDatagram,
            Place::RecordsPath => Transport::UnixSeqpacket,
        }
    }

    pub(crate) const fn is_datagram(self) -> bool {
        !self.transport().has_connections()
    }

    /// An address of its own.
    pub(crate) fn endpoint(self, scratch: &Scratch) -> Endpoint {
        let address = match self {
            Place::Tcp4 | Place::Udp4 => Address::Inet("127.0.0.1:0".parse().unwrap()),
            Place::Tcp6 | Place::Udp6 => Address::Inet("[::1]:0".parse().unwrap()),
            Place::TcpDual => Address::Inet("[::]:0".parse().unwrap()),
            Place::StreamName | Place::DatagramName => Address::Abstract(scratch.name().into_bytes()),
            Place::StreamPath | Place::DatagramPath | Place::RecordsPath => {
                Address::Path(scratch.path("socket"))
            }
        };
        Endpoint::new(self.transport(), address).unwrap()
    }

    /// How a client reaches a server that listens at this address.
    pub(crate) fn way_to(self, address: &Address) -> Endpoint {
        let address = match (self, address) {
            (Place::TcpDual, Address::Inet(address)) => {
                Address::Inet(SocketAddr::from(([127, 0, 0, 1], address.port())))
            }
            _ => address.clone(),
        };
        Endpoint::new(self.transport(), address).unwrap()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Place::Tcp4 => "tcp4",
            Place::Tcp6 => "tcp6",
            Place::TcpDual => "tcp-dual",
            Place::Udp4 => "udp4",
            Place::Udp6 => "udp6",
            Place::StreamPath => "unix",
            Place::StreamName => "unix@",
            Place::DatagramPath => "dgram",
            Place::DatagramName => "dgram@",
            Place::RecordsPath => "seqpacket",
        })
    }
}

/// A folder of its own, which goes with this value.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    number: u64,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("socketserver-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Scratch { folder, number }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn name(&self) -> String {
        format!("socketserver-{}-{}", std::process::id(), self.number)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client that does not wait for ever.
pub(crate) fn connect(server: &Endpoint) -> Client {
    let mut client = Client::connect(server, Some(PATIENCE)).unwrap();
    client.set_timeout(Some(PATIENCE));
    client
}

/// Sends this and reads as much; of datagrams and records, one.
pub(crate) fn ask(client: &mut Client, question: &[u8]) -> io::Result<Vec<u8>> {
    client.write_all(question)?;
    read_message(client)
}

/// What comes next: a datagram, a record, or some bytes. Empty at the end.
pub(crate) fn read_message(client: &mut Client) -> io::Result<Vec<u8>> {
    let mut answer = vec![0; RECORD_BYTES_MAX];
    let length = client.read(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

/// Everything up to the end.
pub(crate) fn read_all(client: &mut Client) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let part = read_message(client)?;
        if part.is_empty() {
            return Ok(all);
        }
        all.extend(part);
    }
}

/// Closes it in a way that resets the connection, where there is such a way.
pub(crate) fn vanish(client: Client) {
    let _ = sockopt::set_socket_linger(&client, Some(Duration::ZERO));
    drop(client);
}

/// Asks as a new client and expects the same bytes back.
pub(crate) fn assert_serves(server: &Endpoint) {
    let mut client = connect(server);
    assert_eq!(ask(&mut client, b"hello").expect("an answer to a new client"), b"hello");
    client.end().unwrap();
    if server.transport().has_connections() {
        assert_eq!(read_all(&mut client).expect("the end of the connection"), b"");
    }
}

/// Bytes that are not alike, so that a lost or doubled part shows.
pub(crate) fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251) as u8).collect()
}
