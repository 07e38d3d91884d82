//! What comes in changes the model; what comes out is to be done.
//!
//! Where it stands: the loop around the terminal, and the one of plain lines, call [`Model::update`] and nothing else.
//!
//! What this file must never do: decide what an answer or a key means; that stands in `answers` and `typing`.

use super::{Asked, Focus, Leaving, Model, Note, Size, Told, Weight};
use crate::keys::KeyPress;
use crate::layout::Sheet;
use crate::link::{Failure, Output, State};
use crate::wire::{Request, Span};
use hub::Time;
use std::time::Duration;

/// What is missing is fetched when no more items lie between it and what is seen.
const NEAR_ITEMS: usize = 50;
/// A note goes by itself after so long.
const NOTE_FOR: Duration = Duration::from_secs(8);

/// Whoever leaves waits for so long until what they said last is acknowledged; where lines are read, behind which nobody may be
/// who could wait, until all is answered.
const LAST_WORDS: Duration = Duration::from_secs(2);
const LAST_WORDS_IN_LINES: Duration = Duration::from_secs(30);

/// Something that happens to the client.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Input {
    /// A key.
    Key(KeyPress),
    /// Text that was pasted, with LF between its lines.
    Paste(String),
    /// A line that was typed where the terminal edits it.
    Line(String),
    /// A line that cannot be said; why.
    Unsayable(String),
    /// The wheel of a mouse; up is negative.
    Wheel(i32),
    /// A click.
    Click {
        /// Its column, from 0.
        column: u16,
        /// Its row, from 0.
        row: u16,
    },
    /// The terminal has another size.
    Resize(Size),
    /// Somebody looks, or looks away.
    Focus(Focus),
    /// The connection is open.
    Connected,
    /// Bytes from the server.
    Received(Vec<u8>),
    /// The connection could not be opened, or has ended.
    Disconnected(Failure),
    /// Time has passed.
    Tick,
    /// Something that was asked for did not work here; why.
    Trouble(String),
    /// The client is told to end.
    Leave,
}

/// Something to be done.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Effect {
    /// Open a connection.
    Connect,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Close the connection.
    Close,
    /// Tell the person, who may look elsewhere.
    Notify {
        /// Who, and where.
        title: String,
        /// What.
        body: String,
    },
    /// Put this into the clipboard.
    Copy(String),
    /// Open this link.
    Open(String),
    /// Print this line; only where nothing is drawn.
    Print(String),
    /// Write down what has to survive this program.
    Remember,
    /// Draw everything anew.
    Repaint,
    /// Let the shell have the terminal.
    Suspend,
    /// End.
    Quit,
}

/// What a note answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ToldBy {
    /// Something that was typed.
    Key,
    /// Anything else.
    Others,
}

/// What time it is, for people and for what is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    /// What the clock says.
    pub time: Time,
    /// Since the client began.
    pub now: Duration,
}

impl Told {
    /// Whether what was told is not true any more where this is seen.
    fn is_over(&self, weight: Weight, room: Option<u32>, typed: &str) -> bool {
        let is_typed_over = |before: &String| match weight {
            Weight::Hint => before != typed,
            Weight::Problem => typed.is_empty() && !before.is_empty(),
        };
        self.room != room || self.typed.as_ref().is_some_and(is_typed_over)
    }
}

impl Model {
    /// Connects.
    pub(crate) fn start(&mut self, moment: Moment) -> Vec<Effect> {
        self.set_moment(moment);
        self.link.start();
        self.settle()
    }

    /// Takes something in. Answers with what is to be done, in this order.
    pub(crate) fn update(&mut self, moment: Moment, input: Input) -> Vec<Effect> {
        self.set_moment(moment);
        let by = match input {
            Input::Key(_) | Input::Paste(_) => ToldBy::Key,
            _ => ToldBy::Others,
        };
        match input {
            Input::Key(press) => self.press(press),
            Input::Paste(text) => self.paste(&text),
            Input::Line(line) => self.line(&line),
            Input::Unsayable(why) => self.unsayable(&why),
            Input::Wheel(notches) => self.wheel(notches),
            Input::Click { column, row } => self.click(column, row),
            Input::Resize(size) => self.size = size,
            Input::Focus(focus) => self.look(focus),
            Input::Connected => self.link.connected(self.now),
            Input::Received(bytes) => self.link.received(self.now, &bytes),
            Input::Disconnected(why) => self.link.disconnected(self.now, why),
            Input::Tick => self.tick(),
            Input::Trouble(why) => self.problem(why),
            Input::Leave => self.quit(None),
        }
        let effects = self.settle();
        self.let_note_go(by);
        effects
    }

