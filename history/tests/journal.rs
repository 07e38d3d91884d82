//! The journal at its edges: who may open it, what a full disk does, what is erased, what a killed server leaves behind.

mod shared;

use history::{
    Batch, Cause, Ended, Journal, OpenError, Options, Reader, Remaining, Retention, SEARCH_MAX, Sync,
};
use hub::{
    Author, Epoch, Event, Fact, KeptKind, Known, Lookup, Manner, Page, PageWanted, Party, Position, Receipt,
    Reservation, RoomNumber, RoomRef, Search, Sequence, Shape, Span, Time, Trouble,
};
use shared::Directory;
use shared::facts::{self, Log, ROOM, client, signed};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

fn open(directory: &Directory) -> (Journal, history::Restored) {
    Journal::open(directory.path(), &Options::default()).unwrap()
}

fn refused(directory: &Directory) -> (OpenError, String) {
    let error = Journal::open(directory.path(), &Options::default()).unwrap_err();
    let words = error.to_string().replace(&format!("{}", directory.path().display()), "DIR");
    (error, words)
}

fn latest(directory: &Directory, room: RoomNumber) -> Page {
    let room = RoomRef { number: room, name: "lobby".into() };
    let (upto, span, shape) = (Sequence(u64::MAX), Span::Latest, Shape::Facts);
    let wanted = PageWanted { room, upto, span, lines_max: 10_000, shape };
    Reader::open(directory.path()).unwrap().page(&wanted, &[]).unwrap()
}

fn sequences(page: &Page) -> Vec<u64> {
    page.lines.iter().map(|past| past.event.sequence().unwrap().0).collect()
}

