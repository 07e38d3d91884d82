//! The line editor: for a telnet that leaves echo and editing to the server, and for a client of any line server.
//!
//! Where it stands: a filter beside the session, or between a client's terminal and its socket. What a person presses comes in,
//! finished lines go out to the session; what is written to that person passes through here, so that it appears above the
//! line being typed, which stays as it was. What a key does to the line is in [`crate::editing`].
//!
//! ```text
//! bytes typed ─ keys ─ line (history, completion) ─ row ─ screen ─ bytes shown
//!                                     lines above ────────┘
//! ```
//!
//! All that is typed is counted in grapheme clusters (UAX #29) and columns, never in bytes or code points. The line is
//! shown on one row of the terminal that never wraps; a longer line is seen through a window.
//!
//! What this module must never do: I/O, grow without a bound, send a control sequence but those of `screen`, let text
//! written above look like something that stands at the beginning of a line, or do more work for a key than a copy of the
//! line takes.

mod keys;

mod completion;

mod above;
mod row;
mod screen;

#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
#[cfg(any(test, feature = "fuzzing"))]
#[cfg_attr(not(test), expect(dead_code, reason = "the tests look at more of it"))]
mod terminal;
#[cfg(test)]
mod tests;

pub use completion::{Completed, Completion, CompletionKind};

use super::commands::{self, Typed};
use crate::editing::{Clusters, Effect, History, Line, Motion};
use above::Above;
use hub::is_showable;
use keys::{Key, Keys};
use row::Row;
use screen::Screen;

/// Lines that stay on the screen and were finished since the row was last shown are kept up to so many bytes; what is more is
/// not shown. Its answers are.
const FINISHED_BYTES_MAX: usize = 20 * 1024;

const BELL: u8 = 0x07;

/// What stands before a line that is typed to a session of ours.
const PROMPT: &str = "> ";

/// Whom finished lines go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counterpart {
    /// A session of ours: it shows everybody what was said, also who said it, and knows commands and names.
    Session,
    /// Any line server: it knows no names, and shows nobody their own lines. So all of them stay on the screen.
    AnyServer,
}

/// What a key asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A line is finished: its text, clean, without a line end.
    Line(String),
    /// A word is to be finished: answer with `Editor::completed`. Never asked where any server may be at the other end.
    Complete(Completion),
    /// Ctrl-C on an empty line.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
}

/// The editor of one connection. Plain data; at most about 300 KiB, and a few hundred bytes for somebody who types nothing.
pub struct Editor {
    counterpart: Counterpart,
    keys: Keys,
    line: Line,
    history: History,
    killed: Clusters,
    /// What was asked for last, until it is answered; whether the line still has that word is looked at then.
    asked: Option<Completion>,
    above: Above,
    /// Lines that stay on the screen and are not there yet.
    finished: Vec<String>,
    /// The index of the cluster with which the row begins.
    row_begins_with: usize,
    screen: Screen,
    is_stale: bool,
    is_bell_due: bool,
}

impl Editor {
    /// An editor for a terminal with so many columns; 0 and what cannot be mean 80. The cursor may be anywhere in a row.
    pub(super) fn new(columns: u16) -> Editor {
        Editor::with(Counterpart::Session, Screen::new(columns, PROMPT))
    }

    /// The same for somebody who speaks to any line server at all: every line stays on the screen behind the prompt, none is a
    /// command, and nothing is completed.
    pub fn for_any_server(columns: u16, prompt: &'static str) -> Editor {
        Editor::with(Counterpart::AnyServer, Screen::new(columns, prompt))
    }

    fn with(counterpart: Counterpart, screen: Screen) -> Editor {
        Editor {
            counterpart,
            keys: Keys::default(),
            line: Line::default(),
            history: History::default(),
            killed: Clusters::default(),
            asked: None,
            above: Above::default(),
            finished: Vec::new(),
            row_begins_with: 0,
            screen,
            is_stale: true,
            is_bell_due: false,
        }
    }

    /// Takes in what was typed, cut anywhere, up to the first key that asks for something. Answers with how many bytes
    /// were used: all, if nothing is asked for.
    pub fn typed(&mut self, bytes: &[u8]) -> (usize, Option<Asked>) {
        let mut used = 0;
        loop {
            let (more, key) = self.keys.next(&bytes[used..]);
            used += more;
            let Some(key) = key else { return (used, None) };
            self.is_stale = true;
            if let Some(asked) = self.press(key) {
                return (used, Some(asked));
            }
        }
    }

    /// The answer to [`Asked::Complete`]: everything that begins with the word, however capitalised. Puts it into the line
    /// or answers with those that are possible, to be listed above. An answer that comes too late changes nothing.
    pub(super) fn completed(&mut self, candidates: &[String]) -> Vec<String> {
        let Some(asked) = self.asked.take() else { return Vec::new() };
        if Completion::at_cursor(&self.line).as_ref() != Some(&asked) {
            return Vec::new();
        }
        self.is_stale = true;
        match asked.apply(candidates, &mut self.line) {
            Completed::Inserted => Vec::new(),
            Completed::Several(several) => several,
            Completed::Nothing => {
                self.is_bell_due = true;
                Vec::new()
            }
        }
    }

    /// What [`Asked::Complete`] asked for last, if it has not been answered.
    pub(super) fn asked(&self) -> Option<&Completion> {
        self.asked.as_ref()
    }

