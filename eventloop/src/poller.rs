//! The public face of every poller: [`Poller`], which waits, and [`Events`], into which it puts what it found.
//!
//! It stands between the loop that asks and the back end that speaks to the kernel (`epoll.rs`, `poll.rs`, `select.rs`). What all back ends
//! have in common is here and only here: how the time that is left is counted and how an interrupted wait goes on.
//! It must never know how a back end words its question to the kernel.

use std::{
    cell::Cell,
    fmt, io,
    marker::PhantomData,
    os::fd::{AsFd, RawFd},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::io::{Errno, retry_on_intr};

use crate::{
    bell::Bell,
    epoll::{Epoll, EpollEvents},
    event::{Event, Interest, Mask, Token},
    kind::PollerKind,
    poll::Poll,
    select::Select,
};

/// The kernel is asked to wait for at most a day at a time, because the unit and width of its own argument end at
/// 24 days. A longer timeout is waited for in several steps.
const STEP_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The kernel has an end of its own (`epoll_wait(2)`), and nobody goes through more at once.
const EVENTS_MAX: usize = 65_536;

/// The events of one poll, in a buffer that is used again by the next one, of whatever poller.
pub struct Events {
    capacity: usize,
    /// What `epoll` has found, as the kernel wrote it down: translated when it is looked at and not before.
    by_epoll: EpollEvents,
    /// What the other back ends have found.
    found: Vec<Event>,
}

impl Events {
    /// A buffer for at most `capacity` events a poll: at least one, since a poll for none could never end, and no more than
    /// 65,536.
    ///
    /// It need not be large: what does not fit is reported by the next poll, before anything is reported twice.
    pub fn with_capacity(capacity: usize) -> Self {
        Events {
            capacity: capacity.clamp(1, EVENTS_MAX),
            by_epoll: EpollEvents::default(),
            found: Vec::new(),
        }
    }

    /// The events that the last poll found, in no order that means anything. Each registered descriptor appears at
    /// most once.
    pub fn iter(&self) -> impl Iterator<Item = Event> {
        self.by_epoll.iter().chain(self.found.iter().copied())
    }

    /// The same as (descriptor, mask), for those who registered each descriptor under [`Token::of`] itself.
    pub fn descriptors(&self) -> impl Iterator<Item = (RawFd, Mask)> {
        self.iter().map(|event| (event.token.descriptor(), event.mask))
    }

    /// How many events the last poll found.
    pub fn len(&self) -> usize {
        self.by_epoll.len() + self.found.len()
    }

    /// Whether the last poll found nothing: it ran into its timeout.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one more would be more than was asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= self.capacity
    }

    /// Adds one, for back ends that find them one by one.
    pub(crate) fn push(&mut self, event: Event) {
        self.found.push(event);
    }

    fn clear(&mut self) {
        self.by_epoll.clear();
        self.found.clear();
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// Waits until some of the registered descriptors are ready. The crate's documentation is its contract.
///
/// It can be sent to another thread, but not shared between two:
///
/// ```compile_fail
/// fn share<T: Sync>(_: T) {}
/// share(eventloop::Poller::new().unwrap());
/// ```
#[derive(Debug)]
pub struct Poller {
    back_end: BackEnd,
    // epoll itself could be shared. The others, which keep their registrations on our side of the kernel, could not, and
    // whoever uses this one must not come to rely on it.
    not_shared: PhantomData<Cell<()>>,
}

/// Who asks the kernel.
#[derive(Debug)]
enum BackEnd {
    Select(Select),
    Poll(Poll),
    Epoll(Epoll),
}

/// The same call, of whichever back end it is.
macro_rules! back_end {
    ($poller:expr, $back_end:ident => $call:expr) => {
        match &$poller.back_end {
            BackEnd::Select($back_end) => $call,
            BackEnd::Poll($back_end) => $call,
            BackEnd::Epoll($back_end) => $call,
        }
    };
}

impl Poller {
    /// The poller that suits the system best, with nothing registered: [`Poller::of`] the default kind.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors or no memory left.
    pub fn new() -> io::Result<Self> {
        Self::of(PollerKind::default())
    }

    /// A poller of this kind, with nothing registered.
    ///
    /// # Errors
    ///
    /// `Unsupported` if this system does not have it; otherwise when the process or the system has no descriptors or no
    /// memory left.
    pub fn of(kind: PollerKind) -> io::Result<Self> {
        let back_end = match kind {
            PollerKind::Select => BackEnd::Select(Select::new()),
            PollerKind::Poll => BackEnd::Poll(Poll::new()),
            PollerKind::Epoll => BackEnd::Epoll(Epoll::new()?),
        };
        Ok(Poller { back_end, not_shared: PhantomData })
    }

    /// Which one it is.
    pub const fn kind(&self) -> PollerKind {
        match self.back_end {
            BackEnd::Select(_) => PollerKind::Select,
            BackEnd::Poll(_) => PollerKind::Poll,
            BackEnd::Epoll(_) => PollerKind::Epoll,
        }
    }

    /// Begins to watch `source`, which is borrowed for this call only. What is already so (bytes waiting, room to
    /// write) is reported by the next poll.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if it is registered here, `InvalidInput` if it is numbered beyond what `select` can watch, or another
    /// error if it is no open descriptor (as far as the kernel is asked: by `epoll`) or the system has no room for one more.
    pub fn register(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        back_end!(self, back_end => back_end.register(source, token, interest))
    }

    /// Puts a new token and a new interest in the place of the old ones. With `epoll` it costs a system call, so call it
    /// when something changes and not to make sure.
    ///
    /// # Errors
    ///
    /// `NotFound` if `source` is not registered here.
    pub fn modify(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        back_end!(self, back_end => back_end.modify(source, token, interest))
    }

    /// Ends watching `source`. A batch of events fetched before may still hold its token.
    ///
    /// # Errors
    ///
    /// `NotFound` if `source` is not registered here.
    pub fn unregister(&self, source: impl AsFd) -> io::Result<()> {
        back_end!(self, back_end => back_end.unregister(source))
    }

    /// Waits until a descriptor is ready or `timeout` is over, and puts what it found in the place of what was in
    /// `events`. `None` waits for ever; a timeout of zero only looks.
    ///
    /// A poll without events has lasted at least `timeout`: a caller that waits for its next deadline finds it due and
    /// does not spin through the last millisecond. An interrupted wait goes on with the time that is left.
    ///
    /// # Errors
    ///
    /// What the system reports is passed on. `events` is then empty. Hardly anything can be wrong; but `poll(2)` refuses
    /// (`InvalidInput`) to watch more descriptors than the process may open, if that limit was lowered meanwhile.
    pub fn poll(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            // Apart, because a loop that is busy only looks, and need not pay for reading the clock.
            return Ok(retry_on_intr(|| self.wait(events, timeout))?);
        }
        // A deadline beyond what the clock can express is one that nobody will see: for ever.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut left = timeout;
        loop {
            match self.wait(events, left.map(|left| left.min(STEP_MAX))) {
                Ok(()) if !events.is_empty() => return Ok(()),
                Ok(()) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(());
            }
        }
    }

    /// Watches the bell of a [`Waker`](crate::Waker): that it was rung is reported once.
    pub(crate) fn register_bell(&self, bell: &Arc<Bell>, token: Token) -> io::Result<()> {
        back_end!(self, back_end => back_end.register_bell(bell, token))
    }

    /// One wait of the back end. `events` is emptied first.
    fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> Result<(), Errno> {
        events.clear();
        match &self.back_end {
            BackEnd::Select(select) => select.wait(events, timeout),
            BackEnd::Poll(poll) => poll.wait(events, timeout),
            BackEnd::Epoll(epoll) => epoll.wait(&mut events.by_epoll, events.capacity, timeout),
        }
    }
}
