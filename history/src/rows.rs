//! One row of the table `facts`: what becomes of a kept fact when it is written, and what it tells when it is read.
//!
//! Where it stands: between the hub's facts and SQLite. The journal binds a [`Row`]; the reader makes lines of the past out
//! of one, whether it comes from the file or from a batch that is not written yet: so both are shown alike.
//!
//! What this file must never do: trust what it reads. A row that makes no sense is none.

use hub::{
    Author, ClientId, DoorKind, Event, Fact, Kept, Line, Manner, MemberId, Past, Position, RoomNumber,
    RoomRef, Sequence, Signature, Signed, Text, Time, Verb, Who,
};
use std::sync::Arc;

/// Rooms have numbers below this, so that an id stays positive.
pub(crate) const ROOMS_END: u32 = 1 << 31;

/// The columns of a [`Row`], in the order in which [`Row::read`] takes them.
pub(crate) const COLUMNS: &str =
    "id, position, time, kind, nick, door, client, recipient, target, revised, text";

/// What a row is; the numbers stand in the file and never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Opened = 1,
    Said = 2,
    Acted = 3,
    Directed = 4,
    Topic = 5,
    Edited = 6,
    Redacted = 7,
    Lost = 8,
}

impl Kind {
    pub(crate) fn from_number(number: i64) -> Option<Kind> {
        Some(match number {
            1 => Kind::Opened,
            2 => Kind::Said,
            3 => Kind::Acted,
            4 => Kind::Directed,
            5 => Kind::Topic,
            6 => Kind::Edited,
            7 => Kind::Redacted,
            8 => Kind::Lost,
            _ => return None,
        })
    }

    /// What it comes of, as [`Fact::verb`] says of a fact; `None` if it may not be asked for with a nonce.
    pub(crate) fn verb(self) -> Option<Verb> {
        Some(match self {
            Kind::Said => Verb::Say,
            Kind::Acted => Verb::Act,
            Kind::Directed => Verb::Direct,
            Kind::Topic => Verb::SetTopic,
            Kind::Edited => Verb::Edit,
            Kind::Redacted => Verb::Redact,
            Kind::Opened | Kind::Lost => return None,
        })
    }

    /// Whether it is something that a person said: only that can be changed and erased.
    pub(crate) fn is_said(self) -> bool {
        matches!(self, Kind::Said | Kind::Acted | Kind::Directed)
    }
}

/// Where a fact stands: the room's number in the upper half, the sequence in the lower. So a room's facts stand together,
/// in their order, and no index is needed to find one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FactId(i64);

impl FactId {
    /// `None` if one of the numbers is too large for the file, or 0.
    pub(crate) fn new(room: RoomNumber, sequence: Sequence) -> Option<FactId> {
        let fits = (1..ROOMS_END).contains(&room.0);
        let sequence = u32::try_from(sequence.0).ok().filter(|sequence| fits && *sequence > 0)?;
        Some(FactId(i64::from(room.0) << 32 | i64::from(sequence)))
    }

    /// The nearest id of this room: what is asked for may be any number.
    pub(crate) fn nearest(room: RoomNumber, sequence: Sequence) -> FactId {
        let room = room.0.min(ROOMS_END - 1);
        let sequence = u32::try_from(sequence.0).unwrap_or(u32::MAX);
        FactId(i64::from(room) << 32 | i64::from(sequence))
    }

    /// `None` if it is no id.
    pub(crate) fn from_number(number: i64) -> Option<FactId> {
        let room = RoomNumber(u32::try_from(number >> 32).ok()?);
        FactId::new(room, Sequence(u64::from(number as u32)))
    }

    pub(crate) fn number(self) -> i64 {
        self.0
    }

    pub(crate) fn room(self) -> RoomNumber {
        RoomNumber((self.0 >> 32) as u32)
    }

    pub(crate) fn sequence(self) -> Sequence {
        Sequence(u64::from(self.0 as u32))
    }
}

/// A row, borrowed from the fact that is written or from SQLite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) id: FactId,
    pub(crate) position: Position,
    pub(crate) time: Time,
    pub(crate) kind: Kind,
    pub(crate) nick: Option<&'a str>,
    pub(crate) door: Option<DoorKind>,
    pub(crate) client: Option<ClientId>,
    pub(crate) recipient: Option<&'a str>,
    /// What is changed or erased; the first that is lost.
    pub(crate) target: Option<FactId>,
    /// The last change or the erasure of this.
    pub(crate) revised: Option<Sequence>,
    /// What was said, the topic, the reason of an erasure; `None` if it was erased, or if there is none.
    pub(crate) text: Option<&'a str>,
}

/// A fact has no place in the file: its room or its sequence is a number that no file can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OutOfNumbers;

