//! What arrives becomes lines that may be shown.
//!
//! Where it stands: behind the socket, in front of the screen or the pipe. Pure.
//!
//! A line ends with LF. A CR ends what stands before it, too, and erases nothing: the servers of the exercise send `\r<address> text`, with
//! which they meant to write over the prompt, and `Client … is offline` without any end. What has no end is shown once nothing
//! more has come for [`PAUSE`].
//!
//! What this file must never do: hold more than [`LINE_BYTES_MAX`] bytes, break a character, or let through what a terminal must
//! not be sent.

use hub::is_showable;
use std::time::Duration;

/// A longer line is broken.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// So long the rest of a line is waited for.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// What stands between the text that is held and what comes next.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Behind {
    /// Nothing: what comes next belongs to it.
    #[default]
    Nothing,
    /// A CR, perhaps the half of a line end.
    CarriageReturn,
    /// Nothing is held, and what was held last was shown without its end, which may still come.
    Shown,
}

/// The line whose end has not come.
#[derive(Default)]
pub(super) struct Incoming {
    held: Vec<u8>,
    behind: Behind,
}

impl Incoming {
    /// Takes what has arrived, cut anywhere, and hands out the lines that end in it, clean and without their ends.
    pub(super) fn add(&mut self, bytes: &[u8], lines: &mut Vec<String>) {
        for &byte in bytes {
            self.take(byte, lines);
        }
    }

    /// Nothing more has come for a while. Hands out what is held; a character that is cut is waited for.
    pub(super) fn pause(&mut self, lines: &mut Vec<String>) {
        if self.is_holding() {
            let cut = self.held.split_off(self.held.len() - cut_bytes(&self.held));
            self.finish(lines);
            self.held = cut;
            self.behind = Behind::Shown;
        }
    }

    /// Whether a pause would hand out anything.
    pub(super) fn is_holding(&self) -> bool {
        self.held.len() > cut_bytes(&self.held)
    }

    /// Nothing more will come. Hands out what is left.
    pub(super) fn end(&mut self, lines: &mut Vec<String>) {
        if !self.held.is_empty() {
            self.finish(lines);
        }
    }

    fn take(&mut self, byte: u8, lines: &mut Vec<String>) {
        let behind = std::mem::take(&mut self.behind);
        match byte {
            b'\n' if behind == Behind::Shown && self.held.is_empty() => {}
            b'\n' => self.finish(lines),
            b'\r' if behind == Behind::Shown && self.held.is_empty() => self.behind = Behind::Shown,
            b'\r' => self.behind = Behind::CarriageReturn,
            _ => {
                if behind == Behind::CarriageReturn && !self.held.is_empty() {
                    self.finish(lines);
                }
                self.hold(byte, lines);
            }
        }
    }

    fn hold(&mut self, byte: u8, lines: &mut Vec<String>) {
        self.held.push(byte);
        if self.held.len() >= LINE_BYTES_MAX {
            let cut = self.held.split_off(self.held.len() - cut_bytes(&self.held));
            self.finish(lines);
            self.held = cut;
        }
    }

    fn finish(&mut self, lines: &mut Vec<String>) {
        let held = std::mem::take(&mut self.held);
        let is_fit = |character: &char| *character == '\t' || is_showable(*character);
        lines.push(String::from_utf8_lossy(&held).chars().filter(is_fit).collect());
    }
}

