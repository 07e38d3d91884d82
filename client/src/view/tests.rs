//! Screens, written down: each view in three sizes.
//!
//! Below the rows of a snapshot stands what a screen has besides: where the cursor is, what the window is called, where links
//! lead. `INSTA_UPDATE=always cargo test -p client` writes them anew.

use super::*;
use crate::keys::KeyPress;
use crate::link::Failure;
use crate::model::Overlay;
use crate::model::sample::{self, DAY, MINUTE};
use crate::model::{
    Candidate, Choice, Finding, Hole, Input, Moment, Presence, Scroll, SearchProgress, SearchView, Weight,
    What, Why,
};
use crate::settings;
use crate::terminal::Colours;
use crate::wire::{Author, Rest, RoomLine, Topic};
use dialect::editing::{Line, Lines};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use std::fmt::Write;
use std::time::Duration;

const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (200, 60)];
const FAMILY: &str = "👨‍👩‍👧‍👦";

fn theme() -> Theme {
    Theme::new(settings::Theme::Auto, Colours::Many)
}

fn drawn(model: &Model, theme: Theme) -> (Buffer, Scene) {
    let size = model.size();
    let mut terminal = Terminal::new(TestBackend::new(size.columns, size.rows)).expect("a screen");
    let mut scene = Scene::default();
    terminal.draw(|frame| scene = draw(model, theme, frame.buffer_mut())).expect("it is in memory");
    (terminal.backend().buffer().clone(), scene)
}

/// The characters of a screen; what a wide one hides is left out.
fn rows(buffer: &Buffer) -> Vec<String> {
    let row_of = |y: u16| {
        let mut row = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += crate::layout::columns_of(symbol).max(1) as u16;
        }
        row.trim_end().to_owned()
    };
    (0..buffer.area.height).map(row_of).collect()
}

fn written(model: &Model) -> String {
    let (buffer, scene) = drawn(model, theme());
    let mut text = rows(&buffer).join("\n");
    let cursor = scene.cursor.map_or("none".into(), |at| format!("{},{}", at.x, at.y));
    let _ = write!(text, "\n\ncursor {cursor}, title {:?}\n", scene.title);
    for link in scene.links {
        let _ = writeln!(text, "{}+{} {}", link.area.as_position(), link.area.width, link.target);
    }
    text
}

/// The same view in all sizes.
fn check(name: &str, build: impl Fn(u16, u16) -> Model) {
    for (columns, rows) in SIZES {
        let model = build(columns, rows);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), written(&model));
        });
    }
}

fn topic(text: &str) -> Topic {
    Topic { text: text.into(), by: "bob".into(), time: sample::NOON }
}

/// Three rooms and a conversation, and a morning in the lobby.
fn morning(columns: u16, rows: u16) -> Model {
    let mut model = sample::online(columns, rows);
    let lobby = model.sample_room("lobby");
    lobby.topic = Some(topic("what everybody should know · the coffee machine works again"));
    lobby.meet("ann", None).meet("bob", None).meet("Zoë", Some("at lunch")).meet("小明", None);
    lobby.members.listening = 2;
    lobby.say(1, "bob", "good morning, everybody").act(2, "小明", "waves");
    lobby.tell(3, What::Told("Zoë came in".into()));
    lobby.say(4, "Zoë", "ann: did you see https://example.org/report.pdf? It has the figures of last week");
    lobby.say(5, "ann", "yes, and I think that we should look at them together.\nToday at four?");
    lobby.say_by_door(6, ("build", "hook"), "main is green again (42 tests)");
    lobby.mark();
    lobby.say(7, "bob", "four is fine").edit_last("half past four is fine");
    lobby.say(8, "小明", "wrong window").erase_last();
    lobby.say(9, "Zoë", "deploy is at five, so that fits");
    model.sample_room("dev").unread = 12;
    let ops = model.sample_room("ops");
    (ops.unread, ops.mentions) = (3, 1);
    model.sample_room("old").presence = Presence::Gone;
    let bob = model.sample_direct("bob");
    (bob.unread, bob.mentions) = (2, 2);
    model.sample_select(0);
    model.measure_latency(Duration::from_micros(420));
    model
}

