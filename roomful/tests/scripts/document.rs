//! `docs/scripts.md`: its examples are run, one after another, and work.

use super::script;
use crate::harness::{Server, Tool};
use std::path::Path;

#[test]
fn examples_of_the_document_work() {
    if Tool::BASH.is_missing() {
        return;
    }
    let server = Server::start();
    let host = server.address().to_string();
    let examples =
        include_str!("../../../docs/scripts.md").lines().filter_map(|line| line.strip_prefix("$ "));
    let mut count = 0;
    for example in examples {
        count += 1;
        // The program, and the environment that it has in these tests.
        let program = script(&[]);
        let directory = Path::new(program.get_program()).parent().expect("a directory");
        let mut bash = Tool::BASH.command();
        bash.args(["-o", "pipefail", "-c", &example.replace("127.0.0.1", &host)]);
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => bash.env(name, value),
                None => bash.env_remove(name),
            };
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let output =
            bash.env("PATH", format!("{}:{path}", directory.display())).output().expect("bash starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{example}: {output:?}");
        let prints =
            ["tail", "search", "rooms"].iter().any(|verb| example.contains(&format!("roomful {verb} ")));
        assert_eq!(prints, !output.stdout.is_empty(), "{example}: {output:?}");
    }
    assert!(count > 8, "only {count} examples");
}
