//! The client where nothing is drawn: what happens is printed line by line.
//!
//! Where it stands: beside the overlays, which are the same for those who see them. What somebody says looks as the server writes it at
//! netcat; everything else begins with `-- `.
//!
//! What this file must never do: print anything that could be taken for somebody's words and is not, or the other way round.

use super::{Finding, Medium, Model, Place, Said, What};
use crate::moments;
use crate::wire::Rest;
use hub::{Manner, Time};
use jiff::civil::Date;

impl Model {
    /// Prints something that happened in a room.
    pub(super) fn print_item(&mut self, index: usize, what: &What, before: Option<&str>) {
        if self.medium == Medium::Screen {
            return;
        }
        let place = self.place_elsewhere(index);
        let is_direct = self.rooms[index].is_direct();
        for line in lines_of(what, is_direct) {
            self.print(format!("{place}{}{line}", before.unwrap_or("")));
        }
    }

    /// In front of what happens in a room that is not the one in which somebody talks.
    fn place_elsewhere(&self, index: usize) -> String {
        match &self.rooms[index].place {
            Place::Room(name) if index != self.current => format!("#{name} "),
            _ => String::new(),
        }
    }

    /// Part of a page that was asked for to be read. `day` is that of the last line that was printed, and becomes so.
    pub(super) fn print_page(&mut self, index: usize, items: &[(u64, Time, What)], day: &mut Option<Date>) {
        let place = self.place_elsewhere(index);
        let is_direct = self.rooms[index].is_direct();
        for (_, time, what) in items {
            let moment = moments::local(&self.options.zone, *time);
            if *day != Some(moment.date()) {
                *day = Some(moment.date());
                self.print(format!("-- {}", moment.date()));
            }
            for line in lines_of(what, is_direct) {
                self.print(format!("[{}] {place}{line}", moment.strftime("%H:%M")));
            }
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