#[test]
fn room_with_people_in_it() {
    check("room", morning);
}

#[test]
fn every_script_keeps_its_columns() {
    check("scripts", |columns, rows| {
        let mut model = sample::online(columns, rows);
        let room = model.sample_room("世界");
        room.topic = Some(topic("všechny jazyky · 所有语言 · כל השפות"));
        for nick in ["ann", "小明", "אבי", "أمينة", "Ω"] {
            room.meet(nick, None);
        }
        room.meet(&"漢".repeat(32), None);
        room.say(
            1,
            "小明",
            "我们今天下午四点开会，请大家准时参加。会议室在三楼，记得带上你们的笔记本电脑和上周的报告。",
        );
        room.say(2, "אבי", "שלום לכולם, מה שלומכם היום?").say(3, "أمينة", "صباح الخير، كيف حالكم اليوم؟");
        room.say(4, "Zoe\u{308}", "e\u{301}tude, n\u{303}andu\u{301}, o\u{302}\u{323}").say(
            5,
            &"漢".repeat(32),
            &format!("{FAMILY}{FAMILY} 🇩🇪🇫🇷🇯🇵 👍🏽 ❤\u{fe0f} 1\u{fe0f}\u{20e3}"),
        );
        room.say(6, "किरण", "नमस्ते, क्या हाल है?").say(7, "ann", &FAMILY.repeat(30));
        room.say(8, "bob", "fn main() {\n\tprintln!(\"tabs\");\n}");
        room.draft.line.paste("你好 👨‍👩‍👧‍👦 שלום");
        model
    });
}

#[test]
fn days_holes_and_what_is_not_acknowledged() {
    check("past", |columns, rows| {
        let mut model = sample::online(columns, rows);
        let room = model.sample_room("lobby");
        room.tell(0, What::Hole(Hole { first: 1, last: 40, why: Why::Unread, is_asked: false }));
        room.say(1, "bob", "what was said on Monday");
        room.tell(DAY / MINUTE, What::Told("Zoë is now zoe".into()));
        room.say(DAY / MINUTE + 1, "zoe", "what was said on Tuesday");
        let why = Why::Skipped(Some(412));
        room.tell(DAY / MINUTE + 2, What::Hole(Hole { first: 43, last: 454, why, is_asked: false }));
        room.mark();
        room.say(DAY / MINUTE + 3, "bob", "behind the gap");
        room.tell(
            DAY / MINUTE + 4,
            What::Remark(hub::Text::kept("there is no /foo; did you mean /who?\nsee /help")),
        );
        room.say_pending(DAY / MINUTE + 5, "is anybody there?")
            .say_pending(DAY / MINUTE + 6, "hello?\nhello?");
        model
    });
}

#[test]
fn one_has_scrolled_up_while_more_was_said() {
    check("scrolled", |columns, rows| {
        let mut model = sample::online(columns, rows);
        let room = model.sample_room("lobby");
        room.tell(0, What::Hole(Hole { first: 1, last: 40, why: Why::Unread, is_asked: false }));
        for number in 0..200 {
            room.say(
                number,
                if number % 3 == 0 { "bob" } else { "zoe" },
                &format!("message number {number}"),
            );
        }
        room.ask_for_hole();
        room.unread = 7;
        let top = crate::layout::Sheet::of(&model).expect("a room").top();
        assert!(matches!(top, Scroll::At { .. }));
        model.room_mut().scroll = top;
        model
    });
}

#[test]
fn connection_is_lost_while_one_types() {
    check("offline", |columns, rows| {
        let mut model = morning(columns, rows);
        model.lose_connection(Failure::Closed);
        model.room_mut().draft.line.paste("half of a sen");
        model.sample_note("what you send is kept until the server is there again", Weight::Hint);
        model
    });
}

#[test]
fn server_is_not_reached() {
    check("connecting", |columns, rows| {
        let mut model = sample::resting(columns, rows);
        model.link_mut().start();
        model
    });
    check("unreachable", |columns, rows| {
        let mut model = sample::resting(columns, rows);
        model.link_mut().start();
        model.lose_connection(Failure::Refused);
        model
    });
}

