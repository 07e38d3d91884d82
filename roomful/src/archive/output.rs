//! Where an export goes: to standard output, or into a file that is there when it is whole.
//!
//! Where it stands: behind the export, which writes pages.
//!
//! What this file must never do: leave half a file under the name that was asked for, or replace what is no file.

use anyhow::{Context as _, Result};
use std::fs::OpenOptions;
use std::io::{self, Stdout, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

pub(super) enum Output {
    Standard(Stdout),
    /// Something that is there and is no file: a pipe, or a device.
    Device(std::fs::File),
    /// It gets its name when it is whole. Only its owner may read it: so may what people said.
    File(NamedTempFile, PathBuf),
}

impl Output {
    pub(super) fn open(file: Option<&Path>) -> Result<Output> {
        let Some(file) = file else { return Ok(Output::Standard(io::stdout())) };
        let cannot = || format!("cannot write {}", file.display());
        if file.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            return Ok(Output::Device(OpenOptions::new().write(true).open(file).with_context(cannot)?));
        }
        if file.is_dir() {
            anyhow::bail!("{} is a directory; name a file", file.display());
        }
        // Through a link to the file that it leads to, which is to be replaced.
        let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let parent = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut temporary = tempfile::Builder::new();
        temporary.prefix("roomful-export-").suffix(".part");
        let unfinished = temporary.tempfile_in(parent).with_context(cannot)?;
        Ok(Output::File(unfinished, target))
    }

    /// Whether there would be something to clear away if the process ended now.
    pub(super) fn is_unfinished_file(&self) -> bool {
        matches!(self, Output::File(..))
    }

    /// It is whole.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Output::Standard(_) | Output::Device(_) => Ok(()),
            Output::File(unfinished, target) => {
                let cannot = || format!("cannot write {}", target.display());
                unfinished.as_file().sync_all().with_context(cannot)?;
                unfinished.persist(&target).map(drop).with_context(cannot)
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Standard(stdout) => stdout.write(bytes),
            Output::Device(device) => device.write(bytes),
            Output::File(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Standard(stdout) => stdout.flush(),
            Output::Device(device) => device.flush(),
            Output::File(file, _) => file.flush(),
        }
    }
}
