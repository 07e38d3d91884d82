//! The dialects that are spoken in a simulated world: the real plain text, and a test dialect that shows everything.
//!
//! Where it stands: in the place of `dialect`'s sessions, under the real engine. The test dialect is made for exact
//! checking: every line of a feed carries its position and says all of its event, one's own kept facts come only when
//! they are durable and then with the label that the speaker gave, and some sessions go through a filter.
//!
//! What this file must never do: keep anything that is not plain data, or say anything that the checker could not foresee
//! (but for answers to `ping` and words about skips, which are counted).

mod past;

use dialect::plain::PlainSession;
use dialect::{Arrival, Output, Own, Session, Setup, Skipped, SkippedPlace};
use hub::{
    Announced, Command, Event, MemberId, Nonce, Page, Place, Presence, RoomNumber, Sequence, Text, Time,
    Told, Verb,
};
use past::PastReader;
use std::collections::VecDeque;
use std::io::Write;

/// In front of what a filter was given.
pub(crate) const FRAME_BEGIN: u8 = 1;
/// Behind it.
pub(crate) const FRAME_END: u8 = 2;
/// The label of one's own topics, which are given none.
pub(crate) const TOPIC_LABEL: &str = "topic";

/// What kind of session a connection gets: drawn from its guest's number, which is all that a new session is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kind {
    pub(crate) rendition: Rendition,
    pub(crate) way_out: WayOut,
}

/// Whether a session's bytes pass through a filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WayOut {
    Direct,
    Filter,
}

/// Names one way of writing events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Rendition {
    /// Plain text.
    Plain,
    /// The test dialect with every arrival and departure, and no sums.
    Full,
    /// The test dialect with sums for big rooms, and nothing about who is away.
    Brief,
}

impl Kind {
    /// A guest's number near this one that belongs to a test dialect.
    pub(crate) fn programs(guest: u32) -> u32 {
        guest - guest % 8 + 3 + guest % 5
    }

    /// The kind that belongs to a guest's number.
    pub(crate) fn of(guest: u32) -> Kind {
        let rendition = match guest % 8 {
            0..3 => Rendition::Plain,
            3..6 => Rendition::Full,
            _ => Rendition::Brief,
        };
        let is_filtered = rendition != Rendition::Plain && (guest / 8).is_multiple_of(4);
        Kind { rendition, way_out: if is_filtered { WayOut::Filter } else { WayOut::Direct } }
    }
}

/// A session in a simulated world.
pub(crate) enum SimSession {
    Plain(PlainSession),
    Test(Box<TestSession>),
}

impl Session for SimSession {
    type Rendition = Rendition;

    fn new(setup: &Setup, arrival: &Arrival) -> SimSession {
        match Kind::of(arrival.guest) {
            Kind { rendition: Rendition::Plain, .. } => SimSession::Plain(PlainSession::new(setup, arrival)),
            kind => SimSession::Test(Box::new(TestSession::new(kind, arrival.guest))),
        }
    }

    fn rendition(&self) -> Rendition {
        match self {
            SimSession::Plain(_) => Rendition::Plain,
            SimSession::Test(session) => session.kind.rendition,
        }
    }

    fn received(&mut self, now: Time, setup: &Setup, bytes: &[u8], output: &mut Output) {
        match self {
            SimSession::Plain(session) => session.received(now, setup, bytes, output),
            SimSession::Test(session) => session.received(bytes, output),
        }
    }

    fn wants_input(&self) -> bool {
        match self {
            SimSession::Plain(session) => session.wants_input(),
            SimSession::Test(session) => session.wants_input(),
        }
    }

    fn ended(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        match self {
            SimSession::Plain(session) => session.ended(now, setup, output),
            SimSession::Test(_) => output.commands.push(Command::Quit { reason: String::new() }),
        }
    }

    fn deadline(&self) -> Option<Time> {
        match self {
            SimSession::Plain(session) => session.deadline(),
            SimSession::Test(_) => None,
        }
    }

    fn tick(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        if let SimSession::Plain(session) = self {
            session.tick(now, setup, output);
        }
    }