#[test]
fn empty_screens_say_what_to_do() {
    check("no_room", sample::online);
    check("empty_room", |columns, rows| {
        let mut model = sample::online(columns, rows);
        model.sample_room("dev").meet("ann", None);
        model
    });
    check("entering", |columns, rows| {
        let mut model = sample::online(columns, rows);
        model.sample_room("dev").presence = Presence::Entering;
        model
    });
    check("empty_conversation", |columns, rows| {
        let mut model = sample::online(columns, rows);
        model.sample_direct("bob");
        model
    });
}

#[test]
fn room_that_one_has_left_can_be_read() {
    check("left", |columns, rows| {
        let mut model = morning(columns, rows);
        model.room_mut().presence = Presence::Gone;
        model.sample_note("you are not in #lobby", Weight::Problem);
        model
    });
}

#[test]
fn long_note_is_read_to_its_end_also_where_it_is_narrow() {
    check("note", |columns, rows| {
        let mut model = morning(columns, rows);
        let words = "there is no room '#nowhere'; check the spelling, or join it to open it";
        model.sample_note(words, Weight::Problem);
        model
    });
}

#[test]
fn long_draft_is_seen_around_the_cursor() {
    let lines: Vec<String> = (1..=40).map(|number| format!("line {number} of what is pasted")).collect();
    let draft = lines.join("\n");
    check("draft", |columns, rows| {
        let mut model = morning(columns, rows);
        model.room_mut().draft.line.paste(&draft);
        model.room_mut().draft.line.go_to_byte(draft.find("line 20").expect("it is there") + 4);
        model.room_mut().draft.editing = Some(3);
        model
    });
}

/// Something happens to the client, some time later.
fn give(model: &mut Model, input: Input) {
    let now = model.now() + Duration::from_secs(1);
    let moment = Moment { time: sample::NOON.after_ms(20 * MINUTE), now };
    model.update(moment, input);
}

/// Keys with blanks between them.
fn press(model: &mut Model, keys: &str) {
    for key in keys.split(' ') {
        give(model, Input::Key(KeyPress::parse(key).expect("a key")));
    }
}

