//! Logs: who came and went, what went wrong; never what people said. To standard error, for people or as JSON.
//!
//! A thread of its own writes them, behind a bounded channel: a terminal that is scrolled back, or a pipe that nobody
//! reads, must not hold the room up. What does not fit is counted, and the count is logged when there is room again.

use crate::command_line::LogFormat;
use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// So many lines may wait to be written.
const LINES_MAX: usize = 4096;
/// How long [`flush`] waits for a reader of the logs.
const FLUSH: Duration = Duration::from_millis(500);

static LINES: OnceLock<SyncSender<Entry>> = OnceLock::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);

enum Entry {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Starts logging. `RUST_LOG` says what is logged; `info` and above unless told otherwise.
pub(crate) fn start(format: LogFormat) {
    let (lines, written) = sync_channel(LINES_MAX);
    if LINES.set(lines).is_err() {
        return;
    }
    std::thread::spawn(move || write_all(&written));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| LogLine).with_ansi(colours);
    match format {
        LogFormat::Human => builder.with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// Waits until what was logged so far is written, but not for ever.
pub(crate) fn flush() {
    let Some(lines) = LINES.get() else { return };
    let (done, wait) = sync_channel(1);
    if lines.try_send(Entry::Flush(done)).is_ok() {
        // Nobody may be reading: then there is nothing to wait for.
        let _ = wait.recv_timeout(FLUSH);
    }
}

fn write_all(entries: &Receiver<Entry>) {
    for entry in entries {
        match entry {
            Entry::Line(line) => write_line(&line),
            Entry::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

/// Standard error that is closed or full is no reason to stop.
fn write_line(line: &[u8]) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(line);
    let dropped = DROPPED.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        let _ = writeln!(stderr, "{dropped} lines of the log were left out: nobody read them in time");
    }
}

/// One line on its way to the writing thread. The formatter writes each event in one piece.
struct LogLine;

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(lines) = LINES.get()
            && let Err(TrySendError::Full(_)) = lines.try_send(Entry::Line(line.to_vec()))
        {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