#[test]
fn new_directory_is_for_nobody_else() {
    let directory = Directory::new();
    let (_journal, restored) = open(&directory);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.path()), 0o700);
    for name in ["roomful.db", "roomful.db-wal", "roomful.db-shm", "roomful.lock"] {
        assert_eq!(mode(&directory.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(restored.ended, Ended::Cleanly);
    assert_eq!(restored.snapshot.rooms, []);
    assert_eq!(restored.reservation.next_room, RoomNumber(1));
}

#[test]
fn epoch_is_made_once() {
    let directory = Directory::new();
    let options = Options { epoch_bits: u64::MAX, ..Options::default() };
    let (journal, restored) = Journal::open(directory.path(), &options).unwrap();
    assert_eq!(restored.epoch, Epoch::new((1 << 40) - 1));
    drop(journal);
    let (journal, restored) = open(&directory);
    assert_eq!(restored.epoch, Epoch::new((1 << 40) - 1));
    assert_eq!(journal.epoch(), restored.epoch);
}

#[test]
fn directory_in_use_says_by_whom() {
    let directory = Directory::new();
    let (journal, _) = open(&directory);
    let process = std::process::id();
    let (_, words) = refused(&directory);
    assert_eq!(words, format!("DIR is in use by another roomful (process {process})"));
    drop(journal);
    open(&directory);
}

#[test]
fn file_in_place_of_the_directory_is_refused() {
    let directory = Directory::new();
    fs::write(directory.path(), "no directory").unwrap();
    let (error, words) = refused(&directory);
    assert!(matches!(error, OpenError::NoDirectory(..)), "{words}");
    fs::remove_file(directory.path()).unwrap();
}

/// Even the superuser may not write there.
#[cfg(target_os = "linux")]
#[test]
fn directory_that_may_not_be_written_to_is_refused() {
    let error = Journal::open("/proc/self/fdinfo".as_ref(), &Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::NoDirectory(..)), "{error}");
}

#[test]
fn foreign_file_is_refused_and_left_alone() {
    let text =
        b"a diary, and no data file; longer than a header of SQLite's, so that all of it is looked at "
            .to_vec();
    let other = Directory::new();
    fs::create_dir(other.path()).unwrap();
    let connection = rusqlite::Connection::open(other.file()).unwrap();
    connection.execute_batch("CREATE TABLE diary (page TEXT)").unwrap();
    drop(connection);
    for content in [text.clone(), text[..9].to_vec(), fs::read(other.file()).unwrap()] {
        let directory = Directory::new();
        fs::create_dir(directory.path()).unwrap();
        fs::write(directory.file(), &content).unwrap();
        let (error, words) = refused(&directory);
        assert!(matches!(error, OpenError::Foreign(_)), "{words}");
        assert_eq!(fs::read(directory.file()).unwrap(), content);
        assert!(!directory.path().join("roomful.db-wal").exists());
    }
}

#[test]
fn file_of_a_newer_version_is_refused_and_left_alone() {
    let directory = Directory::new();
    drop(open(&directory));
    let connection = rusqlite::Connection::open(directory.file()).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    drop(connection);
    let content = fs::read(directory.file()).unwrap();
    let (error, words) = refused(&directory);
    assert!(matches!(error, OpenError::Newer(_)));
    assert_eq!(words, "DIR/roomful.db was made by a newer roomful; use that");
    assert_eq!(fs::read(directory.file()).unwrap(), content);
    assert!(matches!(Reader::open(directory.path()), Err(OpenError::Newer(_))));
}

#[test]
fn newer_version_is_seen_in_the_log_too() {
    let directory = Directory::new();
    drop(open(&directory));
    let connection = rusqlite::Connection::open(directory.file()).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    let killed = directory.as_killed();
    let (error, words) = refused(&killed);
    assert!(matches!(error, OpenError::Newer(_)), "{words}");
    drop(connection);
}

#[test]
fn truncated_or_overwritten_file_is_called_damaged() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    for number in 0..1000 {
        log.say("ann", &format!("text {number}"));
    }
    journal.commit(&log.batch(0)).unwrap();
    journal.finish(&log.batch(0).reservation).unwrap();
    let content = fs::read(directory.file()).unwrap();
    let mut scribbled = content.clone();
    scribbled[100..].fill(0x55);
    for damaged in [content[..4096].to_vec(), content[..150].to_vec(), scribbled] {
        fs::write(directory.file(), damaged).unwrap();
        let (error, words) = refused(&directory);
        assert!(matches!(error, OpenError::Damaged { .. }), "{words}");
        assert!(words.ends_with("roomful check tells more"), "{words}");
        assert!(matches!(Reader::open(directory.path()), Err(OpenError::Damaged { .. })));
    }
}

#[test]
fn file_without_its_own_row_or_with_a_senseless_room_is_called_damaged() {
    for sql in [
        "DELETE FROM server",
        "UPDATE server SET position = -1",
        "DROP TABLE rooms",
        "INSERT INTO rooms (number, name, key, sequence, reserved) VALUES (3, 'no name', 'no name', 1, 1)",
        "INSERT INTO rooms (number, name, key, sequence, reserved) VALUES (3, 'Dev', 'Dev', 1, 1)",
        "INSERT INTO rooms (number, name, key, sequence, reserved) VALUES (-3, 'dev', 'dev', 1, 1)",
        "INSERT INTO rooms (number, name, key, sequence, reserved) VALUES (3, 'dev', 'dev', -1, 1)",
        "INSERT INTO rooms (number, one, other, sequence, reserved) VALUES (3, x'00', x'01', 1, 1)",
    ] {
        let directory = Directory::new();
        drop(open(&directory));
        rusqlite::Connection::open(directory.file()).unwrap().execute_batch(sql).unwrap();
        let (error, words) = refused(&directory);
        assert!(matches!(error, OpenError::Damaged { .. }), "{sql}: {words}");
    }
}

