//! An item broken into rows: its time and its name, and beside them what was said.
//!
//! Where it stands: below the sheet, which knows which items are seen; above the view, which draws each part by its role.
//!
//! ```text
//! │ 12:01        ann  what she said, and the rest of it under      where there is room
//! │                   its beginning
//! │ 12:01 ann: what she said, and the rest of                      where there is little
//! │       it under her name
//! ```
//!
//! What this file must never do: put anything that somebody wrote into the columns of times and names.

use super::breaking::{Room, broken, columns_of, cut, tidy};
use super::links::links;
use crate::model::{Hole, Item, Options, Pending, Relation, Said, What, Why};
use crate::moments::local;
use crate::wire::{Author, Shown};
use hub::{Manner, Time};
use jiff::fmt::strtime;
use std::ops::Range;
use std::sync::Arc;

/// From so many columns on names have a column of their own.
const NAMES_BESIDE_FROM: usize = 56;
/// With fewer there are no times.
const TIMES_FROM: usize = 24;
/// With fewer what goes on in the next row stands almost at the edge.
const HANGING_FROM: usize = 32;
/// How wide the column of names is, which is a sixth of all.
const NAMES_COLUMNS: std::ops::RangeInclusive<usize> = 12..=18;
/// How wide a time is at most, however it is written.
const TIME_COLUMNS_MAX: usize = 20;

/// A row of the timeline, from its left edge.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Row {
    /// What stands in it, one beside the other.
    pub parts: Vec<Part>,
    /// So many columns in front are those of time and name.
    pub gutter_columns: usize,
    /// Whether it is of the message that one has gone to.
    pub is_marked: bool,
}

/// Part of a row, all of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// What it says; tidy, on one row.
    pub text: String,
    /// What it is.
    pub role: Role,
    /// Where it leads, if it is part of a link.
    pub link: Option<Arc<str>>,
}

/// What part of a row is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Blanks, times, and what need not be read.
    Quiet,
    /// A line between two days, with the day's name in it.
    Rule,
    /// The line behind which what is new begins.
    NewRule,
    /// A line in the place of what is not here.
    HoleRule,
    /// The mark of something that is one's business.
    MentionMark,
    /// A member's name, whole here, perhaps cut in the text: colours are made of it.
    Nick(Shown),
    /// What something that is no member is called, and by what it speaks.
    Door,
    /// What was said.
    Said,
    /// The same if it is one's business.
    Mention,
    /// What was said by us and is not acknowledged.
    Pending,
    /// What we were told alone.
    Remark,
    /// Words that were looked for.
    Found,
    /// A key, or a command.
    Key,
    /// What a list begins with.
    Heading,
}

impl Part {
    pub(crate) fn new(text: impl Into<String>, role: Role) -> Part {
        Part { text: text.into(), role, link: None }
    }

    pub(crate) fn blanks(columns: usize) -> Part {
        Part::new(" ".repeat(columns), Role::Quiet)
    }
}

impl Row {
    /// One in which time and name have no columns.
    pub(super) fn of(parts: Vec<Part>) -> Row {
        Row { parts, ..Row::default() }
    }

    /// A line across the screen with words in it.
    fn rule(words: &str, columns: usize, (dash, role): (char, Role)) -> Row {
        let mut text = format!("{dash}{dash} {} ", cut(words, columns.saturating_sub(4)));
        let left = columns.saturating_sub(columns_of(&text));
        text.extend(std::iter::repeat_n(dash, left));
        Row::of(vec![Part::new(cut(&text, columns), role)])
    }
}

/// What rows are made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper<'a> {
    pub(super) options: &'a Options,
    pub(super) columns: usize,
}

/// What stands in front of the words of an item.
struct Gutter {
    /// In the first row.
    parts: Vec<Part>,
    first_columns: usize,
    /// In the others.
    hanging_columns: usize,
}

