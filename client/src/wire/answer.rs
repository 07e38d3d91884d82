//! What the server says, as types.
//!
//! Where it stands: behind the connection; the link and the model read these and nothing else of what the server wrote.
//!
//! What this file must never do: refuse a member, a type or a kind that it does not know (newer servers have them), or keep
//! a string that is not clean.

use super::Shown;
use hub::{Text, Time};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A line of the server's.
#[derive(Deserialize, Clone, PartialEq, Debug)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Answer {
    /// We are in.
    Welcome(Welcome),
    /// We are in a room, and this is what it looks like.
    Joined(Picture),
    /// What a room looks like behind a gap.
    Picture(Picture),
    /// Something of ours is kept.
    Ack(Ack),
    /// Something happened.
    Event(Event),
    /// Something that we asked for is not possible.
    Refusal(Refusal),
    /// Something was passed over.
    Gap(Gap),
    /// We have left a room.
    Left {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
        /// Which.
        room: Shown,
    },
    /// We are called so from now on.
    Nick {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
        /// The new name.
        nick: Shown,
    },
    /// We are away, or back.
    Away {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
        /// What those who write are told.
        message: Option<Shown>,
    },
    /// We hear somebody no more, or again.
    Ignored {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
        /// Whom.
        nick: Shown,
        /// Whether they are not heard.
        ignored: bool,
    },
    /// Whom we do not hear.
    Ignoring {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
        /// All of them.
        nicks: Vec<Shown>,
    },
    /// Who is in a room: one page of it.
    Names(Names),
    /// Which rooms there are: one page of it.
    Rooms(RoomsPage),
    /// With whom we have talked alone.
    Conversations {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
        /// All of them.
        conversations: Vec<Conversation>,
    },
    /// What a room is about.
    Topic {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
        /// Which room.
        room: Shown,
        /// `None` if nobody has said.
        topic: Option<Topic>,
    },
    /// A page of the past.
    History(Page),
    /// What a search found.
    Found(Findings),
    /// Something that we should know.
    Notice(Notice),
    /// The server still answers.
    Pong {
        /// Under which nonce that was asked for.
        nonce: Option<String>,
    },
    /// The connection ends, and why.
    Bye(Bye),
    /// Something newer than we are.
    #[serde(other)]
    Unknown,
}

impl Answer {
    /// The nonce of the request that this answers.
    pub(crate) fn nonce(&self) -> Option<&str> {
        match self {
            Answer::Joined(picture) => picture.nonce.as_deref(),
            Answer::Ack(ack) => ack.nonce.as_deref(),
            Answer::Refusal(refusal) => refusal.nonce.as_deref(),
            Answer::Left { nonce, .. }
            | Answer::Nick { nonce, .. }
            | Answer::Away { nonce, .. }
            | Answer::Ignored { nonce, .. }
            | Answer::Ignoring { nonce, .. }
            | Answer::Conversations { nonce, .. }
            | Answer::Topic { nonce, .. }
            | Answer::Pong { nonce } => nonce.as_deref(),
            Answer::Names(names) => names.nonce.as_deref(),
            Answer::Rooms(rooms) => rooms.nonce.as_deref(),
            Answer::History(page) => page.nonce.as_deref(),
            Answer::Found(findings) => findings.nonce.as_deref(),
            Answer::Welcome(_)
            | Answer::Picture(_)
            | Answer::Event(_)
            | Answer::Gap(_)
            | Answer::Notice(_)
            | Answer::Bye(_)
            | Answer::Unknown => None,
        }
    }
}

/// Who we are to the server, and what it is like.
#[derive(Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Welcome {
    /// Of the protocol.
    pub version: u32,
    /// The server's name and version.
    pub server: Shown,
    /// Names the server's history.
    pub epoch: Shown,
    /// What we are called.
    pub nick: Shown,
    /// What makes us the same client the next time.
    pub resume: Secret,
    /// With whom we have talked alone.
    #[serde(default)]
    pub conversations: Vec<Conversation>,
}

/// What makes us the same client the next time. Not to be shown.
#[derive(Deserialize, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    /// As it is said in a hello.
    pub secret: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// A conversation with one other person.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Conversation {
    /// Its name: `@` and a number.
    pub room: Shown,
    /// The nick of the other.
    pub with: Shown,
    /// Of its last event.
    pub sequence: u64,
}

