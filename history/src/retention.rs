//! Letting go of what is old, where the operator wants that.
//!
//! Where it stands: called by the journal's thread when it has nothing else to do, a slice at a time.
//!
//! What this file must never do: let go of anything unasked, close a room, or let anybody wait for long.

use crate::error::{Cause, CommitError};
use crate::index;
use crate::journal::{Journal, Remaining};
use crate::rows::FactId;
use crate::write::{FACT_BYTES, signed};
use hub::{RoomNumber, Sequence, Time};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::collections::BTreeSet;

/// So many facts are let go of in one slice.
const FACTS_MAX: u32 = 1_000;
/// So many rooms are looked at in one slice.
const ROOMS_MAX: u32 = 1_000;

/// What is kept of each room, the newest first; everything that nothing is said about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// What is older goes, in milliseconds.
    pub age_ms_max: Option<u64>,
    /// So many facts stay: what was said, and its changes, topics and notices.
    pub facts_max: Option<u64>,
    /// So many bytes of text stay, each fact counting for 64 more.
    pub bytes_max: Option<u64>,
}

/// A room from which something may have to go.
struct Room {
    number: RoomNumber,
    forgotten: Sequence,
    facts: i64,
    bytes: i64,
}

/// What has to go of a room, and what has gone.
struct Excess {
    facts: i64,
    bytes: i64,
    /// What happened before this is too old.
    before: i64,
}

/// The oldest facts of a room that go together.
struct Slice {
    last: FactId,
    facts: u32,
    bytes: i64,
    clients: BTreeSet<Vec<u8>>,
}

impl Journal {
    /// Lets go of the oldest facts of some rooms, as far as the policy says, in one bounded slice; gives how many facts went, and
    /// whether there is more to look at. Facts go in their order: where a clock was set back, one that is old enough waits for those in front of it.
    ///
    /// # Errors
    /// Nothing has gone.
    pub fn forget(&mut self, policy: &Retention, now: Time) -> Result<(usize, Remaining), CommitError> {
        if *policy == Retention::default() {
            return Ok((0, Remaining::Nothing));
        }
        let from = self.forget_next;
        let (facts, next) = self.try_with(|connection, _, _| forget(connection, policy, now, from))?;
        self.forget_next = next.unwrap_or_default();
        if facts > 0 {
            self.erased();
        }
        let remaining = if next.is_some() { Remaining::Something } else { Remaining::Nothing };
        Ok((facts as usize, remaining))
    }
}

/// Gives how many facts went, and the room to go on with, if not all were looked at.
fn forget(
    connection: &mut Connection,
    policy: &Retention,
    now: Time,
    from: RoomNumber,
) -> Result<(u32, Option<RoomNumber>), CommitError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rooms = rooms(&transaction, from)?;
    let mut gone = 0;
    let mut next = None;
    for room in &rooms {
        gone += forget_in(&transaction, room, excess(room, policy, now)?, FACTS_MAX - gone)?;
        if gone >= FACTS_MAX {
            next = Some(room.number);
            break;
        }
    }
    if next.is_none() && rooms.len() >= ROOMS_MAX as usize {
        next = rooms.last().map(|room| RoomNumber(room.number.0.saturating_add(1)));
    }
    transaction.commit()?;
    Ok((gone, next))
}

/// Rooms that are closed, too: what was said there is as old as elsewhere.
fn rooms(connection: &Connection, from: RoomNumber) -> Result<Vec<Room>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT number, forgotten, facts, bytes FROM rooms WHERE number >= ?1 AND facts > 0
         ORDER BY number LIMIT ?2",
    )?;
    let room = |row: &rusqlite::Row<'_>| {
        let forgotten = u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
        let (number, forgotten) = (RoomNumber(row.get(0)?), Sequence(forgotten));
        Ok(Room { number, forgotten, facts: row.get(2)?, bytes: row.get(3)? })
    };
    statement.query_map(params![from.0, ROOMS_MAX], room)?.collect()
}

fn excess(room: &Room, policy: &Retention, now: Time) -> Result<Excess, Cause> {
    let over = |has: i64, max: Option<u64>| match max {
        Some(max) => i64::try_from(max).map_or(0, |max| has.saturating_sub(max)),
        None => 0,
    };
    let before = policy.age_ms_max.map_or(0, |age_ms| now.0.saturating_sub(age_ms));
    Ok(Excess {
        facts: over(room.facts, policy.facts_max),
        bytes: over(room.bytes, policy.bytes_max),
        before: signed(before)?,
    })
}

/// The one place where facts go for good.
fn forget_in(
    transaction: &Transaction<'_>,
    room: &Room,
    excess: Excess,
    facts_max: u32,
) -> Result<u32, CommitError> {
    let Some(slice) = slice(transaction, room, excess, facts_max)? else { return Ok(0) };
    let first = FactId::nearest(room.number, Sequence(1)).number();
    let range = params![first, slice.last.number()];
    index::remove_all(transaction, first, slice.last.number())?;
    transaction.prepare_cached("DELETE FROM facts WHERE id BETWEEN ?1 AND ?2")?.execute(range)?;
    for client in &slice.clients {
        transaction
            .prepare_cached("DELETE FROM nonces WHERE client = ?3 AND fact BETWEEN ?1 AND ?2")?
            .execute(params![first, slice.last.number(), client])?;
    }
    transaction
        .prepare_cached(
            "UPDATE rooms SET forgotten = ?2, facts = facts - ?3, bytes = bytes - ?4 WHERE number = ?1",
        )?
        .execute(params![room.number.0, signed(slice.last.sequence().0)?, slice.facts, slice.bytes])?;
    Ok(slice.facts)
}

fn slice(
    connection: &Connection,
    room: &Room,
    mut excess: Excess,
    facts_max: u32,
) -> Result<Option<Slice>, rusqlite::Error> {
    let first = FactId::nearest(room.number, room.forgotten.next()).number();
    let last = FactId::nearest(room.number, Sequence(u64::MAX)).number();
    let mut statement = connection.prepare_cached(
        "SELECT id, time, coalesce(octet_length(text), 0), client FROM facts
         WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![first, last, facts_max])?;
    let mut slice: Option<Slice> = None;
    while let Some(row) = rows.next()? {
        let (time, bytes): (i64, i64) = (row.get(1)?, row.get::<_, i64>(2)? + FACT_BYTES);
        let goes = excess.facts > 0 || excess.bytes > 0 || time < excess.before;
        let Some(id) = FactId::from_number(row.get(0)?).filter(|_| goes) else { break };
        excess.facts -= 1;
        excess.bytes -= bytes;
        let slice = slice.get_or_insert(Slice { last: id, facts: 0, bytes: 0, clients: BTreeSet::new() });
        slice.last = id;
        slice.facts += 1;
        slice.bytes += bytes;
        slice.clients.extend(row.get::<_, Option<Vec<u8>>>(3)?);
    }
    Ok(slice)
}
