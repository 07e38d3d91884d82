//! The hub's thread: takes requests in batches, commits, posts mail. It owns all state and touches no socket.

use crate::clock::{Clock, until};
use crate::journal;
use crate::mailbox::{HubMailbox, ShardMailbox, Stopping};
use engine::{Desk, Request};
use std::sync::Arc;

/// After so many requests the shards get their mail, so that they write while the hub goes on.
const REQUESTS_PER_POST: usize = 1024;

pub(crate) struct HubThread {
    desk: Desk,
    mailbox: Arc<HubMailbox>,
    shards: Vec<Arc<ShardMailbox>>,
    clock: Clock,
}

impl HubThread {
    pub(crate) fn new(
        desk: Desk,
        mailbox: Arc<HubMailbox>,
        shards: Vec<Arc<ShardMailbox>>,
        clock: Clock,
    ) -> HubThread {
        HubThread { desk, mailbox, shards, clock }
    }

    /// Runs until every shard has posted the last that counts, and all of it has been told.
    pub(crate) fn run(mut self) {
        let mut requests = Vec::new();
        loop {
            let timeout = self.desk.next_chore().map(|at| until(at, self.clock.now()));
            let waited = self.mailbox.wait(&mut requests, timeout);
            if let Some(settings) = waited.settings {
                self.desk.set_settings(&settings);
            }
            self.take(&mut requests);
            if waited.are_last {
                break;
            }
        }
        for shard in &self.shards {
            shard.stop(Stopping::Over);
        }
    }

    fn take(&mut self, requests: &mut Vec<Request>) {
        let now = self.clock.now();
        let mut taken = 0;
        for request in requests.drain(..) {
            if let Err(request) = self.desk.take(now, request) {
                // The journal is behind: once it has caught up, the request goes through.
                journal::commit(&mut self.desk);
                let again = self.desk.take(now, *request);
                debug_assert!(again.is_ok(), "a commit makes room");
            }
            taken += 1;
            if taken % REQUESTS_PER_POST == 0 {
                journal::commit(&mut self.desk);
                post(&mut self.desk, &self.shards);
            }
        }
        self.desk.chores(now);
        journal::commit(&mut self.desk);
        post(&mut self.desk, &self.shards);
    }
}

fn post(desk: &mut Desk, shards: &[Arc<ShardMailbox>]) {
    for (index, shard) in shards.iter().enumerate() {
        if let Some(mail) = desk.mail(index as u8)
            && !mail.is_empty()
        {
            shard.post(mail);
        }
    }
}
