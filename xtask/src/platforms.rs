//! The libraries that are meant for other systems, too, are compiled for them.
//!
//! Compiling needs no machine of that kind, only its standard library, which rustup brings. Where it cannot be had the check
//! says so; it must never pass without having compiled.

use crate::command::{cargo, run};
use crate::report::Checked;
use anyhow::Result;
use std::process::Command;

/// What is meant for every Unix: readiness, servers on it, and the client.
const LIBRARIES: [&str; 3] = ["eventloop", "socketserver", "client"];
const SYSTEMS: [&str; 2] = ["x86_64-unknown-freebsd", "x86_64-apple-darwin"];

/// Checks each library for each system.
///
/// # Errors
/// When one does not compile.
pub(crate) fn check() -> Result<Checked> {
    if let Err(error) = run(Command::new("rustup").args(["target", "add"]).args(SYSTEMS)) {
        return Ok(Checked::NothingHere(format!(
            "the standard libraries of other systems cannot be had: {error:#}"
        )));
    }
    for system in SYSTEMS {
        let packages = LIBRARIES.iter().flat_map(|library| ["--package", library]);
        run(cargo(&["check", "--target", system]).args(packages).env("RUSTFLAGS", "--deny warnings"))?;
    }
    Ok(Checked::All)
}
