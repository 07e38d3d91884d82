//! Every example is run, with the clients that it is meant for.
//!
//! The examples are what people read first and copy from, so they are held to what they say: each is run as a process of its
//! own, answers real programs (`nc`, `curl`, or another example), and ends cleanly when it is told to.

mod chat;
mod echoing;
mod files;
mod greeting;
mod harness;
mod hello;
mod printing;
mod waiting;

use std::fs;
use std::path::Path;

/// What each example may have of lines, with the head and without (code alone).
const LIMITS: [(&str, usize, usize); 13] = [
    ("chat", 99, 80),
    // The one that has to be careful about many things at a time.
    ("file_server", 180, 150),
    ("greeted", 120, 100),
    ("greeter", 120, 100),
    ("http_hello", 120, 100),
    ("line_echo", 120, 100),
    ("line_echo_client", 120, 100),
    ("print_blocking", 120, 100),
    ("print_poll", 120, 100),
    ("print_select", 120, 100),
    ("print_threads", 120, 100),
    ("stdin_wait", 120, 100),
    ("two_sockets", 120, 100),
];

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names and texts of the Rust files in a folder, by name.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let named = |path: std::path::PathBuf| {
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
    };
    let mut sources: Vec<_> = files.map(named).collect();
    sources.sort();
    sources
}

#[test]
fn every_example_is_short() {
    let examples = sources(&crate_folder().join("examples"));
    let known: Vec<&str> = LIMITS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(examples.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), known);
    for ((name, text), (_, lines_max, code_lines_max)) in examples.iter().zip(LIMITS) {
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let (lines, code_lines) = (text.lines().count(), text.lines().filter(is_code).count());
        assert!(lines <= lines_max, "{name} has {lines} lines, and is to have {lines_max} at most");
        assert!(code_lines <= code_lines_max, "{name} has {code_lines} lines of code, of {code_lines_max}");
    }
}

#[test]
fn every_example_says_what_one_learns_and_how_to_run_it() {
    for (name, text) in sources(&crate_folder().join("examples")) {
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let head = head.join("\n");
        assert!(head.contains("What one learns: "), "{name}");
        assert!(head.contains(&format!("cargo run -p socketserver --example {name} ")), "{name}");
    }
}

#[test]
fn every_example_is_run_by_a_test() {
    let tests = sources(&crate_folder().join("tests/examples"));
    for (name, ..) in LIMITS {
        let is_run = tests.iter().any(|(test, text)| test != "main" && text.contains(&format!("\"{name}\"")));
        assert!(is_run, "no test runs the example {name}");
    }
}