    fn told(&mut self, now: Time, setup: &Setup, told: &Told, output: &mut Output) {
        match self {
            SimSession::Plain(session) => session.told(now, setup, told, output),
            SimSession::Test(session) => session.told(told, output),
        }
    }

    fn skipped(&mut self, skipped: &Skipped, output: &mut Output) {
        match self {
            SimSession::Plain(session) => session.skipped(skipped, output),
            SimSession::Test(session) => {
                session.skipped(skipped, output);
                session.burn();
            }
        }
    }

    fn drained(&mut self, output: &mut Output) {
        match self {
            SimSession::Plain(session) => session.drained(output),
            SimSession::Test(session) => {
                output.commands.extend(session.next_page.take());
                session.past.ask(output);
                session.burn();
            }
        }
    }

    fn shutdown(&mut self, output: &mut Output) {
        match self {
            SimSession::Plain(session) => session.shutdown(output),
            SimSession::Test(session) => {
                output.words.extend_from_slice(b"Z\n");
                output.close = true;
                session.burn();
            }
        }
    }

    fn own(&mut self, me: MemberId, told: &Told) -> Own {
        match self {
            SimSession::Plain(session) => session.own(me, told),
            SimSession::Test(session) => session.own(told),
        }
    }

    fn render(rendition: Rendition, setup: &Setup, told: &Told, bytes: &mut Vec<u8>) {
        match rendition {
            Rendition::Plain => {
                PlainSession::render(dialect::plain::Style::Chat, setup, told, bytes);
            }
            Rendition::Full | Rendition::Brief => render(rendition, told, bytes),
        }
    }

    fn filters(&self) -> bool {
        matches!(self, SimSession::Test(session) if session.kind.way_out == WayOut::Filter)
    }

    fn filter(&mut self, taken: &[&[u8]], bytes: &mut Vec<u8>) {
        bytes.push(FRAME_BEGIN);
        bytes.extend(taken.iter().copied().flatten());
        bytes.push(FRAME_END);
        if let SimSession::Test(session) = self {
            session.burn();
        }
    }
}

/// A session of the test dialect.
#[derive(Debug)]
pub(crate) struct TestSession {
    kind: Kind,
    guest: u32,
    /// What has come and is not worked on yet.
    input: Vec<u8>,
    has_joined: bool,
    /// Whether a `join` is under way: what follows it waits.
    is_joining: bool,
    /// Of what was said and not yet told or refused.
    labels: VecDeque<String>,
    /// The next page of names, to be asked for when the last one is out.
    next_page: Option<Command>,
    is_over: bool,
    /// Which client it is, if it is one that can come back, and what it wants to know of the past.
    past: PastReader,
    /// How many more calls it takes part in before it panics, if it is to.
    fuse: Option<u32>,
}

impl TestSession {
    fn new(kind: Kind, guest: u32) -> TestSession {
        TestSession {
            kind,
            guest,
            input: Vec::new(),
            has_joined: false,
            is_joining: false,
            labels: VecDeque::new(),
            next_page: None,
            is_over: false,
            past: PastReader::default(),
            fuse: None,
        }
    }

    /// At the end of each call, when it has done what nobody is to see if it panics.
    fn burn(&mut self) {
        match &mut self.fuse {
            Some(0) => std::panic::resume_unwind(Box::new("a session was made to panic")),
            Some(calls) => *calls -= 1,
            None => {}
        }
    }

    fn received(&mut self, bytes: &[u8], output: &mut Output) {
        self.input.extend_from_slice(bytes);
        self.work(output);
        self.burn();
    }

    fn wants_input(&self) -> bool {
        !self.is_joining && !self.is_over
    }

