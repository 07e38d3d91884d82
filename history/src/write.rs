//! Writing a batch: facts, rooms, nonces and what is reserved, all of it or nothing.
//!
//! Where it stands: called by the journal, with a connection that it has opened for that; everything happens in one
//! transaction.
//!
//! What this file must never do: ask the file anything for a fact that is merely said. That is nearly all there are, and
//! they cost an insertion each; whatever else a batch does to a room is done once, at its end.

use crate::batch::Batch;
use crate::error::{Cause, CommitError};
use crate::index;
use crate::rows::{FactId, Kind, OutOfNumbers, Row, door_number};
use hub::{
    ClientId, Fact, Kept, Line, Party, Position, Reservation, RoomName, RoomNumber, Sequence, Signed, Time,
};
use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

/// So many nonces of a client are kept; the hub remembers no more.
pub(crate) const NONCES_KEPT: u32 = 1_000;
/// Of so many clients it is counted what they have said since theirs were cut back.
const CLIENTS_COUNTED_MAX: usize = 16_384;

/// What a fact counts for in the bytes of its room, besides its text: about what its row takes.
pub(crate) const FACT_BYTES: i64 = 64;

const INSERT: &str =
    "INSERT INTO facts (id, position, time, kind, nick, door, client, recipient, target, text) VALUES ";
const INSERTED: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERTED_COLUMNS: usize = 10;
/// So many rows are inserted by one statement, where there are as many: to begin one and to find the place in the tree costs as
/// much as a fifth of the row itself.
const INSERTED_TOGETHER: usize = 32;
pub(crate) static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert_so_many(1));
static INSERT_TOGETHER: LazyLock<String> = LazyLock::new(|| insert_so_many(INSERTED_TOGETHER));

fn insert_so_many(rows: usize) -> String {
    format!("{INSERT}{}", vec![INSERTED; rows].join(", "))
}

/// Whether something was erased: then it has to leave the log, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Erasure {
    Nothing,
    Something,
}

/// What a batch does to a room.
#[derive(Default)]
struct RoomChange<'a> {
    opened: Option<&'a RoomName>,
    conversation: Option<([Party; 2], [&'a Arc<str>; 2])>,
    topic: Option<(Option<&'a Line>, &'a str, Time)>,
    closed: bool,
    sequence: Sequence,
    reserved: Sequence,
    facts: i64,
    bytes: i64,
}

/// How many nonces each client has added since its last ones were cut back, so that this is done once in
/// [`NONCES_KEPT`] and costs next to nothing. What is forgotten here (at a start, or with more clients than are counted) only
/// leaves more of them in the file.
#[derive(Debug, Default)]
pub(crate) struct NonceCounts(HashMap<ClientId, u32>);

impl NonceCounts {
    /// Whether it is time to cut back.
    fn count(&mut self, client: ClientId) -> bool {
        if self.0.len() >= CLIENTS_COUNTED_MAX && !self.0.contains_key(&client) {
            self.0.clear();
        }
        let count = self.0.entry(client).or_default();
        *count += 1;
        if *count < NONCES_KEPT {
            return false;
        }
        *count = 0;
        true
    }
}

/// Writes what of the batches is not written yet: all facts behind `written`. There is at least one batch.
pub(crate) fn write(
    connection: &mut Connection,
    batches: &[&Batch],
    written: Position,
    nonces: &mut NonceCounts,
) -> Result<Erasure, CommitError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut erasure = Erasure::Nothing;
    {
        let insertion = Insertion::new(&transaction)?;
        let mut writer = Writer { transaction: &transaction, insertion, nonces, rooms: BTreeMap::new() };
        let kept = batches.iter().flat_map(|batch| &batch.kept);
        for kept in kept.filter(|kept| kept.record.position > written) {
            if writer.fact(kept)? == Erasure::Something {
                erasure = Erasure::Something;
            }
        }
        writer.finish(batches)?;
    }
    if let Some(batch) = batches.last() {
        let reservation = &batch.reservation;
        transaction.prepare_cached(UPDATE_SERVER)?.execute(params![
            signed(reservation.position.0)?,
            reservation.next_room.0,
            signed(batch.position.0)?
        ])?;
    }
    transaction.commit()?;
    Ok(erasure)
}

const UPDATE_SERVER: &str = "UPDATE server SET
    position = max(position, ?1), next_room = max(next_room, ?2), written = max(written, ?3), clean = 0";

