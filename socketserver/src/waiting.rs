//! Waiting for one socket, with an end: the timeout of the request, or the grace of a server that stops.
//!
//! Every blocking call of a handler comes here when the socket is not ready. Signals do not end a wait.

use crate::shutdown::StopRequest;
use eventloop::Interest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::cell::Cell;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    /// For one wait: for bytes, or for room to write them.
    pub(crate) timeout: Option<Duration>,
    /// For everything, once the server has been asked to stop.
    pub(crate) grace: Duration,
}

/// One request's waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    stop: Arc<StopRequest>,
    limits: TimeLimits,
    /// When the grace ends: set by the first wait that hears of the stop.
    ends_at: Cell<Option<Instant>>,
}

impl Waiting {
    pub(crate) fn new(stop: Arc<StopRequest>, limits: TimeLimits) -> Waiting {
        Waiting { stop, limits, ends_at: Cell::new(None) }
    }

    /// Returns when `socket` is ready, or has an error to tell.
    ///
    /// # Errors
    /// `TimedOut` after the timeout; `ConnectionAborted` when the server stops and the grace is over.
    pub(crate) fn wait(&self, socket: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        let times_out_at = self.limits.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let deadline = times_out_at.into_iter().chain(self.ends_at.get()).min();
            let mut watched = [watched(socket, interest), PollFd::new(&*self.stop, PollFlags::IN)];
            // Once the stop is known its descriptor, which stays readable, is not watched any more.
            let count = if self.ends_at.get().is_some() { 1 } else { 2 };
            let found = wait_for_one(&mut watched[..count], deadline)?;
            if !watched[0].revents().is_empty() {
                return Ok(());
            }
            match found {
                Found::Ready => self.ends_at.set(Instant::now().checked_add(self.limits.grace)),
                Found::Nothing => return Err(self.over()),
            }
        }
    }

    fn over(&self) -> io::Error {
        match self.ends_at.get() {
            Some(at) if at <= Instant::now() => {
                io::Error::new(io::ErrorKind::ConnectionAborted, "the server stops, and the grace is over")
            }
            _ => io::Error::new(io::ErrorKind::TimedOut, "the client took too long"),
        }
    }
}

/// What came of a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    Ready,
    /// The deadline is over.
    Nothing,
}

/// Watches a socket for reading, or for writing if `interest` says so.
pub(crate) fn watched(socket: BorrowedFd<'_>, interest: Interest) -> PollFd<'_> {
    let wanted = if interest.writes() { PollFlags::OUT } else { PollFlags::IN };
    PollFd::from_borrowed_fd(socket, wanted)
}

/// Waits until one of them is ready or the deadline is over. A signal does not end it.
pub(crate) fn wait_for_one(watched: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<Found> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match poll(watched, left.map(timespec).as_ref()) {
            Ok(1..) => return Ok(Found::Ready),
            Ok(0) if left == Some(Duration::ZERO) => return Ok(Found::Nothing),
            Ok(0) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// A wait of more than a day is one of a day, after which one looks again.
fn timespec(left: Duration) -> Timespec {
    Timespec::try_from(left.min(Duration::from_secs(24 * 60 * 60))).expect("a day fits into a timespec")
}
