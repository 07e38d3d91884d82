//! What each request does: one function a type, named by the table.
//!
//! Where it stands: the last step from a line to a command of the hub. Names are passed on as they were sent; the hub parses
//! them and refuses what is wrong.
//!
//! What this file must never do: check what the hub checks.

use super::catching::Known;
use super::{JsonSession, Stage, Turn};
use crate::Secret;
use crate::json::VERSION;
use crate::json::request::{Problem, Request, no_text};
use crate::json::words;
use hub::{Client, Command, Place, Presence, Search, Sequence, Shape, Span, Standing, Text, quoted};

/// A hello names at most so many rooms: more than anybody may be in, unless the operator wants that.
const ROOMS_MAX: usize = 1000;
/// A page has so many lines if nobody says how many; the hub has a bound of its own.
const LINES_DEFAULT: u32 = 50;

/// All handlers are of one type, also those that nothing can stop.
type Handler = fn(&mut JsonSession, &Request, &mut Turn<'_>) -> Result<(), Problem>;

/// What a request needs before it can be worked on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// That hello was said.
    Hello,
    Nothing,
}

const REQUESTS: &[(&str, Needs, Handler)] = &[
    ("hello", Needs::Nothing, hello),
    ("say", Needs::Hello, say),
    ("act", Needs::Hello, act),
    ("direct", Needs::Hello, direct),
    ("edit", Needs::Hello, edit),
    ("redact", Needs::Hello, redact),
    ("join", Needs::Hello, join),
    ("leave", Needs::Hello, leave),
    ("nick", Needs::Hello, nick),
    ("who", Needs::Hello, who),
    ("rooms", Needs::Hello, rooms),
    ("conversations", Needs::Hello, conversations),
    ("topic", Needs::Hello, topic),
    ("away", Needs::Hello, away),
    ("ignore", Needs::Hello, ignore),
    ("history", Needs::Hello, history),
    ("search", Needs::Hello, search),
    ("ping", Needs::Nothing, ping),
    ("quit", Needs::Nothing, quit),
];

/// What was asked for with a hello.
pub(super) struct Hello {
    /// What the client comes with, or is given.
    pub(super) secret: Secret,
    /// The rooms that it wants to be in.
    pub(super) rooms: Vec<String>,
    /// What it knows, if it has been here before.
    pub(super) known: Option<Known>,
}

/// Does what is asked for, or says why not.
pub(super) fn work_on(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) {
    let done = match REQUESTS.iter().find(|(kind, ..)| *kind == request.kind()) {
        Some((_, Needs::Hello, _)) if session.stage == Stage::New => Err(hello_first()),
        Some((_, _, handler)) => handler(session, request, turn),
        None => Err(unknown(request.kind())),
    };
    if let Err(problem) = done {
        words::impossible(&problem, request.kind(), request.nonce.as_ref(), &mut turn.output.words);
    }
}

fn hello_first() -> Problem {
    let text = format!("say hello first: {{\"type\":\"hello\",\"version\":{VERSION}}}");
    Problem::new("hello-first", text)
}

fn unknown(kind: &str) -> Problem {
    let kinds: Vec<&str> = REQUESTS.iter().map(|(kind, ..)| *kind).collect();
    let text = format!("there is no request '{}'; there are {}", quoted(kind), kinds.join(", "));
    Problem::new("unknown-type", text)
}

impl JsonSession {
    /// Passes on a command behind which no line is read before its answer has come.
    fn ask(&mut self, command: Command, request: &Request, turn: &mut Turn<'_>) {
        self.awaited = Some(command.verb());
        if request.nonce.is_some() {
            self.with_rare(|rare| rare.nonce.clone_from(&request.nonce));
        }
        turn.output.commands.push(command);
    }
}

fn hello(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    if session.stage != Stage::New {
        return Err(Problem::new("already-connected", "you have said hello already"));
    }
    if request.maybe_number("version")?.is_none_or(|version| version != VERSION) {
        let text = format!("this server speaks version {VERSION}; say hello with \"version\":{VERSION}");
        return Err(Problem::new("bad-version", text));
    }
    let nick = request.maybe_text("nick")?.map(str::to_owned);
    let fresh = session.rare.as_ref().and_then(|rare| rare.secret);
    let (secret, known) = returning(request, turn)?;
    let Some(secret) = secret.or(fresh) else { return Err(hello_first()) };
    let standing = if request.has("resume") { Standing::Returning } else { Standing::New };
    let rooms = rooms_wanted(request, known.as_ref(), turn)?;
    let client = Some(Client { id: secret.client(), standing });
    let (guest, presence) = (session.guest, Presence::Visible);
    session.stage = Stage::Present;
    session.with_rare(|rare| rare.hello = Some(Hello { secret, rooms, known }));
    session.ask(Command::Connect { guest, presence, address: None, nick, client }, request, turn);
    Ok(())
}

