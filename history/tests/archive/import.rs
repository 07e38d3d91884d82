//! Imports: what comes in is what went out, or nothing, whatever was done to it on the way.

use super::*;
use history::{
    ExportWanted, Format, ImportError, Imported, Place, Reader, SEARCH_MAX, check, export, import,
};
use hub::{PageWanted, RoomName, RoomNumber, RoomRef, Sequence, Shape, Span, Time};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::ops::ControlFlow;

/// 2026-11-20T18:05:00Z.
const NOW: Time = Time(1_795_197_900_000);

fn wanted(room: &str) -> ExportWanted {
    let (place, format, zone) = (Place::Room(room.into()), Format::Json, TimeZone::UTC);
    ExportWanted { place, format, since: None, until: None, zone, now: NOW }
}

fn exported(directory: &Directory, wanted: &ExportWanted) -> String {
    let mut bytes = Vec::new();
    export(directory.path(), wanted, &mut bytes, |_| ControlFlow::Continue(())).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn imported_as(into: &Directory, text: &[u8], name: Option<&str>) -> Result<Imported, ImportError> {
    let options = Options { epoch_bits: 7, durability: history::Sync::Off, ..Options::default() };
    let name = name.map(|name| RoomName::parse(name).unwrap());
    import(into.path(), &options, &mut &text[..], name.as_ref(), |_| ControlFlow::Continue(()))
}

fn imported(into: &Directory, text: &str) -> Result<Imported, ImportError> {
    imported_as(into, text.as_bytes(), None)
}

fn refused(text: &str) -> String {
    match imported(&Directory::new(), text) {
        Ok(_) => panic!("that was imported: {text}"),
        Err(error) => error.to_string(),
    }
}

/// The log of a room, each line as it is shown, in one shape.
fn shown(directory: &Directory, room: RoomNumber, shape: Shape) -> Vec<String> {
    let room = RoomRef { number: room, name: "x".into() };
    let (upto, span) = (Sequence(u64::MAX), Span::After(Sequence(0)));
    let wanted = PageWanted { room: room.clone(), upto, span, lines_max: 1_000, shape };
    let page = Reader::open(directory.path()).unwrap().page(&wanted, &[]).unwrap();
    let lines = page.lines.iter().map(|line| format!("{:?} {:?} {:?}", line.time, line.edited, line.event));
    let nobodys = lines.map(|line| line.replace(&format!("RoomNumber({})", room.number.0), "here"));
    nobodys.map(|line| line.split("signature").next().unwrap().to_owned()).collect()
}

/// A log with times that an export can tell.
fn dated() -> Directory {
    let mut log = eventful();
    for (nth, kept) in (0..).zip(&mut log.kept) {
        kept.record.time = Time(NOW.0 + nth * 1_001);
    }
    written(&log)
}

fn without_ids(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.contains("\"type\":\"export\""));
    let without_id = |line: &str| {
        let mut object: serde_json::Value = serde_json::from_str(line).unwrap();
        object.as_object_mut().unwrap().remove("id");
        object.to_string()
    };
    lines.map(without_id).collect()
}

#[test]
fn export_has_a_head_an_object_for_each_number_and_an_end() {
    let text = exported(&dated(), &wanted("lobby"));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "{\"type\":\"export\",\"version\":1,\"room\":\"lobby\",\"epoch\":\"28t5cy4t\",\"topic\":{\"text\":\"what is new\",\
         \"from\":{\"nick\":\"ann\"},\"time\":\"2026-11-20T18:05:04.004Z\"},\"exported\":\"2026-11-20T18:05:00.000Z\"}"
    );
    assert_eq!(
        lines[2],
        "{\"type\":\"event\",\"kind\":\"said\",\"room\":\"lobby\",\"id\":\"28t5cy4t-1-2\",\"sequence\":2,\
         \"time\":\"2026-11-20T18:05:01.001Z\",\"from\":{\"nick\":\"ann\"},\"text\":\"good morning\"}"
    );
    assert_eq!(lines[7], "{\"type\":\"void\",\"sequence\":7}", "its text was erased with what it changed");
    assert_eq!(lines[11], "{\"type\":\"end\",\"objects\":10}");
    assert_eq!(lines.len(), 12);
    assert!(!text.contains("password"));
}

