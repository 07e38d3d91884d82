//! What `roomful config` prints, and the reference in `docs/reference/configuration.md`: the table of keys, written out.
//!
//! Where it stands: behind the table and the configuration; nothing is known here that does not stand there.
//!
//! What this file must never do: print a file that `roomful config check` would not take.

use crate::command_line::print;
use crate::config::{self, Configuration, FILE_VARIABLE, Flags};
use crate::key::{Key, Kind, Reload, Subject};
use crate::settings::{KEYS, Settings};
use anyhow::Context as _;
use std::fmt::Write as _;

/// `roomful config default`
pub(crate) fn print_default() -> anyhow::Result<()> {
    print(default_file().as_bytes()).context("cannot print the configuration")
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

/// `roomful config reference`
pub(crate) fn print_reference() -> anyhow::Result<()> {
    print(reference().as_bytes()).context("cannot print the reference")
}

/// Lines of a file have at most so many columns.
const COLUMNS_MAX: usize = 100;

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
        comment(&format!("Write {}. {}.", key.allowed(), when_it_applies(key)), &mut file);
        // Writing to a string cannot fail.
        let _ = writeln!(file, "{} = {}", key.name, key.toml(&defaults));
    }
    file
}

/// Words behind `# `, wrapped.
fn comment(words: &str, file: &mut String) {
    let mut columns = 0;
    for word in words.split_whitespace() {
        let width = word.chars().count() + 1;
        if columns == 0 || columns + width > COLUMNS_MAX {
            file.push_str(if columns == 0 { "#" } else { "\n#" });
            columns = 1;
        }
        file.push(' ');
        file.push_str(word);
        columns += width;
    }
    if columns > 0 {
        file.push('\n');
    }
}

fn choices(key: &Key, file: &mut String) {
    let Kind::Choice(choices) = &key.kind else { return };
    for choice in *choices {
        comment(&format!("- {}: {}", choice.word, choice.help), file);
    }
}

fn when_it_applies(key: &Key) -> &'static str {
    match key.reload {
        Reload::Applies => "A reload applies it",
        Reload::NeedsRestart => "It needs a restart",
    }
}

/// Each key; the first of a subject with that.
fn with_subjects() -> impl Iterator<Item = (Option<Subject>, &'static Key)> {
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

const REFERENCE_HEAD: &str = "\
<!-- This page is made of the table in roomful/src/settings.rs; change it there, then:
     roomful config reference > docs/reference/configuration.md -->

# Configuration

Nothing has to be configured. What can be has one name in three spellings: the key `members_max` of a file is the flag
`--members-max` and the environment variable `ROOMFUL_MEMBERS_MAX`. A flag goes before the environment, the environment
before the file, the file before the default. An environment variable that is empty counts as not set.

## The file

`roomful serve --config FILE` reads it, or `ROOMFUL_CONFIG=FILE roomful serve`; without either no file is read. It is TOML, without
sections:

```toml
listen = [\"8008\", \"[::1]:9000\"]
members_max = 500
room = \"ops\"
```

An unknown key is an error, like a value that is not possible, and all of them are told at once:

```text
roomful: roomful.toml:2: unknown key 'mebers_max'; did you mean 'members_max'?
roomful: roomful.toml:3: room: '.ops' is no name for a room: it begins with '.'; a letter goes there
```

| command | what it does |
|---|---|
| `roomful config default` | prints a file with every key and its default |
| `roomful config check FILE` | says what is wrong with a file, or with the environment; the exit status is 1 if something is |
| `roomful config show` | prints every key with its value and where that comes from; takes the flags of `roomful serve` |

## Reloading

SIGHUP has a running server read the file again; the flags and the environment of its start still go before it. The log says key
by key what has changed. What needs a restart is named there and stays as it was. A file with a mistake changes
nothing, and the log says what is wrong with it. Without a file there is nothing to reload, and the server goes on: closing
its terminal does not stop it.

Nobody is sent away, and nothing is closed, because a bound was lowered.
";

fn reference() -> String {
    let mut page = REFERENCE_HEAD.to_owned();
    for (subject, key) in with_subjects() {
        if let Some(subject) = subject {
            let _ = writeln!(page, "\n## {}", subject.title());
        }
        describe(key, &mut page);
    }
    page
}

fn describe(key: &Key, page: &mut String) {
    let (name, flag, environment) = (key.name, key.flag(), key.environment());
    let _ = writeln!(page, "\n### `{name}`\n\n{}.", key.help);
    if !key.more.is_empty() {
        let _ = writeln!(page, "{}", key.more);
    }
    page.push('\n');
    if let Kind::Choice(choices) = &key.kind {
        for choice in *choices {
            let _ = writeln!(page, "- `{}`: {}", choice.word, choice.help);
        }
        page.push('\n');
    }
    let _ = writeln!(page, "| flag | `{flag} {}` |\n|---|---|", key.value_name);
    let _ = writeln!(page, "| environment | `{environment}` |");
    let _ = writeln!(page, "| allowed | {} |", key.allowed());
    let _ = writeln!(page, "| default | `{}` |", key.toml(&Settings::default()));
    let _ = writeln!(page, "| reload | {} |", when_it_applies(key).to_lowercase());
    if let Some(told) = key.told {
        let _ = writeln!(page, "| who reaches it is told | `{told}` |");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file;

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

    /// What stands between these fences in the reference.
    fn example(fence: &str) -> &'static str {
        let (_, behind) = REFERENCE_HEAD.split_once(fence).expect("the example is there");
        behind.split_once("```").expect("the fence is closed").0
    }

    #[test]
    fn examples_of_the_reference_are_true() {
        assert_eq!(values(example("```toml\n")).len(), 3);
        let contents = config_file::read("\nmebers_max = 1\nroom = '.ops'");
        let room = &contents.entries[0];
        let expected = format!(
            "roomful: roomful.toml:2: {}\nroomful: roomful.toml:3: room: {}\n",
            contents.problems[0].words,
            room.key.check(&room.text).unwrap_err()
        );
        assert_eq!(example("```text\n"), expected);
    }

    #[test]
    fn lines_of_the_default_file_fit_a_screen() {
        for line in default_file().lines() {
            assert!(line.chars().count() <= COLUMNS_MAX, "{line}");
        }
    }

    #[test]
    fn reference_in_the_documents_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/configuration.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == reference(),
            "write it anew: cargo run -p roomful -- config reference > docs/reference/configuration.md"
        );
    }
}
