//! Feeds: a room is a log of rendered bytes, a member is a cursor in it.
//!
//! Where it stands: behind the hub and the dialects, in front of the sockets. Each shard owns one [`Feeds`]. For every room
//! and every rendition that one of its members reads there is a *log*; each member is a *reader* with a *cursor* in each log
//! that concerns it and a private *outbox*. An event is appended once per log, whatever the number of readers; at the end
//! of a turn each reader that is due is planned ([`Feeds::plan`]), handed slices of the shared bytes
//! ([`Feeds::slices`]), and moved on by what was taken ([`Feeds::taken`]). Nothing is queued or copied per member.
//!
//! The rules, which the tests hold against a naive model with a queue per member:
//! - **One order.** Everything carries its position; a reader's cursors and its outbox are merged by it, so that all
//!   readers see all rooms in the order of the server. Entries at one position in several logs are one thing told to
//!   several rooms: a reader of more than one of them is shown it once, as its detours want it, if it has any there. A
//!   private note comes behind the entries of its position.
//! - **Detours.** A cursor may do something else with an entry than all others: step over it (one's own line, somebody
//!   ignored), show it for sure (what concerns the member itself), or hold it until it is durable and then show bytes of
//!   its own. A detour that shows has its own copy of its bytes, so that no jump can skip it.
//! - **Being owed.** Nobody misses what others say because of what it said itself. While nothing becomes durable
//!   ([`Feeds::set_holding`]), when more than three eighths of the lag bound wait for one of the reader's cursors, or when all
//!   logs together keep more than half of what they may, the cursor goes on past a held entry; its bytes are owed, and told as
//!   a note of its position as soon as they are durable, never before. Last words wait for that ([`Feeds::tell_at_last`]). Where
//!   nobody is shown anything before it is durable, nobody is while nothing becomes so; but notes then pass what waits.
//! - **A beginning and an end.** A cursor begins at the log's end and may be given an end there; when it has been read to
//!   its end it is gone, and a log whose last cursor has gone is closed.
//! - **The gate.** A reader may be held back at a position: it is shown its notes, and no entry behind that, until it is let
//!   go. What it is told meanwhile comes before what waits, even if it is let go before the first byte of that was taken.
//!   What falls out of the lag bound meanwhile is skipped like anything else.
//! - **The lag bound.** A log keeps at most [`Bounds::lag_bytes_max`], its index included. A cursor that is still in front of
//!   what is kept jumps to the log's end, at entry boundaries, and is told exactly what it missed ([`Skipped`]). What
//!   nobody is going to read is not kept.
//! - **Being due.** Whoever has something new to be written is among [`Feeds::take_due`] once. It is then planned until there
//!   is [`Plan::Nothing`], [`Plan::Owed`] or [`Plan::Held`], or until its socket takes no more; in the last case the caller has
//!   to ask again when there is room ([`Feeds::mark_due`]).
//! - **Whole entries.** A cursor stands between entries. What the socket did not take of an entry that it has begun is
//!   copied aside and goes first, so that trimming the log never tears one.
//!
//! What this crate must never do: I/O, ask a clock, know what the bytes mean, or wait for a reader.

mod few;
mod log;
mod plan;
mod reader;
mod slab;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
#[cfg(any(test, feature = "fuzzing"))]
mod model;
#[cfg(test)]
mod tests;

pub use plan::Plan;

use log::{Cursor, DetourAction, Log, SegmentPool};
use plan::{Stand, Step};
use reader::Reader;
use slab::Slab;

/// One log in a [`Feeds`]. Valid until [`Feeds::next_closed`] has returned its label.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LogId(u32);

/// One reader in a [`Feeds`]. Valid until [`Feeds::remove_reader`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReaderId(u32);

impl ReaderId {
    /// A small number, used again when the reader has been removed: an index for the caller's own tables.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How much may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// The most memory that one log takes for cursors that lag, in bytes. Thirteen sixteenths of it hold entries and their
    /// index, a sixteenth at most is let go of at a time; an entry that is larger than all of it is kept alone.
    pub lag_bytes_max: usize,
    /// The most that all logs keep together, in bytes; beyond it each log that is appended to keeps only its last segment.
    pub feeds_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { lag_bytes_max: 256 * 1024, feeds_bytes_max: 256 * 1024 * 1024 }
    }
}

