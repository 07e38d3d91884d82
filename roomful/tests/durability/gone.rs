//! A data file that is deleted under a running server: people are told what it is, and a stopping server does not wait long for what
//! cannot come back.

use crate::harness::{Client, DataDirectory, Ears as _, JsonClient, Server};
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

const TROUBLE: &str = "nothing can be written down; it is tried again";
const BEHIND: &str = "the index of words could not be brought up to date; it is tried again";
const GIVEN_UP: &str = "given up: these facts could not be written, and nobody was told that they were";
const NOT_CLOSED: &str = "the data file could not be closed in order";

#[test]
fn server_whose_data_was_deleted_says_so_and_stops_within_seconds() {
    let data = DataDirectory::new();
    let mut server = Server::start_with(&["--data", data.text()]);
    for problem in [TROUBLE, BEHIND, GIVEN_UP, NOT_CLOSED] {
        server.may_complain_of(problem);
    }
    let mut ann = Client::join(&server, "ann");
    let mut bob = JsonClient::join(&server, "bob");
    bob.asks(json!({"type": "say", "room": "lobby", "text": "kept"}));
    std::fs::remove_dir_all(data.path()).expect("it can be deleted");

    bob.sends(&json!({"type": "say", "room": "lobby", "text": "in vain", "nonce": "1"}));
    ann.waits_for("-- what is said now cannot be written down: the data file is gone");
    assert_eq!(bob.waits_for_event("journal")["trouble"], "gone");

    // Bob still waits for a receipt, and is not waited for.
    let signalled = Instant::now();
    server.signal(Signal::TERM);
    ann.waits_for("-- Shutdown Server");
    bob.waits_for_type("bye");
    assert_eq!(server.ends().code(), Some(0));
    let log = server.whole_log();
    assert!(signalled.elapsed() < Duration::from_secs(5), "it took {:?}", signalled.elapsed());
    assert!(log.contains(GIVEN_UP) && log.contains("facts=1"), "{log}");
}
