//! Mailboxes between threads: filled and emptied in batches, woken at most once per batch.
//!
//! A shard never waits for the hub: it counts its requests that are not taken yet and stops reading instead. The hub does
//! wait, before it takes more requests, for a shard whose mail piles up; a shard always empties its mailbox in each
//! turn, so that this wait ends.

use crate::Options;
use crate::journal::News;
use engine::{Mail, Request};
use eventloop::Waker;
use hub::Settings;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The hub waits for a shard that has not taken in so many events.
const TOLD_MAX: usize = 64 * 1024;

/// A connection on its way to the shard that will hold it.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) socket: OwnedFd,
    pub(crate) peer: SocketAddr,
}

/// What a shard is to do, beside delivering mail and taking connections in.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Go by these options from now on.
    pub(crate) options: Option<Arc<Options>>,
    pub(crate) stopping: Option<Stopping>,
}

/// How a server stops: everything that was sent before counts, and is told before the end is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stopping {
    /// Nobody is let in any more. What has been sent is read and posted; then the hub is told so.
    LastCall,
    /// The hub has told everything. Whoever has been written to is done.
    Over,
}

/// What waits for the hub's thread.
#[derive(Debug)]
pub(crate) struct HubMailbox {
    waiting: Mutex<HubWaiting>,
    filled: Condvar,
}

#[derive(Debug)]
struct HubWaiting {
    requests: Vec<Request>,
    news: Vec<News>,
    settings: Option<Box<Settings>>,
    /// How many shards may still post requests of people.
    shards_open: usize,
    is_idle: bool,
}

/// What the hub's thread was woken for. Used again from turn to turn.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) requests: Vec<Request>,
    /// Of the journal, to be heard before the requests are taken.
    pub(crate) news: Vec<News>,
    /// To be put in force before the requests are taken.
    pub(crate) settings: Option<Box<Settings>>,
    /// There will be no more requests.
    pub(crate) are_last: bool,
}

/// What the hub's thread waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WaitFor {
    Anything,
    /// A request that was taken before needs a commit, and the others wait behind it.
    TheJournal,
}

impl HubMailbox {
    pub(crate) fn new(shards: usize) -> HubMailbox {
        let waiting = HubWaiting {
            requests: Vec::new(),
            news: Vec::new(),
            settings: None,
            shards_open: shards,
            is_idle: false,
        };
        HubMailbox { waiting: Mutex::new(waiting), filled: Condvar::new() }
    }

    /// Moves requests into the mailbox.
    pub(crate) fn post(&self, requests: impl Iterator<Item = Request>) {
        let mut waiting = lock(&self.waiting);
        waiting.requests.extend(requests);
        self.wake(waiting);
    }

    /// Brings a request again, with what was looked up for it.
    pub(crate) fn bring_again(&self, request: Request) {
        self.post(std::iter::once(request));
    }

    /// The journal has something to say.
    pub(crate) fn hear(&self, news: News) {
        let mut waiting = lock(&self.waiting);
        waiting.news.push(news);
        self.wake(waiting);
    }

    /// A shard has posted the last that counts. To be called once by each.
    pub(crate) fn close_shard(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.shards_open -= 1;
        self.wake(waiting);
    }

    /// Sets up the hub anew, before it takes the requests that wait.
    pub(crate) fn set_up(&self, settings: Settings) {
        let mut waiting = lock(&self.waiting);
        waiting.settings = Some(Box::new(settings));
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, HubWaiting>) {
        if std::mem::take(&mut waiting.is_idle) {
            drop(waiting);
            self.filled.notify_one();
        }
    }

    /// Waits for something to do, at most `timeout`, and moves it into `inbox`, which must have been emptied.
    pub(crate) fn wait(&self, inbox: &mut Inbox, what: WaitFor, timeout: Option<Duration>) {
        let mut waiting = lock(&self.waiting);
        let is_for_anything = what == WaitFor::Anything;
        while waiting.news.is_empty()
            && waiting.settings.is_none()
            && !(is_for_anything && (!waiting.requests.is_empty() || waiting.shards_open == 0))
        {
            waiting.is_idle = true;
            let timed_out;
            (waiting, timed_out) = match timeout {
                None => (self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner), false),
                Some(timeout) => {
                    let waited = self.filled.wait_timeout(waiting, timeout);
                    let (waiting, result) = waited.unwrap_or_else(PoisonError::into_inner);
                    (waiting, result.timed_out())
                }
            };
            waiting.is_idle = false;
            if timed_out || is_for_anything {
                break;
            }
        }
        if is_for_anything {
            std::mem::swap(&mut waiting.requests, &mut inbox.requests);
        }
        std::mem::swap(&mut waiting.news, &mut inbox.news);
        inbox.settings = waiting.settings.take();
        inbox.are_last = waiting.shards_open == 0 && waiting.requests.is_empty();
    }
}

/// What waits for a shard's thread.
#[derive(Debug)]
pub(crate) struct ShardMailbox {
    waiting: Mutex<ShardWaiting>,
    emptied: Condvar,
    waker: Waker,
}

#[derive(Debug, Default)]
struct ShardWaiting {
    mail: Mail,
    streams: Vec<Stream>,
    orders: Orders,
    was_woken: bool,
}

