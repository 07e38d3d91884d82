//! Frames out of a stream, by a terminator or by a length: what Python's `asynchat` did.
//!
//! It stands between a [`Protocol`] and the user's [`FrameHandler`], and is itself a protocol: it runs wherever one does.
//! A frame has a bound, because a client may send one without an end.

use crate::protocol::{Ending, Output, Protocol};
use std::mem;

/// How the next frame ends.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Framing {
    /// Before these bytes, which are not part of it. An empty terminator would end a frame before its beginning, and is taken for
    /// [`Framing::Length`] of one.
    Terminator(Vec<u8>),
    /// After so many bytes. Of zero bytes there is one frame, at once, without anything arriving.
    Length(usize),
}

impl Framing {
    /// Lines, ended by LF.
    pub fn lines() -> Framing {
        Framing::Terminator(b"\n".to_vec())
    }
}

/// Handles frames one by one.
pub trait FrameHandler {
    /// The client is there.
    fn opened(&mut self, out: &mut Output<'_>) {
        let _ = out;
    }

    /// A frame is complete. `framing` says how the next one will end, and may be changed: a header that ends in an empty
    /// line, for example, and then a body of the length that it names.
    fn frame(&mut self, frame: &[u8], framing: &mut Framing, out: &mut Output<'_>);

    /// The client sends nothing more. `rest` is the frame that was begun.
    fn ended(&mut self, rest: &[u8], out: &mut Output<'_>) {
        let _ = (rest, out);
    }

    /// The conversation is over.
    fn closed(&mut self, ending: Ending) {
        let _ = ending;
    }
}

/// A [`Protocol`] that cuts what arrives into frames and hands them to a [`FrameHandler`].
///
/// ```
/// use socketserver::{Endpoint, Evented, FrameHandler, Framed, Framing, Listener, Output, Server};
///
/// /// Answers each line with the same in capitals.
/// struct Shout;
///
/// impl FrameHandler for Shout {
///     fn frame(&mut self, line: &[u8], _: &mut Framing, out: &mut Output) {
///         out.send(&line.to_ascii_uppercase());
///         out.send(b"\n");
///     }
/// }
///
/// # fn main() -> Result<(), socketserver::Error> {
/// let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
/// let server = Server::sans_io(listener, Evented::default(), |_: &_| Framed::new(Framing::lines(), Shout))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Framed<H> {
    handler: H,
    framing: Framing,
    bytes_max: usize,
    /// What has arrived and belongs to no frame yet.
    collected: Vec<u8>,
    /// So many bytes at its beginning were looked through in vain.
    searched: usize,
}

/// How long a frame may be, unless told otherwise.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// How many frames one call may find that consist of nothing.
const EMPTY_FRAMES_MAX: usize = 16;

impl<H: FrameHandler> Framed<H> {
    /// Frames of at most 64 KiB, of which the first one ends as `framing` says.
    pub const fn new(framing: Framing, handler: H) -> Framed<H> {
        Framed { handler, framing, bytes_max: FRAME_BYTES_MAX, collected: Vec::new(), searched: 0 }
    }

    /// Frames of at most `bytes_max` bytes. A longer one [fails](Output::fail) the conversation.
    #[must_use]
    pub fn frame_bytes_max(self, bytes_max: usize) -> Framed<H> {
        Framed { bytes_max, ..self }
    }

    fn take_frames(&mut self, arrived: Vec<u8>, out: &mut Output<'_>) {
        let mut start = 0;
        let mut empty_in_vain = 0;
        while !out.pending.is_closing {
            let rest = &arrived[start..];
            let Some((frame, length)) = self.find(rest) else { break };
            if frame > self.bytes_max {
                break;
            }
            empty_in_vain = if length == 0 { empty_in_vain + 1 } else { 0 };
            if empty_in_vain > EMPTY_FRAMES_MAX {
                out.fail("frames of no length follow each other without an end");
                break;
            }
            self.searched = 0;
            self.handler.frame(&rest[..frame], &mut self.framing, out);
            start += length;
        }
        self.collected = arrived;
        self.collected.drain(..start);
        if !out.pending.is_closing && self.collected.len() > self.bytes_max + self.terminator_bytes() {
            out.fail(format!("a frame is longer than {} bytes", self.bytes_max));
        }
        if out.pending.is_closing {
            self.collected = Vec::new();
        }
    }

    /// The first frame: its own length, and that with the terminator.
    fn find(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        match &self.framing {
            Framing::Terminator(terminator) if !terminator.is_empty() => {
                let found = position(&bytes[self.searched..], terminator);
                let Some(position) = found.map(|position| self.searched + position) else {
                    // The terminator may have begun.
                    self.searched = bytes.len().saturating_sub(terminator.len() - 1);
                    return None;
                };
                Some((position, position + terminator.len()))
            }
            Framing::Terminator(_) => (!bytes.is_empty()).then_some((1, 1)),
            Framing::Length(length) => (bytes.len() >= *length).then_some((*length, *length)),
        }
    }

    fn terminator_bytes(&self) -> usize {
        match &self.framing {
            // One less than all of it can have arrived without being found.
            Framing::Terminator(terminator) => terminator.len().saturating_sub(1),
            Framing::Length(_) => 0,
        }
    }
}

fn position(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    match pattern {
        [byte] => bytes.iter().position(|candidate| candidate == byte),
        _ => bytes.windows(pattern.len()).position(|window| window == pattern),
    }
}

impl<H: FrameHandler> Protocol for Framed<H> {
    fn opened(&mut self, out: &mut Output<'_>) {
        self.handler.opened(out);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        let mut arrived = mem::take(&mut self.collected);
        arrived.extend_from_slice(bytes);
        self.take_frames(arrived, out);
    }

    fn ended(&mut self, out: &mut Output<'_>) {
        let rest = mem::take(&mut self.collected);
        self.handler.ended(&rest, out);
    }

    fn closed(&mut self, ending: Ending) {
        self.handler.closed(ending);
    }
}
