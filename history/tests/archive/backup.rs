//! Backups: whole or not there, beside whatever else happens to the file.

use super::*;
use history::{BackupError, backup, check};
use jiff::civil::{DateTime, datetime};
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;

const NOW: DateTime = datetime(2026, 11, 20, 18, 5, 0, 0);

fn to_its_end(_: history::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn empty_directory() -> Directory {
    let directory = Directory::new();
    fs::create_dir_all(directory.path()).unwrap();
    directory
}

#[test]
fn backup_is_the_data_file_of_another_directory() {
    let log = eventful();
    let (from, into) = (written(&log), empty_directory());
    let (file, bytes) = backup(from.path(), &into.file(), NOW, to_its_end).unwrap();
    assert_eq!((file.as_path(), bytes), (into.file().as_path(), fs::metadata(&file).unwrap().len()));
    assert_eq!(names(into.path()), ["roomful.db"]);
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    let [(one, there), (other, here)] = [from.path(), into.path()].map(restored);
    assert_eq!(here, there);
    assert_eq!(one.epoch(), other.epoch());
}

#[test]
fn backup_in_a_directory_is_called_after_the_time_and_only_its_owner_may_read_it() {
    let (from, into) = (written(&eventful()), empty_directory());
    let (file, _) = backup(from.path(), into.path(), NOW, to_its_end).unwrap();
    assert_eq!(file, into.path().join("roomful-20261120-180500.db"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = backup(from.path(), into.path(), NOW, to_its_end).unwrap_err();
    assert!(matches!(again, BackupError::Exists(_)), "{again}");
}

#[test]
fn file_that_is_there_is_left_as_it_is() {
    let (from, into) = (written(&eventful()), empty_directory());
    fs::write(into.file(), "mine").unwrap();
    let error = backup(from.path(), &into.file(), NOW, to_its_end).unwrap_err();
    assert!(error.to_string().ends_with("is there already; name a new file, or a directory"), "{error}");
    assert_eq!(fs::read(into.file()).unwrap(), b"mine");
    let itself = backup(from.path(), &from.file(), NOW, to_its_end).unwrap_err();
    assert!(matches!(itself, BackupError::Exists(_)), "{itself}");
}

#[test]
fn link_that_leads_nowhere_is_not_followed() {
    let (from, into) = (written(&eventful()), empty_directory());
    std::os::unix::fs::symlink(into.path().join("elsewhere"), into.file()).unwrap();
    let error = backup(from.path(), &into.file(), NOW, to_its_end).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");
}

#[test]
fn backup_that_is_broken_off_leaves_nothing() {
    let (from, into) = (written(&many(20_000)), empty_directory());
    let mut seen = Vec::new();
    let stop = |progress| {
        seen.push(progress);
        ControlFlow::Break(())
    };
    let error = backup(from.path(), &into.file(), NOW, stop).unwrap_err();
    assert!(matches!(error, BackupError::Interrupted), "{error}");
    let [progress] = seen[..] else { panic!("{seen:?}") };
    assert!(0 < progress.done && progress.done < progress.all, "{progress:?}");
    assert_eq!(names(into.path()), [""; 0]);
}

fn many(facts: usize) -> Log {
    let mut log = Log::open();
    for nth in 0..facts {
        log.say("ann", &format!("{nth} is a number that somebody said, and nobody knows why"));
    }
    log
}

#[test]
fn backup_is_one_moment_of_a_file_that_is_written_to_meanwhile() {
    let mut log = many(20_000);
    let before = log.kept.len();
    let (from, into) = (Directory::new(), empty_directory());
    let mut journal = journal(from.path());
    journal.commit(&log.batch(0)).unwrap();
    let at_its_start = restored(from.as_killed().path()).1.snapshot;
    let mut steps = 0;
    let write_on = |_| {
        // A commit for each step: a copy that began anew with each would never end.
        let begin = log.kept.len();
        log.say("bob", "meanwhile");
        journal.commit(&log.batch(begin)).unwrap();
        steps += 1;
        assert!(steps < 100, "it began anew");
        ControlFlow::Continue(())
    };
    backup(from.path(), &into.file(), NOW, write_on).unwrap();
    assert!(steps > 0);
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    let copy = restored(into.path()).1;
    assert_eq!(copy.snapshot, at_its_start);
    assert_eq!(copy.snapshot.rooms[0].sequence.0, before as u64);
    assert_eq!(copy.ended, history::Ended::Abruptly, "what was said behind it may have been seen");
}

#[test]
fn damaged_file_gives_no_backup() {
    let (from, into) = (written(&many(5_000)), empty_directory());
    let mut bytes = fs::read(from.file()).unwrap();
    // A page in the middle.
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    fs::write(from.file(), bytes).unwrap();
    let error = backup(from.path(), &into.file(), NOW, to_its_end).unwrap_err();
    assert!(error.to_string().contains("because the data file is damaged"), "{error}");
    assert_eq!(names(into.path()), [""; 0]);
}

#[test]
fn place_where_no_file_can_be_made_is_named() {
    let from = written(&eventful());
    let error = backup(from.path(), Path::new("/proc/roomful.db"), NOW, to_its_end).unwrap_err();
    assert!(error.to_string().starts_with("/proc/roomful.db cannot be made: "), "{error}");
    let error = backup(from.path(), Path::new("/no/such/place.db"), NOW, to_its_end).unwrap_err();
    assert!(matches!(error, BackupError::NoPlace(..)), "{error}");
}

#[test]
fn nothing_is_made_of_what_is_no_data_file() {
    let (from, into) = (empty_directory(), empty_directory());
    let error = backup(from.path(), &into.file(), NOW, to_its_end).unwrap_err();
    assert!(error.to_string().contains("there is no "), "{error}");
    rusqlite::Connection::open(from.file()).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let error = backup(from.path(), &into.file(), NOW, to_its_end).unwrap_err();
    assert!(error.to_string().contains("is no data file of roomful"), "{error}");
    assert_eq!(names(into.path()), [""; 0]);
}
