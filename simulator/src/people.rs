//! The people of a simulated world, and what they type.
//!
//! Where it stands: at the far end of the network. A person types lines in the dialect of its session; it need not know
//! whether what it asks is possible.
//!
//! What this file must never do: say the same text twice.

use crate::device::Device;
use crate::session::{Kind, Rendition, label_of};
use crate::weather::{Mood, ROOMS, Weather, pick};
use fastrand::Rng;
use hub::{RoomNumber, Sequence};

/// Somebody who may be connected.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    index: usize,
    /// Its client, if it has one that comes back as the same one.
    pub(crate) device: Option<Device>,
    /// The nick that it asked for last.
    pub(crate) nick: String,
    said: u64,
    named: u64,
    pinged: u64,
}

/// What was typed.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) bytes: Vec<u8>,
    /// The answers to pings among it.
    pub(crate) pings: Vec<String>,
    /// The labels of what is to be said.
    pub(crate) labels: Vec<String>,
    /// Whether what stands behind it may find nobody, or nowhere to be said.
    pub(crate) leaves: bool,
}

impl Person {
    pub(crate) fn new(index: usize, device: Option<Device>) -> Person {
        Person { index, device, nick: format!("n{index}x0"), said: 0, named: 0, pinged: 0 }
    }

    /// What somebody types first.
    pub(crate) fn begin(&mut self, kind: Kind, random: &mut Rng) -> Typed {
        if self.device.is_some() {
            return self.come_back(random);
        }
        let mut typed = Typed::default();
        self.named += 1;
        self.nick = format!("n{}x{}", self.index, self.named);
        match kind.rendition {
            // Whoever only listens types nothing at first.
            Rendition::Plain if random.u32(..100) < 30 => {}
            Rendition::Plain => typed.line(&format!("/nick {}", self.nick)),
            Rendition::Full | Rendition::Brief => {
                let is_listener = random.u32(..100) < 20;
                typed.line(if is_listener { "hello listening" } else { "hello visible" });
                typed.line(&format!("nick {}", self.nick));
                typed.line(&format!("join {}", ROOMS[0]));
                if is_listener && random.bool() {
                    typed.line("appear");
                }
            }
        }
        typed
    }

    /// What a client says first: who it is, how far it has seen everything, where it was, and what nobody acknowledged.
    fn come_back(&mut self, random: &mut Rng) -> Typed {
        let mut typed = Typed::default();
        // Its nick may have been taken while it was away.
        if random.u32(..4) > 0 {
            self.named += 1;
            self.nick = format!("n{}x{}", self.index, self.named);
        }
        let Some(device) = &self.device else { return typed };
        let presence = if random.u32(..100) < 10 { "listening" } else { "visible" };
        let standing = if device.knows_secret { "back" } else { "new" };
        let nick = if random.u32(..10) == 0 { "-" } else { &self.nick };
        let marks: Vec<String> = device.marks().map(|(room, mark)| format!("{room}:{}", mark.0)).collect();
        typed.line(&format!("hello {presence} {} {standing} {nick} {}", device.client, marks.join(" ")));
        typed.line(&format!("join {}", ROOMS[0]));
        for room in device.room_names.iter().filter(|room| *room != ROOMS[0]) {
            typed.line(&format!("join {room}"));
        }
        for (label, line) in device.unacknowledged() {
            if !line.starts_with("redact ") {
                typed.labels.push(label.clone());
            }
            typed.line(line);
        }
        typed
    }

    /// A few lines of whatever comes to mind.
    pub(crate) fn type_lines(
        &mut self,
        kind: Kind,
        others: &[String],
        weather: &Weather,
        random: &mut Rng,
    ) -> Typed {
        let mut typed = Typed::default();
        for _ in 0..random.usize(1..=weather.lines_max) {
            match kind.rendition {
                Rendition::Plain => self.type_plain(others, weather, random, &mut typed),
                Rendition::Full | Rendition::Brief if self.device.is_some() => {
                    self.type_client(others, weather, random, &mut typed);
                }
                Rendition::Full | Rendition::Brief => self.type_test(others, weather, random, &mut typed),
            }
        }
        typed
    }

    fn type_plain(&mut self, others: &[String], weather: &Weather, random: &mut Rng, typed: &mut Typed) {
        let room = ROOMS[random.usize(..weather.rooms)];
        let other = &others[random.usize(..others.len())];
        if random.u32(..1000) >= weather.restlessness {
            let text = self.text(weather, random);
            return typed.saying(&text, &text);
        }
        let line = match random.u32(..20) {
            0..3 => {
                let text = self.text(weather, random);
                return typed.saying(&format!("/me {text}"), &text);
            }
            3..6 => {
                let text = self.text(weather, random);
                return typed.saying(&format!("/msg {other} {text}"), &text);
            }
            6..8 => format!("/nick {}", self.new_nick(other, random)),
            8..11 => format!("/join {room}"),
            11 | 12 => format!("/leave {room}"),
            13 => format!("/topic {}", self.topic(random)),
            14 => format!("/ignore {other}"),
            15 => pick(random, &["/away", "/away gone for now"]).into(),
            16 => pick(random, &["/who", "/rooms", "/topic", "/ignore", "/help"]).into(),
            17 => "/quit so long".into(),
            18 => "/leave".into(),
            _ => "/nonsense".into(),
        };
        typed.line(&line);
    }

