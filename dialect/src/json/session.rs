//! One connection of JSON lines: from its first byte to its last.
//!
//! Where it stands: the server passes in bytes, moments and private events; out come commands for the hub and words for
//! this client. What a line means is in `session/requests`; how events are put into objects is in `words` and `render`.
//!
//! Three things give it its shape. *It begins with hello:* nothing else is done before, and who never says it is closed.
//! *It waits for answers:* behind a request that has a private answer no line is read until that answer has come, so that
//! answers come in the order of the questions; what is said is acknowledged as a rule in its place among what others say, and
//! never waits. *It catches up:* what a client missed is paged to it while what happens meanwhile waits in the feeds, so that there is
//! no seam between the two (`session/catching`).
//!
//! What this file must never do: keep memory for a session at rest, or show anything of a secret but to its client.

// In the order in which bytes meet them.
mod lines;
mod requests;

mod catching;
mod events;

use super::input::Input;
use super::render;
use super::words::{self, Bye, Gap};
use crate::{Arrival, Flow, Origin, Output, Own, Pace, Secret, Session, Setup, Skipped, SkippedPlace};
use catching::Catching;
use hub::{Command, Epoch, Event, MemberId, Nonce, RoomNumber, Time, Told, Verb};
use requests::Hello;
use smallvec::SmallVec;
use std::sync::Arc;

/// Who has not said hello so long after it connected, or after it turned out to speak JSON, is closed.
pub const HELLO_MS_MAX: u64 = 60_000;
/// So long a client that will send nothing more still hears what is said.
pub const LINGER_MS: u64 = 1000;
/// When lines have made the server say so much to a client, the next ones wait until that has been read.
const WORDS_BYTES_MAX: usize = 16 * 1024;

/// One connection of JSON lines.
pub struct JsonSession {
    stage: Stage,
    input_end: InputEnd,
    outlet: Outlet,
    origin: Origin,
    /// The verb of the command whose answer must come before another line is read.
    awaited: Option<Verb>,
    /// For a newcomer's name.
    guest: u32,
    pace: Pace,
    /// What happened is called by this, also where nobody passes a setup in.
    epoch: Epoch,
    /// The rooms that the client is in: what is missed is told with their names.
    rooms: SmallVec<[Entered; 1]>,
    input: Input,
    rare: Option<Box<Rare>>,
}

/// What a session has only at times: kept aside, because there may be very many sessions.
#[derive(Default)]
struct Rare {
    /// Until the hub knows the client: what it may come back with.
    secret: Option<Secret>,
    /// What was asked for with a hello that is under way.
    hello: Option<Hello>,
    /// The name of the request whose answer is awaited.
    nonce: Option<Nonce>,
    /// Asks for the next page of a long answer, when this one has been read.
    next_page: Option<Command>,
    /// What the client misses and is being told.
    catching: Option<Catching>,
    /// Of somebody who has sent too fast.
    throttle: Option<Throttle>,
    /// When the stage ends.
    timer: Option<Time>,
}

impl Rare {
    fn is_empty(&self) -> bool {
        let Rare { secret, hello, nonce, next_page, catching, throttle, timer } = self;
        let is_known = secret.is_none() && hello.is_none();
        let is_answered = nonce.is_none() && next_page.is_none() && catching.is_none();
        is_known && is_answered && throttle.is_none() && timer.is_none()
    }
}

/// Whoever sends too fast is told once, and not again before half of what may be sent at once has become free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Throttle {
    /// No line is worked on before this moment.
    Holding(Time),
    /// Has been told, and goes on as fast as is possible.
    Told,
    /// There is no time left to wait: the server stops.
    Lifted,
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It has not said hello, or none that the hub took.
    New,
    /// The hub knows it, or is being asked.
    Present,
    /// It has asked to leave.
    Quitting,
    /// It leaves without having said so.
    Leaving,
    /// It is over.
    Closed,
}

/// Whether the client will send more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum InputEnd {
    Open,
    Reached,
}

/// Whether lines have to wait until the client has read what was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outlet {
    Free,
    /// [`WORDS_BYTES_MAX`] was reached, or a page of what was missed is on its way.
    Full,
    /// Everything has been read: the next tick goes on.
    Drained,
}

/// A room that the client is in.
struct Entered {
    number: RoomNumber,
    name: Arc<str>,
}

/// One call of a session: when, under which setup, and where to what comes of it.
struct Turn<'a> {
    now: Time,
    setup: &'a Setup,
    output: &'a mut Output,
}