    fn told(&mut self, told: &Told, output: &mut Output) {
        output.words.extend_from_slice(&note_line(told));
        match &told.event {
            Event::Admitted(_) | Event::Refused { verb: Verb::Join, .. } => self.is_joining = false,
            // A client's words carry their labels themselves.
            Event::Refused { verb: Verb::Say | Verb::Act | Verb::Direct, .. } => {
                self.labels.pop_front();
            }
            Event::Refused { verb: Verb::Connect, .. } | Event::Disconnected => {
                self.is_over = true;
                output.close = true;
            }
            Event::Names { room, next: Some(next), .. } => {
                let room = Place::Number(room.number);
                self.next_page = Some(Command::Who { room, after: Some(*next) });
            }
            _ => {}
        }
        if self.is_over {
            self.past = PastReader::default();
        }
        self.past.told(told, output);
        self.work(output);
        self.burn();
    }

    fn skipped(&mut self, skipped: &Skipped, output: &mut Output) {
        tell_skipped(skipped, output);
        if let SkippedPlace::Room(room) = skipped.place {
            self.past.skipped(room, skipped.from, skipped.to, output);
        }
    }

    fn own(&mut self, told: &Told) -> Own {
        self.burn();
        self.past.said(&told.event);
        match &told.event {
            event if event.signature().is_some() => Own::Hold(held_line(told, own_label(event))),
            Event::Said { .. } | Event::Directed { .. } => {
                let label = self.labels.pop_front().unwrap_or_default();
                Own::Hold(held_line(told, &label))
            }
            Event::TopicSet { .. } => Own::Hold(held_line(told, TOPIC_LABEL)),
            _ => Own::Show,
        }
    }

    fn work(&mut self, output: &mut Output) {
        while !self.is_joining
            && !self.is_over
            && let Some(end) = self.input.iter().position(|byte| *byte == b'\n')
        {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            self.obey(&line, output);
        }
    }

    fn obey(&mut self, line: &str, output: &mut Output) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (first, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let room = || Place::Name(first.into());
        let command = match verb {
            "hello" => {
                let presence = if first == "listening" { Presence::Listening } else { Presence::Visible };
                let (client, nick) = self.past.hello(text);
                Command::Connect { guest: self.guest, presence, address: None, nick, client }
            }
            "appear" => Command::Appear,
            "join" => {
                // Whoever only listens appears before it enters a second room: the arrivals would be at one position,
                // and whoever reads both rooms would be shown one of them.
                if self.has_joined {
                    output.commands.push(Command::Appear);
                }
                self.has_joined = true;
                self.is_joining = true;
                Command::Join { room: first.into() }
            }
            // Likewise, but what follows it does not wait.
            "enter" => Command::Join { room: first.into() },
            "leave" => Command::Leave { room: room() },
            "say" | "act" | "direct" => match self.speech(verb, first, text) {
                Some(command) => command,
                None => return,
            },
            "edit" | "redact" => match self.change(verb, first, text) {
                Some(command) => command,
                None => return,
            },
            "nick" => Command::Nick { nick: first.into() },
            "topic" => Command::SetTopic { room: room(), topic: text.into(), nonce: None },
            "who" => Command::Who { room: room(), after: None },
            "rooms" => Command::Rooms { after: None },
            "ignore" => Command::Ignore { nick: first.into() },
            "away" => Command::Away { message: rest.into() },
            "quit" => Command::Quit { reason: rest.into() },
            "panic" => {
                self.fuse = rest.parse().ok();
                return;
            }
            "ping" => {
                let _ = writeln!(output.words, "P {rest}");
                return;
            }
            _ => return,
        };
        output.commands.push(command);
    }

    /// What is said begins with its label; `|` stands for the end of a line in it.
    fn speech(&mut self, verb: &str, to: &str, raw: &str) -> Option<Command> {
        let text = Text::new(&raw.replace('|', "\n")).ok()?;
        let nonce = self.past.nonce(label_of(raw));
        if nonce.is_none() {
            self.labels.push_back(label_of(raw).into());
        }
        let room = Place::Name(to.into());
        Some(match verb {
            "say" => Command::Say { room, text, nonce },
            "act" => Command::Act { room, text, nonce },
            _ => Command::Direct { to: to.into(), text, nonce },
        })
    }

