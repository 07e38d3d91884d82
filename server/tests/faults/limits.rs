//! Limits of addresses: who is over one is told and closed, and nobody else notices.

use crate::client::{Client, options, stop};
use dialect::ByOrigin;
use server::{ConnectionLimits, Options, PlainStyle, Server};
use std::io::Read as _;
use std::net::TcpStream;

fn everywhere(per_address_max: u32, per_second_max: u32) -> ByOrigin<ConnectionLimits> {
    let limits = ConnectionLimits { per_address_max, per_second_max };
    ByOrigin { local: limits, remote: limits }
}

fn limited(per_address_max: u32, per_second_max: u32) -> Options {
    Options { connections: everywhere(per_address_max, per_second_max), ..options() }
}

const TOO_MANY: &str =
    "-- there are already 2 connections from your address, which is the most; close one and try again";
const TOO_FAST: &str = "-- too many new connections from your address; try again in a few seconds";

#[test]
fn connection_over_the_limit_of_its_address_is_told_and_closed_until_another_ends() {
    let server = Server::start(&limited(2, 1000)).expect("it starts");
    let address = server.addresses()[0];
    let mut ann = Client::connect(address);
    ann.says("/nick ann");
    ann.waits_for("you are now ann");
    let mut bob = Client::connect(address);
    bob.says("/nick bob");
    bob.waits_for("you are now bob");
    for _ in 0..3 {
        Client::connect(address).ends_with(&[TOO_MANY]);
    }
    bob.says("/quit");
    ann.waits_for("[bob] is offline");
    // Bob's connection is forgotten when its last line is out: it ends then.
    bob.ends_with(&["-- bye"]);
    let mut cat = Client::connect(address);
    cat.says("/nick cat");
    cat.waits_for("you are now cat");
    ann.waits_for("[cat] entered room");
    stop(server);
}

#[test]
fn address_that_connects_too_fast_is_told_and_closed() {
    let server = Server::start(&limited(1000, 1)).expect("it starts");
    let address = server.addresses()[0];
    let mut told = 0;
    let clients: Vec<_> = (0..20).map(|_| Client::connect(address)).collect();
    for mut client in clients {
        match client.line().as_deref() {
            Some(TOO_FAST) => {
                client.ends_with(&[]);
                told += 1;
            }
            greeting => assert!(greeting.is_some_and(|line| line.starts_with("-- you are guest-"))),
        }
    }
    // Five seconds' worth get in at once. However slow this machine is, it is not 15 seconds late.
    assert!((1..=15).contains(&told), "{told} of 20 were refused");
    stop(server);
}

#[test]
fn new_limits_hold_from_the_next_connection_on() {
    let server = Server::start(&limited(1, 1000)).expect("it starts");
    let address = server.addresses()[0];
    let mut ann = Client::connect(address);
    ann.waits_for("-- type to talk");
    assert!(Client::connect(address).line().is_some_and(|line| line.starts_with("-- there is already")));
    server.reload(&limited(2, 1000));
    let mut bob = Client::connect(address);
    bob.waits_for("-- type to talk");
    server.reload(&limited(1, 1000));
    ann.says("still here");
    bob.waits_for("still here");
    stop(server);
}

#[test]
fn old_programs_are_closed_without_a_word() {
    for plain_style in [PlainStyle::Bare, PlainStyle::Tagged] {
        let server = Server::start(&Options { plain_style, ..limited(0, 1000) }).expect("it starts");
        let mut refused = TcpStream::connect(server.addresses()[0]).expect("the server accepts");
        let mut heard = Vec::new();
        refused.read_to_end(&mut heard).expect("an orderly end");
        assert_eq!(heard, b"", "{plain_style:?}");
        stop(server);
    }
}

#[test]
fn thousands_who_are_refused_at_once_keep_nobody_from_talking() {
    const REFUSED: usize = 3000;
    let server = Server::start(&limited(2, 100_000)).expect("it starts");
    let address = server.addresses()[0];
    let (mut ann, mut bob) = (Client::connect(address), Client::connect(address));
    ann.says("/nick ann");
    ann.waits_for("you are now ann");
    bob.says("/nick bob");
    bob.waits_for("you are now bob");
    for number in 0..REFUSED {
        drop(TcpStream::connect(address).expect("the server accepts"));
        if number % 10 == 0 {
            ann.says(&format!("line {number}"));
            assert_eq!(bob.waits_for("<ann> "), format!("<ann> line {number}"));
        }
    }
    stop(server);
}