/// When entries may be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Release {
    /// As soon as they are appended, but for those that a cursor holds.
    AtOnce,
    /// By nobody before they are durable.
    WhenDurable,
}

/// What readers do at an entry that their cursor holds, while it is not durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holding {
    /// They wait there, unless so much gathers behind it that they would be made to jump for that.
    Waits,
    /// They go on, and are told later. Where nobody is shown what is not durable, what is told one alone passes it.
    Passes,
}

/// What an entry is, besides its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its place in the order of the server. Never falls within a log.
    pub position: u64,
    /// Its number in the room, if it is a kept fact.
    pub sequence: Option<u64>,
    /// Whose doing it is; an ignored author's messages are stepped over.
    pub author: Option<u64>,
    /// What a skip counts and what ignoring hides.
    pub kind: Kind,
}

/// Whether an entry is a message of somebody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Somebody's words.
    Message,
    /// Anything else.
    Notice,
}

/// What one cursor does with an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Detour {
    /// Passes it.
    StepOver,
    /// Shows it, and no jump skips it.
    Show,
    /// Waits until it is durable, then shows these bytes instead; no jump skips it. Where waiting would cost the reader what
    /// others say, it passes the entry and is told these bytes as a note when they are durable.
    Hold(Vec<u8>),
}

/// What a jump passed over. An empty range (`from > to`) means that no kept fact was among it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// The label of the log.
    pub label: u64,
    /// How many entries the reader would have been shown, and will not be. If there are none, it lagged by what it did itself
    /// or steps over: there is nothing to tell.
    pub entries: u64,
    /// How many of them are messages.
    pub messages: u64,
    /// The sequence of the first kept fact that was passed.
    pub from: u64,
    /// The sequence of the last one.
    pub to: u64,
    /// Where a note about it belongs: in front of the first entry that was passed. What concerns the reader itself and is
    /// shown all the same comes behind the note, so that nobody takes it for the next that there was.
    pub behind: u64,
    /// The position of the last entry that was passed.
    pub position: u64,
}

/// All logs, cursors and outboxes of a shard.
#[derive(Debug)]
pub struct Feeds {
    bounds: Bounds,
    release: Release,
    holding: Holding,
    logs: Slab<Log>,
    readers: Slab<Reader>,
    /// Everything up to this position is durable.
    durable: u64,
    /// What all logs keep together, in bytes.
    kept_bytes: usize,
    /// Logs that were appended to since the last [`Feeds::take_due`].
    fresh: Vec<LogId>,
    /// Logs that may have something to be freed.
    unsettled: Vec<LogId>,
    /// Readers with something to be written besides fresh logs.
    due: Vec<ReaderId>,
    /// How often [`Feeds::take_due`] was called.
    turn: u32,
    /// Readers that wait for something to become durable.
    held: Vec<ReaderId>,
    /// Logs whose last cursor has gone.
    deserted: Vec<LogId>,
    segments: SegmentPool,
    /// What [`Feeds::plan`] found, until [`Feeds::taken`].
    steps: Vec<Step>,
    stands: Vec<Stand>,
    planned: Option<ReaderId>,
}

impl Feeds {
    /// No logs, no readers.
    pub fn new(bounds: Bounds, release: Release) -> Feeds {
        Feeds {
            bounds,
            release,
            holding: Holding::Waits,
            logs: Slab::default(),
            readers: Slab::default(),
            durable: 0,
            kept_bytes: 0,
            fresh: Vec::new(),
            unsettled: Vec::new(),
            due: Vec::new(),
            turn: 0,
            held: Vec::new(),
            deserted: Vec::new(),
            segments: SegmentPool::default(),
            steps: Vec::new(),
            stands: Vec::new(),
            planned: None,
        }
    }

