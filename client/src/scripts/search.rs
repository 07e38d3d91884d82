//! `search`: who said what, where.
//!
//! Where it stands: behind the command line. What was found is printed the oldest first, as the server's `/search` does.
//!
//! What this file must never do: print a message twice, or pass over one where one search ended and the next began.

use super::printed::{Context, Form, Printer, events_of};
use super::visit::{Patience, Visit};
use super::{DONE, FAILED, Problem, remark};
use crate::address::Address;
use crate::link::Wanted;
use crate::moments::rfc3339;
use crate::wire::{Answer, Event, Findings, Request, Rest};
use hub::Time;
use serde_json::Value;
use std::collections::HashSet;

/// One search finds at most so many; the server may have a bound of its own.
const FOUND_MAX: u32 = 200;

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SearchWanted {
    /// All of these.
    pub words: String,
    /// Said by this person.
    pub author: Option<String>,
    /// In these rooms; without any, where the address leads.
    pub rooms: Vec<String>,
    /// Not before this moment.
    pub since: Option<Time>,
    /// Before this moment.
    pub before: Option<Time>,
    /// At most so many.
    pub count_max: u32,
    /// How it is printed.
    pub form: Form,
}

/// Prints what is found. Answers with the status: whether anything was.
///
/// # Errors
/// There was no connection, or it was not let in, or nobody reads.
pub fn search(address: &Address, wanted: &SearchWanted) -> Result<u8, Problem> {
    let rooms = if wanted.rooms.is_empty() { address.room.as_slice() } else { &wanted.rooms };
    let rooms = each_once(rooms);
    let entered = rooms.len().max(1);
    let link = Wanted { nick: address.nick.clone(), rooms, ..Wanted::default() };
    let mut visit: Visit<()> = Visit::with(link, address, Patience::Short)?;
    for _ in 0..entered {
        visit.enter()?;
    }
    let mut search = Search { wanted, visit, found: Vec::new(), known: HashSet::new() };
    search.find()?;
    search.visit.leave();
    let status = if search.found.is_empty() { FAILED } else { DONE };
    print(search.found, wanted.form)?;
    Ok(status)
}

/// A room that is entered twice is refused the second time, however it is spelled.
fn each_once(rooms: &[String]) -> Vec<String> {
    let mut keys = HashSet::new();
    let bare = rooms.iter().map(|room| room.strip_prefix('#').unwrap_or(room));
    bare.filter(|room| keys.insert(hub::key_of(room))).map(str::to_owned).collect()
}

fn print(found: Vec<(Event, Value)>, form: Form) -> Result<(), Problem> {
    let mut printer = Printer::new(form, "");
    for (event, written) in found.into_iter().rev() {
        printer.event(&event, written, Context::None);
    }
    printer.flush()
}

struct Search<'a> {
    wanted: &'a SearchWanted,
    visit: Visit<()>,
    /// The newest first.
    found: Vec<(Event, Value)>,
    /// The room and sequence of each.
    known: HashSet<(String, u64)>,
}

impl Search<'_> {
    fn find(&mut self) -> Result<(), Problem> {
        let mut before = self.wanted.before;
        while (self.found.len() as u32) < self.wanted.count_max {
            let (findings, line) = self.ask(before)?;
            let (rest, oldest) = (findings.rest, findings.events.last().map(|event| event.time));
            let is_further = self.add(findings, &line);
            match (rest, oldest) {
                (Rest::Nothing, _) => return Ok(()),
                // A millisecond behind the oldest one, for more may have been said in its millisecond.
                (_, Some(oldest)) if is_further => before = Some(oldest.after_ms(1)),
                (Rest::More | Rest::OutOfTime, _) => {
                    remark("not all was looked at; narrow it down with --since, --before, --from or --room");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether there was anything new.
    fn add(&mut self, findings: Findings, line: &[u8]) -> bool {
        let count = self.found.len();
        for (event, written) in findings.events.into_iter().zip(events_of(line)) {
            let place = (event.room.as_deref().unwrap_or_default().to_owned(), event.sequence.unwrap_or(0));
            if self.found.len() < self.wanted.count_max as usize && self.known.insert(place) {
                self.found.push((event, written));
            }
        }
        self.found.len() > count
    }

    fn ask(&mut self, before: Option<Time>) -> Result<(Findings, Vec<u8>), Problem> {
        let missing = self.wanted.count_max - self.found.len() as u32;
        let request = Request::Search {
            words: Some(self.wanted.words.clone()).filter(|words| !words.is_empty()),
            author: self.wanted.author.clone(),
            room: None,
            since: self.wanted.since.map(rfc3339),
            before: before.map(rfc3339),
            // One more than is missing, for one that is known may be among them.
            limit: Some(missing.saturating_add(1).min(FOUND_MAX)),
        };
        let mut question = self.visit.ask(request);
        loop {
            if let (Answer::Found(found), line) = self.visit.answer_to(&mut question)? {
                return Ok((found, line));
            }
        }
    }
}
