//! A real hub behind a real desk, whose journal is killed at any moment: what comes back is what was committed, no number
//! means two things, and nothing is said twice under one nonce.

mod shared;

use engine::{Desk, Request};
use history::{Batch, Ended, Journal, Options, Reader};
use hub::{
    Client, ClientId, Command, Fact, Hub, Keeping, Kept, KeptKind, MemberId, Nonce, PageWanted, Party, Place,
    Position, Presence, Reservation, RoomName, RoomNumber, RoomRef, Sequence, Settings, Shape, Snapshot,
    Span, Speaker, Standing, Text, Time,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use shared::{Directory, model};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Step {
    /// Somebody comes, as a client or as a guest.
    Connect(u8, Option<u8>),
    Ask(u8, Command),
    /// Somebody changes, or erases, one of the last things that they said.
    Change(u8, usize, Option<Text>),
    /// What is kept is put into a batch.
    Collect,
    /// The oldest batch is written.
    Write,
    /// The same, from files as they are now.
    Kill,
    /// The server stops in order, and is started again.
    Stop,
}

const NICKS: [&str; 4] = ["ann", "bob", "carl", "dora"];
const ROOMS: [&str; 3] = ["lobby", "dev", "Dev-2"];

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..4_u8;
    let ask = (slot.clone(), command()).prop_map(|(slot, command)| Step::Ask(slot, command));
    prop_oneof![
        6 => (slot, proptest::option::weighted(0.8, 0..3_u8)).prop_map(|(slot, client)| Step::Connect(slot, client)),
        40 => ask,
        8 => (0..4_u8, 0..4_usize, proptest::option::weighted(0.7, text()))
            .prop_map(|(slot, back, text)| Step::Change(slot, back, text)),
        4 => Just(Step::Collect),
        4 => Just(Step::Write),
        1 => Just(Step::Kill),
        1 => Just(Step::Stop),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    "[a-z]{1,8}".prop_map(|raw| Text::new(&raw).unwrap())
}

fn command() -> impl Strategy<Value = Command> {
    let room = || proptest::sample::select(&ROOMS[..]).prop_map(|room| Place::Name(room.to_owned()));
    let nick = || proptest::sample::select(&NICKS[..]).prop_map(str::to_owned);
    let nonce =
        || proptest::option::of((0..6_u8).prop_map(|nonce| Nonce::new(&format!("n{nonce}")).unwrap()));
    let target = || (1..8_u64).prop_map(Sequence);
    prop_oneof![
        4 => room().prop_map(|room| Command::Join { room: name(&room) }),
        1 => room().prop_map(|room| Command::Leave { room }),
        6 => (room(), text(), nonce()).prop_map(|(room, text, nonce)| Command::Say { room, text, nonce }),
        2 => (room(), text(), nonce()).prop_map(|(room, text, nonce)| Command::Act { room, text, nonce }),
        3 => (nick(), text(), nonce()).prop_map(|(to, text, nonce)| Command::Direct { to, text, nonce }),
        2 => (room(), "[a-z]{0,5}", nonce())
            .prop_map(|(room, topic, nonce)| Command::SetTopic { room, topic, nonce }),
        3 => (room(), target(), text(), nonce())
            .prop_map(|(room, target, text, nonce)| Command::Edit { room, target, text, nonce }),
        2 => (room(), target(), nonce()).prop_map(|(room, target, nonce)| {
            Command::Redact { room, target, reason: "x".into(), nonce }
        }),
        2 => Just(Command::Quit { reason: String::new() }),
    ]
}

fn name(place: &Place) -> String {
    match place {
        Place::Name(name) => name.clone(),
        Place::Number(number) => number.to_string(),
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new(RoomName::parse("lobby").unwrap());
    settings.keeping = Keeping::History;
    settings
}

/// A server without sockets, and everything that it ever said.
struct World {
    directory: Directory,
    journal: Journal,
    reader: Reader,
    desk: Desk,
    now: Time,
    members: BTreeMap<u8, (MemberId, Option<ClientId>)>,
    minted: u64,
    /// With the hub that each leaves behind.
    unwritten: Vec<(Arc<Batch>, Hub)>,
    kept: Vec<Kept>,
    written: usize,
    durable: Hub,
    reservation: Reservation,
    seen: BTreeSet<(RoomNumber, Sequence)>,
}

impl World {
    fn begin() -> World {
        let directory = Directory::new();
        let (journal, _) = Journal::open(directory.path(), &Options::default()).unwrap();
        let hub = Hub::new(settings());
        let mut world = World {
            reader: Reader::open(directory.path()).unwrap(),
            directory,
            journal,
            desk: Desk::new(hub.clone(), 1),
            now: Time(1),
            members: BTreeMap::new(),
            minted: 0,
            unwritten: Vec::new(),
            kept: Vec::new(),
            written: 0,
            durable: hub,
            reservation: Reservation { next_room: RoomNumber(1), ..Reservation::default() },
            seen: BTreeSet::new(),
        };
        world.state_losses();
        world
    }

    fn step(&mut self, step: &Step) {
        self.now = self.now.after_ms(1);
        match step {
            Step::Connect(slot, client) => self.connect(*slot, *client),
            Step::Ask(slot, command) => {
                if let Some((member, _)) = self.members.get(slot) {
                    self.ask(*member, command.clone());
                }
            }
            Step::Change(slot, back, text) => self.change(*slot, *back, text.clone()),
            Step::Collect => self.collect(),
            Step::Write => self.write(),
            Step::Kill => self.kill(),
            Step::Stop => self.stop(),
        }
        self.desk.chores(self.now);
    }

    fn connect(&mut self, slot: u8, client: Option<u8>) {
        if let Some((other, _)) = self.members.remove(&slot) {
            self.ask(other, Command::Quit { reason: String::new() });
        }
        self.minted += 1;
        let member = MemberId::mint(0, self.minted);
        let client =
            client.map(|client| Client { id: ClientId([client; 16]), standing: Standing::Returning });
        let nick = Some(NICKS[slot as usize].to_owned());
        let (presence, guest, address) = (Presence::Visible, 1, None);
        self.ask(member, Command::Connect { guest, presence, address, nick, client });
        self.members.insert(slot, (member, client.map(|client| client.id)));
        self.ask(member, Command::Join { room: ROOMS[0].into() });
    }

    fn change(&mut self, slot: u8, back: usize, text: Option<Text>) {
        let Some((member, client)) = self.members.get(&slot).copied() else { return };
        self.collect();
        let is_own = |kept: &&Kept| {
            let by = kept.record.fact.signature().map(|signed| signed.client);
            matches!(kept.record.fact, Fact::Said { .. } | Fact::Directed { .. })
                && by.is_some()
                && by == client
        };
        let Some(kept) = self.kept.iter().rev().filter(is_own).nth(back) else { return };
        let (room, target, nonce) = (Place::Number(kept.room), kept.sequence, None);
        self.ask(
            member,
            match text {
                Some(text) => Command::Edit { room, target, text, nonce },
                None => Command::Redact { room, target, reason: String::new(), nonce },
            },
        );
    }

    /// Asks, looks up what is needed, and asks again.
    fn ask(&mut self, member: MemberId, command: Command) {
        let request = Request { shard: 0, speaker: Speaker::Member(member), command, known: None };
        self.take(request);
        let lookups: Vec<_> = self.desk.lookups().collect();
        for (mut request, lookup) in lookups {
            // What is not collected yet cannot be looked up.
            self.collect();
            let unwritten: Vec<_> = self.unwritten.iter().map(|(batch, _)| batch.clone()).collect();
            request.known = Some(self.reader.look_up(lookup, &unwritten).unwrap());
            self.take(request);
        }
    }

    fn take(&mut self, request: Request) {
        if let Err(request) = self.desk.take(self.now, request) {
            self.collect();
            while !self.unwritten.is_empty() {
                self.write();
            }
            self.desk.take(self.now, *request).unwrap();
        }
    }

    fn collect(&mut self) {
        if !self.desk.wants_commit() {
            return;
        }
        let (kept, reservation) = self.desk.to_commit();
        for fact in &kept {
            self.see(fact);
        }
        self.kept.extend(kept.iter().cloned());
        let position = self.desk.hub().position();
        let batch = Batch { kept, reservation, position };
        self.unwritten.push((Arc::new(batch), self.desk.hub().clone()));
    }

    fn see(&mut self, fact: &Kept) {
        let is_new = fact.sequence.0 == 0 || self.seen.insert((fact.room, fact.sequence));
        assert!(is_new, "{fact:?} has the number of another");
    }

    fn write(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let (batch, hub) = self.unwritten.remove(0);
        self.journal.commit(&batch).unwrap();
        self.desk.committed(batch.position, &batch.reservation);
        self.written += batch.kept.len();
        self.durable = hub;
        let reservation = &mut self.reservation;
        reservation.position = reservation.position.max(batch.reservation.position);
        reservation.next_room = reservation.next_room.max(batch.reservation.next_room);
        for (room, sequence) in &batch.reservation.sequences {
            let reserved = reservation.sequences.entry(*room).or_default();
            *reserved = (*reserved).max(*sequence);
        }
    }

    fn kill(&mut self) {
        // What nobody has written, people have seen all the same.
        let (unkept, _) = self.desk.to_commit();
        for fact in &unkept {
            self.see(fact);
        }
        self.unwritten.clear();
        self.kept.truncate(self.written);
        self.directory = self.directory.as_killed();
        self.start(Ended::Abruptly);
    }

    fn stop(&mut self) {
        self.collect();
        while !self.unwritten.is_empty() {
            self.write();
        }
        self.durable = self.desk.hub().clone();
        self.reservation = self.desk.hub().exact_reservation();
        let other = Directory::new();
        let (journal, _) = Journal::open(other.path(), &Options::default()).unwrap();
        std::mem::replace(&mut self.journal, journal).finish(&self.reservation).unwrap();
        self.start(Ended::Cleanly);
    }

    /// Starts the server on the directory, and compares what comes back with what was there.
    fn start(&mut self, ended: Ended) {
        let (journal, restored) = Journal::open(self.directory.path(), &Options::default()).unwrap();
        assert_eq!(restored.ended, ended);
        let mut hub = Hub::restore(settings(), &restored.snapshot);
        hub.recover(&restored.reservation);
        let mut expected = self.durable.clone();
        let open: BTreeSet<RoomNumber> = expected.snapshot().rooms.iter().map(|room| room.number).collect();
        self.reservation.sequences.retain(|room, _| open.contains(room));
        expected.recover(&self.reservation);
        assert_eq!(restored.reservation, self.reservation);
        assert_eq!(hub.snapshot(), without_guests(expected.snapshot()));
        self.journal = journal;
        self.reader = Reader::open(self.directory.path()).unwrap();
        self.desk = Desk::new(hub, 1);
        self.members.clear();
        // The same ids again: they are somebody else's now.
        self.minted = 0;
        self.state_losses();
    }

    fn state_losses(&mut self) {
        for loss in self.desk.hub().losses(&self.reservation) {
            self.desk.state(self.now, loss);
        }
        self.desk.chores(self.now);
        self.collect();
        self.write();
    }

    /// Whether every room's log is what was kept, and no nonce stands for two things.
    fn check(&mut self) {
        self.collect();
        let unwritten: Vec<_> = self.unwritten.iter().map(|(batch, _)| batch.clone()).collect();
        for room in self.desk.hub().snapshot().rooms {
            let room = RoomRef { number: room.number, name: "room".into() };
            let (upto, span, shape) = (Sequence(1 << 40), Span::Latest, Shape::Facts);
            let wanted = PageWanted { room, upto, span, lines_max: 10_000, shape };
            let page = self.reader.page(&wanted, &unwritten).unwrap();
            assert_eq!(page, model::page(&self.kept, &wanted));
        }
        let mut nonces = BTreeMap::new();
        for kept in &self.kept {
            let Some(signed) = kept.record.fact.signature() else { continue };
            let Some(nonce) = &signed.nonce else { continue };
            let before = nonces.insert((signed.client, nonce.clone()), kept);
            assert!(before.is_none(), "{kept:?} was said before as {before:?}");
        }
        assert!(self.kept.is_sorted_by_key(|kept| kept.record.position));
        assert!(self.kept.iter().all(|kept| kept.record.position > Position(0)));
    }
}

/// Guests of the last run are nobody any more, and nothing says which of two stood first.
fn without_guests(mut snapshot: Snapshot) -> Snapshot {
    for room in &mut snapshot.rooms {
        if let KeptKind::Conversation(parties, _) = &mut room.kind {
            for party in parties {
                if matches!(party, Party::Guest(_)) {
                    *party = Party::Past(room.number);
                }
            }
        }
    }
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_back_is_what_was_committed(steps in proptest::collection::vec(step(), 0..200)) {
        let mut world = World::begin();
        for step in &steps {
            world.step(step);
        }
        world.check();
        world.kill();
        world.check();
        world.stop();
        world.check();
    }
}

/// So that the property above is one of something: most of what can happen does.
#[test]
fn steps_lead_to_conversations_changes_and_losses() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    for _ in 0..8 {
        let steps = proptest::collection::vec(step(), 200).new_tree(&mut runner).unwrap().current();
        let mut world = World::begin();
        for step in &steps {
            world.step(step);
        }
        world.collect();
        let words = world.kept.iter().map(|kept| format!("{:?}", kept.record.fact));
        kinds.extend(words.map(|word| word.split([' ', '{']).next().unwrap_or_default().to_owned()));
    }
    let expected =
        ["Closed", "Directed", "Edited", "Lost", "Opened", "Redacted", "RoomsLost", "Said", "TopicSet"];
    assert!(kinds.iter().map(String::as_str).eq(expected), "{kinds:?}");
}
