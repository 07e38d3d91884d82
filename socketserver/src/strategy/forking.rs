//! A child process for each request, up to a bound; each is waited for.
//!
//! The only file in the crate that forks, and one of two with `unsafe` in it. Between the fork and the end of the child
//! nothing of the parent's may be undone: no destructor of a server runs there, no file is removed, nothing buffered is
//! written twice.

#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

use crate::Error;
use crate::conversation::Conversation;
use crate::driver::Farewell;
use crate::endpoint::Address;
use crate::error::RequestError;
use crate::hooks::{Hooks, caught};
use crate::server::{Converse, Core, Extent, Served};
use crate::strategy::Strategy;
use crate::strategy::front::{self, Crew};
use crate::waiting::{Found, after, wait_for_one, watched};
use eventloop::{Interest, Poller, Token};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A child process for each request.
///
/// A request cannot harm another one or the server, whatever it does: it may crash, leak, or be killed, and it has a
/// memory of its own, a copy of the parent's at that moment. So nothing that it changes is seen by anybody else.
///
/// **When not to fork:** in a process with several threads. The child has a copy of one of them and of the locks that the
/// others held, which nobody will ever release; the memory allocator has such locks, too. So this strategy looks before each
/// fork, and refuses with [`Error::SeveralThreads`]. Start no threads before `serve_forever`, or
/// use [`Threading`](crate::Threading). And only Linux can be asked, so elsewhere it is refused altogether.
///
/// At most so many children at a time; further clients wait in the backlog. When the server stops it waits for them, and kills
/// those that are still there when the grace is over.
///
/// Errors and panics in a child reach [`handle_error`](crate::Server::handle_error) in the parent, as text.
#[derive(Debug)]
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

#[derive(Debug, Default)]
struct Children {
    living: BTreeMap<Token, Child>,
    /// Tokens are not used again: the poller may still speak of the last one.
    token_next: u64,
    /// Made with the first child.
    reports: Option<Reports>,
}

#[derive(Debug)]
struct Child {
    /// Readable when the child has ended (`pidfd_open(2)`).
    descriptor: OwnedFd,
    process: u32,
    client: Address,
}

#[cfg(not(target_os = "linux"))]
impl<H: Converse> Strategy<H> for Forking {
    fn serve(&mut self, _: &Arc<Core>, _: &Arc<H>, _: Extent) -> Result<Served, Error> {
        Err(Error::Unsupported(
            "forking is refused here, because this system does not tell whether the process has several threads; \
             use the threading strategy",
        ))
    }

    fn finish(&mut self, _: &Core) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
impl<H: Converse> Strategy<H> for Forking {
    fn serve(&mut self, core: &Arc<Core>, handler: &Arc<H>, extent: Extent) -> Result<Served, Error> {
        refuse_several_threads()?;
        let mut crew = Processes {
            children_max: self.children_max,
            children: &mut self.children,
            watched: std::collections::BTreeSet::new(),
            core,
            handler: &**handler,
        };
        front::serve(core, &mut crew, extent)
    }

    fn finish(&mut self, core: &Core) -> Result<(), Error> {
        self.children.finish(core)
    }
}

/// # Errors
/// [`Error::SeveralThreads`].
#[cfg(target_os = "linux")]
fn refuse_several_threads() -> Result<(), Error> {
    let mut threads = count_threads()?;
    for _ in 0..THREAD_ENDS_WITHIN_MS {
        if threads == 1 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
        threads = count_threads()?;
    }
    if threads == 1 { Ok(()) } else { Err(Error::SeveralThreads { threads }) }
}

/// A thread that was joined is still counted for some microseconds.
const THREAD_ENDS_WITHIN_MS: usize = 10;

#[cfg(target_os = "linux")]
fn count_threads() -> Result<u64, Error> {
    // A folder has two links and one more for each folder in it: one system call, and nothing is read.
    let status = rustix::fs::stat("/proc/self/task");
    let status = status.map_err(|errno| Error::system("counting the threads")(errno.into()))?;
    #[allow(
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        reason = "the width differs from machine to machine"
    )]
    let threads = (status.st_nlink as u64).saturating_sub(2);
    Ok(threads)
}

