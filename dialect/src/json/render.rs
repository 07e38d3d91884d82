//! What everybody in a room or conversation reads, and what pages of the past hold: one event, one object.
//!
//! Where it stands: behind the hub, in front of the feeds. An event of the past is the same object as when it happened, so that a
//! client needs one reader for both.
//!
//! What this file must never do: know who reads, or show a text but through `Text::lines` and `Line::shown`.

use super::object::Object;
use hub::{
    Announced, Author, Crowd, Epoch, Event, Line, Manner, MessageId, Past, RoomNumber, RoomRef, Sequence,
    Text, Time, Told, Trouble, Who, conversation_name,
};

/// Writes an event as everybody reads it, if it is shown.
pub(super) fn render(epoch: Epoch, told: &Told, bytes: &mut Vec<u8>) {
    if kind(&told.event).is_some() {
        Object::line(bytes, "event", |object| event(epoch, told.time, &told.event, object));
    }
}

/// Writes an event of the past as it was told then: one object on a line.
pub fn replay(epoch: Epoch, past: &Past, bytes: &mut Vec<u8>) {
    if kind(&past.event).is_some() {
        Object::line(bytes, "event", |object| self::past(epoch, past, object));
    }
}

/// The members of an event of the past.
pub(super) fn past(epoch: Epoch, past: &Past, object: &mut Object<'_>) {
    event(epoch, past.time, &past.event, object);
    object.maybe_number("edited", past.edited.map(|sequence| sequence.0));
}

/// The acknowledgement that an author reads in place of what it did, once it is durable.
pub(super) fn acknowledge(epoch: Epoch, told: &Told, bytes: &mut Vec<u8>) {
    let (Some(room), Some(sequence)) = (told.event.kept_in(), told.event.sequence()) else { return };
    let nonce = told.event.signature().and_then(|signed| signed.nonce.as_ref());
    Object::line(bytes, "ack", |object| {
        object.maybe_text("nonce", nonce.map(hub::Nonce::as_str));
        match room_of(&told.event) {
            Some(room) => object.text("room", &room.name),
            None => object.text("room", &conversation_name(room)),
        }
        number(epoch, room, sequence, object);
        time("time", told.time, object);
    });
}

/// A moment, as RFC 3339 writes it: in UTC, with milliseconds.
pub(super) fn time(key: &'static str, time: Time, object: &mut Object<'_>) {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    let timestamp = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    object.text(key, &format!("{timestamp:.3}"));
}

/// What names a kept fact: in its room, and everywhere.
pub(super) fn number(epoch: Epoch, room: RoomNumber, sequence: Sequence, object: &mut Object<'_>) {
    object.text("id", &MessageId { epoch, room, sequence }.to_string());
    object.number("sequence", sequence.0);
}

/// A text as it is shown: its lines, with line feeds between them.
fn text(key: &'static str, text: &Text, object: &mut Object<'_>) {
    let lines: Vec<_> = text.lines().collect();
    match lines.as_slice() {
        [line] => object.text(key, line),
        lines => object.text(key, &lines.join("\n")),
    }
}

/// What kind of event it is, if it is shown.
fn kind(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Said { manner: Manner::Saying, .. } => "said",
        Event::Said { manner: Manner::Acting, .. } => "acted",
        Event::Directed { .. } => "direct",
        Event::TopicSet { .. } => "topic",
        Event::Edited { .. } => "edited",
        Event::Redacted { .. } => "redacted",
        Event::Erased { .. } => "erased",
        Event::Opened { .. } => "opened",
        Event::Lost { .. } => "lost",
        Event::Joined { announced: Announced::Singly, .. } => "joined",
        Event::Left { announced: Announced::Singly, .. } => "left",
        Event::Quit { announced: Announced::Singly, .. } => "quit",
        Event::Renamed { .. } => "renamed",
        Event::Away { .. } => "away",
        Event::Summed { .. } => "sum",
        Event::JournalIs { .. } => "journal",
        _ => return None,
    })
}

