//! File systems that one process alone sees: a shell mounts them in a namespace of its own and then becomes that process.

use std::process::Command;

/// The command that does the same as this one, when `script` has been done with the directory, which it calls `$0`. Or says
/// why the test is skipped.
///
/// # Panics
/// If that is not possible though root asks, and tests must not be skipped.
pub(crate) fn alone_with(script: &str, directory: &str, program: &Command) -> Option<Command> {
    let attempt = in_a_namespace().args([script, directory]).output();
    if !attempt.as_ref().is_ok_and(|output| output.status.success()) {
        let is_required =
            rustix::process::geteuid().is_root() && std::env::var_os("ROOMFUL_REQUIRE_TOOLS").is_some();
        assert!(!is_required, "no mounts of one's own, and ROOMFUL_REQUIRE_TOOLS is set: {attempt:?}");
        println!("skipped: there can be no mounts of one's own here: {attempt:?}");
        return None;
    }
    let mut command = in_a_namespace();
    command.arg(format!("{script} && exec \"$@\"")).arg(directory);
    command.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

/// `unshare` of util-linux, up to the script.
fn in_a_namespace() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command
}
