//! Some sessions and a hub, without sockets, threads or a clock. Whatever happens is written into one transcript.

#[path = "log.rs"]
mod log;

use dialect::plain::PlainSession;
use dialect::{Arrival, Flow, Output, Own, Secret, Session, Setup, Skipped, SkippedPlace};
use hub::{
    Audience, Command, Event, Fact, Hub, Keeping, MemberId, Place, Position, Presence, Proposal, Reading,
    Record, RoomName, RoomNumber, Search, Sequence, Settings, Speaker, Text, Time, Told, Who,
};
use log::Log;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// One connection and what the server keeps beside it.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) session: PlainSession,
    member: MemberId,
    /// Bytes that the session did not want yet.
    unread: VecDeque<Vec<u8>>,
    has_ended: bool,
    /// The rooms in which it has a cursor.
    rooms: Vec<RoomNumber>,
    /// What happened there since it began to wait, if it does.
    held_back: Option<Vec<Told>>,
    /// All that the session asked the hub for.
    pub(crate) commands: Vec<Command>,
    /// All that it alone was told.
    pub(crate) words: Vec<u8>,
    /// All that it read of its rooms.
    pub(crate) lines: Vec<u8>,
    /// What was not yet offered to its filter.
    pub(crate) unfiltered: Vec<u8>,
    /// What its filter has made of words and lines.
    pub(crate) filtered: Vec<u8>,
    pub(crate) is_closed: bool,
    /// Whether private words were sent since the session was last told that all have been taken.
    has_words: bool,
}

pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) people: Vec<Person>,
    pub(crate) transcript: String,
    hub: Hub,
    pub(crate) now: Time,
    log: Log,
    history: History,
    /// What the history has been asked and has not answered.
    readings: VecDeque<Reading>,
    /// What sessions asked for, in that order.
    asked: VecDeque<(usize, Command)>,
}

/// How fast the history answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    AtOnce,
    WhenAsked,
}

impl Person {
    fn has_to_filter(&self) -> bool {
        self.session.filters() && (!self.unfiltered.is_empty() || self.session.filter_is_due())
    }
}

impl World {
    /// Pages of names are short, so that a few people fill two.
    pub(crate) fn new() -> World {
        let home = RoomName::parse("lobby").expect("a name");
        let settings = Settings { page_lines_max: 3, announce_max: 6, ..Settings::new(home.clone()) };
        World {
            setup: Setup::new(home),
            people: Vec::new(),
            transcript: String::new(),
            hub: Hub::new(settings),
            now: Time(1_000_000),
            log: Log::default(),
            history: History::AtOnce,
            readings: VecDeque::new(),
            asked: VecDeque::new(),
        }
    }

    /// What is said from now on can be read again.
    pub(crate) fn keep_history(&mut self) {
        self.setup.keeping = Keeping::History;
        let settings = self.hub.settings().clone();
        self.hub.set_settings(&Settings { keeping: Keeping::History, ..settings });
    }

    /// Lets the history answer all that it has been asked, and from now on so fast.
    pub(crate) fn answer(&mut self, history: History) {
        self.history = history;
        while let Some(reading) = self.readings.pop_front() {
            let event = self.log.read(&reading);
            self.answer_member(reading.member, reading.position, event);
        }
        self.settle();
    }

    /// Somebody changes what was said, by a client that can do so.
    pub(crate) fn edit(&mut self, index: usize, room: u32, target: u64, text: &str) {
        let (room, target, by) = (RoomNumber(room), Sequence(target), self.client_of(index));
        let text = Text::new(text).expect("a text");
        self.apply(Fact::Edited { by, room, target, text, signature: None });
    }

    /// Somebody erases what was said.
    pub(crate) fn redact(&mut self, index: usize, room: u32, target: u64) {
        let (room, target, by) = (RoomNumber(room), Sequence(target), self.client_of(index));
        self.apply(Fact::Redacted { by, room, target, reason: None, signature: None });
    }

    fn client_of(&self, index: usize) -> Who {
        let person = &self.people[index];
        Who { member: person.member, nick: person.name.as_str().into(), address: None }
    }

