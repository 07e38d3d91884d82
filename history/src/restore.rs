//! Reading back what the hub is restored from.
//!
//! Where it stands: at the start of the journal, between a data file that may be anybody's and the hub.
//!
//! What this file must never do: leave out a room because its row makes no sense: another of its name would be opened, and
//! what was said there hidden. A file with such a row is damaged.

use crate::directory;
use crate::error::{Cause, CommitError, OpenError};
use crate::journal::{Ended, Restored};
use crate::rows::clean_nick;
use crate::schema::APPLICATION_ID;
use hub::{
    ClientId, Epoch, KeptKind, KeptRoom, Line, Party, Position, Reservation, RoomName, RoomNumber, Sequence,
    Snapshot, Time, Topic,
};
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Why a file cannot be restored from.
pub(crate) enum RestoreError {
    Database(rusqlite::Error),
    Senseless(&'static str),
    Open(OpenError),
}

impl RestoreError {
    pub(crate) fn into_open(self, file: &Path) -> OpenError {
        match self {
            RestoreError::Database(error) => OpenError::of(file.to_owned(), error),
            RestoreError::Senseless(what) => {
                OpenError::Damaged { file: file.to_owned(), cause: Cause::Senseless(what) }
            }
            RestoreError::Open(error) => error,
        }
    }
}

impl From<rusqlite::Error> for RestoreError {
    fn from(error: rusqlite::Error) -> RestoreError {
        RestoreError::Database(error)
    }
}

impl From<RestoreError> for CommitError {
    fn from(error: RestoreError) -> CommitError {
        match error {
            RestoreError::Database(error) => error.into(),
            RestoreError::Senseless(what) => Cause::Senseless(what).into(),
            RestoreError::Open(_) => Cause::Exchanged.into(),
        }
    }
}

/// Whether the file, with what stands in its log, is one that this version can use; an empty one is.
pub(crate) fn check(directory: &Path, connection: &Connection) -> Result<(), RestoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    let file = directory::file_in(directory);
    if application != APPLICATION_ID && tables > 0 {
        return Err(RestoreError::Open(OpenError::Foreign(file)));
    }
    directory::check_version(file, version).map_err(RestoreError::Open)
}

/// The row of the server.
pub(crate) struct Server {
    pub(crate) epoch: Epoch,
    pub(crate) written: Position,
    position: Position,
    next_room: RoomNumber,
    ended: Ended,
}

pub(crate) fn server(connection: &Connection) -> Result<Server, RestoreError> {
    let row = |row: &Row<'_>| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, u32>(3)?, row.get::<_, i64>(4)?))
    };
    let (epoch, written, position, next_room, clean): (i64, i64, i64, _, _) =
        connection.query_row("SELECT epoch, written, position, next_room, clean FROM server", (), row)?;
    let unsigned =
        |number: i64| u64::try_from(number).map_err(|_| RestoreError::Senseless("the server's row"));
    Ok(Server {
        epoch: Epoch::new(unsigned(epoch)?),
        written: Position(unsigned(written)?),
        position: Position(unsigned(position)?),
        next_room: RoomNumber(next_room),
        ended: if clean == 1 { Ended::Cleanly } else { Ended::Abruptly },
    })
}

/// Everything that is kept but what was said.
pub(crate) fn read(connection: &Connection) -> Result<(Restored, Position), RestoreError> {
    let server = server(connection)?;
    let mut rooms = Vec::new();
    let mut sequences = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT number, sequence, reserved, name, key, one, other, one_nick, other_nick, topic, topic_by, topic_time
         FROM rooms WHERE closed = 0 ORDER BY number",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (room, reserved) = room(row)?;
        sequences.insert(room.number, reserved);
        rooms.push(room);
    }
    let snapshot = Snapshot { position: server.written, next_room: server.next_room, rooms };
    let reservation = Reservation { position: server.position, next_room: server.next_room, sequences };
    let restored = Restored { epoch: server.epoch, snapshot, reservation, ended: server.ended };
    Ok((restored, server.written))
}

fn room(row: &Row<'_>) -> Result<(KeptRoom, Sequence), RestoreError> {
    let senseless = || RestoreError::Senseless("the row of a room");
    let sequence = |column: usize| {
        let number: i64 = row.get(column)?;
        u64::try_from(number).map(Sequence).map_err(|_| senseless())
    };
    let number = RoomNumber(row.get(0)?);
    let name: Option<String> = row.get(3)?;
    let kind = match name {
        Some(name) => {
            let name = RoomName::parse(&name).map_err(|_| senseless())?;
            let key: Option<String> = row.get(4)?;
            if key.as_deref() != Some(&*name.key) {
                return Err(senseless());
            }
            KeptKind::Open(name)
        }
        None => KeptKind::Conversation(
            [party(number, row.get(5)?), party(number, row.get(6)?)],
            [nick(row.get(7)?), nick(row.get(8)?)],
        ),
    };
    let (last, reserved) = (sequence(1)?, sequence(2)?);
    Ok((KeptRoom { number, kind, sequence: last, topic: topic(row)? }, reserved))
}

fn party(number: RoomNumber, client: Option<[u8; 16]>) -> Party {
    client.map_or(Party::Past(number), |client| Party::Client(ClientId(client)))
}

fn nick(nick: Option<String>) -> Arc<str> {
    clean_nick(&nick.unwrap_or_default())
}

fn topic(row: &Row<'_>) -> Result<Option<Topic>, RestoreError> {
    let (text, by, time): (Option<String>, Option<String>, Option<i64>) =
        (row.get(9)?, row.get(10)?, row.get(11)?);
    let Some(text) = text.and_then(|text| Line::new(&text, usize::MAX).ok()) else { return Ok(None) };
    let time = Time(time.and_then(|time| u64::try_from(time).ok()).unwrap_or_default());
    Ok(Some(Topic { text, by: nick(by), time }))
}
