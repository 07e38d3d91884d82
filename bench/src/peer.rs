//! A server under test: started as a process of its own, found by the port that it prints, ended with its handle.
//!
//! The scenarios start one for every round, so that no round inherits another's heap. It must never be left behind.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::floor::Floor;

/// How long a server may take until it has printed where it listens.
const START_AT_MOST: Duration = Duration::from_secs(20);

/// What can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A floor, out of the given bench binary.
    Floor(PathBuf, Floor),
    /// The product: the given binary, at default settings.
    Product(PathBuf),
}

impl Program {
    /// How long nothing must have been heard until a room counts as quiet after people came. The product sums up
    /// arrivals in large rooms at most once a second; a floor says nothing unasked.
    pub fn quiet(&self) -> Duration {
        match self {
            Self::Floor(..) => Duration::from_millis(20),
            Self::Product(_) => Duration::from_millis(1_200),
        }
    }

    fn command(&self) -> Command {
        match self {
            Self::Floor(bench, floor) => {
                let mut command = Command::new(bench);
                command.args(["floor", floor.name()]);
                command
            }
            Self::Product(roomful) => {
                let mut command = Command::new(roomful);
                command.args(["serve", "--listen", "127.0.0.1:0"]);
                command
            }
        }
    }
}

/// A running server.
pub struct Peer {
    child: Child,
    address: SocketAddr,
    log: Log,
}

impl Peer {
    /// Starts a server and waits until it has said where it listens.
    ///
    /// # Errors
    ///
    /// If it cannot be started, ends at once, or does not say where it listens within 20 seconds.
    pub fn start(program: &Program) -> Result<Self> {
        Self::launch(program.command())
    }

    /// Starts a server by this command and waits until it has said where it listens.
    ///
    /// # Errors
    ///
    /// If it cannot be started, ends at once, or does not say where it listens within 20 seconds.
    pub fn launch(mut command: Command) -> Result<Self> {
        let log = Log::create();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log.path)?)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let (sender, receiver) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            // The thread goes on reading until the server ends, so that a full pipe never holds it up.
            thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                for address in lines.filter_map(|line| find_address(&line)) {
                    let _ = sender.send(address);
                }
            });
        }
        let Ok(address) = receiver.recv_timeout(START_AT_MOST) else {
            let _ = child.kill();
            let _ = child.wait();
            let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
            anyhow::bail!(
                "{} {} did not say where it listens; its last words:\n{}",
                command.get_program().display(),
                words.join(" "),
                log.tail()
            );
        };
        Ok(Self { child, address, log })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it logged, for when something went wrong.
    pub fn last_words(&self) -> String {
        self.log.tail()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Asked to stop it would say good-bye to 10,000 members; nothing of that is measured.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file that a server's log goes to; it is removed with its server.
struct Log {
    path: PathBuf,
}

impl Log {
    fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bench-{}-{}.log", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { path: std::env::temp_dir().join(name) }
    }

    fn tail(&self) -> String {
        let text = String::from_utf8_lossy(&fs::read(&self.path).unwrap_or_default()).into_owned();
        // Comings and goings of thousands would hide what went wrong.
        let lines: Vec<&str> = text.lines().filter(|line| !line.contains(" INFO ")).collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Finds the first address of loopback with a port in a line (`listening on 127.0.0.1:40123`, `nc 127.0.0.1 40123`).
fn find_address(line: &str) -> Option<SocketAddr> {
    let start = line.find("127.0.0.1")?;
    let port = line[start..].strip_prefix("127.0.0.1")?.strip_prefix([':', ' '])?;
    let digits = port.find(|character: char| !character.is_ascii_digit()).unwrap_or(port.len());
    let port = port[..digits].parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::from(([127, 0, 0, 1], port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_found_in_whatever_stands_around_it() {
        let expected = Some(SocketAddr::from(([127, 0, 0, 1], 40_123)));
        assert_eq!(find_address("listening on 127.0.0.1:40123"), expected);
        assert_eq!(find_address("  netcat   nc 127.0.0.1 40123"), expected);
        assert_eq!(find_address("open http://127.0.0.1:40123/lobby"), expected);
    }

    #[test]
    fn line_without_a_port_has_no_address() {
        for line in ["", "roomful 0.1.0", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999"] {
            assert_eq!(find_address(line), None, "{line}");
        }
    }

    #[test]
    fn program_that_cannot_be_started_is_an_error() {
        assert!(Peer::start(&Program::Product("/nonexistent/roomful".into())).is_err());
    }
}