impl Session for JsonSession {
    /// There is one way of writing JSON.
    type Rendition = ();

    fn new(setup: &Setup, arrival: &Arrival) -> JsonSession {
        let begin = Begin {
            now: arrival.now,
            origin: Origin::of(arrival.peer.ip()),
            guest: arrival.guest,
            pace: Pace::default(),
            secret: arrival.secret,
        };
        JsonSession::begin(setup, begin)
    }

    fn rendition(&self) {}

    fn received(&mut self, now: Time, setup: &Setup, bytes: &[u8], output: &mut Output) {
        self.hear(bytes, &mut Turn { now, setup, output });
    }

    /// What comes after the last line that counts is still read, and thrown away: a socket that is closed over unread
    /// bytes is reset, and takes with it the last words that its peer has not read.
    fn wants_input(&self) -> bool {
        !(self.is_listening() && self.is_waiting())
    }

    fn ended(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        if self.is_listening() && self.input_end == InputEnd::Open {
            self.end(&mut Turn { now, setup, output });
        }
    }

    fn deadline(&self) -> Option<Time> {
        let timer = || self.rare.as_ref().and_then(|rare| rare.timer);
        match (self.stage, self.input_end) {
            (Stage::Quitting | Stage::Leaving | Stage::Closed, _) => None,
            _ if self.outlet == Outlet::Drained => Some(Time(0)),
            (Stage::New, _) => timer().into_iter().chain(self.held_until()).min(),
            (Stage::Present, InputEnd::Open) => self.held_until(),
            // Answers that are under way, and lines behind them, come first.
            (Stage::Present, InputEnd::Reached) if self.is_waiting() => self.held_until(),
            (Stage::Present, InputEnd::Reached) => timer(),
        }
    }

    fn tick(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let turn = &mut Turn { now, setup, output };
        if self.outlet == Outlet::Drained {
            self.go_on(turn);
        } else if self.held_until().is_some_and(|until| until <= now) {
            self.release(Throttle::Told, turn);
        } else if self.stage == Stage::New {
            words::bye(Bye::NoHello, None, &mut turn.output.words);
            self.close(turn.output);
        } else {
            self.leave(Stage::Leaving, "", turn.output);
        }
    }

    fn told(&mut self, now: Time, setup: &Setup, told: &Told, output: &mut Output) {
        let turn = &mut Turn { now, setup, output };
        match self.stage {
            Stage::New | Stage::Closed => {}
            Stage::Quitting | Stage::Leaving => self.told_while_leaving(&told.event, turn.output),
            Stage::Present => {
                self.note(&told.event, turn);
                self.answered(&told.event, turn);
            }
        }
    }

    /// Also to somebody who is leaving: what was missed is told, whatever else is not.
    fn skipped(&mut self, skipped: &Skipped, output: &mut Output) {
        if self.is_listening()
            && let SkippedPlace::Room(room) = skipped.place
        {
            output.commands.push(Command::Picture { room });
        }
        if self.catch_up_with(skipped) {
            return;
        }
        let room = match skipped.place {
            SkippedPlace::Inbox => None,
            // One that has been left meanwhile is called by its number.
            SkippedPlace::Room(number) => {
                Some(self.name_of(number).unwrap_or_else(|| hub::conversation_name(number).into()))
            }
        };
        // Sequences of several conversations have no order among them.
        let range = (room.is_some() && skipped.from <= skipped.to).then_some((skipped.from, skipped.to));
        let gap = Gap { room: room.as_deref(), range, messages: Some(skipped.messages), reason: None };
        words::gap(&gap, &mut output.words);
    }

    fn drained(&mut self, output: &mut Output) {
        if self.outlet == Outlet::Full {
            self.outlet = Outlet::Drained;
        }
        if let Some(command) = self.rare.as_mut().and_then(|rare| rare.next_page.take()) {
            output.commands.push(command);
        }
    }

    fn last_call(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        if self.is_listening() && self.held_until().is_some() {
            self.release(Throttle::Lifted, &mut Turn { now, setup, output });
        }
    }

    fn shutdown(&mut self, output: &mut Output) {
        if self.stage != Stage::Closed {
            words::bye(Bye::Shutdown, None, &mut output.words);
            self.close(output);
        }
    }

