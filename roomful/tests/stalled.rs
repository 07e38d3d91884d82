//! A member that does not read: the others hear everything, in order, and it is told exactly how much it has missed.

use crate::harness::{Client, Ears as _, Server};

const LINES: usize = 40_000;
const LINE_BYTES: usize = 400;
/// So many lines are far from the bound on how much somebody may lag behind.
const BATCH: usize = 200;

fn said(number: usize) -> String {
    let start = format!("line {number} ");
    let filling = "x".repeat(LINE_BYTES - start.len());
    start + &filling
}

#[test]
fn stalled_member_is_told_exactly_what_it_has_missed_and_nobody_else_misses_anything() {
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
    for batch in 0..LINES / BATCH {
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
        if let Some(count) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" messages skipped"))
        {
            expected += count.parse::<usize>().expect("a number");
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
    assert_eq!(expected, LINES, "what it read and what it was told to have missed is all that was said");
    assert!(skips > 0, "it was never behind");

    ann.says("and on");
    stalled.hears("<ann> and on");
}

#[test]
fn whoever_says_much_at_once_misses_nothing() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let _bob = Client::join(&server, "bob");
    ann.hears("[bob] entered room");
    ann.says(&(0..LINES).map(said).collect::<Vec<_>>().join("\n"));
    ann.says("/who");
    ann.hears("-- #lobby has 2: ann, bob");
}
