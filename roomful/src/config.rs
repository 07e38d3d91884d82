//! The configuration: flags before environment before file before defaults, and where each value comes from.
//!
//! Where it stands: between what somebody wrote, in three places, and the [`Settings`] that the server is started with. Read
//! at the start, by `roomful config`, and again at each SIGHUP.
//!
//! What this file must never do: look for a file that nobody named, or let a wrong value pass because a better one
//! stands elsewhere.

use crate::config_file;
use crate::key::{Key, Reload};
use crate::settings::{KEYS, Settings};
use client::toml_file::{self, PROBLEMS_MAX, Problem};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment variable that names the file.
pub(crate) const FILE_VARIABLE: &str = "ROOMFUL_CONFIG";

/// What the command line says about the configuration. The values have been checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<PathBuf>,
    pub(crate) given: Vec<(&'static Key, String)>,
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    Default,
    /// The line, from 1.
    File(usize),
    Environment,
    Flag,
}

/// What a server is to run with.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) file: Option<PathBuf>,
    pub(crate) settings: Settings,
    /// Of the keys that were set.
    origins: BTreeMap<&'static str, Origin>,
}

/// Everything that is wrong with a configuration, one line each.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// What can be asked for a variable's value: the process's environment, or a test's.
type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The file that is named by the flag or else by the environment.
pub(crate) fn file_of(flags: &Flags) -> Option<PathBuf> {
    file_in(flags, &|name| std::env::var_os(name))
}

fn file_in(flags: &Flags, environment: Environment<'_>) -> Option<PathBuf> {
    let named = || environment(FILE_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    flags.config.clone().or_else(named)
}

impl Configuration {
    /// Reads it from file, environment and flags.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub(crate) fn read(flags: &Flags) -> Result<Configuration, Problems> {
        Configuration::read_in(flags, &|name| std::env::var_os(name))
    }

    fn read_in(flags: &Flags, environment: Environment<'_>) -> Result<Configuration, Problems> {
        let mut problems = Problems::default();
        let mut configuration = Configuration {
            file: file_in(flags, environment),
            settings: Settings::default(),
            origins: BTreeMap::new(),
        };
        // In this order, so that who comes later has the last word.
        if let Some(file) = configuration.file.clone() {
            configuration.add_file(&file, &mut problems);
        }
        configuration.add_environment(environment, &mut problems);
        configuration.add_flags(flags, &mut problems);
        if problems.0.is_empty() { Ok(configuration) } else { Err(problems) }
    }

    fn add_file(&mut self, file: &Path, problems: &mut Problems) {
        let shown = file.display();
        let text = match toml_file::text_of(file) {
            Ok(text) => text,
            Err(problem) => return problems.0.push(problem),
        };
        let contents = config_file::read(&text);
        let mut found = contents.problems;
        for entry in contents.entries {
            if let Err(reason) = self.put(entry.key, &entry.text, Origin::File(entry.line)) {
                found.push(Problem { line: entry.line, words: format!("{}: {reason}", entry.key.name) });
            }
        }
        found.sort_by_key(|problem| problem.line);
        let told = found.iter().take(PROBLEMS_MAX);
        problems.0.extend(told.map(|problem| format!("{shown}:{}: {}", problem.line, problem.words)));
        let untold = contents.untold + found.len().saturating_sub(PROBLEMS_MAX);
        if untold > 0 {
            problems.0.push(format!("{shown}: and {untold} more problems"));
        }
    }

    fn add_environment(&mut self, environment: Environment<'_>, problems: &mut Problems) {
        for key in KEYS {
            let name = key.environment();
            // An empty variable is the shell's way of having none.
            let Some(value) = environment(&name).filter(|value| !value.is_empty()) else { continue };
            let put = match value.to_str() {
                Some(text) => self.put(key, text, Origin::Environment),
                None => Err("this is not UTF-8".to_owned()),
            };
            if let Err(reason) = put {
                problems.0.push(format!("environment variable {name}: {reason}"));
            }
        }
    }

    fn add_flags(&mut self, flags: &Flags, problems: &mut Problems) {
        for (key, text) in &flags.given {
            if let Err(reason) = self.put(key, text, Origin::Flag) {
                problems.0.push(format!("{}: {reason}", key.flag()));
            }
        }
    }

    fn put(&mut self, key: &Key, text: &str, origin: Origin) -> Result<(), String> {
        key.put(&mut self.settings, text)?;
        self.origins.insert(key.name, origin);
        Ok(())
    }

    /// Where the value of a key comes from, in words.
    pub(crate) fn origin(&self, key: &Key) -> String {
        match (self.origins.get(key.name).unwrap_or(&Origin::Default), &self.file) {
            (Origin::File(line), Some(file)) => format!("{}:{line}", file.display()),
            // Without a file there is no value from one.
            (Origin::Default | Origin::File(_), _) => "default".to_owned(),
            (Origin::Environment, _) => format!("environment {}", key.environment()),
            (Origin::Flag, _) => format!("flag {}", key.flag()),
        }
    }
}

