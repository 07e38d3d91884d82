//! Blocking handlers: [`RequestHandler`] and the [`Request`] that it is given, with a reader and a writer.
//!
//! It stands above the socket and below the user's code, in a thread, a child or the server's own loop. Nothing here may
//! wait without an end: each wait has the request's timeout and hears when the server stops.

use crate::conversation::{Connection, Conversation, Exchange, LINGER};
use crate::driver::Farewell;
use crate::endpoint::Address;
use crate::listener::DATAGRAM_BYTES_MAX;
use crate::socket;
use crate::waiting::{Waiting, after};
use eventloop::Interest;
use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Instant;

/// Handles requests one by one, and may take its time: it is run by the strategies that give each request a thread, a
/// child, or everybody's turn ([`Threading`](crate::Threading), [`Forking`](crate::Forking),
/// [`Iterative`](crate::Iterative)).
///
/// A closure will do:
///
/// ```
/// use socketserver::{Endpoint, Listener, Request, Server, Threading};
/// use std::io::{Read, Write};
///
/// # fn main() -> Result<(), socketserver::Error> {
/// let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
/// let server = Server::blocking(listener, Threading::up_to(64), |request: &mut Request| {
///     std::io::copy(&mut request.reader, &mut request.writer)?;
///     Ok(())
/// })?;
/// # Ok(())
/// # }
/// ```
pub trait RequestHandler {
    /// Handles one request. What was written is sent when it returns, and the connection is closed.
    ///
    /// # Errors
    /// Whatever went wrong. It costs this request only, and reaches the hook
    /// [`handle_error`](crate::Server::handle_error), as a panic does. What was written before is sent all the same.
    fn handle(&self, request: &mut Request) -> io::Result<()>;
}

impl<F: Fn(&mut Request) -> io::Result<()>> RequestHandler for F {
    fn handle(&self, request: &mut Request) -> io::Result<()> {
        self(request)
    }
}

/// A connection, or one datagram and its reply: what a [`RequestHandler`] handles.
///
/// `reader` and `writer` are two fields, so that both can be borrowed at once. With datagrams the reader holds the one
/// that has come, and what is written is sent back as one when the handler returns: a handler that only reads and writes
/// does not have to know the transport.
#[derive(Debug)]
pub struct Request {
    /// What the client sends.
    pub reader: Reader,
    /// What the client is sent.
    pub writer: Writer,
    client_address: Address,
}

impl Request {
    pub(crate) fn new(conversation: Conversation, waiting: Waiting) -> Request {
        let client_address = conversation.client_address();
        let (channel, arrived) = match conversation {
            Conversation::Connection(connection) => (Channel::Connection(connection), Vec::new()),
            Conversation::Datagram(mut exchange) => {
                let arrived = std::mem::take(&mut exchange.datagram.bytes);
                (Channel::Datagram(exchange), arrived)
            }
        };
        let has_ended = matches!(channel, Channel::Datagram(_));
        let line = Rc::new(Line {
            channel,
            waiting,
            unsent: RefCell::default(),
            has_sent: Cell::default(),
            is_drained: Cell::new(false),
        });
        Request {
            reader: Reader { line: line.clone(), buffer: arrived, start: 0, has_ended },
            writer: Writer { line },
            client_address,
        }
    }

    /// Who asks.
    pub const fn client_address(&self) -> &Address {
        &self.client_address
    }

    /// Sends `bytes` at once: as one datagram, one record, or a part of the stream. Empty ones are sent as datagrams only;
    /// an empty record could not be told from the end of the connection.
    ///
    /// # Errors
    /// If they cannot be sent.
    pub fn reply(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.flush()?;
        match &self.writer.line.channel {
            Channel::Datagram(exchange) => exchange.reply(bytes),
            Channel::Connection(_) => {
                self.writer.write_all(bytes)?;
                self.writer.flush()
            }
        }
    }

    /// Sends what is left, and ends our side.
    pub(crate) fn finish(&mut self, farewell: Farewell) -> io::Result<()> {
        let flushed = self.writer.flush();
        let line = &self.writer.line;
        if let Channel::Connection(connection) = &line.channel {
            let has_ended = connection.finish();
            // Who was sent nothing has nothing to lose by a reset.
            if farewell == Farewell::Linger && flushed.is_ok() && line.has_sent.get() && !has_ended {
                line.linger(connection);
            }
        }
        flushed
    }
}

/// The socket, for options that this crate does not know. It does not block; to read and write use
/// [`Request::reader`] and [`Request::writer`].
impl AsFd for Request {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.writer.line.channel {
            Channel::Connection(connection) => connection.socket.as_fd(),
            Channel::Datagram(exchange) => exchange.listener.as_fd(),
        }
    }
}

/// What reader and writer share.
#[derive(Debug)]
struct Line {
    channel: Channel,
    waiting: Waiting,
    /// Written and not yet sent.
    unsent: RefCell<Vec<u8>>,
    has_sent: Cell<bool>,
    /// The last read took less than it could have: nothing more had arrived. Of a stream only; the next record may
    /// wait behind the last, however short that was.
    is_drained: Cell<bool>,
}

