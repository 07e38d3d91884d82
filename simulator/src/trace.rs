//! The last steps of a world, for whoever wants to know how it came to this.
//!
//! What this file must never do: cost anything while nobody wants to know.

use std::collections::VecDeque;

/// What is remembered.
#[derive(Debug)]
pub(crate) struct Trace {
    lines: VecDeque<String>,
    lines_max: usize,
}

/// A line of a trace shows so many characters.
const CHARS_MAX: usize = 200;

impl Trace {
    /// Remembers the first line and the last `lines_max`; none at all if that is 0.
    pub(crate) fn new(lines_max: usize) -> Trace {
        Trace { lines: VecDeque::new(), lines_max }
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if self.lines_max == 0 {
            return;
        }
        if self.lines.len() > self.lines_max {
            self.lines.remove(1);
        }
        let line = line();
        self.lines.push_back(line.chars().take(CHARS_MAX).collect());
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
