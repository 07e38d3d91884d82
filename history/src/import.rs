//! Imports: an export in JSON becomes a room, all of it or nothing.
//!
//! Where it stands: in place of a server, with its lock on the data directory. Line after line is read, understood, checked
//! against those before it and written, in one transaction.
//!
//! What this file must never do: trust a line, hold more than one, add to a room in which somebody has said something, or make
//! anybody the owner of what was said elsewhere.
//!
//! Numbers and times stay; the ids of messages do not, because they begin with the epoch of the data file. What is missing between
//! two numbers is recorded as lost.

mod lines;
mod log;
mod objects;

use crate::error::{CommitError, OpenError};
use crate::journal::{Journal, Options};
use crate::write;
use hub::{RoomName, RoomNumber};
use lines::Lines;
use log::Log;
use objects::Head;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use std::error::Error;
use std::fmt;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::path::Path;

/// After so many lines it is asked whether to go on.
const LINES_BETWEEN_LOOKS: u64 = 1_000;

/// What was imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The room's name.
    pub room: String,
    /// How many messages are in it, those included that were erased.
    pub messages: u64,
    /// How many of its numbers were missing, and are recorded as lost.
    pub lost: u64,
}

/// Why nothing was imported.
#[derive(Debug)]
pub enum ImportError {
    /// The data directory cannot be used; most often because its server is running.
    Open(OpenError),
    /// What is to be imported cannot be read.
    Read(io::Error),
    /// A line is not what it should be.
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// In this room something has been said.
    Taken(String),
    /// It cannot be written down.
    Write(CommitError),
    /// Whoever asked for it did not want it any more.
    Interrupted,
}

/// Reads an export in JSON into a room of its own, which is called by `name`, or as it was called where it comes from. Between some
/// lines `go_on` is told how many have been read; it may break off. The index of words follows when the server is started.
///
/// # Errors
/// Nothing has been imported then.
pub fn import(
    directory: &Path,
    options: &Options,
    source: &mut dyn BufRead,
    name: Option<&RoomName>,
    go_on: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Imported, ImportError> {
    let mut lines = Lines::new(source);
    // Before anything is touched: it may be any file.
    let head = Head::read(&mut lines)?;
    let name = match name {
        Some(name) => name.clone(),
        None => head.name.clone(),
    };
    let (mut journal, _) = Journal::open(directory, options).map_err(ImportError::Open)?;
    let written = journal.try_with(|connection, _, _| Ok(write(connection, &mut lines, head, &name, go_on)));
    written.map_err(ImportError::Write)?
}

fn write(
    connection: &mut Connection,
    lines: &mut Lines<'_>,
    head: Head,
    name: &RoomName,
    mut go_on: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Imported, ImportError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    clear(&transaction, name)?;
    let mut log = Log::open(&transaction, name, head)?;
    while let Some(object) = objects::next(lines)? {
        log.take(object).map_err(|what| what.at(lines))?;
        if lines.number().is_multiple_of(LINES_BETWEEN_LOOKS) && go_on(lines.number()).is_break() {
            return Err(ImportError::Interrupted);
        }
    }
    let imported = log.finish(lines)?;
    transaction.commit()?;
    Ok(imported)
}

/// Makes room for the name: a room in which nothing was ever said, as that of a server that was just tried out, gives way.
fn clear(connection: &Connection, name: &RoomName) -> Result<(), ImportError> {
    let found = connection
        .query_row("SELECT number FROM rooms WHERE key = ?1", [&name.key], |row| row.get(0))
        .optional()?;
    let Some(number) = found.map(RoomNumber) else { return Ok(()) };
    // Its opening and what a crash lost are nothing that anybody said.
    let is_empty: bool = connection.query_row(
        "SELECT topic IS NULL AND forgotten = 0 AND NOT EXISTS
             (SELECT 1 FROM facts WHERE id BETWEEN number << 32 AND (number + 1 << 32) - 1 AND kind NOT IN (1, 8))
         FROM rooms WHERE number = ?1",
        [number.0],
        |row| row.get(0),
    )?;
    if !is_empty {
        return Err(ImportError::Taken(name.shown.to_string()));
    }
    Ok(write::close(connection, number)?)
}

impl From<rusqlite::Error> for ImportError {
    fn from(error: rusqlite::Error) -> ImportError {
        ImportError::Write(error.into())
    }
}

impl From<CommitError> for ImportError {
    fn from(error: CommitError) -> ImportError {
        ImportError::Write(error)
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportError::Open(error @ OpenError::InUse { .. }) => {
                write!(f, "{error}; stop that while something is imported")
            }
            ImportError::Open(error) => error.fmt(f),
            ImportError::Read(error) => write!(f, "it cannot be read: {error}"),
            ImportError::Line { line, what } => write!(f, "line {line}: {what}"),
            ImportError::Taken(room) => {
                write!(f, "in #{room} something has been said already; name another room with --room")
            }
            ImportError::Write(error) => error.fmt(f),
            ImportError::Interrupted => write!(f, "the import was broken off"),
        }
    }
}

/// What stands behind it is in its words.
impl Error for ImportError {}
