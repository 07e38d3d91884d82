//! A simulated world: the real desk and shards, with a network, a store and a clock that obey one seed.
//!
//! Where it stands: in the place of `server`, whose loops it does in small steps of its own choice: read, post requests,
//! let the desk take some, post mail, deliver some, write, commit. Between any two of them anything else may happen.
//!
//! What this file must never do: anything that the seed does not decide, or drive the engine in a way that its contract
//! forbids.

mod backend;
mod ending;
mod past;
mod wires;

use crate::Report;
use crate::device::{Device, HearsEarly};
use crate::oracle::Oracle;
use crate::people::{Person, Typed};
use crate::reader::Rules;
use crate::session::{Kind, Rendition, SimSession};
use crate::store::Store;
use crate::trace::Trace;
use crate::weather::Weather;
use dialect::{ByOrigin, Setup};
use engine::{ConnectionId, Desk, Journal, Mail, Release, Request, Shard};
use fastrand::Rng;
use hub::{Hub, Lookup, MemberId, Position, Reading, Time};
use std::collections::{BTreeMap, VecDeque};

/// When the simulated clock begins, in milliseconds.
const BEGINNING_MS: u64 = 1_000_000;
/// Makes of a seed the one that panics are drawn from. Chosen so that none panics in the worlds of the seeds that are kept
/// because they found something: they are still the worlds that found it.
const SABOTAGE: u64 = 26_000;
/// Likewise for how fast people may send: in those worlds, as fast as anybody can.
const HASTE: u64 = 0x28cf_98c1_d63e_f1ca;
/// Likewise for what is remembered: in those worlds, nothing. The numbers are stirred, because they differ in little.
const MEMORY: u64 = 0x89c7_d873_eccb_5af7;
const STIRRING: u64 = 0x9e37_79b9_7f4a_7c15;
/// The end of a step: what is wrong, if something is.
pub(crate) type Outcome = Result<(), String>;

pub(crate) struct World {
    random: Rng,
    /// Decides whose session panics, and when.
    sabotage: Rng,
    /// Decides what is answered about the past, and when.
    memory: Rng,
    weather: Weather,
    setup: Setup,
    now: Time,
    desk: Desk,
    journal: Journal,
    /// Given back by the desk: brought again after the next commit.
    given_back: Option<Request>,
    shards: Vec<Shard<SimSession>>,
    lanes: Vec<Lane>,
    people: Vec<Person>,
    persons: BTreeMap<MemberId, usize>,
    links: Vec<Option<Link>>,
    store: Store,
    /// What the store has been asked and has not answered.
    questions: VecDeque<Question>,
    /// Requests for which something was looked up, on their way back to the desk.
    found: VecDeque<Request>,
    /// Bytes that ever went in or out.
    bytes_moved: u64,
    /// Nothing is in the way of anything any more.
    is_calm: bool,
    oracle: Oracle,
    pub(crate) trace: Trace,
    pub(crate) report: Report,
}

/// What is under way between the desk and one shard, and whose the shard's connections are.
#[derive(Default)]
struct Lane {
    requests: VecDeque<Request>,
    mails: VecDeque<Mail>,
    /// What the last mail said.
    durable: Position,
    /// The shard has been told of everything up to here.
    delivered: Position,
    /// And that nothing can be written down.
    is_in_trouble: bool,
    /// By the connection's index.
    owners: Vec<Option<usize>>,
}

/// Something that the store has been asked.
#[derive(Debug)]
enum Question {
    Reading(Reading),
    Lookup(Request, Lookup),
}

/// A connection and its socket.
struct Link {
    shard: usize,
    id: ConnectionId,
    member: MemberId,
    kind: Kind,
    /// On its way to the server.
    up: VecDeque<u8>,
    /// Whether more can come.
    typing: Typing,
    unasked: Unasked,
    /// Whether the server watches for bytes.
    is_read: bool,
    /// What the socket still takes.
    room: usize,
    /// The last write was short.
    is_blocked: bool,
    is_stalled: bool,
}

/// What was typed to be said and has not been asked yet.
struct Unasked {
    labels: VecDeque<String>,
    /// Whether some of it may never be asked, because its speaker was nowhere.
    may_drop: bool,
}

