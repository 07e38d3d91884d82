//! `roomful man`: the manual pages, made of the command line's definition.
//!
//! Where it stands: behind `command_line`. `clap_mangen` writes every section but the examples, which it would fill like prose.
//!
//! What this file must never do: say something that the help does not say.

use crate::command_line::{CommandLine, EXAMPLES_TITLE, print};
use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::fs;
use std::io;
use std::path::Path;

/// Prints the page of the program, or writes those of all its verbs into a directory.
pub(crate) fn write(directory: Option<&Path>) -> anyhow::Result<()> {
    // `roomful help` needs no page of its own: the pages are the help.
    let mut command = CommandLine::command().disable_help_subcommand(true);
    command.build();
    match directory {
        None => page(&command).and_then(|page| print(&page)).context("cannot print the man page"),
        Some(directory) => write_all(&command, directory)
            .with_context(|| format!("cannot write man pages into {}", directory.display())),
    }
}

fn write_all(command: &Command, directory: &Path) -> io::Result<()> {
    for verb in command.get_subcommands() {
        write_all(verb, directory)?;
    }
    fs::write(directory.join(man(command).get_filename()), page(command)?)
}

fn man(command: &Command) -> Man {
    Man::new(command.clone()).source(concat!("roomful ", env!("CARGO_PKG_VERSION")))
}

/// In the order of `man-pages(7)`: examples come last but for the version.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = man(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(words) = command.get_after_help() {
        examples(&words.to_string()).to_writer(&mut page)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(&mut page)?;
    }
    Ok(page)
}

/// What stands below the options of a help text: the examples line by line, then paragraphs.
fn examples(words: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for paragraph in words.split("\n\n") {
        match paragraph.strip_prefix(EXAMPLES_TITLE) {
            Some(lines) => as_they_are(lines.trim_start_matches('\n'), &mut roff),
            None => filled(paragraph, &mut roff),
        }
    }
    roff
}

/// Nothing is moved to another line, and the blanks between two columns stay.
fn as_they_are(lines: &str, roff: &mut Roff) {
    roff.control("nf", []);
    for line in lines.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

fn filled(paragraph: &str, roff: &mut Roff) {
    roff.control("PP", []);
    for line in paragraph.lines() {
        roff.text([roman(line)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_example_is_taken_for_a_request() {
        let words = format!("{EXAMPLES_TITLE}\n.so /etc/passwd\n'x'\n  a\\nb\n\nProse.");
        assert_eq!(
            examples(&words).to_roff(),
            ".SH EXAMPLES\n.nf\n\\&.so /etc/passwd\n\\&'x'\n  a\\\\nb\n.fi\n.PP\nProse.\n"
        );
    }
}
