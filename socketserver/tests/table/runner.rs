//! Runs every case in every cell, several at a time, and prints the table.

use crate::cells::{Cell, Way};
use crate::places::{PATIENCE, Place};
use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// One row of the table.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) scope: Scope,
    pub(crate) run: fn(&Cell) -> Verdict,
}

/// Over what a case is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// Every place and every way.
    Server,
    /// Every place: it is about the listener alone.
    Listener,
}

/// What came of a case in a cell. One that fails panics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Passed,
    /// For this reason.
    DoesNotApply(&'static str),
}

/// Cells wait for the kernel most of the time.
const WORKERS: usize = 4;

type Outcome = Result<Verdict, String>;

struct Job {
    case: usize,
    place: Place,
    way: Way,
}

pub(crate) fn run(cases: &[Case]) -> ExitCode {
    let begun = Instant::now();
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let chosen = |case: &Case| words.is_empty() || words.iter().any(|word| case.name.contains(word.as_str()));
    let cases: Vec<&Case> = cases.iter().filter(|case| chosen(case)).collect();
    keep_panics_for_the_report();
    let jobs = jobs(&cases);
    let outcomes = work_off(&cases, &jobs);
    print_table(&cases, &jobs, &outcomes);
    let failures = print_failures(&cases, &jobs, &outcomes);
    println!("{} cells, {failures} failed; {:.1} s", jobs.len(), begun.elapsed().as_secs_f32());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn jobs(cases: &[&Case]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let ways = Way::ALL.into_iter().filter(|way| !way.forks());
        let count = if case.scope == Scope::Server { Way::ALL.len() } else { 1 };
        for place in Place::ALL {
            jobs.extend(ways.clone().take(count).map(|way| Job { case: index, place, way }));
        }
    }
    jobs
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic of a cell stands in the report, with its place. Those that a case has asked for are no news.
fn keep_panics_for_the_report() {
    std::panic::set_hook(Box::new(|panic| {
        let text = text_of(panic.payload());
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        PANIC.with(|kept| *kept.borrow_mut() = format!("{text} ({place})"));
        let is_worker = std::thread::current().name() == Some("worker");
        if !is_worker && !text.starts_with("told to") {
            eprintln!("a thread of a server panicked: {text} ({place})");
        }
    }));
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(not a text)")
}

fn work_off(cases: &[&Case], jobs: &[Job]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let at_work = Mutex::new(BTreeSet::new());
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            let (sender, next, at_work) = (sender.clone(), &next, &at_work);
            let worker = std::thread::Builder::new().name("worker".to_owned());
            let work = move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    at_work.lock().unwrap().insert(index);
                    let outcome = attempt(cases[job.case], job);
                    at_work.lock().unwrap().remove(&index);
                    // The other end waits for all of them.
                    let _ = sender.send((index, outcome));
                }
            };
            worker.spawn_scoped(scope, work).unwrap();
        }
        collect(&receiver, cases, jobs, &at_work)
    })
}

fn attempt(case: &Case, job: &Job) -> Outcome {
    let cell = Cell::new(job.place, job.way);
    let attempted = catch_unwind(AssertUnwindSafe(|| (case.run)(&cell)));
    attempted.map_err(|_| format!("{}, {cell}: {}", case.name, PANIC.with(RefCell::take)))
}

/// Gathers what the workers send. A cell that hangs ends everything, with its name.
fn collect(
    receiver: &Receiver<(usize, Outcome)>,
    cases: &[&Case],
    jobs: &[Job],
    at_work: &Mutex<BTreeSet<usize>>,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = jobs.iter().map(|_| None).collect();
    for _ in jobs {
        let Ok((index, outcome)) = receiver.recv_timeout(3 * PATIENCE) else {
            for index in at_work.lock().unwrap().iter() {
                let job = &jobs[*index];
                println!("hangs: {}, {} × {}", cases[job.case].name, job.place, job.way);
            }
            std::process::exit(1);
        };
        outcomes[index] = Some(outcome);
    }
    outcomes.into_iter().map(|outcome| outcome.expect("each was worked off")).collect()
}

/// A row for each case, a column for each place. In it: in how many ways the case has passed, and a letter for the reason
/// why not in all.
fn print_table(cases: &[&Case], jobs: &[Job], outcomes: &[Outcome]) {
    let mut reasons: Vec<&str> = Vec::new();
    print!("{:36}", "");
    for place in Place::ALL {
        print!("{place:>10}");
    }
    println!();
    for (index, case) in cases.iter().enumerate() {
        print!("{:36}", case.name);
        for place in Place::ALL {
            let of_cell = jobs.iter().zip(outcomes);
            let of_cell = of_cell.filter(|(job, _)| job.case == index && job.place == place);
            print!("{:>10}", entry(of_cell.map(|(_, outcome)| outcome), &mut reasons));
        }
        println!();
    }
    for (index, reason) in reasons.iter().enumerate() {
        println!("  {}: {reason}", letter(index));
    }
}

fn entry<'a>(outcomes: impl Iterator<Item = &'a Outcome>, reasons: &mut Vec<&'static str>) -> String {
    let (mut passed, mut failed, mut letters) = (0, 0, BTreeSet::new());
    for outcome in outcomes {
        match outcome {
            Ok(Verdict::Passed) => passed += 1,
            Ok(Verdict::DoesNotApply(reason)) => {
                let known = reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
                    reasons.push(reason);
                    reasons.len() - 1
                });
                letters.insert(letter(known));
            }
            Err(_) => failed += 1,
        }
    }
    let letters: String = letters.into_iter().collect();
    let passed = if passed > 0 { passed.to_string() } else { String::new() };
    if failed > 0 { format!("{passed}{letters} FAIL {failed}") } else { format!("{passed}{letters}") }
}

fn letter(index: usize) -> char {
    char::from(b'a' + index as u8)
}

fn print_failures(cases: &[&Case], jobs: &[Job], outcomes: &[Outcome]) -> usize {
    let failures: Vec<&String> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    for failure in &failures {
        println!("FAILED {failure}");
    }
    for (index, case) in cases.iter().enumerate() {
        let of_case = jobs.iter().zip(outcomes).filter(|(job, _)| job.case == index);
        let applies = of_case.filter(|(_, outcome)| !matches!(outcome, Ok(Verdict::DoesNotApply(_)))).count();
        assert!(applies > 0, "{} applies nowhere", case.name);
    }
    failures.len()
}
