//! The back end for Linux: the contract in the words of `epoll(7)`.
//!
//! It stands between [`Poller`](crate::Poller) and the kernel and only translates: interests to flags, flags to
//! events. It keeps no state of its own (the kernel has the list of what is registered) and must never decide
//! anything about time; the poller does.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
    io::Errno,
};

use crate::event::{Event, Interest, Mask, Token};

/// An epoll instance. The kernel puts whom it has reported at the end of its queue, which is the fairness that the
/// contract promises.
#[derive(Debug)]
pub(crate) struct Epoll {
    descriptor: OwnedFd,
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Epoll { descriptor: epoll::create(CreateFlags::CLOEXEC)? })
    }

    pub(crate) fn register(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.descriptor, source, EventData::new_u64(token.0), flags(interest))?)
    }

    /// Reports each time that `source` becomes readable, or more readable, instead of for as long as it is.
    pub(crate) fn register_edge(&self, source: impl AsFd, token: Token) -> io::Result<()> {
        let flags = flags(Interest::READ) | EventFlags::ET;
        Ok(epoll::add(&self.descriptor, source, EventData::new_u64(token.0), flags)?)
    }

    pub(crate) fn modify(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.descriptor, source, EventData::new_u64(token.0), flags(interest))?)
    }

    pub(crate) fn unregister(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.descriptor, source)?)
    }

    /// One wait, of at least `timeout` (which must not be longer than a day) unless there is something to report or a
    /// signal interrupts it. `events` is emptied first.
    ///
    /// The kernel counts in milliseconds, and `rustix` rounds up to them. `epoll_pwait2` would be finer, but is missing
    /// before Linux 5.11 and from many sandboxes' lists of allowed calls.
    pub(crate) fn wait(&self, events: &mut EpollEvents, timeout: Option<Duration>) -> Result<(), Errno> {
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).expect("a day fits into a timespec"));
        events.found.clear();
        epoll::wait(&self.descriptor, spare_capacity(&mut events.found), timeout.as_ref())?;
        Ok(())
    }
}

/// What the kernel wrote down, translated when it is looked at and not before.
pub(crate) struct EpollEvents {
    found: Vec<epoll::Event>,
}

impl EpollEvents {
    /// `capacity` must be at least one: the kernel refuses to wait for nothing.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        EpollEvents { found: Vec::with_capacity(capacity) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> {
        self.found.iter().map(|found| event(*found))
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }
}

/// `EPOLLRDHUP` is left out on purpose: a half-closed peer is still served, and the flag would be reported at every poll.
/// Hangups and errors need no flag; the kernel reports them always.
fn flags(interest: Interest) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::IN, interest.reads());
    flags.set(EventFlags::OUT, interest.writes());
    flags.set(EventFlags::PRI, interest.priority());
    flags
}

fn event(found: epoll::Event) -> Event {
    // The kernel's record is packed, so its fields are copied out and never borrowed.
    let (flags, data) = (found.flags, found.data);
    let mask = Mask::READABLE.only_if(flags.contains(EventFlags::IN))
        | Mask::PRIORITY.only_if(flags.contains(EventFlags::PRI))
        | Mask::WRITABLE.only_if(flags.contains(EventFlags::OUT))
        | Mask::ERROR.only_if(flags.contains(EventFlags::ERR))
        | Mask::HANGUP.only_if(flags.contains(EventFlags::HUP));
    Event { token: Token(data.u64()), mask }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn regular_file_is_refused() {
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        let refused = Epoll::new().unwrap().register(&file, Token(1), Interest::READ).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    }
}
