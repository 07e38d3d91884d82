//! What the client does while nothing happens: nothing.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    Stage, judged,
    terminal::{ROOM, Terminal},
};
use crate::{
    peer::Keeping,
    report::{figure, markdown},
    usage::{CpuReading, voluntary_switches},
};

/// What is shown as 0.0.
const PERCENT_MAX: f64 = 0.05;
/// The start is over by then.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Leaves a client alone in a quiet room.
///
/// # Errors
///
/// If it ends.
pub fn measure(stage: &Stage<'_>) -> Result<String> {
    let server = stage.server(Keeping::Nothing)?;
    let mut terminal = Terminal::join(stage.roomful, server.address(), "reader", "")?;
    terminal.wait_for("the room", |screen| screen.contains(ROOM))?;
    thread::sleep(SETTLED_AFTER);
    let process = terminal.process();
    let watched = Duration::from_secs(stage.scale.pick(30, 1) as u64);
    terminal.watch(Instant::now(), |_, _| {})?;
    let (before, switches, begun) =
        (CpuReading::take(process)?, voluntary_switches(process)?, Instant::now());
    let painted = terminal.watch(begun + watched, |_, _| {})?;
    let spent = CpuReading::take(process)?.since(&before);
    let switches = voluntary_switches(process)? - switches;
    let percent = spent.total_ns() as f64 / begun.elapsed().as_nanos() as f64 * 100.0;
    let head = ["seconds", "CPU, %", "CPU, ms", "woken", "bytes painted", "bound", ""];
    let mut row = vec![
        figure(watched.as_secs_f64()),
        figure(percent),
        figure(spent.total_ns() as f64 / 1e6),
        switches.to_string(),
        painted.bytes.to_string(),
    ];
    row.extend(judged(Some(percent), PERCENT_MAX, "%"));
    Ok(format!(
        "## Quiet\n\nIn a room in which nothing happens. Every 20 s the client asks the server whether it is there.\n\n{}",
        markdown(&head.map(str::to_owned), &[row])
    ))
}
