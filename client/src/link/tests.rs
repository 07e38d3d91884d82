//! The link against a model of a server that breaks off anywhere, crashes, acknowledges late, skips, refuses for the moment, and
//! begins another history.

mod hello;
mod server;

use super::*;
use proptest::prelude::*;
use serde_json::Value;
use server::{Acknowledging, Server};
use std::collections::{BTreeMap, BTreeSet};

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    /// We say so many things.
    Ask(usize),
    /// Others do.
    Others(usize),
    /// So many bytes travel: to the server, and from it.
    Flow(usize, usize),
    /// The server writes down what was said.
    Commit,
    /// It tells what others say before our acknowledgements, or not.
    Acknowledge(Acknowledging),
    /// It jumps over what we have not been sent.
    Skip,
    /// It cannot write, and refuses what is said.
    Trouble,
    /// The connection breaks.
    Break,
    /// The server loses what it has not written, and starts again.
    Crash,
    /// It starts again with nothing.
    Wipe,
    /// So many milliseconds pass.
    Time(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..40_usize).prop_map(Step::Ask),
        1 => (400..800_usize).prop_map(Step::Ask),
        4 => (1..10_usize).prop_map(Step::Others),
        8 => (0..4000_usize, 0..4000_usize).prop_map(|(up, down)| Step::Flow(up, down)),
        6 => Just(Step::Flow(usize::MAX, usize::MAX)),
        5 => Just(Step::Commit),
        2 => prop_oneof![Just(Acknowledging::InPlace), Just(Acknowledging::Late)].prop_map(Step::Acknowledge),
        1 => Just(Step::Skip),
        1 => Just(Step::Trouble),
        2 => Just(Step::Break),
        2 => Just(Step::Crash),
        6 => (1..3000_u64).prop_map(Step::Time),
    ]
}

/// The link, the server, and all that is known about what should have happened.
struct World {
    link: Link,
    server: Server,
    now: Duration,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    is_open: bool,
    has_read_welcome: bool,
    /// What was asked for, in order: nonce and text.
    asked: Vec<(String, String)>,
    acknowledged: BTreeSet<String>,
    /// Sent on this connection and not acknowledged on it.
    on_their_way: BTreeSet<String>,
    /// The last sequence that was told as an event.
    last_told: u64,
    /// What was told, by its sequence.
    told: BTreeMap<u64, String>,
    passed_over: BTreeSet<u64>,
    began_behind: u64,
    epochs: u32,
}

