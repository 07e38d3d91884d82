//! `docs/protocol.md` says the truth: its conversations go as written there, one after the other on one server; what clients
//! send and read in them, and what servers send in all other conversations, is what the schema says.

use crate::conversation::check;
use crate::conversations::{act, follows};
use crate::schema::Schema;
use crate::world::World;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const CONVERSATION: &str = "```conversation";
const EXAMPLE: &str = "```json";
const END: &str = "```";

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).expect("a file that can be read")
}

#[test]
fn conversations_of_the_document_go_as_written() {
    let written = read(&document());
    let mut world = World::with_long_pages();
    let mut happened = String::new();
    let mut is_inside = false;
    for line in written.lines() {
        if is_inside && line != END {
            if !follows(line) {
                writeln!(world.transcript, "{line}").expect("a string takes everything");
                act(&mut world, line);
            }
            happened += &std::mem::take(&mut world.transcript);
            continue;
        }
        is_inside = line == CONVERSATION;
        writeln!(happened, "{line}").expect("a string takes everything");
    }
    check(&document(), &written, &happened);
}

/// The JSON of a line like `ann< {...}`, and whether the server sent it.
fn sent(line: &str) -> Option<(Value, bool)> {
    let (name, rest) = line.split_at(line.find(['<', '>'])?);
    let is_name = name.chars().all(char::is_alphanumeric);
    let json = rest.get(2..).filter(|json| is_name && json.starts_with('{'))?;
    // Conversations about what is no JSON are among them.
    Some((serde_json::from_str(json).ok()?, rest.starts_with('<')))
}

#[test]
fn everything_that_is_sent_in_the_document_is_what_the_schema_says() {
    let schema = Schema::read();
    let written = read(&document());
    let mut types = BTreeSet::new();
    let mut fence = "";
    for line in written.lines() {
        if line.starts_with(END) {
            fence = if fence.is_empty() { line } else { "" };
            continue;
        }
        let (value, is_answer) = match fence {
            CONVERSATION => match sent(line) {
                Some(sent) => sent,
                None => continue,
            },
            EXAMPLE => (serde_json::from_str(line).expect("JSON"), true),
            _ => continue,
        };
        let kind = value["type"].as_str().expect("a type").to_owned();
        // Refused on purpose.
        let is_wrong = kind == "shout" || (kind == "say" && !is_answer && value.get("text").is_none());
        if !is_wrong {
            let definition = if is_answer { "answer" } else { "request" };
            assert_eq!(schema.check(definition, &value), Ok(()), "{line}");
            types.insert((definition, kind));
        }
    }
    // Every type is shown at least once.
    for definition in ["request", "answer"] {
        for branch in schema.definition(definition)["oneOf"].as_array().expect("branches") {
            let name = branch["$ref"].as_str().expect("a reference").trim_start_matches("#/$defs/");
            let kind = name.trim_start_matches("request_").trim_start_matches("answer_");
            assert!(
                types.contains(&(definition, kind.to_owned())),
                "the document shows no {definition} '{kind}'"
            );
        }
    }
}

#[test]
fn everything_that_the_server_sends_in_conversations_is_what_the_schema_says() {
    let schema = Schema::read();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json/conversations");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let written = read(&entry.expect("an entry").path());
        for (value, is_answer) in written.lines().filter_map(sent) {
            if is_answer {
                assert_eq!(schema.check("answer", &value), Ok(()));
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}
