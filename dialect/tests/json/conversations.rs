//! Conversations in files: what clients send, and all that they read.
//!
//! A line is one of
//!
//! ```text
//! # a remark
//! ann connects
//! ann> a line that ann sends
//! ann>> bytes\r\n              (escaped; no end of line is added)
//! ann ends                     (nothing more will come from her)
//! ann goes                     (her connection breaks)
//! ann stops reading            (and goes on with `ann reads again`)
//! journal stops                (nothing becomes durable, until `journal goes on`)
//! pages wait                   (nothing is read of the past, until `pages come`)
//! all up to 4 is forgotten
//! 50 ms pass
//! server is about to stop      (and stops with `server stops`)
//! server stops
//! 10 lines a second            (are possible from here on)
//! ```
//!
//! or follows from those: `ann< ` what ann reads, `ann! ` what becomes of her connection. With `CONVERSATIONS=write` in the
//! environment the files are written anew; look at what has changed.

use crate::world::World;
use hub::{Sequence, Trouble};
use std::fmt::Write as _;
use std::path::Path;

#[test]
fn conversations_go_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json/conversations");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no conversations in {}", folder.display());
    for file in files {
        let written = std::fs::read_to_string(&file).expect("a file that can be read");
        let happened = play(&written);
        if is_writing() {
            std::fs::write(&file, &happened).expect("a file that can be written");
        } else {
            compare(&file, &written, &happened);
        }
    }
}

pub(crate) fn is_writing() -> bool {
    std::env::var("CONVERSATIONS").is_ok_and(|mode| mode == "write")
}

pub(crate) fn compare(file: &Path, written: &str, happened: &str) {
    let differing = written.lines().zip(happened.lines()).position(|(one, other)| one != other);
    let line = differing.unwrap_or(written.lines().count().min(happened.lines().count()));
    assert!(
        written == happened,
        "{}:{}\n  written:  {}\n  happened: {}\n\nall that happened:\n{happened}",
        file.display(),
        line + 1,
        written.lines().nth(line).unwrap_or("(the end)"),
        happened.lines().nth(line).unwrap_or("(the end)"),
    );
}

/// Plays what is done, and returns it with all that comes of it.
pub(crate) fn play(written: &str) -> String {
    let mut world = World::new();
    for line in written.lines().filter(|line| !follows(line)) {
        writeln!(world.transcript, "{line}").expect("a string takes everything");
        if !line.is_empty() && !line.starts_with('#') {
            act(&mut world, line);
        }
    }
    world.transcript
}

/// Whether a line is not done, but comes of what is done.
pub(crate) fn follows(line: &str) -> bool {
    let name = line.find(|character: char| !character.is_alphanumeric());
    name.is_some_and(|end| line[end..].starts_with(['<', '!']))
}

pub(crate) fn act(world: &mut World, line: &str) {
    if let Some((name, bytes)) = line.split_once(">> ") {
        let index = find(world, name);
        return world.send(index, &unescaped(bytes));
    }
    if let Some((name, text)) = line.split_once("> ") {
        let index = find(world, name);
        return world.send(index, format!("{text}\n").as_bytes());
    }
    match line.split(' ').collect::<Vec<_>>()[..] {
        [name, "connects"] => {
            world.connect(name);
        }
        [name, "ends"] => {
            let index = find(world, name);
            world.end(index);
        }
        [name, "goes"] => {
            let index = find(world, name);
            world.cut(index);
        }
        [name, "stops", "reading"] => {
            let index = find(world, name);
            world.stop_reading(index);
        }
        [name, "reads", "again"] => {
            let index = find(world, name);
            world.read_on(index);
        }
        ["journal", "stops"] => world.set_journal_working(false),
        ["journal", "goes", "on"] => world.set_journal_working(true),
        ["disk", "is", "full"] => world.journal_fails(Some(Trouble::Full)),
        ["disk", "has", "room"] => world.journal_fails(None),
        ["pages", "wait"] => world.set_pages_coming(false),
        ["pages", "come"] => world.set_pages_coming(true),
        ["all", "up", "to", sequence, "is", "forgotten"] => {
            world.history.forgotten = Sequence(number(sequence));
        }
        [ms, "ms", "pass"] => world.pass(number(ms)),
        ["server", "is", "about", "to", "stop"] => world.last_call(),
        ["server", "stops"] => world.stop(),
        [count, "lines", "a", "second"] => world.set_lines_per_second(number(count) as u32),
        _ => panic!("nobody knows how to do this: {line}"),
    }
}

fn find(world: &World, name: &str) -> usize {
    let found = world.clients.iter().rposition(|client| client.name == name);
    found.unwrap_or_else(|| panic!("{name} has not connected"))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// Undoes `\r`, `\n`, `\\` and `\xNN`.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = if byte == b'\\' { rest.next() } else { None };
        bytes.push(match escaped {
            None => byte,
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b'x') => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).expect("two digits");
                u8::from_str_radix(digits, 16).expect("two hex digits")
            }
            Some(other) => other,
        });
    }
    bytes
}