#[test]
fn file_that_was_never_finished_is_begun_anew() {
    for content in [vec![], vec![0; 4096]] {
        let directory = Directory::new();
        fs::create_dir(directory.path()).unwrap();
        fs::write(directory.file(), &content).unwrap();
        if content.is_empty() {
            open(&directory);
        } else {
            // Zeros are not empty for SQLite, whose own journal would have cut them off; without that it is a damage.
            refused(&directory);
        }
    }
}

#[test]
fn reader_without_a_file_says_so() {
    let directory = Directory::new();
    let words = Reader::open(directory.path()).unwrap_err().to_string();
    assert!(words.ends_with("roomful.db; name the data directory of a roomful"), "{words}");
}

#[test]
fn full_file_refuses_and_takes_the_same_batch_later() {
    let directory = Directory::new();
    let options = Options { bytes_max: Some(40 * 8 * 1024), ..Options::default() };
    let (mut journal, _) = Journal::open(directory.path(), &options).unwrap();
    let mut log = Log::open();
    journal.commit(&log.batch(0)).unwrap();
    let mut durable = 1;
    let error = loop {
        let begin = log.kept.len();
        for _ in 0..20 {
            log.say("ann", &"x".repeat(500));
        }
        match journal.commit(&log.batch(begin)) {
            Ok(()) => durable = log.kept.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.trouble, Trouble::Full);
    assert!(error.to_string().starts_with("it cannot be written down, because the disk is full"), "{error}");
    assert_eq!(sequences(&latest(&directory, ROOM)).len(), durable);
    let failed = log.batch(durable);
    assert_eq!(journal.commit(&failed).unwrap_err().trouble, Trouble::Full);
    journal.set_bytes_max(None).unwrap();
    journal.commit(&failed).unwrap();
    let all: Vec<u64> = (1..=log.kept.len() as u64).collect();
    assert_eq!(sequences(&latest(&directory, ROOM)), all);
    drop(journal);
    let (_, restored) = open(&directory.as_killed());
    assert_eq!(restored.snapshot.rooms[0].sequence, log.upto());
}

#[test]
fn batch_that_is_written_already_is_not_written_twice() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    log.say("ann", "one");
    journal.commit(&log.batch(0)).unwrap();
    log.say("ann", "two");
    journal.commit(&log.batch(0)).unwrap();
    journal.commit(&log.batch(0)).unwrap();
    assert_eq!(sequences(&latest(&directory, ROOM)), [1, 2, 3]);
}

/// How many messages a search finds, when the index has come so far.
fn found(directory: &Directory, words: &str) -> usize {
    let room = RoomRef { number: ROOM, name: "lobby".into() };
    let search = Search { words: words.into(), lines_max: 50, ..Search::default() };
    let mut reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.index_behind().unwrap(), 0);
    reader.search(&[(room, Sequence(u64::MAX))], &search, &[], SEARCH_MAX).unwrap().lines.len()
}

#[test]
fn what_an_edit_says_is_found_and_what_it_said_before_is_not() {
    let (directory, mut log) = (Directory::new(), Log::open());
    let (mut journal, _) = open(&directory);
    let said: Vec<Sequence> = (0..40).map(|nth| log.say("ann", &format!("apple {nth}"))).collect();
    // More than are inserted together, and some of them changed within the same commit.
    log.edit(said[3], "cherry 3");
    log.say("bob", "plum");
    journal.commit(&log.batch(0)).unwrap();
    while journal.index_some().unwrap() == Remaining::Something {}
    assert_eq!((found(&directory, "apple"), found(&directory, "cherry")), (39, 1));
    let begin = log.kept.len();
    log.edit(said[5], "pear 5");
    journal.commit(&log.batch(begin)).unwrap();
    while journal.index_some().unwrap() == Remaining::Something {}
    assert_eq!((found(&directory, "apple"), found(&directory, "pear")), (38, 1));
}

