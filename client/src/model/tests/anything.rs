//! Anything at all, in any order: keys, pastes, sizes, lost connections, and a server that says what it likes.
//!
//! What is looked for: a panic, a draft that is gone though nobody took it away, a cell that is no text, a list without a bound.

use super::Stage;
use crate::keys::{Held, Key, KeyPress};
use crate::link::Failure;
use crate::model::{Effect, Focus, Input, Medium, Model, Size};
use crate::settings;
use crate::terminal::Colours;
use crate::theme::Theme;
use crate::view;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Value, json};
use std::time::Duration;

const TIME: &str = "2026-11-21T10:00:00.000Z";
const HOSTILE: &str = "a\u{1b}[2J\u{7}\u{9b}31m\u{202e}漢\u{301}👩\u{200d}👧\u{0}b";
/// The model may hold a few more for a moment; this is what its bound is about.
const ITEMS_MAX: usize = 1_100 + 200;

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    Given(Input),
    /// The server says this; where a nonce belongs, it is one of those that were asked under, or none of them.
    Says(Value, Option<prop::sample::Index>),
    Passes(Duration),
}

fn keys() -> impl Strategy<Value = Input> {
    let bound: Vec<&'static str> =
        crate::model::bindings().flat_map(|binding| binding.keys.iter().copied()).collect();
    let held = any::<[bool; 3]>().prop_map(|[ctrl, alt, shift]| Held { ctrl, alt, shift });
    let any_key =
        (any::<char>(), held).prop_map(|(character, held)| KeyPress { key: Key::Character(character), held });
    prop_oneof![
        8 => prop::sample::select(bound).prop_filter_map("it is a key", KeyPress::parse),
        2 => (1..=9_u8).prop_filter_map("it is a key", |number| KeyPress::parse(&format!("Alt-{number}"))),
        4 => prop::sample::select(vec!['a', 'b', ' ', '/', '#', '漢', '👧', '\u{301}', '\u{200d}', 'ש'])
            .prop_map(|character| KeyPress::plain(Key::Character(character))),
        1 => any_key,
    ]
    .prop_map(Input::Key)
}

fn pastes() -> impl Strategy<Value = Input> {
    let commands = [
        "/join dev",
        "/join lobby",
        "/query bob",
        "/close",
        "/leave",
        "/msg bob hi",
        "/me waves",
        "/rooms",
        "/who",
        "/topic t",
        "/history",
        "/history 3",
        "/history 2-9",
        "/history #dev 2h",
        "/search a",
        "/edit b",
        "/redact",
        "/away",
        "/nick x",
        "/ignore bob",
        "/help",
        "/help join",
        "one\ntwo",
        HOSTILE,
    ];
    prop::sample::select(commands.to_vec()).prop_map(|text| Input::Paste(text.to_owned()))
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..12_u64, 1 => prop::sample::select(vec![u64::MAX, u64::MAX - 1, 1 << 63, u64::from(u32::MAX)])]
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![3 => 0..3_u32, 1 => Just(u32::MAX), 1 => Just(u32::MAX - 1)]
}

fn room() -> impl Strategy<Value = String> {
    let names = ["lobby", "dev", "LOBBY", "@3", "@4", "never", "", HOSTILE];
    prop::sample::select(names.map(str::to_owned).to_vec())
}

fn nick() -> impl Strategy<Value = String> {
    prop::sample::select(["ann", "bob", "Bob", "eve", "", HOSTILE].map(str::to_owned).to_vec())
}

fn event() -> impl Strategy<Value = Value> {
    let kinds = [
        "said", "acted", "direct", "topic", "edited", "redacted", "lost", "opened", "erased", "joined",
        "left", "quit", "renamed", "away", "sum", "journal", "else",
    ];
    let numbers = (number(), number(), count(), count());
    (prop::sample::select(kinds.to_vec()), room(), nick(), nick(), numbers).prop_map(
        |(kind, room, from, other, (sequence, target, some, more))| {
            json!({"type": "event", "kind": kind, "room": room, "id": "x", "sequence": sequence, "time": TIME, "from": {"nick": from},
                "to": {"nick": other}, "text": format!("hello ann {HOSTILE} https://example.org"), "topic": other, "target": target, "reason": other,
                "first": target, "last": sequence, "nick": other, "message": other, "trouble": "full",
                "arrived": {"nicks": [other], "others": some}, "departed": {"nicks": [from], "others": more}})
        },
    )
}

