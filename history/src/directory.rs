//! The data directory: who may use it, the data file in it, and how SQLite is set up for that.
//!
//! Where it stands: below the journal, which holds the directory as long as it lives, and the readers, which only know the
//! file.
//!
//! What this file must never do: change a file that is not ours, or open the data file by any other way than SQLite while a
//! connection to it may be open in this process: closing any descriptor of a file drops all locks of `fcntl` that the
//! process has on it, those of SQLite included. (The log beside it is never locked.)

use crate::error::OpenError;
use crate::schema::{APPLICATION_ID, MIGRATIONS};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DATA: &str = "roomful.db";
const LOG: &str = "roomful.db-wal";
const LOCK: &str = "roomful.lock";

/// What every data file of SQLite begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The header of a data file has so many bytes; two numbers in it are ours, at these places
/// (<https://sqlite.org/fileformat2.html>, 1.3).
const HEADER_BYTES: usize = 100;
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// Somebody may look into the file with a shell of their own: we wait so long for them. A page of history is waited for by
/// somebody, so it takes no longer either.
pub(crate) const BUSY: Duration = Duration::from_secs(5);
/// The size of a page of a new data file. Larger ones take fewer calls and fewer steps down the tree for many facts; a commit of
/// a single fact writes four pages, whatever their size.
const PAGE_BYTES: i64 = 8 * 1024;
/// The log is copied into the data file when it has so many pages, and is cut to this length when it is begun anew. The more
/// pages, the more of them are changed several times and copied once; all of them are gone through at the start after a
/// crash.
const LOG_PAGES: i64 = 2_048;
const LOG_BYTES_MAX: i64 = 2 * LOG_PAGES * PAGE_BYTES;
/// Pages that a connection keeps in memory: what is written stands at the ends of rooms, what is read is mostly that, too;
/// the system's own cache has the rest.
const CACHE_KIB: i64 = 4 * 1024;

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sync {
    /// It does: what was committed survives a power cut.
    #[default]
    Full,
    /// It does not: what was committed survives the end of the process, but not that of the system, which may even damage
    /// the file.
    Off,
}

/// Which files bear the names of the data file and its log: device and number of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Files {
    data: (u64, u64),
    log: (u64, u64),
}

/// Which files these are at the moment, `None` if one of them is not there. A file that is open can be deleted or replaced,
/// and whoever writes to it notices nothing, though nobody will ever find what is written. Asks without opening anything.
pub(crate) fn files_in(directory: &Path) -> io::Result<Option<Files>> {
    let (data, log) = (identity(directory, DATA)?, identity(directory, LOG)?);
    Ok(data.zip(log).map(|(data, log)| Files { data, log }))
}

/// Whether the data file is still this one, whatever its log is.
pub(crate) fn is_there(directory: &Path, files: &Files) -> io::Result<bool> {
    Ok(identity(directory, DATA)? == Some(files.data))
}

fn identity(directory: &Path, name: &str) -> io::Result<Option<(u64, u64)>> {
    match std::fs::metadata(directory.join(name)) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is told to people who ask for the data file, and to SQLite.
pub(crate) fn file_in(directory: &Path) -> PathBuf {
    directory.join(DATA)
}

/// Makes the directory, if there is none, for nobody but us, and takes it for this process.
pub(crate) fn take(directory: &Path) -> Result<File, OpenError> {
    let unusable = |error| OpenError::NoDirectory(directory.to_owned(), error);
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut lock = options.open(directory.join(LOCK)).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let process = process_in(&mut lock);
            return Err(OpenError::InUse { directory: directory.to_owned(), process });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
    }
    let write = |lock: &mut File| {
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "{}", std::process::id())
    };
    // Only for people: that nobody can be told who has it is no reason not to have it.
    let _on_a_full_disk = write(&mut lock);
    Ok(lock)
}

fn process_in(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// What lies where the data file belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// Nothing yet.
    Nothing,
    /// A file of this version of the schema, or one that is not finished.
    Ours,
}

/// Looks at the header of what is there, without SQLite, which would put its own files beside a file that is not ours.
pub(crate) fn look(directory: &Path) -> Result<Found, OpenError> {
    let file = file_in(directory);
    let mut header = [0; HEADER_BYTES];
    match File::open(&file).and_then(|mut opened| read_up_to(&mut opened, &mut header)) {
        // A crash in the middle of making it leaves nothing or zeros; SQLite's own journal beside it knows that.
        Ok(bytes) if header[..bytes].iter().all(|byte| *byte == 0) => return Ok(Found::Nothing),
        Ok(HEADER_BYTES) => {}
        Ok(_) => return Err(OpenError::Foreign(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(OpenError::Unusable { file, cause: crate::Cause::File(error) }),
    }
    let number = |at: usize| {
        header[at..at + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)).cast_signed()
    };
    if !header.starts_with(MAGIC) || number(APPLICATION_AT) != APPLICATION_ID {
        return Err(OpenError::Foreign(file));
    }
    check_version(file, number(VERSION_AT)).map(|()| Found::Ours)
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            bytes => filled += bytes,
        }
    }
    Ok(filled)
}

