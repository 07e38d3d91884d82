//! The journal's thread: commits what the hub's thread hands over, many facts at a time, and says when it is on disk.
//!
//! Where it stands: beside the hub's thread, which hands over a batch a turn and waits for none. While one commit is under
//! way the next batches gather, and go into the next commit together. What is handed over and not committed yet is here for
//! readers to look at, too. When there is nothing to commit, the index of words is brought up to date, a little at a time.
//!
//! What this file must never do: call anything durable that the disk has not confirmed, throw a batch away, or log what
//! people said.

use crate::clock::Clock;
use crate::mailbox::{HubMailbox, lock};
use history::{Batch, CommitError, Journal, Remaining, Retention};
use hub::{Reservation, Trouble};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After a failed commit the next is tried so much later, and twice as much later after each that fails, up to the last.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(2);
/// A stopping server waits no longer for a data file that is gone. Who has moved it can hardly move it back in time; who has
/// deleted it cannot at all.
const GONE_PATIENCE: Duration = Duration::from_secs(1);
/// While nobody waits for a receipt, commits are at least so long apart: each costs the processor as much as a hundred facts.
const PACE: Duration = Duration::from_millis(20);
/// The index follows when nothing has been committed for so long: people who talk go first, and a message that comes alone
/// costs no commit of its own for it.
const INDEX_DELAY: Duration = Duration::from_secs(1);
/// But where people never stop talking, it works all the same, and pauses so many times as long as it worked.
const INDEX_PAUSES: u32 = 200;
/// How often old facts are let go of, where the operator wants that.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

/// What the hub's thread hears of the journal.
#[derive(Debug)]
pub(crate) enum News {
    /// These are durable.
    Committed(Vec<Arc<Batch>>),
    /// Nothing can be written at the moment; it is tried again.
    Failing(Trouble),
    /// Everything is written, or was given up: the last that is heard.
    Finished,
}

/// What waits for the journal's thread.
#[derive(Debug)]
pub(crate) struct JournalMailbox {
    handed_over: Mutex<HandedOver>,
    filled: Condvar,
}

/// Whether somebody waits for a commit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Urgency {
    /// Nobody: it may wait for more.
    #[default]
    CanWait,
    /// Somebody waits for a receipt, or for numbers, or to be told at all.
    Awaited,
}

#[derive(Debug, Default)]
struct HandedOver {
    /// Handed over and not committed yet, in their order.
    unwritten: VecDeque<Arc<Batch>>,
    /// Of all of them.
    urgency: Urgency,
    retention: Option<Retention>,
    ending: Option<Ending>,
}

/// How the journal ends.
#[derive(Clone, Debug)]
struct Ending {
    /// What was used, exactly.
    reservation: Reservation,
    began: Instant,
    /// When to give up a disk that cannot be written to, after the beginning.
    patience: Duration,
}

impl Ending {
    /// Whether it is time to give up what cannot be written for this reason.
    fn gives_up(&self, trouble: Trouble, now: Instant) -> bool {
        let patience = match trouble {
            Trouble::Gone => self.patience.min(GONE_PATIENCE),
            Trouble::Full | Trouble::ReadOnly | Trouble::Failing => self.patience,
        };
        self.began + patience <= now
    }
}

impl HandedOver {
    /// When there is something to do next, unless more is handed over before: a commit if there is something to be committed,
    /// else a chore.
    fn next_at(&self, last_commit: Instant, next_chore: Instant) -> Instant {
        match self.urgency {
            Urgency::Awaited => last_commit,
            Urgency::CanWait if !self.unwritten.is_empty() => last_commit + PACE,
            Urgency::CanWait => next_chore,
        }
    }

    /// When a commit that failed is to be tried again, which was to be after a pause: earlier when the server stops.
    fn retry_at(&self, failed: Instant, pause: Duration) -> Instant {
        if self.ending.is_some() { failed + pause.min(FIRST_RETRY) } else { failed + pause }
    }
}

impl JournalMailbox {
    pub(crate) fn new() -> JournalMailbox {
        JournalMailbox { handed_over: Mutex::default(), filled: Condvar::new() }
    }

    /// Hands over what is to be committed next.
    pub(crate) fn hand_over(&self, batch: Batch, urgency: Urgency) {
        let mut handed_over = lock(&self.handed_over);
        // Whoever waits for the pace to allow the next commit is not woken by more of the same.
        let is_news = handed_over.unwritten.is_empty() || urgency > handed_over.urgency;
        handed_over.unwritten.push_back(Arc::new(batch));
        handed_over.urgency = handed_over.urgency.max(urgency);
        drop(handed_over);
        if is_news {
            self.filled.notify_one();
        }
    }

