//! Something said to one person alone, wherever one is: `/msg`.
//!
//! Where it stands: behind the command; `answers` comes here when the server has acknowledged or refused it. The conversation is
//! opened when it is known that there is one.
//!
//! What this file must never do: open a conversation with nobody, or say anything to somebody else than was named.

use super::item::first_words;
use super::{Asked, Medium, Model, Pending, Place, Presence, Scroll, Why};
use crate::wire::{Ack, Refusal, Request, Shown};
use dialect::plain::split_word;
use hub::{Manner, Text, Time};

/// What was said so.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Message {
    to: Shown,
    text: Text,
    time: Time,
    /// The command.
    typed: String,
    /// Where it was typed, if that was in a room.
    from: Option<u32>,
    /// The conversation in which it is shown as not acknowledged, if that is open.
    shown_in: Option<u32>,
}

impl Model {
    pub(super) fn message(&mut self, parameters: &str) -> bool {
        let (to, text) = split_word(parameters);
        let Some(text) = self.sayable(text) else { return false };
        let shown_in = self.index_of_whom_we_write_to(to);
        let message = Message {
            to: Shown::new(to),
            text: text.clone(),
            time: self.time,
            typed: format!("/msg {parameters}"),
            from: self.room().map(|room| room.number),
            shown_in: shown_in.map(|index| self.rooms[index].number),
        };
        let request = Request::Direct { to: to.to_owned(), text: text.formatted().to_owned() };
        let nonce = self.ask(request, Asked::Message(message));
        if let Some(index) = shown_in {
            let room = &mut self.rooms[index];
            room.pending.push(Pending { nonce, time: self.time, manner: Manner::Saying, text });
            if index == self.current {
                room.scroll_to(Scroll::End);
                room.timeline.set_marker(None);
            }
        }
        true
    }

    pub(super) fn message_acknowledged(&mut self, ack: &Ack, nonce: &str, message: Message) {
        self.take_pending(message.shown_in, nonce);
        let open_before = self.rooms.len();
        let index = self.open_conversation(&ack.room, &message.to);
        if self.rooms.len() > open_before {
            let before = ack.sequence.saturating_sub(1);
            self.rooms[index].timeline.append_hole(before, message.time, Why::Unread);
        }
        self.is_who_is_called_so(index);
        let hint = format!("to {}: {}", message.to, first_words(&message.text));
        let Message { text, time, .. } = message;
        let pending = Pending { nonce: nonce.to_owned(), time, manner: Manner::Saying, text };
        self.said(index, ack, pending);
        if index != self.current {
            self.hint(hint);
        }
    }

    /// The command is there again where it was typed; if that room is not open any more, Up brings it back.
    pub(super) fn message_refused(&mut self, refusal: &Refusal, message: &Message) {
        self.take_pending(message.shown_in, refusal.nonce.as_deref().unwrap_or_default());
        let index = message.from.and_then(|number| self.index_numbered(number));
        match (self.medium, index) {
            // A line that the terminal edits has no place to go back to.
            (Medium::Lines, _) => {}
            (Medium::Screen, Some(index)) => self.rooms[index].draft.give_back(&message.typed, None),
            (Medium::Screen, None) if self.rooms.is_empty() => self.homeless.give_back(&message.typed, None),
            (Medium::Screen, None) => self.draft_mut().keep(&message.typed),
        }
        self.problem(refusal.text.to_string());
    }

    /// How much of what we said is not acknowledged.
    pub(crate) fn on_their_way(&self) -> usize {
        let is_shown_nowhere =
            |asked: &&Asked| matches!(asked, Asked::Message(Message { shown_in: None, .. }));
        let pending: usize = self.rooms.iter().map(|room| room.pending.len()).sum();
        pending + self.asked.values().filter(is_shown_nowhere).count()
    }

    /// What stands in a room as not acknowledged stands there so no more; the room may have been closed since.
    pub(super) fn take_pending(&mut self, number: Option<u32>, nonce: &str) -> Option<Pending> {
        let pending = match number.and_then(|number| self.index_numbered(number)) {
            Some(index) => &mut self.rooms[index].pending,
            None => &mut self.said_in_closed,
        };
        let nth = pending.iter().position(|pending| pending.nonce == nonce)?;
        Some(pending.remove(nth))
    }

    /// The conversation with whoever has this nick now, if it is open.
    fn index_of_whom_we_write_to(&self, nick: &str) -> Option<usize> {
        let key = hub::key_of(nick);
        self.rooms.iter().rposition(|room| match &room.place {
            Place::Direct { with, .. } => hub::key_of(with) == key && room.presence == Presence::Here,
            Place::Room(_) => false,
        })
    }
}
