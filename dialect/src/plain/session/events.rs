//! From events to what the session knows, and to words for this person.
//!
//! Where it stands: behind the hub. An event that answers a command lets the lines go on that waited for it.
//!
//! What this file must never do: put into words what is shown to a whole room.

use super::{Entered, Greeting, Listing, PlainSession, Stage, Turn, Visibility};
use crate::plain::past;
use crate::plain::words::{self, remark};
use hub::{Command, Event, Keeping, Place, Refusal, RoomRef, RoomView, Verb};

impl PlainSession {
    pub(super) fn told_while_leaving(&mut self, event: &Event, turn: &mut Turn<'_>) {
        if !matches!(event, Event::Disconnected | Event::Refused { verb: Verb::Quit, .. }) {
            return;
        }
        if self.stage == Stage::Quitting {
            remark!(turn.output, "bye");
        }
        self.close(turn.output);
    }

    pub(super) fn note(&mut self, event: &Event, turn: &mut Turn<'_>) {
        match event {
            Event::Admitted(view) => {
                self.enter(&view.room, turn.setup.keeping);
                words::admitted(view, self.others_listening(view), self.greeting, turn.output);
                self.greeting = Greeting::Done;
                self.replay(view, turn);
            }
            Event::Pictured(view) => words::pictured(view, self.others_listening(view), turn.output),
            Event::Dismissed { room } => self.dismissed(room, turn),
            Event::Disconnected => self.close(turn.output),
            Event::Refused { verb, refusal, .. } => self.refused(*verb, refusal, turn),
            Event::Names { room, names, listening, next } => {
                let shown = self.shown();
                let page =
                    words::NamesPage { room, names, listening: *listening, shown, is_last: next.is_none() };
                words::names(&page, turn.output);
                let place = Place::Number(room.number);
                let next = next.map(|after| Command::Who { room: place, after: Some(after) });
                self.list(next, shown + names.len());
            }
            Event::RoomList { rooms, next } => {
                words::rooms(rooms, turn.output);
                let next = next.clone().map(|after| Command::Rooms { after: Some(after) });
                self.list(next, self.shown() + rooms.len());
            }
            Event::Page(page) => self.page_came(page, turn),
            Event::Found(findings) => past::found(turn.setup, findings, turn.output),
            Event::Completions { names } => self.found(names, turn),
            _ => words::told(event, turn.output),
        }
    }

    fn enter(&mut self, room: &RoomRef, keeping: Keeping) {
        if self.rooms.iter().all(|entered| entered.number != room.number) {
            // Most people are in one room; they should not pay for four.
            self.rooms.push(Entered { number: room.number, name: room.name.clone(), keeping });
        }
    }

    fn dismissed(&mut self, room: &RoomRef, turn: &mut Turn<'_>) {
        let was_current = self.rooms.last().is_some_and(|entered| entered.number == room.number);
        self.rooms.retain(|entered| entered.number != room.number);
        let talk = match self.rooms.last() {
            None => words::Talk::Nowhere(&turn.setup.home.shown),
            Some(current) if was_current => words::Talk::Now(&current.name),
            Some(current) => words::Talk::Still(&current.name),
        };
        words::dismissed(room, &talk, turn.output);
    }

    fn refused(&mut self, verb: Verb, refusal: &Refusal, turn: &mut Turn<'_>) {
        remark!(turn.output, "{refusal}");
        if matches!((verb, refusal), (Verb::History, Refusal::NoSuchRoom(room)) if room.starts_with('#')) {
            words::no_room_with_a_past(turn.output);
        }
        if self.awaited == Some(verb) {
            self.end_long_answer(turn);
        }
        if verb == Verb::Connect {
            self.close(turn.output);
        }
    }

    /// How many listen in a room besides this person.
    fn others_listening(&self, view: &RoomView) -> u32 {
        match self.visibility {
            Visibility::Hidden => view.listening.saturating_sub(1),
            Visibility::Visible => view.listening,
        }
    }

    /// How much of a long answer has been shown.
    fn shown(&self) -> usize {
        self.listing().map_or(0, |listing| listing.shown)
    }

    pub(super) fn list(&mut self, next: Option<Command>, shown: usize) {
        self.with_rare(|rare| rare.listing = next.map(|next| Listing { next: Some(next), shown }));
    }

    fn listing(&self) -> Option<&Listing> {
        self.rare.as_ref()?.listing.as_ref()
    }

    /// Reads on if this is the answer, or the last page of it, that lines had to wait for.
    pub(super) fn answered(&mut self, event: &Event, turn: &mut Turn<'_>) {
        let is_answer = self.awaited.is_some() && self.awaited == answered_verb(event);
        if !is_answer || self.listing().is_some() || self.is_reading_past() {
            return;
        }
        self.awaited = None;
        self.read_waiting(turn);
    }
}

/// The verb of the command that this event answers, if it is a private answer.
fn answered_verb(event: &Event) -> Option<Verb> {
    match event {
        Event::Refused { verb, .. } => Some(*verb),
        Event::Admitted(_) => Some(Verb::Join),
        Event::Dismissed { .. } => Some(Verb::Leave),
        Event::Renamed { .. } => Some(Verb::Nick),
        Event::Names { .. } => Some(Verb::Who),
        Event::Completions { .. } => Some(Verb::Complete),
        Event::RoomList { .. } => Some(Verb::Rooms),
        Event::TopicIs { .. } => Some(Verb::Topic),
        Event::Ignoring { .. } => Some(Verb::Ignore),
        Event::IgnoreList { .. } => Some(Verb::Ignored),
        Event::Away { .. } => Some(Verb::Away),
        Event::Page(_) => Some(Verb::History),
        Event::Found(_) => Some(Verb::Search),
        _ => None,
    }
}
