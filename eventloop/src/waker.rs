//! The bell: how another thread ends a poll.
//!
//! A thread that has put something into a mailbox rings once; the poller's thread then finds an event with the
//! waker's token and looks into its mailboxes. A waker carries no data and orders nothing: it must never be the only
//! way in which one thread learns what another one did.

use std::{io, sync::Arc};

use crate::{bell::Bell, event::Token, poller::Poller};

/// Wakes a [`Poller`] from any thread. Clones ring the same bell.
///
/// It is the one thing that is reported *once*: a poll tells that somebody has rung since the last report, and a poll
/// after that says nothing until the next ring. However many rings come between two polls, they are one event; one that
/// comes before the poll, or during it, is not lost. A wake costs one `write`. Being woken costs nothing beyond the poll
/// with `epoll`, and one `read` with the others.
///
/// The descriptor behind it lives as long as any clone of the waker. When the last clone goes, its registration goes with
/// it, and a wake that was not yet reported is forgotten: keep one where the poller is. A waker may outlive its poller; it
/// then wakes nobody.
#[derive(Clone, Debug)]
pub struct Waker {
    bell: Arc<Bell>,
}

impl Waker {
    /// A waker for `poller`, whose wakes are events with this token, `readable` and nothing else.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors or no memory left, and `InvalidInput` from a `select` that could
    /// not watch it, because too many descriptors are open.
    pub fn new(poller: &Poller, token: Token) -> io::Result<Self> {
        let bell = Arc::new(Bell::new()?);
        poller.register_bell(&bell, token)?;
        Ok(Waker { bell })
    }

    /// Ends the poll that is going on, or else the next one at once. It neither blocks nor fails, and a signal handler may
    /// call it: it allocates nothing and takes no lock.
    pub fn wake(&self) {
        self.bell.ring();
    }
}
