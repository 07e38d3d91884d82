//! The handler of the tests, in both kinds: it sends back what it is sent, and does what a word tells it.
//!
//! One of them for all cases, so that a case is about the server and not about its handler. What happens to it is noted.

use crate::places::Place;
use socketserver::{Address, Ending, Output, Protocol, Request, RequestError};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Panic.
pub(crate) const PANIC: &[u8] = b"panic";
/// Send [`BEFORE`], then fail.
pub(crate) const FAIL: &[u8] = b"fail";
pub(crate) const BEFORE: &[u8] = b"before";
/// Send [`POURED_BLOCKS`] blocks, each after the one before has gone.
pub(crate) const POUR: &[u8] = b"pour";
/// Send blocks without an end.
pub(crate) const SPOUT: &[u8] = b"spout";
/// Say who the client is.
pub(crate) const WHO: &[u8] = b"who";
/// Say the same, read everything to the end, and then send it back.
pub(crate) const GATHER: &[u8] = b"gather";

pub(crate) const BLOCK_BYTES: usize = 32 * 1024;
/// 8 MiB: more than the kernel takes for one connection.
pub(crate) const POURED_BLOCKS: usize = 256;

/// What the handler and the hooks were told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Note {
    /// A conversation has begun.
    Opened,
    /// The first block is about to be sent.
    Pouring,
    /// A protocol's conversation is over.
    Closed(Ending),
    /// `handle_error` has said this.
    Error(String),
    /// `handle_timeout` was called.
    NobodyCame,
}

/// Where notes go.
#[derive(Clone, Debug)]
pub(crate) struct Notes(Sender<Note>);

impl Notes {
    pub(crate) fn new() -> (Notes, Receiver<Note>) {
        let (sender, receiver) = channel();
        (Notes(sender), receiver)
    }

    pub(crate) fn note(&self, note: Note) {
        // A test that has failed listens no more.
        let _ = self.0.send(note);
    }

    pub(crate) fn error(&self, error: &RequestError) {
        self.note(Note::Error(error.to_string()));
    }
}

/// How many conversations there are at a time, and were at most.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    fn enter(self: &Arc<Self>) -> Inside {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Inside(self.clone())
    }
}

/// One conversation, counted for as long as it lives.
#[derive(Debug)]
struct Inside(Arc<Gauge>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The handler.
#[derive(Clone, Debug)]
pub(crate) struct Servant {
    place: Place,
    notes: Notes,
    gauge: Arc<Gauge>,
}

impl Servant {
    pub(crate) fn new(place: Place, notes: Notes) -> Servant {
        Servant { place, notes, gauge: Arc::default() }
    }

    pub(crate) fn gauge(&self) -> Arc<Gauge> {
        self.gauge.clone()
    }

    /// As a blocking handler.
    pub(crate) fn handle(&self, request: &mut Request) -> io::Result<()> {
        let _inside = self.gauge.enter();
        self.notes.note(Note::Opened);
        if self.place.is_datagram() {
            let mut datagram = Vec::new();
            request.reader.read_to_end(&mut datagram)?;
            return self.obey(request, &datagram);
        }
        loop {
            let message = request.reader.fill_buf()?.to_vec();
            if message.is_empty() {
                return Ok(());
            }
            request.reader.consume(message.len());
            self.obey(request, &message)?;
            if message == POUR {
                return Ok(());
            }
        }
    }

    fn obey(&self, request: &mut Request, message: &[u8]) -> io::Result<()> {
        match message {
            PANIC => panic!("told to panic"),
            FAIL => {
                request.reply(BEFORE)?;
                Err(io::Error::other("told to fail"))
            }
            POUR => self.pour(request, POURED_BLOCKS),
            SPOUT => self.pour(request, usize::MAX),
            GATHER => {
                request.reply(GATHER)?;
                let mut all = Vec::new();
                request.reader.read_to_end(&mut all)?;
                request.writer.write_all(&all)
            }
            WHO => {
                let client = request.client_address().to_string();
                request.reply(client.as_bytes())
            }
            _ => request.reply(message),
        }
    }

    fn pour(&self, request: &mut Request, blocks: usize) -> io::Result<()> {
        self.notes.note(Note::Pouring);
        (0..blocks).try_for_each(|index| request.reply(&block(index)))
    }

    /// As a protocol.
    pub(crate) fn talk(&self) -> Talk {
        Talk { servant: self.clone(), inside: self.gauge.enter(), poured: None, gathered: None }
    }
}

/// The block of this number: each one is recognised.
pub(crate) fn block(index: usize) -> Vec<u8> {
    vec![index as u8; BLOCK_BYTES]
}

/// Everything that [`POUR`] sends.
pub(crate) fn poured() -> Vec<u8> {
    (0..POURED_BLOCKS).flat_map(block).collect()
}

/// The same handler without input and output.
#[derive(Debug)]
pub(crate) struct Talk {
    servant: Servant,
    #[expect(dead_code, reason = "it is there to be dropped")]
    inside: Inside,
    /// Blocks that were sent, and how many are to be.
    poured: Option<(usize, usize)>,
    gathered: Option<Vec<u8>>,
}

impl Talk {
    fn pour(&mut self, blocks: usize, out: &mut Output<'_>) {
        self.servant.notes.note(Note::Pouring);
        self.poured = Some((0, blocks));
        self.pour_on(out);
    }

    fn pour_on(&mut self, out: &mut Output<'_>) {
        let Some((sent, blocks)) = &mut self.poured else { return };
        if *sent == *blocks {
            out.close();
        } else {
            out.send(&block(*sent));
            *sent += 1;
        }
    }
}

impl Protocol for Talk {
    fn opened(&mut self, _: &mut Output<'_>) {
        self.servant.notes.note(Note::Opened);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        if let Some(gathered) = &mut self.gathered {
            gathered.extend_from_slice(bytes);
            return;
        }
        match bytes {
            PANIC => panic!("told to panic"),
            FAIL => {
                out.send(BEFORE);
                out.fail("told to fail");
            }
            POUR => self.pour(POURED_BLOCKS, out),
            SPOUT => self.pour(usize::MAX, out),
            GATHER => {
                out.send(GATHER);
                self.gathered = Some(Vec::new());
            }
            WHO => out.send(out.client_address().to_string().as_bytes()),
            _ => out.send(bytes),
        }
    }

    fn drained(&mut self, out: &mut Output<'_>) {
        self.pour_on(out);
    }

    fn ended(&mut self, out: &mut Output<'_>) {
        if let Some(all) = self.gathered.take() {
            out.send(&all);
        }
    }

    fn closed(&mut self, ending: Ending) {
        self.servant.notes.note(Note::Closed(ending));
    }
}

/// Whom a server asks for protocols.
pub(crate) fn talks(servant: Servant) -> impl Fn(&Address) -> Talk + Send + Sync + 'static {
    move |_| servant.talk()
}
