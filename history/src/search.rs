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

use crate::batch::Batch;
use crate::index::{COLUMNS, SEARCHABLE};
use crate::rows::{FactId, Kind, Row};
use crate::words::Question;
use hub::{Fact, Findings, Kept, Past, Position, Rest, RoomNumber, RoomRef, Search, Sequence, Text, Time};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Rows};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Time is asked for after so many facts that are still in memory.
const FACTS_PER_LOOK: usize = 256;
/// And after about so many instructions of SQLite: a dozen rows, or some forty pages of the index.
const INSTRUCTIONS_PER_LOOK: i32 = 250;

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

/// The index is asked for so many rooms at a time at most.
const ASKED_ROOMS_MAX: usize = 64;

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

/// A part of a room.
#[derive(Clone, Copy)]
struct Extent<'place> {
    place: &'place Place<'place>,
    first: Sequence,
    last: Sequence,
}

impl Extent<'_> {
    fn first_id(&self) -> i64 {
        id_of(self.place.room.number, self.first)
    }

    fn last_id(&self) -> i64 {
        id_of(self.place.room.number, self.last)
    }
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
        self.take_written(places)?;
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
        let position =
            Position(position.map_or(0, |position: i64| u64::try_from(position).unwrap_or_default()));
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
            let place = places.get(&kept.room).filter(|place| kept.sequence <= place.upto);
            // One with numbers that no file can hold will not be in the file either.
            let row = Row::of(kept).ok().flatten().filter(|row| waits(kept) && is_searchable(row.kind));
            if let (Some(place), Some(row)) = (place, row) {
                self.take(place, &row);
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

    /// Takes what is found in the file, beginning with the rooms in which something was said last. The index is asked for one
    /// room, then for ever more at a time: what is in many rooms is in the first of them often enough, and what is rare
    /// costs one look at the index for many rooms.
    fn take_written(&mut self, mut places: Vec<Place<'asked>>) -> Result<(), rusqlite::Error> {
        places.sort_by_key(|place| Reverse(place.position));
        let mut places = places.as_slice();
        let mut together = 1;
        while !places.is_empty() {
            let end = places.partition_point(|place| !self.is_past_all(place.position));
            let (asked, later) = places[..end].split_at(together.min(end));
            self.take_places(asked)?;
            places = later;
            together = (together * 4).min(ASKED_ROOMS_MAX);
        }
        Ok(())
    }

    /// Takes what is found in some rooms: first what is not indexed yet, for that is newer.
    fn take_places(&mut self, places: &[Place<'_>]) -> Result<(), rusqlite::Error> {
        let mut extents = Vec::with_capacity(places.len());
        for place in places {
            let extent = self.extent(place)?;
            self.take_scanned(place, extent.first.max(place.indexed.next()), extent.last)?;
            extents.push(Extent { last: extent.last.min(place.indexed), ..extent });
        }
        extents.retain(|extent| extent.first <= extent.last);
        match self.question.expression(extents.iter().map(|extent| extent.place.room.number)) {
            Some(expression) => self.take_indexed(extents, &expression),
            None => extents
                .iter()
                .try_for_each(|extent| self.take_scanned(extent.place, extent.first, extent.last)),
        }
    }

    fn extent<'place>(&self, place: &'place Place<'place>) -> Result<Extent<'place>, rusqlite::Error> {
        let number = place.room.number;
        let readable = place.upto.min(place.written);
        let first = self.first_since(number, readable, self.search.since)?;
        let last = match self.search.before {
            Some(before) => Sequence(self.first_since(number, readable, Some(before))?.0.saturating_sub(1)),
            None => readable,
        };
        Ok(Extent { place, first, last })
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
                Some((_, time)) if u64::try_from(time).is_ok_and(|time| moment.0 <= time) => high = middle,
                Some((id, _)) => low = sequence_of(id & 0xffff_ffff).0 + 1,
                None => high = middle,
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

    /// Takes what the index proposes in these rooms. It gives its rows by descending number without sorting them: room by
    /// room, the newest first. Where it should go on further below, it is asked again: at the end of a room's extent, and
    /// at the next room when one is past all that was found.
    fn take_indexed(
        &mut self,
        mut extents: Vec<Extent<'_>>,
        expression: &str,
    ) -> Result<(), rusqlite::Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM words w CROSS JOIN facts f ON f.id = w.rowid
             WHERE w.words MATCH ?1 AND w.rowid BETWEEN ?2 AND ?3 AND {SEARCHABLE} ORDER BY w.rowid DESC"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        extents.sort_by_key(|extent| extent.place.room.number);
        while let (Some(lowest), Some(highest)) = (extents.first(), extents.last()) {
            let bounds = (expression, lowest.first_id(), highest.last_id());
            let left = self.take_proposed(&extents, &mut statement.query(bounds)?)?;
            extents.truncate(left);
        }
        Ok(())
    }

    /// Takes what is asked for out of rows of [`COLUMNS`] that come room by room, as far as none should be left out; gives how
    /// many of the rooms are left then.
    fn take_proposed(
        &mut self,
        extents: &[Extent<'_>],
        rows: &mut Rows<'_>,
    ) -> Result<usize, rusqlite::Error> {
        while let Some(row) = rows.next()? {
            let Some(row) = Row::read(row)? else { continue };
            let found = extents.binary_search_by_key(&row.id.room(), |extent| extent.place.room.number);
            let Ok(index) = found else { continue };
            let extent = &extents[index];
            if extent.last < row.sequence() {
                return Ok(index + 1);
            }
            if row.sequence() < extent.first || self.is_past_all(row.position) {
                return Ok(index);
            }
            self.take(extent.place, &row);
        }
        Ok(0)
    }

    /// Takes what is asked for out of rows of [`COLUMNS`] of one room, the newest first, until all that follow are too old.
    fn take_rows(&mut self, place: &Place<'_>, rows: &mut Rows<'_>) -> Result<(), rusqlite::Error> {
        while let Some(row) = rows.next()? {
            let Some(row) = Row::read(row)? else { continue };
            if self.is_past_all(row.position) {
                break;
            }
            self.take(place, &row);
        }
        Ok(())
    }

    /// Takes a fact, if it is asked for as it stands now.
    fn take(&mut self, place: &Place<'_>, row: &Row<'_>) {
        let (text, edited) = match self.changes.get(&(place.room.number, row.sequence())) {
            Some(Change::Erased) => return,
            Some(Change::Edited { sequence, text }) => (Some(text.formatted()), Some(*sequence)),
            None => (row.text, row.revised),
        };
        let (Some(nick), Some(text)) = (row.nick, text) else { return };
        let is_asked = self.is_in_time(row.time) && self.question.matches(nick, &Text::kept(text));
        if is_asked && let Some(past) = (Row { text: Some(text), ..*row }).past(place.room, edited) {
            self.keep(past);
        }
    }

    fn is_in_time(&self, time: Time) -> bool {
        self.search.since.is_none_or(|since| since <= time)
            && self.search.before.is_none_or(|before| time < before)
    }

    fn keep(&mut self, past: Past) {
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

/// The id of a fact, or the nearest that there can be.
fn id_of(room: RoomNumber, sequence: Sequence) -> i64 {
    FactId::nearest(room, sequence).number()
}

fn sequence_of(number: i64) -> Sequence {
    Sequence(u64::try_from(number).unwrap_or_default())
}

fn is_searchable(kind: Kind) -> bool {
    kind.is_said() || kind == Kind::Topic
}

#[cfg(test)]
mod tests;
