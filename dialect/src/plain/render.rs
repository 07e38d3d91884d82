//! What everybody in a room or conversation reads: one event, written once for all who read this rendition.
//!
//! Where it stands: behind the hub, in front of the feeds.
//!
//! A message begins with `<nick> ` or `* nick `, also on its second line; news of the server with `[nick] ` or `-- `. In
//! rooms other than the home room `#room ` stands before either. No nick and no room's name has a blank, a `<`, a `*` or
//! a `#` in it, so that nothing a member writes can look like news, or like somebody else's.
//!
//! What this file must never do: know who reads, or show a text but through `Text::lines` and `Line::shown`.

use super::words::names_of;
use crate::Setup;
use hub::{Announced, Author, Crowd, Event, Line, Manner, RoomRef, Text, Who};

/// So many names a sum shows before it counts.
const SUM_NAMES_MAX: usize = 2;

/// One way of writing events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rendition {
    /// Lines of text.
    Plain,
}

/// Where lines go: every one of them ends with LF.
struct Page<'a> {
    setup: &'a Setup,
    bytes: &'a mut Vec<u8>,
}

/// Writes an event as everybody reads it, if it is shown.
pub(super) fn render(setup: &Setup, event: &Event, bytes: &mut Vec<u8>) {
    let page = &mut Page { setup, bytes };
    match event {
        Event::Said { room, author, text, manner, .. } => page.said(room, author, text, *manner),
        Event::Directed { from, text, .. } => page.lines("", &["<", &from.nick, " to you> "], text),
        Event::Joined { room, who, announced: Announced::Singly } => {
            page.news(room, who, "entered room", None);
        }
        Event::Left { room, who, announced: Announced::Singly } => page.news(room, who, "left room", None),
        Event::Quit { who, reason, announced: Announced::Singly } => page.quit(who, reason.as_ref()),
        Event::Renamed { who, nick } => page.line(&["[", &who.nick, "] is now ", nick]),
        Event::TopicSet { room, by, topic: Some(topic), .. } => {
            page.news(room, by, "set the topic: ", Some(topic));
        }
        Event::TopicSet { room, by, topic: None, .. } => page.news(room, by, "cleared the topic", None),
        Event::Summed { room, arrived, departed } => {
            page.sum(room, arrived, "entered room");
            page.sum(room, departed, "left");
        }
        Event::Lost { room, from, to, .. } => page.lost(room, from.0, to.0),
        _ => {}
    }
}

impl Page<'_> {
    fn said(&mut self, room: &RoomRef, author: &Author, text: &Text, manner: Manner) {
        let place = self.place(room);
        let (nick, open, kind, close) = match author {
            Author::Member(who) => (&who.nick, "", "", ""),
            Author::Door { kind, label } => (label, " (", kind.word(), ")"),
        };
        match manner {
            Manner::Saying => self.lines(&place, &["<", nick, open, kind, close, "> "], text),
            Manner::Acting => self.lines(&place, &["* ", nick, open, kind, close, " "], text),
        }
    }

    fn lines(&mut self, place: &str, prefix: &[&str], text: &Text) {
        for line in text.lines() {
            self.bytes.extend_from_slice(place.as_bytes());
            self.add(prefix);
            self.line(&[&line]);
        }
    }

    fn news(&mut self, room: &RoomRef, who: &Who, what: &str, line: Option<&Line>) {
        let place = self.place(room);
        let shown = line.map(Line::shown).unwrap_or_default();
        self.line(&[&place, "[", &who.nick, "] ", what, &shown]);
    }

    fn quit(&mut self, who: &Who, reason: Option<&Line>) {
        match reason {
            Some(reason) => self.line(&["[", &who.nick, "] is offline (", &reason.shown(), ")"]),
            None => self.line(&["[", &who.nick, "] is offline"]),
        }
    }

    fn sum(&mut self, room: &RoomRef, crowd: &Crowd, what: &str) {
        if !crowd.is_empty() {
            let place = self.place(room);
            self.line(&[&place, "-- ", &names_of(crowd, SUM_NAMES_MAX), " ", what]);
        }
    }

    fn lost(&mut self, room: &RoomRef, from: u64, to: u64) {
        let place = self.place(room);
        let lost = format!(
            "-- messages {from} to {to} may be lost: the server stopped before it could write them down"
        );
        self.line(&[&place, &lost]);
    }

    /// What stands before a line of a room: nothing for the one where everybody is.
    fn place(&self, room: &RoomRef) -> String {
        let home = &self.setup.home;
        let is_home = room.name == home.shown || hub::key_of(&room.name) == *home.key;
        if is_home { String::new() } else { format!("#{} ", room.name) }
    }

    fn line(&mut self, parts: &[&str]) {
        self.add(parts);
        self.bytes.push(b'\n');
    }

    fn add(&mut self, parts: &[&str]) {
        for part in parts {
            self.bytes.extend_from_slice(part.as_bytes());
        }
    }
}
