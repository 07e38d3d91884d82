//! What lies over the timeline for a while.
//!
//! Where it stands: the model has one at most; keys go to it first, and Esc takes it away.
//!
//! What this file must never do: know what a key does; that stands in `choosing`.

use super::item::Said;
use crate::wire::{Rest, RoomLine, Shown};
use dialect::editing::Line;
use hub::Time;

/// So many findings of one search are held; what is older is looked for by itself.
pub(super) const FINDINGS_HELD_MAX: usize = 1_000;

/// What lies over the timeline.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// Keys and commands; how many rows are above the first that is seen.
    Help {
        /// Rows above the first that is seen.
        scroll: usize,
    },
    /// Rooms and conversations, by what is typed.
    Switcher(Choice<Candidate<usize>>),
    /// What was said, by words.
    Search(SearchView),
    /// Which rooms the server has.
    Rooms(Choice<Candidate<RoomLine>>),
    /// Who is here; on wide screens they stand beside the timeline.
    Members {
        /// Rows above the first that is seen.
        scroll: usize,
    },
    /// Links that can be seen, the newest first.
    Links(Choice<String>),
}

/// Something to be chosen from a list, which gets shorter with what is typed.
#[derive(Debug)]
pub(crate) struct Choice<T> {
    /// What is typed.
    pub query: Line,
    /// What it is chosen from, already shortened, in the order in which it is shown.
    pub entries: Vec<T>,
    /// Which of them.
    pub selected: usize,
}

/// A row of a list of rooms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Candidate<T> {
    /// One that there is.
    Known(T),
    /// The name that is typed: the room is to be entered. It is the last row.
    New(String),
}

/// A search.
#[derive(Debug)]
pub(crate) struct SearchView {
    /// What is typed.
    pub query: Line,
    /// What was typed when the server was last asked.
    pub searched: String,
    /// What was found, the newest first.
    pub findings: Vec<Finding>,
    /// Which of them.
    pub selected: usize,
    /// How far the search is.
    pub progress: SearchProgress,
}

/// How far a search is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SearchProgress {
    /// Nothing has been asked for since it was typed.
    Typing,
    /// The server is looking.
    Asked,
    /// The server is looking for what is older than what is here.
    Older,
    /// It has answered; this is what else there is.
    Answered(Rest),
}

/// Something that was found.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Finding {
    /// Where: a room's name, or `@` and a number.
    pub room: Shown,
    /// Its sequence there.
    pub sequence: u64,
    /// When.
    pub time: Time,
    /// What.
    pub said: Said,
}

impl Overlay {
    /// The text that it has to type into, if it has one.
    pub(crate) fn query(&self) -> Option<&Line> {
        match self {
            Overlay::Switcher(choice) => Some(&choice.query),
            Overlay::Rooms(choice) => Some(&choice.query),
            Overlay::Search(search) => Some(&search.query),
            Overlay::Links(_) | Overlay::Help { .. } | Overlay::Members { .. } => None,
        }
    }

    pub(super) fn query_mut(&mut self) -> Option<&mut Line> {
        match self {
            Overlay::Switcher(choice) => Some(&mut choice.query),
            Overlay::Rooms(choice) => Some(&mut choice.query),
            Overlay::Search(search) => Some(&mut search.query),
            Overlay::Links(_) | Overlay::Help { .. } | Overlay::Members { .. } => None,
        }
    }
}

impl<T> Choice<T> {
    /// The one that is chosen, unless there is nothing to choose from.
    pub(super) fn chosen(&self) -> Option<&T> {
        self.entries.get(self.selected)
    }
}

impl<T: PartialEq> Choice<T> {
    /// There are other entries to choose from: then the first is chosen, which is the best.
    pub(super) fn set_entries(&mut self, entries: Vec<T>) {
        if self.entries != entries {
            self.entries = entries;
            self.selected = 0;
        }
    }
}

impl SearchView {
    /// The one that is chosen, if what was found is what is typed.
    pub(super) fn chosen(&self) -> Option<&Finding> {
        match self.progress {
            SearchProgress::Typing | SearchProgress::Asked => None,
            SearchProgress::Older | SearchProgress::Answered(_) => self.findings.get(self.selected),
        }
    }

    /// Whether what is chosen is the last that is here, and there may be more behind it.
    pub(super) fn is_at_an_open_end(&self) -> bool {
        matches!(self.progress, SearchProgress::Answered(Rest::More | Rest::OutOfTime))
            && self.selected + 1 == self.findings.len()
    }

    /// Takes in what was found. What is older comes behind what is here, and the first of it is chosen.
    pub(super) fn take(&mut self, found: Vec<Finding>, rest: Rest) {
        if self.progress == SearchProgress::Older {
            self.add_older(found);
        } else {
            (self.findings, self.selected) = (found, 0);
        }
        self.progress = SearchProgress::Answered(rest);
    }

    /// Some of them may be here already.
    fn add_older(&mut self, found: Vec<Finding>) {
        let here = self.findings.len();
        for finding in found {
            let is_here = self.findings.iter().any(|known| known.is_at(&finding));
            if !is_here && self.findings.len() < FINDINGS_HELD_MAX {
                self.findings.push(finding);
            }
        }
        if self.findings.len() > here {
            self.selected = here;
        }
    }
}

impl Finding {
    fn is_at(&self, other: &Finding) -> bool {
        self.sequence == other.sequence && self.room == other.room
    }
}
