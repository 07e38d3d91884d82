//! A socket that requests come to: bound, listening, and closed without a trace.
//!
//! It stands below every strategy, and is the only place that binds a socket. What it accepts never blocks: whoever waits
//! for it says for how long. It must never take an address away from anybody who is alive.

use crate::conversation::Connection;
use crate::endpoint::{Address, Endpoint, Transport};
use crate::{Error, socket};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{SocketAddrAny, sockopt};
use rustix::process::{Pid, getpid};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How a socket listens. Each field says what it is for and to what it applies; elsewhere it changes nothing.
#[expect(clippy::struct_excessive_bools, reason = "options of the system, each on or off by itself")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListenOptions {
    /// How many connections the kernel completes and keeps until they are accepted. The system has a maximum of its own
    /// (`net.core.somaxconn`).
    pub backlog: u16,
    /// TCP: an address may be bound again while connections of its last owner linger. Two servers at a time are still
    /// refused.
    pub reuse_address: bool,
    /// TCP and UDP: several sockets share the address, and the kernel deals requests to them.
    pub reuse_port: bool,
    /// TCP and UDP at an IPv6 address: IPv4 is served by the same socket, its clients with addresses like
    /// `::ffff:127.0.0.1`.
    pub dual_stack: bool,
    /// TCP: what is written is sent at once. Without it a short answer may wait for the client's acknowledgement, some 40 ms.
    pub no_delay: bool,
    /// Unix: a socket file that nobody answers on is replaced. One that somebody answers on never is, nor any other file.
    pub replace_dead_socket: bool,
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions {
            backlog: 1024,
            reuse_address: true,
            reuse_port: false,
            dual_stack: true,
            no_delay: true,
            replace_dead_socket: true,
        }
    }
}

/// A socket that requests come to. When it is dropped the socket is closed, and its file, if it has one, removed.
///
/// ```
/// use socketserver::{Endpoint, Listener};
///
/// # fn main() -> Result<(), socketserver::Error> {
/// let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
/// println!("listening at {}", listener.address()); // with the port that the system has chosen
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    /// Removed with this value, and before the socket is closed: as long as it is open the file's number is not given to
    /// another file.
    _file: Option<SocketFile>,
    socket: OwnedFd,
    transport: Transport,
    address: Address,
    options: ListenOptions,
}

/// How long a reply waits for a local client that does not read its others.
const REPLY_TIMEOUT: Duration = Duration::from_millis(100);

/// The longest datagram that is received whole. UDP has none that is longer.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 64 * 1024;

/// A datagram with the address to reply to.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sender: Option<SocketAddrAny>,
}

impl Listener {
    /// Listens with the usual options.
    ///
    /// # Errors
    /// [`Error::AddressInUse`], [`Error::NotASocket`], [`Error::PathTooLong`], or what the system says.
    pub fn open(endpoint: &Endpoint) -> Result<Listener, Error> {
        Listener::open_with(endpoint, ListenOptions::default())
    }

    /// Listens with these options.
    ///
    /// # Errors
    /// [`Error::AddressInUse`], [`Error::NotASocket`], [`Error::PathTooLong`], or what the system says.
    pub fn open_with(endpoint: &Endpoint, options: ListenOptions) -> Result<Listener, Error> {
        let transport = endpoint.transport();
        endpoint.first_ok(|address| {
            let folder = Folder::of(address);
            let (socket, file) = bound(transport, address, options, &folder)?;
            let listening =
                transport.has_connections().then(|| rustix::net::listen(&socket, options.backlog.into()));
            listening.unwrap_or(Ok(())).map_err(|errno| failed(transport, address, errno))?;
            let named = rustix::net::getsockname(&socket);
            let named = named.map_err(|errno| failed(transport, address, errno))?;
            Ok(Listener { _file: file, socket, transport, address: Address::of(&named), options })
        })
    }

