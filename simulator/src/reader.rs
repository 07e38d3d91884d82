//! One reader as it should be: everything that it is to be shown, in order, and what it has been shown.
//!
//! Where it stands: the oracle says what a reader is to be shown when it happens; the network says which bytes came out.
//! Each line must be the next that is expected, or stand behind entries that a skip announces with the exact count.
//!
//! What this file must never do: learn from the engine what is right.

use crate::device::{Delivery, Feed, PastWord};
use crate::session::{FRAME_BEGIN, FRAME_END, Kind, Rendition, WayOut, label_in_held};
use hub::{Nonce, Position, RoomNumber, Sequence};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// Where an entry is read: a room, or the reader's inbox as number 0, which no room has.
pub(crate) type Place = RoomNumber;

/// The place of direct messages.
pub(crate) const INBOX: Place = RoomNumber(0);

/// What a reader is to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) position: Position,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Told to this reader alone, and what a client makes of it.
    Note(Rc<[u8]>, Option<Delivery>),
    /// Likewise, but it may never come: an answer to what it asked before its stay was over and the connection may be closed,
    /// or what only those are told who still read something.
    Afterword(Rc<[u8]>),
    /// An entry of feeds.
    Entry(Entry),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) bytes: Rc<[u8]>,
    /// The reader's places in which it stands.
    pub(crate) places: BTreeSet<Place>,
    pub(crate) is_message: bool,
    pub(crate) sequence: Option<Sequence>,
    /// The room or conversation in which the sequence counts.
    pub(crate) kept_in: Option<RoomNumber>,
    pub(crate) own: Own,
}

/// What the reader's own cursor does with an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Own {
    /// It is like anybody's: a jump may skip it.
    Shared,
    /// It is passed.
    SteppedOver,
    /// It is shown for sure.
    Shown,
    /// This is shown for sure, when it is durable.
    Held(Vec<u8>),
}

/// Entries that were not shown and skips that were announced, since an entry of this place was shown last.
#[derive(Debug, Default)]
struct Gap {
    entries_missed: u64,
    messages_missed: u64,
    sequences_missed: Vec<Sequence>,
    messages_announced: u64,
    announced: Vec<(u64, u64)>,
}

/// What has been counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) lines: u64,
    pub(crate) skips: u64,
    pub(crate) messages_skipped: u64,
    pub(crate) held: u64,
    /// And of them, those that came behind what others said later.
    pub(crate) owed: u64,
    pub(crate) past: u64,
}

/// One connection's reader.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) kind: Kind,
    pub(crate) rooms: BTreeSet<RoomNumber>,
    /// Authors, by their number.
    pub(crate) ignored: BTreeSet<u64>,
    pub(crate) stay: Stay,
    /// Whether anything was ever put into its inbox.
    pub(crate) has_inbox: bool,
    /// Whether the last page of names that it was told has another behind it.
    pub(crate) is_listing: bool,
    expected: VecDeque<Expected>,
    /// Of the past: they come when they come, but behind everything at their positions.
    late: Vec<Expected>,
    /// Held entries that it has gone on past before they were durable, in order.
    owed: VecDeque<Expected>,
    /// Of the last note that was shown.
    note_position: Position,
    /// Nothing of feeds behind this is to be shown.
    gate: Option<Position>,
    /// What its client has been shown since that was taken, if it is a client's.
    deliveries: Option<Vec<Delivery>>,
    gaps: BTreeMap<Place, Gap>,
    /// Plain text only: news that it is to be shown, each as often.
    news: BTreeMap<Rc<[u8]>, u64>,
    /// Plain text only: the messages that it was shown live, and of the past.
    live: BTreeSet<String>,
    past: BTreeSet<String>,
    /// Plain text only: the other lines of a message that has begun.
    rest: VecDeque<Vec<u8>>,
    line: Vec<u8>,
    /// What was durable when the line began.
    line_durable: Position,
    is_in_frame: bool,
    pub(crate) pings: VecDeque<String>,
    pub(crate) counts: Counts,
    rules: Rules,
}

/// Whether anything is still told to a reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stay {
    Here,
    /// It has been told that its stay is over: what it asked before may still be answered.
    Over,
    /// The server has stopped.
    Stopped,
}

