//! Planning: what a reader is shown next, in which order, and what it means that so many bytes of it were taken.
//!
//! A plan is a list of steps through the reader's cursors and its outbox, merged by position. [`Feeds::slices`] hands out
//! the bytes of the steps, [`Feeds::taken`] walks the same list: so there is one order, written down once. What it must
//! never do: move anything before it was taken, or leave anything half told.

use crate::log::{self, DetourAction, DetourEntry, Log};
use crate::reader::Reader;
use crate::{Feeds, Holding, LogId, ReaderId, Skipped};
use std::io::IoSlice;

/// A plan has about so many steps at most; more is planned anew behind them. Few in tests, so that they get there.
const STEPS_MAX: usize = if cfg!(any(test, feature = "fuzzing")) { 7 } else { 64 };

/// What a reader is shown next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// There is nothing that it has not been shown.
    Nothing,
    /// What comes next is not durable yet. The reader is due when more has become durable.
    Held,
    /// All that was told it alone has been shown, and what else there is, is not durable yet: something that it has passed, or
    /// that nobody is shown. The reader is due when more has become durable.
    Owed,
    /// Its cursor lagged by more than the bound and has jumped to the log's end. Tell it so, if it missed anything by that, and
    /// plan again.
    Jumped(Skipped),
    /// [`Feeds::slices`] has something for it.
    Bytes,
}

/// One step: always over whole entries, notes or rests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    what: What,
    /// How much it shows, in bytes; nothing if it passes what is stepped over or was shown from another log.
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// What is left of an entry that was begun.
    Rest,
    /// The n-th note of the outbox.
    Note(usize),
    /// The entries that end at an offset.
    Entries { log: LogId, cursor: usize, to: u64 },
    /// The n-th detour of a cursor.
    Detour { log: LogId, cursor: usize, nth: usize },
    /// The first detour of a cursor that is left, which is passed before it is durable.
    Owe { log: LogId, cursor: usize },
}

/// One cursor of the reader while a plan is made: how far it is planned, and what comes next there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    log: LogId,
    cursor: usize,
    offset: u64,
    /// How many detours are planned.
    detours: usize,
    /// Whether there is nothing else, neither cursors nor notes: then positions of entries need not be looked up.
    is_alone: bool,
    /// Of what comes next; the highest if nothing does.
    position: u64,
    next: Next,
}

/// What comes next at a cursor. Of several at one position the first in this order speaks for all of them, so that what
/// must not be shown yet, or must be shown for sure, or must not be shown, is not overruled by a bystander's view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Next {
    NotDurable,
    /// It is held and not durable yet.
    Waits,
    /// It is held, and durable.
    Hold,
    Show,
    StepOver,
    Entries,
    Nothing,
}

/// Why a plan ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    NotDurable,
    More,
}

impl Step {
    /// The same step over a detour that is not durable yet: its bytes are not shown, but owed.
    fn owed(self) -> Step {
        match self.what {
            What::Detour { log, cursor, .. } => Step { what: What::Owe { log, cursor }, bytes: 0 },
            _ => self,
        }
    }
}

impl Stand {
    fn new(log_id: LogId, cursor: usize, log: &Log, durable: u64) -> Stand {
        let offset = log.cursors[cursor].offset;
        let (position, next) = (u64::MAX, Next::Nothing);
        let mut stand = Stand { log: log_id, cursor, offset, detours: 0, is_alone: true, position, next };
        stand.look(log, durable);
        stand
    }

    /// Finds out what comes next.
    fn look(&mut self, log: &Log, durable: u64) {
        let cursor = &log.cursors[self.cursor];
        let detour = cursor.detour(self.detours).filter(|detour| detour.start <= self.offset);
        (self.position, self.next) = if let Some(detour) = detour {
            let next = match detour.action {
                _ if detour.start >= log.limit() => Next::NotDurable,
                DetourAction::Hold(_) if detour.position > durable => Next::Waits,
                DetourAction::Hold(_) => Next::Hold,
                DetourAction::Show(_) => Next::Show,
                DetourAction::StepOver => Next::StepOver,
            };
            (detour.position, next)
        } else if self.offset >= log.end_offset().min(cursor.end_offset()) {
            (u64::MAX, Next::Nothing)
        } else {
            let next = if self.offset < log.limit() { Next::Entries } else { Next::NotDurable };
            (if self.is_alone { 0 } else { log.position_at(self.offset) }, next)
        };
    }

