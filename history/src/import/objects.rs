//! Objects: what a line of an export says, in our own words and clean.
//!
//! Where it stands: between the lines and the log, which knows whether one object fits those before it.
//!
//! What this file must never do: let a text, a nick or a number through that the hub would not have made.

use super::ImportError;
use super::lines::Lines;
use crate::export::JSON_VERSION;
use hub::{
    Author, DoorKind, Line, Manner, MemberId, Nick, RoomName, Sequence, TEXT_BYTES_MAX, Text, TextProblem,
    Time, Topic, Who,
};
use serde::Deserialize;
use std::fmt::Display;

/// What an export calls somebody whose name was not readable any more.
const UNREADABLE_NICK: &str = "?";

/// The first line.
pub(super) struct Head {
    pub(super) name: RoomName,
    /// As it was when the export was made.
    pub(super) topic: Option<Topic>,
}

/// A number of the room, and what is told of it.
pub(super) struct Object {
    pub(super) sequence: Sequence,
    pub(super) told: Told,
}

/// What is told of a number.
pub(super) enum Told {
    /// Nothing remains of it but the number.
    Void,
    /// A fact.
    Fact(Time, What),
    /// The numbers in front of it were lost in a crash.
    Lost { time: Time, from: Sequence, to: Sequence },
}

/// What a fact is.
pub(super) enum What {
    Opened,
    Said { author: Author, manner: Manner, text: Text },
    Erased { author: Author },
    Topic { by: Who, topic: Option<Line> },
    Edited { by: Who, target: Sequence, text: Text },
    Redacted { by: Who, target: Sequence, reason: Option<Line> },
}

/// Which line it is.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
    version: Option<u64>,
}

#[derive(Deserialize)]
struct RawHead {
    room: String,
    topic: Option<RawTopic>,
}

#[derive(Deserialize)]
struct RawTopic {
    text: String,
    from: RawWho,
    time: String,
}

#[derive(Deserialize)]
struct RawWho {
    nick: String,
    door: Option<String>,
}

/// Any line but the first, with all that any of them may have.
#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    what: String,
    kind: Option<String>,
    sequence: Option<u64>,
    time: Option<String>,
    from: Option<RawWho>,
    text: Option<String>,
    topic: Option<String>,
    reason: Option<String>,
    target: Option<u64>,
    first: Option<u64>,
    last: Option<u64>,
    objects: Option<u64>,
}

impl Head {
    pub(super) fn read(lines: &mut Lines<'_>) -> Result<Head, ImportError> {
        let parsed = match lines.next()? {
            None => {
                return Err(ImportError::Line { line: 1, what: format!("there is nothing; {NO_EXPORT}") });
            }
            Some(line) => Head::parse(line),
        };
        parsed.map_err(|what| lines.error(what))
    }

    fn parse(line: &[u8]) -> Result<Head, String> {
        let kind: Kind = serde_json::from_slice(line).map_err(|_| NO_EXPORT.to_owned())?;
        match (&*kind.kind, kind.version) {
            ("export", Some(JSON_VERSION)) => {}
            ("export", Some(version)) if version > JSON_VERSION => {
                return Err(format!(
                    "this export was made by a newer roomful (version {version} of the format; this one knows \
                     {JSON_VERSION}); use that"
                ));
            }
            _ => return Err(NO_EXPORT.to_owned()),
        }
        let raw: RawHead = parsed(line)?;
        if raw.room.starts_with('@') {
            return Err("this is a direct conversation, and nobody could be found whose it is; only rooms can be imported".into());
        }
        let name = RoomName::parse(&raw.room).map_err(|problem| wrong("room", problem))?;
        let topic = raw.topic.map(RawTopic::topic).transpose()?;
        Ok(Head { name, topic })
    }
}

const NO_EXPORT: &str = "this is no export of roomful; `roomful export ROOM --format json` makes one";

impl RawTopic {
    fn topic(self) -> Result<Topic, String> {
        let text = line("topic", &self.text)?;
        Ok(Topic { text, by: self.from.who()?.nick, time: time(&self.time)? })
    }
}

/// The next object; `None` behind the last.
pub(super) fn next(lines: &mut Lines<'_>) -> Result<Option<Object>, ImportError> {
    let before = lines.number();
    let parsed = match lines.next()? {
        None => {
            let what = "the file ends here, but an export ends with an object of the type \"end\"; it has been cut off";
            return Err(lines.error(what));
        }
        Some(line) => Raw::parse(line),
    };
    let raw = parsed.map_err(|what| lines.error(what))?;
    if raw.what != "end" {
        return raw.object().map(Some).map_err(|what| lines.error(what));
    }
    // One line is the head.
    let expected = before - 1;
    if raw.objects != Some(expected) {
        return Err(
            lines.error(format!("{expected} objects stand in front of the end, which says otherwise"))
        );
    }
    match lines.next()? {
        None => Ok(None),
        Some(_) => Err(lines.error("something stands behind the end; one file is one export")),
    }
}

