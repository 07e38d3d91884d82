//! Searching: what was said, by words, author, room and time, the newest first.
//!
//! Where it stands: on a reader's connection. The hub has said which rooms may be read and up to where; the index proposes;
//! what is found is told as lines of the past.
//!
//! What this file must never do: believe the index (every hit is looked for in the text as it stands), show what was erased
//! or what a text said before it was changed, or go on when time is up.
//!
//! A room is searched from its end: first what the journal has not written yet, then what is not indexed yet, then the
//! index. Rooms are taken in the order of their last facts, and as soon as there are enough hits, a room ends where it is
//! older than all of them.

use crate::Batch;
use crate::index::{COLUMNS, SEARCHABLE};
use crate::words::Question;
use hub::{
    Author, ClientId, DoorKind, Event, Fact, Findings, Kept, Line, Manner, MemberId, Past, Position, Rest,
    RoomNumber, RoomRef, Search, Sequence, Signature, Signed, Text, Time, Who,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Rows};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Time is asked for after so many facts that are still in memory.
const FACTS_PER_LOOK: usize = 256;
/// And after about so many instructions of SQLite: some fifty rows, or pages of the index.
const INSTRUCTIONS_PER_LOOK: i32 = 1000;

/// Looks for something in rooms, each up to its last fact that may be read. `unwritten` are the batches that the journal may
/// not have written yet, the oldest first; that some are written by now does no harm. `is_time_up` is asked again and again.
///
/// Times are taken to ascend in a room. Where the clock was set back, a search from or to a moment in what happened twice may
/// leave out a part of it.
///
/// # Errors
/// Whatever SQLite says, but not that time was up: that is in the findings.
pub(crate) fn search(
    connection: &Connection,
    rooms: &[(RoomRef, Sequence)],
    search: &Search,
    unwritten: &[Arc<Batch>],
    is_time_up: impl Fn() -> bool + Clone + Send + 'static,
) -> Result<Findings, rusqlite::Error> {
    // Everything is read as it stands at one moment.
    let _snapshot = connection.unchecked_transaction()?;
    let _interruption = Interruption::new(connection, is_time_up.clone());
    let mut finder = Finder::new(connection, search);
    let outcome = finder.find(rooms, unwritten, &is_time_up);
    let rest = match outcome {
        Ok(rest) => rest,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Rest::OutOfTime,
        Err(error) => return Err(error),
    };
    Ok(finder.findings(rest))
}

/// Lets a connection ask for the time while it is at work, as long as this exists: one step of a search may have to look
/// at all of the index.
struct Interruption<'connection>(&'connection Connection);

impl<'connection> Interruption<'connection> {
    fn new(connection: &'connection Connection, is_time_up: impl Fn() -> bool + Send + 'static) -> Self {
        connection.progress_handler(INSTRUCTIONS_PER_LOOK, Some(is_time_up));
        Interruption(connection)
    }
}

impl Drop for Interruption<'_> {
    fn drop(&mut self) {
        self.0.progress_handler(0, None::<fn() -> bool>);
    }
}

/// What is searched, and what has been found.
struct Finder<'asked> {
    connection: &'asked Connection,
    search: &'asked Search,
    question: Question,
    changes: HashMap<(RoomNumber, Sequence), Change<'asked>>,
    /// One more than is asked for, so that it is known whether there is more.
    found: BTreeMap<Position, Past>,
}

/// A room that is searched.
struct Place<'asked> {
    room: &'asked RoomRef,
    /// The last fact that may be read.
    upto: Sequence,
    /// The last fact in the file.
    written: Sequence,
    /// The last fact that the index knows.
    indexed: Sequence,
    /// The position of the last fact that is in the file and may be read.
    position: Position,
}

/// What the journal has not written yet of a change.
#[derive(Clone, Copy)]
enum Change<'asked> {
    Edited { sequence: Sequence, text: &'asked Text },
    Erased,
}

