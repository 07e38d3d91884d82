//! The hub's thread: takes requests in batches, hands what has to be kept to the journal, posts mail. It owns all state,
//! touches no socket and no disk.
//!
//! A request that needs the journal while that is behind waits, and all others behind it, until the next commit. What can
//! only be decided with something out of the history is looked up by the reader's thread and brought again.

use crate::clock::{Clock, until};
use crate::journal::{JournalMailbox, News, Urgency};
use crate::mailbox::{HubMailbox, Inbox, ShardMailbox, Stopping, WaitFor};
use crate::reading::{Ask, ReaderMailbox};
use engine::{Desk, Journal, Request};
use history::Batch;
use hub::{Event, Position, Reading, Refusal, Verb};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// After so many requests the shards get their mail, so that they write while the hub goes on.
const REQUESTS_PER_POST: usize = 1024;

pub(crate) struct HubThread {
    pub(crate) desk: Desk,
    pub(crate) mailbox: Arc<HubMailbox>,
    pub(crate) shards: Vec<Arc<ShardMailbox>>,
    pub(crate) clock: Clock,
    /// Where what is said is kept, if it is.
    pub(crate) archive: Option<Archive>,
}

/// What is kept, and how far that has come.
pub(crate) struct Archive {
    pub(crate) journal: Arc<JournalMailbox>,
    pub(crate) reader: Arc<ReaderMailbox>,
    pub(crate) telling: Telling,
    /// Everything up to here has been handed over.
    pub(crate) handed_over: Position,
    /// Everything up to here is durable.
    pub(crate) durable: Position,
    /// What may not be read before it is durable.
    pub(crate) readings: VecDeque<Reading>,
    /// How long a stopping server tries to write to a disk that cannot be written to.
    pub(crate) patience: Duration,
}

/// When people are told what was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Telling {
    /// At once.
    AtOnce,
    /// When it is durable.
    WhenDurable,
}

impl HubThread {
    /// Runs until every shard has posted the last that counts, and all of it has been told and kept.
    pub(crate) fn run(mut self) {
        let mut inbox = Inbox::default();
        let mut requests = VecDeque::new();
        let mut wait_for = WaitFor::Anything;
        while !(inbox.are_last && requests.is_empty()) {
            let timeout = self.desk.next_chore().map(|at| until(at, self.clock.now()));
            self.mailbox.wait(&mut inbox, wait_for, timeout);
            if let Some(settings) = inbox.settings.take() {
                self.desk.set_settings(&settings);
            }
            for news in inbox.news.drain(..) {
                self.hear(news);
            }
            requests.extend(inbox.requests.drain(..));
            wait_for = self.take(&mut requests);
        }
        self.finish(inbox);
        for shard in &self.shards {
            shard.stop(Stopping::Over);
        }
    }

    /// Takes requests until there are none, or one needs a commit first.
    fn take(&mut self, requests: &mut VecDeque<Request>) -> WaitFor {
        let now = self.clock.now();
        let mut taken = 0;
        let mut wait_for = WaitFor::Anything;
        while let Some(request) = requests.pop_front() {
            if let Err(request) = self.desk.take(now, request) {
                requests.push_front(*request);
                if self.archive.is_some() {
                    wait_for = WaitFor::TheJournal;
                    break;
                }
                // Where nothing is kept, numbers are reserved whenever somebody needs them.
                self.hand_over();
                continue;
            }
            taken += 1;
            if taken % REQUESTS_PER_POST == 0 {
                self.hand_over();
                self.post();
            }
        }
        self.desk.chores(now);
        self.hand_over();
        self.post();
        wait_for
    }

    /// Hands over what has to be kept, and then what is to be read: whoever reads finds what was handed over.
    fn hand_over(&mut self) {
        let position = self.desk.hub().position();
        let Some(archive) = &mut self.archive else {
            if self.desk.wants_commit() {
                let (_, reservation) = self.desk.to_commit();
                self.desk.committed(position, &reservation);
            }
            return;
        };
        // Where nothing is told before it is durable, what is never written down becomes durable with what is.
        let waits = archive.telling == Telling::WhenDurable && archive.handed_over < position;
        if self.desk.wants_commit() || waits {
            let is_short_of_numbers = self.desk.wants_reservation();
            let (kept, reservation) = self.desk.to_commit();
            let is_awaited = is_short_of_numbers
                || archive.telling == Telling::WhenDurable
                || kept.iter().any(|kept| kept.record.fact.signature().is_some());
            let urgency = if is_awaited { Urgency::Awaited } else { Urgency::CanWait };
            archive.handed_over = position;
            archive.journal.hand_over(Batch { kept, reservation, position }, urgency);
        }
        for (request, lookup) in self.desk.lookups() {
            archive.reader.ask(Ask::LookUp(Box::new(request), lookup));
        }
        archive.readings.extend(self.desk.readings());
        archive.let_read();
    }

    fn hear(&mut self, news: News) {
        let now = self.clock.now();
        match news {
            News::Committed(batches) => {
                self.desk.set_journal(now, Journal::Working);
                for batch in &batches {
                    self.desk.committed(batch.position, &batch.reservation);
                }
                if let (Some(archive), Some(last)) = (&mut self.archive, batches.last()) {
                    archive.durable = last.position;
                    archive.let_read();
                }
            }
            News::Failing(trouble) => {
                self.desk.set_journal(now, Journal::Failing(trouble));
                self.refuse_readings();
            }
            News::Finished => {}
        }
    }

    /// Nobody waits for a page until the disk works again.
    fn refuse_readings(&mut self) {
        let Some(archive) = &mut self.archive else { return };
        let now = self.clock.now();
        for reading in archive.readings.drain(..) {
            let verb = match reading.what {
                hub::Wanted::Page(_) => Verb::History,
                hub::Wanted::Search { .. } => Verb::Search,
            };
            let event = Event::Refused { verb, refusal: Refusal::Unreadable, nonce: None };
            self.desk.tell(now, reading.member, event);
        }
    }

    /// Everything has been said: what is kept is written, and whoever waits for that is told.
    fn finish(&mut self, mut inbox: Inbox) {
        let Some(archive) = &self.archive else { return };
        archive.reader.end();
        archive.journal.finish(self.desk.hub().exact_reservation(), archive.patience);
        loop {
            self.mailbox.wait(&mut inbox, WaitFor::TheJournal, None);
            let mut has_finished = false;
            for news in inbox.news.drain(..) {
                has_finished |= matches!(news, News::Finished);
                self.hear(news);
            }
            self.post();
            if has_finished {
                return;
            }
        }
    }

    fn post(&mut self) {
        for (index, shard) in self.shards.iter().enumerate() {
            if let Some(mail) = self.desk.mail(index as u8)
                && !mail.is_empty()
            {
                shard.post(mail);
            }
        }
    }
}

impl Archive {
    /// Lets everything be read that may be.
    fn let_read(&mut self) {
        let (telling, durable) = (self.telling, self.durable);
        let may_be_read = |reading: &Reading| telling == Telling::AtOnce || reading.position <= durable;
        let count = self.readings.iter().take_while(|reading| may_be_read(reading)).count();
        for reading in self.readings.drain(..count) {
            self.reader.ask(Ask::Read(reading));
        }
    }
}
