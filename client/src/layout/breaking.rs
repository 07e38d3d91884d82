//! Lines broken into rows, and texts cut to what there is room for.
//!
//! Where it stands: below everything else of the layout. All is measured in grapheme clusters and columns, as the screen's own
//! cells measure them.
//!
//! What this file must never do: answer with a row that is wider than it may be, unless a single character is; or leave in a text
//! what takes no place on a screen, for terminals do not agree about that.

use dialect::editing::GRAPHEME_CHARACTERS_MAX;
use dialect::editing::width::graphemes;
use ratatui::buffer::CellWidth;
use std::borrow::Cow;
use std::ops::Range;

/// A TAB goes to the next column that is a multiple of this.
const TAB_COLUMNS: usize = 4;

/// How many columns a tidy text takes.
pub(crate) fn columns_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { graphemes(text).map(cluster_columns).sum() }
}

/// As the cells of the screen have it, so that what is computed here is where it is drawn.
fn cluster_columns(cluster: &str) -> usize {
    if cluster.contains(char::is_control) { 0 } else { cluster.cell_width().into() }
}

/// A line as it can be drawn: blanks for TABs, no towers of accents, nothing that has no width.
pub(crate) fn tidy(line: &str) -> Cow<'_, str> {
    if line.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(line);
    }
    let mut tidy = String::with_capacity(line.len());
    let mut column = 0;
    for cluster in graphemes(line) {
        if cluster == "\t" {
            let blanks = TAB_COLUMNS - column % TAB_COLUMNS;
            tidy.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
            continue;
        }
        let shown = lowered(cluster);
        let columns = cluster_columns(shown);
        if columns > 0 {
            tidy.push_str(shown);
            column += columns;
        }
    }
    Cow::Owned(tidy)
}

/// A cluster without what is too many in it.
fn lowered(cluster: &str) -> &str {
    let end = cluster.char_indices().nth(GRAPHEME_CHARACTERS_MAX).map_or(cluster.len(), |(at, _)| at);
    &cluster[..end]
}

/// A tidy text as far as it fits; `…` stands for what does not.
pub(crate) fn cut(text: &str, columns_max: usize) -> Cow<'_, str> {
    if columns_of(text) <= columns_max {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns_max.checked_sub(1) else { return Cow::Borrowed("") };
    let mut columns = 0;
    let fitting = graphemes(text).take_while(|cluster| {
        columns += cluster_columns(cluster);
        columns <= room
    });
    let end: usize = fitting.map(str::len).sum();
    Cow::Owned(format!("{}…", &text[..end]))
}

/// How many columns the rows of a line have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    /// The first row.
    pub(crate) first: usize,
    /// The others.
    pub(crate) others: usize,
}

/// The rows of a tidy line, by bytes; always at least one. Rows end between words where they can: behind blanks, which are
/// then not shown, and around wide characters, whose scripts know no blanks. A word longer than a row ends anywhere.
pub(crate) fn broken(line: &str, room: Room) -> Vec<Range<usize>> {
    if line.is_ascii() && line.len() <= room.first {
        return std::iter::once(0..line.trim_end().len()).collect();
    }
    let mut breaking = Breaking { room, rows: Vec::new(), start: 0, end: 0, columns: 0, chance: None };
    let mut at = 0;
    let mut before = Class::Letter;
    for cluster in graphemes(line) {
        let class = Class::of(cluster);
        breaking.take(at, cluster, (before, class));
        before = class;
        at += cluster.len();
    }
    breaking.finish()
}

/// Words of ours in rows of so many columns, each with its own.
pub(crate) fn wrapped(words: &str, columns: usize) -> Vec<(String, usize)> {
    let words = tidy(words);
    let room = Room { first: columns.max(1), others: columns.max(1) };
    let rows = broken(&words, room).into_iter();
    rows.map(|row| (words[row.clone()].to_owned(), columns_of(&words[row]))).collect()
}

/// What a cluster is to the rows around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Letter,
    /// Rows may end around it.
    Wide,
    /// No row begins with it.
    Closing,
}

impl Class {
    fn of(cluster: &str) -> Class {
        let first = cluster.chars().next().unwrap_or(' ');
        let is_firm = matches!(first, '\u{a0}' | '\u{2007}' | '\u{202f}');
        if !is_firm && cluster.chars().all(char::is_whitespace) {
            return Class::Blank;
        }
        if "、。，．：；？！）」』】〕〉》”’…ー々".contains(first) {
            return Class::Closing;
        }
        if cluster_columns(cluster) > 1 { Class::Wide } else { Class::Letter }
    }
}

/// A place where a row may end.
#[derive(Clone, Copy)]
struct Chance {
    end: usize,
    next: usize,
    /// How wide it is up to `next`.
    columns: usize,
}