impl<'asked> Finder<'asked> {
    fn new(connection: &'asked Connection, search: &'asked Search) -> Finder<'asked> {
        let question = Question::new(search);
        Finder { connection, search, question, changes: HashMap::new(), found: BTreeMap::new() }
    }

    fn find(
        &mut self,
        rooms: &'asked [(RoomRef, Sequence)],
        unwritten: &'asked [Arc<Batch>],
        is_time_up: &impl Fn() -> bool,
    ) -> Result<Rest, rusqlite::Error> {
        let mut places = Vec::with_capacity(rooms.len());
        for (room, upto) in rooms {
            places.push(self.place(room, *upto)?);
        }
        if !self.take_unwritten(&places, unwritten, is_time_up) {
            return Ok(Rest::OutOfTime);
        }
        self.take_changed(&places)?;
        places.sort_by_key(|place| Reverse(place.position));
        for place in &places {
            if self.is_past_all(place.position) {
                break;
            }
            self.take_room(place)?;
        }
        Ok(if self.found.len() > self.lines_max() { Rest::More } else { Rest::Nothing })
    }

    fn lines_max(&self) -> usize {
        self.search.lines_max as usize
    }

    fn place(&self, room: &'asked RoomRef, upto: Sequence) -> Result<Place<'asked>, rusqlite::Error> {
        let number = room.number.0;
        let state = self
            .connection
            .prepare_cached("SELECT sequence, indexed FROM rooms WHERE number = ?1")?
            .query_row([number], |row| Ok((sequence_of(row.get(0)?), sequence_of(row.get(1)?))))
            .optional()?;
        let (written, indexed) = state.unwrap_or_default();
        let last = "SELECT position FROM facts WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
        let position = self
            .connection
            .prepare_cached(last)?
            .query_row((id_of(room.number, Sequence(0)), id_of(room.number, upto)), |row| row.get(0))
            .optional()?;
        let position = position.map(position_of).unwrap_or_default();
        Ok(Place { room, upto, written, indexed, position })
    }

    /// Takes what is found among what is not in the file yet, and remembers what it changes; `false` if time is up.
    fn take_unwritten(
        &mut self,
        places: &[Place<'asked>],
        unwritten: &'asked [Arc<Batch>],
        is_time_up: &impl Fn() -> bool,
    ) -> bool {
        let places: HashMap<RoomNumber, &Place<'asked>> =
            places.iter().map(|place| (place.room.number, place)).collect();
        // What has been written since the batches were collected is read from the file: there it is as it stands now.
        let waits = |kept: &Kept| places.get(&kept.room).is_some_and(|place| place.written < kept.sequence);
        let kept = || unwritten.iter().flat_map(|batch| &batch.kept);
        for changing in kept().filter(|kept| waits(kept)) {
            self.remember_change(changing);
        }
        // Also facts of other rooms count: they, too, are looked at.
        for (looked_at, kept) in kept().rev().enumerate() {
            if looked_at % FACTS_PER_LOOK == 0 && is_time_up() {
                return false;
            }
            if waits(kept)
                && let Some(place) = places.get(&kept.room)
                && kept.sequence <= place.upto
            {
                self.take_kept(place, kept);
            }
        }
        true
    }

    fn remember_change(&mut self, kept: &'asked Kept) {
        match &kept.record.fact {
            Fact::Edited { room, target, text, .. } => {
                let change = Change::Edited { sequence: kept.sequence, text };
                self.changes.insert((*room, *target), change);
            }
            Fact::Redacted { room, target, .. } => {
                self.changes.insert((*room, *target), Change::Erased);
            }
            _ => {}
        }
    }

    fn take_kept(&mut self, place: &Place<'_>, kept: &Kept) {
        let Some((nick, text)) = words_of(&kept.record.fact) else { return };
        let (text, edited) = match self.changes.get(&(kept.room, kept.sequence)) {
            Some(Change::Erased) => return,
            Some(Change::Edited { sequence, text }) => ((*text).clone(), Some(*sequence)),
            None => (text, None),
        };
        let is_asked = self.is_in_time(kept.record.time) && self.question.matches(nick, &text);
        if is_asked && let Some(past) = unwritten_past(place.room, kept, text, edited) {
            self.take(past);
        }
    }

    /// The index knows what is in the file by its words there; what was changed since is looked at by itself.
    fn take_changed(&mut self, places: &[Place<'_>]) -> Result<(), rusqlite::Error> {
        let sql = format!("SELECT {COLUMNS} FROM facts f WHERE f.id = ?1 AND {SEARCHABLE}");
        for place in places {
            let number = place.room.number;
            let readable = place.upto.min(place.written);
            let is_here = |(room, target): &(RoomNumber, Sequence)| *room == number && *target <= readable;
            let targets: Vec<_> = self.changes.keys().copied().filter(is_here).collect();
            for (room, target) in targets {
                let mut statement = self.connection.prepare_cached(&sql)?;
                let mut rows = statement.query([id_of(room, target)])?;
                self.take_rows(place, &mut rows)?;
            }
        }
        Ok(())
    }

    /// Takes what is found in a room, as far as it is in the file: first what is not indexed yet, for that is newer.
    fn take_room(&mut self, place: &Place<'_>) -> Result<(), rusqlite::Error> {
        let number = place.room.number;
        let readable = place.upto.min(place.written);
        let first = self.first_since(number, readable, self.search.since)?;
        let last = match self.search.before {
            Some(before) => Sequence(self.first_since(number, readable, Some(before))?.0.saturating_sub(1)),
            None => readable,
        };
        let indexed = place.indexed.min(last);
        self.take_scanned(place, first.max(indexed.next()), last)?;
        match self.question.expression(number) {
            Some(expression) => self.take_indexed(place, &expression, first, indexed),
            None => self.take_scanned(place, first, indexed),
        }
    }

    /// The first sequence whose fact is not older than a moment, by halving: the first of all if there is no such moment,
    /// the one behind `last` if all are older.
    fn first_since(
        &self,
        room: RoomNumber,
        last: Sequence,
        moment: Option<Time>,
    ) -> Result<Sequence, rusqlite::Error> {
        let Some(moment) = moment else { return Ok(Sequence(1)) };
        let sql = "SELECT id, time FROM facts WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let (mut low, mut high) = (1, last.0.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let bounds = (id_of(room, Sequence(middle)), id_of(room, Sequence(high - 1)));
            let next = statement
                .query_row(bounds, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
                .optional()?;
            match next {
                Some((id, time)) if time_of(time) < moment => low = sequence_of(id & 0xffff_ffff).0 + 1,
                Some(_) | None => high = middle,
            }
        }
        Ok(Sequence(low))
    }

    fn take_scanned(
        &mut self,
        place: &Place<'_>,
        first: Sequence,
        last: Sequence,
    ) -> Result<(), rusqlite::Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM facts f WHERE f.id BETWEEN ?1 AND ?2 AND {SEARCHABLE} ORDER BY f.id DESC"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let bounds = (id_of(place.room.number, first), id_of(place.room.number, last));
        self.take_rows(place, &mut statement.query(bounds)?)
    }

    /// The index gives its rows by descending number without sorting them, so that only those are looked at that are told.
    fn take_indexed(
        &mut self,
        place: &Place<'_>,
        expression: &str,
        first: Sequence,
        last: Sequence,
    ) -> Result<(), rusqlite::Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM words w CROSS JOIN facts f ON f.id = w.rowid
             WHERE w.words MATCH ?1 AND w.rowid BETWEEN ?2 AND ?3 AND {SEARCHABLE} ORDER BY w.rowid DESC"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let number = place.room.number;
        let mut rows = statement.query((expression, id_of(number, first), id_of(number, last)))?;
        self.take_rows(place, &mut rows)
    }

    /// Takes what is asked for out of rows of [`COLUMNS`], the newest first, until all that follow are too old.
    fn take_rows(&mut self, place: &Place<'_>, rows: &mut Rows<'_>) -> Result<(), rusqlite::Error> {
        while let Some(row) = rows.next()? {
            if self.is_past_all(position_of(row.get(3)?)) {
                break;
            }
            self.take_row(place, row)?;
        }
        Ok(())
    }

    fn take_row(&mut self, place: &Place<'_>, row: &Row<'_>) -> Result<(), rusqlite::Error> {
        let sequence = sequence_of(row.get::<_, i64>(0)? & 0xffff_ffff);
        let (text, edited) = match self.changes.get(&(place.room.number, sequence)) {
            Some(Change::Erased) => return Ok(()),
            Some(Change::Edited { sequence, text }) => (Some((*text).clone()), Some(*sequence)),
            None => {
                let text = row.get_ref(2)?.as_str_or_null().map_err(rusqlite::Error::from)?;
                (text.map(Text::kept), row.get::<_, Option<i64>>(9)?.map(sequence_of))
            }
        };
        let Some(text) = text else { return Ok(()) };
        let nick = row.get_ref(1)?.as_str_or_null().map_err(rusqlite::Error::from)?.unwrap_or_default();
        let is_asked = self.is_in_time(time_of(row.get(4)?)) && self.question.matches(nick, &text);
        if is_asked && let Some(past) = written_past(place.room, sequence, row, text, edited)? {
            self.take(past);
        }
        Ok(())
    }

    fn is_in_time(&self, time: Time) -> bool {
        self.search.since.is_none_or(|since| since <= time)
            && self.search.before.is_none_or(|before| time < before)
    }

    fn take(&mut self, past: Past) {
        self.found.insert(past.position, past);
        if self.found.len() > self.lines_max() + 1 {
            self.found.pop_first();
        }
    }

    /// Whether enough was found, and all of it is newer than this.
    fn is_past_all(&self, position: Position) -> bool {
        let oldest = self.found.first_key_value().map(|(oldest, _)| *oldest);
        self.found.len() > self.lines_max() && oldest.is_some_and(|oldest| position < oldest)
    }

    fn findings(self, rest: Rest) -> Findings {
        let lines_max = self.lines_max();
        Findings {
            search: self.search.clone(),
            lines: self.found.into_values().rev().take(lines_max).collect(),
            rest,
        }
    }
}

