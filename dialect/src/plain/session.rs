//! One connection of plain text: from its first byte to its last.
//!
//! Where it stands: the server passes in bytes, moments and private events; out come commands for the hub and words for
//! this person. What a line means is in `commands`; how events are put into words is in `words` and `render`.
//!
//! Two things give it its shape. *It waits before it speaks:* the first line may be another protocol's, so that nothing
//! is said before it is judged or [`SILENCE_MS`] have passed. *It waits for answers:* behind a command that has a private
//! answer no line is read until that answer has come, so that a script gets its answers in the order of its questions;
//! talk has no answer and never waits. Lines wait also while much of what was answered has not been read. What is shown to
//! a newcomer of the past is a part of the answer to its `/join`.
//!
//! What this file must never do: work on a first line that has not been judged, or keep memory for a session at rest.

// In the order in which bytes meet them.
mod keys;
mod lines;

mod events;
mod reading;

use super::input::Input;
use super::render;
use super::style::{self, Style};
use super::telnet::IAC;
use super::terminal::Terminal;
use super::words::{self, WayBack, remark};
use crate::json::Begin;
use crate::sniff::{self, Protocol, Verdict};
use crate::{Arrival, Origin, Output, Own, Pace, Secret, Session, Setup, Skipped, SkippedPlace};
use hub::{Command, Event, Keeping, Manner, MemberId, Place, Presence, RoomNumber, Time, Told, Verb};
use reading::Reading;
use smallvec::SmallVec;
use std::net::SocketAddr;
use std::sync::Arc;

/// A connection that is silent for so long after it was accepted is greeted: everything but a person speaks at once.
pub const SILENCE_MS: u64 = 50;
/// A connection that begins like another protocol and does not go on is closed so long after it was accepted.
pub const SUSPECT_MS: u64 = 10_000;
/// So long after its first said line somebody is visible to the others, if they have not been before.
pub const APPEAR_MS: u64 = 1000;
/// So long somebody who will say nothing more still hears what is said.
pub const LINGER_MS: u64 = 1000;
/// When lines have made the server say so much to a person, the next ones wait until that has been read: `/help` is short,
/// and what it says is long.
const WORDS_BYTES_MAX: usize = 16 * 1024;

/// One connection of plain text.
pub struct PlainSession {
    stage: Stage,
    first_line: FirstLine,
    visibility: Visibility,
    greeting: Greeting,
    style: Style,
    origin: Origin,
    /// For the newcomer's name.
    guest: u32,
    pace: Pace,
    /// When the stage ends or, while present, when the person becomes visible.
    timer: Timer,
    /// The verb of the command whose answer must come before another line is read.
    awaited: Option<Verb>,
    outlet: Outlet,
    /// The rooms that the person is in; talk goes to the last.
    rooms: SmallVec<[Entered; 1]>,
    input: Input,
    rare: Option<Box<Rare>>,
}

/// What few sessions have: kept aside, because there may be very many sessions.
#[derive(Default)]
struct Rare {
    /// Where the connection comes from, if the style shows that.
    address: Option<SocketAddr>,
    /// The rest of a long answer.
    listing: Option<Listing>,
    /// What is being read of the past.
    reading: Option<Reading>,
    /// Of somebody who has sent too fast.
    throttle: Option<Throttle>,
    /// Of a peer that is telnet, or may be.
    terminal: Option<Terminal>,
}

