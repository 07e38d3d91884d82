//! Handlers without input and output: [`Protocol`] is told what has arrived and says what shall be sent.
//!
//! It stands above every socket and every strategy. A protocol never waits and never learns how it is run, so that the
//! same one runs in one thread with ten thousand others, in a thread or a child of its own, and in a test without any
//! socket.

use crate::endpoint::Address;
use crate::outlet::{Outlet, Outlets};
use std::collections::VecDeque;
use std::error::Error as StdError;
use std::io::{self, Write};

/// One client's conversation, told as it happens. The server makes one for each connection, and for each datagram.
///
/// ```
/// use socketserver::{Evented, Endpoint, Listener, Output, Protocol, Server};
///
/// struct Echo;
///
/// impl Protocol for Echo {
///     fn received(&mut self, bytes: &[u8], out: &mut Output) {
///         out.send(bytes);
///     }
/// }
///
/// # fn main() -> Result<(), socketserver::Error> {
/// let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
/// let server = Server::sans_io(listener, Evented::default(), |_client: &_| Echo)?;
/// # Ok(())
/// # }
/// ```
///
/// The order is: `opened`; `received` and `drained`, any number of times; `ended` at most once; `closed`. With datagrams:
/// `opened`, `received` with the datagram, `closed`.
pub trait Protocol {
    /// The client is there.
    fn opened(&mut self, out: &mut Output<'_>) {
        let _ = out;
    }

    /// These bytes have arrived: a part of the stream, cut anywhere, or one whole datagram or record.
    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>);

    /// Everything that was sent is on its way, and there is room for more: the time to send the next part of something
    /// large.
    fn drained(&mut self, out: &mut Output<'_>) {
        let _ = out;
    }

    /// The client sends nothing more, and may still read. The connection is closed when everything has been sent.
    fn ended(&mut self, out: &mut Output<'_>) {
        let _ = out;
    }

    /// The conversation is over, for this reason.
    fn closed(&mut self, ending: Ending) {
        let _ = ending;
    }
}

/// Why a conversation is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// The client has ended it, and was sent everything.
    ByClient,
    /// The protocol has ended it with [`Output::close`].
    ByServer,
    /// The client did nothing for too long.
    TimedOut,
    /// The server has stopped.
    Shutdown,
    /// The connection broke, or the protocol failed or panicked. The hook
    /// [`handle_error`](crate::Server::handle_error) has been told why.
    Failed,
}

/// What a [`Protocol`] wants to be sent to its client, and what else it wants.
///
/// Nothing is sent before the protocol returns. There is no bound on what one call may send; but while more than 64 KiB
/// wait, nothing is read from the client, and [`Protocol::drained`] says when they are gone.
#[derive(Debug)]
pub struct Output<'a> {
    pub(crate) pending: &'a mut Pending,
    pub(crate) client_address: &'a Address,
    pub(crate) outlets: &'a Outlets<'a>,
}

impl Output<'_> {
    /// Sends `bytes`: a part of the stream, or one datagram or record. Empty records are not sent, for they could not be
    /// told from the end of the connection; empty datagrams are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.pending.send(bytes);
    }

    /// Closes the connection when everything has been sent. Nothing more is received.
    pub fn close(&mut self) {
        self.pending.is_closing = true;
    }

    /// Gives the conversation up: the hook [`handle_error`](crate::Server::handle_error) is told why, what was sent before
    /// still arrives, and the connection is closed.
    pub fn fail(&mut self, error: impl Into<Box<dyn StdError + Send + Sync>>) {
        self.pending.failure.get_or_insert_with(|| io::Error::other(error));
        self.close();
    }

    /// Who the client is.
    pub const fn client_address(&self) -> &Address {
        self.client_address
    }

    /// A way to send to this client from elsewhere: from another conversation, or another thread.
    ///
    /// # Errors
    /// If the system has no descriptor left, or with a datagram, whose conversation is over when this call returns.
    pub fn outlet(&self) -> io::Result<Outlet> {
        self.outlets.outlet()
    }
}

/// What is written between two ends of a call, or before a [`Output::send`], is one datagram or record.
impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.write(bytes);
        Ok(bytes.len())
    }

    /// Ends the datagram or record.
    fn flush(&mut self) -> io::Result<()> {
        self.pending.end_record();
        Ok(())
    }
}

/// What waits to be sent to one client.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    /// How many bytes at the beginning have been sent.
    sent: usize,
    /// Where boundaries are kept: the lengths of what is sent at once.
    records: Option<VecDeque<usize>>,
    /// How many bytes at the end are not yet part of a record.
    unfinished: usize,
    pub(crate) is_closing: bool,
    pub(crate) failure: Option<io::Error>,
}

impl Pending {
    pub(crate) fn stream() -> Pending {
        Pending::default()
    }

    pub(crate) fn records() -> Pending {
        Pending { records: Some(VecDeque::new()), ..Pending::default() }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.end_record();
        self.bytes.extend_from_slice(bytes);
        if let Some(records) = &mut self.records {
            records.push_back(bytes.len());
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.records.is_some() {
            self.unfinished += bytes.len();
        }
    }

    /// What was written since the last record becomes one.
    pub(crate) fn end_record(&mut self) {
        if let Some(records) = &mut self.records
            && self.unfinished > 0
        {
            records.push_back(std::mem::take(&mut self.unfinished));
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.as_ref().map_or(self.sent == self.bytes.len(), VecDeque::is_empty)
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// What is to be sent next, at once. `None` if nothing waits.
    pub(crate) fn next(&self) -> Option<&[u8]> {
        if self.is_empty() {
            return None;
        }
        let length = self.records.as_ref().and_then(|records| records.front().copied());
        let end = length.map_or(self.bytes.len(), |length| self.sent + length);
        Some(&self.bytes[self.sent..end])
    }

    /// So many bytes of [`Pending::next`] have been sent; of a record, all.
    pub(crate) fn taken(&mut self, count: usize) {
        self.sent += count;
        if let Some(records) = &mut self.records {
            records.pop_front();
        }
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
            // One that once had to wait for much is not to hold the memory for ever.
            self.bytes.shrink_to(SPARE_BYTES_MAX);
        } else if self.sent > SPARE_BYTES_MAX && self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

/// How much memory an empty buffer keeps.
const SPARE_BYTES_MAX: usize = 16 * 1024;