    /// Where it listens, with the port that it got.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// How bytes travel.
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// The next connection that waits, `None` if none does.
    pub(crate) fn accept(&self) -> io::Result<Option<Connection>> {
        loop {
            match socket::accept(&self.socket) {
                Ok((socket, peer)) => {
                    if self.transport == Transport::Tcp && self.options.no_delay && !inherits_no_delay() {
                        sockopt::set_tcp_nodelay(&socket, true)?;
                    }
                    let peer = peer.map_or(Address::Unnamed, |peer| Address::of(&peer));
                    return Ok(Some(Connection { socket, transport: self.transport, peer }));
                }
                Err(Errno::AGAIN) => return Ok(None),
                // Interrupted, or the client has gone before we came to it (`accept(2)`, "Error handling").
                Err(Errno::INTR | Errno::CONNABORTED | Errno::PROTO) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// The next datagram that waits, `None` if none does.
    ///
    /// # Errors
    /// `InvalidData` for one that is longer than [`DATAGRAM_BYTES_MAX`]; it is gone. Or what the system says.
    pub(crate) fn receive(&self) -> io::Result<Option<Datagram>> {
        let mut bytes = Vec::with_capacity(DATAGRAM_BYTES_MAX);
        loop {
            match socket::receive_whole_into(&self.socket, &mut bytes) {
                Ok((length, _)) if length > bytes.len() => return Err(socket::too_long(length)),
                Ok((_, sender)) => {
                    bytes.shrink_to_fit();
                    return Ok(Some(Datagram { bytes, sender }));
                }
                Err(Errno::AGAIN) => return Ok(None),
                // On Linux an earlier reply that found nobody (ICMP) is reported by the next call.
                Err(Errno::INTR | Errno::CONNREFUSED | Errno::HOSTUNREACH | Errno::NETUNREACH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Linux and the BSDs hand the option on to what is accepted.
const fn inherits_no_delay() -> bool {
    cfg!(any(target_os = "linux", target_os = "freebsd", target_os = "macos"))
}

/// A bound socket, with its file if it has one.
fn bound(
    transport: Transport,
    address: &Address,
    options: ListenOptions,
    folder: &Folder,
) -> Result<(OwnedFd, Option<SocketFile>), Error> {
    let raw = address.to_raw()?;
    let opened = socket::open(transport, address.family()).and_then(|socket| {
        set_options(&socket, transport, address, options)?;
        Ok(socket)
    });
    let socket = opened.map_err(|errno| failed(transport, address, errno))?;
    let outcome = match rustix::net::bind(&socket, &raw) {
        Err(Errno::ADDRINUSE) if options.replace_dead_socket && folder.is_locked() => {
            replace(&socket, transport, address, &raw)?
        }
        outcome => outcome,
    };
    outcome.map_err(|errno| failed(transport, address, errno))?;
    let file = match address {
        Address::Path(path) => SocketFile::at(path),
        _ => None,
    };
    Ok((socket, file))
}

fn set_options(
    socket: &OwnedFd,
    transport: Transport,
    address: &Address,
    options: ListenOptions,
) -> Result<(), Errno> {
    let has_connections = transport.has_connections();
    if let Some(inet) = address.inet() {
        // Between UDP sockets the option would let a second server take the first one's datagrams.
        if has_connections {
            sockopt::set_socket_reuseaddr(socket, options.reuse_address)?;
            sockopt::set_tcp_nodelay(socket, options.no_delay)?;
        }
        if options.reuse_port {
            sockopt::set_socket_reuseport(socket, true)?;
        }
        if inet.is_ipv6() {
            sockopt::set_ipv6_v6only(socket, !options.dual_stack)?;
        }
    }
    if !has_connections {
        // Replies wait in `sendto`, because no poll tells when another local socket's queue has room again.
        sockopt::set_socket_timeout(socket, sockopt::Timeout::Send, Some(REPLY_TIMEOUT))?;
        rustix::io::ioctl_fionbio(socket, false)?;
    }
    Ok(())
}

fn failed(transport: Transport, address: &Address, errno: Errno) -> Error {
    let endpoint = Endpoint::new(transport, address.clone());
    match (endpoint, errno) {
        (Ok(endpoint), Errno::ADDRINUSE) => Error::AddressInUse(endpoint),
        _ => Error::System { doing: format!("listening at {transport}:{address}"), error: errno.into() },
    }
}

// Socket files.

/// The folder of a socket file, locked until the socket listens: of two servers that find the same dead file only one
/// replaces it, and one that is bound but does not listen yet is not taken for dead.
struct Folder {
    locked: Option<OwnedFd>,
}

impl Folder {
    /// Who has no lock listens all the same, but replaces nothing. It is waited for a moment only, because anybody who may
    /// read a folder could keep it locked.
    fn of(address: &Address) -> Folder {
        let Address::Path(path) = address else { return Folder { locked: None } };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Folder { locked: lock(folder).ok() }
    }

    const fn is_locked(&self) -> bool {
        self.locked.is_some()
    }
}

fn lock(folder: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty())?;
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(folder),
            Err(Errno::AGAIN) if Instant::now() < until => std::thread::sleep(LOCK_PAUSE),
            Err(errno) => return Err(errno),
        }
    }
}

/// How long other servers may take to open a socket in the same folder.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);
/// Nobody tells when the lock is free.
const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// Takes the place of a socket file that nobody answers on. The folder is locked.
fn replace(
    socket: &OwnedFd,
    transport: Transport,
    address: &Address,
    raw: &SocketAddrAny,
) -> Result<Result<(), Errno>, Error> {
    let Address::Path(path) = address else { return Ok(Err(Errno::ADDRINUSE)) };
    match rustix::fs::lstat(path).map(|status| FileType::from_raw_mode(status.st_mode)) {
        Ok(FileType::Socket) => {}
        Ok(_) => return Err(Error::NotASocket(path.clone())),
        // It has gone in between.
        Err(_) => return Ok(rustix::net::bind(socket, raw)),
    }
    if !is_dead(transport, raw) {
        return Ok(Err(Errno::ADDRINUSE));
    }
    Ok(rustix::fs::unlink(path).and_then(|()| rustix::net::bind(socket, raw)))
}

/// Whether nobody has the socket open: only then a connection is *refused*. One that would have to wait, or is of another
/// type, meets somebody who lives.
fn is_dead(transport: Transport, raw: &SocketAddrAny) -> bool {
    let Ok(probe) = socket::open(transport, rustix::net::AddressFamily::UNIX) else { return false };
    rustix::net::connect(&probe, raw) == Err(Errno::CONNREFUSED)
}

/// A socket file that we made.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// A child has a copy of this value and must not remove the file with it.
    maker: Pid,
}

impl SocketFile {
    fn at(path: &Path) -> Option<SocketFile> {
        // The folder may be left before the server ends.
        let path = std::path::absolute(path).ok()?;
        let (device, inode) = identity(&path)?;
        Some(SocketFile { path, device, inode, maker: getpid() })
    }
}

impl Drop for SocketFile {
    /// Removes it if it is still the same one: another server may have replaced it.
    fn drop(&mut self) {
        if self.maker == getpid() && identity(&self.path) == Some((self.device, self.inode)) {
            // It is gone already, or the folder has become read-only; either way there is nothing more to do.
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    clippy::cast_sign_loss,
    reason = "the widths differ from system to system"
)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    let status = rustix::fs::lstat(path).ok()?;
    Some((status.st_dev as u64, status.st_ino as u64))
}
