//! Listening: whatever yields lines can be asked for the next one, or for one that says something.

use super::GUARD;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What came next.
pub(crate) enum Heard {
    Line(String),
    /// The end of the stream, in an orderly way.
    End,
    /// Nothing in the time that was given.
    Silence,
}

/// Something that yields lines.
pub(crate) trait Ears {
    /// For messages of failing tests.
    fn who(&self) -> &str;

    /// The next line, without its end, that comes within this time.
    fn next_within(&mut self, time: Duration) -> Heard;

    /// Everything heard so far.
    fn heard(&mut self) -> &mut Vec<String>;

    /// What comes next: a line, or nothing at the end.
    fn next(&mut self, wanted: &str) -> Option<String> {
        match self.next_within(GUARD) {
            Heard::Line(line) => {
                self.heard().push(line.clone());
                Some(line)
            }
            Heard::End => None,
            Heard::Silence => self.fail(&format!("waited in vain for {wanted}")),
        }
    }

    /// The next line.
    fn line(&mut self) -> String {
        match self.next("a line") {
            Some(line) => line,
            None => self.fail("has come to the end instead of a line"),
        }
    }

    /// The next line is this one.
    fn hears(&mut self, expected: &str) {
        if self.next(expected).as_deref() != Some(expected) {
            self.fail(&format!("expected {:?}", ending(&[expected.to_owned()])));
        }
    }

    /// Passes over lines until one contains this; returns that one.
    fn waits_for(&mut self, part: &str) -> String {
        let deadline = Instant::now() + GUARD;
        while let Some(line) = self.next(part) {
            if line.contains(part) {
                return line;
            }
            if Instant::now() > deadline {
                break;
            }
        }
        self.fail(&format!("never heard {part:?}"))
    }

    /// Nothing more comes but these lines and the orderly end.
    fn ends_with(&mut self, expected: &[&str]) {
        let mut rest = Vec::new();
        while let Some(line) = self.next("the end") {
            rest.push(line);
        }
        if rest != expected {
            self.fail(&format!("expected {} lines and the end, not {}", expected.len(), rest.len()));
        }
    }

    /// Nothing comes for so long. Not a way to show that nothing comes at all: for that somebody says something behind it.
    fn hears_nothing_for(&mut self, time: Duration) {
        if let Heard::Line(line) = self.next_within(time) {
            self.fail(&format!("expected silence, not {line:?}"));
        }
    }

    /// Fails the test with what was heard so far.
    fn fail(&mut self, problem: &str) -> ! {
        let who = self.who().to_owned();
        let heard = self.heard();
        panic!("{who} {problem}; {} lines were heard, at last: {:#?}", heard.len(), ending(heard));
    }
}

/// The last of these lines, each so short that it can be read at a glance.
fn ending(lines: &[String]) -> Vec<String> {
    const LINES_MAX: usize = 20;
    const CHARACTERS_MAX: usize = 100;
    let shortened = |line: &String| line.chars().take(CHARACTERS_MAX).collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].iter().map(shortened).collect()
}

/// The lines of a pipe, which a thread reads, so that whoever writes never waits for the test.
pub(crate) struct Lines {
    who: String,
    source: Receiver<String>,
    heard: Vec<String>,
}

impl Lines {
    pub(crate) fn of(who: &str, pipe: impl Read + Send + 'static) -> Lines {
        let (sender, source) = channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n') {
                let Ok(line) = line else { return };
                let line = String::from_utf8(line).unwrap_or_else(|error| format!("not UTF-8: {error:?}"));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Lines { who: who.to_owned(), source, heard: Vec::new() }
    }
}

impl Ears for Lines {
    fn who(&self) -> &str {
        &self.who
    }

    fn next_within(&mut self, time: Duration) -> Heard {
        match self.source.recv_timeout(time) {
            Ok(line) => Heard::Line(line),
            Err(RecvTimeoutError::Disconnected) => Heard::End,
            Err(RecvTimeoutError::Timeout) => Heard::Silence,
        }
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }
}
