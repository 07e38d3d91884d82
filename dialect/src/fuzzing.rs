//! What may happen to a session, invented by a fuzzer: bytes become bytes of a peer, answers, events, moments; whatever comes
//! of it is checked.
//!
//! Where it stands: behind the feature `fuzzing`, for the targets in `fuzz`, and in the tests, which play again what the
//! fuzzer found worth keeping. One function a target.
//!
//! What this file must never do: call a session in a way in which no shard does, or panic for another reason than that the
//! session is wrong.

mod json;
mod shown;

use crate::plain::{PlainSession, Style, play_editor};
use crate::sniff::Protocol;
use crate::{Arrival, Flow, Output, Secret, Session, Setup, Skipped, SkippedPlace};
use hub::{
    Announced, Audience, Author, Bound, Command, Crowd, DoorKind, Event, Findings, Hearing, Keeping, Line,
    Manner, MemberId, NameProblem, Page, PageWanted, Past, Position, Presence, Present, Refusal, Rest,
    RoomLine, RoomName, RoomNumber, RoomRef, RoomView, Search, Sequence, Shape, Span, TEXT_BYTES_MAX,
    TEXT_LINES_MAX, Text, Time, Told, Topic, Trouble, Verb, What, Who,
};
pub use json::json;
use shown::{without_editing, without_telnet};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// The most that a session may hold, in bytes: what came in one read and waits, the beginning of a line, that vectors
/// grow by doubling, and what an editor of lines remembers.
const HELD_BYTES_MAX: usize = 384 * 1024;
/// The most words of one call, in bytes: lines wait when there are 16 KiB of them, and one more answer may be long.
const WORDS_BYTES_MAX: usize = 32 * 1024;
/// What a shard reads at a time.
const READ_BYTES_MAX: usize = 16 * 1024;
/// So many questions are remembered for an answer.
const ASKED_MAX: usize = 64;
const REASON_BYTES_MAX: usize = 256;

/// Plays a session of plain text. `held_bytes` says how much memory is allocated; whoever does not count says 0.
///
/// # Panics
/// When a session of plain text does what it must not.
pub fn plain(bytes: &[u8], held_bytes: impl Fn() -> usize) {
    let mut choices = Choices(bytes);
    let mut person = Person::new();
    let before = held_bytes();
    while !choices.is_empty() {
        person.step(&mut choices);
        assert!(held_bytes().saturating_sub(before) <= HELD_BYTES_MAX, "the session grows");
    }
}

/// Plays somebody who edits a line at telnet.
///
/// # Panics
/// When the editor does what it must not.
pub fn editor(bytes: &[u8]) {
    play_editor(Choices(bytes));
}

