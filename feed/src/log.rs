//! One log: rendered bytes in segments, an index of entries, and the cursors that read it.
//!
//! Where it stands: below the planning, which asks what comes next at a cursor; it knows nothing of readers' other logs.
//! What it must never do: keep more than its bound, or tear an entry.

use crate::{Entry, Kind, ReaderId, Release, Skipped};
use std::collections::VecDeque;

/// No segment takes another entry if it would grow beyond this, its index included; a longer entry gets one of its own.
const SEGMENT_BYTES_MAX: usize = 32 * 1024;
/// A log lets go of whole segments, so that they have to be small against what it may keep.
const SEGMENTS_PER_LOG_MIN: usize = 16;
/// So many segments' worth of the lag bound is left for what is allocated around what is kept: the segment that was let
/// go of and will be the next one, and the ends of segments and indices that nothing stands in.
const SEGMENTS_AROUND: usize = 3;
/// What an entry costs in the index of its segment.
pub(crate) const INDEX_BYTES: usize = size_of::<Indexed>();
/// So many used segments are kept for the next busy turn, so that a busy shard writes where its cache is warm.
const SPARE_SEGMENTS_MAX: usize = 8;

/// Until where a segment takes another entry, in bytes, its index included.
pub(crate) fn segment_bytes_max(lag_bytes_max: usize) -> usize {
    SEGMENT_BYTES_MAX.min(lag_bytes_max / SEGMENTS_PER_LOG_MIN)
}

/// How much a log keeps, the index included, so that its memory stays within the bound.
pub(crate) fn kept_bytes_max(lag_bytes_max: usize) -> usize {
    lag_bytes_max - SEGMENTS_AROUND * segment_bytes_max(lag_bytes_max)
}

/// A reader that has to wait at a held entry does so while what waits for it in each log is not more than this, the index
/// included and counted from the beginning of a segment. So it never jumps because of that if it is served whenever a
/// quarter of the lag bound was appended: three sixteenths of it are left for the last entry, however long.
pub(crate) fn held_bytes_max(lag_bytes_max: usize) -> usize {
    lag_bytes_max / 8 * 3
}

/// A place between two entries, and what stands in front of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    /// Bytes since the log's opening.
    offset: u64,
    /// Entries since the log's opening.
    entries: u64,
    /// Messages since the log's opening.
    messages: u64,
    /// The sequence of the last kept fact.
    sequence: u64,
    /// The position of the last entry.
    position: u64,
}

#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) label: u64,
    segments: VecDeque<Segment>,
    segment_bytes_max: usize,
    /// Where the next entry begins.
    end: Place,
    /// Kept entries that are not durable, if nobody may read those: position and offset, ascending.
    undurable: VecDeque<(u64, u64)>,
    /// What the segments keep, the index included.
    kept_bytes: usize,
    pub(crate) cursors: Vec<Cursor>,
    /// Readers with an open cursor here that ignore somebody.
    pub(crate) ignorers: Vec<ReaderId>,
    /// Whether it is on the list of fresh logs.
    pub(crate) fresh: bool,
    /// Whether it is on the list of logs that may have something to be freed.
    pub(crate) unsettled: bool,
    /// Whether it is on the list of logs whose last cursor has gone.
    pub(crate) deserted: bool,
    /// Where among its cursors the last flush started, as a fraction of 2³².
    start: u32,
}

#[derive(Debug, Default)]
struct Segment {
    start: Place,
    bytes: Vec<u8>,
    entries: Vec<Indexed>,
}

/// An entry as it stands in the index of its segment.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    position: u64,
    /// The last sequence up to and with this entry.
    sequence: u64,
    /// Messages in the segment up to and with this entry.
    messages: u32,
    /// Where it ends in the segment.
    end: u32,
}

