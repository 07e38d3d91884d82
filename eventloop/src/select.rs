//! The back end for every Unix since 1983: the contract in the words of `select(2)`.
//!
//! It stands between [`Poller`](crate::Poller) and the kernel. The kernel is handed three sets of 1,024 bits and
//! overwrites them with its answer, so the sets are kept here and copied for each call. A descriptor from 1,024 on has no
//! bit: the macros of C would write behind the set, here it is refused. It must never decide anything about time; the
//! poller does.
//!
//! The two calls are `unsafe` because no safe function takes descriptors that their owners may have closed meanwhile.
//! Closed ones are no danger: the kernel refuses the whole question (`EBADF`), and this file finds out which they are.

#![allow(unsafe_code)]

use std::{
    cell::RefCell,
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::{
        FdSetElement, FdSetIter, Timespec, fd_set_bound, fd_set_insert, fd_set_num_elements, fd_set_remove,
        select,
    },
    io::Errno,
};

use crate::{
    bell::{Bell, Bells},
    event::{Event, Interest, Mask, Token},
    poller::Events,
};

/// How many bits a set has (`FD_SETSIZE`).
pub(crate) const DESCRIPTORS_MAX: RawFd = 1024;

/// What is registered, and whose turn it is.
#[derive(Debug)]
pub(crate) struct Select {
    watched: Box<RefCell<Watched>>,
}

impl Select {
    pub(crate) fn new() -> Self {
        let watched = Watched {
            registered: [None; DESCRIPTORS_MAX as usize],
            asked: Sets::new(),
            answered: Sets::new(),
            next: 0,
            bells: Bells::default(),
        };
        Select { watched: Box::new(RefCell::new(watched)) }
    }

    pub(crate) fn register(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let number = source.as_fd().as_raw_fd();
        let mut watched = self.watched.borrow_mut();
        match watched.registered.get_mut(number as usize) {
            Some(Some(_)) => return Err(Errno::EXIST.into()),
            Some(registered) => *registered = Some(token),
            None if number < 0 => return Err(Errno::BADF.into()),
            None => return Err(beyond(number)),
        }
        watched.asked.set(number, interest);
        Ok(())
    }

    pub(crate) fn register_bell(&self, bell: &Arc<Bell>, token: Token) -> io::Result<()> {
        self.register(bell, token, Interest::READ)?;
        self.watched.borrow_mut().bells.add(bell);
        Ok(())
    }

    pub(crate) fn modify(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let number = source.as_fd().as_raw_fd();
        let mut watched = self.watched.borrow_mut();
        *watched.registered(number)? = token;
        watched.asked.set(number, interest);
        Ok(())
    }

    pub(crate) fn unregister(&self, source: impl AsFd) -> io::Result<()> {
        let number = source.as_fd().as_raw_fd();
        let mut watched = self.watched.borrow_mut();
        watched.registered(number)?;
        watched.forget(number);
        Ok(())
    }