impl<'a> Row<'a> {
    /// The row of a kept fact; `None` for those that have no row of their own.
    ///
    /// # Errors
    /// Its numbers are too large for the file.
    pub(crate) fn of(kept: &'a Kept) -> Result<Option<Row<'a>>, OutOfNumbers> {
        let Some(kind) = kind_of(&kept.record.fact) else { return Ok(None) };
        let id = FactId::new(kept.room, kept.sequence).ok_or(OutOfNumbers)?;
        let client = kept.record.fact.signature().map(|signed| signed.client);
        let (position, time) = (kept.record.position, kept.record.time);
        let (door, recipient, target, revised) = (None, None, None, None);
        let row = Row {
            id,
            position,
            time,
            kind,
            nick: None,
            door,
            client,
            recipient,
            target,
            revised,
            text: None,
        };
        let target_of = |target: Sequence| FactId::new(kept.room, target);
        Ok(Some(match &kept.record.fact {
            Fact::Said { author, text, .. } => {
                let (nick, door) = author_columns(author);
                Row { nick: Some(nick), door, text: Some(text.formatted()), ..row }
            }
            Fact::Directed { from, to, text, .. } => {
                let (nick, recipient) = (Some(&*from.nick), Some(&*to.nick));
                Row { nick, recipient, text: Some(text.formatted()), ..row }
            }
            Fact::TopicSet { by, topic, .. } => {
                Row { nick: Some(&*by.nick), text: topic.as_ref().map(Line::formatted), ..row }
            }
            Fact::Edited { by, target, text, .. } => {
                let (nick, text) = (Some(&*by.nick), Some(text.formatted()));
                Row { nick, target: target_of(*target), text, ..row }
            }
            Fact::Redacted { by, target, reason, .. } => {
                let (nick, text) = (Some(&*by.nick), reason.as_ref().map(Line::formatted));
                Row { nick, target: target_of(*target), text, ..row }
            }
            Fact::Lost { from, .. } => Row { target: target_of(*from), ..row },
            _ => row,
        }))
    }

    /// A row of [`COLUMNS`]; `None` if it makes no sense.
    ///
    /// # Errors
    /// Only what SQLite says.
    pub(crate) fn read(row: &'a rusqlite::Row<'_>) -> Result<Option<Row<'a>>, rusqlite::Error> {
        let columns = Columns {
            numbers: [integer(row, 0)?, integer(row, 1)?, integer(row, 2)?, integer(row, 3)?],
            door: integer(row, 5)?,
            target: integer(row, 8)?,
            revised: integer(row, 9)?,
        };
        let client = row.get_ref(6)?.as_blob().ok().and_then(|bytes| bytes.try_into().ok()).map(ClientId);
        let (nick, recipient, text) = (text(row, 4)?, text(row, 7)?, text(row, 10)?);
        Ok(columns.row().map(|row| Row { nick, client, recipient, text, ..row }))
    }

    pub(crate) fn sequence(&self) -> Sequence {
        self.id.sequence()
    }

    /// Whether it was said and has been erased.
    pub(crate) fn is_erased(&self) -> bool {
        self.kind.is_said() && self.text.is_none()
    }

    /// What it tells; `None` if something is missing that it cannot be told without.
    pub(crate) fn past(&self, room: &RoomRef, edited: Option<Sequence>) -> Option<Past> {
        let event = if self.is_erased() { self.erased(room)? } else { self.event(room)? };
        Some(Past { position: self.position, time: self.time, event, edited })
    }

    fn erased(&self, room: &RoomRef) -> Option<Event> {
        Some(Event::Erased { room: room.clone(), sequence: self.sequence(), author: self.author()? })
    }

    fn event(&self, room: &RoomRef) -> Option<Event> {
        let (room, sequence, signature) = (room.clone(), self.sequence(), self.signature());
        let line = || self.text.and_then(|text| Line::new(text, usize::MAX).ok());
        Some(match self.kind {
            Kind::Opened => Event::Opened { room, sequence },
            Kind::Said | Kind::Acted => {
                let manner = if self.kind == Kind::Said { Manner::Saying } else { Manner::Acting };
                let (author, text) = (self.author()?, Text::kept(self.text?));
                Event::Said { room, sequence, author, text, manner, signature }
            }
            Kind::Directed => Event::Directed {
                conversation: room.number,
                sequence,
                from: nobody(self.nick?),
                to: nobody(self.recipient?),
                text: Text::kept(self.text?),
                signature,
            },
            Kind::Topic => {
                let (by, topic) = (nobody(self.nick?), line());
                Event::TopicSet { room, sequence, by, topic, signature }
            }
            Kind::Edited => {
                let (by, target) = (nobody(self.nick?), self.target?.sequence());
                Event::Edited { room, sequence, by, target, text: Text::kept(self.text?), signature }
            }
            Kind::Redacted => {
                let (by, target) = (nobody(self.nick?), self.target?.sequence());
                Event::Redacted { room, sequence, by, target, reason: line(), signature }
            }
            // The hub numbers the notice right behind what is lost.
            Kind::Lost => {
                let to = Sequence(sequence.0.checked_sub(1)?);
                Event::Lost { room, sequence, from: self.target?.sequence(), to }
            }
        })
    }

    fn author(&self) -> Option<Author> {
        let nick = self.nick?;
        Some(match self.door {
            Some(kind) => Author::Door { kind, label: clean_nick(nick) },
            None => Author::Member(nobody(nick)),
        })
    }

