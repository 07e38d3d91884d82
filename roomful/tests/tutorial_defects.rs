//! The defects of the servers that tutorials build for this exercise, a test for each, named after it: they spin, leak, tear
//! characters, stop for one who does not read, throw out the wrong one, and let people forge each other's lines.

use crate::harness::{
    Client, Ears as _, Server, ann_and_bob, may_have_descriptors, poller_under_test, reset,
};
use crate::pollers::crowd_beyond_the_end_is_told;
use crate::telnet::telnet_and_bob;
use rustix::process::Signal;
use std::io::Write as _;

#[test]
fn one_idle_member_costs_no_processor_time() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    server.rests(&mut ann);
}

#[test]
fn member_that_leaves_costs_no_processor_time_and_leaves_no_descriptor_and_no_endless_newlines() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let descriptors = server.descriptors();
    let [bob, cat, dan] = ["bob", "cat", "dan"].map(|nick| {
        let member = Client::join(&server, nick);
        ann.hears(&format!("[{nick}] entered room"));
        member
    });
    drop(bob);
    ann.hears("[bob] is offline");
    reset(cat.into_stream());
    ann.hears("[cat] is offline");
    // One that has closed its side lingers for a second: that is what is watched here.
    dan.half_closes();
    server.rests(&mut ann);
    ann.hears("[dan] is offline");
    // One that does not close its side when the server has closed its own is waited for, for a while.
    let mut eve = Client::join(&server, "eve");
    ann.hears("[eve] entered room");
    eve.says("/quit");
    eve.ends_with(&["-- bye"]);
    ann.hears("[eve] is offline");
    server.rests(&mut ann);
    drop((dan, eve));
    server.closes_descriptors_down_to(descriptors, &mut ann);
}

const STALLED_LINES: usize = 40_000;
const LINE_BYTES: usize = 400;
/// So many lines are far from the bound on how much somebody may lag behind.
const BATCH: usize = 200;

fn said(number: usize) -> String {
    let start = format!("line {number} ");
    let filling = "x".repeat(LINE_BYTES - start.len());
    start + &filling
}

#[test]
fn one_member_that_never_reads_stops_nobody_and_is_told_exactly_what_it_has_missed() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let mut stalled = Client::join(&server, "stalled");
    let mut healthy = ["bob", "cat"].map(|nick| Client::join(&server, nick));
    for nick in ["stalled", "bob", "cat"] {
        ann.hears(&format!("[{nick}] entered room"));
    }
    for nick in ["bob", "cat"] {
        stalled.hears(&format!("[{nick}] entered room"));
    }
    healthy[0].hears("[cat] entered room");
    // Whoever reads at its leisure may fall behind, too; those who are healthy here are waited for.
    for batch in 0..STALLED_LINES / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        ann.says(&numbers.clone().map(said).collect::<Vec<_>>().join("\n"));
        for hearer in &mut healthy {
            numbers.clone().for_each(|number| hearer.hears(&format!("<ann> {}", said(number))));
        }
    }

    // Now it reads. Its question is answered behind all that was said before; only what it then still lacks may be told
    // a little later, but not behind the answer to a second question.
    stalled.says("/who");
    let mut answers = 0;
    let mut expected = 0;
    let mut skips = 0;
    loop {
        let line = stalled.line();
        if let Some((count, way_back)) =
            line.strip_prefix("-- ").and_then(|line| line.split_once(" messages skipped; "))
        {
            let count: usize = count.parse().expect("a number");
            // The first fact opened the room.
            let (from, to) = (expected + 2, expected + count + 1);
            assert_eq!(way_back, format!("/history {from}-{to} shows them"));
            expected += count;
            skips += 1;
        } else if line.starts_with("<ann> ") {
            assert_eq!(line, format!("<ann> {}", said(expected)));
            expected += 1;
        } else if line.starts_with("-- #lobby has ") {
            answers += 1;
            if answers == 2 {
                break;
            }
            stalled.says("/who");
        } else {
            assert_eq!(line, "-- #lobby now: ann, bob and cat");
        }
    }
    assert_eq!(
        expected, STALLED_LINES,
        "what it read and what it was told to have missed is all that was said"
    );
    assert!(skips > 0, "it was never behind");

    ann.says("and on");
    stalled.hears("<ann> and on");
}

#[test]
fn character_at_the_edge_of_a_read_is_whole() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    for edge in [1024, 4096] {
        for character in ["é", "好", "👩"] {
            // The line begins anywhere around the edge in what is read, and, behind its author's name, in what is written.
            for before in edge - 16..=edge {
                let line = format!("{}{character} and on", "x".repeat(before));
                ann.says(&line);
                bob.hears(&format!("<ann> {line}"));
                ann.says("/who");
                ann.hears("-- #lobby has 2: ann, bob");
            }
        }
    }
}