impl Segment {
    /// Grows by doubling, but not beyond what the segment may hold: what is allocated is part of the lag bound, too.
    fn make_room(&mut self, bytes: usize, bytes_max: usize) {
        let needed = self.bytes.len() + bytes;
        if needed > self.bytes.capacity() {
            let wanted = needed.max((2 * self.bytes.capacity()).min(bytes_max));
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
    }

    fn end_offset(&self) -> u64 {
        self.start.offset + self.bytes.len() as u64
    }

    fn kept_bytes(&self) -> usize {
        self.bytes.len() + self.entries.len() * INDEX_BYTES
    }

    /// How many of its entries end at or in front of an offset.
    fn count_up_to(&self, offset: u64) -> usize {
        let within = offset.saturating_sub(self.start.offset);
        self.entries.partition_point(|entry| u64::from(entry.end) <= within)
    }

    /// The place behind so many of its entries.
    fn place_behind(&self, count: usize) -> Place {
        let in_front = &self.entries[..count.min(self.entries.len())];
        let Some(entry) = in_front.last() else { return self.start };
        Place {
            offset: self.start.offset + u64::from(entry.end),
            entries: self.start.entries + in_front.len() as u64,
            messages: self.start.messages + u64::from(entry.messages),
            sequence: entry.sequence,
            position: entry.position,
        }
    }
}

/// Segments that were used, with their memory.
#[derive(Debug, Default)]
pub(crate) struct SegmentPool(Vec<Segment>);

impl SegmentPool {
    fn take(&mut self) -> Segment {
        self.0.pop().unwrap_or_default()
    }

    fn give_back(&mut self, mut segment: Segment) {
        if self.0.len() < SPARE_SEGMENTS_MAX && segment.bytes.capacity() <= 2 * SEGMENT_BYTES_MAX {
            segment.bytes.clear();
            segment.entries.clear();
            self.0.push(segment);
        }
    }
}

/// Where a reader stands in a log: always between two entries.
#[derive(Debug)]
pub(crate) struct Cursor {
    pub(crate) reader: ReaderId,
    pub(crate) offset: u64,
    /// What few cursors have.
    rare: Option<Box<Rare>>,
    /// What it does differently, ascending. Those in front of its offset are left over from a jump and still shown.
    #[expect(
        clippy::box_collection,
        reason = "few cursors have any, and a cursor at rest is 24 bytes smaller for it"
    )]
    detours: Option<Box<VecDeque<DetourEntry>>>,
}

#[derive(Debug, Default)]
struct Rare {
    /// Where it ends, if it has an end yet.
    end: Option<Place>,
    /// Where it stood when the log let go of what it had not read: from there it is going to jump. What it would not have
    /// been shown is counted as being in front of it.
    lost: Option<Place>,
    /// If it is lost, where a note about that belongs.
    note_position: u64,
}

#[derive(Debug)]
pub(crate) struct DetourEntry {
    pub(crate) position: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    kind: Kind,
    pub(crate) action: DetourAction,
}

#[derive(Debug)]
pub(crate) enum DetourAction {
    StepOver,
    Show(Box<[u8]>),
    Hold(Box<[u8]>),
}

impl DetourEntry {
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.action {
            DetourAction::StepOver => &[],
            DetourAction::Show(bytes) | DetourAction::Hold(bytes) => bytes,
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self.action {
            DetourAction::StepOver => Vec::new(),
            DetourAction::Show(bytes) | DetourAction::Hold(bytes) => bytes.into_vec(),
        }
    }

    fn steps_over(&self) -> bool {
        matches!(self.action, DetourAction::StepOver)
    }
}