/// A room as it is at this moment.
#[derive(Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Picture {
    /// Under which nonce it was entered.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Which room.
    pub room: Shown,
    /// Of its last event.
    pub sequence: u64,
    /// What it is about.
    #[serde(default)]
    pub topic: Option<Topic>,
    /// The first few who are in it, without ourselves.
    #[serde(default)]
    pub members: Vec<Shown>,
    /// How many there are besides.
    #[serde(default)]
    pub others: u32,
    /// How many only listen.
    #[serde(default)]
    pub listening: u32,
    /// Whether what we missed follows. Only of `joined`.
    #[serde(default)]
    pub resumed: bool,
    /// Why it does not, if we said how far we had read.
    #[serde(default)]
    pub reason: Option<Shown>,
}

/// What a room is about.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Topic {
    /// The words.
    pub text: Shown,
    /// Who said so.
    pub by: Shown,
    /// When.
    #[serde(deserialize_with = "time")]
    pub time: Time,
}

/// Something of ours is kept for good.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ack {
    /// Under which nonce it was said.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Where; of something direct, the conversation.
    pub room: Shown,
    /// Where in the order of that room.
    pub sequence: u64,
    /// When; missing if it was acknowledged before.
    #[serde(default, deserialize_with = "maybe_time")]
    pub time: Option<Time>,
    /// Whether it was acknowledged before.
    #[serde(default)]
    pub repeated: bool,
}

/// Who said or did something.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Author {
    /// A member's nick, or what something else is called.
    pub nick: Shown,
    /// By what it speaks, if it is no member: never to be taken for one.
    #[serde(default)]
    pub door: Option<Shown>,
}

impl fmt::Display for Author {
    /// `ann`, or `build (hook)`, which no member can be called.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.door {
            None => self.nick.fmt(formatter),
            Some(door) => write!(formatter, "{} ({door})", self.nick),
        }
    }
}

/// Somebody who is in a room.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Person {
    /// Their nick.
    pub nick: Shown,
    /// If they are away, what they say about it.
    #[serde(default)]
    pub away: Option<Shown>,
}

/// Something that happened.
#[derive(Deserialize, Clone, PartialEq, Debug)]
#[serde(try_from = "RawEvent")]
pub(crate) struct Event {
    /// Where, if it was in one room; a conversation is `@` and a number.
    pub room: Option<Shown>,
    /// Where in the order of that room, if it is kept.
    pub sequence: Option<u64>,
    /// When.
    pub time: Time,
    /// Whose doing it was.
    pub from: Option<Author>,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Happening {
    /// Something was said.
    Said {
        /// What.
        text: Text,
        /// Whether it was changed since; only on pages.
        is_edited: bool,
    },
    /// Somebody said what they do.
    Acted {
        /// What.
        text: Text,
        /// Whether it was changed since; only on pages.
        is_edited: bool,
    },
    /// Something was said to one person.
    Direct {
        /// To whom.
        to: Author,
        /// What.
        text: Text,
        /// Whether it was changed since; only on pages.
        is_edited: bool,
    },
    /// The room has another topic, or none.
    Topic(Option<Shown>),
    /// Something that was said says something else now.
    Edited {
        /// Its sequence.
        target: u64,
        /// What it says.
        text: Text,
    },
    /// Something that was said is gone.
    Redacted {
        /// Its sequence.
        target: u64,
        /// Why.
        reason: Option<Shown>,
    },
    /// A crash took something that nobody had been promised.
    Lost {
        /// The first sequence.
        first: u64,
        /// The last.
        last: u64,
    },
    /// The room was opened.
    Opened,
    /// Something stood here that was erased.
    Erased,
    /// Somebody came in.
    Joined,
    /// Somebody left the room.
    Left,
    /// Somebody left the server.
    Quit {
        /// Last words.
        reason: Option<Shown>,
    },
    /// Somebody is called otherwise.
    Renamed {
        /// The new name.
        nick: Shown,
    },
    /// Somebody is away, or back.
    Away {
        /// What they say about it; `None` is back.
        message: Option<Shown>,
    },
    /// Several came and went.
    Sum {
        /// Came.
        arrived: Crowd,
        /// Went.
        departed: Crowd,
    },
    /// Nothing can be written down, or it can again.
    Journal {
        /// Why; `None` if it can again.
        trouble: Option<Shown>,
    },
    /// Something newer than we are.
    Unknown,
}

/// The first few, and how many more.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Crowd {
    /// The first few.
    #[serde(default)]
    pub nicks: Vec<Shown>,
    /// How many more.
    #[serde(default)]
    pub others: u32,
}

