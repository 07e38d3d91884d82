//! The reader's thread: answers what people ask of the history, and what the hub has to know of it.
//!
//! Where it stands: behind the hub's thread, which says exactly what may be read; pages go straight to the shard of whoever
//! asked, what was looked up goes back to the hub with its request. It reads by a connection of its own, so that nobody's
//! search holds up a commit, and each answer is bounded in time and in size. Searches take long, and anybody can ask for them by
//! many connections: so pages, for which those wait who come in or come back, go before them, but never for ever; and
//! searches take turns (`turns`). For that the shards tell who searches from where, and who of them has left.
//!
//! What this file must never do: decide who may read what, or write.

use crate::addresses::Site;
use crate::clock::Clock;
use crate::journal::JournalMailbox;
use crate::mailbox::{HubMailbox, ShardMailbox, lock};
use crate::turns::{Attempt, Search, Turns};
use engine::{Mail, Request};
use history::{Batch, ReadError, Reader, SEARCH_MAX};
use hub::{Audience, Event, Known, Lookup, MemberId, Reading, Refusal, Rest, Told, Verb, Wanted};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Something to be read.
#[derive(Debug)]
pub(crate) enum Ask {
    /// For a member.
    Read(Reading),
    /// For the hub, to decide about this request.
    LookUp(Box<Request>, Lookup),
}

/// What the reader's thread is asked, until it takes it. Everybody waits for the answer to one question before the next, so
/// that there are no more questions than connections.
#[derive(Debug)]
pub(crate) struct ReaderMailbox {
    asked: Mutex<Asked>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Asked {
    intake: Intake,
    /// Where those are who have searched, as long as they are here.
    searchers: HashMap<MemberId, Site>,
    has_ended: bool,
}

/// What has come in since the thread looked last.
#[derive(Debug, Default)]
struct Intake {
    /// Answered within milliseconds.
    quick: VecDeque<Ask>,
    searches: Vec<Search>,
    /// Who has left of those who have ever searched.
    departed: HashMap<MemberId, Site>,
}

impl Intake {
    fn is_nothing(&self) -> bool {
        self.quick.is_empty() && self.searches.is_empty() && self.departed.is_empty()
    }
}

impl ReaderMailbox {
    pub(crate) fn new() -> ReaderMailbox {
        ReaderMailbox { asked: Mutex::default(), filled: Condvar::new() }
    }

    /// A member is about to ask for a search. To be called before the hub gets to know of that.
    pub(crate) fn will_search(&self, member: MemberId, site: Site) {
        lock(&self.asked).searchers.insert(member, site);
    }

    /// A member has left, whether it has ever searched or not.
    pub(crate) fn left(&self, member: MemberId) {
        let mut asked = lock(&self.asked);
        if let Some(site) = asked.searchers.remove(&member) {
            asked.intake.departed.insert(member, site);
            drop(asked);
            self.filled.notify_one();
        }
    }

    pub(crate) fn ask(&self, ask: Ask) {
        let mut asked = lock(&self.asked);
        match ask {
            Ask::Read(reading) if matches!(reading.what, Wanted::Search { .. }) => {
                // If nobody knows where the asker is, it has left.
                let Some(site) = asked.searchers.get(&reading.member).copied() else { return };
                asked.intake.searches.push(Search {
                    site,
                    reading: Box::new(reading),
                    attempt: Attempt::First,
                });
            }
            Ask::Read(_) | Ask::LookUp(..) => asked.intake.quick.push_back(ask),
        }
        drop(asked);
        self.filled.notify_one();
    }

    /// Nothing more is answered.
    pub(crate) fn end(&self) {
        lock(&self.asked).has_ended = true;
        self.filled.notify_one();
    }

    /// Gives what is to be answered next; waits for it if nobody waits for an answer. `None` at the end.
    fn next(&self, queue: &mut Queue) -> Option<Next> {
        loop {
            queue.take(self.intake()?);
            if let Some(next) = queue.pop(Instant::now()) {
                return Some(next);
            }
            queue.searches.forget();
            self.wait();
        }
    }

