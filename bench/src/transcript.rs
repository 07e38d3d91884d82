//! All that one member heard that may have skipped: what came, what it was told that it missed.
//!
//! The `stall` scenario reads its stalled member through this. Heard and skipped together must be exactly what
//! was said; it must never take the server's word for a message that did come.

use std::collections::HashMap;

use crate::{
    crowd::each_line,
    message::{self, Message},
};

/// What a member that may skip has heard so far.
#[derive(Debug, Default)]
pub struct Transcript {
    unfinished: Vec<u8>,
    /// Messages that came.
    pub heard: u64,
    /// Messages that the server said it left out.
    pub skipped: u64,
    /// In how many lines it said so.
    pub skip_lines: u64,
    last: HashMap<u32, u32>,
    violation: Option<String>,
}

impl Transcript {
    /// Takes the bytes that came next.
    pub fn take(&mut self, bytes: &[u8]) {
        let mut text = std::mem::take(&mut self.unfinished);
        text.extend_from_slice(bytes);
        let taken = each_line(&text, |line| self.line(line));
        text.drain(..taken);
        self.unfinished = text;
    }

    /// Heard and skipped together.
    pub fn accounted(&self) -> u64 {
        self.heard + self.skipped
    }

    /// What was wrong, if anything was.
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    fn line(&mut self, line: &[u8]) {
        if let Some(count) = skip_count(line) {
            self.skipped += count;
            self.skip_lines += 1;
        } else if message::resembles(line) {
            self.message(line);
        }
    }

    fn message(&mut self, line: &[u8]) {
        let start = line.iter().position(|byte| *byte == b'=').unwrap_or(0);
        let text = [&line[start..], b"\n"].concat();
        let Some(message) = Message::read(&text) else {
            self.violate(format!("heard what nobody said: {}", String::from_utf8_lossy(line)));
            return;
        };
        self.heard += 1;
        let before = self.last.insert(message.sender, message.sequence);
        if before.is_some_and(|before| before >= message.sequence) {
            self.violate(format!("heard a message twice or out of order: {message:?}"));
        }
    }

    fn violate(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }
}

/// `-- 412 messages skipped`, whatever follows.
fn skip_count(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix("-- ")?;
    let (before, _) = text.split_once(" messages skipped").or_else(|| text.split_once(" message skipped"))?;
    before.rsplit(' ').next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sender: u32, sequence: u32) -> Vec<u8> {
        let mut line = format!("<m{sender:05}> ").into_bytes();
        Message { sender, sequence, slot: 0, said_at_ns: 0 }.write(128, &mut line);
        line
    }

    #[test]
    fn heard_and_skipped_are_counted_however_the_bytes_are_split() {
        let bytes =
            [line(1, 0), line(2, 0), b"-- 412 messages skipped\n".to_vec(), line(1, 7), line(2, 9)].concat();
        for size in [1, 7, 100, bytes.len()] {
            let mut transcript = Transcript::default();
            bytes.chunks(size).for_each(|chunk| transcript.take(chunk));
            assert_eq!((transcript.heard, transcript.skipped, transcript.skip_lines), (4, 412, 1));
            assert_eq!((transcript.accounted(), transcript.violation()), (416, None));
        }
    }

    #[test]
    fn message_that_comes_twice_or_late_is_a_violation() {
        for sequences in [[3, 3], [3, 2]] {
            let mut transcript = Transcript::default();
            for sequence in sequences {
                transcript.take(&line(1, sequence));
            }
            assert!(transcript.violation().is_some());
        }
    }

    #[test]
    fn torn_message_is_a_violation() {
        let mut transcript = Transcript::default();
        transcript.take(b"<m00001> =0001\n");
        assert!(transcript.violation().is_some());
    }

    #[test]
    fn skip_line_is_known_in_its_forms_and_only_from_the_server() {
        assert_eq!(skip_count(b"-- 412 messages skipped"), Some(412));
        assert_eq!(skip_count(b"-- 1 message skipped"), Some(1));
        assert_eq!(skip_count(b"-- #den: 7 messages skipped (you were slow)"), Some(7));
        assert_eq!(skip_count(b"<ann> -- 412 messages skipped"), None);
        assert_eq!(skip_count(b"-- many messages skipped"), None);
    }
}