#[test]
fn numbers_that_the_file_cannot_hold_are_refused_and_nothing_of_the_batch_is_kept() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    log.say("ann", "text");
    for (room, sequence, position) in
        [(1 << 31, 2, 20), (1, 1 << 32, 20), (1, 2, u64::MAX), (0, 2, 20), (1, 0, 20)]
    {
        let mut kept = log.kept.clone();
        kept[1].room = RoomNumber(room);
        kept[1].sequence = Sequence(sequence);
        kept[1].record.position = Position(position);
        let reservation = facts::batch(log.kept.clone()).reservation;
        let error = journal.commit(&Batch { kept, reservation, position: Position(20) }).unwrap_err();
        assert!(matches!(error.cause, Cause::OutOfNumbers), "{error}");
    }
    assert_eq!(sequences(&latest(&directory, ROOM)), [0; 0]);
    journal.commit(&log.batch(0)).unwrap();
    assert_eq!(sequences(&latest(&directory, ROOM)), [1, 2]);
}

#[test]
fn exchanged_file_is_not_written_to() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    journal.commit(&log.batch(0)).unwrap();
    let mut unkeepable = log.batch(0);
    log.say("ann", "text");
    unkeepable.kept = log.kept.clone();
    unkeepable.kept[1].sequence = Sequence(1 << 32);
    journal.commit(&unkeepable).unwrap_err();
    // After an error the file is opened anew.
    let other = Directory::new();
    let options = Options { epoch_bits: 7, ..Options::default() };
    drop(Journal::open(other.path(), &options).unwrap());
    fs::rename(other.file(), directory.file()).unwrap();
    let error = journal.commit(&log.batch(1)).unwrap_err();
    assert!(matches!(error.cause, Cause::Exchanged), "{error}");
}

/// A journal in which something is written, and whatever else a test of it needs.
fn talking() -> (Directory, Journal, Log) {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    journal.commit(&log.batch(0)).unwrap();
    log.say("ann", "text");
    (directory, journal, log)
}

#[test]
fn nothing_is_called_durable_in_a_file_that_was_deleted() {
    let (directory, mut journal, log) = talking();
    fs::remove_file(directory.file()).unwrap();
    for _ in 0..2 {
        let error = journal.commit(&log.batch(1)).unwrap_err();
        assert!(matches!(error.cause, Cause::Exchanged), "{error}");
        assert_eq!(error.trouble, Trouble::Gone);
    }
}

#[test]
fn commit_into_a_log_that_was_deleted_is_made_good() {
    let (directory, mut journal, log) = talking();
    fs::remove_file(directory.path().join("roomful.db-wal")).unwrap();
    let error = journal.commit(&log.batch(1)).unwrap_err();
    assert!(matches!(error.cause, Cause::Exchanged), "{error}");
    // SQLite copies the log that it has open into the data file when it closes both.
    journal.commit(&log.batch(1)).unwrap();
    assert_eq!(sequences(&latest(&directory, ROOM)), [1, 2]);
}

#[test]
fn nothing_is_called_durable_in_a_file_that_was_replaced_and_the_new_one_is_left_alone() {
    let (directory, mut journal, log) = talking();
    let copy = directory.path().join("copy");
    fs::copy(directory.file(), &copy).unwrap();
    fs::rename(&copy, directory.file()).unwrap();
    let before = fs::read(directory.file()).unwrap();
    for _ in 0..2 {
        let error = journal.commit(&log.batch(1)).unwrap_err();
        assert!(matches!(error.cause, Cause::Exchanged), "{error}");
    }
    assert_eq!(fs::read(directory.file()).unwrap(), before);
}

#[test]
fn directory_that_was_moved_away_and_back_is_written_to_again() {
    let (directory, mut journal, log) = talking();
    let aside = directory.path().with_extension("aside");
    fs::rename(directory.path(), &aside).unwrap();
    journal.commit(&log.batch(1)).unwrap_err();
    fs::rename(&aside, directory.path()).unwrap();
    journal.commit(&log.batch(1)).unwrap();
    assert_eq!(sequences(&latest(&directory, ROOM)), [1, 2]);
}

