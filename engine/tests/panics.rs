//! A panic in a connection's code costs that connection: whichever call of its session panics, the others go on, its
//! member quits, nothing that the session wanted is done, and nothing of it is left.

use dialect::{Arrival, Output, Own, Secret, Session, Setup, Skipped};
use engine::{Bounds, ConnectionId, Desk, Due, Limits, Release, Shard};
use hub::{Command, Event, Hub, MemberId, Place, Presence, RoomName, Settings, Text, Time, Told};
use std::io::IoSlice;
use std::net::SocketAddr;

const LAG_BYTES_MAX: usize = 4096;

/// The calls of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    New,
    Rendition,
    Received,
    WantsInput,
    Ended,
    Deadline,
    Tick,
    Told,
    Skipped,
    Drained,
    Shutdown,
    Own,
    Filters,
    Filter,
    Drop,
}

const CALLS: [Call; 15] = [
    Call::New,
    Call::Rendition,
    Call::Received,
    Call::WantsInput,
    Call::Ended,
    Call::Deadline,
    Call::Tick,
    Call::Told,
    Call::Skipped,
    Call::Drained,
    Call::Shutdown,
    Call::Own,
    Call::Filters,
    Call::Filter,
    Call::Drop,
];

/// In the place of a guest's number: a session that panics at no call.
const SOUND: u32 = u32::MAX;

/// The guest's number of a session that panics at this call.
fn guest_of(call: Call) -> u32 {
    CALLS.iter().position(|other| *other == call).expect("all calls are listed") as u32
}

/// A session of lines that are said as they are. It panics at one of its calls: from the beginning if that is its birth,
/// else once it has received `!`.
struct Fragile {
    panics_at: Option<Call>,
    is_armed: bool,
    has_panicked: std::cell::Cell<bool>,
    deadline: Option<Time>,
}

impl Fragile {
    fn at(&self, call: Call) {
        assert!(!self.has_panicked.get() || call == Call::Drop, "{call:?} of a session that has panicked");
        if self.is_armed && self.panics_at == Some(call) {
            self.has_panicked.set(true);
            std::panic::resume_unwind(Box::new("as it should"));
        }
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.at(Call::Drop);
    }
}

impl Session for Fragile {
    type Rendition = ();

    fn new(_: &Setup, arrival: &Arrival) -> Fragile {
        let panics_at = CALLS.get(arrival.guest as usize).copied();
        let session = Fragile {
            panics_at,
            is_armed: panics_at == Some(Call::New),
            has_panicked: false.into(),
            deadline: None,
        };
        session.at(Call::New);
        session
    }

    fn rendition(&self) {
        self.at(Call::Rendition);
    }

    fn received(&mut self, now: Time, setup: &Setup, bytes: &[u8], output: &mut Output) {
        for line in String::from_utf8_lossy(bytes).lines() {
            let command = match line {
                "hello" => {
                    output.commands.push(Command::Connect {
                        guest: 1,
                        presence: Presence::Visible,
                        address: None,
                        nick: None,
                        client: None,
                    });
                    Command::Join { room: setup.home.shown.as_ref().into() }
                }
                "join" => Command::Join { room: "dev".into() },
                "who" => Command::Who { room: Place::Name("lobby".into()), after: None },
                "!" => {
                    self.is_armed = true;
                    self.deadline = Some(now.after_ms(10));
                    continue;
                }
                text => Command::Say {
                    room: Place::Name("lobby".into()),
                    text: Text::new(text).expect("a text"),
                    nonce: None,
                },
            };
            output.commands.push(command);
            output.words.extend_from_slice(b"words\n");
        }
        self.at(Call::Received);
    }

    fn wants_input(&self) -> bool {
        self.at(Call::WantsInput);
        true
    }

    fn ended(&mut self, _: Time, _: &Setup, output: &mut Output) {
        output.close = true;
        self.at(Call::Ended);
    }

    fn deadline(&self) -> Option<Time> {
        self.at(Call::Deadline);
        self.deadline
    }

    fn tick(&mut self, _: Time, _: &Setup, _: &mut Output) {
        self.deadline = None;
        self.at(Call::Tick);
    }

