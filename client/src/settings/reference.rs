//! The reference in `docs/reference/client.md`: made of the tables by a test, which then holds the page to them.
//!
//! Where it stands: beside `example`, which writes the same things as a file; it is no part of the program. To write the page
//! anew, and then read what has changed:
//!
//! ```text
//! REWRITE_REFERENCE=1 cargo test -p client reference_in_the_documents
//! ```
//!
//! What this file must never do: say something about a key that does not stand in its row.

use super::keys::{KEYS, Key, SERVER_KEYS};
use super::{Settings, example, file};
use crate::toml_file::wrapped;
use std::fmt::Write as _;

const HEAD: &str = "\
<!-- This page is made of the tables in client/src/settings/keys.rs; change it there, then:
     REWRITE_REFERENCE=1 cargo test -p client reference_in_the_documents -->

# Settings of the client

Nothing has to be set. What can be stands in one file, `~/.config/roomful/client.toml`, or `roomful/client.toml` in the directory that
`XDG_CONFIG_HOME` names. `--settings FILE` reads another one instead, and so does the environment variable `ROOMFUL_CLIENT_CONFIG`;
the flag goes before the variable, and a file that is named so has to be there. What the command line says goes before the
settings. They are read once, when the client starts. [The client](../client.md) says what else there is to know.

The file is TOML, in a regular file of at most 1 MiB:

```toml
nick = \"ann\"
theme = \"dark\"
notify = [\"bell\", \"osc777\"]
highlight = [\"deploy\"]

[servers.work]
address = \"chat.example:9000\"
rooms = [\"ops\", \"dev\"]
```

An unknown key is an error, like a value that is not possible. All of them are told at once, of a file the first 100:

```text
client.toml:2: unknown key 'teme'; did you mean 'theme'?
client.toml:3: notify: 'beep' is none of \"bell\", \"osc9\" and \"osc777\"
```

No secret stands in it, and everybody may read it.

## For all servers
";

const SERVERS: &str = "
## For one server

`[servers.NAME]` gives a server a name that stands where its host and port would: `roomful join work`, `roomful say ann@work/ops`. The name has 1 to
64 letters, digits, `-`, `_` and `.`; it goes before a host of the same name, which is still found with its port: `work:8008`.
";

fn reference() -> String {
    let mut page = HEAD.to_owned();
    for key in KEYS {
        let default = (key.written)(&Settings::default()).map(|default| format!("`{default}`"));
        describe(key, &default.unwrap_or_else(|| "none".to_owned()), &mut page);
    }
    page.push_str(SERVERS);
    for key in SERVER_KEYS {
        describe(key, "none", &mut page);
    }
    page
}

fn describe<T>(key: &Key<T>, default: &str, page: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "\n### `{}`\n\n{}.", key.name, key.help);
    for line in wrapped(key.more) {
        let _ = writeln!(page, "{line}");
    }
    page.push('\n');
    let words = (key.words)();
    for (word, help) in &words {
        let _ = writeln!(page, "- `{word}`: {help}");
    }
    if !words.is_empty() {
        page.push('\n');
    }
    let _ = writeln!(page, "| allowed | {} |\n|---|---|", (key.allowed)());
    let _ = writeln!(page, "| default | {default} |");
    let _ = writeln!(page, "| example | `{} = {}` |", key.name, key.example);
}

/// What stands between these fences in the reference.
fn shown(fence: &str) -> &'static str {
    let (_, behind) = HEAD.split_once(fence).expect("the example is there");
    behind.split_once("```").expect("the fence is closed").0
}

#[test]
fn examples_are_read() {
    let contents = file::read(shown("```toml\n"));
    assert!(contents.problems.is_empty(), "{:?}", contents.problems);
    assert_eq!(contents.settings.servers["work"].rooms, ["ops", "dev"]);
    let contents = file::read("\nteme = 1\nnotify = 'beep'\n");
    let told = super::SettingsProblem::Wrong {
        file: "client.toml".into(),
        problems: contents.problems,
        untold: contents.untold,
    };
    assert_eq!(shown("```text\n").trim_end(), told.to_string());
    for key in KEYS {
        let row = format!("{} = {}", key.name, key.example);
        assert!(file::read(&row).problems.is_empty(), "{row}");
    }
}

#[test]
fn example_file_says_what_is_so_without_it() {
    let contents = file::read(&example());
    assert!(contents.problems.is_empty(), "{:?}", contents.problems);
    assert_eq!(contents.settings, Settings::default());
}

#[test]
fn example_file_without_its_marks_is_read_as_well() {
    let example = example();
    let is_row = |line: &&str| {
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let rows: Vec<&str> = example.lines().map(|line| line.trim_start_matches("# ")).filter(is_row).collect();
    let contents = file::read(&rows.join("\n"));
    assert!(contents.problems.is_empty(), "{:?}", contents.problems);
    assert_eq!(contents.settings.nick.as_deref(), Some("ann"));
    assert_eq!(contents.settings.servers["work"].host, "chat.example");
}

#[test]
fn reference_in_the_documents_is_what_the_tables_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/client.md");
    if std::env::var_os("REWRITE_REFERENCE").is_some() {
        std::fs::write(path, reference()).expect("the folder can be written to");
    }
    let written = std::fs::read_to_string(path).expect("the page is part of the repository");
    assert!(
        written == reference(),
        "write it anew: REWRITE_REFERENCE=1 cargo test -p client reference_in_the_documents"
    );
}

/// What stands between fences of TOML in the guide.
fn settings_of_the_guide(guide: &str) -> String {
    let blocks = guide.split("```toml\n").skip(1).filter_map(|behind| behind.split("```").next());
    blocks.collect()
}

#[test]
fn guide_shows_settings_and_addresses_that_work() {
    let guide = include_str!("../../../docs/client.md");
    let contents = file::read(&settings_of_the_guide(guide));
    assert!(contents.problems.is_empty(), "{:?}", contents.problems);
    let typed = guide.split("| `roomful join ").skip(1).filter_map(|behind| behind.split('`').next());
    let found: Vec<_> = typed.map(|typed| contents.settings.find(typed).unwrap()).collect();
    assert_eq!(found.len(), 5);
    assert_eq!(found[4].rooms, ["ops", "dev"]);
}