impl ShardMailbox {
    pub(crate) fn new(waker: Waker) -> ShardMailbox {
        ShardMailbox { waiting: Mutex::default(), emptied: Condvar::new(), waker }
    }

    /// Moves mail into the mailbox; waits while it is full.
    pub(crate) fn post(&self, mail: &mut Mail) {
        let mut waiting = lock(&self.waiting);
        while waiting.mail.told.len() >= TOLD_MAX {
            waiting = self.emptied.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.mail.append(mail);
        self.wake(waiting);
    }

    pub(crate) fn hand_over(&self, stream: Stream) {
        let mut waiting = lock(&self.waiting);
        waiting.streams.push(stream);
        self.wake(waiting);
    }

    pub(crate) fn stop(&self, stopping: Stopping) {
        let mut waiting = lock(&self.waiting);
        waiting.orders.stopping = Some(stopping);
        self.wake(waiting);
    }

    pub(crate) fn reload(&self, options: Arc<Options>) {
        let mut waiting = lock(&self.waiting);
        waiting.orders.options = Some(options);
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, ShardWaiting>) {
        if !std::mem::replace(&mut waiting.was_woken, true) {
            drop(waiting);
            self.waker.wake();
        }
    }

    /// Swaps everything out; `mail` and `streams` must be empty. Returns what else the shard is to do.
    pub(crate) fn take(&self, mail: &mut Mail, streams: &mut Vec<Stream>) -> Orders {
        let mut waiting = lock(&self.waiting);
        waiting.was_woken = false;
        let was_full = waiting.mail.told.len() >= TOLD_MAX;
        std::mem::swap(&mut waiting.mail, mail);
        std::mem::swap(&mut waiting.streams, streams);
        let orders = std::mem::take(&mut waiting.orders);
        drop(waiting);
        if was_full {
            self.emptied.notify_one();
        }
        orders
    }
}

/// Nobody panics while holding one of these locks; if somebody did, the process is ending anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventloop::{Events, Poller, Token};
    use hub::{Audience, Event, MemberId, Position, Time, Told};
    use std::sync::mpsc::{RecvTimeoutError, channel};

    fn mail(events: usize) -> Mail {
        let told = Told {
            position: Position(1),
            time: Time(1),
            audience: Audience::Member(MemberId::mint(0, 1)),
            event: Event::Disconnected,
        };
        Mail { told: vec![told; events], ..Mail::default() }
    }

    #[test]
    fn the_hub_waits_while_a_mailbox_is_full() {
        let poller = Poller::new().unwrap();
        let mailbox = ShardMailbox::new(Waker::new(&poller, Token(1)).unwrap());
        mailbox.post(&mut mail(TOLD_MAX));
        std::thread::scope(|scope| {
            let (posted, wait) = channel();
            let mailbox = &mailbox;
            scope.spawn(move || {
                mailbox.post(&mut mail(1));
                posted.send(()).unwrap();
            });
            // It is not told by then: a thread that did not wait would be.
            let early = wait.recv_timeout(Duration::from_millis(50));
            assert_eq!(early, Err(RecvTimeoutError::Timeout));
            let mut taken = Mail::default();
            mailbox.take(&mut taken, &mut Vec::new());
            assert_eq!(taken.told.len(), TOLD_MAX);
            wait.recv().unwrap();
        });
    }

    #[test]
    fn many_posts_ring_once_until_they_are_taken() {
        let poller = Poller::new().unwrap();
        let mailbox = ShardMailbox::new(Waker::new(&poller, Token(1)).unwrap());
        let mut events = Events::with_capacity(8);
        let mut rings = || {
            poller.poll(&mut events, Some(Duration::ZERO)).unwrap();
            events.len()
        };
        mailbox.post(&mut mail(1));
        mailbox.post(&mut mail(2));
        assert_eq!(rings(), 1);
        mailbox.post(&mut mail(3));
        assert_eq!(rings(), 0, "the shard has been rung for already");
        let mut taken = Mail::default();
        mailbox.take(&mut taken, &mut Vec::new());
        assert_eq!(taken.told.len(), 6);
        mailbox.post(&mut mail(1));
        assert_eq!(rings(), 1);
    }

    #[test]
    fn new_settings_wake_the_hub_and_are_taken_once() {
        let hub = HubMailbox::new(1);
        hub.set_up(Settings::new(hub::RoomName::parse("lobby").unwrap()));
        let mut inbox = Inbox::default();
        hub.wait(&mut inbox, WaitFor::Anything, None);
        assert!(inbox.settings.is_some());
        hub.wait(&mut inbox, WaitFor::Anything, Some(Duration::ZERO));
        assert!(inbox.settings.is_none());
    }

    #[test]
    fn requests_are_the_last_once_every_shard_has_closed() {
        let hub = HubMailbox::new(2);
        let mut inbox = Inbox::default();
        hub.close_shard();
        hub.wait(&mut inbox, WaitFor::Anything, Some(Duration::ZERO));
        assert!(!inbox.are_last);
        hub.close_shard();
        hub.wait(&mut inbox, WaitFor::Anything, None);
        assert!(inbox.are_last);
    }
}