    /// What is changed is named by its room's number and its own; then comes the new text, or the name of the erasure.
    fn change(&mut self, verb: &str, room: &str, rest: &str) -> Option<Command> {
        let (target, raw) = rest.split_once(' ')?;
        let room = Place::Number(RoomNumber(room.parse().ok()?));
        let target = Sequence(target.parse().ok()?);
        let nonce = self.past.nonce(label_of(raw));
        Some(match verb {
            "edit" => Command::Edit { room, target, text: Text::new(raw).ok()?, nonce },
            _ => Command::Redact { room, target, reason: String::new(), nonce },
        })
    }
}

/// The label of a text that was said in the simulated world: its first word.
pub(crate) fn label_of(text: &str) -> &str {
    text.split(':').next().unwrap_or(text)
}

/// What the author of a kept fact is shown in the place of its entry, once it is durable.
pub(crate) fn held_line(told: &Told, label: &str) -> Vec<u8> {
    let sequence = told.event.sequence().unwrap_or_default().0;
    let room = told.event.kept_in().unwrap_or_default();
    format!("H {} {room} {sequence} {label}\n", told.position.0).into_bytes()
}

/// The label in a line that [`held_line`] made.
pub(crate) fn label_in_held(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    text.split_whitespace().nth(4).map(str::to_owned)
}

/// Says that the cursor has jumped, and asks for a fresh picture.
fn tell_skipped(skipped: &Skipped, output: &mut Output) {
    let place = match skipped.place {
        SkippedPlace::Room(room) => {
            output.commands.push(Command::Picture { room });
            room.0
        }
        SkippedPlace::Inbox => 0,
    };
    let Skipped { messages, from, to, .. } = skipped;
    let _ = writeln!(output.words, "S {place} {messages} {} {}", from.0, to.0);
}

/// The label of something that a client said, which it carries itself.
pub(crate) fn own_label(event: &Event) -> &str {
    let nonce = event.signature().and_then(|signed| signed.nonce.as_ref());
    nonce.map_or(TOPIC_LABEL, Nonce::as_str)
}

/// What a member is told alone. Pages are long: of their lines only what tells them apart is shown.
pub(crate) fn note_line(told: &Told) -> Vec<u8> {
    let position = told.position.0;
    match &told.event {
        Event::Page(page) => format!("N {position} Page {}\n", page_words(page)).into_bytes(),
        event => format!("N {position} {event:?}\n").into_bytes(),
    }
}

fn page_words(page: &Page) -> String {
    let line = |past: &hub::Past| {
        let sequence = past.event.sequence().unwrap_or_default().0;
        let what = match &past.event {
            Event::Said { text, .. } | Event::Directed { text, .. } | Event::Edited { text, .. } => {
                label_of(text.formatted()).to_owned()
            }
            Event::Erased { .. } => "erased".to_owned(),
            event => format!("{event:?}"),
        };
        format!("{sequence}:{what}:{:?}", past.edited)
    };
    let lines: Vec<String> = page.lines.iter().map(line).collect();
    let around = [page.before, page.after];
    format!("{:?} {around:?} {}", page.wanted, lines.join(" "))
}

/// An event as the test dialect's readers see it.
fn render(rendition: Rendition, told: &Told, bytes: &mut Vec<u8>) {
    if !is_shown(rendition, &told.event) {
        return;
    }
    let position = told.position.0;
    // Writing to a vector cannot fail.
    let _ = match &told.event {
        // In rooms that sum up and rooms that do not, a quit is one thing at one position.
        Event::Quit { who, reason, .. } => writeln!(bytes, "E {position} Quit {who:?} {reason:?}"),
        event => writeln!(bytes, "E {position} {event:?}"),
    };
}

fn is_shown(rendition: Rendition, event: &Event) -> bool {
    let in_sum = matches!(
        event,
        Event::Joined { announced: Announced::InSum, .. }
            | Event::Left { announced: Announced::InSum, .. }
            | Event::Quit { announced: Announced::InSum, .. }
    );
    match rendition {
        Rendition::Plain | Rendition::Full => !matches!(event, Event::Summed { .. }),
        Rendition::Brief => !in_sum && !matches!(event, Event::Away { .. }),
    }
}
