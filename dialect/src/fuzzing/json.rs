//! What may happen to a session of JSON lines, invented by a fuzzer.
//!
//! Where it stands: beside the one of plain text; its choices, answers and news are the same, with pages of the past and
//! acknowledgements besides.
//!
//! What this file must never do: what the file above it must not.

use super::{ASKED_MAX, Choices, HELD_BYTES_MAX, READ_BYTES_MAX, VERBS, answer, news, refusal, to_oneself};
use crate::json::{JsonSession, LINE_BYTES_MAX};
use crate::{Arrival, Flow, Output, Own, Secret, Session, Setup, Skipped, SkippedPlace};
use hub::{
    Conversation, Event, Findings, MemberId, Nonce, Page, PageWanted, Past, Position, Presence, RoomName,
    RoomNumber, Search, Sequence, Shape, Span, Time, Told, Verb,
};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// A line that is being read, and what grew by doubling beside it.
const LINE_HELD_BYTES_MAX: usize = HELD_BYTES_MAX + 2 * LINE_BYTES_MAX;
/// The most words of one call, in bytes: a page, and an event more.
const WORDS_BYTES_MAX: usize = 512 * 1024;

/// What programs send.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "{}\n",
    "{\"type\":\"hello\",\"version\":1}\n",
    "{\"type\":\"hello\",\"version\":1,\"nick\":\"ann\",\"rooms\":[\"lobby\",\"dev\"],\"nonce\":\"h\",",
    "\"resume\":{\"secret\":\"00112233445566778899aabbccddeeff\",\"epoch\":\"00000000\",\"rooms\":{\"lobby\":3,\"@2\":1}}}\n",
    "{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"hi\",\"nonce\":\"n\"}\n",
    "{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"",
    "\"}\n",
    "\\u001b",
    "\\ud83e\\udd80",
    "\\ud83e",
    "{\"type\":\"direct\",\"to\":\"bob\",\"text\":\"hi\"}\n",
    "{\"type\":\"edit\",\"room\":\"lobby\",\"target\":3,\"text\":\"hi\",\"nonce\":\"e\"}\n",
    "{\"type\":\"redact\",\"id\":\"00000000-1-3\"}\n",
    "{\"type\":\"join\",\"room\":\"dev\",\"after\":2,\"nonce\":\"j\"}\n",
    "{\"type\":\"leave\",\"room\":\"dev\"}\n",
    "{\"type\":\"topic\",\"room\":\"dev\",\"topic\":null}\n",
    "{\"type\":\"who\",\"room\":\"lobby\"}\n",
    "{\"type\":\"rooms\"}\n",
    "{\"type\":\"history\",\"room\":\"lobby\",\"before\":9,\"limit\":3}\n",
    "{\"type\":\"search\",\"words\":\"x\",\"since\":\"2026-01-01T00:00:00Z\"}\n",
    "{\"type\":\"ping\",\"nonce\":\"p\"}\n",
    "{\"type\":\"quit\"}\n",
    "{\"type\":\"",
    "{\"x\":",
    "[[[[[[[[",
    "\"",
    "\\",
    ",",
];

/// Plays a session of JSON lines. `held_bytes` says how much memory is allocated; whoever does not count says 0.
///
/// # Panics
/// When a session of JSON lines does what it must not.
pub fn json(bytes: &[u8], held_bytes: impl Fn() -> usize) {
    let mut choices = Choices(bytes);
    let mut client = Client::new();
    let before = held_bytes();
    while !choices.is_empty() {
        client.step(&mut choices);
        assert!(held_bytes().saturating_sub(before) <= LINE_HELD_BYTES_MAX, "the session grows");
    }
}

/// One connection and what a shard keeps beside it.
struct Client {
    setup: Setup,
    session: JsonSession,
    now: Time,
    asked: VecDeque<Verb>,
    /// Whether the feeds have been asked to wait.
    is_held: bool,
    has_ended: bool,
    is_closed: bool,
    bytes_received: usize,
    calls: usize,
    commands: usize,
}

impl Client {
    fn new() -> Client {
        let setup = Setup::new(RoomName::parse("lobby").expect("a name"));
        let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
        let now = Time(1_000_000);
        Client {
            session: JsonSession::new(&setup, &Arrival { now, peer, guest: 1, secret: Secret::new([7; 16]) }),
            setup,
            now,
            asked: VecDeque::with_capacity(ASKED_MAX),
            is_held: false,
            has_ended: false,
            is_closed: false,
            bytes_received: 0,
            calls: 0,
            commands: 0,
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(12) {
            0 => {
                let count = usize::from(choices.byte());
                self.receive(choices.bytes(count), choices);
            }
            1..=3 => {
                let piece = choices.one_of(PIECES);
                self.receive(piece.as_bytes(), choices);
            }
            4 => {
                let count = (64 * (1 + usize::from(choices.byte()))).min(READ_BYTES_MAX);
                self.receive(&[choices.byte()].repeat(count), choices);
            }
            5 => self.pass(choices.one_of(&[0, 1, 1_000, 60_000])),
            6 | 7 => self.answer(choices),
            8 => {
                let verb = choices.one_of(VERBS);
                self.tell(verb, choices);
            }
            9 => self.skip(choices),
            10 => self.hear(choices),
            _ => self.end(choices),
        }
        self.call(|session, _, _, output| session.drained(output));
        self.pass(0);
    }

    fn receive(&mut self, bytes: &[u8], choices: &mut Choices<'_>) {
        if self.has_ended || self.is_closed {
            return;
        }
        if !self.session.wants_input() {
            return self.answer(choices);
        }
        self.bytes_received += bytes.len();
        self.call(|session, now, setup, output| session.received(now, setup, bytes, output));
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
        if self.session.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.call(JsonSession::tick);
        }
    }