#[test]
fn what_comes_in_is_what_went_out() {
    let (from, into) = (dated(), Directory::new());
    let text = exported(&from, &wanted("lobby"));
    let done = imported(&into, &text).unwrap();
    assert_eq!(done, Imported { room: "lobby".into(), messages: 4, lost: 0 });
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    for shape in [Shape::Present, Shape::Facts] {
        assert_eq!(shown(&into, RoomNumber(1), shape), shown(&from, RoomNumber(1), shape));
    }
    assert_eq!(without_ids(&exported(&into, &wanted("lobby"))), without_ids(&text));
    let [there, here] = [&from, &into].map(|directory| restored(directory.path()).1);
    assert_eq!(here.snapshot.rooms, there.snapshot.rooms);
    assert_ne!(here.epoch, there.epoch);
    assert_eq!(here.ended, history::Ended::Cleanly);
}

#[test]
fn imported_room_goes_on_and_is_found_by_its_words() {
    let into = Directory::new();
    imported_as(&into, exported(&dated(), &wanted("lobby")).as_bytes(), Some("old")).unwrap();
    let (mut journal, restored) = restored(into.path());
    let room = &restored.snapshot.rooms[0];
    assert_eq!((room.number, room.sequence), (RoomNumber(1), Sequence(15)));
    assert_eq!(restored.reservation.sequences[&RoomNumber(1)], Sequence(15), "nothing counts as lost");
    let mut log = Log::default();
    log.sequences.insert(RoomNumber(1), room.sequence);
    log.say("dave", "I am new here");
    log.kept[0].record.position = hub::Position(restored.reservation.position.0 + 1);
    journal.commit(&log.batch(0)).unwrap();
    while journal.index_some().unwrap() == Remaining::Something {}
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    let room = RoomRef { number: RoomNumber(1), name: "old".into() };
    let found = |words: &str| {
        let search = hub::Search { words: words.into(), lines_max: 10, ..hub::Search::default() };
        let mut reader = Reader::open(into.path()).unwrap();
        reader.search(&[(room.clone(), Sequence(16))], &search, &[], SEARCH_MAX).unwrap().lines.len()
    };
    assert_eq!((found("morning"), found("typo"), found("tyop"), found("new here")), (1, 1, 0, 1));
}

#[test]
fn room_in_which_something_was_said_is_left_as_it_is() {
    let (from, into) = (dated(), dated());
    let text = exported(&from, &wanted("lobby"));
    let before = exported(&into, &wanted("lobby"));
    let error = imported(&into, &text).unwrap_err();
    assert_eq!(error.to_string(), "in #lobby something has been said already; name another room with --room");
    assert_eq!(exported(&into, &wanted("lobby")), before);
    assert_eq!(imported_as(&into, text.as_bytes(), Some("Archive")).unwrap().room, "Archive");
    assert_eq!(without_ids(&exported(&into, &wanted("archive"))).len(), 11);
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    assert!(matches!(imported_as(&into, text.as_bytes(), Some("ARCHIVE")), Err(ImportError::Taken(_))));
}

#[test]
fn room_in_which_nothing_was_ever_said_gives_way() {
    let text = exported(&dated(), &wanted("lobby"));
    for crashes in 0..3 {
        let mut log = Log::open();
        for _ in 0..crashes {
            log.lose(4_096);
        }
        let into = written(&log);
        imported(&into, &text).unwrap();
        assert_eq!(check(into.path()).unwrap(), [""; 0]);
        let rooms = restored(into.path()).1.snapshot.rooms;
        assert_eq!(rooms.len(), 1, "the other is closed");
        assert_eq!(rooms[0].sequence, Sequence(15));
    }
    let mut log = Log::open();
    log.set_topic("mine");
    assert!(matches!(imported(&written(&log), &text), Err(ImportError::Taken(_))));
}

#[test]
fn part_of_a_log_keeps_its_numbers_and_its_topic() {
    let (from, into) = (dated(), Directory::new());
    let since = Some(Time(NOW.0 + 6 * 1_001));
    let text = exported(&from, &ExportWanted { since, ..wanted("lobby") });
    assert_eq!(imported(&into, &text).unwrap(), Imported { room: "lobby".into(), messages: 1, lost: 0 });
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    assert_eq!(without_ids(&exported(&into, &wanted("lobby"))), without_ids(&text));
    let rooms = restored(into.path()).1.snapshot.rooms;
    assert_eq!(rooms[0].topic.as_ref().unwrap().text.shown(), "what is new");
    for minutes in 0..11 {
        let until = Some(Time(NOW.0 + minutes * 1_001));
        let text = exported(&from, &ExportWanted { until, ..wanted("lobby") });
        let into = Directory::new();
        match imported(&into, &text) {
            Ok(_) => assert_eq!(check(into.path()).unwrap(), [""; 0], "{minutes}"),
            Err(error) => {
                assert!(minutes == 0 && error.to_string().contains("nothing in this export"), "{error}");
            }
        }
    }
}

