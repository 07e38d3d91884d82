//! The conversation of somebody at a terminal.
//!
//! Where it stands: does what [`Talk`] says, with the real terminal and the real socket.
//!
//! What this file must never do: decide what is shown, or wait for the server with anything but the wait for what happens next.

use super::incoming::PAUSE;
use super::inputs::{Input, Inputs, behind};
use super::outgoing::Outgoing;
use super::talk::{Talk, Wish};

use super::{CONNECTED, EndedBy, disconnected};
use crate::terminal::{KeyByKey, columns};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::time::Instant;

/// Talks until one of both ends it.
///
/// # Errors
/// If the terminal or the system does not let us begin.
pub(super) fn run(stream: &TcpStream) -> io::Result<EndedBy> {
    let mut screen = Screen::begin(stream)?;
    loop {
        if let Err(ended) = screen.step() {
            return Ok(screen.end(ended));
        }
    }
}

struct Screen {
    talk: Talk,
    inputs: Inputs,
    outgoing: Outgoing,
    /// When what is held is shown as it is.
    pause: Option<Instant>,
    terminal: KeyByKey,
}

impl Screen {
    fn begin(stream: &TcpStream) -> io::Result<Screen> {
        let inputs = Inputs::new();
        inputs.hear_signals(&[SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH])?;
        let terminal = KeyByKey::begin()?;
        inputs.read_server(stream.try_clone()?);
        inputs.read_typed();
        let outgoing = Outgoing::new(stream.try_clone()?, inputs.sender());
        let mut talk = Talk::new(columns());
        talk.say(CONNECTED);
        Ok(Screen { talk, inputs, outgoing, pause: None, terminal })
    }

    /// Shows what is new, and does what happens next; the error is the end.
    fn step(&mut self) -> Result<(), EndedBy> {
        let mut bytes = Vec::new();
        self.talk.show(&mut bytes);
        write_out(&bytes)?;
        if let Some(input) = self.inputs.next(self.pause) {
            return self.happened(input);
        }
        self.pause = None;
        self.talk.paused();
        Ok(())
    }

    fn end(mut self, ended: EndedBy) -> EndedBy {
        let mut bytes = Vec::new();
        self.talk.leave(&mut bytes);
        // The terminal may be gone.
        let _ = write_out(&bytes);
        drop(self.terminal);
        if matches!(ended, EndedBy::User) {
            self.outgoing.end();
        }
        ended
    }

    /// Does what is to be done; the error is the end.
    fn happened(&mut self, input: Input) -> Result<(), EndedBy> {
        match input {
            Input::Typed(chunk) => {
                let wishes = self.talk.typed(chunk.bytes());
                self.grant(wishes)
            }
            Input::TypedEnded => Err(EndedBy::User),
            Input::Received(chunk) => {
                self.talk.received(chunk.bytes());
                self.pause = self.talk.is_holding().then(|| behind(PAUSE));
                Ok(())
            }
            Input::ReceivedEnded(error) => {
                self.talk.disconnected(&disconnected(error));
                Err(EndedBy::Server)
            }
            // Whoever does not take what is sent closes, and that is heard.
            Input::SendingFailed => Ok(()),
            Input::Signal(signal) => self.signal(signal),
        }
    }

    fn grant(&mut self, wishes: Vec<Wish>) -> Result<(), EndedBy> {
        for wish in wishes {
            match wish {
                Wish::Send(line) => {
                    if !self.outgoing.send(&line) {
                        self.talk.say(&format!("not sent, as the server does not read: {line}"));
                    }
                }
                Wish::Suspend => self.suspend()?,
                Wish::End => return Err(EndedBy::User),
            }
        }
        Ok(())
    }

    fn suspend(&mut self) -> Result<(), EndedBy> {
        let mut bytes = Vec::new();
        self.talk.leave(&mut bytes);
        write_out(&bytes)?;
        self.terminal.suspend().map_err(|_| EndedBy::User)?;
        self.repair();
        Ok(())
    }

    fn signal(&mut self, signal: i32) -> Result<(), EndedBy> {
        match signal {
            SIGWINCH => self.talk.resize(columns()),
            SIGCONT => {
                self.terminal.resume().map_err(|_| EndedBy::User)?;
                self.repair();
            }
            _ => return Err(EndedBy::Signal(signal)),
        }
        Ok(())
    }

    /// Somebody else had the terminal.
    fn repair(&mut self) {
        self.talk.resize(columns());
        self.talk.redraw();
    }
}

/// A terminal that cannot be written to has hung up.
fn write_out(bytes: &[u8]) -> Result<(), EndedBy> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|_| EndedBy::User)
}