    /// How far entries can be taken in one go if elsewhere nothing comes before the position `elsewhere`.
    fn run_end(&self, log: &Log, elsewhere: u64) -> u64 {
        let cursor = &log.cursors[self.cursor];
        let detour = cursor.detour(self.detours).map_or(u64::MAX, |detour| detour.start);
        let end = log.limit().min(cursor.end_offset()).min(detour);
        match elsewhere {
            u64::MAX => end,
            _ if elsewhere <= self.position => log.entry_end(self.offset),
            _ => log.offset_of(elsewhere).min(end),
        }
    }
}

impl Feeds {
    /// Finds out what the reader is to be shown next. Until [`Feeds::taken`] nothing else may be asked for but
    /// [`Feeds::slices`].
    pub fn plan(&mut self, reader: ReaderId) -> Plan {
        loop {
            self.steps.clear();
            self.planned = Some(reader);
            if let Some((log, skipped)) = self.gather(reader) {
                self.mark_unsettled(log);
                self.drop_ended_cursors(reader);
                return Plan::Jumped(skipped);
            }
            let behind = self.merge(reader);
            if behind == Behind::NotDurable {
                self.wait_for_durable(reader);
            }
            if self.steps.iter().any(|step| step.bytes > 0) {
                return Plan::Bytes;
            }
            self.taken(0);
            match behind {
                Behind::Nothing if self.is_owed_anything(reader) => return Plan::Owed,
                Behind::Nothing => return Plan::Nothing,
                Behind::NotDurable if self.holding == Holding::Passes => return Plan::Owed,
                Behind::NotDurable => return Plan::Held,
                Behind::More => {}
            }
        }
    }

    fn is_owed_anything(&self, reader: ReaderId) -> bool {
        self.readers.get(reader.0).is_some_and(Reader::is_owed_anything)
    }

    /// Gathers the reader's cursors at which something comes next; or lets the first one jump that is lost.
    fn gather(&mut self, reader: ReaderId) -> Option<(LogId, Skipped)> {
        self.stands.clear();
        let found = self.readers.get(reader.0)?;
        for (id, index) in found.cursors.iter() {
            let Some(log) = self.logs.get_mut(id.0) else { continue };
            log.release(self.durable);
            let cursor = *index as usize;
            if let Some(skipped) = log.jump(cursor) {
                return Some((*id, skipped));
            }
            let stand = Stand::new(*id, cursor, log, self.durable);
            if stand.next != Next::Nothing {
                self.stands.push(stand);
            }
        }
        if self.stands.len() > 1 || found.note(0).is_some() || found.gate().is_some() {
            for stand in &mut self.stands {
                let Some(log) = self.logs.get(stand.log.0) else { continue };
                stand.is_alone = false;
                stand.look(log, self.durable);
            }
        }
        None
    }

    /// Makes the list of steps. Returns what comes behind it.
    fn merge(&mut self, reader: ReaderId) -> Behind {
        let Some(found) = self.readers.get(reader.0) else { return Behind::Nothing };
        if !found.rest().is_empty() {
            self.steps.push(Step { what: What::Rest, bytes: found.rest().len() });
        }
        let gate = found.gate().unwrap_or(u64::MAX);
        let mut notes = 0;
        while self.steps.len() < STEPS_MAX {
            let note = self.readers.get(reader.0).and_then(|found| found.note(notes));
            let note_position = note.map_or(u64::MAX, |note| note.position);
            let stands = self.stands.iter().enumerate().filter(|(_, stand)| stand.position <= gate);
            let first = stands.min_by_key(|(_, stand)| (stand.position, stand.next));
            match (first, note) {
                (Some((_, stand)), _) if stand.position <= note_position && self.must_wait(stand.next) => {
                    let Some(note) = note.filter(|_| self.holding == Holding::Passes) else {
                        return Behind::NotDurable;
                    };
                    self.steps.push(Step { what: What::Note(notes), bytes: note.bytes.len() });
                    notes += 1;
                }
                (Some((at, stand)), _) if stand.next != Next::Nothing && stand.position <= note_position => {
                    self.show(at, note_position.min(gate));
                }
                (_, Some(note)) => {
                    self.steps.push(Step { what: What::Note(notes), bytes: note.bytes.len() });
                    notes += 1;
                }
                (_, None) => return Behind::Nothing,
            }
        }
        Behind::More
    }