    /// The journal can write, or cannot.
    pub(crate) fn journal_is(&mut self, trouble: Option<hub::Trouble>) {
        self.apply(Fact::JournalIs { trouble });
    }

    pub(crate) fn connect(&mut self, name: &str) -> usize {
        let index = self.people.len();
        let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
        let arrival = Arrival { now: self.now, peer, guest: index as u32 + 1, secret: Secret::new([0; 16]) };
        self.people.push(Person {
            name: name.into(),
            session: PlainSession::new(&self.setup, &arrival),
            member: MemberId::mint(0, index as u64 + 1),
            unread: VecDeque::new(),
            has_ended: false,
            rooms: Vec::new(),
            held_back: None,
            commands: Vec::new(),
            words: Vec::new(),
            lines: Vec::new(),
            unfiltered: Vec::new(),
            filtered: Vec::new(),
            is_closed: false,
            has_words: false,
        });
        index
    }

    pub(crate) fn send(&mut self, index: usize, bytes: &[u8]) {
        self.people[index].unread.push_back(bytes.to_vec());
        self.settle();
    }

    pub(crate) fn end(&mut self, index: usize) {
        self.people[index].has_ended = true;
        self.settle();
    }

    /// Time passes; every deadline is kept to the millisecond.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now.after_ms(ms);
        loop {
            let deadlines = self.people.iter().filter_map(|person| person.session.deadline());
            let next = deadlines.chain(self.hub.next_chore()).min().filter(|next| *next <= until);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            for index in 0..self.people.len() {
                self.call(index, PlainSession::tick);
            }
            self.settle();
            self.do_chores();
        }
        self.now = until;
    }

    pub(crate) fn miss(&mut self, index: usize, messages: u64, place: SkippedPlace) {
        let skipped = Skipped { place, messages, from: Sequence(17), to: Sequence(16 + messages) };
        self.call(index, |session, _, _, output| session.skipped(&skipped, output));
        self.settle();
    }

    pub(crate) fn last_call(&mut self) {
        for index in 0..self.people.len() {
            self.call(index, PlainSession::last_call);
        }
        self.settle();
    }

    pub(crate) fn stop(&mut self) {
        for index in 0..self.people.len() {
            self.call(index, |session, _, _, output| session.shutdown(output));
        }
        self.settle();
    }

    /// Calls a session, and does what it then wants done.
    fn call(&mut self, index: usize, call: impl FnOnce(&mut PlainSession, Time, &Setup, &mut Output)) {
        let mut output = Output::default();
        call(&mut self.people[index].session, self.now, &self.setup, &mut output);
        if self.people[index].is_closed {
            assert!(output.commands.is_empty() && output.words.is_empty(), "a closed session speaks");
            return;
        }
        self.people[index].words.extend_from_slice(&output.words);
        self.people[index].unfiltered.extend_from_slice(&output.words);
        self.note_lines(index, '<', &output.words);
        if output.close {
            self.people[index].is_closed = true;
            self.note(index, '!', "closed");
        }
        self.people[index].has_words |= !output.words.is_empty();
        match output.flow {
            Flow::Unchanged => {}
            Flow::Wait => self.people[index].held_back = Some(Vec::new()),
            Flow::GoOn => {
                for told in self.people[index].held_back.take().unwrap_or_default() {
                    self.show(index, &told);
                }
            }
            Flow::Withhold => self.people[index].held_back = None,
        }
        for command in output.commands {
            self.note(index, '=', &shown(&command));
            self.people[index].commands.push(command.clone());
            self.asked.push_back((index, command));
        }
    }

    /// Does what was asked for until nobody asks for more; words are taken when there is nothing else to do.
    fn settle(&mut self) {
        loop {
            if let Some((index, command)) = self.asked.pop_front() {
                self.ask(index, &command);
            } else if let Some(index) = self.people.iter().position(|person| person.has_words) {
                self.people[index].has_words = false;
                self.call(index, |session, _, _, output| session.drained(output));
            } else if let Some(index) = (0..self.people.len()).find(|index| self.has_unread(*index)) {
                self.read_once(index);
            } else if let Some(index) = self.people.iter().position(Person::has_to_filter) {
                self.filter(index);
            } else {
                break;
            }
        }
        for person in self.people.iter_mut().filter(|person| !person.session.filters()) {
            person.unfiltered.clear();
        }
    }

    /// What a filter makes of what goes out; those without one read it as it is.
    fn filter(&mut self, index: usize) {
        let person = &mut self.people[index];
        let unfiltered = std::mem::take(&mut person.unfiltered);
        let mut bytes = Vec::new();
        if unfiltered.is_empty() {
            person.session.filter(&[], &mut bytes);
        } else {
            person.session.filter(&[&unfiltered], &mut bytes);
        }
        person.filtered.extend_from_slice(&bytes);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.note(index, '^', &line.escape_ascii().to_string());
        }
    }

    fn has_unread(&self, index: usize) -> bool {
        let person = &self.people[index];
        let unread = !person.unread.is_empty() && person.session.wants_input();
        unread || (person.unread.is_empty() && person.has_ended)
    }

    fn read_once(&mut self, index: usize) {
        if let Some(bytes) = self.people[index].unread.pop_front() {
            self.call(index, |session, now, setup, output| session.received(now, setup, &bytes, output));
        } else {
            self.people[index].has_ended = false;
            self.call(index, PlainSession::ended);
        }
    }

    fn ask(&mut self, index: usize, command: &Command) {
        let member = self.people[index].member;
        let verb = command.verb();
        let event = match self.hub.propose(&Speaker::Member(member), command) {
            Ok(Proposal::Fact(fact)) => return self.apply(fact),
            Ok(Proposal::Answer(event) | Proposal::Receipt(event, _)) => event,
            Ok(Proposal::Read(reading)) if self.history == History::WhenAsked => {
                return self.readings.push_back(reading);
            }
            Ok(Proposal::Read(reading)) => self.log.read(&reading),
            Ok(Proposal::LookUp(_) | Proposal::Nothing) => return,
            Err(refusal) => Event::Refused { verb, refusal, nonce: None },
        };
        self.answer_member(member, self.hub.position(), event);
    }

    fn answer_member(&mut self, member: MemberId, position: Position, event: Event) {
        self.tell(&Told { position, time: self.now, audience: Audience::Member(member), event });
    }

    fn apply(&mut self, fact: hub::Fact) {
        let position = Position(self.hub.position().0 + 1);
        let mut told = Vec::new();
        self.hub.apply(Record { position, time: self.now, fact }, &mut told);
        for told in &told {
            self.log.keep(told);
            self.tell(told);
        }
    }

    fn do_chores(&mut self) {
        while let Some(fact) = self.hub.chore(self.now) {
            self.apply(fact);
        }
    }

    fn tell(&mut self, told: &Told) {
        for index in 0..self.people.len() {
            let person = &mut self.people[index];
            let is_in = |room: &RoomNumber| person.rooms.contains(room);
            let reads = match &told.audience {
                Audience::Member(member) if *member == person.member => {
                    self.tell_privately(index, told);
                    false
                }
                Audience::Member(_) => false,
                Audience::Room(room) => is_in(room),
                Audience::Rooms(rooms) => rooms.iter().any(is_in),
                Audience::Inboxes(members) => members.contains(&person.member),
            };
            if reads {
                self.show(index, told);
            }
        }
    }

    fn tell_privately(&mut self, index: usize, told: &Told) {
        let rooms = &mut self.people[index].rooms;
        match &told.event {
            Event::Admitted(view) => rooms.push(view.room.number),
            Event::Dismissed { room } => rooms.retain(|number| *number != room.number),
            Event::Disconnected => rooms.clear(),
            _ => {}
        }
        self.call(index, |session, now, setup, output| session.told(now, setup, told, output));
    }

    fn show(&mut self, index: usize, told: &Told) {
        let person = &mut self.people[index];
        if let Some(held_back) = &mut person.held_back {
            return held_back.push(told.clone());
        }
        let is_own = told.event.author() == Some(person.member);
        if person.is_closed || (is_own && person.session.own(person.member, told) == Own::StepOver) {
            return;
        }
        let mut bytes = Vec::new();
        PlainSession::render(person.session.rendition(), &self.setup, told, &mut bytes);
        self.people[index].lines.extend_from_slice(&bytes);
        self.people[index].unfiltered.extend_from_slice(&bytes);
        self.note_lines(index, '|', &bytes);
    }

    fn note_lines(&mut self, index: usize, sign: char, words: &[u8]) {
        for line in words.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            match std::str::from_utf8(line) {
                Ok(text) if !text.chars().any(char::is_control) => self.note(index, sign, text),
                _ => self.note(index, sign, &line.escape_ascii().to_string()),
            }
        }
    }

    fn note(&mut self, index: usize, sign: char, what: &str) {
        let noted = format!("{}{sign} {}", self.people[index].name, cut(what));
        writeln!(self.transcript, "{}", noted.trim_end()).expect("a string takes everything");
    }
}

