//! Peers that vanish without a word, as when a cable is pulled or a laptop is closed: the others learn of it.

use crate::client::{Client, options, stop};
use crate::network::{NEAR, Network, Side};
use server::{Options, Server};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The shortest time in which the system can notice it.
const VANISHED: Duration = Duration::from_secs(2);
/// The system's timers are late by some of their own length, and this machine may be busy.
const SLACK: Duration = Duration::from_secs(8);

fn join(network: &Network, side: Side, address: SocketAddr, nick: &str) -> Client {
    let stream = network.on(side, || TcpStream::connect(address).expect("the server accepts"));
    let mut client = Client::on(stream);
    client.says(&format!("/nick {nick}"));
    client.waits_for(&format!("you are now {nick}"));
    client
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
    let begun = Instant::now();
    ann.waits_for("[idle] is offline");
    assert!(begun.elapsed() < VANISHED + SLACK, "it took {:?}", begun.elapsed());

    network.reconnect();
    let spoken_to = join(&network, Side::Far, address, "bob");
    ann.waits_for("[bob] entered room");
    network.disconnect();
    let begun = Instant::now();
    ann.says("are you there?");
    ann.waits_for("[bob] is offline");
    assert!(begun.elapsed() < VANISHED + SLACK, "it took {:?}", begun.elapsed());

    ann.says("/who");
    ann.waits_for("-- #lobby has 1: ann");
    drop((idle, spoken_to));
    stop(server);
}
