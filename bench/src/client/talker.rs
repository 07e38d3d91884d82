//! Who talks in the room: one member at netcat, at a steady pace or as fast as it is taken, lines that can be told apart.
//!
//! Its own lines are not sent back to it, so it costs the server what one reader costs. It must never say less than it was asked to
//! without an error.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use fastrand::Rng;

/// So often something is said at a steady pace.
const TICK: Duration = Duration::from_millis(5);
const TEXTS: usize = 1_000;
/// How many characters a text has.
const TEXT_CHARS: std::ops::RangeInclusive<usize> = 50..=190;
/// One text of so many is Chinese.
const CHINESE_EVERY: usize = 10;
/// In front of each line's number; no text has it.
const NUMBER_MARK: char = '¶';
const NUMBER_DIGITS: usize = 7;

/// A member who talks.
pub struct Talker {
    stream: TcpStream,
    texts: Vec<String>,
    said: usize,
}

/// What is being said, in a thread of its own.
pub struct Speech {
    moments: Arc<Mutex<Vec<Moment>>>,
    thread: JoinHandle<io::Result<Talker>>,
}

/// Up to which line had been said when.
#[derive(Clone, Copy)]
struct Moment {
    lines: usize,
    at: Instant,
}

impl Talker {
    /// Comes into the lobby.
    ///
    /// # Errors
    ///
    /// If it cannot connect.
    pub fn enter(server: SocketAddr, nick: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(server).context("nobody can come to talk")?;
        stream.set_nodelay(true)?;
        stream.write_all(format!("/nick {nick}\n").as_bytes())?;
        let mut heard = stream.try_clone()?;
        // What the server tells it is nothing to it, but has to be taken.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while matches!(heard.read(&mut bytes), Ok(1..)) {}
        });
        let mut rng = Rng::with_seed(11);
        let texts = (0..TEXTS).map(|nth| text(&mut rng, nth % CHINESE_EVERY == 0)).collect();
        Ok(Self { stream, texts, said: 0 })
    }

    /// How many lines it has said; the next one has this number.
    pub fn said(&self) -> usize {
        self.said
    }

    /// How many bytes a line has, on average.
    pub fn line_bytes(&self) -> usize {
        let texts_bytes: usize = self.texts.iter().map(String::len).sum();
        texts_bytes / self.texts.len() + NUMBER_MARK.len_utf8() + NUMBER_DIGITS + 1
    }

    /// Says so many lines at once.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub fn say(&mut self, lines: usize) -> io::Result<()> {
        let mut bytes = String::new();
        for number in self.said..self.said + lines {
            let text = &self.texts[number % TEXTS];
            let _ = writeln!(bytes, "{NUMBER_MARK}{number:0NUMBER_DIGITS$} {text}");
        }
        self.said += lines;
        self.stream.write_all(bytes.as_bytes())
    }

    /// Begins to say so many lines at this pace.
    pub fn speak(mut self, lines: usize, per_second: usize) -> Speech {
        let moments = Arc::new(Mutex::new(Vec::new()));
        let noted = moments.clone();
        let per_tick = (per_second as f64 * TICK.as_secs_f64()) as usize;
        let thread = thread::spawn(move || {
            let begun = Instant::now();
            let end = self.said + lines;
            for tick in 1.. {
                let at = Instant::now();
                self.say(per_tick.min(end - self.said))?;
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(Moment { lines: self.said, at });
                if self.said == end {
                    break;
                }
                thread::sleep((begun + TICK * tick).saturating_duration_since(Instant::now()));
            }
            Ok(self)
        });
        Speech { moments, thread }
    }
}

/// Begins to say things as fast as they are taken: each of these says so many lines when the one before has said its own, and the
/// numbers go on. A connection may say only so much before its pace counts.
pub fn pour(talkers: Vec<Talker>, lines_each: usize) -> Speech {
    let thread = thread::spawn(move || {
        let mut talkers = talkers.into_iter();
        let mut last = talkers.next().ok_or(io::ErrorKind::InvalidInput)?;
        last.say(lines_each)?;
        for mut talker in talkers {
            talker.said = last.said;
            talker.say(lines_each)?;
            last = talker;
        }
        Ok(last)
    });
    Speech { moments: Arc::default(), thread }
}

impl Speech {
    /// When the line of this number was said, if it was and a pace was kept.
    pub fn said_at(&self, number: usize) -> Option<Instant> {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let index = moments.partition_point(|moment| moment.lines <= number);
        moments.get(index).map(|moment| moment.at)
    }

    /// Whether all has been said, or could not be.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until all has been said. Answers with who said the last of it.
    ///
    /// # Errors
    ///
    /// If it could not be.
    pub fn end(self) -> Result<Talker> {
        let talker = self.thread.join().map_err(|_| anyhow!("who talked has panicked"))?;
        talker.context("not everything could be said")
    }
}

/// The highest number of a line that stands on a screen.
pub fn newest(screen: &str) -> Option<usize> {
    let digits = screen.split(NUMBER_MARK).skip(1).filter_map(|rest| rest.get(..NUMBER_DIGITS));
    digits.filter_map(|digits| digits.parse().ok()).max()
}

fn text(rng: &mut Rng, is_chinese: bool) -> String {
    let chars = rng.usize(TEXT_CHARS);
    let word = |rng: &mut Rng| -> String {
        let letters = 1 + rng.usize(1..=9);
        (0..letters).map(|_| rng.lowercase()).collect()
    };
    let mut text = String::new();
    while text.chars().count() < chars {
        if is_chinese {
            text.extend(char::from_u32(rng.u32(0x4e00..0x5600)));
        } else {
            text += &word(rng);
            text.push(' ');
        }
    }
    text.chars().take(chars - 1).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_line_is_found_among_others_and_cut_ones() {
        assert_eq!(newest("12:00 bob ¶0000041 a\n12:00 bob ¶0000042 b\n¶00"), Some(42));
        assert_eq!(newest("nothing has been said"), None);
    }

    #[test]
    fn texts_are_as_long_as_people_write_at_length() {
        let mut rng = Rng::with_seed(1);
        for is_chinese in [false, true] {
            let chars = text(&mut rng, is_chinese).chars().count();
            assert!(TEXT_CHARS.contains(&chars), "{chars}");
        }
    }
}