impl Rare {
    fn is_empty(&self) -> bool {
        let Rare { address, listing, reading, throttle, terminal } = self;
        let is_answered = listing.is_none() && reading.is_none();
        is_answered && address.is_none() && throttle.is_none() && terminal.is_none()
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

/// A moment or none, in the space of a moment: there may be very many sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Timer(Time);

impl Timer {
    /// The end of time never comes.
    const NONE: Timer = Timer(Time(u64::MAX));

    fn at(time: Time) -> Timer {
        Timer(time)
    }

    fn get(self) -> Option<Time> {
        (self != Timer::NONE).then_some(self.0)
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nothing is known about it.
    Undecided,
    /// It began like another protocol and did not go on.
    Suspected,
    /// The hub knows it.
    Present,
    /// It will send nothing more, but still hears.
    Ended,
    /// It has said `/quit`.
    Quitting,
    /// It leaves without having said so.
    Leaving,
    /// It is over.
    Closed,
}

/// Whether the first line has been judged: it may be another protocol's even if the connection was silent at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FirstLine {
    Unjudged,
    Judged,
}

/// Whether the hub has been asked to show this person to the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Visibility {
    Hidden,
    Visible,
}

/// Whether lines have to wait until the person has read what was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outlet {
    Free,
    /// [`WORDS_BYTES_MAX`] was reached.
    Full,
    /// Everything has been read: at the next tick lines are read on.
    Drained,
}

/// Whether the person has been told how to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Greeting {
    Due,
    Done,
}

/// A room that the person is in.
pub(super) struct Entered {
    pub(super) number: RoomNumber,
    /// Without `#`.
    pub(super) name: Arc<str>,
    /// Whether what is said there can be read again.
    pub(super) keeping: Keeping,
}

/// The rest of a long answer.
struct Listing {
    /// Asks for the next page; taken out when that has been asked.
    next: Option<Command>,
    /// How many lines or names of it have been shown.
    shown: usize,
}

/// One call of a session: when, under which setup, and where to what comes of it.
pub(super) struct Turn<'a> {
    pub(super) now: Time,
    pub(super) setup: &'a Setup,
    pub(super) output: &'a mut Output,
}

impl Session for PlainSession {
    type Rendition = Style;

    fn new(setup: &Setup, arrival: &Arrival) -> PlainSession {
        let address = (setup.plain_style == Style::Tagged).then_some(arrival.peer);
        // Where lines are relayed whoever comes is there at once, and hears all from then on.
        let silence_ms = if setup.plain_style.relays() { 0 } else { SILENCE_MS };
        PlainSession {
            stage: Stage::Undecided,
            first_line: FirstLine::Unjudged,
            visibility: Visibility::Hidden,
            greeting: Greeting::Due,
            style: setup.plain_style,
            origin: Origin::of(arrival.peer.ip()),
            guest: arrival.guest,
            pace: Pace::default(),
            timer: Timer::at(arrival.now.after_ms(silence_ms)),
            awaited: None,
            outlet: Outlet::Free,
            rooms: SmallVec::new(),
            input: Input::default(),
            rare: address.map(|address| Box::new(Rare { address: Some(address), ..Rare::default() })),
        }
    }

    fn rendition(&self) -> Style {
        self.style
    }

    fn received(&mut self, now: Time, setup: &Setup, bytes: &[u8], output: &mut Output) {
        let turn = &mut Turn { now, setup, output };
        if self.terminal().is_none() && memchr::memchr(IAC, bytes).is_none() {
            self.hear(bytes, turn);
        } else {
            self.hear_telnet(bytes, turn);
        }
    }

    /// What comes after the last line that counts is still read, and thrown away: a socket that is closed over unread
    /// bytes is reset, and takes with it the last words that its peer has not read.
    fn wants_input(&self) -> bool {
        let is_waiting = self.stage == Stage::Present && self.is_waiting();
        !is_waiting && self.terminal().is_none_or(Terminal::has_room)
    }

    fn ended(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        let turn = &mut Turn { now, setup, output };
        self.end_telnet(turn);
        match self.stage {
            Stage::Undecided | Stage::Suspected => self.end_undecided(turn),
            Stage::Present => self.end(turn),
            Stage::Ended | Stage::Quitting | Stage::Leaving | Stage::Closed => {}
        }
    }