#[test]
fn more_than_1024_descriptors_work() {
    const MEMBERS: usize = 1200;
    if !may_have_descriptors(MEMBERS as u64 + 300) {
        println!("skipped: this process may not have {MEMBERS} descriptors");
        return;
    }
    if poller_under_test().descriptors_max().is_some() {
        return crowd_beyond_the_end_is_told(MEMBERS);
    }
    let server = Server::start();
    let ann = Client::join(&server, "ann");
    let mut members: Vec<_> = (0..MEMBERS).map(|_| Client::connect(&server)).collect();
    for (number, member) in members.iter().enumerate() {
        member.says(&format!("/nick member{number}"));
    }
    for (number, member) in members.iter_mut().enumerate() {
        member.waits_for(&format!("-- you are now member{number}"));
    }
    ann.says("can you all hear me?");
    for member in &mut members {
        member.waits_for("<ann> can you all hear me?");
    }
}

#[test]
fn dead_member_throws_nobody_out() {
    let (server, mut ann, mut bob) = ann_and_bob();
    for number in 0..20 {
        let dead = Client::join(&server, "dead");
        ann.hears("[dead] entered room");
        bob.hears("[dead] entered room");
        // What is said now is written to a connection that is no more, or the server has noticed; nobody can tell.
        reset(dead.into_stream());
        ann.says(&format!("line {number}"));
        let mut heard = [bob.line(), bob.line()];
        heard.sort();
        assert_eq!(heard, [format!("<ann> line {number}"), "[dead] is offline".to_owned()]);
        ann.hears("[dead] is offline");
    }
}

#[test]
fn reset_connection_is_leaving() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.hears("[bob] entered room");
    reset(bob.into_stream());
    ann.hears("[bob] is offline");
    ann.says("/who");
    ann.hears("-- #lobby has 1: ann");
}

#[test]
fn flooding_member_delays_nobodys_line_by_more_than_a_turn() {
    /// What the server reads from one connection in one turn.
    const TURN_BYTES: usize = 16 * 1024;
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let ann = Client::join(&server, "ann");
    let flood = Client::join(&server, "flood");
    bob.hears("[ann] entered room");
    bob.hears("[flood] entered room");
    let line = format!("{}\n", "x".repeat(127));
    // While the server stands still both speak, the flooding one first and all that its socket takes. So it is told by
    // counting, not by a clock, how much of the flood is heard before the line.
    server.freezes();
    let flood_bytes = sends_all_that_is_taken(&flood, line.as_bytes());
    ann.says("a word");
    server.thaws();
    let mut before = 0;
    while bob.line() != "<ann> a word" {
        before += line.len();
    }
    assert!(flood_bytes > 10 * TURN_BYTES, "{flood_bytes} bytes are no flood");
    assert!(before <= TURN_BYTES, "{before} bytes of the flood came first");
}

/// Sends the line over and over until the socket takes no more; returns how many bytes that were.
fn sends_all_that_is_taken(client: &Client, line: &[u8]) -> usize {
    let mut stream = client.stream();
    stream.set_nonblocking(true).expect("an option of sockets");
    let lines = line.repeat(512);
    let mut bytes = 0;
    while let Ok(count) = stream.write(&lines[bytes % line.len()..]) {
        bytes += count;
    }
    stream.set_nonblocking(false).expect("an option of sockets");
    bytes
}

#[test]
fn bare_carriage_return_forges_nobodys_line() {
    let (_server, ann, mut bob) = ann_and_bob();
    ann.sends(b"hello\r<cat> I was never here\r\n");
    let line = bob.line();
    assert!(line.starts_with("<ann> hello") && line.ends_with("I was never here"), "{line:?}");
}

#[test]
fn escape_sequence_forges_nobodys_line() {
    let (_server, ann, mut bob) = ann_and_bob();
    for forgery in
        ["\x1b[1A\x1b[2K<cat> forged", "\x1b[1G<cat> forged", "\u{9b}1G<cat> forged", "\x08\x08<cat> forged"]
    {
        ann.says(&format!("hello{forgery}"));
        // The client checks that the line is fit for a terminal.
        let line = bob.line();
        assert!(line.starts_with("<ann> hel") && line.ends_with("<cat> forged"), "{line:?}");
    }
}

fn everybody_is_told(signal: Signal) {
    let mut server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let mut bob = Client::join(&server, "bob");
    let mut silent = Client::listen(&server);
    ann.hears("[bob] entered room");
    server.signal(signal);
    ann.ends_with(&["-- Shutdown Server"]);
    bob.ends_with(&["-- Shutdown Server"]);
    silent.ends_with(&["-- Shutdown Server"]);
    drop((ann, bob, silent));
    assert_eq!(server.ends().code(), Some(0));
}

#[test]
fn everybody_is_told_when_sigterm_stops_the_server() {
    everybody_is_told(Signal::TERM);
}

#[test]
fn everybody_is_told_when_sigint_stops_the_server() {
    everybody_is_told(Signal::INT);
}

#[test]
fn what_one_is_typing_is_not_washed_away_by_what_arrives() {
    let Some((_server, mut terminal, mut bob)) = telnet_and_bob(80, 24) else { return };
    terminal.types("你好，世");
    terminal.edits("> 你好，世", 10);
    for nth in 0..30 {
        bob.says(&format!("line {nth}"));
    }
    terminal.shows_row("<bob> line 29");
    terminal.edits("> 你好，世", 10);
    terminal.types("界");
    terminal.edits("> 你好，世界", 12);
    terminal.types("\r");
    terminal.shows_row("<ann> 你好，世界");
    terminal.edits(">", 2);
    bob.waits_for("<ann> 你好，世界");
}