    /// Changes the bounds. A log keeps to them from the next entry that is appended to it; one that was kept in larger
    /// segments than the new bound knows may exceed it by one of those until it has been let go of.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
        for log in self.logs.iter_mut() {
            log.set_segment_bytes_max(log::segment_bytes_max(bounds.lag_bytes_max));
        }
    }

    /// A new, empty log. `label` is the caller's name for it: skips and [`Feeds::next_closed`] say it. `sequence` is the
    /// sequence of the room's last kept fact, so that a skip can say where it begins.
    pub fn open_log(&mut self, label: u64, sequence: u64) -> LogId {
        LogId(self.logs.insert(Log::new(label, sequence, log::segment_bytes_max(self.bounds.lag_bytes_max))))
    }

    /// The label of a log whose last cursor has gone. The log is gone with this call, so it has to be called in a loop
    /// whenever cursors may have ended, before logs are opened or appended to.
    pub fn next_closed(&mut self) -> Option<u64> {
        while let Some(id) = self.deserted.pop() {
            let Some(log) = self.logs.get_mut(id.0) else { continue };
            log.deserted = false;
            if log.cursors.is_empty()
                && let Some(mut log) = self.logs.remove(id.0)
            {
                self.kept_bytes -= log.clear(&mut self.segments);
                return Some(log.label);
            }
        }
        None
    }

    /// A new reader, with no cursor.
    pub fn add_reader(&mut self) -> ReaderId {
        ReaderId(self.readers.insert(Reader::default()))
    }

    /// Forgets a reader, its cursors and what waits for it.
    pub fn remove_reader(&mut self, reader: ReaderId) {
        while let Some((log, index)) = self.readers.get_mut(reader.0).and_then(|found| found.cursors.pop()) {
            self.remove_cursor(reader, log, index);
        }
        self.readers.remove(reader.0);
    }

    /// Begins reading a log at its end, if the reader is not reading it yet. A reader that has a cursor there that is about
    /// to end gets a second one.
    pub fn begin(&mut self, reader: ReaderId, log: LogId) {
        if self.is_reading(reader, log) {
            return;
        }
        let Some(found) = self.readers.get_mut(reader.0) else { return };
        let Some(place) = self.logs.get_mut(log.0) else { return };
        found.cursors.push((log, place.cursors.len() as u32));
        if found.ignores_anybody() {
            place.ignorers.push(reader);
        }
        place.cursors.push(Cursor::at_end_of(reader, place));
    }

    /// The room has gone on up to this sequence while nobody read the log any more, so that nothing was appended. To be said
    /// before somebody begins to read it again.
    pub fn went_on(&mut self, log: LogId, sequence: u64) {
        if let Some(place) = self.logs.get_mut(log.0) {
            place.went_on(sequence, &mut self.segments);
        }
    }

    /// Gives the reader's cursor its end: what is in the log now is still read, then the cursor is gone.
    pub fn end(&mut self, reader: ReaderId, log: LogId) {
        let Some(index) = self.open_cursor(reader, log) else { return };
        let Some(place) = self.logs.get_mut(log.0) else { return };
        place.end_cursor(index);
        place.ignorers.retain(|ignorer| *ignorer != reader);
        self.drop_ended_cursors(reader);
        self.mark_due(reader);
    }

    /// Gives all cursors of the reader their end: what is in the logs now is still read, then it reads nothing more.
    pub fn end_all(&mut self, reader: ReaderId) {
        let logs = self.readers.get(reader.0).map_or(few::Few::default(), |found| found.cursors.clone());
        for (log, _) in logs.iter() {
            self.end(reader, *log);
        }
    }

    /// Whether the reader has a cursor anywhere.
    pub fn reads_anything(&self, reader: ReaderId) -> bool {
        self.readers.get(reader.0).is_some_and(|found| found.cursors.iter().next().is_some())
    }

    /// Whether the reader has a cursor there without an end.
    pub fn is_reading(&self, reader: ReaderId, log: LogId) -> bool {
        self.open_cursor(reader, log).is_some()
    }

    /// Appends an entry for all cursors of a log. Empty `bytes` are no entry: nothing happens.
    pub fn append(&mut self, log: LogId, entry: Entry, bytes: &[u8]) {
        let Some(place) = self.logs.get_mut(log.0) else { return };
        if bytes.is_empty() {
            return;
        }
        self.kept_bytes += place.append(entry, bytes, self.release, self.durable, &mut self.segments);
        if !place.fresh {
            place.fresh = true;
            self.fresh.push(log);
        }
        self.trim(log);
        if entry.kind == Kind::Message
            && let Some(author) = entry.author
        {
            self.step_over_for_ignorers(log, author);
        }
    }

    fn trim(&mut self, log: LogId) {
        let Some(place) = self.logs.get_mut(log.0) else { return };
        let over_all = self.kept_bytes > self.bounds.feeds_bytes_max;
        let bytes_max = if over_all { 0 } else { self.bounds.lag_bytes_max };
        let freed = place.trim(bytes_max, &mut self.segments);
        self.kept_bytes -= freed;
        // Those who lag now are going to jump, so that the rest may be of no use to anybody.
        if freed > 0 || !place.cursors.iter().any(Cursor::is_open) {
            self.mark_unsettled(log);
        }
    }

    fn mark_unsettled(&mut self, log: LogId) {
        if let Some(place) = self.logs.get_mut(log.0)
            && !place.unsettled
        {
            place.unsettled = true;
            self.unsettled.push(log);
        }
    }

    fn step_over_for_ignorers(&mut self, log: LogId, author: u64) {
        let Some(place) = self.logs.get(log.0).filter(|place| !place.ignorers.is_empty()) else { return };
        let steps_over =
            |reader: &ReaderId| self.readers.get(reader.0).is_some_and(|found| found.ignores(author));
        let ignorers: Vec<ReaderId> = place.ignorers.iter().copied().filter(steps_over).collect();
        for reader in ignorers {
            self.detour(reader, log, Detour::StepOver);
        }
    }

    /// Says what the reader's cursor does with the entry that was appended to this log last, if it is still to be read. The
    /// last word about an entry holds, over ignoring too.
    pub fn detour(&mut self, reader: ReaderId, log: LogId, detour: Detour) {
        let Some(index) = self.open_cursor(reader, log) else { return };
        let Some(place) = self.logs.get_mut(log.0) else { return };
        let action = match detour {
            Detour::StepOver => DetourAction::StepOver,
            Detour::Show => DetourAction::Show(place.last_bytes().into()),
            Detour::Hold(bytes) => DetourAction::Hold(bytes.into()),
        };
        place.detour(index, action);
    }

    /// Puts private bytes among what the reader is shown: behind the entries up to this position, behind earlier notes
    /// up to this position. Whoever is [held back](Feeds::hold_back) is shown them before all that waits, whether it has read
    /// them by the time when it is let go or not.
    pub fn tell(&mut self, reader: ReaderId, position: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let Some(found) = self.readers.get_mut(reader.0) else { return };
        let gate = found.gate().unwrap_or(u64::MAX);
        if found.last_words_position().is_some_and(|last| last <= position) {
            return found.tell_at_last(position.min(gate), bytes);
        }
        found.tell(position.min(gate), bytes);
        self.mark_due(reader);
    }

    /// The same for words with which everything ends: they wait until nothing is owed, unless nothing becomes durable or the
    /// reader is held back. What is told later of that position or one behind it comes behind them.
    pub fn tell_at_last(&mut self, reader: ReaderId, position: u64, bytes: &[u8]) {
        let Some(found) = self.readers.get_mut(reader.0) else { return };
        let waits = found.is_owed_anything() && self.holding == Holding::Waits && found.gate().is_none();
        if !waits || bytes.is_empty() {
            return self.tell(reader, position, bytes);
        }
        found.tell_at_last(position, bytes);
        self.mark_due(reader);
    }

    /// Steps over this author's messages from now on, in all logs of the reader.
    pub fn ignore(&mut self, reader: ReaderId, author: u64) {
        let Some(found) = self.readers.get_mut(reader.0) else { return };
        let was_ignoring = found.ignores_anybody();
        found.ignore(author);
        if was_ignoring {
            return;
        }
        for (log, index) in found.cursors.iter() {
            if let Some(place) = self.logs.get_mut(log.0)
                && place.cursors[*index as usize].is_open()
            {
                place.ignorers.push(reader);
            }
        }
    }

    /// Shows this author's messages again from now on.
    pub fn hear(&mut self, reader: ReaderId, author: u64) {
        let Some(found) = self.readers.get_mut(reader.0) else { return };
        found.hear(author);
        if found.ignores_anybody() {
            return;
        }
        for (log, _) in found.cursors.iter() {
            if let Some(place) = self.logs.get_mut(log.0) {
                place.ignorers.retain(|ignorer| *ignorer != reader);
            }
        }
    }

    /// Shows the reader no entry behind this position before [`Feeds::let_go`]; its notes it is shown. So what a newcomer is
    /// told of the past comes before what happens after. Whoever is held back already stays where it is, if that is in front.
    pub fn hold_back(&mut self, reader: ReaderId, position: u64) {
        if let Some(found) = self.readers.get_mut(reader.0) {
            found.set_gate(Some(found.gate().map_or(position, |gate| gate.min(position))));
            // A note may have waited behind an entry that is behind the gate now.
            self.mark_due(reader);
        }
    }

    /// Shows the reader everything again.
    pub fn let_go(&mut self, reader: ReaderId) {
        if let Some(found) = self.readers.get_mut(reader.0)
            && found.gate().is_some()
        {
            found.set_gate(None);
            self.mark_due(reader);
        }
    }

    /// Everything up to this position is durable: what was held for it is due.
    pub fn durable(&mut self, position: u64) {
        if position <= self.durable {
            return;
        }
        self.durable = position;
        for reader in std::mem::take(&mut self.held) {
            if let Some(found) = self.readers.get_mut(reader.0) {
                found.held = false;
                self.mark_due(reader);
                self.tell_what_is_owed(reader);
            }
        }
    }

    /// What the reader is owed and is durable by now becomes notes; for the rest it waits on.
    fn tell_what_is_owed(&mut self, reader: ReaderId) {
        if let Some(found) = self.readers.get_mut(reader.0)
            && found.is_owed_anything()
        {
            found.be_told_what_is_owed(self.durable);
            let is_owed_anything = found.is_owed_anything();
            if !is_owed_anything || self.holding == Holding::Passes {
                found.be_told_last_words();
            }
            if is_owed_anything {
                self.wait_for_durable(reader);
            }
        }
    }

    fn wait_for_durable(&mut self, reader: ReaderId) {
        if let Some(found) = self.readers.get_mut(reader.0)
            && !found.held
        {
            found.held = true;
            self.held.push(reader);
        }
    }

    /// Whether readers wait at what they hold.
    pub fn holding(&self) -> Holding {
        self.holding
    }

    /// Whether readers wait at what they hold, from now on. While nothing can become durable nobody should: those who wait are
    /// due then.
    pub fn set_holding(&mut self, holding: Holding) {
        self.holding = holding;
        if holding == Holding::Passes {
            for nth in 0..self.held.len() {
                self.mark_due(self.held[nth]);
                self.tell_what_is_owed(self.held[nth]);
            }
        }
    }

    /// Turns are numbered from 1, so that a new reader has been handed out in none. When the numbers are used up, which
    /// takes days, they begin again for everybody.
    fn begin_turn(&mut self) {
        self.turn = self.turn.checked_add(1).unwrap_or_else(|| {
            self.readers.iter_mut().for_each(Reader::forget_turn);
            1
        });
    }

    /// Asks for the reader to be planned again, because its socket has room again.
    pub fn mark_due(&mut self, reader: ReaderId) {
        if let Some(found) = self.readers.get_mut(reader.0)
            && !found.listed
        {
            found.listed = true;
            self.due.push(reader);
        }
    }

    /// Whether [`Feeds::take_due`] would name somebody.
    pub fn has_due(&self) -> bool {
        !self.fresh.is_empty() || !self.due.is_empty()
    }

    /// The readers that may have something to be written, each once, in the order in which they should be served: the
    /// readers of each fresh log, from a start that moves on from turn to turn so that nobody is always last, then
    /// the others.
    pub fn take_due(&mut self, readers: &mut Vec<ReaderId>) {
        readers.clear();
        self.begin_turn();
        for log in self.fresh.drain(..) {
            let Some(place) = self.logs.get_mut(log.0) else { continue };
            place.fresh = false;
            let start = place.next_start();
            let (before, behind) = place.cursors.split_at(start);
            for cursor in behind.iter().chain(before) {
                if let Some(found) = self.readers.get_mut(cursor.reader.0)
                    && found.is_new_in(self.turn)
                {
                    readers.push(cursor.reader);
                }
            }
        }
        for reader in self.due.drain(..) {
            if let Some(found) = self.readers.get_mut(reader.0) {
                found.listed = false;
                if found.is_new_in(self.turn) {
                    readers.push(reader);
                }
            }
        }
    }

    /// Frees what nobody is going to read. To be called when the readers of [`Feeds::take_due`] have been served.
    pub fn settle(&mut self) {
        for log in self.unsettled.drain(..) {
            if let Some(place) = self.logs.get_mut(log.0) {
                place.unsettled = false;
                self.kept_bytes -= place.free_what_nobody_needs(&mut self.segments);
            }
        }
    }

    /// How many bytes wait for this reader alone, roughly: while they are many, nothing more should be read from its
    /// connection, or one that asks and never reads would grow without bound.
    pub fn private_bytes(&self, reader: ReaderId) -> usize {
        let Some(found) = self.readers.get(reader.0) else { return 0 };
        let detours = |(log, index): &(LogId, u32)| {
            self.logs.get(log.0).map_or(0, |log| log.cursors[*index as usize].detour_bytes())
        };
        found.private_bytes() + found.cursors.iter().map(detours).sum::<usize>()
    }

    /// What all logs keep together, in bytes.
    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// How many logs there are, those included whose label [`Feeds::next_closed`] has not returned yet.
    pub fn logs(&self) -> usize {
        self.logs.len()
    }

    fn open_cursor(&self, reader: ReaderId, log: LogId) -> Option<usize> {
        let place = self.logs.get(log.0)?;
        let cursors = &self.readers.get(reader.0)?.cursors;
        let is_open = |(id, index): &&(LogId, u32)| *id == log && place.cursors[*index as usize].is_open();
        cursors.iter().find(is_open).map(|(_, index)| *index as usize)
    }

    /// Removes a cursor that its reader has forgotten from its log. The log's last cursor moves to its place, and its reader
    /// is told.
    fn remove_cursor(&mut self, reader: ReaderId, log: LogId, index: u32) {
        // A plan says where cursors stand.
        self.planned = None;
        self.steps.clear();
        let Some(place) = self.logs.get_mut(log.0) else { return };
        let removed = place.cursors.swap_remove(index as usize);
        if removed.is_open() {
            place.ignorers.retain(|ignorer| *ignorer != reader);
        }
        let moved_from = place.cursors.len() as u32;
        if let Some(moved) = place.cursors.get(index as usize)
            && let Some(owner) = self.readers.get_mut(moved.reader.0)
        {
            owner.cursor_moved(log, moved_from, index);
        }
        if place.cursors.is_empty() && !place.deserted {
            place.deserted = true;
            self.deserted.push(log);
        }
        self.mark_unsettled(log);
    }

    /// Removes the reader's cursors that have been read to their end.
    fn drop_ended_cursors(&mut self, reader: ReaderId) {
        let mut next = 0;
        while let Some((log, index)) =
            self.readers.get(reader.0).and_then(|found| found.cursors.get(next).copied())
        {
            let is_over = self.logs.get(log.0).is_none_or(|place| place.cursors[index as usize].is_over());
            if is_over {
                if let Some(found) = self.readers.get_mut(reader.0) {
                    found.cursors.remove(next);
                }
                self.remove_cursor(reader, log, index);
            } else {
                next += 1;
            }
        }
    }
}
