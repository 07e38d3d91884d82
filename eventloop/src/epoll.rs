//! The back end for Linux: the contract in the words of `epoll(7)`.
//!
//! It stands between [`Poller`](crate::Poller) and the kernel and translates: interests to flags, flags to events. The
//! kernel has the list of what is registered, so nothing is kept here but the stand-ins of files that it does not take. It
//! must never decide anything about time; the poller does.

use std::{
    cell::RefCell,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    sync::Arc,
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{
        EventfdFlags, Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
        eventfd,
    },
    fs::{FileType, fstat},
    io::Errno,
};

use crate::{
    bell::Bell,
    event::{Event, Interest, Mask, Token},
    select::is_open,
};

/// An epoll instance. The kernel puts whom it has reported at the end of its queue, which is the fairness that the
/// contract promises.
#[derive(Debug)]
pub(crate) struct Epoll {
    descriptor: OwnedFd,
    /// Hardly anybody registers files.
    stand_ins: RefCell<Vec<StandIn>>,
}

/// What the kernel watches in the place of a file that it refuses to, because such a file is always ready: a descriptor
/// that is always ready, too. So it is reported as asked for, in its turn among all others, and at no cost for those.
#[derive(Debug)]
struct StandIn {
    /// The file's own number, under which the caller knows it.
    file: RawFd,
    /// An eventfd whose counter is neither empty nor full is readable and writable.
    always_ready: OwnedFd,
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Epoll { descriptor: epoll::create(CreateFlags::CLOEXEC)?, stand_ins: RefCell::default() })
    }

    pub(crate) fn register(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        match epoll::add(&self.descriptor, &source, EventData::new_u64(token.0), flags(interest)) {
            Err(Errno::PERM) if is_always_ready(&source) => self.register_stand_in(&source, token, interest),
            result => {
                result?;
                // A file that had this number before was closed, and its stand-in would be ready for ever.
                let number = source.as_fd().as_raw_fd();
                self.forget_stand_ins(|stand_in| stand_in.file == number);
                Ok(())
            }
        }
    }

    fn register_stand_in(&self, file: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        self.forget_closed_files();
        let file = file.as_fd().as_raw_fd();
        if self.with_stand_in(file, |_| Ok(())).is_ok() {
            return Err(Errno::EXIST.into());
        }
        let always_ready = eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&self.descriptor, &always_ready, EventData::new_u64(token.0), flags(interest))?;
        self.stand_ins.borrow_mut().push(StandIn { file, always_ready });
        Ok(())
    }

    /// Each ring is reported, because a write to an eventfd is an edge, and nobody has to read it empty.
    pub(crate) fn register_bell(&self, bell: &Arc<Bell>, token: Token) -> io::Result<()> {
        let flags = flags(Interest::READ) | EventFlags::ET;
        Ok(epoll::add(&self.descriptor, bell, EventData::new_u64(token.0), flags)?)
    }

    pub(crate) fn modify(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let change = |source: &dyn AsFd| {
            epoll::modify(&self.descriptor, source.as_fd(), EventData::new_u64(token.0), flags(interest))
        };
        match change(&source) {
            Err(Errno::PERM) => {
                self.with_stand_in(source.as_fd().as_raw_fd(), |stand_in| change(&stand_in.always_ready))
            }
            result => Ok(result?),
        }
    }

    pub(crate) fn unregister(&self, source: impl AsFd) -> io::Result<()> {
        match epoll::delete(&self.descriptor, &source) {
            Err(Errno::PERM) => {
                let file = source.as_fd().as_raw_fd();
                self.with_stand_in(file, |stand_in| epoll::delete(&self.descriptor, &stand_in.always_ready))?;
                self.stand_ins.borrow_mut().retain(|stand_in| stand_in.file != file);
                Ok(())
            }
            result => Ok(result?),
        }
    }

    /// Does something with the stand-in of a file; `NotFound` if it has none.
    fn with_stand_in(&self, file: RawFd, call: impl FnOnce(&StandIn) -> Result<(), Errno>) -> io::Result<()> {
        let stand_ins = self.stand_ins.borrow();
        let stand_in = stand_ins.iter().find(|stand_in| stand_in.file == file);
        Ok(call(stand_in.ok_or(Errno::NOENT)?)?)
    }

    /// The kernel forgets what is closed. It does not know whom a stand-in stands for, so here we have to look.
    fn forget_closed_files(&self) {
        self.forget_stand_ins(|stand_in| !is_open(stand_in.file));
    }

    fn forget_stand_ins(&self, is_over: impl Fn(&StandIn) -> bool) {
        let mut stand_ins = self.stand_ins.borrow_mut();
        for closed in stand_ins.extract_if(.., |stand_in| is_over(stand_in)) {
            // It is ours and registered, so there is nothing that could be refused.
            let _ = epoll::delete(&self.descriptor, closed.always_ready);
        }
    }

    /// One wait, of at least `timeout` (which must not be longer than a day) unless there is something to report or a
    /// signal interrupts it. At most `capacity` events are put into `events`, which is empty.
    ///
    /// The kernel counts in milliseconds, and `rustix` rounds up to them. `epoll_pwait2` would be finer, but is missing
    /// before Linux 5.11 and from many sandboxes' lists of allowed calls.
    pub(crate) fn wait(
        &self,
        events: &mut EpollEvents,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> Result<(), Errno> {
        if !self.stand_ins.borrow().is_empty() {
            self.forget_closed_files();
        }
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).expect("a day fits into a timespec"));
        // Allocates for the first wait and never again.
        events.found.reserve_exact(capacity);
        epoll::wait(&self.descriptor, spare_capacity(&mut events.found), timeout.as_ref())?;
        Ok(())
    }
}

/// What the kernel wrote down, translated when it is looked at.
#[derive(Default)]
pub(crate) struct EpollEvents {
    found: Vec<epoll::Event>,
}

impl EpollEvents {
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> {
        self.found.iter().map(|found| event(*found))
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn clear(&mut self) {
        self.found.clear();
    }
}

/// Whether this is a file of a kind that has no readiness to wait for. `poll(2)` says of those that they are always ready,
/// and `epoll_ctl(2)` refuses them with the error that a sandbox would give, too; hence this look.
fn is_always_ready(source: impl AsFd) -> bool {
    let kind = fstat(source).map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(
        kind,
        // Of devices, those that are refused: the null device is one.
        Ok(FileType::RegularFile | FileType::Directory | FileType::CharacterDevice | FileType::BlockDevice)
    )
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
    use super::*;
    use crate::PollerKind;
    use crate::poller::{Events, Poller};
    use std::{fs::File, os::unix::net::UnixStream};

    #[test]
    fn closed_file_is_forgotten_when_a_socket_with_its_number_is_registered() {
        let poller = Poller::of(PollerKind::Epoll).unwrap();
        let mut events = Events::with_capacity(4);
        let mut number: OwnedFd = File::open("/dev/null").unwrap().into();
        poller.register(&number, Token(1), Interest::READ).unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        rustix::io::dup2(&ours, &mut number).unwrap();
        poller.register(&number, Token(2), Interest::READ).unwrap();
        poller.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty(), "{events:?}");
    }
}
