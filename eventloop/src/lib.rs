//! Readiness: what the kernel says about sockets, what the clock says about deadlines, and a bell that other threads
//! may ring.
//!
//! This is the first station of every message (the kernel says *readable*) and the last one (the kernel says
//! *writable*). The crate knows descriptors and tokens and nothing else: it must never read from or write to a
//! registered descriptor, never own one, and never learn what a connection is. It also calls nobody back. A turn of
//! the loop is plain data: poll, go through the events, do the work, poll again.
//!
//! It is what Python's `select` module is to a Python programmer. As in textbooks, a descriptor goes by its own number,
//! and what happens to it is a (descriptor, mask):
//!
//! ```
//! use eventloop::{Events, Interest, Mask, Poller, PollerKind, Token};
//! use std::{collections::HashMap, io, io::{Read, Write}, os::fd::AsRawFd, os::unix::net::UnixStream, time::Duration};
//!
//! # fn main() -> io::Result<()> {
//! let poller = Poller::of(PollerKind::Poll)?;
//! let mut events = Events::with_capacity(64);
//! let (first, second) = (UnixStream::pair()?, UnixStream::pair()?);
//! let mut sockets = HashMap::new();
//! for socket in [first.0, second.0] {
//!     poller.register(&socket, Token::of(&socket), Interest::READ)?;
//!     sockets.insert(socket.as_raw_fd(), socket);
//! }
//! let (mut one, _two) = (first.1, second.1);
//! one.write_all(b"hello")?;
//!
//! poller.poll(&mut events, Some(Duration::from_secs(5)))?;
//! if events.is_empty() {
//!     println!("Five seconds elapsed.");
//! }
//! for (descriptor, mask) in events.descriptors() {
//!     let socket = sockets.get_mut(&descriptor).expect("it was registered");
//!     if mask.contains(Mask::READABLE) {
//!         let mut greeting = [0; 5];
//!         socket.read_exact(&mut greeting)?;
//!         assert_eq!(&greeting, b"hello");
//!         // Now there is something to say. While it does not fit into the buffer, the poller is asked for room.
//!         poller.modify(&*socket, Token::of(socket), Interest::BOTH)?;
//!     }
//! }
//! for socket in sockets.values() {
//!     poller.unregister(socket)?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A program that closes sockets while it goes through a batch does better with tokens of its own, which are not used
//! again at once as the numbers of descriptors are. That is all there is to a [`Token`].
//!
//! Beside the poller there are [`Timers`] for deadlines, the [`Waker`] for other threads and signal handlers, the [`Bell`] for
//! what many shall hear of, and on Linux
//! [`signs_of_life`], which asks the kernel about the peer of a TCP connection: no readiness tells that one has vanished.
//!
//! # Which poller
//!
//! Take what [`Poller::new`] takes, `epoll` on Linux and `poll` elsewhere, unless there is a reason not to.
//!
//! | | `select` | `poll` | `epoll` |
//! |---|---|---|---|
//! | where | every Unix | every Unix | Linux |
//! | descriptors | those numbered 0 to 1,023 | any | any |
//! | a poll costs, beyond the call | something for each number up to the highest registered | something for each registered | something for each that is ready |
//! | [`Poller::modify`] costs | nothing | nothing | a system call |
//! | memory | 17 KiB, however many | 24 bytes for each registered | in the kernel, 160 bytes for each registered |
//! | a timeout ends late by | some 50 µs | up to a millisecond | up to a millisecond |
//!
//! What a message costs when one pair of connections talks and the others are idle, in microseconds of the processor
//! (Linux 6.18, loopback TCP; read the proportions, not the figures, which `docs/io-models.md` has in full):
//!
//! | idle connections | `select` | `poll` | `epoll` |
//! |---|---|---|---|
//! | 0 | 8 | 7 | 7 |
//! | 100 | 26 | 23 | 7 |
//! | 1,000 | 196 | 193 | 7 |
//! | 10,000 | impossible | 2,200 | 7 |
//!
//! So up to some dozens of connections it does not matter, and beyond them only `epoll` does not ask about everybody each
//! time. A busy server fares better than the table says with the other two, too: when many are ready, one question serves
//! them all.
//!
//! # What each can tell
//!
//! The six conditions of `poll(2)`. *Reported*: by a bit of its own in the [`Mask`]. *Folded*: by the bit of another
//! condition, to who asked for that one. *Refused*: not at all. [`PollerKind::tells`] is this table for programs.
//!
//! | condition | `select` | `poll` | `epoll` |
//! |---|---|---|---|
//! | readable | reported | reported | reported |
//! | priority | reported | reported | reported |
//! | writable | reported | reported | reported |
//! | error | folded into readable and writable | reported | reported |
//! | hang-up | folded into readable | reported | reported |
//! | invalid | reported | reported | refused |
//!
//! - **readable**: a read would not block. It gives bytes, or 0 (the peer has ended its side), or an error; on a listener,
//!   a connection waits to be accepted.
//! - **priority**: something urgent waits; on TCP the urgent byte. `select` has its third set for this.
//! - **writable**: a write would not block. It takes at least one byte, or gives an error; on a socket that was
//!   connecting, the attempt is over, for good or ill.
//! - **error**: an error is pending. The next read or write returns it, or `take_error` does.
//! - **hang-up**: both directions have ended. Bytes that came before may still wait: read to the 0 or the error first,
//!   if they matter. A TCP socket that was never connected is hung up too.
//! - **invalid**: the descriptor was closed while it was registered, which it should not have been. It is reported once and
//!   forgotten with that, because it can no longer be named to unregister it. `poll` is told so by the kernel; `select` fails
//!   as a whole, whereupon we look who it is (somebody of whom nothing is asked makes nothing fail). `epoll` refuses a number that is no
//!   descriptor when it is registered (`EBADF`), and its kernel forgets one that is closed.
//!
//! Readable, priority and writable are reported only to who asked for them. **Error and hang-up are reported whatever the
//! interest** (unless they are folded) and by every poll until the descriptor is unregistered: whoever sees one and does
//! nothing spins. Under `select` somebody who asks for nothing learns of neither, and whoever reads or writes learns of both
//! from that.
//!
//! # The contract
//!
//! Every poller keeps it, and the conformance suite in `tests/conformance` checks it poller by poller.
//!
//! **Level-triggered.** An event says how things *are*, not that they changed. Bytes that are left unread are reported
//! again by the next poll, and so is room in a send buffer for as long as the [`Interest`] asks for it. So one may read
//! a bounded amount and go on to the next connection; nothing is lost. The one exception is the [`Waker`], which is
//! reported once.
//!
//! **A hint is a hint.** Between the poll and the read the state may have changed, so descriptors are best non-blocking,
//! and `WouldBlock` means no more than "ask again".
//!
//! **A peer that has closed only its sending side is `readable`, never a hang-up.** Its read returns 0 once the bytes
//! are used up. That is deliberate: `printf hi | nc -N` ends its input and still waits for the answers. So `EPOLLRDHUP`
//! is not asked for. It would be reported under every interest and at every poll, and a loop that keeps serving such
//! a peer could not silence it. After the 0, take reading out of the interest, for the end of the stream stays
//! readable for ever.
//!
//! **[`Interest::NONE`] keeps a descriptor registered.** Nothing is reported but what nobody asks for. This is how
//! a sender is not read for a while. It also hides a peer's half-close until reading is asked for again.
//!
//! **Write first, ask when short.** Register with [`Interest::READ`], write as soon as there is something to say, and
//! ask for [`Interest::BOTH`] only after a write was short or would have blocked; take it back when all is out. At
//! saturation either way measured the same. But with asking first, the first of many receivers had its message after
//! 1.2 ms instead of 0.3 ms, and an idle socket is nearly always writable: an interest left standing is a loop that
//! spins.
//!
//! **Regular files and directories are always ready**, as are devices that cannot wait (the null device). They are reported
//! as asked for, in their turn, and no poll waits while there is one of which anything is asked. `epoll_ctl(2)` refuses
//! them, so there a descriptor of our own that is always ready stands for each.
//!
//! **Fairness.** When more descriptors are ready than [`Events`] holds, those that were left out come before those that
//! were reported. (To unregister others in between may bring somebody a turn early under `poll`; it takes nobody's away.)
//! The order within one poll means nothing.
//!
//! **Tokens** are the caller's own numbers and come back as they were given. The poller does not look at them; two
//! descriptors may share one, if the caller can live with that.
//!
//! **After [`Poller::unregister`]** no later poll reports the descriptor. But a batch that was already fetched may still
//! hold an event with its token: who ends a connection in the middle of a batch must expect it and pass over tokens
//! that it no longer knows. Tokens that are not used again at once make that safe.
//!
//! **Closing.** Unregister a descriptor before closing it. A poller does not own descriptors, and what it does about one
//! that is gone is a help against mistakes, no substitute: if the number is in use again by the next poll, `poll` and
//! `select` watch the newcomer under the old token. `epoll` forgets a descriptor when its last duplicate is closed, which
//! after a `fork` or a `try_clone` is later than one thinks, and until then it reports a token that nobody can unregister
//! any more.
//!
//! **After a `fork`** the child makes a poller of its own. That of the parent is half copied and half shared: with `epoll`
//! the kernel's list is one for both processes, and what the child registers or unregisters, the parent does.
//!
//! **One poller, one thread.** A [`Poller`] may be sent to the thread that will use it, but not shared; from elsewhere
//! there is the [`Waker`].
//!
//! **Refused:** a descriptor that is registered already (`AlreadyExists`); changing or unregistering one that is not
//! (`NotFound`); with `select` one that is numbered 1,024 or above (`InvalidInput`), for which C's `FD_SET` would write
//! behind the set; and as always what the system has no room for. What was registered before is not touched by a refusal.
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

pub use bell::Bell;
pub use event::{Event, Interest, Mask, Token};
pub use kind::{Condition, PollerKind, Telling, UnknownPoller};
pub use poller::{Events, Poller};
#[cfg(target_os = "linux")]
pub use tcp::{SignsOfLife, set_asking_interval_max, signs_of_life};
pub use timers::{TimerKey, Timers};
pub use waker::Waker;
