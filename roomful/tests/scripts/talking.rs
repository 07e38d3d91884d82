//! What is said is read again.

use super::{Running, complaint, in_room, lines_of, printed, run, run_with, script, start};
use crate::harness::{Client, Ears as _, Lines, Server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::process::Stdio;

#[test]
fn what_is_said_is_printed_found_and_listed() {
    let server = Server::start();
    let dev = in_room(&server, "dev");
    assert_eq!(printed(&["say", &format!("ann@{dev}"), "good", "morning"]), "");
    let said = run_with(&["say", "--act", &dev], b"waves\r\n\n   \nbows");
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    let said = run_with(&["say", "--whole", &dev], b"\none\n\ntwo\n");
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    let text = printed(&["tail", &dev]);
    let lines: Vec<&str> =
        text.lines().map(|line| line.split_once("] ").map_or(line, |(_, said)| said)).collect();
    let expected =
        ["<ann> good morning", "* tess waves", "* tess bows", "<tess> one", "<tess> ", "<tess> two"];
    assert!(lines[0].starts_with("-- 2"), "{text}");
    assert_eq!(lines[1..], expected);
    assert_eq!(printed(&["tail", &dev, "--since", "1h"]), text);
    assert_eq!(printed(&["tail", &dev, "-n", "0"]), "");
    let last: Value = serde_json::from_str(&printed(&["tail", &dev, "-n", "1", "--json"])).expect("JSON");
    assert_eq!((&last["kind"], &last["text"]), (&Value::from("said"), &Value::from("one\n\ntwo")));
    let found = printed(&["search", &dev, "morning"]);
    assert!(found.starts_with("[2") && found.ends_with("] #dev <ann> good morning\n"), "{found}");
    let address = server.address().to_string();
    assert_eq!(printed(&["search", &address, "--room", "Dev", "--from", "ann"]), found);
    assert_eq!(printed(&["search", &address, "--room", "dev", "--room", "#DEV", "morning"]), found);
    assert_eq!(complaint(&["search", &address, "morning"]), "", "it was not said in the lobby");
    assert_eq!(complaint(&["search", &dev, "morning", "--before", "2026-01-01"]), "");
    assert_eq!(run(&["search", &address]).status.code(), Some(2));
}

#[test]
fn tail_of_a_room_in_which_nothing_was_ever_said_says_so() {
    let server = Server::start();
    let typo = in_room(&server, "typo");
    for more in [&[][..], &["--json"], &["--since", "1h"]] {
        let output = run(&[&["tail", &typo], more].concat());
        assert!(output.status.success() && output.stdout.is_empty(), "{more:?}: {output:?}");
        let told = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(told, "roomful: nothing has been said in #typo\n", "{more:?}");
    }
    let dev = in_room(&server, "dev");
    assert_eq!(printed(&["say", &dev, "hello"]), "");
    assert_eq!(printed(&["tail", &dev, "--since", "2999-01-01"]), "", "there is such a room");
    assert_eq!(printed(&["tail", &typo, "-n", "0"]), "", "nothing was asked for");
}

#[test]
fn rooms_and_those_who_are_in_them_are_listed_without_being_entered() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    ann.says("/topic what is new");
    ann.waits_for("set the topic");
    let address = server.address().to_string();
    assert_eq!(printed(&["rooms", &address]), "lobby\t1\twhat is new\n");
    assert_eq!(printed(&["who", &in_room(&server, "lobby")]), "ann\n");
    ann.says("/away at lunch");
    ann.waits_for("away");
    assert_eq!(printed(&["who", &in_room(&server, "lobby")]), "ann\taway: at lunch\n");
    let room: Value = serde_json::from_str(&printed(&["rooms", &address, "--json"])).expect("JSON");
    assert_eq!(room["members"], 1);
    let person: Value =
        serde_json::from_str(&printed(&["who", &in_room(&server, "lobby"), "--json"])).expect("JSON");
    assert_eq!(person["nick"], "ann");
    let told = complaint(&["who", &in_room(&server, "nowhere")]);
    assert!(told.starts_with("roomful: there is no room '#nowhere'"), "{told}");
    ann.says("/help who");
    ann.waits_for("-- /who");
    assert!(!ann.heard().iter().any(|line| line.contains("entered")), "somebody came in to look");
}

#[test]
fn line_that_cannot_be_said_is_named_and_the_others_are_said() {
    let server = Server::start();
    let dev = in_room(&server, "dev");
    let long = "x".repeat(20_000);
    let output = run_with(&["say", &dev], format!("one\n{long}\nthree\n").as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(told, "roomful: line 2 was not said: it has 20000 bytes; at most 16384 are possible\n");
    let text = printed(&["tail", &dev]);
    assert!(text.contains("<tess> one\n") && text.ends_with("<tess> three\n"), "{text}");
    let whole = run_with(&["say", "--whole", &dev], "\nx".repeat(300).as_bytes());
    assert_eq!(whole.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&whole.stderr).contains("300 lines; at most 256"), "{whole:?}");
}

