//! Who is forked when: one request at a time is taken, by a process that has one thread, while there is room for a child.
//!
//! It stands between the loop that takes requests (`front.rs`) and the children.

use super::children::Children;
use crate::Error;
use crate::conversation::Conversation;
use crate::converse::Converse;
use crate::error::RequestError;
use crate::server::{Core, Extent, Served};
use crate::strategy::front::{self, Crew, Handed};
use crate::strategy::{Forking, Strategy};
use eventloop::{Interest, Poller, Token};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

impl<H: Converse> Strategy<H> for Forking {
    fn serve(&mut self, core: &Arc<Core>, handler: &Arc<H>, extent: Extent) -> Result<Served, Error> {
        refuse_several_threads()?;
        let mut crew = Processes {
            children_max: self.children_max,
            children: &mut self.children,
            watched: BTreeSet::new(),
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
fn refuse_several_threads() -> Result<(), Error> {
    let mut threads = count_threads()?;
    let mut looks_left = LOOKS_MAX;
    while threads != 1 && looks_left > 0 {
        std::thread::sleep(Duration::from_millis(1));
        threads = count_threads()?;
        looks_left -= 1;
    }
    if threads == 1 { Ok(()) } else { Err(Error::SeveralThreads { threads }) }
}

/// How often one looks again, a millisecond later: a thread that was joined is still counted for some microseconds.
const LOOKS_MAX: u32 = 10;

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

struct Processes<'a, H> {
    children_max: usize,
    children: &'a mut Children,
    /// Children whose end this poller will tell.
    watched: BTreeSet<Token>,
    core: &'a Core,
    handler: &'a H,
}

impl<H: Converse> Crew for Processes<'_, H> {
    fn has_room(&mut self, poller: &Poller) -> io::Result<bool> {
        for (token, child) in &self.children.living {
            if self.watched.insert(*token) {
                poller.register(&child.descriptor, *token, Interest::READ)?;
            }
        }
        Ok(self.children.living.len() < self.children_max)
    }

    fn take(&mut self, conversation: Conversation) -> Result<Handed, Error> {
        // One may have been started while the server ran.
        refuse_several_threads()?;
        let client = conversation.client_address();
        let forked = self.children.fork(self.core, self.handler, conversation, client.clone());
        let Err(error) = forked else { return Ok(Handed::Over) };
        self.core.hooks.report(RequestError::Accept(error), Some(&client));
        Ok(Handed::Lost)
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
