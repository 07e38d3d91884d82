//! Peers that vanish without a word, as when a cable is pulled or a laptop is closed: the others learn of it. And peers that
//! are there and just do not read, as after Ctrl-S or Ctrl-Z: they stay.

use crate::client::{Client, options, stop};
use crate::network::{NEAR, Network, Side};
use rustix::net::{AddressFamily, SocketType, sockopt};
use server::{FeedBounds, Options, Server, ShardLimits};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The shortest time in which the system can notice it.
const VANISHED: Duration = Duration::from_secs(2);
/// The system's timers are late by some of their own length, and this machine may be busy.
const SLACK: Duration = Duration::from_secs(8);

/// So little room that what is said here fills it.
const BUFFER_BYTES: usize = 16 * 1024;

fn join(network: &Network, side: Side, address: SocketAddr, nick: &str) -> Client {
    enter(network.on(side, || TcpStream::connect(address).expect("the server accepts")), nick)
}

/// Somebody who will soon have no room for what is said if nobody reads it.
fn join_with_little_room(network: &Network, side: Side, address: SocketAddr, nick: &str) -> Client {
    let stream = network.on(side, || {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        sockopt::set_socket_recv_buffer_size(&socket, BUFFER_BYTES / 4).expect("an option of sockets");
        rustix::net::connect(&socket, &address).expect("the server accepts");
        TcpStream::from(socket)
    });
    enter(stream, nick)
}

fn enter(stream: TcpStream, nick: &str) -> Client {
    let mut client = Client::on(stream);
    client.says(&format!("/nick {nick}"));
    client.waits_for(&format!("you are now {nick}"));
    client
}

/// Says much, and returns when everybody has been told.
fn talk(client: &mut Client, lines: usize) {
    for _ in 0..lines {
        client.says(&"x".repeat(1000));
    }
    client.says("/who");
    client.waits_for("-- #lobby has");
}

/// Waits until somebody who has just been disconnected is offline.
fn waits_for_the_end_of(client: &mut Client, nick: &str) {
    let begun = Instant::now();
    client.waits_for(&format!("[{nick}] is offline"));
    assert!(begun.elapsed() < VANISHED + SLACK, "it took {:?}", begun.elapsed());
}

#[test]
fn peers_behind_a_pulled_cable_are_offline_whether_they_were_idle_or_spoken_to() {
    let Some(network) = Network::new() else { return };
    let options = Options { listen: vec![SocketAddr::new(NEAR, 0)], vanished: VANISHED, ..options() };
    let server = network.on(Side::Near, || Server::start(&options).expect("it starts"));
    let address = server.addresses()[0];
    let mut ann = join(&network, Side::Near, address, "ann");

    let idle = join(&network, Side::Far, address, "idle");
    ann.waits_for("[idle] entered room");
    network.disconnect();
    waits_for_the_end_of(&mut ann, "idle");

    network.reconnect();
    let spoken_to = join(&network, Side::Far, address, "bob");
    ann.waits_for("[bob] entered room");
    network.disconnect();
    ann.says("are you there?");
    waits_for_the_end_of(&mut ann, "bob");

    ann.says("/who");
    ann.waits_for("-- #lobby has 1: ann");
    drop((idle, spoken_to));
    stop(server);
}

#[test]
fn peers_that_do_not_read_stay_while_those_behind_a_pulled_cable_go_whether_they_had_room_or_not() {
    let Some(network) = Network::new() else { return };
    let feeds = FeedBounds { lag_bytes_max: 2 * BUFFER_BYTES, ..FeedBounds::default() };
    let options = Options {
        listen: vec![SocketAddr::new(NEAR, 0)],
        vanished: VANISHED,
        limits: ShardLimits { feeds, ..ShardLimits::default() },
        send_buffer_bytes: Some(BUFFER_BYTES),
        ..options()
    };
    let server = network.on(Side::Near, || Server::start(&options).expect("it starts"));
    let address = server.addresses()[0];
    let mut ann = join(&network, Side::Near, address, "ann");
    let mut full = join_with_little_room(&network, Side::Near, address, "full");
    let vanishing = join_with_little_room(&network, Side::Far, address, "bob");
    talk(&mut ann, 200);
    let mut half_full = join_with_little_room(&network, Side::Near, address, "half");
    talk(&mut ann, 12);
    network.waits_for_no_room();

    // Those who vanish are the clock for those who do not read: twice as long as the system needs to notice them.
    network.disconnect();
    waits_for_the_end_of(&mut ann, "bob");
    network.reconnect();
    let spoken_to = join(&network, Side::Far, address, "cat");
    ann.waits_for("[cat] entered room");
    network.disconnect();
    ann.says("are you there?");
    waits_for_the_end_of(&mut ann, "cat");

    ann.says("/who");
    ann.waits_for("-- #lobby has 3: ann, full, half");
    full.waits_for("messages skipped");
    ann.says("good morning");
    full.waits_for("<ann> good morning");
    half_full.waits_for("<ann> are you there?");
    half_full.waits_for("<ann> good morning");
    drop((vanishing, spoken_to));
    stop(server);
}
