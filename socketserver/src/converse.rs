//! One request seen through, by either kind of handler: what the strategies have in common.
//!
//! It stands between a strategy, which decides when and where, and the handler, which decides what. A panic or an error ends
//! here; it must never get into a strategy.

use crate::conversation::{Conversation, Exchange};
use crate::driver::{self, Driver, Farewell};
use crate::endpoint::Address;
use crate::error::RequestError;
use crate::hooks::caught;
use crate::protocol::Protocol;
use crate::request::{Request, RequestHandler};
use crate::server::Core;
use crate::waiting::Waiting;
use eventloop::{Events, Interest, Poller, PollerKind, Token};
use std::io;
use std::time::Instant;

/// A handler that can see one request through, from its beginning to its end.
pub trait Converse {
    /// Handles it. What goes wrong reaches the hooks.
    fn converse(&self, core: &Core, conversation: Conversation, farewell: Farewell);
}

/// A [`RequestHandler`] in a server.
#[derive(Debug)]
pub struct Blocking<H>(pub(crate) H);

/// A factory of [`Protocol`]s in a server.
#[derive(Debug)]
pub struct SansIo<F>(pub(crate) F);

impl<H: RequestHandler> Converse for Blocking<H> {
    fn converse(&self, core: &Core, conversation: Conversation, farewell: Farewell) {
        let mut request = Request::new(conversation, Waiting::new(core.stop.clone(), core.limits));
        let handled = caught(|| self.0.handle(&mut request));
        let finished = request.finish(farewell);
        let outcome = handled.and_then(|outcome| outcome.and(finished).map_err(RequestError::Failed));
        if let Err(error) = outcome {
            core.hooks.report(error, Some(request.client_address()));
        }
    }
}

const STOP: Token = Token(u64::MAX - 1);

impl<P: Protocol, F: Fn(&Address) -> P> Converse for SansIo<F> {
    fn converse(&self, core: &Core, conversation: Conversation, farewell: Farewell) {
        match conversation {
            Conversation::Datagram(exchange) => {
                driver::answer_datagram(&self.0, &exchange, &core.hooks, Exchange::reply);
            }
            Conversation::Connection(connection) => {
                let client = connection.peer.clone();
                // One or two descriptors: `poll` needs none of its own for them.
                let outcome = Poller::of(PollerKind::Poll).and_then(|poller| {
                    let mut driver = Driver::new(&poller, &self.0, &core.hooks, core.limits, farewell);
                    poller.register(&*core.stop, STOP, Interest::READ)?;
                    driver.open(Instant::now(), connection);
                    see_through(&poller, &mut driver, core)
                });
                if let Err(error) = outcome {
                    core.hooks.report(RequestError::Failed(error), Some(&client));
                }
            }
        }
    }
}

/// Runs a driver until nobody is left in it.
fn see_through<P: Protocol, F: Fn(&Address) -> P>(
    poller: &Poller,
    driver: &mut Driver<'_, P, F>,
    core: &Core,
) -> io::Result<()> {
    let mut events = Events::with_capacity(4);
    while driver.connections() > 0 {
        let left = driver.next_deadline().map(|at| at.saturating_duration_since(Instant::now()));
        poller.poll(&mut events, left)?;
        let now = Instant::now();
        for event in events.iter() {
            match event.token {
                STOP => {
                    // It stays readable; once heard is enough.
                    poller.unregister(&*core.stop)?;
                    driver.stop(now);
                }
                driver::BELL => driver.take_mail(now),
                _ => driver.ready(now, event),
            }
        }
        driver.tick(now);
    }
    Ok(())
}