#[cfg(target_os = "linux")]
struct Processes<'a, H> {
    children_max: usize,
    children: &'a mut Children,
    /// Children whose end this poller will tell.
    watched: std::collections::BTreeSet<Token>,
    core: &'a Core,
    handler: &'a H,
}

#[cfg(target_os = "linux")]
impl<H: Converse> Crew for Processes<'_, H> {
    fn has_room(&mut self, poller: &Poller) -> io::Result<bool> {
        for (token, child) in &self.children.living {
            if self.watched.insert(*token) {
                poller.register(&child.descriptor, *token, Interest::READ)?;
            }
        }
        Ok(self.children.living.len() < self.children_max)
    }

    fn take(&mut self, conversation: Conversation) -> Result<(), Error> {
        // One may have been started while the server ran.
        refuse_several_threads()?;
        let client = conversation.client_address();
        if let Err(error) = self.children.fork(self.core, self.handler, conversation, client.clone()) {
            self.core.hooks.report(RequestError::Accept(error), Some(&client));
        }
        Ok(())
    }

    fn heard(&mut self, poller: &Poller, token: Token) {
        if let Some(child) = self.children.living.remove(&token) {
            self.watched.remove(&token);
            // It was registered above.
            let _ = poller.unregister(&child.descriptor);
            self.children.bury(self.core, &child);
        }
    }
}

#[cfg(target_os = "linux")]
impl Children {
    fn fork<H: Converse>(
        &mut self,
        core: &Core,
        handler: &H,
        conversation: Conversation,
        client: Address,
    ) -> io::Result<()> {
        if self.reports.is_none() {
            self.reports = Some(Reports::new()?);
        }
        // What is buffered here would otherwise be written by the child once more.
        let _ = io::stdout().flush();
        // SAFETY: the process has one thread (`refuse_several_threads`), so the child is a whole copy of it: no lock is
        // held by anybody who is not there.
        #[allow(unsafe_code)]
        let process = unsafe { libc::fork() };
        match process {
            -1 => Err(io::Error::last_os_error()),
            0 => self.live(core, handler, conversation),
            process => {
                let process = process.cast_unsigned();
                let pid = rustix::process::Pid::from_raw(process.cast_signed());
                let pid = pid.ok_or_else(|| io::Error::other("a child has no number"))?;
                // It is the child's now. Its descriptor may be the last one, and one is needed.
                drop(conversation);
                let Some(descriptor) = end_of(pid)? else {
                    self.pass_on_reports(core, process, &client);
                    return Ok(());
                };
                self.token_next += 1;
                self.living.insert(Token(self.token_next), Child { descriptor, process, client });
                Ok(())
            }
        }
    }

