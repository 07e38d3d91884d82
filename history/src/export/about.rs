//! Which room is meant, and what it is.
//!
//! Where it stands: at the beginning of an export.
//!
//! What this file must never do: find a conversation for whoever asks for a room.

use crate::rows::{FactId, clean_nick};
use hub::{Epoch, Line, RoomNumber, RoomRef, Sequence, Time, Topic, conversation_name};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql};
use std::sync::Arc;

/// Whoever names a room that there is not is told so many that there are.
const ROOMS_NAMED_MAX: u32 = 10;

/// A room or a conversation.
#[derive(Debug)]
pub(super) struct About {
    /// Of the data file.
    pub(super) epoch: Epoch,
    pub(super) room: RoomRef,
    /// The nicks of the two, if it is a conversation.
    pub(super) between: Option<[Arc<str>; 2]>,
    /// Its last.
    pub(super) sequence: Sequence,
    pub(super) topic: Option<Topic>,
}

/// The open room of this key.
pub(super) fn room(connection: &Connection, key: &str) -> Result<Option<About>, rusqlite::Error> {
    about(connection, "key = ?1", &key)
}

pub(super) fn conversation(
    connection: &Connection,
    number: RoomNumber,
) -> Result<Option<About>, rusqlite::Error> {
    about(connection, "name IS NULL AND number = ?1", &number.0)
}

/// The name of the open room of this number.
pub(super) fn name_of(
    connection: &Connection,
    number: RoomNumber,
) -> Result<Option<String>, rusqlite::Error> {
    let sql = "SELECT name FROM rooms WHERE closed = 0 AND name IS NOT NULL AND number = ?1";
    let name = connection.query_row(sql, [number.0], |row| row.get::<_, String>(0)).optional()?;
    Ok(name.map(|name| clean_nick(&name).to_string()))
}

/// The names of some open rooms.
pub(super) fn some_rooms(connection: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let sql = "SELECT name FROM rooms WHERE closed = 0 AND name IS NOT NULL ORDER BY key LIMIT ?1";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([ROOMS_NAMED_MAX], |row| row.get::<_, String>(0))?;
    names.map(|name| name.map(|name| clean_nick(&name).to_string())).collect()
}

/// The numbers of a room, from one to another, under which there is anything.
pub(super) fn sequences(
    connection: &Connection,
    room: RoomNumber,
    from: Sequence,
    to: Sequence,
) -> Result<Vec<Sequence>, rusqlite::Error> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM facts WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
    let range = [from, to].map(|sequence| FactId::nearest(room, sequence).number());
    let numbers = statement.query_map(range, |row| row.get(0))?;
    let sequences = numbers.map(|number| Ok(FactId::from_number(number?).map(FactId::sequence)));
    sequences.filter_map(Result::transpose).collect()
}

fn about(
    connection: &Connection,
    which: &str,
    parameter: &dyn ToSql,
) -> Result<Option<About>, rusqlite::Error> {
    let sql = format!(
        "SELECT number, name, one_nick, other_nick, sequence, topic, topic_by, topic_time, epoch FROM rooms, server WHERE {which}"
    );
    connection.query_row(&sql, [parameter], read).optional()
}

fn read(row: &Row<'_>) -> Result<About, rusqlite::Error> {
    let (number, name): (_, Option<String>) = (RoomNumber(row.get(0)?), row.get(1)?);
    let nick = |nick: Option<String>| clean_nick(&nick.unwrap_or_default());
    let (name, between) = match name {
        Some(name) => (clean_nick(&name), None),
        None => (conversation_name(number).into(), Some([nick(row.get(2)?), nick(row.get(3)?)])),
    };
    Ok(About {
        epoch: Epoch::new(row.get::<_, i64>(8)?.cast_unsigned()),
        room: RoomRef { number, name },
        between,
        sequence: Sequence(row.get::<_, i64>(4)?.max(0).cast_unsigned()),
        topic: topic(row.get(5)?, row.get(6)?, row.get(7)?),
    })
}

fn topic(text: Option<String>, by: Option<String>, time: Option<i64>) -> Option<Topic> {
    let text = Line::new(&text?, usize::MAX).ok()?;
    let time = Time(time.unwrap_or_default().max(0).cast_unsigned());
    Some(Topic { text, by: clean_nick(&by.unwrap_or_default()), time })
}
