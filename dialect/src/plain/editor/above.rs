//! The lines that are written above the input: whole ones, broken where a person would break them.
//!
//! Where it stands: between what the feeds and the server write and the screen.
//!
//! A row that goes on a line begins with two blanks. So no row but the first of a line can look like news of the server
//! or like somebody else's words, however long a text is.
//!
//! What this file must never do: leave a break to the terminal, break within a grapheme cluster, or let a control character
//! through.

use crate::editing::width::{graphemes, room, shown};
use hub::is_showable;
use unicode_width::UnicodeWidthChar;

/// So many bytes of a line are shown: more than the server ever writes in one.
pub(super) const LINE_BYTES_MAX: usize = 20 * 1024;

/// What stands before a row that goes on a line.
const INDENT: &str = "  ";
const TAB_COLUMNS: usize = 8;

/// The line whose end has not come.
#[derive(Default)]
pub(super) struct Above {
    held: Vec<u8>,
}

impl Above {
    /// Hands out the lines that end in `bytes`, without LF, and holds the beginning of the next.
    pub(super) fn add(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if self.held.is_empty() {
                take(&rest[..end.min(LINE_BYTES_MAX)]);
            } else {
                self.hold(&rest[..end]);
                take(&std::mem::take(&mut self.held));
            }
            rest = &rest[end + 1..];
        }
        self.hold(rest);
    }

    fn hold(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(LINE_BYTES_MAX - self.held.len())];
        self.held.extend_from_slice(bytes);
    }

    /// Gives up the beginning of a line, as it is to be sent before the rest of it: a character that is cut stays so.
    pub(super) fn give_up(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let cut = held.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
        let is_cut = std::str::from_utf8(cut).is_err_and(|error| error.error_len().is_none());
        let (whole, cut) = held.split_at(held.len() - if is_cut { cut.len() } else { 0 });
        [clean(whole).as_bytes(), cut].concat()
    }
}

/// Takes out what a terminal must not be sent; blanks stand for TAB.
pub(super) fn clean(line: &[u8]) -> String {
    let mut text = String::with_capacity(line.len());
    let mut column = 0;
    for character in String::from_utf8_lossy(line).chars() {
        if character == '\t' {
            let blanks = TAB_COLUMNS - column % TAB_COLUMNS;
            text.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        } else if is_showable(character) {
            text.push(character);
            column += character.width().unwrap_or(0);
        }
    }
    text
}

