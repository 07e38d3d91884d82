//! The lines of what is imported, one at a time.
//!
//! Where it stands: between whatever is read, which may be endless, and the objects.
//!
//! What this file must never do: hold more of a line than [`LINE_BYTES_MAX`].

use super::ImportError;
use dialect::json::LINE_BYTES_MAX;
use std::io::{BufRead, Read as _};

/// Lines, and at which one we are.
pub(super) struct Lines<'a> {
    source: &'a mut dyn BufRead,
    number: u64,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(source: &'a mut dyn BufRead) -> Lines<'a> {
        Lines { source, number: 0, line: Vec::new() }
    }

    /// Of the line that was given last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, without its line feed; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, ImportError> {
        self.line.clear();
        let mut bounded = self.source.take(LINE_BYTES_MAX as u64 + 1);
        bounded.read_until(b'\n', &mut self.line).map_err(ImportError::Read)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        if self.line.len() > LINE_BYTES_MAX {
            return Err(
                self.error(format!("it is longer than {LINE_BYTES_MAX} bytes, as no line of an export is"))
            );
        }
        Ok(Some(&self.line))
    }

    /// What is wrong with the line that was given last.
    pub(super) fn error(&self, what: impl Into<String>) -> ImportError {
        ImportError::Line { line: self.number, what: what.into() }
    }
}
