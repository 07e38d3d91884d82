//! The feeds against a naive model: a queue of its own for every cursor, nothing shared, nothing clever.
//!
//! A run is a list of operations; proptest invents them in `tests`, a fuzzer in `fuzzing`. The model is told the same as the
//! feeds; whatever bytes are taken from the feeds have to be what the model has next. What the model cannot know is when a
//! log lets go of something, and when so much of it waits behind a held entry that this is passed; it checks that either was
//! allowed, and what became of it. It must never be in what is shipped: it is built for tests and for fuzzing alone, and
//! panics when the two differ.

use crate::log::INDEX_BYTES;
use crate::{Bounds, Detour, Entry, Feeds, Holding, Kind, LogId, Plan, ReaderId, Release, Skipped, log};
use std::collections::{BTreeSet, VecDeque};
use std::io::IoSlice;

/// What has a rank of its own among entries at one position: what nobody may read yet, what waits to become durable, what is
/// passed before it is, and what is stepped over.
const UNREADABLE: u8 = 0;
const WAITS: u8 = 1;
const PASSED: u8 = 2;
const STEPPED_OVER: u8 = 5;

/// What a one-buffer filter takes at once.
const FILTER_BYTES_MAX: usize = 150;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    OpenLog,
    AddReader {
        filters: bool,
    },
    RemoveReader(usize),
    Begin(usize, usize),
    End(usize, usize),
    EndAll(usize),
    Append(Append),
    Tell(usize, usize),
    TellAtLast(usize, usize),
    Ignore(usize, u64),
    Hear(usize, u64),
    /// The reader is held back this far behind the last position, or in front of the next.
    HoldBack(usize, u64),
    LetGo(usize),
    /// Everything but so many of the last positions is durable.
    Durable(u64),
    Holding(Holding),
    /// The reader's socket takes so many bytes more.
    Room(usize, usize),
    /// Those who are due are served, with room for so many slices.
    Turn(usize),
    Settle,
    NextClosed,
}

#[derive(Clone, Debug)]
pub(crate) struct Append {
    pub(crate) log: usize,
    /// A second log that gets it too; it is a notice then.
    pub(crate) twin: Option<usize>,
    pub(crate) advance: u64,
    pub(crate) kind: Kind,
    pub(crate) author: Option<u64>,
    pub(crate) is_kept: bool,
    pub(crate) len: usize,
    pub(crate) detours: Vec<(usize, Way)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    StepOver,
    Show,
    Hold,
}

#[derive(Clone, Debug)]
struct Item {
    position: u64,
    sequence: Option<u64>,
    kind: Kind,
    bytes: Vec<u8>,
    way: Option<Way>,
    /// Whether the cursor has jumped over it.
    is_left_over: bool,
    /// Whether it was held, and its reader has gone on before it was durable.
    is_passed: bool,
}

#[derive(Debug)]
struct ModelCursor {
    log: usize,
    queue: VecDeque<Item>,
    has_end: bool,
    /// The last sequence in front of the queue.
    sequence: u64,
}

impl ModelCursor {
    fn pop(&mut self) -> Option<Item> {
        let item = self.queue.pop_front()?;
        if !item.is_left_over {
            self.sequence = item.sequence.unwrap_or(self.sequence);
        }
        Some(item)
    }

    fn unread(&self) -> impl Iterator<Item = &Item> {
        self.queue.iter().filter(|item| !item.is_left_over)
    }
}

#[derive(Debug)]
struct ModelLog {
    id: LogId,
    label: u64,
    sequence: u64,
    was_begun: bool,
    is_closed: bool,
    /// Position and bytes, the index included, of all entries ever.
    sizes: Vec<(u64, usize)>,
    kept_facts: Vec<u64>,
}

#[derive(Debug)]
struct ModelReader {
    id: ReaderId,
    cursors: Vec<ModelCursor>,
    notes: Vec<(u64, Vec<u8>)>,
    /// What was held and passed, and is not durable.
    owed: Vec<(u64, Vec<u8>)>,
    /// What waits until nothing is owed.
    last_words: Vec<(u64, Vec<u8>)>,
    /// What is left of something that was begun.
    rest: VecDeque<u8>,
    ignored: BTreeSet<u64>,
    /// Nothing of feeds behind this is shown.
    gate: Option<u64>,
    room: usize,
    is_blocked: bool,
    /// What a filter has taken and the socket has not.
    filtered: Option<usize>,
    shown_position: u64,
}