    fn told(&mut self, _: Time, _: &Setup, _: &Told, output: &mut Output) {
        output.words.extend_from_slice(b"told\n");
        self.at(Call::Told);
    }

    fn skipped(&mut self, _: &Skipped, _: &mut Output) {
        self.at(Call::Skipped);
    }

    fn drained(&mut self, _: &mut Output) {
        self.at(Call::Drained);
    }

    fn shutdown(&mut self, output: &mut Output) {
        output.words.extend_from_slice(b"bye\n");
        output.close = true;
        self.at(Call::Shutdown);
    }

    fn own(&mut self, _: MemberId, _: &Told) -> Own {
        self.at(Call::Own);
        Own::StepOver
    }

    fn render((): (), _: &Setup, told: &Told, bytes: &mut Vec<u8>) {
        if let Event::Said { text, .. } = &told.event {
            bytes.extend_from_slice(format!("{}\n", text.formatted()).as_bytes());
        }
    }

    fn filters(&self) -> bool {
        self.at(Call::Filters);
        matches!(self.panics_at, Some(Call::Filter))
    }

    fn filter(&mut self, taken: &[&[u8]], bytes: &mut Vec<u8>) {
        bytes.extend(taken.iter().copied().flatten());
        self.at(Call::Filter);
    }
}

/// A desk and one shard, with sockets that take everything, and whose connections are closed when they break.
struct World {
    desk: Desk,
    shard: Shard<Fragile>,
    now: Time,
    broken: Vec<ConnectionId>,
}

impl World {
    fn new() -> World {
        let home = RoomName::parse("lobby").expect("a name");
        let feeds = Bounds { lag_bytes_max: LAG_BYTES_MAX, ..Bounds::default() };
        let limits = Limits { feeds, ..Limits::default() };
        World {
            desk: Desk::new(Hub::new(Settings::new(home.clone())), 1),
            shard: Shard::new(0, Setup::new(home), limits, Release::AtOnce),
            now: Time(1_000_000),
            broken: Vec::new(),
        }
    }

    fn open(&mut self, guest: u32) -> ConnectionId {
        let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
        self.shard.open(&Arrival { now: self.now, peer, guest, secret: Secret::new([0; 16]) })
    }

    /// A sound one that has read everything up to its own arrival.
    fn join(&mut self) -> ConnectionId {
        let id = self.open(SOUND);
        self.types(id, "hello");
        self.read(id);
        id
    }

    fn types(&mut self, id: ConnectionId, line: &str) {
        if self.shard.wants_input(id) {
            self.shard.received(self.now, id, format!("{line}\n").as_bytes());
        }
        self.run();
    }

    /// Requests and mail go to and fro until nobody asks anything; whoever breaks is closed.
    fn run(&mut self) {
        loop {
            self.close_broken();
            let requests: Vec<_> = self.shard.requests().collect();
            if requests.is_empty() {
                return;
            }
            for request in requests {
                self.desk.take(self.now, request).expect("the journal is not behind");
            }
            let (_, reservation) = self.desk.to_commit();
            let position = self.desk.hub().position();
            self.desk.committed(position, &reservation);
            self.shard.deliver(self.now, self.desk.mail(0).expect("there is one shard"));
        }
    }

    fn close_broken(&mut self) {
        let mut broken = Vec::new();
        self.shard.take_broken(&mut broken);
        for id in broken {
            assert_eq!(self.shard.plan(id), Due::Nothing, "nothing more is written to it");
            assert!(!self.shard.wants_input(id), "nothing more is read from it");
            self.shard.closed(id);
            self.broken.push(id);
        }
    }

