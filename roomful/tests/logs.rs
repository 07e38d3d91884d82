//! Logs: who came and went, as JSON or for people; never what people said.

use crate::harness::{Client, Ears as _, Server};
use rustix::process::Signal;
use serde_json::Value;

/// What must not be found in any log.
const SECRET: &str = "xyzzy";

/// Everything that can be said, said with the secret word, by somebody who comes and goes; then the server is stopped.
/// Returns what it has logged, and the address of the one who spoke.
fn log_of_a_conversation(flags: &[&str]) -> (String, String) {
    let mut server = Server::start_with(flags);
    let mut bob = Client::join(&server, "bob");
    let mut ann = Client::join(&server, "ann");
    let address = ann.address().to_string();
    bob.hears("[ann] entered room");
    for line in [SECRET, "/me SECRET", "/topic SECRET", "/msg bob SECRET", "/away SECRET", "/SECRET SECRET"] {
        ann.says(&line.replace("SECRET", SECRET));
    }
    ann.sends(format!("{SECRET}\u{1b}[2J{SECRET}\n{}\n", SECRET.repeat(10_000)).as_bytes());
    ann.says(&format!("/quit {SECRET}"));
    ann.waits_for("-- bye");
    bob.waits_for(&format!("[ann] is offline ({SECRET})"));
    drop(ann);
    server.signal(Signal::TERM);
    bob.ends_with(&["-- Shutdown Server"]);
    drop(bob);
    assert!(server.ends().success());
    (server.whole_log(), address)
}

#[test]
fn json_log_has_peers_and_counts_and_nothing_that_was_said() {
    let (log, address) = log_of_a_conversation(&["--log-format", "json"]);
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect();
    let of = |message: &str| {
        lines.iter().find(|line| line["message"] == message && line["peer"] == *address).expect("a line")
    };
    assert_eq!(of("connected")["connections"], 2);
    assert_eq!(of("offline")["connections"], 1);
    for message in ["listening", "stopping", "stopped"] {
        assert!(lines.iter().any(|line| line["message"] == message), "{message}: {log}");
    }
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn log_for_people_has_peers_and_counts_and_nothing_that_was_said() {
    let (log, address) = log_of_a_conversation(&[]);
    assert!(log.contains(&format!("connected peer={address} connections=2")), "{log}");
    assert!(log.contains(&format!("offline peer={address} connections=1")), "{log}");
    assert!(!log.contains(SECRET), "{log}");
    assert!(!log.contains('\u{1b}'), "a pipe is sent no colours");
}
