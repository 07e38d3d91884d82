//! Coming and going: what a newcomer is told, and what the others learn of somebody, from the first byte to the last.

use crate::harness::{Client, Ears as _, Server, anonymous};

#[test]
fn silent_connection_is_greeted_with_at_most_four_lines() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    ann.says("/topic fish");
    ann.hears("[ann] set the topic: fish");
    let mut silent = Client::connect(&server);
    assert_eq!(anonymous(&silent.line()), "-- you are guest-NNNNN; /nick NAME changes that");
    silent.hears("-- #lobby: ann is here");
    silent.hears("-- topic: fish (set by ann)");
    silent.hears("-- type to talk; /help lists what else you can do");
    ann.says("hello");
    silent.hears("<ann> hello");
}

#[test]
fn silent_connection_is_counted_but_neither_named_nor_announced() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let silent = Client::listen(&server);
    ann.says("/who");
    ann.hears("-- #lobby has 1, 1 listening: ann");
    let address = silent.address();
    drop(silent);
    server_forgets(server, address, &mut ann);
}

#[test]
fn connection_that_ends_at_once_is_not_noticed() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let probe = Client::connect(&server);
    let address = probe.address();
    drop(probe);
    server_forgets(server, address, &mut ann);
}

/// The next that somebody in the room hears is that nobody else is there.
fn server_forgets(mut server: Server, address: std::net::SocketAddr, member: &mut Client) {
    server.notices_end_of(address);
    member.says("/who");
    member.hears("-- #lobby has 1: ann");
}

#[test]
fn member_is_seen_from_its_arrival_to_its_last_words() {
    let server = Server::start();
    let mut cat = Client::join(&server, "cat");
    let mut ann = Client::join(&server, "ann");
    cat.hears("[ann] entered room");
    ann.says("/me waves");
    cat.hears("* ann waves");
    ann.says("/nick bob");
    ann.hears("-- you are now bob");
    cat.hears("[ann] is now bob");
    ann.says("/quit so long");
    cat.hears("[bob] is offline (so long)");
    ann.ends_with(&["-- bye"]);
}

#[test]
fn guest_who_stays_after_a_line_appears_by_its_guest_name() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let guest = Client::listen(&server);
    guest.says("hello");
    assert_eq!(anonymous(&ann.line()), "<guest-NNNNN> hello");
    assert_eq!(anonymous(&ann.line()), "[guest-NNNNN] entered room");
    drop(guest);
    assert_eq!(anonymous(&ann.line()), "[guest-NNNNN] is offline");
}

#[test]
fn closing_the_connection_is_leaving() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.hears("[bob] entered room");
    drop(bob);
    ann.hears("[bob] is offline");
    ann.says("/who");
    ann.hears("-- #lobby has 1: ann");
}

#[test]
fn whoever_closes_its_side_still_hears_for_a_moment() {
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let mut bob = Client::join(&server, "bob");
    ann.hears("[bob] entered room");
    bob.sends(b"that was all");
    bob.half_closes();
    ann.hears("<bob> that was all");
    ann.says("understood");
    bob.ends_with(&["<ann> understood"]);
    ann.hears("[bob] is offline");
}
