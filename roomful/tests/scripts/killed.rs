//! The server is killed while much is said: all of it arrives, once and in order, for who says it and for who follows.

use super::{Running, in_room, lines_of, printed, script, start};
use crate::harness::{DataDirectory, Ears as _, Lines, Server, roomful};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

const COUNT: u64 = 100_000;
/// When these are heard, the server is killed.
const KILLED_AT: [u64; 2] = [20_000, 60_000];
/// Whoever says it is ahead of who hears it, but not by more than this: a server is killed while there is more to say.
const AHEAD_MAX: u64 = 30_000;

#[test]
fn everything_is_said_once_and_in_order_though_the_server_is_killed_twice() {
    let data = DataDirectory::new();
    let mut server = Server::start_with(&["--data", data.text()]);
    let address = in_room(&server, "dev");
    // A room of which nothing is written yet would be gone with the first kill.
    assert_eq!(printed(&["say", &address, "0"]), "");
    let mut tail = Running(start(&mut script(&["tail", "--json", "--follow", &address])));
    let mut heard = Heard { lines: lines_of(&mut tail.0, "tail"), said: BTreeMap::new(), undone: 0 };
    heard.up_to(0);
    let mut say = Running(start(script(&["say", "--wait", &address]).stdin(Stdio::piped())));
    let stdin = say.0.stdin.take().expect("a pipe");
    let (kills, killed) = channel();
    let writer = thread::spawn(move || count(stdin, &killed));
    for number in KILLED_AT {
        heard.up_to(number);
        let status = say.0.try_wait().expect("it can be waited for");
        assert_eq!(status, None, "there is more to say");
        let listen = server.address().to_string();
        server.kill();
        server = Server::start_as(roomful(&["serve", "--listen", &listen]), &["--data", data.text()]);
        kills.send(()).expect("somebody counts");
    }
    heard.up_to(COUNT);
    writer.join().expect("it is read to its end");
    let mut told = Lines::of("say", say.0.stderr.take().expect("a pipe"));
    told.ends_with(&[]);
    assert!(say.0.wait().expect("it ends").success());
    println!("{} were told and lost", heard.undone);
    let said: Vec<u64> = heard.said.values().copied().collect();
    assert!(said == (0..=COUNT).collect::<Vec<u64>>(), "not what was said: {} messages", said.len());
    // And so it stands there for who comes later.
    let past = printed(&["tail", &address, "--json", "-n", "100000"]);
    let past: Vec<u64> = past.lines().filter_map(number_of).map(|(_, number)| number).collect();
    assert!(past.is_sorted_by(|one, next| one + 1 == *next), "not in order, or not once");
    assert_eq!(past.last(), Some(&COUNT));
}

fn count(mut stdin: ChildStdin, killed: &Receiver<()>) {
    for number in 1..=COUNT {
        if KILLED_AT.map(|at| at + AHEAD_MAX).contains(&number) {
            killed.recv().expect("the server is killed");
        }
        writeln!(stdin, "{number}").expect("it is read");
    }
}

/// The sequence and the number of an event that says one.
fn number_of(line: &str) -> Option<(u64, u64)> {
    let event: Value = serde_json::from_str(line).expect("JSON");
    Some((event["sequence"].as_u64()?, event["text"].as_str()?.parse().ok()?))
}

/// What a follower was told.
struct Heard {
    lines: Lines,
    said: BTreeMap<u64, u64>,
    /// How much it was told that turned out to be lost: none of that had been acknowledged.
    undone: usize,
}

impl Heard {
    /// Follows until this number is told.
    fn up_to(&mut self, wanted: u64) {
        while self.said.values().next_back().is_none_or(|last| *last < wanted) {
            let line = self.lines.next("the next number").expect("it follows for ever");
            self.take(&line);
        }
        self.lines.heard().clear();
    }

    fn take(&mut self, line: &str) {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let last = self.said.keys().next_back().copied();
        assert!(event["sequence"].as_u64() > last, "{line} behind {last:?}");
        if event["kind"] == "lost" {
            self.undone += self.said.split_off(&event["first"].as_u64().expect("a sequence")).len();
        } else if let Some((sequence, number)) = number_of(line) {
            self.said.insert(sequence, number);
        }
    }
}