/// Whether whoever reads remembers what it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Recall {
    Nothing,
    /// It is a client, which comes back.
    Everything,
}

/// How a world shows things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Nothing kept is shown before it is durable.
    pub(crate) is_strict: bool,
    /// No jump can happen: plain text must show all news, too.
    pub(crate) never_lags: bool,
    /// The store never fails.
    pub(crate) never_fails: bool,
}

impl Expected {
    /// Whether it is a note of these bytes.
    fn is_note(&self, line: &[u8]) -> bool {
        matches!(&self.what, What::Note(bytes, _) | What::Afterword(bytes) if **bytes == *line)
    }

    /// Whether it is an entry in the place of which this line is shown.
    fn is_held_as(&self, line: &[u8]) -> bool {
        matches!(&self.what, What::Entry(Entry { own: Own::Held(bytes), .. }) if *bytes == *line)
    }
}

/// What becomes of that which can be shown only when it is written down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    Comes,
    NeverComes,
}

impl Reader {
    pub(crate) fn new(kind: Kind, recall: Recall, rules: Rules) -> Reader {
        Reader {
            kind,
            rooms: BTreeSet::new(),
            ignored: BTreeSet::new(),
            stay: Stay::Here,
            has_inbox: false,
            is_listing: false,
            expected: VecDeque::new(),
            late: Vec::new(),
            owed: VecDeque::new(),
            note_position: Position(0),
            gate: None,
            deliveries: (recall == Recall::Everything).then(Vec::new),
            gaps: BTreeMap::new(),
            news: BTreeMap::new(),
            live: BTreeSet::new(),
            past: BTreeSet::new(),
            rest: VecDeque::new(),
            line: Vec::new(),
            line_durable: Position(0),
            is_in_frame: false,
            pings: VecDeque::new(),
            counts: Counts::default(),
            rules,
        }
    }

    /// What its client has been shown since the last time.
    pub(crate) fn take_deliveries(&mut self) -> Vec<Delivery> {
        self.deliveries.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn deliver(&mut self, delivery: impl FnOnce() -> Delivery) {
        if let Some(deliveries) = &mut self.deliveries {
            deliveries.push(delivery());
        }
    }

    // What should come.

    /// A note: behind everything at its position.
    pub(crate) fn expect_note(&mut self, position: Position, bytes: Rc<[u8]>, delivery: Option<Delivery>) {
        let is_over = self.stay == Stay::Over;
        let what = if is_over { What::Afterword(bytes) } else { What::Note(bytes, delivery) };
        self.expected.push_back(Expected { position, what });
    }

    /// A note about the past: behind everything at its position, and as late as it likes.
    pub(crate) fn expect_late(&mut self, position: Position, bytes: Rc<[u8]>) {
        let is_over = self.stay == Stay::Over;
        let what = if is_over { What::Afterword(bytes) } else { What::Note(bytes, None) };
        self.late.push(Expected { position, what });
    }

    /// How the journal is, of which everybody is told who reads anything.
    pub(crate) fn expect_trouble(&mut self, position: Position, bytes: Rc<[u8]>) {
        let reads_a_room = self.stay == Stay::Here && !self.rooms.is_empty();
        let what = match self.kind.rendition {
            Rendition::Plain if reads_a_room => return *self.news.entry(bytes).or_default() += 1,
            Rendition::Plain => return,
            _ if reads_a_room => What::Note(bytes, None),
            _ => What::Afterword(bytes),
        };
        self.expected.push_back(Expected { position, what });
    }

    /// An entry: in front of the notes at its position; shown once, in however many places it stands.
    pub(crate) fn expect_entry(&mut self, position: Position, entry: Entry) {
        self.has_inbox |= entry.places.contains(&INBOX);
        if self.kind.rendition == Rendition::Plain && !entry.is_message {
            if matches!(entry.own, Own::Shared | Own::Shown) {
                for line in entry.bytes.split_inclusive(|byte| *byte == b'\n') {
                    *self.news.entry(line.into()).or_default() += 1;
                }
            }
            return;
        }
        let is_note = |expected: &Expected| !matches!(expected.what, What::Entry(_));
        let notes = self.expected.iter().rev();
        let notes = notes.take_while(|last| last.position == position && is_note(last)).count();
        let at = self.expected.len() - notes;
        let known = at.checked_sub(1).map(|last| &mut self.expected[last]);
        if let Some(Expected { position: known_position, what: What::Entry(known) }) = known
            && *known_position == position
            && known.bytes == entry.bytes
        {
            known.places.extend(entry.places);
            return;
        }
        self.expected.insert(at, Expected { position, what: What::Entry(entry) });
    }

    // What has come.

    /// Bytes have left the server for this reader, while everything up to `durable` was durable.
    pub(crate) fn shown(&mut self, bytes: &[u8], durable: Position) -> Result<(), String> {
        for byte in bytes {
            match *byte {
                FRAME_BEGIN | FRAME_END if self.kind.way_out == WayOut::Filter => {
                    let begins = *byte == FRAME_BEGIN;
                    if begins == self.is_in_frame {
                        return Err("frames of a filter are torn".into());
                    }
                    self.is_in_frame = begins;
                    continue;
                }
                _ if self.kind.way_out == WayOut::Filter && !self.is_in_frame => {
                    return Err("bytes went past a filter".into());
                }
                _ => {}
            }
            if self.line.is_empty() {
                self.line_durable = durable;
            }
            self.line.push(*byte);
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.counts.lines += 1;
                let outcome = match self.kind.rendition {
                    Rendition::Plain => self.plain_line(&line),
                    Rendition::Full | Rendition::Brief => self.test_line(&line),
                };
                outcome.map_err(|wrong| format!("{wrong}\n  line: {}", shortened(&line)))?;
                self.line = line;
                self.line.clear();
            }
        }
        Ok(())
    }

