//! The line being edited: its text, and where the cursor stands in it.
//!
//! Where it stands: behind the keys, in front of the row that is shown. It knows nothing of either.
//!
//! What this file must never do: put the cursor into the middle of a grapheme cluster, hold more than
//! [`TEXT_BYTES_MAX`] bytes, or look further than [`WORD_CLUSTERS_MAX`] for the end of a word.

use super::clusters::{Clusters, Place};
use hub::TEXT_BYTES_MAX;
use hub::is_showable;

/// A motion by a word goes at most so far: a key must not cost more because the line is one long word.
const WORD_CLUSTERS_MAX: usize = 256;

/// Where a key goes, or up to where it takes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Motion {
    /// The beginning of the line.
    Start,
    /// The end of the line.
    End,
    /// One character back.
    Left,
    /// One character on.
    Right,
    /// The beginning of a word of letters and digits.
    WordLeft,
    /// The end of such a word.
    WordRight,
    /// The beginning of whatever stands between blanks.
    BlankLeft,
}

/// Whether a key did anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// It did, or had nothing to do.
    Done,
    /// It could not.
    Nothing,
}

/// The line being edited.
#[derive(Default)]
pub(super) struct Line {
    clusters: Clusters,
    cursor: Place,
}

impl Line {
    /// Its text.
    pub(super) fn text(&self) -> &str {
        self.clusters.text()
    }

    /// Its text by clusters.
    pub(super) fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    /// Where the cursor stands.
    pub(super) fn cursor(&self) -> Place {
        self.cursor
    }

    /// The text in front of the cursor.
    pub(super) fn before_cursor(&self) -> &str {
        &self.text()[..self.cursor.byte]
    }

    /// Types a character. What may not be shown, or cannot be seen, is passed over.
    pub(super) fn insert(&mut self, character: char) -> Effect {
        if !is_showable(character) {
            return Effect::Done;
        }
        if self.text().len() + character.len_utf8() > TEXT_BYTES_MAX {
            return Effect::Nothing;
        }
        match self.clusters.insert(self.cursor, character) {
            Some(behind) => {
                self.cursor = behind;
                Effect::Done
            }
            None => Effect::Nothing,
        }
    }

    /// Puts text where the cursor stands, in the place of the `bytes_before` bytes in front of it, which must be whole
    /// clusters.
    pub(super) fn insert_text(&mut self, bytes_before: usize, new: &Clusters) -> Effect {
        let mut from = self.cursor;
        while from.byte + bytes_before > self.cursor.byte {
            let Some(before) = self.clusters.before(from) else { break };
            from = before;
        }
        let bytes = self.text().len() - (self.cursor.byte - from.byte) + new.text().len();
        if bytes > TEXT_BYTES_MAX || new.text().is_empty() {
            return Effect::Nothing;
        }
        self.cursor = self.clusters.replace(from, self.cursor, new);
        Effect::Done
    }

    /// Makes this the line, with the cursor at its end. Answers with what was there.
    pub(super) fn set(&mut self, clusters: Clusters) -> Clusters {
        self.cursor = clusters.end();
        std::mem::replace(&mut self.clusters, clusters)
    }

    /// Moves the cursor.
    pub(super) fn go(&mut self, motion: Motion) -> Effect {
        let target = self.target(motion);
        let is_far = matches!(motion, Motion::Start | Motion::End);
        let effect = if target == self.cursor && !is_far { Effect::Nothing } else { Effect::Done };
        self.cursor = target;
        effect
    }

    /// Takes away what stands between the cursor and where it would go.
    pub(super) fn cut(&mut self, motion: Motion) -> Clusters {
        let target = self.target(motion);
        let (from, to) = (target.min(self.cursor), target.max(self.cursor));
        let cut = self.clusters.between(from, to);
        self.cursor = self.clusters.replace(from, to, &Clusters::default());
        cut
    }

    /// Exchanges the characters around the cursor, or the last two at the end, and goes on behind them.
    pub(super) fn transpose(&mut self) -> Effect {
        let behind = self.clusters.after(self.cursor).unwrap_or(self.cursor);
        let middle = self.clusters.before(behind);
        let Some((middle, start)) = middle.and_then(|at| Some((at, self.clusters.before(at)?))) else {
            return Effect::Nothing;
        };
        let first = self.clusters.between(start, middle);
        let second = self.clusters.between(middle, behind);
        let gap = self.clusters.replace(start, behind, &second);
        self.cursor = self.clusters.replace(gap, gap, &first);
        Effect::Done
    }

    fn target(&self, motion: Motion) -> Place {
        let clusters = &self.clusters;
        match motion {
            Motion::Start => Place::START,
            Motion::End => clusters.end(),
            Motion::Left => clusters.before(self.cursor).unwrap_or(self.cursor),
            Motion::Right => clusters.after(self.cursor).unwrap_or(self.cursor),
            Motion::WordLeft => self.behind_word(Clusters::before, is_in_word),
            Motion::WordRight => self.behind_word(Clusters::after, is_in_word),
            Motion::BlankLeft => self.behind_word(Clusters::before, is_not_blank),
        }
    }

    /// Behind what is no word, and then behind the word, in the direction of `step`.
    fn behind_word(&self, step: fn(&Clusters, Place) -> Option<Place>, is_word: fn(&str) -> bool) -> Place {
        let mut place = self.cursor;
        let mut is_inside = false;
        for _ in 0..WORD_CLUSTERS_MAX {
            let Some(next) = step(&self.clusters, place) else { break };
            let is_word = is_word(self.clusters.at(place.min(next)));
            if is_inside && !is_word {
                break;
            }
            is_inside = is_word;
            place = next;
        }
        place
    }
}

fn is_in_word(cluster: &str) -> bool {
    cluster.starts_with(char::is_alphanumeric)
}

fn is_not_blank(cluster: &str) -> bool {
    !cluster.starts_with(char::is_whitespace)
}