/// One choice a byte; when they are used up, always the first.
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub(crate) fn below(&mut self, count: u8) -> usize {
        usize::from(self.byte() % count)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len() as u8)]
    }

    /// So many of the bytes as they stand, or all that are left.
    pub(crate) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Text as somebody may have typed it.
    fn typed(&mut self) -> String {
        let count = self.below(40);
        String::from_utf8_lossy(self.bytes(count)).into_owned()
    }

    pub(crate) fn nick(&mut self) -> Arc<str> {
        self.one_of(&["ann", "bob", "grüße", "guest-00001", "你好"]).into()
    }

    fn who(&mut self) -> Who {
        Who { member: MemberId::mint(0, self.below(4) as u64), nick: self.nick(), address: None }
    }

    fn room(&mut self) -> RoomRef {
        let rooms = ["lobby", "dev", "c++", "日本", "a.b"];
        let number = self.below(rooms.len() as u8);
        RoomRef { number: RoomNumber(1 + number as u32), name: rooms[number].into() }
    }

    fn text(&mut self) -> Text {
        Text::new(&self.typed()).unwrap_or_else(|_| Text::new("hello").expect("a text"))
    }

    fn line(&mut self) -> Option<Line> {
        Line::new(&self.typed(), REASON_BYTES_MAX).ok()
    }

    fn sequence(&mut self) -> Sequence {
        Sequence(self.one_of(&[0, 1, 2, 20, 1000, u64::MAX]))
    }

    fn time(&mut self) -> Time {
        Time(self.one_of(&[0, 999_999, 1_000_000, 86_400_000, 1_795_197_900_000, u64::MAX]))
    }

    /// Lines of the past, by ascending sequence, or not.
    fn past(&mut self) -> Vec<Past> {
        (0..self.below(5)).map(|_| self.past_line()).collect()
    }

    fn past_line(&mut self) -> Past {
        let (position, time) = (Position(1), self.time());
        let event = match self.below(4) {
            0 => Event::Erased {
                room: self.room(),
                sequence: self.sequence(),
                author: Author::Member(self.who()),
            },
            1 => Event::Opened { room: self.room(), sequence: self.sequence() },
            _ => news(self),
        };
        Past { position, time, event, edited: Some(Sequence(2)).filter(|_| self.below(2) == 1) }
    }

    fn page(&mut self) -> Page {
        let (room, upto) = (self.room(), self.sequence());
        let wanted = PageWanted { room, upto, span: Span::Latest, lines_max: 200, shape: Shape::Present };
        let lines = self.past();
        let (before, after) = (self.sequence(), self.sequence());
        let (before, after) =
            (Some(before).filter(|_| self.below(2) == 1), Some(after).filter(|_| self.below(2) == 1));
        Page { wanted, lines, before, after, forgotten: self.sequence() }
    }

    fn findings(&mut self) -> Findings {
        let rest = self.one_of(&[Rest::Nothing, Rest::More, Rest::OutOfTime]);
        Findings { search: Search::default(), lines: self.past(), rest }
    }

    fn crowd(&mut self) -> Crowd {
        let nicks = (0..self.below(4)).map(|_| self.nick()).collect();
        Crowd { nicks, others: self.byte().into() }
    }

    fn view(&mut self) -> RoomView {
        let topic = self.line().map(|text| Topic { text, by: self.nick(), time: Time(0) });
        let (room, members, listening) = (self.room(), self.crowd(), self.byte().into());
        RoomView { room, topic, members, listening, upto: self.sequence() }
    }
}

/// What people and programs send first or later.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "hello\n",
    "//x\n",
    "/ /x\n",
    "/nick ann\n",
    "/join dev\n",
    "/join #Lobby\n",
    "/leave\n",
    "/leave dev\n",
    "/msg bob hi\n",
    "/me waves\n",
    "/who\n",
    "/who dev\n",
    "/rooms\n",
    "/topic\n",
    "/topic -\n",
    "/topic new\n",
    "/history\n",
    "/history 1000\n",
    "/history 2-900\n",
    "/history dev 2h\n",
    "/history 2026-11-20T",
    "/search from:ann since:3d ",
    "/search hello before:10:00\n",
    "/ignore bob\n",
    "/ignore\n",
    "/away \u{202e}gone\n",
    "/away\n",
    "/help\n",
    "/help nick\n",
    "/nonsense\n",
    "/quit bye\n",
    "/",
    "\u{1b}[31m",
    "\u{9b}1m",
    "你好",
    "GET / HTTP/1.1\r\n",
    "HEAD / HTTP/1.1\r\n",
    "X / HTTP/1.1\r\n",
    "SSH-2.0-x\r\n",
    "NICK ann\r\n",
    "\u{16}\u{3}",
    "\r",
    "\r\0",
];

/// What a telnet sends: who does what, its terminal, its size, and what is pressed.
const TELNET: &[&[u8]] = &[
    b"\xff\xfd\x03\xff\xfd\x01",
    b"\xff\xfb\x18\xff\xfb\x1f",
    b"\xff\xfe\x01",
    b"\xff\xfc\x1f",
    b"\xff\xfa\x18\x00XTERM\xff\xf0",
    b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
    b"\xff\xf6",
    b"\xff\xf4",
    b"\xff\xf7\xff\xf8",
    b"\xff\xfd\x06",
    b"\xff\xff",
    b"\xff\xfa",
    b"\xff\xf0",
    b"\xff",
];

