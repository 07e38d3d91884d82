//! `cargo xtask test`: the list of the checks, in the order in which they tell something soonest.
//!
//! Quick ones come first, then those that only read code, then those that run it. Clippy and the documentation
//! share what cargo checked of the dependencies; the tests build everything once, for themselves. Must pass on a
//! fresh clone, and must never depend on anything outside but the package mirrors.

use crate::arguments::Scope;
use crate::command::{self, cargo};
use crate::report::{Outlook, Report};
use crate::{documents, files, fuzz, instructions, platforms, purity, release, tools};
use anyhow::Result;
use std::process::ExitCode;

/// How many seeds the long run plays; those in `cargo test` are a few hundred.
const LONG_SEEDS: &str = "20000";

/// The pollers under which the tests of whole servers run once more; the first time it is under the default.
const OTHER_POLLERS: [(&str, &str); 2] =
    [("process tests under poll", "poll"), ("process tests under select", "select")];

/// Those that ask the client much and the server nothing that a poller could do otherwise.
const OF_THE_CLIENT: [&str; 3] = ["join::", "raw::", "scripts::"];

/// Runs every check of this scope and says how it went.
pub(crate) fn run(scope: Scope) -> ExitCode {
    let mut report = Report::new();
    if report.part("tools", tools::provide) == Outlook::Stop {
        return report.finish();
    }
    report.part("format", format);
    report.part("files introduce themselves", files::check_introductions);
    report.part("links", documents::check_links);
    report.part("purity", purity::check);
    report.part("clippy", clippy);
    report.part("documentation", documentation);
    report.part_or_skip("other systems", platforms::check);
    tests(&mut report);
    report.part_or_skip("instructions", instructions::compare);
    if scope == Scope::All {
        deny(&mut report);
        report.part("many seeds", many_seeds);
        fuzz(&mut report);
    }
    report.finish()
}

/// The fuzz targets are a workspace of their own.
fn format() -> Result<()> {
    command::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    command::run(&mut cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
}

fn clippy() -> Result<()> {
    command::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

fn documentation() -> Result<()> {
    command::run(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Building is a part of its own, so that the table tells slow tests from a slow build.
fn tests(report: &mut Report) {
    let build =
        report.part("build of the tests", || command::run(&mut cargo(&["test", "--workspace", "--no-run"])));
    if build == Outlook::Stop {
        report.skip("tests", "they do not build");
        for (name, _) in OTHER_POLLERS {
            report.skip(name, "the tests do not build");
        }
        report.skip("help texts", "the programs may not be built");
        return;
    }
    report.part("tests", run_tests);
    for (name, poller) in OTHER_POLLERS {
        report.part(name, || run_process_tests(poller));
    }
    report.part("help texts", documents::check_help_texts);
}

/// The tools have been provided: a test that would skip itself without one has to fail here.
fn run_tests() -> Result<()> {
    let tests = ["test", "--workspace", "--no-fail-fast"];
    command::run(cargo(&tests).env("ROOMFUL_REQUIRE_TOOLS", "1").env_remove("ROOMFUL_POLLER"))
}

/// The tests of whole servers once more. The packages are those of the other run, so that nothing is built anew.
fn run_process_tests(poller: &str) -> Result<()> {
    let tests = ["test", "--workspace", "--test", "process", "--test", "faults", "--no-fail-fast", "--"];
    let skipped = OF_THE_CLIENT.iter().flat_map(|part| ["--skip", part]);
    command::run(cargo(&tests).args(skipped).env("ROOMFUL_REQUIRE_TOOLS", "1").env("ROOMFUL_POLLER", poller))
}

/// Licences, sources and bans need nothing but the lock file. Advisories need a database from the network, and a
/// machine without one must still be able to run the rest.
fn deny(report: &mut Report) {
    if report.part("cargo deny is there", tools::provide_cargo_deny) == Outlook::Stop {
        return;
    }
    let check = ["deny", "check", "bans", "licenses", "sources"];
    report.part("licences, sources, bans", || command::run(&mut cargo(&check)));
    match command::run(&mut cargo(&["deny", "fetch", "db"])) {
        Ok(()) => {
            report.part("advisories", || command::run(&mut cargo(&["deny", "check", "advisories"])));
        }
        Err(error) => report.skip("advisories", &format!("the database cannot be fetched: {error:#}")),
    }
}

fn fuzz(report: &mut Report) {
    if report.part("cargo fuzz is there", fuzz::provide) == Outlook::Stop {
        return report.skip("fuzz targets", "there is no cargo fuzz");
    }
    report.part("fuzz targets", fuzz::run_all);
}

fn many_seeds() -> Result<()> {
    command::run(release::built_simulator()?.args(["--seeds", LONG_SEEDS, "--from", "0"]))
}
