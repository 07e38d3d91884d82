//! Backups: a copy of the data file as it is at one moment, beside a running server, that is itself a data file.
//!
//! Where it stands: beside the journal, which it neither stops nor slows down but by what the disk has to do: SQLite's online
//! backup (<https://sqlite.org/backup.html>) reads one moment of the file, which the log beside it keeps apart from what is
//! written meanwhile.
//!
//! What this file must never do: overwrite anything, or leave a file under the backup's name that is not whole and checked.

use crate::directory;
use crate::error::{Cause, OpenError};
use jiff::civil::DateTime;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::error::Error;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::{TempDir, TempPath};

/// So many pages, a mebibyte, are copied between two looks at whether to go on.
const STEP_PAGES: i32 = 128;
/// Somebody who changes the file without its log is waited for so long between two tries.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// How far a backup is, in pages of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Copied.
    pub done: u32,
    /// In all.
    pub all: u32,
}

/// Why there is no backup. Nothing of it is left.
#[derive(Debug)]
pub enum BackupError {
    /// The data file cannot be opened.
    Open(OpenError),
    /// There is such a file already, and it has been left as it is.
    Exists(PathBuf),
    /// No file can be made there.
    NoPlace(PathBuf, io::Error),
    /// It could not be copied to there.
    Copy(PathBuf, Cause),
    /// What was copied is damaged, because the data file is: this is what SQLite says.
    Unsound(PathBuf, String),
    /// Whoever asked for it did not want it any more.
    Interrupted,
}

/// Copies the data file in this directory to a new file, as it is at this moment, checks the copy and waits until the disk has
/// it. Where a directory is named, the file is made in it and called after the time, `roomful-20261120-180500.db`. Between two steps
/// `go_on` is asked; it may break off. Gives the file and its length in bytes.
///
/// Only its owner may read the file. It needs no log beside it. With the name `roomful.db` it is the data file of a directory of its own.
///
/// # Errors
/// Nothing is left of it then.
pub fn backup(
    directory: &Path,
    to: &Path,
    now: DateTime,
    go_on: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<(PathBuf, u64), BackupError> {
    let to = if to.is_dir() { to.join(name(now)) } else { to.to_owned() };
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to));
    }
    let source = directory::connect_to_look(directory).map_err(BackupError::Open)?;
    let no_place = |error| BackupError::NoPlace(to.clone(), error);
    let parent = match to.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // SQLite may put files of its own beside the one it writes; in a directory of their own all of them go together.
    let workshop = workshop(parent).map_err(no_place)?;
    let copy = workshop.path().join("roomful.db");
    drop(new_file(&copy).map_err(no_place)?);
    write(source, &copy, &to, go_on)?;
    let bytes = sync(&copy).map_err(|error| BackupError::Copy(to.clone(), Cause::File(error)))?;
    publish(copy, &to)?;
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(no_place)?;
    Ok((to, bytes))
}

fn name(now: DateTime) -> String {
    format!("roomful-{}.db", now.strftime("%Y%m%d-%H%M%S"))
}

/// A directory that is gone in the end, on the disk where the backup will be.
fn workshop(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("roomful-backup-").suffix(".part").tempdir_in(parent)
}

fn new_file(file: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

fn write(
    mut source: Connection,
    copy: &Path,
    to: &Path,
    go_on: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<(), BackupError> {
    let failed = |error| BackupError::Copy(to.to_owned(), Cause::Database(error));
    let mut target = Connection::open(copy).map_err(failed)?;
    set_up(&target).map_err(failed)?;
    // One moment of the file: without it the copy would have to be begun anew whenever something is written.
    let moment = source.transaction().map_err(failed)?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(())).map_err(failed)?;
    match copy_all(&moment, &mut target, go_on).map_err(failed)? {
        ControlFlow::Continue(()) => {}
        ControlFlow::Break(()) => return Err(BackupError::Interrupted),
    }
    drop(moment);
    // A file without a log can also be read where nothing may be written. The server gives it one again.
    target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(failed)?;
    let verdict: String = target.query_row("PRAGMA quick_check(1)", (), |row| row.get(0)).map_err(failed)?;
    if verdict != "ok" {
        return Err(BackupError::Unsound(to.to_owned(), verdict));
    }
    target.close().map_err(|(_, error)| failed(error))
}

/// Nobody else has the copy, and it is gone if anything fails: it needs no locks, no journal and no sync but the last.
fn set_up(target: &Connection) -> Result<(), rusqlite::Error> {
    target.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update(None, "trusted_schema", false)?;
    target.pragma_update(None, "cell_size_check", true)
}

fn copy_all(
    source: &Connection,
    target: &mut Connection,
    mut go_on: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, rusqlite::Error> {
    let backup = Backup::new(source, target)?;
    loop {
        match backup.step(STEP_PAGES)? {
            StepResult::Done => return Ok(ControlFlow::Continue(())),
            StepResult::More => {}
            _ => std::thread::sleep(BUSY_PAUSE),
        }
        let progress = backup.progress();
        let [all, remaining] = [progress.pagecount, progress.remaining].map(|pages| pages.max(0) as u32);
        if go_on(Progress { done: all.saturating_sub(remaining), all }).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

fn sync(copy: &Path) -> io::Result<u64> {
    let file = File::open(copy)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// Gives the copy its name, unless somebody else has taken that meanwhile.
fn publish(copy: PathBuf, to: &Path) -> Result<(), BackupError> {
    let no_place = |error| BackupError::NoPlace(to.to_owned(), error);
    let copy = TempPath::try_from_path(copy).map_err(no_place)?;
    copy.persist_noclobber(to).map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => no_place(failed.error),
    })
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackupError::Open(error) => error.fmt(f),
            BackupError::Exists(to) => {
                write!(f, "{} is there already; name a new file, or a directory", to.display())
            }
            BackupError::NoPlace(to, error) => write!(f, "{} cannot be made: {error}", to.display()),
            BackupError::Copy(to, cause) => {
                write!(f, "the data could not be copied to {}: {cause}", to.display())
            }
            BackupError::Unsound(to, verdict) => write!(
                f,
                "{} was not made, because the data file is damaged: {verdict}; roomful check tells more",
                to.display()
            ),
            BackupError::Interrupted => write!(f, "the backup was broken off; nothing of it is left"),
        }
    }
}

/// What stands behind it is in its words.
impl Error for BackupError {}
