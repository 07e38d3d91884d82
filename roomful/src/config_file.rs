//! A configuration file: TOML, flat, and every problem in it at once.
//!
//! Where it stands: between the text of a file and the table in `settings`. It yields values spelled as in flags, each with
//! its line; whether they are possible is the table's to say.
//!
//! What this file must never do: read anything but the text it is given, or stop at the first problem.

use crate::key::{Key, Kind};
use crate::settings;
use client::toml_file::{PROBLEMS_MAX, Problem, Row, TomlText, integer, kind_of};
use toml::Spanned;
use toml::de::{DeArray, DeValue};

/// What stands in a file.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
    pub(crate) problems: Vec<Problem>,
    /// How many more problems there are.
    pub(crate) untold: usize,
}

/// A key with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) key: &'static Key,
    /// Spelled as in a flag.
    pub(crate) text: String,
}

/// Reads a file's text. It takes time for its length and no more, whatever stands in it.
pub(crate) fn read(text: &str) -> Contents {
    let mut toml = TomlText::read(text);
    let problems = std::mem::take(&mut toml.problems);
    let mut contents = Contents { entries: Vec::new(), problems, untold: toml.untold };
    contents.add(&toml.rows());
    contents
}

impl Contents {
    /// Adds what these rows say. There can be no more known keys than there are; of the others any number.
    fn add(&mut self, rows: &[Row<'_>]) {
        let mut unknown_count = 0;
        for row in rows {
            let line = row.line;
            let Some(key) = settings::key(row.name) else {
                unknown_count += 1;
                // Words are made only for those that are told: to find the key that was meant takes its time.
                if unknown_count <= PROBLEMS_MAX {
                    self.problems.push(Problem { line, words: unknown(row.name, row.value) });
                }
                continue;
            };
            match text_of(key, row.value) {
                Some(text) => self.entries.push(Entry { line, key, text }),
                None => self.problems.push(Problem { line, words: wrong_type(key, row.value) }),
            }
        }
        self.untold += unknown_count.saturating_sub(PROBLEMS_MAX);
    }
}

fn unknown(name: &str, value: &DeValue<'_>) -> String {
    let shown = name.escape_debug();
    match settings::nearest(name) {
        Some(key) => format!("unknown key '{shown}'; did you mean '{}'?", key.name),
        None if value.is_table() => {
            format!("unknown key '{shown}'; there are no sections, write all keys at the left")
        }
        None => format!("unknown key '{shown}'; `roomful config default` lists them all"),
    }
}

/// A value as it would be spelled in a flag, if it is of the right type.
fn text_of(key: &Key, value: &DeValue<'_>) -> Option<String> {
    match &key.kind {
        Kind::Number(_) => integer(value),
        Kind::Choice(_) | Kind::Room | Kind::Data => value.as_str().map(str::to_owned),
        Kind::Addresses => match value {
            DeValue::Array(several) => addresses(several),
            one => address(one),
        },
    }
}

fn addresses(several: &DeArray<'_>) -> Option<String> {
    let each = several.iter().map(Spanned::get_ref).map(address);
    Some(each.collect::<Option<Vec<String>>>()?.join(","))
}

/// A port may be a number.
fn address(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| integer(value))
}

fn wrong_type(key: &Key, value: &DeValue<'_>) -> String {
    let found = kind_of(value);
    let wanted = match &key.kind {
        Kind::Number(_) => format!("{}, without quotes", key.allowed()),
        Kind::Choice(_) | Kind::Room | Kind::Data => format!("{}, in quotes", key.allowed()),
        Kind::Addresses => "an array of addresses, such as [\"8008\", \"[::1]:9000\"]".to_owned(),
    };
    format!("{}: {found} is not possible; write {wanted}", key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut problems = read(text).problems;
        problems.sort_by_key(|problem| problem.line);
        problems.iter().map(|problem| format!("{}: {}", problem.line, problem.words)).collect()
    }

    fn entries(text: &str) -> Vec<String> {
        let contents = read(text);
        assert!(contents.problems.is_empty(), "{:?}", contents.problems);
        let shown = |entry: &Entry| format!("{}: {} {}", entry.line, entry.key.name, entry.text);
        contents.entries.iter().map(shown).collect()
    }

    #[test]
    fn values_are_spelled_as_in_flags() {
        let text = "# a comment\nmembers_max = 1_000\nlisten = [\"8008\",\n  \"[::1]:9\"]\nshards = 0x10\nroom = 'ops'\n";
        assert_eq!(
            entries(text),
            ["2: members_max 1000", "3: listen 8008,[::1]:9", "5: shards 16", "6: room ops"]
        );
        assert_eq!(entries("listen = 8008"), ["1: listen 8008"]);
        assert_eq!(entries("listen = [1, '127.0.0.1']"), ["1: listen 1,127.0.0.1"]);
        assert!(entries("").is_empty());
    }

    #[test]
    fn unknown_keys_have_their_line_and_a_suggestion() {
        assert_eq!(
            problems("\nmebers_max = 5\ncolour = 'red'\n"),
            [
                "2: unknown key 'mebers_max'; did you mean 'members_max'?",
                "3: unknown key 'colour'; `roomful config default` lists them all",
            ]
        );
        assert_eq!(
            problems("[hub]\nx = 1\n"),
            ["1: unknown key 'hub'; there are no sections, write all keys at the left"]
        );
    }

    #[test]
    fn wrong_types_are_named_with_what_would_be_right() {
        assert_eq!(
            problems("members_max = '5'\nroom = 5\nlisten = true\nshards = 1.5\n"),
            [
                "1: members_max: a string is not possible; write a number from 1 to 16777216, without quotes",
                "2: room: a number is not possible; write the name of a room, in quotes",
                "3: listen: true or false is not possible; write an array of addresses, such as [\"8008\", \
                 \"[::1]:9000\"]",
                "4: shards: a number with a fraction is not possible; write a number from 1 to 256, without quotes",
            ]
        );
    }

    #[test]
    fn bad_toml_and_what_is_wrong_elsewhere_are_told_together() {
        let problems = problems("shards = 1\nshards = 2\nroom = lobby\nmebers_max = 1\n");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(problems[0], "2: the key 'shards' stands there a second time; keep one of them");
        assert!(problems[1].starts_with("3: this is not TOML: string values must be quoted"), "{problems:?}");
        assert!(problems[2].starts_with("4: unknown key"), "{problems:?}");
    }
}