/// The room that it happened in, if it is one that is named.
fn room_of(event: &Event) -> Option<&RoomRef> {
    match event {
        Event::Said { room, .. }
        | Event::TopicSet { room, .. }
        | Event::Edited { room, .. }
        | Event::Redacted { room, .. }
        | Event::Erased { room, .. }
        | Event::Opened { room, .. }
        | Event::Lost { room, .. }
        | Event::Joined { room, .. }
        | Event::Left { room, .. }
        | Event::Summed { room, .. } => Some(room),
        _ => None,
    }
}

/// The members of an event: kind, place and time first, then what happened.
fn event(epoch: Epoch, at: Time, event: &Event, object: &mut Object<'_>) {
    object.text("kind", kind(event).unwrap_or("unknown"));
    let room = match event {
        Event::Directed { conversation, .. } => {
            object.text("room", &conversation_name(*conversation));
            Some(*conversation)
        }
        _ => room_of(event).map(|room| {
            object.text("room", &room.name);
            room.number
        }),
    };
    if let (Some(room), Some(sequence)) = (room, event.sequence()) {
        number(epoch, room, sequence, object);
    }
    time("time", at, object);
    happened(event, object);
}

fn happened(event: &Event, object: &mut Object<'_>) {
    match event {
        Event::Said { author: by, text: said, .. } => {
            author(by, object);
            text("text", said, object);
        }
        Event::Directed { from, to, text: said, .. } => {
            who("from", from, object);
            who("to", to, object);
            text("text", said, object);
        }
        Event::TopicSet { by, topic, .. } => {
            who("from", by, object);
            line_or_null("topic", topic.as_ref(), object);
        }
        Event::Edited { by, target, text: said, .. } => {
            who("from", by, object);
            object.number("target", target.0);
            text("text", said, object);
        }
        Event::Redacted { by, target, reason, .. } => {
            who("from", by, object);
            object.number("target", target.0);
            maybe_line("reason", reason.as_ref(), object);
        }
        Event::Erased { author: by, .. } => author(by, object),
        Event::Lost { from, to, .. } => {
            object.number("first", from.0);
            object.number("last", to.0);
        }
        Event::Joined { who: other, .. } | Event::Left { who: other, .. } => who("from", other, object),
        Event::Quit { who: other, reason, .. } => {
            who("from", other, object);
            maybe_line("reason", reason.as_ref(), object);
        }
        Event::Renamed { who: other, nick } => {
            who("from", other, object);
            object.text("nick", nick);
        }
        Event::Away { who: other, message } => {
            who("from", other, object);
            line_or_null("message", message.as_ref(), object);
        }
        Event::Summed { arrived, departed, .. } => {
            object.object("arrived", |object| crowd("nicks", arrived, object));
            object.object("departed", |object| crowd("nicks", departed, object));
        }
        Event::JournalIs { trouble } => object.text_or_null("trouble", trouble.map(trouble_code)),
        _ => {}
    }
}

fn trouble_code(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Full => "full",
        Trouble::ReadOnly => "read-only",
        Trouble::Gone => "gone",
        Trouble::Failing => "failing",
    }
}

fn who(key: &'static str, who: &Who, object: &mut Object<'_>) {
    object.object(key, |object| object.text("nick", &who.nick));
}

fn author(author: &Author, object: &mut Object<'_>) {
    match author {
        Author::Member(from) => who("from", from, object),
        Author::Door { kind, label } => object.object("from", |object| {
            object.text("nick", label);
            object.text("door", kind.word());
        }),
    }
}

/// The first few, and how many more there are.
pub(super) fn crowd(key: &'static str, crowd: &Crowd, object: &mut Object<'_>) {
    object.texts(key, crowd.nicks.iter().map(|nick| &**nick));
    object.number("others", crowd.others.into());
}

pub(super) fn maybe_line(key: &'static str, line: Option<&Line>, object: &mut Object<'_>) {
    if let Some(line) = line {
        object.text(key, &line.shown());
    }
}

pub(super) fn line_or_null(key: &'static str, line: Option<&Line>, object: &mut Object<'_>) {
    match line {
        Some(line) => object.text(key, &line.shown()),
        None => object.null(key),
    }
}
