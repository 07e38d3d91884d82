//! The data file: what is in it, and how files of earlier versions become files of this one. Drawn in
//! `docs/history-format.md`.
//!
//! Where it stands: below the journal, which writes the file, and the reader, which reads it.
//!
//! What this file must never do: change a migration that was ever released, or touch a file that is not ours.

use hub::Epoch;
use rusqlite::{Connection, TransactionBehavior};

/// Says that a SQLite file is ours: `Room` in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x526f_6f6d;

/// From each version of the file to the next; the last makes the present one.
pub(crate) const MIGRATIONS: &[&str] = &[VERSION_1];

const VERSION_1: &str = r#"
CREATE TABLE server (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    epoch    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    next_room INTEGER NOT NULL,
    written  INTEGER NOT NULL,
    clean    INTEGER NOT NULL
) STRICT;

CREATE TABLE rooms (
    number   INTEGER PRIMARY KEY,
    name     TEXT,
    key      TEXT UNIQUE,
    one      BLOB,
    other    BLOB,
    one_nick TEXT,
    other_nick TEXT,
    sequence INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    forgotten INTEGER NOT NULL DEFAULT 0,
    indexed  INTEGER NOT NULL DEFAULT 0,
    facts    INTEGER NOT NULL DEFAULT 0,
    bytes    INTEGER NOT NULL DEFAULT 0,
    topic    TEXT,
    topic_by TEXT,
    topic_time INTEGER,
    closed   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE facts (
    id       INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    kind     INTEGER NOT NULL,
    nick     TEXT,
    door     INTEGER,
    client   BLOB,
    recipient TEXT,
    target   INTEGER,
    revised  INTEGER,
    text     TEXT
) STRICT;

CREATE INDEX changes ON facts (target) WHERE kind IN (6, 7);

CREATE TABLE nonces (
    client   BLOB NOT NULL,
    nonce    TEXT NOT NULL,
    fact     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (client, nonce)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE words USING fts5 (
    tokens, content = '', columnsize = 0, detail = none,
    tokenize = "ascii tokenchars '!#""$%&''()*+,-./:;<=>?@[\]^_`{|}~'"
);

INSERT INTO words (words, rank) VALUES ('secure-delete', 1), ('automerge', 0);
"#;

/// Makes the file what this version needs, from whatever earlier version it is; each step is all or nothing. A file that
/// is made is kept without a log until it is whole, so that its header, which [`look`](crate::directory::look) reads, says
/// what it is.
///
/// # Errors
/// What SQLite says.
pub(crate) fn migrate(connection: &mut Connection, epoch: Epoch) -> Result<(), rusqlite::Error> {
    let done: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let to_do = (1..).zip(MIGRATIONS).filter(|(version, _)| *version > done);
    let mut was_old = false;
    for (version, migration) in to_do {
        was_old = true;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        if version == 1 {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.execute(FIRST_ROW, [epoch.bits().cast_signed()])?;
        }
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    if was_old {
        // So that the header says the new version also to whoever does not look into the log.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    }
    Ok(())
}

/// A new file: nothing is written, nothing is reserved, and nothing was cut off.
const FIRST_ROW: &str =
    "INSERT INTO server (only, epoch, position, next_room, written, clean) VALUES (1, ?1, 0, 1, 0, 1)";
