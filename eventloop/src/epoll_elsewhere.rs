//! What stands in the place of `epoll.rs` on systems that have no `epoll(7)`: the refusal, with its reason.
//!
//! It lets the poller be written once. There is never an [`Epoll`] here, and so nothing that could be asked of one.

use std::{io, iter, os::fd::AsFd, sync::Arc, time::Duration};

use rustix::io::Errno;

use crate::{
    bell::Bell,
    event::{Event, Interest, Token},
};

/// None exists.
#[derive(Debug)]
pub(crate) enum Epoll {}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "epoll is for Linux alone; use poll"))
    }

    pub(crate) fn register(&self, _: impl AsFd, _: Token, _: Interest) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn register_bell(&self, _: &Arc<Bell>, _: Token) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn modify(&self, _: impl AsFd, _: Token, _: Interest) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn unregister(&self, _: impl AsFd) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn wait(&self, _: &mut EpollEvents, _: usize, _: Option<Duration>) -> Result<(), Errno> {
        match *self {}
    }
}

/// No events, in no room.
#[derive(Default)]
pub(crate) struct EpollEvents {
    none: iter::Empty<Event>,
}

impl EpollEvents {
    pub(crate) fn iter(&self) -> iter::Empty<Event> {
        self.none.clone()
    }

    #[expect(clippy::unused_self, reason = "it stands for a list")]
    pub(crate) const fn len(&self) -> usize {
        0
    }

    #[expect(clippy::unused_self, reason = "it stands for a list")]
    pub(crate) const fn clear(&mut self) {}
}
