//! Runs each case in a process of its own, and is the first thing in it.

use crate::own;
use crate::places::PATIENCE;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Instant;

/// A name and what is done.
pub(crate) type Case = (&'static str, fn());

/// The word that makes the program be one case.
pub(crate) const CASE: &str = "--case";

/// Most cases wait for processes.
const AT_A_TIME: usize = 3;

/// Runs the cases whose names contain one of the words, or all.
pub(crate) fn run_all(cases: &[Case], words: &[&str]) -> ExitCode {
    let begun = Instant::now();
    let words: Vec<&&str> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(**word));
    let queue: Vec<&str> = cases.iter().map(|(name, _)| *name).filter(|name| chosen(name)).rev().collect();
    let count = queue.len();
    let queue = Mutex::new(queue);
    let failures = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(name) = queue.lock().unwrap().pop() else { return };
                    if !run(name) {
                        *failures.lock().unwrap() += 1;
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!("{count} cases, {failures} failed; {:.1} s", begun.elapsed().as_secs_f32());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether it passed.
fn run(name: &str) -> bool {
    let begun = Instant::now();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([CASE, name]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // With all that it starts, so that it can be ended with all that it has started.
    command.process_group(0);
    let child = command.spawn().unwrap();
    let process = rustix::process::Pid::from_child(&child);
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        // Nobody listens to a case that took too long.
        let _ = sender.send(child.wait_with_output());
    });
    let Ok(output) = receiver.recv_timeout(3 * PATIENCE) else {
        // It has not been waited for, so the number is still its own.
        let _ = rustix::process::kill_process_group(process, rustix::process::Signal::KILL);
        println!("case {name} … hangs");
        return false;
    };
    tell(name, &output.unwrap(), begun)
}

fn tell(name: &str, output: &Output, begun: Instant) -> bool {
    let is_ok = output.status.success();
    let word = if is_ok { "ok" } else { "FAILED" };
    println!("case {name} … {word} ({:.2} s)", begun.elapsed().as_secs_f32());
    if !is_ok {
        println!("{}", output.status);
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    is_ok
}

/// Is one case.
pub(crate) fn be(cases: &[Case], name: &str) -> ExitCode {
    let Some((_, case)) = cases.iter().find(|(known, _)| *known == name) else {
        println!("there is no case {name}");
        return ExitCode::FAILURE;
    };
    let before = own::descriptors();
    case();
    own::await_one_thread();
    assert!(!own::has_children(), "a child is left");
    let after = own::descriptors_but_bells();
    assert_eq!(after, before, "descriptors are left");
    ExitCode::SUCCESS
}
