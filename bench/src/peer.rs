//! A server under test: started as a process of its own, found by the port that it prints, ended with its handle.
//!
//! The scenarios start one for every round, so that no round inherits another's heap. It must never be left behind.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::{data::DataFolder, floor::Floor};

/// How long a server may take until it has printed where it listens.
const START_AT_MOST: Duration = Duration::from_secs(20);

/// How long a server that was asked to stop may take.
const STOP_AT_MOST: Duration = Duration::from_secs(20);

/// What can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A floor, out of the given bench binary.
    Floor(PathBuf, Floor),
    /// The product: the given binary, at default settings but for where it keeps what is said.
    Product(PathBuf, Keeping),
}

/// Where the product keeps what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In a directory of its own, which is made for it and removed with it.
    History,
    /// In this directory, which stays.
    HistoryIn(PathBuf),
    /// Nowhere.
    Nothing,
}

impl Program {
    /// How long nothing must have been heard until a room counts as quiet after people came. The product sums up
    /// arrivals in large rooms at most once a second; a floor says nothing unasked.
    pub fn quiet(&self) -> Duration {
        match self {
            Self::Floor(..) => Duration::from_millis(20),
            Self::Product(..) => Duration::from_millis(1_200),
        }
    }

    /// How it is started, and the directory that was made for it, if one was.
    fn command(&self) -> Result<(Command, Option<DataFolder>)> {
        match self {
            Self::Floor(bench, floor) => {
                let mut command = Command::new(bench);
                command.args(["floor", floor.name()]);
                Ok((command, None))
            }
            Self::Product(roomful, keeping) => {
                let mut command = Command::new(roomful);
                command.args(["serve", "--listen", "127.0.0.1:0"]);
                if !knows_data(roomful)? {
                    ensure!(
                        !matches!(keeping, Keeping::HistoryIn(_)),
                        "{} keeps no history: it is too old",
                        roomful.display()
                    );
                    return Ok((command, None));
                }
                let folder = matches!(keeping, Keeping::History).then(DataFolder::create).transpose()?;
                command.arg("--data").arg(match (keeping, &folder) {
                    (Keeping::HistoryIn(path), _) => path.as_os_str(),
                    (_, Some(folder)) => folder.path().as_os_str(),
                    (_, None) => OsStr::new(":memory:"),
                });
                Ok((command, folder))
            }
        }
    }
}

/// Whether a build of the product has a history: the builds that it is compared with may be from before that.
fn knows_data(roomful: &Path) -> Result<bool> {
    let output = Command::new(roomful).args(["serve", "--help"]).output();
    let output = output.with_context(|| format!("cannot start {}", roomful.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).contains("--data "))
}

/// A running server.
pub struct Peer {
    child: Child,
    address: SocketAddr,
    log: Log,
    data: Option<PathBuf>,
    /// Removed when the server has ended.
    folder: Option<DataFolder>,
}

impl Peer {
    /// Starts a server and waits until it has said where it listens.
    ///
    /// # Errors
    ///
    /// If it cannot be started, ends at once, or does not say where it listens within 20 seconds.
    pub fn start(program: &Program) -> Result<Self> {
        let (command, folder) = program.command()?;
        let data = match program {
            Program::Product(_, Keeping::HistoryIn(path)) => Some(path.clone()),
            _ => folder.as_ref().map(|folder| folder.path().to_owned()),
        };
        let mut peer = Self::launch(command)?;
        (peer.data, peer.folder) = (data, folder);
        Ok(peer)
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
        Ok(Self { child, address, log, data: None, folder: None })
    }

    /// Ends it at once, as a crash would. What it kept in a directory of its own is there until that is let go of.
    pub fn kill(mut self) -> Option<DataFolder> {
        self.folder.take()
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    ///
    /// If it does not stop in order within 20 seconds.
    pub fn stop(mut self) -> Result<()> {
        let process = Pid::from_child(&self.child);
        kill_process(process, Signal::TERM).context("cannot ask the server to stop")?;
        let begin = Instant::now();
        while begin.elapsed() < STOP_AT_MOST {
            if let Some(status) = self.child.try_wait()? {
                ensure!(
                    status.success(),
                    "the server stopped with {status}; its last words:\n{}",
                    self.log.tail()
                );
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1));
        }
        anyhow::bail!("the server does not stop; its last words:\n{}", self.log.tail())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps what is said, if it does.
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
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
        assert!(Peer::start(&Program::Product("/nonexistent/roomful".into(), Keeping::Nothing)).is_err());
    }
}
