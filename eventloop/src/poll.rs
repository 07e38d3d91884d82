//! The back end for every Unix: the contract in the words of `poll(2)`.
//!
//! It stands between [`Poller`](crate::Poller) and the kernel. The kernel remembers nothing between two calls, so the
//! list of what is registered is kept here, in the form in which the kernel takes it: each call costs the kernel a look at
//! every descriptor, ready or not. It must never decide anything about time; the poller does.
//!
//! The one call is `unsafe` because no safe function takes descriptors that their owners may have closed meanwhile. Closed
//! ones are no danger: the kernel says which they are (`POLLNVAL`), and this file reports them.

#![allow(unsafe_code)]

use std::{
    cell::RefCell,
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
    sync::Arc,
    time::Duration,
};

use rustix::io::Errno;

use crate::{
    bell::{Bell, Bells},
    event::{Event, Interest, Mask, Token},
    poller::Events,
};

/// What is registered, and whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct Poll {
    slots: RefCell<Slots>,
}

impl Poll {
    pub(crate) fn new() -> Self {
        Poll::default()
    }

    pub(crate) fn register(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(self.slots.borrow_mut().add(source.as_fd().as_raw_fd(), token, interest)?)
    }

    pub(crate) fn register_bell(&self, bell: &Arc<Bell>, token: Token) -> io::Result<()> {
        self.register(bell, token, Interest::READ)?;
        self.slots.borrow_mut().bells.add(bell);
        Ok(())
    }

    pub(crate) fn modify(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.find(source.as_fd().as_raw_fd())?;
        slots.tokens[slot] = token;
        slots.asked[slot].events = question(interest);
        Ok(())
    }

    pub(crate) fn unregister(&self, source: impl AsFd) -> io::Result<()> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.find(source.as_fd().as_raw_fd())?;
        slots.remove(slot);
        Ok(())
    }

    /// One wait, of at least `timeout` (which must not be longer than a day) unless there is something to report or a
    /// signal interrupts it. What is found is added to `events`.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> Result<(), Errno> {
        let mut slots = self.slots.borrow_mut();
        slots.forget_abandoned_bells();
        let ready = ask(&mut slots.asked, timeout)?;
        slots.collect(ready, events);
        Ok(())
    }
}

/// A dense list, because the kernel wants one. The order in it is the order of reporting: a round goes through all slots,
/// those before `next` have had their turn in it, the others have not.
#[derive(Debug, Default)]
struct Slots {
    asked: Vec<libc::pollfd>,
    /// Beside `asked`.
    tokens: Vec<Token>,
    /// By the number of the descriptor: its slot.
    index: Vec<Option<u32>>,
    next: usize,
    bells: Bells,
}

impl Slots {
    fn add(&mut self, descriptor: RawFd, token: Token, interest: Interest) -> Result<(), Errno> {
        let number = usize::try_from(descriptor).map_err(|_| Errno::BADF)?;
        if self.index.len() <= number {
            self.index.resize(number + 1, None);
        }
        if self.index[number].is_some() {
            return Err(Errno::EXIST);
        }
        self.asked.push(libc::pollfd { fd: descriptor, events: question(interest), revents: 0 });
        self.tokens.push(token);
        self.note_place(self.asked.len() - 1);
        Ok(())
    }

    fn find(&self, descriptor: RawFd) -> Result<usize, Errno> {
        let number = usize::try_from(descriptor).map_err(|_| Errno::BADF)?;
        let slot = self.index.get(number).copied().flatten();
        slot.map(|slot| slot as usize).ok_or(Errno::NOENT)
    }

    /// Takes a slot out, without moving anybody who had a turn behind `next`, or anybody who had none before it.
    fn remove(&mut self, slot: usize) {
        let mut hole = slot;
        if hole < self.next {
            self.next -= 1;
            self.asked.swap(hole, self.next);
            self.tokens.swap(hole, self.next);
            self.note_place(hole);
            hole = self.next;
        }
        let removed = self.asked.swap_remove(hole);
        self.tokens.swap_remove(hole);
        self.note_place(hole);
        self.index[removed.fd as usize] = None;
    }