#[test]
fn end_in_order_and_end_by_a_kill_are_told_apart() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    log.say("ann", "text");
    journal.commit(&log.batch(0)).unwrap();
    let killed = directory.as_killed();
    let (_, restored) = open(&killed);
    assert_eq!(restored.ended, Ended::Abruptly);
    assert_eq!(restored.reservation.sequences[&ROOM], Sequence(2 + hub::RESERVED_AHEAD));
    assert_eq!(restored.snapshot.position, Position(20));
    let exact = Reservation {
        position: Position(33),
        next_room: RoomNumber(2),
        sequences: [(ROOM, Sequence(2))].into(),
    };
    journal.finish(&exact).unwrap();
    let (mut journal, restored) = open(&directory);
    assert_eq!((restored.ended, restored.reservation), (Ended::Cleanly, exact));
    // From the first commit on it would be a kill again.
    journal.commit(&Batch { kept: vec![], ..log.batch(0) }).unwrap();
    drop(journal);
    assert_eq!(open(&directory).1.ended, Ended::Abruptly);
}

#[test]
fn journal_that_does_not_wait_for_the_disk_keeps_the_same() {
    let directory = Directory::new();
    let options = Options { durability: Sync::Off, ..Options::default() };
    let (mut journal, _) = Journal::open(directory.path(), &options).unwrap();
    let mut log = Log::open();
    log.say("ann", "text");
    journal.commit(&log.batch(0)).unwrap();
    journal.finish(&log.batch(0).reservation).unwrap();
    assert_eq!(sequences(&latest(&directory, ROOM)), [1, 2]);
}

#[test]
fn room_of_nothing_but_its_opening_leaves_nothing_and_its_name_is_free() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    log.open_room(RoomNumber(2), "Dev");
    journal.commit(&log.batch(0)).unwrap();
    let begin = log.kept.len();
    log.put(RoomNumber(2), Fact::Closed { room: RoomNumber(2) });
    log.open_room(RoomNumber(3), "dev");
    log.open_room(RoomNumber(4), "gone");
    log.put(RoomNumber(4), Fact::Closed { room: RoomNumber(4) });
    journal.commit(&log.batch(begin)).unwrap();
    let (_, restored) = open(&directory.as_killed());
    let numbers: Vec<u32> = restored.snapshot.rooms.iter().map(|room| room.number.0).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(sequences(&latest(&directory, RoomNumber(2))), [0; 0]);
    assert_eq!(sequences(&latest(&directory, RoomNumber(4))), [0; 0]);
    assert_eq!(sequences(&latest(&directory, RoomNumber(3))), [1]);
}

#[test]
fn closed_room_keeps_what_was_said_but_not_its_name() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    log.say("ann", "text");
    log.put(ROOM, Fact::Closed { room: ROOM });
    log.open_room(RoomNumber(2), "lobby");
    journal.commit(&log.batch(0)).unwrap();
    let (_, restored) = open(&directory.as_killed());
    assert_eq!(restored.snapshot.rooms.len(), 1);
    assert!(!restored.reservation.sequences.contains_key(&ROOM));
    assert_eq!(sequences(&latest(&directory, ROOM)), [1, 2]);
}

#[test]
fn conversation_is_restored_with_the_nicks_of_its_last_words() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::default();
    let (one, other) = (Party::Client(client(1)), Party::Client(client(2)));
    let guest = Party::Guest(hub::MemberId::mint(0, 5));
    log.direct(RoomNumber(1), [other, one], "hello");
    journal.commit(&log.batch(0)).unwrap();
    log.direct(RoomNumber(2), [guest, one], "hello");
    journal.commit(&log.batch(1)).unwrap();
    let kinds: Vec<KeptKind> =
        open(&directory.as_killed()).1.snapshot.rooms.into_iter().map(|room| room.kind).collect();
    let past = Party::Past(RoomNumber(2));
    // ann said it; whoever is less stands first.
    assert_eq!(
        kinds,
        [
            KeptKind::Conversation([one, other], ["bob".into(), "ann".into()]),
            KeptKind::Conversation([one, past], ["bob".into(), "ann".into()]),
        ]
    );
}

