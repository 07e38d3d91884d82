//! The server is killed in the middle of traffic, again and again. What was acknowledged is there, once and in order, and
//! everybody who comes back has the same log.

use super::facts::{Stored, stored};
use super::faithful::{Entry, Faithful};
use super::tally::Tally;
use crate::harness::{DataDirectory, JsonClient, Server};
use fastrand::Rng;
use serde_json::json;
use std::net::SocketAddr;

const KILLS: usize = 20;
const TALKERS: usize = 5;
const ROOMS: [&str; 2] = ["dev", "lobby"];
/// So much a talker says without waiting for its acknowledgements.
const UNACKNOWLEDGED_MAX: usize = 24;
/// After at most so many objects, heard by all together, the server is killed.
const HEARD_MAX: usize = 8000;

#[test]
fn what_was_acknowledged_survives_twenty_kills_once_and_in_order_for_everybody_who_comes_back() {
    let data = DataDirectory::new();
    let mut rng = Rng::with_seed(20);
    let server = Server::start_with(&["--data", data.text()]);
    // A room of which nothing is written yet would be gone with the first kill, and its numbers with it.
    open_rooms(&server);
    let mut talkers: Vec<_> =
        (0..TALKERS).map(|number| Faithful::new(&format!("talker{number}"), &ROOMS)).collect();
    let mut next = Some(server);
    for _ in 0..KILLS {
        let server = next.take().unwrap_or_else(|| Server::start_with(&["--data", data.text()]));
        talk_until_killed(server, &mut talkers, &mut rng);
    }

    let server = Server::start_with(&["--data", data.text()]);
    for talker in &mut talkers {
        talker.comes_to_rest(server.address());
    }
    let mut reader = JsonClient::join(&server, "reader");
    let mut lost = 0;
    reader.asks(json!({"type": "join", "room": "dev"}));
    for room in ROOMS {
        let stored = stored(&mut reader, room);
        lost += stored.lost.len();
        compare(&mut talkers, room, &stored, server.address());
    }
    let acknowledged: usize = talkers.iter().map(|talker| talker.acknowledged.len()).sum();
    let repeated: usize = talkers.iter().map(|talker| talker.repeated).sum();
    let logs = talkers.iter().flat_map(|talker| talker.rooms.values());
    let undone: usize = logs.map(|log| log.undone).sum();
    println!(
        "{acknowledged} acknowledged, {repeated} of them again; {undone} told and lost in {lost} losses"
    );
    assert!(lost >= KILLS, "the kills did not come while people talked");
    assert!(acknowledged >= KILLS * UNACKNOWLEDGED_MAX, "only {acknowledged} were acknowledged");
    assert!(repeated > 0, "no kill came between a commit and its acknowledgement");
}

fn open_rooms(server: &Server) {
    let mut opener = JsonClient::join(server, "opener");
    for room in ROOMS {
        opener.asks(json!({"type": "join", "room": room}));
        opener.asks(json!({"type": "say", "room": room, "text": "welcome"}));
    }
}

/// Everybody comes back and talks, until the server is killed at a moment that nobody expects.
fn talk_until_killed(server: Server, talkers: &mut [Faithful], rng: &mut Rng) {
    let (address, heard) = (server.address(), Tally::default());
    // Now and then when hardly anybody is in.
    let heard_max = if rng.u8(..4) == 0 { 50 } else { HEARD_MAX };
    let last = rng.usize(..heard_max);
    std::thread::scope(|scope| {
        for talker in talkers {
            let (heard, rng) = (&heard, rng.fork());
            scope.spawn(move || talk(talker, address, heard, rng));
        }
        heard.waits_for(last);
        server.kill();
    });
}

/// Talks until the connection is cut off.
fn talk(talker: &mut Faithful, address: SocketAddr, heard: &Tally, mut rng: Rng) {
    let Ok(mut connection) = JsonClient::connect_to(address) else { return };
    let mut is_open = talker.comes(&connection).is_ok();
    loop {
        while is_open && talker.unacknowledged.len() < UNACKNOWLEDGED_MAX {
            let room = ROOMS[rng.usize(..ROOMS.len())];
            // What cannot be sent any more is said the next time. What has come is read to its end.
            is_open = talker.says_something(room, &connection).is_ok();
        }
        let Some(object) = connection.object_or_end() else { return };
        talker.hears(&object);
        heard.add(1);
    }
}

/// What the talkers know is what is stored.
fn compare(talkers: &mut [Faithful], room: &str, stored: &Stored, address: SocketAddr) {
    for talker in talkers {
        talker.stays_until(address, |talker| talker.knows(room) == stored.last());
        let Faithful { nick, rooms, acknowledged, .. } = talker;
        let log = &rooms[room];
        let known: Vec<_> = log.entries.iter().collect();
        let expected: Vec<_> = stored.facts.range(log.began_behind + 1..).collect();
        assert_eq!(known, expected, "{nick} in {room}");
        for (saying, sequence) in acknowledged.iter().filter(|(saying, _)| saying.room == room) {
            let said = Entry::Said { nick: nick.clone(), text: saying.text.clone() };
            assert_eq!(stored.facts.get(sequence), Some(&said), "of {nick} in {room}");
            assert_eq!(stored.places_of(&saying.text), [*sequence], "{nick} in {room}");
        }
    }
}
