//! From events to what the session knows, and to words for this client.
//!
//! Where it stands: behind the hub. An event that answers a request lets the lines go on that waited for it.
//!
//! What this file must never do: put into words what is shown to a whole room.

use super::{Entered, InputEnd, JsonSession, Rare, Stage, Turn};
use crate::Output;
use crate::json::words::{self, Bye, Names, Welcome};
use hub::{Command, Conversation, Event, Nonce, Place, Refusal, RoomView, Verb};

impl JsonSession {
    /// What was sent before the farewell is still answered.
    pub(super) fn told_while_leaving(&mut self, event: &Event, output: &mut Output) {
        match event {
            Event::Disconnected | Event::Refused { verb: Verb::Quit, .. } => {
                if self.stage == Stage::Quitting {
                    words::bye(Bye::Quit, self.asked(), &mut output.words);
                }
                self.close(output);
            }
            Event::Refused { verb, nonce, refusal } => {
                words::refused(*verb, refusal, nonce.as_ref(), None, &mut output.words);
            }
            Event::Acknowledged { nonce, room, sequence } => {
                words::acknowledged(self.epoch, nonce, (room, *sequence), &mut output.words);
            }
            Event::RecipientAway { nick, message } => {
                words::recipient_away(nick, message, &mut output.words);
            }
            _ => {}
        }
    }

    /// The name of the request that is being answered.
    fn asked(&self) -> Option<&Nonce> {
        self.rare.as_ref()?.nonce.as_ref()
    }

    pub(super) fn note(&mut self, event: &Event, turn: &mut Turn<'_>) {
        match event {
            Event::Connected { nick, conversations, .. } => self.connected(nick, conversations, turn),
            Event::Admitted(view) => self.admitted(view, turn),
            Event::Dismissed { room } => {
                self.rooms.retain(|entered| entered.number != room.number);
                words::left(room, self.asked_by(Verb::Leave), &mut turn.output.words);
            }
            Event::Disconnected => {
                words::bye(Bye::Resumed, None, &mut turn.output.words);
                self.close(turn.output);
            }
            Event::Refused { verb, nonce, refusal } => self.refused(*verb, nonce.as_ref(), refusal, turn),
            Event::Page(page) if self.caught(page, turn) => {}
            _ => self.put_into_words(event, turn),
        }
    }

    /// Answers that change nothing here.
    fn put_into_words(&mut self, event: &Event, turn: &mut Turn<'_>) {
        let epoch = self.epoch;
        let out = &mut turn.output.words;
        match event {
            Event::Pictured(view) => words::pictured(view, out),
            Event::Acknowledged { nonce, room, sequence } => {
                words::acknowledged(epoch, nonce, (room, *sequence), out);
                if self.asked() == Some(nonce) {
                    self.awaited = None;
                    self.answer_given(turn);
                }
            }
            Event::Page(page) => words::history(epoch, page, self.asked(), out),
            Event::Found(findings) => words::found(epoch, findings, self.asked(), out),
            Event::Names { room, names, listening, next } => {
                let page = Names { room, present: names, listening: *listening, has_more: next.is_some() };
                words::names(&page, self.asked(), out);
                let place = Place::Number(room.number);
                self.list(next.map(|after| Command::Who { room: place, after: Some(after) }));
            }
            Event::RoomList { rooms, next } => {
                words::rooms(rooms, next.is_some(), self.asked(), out);
                self.list(next.clone().map(|after| Command::Rooms { after: Some(after) }));
            }
            Event::Conversations(known) => words::conversation_list(known, self.asked(), out),
            Event::TopicIs { room, topic } => words::topic_is(room, topic.as_ref(), self.asked(), out),
            Event::Ignoring { other, hearing } => words::ignoring(&other.nick, *hearing, self.asked(), out),
            Event::IgnoreList { nicks } => words::ignore_list(nicks, self.asked(), out),
            Event::RecipientAway { nick, message } => words::recipient_away(nick, message, out),
            Event::Renamed { nick, .. } => words::renamed(nick, self.asked_by(Verb::Nick), out),
            Event::Away { message, .. } => words::away(message.as_ref(), self.asked_by(Verb::Away), out),
            // Completions are for people; all else is told to rooms, not to one alone.
            _ => {}
        }
    }

