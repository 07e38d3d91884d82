//! What lies over the timeline for a while.
//!
//! Where it stands: the model has one at most; keys go to it first, and Esc takes it away.
//!
//! What this file must never do: change anything; what keys do there stands in `choosing`.

use super::item::Said;
use crate::wire::{Rest, RoomLine, Shown};
use dialect::editing::Line;
use hub::Time;

/// What lies over the timeline.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// Keys and commands; how many rows are above the first that is seen.
    Help {
        /// Rows above the first that is seen.
        scroll: usize,
    },
    /// Rooms and conversations, by what is typed.
    Switcher(Choice<usize>),
    /// What was said, by words.
    Search(SearchView),
    /// Which rooms the server has.
    Rooms(Choice<RoomLine>),
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

/// A search.
#[derive(Debug)]
pub(crate) struct SearchView {
    /// What is typed.
    pub query: Line,
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