/// A key whose value has changed.
#[derive(Debug)]
pub(crate) struct Change {
    key: &'static Key,
    from: String,
    to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} -> {}", self.key.name, self.from, self.to)?;
        match self.key.reload {
            Reload::Applies => Ok(()),
            Reload::NeedsRestart => formatter.write_str(" (needs a restart)"),
        }
    }
}

/// Moves what a running server can change from `newer` into `running`, and returns everything that is different, that which
/// needs a restart included.
pub(crate) fn update(running: &mut Settings, newer: &Settings) -> Vec<Change> {
    let change_of = |key: &'static Key| {
        let change = Change { key, from: key.text(running), to: key.text(newer) };
        (change.from != change.to).then_some(change)
    };
    let changes: Vec<Change> = KEYS.iter().filter_map(change_of).collect();
    for change in changes.iter().filter(|change| change.key.reload == Reload::Applies) {
        // It has been checked: it stands in settings.
        let _ = change.key.put(running, &change.to);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::key;

    fn flags(given: &[(&str, &str)]) -> Flags {
        let given = given.iter().map(|(name, text)| (key(name).unwrap(), (*text).to_owned()));
        Flags { config: None, given: given.collect() }
    }

    fn read(given: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Configuration, Problems> {
        let environment = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Configuration::read_in(&flags(given), &environment)
    }

    #[test]
    fn flag_goes_before_environment_and_environment_before_the_default() {
        let variables = [("ROOMFUL_SHARDS", "2"), ("ROOMFUL_MEMBERS_MAX", "7")];
        let configuration = read(&[("shards", "3")], &variables).unwrap();
        assert_eq!(configuration.settings.server.shards, 3);
        assert_eq!(configuration.settings.server.hub.members_max, 7);
        assert_eq!(configuration.settings.server.hub.rooms_max, 10_000);
        let origin = |name: &str| configuration.origin(key(name).unwrap());
        assert_eq!(origin("shards"), "flag --shards");
        assert_eq!(origin("members_max"), "environment ROOMFUL_MEMBERS_MAX");
        assert_eq!(origin("rooms_max"), "default");
    }

    #[test]
    fn empty_variable_counts_as_not_set() {
        let variables = [("ROOMFUL_SHARDS", ""), (FILE_VARIABLE, "")];
        let configuration = read(&[], &variables).unwrap();
        assert_eq!(configuration.origin(key("shards").unwrap()), "default");
        assert_eq!(configuration.file, None);
    }

    #[test]
    fn wrong_variable_is_named_even_if_a_flag_goes_before_it() {
        let problems = read(&[("shards", "3")], &[("ROOMFUL_SHARDS", "0")]).unwrap_err();
        assert_eq!(
            problems.to_string(),
            "environment variable ROOMFUL_SHARDS: 0 is too small, nobody would be served; write a number from 1 to 256"
        );
    }

    #[test]
    fn several_addresses_stand_between_commas() {
        let configuration = read(&[], &[("ROOMFUL_LISTEN", "127.0.0.1:1,[::1]:2")]).unwrap();
        let expected = ["127.0.0.1:1", "[::1]:2"].map(|address| address.parse().unwrap());
        assert_eq!(configuration.settings.server.listen, expected);
    }

    #[test]
    fn update_changes_what_a_running_server_can_and_names_the_rest() {
        let mut running = Settings::default();
        let newer = read(&[("members_max", "5"), ("shards", "4")], &[]).unwrap().settings;
        let changes = |changes: &[Change]| changes.iter().map(Change::to_string).collect::<Vec<_>>();
        let first = update(&mut running, &newer);
        assert_eq!(changes(&first), ["shards: 1 -> 4 (needs a restart)", "members_max: 100000 -> 5"]);
        assert_eq!((running.server.hub.members_max, running.server.shards), (5, 1));
        // What runs is still different from what is written.
        assert_eq!(changes(&update(&mut running, &newer)), ["shards: 1 -> 4 (needs a restart)"]);
    }
}