/// Something that is not possible, and why.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// Under which nonce it was asked for.
    #[serde(default)]
    pub nonce: Option<String>,
    /// What was asked for.
    #[serde(default)]
    pub request: Option<Shown>,
    /// Where, if it was one of several rooms.
    #[serde(default)]
    pub room: Option<Shown>,
    /// For programs.
    pub code: Shown,
    /// For people.
    pub text: Shown,
}

/// Something was passed over.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Gap {
    /// Where; `None` if it was among direct messages.
    #[serde(default)]
    pub room: Option<Shown>,
    /// The first sequence of it.
    #[serde(default)]
    pub from: Option<u64>,
    /// The last.
    #[serde(default)]
    pub to: Option<u64>,
    /// How many messages.
    #[serde(default)]
    pub messages: Option<u64>,
    /// `forgotten`, or that we read too slowly.
    #[serde(default)]
    pub reason: Option<Shown>,
}

/// Who is in a room: one page of it.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Names {
    /// Under which nonce it was asked for.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Which room.
    pub room: Shown,
    /// Some of them.
    #[serde(rename = "names")]
    pub people: Vec<Person>,
    /// How many only listen.
    #[serde(default)]
    pub listening: u32,
    /// Whether another page follows.
    #[serde(default)]
    pub more: bool,
}

/// Which rooms there are: one page of it.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct RoomsPage {
    /// Under which nonce it was asked for.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Some of them.
    pub rooms: Vec<RoomLine>,
    /// Whether another page follows.
    #[serde(default)]
    pub more: bool,
}

/// A room in a list.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct RoomLine {
    /// Its name.
    pub room: Shown,
    /// How many are in it.
    pub members: u32,
    /// What it is about.
    #[serde(default)]
    pub topic: Option<Shown>,
}

/// A page of the past.
#[derive(Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Page {
    /// Under which nonce it was asked for.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Which room's.
    pub room: Shown,
    /// In order.
    pub events: Vec<Event>,
    /// There is more before this sequence.
    #[serde(default)]
    pub before: Option<u64>,
    /// There is more behind it.
    #[serde(default)]
    pub after: Option<u64>,
    /// The last sequence that the server has let go of.
    #[serde(default)]
    pub forgotten: Option<u64>,
}

/// What a search found, the newest first.
#[derive(Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Findings {
    /// Under which nonce it was asked for.
    #[serde(default)]
    pub nonce: Option<String>,
    /// The newest first.
    pub events: Vec<Event>,
    /// What else there is.
    pub rest: Rest,
}

/// What else there is to find.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rest {
    /// That was all.
    Nothing,
    /// More, before the last that was found.
    More,
    /// Perhaps more: it took too long to look at everything.
    #[serde(other)]
    OutOfTime,
}

/// Something that we should know.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Notice {
    /// For programs.
    pub code: Shown,
    /// For people.
    pub text: Shown,
    /// Whom it concerns.
    #[serde(default)]
    pub nick: Option<Shown>,
    /// What they say.
    #[serde(default)]
    pub message: Option<Shown>,
}

/// The connection ends.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bye {
    /// For programs.
    pub code: Shown,
    /// For people.
    pub text: Shown,
}

/// A line that is nothing that a Roomful server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable {
    /// What is wrong with it.
    pub why: String,
}

/// Reads a line, without its end.
///
/// # Errors
/// It is no JSON, or says something in another shape than the protocol has it.
pub(crate) fn read(line: &[u8]) -> Result<Answer, Unreadable> {
    serde_json::from_slice(line)
        .map_err(|error| Unreadable { why: Shown::new(&error.to_string()).to_string() })
}

