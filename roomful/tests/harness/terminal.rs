//! Somebody at a terminal: another program in a pseudo-terminal, and the screen that it paints, as a person sees it.

use super::{GUARD, Server, Tool, roomful};
use pty_process::blocking::{Command, Pty};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::tcgetattr;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

/// A program in a pseudo-terminal. At its end it is killed.
pub(crate) struct Terminal {
    child: Child,
    pty: Pty,
    painted: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// What the terminal was set to before the program began.
    settings: String,
}

impl Terminal {
    /// `telnet HOST PORT`, with a minus sign before the port: that is how it speaks telnet on any port but 23.
    pub(crate) fn telnet(server: &Server, columns: u16, rows: u16) -> Terminal {
        let address = server.address();
        let command = Command::new(Tool::TELNET.program()).env("TERM", "xterm");
        Terminal::start(
            command.args(["--".to_owned(), address.ip().to_string(), format!("-{}", address.port())]),
            columns,
            rows,
        )
    }

    /// Ours.
    pub(crate) fn roomful(arguments: &[&str], columns: u16, rows: u16) -> Terminal {
        // Without what the environment would tell it.
        let ours = roomful(arguments);
        let mut command = Command::new(ours.get_program()).args(arguments).env("TERM", "xterm");
        for (name, _) in ours.get_envs().filter(|(_, value)| value.is_none()) {
            command = command.env_remove(name);
        }
        Terminal::start(command, columns, rows)
    }

    /// A shell as people have it, in which ours is called `roomful`. Its prompt is `$ `.
    pub(crate) fn bash(columns: u16, rows: u16) -> Terminal {
        let ours = roomful(&[]);
        let directory = std::path::Path::new(ours.get_program()).parent().map(OsStr::new).unwrap_or_default();
        let mut path = directory.to_owned();
        path.push(":/usr/bin:/bin");
        let command = Command::new(Tool::BASH.program()).args(["--norc", "--noprofile", "--noediting", "-i"]);
        let command =
            command.env("TERM", "xterm").env("PS1", "$ ").env("PATH", path).env("LC_ALL", "C.UTF-8");
        Terminal::start(command, columns, rows)
    }

    fn start(command: Command, columns: u16, rows: u16) -> Terminal {
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal");
        pty.resize(pty_process::Size::new(rows, columns)).expect("its size");
        let settings = settings(&pty);
        let child = command.spawn(pts).expect("the program starts");
        let mut output = File::from(pty.as_fd().try_clone_to_owned().expect("a descriptor"));
        let (sender, painted) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // At the end of the program the pseudo-terminal gives an error.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, pty, painted, screen: vt100::Parser::new(rows, columns, 0), settings }
    }

    /// Whether the terminal is set as it was before the program began.
    pub(crate) fn is_as_before(&self) -> bool {
        settings(&self.pty) == self.settings
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the signal is sent");
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + GUARD;
        loop {
            match self.painted.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on; the screen:\n{}", self.screen()),
            }
        }
        self.child.wait().expect("the process can be waited for")
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// The window gets another size; the program is told.
    pub(crate) fn resizes(&mut self, columns: u16, rows: u16) {
        self.screen.screen_mut().set_size(rows, columns);
        self.pty.resize(pty_process::Size::new(rows, columns)).expect("its size");
    }

    /// What stands on the screen, without blanks at the ends of rows and empty rows at the end.
    pub(crate) fn screen(&self) -> String {
        let columns = self.screen.screen().size().1;
        let rows: Vec<String> =
            self.screen.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// The row in which the cursor stands, and the column.
    pub(crate) fn cursor(&self) -> (String, u16) {
        let (row, column) = self.screen.screen().cursor_position();
        let columns = self.screen.screen().size().1;
        let text = self.screen.screen().rows(0, columns).nth(usize::from(row));
        (text.unwrap_or_default().trim_end().to_owned(), column)
    }

    /// Waits until the screen is as is wanted.
    pub(crate) fn shows(&mut self, what: &str, wanted: impl Fn(&Terminal) -> bool) {
        let deadline = Instant::now() + GUARD;
        while !wanted(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.painted.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => {
                    let (screen, cursor) = (self.screen(), self.cursor());
                    panic!("never saw {what} ({error}); cursor: {cursor:?}, the screen:\n{screen}")
                }
            }
        }
    }

    /// Waits until a row begins with this.
    pub(crate) fn shows_row(&mut self, beginning: &str) {
        self.shows(beginning, |terminal| terminal.screen().lines().any(|row| row.starts_with(beginning)));
    }

    /// Waits until the cursor stands in this row, so many columns from the left.
    pub(crate) fn edits(&mut self, row: &str, column: u16) {
        self.shows(row, |terminal| terminal.cursor() == (row.to_owned(), column));
    }
}

fn settings(pty: &Pty) -> String {
    format!("{:?}", tcgetattr(pty).expect("a terminal"))
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