impl Cursor {
    pub(crate) fn at_end_of(reader: ReaderId, log: &Log) -> Cursor {
        Cursor { reader, offset: log.end.offset, rare: None, detours: None }
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn end(&self) -> Option<Place> {
        self.rare.as_ref()?.end
    }

    fn lost(&self) -> Option<Place> {
        self.rare.as_ref()?.lost
    }

    /// It is not lost any more. Returns where it was, and where a note about that belongs.
    fn find_again(&mut self) -> Option<(Place, u64)> {
        let rare = self.rare.as_mut()?;
        let found = (rare.lost.take()?, rare.note_position);
        if self.is_open() {
            self.rare = None;
        }
        Some(found)
    }

    /// Whether it shows the entry that begins here whatever happens.
    fn shows(&self, offset: u64) -> bool {
        let Some(detours) = &self.detours else { return false };
        let at = detours.partition_point(|detour| detour.start < offset);
        detours.get(at).is_some_and(|detour| detour.start == offset && !detour.steps_over())
    }

    pub(crate) fn is_open(&self) -> bool {
        self.end().is_none()
    }

    /// Where it ends; beyond everything if it has no end yet.
    pub(crate) fn end_offset(&self) -> u64 {
        self.end().map_or(u64::MAX, |end| end.offset)
    }

    fn has_read_all(&self) -> bool {
        self.offset >= self.end_offset()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.has_read_all() && self.detours.is_none()
    }

    pub(crate) fn detour(&self, nth: usize) -> Option<&DetourEntry> {
        self.detours.as_ref()?.get(nth)
    }

    pub(crate) fn pop_detour(&mut self) -> Option<DetourEntry> {
        let popped = self.detours.as_mut()?.pop_front();
        self.tidy();
        popped
    }

    /// Gives the box back when nothing is in it.
    fn tidy(&mut self) {
        if self.detours.as_ref().is_some_and(|detours| detours.is_empty()) {
            self.detours = None;
        }
    }

    pub(crate) fn detour_bytes(&self) -> usize {
        let size = |detour: &DetourEntry| size_of::<DetourEntry>() + detour.bytes().len();
        self.detours.as_ref().map_or(0, |detours| detours.iter().map(size).sum())
    }

    /// From where on it still needs what the log keeps. One that is lost is going to jump to `limit`.
    fn needs_from(&self, limit: u64) -> u64 {
        match self.lost() {
            _ if self.has_read_all() => u64::MAX,
            Some(_) => limit,
            None => self.offset,
        }
    }

    /// Forgets the detours that step over what it is going to jump over, so that somebody who never reads but talks, or
    /// ignores, does not gather them.
    fn forget_lost_detours(&mut self, begin: u64) {
        if let Some(lost) = self.lost() {
            let dropped = self.drop_step_overs(self.offset, begin);
            let (entries, messages) = (lost.entries + dropped.entries, lost.messages + dropped.messages);
            self.rare_mut().lost = Some(Place { entries, messages, ..lost });
        }
    }

    /// Drops the detours that step over something between two offsets. Returns how much that was.
    fn drop_step_overs(&mut self, from: u64, to: u64) -> Count {
        let mut dropped = Count::default();
        let Some(detours) = &mut self.detours else { return dropped };
        detours.retain(|detour| {
            let drops = detour.steps_over() && detour.start >= from && detour.end <= to;
            if drops {
                dropped.add(detour);
            }
            !drops
        });
        self.tidy();
        dropped
    }

    /// Moves from where it was lost to `target`. Detours on the way that step over are forgotten, the others stay to be
    /// shown.
    fn jump(&mut self, label: u64, (from, behind): (Place, u64), target: Place) -> Skipped {
        let on_the_way = |detour: &&DetourEntry| detour.start >= from.offset && detour.end <= target.offset;
        let mut detoured = Count::default();
        for detour in self.detours.iter().flat_map(|detours| detours.iter()).filter(on_the_way) {
            detoured.add(detour);
        }
        self.drop_step_overs(from.offset, target.offset);
        self.offset = target.offset;
        Skipped {
            label,
            entries: target.entries - from.entries - detoured.entries,
            messages: target.messages - from.messages - detoured.messages,
            from: from.sequence + 1,
            to: target.sequence,
            behind,
            position: target.position,
        }
    }
}

/// How many entries, and how many of them messages.
#[derive(Clone, Copy, Default)]
struct Count {
    entries: u64,
    messages: u64,
}

impl Count {
    fn add(&mut self, detour: &DetourEntry) {
        self.entries += 1;
        self.messages += u64::from(detour.kind == Kind::Message);
    }
}

impl Log {
    pub(crate) fn new(label: u64, sequence: u64, segment_bytes_max: usize) -> Log {
        Log {
            label,
            segments: VecDeque::new(),
            segment_bytes_max,
            end: Place { sequence, ..Place::default() },
            undurable: VecDeque::new(),
            kept_bytes: 0,
            cursors: Vec::new(),
            ignorers: Vec::new(),
            fresh: false,
            unsettled: false,
            deserted: false,
            start: 0,
        }
    }

