//! The engine's own rules, each reached by a few connections of plain text: what pauses a sender and what lets it go on,
//! who gets which mail, what a journal that is behind means, and that floods stay bounded.

use dialect::plain::PlainSession;
use dialect::{Arrival, Secret, Setup};
use engine::{Bounds, ConnectionId, Desk, Due, Journal, Limits, Mail, Release, Shard};
use hub::{
    Audience, Event, Hub, Keeping, MemberId, RESERVED_AHEAD, RoomName, RoomNumber, Sequence, Settings, Text,
    Time, Told, Trouble, Who,
};
use std::io::IoSlice;
use std::net::SocketAddr;

/// What the server reads from one connection in one turn.
const READ_BYTES: usize = 16 * 1024;

/// One desk and its shards, with sockets that take everything.
struct World {
    desk: Desk,
    shards: Vec<Shard<PlainSession>>,
    now: Time,
}

fn arrival(now: Time, guest: u32) -> Arrival {
    Arrival { now, peer: SocketAddr::from(([127, 0, 0, 1], 40_000)), guest, secret: Secret::new([0; 16]) }
}

impl World {
    fn new(shards: u8, limits: Limits) -> World {
        let home = RoomName::parse("lobby").unwrap();
        let setup = Setup::new(home.clone());
        let new = |index| Shard::new(index, setup.clone(), limits, Release::AtOnce);
        World {
            desk: Desk::new(Hub::new(Settings::new(home)), u16::from(shards)),
            shards: (0..shards).map(new).collect(),
            now: Time(1_000_000),
        }
    }

    /// A member with this nick.
    fn join(&mut self, shard: usize, nick: &str) -> ConnectionId {
        let id = self.shards[shard].open(&arrival(self.now, 1));
        self.type_line(shard, id, &format!("/nick {nick}"));
        assert!(self.run(shard, id).contains(&format!("-- you are now {nick}\n")));
        id
    }

    fn type_line(&mut self, shard: usize, id: ConnectionId, line: &str) {
        self.shards[shard].received(self.now, id, format!("{line}\n").as_bytes());
    }

    /// Lets requests and mail go to and fro until nobody has anything to say, and reads what the connection is shown.
    fn run(&mut self, shard: usize, id: ConnectionId) -> String {
        while self.turn() {}
        self.read(shard, id)
    }

    /// Returns whether anything was asked.
    fn turn(&mut self) -> bool {
        let mut any = false;
        for shard in &mut self.shards {
            for request in shard.requests() {
                any = true;
                if let Err(request) = self.desk.take(self.now, request) {
                    commit(&mut self.desk);
                    self.desk.take(self.now, *request).expect("a commit makes room");
                }
            }
        }
        commit(&mut self.desk);
        for (index, shard) in (0..).zip(&mut self.shards) {
            shard.deliver(self.now, self.desk.mail(index).unwrap());
        }
        any
    }

    fn read(&mut self, shard: usize, id: ConnectionId) -> String {
        let shard = &mut self.shards[shard];
        let mut bytes = Vec::new();
        while shard.plan(id) == Due::Bytes {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = shard.slices(id, &mut slices);
            let before = bytes.len();
            slices[..count].iter().for_each(|slice| bytes.extend_from_slice(slice));
            let taken = bytes.len() - before;
            shard.taken(id, taken);
        }
        String::from_utf8(bytes).unwrap()
    }
}

/// The journal writes everything at once.
fn commit(desk: &mut Desk) {
    let (_, reservation) = desk.to_commit();
    let position = desk.hub().position();
    desk.committed(position, &reservation);
}

