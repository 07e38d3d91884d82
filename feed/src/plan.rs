//! Planning: what a reader is shown next, in which order, and what it means that so many bytes of it were taken.
//!
//! A plan is a list of steps through the reader's cursors and its outbox, merged by position. [`Feeds::slices`] hands out
//! the bytes of the steps, [`Feeds::taken`] walks the same list: so there is one order, written down once.

use crate::log::{Cursor, DetourAction, Log, Passed};
use crate::{Feeds, LogId, ReaderId, Skipped};
use std::io::IoSlice;

/// A plan has at most so many steps; more is planned anew behind them.
const STEPS_MAX: usize = 64;

/// What a reader is shown next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// There is nothing that it has not been shown.
    Nothing,
    /// What comes next is not durable yet.
    Held,
    /// Its cursor lagged by more than the bound and has jumped to the log's end. Tell it so, and plan again.
    Jumped(Skipped),
    /// [`Feeds::slices`] has something for it.
    Bytes,
}

/// One step: always over whole entries, notes or rests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// What is left of an entry that was begun.
    Rest,
    /// The n-th note of the outbox.
    Note(usize),
    /// Entries of a log.
    Run { cursor: usize, log: LogId, from: u64, to: u64 },
    /// The n-th detour of a cursor: its own bytes, or none.
    Detour { cursor: usize, log: LogId, nth: usize },
    /// An entry that was shown from another log.
    Pass { cursor: usize, log: LogId, to: u64 },
}

/// Where one cursor of the reader stands while a plan is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scratch {
    log: LogId,
    index: u32,
    offset: u64,
    detour: usize,
}

/// What comes next at one cursor.
#[derive(Clone, Copy)]
struct Head {
    position: u64,
    what: HeadKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HeadKind {
    Entries,
    Detour,
    NotDurable,
}

impl Feeds {
    /// Finds out what the reader is to be shown next.
    pub fn plan(&mut self, reader: ReaderId) -> Plan {
        self.steps.clear();
        self.planned = Some(reader);
        let Some(found) = self.readers.get_mut(reader.0) else { return Plan::Nothing };
        found.listed = false;
        if let Some(skipped) = self.jump(reader) {
            return Plan::Jumped(skipped);
        }
        let is_held = self.merge(reader);
        if self.steps.iter().all(|step| matches!(step, Step::Pass { .. }) || self.len(*step) == 0) {
            self.taken(0);
            return if is_held { self.hold(reader) } else { Plan::Nothing };
        }
        Plan::Bytes
    }

    fn hold(&mut self, reader: ReaderId) -> Plan {
        if let Some(found) = self.readers.get_mut(reader.0)
            && !found.held
        {
            found.held = true;
            self.held.push(reader);
        }
        Plan::Held
    }

    /// Lets the first cursor that stands in front of what is kept jump.
    fn jump(&mut self, reader: ReaderId) -> Option<Skipped> {
        let found = self.readers.get(reader.0)?;
        for (id, index) in &found.cursors {
            let log = self.logs.get_mut(id.0)?;
            log.release(self.durable);
            let begin = log.begin();
            let cursor = &log.cursors[*index as usize];
            let target = log.limit().max(begin).min(cursor.end);
            if cursor.offset >= begin || cursor.offset >= target {
                continue;
            }
            let passed = if target >= begin { log.passed_at(target) } else { cursor.passed };
            let position = position_in_front_of(log, target);
            let label = log.label;
            let cursor = &mut log.cursors[*index as usize];
            let from = cursor.passed.sequence + 1;
            let messages = cursor.jump(target, passed);
            return Some(Skipped { label, messages, from, to: passed.sequence, position });
        }
        None
    }

