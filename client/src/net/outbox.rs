//! What is to be sent: handed over by whoever must not wait, taken by the thread that writes.
//!
//! Where it stands: between the user of a connection and the thread that writes to its socket.
//!
//! What this file must never do: have anybody wait who hands something over, or hold more than [`WAITING_BYTES_MAX`] bytes.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write as _};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long what was handed over is still tried to be sent when the connection is to be closed.
pub(super) const LAST_WORDS_MAX: Duration = Duration::from_secs(1);
/// How long one write may wait before it is looked whether the connection is to be closed.
pub(super) const WRITE_MAX: Duration = Duration::from_millis(200);
/// A connection that takes so little is given up. The link has no more than 500 messages on their way, and each has at most 128 KiB.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What is to be sent next.
pub(super) enum Taken {
    /// This.
    Bytes(Vec<u8>),
    /// Nothing any more: all was sent.
    Last,
    /// Nothing any more: it is no use.
    Nothing,
}

#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Since when nothing more is handed over.
    closed: Option<Instant>,
    has_ended: bool,
}

impl Outbox {
    pub(super) fn put(&self, bytes: Vec<u8>) {
        let mut state = self.lock();
        state.waiting_bytes += bytes.len();
        state.waiting.push_back(bytes);
        state.has_ended |= state.waiting_bytes > WAITING_BYTES_MAX;
        if state.has_ended {
            state.waiting.clear();
        }
        self.changed.notify_all();
    }

    /// Nothing more will be handed over.
    pub(super) fn close(&self) {
        self.lock().closed.get_or_insert_with(Instant::now);
        self.changed.notify_all();
    }

    /// The connection has ended: nothing can be sent any more.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed.is_some()
    }

    /// Waits for something to send.
    pub(super) fn take(&self) -> Taken {
        let mut state = self.lock();
        loop {
            if state.has_ended || state.is_too_late() {
                return Taken::Nothing;
            }
            if let Some(bytes) = state.waiting.pop_front() {
                state.waiting_bytes -= bytes.len();
                return Taken::Bytes(bytes);
            }
            if state.closed.is_some() {
                return Taken::Last;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes all of this, for as long as that is of use.
    pub(super) fn write(&self, mut socket: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match socket.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => rest = &rest[count..],
                Err(error) if is_for_now(error.kind()) => {
                    let state = self.lock();
                    if state.has_ended || state.is_too_late() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Until the connection has ended, or it has been closed for long enough.
    pub(super) fn wait_for_end(&self) {
        let mut state = self.lock();
        while !state.has_ended {
            let left =
                state.closed.map_or(LAST_WORDS_MAX, |closed| LAST_WORDS_MAX.saturating_sub(closed.elapsed()));
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_too_late(&self) -> bool {
        self.closed.is_some_and(|closed| closed.elapsed() > LAST_WORDS_MAX)
    }
}

fn is_for_now(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