    fn must_wait(&self, next: Next) -> bool {
        next == Next::NotDurable || (next == Next::Waits && !self.passes_what_waits())
    }

    /// Whether the planned reader goes on past what it holds, because waiting would cost it what others say: nothing becomes
    /// durable, or so much has gathered behind it that soon the logs would let go of some.
    fn passes_what_waits(&self) -> bool {
        let held_bytes_max = log::held_bytes_max(self.bounds.lag_bytes_max);
        let is_behind = |stand: &Stand| {
            let log = self.logs.get(stand.log.0);
            log.is_some_and(|log| log.has_more_to_read(stand.cursor, stand.offset, held_bytes_max))
        };
        self.holding == Holding::Passes
            || self.kept_bytes > self.bounds.feeds_bytes_max / 2
            || self.stands.iter().any(is_behind)
    }

    /// Adds the steps for what comes next at one cursor, as far as nothing else comes in between.
    fn show(&mut self, at: usize, note_position: u64) {
        let Stand { position, next, .. } = self.stands[at];
        let others = self.stands.iter().enumerate().filter(|(other, _)| *other != at);
        let other_position = others.map(|(_, stand)| stand.position).min().unwrap_or(u64::MAX);
        let step = self.step(at, other_position.min(note_position.saturating_add(1)));
        self.steps.extend(step.map(|step| if next == Next::Waits { step.owed() } else { step }));
        if other_position == position {
            self.pass_elsewhere(at, position);
        }
    }

    /// What stands at this position in other logs has just been shown.
    fn pass_elsewhere(&mut self, shown: usize, position: u64) {
        for other in 0..self.stands.len() {
            if other != shown && self.stands[other].position == position {
                let step = self.step(other, position);
                self.steps.extend(step.map(|step| Step { bytes: 0, ..step }));
            }
        }
    }

    /// The step over what comes next at one cursor: over a detour, or over entries in front of the position `elsewhere`.
    fn step(&mut self, at: usize, elsewhere: u64) -> Option<Step> {
        let stand = &mut self.stands[at];
        let Stand { log: id, cursor, offset, detours: nth, .. } = *stand;
        let log = self.logs.get(id.0)?;
        let step = if stand.next == Next::Entries {
            let to = stand.run_end(log, elsewhere);
            stand.offset = to;
            Step { what: What::Entries { log: id, cursor, to }, bytes: (to - offset) as usize }
        } else {
            let detour = log.cursors[cursor].detour(nth)?;
            stand.offset = offset.max(detour.end);
            stand.detours += 1;
            Step { what: What::Detour { log: id, cursor, nth }, bytes: detour.bytes().len() }
        };
        stand.look(log, self.durable);
        Some(step)
    }

