//! What stands behind the shards of a simulated world: the desk, the mail in both directions, the store, and how all of it
//! ends and begins again.
//!
//! Where it stands: in the place of the hub's thread and of the journal's. Every request and every mail may be late, but
//! those of one shard stay in their order.
//!
//! What this file must never do: bring the desk anything before a request that it gave back.

use super::{Outcome, Pace, World};
use crate::oracle::Taking;
use crate::store::Snapshotting;
use crate::weather::Mood;
use engine::{Desk, Journal, Mail, Request};
use hub::{Event, Fact, Trouble};

impl World {
    // The desk.

    pub(super) fn desk_turn(&mut self, pace: Pace) -> Outcome {
        let count = match pace {
            Pace::AtRandom if self.weather.mood == Mood::Usual => self.random.usize(1..60),
            Pace::AtRandom => self.random.usize(1..1000),
            Pace::Everything => usize::MAX,
        };
        for _ in 0..count {
            if self.given_back.is_some() {
                break;
            }
            let busy: Vec<usize> =
                (0..self.lanes.len()).filter(|lane| !self.lanes[*lane].requests.is_empty()).collect();
            if busy.is_empty() {
                break;
            }
            let lane = busy[self.random.usize(..busy.len())];
            if let Some(request) = self.lanes[lane].requests.pop_front() {
                self.take(request)?;
            }
        }
        self.trace.note(|| "the desk has had its turn".into());
        self.desk.chores(self.now);
        self.oracle.chores(self.now)?;
        self.post_mail()
    }

    pub(super) fn take(&mut self, request: Request) -> Outcome {
        let should = self.oracle.take(self.now, &request, self.journal)?;
        match self.desk.take(self.now, request) {
            Ok(()) if should == Taking::Taken => {}
            Err(request) if should == Taking::GivenBack => self.given_back = Some(*request),
            _ => return Err(format!("the desk should have done this with a request: {should:?}")),
        }
        self.ask_store()
    }

    pub(super) fn post_mail(&mut self) -> Outcome {
        let told = self.oracle.take_told();
        for shard in 0..self.lanes.len() {
            let Some(mail) = self.desk.mail(shard as u8) else { return Err("a shard has no mail".into()) };
            let mut order = told.iter();
            for found in &mail.told {
                if !order.any(|truth| truth == found) {
                    return Err(format!("a mail has what was not told, or not in this order: {found:?}"));
                }
            }
            let lane = &mut self.lanes[shard];
            if mail.is_empty() && self.store.position <= lane.durable {
                continue;
            }
            lane.durable = lane.durable.max(mail.durable);
            let mut mail = std::mem::take(mail);
            match lane.mails.back_mut() {
                Some(last) if self.random.bool() => last.append(&mut mail),
                _ => lane.mails.push_back(mail),
            }
        }
        Ok(())
    }

    pub(super) fn deliver(&mut self, shard: usize, pace: Pace) -> Outcome {
        let count = match pace {
            Pace::AtRandom => self.random.usize(1..=3),
            Pace::Everything => usize::MAX,
        };
        for _ in 0..count {
            let Some(mut mail) = self.lanes[shard].mails.pop_front() else { break };
            self.trace.note(|| {
                let told = mail
                    .told
                    .first()
                    .map(|first| first.position)
                    .zip(mail.told.last().map(|told| told.position));
                format!("shard {shard} gets {} told {told:?}, durable {:?}", mail.told.len(), mail.durable)
            });
            self.note_delivered(shard, &mail);
            self.shards[shard].deliver(self.now, &mut mail);
        }
        self.post_requests(shard)?;
        self.resume(shard);
        self.close_broken(shard)?;
        self.check_bounds(shard)
    }

    fn note_delivered(&mut self, shard: usize, mail: &Mail) {
        let lane = &mut self.lanes[shard];
        for told in &mail.told {
            lane.delivered = lane.delivered.max(told.position);
            if let Event::JournalIs { trouble } = &told.event {
                lane.is_in_trouble = trouble.is_some();
            }
        }
    }

    // The store.

    pub(super) fn store_turn(&mut self) -> Outcome {
        let is_waiting = self.given_back.is_some();
        if !is_waiting && !self.chance(100, self.weather.diligence) {
            return Ok(());
        }
        if !self.store.is_busy() {
            self.begin_batch();
            return Ok(());
        }
        if self.chance(100, self.weather.failures) {
            self.trace.note(|| "the store fails".into());
            self.journal_is(Journal::Failing(Trouble::Failing))?;
            self.report.failures += 1;
            return self.bring_again();
        }
        self.finish_batch()
    }