    /// What one said oneself is acknowledged once it is durable, in its place if that can wait; what else one did has been
    /// answered.
    fn own(&mut self, _me: MemberId, told: &Told) -> Own {
        if told.event.kept_in().is_none() {
            return Own::StepOver;
        }
        if self.awaited.is_some() && self.awaited == changed_verb(&told.event) {
            self.awaited = None;
            self.with_rare(|rare| rare.nonce = None);
            // Lines that waited for this are read at the next tick.
            self.outlet = Outlet::Drained;
        }
        let mut bytes = Vec::new();
        render::acknowledge(self.epoch, told, &mut bytes);
        Own::Hold(bytes)
    }

    fn render((): (), setup: &Setup, told: &Told, bytes: &mut Vec<u8>) {
        render::render(setup.epoch, told, bytes);
    }
}

/// The verb of what this did, if lines wait until it is done: who said what is to be changed has to be looked up first, and
/// what stands behind it, a farewell perhaps, must not overtake it.
fn changed_verb(event: &Event) -> Option<Verb> {
    match event {
        Event::Edited { .. } => Some(Verb::Edit),
        Event::Redacted { .. } => Some(Verb::Redact),
        _ => None,
    }
}

/// What a connection brings along that turns out to speak JSON.
#[derive(Clone, Copy)]
pub(crate) struct Begin {
    pub(crate) now: Time,
    pub(crate) origin: Origin,
    pub(crate) guest: u32,
    pub(crate) pace: Pace,
    pub(crate) secret: Secret,
}

impl JsonSession {
    /// A connection that speaks JSON.
    pub(crate) fn begin(setup: &Setup, begin: Begin) -> JsonSession {
        let timer = Some(begin.now.after_ms(HELLO_MS_MAX));
        let rare = Rare { secret: Some(begin.secret), timer, ..Rare::default() };
        JsonSession {
            stage: Stage::New,
            input_end: InputEnd::Open,
            outlet: Outlet::Free,
            origin: begin.origin,
            awaited: None,
            guest: begin.guest,
            pace: begin.pace,
            epoch: setup.epoch,
            rooms: SmallVec::new(),
            input: Input::default(),
            rare: Some(Box::new(rare)),
        }
    }

    /// Whether lines mean something.
    fn is_listening(&self) -> bool {
        matches!(self.stage, Stage::New | Stage::Present)
    }

    /// Everything that was told has been read: what comes next of what was missed, and then the lines that had to wait.
    fn go_on(&mut self, turn: &mut Turn<'_>) {
        self.outlet = Outlet::Free;
        self.catch_on(turn);
        self.read_waiting(turn);
    }

    /// Nothing more will come: the end of the input is the end of the last line.
    fn end(&mut self, turn: &mut Turn<'_>) {
        self.input_end = InputEnd::Reached;
        if self.stage == Stage::Present {
            self.linger(turn.now);
        }
        if !self.input.is_between_lines() {
            self.input.add(b"\n");
        }
        self.read_waiting(turn);
    }

    fn linger(&mut self, now: Time) {
        self.with_rare(|rare| rare.timer = Some(now.after_ms(LINGER_MS)));
    }

    /// Leaves the hub; the connection is closed when that has said goodbye.
    fn leave(&mut self, stage: Stage, last_words: &str, output: &mut Output) {
        output.commands.push(Command::Quit { reason: last_words.into() });
        let nonce = self.rare.as_mut().and_then(|rare| rare.nonce.take());
        self.forget();
        self.with_rare(|rare| rare.nonce = nonce);
        self.stage = stage;
    }

    fn close(&mut self, output: &mut Output) {
        if self.rare.as_ref().and_then(|rare| rare.catching.as_ref()).is_some_and(Catching::holds) {
            // A client takes the last sequence that it read for all that it has to know.
            output.flow = Flow::Withhold;
        }
        self.forget();
        self.stage = Stage::Closed;
        output.close = true;
    }

    fn forget(&mut self) {
        self.awaited = None;
        self.outlet = Outlet::Free;
        self.input = Input::default();
        self.rare = None;
    }

    fn name_of(&self, room: RoomNumber) -> Option<Arc<str>> {
        let found = self.rooms.iter().find(|entered| entered.number == room);
        found.map(|entered| entered.name.clone())
    }

    /// Changes what is kept aside, and gives the space back when nothing is left of it.
    fn with_rare<T>(&mut self, change: impl FnOnce(&mut Rare) -> T) -> T {
        let rare = self.rare.get_or_insert_default();
        let changed = change(rare);
        if rare.is_empty() {
            self.rare = None;
        }
        changed
    }
}