    /// When [`Input::Tick`] is next to be given; asked again after every other input.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let note = self.note.as_ref().map(|note| note.until);
        // The seconds that are left are shown.
        let second = matches!(self.state(), State::Waiting { .. }).then(|| self.now + Duration::from_secs(1));
        let leaving = self.leaving.as_ref().map(|leaving| leaving.until);
        [self.link.deadline(), note, second, leaving].into_iter().flatten().min()
    }

    fn set_moment(&mut self, moment: Moment) {
        self.time = moment.time;
        self.now = moment.now;
    }

    fn tick(&mut self) {
        self.link.tick(self.now);
        let now = self.now;
        self.note.take_if(|note| note.until <= now);
    }

    /// What follows from everything that came in.
    fn settle(&mut self) -> Vec<Effect> {
        self.take_from_link();
        self.leave_if_all_is_said();
        self.see();
        if self.fetch_what_is_near() {
            self.take_from_link();
        }
        std::mem::take(&mut self.effects)
    }

    fn take_from_link(&mut self) {
        while let Some(output) = self.link.poll() {
            match output {
                Output::Connect => self.effects.push(Effect::Connect),
                Output::Send(bytes) => self.effects.push(Effect::Send(bytes)),
                Output::Close => self.effects.push(Effect::Close),
                Output::Told(answer) => self.told(answer),
                Output::Unanswered(nonce) => self.unanswered(&nonce),
                Output::State => self.state_has_changed(),
            }
        }
    }

    /// What is seen is read.
    pub(super) fn see(&mut self) {
        if self.focus != Focus::Elsewhere
            && let Some(room) = self.rooms.get_mut(self.current)
            && room.scroll == super::Scroll::End
        {
            room.unread = 0;
            room.mentions = 0;
        }
    }

    /// Whether anything was asked for: what is missing close to what is seen.
    fn fetch_what_is_near(&mut self) -> bool {
        let is_possible = self.medium == super::Medium::Screen && *self.state() == State::Online;
        let Some(sheet) = Sheet::of(self).filter(|_| is_possible) else { return false };
        let seen = sheet.items_near();
        let room = &mut self.rooms[self.current];
        let Some(name) = room.name().cloned() else { return false };
        let near =
            seen.start.saturating_sub(NEAR_ITEMS)..(seen.end + NEAR_ITEMS).min(room.timeline.items().len());
        // What is nearest to the present is asked for first, one at a time.
        let Some(index) = near.rev().find(|&index| room.timeline.hole_mut(index).is_some()) else {
            return false;
        };
        let number = room.number;
        let Some(hole) = room.timeline.hole_mut(index).filter(|hole| !hole.is_asked) else { return false };
        hole.is_asked = true;
        let hole = hole.clone();
        let is_below = index > seen.end;
        let span =
            if is_below { Span::After(hole.first - 1) } else { Span::Before(hole.last.saturating_add(1)) };
        self.ask_page(number, &name, span, hole.last);
        true
    }

    fn ask_page(&mut self, room: u32, name: &str, span: Span, last: u64) {
        let limit = Some(super::PAGE_ITEMS);
        let request = Request::History { room: name.to_owned(), span: span.clone(), limit };
        self.ask(request, Asked::Page { room, span, last });
    }

    /// Asks the server for something, and remembers for what.
    pub(super) fn ask(&mut self, request: Request, asked: Asked) -> String {
        let nonce = self.link.request(request);
        self.asked.insert(nonce.clone(), asked);
        nonce
    }

    pub(super) fn hint(&mut self, text: impl Into<String>) {
        self.set_note(text.into(), Weight::Hint);
    }

    pub(super) fn problem(&mut self, text: impl Into<String>) {
        self.set_note(text.into(), Weight::Problem);
    }

    fn set_note(&mut self, text: String, weight: Weight) {
        self.print(format!("-- {text}"));
        self.note = Some(Note { text, weight, until: self.now + NOTE_FOR, told: None });
    }

    /// A note that is not true any more goes, as [`Note`] says; of a new one it is remembered what it was told about.
    fn let_note_go(&mut self, by: ToldBy) {
        let room = self.room().map(|room| room.number);
        let typed = self.line_typed_into().text();
        let Some(note) = &self.note else { return };
        match &note.told {
            None => {
                let typed = (by == ToldBy::Key).then(|| typed.to_owned());
                let told = Some(Told { room, typed });
                self.note = self.note.take().map(|note| Note { told, ..note });
            }
            Some(told) if told.is_over(note.weight, room, typed) => self.note = None,
            Some(_) => {}
        }
    }

    /// Where nothing is drawn, it is printed.
    pub(super) fn print(&mut self, line: String) {
        if self.medium == super::Medium::Lines {
            self.effects.push(Effect::Print(line));
        }
    }

    /// Leaves as soon as all that was said is acknowledged; whoever says so twice, at once.
    pub(super) fn go(&mut self, reason: Option<String>) {
        if self.leaving.is_some() || !self.is_anything_on_its_way() {
            return self.quit(reason);
        }
        let patience = match self.medium {
            super::Medium::Screen => LAST_WORDS,
            super::Medium::Lines => LAST_WORDS_IN_LINES,
        };
        self.leaving = Some(Leaving { reason, until: self.now + patience });
        // Where lines are printed it is not worth one, unless it takes long.
        if self.medium == super::Medium::Screen || *self.state() != State::Online {
            self.hint("leaving when what you said is acknowledged; Ctrl-C leaves at once");
        }
    }

    /// Whether somebody is about to leave.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    fn is_anything_on_its_way(&self) -> bool {
        match (self.medium, self.state()) {
            (_, State::Over(_)) | (super::Medium::Screen, State::Waiting { .. }) => false,
            (super::Medium::Screen, _) => self.link.unacknowledged() > 0,
            (super::Medium::Lines, _) => self.waits_for_answers(),
        }
    }

    fn leave_if_all_is_said(&mut self) {
        let now = self.now;
        let is_anything_on_its_way = self.is_anything_on_its_way();
        let is_time = |leaving: &mut Leaving| leaving.until <= now || !is_anything_on_its_way;
        if let Some(leaving) = self.leaving.take_if(is_time) {
            self.quit(leaving.reason);
        }
    }

    pub(super) fn quit(&mut self, reason: Option<String>) {
        self.leaving = None;
        self.effects.push(Effect::Remember);
        self.link.quit(reason);
        self.take_from_link();
        self.effects.push(Effect::Quit);
    }
}
