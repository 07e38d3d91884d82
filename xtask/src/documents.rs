//! The documents: their links lead somewhere, and the help texts that they show are what the programs print.
//!
//! Reads only as much Markdown as that needs. Must never look at links that leave the repository: a check that
//! needs someone else's server is one that fails on a train.

use crate::command::{answer, root};
use crate::files::{self, File};
use anyhow::{Context, Result, bail};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Checks that every relative link leads to a file, and to a heading in it where it names one.
///
/// # Errors
/// Lists the links that lead nowhere.
pub(crate) fn check_links() -> Result<()> {
    let documents = files::with_extension("md")?;
    let mut findings = Vec::new();
    for document in &documents {
        for link in links(&document.text) {
            if let Some(fault) = fault(document, &link.target, &documents) {
                findings.push(format!("{}:{}: {fault}", document.path.display(), link.line));
            }
        }
    }
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    println!("the links of {} documents lead somewhere", documents.len());
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Link {
    line: usize,
    target: String,
}

/// One line of a document, with what a reader of Markdown knows about it.
struct Line<'a> {
    number: usize,
    text: &'a str,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Prose,
    Fence,
    Code,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut fence: Option<&str> = None;
    (1..).zip(text.lines()).map(move |(number, text)| {
        let trimmed = text.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| trimmed.starts_with(marker));
        let place = match (fence, marker) {
            (None, Some(opening)) => {
                fence = Some(opening);
                Place::Fence
            }
            (Some(opening), Some(marker)) if opening == marker => {
                fence = None;
                Place::Fence
            }
            (Some(_), _) => Place::Code,
            (None, None) => Place::Prose,
        };
        Line { number, text, place }
    })
}

/// Every link that may lead to a file of ours: `[text](target)`, images, and `[name]: target`.
fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for line in lines(text).filter(|line| line.place == Place::Prose) {
        let prose = without_code_spans(line.text);
        let inline = prose.split("](").skip(1).filter_map(|after| after.split(')').next());
        let definition =
            prose.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
        for target in inline.chain(definition) {
            let target = target.split_whitespace().next().unwrap_or_default();
            let target = target.trim_start_matches('<').trim_end_matches('>');
            if !leaves_the_repository(target) {
                links.push(Link { line: line.number, target: target.into() });
            }
        }
    }
    links
}

/// Text between backticks is shown, not followed. An opening run closes at the next run of the same length.
fn without_code_spans(line: &str) -> String {
    let mut prose = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        prose.push_str(&rest[..at]);
        let from_ticks = &rest[at..];
        let ticks = &from_ticks[..from_ticks.len() - from_ticks.trim_start_matches('`').len()];
        let body = &from_ticks[ticks.len()..];
        rest = body.find(ticks).map_or(body, |close| &body[close + ticks.len()..]);
    }
    prose + rest
}

fn leaves_the_repository(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

fn fault(document: &File, target: &str, documents: &[File]) -> Option<String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() { document.path.clone() } else { resolve(&document.path, path) };
    if !root().join(&path).exists() {
        return Some(format!("`{target}` leads nowhere"));
    }
    let anchor = anchor?;
    let headings = documents.iter().find(|other| other.path == path).map(|other| anchors(&other.text))?;
    let found = headings.iter().any(|heading| heading == anchor);
    (!found).then(|| format!("`{target}`: no such heading in {}", path.display()))
}

/// A path as a link means it: from the document's directory, or from the root if it begins with a slash.
fn resolve(document: &Path, target: &str) -> PathBuf {
    let directory = document.parent().unwrap_or(Path::new(""));
    let joined = match target.strip_prefix('/') {
        Some(from_root) => PathBuf::from(from_root),
        None => directory.join(target),
    };
    let mut resolved = PathBuf::new();
    for component in joined.components() {
        match component {
            Component::ParentDir if resolved.pop() => {}
            Component::CurDir => {}
            _ => resolved.push(component),
        }
    }
    resolved
}