    fn test_line(&mut self, line: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(line);
        let mut words = text.trim_end().splitn(3, ' ');
        let first = words.next().unwrap_or_default();
        match first {
            "E" | "N" | "H" => {
                let position = words.next().and_then(|word| word.parse().ok());
                self.told_line(Position(position.ok_or("a line without a position")?), line)
            }
            "S" => self.skip_line(&text),
            "P" => self.ping_line(text.trim_end()),
            "Z" => {
                self.let_go();
                Ok(())
            }
            _ => match PastWord::parse(&text) {
                Some(word) if self.deliveries.is_some() => self.past_line(word),
                _ => Err("a line that is none".into()),
            },
        }
    }

    fn ping_line(&mut self, line: &str) -> Result<(), String> {
        match self.pings.pop_front() {
            Some(expected) if line.strip_prefix("P ") == Some(&expected) => Ok(()),
            expected => Err(format!("an answer to a ping that was not asked; expected {expected:?}")),
        }
    }

    fn skip_line(&mut self, line: &str) -> Result<(), String> {
        let numbers: Vec<u64> = line.split_whitespace().skip(1).flat_map(str::parse).collect();
        let [place, messages, from, to] = numbers[..] else { return Err("a skip without numbers".into()) };
        let room = RoomNumber(place as u32);
        let feed = if room == INBOX { Feed::Inbox } else { Feed::Room };
        self.deliver(|| Delivery::Skipped { from: feed, room, missed: from..=to });
        self.announced(room, messages, from, to);
        Ok(())
    }

    fn past_line(&mut self, word: PastWord) -> Result<(), String> {
        match &word {
            PastWord::Waits => {
                let position = self.note_position;
                self.gate = Some(self.gate.map_or(position, |gate| gate.min(position)));
            }
            PastWord::GoesOn => self.gate = None,
            PastWord::Replayed { .. } | PastWord::Latest { .. } if self.gate.is_none() => {
                return Err("a replay while things go on".into());
            }
            _ => {}
        }
        self.deliver(|| Delivery::Past(word));
        Ok(())
    }

    /// Its stay is over: nothing more of the past comes, and whatever waited for that is shown.
    fn let_go(&mut self) {
        self.gate = None;
        self.deliver(|| Delivery::Over);
    }

    fn announced(&mut self, place: Place, messages: u64, from: u64, to: u64) {
        self.counts.skips += 1;
        self.counts.messages_skipped += messages;
        let gap = self.gaps.entry(place).or_default();
        gap.messages_announced += messages;
        gap.announced.push((from, to));
    }

