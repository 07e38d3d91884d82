//! Runs the transcripts in `tests/transcripts/`: what is typed, and what the hub tells whom.
//!
//! A line that begins with `> ` is done; the lines below it are what came of it. `#` begins a comment. After each line
//! the hub's chores are done, as the desk does them. To write the files anew, and then read what has changed:
//!
//! ```text
//! REWRITE_TRANSCRIPTS=1 cargo test -p hub --test transcripts
//! ```
//!
//! What can be done:
//!
//! ```text
//! > set announce_max 2          a bound, from now on
//! > here ann bob                they connect, appear and take these nicks; nothing is printed
//! > ann: connect 7              connects as guest 7; `listen 7` does it as a listener
//! > ann: say lobby hi           any command by its verb; a room by name, or by number as in `room:1`
//! > ann: who lobby more         the next page; `rooms more` likewise
//! > web(eve): say lobby hi      a door
//! > 5 times ann: say lobby hi   only the last one's outcome is printed
//! > wait 300ms                  time passes; chores are done when they are due
//! > may ann lobby               what she may there
//! > commit                      the journal writes: numbers are reserved, this much is kept
//! > write                       the journal writes a snapshot only: nothing is reserved
//! > crash                       a new process goes on from the last commit
//! ```
//!
//! `{x*600}` stands for 600 times x, `\n` for a line feed, `\u{202e}` for a character by its number.

