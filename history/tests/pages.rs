//! Pages of every span and shape, against a model that looks at all facts, with some of them written and some not.

mod shared;

use history::{Batch, Journal, Options, Reader};
use hub::{
    Author, DoorKind, Event, Fact, Known, Lookup, Manner, PageWanted, Party, RoomNumber, RoomRef, Sequence,
    Shape, Span, Time,
};
use proptest::prelude::*;
use shared::facts::{self, Log, ROOM};
use shared::{Directory, model};
use std::sync::Arc;

/// What may happen in a log.
#[derive(Clone, Debug)]
enum Step {
    Say(u8),
    Act,
    Door,
    Topic(bool),
    Edit(u64),
    Redact(u64),
    Lose(u64),
    Elsewhere,
    Direct,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<u8>().prop_map(Step::Say),
        1 => Just(Step::Act),
        1 => Just(Step::Door),
        1 => any::<bool>().prop_map(Step::Topic),
        4 => (1..30_u64).prop_map(Step::Edit),
        3 => (1..30_u64).prop_map(Step::Redact),
        1 => (1..5_u64).prop_map(Step::Lose),
        1 => Just(Step::Elsewhere),
        1 => Just(Step::Direct),
    ]
}

const TALK: RoomNumber = RoomNumber(3);

fn log_of(steps: &[Step]) -> Log {
    let mut log = Log::open();
    log.open_room(RoomNumber(2), "other");
    for (number, step) in steps.iter().enumerate() {
        let raw = format!("text {number}");
        match step {
            Step::Say(by) => {
                let signature = (by % 2 == 0).then(|| facts::signed(by % 8, None));
                log.say_signed("ann", &raw, signature);
            }
            Step::Act => {
                let (author, text) = (Author::Member(facts::who("bob")), facts::text(&raw));
                let manner = Manner::Acting;
                log.put(ROOM, Fact::Said { author, room: ROOM, text, manner, signature: None });
            }
            Step::Door => {
                let author = Author::Door { kind: DoorKind::Hook, label: "build".into() };
                let (text, manner) = (facts::text(&raw), Manner::Saying);
                log.put(ROOM, Fact::Said { author, room: ROOM, text, manner, signature: None });
            }
            Step::Topic(is_set) => {
                log.set_topic(if *is_set { &raw } else { " " });
            }
            Step::Edit(target) => {
                log.edit(Sequence(*target), &raw);
            }
            Step::Redact(target) => {
                log.redact(Sequence(*target));
            }
            Step::Lose(count) => {
                log.lose(*count);
            }
            Step::Elsewhere => {
                log.put(
                    RoomNumber(2),
                    Fact::TopicSet {
                        by: facts::who("ann"),
                        room: RoomNumber(2),
                        topic: None,
                        signature: None,
                    },
                );
            }
            Step::Direct => {
                let parties = [Party::Client(facts::client(9)), Party::Client(facts::client(3))];
                log.direct(TALK, parties, &raw);
            }
        }
    }
    log
}

fn spans() -> impl Strategy<Value = Span> {
    let sequence = (0..60_u64).prop_map(Sequence);
    prop_oneof![
        Just(Span::Latest),
        sequence.clone().prop_map(Span::Before),
        sequence.clone().prop_map(Span::After),
        sequence.prop_map(Span::Around),
        (0..6_000_u64).prop_map(|time| Span::Since(Time(time))),
    ]
}

fn room_ref(number: RoomNumber) -> RoomRef {
    RoomRef { number, name: "lobby".into() }
}

fn wanted(span: Span, shape: Shape, lines_max: u32, upto: Sequence) -> PageWanted {
    PageWanted { room: room_ref(ROOM), upto, span, lines_max, shape }
}

/// A journal with these batches in it.
fn written(directory: &Directory, batches: &[Arc<Batch>]) -> Journal {
    let (mut journal, _) = Journal::open(directory.path(), &Options::default()).unwrap();
    for batch in batches {
        journal.commit(batch).unwrap();
    }
    journal
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn page_is_what_the_model_says(
        steps in proptest::collection::vec(step(), 0..50),
        cuts in proptest::collection::vec(0..60_usize, 3),
        written_batches in 0..4_usize,
        batches_given in 0..4_usize,
        questions in proptest::collection::vec((spans(), any::<bool>(), 1..12_u32, 0..60_u64, any::<bool>()), 20),
    ) {
        let log = log_of(&steps);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(log.kept.len())).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([log.kept.len()]);
        let begins = std::iter::once(0).chain(cuts.iter().copied());
        let ranges = begins.zip(ends).filter(|(begin, end)| begin < end);
        let batches: Vec<Arc<Batch>> =
            ranges.map(|(begin, end)| Arc::new(facts::batch(log.kept[begin..end].to_vec()))).collect();
        let written_batches = written_batches.min(batches.len());
        let directory = Directory::new();
        let _journal = written(&directory, &batches[..written_batches]);
        let mut reader = Reader::open(directory.path()).unwrap();
        // Some that are written may still be given.
        let unwritten = &batches[written_batches.saturating_sub(batches_given)..];
        for (span, is_present, lines_max, upto, is_talk) in questions {
            let shape = if is_present { Shape::Present } else { Shape::Facts };
            let mut wanted = wanted(span, shape, lines_max, Sequence(upto));
            if is_talk {
                wanted.room = room_ref(TALK);
            }
            let page = reader.page(&wanted, unwritten).unwrap();
            prop_assert_eq!(page, model::page(&log.kept, &wanted));
        }
    }

    #[test]
    fn author_is_the_same_written_or_not(
        steps in proptest::collection::vec(step(), 0..30),
        cut in 0..40_usize,
    ) {
        let log = log_of(&steps);
        let cut = cut.min(log.kept.len());
        let halves = [Arc::new(facts::batch(log.kept[..cut].to_vec())), Arc::new(log.batch(cut))];
        let directory = Directory::new();
        let mut journal = written(&directory, &halves[..1]);
        let mut reader = Reader::open(directory.path()).unwrap();
        let ask = |reader: &mut Reader, unwritten: &[Arc<Batch>]| -> Vec<Known> {
            let ask = |target| Lookup::Author { room: ROOM, target: Sequence(target) };
            (0..60).map(|target| reader.look_up(ask(target), unwritten).unwrap()).collect()
        };
        let before = ask(&mut reader, &halves[1..]);
        journal.commit(&halves[1]).unwrap();
        prop_assert_eq!(before, ask(&mut reader, &[]));
    }
}

