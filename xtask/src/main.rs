//! `cargo xtask`: the one task runner of this repository.
//!
//! A developer or the build machine types a verb; `arguments` understands it, and either `test` runs every check
//! or `release` builds a program and hands over to it. Nothing that is shipped depends on this crate. It must
//! stay quick to build (it is compiled before anything else is checked), and it must never ask a question: a
//! check passes, fails, or says what it needs.

mod arguments; // what was asked
mod command; // running other programs
mod documents; // links between the documents, and the help texts shown in them
mod files; // which files the repository has
mod fuzz; // every fuzz target for a while
mod instructions; // `cargo xtask instructions`: what the hot paths cost
mod platforms; // the libraries, compiled for other systems
mod purity; // which crate may depend on what, and where `unsafe` may stand
mod release; // `cargo xtask sim`, `cargo xtask bench`, `cargo xtask screenshot`
mod report; // a check has a name, a time and an outcome; the table at the end
mod source; // Rust text without its comments and strings
mod test; // `cargo xtask test`: the list of the checks
mod tools; // what the checks need from outside, and how it is installed

use arguments::Verb;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A word that is not UTF-8 is no verb or flag of ours or of the programs we start; it gets the usual answer.
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let verb = match arguments::parse(words) {
        Ok(verb) => verb,
        Err(mistake) => {
            eprintln!("error: {mistake}\n\nsee `cargo xtask --help`");
            return ExitCode::from(2);
        }
    };
    let outcome = match verb {
        Verb::Help => {
            print!("{}", arguments::HELP);
            Ok(ExitCode::SUCCESS)
        }
        Verb::Test(scope) => Ok(test::run(scope)),
        Verb::Sim(rest) => release::simulator(&rest),
        Verb::Bench(rest) => release::bench(&rest),
        Verb::Screenshot => release::screenshot(),
        Verb::Instructions(purpose) => instructions::perform(purpose).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