impl ModelReader {
    fn say_at_last(&mut self, position: u64, bytes: Vec<u8>) {
        self.last_words.push((self.gate.map_or(position, |gate| gate.min(position)), bytes));
    }

    fn note_last_words(&mut self) {
        for (position, bytes) in std::mem::take(&mut self.last_words) {
            self.note(position, bytes);
        }
    }

    fn note(&mut self, position: u64, bytes: Vec<u8>) {
        let at = self.notes.partition_point(|(other, _)| *other <= position);
        // What is told at one position is one note: who has begun to read it reads all of it.
        match self.notes[..at].last_mut().filter(|(last, _)| *last == position) {
            Some((_, last)) => last.extend(bytes),
            None => self.notes.insert(at, (position, bytes)),
        }
    }
}

#[derive(PartialEq, Eq, Debug)]
enum ModelNext {
    Nothing,
    Held,
    /// Of the cursor with this number.
    Item(usize),
    Note,
}

struct World {
    feeds: Feeds,
    bounds: Bounds,
    release: Release,
    holding: Holding,
    logs: Vec<ModelLog>,
    readers: Vec<ModelReader>,
    position: u64,
    durable: u64,
    count: u64,
}

/// Plays a run: two logs and two readers are there from the start, and at the end everybody reads everything.
///
/// # Panics
/// When the feeds do something else than the model.
pub(crate) fn play(bounds: Bounds, release: Release, ops: impl IntoIterator<Item = Op>) {
    let start = [Op::OpenLog, Op::OpenLog, Op::AddReader { filters: false }, Op::AddReader { filters: true }];
    let mut world = World::new(bounds, release);
    for op in start.into_iter().chain(ops) {
        world.run(op);
    }
    world.finish();
}

