//! [`Server`]: a listener, a strategy and a handler, put together; and what every strategy needs of them.
//!
//! Where requests are taken and offered to the hooks. How they are then run is the strategy's business alone.

use crate::Error;
use crate::conversation::{Conversation, Exchange};
use crate::converse::{Blocking, SansIo};
use crate::endpoint::Address;
use crate::error::RequestError;
use crate::hooks::Hooks;
use crate::listener::Listener;
use crate::protocol::Protocol;
use crate::request::RequestHandler;
use crate::shutdown::{ShutdownHandle, StopRequest};
use crate::strategy::Strategy;
use crate::waiting::TimeLimits;
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

/// How long requests may still go on when a server stops, unless told otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// A server: what comes to a listener is handled by a handler, in the way of a strategy.
///
/// It is made by [`Server::blocking`] or [`Server::sans_io`], set up by the methods that take and give back the server,
/// and run by [`Server::serve_forever`] or [`Server::handle_request`].
///
/// ```
/// use socketserver::{Endpoint, Iterative, Listener, Request, Server};
/// use std::io::Write;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), socketserver::Error> {
/// let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
/// let mut server = Server::blocking(listener, Iterative, |request: &mut Request| {
///     writeln!(request.writer, "Thank you for connecting")
/// })?
/// .timeout(Duration::from_millis(10))
/// .handle_timeout(|| println!("nobody came"));
/// println!("listening at {}", server.server_address());
/// server.handle_request()?; // one request, or ten milliseconds
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server<H, S: Strategy<H>> {
    core: Arc<Core>,
    handler: Arc<H>,
    strategy: S,
}

/// What [`Server::handle_request`] has done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Served {
    /// A request was taken. The concurrent strategies may still be at work on it.
    Request,
    /// Nobody came within the timeout, or the server was asked to stop.
    Nothing,
}

/// How much a strategy is to serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// One request.
    One,
    /// All, until the server is asked to stop.
    Forever,
}

impl<H: RequestHandler, S: Strategy<Blocking<H>>> Server<Blocking<H>, S> {
    /// A server whose requests are handled by a [`RequestHandler`], or a closure, that may block.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub fn blocking(listener: Listener, strategy: S, handler: H) -> Result<Self, Error> {
        Server::new(listener, strategy, Blocking(handler))
    }
}

impl<P: Protocol, F: Fn(&Address) -> P, S: Strategy<SansIo<F>>> Server<SansIo<F>, S> {
    /// A server that makes a [`Protocol`] for each client, out of the client's address.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub fn sans_io(listener: Listener, strategy: S, make: F) -> Result<Self, Error> {
        Server::new(listener, strategy, SansIo(make))
    }
}

impl<H, S: Strategy<H>> Server<H, S> {
    fn new(listener: Listener, strategy: S, handler: H) -> Result<Self, Error> {
        let stop = StopRequest::new().map_err(Error::system("preparing the shutdown"))?;
        let core = Core {
            listener: Arc::new(listener),
            stop: Arc::new(stop),
            hooks: Hooks::default(),
            limits: TimeLimits { timeout: None, grace: GRACE },
            timeout: None,
        };
        Ok(Server { core: Arc::new(core), handler: Arc::new(handler), strategy })
    }

