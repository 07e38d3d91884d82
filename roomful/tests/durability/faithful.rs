//! A client as `docs/protocol.md` wants it: it remembers what it read, comes back with that, and says again what was never
//! acknowledged. It checks whatever it hears: everything comes once, in order, and nothing is missing.

use crate::harness::{GUARD, JsonClient};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

/// What it knows, beyond any connection.
pub(crate) struct Faithful {
    pub(crate) nick: String,
    secret: Option<String>,
    epoch: Option<String>,
    pub(crate) rooms: BTreeMap<String, Log>,
    /// Not acknowledged yet, in the order in which it was said.
    pub(crate) unacknowledged: VecDeque<Saying>,
    /// What was acknowledged, and under which sequence.
    pub(crate) acknowledged: Vec<(Saying, u64)>,
    /// How much was acknowledged again because its first acknowledgement had not been read.
    pub(crate) repeated: usize,
    said: u64,
}

/// Something to be said, under a nonce that is used for nothing else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Saying {
    nonce: String,
    pub(crate) room: String,
    pub(crate) text: String,
}

/// What it knows of a room.
#[derive(Clone, Default, Debug)]
pub(crate) struct Log {
    /// What was there before it came in for the first time.
    pub(crate) began_behind: u64,
    upto: u64,
    /// How much it was told that turned out to be lost.
    pub(crate) undone: usize,
    pub(crate) entries: BTreeMap<u64, Entry>,
}

/// Something that happened in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    Said { nick: String, text: String },
    Lost { first: u64, last: u64 },
}

impl Entry {
    /// What an event says, live or on a page.
    pub(crate) fn of(event: &Value) -> Entry {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        match event["kind"].as_str() {
            Some("said") => Entry::Said { nick: text(&event["from"]["nick"]), text: text(&event["text"]) },
            Some("lost") => Entry::Lost { first: number(&event["first"]), last: number(&event["last"]) },
            _ => panic!("nobody did that: {event}"),
        }
    }
}

impl Log {
    /// Takes in what comes next.
    fn add(&mut self, sequence: u64, entry: Entry) {
        if let Entry::Lost { first, last } = entry {
            assert!(first <= self.upto + 1, "{entry:?} behind {}: something is missing", self.upto);
            assert_eq!(sequence, last + 1, "{entry:?}");
            // What was told and lost was never acknowledged; it has never been.
            self.undone += self.entries.split_off(&first).len();
        } else {
            assert_eq!(sequence, self.upto + 1, "{entry:?} comes behind {}", self.upto);
        }
        self.upto = sequence;
        self.entries.insert(sequence, entry);
    }
}

impl Faithful {
    pub(crate) fn new(nick: &str, rooms: &[&str]) -> Faithful {
        Faithful {
            nick: nick.to_owned(),
            secret: None,
            epoch: None,
            rooms: rooms.iter().map(|room| ((*room).to_owned(), Log::default())).collect(),
            unacknowledged: VecDeque::new(),
            acknowledged: Vec::new(),
            repeated: 0,
            said: 0,
        }
    }

    /// The hello with which it comes, or comes back.
    pub(crate) fn hello(&self) -> Value {
        let rooms: Vec<_> = self.rooms.keys().collect();
        let mut hello = json!({"type": "hello", "version": 1, "nick": self.nick, "rooms": rooms});
        if let Some(secret) = &self.secret {
            hello["resume"] = json!({"secret": secret, "epoch": self.epoch, "rooms": {}});
            for (room, log) in self.rooms.iter().filter(|(_, log)| log.upto > 0) {
                hello["resume"]["rooms"][room] = log.upto.into();
            }
        }
        hello
    }

    /// Says hello and again what was never acknowledged.
    pub(crate) fn comes(&self, connection: &JsonClient) -> io::Result<()> {
        connection.tries_to_send(format!("{}\n", self.hello()).as_bytes())?;
        for saying in &self.unacknowledged {
            connection.tries_to_send(saying.line().as_bytes())?;
        }
        Ok(())
    }