    pub(crate) fn end_offset(&self) -> u64 {
        self.end.offset
    }

    /// Where what is kept begins.
    fn begin(&self) -> u64 {
        self.segments.front().map_or(self.end.offset, |segment| segment.start.offset)
    }

    /// Whether a cursor that has come so far has more than this in front of it, the index included and counted from the
    /// beginning of the segment.
    pub(crate) fn has_more_to_read(&self, cursor: usize, offset: u64, bytes_max: usize) -> bool {
        let end = self.end.offset.min(self.cursors[cursor].end_offset());
        if self.kept_bytes <= bytes_max || offset >= end {
            return false;
        }
        let first = self.segment_index(offset).unwrap_or(0);
        self.segments.range(first..).map(Segment::kept_bytes).sum::<usize>() > bytes_max
    }

    /// Where what may be read ends.
    pub(crate) fn limit(&self) -> u64 {
        self.undurable.front().map_or(self.end.offset, |(_, offset)| *offset)
    }

    /// Forgets that entries up to `durable` were not.
    pub(crate) fn release(&mut self, durable: u64) {
        while self.undurable.front().is_some_and(|(position, _)| *position <= durable) {
            self.undurable.pop_front();
        }
    }

    /// Returns by how much what is kept has grown.
    pub(crate) fn append(
        &mut self,
        entry: Entry,
        bytes: &[u8],
        release: Release,
        durable: u64,
        pool: &mut SegmentPool,
    ) -> usize {
        self.release(durable);
        if release == Release::WhenDurable && entry.sequence.is_some() && entry.position > durable {
            self.undurable.push_back((entry.position, self.end.offset));
        }
        let start = self.end;
        self.end = Place {
            offset: start.offset + bytes.len() as u64,
            entries: start.entries + 1,
            messages: start.messages + u64::from(entry.kind == Kind::Message),
            sequence: entry.sequence.unwrap_or(start.sequence),
            position: entry.position,
        };
        let grown = bytes.len() + INDEX_BYTES;
        let is_full = |segment: &Segment| segment.kept_bytes() + grown > self.segment_bytes_max;
        if self.segments.back().is_none_or(is_full) {
            self.segments.push_back(Segment { start, ..pool.take() });
        }
        if let Some(segment) = self.segments.back_mut() {
            segment.make_room(bytes.len(), self.segment_bytes_max);
            segment.bytes.extend_from_slice(bytes);
            segment.entries.push(Indexed {
                position: entry.position,
                sequence: self.end.sequence,
                messages: (self.end.messages - segment.start.messages) as u32,
                end: segment.bytes.len() as u32,
            });
        }
        self.kept_bytes += grown;
        grown
    }

    /// Facts up to this sequence are not in the log. What comes behind them stands in a segment of its own, whose start knows
    /// that.
    pub(crate) fn went_on(&mut self, sequence: u64, pool: &mut SegmentPool) {
        if sequence <= self.end.sequence {
            return;
        }
        self.end.sequence = sequence;
        match self.segments.back_mut().filter(|last| last.entries.is_empty()) {
            Some(last) => last.start = self.end,
            None => self.segments.push_back(Segment { start: self.end, ..pool.take() }),
        }
    }

    /// Where the last entry begins, if it is kept.
    fn last_start(&self) -> Option<Place> {
        let segment = self.segments.back()?;
        Some(segment.place_behind(segment.entries.len().checked_sub(1)?))
    }

    /// The bytes of the last entry, if it is kept.
    pub(crate) fn last_bytes(&self) -> &[u8] {
        let bytes = |start: Place| self.pieces(start.offset, self.end.offset).next();
        self.last_start().and_then(bytes).unwrap_or_default()
    }

