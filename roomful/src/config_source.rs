//! From a path to the text of a configuration file.
//!
//! Where it stands: in front of `config_file`, which reads the text. It is called by the thread that hears the signals, at the
//! start and at each SIGHUP.
//!
//! What this file must never do: wait for somebody, as the opening of a FIFO does, or read without a bound. A server that hangs
//! here does not hear SIGTERM.

use rustix::fs::OFlags;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// A file with every key and all that there is to say about it has less than 20 KiB.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The text of a regular file.
///
/// # Errors
/// Says what is wrong, with the name of the file.
pub(crate) fn text_of(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let text = String::from_utf8(bytes_of(file)?);
    text.map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        format!("{shown}:{line}: this is not UTF-8; save the file as UTF-8")
    })
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, String> {
    let shown = file.display();
    let unreadable = |error: io::Error| format!("cannot read {shown}: {error}");
    let irregular = || format!("{shown}: that is no regular file");
    // Before it is opened, because the opening alone does something to some devices.
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(irregular());
    }
    // Another file may have taken the name since; then the opening must not wait, and what was opened is asked again.
    let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let opened =
        OpenOptions::new().read(true).custom_flags(without_waiting).open(file).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(irregular());
    }
    // The length is only a promise: the file may grow, and those of the kernel say 0.
    let mut bytes = Vec::new();
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let length = metadata.len().max(bytes.len() as u64);
    if length > FILE_BYTES_MAX {
        return Err(format!("{shown}: it has {length} bytes; at most {FILE_BYTES_MAX} are read"));
    }
    Ok(bytes)
}