fn id_of(room: RoomNumber, sequence: Sequence) -> i64 {
    i64::from(room.0) << 32 | i64::from(u32::try_from(sequence.0).unwrap_or(u32::MAX))
}

fn sequence_of(number: i64) -> Sequence {
    Sequence(number.cast_unsigned())
}

fn position_of(number: i64) -> Position {
    Position(number.cast_unsigned())
}

fn time_of(number: i64) -> Time {
    Time(number.cast_unsigned())
}

/// Whose words a fact has, and which.
fn words_of(fact: &Fact) -> Option<(&str, Text)> {
    match fact {
        Fact::Said { author: Author::Member(who), text, .. } | Fact::Directed { from: who, text, .. } => {
            Some((&who.nick, text.clone()))
        }
        Fact::Said { author: Author::Door { label, .. }, text, .. } => Some((label, text.clone())),
        Fact::TopicSet { by, topic: Some(topic), .. } => Some((&by.nick, Text::kept(topic.formatted()))),
        _ => None,
    }
}

fn nobody(nick: &str) -> Who {
    Who { member: MemberId::NOBODY, nick: nick.into(), address: None }
}

fn unwritten_past(room: &RoomRef, kept: &Kept, text: Text, edited: Option<Sequence>) -> Option<Past> {
    let sequence = kept.sequence;
    let room = room.clone();
    let event = match kept.record.fact.clone() {
        Fact::Said { author, manner, signature, .. } => {
            let author = match author {
                Author::Member(who) => Author::Member(nobody(&who.nick)),
                door @ Author::Door { .. } => door,
            };
            Event::Said { room, sequence, author, text, manner, signature }
        }
        Fact::Directed { from, to, signature, .. } => {
            let (from, to) = (nobody(&from.nick), nobody(&to.nick));
            Event::Directed { conversation: room.number, sequence, from, to, text, signature }
        }
        Fact::TopicSet { by, topic, signature, .. } => {
            Event::TopicSet { room, sequence, by: nobody(&by.nick), topic, signature }
        }
        _ => return None,
    };
    Some(Past { position: kept.record.position, time: kept.record.time, event, edited })
}