#[test]
fn topic_is_restored_until_it_is_cleared() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    log.set_topic("first");
    log.set_topic("second");
    journal.commit(&log.batch(0)).unwrap();
    let topic = open(&directory.as_killed()).1.snapshot.rooms[0].topic.clone().unwrap();
    assert_eq!((topic.text.formatted(), &*topic.by, topic.time), ("second", "ann", Time(300)));
    log.set_topic(" ");
    journal.commit(&log.batch(3)).unwrap();
    assert_eq!(open(&directory.as_killed()).1.snapshot.rooms[0].topic, None);
}

fn receipts(directory: &Directory, unwritten: &[Arc<Batch>], number: u8) -> Vec<(String, u64)> {
    let mut reader = Reader::open(directory.path()).unwrap();
    let known = reader.look_up(Lookup::Client(client(number)), unwritten).unwrap();
    let Known::Client(receipts) = known else { panic!("{known:?}") };
    let pair = |receipt: Receipt| (receipt.nonce.as_str().to_owned(), receipt.sequence.0);
    receipts.into_iter().map(pair).collect()
}

#[test]
fn what_was_asked_under_a_nonce_is_known_written_or_not() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    let author = || Author::Member(facts::who("ann"));
    let under = |nonce: &str| Some(signed(1, Some(nonce)));
    let (by, room, target) = (facts::who("ann"), ROOM, Sequence(2));
    let parties = [Party::Client(client(1)), Party::Client(client(2))];
    let said =
        |manner, signature| Fact::Said { author: author(), room, text: facts::text("x"), manner, signature };
    log.put(ROOM, said(Manner::Saying, under("say")));
    log.put(ROOM, said(Manner::Acting, under("act")));
    let (from, to, text) = (by.clone(), facts::who("bob"), facts::text("x"));
    log.put(RoomNumber(2), Fact::Directed { from, to, parties, text, signature: under("direct") });
    let text = facts::text("x");
    log.put(ROOM, Fact::Edited { by: by.clone(), room, target, text, signature: under("edit") });
    log.put(ROOM, Fact::TopicSet { by: by.clone(), room, topic: None, signature: under("set-topic") });
    log.put(ROOM, Fact::Redacted { by, room, target, reason: None, signature: under("redact") });
    let unwritten = [Arc::new(log.batch(0))];
    let check = |unwritten: &[Arc<Batch>]| {
        let mut reader = Reader::open(directory.path()).unwrap();
        let known = reader.look_up(Lookup::Client(client(1)), unwritten).unwrap();
        let Known::Client(receipts) = known else { panic!("{known:?}") };
        assert_eq!(receipts.len(), 6);
        assert!(receipts.iter().all(|receipt| receipt.nonce.as_str() == receipt.verb.word()), "{receipts:?}");
    };
    check(&unwritten);
    journal.commit(&unwritten[0]).unwrap();
    check(&[]);
}

