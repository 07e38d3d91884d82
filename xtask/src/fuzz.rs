//! `cargo xtask test --all`: every fuzz target for a while.
//!
//! The targets are in `fuzz`, a workspace of its own that needs a nightly compiler and `cargo fuzz`; both are installed when
//! they are missing. What is found on the way stays in the build's directory; an input that breaks something is named, and
//! kept in `fuzz/artifacts`. Must never change the corpora in the repository: whoever wants more in them says so
//! (`cargo +nightly fuzz cmin`), and the ordinary tests play again whatever is there.

use crate::command::{answer, cargo, root, run, self_description};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::process::Command;

/// How long each target runs, in seconds.
const SECONDS: u32 = 60;
/// Longer inputs find nothing that shorter ones do not, and take their time.
const INPUT_BYTES_MAX: u32 = 4096;

/// Makes sure that a nightly compiler and `cargo fuzz` are there.
///
/// # Errors
/// When one is missing and cannot be installed.
pub(crate) fn provide() -> Result<()> {
    if nightly(&["rustc", "--version"]).output().is_ok_and(|output| !output.status.success()) {
        run(Command::new("rustup").args(["toolchain", "install", "nightly", "--profile", "minimal"]))
            .context("fuzzing needs a nightly compiler\nhint: rustup toolchain install nightly")?;
    }
    if self_description("cargo-fuzz", "--version").is_none() {
        run(&mut cargo(&["install", "cargo-fuzz", "--locked"]))?;
    }
    Ok(())
}

/// Runs every target.
///
/// # Errors
/// When one does not build, or has found something.
pub(crate) fn run_all() -> Result<()> {
    let list = answer(&mut nightly(&["cargo", "fuzz", "list"]))?;
    let targets: Vec<&str> = list.split_whitespace().collect();
    ensure!(!targets.is_empty(), "there are no targets in `fuzz`");
    targets.into_iter().try_for_each(run_target)
}

/// Nothing that is built holds `unsafe` of ours, so that no sanitizer looks on: it would make every run slower by far.
fn run_target(target: &str) -> Result<()> {
    let found = format!("fuzz/target/found/{target}");
    fs::create_dir_all(root().join(&found)).with_context(|| format!("cannot make {found}"))?;
    let kept = format!("fuzz/corpus/{target}");
    let limits = [format!("-max_total_time={SECONDS}"), format!("-max_len={INPUT_BYTES_MAX}")];
    let mut command = nightly(&["cargo", "fuzz", "run", "--sanitizer", "none", target, &found, &kept, "--"]);
    run(command.args(limits).arg("-verbosity=0").arg("-print_final_stats=1"))
}

/// A command of the nightly toolchain, whichever runs us.
fn nightly(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).args(words).current_dir(root());
    command
}
