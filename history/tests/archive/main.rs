//! Backup, check, export and import: what is copied is whole, what is damaged is found, and what goes out comes in again.

#[path = "../shared/mod.rs"]
mod shared;

mod backup;
mod check;
mod export;
mod import;

use history::{Journal, Options, Remaining, Restored};
use hub::Position;
use shared::Directory;
use shared::facts::{Log, signed};
use std::path::Path;

/// A log with one of everything in it.
fn eventful() -> Log {
    let mut log = Log::open();
    log.say("ann", "good morning");
    let wrong = log.say_signed("bob", "a tyop", Some(signed(1, Some("n1"))));
    log.edit(wrong, "a typo");
    log.set_topic("what is new");
    let secret = log.say("ann", "my password");
    log.edit(secret, "my new password");
    log.redact(secret);
    log.lose(5);
    log.say("carol", "one\ntwo");
    log
}

/// A directory in which this was written, and a server was stopped in order.
fn written(log: &Log) -> Directory {
    let directory = Directory::new();
    let mut journal = journal(directory.path());
    journal.commit(&log.batch(0)).unwrap();
    while journal.index_some().unwrap() == Remaining::Something {}
    finish(journal, log);
    directory
}

fn journal(directory: &Path) -> Journal {
    restored(directory).0
}

fn restored(directory: &Path) -> (Journal, Restored) {
    Journal::open(directory, &Options { epoch_bits: 0x12_3456_789a, ..Options::default() }).unwrap()
}

/// Stops in order, with exactly what was used reserved.
fn finish(journal: Journal, log: &Log) {
    let mut reservation = log.batch(0).reservation;
    reservation.position = log.kept.last().map_or(Position(0), |kept| kept.record.position);
    reservation.sequences.clone_from(&log.sequences);
    journal.finish(&reservation).unwrap();
}

/// Changes the file as nobody should.
fn tamper(directory: &Directory, sql: &str) {
    rusqlite::Connection::open(directory.file()).unwrap().execute_batch(sql).unwrap();
}