/// Ann comes into the lobby, in which bob is.
fn in_lobby(columns: u16, rows: u16) -> Model {
    let mut model = sample::online(columns, rows);
    says(&mut model, r#"{"type":"joined","room":"lobby","sequence":1,"topic":null,"members":["bob"]}"#);
    model
}

fn says(model: &mut Model, line: &str) {
    give(model, Input::Received(format!("{line}\n").into_bytes()));
}

fn bob_says(model: &mut Model, sequence: u64, text: &str) {
    says(
        model,
        &format!(
            r#"{{"type":"event","kind":"said","room":"lobby","id":"x","sequence":{sequence},"time":"2026-01-05T11:0{sequence}:00.000Z","from":{{"nick":"bob"}},"text":"{text}"}}"#
        ),
    );
}

#[test]
fn line_arrives_while_another_is_half_typed() {
    let mut model = in_lobby(80, 24);
    press(&mut model, "h a l f Space a Left Left");
    let before = drawn(&model, theme());
    bob_says(&mut model, 2, "something else");
    let (buffer, scene) = drawn(&model, theme());
    assert_eq!(scene.cursor, before.1.cursor);
    let (before, after) = (rows(&before.0), rows(&buffer));
    assert_eq!(before.last(), after.last());
    assert_eq!(after.last().map(String::as_str), Some("> half a"));
    assert!(after[21].ends_with(" 12:02          bob  something else"), "{}", after[21]);
    assert!(!before[21].contains("something else"));
}

#[test]
fn keys_change_what_is_seen() {
    check("keys_help_and_back", |columns, rows| {
        let mut model = in_lobby(columns, rows);
        (2..9).for_each(|sequence| bob_says(&mut model, sequence, "hello"));
        press(&mut model, "F1 Down Down Esc o n e Alt-Enter t w o");
        model
    });
    check("keys_sent", |columns, rows| {
        let mut model = in_lobby(columns, rows);
        press(&mut model, "h i Alt-Enter Enter n e x t Enter d r a f t");
        model
    });
    check("keys_switcher", |columns, rows| {
        let mut model = in_lobby(columns, rows);
        says(&mut model, r#"{"type":"joined","room":"dev","sequence":1,"topic":null,"members":[]}"#);
        press(&mut model, "Ctrl-K o");
        model
    });
}

#[test]
fn end_of_a_long_help_can_be_reached() {
    for (columns, height) in SIZES {
        let mut model = in_lobby(columns, height);
        press(&mut model, "F1");
        (0..300).for_each(|_| press(&mut model, "Down"));
        let (buffer, _) = drawn(&model, theme());
        let shown = rows(&buffer).join("\n");
        assert!(shown.contains("leaves for good"), "{shown}");
        let before = shown.clone();
        press(&mut model, "Up");
        let is_all = height == 60 && before.contains("keys\n");
        assert!(is_all || rows(&drawn(&model, theme()).0).join("\n") != before, "it scrolls back at once");
    }
}

fn query(text: &str) -> Line {
    let mut line = Line::new(Lines::One);
    line.paste(text);
    line
}

fn choice<T>(typed: &str, entries: Vec<T>, selected: usize) -> Choice<T> {
    Choice { query: query(typed), entries, selected }
}

fn with_overlay(overlay: impl Fn() -> Overlay) -> impl Fn(u16, u16) -> Model {
    move |columns, rows| {
        let mut model = morning(columns, rows);
        model.set_overlay(overlay());
        model
    }
}

#[test]
fn help_lists_keys_and_commands() {
    check("help", with_overlay(|| Overlay::Help { scroll: 0 }));
    check("help_end", with_overlay(|| Overlay::Help { scroll: 1_000 }));
}

#[test]
fn switcher_goes_to_a_room() {
    let open = || [2, 3, 0, 4].map(Candidate::Known).into_iter();
    let new = |name: &str| Candidate::New(name.into());
    check("switcher", with_overlay(|| Overlay::Switcher(choice("o", open().chain([new("o")]).collect(), 1))));
    check("switcher_new", with_overlay(|| Overlay::Switcher(choice("kitchen", vec![new("kitchen")], 0))));
    check("switcher_empty", with_overlay(|| Overlay::Switcher(choice("no/name", Vec::new(), 0))));
}

#[test]
fn rooms_of_the_server_are_listed() {
    let line = |room: &str, members, topic: Option<&str>| RoomLine {
        room: room.into(),
        members,
        topic: topic.map(Into::into),
    };
    let rooms = || {
        let mut rooms = vec![line("lobby", 12_345, Some("what everybody should know")), line("dev", 3, None)];
        rooms.extend(
            (0..100).map(|number| line(&format!("世界-{number}"), number, Some("一个非常安静的房间"))),
        );
        rooms.into_iter().map(Candidate::Known).collect::<Vec<_>>()
    };
    let new = || vec![Candidate::Known(line("lobby", 7, None)), Candidate::New("lb".into())];
    check("rooms_new", with_overlay(|| Overlay::Rooms(choice("lb", new(), 0))));
    check("rooms", with_overlay(|| Overlay::Rooms(choice("", rooms(), 20))));
    check("rooms_empty", with_overlay(|| Overlay::Rooms(choice("zzz", Vec::new(), 0))));
}

#[test]
fn members_are_listed() {
    check("members", |columns, rows| {
        let mut model = with_overlay(|| Overlay::Members { scroll: 2 })(columns, rows);
        for number in 0..30 {
            model.room_mut().meet(&format!("guest-{number}"), Some("away").filter(|_| number % 4 == 0));
        }
        model
    });
}

#[test]
fn members_of_a_conversation_are_the_two() {
    for (name, away) in [("members_of_two", None), ("members_of_two_away", Some("at lunch"))] {
        check(name, |columns, rows| {
            let mut model = sample::online(columns, rows);
            model.sample_room("lobby").meet("ann", None).meet("bob", away);
            model.sample_direct("Bob");
            model.set_overlay(Overlay::Members { scroll: 0 });
            model
        });
    }
    check("members_of_two_unseen", |columns, rows| {
        let mut model = sample::online(columns, rows);
        model.sample_direct("bob");
        model.set_overlay(Overlay::Members { scroll: 0 });
        model
    });
}

#[test]
fn links_are_listed() {
    let links = || {
        vec!["https://example.org/report.pdf".into(), format!("https://example.org/{}", "long/".repeat(30))]
    };
    check("links", with_overlay(|| Overlay::Links(choice("", links(), 0))));
}

#[test]
fn search_shows_what_it_found() {
    let said = |nick: &str, text: &str| match sample::said(
        Author { nick: nick.into(), door: None },
        hub::Manner::Saying,
        text,
    ) {
        What::Said(said) => said,
        _ => panic!("something was said"),
    };
    let finding = |room: &str, days: u64, nick: &str, text: &str| Finding {
        room: room.into(),
        sequence: 1,
        time: sample::NOON.after_ms(days * DAY),
        said: said(nick, text),
    };
    let search = |typed: &str, findings, progress| {
        Overlay::Search(SearchView {
            query: query(typed),
            searched: typed.into(),
            findings,
            selected: 1,
            progress,
        })
    };
    let findings = || {
        vec![
            finding("lobby", 9, "bob", "the report is done, and the figures of the report are right"),
            finding("@7", 4, "bob", "did you read my Report?"),
            finding("elsewhere", 1, "小明", &format!("{}报告 report 在这里", "很多很多的字 ".repeat(20))),
            finding("@9", 0, "eve", "one line\nreports in another"),
        ]
    };
    check("search", with_overlay(|| search("report", findings(), SearchProgress::Answered(Rest::More))));
    check(
        "search_all",
        with_overlay(|| search("report", findings(), SearchProgress::Answered(Rest::Nothing))),
    );
    check("search_older", with_overlay(|| search("report", findings(), SearchProgress::Older)));
    check("search_typing", with_overlay(|| search("", Vec::new(), SearchProgress::Typing)));
    check("search_asked", with_overlay(|| search("report", Vec::new(), SearchProgress::Asked)));
    check(
        "search_nothing",
        with_overlay(|| search("report from:ann", Vec::new(), SearchProgress::Answered(Rest::Nothing))),
    );
}

/// How everything looks, a letter for each style; the letters are explained below.
fn looks(model: &Model, theme: Theme) -> String {
    let (buffer, _) = drawn(model, theme);
    let mut known = Vec::new();
    let mut map = String::new();
    for (nth, row) in rows(&buffer).iter().enumerate() {
        map.push_str(row);
        map.push('\n');
        let letters = (0..buffer.area.width).map(|x| {
            let style = buffer[(x, nth as u16)].style();
            let index = known.iter().position(|other| *other == style).unwrap_or_else(|| {
                known.push(style);
                known.len() - 1
            });
            if index == 0 { ' ' } else { char::from(b'a' + index as u8 - 1) }
        });
        map.push_str(letters.collect::<String>().trim_end());
        map.push('\n');
    }
    for (letter, style) in (b'a'..).zip(known.iter().skip(1)) {
        let _ = writeln!(map, "{}: {:?} {:?}", char::from(letter), style.fg, style.add_modifier);
    }
    map
}

#[test]
fn looks_with_colours_and_without() {
    let mut model = morning(80, 24);
    model.room_mut().say_pending(10, "is that right?");
    for (name, theme) in [
        ("looks_many", theme()),
        ("looks_none", Theme::new(settings::Theme::Auto, Colours::None)),
        ("looks_high_contrast", Theme::new(settings::Theme::HighContrast, Colours::Many)),
    ] {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, looks(&model, theme));
        });
    }
}

