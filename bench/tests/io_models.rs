//! `bench io` at a tiny size: every server answers, the document gets its tables, and the plot is well-formed XML.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bench::{
    io_models::{
        Figures, Part, Scale,
        measure::{Bench, Programs},
    },
    placement::Placement,
};

/// A folder with a copy of the document as it is in the repository, removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn with_the_document() -> Self {
        let path = std::env::temp_dir().join(format!("io-models-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/io-models.md");
        fs::copy(document, path.join("io-models.md")).unwrap();
        Folder(path)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn measured() -> Figures {
    let programs = Programs::beside(env!("CARGO_BIN_EXE_bench").into()).unwrap();
    let bench = Bench::with(programs, Placement::Free).unwrap();
    let scale = Scale {
        parts: vec![Part::Requests, Part::Memory, Part::Pollers],
        rounds: 1,
        window: Duration::from_millis(10),
        idle: vec![0, 20, 1_100],
        held_by_many: 3,
        held_by_one: 300,
    };
    Figures::measure(&bench, &scale)
}

#[test]
fn tables_and_plot_come_out_well_formed() {
    let folder = Folder::with_the_document();
    let figures = measured();
    figures.write(&folder.0).unwrap();
    let (document, plot) = (folder.read("io-models.md"), folder.read("io-models.svg"));
    assert!(!figures.has_failed(), "{document}");
    let rows = table_rows(&document);
    for title in ["threading, blocking handler", "evented, epoll", "select", "poll", "epoll"] {
        assert!(rows.iter().any(|row| row[0] == title), "no row `{title}` in\n{document}");
    }
    assert!(document.contains("*descriptor 1024 is beyond what select can watch"), "{document}");
    if let Err(fault) = check_xml(&plot) {
        panic!("{fault} in\n{plot}");
    }
    assert!(plot.contains(">epoll</text>"), "{plot}");
}

/// The cells of all tables. Each row has as many as the rule below the head of its table.
fn table_rows(document: &str) -> Vec<Vec<&str>> {
    let cells = |line: &'_ str| line.matches('|').count();
    let mut rows = Vec::new();
    let mut expected = 0;
    for line in document.lines() {
        if line.starts_with("|-") {
            expected = cells(line);
        } else if line.starts_with('|') && expected > 0 {
            assert_eq!(cells(line), expected, "{line}");
            rows.push(line.trim_matches('|').split('|').map(str::trim).collect());
        } else {
            expected = 0;
        }
    }
    rows
}

/// As much of XML as the plot needs: elements nest and close, attributes are quoted, no character stands where it must not.
fn check_xml(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut roots = 0;
    let mut rest = text.trim_end();
    while let Some(at) = rest.find('<') {
        check_text(&rest[..at])?;
        let end = rest[at..].find('>').ok_or("a tag without an end")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop();
            if opened != Some(name) {
                return Err(format!("`{name}` closes {opened:?}"));
            }
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        check_attributes(attributes)?;
        roots += usize::from(open.is_empty());
        if !is_empty {
            open.push(name);
        }
    }
    check_text(rest)?;
    match (open.as_slice(), roots) {
        ([], 1) => Ok(()),
        _ => Err(format!("{roots} roots, not closed: {open:?}")),
    }
}

fn check_attributes(mut rest: &str) -> Result<(), String> {
    while !rest.trim().is_empty() {
        let (name, after) =
            rest.split_once("=\"").ok_or_else(|| format!("attribute without a value: {rest}"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("`{name}` has no end"))?;
        if name.trim().contains(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            return Err(format!("`{name}` is no name of an attribute"));
        }
        check_text(value)?;
        rest = after;
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), String> {
    let is_entity = |after: &str| ["amp;", "lt;", "gt;", "quot;"].iter().any(|name| after.starts_with(name));
    match text.split('&').skip(1).find(|after| !is_entity(after)) {
        Some(after) => Err(format!("a bare & before `{after:.20}`")),
        None => Ok(()),
    }
}

#[test]
fn broken_xml_is_found() {
    assert_eq!(check_xml("<a b=\"c\"><d/>text &amp; more</a>\n"), Ok(()));
    for broken in ["<a>", "<a></b>", "<a/><b/>", "<a b=c/>", "<a>&</a>", "<a b=\"&\"/>", "<a"] {
        assert!(check_xml(broken).is_err(), "{broken}");
    }
}
