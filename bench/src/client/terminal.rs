//! The client in a pseudo-terminal, and the screen that it paints.
//!
//! A thread reads what is painted as soon as it comes, as a terminal does, and takes note of when; the screen is made of it only
//! when somebody looks, so that looking delays nothing. It must never be left behind.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::SocketAddr,
    os::fd::AsFd,
    path::Path,
    process::Child,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use pty_process::{
    Size,
    blocking::{Command, Pty},
};

use crate::data::DataFolder;

/// How wide it is: rooms and members are shown beside what is said.
pub const COLUMNS: u16 = 120;
/// How high it is.
pub const ROWS: u16 = 40;
/// What is on the screen as soon as one is in the room, and not before: how many are here.
pub const ROOM: &str = " here";
/// How long something that has to be painted may take.
const PAINTED_AT_MOST: Duration = Duration::from_secs(20);
/// More than a client writes at once, so that most frames are one piece.
const READ_BYTES: usize = 64 * 1024;

/// A client at work.
pub struct Terminal {
    child: Child,
    pty: Pty,
    painted: Receiver<Piece>,
    screen: vt100::Parser,
    begun: Instant,
    last: Instant,
    /// Removed when the client has ended.
    _home: DataFolder,
}

struct Piece {
    at: Instant,
    bytes: Vec<u8>,
}

impl Terminal {
    /// Starts the client, in a home of its own with these settings, and has it join the lobby.
    ///
    /// # Errors
    ///
    /// If there is no pseudo-terminal or the client cannot be started.
    pub fn join(roomful: &Path, server: SocketAddr, nick: &str, settings: &str) -> Result<Self> {
        let home = DataFolder::create()?;
        let file = home.path().join("client.toml");
        fs::write(&file, settings).with_context(|| format!("cannot write {}", file.display()))?;
        let (pty, pts) = pty_process::blocking::open().context("cannot open a pseudo-terminal")?;
        pty.resize(Size::new(ROWS, COLUMNS)).context("cannot size a pseudo-terminal")?;
        let mut output = File::from(pty.as_fd().try_clone_to_owned()?);
        let (sender, painted) = channel();
        let command = Command::new(roomful)
            .args(["join", &format!("{nick}@{server}/lobby")])
            .env_clear()
            .envs([("TERM", "xterm-256color"), ("LANG", "C.UTF-8")])
            .env("HOME", home.path())
            .env("ROOMFUL_CLIENT_CONFIG", &file);
        let begun = Instant::now();
        let child = command.spawn(pts).with_context(|| format!("cannot start {}", roomful.display()))?;
        thread::spawn(move || {
            let mut bytes = vec![0; READ_BYTES];
            // At the end of the program the pseudo-terminal gives an error.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let piece = Piece { at: Instant::now(), bytes: bytes[..count].to_vec() };
                if sender.send(piece).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(ROWS, COLUMNS, 0);
        Ok(Self { child, pty, painted, screen, begun, last: begun, _home: home })
    }

    /// When the process was started.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Types, and says when.
    ///
    /// # Errors
    ///
    /// If the client is gone.
    pub fn types(&mut self, keys: &str) -> Result<Instant> {
        let at = Instant::now();
        self.pty.write_all(keys.as_bytes()).context("the client takes no keys")?;
        Ok(at)
    }

    /// Waits until the screen is as is wanted, and says since when it is.
    ///
    /// # Errors
    ///
    /// If it never is, or the client ends.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> Result<Instant> {
        let deadline = Instant::now() + PAINTED_AT_MOST;
        while !wanted(&self.screen.screen().contents()) {
            if let Err(problem) = self.take_in(deadline) {
                bail!("never saw {what} ({problem}); the screen:\n{}", self.screen.screen().contents());
            }
        }
        Ok(self.last)
    }

    /// Whether the screen is so now, as far as it was looked at.
    pub fn shows(&self, wanted: impl Fn(&str) -> bool) -> bool {
        wanted(&self.screen.screen().contents())
    }

    /// When the last piece was painted that was looked at.
    pub fn last_painted(&self) -> Instant {
        self.last
    }

    /// Waits until then, and shows `watcher` the screen after each piece that is painted, and when that was.
    ///
    /// # Errors
    ///
    /// If the client ends.
    pub fn watch(&mut self, until: Instant, mut watcher: impl FnMut(Instant, &str)) -> Result<Painted> {
        let mut painted = Painted::default();
        loop {
            match self.take_in(until) {
                Ok(bytes) => {
                    painted.pieces += 1;
                    painted.bytes += bytes as u64;
                    watcher(self.last, &self.screen.screen().contents());
                }
                Err(RecvTimeoutError::Timeout) => return Ok(painted),
                Err(RecvTimeoutError::Disconnected) => bail!("the client has ended"),
            }
        }
    }

    /// Takes in one piece. Answers with how many bytes it has.
    fn take_in(&mut self, until: Instant) -> Result<usize, RecvTimeoutError> {
        let piece = self.painted.recv_timeout(until.saturating_duration_since(Instant::now()))?;
        self.screen.process(&piece.bytes);
        self.last = piece.at;
        Ok(piece.bytes.len())
    }
}

/// What came to a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Painted {
    /// How often it was written to, near enough.
    pub pieces: u64,
    /// How much that was.
    pub bytes: u64,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