    fn told_line(&mut self, position: Position, line: &[u8]) -> Result<(), String> {
        if let Some(at) = self.late.iter().position(|late| late.is_note(line)) {
            self.late.remove(at);
            return self.late_line(position);
        }
        if self.rules.notes_pass()
            && let Some(at) = self.next_note(line)
        {
            if let Some(note) = self.expected.remove(at) {
                self.note_shown(note);
            }
            return Ok(());
        }
        if self.owed.front().is_some_and(|owed| owed.is_held_as(line)) {
            self.counts.owed += 1;
            return self.owed.pop_front().map_or(Ok(()), |owed| self.entry_shown(&owed));
        }
        // What waits behind the gate is passed by notes.
        let mut at = 0;
        loop {
            let Some(expected) = self.expected.get(at) else {
                return Err("a line that was never told, or once too often".into());
            };
            let waits = self.waits(expected);
            match &expected.what {
                What::Note(bytes, _) | What::Afterword(bytes) if **bytes == *line => {
                    if let Some(note) = self.expected.remove(at) {
                        self.note_shown(note);
                    }
                    return Ok(());
                }
                What::Entry(entry) if matches_entry(entry, line)? => {
                    if waits {
                        return Err("what happens now is shown before the past".into());
                    }
                    return self.expected.remove(at).map_or(Ok(()), |expected| self.entry_shown(&expected));
                }
                _ => {}
            }
            if waits {
                at += 1;
                continue;
            }
            if expected.position > position {
                return Err(format!("a line out of order or told twice; next was {}", show(expected)));
            }
            if let Some(expected) = self.expected.remove(at) {
                self.missed(expected)?;
            }
        }
    }

    /// The next note that has to come, if this line is that; in between may stand some that need not come.
    fn next_note(&self, line: &[u8]) -> Option<usize> {
        let mut notes = self.expected.iter().enumerate().filter(|(_, it)| !matches!(it.what, What::Entry(_)));
        let (at, _) = notes.find(|(_, it)| it.is_note(line) || matches!(it.what, What::Note(..)))?;
        self.expected[at].is_note(line).then_some(at)
    }

    /// Whether it is not to be shown yet, because it happened behind what a newcomer waits at.
    fn waits(&self, expected: &Expected) -> bool {
        matches!(expected.what, What::Entry(_)) && self.gate.is_some_and(|gate| expected.position > gate)
    }

    fn note_shown(&mut self, Expected { position, what }: Expected) {
        self.note_position = position;
        let delivery = match what {
            What::Note(_, delivery) => delivery,
            What::Afterword(_) | What::Entry(_) => None,
        };
        match delivery {
            Some(Delivery::Over) => self.let_go(),
            Some(delivery) => self.deliver(|| delivery),
            None => {}
        }
    }

    /// A page of the past is shown: behind all entries at its position that do not wait for it, and behind notes in front of
    /// it. Among the notes at its position it may stand anywhere.
    fn late_line(&mut self, position: Position) -> Result<(), String> {
        if self.rules.notes_pass() {
            return Ok(());
        }
        let limit = self.gate.map_or(position, |gate| gate.min(position));
        let is_in_front = |first: &Expected| {
            first.position < limit || (first.position == limit && matches!(first.what, What::Entry(_)))
        };
        while self.expected.front().is_some_and(is_in_front) {
            if let Some(expected) = self.expected.pop_front() {
                self.missed(expected)?;
            }
        }
        Ok(())
    }

