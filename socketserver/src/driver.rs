//! Runs protocols on a poller: many connections in one thread, or just one.
//!
//! It stands between the sockets and [`Protocol`]. The evented strategy gives it everybody; the others, in a thread, a
//! child or the server's own loop, one connection each. So a protocol meets the same rules everywhere: what is read when,
//! what is sent when, and how a conversation ends. It must never wait for one client, and nobody's panic may get out.

use crate::conversation::{Connection, Exchange, LINGER};
use crate::endpoint::Address;
use crate::error::RequestError;
use crate::hooks::{Hooks, caught};
use crate::outlet::{Mailbox, OutletDesk, Outlets};
use crate::protocol::{Ending, Output, Pending, Protocol};
use crate::socket;
use crate::waiting::{TimeLimits, after};
use eventloop::{Event, Interest, Poller, TimerKey, Timers, Token};
use rustix::net::sockopt;
use std::cell::OnceCell;
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// While more than this waits to be sent to a client, nothing is read from it.
const UNSENT_BYTES_MAX: usize = 64 * 1024;
/// How much is read from one connection in one turn; a record may be as long.
const READ_BYTES: usize = 64 * 1024;

/// Whether the end of a connection is waited for after everything was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Farewell {
    /// For a second at most; the client surely gets the end of what it was sent.
    Linger,
    /// Others wait for their turn.
    AtOnce,
}

/// All the connections of one loop.
pub(crate) struct Driver<'a, P, F> {
    poller: &'a Poller,
    make: &'a F,
    hooks: &'a Hooks,
    limits: TimeLimits,
    farewell: Farewell,
    desk: OutletDesk<'a>,
    entries: Vec<Option<Entry<P>>>,
    free: Vec<usize>,
    /// Makes tokens of connections that have the same place, one after the other, different.
    generation: u64,
    timers: Timers<Instant, Token>,
    buffer: Vec<u8>,
    /// When a server that stops gives up those who have not taken everything.
    ends_at: Option<Instant>,
}

struct Entry<P> {
    connection: Connection,
    token: Token,
    protocol: P,
    pending: Pending,
    mailbox: OnceCell<Arc<Mailbox>>,
    /// The bell has rung for it. It is taken in when nothing else waits: so a client that does not read leaves it in the
    /// mailbox, which has a bound.
    has_mail: bool,
    interest: Interest,
    phase: Phase,
    /// The client sends nothing more.
    has_ended: bool,
    /// The server stops: nothing more is read, and what was begun is sent to its end.
    is_stopping: bool,
    /// What `closed` will be told, if the protocol closes.
    ending: Ending,
    heard_at: Instant,
    timer: Option<TimerKey<Instant>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Talking,
    /// It was sent everything and told the end; the client has not closed its side.
    Lingering,
}

/// How far a flush came.
enum Flushed {
    Everything,
    /// The socket takes no more for now.
    Partly,
}

/// The bell of the outlets. No connection comes near it.
pub(crate) const BELL: Token = Token(u64::MAX);

const INDEX_BITS: u32 = 32;

/// The place of the connection that has this token.
const fn index(token: Token) -> usize {
    (token.0 & ((1 << INDEX_BITS) - 1)) as usize
}

impl<'a, P: Protocol, F: Fn(&Address) -> P> Driver<'a, P, F> {
    pub(crate) fn new(
        poller: &'a Poller,
        make: &'a F,
        hooks: &'a Hooks,
        limits: TimeLimits,
        farewell: Farewell,
    ) -> Self {
        Driver {
            poller,
            make,
            hooks,
            limits,
            farewell,
            desk: OutletDesk::new(poller, BELL),
            entries: Vec::new(),
            free: Vec::new(),
            generation: 0,
            timers: Timers::new(),
            buffer: Vec::with_capacity(READ_BYTES),
            ends_at: None,
        }
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// When the next deadline is over.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next().into_iter().chain(self.ends_at).min()
    }