impl Unasked {
    /// Something is asked: it was typed, and nothing that was typed before it is left out.
    fn ask(&mut self, label: &str) -> Outcome {
        while let Some(typed) = self.labels.pop_front() {
            if typed == label {
                return Ok(());
            }
            if !self.may_drop {
                return Err(format!("{typed} was typed, but asked is {label}"));
            }
        }
        Err(format!("{label} is asked and was not typed, or not now"))
    }

    /// Nothing more will be asked.
    fn finish(&self) -> Outcome {
        match self.labels.front() {
            Some(label) if !self.may_drop => Err(format!("{label} was typed and never asked")),
            _ => Ok(()),
        }
    }
}

/// Whether somebody can still type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typing {
    GoesOn,
    /// The last byte is on its way.
    HungUp,
    /// The server knows.
    Ended,
}

/// How a step treats what waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    AtRandom,
    /// All of it.
    Everything,
}

impl World {
    pub(crate) fn new(seed: u64, trace: Trace) -> World {
        let mut random = Rng::with_seed(seed);
        let mut sabotage = Rng::with_seed(seed ^ SABOTAGE);
        let mut haste = Rng::with_seed(seed ^ HASTE);
        let mut memory = Rng::with_seed((seed ^ MEMORY).wrapping_mul(STIRRING));
        let weather = Weather::draw(&mut random, &mut sabotage, &mut haste, &mut memory);
        let lines_per_second = ByOrigin { local: weather.lines_per_second, remote: weather.lines_per_second };
        let keeping = weather.settings.keeping;
        let setup = Setup {
            lines_per_second,
            keeping,
            replay_lines: weather.replay_lines,
            ..Setup::new(weather.settings.home.clone())
        };
        let rules = Rules {
            is_strict: weather.release == Release::WhenDurable,
            never_lags: weather.never_lags,
            never_fails: weather.failures == 0,
        };
        let oracle = Oracle::new(setup.clone(), &weather.settings, rules);
        let desk = Desk::new(Hub::new(weather.settings.clone()), weather.shards.into());
        let mut world = World {
            random,
            sabotage,
            people: people(&weather, &mut memory),
            memory,
            setup,
            now: Time(BEGINNING_MS),
            desk,
            journal: Journal::Working,
            given_back: None,
            shards: Vec::new(),
            lanes: Vec::new(),
            persons: BTreeMap::new(),
            links: (0..weather.people).map(|_| None).collect(),
            store: Store::default(),
            questions: VecDeque::new(),
            found: VecDeque::new(),
            bytes_moved: 0,
            is_calm: false,
            oracle,
            trace,
            report: Report::default(),
            weather,
        };
        world.trace.note(|| format!("{:?}", world.weather));
        world.open_shards();
        world
    }

    /// A life from the first commit to the last goodbye.
    pub(crate) fn run(&mut self) -> Outcome {
        // Numbers are reserved before anybody is let in.
        self.commit_now()?;
        while self.report.steps < self.weather.steps {
            self.step()?;
            self.report.steps += 1;
        }
        self.trace.note(|| "everything flows".into());
        self.calm()?;
        self.check_readers()?;
        self.check_logs()?;
        self.check_hub()?;
        self.check_devices()?;
        self.everybody_leaves()?;
        self.calm()?;
        self.check_emptiness()?;
        self.store.check_numbers()?;
        self.gather()
    }

    fn open_shards(&mut self) {
        let Weather { limits, release, shards, .. } = self.weather;
        let open = |index| Shard::new(index, self.setup.clone(), limits, release);
        self.shards = (0..shards).map(open).collect();
        self.lanes = (0..shards).map(|_| Lane::default()).collect();
    }

    fn chance(&mut self, out_of: u32, chances: u32) -> bool {
        self.random.u32(..out_of) < chances
    }

    fn any_shard(&mut self) -> usize {
        self.random.usize(..self.shards.len())
    }

    // Steps.

    fn step(&mut self) -> Outcome {
        if self.chance(1_000_000, self.weather.crashes) {
            return self.crash();
        }
        if self.memory.u32(..1_000_000) < self.weather.stops {
            return self.stop();
        }
        self.recall()?;
        if self.chance(1000, self.weather.resets) {
            let person = self.any_person();
            return self.reset(person);
        }
        if self.chance(1000, self.weather.stalls) {
            self.stall_somebody();
        }
        match self.random.u32(..100) {
            0..22 => self.somebody_acts(),
            22..42 => self.somebody_is_read(),
            42..58 => self.desk_turn(Pace::AtRandom),
            58..72 => {
                let shard = self.any_shard();
                self.deliver(shard, Pace::AtRandom)
            }
            72..84 => {
                let shard = self.any_shard();
                self.shard_turn(shard)
            }
            84..92 => {
                self.somebody_reads();
                Ok(())
            }
            92..96 => self.store_turn(),
            _ => {
                let ms = if self.chance(20, 1) { 1500 } else { self.random.u64(..30) };
                self.pass_time(ms)
            }
        }
    }

