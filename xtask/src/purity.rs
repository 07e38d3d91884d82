//! Which crate may depend on what, and where `unsafe` may stand: the boundaries that make a crate worth having.
//!
//! The compiler proves most of it (`#![no_std]`, the lint `unsafe_code`); here we check that nobody switched the
//! proof off. Lists are exact, so that an entry that is no longer true has to go.

use crate::command::{answer, cargo};
use crate::files::{self, File};
use crate::source::{code_only, lines_with_word};
use anyhow::{Result, bail};
use std::collections::BTreeSet;

/// Crates outside this repository that the hub is built on: Unicode tables, all `no_std`.
const HUB_IS_BUILT_ON: [&str; 5] =
    ["smallvec", "tinyvec", "unicode-normalization", "unicode-script", "unicode-security"];

/// Crates outside this repository that the dialects are built on besides: a search for bytes, Unicode tables, JSON, dates, a
/// digest; and what those bring.
const DIALECT_IS_BUILT_ON: [&str; 19] = [
    "block-buffer",
    "cfg-if",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hybrid-array",
    "itoa",
    "jiff",
    "jiff-core",
    "memchr",
    "serde",
    "serde_core",
    "serde_json",
    "sha2",
    "typenum",
    "unicode-properties",
    "unicode-segmentation",
    "unicode-width",
    "zmij",
];

/// What a pure crate is built on, in full: itself, its dependencies and theirs.
struct Allowed {
    name: &'static str,
    ours: &'static [&'static str],
    others: &'static [&'static [&'static str]],
}

const PURE: [Allowed; 4] = [
    Allowed { name: "dialect", ours: &["dialect", "hub"], others: &[&HUB_IS_BUILT_ON, &DIALECT_IS_BUILT_ON] },
    Allowed { name: "hub", ours: &["hub"], others: &[&HUB_IS_BUILT_ON] },
    Allowed { name: "feed", ours: &["feed"], others: &[] },
    Allowed {
        name: "engine",
        ours: &["engine", "dialect", "feed", "hub"],
        others: &[&HUB_IS_BUILT_ON, &DIALECT_IS_BUILT_ON],
    },
];

/// The files that talk to the kernel where no safe function does.
const UNSAFE_ALLOWED: [&str; 5] = [
    "eventloop/src/poll.rs",
    "eventloop/src/select.rs",
    "eventloop/src/tcp.rs",
    "socketserver/src/shutdown.rs",
    "socketserver/src/strategy/forking/children.rs",
];

/// Checks every boundary.
///
/// # Errors
/// Lists everything that crosses one.
pub(crate) fn check() -> Result<()> {
    let mut findings = Vec::new();
    for allowed in &PURE {
        findings.extend(dependency_findings(allowed)?);
    }
    let sources = files::with_extension("rs")?;
    findings.extend(no_std_findings(&sources));
    findings.extend(sources.iter().flat_map(unsafe_findings));
    findings.extend(files::with_extension("toml")?.iter().filter_map(lints_finding));
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    let names = PURE.map(|allowed| allowed.name).join(", ");
    println!("pure and built on exactly what they may be: {names}");
    println!("`unsafe` only in: {}", UNSAFE_ALLOWED.join(", "));
    Ok(())
}

fn dependency_findings(allowed: &Allowed) -> Result<Vec<String>> {
    let tree = ["tree", "--package", allowed.name, "--edges", "normal", "--prefix", "none"];
    let tree = answer(cargo(&tree).args(["--format", "{p}|{f}"]))?;
    let expected: BTreeSet<&str> =
        allowed.ours.iter().chain(allowed.others.iter().copied().flatten()).copied().collect();
    Ok(compare(allowed.name, &tree, &expected))
}

/// Compares lines of `name version|feature,feature` with the names that are expected.
fn compare(crate_name: &str, tree: &str, expected: &BTreeSet<&str>) -> Vec<String> {
    let lines = tree.lines().filter_map(|line| line.split_once('|'));
    let found: BTreeSet<&str> = lines.clone().filter_map(|(package, _)| package.split(' ').next()).collect();
    let more = found.difference(expected).map(|name| format!("{crate_name} must not depend on {name}"));
    let fewer = expected.difference(&found).map(|name| {
        format!("{crate_name} no longer depends on {name}: shorten its list in xtask/src/purity.rs")
    });
    let with_std = lines
        .filter(|(_, features)| crate_name == "hub" && brings_std(features))
        .map(|(package, _)| format!("{crate_name} is no_std, but the feature `std` is on in {package}"));
    more.chain(fewer).chain(with_std).collect()
}

