//! What has come and cannot be worked on yet: the beginning of a line, and bytes behind a command that is under way.
//!
//! Where it stands: between the bytes of a connection and the lines of its session. Most sessions have none of this at
//! most times, and then it takes no memory.
//!
//! What this file must never do: hold more of a line than [`TEXT_BYTES_MAX`], or forget how much it did not hold.

use crate::sniff::{self, LINE_END_BYTES, Protocol};
use hub::{Ending, TEXT_BYTES_MAX};
use std::borrow::Cow;

/// A line as it came, without LF or CR LF.
#[derive(Clone, Copy)]
pub(super) struct RawLine<'a> {
    /// Its first bytes: all, if they are at most [`TEXT_BYTES_MAX`].
    head: &'a [u8],
    /// Its last bytes: all, or at least [`LINE_END_BYTES`].
    tail: &'a [u8],
    /// How many it had.
    bytes: usize,
    ending: Ending,
}

/// A line as text.
pub(super) struct Decoded<'a> {
    /// At most [`TEXT_BYTES_MAX`] bytes.
    pub(super) text: Cow<'a, str>,
    /// How many bytes of the line are in it.
    pub(super) bytes_used: usize,
}

impl<'a> RawLine<'a> {
    /// The line in front of a LF.
    pub(super) fn new(bytes: &'a [u8]) -> RawLine<'a> {
        let line = sniff::without_carriage_return(bytes);
        let head = &line[..line.len().min(TEXT_BYTES_MAX)];
        RawLine { head, tail: line, bytes: line.len(), ending: ending_of(bytes) }
    }

    /// How it ended.
    pub(super) fn ending(&self) -> Ending {
        self.ending
    }

    /// How many bytes the line had.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to judge a connection by.
    pub(super) fn is_blank(&self) -> bool {
        sniff::without_leading_blank_lines(self.head).is_empty()
    }

    /// The protocol whose first line this is.
    pub(super) fn protocol(&self) -> Option<Protocol> {
        sniff::protocol_of_line(self.head, self.tail)
    }

    /// The first bytes.
    pub(super) fn head(&self) -> &'a [u8] {
        self.head
    }

    /// The line as text, with U+FFFD for each maximal part that is no UTF-8. That may make it longer; as much of the line
    /// is taken as then fits, and never half a character at a cut.
    pub(super) fn decode(&self) -> Decoded<'a> {
        match std::str::from_utf8(self.head) {
            Ok(text) => Decoded { text: Cow::Borrowed(text), bytes_used: self.head.len() },
            Err(_) => self.decode_lossily(),
        }
    }

    fn decode_lossily(&self) -> Decoded<'a> {
        let mut text = String::with_capacity(self.head.len());
        let mut bytes_used = 0;
        for chunk in self.head.utf8_chunks() {
            let valid = cut_between_characters(chunk.valid(), TEXT_BYTES_MAX - text.len());
            text.push_str(valid);
            bytes_used += valid.len();
            let invalid = chunk.invalid();
            let is_at_cut = self.bytes > self.head.len() && bytes_used + invalid.len() == self.head.len();
            let fits = text.len() + char::REPLACEMENT_CHARACTER.len_utf8() <= TEXT_BYTES_MAX;
            if valid.len() < chunk.valid().len() || invalid.is_empty() || is_at_cut || !fits {
                break;
            }
            text.push(char::REPLACEMENT_CHARACTER);
            bytes_used += invalid.len();
        }
        Decoded { text: Cow::Owned(text), bytes_used }
    }
}

fn is_one_key(bytes: &[u8]) -> bool {
    bytes.len() == 1 || std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1)
}

fn ending_of(line: &[u8]) -> Ending {
    if line.ends_with(b"\r") { Ending::CarriageReturnLineFeed } else { Ending::LineFeed }
}

fn cut_between_characters(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// A terminal that sends each key as it is pressed is told by that from a program that sends lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Single(u8),
    /// Several came at once.
    Many,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys::Single(0)
    }
}

/// So many keys that came one by one are somebody typing: two, and the end of the line.
const KEYS_MIN: u8 = 3;

/// The beginning of a line whose end has not come.
#[derive(Default)]
struct Partial {
    /// At most [`TEXT_BYTES_MAX`] bytes.
    head: Vec<u8>,
    /// How many keys it came in, if each came alone.
    keys: Keys,
    /// How many came behind them and were dropped.
    bytes_dropped: usize,
    /// The last bytes of the line, if any were dropped; one more than asked for, because a CR may be among them.
    tail: [u8; LINE_END_BYTES + 1],
}