fn written_past(
    room: &RoomRef,
    sequence: Sequence,
    row: &Row<'_>,
    text: Text,
    edited: Option<Sequence>,
) -> Result<Option<Past>, rusqlite::Error> {
    let nick: String = row.get::<_, Option<String>>(1)?.unwrap_or_default();
    let client: Option<[u8; 16]> = row.get(7)?;
    let signature: Signature =
        client.map(|client| Arc::new(Signed { client: ClientId(client), nonce: None }));
    let room = room.clone();
    let event = match row.get::<_, i64>(5)? {
        kind @ (2 | 3) => {
            let manner = if kind == 2 { Manner::Saying } else { Manner::Acting };
            let author = match row.get::<_, Option<i64>>(6)?.and_then(door_of) {
                Some(kind) => Author::Door { kind, label: nick.into() },
                None => Author::Member(nobody(&nick)),
            };
            Event::Said { room, sequence, author, text, manner, signature }
        }
        4 => {
            let to = nobody(&row.get::<_, Option<String>>(8)?.unwrap_or_default());
            Event::Directed { conversation: room.number, sequence, from: nobody(&nick), to, text, signature }
        }
        5 => {
            let topic = Line::new(text.formatted(), usize::MAX).ok();
            Event::TopicSet { room, sequence, by: nobody(&nick), topic, signature }
        }
        _ => return Ok(None),
    };
    Ok(Some(Past { position: position_of(row.get(3)?), time: time_of(row.get(4)?), event, edited }))
}

fn door_of(number: i64) -> Option<DoorKind> {
    match number {
        1 => Some(DoorKind::Web),
        2 => Some(DoorKind::Hook),
        3 => Some(DoorKind::Datagram),
        4 => Some(DoorKind::Operator),
        _ => None,
    }
}