/// Writes down exactly what was used, and that nothing was cut off.
pub(crate) fn write_end(connection: &mut Connection, reservation: &Reservation) -> Result<(), CommitError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut reserve =
            transaction.prepare("UPDATE rooms SET reserved = max(sequence, ?2) WHERE number = ?1")?;
        for (room, sequence) in &reservation.sequences {
            reserve.execute(params![room.0, signed(sequence.0)?])?;
        }
    }
    transaction.execute(
        "UPDATE server SET position = ?1, next_room = ?2, clean = 1",
        params![signed(reservation.position.0)?, reservation.next_room.0],
    )?;
    Ok(transaction.commit()?)
}

struct Writer<'a, 'c> {
    transaction: &'c Transaction<'c>,
    insertion: Insertion<'a, 'c>,
    nonces: &'c mut NonceCounts,
    rooms: BTreeMap<RoomNumber, RoomChange<'a>>,
}

impl<'a> Writer<'a, '_> {
    fn fact(&mut self, kept: &'a Kept) -> Result<Erasure, CommitError> {
        let row = Row::of(kept)?;
        let erasure = match row {
            Some(row) => self.row(row)?,
            None => Erasure::Nothing,
        };
        match &kept.record.fact {
            Fact::Opened { name, .. } => self.room(kept.room).opened = Some(name),
            Fact::Directed { from, to, parties, .. } => {
                self.room(kept.room).conversation = Some((*parties, [&from.nick, &to.nick]));
            }
            Fact::TopicSet { by, topic, .. } => {
                self.room(kept.room).topic = Some((topic.as_ref(), &by.nick, kept.record.time));
            }
            Fact::Closed { room } => self.room(*room).closed = true,
            _ => {}
        }
        if let Some((signed, row)) = kept.record.fact.signature().zip(row) {
            self.nonce(signed, &row)?;
        }
        Ok(erasure)
    }

    fn row(&mut self, row: Row<'a>) -> Result<Erasure, CommitError> {
        let mut erasure = Erasure::Nothing;
        let mut row = row;
        if matches!(row.kind, Kind::Edited | Kind::Redacted) {
            // What is changed may have been said just before.
            self.insertion.flush()?;
        }
        match (row.kind, row.target) {
            (Kind::Edited, Some(target)) => {
                let new = Revision::Reads(row.sequence());
                index::remove(self.transaction, target.number())?;
                // What has been erased meanwhile stays erased.
                if revise(self.transaction, target, new)?.is_none() {
                    row.text = None;
                }
            }
            (Kind::Redacted, Some(target)) => {
                index::remove(self.transaction, target.number())?;
                let erased = revise(self.transaction, target, Revision::Erased(row.sequence()))?;
                self.room(target.room()).bytes -= erased.unwrap_or_default();
                erasure = Erasure::Something;
            }
            _ => {}
        }
        self.insertion.put(row)?;
        if let (Kind::Edited, Some(target)) = (row.kind, row.target) {
            self.insertion.flush()?;
            index::add(self.transaction, target.number())?;
        }
        let room = self.room(row.id.room());
        room.sequence = room.sequence.max(row.sequence());
        room.facts += 1;
        room.bytes += FACT_BYTES + row.text.map_or(0, octets);
        Ok(erasure)
    }

    fn nonce(&mut self, signed_by: &Signed, row: &Row<'_>) -> Result<(), CommitError> {
        let Some(nonce) = &signed_by.nonce else { return Ok(()) };
        let client = &signed_by.client.0[..];
        let mut insert = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO nonces (client, nonce, fact, position) VALUES (?1, ?2, ?3, ?4)",
        )?;
        insert.execute(params![client, nonce.as_str(), row.id.number(), signed(row.position.0)?])?;
        if self.nonces.count(signed_by.client) {
            self.transaction.prepare_cached(CUT_NONCES)?.execute(params![client, NONCES_KEPT])?;
        }
        Ok(())
    }

    fn room(&mut self, number: RoomNumber) -> &mut RoomChange<'a> {
        self.rooms.entry(number).or_default()
    }

    /// Writes what has become of the rooms, by ascending number: a room that is closed lets go of its name before another of
    /// that name is opened.
    fn finish(mut self, batches: &[&Batch]) -> Result<(), CommitError> {
        for (number, reserved) in batches.iter().flat_map(|batch| &batch.reservation.sequences) {
            let room = self.room(*number);
            room.reserved = room.reserved.max(*reserved);
        }
        self.insertion.flush()?;
        for (number, change) in &self.rooms {
            write_room(self.transaction, *number, change)?;
        }
        Ok(())
    }
}