    fn end(&mut self, choices: &mut Choices<'_>) {
        if choices.below(8) == 0 {
            self.call(|session, _, _, output| session.shutdown(output));
        } else if !self.has_ended && !self.is_closed {
            self.has_ended = true;
            self.call(JsonSession::ended);
        }
    }

    fn answer(&mut self, choices: &mut Choices<'_>) {
        if let Some(verb) = self.asked.pop_front() {
            self.tell(verb, choices);
        }
    }

    fn tell(&mut self, verb: Verb, choices: &mut Choices<'_>) {
        let event = if choices.below(8) == 7 { refusal(verb, choices) } else { answer_of(verb, choices) };
        let told = Told { position: Position(1), time: self.now, audience: to_oneself(), event };
        self.call(|session, now, setup, output| session.told(now, setup, &told, output));
    }

    fn skip(&mut self, choices: &mut Choices<'_>) {
        let place = match choices.below(6) {
            0 => SkippedPlace::Inbox,
            number => SkippedPlace::Room(RoomNumber(number as u32)),
        };
        let (messages, from, to) =
            (choices.byte().into(), Sequence(choices.byte().into()), Sequence(choices.byte().into()));
        let skipped = Skipped { place, messages, from, to };
        let was_closed = std::mem::take(&mut self.is_closed);
        self.call(|session, _, _, output| session.skipped(&skipped, output));
        self.is_closed |= was_closed;
    }

    /// Others are told something, by this client or by anybody else.
    fn hear(&mut self, choices: &mut Choices<'_>) {
        let told =
            Told { position: Position(1), time: self.now, audience: to_oneself(), event: news(choices) };
        let mut bytes = Vec::new();
        JsonSession::render((), &self.setup, &told, &mut bytes);
        check_lines(&bytes);
        if !self.is_closed
            && let Own::Hold(bytes) = self.session.own(MemberId::mint(0, 1), &told)
        {
            check_lines(&bytes);
        }
    }

    /// Calls the session, and checks what it wants done.
    fn call(&mut self, call: impl FnOnce(&mut JsonSession, Time, &Setup, &mut Output)) {
        let mut output = Output::default();
        call(&mut self.session, self.now, &self.setup, &mut output);
        let is_silent = output.commands.is_empty() && output.words.is_empty();
        assert!(!self.is_closed || is_silent, "a closed session speaks");
        self.is_closed |= output.close;
        assert!(output.words.len() <= WORDS_BYTES_MAX, "{} bytes", output.words.len());
        check_lines(&output.words);
        match output.flow {
            Flow::Unchanged => {}
            Flow::Wait => assert!(!std::mem::replace(&mut self.is_held, true), "the gate is moved"),
            Flow::GoOn => assert!(std::mem::replace(&mut self.is_held, false), "nothing waits"),
            Flow::Withhold => assert!(self.is_held && self.is_closed, "nothing waits, or for ever"),
        }
        self.calls += 1;
        self.commands += output.commands.len();
        assert!(self.commands <= 2 * (self.bytes_received + self.calls), "more is asked than was sent");
        for command in &output.commands {
            if self.asked.len() < ASKED_MAX {
                self.asked.push_back(command.verb());
            }
        }
    }
}

fn answer_of(verb: Verb, choices: &mut Choices<'_>) -> Event {
    match verb {
        Verb::Connect => {
            let conversation = Conversation {
                room: choices.room(),
                with: choices.nick(),
                upto: Sequence(choices.byte().into()),
            };
            let conversations = if choices.below(2) == 0 { Vec::new() } else { vec![conversation] };
            Event::Connected { nick: choices.nick(), presence: Presence::Visible, conversations }
        }
        Verb::History => Event::Page(Arc::new(page(choices))),
        Verb::Search => {
            let (search, lines) = (Search::default(), past(choices));
            let rest = choices.one_of(&[hub::Rest::Nothing, hub::Rest::More, hub::Rest::OutOfTime]);
            Event::Found(Arc::new(Findings { search, lines, rest }))
        }
        Verb::Edit | Verb::Redact => Event::Acknowledged {
            nonce: Nonce::new("e").expect("a nonce"),
            room: choices.room(),
            sequence: Sequence(choices.byte().into()),
        },
        _ => answer(verb, choices),
    }
}

fn page(choices: &mut Choices<'_>) -> Page {
    let span = choices.one_of(&[Span::Latest, Span::After(Sequence(1)), Span::Around(Sequence(2))]);
    let (room, upto) = (choices.room(), Sequence(choices.byte().into()));
    let sequence = |choices: &mut Choices<'_>| match choices.byte() {
        0..128 => None,
        other => Some(Sequence(other.into())),
    };
    Page {
        wanted: PageWanted { room, upto, span, lines_max: 3, shape: Shape::Facts },
        lines: past(choices),
        before: sequence(choices),
        after: sequence(choices),
        forgotten: sequence(choices).unwrap_or_default(),
    }
}

fn past(choices: &mut Choices<'_>) -> Vec<Past> {
    let count = choices.below(5);
    let line = |choices: &mut Choices<'_>| Past {
        position: Position(1),
        time: Time(u64::from(choices.byte()) << 56),
        event: news(choices),
        edited: None,
    };
    (0..count).map(|_| line(choices)).collect()
}

/// Whole lines, each an object with a type, without a control character.
fn check_lines(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { panic!("no text: {}", bytes.escape_ascii()) };
    assert!(text.is_empty() || text.ends_with('\n'), "half a line: {text:?}");
    for line in text.lines() {
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let has_type = value.get("type").is_some_and(serde_json::Value::is_string);
        assert!(has_type && !line.contains(char::is_control), "{line:?}");
    }
}