/// What is typed at telnet is shown by the server, and makes no request that would bring another turn.
#[test]
fn whoever_is_read_from_behind_the_flush_makes_another_one_due() {
    let mut world = World::new(1, Limits::default());
    let ann = world.shards[0].open(&arrival(world.now, 1));
    // IAC DO SUPPRESS-GO-AHEAD, IAC DO ECHO: this is telnet, and its line is edited here.
    world.shards[0].received(world.now, ann, &[255, 253, 3, 255, 253, 1]);
    world.now = world.now.after_ms(50);
    world.shards[0].tick(world.now);
    while world.turn() {}
    let flush = |shard: &mut Shard<PlainSession>| {
        let mut due = Vec::new();
        shard.take_due(&mut due);
        let mut written = 0;
        for id in due {
            while shard.plan(id) == Due::Bytes {
                let mut slices = [IoSlice::new(&[]); 8];
                let count = shard.slices(id, &mut slices);
                let bytes: usize = slices[..count].iter().map(|slice| slice.len()).sum();
                shard.taken(id, bytes);
                written += bytes;
            }
        }
        shard.settle();
        written
    };
    assert!(flush(&mut world.shards[0]) > 0, "it is greeted");
    assert!(!world.shards[0].has_due());
    world.shards[0].received(world.now, ann, b"half typed");
    assert!(!world.shards[0].has_requests() && world.shards[0].has_due());
    assert_eq!(flush(&mut world.shards[0]), "half typed".len());
    assert!(!world.shards[0].has_due());
}

#[test]
fn who_asks_and_never_reads_is_not_read_from_until_it_reads() {
    let mut world = World::new(1, Limits { private_bytes_max: 1000, ..Limits::default() });
    let ann = world.join(0, "ann");
    let mut asked = 0;
    while world.shards[0].wants_input(ann) {
        world.type_line(0, ann, "/help");
        asked += 1;
        assert!(asked < 100, "the bound was never reached");
    }
    let mut resumed = Vec::new();
    world.shards[0].take_resumed(&mut resumed);
    assert!(resumed.is_empty(), "nothing has been read yet");
    world.read(0, ann);
    world.shards[0].take_resumed(&mut resumed);
    assert_eq!(resumed, [ann]);
}

/// Whoever changes what it said to somebody who has gone is both parties that are here.
#[test]
fn what_concerns_the_inbox_of_one_alone_is_shown_once() {
    let mut world = World::new(1, Limits::default());
    let ann = world.join(0, "ann");
    let member = world.shards[0].member(ann).unwrap();
    let who = |nick: &str, member| Who { member, nick: nick.into(), address: None };
    let event = Event::Directed {
        conversation: RoomNumber(9),
        sequence: Sequence(1),
        from: who("bob", MemberId::NOBODY),
        to: who("ann", member),
        text: Text::new("hello").unwrap(),
        signature: None,
    };
    let (position, audience) = (world.desk.hub().position().next(), Audience::Inboxes([member, member]));
    let told = vec![Told { position, time: world.now, audience, event }];
    world.shards[0].deliver(world.now, &mut Mail { told, ..Mail::default() });
    let shown = world.read(0, ann);
    assert_eq!(shown.matches("hello").count(), 1, "{shown}");
}

/// After an orderly stop nothing is lost, so that no loss makes the journal reserve anything.
#[test]
fn whoever_speaks_first_after_an_orderly_stop_has_numbers_reserved() {
    let home = RoomName::parse("lobby").unwrap();
    let settings = Settings { keeping: Keeping::History, ..Settings::new(home) };
    let mut world = World::new(1, Limits::default());
    world.desk = Desk::new(Hub::new(settings.clone()), 1);
    let ann = world.join(0, "ann");
    world.type_line(0, ann, "hello");
    world.run(0, ann);
    let (kept, reserved) = (world.desk.hub().snapshot(), world.desk.hub().exact_reservation());
    let mut hub = Hub::restore(settings, &kept);
    hub.recover(&reserved);
    let mut again = World::new(1, Limits::default());
    again.desk = Desk::new(hub, 1);
    commit(&mut again.desk);
    let bob = again.join(0, "bob");
    again.type_line(0, bob, "hello again");
    again.run(0, bob);
    let lobby = &again.desk.hub().snapshot().rooms[0];
    assert_eq!(lobby.sequence, Sequence(3));
}

#[test]
fn wider_bound_lets_those_go_on_who_wait() {
    let mut world = World::new(1, Limits { private_bytes_max: 1000, ..Limits::default() });
    let ann = world.join(0, "ann");
    while world.shards[0].wants_input(ann) {
        world.type_line(0, ann, "/help");
    }
    world.shards[0].set_limits(Limits::default());
    let mut resumed = Vec::new();
    world.shards[0].take_resumed(&mut resumed);
    assert_eq!(resumed, [ann]);
}