#[test]
fn nobody_complains_because_nobody_reads() {
    let server = Server::start();
    let dev = in_room(&server, "dev");
    assert!(run_with(&["say", &dev], "hello\n".repeat(1000).as_bytes()).status.success());
    for arguments in [&["tail", &dev, "-n", "1000"][..], &["search", &dev, "hello"], &["rooms", &dev]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let child = script(arguments).stdout(writer).stderr(Stdio::piped()).spawn().expect("it starts");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn signal_ends_a_tail_with_its_status() {
    let server = Server::start();
    let mut tail = Running(start(&mut script(&["tail", "--follow", &in_room(&server, "dev")])));
    let mut lines = lines_of(&mut tail.0, "tail");
    assert_eq!(printed(&["say", &in_room(&server, "dev"), "hello"]), "");
    lines.waits_for("<tess> hello");
    kill_process(Pid::from_child(&tail.0), Signal::TERM).expect("a signal is sent");
    lines.ends_with(&[]);
    assert_eq!(tail.0.wait().expect("it ends").code(), Some(128 + 15));
}

#[test]
fn bot_hears_others_says_what_it_prints_and_has_the_status_of_its_command() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    // It answers the first line, and what it says itself is not the second.
    let command = r#"read -r one; echo "heard: $one"; read -r two; echo "and: $two"; exit 7"#;
    let address = format!("echo@{}", in_room(&server, "lobby"));
    let mut bot = Running(start(&mut script(&["bot", &address, "--", "sh", "-c", command])));
    ann.waits_for("[echo] entered room");
    ann.says("hello");
    ann.waits_for("<echo> heard: <ann> hello");
    ann.says("/me waves");
    ann.waits_for("<echo> and: * ann waves");
    assert_eq!(bot.0.wait().expect("it ends").code(), Some(7));
    let status = |command| run(&["bot", &address, "--", "sh", "-c", command]).status.code();
    assert_eq!(status("exit 0"), Some(0));
    assert_eq!(status("kill -9 $$"), Some(128 + 9));
    assert!(complaint(&["bot", &address, "--", "/no/such/command"]).contains("cannot start the command"));
}

#[test]
fn bot_is_given_events_as_objects() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let command = "read -r one; echo \"$one\"";
    let address = format!("echo@{}", in_room(&server, "lobby"));
    let mut bot = Running(start(&mut script(&["bot", "--json", &address, "--", "sh", "-c", command])));
    ann.waits_for("[echo] entered room");
    ann.says("hello");
    let line = ann.waits_for("<echo> {");
    let event: Value = serde_json::from_str(line.trim_start_matches("<echo> ")).expect("JSON");
    assert_eq!((&event["kind"], &event["text"]), (&Value::from("said"), &Value::from("hello")));
    assert!(bot.0.wait().expect("it ends").success());
}

#[test]
fn bot_that_is_told_to_end_ends_its_command() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let command = "trap 'echo last words; exit 0' TERM; echo ready; while :; do read -r line; done";
    let address = format!("echo@{}", in_room(&server, "lobby"));
    let mut bot = Running(start(&mut script(&["bot", &address, "--", "sh", "-c", command])));
    ann.waits_for("<echo> ready");
    kill_process(Pid::from_child(&bot.0), Signal::TERM).expect("a signal is sent");
    // A shell that reads hears of the signal when its next line comes.
    ann.says("anybody there?");
    ann.waits_for("<echo> last words");
    let mut told = Lines::of("the bot", bot.0.stderr.take().expect("a pipe"));
    told.ends_with(&[]);
    assert_eq!(bot.0.wait().expect("it ends").code(), Some(128 + 15));
}

#[test]
fn command_that_does_not_end_is_killed_and_that_is_said_once() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let command = "trap '' TERM; echo ready; while :; do read -r line; done";
    let address = format!("echo@{}", in_room(&server, "lobby"));
    let mut bot = Running(start(&mut script(&["bot", &address, "--", "sh", "-c", command])));
    ann.waits_for("<echo> ready");
    kill_process(Pid::from_child(&bot.0), Signal::TERM).expect("a signal is sent");
    let mut told = Lines::of("the bot", bot.0.stderr.take().expect("a pipe"));
    told.ends_with(&["roomful: the command did not end, and was killed"]);
    assert_eq!(bot.0.wait().expect("it ends").code(), Some(128 + 15));
}
