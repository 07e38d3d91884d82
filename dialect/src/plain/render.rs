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

#[cfg(test)]
mod tests {
    use super::*;
    use hub::{DoorKind, MemberId, RoomName, RoomNumber, Sequence};

    fn rendered(event: &Event) -> String {
        let home = RoomName::parse("lobby").expect("a name");
        let mut bytes = Vec::new();
        render(&Setup::new(home), event, &mut bytes);
        String::from_utf8(bytes).expect("text")
    }

    fn room(name: &str) -> RoomRef {
        RoomRef { number: RoomNumber(1), name: name.into() }
    }

    fn ann() -> Who {
        Who { member: MemberId::mint(0, 1), nick: "ann".into(), address: None }
    }

    fn said(room_name: &str, author: Author, raw: &str, manner: Manner) -> String {
        let text = Text::new(raw).expect("a text");
        rendered(&Event::Said {
            room: room(room_name),
            sequence: Sequence(1),
            author,
            text,
            manner,
            signature: None,
        })
    }

    #[test]
    fn every_line_of_a_text_has_its_author_in_front() {
        let text = said("lobby", Author::Member(ann()), "one\n\ntwo", Manner::Saying);
        assert_eq!(text, "<ann> one\n<ann> \n<ann> two\n");
        let text = said("dev", Author::Member(ann()), "waves\nbows", Manner::Acting);
        assert_eq!(text, "#dev * ann waves\n#dev * ann bows\n");
    }

    #[test]
    fn home_room_is_not_named_however_it_is_written() {
        assert_eq!(said("Lobby", Author::Member(ann()), "hi", Manner::Saying), "<ann> hi\n");
    }

    #[test]
    fn door_never_passes_for_a_member() {
        let door = || Author::Door { kind: DoorKind::Web, label: "ann".into() };
        assert_eq!(said("lobby", door(), "hi", Manner::Saying), "<ann (web)> hi\n");
        assert_eq!(said("dev", door(), "hums", Manner::Acting), "#dev * ann (web) hums\n");
    }

    #[test]
    fn formatting_is_for_other_eyes() {
        let topic = Line::new("\u{2}bold\u{2} \u{3}4red", 100).ok();
        let event =
            Event::TopicSet { room: room("lobby"), sequence: Sequence(1), by: ann(), topic, signature: None };
        assert_eq!(rendered(&event), "[ann] set the topic: bold red\n");
        assert_eq!(said("lobby", Author::Member(ann()), "\u{2}b", Manner::Saying), "<ann> b\n");
    }

    #[test]
    fn sum_shows_two_names_and_counts_the_rest() {
        let crowd =
            |nicks: &[&str], others| Crowd { nicks: nicks.iter().map(|&n| n.into()).collect(), others };
        let table = [
            (crowd(&["ann"], 0), "-- ann entered room\n"),
            (crowd(&["ann", "bob"], 0), "-- ann and bob entered room\n"),
            (crowd(&["ann", "bob", "cat"], 0), "-- ann, bob and 1 other entered room\n"),
            (crowd(&["ann", "bob", "cat"], 40), "-- ann, bob and 41 others entered room\n"),
        ];
        for (arrived, line) in table {
            let event = Event::Summed { room: room("lobby"), arrived, departed: Crowd::default() };
            assert_eq!(rendered(&event), line);
        }
        let event = Event::Summed {
            room: room("dev"),
            arrived: crowd(&["ann"], 0),
            departed: crowd(&["bob", "cat"], 1),
        };
        assert_eq!(rendered(&event), "#dev -- ann entered room\n#dev -- bob, cat and 1 other left\n");
    }

    #[test]
    fn what_is_summed_up_is_not_told_singly() {
        let announced = Announced::InSum;
        let events = [
            Event::Joined { room: room("lobby"), who: ann(), announced },
            Event::Left { room: room("lobby"), who: ann(), announced },
            Event::Quit { who: ann(), reason: None, announced },
            Event::Away { who: ann(), message: None },
        ];
        for event in &events {
            assert_eq!(rendered(event), "");
        }
    }

    #[test]
    fn loss_is_told() {
        let event =
            Event::Lost { room: room("lobby"), sequence: Sequence(41), from: Sequence(17), to: Sequence(40) };
        let line = "-- messages 17 to 40 may be lost: the server stopped before it could write them down\n";
        assert_eq!(rendered(&event), line);
    }
}