    /// Whether it was told that the server stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.ends_at.is_some()
    }

    /// Begins a conversation.
    pub(crate) fn open(&mut self, now: Instant, connection: Connection) {
        let protocol = match caught(|| (self.make)(&connection.peer)) {
            Ok(protocol) => protocol,
            Err(panic) => return self.hooks.report(panic, Some(&connection.peer)),
        };
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        self.generation = (self.generation + 1) & 0x7fff_ffff;
        let token = Token((self.generation << INDEX_BITS) | index as u64);
        if let Err(error) = self.poller.register(&connection.socket, token, Interest::READ) {
            self.free.push(index);
            self.hooks.report(RequestError::Accept(error), Some(&connection.peer));
            return drop_quietly(protocol, self.hooks, &connection.peer);
        }
        let records = connection.transport.keeps_boundaries();
        let deadline = self.limits.timeout.and_then(|timeout| now.checked_add(timeout));
        self.entries[index] = Some(Entry {
            connection,
            token,
            protocol,
            pending: if records { Pending::records() } else { Pending::stream() },
            mailbox: OnceCell::new(),
            has_mail: false,
            interest: Interest::READ,
            phase: Phase::Talking,
            has_ended: false,
            is_stopping: false,
            ending: Ending::ByServer,
            heard_at: now,
            timer: deadline.map(|at| self.timers.set(at, token)),
        });
        self.call(token, Protocol::opened);
        self.settle(now, token);
    }

    /// What the poller has found about a connection.
    pub(crate) fn ready(&mut self, now: Instant, event: Event) {
        let token = event.token;
        let Some(entry) = self.entry(token) else { return };
        if entry.phase == Phase::Lingering {
            if entry.connection.discard() {
                self.remove(token);
            }
            return;
        }
        entry.heard_at = now;
        if event.readable() && entry.interest.reads() {
            self.read(now, token);
        } else if event.hangup() || event.error() {
            let error = sockopt::socket_error(&entry.connection.socket);
            let error = error.map_or_else(io::Error::from, |outcome| {
                outcome.err().map_or_else(|| io::ErrorKind::BrokenPipe.into(), io::Error::from)
            });
            return self.broken(token, error);
        }
        if event.writable() {
            self.settle(now, token);
        }
    }

    /// Sends what was sent through outlets.
    pub(crate) fn take_mail(&mut self, now: Instant) {
        for token in self.desk.called() {
            if let Some(entry) = self.entry(token) {
                entry.has_mail = true;
                self.settle(now, token);
            }
        }
    }

    /// Ends what has taken too long; and everything, when the grace is over.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.ends_at.is_some_and(|at| at <= now) {
            return self.cut_all();
        }
        while let Some(token) = self.timers.due(now) {
            let timeout = self.limits.timeout;
            let Some(entry) = self.entry(token) else { continue };
            entry.timer = None;
            if entry.phase == Phase::Lingering {
                self.remove(token);
                continue;
            }
            let Some(at) = timeout.and_then(|timeout| entry.heard_at.checked_add(timeout)) else { continue };
            if at > now {
                let timer = self.timers.set(at, token);
                if let Some(entry) = self.entry(token) {
                    entry.timer = Some(timer);
                }
            } else {
                self.end(token, Ending::TimedOut);
            }
        }
    }

    /// The server stops: what has arrived by now is still answered, and everybody is sent what waits, with all that the
    /// protocol adds when it is drained, for as long as the grace allows.
    pub(crate) fn stop(&mut self, now: Instant) {
        self.ends_at = Some(after(now, self.limits.grace));
        for token in self.tokens() {
            if self.entry(token).is_some_and(|entry| entry.phase == Phase::Talking && entry.may_read()) {
                self.read(now, token);
            }
            if let Some(entry) = self.entry(token).filter(|entry| entry.phase == Phase::Talking) {
                entry.is_stopping = true;
                entry.ending = Ending::Shutdown;
                self.settle(now, token);
            }
        }
    }

    /// Ends all that is left, at once.
    pub(crate) fn cut_all(&mut self) {
        for token in self.tokens() {
            self.end(token, Ending::Shutdown);
        }
    }

    fn tokens(&self) -> Vec<Token> {
        self.entries.iter().flatten().map(|entry| entry.token).collect()
    }

    fn entry(&mut self, token: Token) -> Option<&mut Entry<P>> {
        self.entries.get_mut(index(token))?.as_mut().filter(|entry| entry.token == token)
    }

    /// Reads once, so that nobody's flood delays the others by more than a turn.
    fn read(&mut self, now: Instant, token: Token) {
        let mut buffer = std::mem::take(&mut self.buffer);
        if let Some(entry) = self.entry(token) {
            let Connection { socket, transport, .. } = &entry.connection;
            match socket::receive_into(socket, *transport, &mut buffer) {
                Ok(()) if buffer.is_empty() => {
                    entry.has_ended = true;
                    entry.ending = Ending::ByClient;
                    self.call(token, Protocol::ended);
                    self.settle(now, token);
                }
                Ok(()) => {
                    self.call(token, |protocol, out| protocol.received(&buffer, out));
                    self.settle(now, token);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => self.broken(token, error),
            }
        }
        self.buffer = buffer;
    }

    /// Calls a protocol. One that panics is not called again.
    fn call(&mut self, token: Token, call: impl FnOnce(&mut P, &mut Output<'_>)) {
        // Not by `entry`, which would borrow the desk of the outlets as well.
        let Some(entry) = self.entries.get_mut(index(token)).and_then(Option::as_mut) else { return };
        let client = &entry.connection.peer;
        let outlets = Outlets::Connection { desk: &self.desk, connection: token, mailbox: &entry.mailbox };
        let mut out = Output { pending: &mut entry.pending, client_address: client, outlets: &outlets };
        let outcome = caught(|| call(&mut entry.protocol, &mut out));
        entry.pending.end_record();
        if let Err(panic) = outcome {
            self.hooks.report(panic, Some(client));
            return self.remove(token);
        }
        if let Some(error) = entry.pending.failure.take() {
            entry.ending = Ending::Failed;
            self.hooks.report(RequestError::Failed(error), Some(client));
        }
    }

    /// Sends what waits, and does what follows from that: the protocol is asked for more, or the conversation is over, or
    /// the poller is told what to watch for.
    fn settle(&mut self, now: Instant, token: Token) {
        let mailbox = self.entry(token).and_then(|entry| entry.mailbox.get());
        if mailbox.is_some_and(|mailbox| mailbox.is_cut()) {
            return self.end(token, Ending::ByServer);
        }
        let Some(entry) = self.entry(token).filter(|entry| entry.phase == Phase::Talking) else { return };
        let had_pending = !entry.pending.is_empty() || entry.has_mail;
        match entry.flush() {
            Err(error) => return self.broken(token, error),
            Ok(Flushed::Partly) => return self.watch(token),
            Ok(Flushed::Everything) => {}
        }
        if had_pending {
            entry.heard_at = now;
            if !entry.pending.is_closing {
                self.call(token, Protocol::drained);
            }
        }
        let Some(entry) = self.entry(token) else { return };
        if entry.pending.is_empty() && entry.ends_when_empty() {
            return self.finish(now, token);
        }
        // What `drained` has added is sent in the next turn: a large answer is not to keep the others waiting.
        self.watch(token);
    }

    fn watch(&mut self, token: Token) {
        let poller = self.poller;
        let Some(entry) = self.entry(token) else { return };
        let reads = entry.may_read() && entry.pending.memory_bytes() <= UNSENT_BYTES_MAX;
        let interest = match (reads, !entry.pending.is_empty()) {
            (true, true) => Interest::BOTH,
            (true, false) => Interest::READ,
            (false, true) => Interest::WRITE,
            (false, false) => Interest::NONE,
        };
        if interest == entry.interest {
            return;
        }
        entry.interest = interest;
        if let Err(error) = poller.modify(&entry.connection.socket, token, interest) {
            self.broken(token, error);
        }
    }

    fn broken(&mut self, token: Token, error: io::Error) {
        let hooks = self.hooks;
        let Some(entry) = self.entry(token) else { return };
        hooks.report(RequestError::Failed(error), Some(&entry.connection.peer));
        self.end(token, Ending::Failed);
    }

    /// Everything was sent: the conversation ends in an orderly way.
    fn finish(&mut self, now: Instant, token: Token) {
        let farewell = self.farewell;
        let Some(entry) = self.entry(token) else { return };
        let ending = entry.ending;
        // Who was sent nothing has nothing to lose by a reset.
        let lingers = farewell == Farewell::Linger && !entry.has_ended && entry.pending.has_sent();
        if !lingers {
            entry.connection.finish();
            return self.end(token, ending);
        }
        self.tell_ending(token, ending);
        let poller = self.poller;
        let Some(entry) = self.entry(token) else { return };
        entry.phase = Phase::Lingering;
        // One look first: most clients that have closed did it before.
        let is_over = entry.connection.finish()
            || poller.modify(&entry.connection.socket, token, Interest::READ).is_err();
        if let Some(timer) = entry.timer.take() {
            self.timers.cancel(timer);
        }
        if is_over {
            return self.remove(token);
        }
        let timer = self.timers.set(after(now, LINGER), token);
        if let Some(entry) = self.entry(token) {
            entry.timer = Some(timer);
        }
    }

    /// Ends a conversation at once. One that lingers has been told before.
    fn end(&mut self, token: Token, ending: Ending) {
        if self.entry(token).is_some_and(|entry| entry.phase == Phase::Talking) {
            self.tell_ending(token, ending);
        }
        self.remove(token);
    }

    fn tell_ending(&mut self, token: Token, ending: Ending) {
        let hooks = self.hooks;
        let Some(entry) = self.entry(token) else { return };
        if let Some(mailbox) = entry.mailbox.get() {
            mailbox.close();
        }
        if let Err(panic) = caught(|| entry.protocol.closed(ending)) {
            hooks.report(panic, Some(&entry.connection.peer));
        }
    }

    fn remove(&mut self, token: Token) {
        if self.entry(token).is_none() {
            return;
        }
        let Some(entry) = self.entries[index(token)].take() else { return };
        self.free.push(index(token));
        if let Some(mailbox) = entry.mailbox.get() {
            mailbox.close();
        }
        if let Some(timer) = entry.timer {
            self.timers.cancel(timer);
        }
        // It was registered with this descriptor, so it is known.
        let _ = self.poller.unregister(&entry.connection.socket);
        drop_quietly(entry.protocol, self.hooks, &entry.connection.peer);
    }
}

impl<P> Entry<P> {
    fn may_read(&self) -> bool {
        !self.ends_when_empty()
    }

    /// Whether the conversation is over when everything was sent.
    fn ends_when_empty(&self) -> bool {
        self.pending.is_closing || self.has_ended || self.is_stopping
    }

    /// Sends what waits, and then the mail.
    fn flush(&mut self) -> io::Result<Flushed> {
        loop {
            if let Flushed::Partly = self.flush_pending()? {
                return Ok(Flushed::Partly);
            }
            self.take_mail();
            if self.pending.is_empty() {
                return Ok(Flushed::Everything);
            }
        }
    }

    /// Takes the mail in. Who is about to go gets the last of it, and nothing is accepted any more: others that keep
    /// sending are not to hold up the end.
    fn take_mail(&mut self) {
        let Some(mailbox) = self.mailbox.get() else { return };
        let mail = match (self.ends_when_empty(), self.has_mail) {
            (true, _) => mailbox.take_last(),
            (false, true) => mailbox.take(),
            (false, false) => return,
        };
        self.has_mail = false;
        for part in mail.parts() {
            self.pending.send(part);
        }
        self.pending.is_closing |= mail.is_closing;
    }

    fn flush_pending(&mut self) -> io::Result<Flushed> {
        while let Some(next) = self.pending.next() {
            // An empty record would look like the end.
            let sent = if next.is_empty() { Ok(0) } else { socket::send(&self.connection.socket, next) };
            match sent {
                Ok(count) => self.pending.taken(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Flushed::Partly),
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::Everything)
    }
}

/// A destructor may panic as well.
fn drop_quietly<P>(protocol: P, hooks: &Hooks, client: &Address) {
    if let Err(panic) = caught(|| drop(protocol)) {
        hooks.report(panic, Some(client));
    }
}

/// How the reply to a datagram is sent.
pub(crate) type Reply = fn(&Exchange, &[u8]) -> io::Result<()>;

/// Has a protocol answer one datagram.
pub(crate) fn answer_datagram<P: Protocol>(
    make: &impl Fn(&Address) -> P,
    exchange: &Exchange,
    hooks: &Hooks,
    reply: Reply,
) {
    let client = exchange.client_address();
    let mut protocol = match caught(|| make(&client)) {
        Ok(protocol) => protocol,
        Err(panic) => return hooks.report(panic, Some(&client)),
    };
    let answered = caught(|| converse(&mut protocol, exchange, &client, reply));
    if let Err(error) = answered.and_then(|outcome| outcome.map_err(RequestError::Failed)) {
        hooks.report(error, Some(&client));
    }
    // Not before: if it has panicked, and its destructor did so while that panic unwinds, the process would end.
    drop_quietly(protocol, hooks, &client);
}

fn converse<P: Protocol>(
    protocol: &mut P,
    exchange: &Exchange,
    client: &Address,
    reply: Reply,
) -> io::Result<()> {
    let mut pending = Pending::records();
    let mut out = Output { pending: &mut pending, client_address: client, outlets: &Outlets::None };
    protocol.opened(&mut out);
    out.pending.end_record();
    if !out.pending.is_closing {
        protocol.received(&exchange.datagram.bytes, &mut out);
        out.pending.end_record();
    }
    let mut outcome = pending.failure.take().map_or(Ok(()), Err);
    while let Some(datagram) = pending.next() {
        let length = datagram.len();
        outcome = outcome.and(reply(exchange, datagram));
        pending.taken(length);
    }
    protocol.closed(if outcome.is_ok() { Ending::ByClient } else { Ending::Failed });
    outcome
}
