//! However the network cuts the bytes, the same is understood; and whatever the bytes are, nothing breaks.

use crate::world::World;
use hub::Command;
use proptest::prelude::*;

/// What came of a connection's bytes.
#[derive(PartialEq, Eq, Debug)]
struct Outcome {
    commands: Vec<Command>,
    words: String,
    lines: String,
}

fn send_in_pieces(bytes: &[u8], cuts: &[usize]) -> Outcome {
    let mut world = World::new();
    world.keep_history();
    let bob = world.connect("bob");
    world.send(bob, b"/nick bob\nhello\nin four\npieces\nof this\n/join dev\n/topic of bob's\n");
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
    world.pass(5000);
    let person = world.people.swap_remove(ann);
    assert!(person.is_closed, "whoever has ended is gone after a while");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Outcome { words: text(&person.words), lines: text(&person.lines), commands: person.commands }
}

/// Whether a line has its moment in front.
fn is_of_the_past(line: &str) -> bool {
    line.strip_prefix('[').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Lines that mean something, and some that mean something elsewhere.
const LINES: &[&str] = &[
    "hello\n",
    "hello\r\n",
    "\n",
    "\r\n",
    "grüße 你好 🦀\n",
    "//slashes\n",
    "/ /blank\n",
    "/nick ann\n",
    "/nick \u{1b}[31mred\n",
    "/NICK bob\n",
    "/join dev\n",
    "/join #Lobby\n",
    "/leave\n",
    "/part dev\n",
    "/msg bob hi there\n",
    "/msg bob\n",
    "/me waves\n",
    "/who\n",
    "/who nowhere\n",
    "/rooms\n",
    "/topic\n",
    "/topic new\n",
    "/history\n",
    "/history 5\n",
    "/history 2-3\n",
    "/history dev 1h\n",
    "/search hello\n",
    "/search \u{1b}[31m from:bob in:lobby before:2h\n",
    "/ignore bob\n",
    "/ignore\n",
    "/away \u{202e}gone\n",
    "/away\n",
    "/help\n",
    "/help nick\n",
    "/foo\n",
    "/quit bye\n",
    "GET / HTTP/1.1\r\n",
    "MADE-UP / HTTP/1.1\r\n",
    "SSH-2.0-x\r\n",
    "NICK ann\r\n",
    "no end",
    "\r",
    "/",
];

/// Lines, and bytes that are no line.
fn any_piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => proptest::sample::select(LINES).prop_map(|line| line.as_bytes().to_vec()),
        2 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 16_300_usize..16_500).prop_map(|(byte, count)| vec![byte; count]),
        1 => (8_100_usize..8_300).prop_map(|count| "é".repeat(count).into_bytes()),
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any_piece(), 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_commands_and_words(
        bytes in any_bytes(),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        prop_assert_eq!(send_in_pieces(&bytes, &[]), send_in_pieces(&bytes, &cuts));
    }

    #[test]
    fn single_bytes_give_the_same_commands_and_words(
        bytes in proptest::collection::vec(any_piece(), 0..6).prop_map(|pieces| pieces.concat())
    ) {
        let every: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(send_in_pieces(&bytes, &[]), send_in_pieces(&bytes, &every));
    }

    #[test]
    fn no_bytes_reach_a_terminal_that_should_not(bytes in any_bytes()) {
        let Outcome { words, lines, .. } = send_in_pieces(&bytes, &[]);
        // Refusals in other protocols' words are for programs, not for terminals.
        let is_foreign = words.contains("not speak") || words.contains('\u{15}');
        let is_harmful = |c: char| (c.is_control() && !"\n\t".contains(c)) || "\u{202e}\u{2028}".contains(c);
        prop_assert!(is_foreign || !words.contains(is_harmful), "{:?}", words);
        let is_ours = |line: &str| line.starts_with("-- ") || is_of_the_past(line);
        prop_assert!(is_foreign || words.lines().all(is_ours), "{:?}", words);
        prop_assert!(!lines.contains(is_harmful), "{:?}", lines);
    }
}
