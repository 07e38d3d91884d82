//! What one client alone is told: answers, refusals, notices.
//!
//! Where it stands: between what the session knows and the connection's private words.
//!
//! What this file must never do: decide anything.

use super::object::Object;
use super::render::{crowd, line_or_null, maybe_line, number, past, time};
use super::request::{Problem, Unreadable};
use super::{LINE_BYTES_MAX, VERSION};
use crate::Secret;
use hub::{
    Conversation, Epoch, Findings, Hearing, Line, NICK_CHARS_MAX, Nonce, Page, Past, Present, ROOM_CHARS_MAX,
    Refusal, Rest, RoomLine, RoomRef, RoomView, Sequence, Span, TEXT_BYTES_MAX, TEXT_LINES_MAX, Time, Topic,
    Verb,
};
use std::sync::Arc;

/// A page of the past is written up to about so many bytes; what is left of it is there for the next question.
pub(super) const PAGE_BYTES_MAX: usize = 256 * 1024;

const SERVER: &str = concat!("roomful ", env!("CARGO_PKG_VERSION"));

/// How a client came into a room that it has been in before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Resumed {
    /// It did not say what it knows.
    NotAsked,
    /// What it missed follows.
    Yes,
    /// What it missed cannot be told, for this reason.
    No(&'static str),
}

/// What a client is told about itself and the server.
pub(super) struct Welcome<'a> {
    pub(super) epoch: Epoch,
    pub(super) nick: &'a str,
    pub(super) secret: &'a Secret,
    pub(super) lines_per_second: u32,
    pub(super) conversations: &'a [Conversation],
}

/// Something that was passed over.
pub(super) struct Gap<'a> {
    /// `None` if it was among the direct messages.
    pub(super) room: Option<&'a str>,
    /// The first and the last sequence, where there is one order of them.
    pub(super) range: Option<(Sequence, Sequence)>,
    /// How many messages, if that is known.
    pub(super) messages: Option<u64>,
    /// Why, if it was not because the client lagged.
    pub(super) reason: Option<&'static str>,
}

fn nonce(nonce: Option<&Nonce>, object: &mut Object<'_>) {
    object.maybe_text("nonce", nonce.map(Nonce::as_str));
}

/// Writes an answer: its type, and the name that the question had.
fn answer(kind: &str, asked: Option<&Nonce>, words: &mut Vec<u8>, members: impl FnOnce(&mut Object<'_>)) {
    Object::line(words, kind, |object| {
        nonce(asked, object);
        members(object);
    });
}

pub(super) fn welcome(welcome: &Welcome<'_>, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("welcome", asked, words, |object| {
        object.number("version", VERSION);
        object.text("server", SERVER);
        object.text("epoch", &welcome.epoch.to_string());
        object.text("nick", welcome.nick);
        object.object("resume", |object| object.text("secret", &welcome.secret.digits()));
        object.object("limits", |object| {
            object.number("line_bytes", LINE_BYTES_MAX as u64);
            object.number("text_bytes", TEXT_BYTES_MAX as u64);
            object.number("text_lines", TEXT_LINES_MAX as u64);
            object.number("nick_chars", NICK_CHARS_MAX as u64);
            object.number("room_chars", ROOM_CHARS_MAX as u64);
            object.number("nonce_bytes", Nonce::BYTES_MAX as u64);
            object.number("lines_per_second", welcome.lines_per_second.into());
        });
        conversations(welcome.conversations, object);
    });
}

pub(super) fn conversation_list(known: &[Conversation], asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("conversations", asked, words, |object| conversations(known, object));
}

fn conversations(conversations: &[Conversation], object: &mut Object<'_>) {
    object.objects("conversations", conversations, |conversation, object| {
        object.text("room", &conversation.room.name);
        object.text("with", &conversation.with);
        object.number("sequence", conversation.upto.0);
    });
}

pub(super) fn joined(view: &RoomView, resumed: Resumed, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("joined", asked, words, |object| {
        object.text("room", &view.room.name);
        object.number("sequence", view.upto.0);
        object.truth("resumed", resumed == Resumed::Yes);
        if let Resumed::No(reason) = resumed {
            object.text("reason", reason);
        }
        seen(view, object);
    });
}

/// A room as it is found again behind a gap.
pub(super) fn pictured(view: &RoomView, words: &mut Vec<u8>) {
    answer("picture", None, words, |object| {
        object.text("room", &view.room.name);
        object.number("sequence", view.upto.0);
        seen(view, object);
    });
}