    fn entry_shown(&mut self, expected: &Expected) -> Result<(), String> {
        let What::Entry(entry) = &expected.what else { return Ok(()) };
        let durable = self.line_durable;
        if let Own::Held(_) = &entry.own {
            self.counts.held += 1;
            self.acknowledge(entry);
            if expected.position > durable {
                return Err(format!("a held line before it was durable ({})", durable.0));
            }
        }
        if self.rules.is_strict && entry.sequence.is_some() && expected.position > durable {
            return Err(format!("strict, and shown before it was durable ({})", durable.0));
        }
        if let (Some(room), Some(sequence)) = (entry.kept_in, entry.sequence) {
            let from = if entry.places.contains(&INBOX) { Feed::Inbox } else { Feed::Room };
            self.deliver(|| Delivery::Fact { room, sequence, from });
        }
        // What is shown for sure, or stands elsewhere too, does not say that its log was not jumped over.
        if entry.own == Own::Shared && entry.places.len() == 1 {
            for place in &entry.places {
                self.close_gap(*place, entry.sequence)?;
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, entry: &Entry) {
        if let (Own::Held(bytes), Some(room), Some(sequence)) = (&entry.own, entry.kept_in, entry.sequence)
            && let Some(nonce) = label_in_held(bytes).and_then(|label| Nonce::new(&label))
        {
            self.deliver(|| Delivery::Acknowledged { nonce, room, sequence });
        }
    }

    /// An entry was passed without being shown.
    fn missed(&mut self, expected: Expected) -> Result<(), String> {
        let entry = match &expected.what {
            What::Afterword(_) => return Ok(()),
            What::Note(..) => return Err(format!("a private note is missing: {}", show(&expected))),
            What::Entry(entry) => entry,
        };
        match entry.own {
            Own::SteppedOver => return Ok(()),
            Own::Held(_) if self.rules.may_pass_held() => {
                if let (Some(room), Some(sequence)) = (entry.kept_in, entry.sequence) {
                    self.deliver(|| Delivery::Owed { room, sequence });
                }
                self.owed.push_back(expected);
                return Ok(());
            }
            Own::Shown | Own::Held(_) => {
                return Err(format!("what concerns the reader itself is missing: {}", show(&expected)));
            }
            Own::Shared => {}
        }
        for place in &entry.places {
            let gap = self.gaps.entry(self.gap_of(*place)).or_default();
            gap.entries_missed += 1;
            gap.messages_missed += u64::from(entry.is_message);
            gap.sequences_missed.extend(entry.sequence);
        }
        Ok(())
    }

    /// Plain text does not say of which room it speaks.
    fn gap_of(&self, place: Place) -> Place {
        match self.kind.rendition {
            Rendition::Plain if place != INBOX => RoomNumber(1),
            _ => place,
        }
    }

    /// An entry of this place is shown: what was missed in front of it must have been announced.
    fn close_gap(&mut self, place: Place, shown: Option<Sequence>) -> Result<(), String> {
        if self.kind.rendition == Rendition::Plain {
            return Ok(());
        }
        let Some(gap) = self.gaps.remove(&place) else { return Ok(()) };
        gap.check(place, self.kind.rendition)?;
        let covers =
            |sequence: Sequence| gap.announced.iter().any(|(from, to)| (*from..=*to).contains(&sequence.0));
        if place != INBOX {
            if let Some(missed) = gap.sequences_missed.iter().find(|sequence| !covers(**sequence)) {
                return Err(format!("number {} of room {place} is in no skip {:?}", missed.0, gap.announced));
            }
            if shown.is_some_and(covers) {
                return Err(format!("what is shown was said to be skipped: {:?}", gap.announced));
            }
        }
        Ok(())
    }

    /// Everything up to this position has been handed to the reader's shard, and all that could be written to it was: it has
    /// heard what others say, whatever it waits for itself. Plain text does not tell whether it waits for the past.
    pub(crate) fn check_heard(&self, delivered: Position) -> Result<(), String> {
        let is_unheard = |expected: &&Expected| {
            let is_others = matches!(&expected.what, What::Entry(Entry { own: Own::Shared, .. }));
            is_others && expected.position <= delivered && !self.waits(expected)
        };
        match self.expected.iter().find(is_unheard) {
            Some(unheard) if self.stay != Stay::Stopped && self.kind.rendition != Rendition::Plain => {
                Err(format!("it does not hear {}", show(unheard)))
            }
            _ => Ok(()),
        }
    }

    /// Facts of its own that it has not been shown and may have gone on past.
    pub(crate) fn unshown_receipts(&self) -> impl Iterator<Item = (RoomNumber, Sequence)> + '_ {
        let may_pass = self.rules.may_pass_held();
        let all = self.owed.iter().chain(self.expected.iter().filter(move |_| may_pass));
        all.filter_map(|expected| match &expected.what {
            What::Entry(Entry { own: Own::Held(_), kept_in, sequence, .. }) => {
                Some(((*kept_in)?, (*sequence)?))
            }
            _ => None,
        })
    }

    /// Everything has been shown that ever will be; whoever is over while nothing can be written down does not wait for what would
    /// only be shown later.
    pub(crate) fn finish(&mut self, later: Later) -> Result<(), String> {
        if !self.line.is_empty() || self.is_in_frame || !self.rest.is_empty() {
            return Err(format!("it ends within a line: {}", shortened(&self.line)));
        }
        if self.gate.is_some() {
            return Err("what happens now waits for ever".into());
        }
        if let Some(late) = self.late.iter().find(|late| matches!(late.what, What::Note(..))) {
            return Err(format!("a page of the past never came: {}", show(late)));
        }
        if later == Later::NeverComes {
            self.forgo_what_comes_later();
        }
        while let Some(expected) = self.expected.pop_front() {
            self.missed(expected).map_err(|wrong| format!("at the end, {wrong}"))?;
        }
        if let Some(owed) = self.owed.front() {
            return Err(format!("a receipt never came: {}", show(owed)));
        }
        for (place, gap) in std::mem::take(&mut self.gaps) {
            gap.check(place, self.kind.rendition).map_err(|wrong| format!("at the end, {wrong}"))?;
        }
        if !self.pings.is_empty() {
            return Err(format!("{} pings are not answered", self.pings.len()));
        }
        if self.is_listing {
            return Err("a long answer was never finished".into());
        }
        if self.rules.never_lags
            && let Some((line, _)) = self.news.iter().find(|(_, count)| **count > 0)
        {
            return Err(format!("news is missing: {}", shortened(line)));
        }
        Ok(())
    }

    /// Its receipts; where nobody is shown anything before it is durable, all that it was not shown, in gaps or not.
    fn forgo_what_comes_later(&mut self) {
        let is_strict = self.rules.is_strict;
        let comes_later = |expected: &Expected| match &expected.what {
            What::Entry(entry) => is_strict || matches!(entry.own, Own::Held(_)),
            What::Note(..) | What::Afterword(_) => false,
        };
        self.expected.retain(|expected| !comes_later(expected));
        self.owed.clear();
        if is_strict {
            self.gaps.clear();
            self.news.clear();
        }
    }

    // Plain text.

    fn plain_line(&mut self, line: &[u8]) -> Result<(), String> {
        if let Some(expected) = self.rest.pop_front() {
            return if expected == line { Ok(()) } else { Err("a message is torn".into()) };
        }
        let text = std::str::from_utf8(line).map_err(|_| "a line that is no UTF-8")?;
        let bare = without_room(text);
        if let Some(count) = self.news.get_mut(line)
            && *count > 0
        {
            *count -= 1;
            return Ok(());
        }
        if let Some(past) = without_moment(text) {
            self.plain_past(past);
            return Ok(());
        }
        if let Some(remark) = text.strip_prefix("-- ") {
            self.plain_remark(remark.trim_end());
            return Ok(());
        }
        if bare.starts_with('[') {
            return Err("news that was never told, or once too often".into());
        }
        if bare.starts_with('<') || bare.starts_with("* ") {
            return self.plain_message(line);
        }
        Err("a line that is none".into())
    }

    /// A line of the past. Whoever enters a room again may have read it live before, but is not going to.
    fn plain_past(&mut self, line: &str) {
        if let Some(label) = plain_label(line) {
            self.counts.past += 1;
            self.past.insert(label);
        }
    }

    fn plain_remark(&mut self, remark: &str) {
        // Behind it may stand how to read it after all.
        let remark = remark.split("; ").next().unwrap_or(remark);
        for (kind, place) in [("", RoomNumber(1)), ("direct ", INBOX)] {
            for noun in ["message skipped", "messages skipped"] {
                let count = remark.strip_suffix(noun).and_then(|rest| rest.strip_suffix(kind));
                if let Some(messages) = count.and_then(|count| count.trim_end().parse().ok()) {
                    return self.announced(place, messages, 0, 0);
                }
            }
        }
    }

    fn plain_message(&mut self, line: &[u8]) -> Result<(), String> {
        loop {
            let Some(expected) = self.expected.pop_front() else {
                return Err("a message that was never told, out of order, or once too often".into());
            };
            if let What::Entry(entry) = &expected.what
                && entry.bytes.starts_with(line)
            {
                if entry.own == Own::SteppedOver {
                    return Err("a line is shown that should be stepped over".into());
                }
                if let Some(label) = plain_label(&String::from_utf8_lossy(line))
                    && (self.past.contains(&label) || !self.live.insert(label))
                {
                    return Err("a message is shown again".into());
                }
                let rest = entry.bytes[line.len()..].split_inclusive(|byte| *byte == b'\n');
                self.rest = rest.map(<[u8]>::to_vec).collect();
                return self.entry_shown(&expected);
            }
            self.missed(expected)?;
        }
    }
}

impl Rules {
    /// Whether somebody may go on past a receipt that it waits for: because nothing becomes durable, or because it lags.
    fn may_pass_held(self) -> bool {
        !self.is_strict && (!self.never_lags || !self.never_fails)
    }

