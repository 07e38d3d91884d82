//! Restarts, in order and otherwise: what was said is there, and whoever was away is told what it missed.

use super::facts::stored;
use super::faithful::Faithful;
use crate::harness::{Client, DataDirectory, Ears as _, JsonClient, Outside, Server, Tool};
use rustix::process::Signal;
use serde_json::json;

fn start(data: &DataDirectory) -> Server {
    Server::start_with(&["--data", data.text()])
}

/// `[18:05] <ann> hello`, for the rest of this: what somebody is shown of the past stands behind the moment.
fn without_moment(line: &str) -> &str {
    let behind = line.strip_prefix('[').and_then(|line| line.split_once("] "));
    let is_moment = |moment: &str| moment.len() == 5 && moment.as_bytes()[2] == b':';
    let (moment, rest) = behind.unwrap_or_else(|| panic!("{line:?} is not of the past"));
    assert!(is_moment(moment), "{line:?}");
    rest
}

/// What somebody is shown at a terminal who comes in now, behind the greeting.
fn past_shown_to_a_newcomer(server: &Server, lines: usize) -> Vec<String> {
    let mut newcomer = Client::listen(server);
    (0..lines).map(|_| without_moment(&newcomer.line()).to_owned()).collect()
}

#[test]
fn what_was_said_is_there_after_a_restart_in_order() {
    let data = DataDirectory::new();
    let mut server = start(&data);
    let mut away = Faithful::new("away", &["lobby"]);
    away.thinks_of_something("lobby");
    away.comes_to_rest(server.address());
    let mut ann = Client::join(&server, "ann");
    for line in ["hello", "/me waves", "/topic tea at four", "/who"] {
        ann.says(line);
    }
    ann.waits_for("-- #lobby has ");
    server.signal(Signal::TERM);
    ann.waits_for("-- Shutdown Server");
    assert!(server.ends().success());

    let server = start(&data);
    let past = past_shown_to_a_newcomer(&server, 4);
    assert_eq!(past, ["<away> away 1", "<ann> hello", "* ann waves", "[ann] set the topic: tea at four"]);
    let mut reader = JsonClient::connect(&server);
    let hello = json!({"type": "hello", "version": 1, "nick": "reader"});
    reader.sends(&hello);
    assert_eq!(reader.waits_for_type("joined")["topic"]["text"], "tea at four");
    away.comes_to_rest(server.address());
    let resumed = resumed_events(&server, &away);
    assert_eq!(resumed, ["said", "acted", "topic"]);
}

/// The kinds of the events that somebody is told who comes back.
fn resumed_events(server: &Server, away: &Faithful) -> Vec<String> {
    let mut again = JsonClient::connect(server);
    again.sends(&away.hello());
    let joined = again.waits_for_type("joined");
    assert_eq!(joined["resumed"], true);
    let mut kinds = Vec::new();
    loop {
        let event = again.object();
        kinds.push(event["kind"].as_str().expect("an event").to_owned());
        if event["sequence"] == joined["sequence"] {
            return kinds;
        }
    }
}

#[test]
fn what_was_said_is_there_after_a_kill_and_what_may_be_missing_is_named() {
    let data = DataDirectory::new();
    let server = start(&data);
    let mut away = Faithful::new("away", &["lobby"]);
    away.thinks_of_something("lobby");
    away.comes_to_rest(server.address());
    let mut talker = JsonClient::join(&server, "bob");
    talker.asks(json!({"type": "say", "room": "lobby", "text": "acknowledged"}));
    server.kill();

    let server = start(&data);
    let past = past_shown_to_a_newcomer(&server, 3);
    assert_eq!(past[..2], ["<away> away 1", "<bob> acknowledged"]);
    assert!(past[2].starts_with("-- the server stopped abruptly here;"), "{past:?}");
    let mut reader = JsonClient::join(&server, "reader");
    let stored = stored(&mut reader, "lobby");
    away.stays_until(server.address(), |away| away.knows("lobby") == stored.last());
    assert!(stored.facts.iter().eq(&away.rooms["lobby"].entries));
    assert_eq!(stored.lost.len(), 1);
    assert!(reader.asks(json!({"type": "say", "room": "lobby", "text": "again"}))["sequence"].is_u64());
}

#[test]
fn server_that_is_stopped_in_order_again_and_again_loses_no_number() {
    let data = DataDirectory::new();
    for round in 0..3 {
        let mut server = start(&data);
        let mut bob = JsonClient::join(&server, "bob");
        let ack = bob.asks(json!({"type": "say", "room": "lobby", "text": format!("round {round}")}));
        assert_eq!(ack["sequence"], round + 2);
        assert_eq!(stored(&mut bob, "lobby").lost, []);
        server.signal(Signal::TERM);
        bob.waits_for_type("bye");
        assert!(server.ends().success());
    }
}

#[test]
fn server_that_keeps_nothing_says_so_and_has_nothing_after_a_restart() {
    let mut server = Server::start_with(&["--data", ":memory:"]);
    let mut ann = Client::join(&server, "ann");
    ann.says("hello\n/history");
    ann.hears("-- this server keeps nothing of what is said");
    server.signal(Signal::TERM);
    ann.ends_with(&["-- Shutdown Server"]);
    assert!(server.ends().success());
    let server = Server::start_with(&["--data", ":memory:"]);
    let mut bob = Client::join(&server, "bob");
    bob.says("/who");
    bob.hears("-- #lobby has 1: bob");
}

/// The tour of the README, with the netcat that people have.
#[test]
fn talk_is_there_after_the_server_was_killed_and_started_again() {
    if Tool::NC.is_missing() {
        return;
    }
    let data = DataDirectory::new();
    let server = start(&data);
    let mut ann = Client::join(&server, "ann");
    ann.says("hello bob 你好\n/me waves\n/who");
    ann.hears("-- #lobby has 1: ann");
    // Nobody at netcat is told when something is written down; who is, said this later.
    let mut reader = JsonClient::join(&server, "reader");
    reader.asks(json!({"type": "say", "room": "lobby", "text": "good night"}));
    server.kill();

    let server = start(&data);
    let mut nc = Outside::nc(&server, &[]);
    nc.waits_for("-- type to talk;");
    for line in ["<ann> hello bob 你好", "* ann waves", "<reader> good night"] {
        assert_eq!(without_moment(&nc.line()), line);
    }
}