#[test]
fn log_of_which_the_oldest_was_let_go_comes_in() {
    for facts_max in 0..10 {
        let (from, into) = (dated(), Directory::new());
        let policy = history::Retention { facts_max: Some(facts_max), ..Default::default() };
        while journal(from.path()).forget(&policy, Time(0)).unwrap().1 == Remaining::Something {}
        let text = exported(&from, &wanted("lobby"));
        if facts_max > 0 {
            imported(&into, &text).unwrap();
            assert_eq!(check(into.path()).unwrap(), [""; 0], "{facts_max}");
            assert_eq!(without_ids(&exported(&into, &wanted("lobby"))), without_ids(&text));
        }
    }
}

#[test]
fn what_is_cut_off_anywhere_imports_nothing() {
    let text = exported(&dated(), &wanted("lobby"));
    let into = Directory::new();
    // The line feed at its end may be missing.
    for length in 0..text.len() - 1 {
        let error = imported_as(&into, &text.as_bytes()[..length], None).unwrap_err();
        assert!(matches!(error, ImportError::Line { .. }), "{length}: {error}");
    }
    let cut = refused(text.rsplit_once("{\"type\":\"end\"").unwrap().0);
    assert_eq!(
        cut,
        "line 11: the file ends here, but an export ends with an object of the type \"end\"; it has been cut off"
    );
    assert_eq!(restored(into.path()).1.snapshot.rooms, []);
    imported(&into, &text).unwrap();
}

const HEAD: &str = "{\"type\":\"export\",\"version\":1,\"room\":\"lobby\"}\n";

/// An export of these objects.
fn whole(objects: &[&str]) -> String {
    format!("{HEAD}{}\n{{\"type\":\"end\",\"objects\":{}}}\n", objects.join("\n"), objects.len())
}

fn said(sequence: u64, text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(
        "{{\"type\":\"event\",\"kind\":\"said\",\"sequence\":{sequence},\"time\":\"2026-11-20T18:05:00Z\",\
         \"from\":{{\"nick\":\"ann\"}},\"text\":{text}}}"
    )
}