#[test]
fn last_thousand_nonces_of_a_client_are_known_written_or_not() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    let mut begin = 0;
    for number in 0..5_000 {
        log.say_signed("ann", "text", Some(signed(1, Some(&format!("n{number}")))));
        if number % 700 == 0 {
            log.say_signed("bob", "text", Some(signed(2, Some(&format!("n{number}")))));
            journal.commit(&log.batch(begin)).unwrap();
            begin = log.kept.len();
        }
    }
    // One that the hub had forgotten, used again.
    log.say_signed("ann", "text", Some(signed(1, Some("n5"))));
    let unwritten = [Arc::new(log.batch(begin))];
    let known = receipts(&directory, &unwritten, 1);
    let expected = (4_001..5_000).map(|number| format!("n{number}")).chain(["n5".to_owned()]);
    assert!(known.iter().map(|(nonce, _)| nonce.clone()).eq(expected));
    assert_eq!(known.last().unwrap().1, log.upto().0);
    assert_eq!(receipts(&directory, &unwritten, 2).len(), 8);
    assert_eq!(receipts(&directory, &[], 3), []);
    journal.commit(&unwritten[0]).unwrap();
    assert_eq!(receipts(&directory, &unwritten, 1), known);
    assert_eq!(receipts(&directory, &[], 1), known);
    drop(journal);
    let connection = rusqlite::Connection::open(directory.file()).unwrap();
    let rows: u64 = connection.query_row("SELECT count(*) FROM nonces", (), |row| row.get(0)).unwrap();
    assert!(rows < 2_100, "{rows}");
}

#[test]
fn what_was_erased_is_in_no_file_any_more() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let (first, second, kept) = ("zq-first-secret", "zq-second-secret", "zq-not-erased");
    let mut log = Log::open();
    let target = log.say("ann", first);
    log.say("ann", kept);
    journal.commit(&log.batch(0)).unwrap();
    log.edit(target, second);
    journal.commit(&log.batch(3)).unwrap();
    assert!(directory.has(first.as_bytes()) && directory.has(second.as_bytes()));
    log.redact(target);
    // One that was on its way already.
    log.edit(target, "zq-third-secret");
    journal.commit(&log.batch(4)).unwrap();
    assert_eq!(journal.tidy().unwrap(), Remaining::Nothing);
    for secret in [first, second, "zq-third-secret"] {
        assert!(!directory.has(secret.as_bytes()), "{secret}");
    }
    assert!(directory.has(kept.as_bytes()));
    let events: Vec<_> = latest(&directory, ROOM).lines.into_iter().map(|past| past.event).collect();
    let expected = |event: &Event| match event.sequence().unwrap().0 {
        1 => matches!(event, Event::Opened { .. }),
        2 => matches!(event, Event::Erased { .. }),
        3 => matches!(event, Event::Said { .. }),
        _ => matches!(event, Event::Redacted { reason: Some(_), .. }),
    };
    assert!(events.len() == 4 && events.iter().all(expected), "{events:?}");
}

#[test]
fn reader_in_the_way_of_an_erasure_delays_only_its_end() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    let target = log.say("ann", "zq-secret");
    journal.commit(&log.batch(0)).unwrap();
    let reader = rusqlite::Connection::open(directory.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM facts").unwrap();
    log.redact(target);
    journal.commit(&log.batch(2)).unwrap();
    assert_eq!(journal.tidy().unwrap(), Remaining::Something);
    log.say("ann", "text");
    journal.commit(&log.batch(3)).unwrap();
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(journal.tidy().unwrap(), Remaining::Nothing);
    assert!(!directory.has(b"zq-secret"));
    assert_eq!(journal.tidy().unwrap(), Remaining::Nothing);
}

#[test]
fn erasure_that_a_kill_cut_off_is_brought_to_its_end() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    let target = log.say("ann", "zq-secret");
    journal.commit(&log.batch(0)).unwrap();
    let reader = rusqlite::Connection::open(directory.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM facts").unwrap();
    log.redact(target);
    journal.commit(&log.batch(2)).unwrap();
    let killed = directory.as_killed();
    assert!(killed.has(b"zq-secret"));
    let (mut journal, _) = open(&killed);
    assert_eq!(journal.tidy().unwrap(), Remaining::Nothing);
    assert!(!killed.has(b"zq-secret"));
}

/// Lets go until nothing is left to be let go of; gives how much it was.
fn forget(journal: &mut Journal, policy: &Retention, now: Time) -> usize {
    let mut all = 0;
    loop {
        let (facts, remaining) = journal.forget(policy, now).unwrap();
        all += facts;
        if remaining == Remaining::Nothing {
            return all;
        }
    }
}

