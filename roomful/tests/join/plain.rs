//! Line by line, and with less than a terminal can do.

use super::Home;
use super::home::ESCAPE;
use super::leaving::assert_given_back;
use crate::harness::{Client, Ears as _, Server, Terminal, is_harmless};
use std::io::Write as _;
use std::process::Stdio;

/// Nothing in it that a terminal takes for anything but text.
fn assert_plain(bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    for line in text.replace("\r\n", "\n").split('\n') {
        assert!(is_harmless(line), "{line:?}");
    }
}

fn talks_line_by_line(ann: &mut Terminal, server: &Server) {
    ann.shows_text("-- #lobby: ");
    let mut bob = Client::join(server, "bob");
    ann.shows_text("-- bob came in");
    ann.types("hello\r");
    bob.waits_for("<ann> hello");
    bob.says("\x1b[31mhi\x07");
    ann.shows_text("<bob> hi");
    ann.types("/search hello\r");
    ann.shows_text("<ann> hello");
    ann.types("/quit\r");
    assert_eq!(ann.ends().code(), Some(0));
    assert_plain(ann.bytes());
    assert!(ann.is_as_before());
}

#[test]
fn nothing_is_drawn_where_lines_were_asked_for() {
    for (environment, flag) in [
        (&[][..], Some("--plain")),
        (&[("TERM", "dumb")], None),
        (&[("ACCESSIBLE", "1")], None),
        (&[("ROOMFUL_PLAIN", "1")], None),
    ] {
        let server = Server::start();
        let home = Home::new();
        let address = format!("ann@{}", server.address());
        let words: Vec<&str> = ["join", &address].into_iter().chain(flag).collect();
        let mut ann = home.runs_in(environment, &words, 80, 24);
        talks_line_by_line(&mut ann, &server);
    }
}

#[test]
fn pipes_say_what_comes_and_print_what_is_said() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let home = Home::new();
    let address = format!("ann@{}", server.address());
    let mut command = home.command(&["join", &address]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all("one\ntwo\n漢字\n".as_bytes()).expect("it takes its input");
    for line in ["one", "two", "漢字"] {
        assert_eq!(bob.waits_for("<ann> "), format!("<ann> {line}"));
    }
    bob.says("bye");
    bob.says("/nick robert");
    bob.waits_for("you are now robert");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    assert_plain(&output.stdout);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    bob.waits_for("[ann] is offline");
}

/// Ann, whom these lines are piped into; where she goes, and what she prints on standard output and on standard error.
fn pipes(home: &Home, address: &str, lines: &str) -> (Option<i32>, String, String) {
    let mut command = home.command(&["join", address]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    // It may end before it has read everything.
    let _ = child.stdin.take().expect("a pipe").write_all(lines.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_is_piped_in_is_said_in_the_room_that_was_entered_before() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let mut eve = Client::join(&server, "eve");
    eve.says("/join ops");
    eve.waits_for("#ops");
    let address = format!("ann@{}", server.address());
    let (status, ..) = pipes(&Home::new(), &address, "/join ops\nfor ops\n/leave ops\nfor the lobby\n");
    assert_eq!(status, Some(0));
    assert_eq!(bob.waits_for("<ann> "), "<ann> for the lobby");
    assert_eq!(eve.waits_for("#ops <ann> "), "#ops <ann> for ops");
}

#[test]
fn what_was_meant_for_a_room_that_is_full_is_said_nowhere_and_the_status_says_so() {
    let server = Server::start_with(&["--members-of-room-max", "1"]);
    let mut eve = Client::join(&server, "eve");
    eve.says("/leave");
    eve.says("/join ops");
    eve.waits_for("#ops");
    let home = Home::new();
    let (status, told, why) =
        pipes(&home, &format!("ann@{}/lobby", server.address()), "/join ops\nsecret\n/leave\nhi\n");
    assert_eq!((status, why.as_str()), (Some(1), "roomful: 2 lines were not said or done\n"), "{told}");
    assert!(told.contains("-- the members of that room are limited to 1"), "{told}");
    let (status, told, why) = pipes(&home, &format!("ann@{}/ops", server.address()), "secret\n");
    assert_eq!((status, why.as_str()), (Some(1), "roomful: one line was not said or done\n"), "{told}");
    let mut bob = Client::join(&server, "bob");
    bob.says("/history");
    bob.waits_for("<ann> hi");
    assert!(!bob.heard().iter().any(|line| line.contains("secret")), "{:?}", bob.heard());
}

#[test]
fn nothing_is_said_behind_a_command_that_cannot_be_done() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let address = format!("ann@{}", server.address());
    for command in ["/jion ops", "/join bad/name", "/join two words", "/msg"] {
        let (status, told, why) = pipes(&Home::new(), &address, &format!("hi\n{command}\nsecret\n"));
        assert_eq!((status, why.as_str()), (Some(1), "roomful: one line was not said or done\n"), "{told}");
        assert!(told.contains("-- nothing of what follows was said or done"), "{told}");
        bob.waits_for("[ann] is offline");
    }
    assert_eq!(bob.heard().iter().filter(|line| line.starts_with("<ann> ")).count(), 4, "{:?}", bob.heard());
}

#[test]
fn answers_to_what_was_piped_in_are_printed_before_the_end() {
    let server = Server::start();
    let _bob = Client::join(&server, "bob");
    let (status, told, _) = pipes(&Home::new(), &format!("ann@{}", server.address()), "/who\n/rooms\n");
    assert_eq!(status, Some(0));
    assert!(told.contains("in #lobby: ") && told.contains("-- #lobby (2)"), "{told}");
}

#[test]
fn what_is_said_before_quit_is_said() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    // The second time the room is known, and open before there is a connection.
    let home = Home::new();
    for _ in 0..2 {
        let lines = "/nick anna\nhi\n/quit see you\nnever\n";
        let (status, told, _) = pipes(&home, &format!("ann@{}/lobby", server.address()), lines);
        assert_eq!(status, Some(0), "{told}");
        bob.waits_for("<anna> hi");
        bob.waits_for("[anna] is offline (see you)");
    }
}

