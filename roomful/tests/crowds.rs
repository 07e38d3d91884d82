//! Crowds: rooms that sum up who comes and goes, and more members than `select` has descriptors.

use crate::harness::{Client, Ears, Server};
use rustix::process::{Resource, getrlimit, setrlimit};
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

#[test]
fn more_members_than_select_has_descriptors_hear_a_line() {
    const MEMBERS: usize = 1200;
    if !may_have_descriptors(MEMBERS as u64 + 300) {
        println!("skipped: this process may not have {MEMBERS} descriptors");
        return;
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

/// Raises the limit of this process as far as it may go; the server does so for itself.
fn may_have_descriptors(wanted: u64) -> bool {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let raised = setrlimit(Resource::Nofile, limit);
    raised.is_ok() && limit.maximum.is_none_or(|maximum| maximum >= wanted)
}