#[test]
fn nothing_is_read_while_the_desk_has_too_much_to_take() {
    let mut world = World::new(1, Limits { requests_max: 10, ..Limits::default() });
    let ann = world.join(0, "ann");
    let bob = world.join(0, "bob");
    for count in 0..10 {
        world.type_line(0, ann, &format!("line {count}"));
    }
    let requests: Vec<_> = world.shards[0].requests().collect();
    assert!(!world.shards[0].wants_input(ann) && !world.shards[0].wants_input(bob));
    for request in requests {
        world.desk.take(world.now, request).unwrap();
    }
    world.turn();
    let mut resumed = Vec::new();
    world.shards[0].take_resumed(&mut resumed);
    assert_eq!(resumed, [ann, bob]);
    assert!(world.read(0, bob).contains("<ann> line 9\n"));
}

#[test]
fn long_messages_weigh_more_than_short_ones() {
    let mut world = World::new(1, Limits { requests_max: 10, ..Limits::default() });
    let ann = world.join(0, "ann");
    world.type_line(0, ann, &"x".repeat(9 * 1024));
    assert_eq!(world.shards[0].requests().count(), 1);
    assert!(!world.shards[0].wants_input(ann), "one message of 9 KiB weighs as much as ten short ones");
}

#[test]
fn a_skip_is_told_before_the_answers_that_know_of_it() {
    let feeds = Bounds { lag_bytes_max: 4096, ..Bounds::default() };
    let mut world = World::new(1, Limits { feeds, ..Limits::default() });
    let ann = world.join(0, "ann");
    let bob = world.join(0, "bob");
    for _ in 0..100 {
        world.type_line(0, ann, &"x".repeat(100));
        while world.turn() {}
    }
    world.type_line(0, bob, "/who");
    let heard = world.run(0, bob);
    let (skip, answer) = (heard.find("messages skipped"), heard.find("-- #lobby has 2"));
    assert!(skip.is_some() && skip < answer, "{heard}");
}

#[test]
fn members_of_all_shards_hear_each_other() {
    let mut world = World::new(3, Limits::default());
    let people: Vec<_> =
        ["ann", "bob", "eve"].iter().zip(0..).map(|(nick, shard)| world.join(shard, nick)).collect();
    let (ann, bob, eve) = (people[0], people[1], people[2]);
    world.type_line(0, ann, "hello");
    assert_eq!(world.run(0, ann), "[bob] entered room\n[eve] entered room\n");
    assert_eq!(world.read(1, bob), "[eve] entered room\n<ann> hello\n");
    assert_eq!(world.read(2, eve), "<ann> hello\n");
    world.type_line(1, bob, "/msg eve psst");
    while world.turn() {}
    assert_eq!(world.read(2, eve), "<bob to you> psst\n");
}

#[test]
fn a_shard_without_anybody_in_a_room_gets_none_of_its_mail() {
    let mut world = World::new(2, Limits::default());
    let ann = world.join(0, "ann");
    let bob = world.join(1, "bob");
    world.type_line(0, ann, "/join dev");
    world.run(0, ann);
    world.type_line(0, ann, "only here");
    for request in world.shards[0].requests() {
        world.desk.take(world.now, request).unwrap();
    }
    assert!(world.desk.mail(1).unwrap().told.is_empty());
    world.type_line(1, bob, "/join dev");
    world.run(1, bob);
    world.type_line(0, ann, "for both");
    assert!(world.run(1, bob).ends_with("#dev <ann> for both\n"));
}

#[test]
fn a_request_waits_for_a_journal_that_is_behind_and_is_refused_by_one_that_fails() {
    let mut world = World::new(1, Limits::default());
    let ann = world.join(0, "ann");
    for _ in 0..=RESERVED_AHEAD {
        world.type_line(0, ann, "hi");
    }
    // Without a commit in between the reservation is used up by all but the last.
    let mut handed_back = None;
    for request in world.shards[0].requests() {
        handed_back = world.desk.take(world.now, request).err().or(handed_back);
    }
    let request = handed_back.expect("the reservation ends");
    world.desk.set_journal(world.now, Journal::Failing(Trouble::Failing));
    world.desk.take(world.now, (*request).clone()).unwrap();
    let refusals = world.desk.mail(0).unwrap().told.last().map(|told| format!("{:?}", told.event));
    assert!(refusals.unwrap().contains("Unwritten"));
    world.desk.set_journal(world.now, Journal::Working);
    commit(&mut world.desk);
    world.desk.take(world.now, *request).unwrap();
}

