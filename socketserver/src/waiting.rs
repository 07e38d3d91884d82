//! Waiting for one socket, with an end: the timeout of the request, or the grace of a server that stops.
//!
//! Every blocking call of a handler comes here when the socket is not ready. Signals do not end a wait.

use crate::shutdown::StopRequest;
use eventloop::Interest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
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

impl TimeLimits {
    /// How long a stopping server waits for its requests: those that have noticed the end of the grace need a moment to end.
    pub(crate) const fn patience(self) -> Duration {
        self.grace.saturating_add(Duration::from_secs(1))
    }
}

/// One request's waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    stop: Arc<StopRequest>,
    limits: TimeLimits,
}

impl Waiting {
    pub(crate) fn new(stop: Arc<StopRequest>, limits: TimeLimits) -> Waiting {
        Waiting { stop, limits }
    }

    /// Says whether one may go on: a client that never lets us wait would otherwise never be cut.
    ///
    /// # Errors
    /// `ConnectionAborted` when the server stops and the grace is over.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.ends_at() {
            Some(at) if at <= Instant::now() => {
                let sentence = "the server stops, and the grace is over";
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, sentence))
            }
            _ => Ok(()),
        }
    }

    /// When the grace ends, if the server stops.
    fn ends_at(&self) -> Option<Instant> {
        self.stop.heard_at().map(|at| after(at, self.limits.grace))
    }

    /// Returns when `socket` is ready, or has an error to tell.
    ///
    /// # Errors
    /// `TimedOut` after the timeout; `ConnectionAborted` when the server stops and the grace is over.
    pub(crate) fn wait(&self, socket: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        let until = self.limits.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.wait_until(socket, interest, until)
    }

    /// The same with an end of one's own in the place of the timeout.
    ///
    /// # Errors
    /// As [`Waiting::wait`].
    pub(crate) fn wait_until(
        &self,
        socket: BorrowedFd<'_>,
        interest: Interest,
        until: Option<Instant>,
    ) -> io::Result<()> {
        loop {
            self.check()?;
            let ends_at = self.ends_at();
            let deadline = until.into_iter().chain(ends_at).min();
            let mut watched = [watched(socket, interest), PollFd::new(&*self.stop, PollFlags::IN)];
            // Once the stop is known its descriptor, which stays readable, is not watched any more.
            let count = if ends_at.is_some() { 1 } else { 2 };
            let found = wait_for_one(&mut watched[..count], deadline)?;
            if !watched[0].revents().is_empty() {
                return Ok(());
            }
            match found {
                Found::Ready => self.stop.learn(),
                Found::Nothing => {
                    self.check()?;
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "the client took too long"));
                }
            }
        }
    }
}

/// So much later; of what no clock can tell, ten years.
pub(crate) fn after(at: Instant, patience: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    at + patience.min(FAR)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::ShutdownHandle;
    use std::io::Write as _;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    fn stopping(grace: Duration) -> Waiting {
        let stop = Arc::new(StopRequest::new().unwrap());
        ShutdownHandle::new(stop.clone()).shutdown();
        Waiting::new(stop, TimeLimits { timeout: None, grace })
    }

    #[test]
    fn client_that_is_always_ready_is_cut_after_the_grace_too() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"always ready").unwrap();
        let waiting = stopping(Duration::ZERO);
        let error = waiting.wait(ours.as_fd(), Interest::READ).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(waiting.check().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[test]
    fn grace_begins_once_for_all_requests() {
        let waiting = stopping(Duration::from_secs(60));
        let other = Waiting::new(waiting.stop.clone(), waiting.limits);
        assert_eq!(waiting.ends_at(), other.ends_at());
        assert!(waiting.ends_at().is_some());
    }

    #[test]
    fn grace_may_be_longer_than_the_clock_can_tell() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"ready").unwrap();
        stopping(Duration::MAX).wait(ours.as_fd(), Interest::READ).unwrap();
    }
}
