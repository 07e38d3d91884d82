//! How a server is asked to stop, from anywhere: another thread, a handler of its own, a signal handler.
//!
//! The request is a descriptor that becomes readable and stays so until the server has stopped. Everything in the crate
//! that waits for a socket waits for it, too: the loop, each blocking handler, each child. It must never be read before
//! the server has stopped, or somebody who waits would not hear of it.

use eventloop::Bell;
use rustix::process::{Pid, getpid};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Stops a server. Clones stop the same one.
///
/// ```
/// use socketserver::{Endpoint, Iterative, Listener, Request, Server};
///
/// # fn main() -> Result<(), socketserver::Error> {
/// let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
/// let mut server = Server::blocking(listener, Iterative, |_: &mut Request| Ok(()))?;
/// let handle = server.shutdown_handle();
/// std::thread::spawn(move || handle.shutdown());
/// server.serve_forever()?; // returns, because the thread has asked for it
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    request: Arc<StopRequest>,
}

impl ShutdownHandle {
    pub(crate) const fn new(request: Arc<StopRequest>) -> ShutdownHandle {
        ShutdownHandle { request }
    }

    /// Asks the server to stop, and returns at once. A server that is not running stops as soon as it is run.
    ///
    /// A signal handler may call it: it takes no lock and no memory.
    ///
    /// In any other process than the one that made the server it does nothing, since the descriptor is the maker's, too. That
    /// is meant for the children of the forking strategy; and a program that forks to become a daemon makes its server
    /// afterwards, or else nothing will stop it.
    pub fn shutdown(&self) {
        self.request.make();
    }

    /// Asks it to stop when this process is told to end, by Ctrl-C (`SIGINT`) or by `SIGTERM`. Neither ends it by itself any
    /// more, nor a child of the forking strategy.
    ///
    /// # Errors
    /// If they cannot be caught.
    pub fn shutdown_on_termination(&self) -> io::Result<()> {
        [SIGINT, SIGTERM].into_iter().try_for_each(|signal| self.shutdown_on_signal(signal))
    }

    /// Asks it to stop whenever this process receives `signal`, for as long as the process lives.
    ///
    /// # Errors
    /// If there is no such signal, or it cannot be caught.
    pub fn shutdown_on_signal(&self, signal: c_int) -> io::Result<()> {
        if signal_hook::consts::FORBIDDEN.contains(&signal) {
            let sentence = format!("signal {signal} cannot be caught");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
        }
        let handle = self.clone();
        // SAFETY: the action is `shutdown`, which is made of a look at the process id, an atomic store and one write: no
        // lock, no memory, no panic.
        #[allow(unsafe_code)]
        unsafe { signal_hook::low_level::register(signal, move || handle.shutdown()) }.map(drop)
    }
}

/// The request itself, shared by the server, its handles and all who wait.
#[derive(Debug)]
pub(crate) struct StopRequest {
    is_made: AtomicBool,
    /// When somebody first noticed. A signal handler makes the request, and must take no lock.
    heard_at: Mutex<Option<Instant>>,
    bell: Bell,
    /// A child inherits the descriptor, and a signal meant for the child must not stop the parent.
    owner: Pid,
}

impl StopRequest {
    pub(crate) fn new() -> io::Result<StopRequest> {
        let (is_made, heard_at) = (AtomicBool::new(false), Mutex::new(None));
        Ok(StopRequest { is_made, heard_at, bell: Bell::new()?, owner: getpid() })
    }

    /// A signal handler may call it.
    pub(crate) fn make(&self) {
        if getpid() == self.owner {
            self.is_made.store(true, Ordering::SeqCst);
            self.bell.ring();
        }
    }

    /// Whether it was made. A child learns it from the descriptor first.
    pub(crate) fn is_made(&self) -> bool {
        self.is_made.load(Ordering::SeqCst)
    }

    /// Somebody has found the descriptor readable.
    pub(crate) fn learn(&self) {
        self.is_made.store(true, Ordering::SeqCst);
    }

    /// When the first one noticed that it was made: the beginning of the grace, which is the same for everybody.
    pub(crate) fn heard_at(&self) -> Option<Instant> {
        self.is_made().then(|| *self.lock_heard_at().get_or_insert_with(Instant::now))
    }

    /// The server has stopped and may be run again.
    pub(crate) fn reset(&self) {
        self.bell.silence();
        *self.lock_heard_at() = None;
        self.is_made.store(false, Ordering::SeqCst);
    }

    /// No statement that holds it can panic.
    fn lock_heard_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.heard_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for StopRequest {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
