//! The data file: what is in it, and how files of earlier versions become files of this one. Drawn in
//! `docs/history-format.md`.
//!
//! Where it stands: below the journal, which writes the file, and the reader, which reads it.
//!
//! What this file must never do: change a migration that was ever released, or touch a file that is not ours.

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

INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
"#;
