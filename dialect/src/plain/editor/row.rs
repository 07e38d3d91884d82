//! The one row of the terminal on which the line is shown: all of it, or a window around the cursor.
//!
//! Where it stands: between the line and the screen.
//!
//! What this file must never do: make a row that takes the last column, or look at more of a line than a row holds.

use crate::editing::width::{columns, graphemes, is_certain, room, shown};
use crate::editing::{Clusters, Line, Place};

const HIDDEN_LEFT: &str = "<";
const HIDDEN_RIGHT: &str = ">";

/// What a row shows, and where the cursor stands in it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Row {
    text: String,
    /// How many bytes of it stand before the cursor.
    before: usize,
}

impl Row {
    /// All of it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub(super) fn before_cursor(&self) -> &str {
        &self.text[..self.before]
    }

    /// What stands behind the cursor.
    pub(super) fn behind_cursor(&self) -> &str {
        &self.text[self.before..]
    }

    /// Whether every terminal shows it with the same width.
    pub(super) fn is_certain(&self) -> bool {
        is_certain(&self.text)
    }

    /// How many bytes two rows have in common from their beginnings, in whole clusters.
    pub(super) fn common_bytes(&self, other: &Row) -> usize {
        let pairs = graphemes(&self.text).zip(graphemes(&other.text));
        pairs.take_while(|(one, other)| one == other).map(|(one, _)| one.len()).sum()
    }

    /// How many rows stand above the cursor once the terminal has become this narrow and broken the row.
    pub(super) fn rows_above_cursor(&self, columns_now: usize) -> usize {
        let (mut rows, mut column) = (0, 0);
        for grapheme in graphemes(self.before_cursor()) {
            let width = columns(grapheme);
            if column + width > columns_now {
                rows += 1;
                column = 0;
            }
            column += width;
        }
        // The cursor goes where that goes on which it stands.
        let under = graphemes(self.behind_cursor()).next().map_or(0, columns);
        if column + under > columns_now { rows + 1 } else { rows }
    }
}

/// The row for a line on a terminal with so many columns, and the index of the cluster with which it begins: the one with
/// which it began before, as long as the cursor can be seen there.
pub(super) fn row(prompt: &str, line: &Line, began_with: usize, columns_now: usize) -> (Row, usize) {
    // The last column stays free: behind it some terminals go on to the next row, and some do not.
    let room = columns_now - columns(prompt) - 1;
    let window = Window { prompt, clusters: line.clusters(), cursor: line.cursor(), room };
    let from = window.from(began_with);
    (window.row(from), from.index())
}

/// What can be seen of a line.
struct Window<'a> {
    prompt: &'a str,
    clusters: &'a Clusters,
    cursor: Place,
    /// The columns that there are, marks included.
    room: usize,
}

impl Window<'_> {
    fn from(&self, began_with: usize) -> Place {
        let candidates = [self.back_to(0), self.back_to(began_with)];
        let seen = candidates.into_iter().flatten().find(|&from| self.shows_cursor(from));
        seen.unwrap_or_else(|| self.around_cursor())
    }

    /// The place with this index, if it is so near that the cursor might be seen from there.
    fn back_to(&self, index: usize) -> Option<Place> {
        let clusters = self.cursor.index().checked_sub(index).filter(|&clusters| clusters <= self.room)?;
        (0..clusters).try_fold(self.cursor, |place, _| self.clusters.before(place))
    }

    /// Half of what can be seen stands before the cursor, so that the window does not move with every key.
    fn around_cursor(&self) -> Place {
        let (mut place, mut used) = (self.cursor, 0);
        while let Some(before) = self.clusters.before(place) {
            used += room(self.shown(before));
            if used > self.room_between_marks() / 2 {
                break;
            }
            place = before;
        }
        place
    }

    /// Whether the cursor stands on something that is shown, and what a key would erase is shown, too.
    fn shows_cursor(&self, from: Place) -> bool {
        let end = self.end(from);
        let is_behind_something = from == Place::START || self.cursor > from;
        is_behind_something && (self.cursor < end || end == self.clusters.end())
    }

    /// Behind the last cluster that fits.
    fn end(&self, from: Place) -> Place {
        let room_max = self.room - Self::mark_left(from).len();
        let (mut place, mut used, mut end_if_marked) = (from, 0, from);
        while let Some(after) = self.clusters.after(place) {
            used += room(self.shown(place));
            if used > room_max {
                return end_if_marked;
            }
            place = after;
            if used + HIDDEN_RIGHT.len() <= room_max {
                end_if_marked = place;
            }
        }
        place
    }

    fn row(&self, from: Place) -> Row {
        let mut row = Row { text: [self.prompt, Self::mark_left(from)].concat(), before: 0 };
        let (mut place, end) = (from, self.end(from));
        while place < end {
            if place == self.cursor {
                row.before = row.text.len();
            }
            row.text.push_str(self.shown(place));
            place = self.clusters.after(place).unwrap_or(end);
        }
        if self.cursor >= end {
            row.before = row.text.len();
        }
        if end < self.clusters.end() {
            row.text.push_str(HIDDEN_RIGHT);
        }
        row
    }

    fn shown(&self, place: Place) -> &str {
        shown(self.clusters.at(place), self.room_between_marks())
    }

    fn room_between_marks(&self) -> usize {
        self.room - HIDDEN_LEFT.len() - HIDDEN_RIGHT.len()
    }

    fn mark_left(from: Place) -> &'static str {
        if from == Place::START { "" } else { HIDDEN_LEFT }
    }
}
