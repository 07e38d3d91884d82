//! Crowds: rooms that sum up who comes and goes.

use crate::harness::{Client, Ears, Server};
use std::time::Instant;

/// Reads sums until they account for `people`; returns how many lines that took.
fn sums_up_to(people: usize, what: &str, hearer: &mut Client) -> u64 {
    let mut counted = 0;
    let mut lines = 0;
    while counted < people {
        let line = hearer.line();
        counted += head_count(&line, what);
        lines += 1;
    }
    assert_eq!(counted, people);
    lines
}

/// How many people `-- ann, bob and 3 others entered room` is about.
fn head_count(line: &str, what: &str) -> usize {
    let crowd = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(what));
    let names = crowd.unwrap_or_else(|| panic!("{line:?} is no sum")).trim().replace(" and ", ", ");
    let count = |name: &str| match name.split_once(" other") {
        Some((others, _)) => others.parse().expect("a number"),
        None => 1,
    };
    names.split(", ").map(count).sum()
}

#[test]
fn large_room_sums_up_at_most_once_a_second() {
    let server = Server::start_with(&["--announce-max", "3"]);
    let mut ann = Client::join(&server, "ann");
    let few: Vec<_> = ["bob", "cat"].map(|nick| Client::join(&server, nick)).into();
    ann.hears("[bob] entered room");
    ann.hears("[cat] entered room");

    let started = Instant::now();
    let many: Vec<_> = (0..20).map(|number| Client::join(&server, &format!("many{number}"))).collect();
    let lines = sums_up_to(many.len(), "entered room", &mut ann);
    assert!(lines <= started.elapsed().as_secs() + 1, "{lines} lines in {:?}", started.elapsed());

    let started = Instant::now();
    let leaving = many.len();
    drop(many);
    let lines = sums_up_to(leaving, "left", &mut ann);
    assert!(lines <= started.elapsed().as_secs() + 1, "{lines} lines in {:?}", started.elapsed());
    drop(few);
}
