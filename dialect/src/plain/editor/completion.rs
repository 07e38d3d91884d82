//! The word that a person wants finished, and what comes of the answers.
//!
//! Where it stands: behind the key Tab, here and in clients. Who is there and which rooms there are only the session knows; it
//! is asked.
//!
//! What this file must never do: look at more of a line than its first word and the last one in front of the cursor.

use crate::editing::width::graphemes;
use crate::editing::{Clusters, Effect, Line};
use crate::plain::commands::{self, Typed};
use hub::TEXT_BYTES_MAX;

/// A longer word is nobody's name.
const WORD_BYTES_MAX: usize = 512;

/// Commands whose first parameter is a room.
const WITH_ROOM: [&str; 4] = ["/join", "/leave", "/part", "/who"];

/// What Tab asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// What stands in front of the cursor, up to a blank; may be empty.
    pub word: String,
    /// What it is the beginning of.
    pub kind: CompletionKind,
}

/// What a word is the beginning of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompletionKind {
    /// A command; the word begins with `/`, and so must the candidates.
    Command,
    /// A room; if the word begins with `#`, so must the candidates.
    Room,
    /// A nick.
    Name,
}

/// What came of the answers.
pub enum Completed {
    /// The line has changed.
    Inserted,
    /// Nothing begins like this, or there is no room for it.
    Nothing,
    /// These are possible.
    Several(Vec<String>),
}

impl Completion {
    /// What would be asked for where the cursor stands.
    pub fn at_cursor(line: &Line) -> Option<Completion> {
        let before = line.before_cursor();
        let blank = before.bytes().rev().take(WORD_BYTES_MAX + 1).position(is_blank);
        let word = &before[before.len() - blank.unwrap_or(before.len())..];
        if word.len() > WORD_BYTES_MAX {
            return None;
        }
        Some(Completion { word: word.into(), kind: kind(before, word) })
    }

    /// Puts into the line what the candidates have in common.
    pub fn apply(&self, candidates: &[String], line: &mut Line) -> Completed {
        let mut matching = candidates
            .iter()
            .filter(|candidate| common(candidate, &self.word) == graphemes(&self.word).count());
        let Some(first) = matching.next() else { return Completed::Nothing };
        let others: Vec<&String> = matching.filter(|other| *other != first).collect();
        if others.is_empty() {
            return self.insert(&format!("{first}{}", self.behind(line)), line);
        }
        let shared = others.iter().map(|other| common(first, other)).min().unwrap_or(0);
        if shared > graphemes(&self.word).count() {
            return self.insert(&graphemes(first).take(shared).collect::<String>(), line);
        }
        Completed::Several(std::iter::once(first).chain(others).cloned().collect())
    }

    fn insert(&self, text: &str, line: &mut Line) -> Completed {
        match line.insert_text(self.word.len(), &Clusters::new(text, TEXT_BYTES_MAX)) {
            Effect::Done => Completed::Inserted,
            Effect::Nothing => Completed::Nothing,
        }
    }

    /// Somebody named at the beginning of a line is spoken to.
    fn behind(&self, line: &Line) -> &'static str {
        let is_at_start = line.before_cursor().len() == self.word.len();
        if self.kind == CompletionKind::Name && is_at_start { ": " } else { " " }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n')
}

fn kind(before: &str, word: &str) -> CompletionKind {
    let is_command = word.starts_with('/') && matches!(commands::typed(before), Typed::Command(_));
    if is_command && before.len() == word.len() {
        return CompletionKind::Command;
    }
    let first = before.split(' ').next().unwrap_or_default();
    let is_first_parameter = before[first.len()..].trim_start_matches(' ').len() == word.len();
    let takes_room = WITH_ROOM.iter().any(|name| name.eq_ignore_ascii_case(first));
    if word.starts_with('#') || takes_room && is_first_parameter {
        return CompletionKind::Room;
    }
    CompletionKind::Name
}

/// How many clusters two texts have in common from their beginnings, however they are capitalised.
fn common(one: &str, other: &str) -> usize {
    let is_same = |(one, other): &(&str, &str)| one == other || one.to_lowercase() == other.to_lowercase();
    graphemes(one).zip(graphemes(other)).take_while(is_same).count()
}