/// A line that stands for one already shown ends in ` (*)`.
fn brings_std(features: &str) -> bool {
    features.trim_end_matches(" (*)").split(',').any(|feature| feature == "std")
}

fn no_std_findings(sources: &[File]) -> Vec<String> {
    let hub: Vec<_> = sources.iter().filter(|file| file.path.starts_with("hub/src")).collect();
    let mut findings = Vec::new();
    let root = hub.iter().find(|file| file.path.ends_with("hub/src/lib.rs"));
    if !root.is_some_and(|file| without_space(&file.text).contains("#![no_std]")) {
        findings.push(
            "hub/src/lib.rs: `#![no_std]` is missing; it is what keeps input, output and clocks out".into(),
        );
    }
    let with_std = hub.iter().filter(|file| brings_std_back(&file.text));
    findings.extend(
        with_std.map(|file| {
            format!("{}: `extern crate std` must stand behind `#[cfg(test)]`", file.path.display())
        }),
    );
    findings
}

fn brings_std_back(text: &str) -> bool {
    let code = without_space(text);
    code.matches("externcratestd").count() > code.matches("#[cfg(test)]externcratestd").count()
}

fn without_space(text: &str) -> String {
    code_only(text).split_whitespace().collect()
}

fn unsafe_findings(file: &File) -> Vec<String> {
    if UNSAFE_ALLOWED.iter().any(|name| file.path.starts_with(name)) {
        return Vec::new();
    }
    let lines = lines_with_word(&code_only(&file.text), "unsafe");
    let path = file.path.display();
    lines
        .iter()
        .map(|line| format!("{path}:{line}: `unsafe` may stand only in {}", UNSAFE_ALLOWED.join(", ")))
        .collect()
}

/// A member that does not inherit the workspace's lints is one in which `unsafe_code` is not denied.
fn lints_finding(file: &File) -> Option<String> {
    let is_member = file.path.ends_with("Cargo.toml") && file.text.contains("[package]");
    let inherits = file.text.contains("[lints]\nworkspace = true");
    (is_member && !inherits)
        .then(|| format!("{}: `[lints] workspace = true` is missing", file.path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    fn compared(tree: &str) -> Vec<String> {
        compare("hub", tree, &BTreeSet::from(["hub", "tinyvec"]))
    }

    #[test]
    fn tree_with_exactly_the_allowed_crates_passes() {
        assert!(compared("hub v0.1.0 (/somewhere/hub)|\ntinyvec v1.13.3|alloc,default (*)\n").is_empty());
    }

    #[test]
    fn crate_that_is_not_on_the_list_is_found() {
        assert_eq!(compared("hub v0.1.0|\ntinyvec v1|\nlibc v0.2|\n"), ["hub must not depend on libc"]);
    }

    #[test]
    fn entry_of_the_list_that_is_no_longer_true_is_found() {
        assert!(compared("hub v0.1.0|\n")[0].contains("no longer depends on tinyvec"));
    }

    #[test]
    fn feature_std_below_the_hub_is_found() {
        assert!(compared("hub v0.1.0|\ntinyvec v1|alloc,std (*)\n")[0].contains("`std` is on in tinyvec v1"));
    }

    #[test]
    fn hub_without_no_std_is_found_even_if_a_comment_speaks_of_it() {
        assert_eq!(no_std_findings(&[file("hub/src/lib.rs", "//! #![no_std]\n")]).len(), 1);
        assert!(no_std_findings(&[file("hub/src/lib.rs", "//! The hub.\n#![no_std]\n")]).is_empty());
    }

    #[test]
    fn std_may_come_back_in_tests_alone() {
        assert!(brings_std_back("extern crate std;"));
        assert!(!brings_std_back("#[cfg(test)]\nextern crate std;"));
        assert!(!brings_std_back("extern crate alloc;"));
    }

    #[test]
    fn unsafe_is_found_outside_the_files_that_may_have_it() {
        let text = "fn f() { unsafe { g() } }";
        assert!(unsafe_findings(&file("eventloop/src/tcp.rs", text)).is_empty());
        assert!(!unsafe_findings(&file("eventloop/src/epoll.rs", text)).is_empty());
        assert!(unsafe_findings(&file("feed/src/lib.rs", text))[0].starts_with("feed/src/lib.rs:1:"));
    }

    #[test]
    fn member_that_does_not_inherit_the_lints_is_found() {
        assert!(lints_finding(&file("feed/Cargo.toml", "[package]\nname = \"feed\"\n")).is_some());
        assert!(lints_finding(&file("feed/Cargo.toml", "[package]\n[lints]\nworkspace = true\n")).is_none());
        assert!(lints_finding(&file("Cargo.toml", "[workspace]\n")).is_none());
    }
}
