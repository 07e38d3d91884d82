//! What a text was like before it was changed.
//!
//! Where it stands: inside a line that was asked to remember; it is told of each change.
//!
//! A step is what a person takes for one: a word with the blanks behind it, a run of erased characters, a paste. It is kept as
//! the whole text: at most 16 KiB, and nothing can go wrong in putting it back.
//!
//! What this file must never do: grow beyond [`UNDO_STEPS_MAX`], or beyond [`UNDO_BYTES_MAX`] by more than one text.

use super::clusters::{Clusters, Place};
use std::collections::VecDeque;

/// So many steps can be undone.
pub const UNDO_STEPS_MAX: usize = 200;
/// So many bytes of text are kept for that.
pub const UNDO_BYTES_MAX: usize = 256 * 1024;

/// What a text was like.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) clusters: Clusters,
    pub(super) cursor: Place,
}

/// What kind of change it is: several of a kind may be one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// A character of a word was typed.
    TypedInWord,
    /// A blank or a line end was typed.
    TypedBlank,
    /// One character was erased.
    Erased,
    /// A step of its own.
    Whole,
}

impl Change {
    fn goes_on_with(self, next: Change) -> bool {
        matches!(
            (self, next),
            (Change::TypedInWord, Change::TypedInWord | Change::TypedBlank)
                | (Change::TypedBlank, Change::TypedBlank)
                | (Change::Erased, Change::Erased)
        )
    }
}

/// The steps that can be undone, and those that were.
#[derive(Clone, Default, Debug)]
pub(super) struct Undo {
    /// The oldest first.
    done: VecDeque<Snapshot>,
    /// The one undone last is the last.
    undone: Vec<Snapshot>,
    /// Of `done` and `undone`.
    bytes: usize,
    /// What the last step was, if it can still go on.
    last: Option<Change>,
}

impl Undo {
    /// Whether a change of this kind begins a new step.
    pub(super) fn begins_step(&self, change: Change) -> bool {
        !self.last.is_some_and(|last| last.goes_on_with(change))
    }

    /// A change has happened; `before` is the text before it, if it begins a step.
    pub(super) fn changed(&mut self, change: Change, before: Option<Snapshot>) {
        self.last = Some(change);
        let Some(before) = before else { return };
        let forgotten: usize = self.undone.drain(..).map(|snapshot| snapshot.clusters.text().len()).sum();
        self.bytes -= forgotten;
        self.bytes += before.clusters.text().len();
        self.done.push_back(before);
        while self.done.len() > UNDO_STEPS_MAX || self.bytes > UNDO_BYTES_MAX {
            let Some(oldest) = self.done.pop_front() else { break };
            self.bytes -= oldest.clusters.text().len();
        }
    }

    /// The next change begins a step, whatever it is.
    pub(super) fn end_step(&mut self) {
        self.last = None;
    }

    /// The text before the last step, in exchange for that of now.
    pub(super) fn undo(&mut self, now: Snapshot) -> Option<Snapshot> {
        let before = self.done.pop_back()?;
        self.exchange(&before, &now);
        self.undone.push(now);
        Some(before)
    }

    /// The text before the last undoing, in exchange for that of now.
    pub(super) fn redo(&mut self, now: Snapshot) -> Option<Snapshot> {
        let behind = self.undone.pop()?;
        self.exchange(&behind, &now);
        self.done.push_back(now);
        Some(behind)
    }

    fn exchange(&mut self, taken: &Snapshot, given: &Snapshot) {
        self.end_step();
        self.bytes = self.bytes - taken.clusters.text().len() + given.clusters.text().len();
    }
}
