//! The hot paths, each alone and so many times: what `cargo xtask instructions` runs under valgrind to count instructions.
//!
//! `instructions list` prints the cases, one a line; `instructions CASE TIMES` sets a case up and does it so many times. Each
//! case is run with two numbers of times: the difference of the two counts, divided by the difference of the numbers, is what
//! one time costs. Start and set-up are in both and drop out, so that nothing has to be told to the profiler.
//!
//! It stands here because the engine is built on everything that is measured and on nothing else: it is built in seconds.
//! The crates that do the same for us (iai-callgrind, gungraun) were weighed: they need a runner of exactly their own version
//! to be installed beside them, and some seventy crates to be built, for what two runs and a subtraction give.
//!
//! What it must never do: measure time, or do something else in one run than in the next. The hash maps of a shard are
//! seeded by chance; over the numbers below that comes to less than one in a hundred.

use dialect::plain::{PlainSession, Style};
use dialect::{Arrival, Output, Secret, Session, Setup};
use engine::{ConnectionId, Desk, Due, Limits, Release, Shard};
use feed::{Bounds, Detour, Entry, Feeds, Kind, LogId, Plan, ReaderId};
use hub::{
    Audience, Author, Command, Crowd, Event, Hub, Manner, MemberId, Place, Position, Presence, Proposal,
    Record, RoomName, RoomNumber, RoomRef, RoomView, Sequence, Settings, Speaker, Text, Time, Told, Who,
};
use std::hint::black_box;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::process::ExitCode;

/// Something that is done so many times.
struct Case {
    name: &'static str,
    /// What one time is.
    what: &'static str,
    /// The two numbers of times.
    times: [u32; 2],
    run: fn(u32),
}

const CASES: &[Case] = &[
    Case {
        name: "parse-line",
        what: "a session of plain text takes in one line of 128 bytes",
        times: [1_000, 11_000],
        run: parse_line,
    },
    Case {
        name: "parse-hundred",
        what: "a session of plain text takes in 100 lines of 128 bytes in one read",
        times: [10, 210],
        run: parse_hundred,
    },
    Case {
        name: "say",
        what: "propose and apply: a line in a room of 1,000",
        times: [1_000, 11_000],
        run: say,
    },
    Case {
        name: "join",
        what: "propose and apply: somebody new connects and enters a room of 1,000",
        times: [100, 2_100],
        run: join,
    },
    Case { name: "render", what: "a line is rendered as plain text", times: [1_000, 11_000], run: render },
    Case {
        name: "append",
        what: "a line is appended to a log, and its author steps over it",
        times: [1_000, 11_000],
        run: append,
    },
    Case {
        name: "flush-one",
        what: "a line is appended and one reader is served: due, plan, slices, taken, settled",
        times: [1_000, 11_000],
        run: |times| flush(1, times),
    },
    Case {
        name: "flush-thousand",
        what: "the same for 1,000 readers",
        times: [10, 110],
        run: |times| flush(1_000, times),
    },
    Case {
        name: "message",
        what: "the whole way: one line in, session, desk, hub, mail, rendered, planned for 1,000 readers",
        times: [10, 110],
        run: |times| talk(1, times),
    },
    Case {
        name: "busy-turn",
        what: "the same for 100 lines of 100 people in one turn",
        times: [2, 22],
        run: |times| talk(100, times),
    },
    Case {
        name: "newcomer",
        what: "somebody connects, is greeted, says a line and leaves, where 100 people are",
        times: [20, 220],
        run: newcomers,
    },
];

