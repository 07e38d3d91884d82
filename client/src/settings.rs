//! What a person has set: how the client looks and behaves, and the servers that it knows by name.
//!
//! Where it stands: read once at the start, from a file of TOML; nothing has to be set. Everything that can be is a row of the
//! tables in `settings/keys.rs`, of which the reference is made.
//!
//! What this module must never do: take a file that says something else than was meant, hold a secret, or have a setting that
//! does nothing.

mod keys;
mod values;

mod file;

mod example;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use example::example;
pub use values::{Arrivals, Members, Notify, NotifyOn, Theme, TimeFormat};

use crate::address::{Address, AddressProblem, Parts};
use crate::places::SettingsPlace;
use crate::toml_file::{self, PROBLEMS_MAX, Problem};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What can be set. Each field is a key of the same name, and says there what it does.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// What to be called where nothing else is said.
    pub nick: Option<String>,
    /// Which colours there are.
    pub theme: Theme,
    /// How one's attention is called for. Nothing happens twice.
    pub notify: Vec<Notify>,
    /// For what it is called for.
    pub notify_on: NotifyOn,
    /// Words that count as if one's nick had been said.
    pub highlight: Vec<String>,
    /// Whether the mouse belongs to us.
    pub mouse: bool,
    /// Whether all is told line by line, on a terminal as well.
    pub plain: bool,
    /// How the time of a message is written.
    pub time_format: TimeFormat,
    /// Of whom it is told that they came or went.
    pub arrivals: Arrivals,
    /// When the list of members is shown.
    pub members: Members,
    /// So many lines of a room are held in memory.
    pub scrollback: usize,
    /// By their names.
    pub servers: BTreeMap<String, Server>,
}

/// A server that has a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// A name or an IP address, that of IPv6 without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
    /// What to be called there.
    pub nick: Option<String>,
    /// Where to be there, the room that is shown first in front.
    pub rooms: Vec<String>,
}

/// Where to go: what was typed, with all that the settings say about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// What the settings call this server.
    pub name: Option<String>,
    /// The nick is that of the settings if none was typed; the room is the one that was typed.
    pub address: Address,
    /// All rooms to be in, the one to be shown first in front; the home room if there are none.
    pub rooms: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            nick: None,
            theme: Theme::Auto,
            notify: vec![Notify::Bell],
            notify_on: NotifyOn::Mention,
            highlight: Vec::new(),
            mouse: false,
            plain: false,
            time_format: TimeFormat::default(),
            arrivals: Arrivals::All,
            members: Members::Auto,
            scrollback: 100_000,
            servers: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Reads the settings. Where none are and nobody named a file, they are the defaults.
    ///
    /// # Errors
    /// Says everything that is wrong with the file.
    pub fn read(place: &SettingsPlace) -> Result<Settings, SettingsProblem> {
        let (SettingsPlace::Usual(file) | SettingsPlace::Named(file)) = place else {
            return Ok(Settings::default());
        };
        let is_usual = matches!(place, SettingsPlace::Usual(_));
        if is_usual && is_missing(file) {
            return Ok(Settings::default());
        }
        let text = toml_file::text_of(file).map_err(SettingsProblem::Unreadable)?;
        let contents = file::read(&text);
        if contents.problems.is_empty() {
            return Ok(contents.settings);
        }
        let (problems, untold) = (contents.problems, contents.untold);
        Err(SettingsProblem::Wrong { file: file.clone(), problems, untold })
    }

    /// Finds where to go. What is typed is an address, or has the name of a server where the host would be: `work`,
    /// `work/ops`, `ann@work/ops`. With a port it is always a host.
    ///
    /// # Errors
    /// If it is no address either.
    pub fn find(&self, typed: &str) -> Result<Destination, AddressProblem> {
        let parts = Parts::of(typed);
        let Some((name, server)) = self.servers.get_key_value(parts.server) else {
            let address = Address::parse(typed)?;
            let nick = address.nick.or_else(|| self.nick.clone());
            let rooms = address.room.iter().cloned().collect();
            return Ok(Destination { name: None, address: Address { nick, ..address }, rooms });
        };
        let nick = parts.nick()?.or_else(|| server.nick.clone()).or_else(|| self.nick.clone());
        let address = Address { nick, host: server.host.clone(), port: server.port, room: parts.room()? };
        let rooms = once_each(address.room.iter().chain(&server.rooms));
        Ok(Destination { name: Some(name.clone()), address, rooms })
    }

    /// The server whose name was probably meant by what is no host, either.
    pub(crate) fn nearest_server(&self, host: &str) -> Option<&str> {
        toml_file::nearest(host, self.servers.keys().map(String::as_str))
    }
}

fn is_missing(file: &Path) -> bool {
    // Whatever else stands in the way is found out by reading.
    matches!(file.symlink_metadata(), Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

/// Names of rooms in their order, each once however it is written.
fn once_each<'a>(rooms: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    rooms.filter(|room| seen.insert(hub::key_of(room))).cloned().collect()
}

/// Why there are no settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingsProblem {
    /// There is no text: why, with the name of the file.
    Unreadable(String),
    /// There is something wrong in it.
    Wrong {
        /// Which file.
        file: PathBuf,
        /// By line.
        problems: Vec<Problem>,
        /// How many more there are.
        untold: usize,
    },
}

impl fmt::Display for SettingsProblem {
    /// A line for each problem.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, problems, untold) = match self {
            SettingsProblem::Unreadable(words) => return write!(formatter, "{words}"),
            SettingsProblem::Wrong { file, problems, untold } => (file, problems, *untold),
        };
        for (index, problem) in problems.iter().take(PROBLEMS_MAX).enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{end}{}:{}: {}", file.display(), problem.line, problem.words)?;
        }
        let untold = untold + problems.len().saturating_sub(PROBLEMS_MAX);
        if untold > 0 {
            write!(formatter, "\n{}: and {untold} more problems", file.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsProblem {}