    fn deadline(&self) -> Option<Time> {
        match self.stage {
            Stage::Present | Stage::Ended if self.outlet == Outlet::Drained => Some(Time(0)),
            Stage::Present => self.timer.get().into_iter().chain(self.held_until()).min(),
            // Answers that are under way, and lines behind them, come first.
            Stage::Ended if self.is_waiting() => self.held_until(),
            Stage::Undecided | Stage::Suspected | Stage::Ended => self.timer.get(),
            Stage::Quitting | Stage::Leaving | Stage::Closed => None,
        }
    }

    fn tick(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let turn = &mut Turn { now, setup, output };
        match self.stage {
            Stage::Present | Stage::Ended if self.outlet == Outlet::Drained => self.read_on(turn),
            Stage::Present | Stage::Ended if self.held_until().is_some_and(|until| until <= now) => {
                self.release(Throttle::Told, turn);
            }
            Stage::Undecided => self.silent(turn),
            Stage::Suspected => self.give_up(turn),
            Stage::Present => self.appear(turn),
            Stage::Ended => self.leave(Stage::Leaving, "", turn),
            Stage::Quitting | Stage::Leaving | Stage::Closed => {}
        }
    }

    fn told(&mut self, now: Time, setup: &Setup, told: &Told, output: &mut Output) {
        let words_before = output.words.len();
        let turn = &mut Turn { now, setup, output };
        match self.stage {
            Stage::Undecided | Stage::Suspected | Stage::Closed => {}
            Stage::Quitting | Stage::Leaving => self.told_while_leaving(&told.event, turn),
            Stage::Present | Stage::Ended => {
                self.note(&told.event, turn);
                self.answered(&told.event, turn);
            }
        }
        if self.style.relays() {
            turn.output.words.truncate(words_before);
        }
    }

    /// Also to somebody who is leaving: what was missed is told, whatever else is not.
    fn skipped(&mut self, skipped: &Skipped, output: &mut Output) {
        words::skipped(skipped, &self.way_back(skipped.place), output);
        if let SkippedPlace::Room(room) = skipped.place
            && !self.style.relays()
            && matches!(self.stage, Stage::Present | Stage::Ended)
        {
            output.commands.push(Command::Picture { room });
        }
    }

    fn drained(&mut self, output: &mut Output) {
        if self.outlet == Outlet::Full {
            self.outlet = Outlet::Drained;
        }
        if let Some(listing) = self.rare.as_mut().and_then(|rare| rare.listing.as_mut())
            && let Some(command) = listing.next.take()
        {
            output.commands.push(command);
        }
    }

    fn last_call(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        let turn = &mut Turn { now, setup, output };
        if self.held_until().is_some() {
            self.release(Throttle::Lifted, turn);
        }
    }

    fn shutdown(&mut self, output: &mut Output) {
        if matches!(self.stage, Stage::Present | Stage::Ended | Stage::Quitting) {
            if self.style.relays() {
                output.words.extend_from_slice(b"Shutdown Server\n");
            } else {
                remark!(output, "Shutdown Server");
            }
        }
        self.close(output);
    }

    fn own(&mut self, _me: MemberId, told: &Told) -> Own {
        match told.event {
            Event::TopicSet { .. } => Own::Show,
            // It was taken off the row where it was typed.
            Event::Said { manner: Manner::Saying, .. } if self.is_editing() => Own::Show,
            _ => Own::StepOver,
        }
    }

    fn render(style: Style, setup: &Setup, told: &Told, bytes: &mut Vec<u8>) {
        match style {
            Style::Chat => render::render(setup, &told.event, bytes),
            Style::Tagged => style::render_tagged(&told.event, bytes),
            Style::Bare => style::render_bare(&told.event, bytes),
        }
    }

    fn filters(&self) -> bool {
        self.terminal().is_some_and(Terminal::is_telnet)
    }

    fn filter_is_due(&self) -> bool {
        self.terminal().is_some_and(Terminal::is_due)
    }

