//! `say`: says something in a room, and knows whether it was said.
//!
//! Where it stands: behind the command line, in front of [`super::saying`].
//!
//! What this file must never do: end with [`DONE`] while anything was not acknowledged.

use super::input::{self, AHEAD_MAX, Allowance, Input};
use super::saying::Saying;
use super::visit::{Happened, Patience, Visit, not_let_in};
use super::{DONE, FAILED, Problem, remark};
use crate::address::Address;
use crate::link::Otherwise;
use crate::progress::Progress;
use hub::{Manner, Text, TextProblem};
use std::io;
use std::time::{Duration, Instant};

/// What is to be said, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SayWanted {
    /// What.
    pub source: Source,
    /// Whether it is said or done.
    pub manner: Manner,
    /// For how long its acknowledgement is waited for.
    pub waiting: Waiting,
}

/// What is to be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// One message.
    Words(String),
    /// Standard input, a line a message.
    Lines,
    /// Standard input, all of it one message.
    Whole,
}

/// For how long acknowledgements are waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// As long as it takes, also if there is no server yet.
    Always,
    /// As long as one comes in this time.
    AtMost(Duration),
}

/// Says it. Answers with the status: whether all was acknowledged.
///
/// # Errors
/// There was no connection, or it was not let in.
pub fn say(address: &Address, wanted: &SayWanted) -> Result<u8, Problem> {
    let text = match &wanted.source {
        Source::Lines => None,
        Source::Words(words) => Some(sayable(Text::new(words))?),
        Source::Whole => {
            let read = input::read_whole(io::stdin().lock());
            Some(sayable(read.map_err(|error| Problem::Io { what: "cannot read", error })?)?)
        }
    };
    let patience = match wanted.waiting {
        Waiting::Always => Patience::Endless,
        Waiting::AtMost(_) => Patience::OnceThere,
    };
    let mut visit = Visit::start(address, Otherwise::Home, patience)?;
    let until = match wanted.waiting {
        Waiting::Always => None,
        Waiting::AtMost(longest) => Some(Instant::now() + longest),
    };
    let picture = visit.enter_by(until)?;
    let mut saying = Saying::new(&picture.room, wanted.manner);
    let allowance = if let Some(text) = text {
        saying.say(0, &text, &mut visit);
        saying.is_over = true;
        None
    } else {
        Some(input::read_lines(io::stdin(), AHEAD_MAX, visit.poster()))
    };
    let ended = until_said(&mut visit, &mut saying, allowance.as_ref(), wanted.waiting);
    let is_said = saying.waiting() == 0 && saying.unsaid == 0;
    if saying.waiting() > 0 {
        tell_waiting(&saying, visit.trouble());
    }
    visit.leave();
    ended?;
    Ok(if is_said { DONE } else { FAILED })
}

fn sayable(text: Result<Text, TextProblem>) -> Result<Text, Problem> {
    text.map_err(|problem| Problem::Refused(format!("that cannot be said: {problem}")))
}

/// Until all is acknowledged or refused, or it does not go on.
fn until_said(
    visit: &mut Visit<Input>,
    saying: &mut Saying,
    allowance: Option<&Allowance>,
    waiting: Waiting,
) -> Result<(), Problem> {
    let mut progress = Progress::new("messages said");
    let ended = loop {
        if saying.is_over && saying.waiting() == 0 {
            break Ok(());
        }
        let until = deadline(saying, waiting);
        match visit.next(until) {
            Ok(Happened::Given(input)) => {
                if let Some(allowance) = allowance {
                    saying.read(input, visit, allowance);
                }
            }
            Ok(Happened::Told { answer, .. }) => {
                if let Err(problem) = not_let_in(&answer) {
                    break Err(problem);
                }
                if saying.hear(&answer)
                    && let Some(allowance) = allowance
                {
                    allowance.grant(1);
                }
                progress.show_count(saying.said);
            }
            Ok(Happened::Signal(number)) => break Err(Problem::Signal(number)),
            Ok(Happened::Nothing) if deadline(saying, waiting).is_some_and(|end| end <= Instant::now()) => {
                break Ok(());
            }
            Ok(Happened::Nothing | Happened::Unanswered(_)) => {}
            Err(problem) => break Err(problem),
        }
    };
    progress.end();
    ended
}

/// When it is given up. Nobody waits for acknowledgements of what was not said yet.
fn deadline(saying: &Saying, waiting: Waiting) -> Option<Instant> {
    match waiting {
        Waiting::AtMost(longest) if saying.waiting() > 0 => Some(saying.progressed + longest),
        Waiting::AtMost(_) | Waiting::Always => None,
    }
}

fn tell_waiting(saying: &Saying, trouble: Option<String>) {
    let why = trouble.map(|trouble| format!(" ({trouble})")).unwrap_or_default();
    let messages = match saying.waiting() {
        1 => "a message was".to_owned(),
        count => format!("{count} messages were"),
    };
    remark(&format!(
        "{messages} not acknowledged{why}, and may have been said or not; {} were acknowledged",
        saying.said
    ));
}
