//! A file of settings, read by the tables of keys.
//!
//! Where it stands: between the text and [`Settings`].
//!
//! What this file must never do: stop at the first problem, or make words for more of them than are told.

use super::Settings;
use super::keys::{KEYS, Key, SERVER_KEYS, ServerDraft, Wrong};
use crate::toml_file::{PROBLEMS_MAX, Problem, Row, TomlText, kind_of, nearest};
use toml::de::DeValue;

/// The section that the servers stand in.
const SERVERS: &str = "servers";
/// A name of a server has at most so many characters.
const SERVER_CHARS_MAX: usize = 64;

/// What a file says.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) settings: Settings,
    /// By line, and at most so many as are told.
    pub(super) problems: Vec<Problem>,
    /// How many more problems there are.
    pub(super) untold: usize,
}

/// Reads a file's text.
pub(super) fn read(text: &str) -> Contents {
    let mut toml = TomlText::read(text);
    let mut contents = Contents {
        problems: std::mem::take(&mut toml.problems),
        untold: toml.untold,
        settings: Settings::default(),
    };
    for row in toml.rows() {
        match row.value {
            DeValue::Table(_) if row.name == SERVERS => contents.servers(&toml, &row),
            _ if row.name == SERVERS => contents.tell(row.line, not_servers),
            _ => contents.setting(&row),
        }
    }
    contents.problems.sort_by_key(|problem| problem.line);
    contents
}

impl Contents {
    fn setting(&mut self, row: &Row<'_>) {
        match KEYS.iter().find(|key| key.name == row.name) {
            Some(key) => {
                if let Err(wrong) = (key.put)(&mut self.settings, row.value) {
                    self.tell(row.line, || words(key, row, wrong));
                }
            }
            None => self.tell(row.line, || unknown(row)),
        }
    }

    fn servers(&mut self, toml: &TomlText<'_>, servers: &Row<'_>) {
        let DeValue::Table(table) = servers.value else { return };
        for row in toml.rows_of(table) {
            if !is_name(row.name) {
                self.tell(row.line, || bad_name(row.name));
            } else if let DeValue::Table(_) = row.value {
                self.server(toml, &row);
            } else {
                self.tell(row.line, || no_server(row.name));
            }
        }
    }

    fn server(&mut self, toml: &TomlText<'_>, server: &Row<'_>) {
        let DeValue::Table(table) = server.value else { return };
        let told_before = self.problems.len() + self.untold;
        let mut draft = ServerDraft::default();
        for row in toml.rows_of(table) {
            match SERVER_KEYS.iter().find(|key| key.name == row.name) {
                Some(key) => {
                    if let Err(wrong) = (key.put)(&mut draft, row.value) {
                        self.tell(row.line, || words(key, &row, wrong));
                    }
                }
                None => self.tell(row.line, || unknown_of_server(server.name, row.name)),
            }
        }
        match draft.finish() {
            Some(finished) => {
                self.settings.servers.insert(server.name.to_owned(), finished);
            }
            // One thing at a time: the address may be there, but wrong.
            None if self.problems.len() + self.untold > told_before => {}
            None => self.tell(server.line, || no_address(server.name)),
        }
    }

    /// Words are made only for those that are told: to find the key that was meant takes its time.
    fn tell(&mut self, line: usize, words: impl FnOnce() -> String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { line, words: words() });
        } else {
            self.untold += 1;
        }
    }
}

fn words<T>(key: &Key<T>, row: &Row<'_>, wrong: Wrong) -> String {
    let name = key.name;
    match wrong {
        Wrong::Type => {
            format!("{name}: {} is not possible; write {}", kind_of(row.value), (key.allowed)())
        }
        Wrong::Value(words) => format!("{name}: {words}"),
    }
}

fn unknown(row: &Row<'_>) -> String {
    let shown = hub::quoted(row.name);
    if SERVER_KEYS.iter().any(|key| key.name == row.name) {
        return format!("'{shown}' belongs to a server; write it below [servers.NAME]");
    }
    let names = KEYS.iter().map(|key| key.name).chain([SERVERS]);
    match nearest(row.name, names) {
        Some(SERVERS) => format!("unknown key '{shown}'; did you mean [servers.NAME]?"),
        Some(name) => format!("unknown key '{shown}'; did you mean '{name}'?"),
        None if row.value.is_table() && is_name(row.name) => {
            format!("unknown section '{shown}'; if it is a server, write [servers.{shown}]")
        }
        None => format!("unknown key '{shown}'; {}", all_of(KEYS)),
    }
}

fn unknown_of_server(server: &str, raw: &str) -> String {
    let (server, shown) = (hub::quoted(server), hub::quoted(raw));
    if KEYS.iter().any(|key| key.name == raw) {
        return format!("'{shown}' is not about one server; write it before the first section");
    }
    match nearest(raw, SERVER_KEYS.iter().map(|key| key.name)) {
        Some(name) => format!("unknown key '{shown}' of the server '{server}'; did you mean '{name}'?"),
        None => format!("unknown key '{shown}' of the server '{server}'; {}", all_of(SERVER_KEYS)),
    }
}

fn all_of<T>(keys: &[Key<T>]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    format!("there are {}", names.join(", "))
}

/// Whether it can be typed where a host stands.
fn is_name(raw: &str) -> bool {
    let possible = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    !raw.is_empty() && raw.chars().count() <= SERVER_CHARS_MAX && raw.chars().all(possible)
}

fn bad_name(raw: &str) -> String {
    let raw = hub::quoted(raw);
    format!(
        "'{raw}' is no name for a server; write 1 to {SERVER_CHARS_MAX} letters, digits, '-', '_' and '.'"
    )
}

fn no_server(raw: &str) -> String {
    let raw = hub::quoted(raw);
    format!("'{raw}' is no server; write a section [servers.{raw}] with an address")
}

fn no_address(raw: &str) -> String {
    format!("the server '{}' has no address; write address = \"HOST:PORT\" below it", hub::quoted(raw))
}

fn not_servers() -> String {
    "servers: write a section for each server, such as [servers.work]".to_owned()
}
