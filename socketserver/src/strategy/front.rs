//! The loop of the strategies that hand each request to somebody: wait, take, hand over.
//!
//! It watches the listener only while somebody is free to take a request; until then clients wait in the kernel's backlog.
//! It must never wait for a request to end.

use crate::Error;
use crate::conversation::Conversation;
use crate::error::RequestError;
use crate::server::{Core, Extent, Served, Taken, is_exhaustion};
use eventloop::{Events, Interest, Poller, PollerKind, Token};
use std::io;
use std::time::{Duration, Instant};

/// Somebody to hand requests to.
pub(crate) trait Crew {
    /// Whether somebody is free. If not, `poller` will report one of the crew's tokens when it may have changed.
    ///
    /// # Errors
    /// If that cannot be arranged, for want of a descriptor it may be.
    fn has_room(&mut self, poller: &Poller) -> io::Result<bool>;

    /// Takes a request.
    ///
    /// # Errors
    /// If no request can be taken any more. What is wrong with one reaches the hooks.
    fn take(&mut self, conversation: Conversation) -> Result<Handed, Error>;

    /// One of the crew's tokens was reported.
    fn heard(&mut self, poller: &Poller, token: Token);
}

/// What has become of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Handed {
    /// Somebody is at work on it, or was.
    Over,
    /// It is gone: the system has no room for one more who could handle it. The hooks know.
    Lost,
}

const STOP: Token = Token(u64::MAX);
const LISTENER: Token = Token(u64::MAX - 1);
/// Tokens of a crew are smaller than this.
pub(crate) const CREW_TOKENS_END: u64 = u64::MAX - 1;

/// How long no request is taken after descriptors, memory, threads or processes have run out: the listener would be ready at
/// once again, and who waits in the backlog fares better than who is taken for nothing.
pub(super) const EXHAUSTION_PAUSE: Duration = Duration::from_millis(100);
/// How many requests are taken before one looks around: whether the server shall stop, and who else is ready.
pub(super) const TAKEN_PER_TURN: usize = 64;

/// Takes requests until one was handed over, the time is over, or the server is asked to stop.
pub(crate) fn serve<C: Crew>(core: &Core, crew: &mut C, extent: Extent) -> Result<Served, Error> {
    // A handful of descriptors. `poll` needs none of its own, which a child would inherit.
    let poller = Poller::of(PollerKind::Poll).map_err(waiting)?;
    poller.register(&*core.stop, STOP, Interest::READ).map_err(waiting)?;
    poller.register(&*core.listener, LISTENER, Interest::NONE).map_err(waiting)?;
    let one_until = core.timeout.filter(|_| extent == Extent::One);
    let one_until = one_until.and_then(|timeout| Instant::now().checked_add(timeout));
    Front { core, crew, extent, poller, watched: Interest::NONE, one_until, paused_until: None }.run()
}

fn waiting(error: io::Error) -> Error {
    Error::System { doing: "waiting for requests".to_owned(), error }
}

struct Front<'a, C> {
    core: &'a Core,
    crew: &'a mut C,
    extent: Extent,
    poller: Poller,
    /// Of the listener.
    watched: Interest,
    one_until: Option<Instant>,
    paused_until: Option<Instant>,
}

impl<C: Crew> Front<'_, C> {
    fn run(mut self) -> Result<Served, Error> {
        let mut events = Events::with_capacity(64);
        while !self.core.stop.is_made() {
            self.watch_listener().map_err(waiting)?;
            let deadline = self.one_until.into_iter().chain(self.paused_until).min();
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            self.poller.poll(&mut events, left).map_err(waiting)?;
            for event in events.iter() {
                match event.token {
                    STOP => return Ok(Served::Nothing),
                    LISTENER => {
                        if self.take()? == Served::Request && self.extent == Extent::One {
                            return Ok(Served::Request);
                        }
                    }
                    token => self.crew.heard(&self.poller, token),
                }
            }
            if deadline.is_some() {
                let now = Instant::now();
                if self.one_until.is_some_and(|at| at <= now) {
                    return Ok(Served::Nothing);
                }
                self.paused_until = self.paused_until.filter(|at| *at > now);
            }
        }
        Ok(Served::Nothing)
    }

    fn watch_listener(&mut self) -> io::Result<()> {
        let watches = self.paused_until.is_none() && self.has_room()?;
        let interest = if watches { Interest::READ } else { Interest::NONE };
        if interest != self.watched {
            self.watched = interest;
            self.poller.modify(&*self.core.listener, LISTENER, interest)?;
        }
        Ok(())
    }

    /// Whether somebody is free; if that cannot be known for want of descriptors or memory, nobody is for a while.
    fn has_room(&mut self) -> io::Result<bool> {
        match self.crew.has_room(&self.poller) {
            Err(error) if is_exhaustion(&error) => {
                self.core.hooks.report(RequestError::Accept(error), None);
                self.pause();
                Ok(false)
            }
            known => known,
        }
    }

    fn pause(&mut self) {
        self.paused_until = Instant::now().checked_add(EXHAUSTION_PAUSE);
    }

    /// Takes requests while some wait and somebody is free; one if it is to be one.
    fn take(&mut self) -> Result<Served, Error> {
        let mut served = Served::Nothing;
        for _ in 0..TAKEN_PER_TURN {
            match self.core.take().map_err(Error::system("taking requests"))? {
                Taken::Request(conversation) => {
                    if self.crew.take(conversation)? == Handed::Lost {
                        self.pause();
                    }
                }
                Taken::Dropped => {}
                Taken::Nothing => break,
                Taken::Exhausted => {
                    self.pause();
                    break;
                }
            }
            served = Served::Request;
            let is_enough = self.extent == Extent::One || self.core.stop.is_made();
            if is_enough || self.paused_until.is_some() || !self.has_room().map_err(waiting)? {
                break;
            }
        }
        Ok(served)
    }
}