/// Whether this version of the program knows this version of the file.
pub(crate) fn check_version(file: PathBuf, version: i32) -> Result<(), OpenError> {
    let is_known = usize::try_from(version).is_ok_and(|version| version <= MIGRATIONS.len());
    if is_known { Ok(()) } else { Err(OpenError::Newer(file)) }
}

/// Makes an empty file that only we may read, and lets the directory remember it: SQLite would make one that everybody may.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    drop(options.write(true).create(true).truncate(false).mode(0o600).open(file_in(directory))?);
    File::open(directory)?.sync_all()?;
    // Without a parent that may be read there is nothing to be done.
    if let Some(Ok(parent)) = directory.parent().map(File::open) {
        parent.sync_all()?;
    }
    Ok(())
}

/// Writes the log over itself and waits for the disk. Only with no connection of this process that writes.
///
/// When the system has reported to somebody that it could not write a page, it takes that page for written: the next sync
/// succeeds, and what is read is what was meant to be written, but it is not on the disk. SQLite, which opens the log anew,
/// would find a whole transaction in it, by its checksums, and take it for committed. Nor does it sync a log that it finds
/// after a kill. So before anything in it counts, every byte of it is made dirty again and synced. The bytes are the same, so
/// it does no harm to readers, nor if it is cut off.
pub(crate) fn settle_log(directory: &Path) -> io::Result<()> {
    let mut log = match OpenOptions::new().read(true).write(true).open(directory.join(LOG)) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut buffer = vec![0; 1 << 18];
    let mut place = 0;
    loop {
        log.seek(SeekFrom::Start(place))?;
        let bytes = read_up_to(&mut log, &mut buffer)?;
        if bytes == 0 {
            break;
        }
        log.seek(SeekFrom::Start(place))?;
        log.write_all(&buffer[..bytes])?;
        place += bytes as u64;
    }
    log.sync_all()
}

/// A connection that writes.
pub(crate) fn connect(
    directory: &Path,
    sync: Sync,
    bytes_max: Option<u64>,
) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file_in(directory), flags)?;
    connection.busy_timeout(BUSY)?;
    // What is overwritten or deleted becomes zeros, so that what was erased is in no free page.
    connection.pragma_update(None, "secure_delete", true)?;
    // Of a new file; one that has pages already keeps theirs.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    bound(&connection, bytes_max)?;
    let sync = match sync {
        // With a log, FULL syncs it at every commit; NORMAL only when it is copied, and a power cut could undo commits.
        Sync::Full => "FULL",
        Sync::Off => "OFF",
    };
    connection.pragma_update(None, "synchronous", sync)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    set_up(&connection)?;
    Ok(connection)
}

/// Sets how large the data file may be, to a page; what it has already, stays.
pub(crate) fn bound(connection: &Connection, bytes_max: Option<u64>) -> Result<(), rusqlite::Error> {
    // SQLite's own bound, if there is none.
    let mut pages_max = u32::MAX - 1;
    if let Some(bytes_max) = bytes_max {
        let page_bytes: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = bytes_max / u64::from(page_bytes.max(1));
        pages_max = u32::try_from(pages).unwrap_or(pages_max).clamp(1, pages_max);
    }
    connection.pragma_update_and_check(None, "max_page_count", pages_max, |_| Ok(()))
}

/// A connection that only reads.
fn connect_to_read(directory: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file_in(directory), flags)?;
    connection.busy_timeout(BUSY)?;
    set_up(&connection)?;
    Ok(connection)
}

/// A connection to a data file of ours that only reads, whatever version the file is of, as long as this program knows that.
///
/// # Errors
/// There is no file, or it is not ours, newer, damaged, or cannot be opened.
pub(crate) fn connect_to_look(directory: &Path) -> Result<Connection, OpenError> {
    let file = file_in(directory);
    if !file.exists() {
        return Err(OpenError::NoFile(file));
    }
    let error = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly) => OpenError::NotWritable(file.clone()),
        Some(ErrorCode::NotADatabase) => OpenError::Foreign(file.clone()),
        _ => OpenError::of(file.clone(), error),
    };
    let connection = connect_to_read(directory).map_err(error)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if pragma("application_id").map_err(error)? != APPLICATION_ID {
        return Err(OpenError::Foreign(file));
    }
    check_version(file.clone(), pragma("user_version").map_err(error)?)?;
    Ok(connection)
}

/// What holds for both. No memory is mapped (that is SQLite's default): an error of the disk would be a signal that ends the
/// process, instead of an error.
fn set_up(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // What is sorted is text, too, and belongs into no other file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The file may come from anybody: nothing in it may call functions that do more than compute, and cells are looked at
    // before they are used.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}
