//! Mailboxes between threads: filled and emptied in batches, woken at most once per batch.
//!
//! A shard never waits for the hub: it counts its requests that are not taken yet and stops reading instead. The hub does
//! wait, before it takes more requests, for a shard whose mail piles up; a shard always empties its mailbox in each
//! turn, so that this wait ends.

use engine::{Mail, Request};
use eventloop::Waker;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The hub waits for a shard that has not taken in so many events.
const TOLD_MAX: usize = 64 * 1024;

/// A connection on its way to the shard that will hold it.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) socket: OwnedFd,
    pub(crate) peer: SocketAddr,
}

/// What waits for the hub's thread.
#[derive(Debug, Default)]
pub(crate) struct HubMailbox {
    waiting: Mutex<HubWaiting>,
    filled: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct HubWaiting {
    pub(crate) requests: Vec<Request>,
    pub(crate) is_stopping: bool,
    is_idle: bool,
}

impl HubMailbox {
    /// Moves requests into the mailbox.
    pub(crate) fn post(&self, requests: impl Iterator<Item = Request>) {
        let mut waiting = lock(&self.waiting);
        waiting.requests.extend(requests);
        self.wake(waiting);
    }

    pub(crate) fn stop(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.is_stopping = true;
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, HubWaiting>) {
        if std::mem::take(&mut waiting.is_idle) {
            drop(waiting);
            self.filled.notify_one();
        }
    }

    /// Waits for requests, at most `timeout`, swaps them into `requests`, and returns whether the server is to stop.
    pub(crate) fn wait(&self, requests: &mut Vec<Request>, timeout: Option<Duration>) -> bool {
        let mut waiting = lock(&self.waiting);
        if waiting.requests.is_empty() && !waiting.is_stopping {
            waiting.is_idle = true;
            waiting = match timeout {
                None => self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(timeout) => {
                    self.filled.wait_timeout(waiting, timeout).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            waiting.is_idle = false;
        }
        std::mem::swap(&mut waiting.requests, requests);
        waiting.is_stopping
    }
}

/// What waits for a shard's thread.
#[derive(Debug)]
pub(crate) struct ShardMailbox {
    waiting: Mutex<ShardWaiting>,
    emptied: Condvar,
    waker: Waker,
}

#[derive(Debug, Default)]
struct ShardWaiting {
    mail: Mail,
    streams: Vec<Stream>,
    is_stopping: bool,
    was_woken: bool,
}

impl ShardMailbox {
    pub(crate) fn new(waker: Waker) -> ShardMailbox {
        ShardMailbox { waiting: Mutex::default(), emptied: Condvar::new(), waker }
    }

    /// Moves mail into the mailbox; waits while it is full.
    pub(crate) fn post(&self, mail: &mut Mail) {
        let mut waiting = lock(&self.waiting);
        while waiting.mail.told.len() >= TOLD_MAX {
            waiting = self.emptied.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.mail.append(mail);
        self.wake(waiting);
    }

    pub(crate) fn hand_over(&self, stream: Stream) {
        let mut waiting = lock(&self.waiting);
        waiting.streams.push(stream);
        self.wake(waiting);
    }

    pub(crate) fn stop(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.is_stopping = true;
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, ShardWaiting>) {
        if !std::mem::replace(&mut waiting.was_woken, true) {
            drop(waiting);
            self.waker.wake();
        }
    }

    /// Swaps everything out; `mail` and `streams` must be empty. Returns whether the shard is to stop.
    pub(crate) fn take(&self, mail: &mut Mail, streams: &mut Vec<Stream>) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.was_woken = false;
        let was_full = waiting.mail.told.len() >= TOLD_MAX;
        std::mem::swap(&mut waiting.mail, mail);
        std::mem::swap(&mut waiting.streams, streams);
        let is_stopping = waiting.is_stopping;
        drop(waiting);
        if was_full {
            self.emptied.notify_one();
        }
        is_stopping
    }
}

/// Nobody panics while holding one of these locks; if somebody did, the process is ending anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
