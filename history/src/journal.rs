//! The journal: opens the data file, commits batches, and tells at the start what was kept.
//!
//! Where it stands: behind the hub's thread, on a thread of its own. A receipt leaves only when [`Journal::commit`] has
//! returned.
//!
//! What this file must never do: call something durable that the disk has not confirmed, or that stands in a file which has
//! been deleted or replaced.
//!
//! **What a commit is.** The data file has a log beside it (<https://sqlite.org/wal.html>). A commit appends frames to it,
//! the last of them marked, each with a checksum over everything before it, and with `synchronous = FULL` syncs it: "an
//! additional sync operation of the WAL file happens after each transaction commit"
//! (<https://sqlite.org/pragma.html#pragma_synchronous>). After a crash the log counts up to the last mark with a right
//! checksum (<https://sqlite.org/fileformat2.html>, 4.1). Now and then it is copied into the data file, and begun anew when
//! the copy is synced.
//!
//! **When a commit fails**, nobody knows what the disk has. SQLite takes the transaction back as far as this connection
//! goes; but its frames, with the mark, may stand in the log, and who opens it anew would take them for committed. And the
//! system reports a failed write once: after that, its cache calls the same pages written, and the next sync succeeds
//! although the disk never got them. So after any error the connection is dropped. Before the next try the log is written over
//! itself and synced ([`settle_log`](crate::directory::settle_log)), the file is opened anew, and it says up to which position it is
//! written. What of the batch stands there already, stands there durably now and is not written again; the rest is. A copy of the log
//! into the data file that fails does no harm: SQLite does not count it, keeps the log and copies all of it again.

use crate::batch::Batch;
use crate::directory::{self, Files, Found, Sync};
use crate::error::{Cause, CommitError, OpenError};
use crate::index::{self, Behind};
use crate::restore;
use crate::schema;
use crate::write::{self, Erasure, NonceCounts};
use hub::{Epoch, Position, Reservation, RoomNumber, Snapshot};
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many facts are indexed in one slice: a few milliseconds, which a commit that comes meanwhile waits.
const INDEXED_TOGETHER: u32 = 128;

/// How the journal is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Whether a commit waits for the disk.
    pub durability: Sync,
    /// Random bits: a new file's epoch is made of them.
    pub epoch_bits: u64,
    /// The data file may have so many bytes, to a page of 8 KiB; then it counts as full.
    pub bytes_max: Option<u64>,
}

/// What was kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// Of the data file.
    pub epoch: Epoch,
    /// What the hub is restored from.
    pub snapshot: Snapshot,
    /// What was put aside with the last commit.
    pub reservation: Reservation,
    /// How it ended.
    pub ended: Ended,
}

/// How the last server on this file ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// In order, or there was none.
    Cleanly,
    /// By a crash, a kill or a power cut.
    Abruptly,
}

/// Whether there is more to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remaining {
    /// No.
    Nothing,
    /// Yes: call again a while later.
    Something,
}

/// The journal of one data directory, which nobody else can open as long as this lives.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    options: Options,
    epoch: Epoch,
    /// `None` after an error.
    connection: Option<Connection>,
    /// What was opened, as long as it bears the names by which it can be found again.
    files: Files,
    /// Everything up to this position is in the file, as far as is known.
    written: Position,
    nonces: NonceCounts,
    /// Whether something that was erased may still stand in the log.
    in_log: Erasure,
    /// The next room of which the oldest facts are looked at.
    pub(crate) forget_next: RoomNumber,
    /// Given back last.
    _lock: File,
}

impl Journal {
    /// Opens the data file in this directory; makes both if there are none.
    ///
    /// # Errors
    /// The directory cannot be used or is in use; the file is not ours, newer, damaged, or cannot be opened.
    pub fn open(directory: &Path, options: &Options) -> Result<(Journal, Restored), OpenError> {
        let lock = directory::take(directory)?;
        let file = directory::file_in(directory);
        let file_error = |error| OpenError::Unusable { file: file.clone(), cause: Cause::File(error) };
        match directory::look(directory)? {
            Found::Nothing => directory::make(directory).map_err(file_error)?,
            Found::Ours => settle(directory, options).map_err(file_error)?,
        }
        let (connection, restored, written) =
            open(directory, options).map_err(|error| error.into_open(&file))?;
        let exchanged = || OpenError::Unusable { file: file.clone(), cause: Cause::Exchanged };
        let files = directory::files_in(directory).map_err(file_error)?.ok_or_else(exchanged)?;
        let journal = Journal {
            directory: directory.to_owned(),
            options: *options,
            epoch: restored.epoch,
            connection: Some(connection),
            files,
            written,
            nonces: NonceCounts::default(),
            // What was erased before a crash may be there.
            in_log: match restored.ended {
                Ended::Cleanly => Erasure::Nothing,
                Ended::Abruptly => Erasure::Something,
            },
            forget_next: RoomNumber(0),
            _lock: lock,
        };
        Ok((journal, restored))
    }

