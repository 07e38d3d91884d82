//! Telnet: the line is edited by the server. That what arrives stands above it is tested in `tutorial_defects`.

use crate::harness::{Client, Ears as _, GUARD, Server, Terminal, Tool};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A telnet whose line is edited, and somebody else in the room.
pub(crate) fn telnet_and_bob(columns: u16, rows: u16) -> Option<(Server, Terminal, Client)> {
    if Tool::TELNET.is_missing() {
        return None;
    }
    let server = Server::start();
    let mut terminal = Terminal::telnet(&server, columns, rows);
    terminal.edits(">", 2);
    terminal.types("/nick ann\r");
    terminal.shows_row("-- you are now ann");
    terminal.edits(">", 2);
    let bob = Client::join(&server, "bob");
    terminal.shows_row("[bob] entered room");
    Some((server, terminal, bob))
}

#[test]
fn backspace_takes_one_whole_character_away() {
    let Some((_server, mut terminal, mut bob)) = telnet_and_bob(80, 24) else { return };
    for (typed, width) in [("好", 2), ("é", 1), ("e\u{301}", 1), ("👍", 2)] {
        terminal.types("a");
        terminal.edits("> a", 3);
        terminal.types(typed);
        terminal.edits(&format!("> a{typed}"), 3 + width);
        terminal.types("\x7f");
        terminal.edits("> a", 3);
        terminal.types("\x7f");
        terminal.edits(">", 2);
    }
    terminal.types("你好\x7f们\r");
    bob.waits_for("<ann> 你们");
}

#[test]
fn line_survives_another_size_of_the_window() {
    let Some((_server, mut terminal, mut bob)) = telnet_and_bob(80, 24) else { return };
    terminal.types("half of 一句话");
    terminal.edits("> half of 一句话", 16);
    // So narrow that only the end of the line can be seen.
    terminal.resizes(14, 12);
    terminal.shows("the end of the line", |terminal| terminal.cursor().0.starts_with("> <"));
    terminal.resizes(30, 12);
    terminal.edits("> half of 一句话", 16);
    terminal.types(" more");
    bob.says(&format!("{} end", "word ".repeat(20)));
    // Wrapped between words, with what follows set in.
    terminal.shows("a line that is wrapped", |terminal| {
        terminal.screen().lines().any(|row| row.starts_with("  word word") && row.len() < 30)
    });
    terminal.edits("> half of 一句话 more", 21);
    terminal.resizes(100, 30);
    terminal.types("\r");
    bob.waits_for("<ann> half of 一句话 more");
    terminal.shows_row("<ann> half of 一句话 more");
}

#[test]
fn keys_edit_the_line_and_find_what_was_typed_before() {
    let Some((_server, mut terminal, mut bob)) = telnet_and_bob(80, 24) else { return };
    terminal.types("word\x1b[D\x1b[D\x1b[3~\x01<\x05>");
    terminal.edits("> <wod>", 7);
    terminal.types("\r");
    bob.waits_for("<ann> <wod>");
    terminal.edits(">", 2);
    terminal.types("draft\x1b[A");
    terminal.edits("> <wod>", 7);
    terminal.types("\x1b[B");
    terminal.edits("> draft", 7);
    terminal.types("\x15/wh\t");
    terminal.edits("> /who", 7);
    terminal.types("\x15bo\t");
    terminal.edits("> bob:", 7);
    terminal.types("hi\r");
    bob.waits_for("<ann> bob: hi");
}

#[test]
fn plain_gives_the_line_back() {
    let Some((_server, mut terminal, mut bob)) = telnet_and_bob(80, 24) else { return };
    terminal.types("/plain\r");
    terminal.shows_row("-- your line is yours to edit again");
    terminal.types("typed in my own terminal\n");
    bob.waits_for("<ann> typed in my own terminal");
    // Shown once: by the terminal itself.
    bob.says("seen");
    terminal.shows_row("<bob> seen");
    assert_eq!(terminal.screen().matches("typed in my own").count(), 1, "{}", terminal.screen());
    terminal.types("/telnet\n");
    terminal.edits(">", 2);
}

#[test]
fn ctrl_d_leaves_and_the_stop_of_the_server_is_told() {
    let Some((server, mut terminal, mut bob)) = telnet_and_bob(80, 24) else { return };
    terminal.types("\x04");
    terminal.shows_row("-- bye");
    bob.waits_for("[ann] is offline");
    let mut other = Terminal::telnet(&server, 80, 24);
    other.edits(">", 2);
    other.types("half typed");
    other.edits("> half typed", 12);
    server.signal(rustix::process::Signal::TERM);
    other.shows_row("-- Shutdown Server");
}

/// Windows' telnet sends each key by itself, shows it itself until it is told not to, and does not say that it is telnet.
#[test]
fn telnet_of_windows_is_found_by_its_keys() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let mut windows = TcpStream::connect(server.address()).expect("the server accepts");
    windows.set_nodelay(true).expect("an option of TCP");
    windows.set_read_timeout(Some(GUARD)).expect("an option of sockets");
    let mut seen = Vec::new();
    reads_until(&mut windows, &mut seen, b"-- type to talk");
    // What it sends key by key has to arrive so: after each key bob hears of something said by somebody else.
    let other = Client::join(&server, "cat");
    bob.waits_for("[cat] entered room");
    for key in ["h", "e", "x", "\x08", "y"] {
        windows.write_all(key.as_bytes()).expect("the server takes keys");
        other.says("so");
        bob.waits_for("<cat> so");
    }
    windows.write_all(b"\r\n").expect("the server takes keys");
    bob.waits_for("> hey");
    assert!(!seen.contains(&255), "nothing is offered before that: {}", seen.escape_ascii());
    // IAC WILL ECHO
    reads_until(&mut windows, &mut seen, &[255, 251, 1]);
}

fn reads_until(stream: &mut TcpStream, seen: &mut Vec<u8>, wanted: &[u8]) {
    while !seen.windows(wanted.len()).any(|bytes| bytes == wanted) {
        let mut bytes = [0; 512];
        let count = stream.read(&mut bytes).expect("the server answers");
        assert!(count > 0, "closed after: {}", seen.escape_ascii());
        seen.extend_from_slice(&bytes[..count]);
    }
}