    /// Writes down where somebody stands, if anybody stands there.
    fn note_place(&mut self, slot: usize) {
        if let Some(asked) = self.asked.get(slot) {
            // The system has fewer descriptors than that.
            self.index[asked.fd as usize] = Some(slot as u32);
        }
    }

    fn forget_abandoned_bells(&mut self) {
        while let Some(bell) = self.bells.take_abandoned() {
            if let Ok(slot) = self.find(bell.as_fd().as_raw_fd()) {
                self.remove(slot);
            }
        }
    }

    /// Adds what the kernel has answered about `ready` descriptors, as much of it as there is room for, beginning with who
    /// comes next.
    fn collect(&mut self, mut ready: usize, events: &mut Events) {
        let mut closed = Vec::new();
        for slot in (self.next..self.asked.len()).chain(0..self.next) {
            if ready == 0 || events.is_full() {
                break;
            }
            let asked = self.asked[slot];
            if asked.revents == 0 {
                continue;
            }
            ready -= 1;
            let event = Event { token: self.tokens[slot], mask: answer(asked.revents) };
            events.push(event);
            self.bells.silence(asked.fd);
            if event.invalid() {
                closed.push(asked.fd);
            }
            self.next = slot + 1;
        }
        for descriptor in closed {
            if let Ok(slot) = self.find(descriptor) {
                self.remove(slot);
            }
        }
    }
}

/// Asks the kernel about all of them. Returns about how many it has something to say.
fn ask(asked: &mut [libc::pollfd], timeout: Option<Duration>) -> Result<usize, Errno> {
    // Rounded up: a wait of a part of a millisecond must not become a look. A day fits.
    let timeout_ms = timeout.map_or(-1, |timeout| timeout.as_nanos().div_ceil(1_000_000) as libc::c_int);
    // SAFETY: the kernel reads and writes as many records as it is told, those of the slice, which lives until the call
    // returns. It takes any number in them, also one that is no open descriptor.
    let ready = unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, timeout_ms) };
    usize::try_from(ready).map_err(|_| last_error())
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// Hang-ups, errors and closed descriptors need no flag; the kernel reports them always. `POLLRDHUP` is left out on
/// purpose, as it is with `epoll`.
fn question(interest: Interest) -> libc::c_short {
    let flag = |is_asked: bool, flag: libc::c_short| if is_asked { flag } else { 0 };
    flag(interest.reads(), libc::POLLIN)
        | flag(interest.writes(), libc::POLLOUT)
        | flag(interest.priority(), libc::POLLPRI)
}

fn answer(flags: libc::c_short) -> Mask {
    let mask = |flag: libc::c_short, mask: Mask| mask.only_if(flags & flag != 0);
    mask(libc::POLLIN, Mask::READABLE)
        | mask(libc::POLLPRI, Mask::PRIORITY)
        | mask(libc::POLLOUT, Mask::WRITABLE)
        | mask(libc::POLLERR, Mask::ERROR)
        | mask(libc::POLLHUP, Mask::HANGUP)
        | mask(libc::POLLNVAL, Mask::INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots of these descriptors, of which none is looked at.
    fn slots(descriptors: std::ops::Range<RawFd>, next: usize) -> Slots {
        let mut slots = Slots::default();
        for descriptor in descriptors {
            slots.add(descriptor, Token(descriptor as u64), Interest::READ).unwrap();
        }
        slots.next = next;
        slots
    }

    #[test]
    fn removing_keeps_those_who_had_their_turn_apart_from_those_who_had_none() {
        for (removed, next) in (0..8).flat_map(|removed| (0..=8).map(move |next| (removed, next))) {
            let mut slots = slots(0..8, next);
            slots.remove(slots.find(removed).unwrap());
            for (slot, asked) in slots.asked.iter().enumerate() {
                assert_eq!(
                    slot < slots.next,
                    (asked.fd as usize) < next,
                    "{removed} of 8, {next} had a turn"
                );
                assert_eq!(slots.find(asked.fd), Ok(slot));
                assert_eq!(slots.tokens[slot], Token(asked.fd as u64));
            }
            assert_eq!(slots.find(removed), Err(Errno::NOENT));
        }
    }
}
