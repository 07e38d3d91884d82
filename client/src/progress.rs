//! How far it is: one row on a terminal, if it takes long.
//!
//! Where it stands: beside work that may take minutes, here and in the operator's verbs. Standard error alone is written to:
//! standard output may be the result.
//!
//! What this file must never do: write anything where nobody watches.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// What is over by then needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// More often nobody can read it.
const INTERVAL: Duration = Duration::from_millis(200);
/// The cursor to the beginning of the row, and the row emptied (ECMA-48 §8.3.41).
const EMPTY_ROW: &str = "\r\x1b[K";

/// How far some work is. Dropped without [`Progress::end`] it leaves its row where it is.
pub struct Progress {
    what: &'static str,
    /// When it is written next; never, if nobody watches.
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    /// Of what it will be told how much is done.
    pub fn new(what: &'static str) -> Progress {
        let next = io::stderr().is_terminal().then(|| Instant::now() + PATIENCE);
        Progress { what, next, is_shown: false }
    }

    /// So much of all.
    pub fn show_part(&mut self, done: u64, all: u64) {
        let percent = done * 100 / all.max(1);
        self.show(&format!("{percent} %"));
    }

    /// So many, of nobody knows how many.
    pub fn show_count(&mut self, count: u64) {
        self.show(&count.to_string());
    }

    fn show(&mut self, far: &str) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + INTERVAL);
        self.is_shown = true;
        // It is only told to whoever happens to look.
        let _ = write!(io::stderr(), "{EMPTY_ROW}{far} {}", self.what);
    }

    /// Takes the row away.
    pub fn end(self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "{EMPTY_ROW}");
        }
    }
}
