//! The children: forked for one request, living for it, and waited for.
//!
//! The only file in the crate that forks, and one of two with `unsafe` in it. Between the fork and the end of the child
//! nothing of the parent's may be undone: no destructor of a server runs there, no file is removed, nothing buffered is
//! written twice.

use super::reports::Reports;
use crate::Error;
use crate::conversation::Conversation;
use crate::converse::Converse;
use crate::driver::Farewell;
use crate::endpoint::Address;
use crate::error::RequestError;
use crate::hooks::caught;
use crate::server::Core;
use crate::waiting::after;
use eventloop::{Events, Interest, Poller, PollerKind, Token};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions};
use rustix::process::{pidfd_open, pidfd_send_signal, waitid, waitpid};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::Instant;

/// Those who live, and how the others have ended.
#[derive(Debug, Default)]
pub(super) struct Children {
    pub(super) living: BTreeMap<Token, Child>,
    /// Tokens are not used again: the poller may still speak of the last one.
    token_next: u64,
    /// Made with the first child.
    reports: Option<Reports>,
}

/// A child, as its parent sees it.
#[derive(Debug)]
pub(super) struct Child {
    /// Readable when the child has ended (`pidfd_open(2)`).
    pub(super) descriptor: OwnedFd,
    process: u32,
    client: Address,
}

impl Children {
    /// Makes a child for one request. To be called by a process that has one thread.
    ///
    /// # Errors
    /// If the system has no room for one more.
    pub(super) fn fork<H: Converse>(
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
                let pid = Pid::from_raw(process).ok_or_else(|| io::Error::other("a child has no number"))?;
                let process = process.cast_unsigned();
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
    pub(super) fn bury(&self, core: &Core, child: &Child) {
        let ended = retry_on_intr(|| waitid(WaitId::PidFd(child.descriptor.as_fd()), WaitIdOptions::EXITED));
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
    pub(super) fn finish(&mut self, core: &Core) -> Result<(), Error> {
        if self.living.is_empty() {
            return Ok(());
        }
        self.see_out(core).map_err(Error::system("waiting for children"))
    }

    fn see_out(&mut self, core: &Core) -> io::Result<()> {
        let poller = Poller::of(PollerKind::Poll)?;
        for (token, child) in &self.living {
            poller.register(&child.descriptor, *token, Interest::READ)?;
        }
        let mut ends_at = Some(after(Instant::now(), core.limits.patience()));
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
                    let _ = pidfd_send_signal(&child.descriptor, Signal::KILL);
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
fn end_of(child: Pid) -> io::Result<Option<OwnedFd>> {
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
