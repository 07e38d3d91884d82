//! What the terminal shows of the input, and the fewest bytes that make it show something else.
//!
//! Where it stands: the last thing in the editor; behind it the bytes go out.
//!
//! Only what every terminal since the VT100 understands is sent: CR, LF, BS, BEL, text, and CSI A, C, J and K. A column
//! is computed only in a row that all terminals show with the same width; elsewhere the cursor is put where it belongs
//! by writing what stands before it once more.
//!
//! What this file must never do: write into the last column of the input's row, or trust that a row is where it was
//! when the terminal has another width.

use super::above::write_rows;
use super::row::Row;
use crate::editing::width::columns;
use std::io::Write;

const ERASE_TO_END_OF_ROW: &[u8] = b"\x1b[K";
const ERASE_BELOW: &[u8] = b"\x1b[J";
/// So far back, BS is shorter than any sequence.
const BACKSPACES_MAX: usize = 4;

const COLUMNS_DEFAULT: u16 = 80;
/// Both marks, a wide character, a narrow one and the column that stays free; the prompt comes to that.
const COLUMNS_BEHIND_PROMPT_MIN: usize = 6;
/// Nobody's terminal is wider; a row is held in memory.
const COLUMNS_MAX: u16 = 1000;

/// The input's part of a terminal.
pub(super) struct Screen {
    /// What stands before the line.
    prompt: &'static str,
    columns: usize,
    /// What the row shows; `None` if nobody knows.
    painted: Option<Row>,
    is_resized: bool,
}

impl Screen {
    /// A terminal with so many columns, about which nothing else is known. 0 and what cannot be mean 80.
    pub(super) fn new(columns: u16, prompt: &'static str) -> Screen {
        Screen { prompt, columns: sane(columns, prompt), painted: None, is_resized: false }
    }

    /// What stands before the line.
    pub(super) fn prompt(&self) -> &'static str {
        self.prompt
    }

    /// How many columns there are.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The terminal has become wider or narrower.
    pub(super) fn resize(&mut self, columns: u16) {
        self.columns = sane(columns, self.prompt);
        self.is_resized = true;
    }

    /// Nobody knows any more what the row shows.
    pub(super) fn forget(&mut self) {
        self.painted = None;
    }

    /// Makes the row empty, with the cursor at its beginning.
    pub(super) fn clear(&mut self, bytes: &mut Vec<u8>) {
        let is_resized = std::mem::take(&mut self.is_resized);
        match self.painted.replace(Row::default()) {
            Some(row) if is_resized => {
                let rows = row.rows_above_cursor(self.columns);
                write_sequence(rows, 'A', bytes);
                bytes.push(b'\r');
                bytes.extend_from_slice(ERASE_BELOW);
            }
            Some(row) if row == Row::default() => {}
            Some(_) => {
                bytes.push(b'\r');
                bytes.extend_from_slice(ERASE_TO_END_OF_ROW);
            }
            None => {
                bytes.push(b'\r');
                bytes.extend_from_slice(ERASE_BELOW);
            }
        }
    }

    /// Writes a line in the place of the row, which begins anew below it.
    pub(super) fn write_line(&mut self, line: &str, bytes: &mut Vec<u8>) {
        self.clear(bytes);
        write_rows(line, self.columns, bytes);
    }

    /// Leaves a line that was typed where it is, if all of it can be seen; else writes it.
    pub(super) fn keep_line(&mut self, line: &str, bytes: &mut Vec<u8>) {
        let is_seen = |row: &Row| row.text().strip_prefix(self.prompt) == Some(line);
        if !self.is_resized && self.painted.as_ref().is_some_and(is_seen) {
            bytes.extend_from_slice(b"\r\n");
            self.painted = Some(Row::default());
        } else {
            self.write_line(&[self.prompt, line].concat(), bytes);
        }
    }

    /// Makes the row show this.
    pub(super) fn paint(&mut self, row: Row, bytes: &mut Vec<u8>) {
        if self.is_resized || self.painted.is_none() {
            self.clear(bytes);
        }
        let old = self.painted.take().unwrap_or_default();
        if old != row {
            let pen = Pen { old: &old, new: &row, bytes };
            pen.write();
        }
        self.painted = Some(row);
    }
}

fn sane(columns_told: u16, prompt: &str) -> usize {
    match columns_told {
        1..=COLUMNS_MAX => usize::from(columns_told).max(columns(prompt) + COLUMNS_BEHIND_PROMPT_MIN),
        _ => usize::from(COLUMNS_DEFAULT),
    }
}

/// Turns one row into another.
struct Pen<'a> {
    old: &'a Row,
    new: &'a Row,
    bytes: &'a mut Vec<u8>,
}

impl Pen<'_> {
    fn write(mut self) {
        let common = self.old.common_bytes(self.new);
        let is_continued = common == self.old.text().len() && self.old.behind_cursor().is_empty();
        if is_continued {
            self.text(common..self.new.text().len());
            self.place_cursor();
        } else if self.old.is_certain() && self.new.is_certain() {
            self.write_difference(common);
        } else {
            self.write_whole();
        }
    }

    fn write_difference(&mut self, common: usize) {
        let (old_columns, new_columns) = (columns(self.old.text()), columns(self.new.text()));
        let mut column = columns(self.old.before_cursor());
        if self.old.text() != self.new.text() {
            self.go(column, columns(&self.new.text()[..common]));
            self.text(common..self.new.text().len());
            column = new_columns;
        }
        if old_columns > new_columns {
            self.bytes.extend_from_slice(ERASE_TO_END_OF_ROW);
        }
        self.go(column, columns(self.new.before_cursor()));
    }

    fn write_whole(&mut self) {
        self.bytes.push(b'\r');
        if self.old.text() != self.new.text() {
            self.text(0..self.new.text().len());
            self.bytes.extend_from_slice(ERASE_TO_END_OF_ROW);
            self.bytes.extend_from_slice(if self.new.behind_cursor().is_empty() { b"" } else { b"\r" });
        }
        if !self.new.behind_cursor().is_empty() || self.old.text() == self.new.text() {
            self.text(0..self.new.before_cursor().len());
        }
    }

    /// All has been written, and the cursor stands behind it.
    fn place_cursor(&mut self) {
        if self.new.behind_cursor().is_empty() {
            return;
        }
        if self.new.is_certain() {
            self.go(columns(self.new.text()), columns(self.new.before_cursor()));
        } else {
            self.bytes.push(b'\r');
            self.text(0..self.new.before_cursor().len());
        }
    }

    fn text(&mut self, range: std::ops::Range<usize>) {
        self.bytes.extend_from_slice(&self.new.text().as_bytes()[range]);
    }

    fn go(&mut self, from: usize, to: usize) {
        if to > from {
            write_sequence(to - from, 'C', self.bytes);
        } else if from - to <= BACKSPACES_MAX {
            self.bytes.extend(std::iter::repeat_n(0x08, from - to));
        } else {
            self.bytes.push(b'\r');
            write_sequence(to, 'C', self.bytes);
        }
    }
}

/// A sequence that does something so often; none for never.
fn write_sequence(times: usize, last: char, bytes: &mut Vec<u8>) {
    let written = match times {
        0 => Ok(()),
        1 => write!(bytes, "\x1b[{last}"),
        _ => write!(bytes, "\x1b[{times}{last}"),
    };
    // Writing into memory does not fail.
    debug_assert!(written.is_ok());
}
