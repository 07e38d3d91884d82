//! For tests: a data file in memory, what is not written into it yet, and a naive model of what can be found.

use crate::batch::Batch;
use crate::rows::FactId;
use crate::schema::MIGRATIONS;
use crate::{index, search, words};
use hub::{
    Author, Event, Fact, Findings, Kept, Line, Manner, MemberId, Position, Record, Reservation, RoomNumber,
    RoomRef, Search, Sequence, Text, Time, Who, key_of,
};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rooms that talk is in; some are asked for, one with a room below and one above that are not.
pub(crate) const ROOMS: u32 = 4;

/// What can be found of a fact.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) room: u32,
    pub(crate) sequence: u64,
    position: u64,
    time: u64,
    nick: String,
    pub(crate) text: Option<String>,
}

/// What was said, in the file and in front of it, and in the model.
pub(crate) struct Book {
    pub(crate) connection: Connection,
    /// What is not written yet.
    pub(crate) pending: Vec<Kept>,
    pub(crate) model: Vec<Noted>,
    sequences: BTreeMap<u32, u64>,
    position: u64,
}

impl Book {
    pub(crate) fn new() -> Book {
        Book::on(Connection::open_in_memory().unwrap())
    }

    pub(crate) fn on(connection: Connection) -> Book {
        for migration in MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        Book { connection, pending: Vec::new(), model: Vec::new(), sequences: BTreeMap::new(), position: 0 }
    }

    /// A room that has these lines in it, written and indexed.
    pub(crate) fn with(texts: &[&str]) -> Book {
        let mut book = Book::new();
        for text in texts {
            book.say(1, "ann", text);
        }
        book.write_all();
        book.index_all();
        book
    }

    pub(crate) fn say(&mut self, room: u32, nick: &str, text: &str) -> u64 {
        let text = Text::new(text).unwrap();
        let shown = text.formatted().to_owned();
        let author = Author::Member(who(nick));
        let fact =
            Fact::Said { author, room: RoomNumber(room), text, manner: Manner::Saying, signature: None };
        let sequence = self.keep(room, fact);
        self.remember(room, sequence, nick, shown)
    }

    pub(crate) fn set_topic(&mut self, room: u32, nick: &str, topic: &str) -> u64 {
        let topic = Line::new(topic, usize::MAX).unwrap();
        let shown = topic.formatted().to_owned();
        let fact =
            Fact::TopicSet { by: who(nick), room: RoomNumber(room), topic: Some(topic), signature: None };
        let sequence = self.keep(room, fact);
        self.remember(room, sequence, nick, shown)
    }

    pub(crate) fn edit(&mut self, room: u32, target: u64, text: &str) {
        let text = Text::new(text).unwrap();
        let (by, shown) = (who("editor"), text.formatted().to_owned());
        let target = Sequence(target);
        self.keep(room, Fact::Edited { by, room: RoomNumber(room), target, text, signature: None });
        self.line(room, target).text = Some(shown);
    }

    pub(crate) fn redact(&mut self, room: u32, target: u64) {
        let target = Sequence(target);
        let (by, reason) = (who("editor"), None);
        self.keep(room, Fact::Redacted { by, room: RoomNumber(room), target, reason, signature: None });
        self.line(room, target).text = None;
    }

    /// Lets go of what is written in a room, up to a sequence.
    pub(crate) fn forget(&mut self, room: u32, upto: u64) {
        let written = "SELECT coalesce(max(sequence), 0) FROM rooms WHERE number = ?1";
        let written: u64 = self.connection.query_row(written, [room], |row| row.get(0)).unwrap();
        let upto = upto.min(written);
        let (first, last) = (id(room, 1), id(room, upto.max(1)));
        let transaction = self.connection.unchecked_transaction().unwrap();
        if upto > 0 {
            index::remove_all(&transaction, first, last).unwrap();
            transaction.execute("DELETE FROM facts WHERE id BETWEEN ?1 AND ?2", (first, last)).unwrap();
        }
        transaction.commit().unwrap();
        self.model.retain(|line| line.room != room || upto < line.sequence);
    }