/// Who or what an item begins with.
enum Label {
    /// Somebody.
    Nick(Shown),
    /// Something that is no member.
    Door {
        /// What it is called.
        name: Shown,
        /// By what it speaks.
        door: Shown,
    },
    /// None of them: a sign of ours.
    Sign(&'static str),
}

/// The words of an item, line by line.
struct Words {
    lines: Vec<Line>,
    role: Role,
}

/// A tidy line, in which some parts are of another kind.
#[derive(Default)]
struct Line {
    text: String,
    /// In order, and none in another.
    marks: Vec<Mark>,
}

struct Mark {
    range: Range<usize>,
    role: Role,
    link: Option<Arc<str>>,
}

/// What stands at the left edge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Nothing,
    /// In all rows.
    Mention,
    /// In the first.
    Pending,
}

impl Paper<'_> {
    /// The rows of an item, without those that stand above it because of what it follows.
    pub(super) fn item(self, item: &Item) -> Vec<Row> {
        match &item.what {
            What::Said(said) => self.said(item.time, said),
            What::Erased { by } => {
                self.rows(item.time, &label(by), &Words::quiet("(erased)", Role::Quiet), Edge::Nothing)
            }
            What::Topic { by, topic } => self.told(item.time, &topic_words(by, topic.as_ref())),
            What::Told(words) => self.told(item.time, words),
            What::Remark(text) => {
                let lines = text.lines().map(|line| Line::said(&line, &Role::Remark)).collect();
                let words = Words { lines, role: Role::Remark };
                self.rows(item.time, &Label::Sign("»"), &words, Edge::Nothing)
            }
            What::Hole(hole) => {
                vec![Row::rule(&hole_words(hole), self.columns, ('┄', Role::HoleRule))]
            }
        }
    }

    /// The rows of something that is not acknowledged.
    pub(super) fn pending(self, pending: &Pending, nick: &str) -> Vec<Row> {
        let by = Author { nick: nick.into(), door: None };
        let (label, words) = spoken(&by, pending.manner, &pending.text, &Role::Pending);
        self.rows(pending.time, &label, &words, Edge::Pending)
    }

    /// The line above the first item of a day.
    pub(super) fn day(self, time: Time) -> Row {
        Row::rule(&day_name(self.options, time), self.columns, ('─', Role::Rule))
    }

    /// The line above the first item that is new.
    pub(super) fn new_rule(self) -> Row {
        Row::rule("new", self.columns, ('━', Role::NewRule))
    }

    fn said(self, time: Time, said: &Said) -> Vec<Row> {
        let (role, edge) = match said.relation {
            Relation::Mention => (Role::Mention, Edge::Mention),
            Relation::Own if said.is_changing => (Role::Said, Edge::Pending),
            Relation::Own | Relation::Other => (Role::Said, Edge::Nothing),
        };
        let (label, mut words) = spoken(&said.by, said.manner, &said.text, &role);
        if said.is_edited
            && let Some(last) = words.lines.last_mut()
        {
            last.push(" (edited)", Role::Quiet);
        }
        self.rows(time, &label, &words, edge)
    }

    fn told(self, time: Time, words: &str) -> Vec<Row> {
        self.rows(time, &Label::Sign("·"), &Words::quiet(words, Role::Quiet), Edge::Nothing)
    }

    fn rows(self, time: Time, label: &Label, words: &Words, edge: Edge) -> Vec<Row> {
        let gutter = self.gutter(time, label);
        let mut rows: Vec<Row> = Vec::new();
        for line in &words.lines {
            let others = self.columns.saturating_sub(gutter.hanging_columns).max(1);
            let first = if rows.is_empty() {
                self.columns.saturating_sub(gutter.first_columns).max(1)
            } else {
                others
            };
            for range in broken(&line.text, Room { first, others }) {
                let mut parts = edge_parts(edge, rows.len());
                if rows.is_empty() {
                    parts.extend(gutter.parts.iter().cloned());
                } else {
                    parts.push(Part::blanks(gutter.hanging_columns.saturating_sub(1)));
                }
                let gutter_columns = columns_of_parts(&parts);
                line.parts(range, &words.role, &mut parts);
                rows.push(Row { parts, gutter_columns, is_marked: false });
            }
        }
        rows
    }

    fn gutter(self, time: Time, label: &Label) -> Gutter {
        if self.columns >= NAMES_BESIDE_FROM {
            return self.wide_gutter(time, label);
        }
        let time_parts = if self.columns >= TIMES_FROM { self.time_parts(time) } else { Vec::new() };
        let time_columns = columns_of_parts(&time_parts);
        let is_sign = matches!(label, Label::Sign(_));
        let mut parts = time_parts;
        parts.push(label.part((self.columns / 3).max(2)));
        parts.push(Part::new(if is_sign { " " } else { ": " }, Role::Quiet));
        let first_columns = 1 + columns_of_parts(&parts);
        let hanging_columns = if self.columns >= HANGING_FROM { 1 + time_columns } else { 2 };
        Gutter { parts, first_columns, hanging_columns: hanging_columns.max(2) }
    }

    /// Names stand in a column of their own, at its right edge.
    fn wide_gutter(self, time: Time, label: &Label) -> Gutter {
        let names_columns = (self.columns / 6).clamp(*NAMES_COLUMNS.start(), *NAMES_COLUMNS.end());
        let name = label.part(names_columns);
        let mut parts = self.time_parts(time);
        parts.push(Part::blanks(names_columns - columns_of(&name.text)));
        parts.push(name);
        parts.push(Part::blanks(2));
        let columns = 1 + columns_of_parts(&parts);
        Gutter { parts, first_columns: columns, hanging_columns: columns }
    }

    /// The time and a blank, as wide as other times are; nothing if no times are wanted.
    fn time_parts(self, time: Time) -> Vec<Part> {
        let text = time_text(self.options, time);
        // Two of the longest: a day's hours differ in their number of digits.
        let samples = [Time(36_000_000), Time(79_200_000)].map(|sample| time_text(self.options, sample));
        let columns = samples.iter().map(|sample| columns_of(sample)).fold(columns_of(&text), usize::max);
        if columns == 0 {
            return Vec::new();
        }
        let blanks = " ".repeat(columns - columns_of(&text));
        vec![Part::new(format!("{blanks}{text} "), Role::Quiet)]
    }
}

