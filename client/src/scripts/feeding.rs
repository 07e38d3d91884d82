//! What a command reads: a bounded number of lines waits for it, and a thread writes them.
//!
//! Where it stands: between `bot` and the standard input of what it runs.
//!
//! What this file must never do: have the room wait for a command that does not read, or leave lines out without a word.

use super::remark;
use std::cell::Cell;
use std::io::Write as _;
use std::process::ChildStdin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

/// So many lines wait for a command that does not read.
const WAITING_MAX: usize = 1000;

pub(super) struct Feeder {
    lines: SyncSender<String>,
    skipped: Cell<u64>,
}

impl Feeder {
    /// Writes there. Without anything to write to, all is thrown away.
    pub(super) fn start(stdin: Option<ChildStdin>) -> Feeder {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        if let Some(stdin) = stdin {
            thread::spawn(move || write(stdin, &waiting));
        }
        Feeder { lines, skipped: Cell::new(0) }
    }

    /// Hands over a line, which is clean and has no end; if too many wait, it is skipped.
    pub(super) fn give(&self, line: &str) {
        match self.lines.try_send(format!("{line}\n")) {
            Ok(()) => self.tell_skipped(),
            Err(TrySendError::Full(_)) => self.skipped.set(self.skipped.get() + 1),
            // It does not want to read.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    fn tell_skipped(&self) {
        match self.skipped.take() {
            0 => {}
            1 => remark("1 line was skipped: the command did not read it"),
            skipped => remark(&format!("{skipped} lines were skipped: the command did not read them")),
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.tell_skipped();
    }
}

fn write(mut stdin: ChildStdin, waiting: &Receiver<String>) {
    for line in waiting {
        if stdin.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn command_that_does_not_read_is_not_waited_for() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::piped()).spawn().expect("it starts");
        let feeder = Feeder::start(child.stdin.take());
        // Once the system holds all that it can for the command, nothing is taken any more, and so nothing told: it is counted.
        let mut given = 0;
        while feeder.skipped.get() < 3000 {
            feeder.give(&"x".repeat(100));
            given += 1;
            assert!(given < 50_000, "only {} were skipped", feeder.skipped.get());
        }
        child.kill().expect("it is there");
        child.wait().expect("it ends");
    }
}
