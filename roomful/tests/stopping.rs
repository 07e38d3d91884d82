//! Stopping: everybody is told, what was said arrives, and nobody who does not read can hold the server up.

use crate::harness::{Client, Ears, Server};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// How long a stopping server writes to those who do not read.
const FLUSH: Duration = Duration::from_secs(5);

fn everybody_is_told(signal: Signal) {
    let mut server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let mut bob = Client::join(&server, "bob");
    let mut silent = Client::listen(&server);
    ann.hears("[bob] entered room");
    server.signal(signal);
    ann.ends_with(&["-- Shutdown Server"]);
    bob.ends_with(&["-- Shutdown Server"]);
    silent.ends_with(&["-- Shutdown Server"]);
    drop((ann, bob, silent));
    assert_eq!(server.ends().code(), Some(0));
}

#[test]
fn everybody_is_told_when_sigterm_stops_the_server() {
    everybody_is_told(Signal::TERM);
}

#[test]
fn everybody_is_told_when_sigint_stops_the_server() {
    everybody_is_told(Signal::INT);
}

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