impl Partial {
    fn add(&mut self, bytes: &[u8]) {
        self.keys = match self.keys {
            Keys::Single(count) if is_one_key(bytes) => Keys::Single(count.saturating_add(1)),
            single if bytes.is_empty() => single,
            _ => Keys::Many,
        };
        let (kept, dropped) = bytes.split_at(bytes.len().min(TEXT_BYTES_MAX - self.head.len()));
        self.head.extend_from_slice(kept);
        if dropped.is_empty() {
            return;
        }
        if self.bytes_dropped == 0 {
            let head_end = &self.head[self.head.len() - self.tail.len()..];
            self.tail.copy_from_slice(head_end);
        }
        self.bytes_dropped += dropped.len();
        let last = &dropped[dropped.len().saturating_sub(self.tail.len())..];
        self.tail.rotate_left(last.len());
        let place = self.tail.len() - last.len();
        self.tail[place..].copy_from_slice(last);
    }

    fn line(&self) -> RawLine<'_> {
        if self.bytes_dropped == 0 {
            return RawLine::new(&self.head);
        }
        let tail = sniff::without_carriage_return(&self.tail);
        let bytes = self.head.len() + self.bytes_dropped - (self.tail.len() - tail.len());
        RawLine { head: &self.head, tail, bytes, ending: ending_of(&self.tail) }
    }
}

/// What has come and cannot be worked on yet.
#[derive(Default)]
pub(super) struct Input(Option<Box<Stored>>);

#[derive(Default)]
struct Stored {
    partial: Partial,
    /// Bytes that nobody has looked at; they follow what is in `partial`.
    waiting: Waiting,
}

/// Bytes that nobody has looked at. They are used up from the front without being moved: there may be thousands of
/// commands among them, each of which has to wait for its answer.
#[derive(Default)]
pub(super) struct Waiting {
    bytes: Vec<u8>,
    from: usize,
}

impl Waiting {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.from..]
    }
}

/// A line whose beginning was stored.
pub(super) struct StoredLine(Partial);

impl StoredLine {
    pub(super) fn line(&self) -> RawLine<'_> {
        self.0.line()
    }

    /// Whether it came as it was typed. Windows' telnet sends so, and does not show otherwise that it is telnet.
    pub(super) fn came_key_by_key(&self) -> bool {
        matches!(self.0.keys, Keys::Single(KEYS_MIN..))
    }
}

impl Input {
    /// Whether nothing is stored.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the beginning of a line is stored.
    pub(super) fn has_partial(&self) -> bool {
        self.0.as_ref().is_some_and(|stored| !stored.partial.head.is_empty())
    }

    /// Whether nothing has come, or nothing behind the end of a line.
    pub(super) fn is_between_lines(&self) -> bool {
        match self.waiting().last() {
            Some(last) => *last == b'\n',
            None => !self.has_partial(),
        }
    }

