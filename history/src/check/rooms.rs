//! The rows of the server and of the rooms: whether their numbers can be, and fit each other.
//!
//! Where it stands: called by the check, in front of the facts.
//!
//! What this file must never do: show a topic.

use super::Findings;
use crate::rows::ROOMS_END;
use hub::{Epoch, RoomName, conversation_name};
use rusqlite::{Connection, Row};

/// What a room is called in a finding.
pub(super) fn label(number: i64, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("#{} (room {number})", name.escape_debug()),
        None => match u32::try_from(number) {
            Ok(number) => conversation_name(hub::RoomNumber(number)),
            Err(_) => format!("room {number}"),
        },
    }
}

/// The server has one row, and no number in the file is beyond what it says.
pub(super) fn server(connection: &Connection, findings: &mut Findings) -> Result<(), rusqlite::Error> {
    let numbers = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let (epoch, position, next_room, written): (i64, i64, i64, i64) =
        connection.query_row("SELECT epoch, position, next_room, written FROM server", (), numbers)?;
    if u64::try_from(epoch).is_err() || Epoch::new(epoch.cast_unsigned()).bits() != epoch.cast_unsigned() {
        findings.add(format!("the epoch {epoch} is none"));
    }
    if written < 0 || written > position {
        findings.add(format!("position {written} is written, but only {position} are given out"));
    }
    let last: Option<i64> = connection.query_row("SELECT max(number) FROM rooms", (), |row| row.get(0))?;
    if let Some(last) = last.filter(|last| *last >= next_room) {
        findings.add(format!("there is a room {last}, but the next one would be {next_room}"));
    }
    let beyond: i64 =
        connection
            .query_row("SELECT count(*) FROM facts WHERE position > ?1", [written], |row| row.get(0))?;
    if beyond > 0 {
        findings
            .add(format!("{beyond} messages stand behind position {written}, up to which all is written"));
    }
    Ok(())
}

/// A row of the table of rooms, as far as it is compared.
struct RoomRow {
    label: String,
    number: i64,
    name: Option<String>,
    key: Option<String>,
    closed: bool,
    sequence: i64,
    reserved: i64,
    forgotten: i64,
    indexed: i64,
}

pub(super) fn rooms(connection: &Connection, findings: &mut Findings) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare(
        "SELECT number, name, key, closed, sequence, reserved, forgotten, indexed FROM rooms ORDER BY number",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (number, name): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
        let room = RoomRow {
            label: label(number, name.as_deref()),
            number,
            name,
            key: row.get(2)?,
            closed: row.get::<_, i64>(3)? != 0,
            sequence: row.get(4)?,
            reserved: row.get(5)?,
            forgotten: row.get(6)?,
            indexed: row.get(7)?,
        };
        room.check(findings);
    }
    Ok(())
}

impl RoomRow {
    fn check(&self, findings: &mut Findings) {
        let label = &self.label;
        if !(1..i64::from(ROOMS_END)).contains(&self.number) {
            findings.add(format!("{label}: no room has this number"));
        }
        if !self.is_found_by_its_name() {
            findings.add(format!("{label}: it cannot be found by its name"));
        }
        let sequence = self.sequence;
        // A room that is closed gives out no more numbers.
        if self.reserved < sequence && !self.closed {
            findings.add(format!(
                "{label}: its last number is {sequence}, but only {} are reserved",
                self.reserved
            ));
        }
        for (what, number) in [("forgotten", self.forgotten), ("indexed", self.indexed)] {
            if !(0..=sequence).contains(&number) {
                findings.add(format!("{label}: {what} up to {number}, but its last number is {sequence}"));
            }
        }
    }

    /// An open room has the key of its name; a closed one has let go of it; a conversation has neither.
    fn is_found_by_its_name(&self) -> bool {
        match (&self.name, &self.key) {
            (Some(name), Some(key)) => {
                !self.closed && RoomName::parse(name).is_ok_and(|name| *name.key == **key)
            }
            (Some(_), None) => self.closed,
            (None, key) => key.is_none(),
        }
    }
}