use hub::{
    Among, Announced, Audience, Author, Command, Crowd, DoorKind, Event, Fact, Hearing, Hub, Manner,
    MemberId, Nick, Place, Presence, Proposal, Record, Refusal, Reservation, RoomName, RoomNumber, RoomRef,
    RoomView, Sequence, Settings, Snapshot, Speaker, Text, Time, Told, Topic,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[test]
fn every_transcript_says_what_happens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let entries = std::fs::read_dir(folder).expect("the folder is part of the crate");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let different: Vec<String> = files.iter().filter_map(|file| check(file)).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What is different, if anything is.
fn check(file: &Path) -> Option<String> {
    let expected = std::fs::read_to_string(file).expect("a transcript is text");
    let actual = Play::new().perform(&expected);
    if std::env::var_os("REWRITE_TRANSCRIPTS").is_some() {
        std::fs::write(file, &actual).expect("the folder can be written to");
        return None;
    }
    let pairs = expected.lines().zip(actual.lines()).enumerate();
    let line = pairs.clone().find(|(_, (expected, actual))| expected != actual);
    let line = line.map_or(pairs.count(), |(number, _)| number);
    let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_string();
    let name = file.display();
    (expected != actual)
        .then(|| format!("{name}:{}\n  expected {}\n  actual   {}", line + 1, at(&expected), at(&actual)))
}

/// One transcript on its way.
struct Play {
    hub: Hub,
    now: Time,
    /// By the name that the transcript has for them.
    members: BTreeMap<String, MemberId>,
    next_names: Option<MemberId>,
    next_rooms: Option<Arc<str>>,
    kept: (Snapshot, Reservation),
    out: String,
}

impl Play {
    fn new() -> Play {
        let hub = Hub::new(Settings::new(RoomName::parse("lobby").expect("a name")));
        let kept = (hub.snapshot(), Reservation::default());
        let members = BTreeMap::new();
        Play { hub, now: Time(0), members, next_names: None, next_rooms: None, kept, out: String::new() }
    }

    fn perform(mut self, transcript: &str) -> String {
        for line in transcript.lines() {
            if let Some(input) = line.strip_prefix("> ") {
                self.out.extend([line, "\n"]);
                self.step(&unescaped(input));
            } else if line.is_empty() || line.starts_with('#') {
                self.out.extend([line, "\n"]);
            }
        }
        self.out
    }

    fn print(&mut self, line: &str) {
        writeln!(self.out, "  {}", line.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))
            .expect("a string takes everything");
    }

    fn step(&mut self, input: &str) {
        let (word, rest) = input.split_once(' ').unwrap_or((input, ""));
        match word {
            "set" => self.set(rest),
            "here" => rest.split(' ').for_each(|name| self.here(name)),
            "wait" => self.wait(rest),
            "may" => self.may(rest),
            "commit" => self.commit(),
            "write" => self.kept.0 = self.hub.snapshot(),
            "crash" => self.crash(),
            _ if rest.starts_with("times ") => {
                let rest = &rest["times ".len()..];
                for _ in 1..number(word) {
                    self.quietly(|play| play.speak(rest));
                }
                self.speak(rest);
            }
            _ => self.speak(input),
        }
        self.chores();
    }

    fn quietly(&mut self, act: impl FnOnce(&mut Play)) {
        let before = self.out.len();
        act(self);
        self.out.truncate(before);
    }

    fn set(&mut self, rest: &str) {
        let (name, value) = rest.split_once(' ').expect("a bound and its value");
        let mut settings = self.hub.settings().clone();
        let few = number(value);
        match name {
            "announce_max" => settings.announce_max = few,
            "sum_interval_ms" => settings.sum_interval_ms = few.into(),
            "members_max" => settings.members_max = few,
            "rooms_max" => settings.rooms_max = few,
            "members_of_room_max" => settings.members_of_room_max = few,
            "rooms_of_member_max" => settings.rooms_of_member_max = few,
            "ignored_max" => settings.ignored_max = few,
            "conversations_max" => settings.conversations_max = few,
            "topic_bytes_max" => settings.topic_bytes_max = few as usize,
            "reason_bytes_max" => settings.reason_bytes_max = few as usize,
            "page_lines_max" => settings.page_lines_max = few as usize,
            _ => panic!("there is no bound {name}"),
        }
        self.hub.set_settings(&settings);
    }

    fn here(&mut self, name: &str) {
        self.quietly(|play| {
            let guest = play.members.len();
            play.speak(&format!("{name}: connect {guest}"));
            play.speak(&format!("{name}: nick {name}"));
        });
    }

    fn wait(&mut self, rest: &str) {
        let ms = match (rest.strip_suffix("ms"), rest.strip_suffix('s')) {
            (Some(ms), _) => number(ms),
            (None, Some(seconds)) => number(seconds) * 1000,
            _ => panic!("wait how long? {rest}"),
        };
        self.now = self.now.after_ms(ms.into());
    }

    fn may(&mut self, rest: &str) {
        let (name, room) = rest.split_once(' ').expect("who and where");
        let member = self.member(name);
        let room = match place(room) {
            Place::Number(number) => number,
            Place::Name(name) => self.hub.room_named(&name).expect("a room that exists"),
        };
        let rights = [
            ("see", self.hub.may_see(member, room)),
            ("read", self.hub.may_read(member, room)),
            ("speak", self.hub.may_speak(member, room)),
        ];
        let rights: Vec<&str> =
            rights.iter().filter(|(_, granted)| *granted).map(|(right, _)| *right).collect();
        let rights = if rights.is_empty() { "nothing".into() } else { rights.join(", ") };
        self.print(&rights);
    }

    fn commit(&mut self) {
        let rooms: Vec<RoomNumber> = self.hub.snapshot().rooms.iter().map(|room| room.number).collect();
        let reservation = self.hub.reservation(rooms);
        self.hub.reserve(&reservation);
        self.kept = (self.hub.snapshot(), reservation);
    }

    fn crash(&mut self) {
        let (snapshot, reservation) = self.kept.clone();
        self.hub = Hub::restore(self.hub.settings().clone(), &snapshot);
        self.hub.recover(&reservation);
        self.members.clear();
        for fact in self.hub.losses(&reservation) {
            self.apply(fact);
        }
    }

    fn chores(&mut self) {
        while let Some(fact) = self.hub.chore(self.now) {
            if let Fact::Closed { room } = fact {
                self.print(&format!("room {room} is closed"));
            }
            self.apply(fact);
        }
    }

    fn speak(&mut self, input: &str) {
        let (name, words) = input.split_once(": ").expect("somebody: does something");
        let speaker = self.speaker(name);
        let command = self.command(words);
        match self.hub.propose(&speaker, &command) {
            Ok(Proposal::Fact(fact)) => self.apply(fact),
            Ok(Proposal::Answer(event)) => {
                self.remember_next(&event);
                let told = event_line(&event);
                self.print(&format!("answer: {told}"));
            }
            Ok(Proposal::Receipt(event, _)) => {
                let told = event_line(&event);
                self.print(&format!("receipt: {told}"));
            }
            Ok(Proposal::Read(reading)) => self.print(&format!("reads: {reading:?}")),
            Ok(Proposal::LookUp(lookup)) => self.print(&format!("looks up: {lookup:?}")),
            Ok(Proposal::Nothing) => self.print("nothing"),
            Err(refusal) => self.print(&refused(&refusal)),
        }
    }

    fn remember_next(&mut self, event: &Event) {
        match event {
            Event::Names { next, .. } => self.next_names = *next,
            Event::RoomList { next, .. } => self.next_rooms.clone_from(next),
            _ => {}
        }
    }

    fn apply(&mut self, fact: Fact) {
        let mut told = Vec::new();
        let record = Record { position: self.hub.position().next(), time: self.now, fact };
        self.hub.apply(record, &mut told);
        for told in &told {
            let line = self.told(told);
            self.print(&line);
        }
    }

    fn speaker(&mut self, name: &str) -> Speaker {
        let doors = [DoorKind::Web, DoorKind::Hook, DoorKind::Datagram, DoorKind::Operator];
        for kind in doors {
            let label = name.strip_prefix(kind.word()).and_then(|rest| rest.strip_prefix('('));
            if let Some(label) = label.and_then(|rest| rest.strip_suffix(')')) {
                return Speaker::Door { kind, label: Nick::parse(label).expect("a nick") };
            }
        }
        let next = MemberId::mint(0, self.members.len() as u64);
        Speaker::Member(*self.members.entry(name.into()).or_insert(next))
    }

    fn member(&self, name: &str) -> MemberId {
        *self.members.get(name).unwrap_or_else(|| panic!("{name} is not here"))
    }

    fn command(&self, words: &str) -> Command {
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        let text = || Text::new(behind).expect("a text that can be said");
        let room = place(first);
        match verb {
            "connect" => Command::Connect {
                guest: number(first),
                presence: Presence::Visible,
                address: None,
                nick: None,
                client: None,
            },
            "listen" => Command::Connect {
                guest: number(first),
                presence: Presence::Listening,
                address: None,
                nick: None,
                client: None,
            },
            "appear" => Command::Appear,
            "join" => Command::Join { room: rest.into() },
            "leave" => Command::Leave { room },
            "say" => Command::Say { room, text: text(), nonce: None },
            "act" => Command::Act { room, text: text(), nonce: None },
            "direct" => Command::Direct { to: first.into(), text: text(), nonce: None },
            "nick" => Command::Nick { nick: rest.into() },
            "set-topic" => Command::SetTopic { room, topic: behind.into(), nonce: None },
            "topic" => Command::Topic { room },
            "who" => Command::Who { room, after: self.next_names.filter(|_| behind == "more") },
            "picture" => Command::Picture {
                room: match room {
                    Place::Number(number) => number,
                    Place::Name(name) => self.hub.room_named(&name).expect("a room that exists"),
                },
            },
            "rooms" => Command::Rooms { after: self.next_rooms.clone().filter(|_| rest == "more") },
            "complete" => {
                let among = if first == "rooms" { Among::Rooms } else { Among::Nicks };
                Command::Complete { among, beginning: behind.into() }
            }
            "ignore" => Command::Ignore { nick: rest.into() },
            "ignored" => Command::Ignored,
            "away" => Command::Away { message: rest.into() },
            "quit" => Command::Quit { reason: rest.into() },
            _ => panic!("there is no command {verb}"),
        }
    }

    /// The transcript's name for a member.
    fn name(&self, member: MemberId) -> String {
        let found = self.members.iter().find(|(_, id)| **id == member);
        found.map_or_else(|| format!("member {}", member.number()), |(name, _)| name.clone())
    }

    fn told(&self, told: &Told) -> String {
        let audience = match &told.audience {
            Audience::Member(member) => self.name(*member),
            Audience::Room(room) => format!("room {room}"),
            Audience::Rooms(rooms) => {
                let rooms: Vec<String> = rooms.iter().map(ToString::to_string).collect();
                format!("rooms {}", rooms.join(", "))
            }
            Audience::Inboxes(both) => format!("inboxes {}, {}", self.name(both[0]), self.name(both[1])),
        };
        format!("{} to {audience}: {}", told.position.0, event_line(&told.event))
    }
}

