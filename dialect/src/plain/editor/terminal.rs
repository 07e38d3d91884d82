//! A terminal for tests: it shows what the editor's bytes make of a screen, and refuses all but the few sequences that the
//! editor may send.
//!
//! It puts grapheme clusters together, wraps at its edge like an xterm (the cursor waits in the last column until more
//! comes), and re-flows its rows when it is resized.

use crate::editing::width::{columns, graphemes, room};

/// What it does with clusters of several characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It shows them as one.
    New,
    /// It shows each character for itself, as terminals did for decades.
    Old,
}

/// One row: its clusters with their columns, and whether the next row goes on where it ended.
#[derive(Clone, Default)]
struct ScreenRow {
    cells: Vec<(String, usize)>,
    is_wrapped: bool,
}

impl ScreenRow {
    fn width(&self) -> usize {
        self.cells.iter().map(|(_, width)| width).sum()
    }

    fn text(&self) -> String {
        self.cells.iter().map(|(text, _)| text.as_str()).collect()
    }

    /// The index of the cell that begins in this column; blanks are added up to there.
    fn cell_at(&mut self, column: usize) -> usize {
        let mut at = 0;
        for (index, (_, width)) in self.cells.iter().enumerate() {
            if at >= column {
                assert_eq!(at, column, "the cursor stands within a wide character of {:?}", self.text());
                return index;
            }
            at += width;
        }
        self.cells.resize(self.cells.len() + (column - at), (" ".into(), 1));
        self.cells.len()
    }
}

/// The screen, which never scrolls: it has as many rows as are needed.
pub(super) struct Terminal {
    age: Age,
    columns: usize,
    rows: Vec<ScreenRow>,
    row: usize,
    /// At most `columns`: then the next character wraps.
    column: usize,
    /// How often it rang.
    pub(super) bells: usize,
}

impl Terminal {
    pub(super) fn new(columns: usize) -> Terminal {
        Terminal { age: Age::New, columns, rows: vec![ScreenRow::default()], row: 0, column: 0, bells: 0 }
    }

    pub(super) fn old(columns: usize) -> Terminal {
        Terminal { age: Age::Old, ..Terminal::new(columns) }
    }

    /// Its rows, without blanks at their ends.
    pub(super) fn rows(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.text().trim_end().into()).collect()
    }

    /// What was written as one line, however it is broken: all but the last, which is the input.
    pub(super) fn lines_above(&self) -> Vec<String> {
        let mut lines = vec![String::new()];
        for row in &self.rows[..self.row] {
            lines.last_mut().expect("there is one").push_str(&row.text());
            if !row.is_wrapped {
                lines.push(String::new());
            }
        }
        lines.pop();
        lines.iter().map(|line| line.trim_end().into()).collect()
    }

    /// The row of the cursor as it is, and the cursor's column.
    pub(super) fn input(&self) -> (String, usize) {
        (self.rows[self.row].text(), self.column)
    }

    /// Whether the cursor's row is the last one.
    pub(super) fn is_at_bottom(&self) -> bool {
        self.row + 1 == self.rows.len()
    }

    /// Whether any row but by the editor's doing goes on in the next.
    pub(super) fn has_wrapped(&self) -> bool {
        self.rows.iter().any(|row| row.is_wrapped)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).expect("what is written is text");
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(char::is_control).unwrap_or(rest.len());
            for grapheme in graphemes(&rest[..end]) {
                self.print(grapheme);
            }
            rest = self.control(&rest[end..]);
        }
    }

    fn control<'a>(&mut self, text: &'a str) -> &'a str {
        let mut rest = text.chars();
        match rest.next() {
            None => {}
            Some('\r') => self.column = 0,
            Some('\n') => {
                self.row += 1;
                if self.row == self.rows.len() {
                    self.rows.push(ScreenRow::default());
                }
            }
            Some('\u{8}') => self.column = self.column.min(self.columns - 1).saturating_sub(1),
            Some('\u{7}') => self.bells += 1,
            Some('\u{1b}') => return self.sequence(rest.as_str()),
            Some(other) => panic!("{other:?} may not be sent"),
        }
        rest.as_str()
    }

    fn sequence<'a>(&mut self, text: &'a str) -> &'a str {
        let body = text.strip_prefix('[').expect("only CSI may be sent");
        let digits = body.chars().take_while(char::is_ascii_digit).count();
        let times: usize = if digits == 0 { 1 } else { body[..digits].parse().expect("a number") };
        match body.as_bytes().get(digits) {
            Some(b'A') => self.row = self.row.checked_sub(times).expect("there is a row to go up to"),
            Some(b'C') => self.column = (self.column + times).min(self.columns - 1),
            Some(b'K') if digits == 0 => self.erase(),
            Some(b'J') if digits == 0 => {
                self.erase();
                self.rows.truncate(self.row + 1);
            }
            other => panic!("CSI {other:?} may not be sent"),
        }
        &body[digits + 1..]
    }

    fn erase(&mut self) {
        let column = self.column.min(self.columns - 1);
        let row = &mut self.rows[self.row];
        let index = row.cell_at(column);
        row.cells.truncate(index);
        row.is_wrapped = false;
    }

    fn print(&mut self, grapheme: &str) {
        let width = match self.age {
            Age::New => columns(grapheme),
            Age::Old => room(grapheme),
        };
        if self.column + width > self.columns {
            self.rows[self.row].is_wrapped = true;
            self.row += 1;
            self.column = 0;
            if self.row == self.rows.len() {
                self.rows.push(ScreenRow::default());
            }
        }
        let row = &mut self.rows[self.row];
        let index = row.cell_at(self.column);
        let mut covered = 0;
        while covered < width && index < row.cells.len() {
            covered += row.cells.remove(index).1;
        }
        row.cells.splice(index..index, std::iter::repeat_n((" ".into(), 1), covered.saturating_sub(width)));
        row.cells.insert(index, (grapheme.into(), width));
        self.column += width;
    }

    /// Breaks and joins its rows anew; the cursor stays on what it stands on.
    pub(super) fn resize(&mut self, columns: usize) {
        let old =
            std::mem::replace(self, Terminal { age: self.age, bells: self.bells, ..Terminal::new(columns) });
        let mut cursor = None;
        for (index, row) in old.rows.iter().enumerate() {
            let mut column = 0;
            for (text, width) in &row.cells {
                if old.row == index && old.column == column {
                    cursor = Some(self.next_place(*width));
                }
                self.print(text);
                column += width;
            }
            if old.row == index && cursor.is_none() {
                assert!(old.column <= row.width(), "the cursor stands behind what is written");
                cursor = Some((self.row, self.column));
            }
            if !row.is_wrapped && index + 1 < old.rows.len() {
                self.control("\r");
                self.control("\n");
            }
        }
        (self.row, self.column) = cursor.unwrap_or((self.row, self.column));
    }

    fn next_place(&self, width: usize) -> (usize, usize) {
        if self.column + width > self.columns { (self.row + 1, 0) } else { (self.row, self.column) }
    }
}
