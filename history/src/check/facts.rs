//! Facts: every one of them, read as a page would read it, and compared with those that it is about.
//!
//! Where it stands: called by the check, room by room, along the tree of facts.
//!
//! What this file must never do: show a text, or keep one.

use super::Findings;
use super::rooms::label;
use crate::rows::{COLUMNS, FactId, Kind, Row};
use crate::write::FACT_BYTES;
use hub::{RoomNumber, RoomRef, Sequence};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

pub(super) fn facts(connection: &Connection, findings: &mut Findings) -> Result<(), rusqlite::Error> {
    let mut statement = connection
        .prepare("SELECT number, name, sequence, forgotten, facts, bytes FROM rooms ORDER BY number")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (number, name): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
        // One that is no number was found with the rooms.
        let Ok(room) = u32::try_from(number) else { continue };
        let (sequence, forgotten): (i64, i64) = (row.get(2)?, row.get(3)?);
        let log = Log {
            connection,
            findings,
            label: label(number, name.as_deref()),
            room: RoomRef { number: RoomNumber(room), name: name.unwrap_or_default().into() },
            forgotten: Sequence(forgotten.cast_unsigned()),
            last: Sequence(forgotten.cast_unsigned()),
            facts: 0,
            bytes: 0,
        };
        let log = log.walk()?;
        log.compare(Sequence(sequence.cast_unsigned()), row.get(4)?, row.get(5)?);
    }
    strays(connection, findings)
}

/// Facts of rooms that there are not: one finding for each of those rooms.
fn strays(connection: &Connection, findings: &mut Findings) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare(
        "SELECT DISTINCT id >> 32 FROM facts WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE number = id >> 32)",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        findings.add(format!("there are messages of a room {number}, which there is not"));
    }
    Ok(())
}

/// The log of one room, on the way through it.
struct Log<'a> {
    connection: &'a Connection,
    findings: &'a mut Findings,
    label: String,
    room: RoomRef,
    /// Everything up to this one has been let go of.
    forgotten: Sequence,
    /// The last number that was seen.
    last: Sequence,
    facts: i64,
    bytes: i64,
}

/// What others say about a fact.
struct Other {
    kind: Option<i64>,
    target: Option<i64>,
    revised: Option<i64>,
    is_empty: bool,
}

