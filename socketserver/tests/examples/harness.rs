//! What the tests of the examples are made of: processes that are listened to, typed to and ended.
//!
//! A process is ended by the test that has started it, at the latest when its value goes. Nothing here waits by the clock,
//! only for what a process says, and not for ever.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Nothing takes so long; who waits longer has lost something.
pub(crate) const GUARD: Duration = Duration::from_secs(20);

/// A process with what it says.
pub(crate) struct Program {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    heard: Vec<String>,
}

/// The binary of an example. Cargo builds them before it runs the tests, unless it is told to build less.
fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a file");
    let folder = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST").join("examples");
    let binary = folder.join(name);
    assert!(binary.exists(), "{} is missing: cargo build -p socketserver --examples", binary.display());
    binary
}

impl Program {
    /// Runs an example.
    pub(crate) fn example(name: &str, arguments: &[&str]) -> Program {
        Program::start(name, Command::new(binary(name)).args(arguments).stdin(Stdio::piped()))
    }

    /// Runs an example with this standard input.
    pub(crate) fn example_reading(name: &str, arguments: &[&str], input: impl Into<Stdio>) -> Program {
        Program::start(name, Command::new(binary(name)).args(arguments).stdin(input))
    }

    /// `nc FLAGS HOST PORT`
    pub(crate) fn nc(flags: &[&str], server: SocketAddr) -> Program {
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        Program::start("nc", Command::new("nc").args(flags).args([host, port]).stdin(Stdio::piped()))
    }

    fn start(name: &str, command: &mut Command) -> Program {
        // Else an error would come with the stack of whoever runs the tests like that.
        command.env_remove("RUST_BACKTRACE");
        let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let stdin = child.stdin.take();
        let stdout = lines(child.stdout.take().expect("a pipe"));
        let stderr = lines(child.stderr.take().expect("a pipe"));
        Program { name: name.to_owned(), child, stdin, stdout, stderr, heard: Vec::new() }
    }

    /// Where it listens, which it says at once.
    pub(crate) fn address(&mut self) -> SocketAddr {
        self.addresses()[0]
    }

    /// All the places where it listens.
    pub(crate) fn addresses(&mut self) -> Vec<SocketAddr> {
        let line = self.waits_for("listening at ");
        let words =
            line.split_whitespace().map(|word| word.trim_start_matches("http://").trim_end_matches('/'));
        let addresses: Vec<SocketAddr> = words.filter_map(|word| word.parse().ok()).collect();
        assert!(
            addresses.iter().all(|address| address.ip().is_loopback()) && !addresses.is_empty(),
            "{line}"
        );
        addresses
    }

    /// Types a line.
    pub(crate) fn says(&mut self, line: &str) {
        self.types(format!("{line}\n").as_bytes());
    }

    pub(crate) fn types(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("its input has not ended");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("it takes its input");
    }

    /// Ends its input.
    pub(crate) fn ends_input(&mut self) {
        self.stdin = None;
    }

    /// The next line that it says; none at the end.
    pub(crate) fn next(&mut self) -> Option<String> {
        match self.stdout.recv_timeout(GUARD) {
            Ok(line) => {
                self.heard.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("{} says nothing more; {}", self.name, self.last_words())
            }
        }
    }

    /// The next line that it says is this one.
    pub(crate) fn hears(&mut self, expected: &str) {
        let line = self.next();
        assert_eq!(line.as_deref(), Some(expected), "{}; {}", self.name, self.last_words());
    }

    /// The first line that it says from now on and that contains this.
    pub(crate) fn waits_for(&mut self, part: &str) -> String {
        while let Some(line) = self.next() {
            if line.contains(part) {
                return line;
            }
        }
        panic!("{} never says {part:?}; {}", self.name, self.last_words());
    }

    /// Everything that it says until its end, which is one without a complaint.
    pub(crate) fn ends_well(&mut self) -> Vec<String> {
        let begun = self.heard.len();
        let (status, complaints) = self.ends();
        assert!(status.success(), "{}: {status}, {complaints:?}; {}", self.name, self.last_words());
        assert_eq!(complaints, "", "{}; {}", self.name, self.last_words());
        self.heard[begun..].to_vec()
    }

    /// Waits until it has ended by itself. Returns how, and what it has complained about.
    pub(crate) fn ends(&mut self) -> (ExitStatus, String) {
        // Its output ends when it does; unlike waiting for the process this has a guard.
        while self.next().is_some() {}
        let status = self.child.wait().expect("the process can be waited for");
        let complaints: Vec<String> = self.stderr.iter().collect();
        (status, complaints.join("\n"))
    }

    /// Asks it to end, as `kill` and a system that shuts down do. Returns what it still says.
    pub(crate) fn stops(&mut self) -> Vec<String> {
        self.is_told_to_stop();
        self.ends_well()
    }

    pub(crate) fn is_told_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the signal is sent");
    }

    /// For messages of failing tests.
    fn last_words(&self) -> String {
        const LINES_MAX: usize = 20;
        let last = &self.heard[self.heard.len().saturating_sub(LINES_MAX)..];
        let complaints: Vec<String> = self.stderr.try_iter().collect();
        format!("{} lines were heard, at last {last:#?}, and complaints {complaints:#?}", self.heard.len())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe, which a thread reads, so that whoever writes never waits for the test.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

/// Whether a test that needs another program has to be skipped. Says so. `says` tells apart programs of the same name.
///
/// # Panics
/// If it has, and the environment variable `ROOMFUL_REQUIRE_TOOLS` forbids it, as `cargo xtask test` does.
pub(crate) fn is_missing(program: &str, says: &str) -> bool {
    let answer = Command::new(program).arg("-h").stdin(Stdio::null()).output();
    let is_there = answer
        .is_ok_and(|answer| String::from_utf8_lossy(&[answer.stdout, answer.stderr].concat()).contains(says));
    let is_required = std::env::var_os("ROOMFUL_REQUIRE_TOOLS").is_some();
    assert!(is_there || !is_required, "{program} is not installed, and ROOMFUL_REQUIRE_TOOLS is set");
    if !is_there {
        println!("skipped: {program} is not installed");
    }
    !is_there
}

/// OpenBSD's netcat, which is Debian's.
pub(crate) fn nc_is_missing() -> bool {
    is_missing("nc", "OpenBSD")
}

pub(crate) fn curl_is_missing() -> bool {
    is_missing("curl", "curl")
}

/// A folder that goes when the test does.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("socketserver-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).expect("a folder of our own");
        Folder(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What could not be removed lies in the folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
