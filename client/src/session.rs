//! A client for programs that wait: the link, its sockets and a clock, behind one call that answers with what comes next.
//!
//! Where it stands: the scripts are written on it. Others post to the same channel: signals, standard input, a command's output.
//!
//! What this file must never do: wait for ever for the network where its user has set an end.

use crate::link::{Link, Output, Wanted};
use crate::net::{Net, Posted};
use crate::wire::{Answer, Request};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Instant;

/// At most so many things wait until they are asked for: 4 MiB, if all are pieces of 64 KiB from the network.
const WAITING_MAX: usize = 64;

/// What waits in the channel.
pub(crate) enum Post<I> {
    /// From the network.
    Net(Posted),
    /// From whoever else posts.
    Given(I),
}

impl<I> From<Posted> for Post<I> {
    fn from(posted: Posted) -> Post<I> {
        Post::Net(posted)
    }
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next<I> {
    /// The server says this.
    Told {
        /// As it was understood.
        answer: Answer,
        /// As it was written, without its end. Not clean.
        line: Vec<u8>,
    },
    /// This request will have no answer: its connection ended.
    Unanswered(String),
    /// [`Link::state`] has changed.
    State,
    /// Somebody posted this.
    Given(I),
    /// The time that was given is over.
    Nothing,
}

/// A client of one server.
pub(crate) struct Session<I> {
    link: Link,
    begun: Instant,
    posts: SyncSender<Post<I>>,
    // In front of the sockets, so that it goes before them: whoever waits to post something is not waited for.
    waiting: Receiver<Post<I>>,
    net: Net<Post<I>>,
}

impl<I: Send + 'static> Session<I> {
    /// Connects. `seed` is the link's.
    pub(crate) fn start(wanted: Wanted, seed: u64, host: &str, port: u16) -> Session<I> {
        let (posts, waiting) = sync_channel(WAITING_MAX);
        let net = Net::new(host.to_owned(), port, posts.clone());
        let mut link = Link::new(wanted, seed);
        link.start();
        Session { link, net, begun: Instant::now(), posts, waiting }
    }

    /// Where others post. What they post is told by [`Session::next`], in order with all else.
    pub(crate) fn posts(&self) -> SyncSender<Post<I>> {
        self.posts.clone()
    }

    /// What is known of the connection.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Makes a request. Answers with its nonce.
    pub(crate) fn request(&mut self, request: Request) -> String {
        self.link.request(request)
    }

    /// Leaves. What was sent is still tried to be written.
    pub(crate) fn quit(mut self) {
        self.link.quit(None);
        while let Some(output) = self.link.poll() {
            self.carry_out(output);
        }
    }

    /// Waits for what comes next, at the longest until then.
    pub(crate) fn next(&mut self, until: Option<Instant>) -> Next<I> {
        loop {
            while let Some((output, line)) = self.link.poll_with_line() {
                match output {
                    Output::Told(answer) => return Next::Told { answer, line },
                    Output::Unanswered(nonce) => return Next::Unanswered(nonce),
                    Output::State => return Next::State,
                    output => self.carry_out(output),
                }
            }
            if let Some(next) = self.wait(until) {
                return next;
            }
        }
    }

    /// Waits for something; none if it was for the link.
    fn wait(&mut self, until: Option<Instant>) -> Option<Next<I>> {
        let deadline = self.link.deadline().map(|deadline| self.begun + deadline);
        let post = match deadline.into_iter().chain(until).min() {
            None => self.waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(end) => self.waiting.recv_timeout(end.saturating_duration_since(Instant::now())),
        };
        let now = self.begun.elapsed();
        match post {
            Ok(Post::Given(given)) => return Some(Next::Given(given)),
            Ok(Post::Net(posted)) => {
                if let Some(event) = self.net.news(posted) {
                    self.link.happened(now, event);
                }
            }
            // Both ends of the channel are here, so it cannot be that nobody posts any more.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        self.link.tick(now);
        until.is_some_and(|until| until <= Instant::now() && !self.link.has_output()).then_some(Next::Nothing)
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect => self.net.connect(),
            Output::Send(bytes) => self.net.send(bytes),
            Output::Close => self.net.close(),
            Output::Told(_) | Output::Unanswered(_) | Output::State => {}
        }
    }
}
