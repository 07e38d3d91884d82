//! A thread for each request, up to a bound; joined when the server stops.

use crate::Error;
use crate::conversation::Conversation;
use crate::converse::Converse;
use crate::driver::Farewell;
use crate::error::RequestError;
use crate::server::{Core, Extent, Served};
use crate::strategy::Strategy;
use crate::strategy::front::{self, CREW_TOKENS_END, Crew, Handed};
use eventloop::{Poller, Token, Waker};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A thread for each request.
///
/// The handler is written as if there were only this one client, and may wait for it, for a disk, for another server. It
/// is shared by all threads, so what it changes stands behind a lock.
///
/// At most so many requests run at a time; further clients wait in the backlog. When the server stops it waits for all of
/// them.
#[derive(Debug)]
pub struct Threading {
    requests_max: usize,
    team: Arc<Team>,
    threads: BTreeMap<u64, JoinHandle<()>>,
    /// The number of the next thread.
    next: u64,
}

impl Threading {
    /// At most `threads_max` requests at a time; at least one.
    pub fn up_to(threads_max: usize) -> Threading {
        Threading {
            requests_max: threads_max.max(1),
            team: Arc::default(),
            threads: BTreeMap::new(),
            next: 0,
        }
    }
}

/// 256 requests at a time.
impl Default for Threading {
    fn default() -> Self {
        Threading::up_to(256)
    }
}

/// The threads, as their server sees them.
#[derive(Debug, Default)]
struct Team {
    state: Mutex<State>,
    everybody_has_ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    /// Threads that have done their work and may be joined.
    ended: Vec<u64>,
    /// Rung once by the next thread that ends.
    awaited_by: Option<Waker>,
}

impl Team {
    /// No statement that holds it can leave it half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn one_has_ended(&self, thread: u64) {
        let mut state = self.state();
        state.busy -= 1;
        state.ended.push(thread);
        let waker = state.awaited_by.take();
        if state.busy == 0 {
            self.everybody_has_ended.notify_all();
        }
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until nobody is busy, and says how many still are.
    fn wait(&self, patience: Duration) -> usize {
        let state = self.state();
        let waited = self.everybody_has_ended.wait_timeout_while(state, patience, |state| state.busy > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.busy
    }
}

/// Counts a request for as long as it lives, also if its thread unwinds or could not be started.
struct Place {
    team: Arc<Team>,
    thread: u64,
}

impl Place {
    fn take(team: &Arc<Team>, thread: u64) -> Place {
        team.state().busy += 1;
        Place { team: team.clone(), thread }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.team.one_has_ended(self.thread);
    }
}

impl<H: Converse + Send + Sync + 'static> Strategy<H> for Threading {
    fn serve(&mut self, core: &Arc<Core>, handler: &Arc<H>, extent: Extent) -> Result<Served, Error> {
        front::serve(core, &mut Threads { threading: self, core, handler, waker: None }, extent)
    }

    fn finish(&mut self, core: &Core) -> Result<(), Error> {
        let begun = Instant::now();
        let busy = self.team.wait(core.limits.patience());
        self.join_ended();
        match busy {
            0 => Ok(()),
            requests => Err(Error::StillBusy { requests, grace: begun.elapsed() }),
        }
    }
}

impl Threading {
    /// Joins threads that have done their work: what they own for themselves is dropped then, too.
    fn join_ended(&mut self) {
        let ended = std::mem::take(&mut self.team.state().ended);
        for thread in ended {
            // There is none if it could not be started. Panics of handlers were caught and reported before.
            if let Some(thread) = self.threads.remove(&thread) {
                let _ = thread.join();
            }
        }
    }
}

struct Threads<'a, H> {
    threading: &'a mut Threading,
    core: &'a Arc<Core>,
    handler: &'a Arc<H>,
    /// Made when all threads are busy for the first time.
    waker: Option<Waker>,
}

/// The token of that waker.
const ONE_HAS_ENDED: Token = Token(CREW_TOKENS_END - 1);

impl<H: Converse + Send + Sync + 'static> Crew for Threads<'_, H> {
    fn has_room(&mut self, poller: &Poller) -> io::Result<bool> {
        let Threading { requests_max, ref team, .. } = *self.threading;
        if team.state().busy < requests_max {
            return Ok(true);
        }
        if self.waker.is_none() {
            self.waker = Some(Waker::new(poller, ONE_HAS_ENDED)?);
        }
        let mut state = team.state();
        let has_room = state.busy < requests_max;
        if !has_room {
            state.awaited_by.clone_from(&self.waker);
        }
        Ok(has_room)
    }

    fn take(&mut self, conversation: Conversation) -> Result<Handed, Error> {
        let client = conversation.client_address();
        self.threading.join_ended();
        self.threading.next += 1;
        let number = self.threading.next;
        let place = Place::take(&self.threading.team, number);
        let (core, handler) = (self.core.clone(), self.handler.clone());
        let started = std::thread::Builder::new().name("request".to_owned()).spawn(move || {
            handler.converse(&core, conversation, Farewell::Linger);
            // The server may be dropped as soon as nobody is busy; it is to find its handler unshared.
            drop((core, handler));
            drop(place);
        });
        match started {
            Ok(thread) => {
                self.threading.threads.insert(number, thread);
                Ok(Handed::Over)
            }
            Err(error) => {
                self.core.hooks.report(RequestError::Accept(error), Some(&client));
                Ok(Handed::Lost)
            }
        }
    }

    fn heard(&mut self, _: &Poller, _: Token) {}
}