    /// What has been handed over and may not be committed yet. To be looked at before the file is: what leaves this list is
    /// in the file by then.
    pub(crate) fn unwritten(&self) -> Vec<Arc<Batch>> {
        lock(&self.handed_over).unwritten.iter().cloned().collect()
    }

    /// Lets go of old facts by these rules from now on.
    pub(crate) fn set_retention(&self, retention: Retention) {
        lock(&self.handed_over).retention = Some(retention);
        self.filled.notify_one();
    }

    /// Nothing more will be handed over: writes the rest, and that exactly this was used. A disk that cannot be written to is
    /// given up after `patience`, or sooner if there is none.
    pub(crate) fn finish(&self, reservation: Reservation, patience: Duration) {
        lock(&self.handed_over).ending = Some(Ending { reservation, began: Instant::now(), patience });
        self.filled.notify_one();
    }

    /// The first of what was handed over are committed.
    fn written(&self, batches: usize) {
        let mut handed_over = lock(&self.handed_over);
        handed_over.unwritten.drain(..batches);
        // What came meanwhile may be awaited, too; nobody notes whose that was.
        if handed_over.unwritten.is_empty() {
            handed_over.urgency = Urgency::CanWait;
        }
    }

    fn wait<'a>(
        &self,
        handed_over: MutexGuard<'a, HandedOver>,
        timeout: Duration,
    ) -> MutexGuard<'a, HandedOver> {
        self.filled.wait_timeout(handed_over, timeout).unwrap_or_else(PoisonError::into_inner).0
    }
}

pub(crate) struct JournalThread {
    journal: Journal,
    mailbox: Arc<JournalMailbox>,
    hub: Arc<HubMailbox>,
    clock: Clock,
    retention: Retention,
    /// While nothing can be written: the pause after which it is tried again.
    trouble: Option<Duration>,
    last_commit: Instant,
    chores: Chores,
}

/// When there is something to do that nobody waits for.
struct Chores {
    /// The index may be behind.
    index: Option<Instant>,
    /// And may be looked after from then on though people talk.
    index_in_between: Instant,
    /// Old facts may have to go.
    forget: Instant,
    /// Erased text may still be in the file.
    tidy: Option<Instant>,
}

impl JournalThread {
    pub(crate) fn new(
        journal: Journal,
        mailbox: Arc<JournalMailbox>,
        hub: Arc<HubMailbox>,
        clock: Clock,
        retention: Retention,
    ) -> JournalThread {
        let now = Instant::now();
        // The index may be behind from the last time.
        let chores = Chores { index: Some(now), index_in_between: now, forget: now, tidy: Some(now) };
        JournalThread { journal, mailbox, hub, clock, retention, trouble: None, last_commit: now, chores }
    }

    /// Runs until everything is written after the server has stopped.
    pub(crate) fn run(mut self) {
        loop {
            let (batches, ending) = self.next();
            if !batches.is_empty() {
                self.commit(&batches, ending.as_ref());
                if ending.is_none() {
                    self.index_in_between();
                }
                continue;
            }
            match ending {
                Some(ending) => return self.finish(&ending),
                None => self.do_chores(),
            }
        }
    }

    /// Waits for something to commit, for the end, or for the next chore.
    fn next(&mut self) -> (Vec<Arc<Batch>>, Option<Ending>) {
        let mailbox = self.mailbox.clone();
        let mut handed_over = lock(&mailbox.handed_over);
        loop {
            if let Some(retention) = handed_over.retention.take() {
                self.retention = retention;
                self.chores.forget = Instant::now();
            }
            let at = handed_over.next_at(self.last_commit, self.chores.next_at());
            let timeout = at.saturating_duration_since(Instant::now());
            if handed_over.ending.is_some() || timeout.is_zero() {
                return (handed_over.unwritten.iter().cloned().collect(), handed_over.ending.clone());
            }
            handed_over = mailbox.wait(handed_over, timeout);
        }
    }