    /// The beginning of the line whose end has not come.
    pub(super) fn partial(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |stored| &stored.partial.head)
    }

    /// Adds bytes of a line whose end has not come.
    pub(super) fn add_to_line(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().partial.add(bytes);
        }
    }

    /// Takes out the beginning of a line.
    pub(super) fn take_partial(&mut self) -> Vec<u8> {
        let partial = self.0.as_mut().map(|stored| std::mem::take(&mut stored.partial));
        self.give_back();
        partial.map(|partial| partial.head).unwrap_or_default()
    }

    /// Takes out the line that ends behind `bytes`.
    pub(super) fn finish_line(&mut self, bytes: &[u8]) -> StoredLine {
        let mut partial = match &mut self.0 {
            Some(stored) => std::mem::take(&mut stored.partial),
            None => Partial::default(),
        };
        partial.add(bytes);
        self.give_back();
        StoredLine(partial)
    }

    /// The bytes that nobody has looked at.
    pub(super) fn waiting(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |stored| &stored.waiting.bytes[stored.waiting.from..])
    }

    /// Adds bytes that nobody has looked at.
    pub(super) fn wait(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().waiting.bytes.extend_from_slice(bytes);
        }
    }

    /// Takes out the bytes that nobody has looked at.
    pub(super) fn take_waiting(&mut self) -> Waiting {
        let waiting = self.0.as_mut().map(|stored| std::mem::take(&mut stored.waiting)).unwrap_or_default();
        self.give_back();
        waiting
    }

    /// Puts back what was taken out, but for the first `bytes_used`.
    pub(super) fn put_back(&mut self, mut waiting: Waiting, bytes_used: usize) {
        waiting.from += bytes_used;
        if !waiting.bytes().is_empty() {
            self.0.get_or_insert_default().waiting = waiting;
        }
    }

    fn give_back(&mut self) {
        let is_idle = |stored: &Stored| stored.partial.head.is_empty() && stored.waiting.bytes().is_empty();
        if self.0.as_deref().is_some_and(is_idle) {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a line comes to when it arrives in pieces of this length.
    fn in_pieces(bytes: &[u8], piece_bytes: usize) -> (String, usize, usize, Option<Protocol>) {
        let mut input = Input::default();
        for piece in bytes.chunks(piece_bytes) {
            input.add_to_line(piece);
            assert!(input.partial().len() <= TEXT_BYTES_MAX);
        }
        let stored = input.finish_line(b"");
        assert!(input.is_empty());
        outcome(&stored.line())
    }

    fn outcome(line: &RawLine<'_>) -> (String, usize, usize, Option<Protocol>) {
        let decoded = line.decode();
        (decoded.text.into_owned(), decoded.bytes_used, line.bytes(), line.protocol())
    }

    #[test]
    fn carriage_return_behind_a_full_line_is_no_part_of_it() {
        let mut bytes = vec![b'x'; TEXT_BYTES_MAX];
        bytes.push(b'\r');
        let (text, bytes_used, bytes_in_all, _) = in_pieces(&bytes, 1000);
        assert_eq!((text.len(), bytes_used, bytes_in_all), (TEXT_BYTES_MAX, TEXT_BYTES_MAX, TEXT_BYTES_MAX));
        assert_eq!(outcome(&RawLine::new(&bytes)), in_pieces(&bytes, 1000));
    }

    #[test]
    fn no_character_is_torn_at_the_cut() {
        let bytes = format!("a{}", "é".repeat(TEXT_BYTES_MAX)).into_bytes();
        let (text, bytes_used, ..) = outcome(&RawLine::new(&bytes));
        assert!(text.ends_with('é'));
        assert_eq!((text.len(), bytes_used), (TEXT_BYTES_MAX - 1, TEXT_BYTES_MAX - 1));
    }

    #[test]
    fn text_that_grows_is_cut_where_it_no_longer_fits() {
        let bytes = vec![0xff; TEXT_BYTES_MAX];
        let (text, bytes_used, ..) = outcome(&RawLine::new(&bytes));
        assert_eq!(text.chars().count(), bytes_used);
        assert_eq!(bytes_used, TEXT_BYTES_MAX / 3);
    }

    #[test]
    fn end_of_a_long_line_is_still_judged() {
        let bytes = format!("FOO /{} HTTP/1.1\r", "x".repeat(3 * TEXT_BYTES_MAX)).into_bytes();
        for piece_bytes in [1, 7, 4096, bytes.len()] {
            assert_eq!(in_pieces(&bytes, piece_bytes).3, Some(Protocol::Http));
        }
    }

    proptest! {
        #[test]
        fn short_line_is_decoded_like_everywhere(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let line = RawLine::new(&bytes);
            let decoded = line.decode();
            prop_assert_eq!(&*decoded.text, &*String::from_utf8_lossy(sniff::without_carriage_return(&bytes)));
            prop_assert_eq!(decoded.bytes_used, line.bytes());
        }

        #[test]
        fn pieces_make_the_same_line(
            start in proptest::collection::vec(any::<u8>(), 0..20),
            filling in (TEXT_BYTES_MAX - 30)..(TEXT_BYTES_MAX + 30),
            end in proptest::sample::select(&["", "\r", " HTTP/1.0", " HTTP/1.1\r", "é"][..]),
            piece_bytes in 1_usize..20_000,
        ) {
            let bytes = [&start, &vec![b'x'; filling][..], end.as_bytes()].concat();
            prop_assert_eq!(in_pieces(&bytes, piece_bytes), outcome(&RawLine::new(&bytes)));
        }
    }
}
