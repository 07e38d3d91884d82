//! A text that knows where its grapheme clusters end.
//!
//! Where it stands: the line being edited, the lines of the history and what was killed are such texts.
//!
//! The ends are kept and not found again with each key: where a cluster ends can depend on all that stands before it
//! (a row of flags is one run of equal characters), and a key must not cost more because somebody typed thousands of
//! those. Only the two clusters at a joint are looked at anew.
//!
//! In a text of many lines a LF is a cluster of its own.
//!
//! What this file must never do: hold a cluster of more than [`GRAPHEME_CHARACTERS_MAX`] characters, or panic because a place
//! is one of another text.

use super::width::{columns, graphemes};
use hub::is_showable;

/// A grapheme cluster has at most so many characters: enough for a family with skin colours, not for a tower of accents.
pub const GRAPHEME_CHARACTERS_MAX: usize = 16;

/// A place between two clusters, of the text that answered with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Place {
    /// How many clusters stand before it.
    pub(crate) index: usize,
    /// How many bytes stand before it.
    pub(crate) byte: usize,
}

impl Place {
    /// Before everything.
    pub const START: Place = Place { index: 0, byte: 0 };

    /// How many clusters stand before it.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many bytes stand before it.
    pub fn byte(self) -> usize {
        self.byte
    }
}

/// A text and the lengths of its clusters in bytes, each at most four times [`GRAPHEME_CHARACTERS_MAX`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Clusters {
    text: String,
    lengths: Vec<u8>,
}

