//! One thing that was found: where, when, by whom, and what, with the words that were looked for.
//!
//! Where it stands: an entry in the list of a search.
//!
//! What this file must never do: look through a long text to its end for each drawing.

use super::super::canvas::{Canvas, behind, nth_row};
use crate::layout::{Part, Role, tidy, time_text};
use crate::model::{Finding, Model};
use ratatui::layout::Rect;
use std::borrow::Cow;
use std::ops::Range;

/// From so many columns on it stands in one row.
const ONE_ROW_FROM: u16 = 70;
/// So much of a text is looked at.
const TEXT_CHARACTERS_MAX: usize = 1_000;
/// So much of what is in front of the first word that was found is shown.
const BEFORE_CHARACTERS: usize = 24;

/// How many rows each has.
pub(super) fn rows(columns: u16) -> usize {
    if columns >= ONE_ROW_FROM { 1 } else { 2 }
}

pub(super) fn draw(finding: &Finding, query: &str, (model, area): (&Model, Rect), canvas: &mut Canvas<'_>) {
    let head = behind(nth_row(area, 0), 1);
    let columns = canvas.parts(head, &head_parts(finding, model));
    let text = shown_text(finding);
    let rest = if area.height > 1 { behind(nth_row(area, 1), 3) } else { behind(head, columns + 2) };
    canvas.parts(rest, &emphasised(&text, query));
}

fn head_parts(finding: &Finding, model: &Model) -> Vec<Part> {
    let day = crate::layout::short_day(model.options(), finding.time);
    let time = time_text(model.options(), finding.time);
    let by = &finding.said.by;
    let author = match &by.door {
        None => Part::new(tidy(&by.nick), Role::Nick(by.nick.clone())),
        Some(_) => Part::new(tidy(&by.to_string()), Role::Door),
    };
    let place = place(finding, model);
    vec![
        Part::new(format!("{day} {time}  "), Role::Quiet),
        Part::new(place, Role::Said),
        Part::new("  ", Role::Quiet),
        author,
    ]
}

/// A room by its name, a conversation by the nick of the other, as far as it is known.
fn place(finding: &Finding, model: &Model) -> String {
    let open = model.rooms().iter().find(|room| room.name() == Some(&finding.room));
    match open {
        Some(room) => super::super::room_name(room),
        None if finding.room.starts_with('@') => "in a conversation".into(),
        None => format!("#{}", finding.room),
    }
}

/// The text in one line.
fn shown_text(finding: &Finding) -> String {
    let lines: Vec<Cow<'_, str>> = finding.said.text.lines().collect();
    let text: String = lines.join(" / ").chars().take(TEXT_CHARACTERS_MAX).collect();
    tidy(&text).into_owned()
}

/// The text from shortly before the first word that was looked for.
fn emphasised(text: &str, query: &str) -> Vec<Part> {
    let found = found(text, query);
    let first = found.first().map_or(0, |range| range.start);
    let start = text[..first].char_indices().rev().nth(BEFORE_CHARACTERS).map_or(0, |(at, _)| at);
    let start = text[..start].rfind(' ').map_or(0, |blank| blank + 1);
    let mut parts = Vec::new();
    if start > 0 {
        parts.push(Part::new("… ", Role::Quiet));
    }
    let mut at = start;
    for range in found {
        parts.push(Part::new(&text[at..range.start], Role::Said));
        parts.push(Part::new(&text[range.clone()], Role::Found));
        at = range.end;
    }
    parts.push(Part::new(&text[at..], Role::Said));
    parts
}

/// Where the words of a query begin words of a text, however both are capitalised.
fn found(text: &str, query: &str) -> Vec<Range<usize>> {
    let words: Vec<Vec<char>> = query
        .split_whitespace()
        .filter(|word| !word.contains(':'))
        .map(|word| word.trim_matches('"').chars().flat_map(char::to_lowercase).collect::<Vec<char>>())
        .filter(|word| !word.is_empty())
        .collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before = None;
    for (at, character) in text.char_indices() {
        let is_free = found.last().is_none_or(|last| last.end <= at);
        // Scripts without blanks between words have words anywhere.
        let may_begin = before.is_none_or(|before: char| !before.is_ascii_alphanumeric());
        before = Some(character);
        if is_free && may_begin {
            let length = words.iter().filter_map(|word| matched(&text[at..], word)).max();
            found.extend(length.map(|length| at..at + length));
        }
    }
    found
}

/// How many bytes at the beginning of a text are this word.
fn matched(text: &str, word: &[char]) -> Option<usize> {
    let mut left = word;
    let mut length = 0;
    for character in text.chars() {
        if left.is_empty() {
            break;
        }
        for lower in character.to_lowercase() {
            left = left.strip_prefix(&[lower])?;
        }
        length += character.len_utf8();
    }
    left.is_empty().then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_capitalised() {
        for (text, query, expected) in [
            ("Tea at four, no TEAM tea", "tea", vec!["Tea", "TEA", "tea"]),
            ("overtea", "tea", vec![]),
            ("我们喝茶吧", "茶", vec!["茶"]),
            ("Straße İstanbul", "straße from:ann \"ist", vec!["Straße"]),
            ("anything", "", vec![]),
        ] {
            let parts: Vec<&str> = found(text, query).into_iter().map(|range| &text[range]).collect();
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn text_begins_shortly_before_what_was_found() {
        let text = format!("{}and then tea", "word ".repeat(50));
        let parts = emphasised(&text, "tea");
        assert_eq!(parts[0].text, "… ");
        let shown: String = parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(shown, "… word word word word and then tea");
    }
}
