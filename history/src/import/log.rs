//! The log of the room that is imported: whether each object fits those before it, and how it is written.
//!
//! Where it stands: between the objects and the data file, in the transaction of the import.
//!
//! What this file must never do: write a fact that the journal would not have written.

use super::lines::Lines;
use super::objects::{Head, Object, Told, What};
use super::{ImportError, Imported};
use crate::error::{Cause, CommitError};
use crate::rows::{FactId, Kind, Row, author_columns};
use crate::write::{FACT_BYTES, INSERT_ONE, Revision, insert_row, octets, revise, signed};
use hub::{Author, Line, Manner, Position, RoomName, RoomNumber, Sequence, Time, Topic};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

/// More numbers are never missing in one place: a crash loses some thousands at most.
const MISSING_MAX: u64 = 100_000;
/// The last number that is taken: so many more remain for what is said from now on.
const SEQUENCE_MAX: u64 = u32::MAX as u64 - (1 << 28);

/// The room, as far as it has been read.
pub(super) struct Log<'c> {
    connection: &'c Connection,
    insert: CachedStatement<'c>,
    name: &'c RoomName,
    number: RoomNumber,
    /// The last that was given out.
    position: Position,
    /// Of the last object.
    last: Option<Sequence>,
    /// Everything before the first object.
    forgotten: Sequence,
    time: Time,
    topic: Option<Topic>,
    facts: u64,
    messages: u64,
    bytes: i64,
    lost: u64,
}

/// What a change is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Something that was said and stands.
    Standing,
    /// Something that was said and is erased.
    Erased,
    /// Something in front of all that is imported.
    Forgotten,
}

/// Why an object does not fit.
pub(super) enum Misfit {
    /// What is wrong with it.
    Words(String),
    /// It cannot be written down.
    Write(CommitError),
}

impl Misfit {
    pub(super) fn at(self, lines: &Lines<'_>) -> ImportError {
        match self {
            Misfit::Words(what) => lines.error(what),
            Misfit::Write(error) => ImportError::Write(error),
        }
    }
}

impl<T: Into<CommitError>> From<T> for Misfit {
    fn from(error: T) -> Misfit {
        Misfit::Write(error.into())
    }
}

fn misfit<T>(what: impl Into<String>) -> Result<T, Misfit> {
    Err(Misfit::Words(what.into()))
}

