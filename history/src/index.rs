//! The index of words: which facts a part of a word is in. Follows behind the journal, a slice at a time.
//!
//! Where it stands: beside the journal, on its connection. The journal says when there is time for a slice
//! ([`index_some`]), and what changes of what is indexed already ([`remove`], [`add`]); the search asks.
//!
//! What this file must never do: hold the journal up for longer than a slice, leave a token of what was erased in the file,
//! or be needed for a commit: what is not indexed yet is found all the same, more slowly.
//!
//! The table `words` keeps no text, only tokens, and FTS5 can take a fact out of it only if it is told the same tokens again.
//! So a text has to be taken out in front of its change, as long as its old words can be read. It is one of FTS5's rules that
//! nothing else would notice if it were broken; the tests of this file look at the index row by row.

use crate::rows::Row;
use crate::words;
use hub::{Text, key_of};
use rusqlite::{Connection, OptionalExtension};

/// So many pages of the index, each of some 4 KiB, are merged with each slice at most.
const MERGED_PAGES_MAX: u32 = 64;

/// What a slice has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Indexed {
    /// So many facts are in the index now that were not; other rows, which have no words, are not counted.
    pub facts: usize,
    /// What is left.
    pub rest: Behind,
}

/// Whether the index is behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Behind {
    /// Not any more.
    Nothing,
    /// Another slice is waiting, or may be.
    Some,
}

/// The columns of a [`Row`] of a fact `f`, with its text as it stands now.
pub(crate) const COLUMNS: &str = "
    f.id, f.position, f.time, f.kind, f.nick, f.door, f.client, f.recipient, f.target, f.revised,
    CASE WHEN f.revised IS NULL THEN f.text
         ELSE (SELECT r.text FROM facts r WHERE r.id = (f.id >> 32 << 32) | f.revised) END";

/// Whether a fact `f` has words of its own that can be found: it was said, done, said to somebody, or is a topic, and has
/// not been erased.
pub(crate) const SEARCHABLE: &str = "f.text IS NOT NULL AND f.kind IN (2, 3, 4, 5)";

/// One slice, in one transaction: of the first room whose index is behind, the next `rows_max` rows.
///
/// # Errors
/// Whatever SQLite says; then nothing has changed.
pub(crate) fn index_some(connection: &Connection, rows_max: u32) -> Result<Indexed, rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    let Some((room, indexed, sequence)) = first_behind(&transaction)? else {
        return Ok(Indexed { facts: 0, rest: Behind::Nothing });
    };
    let upto = indexed.saturating_add(i64::from(rows_max)).min(sequence);
    let facts = index_rows(&transaction, room << 32 | (indexed + 1), room << 32 | upto)?;
    transaction.prepare_cached("UPDATE rooms SET indexed = ?2 WHERE number = ?1")?.execute((room, upto))?;
    // A bounded part of the merging that FTS5 would do at once, and then for long, from time to time.
    order(&transaction, "merge", MERGED_PAGES_MAX)?;
    transaction.commit()?;
    Ok(Indexed { facts, rest: Behind::Some })
}

/// A room whose index is behind: its number, how far its index is, and how far it should be.
fn first_behind(connection: &Connection) -> Result<Option<(i64, i64, i64)>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT number, indexed, sequence FROM rooms WHERE indexed < sequence LIMIT 1")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
}

fn index_rows(connection: &Connection, first: i64, last: i64) -> Result<usize, rusqlite::Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM facts f WHERE f.id BETWEEN ?1 AND ?2 AND {SEARCHABLE} ORDER BY f.id");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((first, last))?;
    let mut facts = 0;
    while let Some(row) = rows.next()? {
        if let Some(tokens) = tokens(row)? {
            insert(connection, row.get(0)?, &tokens)?;
            facts += 1;
        }
    }
    Ok(facts)
}