    /// Has these batches on disk; if that fails they stay where they are, unless the server has waited long enough at its end.
    fn commit(&mut self, batches: &[Arc<Batch>], ending: Option<&Ending>) {
        let together: Vec<&Batch> = batches.iter().map(AsRef::as_ref).collect();
        match self.journal.commit_together(&together) {
            Ok(()) => {
                self.recover();
                self.mailbox.written(batches.len());
                self.hub.hear(News::Committed(batches.to_vec()));
                let now = Instant::now();
                self.last_commit = now;
                self.chores.committed(now);
            }
            Err(error) if ending.is_some_and(|ending| ending.gives_up(error.trouble, Instant::now())) => {
                let facts: usize = batches.iter().map(|batch| batch.kept.len()).sum();
                tracing::error!(%error, facts, "given up: these facts could not be written, and nobody was told that they were");
                self.mailbox.written(batches.len());
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Tells, once, that nothing can be written, and waits a while.
    fn fail(&mut self, error: &CommitError) {
        let pause = match self.trouble {
            None => {
                tracing::error!(%error, "nothing can be written down; it is tried again");
                FIRST_RETRY
            }
            Some(pause) => (pause * 2).min(LAST_RETRY),
        };
        self.hub.hear(News::Failing(error.trouble));
        self.trouble = Some(pause);
        let failed = Instant::now();
        let mut handed_over = lock(&self.mailbox.handed_over);
        while let Some(left) = handed_over.retry_at(failed, pause).checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            handed_over = self.mailbox.wait(handed_over, left);
        }
    }

    fn recover(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!("everything is written down again");
        }
    }

    /// People hear of the end while the file is closed.
    fn finish(self, ending: &Ending) {
        self.hub.hear(News::Finished);
        if let Err(error) = self.journal.finish(&ending.reservation) {
            tracing::error!(%error, "the data file could not be closed in order; if it is still there, the next start looks at it");
        }
    }

    /// Does a little of what nobody waits for, so that what comes meanwhile is not kept waiting.
    fn do_chores(&mut self) {
        let now = Instant::now();
        if self.chores.index.is_some_and(|at| at <= now) {
            self.index(now);
        }
        if self.chores.tidy.is_some_and(|at| at <= now) {
            self.chores.tidy = match self.journal.tidy() {
                Ok(Remaining::Nothing) => None,
                Ok(Remaining::Something) => Some(now + INDEX_DELAY),
                Err(error) => {
                    tracing::warn!(%error, "erased text could not be taken off the disk; it is tried again");
                    Some(now + LAST_RETRY)
                }
            };
        }
        if self.chores.forget <= now {
            self.forget(now);
        }
    }

    /// People talk and do not stop: the index follows a little.
    fn index_in_between(&mut self) {
        let now = Instant::now();
        if self.chores.may_index_in_between(now) {
            self.index(now + INDEX_DELAY);
            self.chores.indexed_in_between(now, Instant::now());
        }
    }

    /// One slice; if something remains, the next is due at `next`.
    fn index(&mut self, next: Instant) {
        self.chores.index = match self.journal.index_some() {
            Ok(Remaining::Nothing) => None,
            Ok(Remaining::Something) => Some(next),
            Err(error) => {
                tracing::warn!(%error, "the index of words could not be brought up to date; it is tried again");
                Some(Instant::now() + LAST_RETRY)
            }
        };
    }

    fn forget(&mut self, now: Instant) {
        self.chores.forget = match self.journal.forget(&self.retention, self.clock.now()) {
            Ok((0, Remaining::Nothing)) => now + FORGET_INTERVAL,
            Ok((facts, remaining)) => {
                if facts > 0 {
                    tracing::info!(facts, "let go of old facts");
                    self.chores.tidy.get_or_insert(now);
                }
                if remaining == Remaining::Something { now } else { now + FORGET_INTERVAL }
            }
            Err(error) => {
                tracing::warn!(%error, "old facts could not be let go of; it is tried again");
                now + FORGET_INTERVAL
            }
        };
    }
}

impl Chores {
    /// Something was committed: the index waits for quiet, but not for ever.
    fn committed(&mut self, now: Instant) {
        if self.index.is_none() {
            self.index_in_between = now + INDEX_DELAY;
        }
        self.index = Some(now + INDEX_DELAY);
        self.tidy.get_or_insert(now + INDEX_DELAY);
    }

    fn may_index_in_between(&self, now: Instant) -> bool {
        self.index.is_some() && self.index_in_between <= now
    }

    /// The index has been looked after though people talk, from one moment to another: it pauses.
    fn indexed_in_between(&mut self, began: Instant, ended: Instant) {
        self.index_in_between = ended + (ended - began) * INDEX_PAUSES;
    }