    /// Fills `slices` with what was planned, as far as it goes, and returns how many were filled.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for step in self.steps.iter().filter(|step| step.bytes > 0) {
            count += if let What::Entries { log, to, .. } = step.what {
                let Some(log) = self.logs.get(log.0) else { continue };
                fill(&mut slices[count..], log.pieces(to - step.bytes as u64, to))
            } else {
                fill(&mut slices[count..], self.private_piece(step.what).into_iter())
            };
        }
        count
    }

    fn private_piece(&self, what: What) -> Option<&[u8]> {
        match what {
            What::Rest => Some(self.planned_reader()?.rest()),
            What::Note(nth) => Some(self.planned_reader()?.note(nth)?.bytes.as_slice()),
            What::Detour { log, cursor, nth } => {
                Some(self.logs.get(log.0)?.cursors[cursor].detour(nth)?.bytes())
            }
            What::Entries { .. } | What::Owe { .. } => None,
        }
    }

    fn planned_reader(&self) -> Option<&Reader> {
        self.readers.get(self.planned?.0)
    }

    /// Moves the reader that was planned on by so many of the bytes that were handed out. If these were all, there may be
    /// more: plan again until there is nothing.
    pub fn taken(&mut self, bytes: usize) {
        let Some(reader) = self.planned.take() else { return };
        let mut left = bytes;
        for nth in 0..self.steps.len() {
            let step = self.steps[nth];
            // What shows nothing is passed together with what it stands behind.
            if step.bytes > 0 && left == 0 {
                break;
            }
            let taken = left.min(step.bytes);
            left -= taken;
            if !self.take(reader, step, taken) {
                break;
            }
        }
        if self.steps.is_empty() {
            return;
        }
        self.steps.clear();
        self.drop_ended_cursors(reader);
        if let Some(found) = self.readers.get_mut(reader.0) {
            found.tidy();
        }
    }

    /// Takes so many bytes of a step; what is left of an entry or note that was begun is put aside. Returns whether the
    /// reader stands behind the step now. Detours and notes are popped, so that the first that is left is always meant.
    fn take(&mut self, reader: ReaderId, step: Step, taken: usize) -> bool {
        match step.what {
            What::Entries { log, cursor, to } => {
                let reached = to - (step.bytes - taken) as u64;
                self.take_entries(reader, log, cursor, reached, to)
            }
            What::Detour { log, cursor, .. } => {
                self.take_detour(reader, log, cursor, step.bytes - taken);
                true
            }
            What::Owe { log, cursor } => {
                self.owe(reader, log, cursor);
                true
            }
            What::Rest => {
                self.with_reader(reader, |found| found.take_rest(taken));
                taken == step.bytes
            }
            What::Note(_) => {
                self.with_reader(reader, |found| {
                    let note = found.pop_note().unwrap_or_default();
                    found.set_rest(&note[taken..]);
                });
                true
            }
        }
    }

    fn with_reader(&mut self, reader: ReaderId, act: impl FnOnce(&mut Reader)) {
        if let Some(found) = self.readers.get_mut(reader.0) {
            act(found);
        }
    }

    /// Moves a cursor to `reached`; if that is inside an entry, to its end, with what is left of it put aside. Returns
    /// whether it stands at `to` now.
    fn take_entries(&mut self, reader: ReaderId, id: LogId, cursor: usize, reached: u64, to: u64) -> bool {
        if reached == to {
            self.move_cursor(id, cursor, to);
            return true;
        }
        let Some(log) = self.logs.get(id.0) else { return true };
        let end = log.boundary_from(reached);
        let rest: Vec<u8> = log.pieces(reached, end).flatten().copied().collect();
        self.with_reader(reader, |found| found.set_rest(&rest));
        self.move_cursor(id, cursor, end);
        end == to
    }

    fn move_cursor(&mut self, id: LogId, cursor: usize, to: u64) {
        if self.logs.get_mut(id.0).is_some_and(|log| log.move_cursor(cursor, to)) {
            self.mark_unsettled(id);
        }
    }

    /// Moves a cursor behind its first detour.
    fn pass_detour(&mut self, id: LogId, cursor: usize) -> Option<DetourEntry> {
        let log = self.logs.get_mut(id.0)?;
        let detour = log.cursors[cursor].pop_detour()?;
        if detour.end > log.cursors[cursor].offset {
            self.move_cursor(id, cursor, detour.end);
        }
        Some(detour)
    }

    fn owe(&mut self, reader: ReaderId, id: LogId, cursor: usize) {
        if let Some(detour) = self.pass_detour(id, cursor) {
            self.with_reader(reader, |found| found.owe(detour.position, detour.into_bytes()));
            self.wait_for_durable(reader);
        }
    }

    fn take_detour(&mut self, reader: ReaderId, id: LogId, cursor: usize, left: usize) {
        let Some(detour) = self.pass_detour(id, cursor) else { return };
        if left > 0 {
            let rest = &detour.bytes()[detour.bytes().len() - left..];
            self.with_reader(reader, |found| found.set_rest(rest));
        }
    }
}

/// Fills slices with pieces, as far as both go, and returns how many were filled.
fn fill<'a>(slices: &mut [IoSlice<'a>], pieces: impl Iterator<Item = &'a [u8]>) -> usize {
    let mut count = 0;
    for (slot, piece) in slices.iter_mut().zip(pieces) {
        *slot = IoSlice::new(piece);
        count += 1;
    }
    count
}
