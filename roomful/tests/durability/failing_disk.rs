//! A disk whose syncs fail for a while. Nothing is acknowledged that is not on it, the room is told, goes on as long as there are
//! numbers, and is told the reason when there are none; when the disk works again, so does everything.

use super::facts::stored;
use super::faithful::number;
use super::meddling::Meddling;
use crate::harness::{Client, DataDirectory, Ears as _, JsonClient, Server};
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::{Duration, Instant};

const TROUBLE: &str = "nothing can be written down; it is tried again";
const TOLD: &str = "-- what is said now cannot be written down: the disk reports errors";
const TOLD_AGAIN: &str = "-- what is said is written down again";
const REFUSED: &str = "-- nothing can be said now: the server cannot write it down (the disk reports errors); try again in a while";
/// As little as is possible.
const LAG_BYTES: &str = "65536";
/// So much of a room can be said while nothing is written.
const RESERVED: usize = 4096;

fn saying(text: &str, nonce: &str) -> Value {
    json!({"type": "say", "room": "lobby", "text": text, "nonce": nonce})
}

#[test]
fn nothing_is_acknowledged_while_syncs_fail_and_everything_when_they_work_again() {
    const SAYINGS: usize = 50;
    let data = DataDirectory::new();
    let mut server = Server::start_with(&["--data", data.text()]);
    server.may_complain_of(TROUBLE);
    let mut watcher = JsonClient::join(&server, "watcher");
    let mut ann = JsonClient::join(&server, "ann");
    ann.asks(saying("before", "before"));
    watcher.waits_for_event("said");
    let Some(meddling) = Meddling::syncs_fail(&server) else { return };

    for nth in 0..SAYINGS {
        ann.sends(&saying(&format!("unwritten {nth}"), &nth.to_string()));
    }
    for nth in 0..SAYINGS {
        let told = watcher.waits_for_one("what was said, or the trouble", |event| event["kind"] == "said");
        assert_eq!(told["text"], format!("unwritten {nth}"));
    }
    assert_eq!(trouble_told_to(&mut watcher), "failing");
    // Whoever waits for receipts is told why none come, and is answered.
    assert_eq!(ann.waits_for_event("journal")["trouble"], "failing");
    ann.asks(json!({"type": "ping", "nonce": "still there"}));
    // It has been tried again and again meanwhile.
    ann.hears_nothing_for(Duration::from_millis(500));
    assert_eq!(ann.heard().iter().filter(|line| line.contains("\"type\":\"ack\"")).count(), 1, "of before");

    meddling.ends();
    assert_eq!(watcher.waits_for_event("journal")["trouble"], Value::Null);
    for nth in 0..SAYINGS {
        let ack = ann.waits_for_type("ack");
        assert_eq!((&ack["nonce"], number(&ack["sequence"])), (&json!(nth.to_string()), nth as u64 + 3));
    }
    server.kill();
    let server = Server::start_with(&["--data", data.text()]);
    let mut reader = JsonClient::join(&server, "reader");
    let stored = stored(&mut reader, "lobby");
    for nth in 0..SAYINGS {
        assert_eq!(stored.places_of(&format!("unwritten {nth}")), [nth as u64 + 3]);
    }
}

