//! How long a server takes to start on a file with a million facts, and how much memory it takes then.
//!
//! Counted is from the start of the process to the first line that says where it listens. A server that was killed has left a
//! log to go through. The system's memory of the file is thrown away for some of the starts: after a power cut nothing is there.

use std::{
    fs::{self, File},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result};
use rustix::fs::{Advice, fadvise};

use super::{
    million::bytes_in,
    table::{AtMost, Row, to_markdown},
};
use crate::{
    conversation::{Conversation, Speakers},
    ledger::Seating,
    peer::{Keeping, Peer, Program},
    placement::Places,
    scenario::Scale,
    usage::Memory,
};

const START_MS: AtMost = AtMost(300.0);
const MIB: f64 = 1024.0 * 1024.0;

/// Starts servers on this directory, and on empty ones, and writes the table.
///
/// # Errors
///
/// If a server does not start or stop, or loses anything that is said in it.
pub fn measure(
    roomful: &Path,
    directory: &Path,
    places: &Places,
    rounds: usize,
    scale: Scale,
) -> Result<String> {
    let messages = scale.pick(20_000, 1_000);
    let ours = Program::Product(roomful.to_owned(), Keeping::HistoryIn(directory.to_owned()));
    let empty = Program::Product(roomful.to_owned(), Keeping::History);
    let cold =
        |label: &str| Row::new(format!("{label}, and nothing of the file was in memory"), Some(START_MS));
    let mut on_nothing = Row::new("in an empty directory", None);
    let mut stopped = Row::new("it was stopped", Some(START_MS));
    let mut stopped_cold = cold("it was stopped");
    let mut killed = Row::new("it was killed", Some(START_MS));
    let mut killed_cold = cold("it was killed");
    for round in 0..rounds {
        eprintln!("starts: round {} of {rounds}", round + 1);
        on_nothing.rounds.push(timed_start(&empty, places)?.values);
        let start = |row: &mut Row| {
            let started = timed_start(&ours, places)?;
            row.rounds.push(started.values);
            anyhow::Ok(started.peer)
        };
        kill_among_talk(start(&mut stopped)?, &ours, messages)?;
        kill_among_talk(start(&mut killed)?, &ours, messages)?;
        evict(directory)?;
        start(&mut killed_cold)?.stop()?;
        evict(directory)?;
        start(&mut stopped_cold)?.stop()?;
    }
    let titles = ["first line, ms", "files, MiB", "resident memory, MiB", "· of it anonymous, MiB"];
    Ok(format!(
        "## Starting on a million facts\n\n\
         From the start of the process to its first line. Killed is by SIGKILL, when 10 members had just said {messages} messages.\n\n{}",
        to_markdown(&titles, &[on_nothing, stopped, stopped_cold, killed, killed_cold])
    ))
}

struct Started {
    peer: Peer,
    /// For the columns of the table.
    values: Vec<f64>,
}

fn timed_start(program: &Program, places: &Places) -> Result<Started> {
    places.place_server()?;
    let files_bytes = match program {
        Program::Product(_, Keeping::HistoryIn(directory)) => bytes_in(directory)?,
        _ => 0,
    };
    let begin = Instant::now();
    let peer = Peer::start(program)?;
    let took = begin.elapsed();
    places.place_generator()?;
    let memory = Memory::read(peer.process())?;
    let millis = took.as_secs_f64() * 1e3;
    let [files, resident, anonymous] =
        [files_bytes, memory.resident_bytes, memory.anonymous_bytes].map(|bytes| bytes as f64 / MIB);
    Ok(Started { peer, values: vec![millis, files, resident, anonymous] })
}

fn kill_among_talk(peer: Peer, program: &Program, messages: usize) -> Result<()> {
    let seating = Seating { rooms: 1, members_per_room: 10 };
    let mut conversation = Conversation::gather(peer.address(), seating, 128, program.quiet())?;
    conversation.keep_in_flight(Speakers::Everyone, 64, messages)?;
    peer.kill();
    Ok(())
}

/// The system forgets what it knows of the files in this directory. What is not on the disk yet it would keep.
fn evict(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let file = File::open(entry?.path())?;
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed).context("the system does not forget a file")?;
    }
    Ok(())
}