    /// Makes the list of steps. Returns whether it ends at something that is not durable.
    fn merge(&mut self, reader: ReaderId) -> bool {
        let Some(found) = self.readers.get(reader.0) else { return false };
        if !found.rest().is_empty() {
            self.steps.push(Step::Rest);
        }
        self.scratch.clear();
        for (log, index) in &found.cursors {
            let offset = self.logs.get(log.0).map_or(0, |log| log.cursors[*index as usize].offset);
            self.scratch.push(Scratch { log: *log, index: *index, offset, detour: 0 });
        }
        let mut note = 0;
        while self.steps.len() < STEPS_MAX {
            let note_position = self.note_position(reader, note);
            let is_alone = self.scratch.len() == 1 && note_position.is_none();
            let heads = self.scratch.iter().enumerate();
            let heads = heads.filter_map(|(at, scratch)| Some((at, self.head(scratch, is_alone)?)));
            let first = heads.min_by_key(|(_, head)| head.position);
            match (first, note_position) {
                (Some((at, head)), _) if note_position.is_none_or(|position| head.position <= position) => {
                    if head.what == HeadKind::NotDurable {
                        return true;
                    }
                    self.take_step(at, head, note_position, is_alone);
                }
                (_, Some(_)) => {
                    self.steps.push(Step::Note(note));
                    note += 1;
                }
                (_, None) => return false,
            }
        }
        false
    }

    fn note_position(&self, reader: ReaderId, nth: usize) -> Option<u64> {
        Some(self.readers.get(reader.0)?.note(nth)?.position)
    }

    fn head(&self, scratch: &Scratch, is_alone: bool) -> Option<Head> {
        let log = self.logs.get(scratch.log.0)?;
        let cursor = &log.cursors[scratch.index as usize];
        let limit = log.limit();
        if let Some(detour) = cursor.detour(scratch.detour)
            && detour.start <= scratch.offset
        {
            let waits = matches!(detour.action, DetourAction::Hold(_)) && detour.position > self.durable;
            let what = if waits || detour.start >= limit { HeadKind::NotDurable } else { HeadKind::Detour };
            let what = if detour.start < limit || limit == log.end() { what } else { HeadKind::NotDurable };
            return Some(Head { position: detour.position, what });
        }
        if scratch.offset >= log.end().min(cursor.end) {
            return None;
        }
        let position = if is_alone { 0 } else { log.position_at(scratch.offset) };
        let what = if scratch.offset < limit { HeadKind::Entries } else { HeadKind::NotDurable };
        Some(Head { position, what })
    }

    /// Adds the steps for the head at `at`, as far as nothing else comes in between.
    fn take_step(&mut self, at: usize, head: Head, note: Option<u64>, is_alone: bool) {
        let scratch = self.scratch[at];
        if head.what == HeadKind::Detour {
            self.scratch[at] = self.behind_detour(scratch);
            self.steps.push(Step::Detour { cursor: at, log: scratch.log, nth: scratch.detour });
        } else {
            let to = self.run_end(at, head.position, note, is_alone);
            self.scratch[at].offset = to;
            self.steps.push(Step::Run { cursor: at, log: scratch.log, from: scratch.offset, to });
        }
        if !is_alone {
            self.pass_elsewhere(at, head.position);
        }
    }

    fn behind_detour(&self, scratch: Scratch) -> Scratch {
        let log = self.logs.get(scratch.log.0);
        let detour = log.and_then(|log| log.cursors[scratch.index as usize].detour(scratch.detour));
        let offset = detour.map_or(scratch.offset, |detour| detour.end.max(scratch.offset));
        Scratch { offset, detour: scratch.detour + 1, ..scratch }
    }

    /// How far entries can be taken in one go.
    fn run_end(&self, at: usize, position: u64, note: Option<u64>, is_alone: bool) -> u64 {
        let scratch = &self.scratch[at];
        let Some(log) = self.logs.get(scratch.log.0) else { return scratch.offset };
        let cursor = &log.cursors[scratch.index as usize];
        let detour = cursor.detour(scratch.detour).map_or(u64::MAX, |detour| detour.start);
        let end = log.limit().min(cursor.end).min(detour);
        if is_alone {
            return end;
        }
        let others = self.scratch.iter().enumerate().filter(|(other, _)| *other != at);
        let other_heads = others.filter_map(|(_, scratch)| self.head(scratch, false));
        let behind_note = note.map(|position| position + 1);
        let next = other_heads.map(|head| head.position).chain(behind_note).min();
        match next {
            None => end,
            Some(next) if next <= position => log.entry_end(scratch.offset).min(end),
            Some(next) => log.offset_of(next, scratch.offset).min(end),
        }
    }

