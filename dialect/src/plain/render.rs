//! What everybody in a room or conversation reads: one event, written once for all who read this rendition.
//!
//! Where it stands: behind the hub, in front of the feeds.
//!
//! A message begins with `<nick> ` or `* nick `, also on its second line; news of the server with `[nick] ` or `-- `. In
//! rooms other than the home room `#room ` stands before either. No nick and no room's name has a blank, a `<`, a `*` or
//! a `#` in it, so that nothing a member writes can look like news, or like somebody else's. None begins with a digit, so that
//! nothing of this looks like a line of the past, which has the time in front (`[18:05] `).
//!
//! What this file must never do: know who reads, or show a text but through `Text::lines` and `Line::shown`.

use super::words::names_of;
use crate::Setup;
use hub::{Announced, Author, Crowd, Event, Line, Manner, RoomRef, Text, Trouble, Who};
use std::borrow::Cow;

/// So many names a sum shows before it counts.
const SUM_NAMES_MAX: usize = 2;

/// Which rooms are named in front of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Naming {
    /// All but the one where everybody is.
    OthersThanHome,
    /// All, and conversations.
    All,
}

/// Where lines go: every one of them ends with LF.
struct Page<'a> {
    setup: &'a Setup,
    naming: Naming,
    bytes: &'a mut Vec<u8>,
}

/// Writes an event as everybody reads it, if it is shown.
pub(super) fn render(setup: &Setup, event: &Event, bytes: &mut Vec<u8>) {
    Page { setup, naming: Naming::OthersThanHome, bytes }.event(event);
}

/// Writes an event of the past, but for its moment: as it was written when it happened, but that nobody is `you` any more.
pub(super) fn render_past(setup: &Setup, naming: Naming, event: &Event, bytes: &mut Vec<u8>) {
    let mut page = Page { setup, naming, bytes };
    match event {
        Event::Directed { conversation, from, to, text, .. } => {
            let place = match naming {
                Naming::OthersThanHome => String::new(),
                Naming::All => format!("{} ", hub::conversation_name(*conversation)),
            };
            page.lines(&place, &["<", &from.nick, " to ", &to.nick, "> "], text);
        }
        Event::Erased { room, author, .. } => {
            let place = page.place(room);
            let name = name_of(author);
            page.line(&[&place, "-- a message of ", &name, " was erased"]);
        }
        _ => page.event(event),
    }
}

/// A nick; behind that of a door stands what kind it is.
fn name_of(author: &Author) -> Cow<'_, str> {
    match author {
        Author::Member(who) => Cow::Borrowed(&who.nick),
        Author::Door { kind, label } => Cow::Owned(format!("{label} ({})", kind.word())),
    }
}

/// Whether a room is a direct conversation, of which only its two parties are told.
fn is_conversation(room: &RoomRef) -> bool {
    room.name.starts_with('@')
}

