//! What scripts print: events as lines for people, or as JSON for programs.
//!
//! Where it stands: behind each script that reads. Lines of the past are written as the server's `/history` writes them.
//!
//! What this file must never do: print what has not been cleaned, or hold back what could be read.

use super::Problem;
use crate::wire::{self, Event, Happening, Shown};
use dialect::Setup;
use hub::{
    Author, Line, Manner, MemberId, Past, Position, RoomName, RoomNumber, RoomRef, Sequence, Who, is_showable,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::io::{self, Write as _};

/// In which form things are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// Whether a line belongs to those around it, or stands for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// Lines of one room, one after another: the day is told when it changes.
    Room,
    /// Found here and there: each has its day and its room.
    None,
}

/// Writes events to standard output.
pub(super) struct Printer {
    form: Form,
    setup: Setup,
    day: Option<Date>,
    bytes: Vec<u8>,
}

impl Printer {
    /// For events of this room.
    pub(super) fn new(form: Form, room: &str) -> Printer {
        // A room that no server of ours could have is named in front of each line.
        let home = RoomName::parse(room).or_else(|_| RoomName::parse("lobby"));
        let setup = home.map(|home| Setup { zone: TimeZone::system(), ..Setup::new(home) });
        let setup = setup.expect("'lobby' is the name of a room");
        Printer { form, setup, day: None, bytes: Vec::new() }
    }

    /// Adds an event, and its JSON as the server wrote it.
    pub(super) fn event(&mut self, event: &Event, written: Value, context: Context) {
        match self.form {
            Form::Json => self.json(written),
            Form::Text => {
                let Some(past) = past(event) else { return };
                match context {
                    Context::Room => {
                        let past = std::iter::once(&past);
                        dialect::plain::write_past(&self.setup, past, &mut self.day, &mut self.bytes);
                    }
                    Context::None => {
                        dialect::plain::write_found(&self.setup, std::iter::once(&past), &mut self.bytes);
                    }
                }
            }
        }
    }

    /// Adds an object as a line.
    pub(super) fn json(&mut self, written: Value) {
        self.line(&json_line(written));
    }

    /// Adds a line of clean text.
    pub(super) fn line(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'\n');
    }

    /// Prints all that was added.
    pub(super) fn flush(&mut self) -> Result<(), Problem> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Problem::NobodyReads),
            Err(error) => Err(Problem::Io { what: "cannot print", error }),
        }
    }
}

/// The events of a page, as the server wrote them, in its order.
pub(super) fn events_of(line: &[u8]) -> Vec<Value> {
    list_of(line, "events")
}

