//! How many columns of a terminal a character takes: a part of the line editor's own measures, word for word.
//!
//! Where it stands: below the painter. It goes as soon as the line editor's measures are public.
//!
//! What this file must never do: measure a part of a grapheme cluster.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

fn graphemes(text: &str) -> impl Iterator<Item = &str> {
    text.graphemes(true)
}

/// The columns that a text takes on a terminal that puts grapheme clusters together.
pub(crate) fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { graphemes(text).map(UnicodeWidthStr::width).sum() }
}

fn room_of_one(grapheme: &str) -> usize {
    let apart: usize = grapheme.chars().map(widest).sum();
    apart.max(grapheme.width())
}

/// The most columns that one character takes on any terminal.
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
pub(crate) fn is_certain(text: &str) -> bool {
    text.is_ascii() || graphemes(text).all(|grapheme| room_of_one(grapheme) == narrowest(grapheme))
}

fn narrowest(grapheme: &str) -> usize {
    let apart: usize = grapheme.chars().map(|character| character.width().unwrap_or(0)).sum();
    apart.min(grapheme.width())
}
