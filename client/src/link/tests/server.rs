//! A model of a server, as `docs/protocol.md` has it, with one room and one client.

use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// A client's last nonces are remembered.
const NONCES_MAX: usize = 1000;
/// Sequences are reserved ahead: a crash takes some that nobody had.
const RESERVED_AHEAD: u64 = 3;

/// When an acknowledgement is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Acknowledging {
    /// Where it belongs: what is behind it waits.
    InPlace,
    /// When it is durable: what others said goes before.
    Late,
}

enum Fact {
    Said(String),
    Lost { first: u64, last: u64 },
}

/// Something that the client is to be told.
enum Item {
    Event(u64),
    Ack { sequence: u64, nonce: String, is_repeated: bool },
    Line(Value),
}

pub(super) struct Server {
    epoch: u32,
    log: BTreeMap<u64, Fact>,
    last: u64,
    durable: u64,
    nonces: VecDeque<(String, u64)>,
    others: u32,
    pub(super) acknowledging: Acknowledging,
    pub(super) is_in_trouble: bool,
    // Of the connection.
    is_in: bool,
    begun: Vec<u8>,
    untold: VecDeque<Item>,
}

impl Server {
    pub(super) fn new() -> Server {
        Server {
            epoch: 1,
            log: BTreeMap::new(),
            last: 0,
            durable: 0,
            nonces: VecDeque::new(),
            others: 0,
            acknowledging: Acknowledging::InPlace,
            is_in_trouble: false,
            is_in: false,
            begun: Vec::new(),
            untold: VecDeque::new(),
        }
    }

    /// What is in the log in the end.
    pub(super) fn texts(&self) -> impl Iterator<Item = (u64, &str)> {
        self.log.iter().filter_map(|(sequence, fact)| match fact {
            Fact::Said(text) => Some((*sequence, text.as_str())),
            Fact::Lost { .. } => None,
        })
    }

    pub(super) fn connected(&mut self) {
        self.disconnected();
    }

    pub(super) fn disconnected(&mut self) {
        self.is_in = false;
        self.begun.clear();
        self.untold.clear();
    }

    pub(super) fn others_say(&mut self) {
        self.others += 1;
        let sequence = self.add(Fact::Said(format!("bob {}", self.others)));
        if self.is_in {
            self.untold.push_back(Item::Event(sequence));
        }
    }

    pub(super) fn commit(&mut self) {
        if !self.is_in_trouble {
            self.durable = self.last;
        }
    }

    /// All but acknowledgements of what is not durable.
    pub(super) fn has_told_all(&self) -> bool {
        self.untold.iter().all(|item| matches!(item, Item::Ack { .. }))
    }

    /// All that was on its way has been refused.
    pub(super) fn can_write_again(&mut self) {
        self.is_in_trouble = false;
    }

    pub(super) fn crash(&mut self) {
        let first = self.durable + 1;
        let last = self.last + RESERVED_AHEAD;
        drop(self.log.split_off(&first));
        let durable = self.durable;
        self.nonces.retain(|(_, sequence)| *sequence <= durable);
        self.last = last;
        self.add(Fact::Lost { first, last });
        self.durable = self.last;
        self.is_in_trouble = false;
    }

    pub(super) fn wipe(&mut self) {
        *self = Server { epoch: self.epoch + 1, others: self.others, ..Server::new() };
    }

    /// Jumps over what the client has not been told; answers with that.
    pub(super) fn skip(&mut self) -> Vec<u64> {
        let event = |item: &Item| if let Item::Event(sequence) = item { Some(*sequence) } else { None };
        let skipped: Vec<u64> = self.untold.iter().filter_map(event).collect();
        self.untold.retain(|item| !matches!(item, Item::Event(_)));
        if let (Some(from), Some(to)) = (skipped.first(), skipped.last()) {
            let gap =
                json!({"type": "gap", "room": "dev", "from": from, "to": to, "messages": skipped.len()});
            self.untold.push_back(Item::Line(gap));
            let picture = json!({"type": "picture", "room": "dev", "sequence": self.last});
            self.untold.push_back(Item::Line(picture));
        }
        skipped
    }

    fn add(&mut self, fact: Fact) -> u64 {
        self.last += 1;
        self.log.insert(self.last, fact);
        self.last
    }