    fn filter(&mut self, taken: &[&[u8]], bytes: &mut Vec<u8>) {
        if let Some(terminal) = self.terminal_mut() {
            terminal.write(taken, bytes);
        }
    }
}

impl PlainSession {
    /// How what was skipped can be read after all. Of direct messages nobody knows here in which conversations they were.
    fn way_back(&self, place: SkippedPlace) -> WayBack<'_> {
        let is_there = |room: &Entered| place == SkippedPlace::Room(room.number);
        let can_ask = self.stage == Stage::Present && !self.style.relays();
        let Some((current, others)) = self.rooms.split_last().filter(|_| can_ask) else {
            return WayBack::None;
        };
        if is_there(current) && current.keeping == Keeping::History {
            return WayBack::Here;
        }
        let other = others.iter().find(|room| is_there(room) && room.keeping == Keeping::History);
        other.map_or(WayBack::None, |room| WayBack::In(&room.name))
    }

    /// Bytes in which there is no telnet command any more.
    fn hear(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        match self.stage {
            Stage::Undecided | Stage::Suspected => self.judge(bytes, turn),
            Stage::Present if self.is_waiting() => self.input.wait(bytes),
            Stage::Present => {
                let bytes_used = self.read(bytes, turn);
                self.input.wait(&bytes[bytes_used..]);
            }
            Stage::Ended | Stage::Quitting | Stage::Leaving | Stage::Closed => {}
        }
    }

    /// Bytes of a connection.
    fn judge(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        let is_first = self.input.is_empty();
        self.input.wait(if is_first { sniff::without_leading_blank_lines(bytes) } else { bytes });
        match sniff::sniff(self.input.waiting()) {
            Verdict::Foreign(protocol) if self.style.refuses(protocol) => {
                let waiting = self.input.take_waiting();
                self.refuse(protocol, waiting.bytes(), turn);
            }
            // Whoever would rather speak JSON has been asked before.
            Verdict::Plain | Verdict::Json | Verdict::Foreign(_) => self.connect(turn),
            Verdict::Undecided => {
                let is_ruled_out = !sniff::begins_like_protocol(self.input.waiting());
                if self.stage == Stage::Suspected && is_ruled_out {
                    self.connect(turn);
                }
            }
        }
    }

    /// Nothing that could be judged has come in time.
    fn silent(&mut self, turn: &mut Turn<'_>) {
        if sniff::begins_like_protocol(self.input.waiting()) {
            self.stage = Stage::Suspected;
            self.timer = self
                .timer
                .get()
                .map_or(Timer::NONE, |silence| Timer::at(silence.after_ms(SUSPECT_MS - SILENCE_MS)));
        } else {
            self.connect(turn);
        }
    }

    fn give_up(&mut self, turn: &mut Turn<'_>) {
        remark!(
            turn.output,
            "this began like another protocol and did not go on; to talk here: nc HOST PORT"
        );
        self.close(turn.output);
    }

    fn connect(&mut self, turn: &mut Turn<'_>) {
        self.stage = Stage::Present;
        self.timer = Timer::NONE;
        self.follow_terminal();
        // Whoever relays lines has no way to show itself but to be there.
        let presence = if self.style.relays() { Presence::Visible } else { Presence::Listening };
        let address = self.rare.as_ref().and_then(|rare| rare.address);
        turn.output.commands.push(Command::Connect {
            guest: self.guest,
            presence,
            address,
            nick: None,
            client: None,
        });
        self.ask(Command::Join { room: turn.setup.home.shown.as_ref().into() }, turn);
    }

    fn refuse(&mut self, protocol: Protocol, first_bytes: &[u8], turn: &mut Turn<'_>) {
        if !self.style.relays() {
            turn.output.words.extend_from_slice(&protocol.refusal(first_bytes));
        }
        match self.stage {
            Stage::Undecided | Stage::Suspected => self.close(turn.output),
            _ => self.leave(Stage::Leaving, "", turn),
        }
    }

    fn end_undecided(&mut self, turn: &mut Turn<'_>) {
        if self.input.is_empty() {
            return self.close(turn.output);
        }
        self.judge(b"\n", turn);
        if self.stage == Stage::Present {
            self.end(turn);
        }
    }

    /// Nothing more will come: the end of the input is the end of the last line.
    fn end(&mut self, turn: &mut Turn<'_>) {
        self.stage = Stage::Ended;
        self.timer = Timer::at(turn.now.after_ms(LINGER_MS));
        if self.is_editing() {
            // Whoever is cut off in the middle of a line has not said it.
            self.input.take_partial();
            return;
        }
        if self.input.is_between_lines() {
            return;
        }
        if self.is_waiting() {
            self.input.wait(b"\n");
        } else {
            self.read(b"\n", turn);
        }
    }

    /// Leaves the hub; the connection is closed when it has said goodbye.
    pub(super) fn quit(&mut self, last_words: &str, turn: &mut Turn<'_>) {
        self.leave(Stage::Quitting, last_words, turn);
    }

    fn leave(&mut self, stage: Stage, last_words: &str, turn: &mut Turn<'_>) {
        turn.output.commands.push(Command::Quit { reason: last_words.into() });
        self.forget();
        self.stage = stage;
    }

    fn close(&mut self, output: &mut Output) {
        self.forget();
        self.stage = Stage::Closed;
        output.close = true;
    }

    fn forget(&mut self) {
        self.timer = Timer::NONE;
        self.awaited = None;
        self.outlet = Outlet::Free;
        self.rooms = SmallVec::new();
        self.input = Input::default();
        // Last words still go through it.
        let mut terminal = self.rare.take().and_then(|rare| rare.terminal);
        if let Some(terminal) = &mut terminal {
            terminal.end(&mut Vec::new());
        }
        self.rare = terminal.map(|terminal| Box::new(Rare { terminal: Some(terminal), ..Rare::default() }));
    }
}