    fn any_person(&mut self) -> usize {
        self.random.usize(..self.people.len())
    }

    fn somebody_acts(&mut self) -> Outcome {
        let person = self.any_person();
        let Some(link) = &self.links[person] else { return self.connect(person) };
        if link.typing != Typing::GoesOn {
            return Ok(());
        }
        if self.random.u32(..300) == 0 {
            self.hang_up(person);
            return Ok(());
        }
        let others: Vec<String> = (0..3)
            .map(|_| {
                let other = self.any_person();
                self.people[other].nick.clone()
            })
            .collect();
        let Some(link) = &self.links[person] else { return Ok(()) };
        let typed = self.people[person].type_lines(link.kind, &others, &self.weather, &mut self.random);
        self.type_in(person, typed);
        self.sabotage(person);
        Ok(())
    }

    /// Perhaps a session is made to panic at one of its next calls.
    fn sabotage(&mut self, person: usize) {
        let Some(link) = &self.links[person] else { return };
        if link.kind.rendition != Rendition::Plain && self.sabotage.u32(..1000) < self.weather.panics {
            let calls = self.sabotage.u32(..20);
            self.type_in(person, Typed { bytes: format!("panic {calls}\n").into(), ..Typed::default() });
        }
    }

    // Time.

    fn pass_time(&mut self, ms: u64) -> Outcome {
        self.now = self.now.after_ms(ms);
        self.trace.note(|| format!("it is {}", self.now.0));
        for shard in 0..self.shards.len() {
            self.shards[shard].tick(self.now);
            self.post_requests(shard)?;
            self.resume(shard);
            self.close_broken(shard)?;
        }
        Ok(())
    }

    // Counting.

    /// The connection of a member is gone.
    fn gather_reader(&mut self, member: MemberId) -> Outcome {
        if let Some(reader) = self.oracle.remove_reader(member) {
            self.report.add_reader(&reader.counts);
            let person = self.persons.get(&member).map(|person| &mut self.people[*person]);
            if let Some(device) = person.and_then(|person| person.device.as_mut()) {
                device.was_owed(reader.unshown_receipts());
            }
        }
        match self.persons.get(&member).copied() {
            Some(person) => self.disconnect_device(person),
            None => Ok(()),
        }
    }

    fn gather(&mut self) -> Outcome {
        for link in std::mem::take(&mut self.links).into_iter().flatten() {
            self.gather_reader(link.member)?;
        }
        for device in self.people.iter().filter_map(|person| person.device.as_ref()) {
            self.report.add_device(&device.counts);
        }
        self.report.told = self.oracle.told_count;
        self.report.given_back = self.oracle.given_back;
        self.report.unwritten = self.oracle.unwritten;
        Ok(())
    }
}

/// Some of them have clients, and some of those share one: then all who do have its secret from the start.
fn people(weather: &Weather, memory: &mut Rng) -> Vec<Person> {
    let mut draw = |index: usize| {
        let is_shared = memory.u32(..100) < weather.sharing && index > 0;
        let client = index as u64 - u64::from(is_shared);
        (memory.u32(..100) < weather.clients).then_some((client, is_shared))
    };
    let drawn: Vec<Option<(u64, bool)>> = (0..weather.people).map(&mut draw).collect();
    let is_trouble_told_early = weather.release == Release::WhenDurable && weather.failures > 0;
    let hears_early = if is_trouble_told_early { HearsEarly::InTrouble } else { HearsEarly::Never };
    let is_somebodys = |client: u64| drawn.iter().flatten().any(|found| *found == (client, true));
    let device = |(client, _): (u64, bool)| {
        let device = if is_somebodys(client) { Device::sharing(client) } else { Device::new(client) };
        device.hearing_early(hears_early)
    };
    drawn.iter().enumerate().map(|(index, drawn)| Person::new(index, drawn.map(device))).collect()
}
