//! How plain text is written: as a chat, or as the two classic exercises wrote it, so that old programs and pipes keep
//! working.
//!
//! Where it stands: chosen for the whole server; the session asks it what a line means, the renderer how an event looks.
//! A server that relays has no commands, no greeting and no private words: whoever sends hears nothing of itself.
//!
//! What this file must never do: write a byte that the styles below do not name, or show a text but through `Text::lines`.

use super::input::RawLine;
use super::terminal::Terminal;
use crate::sniff::Protocol;
use hub::{Author, Ending, Event, Text, Who};
use std::io::Write as _;

/// How a server writes plain text; the same for all its connections.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Style {
    /// People with names, commands, rooms.
    #[default]
    Chat,
    /// Lines tagged with the address of whoever sent them, as they came:
    ///
    /// - `[IP:PORT] entered room` and LF,
    /// - CR, `<('IP', PORT)> `, the line and its own end (LF or CR LF),
    /// - `Client (IP, PORT) is offline`, without an end.
    Tagged,
    /// What was sent, without the blanks at both ends, and LF; nothing else.
    Bare,
}

impl Style {
    /// Whether lines are only passed on.
    pub(super) fn relays(self) -> bool {
        self != Style::Chat
    }

    /// Whether a connection that speaks this protocol is turned away. A server that relays takes every line for what somebody said,
    /// but for HTTP: a web page could otherwise make its visitors say something.
    pub(super) fn refuses(self, protocol: Protocol) -> bool {
        !self.relays() || protocol == Protocol::Http
    }

    /// The terminal of a telnet: where lines are only passed on, none is edited.
    pub(super) fn terminal(self) -> Terminal {
        if self.relays() { Terminal::never_edited() } else { Terminal::default() }
    }

    /// What is passed on of a line.
    pub(super) fn relayed(self, line: &RawLine<'_>) -> Text {
        let decoded = line.decode();
        match self {
            Style::Bare => Text::relayed(decoded.text.trim(), Ending::LineFeed),
            Style::Chat | Style::Tagged => Text::relayed(&decoded.text, line.ending()),
        }
    }
}

/// Writes an event as the style `tagged` shows it.
// Writing to a vector cannot fail.
pub(super) fn render_tagged(event: &Event, bytes: &mut Vec<u8>) {
    match event {
        Event::Joined { who, .. } => {
            let _ = match &who.address {
                Some(address) => writeln!(bytes, "[{}:{}] entered room", address.ip(), address.port()),
                None => writeln!(bytes, "[{}] entered room", who.nick),
            };
        }
        Event::Said { author, text, .. } => {
            let _ = match author {
                Author::Member(who) => write_tag(who, bytes),
                Author::Door { kind, label } => write!(bytes, "\r<{label} ({})> ", kind.word()),
            };
            write_lines(text, bytes);
        }
        Event::Left { who, .. } | Event::Quit { who, .. } => {
            let _ = match &who.address {
                Some(address) => write!(bytes, "Client ({}, {}) is offline", address.ip(), address.port()),
                None => write!(bytes, "Client {} is offline", who.nick),
            };
        }
        _ => {}
    }
}

fn write_tag(who: &Who, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    match &who.address {
        Some(address) => write!(bytes, "\r<('{}', {})> ", address.ip(), address.port()),
        None => write!(bytes, "\r<{}> ", who.nick),
    }
}

/// Writes an event as the style `bare` shows it.
pub(super) fn render_bare(event: &Event, bytes: &mut Vec<u8>) {
    if let Event::Said { text, .. } = event {
        write_lines(text, bytes);
    }
}

fn write_lines(text: &Text, bytes: &mut Vec<u8>) {
    let end: &[u8] = match text.ending() {
        Ending::LineFeed => b"\n",
        Ending::CarriageReturnLineFeed => b"\r\n",
    };
    for line in text.lines() {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::{Announced, DoorKind, Manner, MemberId, RoomNumber, RoomRef, Sequence};
    use std::net::SocketAddr;
    use std::sync::Arc;

    fn who(address: Option<&str>) -> Who {
        let address = address.map(|raw| Arc::new(raw.parse::<SocketAddr>().expect("an address")));
        Who { member: MemberId::mint(0, 1), nick: "guest-00001".into(), address }
    }

    fn said(style: Style, author: Author, line: &[u8]) -> String {
        let room = RoomRef { number: RoomNumber(1), name: "lobby".into() };
        let text = style.relayed(&RawLine::new(line));
        rendered(
            style,
            &Event::Said {
                room,
                sequence: Sequence(1),
                author,
                text,
                manner: Manner::Saying,
                signature: None,
            },
        )
    }

    fn rendered(style: Style, event: &Event) -> String {
        let mut bytes = Vec::new();
        match style {
            Style::Tagged => render_tagged(event, &mut bytes),
            Style::Bare => render_bare(event, &mut bytes),
            Style::Chat => unreachable!("this is not relayed"),
        }
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn tagged_line_keeps_its_blanks_and_its_end() {
        let ann = || Author::Member(who(Some("127.0.0.1:40000")));
        assert_eq!(said(Style::Tagged, ann(), b" hi  "), "\r<('127.0.0.1', 40000)>  hi  \n");
        assert_eq!(said(Style::Tagged, ann(), b"hi\r"), "\r<('127.0.0.1', 40000)> hi\r\n");
        assert_eq!(said(Style::Tagged, ann(), b""), "\r<('127.0.0.1', 40000)> \n");
        let far = Author::Member(who(Some("[2001:db8::1]:7")));
        assert_eq!(said(Style::Tagged, far, b"hi"), "\r<('2001:db8::1', 7)> hi\n");
    }

    #[test]
    fn tagged_line_forges_no_other() {
        let ann = Author::Member(who(Some("127.0.0.1:40000")));
        let line = b"a\r<('10.0.0.1', 1)> b\x1b[2Kc\x9b";
        let shown = "\r<('127.0.0.1', 40000)> a<('10.0.0.1', 1)> bc\u{fffd}\n";
        assert_eq!(said(Style::Tagged, ann, line), shown);
    }

    #[test]
    fn tagged_room_tells_who_comes_and_goes_however_many_there_are() {
        let room = || RoomRef { number: RoomNumber(1), name: "lobby".into() };
        for announced in [Announced::Singly, Announced::InSum] {
            let joined = Event::Joined { room: room(), who: who(Some("10.0.0.9:1")), announced };
            assert_eq!(rendered(Style::Tagged, &joined), "[10.0.0.9:1] entered room\n");
            let quit = Event::Quit { who: who(Some("10.0.0.9:1")), reason: None, announced };
            assert_eq!(rendered(Style::Tagged, &quit), "Client (10.0.0.9, 1) is offline");
            assert_eq!(rendered(Style::Bare, &joined) + &rendered(Style::Bare, &quit), "");
        }
    }

    #[test]
    fn whoever_has_no_address_to_show_is_named() {
        assert_eq!(said(Style::Tagged, Author::Member(who(None)), b"hi"), "\r<guest-00001> hi\n");
        let door = Author::Door { kind: DoorKind::Web, label: "ann".into() };
        assert_eq!(said(Style::Tagged, door, b"hi"), "\r<ann (web)> hi\n");
    }

    #[test]
    fn bare_line_is_stripped_and_nothing_else() {
        let ann = || Author::Member(who(Some("127.0.0.1:40000")));
        assert_eq!(said(Style::Bare, ann(), b" \thi there \r"), "hi there\n");
        assert_eq!(said(Style::Bare, ann(), b"  "), "\n");
    }
}