/// Inserts rows, in their order, many with one statement. What has been put is in the table after [`Insertion::flush`].
struct Insertion<'a, 'c> {
    one: CachedStatement<'c>,
    together: CachedStatement<'c>,
    waiting: Vec<Row<'a>>,
}

impl<'a, 'c> Insertion<'a, 'c> {
    fn new(connection: &'c Connection) -> Result<Insertion<'a, 'c>, rusqlite::Error> {
        let (one, together) =
            (connection.prepare_cached(&INSERT_ONE)?, connection.prepare_cached(&INSERT_TOGETHER)?);
        Ok(Insertion { one, together, waiting: Vec::with_capacity(INSERTED_TOGETHER) })
    }

    /// Inserts this row, now or with those that follow, but for what changed it.
    fn put(&mut self, row: Row<'a>) -> Result<(), CommitError> {
        self.waiting.push(row);
        if self.waiting.len() < INSERTED_TOGETHER {
            return Ok(());
        }
        for (nth, row) in self.waiting.drain(..).enumerate() {
            bind(&mut self.together, nth * INSERTED_COLUMNS, &row)?;
        }
        self.together.raw_execute()?;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CommitError> {
        for row in self.waiting.drain(..) {
            insert_row(&mut self.one, &row)?;
        }
        Ok(())
    }
}

/// Writes a row with [`INSERT_ONE`], but for what changed it.
pub(crate) fn insert_row(insert: &mut CachedStatement<'_>, row: &Row<'_>) -> Result<(), CommitError> {
    bind(insert, 0, row)?;
    insert.raw_execute()?;
    Ok(())
}

/// Binds a row to the parameters behind so many.
fn bind(insert: &mut CachedStatement<'_>, behind: usize, row: &Row<'_>) -> Result<(), CommitError> {
    insert.raw_bind_parameter(behind + 1, row.id.number())?;
    insert.raw_bind_parameter(behind + 2, signed(row.position.0)?)?;
    insert.raw_bind_parameter(behind + 3, signed(row.time.0)?)?;
    insert.raw_bind_parameter(behind + 4, row.kind as i64)?;
    insert.raw_bind_parameter(behind + 5, row.nick)?;
    insert.raw_bind_parameter(behind + 6, row.door.map(door_number))?;
    insert.raw_bind_parameter(behind + 7, row.client.as_ref().map(|client| &client.0[..]))?;
    insert.raw_bind_parameter(behind + 8, row.recipient)?;
    insert.raw_bind_parameter(behind + 9, row.target.map(FactId::number))?;
    insert.raw_bind_parameter(behind + 10, row.text)?;
    Ok(())
}

const CUT_NONCES: &str = "DELETE FROM nonces WHERE client = ?1 AND position <=
    (SELECT position FROM nonces WHERE client = ?1 ORDER BY position DESC LIMIT 1 OFFSET ?2)";

fn write_room(
    transaction: &Transaction<'_>,
    number: RoomNumber,
    change: &RoomChange<'_>,
) -> Result<(), CommitError> {
    if let Some(name) = change.opened {
        // One that is open already stays what it is: the hub did not open it again either.
        transaction
            .prepare_cached(
                "INSERT INTO rooms (number, name, key, sequence, reserved) VALUES (?1, ?2, ?3, 0, 0)
                 ON CONFLICT (number) DO NOTHING",
            )?
            .execute(params![number.0, name.shown, name.key])?;
    }
    if let Some((parties, nicks)) = change.conversation {
        write_conversation(transaction, number, parties, nicks)?;
    }
    transaction
        .prepare_cached(
            "UPDATE rooms SET sequence = max(sequence, ?2), reserved = max(reserved, ?3),
             facts = facts + ?4, bytes = bytes + ?5 WHERE number = ?1",
        )?
        .execute(params![
            number.0,
            signed(change.sequence.0)?,
            signed(change.reserved.0)?,
            change.facts,
            change.bytes
        ])?;
    if let Some((topic, by, time)) = change.topic {
        let text = topic.map(Line::formatted);
        transaction
            .prepare_cached("UPDATE rooms SET topic = ?2, topic_by = ?3, topic_time = ?4 WHERE number = ?1")?
            .execute(params![number.0, text, by, signed(time.0)?])?;
    }
    if change.closed { close(transaction, number) } else { Ok(()) }
}

/// The hub has the party that is less than the other first. A guest cannot come back, so nothing says who it was.
fn write_conversation(
    transaction: &Transaction<'_>,
    number: RoomNumber,
    [one, other]: [Party; 2],
    [nick, other_nick]: [&Arc<str>; 2],
) -> Result<(), CommitError> {
    let (parties, nicks) =
        if one < other { ([one, other], [nick, other_nick]) } else { ([other, one], [other_nick, nick]) };
    let [one, other] = parties.each_ref().map(|party| match party {
        Party::Client(client) => Some(&client.0[..]),
        Party::Guest(_) | Party::Past(_) => None,
    });
    transaction
        .prepare_cached(
            "INSERT INTO rooms (number, one, other, one_nick, other_nick, sequence, reserved)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)
             ON CONFLICT (number) DO UPDATE SET one_nick = excluded.one_nick, other_nick = excluded.other_nick",
        )?
        .execute(params![number.0, one, other, nicks[0], nicks[1]])?;
    Ok(())
}

/// Of a room in which nothing happened but its opening, nothing remains; of any other everything does but its name, which
/// another room may take.
pub(crate) fn close(connection: &Connection, number: RoomNumber) -> Result<(), CommitError> {
    let is_gone = connection
        .prepare_cached("DELETE FROM rooms WHERE number = ?1 AND name IS NOT NULL AND sequence <= 1")?
        .execute([number.0])?
        > 0;
    if is_gone {
        let opening = FactId::nearest(number, Sequence(1)).number();
        connection.prepare_cached("DELETE FROM facts WHERE id = ?1")?.execute([opening])?;
        return Ok(());
    }
    connection
        .prepare_cached("UPDATE rooms SET closed = 1, key = NULL WHERE number = ?1")?
        .execute([number.0])?;
    Ok(())
}

/// What becomes of something that was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Revision {
    /// It reads as the change of this sequence says.
    Reads(Sequence),
    /// It is erased by the fact of this sequence.
    Erased(Sequence),
}

