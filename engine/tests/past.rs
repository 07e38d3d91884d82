//! A newcomer is shown the past and then the present, with no seam: through a real desk, a real shard and its feeds, whatever
//! happens between its arrival and the page.

use dialect::plain::PlainSession;
use dialect::{Arrival, Secret, Setup};
use engine::{ConnectionId, Desk, Due, Limits, Release, Shard};
use hub::{
    Audience, Author, Event, Hub, Keeping, Manner, MemberId, Page, Past, Position, Reading, Refusal,
    RoomName, RoomRef, Sequence, Settings, Span, Text, Time, Told, Verb, Wanted, Who,
};
use std::io::IoSlice;

const NOW: Time = Time(1_000_000);

struct World {
    desk: Desk,
    shard: Shard<PlainSession>,
    /// What the history has been asked.
    readings: Vec<Reading>,
}

impl World {
    fn new() -> World {
        let home = RoomName::parse("lobby").unwrap();
        let setup = Setup { keeping: Keeping::History, ..Setup::new(home.clone()) };
        let settings = Settings { keeping: Keeping::History, ..Settings::new(home) };
        World {
            desk: Desk::new(Hub::new(settings), 1),
            shard: Shard::new(0, setup, Limits::default(), Release::AtOnce),
            readings: Vec::new(),
        }
    }

    fn connect(&mut self, first_line: &str) -> ConnectionId {
        let arrival = Arrival {
            now: NOW,
            peer: ([127, 0, 0, 1], 40_000).into(),
            guest: 1,
            secret: Secret::new([0; 16]),
        };
        let id = self.shard.open(&arrival);
        self.type_line(id, first_line);
        id
    }

    /// All that comes of it is done, but for what the history has to answer.
    fn type_line(&mut self, id: ConnectionId, line: &str) {
        self.shard.received(NOW, id, format!("{line}\n").as_bytes());
        self.work();
    }

    fn work(&mut self) {
        while self.shard.has_requests() {
            for request in self.shard.requests() {
                self.desk.take(NOW, request).expect("there is room");
            }
            self.readings.extend(self.desk.readings());
            self.shard.deliver(NOW, self.desk.mail(0).unwrap());
        }
    }

    /// The history answers what it was asked first.
    fn answer(&mut self, event: impl FnOnce(&Reading) -> Event) {
        let reading = self.readings.remove(0);
        let (position, audience) = (reading.position, Audience::Member(reading.member));
        let told = Told { position, time: NOW, audience, event: event(&reading) };
        self.desk.mail(0).unwrap().told.push(told);
        self.shard.deliver(NOW, self.desk.mail(0).unwrap());
        self.work();
    }

    fn read(&mut self, id: ConnectionId) -> String {
        let mut bytes = Vec::new();
        while self.shard.plan(id) == Due::Bytes {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = self.shard.slices(id, &mut slices);
            let before = bytes.len();
            slices[..count].iter().for_each(|slice| bytes.extend_from_slice(slice));
            self.shard.taken(id, bytes.len() - before);
        }
        String::from_utf8(bytes).unwrap()
    }
}

/// A page that says what its number is.
fn page(reading: &Reading) -> Event {
    let Wanted::Page(wanted) = &reading.what else { panic!("a page is asked for") };
    let Span::Before(end) = wanted.span else { panic!("what was said last is asked for") };
    let sequence = Sequence(end.0 - 1);
    let room = RoomRef { number: wanted.room.number, name: wanted.room.name.clone() };
    let author = Author::Member(Who { member: MemberId::NOBODY, nick: "ann".into(), address: None });
    let text = Text::new(&format!("the past, up to {}", sequence.0)).unwrap();
    let event = Event::Said { room, sequence, author, text, manner: Manner::Saying, signature: None };
    let lines = vec![Past { position: Position(1), time: NOW, event, edited: None }];
    let (before, after, forgotten) = (None, None, Sequence(0));
    Event::Page(Page { wanted: wanted.clone(), lines, before, after, forgotten }.into())
}

/// Everything from the last word of the greeting on.
fn behind_greeting(text: &str) -> &str {
    text.split_once("/help lists what else you can do\n").expect("a greeting").1
}

#[test]
fn past_comes_before_what_was_said_while_it_was_read() {
    for is_read_between in [false, true] {
        let mut world = World::new();
        let ann = world.connect("one");
        // Both are worked on before the newcomer's question is.
        let bob = world.shard.open(&Arrival {
            now: NOW,
            peer: ([127, 0, 0, 1], 1).into(),
            guest: 2,
            secret: Secret::new([0; 16]),
        });
        world.shard.received(NOW, bob, b"hello\n");
        for request in world.shard.requests() {
            world.desk.take(NOW, request).unwrap();
        }
        world.shard.deliver(NOW, world.desk.mail(0).unwrap());
        world.shard.received(NOW, ann, b"two\n");
        let mut requests: Vec<_> = world.shard.requests().collect();
        requests.reverse();
        for request in requests {
            world.desk.take(NOW, request).unwrap();
        }
        world.readings.extend(world.desk.readings());
        world.shard.deliver(NOW, world.desk.mail(0).unwrap());
        world.type_line(ann, "three");

        let mut shown = if is_read_between { world.read(bob) } else { String::new() };
        assert!(!shown.contains("two"), "{shown}");
        world.answer(page);
        shown += &world.read(bob);
        assert_eq!(
            behind_greeting(&shown),
            "[00:16] <ann> the past, up to 2\n<guest-00001> two\n<guest-00001> three\n"
        );
        // What waited for the page is said behind it.
        assert!(world.read(ann).ends_with("<guest-00002> hello\n"));
    }
}

#[test]
fn past_that_cannot_be_read_holds_nothing_up() {
    let mut world = World::new();
    let ann = world.connect("one");
    let bob = world.connect("hello");
    world.type_line(ann, "two");
    world.answer(|_| Event::Refused { verb: Verb::History, refusal: Refusal::Unreadable, nonce: None });
    let shown = world.read(bob);
    let expected = "-- what was kept cannot be read at the moment; try again in a while\n<guest-00001> two\n";
    assert_eq!(behind_greeting(&shown), expected);
    assert!(world.read(ann).ends_with("<guest-00002> hello\n"));
}

#[test]
fn whoever_goes_while_the_past_is_read_is_missed_by_nobody() {
    let mut world = World::new();
    let ann = world.connect("one");
    let bob = world.connect("hello");
    world.shard.closed(bob);
    world.work();
    world.answer(page);
    world.type_line(ann, "two");
    assert!(!world.read(ann).contains("hello"));
    assert_eq!(world.shard.connections(), 1);
}
