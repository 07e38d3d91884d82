//! The pollers that a server can be told to use. All tests here run under whichever is under test; these are about what
//! tells them apart: where `select` ends, and what none of them may miss although not each is told of it.

use crate::harness::{Client, Ears as _, Server, may_have_descriptors, reset};
use rustix::process::Signal;
use std::io::{ErrorKind, Write as _};

const POLLERS: [&str; 3] = ["epoll", "poll", "select"];

const NO_ROOM: &str = "-- the server has no room for more connections; try again later";

#[test]
fn select_tells_who_comes_beyond_its_end_and_nobody_else_notices() {
    if may_have_descriptors(1500) {
        crowd_beyond_the_end_is_told(1100);
    } else {
        println!("skipped: this process may not have 1,500 descriptors");
    }
}

/// More come than `select` can watch.
pub(crate) fn crowd_beyond_the_end_is_told(people: usize) {
    let mut server = Server::start_with(&["--poller", "select"]);
    let end = server.logs.waits_for("select cannot watch more connections than that");
    assert!(end.contains("INFO") && end.contains("--poller epoll can"), "{end}");
    let connections_max = number_behind("connections_max=", &end);
    let (mut ann, mut bob) = (Client::join(&server, "ann"), Client::join(&server, "bob"));
    ann.hears("[bob] entered room");

    let crowd: Vec<_> = (2..people).map(|_| Client::connect(&server)).collect();
    let (mut inside, mut refused) = (Vec::new(), 0);
    for mut client in crowd {
        if client.line() == NO_ROOM {
            client.ends_with(&[]);
            refused += 1;
        } else {
            client.waits_for("-- type to talk");
            inside.push(client);
        }
    }
    assert_eq!(inside.len() + 2, connections_max);
    assert_eq!(inside.len() + 2 + refused, people);
    let warning = server.logs.waits_for("no room for more connections");
    assert!(warning.contains("WARN") && warning.contains("select can watch no more"), "{warning}");
    assert!(warning.contains("start with --poller poll or --poller epoll"), "{warning}");
    ann.says("still talking");
    bob.hears("<ann> still talking");
    server.rests(&mut ann);

    // Who leaves makes room.
    let left = inside.pop().expect("somebody is inside").address();
    server.notices_end_of(left);
    let mut late = Client::listen(&server);
    ann.says("welcome");
    late.hears("<ann> welcome");
    bob.hears("<ann> welcome");
    drop((bob, late, inside));
    server.signal(Signal::TERM);
    ann.waits_for("-- Shutdown Server");
    assert!(server.ends().success());
    let log = server.whole_log();
    assert_eq!(log.matches("no room for more connections").count(), 1, "{log}");
}

fn number_behind(name: &str, line: &str) -> usize {
    let (_, behind) = line.split_once(name).unwrap_or_else(|| panic!("{name} is not in {line:?}"));
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

#[test]
fn server_under_each_poller_rests_when_nobody_talks() {
    for poller in POLLERS {
        let server = Server::start_with(&["--poller", poller]);
        let mut ann = Client::join(&server, "ann");
        let half = Client::connect(&server);
        half.sends(b"half a line");
        server.rests(&mut ann);
    }
}

#[test]
fn reset_while_much_waits_to_be_written_is_noticed_under_each_poller() {
    for poller in POLLERS {
        // What is kept would still be indexed when the server should rest.
        let server = Server::start_with(&["--poller", poller, "--data", ":memory:"]);
        let mut ann = Client::join(&server, "ann");
        let descriptors = server.descriptors();
        let stalled = Client::join(&server, "stalled");
        ann.hears("[stalled] entered room");
        // More than the buffers of both sockets hold; ann's own lines are not shown to her.
        let lines = format!("{}\n", "x".repeat(1_000)).repeat(100);
        (0..100).for_each(|_| ann.sends(lines.as_bytes()));
        ann.says("/who");
        ann.waits_for("-- #lobby has 2");
        reset(stalled.into_stream());
        ann.hears("[stalled] is offline");
        server.rests(&mut ann);
        server.closes_descriptors_down_to(descriptors, &mut ann);
    }
}

#[test]
fn reset_while_nothing_is_read_is_noticed_under_each_poller() {
    for poller in POLLERS {
        let server = Server::start_with(&["--poller", poller, "--local-lines-per-second", "1"]);
        let mut ann = Client::join(&server, "ann");
        let descriptors = server.descriptors();
        let mut hasty = Client::join(&server, "hasty");
        ann.hears("[hasty] entered room");
        hasty.says(&["a line\n"; 12].concat());
        hasty.waits_for("you send more than 1 line a second");
        // What it sends now is not read for a while, until it is not taken either; and then it is gone.
        let mut stream = hasty.into_stream();
        stream.set_nonblocking(true).expect("an option of sockets");
        let filled = (0..100_000).find_map(|_| stream.write(&[b'x'; 4096]).err());
        assert_eq!(filled.map(|error| error.kind()), Some(ErrorKind::WouldBlock));
        reset(stream);
        ann.waits_for("[hasty] is offline");
        server.rests(&mut ann);
        server.closes_descriptors_down_to(descriptors, &mut ann);
    }
}