#[derive(Debug)]
enum Channel {
    Connection(Connection),
    Datagram(Exchange),
}

impl Line {
    fn flush(&self) -> io::Result<()> {
        let mut unsent = self.unsent.borrow_mut();
        if unsent.is_empty() {
            return Ok(());
        }
        let sent = match &self.channel {
            Channel::Connection(connection) => self.send_all(connection, &unsent),
            Channel::Datagram(exchange) => exchange.reply(&unsent),
        };
        // What could not be sent is not tried again: the connection is broken.
        unsent.clear();
        sent
    }

    fn send_all(&self, connection: &Connection, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.waiting.check()?;
            match socket::send(&connection.socket, bytes) {
                Ok(count) => {
                    self.has_sent.set(true);
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting.wait(connection.socket.as_fd(), Interest::WRITE)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fills the buffer with what comes next; nothing is the end.
    fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        let Channel::Connection(connection) = &self.channel else { return Ok(()) };
        if self.is_drained.get() {
            // Who asks and waits for the answer is asked next a round trip later: to try first would only cost a system call.
            self.waiting.wait(connection.socket.as_fd(), Interest::READ)?;
        }
        loop {
            self.waiting.check()?;
            match socket::receive_into(&connection.socket, connection.transport, buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting.wait(connection.socket.as_fd(), Interest::READ)?;
                }
                outcome => {
                    let is_short = outcome.is_ok() && buffer.len() < buffer.capacity();
                    self.is_drained.set(is_short && !self.keeps_boundaries());
                    return outcome;
                }
            }
        }
    }

    /// Waits for the client to close its side, for a second at most, and throws away what still comes.
    fn linger(&self, connection: &Connection) {
        let until = after(Instant::now(), LINGER);
        let waits = || self.waiting.wait_until(connection.socket.as_fd(), Interest::READ, Some(until));
        while Instant::now() < until && waits().is_ok() && !connection.discard() {}
    }

    fn keeps_boundaries(&self) -> bool {
        match &self.channel {
            Channel::Connection(connection) => connection.transport.keeps_boundaries(),
            Channel::Datagram(_) => true,
        }
    }
}

/// What the client sends, up to the end of its side; with datagrams, the one that has come.
///
/// Whenever it has to wait, what was written is sent first: whoever asks and then waits for the answer need not
/// remember to flush. A client may send a line without an end; [`Read::take`] sets a bound:
///
/// ```
/// # use std::io::{self, BufRead, Read};
/// # fn handle(request: &mut socketserver::Request) -> io::Result<()> {
/// let mut line = String::new();
/// (&mut request.reader).take(4096).read_line(&mut line)?;
/// # Ok(())
/// # }
/// ```
///
/// Records (`unix-seqpacket`) are read one by one: [`BufRead::fill_buf`] gives one of them, of at most 64 KiB, and
/// so does a [`Read::read`] with enough room.
#[derive(Debug)]
pub struct Reader {
    line: Rc<Line>,
    buffer: Vec<u8>,
    /// So many bytes at its beginning have been read.
    start: usize,
    has_ended: bool,
}

/// How much is read from a stream at once.
const READ_BYTES: usize = 16 * 1024;

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.buffer.len() && !self.has_ended {
            self.line.flush()?;
            if self.buffer.capacity() == 0 {
                let room = if self.line.keeps_boundaries() { DATAGRAM_BYTES_MAX } else { READ_BYTES };
                self.buffer.reserve_exact(room);
            }
            self.buffer.clear();
            self.start = 0;
            self.line.receive(&mut self.buffer)?;
            self.has_ended = self.buffer.is_empty();
        }
        Ok(&self.buffer[self.start..])
    }

    fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.buffer.len());
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// What the client is sent. It is collected, and sent by [`Write::flush`], when the reader has to wait, when the handler
/// returns, and on a stream when 16 KiB have come together.
///
/// What is sent at once is one datagram or one record, where the transport knows them.
#[derive(Debug)]
pub struct Writer {
    line: Rc<Line>,
}

/// How much is collected before it is sent.
const WRITE_BYTES: usize = 16 * 1024;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let collected = self.line.unsent.borrow().len();
        if self.line.keeps_boundaries() {
            if collected + bytes.len() > DATAGRAM_BYTES_MAX {
                return Err(socket::too_long(collected + bytes.len()));
            }
        } else if collected + bytes.len() > WRITE_BYTES {
            self.flush()?;
            if bytes.len() >= WRITE_BYTES {
                // As much as that needs no copy first.
                return self.send(bytes);
            }
        }
        self.line.unsent.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

impl Writer {
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        if let Channel::Connection(connection) = &self.line.channel {
            self.line.send_all(connection, bytes)?;
        }
        Ok(bytes.len())
    }
}
