//! The client where nothing is drawn: what happens is printed line by line.
//!
//! Where it stands: beside the overlays, which are the same for those who see them. What somebody says looks as the server writes it at
//! netcat; everything else begins with `-- `.
//!
//! What this file must never do: print anything that could be taken for somebody's words and is not, or the other way round.

use super::{Asked, Finding, Medium, Model, Place, Said, What};
use crate::moments;
use crate::wire::{Request, Rest, Span};
use hub::{Manner, Time};

/// Without a word about how many, so many messages are printed.
const MESSAGES_UNASKED: u32 = 50;

impl Model {
    /// Prints something that happened in a room.
    pub(super) fn print_item(&mut self, index: usize, what: &What, before: Option<&str>) {
        if self.medium == Medium::Screen {
            return;
        }
        let place = match &self.rooms[index].place {
            _ if index == self.current => String::new(),
            Place::Room(name) => format!("#{name} "),
            Place::Direct { .. } => String::new(),
        };
        let is_direct = matches!(self.rooms[index].place, Place::Direct { .. });
        for line in lines_of(what, is_direct) {
            self.print(format!("{place}{}{line}", before.unwrap_or("")));
        }
    }

    pub(super) fn print_history(&mut self, parameters: &str) -> bool {
        let Some((number, name)) =
            self.rooms.get(self.current).and_then(|room| Some((room.number, room.name()?.to_string())))
        else {
            self.problem("you are in no room; /join NAME enters one");
            return false;
        };
        let limit = parameters.parse().unwrap_or(MESSAGES_UNASKED);
        let span = match parameters {
            "" => Span::Latest {},
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => Span::Latest {},
            since => {
                let Some(time) = dialect::plain::moment(&self.options.zone, self.time, since) else {
                    let since = hub::quoted(since);
                    self.problem(format!(
                        "'{since}' is no time; write /history 200, 2h, 10:00 or 2026-11-20"
                    ));
                    return false;
                };
                Span::Since(moments::rfc3339(time))
            }
        };
        let limit = matches!(span, Span::Latest {}).then_some(limit);
        self.ask(Request::History { room: name, span, limit }, Asked::Printed { room: number });
        true
    }

    /// A page that was asked for to be read.
    pub(super) fn print_page(&mut self, items: &[(u64, Time, What)], is_direct: bool) {
        let mut day = None;
        for (_, time, what) in items {
            let moment = moments::local(&self.options.zone, *time);
            if day != Some(moment.date()) {
                day = Some(moment.date());
                self.print(format!("-- {}", moment.date()));
            }
            for line in lines_of(what, is_direct) {
                self.print(format!("[{}] {line}", moment.strftime("%H:%M")));
            }
        }
        if items.is_empty() {
            self.print("-- nothing was said".to_owned());
        }
    }

    pub(super) fn print_findings(&mut self, findings: &[Finding], rest: Rest) {
        for finding in findings.iter().rev() {
            let moment = moments::local(&self.options.zone, finding.time);
            let room =
                if finding.room.starts_with('@') { String::new() } else { format!("#{} ", finding.room) };
            for line in lines_of(&What::Said(finding.said.clone()), false) {
                self.print(format!("[{}] {room}{line}", moment.strftime("%Y-%m-%d %H:%M")));
            }
        }
        match rest {
            Rest::Nothing if findings.is_empty() => self.print("-- nothing was found".to_owned()),
            Rest::Nothing => {}
            Rest::More | Rest::OutOfTime => {
                self.print("-- there may be more: search again with before:TIME".to_owned());
            }
        }
    }
}

/// An item as it is written in lines.
fn lines_of(what: &What, is_direct: bool) -> Vec<String> {
    match what {
        What::Said(said) => said_lines(said, is_direct),
        What::Erased { by } => vec![format!("-- what {by} said here was erased")],
        What::Topic { by, topic: Some(topic) } => vec![format!("-- {by} set the topic: {topic}")],
        What::Topic { by, topic: None } => vec![format!("-- {by} cleared the topic")],
        What::Told(text) => vec![format!("-- {text}")],
        What::Remark(text) => text.lines().map(|line| format!("-- {line}")).collect(),
        What::Hole(_) => Vec::new(),
    }
}

fn said_lines(said: &Said, is_direct: bool) -> Vec<String> {
    let by = &said.by;
    let to = if is_direct && said.relation != super::Relation::Own { " to you" } else { "" };
    let edited = if said.is_edited { " (edited)" } else { "" };
    let line = |text: std::borrow::Cow<'_, str>| match said.manner {
        Manner::Saying => format!("<{by}{to}> {text}"),
        Manner::Acting => format!("* {by} {text}"),
    };
    let mut lines: Vec<String> = said.text.lines().map(line).collect();
    if let Some(last) = lines.last_mut() {
        last.push_str(edited);
    }
    lines
}
