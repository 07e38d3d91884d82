//! From the start of the process to the first picture, and to the room.

use anyhow::Result;

use super::{
    Stage,
    latencies::{Latencies, Timed, to_markdown},
    terminal::{ROOM, Terminal},
};
use crate::peer::Keeping;

const FIRST_PICTURE_MS: f64 = 50.0;

/// Starts clients, one after another.
///
/// # Errors
///
/// If one of them paints nothing, or comes into no room.
pub fn measure(stage: &Stage<'_>) -> Result<String> {
    let server = stage.server(Keeping::Nothing)?;
    let (mut first, mut room) = (Latencies::default(), Latencies::default());
    for number in 0..stage.scale.pick(50, 3) {
        let mut terminal = Terminal::join(stage.roomful, server.address(), &format!("reader-{number}"), "")?;
        let painted = terminal.wait_for("anything", |screen| !screen.trim().is_empty())?;
        let there = terminal.wait_for("the room", |screen| screen.contains(ROOM))?;
        first.record(painted - terminal.begun());
        room.record(there - terminal.begun());
    }
    let rows = [
        Timed { what: "the first picture", latencies: first, bound_ms: Some(FIRST_PICTURE_MS) },
        Timed { what: "the room", latencies: room, bound_ms: None },
    ];
    Ok(format!(
        "## Starting\n\nFrom the start of the process. The first picture does not wait for the network.\n\n{}",
        to_markdown(&rows)
    ))
}