const VERBS: &[Verb] = &[
    Verb::Connect,
    Verb::Join,
    Verb::Leave,
    Verb::Direct,
    Verb::Nick,
    Verb::Topic,
    Verb::Who,
    Verb::Picture,
    Verb::Rooms,
    Verb::History,
    Verb::Search,
    Verb::Conversations,
    Verb::Complete,
    Verb::Ignore,
    Verb::Ignored,
    Verb::Away,
    Verb::Quit,
    Verb::Say,
];

/// One connection and what a shard keeps beside it.
struct Person {
    setup: Setup,
    session: PlainSession,
    now: Time,
    /// What the session has asked for and nobody has answered.
    asked: VecDeque<Verb>,
    /// Whether what happens in its rooms waits for an answer.
    is_held_back: bool,
    has_ended: bool,
    is_closed: bool,
    bytes_received: usize,
    /// What else may have made it ask for something.
    calls: usize,
    commands: usize,
}

impl Person {
    fn new() -> Person {
        let home = RoomName::parse("lobby").expect("a name");
        let setup = Setup { keeping: Keeping::History, ..Setup::new(home) };
        let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
        let now = Time(1_000_000);
        Person {
            session: PlainSession::new(
                &setup,
                &Arrival { now, peer, guest: 1, secret: Secret::new([7; 16]) },
            ),
            setup,
            now,
            asked: VecDeque::with_capacity(ASKED_MAX),
            is_held_back: false,
            has_ended: false,
            is_closed: false,
            bytes_received: 0,
            calls: 0,
            commands: 0,
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(13) {
            0 | 1 => {
                let count = usize::from(choices.byte());
                self.receive(choices.bytes(count), choices);
            }
            2 => {
                let piece = choices.one_of(PIECES);
                self.receive(piece.as_bytes(), choices);
            }
            3 => {
                let bytes =
                    [choices.byte()].repeat((64 * (1 + usize::from(choices.byte()))).min(READ_BYTES_MAX));
                self.receive(&bytes, choices);
            }
            4 => self.pass(choices.one_of(&[0, 1, 50, 1_000, 10_000])),
            5 | 6 => self.answer(choices),
            7 => {
                let verb = choices.one_of(VERBS);
                self.tell(verb, choices);
            }
            8 => self.skip(choices),
            9 => self.call(|session, _, _, output| session.drained(output)),
            10 => self.hear(choices),
            11 => self.receive(choices.one_of(TELNET), choices),
            _ => self.end(choices),
        }
    }

    /// Bytes of the peer; while the session wants none, something happens that may change that.
    fn receive(&mut self, bytes: &[u8], choices: &mut Choices<'_>) {
        if self.has_ended || self.is_closed {
            return;
        }
        if !self.session.wants_input() {
            self.call(|session, _, _, output| session.drained(output));
            self.pass(0);
            return self.answer(choices);
        }
        self.bytes_received += bytes.len();
        self.call(|session, now, setup, output| session.received(now, setup, bytes, output));
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
        if self.session.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.call(PlainSession::tick);
        }
    }

    fn end(&mut self, choices: &mut Choices<'_>) {
        if choices.below(8) == 0 {
            self.call(|session, _, _, output| session.shutdown(output));
        } else if !self.has_ended && !self.is_closed {
            self.has_ended = true;
            self.call(PlainSession::ended);
        }
    }

    /// The oldest question is answered.
    fn answer(&mut self, choices: &mut Choices<'_>) {
        if let Some(verb) = self.asked.pop_front() {
            self.tell(verb, choices);
        }
    }

    fn tell(&mut self, verb: Verb, choices: &mut Choices<'_>) {
        let event = if choices.below(8) == 7 { refusal(verb, choices) } else { answer(verb, choices) };
        let told = Told { position: Position(1), time: self.now, audience: to_oneself(), event };
        self.call(|session, now, setup, output| session.told(now, setup, &told, output));
    }

