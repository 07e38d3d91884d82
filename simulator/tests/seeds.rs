//! Worlds that every change must leave whole: the first few hundred seeds, and those that once found something.

use simulator::{Options, run, run_all};

/// How many seeds are lived, from 0 on.
const SEEDS: u64 = 500;
/// A failure shows so many of its last steps.
const OPTIONS: Options = Options { trace_lines_max: 60 };

/// The seeds that found something once, with a comment each.
const KEPT: &str = include_str!("../seeds.txt");

fn kept_seeds() -> Vec<u64> {
    let lines = KEPT.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(|line| line.parse().expect("a seed is a number")).collect()
}

#[test]
fn every_world_holds() {
    let seeds: Vec<u64> = (0..SEEDS).collect();
    match run_all(&seeds, &OPTIONS, |_| {}) {
        Ok(report) => {
            println!("{report}");
            // What never happens is not tested.
            let happened = [
                report.messages_skipped,
                report.held,
                report.owed,
                report.heard_in_trouble,
                report.resets,
                report.panics,
                report.pauses,
                report.failures,
                report.given_back,
                report.unwritten,
                report.crashes,
                report.stops,
                report.past,
                report.replayed,
                report.filled,
                report.acknowledged,
                report.unavailable,
            ];
            assert!(happened.iter().all(|count| *count > 0), "{report}");
        }
        Err(failure) => panic!("\n{failure}"),
    }
}

#[test]
fn worlds_that_once_failed_hold() {
    if let Err(failure) = run_all(&kept_seeds(), &OPTIONS, |_| {}) {
        panic!("\n{failure}");
    }
}

#[test]
fn one_seed_is_one_world() {
    for seed in 0..8 {
        let live = || run(seed, &OPTIONS).map(|report| report.to_string()).map_err(|failure| failure.what);
        assert_eq!(live(), live(), "seed {seed}");
    }
}
