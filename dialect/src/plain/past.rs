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

/// Writes lines of the past as `/history` shows them, but with the date of every day: whoever reads them reads them later.
/// `day` is the one that the line in front belongs to, if there is one; it becomes that of the last line.
pub fn write_past<'a>(
    setup: &Setup,
    past: impl Iterator<Item = &'a Past>,
    day: &mut Option<Date>,
    bytes: &mut Vec<u8>,
) {
    let mut output = Output { words: std::mem::take(bytes), ..Output::default() };
    lines(setup, None, past, day, &mut output);
    *bytes = output.words;
}

/// Writes lines of the past as a search shows them: each with its date and its room.
pub fn write_found<'a>(setup: &Setup, past: impl Iterator<Item = &'a Past>, bytes: &mut Vec<u8>) {
    let mut output = Output { words: std::mem::take(bytes), ..Output::default() };
    dated(setup, past, &mut output);
    *bytes = output.words;
}

fn dated<'a>(setup: &Setup, past: impl Iterator<Item = &'a Past>, output: &mut Output) {
    let mut scratch = Vec::new();
    for line in past {
        render::render_past(setup, Naming::All, &line.event, &mut scratch);
        stamped(Stamp::DayAndMinute(calendar::local(setup, line.time)), line, &mut scratch, output);
    }
}

/// Lines of a page. `day` is the one that the line in front belongs to, if there is one; it becomes that of the last line.
/// Where it is known what time it is for the reader, lines of that day need no date.
pub(super) fn lines<'a>(
    setup: &Setup,
    now: Option<Time>,
    past: impl Iterator<Item = &'a Past>,
    day: &mut Option<Date>,
    output: &mut Output,
) {
    let today = now.map(|now| calendar::local(setup, now).date());
    let mut scratch = Vec::new();
    for line in past {
        let local = calendar::local(setup, line.time);
        if day.or(today) != Some(local.date()) {
            if today == Some(local.date()) {
                remark!(output, "today");
            } else {
                remark!(output, "{}", local.date());
            }
        }
        *day = Some(local.date());
        render::render_past(setup, Naming::OthersThanHome, &line.event, &mut scratch);
        stamped(Stamp::Minute(local), line, &mut scratch, output);
    }
}