    /// Of the data file.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Writes a batch. When this returns, all of it is durable (unless [`Sync::Off`] was asked for).
    ///
    /// # Errors
    /// It may not be. Commit the same batch again later: what of it is in the file by then is not written twice.
    pub fn commit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        self.commit_together(&[batch])
    }

    /// Writes batches that follow each other with one commit.
    ///
    /// # Errors
    /// As [`Journal::commit`].
    pub fn commit_together(&mut self, batches: &[&Batch]) -> Result<(), CommitError> {
        let Some(last) = batches.last() else { return Ok(()) };
        let erasure =
            self.try_with(|connection, written, nonces| write::write(connection, batches, written, nonces))?;
        self.written = self.written.max(last.position);
        if erasure == Erasure::Something {
            self.in_log = Erasure::Something;
        }
        // The batch is durable; whether the log could be emptied is asked again.
        let _log_not_empty_yet = self.tidy();
        Ok(())
    }

    /// Sees to it that what was erased is in no file any more. To be called now and then as long as something remains to be done;
    /// it costs nothing when there is nothing to do.
    ///
    /// # Errors
    /// The disk does not allow it; what was erased cannot be read by anybody here, but may still stand in the log.
    pub fn tidy(&mut self) -> Result<Remaining, CommitError> {
        if self.in_log == Erasure::Nothing {
            return Ok(Remaining::Nothing);
        }
        if self.try_with(|connection, _, _| empty_log(connection))? == Remaining::Nothing {
            self.in_log = Erasure::Nothing;
            return Ok(Remaining::Nothing);
        }
        Ok(Remaining::Something)
    }

    /// Brings the index of words a little nearer to what is written. To be called when there is nothing to commit, as long as
    /// something remains.
    ///
    /// # Errors
    /// The index is where it was; searches are slower, and find everything.
    pub fn index_some(&mut self) -> Result<Remaining, CommitError> {
        let indexed =
            self.try_with(|connection, _, _| Ok(index::index_some(connection, INDEXED_TOGETHER)?))?;
        Ok(match indexed.rest {
            Behind::Nothing => Remaining::Nothing,
            Behind::Some => Remaining::Something,
        })
    }

    /// Writes down that the server stopped in order, and exactly what numbers it used. Everything must have been committed before.
    ///
    /// # Errors
    /// It counts as a crash then, and nothing else is lost.
    pub fn finish(mut self, reservation: &Reservation) -> Result<(), CommitError> {
        // What waits for nothing while the server runs, waits once at its end.
        self.options.durability = Sync::Full;
        self.try_with(|connection, _, _| {
            connection.pragma_update(None, "synchronous", "FULL")?;
            write::write_end(connection, reservation)?;
            empty_log(connection).map(|_| ())
        })
    }

    /// Sets how large the data file may be, from now on.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_bytes_max(&mut self, bytes_max: Option<u64>) -> Result<(), CommitError> {
        self.options.bytes_max = bytes_max;
        self.try_with(|connection, _, _| Ok(directory::bound(connection, bytes_max)?))
    }

    /// Does something with the connection; after an error it is not used again. It is an error, too, if what was written to
    /// is not the data file any more: nobody would find it again.
    pub(crate) fn try_with<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, Position, &mut NonceCounts) -> Result<T, CommitError>,
    ) -> Result<T, CommitError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.open_anew()?,
        };
        let done = work(&mut connection, self.written, &mut self.nonces)?;
        if directory::files_in(&self.directory)? != Some(self.files) {
            return Err(Cause::Exchanged.into());
        }
        self.connection = Some(connection);
        Ok(done)
    }

    /// Says that something was erased that may stand in the log.
    pub(crate) fn erased(&mut self) {
        self.in_log = Erasure::Something;
    }

    fn open_anew(&mut self) -> Result<Connection, CommitError> {
        // Another file may be in use by somebody else: not even its log may be touched.
        if !directory::is_there(&self.directory, &self.files)? {
            return Err(Cause::Exchanged.into());
        }
        settle(&self.directory, &self.options)?;
        let connection =
            directory::connect(&self.directory, self.options.durability, self.options.bytes_max)?;
        let server = restore::server(&connection)?;
        if server.epoch != self.epoch || server.written < self.written {
            return Err(Cause::Exchanged.into());
        }
        self.written = server.written;
        // The log may be a new one: whoever closes a file last takes it away.
        self.files = directory::files_in(&self.directory)?.ok_or(Cause::Exchanged)?;
        Ok(connection)
    }
}

fn settle(directory: &Path, options: &Options) -> std::io::Result<()> {
    match options.durability {
        Sync::Full => directory::settle_log(directory),
        Sync::Off => Ok(()),
    }
}

fn open(
    directory: &Path,
    options: &Options,
) -> Result<(Connection, Restored, Position), restore::RestoreError> {
    let mut connection = directory::connect(directory, options.durability, options.bytes_max)?;
    restore::check(directory, &connection)?;
    schema::migrate(&mut connection, Epoch::new(options.epoch_bits))?;
    let (restored, written) = restore::read(&connection)?;
    Ok((connection, restored, written))
}

/// Copies all of the log into the data file and cuts it to nothing, unless a reader still needs it. It waits for none.
fn empty_log(connection: &Connection) -> Result<Remaining, CommitError> {
    connection.busy_timeout(Duration::ZERO)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get::<_, i64>(0));
    connection.busy_timeout(directory::BUSY)?;
    match busy {
        Ok(0) => Ok(Remaining::Nothing),
        Ok(_) => Ok(Remaining::Something),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Ok(Remaining::Something)
        }
        Err(error) => Err(error.into()),
    }
}