#[derive(Deserialize)]
struct RawEvent {
    kind: String,
    room: Option<Shown>,
    sequence: Option<u64>,
    #[serde(deserialize_with = "time")]
    time: Time,
    from: Option<Author>,
    to: Option<Author>,
    text: Option<String>,
    edited: Option<u64>,
    topic: Option<Shown>,
    target: Option<u64>,
    reason: Option<Shown>,
    first: Option<u64>,
    last: Option<u64>,
    nick: Option<Shown>,
    message: Option<Shown>,
    arrived: Option<Crowd>,
    departed: Option<Crowd>,
    trouble: Option<Shown>,
}

impl TryFrom<RawEvent> for Event {
    type Error = String;

    fn try_from(raw: RawEvent) -> Result<Event, String> {
        let missing =
            |member: &str| format!("an event of the kind '{}' has no {member}", Shown::new(&raw.kind));
        let text = || raw.text.as_deref().map(Text::kept).ok_or_else(|| missing("text"));
        let number = |number: Option<u64>, member| number.ok_or_else(|| missing(member));
        let is_edited = raw.edited.is_some();
        let what = match raw.kind.as_str() {
            "said" => Happening::Said { text: text()?, is_edited },
            "acted" => Happening::Acted { text: text()?, is_edited },
            "direct" => {
                let to = raw.to.clone().ok_or_else(|| missing("to"))?;
                Happening::Direct { to, text: text()?, is_edited }
            }
            "topic" => Happening::Topic(raw.topic.clone()),
            "edited" => Happening::Edited { target: number(raw.target, "target")?, text: text()? },
            "redacted" => {
                Happening::Redacted { target: number(raw.target, "target")?, reason: raw.reason.clone() }
            }
            "lost" => Happening::Lost { first: number(raw.first, "first")?, last: number(raw.last, "last")? },
            "opened" => Happening::Opened,
            "erased" => Happening::Erased,
            "joined" => Happening::Joined,
            "left" => Happening::Left,
            "quit" => Happening::Quit { reason: raw.reason.clone() },
            "renamed" => Happening::Renamed { nick: raw.nick.clone().ok_or_else(|| missing("nick"))? },
            "away" => Happening::Away { message: raw.message.clone() },
            "sum" => Happening::Sum {
                arrived: raw.arrived.clone().unwrap_or_default(),
                departed: raw.departed.clone().unwrap_or_default(),
            },
            "journal" => Happening::Journal { trouble: raw.trouble.clone() },
            _ => Happening::Unknown,
        };
        Ok(Event { room: raw.room, sequence: raw.sequence, time: raw.time, from: raw.from, what })
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    Ok(Time(u64::try_from(moment.as_millisecond()).unwrap_or(0)))
}

fn maybe_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    time(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_shows_is_read() {
        let document = include_str!("../../../docs/protocol.md");
        let mut count = 0;
        for line in document.lines() {
            let Some((_, json)) = line.split_once("< ").filter(|(_, json)| json.starts_with('{')) else {
                continue;
            };
            let answer = read(json.as_bytes()).unwrap_or_else(|problem| panic!("{json}: {}", problem.why));
            assert_ne!(answer, Answer::Unknown, "{json}");
            count += 1;
        }
        assert!(count > 50, "only {count} lines were found");
    }

    #[test]
    fn newer_servers_are_understood_as_far_as_they_can_be() {
        assert_eq!(read(br#"{"type":"weather","sun":1}"#), Ok(Answer::Unknown));
        let event = br#"{"type":"event","kind":"knitted","time":"2026-01-01T12:00:00.000Z","wool":[1]}"#;
        assert!(matches!(read(event), Ok(Answer::Event(Event { what: Happening::Unknown, .. }))));
    }

    #[test]
    fn what_is_none_of_it_is_said_so() {
        assert!(!read(b"-- you are guest-1").unwrap_err().why.is_empty());
        let said = br#"{"type":"event","kind":"said","time":"2026-01-01T12:00:00.000Z"}"#;
        assert!(read(said).unwrap_err().why.contains("has no text"));
        assert!(read(br#"{"type":"event","kind":"opened","time":"yesterday"}"#).is_err());
    }

    #[test]
    fn escape_sequences_end_here() {
        let line = br#"{"type":"refusal","code":"x","text":"\u001b[2J\u0007gone\u009b"}"#;
        let Ok(Answer::Refusal(refusal)) = read(line) else { panic!("a refusal was sent") };
        assert_eq!(&*refusal.text, "[2Jgone");
    }
}
