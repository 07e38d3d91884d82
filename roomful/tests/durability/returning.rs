//! A client that comes back a thousand times, cut off at any moment, while others talk. It ends up with exactly the log.

use super::facts::stored;
use super::faithful::{Entry, Faithful};
use crate::harness::{JsonClient, Server, reset};
use fastrand::Rng;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};

const RETURNS: usize = 1000;
const TALKERS: usize = 10;
const ROOM: &str = "lobby";
/// So much the one that comes back says without waiting for its acknowledgements.
const UNACKNOWLEDGED_MAX: usize = 8;

/// A moment to be cut off at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CutOff {
    /// Before a word was said.
    AtOnce,
    /// In the middle of the hello.
    InHello,
    /// When hello was said and nothing heard yet.
    BeforeWelcome,
    /// When so many objects were heard.
    Behind(usize),
    /// When so many were heard, and in the middle of saying something.
    InSaying(usize),
}

impl CutOff {
    fn any(rng: &mut Rng) -> CutOff {
        match rng.u8(..10) {
            0 => CutOff::AtOnce,
            1 => CutOff::InHello,
            2 => CutOff::BeforeWelcome,
            3..7 => CutOff::Behind(rng.usize(..30)),
            _ => CutOff::InSaying(rng.usize(2..30)),
        }
    }
}

#[test]
fn client_that_comes_back_a_thousand_times_has_exactly_the_log() {
    come_back_again_and_again(&[]);
}

/// Its connections are served by several threads: what it said by the last one may be heard after what it says by this one.
#[test]
fn client_that_comes_back_a_thousand_times_to_any_of_three_shards_has_exactly_the_log() {
    come_back_again_and_again(&["--shards", "3"]);
}

fn come_back_again_and_again(flags: &[&str]) {
    let server = Server::start_with(flags);
    let address = server.address();
    let mut rng = Rng::with_seed(1000);
    let mut wanderer = Faithful::new("wanderer", &[ROOM]);
    // From now on it knows with which secret to come back.
    wanderer.thinks_of_something(ROOM);
    wanderer.comes_to_rest(address);
    std::thread::scope(|scope| {
        let talkers: Vec<Sender<()>> = (0..TALKERS)
            .map(|number| {
                let (sender, turns) = channel();
                scope.spawn(move || talk(number, address, &turns));
                sender
            })
            .collect();
        for _ in 0..RETURNS {
            for talker in &talkers {
                // It says as much as there are returns, when it likes.
                talker.send(()).expect("the talkers are there until the end");
            }
            visit(&mut wanderer, address, &mut rng);
        }
    });

    wanderer.comes_to_rest(address);
    let mut reader = JsonClient::join(&server, "reader");
    let stored = stored(&mut reader, ROOM);
    wanderer.stays_until(address, |wanderer| wanderer.knows(ROOM) == stored.last());
    let log = &wanderer.rooms[ROOM];
    assert!(stored.facts.range(log.began_behind + 1..).eq(&log.entries));
    assert!(stored.lost.is_empty(), "{:?}", stored.lost);
    let Faithful { acknowledged, repeated, .. } = &wanderer;
    for (saying, sequence) in acknowledged {
        assert_eq!(stored.places_of(&saying.text), [*sequence]);
    }
    println!("{} events, {} own ones, {repeated} acknowledged again", log.entries.len(), acknowledged.len());
    assert!(*repeated > 0, "it was never cut off before it had read an acknowledgement");
    let said = stored.facts.values().filter(|entry| matches!(entry, Entry::Said { .. })).count();
    assert_eq!(said, TALKERS * RETURNS + acknowledged.len());
}

/// Says one thing whenever it is its turn, and hears all others.
fn talk(number: usize, address: SocketAddr, turns: &Receiver<()>) {
    let mut talker = Faithful::new(&format!("talker{number}"), &[ROOM]);
    let mut connection = JsonClient::connect_to(address).expect("the server accepts");
    talker.comes(&connection).expect("the server takes what is sent");
    while turns.recv().is_ok() {
        talker.says_something(ROOM, &connection).expect("the server takes what is sent");
        while !talker.unacknowledged.is_empty() {
            talker.hears(&connection.object());
        }
    }
}

/// Comes back, and is cut off.
fn visit(wanderer: &mut Faithful, address: SocketAddr, rng: &mut Rng) {
    let mut connection = JsonClient::connect_to(address).expect("the server accepts");
    stay_until(CutOff::any(rng), wanderer, &mut connection, rng);
    if rng.bool() {
        reset(connection.into_stream());
    }
}

fn stay_until(cut_off: CutOff, wanderer: &mut Faithful, connection: &mut JsonClient, rng: &mut Rng) {
    let taken = "the server takes what is sent";
    match cut_off {
        CutOff::AtOnce => {}
        CutOff::InHello => {
            let hello = wanderer.hello().to_string();
            let part = &hello.as_bytes()[..rng.usize(1..hello.len())];
            connection.tries_to_send(part).expect(taken);
        }
        CutOff::BeforeWelcome => wanderer.comes(connection).expect(taken),
        CutOff::Behind(count) => stay_for(count, wanderer, connection),
        CutOff::InSaying(count) => {
            stay_for(count, wanderer, connection);
            let line = wanderer.thinks_of_something(ROOM).line();
            let part = &line.as_bytes()[..rng.usize(1..line.len())];
            // By then somebody may have taken over from it.
            let _ = connection.tries_to_send(part);
        }
    }
}

/// Talks until it has heard so much.
fn stay_for(count: usize, wanderer: &mut Faithful, connection: &mut JsonClient) {
    wanderer.comes(connection).expect("the server takes what is sent");
    for _ in 0..count {
        if wanderer.unacknowledged.len() < UNACKNOWLEDGED_MAX {
            let _ = wanderer.says_something(ROOM, connection);
        }
        // A hello that the server had not read when its connection was cut off takes over from this one.
        let Some(object) = connection.object_or_end() else { return };
        wanderer.hears(&object);
    }
}
