//! What `/history` asks for: where one scrolls, it goes there; where lines are printed, it prints it.
//!
//! Where it stands: behind the command, which is read as the server reads it from those who type; `answers` brings the pages. A
//! part that has more than one page is printed page by page. To print the last thousand messages one has to know where they
//! begin: the pages are first counted backwards, and then printed forwards.
//!
//! What this file must never do: print what was or will be printed as it happens, keep a page, or ask for one that leads no further.

use super::{Asked, Medium, Model, What};
use crate::moments::rfc3339;
use crate::wire::{Page, Request, Span};
use dialect::plain::{Extent, HistoryAsked, NotUnderstood, read_history};
use hub::Time;
use jiff::civil::Date;

/// What can stand behind `/history`.
const POSSIBLE: &str = "write 200, 2h, 10:00, 2026-11-20 or 17-428, alone or behind a room's name";

/// A part of a room's past that is being printed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Printing {
    room: u32,
    course: Course,
    /// The last sequence that is to be printed.
    upto: u64,
    /// The day that the last line belongs to, if anything was printed.
    day: Option<Date>,
}

/// How it goes on.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Course {
    /// Backwards from this sequence: so many messages have to be found yet.
    Back { messages: u64, before: u64 },
    /// Forwards from this one.
    Forward { after: u64 },
}

impl Model {
    pub(super) fn history(&mut self, parameters: &str) -> bool {
        if parameters.is_empty() && self.medium == Medium::Screen {
            self.scroll_by(-self.page_rows());
            return true;
        }
        let asked = match read_history(&self.options.zone, self.time, parameters) {
            Ok(asked) => asked,
            Err(NotUnderstood(typed)) => {
                let typed = hub::quoted(typed);
                self.problem(format!("'{typed}' is no part of the past; {POSSIBLE}"));
                return false;
            }
        };
        let Some(index) = self.index_of_past(&asked) else { return false };
        match self.medium {
            Medium::Screen => self.go_to_past(index, asked.extent),
            Medium::Lines => self.start_printing(index, asked.extent),
        }
        true
    }

    /// Of which room; why of none is told.
    fn index_of_past(&mut self, asked: &HistoryAsked<'_>) -> Option<usize> {
        let index = match asked.room {
            None => Some(self.current).filter(|&current| current < self.rooms.len()),
            Some(name) => self
                .index_of_room(name.trim_start_matches('#'))
                .or_else(|| self.index_with(name.trim_start_matches('@'))),
        };
        if index.is_none() {
            self.problem(match asked.room {
                None => "you are in no room; /join NAME enters one".to_owned(),
                Some(name) => {
                    let name = hub::quoted(name);
                    format!("'{name}' is no room that you are in, and no part of the past; {POSSIBLE}")
                }
            });
        }
        index
    }

    fn go_to_past(&mut self, index: usize, extent: Extent) {
        self.go_to(index);
        let timeline = &self.rooms[index].timeline;
        let (target, span) = match extent {
            Extent::Last(messages) => {
                let target = timeline.last_order().saturating_sub(messages - 1).max(1);
                (Some(target), Span::Around(target))
            }
            Extent::Between(from, _) => (Some(from.0.max(1)), Span::Around(from.0.max(1))),
            Extent::Since(time) => (None, Span::Since(rfc3339(time))),
        };
        if let Some(item) = target.and_then(|target| timeline.kept(target)).map(|item| item.number) {
            return self.centre(item);
        }
        let limit = Some(super::PAGE_ITEMS);
        self.ask_past(index, (span, limit), |room| Asked::Around { room, target });
    }

    /// The page is here on which this is to be seen, or what comes next behind it.
    pub(super) fn show_from(&mut self, index: usize, target: Option<u64>) {
        let timeline = &self.rooms[index].timeline;
        let item = target.and_then(|target| timeline.first_kept_from(target)).map(|item| item.number);
        match item {
            Some(item) if index == self.current => self.centre(item),
            Some(_) => {}
            None => self.hint("nothing was said here since then"),
        }
    }

    fn start_printing(&mut self, index: usize, extent: Extent) {
        let last = self.rooms[index].timeline.last_order();
        let behind = last.saturating_add(1);
        let (course, upto, span) = match extent {
            Extent::Last(messages) => (Course::Back { messages, before: behind }, last, Span::Before(behind)),
            Extent::Since(time) => (Course::Forward { after: 0 }, last, Span::Since(rfc3339(time))),
            Extent::Between(from, to) => {
                let after = from.0.saturating_sub(1);
                (Course::Forward { after }, to.0.min(last), Span::After(after))
            }
        };
        let room = self.rooms[index].number;
        self.ask_to_print(index, span, Printing { room, course, upto, day: None });
    }

    fn ask_to_print(&mut self, index: usize, span: Span, printing: Printing) {
        let messages = match printing.course {
            Course::Back { messages, .. } => messages,
            Course::Forward { after } => printing.upto.saturating_sub(after).max(1),
        };
        let limit = Some(u32::try_from(messages).unwrap_or(u32::MAX));
        self.ask_past(index, (span, limit), |_| Asked::Printed(printing));
    }

    fn ask_past(
        &mut self,
        index: usize,
        (span, limit): (Span, Option<u32>),
        asked: impl FnOnce(u32) -> Asked,
    ) {
        let room = &self.rooms[index];
        let number = room.number;
        match room.name().map(ToString::to_string) {
            Some(room) => drop(self.ask(Request::History { room, span, limit }, asked(number))),
            None => self.hint("nothing was said here yet"),
        }
    }

    /// A page has come. It is counted or printed, and the next is asked for, if there is more to print.
    pub(super) fn print_past(&mut self, mut printing: Printing, page: &Page) {
        let Some(index) = self.index_numbered(printing.room) else { return };
        if let Course::Back { messages, before } = printing.course {
            let messages = messages.saturating_sub(page.events.len() as u64);
            if let (1.., Some(earlier)) = (messages, page.before.filter(|earlier| *earlier < before)) {
                printing.course = Course::Back { messages, before: earlier };
                return self.ask_to_print(index, Span::Before(earlier), printing);
            }
            printing.course = Course::Forward { after: 0 };
        }
        self.print_part(index, &mut printing, page);
        let Course::Forward { after } = printing.course else { return };
        match page.after.filter(|later| (after + 1..printing.upto).contains(later)) {
            Some(later) => {
                printing.course = Course::Forward { after: later };
                self.ask_to_print(index, Span::After(later), printing);
            }
            None if printing.day.is_none() => self.print("-- nothing was said".to_owned()),
            None => {}
        }
    }

    fn print_part(&mut self, index: usize, printing: &mut Printing, page: &Page) {
        if page.before.is_none() && page.forgotten.is_some_and(|forgotten| forgotten > 0) {
            self.print("-- what was said before is not kept any more".to_owned());
        }
        let mut items: Vec<(u64, Time, What)> = self.items_of(index, page);
        items.retain(|(sequence, ..)| *sequence <= printing.upto);
        self.print_page(index, &items, &mut printing.day);
    }
}
