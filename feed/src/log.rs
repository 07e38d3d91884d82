//! One log: rendered bytes in segments, an index of entries, and the cursors that read it.

use crate::{Entry, Kind, ReaderId, Release};
use std::collections::VecDeque;

/// A segment takes entries until it would grow beyond this; a longer entry gets a segment of its own.
pub(crate) const SEGMENT_BYTES: usize = 32 * 1024;
/// So many used segments are kept for the next busy turn, so that a busy shard writes where its cache is warm.
const SPARE_SEGMENTS_MAX: usize = 16;

/// How many messages, and up to which sequence, stand in front of a place in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Passed {
    pub(crate) messages: u64,
    pub(crate) sequence: u64,
}

#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) label: u64,
    segments: VecDeque<Segment>,
    /// Where the next entry begins; offsets count from the log's opening and never fall.
    end: u64,
    /// In front of the end.
    passed: Passed,
    /// Of the last entry.
    position: u64,
    /// Kept entries that are not durable, if nobody may read those: position and offset, ascending.
    undurable: VecDeque<(u64, u64)>,
    /// What the segments keep, the index included.
    kept_bytes: usize,
    pub(crate) cursors: Vec<Cursor>,
    /// Readers with an open cursor here that ignore somebody.
    pub(crate) ignorers: Vec<ReaderId>,
    /// Whether it is on the list of fresh logs.
    pub(crate) fresh: bool,
    start: usize,
}

#[derive(Debug, Default)]
struct Segment {
    start: u64,
    passed: Passed,
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

#[derive(Debug, Default)]
pub(crate) struct SegmentPool(Vec<Segment>);

impl SegmentPool {
    fn take(&mut self) -> Segment {
        self.0.pop().unwrap_or_default()
    }