    fn skip(&mut self, choices: &mut Choices<'_>) {
        let place = match choices.below(6) {
            0 => SkippedPlace::Inbox,
            number => SkippedPlace::Room(RoomNumber(number as u32)),
        };
        let (messages, to) = (u64::from(choices.byte()), Sequence(choices.byte().into()));
        let skipped = Skipped { place, messages, from: Sequence(1), to };
        let was_closed = std::mem::take(&mut self.is_closed);
        self.call(|session, _, _, output| session.skipped(&skipped, output));
        self.is_closed |= was_closed;
    }

    /// Others are told something, by this person or by anybody else.
    fn hear(&mut self, choices: &mut Choices<'_>) {
        let told =
            Told { position: Position(1), time: self.now, audience: to_oneself(), event: news(choices) };
        let shown = rendered(&self.setup, &told);
        check_shown(&shown);
        let (start, end) = shown.split_at(choices.below(40).min(shown.len()));
        self.filter(&[start, end]);
        let _ = self.session.own(MemberId::mint(0, 1), &told);
    }

    /// What a telnet is sent of it.
    fn filter(&mut self, taken: &[&[u8]]) {
        if self.session.filters() {
            let mut bytes = Vec::new();
            self.session.filter(taken, &mut bytes);
            check_harmless(&without_editing(&without_telnet(&bytes)));
        }
    }

    /// Calls the session, and checks what it wants done.
    fn call(&mut self, call: impl FnOnce(&mut PlainSession, Time, &Setup, &mut Output)) {
        let mut output = Output::default();
        call(&mut self.session, self.now, &self.setup, &mut output);
        let is_silent = output.commands.is_empty() && output.words.is_empty();
        assert!(!self.is_closed || is_silent, "a closed session speaks");
        self.is_closed |= output.close;
        self.is_held_back = match output.flow {
            // Whoever is going is shown all that there is.
            _ if output.close => false,
            Flow::Unchanged => self.is_held_back,
            Flow::Wait => true,
            Flow::GoOn | Flow::Withhold => false,
        };
        let is_idle = self.session.wants_input() && !self.has_ended && !self.is_closed;
        assert!(!(self.is_held_back && is_idle), "rooms wait for nothing");
        check_words(&output.words);
        self.filter(&[&output.words]);
        self.calls += 1;
        self.commands += output.commands.len();
        assert!(self.commands <= 2 * (self.bytes_received + self.calls), "more is asked than was typed");
        for command in &output.commands {
            check_command(&self.setup, command);
            if self.asked.len() < ASKED_MAX {
                self.asked.push_back(command.verb());
            }
        }
    }
}

fn to_oneself() -> Audience {
    Audience::Member(MemberId::mint(0, 1))
}

// What a session may be told.

fn refusal(verb: Verb, choices: &mut Choices<'_>) -> Event {
    let refusal = match choices.below(8) {
        0 => Refusal::BadNick(choices.typed(), NameProblem::Character(char::from(choices.byte()))),
        1 => Refusal::BadRoomName(choices.typed(), NameProblem::Start(char::from(choices.byte()))),
        2 => Refusal::NoSuchNick(choices.typed()),
        3 => Refusal::NoSuchRoom(choices.typed()),
        4 => Refusal::NickTaken(choices.nick()),
        5 => Refusal::BadText(What::Topic, hub::TextProblem::Blank),
        6 => Refusal::TooMany(Bound::Rooms, 1),
        _ => Refusal::Unwritten(None),
    };
    Event::Refused { verb, nonce: None, refusal }
}

