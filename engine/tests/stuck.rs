//! A session with two deadlines at one moment acts on both: the shard must not take the second for the first.

use dialect::plain::PlainSession;
use dialect::{Arrival, ByOrigin, Secret, Setup};
use engine::{Desk, Limits, Release, Shard};
use hub::{Hub, RoomName, Settings, Time};
use std::net::SocketAddr;

#[test]
fn whoever_is_held_back_at_the_moment_of_appearing_is_read_on() {
    const LINES: usize = 120;
    let home = RoomName::parse("lobby").expect("a name");
    let setup = Setup { lines_per_second: ByOrigin { local: 10, remote: 10 }, ..Setup::new(home.clone()) };
    let mut desk = Desk::new(Hub::new(Settings::new(home)), 1);
    let mut shard: Shard<PlainSession> = Shard::new(0, setup, Limits::default(), Release::AtOnce);
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    let id = shard.open(&Arrival { now: Time(1000), peer, guest: 7, secret: Secret::new([0; 16]) });
    let text = "a line\n".repeat(LINES);
    shard.received(Time(1000), id, text.as_bytes());
    for ms in 1000..30_000 {
        let now = Time(ms);
        shard.tick(now);
        let requests: Vec<_> = shard.requests().collect();
        for request in requests {
            desk.take(now, request).expect("the journal is not behind");
        }
        let (_, reservation) = desk.to_commit();
        let position = desk.hub().position();
        desk.committed(position, &reservation);
        shard.deliver(now, desk.mail(0).expect("there is one shard"));
    }
    assert!(shard.wants_input(id), "it is read on when its lines are within the rate");
}