#[test]
fn nothing_is_let_go_of_unasked() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    log.say("ann", "text");
    journal.commit(&log.batch(0)).unwrap();
    assert_eq!(forget(&mut journal, &Retention::default(), Time(u64::MAX)), 0);
    assert_eq!(sequences(&latest(&directory, ROOM)), [1, 2]);
}

#[test]
fn as_many_facts_stay_as_are_wanted_whatever_was_lost_between() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    for _ in 0..2_500 {
        log.say_signed("ann", "zq-secret", Some(signed(1, Some("n"))));
    }
    log.lose(4_096);
    log.say("ann", "text");
    log.open_room(RoomNumber(2), "other");
    journal.commit(&log.batch(0)).unwrap();
    let policy = Retention { facts_max: Some(10), ..Retention::default() };
    assert_eq!(forget(&mut journal, &policy, Time(0)), 2_493);
    let page = latest(&directory, ROOM);
    assert_eq!((page.lines.len(), page.forgotten, page.before), (10, Sequence(2_493), None));
    let policy = Retention { facts_max: Some(2), ..Retention::default() };
    forget(&mut journal, &policy, Time(0));
    assert_eq!(sequences(&latest(&directory, ROOM)), [6_598, 6_599]);
    assert_eq!(forget(&mut journal, &policy, Time(0)), 0);
    assert_eq!(journal.tidy().unwrap(), Remaining::Nothing);
    assert!(!directory.has(b"zq-secret"));
    assert_eq!(receipts(&directory, &[], 1), []);
    // The room stays, and goes on where it was.
    let (_, restored) = open(&directory.as_killed());
    assert_eq!(restored.snapshot.rooms[0].sequence, Sequence(6_599));
}

#[test]
fn facts_go_by_age_and_by_bytes() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    for _ in 0..99 {
        log.say("ann", &"x".repeat(36));
    }
    journal.commit(&log.batch(0)).unwrap();
    let policy = Retention { age_ms_max: Some(5_000), ..Retention::default() };
    // The fiftieth happened at 5,000.
    assert_eq!(forget(&mut journal, &policy, Time(10_000)), 49);
    let policy = Retention { bytes_max: Some(1_000), ..Retention::default() };
    assert_eq!(forget(&mut journal, &policy, Time(10_000)), 41);
    assert_eq!(latest(&directory, ROOM).lines.len(), 10);
}

#[test]
fn erased_text_does_not_count_for_the_bytes_of_a_room() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut log = Log::open();
    let target = log.say("ann", &"x".repeat(5_000));
    log.edit(target, &"y".repeat(5_000));
    log.redact(target);
    journal.commit(&log.batch(0)).unwrap();
    let policy = Retention { bytes_max: Some(4 * 64 + 16), ..Retention::default() };
    assert_eq!(forget(&mut journal, &policy, Time(0)), 0);
    let policy = Retention { bytes_max: Some(4 * 64 + 15), ..Retention::default() };
    assert_eq!(forget(&mut journal, &policy, Time(0)), 1);
}

#[test]
fn readers_see_a_commit_at_once() {
    let directory = Directory::new();
    let (mut journal, _) = open(&directory);
    let mut reader = Reader::open(directory.path()).unwrap();
    let mut log = Log::open();
    for number in 1..50 {
        journal.commit(&log.batch(number - 1)).unwrap();
        let room = RoomRef { number: ROOM, name: "lobby".into() };
        let (upto, span, shape) = (log.upto(), Span::Latest, Shape::Facts);
        let page = reader.page(&PageWanted { room, upto, span, lines_max: 100, shape }, &[]).unwrap();
        assert_eq!(page.lines.len(), number);
        log.say("ann", "text");
    }
}