/// How many sequences the index is behind, in all rooms together.
///
/// # Errors
/// Whatever SQLite says.
pub(crate) fn count_behind(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let sum = "SELECT coalesce(sum(sequence - indexed), 0) FROM rooms WHERE indexed < sequence";
    connection.prepare_cached(sum)?.query_row((), |row| row.get(0))
}

/// Takes a fact out of the index. To be called inside the transaction that changes or erases its text, in front of the
/// change. A fact that is not in it needs nothing.
///
/// # Errors
/// Whatever SQLite says.
pub(crate) fn remove(connection: &Connection, id: i64) -> Result<(), rusqlite::Error> {
    if let Some(tokens) = indexed_tokens(connection, id)? {
        connection
            .prepare_cached("INSERT INTO words (words, rowid, tokens) VALUES ('delete', ?1, ?2)")?
            .execute((id, tokens))?;
    }
    Ok(())
}

/// Takes all facts from one to another out of the index, both included. To be called inside the transaction that lets go of
/// them, in front of that.
///
/// What people want erased goes at once, and every page that a token of it is on is written anew: some milliseconds a fact.
/// Where many facts go because they are old, that would hold up the journal for seconds. So these are only marked as gone,
/// and go with the merges that follow.
///
/// # Errors
/// Whatever SQLite says.
pub(crate) fn remove_all(connection: &Connection, first: i64, last: i64) -> Result<(), rusqlite::Error> {
    let sql = format!("SELECT f.id FROM facts f WHERE f.id BETWEEN ?1 AND ?2 AND {SEARCHABLE}");
    let mut statement = connection.prepare_cached(&sql)?;
    let ids: Vec<i64> = statement.query_map((first, last), |row| row.get(0))?.collect::<Result<_, _>>()?;
    // What was taken out before goes as it was meant to.
    flush(connection)?;
    order(connection, "secure-delete", 0)?;
    ids.into_iter().try_for_each(|id| remove(connection, id))?;
    flush(connection)?;
    order(connection, "secure-delete", 1)?;
    order(connection, "merge", MERGED_PAGES_MAX)
}

/// Has FTS5 write down what it has gathered in memory.
fn flush(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("INSERT INTO words (words) VALUES ('flush')")?.execute(())?;
    Ok(())
}

/// One of FTS5's own commands.
fn order(connection: &Connection, command: &str, value: u32) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO words (words, rank) VALUES (?1, ?2)")?
        .execute((command, value))?;
    Ok(())
}

/// Puts a fact into the index again that was taken out by [`remove`] and has another text now. To be called inside the same
/// transaction. A fact whose turn has not come yet needs nothing, nor does one whose text was erased.
///
/// # Errors
/// Whatever SQLite says.
pub(crate) fn add(connection: &Connection, id: i64) -> Result<(), rusqlite::Error> {
    match indexed_tokens(connection, id)? {
        Some(tokens) => insert(connection, id, &tokens),
        None => Ok(()),
    }
}

fn insert(connection: &Connection, id: i64, tokens: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("INSERT INTO words (rowid, tokens) VALUES (?1, ?2)")?.execute((id, tokens))?;
    Ok(())
}

/// The tokens of a fact as it stands, if it is one with words and its room's index has come so far.
fn indexed_tokens(connection: &Connection, id: i64) -> Result<Option<String>, rusqlite::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM facts f WHERE f.id = ?1 AND {SEARCHABLE}
         AND f.id & 0xffffffff <= (SELECT indexed FROM rooms WHERE number = f.id >> 32)"
    );
    connection.prepare_cached(&sql)?.query_row([id], tokens).optional().map(Option::flatten)
}

/// The tokens of a row of [`COLUMNS`]; a row that makes no sense has none.
fn tokens(row: &rusqlite::Row<'_>) -> Result<Option<String>, rusqlite::Error> {
    let Some(Row { id, nick, text: Some(text), .. }) = Row::read(row)? else { return Ok(None) };
    let author = key_of(nick.unwrap_or_default());
    Ok(Some(words::tokens(id.room(), &author, &words::fold(&Text::kept(text)))))
}

#[cfg(test)]
mod tests;
