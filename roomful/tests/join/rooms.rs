//! Several rooms, several windows, and the next start.

use super::Home;
use crate::harness::{Client, Ears as _, JsonClient, Server, Terminal};
use serde_json::json;

/// Goes to a room, which is entered.
fn enters(ann: &mut Terminal, room: &str) {
    ann.types(&format!("/join {room}\r"));
    ann.shows(&format!("{room} as the room that is seen"), |ann| sees(ann, room));
}

/// Whether this is the room that is seen: it is what the window is called.
pub(super) fn sees(terminal: &Terminal, room: &str) -> bool {
    let bytes = String::from_utf8_lossy(terminal.bytes());
    let title = bytes.rsplit("\x1b]2;").next().and_then(|rest| rest.split("\x1b\\").next());
    title.is_some_and(|title| title.contains(&format!("#{room} - ")))
}

/// Somebody who says things in rooms.
struct Bob(JsonClient);

impl Bob {
    fn joins(server: &Server, rooms: &[&str]) -> Bob {
        let mut client = JsonClient::connect(server);
        client.sends(&json!({"type": "hello", "version": 1, "nick": "bob", "rooms": rooms}));
        client.waits_for_type("welcome");
        Bob(client)
    }

    fn says(&mut self, room: &str, text: &str) {
        let answer = self.0.asks(json!({"type": "say", "room": room, "text": text}));
        assert_eq!(answer["type"], "ack", "{answer}");
    }
}

#[test]
fn rooms_have_drafts_and_unread_counts_of_their_own() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    enters(&mut ann, "dev");
    enters(&mut ann, "ops");
    ann.types("for ops");
    ann.edits("> for ops", 9);
    ann.types("\x1b2");
    ann.shows("dev", |ann| sees(ann, "dev"));
    ann.types("for dev");
    ann.edits("> for dev", 9);
    let mut bob = Bob::joins(&server, &["lobby", "ops"]);
    bob.says("lobby", "nothing much");
    bob.says("lobby", "nothing at all");
    bob.says("ops", "Ann, look");
    ann.shows("what is unread", |ann| {
        let bytes = String::from_utf8_lossy(ann.bytes()).into_owned();
        bytes.contains("(+3 @1) #dev - ")
    });
    ann.types("\x1ba");
    ann.shows("where ann is named", |ann| sees(ann, "ops") && ann.screen().contains("Ann, look"));
    ann.edits("> for ops", 9);
    ann.types("\x1ba");
    ann.shows("what else is unread", |ann| sees(ann, "lobby") && ann.screen().contains("nothing at all"));
    ann.types("\x1ba");
    ann.shows_text("nothing is unread");
    ann.types("\x0bde");
    ann.shows_text("go to: de");
    ann.types("\r");
    ann.shows("dev", |ann| sees(ann, "dev"));
    ann.edits("> for dev", 9);
    ann.types("\x0bnewer\r");
    ann.shows("a room that is entered", |ann| sees(ann, "newer"));
}

#[test]
fn rooms_and_drafts_come_back_on_the_next_start() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    ann.types("for the lobby");
    ann.edits("> for the lobby", 15);
    ann.types("\x0bdev\r");
    ann.shows("dev", |ann| sees(ann, "dev"));
    ann.types("for dev\x1b\rin two rows");
    ann.shows_text("in two rows");
    ann.signal(rustix::process::Signal::TERM);
    ann.ends();
    let mut bob = Bob::joins(&server, &["dev"]);
    bob.says("dev", "while ann was away");
    let mut ann = home.joins(&server, "ann");
    ann.edits("> for the lobby", 15);
    ann.shows_text("#dev");
    ann.types("\x1ba");
    ann.shows("what was missed", |ann| sees(ann, "dev") && ann.screen().contains("while ann was away"));
    ann.shows("the line in front of it", |ann| ann.screen().contains(" new "));
    ann.shows("the draft", |ann| ann.screen().contains("> for dev") && ann.screen().contains("in two rows"));
    let mut carol = Client::join(&server, "carol");
    carol.says("/who");
    carol.waits_for("ann, carol");
}

#[test]
fn second_window_with_the_same_nick_is_another_member() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let mut second = home.joins(&server, "ann");
    second.shows_text("● ann-2");
    ann.types("from the first\r");
    second.shows_text("ann  from the first");
    second.types("from the second\r");
    ann.shows_text("ann-2  from the second");
}

#[test]
fn tab_completes_names_commands_and_rooms() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let _bertram = Client::join(&server, "bertram");
    let _berta = Client::join(&server, "berta");
    ann.shows_text("berta came in");
    ann.types("be\t");
    ann.edits("> bert", 6);
    ann.types("ra\t");
    ann.edits("> bertram:", 11);
    ann.types("\x15/hist\t");
    ann.shows("the command", |ann| ann.cursor().1 == 11 && ann.screen().contains("> /history"));
    ann.types("\x15/join #lo\t");
    ann.shows_text("> /join #lobby");
}

#[test]
fn what_was_said_can_be_changed_and_taken_back() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let mut carol = JsonClient::join(&server, "carol");
    ann.types("helo\r");
    let said = carol.waits_for_event("said");
    ann.shows("that it is said", |ann| {
        ann.screen().contains("ann  helo") && !ann.screen().contains("on the way")
    });
    ann.types("draft");
    ann.edits("> draft", 7);
    ann.types("\x1be");
    ann.edits("> helo", 6);
    ann.types("\x1b[Dl\r");
    let edited = carol.waits_for_event("edited");
    assert_eq!((&edited["target"], &edited["text"]), (&said["sequence"], &json!("hello")));
    ann.shows_text("ann  hello (edited)");
    ann.types("\x1b[A\x1b[A");
    ann.shows_text("> draft");
    ann.types("\x15/redact wrong window\r");
    let redacted = carol.waits_for_event("redacted");
    assert_eq!((&redacted["target"], &redacted["reason"]), (&said["sequence"], &json!("wrong window")));
    ann.shows_text("(erased)");
}

#[test]
fn help_and_links_lie_over_the_room_until_escape() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let bob = Client::join(&server, "bob");
    bob.says("see https://example.org/first and https://example.org/second");
    ann.shows_text("see https");
    ann.types("\x1bOP");
    ann.shows_text("keys and commands");
    ann.types("\x1b");
    ann.hides_text("keys and commands");
    ann.types("\x0f");
    ann.shows("links", |ann| {
        let screen = ann.screen();
        let rows: Vec<&str> = screen.lines().filter(|row| row.contains("https://example.org/")).collect();
        screen.contains("Enter opens") && rows.len() == 2 && rows[0].contains("second")
    });
    ann.types("\x1b[Bc");
    ann.shows_text("copied, if your terminal allows it");
    // `https://example.org/first` in base64.
    let bytes = String::from_utf8_lossy(ann.bytes()).into_owned();
    assert!(bytes.contains("\x1b]52;c;aHR0cHM6Ly9leGFtcGxlLm9yZy9maXJzdA==\x07"), "no OSC 52");
    assert!(bytes.contains("\x1b]8;"), "no OSC 8");
}

#[test]
fn conversation_that_is_closed_leaves_no_draft() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let _bob = Client::join(&server, "bob");
    ann.shows_text("bob came in");
    ann.types("/query bob\r");
    ann.shows_text("between you and bob");
    ann.types("/close\r");
    ann.hides_text("between you and bob");
    ann.types("/query bob\r");
    ann.shows("the conversation, and no draft", |ann| {
        ann.screen().contains("between you and bob") && ann.screen().contains("> type to talk")
    });
}
