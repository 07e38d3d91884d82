//! Data files of every version there ever was: each can be opened, has what was in it, and becomes one of the present version.

mod shared;

use history::{Ended, Journal, Options, Reader};
use hub::{
    Author, ClientId, DoorKind, Epoch, Event, KeptKind, Known, Lookup, PageWanted, Party, Position,
    RoomNumber, RoomRef, Sequence, Shape, Span, Time,
};
use rusqlite::Connection;
use shared::Directory;
use std::fs;
use std::path::Path;

/// The versions, from 1 on.
const VERSIONS: [&str; 1] = [include_str!("schemas/1.sql")];

fn file_of(sql: &str) -> Directory {
    let directory = Directory::new();
    fs::create_dir(directory.path()).unwrap();
    Connection::open(directory.file()).unwrap().execute_batch(sql).unwrap();
    directory
}

/// Tables and indices as they are defined, and the versions.
fn schema(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    let mut statement =
        connection.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name").unwrap();
    let rows = statement.query_map((), |row| row.get::<_, String>(0)).unwrap();
    let mut schema: Vec<String> =
        rows.map(|sql| sql.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for pragma in ["application_id", "user_version"] {
        let number: i64 = connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        schema.push(format!("{pragma} {number}"));
    }
    schema
}

#[test]
fn file_of_every_version_becomes_one_of_this() {
    let new = Directory::new();
    drop(Journal::open(new.path(), &Options::default()).unwrap());
    for sql in VERSIONS {
        let directory = file_of(sql);
        drop(Journal::open(directory.path(), &Options::default()).unwrap());
        assert_eq!(schema(&directory.file()), schema(&new.file()));
        Reader::open(directory.path()).unwrap();
    }
}

#[test]
fn file_of_every_version_is_restored() {
    for sql in VERSIONS {
        let directory = file_of(sql);
        let (_journal, restored) = Journal::open(directory.path(), &Options::default()).unwrap();
        assert_eq!(restored.ended, Ended::Abruptly);
        assert_eq!(restored.epoch, Epoch::new(734_208_000_123));
        assert_eq!(restored.reservation.position, Position(1_000_000_090));
        assert_eq!(restored.reservation.sequences[&RoomNumber(1)], Sequence(4_102));
        let [lobby, talk] = &restored.snapshot.rooms[..] else { panic!("{restored:?}") };
        assert!(matches!(&lobby.kind, KeptKind::Open(name) if &*name.shown == "Lobby"));
        let topic = lobby.topic.as_ref().unwrap();
        assert_eq!((topic.text.formatted(), topic.time), ("what we do", Time(1_700_000_000_400)));
        let parties = [Party::Client(ClientId([1; 16])), Party::Past(RoomNumber(2))];
        assert_eq!(talk.kind, KeptKind::Conversation(parties, ["ann".into(), "guest-00007".into()]));
    }
}

#[test]
fn file_of_every_version_is_read() {
    for sql in VERSIONS {
        let directory = file_of(sql);
        let (_journal, _) = Journal::open(directory.path(), &Options::default()).unwrap();
        let mut reader = Reader::open(directory.path()).unwrap();
        let room = RoomRef { number: RoomNumber(1), name: "Lobby".into() };
        let (upto, span, shape) = (Sequence(6), Span::Latest, Shape::Present);
        let page = reader.page(&PageWanted { room, upto, span, lines_max: 10, shape }, &[]).unwrap();
        let [hello, green, topic, waves] = &page.lines[..] else { panic!("{page:?}") };
        assert_eq!(hello.edited, Some(Sequence(5)));
        assert!(matches!(&hello.event, Event::Said { text, .. } if text.formatted() == "hello all"));
        let Event::Said { author: Author::Door { kind, label }, .. } = &green.event else {
            panic!("{green:?}")
        };
        assert_eq!((*kind, &**label), (DoorKind::Hook, "build"));
        assert!(
            matches!(&topic.event, Event::TopicSet { topic: Some(topic), .. } if topic.formatted() == "what we do")
        );
        assert!(matches!(&waves.event, Event::Said { manner: hub::Manner::Acting, .. }));
        let known = reader.look_up(Lookup::Client(ClientId([1; 16])), &[]).unwrap();
        let Known::Client(receipts) = known else { panic!("{known:?}") };
        assert_eq!((receipts[0].nonce.as_str(), receipts[0].sequence), ("n-1", Sequence(2)));
    }
}
