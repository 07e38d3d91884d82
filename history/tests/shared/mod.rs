//! What the tests of the history share: directories that go away again, facts, and pages made the simple way.
//!
//! Must never ask the history what is right.
#![allow(dead_code, reason = "every test binary uses a part of it")]

pub(crate) mod facts;
pub(crate) mod model;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of one test's own.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("history-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).unwrap();
        }
        Directory(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("roomful.db")
    }

    /// Another one with the files as they are now, as a kill at this moment would leave them.
    pub(crate) fn as_killed(&self) -> Directory {
        let copy = Directory::new();
        std::fs::create_dir_all(&copy.0).unwrap();
        for name in ["roomful.db", "roomful.db-wal"] {
            if self.0.join(name).exists() {
                std::fs::copy(self.0.join(name), copy.0.join(name)).unwrap();
            }
        }
        copy
    }

    /// Whether these bytes are anywhere in it.
    pub(crate) fn has(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let mut contents = files.map(|file| std::fs::read(file).unwrap());
        contents.any(|content| content.windows(bytes.len()).any(|window| window == bytes))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}
