//! Reading: pages of the past for people, and for the hub what only the file knows.
//!
//! Where it stands: beside the journal, on a thread of its own, with a connection of its own, which waits for no commit and
//! lets none wait.
//!
//! What this file must never do: write, or decide who may read what: that has been decided.

use crate::batch::Batch;
use crate::directory;
use crate::error::{OpenError, ReadError};
use crate::index;
use crate::page;
use crate::rows::{COLUMNS, FactId, Kind, Row};
use crate::schema::MIGRATIONS;
use crate::search;
use crate::unwritten::{self, Change, Unwritten};
use crate::write::NONCES_KEPT;
use hub::{
    Authorship, ClientId, Findings, Known, Lookup, Nonce, Page, PageWanted, Position, Receipt, RoomNumber,
    RoomRef, Search, Sequence,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Reads a data file, while a journal writes it or none does.
///
/// `unwritten` are always the batches that the journal has not committed yet, in their order. Collect them *before* the
/// call: what is committed meanwhile is then found in the file instead.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// No search is given longer than this; one that would take longer says that there may be more.
pub const SEARCH_MAX: Duration = Duration::from_millis(250);

impl Reader {
    /// Opens the data file in this directory. Where a journal is to be opened by the same process, that comes first.
    ///
    /// # Errors
    /// There is none, or it is not ours, newer, older, damaged, or cannot be opened.
    pub fn open(directory: &Path) -> Result<Reader, OpenError> {
        let connection = directory::connect_to_look(directory)?;
        let file = directory::file_in(directory);
        let error = |error| OpenError::of(file.clone(), error);
        let version: i32 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(error)?;
        if usize::try_from(version).is_ok_and(|version| version < MIGRATIONS.len()) {
            return Err(OpenError::Older(file));
        }
        written(&connection).map_err(error)?;
        Ok(Reader { connection })
    }

    /// The connection, for whoever reads something else.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads a page.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn page(&mut self, wanted: &PageWanted, unwritten: &[Arc<Batch>]) -> Result<Page, ReadError> {
        // One moment of the file for all that is read.
        let transaction = self.connection.transaction()?;
        let written = written(&transaction)?;
        Ok(page::page(&transaction, wanted, unwritten, written)?)
    }

    /// Looks for something in rooms, each up to its last fact that may be read, for so long at most:
    /// [`SEARCH_MAX`], or less if it is to be asked again.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn search(
        &mut self,
        rooms: &[(RoomRef, Sequence)],
        search: &Search,
        unwritten: &[Arc<Batch>],
        time_max: Duration,
    ) -> Result<Findings, ReadError> {
        let until = Instant::now() + time_max;
        let is_time_up = move || Instant::now() >= until;
        Ok(search::search(&self.connection, rooms, search, unwritten, is_time_up)?)
    }

    /// How many facts the index of words is behind what is written, in all rooms together.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn index_behind(&self) -> Result<u64, ReadError> {
        Ok(index::count_behind(&self.connection)?)
    }

    /// Looks up what the hub has to know before it can decide.
    ///
    /// # Errors
    /// What SQLite says; the hub is to be told [`Known::Unreadable`].
    pub fn look_up(&mut self, lookup: Lookup, unwritten: &[Arc<Batch>]) -> Result<Known, ReadError> {
        let transaction = self.connection.transaction()?;
        let written = written(&transaction)?;
        Ok(match lookup {
            Lookup::Client(client) => Known::Client(receipts(&transaction, client, unwritten, written)?),
            Lookup::Author { room, target } => {
                Known::Author(authorship(&transaction, room, target, unwritten, written)?)
            }
        })
    }
}

/// Up to which position the file is written.
fn written(connection: &Connection) -> Result<Position, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT written FROM server")?;
    let written: i64 = statement.query_row((), |row| row.get(0))?;
    Ok(Position(u64::try_from(written).unwrap_or_default()))
}

/// The last things that a client said with nonces, the oldest first. Of two under one nonce the later counts: the hub had
/// forgotten the other.
fn receipts(
    connection: &Connection,
    client: ClientId,
    batches: &[Arc<Batch>],
    position: Position,
) -> Result<Vec<Receipt>, rusqlite::Error> {
    let of_client = |kept: &hub::Kept| {
        let signed = kept.record.fact.signature().filter(|signed| signed.client == client)?;
        let (nonce, verb) = (signed.nonce.clone()?, kept.record.fact.verb()?);
        let (room, sequence, position) = (kept.room, kept.sequence, kept.record.position);
        Some(Receipt { nonce, verb, room, sequence, position })
    };
    let mut newest: Vec<Receipt> = unwritten::facts(batches, position).filter_map(of_client).collect();
    newest.reverse();
    let mut statement = connection.prepare_cached(
        "SELECT n.nonce, f.id, n.position, f.kind FROM nonces n JOIN facts f ON f.id = n.fact
         WHERE n.client = ?1 ORDER BY n.position DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![&client.0[..], NONCES_KEPT])?;
    while let Some(row) = rows.next()? {
        newest.extend(receipt(row)?);
    }
    let mut seen = BTreeSet::new();
    newest.retain(|receipt| seen.insert(receipt.nonce.clone()));
    newest.truncate(NONCES_KEPT as usize);
    newest.reverse();
    Ok(newest)
}

/// `None` if the row makes no sense.
fn receipt(row: &rusqlite::Row<'_>) -> Result<Option<Receipt>, rusqlite::Error> {
    let nonce = row.get_ref(0)?.as_str().ok().and_then(Nonce::new);
    let fact = FactId::from_number(row.get(1)?);
    let position = u64::try_from(row.get::<_, i64>(2)?).ok().map(Position);
    let verb = Kind::from_number(row.get(3)?).and_then(Kind::verb);
    let (Some(nonce), Some(fact), Some(position), Some(verb)) = (nonce, fact, position, verb) else {
        return Ok(None);
    };
    Ok(Some(Receipt { nonce, verb, room: fact.room(), sequence: fact.sequence(), position }))
}

fn authorship(
    connection: &Connection,
    room: RoomNumber,
    target: Sequence,
    batches: &[Arc<Batch>],
    written: Position,
) -> Result<Authorship, rusqlite::Error> {
    let unwritten = Unwritten::of(room, batches, written);
    if unwritten.change(target) == Some(Change::Erased) {
        return Ok(Authorship::Nothing);
    }
    let author = |row: &Row<'_>| {
        let is_there = row.kind.is_said() && row.text.is_some();
        if is_there { Authorship::Client(row.client) } else { Authorship::Nothing }
    };
    if let [row] = unwritten.rows(target, target) {
        return Ok(author(row));
    }
    let Some(id) = FactId::new(room, target) else { return Ok(Authorship::Nothing) };
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM facts WHERE id = ?1"))?;
    let found = statement
        .query_row([id.number()], |row| Ok(Row::read(row)?.map_or(Authorship::Nothing, |row| author(&row))));
    Ok(found.optional()?.unwrap_or(Authorship::Nothing))
}
