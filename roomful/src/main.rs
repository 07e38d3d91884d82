//! Roomful: the one binary. Reads the command line, starts what it asks for, waits for the signals.
//!
//! What it must never do: anything that a library crate could do and be tested for.

mod command_line;
mod join_hints;
mod logging;
mod serve;

use clap::Parser;
use command_line::{CommandLine, Verb};
use std::io::{self, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().verb {
        Verb::Serve(options) => serve::run(&options),
        Verb::Completions { shell } => command_line::print_completions(shell),
        Verb::Man { directory } => command_line::write_man_pages(directory.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be reading; the exit status says it, too.
            let _ = writeln!(io::stderr(), "roomful: {error:#}");
            ExitCode::FAILURE
        }
    }
}