#[test]
fn whoever_waits_for_an_acknowledgement_hears_what_others_say_while_syncs_fail() {
    let mut server = Server::start_with(&[]);
    server.may_complain_of(TROUBLE);
    let mut ann = JsonClient::join(&server, "ann");
    let mut bob = Client::join(&server, "bob");
    ann.waits_for_event("joined");
    let Some(meddling) = Meddling::syncs_fail(&server) else { return };

    ann.sends(&saying("is it written?", "n"));
    bob.waits_for("<ann> is it written?");
    assert_eq!(ann.waits_for_event("journal")["trouble"], "failing");
    for text in ["I hear you", "and now?"] {
        bob.says(text);
        assert_eq!(ann.waits_for_event("said")["text"], text);
    }
    let known = ann.asks(json!({"type": "ping"}));
    assert_eq!(known["type"], "pong");
    ann.hears_nothing_for(Duration::from_millis(300));
    assert!(ann.heard().iter().all(|line| !line.contains("\"type\":\"ack\"")), "not one is written");

    meddling.ends();
    let ack = ann.waits_for_type("ack");
    // In its place it would have stood in front of what bob said.
    assert_eq!((&ack["nonce"], number(&ack["sequence"])), (&json!("n"), 2));
    ann.sends(&saying("now it is", "m"));
    let ack = ann.waits_for_type("ack");
    assert_eq!((&ack["nonce"], number(&ack["sequence"])), (&json!("m"), 5));
}

