//! Nothing that a member writes looks like a line of the server, or of somebody else.

use dialect::plain::{PlainSession, Style};
use dialect::{Arrival, Output, Secret, Session, Setup};
use hub::{
    Announced, Audience, Author, Crowd, DoorKind, Event, Findings, Line, Manner, MemberId, Nick, Page,
    PageWanted, Past, Position, Rest, RoomName, RoomNumber, RoomRef, RoomView, Search, Sequence, Shape, Span,
    Text, Time, Told, Who,
};
use proptest::prelude::*;

fn any_nick() -> impl Strategy<Value = Nick> {
    let forging =
        proptest::string::string_regex("[a-z\\[\\]{}|^`_][-a-z0-9\\[\\]{}|^`_]{0,8}").expect("a regex");
    prop_oneof![forging, "\\PC{1,32}"].prop_filter_map("no nick", |raw| Nick::parse(&raw).ok())
}

fn any_text() -> impl Strategy<Value = Text> {
    let pieces = proptest::sample::select(
        &[
            "-- ",
            "[bob] ",
            "<bob> ",
            "* bob ",
            "#dev ",
            "\n",
            "\r",
            "\t",
            " ",
            "\u{2}",
            "\u{3}4",
            "\u{1b}[1G",
            "\u{85}",
            "\u{2028}",
            "\u{b}",
            "\u{c}",
            "[18:05] ",
            "[18:05] <bob> ",
            "[2026-11-20 18:05] #dev <bob> ",
            "-- 2026-11-20",
            "entered room",
            "is offline",
            "x",
        ][..],
    );
    let forged = proptest::collection::vec(pieces, 1..12).prop_map(|pieces| pieces.concat());
    prop_oneof![forged, any::<String>()].prop_filter_map("no text", |raw| Text::new(&raw).ok())
}

fn any_room() -> impl Strategy<Value = RoomRef> {
    proptest::sample::select(&["lobby", "dev"][..])
        .prop_map(|name| RoomRef { number: RoomNumber(1), name: name.into() })
}

fn lines_of(event: Event) -> Vec<String> {
    let setup = Setup::new(RoomName::parse("lobby").expect("a name"));
    let told = Told { position: Position(1), time: Time(1), audience: Audience::Room(RoomNumber(1)), event };
    let mut bytes = Vec::new();
    PlainSession::render(Style::Chat, &setup, &told, &mut bytes);
    let text = String::from_utf8(bytes).expect("text");
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?} is no whole line");
    assert!(!text.chars().any(|c| c.is_control() && !"\n\t".contains(c)), "{text:?} has controls");
    text.lines().map(String::from).collect()
}

fn who(nick: &Nick) -> Who {
    Who { member: MemberId::mint(0, 1), nick: nick.shown.clone(), address: None }
}

/// A line without what says in which room it was said.
fn behind_place<'a>(line: &'a str, room: &RoomRef) -> &'a str {
    if &*room.name == "lobby" { line } else { line.strip_prefix("#dev ").expect("the room in front") }
}

/// Whether a line is the server's.
fn looks_like_news(line: &str) -> bool {
    line.starts_with("-- ") || line.starts_with('[')
}

/// The moment of all that is past here, and of today: a minute past midnight.
const PAST: Time = Time(60_000);

/// What somebody is told who asks for the past and is answered this.
fn lines_of_past(typed: &[u8], answer: Event) -> Vec<String> {
    let setup = Setup::new(RoomName::parse("lobby").expect("a name"));
    let arrival =
        Arrival { now: PAST, peer: ([127, 0, 0, 1], 40_000).into(), guest: 1, secret: Secret::new([0; 16]) };
    let mut session = PlainSession::new(&setup, &arrival);
    let output = &mut Output::default();
    session.received(PAST, &setup, b"\n/nick ann\n", output);
    let (room, audience) = (lobby(), Audience::Member(MemberId::mint(0, 1)));
    let view = RoomView { room, topic: None, members: Crowd::default(), listening: 1, upto: Sequence(1) };
    let renamed = Event::Renamed { who: who(&Nick::guest(1)), nick: "ann".into() };
    let tell = |event| Told { position: Position(1), time: PAST, audience: audience.clone(), event };
    session.told(PAST, &setup, &tell(Event::Admitted(view)), output);
    session.told(PAST, &setup, &tell(renamed), output);
    session.received(PAST, &setup, typed, output);
    assert!(!session.wants_input(), "lines wait for the answer");
    output.words.clear();
    session.told(PAST, &setup, &tell(answer), output);
    assert!(session.wants_input(), "that was the answer");
    let text = std::str::from_utf8(&output.words).expect("text");
    assert!(!text.chars().any(|c| c.is_control() && !"\n\t".contains(c)), "{text:?} has controls");
    text.lines().map(String::from).collect()
}

fn lobby() -> RoomRef {
    RoomRef { number: RoomNumber(1), name: "lobby".into() }
}

fn page_of(event: Event) -> Event {
    let room = lobby();
    let (span, shape) = (Span::Latest, Shape::Present);
    let wanted = PageWanted { room, upto: Sequence(1), span, lines_max: 50, shape };
    let (before, after, forgotten) = (None, None, Sequence(0));
    Event::Page(Page { wanted, lines: vec![past(event)], before, after, forgotten }.into())
}