impl World {
    fn new() -> World {
        let (nick, rooms) = (Some("ann".to_owned()), vec!["dev".to_owned()]);
        let wanted = Wanted { nick, rooms, persistence: Persistence::Always, ..Wanted::default() };
        let mut link = Link::new(wanted, 7);
        link.start();
        let mut world = World {
            link,
            server: Server::new(),
            now: Duration::ZERO,
            to_server: Vec::new(),
            to_client: Vec::new(),
            is_open: false,
            has_read_welcome: false,
            asked: Vec::new(),
            acknowledged: BTreeSet::new(),
            on_their_way: BTreeSet::new(),
            last_told: 0,
            told: BTreeMap::new(),
            passed_over: BTreeSet::new(),
            began_behind: 0,
            epochs: 0,
        };
        world.settle();
        world
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Ask(count) => (0..*count).for_each(|_| self.ask()),
            Step::Others(count) => (0..*count).for_each(|_| self.server.others_say()),
            Step::Flow(up, down) => self.flow(*up, *down),
            Step::Commit => self.server.commit(),
            Step::Acknowledge(acknowledging) => self.server.acknowledging = *acknowledging,
            Step::Skip => self.passed_over.extend(self.server.skip()),
            // It ends when all refusals have been read.
            Step::Trouble => self.server.is_in_trouble = true,
            Step::Break => self.cut(),
            Step::Crash => {
                self.cut();
                self.server.crash();
            }
            Step::Wipe => {
                self.cut();
                self.passed_over.clear();
                self.server.wipe();
            }
            Step::Time(ms) => {
                self.now += Duration::from_millis(*ms);
                self.link.tick(self.now);
            }
        }
        self.settle();
    }

    fn ask(&mut self) {
        let text = format!("ann {}", self.asked.len());
        let nonce = self.link.request(Request::Say { room: "dev".to_owned(), text: text.clone() });
        self.asked.push((nonce, text));
    }

    fn cut(&mut self) {
        if self.is_open {
            self.is_open = false;
            self.server.disconnected();
            self.link.disconnected(self.now, Failure::Closed);
        }
        self.to_server.clear();
        self.to_client.clear();
    }

    fn flow(&mut self, up: usize, down: usize) {
        // What was on its way when the server could write again would be said before what was refused: nobody could help that.
        if self.to_server.is_empty() && self.to_client.is_empty() && self.server.has_told_all() {
            self.server.can_write_again();
        }
        let up: Vec<u8> = self.to_server.drain(..up.min(self.to_server.len())).collect();
        self.server.received(&up);
        self.to_client.extend(self.server.take_told());
        let down: Vec<u8> = self.to_client.drain(..down.min(self.to_client.len())).collect();
        if self.is_open {
            self.link.received(self.now, &down);
            self.has_read_welcome |= *self.link.state() == State::Online;
        }
    }

    /// Does what the link wants done.
    fn settle(&mut self) {
        while let Some(output) = self.link.poll() {
            match output {
                Output::Connect => self.connect(),
                Output::Send(bytes) => self.sent(&bytes),
                Output::Close => self.cut(),
                Output::Told(answer) => self.told(answer),
                Output::Unanswered(nonce) => panic!("{nonce} has to be kept"),
                Output::State => {
                    assert!(!matches!(self.link.state(), State::Over(_)), "{:?}", self.link.state());
                }
            }
        }
    }

    fn connect(&mut self) {
        self.cut();
        self.is_open = true;
        self.has_read_welcome = false;
        self.on_their_way.clear();
        self.server.connected();
        self.link.connected(self.now);
    }

    fn sent(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let request: Value = serde_json::from_slice(line).unwrap();
            let is_hello = request["type"] == "hello";
            assert_eq!(is_hello, !self.has_read_welcome, "nothing but a hello before welcome: {request}");
            if request["type"] == "say" {
                let nonce = request["nonce"].as_str().unwrap().to_owned();
                assert!(!self.acknowledged.contains(&nonce), "that is acknowledged: {request}");
                self.on_their_way.insert(nonce);
            }
        }
        assert!(self.on_their_way.len() <= 500, "{} on their way", self.on_their_way.len());
        self.to_server.extend_from_slice(bytes);
    }

    fn told(&mut self, answer: Answer) {
        match answer {
            Answer::Joined(picture) if !picture.resumed => {
                self.epochs += 1;
                (self.last_told, self.began_behind) = (picture.sequence, picture.sequence);
                self.told.clear();
                // What was passed over behind it may have been so before it was read.
                self.passed_over.retain(|sequence| *sequence > picture.sequence);
            }
            Answer::Ack(ack) => {
                let nonce = ack.nonce.unwrap();
                self.on_their_way.remove(&nonce);
                assert!(self.acknowledged.insert(nonce.clone()), "{nonce} was acknowledged before");
            }
            Answer::Event(event) => self.heard(&event),
            Answer::Refusal(refusal) => panic!("{refusal:?} is not for its user"),
            _ => {}
        }
    }

    fn heard(&mut self, event: &Event) {
        let sequence = event.sequence.unwrap();
        assert!(sequence > self.last_told, "{sequence} behind {}", self.last_told);
        self.last_told = sequence;
        match &event.what {
            wire::Happening::Said { text, .. } => {
                drop(self.told.insert(sequence, text.formatted().to_owned()));
            }
            // What had been told is not so.
            wire::Happening::Lost { first, .. } => drop(self.told.split_off(first)),
            what => panic!("{what:?}"),
        }
    }

    /// From now on nothing goes wrong.
    fn come_to_rest(&mut self) {
        self.server.acknowledging = Acknowledging::InPlace;
        for _ in 0..400 {
            if self.is_at_rest() {
                break;
            }
            self.flow(usize::MAX, usize::MAX);
            self.settle();
            self.server.commit();
            self.now += Duration::from_millis(500);
            self.link.tick(self.now);
            self.settle();
        }
        assert_eq!(self.link.unacknowledged(), 0, "{:?}", self.link.state());
        assert_eq!(self.acknowledged.len(), self.asked.len());
    }

    fn is_at_rest(&self) -> bool {
        let has_arrived =
            self.to_server.is_empty() && self.to_client.is_empty() && self.server.has_told_all();
        self.link.state == State::Online && self.link.unacknowledged() == 0 && has_arrived
    }

    /// What was asked for is in the log once and in order, and what others said was told, but for what was passed over.
    fn check(&self) {
        let own: Vec<&str> =
            self.server.texts().filter(|(_, text)| text.starts_with("ann ")).map(|(_, text)| text).collect();
        let asked: Vec<&str> = self.asked.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(own, asked);
        self.check_told();
    }

    fn check_told(&self) {
        for (sequence, text) in self.server.texts().filter(|(sequence, _)| *sequence > self.began_behind) {
            let told = self.told.get(&sequence).map(String::as_str);
            let may_be_untold = self.passed_over.contains(&sequence) || text.starts_with("ann ");
            assert!(
                told == Some(text) || (told.is_none() && may_be_untold),
                "{sequence}: {text:?}, not {told:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn everything_is_said_once_and_in_order_and_told_once_and_in_order(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.come_to_rest();
        world.check();
        prop_assert_eq!(world.epochs, 1);
    }

    #[test]
    fn with_another_history_everything_is_still_acknowledged_once(
        before in prop::collection::vec(step(), 1..20),
        after in prop::collection::vec(step(), 1..20),
    ) {
        let mut world = World::new();
        for step in &before {
            world.take(step);
        }
        world.take(&Step::Wipe);
        for step in &after {
            world.take(step);
        }
        world.come_to_rest();
        world.check_told();
    }
}
