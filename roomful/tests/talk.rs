//! Talking: with netcat, with socat, with a bare connection, all in one room.

use crate::harness::{Client, Ears as _, Outside, Server, Tool, ann_and_bob, anonymous};

#[test]
fn two_netcats_talk() {
    if Tool::NC.is_missing() {
        return;
    }
    let server = Server::start();
    let (mut ann, mut bob) = (Outside::nc(&server, &[]), Outside::nc(&server, &[]));
    ann.says("/nick ann");
    ann.waits_for("you are now ann");
    bob.says("/nick bob");
    bob.waits_for("you are now bob");
    ann.hears("[bob] entered room");
    ann.says("hello, bob");
    bob.hears("<ann> hello, bob");
    bob.says("hello, ann");
    ann.hears("<bob> hello, ann");
}

#[test]
fn netcat_socat_and_a_bare_connection_share_a_room() {
    if Tool::NC.is_missing() || Tool::SOCAT.is_missing() {
        return;
    }
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let mut bob = Outside::nc(&server, &[]);
    bob.says("/nick bob");
    bob.waits_for("you are now bob");
    let mut cat = Outside::socat(&server);
    cat.says("/nick cat");
    cat.waits_for("you are now cat");
    ann.hears("[bob] entered room");
    ann.hears("[cat] entered room");
    bob.hears("[cat] entered room");

    ann.says("from ann");
    bob.hears("<ann> from ann");
    cat.hears("<ann> from ann");
    bob.says("from bob");
    ann.hears("<bob> from bob");
    cat.hears("<bob> from bob");
    cat.says("from cat");
    ann.hears("<cat> from cat");
    bob.hears("<cat> from cat");
}

#[test]
fn own_line_does_not_come_back() {
    let server = Server::start();
    let (mut ann, mut bob) = (Client::join(&server, "ann"), Client::join(&server, "bob"));
    ann.hears("[bob] entered room");
    ann.says("first");
    bob.hears("<ann> first");
    bob.says("second");
    ann.hears("<bob> second");
}

#[test]
fn characters_arrive_whole_though_their_bytes_come_one_by_one() {
    let said = "你好，世界 👩‍🚀 🇨🇭 é";
    let server = Server::start();
    let (mut ann, mut bob) = (Client::join(&server, "ann"), Client::join(&server, "bob"));
    ann.hears("[bob] entered room");
    for byte in format!("{said}\n").bytes() {
        ann.sends(&[byte]);
    }
    bob.hears(&format!("<ann> {said}"));
}

#[test]
fn last_line_of_a_pipe_counts_and_nobody_is_announced() {
    if Tool::NC.is_missing() {
        return;
    }
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let mut pipe = Outside::nc(&server, &["-N"]);
    pipe.types(b"hi");
    pipe.ends_input();
    assert_eq!(anonymous(&ann.line()), "<guest-NNNNN> hi");
    assert!(pipe.ends().success());
    ann.says("/who");
    ann.hears("-- #lobby has 1: ann");
}

#[test]
fn every_line_arrives_once_and_in_order() {
    const LINES: usize = 2000;
    let server = Server::start_with(&["--shards", "2"]);
    let mut hearers =
        [Client::join(&server, "ann"), Client::join(&server, "bob"), Client::join(&server, "cat")];
    let mut speakers = [Client::join(&server, "dan"), Client::join(&server, "eve")];
    speakers[0].hears("[eve] entered room");
    for number in 0..LINES {
        for speaker in &speakers {
            speaker.says(&format!("line {number}"));
        }
    }
    let orders = hearers.each_mut().map(|hearer| {
        hearer.waits_for("[eve] entered room");
        (0..2 * LINES).map(|_| hearer.line()).collect::<Vec<_>>()
    });
    for nick in ["dan", "eve"] {
        let said = orders[0].iter().filter(|line| line.starts_with(&format!("<{nick}>")));
        assert!(
            said.eq((0..LINES).map(|number| format!("<{nick}> line {number}")).collect::<Vec<_>>().iter())
        );
    }
    assert!(orders.iter().all(|order| *order == orders[0]), "not everybody saw the same order");
}

#[test]
fn whoever_says_much_at_once_misses_nothing() {
    const LINES: usize = 40_000;
    let (_server, mut ann, _bob) = ann_and_bob();
    ann.says(&vec!["x".repeat(400); LINES].join("\n"));
    ann.says("/who");
    ann.hears("-- #lobby has 2: ann, bob");
}
