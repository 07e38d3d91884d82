//! Conversations in files, whatever is spoken in them: what is done, and all that comes of it.
//!
//! Where it stands: around what each dialect does and shows in its own files. A line is a remark (`# ...`), is done, or follows from what
//! was done. Two lines mean the same in all dialects:
//!
//! ```text
//! ann> a line that ann sends
//! ann>> bytes\r\n              (escaped; no end of line is added)
//! ```
//!
//! With `CONVERSATIONS=write` in the environment the files are written anew; look at what has changed.

use std::path::Path;

/// Plays the files of a folder.
pub(crate) fn all_go_as_written(folder: &str, play: impl Fn(&str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no conversations in {}", folder.display());
    for file in files {
        let written = std::fs::read_to_string(&file).expect("a file that can be read");
        check(&file, &written, &play(&written));
    }
}

/// Compares, or writes anew.
pub(crate) fn check(file: &Path, written: &str, happened: &str) {
    if std::env::var("CONVERSATIONS").is_ok_and(|mode| mode == "write") {
        return std::fs::write(file, happened).expect("a file that can be written");
    }
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

/// Whether a line is not done, but follows: one of these marks stands behind a name.
pub(crate) fn follows(line: &str, marks: &[char]) -> bool {
    let name = line.find(|character: char| !character.is_alphanumeric());
    name.is_some_and(|end| line[end..].starts_with(marks))
}

/// Who sends something in this line, and what, if anybody does.
pub(crate) fn sent(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, text) = line.split_once('>')?;
    if let Some(bytes) = text.strip_prefix("> ") {
        return Some((name, unescaped(bytes)));
    }
    let text = text.strip_prefix(' ').unwrap_or(text);
    Some((name, format!("{text}\n").into_bytes()))
}

pub(crate) fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// Undoes `\r`, `\n`, `\\` and `\xNN`.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
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
