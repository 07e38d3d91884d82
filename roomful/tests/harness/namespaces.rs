//! Parts of the system that one process and its children alone see, by `unshare` of util-linux. Not every machine lets one have
//! them.

use std::process::Command;

/// Runs what is added to it in namespaces of these kinds, as root of them.
pub(crate) fn in_namespaces(kinds: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user"]).args(kinds);
    command
}

/// Whether a test that needs this attempt to succeed has to be skipped. Says so.
///
/// # Panics
/// If it has though root asks, and tests must not be skipped.
pub(crate) fn is_refused(attempt: &mut Command) -> bool {
    let attempt = attempt.output();
    let is_refused = !attempt.as_ref().is_ok_and(|output| output.status.success());
    if is_refused {
        let is_required =
            rustix::process::geteuid().is_root() && std::env::var_os("ROOMFUL_REQUIRE_TOOLS").is_some();
        assert!(!is_required, "no namespaces of one's own, and ROOMFUL_REQUIRE_TOOLS is set: {attempt:?}");
        println!("skipped: there can be no namespaces of one's own here: {attempt:?}");
    }
    is_refused
}