fn answers() -> impl Strategy<Value = Value> {
    let numbers = (number(), number(), number(), count(), count());
    let rest = (room(), nick(), numbers, any::<bool>(), prop::collection::vec(event(), 0..4));
    (0..18_u8, rest).prop_map(|(kind, (room, nick, (one, two, three, some, more), flag, events))| match kind {
        0 | 1 => json!({"type": "joined", "room": room, "sequence": one, "resumed": flag, "members": [nick], "others": some, "listening": more,
            "reason": if flag { Some("other-epoch") } else { None }}),
        2 => json!({"type": "picture", "room": room, "sequence": one, "members": [nick], "others": some, "listening": more}),
        3 => json!({"type": "ack", "room": room, "sequence": one, "time": TIME}),
        4 => json!({"type": "refusal", "code": if flag { "unwritten" } else { "no-such-room" }, "text": nick}),
        5 => json!({"type": "gap", "room": room, "from": one, "to": two, "messages": three}),
        6 => json!({"type": "gap", "room": if flag { Some(room) } else { None }, "reason": "forgotten"}),
        7 => json!({"type": "left", "room": room}),
        8 => json!({"type": "nick", "nick": nick}),
        9 => json!({"type": "names", "room": room, "names": [{"nick": nick}], "listening": some, "more": flag}),
        10 => json!({"type": "rooms", "rooms": [{"room": room, "members": some, "topic": nick}], "more": flag}),
        11 => json!({"type": "conversations", "conversations": [{"room": "@3", "with": nick, "sequence": one}]}),
        12 => json!({"type": "topic", "room": room, "topic": {"text": nick, "by": nick, "time": TIME}}),
        13 | 14 => json!({"type": "history", "room": room, "events": events, "before": one, "after": if flag { Some(two) } else { None }, "forgotten": three}),
        15 => json!({"type": "found", "events": events, "rest": "more"}),
        16 => json!({"type": "notice", "code": "c", "text": nick, "message": if flag { Some(nick.clone()) } else { None }}),
        _ => json!({"type": "pong"}),
    })
}

fn steps() -> impl Strategy<Value = Step> {
    let nonce = prop::option::weighted(0.7, any::<prop::sample::Index>());
    let small = (1..120_u16, 1..50_u16).prop_map(|(columns, rows)| Input::Resize(Size { columns, rows }));
    let others = prop_oneof![
        (-3..4).prop_map(Input::Wheel),
        (0..80_u16, 0..24_u16).prop_map(|(column, row)| Input::Click { column, row }),
        prop::sample::select(vec![Focus::Unknown, Focus::Here, Focus::Elsewhere]).prop_map(Input::Focus),
        Just(Input::Trouble("it did not work".to_owned())),
        Just(Input::Disconnected(Failure::Closed)),
        Just(Input::Connected),
        Just(Input::Tick),
    ];
    prop_oneof![
        10 => keys().prop_map(Step::Given),
        2 => pastes().prop_map(Step::Given),
        2 => Just(Step::Given(Input::Key(KeyPress::plain(Key::Enter)))),
        4 => (event(), nonce.clone()).prop_map(|(event, nonce)| Step::Says(event, nonce)),
        6 => (answers(), nonce).prop_map(|(answer, nonce)| Step::Says(answer, nonce)),
        1 => small.prop_map(Step::Given),
        2 => others.prop_map(Step::Given),
        1 => (0..20_000_u64).prop_map(|ms| Step::Passes(Duration::from_millis(ms))),
    ]
}

/// All that was typed anywhere and not sent.
fn drafts(model: &Model) -> Vec<String> {
    let open = model.rooms.iter().map(|room| room.draft.line.text());
    let closed = model.before.values().map(|before| before.draft.as_str());
    let all = open.chain(closed).chain([model.homeless.line.text()]);
    all.filter(|draft| !draft.is_empty()).map(str::to_owned).collect()
}

