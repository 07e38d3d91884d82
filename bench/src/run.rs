//! `bench run`: all contenders in turn, round after round, then the tables.
//!
//! The machine's speed swings within minutes, so rounds are interleaved (floor, product, product, floor, …) and only
//! rows of one run are comparable. A round that fails ends its shape and the run's success, not the run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    extent::{Extent, chosen, ensure_built},
    floor::Floor,
    machine,
    peer::{Keeping, Program},
    placement::{Placement, Places},
    report::{Meanwhile, Outcome},
    scenario::{Contender, Scale, Scenario, Shape, Stalled},
    usage::MachineReading,
};

/// What to run.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Say little, one round each: does everything work? (Under a minute; no figures to go by.)
    #[arg(long)]
    pub quick: bool,
    /// Run only this scenario (may be given several times).
    #[arg(long, value_name = "SCENARIO")]
    pub only: Vec<Scenario>,
    /// Rounds per scenario instead of its own number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: Option<u16>,
    /// The product's binary.
    #[arg(long, value_name = "PATH", default_value = "target/release/roomful")]
    pub roomful: PathBuf,
    /// Another build of the product, run in the same turns and compared with.
    #[arg(long, value_name = "PATH")]
    pub against: Option<PathBuf>,
    /// Which processors the server and the generator run on.
    #[arg(long, value_name = "PLACEMENT", default_value = "free")]
    pub placement: Placement,
    /// Where to write the report, `room.md`; without it only a full run of all scenarios is written, to docs/bench.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Options {
    fn scale(&self) -> Scale {
        if self.quick { Scale::Quick } else { Scale::Full }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        chosen(&self.only)
    }

    /// Where the report goes, if anywhere.
    fn folder(&self) -> Option<PathBuf> {
        Extent::of(self.quick, &self.only).folder(self.out.as_deref(), "docs/bench")
    }
}

/// Runs and reports. The exit code says whether every round was right, not whether it was fast.
///
/// # Errors
///
/// If a binary is missing or the report cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    for binary in [Some(&options.roomful), options.against.as_ref()].into_iter().flatten() {
        ensure_built(binary)?;
    }
    let floors = std::env::current_exe().context("cannot find the floors: where is this program?")?;
    let places = Places::share_out(options.placement)?;
    let mut report = heading(options);
    println!("{report}");
    let mut failed = 0;
    for shape in options.scenarios().into_iter().flat_map(Scenario::shapes) {
        let scale = options.scale();
        let rounds = options.rounds.map_or(shape.rounds(scale), usize::from);
        let outcome = play(*shape, contenders(*shape, options, &floors), &places, rounds, scale);
        let table = outcome.to_markdown(options.scale());
        println!("{table}");
        report += &table;
        report.push('\n');
        failed += outcome.failures.len();
    }
    if let Some(folder) = options.folder() {
        write(&folder, &report)?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write(folder: &Path, report: &str) -> Result<()> {
    let path = folder.join("room.md");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, report))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// Rounds in turn; every second one in the opposite order, so that who comes first is no advantage.
pub(crate) fn play(
    shape: Shape,
    contenders: Vec<Contender>,
    places: &Places,
    rounds: usize,
    scale: Scale,
) -> Outcome {
    let samples = vec![Vec::new(); contenders.len()];
    let before = MachineReading::take();
    let mut outcome = Outcome {
        shape,
        bound: Shape::bound,
        contenders,
        samples,
        failures: Vec::new(),
        meanwhile: Meanwhile::default(),
    };
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..outcome.contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for column in order {
            let contender = &outcome.contenders[column];
            eprintln!("{}: round {} of {rounds}, {}", shape.title(), round + 1, contender.label);
            match shape.play(contender, places, scale) {
                Ok(sample) => outcome.samples[column].push(sample),
                Err(error) => outcome.failures.push(format!("{error:#}")),
            }
        }
        if !outcome.failures.is_empty() {
            break;
        }
    }
    outcome.meanwhile =
        Meanwhile { others_share: MachineReading::others_share(before, MachineReading::take()) };
    outcome
}

