//! The lines that were typed before.
//!
//! Where it stands: beside the line being edited; the keys up and down exchange them. A text of many lines is one line here.
//!
//! What this file must never do: grow beyond its bounds, or lose the line that was being typed when somebody looked back.

use super::clusters::Clusters;
use std::collections::VecDeque;

/// So many lines are remembered, unless told otherwise.
pub const HISTORY_LINES_MAX: usize = 50;
/// So many bytes they have in all, unless told otherwise.
pub const HISTORY_BYTES_MAX: usize = 16 * 1024;

/// The lines that were typed before, and where in them somebody is.
#[derive(Clone, Debug)]
pub struct History {
    lines_max: usize,
    bytes_max: usize,
    /// The oldest first.
    lines: VecDeque<Clusters>,
    bytes: usize,
    /// How many lines somebody has gone back.
    back: usize,
    /// The line that was being typed when somebody began to go back.
    draft: Clusters,
}

impl Default for History {
    fn default() -> History {
        History::holding(HISTORY_LINES_MAX, HISTORY_BYTES_MAX)
    }
}

impl History {
    /// Remembers at most so many lines, which have at most so many bytes in all.
    pub fn holding(lines_max: usize, bytes_max: usize) -> History {
        History {
            lines_max,
            bytes_max,
            lines: VecDeque::new(),
            bytes: 0,
            back: 0,
            draft: Clusters::default(),
        }
    }

    /// Remembers a line, unless it is empty or the last one again, and comes back to the present.
    pub fn add(&mut self, line: &Clusters) {
        self.come_back();
        if line.text().is_empty() || self.lines.back() == Some(line) {
            return;
        }
        self.bytes += line.text().len();
        self.lines.push_back(line.clone());
        while self.lines.len() > self.lines_max || self.bytes > self.bytes_max {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text().len();
        }
    }

    /// Comes back to the present, without the line that was being typed.
    pub fn come_back(&mut self) {
        self.back = 0;
        self.draft = Clusters::default();
    }

    /// The line before the one shown, which is `current`; `None` if there is none.
    pub fn older(&mut self, current: &Clusters) -> Option<Clusters> {
        let index = self.lines.len().checked_sub(self.back + 1)?;
        if self.back == 0 {
            self.draft = current.clone();
        }
        self.back += 1;
        Some(self.lines[index].clone())
    }

    /// The line behind the one shown: in the end the one that was being typed.
    pub fn newer(&mut self) -> Option<Clusters> {
        self.back = self.back.checked_sub(1)?;
        if self.back == 0 {
            return Some(std::mem::take(&mut self.draft));
        }
        Some(self.lines[self.lines.len() - self.back].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Clusters {
        Clusters::new(text, HISTORY_BYTES_MAX)
    }

    #[test]
    fn draft_is_there_when_one_comes_back() {
        let mut history = History::default();
        history.add(&line("one"));
        history.add(&line("two"));
        assert_eq!(history.older(&line("draft")), Some(line("two")));
        assert_eq!(history.older(&line("two")), Some(line("one")));
        assert_eq!(history.older(&line("one")), None);
        assert_eq!(history.newer(), Some(line("two")));
        assert_eq!(history.newer(), Some(line("draft")));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn line_repeated_is_remembered_once_and_an_empty_one_never() {
        let mut history = History::default();
        for text in ["one", "one", "", "one"] {
            history.add(&line(text));
        }
        assert_eq!(history.lines.len(), 1);
    }

    #[test]
    fn oldest_goes_when_there_are_too_many() {
        let mut history = History::default();
        for number in 0..2 * HISTORY_LINES_MAX {
            history.add(&line(&number.to_string()));
        }
        assert_eq!((history.lines.len(), &history.lines[0]), (HISTORY_LINES_MAX, &line("50")));
        history.add(&line(&"x".repeat(HISTORY_BYTES_MAX)));
        assert_eq!((history.lines.len(), history.bytes), (1, HISTORY_BYTES_MAX));
    }
}
