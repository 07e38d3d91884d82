//! TOML that people write by hand: the text of a file, its rows with their lines, and what was meant by a misspelled name.
//!
//! Where it stands: under whoever has a table of keys: the settings of the client and the configuration of the server. Which
//! keys there are and what they may be is theirs to say.
//!
//! What this file must never do: wait for somebody, as the opening of a FIFO does, read without a bound, stop at the first
//! problem, or take more time than a text's length is worth, whatever stands in it.

use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file with every key and all that there is to say about it has less than 20 KiB.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Of the problems of a file no more than these are told. Whoever made more has probably named the wrong file.
pub const PROBLEMS_MAX: usize = 100;

/// The text of a regular file.
///
/// # Errors
/// Says what is wrong, with the name of the file.
pub fn text_of(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let text = String::from_utf8(bytes_of(file)?);
    text.map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        format!("{shown}:{line}: this is not UTF-8; save the file as UTF-8")
    })
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, String> {
    let shown = file.display();
    let unreadable = |error: io::Error| format!("cannot read {shown}: {error}");
    let irregular = || format!("{shown}: that is no regular file");
    // Before it is opened, because the opening alone does something to some devices.
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(irregular());
    }
    // Another file may have taken the name since; then the opening must not wait, and what was opened is asked again.
    let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let opened =
        OpenOptions::new().read(true).custom_flags(without_waiting).open(file).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(irregular());
    }
    // The length is only a promise: the file may grow, and those of the kernel say 0.
    let mut bytes = Vec::new();
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let length = metadata.len().max(bytes.len() as u64);
    if length > FILE_BYTES_MAX {
        return Err(format!("{shown}: it has {length} bytes; at most {FILE_BYTES_MAX} are read"));
    }
    Ok(bytes)
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// What it is.
    pub words: String,
}

/// What a text says, and what of it is no TOML.
pub struct TomlText<'a> {
    table: Spanned<DeTable<'a>>,
    lines: Lines,
    /// Lines that are no TOML.
    broken: BTreeSet<usize>,
    /// The first [`PROBLEMS_MAX`] places that are no TOML.
    pub problems: Vec<Problem>,
    /// How many more such places there are.
    pub untold: usize,
}

/// A name with a value, as they stand in the file.
pub struct Row<'a> {
    /// From 1.
    pub line: usize,
    /// The key.
    pub name: &'a str,
    /// What is written for it.
    pub value: &'a DeValue<'a>,
}

impl<'a> TomlText<'a> {
    /// Reads a text as far as it is TOML.
    pub fn read(text: &'a str) -> TomlText<'a> {
        let lines = Lines::of(text);
        let (table, mut errors) = DeTable::parse_recoverable(text);
        errors.sort_by_key(start_of);
        let problem = |error: &toml::de::Error| {
            let place = text.get(error.span().unwrap_or_default()).unwrap_or_default();
            Problem { line: lines.at(start_of(error)), words: words_of(error.message(), place) }
        };
        let problems = errors.iter().take(PROBLEMS_MAX).map(problem).collect();
        let broken = errors.iter().map(|error| lines.at(start_of(error))).collect();
        TomlText { table, lines, broken, problems, untold: errors.len().saturating_sub(PROBLEMS_MAX) }
    }

    /// What stands in it, line by line.
    pub fn rows(&self) -> Vec<Row<'_>> {
        self.rows_of(self.table.get_ref())
    }

    /// What stands in one of its sections, line by line.
    pub(crate) fn rows_of<'t>(&self, table: &'t DeTable<'t>) -> Vec<Row<'t>> {
        let rows = table.iter().map(|(name, value)| Row {
            line: self.lines.at(name.span().start),
            name: name.get_ref(),
            value: value.get_ref(),
        });
        // What could be made out of a line that is no TOML was not written by anybody.
        let mut rows: Vec<Row<'_>> = rows.filter(|row| !self.broken.contains(&row.line)).collect();
        rows.sort_by_key(|row| row.line);
        rows
    }
}

fn start_of(error: &toml::de::Error) -> usize {
    error.span().unwrap_or_default().start
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(std::iter::once(0).chain(ends.map(|(offset, _)| offset + 1)).collect())
    }

    /// The line, from 1, that this byte stands in.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

/// The parser's words, and for the commonest mistakes what to do about it.
fn words_of(message: &str, place: &str) -> String {
    match message {
        "duplicate key" => {
            format!("the key '{}' stands there a second time; keep one of them", place.escape_debug())
        }
        _ => format!("this is not TOML: {message}"),
    }
}

/// What a value is, in words.
pub fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a section",
    }
}

/// A whole number that is not negative, spelled with decimal digits.
pub fn integer(value: &DeValue<'_>) -> Option<String> {
    let integer = value.as_integer()?;
    if integer.radix() == 10 {
        return Some(integer.as_str().to_owned());
    }
    u64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number.to_string())
}

/// The name that was probably meant by one that is none of these.
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    /// Of 1, which is the same; less than this would be a guess.
    const LIKE_ENOUGH: f64 = 0.6;
    let name = name.to_lowercase().replace('-', "_");
    // A name of more than twice another's length has too much that would have to go. Comparing would show that, too, but takes
    // seconds and much memory for a name that is as long as a file may be.
    let characters = name.chars().count();
    let comparable = names.filter(|other| characters <= 2 * other.len());
    let likeness = comparable.map(|other| (other, strsim::normalized_damerau_levenshtein(&name, other)));
    let (nearest, likeness) = likeness.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (likeness >= LIKE_ENOUGH).then_some(nearest)
}

/// Lines of a file that we write have at most so many columns.
pub const COLUMNS_MAX: usize = 100;

/// Adds words behind `# `, wrapped.
pub fn comment(words: &str, file: &mut String) {
    for line in wrapped(words) {
        file.push_str("# ");
        file.push_str(&line);
        file.push('\n');
    }
}

/// Words in lines that fit into a comment.
pub fn wrapped(words: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS_MAX - 2 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
