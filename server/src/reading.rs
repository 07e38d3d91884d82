//! The reader's thread: answers what people ask of the history, and what the hub has to know of it.
//!
//! Where it stands: behind the hub's thread, which says exactly what may be read; pages go straight to the shard of whoever
//! asked, what was looked up goes back to the hub with its request. It reads by a connection of its own, so that nobody's
//! search holds up a commit, and each answer is bounded in time and in size.
//!
//! What this file must never do: decide who may read what, or write.

use crate::clock::Clock;
use crate::journal::JournalMailbox;
use crate::mailbox::{HubMailbox, ShardMailbox, lock};
use engine::{Mail, Request};
use history::Reader;
use hub::{Audience, Event, Known, Lookup, Reading, Refusal, Told, Verb, Wanted};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Something to be read.
#[derive(Debug)]
pub(crate) enum Ask {
    /// For a member.
    Read(Reading),
    /// For the hub, to decide about this request.
    LookUp(Box<Request>, Lookup),
}

/// What waits for the reader's thread. Everybody waits for the answer to one question before the next, so that there are
/// no more questions than connections.
#[derive(Debug)]
pub(crate) struct ReaderMailbox {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    asked: VecDeque<Ask>,
    has_ended: bool,
}

impl ReaderMailbox {
    pub(crate) fn new() -> ReaderMailbox {
        ReaderMailbox { waiting: Mutex::default(), filled: Condvar::new() }
    }

    pub(crate) fn ask(&self, ask: Ask) {
        lock(&self.waiting).asked.push_back(ask);
        self.filled.notify_one();
    }

    /// Nothing more is answered.
    pub(crate) fn end(&self) {
        lock(&self.waiting).has_ended = true;
        self.filled.notify_one();
    }

    fn next(&self) -> Option<Ask> {
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.has_ended {
                return None;
            }
            if let Some(ask) = waiting.asked.pop_front() {
                return Some(ask);
            }
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

pub(crate) struct ReaderThread {
    pub(crate) reader: Reader,
    pub(crate) mailbox: Arc<ReaderMailbox>,
    pub(crate) journal: Arc<JournalMailbox>,
    pub(crate) hub: Arc<HubMailbox>,
    pub(crate) shards: Vec<Arc<ShardMailbox>>,
    pub(crate) clock: Clock,
}

impl ReaderThread {
    /// Runs until the server has stopped.
    pub(crate) fn run(mut self) {
        while let Some(ask) = self.mailbox.next() {
            // Before the file: what leaves this list meanwhile is in the file by then.
            let unwritten = self.journal.unwritten();
            match ask {
                Ask::Read(reading) => self.read(&reading, &unwritten),
                Ask::LookUp(mut request, lookup) => {
                    request.known = Some(self.reader.look_up(lookup, &unwritten).unwrap_or_else(|error| {
                        tracing::warn!(%error, "what was kept cannot be read");
                        Known::Unreadable(Refusal::Unreadable)
                    }));
                    self.hub.bring_again(*request);
                }
            }
        }
    }

    fn read(&mut self, reading: &Reading, unwritten: &[Arc<history::Batch>]) {
        let (verb, read) = match &reading.what {
            Wanted::Page(wanted) => {
                let page = self.reader.page(wanted, unwritten);
                (Verb::History, page.map(|page| Event::Page(Arc::new(page))))
            }
            Wanted::Search { rooms, search } => {
                let found = self.reader.search(rooms, search, unwritten);
                (Verb::Search, found.map(|found| Event::Found(Arc::new(found))))
            }
        };
        let event = read.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was kept cannot be read");
            Event::Refused { verb, refusal: Refusal::Unreadable, nonce: None }
        });
        let audience = Audience::Member(reading.member);
        let told = Told { position: reading.position, time: self.clock.now(), audience, event };
        if let Some(shard) = self.shards.get(usize::from(reading.member.shard())) {
            shard.post(&mut Mail { told: vec![told], ..Mail::default() });
        }
    }
}