fn edge_parts(edge: Edge, nth: usize) -> Vec<Part> {
    let part = match (edge, nth) {
        (Edge::Mention, _) => Part::new("▌", Role::MentionMark),
        (Edge::Pending, 0) => Part::new("…", Role::Quiet),
        _ => Part::blanks(1),
    };
    vec![part]
}

fn columns_of_parts(parts: &[Part]) -> usize {
    parts.iter().map(|part| columns_of(&part.text)).sum()
}

impl Label {
    /// The name, cut to what there is room for. What a door is called is cut before what says that it is one.
    fn part(&self, columns_max: usize) -> Part {
        match self {
            Label::Nick(nick) => Part::new(cut(&tidy(nick), columns_max), Role::Nick(nick.clone())),
            Label::Door { name, door } => {
                Part::new(cut(&door_name(name, door, columns_max), columns_max), Role::Door)
            }
            Label::Sign(sign) => Part::new(*sign, Role::Quiet),
        }
    }
}

fn label(by: &Author) -> Label {
    match &by.door {
        None => Label::Nick(by.nick.clone()),
        Some(door) => Label::Door { name: by.nick.clone(), door: door.clone() },
    }
}

/// `build (hook)`: nobody's nick has brackets or blanks.
fn door_name(name: &str, door: &str, columns_max: usize) -> String {
    let kind = format!(" ({})", cut(&tidy(door), 8));
    format!("{}{kind}", cut(&tidy(name), columns_max.saturating_sub(columns_of(&kind)).max(4)))
}

/// What somebody said or did: `ann` and the words, or `*` and `ann waves`.
fn spoken(by: &Author, manner: Manner, text: &hub::Text, role: &Role) -> (Label, Words) {
    let mut lines: Vec<Line> = text.lines().map(|line| Line::said(&line, role)).collect();
    if manner == Manner::Saying {
        return (label(by), Words { lines, role: role.clone() });
    }
    if let Some(first) = lines.first_mut() {
        first.begin_with(by);
    }
    (Label::Sign("*"), Words { lines, role: role.clone() })
}

