//! The other end: connecting, with a timeout or without waiting at all, and sending everything.
//!
//! Beside the servers, for their clients, their tests and their examples.

use crate::Error;
use crate::endpoint::{Address, Endpoint, Transport};
use crate::socket;
use crate::waiting::{Found, wait_for_one, watched};
use eventloop::Interest;
use rustix::io::Errno;
use rustix::net::{Shutdown, sockopt};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// A connection to a server; with datagrams, a socket that speaks to one server only.
///
/// It reads and writes like a file. What is written at once is one datagram or record, where the transport knows them;
/// [`Write::write_all`] sends all.
///
/// ```no_run
/// use socketserver::{Client, Endpoint};
/// use std::io::{Read, Write};
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// let server: Endpoint = "tcp:localhost:8000".parse()?;
/// let mut client = Client::connect(&server, Some(Duration::from_secs(2)))?;
/// client.write_all(b"hello\n")?;
/// client.end()?; // nothing more will be sent
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    transport: Transport,
    timeout: Option<Duration>,
}

/// A connection that is being made: what `connect` leaves behind on a socket that does not block.
///
/// When a poller reports it as writable the attempt is over, and [`Connecting::finish`] says how it went.
///
/// ```
/// use eventloop::{Events, Interest, Poller, Token};
/// use socketserver::{Connecting, Endpoint, Listener};
///
/// # fn main() -> std::io::Result<()> {
/// # let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
/// # let server = Endpoint::new(listener.transport(), listener.address().clone())?;
/// let connecting = Connecting::begin(&server)?;
/// let poller = Poller::new()?;
/// poller.register(&connecting, Token(1), Interest::WRITE)?;
/// let mut events = Events::with_capacity(1);
/// poller.poll(&mut events, None)?; // anything else may be watched as well
/// assert_eq!(connecting.error_code()?, 0, "connected");
/// poller.unregister(&connecting)?;
/// let client = connecting.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connecting {
    client: Client,
}

impl Connecting {
    /// Begins to connect to the first address of `server`, and does not wait.
    ///
    /// # Errors
    /// If it is clear at once that it will not do: `ConnectionRefused`, `NotFound`; `WouldBlock` if a local server's backlog
    /// is full, in which case nobody will tell when it has room again.
    pub fn begin(server: &Endpoint) -> io::Result<Connecting> {
        begin(server.transport(), server.address())
    }

    /// The error number of the attempt, as Python's `connect_ex` gives it: 0 for a connection that was made or is still
    /// being made, and for an error that was asked for before.
    ///
    /// # Errors
    /// If the system does not answer.
    pub fn error_code(&self) -> io::Result<i32> {
        let outcome = sockopt::socket_error(&self.client.socket)?;
        Ok(outcome.err().map_or(0, Errno::raw_os_error))
    }

    /// The connection, once it was reported as writable.
    ///
    /// # Errors
    /// Why it was not made; `NotConnected` if it is still being made.
    pub fn finish(self) -> io::Result<Client> {
        sockopt::socket_error(&self.client.socket)??;
        if rustix::net::getpeername(&self.client.socket).is_err() {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the connection is still being made"));
        }
        Ok(self.client)
    }
}

impl AsFd for Connecting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.socket.as_fd()
    }
}

fn begin(transport: Transport, address: &Address) -> io::Result<Connecting> {
    let socket = socket::open(transport, address.family())?;
    if transport == Transport::UnixDatagram && cfg!(target_os = "linux") {
        // A name that the system chooses, so that the server can reply.
        rustix::net::bind(&socket, &Address::Unnamed.to_raw()?)?;
    }
    match rustix::net::connect(&socket, &address.to_raw()?) {
        // Interrupted, it goes on by itself (`connect(2)`).
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(Connecting { client: Client { socket, transport, timeout: None } })
}

impl Client {
    /// Connects, within `timeout` or for as long as the system tries. All addresses of a name are tried in turn, each with the
    /// whole timeout.
    ///
    /// # Errors
    /// [`Error::System`]: nobody listens there, nobody answers in time (`TimedOut`), or what else the system says.
    pub fn connect(server: &Endpoint, timeout: Option<Duration>) -> Result<Client, Error> {
        let transport = server.transport();
        server.first_ok(|address| {
            connect(transport, address, timeout)
                .map_err(Error::system(format!("connecting to {transport}:{address}")))
        })
    }

    /// How long a read or a write may wait; for ever unless set.
    pub const fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// Sends nothing more; what the server sends can still be read. Nothing happens with datagrams.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn end(&self) -> io::Result<()> {
        if self.transport.has_connections() {
            rustix::net::shutdown(&self.socket, Shutdown::Write)?;
        }
        Ok(())
    }

    fn wait(&self, interest: Interest, until: Option<Instant>) -> io::Result<()> {
        wait(self.socket.as_fd(), interest, until)
    }

    fn deadline(&self) -> Option<Instant> {
        self.timeout.and_then(|timeout| Instant::now().checked_add(timeout))
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Through a shared reference, so that one thread can read while another one sends.
impl Read for &Client {
    /// # Errors
    /// `TimedOut` after the timeout; `InvalidData` for a datagram or record that does not fit, which is gone.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let until = self.deadline();
        loop {
            match socket::receive(&self.socket, self.transport, buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(Interest::READ, until)?;
                }
                outcome => return outcome,
            }
        }
    }
}

impl Read for Client {
    /// # Errors
    /// As through a shared reference.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

/// Through a shared reference, so that one thread can send while another one reads.
impl Write for &Client {
    /// # Errors
    /// `TimedOut` after the timeout.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let until = self.deadline();
        loop {
            match socket::send(&self.socket, bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(Interest::WRITE, until)?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Nothing is kept back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Client {
    /// # Errors
    /// As through a shared reference.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    /// Nothing is kept back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long to wait before a full backlog is tried again: nobody tells when it has room.
const FULL_BACKLOG_PAUSE: Duration = Duration::from_millis(5);

fn connect(transport: Transport, address: &Address, timeout: Option<Duration>) -> io::Result<Client> {
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let connecting = loop {
        match begin(transport, address) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if until.is_some_and(|until| until <= Instant::now()) {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "the server's backlog is full"));
                }
                std::thread::sleep(FULL_BACKLOG_PAUSE);
            }
            begun => break begun?,
        }
    };
    if transport == Transport::Tcp {
        wait(connecting.as_fd(), Interest::WRITE, until)?;
        let client = connecting.finish()?;
        sockopt::set_tcp_nodelay(&client.socket, true)?;
        return Ok(client);
    }
    connecting.finish()
}

fn wait(socket: BorrowedFd<'_>, interest: Interest, until: Option<Instant>) -> io::Result<()> {
    match wait_for_one(&mut [watched(socket, interest)], until)? {
        Found::Ready => Ok(()),
        Found::Nothing => Err(io::Error::new(io::ErrorKind::TimedOut, "the server took too long")),
    }
}
