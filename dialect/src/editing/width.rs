//! How many columns of a terminal a character takes.
//!
//! Where it stands: below everything else that edits or shows text.
//!
//! Terminals do not agree about a family of emoji: newer ones show one picture two columns wide, older ones show each of
//! its people. So there are two measures here: [`columns`] is what the standards say (UAX #11, UAX #29), [`room`] what
//! it takes at worst. Whatever must not run over the edge is measured with `room`; where the two differ a column is not
//! computed but reached by writing what stands before it.
//!
//! A line end takes no row here: whoever has a text of many lines measures each of them.
//!
//! What this file must never do: measure a part of a grapheme cluster.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The grapheme clusters of a text: what a person takes for one character.
pub fn graphemes(text: &str) -> impl Iterator<Item = &str> {
    text.graphemes(true)
}

/// The columns that a text takes on a terminal that puts grapheme clusters together.
pub fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { graphemes(text).map(UnicodeWidthStr::width).sum() }
}

/// The most columns that a text takes on any terminal.
pub fn room(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { graphemes(text).map(room_of_one).sum() }
}

fn room_of_one(grapheme: &str) -> usize {
    let apart: usize = grapheme.chars().map(widest).sum();
    apart.max(grapheme.width())
}

/// The most columns that one character takes on any terminal. Some have no width by the standards because they are not to
/// be seen, as fillers and soft hyphens, or because they belong to the character before, as vowel signs that stand beside it;
/// there are terminals that give them one column or two. Only what is drawn over or under another takes none anywhere.
fn widest(character: char) -> usize {
    use GeneralCategory::{EnclosingMark, Format, NonspacingMark, SpacingMark};
    match (character.width().unwrap_or(0), character.general_category()) {
        // Numbers in circles on black squares.
        (1, _) if ('\u{3248}'..='\u{324f}').contains(&character) => 2,
        (0, Format) if character == '\u{ad}' => 1,
        (0, NonspacingMark | EnclosingMark | Format) => 0,
        (0, SpacingMark) => 1,
        (0, _) => 2,
        (width, _) => width,
    }
}

/// Whether all terminals show this text with the same width.
pub fn is_certain(text: &str) -> bool {
    text.is_ascii() || graphemes(text).all(|grapheme| room_of_one(grapheme) == narrowest(grapheme))
}

fn narrowest(grapheme: &str) -> usize {
    let apart: usize = grapheme.chars().map(|character| character.width().unwrap_or(0)).sum();
    apart.min(grapheme.width())
}

/// A cluster as it is shown where there are `columns_max` columns: what has no width of its own, or does not fit, is
/// shown as U+FFFD.
pub fn shown(grapheme: &str, columns_max: usize) -> &str {
    let room = room(grapheme);
    if columns(grapheme) == 0 || room > columns_max { "\u{fffd}" } else { grapheme }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_that_of_what_is_seen() {
        let table = [("a", 1), ("漢", 2), ("e\u{301}", 1), ("👨‍👩‍👧‍👦", 2), ("🇩🇪", 2), ("❤\u{fe0f}", 2), ("한", 2)];
        for (text, width) in table {
            assert_eq!((columns(text), graphemes(text).count()), (width, 1), "{text}");
        }
    }

    #[test]
    fn family_is_not_equally_wide_everywhere() {
        assert_eq!((columns("👨‍👩‍👧‍👦"), room("👨‍👩‍👧‍👦")), (2, 8));
        assert!(!is_certain("👨‍👩‍👧‍👦") && !is_certain("❤\u{fe0f}"));
        assert!(is_certain("漢e\u{301}🇩🇪한"));
    }

    #[test]
    fn what_does_not_fit_or_cannot_be_seen_is_shown_as_such() {
        assert_eq!(shown("漢", 3), "漢");
        assert_eq!(shown(&"\u{1100}".repeat(9), 3), "\u{fffd}");
        assert_eq!(shown("\u{301}", 3), "\u{fffd}");
    }
}
