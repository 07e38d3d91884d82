//! What each command of plain text does: one function a verb, named by the table in `commands`.
//!
//! Where it stands: the last step from a typed line to a command of the hub. Names are passed on as they were typed; the
//! hub parses them and refuses what is wrong.
//!
//! What this file must never do: check what the table or the hub checks.

use super::commands::{self, split_word};
use super::questions::{self, NotUnderstood};
use super::session::{PlainSession, Turn};
use super::words::{self, remark};
use hub::{Command, Place, Text};

pub(super) fn help(_session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    match parameters {
        "" => commands::help_on_all(turn.output),
        name => commands::help_on(name, turn.output),
    }
}

pub(super) fn nick(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    session.ask(Command::Nick { nick: parameters.into() }, turn);
}

/// A room that one is in already only becomes the one that one talks in: that is nobody else's business.
pub(super) fn join(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    let bare = parameters.strip_prefix('#').unwrap_or(parameters);
    match session.turn_to(&hub::key_of(bare)) {
        Some(name) => remark!(turn.output, "you now talk in #{name}"),
        None => session.ask(Command::Join { room: parameters.into() }, turn),
    }
}

pub(super) fn leave(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    if let Some(room) = place(session, parameters) {
        session.ask(Command::Leave { room }, turn);
    }
}

pub(super) fn msg(_session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    let (to, text) = split_word(parameters);
    if let Some(text) = text_of(text, turn) {
        turn.output.commands.push(Command::Direct { to: to.into(), text, nonce: None });
    }
}

pub(super) fn me(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    if let Some(room) = session.current()
        && let Some(text) = text_of(parameters, turn)
    {
        turn.output.commands.push(Command::Act { room, text, nonce: None });
    }
}

pub(super) fn who(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    if let Some(room) = place(session, parameters) {
        session.ask(Command::Who { room, after: None }, turn);
    }
}

pub(super) fn rooms(session: &mut PlainSession, _parameters: &str, turn: &mut Turn<'_>) {
    session.ask(Command::Rooms { after: None }, turn);
}

/// Only the question has an answer; a topic that is set is read in the room, by the one who set it, too.
pub(super) fn topic(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    let Some(room) = session.current() else { return };
    match parameters {
        "" => session.ask(Command::Topic { room }, turn),
        "-" => turn.output.commands.push(Command::SetTopic { room, topic: String::new(), nonce: None }),
        topic => turn.output.commands.push(Command::SetTopic { room, topic: topic.into(), nonce: None }),
    }
}

pub(super) fn history(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    match questions::history(&turn.setup.zone, turn.now, parameters) {
        Ok(asked) => match place(session, asked.room.unwrap_or("")) {
            Some(room) => session.read_past(room, asked.extent, turn),
            None => words::in_no_room(turn.setup, turn.output),
        },
        Err(NotUnderstood(typed)) => words::no_part_of_the_past(typed, turn.output),
    }
}

pub(super) fn search(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    match questions::search(&turn.setup.zone, turn.now, parameters) {
        Ok(asked) => session.ask(Command::Search { room: asked.room, search: asked.search }, turn),
        Err(NotUnderstood(typed)) => words::no_moment(typed, turn.output),
    }
}

pub(super) fn ignore(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    match parameters {
        "" => session.ask(Command::Ignored, turn),
        nick => session.ask(Command::Ignore { nick: nick.into() }, turn),
    }
}

pub(super) fn away(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    session.ask(Command::Away { message: parameters.into() }, turn);
}

pub(super) fn quit(session: &mut PlainSession, parameters: &str, turn: &mut Turn<'_>) {
    session.quit(parameters, turn);
}

/// The room that was named or, if none was, the one that the person talks in.
fn place(session: &PlainSession, named: &str) -> Option<Place> {
    match named {
        "" => session.current(),
        name => Some(Place::Name(name.into())),
    }
}

/// A text that is part of a command. Nothing is cut here: a command that is too long is not done at all.
fn text_of(raw: &str, turn: &mut Turn<'_>) -> Option<Text> {
    match Text::fitted(raw) {
        Ok(fitted) => Some(fitted.text),
        Err(problem) => {
            words::no_text(problem, turn.output);
            None
        }
    }
}

/// `/telnet`: offers to edit the line. Whoever is not at telnet gets to see what telnet is sent; they asked for it.
pub(super) fn telnet(session: &mut PlainSession, _: &str, turn: &mut Turn<'_>) {
    session.offer_editor();
    remark!(turn.output, "if this is telnet, your line is edited here now; /plain undoes it");
}

/// `/plain`: leaves the line to the person's own terminal.
pub(super) fn plain(session: &mut PlainSession, _: &str, turn: &mut Turn<'_>) {
    if session.withdraw_editor() {
        remark!(turn.output, "your line is yours to edit again; /telnet brings the editor back");
    } else {
        remark!(turn.output, "your line is not edited here; /telnet does that, if you came with telnet");
    }
}