    /// One wait, of at least `timeout` (which must not be longer than a day) unless there is something to report or a
    /// signal interrupts it. What is found is added to `events`.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> Result<(), Errno> {
        let mut watched = self.watched.borrow_mut();
        watched.forget_abandoned_bells();
        match watched.ask(timeout) {
            Ok(0) => {}
            Ok(_) => watched.collect(events),
            // One of them at least was closed. If none is found, another thread has opened its number again meanwhile: then
            // the poller asks anew.
            Err(Errno::BADF) => watched.collect_closed(events),
            Err(errno) => return Err(errno),
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Watched {
    /// By the number of the descriptor.
    registered: [Option<Token>; DESCRIPTORS_MAX as usize],
    asked: Sets,
    /// A copy of `asked`, for the kernel to write its answer into.
    answered: Sets,
    /// With which number the next batch begins.
    next: RawFd,
    bells: Bells,
}

impl Watched {
    fn registered(&mut self, number: RawFd) -> Result<&mut Token, Errno> {
        self.registered.get_mut(number as usize).and_then(Option::as_mut).ok_or(Errno::NOENT)
    }

    fn forget(&mut self, number: RawFd) {
        self.registered[number as usize] = None;
        self.asked.set(number, Interest::NONE);
    }

    fn forget_abandoned_bells(&mut self) {
        while let Some(bell) = self.bells.take_abandoned() {
            self.forget(bell.as_fd().as_raw_fd());
        }
    }

    /// Asks the kernel about all of them. Returns how often it says yes.
    fn ask(&mut self, timeout: Option<Duration>) -> Result<i32, Errno> {
        self.answered.copy_from(&self.asked);
        // Rounded up to the unit of most kernels. A day fits.
        let timeout = timeout.map(|timeout| {
            let timeout_us = timeout.as_nanos().div_ceil(1_000) as u64;
            Timespec::try_from(Duration::from_micros(timeout_us)).expect("a day fits into a timespec")
        });
        let bound = self.answered.bound();
        let Sets { read, write, urgent } = &mut self.answered;
        // SAFETY: the kernel reads and writes the first `bound` bits of the three sets, which are longer and live until the
        // call returns. That all of them be open descriptors is not for memory's sake: closed ones make it fail.
        unsafe { select(bound, Some(read), Some(write), Some(urgent), timeout.as_ref()) }
    }

    /// Adds what the kernel has answered, as much of it as there is room for, beginning with who comes next.
    fn collect(&mut self, events: &mut Events) {
        let masks = self.answered.masks();
        for number in self.in_turn() {
            if events.is_full() {
                break;
            }
            if !masks[number as usize].is_empty() {
                self.report(number, masks[number as usize], events);
            }
        }
    }

    /// Adds those that were closed, and forgets them: nobody else could, for they can no longer be named.
    fn collect_closed(&mut self, events: &mut Events) {
        for number in self.in_turn() {
            if events.is_full() {
                break;
            }
            if self.registered[number as usize].is_some() && !is_open(number) {
                self.report(number, Mask::INVALID, events);
                self.forget(number);
            }
        }
    }

    /// All numbers, beginning with the one that comes next.
    fn in_turn(&self) -> impl Iterator<Item = RawFd> + use<> {
        (self.next..DESCRIPTORS_MAX).chain(0..self.next)
    }

    fn report(&mut self, number: RawFd, mask: Mask, events: &mut Events) {
        let Some(token) = self.registered[number as usize] else { return };
        events.push(Event { token, mask });
        self.bells.silence(number);
        self.next = number + 1;
    }
}

/// The three sets of one question, or of its answer.
struct Sets {
    read: Vec<FdSetElement>,
    write: Vec<FdSetElement>,
    urgent: Vec<FdSetElement>,
}

impl Sets {
    fn new() -> Self {
        let empty =
            || vec![FdSetElement::default(); fd_set_num_elements(DESCRIPTORS_MAX as usize, DESCRIPTORS_MAX)];
        Sets { read: empty(), write: empty(), urgent: empty() }
    }

    fn set(&mut self, number: RawFd, interest: Interest) {
        let put = |set: &mut [FdSetElement], is_asked: bool| {
            let change = if is_asked { fd_set_insert } else { fd_set_remove };
            change(set, number);
        };
        put(&mut self.read, interest.reads());
        put(&mut self.write, interest.writes());
        put(&mut self.urgent, interest.priority());
    }

    fn copy_from(&mut self, other: &Sets) {
        self.read.copy_from_slice(&other.read);
        self.write.copy_from_slice(&other.write);
        self.urgent.copy_from_slice(&other.urgent);
    }

    /// One more than the highest number in them.
    fn bound(&self) -> RawFd {
        fd_set_bound(&self.read).max(fd_set_bound(&self.write)).max(fd_set_bound(&self.urgent))
    }

    /// By the number of the descriptor: in which of the sets it is.
    fn masks(&self) -> [Mask; DESCRIPTORS_MAX as usize] {
        let mut masks = [Mask::EMPTY; DESCRIPTORS_MAX as usize];
        let sets =
            [(&self.read, Mask::READABLE), (&self.write, Mask::WRITABLE), (&self.urgent, Mask::PRIORITY)];
        for (set, mask) in sets {
            for number in FdSetIter::new(set) {
                masks[number as usize] = masks[number as usize] | mask;
            }
        }
        masks
    }
}

impl std::fmt::Debug for Sets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let masks = self.masks();
        let watched = masks.iter().enumerate().filter(|(_, mask)| !mask.is_empty());
        formatter.debug_map().entries(watched).finish()
    }
}

fn beyond(number: RawFd) -> io::Error {
    let largest = DESCRIPTORS_MAX - 1;
    let message =
        format!("descriptor {number} is beyond what select can watch (0 to {largest}); use poll or epoll");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// Whether this is the number of an open descriptor.
pub(crate) fn is_open(descriptor: RawFd) -> bool {
    // SAFETY: the call takes any number and touches no memory of ours.
    unsafe { libc::fcntl(descriptor, libc::F_GETFD) != -1 }
}
