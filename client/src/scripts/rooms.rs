//! `rooms`: which rooms there are.
//!
//! Where it stands: behind the command line.
//!
//! What this file must never do: enter one of them.

use super::printed::{Form, Printer, list_of};
use super::visit::{Patience, Visit};
use super::{DONE, Problem};
use crate::address::Address;
use crate::link::Otherwise;
use crate::wire::{Answer, Request};

/// Prints them: name, how many are in it, and what it is about, with tabs between.
///
/// # Errors
/// There was no connection, or nobody reads.
pub fn rooms(address: &Address, form: Form) -> Result<u8, Problem> {
    let address = Address { room: None, ..address.clone() };
    let mut visit: Visit<()> = Visit::start(&address, Otherwise::Nowhere, Patience::Short)?;
    let mut printer = Printer::new(form, "");
    let mut question = visit.ask(Request::Rooms);
    while let (Answer::Rooms(page), line) = visit.answer_to(&mut question)? {
        match form {
            Form::Json => list_of(&line, "rooms").into_iter().for_each(|room| printer.json(room)),
            Form::Text => page.rooms.iter().for_each(|room| {
                let topic = room.topic.as_deref().unwrap_or_default();
                printer.line(&format!("{}\t{}\t{topic}", room.room, room.members));
            }),
        }
        printer.flush()?;
        if !page.more {
            break;
        }
    }
    visit.leave();
    Ok(DONE)
}
