//! A reader: where its cursors are, and what waits for it alone.

use crate::LogId;
use crate::few::Few;
use std::collections::{BTreeSet, VecDeque};

/// Small, because there may be very many: what few readers have at a time stands in a box.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Log, and index in the log's list of cursors, in the order of beginning.
    pub(crate) cursors: Few<(LogId, u32)>,
    private: Option<Box<Private>>,
    /// In which turn it was handed out as due last.
    turn: u32,
    /// Whether it is on the list of those who are due whatever their logs say.
    pub(crate) listed: bool,
    /// Whether it is on the list of those who wait for something to become durable.
    pub(crate) held: bool,
}

#[derive(Debug, Default)]
struct Private {
    /// What is left of an entry that was begun.
    rest: Vec<u8>,
    rest_taken: usize,
    notes: VecDeque<Note>,
    notes_bytes: usize,
    /// What was held and has been passed: told as notes when it is durable. Ascending, as it was passed.
    owed: VecDeque<Note>,
    /// What comes behind all that.
    last_words: Vec<Note>,
    /// Of both.
    waiting_bytes: usize,
    ignored: BTreeSet<u64>,
    /// No entry behind this position is shown.
    gate: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) position: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Note {
    /// What it costs while it waits to be told.
    fn waiting_bytes(&self) -> usize {
        size_of::<Note>() + self.bytes.len()
    }
}

impl Reader {
    /// The position behind which no entry is shown, if there is one.
    pub(crate) fn gate(&self) -> Option<u64> {
        self.private.as_ref()?.gate
    }

    pub(crate) fn set_gate(&mut self, gate: Option<u64>) {
        self.private_mut().gate = gate;
        self.tidy();
    }

    /// Whether it has not been handed out in this turn yet. From now on it has.
    pub(crate) fn is_new_in(&mut self, turn: u32) -> bool {
        std::mem::replace(&mut self.turn, turn) != turn
    }

    /// The numbers of the turns begin again.
    pub(crate) fn forget_turn(&mut self) {
        self.turn = 0;
    }

    fn private_mut(&mut self) -> &mut Private {
        self.private.get_or_insert_default()
    }

    pub(crate) fn rest(&self) -> &[u8] {
        self.private.as_ref().map_or(&[], |private| &private.rest[private.rest_taken..])
    }

    /// Puts aside what is left of something that was begun, if anything is.
    pub(crate) fn set_rest(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let private = self.private_mut();
        private.rest.clear();
        private.rest.extend_from_slice(bytes);
        private.rest_taken = 0;
    }

    pub(crate) fn take_rest(&mut self, taken: usize) {
        let private = self.private_mut();
        private.rest_taken += taken;
        if private.rest_taken >= private.rest.len() {
            private.rest = Vec::new();
            private.rest_taken = 0;
        }
    }

    pub(crate) fn note(&self, nth: usize) -> Option<&Note> {
        self.private.as_ref()?.notes.get(nth)
    }

    pub(crate) fn tell(&mut self, position: u64, bytes: &[u8]) {
        let private = self.private_mut();
        private.notes_bytes += bytes.len();
        let at = private.notes.partition_point(|note| note.position <= position);
        match at.checked_sub(1).map(|last| &mut private.notes[last]) {
            Some(last) if last.position == position => last.bytes.extend_from_slice(bytes),
            _ => private.notes.insert(at, Note { position, bytes: bytes.to_vec() }),
        }
    }

    pub(crate) fn pop_note(&mut self) -> Option<Vec<u8>> {
        let private = self.private_mut();
        let note = private.notes.pop_front()?;
        private.notes_bytes -= note.bytes.len();
        Some(note.bytes)
    }

    /// Whether something that was held and has been passed is still to be told.
    pub(crate) fn is_owed_anything(&self) -> bool {
        self.private.as_ref().is_some_and(|private| !private.owed.is_empty())
    }

    /// A held entry is passed before it is durable: its bytes are told later.
    pub(crate) fn owe(&mut self, position: u64, bytes: Vec<u8>) {
        let note = Note { position, bytes };
        let private = self.private_mut();
        private.waiting_bytes += note.waiting_bytes();
        private.owed.push_back(note);
    }

    /// Everything up to this position is durable: what was owed of that becomes notes. All in front of it has been shown when
    /// it was passed, so that it comes next.
    pub(crate) fn be_told_what_is_owed(&mut self, durable: u64) {
        while let Some(note) = self.pop_owed(durable) {
            self.tell(note.position, &note.bytes);
        }
    }

    fn pop_owed(&mut self, durable: u64) -> Option<Note> {
        let private = self.private.as_mut()?;
        if private.owed.front()?.position > durable {
            return None;
        }
        let note = private.owed.pop_front()?;
        private.waiting_bytes -= note.waiting_bytes();
        Some(note)
    }

    /// The position of last words that wait.
    pub(crate) fn last_words_position(&self) -> Option<u64> {
        Some(self.private.as_ref()?.last_words.first()?.position)
    }

    /// These wait until nothing is owed.
    pub(crate) fn tell_at_last(&mut self, position: u64, bytes: &[u8]) {
        let note = Note { position, bytes: bytes.to_vec() };
        let private = self.private_mut();
        private.waiting_bytes += note.waiting_bytes();
        private.last_words.push(note);
    }

    /// The last words, if there are any, become notes: it is their time.
    pub(crate) fn be_told_last_words(&mut self) {
        let last_words = self.private.as_mut().map(|private| std::mem::take(&mut private.last_words));
        for note in last_words.into_iter().flatten() {
            self.private_mut().waiting_bytes -= note.waiting_bytes();
            self.tell(note.position, &note.bytes);
        }
    }

    /// Gives the box back when nothing is in it.
    pub(crate) fn tidy(&mut self) {
        if let Some(private) = &self.private
            && private.rest.is_empty()
            && private.notes.is_empty()
            && private.owed.is_empty()
            && private.last_words.is_empty()
            && private.ignored.is_empty()
            && private.gate.is_none()
        {
            self.private = None;
        }
    }

    pub(crate) fn private_bytes(&self) -> usize {
        self.private.as_ref().map_or(0, |private| {
            private.notes_bytes + private.waiting_bytes + private.rest.len() - private.rest_taken
        })
    }

    pub(crate) fn ignore(&mut self, author: u64) {
        self.private_mut().ignored.insert(author);
    }

    pub(crate) fn hear(&mut self, author: u64) {
        self.private_mut().ignored.remove(&author);
        self.tidy();
    }

    pub(crate) fn ignores(&self, author: u64) -> bool {
        self.private.as_ref().is_some_and(|private| private.ignored.contains(&author))
    }

    pub(crate) fn ignores_anybody(&self) -> bool {
        self.private.as_ref().is_some_and(|private| !private.ignored.is_empty())
    }

    pub(crate) fn cursor_moved(&mut self, log: LogId, from: u32, to: u32) {
        let moved = self.cursors.iter_mut().find(|(id, index)| *id == log && *index == from);
        if let Some((_, index)) = moved {
            *index = to;
        }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl Reader {
    /// The positions of what it is owed.
    pub(crate) fn owed_positions(&self) -> Vec<u64> {
        let owed = self.private.iter().flat_map(|private| &private.owed);
        owed.map(|note| note.position).collect()
    }
}