fn event_line(event: &Event) -> String {
    match event {
        Event::Connected { nick, presence, .. } => {
            format!("connected as {nick}, {presence:?}").to_lowercase()
        }
        Event::Admitted(view) => format!("admitted to {}", viewed(view)),
        Event::Pictured(view) => format!("pictured {}", viewed(view)),
        Event::Dismissed { room } => format!("dismissed from {}", named(room)),
        Event::Disconnected => "disconnected".into(),
        Event::Refused { verb, refusal, .. } => format!("{} {}", verb.word(), refused(refusal)),
        Event::Names { room, names, listening, next } => {
            let present = |one: &hub::Present| match &one.away {
                Some(away) => format!("{} (away: {})", one.nick, away.shown()),
                None => one.nick.to_string(),
            };
            let names: Vec<String> = names.iter().map(present).collect();
            let more = if next.is_some() { ", more" } else { "" };
            format!("names of {}: [{}], {listening} listening{more}", named(room), names.join(" "))
        }
        Event::RoomList { rooms, next } => {
            let line = |room: &hub::RoomLine| match &room.topic {
                Some(topic) => format!("#{} {} '{}'", room.name, room.members, topic.shown()),
                None => format!("#{} {}", room.name, room.members),
            };
            let rooms: Vec<String> = rooms.iter().map(line).collect();
            let more = if next.is_some() { ", more" } else { "" };
            format!("rooms: [{}]{more}", rooms.join(", "))
        }
        Event::Completions { names } => format!("completions: [{}]", names.join(" ")),
        Event::TopicIs { room, topic } => {
            format!("topic of {}: {}", named(room), topic_of(topic.as_ref()))
        }
        Event::Ignoring { other, hearing: Hearing::Nothing } => format!("ignoring {}", other.nick),
        Event::Ignoring { other, hearing: Hearing::Everything } => format!("hearing {}", other.nick),
        Event::IgnoreList { nicks } => format!("ignored: [{}]", nicks.join(" ")),
        Event::RecipientAway { nick, message } => format!("{nick} is away: {}", message.shown()),
        Event::Joined { room, who, announced } => {
            format!("{} entered {}{}", who.nick, named(room), summed_up(*announced))
        }
        Event::Left { room, who, announced } => {
            format!("{} left {}{}", who.nick, named(room), summed_up(*announced))
        }
        Event::Quit { who, reason, announced } => {
            let reason = reason.as_ref().map_or(String::new(), |reason| format!(": {}", reason.shown()));
            format!("{} quit{reason}{}", who.nick, summed_up(*announced))
        }
        Event::Renamed { who, nick } => format!("{} is now {nick}", who.nick),
        Event::Away { who, message: Some(message) } => {
            format!("{} is away: {}", who.nick, message.shown())
        }
        Event::Away { who, message: None } => format!("{} is back", who.nick),
        Event::Said { room, sequence, author, text, manner, .. } => {
            let author = match author {
                Author::Member(who) => who.nick.to_string(),
                Author::Door { kind, label } => format!("{label} ({})", kind.word()),
            };
            let said = match manner {
                Manner::Saying => format!("<{author}> {}", text.formatted()),
                Manner::Acting => format!("* {author} {}", text.formatted()),
            };
            format!("{} {}", numbered(room, *sequence), said)
        }
        Event::Directed { conversation, sequence, from, to, text, .. } => {
            format!("{conversation}/{} {} -> {}: {}", sequence.0, from.nick, to.nick, text.formatted())
        }
        Event::TopicSet { room, sequence, by, topic, .. } => {
            let topic = topic.as_ref().map_or("none".into(), |topic| format!("'{}'", topic.shown()));
            format!("{} topic set by {}: {topic}", numbered(room, *sequence), by.nick)
        }
        Event::Summed { room, arrived, departed } => {
            format!("{}: came [{}], went [{}]", named(room), crowd(arrived), crowd(departed))
        }
        Event::Acknowledged { nonce, room, sequence } => {
            format!("acknowledged {} as #{} {}", nonce.as_str(), room.name, sequence.0)
        }
        Event::Edited { room, sequence, by, target, text, .. } => {
            format!(
                "#{} {}: {} changed {} to {:?}",
                room.name,
                sequence.0,
                by.nick,
                target.0,
                text.formatted()
            )
        }
        Event::Redacted { room, sequence, by, target, .. } => {
            format!("#{} {}: {} erased {}", room.name, sequence.0, by.nick, target.0)
        }
        Event::JournalIs { trouble } => format!("the journal is in trouble: {trouble:?}"),
        Event::Conversations(conversations) => format!("conversations {conversations:?}"),
        Event::Page(_) | Event::Found(_) | Event::Erased { .. } | Event::Opened { .. } => {
            panic!("the hub tells nothing of the past")
        }
        Event::Lost { room, sequence, from, to } => {
            format!("{} lost {} to {}", numbered(room, *sequence), from.0, to.0)
        }
    }
}

