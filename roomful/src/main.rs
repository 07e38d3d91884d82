//! Roomful: the one binary. Reads the command line, starts what it asks for, waits for the signals.
//!
//! What it must never do: anything that a library crate could do and be tested for.

mod client_lines;
mod command_line;
mod man_pages;
mod settings;

mod config;
mod config_file;
mod data;
mod key;
mod listings;
#[cfg(test)]
mod reference;

mod serve;

mod archive;

mod join_hints;
mod logging;
mod reload;

use command_line::{CommandLine, ConfigVerb, Verb};
use config::Flags;
use std::io::{self, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match CommandLine::read().verb {
        Verb::Serve(flags) => serve::run(&flags),
        Verb::Client(verb) => return client_lines::run(verb),
        Verb::Export(arguments) => archive::export(&arguments),
        Verb::Import(arguments) => archive::import(&arguments),
        Verb::Backup(arguments) => archive::back_up(&arguments),
        Verb::Check(data) => archive::check(&data),
        Verb::Config { verb } => match verb {
            ConfigVerb::Default => listings::print_default(),
            ConfigVerb::Client => listings::print_client_default(),
            ConfigVerb::Check { file, config } => {
                listings::print_check(&Flags { config: file.or(config), given: Vec::new() })
            }
            ConfigVerb::Show(flags) => listings::print_effective(&flags),
        },
        Verb::Completions { shell } => command_line::print_completions(shell),
        Verb::Man { directory } => man_pages::write(directory.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in format!("{error:#}").lines() {
                // Nobody may be reading; the exit status says it, too.
                let _ = writeln!(io::stderr(), "roomful: {line}");
            }
            ExitCode::FAILURE
        }
    }
}