    fn intake(&self) -> Option<Intake> {
        let mut asked = lock(&self.asked);
        (!asked.has_ended).then(|| std::mem::take(&mut asked.intake))
    }

    fn wait(&self) {
        let mut asked = lock(&self.asked);
        while asked.intake.is_nothing() && !asked.has_ended {
            asked = self.filled.wait(asked).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What waits for an answer, in the reader's thread.
#[derive(Debug)]
struct Queue {
    quick: VecDeque<Ask>,
    searches: Turns,
    /// So many quick ones have gone before the first search since the last one.
    went_before: u32,
}

/// What is answered next.
#[derive(Debug)]
enum Next {
    Quick(Ask),
    Search(Search),
}

/// So many pages may go before a search that waits.
const BEFORE_A_SEARCH_MAX: u32 = 64;

impl Queue {
    fn new() -> Queue {
        Queue { quick: VecDeque::new(), searches: Turns::new(Instant::now()), went_before: 0 }
    }

    fn take(&mut self, mut intake: Intake) {
        self.quick.append(&mut intake.quick);
        for search in intake.searches {
            self.searches.push(search);
        }
        self.searches.leave(&intake.departed);
    }

    fn pop(&mut self, now: Instant) -> Option<Next> {
        let is_turn_of_searches = self.quick.is_empty() || self.went_before >= BEFORE_A_SEARCH_MAX;
        if is_turn_of_searches && let Some(search) = self.searches.pop(now) {
            self.went_before = 0;
            return Some(Next::Search(search));
        }
        self.went_before = self.went_before.saturating_add(1);
        self.quick.pop_front().map(Next::Quick)
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
        let mut queue = Queue::new();
        while let Some(next) = self.mailbox.next(&mut queue) {
            // Before the file: what leaves this list meanwhile is in the file by then.
            let unwritten = self.journal.unwritten();
            match next {
                Next::Quick(Ask::Read(reading)) => self.read_page(&reading, &unwritten),
                Next::Quick(Ask::LookUp(request, lookup)) => self.look_up(*request, lookup, &unwritten),
                Next::Search(search) => self.search(search, &mut queue.searches, &unwritten),
            }
        }
    }

    fn look_up(&mut self, mut request: Request, lookup: Lookup, unwritten: &[Arc<Batch>]) {
        request.known = Some(self.reader.look_up(lookup, unwritten).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was kept cannot be read");
            Known::Unreadable(Refusal::Unreadable)
        }));
        self.hub.bring_again(request);
    }

    fn read_page(&mut self, reading: &Reading, unwritten: &[Arc<Batch>]) {
        let Wanted::Page(wanted) = &reading.what else { return };
        let page = self.reader.page(wanted, unwritten).map(|page| Event::Page(Arc::new(page)));
        self.answer(reading, page, Verb::History);
    }

    /// Searches for as long as it may; if that is not long enough yet, it waits for another turn.
    fn search(&mut self, search: Search, turns: &mut Turns, unwritten: &[Arc<Batch>]) {
        let Wanted::Search { rooms, search: wanted } = &search.reading.what else { return };
        let time_max = turns.time_max(&search);
        let begun = Instant::now();
        let found = self.reader.search(rooms, wanted, unwritten, time_max);
        turns.charge(&search, begun.elapsed());
        let is_out_of_time = found.as_ref().is_ok_and(|found| found.rest == Rest::OutOfTime);
        if is_out_of_time && time_max < SEARCH_MAX {
            return turns.push(Search { attempt: Attempt::Second, ..search });
        }
        self.answer(&search.reading, found.map(|found| Event::Found(Arc::new(found))), Verb::Search);
    }

    fn answer(&self, reading: &Reading, read: Result<Event, ReadError>, verb: Verb) {
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
    use super::*;
    use hub::{PageWanted, Position, RoomNumber, RoomRef, Sequence, Shape, Span};
    use std::net::{IpAddr, Ipv4Addr};

    const ANN: MemberId = MemberId::NOBODY;

    fn here() -> Site {
        Site::of(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    fn ask(mailbox: &ReaderMailbox, what: Wanted) {
        mailbox.ask(Ask::Read(Reading { member: ANN, position: Position(1), what }));
    }

    fn ask_for_a_page(mailbox: &ReaderMailbox) {
        let room = RoomRef { number: RoomNumber(1), name: "lobby".into() };
        let (upto, span, shape) = (Sequence(1), Span::Latest, Shape::Present);
        ask(mailbox, Wanted::Page(PageWanted { room, upto, span, lines_max: 1, shape }));
    }

    fn ask_for_a_search(mailbox: &ReaderMailbox) {
        mailbox.will_search(ANN, here());
        ask(mailbox, Wanted::Search { rooms: Vec::new(), search: hub::Search::default() });
    }

    /// What there is is answered in this order; then nobody waits.
    fn are_searches(mailbox: &ReaderMailbox) -> Vec<bool> {
        let mut queue = Queue::new();
        queue.take(mailbox.intake().unwrap());
        let next = || Some(matches!(queue.pop(Instant::now())?, Next::Search(_)));
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn page_does_not_wait_behind_searches() {
        let mailbox = ReaderMailbox::new();
        ask_for_a_search(&mailbox);
        ask_for_a_search(&mailbox);
        ask_for_a_page(&mailbox);
        assert_eq!(are_searches(&mailbox), [false, true, true]);
    }

    #[test]
    fn search_does_not_wait_for_ever_behind_pages() {
        let mailbox = ReaderMailbox::new();
        ask_for_a_search(&mailbox);
        for _ in 0..2 * BEFORE_A_SEARCH_MAX {
            ask_for_a_page(&mailbox);
        }
        let order = are_searches(&mailbox);
        assert_eq!(order.iter().position(|is_search| *is_search), Some(BEFORE_A_SEARCH_MAX as usize));
    }

    #[test]
    fn search_of_somebody_who_leaves_is_dropped_whether_it_was_taken_or_not() {
        let mailbox = ReaderMailbox::new();
        ask_for_a_search(&mailbox);
        mailbox.left(ANN);
        assert_eq!(are_searches(&mailbox), [false; 0], "not taken");
        let mut queue = Queue::new();
        ask_for_a_search(&mailbox);
        queue.take(mailbox.intake().unwrap());
        mailbox.left(ANN);
        queue.take(mailbox.intake().unwrap());
        assert!(queue.pop(Instant::now()).is_none(), "taken");
    }

    #[test]
    fn search_of_somebody_who_has_left_is_not_taken() {
        let mailbox = ReaderMailbox::new();
        mailbox.will_search(ANN, here());
        mailbox.left(ANN);
        ask(&mailbox, Wanted::Search { rooms: Vec::new(), search: hub::Search::default() });
        assert_eq!(are_searches(&mailbox), [false; 0]);
    }

    #[test]
    fn nobody_is_remembered_who_has_left() {
        let mailbox = ReaderMailbox::new();
        ask_for_a_search(&mailbox);
        mailbox.left(ANN);
        mailbox.left(ANN);
        assert!(are_searches(&mailbox).is_empty());
        let asked = lock(&mailbox.asked);
        assert!(asked.searchers.is_empty() && asked.intake.is_nothing());
    }

    #[test]
    fn reader_is_woken_by_what_is_asked_and_by_the_end() {
        let mailbox = ReaderMailbox::new();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut queue = Queue::new();
                std::iter::from_fn(|| mailbox.next(&mut queue)).count()
            });
            ask_for_a_page(&mailbox);
            mailbox.end();
            assert!(reader.join().unwrap() <= 1, "what waits at the end may be left");
        });
    }
}