    /// The name of the request that is being answered, if it is of this verb: what can also be told unasked has none then.
    fn asked_by(&self, verb: Verb) -> Option<&Nonce> {
        self.asked().filter(|_| self.awaited == Some(verb))
    }

    fn list(&mut self, next: Option<Command>) {
        self.with_rare(|rare| rare.next_page = next);
    }

    fn connected(&mut self, nick: &str, conversations: &[Conversation], turn: &mut Turn<'_>) {
        let Some(hello) = self.rare.as_mut().and_then(|rare| rare.hello.take()) else { return };
        let welcome = Welcome {
            epoch: self.epoch,
            nick,
            secret: &hello.secret,
            lines_per_second: self.lines_per_second(turn),
            conversations,
        };
        words::welcome(&welcome, self.asked(), &mut turn.output.words);
        // Known from now on; a client that has ended meanwhile is waited for as long as any other.
        self.with_rare(|rare| (rare.secret, rare.timer, rare.nonce) = (None, None, None));
        if self.input_end == InputEnd::Reached {
            self.linger(turn.now);
        }
        self.begin_to_catch_up(hello.rooms, hello.known.as_ref(), conversations, turn);
    }

    fn admitted(&mut self, view: &RoomView, turn: &mut Turn<'_>) {
        if self.rooms.iter().all(|entered| entered.number != view.room.number) {
            self.rooms.push(Entered { number: view.room.number, name: view.room.name.clone() });
        }
        self.awaited = self.awaited.filter(|verb| *verb != Verb::Join);
        self.entered(view, turn);
    }

    fn refused(&mut self, verb: Verb, nonce: Option<&Nonce>, refusal: &Refusal, turn: &mut Turn<'_>) {
        let is_answer = self.awaited == Some(verb);
        if is_answer {
            self.awaited = None;
            self.list(None);
        }
        if is_answer && self.refused_while_catching(verb, refusal, turn) {
            return;
        }
        let nonce = nonce.or_else(|| self.asked().filter(|_| is_answer));
        words::refused(verb, refusal, nonce, None, &mut turn.output.words);
        if verb == Verb::Connect {
            self.rejected();
        }
        if is_answer {
            self.answer_given(turn);
        }
    }

    /// The hub has not taken the hello: another one is possible.
    fn rejected(&mut self) {
        self.stage = Stage::New;
        self.with_rare(|rare| rare.hello = None);
    }

    /// Reads on if this is the answer, or the last page of it, that lines had to wait for.
    pub(super) fn answered(&mut self, event: &Event, turn: &mut Turn<'_>) {
        let goes_on = |rare: &Rare| rare.next_page.is_some() || rare.catching.is_some();
        if self.rare.as_deref().is_some_and(goes_on) {
            return;
        }
        if self.awaited.is_some() && self.awaited == answered_verb(event) {
            self.awaited = None;
            self.answer_given(turn);
        }
    }

    fn answer_given(&mut self, turn: &mut Turn<'_>) {
        self.with_rare(|rare| rare.nonce = None);
        self.read_waiting(turn);
    }
}

/// The verb of the command that this event answers, if it is a private answer. What a client is told while it catches up,
/// and refusals, are dealt with where they are told.
fn answered_verb(event: &Event) -> Option<Verb> {
    match event {
        Event::Connected { .. } => Some(Verb::Connect),
        Event::Dismissed { .. } => Some(Verb::Leave),
        Event::Renamed { .. } => Some(Verb::Nick),
        Event::Names { .. } => Some(Verb::Who),
        Event::RoomList { .. } => Some(Verb::Rooms),
        Event::Conversations(_) => Some(Verb::Conversations),
        Event::TopicIs { .. } => Some(Verb::Topic),
        Event::Ignoring { .. } => Some(Verb::Ignore),
        Event::IgnoreList { .. } => Some(Verb::Ignored),
        Event::Away { .. } => Some(Verb::Away),
        Event::Page(_) => Some(Verb::History),
        Event::Found(_) => Some(Verb::Search),
        _ => None,
    }
}
