-- A data file of version 1 as SQL. No line of it may change once that version is released: tests open it with every later one.
PRAGMA application_id = 1383034733;

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
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);

INSERT INTO server (only, epoch, position, next_room, written, clean) VALUES (1, 734208000123, 1000000090, 1028, 90, 0);

INSERT INTO rooms (number, name, key, sequence, reserved, facts, bytes, topic, topic_by, topic_time)
    VALUES (1, 'Lobby', 'lobby', 6, 4102, 6, 403, 'what we do', 'ann', 1700000000400);
INSERT INTO rooms (number, one, other, one_nick, other_nick, sequence, reserved, facts, bytes)
    VALUES (2, x'01010101010101010101010101010101', NULL, 'ann', 'guest-00007', 1, 4097, 1, 69);
INSERT INTO rooms (number, name, key, sequence, reserved, facts, bytes, closed)
    VALUES (3, 'Old', NULL, 2, 4098, 2, 133, 1);

-- An id is the room's number times 2^32 and the sequence.
INSERT INTO facts (id, position, time, kind) VALUES (4294967297, 10, 1700000000100, 1);
INSERT INTO facts (id, position, time, kind, nick, client, revised, text)
    VALUES (4294967298, 20, 1700000000200, 2, 'ann', x'01010101010101010101010101010101', 5, 'hello');
INSERT INTO facts (id, position, time, kind, nick, door, text)
    VALUES (4294967299, 30, 1700000000300, 2, 'build', 2, 'it is green');
INSERT INTO facts (id, position, time, kind, nick, text)
    VALUES (4294967300, 40, 1700000000400, 5, 'ann', 'what we do');
INSERT INTO facts (id, position, time, kind, nick, client, target, text)
    VALUES (4294967301, 50, 1700000000500, 6, 'ann', x'01010101010101010101010101010101', 4294967298, 'hello all');
INSERT INTO facts (id, position, time, kind, nick, text)
    VALUES (4294967302, 60, 1700000000600, 3, 'bob', 'waves');
INSERT INTO facts (id, position, time, kind, nick, client, recipient, text)
    VALUES (8589934593, 70, 1700000000700, 4, 'ann', x'01010101010101010101010101010101', 'guest-00007', 'psst!');
INSERT INTO facts (id, position, time, kind) VALUES (12884901889, 80, 1700000000800, 1);
INSERT INTO facts (id, position, time, kind, nick, text)
    VALUES (12884901890, 90, 1700000000900, 2, 'bob', 'gone?');

INSERT INTO nonces (client, nonce, fact, position)
    VALUES (x'01010101010101010101010101010101', 'n-1', 4294967298, 20);

PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
