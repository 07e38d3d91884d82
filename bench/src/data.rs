//! Directories for what servers under test keep: each on the disk that this program lies on, removed with its value.
//!
//! `peer` gives every server that keeps something one of its own, so that no round finds what another has left, and nobody's
//! own data is ever touched. Not the system's directory for temporary files: that is often no disk at all.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};

/// An empty directory, for one server or one file.
#[derive(Debug)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// Makes one beside this program: a build's directory, on a disk.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn create() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let program = std::env::current_exe().context("cannot find out where this program lies")?;
        let beside = program.parent().context("this program lies nowhere")?;
        let name = format!("bench-data-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = beside.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_there_as_long_as_its_value_and_no_two_are_the_same() {
        let (one, other) = (DataFolder::create().unwrap(), DataFolder::create().unwrap());
        assert_ne!(one.path(), other.path());
        fs::write(one.path().join("file"), "kept").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }
}
