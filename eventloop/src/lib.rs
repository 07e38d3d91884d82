//! Readiness: what the kernel says about sockets, what the clock says about deadlines, and a bell that other threads
//! may ring.
//!
//! This is the first station of every message (the kernel says *readable*) and the last one (the kernel says
//! *writable*). The crate knows descriptors and tokens and nothing else: it must never read from or write to a
//! registered descriptor, never own one, and never learn what a connection is. It also calls nobody back. A turn of
//! the loop is plain data: poll, go through the events, do the work, poll again.
//!
//! Beside the poller, [`signs_of_life`] asks the kernel about the peer of a TCP connection, which no readiness tells: one that
//! has vanished is never ready for anything.
//!
//! ```
//! use std::{io, io::Write, os::unix::net::UnixStream, time::Duration};
//! use eventloop::{Events, Interest, Poller, Token};
//!
//! # fn main() -> io::Result<()> {
//! let (ours, mut theirs) = UnixStream::pair()?;
//! let poller = Poller::new()?;
//! poller.register(&ours, Token(7), Interest::READ)?;
//!
//! theirs.write_all(b"hello")?;
//! let mut events = Events::with_capacity(64);
//! poller.poll(&mut events, Some(Duration::from_secs(1)))?;
//! let event = events.iter().next().expect("five bytes wait to be read");
//! assert!(event.token == Token(7) && event.readable());
//! # Ok(())
//! # }
//! ```
//!
//! # The contract
//!
//! Every poller keeps it, and the conformance suite in `tests/conformance` checks it poller by poller. Today there is
//! one, `epoll(7)`.
//!
//! **Level-triggered.** An event says how things *are*, not that they changed. Bytes that are left unread are reported
//! again by the next poll, and so is room in a send buffer for as long as the [`Interest`] asks for it. So one may read
//! a bounded amount and go on to the next connection; nothing is lost. The one exception is the [`Waker`], which is
//! reported once.
//!
//! **What the four words of an [`Event`] mean:**
//!
//! - `readable` (`EPOLLIN`): a read would not block. It gives bytes, or 0 (the peer has ended its side), or an error;
//!   on a listener, a connection waits to be accepted.
//! - `writable` (`EPOLLOUT`): a write would not block. It takes at least one byte, or gives an error; on a socket that
//!   was connecting, the attempt is over, for good or ill.
//! - `hangup` (`EPOLLHUP`): both directions have ended. Bytes that came before may still wait: read to the 0 or the
//!   error first, if they matter. A TCP socket that was never connected is hung up too.
//! - `error` (`EPOLLERR`): an error is pending. The next read or write returns it, or `take_error` does.
//!
//! `readable` and `writable` are reported only to who asked for them. **`hangup` and `error` are reported whatever the
//! interest**, and by every poll until the descriptor is unregistered: whoever sees one and does nothing spins. A hint
//! is a hint: between the poll and the read the state may have changed, so descriptors are best non-blocking, and
//! `WouldBlock` means no more than "ask again".
//!
//! **A peer that has closed only its sending side is `readable`, never a `hangup`.** Its read returns 0 once the bytes
//! are used up. That is deliberate: `printf hi | nc -N` ends its input and still waits for the answers. So `EPOLLRDHUP`
//! is not asked for. It would be reported under every interest and at every poll, and a loop that keeps serving such
//! a peer could not silence it. After the 0, take reading out of the interest, for the end of the stream stays
//! readable for ever.
//!
//! **[`Interest::NONE`] keeps a descriptor registered.** Nothing is reported but `hangup` and `error`. This is how
//! a sender is not read for a while. It also hides a peer's half-close until reading is asked for again.
//!
//! **Write first, ask when short.** Register with [`Interest::READ`], write as soon as there is something to say, and
//! ask for [`Interest::BOTH`] only after a write was short or would have blocked; take it back when all is out. At
//! saturation either way measured the same. But with asking first, the first of many receivers had its message after
//! 1.2 ms instead of 0.3 ms, and an idle socket is nearly always writable: an interest left standing is a loop that
//! spins.
//!
//! **Fairness.** When more descriptors are ready than [`Events`] holds, those that were left out come before those that
//! were reported. The order within one poll means nothing.
//!
//! **Tokens** are the caller's own numbers and come back as they were given. The poller does not look at them; two
//! descriptors may share one, if the caller can live with that.
//!
//! **After [`Poller::unregister`]** no later poll reports the descriptor. But a batch that was already fetched may still
//! hold an event with its token: who ends a connection in the middle of a batch must expect it and pass over tokens
//! that it no longer knows. Tokens that are not used again at once make that safe.
//!
//! **Closing.** Unregister a descriptor before closing it. A poller does not own descriptors; epoll happens to forget
//! one when its last duplicate is closed, which after a `fork` or a `try_clone` is later than one thinks, and until then
//! it reports a token that nobody can unregister any more.
//!
//! **One poller, one thread.** A [`Poller`] may be sent to the thread that will use it, but not shared; from elsewhere
//! there is the [`Waker`].
//!
//! **Refused:** a descriptor that is registered already (`AlreadyExists`); changing or unregistering one that is not
//! (`NotFound`); with epoll also regular files and directories, which are always ready (`PermissionDenied`), and as
//! always what the system has no room for.
//!
//! **Time.** A poll never ends before its timeout without an event, and at most about a millisecond after it (the
//! kernel's unit here), a busy machine aside. Signals do not end it: an interrupted poll goes on with the time that is
//! left. Deadlines are kept by [`Timers`], which know no clock: the caller says what time it is.

mod event;
mod kind;
mod poller;

#[cfg(target_os = "linux")]
mod epoll;
#[cfg(not(target_os = "linux"))]
#[path = "epoll_elsewhere.rs"]
mod epoll;
mod poll;
mod select;

mod bell;
#[cfg(target_os = "linux")]
mod tcp;
mod timers;
mod waker;

pub use event::{Event, Interest, Mask, Token};
pub use kind::{Condition, PollerKind, Telling, UnknownPoller};
pub use poller::{Events, Poller};
#[cfg(target_os = "linux")]
pub use tcp::{SignsOfLife, set_asking_interval_max, signs_of_life};
pub use timers::{TimerKey, Timers};
pub use waker::Waker;