    /// Notes what a cursor that has not read the last entry does with it. The last word holds.
    pub(crate) fn detour(&mut self, cursor: usize, action: DetourAction) {
        let Some(start) = self.last_start() else { return };
        let end = self.end;
        let cursor = &mut self.cursors[cursor];
        if cursor.offset > start.offset {
            return;
        }
        let kind = if end.messages > start.messages { Kind::Message } else { Kind::Notice };
        let detours = cursor.detours.get_or_insert_default();
        if detours.back().is_some_and(|last| last.start == start.offset) {
            detours.pop_back();
        }
        let (position, start, end) = (end.position, start.offset, end.offset);
        detours.push_back(DetourEntry { position, start, end, kind, action });
    }

    /// Gives a cursor its end here.
    pub(crate) fn end_cursor(&mut self, cursor: usize) {
        self.cursors[cursor].rare_mut().end = Some(self.end);
    }

    /// Lets a cursor jump if it is lost: to where what may be read ends.
    pub(crate) fn jump(&mut self, cursor: usize) -> Option<Skipped> {
        let from = self.cursors[cursor].find_again()?;
        let limit = self.limit().max(self.begin());
        let target = match self.cursors[cursor].end() {
            Some(end) if end.offset <= limit => end,
            _ => self.place_up_to(limit),
        };
        Some(self.cursors[cursor].jump(self.label, from, target))
    }

    /// Moves a cursor. Returns whether it has left the first segment, so that there may be something to be freed.
    pub(crate) fn move_cursor(&mut self, cursor: usize, to: u64) -> bool {
        let from = std::mem::replace(&mut self.cursors[cursor].offset, to);
        self.segments.front().is_some_and(|first| from < first.end_offset() && to >= first.end_offset())
    }

    /// Where segments end from now on. Those that are longer already stay until they are let go of.
    pub(crate) fn set_segment_bytes_max(&mut self, segment_bytes_max: usize) {
        self.segment_bytes_max = segment_bytes_max;
    }

    /// Lets go of the oldest segments until the rest is within the bound; the last one always stays. Returns by how much
    /// what is kept has shrunk.
    pub(crate) fn trim(&mut self, bytes_max: usize, pool: &mut SegmentPool) -> usize {
        let before = self.kept_bytes;
        let kept_bytes_max = kept_bytes_max(bytes_max);
        while self.kept_bytes > kept_bytes_max && self.segments.len() > 1 {
            self.lose_readers_of_first_segment();
            self.drop_first_segment(pool);
        }
        self.forget_lost_detours(before);
        before - self.kept_bytes
    }

    fn lose_readers_of_first_segment(&mut self) {
        let Some(segment) = self.segments.front() else { return };
        for nth in 0..self.cursors.len() {
            let cursor = &self.cursors[nth];
            if cursor.offset < segment.end_offset() && cursor.lost().is_none() && !cursor.has_read_all() {
                let lost = segment.place_behind(segment.count_up_to(cursor.offset));
                let note_position = self.note_position(cursor);
                let rare = self.cursors[nth].rare_mut();
                (rare.lost, rare.note_position) = (Some(lost), note_position);
            }
        }
    }

    /// The last position in front of the first entry that a cursor that is lost here is not shown.
    fn note_position(&self, cursor: &Cursor) -> u64 {
        let mut offset = cursor.offset;
        let end = self.end.offset.min(cursor.end_offset());
        let mut shown = 0;
        while offset < end {
            let behind = self.place_behind_entry(offset);
            if !cursor.shows(offset) {
                return behind.position.saturating_sub(1);
            }
            (offset, shown) = (behind.offset, behind.position);
        }
        shown
    }

    /// Returns by how much what is kept has shrunk.
    pub(crate) fn free_what_nobody_needs(&mut self, pool: &mut SegmentPool) -> usize {
        let before = self.kept_bytes;
        let limit = self.limit();
        let needs_from = |cursor: &Cursor| cursor.needs_from(limit);
        let needed_from = self.cursors.iter().map(needs_from).min().unwrap_or(u64::MAX);
        while self.segments.front().is_some_and(|segment| segment.end_offset() <= needed_from) {
            self.drop_first_segment(pool);
        }
        self.forget_lost_detours(before);
        before - self.kept_bytes
    }

