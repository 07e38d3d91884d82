//! The reference in `docs/reference/configuration.md`: made of the table by a test, which then holds the page to it.
//!
//! Where it stands: beside `listings`, which writes the same things for a terminal; it is no part of the program. To write the
//! page anew, and then read what has changed:
//!
//! ```text
//! REWRITE_REFERENCE=1 cargo test -p roomful reference_in_the_documents
//! ```
//!
//! What this file must never do: say something about a key that does not stand in its row.

use crate::config_file;
use crate::key::{Key, Kind};
use crate::listings::{when_it_applies, with_subjects};
use crate::settings::Settings;
use client::toml_file::wrapped;
use std::fmt::Write as _;

const REFERENCE_HEAD: &str = "\
<!-- This page is made of the table in roomful/src/settings.rs; change it there, then:
     REWRITE_REFERENCE=1 cargo test -p roomful reference_in_the_documents -->

# Configuration

Nothing has to be configured. What can be has one name in three spellings: the key `members_max` of a file is the flag
`--members-max` and the environment variable `ROOMFUL_MEMBERS_MAX`. A flag goes before the environment, the environment
before the file, the file before the default. An environment variable that is empty counts as not set.

## The file

`roomful serve --config FILE` reads it, or `ROOMFUL_CONFIG=FILE roomful serve`; without either no file is read. It is TOML, without
sections, in a regular file (no pipe) of at most 1 MiB:

```toml
listen = [\"8008\", \"[::1]:9000\"]
members_max = 500
room = \"ops\"
```

An unknown key is an error, like a value that is not possible, and all of them are told at once, of a file the first 100:

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
    for line in wrapped(key.more) {
        let _ = writeln!(page, "{line}");
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

/// What stands between these fences in the reference.
fn example(fence: &str) -> &'static str {
    let (_, behind) = REFERENCE_HEAD.split_once(fence).expect("the example is there");
    behind.split_once("```").expect("the fence is closed").0
}

#[test]
fn examples_of_the_reference_are_true() {
    let contents = config_file::read(example("```toml\n"));
    assert!(contents.problems.is_empty(), "{:?}", contents.problems);
    assert_eq!(contents.entries.len(), 3);
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
fn reference_in_the_documents_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/configuration.md");
    if std::env::var_os("REWRITE_REFERENCE").is_some() {
        std::fs::write(path, reference()).expect("the folder can be written to");
    }
    let written = std::fs::read_to_string(path).expect("the page is part of the repository");
    assert!(
        written == reference(),
        "write it anew: REWRITE_REFERENCE=1 cargo test -p roomful reference_in_the_documents"
    );
}