/// The drafts of all rooms but the one that is seen, by their rooms.
fn drafts_elsewhere(model: &Model) -> Vec<(u32, String)> {
    let rooms = model.rooms.iter().enumerate().filter(|(index, _)| *index != model.current);
    rooms.map(|(_, room)| (room.number, room.draft.line.text().to_owned())).collect()
}

fn draw(model: &Model) {
    let size = model.size();
    let area = Rect::new(0, 0, size.columns, size.rows);
    let mut buffer = Buffer::empty(area);
    let scene = view::draw(model, Theme::new(settings::Theme::Dark, Colours::Many), &mut buffer);
    assert!(scene.cursor.is_none_or(|cursor| area.contains(cursor)), "{:?}", scene.cursor);
    for cell in buffer.content() {
        assert!(cell.symbol().chars().all(hub::is_showable), "{:?}", cell.symbol());
    }
    for text in scene.links.iter().map(|link| &link.target).chain([&scene.title]) {
        assert!(text.chars().all(hub::is_showable), "{text:?}");
    }
}

/// Puts one of these nonces into what the server says.
fn with_nonce(mut answer: Value, nonces: &[Value], nonce: Option<prop::sample::Index>) -> Value {
    match nonce {
        Some(index) if !nonces.is_empty() => answer["nonce"] = index.get(nonces).clone(),
        Some(_) => answer["nonce"] = json!("nobody-asked"),
        None => {}
    }
    answer
}

fn take(stage: &mut Stage, step: Step, nonces: &mut Vec<Value>) {
    match step {
        Step::Given(input) => {
            let was_key = matches!(input, Input::Key(_) | Input::Paste(_));
            let before = (drafts(&stage.model), drafts_elsewhere(&stage.model));
            stage.give(input);
            if was_key {
                assert_elsewhere_is_kept(&before.1, &stage.model);
            } else {
                assert_kept(&before.0, &stage.model);
            }
        }
        Step::Says(answer, nonce) => {
            let before = drafts(&stage.model);
            let line = with_nonce(answer, nonces, nonce).to_string();
            stage.says(&line);
            assert_kept(&before, &stage.model);
        }
        Step::Passes(time) => {
            let before = drafts(&stage.model);
            stage.pass(time);
            assert_kept(&before, &stage.model);
        }
    }
    let has_asked_to_connect = stage.effects.contains(&Effect::Connect);
    nonces.extend(stage.sent().into_iter().map(|request| request["nonce"].clone()).filter(Value::is_string));
    if has_asked_to_connect {
        stage.give(Input::Connected);
        stage.says(super::WELCOME);
    }
}

/// Nothing that was typed is gone because of something that was not typed.
fn assert_kept(before: &[String], model: &Model) {
    let now = drafts(model);
    for draft in before {
        assert!(now.iter().any(|kept| kept.contains(draft.as_str())), "{draft:?} is gone; there is {now:?}");
    }
}

/// A key changes the draft that is seen, and no other.
fn assert_elsewhere_is_kept(before: &[(u32, String)], model: &Model) {
    for (number, draft) in before {
        let room = model.rooms.iter().find(|room| room.number == *number);
        let now = room.map(|room| room.draft.line.text());
        let is_closed = now.is_none() && (draft.is_empty() || drafts(model).contains(draft));
        assert!(is_closed || now == Some(draft), "{draft:?} became {now:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_panics_or_takes_a_draft_away(
        steps in prop::collection::vec(steps(), 1..120),
        is_drawn in any::<bool>(),
    ) {
        let mut stage = Stage::new(if is_drawn { Medium::Screen } else { Medium::Lines });
        stage.enter();
        let mut nonces = Vec::new();
        for step in steps {
            take(&mut stage, step, &mut nonces);
            draw(&stage.model);
            for room in stage.model.rooms() {
                prop_assert!(room.timeline.items().len() <= ITEMS_MAX);
            }
        }
    }
}