/// What a search has found, the oldest first.
pub(super) fn found(setup: &Setup, findings: &Findings, output: &mut Output) {
    let Some((shown, border)) = shown(findings) else { return nothing_found(findings.rest, output) };
    dated(setup, shown.iter().rev(), output);
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

#[cfg(test)]
mod tests {
    use super::*;
    use hub::{
        Author, DoorKind, Event, Manner, MemberId, Position, RoomName, RoomNumber, RoomRef, Search, Sequence,
        Text, Who,
    };
    use jiff::tz::{self, TimeZone};

    /// 2026-11-20T18:05:00Z.
    const EVENING_MS: u64 = 1_795_197_900_000;
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    /// Clocks are five hours ahead: it is 23:05 in the evening.
    fn setup() -> Setup {
        let zone = TimeZone::fixed(tz::offset(5));
        Setup { zone, ..Setup::new(RoomName::parse("lobby").expect("a name")) }
    }

    fn lobby() -> RoomRef {
        RoomRef { number: RoomNumber(1), name: "lobby".into() }
    }

    fn said(ms: u64, text: &str) -> Past {
        let author = Author::Member(Who { member: MemberId::NOBODY, nick: "ann".into(), address: None });
        let text = Text::new(text).expect("a text");
        let (room, sequence) = (lobby(), Sequence(1));
        let event = Event::Said { room, sequence, author, text, manner: Manner::Saying, signature: None };
        Past { position: Position(1), time: Time(ms), event, edited: None }
    }

    fn shown_lines(past: &[Past], day: &mut Option<Date>) -> String {
        let mut output = Output::default();
        lines(&setup(), Some(Time(EVENING_MS)), past.iter(), day, &mut output);
        String::from_utf8(output.words).expect("text")
    }

    fn shown_findings(lines: Vec<Past>, rest: Rest) -> String {
        let mut output = Output::default();
        found(&setup(), &Findings { search: Search::default(), lines, rest }, &mut output);
        String::from_utf8(output.words).expect("text")
    }

    #[test]
    fn every_line_of_a_text_has_its_moment_in_front_and_the_last_says_that_it_was_changed() {
        let changed = Past { edited: Some(Sequence(2)), ..said(EVENING_MS, "one\ntwo") };
        assert_eq!(shown_lines(&[changed], &mut None), "[23:05] <ann> one\n[23:05] <ann> two (edited)\n");
    }

    #[test]
    fn day_begins_where_people_live_and_is_told_once_across_pages() {
        let day = &mut None;
        let yesterday = [said(EVENING_MS - DAY_MS, "a"), said(EVENING_MS - DAY_MS + 3_599_000, "b")];
        assert_eq!(shown_lines(&yesterday[..1], day), "-- 2026-11-19\n[23:05] <ann> a\n");
        assert_eq!(shown_lines(&yesterday[1..], day), "-- today\n[00:04] <ann> b\n");
        assert_eq!(shown_lines(&[said(EVENING_MS, "c")], day), "[23:05] <ann> c\n");
        assert_eq!(shown_lines(&[said(EVENING_MS, "c")], &mut None), "[23:05] <ann> c\n");
    }

    #[test]
    fn in_a_file_every_day_has_its_date() {
        let (mut day, mut bytes) = (None, b"# ".to_vec());
        write_past(&setup(), [said(EVENING_MS, "a"), said(EVENING_MS, "b")].iter(), &mut day, &mut bytes);
        write_past(&setup(), [said(EVENING_MS + DAY_MS, "c")].iter(), &mut day, &mut bytes);
        let expected = "# -- 2026-11-20\n[23:05] <ann> a\n[23:05] <ann> b\n-- 2026-11-21\n[23:05] <ann> c\n";
        assert_eq!(String::from_utf8(bytes).expect("text"), expected);
    }

    #[test]
    fn what_is_erased_says_whose_it_was_and_an_opening_says_nothing() {
        let author = Author::Door { kind: DoorKind::Web, label: "ann".into() };
        let erased = Event::Erased { room: lobby(), sequence: Sequence(1), author };
        let opened = Event::Opened { room: lobby(), sequence: Sequence(1) };
        let past = [erased, opened].map(|event| Past { event, ..said(EVENING_MS, "x") });
        assert_eq!(shown_lines(&past, &mut None), "[23:05] -- a message of ann (web) was erased\n");
    }

    #[test]
    fn next_search_begins_where_nothing_is_passed_over() {
        let lines =
            || vec![said(EVENING_MS, "c"), said(EVENING_MS - 1000, "b"), said(EVENING_MS - 1000, "a")];
        let all = "[2026-11-20 23:04] #lobby <ann> a\n[2026-11-20 23:04] #lobby <ann> b\n[2026-11-20 23:05] #lobby <ann> c\n";
        assert_eq!(shown_findings(lines(), Rest::Nothing), all);
        let last = "[2026-11-20 23:05] #lobby <ann> c\n";
        let border = "before:2026-11-20T23:04:59.001\n";
        let more = shown_findings(lines(), Rest::More);
        assert_eq!(more, format!("{last}-- there is more: search again with {border}"));
        let in_part = shown_findings(lines(), Rest::OutOfTime);
        assert_eq!(in_part, format!("{last}-- there was no time to look at all: search again with {border}"));
        // More in one moment than a search shows: there is nowhere else to go on.
        let more = shown_findings(lines().split_off(1), Rest::More);
        assert!(more.ends_with("before:2026-11-20T23:04:59\n"), "{more}");
    }

    #[test]
    fn nothing_found_is_told() {
        assert_eq!(shown_findings(Vec::new(), Rest::Nothing), "-- nothing was found\n");
        let in_part = shown_findings(Vec::new(), Rest::OutOfTime);
        assert!(in_part.starts_with("-- nothing was found before time was up"), "{in_part}");
    }
}