/// Who takes part in a shape: the baseline first, then the product, which keeps nothing, as its baseline does; then the product as
/// it comes, with a history, and the other build last.
fn contenders(shape: Shape, options: &Options, floors: &Path) -> Vec<Contender> {
    let product = |label: &str, path: &Path, keeping, stalled| Contender {
        label: label.to_owned(),
        program: Program::Product(path.to_owned(), keeping),
        stalled,
    };
    let (ours, against) = (&options.roomful, options.against.as_deref());
    if shape == Shape::Stall {
        let mut contenders = vec![
            product("nobody stalled", ours, Keeping::Nothing, Stalled::Nobody),
            product("one stalled", ours, Keeping::Nothing, Stalled::One),
            product("one stalled, with a history", ours, Keeping::History, Stalled::One),
        ];
        contenders.extend(
            against.map(|path| product("one stalled (against)", path, Keeping::Nothing, Stalled::One)),
        );
        return contenders;
    }
    let floor = match shape {
        Shape::Paced | Shape::Rooms => Floor::Send,
        _ => Floor::Log,
    };
    let baseline = Contender {
        label: format!("{} floor", floor.name()),
        program: Program::Floor(floors.to_owned(), floor),
        stalled: Stalled::Nobody,
    };
    let mut contenders = vec![
        baseline,
        product("roomful", ours, Keeping::Nothing, Stalled::Nobody),
        product("with a history", ours, Keeping::History, Stalled::Nobody),
    ];
    contenders
        .extend(against.map(|path| product("roomful (against)", path, Keeping::Nothing, Stalled::Nobody)));
    contenders
}

fn heading(options: &Options) -> String {
    format!(
        "# Figures\n\n\
         Made by `cargo xtask bench`{} on {}, commit {}.\n\
         Machine: {}; loopback TCP, shared with the load generator and whoever else was there.\n\n\
         The product is the release binary. Where it is judged it keeps nothing (`--data :memory:`), as the floors do; the \
         column *with a history* is the same at default settings, where all that is said is written down. What that costs \
         is judged in `history.md`. The floors do the least that anything could do: the *send* \
         floor is a bare epoll loop with one `send` per receiver, the *log* floor a shared log written once per member \
         and turn. Every round starts a fresh server; rounds of all columns are interleaved, and absolute figures swing \
         with the machine, so compare within a row. CPU is that of the server's process; a delivery is one message \
         reaching one receiver. Every delivery was checked: none lost, none doubled, each sender's in order.\n\n\
         {}\n\n",
        if options.quick { " --quick" } else { "" },
        machine::date(),
        machine::commit(),
        machine::machine(),
        match options.placement {
            Placement::Apart => {
                "The generator keeps to the last processor and the server to the others: where the two share one, they \
                 alternate, batches grow, and a delivery in a busy room costs half (`--placement free` shows it)."
            }
            Placement::Free => {
                "Server and generator run wherever the kernel puts them, as they would for anybody; `--placement apart` \
                 keeps them on processors of their own."
            }
            Placement::Together => "Server and generator take turns on one processor.",
        },
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
            against: Some("theirs".into()),
            placement: Placement::Apart,
            out: None,
        }
    }

    fn labels(shape: Shape, options: &Options) -> Vec<String> {
        contenders(shape, options, Path::new("bench")).into_iter().map(|contender| contender.label).collect()
    }

    #[test]
    fn every_shape_is_played_beside_its_floor() {
        assert_eq!(
            labels(Shape::Paced, &options()),
            ["send floor", "roomful", "with a history", "roomful (against)"]
        );
        assert_eq!(
            labels(Shape::Talk { in_flight: 64 }, &options()),
            ["log floor", "roomful", "with a history", "roomful (against)"]
        );
    }

    #[test]
    fn stall_is_played_with_and_without() {
        let alone = Options { against: None, ..options() };
        assert_eq!(
            labels(Shape::Stall, &alone),
            ["nobody stalled", "one stalled", "one stalled, with a history"]
        );
        assert_eq!(labels(Shape::Stall, &options()).len(), 4);
    }

    #[test]
    fn partial_run_does_not_replace_the_report() {
        assert_eq!(options().folder(), Some("docs/bench".into()));
        assert_eq!(Options { quick: true, ..options() }.folder(), None);
        assert_eq!(Options { only: vec![Scenario::Paced], ..options() }.folder(), None);
        assert_eq!(Options { quick: true, out: Some("x".into()), ..options() }.folder(), Some("x".into()));
    }
}
