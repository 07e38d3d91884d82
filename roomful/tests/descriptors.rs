//! No descriptors left: whoever is in goes on talking, whoever is not waits and gets in when there is room, and the server
//! neither spins nor fills its log.

use crate::harness::{Client, Ears as _, Server};

const ROOM_FOR: usize = 40;
const WAITING: usize = 20;

#[test]
fn running_out_of_descriptors_is_survived_told_once_and_recovered_from() {
    let mut server = Server::start();
    let (mut ann, mut bob) = (Client::join(&server, "ann"), Client::join(&server, "bob"));
    ann.hears("[bob] entered room");
    server.may_open(ROOM_FOR as u64);
    let mut inside: Vec<_> = (0..ROOM_FOR - 1).map(|_| Client::connect(&server)).collect();
    for client in &mut inside {
        client.waits_for("-- type to talk");
    }
    // The system accepts these; the server cannot yet, but for one or two.
    let mut waiting: Vec<_> = (0..WAITING).map(|_| Client::connect(&server)).collect();
    let warning = server.logs.waits_for("no descriptors are left");
    assert!(warning.contains("WARN"), "{warning}");

    ann.says("still talking");
    bob.hears("<ann> still talking");
    server.rests(&mut ann);

    for (number, client) in waiting.iter().enumerate() {
        client.says(&format!("/nick late{number}"));
    }
    drop(inside);
    for (number, client) in waiting.iter_mut().enumerate() {
        client.waits_for(&format!("-- you are now late{number}"));
    }
    server.logs.waits_for("there are descriptors again");
    ann.says("welcome");
    for client in &mut waiting {
        client.waits_for("<ann> welcome");
    }

    drop((bob, waiting));
    server.signal(rustix::process::Signal::TERM);
    ann.waits_for("-- Shutdown Server");
    assert!(server.ends().success());
    let log = server.whole_log();
    for told_once in ["no descriptors are left", "there are descriptors again"] {
        assert_eq!(log.matches(told_once).count(), 1, "{log}");
    }
}
