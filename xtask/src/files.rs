//! Which files the repository has, and the rule that every Rust file introduces itself.
//!
//! Files are found by walking, not by asking git, so that a file not yet added is checked before it is.
//! Must never look into what is built or hidden.

use crate::command::root;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// One file: its path from the root of the repository, and what it says.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Every file with this extension, in the order of their paths.
///
/// # Errors
/// When a directory or a file cannot be read, or a file is not UTF-8.
pub(crate) fn with_extension(extension: &str) -> Result<Vec<File>> {
    let mut paths = Vec::new();
    collect(root(), &mut paths)?;
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Result<File> {
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let path = path.strip_prefix(root()).map(Path::to_path_buf).unwrap_or(path);
    Ok(File { path, text })
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), paths)?;
        } else {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// Every Rust file begins by saying what it is.
///
/// # Errors
/// Names the files that do not.
pub(crate) fn check_introductions() -> Result<()> {
    let files = with_extension("rs")?;
    let silent = files.iter().filter(|file| !introduces_itself(&file.text));
    let names: Vec<_> = silent.map(|file| file.path.display().to_string()).collect();
    if !names.is_empty() {
        bail!(
            "begin with `//!` and say what the file is, where it stands, what it must never do:\n{}",
            names.join("\n")
        );
    }
    println!("{} Rust files introduce themselves", files.len());
    Ok(())
}

fn introduces_itself(text: &str) -> bool {
    let words = text.lines().next().and_then(|line| line.strip_prefix("//!"));
    words.is_some_and(|words| !words.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_begins_with_a_sentence_introduces_itself() {
        assert!(introduces_itself("//! Cursors.\nfn f() {}"));
    }

    #[test]
    fn file_that_begins_otherwise_does_not() {
        for text in ["", "//!\n", "// Cursors.", "fn f() {}\n//! Cursors."] {
            assert!(!introduces_itself(text), "{text}");
        }
    }

    #[test]
    fn this_file_is_found_and_nothing_built_is() {
        let files = with_extension("rs").unwrap();
        assert!(files.iter().any(|file| file.path == Path::new("xtask/src/files.rs")));
        assert!(!files.iter().any(|file| file.path.starts_with("target")));
    }
}
