//! `tail`: prints what was said in a room, and what is being said.
//!
//! Where it stands: behind the command line. Only what is kept is printed, so that it is the same whether one was there or came later.
//!
//! One number decides everything: up to which sequence it has printed. The next one is printed when it is told; if a later one is
//! told, what lies between is read as pages first. That covers gaps, reconnects and whatever happened while pages were read.
//!
//! What this file must never do: print an event twice, or out of order, or leave one out without a word.

use super::printed::{Context, Form, Printer, events_of};
use super::visit::{Happened, Patience, Question, Visit, not_let_in};
use super::{DONE, Problem, remark};
use crate::address::Address;
use crate::link::Otherwise;
use crate::moments::rfc3339;
use crate::wire::{Answer, Event, Page, Picture, Request, Shape, Span};
use hub::Time;
use serde_json::Value;
use std::collections::VecDeque;

/// A page has at most so many events; the server has the same bound.
const PAGE_EVENTS_MAX: u32 = 200;

/// The first that is kept of each room is that it was opened, which no page shows.
const OPENED: u64 = 1;

/// What is wanted of a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TailWanted {
    /// From where on.
    pub beginning: Beginning,
    /// Whether it ends.
    pub ending: Ending,
    /// How it is printed.
    pub form: Form,
}

/// Where it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beginning {
    /// With the last so many.
    Last(u32),
    /// With what was said from this moment on.
    Since(Time),
}

/// Where it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// With what has been said when it comes.
    Now,
    /// It goes on with what happens, until it is told to end.
    Never,
}

/// Prints a room.
///
/// # Errors
/// There was no connection, or it was not let in, or nobody reads.
pub fn tail(address: &Address, wanted: &TailWanted) -> Result<u8, Problem> {
    let patience = match wanted.ending {
        Ending::Now => Patience::Short,
        Ending::Never => Patience::OnceThere,
    };
    let mut visit = Visit::start(address, Otherwise::Home, patience)?;
    let picture = visit.enter()?;
    let mut tail = Tail {
        printer: Printer::new(wanted.form, &picture.room),
        room: picture.room.to_string(),
        printed: picture.sequence,
        heard: picture.sequence,
        page: None,
        past: Past::Unread,
        visit,
    };
    let ended = tail.print_past(wanted.beginning).and_then(|()| match wanted.ending {
        Ending::Now => {
            tail.tell_silence();
            Ok(DONE)
        }
        Ending::Never => tail.follow(),
    });
    tail.visit.leave();
    ended
}

struct Tail {
    visit: Visit<()>,
    printer: Printer,
    room: String,
    /// All up to this sequence is printed, or will not be.
    printed: u64,
    /// The last sequence that was heard of.
    heard: u64,
    /// The page that was asked for.
    page: Option<Question>,
    /// What its pages have told of the room so far.
    past: Past,
}

/// What is known of what was ever said in a room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Past {
    /// Nothing: no page was asked for, or the server has none to give.
    Unread,
    /// There is something, or was.
    Something,
    /// There was never anything.
    Nothing,
}

/// An event of a page, and its JSON.
type Entry = (Event, Value);

impl Tail {
    /// What was there when it came in.
    fn print_past(&mut self, beginning: Beginning) -> Result<(), Problem> {
        match beginning {
            Beginning::Last(count) => self.print_last(count as usize)?,
            Beginning::Since(time) => self.print_since(time)?,
        }
        self.printer.flush()
    }

    fn print_last(&mut self, count: usize) -> Result<(), Problem> {
        let mut entries = VecDeque::new();
        let mut before = Some(self.printed.saturating_add(1));
        while let Some(end) = before.filter(|_| entries.len() < count) {
            let missing = (count - entries.len()).min(PAGE_EVENTS_MAX as usize) as u32;
            let Some((page, line)) = self.page(&Span::Before(end), missing)? else { break };
            before = page.before.filter(|next| *next < end);
            for entry in entries_of(page, &line).into_iter().rev() {
                entries.push_front(entry);
            }
        }
        for (event, written) in entries {
            self.printer.event(&event, written, Context::Room);
        }
        Ok(())
    }

    fn print_since(&mut self, time: Time) -> Result<(), Problem> {
        let mut span = Some(Span::Since(rfc3339(time)));
        let mut reached = 0;
        while let Some(next) = span.take() {
            let Some((page, line)) = self.page(&next, PAGE_EVENTS_MAX)? else { break };
            let (after, last) = (page.after, page.events.last().and_then(|event| event.sequence));
            for (event, written) in entries_of(page, &line) {
                if event.sequence.is_some_and(|sequence| sequence <= self.printed) {
                    self.printer.event(&event, written, Context::Room);
                }
            }
            self.printer.flush()?;
            let is_past = last.is_none_or(|last| last >= self.printed);
            // What does not go on would never end.
            span = after.filter(|after| !is_past && *after > reached).map(Span::After);
            reached = after.unwrap_or(reached);
        }
        Ok(())
    }

