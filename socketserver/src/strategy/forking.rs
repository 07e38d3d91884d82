//! A child process for each request, up to a bound; each is waited for.
//!
//! Only Linux tells how many threads a process has and when one certain child has ended, so this is a strategy for Linux;
//! elsewhere it refuses. It must never fork where the child could find a lock that nobody will release.

#[cfg(target_os = "linux")]
mod children; // forked, living, ended
#[cfg(not(target_os = "linux"))]
mod elsewhere; // the refusal
#[cfg(target_os = "linux")]
mod linux; // who is forked when
#[cfg(target_os = "linux")]
mod reports; // what went wrong in a child, told to its parent

#[cfg(target_os = "linux")]
use children::Children;
#[cfg(not(target_os = "linux"))]
type Children = ();

/// A child process for each request.
///
/// A request cannot harm another one or the server, whatever it does: it may crash, leak, or be killed, and it has a
/// memory of its own, a copy of the parent's at that moment. So nothing that it changes is seen by anybody else.
///
/// **When not to fork:** in a process with several threads. The child has a copy of one of them and of the locks that the
/// others held, which nobody will ever release; the memory allocator has such locks, too. So this strategy looks before each
/// fork, and refuses with [`Error::SeveralThreads`](crate::Error::SeveralThreads). Start no threads before `serve_forever`, or
/// use [`Threading`](crate::Threading). And only Linux can be asked, so elsewhere it is refused altogether.
///
/// At most so many children at a time; further clients wait in the backlog. When the server stops it waits for them, and kills
/// those that are still there when the grace is over.
///
/// Errors and panics in a child reach [`handle_error`](crate::Server::handle_error) in the parent, as text.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "it has no children there"))]
pub struct Forking {
    children_max: usize,
    children: Children,
}

impl Forking {
    /// At most `children_max` requests at a time; at least one.
    pub fn up_to(children_max: usize) -> Forking {
        Forking { children_max: children_max.max(1), children: Children::default() }
    }
}

/// 40 requests at a time, as in Python.
impl Default for Forking {
    fn default() -> Self {
        Forking::up_to(40)
    }
}