/// The secret that a client brings, and what it says it knows.
fn returning(request: &Request, turn: &Turn<'_>) -> Result<(Option<Secret>, Option<Known>), Problem> {
    let Some(resume) = request.maybe_object("resume")? else { return Ok((None, None)) };
    let bad_secret = || {
        let text = "'resume' needs the 'secret' of a welcome: 32 hexadecimal digits";
        Problem::new("bad-secret", text)
    };
    let secret = resume.maybe_text("secret")?.and_then(Secret::parse).ok_or_else(bad_secret)?;
    let (epoch, numbers) = (resume.maybe_text("epoch")?, resume.maybe_numbers("rooms")?);
    if epoch.is_none() && numbers.is_none() {
        return Ok((Some(secret), None));
    }
    let unusable = match epoch {
        None => Some("no-epoch"),
        Some(epoch) if epoch.parse() == Ok(turn.setup.epoch) => None,
        // One that is none is another one, too.
        Some(_) => Some("other-epoch"),
    };
    let numbers = numbers.unwrap_or_default().into_iter();
    let sequences = numbers.map(|(name, sequence)| (key_of(name), Sequence(sequence))).collect();
    Ok((Some(secret), Some(Known { unusable, sequences })))
}

/// A room's name as one and the same however it is written.
pub(super) fn key_of(name: &str) -> String {
    hub::key_of(name.strip_prefix('#').unwrap_or(name))
}

/// The rooms that are named; or those that the client was in, or the home room.
fn rooms_wanted(request: &Request, known: Option<&Known>, turn: &Turn<'_>) -> Result<Vec<String>, Problem> {
    let named = request.maybe_texts("rooms")?;
    let rooms: Vec<String> = match (named, known) {
        (Some(named), _) => named.into_iter().map(str::to_owned).collect(),
        (None, Some(known)) => {
            known.sequences.keys().filter(|name| !name.starts_with('@')).cloned().collect()
        }
        (None, None) => Vec::new(),
    };
    if rooms.len() > ROOMS_MAX {
        let text = format!("'rooms' has {} names; at most {ROOMS_MAX} are possible", rooms.len());
        return Err(Problem::new("bad-member", text));
    }
    let is_unsaid = rooms.is_empty() && !request.has("rooms");
    Ok(if is_unsaid { vec![turn.setup.home.shown.to_string()] } else { rooms })
}

fn text_of(request: &Request) -> Result<Text, Problem> {
    Text::new(request.text("text")?).map_err(no_text)
}

fn place_of(request: &Request) -> Result<Place, Problem> {
    Ok(Place::Name(request.text("room")?.into()))
}

fn say(_: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let (room, text, nonce) = (place_of(request)?, text_of(request)?, request.nonce.clone());
    turn.output.commands.push(Command::Say { room, text, nonce });
    Ok(())
}

fn act(_: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let (room, text, nonce) = (place_of(request)?, text_of(request)?, request.nonce.clone());
    turn.output.commands.push(Command::Act { room, text, nonce });
    Ok(())
}

fn direct(_: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let (to, text, nonce) = (request.text("to")?.into(), text_of(request)?, request.nonce.clone());
    turn.output.commands.push(Command::Direct { to, text, nonce });
    Ok(())
}

/// What was said: by its id, or by its room and sequence.
fn target_of(request: &Request, turn: &Turn<'_>) -> Result<(Place, Sequence), Problem> {
    if let Some(id) = request.maybe_id("id")? {
        if id.epoch != turn.setup.epoch {
            let refusal = hub::Refusal::NoSuchMessage;
            return Err(Problem::new(refusal.code(), refusal.to_string()));
        }
        return Ok((Place::Number(id.room), id.sequence));
    }
    match request.maybe_sequence("target")? {
        Some(target) => Ok((place_of(request)?, target)),
        None => Err(Problem::new("missing-member", "name what was said: by 'id', or by 'room' and 'target'")),
    }
}

fn edit(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let (room, target) = target_of(request, turn)?;
    let (text, nonce) = (text_of(request)?, request.nonce.clone());
    session.ask(Command::Edit { room, target, text, nonce }, request, turn);
    Ok(())
}