fn past(event: Event) -> Past {
    Past { position: Position(1), time: PAST, event, edited: None }
}

proptest! {
    #[test]
    fn every_line_of_the_past_begins_with_its_moment_and_its_author(
        nick in any_nick(), text in any_text(), room in any_room(), acts in any::<bool>(),
    ) {
        let (manner, prefix) = if acts {
            (Manner::Acting, format!("* {} ", nick.shown))
        } else {
            (Manner::Saying, format!("<{}> ", nick.shown))
        };
        let (author, count) = (Author::Member(who(&nick)), text.lines().count());
        let said = Event::Said { room: room.clone(), sequence: Sequence(1), author, text, manner, signature: None };
        let lines = lines_of_past(b"/history\n", page_of(said.clone()));
        prop_assert_eq!(lines.len(), count);
        for line in lines {
            let line = line.strip_prefix("[00:01] ").expect("the moment in front");
            prop_assert!(behind_place(line, &room).starts_with(&prefix), "{:?}", line);
        }

        let findings = Findings { search: Search::default(), lines: vec![past(said)], rest: Rest::Nothing };
        let lines = lines_of_past(b"/search x\n", Event::Found(findings.into()));
        prop_assert_eq!(lines.len(), count);
        for line in lines {
            let prefix = format!("[1970-01-01 00:01] #{} {prefix}", room.name);
            prop_assert!(line.starts_with(&prefix), "{:?}", line);
        }
    }

    #[test]
    fn no_news_looks_like_the_past(nick in any_nick(), text in any_text(), room in any_room()) {
        let signature = None;
        let (by, sequence, target) = (who(&nick), Sequence(2), Sequence(1));
        let topic = Line::new(text.formatted(), 20_000).ok();
        let news = [
            Event::Edited { room: room.clone(), sequence, by: by.clone(), target, text, signature: None },
            Event::Redacted { room: room.clone(), sequence, by: by.clone(), target, reason: topic.clone(), signature },
            Event::TopicSet { room: room.clone(), sequence, by, topic, signature: None },
        ];
        for line in news.into_iter().flat_map(lines_of) {
            let prefix = format!("[{}] ", nick.shown);
            let line = behind_place(&line, &room);
            prop_assert!(line.starts_with(&prefix), "{:?}", line);
            prop_assert!(!line[1..].starts_with(|first: char| first.is_ascii_digit()), "{:?}", line);
        }
    }

    #[test]
    fn every_line_of_a_message_begins_with_its_author(
        nick in any_nick(), text in any_text(), room in any_room(), is_door in any::<bool>(), acts in any::<bool>(),
    ) {
        let manner = if acts { Manner::Acting } else { Manner::Saying };
        let (author, name) = if is_door {
            let author = Author::Door { kind: DoorKind::Web, label: nick.shown.clone() };
            (author, format!("{} (web)", nick.shown))
        } else {
            (Author::Member(who(&nick)), nick.shown.to_string())
        };
        let prefix = if acts { format!("* {name} ") } else { format!("<{name}> ") };
        let count = text.lines().count();
        let event = Event::Said { room: room.clone(), sequence: Sequence(1), author, text, manner, signature: None };
        let lines = lines_of(event);
        prop_assert_eq!(lines.len(), count);
        for line in lines {
            let line = behind_place(&line, &room);
            prop_assert!(line.starts_with(&prefix), "{:?} does not begin with {:?}", line, prefix);
            prop_assert!(!looks_like_news(line));
        }
    }

    #[test]
    fn every_line_of_a_direct_message_begins_with_its_author(nick in any_nick(), text in any_text()) {
        let to = Nick::parse("bob").expect("a nick");
        let prefix = format!("<{} to you> ", nick.shown);
        let event = Event::Directed {
            conversation: RoomNumber(2), sequence: Sequence(1), from: who(&nick), to: who(&to), text, signature: None };
        for line in lines_of(event) {
            prop_assert!(line.starts_with(&prefix), "{:?} does not begin with {:?}", line, prefix);
        }
    }

    #[test]
    fn news_is_one_line_that_begins_with_whom_it_is_about(
        nick in any_nick(), raw in any::<String>(), room in any_room(),
    ) {
        let reason = Line::new(&raw, 1000).ok();
        let announced = Announced::Singly;
        let mut news = vec![
            Event::Joined { room: room.clone(), who: who(&nick), announced },
            Event::Left { room: room.clone(), who: who(&nick), announced },
            Event::TopicSet { room: room.clone(), sequence: Sequence(1), by: who(&nick), topic: reason.clone(), signature: None },
        ];
        let prefix = format!("[{}] ", nick.shown);
        for event in news.drain(..) {
            let lines = lines_of(event);
            prop_assert_eq!(lines.len(), 1);
            prop_assert!(behind_place(&lines[0], &room).starts_with(&prefix));
        }
        let lines = lines_of(Event::Quit { who: who(&nick), reason, announced });
        prop_assert_eq!(lines.len(), 1);
        prop_assert!(lines[0].starts_with(&prefix));
    }
}
