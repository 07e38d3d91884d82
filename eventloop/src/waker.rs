//! The bell: how another thread ends a poll.
//!
//! A thread that has put something into a mailbox rings once; the poller's thread then finds an event with the
//! waker's token and looks into its mailboxes. A waker carries no data and orders nothing: it must never be the only
//! way in which one thread learns what another one did.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use rustix::{
    event::{EventfdFlags, eventfd},
    io::{Errno, read, write},
};

use crate::{event::Token, poller::Poller};

/// Wakes a [`Poller`] from any thread. Clones ring the same bell.
///
/// It is an eventfd, a counter in the kernel, and the one descriptor that is watched *edge-triggered*: the poll reports
/// that somebody has added to the counter since the last report, not that the counter is above zero. So nobody has
/// to read it empty. A wake costs one `write`, being woken costs nothing beyond the poll, and a poll after the report
/// says nothing until the next wake. However many wakes come between two polls, they are one event; a wake that comes
/// before the poll, or during it, is not lost.
///
/// The counter only grows, and is full at 2⁶⁴ − 2. A write that finds it full is refused (the descriptor does not
/// block), and the wake then reads it empty and writes again.
///
/// The descriptor lives as long as any clone of the waker. When the last clone goes, the descriptor is closed, its
/// registration goes with it, and a wake that was not yet reported is forgotten: keep one where the poller is. A waker
/// may outlive its poller; it then wakes nobody.
#[derive(Clone, Debug)]
pub struct Waker {
    descriptor: Arc<OwnedFd>,
}

impl Waker {
    /// A waker for `poller`, whose wakes are events with this token, `readable` and nothing else.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors or no memory left.
    pub fn new(poller: &Poller, token: Token) -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        poller.register_waker(&descriptor, token)?;
        Ok(Waker { descriptor: Arc::new(descriptor) })
    }

    /// Ends the poll that is going on, or else the next one at once. Never blocks.
    ///
    /// It does not fail. An eventfd that is ours and open refuses a write for one reason only, that it is full.
    pub fn wake(&self) {
        if self.ring() == Err(Errno::AGAIN) {
            // Another thread may have found it full too and read it empty before us, or rung in between. It does not
            // matter: every one of us still writes after its read, and the last write is the edge that is reported.
            let mut count = [0; 8];
            let _ = read(self.descriptor.as_fd(), &mut count);
            let _ = self.ring();
        }
    }

    fn ring(&self) -> Result<(), Errno> {
        write(self.descriptor.as_fd(), &1_u64.to_ne_bytes()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Events;

    #[test]
    fn full_counter_still_wakes() {
        let poller = Poller::new().unwrap();
        let waker = Waker::new(&poller, Token(3)).unwrap();
        let mut events = Events::with_capacity(4);
        write(waker.descriptor.as_fd(), &(u64::MAX - 1).to_ne_bytes()).unwrap();
        poller.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(waker.ring(), Err(Errno::AGAIN), "the counter is full");

        waker.wake();
        poller.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.iter().map(|event| event.token).collect::<Vec<_>>(), [Token(3)]);
    }
}