#[test]
fn mark_in_front_of_a_text_is_no_part_of_its_first_line() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let (status, told, _) =
        pipes(&Home::new(), &format!("ann@{}/lobby", server.address()), "\u{feff}/me waves\n");
    assert_eq!(status, Some(0), "{told}");
    bob.waits_for("* ann waves");
}

#[test]
fn command_that_is_too_long_ends_it_as_well() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let lines = format!("/join ops{}\nsecret\n", " ".repeat(20_000));
    let (status, told, _) = pipes(&Home::new(), &format!("ann@{}/lobby", server.address()), &lines);
    assert_eq!(status, Some(1), "{told}");
    bob.waits_for("[ann] is offline");
    assert!(!bob.heard().iter().any(|line| line.contains("secret")), "{:?}", bob.heard());
}

#[test]
fn line_that_is_too_long_is_not_said_in_parts() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let lines = format!("{}\n{}/nick eve\nend\n", "€".repeat(10_000), "a".repeat(16_384));
    let (status, told, why) = pipes(&Home::new(), &format!("ann@{}", server.address()), &lines);
    assert_eq!((status, why.as_str()), (Some(1), "roomful: 2 lines were not said or done\n"));
    assert!(
        told.contains("-- that cannot be said: it has 30000 bytes; at most 16384 are possible"),
        "{told}"
    );
    assert_eq!(bob.waits_for("<ann> "), "<ann> end");
}

#[test]
fn what_is_piped_in_is_said_also_where_nothing_can_be_remembered() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let home = Home::new();
    let address = format!("ann@{}", server.address());
    let mut command = home.command(&["join", &address]);
    // No directory can be made there.
    command.env("XDG_STATE_HOME", "/dev/null").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"one\n").expect("it takes its input");
    drop(stdin);
    bob.waits_for("<ann> one");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let first = text.lines().next().expect("it says why");
    assert!(first.starts_with("-- ") && first.contains("/dev/null"), "{text}");
}

#[test]
fn no_colour_means_none() {
    let server = Server::start();
    let bob = Client::join(&server, "bob");
    let home = Home::new();
    let address = format!("ann@{}", server.address());
    let environment = [("NO_COLOR", "1"), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
    let mut ann = home.runs_in(&environment, &["join", &address], 80, 24);
    ann.shows("the room", super::home::is_in);
    bob.says("ann: see https://example.org/ \x0304red\x03");
    ann.shows_text("see https");
    for keys in ["\x1bOP", ESCAPE, "\x0b", ESCAPE, "\x12zebra\r"] {
        ann.types(keys);
    }
    ann.shows_text("nothing was found");
    ann.types("\x03\x03");
    ann.ends();
    assert_given_back(&ann);
    for parameters in colours(ann.bytes()) {
        assert!(matches!(parameters, 0..=29), "SGR {parameters}");
    }
}

/// The parameters of all SGR sequences (ECMA-48 §8.3.117).
fn colours(bytes: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(bytes);
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| {
        let end = rest.find(|character: char| !matches!(character, '0'..='9' | ';' | ':'))?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    let parameters: Vec<String> =
        sequences.flat_map(|all| all.split([';', ':']).map(str::to_owned).collect::<Vec<_>>()).collect();
    parameters.iter().map(|parameter| parameter.parse().unwrap_or(0)).collect()
}

/// So that the test above would see one.
#[test]
fn colours_are_there_where_they_may_be() {
    let server = Server::start();
    let home = Home::new();
    let address = format!("ann@{}", server.address());
    let mut ann = home.runs_in(&[("TERM", "xterm-256color")], &["join", &address], 80, 24);
    ann.shows("the room", super::home::is_in);
    assert!(colours(ann.bytes()).iter().any(|parameter| *parameter >= 30));
}
