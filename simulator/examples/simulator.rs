//! `simulator`: lives many worlds and says whether they held.
//!
//! Where it stands: `cargo xtask sim` builds it with optimisation and hands over to it. Progress goes to standard error, the
//! summary to standard output; the exit status is 1 if a world did not hold, 2 if the arguments are wrong.
//!
//! What this file must never do: let one world know of another.

use simulator::Options;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Runs whole servers in simulated worlds, one for each seed, and checks what everybody is shown.

Usage: simulator [--seeds N] [--from SEED] [--trace N]

Options:
  --seeds N    how many worlds (default 1000)
  --from SEED  the first seed; the others follow it (default 0)
  --trace N    show so many of the last steps of a failure (default 60)
  -h, --help   print this

Examples:
  cargo xtask sim --seeds 10000
  cargo xtask sim --seeds 1 --from 42
";

/// Progress is told so often.
const SEEDS_PER_WORD: usize = 500;

/// What was asked.
struct Asked {
    seeds: u64,
    from: u64,
    trace: usize,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(Some(asked)) => run(&asked),
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(mistake) => {
            eprintln!("error: {mistake}\n\nsee `cargo xtask sim --help`");
            ExitCode::from(2)
        }
    }
}

/// Understands the words; `None` asks for help.
fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Asked>, String> {
    let mut asked = Asked { seeds: 1000, from: 0, trace: 60 };
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words.next().ok_or(format!("`{word}` needs a number"))?;
            value.parse().map_err(|_| format!("`{value}` behind `{word}` is no number"))
        };
        match word.as_str() {
            "--seeds" => asked.seeds = number()?,
            "--from" => asked.from = number()?,
            "--trace" => asked.trace = number()? as usize,
            "-h" | "--help" => return Ok(None),
            _ => {
                return Err(format!("unknown argument `{word}`, expected --seeds, --from or --trace"));
            }
        }
    }
    Ok(Some(asked))
}

fn run(asked: &Asked) -> ExitCode {
    let begun = Instant::now();
    let Asked { seeds: count, from, trace } = *asked;
    let seeds: Vec<u64> = (from..from.saturating_add(count)).collect();
    let options = Options { trace_lines_max: trace };
    let progress = |nth: usize| {
        if nth.is_multiple_of(SEEDS_PER_WORD) {
            eprintln!("{nth} of {count} seeds");
        }
    };
    match simulator::run_all(&seeds, &options, progress) {
        Ok(report) => {
            let seconds = begun.elapsed().as_secs_f64();
            println!("{count} seeds from {from} held in {seconds:.1} s: {report}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