/// The one place where the text of a fact changes or goes: at once for the fact and for all that it was changed to. Gives the
/// bytes of text that are gone; `None` if there was nothing to be changed, because it was never said or is erased.
pub(crate) fn revise(
    connection: &Connection,
    target: FactId,
    revision: Revision,
) -> Result<Option<i64>, CommitError> {
    let target = target.number();
    match revision {
        Revision::Reads(change) => {
            let changed = connection.prepare_cached(REVISE)?.execute(params![target, signed(change.0)?])?;
            Ok((changed > 0).then_some(0))
        }
        Revision::Erased(by) => {
            let bytes: i64 =
                connection.prepare_cached(COUNT_ERASED)?.query_row([target], |row| row.get(0))?;
            let erased = connection.prepare_cached(ERASE)?.execute(params![target, signed(by.0)?])?;
            connection.prepare_cached(ERASE_CHANGES)?.execute([target])?;
            Ok((erased > 0).then_some(bytes))
        }
    }
}

const REVISE: &str = "UPDATE facts SET revised = ?2 WHERE id = ?1 AND kind IN (2, 3, 4) AND text IS NOT NULL";
const ERASE: &str =
    "UPDATE facts SET text = NULL, revised = ?2 WHERE id = ?1 AND kind IN (2, 3, 4) AND text IS NOT NULL";
// The first condition on the kind is the index's own, without which SQLite does not use it.
const ERASE_CHANGES: &str =
    "UPDATE facts SET text = NULL WHERE target = ?1 AND kind IN (6, 7) AND kind = 6 AND text IS NOT NULL";
const COUNT_ERASED: &str = "SELECT
    coalesce((SELECT octet_length(text) FROM facts WHERE id = ?1 AND kind IN (2, 3, 4)), 0) +
    coalesce((SELECT sum(octet_length(text)) FROM facts WHERE target = ?1 AND kind IN (6, 7) AND kind = 6), 0)";

/// The bytes of a text; none is longer than its bound.
pub(crate) fn octets(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// A number as SQLite has it.
pub(crate) fn signed(number: u64) -> Result<i64, Cause> {
    i64::try_from(number).map_err(|_| Cause::OutOfNumbers)
}

impl From<OutOfNumbers> for CommitError {
    fn from(_: OutOfNumbers) -> CommitError {
        Cause::OutOfNumbers.into()
    }
}