#[test]
fn whoever_reads_in_time_misses_nothing_of_mail_that_is_larger_than_the_lag_bound() {
    let feeds = Bounds { lag_bytes_max: 4096, ..Bounds::default() };
    let mut world = World::new(1, Limits { feeds, ..Limits::default() });
    let ann = world.join(0, "ann");
    let bob = world.join(0, "bob");
    for count in 0..500 {
        world.type_line(0, ann, &format!("line {count}"));
    }
    for request in world.shards[0].requests() {
        world.desk.take(world.now, request).unwrap();
    }
    let told = std::mem::take(&mut world.desk.mail(0).unwrap().told);
    let mut told = told.into_iter();
    let mut heard = String::new();
    while world.shards[0].deliver_portion(world.now, &mut told) == engine::Delivered::Portion {
        heard += &world.read(0, bob);
    }
    heard += &world.read(0, bob);
    assert_eq!(heard.matches("<ann> line").count(), 500);
}

#[test]
fn flood_of_one_turn_is_bounded_before_the_desk_has_heard_of_it() {
    let mut world = World::new(1, Limits::default());
    let people: Vec<_> = (0..100).map(|guest| world.shards[0].open(&arrival(world.now, guest))).collect();
    for id in &people {
        world.shards[0].received(world.now, *id, b"hello\n");
    }
    while world.turn() {}
    let lines = b"a\n".repeat(READ_BYTES / 2);
    for id in &people {
        if world.shards[0].wants_input(*id) {
            world.shards[0].received(world.now, *id, &lines);
        }
    }
    let asked = world.shards[0].requests().count();
    let most = Limits::default().requests_max + lines.len() / 2;
    assert!(asked <= most, "{asked} requests in one turn; at most {most} are possible");
}

#[test]
fn words_for_somebody_who_does_not_read_them_are_bounded_and_none_is_lost() {
    let mut world = World::new(1, Limits::default());
    let id = world.join(0, "ann");
    let lines = b"/help\n".repeat(READ_BYTES / 6);
    world.shards[0].received(world.now, id, &lines);
    assert!(!world.shards[0].wants_input(id));

    let mut answers = 0;
    while answers < READ_BYTES / 6 {
        let words = world.read(0, id);
        assert!(words.len() <= Limits::default().private_bytes_max, "{} bytes waited", words.len());
        let told = words.matches("-- /help ").count();
        assert!(told > 0, "only {answers} answers came");
        answers += told;
        world.shards[0].tick(world.now);
    }
    let mut resumed = Vec::new();
    world.shards[0].take_resumed(&mut resumed);
    assert_eq!(resumed, [id]);
    assert_eq!(world.read(0, id), "");
}

#[test]
fn whoever_has_waited_longest_is_read_from_first() {
    let mut world = World::new(1, Limits::default());
    let people: Vec<_> = (0..10).map(|guest| world.shards[0].open(&arrival(world.now, guest))).collect();
    for id in &people {
        world.shards[0].received(world.now, *id, b"hello\n");
    }
    while world.turn() {}
    let [flooding, others @ ..] = &people[..] else { panic!("there are ten") };
    let lines = b"a\n".repeat(Limits::default().requests_max);
    world.shards[0].received(world.now, *flooding, &lines);
    let waiting: Vec<_> = others.iter().rev().chain([flooding]).copied().collect();
    for id in &waiting {
        assert!(!world.shards[0].wants_input(*id));
    }
    world.shards[0].closed(waiting[3]);
    while world.turn() {}
    world.read(0, *flooding);
    let mut resumed = Vec::new();
    world.shards[0].take_resumed(&mut resumed);
    assert_eq!(resumed, [&waiting[..3], &waiting[4..]].concat());
}