fn redact(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let (room, target) = target_of(request, turn)?;
    let reason = request.maybe_text("reason")?.unwrap_or_default().into();
    session.ask(Command::Redact { room, target, reason, nonce: request.nonce.clone() }, request, turn);
    Ok(())
}

/// Behind a sequence that the client knows it is caught up first.
fn join(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let (room, after) = (request.text("room")?, request.maybe_sequence("after")?);
    if request.nonce.is_some() {
        session.with_rare(|rare| rare.nonce.clone_from(&request.nonce));
    }
    session.begin_to_join(room, after, turn);
    Ok(())
}

fn leave(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    session.ask(Command::Leave { room: place_of(request)? }, request, turn);
    Ok(())
}

fn nick(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    session.ask(Command::Nick { nick: request.text("nick")?.into() }, request, turn);
    Ok(())
}

fn who(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    session.ask(Command::Who { room: place_of(request)?, after: None }, request, turn);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the table wants it")]
fn rooms(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    session.ask(Command::Rooms { after: None }, request, turn);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the table wants it")]
fn conversations(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    session.ask(Command::Conversations, request, turn);
    Ok(())
}

/// Without a topic it is a question; with null, or a blank one, the topic is cleared.
fn topic(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let room = place_of(request)?;
    if request.has("topic") {
        let topic = request.maybe_text("topic")?.unwrap_or_default().into();
        turn.output.commands.push(Command::SetTopic { room, topic, nonce: request.nonce.clone() });
    } else {
        session.ask(Command::Topic { room }, request, turn);
    }
    Ok(())
}

fn away(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let message = request.maybe_text("message")?.unwrap_or_default().into();
    session.ask(Command::Away { message }, request, turn);
    Ok(())
}

fn ignore(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let command = match request.maybe_text("nick")? {
        Some(nick) => Command::Ignore { nick: nick.into() },
        None => Command::Ignored,
    };
    session.ask(command, request, turn);
    Ok(())
}

fn lines_max(request: &Request) -> Result<u32, Problem> {
    let limit = request.maybe_number("limit")?;
    Ok(limit.map_or(LINES_DEFAULT, |limit| u32::try_from(limit).unwrap_or(u32::MAX)))
}

fn history(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let room = place_of(request)?;
    let spans = [
        request.maybe_sequence("before")?.map(Span::Before),
        request.maybe_sequence("after")?.map(Span::After),
        request.maybe_sequence("around")?.map(Span::Around),
        request.maybe_time("since")?.map(Span::Since),
    ];
    let span = match spans.into_iter().flatten().collect::<Vec<_>>()[..] {
        [] => Span::Latest,
        [span] => span,
        _ => {
            let text = "give at most one of 'before', 'after', 'around' and 'since'";
            return Err(Problem::new("bad-member", text));
        }
    };
    let shape = match request.maybe_text("shape")? {
        None | Some("present") => Shape::Present,
        Some("facts") => Shape::Facts,
        Some(_) => return Err(Problem::new("bad-member", "'shape' must be \"present\" or \"facts\"")),
    };
    let lines_max = lines_max(request)?;
    session.ask(Command::History { room, span, lines_max, shape }, request, turn);
    Ok(())
}

fn search(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let search = Search {
        words: request.maybe_text("words")?.unwrap_or_default().into(),
        author: request.maybe_text("author")?.map(str::to_owned),
        since: request.maybe_time("since")?,
        before: request.maybe_time("before")?,
        lines_max: lines_max(request)?,
    };
    let room = request.maybe_text("room")?.map(|room| Place::Name(room.into()));
    session.ask(Command::Search { room, search }, request, turn);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the table wants it")]
fn ping(_: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    words::pong(turn.now, request.nonce.as_ref(), &mut turn.output.words);
    Ok(())
}

/// Nothing stops anybody from leaving, whatever the reason is.
#[expect(clippy::unnecessary_wraps, reason = "the table wants it")]
fn quit(session: &mut JsonSession, request: &Request, turn: &mut Turn<'_>) -> Result<(), Problem> {
    let last_words = request.maybe_text("reason").ok().flatten().unwrap_or_default();
    session.with_rare(|rare| rare.nonce.clone_from(&request.nonce));
    if session.stage == Stage::New {
        words::bye(words::Bye::Quit, request.nonce.as_ref(), &mut turn.output.words);
        session.close(turn.output);
    } else {
        session.leave(Stage::Quitting, last_words, turn.output);
    }
    Ok(())
}