struct Breaking {
    room: Room,
    rows: Vec<Range<usize>>,
    /// Where the row begins.
    start: usize,
    /// Where it ends but for the blanks behind it.
    end: usize,
    columns: usize,
    chance: Option<Chance>,
}

impl Breaking {
    fn columns_max(&self) -> usize {
        if self.rows.is_empty() { self.room.first } else { self.room.others }
    }

    fn take(&mut self, at: usize, cluster: &str, (before, class): (Class, Class)) {
        let columns = cluster_columns(cluster);
        let behind = at + cluster.len();
        if class == Class::Blank {
            self.columns += columns;
            if self.end > self.start || self.columns > self.columns_max() {
                self.chance = Some(Chance { end: self.end, next: behind, columns: self.columns });
            }
            return;
        }
        let is_beside_wide =
            before == Class::Wide || class == Class::Wide || (before == Class::Closing && at > self.start);
        if is_beside_wide && class != Class::Closing && before != Class::Blank && at > self.start {
            self.chance = Some(Chance { end: at, next: at, columns: self.columns });
        }
        while self.columns + columns > self.columns_max() && at > self.start {
            self.end_row(at);
        }
        self.columns += columns;
        self.end = behind;
    }

    /// Ends the row at the last chance, or else in front of what stands at `at`.
    fn end_row(&mut self, at: usize) {
        let anywhere = Chance { end: self.end, next: at, columns: self.columns };
        let chance = self.chance.take().unwrap_or(anywhere);
        self.rows.push(self.start..chance.end.max(self.start));
        self.start = chance.next;
        self.columns -= chance.columns;
        self.end = self.end.max(self.start);
    }

    fn finish(mut self) -> Vec<Range<usize>> {
        self.rows.push(self.start..self.end.max(self.start));
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(line: &str, first: usize, others: usize) -> Vec<&str> {
        broken(line, Room { first, others }).into_iter().map(|row| &line[row]).collect()
    }

    #[test]
    fn rows_end_between_words() {
        assert_eq!(rows("the quick brown fox", 10, 10), ["the quick", "brown fox"]);
        assert_eq!(rows("the quick brown fox", 4, 10), ["the", "quick", "brown fox"]);
        assert_eq!(rows("", 4, 10), [""]);
        assert_eq!(rows("a    ", 3, 3), ["a"]);
        assert_eq!(rows("  indented", 20, 20), ["  indented"]);
        assert_eq!(rows("one       two", 5, 5), ["one", "two"]);
    }

    #[test]
    fn long_word_ends_anywhere() {
        assert_eq!(rows("see https://example.org/a", 10, 10), ["see", "https://ex", "ample.org/", "a"]);
    }

    #[test]
    fn chinese_breaks_between_any_two_characters_but_before_no_full_stop() {
        assert_eq!(rows("hi 你好世界", 7, 7), ["hi 你好", "世界"]);
        assert_eq!(rows("你好。世界", 4, 4), ["你", "好。", "世界"]);
        assert_eq!(rows("漢字漢字", 3, 3), ["漢", "字", "漢", "字"]);
    }

    #[test]
    fn clusters_stay_whole() {
        assert_eq!(rows("👨‍👩‍👧‍👦👨‍👩‍👧‍👦🇩🇪e\u{301}", 4, 4), ["👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "🇩🇪e\u{301}"]);
    }

    #[test]
    fn tidy_line_has_nothing_that_terminals_do_not_agree_about() {
        assert_eq!(tidy("a\tb\t\u{200b}c\u{ad}"), "a   b   c");
        assert_eq!(tidy(&format!("a{}", "\u{301}".repeat(100))).chars().count(), GRAPHEME_CHARACTERS_MAX);
        assert_eq!(tidy("\u{301}x"), "x");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("hello", 5), "hello");
        assert_eq!(cut("hello", 4), "hel…");
        assert_eq!(cut("漢字漢", 4), "漢…");
        assert_eq!(cut("hello", 1), "…");
        assert_eq!(cut("hello", 0), "");
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_nothing_but_blanks_is_lost(
            line in "[a-z 漢。👩🇩🇪\u{301}\u{200d}\u{600}ﾞ\t\u{3000}]{0,60}",
            first in 2_usize..20, more in 0_usize..20,
        ) {
            let line = tidy(&line);
            let room = Room { first, others: first + more };
            let rows = broken(&line, room);
            for (nth, row) in rows.iter().enumerate() {
                let columns_max = if nth == 0 { room.first } else { room.others };
                let text = &line[row.clone()];
                prop_assert!(
                    columns_of(text) <= columns_max || graphemes(text).count() == 1, "{text:?} of {line:?}"
                );
            }
            let shown: String = rows.into_iter().map(|row| &line[row]).collect();
            let without_blanks = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(without_blanks(&shown), without_blanks(&line));
        }
    }
}