fn seen(view: &RoomView, object: &mut Object<'_>) {
    topic(view.topic.as_ref(), object);
    crowd("members", &view.members, object);
    object.number("listening", view.listening.into());
}

fn topic(topic: Option<&Topic>, object: &mut Object<'_>) {
    match topic {
        None => object.null("topic"),
        Some(topic) => object.object("topic", |object| {
            object.text("text", &topic.text.shown());
            object.text("by", &topic.by);
            time("time", topic.time, object);
        }),
    }
}

pub(super) fn left(room: &RoomRef, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("left", asked, words, |object| object.text("room", &room.name));
}

pub(super) fn renamed(nick: &str, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("nick", asked, words, |object| object.text("nick", nick));
}

pub(super) fn away(message: Option<&Line>, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("away", asked, words, |object| line_or_null("message", message, object));
}

pub(super) fn ignoring(nick: &str, hearing: Hearing, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("ignored", asked, words, |object| {
        object.text("nick", nick);
        object.truth("ignored", hearing == Hearing::Nothing);
    });
}

pub(super) fn ignore_list(nicks: &[Arc<str>], asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("ignoring", asked, words, |object| object.texts("nicks", nicks.iter().map(|nick| &**nick)));
}

/// A page of names.
pub(super) struct Names<'a> {
    pub(super) room: &'a RoomRef,
    pub(super) present: &'a [Present],
    pub(super) listening: u32,
    pub(super) has_more: bool,
}

pub(super) fn names(page: &Names<'_>, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("names", asked, words, |object| {
        object.text("room", &page.room.name);
        object.objects("names", page.present, |present, object| {
            object.text("nick", &present.nick);
            maybe_line("away", present.away.as_ref(), object);
        });
        object.number("listening", page.listening.into());
        object.truth("more", page.has_more);
    });
}

pub(super) fn rooms(rooms: &[RoomLine], has_more: bool, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("rooms", asked, words, |object| {
        object.objects("rooms", rooms, |room, object| {
            object.text("room", &room.name);
            object.number("members", room.members.into());
            maybe_line("topic", room.topic.as_ref(), object);
        });
        object.truth("more", has_more);
    });
}

pub(super) fn topic_is(room: &RoomRef, set: Option<&Topic>, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("topic", asked, words, |object| {
        object.text("room", &room.name);
        topic(set, object);
    });
}

/// What was said under this nonce before, and is not said twice.
pub(super) fn acknowledged(
    epoch: Epoch,
    said_under: &Nonce,
    (room, sequence): (&RoomRef, Sequence),
    words: &mut Vec<u8>,
) {
    answer("ack", Some(said_under), words, |object| {
        object.text("room", &room.name);
        number(epoch, room.number, sequence, object);
        object.truth("repeated", true);
    });
}

pub(super) fn history(epoch: Epoch, page: &Page, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    let shown = fitting(epoch, &page.lines, page.wanted.span);
    let lines = &page.lines[shown.clone()];
    let sequence_of = |past: Option<&Past>| past.and_then(|past| past.event.sequence());
    let before = if shown.start > 0 { sequence_of(lines.first()) } else { page.before };
    let after = if shown.end < page.lines.len() { sequence_of(lines.last()) } else { page.after };
    answer("history", asked, words, |object| {
        object.text("room", &page.wanted.room.name);
        object.objects("events", lines, |line, object| past(epoch, line, object));
        object.maybe_number("before", before.map(|sequence| sequence.0));
        object.maybe_number("after", after.map(|sequence| sequence.0));
        object.maybe_number("forgotten", Some(page.forgotten.0).filter(|sequence| *sequence > 0));
    });
}

/// Which of these lines fit into [`PAGE_BYTES_MAX`], at least one: those next to where the question began.
fn fitting(epoch: Epoch, lines: &[Past], span: Span) -> std::ops::Range<usize> {
    let start = match span {
        Span::Latest | Span::Before(_) => lines.len(),
        Span::After(_) | Span::Since(_) => 0,
        Span::Around(target) => lines.partition_point(|line| line.event.sequence() < Some(target)),
    };
    let mut measured = Vec::new();
    let mut bytes_of = |line: &Past| {
        measured.clear();
        super::render::replay(epoch, line, &mut measured);
        measured.len()
    };
    let (mut shown, mut bytes) = (start..start, 0);
    // From there in both directions in turn: where there is nothing on one side, the other gets it all.
    loop {
        let behind = lines.get(shown.end).map(&mut bytes_of);
        if let Some(more) = behind
            && (shown.is_empty() || bytes + more <= PAGE_BYTES_MAX)
        {
            bytes += more;
            shown.end += 1;
        } else if behind.is_some() {
            return shown;
        }
        let before = shown.start.checked_sub(1).map(|nth| bytes_of(&lines[nth]));
        match before {
            Some(more) if shown.is_empty() || bytes + more <= PAGE_BYTES_MAX => {
                bytes += more;
                shown.start -= 1;
            }
            Some(_) => return shown,
            None if behind.is_none() => return shown,
            None => {}
        }
    }
}

