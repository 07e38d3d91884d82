//! The store of a simulated world: what would be the disk, and the journal in front of it.
//!
//! Where it stands: behind the desk. It is given batches of kept facts with what to reserve, writes one batch at a time,
//! late, and now and then fails for a while or stops in the middle of a crash; then only what was written is left.
//!
//! What this file must never do: lose what it has called written, or write half a batch.

use engine::Desk;
use hub::{Hub, Kept, Position, Reservation, Settings, Snapshot};

/// What the disk holds, and what is on its way there.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) facts: Vec<Kept>,
    pub(crate) reservation: Reservation,
    snapshot: Option<Snapshot>,
    /// Everything up to here is written.
    pub(crate) position: Position,
    batch: Option<Batch>,
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

impl Store {
    /// Whether a batch is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        self.batch.is_some()
    }

    /// Takes what the desk has.
    pub(crate) fn begin(&mut self, desk: &mut Desk, snapshotting: Snapshotting) {
        let (facts, reservation) = desk.to_commit();
        let hub = desk.hub();
        let (position, snapshot) = (hub.position(), hub.snapshot());
        self.batch = Some(Batch { facts, reservation, position, snapshot, snapshotting });
    }

    /// The batch is written. Returns the kept state that belongs to it and what was reserved.
    pub(crate) fn finish(&mut self) -> Option<(Snapshot, Reservation)> {
        let batch = self.batch.take()?;
        self.facts.extend(batch.facts);
        self.position = batch.position;
        let reserved = &mut self.reservation;
        reserved.position = reserved.position.max(batch.reservation.position);
        reserved.next_room = reserved.next_room.max(batch.reservation.next_room);
        for (room, sequence) in &batch.reservation.sequences {
            let kept = reserved.sequences.entry(*room).or_default();
            *kept = (*kept).max(*sequence);
        }
        if batch.snapshotting == Snapshotting::Yes {
            self.snapshot = Some(batch.snapshot.clone());
        }
        Some((batch.snapshot, batch.reservation))
    }

    /// What was on its way has not come there.
    pub(crate) fn lose_batch(&mut self) {
        self.batch = None;
    }

    /// The hub as it can be had again from what is written: the snapshot and the facts behind it.
    pub(crate) fn restored(&self, settings: &Settings) -> Hub {
        let mut hub = match &self.snapshot {
            Some(snapshot) => Hub::restore(settings.clone(), snapshot),
            None => Hub::new(settings.clone()),
        };
        let behind = hub.position();
        replay(&mut hub, self.facts.iter().filter(|fact| fact.record.position > behind));
        hub
    }

    /// The hub as all facts since the beginning make it.
    pub(crate) fn replayed(&self, settings: &Settings) -> Hub {
        let mut hub = Hub::new(settings.clone());
        replay(&mut hub, self.facts.iter());
        hub
    }
}

fn replay<'a>(hub: &mut Hub, facts: impl Iterator<Item = &'a Kept>) {
    let mut told = Vec::new();
    for fact in facts {
        hub.apply(fact.record.clone(), &mut told);
        told.clear();
    }
}
