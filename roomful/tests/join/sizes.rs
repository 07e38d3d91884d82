//! The window gets another size, at any time.

use super::Home;
use crate::harness::{Client, Server, Terminal};

const SIZES: [(u16, u16); 6] = [(40, 12), (200, 60), (80, 24), (10, 3), (1, 1), (80, 24)];

/// What is seen is what would be seen if everything were painted anew.
pub(super) fn shows_nothing_else(terminal: &mut Terminal) {
    let before = (without_latency(&terminal.screen()), terminal.cursor());
    let painted = terminal.bytes().len();
    terminal.types("\x0c");
    terminal.shows("everything anew", |terminal| {
        let bytes = String::from_utf8_lossy(&terminal.bytes()[painted..]);
        bytes.split_once("\x1b[2J").is_some_and(|(_, behind)| behind.contains("\x1b[?2026l"))
    });
    assert_eq!((without_latency(&terminal.screen()), terminal.cursor()), before);
}

/// How long the server takes to answer is another number each time.
fn without_latency(screen: &str) -> String {
    let rows = screen.lines().filter(|row| !row.contains(" ms"));
    rows.collect::<Vec<_>>().join("\n")
}

/// Waits until a terminal of this size shows the end of the draft, and the cursor behind it.
fn edits_in_any_size(terminal: &mut Terminal, draft: &str, (columns, rows): (u16, u16)) {
    let last: String = draft.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    terminal.shows(&format!("the end of the draft at {columns}×{rows}"), |terminal| {
        let (row, column) = terminal.cursor();
        let is_behind = row.ends_with(&last) && usize::from(column) == row.chars().count();
        is_behind || columns < 8
    });
}

#[test]
fn draft_and_cursor_survive_every_size() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.shows_text("bob came in");
    let mut draft =
        "a draft that is rather long and needs more than one row where there is little room".to_owned();
    ann.types(&draft);
    for (nth, size) in SIZES.into_iter().enumerate() {
        ann.resizes(size.0, size.1);
        edits_in_any_size(&mut ann, &draft, size);
        let more = format!(" and {nth}{nth}");
        ann.types(&more);
        draft += &more;
        bob.says(&format!("said at size {nth}"));
        edits_in_any_size(&mut ann, &draft, size);
    }
    ann.shows_text("said at size 5");
    shows_nothing_else(&mut ann);
    ann.types("\r");
    ann.shows_text("> type to talk");
    let mut said = crate::harness::JsonClient::join(&server, "carol");
    let facts = crate::harness::facts_of(&mut said, "lobby");
    assert_eq!(facts.last().expect("facts")["text"], draft);
}

#[test]
fn many_sizes_at_once_end_in_a_screen_of_the_last() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.shows_text("bob came in");
    for line in 0..30 {
        bob.says(&format!(
            "line {line}, 漢字 and 👍, as long as it takes to be broken into two rows or three"
        ));
    }
    ann.types("draft");
    for step in 1..60_u16 {
        ann.resizes(1 + (step * 37) % 150, 1 + (step * 13) % 50);
    }
    ann.resizes(80, 24);
    ann.shows("a screen of this size", |ann| {
        let screen = ann.screen();
        let rows: Vec<&str> = screen.lines().collect();
        rows.len() == 24 && rows[22].contains("● ann") && rows[22].chars().count() == 80
    });
    ann.edits("> draft", 7);
    ann.shows_text("line 29");
    shows_nothing_else(&mut ann);
}
