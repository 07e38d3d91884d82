//! From one room into another: what is asked for, and what is typed before it is answered.
//!
//! Where it stands: behind the commands that enter and leave rooms; `answers` comes here when the server has let us in.
//!
//! What this file must never do: let anything be said in another room than the one for which it was typed.

use super::{Asked, Model};
use crate::wire::Request;
use dialect::plain::{Typed, typed};

/// What somebody had before them when they asked for a room.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Joining {
    /// The room that they asked for.
    room: String,
    /// The one that they saw.
    from: Option<u32>,
    /// What stood in the input: the command itself, or a draft of that room.
    typed: String,
}

impl Model {
    pub(super) fn ask_to_enter(&mut self, room: &str) {
        let joining = Joining {
            room: room.to_owned(),
            from: self.room().map(|room| room.number),
            typed: self.draft().line.text().to_owned(),
        };
        self.ask_to_move(Asked::Join(joining));
    }

    pub(super) fn ask_to_leave(&mut self, room: &str) {
        self.ask_to_move(Asked::Leave { room: room.to_owned() });
    }

    /// Asks for that, or once more if the connection ended before it was answered.
    pub(super) fn ask_to_move(&mut self, asked: Asked) {
        let request = match &asked {
            Asked::Join(joining) => Request::Join { room: joining.room.clone() },
            Asked::Leave { room } => Request::Leave { room: room.clone() },
            _ => return,
        };
        self.moving = Some(self.ask(request, asked));
    }

    /// Whether something was asked for after which we may be somewhere else.
    pub(crate) fn is_moving(&self) -> bool {
        self.moving.as_ref().is_some_and(|nonce| self.asked.contains_key(nonce))
    }

    /// A line that was typed where the terminal edits it, or piped in. It waits until it is known in which room we are.
    pub(super) fn line(&mut self, line: String) {
        if !line.trim().is_empty() {
            self.held.push_back(line);
        }
    }

    /// Whether any line was taken that had to wait.
    pub(super) fn take_held_lines(&mut self) -> bool {
        let held = self.held.len();
        while !self.is_moving()
            && let Some(line) = self.held.pop_front()
        {
            self.submit(&line);
        }
        self.held.len() < held
    }

    /// Somebody is in the room that they asked for. What they have typed since then was meant for it, so that it goes along; a
    /// draft that they had before stays where it is, and so do they if they have gone on with it.
    pub(super) fn arrive(&mut self, index: usize, joining: &Joining) {
        if index == self.current {
            return;
        }
        let (draft, there) = (self.draft(), &self.rooms[index].draft);
        let is_untouched = draft.line.text().is_empty() || draft.line.text() == joining.typed;
        let was_command = matches!(typed(&joining.typed), Typed::Command(_));
        let goes_along = was_command && draft.editing.is_none() && there.line.text().is_empty();
        let is_still_there = self.room().map(|room| room.number) == joining.from;
        if !is_still_there || !(is_untouched || goes_along) {
            let title = self.rooms[index].title();
            return self.hint(format!("{title} is open; Ctrl-K goes there"));
        }
        if goes_along {
            let line = std::mem::take(&mut self.draft_mut().line);
            self.rooms[index].draft.line = line;
        }
        self.go_to(index);
    }

    /// The same if they were in it already.
    pub(super) fn arrive_again(&mut self, joining: &Joining) {
        if let Some(index) = self.index_of_room(joining.room.trim_start_matches('#')) {
            self.arrive(index, joining);
        }
    }
}
