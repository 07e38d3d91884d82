//! Lines that somebody else writes: standard input, or what a command prints. Each becomes a message, or a line of `join --plain`.
//!
//! Where it stands: a thread reads them, and only as many as it was allowed to, so that what waits is bounded however much there
//! is to read.
//!
//! What this file must never do: cut a line without a word, or read on while nobody wants any more.

use hub::{TEXT_BYTES_MAX, Text, TextProblem};
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// So many messages are read that are not acknowledged: twice as many as are on their way, so that these never wait for the reader.
pub(super) const AHEAD_MAX: usize = 1000;
/// Of a longer line no more is kept than is needed to say so: what is taken out of it may have been most of it.
const LINE_BYTES_MAX: usize = 8 * TEXT_BYTES_MAX;

/// What some programs write in front of a text in UTF-8. It is no part of the first line.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What was read.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Input {
    /// A message, and the number of its line.
    Message { number: u64, text: Text },
    /// A line that cannot be said, and why; and whether it looks like a command.
    Unsayable { number: u64, why: TextProblem, is_command: bool },
    /// There is no more.
    End,
    /// It cannot be read any more; what the system says.
    Broken(String),
}

/// Allows a reader to go on.
pub(crate) struct Allowance(Sender<usize>);

impl Allowance {
    /// So many messages more.
    pub(crate) fn grant(&self, count: usize) {
        // The reader may have come to the end.
        let _ = self.0.send(count);
    }
}

/// Reads lines in a thread of its own, and posts each as a message, the first so many without being allowed to. Blank lines are
/// passed over.
pub(crate) fn read_lines(
    source: impl Read + Send + 'static,
    ahead: usize,
    mut post: impl FnMut(Input) -> ControlFlow<()> + Send + 'static,
) -> Allowance {
    let (sender, allowed) = channel();
    thread::spawn(move || {
        let mut lines =
            Lines { source: BufReader::with_capacity(64 * 1024, source), number: 0, allowed, left: 0 };
        while lines.may_read() {
            let input = lines.next().unwrap_or_else(|error| Input::Broken(error.to_string()));
            let is_over = matches!(input, Input::End | Input::Broken(_));
            if post(input).is_break() || is_over {
                return;
            }
        }
    });
    let allowance = Allowance(sender);
    allowance.grant(ahead);
    allowance
}

struct Lines<R> {
    source: BufReader<R>,
    number: u64,
    allowed: Receiver<usize>,
    left: usize,
}

impl<R: Read> Lines<R> {
    /// Waits until one more message is wanted; it is not if nobody is there any more.
    fn may_read(&mut self) -> bool {
        while self.left == 0 {
            let Ok(more) = self.allowed.recv() else { return false };
            self.left += more;
        }
        self.left -= 1;
        true
    }

    /// The next line in which there is something to say.
    fn next(&mut self) -> io::Result<Input> {
        loop {
            let Some((mut line, bytes)) = bounded_line(&mut self.source)? else { return Ok(Input::End) };
            self.number += 1;
            if self.number == 1 && line.starts_with(BYTE_ORDER_MARK) {
                line.drain(..BYTE_ORDER_MARK.len());
            }
            let number = self.number;
            if bytes > LINE_BYTES_MAX {
                let why = TextProblem::TooLong { bytes, bytes_max: TEXT_BYTES_MAX };
                return Ok(Input::Unsayable { number, why, is_command: line.starts_with(b"/") });
            }
            line.pop_if(|last| *last == b'\r');
            match Text::new(&String::from_utf8_lossy(&line)) {
                Ok(text) => return Ok(Input::Message { number, text }),
                Err(TextProblem::Blank) => {}
                Err(why) => {
                    return Ok(Input::Unsayable { number, why, is_command: line.starts_with(b"/") });
                }
            }
        }
    }
}

/// A line without its end, of which not more than [`LINE_BYTES_MAX`] bytes are kept, and how many it had. None at the end.
fn bounded_line(source: &mut impl BufRead) -> io::Result<Option<(Vec<u8>, usize)>> {
    let (mut line, mut bytes) = (Vec::new(), 0);
    loop {
        let piece = match source.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            return Ok((bytes > 0).then_some((line, bytes)));
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let part = &piece[..end.unwrap_or(piece.len())];
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        bytes += part.len();
        let taken = part.len() + usize::from(end.is_some());
        source.consume(taken);
        if end.is_some() {
            return Ok(Some((line, bytes)));
        }
    }
}

/// All of it as one message.
pub(super) fn read_whole(source: impl Read) -> io::Result<Result<Text, TextProblem>> {
    let mut bytes = Vec::new();
    let count = source.take(LINE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    if count > LINE_BYTES_MAX {
        return Ok(Err(TextProblem::TooLong { bytes: count, bytes_max: TEXT_BYTES_MAX }));
    }
    Ok(Text::new(&String::from_utf8_lossy(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    /// A reader, and what it posts.
    fn reader(source: impl Read + Send + 'static) -> (Allowance, Receiver<Input>) {
        let (posts, waiting) = sync_channel(2 * AHEAD_MAX);
        let post = move |input| posts.send(input).map_or(ControlFlow::Break(()), ControlFlow::Continue);
        (read_lines(source, AHEAD_MAX, post), waiting)
    }

    fn inputs(source: &'static [u8]) -> Vec<Input> {
        let (_allowance, waiting) = reader(source);
        waiting.iter().collect()
    }

    fn message(number: u64, text: &str) -> Input {
        Input::Message { number, text: Text::new(text).unwrap() }
    }

    #[test]
    fn each_line_is_a_message_and_blank_ones_are_passed_over() {
        let read = inputs(b"\xef\xbb\xbfone\r\n\n  \ntwo\nthree");
        assert_eq!(read, [message(1, "one"), message(4, "two"), message(5, "three"), Input::End]);
    }

    #[test]
    fn line_that_is_too_long_is_named_and_the_next_one_is_read() {
        let long: &'static [u8] =
            Vec::leak([&vec![b'x'; 20_000][..], b"\n", &vec![b'y'; 200_000], b"\nz\n"].concat());
        let too_long = |number, bytes| Input::Unsayable {
            number,
            why: TextProblem::TooLong { bytes, bytes_max: TEXT_BYTES_MAX },
            is_command: false,
        };
        assert_eq!(inputs(long), [too_long(1, 20_000), too_long(2, 200_000), message(3, "z"), Input::End]);
    }

    #[test]
    fn no_more_is_read_than_was_allowed() {
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
                bytes.fill(b'\n');
                bytes.chunks_exact_mut(2).for_each(|pair| pair[0] = b'x');
                Ok(bytes.len())
            }
        }
        let (allowance, waiting) = reader(Endless);
        for _ in 0..AHEAD_MAX {
            waiting.recv().unwrap();
        }
        assert!(waiting.recv_timeout(std::time::Duration::from_millis(50)).is_err());
        allowance.grant(1);
        assert!(waiting.recv().is_ok());
    }

    #[test]
    fn whole_text_is_bounded() {
        assert_eq!(read_whole(&b"one\n\ntwo\n"[..]).unwrap(), Text::new("one\n\ntwo"));
        assert!(matches!(read_whole(io::repeat(b'x')), Ok(Err(TextProblem::TooLong { .. }))));
        assert!(matches!(read_whole(&[b'\n'; 10][..]), Ok(Err(TextProblem::Blank))));
    }
}
