//! People talk: two at the client, one at netcat.

use super::Home;
use super::home::timeline;
use crate::harness::{Client, Ears as _, JsonClient, Server, Terminal};

/// What of the timeline is a line of the talk.
fn talk(terminal: &Terminal) -> Vec<String> {
    timeline(terminal).into_iter().filter(|line| line.contains(" says ")).collect()
}

#[test]
fn everybody_sees_the_same_in_one_order() {
    const LINES: usize = 4;
    let server = Server::start();
    let homes = [Home::new(), Home::new()];
    let mut ann = homes[0].joins_at(&server, "ann", 80, 40);
    let mut bob = homes[1].joins_at(&server, "bob", 100, 40);
    let mut carol = Client::join(&server, "carol");
    ann.shows_text("carol came in");
    bob.shows_text("carol came in");
    for line in 0..LINES {
        ann.types(&format!("ann says {line}\r"));
        carol.says(&format!("carol says {line}"));
        bob.types(&format!("bob says {line}\r"));
    }
    for terminal in [&mut ann, &mut bob] {
        terminal.shows("everything", |terminal| {
            talk(terminal).len() == 3 * LINES && !terminal.screen().contains("on the way")
        });
    }
    let order = talk(&ann);
    assert_eq!(order, talk(&bob));
    for nick in ["ann", "bob", "carol"] {
        let expected: Vec<String> = (0..LINES).map(|line| format!("{nick} {nick} says {line}")).collect();
        let said: Vec<&String> = order.iter().filter(|line| line.starts_with(nick)).collect();
        assert_eq!(said, expected.iter().collect::<Vec<_>>());
    }
    let others = order.iter().filter(|line| !line.starts_with("carol"));
    for line in others {
        let (nick, text) = line.split_once(' ').expect("a nick and what was said");
        let heard = carol.waits_for(" says ");
        assert_eq!(heard, format!("<{nick}> {text}"));
    }
}

#[test]
fn half_typed_line_stays_where_it_is_whatever_arrives() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.shows_text("bob came in");
    for (typed, row, column) in [
        ("half a line\x1b[D\x1b[D", "> half a line", 11),
        ("一半的话👍\x1b[D\x1b[D", "> 一半的话👍", 8),
        ("cafe\u{301} ok", "> cafe\u{301} ok", 9),
        ("one\x1b\rtwo\x1b[A\x1b[H", "> one", 2),
    ] {
        ann.types(typed);
        ann.edits(row, column);
        for line in 0..40 {
            bob.says(&format!(
                "line {line} of many, some of which are 很长的话 {}",
                "and go on ".repeat(line % 9)
            ));
        }
        bob.says("ann: this is the end");
        ann.shows_while_it_edits("the end", (row, column), |ann| ann.screen().contains("this is the end"));
        ann.types("\x03");
        bob.says("next");
        ann.shows("the next", |ann| {
            ann.screen().contains("bob  next") && ann.screen().contains("> type to talk")
        });
        ann.types("x\x7f");
    }
}

/// A family that many terminals take for three people: only where the cursor stands is the same everywhere.
#[test]
fn draft_of_joined_emoji_keeps_the_cursor_in_its_place() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.types("ab👩\u{200d}👩\u{200d}👧cd\x1b[D");
    ann.shows("the cursor before the last letter", |ann| ann.cursor().1 == 7 && !ann.modes().hide_cursor());
    bob.says("hello");
    ann.shows("what was said", |ann| {
        assert!(ann.modes().hide_cursor() || ann.cursor().1 == 7, "{:?}", ann.cursor());
        ann.screen().contains("bob  hello")
    });
}

fn lines() -> Vec<String> {
    (1..=200).map(|line| format!("line {line} of what was pasted")).collect()
}

/// What somebody sees who reads JSON: one message of these lines, and nothing else before `behind it`.
fn hears_one_message(carol: &mut JsonClient, lines: &[String]) {
    let said = carol.waits_for_event("said");
    let text = said["text"].as_str().expect("a text");
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    assert_eq!(carol.waits_for_event("said")["text"], "behind it");
}

#[test]
fn paste_of_200_lines_arrives_as_one_message() {
    let lines = lines();
    for paste in [format!("\x1b[200~{}\x1b[201~", lines.join("\r")), lines.join("\r"), lines.join("\n")] {
        let server = Server::start();
        let mut carol = JsonClient::join(&server, "carol");
        let home = Home::new();
        let mut ann = home.joins(&server, "ann");
        ann.types(&paste);
        ann.shows("all of it in the draft", |ann| ann.cursor().0.ends_with("line 200 of what was pasted"));
        ann.types("\r");
        ann.shows_text("> type to talk");
        ann.types("behind it\r");
        hears_one_message(&mut carol, &lines);
    }
}