#[test]
fn message_that_one_has_gone_to_is_seen_at_once_also_without_colours() {
    for (columns, rows) in [(40, 12), (80, 24)] {
        let mut model = morning(columns, rows);
        let timeline = &model.room_mut().timeline;
        let number = timeline.kept(4).expect("it was said").number;
        model.centre(number);
        let name = format!("looks_jumped_to_{columns}x{rows}");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, looks(&model, Theme::new(settings::Theme::Auto, Colours::None)));
        });
    }
}

#[test]
fn names_of_rooms_are_whole_where_there_is_room() {
    let name = "a-room-of-which-the-name-is-long";
    let shown = |columns| {
        let mut model = sample::online(columns, 12);
        model.sample_room(name).unread = 12;
        rows(&drawn(&model, theme()).0)[0].clone()
    };
    assert!(shown(200).contains(&format!("#{name} ")), "{}", shown(200));
    assert!(!shown(80).split('│').next().unwrap_or_default().contains(name), "the timeline has its room");
}

proptest! {
    #[test]
    fn any_size_can_be_drawn(columns in 1_u16..220, rows in 1_u16..70, nth in 0_usize..8) {
        let overlays = [
            None,
            Some(Overlay::Help { scroll: 3 }),
            Some(Overlay::Switcher(choice("lo", vec![Candidate::Known(0), Candidate::New("lo".into())], 1))),
            Some(Overlay::Members { scroll: 1 }),
            Some(Overlay::Links(choice("", vec!["https://example.org".into()], 0))),
            Some(Overlay::Rooms(choice("", vec![Candidate::Known(RoomLine { room: "dev".into(), members: 1, topic: None })], 0))),
        ];
        let mut model = morning(columns, rows);
        if let Some(overlay) = overlays.into_iter().nth(nth).flatten() {
            model.set_overlay(overlay);
        }
        let (buffer, scene) = drawn(&model, theme());
        for link in scene.links {
            prop_assert!(buffer.area.intersection(link.area) == link.area);
        }
        prop_assert!(scene.cursor.is_none_or(|cursor| buffer.area.contains(cursor)));
    }

    #[test]
    fn buffer_of_another_size_is_no_harm(columns in 0_u16..120, rows in 0_u16..40) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        draw(&morning(80, 24), theme(), &mut buffer);
    }
}

