//! `roomful join --raw HOST PORT`: a person, or a pipe, at any line server at all.
//!
//! Where it stands: beside the client proper, with which it shares the editor of lines, the way in which the
//! terminal is taken over, and how names are looked up. It speaks no protocol: a line
//! that is typed is sent with LF, and what arrives is shown a line at a time. So it speaks to our `tagged` and `bare` styles and
//! to the servers of the exercise that this project grew from, in the words of that exercise's client.
//!
//! ```text
//! keys ────▶ editor ────▶ outgoing ──▶ socket
//!              │ ▲
//! screen ◀─────┘ └─────── incoming ◀── socket
//! ```
//!
//! Each of what can happen is read by a thread of its own (`inputs`) and done by the one that began (`screen`, `pipe`), which waits
//! for the next: nothing is ever looked at in turns.
//!
//! What this module must never do: let a control character of the server's through, hold more than a bound of what arrives or is
//! to be sent, or leave a terminal otherwise than it was.

// In the order in which a conversation meets them.
mod connecting;

mod inputs;

mod incoming;
mod outgoing;

mod screen;
mod talk;

mod pipe;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

const CONNECTED: &str = "Connected to remote host. Start sending messages";
const DISCONNECTED: &str = "Disconnected from chat server";
const UNABLE_TO_CONNECT: &str = "Unable to connect";

/// Who ended a conversation.
enum EndedBy {
    /// Whoever sits here, or the pipe.
    User,
    /// The server, or whatever lies between.
    Server,
    /// A signal of this number.
    Signal(i32),
}

impl From<EndedBy> for ExitCode {
    fn from(ended: EndedBy) -> ExitCode {
        match ended {
            EndedBy::User => ExitCode::SUCCESS,
            EndedBy::Server => ExitCode::FAILURE,
            // What a shell says of a program that a signal ended.
            EndedBy::Signal(signal) => u8::try_from(128 + signal).map_or(ExitCode::FAILURE, ExitCode::from),
        }
    }
}

/// Connects, and talks until one of both ends it.
///
/// On a terminal lines are edited below what arrives; else lines come in and lines go out, and what the program itself has to say
/// stands on standard error. The exit status is 0 if it ended at this end, 1 if the server ended it or was not reached, and 128
/// and its number if a signal did.
pub fn run(host: &str, port: u16) -> ExitCode {
    let stream = match connecting::connect(host, port) {
        Ok(stream) => stream,
        Err(problem) => {
            say(&format!("{UNABLE_TO_CONNECT}: {problem}"));
            return ExitCode::FAILURE;
        }
    };
    let ended = if is_on_a_screen() { screen::run(&stream) } else { pipe::run(&stream) };
    match ended {
        Ok(ended) => ended.into(),
        Err(error) => {
            say(&format!("roomful: the terminal cannot be used: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether there is somebody whose line can be edited.
fn is_on_a_screen() -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

/// Says a line of the program's own where what arrives does not stand.
fn say(line: &str) {
    // Nobody may be reading; the exit status says it, too.
    let _ = writeln!(io::stderr(), "{line}");
}

/// The words for the end of the connection, with the reason if there is one.
fn disconnected(reason: Option<io::Error>) -> String {
    reason.map_or(DISCONNECTED.to_owned(), |error| format!("{DISCONNECTED}: {error}"))
}
