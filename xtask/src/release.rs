//! `cargo xtask sim`, `cargo xtask bench` and `cargo xtask screenshot`: build with optimisation, then hand over.
//!
//! The programs' arguments, output and exit status are their own, and they run at the root of the repository. Must
//! never understand their arguments: the programs do, and their `--help` is the only one.

use crate::command::{cargo, root, run};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Runs the simulator with these arguments; its exit status is ours.
///
/// # Errors
/// When it cannot be built or started.
pub(crate) fn simulator(arguments: &[String]) -> Result<ExitCode> {
    hand_over(built_simulator()?.args(arguments))
}

/// The simulator, built with optimisation. It is an example of its package, not a binary: `cargo run` has to mean the one
/// program that there is.
///
/// # Errors
/// When it does not build.
pub(crate) fn built_simulator() -> Result<Command> {
    run(&mut cargo(&["build", "--release", "--package", "simulator", "--example", "simulator"]))?;
    Ok(Command::new(program("examples/simulator")?))
}

/// Measures the release binary beside the floors; the arguments are those of `bench run`. If they begin with the name of another
/// measurement, that is made instead: `history` or `client`, of the same binary, or `io`, of models of input and output, for
/// which no other program is needed.
///
/// # Errors
/// When something cannot be built or started.
pub(crate) fn bench(arguments: &[String]) -> Result<ExitCode> {
    let measurement = arguments.first().map(String::as_str);
    build(if measurement == Some("io") { &["bench"] } else { &["roomful", "bench"] })?;
    let mut command = Command::new(program("bench")?);
    if !matches!(measurement, Some("history" | "client" | "io")) {
        command.arg("run");
    }
    hand_over(command.args(arguments))
}

/// Takes the picture in the README of the release binary.
///
/// # Errors
/// When something cannot be built or started.
pub(crate) fn screenshot() -> Result<ExitCode> {
    build(&["roomful"])?;
    run(&mut cargo(&["build", "--release", "--package", "roomful", "--example", "screenshot"]))?;
    hand_over(Command::new(program("examples/screenshot")?).arg(program("roomful")?).arg("docs/client.svg"))
}

/// Builds the programs of these packages, each of which is called like its package, with optimisation.
///
/// # Errors
/// When they do not build.
pub(crate) fn build(packages: &[&str]) -> Result<()> {
    let mut command = cargo(&["build", "--release"]);
    for package in packages {
        // Named twice, so that a package without its program is an error here and not a missing file later.
        command.args(["--package", package, "--bin", package]);
    }
    run(&mut command)
}

/// Where a program stands after [`build`]: beside the directory in which we were built ourselves.
///
/// # Errors
/// When our own place cannot be found out.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let ourselves = std::env::current_exe().context("cannot find out where this program stands")?;
    let target = ourselves.ancestors().nth(2).context("this program stands outside a target directory")?;
    Ok(target.join("release").join(name))
}

fn hand_over(command: &mut Command) -> Result<ExitCode> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.current_dir(root()).status().with_context(|| format!("cannot run {program}"))?;
    // A program that was ended by a signal has no status; that is a failure too.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
