//! The rows of what is being typed, and how the cursor moves up and down in them.
//!
//! Where it stands: beside the editor of `dialect`, which knows no rows.
//!
//! Rows end after so many columns and not between words: what stands in front of the cursor then never moves while
//! one types. The last column is left free, so that the cursor always has a cell.
//!
//! What this file must never do: change the text.

use super::breaking::columns_of;
use dialect::editing::{Line, Place};
use std::ops::Range;

/// How many columns are in front of each row of the input: `> `, or blanks.
pub(crate) const PROMPT_COLUMNS: u16 = 2;

/// What is being typed, in rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct InputRows {
    /// Where each row stands in the text, by bytes, without line ends. There is always one.
    pub rows: Vec<Range<usize>>,
    /// In which row the cursor stands.
    pub cursor_row: usize,
    /// In which column.
    pub cursor_column: usize,
}

impl InputRows {
    /// The part of the rows that is seen where there is room for so many: around the cursor.
    pub(crate) fn window(&self, rows_max: usize) -> Range<usize> {
        if self.rows.len() <= rows_max {
            return 0..self.rows.len();
        }
        // With one row more below the cursor, where there is room, one sees where one goes.
        let ahead = usize::from(rows_max > 2);
        let last = (self.cursor_row + ahead).max(rows_max.saturating_sub(1)).min(self.rows.len() - 1);
        (last + 1).saturating_sub(rows_max.max(1))..last + 1
    }
}

/// In which direction the cursor moves from row to row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Vertical {
    /// To the row above.
    Up,
    /// To the row below.
    Down,
}

/// The rows of a text where a row has so many columns.
pub(crate) fn input_rows(line: &Line, columns: usize) -> InputRows {
    let columns_max = columns.saturating_sub(1).max(1);
    let clusters = line.clusters();
    let mut rows = Vec::new();
    let (mut start, mut filled) = (0, 0);
    let mut cursor = (0, 0);
    let mut place = Place::START;
    loop {
        let cluster = clusters.at(place);
        let wide = columns_of(cluster);
        if cluster != "\n" && filled + wide > columns_max && place.byte() > start {
            rows.push(start..place.byte());
            (start, filled) = (place.byte(), 0);
        }
        if place == line.cursor() {
            cursor = (rows.len(), filled);
        }
        let Some(next) = clusters.after(place) else { break };
        if cluster == "\n" {
            rows.push(start..place.byte());
            (start, filled) = (next.byte(), 0);
        } else {
            filled += wide;
        }
        place = next;
    }
    rows.push(start..line.text().len());
    InputRows { rows, cursor_row: cursor.0, cursor_column: cursor.1 }
}

/// Where the cursor goes in the row above or below, by bytes: to the same column, or what is nearest to it. `None` if there is no
/// such row.
pub(crate) fn moved_vertically(line: &Line, columns: usize, direction: Vertical) -> Option<usize> {
    let seen = input_rows(line, columns);
    let target = match direction {
        Vertical::Up => seen.cursor_row.checked_sub(1)?,
        Vertical::Down => seen.cursor_row + 1,
    };
    let row = seen.rows.get(target)?;
    let is_broken = seen.rows.get(target + 1).is_some_and(|next| next.start == row.end);
    let clusters = line.clusters();
    let mut place = clusters.place_at(row.start);
    let mut filled = 0;
    while place.byte() < row.end {
        let Some(next) = clusters.after(place) else { break };
        filled += columns_of(clusters.at(place));
        // Behind the last character of a row that goes on is already the next one.
        if filled > seen.cursor_column || (is_broken && next.byte() == row.end) {
            break;
        }
        place = next;
    }
    Some(place.byte())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialect::editing::Lines;
    use dialect::editing::width::graphemes;
    use proptest::prelude::*;

    fn typed(marked: &str) -> Line {
        let (before, behind) = marked.split_once('|').expect("a cursor");
        let mut line = Line::new(Lines::Many);
        line.paste(&format!("{before}{behind}"));
        line.go_to_byte(before.len());
        line
    }

    fn texts(line: &Line, columns: usize) -> Vec<&str> {
        input_rows(line, columns).rows.into_iter().map(|row| &line.text()[row]).collect()
    }

    #[test]
    fn rows_end_at_the_edge_and_at_line_ends() {
        let line = typed("abcdef\n漢字漢\n|");
        assert_eq!(texts(&line, 5), ["abcd", "ef", "漢字", "漢", ""]);
        assert_eq!(texts(&typed("|"), 5), [""]);
    }

    #[test]
    fn cursor_always_has_a_cell() {
        for (marked, row, column) in
            [("abcd|", 0, 4), ("abcde|", 1, 1), ("abcd|ef", 1, 0), ("abcd|\nef", 0, 4)]
        {
            let seen = input_rows(&typed(marked), 5);
            assert_eq!((seen.cursor_row, seen.cursor_column), (row, column), "{marked}");
        }
    }

    #[test]
    fn cursor_goes_up_and_down_in_its_column() {
        for (marked, direction, expected) in [
            ("abc\nde|f", Vertical::Up, Some("ab|c\ndef")),
            ("ab|c\nd", Vertical::Down, Some("abc\nd|")),
            ("漢字\nabc|d", Vertical::Up, Some("漢|字\nabcd")),
            ("abc|d", Vertical::Up, None),
            ("abc|d", Vertical::Down, None),
            ("abcde|f", Vertical::Up, Some("a|bcdef")),
            ("ab|cdef", Vertical::Down, Some("abcdef|")),
        ] {
            let line = typed(marked);
            let moved = moved_vertically(&line, 5, direction).map(|byte| {
                let (before, behind) = line.text().split_at(byte);
                format!("{before}|{behind}")
            });
            assert_eq!(moved.as_deref(), expected, "{marked}");
        }
    }

    #[test]
    fn window_holds_the_cursor() {
        for (marked, window) in [("|a\nb\nc\nd", 0..2), ("a\nb\nc|\nd", 1..3), ("a\nb\nc\nd|", 2..4)] {
            assert_eq!(input_rows(&typed(marked), 9).window(2), window, "{marked}");
        }
        assert_eq!(input_rows(&typed("a\nb|\nc"), 9).window(1), 1..2);
    }

    proptest! {
        #[test]
        fn cursor_is_inside_and_every_byte_is_in_a_row(
            before in "[ab漢👩\u{301}\u{200d}\n]{0,30}", behind in "[ab漢\n]{0,30}",
            columns in 0_usize..12, rows_max in 1_usize..5,
        ) {
            let line = typed(&format!("{before}|{behind}"));
            let seen = input_rows(&line, columns);
            // A cluster that is wider than a row has one of its own.
            let widest = graphemes(line.text()).map(columns_of).max().unwrap_or(0);
            prop_assert!(seen.cursor_column < columns.max(widest + 1));
            let shown: String = seen.rows.iter().map(|row| &line.text()[row.clone()]).collect();
            prop_assert_eq!(shown, line.text().replace('\n', ""));
            let window = seen.window(rows_max);
            prop_assert!(window.contains(&seen.cursor_row) && window.len() <= rows_max, "{:?}", window);
            for direction in [Vertical::Up, Vertical::Down] {
                if let Some(byte) = moved_vertically(&line, columns, direction) {
                    let mut moved = line.clone();
                    moved.go_to_byte(byte);
                    prop_assert_ne!(input_rows(&moved, columns).cursor_row, seen.cursor_row);
                }
            }
        }
    }
}
