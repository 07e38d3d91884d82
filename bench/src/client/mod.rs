//! `bench client`: how fast the terminal client is, as the person in front of it feels it. Writes `docs/bench/client.md`.
//!
//! The real server and the real client run as processes of their own, the client in a pseudo-terminal ([`terminal`]) that is read
//! as a terminal reads. [`talker`] is who talks in the room. Each part makes its own section: [`start`], [`typing`], [`quiet`],
//! [`memory`] and [`say`]; [`latencies`] shows what was timed. A bound that is missed is reported and fails nothing; something that is never
//! painted or never acknowledged does.

pub mod latencies;
pub mod memory;
pub mod quiet;
pub mod say;
pub mod start;
pub mod talker;
pub mod terminal;
pub mod typing;

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
    peer::{Keeping, Peer, Program},
    report::others,
    scenario::Scale,
    usage::MachineReading,
};

/// What to run.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Few of everything: does it work? (No figures to go by.)
    #[arg(long)]
    pub quick: bool,
    /// Run only this part (may be given several times).
    #[arg(long, value_name = "PART")]
    pub only: Vec<Part>,
    /// The product's binary.
    #[arg(long, value_name = "PATH", default_value = "target/release/roomful")]
    pub roomful: PathBuf,
    /// Where to write the report, `client.md`; without it only a full run of all parts is written, to docs/bench.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A part of the report, as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// From the start of the process to the first picture.
    Start,
    /// From a key to its echo, and what a busy room costs.
    Typing,
    /// What the client does while nothing happens.
    Quiet,
    /// What it holds of a long conversation.
    Memory,
    /// A hundred thousand lines through `say`.
    Say,
}

/// What the parts are given.
pub struct Stage<'a> {
    /// The product's binary.
    pub roomful: &'a Path,
    /// How much is measured.
    pub scale: Scale,
}

impl Stage<'_> {
    /// A server of its own for each part, so that none inherits another's members.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn server(&self, keeping: Keeping) -> Result<Peer> {
        Peer::start(&Program::Product(self.roomful.to_owned(), keeping))
    }
}

impl Options {
    fn parts(&self) -> Vec<Part> {
        chosen(&self.only)
    }

    /// Where the report goes, if anywhere.
    fn folder(&self) -> Option<PathBuf> {
        Extent::of(self.quick, &self.only).folder(self.out.as_deref(), "docs/bench")
    }
}

/// Measures and reports.
///
/// # Errors
///
/// If the binary is missing, something that should be painted or acknowledged is not, or the report cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure_built(&options.roomful)?;
    let roomful = options.roomful.canonicalize().context("cannot find the binary")?;
    let stage = Stage { roomful: &roomful, scale: if options.quick { Scale::Quick } else { Scale::Full } };
    let mut report = heading(options);
    println!("{report}");
    for part in options.parts() {
        let before = MachineReading::take();
        let mut section = match part {
            Part::Start => start::measure(&stage),
            Part::Typing => typing::measure(&stage),
            Part::Quiet => quiet::measure(&stage),
            Part::Memory => memory::measure(&stage),
            Part::Say => say::measure(&stage),
        }?;
        section += &others(MachineReading::others_share(before, MachineReading::take()));
        println!("{section}");
        report += &section;
        report.push('\n');
    }
    if let Some(folder) = options.folder() {
        let path = folder.join("client.md");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, report.trim_end().to_owned() + "\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("written to {}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn heading(options: &Options) -> String {
    format!(
        "# How fast the client is\n\n\
         Made by `cargo xtask bench client`{} on {}, commit {}.\n\
         Machine: {}; shared with the server, with whoever talks, with what reads the pseudo-terminal and with whoever else was \
         there.\n\n\
         `roomful join` runs in a pseudo-terminal of {} columns and {} rows, at default settings. What is painted is taken note of \
         when it has been read out of there; how long a real terminal takes to draw it comes on top.\n\n",
        if options.quick { " --quick" } else { "" },
        machine::date(),
        machine::commit(),
        machine::machine(),
        terminal::COLUMNS,
        terminal::ROWS,
    )
}

/// A bound in words, and whether it was met: two cells of a row.
pub(crate) fn judged(found: Option<f64>, at_most: f64, unit: &str) -> [String; 2] {
    let verdict = match found {
        None => "not measured",
        Some(found) if found <= at_most => "met",
        Some(_) => "**MISSED**",
    };
    [format!("≤ {at_most} {unit}"), verdict.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { quick: false, only: Vec::new(), roomful: "ours".into(), out: None }
    }

    #[test]
    fn partial_run_does_not_replace_the_report() {
        assert_eq!(options().folder(), Some("docs/bench".into()));
        assert_eq!(Options { quick: true, ..options() }.folder(), None);
        assert_eq!(Options { only: vec![Part::Say], ..options() }.folder(), None);
    }

    #[test]
    fn binary_that_is_missing_is_an_error_that_says_how_to_get_it() {
        let error = run(&Options { roomful: "/nonexistent/roomful".into(), ..options() }).unwrap_err();
        assert!(error.to_string().contains("cargo build"), "{error}");
    }

    #[test]
    fn bound_is_met_up_to_itself() {
        assert_eq!(judged(Some(30.0), 30.0, "ms"), ["≤ 30 ms", "met"]);
        assert_eq!(judged(Some(30.1), 30.0, "ms")[1], "**MISSED**");
        assert_eq!(judged(None, 30.0, "ms")[1], "not measured");
    }
}