impl Clusters {
    /// Takes what may be shown out of a text of one line, up to `bytes_max` bytes; LF and TAB are not.
    pub fn new(raw: &str, bytes_max: usize) -> Clusters {
        let mut clusters = Clusters::default();
        for character in raw.chars().filter(|&character| is_showable(character)) {
            if clusters.text.len() + character.len_utf8() <= bytes_max {
                clusters.insert(clusters.end(), character);
            }
        }
        clusters
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, without its ends.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Behind everything.
    pub fn end(&self) -> Place {
        Place { index: self.lengths.len(), byte: self.text.len() }
    }

    /// The place one cluster further back.
    pub fn before(&self, place: Place) -> Option<Place> {
        let index = place.index.checked_sub(1)?;
        let length = *self.lengths.get(index)?;
        Some(Place { index, byte: place.byte.checked_sub(length.into())? })
    }

    /// The place one cluster further on.
    pub fn after(&self, place: Place) -> Option<Place> {
        let length = *self.lengths.get(place.index)?;
        Some(Place { index: place.index + 1, byte: place.byte + usize::from(length) })
    }

    /// The cluster behind a place; empty at the end.
    pub fn at(&self, place: Place) -> &str {
        let behind = self.after(place).unwrap_or(place);
        self.text.get(place.byte..behind.byte).unwrap_or_default()
    }

    /// The place before which so many bytes stand; in the middle of a cluster, the one in front of it.
    pub fn place_at(&self, byte: usize) -> Place {
        if byte >= self.text.len() {
            return self.end();
        }
        let mut place = Place::START;
        while let Some(next) = self.after(place).filter(|next| next.byte <= byte) {
            place = next;
        }
        place
    }

    /// What stands between two places.
    pub(super) fn between(&self, from: Place, to: Place) -> Clusters {
        Clusters {
            text: self.text[from.byte..to.byte].into(),
            lengths: self.lengths[from.index..to.index].into(),
        }
    }

    /// Puts `new` in the place of what stands between two places. Answers with the place behind it.
    pub(super) fn replace(&mut self, from: Place, to: Place, new: &Clusters) -> Place {
        self.text.replace_range(from.byte..to.byte, &new.text);
        self.lengths.splice(from.index..to.index, new.lengths.iter().copied());
        let mut end = Place { index: from.index + new.lengths.len(), byte: from.byte + new.text.len() };
        if !new.text.is_empty() {
            // What closes here stands before `end`, which then has fewer clusters before it.
            let behind = self.lengths.len() - end.index;
            self.join(from);
            end.index = self.lengths.len() - behind;
        }
        self.join(end)
    }

    /// Puts one character in. `None` if there would be nothing to be seen of it, or it is one too many in its cluster.
    pub(super) fn insert(&mut self, at: Place, character: char) -> Option<Place> {
        let mut buffer = [0; 4];
        let text: &str = character.encode_utf8(&mut buffer);
        if !self.can_take(at, text) {
            return None;
        }
        let new = Clusters { text: text.into(), lengths: vec![text.len() as u8] };
        Some(self.replace(at, at, &new))
    }

    fn can_take(&self, at: Place, character: &str) -> bool {
        let left = self.before(at).map_or("", |left| self.at(left));
        let right = self.at(at);
        if [left, character, right].iter().all(|text| text.is_ascii()) {
            return true;
        }
        let around = [left, character, right].concat();
        let mut end = 0;
        let its_own = graphemes(&around).find(|grapheme| {
            end += grapheme.len();
            end > left.len()
        });
        its_own.is_some_and(|grapheme| {
            columns(grapheme) > 0 && grapheme.chars().nth(GRAPHEME_CHARACTERS_MAX).is_none()
        })
    }

    /// Finds the ends of the two clusters at a place anew. Answers with the first place that is not before it.
    fn join(&mut self, at: Place) -> Place {
        let (Some(left), Some(right)) = (self.before(at), self.after(at)) else { return at };
        let around = &self.text[left.byte..right.byte];
        let is_full = |grapheme: &str| grapheme.chars().nth(GRAPHEME_CHARACTERS_MAX).is_some();
        if around.is_ascii() || graphemes(around).any(is_full) {
            return at;
        }
        let lengths: Vec<u8> = graphemes(around).map(|grapheme| grapheme.len() as u8).collect();
        self.lengths.splice(left.index..right.index, lengths);
        let mut place = left;
        while place.byte < at.byte {
            let Some(next) = self.after(place) else { break };
            place = next;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(clusters: &Clusters) -> Vec<&str> {
        let mut place = Place::START;
        let mut parts = Vec::new();
        while let Some(next) = clusters.after(place) {
            parts.push(clusters.at(place));
            place = next;
        }
        parts
    }

    fn clusters(text: &str) -> Clusters {
        Clusters::new(text, 1000)
    }

    fn place(clusters: &Clusters, index: usize) -> Place {
        (0..index).fold(Place::START, |place, _| clusters.after(place).unwrap_or(place))
    }

    #[test]
    fn text_falls_into_what_people_take_for_characters() {
        let text = clusters("ae\u{301}漢👨‍👩‍👧‍👦🇩🇪🇫🇷");
        assert_eq!(parts(&text), ["a", "e\u{301}", "漢", "👨‍👩‍👧‍👦", "🇩🇪", "🇫🇷"]);
    }

    #[test]
    fn character_put_between_two_may_make_one_of_all() {
        let mut text = clusters("👨👩");
        let behind = text.insert(place(&text, 1), '\u{200d}');
        assert_eq!(parts(&text), ["👨\u{200d}👩"]);
        assert_eq!(behind, Some(text.end()));
    }

    #[test]
    fn what_is_left_when_something_goes_may_become_one() {
        let mut text = clusters("🇩x🇪");
        let behind = text.replace(place(&text, 1), place(&text, 2), &Clusters::default());
        assert_eq!(parts(&text), ["🇩🇪"]);
        assert_eq!(behind, text.end());
    }

    #[test]
    fn mark_with_nothing_to_stand_on_is_not_taken() {
        assert_eq!(parts(&clusters("\u{301}\u{200b}\u{feff}\u{200d}a\u{200b}\u{301}")), ["a\u{301}"]);
    }

    #[test]
    fn tower_of_marks_ends_somewhere() {
        let text = clusters(&format!("a{}b", "\u{301}".repeat(100)));
        assert_eq!(parts(&text).iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [16, 1]);
    }

    proptest! {
        /// But for long runs of flags and for full clusters it is exactly the division of the standard.
        #[test]
        fn ends_are_where_the_standard_puts_them(
            edits in proptest::collection::vec((0_usize..12, 0_usize..4, "[ae漢👨👩\u{301}\u{200d}각ᄀ\u{1161}\u{600}क\u{94d}षि]{0,4}"), 1..20),
        ) {
            let mut text = Clusters::default();
            for (index, length, new) in edits {
                let from = place(&text, index);
                let to = place(&text, index + length);
                let new = clusters(&new);
                let behind = text.replace(from, to, &new);
                prop_assert_eq!(place(&text, behind.index), behind);
                prop_assert!(behind.byte >= from.byte + new.text().len());
                prop_assert_eq!(parts(&text).concat(), text.text());
                if parts(&text).iter().all(|part| part.chars().count() < 8) {
                    let standard: Vec<&str> = graphemes(text.text()).collect();
                    prop_assert_eq!(parts(&text), standard);
                }
            }
        }
    }
}
