//! Terminals that are taken over and given back, in pseudo-terminals.
//!
//! What ends a whole process is tested with a process: this same test program, started once more, runs [`program`] in a terminal
//! of its own.

use super::super::escapes::{RESTORE_TITLE, SAVE_TITLE};
use super::super::event::Signal;
use super::super::{Scene, Suspension, Terminal, TerminalEvent};
use super::{Device, Mouse, Wishes};
use crate::keys::{Key, KeyPress};
use pty_process::Size;
use pty_process::blocking::{Command, Pty};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use rustix::process::{Pid, Signal as Asked, kill_process};
use rustix::termios::{LocalModes, Termios, tcgetattr};
use std::env;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

const GUARD: Duration = Duration::from_secs(30);
const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// Somebody who looks at a terminal.
struct Person {
    pty: Pty,
    painted: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// All that was sent there.
    seen: Vec<u8>,
}

impl Person {
    fn at(pty: Pty) -> Person {
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
        Person { pty, painted, screen: vt100::Parser::new(ROWS, COLUMNS, 0), seen: Vec::new() }
    }

    fn types(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    fn sees(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        while !wanted(self.screen.screen()) {
            match self.painted.recv_timeout(GUARD) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.seen.extend(bytes);
                }
                Err(error) => panic!("never saw {what} ({error}):\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn sees_text(&mut self, text: &str) {
        self.sees(text, |screen| screen.contents().contains(text));
    }

    /// The ordinary screen, as it was.
    fn sees_the_terminal_given_back(&mut self) {
        self.sees("the ordinary screen", |screen| !screen.alternate_screen());
        let screen = self.screen.screen();
        assert!(!screen.hide_cursor() && !screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}

fn settings(termios: &Termios) -> String {
    format!("{termios:?}")
}

/// A program in a terminal of its own.
struct Running {
    child: Child,
    person: Person,
    /// How the terminal was before the program had it.
    found: String,
}

impl Running {
    fn start() -> Running {
        Running::start_with(Command::new(env::current_exe().expect("this program")), [])
    }

    /// In a shell that knows jobs. It says that the job was stopped, and wakes it after one line.
    fn start_in_shell() -> Running {
        let script = "\"$0\" \"$@\"; echo it was stopped; read line; fg";
        let program = env::current_exe().expect("this program");
        let program = program.to_str().expect("a path of text");
        Running::start_with(Command::new("sh"), ["-m", "-c", script, program])
    }

    fn start_with<const N: usize>(command: Command, before: [&str; N]) -> Running {
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal");
        pty.resize(Size::new(ROWS, COLUMNS)).expect("its size");
        let found = settings(&tcgetattr(&pty).expect("its settings"));
        let child = command
            .args(before)
            .args(["--exact", "terminal::modes::tests::program", "--ignored", "--nocapture"])
            .env("TERM", "xterm")
            .spawn(pts)
            .expect("this program, once more");
        let mut running = Running { child, person: Person::at(pty), found };
        running.person.sees_text("ready");
        assert!(running.person.screen.screen().alternate_screen());
        running
    }

    fn ask(&self, signal: Asked) {
        kill_process(Pid::from_child(&self.child), signal).expect("the program is there");
    }

    /// Waits for its end; the terminal is as it was before.
    fn ended(mut self) -> (ExitStatus, String) {
        self.person.sees_the_terminal_given_back();
        let status = self.child.wait().expect("its end");
        assert_eq!(settings(&tcgetattr(&self.person.pty).expect("its settings")), self.found);
        while let Ok(bytes) = self.person.painted.recv_timeout(GUARD) {
            self.person.screen.process(&bytes);
        }
        (status, self.person.screen.screen().contents())
    }
}

/// What runs in those terminals: shows what comes, and does what keys say.
#[test]
#[ignore = "the other tests run it in a terminal of its own"]
fn program() {
    let (sender, events) = channel();
    let sink = move |event| sender.send(event).map_or(ControlFlow::Break(()), ControlFlow::Continue);
    let mut terminal =
        Terminal::enter(Wishes { mouse: Mouse::Ours, ..Wishes::default() }, sink).expect("a terminal");
    let mut shown = vec!["ready".to_owned()];
    loop {
        let Ok(size) = terminal.size() else { end(terminal) };
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.columns, size.rows));
        for (row, line) in (0..size.rows).zip(shown.iter().rev()) {
            buffer.set_stringn(0, row, line, size.columns.into(), Style::default());
        }
        if terminal.paint(buffer, Scene::default()).is_err() {
            end(terminal);
        }
        let event = events.recv().expect("an event");
        shown.push(format!("{event:?}"));
        match event {
            TerminalEvent::Key(KeyPress { key: Key::Character('p'), .. }) => {
                thread::spawn(|| panic!("the cat is on the keyboard"));
            }
            TerminalEvent::Key(KeyPress { key: Key::Character('z'), held }) if held.ctrl => {
                let outcome = terminal.suspend().expect("a terminal");
                let is_over = outcome == Suspension::Over;
                shown.push(if is_over { "woken".into() } else { "not stopped".to_owned() });
            }
            TerminalEvent::Signal(Signal::End) => {
                super::leave();
                // There may be nobody any more who could read it.
                let _ = writeln!(std::io::stdout(), "ended in order");
                end(terminal);
            }
            // Whoever loses its terminal is woken, too, to hear of it.
            TerminalEvent::Signal(Signal::Continued) if terminal.resume().is_err() => end(terminal),
            TerminalEvent::Gone => end(terminal),
            _ => {}
        }
    }
}

/// Ends the process here: the frame of tests around it would write to a terminal that is gone.
fn end(terminal: Terminal) -> ! {
    drop(terminal);
    std::process::exit(0);
}

#[test]
fn terminal_is_given_back_once_and_as_it_was() {
    let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal");
    let found = settings(&tcgetattr(&pty).expect("its settings"));
    let mut person = Person::at(pty);
    let device = Device::new(&pts, &pts).expect("both ends");
    let mut terminal =
        Terminal::enter_on(device, Wishes { mouse: Mouse::Ours, ..Wishes::default() }).expect("a terminal");
    person.sees("another screen", vt100::Screen::alternate_screen);
    person.sees("marks around pastes", vt100::Screen::bracketed_paste);
    let raw = tcgetattr(&person.pty).expect("its settings");
    assert!(!raw.local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
    terminal.resume().expect("it is ours already");
    super::leave();
    person.sees_the_terminal_given_back();
    assert_eq!(settings(&tcgetattr(&person.pty).expect("its settings")), found);
    super::leave();
    terminal.device.write(b"the shell").expect("a terminal");
    drop(terminal);
    person.sees_text("the shell");
    assert!(person.painted.try_recv().is_err(), "nothing is written twice");
    let seen = String::from_utf8_lossy(&person.seen).into_owned();
    assert_eq!([SAVE_TITLE, RESTORE_TITLE].map(|sequence| seen.matches(sequence).count()), [1, 1]);
}

#[test]
fn keys_pastes_answers_and_sizes_are_told() {
    let mut running = Running::start();
    for (sent, told) in [
        ("a", "Character('a')"),
        ("\x1b", "Escape"),
        ("\x1b[200~one\rtwo\x1b[201~", "Paste(\"one\\ntwo\")"),
        ("\x1b]11;rgb:ffff/ffff/ffff\x07", "Background(Light)"),
        ("\x1b[<64;1;1M", "WheelUp"),
        ("\x1a", "not stopped"),
    ] {
        running.person.types(sent);
        running.person.sees_text(told);
    }
    running.person.screen.screen_mut().set_size(10, 40);
    running.person.pty.resize(Size::new(10, 40)).expect("another size");
    running.person.sees_text("Resize(Size { columns: 40, rows: 10 })");
    running.ask(Asked::TERM);
    assert!(running.ended().1.contains("ended in order"));
}

#[test]
fn burst_of_lines_from_a_terminal_that_marks_no_pastes_is_one_paste() {
    let mut running = Running::start();
    running.person.types(&"some line of a text that is long enough\r".repeat(3));
    running.person.sees_text("Paste(\"some line of a text that is long enough\\nsome");
    running.ask(Asked::HUP);
    let (status, screen) = running.ended();
    assert!(status.success() && screen.contains("ended in order"), "{status}, {screen}");
}

#[test]
fn panic_in_any_thread_gives_the_terminal_back_before_it_is_told() {
    let mut running = Running::start();
    running.person.types("p");
    let (status, screen) = running.ended();
    assert_eq!(status.code(), Some(101));
    assert!(screen.contains("the cat is on the keyboard"), "{screen}");
}

#[test]
fn stopped_program_gives_the_terminal_back_and_takes_it_again() {
    let mut running = Running::start_in_shell();
    running.person.types("\x1a");
    running.person.sees_text("it was stopped");
    assert!(!running.person.screen.screen().alternate_screen());
    running.person.types("\n");
    running.person.sees_text("woken");
    assert!(running.person.screen.screen().alternate_screen());
    running.person.types("p");
    let (_, screen) = running.ended();
    assert!(screen.contains("the cat is on the keyboard"), "{screen}");
}

#[test]
fn program_ends_when_its_terminal_is_gone() {
    let Running { mut child, person, .. } = Running::start();
    // The thread that reads has the other descriptor, and ends with the program.
    let Person { pty, painted, .. } = person;
    drop(painted);
    drop(pty);
    kill_process(Pid::from_child(&child), Asked::WINCH).expect("the program is there");
    let status = child.wait().expect("its end");
    assert!(status.success(), "{status}");
}