/// The anchors that forges make of headings: lower case, punctuation gone, blanks to hyphens.
fn anchors(text: &str) -> Vec<String> {
    let prose = lines(text).filter(|line| line.place == Place::Prose && line.text.starts_with('#'));
    prose.map(|line| anchor(line.text.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// Checks the code blocks that begin with `$ roomful … --help` or `$ cargo xtask … --help` against what the
/// programs print. They have to be built by then.
///
/// # Errors
/// Names the blocks that differ, with what is printed now.
pub(crate) fn check_help_texts() -> Result<()> {
    let documents = files::with_extension("md")?;
    let mut findings = Vec::new();
    let mut checked = 0;
    for document in &documents {
        for shown in help_texts(&document.text) {
            let printed = answer(Command::new(program(shown.program)?).args(&shown.arguments))?;
            checked += 1;
            if !is_same_text(&shown.text, &printed) {
                let place = format!("{}:{}", document.path.display(), shown.line);
                findings.push(format!("{place}: this is not what is printed now, which is:\n{printed}"));
            }
        }
    }
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    println!("{checked} help texts are shown as they are printed");
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Roomful,
    Xtask,
}

#[derive(Debug, PartialEq, Eq)]
struct HelpText {
    line: usize,
    program: Program,
    arguments: Vec<String>,
    text: String,
}

fn help_texts(text: &str) -> Vec<HelpText> {
    let mut found: Vec<HelpText> = Vec::new();
    let mut open = false;
    for line in lines(text) {
        if line.place != Place::Code {
            open = false;
        } else if let Some(typed) = line.text.strip_prefix("$ ") {
            let help = help_command(typed).map(|(program, arguments)| HelpText {
                line: line.number,
                program,
                arguments,
                text: String::new(),
            });
            open = help.is_some();
            found.extend(help);
        } else if let (true, Some(shown)) = (open, found.last_mut()) {
            shown.text.push_str(line.text);
            shown.text.push('\n');
        }
    }
    found
}

fn help_command(typed: &str) -> Option<(Program, Vec<String>)> {
    let (program, arguments) = match (typed.strip_prefix("roomful "), typed.strip_prefix("cargo xtask ")) {
        (Some(arguments), _) => (Program::Roomful, arguments),
        (None, Some(arguments)) => (Program::Xtask, arguments),
        (None, None) => return None,
    };
    let arguments: Vec<String> = arguments.split_whitespace().map(String::from).collect();
    (arguments.last()? == "--help").then_some((program, arguments))
}

/// Our own programs stand side by side, wherever cargo was told to build.
fn program(program: Program) -> Result<PathBuf> {
    let ourselves = std::env::current_exe()?;
    match program {
        Program::Xtask => Ok(ourselves),
        Program::Roomful => Ok(ourselves.parent().context("this program has no directory")?.join("roomful")),
    }
}

fn is_same_text(shown: &str, printed: &str) -> bool {
    let same =
        |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>();
    same(shown) == same(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| link.target).collect()
    }

    fn document(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    #[test]
    fn links_images_and_definitions_are_found() {
        let text = "a [b](c.md) and ![d](e.png \"title\")\n[f]: <g.md>\n";
        assert_eq!(targets(text), ["c.md", "e.png", "g.md"]);
    }

    #[test]
    fn link_knows_its_line() {
        assert_eq!(links("\n\n[a](b)"), [Link { line: 3, target: "b".into() }]);
    }

    #[test]
    fn what_is_shown_as_code_is_no_link() {
        assert!(targets("`[a](b)` and ``[c](d) ` ``\n```\n[e](f)\n```\n~~~\n```\n[g](h)\n~~~\n").is_empty());
        assert_eq!(targets("```\n[a](b)\n```\n[c](d)"), ["d"]);
    }

    #[test]
    fn links_that_leave_the_repository_are_left_alone() {
        assert!(targets("[a](https://example.org/b) [c](mailto:d@example.org)").is_empty());
    }

    #[test]
    fn links_lead_from_the_directory_of_their_document() {
        assert_eq!(resolve(Path::new("docs/adr/README.md"), "../../LICENSE-MIT"), Path::new("LICENSE-MIT"));
        assert_eq!(resolve(Path::new("docs/adr/README.md"), "0001-x.md"), Path::new("docs/adr/0001-x.md"));
        assert_eq!(resolve(Path::new("docs/adr/README.md"), "/README.md"), Path::new("README.md"));
    }

    #[test]
    fn link_to_a_file_that_is_not_there_is_a_fault() {
        let from = document("docs/a.md", "");
        assert!(fault(&from, "nothing-here.md", &[]).is_some());
        assert_eq!(fault(&from, "../Cargo.toml", &[]), None);
    }

    #[test]
    fn link_to_a_heading_that_is_not_there_is_a_fault() {
        let documents = [document("xtask/Cargo.toml", "# The `life` of one message, told!\n")];
        assert_eq!(fault(&documents[0], "#the-life-of-one-message-told", &documents), None);
        assert!(fault(&documents[0], "#the-end", &documents).is_some());
    }

    #[test]
    fn help_text_ends_with_its_block_or_the_next_command() {
        let text = "```console\n$ roomful serve --help\nServes.\n\nUsage\n$ ls\nfile\n```\nprose\n";
        let expected = HelpText {
            line: 2,
            program: Program::Roomful,
            arguments: vec!["serve".into(), "--help".into()],
            text: "Serves.\n\nUsage\n".into(),
        };
        assert_eq!(help_texts(text), [expected]);
    }

    #[test]
    fn help_of_other_programs_is_not_ours_to_check() {
        assert!(help_texts("```\n$ nc --help\n$ roomful serve\n```\n$ roomful --help\n").is_empty());
    }

    #[test]
    fn help_texts_differ_in_more_than_blanks_at_the_end() {
        assert!(is_same_text("a  \nb\n\n", "a\nb\n"));
        assert!(!is_same_text("a\nb\n", "a\nc\n"));
    }
}