impl World {
    fn new(bounds: Bounds, release: Release) -> World {
        let feeds = Feeds::new(bounds, release);
        let (logs, readers) = (Vec::new(), Vec::new());
        let holding = Holding::Waits;
        World { feeds, bounds, release, holding, logs, readers, position: 0, durable: 0, count: 0 }
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::OpenLog => self.open_log(),
            Op::AddReader { filters } => self.add_reader(filters),
            Op::RemoveReader(reader) => self.remove_reader(reader),
            Op::Begin(reader, log) => self.begin(reader, log),
            Op::End(reader, log) => self.end(reader, log),
            Op::EndAll(reader) => self.end_all(reader),
            Op::Append(append) => self.append(&append),
            Op::Tell(reader, len) => {
                if let Some(reader) = self.reader(reader) {
                    self.tell(reader, self.position, len);
                }
            }
            Op::TellAtLast(reader, len) => {
                if let Some(reader) = self.reader(reader) {
                    self.tell_at_last(reader, len);
                }
            }
            Op::Ignore(reader, author) => {
                if let Some(reader) = self.reader(reader) {
                    self.readers[reader].ignored.insert(author);
                    self.feeds.ignore(self.readers[reader].id, author);
                }
            }
            Op::Hear(reader, author) => {
                if let Some(reader) = self.reader(reader) {
                    self.readers[reader].ignored.remove(&author);
                    self.feeds.hear(self.readers[reader].id, author);
                }
            }
            Op::HoldBack(reader, behind) => {
                if let Some(reader) = self.reader(reader) {
                    let position = self.position.saturating_sub(behind);
                    let gate = &mut self.readers[reader].gate;
                    *gate = Some(gate.map_or(position, |gate| gate.min(position)));
                    self.feeds.hold_back(self.readers[reader].id, position);
                }
            }
            Op::LetGo(reader) => {
                if let Some(reader) = self.reader(reader) {
                    self.readers[reader].gate = None;
                    self.feeds.let_go(self.readers[reader].id);
                }
            }
            Op::Durable(behind) => {
                self.durable = self.durable.max(self.position.saturating_sub(behind));
                self.feeds.durable(self.durable);
                self.tell_what_is_owed();
            }
            Op::Holding(holding) => {
                self.holding = holding;
                self.feeds.set_holding(holding);
                self.tell_what_is_owed();
            }
            Op::Room(reader, room) => {
                if let Some(reader) = self.reader(reader) {
                    self.give_room(reader, room);
                }
            }
            Op::Turn(slices_max) => self.turn(slices_max),
            Op::Settle => self.settle(),
            Op::NextClosed => self.forget_closed(),
        }
        self.check_bytes();
    }

    fn reader(&self, nth: usize) -> Option<usize> {
        nth.checked_rem(self.readers.len())
    }

    fn log(&self, nth: usize) -> Option<usize> {
        let open: Vec<usize> = (0..self.logs.len()).filter(|log| !self.logs[*log].is_closed).collect();
        Some(open[nth.checked_rem(open.len())?])
    }

    fn open_log(&mut self) {
        let label = 100 + self.logs.len() as u64;
        let sequence = label * 10;
        let id = self.feeds.open_log(label, sequence);
        let (sizes, kept_facts) = (Vec::new(), Vec::new());
        self.logs.push(ModelLog {
            id,
            label,
            sequence,
            was_begun: false,
            is_closed: false,
            sizes,
            kept_facts,
        });
    }

    fn add_reader(&mut self, filters: bool) {
        self.readers.push(ModelReader {
            id: self.feeds.add_reader(),
            cursors: Vec::new(),
            notes: Vec::new(),
            owed: Vec::new(),
            last_words: Vec::new(),
            rest: VecDeque::new(),
            ignored: BTreeSet::new(),
            gate: None,
            room: usize::MAX,
            is_blocked: false,
            filtered: filters.then_some(0),
            shown_position: 0,
        });
    }

    fn remove_reader(&mut self, reader: usize) {
        if let Some(reader) = self.reader(reader) {
            let reader = self.readers.remove(reader);
            self.feeds.remove_reader(reader.id);
        }
    }

    fn open_cursor(&self, reader: usize, log: usize) -> Option<usize> {
        self.readers[reader].cursors.iter().position(|cursor| cursor.log == log && !cursor.has_end)
    }

    fn begin(&mut self, reader: usize, log: usize) {
        let (Some(reader), Some(log)) = (self.reader(reader), self.log(log)) else { return };
        self.feeds.begin(self.readers[reader].id, self.logs[log].id);
        if self.open_cursor(reader, log).is_none() {
            self.logs[log].was_begun = true;
            let sequence = self.logs[log].sequence;
            let cursor = ModelCursor { log, queue: VecDeque::new(), has_end: false, sequence };
            self.readers[reader].cursors.push(cursor);
        }
    }

    fn end(&mut self, reader: usize, log: usize) {
        let (Some(reader), Some(log)) = (self.reader(reader), self.log(log)) else { return };
        assert_eq!(
            self.feeds.is_reading(self.readers[reader].id, self.logs[log].id),
            self.open_cursor(reader, log).is_some()
        );
        self.feeds.end(self.readers[reader].id, self.logs[log].id);
        self.end_open(reader, log);
    }

    fn end_open(&mut self, reader: usize, log: usize) {
        if let Some(cursor) = self.open_cursor(reader, log) {
            self.readers[reader].cursors[cursor].has_end = true;
        }
        self.forget_ended(reader);
    }

    fn end_all(&mut self, reader: usize) {
        let Some(reader) = self.reader(reader) else { return };
        self.feeds.end_all(self.readers[reader].id);
        for log in 0..self.logs.len() {
            self.end_open(reader, log);
        }
    }

    fn forget_ended(&mut self, reader: usize) {
        self.readers[reader].cursors.retain(|cursor| !(cursor.has_end && cursor.queue.is_empty()));
    }

    fn bytes(&mut self, what: &str, len: usize) -> Vec<u8> {
        self.count += 1;
        let mut text = format!("{what}{}@{}", self.count, self.position).into_bytes();
        text.resize(text.len().max(len), b'.');
        text
    }

    fn append(&mut self, append: &Append) {
        let Some(log) = self.log(append.log) else { return };
        self.position += append.advance;
        let twin = append.twin.and_then(|twin| self.log(twin)).filter(|twin| *twin != log);
        for log in [Some(log), twin].into_iter().flatten() {
            self.append_to(log, append);
        }
        for (reader, way) in &append.detours {
            let Some(reader) = self.reader(*reader) else { continue };
            // One steps over a thing wherever it is told, or nowhere.
            let has_detour = |log: usize| self.last_way(reader, log).is_some();
            if [Some(log), twin].into_iter().flatten().any(has_detour) {
                continue;
            }
            let twin = twin.filter(|_| *way == Way::StepOver || append.len.is_multiple_of(2));
            for log in [Some(log), twin].into_iter().flatten() {
                self.detour(reader, log, *way);
            }
        }
    }

    fn append_to(&mut self, log: usize, append: &Append) {
        let bytes = self.bytes("e", append.len);
        let place = &mut self.logs[log];
        place.sequence += u64::from(append.is_kept);
        let sequence = append.is_kept.then_some(place.sequence);
        let Append { author, kind, .. } = *append;
        self.feeds.append(place.id, Entry { position: self.position, sequence, author, kind }, &bytes);
        place.sizes.push((self.position, bytes.len() + INDEX_BYTES));
        if append.is_kept {
            place.kept_facts.push(self.position);
        }
        for reader in &mut self.readers {
            let ignores = kind == Kind::Message && author.is_some_and(|by| reader.ignored.contains(&by));
            let way = ignores.then_some(Way::StepOver);
            for cursor in reader.cursors.iter_mut().filter(|cursor| cursor.log == log && !cursor.has_end) {
                let bytes = bytes.clone();
                let position = self.position;
                let (is_left_over, is_passed) = (false, false);
                cursor.queue.push_back(Item {
                    position,
                    sequence,
                    kind,
                    bytes,
                    way,
                    is_left_over,
                    is_passed,
                });
            }
        }
    }

    fn last_way(&self, reader: usize, log: usize) -> Option<Way> {
        let cursor = &self.readers[reader].cursors[self.open_cursor(reader, log)?];
        cursor.queue.back().filter(|item| item.position == self.position)?.way
    }

    fn detour(&mut self, reader: usize, log: usize, way: Way) {
        let own = self.bytes("h", 1);
        let detour = match way {
            Way::StepOver => Detour::StepOver,
            Way::Show => Detour::Show,
            Way::Hold => Detour::Hold(own.clone()),
        };
        self.feeds.detour(self.readers[reader].id, self.logs[log].id, detour);
        let Some(cursor) = self.open_cursor(reader, log) else { return };
        let last = self.readers[reader].cursors[cursor].queue.back_mut();
        if let Some(last) = last.filter(|item| item.position == self.position) {
            last.way = Some(way);
            if way == Way::Hold {
                last.bytes = own;
            }
        }
    }

    fn tell(&mut self, reader: usize, position: u64, len: usize) {
        let bytes = self.bytes("n", len);
        let reader = &mut self.readers[reader];
        self.feeds.tell(reader.id, position, &bytes);
        if reader.last_words.first().is_some_and(|(last, _)| *last <= position) {
            return reader.say_at_last(position, bytes);
        }
        // While its reader is held back, a note stands at the gate.
        reader.note(reader.gate.map_or(position, |gate| gate.min(position)), bytes);
    }

    fn tell_at_last(&mut self, reader: usize, len: usize) {
        let found = &self.readers[reader];
        if found.owed.is_empty() || found.gate.is_some() || self.holding == Holding::Passes {
            return self.tell(reader, self.position, len);
        }
        let bytes = self.bytes("l", len);
        let reader = &mut self.readers[reader];
        self.feeds.tell_at_last(reader.id, self.position, &bytes);
        reader.say_at_last(self.position, bytes);
    }

    fn give_room(&mut self, reader: usize, room: usize) {
        let reader = &mut self.readers[reader];
        reader.room = room;
        if reader.is_blocked && room > 0 {
            reader.is_blocked = false;
            self.feeds.mark_due(reader.id);
        }
    }

    // What comes next.

    fn is_readable(&self, log: usize, position: u64) -> bool {
        let is_undurable = |fact: &u64| *fact > self.durable && *fact <= position;
        self.release == Release::AtOnce || !self.logs[log].kept_facts.iter().any(is_undurable)
    }

    /// Which of several entries at one position speaks for all of them: the lowest.
    fn rank(&self, log: usize, item: &Item) -> u8 {
        match item.way {
            Some(Way::Hold) if item.is_passed => PASSED,
            _ if !self.is_readable(log, item.position) => UNREADABLE,
            Some(Way::Hold) if item.position > self.durable => WAITS,
            Some(Way::Hold) => 3,
            Some(Way::Show) => 4,
            Some(Way::StepOver) => STEPPED_OVER,
            None => 6,
        }
    }

    /// What the reader is to be shown next, and how many items of each cursor are stepped over or passed before that.
    fn next(&self, reader: usize) -> (ModelNext, Vec<usize>) {
        let reader = &self.readers[reader];
        let mut passed = vec![0; reader.cursors.len()];
        loop {
            let cursors = reader.cursors.iter().enumerate();
            let heads =
                cursors.filter_map(|(at, cursor)| Some((at, cursor.log, cursor.queue.get(passed[at])?)));
            let heads = heads.filter(|(_, _, item)| reader.gate.is_none_or(|gate| item.position <= gate));
            let first = heads.min_by_key(|(_, log, item)| (item.position, self.rank(*log, item)));
            let note = reader.notes.first().map_or(u64::MAX, |(position, _)| *position);
            match first {
                Some((at, log, item)) if item.position <= note => match self.rank(log, item) {
                    UNREADABLE if self.notes_pass(reader) => return (ModelNext::Note, passed),
                    UNREADABLE | WAITS => return (ModelNext::Held, passed),
                    PASSED | STEPPED_OVER => Self::pass_twins(&mut passed, reader, item.position),
                    _ => return (ModelNext::Item(at), passed),
                },
                _ if reader.notes.is_empty() => return (ModelNext::Nothing, passed),
                _ => return (ModelNext::Note, passed),
            }
        }
    }

    /// Nothing becomes durable: notes pass what nobody is shown.
    fn notes_pass(&self, reader: &ModelReader) -> bool {
        self.holding == Holding::Passes && !reader.notes.is_empty()
    }

    fn pass_twins(passed: &mut [usize], reader: &ModelReader, position: u64) {
        for (count, cursor) in passed.iter_mut().zip(&reader.cursors) {
            let is_there = cursor.queue.get(*count).is_some_and(|item| item.position == position);
            *count += usize::from(is_there);
        }
    }

    fn pass(&mut self, reader: usize, passed: &[usize]) {
        let reader = &mut self.readers[reader];
        for (cursor, count) in reader.cursors.iter_mut().zip(passed) {
            for item in (0..*count).filter_map(|_| cursor.pop()) {
                let is_first = reader.owed.iter().all(|(position, _)| *position != item.position);
                if item.is_passed && is_first {
                    reader.owed.push((item.position, item.bytes));
                }
            }
        }
    }

    /// The bytes that come next, which are then begun.
    fn begin_next(&mut self, reader: usize) {
        let (next, mut passed) = self.next(reader);
        let (position, bytes) = match next {
            ModelNext::Nothing | ModelNext::Held => panic!("more was handed out than there is: {next:?}"),
            ModelNext::Note => {
                self.pass(reader, &passed);
                let (position, bytes) = self.readers[reader].notes.remove(0);
                // It may have passed what nobody is shown yet, but lets nothing else do so.
                let first = self.first(reader).map_or(u64::MAX, |(_, item)| item.position);
                (position.min(first - 1).max(self.readers[reader].shown_position), bytes)
            }
            ModelNext::Item(cursor) => {
                let item = self.readers[reader].cursors[cursor].queue[passed[cursor]].clone();
                Self::pass_twins(&mut passed, &self.readers[reader], item.position);
                self.pass(reader, &passed);
                (item.position, item.bytes)
            }
        };
        let found = &mut self.readers[reader];
        assert!(position >= found.shown_position, "the order of the server is kept");
        found.shown_position = position;
        found.rest = bytes.into();
    }

    fn take(&mut self, reader: usize, bytes: &[u8]) {
        for byte in bytes {
            if self.readers[reader].rest.is_empty() {
                self.begin_next(reader);
            }
            let expected = self.readers[reader].rest.pop_front();
            assert_eq!(expected.map(char::from), Some(char::from(*byte)), "after {:?}", self.readers[reader]);
        }
        self.forget_ended(reader);
    }

    // What is passed before it is durable.

    /// What readers are owed and is durable becomes notes, in front of all that they have not been shown.
    fn tell_what_is_owed(&mut self) {
        for reader in &mut self.readers {
            let is_durable = |(position, _): &mut (u64, Vec<u8>)| *position <= self.durable;
            for (position, bytes) in reader.owed.extract_if(.., is_durable).collect::<Vec<_>>() {
                reader.note(position, bytes);
            }
            if reader.owed.is_empty() || self.holding == Holding::Passes {
                reader.note_last_words();
            }
        }
    }

    /// Finds out which held entries the feeds have passed for the reader, and whether they may.
    fn learn_what_was_passed(&mut self, reader: usize) {
        let owed = self.feeds.readers.get(self.readers[reader].id.0).expect("a reader").owed_positions();
        let is_known = |position: &u64| self.readers[reader].owed.iter().any(|(known, _)| known == position);
        let passed: Vec<u64> = owed.into_iter().filter(|position| !is_known(position)).collect();
        if passed.is_empty() {
            return;
        }
        let segment_bytes_max = log::segment_bytes_max(self.bounds.lag_bytes_max);
        let counted =
            |cursor: &ModelCursor| self.bytes_from(cursor, cursor.unread().next()) + segment_bytes_max;
        assert!(self.may_pass(reader, counted), "{passed:?} are passed in a hurry");
        for position in passed {
            assert!(position > self.durable, "what is durable is shown in its place");
            let cursors = self.readers[reader].cursors.iter_mut();
            let items = cursors.flat_map(|cursor| &mut cursor.queue);
            let held = items.filter(|item| item.position == position && item.way == Some(Way::Hold));
            let count = held.map(|item| item.is_passed = true).count();
            assert!(count > 0, "what was not held is owed: {position}");
        }
    }

    /// Whether the reader goes on past what it holds, if so many bytes wait for each of its cursors.
    fn may_pass(&self, reader: usize, waiting: impl Fn(&ModelCursor) -> usize) -> bool {
        let held_bytes_max = log::held_bytes_max(self.bounds.lag_bytes_max);
        self.holding == Holding::Passes
            || self.feeds.kept_bytes() > self.bounds.feeds_bytes_max / 2
            || self.readers[reader].cursors.iter().any(|cursor| waiting(cursor) > held_bytes_max)
    }

    /// What the cursor's log was given from this item on.
    fn bytes_from(&self, cursor: &ModelCursor, first: Option<&Item>) -> usize {
        let first = first.map_or(u64::MAX, |item| item.position);
        let sizes = self.logs[cursor.log].sizes.iter();
        sizes.filter(|(position, _)| *position >= first).map(|(_, size)| size).sum()
    }

    /// What stands first in the reader's queues, and of which log it is.
    fn first(&self, reader: usize) -> Option<(usize, &Item)> {
        let cursors = self.readers[reader].cursors.iter();
        let heads = cursors.filter_map(|cursor| Some((cursor.log, cursor.queue.front()?)));
        heads.min_by_key(|(log, item)| (item.position, self.rank(*log, item)))
    }

    /// Takes what was passed, and what stands in front of it, out of the queues.
    fn pass_what_was_passed(&mut self, reader: usize) {
        let is_left = |world: &World| {
            let mut items = world.readers[reader].cursors.iter().flat_map(|cursor| &cursor.queue);
            items.any(|item| item.is_passed)
        };
        while is_left(self) {
            let (log, item) = self.first(reader).expect("something is left");
            assert!(matches!(self.rank(log, item), PASSED | STEPPED_OVER), "{item:?} is not shown");
            let mut passed = vec![0; self.readers[reader].cursors.len()];
            Self::pass_twins(&mut passed, &self.readers[reader], item.position);
            self.pass(reader, &passed);
        }
        self.forget_ended(reader);
    }

    // Serving.

    fn turn(&mut self, slices_max: usize) {
        let mut due = Vec::new();
        self.feeds.take_due(&mut due);
        assert_eq!(due.iter().collect::<BTreeSet<_>>().len(), due.len(), "each once");
        for id in due {
            if let Some(reader) = self.readers.iter().position(|reader| reader.id == id)
                && !self.readers[reader].is_blocked
            {
                self.serve(reader, slices_max);
            }
        }
        for reader in (0..self.readers.len()).filter(|reader| !self.readers[*reader].is_blocked) {
            let next = self.next(reader).0;
            assert!(matches!(next, ModelNext::Nothing | ModelNext::Held), "{next:?} without being due");
            let owed = &self.readers[reader].owed;
            assert!(owed.iter().all(|(position, _)| *position > self.durable), "{owed:?} without being due");
            let has_last_words = !self.readers[reader].last_words.is_empty();
            let may_wait = !owed.is_empty() && self.holding == Holding::Waits;
            assert!(!has_last_words || may_wait, "last words without being due");
        }
    }

    /// Serves a reader until nothing is left or its socket takes no more.
    fn serve(&mut self, reader: usize, slices_max: usize) {
        loop {
            if !self.drain_filter(reader) {
                return;
            }
            let id = self.readers[reader].id;
            let plan = self.feeds.plan(id);
            self.learn_what_was_passed(reader);
            self.pass_what_was_passed(reader);
            match plan {
                Plan::Bytes => {
                    if !self.write(reader, slices_max) {
                        return;
                    }
                }
                Plan::Jumped(skipped) => self.jump(reader, skipped),
                Plan::Nothing | Plan::Owed | Plan::Held => return self.come_to_rest(reader, plan),
            }
        }
    }

    fn come_to_rest(&mut self, reader: usize, plan: Plan) {
        assert!(self.readers[reader].rest.is_empty());
        let (next, passed) = self.next(reader);
        let is_held = plan == Plan::Held || (plan == Plan::Owed && self.holding == Holding::Passes);
        assert!(next == ModelNext::Nothing || (next == ModelNext::Held && is_held), "{plan:?}, but {next:?}");
        assert!(next == ModelNext::Held || plan != Plan::Held, "{plan:?}, but {next:?}");
        self.pass(reader, &passed);
        self.forget_ended(reader);
        let is_owed_anything = !self.readers[reader].owed.is_empty();
        let waits = is_owed_anything || next == ModelNext::Held;
        assert!(plan == Plan::Held || waits == (plan == Plan::Owed), "{plan:?}");
        let is_held = |(log, item): (usize, &Item)| self.rank(log, item) == WAITS;
        if next == ModelNext::Held && self.first(reader).is_some_and(is_held) {
            let waiting = |cursor: &ModelCursor| self.bytes_from(cursor, cursor.unread().next());
            assert!(!self.may_pass(reader, waiting), "it waits, though it misses something");
        }
    }

    /// Whether the filter's buffer, if there is one, is empty now.
    fn drain_filter(&mut self, reader: usize) -> bool {
        let reader = &mut self.readers[reader];
        let Some(filtered) = &mut reader.filtered else { return true };
        let drained = reader.room.min(*filtered);
        *filtered -= drained;
        reader.room -= drained;
        reader.is_blocked = *filtered > 0;
        !reader.is_blocked
    }

    /// Whether all that was handed out was taken, or the filter's buffer was filled.
    fn write(&mut self, reader: usize, slices_max: usize) -> bool {
        let mut slices = [IoSlice::new(&[]); 16];
        let count = self.feeds.slices(&mut slices[..slices_max]);
        assert!(slices[..count].iter().all(|slice| !slice.is_empty()));
        let mut bytes = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>();
        assert!(!bytes.is_empty(), "a plan of bytes has some");
        let found = &mut self.readers[reader];
        let handed_out = bytes.len();
        if let Some(filtered) = &mut found.filtered {
            bytes.truncate(FILTER_BYTES_MAX);
            *filtered = bytes.len();
        } else {
            bytes.truncate(found.room);
            found.room -= bytes.len();
            found.is_blocked = bytes.len() < handed_out;
        }
        let is_blocked = found.is_blocked;
        self.feeds.taken(bytes.len());
        self.learn_what_was_passed(reader);
        self.take(reader, &bytes);
        self.pass_what_was_passed(reader);
        !is_blocked
    }

    fn jump(&mut self, reader: usize, skipped: Skipped) {
        let log = self.logs.iter().position(|log| log.label == skipped.label).expect("a log that was opened");
        let is_meant = |cursor: &ModelCursor| {
            cursor.log == log && cursor.unread().any(|item| item.position == skipped.position)
        };
        let cursor = self.readers[reader].cursors.iter().position(is_meant).expect("a cursor that lags");
        self.check_target(&self.readers[reader].cursors[cursor], skipped);
        let cursor = &mut self.readers[reader].cursors[cursor];
        let (mut entries, mut messages, mut from_max) = (0, 0, cursor.sequence + 1);
        let (from_min, mut to) = (from_max, cursor.sequence);
        // In front of the first that is not shown. What its author's cursor does with an entry is only known behind it.
        let first = cursor.unread().next().map_or(0, |item| item.position);
        let undetoured = cursor.unread().find(|item| item.way.is_none());
        let behind_max = undetoured.map_or(u64::MAX, |item| item.position - 1);
        assert!(
            (first - 1..=behind_max).contains(&skipped.behind),
            "{skipped:?} behind {first}..={behind_max}"
        );
        let mut is_first = true;
        cursor.queue.retain_mut(|item| {
            if item.is_left_over || item.position > skipped.position {
                return true;
            }
            to = item.sequence.unwrap_or(to);
            is_first &= item.way == Some(Way::StepOver);
            from_max = if is_first { to + 1 } else { from_max };
            entries += u64::from(item.way.is_none());
            messages += u64::from(item.way.is_none() && item.kind == Kind::Message);
            item.is_left_over = matches!(item.way, Some(Way::Show | Way::Hold));
            item.is_left_over
        });
        cursor.sequence = to;
        assert_eq!((skipped.entries, skipped.messages, skipped.to), (entries, messages, to));
        assert!(
            skipped.from >= from_min && skipped.from <= from_max,
            "{skipped:?} from {from_min}..={from_max}"
        );
        self.forget_ended(reader);
        self.tell(reader, skipped.behind, 20);
    }

    fn check_target(&self, cursor: &ModelCursor, skipped: Skipped) {
        let first = cursor.unread().map(|item| item.position).next().unwrap_or(u64::MAX);
        self.check_that_it_had_to_go(cursor.log, first);
        let readable = cursor.unread().filter(|item| self.is_readable(cursor.log, item.position));
        let last_readable = readable.last().map_or(0, |item| item.position);
        if self.release == Release::WhenDurable && skipped.position > last_readable {
            self.check_that_it_had_to_go(cursor.log, skipped.position);
        } else {
            assert_eq!(skipped.position, last_readable);
        }
        assert!(cursor.unread().any(|item| item.position == skipped.position));
    }

    /// A log lets go of a segment only when it keeps too much, and of a sixteenth of the bound at most.
    fn check_that_it_had_to_go(&self, log: usize, position: u64) {
        if self.bounds.feeds_bytes_max < usize::MAX {
            return;
        }
        let behind = self.logs[log].sizes.iter().filter(|(other, _)| *other >= position);
        let bytes: usize = behind.map(|(_, size)| size).sum();
        let lag_bytes_max = self.bounds.lag_bytes_max;
        let kept_bytes_max = log::kept_bytes_max(lag_bytes_max);
        assert!(bytes > kept_bytes_max - log::segment_bytes_max(lag_bytes_max), "jumped for {bytes} bytes");
    }

    // What is kept.

    fn settle(&mut self) {
        self.feeds.settle();
        for (nth, log) in self.logs.iter().enumerate().filter(|(_, log)| !log.is_closed) {
            let cursors = self.readers.iter().flat_map(|reader| &reader.cursors);
            let is_read =
                cursors.filter(|cursor| cursor.log == nth).all(|cursor| cursor.unread().next().is_none());
            if is_read {
                assert_eq!(self.counted_bytes(log), 0, "what everybody has read is not kept");
            }
        }
    }

    fn counted_bytes(&self, log: &ModelLog) -> usize {
        self.feeds.logs.get(log.id.0).map_or(0, log::Log::counted_bytes)
    }

    fn check_bytes(&self) {
        let (mut kept_bytes, mut last_segments) = (0, 0);
        for log in self.logs.iter().filter(|log| !log.is_closed) {
            let largest = log.sizes.iter().map(|(_, size)| *size).max().unwrap_or(0);
            let counted = self.counted_bytes(log);
            assert!(counted <= self.bounds.lag_bytes_max.max(largest));
            kept_bytes += counted;
            last_segments += largest.max(log::segment_bytes_max(self.bounds.lag_bytes_max));
        }
        assert_eq!(self.feeds.kept_bytes(), kept_bytes);
        assert!(kept_bytes <= self.bounds.feeds_bytes_max.saturating_add(last_segments));
        for reader in &self.readers {
            let has_detours =
                reader.cursors.iter().flat_map(|cursor| &cursor.queue).any(|item| item.way.is_some());
            let is_told_all =
                reader.notes.is_empty() && reader.owed.is_empty() && reader.last_words.is_empty();
            if !has_detours && is_told_all && reader.rest.is_empty() {
                assert_eq!(self.feeds.private_bytes(reader.id), 0);
            }
        }
    }

    fn forget_closed(&mut self) {
        while let Some(label) = self.feeds.next_closed() {
            let nth = self.logs.iter().position(|log| log.label == label).expect("a log that was opened");
            assert!(self.logs[nth].was_begun && !self.logs[nth].is_closed, "closed once");
            self.logs[nth].is_closed = true;
            for reader in &mut self.readers {
                let is_through = |cursor: &ModelCursor| {
                    cursor.has_end && cursor.queue.iter().all(|item| item.way == Some(Way::StepOver))
                };
                assert!(reader.cursors.iter().filter(|cursor| cursor.log == nth).all(is_through));
                reader.cursors.retain(|cursor| cursor.log != nth);
            }
        }
    }

    /// Everybody reads everything, then nobody reads on: nothing may be left.
    fn finish(&mut self) {
        self.run(Op::Durable(0));
        for reader in 0..self.readers.len() {
            self.run(Op::LetGo(reader));
            self.give_room(reader, usize::MAX);
        }
        self.run(Op::Turn(16));
        for reader in 0..self.readers.len() {
            assert_eq!(self.next(reader).0, ModelNext::Nothing);
            self.run(Op::EndAll(reader));
        }
        self.run(Op::Turn(16));
        self.run(Op::Settle);
        self.run(Op::NextClosed);
        assert!(self.logs.iter().all(|log| log.is_closed || !log.was_begun));
        assert_eq!(self.feeds.kept_bytes(), 0);
        assert!(self.readers.iter().all(|reader| self.feeds.private_bytes(reader.id) == 0));
    }
}
