//! How requests are run: one after the other, in threads, in child processes, or all in one thread.
//!
//! Each strategy is a type in a file of its own. The first three share the loop that waits for requests (`front.rs`) and
//! differ in what they do with one; the last has a loop in which clients and listener are watched together.

mod evented;
mod forking;
mod front;
mod iterative;
mod threading;

pub use evented::Evented;
pub use forking::Forking;
pub use iterative::Iterative;
pub use threading::Threading;

use crate::Error;
use crate::server::{Core, Extent, Served};
use std::sync::Arc;

/// A way to run requests: [`Iterative`], [`Threading`], [`Forking`] or [`Evented`]. The compiler sees to it that the
/// handler fits: threads need one that can be shared, and the evented strategy a [`Protocol`](crate::Protocol).
///
/// ```compile_fail
/// use socketserver::{Endpoint, Evented, Listener, Request, Server};
///
/// // A handler that blocks would stop everybody.
/// let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0").unwrap()).unwrap();
/// Server::blocking(listener, Evented::default(), |_: &mut Request| Ok(())).unwrap();
/// ```
pub trait Strategy<H>: sealed::Sealed {
    /// Serves one request, or all until the server is asked to stop.
    #[doc(hidden)]
    fn serve(&mut self, core: &Arc<Core>, handler: &Arc<H>, extent: Extent) -> Result<Served, Error>;

    /// Sees requests to their end that are still going on.
    #[doc(hidden)]
    fn finish(&mut self, core: &Core) -> Result<(), Error>;
}

mod sealed {
    /// Nobody else has a strategy.
    pub trait Sealed {}
    impl Sealed for super::Iterative {}
    impl Sealed for super::Threading {}
    impl Sealed for super::Forking {}
    impl Sealed for super::Evented {}
}
