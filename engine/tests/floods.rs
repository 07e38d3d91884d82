//! What a shard takes in from people who send without reading, or more than the desk can take: bounded, whatever they send.

use dialect::Setup;
use dialect::plain::PlainSession;
use engine::{ConnectionId, Desk, Due, Limits, Release, Shard};
use hub::{Hub, RoomName, Settings, Time};
use std::io::IoSlice;

const NOW: Time = Time(1_000_000);
/// What the server reads from one connection in one turn.
const READ_BYTES: usize = 16 * 1024;

/// A shard and the desk behind it.
struct House {
    shard: Shard<PlainSession>,
    desk: Desk,
}

impl House {
    fn new() -> House {
        let home = RoomName::parse("lobby").expect("a name");
        let setup = Setup { home: home.clone() };
        let shard = Shard::new(0, setup, Limits::default(), Release::AtOnce);
        House { shard, desk: Desk::new(Hub::new(Settings::new(home)), 1) }
    }

    /// A connection that is in the home room and has read its greeting.
    fn newcomer(&mut self, guest: u32) -> ConnectionId {
        let id = self.shard.open(NOW, guest);
        self.shard.received(NOW, id, b"/nick ann\n");
        self.settle();
        self.read_all(id);
        id
    }

    /// The desk takes what was asked, and the shard is told.
    fn settle(&mut self) {
        while self.shard.has_requests() {
            for request in self.shard.requests() {
                self.desk.take(NOW, request).expect("the journal is never behind");
                let (_, reservation) = self.desk.to_commit();
                let position = self.desk.hub().position();
                self.desk.committed(position, &reservation);
            }
            let mail = self.desk.mail(0).expect("mail");
            self.shard.deliver(NOW, mail);
        }
    }

    /// The connection's socket takes everything. Returns it.
    fn read_all(&mut self, id: ConnectionId) -> Vec<u8> {
        let mut read = Vec::new();
        while self.shard.plan(id) == Due::Bytes {
            let mut slices = [IoSlice::new(&[]); 16];
            let count = self.shard.slices(id, &mut slices);
            let taken: usize = slices[..count].iter().map(|slice| slice.len()).sum();
            slices[..count].iter().for_each(|slice| read.extend_from_slice(slice));
            self.shard.taken(id, taken);
        }
        read
    }
}

#[test]
fn flood_of_one_turn_is_bounded_before_the_desk_has_heard_of_it() {
    let mut house = House::new();
    let people: Vec<_> = (0..100).map(|guest| house.shard.open(NOW, guest)).collect();
    for id in &people {
        house.shard.received(NOW, *id, b"hello\n");
    }
    house.settle();
    let lines = b"a\n".repeat(READ_BYTES / 2);
    for id in &people {
        if house.shard.wants_input(*id) {
            house.shard.received(NOW, *id, &lines);
        }
    }
    let asked = house.shard.requests().count();
    let most = Limits::default().requests_max + lines.len() / 2;
    assert!(asked <= most, "{asked} requests in one turn; at most {most} are possible");
}

#[test]
fn words_for_somebody_who_does_not_read_them_are_bounded_and_none_is_lost() {
    let mut house = House::new();
    let id = house.newcomer(1);
    let lines = b"/help\n".repeat(READ_BYTES / 6);
    house.shard.received(NOW, id, &lines);
    assert!(!house.shard.wants_input(id));

    let mut answers = 0;
    while answers < READ_BYTES / 6 {
        let words = String::from_utf8(house.read_all(id)).expect("text");
        assert!(words.len() <= Limits::default().private_bytes_max, "{} bytes waited", words.len());
        let told = words.matches("-- /help ").count();
        assert!(told > 0, "only {answers} answers came");
        answers += told;
        house.shard.tick(NOW);
    }
    let mut resumed = Vec::new();
    house.shard.take_resumed(&mut resumed);
    assert_eq!(resumed, [id]);
    assert_eq!(house.read_all(id), b"");
}

#[test]
fn whoever_has_waited_longest_is_read_from_first() {
    let mut house = House::new();
    let people: Vec<_> = (0..10).map(|guest| house.shard.open(NOW, guest)).collect();
    for id in &people {
        house.shard.received(NOW, *id, b"hello\n");
    }
    house.settle();
    let [flooding, others @ ..] = &people[..] else { panic!("there are ten") };
    let lines = b"a\n".repeat(Limits::default().requests_max);
    house.shard.received(NOW, *flooding, &lines);
    let waiting: Vec<_> = others.iter().rev().chain([flooding]).copied().collect();
    for id in &waiting {
        assert!(!house.shard.wants_input(*id));
    }
    house.shard.closed(waiting[3]);
    house.settle();
    house.read_all(*flooding);
    let mut resumed = Vec::new();
    house.shard.take_resumed(&mut resumed);
    assert_eq!(resumed, [&waiting[..3], &waiting[4..]].concat());
}