fn refused(refusal: &Refusal) -> String {
    format!("refused [{}]: {refusal}", refusal.code())
}

fn named(room: &RoomRef) -> String {
    format!("#{}", room.name)
}

fn numbered(room: &RoomRef, sequence: Sequence) -> String {
    format!("{}/{}", named(room), sequence.0)
}

fn summed_up(announced: Announced) -> &'static str {
    match announced {
        Announced::Singly => "",
        Announced::InSum => " (in sum)",
    }
}

fn crowd(crowd: &Crowd) -> String {
    let mut names = crowd.nicks.join(" ");
    if crowd.others > 0 {
        write!(names, " and {}", crowd.others).expect("a string takes everything");
    }
    names
}

fn topic_of(topic: Option<&Topic>) -> String {
    topic.map_or("none".into(), |topic| {
        format!("'{}' by {} at {}", topic.text.shown(), topic.by, topic.time.0)
    })
}

fn viewed(view: &RoomView) -> String {
    let topic = topic_of(view.topic.as_ref());
    let members = crowd(&view.members);
    let upto = view.upto.0;
    format!("{}/{upto}: topic {topic}, others [{members}], {} listening", named(&view.room), view.listening)
}

fn place(word: &str) -> Place {
    match word.strip_prefix("room:") {
        Some(digits) => Place::Number(RoomNumber(number(digits))),
        None => Place::Name(word.into()),
    }
}

fn number(digits: &str) -> u32 {
    digits.parse().unwrap_or_else(|_| panic!("{digits} is no number"))
}

/// See the head of this file.
fn unescaped(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['\\', '{']) {
        out += &rest[..at];
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("\\n") {
            out.push('\n');
            rest = behind;
        } else if let Some((hex, behind)) = rest.strip_prefix("\\u{").and_then(|rest| rest.split_once('}')) {
            let number = u32::from_str_radix(hex, 16).expect("hex digits");
            out.push(char::from_u32(number).expect("a character"));
            rest = behind;
        } else if let Some((what, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            && let Some((what, times)) = what.split_once('*')
        {
            out += &what.repeat(number(times) as usize);
            rest = behind;
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out + rest
}