    /// How long [`Server::handle_request`] waits for one; for ever unless set.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|core| core.timeout = Some(timeout))
    }

    /// How long a client may do nothing while its request is being handled; not how long all of it may take, for a client that
    /// sends a byte now and then does something. When it is over, a blocking handler's read or write fails
    /// with `TimedOut`, and a protocol is closed with [`Ending::TimedOut`](crate::Ending::TimedOut). For ever unless set.
    #[must_use]
    pub fn request_timeout(self, timeout: Duration) -> Self {
        self.with(|core| core.limits.timeout = Some(timeout))
    }

    /// How long requests may go on when the server stops; five seconds unless set. Then reads and writes of blocking
    /// handlers fail with `ConnectionAborted`, protocols are closed, and children are killed.
    #[must_use]
    pub fn grace(self, grace: Duration) -> Self {
        self.with(|core| core.limits.grace = grace)
    }

    /// Asks whether a client may come. If not, its connection is closed, or its datagram forgotten.
    #[must_use]
    pub fn verify_request(self, verify: impl Fn(&Address) -> bool + Send + Sync + 'static) -> Self {
        self.with(|core| core.hooks.verify_request = Arc::new(verify))
    }

    /// Is told what went wrong, and whose request it was; a line on standard error unless set.
    #[must_use]
    pub fn handle_error(
        self,
        handle: impl Fn(&RequestError, Option<&Address>) + Send + Sync + 'static,
    ) -> Self {
        self.with(|core| core.hooks.handle_error = Arc::new(handle))
    }

    /// Is told that nobody came within the [`timeout`](Server::timeout) of [`Server::handle_request`].
    #[must_use]
    pub fn handle_timeout(self, handle: impl Fn() + Send + Sync + 'static) -> Self {
        self.with(|core| core.hooks.handle_timeout = Arc::new(handle))
    }

    fn with(mut self, change: impl FnOnce(&mut Core)) -> Self {
        change(Arc::make_mut(&mut self.core));
        self
    }

    /// Where the server listens, with the port that it got.
    pub fn server_address(&self) -> &Address {
        self.core.listener.address()
    }

    /// What stops the server, from anywhere.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle::new(self.core.stop.clone())
    }

    /// Serves until it is asked to stop, and then ends in an orderly way: nobody is let in any more, and those who are being
    /// served have the [`grace`](Server::grace).
    ///
    /// # Errors
    /// If the strategy cannot be run here, the system refuses to wait, or requests go on in spite of everything. What goes
    /// wrong in one request reaches the hook instead.
    pub fn serve_forever(&mut self) -> Result<(), Error> {
        let served = self.strategy.serve(&self.core, &self.handler, Extent::Forever);
        let finished = self.strategy.finish(&self.core);
        self.core.stop.reset();
        served.and(finished)
    }

    /// Serves one request, or none if the [`timeout`](Server::timeout) is over first. With threads and children it does
    /// not wait for the end of the request; dropping the server does.
    ///
    /// # Errors
    /// As [`Server::serve_forever`].
    pub fn handle_request(&mut self) -> Result<Served, Error> {
        let served = self.strategy.serve(&self.core, &self.handler, Extent::One)?;
        if served == Served::Nothing && !self.core.stop.is_made() {
            self.core.hooks.nobody_came();
        }
        Ok(served)
    }
}

/// The listener, for a poller of one's own: when it is readable a request waits for [`Server::handle_request`]. Set a
/// [`timeout`](Server::timeout) of zero, for the client may have gone again.
impl<H, S: Strategy<H>> AsFd for Server<H, S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.core.listener.as_fd()
    }
}

impl<H, S: Strategy<H>> Drop for Server<H, S> {
    /// Waits for what is still being handled, as long as the grace allows, and ends it then, as a shutdown does.
    fn drop(&mut self) {
        // Else handlers that wait for their clients would not hear of the end, and their threads would stay behind.
        self.core.stop.make();
        // Whoever wants to know whether everything has ended calls `serve_forever`.
        let _ = self.strategy.finish(&self.core);
    }
}

/// What every strategy needs.
#[derive(Clone, Debug)]
pub struct Core {
    pub(crate) listener: Arc<Listener>,
    pub(crate) stop: Arc<StopRequest>,
    pub(crate) hooks: Hooks,
    pub(crate) limits: TimeLimits,
    /// Of `handle_request`.
    pub(crate) timeout: Option<Duration>,
}

/// What came of looking for the next request.
pub(crate) enum Taken {
    Request(Conversation),
    /// One was taken and is gone: not admitted, or broken.
    Dropped,
    Nothing,
    /// None could be taken, and the next attempt would fare no better: the process has no descriptors or memory left for
    /// one more, or the system refuses for a reason of its own.
    Exhausted,
}

impl Core {
    /// Takes the next request, if one waits. What goes wrong with it reaches the hooks.
    ///
    /// # Errors
    /// If the listener is none any more: somebody has shut its socket down, or closed it.
    pub(crate) fn take(&self) -> io::Result<Taken> {
        let next = if self.listener.transport().has_connections() {
            self.listener.accept().map(|connection| connection.map(Conversation::Connection))
        } else {
            let datagram = self.listener.receive();
            let exchange = |datagram| Exchange { listener: self.listener.clone(), datagram };
            datagram.map(|datagram| datagram.map(|datagram| Conversation::Datagram(exchange(datagram))))
        };
        match next {
            Ok(Some(request)) if self.hooks.admits(&request.client_address()) => Ok(Taken::Request(request)),
            Ok(Some(_)) => Ok(Taken::Dropped),
            Ok(None) => Ok(Taken::Nothing),
            Err(error) if is_one_of(&error, &[Errno::INVAL, Errno::BADF, Errno::NOTSOCK]) => Err(error),
            Err(error) => {
                // A datagram that is too long is gone with its error. Anything else may be there again at once.
                let is_over = error.kind() == io::ErrorKind::InvalidData;
                self.hooks.report(RequestError::Accept(error), None);
                Ok(if is_over { Taken::Dropped } else { Taken::Exhausted })
            }
        }
    }
}

/// Whether the process or the system has no descriptors or memory left.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM])
}

fn is_one_of(error: &io::Error, codes: &[Errno]) -> bool {
    codes.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