#[test]
fn client_that_says_more_at_once_than_anybody_may_lag_gets_every_acknowledgement_and_misses_nothing() {
    const SAYINGS: usize = 3000;
    const OTHERS: usize = 3000;
    let server = Server::start_with(&["--lag-bytes-max", LAG_BYTES]);
    let mut ann = JsonClient::join(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.waits_for_event("joined");
    // So that very much is said between two commits.
    let Some(meddling) = Meddling::syncs_take(&server, 200) else { return };
    let lines: Vec<_> =
        (0..SAYINGS).map(|nth| format!("{}\n", saying("one of very many", &nth.to_string()))).collect();
    let mut stream = ann.stream().try_clone().expect("a socket can be had twice");
    let sender = std::thread::spawn(move || stream.write_all(lines.concat().as_bytes()));
    let others: Vec<_> = (0..OTHERS).map(|nth| format!("number {nth}")).collect();
    bob.says(&others.join("\n"));

    let (mut acknowledged, mut heard, mut late) = (0, 0, 0);
    let mut last = 0;
    while acknowledged < SAYINGS || heard < OTHERS {
        let told = ann.object();
        let sequence = number(&told["sequence"]);
        match told["type"].as_str() {
            Some("ack") => {
                assert_eq!(told["nonce"], acknowledged.to_string());
                acknowledged += 1;
                late += usize::from(sequence < last);
            }
            Some("event") => {
                assert_eq!(told["text"], format!("number {heard}"));
                heard += 1;
            }
            _ => panic!("ann did not expect {told}"),
        }
        last = last.max(sequence);
    }
    println!("{late} of {SAYINGS} acknowledgements came late");
    sender.join().expect("no panic").expect("the server takes what is sent");
    meddling.ends();
}

/// The trouble that somebody was told of, before or is now.
fn trouble_told_to(watcher: &mut JsonClient) -> String {
    let before = watcher.heard().iter().find(|line| line.contains("\"kind\":\"journal\"")).cloned();
    let told = before.map(|line| serde_json::from_str(&line).expect("JSON"));
    let told: Value = told.unwrap_or_else(|| watcher.waits_for_event("journal"));
    told["trouble"].as_str().expect("there is trouble").to_owned()
}

#[test]
fn room_goes_on_without_the_disk_until_its_numbers_are_used_up_and_says_why() {
    const TOO_MUCH: usize = RESERVED + 1000;
    let mut server = Server::start_with(&[]);
    server.may_complain_of(TROUBLE);
    let mut ann = Client::join(&server, "ann");
    let mut bob = Client::join(&server, "bob");
    bob.says("before");
    ann.waits_for("<bob> before");
    let Some(meddling) = Meddling::syncs_fail(&server) else { return };

    bob.says("first");
    ann.hears("<bob> first");
    ann.hears(TOLD);
    let lines: Vec<_> = (0..TOO_MUCH).map(|nth| format!("line {nth}")).collect();
    bob.says(&lines.join("\n"));
    bob.says("/who");
    bob.waits_for(TOLD);
    let mut refused = 0;
    while bob.line() == REFUSED {
        refused += 1;
    }
    let who = bob.heard().last().cloned();
    assert_eq!(who.as_deref(), Some("-- #lobby has 2: ann, bob"));
    assert!((TOO_MUCH - RESERVED..TOO_MUCH).contains(&refused), "{refused} of {TOO_MUCH} were refused");
    let said = TOO_MUCH - refused;
    for nth in 0..said {
        ann.hears(&format!("<bob> line {nth}"));
    }
    // A program is told so, too.
    let mut program = JsonClient::join(&server, "program");
    program.sends(&saying("refused", "n"));
    let refusal = program.waits_for_type("refusal");
    assert_eq!((&refusal["code"], &refusal["nonce"]), (&json!("unwritten"), &json!("n")));

    meddling.ends();
    ann.waits_for(TOLD_AGAIN);
    bob.waits_for(TOLD_AGAIN);
    program.waits_for_event("journal");
    program.sends(&saying("refused", "n"));
    let ack = program.waits_for_type("ack");
    assert_eq!((&ack["nonce"], &ack["repeated"]), (&json!("n"), &Value::Null));
    bob.says("after");
    ann.waits_for("<bob> after");
    let stored = stored(&mut program, "lobby");
    assert_eq!(stored.lost, []);
    for text in ["first".to_owned(), format!("line {}", said - 1), "after".to_owned()] {
        assert_eq!(stored.places_of(&text).len(), 1, "{text}");
    }
    assert!(stored.places_of(&format!("line {said}")).is_empty(), "what was refused was kept");
}

#[test]
fn nobody_hears_before_the_disk_has_it_where_that_is_wanted() {
    const DELAY_MS: u32 = 400;
    let server = Server::start_with(&["--durability", "strict"]);
    let mut ann = Client::join(&server, "ann");
    let mut bob = JsonClient::join(&server, "bob");
    ann.waits_for("[bob] entered room");
    let Some(meddling) = Meddling::syncs_take(&server, DELAY_MS) else { return };
    let begun = Instant::now();
    bob.sends(&saying("is it written?", "n"));
    ann.hears("<bob> is it written?");
    assert!(begun.elapsed() >= Duration::from_millis(DELAY_MS.into()), "heard after {:?}", begun.elapsed());
    assert_eq!(bob.waits_for_type("ack")["nonce"], "n");
    meddling.ends();
}

#[test]
fn everybody_hears_at_once_and_whoever_said_it_when_the_disk_has_it() {
    const DELAY_MS: u32 = 400;
    let server = Server::start_with(&[]);
    let mut ann = Client::join(&server, "ann");
    let mut bob = JsonClient::join(&server, "bob");
    ann.waits_for("[bob] entered room");
    let Some(meddling) = Meddling::syncs_take(&server, DELAY_MS) else { return };
    let begun = Instant::now();
    bob.sends(&saying("is it written?", "n"));
    ann.hears("<bob> is it written?");
    // It is heard, and what others say is, while nothing is written.
    ann.says("I hear you");
    ann.says("/who");
    ann.hears("-- #lobby has 2: ann, bob");
    assert_eq!(bob.waits_for_type("ack")["nonce"], "n");
    assert!(begun.elapsed() >= Duration::from_millis(DELAY_MS.into()), "after {:?}", begun.elapsed());
    meddling.ends();
}

#[test]
fn receipts_that_promise_nothing_leave_though_syncs_fail() {
    let server = Server::start_with(&["--durability", "none"]);
    let mut ann = JsonClient::join(&server, "ann");
    let Some(meddling) = Meddling::syncs_fail(&server) else { return };
    for nth in 0..100 {
        let ack = ann.asks(json!({"type": "say", "room": "lobby", "text": format!("number {nth}")}));
        assert_eq!(ack["type"], "ack");
    }
    assert!(ann.heard().iter().all(|line| !line.contains("journal")));
    meddling.ends();
}