    fn give_back(&mut self, mut segment: Segment) {
        if self.0.len() < SPARE_SEGMENTS_MAX && segment.bytes.capacity() <= 2 * SEGMENT_BYTES {
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
    /// In front of the offset.
    pub(crate) passed: Passed,
    /// Where it ends; `u64::MAX` if it has no end yet.
    pub(crate) end: u64,
    /// What it does differently, ascending. Those in front of the offset are left over from a jump and still shown.
    detours: Option<Box<VecDeque<DetourEntry>>>,
}

#[derive(Debug)]
pub(crate) struct DetourEntry {
    pub(crate) position: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Behind the entry.
    pub(crate) passed: Passed,
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
}

impl Cursor {
    pub(crate) fn at_end_of(reader: ReaderId, log: &Log) -> Cursor {
        Cursor { reader, offset: log.end, passed: log.passed, end: u64::MAX, detours: None }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.end == u64::MAX
    }

    pub(crate) fn is_over(&self) -> bool {
        self.offset >= self.end && self.detour(0).is_none()
    }

    pub(crate) fn detour(&self, nth: usize) -> Option<&DetourEntry> {
        self.detours.as_ref()?.get(nth)
    }

    pub(crate) fn pop_detour(&mut self) -> Option<DetourEntry> {
        self.detours.as_mut()?.pop_front()
    }

    pub(crate) fn detour_bytes(&self) -> usize {
        let size = |detour: &DetourEntry| size_of::<DetourEntry>() + detour.bytes().len();
        self.detours.as_ref().map_or(0, |detours| detours.iter().map(size).sum())
    }

    /// Moves to the end of `log`. Detours that step over are forgotten, the others stay to be shown. Returns the number
    /// of messages that the reader would have been shown.
    pub(crate) fn jump(&mut self, target: u64, passed: Passed) -> u64 {
        let mut messages = passed.messages - self.passed.messages;
        let offset = self.offset;
        if let Some(detours) = &mut self.detours {
            let jumped = |detour: &DetourEntry| detour.start >= offset && detour.end <= target;
            let own = detours.iter().filter(|detour| jumped(detour) && detour.kind == Kind::Message);
            messages -= own.count() as u64;
            detours.retain(|detour| !jumped(detour) || !matches!(detour.action, DetourAction::StepOver));
        }
        self.offset = target;
        self.passed = passed;
        messages
    }
}

impl Log {
    pub(crate) fn new(label: u64, sequence: u64) -> Log {
        Log {
            label,
            segments: VecDeque::new(),
            end: 0,
            passed: Passed { messages: 0, sequence },
            position: 0,
            undurable: VecDeque::new(),
            kept_bytes: 0,
            cursors: Vec::new(),
            ignorers: Vec::new(),
            fresh: false,
            start: 0,
        }
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Where what is kept begins.
    pub(crate) fn begin(&self) -> u64 {
        self.segments.front().map_or(self.end, |segment| segment.start)
    }

    /// Where what may be read ends.
    pub(crate) fn limit(&self) -> u64 {
        self.undurable.front().map_or(self.end, |(_, offset)| *offset)
    }

    /// Forgets that entries up to `durable` were not.
    pub(crate) fn release(&mut self, durable: u64) {
        while self.undurable.front().is_some_and(|(position, _)| *position <= durable) {
            self.undurable.pop_front();
        }
    }

    /// Of the last entry.
    pub(crate) fn position(&self) -> u64 {
        self.position
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
        if release == Release::WhenDurable && entry.sequence.is_some() && entry.position > durable {
            self.undurable.push_back((entry.position, self.end));
        }
        self.position = entry.position;
        let (start, passed) = (self.end, self.passed);
        self.passed.messages += u64::from(entry.kind == Kind::Message);
        self.passed.sequence = entry.sequence.unwrap_or(passed.sequence);
        self.end += bytes.len() as u64;
        let is_full = |segment: &Segment| segment.bytes.len() + bytes.len() > SEGMENT_BYTES;
        if self.segments.back().is_none_or(is_full) {
            self.segments.push_back(Segment { start, passed, ..pool.take() });
        }
        if let Some(segment) = self.segments.back_mut() {
            segment.bytes.extend_from_slice(bytes);
            segment.entries.push(Indexed {
                position: entry.position,
                sequence: self.passed.sequence,
                messages: (self.passed.messages - segment.passed.messages) as u32,
                end: segment.bytes.len() as u32,
            });
        }
        let grown = bytes.len() + size_of::<Indexed>();
        self.kept_bytes += grown;
        grown
    }

    /// The bytes of the last entry, if it is kept.
    pub(crate) fn last_bytes(&self) -> &[u8] {
        let Some(segment) = self.segments.back() else { return &[] };
        let start = segment.entries.iter().nth_back(1).map_or(0, |entry| entry.end as usize);
        &segment.bytes[start..]
    }

    /// Notes what a cursor does with the last entry.
    pub(crate) fn detour(&mut self, cursor: usize, action: DetourAction) {
        let Some(segment) = self.segments.back() else { return };
        let before = segment.entries.iter().nth_back(1);
        let start = segment.start + before.map_or(0, |entry| u64::from(entry.end));
        let messages_before = segment.passed.messages + before.map_or(0, |entry| u64::from(entry.messages));
        let kind = if self.passed.messages > messages_before { Kind::Message } else { Kind::Notice };
        let detour =
            DetourEntry { position: self.position, start, end: self.end, passed: self.passed, kind, action };
        let detours = self.cursors[cursor].detours.get_or_insert_default();
        if detours.back().is_none_or(|last| last.start < start) {
            detours.push_back(detour);
        }
    }

    /// Lets go of the oldest segments until the rest is within the bound; the last one always stays. Returns by how much
    /// what is kept has shrunk.
    pub(crate) fn trim(&mut self, bytes_max: usize, pool: &mut SegmentPool) -> usize {
        let before = self.kept_bytes;
        while self.kept_bytes > bytes_max && self.segments.len() > 1 {
            self.drop_first_segment(pool);
        }
        before - self.kept_bytes
    }

    fn drop_first_segment(&mut self, pool: &mut SegmentPool) {
        if let Some(segment) = self.segments.pop_front() {
            self.kept_bytes -= segment.bytes.len() + segment.entries.len() * size_of::<Indexed>();
            pool.give_back(segment);
        }
    }

    /// Returns by how much what is kept has shrunk.
    pub(crate) fn free_what_all_have_read(&mut self, pool: &mut SegmentPool) -> usize {
        let read_by_all = self.cursors.iter().map(|cursor| cursor.offset).min().unwrap_or(self.end);
        let before = self.kept_bytes;
        while let Some(segment) = self.segments.front()
            && segment.start + segment.bytes.len() as u64 <= read_by_all
        {
            self.drop_first_segment(pool);
        }
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

    /// Where the next flush starts: further on by the golden section, so that over a few turns every cursor is early as
    /// often as late, whatever the number of cursors.
    pub(crate) fn next_start(&mut self) -> usize {
        let count = self.cursors.len();
        if count == 0 {
            return 0;
        }
        self.start = (self.start + count * 618 / 1000 + 1) % count;
        self.start
    }

    /// What stands in front of an offset between two entries.
    pub(crate) fn passed_at(&self, offset: u64) -> Passed {
        if offset >= self.end {
            return self.passed;
        }
        let Some(segment) = self.segment_at(offset) else { return self.passed };
        let within = (offset - segment.start) as u32;
        let count = segment.entries.partition_point(|entry| entry.end <= within);
        match count.checked_sub(1).map(|last| segment.entries[last]) {
            Some(entry) => Passed {
                messages: segment.passed.messages + u64::from(entry.messages),
                sequence: entry.sequence,
            },
            None => segment.passed,
        }
    }

    /// The position of the entry that begins at or around an offset in front of the end.
    pub(crate) fn position_at(&self, offset: u64) -> u64 {
        self.entry_at(offset).map_or(u64::MAX, |(entry, _)| entry.position)
    }

    /// Where the entry around an offset ends.
    pub(crate) fn entry_end(&self, offset: u64) -> u64 {
        self.entry_at(offset).map_or(self.end, |(_, end)| end)
    }

    /// Where the entry around an offset begins.
    pub(crate) fn entry_start(&self, offset: u64) -> u64 {
        let Some(segment) = self.segment_at(offset) else { return offset };
        let within = offset.saturating_sub(segment.start) as u32;
        let index = segment.entries.partition_point(|entry| entry.end <= within);
        segment.start + index.checked_sub(1).map_or(0, |last| u64::from(segment.entries[last].end))
    }

    fn entry_at(&self, offset: u64) -> Option<(Indexed, u64)> {
        let segment = self.segment_at(offset)?;
        let within = offset.checked_sub(segment.start)? as u32;
        let index = segment.entries.partition_point(|entry| entry.end <= within);
        let entry = segment.entries.get(index)?;
        Some((*entry, segment.start + u64::from(entry.end)))
    }

    /// Where the first entry from `offset` on begins that has this position or a higher one.
    pub(crate) fn offset_of(&self, position: u64, offset: u64) -> u64 {
        let reaches =
            |segment: &Segment| segment.entries.last().is_some_and(|entry| entry.position >= position);
        let Some(segment) = self.segments.iter().find(|segment| reaches(segment)) else { return self.end };
        let index = segment.entries.partition_point(|entry| entry.position < position);
        let before = index.checked_sub(1).map_or(0, |last| u64::from(segment.entries[last].end));
        (segment.start + before).max(offset)
    }

    fn segment_at(&self, offset: u64) -> Option<&Segment> {
        // Nearly everybody reads in the last segment.
        let last = self.segments.back()?;
        if offset >= last.start {
            return Some(last);
        }
        let index = self.segments.partition_point(|segment| segment.start <= offset);
        index.checked_sub(1).and_then(|index| self.segments.get(index))
    }

    /// The kept bytes between two offsets, piece by piece.
    pub(crate) fn pieces(&self, from: u64, to: u64) -> impl Iterator<Item = &[u8]> {
        let first = self.segments.partition_point(|segment| segment.start <= from).saturating_sub(1);
        self.segments.range(first..).take_while(move |segment| segment.start < to).map(move |segment| {
            let start = from.saturating_sub(segment.start) as usize;
            let end = ((to - segment.start) as usize).min(segment.bytes.len());
            &segment.bytes[start.min(end)..end]
        })
    }
}