/// What becomes of a connection that speaks JSON after all.
impl PlainSession {
    /// Whether the first line, behind what has come of it, begins an object of JSON with these bytes. Where lines are only
    /// relayed everything is text, and nobody at telnet is a program that speaks JSON.
    pub(crate) fn turns_out_json(&self, bytes: &[u8]) -> bool {
        let is_open = matches!(self.stage, Stage::Undecided | Stage::Suspected | Stage::Present);
        let may_be = is_open && self.first_line == FirstLine::Unjudged && !self.style.relays();
        if !may_be || self.terminal().is_some() {
            return false;
        }
        if self.input.is_empty() {
            return sniff::begins_like_json(bytes);
        }
        sniff::begins_like_json(&[self.input.partial(), self.input.waiting(), bytes].concat())
    }

    /// Whether the hub has been told of it.
    pub(crate) fn is_known(&self) -> bool {
        self.stage == Stage::Present
    }

    pub(crate) fn begin(&self, now: Time, secret: Secret) -> Begin {
        Begin { now, origin: self.origin, guest: self.guest, pace: self.pace, secret }
    }
}

/// What few sessions have.
impl PlainSession {
    /// Changes what is kept aside, and gives the space back when nothing is left of it.
    fn with_rare(&mut self, change: impl FnOnce(&mut Rare)) {
        let rare = self.rare.get_or_insert_default();
        change(rare);
        if rare.is_empty() {
            self.rare = None;
        }
    }

    fn terminal(&self) -> Option<&Terminal> {
        self.rare.as_ref()?.terminal.as_ref()
    }

    fn terminal_mut(&mut self) -> Option<&mut Terminal> {
        self.rare.as_mut()?.terminal.as_mut()
    }
}

/// What the handlers of commands do with a session.
impl PlainSession {
    /// Passes on a command that has a private answer: no line is read before that has come.
    pub(super) fn ask(&mut self, command: Command, turn: &mut Turn<'_>) {
        self.awaited = Some(command.verb());
        turn.output.commands.push(command);
    }

