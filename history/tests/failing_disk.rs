//! A disk that reports errors: every sync and every write of a run fails once, and then some more; nothing that was
//! acknowledged is missing afterwards, and nothing is there twice.
//!
//! The errors are made by `strace`, in a process of their own that runs one test of this file. Without a `strace` that works there is
//! nothing to be shown, and the tests say so.

mod shared;

use history::{Journal, Options, Reader};
use hub::{PageWanted, RoomRef, Sequence, Shape, Span, Trouble};
use shared::Directory;
use shared::facts::{Log, ROOM};
use std::path::Path;
use std::process::{Command, Stdio};

const PLACE: &str = "ROOMFUL_FAILING_DISK";
const BATCHES: u64 = 8;

/// Commits batches, each until it succeeds.
#[test]
#[ignore = "the tests below run it with a disk that fails"]
fn commits_until_it_succeeds() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let (mut journal, _) = loop {
        match Journal::open(Path::new(&place), &Options::default()) {
            Ok(opened) => break opened,
            Err(error) => println!("not opened: {error}"),
        }
    };
    let mut log = Log::open();
    let mut begin = 0;
    for number in 0..BATCHES {
        let target = log.say("ann", &format!("text {number}"));
        if number == 5 {
            log.redact(target);
        }
        let batch = log.batch(begin);
        begin = log.kept.len();
        while let Err(error) = journal.commit(&batch) {
            println!("not committed: {error}");
            // SQLite does not tell why its index of the log could not be made larger; nearly always the disk is full then.
            assert!(matches!(error.trouble, Trouble::Failing | Trouble::Full));
        }
        println!("committed: {}", log.upto().0);
    }
}

/// Runs it with these system calls failing so, from one of them on for some; gives what it said.
fn run(directory: &Directory, calls: &str, when: &str) -> String {
    let inject = format!("inject={calls}:error=EIO:when={when}");
    let output = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "commits_until_it_succeeds"])
        .env(PLACE, directory.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{calls} fail at {when}: {said}");
    said
}

fn strace_works() -> bool {
    let nothing = || Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    let works = nothing().is_ok_and(|status| status.success());
    if !works {
        println!("no strace that works: not tested");
    }
    works
}

fn check(directory: &Directory) {
    drop(Journal::open(directory.path(), &Options::default()).unwrap());
    let room = RoomRef { number: ROOM, name: "lobby".into() };
    let (upto, span, shape) = (Sequence(u64::MAX), Span::Latest, Shape::Facts);
    let wanted = PageWanted { room, upto, span, lines_max: 1_000, shape };
    let page = Reader::open(directory.path()).unwrap().page(&wanted, &[]).unwrap();
    let sequences: Vec<u64> = page.lines.iter().map(|past| past.event.sequence().unwrap().0).collect();
    assert_eq!(sequences, (1..=BATCHES + 2).collect::<Vec<_>>());
    assert!(!directory.has(b"text 5"));
}

#[test]
fn commit_that_failed_at_its_sync_is_made_good() {
    if !strace_works() {
        return;
    }
    let mut refused = 0;
    for first in 1..24 {
        for last in [first, first + 3] {
            let directory = Directory::new();
            let said = run(&directory, "fsync,fdatasync", &format!("{first}..{last}"));
            refused += said.matches("not committed").count();
            check(&directory);
        }
    }
    assert!(refused > 20, "{refused} commits were refused");
}

#[test]
fn commit_that_failed_at_a_write_is_made_good() {
    if !strace_works() {
        return;
    }
    let mut refused = 0;
    for first in (1..120).step_by(3) {
        let directory = Directory::new();
        let said = run(&directory, "pwrite64", &format!("{first}..{}", first + first % 4));
        refused += said.matches("not committed").count();
        check(&directory);
    }
    assert!(refused > 5, "{refused} commits were refused");
}
