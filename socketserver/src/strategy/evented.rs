//! Everybody in one thread, on a poller.

use crate::conversation::{Conversation, Exchange};
use crate::converse::SansIo;
use crate::driver::{self, Driver, Farewell};
use crate::endpoint::Address;
use crate::error::Error;
use crate::protocol::Protocol;
use crate::server::{Core, Extent, Served, Taken};
use crate::strategy::Strategy;
use crate::strategy::front::{EXHAUSTION_PAUSE, TAKEN_PER_TURN};
use eventloop::{Events, Interest, Poller, PollerKind, Token};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Everybody in one thread: the poller says who is ready, and the protocol does what can be done at once.
///
/// Many thousands of connections, each at the price of a few hundred bytes, and clients that have to do with each other
/// (a chat, a game, a broker) without a lock. In return a protocol must not block: while it computes, everybody waits.
#[derive(Clone, Debug)]
pub struct Evented {
    poller: PollerKind,
    connections_max: usize,
}

impl Evented {
    /// On this poller. With `select` there can be some thousand connections at most, with `poll` each turn costs the more
    /// the more there are.
    pub fn on(poller: PollerKind) -> Evented {
        Evented { poller, connections_max: CONNECTIONS_MAX }
    }

    /// At most `connections_max` connections at a time, at least one; further clients wait in the backlog. 100,000 unless
    /// set.
    #[must_use]
    pub fn up_to(self, connections_max: usize) -> Evented {
        Evented { connections_max: connections_max.max(1), ..self }
    }
}

/// On the best poller of the system.
impl Default for Evented {
    fn default() -> Self {
        Evented::on(PollerKind::default())
    }
}

const CONNECTIONS_MAX: usize = 100_000;
const STOP: Token = Token(u64::MAX - 1);
const LISTENER: Token = Token(u64::MAX - 2);
const EVENTS_PER_TURN: usize = 256;

impl<P: Protocol, F: Fn(&Address) -> P> Strategy<SansIo<F>> for Evented {
    fn serve(&mut self, core: &Arc<Core>, handler: &Arc<SansIo<F>>, extent: Extent) -> Result<Served, Error> {
        let outcome = Poller::of(self.poller).and_then(|poller| {
            let driver = Driver::new(&poller, &handler.0, &core.hooks, core.limits, Farewell::Linger);
            let turns = Turns {
                core,
                make: &handler.0,
                poller: &poller,
                driver,
                connections_max: if extent == Extent::One { 1 } else { self.connections_max },
                extent,
                served: Served::Nothing,
                watched: Interest::NONE,
                paused_until: None,
            };
            turns.run()
        });
        outcome.map_err(Error::system("waiting for clients"))
    }

    fn finish(&mut self, _: &Core) -> Result<(), Error> {
        Ok(())
    }
}

struct Turns<'a, P, F> {
    core: &'a Core,
    make: &'a F,
    poller: &'a Poller,
    driver: Driver<'a, P, F>,
    connections_max: usize,
    extent: Extent,
    served: Served,
    /// Of the listener.
    watched: Interest,
    paused_until: Option<Instant>,
}

impl<P: Protocol, F: Fn(&Address) -> P> Turns<'_, P, F> {
    /// Whatever it ends with, everybody is told.
    fn run(mut self) -> io::Result<Served> {
        let outcome = self.turn_until_over();
        self.driver.cut_all();
        outcome
    }

    fn turn_until_over(&mut self) -> io::Result<Served> {
        self.poller.register(&*self.core.stop, STOP, Interest::READ)?;
        self.poller.register(&*self.core.listener, LISTENER, Interest::NONE)?;
        let one_until = self.core.timeout.filter(|_| self.extent == Extent::One);
        let one_until = one_until.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        loop {
            self.watch_listener()?;
            let deadline = self.next_deadline(one_until);
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            self.poller.poll(&mut events, left)?;
            let now = Instant::now();
            for event in events.iter() {
                match event.token {
                    STOP => self.stop(now)?,
                    LISTENER => self.take(now)?,
                    driver::BELL => self.driver.take_mail(now),
                    _ => self.driver.ready(now, event),
                }
            }
            self.driver.tick(now);
            self.paused_until = self.paused_until.filter(|at| *at > now);
            if self.is_over(now, one_until) {
                return Ok(self.served);
            }
        }
    }

    fn next_deadline(&self, one_until: Option<Instant>) -> Option<Instant> {
        let own = [self.driver.next_deadline(), self.paused_until];
        let awaited = one_until.filter(|_| self.served == Served::Nothing);
        own.into_iter().flatten().chain(awaited).min()
    }

    fn is_over(&self, now: Instant, one_until: Option<Instant>) -> bool {
        let nobody_left = self.driver.connections() == 0;
        if self.driver.is_stopping() {
            return nobody_left;
        }
        match (self.extent, self.served) {
            (Extent::Forever, _) => false,
            (Extent::One, Served::Request) => nobody_left,
            (Extent::One, Served::Nothing) => one_until.is_some_and(|at| at <= now),
        }
    }

    /// The listener is watched while there is room for one more.
    fn watch_listener(&mut self) -> io::Result<()> {
        let has_served_one = self.extent == Extent::One && self.served == Served::Request;
        let has_room = self.driver.connections() < self.connections_max;
        let is_open = !self.driver.is_stopping() && self.paused_until.is_none();
        let watches = has_room && is_open && !has_served_one;
        let interest = if watches { Interest::READ } else { Interest::NONE };
        if interest != self.watched {
            self.watched = interest;
            self.poller.modify(&*self.core.listener, LISTENER, interest)?;
        }
        Ok(())
    }

    fn take(&mut self, now: Instant) -> io::Result<()> {
        for _ in 0..TAKEN_PER_TURN {
            if self.driver.is_stopping() || self.driver.connections() >= self.connections_max {
                return Ok(());
            }
            match self.core.take()? {
                Taken::Request(conversation) => self.open(now, conversation),
                Taken::Dropped => {}
                Taken::Nothing => return Ok(()),
                Taken::Exhausted => {
                    self.paused_until = now.checked_add(EXHAUSTION_PAUSE);
                    return Ok(());
                }
            }
            self.served = Served::Request;
            if self.extent == Extent::One {
                return Ok(());
            }
        }
        Ok(())
    }

    fn open(&mut self, now: Instant, conversation: Conversation) {
        match conversation {
            Conversation::Connection(connection) => self.driver.open(now, connection),
            Conversation::Datagram(exchange) => {
                driver::answer_datagram(self.make, &exchange, &self.core.hooks, Exchange::reply_at_once);
            }
        }
    }

    fn stop(&mut self, now: Instant) -> io::Result<()> {
        // It stays readable; once heard is enough.
        self.poller.unregister(&*self.core.stop)?;
        self.driver.stop(now);
        Ok(())
    }
}