    /// Asks for a page and waits for it; none if there are none. What happens meanwhile is read later, as pages.
    fn page(&mut self, span: &Span, limit: u32) -> Result<Option<(Page, Vec<u8>)>, Problem> {
        let mut question = self.ask(span.clone(), limit);
        loop {
            let (answer, line) = self.visit.next_told(&mut question)?;
            match (question.is_answered_by(&answer), answer) {
                (true, Answer::History(page)) => {
                    self.past = match self.past {
                        Past::Unread if page.events.is_empty() && self.printed <= OPENED => Past::Nothing,
                        _ => Past::Something,
                    };
                    return Ok(Some((page, line)));
                }
                (true, Answer::Refusal(refusal)) => {
                    remark(&refusal.text);
                    return Ok(None);
                }
                (_, answer) => {
                    not_let_in(&answer)?;
                    self.note(&answer);
                }
            }
        }
    }

    /// Who comes to a room that does not exist opens it, and would never learn that its name is misspelled.
    fn tell_silence(&self) {
        if self.past == Past::Nothing {
            remark(&format!("nothing has been said in #{}", self.room));
        }
    }

    fn ask(&mut self, span: Span, limit: u32) -> Question {
        let room = self.room.clone();
        self.visit.ask(Request::History { room, span, limit: Some(limit) })
    }

    /// Remembers how much there is that is not printed.
    fn note(&mut self, answer: &Answer) {
        match answer {
            Answer::Event(event) if event.room.as_deref() == Some(&*self.room) => {
                self.heard = self.heard.max(event.sequence.unwrap_or(0));
            }
            Answer::Gap(gap) if gap.room.as_deref() == Some(&*self.room) => {
                self.heard = self.heard.max(gap.to.unwrap_or(0));
            }
            Answer::Joined(picture) if *picture.room == *self.room => self.come_back(picture),
            _ => {}
        }
    }

    /// It is in the room again, and may be told what it missed, or not.
    fn come_back(&mut self, picture: &Picture) {
        let has_same_numbers = picture.resumed || picture.reason.as_deref() == Some("unreadable");
        if has_same_numbers {
            self.heard = self.heard.max(picture.sequence);
        } else {
            remark("the server has begun another history; what follows is all of it that is known");
            self.printed = picture.sequence;
            self.heard = picture.sequence;
            // A page of what was there before is of no use.
            self.page = None;
        }
    }

    /// What happens from now on.
    fn follow(&mut self) -> Result<u8, Problem> {
        loop {
            self.catch_up();
            match &mut self.page {
                Some(question) => {
                    let (answer, line) = self.visit.next_told(question)?;
                    self.told(answer, &line)?;
                }
                None => match self.visit.next(None)? {
                    Happened::Told { answer, line } => self.told(answer, &line)?,
                    Happened::Signal(number) => return Err(Problem::Signal(number)),
                    _ => {}
                },
            }
        }
    }

    /// Asks for what is missing, if anything is and it was not asked for.
    fn catch_up(&mut self) {
        if self.heard > self.printed && self.page.is_none() {
            let span = Span::Facts { after: self.printed, shape: Shape::Facts };
            self.page = Some(self.ask(span, PAGE_EVENTS_MAX));
        }
    }

    fn told(&mut self, answer: Answer, line: &[u8]) -> Result<(), Problem> {
        not_let_in(&answer)?;
        let is_page = self.page.as_ref().is_some_and(|question| question.is_answered_by(&answer));
        match answer {
            Answer::Event(event) if self.is_next(&event) => {
                let written = serde_json::from_slice(line).unwrap_or_default();
                self.print(&event, written);
            }
            Answer::History(page) if is_page => self.paged(page, line),
            Answer::Refusal(refusal) if is_page => self.missed(&refusal.text),
            answer => self.note(&answer),
        }
        self.printer.flush()
    }

    fn is_next(&self, event: &Event) -> bool {
        event.room.as_deref() == Some(&*self.room)
            && event.sequence.is_some_and(|sequence| Some(sequence) == self.printed.checked_add(1))
            && self.page.is_none()
    }

    fn paged(&mut self, page: Page, line: &[u8]) {
        self.page = None;
        let before = self.printed;
        for (event, written) in entries_of(page, line) {
            if event.sequence.is_some_and(|sequence| sequence > self.printed) {
                self.print(&event, written);
            }
        }
        // Whatever it says about more: to ask once more would be to ask for the same.
        if self.printed == before {
            self.missed("the server does not have them any more");
        }
    }

    /// What was heard of cannot be read.
    fn missed(&mut self, why: &str) {
        self.page = None;
        remark(&format!("{} messages are missing here: {why}", self.heard.saturating_sub(self.printed)));
        self.printed = self.printed.max(self.heard);
    }

    fn print(&mut self, event: &Event, written: Value) {
        self.printer.event(event, written, Context::Room);
        self.printed = event.sequence.unwrap_or(self.printed);
        self.heard = self.heard.max(self.printed);
    }
}

fn entries_of(page: Page, line: &[u8]) -> Vec<Entry> {
    page.events.into_iter().zip(events_of(line)).collect()
}
