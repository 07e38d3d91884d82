//! However it ends, the terminal is as it was.

use super::Home;
use crate::harness::{Client, Ears as _, Server, Terminal, Tool, in_namespaces, is_refused};
use rustix::process::Signal;

/// Modes that we switch on, each with what switches it off.
const MODES: [(&str, &str); 6] = [
    ("\x1b[?1049h", "\x1b[?1049l"),
    ("\x1b[?2004h", "\x1b[?2004l"),
    ("\x1b[?1004h", "\x1b[?1004l"),
    ("\x1b[?1000h", "\x1b[?1000l"),
    ("\x1b[?1006h", "\x1b[?1006l"),
    ("\x1b[?25l", "\x1b[?25h"),
];

/// Nothing is left of what we did to the terminal.
pub(super) fn assert_given_back(terminal: &Terminal) {
    assert!(terminal.is_as_before(), "the settings of the terminal are others");
    let bytes = String::from_utf8_lossy(terminal.bytes()).into_owned();
    for (on, off) in MODES {
        let last = |sequence| bytes.rfind(sequence);
        assert!(last(on) <= last(off), "{on:?} is not taken back");
    }
    let modes = terminal.modes();
    assert!(!modes.alternate_screen() && !modes.hide_cursor() && !modes.bracketed_paste());
    assert_eq!(modes.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
}

/// Ann, with the mouse and everything else that can be switched on.
fn ann_with_everything(home: &Home, server: &Server) -> Terminal {
    home.sets("mouse = true\n");
    let ann = home.joins(server, "ann");
    let bytes = String::from_utf8_lossy(ann.bytes()).into_owned();
    for (on, _) in MODES {
        assert!(bytes.contains(on), "{on:?} is switched on");
    }
    assert!(!ann.is_as_before(), "keys come one by one");
    ann
}

#[test]
fn whoever_leaves_finds_the_terminal_as_it_was() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    for keys in ["\x03", "\x04", "/quit\r", "/quit see you\r", "draft\x03\x03", "last words\r\x03"] {
        let home = Home::new();
        let mut ann = ann_with_everything(&home, &server);
        ann.types(keys);
        assert_eq!(ann.ends().code(), Some(0), "{keys:?}");
        assert_given_back(&ann);
        assert_eq!(ann.screen(), "", "nothing is left on the ordinary screen");
        bob.waits_for("[ann] is offline");
    }
    assert!(bob.heard().iter().any(|line| line == "<ann> last words"));
    assert!(bob.heard().iter().any(|line| line.contains("[ann] is offline (see you)")), "{:?}", bob.heard());
}

#[test]
fn signals_end_it_in_order_and_the_draft_is_kept() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let home = Home::new();
        let mut ann = ann_with_everything(&home, &server);
        ann.types("half a line");
        ann.edits("> half a line", 13);
        ann.signal(signal);
        assert_eq!(ann.ends().code(), Some(0), "{signal:?}");
        assert_given_back(&ann);
        bob.waits_for("[ann] is offline");
        let mut ann = home.joins(&server, "ann");
        ann.edits("> half a line", 13);
        drop(ann);
        bob.waits_for("[ann] is offline");
    }
}

#[test]
fn closed_window_ends_it_and_the_draft_is_kept() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    ann.types("half a line");
    ann.edits("> half a line", 13);
    let status = ann.closes();
    assert!(status.code().is_some(), "{status}");
    bob.waits_for("[ann] is offline");
    let mut ann = home.joins(&server, "ann");
    ann.edits("> half a line", 13);
}

#[test]
fn suspended_client_gives_the_terminal_back_and_takes_it_again() {
    if Tool::BASH.is_missing() {
        return;
    }
    let home = Home::new();
    let mut shell = home.bash(80, 24);
    shell.edits("$", 2);
    pauses(&mut shell, str::to_owned);
    // A script is one job with what it runs, and the shell can wake it.
    pauses(&mut shell, |join| format!("sh -c '{join}; echo over'"));
    shell.types("exit\r");
    assert!(shell.ends().success());
}

/// What leads the session is not seen from in there.
#[test]
fn suspended_client_comes_back_in_a_container_too() {
    if Tool::BASH.is_missing() || is_refused(in_namespaces(&["--pid", "--fork"]).arg("true")) {
        return;
    }
    let home = Home::new();
    let mut shell = home.bash(80, 24);
    shell.edits("$", 2);
    let inner = "--fork --pid --user --map-root-user bash --norc --noprofile --noediting -i";
    shell.types(&format!("exec unshare {inner}\recho inside $$\r"));
    shell.shows_text("inside 1");
    pauses(&mut shell, str::to_owned);
    shell.types("exit\r");
    assert!(shell.ends().success());
}

/// Somebody at a shell joins by this command, stops the client, and wakes it.
fn pauses(shell: &mut Terminal, command: impl Fn(&str) -> String) {
    let server = Server::start();
    let command = command(&format!("roomful join ann@{}", server.address()));
    shell.types(&format!("{command}\r"));
    shell.shows("that the room is there", super::home::is_in);
    let bob = Client::join(&server, "bob");
    shell.shows_text("bob came in");
    shell.types("half\x1a");
    shell.shows("that it is stopped", |shell| shell.screen().contains("Stopped"));
    shell.edits("$", 2);
    assert!(!shell.modes().alternate_screen() && !shell.modes().bracketed_paste());
    bob.says("meanwhile");
    shell.types("echo cooked; fg\r");
    shell.edits("> half", 6);
    shell.shows_text("bob  meanwhile");
    assert!(shell.modes().alternate_screen() && shell.modes().bracketed_paste());
    super::sizes::shows_nothing_else(shell);
    shell.types(" whole\r");
    shell.shows_text("ann  half whole");
    shell.hides_text("on the way");
    shell.types("\x03");
    shell.edits("$", 2);
    assert!(!shell.modes().alternate_screen());
}

/// Somebody without a shell could not come back.
#[test]
fn client_that_nobody_could_wake_is_not_stopped() {
    let server = Server::start();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    ann.types("half\x1a whole");
    ann.edits("> half whole", 12);
}

/// The shell that starts it leads the session, and does not look after jobs: so does `ssh -t HOST 'roomful join …; …'`.
#[test]
fn client_of_a_script_that_leads_the_session_is_not_stopped() {
    let server = Server::start();
    let home = Home::new();
    let mut script = home.script(&format!("roomful join ann@{}; echo over", server.address()));
    script.shows("that the room is there", super::home::is_in);
    script.types("half\x1a whole");
    script.edits("> half whole", 12);
    script.types("\x03\x03");
    script.shows_row("over");
    assert!(script.ends().success());
}
