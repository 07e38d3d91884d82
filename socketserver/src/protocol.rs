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
///
/// A protocol that panics is not called again, not even `closed`; it is dropped, and its connection with it.
pub trait Protocol {
    /// The client is there.
    fn opened(&mut self, out: &mut Output<'_>) {
        let _ = out;
    }

    /// These bytes have arrived: a part of the stream, cut anywhere, or one whole datagram or record.
    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>);

    /// Everything that was sent is on its way, and there is room for more: the time to send the next part of something
    /// large. Also after the client has ended its side, and while the server stops and the grace lasts; the conversation is
    /// then over when nothing is added.
    fn drained(&mut self, out: &mut Output<'_>) {
        let _ = out;
    }

    /// The client sends nothing more, and may still read. The connection is closed when everything has been sent.
    fn ended(&mut self, out: &mut Output<'_>) {
        let _ = out;
    }

    /// The conversation is over, for this reason. One that has panicked is not told: what it knew may be half changed.
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
    /// The connection broke, or the protocol has given up with [`Output::fail`]. The hook
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
    has_sent: bool,
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

    /// How much memory that takes, with the lengths of records: there is no other bound on how many have none.
    pub(crate) fn memory_bytes(&self) -> usize {
        let lengths = self.records.as_ref().map_or(0, VecDeque::len);
        self.bytes.len() - self.sent + lengths * size_of::<usize>()
    }

    /// Whether anything has ever been sent.
    pub(crate) const fn has_sent(&self) -> bool {
        self.has_sent
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
        self.has_sent = true;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlet::Outlets;
    use proptest::collection::vec;
    use proptest::prelude::*;

    impl Pending {
        /// How many bytes wait.
        fn len(&self) -> usize {
            self.bytes.len() - self.sent
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Send(usize),
        Write(usize),
        EndRecord,
        /// So many parts of what is next, of 256; of a record, all.
        Taken(usize),
    }

    /// What waits, as simple as can be: in a stream one record of everything.
    #[derive(Debug, Default)]
    struct Model {
        records: VecDeque<Vec<u8>>,
        unfinished: Vec<u8>,
    }

    fn steps() -> impl Strategy<Value = Step> {
        let lengths = || prop_oneof![4 => 0..20_usize, 1 => 0..40_000_usize];
        prop_oneof![
            lengths().prop_map(Step::Send),
            lengths().prop_map(Step::Write),
            Just(Step::EndRecord),
            (0..=256_usize).prop_map(Step::Taken),
            Just(Step::Taken(256)),
        ]
    }

    /// Bytes that differ from what stands beside them.
    fn bytes(next: &mut usize, length: usize) -> Vec<u8> {
        let bytes = (*next..*next + length).map(|index| (index * 31 + index / 251) as u8).collect();
        *next += length;
        bytes
    }

    proptest! {
        #[test]
        fn stream_is_sent_as_it_was_written(steps in vec(steps(), 0..60)) {
            let (mut pending, mut model, mut next) = (Pending::stream(), Vec::new(), 0);
            for step in steps {
                match step {
                    Step::Send(length) => {
                        let bytes = bytes(&mut next, length);
                        pending.send(&bytes);
                        model.extend(bytes);
                    }
                    Step::Write(length) => {
                        let bytes = bytes(&mut next, length);
                        pending.write(&bytes);
                        model.extend(bytes);
                    }
                    Step::EndRecord => pending.end_record(),
                    Step::Taken(parts) => {
                        if let Some(length) = pending.next().map(<[u8]>::len) {
                            let count = length * parts / 256;
                            pending.taken(count);
                            model.drain(..count);
                        }
                    }
                }
                prop_assert_eq!(pending.is_empty(), model.is_empty());
                prop_assert_eq!(pending.len(), model.len());
                prop_assert!(pending.next().unwrap_or_default() == model);
            }
        }

        #[test]
        fn records_are_sent_as_they_were_written(steps in vec(steps(), 0..60)) {
            let (mut pending, mut model, mut next) = (Pending::records(), Model::default(), 0);
            for step in steps {
                match step {
                    Step::Send(length) => {
                        let bytes = bytes(&mut next, length);
                        pending.send(&bytes);
                        model.end_record();
                        model.records.push_back(bytes);
                    }
                    Step::Write(length) => {
                        let bytes = bytes(&mut next, length);
                        pending.write(&bytes);
                        model.unfinished.extend(bytes);
                    }
                    Step::EndRecord => {
                        pending.end_record();
                        model.end_record();
                    }
                    Step::Taken(_) => {
                        if let Some(length) = pending.next().map(<[u8]>::len) {
                            pending.taken(length);
                            model.records.pop_front();
                        }
                    }
                }
                prop_assert_eq!(pending.is_empty(), model.records.is_empty());
                prop_assert!(pending.next() == model.records.front().map(Vec::as_slice));
                let waiting: usize = model.records.iter().map(Vec::len).sum();
                prop_assert_eq!(pending.len(), waiting + model.unfinished.len());
            }
        }
    }

    impl Model {
        fn end_record(&mut self) {
            if !self.unfinished.is_empty() {
                self.records.push_back(std::mem::take(&mut self.unfinished));
            }
        }
    }

    #[test]
    fn buffer_that_was_large_once_gives_its_memory_back() {
        let mut pending = Pending::stream();
        pending.send(&vec![0; 1024 * 1024]);
        pending.taken(1024 * 1024);
        assert!(pending.bytes.capacity() <= SPARE_BYTES_MAX);
    }

    #[test]
    fn records_of_no_length_count_too() {
        let mut pending = Pending::records();
        for _ in 0..1000 {
            pending.send(b"");
        }
        assert!(pending.memory_bytes() >= 1000);
    }

    #[test]
    fn what_was_sent_is_not_kept_until_all_is() {
        let mut pending = Pending::stream();
        for _ in 0..1000 {
            pending.send(&[0; 1024]);
            pending.taken(pending.len() - 1);
        }
        assert!(pending.bytes.len() <= 2 * SPARE_BYTES_MAX + 1024, "{} bytes", pending.bytes.len());
    }

    #[test]
    fn only_the_first_failure_is_told_and_it_closes() {
        let (mut pending, client) = (Pending::stream(), Address::Unnamed);
        let mut out = Output { pending: &mut pending, client_address: &client, outlets: &Outlets::None };
        out.send(b"before");
        out.fail("first");
        out.fail("second");
        assert!(pending.is_closing);
        assert_eq!(pending.failure.unwrap().to_string(), "first");
        assert_eq!(pending.bytes, b"before");
    }
}
