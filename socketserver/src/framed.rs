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
        // A frame of no length needs nothing to arrive.
        self.take_frames(Vec::new(), out);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Address;
    use crate::outlet::Outlets;
    use crate::protocol::Pending;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// What came of a whole input.
    #[derive(PartialEq, Eq, Debug, Default)]
    struct Outcome {
        frames: Vec<Vec<u8>>,
        /// What `ended` was given; `None` if it was not called, because the conversation had failed or was closed.
        rest: Option<Vec<u8>>,
    }

    /// The framings that follow each other, again and again, and after how many frames the handler closes.
    #[derive(Clone, Debug)]
    struct Plan {
        framings: Vec<Framing>,
        closes_after: usize,
        bytes_max: usize,
    }

    impl Plan {
        fn framing(&self, number: usize) -> Framing {
            self.framings[number % self.framings.len()].clone()
        }
    }

    struct Collects {
        plan: Plan,
        outcome: Outcome,
    }

    impl FrameHandler for Collects {
        fn frame(&mut self, frame: &[u8], framing: &mut Framing, out: &mut Output<'_>) {
            self.outcome.frames.push(frame.to_vec());
            *framing = self.plan.framing(self.outcome.frames.len());
            if self.outcome.frames.len() == self.plan.closes_after {
                out.close();
            }
        }

        fn ended(&mut self, rest: &[u8], _: &mut Output<'_>) {
            self.outcome.rest = Some(rest.to_vec());
        }
    }

    /// Runs it as a driver does: after a close nothing more is received.
    fn framed(plan: &Plan, parts: &[Vec<u8>]) -> Outcome {
        let handler = Collects { plan: plan.clone(), outcome: Outcome::default() };
        let mut framed = Framed::new(plan.framing(0), handler).frame_bytes_max(plan.bytes_max);
        let mut pending = Pending::stream();
        let client = Address::Unnamed;
        let mut out = Output { pending: &mut pending, client_address: &client, outlets: &Outlets::None };
        framed.opened(&mut out);
        for part in parts {
            if !out.pending.is_closing {
                framed.received(part, &mut out);
            }
        }
        if !out.pending.is_closing {
            framed.ended(&mut out);
        }
        framed.handler.outcome
    }

    /// The same, from all bytes at once, without any cleverness.
    fn naive(plan: &Plan, mut rest: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut empty_in_a_row = 0;
        loop {
            let (frame, length) = match plan.framing(outcome.frames.len()) {
                Framing::Terminator(terminator) if !terminator.is_empty() => {
                    let starts = 0..=rest.len();
                    match starts.into_iter().find(|start| rest[*start..].starts_with(&terminator)) {
                        Some(start) => (start, start + terminator.len()),
                        None if rest.len() >= plan.bytes_max + terminator.len() => return outcome,
                        None => return Outcome { rest: Some(rest.to_vec()), ..outcome },
                    }
                }
                framing => {
                    let length = if let Framing::Length(length) = framing { length } else { 1 };
                    if rest.len() < length {
                        let is_too_long = rest.len() > plan.bytes_max;
                        return Outcome { rest: (!is_too_long).then(|| rest.to_vec()), ..outcome };
                    }
                    (length, length)
                }
            };
            empty_in_a_row = if length == 0 { empty_in_a_row + 1 } else { 0 };
            if frame > plan.bytes_max || empty_in_a_row > EMPTY_FRAMES_MAX {
                return outcome;
            }
            outcome.frames.push(rest[..frame].to_vec());
            rest = &rest[length..];
            if outcome.frames.len() == plan.closes_after {
                return outcome;
            }
        }
    }

    fn letters() -> impl Strategy<Value = u8> {
        prop::sample::select(b"ab\r\n".to_vec())
    }

    fn framings() -> impl Strategy<Value = Framing> {
        prop_oneof![
            4 => vec(letters(), 1..=4).prop_map(Framing::Terminator),
            1 => Just(Framing::Terminator(Vec::new())),
            3 => (0..8_usize).prop_map(Framing::Length),
        ]
    }

    fn plans() -> impl Strategy<Value = Plan> {
        (vec(framings(), 1..4), 1..60_usize, 0..14_usize)
            .prop_map(|(framings, closes_after, bytes_max)| Plan { framings, closes_after, bytes_max })
    }

    proptest! {
        #[test]
        fn any_split_gives_the_frames_of_a_naive_splitter(
            plan in plans(),
            parts in vec(vec(letters(), 1..9), 0..20),
        ) {
            prop_assert_eq!(framed(&plan, &parts), naive(&plan, &parts.concat()));
        }
    }

    #[test]
    fn frame_of_no_length_comes_before_anything_arrives() {
        let framings = vec![Framing::Length(0), Framing::lines()];
        let plan = Plan { framings, closes_after: 10, bytes_max: 10 };
        assert_eq!(framed(&plan, &[]).frames, [b""]);
    }

    #[test]
    fn terminator_is_found_only_once_when_it_overlaps_itself() {
        let framings = vec![Framing::Terminator(b"\r\n\r\n".to_vec())];
        let plan = Plan { framings, closes_after: 10, bytes_max: 10 };
        let parts = [b"a\r".to_vec(), b"\n\r\n".to_vec(), b"\r\n".to_vec()];
        let expected = Outcome { frames: vec![b"a".to_vec()], rest: Some(b"\r\n".to_vec()) };
        assert_eq!(framed(&plan, &parts), expected);
    }

    #[test]
    fn frame_beyond_the_bound_fails_with_the_bound() {
        let handler = Collects {
            plan: Plan { framings: vec![Framing::lines()], closes_after: 10, bytes_max: 3 },
            outcome: Outcome::default(),
        };
        let mut framed = Framed::new(Framing::lines(), handler).frame_bytes_max(3);
        let mut pending = Pending::stream();
        let client = Address::Unnamed;
        let mut out = Output { pending: &mut pending, client_address: &client, outlets: &Outlets::None };
        framed.received(b"abc\nabcd", &mut out);
        assert_eq!(framed.handler.outcome.frames, [b"abc"]);
        assert!(pending.is_closing);
        assert_eq!(pending.failure.unwrap().to_string(), "a frame is longer than 3 bytes");
    }
}