pub(super) fn found(epoch: Epoch, findings: &Findings, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    let shown = fitting(epoch, &findings.lines, Span::After(Sequence(0)));
    let is_cut = shown.end < findings.lines.len();
    let rest = match findings.rest {
        _ if is_cut => "more",
        Rest::Nothing => "nothing",
        Rest::More => "more",
        Rest::OutOfTime => "out-of-time",
    };
    answer("found", asked, words, |object| {
        object.objects("events", &findings.lines[shown], |line, object| past(epoch, line, object));
        object.text("rest", rest);
    });
}

pub(super) fn gap(gap: &Gap<'_>, words: &mut Vec<u8>) {
    Object::line(words, "gap", |object| {
        object.text_or_null("room", gap.room);
        if gap.room.is_none() {
            object.text("kind", "direct");
        }
        if let Some((from, to)) = gap.range {
            object.number("from", from.0);
            object.number("to", to.0);
        }
        object.maybe_number("messages", gap.messages);
        object.maybe_text("reason", gap.reason);
    });
}

/// What a request is called by those who ask for it.
pub(super) fn request_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Connect | Verb::Appear => "hello",
        Verb::SetTopic => "topic",
        Verb::Ignored => "ignore",
        _ => verb.word(),
    }
}

pub(super) fn refused(
    verb: Verb,
    refusal: &Refusal,
    asked: Option<&Nonce>,
    room: Option<&str>,
    words: &mut Vec<u8>,
) {
    answer("refusal", asked, words, |object| {
        object.text("request", request_word(verb));
        object.maybe_text("room", room);
        object.text("code", refusal.code());
        object.text("text", &refusal.to_string());
    });
}

pub(super) fn impossible(problem: &Problem, kind: &str, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    refusal(problem, Some(kind), asked, words);
}

pub(super) fn unreadable(unreadable: &Unreadable, words: &mut Vec<u8>) {
    refusal(&unreadable.problem, unreadable.kind.as_deref(), unreadable.nonce.as_ref(), words);
}

/// What is asked for may be called anything, and is repeated only in part.
fn refusal(problem: &Problem, kind: Option<&str>, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("refusal", asked, words, |object| {
        if let Some(kind) = kind {
            object.text("request", &hub::quoted(kind));
        }
        object.text("code", problem.code);
        object.text("text", &problem.text);
    });
}

pub(super) fn line_too_long(words: &mut Vec<u8>) {
    let text = format!("a line has at most {LINE_BYTES_MAX} bytes; that one was thrown away");
    refusal(&Problem::new("line-too-long", text), None, None, words);
}

pub(super) fn throttled(lines_per_second: u32, words: &mut Vec<u8>) {
    Object::line(words, "notice", |object| {
        object.text("code", "slow-down");
        let text = format!("{lines_per_second} lines a second are possible; what you sent beyond that waits");
        object.text("text", &text);
    });
}

pub(super) fn recipient_away(nick: &str, message: &Line, words: &mut Vec<u8>) {
    Object::line(words, "notice", |object| {
        object.text("code", "recipient-away");
        object.text("text", &format!("{nick} is away"));
        object.text("nick", nick);
        object.text("message", &message.shown());
    });
}

pub(super) fn pong(now: Time, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    answer("pong", asked, words, |object| time("time", now, object));
}

/// Why a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bye {
    /// The client said so.
    Quit,
    /// It came back by another connection.
    Resumed,
    /// It never said hello.
    NoHello,
    /// The server stops.
    Shutdown,
}

pub(super) fn bye(bye: Bye, asked: Option<&Nonce>, words: &mut Vec<u8>) {
    let (code, text) = match bye {
        Bye::Quit => ("quit", "you have left"),
        Bye::Resumed => ("resumed", "you came back by another connection"),
        Bye::NoHello => {
            ("no-hello", "you have not said hello in time; begin with {\"type\":\"hello\",\"version\":1}")
        }
        Bye::Shutdown => ("shutdown", "the server stops; come back in a while"),
    };
    answer("bye", asked, words, |object| {
        object.text("code", code);
        object.text("text", text);
    });
}