    fn line(&mut self, room: u32, target: Sequence) -> &mut Noted {
        self.model.iter_mut().find(|line| (line.room, line.sequence) == (room, target.0)).unwrap()
    }

    fn keep(&mut self, room: u32, fact: Fact) -> u64 {
        self.position += 3;
        let sequence = self.sequences.entry(room).or_default();
        *sequence += 1;
        let sequence = *sequence;
        // Two facts have one time: nothing may depend on it alone.
        let time = Time(self.position / 6 * 1000);
        let record = Record { position: Position(self.position), time, fact };
        self.pending.push(Kept { record, room: RoomNumber(room), sequence: Sequence(sequence) });
        sequence
    }

    fn remember(&mut self, room: u32, sequence: u64, nick: &str, text: String) -> u64 {
        let (position, time) = (self.position, self.position / 6 * 1000);
        self.model.push(Noted { room, sequence, position, time, nick: nick.into(), text: Some(text) });
        sequence
    }

    pub(crate) fn write_all(&mut self) {
        self.write(self.pending.len());
    }

    /// Writes the first so many of what is not written yet.
    pub(crate) fn write(&mut self, count: usize) {
        let written: Vec<_> = self.pending.drain(..count).collect();
        let transaction = self.connection.unchecked_transaction().unwrap();
        for kept in &written {
            self.write_fact(kept);
        }
        transaction.commit().unwrap();
    }

    fn write_fact(&self, kept: &Kept) {
        let (kind, nick, text, target) = columns(&kept.record.fact);
        let target = target.map(|target| id(kept.room.0, target.0));
        if let Some(target) = target {
            index::remove(&self.connection, target).unwrap();
        }
        self.insert(kept, (kind, nick, text, target));
        if let Some(target) = target {
            self.revise(target, kept);
            index::add(&self.connection, target).unwrap();
        }
        let room = "INSERT INTO rooms (number, sequence, reserved) VALUES (?1, ?2, ?2)
                    ON CONFLICT (number) DO UPDATE SET sequence = ?2, reserved = ?2";
        self.connection.execute(room, (kept.room.0, kept.sequence.0.cast_signed())).unwrap();
    }

    fn insert(&self, kept: &Kept, columns: (i64, &str, Option<&str>, Option<i64>)) {
        let (kind, nick, text, target) = columns;
        let Kept { record, room, sequence } = kept;
        let (position, time) = (record.position.0.cast_signed(), record.time.0.cast_signed());
        let insert = "INSERT INTO facts (id, position, time, kind, nick, text, target)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let row = (id(room.0, sequence.0), position, time, kind, nick, text, target);
        self.connection.execute(insert, row).unwrap();
    }

    fn revise(&self, target: i64, kept: &Kept) {
        let revise = "UPDATE facts SET revised = ?2 WHERE id = ?1";
        self.connection.execute(revise, (target, kept.sequence.0.cast_signed())).unwrap();
        if matches!(kept.record.fact, Fact::Redacted { .. }) {
            let erase = "UPDATE facts SET text = NULL WHERE id = ?1 OR (target = ?1 AND kind IN (6, 7))";
            self.connection.execute(erase, [target]).unwrap();
        }
    }

    pub(crate) fn index_all(&self) {
        while index::index_some(&self.connection, 7).unwrap().rest == index::Behind::Some {}
        assert_eq!(self.count_behind(), 0);
    }

    /// How many sequences the index is behind, in all rooms together.
    pub(crate) fn count_behind(&self) -> u64 {
        let sum = "SELECT coalesce(sum(sequence - indexed), 0) FROM rooms";
        self.connection.query_row(sum, (), |row| row.get(0)).unwrap()
    }