    /// The life of the child: its one request.
    fn live<H: Converse>(&mut self, core: &Core, handler: &H, conversation: Conversation) -> ! {
        // Its brothers are none of its business.
        self.living.clear();
        let mut core = core.clone();
        if let Some(reports) = &self.reports {
            core.hooks = reports.hooks_of_child(&core.hooks);
        }
        if matches!(conversation, Conversation::Connection(_)) {
            // Else the address would be in use for as long as the longest child lives.
            let listener = core.listener.as_fd().as_raw_fd();
            // SAFETY: the owner is never dropped in this process, which ends with `_exit`, and nobody in it uses the
            // listener any more.
            #[allow(unsafe_code)]
            unsafe {
                libc::close(listener);
            }
        }
        // Should anything unwind in spite of all, it is not to come out into the loop of the parent.
        let _ = caught(|| {
            handler.converse(&core, conversation, Farewell::Linger);
            let _ = io::stdout().flush();
        });
        // SAFETY: it ends this process at once. That no destructor and no exit handler runs is the purpose: they are the
        // parent's.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(0)
        }
    }

    /// Takes note of the end of a child.
    fn bury(&self, core: &Core, child: &Child) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let ended = rustix::io::retry_on_intr(|| {
            waitid(WaitId::PidFd(child.descriptor.as_fd()), WaitIdOptions::EXITED)
        });
        self.pass_on_reports(core, child.process, &child.client);
        // Somebody else may have waited for it, which is their business.
        let Ok(Some(ended)) = ended else { return };
        let failure = match (ended.terminating_signal(), ended.exit_status()) {
            (Some(signal), _) => Some(RequestError::Killed { signal }),
            (None, Some(status)) if status != 0 => Some(RequestError::Exited { status }),
            _ => None,
        };
        if let Some(failure) = failure {
            core.hooks.report(failure, Some(&child.client));
        }
    }

    /// Reports come from the one that has just ended, and maybe from others that are about to.
    fn pass_on_reports(&self, core: &Core, ended: u32, its_client: &Address) {
        let reports = self.reports.as_ref().map(Reports::take).unwrap_or_default();
        for (process, error) in reports {
            let living = self.living.values().map(|child| (child.process, &child.client));
            let client = living.chain([(ended, its_client)]).find(|(child, _)| *child == process);
            core.hooks.report(error, client.map(|(_, client)| client));
        }
    }

    /// Waits for all children, and kills those who are still there when the grace is over.
    fn finish(&mut self, core: &Core) -> Result<(), Error> {
        if self.living.is_empty() {
            return Ok(());
        }
        self.see_out(core).map_err(Error::system("waiting for children"))
    }

    fn see_out(&mut self, core: &Core) -> io::Result<()> {
        use eventloop::{Events, PollerKind};
        let poller = Poller::of(PollerKind::Poll)?;
        for (token, child) in &self.living {
            poller.register(&child.descriptor, *token, Interest::READ)?;
        }
        let mut ends_at = Some(after(Instant::now(), core.limits.grace.saturating_add(LAST_MOMENT)));
        let mut events = Events::with_capacity(64);
        while !self.living.is_empty() {
            let left = ends_at.map(|at| at.saturating_duration_since(Instant::now()));
            poller.poll(&mut events, left)?;
            for event in events.iter() {
                if let Some(child) = self.living.remove(&event.token) {
                    poller.unregister(&child.descriptor)?;
                    self.bury(core, &child);
                }
            }
            if events.is_empty() {
                for child in self.living.values() {
                    // It may have ended in this moment.
                    let _ =
                        rustix::process::pidfd_send_signal(&child.descriptor, rustix::process::Signal::KILL);
                }
                // Nobody survives that, so the next wait has no end of its own.
                ends_at = None;
            }
        }
        Ok(())
    }
}

/// A descriptor that becomes readable when the child ends. `None` if that has happened and somebody has waited for it: the
/// system, for a program that ignores `SIGCHLD`, or a program that handles it.
#[cfg(target_os = "linux")]
fn end_of(child: rustix::process::Pid) -> io::Result<Option<OwnedFd>> {
    use rustix::process::{PidfdFlags, WaitOptions, pidfd_open, waitpid};
    match pidfd_open(child, PidfdFlags::empty()) {
        Ok(descriptor) => Ok(Some(descriptor)),
        Err(Errno::SRCH) => Ok(None),
        Err(errno) => {
            // Without the descriptor nobody would hear of its end: it is waited for here.
            let _ = waitpid(Some(child), WaitOptions::empty());
            Err(errno.into())
        }
    }
}

/// Requests that have noticed the end of the grace need a moment to end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// One pipe for all children, through which they tell what went wrong. It costs a request that goes well nothing.
#[derive(Clone, Debug)]
struct Reports {
    readable: Arc<OwnedFd>,
    writable: Arc<OwnedFd>,
}

/// A report is written at once and whole: not longer than what the kernel writes in one piece (`pipe(7)`, `PIPE_BUF`).
const REPORT_BYTES_MAX: usize = 4096;
const FAILED: u8 = b'f';
const PANICKED: u8 = b'p';

impl Reports {
    fn new() -> io::Result<Reports> {
        let (readable, writable) = rustix::pipe::pipe()?;
        for end in [&readable, &writable] {
            rustix::io::ioctl_fionbio(end, true)?;
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
        }
        Ok(Reports { readable: Arc::new(readable), writable: Arc::new(writable) })
    }

    /// The hooks of a child: what goes wrong is told to the parent.
    fn hooks_of_child(&self, parents: &Hooks) -> Hooks {
        let writable = self.writable.clone();
        let tell = move |error: &RequestError, _: Option<&Address>| {
            send_report(&writable, &written(error));
        };
        Hooks { handle_error: Arc::new(tell), ..parents.clone() }
    }

