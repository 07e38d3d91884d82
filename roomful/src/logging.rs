//! Logs: who came and went, what went wrong; never what people said. To standard error, for people or as JSON.
//!
//! Lines are gathered in memory and written by a thread of its own, many at a time: a terminal that is scrolled back, or
//! a pipe that nobody reads, must not hold the room up, and a storm of connections must not become a storm of system
//! calls. What does not fit is counted, and the count is logged when there is room again.

use crate::settings::LogFormat;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// So many bytes may wait to be written.
const WAITING_BYTES_MAX: usize = 1024 * 1024;
/// So long lines are gathered once the first has come.
const GATHER: Duration = Duration::from_millis(20);
/// How long [`flush`] waits for whoever reads the logs.
const FLUSH: Duration = Duration::from_millis(500);

static GATHERED: Mutex<Gathered> =
    Mutex::new(Gathered { bytes: Vec::new(), lines_dropped: 0, is_writing: false });
/// Something has been gathered, or everything has been written.
static CHANGED: Condvar = Condvar::new();

/// What is yet to be written.
struct Gathered {
    bytes: Vec<u8>,
    lines_dropped: u64,
    is_writing: bool,
}

/// Starts logging. `RUST_LOG` says what is logged; `info` and above unless told otherwise.
pub(crate) fn start(format: LogFormat) {
    std::thread::spawn(write_gathered);
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

/// Waits until what was logged so far is written, but not for ever: nobody may be reading.
pub(crate) fn flush() {
    let is_unwritten = |gathered: &mut Gathered| gathered.is_writing || !gathered.bytes.is_empty();
    drop(CHANGED.wait_timeout_while(gathered(), FLUSH, is_unwritten));
}

fn gathered() -> MutexGuard<'static, Gathered> {
    GATHERED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_gathered() {
    loop {
        let is_empty = |gathered: &mut Gathered| gathered.bytes.is_empty();
        drop(CHANGED.wait_while(gathered(), is_empty));
        std::thread::sleep(GATHER);
        let (bytes, lines_dropped) = take();
        // Standard error that is closed or full is no reason to stop.
        let _ = io::stderr().lock().write_all(&bytes);
        if lines_dropped > 0 {
            tracing::warn!(lines_dropped, "lines of the log were left out: nobody read them in time");
        }
        gathered().is_writing = false;
        CHANGED.notify_all();
    }
}

fn take() -> (Vec<u8>, u64) {
    let mut gathered = gathered();
    gathered.is_writing = true;
    (std::mem::take(&mut gathered.bytes), std::mem::take(&mut gathered.lines_dropped))
}

/// One line on its way to the writing thread. The formatter writes each event in one piece.
struct LogLine;

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut gathered = gathered();
        if gathered.bytes.len() + line.len() > WAITING_BYTES_MAX {
            gathered.lines_dropped += 1;
            return Ok(line.len());
        }
        let is_first = gathered.bytes.is_empty();
        gathered.bytes.extend_from_slice(line);
        drop(gathered);
        if is_first {
            CHANGED.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