const NOW: Time = Time(1_000_000);
const LINE_BYTES: usize = 128;
/// So much time passes between two reads: nobody is to be found too fast.
const MS_PER_TURN: u64 = 100;
/// So many slices the server fills at a time.
const SLICES: usize = 16;
/// The journal writes after so many facts: fewer than it reserves ahead.
const FACTS_PER_COMMIT: u32 = 1_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["list"] => list(),
        [name, times] => return run(name, times),
        _ => {
            eprintln!("usage: instructions list | instructions CASE TIMES");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// One line a case: name, the two numbers, what it is.
fn list() {
    for Case { name, what, times: [fewer, more], .. } in CASES {
        println!("{name}\t{fewer}\t{more}\t{what}");
    }
}

fn run(name: &str, times: &str) -> ExitCode {
    let case = CASES.iter().find(|case| case.name == name);
    let (Some(case), Ok(times)) = (case, times.parse()) else {
        eprintln!("there is no case `{name}`, or `{times}` is no number; see: instructions list");
        return ExitCode::from(2);
    };
    (case.run)(times);
    ExitCode::SUCCESS
}

// The dialect.

fn line() -> Vec<u8> {
    let mut line = vec![b'x'; LINE_BYTES];
    line[LINE_BYTES - 1] = b'\n';
    line
}

fn text() -> Text {
    Text::new(&"x".repeat(LINE_BYTES - 1)).expect("a text")
}

fn setup() -> Setup {
    Setup::new(RoomName::parse("lobby").expect("a name"))
}

fn arrival(guest: u32) -> Arrival {
    Arrival {
        now: NOW,
        peer: SocketAddr::from(([127, 0, 0, 1], 40_000)),
        guest,
        secret: Secret::new([0; 16]),
    }
}

fn lobby() -> RoomRef {
    RoomRef { number: RoomNumber(1), name: "lobby".into() }
}

/// A session that is in the lobby and visible.
fn present(setup: &Setup, output: &mut Output) -> PlainSession {
    let mut session = PlainSession::new(setup, &arrival(1));
    session.received(NOW, setup, b"/me waves\n", output);
    let view =
        RoomView { room: lobby(), topic: None, members: Crowd::default(), listening: 0, upto: Sequence(1) };
    let audience = Audience::Member(MemberId::mint(0, 1));
    let told = Told { position: Position(1), time: NOW, audience, event: Event::Admitted(view) };
    session.told(NOW, setup, &told, output);
    session
}

fn parse_line(times: u32) {
    parse(&line(), times);
}

fn parse_hundred(times: u32) {
    parse(&line().repeat(100), times);
}

fn parse(bytes: &[u8], times: u32) {
    let setup = setup();
    let mut output = Output::default();
    let mut session = present(&setup, &mut output);
    for time in 0..times {
        output.commands.clear();
        let now = NOW.after_ms(u64::from(time) * MS_PER_TURN);
        session.received(now, &setup, black_box(bytes), &mut output);
    }
    assert_eq!(output.commands.len() * LINE_BYTES, bytes.len());
}

fn render(times: u32) {
    let author = Author::Member(Who { member: MemberId::mint(0, 1), nick: "ann".into(), address: None });
    let event = Event::Said {
        room: lobby(),
        sequence: Sequence(1),
        author,
        text: text(),
        manner: Manner::Saying,
        signature: None,
    };
    let audience = Audience::Room(RoomNumber(1));
    let told = Told { position: Position(1), time: NOW, audience, event };
    let setup = setup();
    let mut bytes = Vec::new();
    for _ in 0..times {
        bytes.clear();
        PlainSession::render(Style::Chat, &setup, black_box(&told), &mut bytes);
    }
    assert_eq!(bytes.len(), "<ann> ".len() + LINE_BYTES);
}

// The hub.

/// A hub with so many visible members in the lobby.
struct Crowded {
    hub: Hub,
    told: Vec<Told>,
}

impl Crowded {
    fn new(members: u64) -> Crowded {
        let hub = Hub::new(Settings::new(RoomName::parse("lobby").expect("a name")));
        let mut crowded = Crowded { hub, told: Vec::new() };
        (1..=members).for_each(|number| crowded.enter(number));
        crowded
    }

    fn enter(&mut self, number: u64) {
        let member = MemberId::mint(0, number);
        self.ask(
            member,
            &Command::Connect {
                guest: number as u32,
                presence: Presence::Visible,
                address: None,
                nick: None,
                client: None,
            },
        );
        self.ask(member, &Command::Join { room: "lobby".into() });
    }

    fn ask(&mut self, member: MemberId, command: &Command) {
        let Ok(Proposal::Fact(fact)) = self.hub.propose(&Speaker::Member(member), black_box(command)) else {
            panic!("{command:?} is possible");
        };
        let record = Record { position: self.hub.position().next(), time: NOW, fact };
        self.told.clear();
        self.hub.apply(record, &mut self.told);
        black_box(&self.told);
    }

    fn commit(&mut self) {
        let reservation = self.hub.reservation([RoomNumber(1)]);
        self.hub.reserve(&reservation);
    }
}

fn say(times: u32) {
    let mut crowded = Crowded::new(1_000);
    let command = Command::Say { room: Place::Number(RoomNumber(1)), text: text(), nonce: None };
    for time in 0..times {
        if time.is_multiple_of(FACTS_PER_COMMIT) {
            crowded.commit();
        }
        crowded.ask(MemberId::mint(0, 1 + u64::from(time) % 1_000), &command);
    }
}

fn join(times: u32) {
    let mut crowded = Crowded::new(1_000);
    (1..=u64::from(times)).for_each(|number| crowded.enter(1_000 + number));
}

// The feed.

struct Room {
    feeds: Feeds,
    log: LogId,
    readers: Vec<ReaderId>,
    due: Vec<ReaderId>,
    position: u64,
}

impl Room {
    fn new(readers: usize) -> Room {
        let mut feeds = Feeds::new(Bounds::default(), Release::AtOnce);
        let log = feeds.open_log(0, 0);
        let readers: Vec<ReaderId> = (0..readers).map(|_| feeds.add_reader()).collect();
        for reader in &readers {
            feeds.begin(*reader, log);
        }
        Room { feeds, log, readers, due: Vec::new(), position: 0 }
    }

    fn say(&mut self, bytes: &[u8]) {
        self.position += 1;
        let (position, sequence) = (self.position, Some(self.position));
        let entry = Entry { position, sequence, author: Some(0), kind: Kind::Message };
        self.feeds.append(self.log, entry, black_box(bytes));
    }

    fn flush(&mut self) {
        self.feeds.take_due(&mut self.due);
        for reader in &self.due {
            while self.feeds.plan(*reader) == Plan::Bytes {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let count = self.feeds.slices(&mut slices);
                let bytes = black_box(&slices[..count]).iter().map(|slice| slice.len()).sum();
                self.feeds.taken(bytes);
            }
        }
        self.feeds.settle();
    }
}

fn append(times: u32) {
    let line = line();
    let mut room = Room::new(2);
    for time in 0..times {
        room.say(&line);
        room.feeds.detour(room.readers[0], room.log, Detour::StepOver);
        // So seldom that it does not show.
        if time.is_multiple_of(200) {
            room.flush();
        }
    }
}

fn flush(readers: usize, times: u32) {
    let line = line();
    let mut room = Room::new(readers);
    for _ in 0..times {
        room.say(&line);
        room.flush();
    }
    assert_eq!(room.feeds.kept_bytes(), 0, "everybody has read everything");
}

// All of it.

/// One desk and one shard, with sockets that take everything.
struct Server {
    desk: Desk,
    shard: Shard<PlainSession>,
    ids: Vec<ConnectionId>,
    due: Vec<ConnectionId>,
    now: Time,
}

impl Server {
    /// A server with so many visible members in the lobby.
    fn new(members: u32) -> Server {
        let setup = setup();
        let mut server = Server {
            desk: Desk::new(Hub::new(Settings::new(setup.home.clone())), 1),
            shard: Shard::new(0, setup, Limits::default(), Release::AtOnce),
            ids: Vec::new(),
            due: Vec::new(),
            now: NOW,
        };
        for guest in 1..=members {
            let id = server.shard.open(&arrival(guest));
            server.shard.received(server.now, id, b"/me waves\n");
            server.ids.push(id);
        }
        // They are let in, and then what they have said is heard.
        server.turn();
        server.turn();
        server
    }

    /// What was asked is decided, told and written.
    fn turn(&mut self) {
        for request in self.shard.requests() {
            assert!(self.desk.take(self.now, request).is_ok(), "the journal is never behind");
        }
        self.desk.chores(self.now);
        let (_, reservation) = self.desk.to_commit();
        self.desk.committed(self.desk.hub().position(), &reservation);
        if let Some(mail) = self.desk.mail(0) {
            self.shard.deliver(self.now, mail);
        }
        self.flush();
    }

    fn flush(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.shard.take_due(&mut due);
        for id in &due {
            while self.shard.plan(*id) == Due::Bytes {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let count = self.shard.slices(*id, &mut slices);
                let bytes = black_box(&slices[..count]).iter().map(|slice| slice.len()).sum();
                self.shard.taken(*id, bytes);
            }
        }
        self.shard.settle();
        self.due = due;
    }
}

/// So many people of 1,000 say a line in each turn.
fn talk(talkers: usize, times: u32) {
    let line = line();
    let mut server = Server::new(1_000);
    for _ in 0..times {
        for talker in 0..talkers {
            server.shard.received(server.now, server.ids[talker], black_box(&line));
        }
        server.turn();
        server.now = server.now.after_ms(MS_PER_TURN);
    }
    assert_eq!(server.shard.kept_bytes(), 0, "everybody has read everything");
}

fn newcomers(times: u32) {
    let mut server = Server::new(100);
    for guest in 0..times {
        let id = server.shard.open(&Arrival { now: server.now, ..arrival(1_000 + guest) });
        server.now = server.now.after_ms(dialect::plain::SILENCE_MS);
        server.shard.tick(server.now);
        server.turn();
        server.shard.received(server.now, id, b"hello\n");
        server.turn();
        server.shard.closed(id);
        server.turn();
    }
    assert_eq!(server.shard.connections(), 100);
}
