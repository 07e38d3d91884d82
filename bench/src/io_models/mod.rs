//! `bench io`: what the models of input and output cost, by the crate `socketserver` and beside Python's of the same name.
//!
//! The modules stand in the order in which one measurement meets them:
//!
//! 1. [`way`] names the servers: every strategy with every handler or poller, and Python's counterparts;
//! 2. [`echo`] is such a server, a process of its own;
//! 3. [`generator`] are the clients, which check every echo;
//! 4. [`family`] tells what a server takes together with its children;
//! 5. [`measure`] makes one measurement of one server, [`rounds`] plays all of them in turn;
//! 6. [`tables`] and [`plot`] show what came out, [`document`] puts it between the prose of `docs/io-models.md`.
//!
//! Figures are shown with their bounds and never fail a run; a wrong or missing echo does.

pub mod document;
pub mod echo;
pub mod family;
pub mod generator;
pub mod measure;
pub mod plot;
pub mod rounds;
pub mod tables;
pub mod way;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use eventloop::PollerKind;

use self::{
    measure::{Bench, Programs, Shape},
    rounds::interleaved,
    tables::{MemoryTrials, PollerTrials, RequestTrials},
    way::{Contender, Model, Way},
};
use crate::{extent::Extent, machine, placement::Placement, usage::MachineReading};

/// What to measure, and where to write it.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Little of everything, one round: does it work? (A few seconds; no figures to go by.)
    #[arg(long)]
    pub quick: bool,
    /// Measure only this part (may be given several times).
    #[arg(long, value_name = "PART")]
    pub only: Vec<Part>,
    /// Rounds instead of five.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: Option<u16>,
    /// Which processors the server and many clients run on. A single client shares one with the server.
    #[arg(long, value_name = "PLACEMENT", default_value = "free")]
    pub placement: Placement,
    /// Where the document lies whose figures and plot are replaced, `io-models.md`; without it only a full run of all parts
    /// is written, to docs.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// What requests cost.
    Requests,
    /// What idle connections take.
    Memory,
    /// What idle connections cost the active one.
    Pollers,
}

impl Options {
    fn scale(&self) -> Scale {
        let scale = if self.quick { Scale::quick() } else { Scale::full() };
        let rounds = self.rounds.map_or(scale.rounds, usize::from);
        let parts = if self.only.is_empty() { scale.parts } else { self.only.clone() };
        Scale { parts, rounds, ..scale }
    }

    /// Where the figures go, if anywhere.
    fn folder(&self) -> Option<PathBuf> {
        Extent::of(self.quick, &self.only).folder(self.out.as_deref(), "docs")
    }
}

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Scale {
    /// What is measured.
    pub parts: Vec<Part>,
    /// How often each is measured.
    pub rounds: usize,
    /// How long requests are made in one measurement.
    pub window: Duration,
    /// How many idle connections there are beside the active one, in turn.
    pub idle: Vec<usize>,
    /// How many connections are held by threads and children.
    pub held_by_many: usize,
    /// How many connections are held by one loop.
    pub held_by_one: usize,
}

impl Scale {
    /// What is published.
    pub fn full() -> Self {
        Scale {
            parts: Part::value_variants().to_vec(),
            rounds: 5,
            window: Duration::from_millis(500),
            idle: vec![0, 10, 100, 1_000, 10_000],
            held_by_many: 200,
            held_by_one: 10_000,
        }
    }

    /// What shows that it works.
    pub fn quick() -> Self {
        Scale {
            parts: Part::value_variants().to_vec(),
            rounds: 1,
            window: Duration::from_millis(100),
            idle: vec![0, 100, 2_000],
            held_by_many: 50,
            held_by_one: 1_000,
        }
    }
}

/// All that was measured in one run; of a part that was left out, nothing.
pub struct Figures {
    connection_each: RequestTrials,
    kept: RequestTrials,
    memory: MemoryTrials,
    pollers: PollerTrials,
    /// How and where, as a paragraph.
    circumstances: String,
}