/// What the hub may answer to a command of this verb.
fn answer(verb: Verb, choices: &mut Choices<'_>) -> Event {
    let has_more = choices.below(4) == 3;
    match verb {
        Verb::Connect => Event::Connected {
            nick: choices.nick(),
            presence: Presence::Listening,
            conversations: Vec::new(),
        },
        Verb::Join => Event::Admitted(choices.view()),
        Verb::Picture => Event::Pictured(choices.view()),
        Verb::Leave => Event::Dismissed { room: choices.room() },
        Verb::Nick => Event::Renamed { who: choices.who(), nick: choices.nick() },
        Verb::Who => Event::Names {
            room: choices.room(),
            names: (0..choices.below(5))
                .map(|_| Present { nick: choices.nick(), away: choices.line() })
                .collect(),
            listening: choices.byte().into(),
            next: has_more.then(|| MemberId::mint(0, 1)),
        },
        Verb::Rooms => Event::RoomList {
            rooms: (0..choices.below(5)).map(|_| room_line(choices)).collect(),
            next: has_more.then(|| "dev".into()),
        },
        Verb::Complete => {
            Event::Completions { names: (0..choices.below(5)).map(|_| choices.nick()).collect() }
        }
        Verb::Conversations => Event::Conversations(Vec::new()),
        Verb::Topic | Verb::SetTopic => Event::TopicIs { room: choices.room(), topic: choices.view().topic },
        Verb::Ignore => Event::Ignoring {
            other: choices.who(),
            hearing: if has_more { Hearing::Everything } else { Hearing::Nothing },
        },
        Verb::Ignored => Event::IgnoreList { nicks: (0..choices.below(5)).map(|_| choices.nick()).collect() },
        Verb::Away => Event::Away { who: choices.who(), message: choices.line() },
        Verb::Quit => Event::Disconnected,
        Verb::History => Event::Page(choices.page().into()),
        Verb::Search => Event::Found(choices.findings().into()),
        Verb::Direct | Verb::Say | Verb::Act | Verb::Appear | Verb::Edit | Verb::Redact => {
            match choices.line() {
                Some(message) => Event::RecipientAway { nick: choices.nick(), message },
                None => refusal(verb, choices),
            }
        }
    }
}

fn room_line(choices: &mut Choices<'_>) -> RoomLine {
    RoomLine { name: choices.room().name, members: choices.byte().into(), topic: choices.line() }
}

/// What a room or a conversation may be told.
fn news(choices: &mut Choices<'_>) -> Event {
    let announced = choices.one_of(&[Announced::Singly, Announced::InSum]);
    let (room, who, sequence) = (choices.room(), choices.who(), Sequence(1));
    match choices.below(12) {
        0 => Event::Joined { room, who, announced },
        1 => Event::Left { room, who, announced },
        2 => Event::Quit { who, reason: choices.line(), announced },
        3 => Event::Directed {
            conversation: room.number,
            sequence,
            from: who,
            to: choices.who(),
            text: choices.text(),
            signature: None,
        },
        4 => Event::TopicSet { room, sequence, by: who, topic: choices.line(), signature: None },
        5 => Event::Summed { room, arrived: choices.crowd(), departed: choices.crowd() },
        6 => Event::Lost { room, sequence, from: Sequence(1), to: Sequence(2) },
        7 => Event::Edited {
            room,
            sequence,
            by: who,
            target: Sequence(1),
            text: choices.text(),
            signature: None,
        },
        8 => Event::Redacted {
            room,
            sequence,
            by: who,
            target: Sequence(1),
            reason: choices.line(),
            signature: None,
        },
        9 => Event::JournalIs { trouble: Some(Trouble::Full).filter(|_| choices.below(2) == 1) },
        10 => {
            let author = Author::Door { kind: DoorKind::Web, label: who.nick };
            Event::Said {
                room,
                sequence,
                author,
                text: choices.text(),
                manner: Manner::Acting,
                signature: None,
            }
        }
        _ => said(who, room, choices.text()),
    }
}

fn said(who: Who, room: RoomRef, text: Text) -> Event {
    Event::Said {
        room,
        sequence: Sequence(1),
        author: Author::Member(who),
        text,
        manner: Manner::Saying,
        signature: None,
    }
}