    /// What children have told: which of them, and what.
    fn take(&self) -> Vec<(u32, RequestError)> {
        let mut bytes = Vec::new();
        let mut chunk = [0; REPORT_BYTES_MAX];
        while let Ok(count @ 1..) = rustix::io::read(&*self.readable, &mut chunk) {
            bytes.extend_from_slice(&chunk[..count]);
        }
        let mut rest = &bytes[..];
        std::iter::from_fn(|| read_report(&mut rest)).collect()
    }
}

/// Sends it at once, or when the parent has made room. If it does not, or is gone, there is nobody to tell.
fn send_report(writable: &OwnedFd, report: &[u8]) {
    let until = after(Instant::now(), REPORT_TIMEOUT);
    while let Err(Errno::AGAIN | Errno::INTR) = rustix::io::write(writable, report) {
        let mut room = [watched(writable.as_fd(), Interest::WRITE)];
        if !matches!(wait_for_one(&mut room, Some(until)), Ok(Found::Ready)) {
            return;
        }
    }
}

/// How long a child waits for that.
const REPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// A report: its length (2 bytes), the child (4), what it is (1), the system's error number or 0 (4), and the text.
fn written(error: &RequestError) -> Vec<u8> {
    let (kind, errno, text) = match error {
        RequestError::Failed(error) => (FAILED, error.raw_os_error().unwrap_or(0), error.to_string()),
        RequestError::Panicked(text) => (PANICKED, 0, text.clone()),
        other => (FAILED, 0, other.to_string()),
    };
    let mut end = text.len().min(REPORT_BYTES_MAX - REPORT_HEAD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut report = Vec::with_capacity(REPORT_HEAD_BYTES + end);
    report.extend_from_slice(&((REPORT_HEAD_BYTES + end) as u16).to_ne_bytes());
    report.extend_from_slice(&std::process::id().to_ne_bytes());
    report.push(kind);
    report.extend_from_slice(&errno.to_ne_bytes());
    report.extend_from_slice(&text.as_bytes()[..end]);
    report
}

const REPORT_HEAD_BYTES: usize = 2 + 4 + 1 + 4;

fn read_report(rest: &mut &[u8]) -> Option<(u32, RequestError)> {
    let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
    let (report, after) = rest.split_at_checked(length)?;
    *rest = after;
    let process = u32::from_ne_bytes(*report.get(2..)?.first_chunk()?);
    let kind = *report.get(6)?;
    let errno = i32::from_ne_bytes(*report.get(7..)?.first_chunk()?);
    let text = String::from_utf8_lossy(report.get(REPORT_HEAD_BYTES..)?).into_owned();
    let error = match (kind, errno) {
        (PANICKED, _) => RequestError::Panicked(text),
        (_, 0) => RequestError::Failed(io::Error::other(text)),
        (_, errno) => RequestError::Failed(io::Error::from_raw_os_error(errno)),
    };
    Some((process, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_out_as_they_went_in() {
        let mut bytes = written(&RequestError::Panicked("x".repeat(10_000)));
        assert_eq!(bytes.len(), REPORT_BYTES_MAX);
        bytes.extend(written(&RequestError::Failed(io::Error::from_raw_os_error(libc::EPIPE))));
        bytes.extend(written(&RequestError::Failed(io::Error::other("of our own"))));
        let mut rest = &bytes[..];
        let reports: Vec<_> = std::iter::from_fn(|| read_report(&mut rest)).collect();
        assert_eq!(reports.len(), 3);
        assert!(reports.iter().all(|(process, _)| *process == std::process::id()));
        assert!(matches!(&reports[0].1, RequestError::Panicked(text) if text.starts_with("xxx")));
        assert!(
            matches!(&reports[1].1, RequestError::Failed(error) if error.kind() == io::ErrorKind::BrokenPipe)
        );
        assert_eq!(reports[2].1.to_string(), "the request failed: of our own");
    }

    #[test]
    fn half_a_report_is_none() {
        let bytes = written(&RequestError::Panicked("text".to_owned()));
        for end in 0..bytes.len() {
            assert!(read_report(&mut &bytes[..end]).is_none());
        }
    }
}
