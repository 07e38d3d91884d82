//! `roomful backup`, `export`, `import` and `check`: what can be done with what is kept, but serve it.
//!
//! Where it stands: behind the command line, in front of the crate `history`, which does the work.
//!
//! What this file must never do: print what people said, but for an export.

mod interruption;
mod output;

use crate::command_line::{BackupArguments, DataFlags, ExportArguments, ImportArguments};
use crate::config::Configuration;
use anyhow::{Context as _, Result, bail};
use client::progress::Progress;
use history::{ExportError, ExportWanted, Options, Place};
use hub::{RoomNumber, Time};
use interruption::Interruption;
use jiff::Zoned;
use jiff::tz::TimeZone;
use output::Output;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// `roomful backup`.
pub(crate) fn back_up(arguments: &BackupArguments) -> Result<()> {
    let directory = directory(&arguments.data)?;
    let interruption = Interruption::watch()?;
    let mut progress = Progress::new("copied");
    let now = Zoned::now().datetime();
    let made = history::backup(&directory, &arguments.to, now, |pages| {
        progress.show_part(pages.done.into(), pages.all.into());
        interruption.flow()
    });
    progress.end();
    let (file, bytes) = made?;
    say(&format!("{}: {bytes} bytes, checked", file.display()));
    Ok(())
}

/// `roomful export`.
pub(crate) fn export(arguments: &ExportArguments) -> Result<()> {
    let directory = directory(&arguments.data)?;
    let wanted = ExportWanted {
        place: place(arguments, &directory)?,
        format: arguments.format.into(),
        since: arguments.since,
        until: arguments.until,
        zone: TimeZone::system(),
        now: now(),
    };
    let mut output = Output::open(arguments.output.as_deref())?;
    let interruption = output.is_unfinished_file().then(Interruption::watch).transpose()?;
    let mut progress = Progress::new("messages exported");
    let exported = history::export(&directory, &wanted, &mut output, |messages| {
        progress.show_count(messages);
        interruption.as_ref().map_or(std::ops::ControlFlow::Continue(()), Interruption::flow)
    });
    progress.end();
    match exported {
        // Whoever stops reading, as `head` does, has what they want.
        Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        exported => {
            exported?;
            output.finish()
        }
    }
}

/// A room, or a conversation if that was asked for: its two members think themselves alone.
fn place(arguments: &ExportArguments, directory: &Path) -> Result<Place> {
    let room = &arguments.room;
    let Some(number) = room.strip_prefix('@') else { return Ok(Place::Room(room.clone())) };
    let Ok(number) = number.parse() else {
        bail!("{room:?} is no room; a direct conversation is called @ and its number, as in @12");
    };
    let number = RoomNumber(number);
    if !arguments.conversations {
        history::find_conversation(directory, number)?;
        bail!(
            "{room} is a direct conversation, and nobody's but the two who have it; with --conversations it is \
             exported all the same"
        );
    }
    Ok(Place::Conversation(number))
}

/// `roomful import`.
pub(crate) fn import(arguments: &ImportArguments) -> Result<()> {
    let directory = directory(&arguments.data)?;
    let mut source = source(&arguments.file)?;
    let options = Options { epoch_bits: random_bits()?, ..Options::default() };
    let mut progress = Progress::new("lines read");
    // Nothing has to be cleared away: what is not committed is not there.
    let done = history::import(&directory, &options, &mut source, arguments.room.as_ref(), |lines| {
        progress.show_count(lines);
        std::ops::ControlFlow::Continue(())
    });
    progress.end();
    let done = done.context("nothing was imported")?;
    say(&format!("#{}: {} messages imported, with ids of their own", done.room, done.messages));
    if done.lost > 0 {
        say(&format!("{} that were missing are recorded as lost", done.lost));
    }
    Ok(())
}

fn source(file: &Path) -> Result<Box<dyn BufRead>> {
    if file == Path::new(STANDARD_INPUT) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    Ok(Box::new(BufReader::new(opened)))
}

/// `roomful check`.
pub(crate) fn check(data: &DataFlags) -> Result<()> {
    let directory = directory(data)?;
    let findings = history::check(&directory)?;
    if findings.is_empty() {
        say(&format!("what is kept in {} is sound", directory.display()));
        return Ok(());
    }
    for finding in findings {
        say(&finding);
    }
    bail!(
        "what is kept in {} is damaged\n\
         stop the server and put a backup in its place; without one, export what can be read\n\
         (roomful export ROOM --format json) and import that into a new directory",
        directory.display()
    )
}

/// Where the server would keep what is said.
fn directory(data: &DataFlags) -> Result<PathBuf> {
    match Configuration::read(&data.0)?.settings.data.directory()? {
        Some(directory) => Ok(directory),
        None => bail!("with --data :memory: nothing is kept; name the data directory of a server"),
    }
}

/// Whoever asked may not want to read the answer; that is no failure.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// What time it is.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Bits that nobody can guess.
fn random_bits() -> Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}
