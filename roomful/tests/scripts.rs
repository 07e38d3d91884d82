//! Chat for scripts: the verbs against a real server, also one that is killed meanwhile, and against what is no Roomful server.

mod document;
mod hostile;
mod killed;
mod strangers;
mod talking;

use crate::harness::{Lines, Server, roomful};
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

/// The program, for somebody who has no settings and is called tess.
fn script(arguments: &[&str]) -> Command {
    let mut command = roomful(arguments);
    command.env("HOME", env!("CARGO_TARGET_TMPDIR")).env_remove("XDG_CONFIG_HOME").env("USER", "tess");
    command
}

fn run(arguments: &[&str]) -> Output {
    script(arguments).output().expect("the program starts")
}

/// What a successful run prints. It has nothing to say besides.
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a run that fails says. It prints nothing.
fn complaint(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// What it does with this as its standard input.
fn run_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = start(script(arguments).stdin(Stdio::piped()));
    let (mut stdin, input) = (child.stdin.take().expect("a pipe"), input.to_vec());
    // It may end before it has read everything.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// What a process prints, line by line.
fn lines_of(child: &mut Child, who: &str) -> Lines {
    Lines::of(who, child.stdout.take().expect("a pipe"))
}

/// `HOST:PORT/ROOM`
fn in_room(server: &Server, room: &str) -> String {
    format!("{}/{room}", server.address())
}

/// A process that is over when the test is.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