    pub(super) fn begin_batch(&mut self) {
        let snapshotting = if self.chance(4, 1) { Snapshotting::Yes } else { Snapshotting::No };
        self.store.begin(&mut self.desk, snapshotting);
        self.trace
            .note(|| format!("a batch is begun up to {:?}, {snapshotting:?}", self.desk.hub().position()));
    }

    /// The desk learns how the journal is.
    fn journal_is(&mut self, journal: Journal) -> Outcome {
        let before = std::mem::replace(&mut self.journal, journal);
        self.desk.set_journal(self.now, journal);
        self.oracle.journal_is(self.now, before, journal)
    }

    pub(super) fn finish_batch(&mut self) -> Outcome {
        self.write_batch()?;
        self.journal_is(Journal::Working)?;
        self.bring_again()?;
        self.post_mail()
    }

    /// The batch comes to the disk, and the desk learns of it.
    pub(super) fn write_batch(&mut self) -> Outcome {
        if let Some(reservation) = self.put_on_disk()? {
            self.desk.committed(self.store.position, &reservation);
            self.oracle.committed(self.store.position, &reservation)?;
            self.report.commits += 1;
        }
        Ok(())
    }

    pub(super) fn put_on_disk(&mut self) -> Result<Option<hub::Reservation>, String> {
        let Some(commit) = self.store.finish() else { return Ok(None) };
        let position = self.store.position;
        self.trace.note(|| format!("written up to {position:?}"));
        self.oracle.written(position, &commit.facts, &commit.snapshot)?;
        Ok(Some(commit.reservation))
    }

    pub(super) fn bring_again(&mut self) -> Outcome {
        match self.given_back.take() {
            Some(request) => self.take(request),
            None => Ok(()),
        }
    }

    pub(super) fn commit_now(&mut self) -> Outcome {
        self.store.begin(&mut self.desk, Snapshotting::No);
        self.write_batch()
    }

    // Crashes.

    pub(super) fn crash(&mut self) -> Outcome {
        self.trace.note(|| "the process is gone".into());
        self.report.crashes += 1;
        self.lose_links()?;
        // What was on its way may have come to the disk, though nobody learned of it.
        if self.random.bool() {
            self.put_on_disk()?;
        }
        self.lose_process();
        self.restart()?;
        // It may go again before anybody is there.
        if self.random.u32(..4) == 0 { self.restart() } else { Ok(()) }
    }

    /// The process stops in an orderly way, and begins again: nothing counts as lost.
    pub(super) fn stop(&mut self) -> Outcome {
        self.trace.note(|| "the process stops".into());
        self.report.stops += 1;
        self.lose_links()?;
        self.put_on_disk()?;
        self.store.begin(&mut self.desk, Snapshotting::No);
        self.put_on_disk()?;
        self.store.reservation = self.desk.hub().exact_reservation();
        self.lose_process();
        let hub = self.store.restored(&self.weather.settings);
        let is_lost = |loss: &Fact| matches!(loss, Fact::Lost { .. });
        if let Some(loss) = hub.losses(&self.store.reservation).into_iter().find(is_lost) {
            return Err(format!("an orderly stop has lost something: {loss:?}"));
        }
        self.restart()
    }

    fn lose_links(&mut self) -> Outcome {
        for person in 0..self.links.len() {
            if let Some(link) = self.links[person].take() {
                self.gather_reader(link.member)?;
            }
        }
        Ok(())
    }

    fn lose_process(&mut self) {
        self.store.lose_batch();
        self.oracle.crashed();
        self.persons.clear();
        self.questions.clear();
        self.found.clear();
        self.given_back = None;
        self.journal = Journal::Working;
    }

    pub(super) fn restart(&mut self) -> Outcome {
        let settings = &self.weather.settings;
        let mut hub = self.store.restored(settings);
        let all = self.store.replayed(settings).snapshot();
        let restored = hub.snapshot();
        if restored.rooms != all.rooms {
            return Err(format!("all facts make {all:?},\n  but snapshot and tail make {restored:?}"));
        }
        hub.recover(&self.store.reservation);
        self.store.restart();
        self.oracle.replica_restarts();
        let losses = hub.losses(&self.store.reservation);
        self.trace.note(|| format!("restart at {:?} with {losses:?}", hub.position()));
        self.oracle.restarted(&hub, &losses)?;
        self.desk = Desk::new(hub, self.weather.shards.into());
        self.open_shards();
        for loss in losses {
            self.desk.state(self.now, loss.clone());
            self.oracle.stated(self.now, loss)?;
        }
        // A crash in the middle of that.
        if self.random.u32(..8) == 0 {
            self.oracle.crashed_at_restart();
            return self.restart();
        }
        self.desk.chores(self.now);
        self.oracle.chores(self.now)?;
        self.commit_now()?;
        self.post_mail()
    }
}