    /// What stands at the same position in other logs has just been shown.
    fn pass_elsewhere(&mut self, shown: usize, position: u64) {
        for at in 0..self.scratch.len() {
            let scratch = self.scratch[at];
            let Some(head) = self.head(&scratch, false) else { continue };
            if at == shown || head.position != position {
                continue;
            }
            let Some(log) = self.logs.get(scratch.log.0) else { continue };
            let is_detour = log.cursors[scratch.index as usize]
                .detour(scratch.detour)
                .is_some_and(|detour| detour.start <= scratch.offset);
            let to =
                if is_detour { self.behind_detour(scratch).offset } else { log.entry_end(scratch.offset) };
            self.scratch[at].offset = to;
            self.scratch[at].detour += usize::from(is_detour);
            self.steps.push(Step::Pass { cursor: at, log: scratch.log, to });
        }
    }

    /// Fills `slices` with what was planned, as far as it goes, and returns how many were filled.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for step in &self.steps {
            for piece in self.pieces(*step) {
                if piece.is_empty() {
                    continue;
                }
                let Some(slot) = slices.get_mut(count) else { return count };
                *slot = IoSlice::new(piece);
                count += 1;
            }
        }
        count
    }

    fn pieces(&self, step: Step) -> impl Iterator<Item = &[u8]> {
        let (run, single) = match step {
            Step::Run { log, from, to, .. } => (self.logs.get(log.0).map(|log| log.pieces(from, to)), None),
            Step::Rest => (None, self.planned_reader().map(|found| found.rest())),
            Step::Note(nth) => {
                (None, self.planned_reader().and_then(|found| Some(found.note(nth)?.bytes.as_slice())))
            }
            Step::Detour { cursor, log, nth } => (None, self.detour_bytes(cursor, log, nth)),
            Step::Pass { .. } => (None, None),
        };
        run.into_iter().flatten().chain(single)
    }

    fn planned_reader(&self) -> Option<&crate::reader::Reader> {
        self.readers.get(self.planned?.0)
    }

    fn detour_bytes(&self, cursor: usize, log: LogId, nth: usize) -> Option<&[u8]> {
        let (_, index) = *self.planned_reader()?.cursors.get(cursor)?;
        Some(self.logs.get(log.0)?.cursors[index as usize].detour(nth)?.bytes())
    }

    fn len(&self, step: Step) -> usize {
        match step {
            Step::Run { from, to, .. } => (to - from) as usize,
            Step::Pass { .. } => 0,
            Step::Rest | Step::Note(_) | Step::Detour { .. } => self.pieces(step).map(<[u8]>::len).sum(),
        }
    }

    /// Moves the reader that was planned on by so many of the bytes that were handed out.
    pub fn taken(&mut self, bytes: usize) {
        let Some(reader) = self.planned else { return };
        let steps = std::mem::take(&mut self.steps);
        // Detours and notes are popped as they are taken, so that the first that is left is always meant.
        let mut left = bytes;
        for step in &steps {
            let len = self.len(first_of(*step));
            if len > 0 && left == 0 {
                break;
            }
            let taken = left.min(len);
            left -= taken;
            if !self.take(reader, *step, taken, len) {
                break;
            }
        }
        self.steps = steps;
        self.steps.clear();
        self.drop_ended_cursors(reader);
        if let Some(found) = self.readers.get_mut(reader.0) {
            found.tidy();
        }
    }

    /// Takes `taken` of the `len` bytes of a step; what is left of something that was begun is put aside. Returns whether
    /// the step was taken to its end.
    fn take(&mut self, reader: ReaderId, step: Step, taken: usize, len: usize) -> bool {
        match step {
            Step::Run { cursor, log, from, to } => {
                let reached = from + taken as u64;
                self.take_run(reader, cursor, log, reached.min(to));
                taken == len || self.offset_of_cursor(reader, cursor) == Some(to)
            }
            Step::Rest => {
                self.with_reader(reader, |found| found.take_rest(taken));
                taken == len
            }
            Step::Note(_) => {
                self.with_reader(reader, |found| {
                    let note = found.pop_note().unwrap_or_default();
                    if taken < len {
                        found.set_rest(&note[taken..]);
                    }
                });
                true
            }
            Step::Detour { cursor, .. } => {
                self.take_detour(reader, cursor, taken);
                true
            }
            Step::Pass { cursor, to, .. } => {
                self.pass(reader, cursor, to);
                true
            }
        }
    }

    fn with_reader(&mut self, reader: ReaderId, act: impl FnOnce(&mut crate::reader::Reader)) {
        if let Some(found) = self.readers.get_mut(reader.0) {
            act(found);
        }
    }

    fn cursor_mut(&mut self, reader: ReaderId, cursor: usize) -> Option<&mut Cursor> {
        let (log, index) = *self.readers.get(reader.0)?.cursors.get(cursor)?;
        self.logs.get_mut(log.0)?.cursors.get_mut(index as usize)
    }

    fn offset_of_cursor(&mut self, reader: ReaderId, cursor: usize) -> Option<u64> {
        self.cursor_mut(reader, cursor).map(|cursor| cursor.offset)
    }

    /// Moves a cursor to `reached`; if that is inside an entry, to its end, with what is left of it put aside.
    fn take_run(&mut self, reader: ReaderId, cursor: usize, log: LogId, reached: u64) {
        let Some(place) = self.logs.get(log.0) else { return };
        let passed = place.passed_at(reached);
        let is_between = reached >= place.end() || place.entry_start(reached) == reached;
        if is_between {
            self.move_cursor(reader, cursor, reached, passed);
            return;
        }
        let end = place.entry_end(reached);
        let passed = place.passed_at(end);
        let rest: Vec<u8> = place.pieces(reached, end).flatten().copied().collect();
        self.with_reader(reader, |found| found.set_rest(&rest));
        self.move_cursor(reader, cursor, end, passed);
    }

    fn move_cursor(&mut self, reader: ReaderId, cursor: usize, offset: u64, passed: Passed) {
        if let Some(cursor) = self.cursor_mut(reader, cursor) {
            cursor.offset = offset;
            cursor.passed = passed;
        }
    }

    fn take_detour(&mut self, reader: ReaderId, cursor: usize, taken: usize) {
        let Some(cursor) = self.cursor_mut(reader, cursor) else { return };
        let Some(detour) = cursor.pop_detour() else { return };
        if detour.end > cursor.offset {
            cursor.offset = detour.end;
            cursor.passed = detour.passed;
        }
        if taken < detour.bytes().len() {
            self.with_reader(reader, |found| found.set_rest(&detour.bytes()[taken..]));
        }
    }

    fn pass(&mut self, reader: ReaderId, cursor: usize, to: u64) {
        let Some((log, index)) =
            self.readers.get(reader.0).and_then(|found| found.cursors.get(cursor).copied())
        else {
            return;
        };
        let Some(place) = self.logs.get_mut(log.0) else { return };
        let passed = place.passed_at(to);
        let cursor = &mut place.cursors[index as usize];
        if cursor.detour(0).is_some_and(|detour| detour.start < to) {
            cursor.pop_detour();
        }
        cursor.offset = to;
        cursor.passed = passed;
    }
}

/// While a plan is taken step by step, what it calls the n-th is the first that is left.
fn first_of(step: Step) -> Step {
    match step {
        Step::Note(_) => Step::Note(0),
        Step::Detour { cursor, log, .. } => Step::Detour { cursor, log, nth: 0 },
        other => other,
    }
}

/// The position of the last entry in front of an offset; of the log's last entry if nothing behind it is kept.
fn position_in_front_of(log: &Log, offset: u64) -> u64 {
    if offset >= log.end() { log.position() } else { log.position_at(offset).saturating_sub(1) }
}