    /// Begins with a line that was typed where somebody else edited it: text, whatever the keys mean here.
    pub(super) fn take_over(&mut self, draft: &str) {
        let spaced = draft.replace(['\t', '\r'], " ");
        let text: String = spaced.chars().filter(|&character| is_showable(character)).collect();
        self.typed(text.as_bytes());
    }

    /// The line as it was typed so far.
    pub fn draft(&self) -> &str {
        self.line.text()
    }

    /// The terminal has become wider or narrower.
    pub fn resize(&mut self, columns: u16) {
        self.is_stale = true;
        self.screen.resize(columns);
    }

    /// Something else has written where the row was, or may have.
    pub fn redraw(&mut self) {
        self.is_stale = true;
        self.screen.forget();
    }

    /// Whether something has happened that [`Editor::show`] has not shown.
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Writes text, cut anywhere, above the line being typed, and makes the row below show that line. The beginning of a
    /// line of text is held until its end comes.
    pub fn show(&mut self, above: &[&[u8]], bytes: &mut Vec<u8>) {
        self.keep_finished(bytes);
        for slice in above {
            self.above.add(slice, |line| self.screen.write_line(&above::clean(line), bytes));
        }
        let (row, begins_with) = self.row();
        self.row_begins_with = begins_with;
        self.screen.paint(row, bytes);
        if std::mem::take(&mut self.is_bell_due) {
            bytes.push(BELL);
        }
        self.is_stale = false;
    }

    /// Takes the row off the screen. The beginning of a line of text that was held is written as it is: the rest of it comes
    /// without the editor. Whoever wants what was typed and not finished takes [`Editor::draft`] first.
    pub fn leave(&mut self, bytes: &mut Vec<u8>) {
        self.keep_finished(bytes);
        self.screen.clear(bytes);
        bytes.extend(self.above.give_up());
        self.is_stale = false;
    }

    /// The row as it should be, and the index of the cluster with which it begins.
    fn row(&self) -> (Row, usize) {
        row::row(self.screen.prompt(), &self.line, self.row_begins_with, self.screen.columns())
    }

    fn keep_finished(&mut self, bytes: &mut Vec<u8>) {
        for line in std::mem::take(&mut self.finished) {
            self.screen.keep_line(&line, bytes);
        }
    }

    fn press(&mut self, key: Key) -> Option<Asked> {
        let effect = match key {
            Key::Character(character) => self.line.insert(character),
            Key::Enter => return Some(self.finish()),
            Key::Tab => match self.word_to_complete() {
                Some(completion) => {
                    self.asked = Some(completion.clone());
                    return Some(Asked::Complete(completion));
                }
                None => Effect::Nothing,
            },
            Key::Go(motion) => self.line.go(motion),
            Key::Erase(motion) => return self.erase(motion),
            Key::Kill(motion) => self.kill(motion),
            Key::EraseOrEnd if self.line.text().is_empty() => return Some(Asked::End),
            Key::EraseOrEnd => return self.erase(Motion::Right),
            Key::Yank => self.line.insert_text(0, &self.killed),
            Key::Transpose => self.line.transpose(),
            Key::Redraw => {
                self.redraw();
                Effect::Done
            }
            Key::Older => self.recall(History::older),
            Key::Newer => self.recall(|history, _| history.newer()),
            Key::Interrupt if self.line.text().is_empty() => return Some(Asked::Interrupt),
            Key::Interrupt => {
                self.erase_line();
                Effect::Done
            }
        };
        self.is_bell_due |= effect == Effect::Nothing;
        None
    }

    fn word_to_complete(&self) -> Option<Completion> {
        match self.counterpart {
            Counterpart::Session => Completion::at_cursor(&self.line),
            Counterpart::AnyServer => None,
        }
    }

    /// The line is empty again.
    fn erase_line(&mut self) {
        self.history.come_back();
        self.line.take();
    }

    fn finish(&mut self) -> Asked {
        let line = self.line.take();
        self.history.add(&line);
        let line = line.into_text();
        let bytes: usize = self.finished.iter().map(String::len).sum();
        if self.stays(&line) && bytes + line.len() <= FINISHED_BYTES_MAX {
            self.finished.push(line.clone());
        }
        Asked::Line(line)
    }

    /// Whether a line stays on the screen as it was typed: nobody else will show it.
    fn stays(&self, line: &str) -> bool {
        match self.counterpart {
            Counterpart::Session => matches!(commands::typed(line), Typed::Command(_)),
            Counterpart::AnyServer => true,
        }
    }

    fn erase(&mut self, motion: Motion) -> Option<Asked> {
        self.is_bell_due |= self.line.cut(motion).text().is_empty();
        None
    }

    fn kill(&mut self, motion: Motion) -> Effect {
        let killed = self.line.cut(motion);
        if killed.text().is_empty() {
            return Effect::Nothing;
        }
        self.killed = killed;
        Effect::Done
    }

    fn recall(&mut self, step: impl FnOnce(&mut History, &Clusters) -> Option<Clusters>) -> Effect {
        match step(&mut self.history, self.line.clusters()) {
            Some(line) => {
                self.line.set(line);
                Effect::Done
            }
            None => Effect::Nothing,
        }
    }
}