/// The objects of a list that an answer has under this name.
pub(super) fn list_of(line: &[u8], name: &str) -> Vec<Value> {
    let mut answer: Value = serde_json::from_slice(line).unwrap_or_default();
    match answer.get_mut(name).map(Value::take) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// An object as it is printed, without the end of its line.
pub(super) fn json_line(mut written: Value) -> String {
    clean(&mut written);
    if let Value::Object(members) = &mut written {
        // The same object live and on a page.
        members.remove("type");
    }
    written.to_string()
}

/// Takes out of all strings in it, and of all names, what a terminal must not be sent: whoever reads the JSON may print what stands in it.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(may_stand),
        Value::Array(list) => list.iter_mut().for_each(clean),
        Value::Object(members) => {
            if members.keys().any(|name| !name.chars().all(may_stand)) {
                members.retain(|name, _| name.chars().all(may_stand));
            }
            members.values_mut().for_each(clean);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn may_stand(character: char) -> bool {
    is_showable(character) || matches!(character, '\n' | '\t')
}

/// A kept event as the server's own crates have it; none if it is not kept, or newer than we are.
fn past(event: &Event) -> Option<Past> {
    let room = event.room.as_ref()?;
    let room = RoomRef { number: number_of(room), name: (&**room).into() };
    let sequence = Sequence(event.sequence?);
    let author = || author(event.from.as_ref());
    let by = || who(event.from.as_ref());
    let said = |text: &hub::Text, manner| hub::Event::Said {
        room: room.clone(),
        sequence,
        author: author(),
        text: text.clone(),
        manner,
        signature: None,
    };
    let (said, is_edited) = match &event.what {
        Happening::Said { text, is_edited } => (said(text, Manner::Saying), *is_edited),
        Happening::Acted { text, is_edited } => (said(text, Manner::Acting), *is_edited),
        Happening::Direct { to, text, is_edited } => {
            let to = who(Some(to));
            let (conversation, from, text) = (room.number, by(), text.clone());
            (hub::Event::Directed { conversation, sequence, from, to, text, signature: None }, *is_edited)
        }
        Happening::Topic(topic) => {
            let topic = topic.as_ref().and_then(line);
            (hub::Event::TopicSet { room, sequence, by: by(), topic, signature: None }, false)
        }
        Happening::Edited { target, text } => {
            let (target, text) = (Sequence(*target), text.clone());
            (hub::Event::Edited { room, sequence, by: by(), target, text, signature: None }, false)
        }
        Happening::Redacted { target, reason } => {
            let (target, reason) = (Sequence(*target), reason.as_ref().and_then(line));
            (hub::Event::Redacted { room, sequence, by: by(), target, reason, signature: None }, false)
        }
        Happening::Lost { first, last } => {
            (hub::Event::Lost { room, sequence, from: Sequence(*first), to: Sequence(*last) }, false)
        }
        Happening::Opened => (hub::Event::Opened { room, sequence }, false),
        Happening::Erased => (hub::Event::Erased { room, sequence, author: author() }, false),
        Happening::Joined
        | Happening::Left
        | Happening::Quit { .. }
        | Happening::Renamed { .. }
        | Happening::Away { .. }
        | Happening::Sum { .. }
        | Happening::Journal { .. }
        | Happening::Unknown => return None,
    };
    let edited = is_edited.then_some(sequence);
    Some(Past { position: Position(0), time: event.time, event: said, edited })
}

/// The number of a conversation, which stands in its name; a room's is nowhere to be seen.
fn number_of(room: &str) -> RoomNumber {
    RoomNumber(room.strip_prefix('@').and_then(|number| number.parse().ok()).unwrap_or_default())
}

fn line(text: &Shown) -> Option<Line> {
    Line::new(text, usize::MAX).ok()
}

fn author(from: Option<&wire::Author>) -> Author {
    Author::Member(who(from))
}

/// Something that speaks by a door is named as such, whatever door that is.
fn who(from: Option<&wire::Author>) -> Who {
    Who { member: MemberId::NOBODY, nick: name_of(from).into(), address: None }
}

/// How an author is named.
pub(super) fn name_of(from: Option<&wire::Author>) -> String {
    from.map_or_else(|| "somebody".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_that_moves_a_cursor_is_left_in_an_object() {
        let mut value =
            json!({"a\u{1b}": 1, "b": ["\u{1b}[2J\u{202e}x\n\ty", {"c": "\u{9b}"}], "d": {"e": null}});
        clean(&mut value);
        assert_eq!(value, json!({"b": ["[2Jx\n\ty", {"c": ""}], "d": {"e": null}}));
    }

    #[test]
    fn events_are_written_as_the_server_writes_them() {
        let written = json!({"kind": "said", "room": "lobby", "sequence": 2, "time": "2026-11-20T18:05:00.000Z",
            "from": {"nick": "build", "door": "hook"}, "text": "one\n\u{1b}[31mtwo", "edited": 3});
        let event: Event = serde_json::from_value(written.clone()).unwrap();
        let mut printer = Printer::new(Form::Text, "lobby");
        printer.setup.zone = TimeZone::UTC;
        printer.event(&event, written, Context::Room);
        let text = String::from_utf8(std::mem::take(&mut printer.bytes)).unwrap();
        let expected = "-- 2026-11-20\n[18:05] <build (hook)> one\n[18:05] <build (hook)> two (edited)\n";
        assert_eq!(text, expected);
    }
}