    /// A client does as others do, but for ignoring people, and remembers what it said; now and then it changes something.
    fn type_client(&mut self, others: &[String], weather: &Weather, random: &mut Rng, typed: &mut Typed) {
        if random.u32(..1000) < weather.restlessness && random.u32(..4) == 0 {
            return self.change(random, typed);
        }
        let mut asked = Typed::default();
        self.type_test(others, weather, random, &mut asked);
        let line = String::from_utf8_lossy(&asked.bytes).trim_end().to_owned();
        if line.starts_with("ignore ") {
            return;
        }
        if let (Some(device), [label]) = (&mut self.device, asked.labels.as_slice()) {
            device.says(label, &line);
        }
        typed.bytes.extend(asked.bytes);
        typed.pings.extend(asked.pings);
        typed.labels.extend(asked.labels);
        typed.leaves |= asked.leaves;
    }

    /// Changes or erases something that it said, or that somebody else did.
    fn change(&mut self, random: &mut Rng, typed: &mut Typed) {
        let Some(device) = &mut self.device else { return };
        let (room, sequence) = match device.own.len() {
            own if own > 0 && random.u32(..8) > 0 => device.own[random.usize(..own)],
            _ => (RoomNumber(random.u32(..4)), Sequence(random.u64(..20))),
        };
        self.said += 1;
        let label = format!("c{}.{}", self.index, self.said);
        let line = if random.bool() {
            typed.labels.push(label.clone());
            format!("edit {room} {} {label}:anew", sequence.0)
        } else {
            format!("redact {room} {} {label}", sequence.0)
        };
        device.says(&label, &line);
        typed.line(&line);
    }

    fn type_test(&mut self, others: &[String], weather: &Weather, random: &mut Rng, typed: &mut Typed) {
        let room = ROOMS[random.usize(..weather.rooms)];
        let other = &others[random.usize(..others.len())];
        if random.u32(..1000) >= weather.restlessness {
            return self.type_usual(room, weather, random, typed);
        }
        let line = match random.u32(..20) {
            0 => {
                let text = self.text(weather, random);
                return typed.saying(&format!("act {room} {text}"), &text);
            }
            1..4 => {
                let text = self.text(weather, random);
                return typed.saying(&format!("direct {other} {text}"), &text);
            }
            4..6 => format!("nick {}", self.new_nick(other, random)),
            6..9 => format!("join {room}"),
            9..11 => format!("leave {room}"),
            11 => format!("topic {room} {}", self.topic(random)),
            12 => format!("ignore {other}"),
            13 => pick(random, &["away", "away gone for now"]).into(),
            14 => format!("who {room}"),
            15 => "rooms".into(),
            16 => "quit so long".into(),
            17 => "appear".into(),
            _ => return self.ping(weather, random, typed),
        };
        typed.line(&line);
    }

    /// What somebody in this mood does most of the time.
    fn type_usual(&mut self, room: &str, weather: &Weather, random: &mut Rng, typed: &mut Typed) {
        match weather.mood {
            Mood::Usual | Mood::Talking => {
                let text = self.text(weather, random);
                typed.saying(&format!("say {room} {text}"), &text);
            }
            Mood::Opening => {
                self.named += 1;
                let room = format!("r{}x{}", self.index, self.named);
                typed.line(&format!("enter {room}"));
                typed.line(&format!("leave {room}"));
            }
            Mood::Passing => {
                self.named += 1;
                typed.line(&format!("away {}", self.named));
            }
        }
    }

    fn ping(&mut self, weather: &Weather, random: &mut Rng, typed: &mut Typed) {
        self.pinged += 1;
        let answer = format!("{} {}", self.pinged, padding(random.usize(..=weather.padding_max)));
        let answer = answer.trim_end().to_owned();
        typed.line(&format!("ping {answer}"));
        typed.pings.push(answer);
    }

    fn new_nick(&mut self, other: &str, random: &mut Rng) -> String {
        // Somebody's name, which is taken, or one that nobody ever had.
        if random.u32(..10) == 0 {
            return other.into();
        }
        self.named += 1;
        self.nick = format!("n{}x{}", self.index, self.named);
        self.nick.clone()
    }

    fn text(&mut self, weather: &Weather, random: &mut Rng) -> String {
        self.said += 1;
        let bytes = random.usize(..=weather.padding_max);
        let lines = if random.u32(..10) == 0 { random.usize(1..4) } else { 1 };
        let mut text = format!("m{}.{}:", self.index, self.said);
        for _ in 0..lines {
            text.push_str(&padding(bytes / lines));
            text.push('|');
        }
        text.pop();
        text
    }

    fn topic(&mut self, random: &mut Rng) -> String {
        self.said += 1;
        if random.u32(..4) == 0 { String::new() } else { format!("t{}.{}", self.index, self.said) }
    }
}

impl Typed {
    /// A line that says this text.
    fn saying(&mut self, line: &str, text: &str) {
        self.labels.push(label_of(text).into());
        self.line(line);
    }

    fn line(&mut self, line: &str) {
        let verb = line.split(' ').next().unwrap_or_default();
        self.leaves |= matches!(verb.trim_start_matches('/'), "leave" | "quit");
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }
}

fn padding(bytes: usize) -> String {
    "abcdefghijklmnopqrstuvwxyz".chars().cycle().take(bytes).collect()
}
