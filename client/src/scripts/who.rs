//! `who`: who is in a room.
//!
//! Where it stands: behind the command line.
//!
//! What this file must never do: enter the room, if it is told which one.

use super::printed::{Form, Printer, list_of};
use super::visit::{Patience, Visit};
use super::{DONE, Problem};
use crate::address::Address;
use crate::link::{Otherwise, Wanted};
use crate::wire::{Answer, Names, Request};

/// Prints them: a nick a line, and behind a tab that somebody is away.
///
/// # Errors
/// There was no connection, or there is no such room, or nobody reads.
pub fn who(address: &Address, form: Form) -> Result<u8, Problem> {
    let otherwise = if address.room.is_some() { Otherwise::Nowhere } else { Otherwise::Home };
    let wanted = Wanted { nick: address.nick.clone(), otherwise, ..Wanted::default() };
    let mut visit: Visit<()> = Visit::with(wanted, address, Patience::Short)?;
    let (room, own) = match &address.room {
        Some(room) => (room.clone(), None),
        // Whoever has to enter a room to learn its name is not among those who are in it.
        None => (visit.enter()?.room.to_string(), visit.nick().map(str::to_owned)),
    };
    let mut printer = Printer::new(form, &room);
    let mut question = visit.ask(Request::Who { room });
    while let (Answer::Names(page), line) = visit.answer_to(&mut question)? {
        print(&page, &line, own.as_deref(), form, &mut printer);
        printer.flush()?;
        if !page.more {
            break;
        }
    }
    visit.leave();
    Ok(DONE)
}

fn print(page: &Names, line: &[u8], own: Option<&str>, form: Form, printer: &mut Printer) {
    for (person, written) in page.people.iter().zip(list_of(line, "names")) {
        if own == Some(&*person.nick) {
            continue;
        }
        match (form, &person.away) {
            (Form::Json, _) => printer.json(written),
            (Form::Text, None) => printer.line(&person.nick),
            (Form::Text, Some(away)) => printer.line(&format!("{}\taway: {away}", person.nick)),
        }
    }
}
