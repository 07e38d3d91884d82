//! Checking: whether everything in a data file is as it was written, and fits together.
//!
//! Where it stands: beside a running server or without one; it reads one moment of the file, by a connection of its own, and
//! nobody waits for it. Called by `roomful check`, and by a server that was not stopped in order the last time.
//!
//! What this file must never do: change anything, hold more than a row in memory, or show what people said.
//!
//! What is checked: the structure of the file and of the index of words, by SQLite itself; the server's row and those of the
//! rooms; every fact, as it would be read; that no number between a room's first and last is missing unless it is recorded
//! as lost; that what was changed shows its last change, and that nothing remains of what was erased; and that nonces name facts.

mod facts;
mod rooms;

use crate::error::{OpenError, ReadError, is_damage};
use crate::reader::Reader;
use rusqlite::Connection;
use std::error::Error;
use std::fmt;
use std::path::Path;

/// So many findings are told; the rest is counted.
const FINDINGS_MAX: usize = 100;

/// Why a data file could not be checked; about the file itself it says nothing.
#[derive(Debug)]
pub enum CheckError {
    /// It could not be opened.
    Open(OpenError),
    /// It could not be read to its end.
    Read(ReadError),
}

/// Checks the data file in this directory, as it is at this moment, and gives what is wrong with it, in words for the operator: nothing if it is
/// sound.
///
/// # Errors
/// There is no data file of this version that could be checked, or the system does not let it be read.
pub fn check(directory: &Path) -> Result<Vec<String>, CheckError> {
    let reader = match Reader::open(directory) {
        Ok(reader) => reader,
        Err(OpenError::Damaged { cause, .. }) => {
            return Ok(vec![format!("the file cannot be read: {cause}")]);
        }
        Err(error) => return Err(CheckError::Open(error)),
    };
    // One moment of the file for all that is compared.
    let moment = reader.connection().unchecked_transaction().map_err(ReadError).map_err(CheckError::Read)?;
    let mut findings = Findings::default();
    let parts: [(&str, Part); 5] = [
        ("the file", structure),
        ("the server's row", rooms::server),
        ("a room's row", rooms::rooms),
        ("what was said", facts::facts),
        ("the nonces", facts::nonces),
    ];
    for (what, part) in parts {
        match part(&moment, &mut findings) {
            Ok(()) => {}
            Err(error) if is_damage(&error) => {
                findings.add(format!("{what} cannot be read any further: {error}"));
            }
            Err(error) => return Err(CheckError::Read(ReadError(error))),
        }
    }
    Ok(findings.told())
}

type Part = fn(&Connection, &mut Findings) -> Result<(), rusqlite::Error>;

/// What was found.
#[derive(Default)]
struct Findings {
    lines: Vec<String>,
    untold: u64,
}

impl Findings {
    fn add(&mut self, finding: String) {
        if self.lines.len() < FINDINGS_MAX {
            self.lines.push(finding);
        } else {
            self.untold += 1;
        }
    }

    fn told(mut self) -> Vec<String> {
        if self.untold > 0 {
            self.lines.push(format!("and {} more", self.untold));
        }
        self.lines
    }
}

/// What SQLite can tell: every page is where it belongs, once; rows are in order and of their types; the index of changes and
/// the index of words are what they should be (<https://sqlite.org/pragma.html#pragma_integrity_check>).
fn structure(connection: &Connection, findings: &mut Findings) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS_MAX})"))?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        for finding in line.lines().filter(|line| *line != "ok") {
            findings.add(format!("the file: {finding}"));
        }
    }
    Ok(())
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckError::Open(error) => error.fmt(f),
            CheckError::Read(error) => error.fmt(f),
        }
    }
}

/// What stands behind it is in its words.
impl Error for CheckError {}
