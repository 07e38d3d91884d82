//! What is not in the file yet: the part of a room's log that stands in batches, and what it does to the part that stands
//! in the file.
//!
//! Where it stands: between the batches, which the journal is still to commit, and the reader, which shows both as one.
//!
//! What this file must never do: count a fact twice. What the file says is written, is left out here.

use crate::batch::Batch;
use crate::rows::{FactId, Kind, Row};
use hub::{Kept, Position, RoomNumber, Sequence};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What becomes of a fact by what is not written yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change<'a> {
    /// It reads so, since the change of this sequence.
    Reads(Sequence, &'a str),
    /// It is erased.
    Erased,
}

/// The part of a room's log that is not written yet.
#[derive(Debug)]
pub(crate) struct Unwritten<'a> {
    rows: Vec<Row<'a>>,
    changes: BTreeMap<Sequence, Change<'a>>,
}

/// All facts that are not written yet, in their order.
pub(crate) fn facts(batches: &[Arc<Batch>], written: Position) -> impl Iterator<Item = &Kept> {
    let all = batches.iter().flat_map(|batch| &batch.kept);
    all.filter(move |kept| kept.record.position > written)
}

impl<'a> Unwritten<'a> {
    /// What of this room stands in these batches, and not yet in a file that is written up to `written`.
    pub(crate) fn of(room: RoomNumber, batches: &'a [Arc<Batch>], written: Position) -> Unwritten<'a> {
        let of_room = facts(batches, written).filter(|kept| kept.room == room);
        // One with numbers that no file can hold will not be in the file either.
        let mut rows: Vec<Row<'a>> = of_room.filter_map(|kept| Row::of(kept).ok().flatten()).collect();
        rows.sort_by_key(|row| row.id);
        rows.dedup_by_key(|row| row.id);
        let mut changes = BTreeMap::new();
        for row in &rows {
            // Only what was said before can be changed.
            let target = row.target.map(FactId::sequence).filter(|target| *target < row.sequence());
            let Some(target) = target else { continue };
            match (row.kind, row.text) {
                (Kind::Redacted, _) => {
                    changes.insert(target, Change::Erased);
                }
                (Kind::Edited, Some(text)) if changes.get(&target) != Some(&Change::Erased) => {
                    changes.insert(target, Change::Reads(row.sequence(), text));
                }
                _ => {}
            }
        }
        Unwritten { rows, changes }
    }

    /// What becomes of this fact.
    pub(crate) fn change(&self, target: Sequence) -> Option<Change<'a>> {
        self.changes.get(&target).copied()
    }

    /// The rows from one sequence to another, both included.
    pub(crate) fn rows(&self, from: Sequence, to: Sequence) -> &[Row<'a>] {
        let begin = self.rows.partition_point(|row| row.sequence() < from);
        let end = self.rows.partition_point(|row| row.sequence() <= to);
        self.rows.get(begin..end).unwrap_or_default()
    }
}
