//! The floors under the real generator: a few members, a few messages, every delivery checked.

use std::{path::PathBuf, time::Duration};

use bench::{
    conversation::{Conversation, Speakers},
    floor::Floor,
    ledger::{Part, Seating},
    peer::{Peer, Program},
    usage::{CpuReading, Memory},
};

fn start(floor: Floor) -> Peer {
    let bench = PathBuf::from(env!("CARGO_BIN_EXE_bench"));
    Peer::start(&Program::Floor(bench, floor)).unwrap()
}

fn talk(peer: &Peer, seating: Seating, speakers: Speakers, in_flight: usize, messages: usize) -> u64 {
    let quiet = Duration::from_millis(5);
    let mut conversation = Conversation::gather(peer.address(), seating, 128, quiet).unwrap();
    conversation.keep_in_flight(speakers, in_flight, messages).unwrap();
    conversation.pace(speakers, 10_000, 10).unwrap();
    let figures = conversation.take_figures();
    assert_eq!(figures.all_ns().total(), figures.deliveries);
    assert!(figures.part_ns(Part::First).total() > 0);
    figures.deliveries
}

#[test]
fn everyone_in_one_room_hears_everyone_else() {
    let seating = Seating { rooms: 1, members_per_room: 12 };
    for floor in [Floor::Send, Floor::Log] {
        let peer = start(floor);
        assert_eq!(talk(&peer, seating, Speakers::Everyone, 64, 500), 510 * 11, "{floor:?}");
        assert_eq!(talk(&peer, seating, Speakers::First, 1, 50), 60 * 11, "{floor:?}");
    }
}

#[test]
fn rooms_hear_only_themselves() {
    let seating = Seating { rooms: 5, members_per_room: 4 };
    for floor in [Floor::Send, Floor::Log] {
        assert_eq!(talk(&start(floor), seating, Speakers::RoomByRoom, 16, 200), 210 * 3, "{floor:?}");
    }
}

#[test]
fn what_a_server_spends_can_be_read() {
    let peer = start(Floor::Log);
    let before = CpuReading::take(peer.process()).unwrap();
    talk(&peer, Seating { rooms: 1, members_per_room: 10 }, Speakers::Everyone, 10, 2_000);
    assert!(CpuReading::take(peer.process()).unwrap().since(&before).total_ns() > 0);
    assert!(Memory::read(peer.process()).unwrap().resident_bytes > 100_000);
}