fn event(kind: &str, members: &str) -> String {
    format!("{{\"type\":\"event\",\"kind\":\"{kind}\",\"time\":\"2026-11-20T18:05:00Z\",{members}}}")
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let ann = "\"from\":{\"nick\":\"ann\"}";
    let (one, two) = (said(1, "one"), said(2, "two"));
    let after_one = |line: &str| whole(&[&one, line]);
    let table = [
        (String::new(), "line 1: there is nothing; this is no export of roomful"),
        (
            "hello\n".into(),
            "line 1: this is no export of roomful; `roomful export ROOM --format json` makes one",
        ),
        ("{}\n".into(), "line 1: this is no export"),
        ("\u{feff}{\"type\":\"export\"}".into(), "line 1: this is no export"),
        (HEAD.replace(":1,", ":2,"), "line 1: this export was made by a newer roomful"),
        (HEAD.replace("lobby", "@3"), "line 1: this is a direct conversation"),
        (HEAD.replace("lobby", "a room"), "line 1: room: "),
        (HEAD.replace("\"lobby\"", "7"), "line 1: invalid type: integer `7`, expected a string, at byte "),
        (after_one("hello"), "line 3: expected value, at byte 1"),
        (after_one(""), "line 3: it ends in the middle of an object"),
        (after_one(&one), "line 3: the sequence 1 is not higher than 1, which stands before it"),
        (whole(&[&two, &one]), "line 3: the sequence 1 is not higher than 2"),
        (after_one(&said(0, "x")), "line 3: sequence is 0; numbers begin with 1"),
        (after_one(&said(200_000, "x")), "line 3: the numbers from 2 to 199999 are missing"),
        (whole(&[&said(u64::from(u32::MAX), "x")]), "line 2: the sequence 4294967295 is too high"),
        (after_one(&two.replace("\"sequence\":2", "\"sequence\":-2")), "line 3: invalid value: integer `-2`"),
        (after_one(&two.replace("\"sequence\":2,", "")), "line 3: sequence is missing"),
        (
            after_one(&two.replace("\"sequence\":2", "\"sequence\":2,\"sequence\":3")),
            "line 3: duplicate field `sequence`",
        ),
        (
            after_one(&two.replace("\"two\"", "[\"two\"]")),
            "line 3: invalid type: sequence, expected a string",
        ),
        (after_one(&two.replace("\"two\"", "\"\\ud800\"")), "line 3: "),
        (
            after_one(&two.replace("2026-11-20T18:05:00Z", "yesterday")),
            "line 3: \"yesterday\" is no time; write 2026-",
        ),
        (after_one(&two.replace("2026-", "1926-")), "line 3: \"1926-11-20T18:05:00Z\" is before 1970"),
        (after_one(&two.replace("\"ann\"", "\"<ann> \"")), "line 3: nick: "),
        (
            after_one(&two.replace("\"ann\"", "\"ann\",\"door\":\"back\"")),
            "line 3: from: the door \"back\" is unknown here",
        ),
        (
            after_one(&said(2, &"x".repeat(16 * 1024 + 1))),
            "line 3: text: it has 16385 bytes; at most 16384 are possible",
        ),
        (after_one(&said(2, &"x\n".repeat(300))), "line 3: text: it has 300 lines"),
        (after_one(&said(2, &"x".repeat(128 * 1024))), "line 3: it is longer than 131072 bytes"),
        (after_one(&two.replace("said", "sung")), "line 3: the kind \"sung\" is unknown here"),
        (after_one(&two.replace("event", "order")), "line 3: the type \"order\" is unknown here"),
        (
            after_one(&event("edited", &format!("\"sequence\":2,\"target\":3,\"text\":\"x\",{ann}"))),
            "line 3: 2 changes 3, which is nothing that was said before",
        ),
        (
            after_one(&event("redacted", &format!("\"sequence\":2,\"target\":2,{ann}"))),
            "line 3: 2 changes 2, which is nothing that was said before",
        ),
        (
            after_one(&event(
                "edited",
                "\"sequence\":2,\"target\":1,\"text\":\"x\",\"from\":{\"nick\":\"ann\",\"door\":\"web\"}",
            )),
            "line 3: from: a door can only say something",
        ),
        (
            after_one(&event("lost", "\"sequence\":9,\"first\":2,\"last\":7")),
            "line 3: 2 to 7 cannot be what is lost",
        ),
        (
            after_one(&event("lost", "\"sequence\":9,\"first\":1,\"last\":8")),
            "line 3: the sequence 1 is not higher than 1",
        ),
        (
            after_one(&event("topic", &format!("\"sequence\":2,\"topic\":\"  \",{ann}"))),
            "line 3: topic: there is nothing in it",
        ),
        (format!("{}{two}\n", whole(&[&one])), "line 4: something stands behind the end"),
        (
            whole(&[&one]).replace("objects\":1", "objects\":2"),
            "line 3: 1 objects stand in front of the end, which says otherwise",
        ),
        (whole(&[]), "line 2: "),
    ];
    for (text, expected) in table {
        let error = refused(&text);
        assert!(error.starts_with(expected), "{expected}: {error}");
    }
    let not_utf8 = [whole(&[&one]).as_bytes(), b"\xff\n"].concat();
    assert!(imported_as(&Directory::new(), &not_utf8, None).is_err());
}

#[test]
fn what_is_missing_is_recorded_as_lost() {
    let into = Directory::new();
    let text = whole(&[
        &said(3, "a"),
        &said(5, "b"),
        &said(9, "c"),
        &event("lost", "\"sequence\":20,\"first\":12,\"last\":19"),
    ]);
    assert_eq!(imported(&into, &text).unwrap(), Imported { room: "lobby".into(), messages: 3, lost: 6 });
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    let text = exported(&into, &wanted("lobby"));
    let kinds: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            format!("{} {} {} {}", object["type"], object["sequence"], object["first"], object["last"])
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "\"event\" 3 null null",
            "\"void\" 4 null null",
            "\"event\" 5 null null",
            "\"event\" 8 6 7",
            "\"event\" 9 null null",
            "\"event\" 20 10 19",
            "\"end\" null null null",
        ]
    );
}