/// Measures and reports. The exit code says whether every answer was right, not whether it was fast.
///
/// # Errors
///
/// If something is missing, or the report cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let bench = std::env::current_exe().context("cannot find the servers: where is this program?")?;
    let bench = Bench::with(Programs::beside(bench)?, options.placement)?;
    let folder = options.folder();
    if let Some(folder) = &folder {
        // Before minutes are spent on figures that have nowhere to go.
        read(folder)?;
    }
    let figures = Figures::measure(&bench, &options.scale());
    for (name, text) in figures.parts() {
        println!("## {name}\n\n{text}");
    }
    if let Some(folder) = folder {
        figures.write(&folder)?;
        println!("written to {}", folder.join(DOCUMENT).display());
    }
    Ok(if figures.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

const DOCUMENT: &str = "io-models.md";
const PLOT: &str = "io-models.svg";

fn read(folder: &Path) -> Result<String> {
    let path = folder.join(DOCUMENT);
    fs::read_to_string(&path).with_context(|| {
        format!(
            "cannot read {}, into which the figures belong\nhint: copy docs/{DOCUMENT} there",
            path.display()
        )
    })
}

impl Figures {
    /// Measures everything at this scale.
    pub fn measure(bench: &Bench, scale: &Scale) -> Self {
        // First: later this thread may be confined to a part of the machine.
        let machine = machine::machine();
        let before = MachineReading::take();
        let connection_each = of(Part::Requests, scale, || requests(bench, Shape::ConnectionEach, scale));
        let kept = of(Part::Requests, scale, || requests(bench, Shape::Kept, scale));
        let memory = of(Part::Memory, scale, || memory(bench, scale));
        let pollers = of(Part::Pollers, scale, || pollers(bench, scale));
        let others = MachineReading::others_share(before, MachineReading::take());
        Figures {
            connection_each,
            kept,
            memory,
            pollers,
            circumstances: circumstances(bench, scale, &machine, others),
        }
    }

    /// Whether anything but speed was wrong.
    pub fn has_failed(&self) -> bool {
        let requests = self.connection_each.iter().chain(&self.kept).any(|trial| trial.failure.is_some());
        let memory = self.memory.iter().any(|trial| trial.failure.is_some());
        let pollers =
            self.pollers.iter().any(|trial| trial.failure.is_some() && !tables::is_impossible(trial));
        requests || memory || pollers
    }

    /// Puts the figures into the document in `folder`, and the plot beside it.
    ///
    /// # Errors
    ///
    /// If the document is not there, has no place for them, or cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let mut document = read(folder)?;
        for (name, text) in self.parts() {
            document = document::with_figures(&document, name, &text)?;
        }
        write(&folder.join(DOCUMENT), &document)?;
        if !self.pollers.is_empty() {
            write(&folder.join(PLOT), &plot::svg(&self.pollers))?;
        }
        Ok(())
    }

    /// The parts of the document: what each is called there, and its text.
    fn parts(&self) -> Vec<(&'static str, String)> {
        let mut parts = vec![("circumstances", self.circumstances.clone())];
        if !self.kept.is_empty() {
            let shapes = [(Shape::ConnectionEach, &self.connection_each), (Shape::Kept, &self.kept)];
            let tables = shapes.map(|(shape, trials)| tables::requests(shape, trials));
            parts.push(("requests", tables.join("\n")));
        }
        if !self.memory.is_empty() {
            parts.push(("memory", tables::memory(&self.memory)));
        }
        if !self.pollers.is_empty() {
            parts.push(("pollers", tables::pollers(&self.pollers)));
        }
        parts
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// What is measured of a part: nothing if it is left out.
fn of<T>(part: Part, scale: &Scale, measure: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if scale.parts.contains(&part) { measure() } else { Vec::new() }
}

fn circumstances(bench: &Bench, scale: &Scale, machine: &str, others: Option<f64>) -> String {
    let python = bench.programs.python_version().unwrap_or_else(|| "no Python 3".to_owned());
    let others = others.map_or(String::new(), |share| {
        format!(" Other processes took {:.0} % of the machine meanwhile.", share * 100.0)
    });
    format!(
        "Measured by `cargo xtask bench io` on {}, commit {}.\n\
         Machine: {machine}; loopback TCP, shared with the clients and whoever else was there. {python}. \
         Rounds in turn: {}; in each, every server is sent requests for {} ms.{others}",
        machine::date(),
        machine::commit(),
        scale.rounds,
        scale.window.as_millis(),
    )
}

fn requests(bench: &Bench, shape: Shape, scale: &Scale) -> RequestTrials {
    interleaved(&contenders(bench), scale.rounds, |contender| {
        eprintln!("requests: {contender}");
        bench.cpu_per_request(contender, shape, scale.window)
    })
}

/// The iterative servers are left out: they have one connection at a time.
fn memory(bench: &Bench, scale: &Scale) -> MemoryTrials {
    let connections = |contender: Contender| match contender {
        // `select` cannot hold more; whatever it takes for one it takes for each.
        Contender::Ours(Way::Evented(PollerKind::Select)) => Some(scale.held_by_many),
        contender => match contender.model() {
            Model::Iterative => None,
            Model::Threading | Model::Forking => Some(scale.held_by_many),
            Model::Evented => Some(scale.held_by_one),
        },
    };
    let subjects: Vec<_> = contenders(bench)
        .into_iter()
        .filter_map(|contender| Some((contender, connections(contender)?)))
        .collect();
    interleaved(&subjects, scale.rounds, |(contender, connections)| {
        eprintln!("memory: {contender}, {connections} connections");
        bench.memory_per_connection(contender, connections)
    })
}

fn pollers(bench: &Bench, scale: &Scale) -> PollerTrials {
    let amid = |idle: &usize| PollerKind::ALL.map(|kind| (kind, *idle));
    let subjects: Vec<_> = scale.idle.iter().flat_map(amid).collect();
    interleaved(&subjects, scale.rounds, |(kind, idle)| {
        eprintln!("pollers: {kind} amid {idle}");
        bench.cpu_amid_idle(kind, idle, scale.window)
    })
}

/// Who is measured: ours, and Python's if it is here.
fn contenders(bench: &Bench) -> Vec<Contender> {
    let pythons = Model::ALL.into_iter().filter(|_| bench.programs.python.is_some()).map(Contender::Python);
    Way::ALL.into_iter().map(Contender::Ours).chain(pythons).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { quick: false, only: Vec::new(), rounds: None, placement: Placement::Free, out: None }
    }

    #[test]
    fn partial_run_does_not_replace_the_figures() {
        assert_eq!(options().folder(), Some("docs".into()));
        assert_eq!(Options { quick: true, ..options() }.folder(), None);
        assert_eq!(Options { only: vec![Part::Memory], ..options() }.folder(), None);
        assert_eq!(Options { quick: true, out: Some("x".into()), ..options() }.folder(), Some("x".into()));
    }

    #[test]
    fn everything_is_measured_unless_parts_are_named() {
        assert_eq!(options().scale().parts, [Part::Requests, Part::Memory, Part::Pollers]);
        let some = Options { only: vec![Part::Pollers], rounds: Some(2), ..options() };
        assert_eq!((some.scale().parts, some.scale().rounds), (vec![Part::Pollers], 2));
    }
}
