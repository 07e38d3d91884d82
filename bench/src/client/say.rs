//! `seq 100000 | roomful say`: every number a message, each acknowledged when it is on the disk.

use std::{
    fmt::Write as _,
    io::Write,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::Stage;
use crate::{
    data::DataFolder,
    history::table::{Row, to_markdown},
    peer::Keeping,
    usage::{CpuReading, Memory},
};

const MIB: f64 = 1024.0 * 1024.0;
/// So often its memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Pipes numbers into `say`.
///
/// # Errors
///
/// If not all of them are acknowledged.
pub fn measure(stage: &Stage<'_>) -> Result<String> {
    let (lines, rounds) = (stage.scale.pick(100_000, 1_000), stage.scale.pick(3, 1));
    let mut row = Row::new(format!("seq {lines} \\| roomful say"), None);
    for _ in 0..rounds {
        row.rounds.push(round(stage, lines)?);
    }
    let titles = ["seconds", "messages a second", "CPU of say, s", "most resident memory, MiB"];
    Ok(format!(
        "## Saying\n\nThe server keeps what is said; the end is when all of it is acknowledged.\n\n{}",
        to_markdown(&titles, &[row])
    ))
}

fn round(stage: &Stage<'_>, lines: usize) -> Result<Vec<f64>> {
    let server = stage.server(Keeping::History)?;
    let home = DataFolder::create()?;
    let numbers = (1..=lines).fold(String::new(), |mut numbers, number| {
        let _ = writeln!(numbers, "{number}");
        numbers
    });
    let begun = Instant::now();
    let mut child = Command::new(stage.roomful)
        .args(["say", &format!("{}/lobby", server.address())])
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start say")?;
    let process = child.id();
    let before = CpuReading::take(process)?;
    let mut input = child.stdin.take().context("a pipe was asked for")?;
    let writer = thread::spawn(move || input.write_all(numbers.as_bytes()));
    let mut resident_bytes = 0;
    // It is waited for twice: first so that what it spent can still be read.
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(Pid::from_child(&child)), ended | WaitIdOptions::NOHANG)?.is_none() {
        resident_bytes = resident_bytes.max(Memory::read(process).map_or(0, |memory| memory.resident_bytes));
        thread::sleep(LOOK_EVERY);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let spent = CpuReading::take(process)?.since(&before);
    let status = child.wait()?;
    writer.join().map_err(|_| anyhow!("who wrote has panicked"))?.context("say did not read on")?;
    ensure!(status.success(), "say ended with {status}");
    Ok(vec![seconds, lines as f64 / seconds, spent.total_ns() as f64 / 1e9, resident_bytes as f64 / MIB])
}
