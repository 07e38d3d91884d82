//! The text being edited, a line or many, and where the cursor stands in it.
//!
//! Where it stands: behind the keys, in front of the rows that are shown. It knows nothing of either.
//!
//! What this file must never do: put the cursor into the middle of a grapheme cluster, hold more than
//! [`TEXT_BYTES_MAX`] bytes or [`TEXT_LINES_MAX`] lines, or look further than [`WORD_CLUSTERS_MAX`] for the end of a word.

use super::clusters::{Clusters, Place};
use super::undo::{Change, Snapshot, Undo};
use hub::is_showable;
use hub::{TEXT_BYTES_MAX, TEXT_LINES_MAX};

/// A motion by a word goes at most so far: a key must not cost more because the line is one long word.
const WORD_CLUSTERS_MAX: usize = 256;

/// What stands for a TAB in many lines: a terminal would go to a column that nobody here knows.
const BLANKS_FOR_TAB: &str = "    ";

/// Whether a text may have line ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lines {
    /// It may not: in what is pasted, a blank stands for each.
    #[default]
    One,
    /// It may: up to [`TEXT_LINES_MAX`] lines, with a LF between two.
    Many,
}

/// Where a key goes, or up to where it takes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Motion {
    /// The beginning of the line in which the cursor stands.
    Start,
    /// The end of that line.
    End,
    /// Before everything.
    TextStart,
    /// Behind everything.
    TextEnd,
    /// One character back; a line end is one.
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
pub enum Effect {
    /// It did, or had nothing to do.
    Done,
    /// It could not.
    Nothing,
}

/// The text being edited: a line, or many.
#[derive(Clone, Default, Debug)]
pub struct Line {
    lines: Lines,
    clusters: Clusters,
    cursor: Place,
    /// `None` if nothing is ever to be undone.
    undo: Option<Box<Undo>>,
}

impl Line {
    /// An empty one.
    pub fn new(lines: Lines) -> Line {
        Line { lines, ..Line::default() }
    }

    /// Remembers from now on what [`Line::undo`] needs.
    #[must_use]
    pub fn with_undo(self) -> Line {
        Line { undo: Some(Box::default()), ..self }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.clusters.text()
    }

    /// Its text by clusters.
    pub fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    /// Where the cursor stands.
    pub fn cursor(&self) -> Place {
        self.cursor
    }

