//! What the client holds in memory: fresh, and with as much of a conversation as it is told to keep.

use anyhow::Result;

use super::{
    Stage, judged,
    talker::{Talker, newest},
    terminal::{ROOM, Terminal},
};
use crate::{
    peer::Keeping,
    report::{figure, markdown},
    usage::Memory,
};

const RESIDENT_MIB: f64 = 100.0;
const MIB: f64 = 1024.0 * 1024.0;
/// So many are said before it is waited until they are seen: less than a reader may lag before the server skips, so that all arrive.
const LINES_AT_ONCE: usize = 500;

/// Fills a client with lines.
///
/// # Errors
///
/// If they are not painted.
pub fn measure(stage: &Stage<'_>) -> Result<String> {
    let lines = stage.scale.pick(100_000, 2_000);
    let server = stage.server(Keeping::Nothing)?;
    let settings = "scrollback = 100_000\n";
    let mut terminal = Terminal::join(stage.roomful, server.address(), "reader", settings)?;
    terminal.wait_for("the room", |screen| screen.contains(ROOM))?;
    let fresh = Memory::read(terminal.process())?;
    let mut talker = Talker::enter(server.address(), "talker")?;
    while talker.said() < lines {
        talker.say(LINES_AT_ONCE)?;
        let last = talker.said() - 1;
        terminal.wait_for("what is said", |screen| newest(screen) == Some(last))?;
    }
    let full = Memory::read(terminal.process())?;
    let mib = |bytes: u64| bytes as f64 / MIB;
    let row = |what: &str, memory: Memory, verdict: [String; 2]| {
        let mut row = vec![what.to_owned()];
        row.extend(
            [memory.resident_bytes, memory.proportional_bytes, memory.anonymous_bytes]
                .map(|bytes| figure(mib(bytes))),
        );
        row.extend(verdict);
        row
    };
    let head = ["", "resident, MiB", "proportional, MiB", "anonymous, MiB", "bound", ""];
    let rows = [
        row("fresh", fresh, Default::default()),
        row(
            &format!("with {lines} lines"),
            full,
            judged(Some(mib(full.resident_bytes)), RESIDENT_MIB, "MiB"),
        ),
    ];
    Ok(format!(
        "## Memory\n\nLines of 60 to 200 characters, one of ten Chinese, {} bytes on average, in one room whose scrollback holds all of \
         them.\n\n{}",
        talker.line_bytes(),
        markdown(&head.map(str::to_owned), &rows)
    ))
}
