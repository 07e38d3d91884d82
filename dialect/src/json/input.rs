//! What has come and cannot be worked on yet: the beginning of a line, and lines behind a request that is under way.
//!
//! Where it stands: between the bytes of a connection and the lines of its session. Most sessions have none of this at
//! most times, and then it takes no memory.
//!
//! What this file must never do: hold more of a line than [`LINE_BYTES_MAX`], or look at a byte of it twice.

/// A line has at most this many bytes, its line feed not counted: a text of 16 KiB fits even if each character of it is
/// written as an escape.
pub const LINE_BYTES_MAX: usize = 128 * 1024;

/// What has come and cannot be worked on yet.
#[derive(Default)]
pub(super) struct Input(Option<Box<Stored>>);

#[derive(Default)]
struct Stored {
    bytes: Vec<u8>,
    /// Where the first line begins that has not been worked on. Used up from the front without being moved each time: there
    /// may be hundreds of lines, each of which has to wait for its answer.
    from: usize,
    /// Where the first line feed is that has not been used, or where it may be.
    searched: usize,
    /// Whether what comes up to the next line feed belongs to a line that is too long.
    is_overlong: bool,
}

/// What stands next in the input.
pub(super) enum Next {
    /// A line, without its line feed.
    Line(Vec<u8>),
    /// The end of a line that was too long.
    Overlong,
    /// Nothing whole.
    Nothing,
}

impl Input {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether nothing has come behind the last line feed.
    pub(super) fn is_between_lines(&self) -> bool {
        self.0.as_ref().is_none_or(|stored| !stored.is_overlong && stored.bytes.last() == Some(&b'\n'))
    }

    /// Adds bytes that nobody has looked at.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().bytes.extend_from_slice(bytes);
        }
    }

    /// Whether the next line is there as a whole.
    pub(super) fn has_line(&mut self) -> bool {
        self.0.as_mut().is_some_and(|stored| stored.has_line())
    }

    /// Takes the next line out.
    pub(super) fn next(&mut self) -> Next {
        let Some(stored) = &mut self.0 else { return Next::Nothing };
        if !stored.has_line() {
            return Next::Nothing;
        }
        let next = stored.take_line();
        if stored.from == stored.bytes.len() {
            self.0 = None;
        }
        next
    }
}

impl Stored {
    fn has_line(&mut self) -> bool {
        if let Some(end) = memchr::memchr(b'\n', &self.bytes[self.searched..]) {
            self.searched += end;
            return true;
        }
        self.searched = self.bytes.len();
        if self.is_overlong || self.bytes.len() - self.from > LINE_BYTES_MAX {
            *self = Stored { is_overlong: true, ..Stored::default() };
        } else {
            self.make_room();
        }
        false
    }

    /// The line whose line feed was found.
    fn take_line(&mut self) -> Next {
        let line = &self.bytes[self.from..self.searched];
        let next = if self.is_overlong || line.len() > LINE_BYTES_MAX {
            Next::Overlong
        } else {
            Next::Line(line.to_vec())
        };
        self.is_overlong = false;
        self.searched += 1;
        self.from = self.searched;
        next
    }

    /// Moves the beginning of a line to the front.
    fn make_room(&mut self) {
        self.bytes.drain(..self.from);
        self.searched -= self.from;
        self.from = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines_of(input: &mut Input, lines: &mut Vec<Option<Vec<u8>>>) {
        loop {
            match input.next() {
                Next::Line(line) => lines.push(Some(line)),
                Next::Overlong => lines.push(None),
                Next::Nothing => return,
            }
        }
    }

    fn held_bytes(input: &Input) -> usize {
        input.0.as_ref().map_or(0, |stored| stored.bytes.len())
    }

    #[test]
    fn line_that_is_too_long_is_thrown_away_up_to_its_end() {
        for piece_bytes in [1000, 16_384, 1_000_000] {
            let mut bytes = vec![b'x'; LINE_BYTES_MAX];
            bytes.extend_from_slice(b"\n");
            bytes.extend(vec![b'x'; LINE_BYTES_MAX + 1]);
            bytes.extend_from_slice(b"\nnext\n");
            bytes.extend(vec![b'x'; 5 * LINE_BYTES_MAX]);
            let (mut input, mut lines) = (Input::default(), Vec::new());
            for piece in bytes.chunks(piece_bytes) {
                input.add(piece);
                lines_of(&mut input, &mut lines);
                assert!(held_bytes(&input) <= LINE_BYTES_MAX);
            }
            assert_eq!(lines, [Some(vec![b'x'; LINE_BYTES_MAX]), None, Some(b"next".to_vec())]);
            assert!(!input.is_between_lines() && held_bytes(&input) == 0);
            input.add(b"\n");
            lines_of(&mut input, &mut lines);
            assert!(lines.pop() == Some(None) && input.is_empty());
        }
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_they_arrive(
            bytes in proptest::collection::vec(proptest::sample::select(b"ab\n".to_vec()), 0..60),
            cuts in proptest::collection::vec((0_usize..60, 0_usize..4), 0..10),
        ) {
            let (mut whole, mut expected) = (Input::default(), Vec::new());
            whole.add(&bytes);
            lines_of(&mut whole, &mut expected);
            let (mut input, mut lines, mut from) = (Input::default(), Vec::new(), 0);
            for (count, taken) in cuts {
                let to = (from + count).min(bytes.len());
                input.add(&bytes[from..to]);
                from = to;
                // Some lines are left lying while more comes.
                for _ in 0..taken {
                    if let Next::Line(line) = input.next() {
                        lines.push(Some(line));
                    }
                }
            }
            input.add(&bytes[from..]);
            lines_of(&mut input, &mut lines);
            prop_assert_eq!(lines, expected);
            prop_assert_eq!(input.is_empty(), bytes.is_empty() || bytes.ends_with(b"\n"));
        }
    }
}