    /// The text in front of the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text()[..self.cursor.byte]
    }

    /// Types a character; LF is one where there are many lines. What may not be shown, or cannot be seen, is passed over.
    pub fn insert(&mut self, character: char) -> Effect {
        let is_line_end = character == '\n' && self.lines == Lines::Many;
        if !is_showable(character) && !is_line_end {
            return Effect::Done;
        }
        if is_line_end && line_ends(self.text()) >= self.lines.line_ends_max() {
            return Effect::Nothing;
        }
        if self.text().len() + character.len_utf8() > TEXT_BYTES_MAX {
            return Effect::Nothing;
        }
        let kind = if character.is_whitespace() { Change::TypedBlank } else { Change::TypedInWord };
        self.change(kind, |line| match line.clusters.insert(line.cursor, character) {
            Some(behind) => {
                line.cursor = behind;
                Effect::Done
            }
            None => Effect::Nothing,
        })
    }

    /// Puts text where the cursor stands, in the place of the `bytes_before` bytes in front of it, which must be whole
    /// clusters. All of it or nothing.
    pub fn insert_text(&mut self, bytes_before: usize, new: &Clusters) -> Effect {
        let mut from = self.cursor;
        while from.byte + bytes_before > self.cursor.byte {
            let Some(before) = self.clusters.before(from) else { break };
            from = before;
        }
        let room = self.room(self.cursor.byte - from.byte);
        let ends = line_ends(new.text());
        if new.text().is_empty() || new.text().len() > room.bytes {
            return Effect::Nothing;
        }
        match self.lines {
            Lines::One if ends > 0 => self.put(from, &self.lines.fit(new.text(), room).0),
            Lines::Many if ends > room.line_ends => Effect::Nothing,
            _ => self.put(from, new),
        }
    }

    /// Puts text from elsewhere where the cursor stands, up to the bounds. Answers with how many bytes of it, at its end, were
    /// not taken.
    ///
    /// CR LF and CR are line ends like LF. Where there is but one line, a blank stands for each, and for a TAB; else
    /// four blanks stand for a TAB. What may not be shown is left out.
    pub fn paste(&mut self, raw: &str) -> usize {
        let (new, rest) = self.lines.fit(raw, self.room(0));
        if !new.text().is_empty() {
            self.put(self.cursor, &new);
        }
        rest
    }

    /// Makes this the text, as far as it fits, with the cursor at its end. Answers with what was there.
    pub fn set(&mut self, clusters: Clusters) -> Clusters {
        let clusters = self.lines.fit_all(clusters);
        self.change(Change::Whole, |line| {
            line.cursor = clusters.end();
            std::mem::replace(&mut line.clusters, clusters)
        })
    }

    /// Takes the text out: it is finished, and what was done to it cannot be undone any more.
    pub fn take(&mut self) -> Clusters {
        if let Some(undo) = &mut self.undo {
            **undo = Undo::default();
        }
        self.cursor = Place::START;
        std::mem::take(&mut self.clusters)
    }

    /// Moves the cursor.
    pub fn go(&mut self, motion: Motion) -> Effect {
        let target = self.target(motion);
        let is_far = matches!(motion, Motion::Start | Motion::End | Motion::TextStart | Motion::TextEnd);
        let effect = if target == self.cursor && !is_far { Effect::Nothing } else { Effect::Done };
        self.move_to(target);
        effect
    }

    /// Moves the cursor to where so many bytes stand before it; in the middle of a cluster, in front of that.
    pub fn go_to_byte(&mut self, byte: usize) {
        self.move_to(self.clusters.place_at(byte));
    }

    /// Takes away what stands between the cursor and where it would go. At the beginning of a line, what stands before that
    /// is the line end, and likewise at its end.
    pub fn cut(&mut self, motion: Motion) -> Clusters {
        let target = self.cut_target(motion);
        let (from, to) = (target.min(self.cursor), target.max(self.cursor));
        let kind =
            if matches!(motion, Motion::Left | Motion::Right) { Change::Erased } else { Change::Whole };
        self.change(kind, |line| {
            let cut = line.clusters.between(from, to);
            line.cursor = line.clusters.replace(from, to, &Clusters::default());
            cut
        })
    }

    /// Exchanges the characters around the cursor, or the last two at the end, and goes on behind them.
    pub fn transpose(&mut self) -> Effect {
        let behind = self.clusters.after(self.cursor).unwrap_or(self.cursor);
        let middle = self.clusters.before(behind);
        let Some((middle, start)) = middle.and_then(|at| Some((at, self.clusters.before(at)?))) else {
            return Effect::Nothing;
        };
        let first = self.clusters.between(start, middle);
        let second = self.clusters.between(middle, behind);
        self.change(Change::Whole, |line| {
            let gap = line.clusters.replace(start, behind, &second);
            line.cursor = line.clusters.replace(gap, gap, &first);
            Effect::Done
        })
    }

    /// Takes the last step back: a word that was typed, a run of erased characters, or whatever else was done at once.
    pub fn undo(&mut self) -> Effect {
        self.exchange(Undo::undo)
    }

    /// Does again what was undone last.
    pub fn redo(&mut self) -> Effect {
        self.exchange(Undo::redo)
    }

    fn exchange(&mut self, step: fn(&mut Undo, Snapshot) -> Option<Snapshot>) -> Effect {
        let now = self.snapshot();
        let Some(snapshot) = self.undo.as_mut().and_then(|undo| step(undo, now)) else {
            return Effect::Nothing;
        };
        self.clusters = snapshot.clusters;
        self.cursor = snapshot.cursor;
        Effect::Done
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot { clusters: self.clusters.clone(), cursor: self.cursor }
    }

    /// Does something to the text that can be undone.
    fn change<Answer>(&mut self, kind: Change, edit: impl FnOnce(&mut Line) -> Answer) -> Answer {
        let begins = self.undo.as_ref().is_some_and(|undo| undo.begins_step(kind));
        let before = begins.then(|| self.snapshot());
        let answer = edit(self);
        if let Some(undo) = &mut self.undo
            && before.as_ref().is_none_or(|before| before.clusters != self.clusters)
        {
            undo.changed(kind, before);
        }
        answer
    }

    fn move_to(&mut self, place: Place) {
        if place != self.cursor
            && let Some(undo) = &mut self.undo
        {
            undo.end_step();
        }
        self.cursor = place;
    }

    /// What can still be put in if so many bytes in front of the cursor go.
    fn room(&self, bytes_before: usize) -> Room {
        let gone = &self.text()[self.cursor.byte - bytes_before..self.cursor.byte];
        Room {
            bytes: TEXT_BYTES_MAX - (self.text().len() - gone.len()),
            line_ends: self.lines.line_ends_max() - (line_ends(self.text()) - line_ends(gone)),
        }
    }

    fn put(&mut self, from: Place, new: &Clusters) -> Effect {
        self.change(Change::Whole, |line| {
            line.cursor = line.clusters.replace(from, line.cursor, new);
            Effect::Done
        })
    }

    fn target(&self, motion: Motion) -> Place {
        let clusters = &self.clusters;
        match motion {
            Motion::Start => clusters.place_at(self.before_cursor().rfind('\n').map_or(0, |at| at + 1)),
            Motion::End => {
                let behind = &self.text()[self.cursor.byte..];
                clusters.place_at(self.cursor.byte + behind.find('\n').unwrap_or(behind.len()))
            }
            Motion::TextStart => Place::START,
            Motion::TextEnd => clusters.end(),
            Motion::Left => clusters.before(self.cursor).unwrap_or(self.cursor),
            Motion::Right => clusters.after(self.cursor).unwrap_or(self.cursor),
            Motion::WordLeft => self.behind_word(Clusters::before, is_in_word),
            Motion::WordRight => self.behind_word(Clusters::after, is_in_word),
            Motion::BlankLeft => self.behind_word(Clusters::before, is_not_blank),
        }
    }

    fn cut_target(&self, motion: Motion) -> Place {
        match (self.target(motion), motion) {
            (target, Motion::Start) if target == self.cursor => self.target(Motion::Left),
            (target, Motion::End) if target == self.cursor => self.target(Motion::Right),
            (target, _) => target,
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

/// How much can still be put into a text.
#[derive(Clone, Copy)]
struct Room {
    bytes: usize,
    line_ends: usize,
}

impl Lines {
    fn line_ends_max(self) -> usize {
        match self {
            Lines::One => 0,
            Lines::Many => TEXT_LINES_MAX - 1,
        }
    }

    /// Text as it can stand here, as far as there is room for it, and how many bytes at its end were left.
    fn fit(self, raw: &str, room: Room) -> (Clusters, usize) {
        let (mut clusters, mut line_ends, mut rest) = (Clusters::default(), 0, raw);
        while let Some((bytes_used, typed)) = self.first(rest) {
            line_ends += usize::from(typed == "\n");
            if clusters.text().len() + typed.len() > room.bytes || line_ends > room.line_ends {
                break;
            }
            for character in typed.chars() {
                clusters.insert(clusters.end(), character);
            }
            rest = &rest[bytes_used..];
        }
        (clusters, rest.len())
    }

    /// The same for what has its clusters, which is mostly right as it is.
    fn fit_all(self, clusters: Clusters) -> Clusters {
        let room = Room { bytes: TEXT_BYTES_MAX, line_ends: self.line_ends_max() };
        let is_fit = clusters.text().len() <= room.bytes && line_ends(clusters.text()) <= room.line_ends;
        if is_fit { clusters } else { self.fit(clusters.text(), room).0 }
    }

    /// What is typed for the first character of a text, or for the first two, and how many bytes those have.
    fn first(self, raw: &str) -> Option<(usize, &str)> {
        let character = raw.chars().next()?;
        let bytes = if raw.starts_with("\r\n") { 2 } else { character.len_utf8() };
        let typed = match (character, self) {
            ('\n' | '\r', Lines::Many) => "\n",
            ('\t', Lines::Many) => BLANKS_FOR_TAB,
            ('\n' | '\r' | '\t', Lines::One) => " ",
            _ if is_showable(character) => &raw[..bytes],
            _ => "",
        };
        Some((bytes, typed))
    }
}

fn line_ends(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

fn is_in_word(cluster: &str) -> bool {
    cluster.starts_with(char::is_alphanumeric)
}

fn is_not_blank(cluster: &str) -> bool {
    !cluster.starts_with(char::is_whitespace)
}
