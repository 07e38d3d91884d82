//! Stopping: everybody is told, what was said arrives, and nobody who does not read can hold the server up.

use crate::harness::{Client, Ears, Server};
use rustix::net::{AddressFamily, SocketType, sockopt};
use rustix::process::Signal;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a stopping server writes to those who do not read.
const FLUSH: Duration = Duration::from_secs(5);
/// How exactly that is measured here.
const SLACK: Duration = Duration::from_secs(1);

#[test]
fn server_without_clients_stops_at_once() {
    let mut server = Server::start();
    let started = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    assert!(started.elapsed() < FLUSH);
}

#[test]
fn clients_that_keep_their_side_open_do_not_hold_the_server_up() {
    let mut server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let started = Instant::now();
    server.signal(Signal::TERM);
    ann.ends_with(&["-- Shutdown Server"]);
    assert_eq!(server.ends().code(), Some(0));
    assert!(started.elapsed() < FLUSH);
}

#[test]
fn what_was_said_just_before_the_signal_arrives() {
    for _ in 0..5 {
        what_is_said_before_the_signal_arrives(&[]);
    }
}

#[test]
fn what_was_held_back_when_the_signal_came_arrives() {
    what_is_said_before_the_signal_arrives(&["--local-lines-per-second", "10"]);
}

fn what_is_said_before_the_signal_arrives(flags: &[&str]) {
    const LINES: usize = 500;
    let mut server = Server::start_with(flags);
    let mut ann = Client::join(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.hears("[bob] entered room");
    let said: Vec<_> = (0..LINES).map(|number| format!("line {number}")).collect();
    bob.says(&said.join("\n"));
    server.signal(Signal::TERM);
    let mut expected: Vec<_> = said.iter().map(|line| format!("<bob> {line}")).collect();
    expected.push("-- Shutdown Server".to_owned());
    ann.ends_with(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    drop((ann, bob));
    assert_eq!(server.ends().code(), Some(0));
}

/// A member that never reads and whose socket is full, and one that made it so.
pub(crate) fn stuck_member(server: &Server) -> (TcpStream, Client) {
    const BYTES: usize = 8 * 1024 * 1024;
    let mut ann = Client::join(server, "ann");
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    // The smaller its buffer, the sooner it is full.
    sockopt::set_socket_recv_buffer_size(&socket, 4096).expect("an option of sockets");
    rustix::net::connect(&socket, &server.address()).expect("the server accepts");
    let mut stuck = TcpStream::from(socket);
    stuck.write_all(b"/nick stuck\n").expect("the server takes what is sent");
    ann.hears("[stuck] entered room");
    let line = format!("{}\n", "x".repeat(1000));
    ann.sends(line.repeat(BYTES / line.len()).as_bytes());
    ann.says("/who");
    ann.hears("-- #lobby has 2: ann, stuck");
    (stuck, ann)
}

#[test]
fn member_that_never_reads_holds_the_server_up_for_five_seconds_at_most() {
    let mut server = Server::start();
    let (stuck, mut ann) = stuck_member(&server);
    let started = Instant::now();
    server.signal(Signal::TERM);
    ann.ends_with(&["-- Shutdown Server"]);
    assert!(started.elapsed() < FLUSH, "the others are not to wait for the one that does not read");
    assert!(server.refuses_connections());
    assert_eq!(server.ends().code(), Some(0));
    assert!(started.elapsed() + SLACK > FLUSH, "the socket was not full");
    assert!(started.elapsed() < FLUSH + 3 * SLACK, "it took {:?}", started.elapsed());
    drop(stuck);
}

#[test]
fn second_signal_stops_the_server_at_once() {
    let mut server = Server::start();
    let (stuck, mut ann) = stuck_member(&server);
    let started = Instant::now();
    server.signal(Signal::INT);
    ann.ends_with(&["-- Shutdown Server"]);
    server.signal(Signal::INT);
    assert_eq!(server.ends().code(), Some(130));
    assert!(started.elapsed() + SLACK < FLUSH, "it took {:?}", started.elapsed());
    drop(stuck);
}