    /// Lets go of everything. Returns by how much what is kept has shrunk.
    pub(crate) fn clear(&mut self, pool: &mut SegmentPool) -> usize {
        let before = self.kept_bytes;
        while !self.segments.is_empty() {
            self.drop_first_segment(pool);
        }
        before
    }

    fn drop_first_segment(&mut self, pool: &mut SegmentPool) {
        if let Some(segment) = self.segments.pop_front() {
            self.kept_bytes -= segment.kept_bytes();
            pool.give_back(segment);
        }
    }

    fn forget_lost_detours(&mut self, kept_bytes_before: usize) {
        if self.kept_bytes == kept_bytes_before {
            return;
        }
        let begin = self.begin();
        for cursor in &mut self.cursors {
            cursor.forget_lost_detours(begin);
        }
    }

    /// Where the next flush starts: further on by the golden section, so that over a few turns every cursor is early as
    /// often as late, whatever the number of cursors.
    pub(crate) fn next_start(&mut self) -> usize {
        const GOLDEN_SECTION: u32 = 0x9E37_79B9; // of 2³²
        self.start = self.start.wrapping_add(GOLDEN_SECTION);
        ((u64::from(self.start) * self.cursors.len() as u64) >> 32) as usize
    }

    /// The last place between two entries that is not behind an offset.
    fn place_up_to(&self, offset: u64) -> Place {
        if offset >= self.end.offset {
            return self.end;
        }
        self.segment_at(offset).map_or(self.end, |segment| segment.place_behind(segment.count_up_to(offset)))
    }

    /// The first boundary between two entries that is not in front of an offset.
    pub(crate) fn boundary_from(&self, offset: u64) -> u64 {
        let boundary = self.place_up_to(offset).offset;
        if boundary == offset { boundary } else { self.entry_end(offset) }
    }

    /// The place behind the entry around an offset.
    fn place_behind_entry(&self, offset: u64) -> Place {
        let behind = |segment: &Segment| segment.place_behind(segment.count_up_to(offset) + 1);
        self.segment_at(offset).map_or(self.end, behind)
    }

    /// Where the entry around an offset ends.
    pub(crate) fn entry_end(&self, offset: u64) -> u64 {
        self.place_behind_entry(offset).offset
    }

    /// The position of the entry around an offset.
    pub(crate) fn position_at(&self, offset: u64) -> u64 {
        self.place_behind_entry(offset).position
    }

    /// Where the first kept entry begins that has this position or a higher one.
    pub(crate) fn offset_of(&self, position: u64) -> u64 {
        let is_in_front = |segment: &Segment| segment.start.position < position;
        let last = self.segments.partition_point(is_in_front).saturating_sub(1);
        let count = |segment: &Segment| segment.entries.partition_point(|entry| entry.position < position);
        self.segments.get(last).map_or(self.end.offset, |segment| segment.place_behind(count(segment)).offset)
    }

    fn segment_at(&self, offset: u64) -> Option<&Segment> {
        self.segments.get(self.segment_index(offset)?)
    }

    fn segment_index(&self, offset: u64) -> Option<usize> {
        // Nearly everybody reads in the last segment.
        if offset >= self.segments.back()?.start.offset {
            return Some(self.segments.len() - 1);
        }
        self.segments.partition_point(|segment| segment.start.offset <= offset).checked_sub(1)
    }

    /// The kept bytes between two offsets, piece by piece.
    pub(crate) fn pieces(&self, from: u64, to: u64) -> impl Iterator<Item = &[u8]> {
        let first = self.segment_index(from).unwrap_or(0);
        self.segments.range(first..).take_while(move |segment| segment.start.offset < to).map(
            move |segment| {
                let start = from.saturating_sub(segment.start.offset) as usize;
                let end = segment.bytes.len().min((to - segment.start.offset) as usize);
                &segment.bytes[start..end]
            },
        )
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl Log {
    /// What the segments keep, counted anew.
    pub(crate) fn counted_bytes(&self) -> usize {
        self.segments.iter().map(Segment::kept_bytes).sum()
    }
}

#[cfg(test)]
impl Log {
    pub(crate) fn undurable_count(&self) -> usize {
        self.undurable.len()
    }
}