impl Raw {
    fn parse(line: &[u8]) -> Result<Raw, String> {
        parsed(line)
    }

    fn object(self) -> Result<Object, String> {
        let sequence = number("sequence", self.sequence)?;
        if self.what == "void" {
            return Ok(Object { sequence, told: Told::Void });
        }
        if self.what != "event" {
            return Err(format!("the type {:?} is unknown here; it would be event, void or end", self.what));
        }
        let time = time(given("time", self.time.as_deref())?)?;
        if self.kind.as_deref() == Some("lost") {
            let (from, to) = (number("first", self.first)?, number("last", self.last)?);
            return Ok(Object { sequence, told: Told::Lost { time, from, to } });
        }
        Ok(Object { sequence, told: Told::Fact(time, self.what()?) })
    }

    fn what(self) -> Result<What, String> {
        let kind = given("kind", self.kind)?;
        let from = || given("from", self.from);
        let said = |text: Option<String>| text_of(&given("text", text)?);
        Ok(match &*kind {
            "opened" => What::Opened,
            "said" | "acted" => {
                let manner = if kind == "said" { Manner::Saying } else { Manner::Acting };
                What::Said { author: from()?.author()?, manner, text: said(self.text)? }
            }
            "erased" => What::Erased { author: from()?.author()? },
            "topic" => {
                let topic = self.topic.map(|topic| line("topic", &topic)).transpose()?;
                What::Topic { by: from()?.who()?, topic }
            }
            "edited" => {
                let target = number("target", self.target)?;
                What::Edited { by: from()?.who()?, target, text: said(self.text)? }
            }
            "redacted" => {
                let reason = self.reason.map(|reason| line("reason", &reason)).transpose()?;
                What::Redacted { by: from()?.who()?, target: number("target", self.target)?, reason }
            }
            _ => return Err(format!("the kind {kind:?} is unknown here")),
        })
    }
}

impl RawWho {
    fn who(self) -> Result<Who, String> {
        match self.door {
            None => Ok(Who { member: MemberId::NOBODY, nick: nick(&self.nick)?, address: None }),
            Some(_) => Err("from: a door can only say something".into()),
        }
    }

    fn author(self) -> Result<Author, String> {
        let Some(door) = &self.door else { return self.who().map(Author::Member) };
        let kinds = [DoorKind::Web, DoorKind::Hook, DoorKind::Datagram, DoorKind::Operator];
        let kind = kinds.into_iter().find(|kind| kind.word() == door);
        let kind = kind.ok_or_else(|| format!("from: the door {door:?} is unknown here"))?;
        Ok(Author::Door { kind, label: nick(&self.nick)? })
    }
}

/// What was read, or what is wrong with it and where. `serde_json` ends its words with a line, which would always be the first.
fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| {
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        if error.is_eof() {
            format!("it ends in the middle of an object; the file has been cut off ({words})")
        } else {
            format!("{words}, at byte {}", error.column())
        }
    })
}

fn given<T>(what: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("{what} is missing"))
}

fn wrong(what: &str, problem: impl Display) -> String {
    format!("{what}: {problem}")
}

fn number(what: &str, value: Option<u64>) -> Result<Sequence, String> {
    let number = given(what, value)?;
    if number == 0 { Err(format!("{what} is 0; numbers begin with 1")) } else { Ok(Sequence(number)) }
}

fn time(text: &str) -> Result<Time, String> {
    let timestamp: jiff::Timestamp =
        text.parse().map_err(|_| format!("{text:?} is no time; write 2026-11-20T18:05:00.000Z"))?;
    let ms = u64::try_from(timestamp.as_millisecond());
    ms.map(Time).map_err(|_| format!("{text:?} is before 1970"))
}

fn nick(raw: &str) -> Result<std::sync::Arc<str>, String> {
    if raw == UNREADABLE_NICK {
        return Ok(raw.into());
    }
    Nick::parse(raw).map(|nick| nick.shown).map_err(|problem| wrong("nick", problem))
}

/// A text that was relayed may be blank.
fn text_of(raw: &str) -> Result<Text, String> {
    match Text::new(raw) {
        Err(TextProblem::Blank) => Ok(Text::kept(raw)),
        text => text.map_err(|problem| wrong("text", problem)),
    }
}

fn line(what: &str, raw: &str) -> Result<Line, String> {
    Line::new(raw, TEXT_BYTES_MAX).map_err(|problem| wrong(what, problem))
}
