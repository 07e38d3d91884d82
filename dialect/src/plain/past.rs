//! What one person is shown of the past: the lines that others read live, with the moment in front.
//!
//! Where it stands: behind the session, which knows what was asked. `[18:05] ` stands in front of every line of a page, and a line
//! of the server's with the date in front of the first of a day; what was found by a search has date and room of its own.
//! No nick begins with a digit, so that no news looks like it, and what a member writes stands behind it.
//!
//! What this file must never do: show a text but through `render`.

use super::calendar;
use super::render::{self, Naming};
use super::words::remark;
use crate::{Output, Setup};
use hub::{Findings, Past, Rest, Time};
use jiff::civil::{Date, DateTime};
use std::io::Write as _;

/// What a line of the past begins with.
#[derive(Clone, Copy)]
enum Stamp {
    Minute(DateTime),
    DayAndMinute(DateTime),
}

/// Lines of a page. `day` is the one that the line in front belongs to, if there is one; it becomes that of the last line.
pub(super) fn lines<'a>(
    setup: &Setup,
    now: Time,
    past: impl Iterator<Item = &'a Past>,
    day: &mut Option<Date>,
    output: &mut Output,
) {
    let today = calendar::local(setup, now).date();
    let mut scratch = Vec::new();
    for line in past {
        let local = calendar::local(setup, line.time);
        if day.unwrap_or(today) != local.date() {
            if local.date() == today { remark!(output, "today") } else { remark!(output, "{}", local.date()) }
        }
        *day = Some(local.date());
        render::render_past(setup, Naming::OthersThanHome, &line.event, &mut scratch);
        stamped(Stamp::Minute(local), line, &mut scratch, output);
    }
}

/// What a search has found, the oldest first.
pub(super) fn found(setup: &Setup, findings: &Findings, output: &mut Output) {
    let Some((shown, border)) = shown(findings) else { return nothing_found(findings.rest, output) };
    let mut scratch = Vec::new();
    for line in shown.iter().rev() {
        render::render_past(setup, Naming::All, &line.event, &mut scratch);
        stamped(Stamp::DayAndMinute(calendar::local(setup, line.time)), line, &mut scratch, output);
    }
    let border = calendar::exact(setup, border);
    match findings.rest {
        Rest::Nothing => {}
        Rest::More => remark!(output, "there is more: search again with before:{border}"),
        Rest::OutOfTime => {
            remark!(output, "there was no time to look at all: search again with before:{border}");
        }
    }
}

/// The lines to show, and the moment before which the next search goes on; none if there is nothing to show. A moment may
/// have more lines than were found: where it can be, all of them are left to the next search, so that none is passed over.
fn shown(findings: &Findings) -> Option<(&[Past], Time)> {
    let lines = findings.lines.as_slice();
    let oldest = lines.last()?.time;
    let later = lines.iter().position(|line| line.time == oldest).unwrap_or(0);
    if findings.rest == Rest::Nothing || later == 0 {
        return Some((lines, oldest));
    }
    Some((&lines[..later], oldest.after_ms(1)))
}

fn nothing_found(rest: Rest, output: &mut Output) {
    match rest {
        Rest::Nothing | Rest::More => remark!(output, "nothing was found"),
        Rest::OutOfTime => {
            remark!(output, "nothing was found before time was up: narrow it down with since: or in:");
        }
    }
}

/// Moves what `scratch` has to the words, each line with its moment in front. Writing to a vector cannot fail.
fn stamped(stamp: Stamp, past: &Past, scratch: &mut Vec<u8>, output: &mut Output) {
    let words = &mut output.words;
    for line in scratch.split_inclusive(|byte| *byte == b'\n') {
        let _ = match stamp {
            Stamp::Minute(local) => write!(words, "[{}] ", local.strftime("%H:%M")),
            Stamp::DayAndMinute(local) => write!(words, "[{}] ", local.strftime("%Y-%m-%d %H:%M")),
        };
        words.extend_from_slice(line);
    }
    if past.edited.is_some() && words.ends_with(b"\n") && !scratch.is_empty() {
        words.pop();
        words.extend_from_slice(b" (edited)\n");
    }
    scratch.clear();
}