    /// Says something that nobody else says.
    pub(crate) fn says_something(&mut self, room: &str, connection: &JsonClient) -> io::Result<()> {
        let line = self.thinks_of_something(room).line();
        connection.tries_to_send(line.as_bytes())
    }

    /// The same, to be said later.
    pub(crate) fn thinks_of_something(&mut self, room: &str) -> &Saying {
        self.said += 1;
        let (nonce, text) = (self.said.to_string(), format!("{} {}", self.nick, self.said));
        self.unacknowledged.push_back(Saying { nonce, room: room.to_owned(), text });
        self.unacknowledged.back().expect("it was just put there")
    }

    /// Comes, and comes again if it is cut off, until this is so.
    pub(crate) fn stays_until(&mut self, address: SocketAddr, is_so: impl Fn(&Faithful) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < GUARD, "{} waits in vain", self.nick);
            let mut connection = JsonClient::connect_to(address).expect("the server accepts");
            self.comes(&connection).expect("the server takes what is sent");
            while !is_so(self)
                && let Some(object) = connection.object_or_end()
            {
                self.hears(&object);
            }
        }
    }

    /// Stays until everything that it said has been acknowledged.
    pub(crate) fn comes_to_rest(&mut self, address: SocketAddr) {
        self.stays_until(address, |me| me.unacknowledged.is_empty());
    }

    /// The last sequence of a room that it has been told of since it came in.
    pub(crate) fn knows(&self, room: &str) -> Option<u64> {
        self.rooms[room].entries.keys().last().copied()
    }

    /// Takes in what is heard.
    pub(crate) fn hears(&mut self, object: &Value) {
        match object["type"].as_str() {
            Some("welcome") => {
                assert_eq!(object["nick"], self.nick);
                self.secret = object["resume"]["secret"].as_str().map(str::to_owned);
                self.epoch = object["epoch"].as_str().map(str::to_owned);
            }
            Some("joined") => self.hears_where_it_is(object),
            Some("ack") => self.hears_acknowledgement(object),
            Some("event") if !object["sequence"].is_null() => {
                self.log(object).add(number(&object["sequence"]), Entry::of(object));
            }
            // A picture comes with a gap; what that hides is told all the same to who is being caught up.
            Some("event" | "bye" | "picture") => {}
            _ => panic!("{} did not expect {object}", self.nick),
        }
    }

    fn hears_where_it_is(&mut self, joined: &Value) {
        let log = self.log(joined);
        if log.upto == 0 {
            log.upto = number(&joined["sequence"]);
            log.began_behind = log.upto;
        } else {
            assert_eq!(joined["resumed"], true, "{joined}");
        }
    }

    fn hears_acknowledgement(&mut self, ack: &Value) {
        let sequence = number(&ack["sequence"]);
        let waiting = self.unacknowledged.iter().position(|saying| ack["nonce"] == saying.nonce);
        let waiting = waiting.unwrap_or_else(|| panic!("{} has had {ack} before", self.nick));
        let saying = self.unacknowledged.remove(waiting).expect("it was just found");
        assert_eq!(ack["room"], saying.room);
        let entry = Entry::Said { nick: self.nick.clone(), text: saying.text.clone() };
        let log = self.log(ack);
        if ack["repeated"] == true {
            assert_eq!(log.entries.get(&sequence), Some(&entry), "{ack}");
            self.repeated += 1;
        } else {
            log.add(sequence, entry);
        }
        self.acknowledged.push((saying, sequence));
    }

    fn log(&mut self, object: &Value) -> &mut Log {
        let log = object["room"].as_str().and_then(|room| self.rooms.get_mut(room));
        log.unwrap_or_else(|| panic!("of no room that anybody is in: {object}"))
    }
}

impl Saying {
    /// What is sent for it.
    pub(crate) fn line(&self) -> String {
        let Saying { nonce, room, text } = self;
        format!("{}\n", json!({"type": "say", "room": room, "text": text, "nonce": nonce}))
    }
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}
