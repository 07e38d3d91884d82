//! Why the data cannot be opened, written or read; in words for the operator.
//!
//! Where it stands: every public function of this crate that can fail does so with one of these. The hub is told a
//! [`Trouble`] and nothing else.
//!
//! What this file must never do: show anything that was said.

use hub::Trouble;
use rusqlite::ErrorCode;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a data directory cannot be used.
#[derive(Debug)]
pub enum OpenError {
    /// The directory is not there and cannot be made, or is no directory.
    NoDirectory(PathBuf, io::Error),
    /// Another process has it.
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The other process, if it has written down which one it is.
        process: Option<u32>,
    },
    /// There is no data file to be read.
    NoFile(PathBuf),
    /// The data file is something else, and has been left alone.
    Foreign(PathBuf),
    /// Reading needs an index of the log beside the file, and none may be made there.
    NotWritable(PathBuf),
    /// The data file was made by a newer version, and has been left alone.
    Newer(PathBuf),
    /// The data file was made by an older version; only a server makes it new.
    Older(PathBuf),
    /// What is in the data file makes no sense.
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found.
        cause: Cause,
    },
    /// The data file cannot be opened.
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: Cause,
    },
}

/// A batch is not durable. Nothing of it is in the file, or all of it may be; either way it can be committed again.
#[derive(Debug)]
pub struct CommitError {
    /// What people are told.
    pub trouble: Trouble,
    /// What the operator is told.
    pub cause: Cause,
}

/// What was kept cannot be read at the moment.
#[derive(Debug)]
pub struct ReadError(pub rusqlite::Error);

/// What stands behind an error.
#[derive(Debug)]
pub enum Cause {
    /// SQLite says so.
    Database(rusqlite::Error),
    /// The system says so.
    File(io::Error),
    /// A number is too large for the file: a room has 2^32 facts, or there are 2^31 rooms.
    OutOfNumbers,
    /// Something that this version cannot have written: what it is.
    Senseless(&'static str),
    /// There is another file than the one that was opened, or none.
    Exchanged,
}

impl OpenError {
    /// What SQLite said when it opened or read a data file.
    pub(crate) fn of(file: PathBuf, error: rusqlite::Error) -> OpenError {
        let is_damage = is_damage(&error);
        let cause = Cause::Database(error);
        if is_damage { OpenError::Damaged { file, cause } } else { OpenError::Unusable { file, cause } }
    }
}

/// Whether what SQLite says is about what stands in the file, not about the system or another process.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    // Without a code or a known one: a table or column that is not there, a value of another type. This version wrote it
    // otherwise.
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) | None
    )
}

impl From<rusqlite::Error> for CommitError {
    fn from(error: rusqlite::Error) -> CommitError {
        CommitError { trouble: trouble_of(&error), cause: Cause::Database(error) }
    }
}

impl From<io::Error> for CommitError {
    fn from(error: io::Error) -> CommitError {
        let trouble = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
            io::ErrorKind::NotFound => Trouble::Gone,
            _ => Trouble::Failing,
        };
        CommitError { trouble, cause: Cause::File(error) }
    }
}

impl From<Cause> for CommitError {
    fn from(cause: Cause) -> CommitError {
        let trouble = match cause {
            Cause::Exchanged => Trouble::Gone,
            _ => Trouble::Failing,
        };
        CommitError { trouble, cause }
    }
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        ReadError(error)
    }
}

fn trouble_of(error: &rusqlite::Error) -> Trouble {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return Trouble::Failing };
    match failure.code {
        ErrorCode::DiskFull => Trouble::Full,
        // The index of the log in shared memory is made larger by writing to it. SQLite says no more than that it could not;
        // nearly always there is no free block.
        _ if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Trouble::Full,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Trouble::ReadOnly,
        _ => Trouble::Failing,
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::NoDirectory(directory, error) => {
                write!(f, "{} cannot be used as data directory: {error}", directory.display())
            }
            OpenError::InUse { directory, process: Some(process) } => {
                write!(f, "{} is in use by another roomful (process {process})", directory.display())
            }
            OpenError::InUse { directory, process: None } => {
                write!(f, "{} is in use by another roomful", directory.display())
            }
            OpenError::NoFile(file) => {
                write!(f, "there is no {}; name the data directory of a roomful", file.display())
            }
            OpenError::Foreign(file) => write!(
                f,
                "{} is no data file of roomful, or its beginning is damaged; it has been left as it is",
                file.display()
            ),
            OpenError::NotWritable(file) => write!(
                f,
                "{} lies in a directory in which you may not write, and cannot be read there; be the user of the \
                 server, or copy the directory",
                file.display()
            ),
            OpenError::Newer(file) => {
                write!(f, "{} was made by a newer roomful; use that", file.display())
            }
            OpenError::Older(file) => {
                write!(f, "{} was made by an older roomful; start the server with it once", file.display())
            }
            OpenError::Damaged { file, cause } => {
                write!(f, "{} is damaged ({cause}): roomful check tells more", file.display())
            }
            OpenError::Unusable { file, cause } => {
                write!(f, "{} cannot be opened: {cause}", file.display())
            }
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it cannot be written down, because {}: {}", self.trouble, self.cause)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it cannot be read: {}", self.0)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Database(error) => error.fmt(f),
            Cause::File(error) => error.fmt(f),
            Cause::OutOfNumbers => write!(f, "a room's number or a sequence is too large for the data file"),
            Cause::Senseless(what) => write!(f, "{what} makes no sense"),
            Cause::Exchanged => {
                write!(f, "the data file or its log has been deleted, or exchanged for another")
            }
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OpenError::NoDirectory(_, error) => Some(error),
            OpenError::Damaged { cause, .. } | OpenError::Unusable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Cause::Database(error) => Some(error),
            Cause::File(error) => Some(error),
            Cause::OutOfNumbers | Cause::Senseless(_) | Cause::Exchanged => None,
        }
    }
}