    /// The nonce is not in it: it is kept elsewhere, and only for a while.
    fn signature(&self) -> Signature {
        self.client.map(|client| Arc::new(Signed { client, nonce: None }))
    }
}

fn integer(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<i64>, rusqlite::Error> {
    Ok(row.get_ref(column)?.as_i64().ok())
}

fn text<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<Option<&'a str>, rusqlite::Error> {
    Ok(row.get_ref(column)?.as_str().ok())
}

/// What is not borrowed.
struct Columns {
    /// Id, position, time, kind.
    numbers: [Option<i64>; 4],
    door: Option<i64>,
    target: Option<i64>,
    revised: Option<i64>,
}

impl Columns {
    fn row<'a>(&self) -> Option<Row<'a>> {
        let [id, position, time, kind] = self.numbers;
        let unsigned = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        // A door of a kind that is not known is none that may pass for a member.
        let door = match self.door {
            Some(number) => Some(door_of(number)?),
            None => None,
        };
        Some(Row {
            id: FactId::from_number(id?)?,
            position: Position(unsigned(position)?),
            time: Time(unsigned(time)?),
            kind: Kind::from_number(kind?)?,
            nick: None,
            door,
            client: None,
            recipient: None,
            target: self.target.and_then(FactId::from_number),
            revised: unsigned(self.revised).map(Sequence),
            text: None,
        })
    }
}

/// `None` for facts without a row: the closing of a room changes the room's own row, rooms that are lost the server's;
/// passing facts are told and forgotten.
fn kind_of(fact: &Fact) -> Option<Kind> {
    Some(match fact {
        Fact::Opened { .. } => Kind::Opened,
        Fact::Said { manner: Manner::Saying, .. } => Kind::Said,
        Fact::Said { manner: Manner::Acting, .. } => Kind::Acted,
        Fact::Directed { .. } => Kind::Directed,
        Fact::TopicSet { .. } => Kind::Topic,
        Fact::Edited { .. } => Kind::Edited,
        Fact::Redacted { .. } => Kind::Redacted,
        Fact::Lost { .. } => Kind::Lost,
        _ => return None,
    })
}

/// The nick, and the door if it is one's.
pub(crate) fn author_columns(author: &Author) -> (&str, Option<DoorKind>) {
    match author {
        Author::Member(who) => (&who.nick, None),
        Author::Door { kind, label } => (label, Some(*kind)),
    }
}

/// The number of a kind of door in the file; it never changes.
pub(crate) fn door_number(kind: DoorKind) -> i64 {
    match kind {
        DoorKind::Web => 1,
        DoorKind::Hook => 2,
        DoorKind::Datagram => 3,
        DoorKind::Operator => 4,
    }
}

fn door_of(number: i64) -> Option<DoorKind> {
    let kinds = [DoorKind::Web, DoorKind::Hook, DoorKind::Datagram, DoorKind::Operator];
    kinds.into_iter().find(|kind| door_number(*kind) == number)
}

/// Whoever has this nick in the past is nobody who is here.
fn nobody(nick: &str) -> Who {
    Who { member: MemberId::NOBODY, nick: clean_nick(nick), address: None }
}

/// A nick as it may be shown, whoever wrote it into the file.
pub(crate) fn clean_nick(nick: &str) -> Arc<str> {
    Line::new(nick, usize::MAX).map_or_else(|_| Arc::from("?"), |line| line.shown().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_holds_room_and_sequence() {
        let id = FactId::new(RoomNumber(ROOMS_END - 1), Sequence(u64::from(u32::MAX))).unwrap();
        assert!(id.number() > 0);
        assert_eq!((id.room(), id.sequence()), (RoomNumber(ROOMS_END - 1), Sequence(u64::from(u32::MAX))));
        assert_eq!(FactId::from_number(id.number()), Some(id));
    }

    #[test]
    fn numbers_that_the_file_cannot_hold_are_no_id() {
        assert_eq!(FactId::new(RoomNumber(ROOMS_END), Sequence(1)), None);
        assert_eq!(FactId::new(RoomNumber(1), Sequence(1 << 32)), None);
        assert_eq!(FactId::new(RoomNumber(0), Sequence(1)), None);
        assert_eq!(FactId::new(RoomNumber(1), Sequence(0)), None);
        assert_eq!(FactId::from_number(-1), None);
    }

    #[test]
    fn every_kind_and_door_is_found_by_its_number() {
        for number in 1..=8 {
            assert_eq!(Kind::from_number(number).map(|kind| kind as i64), Some(number));
        }
        for number in 1..=4 {
            assert_eq!(door_of(number).map(door_number), Some(number));
        }
        assert_eq!((Kind::from_number(9), door_of(5)), (None, None));
    }

    #[test]
    fn nick_out_of_a_foreign_file_reaches_no_terminal() {
        assert_eq!(&*clean_nick("a\u{1b}[31mnn\nx"), "ann x");
        assert_eq!(&*clean_nick(" "), "?");
    }
}