    /// Whether there are times in which notes pass what nobody is shown, because nothing becomes durable. When these are for
    /// a reader, nobody here knows: what was planned then may leave later.
    fn notes_pass(self) -> bool {
        self.is_strict && !self.never_fails
    }
}

impl Gap {
    fn check(&self, place: Place, rendition: Rendition) -> Result<(), String> {
        if self.messages_missed != self.messages_announced {
            return Err(format!(
                "in place {place} {} messages were missed, but {} announced",
                self.messages_missed, self.messages_announced
            ));
        }
        // Plain text is silent about news that it has in the fresh picture.
        if rendition != Rendition::Plain && self.entries_missed > 0 && self.announced.is_empty() {
            return Err(format!("in place {place} {} entries are missing silently", self.entries_missed));
        }
        Ok(())
    }
}

fn matches_entry(entry: &Entry, line: &[u8]) -> Result<bool, String> {
    match &entry.own {
        Own::Shared | Own::Shown => Ok(*entry.bytes == *line),
        Own::Held(bytes) if *entry.bytes == *line => {
            Err(format!("the entry is shown instead of {}", shortened(bytes)))
        }
        Own::Held(bytes) => Ok(bytes == line),
        Own::SteppedOver if *entry.bytes == *line => {
            Err("a line is shown that should be stepped over".into())
        }
        Own::SteppedOver => Ok(false),
    }
}

/// A line of the past without the moment in front of it: `[18:05] `. No nick begins with a digit.
fn without_moment(line: &str) -> Option<&str> {
    let (moment, behind) = line.strip_prefix('[')?.split_once("] ")?;
    let is_moment = moment.len() == 5 && moment.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    is_moment.then_some(behind)
}

/// The label of a message of which this is the first line; other lines have none.
fn plain_label(line: &str) -> Option<String> {
    let (label, _) = line.split(' ').find_map(|word| word.split_once(':'))?;
    label.starts_with('m').then(|| label.to_owned())
}

/// A line of plain text without the room in front of it.
fn without_room(line: &str) -> &str {
    match line.strip_prefix('#').and_then(|behind| behind.split_once(' ')) {
        Some((_, bare)) => bare,
        None => line,
    }
}

fn show(expected: &Expected) -> String {
    match &expected.what {
        What::Note(bytes, _) | What::Afterword(bytes) => {
            format!("note {} {}", expected.position.0, shortened(bytes))
        }
        What::Entry(entry) => {
            let Entry { bytes, places, own, .. } = entry;
            let own = match own {
                Own::Held(_) => "held",
                Own::Shown => "shown",
                Own::SteppedOver => "stepped over",
                Own::Shared => "shared",
            };
            format!("entry {} in {places:?} ({own}) {}", expected.position.0, shortened(bytes))
        }
    }
}

fn shortened(bytes: &[u8]) -> String {
    const CHARS_MAX: usize = 160;
    let text = String::from_utf8_lossy(bytes);
    let mut short: String = text.trim_end().chars().take(CHARS_MAX).collect();
    if short.len() < text.trim_end().len() {
        short.push('…');
    }
    short
}
