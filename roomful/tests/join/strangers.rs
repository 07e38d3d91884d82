//! Somewhere else than at a Roomful server: one clear line, and the terminal as it was.

use super::Home;
use super::leaving::assert_given_back;
use crate::harness::{Terminal, nobody};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::thread;

/// Somebody who says this to whoever comes, reads nothing, and closes nothing.
fn stranger(greeting: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let mut streams = Vec::new();
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            // They may not wait for it.
            let _ = stream.write_all(greeting);
            streams.push(stream);
        }
    });
    address
}

/// Who is there, and what is said about it.
fn strangers() -> Vec<(SocketAddr, &'static str)> {
    vec![
        (nobody(), "nothing listens there; is the server running, and on that port?"),
        (stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "a web server (HTTP) answers there, not Roomful; check the port"),
        (stranger(b"SSH-2.0-OpenSSH_9.6\r\n"), "an SSH server answers there (SSH-2.0-OpenSSH_9.6), not Roomful"),
        (stranger(b"220 mail.example ESMTP\r\n"), "another kind of server answers there"),
        (stranger(b"\x1b[2J\x1b]0;pwned\x07 who are you?\r\n"), "something else answers there, not Roomful"),
        (stranger(b"{\"type\":\"welcome\"}\n"), "the server does not speak as Roomful does (missing field `version`"),
        (stranger(b"{\"type\":\n"), "the server does not speak as Roomful does (EOF"),
        (
            stranger(b"{\"type\":\"welcome\",\"version\":9,\"server\":\"roomful 9\",\"epoch\":\"e\",\"nick\":\"a\",\"resume\":{\"secret\":\"s\"}}\n"),
            "the server speaks another version of the protocol",
        ),
        (stranger(b""), "somebody accepts connections there and says nothing; check the port"),
    ]
}

/// On the ordinary screen stands nothing but this.
fn says_one_thing(terminal: &Terminal, words: &str) {
    let screen = terminal.screen();
    assert!(screen.starts_with("roomful: ") || screen.starts_with("cannot join "), "{screen}");
    assert!(screen.contains(words), "{words:?}:\n{screen}");
    assert_eq!(screen.lines().count(), 1, "{screen}");
}

#[test]
fn whoever_comes_to_a_stranger_is_told_who_it_is() {
    let homes: Vec<Home> = strangers().iter().map(|_| Home::new()).collect();
    let strangers = strangers();
    let begun = strangers
        .iter()
        .zip(&homes)
        .map(|((address, _), home)| home.runs_in(&[], &["join", &format!("ann@{address}")], 200, 24));
    // All at once: the silent one is waited for.
    for (mut terminal, (_, words)) in begun.collect::<Vec<_>>().into_iter().zip(&strangers) {
        assert_eq!(terminal.ends().code(), Some(1), "{words}");
        assert_given_back(&terminal);
        says_one_thing(&terminal, words);
    }
}

#[test]
fn lines_are_told_the_same_in_a_pipe() {
    for (address, words) in strangers() {
        if words.contains("says nothing") {
            continue;
        }
        let home = Home::new();
        let mut command = home.command(&["join", &format!("ann@{address}")]);
        let output = command.stdin(Stdio::piped()).output().expect("the program starts");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{words:?}: {said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    }
}