    /// What is not written yet, in two batches.
    pub(crate) fn batches(&self) -> Vec<Arc<Batch>> {
        let (first, second) = self.pending.split_at(self.pending.len() / 2);
        let batch = |kept: &[Kept]| {
            let reservation = Reservation::default();
            Arc::new(Batch { kept: kept.to_vec(), reservation, position: Position(self.position) })
        };
        vec![batch(first), batch(second)]
    }

    /// All rooms, to the end.
    pub(crate) fn rooms(&self) -> Vec<(RoomRef, Sequence)> {
        let sequence = |room: u32| Sequence(self.sequences.get(&room).copied().unwrap_or_default());
        (1..=ROOMS).map(|room| (room_ref(room), sequence(room))).collect()
    }

    pub(crate) fn search(&self, rooms: &[(RoomRef, Sequence)], wanted: &Search) -> Findings {
        search::search(&self.connection, rooms, wanted, &self.batches(), || false).unwrap()
    }

    /// Where words are found, in any room: the newest first.
    pub(crate) fn find(&self, words: &str) -> Vec<u64> {
        let findings = self.search(&self.rooms(), &looking_for(words));
        places(&findings).into_iter().map(|(_, sequence)| sequence).collect()
    }

    /// What a search has to find: every line is folded and looked through.
    pub(crate) fn expected(&self, rooms: &[(RoomRef, Sequence)], wanted: &Search) -> Vec<(u32, u64)> {
        let asked = words::fold(&Text::kept(&wanted.words));
        let author = wanted.author.as_deref().map(key_of);
        let is_found = |line: &&Noted| {
            let upto = rooms.iter().find(|(room, _)| room.number.0 == line.room);
            let folded = line.text.as_ref().map(|text| words::fold(&Text::kept(text)));
            upto.is_some_and(|(_, upto)| line.sequence <= upto.0)
                && author.as_ref().is_none_or(|author| *author == key_of(&line.nick))
                && wanted.since.is_none_or(|since| since.0 <= line.time)
                && wanted.before.is_none_or(|before| line.time < before.0)
                && folded.is_some_and(|folded| asked.split(' ').all(|word| folded.contains(word)))
        };
        let mut found: Vec<_> = self.model.iter().filter(is_found).collect();
        found.sort_by_key(|line| std::cmp::Reverse(line.position));
        found.iter().map(|line| (line.room, line.sequence)).collect()
    }
}

pub(crate) fn id(room: u32, sequence: u64) -> i64 {
    FactId::new(RoomNumber(room), Sequence(sequence)).unwrap().number()
}

pub(crate) fn room_ref(room: u32) -> RoomRef {
    RoomRef { number: RoomNumber(room), name: format!("room{room}").into() }
}

pub(crate) fn looking_for(words: &str) -> Search {
    Search { words: words.into(), lines_max: 200, ..Search::default() }
}

/// Room and sequence of what was found.
pub(crate) fn places(findings: &Findings) -> Vec<(u32, u64)> {
    let place = |event: &Event| Some((event.kept_in()?.0, event.sequence()?.0));
    findings.lines.iter().filter_map(|past| place(&past.event)).collect()
}

fn who(nick: &str) -> Who {
    Who { member: MemberId::mint(0, 1), nick: nick.into(), address: None }
}

/// Kind, nick, text and target.
fn columns(fact: &Fact) -> (i64, &str, Option<&str>, Option<Sequence>) {
    match fact {
        Fact::Said { author: Author::Member(who), text, .. } => (2, &who.nick, Some(text.formatted()), None),
        Fact::TopicSet { by, topic, .. } => (5, &by.nick, topic.as_ref().map(Line::formatted), None),
        Fact::Edited { by, target, text, .. } => (6, &by.nick, Some(text.formatted()), Some(*target)),
        Fact::Redacted { by, target, .. } => (7, &by.nick, None, Some(*target)),
        _ => unreachable!("no book has that in it"),
    }
}
