//! What was said before comes in pages as somebody scrolls, and is found again.

use super::Home;
use super::home::timeline;
use crate::harness::{JsonClient, Server, Terminal};
use serde_json::json;

const MESSAGES: usize = 1_000;

/// A server on which a lot was said.
fn with_a_past() -> Server {
    let server = Server::start();
    let mut bob = JsonClient::join(&server, "bob");
    for number in 1..=MESSAGES {
        bob.sends(&json!({"type": "say", "room": "lobby", "text": format!("message {number}"), "nonce": number.to_string()}));
    }
    let last = MESSAGES.to_string();
    bob.waits_for_one("the last acknowledgement", |object| object["nonce"] == last.as_str());
    server
}

/// The numbers of the messages that are seen.
fn numbers(terminal: &Terminal) -> Vec<usize> {
    let number = |line: String| line.strip_prefix("bob message ")?.parse().ok();
    timeline(terminal).into_iter().filter_map(number).collect()
}

#[test]
fn past_comes_in_pages_each_message_once_and_in_order() {
    let server = with_a_past();
    let home = Home::new();
    let mut ann = home.joins_at(&server, "ann", 80, 40);
    ann.shows("the last message", |ann| numbers(ann).last() == Some(&MESSAGES));
    let mut seen = numbers(&ann);
    let is_whole = |terminal: &Terminal| {
        let seen = numbers(terminal);
        !seen.is_empty() && seen.windows(2).all(|pair| pair[0] + 1 == pair[1])
    };
    let mut pages = 0;
    while seen[0] > 1 {
        let first = seen[0];
        ann.types("\x1b[5~");
        ann.shows(&format!("what is before {first}, in order and with nothing missing"), |ann| {
            is_whole(ann)
                && numbers(ann)[0] < first
                && numbers(ann).last().is_some_and(|last| *last + 1 >= first)
                && !ann.screen().contains("fetch")
        });
        let page = numbers(&ann);
        let before: Vec<usize> = page.into_iter().filter(|number| *number < first).collect();
        seen.splice(0..0, before);
        pages += 1;
        assert!(pages < MESSAGES, "{seen:?}");
    }
    assert_eq!(seen, (1..=MESSAGES).collect::<Vec<_>>());
    // All the way back: Esc.
    ann.types("\x1b");
    ann.shows("the last message", |ann| numbers(ann).last() == Some(&MESSAGES));
    // And at once: Ctrl-Home, whatever has to come for it.
    ann.types("\x1b[1;5H");
    ann.shows("the first message", |ann| numbers(ann).first() == Some(&1));
}

#[test]
fn search_leads_to_the_message_and_back() {
    let server = with_a_past();
    let home = Home::new();
    let mut ann = home.joins_at(&server, "ann", 80, 24);
    ann.types("a draft");
    ann.shows("the last message", |ann| numbers(ann).last() == Some(&MESSAGES));
    ann.types("\x12321\r");
    ann.shows_text("1 found");
    ann.types("\r");
    ann.shows("the message among its neighbours", |ann| {
        let seen = numbers(ann);
        [320, 321, 322].iter().all(|number| seen.contains(number)) && ann.screen().contains("below")
    });
    ann.edits("> a draft", 9);
    // What lies between there and the present comes as one scrolls.
    for _ in 0..60 {
        ann.types("\x1b[6~");
    }
    ann.shows("the end", |ann| numbers(ann).last() == Some(&MESSAGES) && !ann.screen().contains("below"));
    ann.types("\x12nothing of the kind\r");
    ann.shows_text("nothing was found");
    ann.types("\x1b");
    ann.edits("> a draft", 9);
}