fn topic_words(by: &Author, topic: Option<&Shown>) -> String {
    let name = match &by.door {
        None => by.nick.to_string(),
        Some(door) => door_name(&by.nick, door, usize::MAX),
    };
    match topic {
        Some(topic) => format!("{name} set the topic: {topic}"),
        None => format!("{name} cleared the topic"),
    }
}

fn hole_words(hole: &Hole) -> String {
    match (hole.is_asked, hole.why) {
        (true, _) => "fetching what was said here".into(),
        (false, Why::Unread) => "more was said here; it is fetched as you come near".into(),
        (false, Why::Skipped(Some(1))) => "1 message was skipped; it is fetched as you come near".into(),
        (false, Why::Skipped(Some(count))) => {
            format!("{count} messages were skipped; they are fetched as you come near")
        }
        (false, Why::Skipped(None)) => "messages were skipped; they are fetched as you come near".into(),
    }
}

impl Words {
    /// Words of ours, in one line.
    fn quiet(words: &str, role: Role) -> Words {
        Words { lines: vec![Line { text: tidy(words).into_owned(), marks: Vec::new() }], role }
    }
}

impl Line {
    /// A line of what was said, with its links.
    fn said(line: &str, role: &Role) -> Line {
        let text = tidy(line).into_owned();
        let marks = links(&text)
            .into_iter()
            .map(|range| Mark { role: role.clone(), link: Some(text[range.clone()].into()), range })
            .collect();
        Line { text, marks }
    }

    fn push(&mut self, words: &str, role: Role) {
        let start = self.text.len();
        self.text.push_str(words);
        self.marks.push(Mark { range: start..self.text.len(), role, link: None });
    }

    /// Puts the name of whoever acts in front.
    fn begin_with(&mut self, by: &Author) {
        let (name, role) = match &by.door {
            None => (tidy(&by.nick).into_owned(), Role::Nick(by.nick.clone())),
            Some(door) => (door_name(&by.nick, door, usize::MAX), Role::Door),
        };
        let shift = name.len() + 1;
        for mark in &mut self.marks {
            mark.range = mark.range.start + shift..mark.range.end + shift;
        }
        self.marks.insert(0, Mark { range: 0..name.len(), role, link: None });
        self.text = format!("{name} {}", self.text);
    }

    /// The parts of a row of it.
    fn parts(&self, row: Range<usize>, role: &Role, parts: &mut Vec<Part>) {
        let mut at = row.start;
        let mut push = |range: Range<usize>, role: &Role, link: Option<&Arc<str>>| {
            if !range.is_empty() {
                parts.push(Part { text: self.text[range].into(), role: role.clone(), link: link.cloned() });
            }
        };
        for mark in &self.marks {
            let start = mark.range.start.clamp(at, row.end);
            let end = mark.range.end.clamp(start, row.end);
            push(at..start, role, None);
            push(start..end, &mark.role, mark.link.as_ref());
            at = end;
        }
        push(at..row.end, role, None);
    }
}

/// A moment as the reader wants times written; as `12:01` if that cannot be.
pub(crate) fn time_text(options: &Options, time: Time) -> String {
    let zoned = local(&options.zone, time);
    let text = strtime::format(&options.time_format, &zoned)
        .or_else(|_| strtime::format("%H:%M", &zoned))
        .unwrap_or_default();
    cut(&tidy(&text), TIME_COLUMNS_MAX).into_owned()
}

/// A day's name: `Monday, 5 January 2026`.
fn day_name(options: &Options, time: Time) -> String {
    strtime::format("%A, %-d %B %Y", &local(&options.zone, time)).unwrap_or_default()
}

/// The same in few columns: ` 5 Jan 2026`.
pub(crate) fn short_day(options: &Options, time: Time) -> String {
    strtime::format("%e %b %Y", &local(&options.zone, time)).unwrap_or_default()
}

/// Which day it is where the reader is.
pub(super) fn day_of(options: &Options, time: Time) -> jiff::civil::Date {
    local(&options.zone, time).date()
}
