//! What `roomful config` prints: the table of keys and the configuration, written out.
//!
//! Where it stands: behind the two; nothing is known here that does not stand there. `reference` writes the
//! same things as a page.
//!
//! What this file must never do: print a file that `roomful config check` would not take.

use crate::command_line::print;
use crate::config::{self, Configuration, FILE_VARIABLE, Flags};
use crate::key::{Key, Kind, Reload, Subject};
use crate::settings::{KEYS, Settings};
use anyhow::Context as _;
use client::toml_file::comment;
use std::fmt::Write as _;

/// `roomful config default`
pub(crate) fn print_default() -> anyhow::Result<()> {
    print(default_file().as_bytes()).context("cannot print the configuration")
}

/// `roomful config client`
///
/// # Errors
/// If it cannot be printed.
pub(crate) fn print_client_default() -> anyhow::Result<()> {
    print(client::settings::example().as_bytes()).context("cannot print the settings")
}

/// `roomful config check`
///
/// # Errors
/// If there is something wrong: all of it.
pub(crate) fn print_check(flags: &Flags) -> anyhow::Result<()> {
    Configuration::read(flags)?;
    let checked = match config::file_of(flags) {
        Some(file) => format!("{}: no problems\n", file.display()),
        None => format!("no file is named by --config or {FILE_VARIABLE}; the environment has no problems\n"),
    };
    print(checked.as_bytes()).context("cannot print the outcome")
}

/// `roomful config show`
pub(crate) fn print_effective(flags: &Flags) -> anyhow::Result<()> {
    print(effective(&Configuration::read(flags)?).as_bytes()).context("cannot print the configuration")
}

fn default_file() -> String {
    let mut file = String::new();
    let head = format!(
        "The configuration of a Roomful server: every key with its default. `roomful serve --config FILE` reads it, or \
         {FILE_VARIABLE}=FILE; without either no file is read. A flag or an environment variable goes before what stands \
         here. SIGHUP has a running server read it again."
    );
    comment(&head, &mut file);
    let defaults = Settings::default();
    for (subject, key) in with_subjects() {
        file.push('\n');
        if let Some(subject) = subject {
            comment(&format!("---- {} ----", subject.title()), &mut file);
            file.push('\n');
        }
        comment(&format!("{}.", key.help), &mut file);
        comment(key.more, &mut file);
        choices(key, &mut file);
        if let Some(told) = key.told {
            comment(&format!("Who reaches it is told: {told}."), &mut file);
        }
        comment(&format!("Write {}. {}.", key.allowed(), when_it_applies(key)), &mut file);
        // Writing to a string cannot fail.
        let _ = writeln!(file, "{} = {}", key.name, key.toml(&defaults));
    }
    file
}

fn choices(key: &Key, file: &mut String) {
    let Kind::Choice(choices) = &key.kind else { return };
    for choice in *choices {
        comment(&format!("- {}: {}", choice.word, choice.help), file);
    }
}

pub(crate) fn when_it_applies(key: &Key) -> &'static str {
    match key.reload {
        Reload::Applies => "A reload applies it",
        Reload::NeedsRestart => "It needs a restart",
    }
}

/// Each key; the first of a subject with that.
pub(crate) fn with_subjects() -> impl Iterator<Item = (Option<Subject>, &'static Key)> {
    let mut before = None;
    KEYS.iter().map(move |key| {
        let is_first = before.replace(key.subject) != Some(key.subject);
        (is_first.then_some(key.subject), key)
    })
}

fn effective(configuration: &Configuration) -> String {
    let settings: Vec<(String, String)> = KEYS
        .iter()
        .map(|key| {
            let setting = format!("{} = {}", key.name, key.toml(&configuration.settings));
            (setting, configuration.origin(key))
        })
        .collect();
    let width = settings.iter().map(|(setting, _)| setting.chars().count()).max().unwrap_or_default();
    let mut listing = String::new();
    for (setting, origin) in settings {
        // A path may hold what would end the comment.
        let origin: String = origin.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let _ = writeln!(listing, "{setting:width$}  # {origin}");
    }
    listing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file;
    use client::toml_file::COLUMNS_MAX;

    /// What a file sets, as text; it has no problems.
    fn values(file: &str) -> Vec<(&'static str, String)> {
        let contents = config_file::read(file);
        assert!(contents.problems.is_empty(), "{:?}", contents.problems);
        let mut settings = Settings::default();
        for entry in &contents.entries {
            assert_eq!(entry.key.put(&mut settings, &entry.text), Ok(()));
        }
        let mut values: Vec<_> =
            contents.entries.iter().map(|entry| (entry.key.name, entry.key.text(&settings))).collect();
        values.sort();
        values
    }

    fn defaults() -> Vec<(&'static str, String)> {
        let settings = Settings::default();
        let mut values: Vec<_> = KEYS.iter().map(|key| (key.name, key.text(&settings))).collect();
        values.sort();
        values
    }

    #[test]
    fn default_file_sets_every_key_to_its_default() {
        assert_eq!(values(&default_file()), defaults());
    }

    #[test]
    fn lines_of_the_default_file_fit_a_screen() {
        for line in default_file().lines() {
            assert!(line.chars().count() <= COLUMNS_MAX, "{line}");
        }
    }
}