/// How many bytes at the end are the beginning of a character that could still be whole.
fn cut_bytes(bytes: &[u8]) -> usize {
    // A character has at most four bytes.
    let tail = &bytes[bytes.len().saturating_sub(4)..];
    let last = tail.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    let is_cut = std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
    if is_cut { last.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lines of what arrives, with a pause wherever `|` stands.
    fn lines(arriving: &[u8]) -> Vec<String> {
        let (mut incoming, mut lines) = (Incoming::default(), Vec::new());
        let mut parts = arriving.split(|&byte| byte == b'|').peekable();
        while let Some(part) = parts.next() {
            incoming.add(part, &mut lines);
            if parts.peek().is_some() {
                incoming.pause(&mut lines);
            }
        }
        incoming.end(&mut lines);
        lines
    }

    #[test]
    fn servers_of_the_exercise_are_shown_as_they_meant_it() {
        let table: [(&[u8], &[&str]); 6] = [
            (b"[127.0.0.1:4242] entered room\n", &["[127.0.0.1:4242] entered room"]),
            (b"\r<('127.0.0.1', 4242)> hi\n", &["<('127.0.0.1', 4242)> hi"]),
            (b"\r<('127.0.0.1', 4242)> hi\r\n\r<(", &["<('127.0.0.1', 4242)> hi", "<("]),
            (b"\r<('127.0.0.1', 4242)> hi|", &["<('127.0.0.1', 4242)> hi"]),
            (
                b"Client (127.0.0.1, 4242) is offline\r<('127.0.0.1', 1)> oh\n",
                &["Client (127.0.0.1, 4242) is offline", "<('127.0.0.1', 1)> oh"],
            ),
            (
                b"Client (127.0.0.1, 4242) is offline|\r<a> oh\n",
                &["Client (127.0.0.1, 4242) is offline", "<a> oh"],
            ),
        ];
        for (arriving, shown) in table {
            assert_eq!(lines(arriving), shown, "{}", arriving.escape_ascii());
        }
    }

    #[test]
    fn every_line_end_is_one_and_blank_lines_stay() {
        assert_eq!(lines(b"a\nb\r\nc\rd\r\r\ne\n\n\r\nf"), ["a", "b", "c", "d", "e", "", "", "f"]);
    }

    #[test]
    fn end_that_comes_behind_a_pause_makes_no_blank_line() {
        for arriving in [&b"login:|\na\n"[..], b"login:|\r\na\n", b"login:\r|\na\n", b"login:|\r|\na\n"] {
            assert_eq!(lines(arriving), ["login:", "a"], "{}", arriving.escape_ascii());
        }
        assert_eq!(lines(b"login:|\n\na\n"), ["login:", "", "a"]);
        assert_eq!(lines(b"one\n|\ntwo\n"), ["one", "", "two"]);
    }

    #[test]
    fn nothing_gets_through_that_a_terminal_must_not_be_sent() {
        let hostile = "\u{1b}[2Ja\u{7}\u{8}\u{9b}31m\u{202e}b\u{2028}\tc\0\n";
        assert_eq!(lines(hostile.as_bytes()), ["[2Ja31mb\tc"]);
        assert_eq!(lines(b"\xff\xfb\x01a\xc3\n"), ["\u{fffd}\u{fffd}a\u{fffd}"]);
    }

    #[test]
    fn character_that_is_cut_is_waited_for() {
        for (index, _) in "漢字👍".bytes().enumerate() {
            let (start, end) = "漢字👍".as_bytes().split_at(index);
            assert_eq!(lines(&[start, b"|", end, b"\n"].concat()).concat(), "漢字👍", "cut at {index}");
        }
        let mut incoming = Incoming::default();
        incoming.add(b"\xe6\xbc", &mut Vec::new());
        assert!(!incoming.is_holding());
    }

    #[test]
    fn endless_line_is_broken_between_characters() {
        let (mut incoming, mut lines) = (Incoming::default(), Vec::new());
        for _ in 0..100 {
            incoming.add("漢".repeat(1000).as_bytes(), &mut lines);
            assert!(incoming.held.len() < LINE_BYTES_MAX);
        }
        incoming.end(&mut lines);
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES_MAX));
        assert_eq!(lines.concat(), "漢".repeat(100_000));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_clean_lines(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(0xe6), any::<u8>()], 0..200),
            cut in 0_usize..200,
        ) {
            let cut = cut.min(bytes.len());
            let [mut whole, mut parted] = [Incoming::default(), Incoming::default()];
            let [mut whole_lines, mut parted_lines] = [Vec::new(), Vec::new()];
            whole.add(&bytes, &mut whole_lines);
            whole.end(&mut whole_lines);
            parted.add(&bytes[..cut], &mut parted_lines);
            parted.add(&bytes[cut..], &mut parted_lines);
            parted.end(&mut parted_lines);
            prop_assert_eq!(&whole_lines, &parted_lines);
            prop_assert!(whole_lines.iter().all(|line| line.chars().all(|c| c == '\t' || is_showable(c))));
        }
    }
}
