//! `bench history`: what it costs to keep what is said, and how long it takes to read it back. Writes `docs/bench/history.md`.
//!
//! Each part makes its own section: [`durable`] what the disk and the journal can do and [`receipts`] a whole server, [`live`] what
//! a busy room feels of it, [`million`] pages and searches in a big file and [`start`] the start of a server on it. [`talk`] makes
//! up what is said, [`client`] speaks to the server, [`table`] shows what was measured. A bound that is missed is reported and fails nothing; a wrong answer does.

pub mod client;
pub mod durable;
pub mod live;
pub mod million;
pub mod receipts;
pub mod start;
pub mod table;
pub mod talk;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::{
    extent::{Extent, chosen, ensure_built},
    machine,
    placement::{Placement, Places},
    report::others,
    scenario::Scale,
    usage::MachineReading,
};
use million::Million;

/// What to run.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Write little, ask few, one round each: does everything work? (No figures to go by.)
    #[arg(long)]
    pub quick: bool,
    /// Run only this part (may be given several times).
    #[arg(long, value_name = "PART")]
    pub only: Vec<Part>,
    /// Rounds instead of each part's own number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: Option<u16>,
    /// The product's binary.
    #[arg(long, value_name = "PATH", default_value = "target/release/roomful")]
    pub roomful: PathBuf,
    /// Which processors the server and the generator run on.
    #[arg(long, value_name = "PLACEMENT", default_value = "free")]
    pub placement: Placement,
    /// Where to write the report, `history.md`; without it only a full run of all parts is written, to docs/bench.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A part of the report, as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// What the disk, the journal and a whole server can keep in a second.
    Durable,
    /// What busy rooms cost with history and without.
    Live,
    /// How far the index of words is behind a busy room.
    Index,
    /// Pages and searches among a million facts, and the start of a server on them.
    Million,
}

impl Options {
    fn scale(&self) -> Scale {
        if self.quick { Scale::Quick } else { Scale::Full }
    }

    /// How many rounds it takes for a median to be worth something. A tenth is a fine difference for a live room.
    fn rounds(&self, part: Part) -> usize {
        let usual = match part {
            Part::Live => 9,
            Part::Durable | Part::Million => 5,
            Part::Index => 3,
        };
        self.rounds.map_or(self.scale().pick(usual, 1), usize::from)
    }

    fn parts(&self) -> Vec<Part> {
        chosen(&self.only)
    }

    /// Where the report goes, if anywhere.
    fn folder(&self) -> Option<PathBuf> {
        Extent::of(self.quick, &self.only).folder(self.out.as_deref(), "docs/bench")
    }
}

/// Measures and reports. The exit code says whether everything was right, not whether it was fast.
///
/// # Errors
///
/// If the binary is missing, an answer is wrong or the report cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure_built(&options.roomful)?;
    let places = Places::share_out(options.placement)?;
    let mut report = heading(options);
    println!("{report}");
    let mut exit = ExitCode::SUCCESS;
    for part in options.parts() {
        let before = MachineReading::take();
        let (mut section, is_right) = section(part, options, &places)?;
        if !is_right {
            exit = ExitCode::FAILURE;
        }
        // The tables of the live rooms tell that themselves.
        if part != Part::Live {
            section += &others(MachineReading::others_share(before, MachineReading::take()));
        }
        println!("{section}");
        report += &section;
        report.push('\n');
    }
    if let Some(folder) = options.folder() {
        write(&folder, &report)?;
    }
    Ok(exit)
}

/// The text of a part, and whether everything in it was right.
fn section(part: Part, options: &Options, places: &Places) -> Result<(String, bool)> {
    let (rounds, scale, roomful) = (options.rounds(part), options.scale(), options.roomful.as_path());
    Ok(match part {
        Part::Durable => {
            let commits = durable::measure(rounds, scale)?;
            let receipts = receipts::measure(roomful, places, rounds, scale)?;
            (format!("{commits}\n{receipts}"), true)
        }
        Part::Live => {
            let outcomes = live::measure(roomful, places, rounds, scale);
            let tables: Vec<String> = outcomes.iter().map(|outcome| outcome.to_markdown(scale)).collect();
            (tables.join("\n"), outcomes.iter().all(|outcome| outcome.failures.is_empty()))
        }
        Part::Index => (live::index(roomful, places, rounds, scale)?, true),
        Part::Million => {
            let million = Million::make(scale)?;
            let answers = million.ask(roomful, places, rounds)?;
            let starts = start::measure(roomful, million.folder(), places, rounds, scale)?;
            (format!("{answers}\n{starts}"), true)
        }
    })
}

fn write(folder: &Path, report: &str) -> Result<()> {
    let path = folder.join("history.md");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, report))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

fn heading(options: &Options) -> String {
    format!(
        "# What the history costs\n\n\
         Made by `cargo xtask bench history`{} on {}, commit {}.\n\
         Machine: {}; shared with the load generator and whoever else was there.\n\n\
         Everything lies on one disk, in the build's own directory. CPU is that of all threads of the server's process unless a \
         single thread is named; what the kernel's own threads do for the disk is in none of them. Rounds are interleaved and \
         absolute figures swing with the machine and its disk, so compare within a table.\n\n",
        if options.quick { " --quick" } else { "" },
        machine::date(),
        machine::commit(),
        machine::machine(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            quick: false,
            only: Vec::new(),
            rounds: None,
            roomful: "ours".into(),
            placement: Placement::Free,
            out: None,
        }
    }

    #[test]
    fn partial_run_does_not_replace_the_report() {
        assert_eq!(options().folder(), Some("docs/bench".into()));
        assert_eq!(Options { quick: true, ..options() }.folder(), None);
        assert_eq!(Options { only: vec![Part::Live], ..options() }.folder(), None);
        assert_eq!(Options { quick: true, out: Some("x".into()), ..options() }.folder(), Some("x".into()));
    }

    #[test]
    fn binary_that_is_missing_is_an_error_that_says_how_to_get_it() {
        let error = run(&Options { roomful: "/nonexistent/roomful".into(), ..options() }).unwrap_err();
        assert!(error.to_string().contains("cargo build"), "{error}");
    }
}
