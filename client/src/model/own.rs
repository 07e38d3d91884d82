//! Changing what we said ourselves, or taking it back.
//!
//! Where it stands: behind Alt-E, `/edit` and `/redact`; `answers` comes here when the server has refused it.
//!
//! What this file must never do: change another message than the one that was said last, or lose its new words because the
//! server did not take them.

use super::item::first_words;
use super::room::{LastOwn, as_said};
use super::{Asked, Item, Medium, Model};
use crate::wire::{Refusal, Request};
use dialect::editing::Clusters;
use dialect::plain::split_word;
use hub::{Manner, Text};

/// A message that is to be changed.
struct Own {
    sequence: u64,
    manner: Manner,
    text: Text,
}

impl Model {
    /// What was said last here becomes the draft, to be changed.
    pub(super) fn edit_last(&mut self) {
        let Some(own) = self.last_own_here("changed") else { return };
        let draft = self.draft_mut();
        let typed = draft.line.set(Clusters::default());
        draft.sent.add(&typed);
        draft.line.paste(&as_said(own.manner, own.text.formatted()));
        draft.editing = Some(own.sequence);
    }

    pub(super) fn edit_last_to(&mut self, text: &str) -> bool {
        self.last_own_here("changed").is_some_and(|own| self.edit(own.sequence, text))
    }

    /// Asks for a change of what we said. What was said with `/me` stays that, whether `/me` stands in front of the new words or not.
    pub(super) fn edit(&mut self, target: u64, typed: &str) -> bool {
        let Some((number, room)) = self.named_here() else { return false };
        let manner = self.manner_of(target);
        let words = match (manner, split_word(typed)) {
            (Manner::Acting, ("/me", rest)) => rest,
            _ => typed,
        };
        let Some(text) = self.sayable(words) else { return false };
        let request = Request::Edit { room, target, text: text.formatted().to_owned() };
        self.begin_change(number, target);
        self.ask(request, Asked::Edit { room: number, target, manner, text });
        true
    }

    pub(super) fn redact_last(&mut self, reason: &str) -> bool {
        let Some(own) = self.last_own_here("taken back") else { return false };
        let Some((number, room)) = self.named_here() else { return false };
        let target = own.sequence;
        let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        self.begin_change(number, target);
        self.ask(
            Request::Redact { room, target, reason },
            Asked::Redact { room: number, target, text: own.text },
        );
        true
    }

    /// What we said does not stand there any more: which words these were is told, for they may not be on the screen.
    pub(super) fn redacted(&mut self, number: u32, target: u64, text: &Text) {
        if let Some(room) = self.room_numbered(number) {
            room.timeline.erase(target);
        }
        self.hint(format!("taken back: {}", first_words(text)));
    }

    /// Nothing has come of a change: new words are there again, to be sent once more or to be left. If somebody else said that, who
    /// once had the nick that is ours now, it is not offered to be changed any more.
    pub(super) fn unchanged(&mut self, asked: Asked, refusal: Option<&Refusal>) {
        let (number, target, typed) = match asked {
            Asked::Edit { room, target, manner, text } => {
                (room, target, Some(as_said(manner, text.formatted())))
            }
            Asked::Redact { room, target, .. } => (room, target, None),
            _ => return,
        };
        let medium = self.medium;
        let Some(room) = self.room_numbered(number) else {
            // It has been closed since then: the words can be had again.
            if let Some(typed) = typed.filter(|_| medium == Medium::Screen) {
                self.draft_mut().keep(&typed);
            }
            return;
        };
        room.timeline.end_change(target);
        if refusal.is_some_and(|refusal| &*refusal.code == "not-yours") {
            room.timeline.disown(target);
        }
        // A line that the terminal edits has no place to go back to.
        if let Some(typed) = typed.filter(|_| medium == Medium::Screen) {
            room.draft.give_back(&typed, Some(target));
        }
    }

    fn begin_change(&mut self, number: u32, target: u64) {
        if let Some(room) = self.room_numbered(number) {
            room.timeline.begin_change(target);
        }
    }

    fn manner_of(&self, target: u64) -> Manner {
        let item = self.room().and_then(|room| room.timeline.kept(target));
        item.and_then(Item::said).map_or(Manner::Saying, |said| said.manner)
    }

    /// What we said last here, if it can be changed. Why it cannot is told, in these words.
    fn last_own_here(&mut self, changed: &str) -> Option<Own> {
        let problem = match self.room().map_or(LastOwn::Nothing, super::Room::last_own) {
            LastOwn::There { sequence, said } => {
                return Some(Own { sequence, manner: said.manner, text: said.text.clone() });
            }
            LastOwn::Nothing => format!("you have said nothing here that could be {changed}"),
            LastOwn::NotHere => "what you said last is not fetched yet; scroll to it first".to_owned(),
            LastOwn::OnItsWay => {
                "what you said last is not acknowledged yet; try again in a moment".to_owned()
            }
        };
        self.problem(problem);
        None
    }
}
