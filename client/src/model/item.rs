//! What stands in a timeline.
//!
//! Where it stands: the model makes items of what the server says; the view draws them.
//!
//! What this file must never do: hold anything that is not clean.

use crate::layout::{cut, tidy};
use crate::wire::{Author, Crowd, Event, Happening, Shown};
use hub::{Manner, Text, Time};

/// Something that stands in a timeline.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Item {
    /// Names it in its timeline for as long as it is there.
    pub number: u32,
    /// Where it belongs: the sequence of what is kept, and of the last before it of what is not.
    pub order: u64,
    /// When it happened.
    pub time: Time,
    /// What it is.
    pub what: What,
}

/// What an item is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum What {
    /// Something that was said or done.
    Said(Said),
    /// Something that was said, and is gone.
    Erased {
        /// Who had said it.
        by: Author,
    },
    /// The topic was set, or cleared.
    Topic {
        /// By whom.
        by: Author,
        /// What it is now.
        topic: Option<Shown>,
    },
    /// Coming and going, and whatever else is told quietly, in one line.
    Told(Shown),
    /// What we were told alone: answers, refusals, hints. It may have several lines.
    Remark(Text),
    /// What is not here and can be fetched.
    Hole(Hole),
}

/// Something that was said or done.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Said {
    /// By whom.
    pub by: Author,
    /// In which way.
    pub manner: Manner,
    /// What.
    pub text: Text,
    /// What it is to us.
    pub relation: Relation,
    /// Whether it was changed since.
    pub is_edited: bool,
    /// Whether a change of it by us is not acknowledged.
    pub is_changing: bool,
}

/// What something that was said is to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    /// We said it.
    Own,
    /// We are named in it, or a word that we look out for is.
    Mention,
    /// It is for everybody.
    Other,
}

/// By so much of a text one knows it again.
const FIRST_WORDS_COLUMNS: usize = 40;

/// What a text begins with.
pub(super) fn first_words(text: &Text) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let words = cut(&tidy(&first), FIRST_WORDS_COLUMNS).into_owned();
    if lines.next().is_some() && !words.ends_with('…') { words + " …" } else { words }
}

/// Sequences that are not here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hole {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Why.
    pub why: Why,
    /// Whether they have been asked for.
    pub is_asked: bool,
}

/// Why something is not here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    /// Nobody has looked at it.
    Unread,
    /// It came too fast; so many messages.
    Skipped(Option<u64>),
}

impl What {
    /// How many bytes its text has.
    pub(super) fn bytes(&self) -> usize {
        match self {
            What::Said(said) => said.text.formatted().len(),
            What::Topic { topic, .. } => topic.as_ref().map_or(0, |topic| topic.len()),
            What::Told(text) => text.len(),
            What::Remark(text) => text.formatted().len(),
            What::Erased { .. } | What::Hole(_) => 0,
        }
    }
}

impl Item {
    /// Its sequence, if it is kept.
    pub(crate) fn sequence(&self) -> Option<u64> {
        match self.what {
            What::Said(_) | What::Erased { .. } | What::Topic { .. } => Some(self.order),
            What::Told(_) | What::Remark(_) | What::Hole(_) => None,
        }
    }

    /// What was said, if it is that.
    pub(crate) fn said(&self) -> Option<&Said> {
        match &self.what {
            What::Said(said) => Some(said),
            _ => None,
        }
    }
}

/// Who is reading.
pub(super) struct Reader<'a> {
    pub(super) nick: &'a str,
    pub(super) highlights: &'a [String],
}

impl Reader<'_> {
    /// What something is to this reader.
    pub(super) fn relation(&self, by: &Author, text: &Text) -> Relation {
        if by.door.is_none() && *by.nick == *self.nick {
            return Relation::Own;
        }
        let names = || std::iter::once(self.nick).chain(self.highlights.iter().map(String::as_str));
        let is_named = names().any(|name| text.lines().any(|line| has_word(&line, name)));
        if is_named { Relation::Mention } else { Relation::Other }
    }
}

/// Whether a word stands in a line, however it is capitalised, with no letter or digit beside it.
fn has_word(line: &str, word: &str) -> bool {
    if word.is_empty() || line.len() < word.len() {
        return false;
    }
    let (line, word) = (line.to_lowercase(), word.to_lowercase());
    let is_apart = |character: Option<char>| {
        !character.is_some_and(|character| character.is_alphanumeric() || character == '_')
    };
    line.match_indices(&word).any(|(at, found)| {
        is_apart(line[..at].chars().next_back()) && is_apart(line[at + found.len()..].chars().next())
    })
}

/// What an event becomes in the timeline of its room, if it stands there.
pub(super) fn what(event: &Event, reader: &Reader<'_>) -> Option<What> {
    let by = event.from.clone();
    let said = |text: &Text, manner, is_edited| {
        let by = by.clone()?;
        let relation = reader.relation(&by, text);
        Some(What::Said(Said { by, manner, text: text.clone(), relation, is_edited, is_changing: false }))
    };
    let nick = || by.as_ref().map_or("somebody", |author| &author.nick);
    Some(match &event.what {
        Happening::Said { text, is_edited } | Happening::Direct { text, is_edited, .. } => {
            said(text, Manner::Saying, *is_edited)?
        }
        Happening::Acted { text, is_edited } => said(text, Manner::Acting, *is_edited)?,
        Happening::Topic(topic) => What::Topic { by: by?, topic: topic.clone() },
        Happening::Erased => What::Erased { by: by? },
        Happening::Lost { .. } => told("the server stopped abruptly here; what was said last may be missing"),
        Happening::Joined => told(&format!("{} came in", nick())),
        Happening::Left => told(&format!("{} left", nick())),
        Happening::Quit { reason: None } => told(&format!("{} is offline", nick())),
        Happening::Quit { reason: Some(reason) } => told(&format!("{} is offline ({reason})", nick())),
        Happening::Renamed { nick: new } => told(&format!("{} is now {new}", nick())),
        Happening::Away { message: Some(message) } => told(&format!("{} is away ({message})", nick())),
        Happening::Away { message: None } => told(&format!("{} is back", nick())),
        Happening::Sum { arrived, departed } => told(&summed(arrived, departed)?),
        Happening::Edited { .. }
        | Happening::Redacted { .. }
        | Happening::Opened
        | Happening::Journal { .. }
        | Happening::Unknown => return None,
    })
}

fn told(text: &str) -> What {
    What::Told(Shown::new(text))
}

fn summed(arrived: &Crowd, departed: &Crowd) -> Option<String> {
    let part = |crowd: &Crowd, word: &str| {
        let names = crowd.nicks.join(", ");
        match (crowd.nicks.is_empty(), crowd.others) {
            (true, 0) => None,
            (false, 0) => Some(format!("{names} {word}")),
            (true, others) => Some(format!("{others} {word}")),
            (false, others) => Some(format!("{names} and {others} more {word}")),
        }
    };
    let parts: Vec<String> =
        [part(arrived, "came in"), part(departed, "left")].into_iter().flatten().collect();
    Some(parts.join("; ")).filter(|parts| !parts.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_found_as_a_word_alone() {
        for line in ["ann: tea?", "tea, Ann", "(ann)", "ANN", "hi ann"] {
            assert!(has_word(line, "ann"), "{line}");
        }
        for line in ["anna", "joann", "ann2", "a n n", "", "an"] {
            assert!(!has_word(line, "ann"), "{line}");
        }
        assert!(has_word("你好 小明！", "小明") && !has_word("大小明", "小明"));
    }
}
