//! The store of a simulated world: what would be the disk, and the journal in front of it.
//!
//! Where it stands: behind the desk. It is given batches of kept facts with what to reserve, writes one batch at a time,
//! late, and now and then fails for a while or stops in the middle of a crash; then only what was written is left. What is
//! asked of the past it answers from what was written and from what it was given to write.
//!
//! What this file must never do: lose what it has called written, write half a batch, or hand out what may not be read.

mod past;

use engine::Desk;
use hub::{Hub, Kept, Position, Reservation, RoomNumber, Sequence, Settings, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// What the disk holds, and what is on its way there.
#[derive(Debug, Default)]
pub(crate) struct Store {
    written: Vec<Written>,
    pub(crate) reservation: Reservation,
    /// And how much was written when it was taken.
    snapshot: Option<(Snapshot, usize)>,
    /// Everything up to here is written.
    pub(crate) position: Position,
    /// What it was given and has not begun to write, and is to reserve with that.
    given: Vec<Kept>,
    given_reservation: Reservation,
    batch: Option<Batch>,
    /// Every numbered fact that it was given, written or not.
    rooms: BTreeMap<RoomNumber, BTreeMap<Sequence, Kept>>,
    /// What has been erased of that.
    erased: BTreeSet<(RoomNumber, Sequence)>,
    /// And what has been changed, by which facts.
    edits: BTreeMap<(RoomNumber, Sequence), BTreeSet<Sequence>>,
}

/// What is written, in order.
#[derive(Debug)]
enum Written {
    Fact(Kept),
    /// The process began again here: guests who were here before are nobody any more.
    Restart,
}

/// What is written together.
#[derive(Debug)]
struct Batch {
    facts: Vec<Kept>,
    reservation: Reservation,
    /// Of the hub when the batch was made.
    position: Position,
    /// The hub's kept state at that time.
    snapshot: Snapshot,
    snapshotting: Snapshotting,
}

/// Whether a commit also takes a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Snapshotting {
    No,
    Yes,
}

/// What has been written at last.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) facts: Vec<Kept>,
    /// The kept state that belongs to it.
    pub(crate) snapshot: Snapshot,
    pub(crate) reservation: Reservation,
}

impl Store {
    /// Whether a batch is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        self.batch.is_some()
    }

    /// Takes what the desk has, to be written with the next batch: whoever asks for the past sees it from now on.
    pub(crate) fn give(&mut self, desk: &mut Desk) {
        let (facts, reservation) = desk.to_commit();
        for fact in &facts {
            self.index(fact);
        }
        self.given.extend(facts);
        merge(&mut self.given_reservation, &reservation);
    }

    /// Takes what the desk has, and begins to write that and what was given before.
    pub(crate) fn begin(&mut self, desk: &mut Desk, snapshotting: Snapshotting) {
        self.give(desk);
        let (facts, reservation) =
            (std::mem::take(&mut self.given), std::mem::take(&mut self.given_reservation));
        let hub = desk.hub();
        let (position, snapshot) = (hub.position(), hub.snapshot());
        self.batch = Some(Batch { facts, reservation, position, snapshot, snapshotting });
    }

    /// The batch is written.
    pub(crate) fn finish(&mut self) -> Option<Commit> {
        let Batch { facts, reservation, position, snapshot, snapshotting } = self.batch.take()?;
        self.written.extend(facts.iter().cloned().map(Written::Fact));
        self.position = position;
        merge(&mut self.reservation, &reservation);
        if snapshotting == Snapshotting::Yes {
            self.snapshot = Some((snapshot.clone(), self.written.len()));
        }
        Some(Commit { facts, snapshot, reservation })
    }

    /// What was on its way has not come there.
    pub(crate) fn lose_batch(&mut self) {
        self.batch = None;
        self.given.clear();
        self.given_reservation = Reservation::default();
        self.rooms.clear();
        self.erased.clear();
        self.edits.clear();
        for written in std::mem::take(&mut self.written) {
            if let Written::Fact(fact) = &written {
                self.index(fact);
            }
            self.written.push(written);
        }
    }

    /// The process begins again on what is written.
    pub(crate) fn restart(&mut self) {
        self.written.push(Written::Restart);
    }

    /// The hub as it can be had again from what is written: the snapshot and what was written behind it.
    pub(crate) fn restored(&self, settings: &Settings) -> Hub {
        match &self.snapshot {
            Some((snapshot, written)) => {
                replayed(Hub::restore(settings.clone(), snapshot), &self.written[*written..])
            }
            None => self.replayed(settings),
        }
    }

    /// The hub as everything since the beginning makes it.
    pub(crate) fn replayed(&self, settings: &Settings) -> Hub {
        replayed(Hub::new(settings.clone()), &self.written)
    }

    /// Every number of every room is a fact's, or stands in a loss that was written down.
    ///
    /// # Errors
    /// The first that is neither, or that two facts have.
    pub(crate) fn check_numbers(&self) -> Result<(), String> {
        let mut last: BTreeMap<RoomNumber, Sequence> = BTreeMap::new();
        let facts = self.written.iter().filter_map(|written| match written {
            Written::Fact(fact) if fact.sequence > Sequence(0) => Some(fact),
            _ => None,
        });
        for fact in facts {
            let before = last.entry(fact.room).or_default();
            let expected = match fact.record.fact {
                hub::Fact::Lost { from, to, .. } if from == before.next() => to.next(),
                _ => before.next(),
            };
            if fact.sequence != expected {
                return Err(format!("number {} is neither a fact nor lost: {fact:?}", expected.0));
            }
            *before = expected;
        }
        Ok(())
    }
}

fn merge(reserved: &mut Reservation, more: &Reservation) {
    reserved.position = reserved.position.max(more.position);
    reserved.next_room = reserved.next_room.max(more.next_room);
    for (room, sequence) in &more.sequences {
        let kept = reserved.sequences.entry(*room).or_default();
        *kept = (*kept).max(*sequence);
    }
}

fn replayed(mut hub: Hub, written: &[Written]) -> Hub {
    let mut told = Vec::new();
    for written in written {
        match written {
            Written::Fact(fact) => hub.apply(fact.record.clone(), &mut told),
            Written::Restart => hub.recover(&Reservation::default()),
        }
        told.clear();
    }
    hub
}
