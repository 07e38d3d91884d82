//! The conversation of a pipe: lines in, lines out.
//!
//! Where it stands: in the place of the screen where there is none. What comes in is sent as it is; what arrives goes out line by
//! line, as clean as on a screen. The program's own words stand on standard error.
//!
//! What this file must never do: end while the server still answers to what was sent, or wait for ever for one that does not.

use super::incoming::{Incoming, PAUSE};
use super::inputs::{Input, Inputs, behind};
use super::{CONNECTED, EndedBy, disconnected, say};
use std::io::{self, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

/// Once all has been sent, the conversation is over when so long nothing has come.
const SILENCE: Duration = Duration::from_secs(1);

/// Passes on what comes, both ways, until one of both ends.
///
/// # Errors
/// If the system does not let us begin.
pub(super) fn run(stream: &TcpStream) -> io::Result<EndedBy> {
    let inputs = Inputs::new();
    say(CONNECTED);
    inputs.read_server(stream.try_clone()?);
    pass_on(stream.try_clone()?, inputs.sender());
    let mut pipe =
        Pipe { incoming: Incoming::default(), sending: Sending::GoesOn, pause: None, silence: None };
    loop {
        let outcome = match inputs.next(pipe.deadline()) {
            Some(input) => pipe.happened(input),
            None => pipe.waited(),
        };
        if let Err(ended) = outcome {
            return Ok(ended);
        }
    }
}

/// Sends what comes in, in a thread of its own: a server may wait to be read before it reads on.
fn pass_on(mut stream: TcpStream, inputs: Sender<Input>) {
    thread::spawn(move || {
        let input = match io::copy(&mut io::stdin(), &mut stream) {
            Ok(_) => Input::TypedEnded,
            Err(_) => Input::SendingFailed,
        };
        // Told first: a server that hears the end may close at once, and that was not its doing. The loop may have ended, and
        // the connection be closed.
        let _ = inputs.send(input);
        let _ = stream.shutdown(Shutdown::Write);
    });
}

/// What has become of what is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    GoesOn,
    /// All of it was sent.
    Ended,
    /// The server takes nothing any more.
    Failed,
}

struct Pipe {
    incoming: Incoming,
    sending: Sending,
    /// When what is held is passed on as it is.
    pause: Option<Instant>,
    /// When it has been silent for long enough.
    silence: Option<Instant>,
}

impl Pipe {
    fn deadline(&self) -> Option<Instant> {
        self.pause.into_iter().chain(self.silence).min()
    }

    /// Does what is to be done; the error is the end.
    fn happened(&mut self, input: Input) -> Result<(), EndedBy> {
        match input {
            Input::TypedEnded => {
                self.sent(Sending::Ended);
                Ok(())
            }
            Input::SendingFailed => {
                self.sent(Sending::Failed);
                Ok(())
            }
            Input::Received(chunk) => self.received(chunk.bytes()),
            Input::ReceivedEnded(error) => self.disconnected(error),
            // Nobody listens for signals here, and what comes in is not looked at.
            Input::Typed(_) | Input::Signal(_) => Ok(()),
        }
    }

    fn sent(&mut self, sending: Sending) {
        self.sending = sending;
        self.silence = Some(behind(SILENCE));
    }

    fn received(&mut self, bytes: &[u8]) -> Result<(), EndedBy> {
        let mut lines = Vec::new();
        self.incoming.add(bytes, &mut lines);
        self.pause = self.incoming.is_holding().then(|| behind(PAUSE));
        self.silence = self.silence.map(|_| behind(SILENCE));
        write_out(&lines)
    }

    fn waited(&mut self) -> Result<(), EndedBy> {
        let now = Instant::now();
        if self.pause.is_some_and(|pause| pause <= now) {
            self.pause = None;
            let mut lines = Vec::new();
            self.incoming.pause(&mut lines);
            write_out(&lines)?;
        }
        if self.silence.is_some_and(|silence| silence <= now) {
            return Err(self.ended());
        }
        Ok(())
    }

    fn disconnected(&mut self, error: Option<io::Error>) -> Result<(), EndedBy> {
        let mut lines = Vec::new();
        self.incoming.end(&mut lines);
        write_out(&lines)?;
        let ended = self.ended();
        if matches!(ended, EndedBy::Server) {
            say(&disconnected(error));
        }
        Err(ended)
    }

    /// Who has ended it: whoever has sent everything need not mind when the server closes.
    fn ended(&self) -> EndedBy {
        match self.sending {
            Sending::Ended => EndedBy::User,
            Sending::GoesOn | Sending::Failed => EndedBy::Server,
        }
    }
}

/// Whoever reads no more has seen enough.
fn write_out(lines: &[String]) -> Result<(), EndedBy> {
    let mut stdout = io::stdout().lock();
    let mut write = || {
        for line in lines {
            writeln!(stdout, "{line}")?;
        }
        stdout.flush()
    };
    write().map_err(|_: io::Error| EndedBy::User)
}
