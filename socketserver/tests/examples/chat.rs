//! The chat room: everybody hears everybody, and one who does not listen harms nobody.

use crate::harness::{GUARD, Program, nc_is_missing};
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

fn start() -> (Program, SocketAddr) {
    let mut server = Program::example("chat", &["127.0.0.1:0"]);
    let address = server.address();
    (server, address)
}

/// Somebody at netcat, who has joined.
fn join(name: &str, others: &str, server: SocketAddr) -> Program {
    let mut member = Program::nc(&["-N"], server);
    member.says(name);
    let here = if others.is_empty() { "nobody else yet" } else { others };
    member.hears(&format!("Your name? * here are: {here}"));
    member
}

#[test]
fn members_hear_each_other_come_talk_and_go() {
    if nc_is_missing() {
        return;
    }
    let (mut server, address) = start();
    let mut ann = join("ann", "", address);
    let mut bob = join("bob", "ann", address);
    ann.hears("* bob has joined");
    ann.says("hello, bob");
    bob.hears("<ann> hello, bob");
    bob.says("grüße");
    // Not her own line before it.
    ann.hears("<bob> grüße");
    let mut late = Program::nc(&["-N"], address);
    for taken in ["ann", "", "two words", &"x".repeat(21), "[2J"] {
        late.says(taken);
    }
    late.says("carl");
    let refusals = late.waits_for("here are");
    assert_eq!(refusals.matches("Letters and digits").count(), 5, "{refusals}");
    assert!(refusals.ends_with("* here are: ann, bob"), "{refusals}");
    ann.hears("* carl has joined");
    bob.ends_input();
    assert_eq!(bob.ends_well(), ["* carl has joined"]);
    ann.hears("* bob has left");
    assert_eq!(server.stops(), [""; 0]);
    // The server tells nobody, and has closed.
    ann.ends_input();
    late.ends_input();
    assert_eq!(ann.ends().0.code(), Some(0));
    assert_eq!(late.ends().0.code(), Some(0));
}

#[test]
fn terminal_is_not_sent_what_it_would_obey() {
    if nc_is_missing() {
        return;
    }
    let (mut server, address) = start();
    let mut ann = join("ann", "", address);
    let mut bob = join("bob", "ann", address);
    bob.types(b"\x1b]0;title\x07\x1b[31mred\x00\x08\x7f\xc2\x9b2J\r<ann> I\xff\tgive up\n");
    ann.hears("* bob has joined");
    ann.hears("<bob> ]0;title[31mred2J<ann> I\u{fffd}give up");
    server.stops();
}

#[test]
fn line_without_an_end_costs_its_sender_the_place() {
    if nc_is_missing() {
        return;
    }
    let (mut server, address) = start();
    let mut ann = join("ann", "", address);
    let mut endless = TcpStream::connect(address).unwrap();
    endless.write_all(b"eve\n").unwrap();
    ann.hears("* eve has joined");
    endless.write_all(&[b'x'; 3000]).unwrap();
    ann.hears("* eve has left");
    server.is_told_to_stop();
    let (status, complaints) = server.ends();
    assert!(status.success());
    assert!(complaints.contains("a frame is longer than 2000 bytes"), "{complaints}");
}

#[test]
fn member_who_does_not_read_loses_the_place_and_nobody_else_anything() {
    if nc_is_missing() {
        return;
    }
    let (mut server, address) = start();
    let mut bob = join("bob", "", address);
    // Her lines come from here, and she reads as well.
    let mut ann = TcpStream::connect(address).unwrap();
    ann.set_read_timeout(Some(GUARD)).unwrap();
    ann.write_all(b"ann\n").unwrap();
    bob.hears("* ann has joined");
    let mut hears = BufReader::new(ann.try_clone().unwrap()).lines();
    assert_eq!(hears.next().unwrap().unwrap(), "Your name? * here are: bob");
    let mut carl = with_little_room(address);
    carl.write_all(b"carl\n").unwrap();
    bob.hears("* carl has joined");
    assert_eq!(hears.next().unwrap().unwrap(), "* carl has joined");

    // Ann talks as fast as bob can listen, and he misses nothing, until carl, who reads nothing, is cut off.
    let rest = "x".repeat(1000);
    let mut number = 0;
    let is_cut = 'talk: loop {
        assert!(number < 50_000, "50 MB wait for somebody who does not read");
        let round = number..number + 64;
        number = round.end;
        let lines: Vec<String> = round.clone().map(|number| format!("{number} {rest}\n")).collect();
        ann.write_all(lines.concat().as_bytes()).unwrap();
        for number in round {
            let line = bob.next().unwrap();
            if line.starts_with("* carl") {
                bob.hears(&format!("<ann> {number} {rest}"));
                break 'talk line;
            }
            assert_eq!(line, format!("<ann> {number} {rest}"));
        }
    };
    assert_eq!(is_cut, "* carl read too slowly and lost the place");
    assert_eq!(hears.next().unwrap().unwrap(), is_cut);
    // He still finds what was on its way, and then the end.
    carl.set_read_timeout(Some(GUARD)).unwrap();
    let mut found = Vec::new();
    let end = carl.read_to_end(&mut found);
    assert!(found.starts_with(b"Your name? * here are: ann, bob\n<ann> 0 x"), "{end:?}");

    bob.says("where is carl");
    assert_eq!(hears.next().unwrap().unwrap(), "<bob> where is carl");
    server.stops();
}

/// Connects with a small buffer for what arrives, so that not reading is noticed soon.
fn with_little_room(server: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 4096).unwrap();
    rustix::net::connect(&socket, &server).unwrap();
    TcpStream::from(socket)
}