#[test]
fn pages_one_after_another_are_the_whole_room() {
    let mut log = Log::open();
    for number in 0..100 {
        let sequence = log.say("ann", &format!("text {number}"));
        log.edit(sequence, &format!("new {number}"));
    }
    let directory = Directory::new();
    let _journal = written(&directory, &[Arc::new(log.batch(0))]);
    let mut reader = Reader::open(directory.path()).unwrap();
    let mut span = Span::Latest;
    let mut texts = Vec::new();
    loop {
        let page = reader.page(&wanted(span, Shape::Present, 7, log.upto()), &[]).unwrap();
        texts.splice(0..0, page.lines.iter().map(|past| past.event.sequence().unwrap()));
        match page.before {
            Some(before) => span = Span::Before(before),
            None => break,
        }
    }
    assert_eq!(texts, (1..=100).map(|number| Sequence(number * 2)).collect::<Vec<_>>());
}

#[test]
fn page_ends_after_so_much_text_but_has_a_line() {
    let mut log = Log::open();
    for _ in 0..40 {
        log.say("ann", &"x".repeat(16 * 1024));
    }
    let directory = Directory::new();
    let _journal = written(&directory, &[Arc::new(log.batch(0))]);
    let mut reader = Reader::open(directory.path()).unwrap();
    let page = reader.page(&wanted(Span::Latest, Shape::Present, 100, log.upto()), &[]).unwrap();
    assert_eq!((page.lines.len(), page.before), (16, Some(Sequence(26))));
}

#[test]
fn page_of_nothing_but_changes_ends_and_says_where_to_go_on() {
    let mut log = Log::open();
    let first = log.say("ann", "text");
    for number in 0..5_000 {
        log.edit(first, &format!("text {number}"));
    }
    let directory = Directory::new();
    let _journal = written(&directory, &[Arc::new(log.batch(0))]);
    let mut reader = Reader::open(directory.path()).unwrap();
    let page = reader.page(&wanted(Span::Latest, Shape::Present, 10, log.upto()), &[]).unwrap();
    assert_eq!((page.lines.len(), page.before), (0, Some(Sequence(5_002 - 4_095))));
    let span = Span::Before(page.before.unwrap());
    let page = reader.page(&wanted(span, Shape::Present, 10, log.upto()), &[]).unwrap();
    assert_eq!((page.lines.len(), page.before), (1, None));
    assert!(matches!(&page.lines[0].event, Event::Said { text, .. } if text.formatted() == "text 4999"));
}

#[test]
fn where_a_clock_was_set_back_a_page_begins_behind_something_older() {
    let mut log = Log::open();
    let times: Vec<u64> = (1..50).chain(20..80).chain(5..30).collect();
    for time in &times {
        log.time = Some(Time(*time));
        log.say("ann", "text");
    }
    let directory = Directory::new();
    let _journal = written(&directory, &[Arc::new(log.batch(0))]);
    let mut reader = Reader::open(directory.path()).unwrap();
    for since in 0..100 {
        let wanted = wanted(Span::Since(Time(since)), Shape::Facts, 5, log.upto());
        let page = reader.page(&wanted, &[]).unwrap();
        let Some(first) = page.lines.first() else {
            assert!(since > 29, "{since} is found somewhere");
            continue;
        };
        assert!(first.time >= Time(since));
        let place = first.event.sequence().unwrap().0 as usize - 1;
        assert!(place == 0 || log.kept[place - 1].record.time < Time(since) || place == 1);
    }
}

#[test]
fn senseless_rows_are_passed_over() {
    let mut log = Log::open();
    for _ in 0..5 {
        log.say("ann", "text");
    }
    let directory = Directory::new();
    let journal = written(&directory, &[Arc::new(log.batch(0))]);
    drop(journal);
    let connection = rusqlite::Connection::open(directory.file()).unwrap();
    let nonsense = [
        "UPDATE facts SET kind = 99 WHERE id = 4294967296 + 2",
        "UPDATE facts SET time = -1 WHERE id = 4294967296 + 3",
        "UPDATE facts SET nick = NULL WHERE id = 4294967296 + 4",
        "UPDATE facts SET text = CAST(x'ff41' AS TEXT) WHERE id = 4294967296 + 5",
        "INSERT INTO facts (id, position, time, kind) VALUES (-5, 1, 1, 2)",
    ];
    for sql in nonsense {
        connection.execute(sql, ()).unwrap();
    }
    drop(connection);
    let mut reader = Reader::open(directory.path()).unwrap();
    for shape in [Shape::Present, Shape::Facts] {
        let page = reader.page(&wanted(Span::Latest, shape, 100, log.upto()), &[]).unwrap();
        let said = page.lines.iter().filter(|past| matches!(past.event, Event::Said { .. })).count();
        assert_eq!(said, 1);
    }
}
