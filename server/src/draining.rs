//! Connections that have been told everything and are on their way out.
//!
//! Closing a socket in which unread bytes wait resets the connection, and a reset can destroy the last lines on their way
//! to the peer. So our side is shut down first, what still comes is read and thrown away, and the socket is closed
//! when the peer has closed too, or after a grace.

use eventloop::{Interest, Poller, TimerKey, Timers, Token};
use hub::Time;
use rustix::net::Shutdown;
use std::collections::HashMap;
use std::os::fd::OwnedFd;

/// How long a peer may take to close its side.
const GRACE_MS: u64 = 1000;

#[derive(Debug, Default)]
pub(crate) struct Draining {
    sockets: HashMap<Token, Drained>,
    timers: Timers<Time, Token>,
}

#[derive(Debug)]
struct Drained {
    socket: OwnedFd,
    timer: TimerKey<Time>,
    watched: Watched,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Watched {
    /// By the poller: what comes is thrown away at once, and so is the socket when the peer has ended.
    Yes,
    /// The poller cannot: what has come is thrown away after the grace.
    No,
}

impl Draining {
    /// Takes over a registered socket, which gets this token.
    pub(crate) fn add(&mut self, now: Time, poller: &Poller, token: Token, socket: OwnedFd) {
        let is_shut = rustix::net::shutdown(&socket, Shutdown::Write).is_ok();
        let is_watched = is_shut && poller.modify(&socket, token, Interest::READ).is_ok();
        if is_watched {
            self.keep(now, token, socket, Watched::Yes);
        } else {
            // The peer is gone already; closing cannot destroy anything.
            close(poller, socket);
        }
    }

    /// Takes over a socket that the poller cannot watch. It is kept for the whole grace, in which the peer can read.
    pub(crate) fn add_unwatched(&mut self, now: Time, token: Token, socket: OwnedFd) {
        if rustix::net::shutdown(&socket, Shutdown::Write).is_ok() {
            self.keep(now, token, socket, Watched::No);
        }
    }

    fn keep(&mut self, now: Time, token: Token, socket: OwnedFd, watched: Watched) {
        let timer = self.timers.set(now.after_ms(GRACE_MS), token);
        self.sockets.insert(token, Drained { socket, timer, watched });
    }

    /// Throws away what a peer still sends, and closes when it has ended. Returns whether the token was one of these.
    pub(crate) fn ready(&mut self, poller: &Poller, token: Token, buffer: &mut [u8]) -> bool {
        let Some(drained) = self.sockets.get(&token) else { return false };
        let timer = drained.timer;
        match rustix::io::read(&drained.socket, &mut *buffer) {
            Ok(1..) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Ok(0) | Err(_) => {
                self.timers.cancel(timer);
                self.remove(poller, token);
            }
        }
        true
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Closes those whose grace has passed.
    pub(crate) fn tick(&mut self, now: Time, poller: &Poller, buffer: &mut [u8]) {
        while let Some(token) = self.timers.due(now) {
            if let Some(Drained { socket, watched: Watched::No, .. }) = self.sockets.get(&token) {
                // What more has come does not matter: the peer has had the time to read what it was told.
                let _ = rustix::io::read(socket, &mut *buffer);
            }
            self.remove(poller, token);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.sockets.len()
    }

    fn remove(&mut self, poller: &Poller, token: Token) {
        match self.sockets.remove(&token) {
            Some(Drained { socket, watched: Watched::Yes, .. }) => close(poller, socket),
            // Dropped, which closes it.
            Some(Drained { watched: Watched::No, .. }) | None => {}
        }
    }
}

/// Unregisters and closes a socket.
pub(crate) fn close(poller: &Poller, socket: OwnedFd) {
    if let Err(error) = poller.unregister(&socket) {
        tracing::warn!(%error, "a socket was not registered");
    }
    drop(socket);
}