fn rendered(setup: &Setup, told: &Told) -> Vec<u8> {
    let mut bytes = Vec::new();
    PlainSession::render(Style::Chat, setup, told, &mut bytes);
    bytes
}

// What must be true of what comes of it.

fn check_command(setup: &Setup, command: &Command) {
    match command {
        Command::Say { text, .. } | Command::Act { text, .. } | Command::Direct { text, .. } => {
            check_text(setup, text);
        }
        Command::Nick { nick: raw }
        | Command::Ignore { nick: raw }
        | Command::Join { room: raw }
        | Command::SetTopic { topic: raw, .. }
        | Command::Away { message: raw }
        | Command::Quit { reason: raw }
        | Command::Search { search: Search { words: raw, .. }, .. } => {
            assert!(raw.len() <= TEXT_BYTES_MAX, "{} bytes", raw.len());
        }
        _ => {}
    }
}

/// A text is within its bounds, and every line that others read of it has its author in front.
fn check_text(setup: &Setup, text: &Text) {
    assert!(text.formatted().len() <= TEXT_BYTES_MAX, "{} bytes", text.formatted().len());
    assert!(text.lines().count() <= TEXT_LINES_MAX);
    let who = Who { member: MemberId::mint(0, 1), nick: "ann".into(), address: None };
    let room = RoomRef { number: RoomNumber(1), name: "lobby".into() };
    let event = said(who, room, text.clone());
    let told = Told { position: Position(1), time: Time(0), audience: to_oneself(), event };
    let bytes = rendered(setup, &told);
    check_shown(&bytes);
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    assert!(lines.all(|line| line.starts_with(b"<ann> ")), "{}", bytes.escape_ascii());
}

/// What this person alone is told. The only bytes that are none for a terminal are for a program that speaks TLS.
fn check_words(words: &[u8]) {
    assert!(words.len() <= WORDS_BYTES_MAX, "{} bytes", words.len());
    let tls = Protocol::Tls.refusal(b"");
    check_shown(words.strip_suffix(tls.as_slice()).unwrap_or(words));
}

/// Whole lines, without anything that a terminal would obey.
fn check_shown(bytes: &[u8]) {
    check_harmless(bytes);
    let has_lone_return = bytes.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n');
    assert!(!has_lone_return, "a lone CR: {}", bytes.escape_ascii());
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "half a line: {}", bytes.escape_ascii());
}

/// Nothing that a terminal would obey.
fn check_harmless(bytes: &[u8]) {
    let tls = Protocol::Tls.refusal(b"");
    let bytes = bytes.strip_suffix(tls.as_slice()).unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { panic!("no text: {}", bytes.escape_ascii()) };
    let is_obeyed = |character: char| {
        let is_control = character.is_control() && !"\t\n\r".contains(character);
        is_control
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(is_obeyed), "{}", bytes.escape_ascii());
}

#[cfg(test)]
mod tests {
    use std::fs;

    /// Plays again what is kept for a target.
    fn play_kept(target: &str, play: impl Fn(&[u8])) {
        let kept = format!("{}/../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        let inputs = fs::read_dir(&kept).expect("a directory of inputs");
        let mut count = 0;
        for input in inputs {
            let path = input.expect("an input").path();
            // The name of what fails stands above its panic.
            println!("{}", path.display());
            play(&fs::read(&path).expect("a file"));
            count += 1;
        }
        assert!(count > 0, "{kept} is empty");
    }

    #[test]
    fn what_a_fuzzer_kept_of_plain_text_is_played_again() {
        play_kept("plain", |bytes| super::plain(bytes, || 0));
    }

    #[test]
    fn what_a_fuzzer_kept_of_json_lines_is_played_again() {
        play_kept("json", |bytes| super::json(bytes, || 0));
    }

    #[test]
    fn what_a_fuzzer_kept_of_editing_is_played_again() {
        play_kept("editor", super::editor);
    }
}