#[test]
fn what_was_erased_stays_erased_though_a_line_says_otherwise() {
    let ann = "\"from\":{\"nick\":\"ann\"}";
    let lines = [
        event("erased", &format!("\"sequence\":1,{ann}")),
        event("edited", &format!("\"sequence\":2,\"target\":1,\"text\":\"secret\",{ann}")),
        said(3, "another secret"),
        event("edited", &format!("\"sequence\":4,\"target\":3,\"text\":\"changed secret\",{ann}")),
        event("redacted", &format!("\"sequence\":5,\"target\":3,{ann}")),
        event("redacted", &format!("\"sequence\":6,\"target\":1,{ann},\"reason\":\"so it was wanted\"")),
    ];
    let into = Directory::new();
    imported(&into, &whole(&lines.each_ref().map(String::as_str))).unwrap();
    assert_eq!(check(into.path()).unwrap(), [""; 0]);
    assert!(!into.has(b"secret"), "in no file");
    assert!(into.has(b"so it was wanted"));
}

#[test]
fn members_that_nobody_knows_are_passed_over_however_deep_they_are() {
    let deep = format!("{}1{}", "[".repeat(60_000), "]".repeat(60_000));
    let line = said(1, "hello").replace("\"text\"", &format!("\"mood\":{deep},\"text\""));
    assert_eq!(imported(&Directory::new(), &whole(&[&line])).unwrap().messages, 1);
}

#[test]
fn texts_are_clean_when_they_are_in() {
    let into = Directory::new();
    imported(&into, &whole(&[&said(1, "a\u{1b}[31m red\u{7}\r\nb\u{202e}c"), &said(2, "")])).unwrap();
    let text = exported(&into, &wanted("lobby"));
    assert!(text.contains("\"text\":\"a red\\nbc\"") && text.contains("\"text\":\"\""), "{text}");
}

#[test]
fn directory_of_a_running_server_is_left_alone() {
    let into = dated();
    let _server = journal(into.path());
    let error = imported(&into, &exported(&dated(), &wanted("lobby"))).unwrap_err().to_string();
    assert!(
        error.contains("is in use by another roomful")
            && error.ends_with("; stop that while something is imported"),
        "{error}"
    );
}

#[test]
fn import_that_is_broken_off_imports_nothing() {
    let lines: Vec<String> = (1..3_000).map(|sequence| said(sequence, "hello")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let into = Directory::new();
    let stop = |lines| if lines < 2_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let error =
        import(into.path(), &Options::default(), &mut whole(&lines).as_bytes(), None, stop).unwrap_err();
    assert!(matches!(error, ImportError::Interrupted));
    assert_eq!(restored(into.path()).1.snapshot.rooms, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    /// Lines left out, doubled, moved, and bytes changed: it is refused, or what is in the file is sound.
    #[test]
    fn whatever_is_done_to_an_export_the_file_stays_sound(
        moves in prop::collection::vec((0_usize..20, 0_usize..20), 0..4),
        bytes in prop::collection::vec((0_usize..4_000, any::<u8>()), 0..2),
        end in any::<bool>(),
    ) {
        let text = exported(&dated(), &wanted("lobby"));
        let mut lines: Vec<&str> = text.lines().collect();
        for (from, to) in moves {
            let line = lines[from % lines.len()];
            if to < 10 { lines.retain(|other| *other != line) } else { lines.insert(to.min(lines.len()), line) }
            if lines.is_empty() { lines.push("") }
        }
        let objects = lines.len().saturating_sub(2);
        let honest = format!("{{\"type\":\"end\",\"objects\":{objects}}}");
        if end { *lines.last_mut().unwrap() = &honest }
        let mut changed = lines.join("\n").into_bytes();
        for (place, byte) in bytes {
            let length = changed.len();
            if length > 0 { changed[place % length] = byte }
        }
        let into = Directory::new();
        let done = imported_as(&into, &changed, None);
        match done {
            Ok(_) => prop_assert_eq!(check(into.path()).unwrap(), [""; 0]),
            Err(ImportError::Line { .. }) if into.file().exists() =>
                prop_assert_eq!(restored(into.path()).1.snapshot.rooms, []),
            Err(ImportError::Line { .. }) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