    /// Lets the others see this person, if they do not yet.
    pub(super) fn appear(&mut self, turn: &mut Turn<'_>) {
        if self.visibility == Visibility::Visible {
            return;
        }
        self.visibility = Visibility::Visible;
        if self.stage == Stage::Present {
            self.timer = Timer::NONE;
        }
        turn.output.commands.push(Command::Appear);
    }

    /// Where talk goes.
    pub(super) fn current(&self) -> Option<Place> {
        self.rooms.last().map(|room| Place::Number(room.number))
    }

    /// Lets talk go to the room of this key from now on; returns its name if the person is in it.
    pub(super) fn turn_to(&mut self, key: &str) -> Option<Arc<str>> {
        let index = self.rooms.iter().position(|room| hub::key_of(&room.name) == key)?;
        let room = self.rooms.remove(index);
        let name = room.name.clone();
        self.rooms.push(room);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::{Audience, Crowd, Position, Refusal, RoomName, RoomRef, RoomView, Sequence, TEXT_BYTES_MAX};
    use std::net::SocketAddr;

    const NOW: Time = Time(1000);

    fn setup() -> Setup {
        Setup::new(RoomName::parse("lobby").expect("a name"))
    }

    fn newcomer() -> PlainSession {
        let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
        PlainSession::new(&setup(), &Arrival { now: NOW, peer, guest: 1, secret: Secret::new([7; 16]) })
    }

    fn tell(session: &mut PlainSession, event: Event, output: &mut Output) {
        let audience = Audience::Member(MemberId::mint(0, 1));
        let told = Told { position: Position(1), time: NOW, audience, event };
        session.told(NOW, &setup(), &told, output);
    }

    fn lobby() -> RoomView {
        let room = RoomRef { number: RoomNumber(1), name: "lobby".into() };
        // Nothing was said there yet.
        RoomView { room, topic: None, members: Crowd::default(), listening: 1, upto: Sequence(1) }
    }

    /// A session that was greeted and whose first line was judged.
    fn present() -> PlainSession {
        let mut session = newcomer();
        let output = &mut Output::default();
        session.received(NOW, &setup(), b"hello\n", output);
        tell(&mut session, Event::Admitted(lobby()), output);
        session
    }

    #[test]
    fn session_at_rest_is_small() {
        // Thousands of people who only listen have one of these each, and one room of 24 bytes behind it.
        assert!(size_of::<PlainSession>() <= 72, "{} bytes", size_of::<PlainSession>());
        assert_eq!(size_of::<Entered>(), 24);
        let session = present();
        assert!(session.input.is_empty() && session.rooms.capacity() == 1);
    }

    #[test]
    fn many_lines_of_one_read_become_as_many_commands_at_once() {
        let mut session = present();
        let mut output = Output::default();
        session.received(NOW, &setup(), &b"hello\n".repeat(1000), &mut output);
        assert_eq!(output.commands.len(), 1000);
        assert!(session.input.is_empty() && session.wants_input());
    }

    #[test]
    fn line_without_an_end_takes_bounded_memory_and_gives_it_back() {
        let mut session = present();
        let mut output = Output::default();
        for _ in 0..100 {
            session.received(NOW, &setup(), &[b'x'; 10_000], &mut output);
            assert!(session.input.partial().len() <= TEXT_BYTES_MAX);
        }
        session.received(NOW, &setup(), b"\n", &mut output);
        assert!(session.input.is_empty());
        assert_eq!(output.commands.len(), 1);
        let told = "-- that line had 1000000 bytes; the first 16384 were said, the rest was cut\n";
        assert_eq!(String::from_utf8_lossy(&output.words), told);
    }

    #[test]
    fn lines_behind_a_question_wait_for_its_answer() {
        let mut session = present();
        let mut output = Output::default();
        session.received(NOW, &setup(), b"/topic\nhello\n/rooms\nbye", &mut output);
        assert_eq!(output.commands.pop().map(|command| command.verb()), Some(Verb::Topic));
        assert!(!session.wants_input());

        // A refusal of something else is no answer.
        let refusal = Refusal::ThatIsYou;
        tell(&mut session, Event::Refused { verb: Verb::Direct, nonce: None, refusal }, &mut output);
        assert!(!session.wants_input());

        output.commands.clear();
        let topic_is = Event::TopicIs { room: lobby().room, topic: None };
        tell(&mut session, topic_is, &mut output);
        let verbs: Vec<_> = output.commands.drain(..).map(|command| command.verb()).collect();
        assert_eq!(verbs, [Verb::Say, Verb::Rooms]);

        tell(&mut session, Event::RoomList { rooms: Vec::new(), next: None }, &mut output);
        assert!(session.wants_input());
        assert_eq!(session.input.partial(), b"bye");
    }

    #[test]
    fn past_is_shown_to_those_who_want_it_where_there_is_one() {
        let kept = || Setup { keeping: Keeping::History, ..setup() };
        let written_to = || RoomView { upto: Sequence(2), ..lobby() };
        let table = [
            (kept(), written_to(), 1),
            (kept(), lobby(), 0),
            (Setup { replay_lines: 0, ..kept() }, written_to(), 0),
            (setup(), written_to(), 0),
            (Setup { plain_style: Style::Tagged, ..kept() }, written_to(), 0),
        ];
        for (setup, view, questions) in table {
            let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
            let mut session = PlainSession::new(
                &setup,
                &Arrival { now: NOW, peer, guest: 1, secret: Secret::new([0; 16]) },
            );
            let mut output = Output::default();
            session.received(NOW, &setup, b"hello\n", &mut output);
            output.commands.clear();
            let (position, audience) = (Position(1), Audience::Member(MemberId::mint(0, 1)));
            let told = Told { position, time: NOW, audience, event: Event::Admitted(view) };
            session.told(NOW, &setup, &told, &mut output);
            let asked = output.commands.iter().filter(|command| command.verb() == Verb::History).count();
            assert_eq!(asked, questions);
            assert_eq!(output.flow == crate::Flow::Wait, asked > 0);
            assert_eq!(session.wants_input(), asked == 0, "what was typed waits for it");
        }
    }

    #[test]
    fn whoever_is_refused_at_the_door_is_told_and_closed() {
        let mut session = newcomer();
        let mut output = Output::default();
        session.received(NOW, &setup(), b"hello\n", &mut output);
        let refusal = Refusal::TooMany(hub::Bound::Members, 1);
        tell(&mut session, Event::Refused { verb: Verb::Connect, nonce: None, refusal }, &mut output);
        assert!(output.close);
        assert!(output.words.starts_with(b"-- the members of this server are limited to 1"));
        output.words.clear();
        let refusal = Refusal::NotConnected;
        tell(&mut session, Event::Refused { verb: Verb::Join, nonce: None, refusal }, &mut output);
        assert!(output.words.is_empty());
    }

    #[test]
    fn whoever_has_ended_stays_until_the_answers_have_come() {
        let mut session = present();
        let mut output = Output::default();
        session.received(NOW, &setup(), b"/rooms\nbye", &mut output);
        session.ended(NOW, &setup(), &mut output);
        assert_eq!(session.deadline(), None);
        output.commands.clear();
        tell(&mut session, Event::RoomList { rooms: Vec::new(), next: None }, &mut output);
        assert_eq!(output.commands.pop().map(|command| command.verb()), Some(Verb::Say));
        let deadline = session.deadline().expect("a deadline");
        assert_eq!(deadline, NOW.after_ms(LINGER_MS));
        session.tick(deadline, &setup(), &mut output);
        assert_eq!(output.commands.pop(), Some(Command::Quit { reason: String::new() }));
    }
}
