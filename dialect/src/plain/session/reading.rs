//! Reading the past: what a newcomer is shown of it, and what `/history` asks for.
//!
//! Where it stands: between the pages that the history answers with and the lines of the past. One reading is under way at a
//! time, and lines wait for it as they do for every answer. A long one is pulled page by page, when everything that was
//! said so far has been read, so that it may be as long as it likes. To show the last thousand messages one has to know
//! where they begin: the pages are first counted backwards, and then shown forwards.
//!
//! What this file must never do: show what the person reads live as well, or keep a page.

use super::{PlainSession, Turn};
use crate::Flow;
use crate::plain::past;
use crate::plain::questions::Extent;
use crate::plain::words;
use hub::{Command, Keeping, Page, Place, RoomView, Sequence, Shape, Span, Verb};
use jiff::civil::Date;

/// What is being read of the past.
pub(super) struct Reading {
    course: Course,
    /// The last message to be shown; what comes behind it, the person reads or has read live.
    upto: Sequence,
    has_shown: bool,
    /// The day that the last line belongs to.
    day: Option<Date>,
}

/// How a reading goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// One page for a newcomer, while what happens in its rooms waits.
    Replay,
    /// Backwards: so many messages have to be found yet.
    Back { messages: u64 },
    /// Forwards, page by page.
    Forward,
}

impl Reading {
    fn new(course: Course, upto: Sequence) -> Reading {
        Reading { course, upto, has_shown: false, day: None }
    }

    /// Shows a page or counts it; returns what is to be asked for next, if anything is.
    fn take_in(&mut self, page: &Page, turn: &mut Turn<'_>) -> Option<Command> {
        self.upto = self.upto.min(page.wanted.upto);
        if let Course::Back { messages } = self.course {
            let messages = messages.saturating_sub(page.lines.len() as u64);
            if let (1.., Some(before)) = (messages, page.before) {
                self.course = Course::Back { messages };
                return Some(history(page, Span::Before(before), messages));
            }
            self.course = Course::Forward;
        }
        self.show(page, turn);
        match page.after {
            Some(after) if self.course == Course::Forward && after < self.upto => {
                Some(history(page, Span::After(after), self.upto.0 - after.0))
            }
            _ => None,
        }
    }

    fn show(&mut self, page: &Page, turn: &mut Turn<'_>) {
        let words_before = turn.output.words.len();
        if self.course == Course::Forward && page.before.is_none() && page.forgotten > Sequence(0) {
            words::forgotten(turn.output);
        }
        let is_asked = |sequence: Option<Sequence>| sequence.is_none_or(|sequence| sequence <= self.upto);
        let lines = page.lines.iter().filter(|line| is_asked(line.event.sequence()));
        past::lines(turn.setup, Some(turn.now), lines, &mut self.day, turn.output);
        self.has_shown |= turn.output.words.len() > words_before;
    }

    fn finish(&self, turn: &mut Turn<'_>) {
        match self.course {
            Course::Replay => turn.output.flow = Flow::GoOn,
            _ if !self.has_shown => words::no_past(turn.output),
            _ => {}
        }
    }
}

/// More of the room that a page is of.
fn history(page: &Page, span: Span, messages: u64) -> Command {
    asking(Place::Number(page.wanted.room.number), span, messages)
}

/// The hub bounds how many messages a page has; nobody else needs to.
fn asking(room: Place, span: Span, messages: u64) -> Command {
    let lines_max = u32::try_from(messages).unwrap_or(u32::MAX);
    Command::History { room, span, lines_max, shape: Shape::Present }
}

impl PlainSession {
    /// Shows a newcomer what was said last. What happens from now on waits for that; so do lines, because this belongs to
    /// the answer that they waited for.
    pub(super) fn replay(&mut self, view: &RoomView, turn: &mut Turn<'_>) {
        // Nothing was said before the second fact: the first one opened the room.
        let is_wanted = turn.setup.keeping == Keeping::History
            && turn.setup.replay_lines > 0
            && view.upto > Sequence(1)
            && !self.style.relays();
        // Somebody who did not ask to come in may be waiting for another page.
        if !is_wanted || self.awaited != Some(Verb::Join) {
            return;
        }
        turn.output.flow = Flow::Wait;
        let command = asking(
            Place::Number(view.room.number),
            Span::Before(view.upto.next()),
            turn.setup.replay_lines.into(),
        );
        self.begin_reading(Reading::new(Course::Replay, view.upto), command, turn);
    }

    /// Shows what `/history` asks for.
    pub(in crate::plain) fn read_past(&mut self, room: Place, extent: Extent, turn: &mut Turn<'_>) {
        let end = Sequence(u64::MAX);
        let (course, upto, span, messages) = match extent {
            Extent::Last(messages) => (Course::Back { messages }, end, Span::Latest, messages),
            Extent::Since(time) => (Course::Forward, end, Span::Since(time), u64::MAX),
            Extent::Between(from, to) => {
                let before = Sequence(from.0.saturating_sub(1));
                (Course::Forward, to, Span::After(before), to.0 - before.0)
            }
        };
        self.begin_reading(Reading::new(course, upto), asking(room, span, messages), turn);
    }

    fn begin_reading(&mut self, reading: Reading, command: Command, turn: &mut Turn<'_>) {
        self.with_rare(|rare| rare.reading = Some(reading));
        self.ask(command, turn);
    }

    pub(super) fn is_reading_past(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.reading.is_some())
    }

    /// A page has come. The next is asked for when this one has been read; if nothing of it was shown, at once.
    pub(super) fn page_came(&mut self, page: &Page, turn: &mut Turn<'_>) {
        let Some(reading) = self.rare.as_mut().and_then(|rare| rare.reading.as_mut()) else { return };
        let words_before = turn.output.words.len();
        match reading.take_in(page, turn) {
            None => {
                reading.finish(turn);
                self.list(None, 0);
                self.with_rare(|rare| rare.reading = None);
            }
            Some(command) if turn.output.words.len() == words_before => turn.output.commands.push(command),
            Some(command) => self.list(Some(command), 0),
        }
    }

    /// The rest of a long answer is not to be had: nothing waits for it any more.
    pub(super) fn end_long_answer(&mut self, turn: &mut Turn<'_>) {
        let mut course = None;
        self.with_rare(|rare| {
            rare.listing = None;
            course = rare.reading.take().map(|reading| reading.course);
        });
        if course == Some(Course::Replay) {
            turn.output.flow = Flow::GoOn;
        }
    }
}