impl Log<'_> {
    fn walk(mut self) -> Result<Self, rusqlite::Error> {
        let first = FactId::nearest(self.room.number, Sequence(0)).number();
        let last = FactId::nearest(self.room.number, Sequence(u64::MAX)).number();
        let sql = format!("SELECT {COLUMNS} FROM facts WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([first, last])?;
        while let Some(row) = rows.next()? {
            let sequence = Sequence(u64::from(row.get::<_, i64>(0)? as u32));
            self.facts += 1;
            match Row::read(row)? {
                Some(row) => self.fact(&row)?,
                None => self.finding(sequence, "makes no sense"),
            }
            self.last = sequence;
        }
        drop(rows);
        drop(statement);
        Ok(self)
    }

    fn finding(&mut self, sequence: Sequence, what: &str) {
        let finding = format!("{}: message {} {what}", self.label, sequence.0);
        self.findings.add(finding);
    }

    fn fact(&mut self, row: &Row<'_>) -> Result<(), rusqlite::Error> {
        let sequence = row.sequence();
        self.bytes += FACT_BYTES + row.text.map_or(0, |text| i64::try_from(text.len()).unwrap_or(i64::MAX));
        if sequence <= self.forgotten {
            self.finding(sequence, "is still there, but should have been let go of");
        }
        self.gap(row);
        let is_emptied = row.kind == Kind::Edited && row.text.is_none();
        if !is_emptied && row.past(&self.room, None).is_none() {
            self.finding(sequence, "lacks something without which it cannot be shown");
        }
        match row.kind {
            Kind::Edited | Kind::Redacted => self.change(row),
            Kind::Said | Kind::Acted | Kind::Directed => self.revision(row),
            Kind::Opened | Kind::Topic | Kind::Lost => Ok(()),
        }
    }

    /// What is missing in front of a fact is lost, and the fact says so; or it is an error.
    fn gap(&mut self, row: &Row<'_>) {
        let (last, sequence) = (self.last, row.sequence());
        let missing = last.0.saturating_add(1)..sequence.0;
        let lost_from = row.target.filter(|_| row.kind == Kind::Lost).map(FactId::sequence);
        match lost_from {
            Some(from) if from.0 > missing.start || sequence.0 == 0 => self.missing(missing.start, from.0),
            Some(from) if from <= last && last > self.forgotten => {
                self.finding(sequence, "says that something is lost which is there");
            }
            Some(_) => {}
            None => self.missing(missing.start, sequence.0),
        }
    }

    /// The numbers from one up to another, that one excluded.
    fn missing(&mut self, from: u64, end: u64) {
        if from < end {
            let (label, to) = (&self.label, end - 1);
            let finding = if from == to {
                format!("{label}: message {from} is neither there nor known to be lost")
            } else {
                format!("{label}: messages {from} to {to} are neither there nor known to be lost")
            };
            self.findings.add(finding);
        }
    }

    /// A change or an erasure is of something that was said before, and its text is there as long as that is.
    fn change(&mut self, row: &Row<'_>) -> Result<(), rusqlite::Error> {
        let Some(target) = row.target else {
            // The number of a change of which nothing remains, in a room that was imported.
            if row.kind == Kind::Redacted || row.text.is_some() {
                self.finding(row.sequence(), "changes nothing");
            }
            return Ok(());
        };
        if target.room() != self.room.number || target >= row.id {
            self.finding(row.sequence(), "changes something that was not said before it");
            return Ok(());
        }
        if target.sequence() <= self.forgotten {
            return Ok(());
        }
        let said = self.other(target)?.filter(|other| matches!(other.kind, Some(2..=4)));
        let Some(said) = said else {
            self.finding(row.sequence(), "changes something that nobody said");
            return Ok(());
        };
        if row.kind == Kind::Redacted && !said.is_empty {
            self.finding(target.sequence(), "was erased, but its text is still there");
        }
        if row.kind == Kind::Edited && row.text.is_some() && said.is_empty {
            self.finding(row.sequence(), "changes something that was erased, but its text is still there");
        }
        let revised = said.revised.unwrap_or_default();
        if revised < i64::try_from(row.sequence().0).unwrap_or(i64::MAX) && !said.is_empty {
            self.finding(target.sequence(), "does not show its last change");
        }
        Ok(())
    }

    /// What was said and then changed or erased, says by what.
    fn revision(&mut self, row: &Row<'_>) -> Result<(), rusqlite::Error> {
        let Some(change) = row.revised else { return Ok(()) };
        let id = FactId::nearest(self.room.number, change);
        let expected = if row.text.is_none() { Kind::Redacted } else { Kind::Edited } as i64;
        let fits = self.other(id)?.is_some_and(|other| {
            other.kind == Some(expected) && other.target == Some(row.id.number()) && change > row.sequence()
        });
        if !fits {
            self.finding(
                row.sequence(),
                &format!("is said to be changed by {}, which is no such change", change.0),
            );
        }
        Ok(())
    }

    fn other(&self, id: FactId) -> Result<Option<Other>, rusqlite::Error> {
        let mut statement: CachedStatement<'_> = self
            .connection
            .prepare_cached("SELECT kind, target, revised, text IS NULL FROM facts WHERE id = ?1")?;
        let other = |row: &rusqlite::Row<'_>| {
            Ok(Other { kind: row.get(0)?, target: row.get(1)?, revised: row.get(2)?, is_empty: row.get(3)? })
        };
        statement.query_row([id.number()], other).optional()
    }

    /// Compares what was found with what the row of the room says.
    fn compare(mut self, sequence: Sequence, facts: i64, bytes: i64) {
        let label = &self.label;
        if self.last > sequence {
            let finding =
                format!("{label}: there is a message {}, but its last number is {}", self.last.0, sequence.0);
            self.findings.add(finding);
        }
        self.missing(self.last.0.saturating_add(1), sequence.0.saturating_add(1));
        if (facts, bytes) != (self.facts, self.bytes) {
            self.findings.add(format!(
                "{}: it counts {facts} messages of {bytes} bytes, and has {} of {}",
                self.label, self.facts, self.bytes
            ));
        }
    }
}

/// Every nonce names what its client said.
pub(super) fn nonces(connection: &Connection, findings: &mut Findings) -> Result<(), rusqlite::Error> {
    let strays: i64 = connection.query_row(
        "SELECT count(*) FROM nonces n WHERE NOT EXISTS
         (SELECT 1 FROM facts f WHERE f.id = n.fact AND f.client = n.client AND f.position = n.position)",
        (),
        |row| row.get(0),
    )?;
    if strays > 0 {
        findings.add(format!("{strays} nonces name something that their clients did not say"));
    }
    Ok(())
}