/// Writes a line as rows, each with its end.
pub(super) fn write_rows(line: &str, columns: usize, bytes: &mut Vec<u8>) {
    let mut rest = line;
    let mut indent = "";
    loop {
        let (row, behind) = first_row(rest, columns - indent.len(), columns);
        bytes.extend_from_slice(indent.as_bytes());
        for grapheme in graphemes(row) {
            bytes.extend_from_slice(shown_here(grapheme, columns).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        if behind.is_empty() {
            return;
        }
        rest = behind;
        indent = INDENT;
    }
}

/// What fits on a row, and what comes on the next. The break is at a blank, if there is one in the row's second half.
fn first_row(text: &str, room_max: usize, columns: usize) -> (&str, &str) {
    let (mut used, mut at, mut blank) = (0, 0, None);
    for grapheme in graphemes(text) {
        let needed = room_here(grapheme, columns);
        if used + needed > room_max && at > 0 {
            let end = if grapheme == " " { at } else { blank.unwrap_or(at) };
            return (text[..end].trim_end_matches(' '), without_blanks(&text[end..]));
        }
        used += needed;
        at += grapheme.len();
        if grapheme == " " && used * 2 > room_max {
            blank = Some(at);
        }
    }
    (text, "")
}

/// A blank that carries a mark is none.
fn without_blanks(text: &str) -> &str {
    &text[graphemes(text).take_while(|grapheme| *grapheme == " ").count()..]
}

/// A cluster that would not fit on a row that goes on is not shown as it is; one without any width takes no room.
fn shown_here(grapheme: &str, columns: usize) -> &str {
    if room(grapheme) == 0 { grapheme } else { shown(grapheme, columns - INDENT.len()) }
}

fn room_here(grapheme: &str, columns: usize) -> usize {
    room(shown_here(grapheme, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(line: &str, columns: usize) -> Vec<String> {
        let mut bytes = Vec::new();
        write_rows(line, columns, &mut bytes);
        let text = String::from_utf8(bytes).expect("text");
        text.strip_suffix("\r\n").expect("an end").split("\r\n").map(String::from).collect()
    }

    #[test]
    fn line_breaks_between_words_and_goes_on_behind_two_blanks() {
        assert_eq!(rows("<ann> one two three", 12), ["<ann> one", "  two three"]);
        assert_eq!(rows("", 12), [""]);
        assert_eq!(rows("<ann> one two", 13), ["<ann> one two"]);
    }

    #[test]
    fn word_longer_than_a_row_is_broken_anywhere() {
        assert_eq!(rows("<ann> abcdefghijklmnop", 12), ["<ann> abcdef", "  ghijklmnop"]);
    }

    #[test]
    fn no_character_is_broken() {
        assert_eq!(rows("<a> 漢字漢字", 9), ["<a> 漢字", "  漢字"]);
        assert_eq!(rows("e\u{301}e\u{301}👨‍👩‍👧‍👦x", 10), ["e\u{301}e\u{301}👨‍👩‍👧‍👦", "  x"]);
    }

    #[test]
    fn what_older_terminals_show_wider_is_broken_early_enough_for_them() {
        assert_eq!(rows("ab 👨‍👩‍👧‍👦 -- news", 14), ["ab 👨‍👩‍👧‍👦 --", "  news"]);
        assert_eq!(rows("abcd 👨‍👩‍👧‍👦", 12), ["abcd", "  👨‍👩‍👧‍👦"]);
    }

    #[test]
    fn controls_do_not_get_through() {
        assert_eq!(clean(b"a\tb\x1b[2J\r\x07\xc2\x9b\xff"), "a       b[2J\u{fffd}");
    }

    #[test]
    fn line_comes_out_whole_wherever_it_was_cut() {
        let text = "<ann> 漢字\n\n<bob> hi\n".as_bytes();
        for cut in 0..=text.len() {
            let (mut above, mut lines) = (Above::default(), Vec::new());
            for part in [&text[..cut], &text[cut..]] {
                above.add(part, |line| lines.push(line.to_vec()));
            }
            assert_eq!(lines, [&b"<ann> \xe6\xbc\xa2\xe5\xad\x97"[..], b"", b"<bob> hi"]);
            assert!(above.held.is_empty());
        }
    }

    #[test]
    fn line_without_an_end_is_held_up_to_a_bound() {
        let mut above = Above::default();
        for _ in 0..100 {
            above.add(&[b'x'; 1000], |_| unreachable!("no line has ended"));
        }
        assert_eq!(above.held.len(), LINE_BYTES_MAX);
    }

    #[test]
    fn cut_character_is_given_up_as_it_is() {
        let mut above = Above::default();
        above.add(b"a\x1b\xe6\xbc", |_| unreachable!("no line has ended"));
        assert_eq!(above.give_up(), b"a\xe6\xbc");
    }

    #[test]
    fn blank_that_terminals_show_wider_than_nothing_forges_no_row() {
        // Width by glibc, tmux and xterm; by the tables used here none of them has any.
        for (blank, width) in [('\u{3164}', 2), ('\u{ffa0}', 1), ('\u{ad}', 1), ('\u{bbe}', 1)] {
            let text = format!("<eve> hi{}-- Shutdown Server", blank.to_string().repeat(72 / width));
            let shown = |row: &String| row.chars().map(|c| if c == blank { width } else { 1 }).sum::<usize>();
            assert!(
                rows(&text, 80).iter().all(|row| shown(row) <= 80),
                "{blank:?} pushes a forged row to the edge"
            );
        }
    }
}