    pub(super) fn received(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            let request = serde_json::from_slice(&line).expect("requests are JSON");
            self.request(&request);
        }
    }

    fn request(&mut self, request: &Value) {
        match request["type"].as_str().expect("a type") {
            "hello" => self.hello(request),
            "say" => self.say(request),
            "ping" => {
                let pong =
                    json!({"type": "pong", "nonce": request["nonce"], "time": "2026-01-01T12:00:00.000Z"});
                self.untold.push_back(Item::Line(pong));
            }
            other => panic!("{other} is not in the model"),
        }
    }

    fn hello(&mut self, hello: &Value) {
        self.is_in = true;
        let epoch = self.epoch.to_string();
        self.untold.push_back(Item::Line(
            json!({"type": "welcome", "version": 1, "server": "model", "epoch": epoch,
            "nick": hello["nick"], "resume": {"secret": "s"}}),
        ));
        let after = hello["resume"]["rooms"]["dev"].as_u64();
        let reason = match after {
            Some(_) if hello["resume"]["epoch"] != *epoch => Some("other-epoch"),
            Some(after) if after > self.last => Some("future"),
            _ => None,
        };
        let after = after.filter(|_| reason.is_none());
        let mut joined =
            json!({"type": "joined", "room": "dev", "sequence": self.last, "resumed": after.is_some()});
        if let Some(reason) = reason {
            joined["reason"] = reason.into();
        }
        self.untold.push_back(Item::Line(joined));
        if let Some(after) = after {
            self.untold.extend(self.log.range(after + 1..).map(|(sequence, _)| Item::Event(*sequence)));
        }
    }

    fn say(&mut self, say: &Value) {
        let nonce = say["nonce"].as_str().expect("a nonce").to_owned();
        let known = self.nonces.iter().find(|(known, _)| *known == nonce).map(|(_, sequence)| *sequence);
        if let Some(sequence) = known {
            return self.untold.push_back(Item::Ack { sequence, nonce, is_repeated: true });
        }
        if self.is_in_trouble {
            let refusal = json!({"type": "refusal", "nonce": nonce, "request": "say", "code": "unwritten", "text": "not now"});
            return self.untold.push_back(Item::Line(refusal));
        }
        let sequence = self.add(Fact::Said(say["text"].as_str().expect("a text").to_owned()));
        self.nonces.push_back((nonce.clone(), sequence));
        if self.nonces.len() > NONCES_MAX {
            self.nonces.pop_front();
        }
        self.untold.push_back(Item::Ack { sequence, nonce, is_repeated: false });
    }

    /// What can be told by now.
    pub(super) fn take_told(&mut self) -> Vec<u8> {
        let (mut bytes, mut waiting) = (Vec::new(), VecDeque::new());
        while let Some(item) = self.untold.pop_front() {
            let is_ack = matches!(item, Item::Ack { .. });
            let is_undurable = matches!(item, Item::Ack { sequence, .. } if sequence > self.durable);
            // Acknowledgements come in their order.
            let waits = is_undurable || (is_ack && !waiting.is_empty());
            if waits {
                waiting.push_back(item);
                if self.acknowledging == Acknowledging::InPlace && !self.is_in_trouble {
                    break;
                }
            } else {
                bytes.extend(format!("{}\n", self.line(&item)).into_bytes());
            }
        }
        waiting.append(&mut self.untold);
        self.untold = waiting;
        bytes
    }

    fn line(&self, item: &Item) -> Value {
        let time = "2026-01-01T12:00:00.000Z";
        match item {
            Item::Line(line) => line.clone(),
            Item::Ack { sequence, nonce, is_repeated: true } => {
                json!({"type": "ack", "nonce": nonce, "room": "dev", "id": "x", "sequence": sequence, "repeated": true})
            }
            Item::Ack { sequence, nonce, is_repeated: false } => {
                json!({"type": "ack", "nonce": nonce, "room": "dev", "id": "x", "sequence": sequence, "time": time})
            }
            Item::Event(sequence) => {
                let mut event =
                    json!({"type": "event", "room": "dev", "sequence": sequence, "id": "x", "time": time});
                match &self.log[sequence] {
                    Fact::Said(text) => {
                        event["kind"] = "said".into();
                        let nick = text.split(' ').next().expect("a name");
                        event["from"] = json!({"nick": nick});
                        event["text"] = text.as_str().into();
                    }
                    Fact::Lost { first, last } => {
                        event["kind"] = "lost".into();
                        event["first"] = (*first).into();
                        event["last"] = (*last).into();
                    }
                }
                event
            }
        }
    }
}