    fn next_at(&self) -> Instant {
        [self.index, self.tidy].into_iter().flatten().fold(self.forget, Instant::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::{Position, RoomNumber};
    use std::collections::BTreeMap;

    fn batch() -> Batch {
        let reservation =
            Reservation { position: Position(1), next_room: RoomNumber(1), sequences: BTreeMap::new() };
        Batch { kept: Vec::new(), reservation, position: Position(1) }
    }

    /// When the next commit is due, after the last one, with these handed over since; the next chore is due in an hour.
    fn due_after(batches: &[Urgency]) -> Duration {
        let mailbox = JournalMailbox::new();
        for urgency in batches {
            mailbox.hand_over(batch(), *urgency);
        }
        let last_commit = Instant::now();
        let chore = last_commit + Duration::from_secs(3600);
        lock(&mailbox.handed_over).next_at(last_commit, chore) - last_commit
    }

    #[test]
    fn commit_that_nobody_waits_for_comes_no_sooner_than_the_pace_allows() {
        assert_eq!(due_after(&[Urgency::CanWait; 3]), PACE);
    }

    #[test]
    fn commit_that_somebody_waits_for_comes_at_once() {
        assert_eq!(due_after(&[Urgency::CanWait, Urgency::Awaited, Urgency::CanWait]), Duration::ZERO);
    }

    #[test]
    fn nothing_is_committed_when_nothing_is_handed_over() {
        assert_eq!(due_after(&[]), Duration::from_secs(3600));
    }

    #[test]
    fn what_comes_behind_a_commit_that_was_awaited_can_wait() {
        let mailbox = JournalMailbox::new();
        mailbox.hand_over(batch(), Urgency::Awaited);
        mailbox.written(1);
        mailbox.hand_over(batch(), Urgency::CanWait);
        let last_commit = Instant::now();
        assert_eq!(lock(&mailbox.handed_over).next_at(last_commit, last_commit), last_commit + PACE);
    }

    #[test]
    fn index_takes_its_small_part_of_the_time_while_people_never_stop_talking() {
        const SLICE: Duration = Duration::from_millis(4);
        let start = Instant::now();
        let mut chores = Chores { index: Some(start), index_in_between: start, forget: start, tidy: None };
        let (mut now, mut indexed) = (start, Duration::ZERO);
        for _ in 0..400_000 {
            chores.committed(now);
            if chores.may_index_in_between(now) {
                let began = now;
                now += SLICE;
                indexed += SLICE;
                chores.indexed_in_between(began, now);
            }
            now += Duration::from_millis(1);
        }
        let times = (now - start).as_secs_f64() / indexed.as_secs_f64();
        let expected = f64::from(1 + INDEX_PAUSES);
        assert!((times / expected - 1.0).abs() < 0.01, "all of it took {times} times as long as the index");
    }

    #[test]
    fn index_is_left_alone_for_a_while_after_it_was_up_to_date() {
        let start = Instant::now();
        let mut chores = Chores { index: None, index_in_between: start, forget: start, tidy: None };
        chores.committed(start);
        chores.committed(start + INDEX_DELAY / 2);
        assert!(!chores.may_index_in_between(start + INDEX_DELAY / 2));
        assert!(chores.may_index_in_between(start + INDEX_DELAY));
    }

    fn ending(patience: Duration) -> Ending {
        Ending { reservation: batch().reservation, began: Instant::now(), patience }
    }

    #[test]
    fn stopping_server_gives_up_a_data_file_that_is_gone_sooner_than_a_failing_disk() {
        let long = ending(Duration::from_secs(5));
        let after = |ending: &Ending, wait: Duration| {
            [Trouble::Failing, Trouble::Gone].map(|trouble| ending.gives_up(trouble, ending.began + wait))
        };
        assert_eq!(after(&long, GONE_PATIENCE / 2), [false, false]);
        assert_eq!(after(&long, GONE_PATIENCE), [false, true]);
        assert_eq!(after(&long, Duration::from_secs(5)), [true, true]);
        let short = ending(Duration::from_millis(10));
        assert_eq!(
            after(&short, Duration::from_millis(10)),
            [true, true],
            "the operator may be less patient"
        );
    }

    #[test]
    fn stopping_server_tries_again_sooner() {
        let mut handed_over = HandedOver::default();
        let failed = Instant::now();
        assert_eq!(handed_over.retry_at(failed, LAST_RETRY), failed + LAST_RETRY);
        handed_over.ending = Some(ending(Duration::from_secs(5)));
        assert_eq!(handed_over.retry_at(failed, LAST_RETRY), failed + FIRST_RETRY);
    }
}
