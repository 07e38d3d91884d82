//! However the network cuts the bytes, the same is understood; whatever the bytes are, nothing breaks; and what people write
//! comes out as they wrote it.

use crate::world::World;
use hub::{TEXT_BYTES_MAX, Text};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What a client reads whose bytes arrive in these pieces.
fn read_in_pieces(bytes: &[u8], cuts: &[usize]) -> String {
    let mut world = World::new();
    let bob = world.connect("bob");
    world.send(bob, b"{\"type\":\"hello\",\"version\":1,\"nick\":\"bob\"}\n");
    world.send(bob, b"{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"first\"}\n");
    let ann = world.connect("ann");
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut from = 0;
    for cut in cuts {
        world.send(ann, &bytes[from..cut]);
        from = cut;
    }
    world.end(ann);
    world.pass(61_000);
    let client = world.clients.swap_remove(ann);
    assert!(client.is_closed, "whoever has ended is gone after a while");
    let read = String::from_utf8(client.read).expect("what is written is UTF-8");
    check_lines(&read);
    read
}

/// Every line is an object with a type, and has no control character in it.
fn check_lines(read: &str) {
    for line in read.lines().filter(|line| line.starts_with('{')) {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value["type"].is_string() && !line.contains(char::is_control), "{line}");
    }
}

/// Lines that mean something, and some that nearly do.
const LINES: &[&str] = &[
    r#"{"type":"hello","version":1}"#,
    r#"{"type":"hello","version":1,"nick":"ann","rooms":["lobby","dev"],"nonce":"h"}"#,
    r#"{"type":"hello","version":1,"resume":{"secret":"00000000000000000000000000000000","epoch":"28t5cy4t","rooms":{"lobby":1}}}"#,
    r#"{"type":"say","room":"lobby","text":"hello","nonce":"n"}"#,
    r#"{"type":"say","room":"lobby","text":"grüße\n\"你好\" 🦀"}"#,
    r#"{"type":"act","room":"dev","text":"waves"}"#,
    r#"{"type":"direct","to":"bob","text":"psst","nonce":"d"}"#,
    r#"{"type":"edit","room":"lobby","target":3,"text":"changed"}"#,
    r#"{"type":"redact","room":"lobby","target":3}"#,
    r#"{"type":"join","room":"dev","after":1}"#,
    r#"{"type":"join","room":"no name"}"#,
    r#"{"type":"leave","room":"lobby"}"#,
    r#"{"type":"nick","nick":"bob"}"#,
    r#"{"type":"who","room":"lobby","nonce":"w"}"#,
    r#"{"type":"rooms"}"#,
    r#"{"type":"topic","room":"lobby"}"#,
    r#"{"type":"topic","room":"lobby","topic":"new"}"#,
    r#"{"type":"away","message":"gone"}"#,
    r#"{"type":"ignore","nick":"bob"}"#,
    r#"{"type":"ignore"}"#,
    r#"{"type":"history","room":"lobby","after":1,"nonce":"x"}"#,
    r#"{"type":"search","words":"first"}"#,
    r#"{"type":"ping","nonce":"p"}"#,
    r#"{"type":"quit"}"#,
    r#"{"type":"nonsense"}"#,
    r#"{"type":"say","type":"say"}"#,
    "{",
    "",
    "\r",
    "hello",
];

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => proptest::sample::select(LINES).prop_map(|line| format!("{line}\n").into_bytes()),
        1 => proptest::sample::select(LINES).prop_map(|line| line.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => (130_900_usize..131_200).prop_map(|count| vec![b' '; count]),
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let hello = prop_oneof![Just(LINES[0]), Just(LINES[1]), Just(LINES[2]), Just("{")];
    (hello, proptest::collection::vec(any_line(), 0..12))
        .prop_map(|(hello, lines)| [hello.as_bytes(), b"\n", &lines.concat()].concat())
}

/// What comes back of a text that ann says, and whether everything that bob reads is one object a line.
fn said(text: &str) -> Option<String> {
    let mut world = World::new();
    let (ann, bob) = (world.connect("ann"), world.connect("bob"));
    world.send(ann, b"{\"type\":\"hello\",\"version\":1,\"nick\":\"ann\"}\n");
    world.send(bob, b"{\"type\":\"hello\",\"version\":1,\"nick\":\"bob\"}\n");
    let before = world.clients[bob].read.len();
    let line = json!({"type": "say", "room": "lobby", "text": text, "nonce": "n"}).to_string() + "\n";
    world.send(ann, line.as_bytes());
    let read = std::str::from_utf8(&world.clients[bob].read[before..]).expect("UTF-8");
    check_lines(read);
    let event: Value = serde_json::from_str(read.lines().next()?).expect("JSON");
    Some(event["text"].as_str().expect("a text").to_owned())
}

#[test]
fn longest_text_fits_into_a_line_however_it_is_written() {
    let text = "\u{e9}".repeat(TEXT_BYTES_MAX / 2);
    let escaped = text.replace('\u{e9}', "\\u00e9");
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, b"{\"type\":\"hello\",\"version\":1,\"nick\":\"ann\"}\n");
    let line = format!("{{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"{escaped}\"}}\n");
    world.send(ann, line.as_bytes());
    let escaped = "\\u0061".repeat(TEXT_BYTES_MAX);
    let line = format!("{{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"{escaped}\"}}\n");
    world.send(ann, line.as_bytes());
    let read = String::from_utf8_lossy(&world.clients[ann].read);
    assert_eq!(read.matches("\"type\":\"ack\"").count(), 2, "{read}");
}

#[test]
fn line_of_a_mebibyte_is_refused_and_the_next_one_is_not() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, b"{\"type\":\"hello\",\"version\":1,\"nick\":\"ann\"}\n");
    let before = world.clients[ann].read.len();
    world.send(ann, format!("{{\"type\":\"say\",\"text\":\"{}\"}}\n", "x".repeat(1 << 20)).as_bytes());
    world.send(ann, b"{\"type\":\"ping\"}\n");
    let read = String::from_utf8_lossy(&world.clients[ann].read[before..]).into_owned();
    let kinds: Vec<_> = read.lines().map(|line| line.split('"').nth(3).unwrap_or_default()).collect();
    assert_eq!(kinds, ["refusal", "pong"], "{read}");
    assert!(read.contains("\"code\":\"line-too-long\""), "{read}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_answers(
        bytes in any_bytes(),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        // A pong does not wait for what was said before it; and a second receipt, which waits for the journal, does not keep
        // somebody who leaves.
        let sorted = |read: String| {
            let lines = read.lines().filter(|line| !line.contains("\"repeated\":true"));
            let mut lines: Vec<String> = lines.map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        prop_assert_eq!(sorted(read_in_pieces(&bytes, &[])), sorted(read_in_pieces(&bytes, &cuts)));
    }

    #[test]
    fn text_comes_back_as_it_was_cleaned(text in "(?s)[\"\\\\a\u{1}-\u{1f}\u{7f}-\u{9f}\u{1b}\\[\n\t\u{2028}\u{202e}é你🦀]{1,40}") {
        let expected = Text::new(&text).ok().map(|text| text.lines().collect::<Vec<_>>().join("\n"));
        prop_assert_eq!(said(&text), expected);
    }

    #[test]
    fn any_text_comes_back_as_it_was_cleaned(text in any::<String>()) {
        let expected = Text::new(&text).ok().map(|text| text.lines().collect::<Vec<_>>().join("\n"));
        prop_assert_eq!(said(&text), expected);
    }
}
