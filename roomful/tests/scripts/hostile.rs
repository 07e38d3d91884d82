//! A server that means no good: whatever it sends, nothing reaches a terminal that could move its cursor.

use super::{run, strangers};
use crate::harness::is_harmless;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Output;

/// Clears the screen, rings, turns text around, and ends the line.
const NASTY: &str = "\u{1b}[2J\u{7}\u{9b}31m\u{202e}\u{2028}\r\nx";

/// A server in which everything is nasty.
fn hostile_server() -> u16 {
    strangers::listens(|stream| {
        std::thread::spawn(move || drop(serve(&stream)));
    })
}

fn serve(stream: &TcpStream) -> std::io::Result<()> {
    for line in BufReader::new(stream).lines() {
        let request: Value = serde_json::from_str(&line?).expect("requests are JSON");
        for answer in answers(&request) {
            writeln!(&mut &*stream, "{answer}")?;
        }
    }
    Ok(())
}

fn nasty(kind: &str, sequence: u64) -> Value {
    json!({"type": "event", "kind": kind, "room": "dev", "sequence": sequence, "time": "2026-01-01T12:00:00.000Z",
        "from": {"nick": NASTY, "door": NASTY}, "text": NASTY, "topic": NASTY, "reason": NASTY, "target": 1, NASTY: NASTY})
}

fn answers(request: &Value) -> Vec<Value> {
    let nonce = &request["nonce"];
    let events = || vec![nasty("said", 1), nasty("acted", 2), nasty("topic", 3), nasty("redacted", 4)];
    match request["type"].as_str().unwrap_or_default() {
        "hello" => vec![
            json!({"type": "welcome", "version": 1, "server": NASTY, "epoch": "e", "nick": NASTY, "resume": {"secret": "s"}}),
            json!({"type": "joined", "room": "dev", "sequence": 4, "resumed": false, "members": [NASTY],
                "topic": {"text": NASTY, "by": NASTY, "time": "2026-01-01T12:00:00.000Z"}}),
            json!({"type": NASTY, "text": NASTY}),
            nasty(NASTY, 5),
        ],
        "history" => vec![json!({"type": "history", "nonce": nonce, "room": "dev", "events": events()})],
        "search" => vec![json!({"type": "found", "nonce": nonce, "events": events(), "rest": "nothing"})],
        "rooms" => vec![
            json!({"type": "rooms", "nonce": nonce, "rooms": [{"room": NASTY, "members": 1, "topic": NASTY}], "more": false}),
        ],
        "who" => vec![
            json!({"type": "names", "nonce": nonce, "room": "dev", "names": [{"nick": NASTY, "away": NASTY}], "more": false}),
        ],
        "say" => vec![
            nasty("said", 6),
            json!({"type": "refusal", "nonce": nonce, "request": "say", "code": NASTY, "text": NASTY}),
        ],
        _ => Vec::new(),
    }
}

fn is_all_harmless(output: &Output) -> bool {
    let all = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(all).expect("UTF-8").lines().all(is_harmless)
}

#[test]
fn nothing_of_a_hostile_server_reaches_a_terminal() {
    let address = format!("127.0.0.1:{}/dev", hostile_server());
    for arguments in [
        &["tail", &address][..],
        &["tail", &address, "--json"],
        &["search", &address, "x"],
        &["search", &address, "x", "--json"],
        &["rooms", &address],
        &["rooms", &address, "--json"],
        &["who", &address],
        &["who", &address, "--json"],
        &["say", &address, "x"],
        &["bot", &address, "--", "sh", "-c", "echo x; read -r line; printf '%s\\n' \"$line\" >&2"],
        &["bot", "--json", &address, "--", "sh", "-c", "echo x; read -r line; printf '%s\\n' \"$line\" >&2"],
    ] {
        let output = run(arguments);
        assert!(is_all_harmless(&output), "{arguments:?}: {output:?}");
        let is_empty = output.stdout.is_empty() && output.stderr.is_empty();
        assert!(!is_empty, "{arguments:?} was told nothing");
        for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{")) {
            let object: Value = serde_json::from_slice(line).expect("JSON");
            assert!(!object.to_string().contains("\\u001b"), "{object}");
        }
    }
}

#[test]
fn server_of_endless_rooms_is_left() {
    let port = strangers::listens(|stream| {
        std::thread::spawn(move || {
            let mut stream = stream;
            let welcome = json!({"type": "welcome", "version": 1, "server": "s", "epoch": "e", "nick": "a", "resume": {"secret": "s"}});
            let _ = writeln!(stream, "{welcome}");
            for number in 0.. {
                let joined = json!({"type": "joined", "room": format!("r{number}"), "sequence": 1});
                if writeln!(stream, "{joined}").is_err() {
                    return;
                }
            }
        });
    });
    let output = run(&["tail", "--follow", &format!("127.0.0.1:{port}/dev")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

/// A server that welcomes, and then answers each request with what is given.
fn server_that_answers(answer: fn(&Value) -> Vec<Value>) -> u16 {
    strangers::listens(move |stream| {
        std::thread::spawn(move || {
            let mut lines = BufReader::new(&stream).lines();
            while let Some(Ok(line)) = lines.next() {
                let request: Value = serde_json::from_str(&line).expect("requests are JSON");
                let welcome = json!({"type": "welcome", "version": 1, "server": "s", "epoch": "e", "nick": "a", "resume": {"secret": "s"}});
                let welcome = (request["type"] == "hello").then_some(welcome);
                for answer in welcome.into_iter().chain(answer(&request)) {
                    // Whoever has gone does not want it.
                    let _ = writeln!(&stream, "{answer}");
                }
            }
        });
    })
}

fn said(sequence: u64) -> Value {
    json!({"type": "event", "kind": "said", "room": "dev", "id": "x", "sequence": sequence, "time": "2026-01-01T12:00:00.000Z",
        "from": {"nick": "bob"}, "text": "x"})
}

#[test]
fn sequences_at_the_end_of_numbers_do_no_harm() {
    let port = server_that_answers(|request| match request["type"].as_str() {
        Some("hello") => vec![
            json!({"type": "joined", "room": "dev", "sequence": u64::MAX, "resumed": false}),
            said(u64::MAX),
            json!({"type": "bye", "code": "resumed"}),
        ],
        Some("history") => vec![
            json!({"type": "history", "nonce": request["nonce"], "room": "dev", "events": [said(u64::MAX)]}),
        ],
        _ => Vec::new(),
    });
    let output = run(&["tail", "--follow", &format!("127.0.0.1:{port}/dev")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn pages_that_never_end_are_not_read_for_ever() {
    let port = server_that_answers(|request| match request["type"].as_str() {
        Some("hello") => vec![json!({"type": "joined", "room": "dev", "sequence": 9, "resumed": false})],
        Some("history") => vec![
            json!({"type": "history", "nonce": request["nonce"], "room": "dev", "events": [said(1)], "before": 1, "after": 1}),
        ],
        _ => Vec::new(),
    });
    let output = run(&["tail", "--since", "1d", &format!("127.0.0.1:{port}/dev")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn server_that_lets_nobody_into_a_room_is_given_up() {
    let port = server_that_answers(|_| Vec::new());
    let output = run(&["say", "--timeout", "1", &format!("127.0.0.1:{port}/dev"), "x"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not answer any more"), "{output:?}");
}