/// A command as transcripts show it.
fn shown(command: &Command) -> String {
    let verb = command.verb();
    match command {
        Command::Connect { guest, presence: Presence::Listening, .. } => {
            format!("{verb} guest {guest}, listening")
        }
        Command::Connect { guest, presence: Presence::Visible, .. } => {
            format!("{verb} guest {guest}, visible")
        }
        Command::Complete { among, beginning } => format!("{verb} {among:?} {beginning:?}"),
        Command::Join { room } => format!("{verb} {room:?}"),
        Command::Say { room, text, .. } | Command::Act { room, text, .. } => {
            format!("{verb} {} {}", place(room), shown_text(text))
        }
        Command::Direct { to, text, .. } => format!("{verb} {to:?} {}", shown_text(text)),
        Command::Nick { nick } | Command::Ignore { nick } => format!("{verb} {:?}", cut(nick)),
        Command::SetTopic { room, topic, .. } => format!("{verb} {} {topic:?}", place(room)),
        Command::Leave { room } | Command::Topic { room } => format!("{verb} {}", place(room)),
        Command::Who { room, after } => format!("{verb} {}{}", place(room), behind(after.is_some())),
        Command::Picture { room } => format!("{verb} {room}"),
        Command::Rooms { after } => format!("{verb}{}", behind(after.is_some())),
        Command::Away { message } => format!("{verb} {message:?}"),
        Command::Quit { reason } => format!("{verb} {reason:?}"),
        Command::History { room, span, lines_max, .. } => {
            let most = if *lines_max == u32::MAX { "as many as fit".into() } else { lines_max.to_string() };
            format!("{verb} {} {span:?}, {most}", place(room))
        }
        Command::Search { room, search } => {
            let room = room.as_ref().map_or_else(|| "everywhere".into(), place);
            format!("{verb} {room} {}", looked_for(search))
        }
        Command::Edit { .. } | Command::Redact { .. } => panic!("nobody can do that by plain text"),
        Command::Appear | Command::Ignored | Command::Conversations => verb.to_string(),
    }
}

fn looked_for(search: &Search) -> String {
    let Search { words, author, since, before, .. } = search;
    let mut shown = format!("{words:?}");
    let narrowed = [
        author.as_ref().map(|author| format!(" from {author:?}")),
        since.map(|time| format!(" since {}", time.0)),
        before.map(|time| format!(" before {}", time.0)),
    ];
    shown.extend(narrowed.into_iter().flatten());
    shown
}

fn behind(is_later_page: bool) -> &'static str {
    if is_later_page { ", next page" } else { "" }
}

fn place(place: &Place) -> String {
    match place {
        Place::Number(number) => format!("{number}"),
        Place::Name(name) => format!("{name:?}"),
    }
}

fn shown_text(text: &Text) -> String {
    format!("{:?}", cut(text.formatted()))
}

/// Nobody wants to read a line of 16 KiB.
fn cut(text: &str) -> String {
    if text.len() <= 200 {
        return text.into();
    }
    let start: String = text.chars().take(20).collect();
    format!("{start}… ({} bytes)", text.len())
}
