//! Chat for scripts: verbs that do one thing, read and write lines, and end with a status that says how it went.
//!
//! Where it stands: in front of the session; the command line calls [`say`], [`tail`] and so on. Data goes to standard output,
//! everything else to standard error.
//!
//! What this module must never do: print anything that a terminal must not be sent, hold more in memory the more there is to say
//! or to read, or complain because nobody reads what it prints.

mod feeding;
pub(crate) mod input;
mod printed;
mod saying;
mod visit;

mod bot;
mod rooms;
mod say;
mod search;
mod tail;
mod who;

pub use bot::{BotWanted, bot};
pub use printed::Form;
pub use rooms::rooms;
pub use say::{SayWanted, Source, Waiting, say};
pub use search::{SearchWanted, search};
pub use tail::{Beginning, Ending, TailWanted, tail};
pub use who::who;

use crate::link::End;
use std::fmt;
use std::io;

/// All is well.
const DONE: u8 = 0;
/// It is not: not everything was said, or nothing was found.
pub const FAILED: u8 = 1;
/// What is added to the number of a signal, as shells do.
const BY_SIGNAL: i32 = 128;

/// Why a script could not do what it was to do.
#[derive(Debug)]
pub enum Problem {
    /// There is no connection and will be none.
    Ended {
        /// To where.
        server: String,
        /// Why.
        end: End,
    },
    /// The server does not let us do that; what it says.
    Refused(String),
    /// A signal ended it.
    Signal(i32),
    /// Nobody reads what it prints: whoever stops reading, as `head` does, has what they want.
    NobodyReads,
    /// The system does not let us do that.
    Io {
        /// What.
        what: &'static str,
        /// Why.
        error: io::Error,
    },
}

impl Problem {
    /// With which status the process ends.
    pub fn status(&self) -> u8 {
        match self {
            Problem::Signal(number) => u8::try_from(BY_SIGNAL + number).unwrap_or(FAILED),
            Problem::NobodyReads => DONE,
            Problem::Ended { .. } | Problem::Refused(_) | Problem::Io { .. } => FAILED,
        }
    }

    /// Whether it is worth a word: who sent a signal, or stopped reading, knows.
    pub fn is_quiet(&self) -> bool {
        matches!(self, Problem::Signal(_) | Problem::NobodyReads)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Ended { server, end } => write!(formatter, "{server}: {end}"),
            Problem::Refused(text) => formatter.write_str(text),
            Problem::Signal(number) => write!(formatter, "ended by signal {number}"),
            Problem::NobodyReads => write!(formatter, "nobody reads"),
            Problem::Io { what, error } => write!(formatter, "{what}: {error}"),
        }
    }
}

impl std::error::Error for Problem {}

/// Tells whoever started it something that is no data.
pub(crate) fn remark(text: &str) {
    use io::Write as _;
    // Nobody may be reading; the exit status says it, too.
    let _ = writeln!(io::stderr(), "roomful: {text}");
}