    fn read(&mut self, id: ConnectionId) -> String {
        let mut due = Vec::new();
        self.shard.take_due(&mut due);
        let mut bytes = Vec::new();
        while self.shard.plan(id) == Due::Bytes {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = self.shard.slices(id, &mut slices);
            let before = bytes.len();
            slices[..count].iter().for_each(|slice| bytes.extend_from_slice(slice));
            self.shard.taken(id, bytes.len() - before);
        }
        self.shard.settle();
        self.run();
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Makes the session do all that it is called for, in turn.
    fn exercise(&mut self, id: ConnectionId, other: ConnectionId) {
        self.types(id, "hello");
        self.read(id);
        self.types(id, "!");
        self.types(id, "mine");
        self.read(id);
        self.types(id, "who");
        self.read(id);
        self.types(id, "join");
        for _ in 0..2 * LAG_BYTES_MAX / 100 {
            self.types(other, &"x".repeat(100));
        }
        self.read(id);
        self.now = self.now.after_ms(10);
        self.shard.tick(self.now);
        self.run();
        self.shard.ended(self.now, id);
        self.run();
    }
}

/// Closes the connections; nothing may be left of anybody.
fn nothing_is_left(mut world: World, here: [ConnectionId; 2], call: Call) {
    assert_eq!(world.desk.hub().members(), here.len(), "its member has quit: {call:?}");
    for id in here {
        world.shard.closed(id);
    }
    world.run();
    let left = (world.shard.connections(), world.shard.logs(), world.shard.kept_bytes());
    assert_eq!(left, (0, 0, 0), "{call:?}");
    assert_eq!((world.shard.waiting_requests(), world.shard.next_deadline()), (0, None), "{call:?}");
    assert_eq!(world.desk.hub().members(), 0, "{call:?}");
}

#[test]
fn session_that_panics_costs_its_connection_alone_whichever_call_panics() {
    for call in CALLS.into_iter().filter(|call| !matches!(call, Call::Shutdown | Call::Drop)) {
        let mut world = World::new();
        let (ann, bob) = (world.join(), world.join());
        let fragile = world.open(guest_of(call));
        world.exercise(fragile, ann);
        assert_eq!(world.broken, [fragile], "{call:?}");
        world.read(bob);
        world.types(ann, "still here");
        assert_eq!(world.read(bob), "still here\n", "{call:?}");
        nothing_is_left(world, [ann, bob], call);
    }
}

#[test]
fn session_that_panics_when_the_server_stops_keeps_nobody_from_being_told() {
    let mut world = World::new();
    let fragile = world.open(guest_of(Call::Shutdown));
    let (ann, bob) = (world.join(), world.join());
    world.types(fragile, "!");
    world.shard.shutdown();
    world.run();
    assert_eq!(world.broken, [fragile]);
    for id in [ann, bob] {
        assert!(world.read(id).ends_with("bye\n"));
    }
    nothing_is_left(world, [ann, bob], Call::Shutdown);
}

#[test]
fn session_that_does_not_go_in_peace_goes_all_the_same() {
    let mut world = World::new();
    let (ann, bob) = (world.join(), world.join());
    let fragile = world.open(guest_of(Call::Drop));
    world.exercise(fragile, ann);
    assert!(world.broken.is_empty(), "it has come to its end in peace");
    world.shard.closed(fragile);
    world.run();
    nothing_is_left(world, [ann, bob], Call::Drop);
}

#[test]
fn connection_needs_no_memory_to_say_whether_its_session_has_panicked() {
    use dialect::plain::PlainSession;
    assert_eq!(size_of::<Option<PlainSession>>(), size_of::<PlainSession>());
}

#[test]
fn nothing_is_done_of_what_a_session_wanted_in_the_call_that_panicked() {
    let mut world = World::new();
    let bob = world.join();
    let fragile = world.open(guest_of(Call::Received));
    world.types(fragile, "hello");
    world.read(bob);
    world.types(fragile, "!\nnot to be said");
    assert_eq!(world.broken, [fragile]);
    world.types(bob, "after that");
    assert_eq!(world.read(bob), "words\n", "only what concerns bob");
}

#[test]
fn whoever_gets_the_place_of_a_broken_connection_is_not_broken() {
    let mut world = World::new();
    let fragile = world.open(guest_of(Call::New));
    // It is closed for another reason before anybody asks who is broken.
    world.shard.closed(fragile);
    let next = world.join();
    assert_eq!(next.index(), fragile.index(), "the place is used again");
    world.run();
    assert!(world.broken.is_empty());
}
