//! Somebody at a terminal: another program in a pseudo-terminal, and the screen that it paints, as a person sees it.

use super::{GUARD, Server, Tool, roomful};
use pty_process::blocking::{Command, Pty};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::tcgetattr;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

/// A program in a pseudo-terminal. At its end it is killed.
pub(crate) struct Terminal {
    child: Child,
    /// None when the window is closed.
    pty: Option<Pty>,
    /// While this is open, a thread reads what is painted.
    reading: Option<UnixStream>,
    painted: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that was painted, as it came.
    bytes: Vec<u8>,
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
        Terminal::roomful_in(&[], arguments, columns, rows)
    }

    /// Ours, with these in its environment.
    pub(crate) fn roomful_in(
        environment: &[(&str, &str)],
        arguments: &[&str],
        columns: u16,
        rows: u16,
    ) -> Terminal {
        // Without what the environment would tell it.
        let ours = roomful(arguments);
        let mut command = Command::new(ours.get_program()).args(arguments).env("TERM", "xterm");
        for (name, _) in ours.get_envs().filter(|(_, value)| value.is_none()) {
            command = command.env_remove(name);
        }
        for (name, value) in environment {
            command = command.env(name, value);
        }
        Terminal::start(command, columns, rows)
    }

    /// A shell as people have it, in which ours is called `roomful`. Its prompt is `$ `.
    pub(crate) fn bash(columns: u16, rows: u16) -> Terminal {
        Terminal::bash_in(&[], columns, rows)
    }

    /// The same, with these in its environment.
    pub(crate) fn bash_in(environment: &[(&str, &str)], columns: u16, rows: u16) -> Terminal {
        let command = Command::new(Tool::BASH.program()).args(["--norc", "--noprofile", "--noediting", "-i"]);
        Terminal::shell_in(environment, command.env("PS1", "$ "), columns, rows)
    }

    /// A shell that does this and nothing else, as `ssh -t` starts it: it leads the session, and knows no jobs. Ours is called
    /// `roomful` in it.
    pub(crate) fn script_in(environment: &[(&str, &str)], script: &str, columns: u16, rows: u16) -> Terminal {
        Terminal::shell_in(environment, Command::new("sh").args(["-c", script]), columns, rows)
    }

    fn shell_in(environment: &[(&str, &str)], shell: Command, columns: u16, rows: u16) -> Terminal {
        let ours = roomful(&[]);
        let directory = std::path::Path::new(ours.get_program()).parent().map(OsStr::new).unwrap_or_default();
        let mut path = directory.to_owned();
        path.push(":/usr/bin:/bin");
        let mut shell = shell.env("TERM", "xterm").env("PATH", path).env("LC_ALL", "C.UTF-8");
        for (name, value) in environment {
            shell = shell.env(name, value);
        }
        Terminal::start(shell, columns, rows)
    }

    fn start(command: Command, columns: u16, rows: u16) -> Terminal {
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal");
        pty.resize(pty_process::Size::new(rows, columns)).expect("its size");
        let settings = settings(&pty);
        let child = command.spawn(pts).expect("the program starts");
        let output = File::from(pty.as_fd().try_clone_to_owned().expect("a descriptor"));
        let (sender, painted) = channel();
        let (reading, is_over) = UnixStream::pair().expect("a pair of sockets");
        thread::spawn(move || read(output, &is_over, &sender));
        let screen = vt100::Parser::new(rows, columns, 0);
        Terminal {
            child,
            pty: Some(pty),
            reading: Some(reading),
            painted,
            screen,
            bytes: Vec::new(),
            settings,
        }
    }

    fn paints(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.screen.process(bytes);
    }

    /// Everything that was painted so far, as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The modes that the program has asked for.
    pub(crate) fn modes(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Somebody closes the window. Answers with how the program ends; what it paints by then nobody sees.
    pub(crate) fn closes(&mut self) -> ExitStatus {
        self.reading = None;
        // Both ends of ours are closed when the thread has let go of its own.
        while self.painted.recv().is_ok() {}
        self.pty = None;
        self.child.wait().expect("the process can be waited for")
    }

    fn pty(&self) -> &Pty {
        self.pty.as_ref().expect("the window is open")
    }

    /// Whether the terminal is set as it was before the program began.
    pub(crate) fn is_as_before(&self) -> bool {
        settings(self.pty()) == self.settings
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the signal is sent");
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + GUARD;
        loop {
            match self.painted.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.paints(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on; the screen:\n{}", self.screen()),
            }
        }
        self.child.wait().expect("the process can be waited for")
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.types_bytes(keys.as_bytes());
    }

    /// The same with bytes that may be half a character.
    pub(crate) fn types_bytes(&mut self, keys: &[u8]) {
        let pty = self.pty.as_mut().expect("the window is open");
        pty.write_all(keys).expect("the terminal takes keys");
    }

    /// The window gets another size; the program is told.
    pub(crate) fn resizes(&mut self, columns: u16, rows: u16) {
        self.screen.screen_mut().set_size(rows, columns);
        self.pty().resize(pty_process::Size::new(rows, columns)).expect("its size");
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
                Ok(bytes) => self.paints(&bytes),
                Err(error) => {
                    let (screen, cursor) = (self.screen(), self.cursor());
                    panic!("never saw {what} ({error}); cursor: {cursor:?}, the screen:\n{screen}")
                }
            }
        }
    }

    /// Waits until this stands somewhere on the screen.
    pub(crate) fn shows_text(&mut self, text: &str) {
        self.shows(text, |terminal| terminal.screen().contains(text));
    }

    /// Waits until this does not stand on the screen any more.
    pub(crate) fn hides_text(&mut self, text: &str) {
        self.shows(&format!("no {text:?}"), |terminal| !terminal.screen().contains(text));
    }

    /// Waits until the screen is as is wanted; whatever is painted until then, the cursor stands in this row, so many columns from
    /// the left.
    pub(crate) fn shows_while_it_edits(
        &mut self,
        what: &str,
        (row, column): (&str, u16),
        wanted: impl Fn(&Terminal) -> bool,
    ) {
        let has_strayed = |terminal: &Terminal| {
            let is_seen = !terminal.modes().hide_cursor();
            is_seen && terminal.cursor() != (row.to_owned(), column)
        };
        self.shows(what, |terminal| {
            assert!(!has_strayed(terminal), "{:?}:\n{}", terminal.cursor(), terminal.screen());
            wanted(terminal)
        });
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

/// Reads until the program has ended, or nobody wants more.
fn read(mut output: File, is_over: &UnixStream, sender: &Sender<Vec<u8>>) {
    let mut bytes = [0; 4096];
    loop {
        let mut descriptors =
            [PollFd::new(&output, PollFlags::IN), PollFd::from_borrowed_fd(is_over.as_fd(), PollFlags::IN)];
        poll(&mut descriptors, None).expect("descriptors can be waited for");
        if !descriptors[1].revents().is_empty() {
            return;
        }
        // At the end of the program the pseudo-terminal gives an error.
        let Ok(count @ 1..) = output.read(&mut bytes) else { return };
        if sender.send(bytes[..count].to_vec()).is_err() {
            return;
        }
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