/// How long something takes, the median of many times.
fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..51)
        .map(|_| {
            let begun = std::time::Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// What this process has in memory.
fn memory_kib() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4
}

#[test]
#[ignore = "takes figures: cargo test --release -p client --lib takes_figures -- --ignored --nocapture"]
fn takes_figures() {
    let memory_before = memory_kib();
    let mut model = sample::online(200, 60);
    let room = model.sample_room("lobby");
    for number in 0..100_000_u64 {
        let text = match number % 4 {
            0 => format!("message number {number}"),
            1 => format!("我们今天下午四点开会，请大家准时参加 {FAMILY} {number}"),
            2 => format!("see https://example.org/{number} and {}", "some more words ".repeat(20)),
            _ => "short".into(),
        };
        room.say(number / 60, ["bob", "zoe", "小明"][(number % 3) as usize], &text);
    }
    println!("100,000 items: {} KiB", memory_kib() - memory_before);
    let figure = |name: &str, model: &Model| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 60));
        let time = median(|| drop(draw(model, theme(), &mut buffer)));
        println!("{name}: {time:?}");
    };
    figure("100,000 items, at the end", &model);
    model.room_mut().scroll = crate::layout::Sheet::of(&model).expect("a room").scrolled(-1_000);
    figure("100,000 items, somewhat above it", &model);
    model.room_mut().scroll = crate::layout::Sheet::of(&model).expect("a room").top();
    figure("100,000 items, at the beginning", &model);
    let page = median(|| {
        crate::layout::Sheet::of(&model).map(|sheet| sheet.scrolled(57));
    });
    println!("a page down: {page:?}");
    let mut model = sample::online(200, 60);
    let room = model.sample_room("lobby");
    for _ in 0..60 {
        room.say(1, "eve", &format!("a{}", "\u{301}".repeat(8_000)));
    }
    figure("60 towers of 16 KiB", &model);
    let mut model = sample::online(200, 60);
    let room = model.sample_room("lobby");
    for _ in 0..60 {
        room.say(1, "eve", &"https://a.example/) ".repeat(800));
    }
    figure("60 texts of 16 KiB with 800 links", &model);
    let mut model = sample::online(200, 60);
    model.sample_room("lobby").draft.line.paste(&"漢".repeat(5_000));
    figure("a draft of 15 KiB", &model);
}
