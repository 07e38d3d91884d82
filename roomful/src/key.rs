//! What a key of the configuration is: its three spellings, what its values may be, and where they go.
//!
//! Where it stands: under the table in `settings`, whose rows are [`Key`]s. Flags, environment, files, help texts and the
//! reference all read the rows; nothing else says what can be set. A value travels as text, spelled as in a flag, until
//! [`Key::put`] has checked it and put it where it belongs, so that there is one check for all three spellings.
//!
//! What this file must never do: know any key in particular.

use crate::data::Data;
use crate::settings::Settings;
use server::RoomName;
use std::net::SocketAddr;

/// One row of the table: something that can be set.
#[derive(Debug)]
pub(crate) struct Key {
    /// As it is spelled in a file: lower case, words joined by `_`, the unit last.
    pub(crate) name: &'static str,
    pub(crate) subject: Subject,
    /// What stands for the value in a help text.
    pub(crate) value_name: &'static str,
    /// What it is for: one line, without a final stop.
    pub(crate) help: &'static str,
    /// What else there is to say: sentences, or nothing.
    pub(crate) more: &'static str,
    /// What a person is told who has reached the bound, with `N` for its value.
    pub(crate) told: Option<&'static str>,
    pub(crate) kind: Kind,
    pub(crate) reload: Reload,
}

/// What a key is about; keys of one subject stand together wherever they are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Subject {
    Server,
    People,
    History,
    Connections,
    Memory,
}

/// Whether a running server can change it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reload {
    Applies,
    NeedsRestart,
}

/// What the values of a key may be, and the field that they go into.
#[derive(Debug)]
pub(crate) enum Kind {
    Number(Number),
    Choice(&'static [Choice]),
    /// The home room.
    Room,
    /// Where to listen.
    Addresses,
    /// Where what is said is kept.
    Data,
}

/// A whole number.
#[derive(Debug)]
pub(crate) struct Number {
    pub(crate) smallest: u64,
    pub(crate) largest: u64,
    /// What would be if it were smaller than that.
    pub(crate) if_smaller: &'static str,
    pub(crate) get: fn(&Settings) -> u64,
    pub(crate) put: fn(&mut Settings, u64),
}

/// One of several words.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) word: &'static str,
    pub(crate) help: &'static str,
    pub(crate) is_set: fn(&Settings) -> bool,
    pub(crate) put: fn(&mut Settings),
}

impl Key {
    /// `--members-max`
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.long())
    }

    /// `members-max`
    pub(crate) fn long(&self) -> String {
        self.name.replace('_', "-")
    }

    /// `ROOMFUL_MEMBERS_MAX`
    pub(crate) fn environment(&self) -> String {
        format!("ROOMFUL_{}", self.name.to_uppercase())
    }

    /// Checks a value and puts it where it belongs.
    ///
    /// # Errors
    /// Says what is wrong with it and what would be right; nothing has changed then.
    pub(crate) fn put(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        match &self.kind {
            Kind::Number(number) => (number.put)(settings, number.parse(text)?),
            Kind::Choice(choices) => {
                let choice = choices.iter().find(|choice| choice.word == text);
                let no_choice = || format!("'{}' is none of {}", text.escape_debug(), self.allowed());
                (choice.ok_or_else(no_choice)?.put)(settings);
            }
            Kind::Room => settings.server.hub.home = parse_room(text)?,
            Kind::Addresses => settings.server.listen = parse_addresses(text)?,
            Kind::Data => settings.data = Data::parse(text)?,
        }
        Ok(())
    }

    /// Checks a value.
    ///
    /// # Errors
    /// As [`Key::put`].
    pub(crate) fn check(&self, text: &str) -> Result<(), String> {
        self.put(&mut Settings::default(), text)
    }

    /// The value, spelled as in a flag.
    pub(crate) fn text(&self, settings: &Settings) -> String {
        match &self.kind {
            Kind::Number(number) => (number.get)(settings).to_string(),
            Kind::Choice(choices) => {
                let set = choices.iter().find(|choice| (choice.is_set)(settings));
                set.map_or_else(String::new, |choice| choice.word.to_owned())
            }
            Kind::Room => settings.server.hub.home.shown.to_string(),
            Kind::Addresses => {
                settings.server.listen.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",")
            }
            Kind::Data => settings.data.text(),
        }
    }

    /// The value, spelled as in a file. Only a directory can hold a quotation mark or a backslash.
    pub(crate) fn toml(&self, settings: &Settings) -> String {
        let text = self.text(settings);
        match &self.kind {
            Kind::Number(_) => text,
            Kind::Choice(_) | Kind::Room => format!("\"{text}\""),
            Kind::Data => format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")),
            Kind::Addresses => {
                let quoted: Vec<String> = text.split(',').map(|address| format!("\"{address}\"")).collect();
                format!("[{}]", quoted.join(", "))
            }
        }
    }

    /// What the values may be, in words that fit behind "write" and in a list.
    pub(crate) fn allowed(&self) -> String {
        match &self.kind {
            Kind::Number(number) => number.allowed(),
            Kind::Choice(choices) => {
                let words: Vec<&str> = choices.iter().map(|choice| choice.word).collect();
                match words.split_last() {
                    Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
                    _ => words.concat(),
                }
            }
            Kind::Room => "the name of a room".to_owned(),
            Kind::Addresses => "PORT, ADDRESS:PORT or [ADDRESS]:PORT; several are possible".to_owned(),
            Kind::Data => "a directory, :memory: or default".to_owned(),
        }
    }
}

impl Number {
    fn parse(&self, text: &str) -> Result<u64, String> {
        let allowed = self.allowed();
        let number = match text.parse::<u64>() {
            Ok(number) => number,
            // Digits and nothing else: there are only too many of them.
            Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => u64::MAX,
            Err(_) => return Err(format!("'{}' is no such number; write {allowed}", text.escape_debug())),
        };
        if number < self.smallest {
            return Err(format!("{number} is too small, {}; write {allowed}", self.if_smaller));
        }
        if number > self.largest {
            return Err(format!("{text} is too large; write {allowed}"));
        }
        Ok(number)
    }

    fn allowed(&self) -> String {
        format!("a number from {} to {}", self.smallest, self.largest)
    }
}

fn parse_room(text: &str) -> Result<RoomName, String> {
    let problem = |problem| format!("'{}' is no name for a room: {problem}", text.escape_debug());
    RoomName::parse(text).map_err(problem)
}

fn parse_addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let parse = |part: &str| server::parse_listen(part.trim()).map_err(|error| error.to_string());
    text.split(',').map(parse).collect()
}

impl Subject {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Subject::Server => "Server",
            Subject::People => "People and rooms",
            Subject::History => "History",
            Subject::Connections => "Connections",
            Subject::Memory => "Memory",
        }
    }
}