impl Page<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Said { room, author, text, manner, .. } => self.said(room, author, text, *manner),
            Event::Directed { from, text, .. } => self.lines("", &["<", &from.nick, " to you> "], text),
            Event::Edited { room, by, text, .. } => self.edited(room, by, text),
            Event::Redacted { room, by, reason, .. } => self.redacted(room, by, reason.as_ref()),
            Event::Joined { room, who, announced: Announced::Singly } => {
                self.news(room, who, "entered room", None);
            }
            Event::Left { room, who, announced: Announced::Singly } => {
                self.news(room, who, "left room", None);
            }
            Event::Quit { who, reason, announced: Announced::Singly } => self.quit(who, reason.as_ref()),
            Event::Renamed { who, nick } => self.line(&["[", &who.nick, "] is now ", nick]),
            Event::TopicSet { room, by, topic: Some(topic), .. } => {
                self.news(room, by, "set the topic: ", Some(topic));
            }
            Event::TopicSet { room, by, topic: None, .. } => self.news(room, by, "cleared the topic", None),
            Event::JournalIs { trouble } => self.journal_is(*trouble),
            Event::Summed { room, arrived, departed } => {
                self.sum(room, arrived, "entered room");
                self.sum(room, departed, "left");
            }
            Event::Lost { room, from, to, .. } => self.lost(room, from.0, to.0),
            _ => {}
        }
    }

    fn said(&mut self, room: &RoomRef, author: &Author, text: &Text, manner: Manner) {
        let place = self.place(room);
        let name = name_of(author);
        match manner {
            Manner::Saying => self.lines(&place, &["<", &name, "> "], text),
            Manner::Acting => self.lines(&place, &["* ", &name, " "], text),
        }
    }

    /// What was said before is on the reader's screen already; nobody can point at it there.
    fn edited(&mut self, room: &RoomRef, by: &Who, text: &Text) {
        let (place, to_whom) = self.place_of_change(room);
        self.lines(&place, &["[", &by.nick, to_whom, "] corrected: "], text);
    }

    fn redacted(&mut self, room: &RoomRef, by: &Who, reason: Option<&Line>) {
        let (place, to_whom) = self.place_of_change(room);
        let words = [&place, "[", &by.nick, to_whom, "] erased a message"];
        match reason {
            Some(reason) => {
                self.add(&words);
                self.line(&[" (", &reason.shown(), ")"]);
            }
            None => self.line(&words),
        }
    }

    fn place_of_change(&self, room: &RoomRef) -> (String, &'static str) {
        if is_conversation(room) { (String::new(), " to you") } else { (self.place(room), "") }
    }

    fn journal_is(&mut self, trouble: Option<Trouble>) {
        match trouble {
            Some(trouble) => {
                self.line(&["-- what is said now cannot be written down: ", &trouble.to_string()]);
            }
            None => self.line(&["-- what is said is written down again"]),
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
            "-- the server stopped abruptly here; what was said last may be missing (numbers {from} to {to} stay unused)"
        );
        self.line(&[&place, &lost]);
    }

    /// What stands before a line of a room.
    fn place(&self, room: &RoomRef) -> String {
        let home = &self.setup.home;
        let is_home = room.name == home.shown || hub::key_of(&room.name) == *home.key;
        match self.naming {
            Naming::OthersThanHome if is_home => String::new(),
            _ if is_conversation(room) => format!("{} ", room.name),
            _ => format!("#{} ", room.name),
        }
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
    fn change_is_told_where_it_was_made_and_to_whom() {
        let edited = |name: &str| Event::Edited {
            room: room(name),
            sequence: Sequence(2),
            by: ann(),
            target: Sequence(1),
            text: Text::new("one\ntwo").expect("a text"),
            signature: None,
        };
        assert_eq!(rendered(&edited("lobby")), "[ann] corrected: one\n[ann] corrected: two\n");
        assert_eq!(rendered(&edited("dev")), "#dev [ann] corrected: one\n#dev [ann] corrected: two\n");
        assert_eq!(rendered(&edited("@12")), "[ann to you] corrected: one\n[ann to you] corrected: two\n");
        let redacted = |name: &str, reason: &str| Event::Redacted {
            room: room(name),
            sequence: Sequence(2),
            by: ann(),
            target: Sequence(1),
            reason: Line::new(reason, 100).ok(),
            signature: None,
        };
        assert_eq!(rendered(&redacted("dev", "")), "#dev [ann] erased a message\n");
        assert_eq!(rendered(&redacted("@12", "oops")), "[ann to you] erased a message (oops)\n");
    }

    #[test]
    fn trouble_of_the_journal_is_told() {
        let line = "-- what is said now cannot be written down: the disk reports errors\n";
        assert_eq!(rendered(&Event::JournalIs { trouble: Some(Trouble::Failing) }), line);
        let line = "-- what is said is written down again\n";
        assert_eq!(rendered(&Event::JournalIs { trouble: None }), line);
    }

    #[test]
    fn loss_is_told() {
        let event =
            Event::Lost { room: room("lobby"), sequence: Sequence(41), from: Sequence(17), to: Sequence(40) };
        let line = "-- the server stopped abruptly here; what was said last may be missing (numbers 17 to 40 stay unused)\n";
        assert_eq!(rendered(&event), line);
    }
}
