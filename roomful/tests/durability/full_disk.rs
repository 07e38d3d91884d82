//! A disk that fills up while people talk: a small file system in memory, seen by the server alone, and a data file that may
//! not become larger. What was acknowledged stays, the room goes on and is told why, and writing goes on when there is room.

use super::facts::{Stored, stored};
use super::faithful::number;
use super::mounts::alone_with;
use crate::harness::{Client, DataDirectory, Ears, Heard, JsonClient, Server, roomful};
use serde_json::{Value, json};
use std::time::Duration;

const TROUBLE: &str = "nothing can be written down; it is tried again";
const TOLD: &str = "-- what is said now cannot be written down: the disk is full";
const TOLD_AGAIN: &str = "-- what is said is written down again";
const REFUSED: &str =
    "-- nothing can be said now: the server cannot write it down (the disk is full); try again in a while";
/// So much of a room can be said while nothing is written.
const RESERVED: usize = 4096;

/// So much is acknowledged before the next is said; the disk is full much later.
const SURELY_WRITTEN: usize = 10;

/// A server whose data lies in a small file system of its own, nearly half of which something else takes.
fn server_on_a_small_disk(data: &DataDirectory) -> Option<Server> {
    const MAKE: &str = "mount -t tmpfs -o size=4m tmpfs \"$0\" && head -c 2000000 /dev/zero > \"$0/ballast\"";
    let command = alone_with(MAKE, data.text(), &roomful(&["serve", "--listen", "127.0.0.1:0"]))?;
    Some(Server::start_as(command, &["--data", data.text(), "--replay-lines", "0"]))
}

fn make_room(server: &Server, data: &DataDirectory) {
    let pid = server.pid().as_raw_nonzero();
    let ballast = format!("/proc/{pid}/root{}/ballast", data.path().display());
    std::fs::remove_file(ballast).expect("what the test put there can be removed");
}

fn text_of(nth: usize) -> String {
    format!("number {nth} {}", "x".repeat(4000))
}

/// Somebody says one thing after the other, without waiting for receipts, until the room is told that nothing can be
/// written down. Returns how much was said.
fn says_until_the_disk_is_full(talker: &mut JsonClient, watcher: &mut JsonClient) -> usize {
    for nth in 0..RESERVED {
        let nonce = nth.to_string();
        talker.sends(&json!({"type": "say", "room": "lobby", "text": text_of(nth), "nonce": nonce}));
        if nth < SURELY_WRITTEN {
            check_acknowledgement(&talker.waits_for_type("ack"), nth);
        }
        let event = watcher.waits_for_type("event");
        if event["kind"] == "journal" {
            assert_eq!(event["trouble"], "full");
            return nth + 1;
        }
    }
    watcher.fail("was never told that the disk is full")
}

/// How much of it was acknowledged, in order, when nothing has come for a while.
fn acknowledged_so_far(talker: &mut JsonClient) -> usize {
    let mut count = SURELY_WRITTEN;
    let mut trouble = 0;
    while let Heard::Line(line) = talker.next_within(Duration::from_millis(500)) {
        let told: Value = serde_json::from_str(&line).expect("JSON");
        if told["kind"] == "journal" {
            trouble += 1;
        } else {
            check_acknowledgement(&told, count);
            count += 1;
        }
    }
    assert_eq!(trouble, 1, "whoever waits is told why");
    count
}

fn check_acknowledgement(ack: &Value, nth: usize) {
    assert_eq!((&ack["type"], &ack["nonce"]), (&json!("ack"), &json!(nth.to_string())), "{ack}");
    // The first sequence is that of the room's opening.
    assert_eq!(number(&ack["sequence"]), nth as u64 + 2);
}

/// Everything up to there is kept, each once.
fn check_stored(stored: &Stored, count: usize) {
    for nth in 0..count {
        assert_eq!(stored.places_of(&text_of(nth)), [nth as u64 + 2]);
    }
}

#[test]
fn disk_that_fills_up_takes_nothing_that_was_acknowledged_and_writing_goes_on_when_there_is_room() {
    let data = DataDirectory::new();
    let Some(mut server) = server_on_a_small_disk(&data) else { return };
    server.may_complain_of(TROUBLE);
    let mut talker = JsonClient::join(&server, "talker");
    let mut watcher = JsonClient::join(&server, "watcher");
    talker.waits_for_event("joined");
    let said = says_until_the_disk_is_full(&mut talker, &mut watcher);
    let acknowledged = acknowledged_so_far(&mut talker);
    assert!(acknowledged < said, "{acknowledged} of {said}");
    check_stored(&stored(&mut watcher, "lobby"), said);

    // The room goes on until its numbers are used up.
    let mut ann = Client::join(&server, "ann");
    let lines: Vec<_> = (0..RESERVED + 10).map(|nth| format!("line {nth}")).collect();
    ann.says(&lines.join("\n"));
    ann.says("/who");
    let mut refused = 0;
    while ann.line() == REFUSED {
        refused += 1;
    }
    assert_eq!(ann.heard().last().map(String::as_str), Some("-- #lobby has 3: ann, talker, watcher"));
    assert!(refused >= 10, "{refused}");
    let last = format!("line {}", RESERVED + 10 - refused - 1);
    watcher.waits_for_one(&last, |event| event["text"] == last);
    watcher.sends(&json!({"type": "say", "room": "lobby", "text": "no", "nonce": "no"}));
    assert_eq!(watcher.waits_for_type("refusal")["code"], "unwritten");

    make_room(&server, &data);
    ann.waits_for(TOLD_AGAIN);
    for nth in acknowledged..said {
        let ack = talker.waits_for_type("ack");
        check_acknowledgement(&ack, nth);
    }
    ann.says("after");
    watcher.waits_for_one("what is said after", |event| event["text"] == "after");
    let stored = stored(&mut watcher, "lobby");
    check_stored(&stored, said);
    assert_eq!((stored.lost.len(), stored.places_of("no").len()), (0, 0));
    for text in [last.as_str(), "after"] {
        assert_eq!(stored.places_of(text).len(), 1, "{text}");
    }
}

#[test]
fn data_file_that_may_not_grow_counts_as_a_full_disk_and_what_was_acknowledged_is_there_with_a_wider_bound() {
    let data = DataDirectory::new();
    let mut server = Server::start_with(&["--data", data.text(), "--data-bytes-max", "1000000"]);
    server.may_complain_of(TROUBLE);
    let mut ann = Client::join(&server, "ann");
    let mut talker = JsonClient::join(&server, "talker");
    let mut watcher = JsonClient::join(&server, "watcher");
    talker.waits_for_event("joined");
    let said = says_until_the_disk_is_full(&mut talker, &mut watcher);
    ann.waits_for(TOLD);
    let acknowledged = acknowledged_so_far(&mut talker);
    assert!(acknowledged < said, "{acknowledged} of {said}");
    server.kill();

    let server = Server::start_with(&["--data", data.text()]);
    let mut reader = JsonClient::join(&server, "reader");
    check_stored(&stored(&mut reader, "lobby"), acknowledged);
    let ack = reader.asks(json!({"type": "say", "room": "lobby", "text": "after"}));
    assert_eq!(ack["type"], "ack");
}
