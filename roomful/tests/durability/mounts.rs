//! File systems that one process alone sees: a shell mounts them in a namespace of its own and then becomes that process.

use crate::harness::{in_namespaces, is_refused};
use std::process::Command;

/// The command that does the same as this one, when `script` has been done with the directory, which it calls `$0`. Or says
/// why the test is skipped.
///
/// # Panics
/// If that is not possible though root asks, and tests must not be skipped.
pub(crate) fn alone_with(script: &str, directory: &str, program: &Command) -> Option<Command> {
    let alone = || {
        let mut command = in_namespaces(&["--mount"]);
        command.args(["sh", "-c"]);
        command
    };
    if is_refused(alone().args([script, directory])) {
        return None;
    }
    let mut command = alone();
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