impl<'c> Log<'c> {
    /// Opens a room.
    pub(super) fn open(
        connection: &'c Connection,
        name: &'c RoomName,
        head: Head,
    ) -> Result<Log<'c>, ImportError> {
        let numbers = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?));
        let (position, number) =
            connection.query_row("SELECT position, next_room FROM server", (), numbers)?;
        let number = RoomNumber(number);
        connection.execute(
            "INSERT INTO rooms (number, name, key, sequence, reserved) VALUES (?1, ?2, ?3, 0, 0)",
            params![number.0, name.shown, name.key],
        )?;
        Ok(Log {
            insert: connection.prepare_cached(&INSERT_ONE)?,
            connection,
            name,
            number,
            position: Position(position.max(0).cast_unsigned()),
            last: None,
            forgotten: Sequence(0),
            time: Time(0),
            topic: head.topic,
            facts: 0,
            messages: 0,
            bytes: 0,
            lost: 0,
        })
    }

    /// Writes an object, and in front of it what is missing there.
    pub(super) fn take(&mut self, object: Object) -> Result<(), Misfit> {
        let sequence = object.sequence;
        match object.told {
            Told::Void => {
                let from = self.begin(sequence, sequence)?;
                self.fill(from, sequence)?;
                self.emptied(sequence)
            }
            Told::Fact(time, what) => {
                let from = self.begin(sequence, sequence)?;
                self.time = time;
                self.fill(from, sequence)?;
                self.fact(sequence, what)
            }
            Told::Lost { time, from, to } => self.lost(sequence, time, from, to),
        }
    }

    /// Goes on to this object, which is about the numbers from `from` to its own. Gives the first number that nothing was said
    /// about yet.
    fn begin(&mut self, from: Sequence, sequence: Sequence) -> Result<Sequence, Misfit> {
        if sequence.0 > SEQUENCE_MAX {
            return misfit(format!(
                "the sequence {} is too high; {SEQUENCE_MAX} would be possible",
                sequence.0
            ));
        }
        let Some(last) = self.last.replace(sequence) else {
            // What was before is not in the export.
            self.forgotten = Sequence(from.0 - 1);
            return Ok(from);
        };
        if from <= last {
            return misfit(format!(
                "the sequence {} is not higher than {}, which stands before it",
                from.0, last.0
            ));
        }
        if sequence.0 - last.0 > MISSING_MAX {
            return misfit(format!("the numbers from {} to {} are missing", last.0 + 1, sequence.0 - 1));
        }
        Ok(last.next())
    }

    /// Records that the numbers from one up to another, that one excluded, are missing.
    fn fill(&mut self, from: Sequence, end: Sequence) -> Result<(), Misfit> {
        self.lost += end.0 - from.0;
        match end.0 - from.0 {
            0 => Ok(()),
            // The record has a number of its own, and would have none left to tell of.
            1 => self.emptied(from),
            _ => self.notice(Sequence(end.0 - 1), from),
        }
    }

    /// A number of which nothing else remains: a change without its text, of nothing that is known.
    fn emptied(&mut self, sequence: Sequence) -> Result<(), Misfit> {
        let row = self.row(sequence, Kind::Edited)?;
        self.put(&row)
    }

    /// What a crash lost where the export comes from.
    fn lost(&mut self, sequence: Sequence, time: Time, from: Sequence, to: Sequence) -> Result<(), Misfit> {
        if from > to || to.next() != sequence {
            return misfit(format!(
                "{} to {} cannot be what is lost: those are numbers right in front of {}",
                from.0, to.0, sequence.0
            ));
        }
        let begin = self.begin(from, sequence)?;
        self.time = time;
        self.lost += from.0 - begin.0;
        self.notice(sequence, begin)
    }

    fn notice(&mut self, sequence: Sequence, from: Sequence) -> Result<(), Misfit> {
        let row = Row { target: FactId::new(self.number, from), ..self.row(sequence, Kind::Lost)? };
        self.put(&row)
    }

    fn fact(&mut self, sequence: Sequence, what: What) -> Result<(), Misfit> {
        match what {
            What::Opened => self.put(&self.row(sequence, Kind::Opened)?),
            What::Said { author, manner, text } => {
                let kind = if manner == Manner::Saying { Kind::Said } else { Kind::Acted };
                self.said(sequence, kind, &author, Some(text.formatted()))
            }
            What::Erased { author } => self.said(sequence, Kind::Said, &author, None),
            What::Topic { by, topic } => {
                let row = self.row(sequence, Kind::Topic)?;
                self.put(&Row { nick: Some(&by.nick), text: topic.as_ref().map(Line::formatted), ..row })?;
                let time = self.time;
                self.topic = topic.map(|text| Topic { text, by: by.nick, time });
                Ok(())
            }
            What::Edited { by, target, text } => {
                let stands = self.changed(sequence, target)? != Target::Erased;
                if stands {
                    revise(self.connection, self.id(target)?, Revision::Reads(sequence))?;
                }
                // Of what was erased, no former or later text remains either.
                let text = Some(text.formatted()).filter(|_| stands);
                let row = self.row(sequence, Kind::Edited)?;
                self.put(&Row { nick: Some(&by.nick), target: Some(self.id(target)?), text, ..row })
            }
            What::Redacted { by, target, reason } => {
                self.changed(sequence, target)?;
                self.erase(sequence, target)?;
                let row = self.row(sequence, Kind::Redacted)?;
                let text = reason.as_ref().map(Line::formatted);
                self.put(&Row { nick: Some(&by.nick), target: Some(self.id(target)?), text, ..row })
            }
        }
    }

    fn said(
        &mut self,
        sequence: Sequence,
        kind: Kind,
        author: &Author,
        text: Option<&str>,
    ) -> Result<(), Misfit> {
        let (nick, door) = author_columns(author);
        self.messages += 1;
        self.put(&Row { nick: Some(nick), door, text, ..self.row(sequence, kind)? })
    }

    /// What the message is that is changed.
    fn changed(&self, sequence: Sequence, target: Sequence) -> Result<Target, Misfit> {
        if target <= self.forgotten {
            return Ok(Target::Forgotten);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT text IS NULL FROM facts WHERE id = ?1 AND kind IN (2, 3, 4)")?;
        let is_erased = statement.query_row([self.id(target)?.number()], |row| row.get(0)).optional()?;
        match is_erased {
            Some(true) => Ok(Target::Erased),
            Some(false) => Ok(Target::Standing),
            None => {
                misfit(format!("{} changes {}, which is nothing that was said before", sequence.0, target.0))
            }
        }
    }

    fn erase(&mut self, sequence: Sequence, target: Sequence) -> Result<(), Misfit> {
        let id = self.id(target)?;
        if let Some(bytes) = revise(self.connection, id, Revision::Erased(sequence))? {
            self.bytes -= bytes;
            return Ok(());
        }
        // It came without its text.
        let sql = "UPDATE facts SET revised = ?2 WHERE id = ?1 AND kind IN (2, 3, 4) AND revised IS NULL";
        self.connection.prepare_cached(sql)?.execute(params![id.number(), signed(sequence.0)?])?;
        Ok(())
    }

    fn id(&self, sequence: Sequence) -> Result<FactId, Misfit> {
        Ok(FactId::new(self.number, sequence).ok_or(Cause::OutOfNumbers)?)
    }

    /// A row with nothing but its number, its place and its time.
    fn row(&self, sequence: Sequence, kind: Kind) -> Result<Row<'static>, Misfit> {
        Ok(Row {
            id: self.id(sequence)?,
            position: self.position,
            time: self.time,
            kind,
            nick: None,
            door: None,
            client: None,
            recipient: None,
            target: None,
            revised: None,
            text: None,
        })
    }

    fn put(&mut self, row: &Row<'_>) -> Result<(), Misfit> {
        self.position = self.position.next();
        insert_row(&mut self.insert, &Row { position: self.position, ..*row })?;
        self.facts += 1;
        self.bytes += FACT_BYTES + row.text.map_or(0, octets);
        Ok(())
    }

    /// All has been written: writes what the room is, and that these numbers have been given out.
    pub(super) fn finish(self, lines: &Lines<'_>) -> Result<Imported, ImportError> {
        let Some(last) = self.last else {
            return Err(lines.error("there is nothing in this export, and so there would be no room"));
        };
        let topic = self.topic.as_ref();
        let topic_time = topic.map(|topic| signed(topic.time.0)).transpose().map_err(CommitError::from)?;
        let number = |sequence: Sequence| signed(sequence.0).map_err(CommitError::from);
        self.connection.execute(
            "UPDATE rooms SET sequence = ?2, reserved = ?2, forgotten = ?3, indexed = ?3, facts = ?4, bytes = ?5,
             topic = ?6, topic_by = ?7, topic_time = ?8 WHERE number = ?1",
            params![
                self.number.0,
                number(last)?,
                number(self.forgotten)?,
                signed(self.facts).map_err(CommitError::from)?,
                self.bytes,
                topic.map(|topic| topic.text.formatted()),
                topic.map(|topic| &*topic.by),
                topic_time,
            ],
        )?;
        self.connection.execute(
            "UPDATE server SET position = ?1, written = ?1, next_room = ?2",
            params![signed(self.position.0).map_err(CommitError::from)?, self.number.0 + 1],
        )?;
        Ok(Imported { room: self.name.shown.to_string(), messages: self.messages, lost: self.lost })
    }
}
