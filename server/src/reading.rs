//! The reader's thread: answers what people ask of the history, and what the hub has to know of it.
//!
//! Where it stands: behind the hub's thread, which says exactly what may be read; pages go straight to the shard of whoever
//! asked, what was looked up goes back to the hub with its request. It reads by a connection of its own, so that nobody's
//! search holds up a commit, and each answer is bounded in time and in size. Searches take long, and anybody can ask for them by
//! many connections: so pages, for which those wait who come in or come back, go before them, but never for ever.
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
    /// Answered within milliseconds.
    quick: VecDeque<Ask>,
    searches: VecDeque<Ask>,
    /// So many quick ones have gone before the first search since the last one.
    went_before: u32,
    has_ended: bool,
}

/// So many pages may go before a search that waits.
const BEFORE_A_SEARCH_MAX: u32 = 64;

impl Waiting {
    fn pop(&mut self) -> Option<Ask> {
        let is_turn_of_searches = self.quick.is_empty() || self.went_before >= BEFORE_A_SEARCH_MAX;
        if is_turn_of_searches && let Some(search) = self.searches.pop_front() {
            self.went_before = 0;
            return Some(search);
        }
        self.went_before = self.went_before.saturating_add(1);
        self.quick.pop_front()
    }
}

impl ReaderMailbox {
    pub(crate) fn new() -> ReaderMailbox {
        ReaderMailbox { waiting: Mutex::default(), filled: Condvar::new() }
    }

    pub(crate) fn ask(&self, ask: Ask) {
        let mut waiting = lock(&self.waiting);
        match &ask {
            Ask::Read(Reading { what: Wanted::Search { .. }, .. }) => waiting.searches.push_back(ask),
            Ask::Read(_) | Ask::LookUp(..) => waiting.quick.push_back(ask),
        }
        drop(waiting);
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
            if let Some(ask) = waiting.pop() {
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

#[cfg(test)]
mod tests {
    use super::{Ask, BEFORE_A_SEARCH_MAX, ReaderMailbox};
    use hub::{
        MemberId, PageWanted, Position, Reading, RoomNumber, RoomRef, Search, Sequence, Shape, Span, Wanted,
    };

    fn ask(mailbox: &ReaderMailbox, what: Wanted) {
        mailbox.ask(Ask::Read(Reading { member: MemberId::NOBODY, position: Position(1), what }));
    }

    fn ask_for_a_page(mailbox: &ReaderMailbox) {
        let room = RoomRef { number: RoomNumber(1), name: "lobby".into() };
        let (upto, span, shape) = (Sequence(1), Span::Latest, Shape::Present);
        ask(mailbox, Wanted::Page(PageWanted { room, upto, span, lines_max: 1, shape }));
    }

    fn ask_for_a_search(mailbox: &ReaderMailbox) {
        ask(mailbox, Wanted::Search { rooms: Vec::new(), search: Search::default() });
    }

    fn next_is_a_search(mailbox: &ReaderMailbox) -> bool {
        matches!(mailbox.next(), Some(Ask::Read(Reading { what: Wanted::Search { .. }, .. })))
    }

    #[test]
    fn page_does_not_wait_behind_searches() {
        let mailbox = ReaderMailbox::new();
        ask_for_a_search(&mailbox);
        ask_for_a_search(&mailbox);
        ask_for_a_page(&mailbox);
        let order = [(); 3].map(|()| next_is_a_search(&mailbox));
        assert_eq!(order, [false, true, true]);
    }

    #[test]
    fn search_does_not_wait_for_ever_behind_pages() {
        let mailbox = ReaderMailbox::new();
        ask_for_a_search(&mailbox);
        for _ in 0..2 * BEFORE_A_SEARCH_MAX {
            ask_for_a_page(&mailbox);
        }
        let order: Vec<bool> = (0..=2 * BEFORE_A_SEARCH_MAX).map(|_| next_is_a_search(&mailbox)).collect();
        assert_eq!(order.iter().position(|is_search| *is_search), Some(BEFORE_A_SEARCH_MAX as usize));
    }
}
