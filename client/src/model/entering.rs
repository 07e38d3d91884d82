//! Into rooms, and out of them.
//!
//! Where it stands: behind the commands that enter and leave rooms, and behind the server's answers to them. Whoever asks for a room
//! sees it at once, and a room that is left is gone at once: what is typed is always meant for what is seen. What is said in a
//! room before the server has let us in waits in the link until it has, and comes back if it does not.
//!
//! What this file must never do: let anything be said in another room than the one for which it was typed.

use super::item::{What, Why};
use super::update::Effect;
use super::{Asked, Medium, Model, Place, Presence};
use crate::wire::{Picture, Refusal, Request, Shown};

/// Who is in a room is asked for, unless there are more.
const NAMES_WORTH_ASKING: u32 = 2_000;

impl Model {
    /// Goes to a room, which is asked for if we are not in it.
    pub(super) fn enter(&mut self, name: &str) {
        let open = self.rooms.len();
        let index = self.open(Place::Room(Shown::new(name)));
        let (number, presence) = (self.rooms[index].number, self.rooms[index].presence);
        if self.rooms.len() > open || presence == Presence::Gone {
            self.rooms[index].presence = Presence::Entering;
            self.ask(Request::Join { room: name.to_owned() }, Asked::Join { room: number });
        }
        self.go_to(index);
    }

    /// We are in a room.
    pub(super) fn joined(&mut self, picture: &Picture) {
        self.take_asked(picture.nonce.as_deref());
        if !self.link.is_wanted(&picture.room) {
            // It has been left since then, which the server will hear of next.
            return;
        }
        let time = self.time;
        let index = self.open(Place::Room(picture.room.clone()));
        self.is_called(index, &picture.room);
        let room = &mut self.rooms[index];
        if !picture.resumed && picture.sequence > room.timeline.last_order() {
            room.timeline.append_hole(picture.sequence, time, Why::Unread);
        }
        if let Some(before) = self.before.get_mut(&*picture.room)
            && let Some(read) = before.read.take()
            && picture.reason.is_none()
        {
            room.begin_unread(read, picture.sequence);
        }
        self.take_picture(index, picture);
        let room = &self.rooms[index];
        let line = match room.members.count() {
            0 | 1 => format!("-- {}: nobody else is here yet", room.title()),
            2 => format!("-- {}: one other is here", room.title()),
            count => format!("-- {}: {} others are here", room.title(), count - 1),
        };
        if !picture.resumed {
            self.print(line);
        }
        self.effects.push(Effect::Remember);
    }

    /// A room is called as the server writes it, and what is remembered of it is known by that name.
    fn is_called(&mut self, index: usize, name: &Shown) {
        let room = &mut self.rooms[index];
        room.set_name(name);
        if room.draft.line.text().is_empty()
            && let Some(before) = self.before.get_mut(&**name)
        {
            room.draft.line.paste(&std::mem::take(&mut before.draft));
        }
    }

    /// What a room looks like.
    pub(super) fn pictured(&mut self, picture: &Picture) {
        if let Some(index) = self.index_of_room(&picture.room) {
            self.take_picture(index, picture);
        }
    }

    fn take_picture(&mut self, index: usize, picture: &Picture) {
        let me = self.link.nick().cloned();
        let room = &mut self.rooms[index];
        room.presence = Presence::Here;
        room.topic.clone_from(&picture.topic);
        room.members.clear();
        for nick in picture.members.iter().chain(&me) {
            room.members.add(nick, None);
        }
        room.members.listening = picture.listening;
        room.members.set_others(picture.others);
        let number = room.number;
        // What is on its way is newer than this picture, too.
        let is_asked = self
            .is_asked(|asked| matches!(asked, Asked::Members { room, is_first: true } if *room == number));
        if self.medium == Medium::Screen && picture.others <= NAMES_WORTH_ASKING && !is_asked {
            let request = Request::Who { room: picture.room.to_string() };
            self.ask(request, Asked::Members { room: number, is_first: true });
        }
    }

    /// The server does not let us into a room that was asked for.
    pub(super) fn not_let_in(&mut self, number: u32, refusal: &Refusal) {
        match self.index_numbered(number) {
            Some(index) => self.is_out_of(index, refusal),
            // It has been closed since then.
            None => self.problem(refusal.text.to_string()),
        }
    }

    /// The same for one that we named when we came.
    pub(super) fn not_let_in_at_first(&mut self, name: &Shown, refusal: &Refusal) {
        let index = self.open(Place::Room(name.clone()));
        self.is_out_of(index, refusal);
    }

    /// We are not in a room. It stays where it is, with all that was typed there.
    pub(super) fn is_out_of(&mut self, index: usize, refusal: &Refusal) {
        let time = self.time;
        let room = &mut self.rooms[index];
        room.presence = Presence::Gone;
        room.members.clear();
        room.timeline.append(time, What::Told(refusal.text.clone()));
        self.problem(refusal.text.to_string());
    }

    /// Leaves a room, and tells the server so.
    pub(super) fn leave_room(&mut self, index: usize) {
        if let Place::Room(name) = &self.rooms[index].place {
            let name = name.to_string();
            self.print(format!("-- you have left #{name}"));
            self.ask(Request::Leave { room: name }, Asked::Leave);
        }
        self.close(index);
        let title = self.room().map(super::Room::title);
        self.print(match title {
            Some(title) => format!("-- you now talk in {title}"),
            None => "-- you are in no room; /join NAME enters one".to_owned(),
        });
        self.effects.push(Effect::Remember);
    }

    /// We are out of a room. If that was not our own wish it can still be read.
    pub(super) fn left(&mut self, nonce: Option<&str>, name: &Shown) {
        let asked = self.take_asked(nonce);
        if asked.is_none()
            && let Some(index) = self.index_of_room(name)
        {
            let room = &mut self.rooms[index];
            room.presence = Presence::Gone;
            room.members.clear();
            let title = room.title();
            self.hint(format!("you are not in {title} any more; /join enters it again"));
        }
        self.effects.push(Effect::Remember);
    }
}
