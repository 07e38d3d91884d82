//! A shard's thread: polls, reads, delivers, writes. One turn of [`ShardThread::turn`] is the life of many messages.
//!
//! A turn: wait for the kernel or the waker; read once from each socket that is ready and post the requests, so that the
//! hub works while we go on; deliver mail; let sessions act whose deadline has come; write to everybody who is due, each
//! with one system call if the socket takes it all; and only then wait again. Flushing once a turn, not once a message, is
//! worth a factor of 30 to 80 when a room is busy. For the same reason a flush is left to the next turn, once, while the hub
//! is at work on requests of ours: its answer is then flushed with the rest.

use crate::Options;
use crate::addresses::{Addresses, Refusals, Refused, Site};
use crate::clock::{Clock, until};
use crate::draining::{Draining, close};
use crate::mailbox::{HubMailbox, ShardMailbox, Stopping, Stream};
use crate::panics;
use crate::reading::ReaderMailbox;
use crate::room_left::RoomLeft;
use crate::secrets::Secrets;
use crate::vanishing::{Patience, Sweeps, Verdict};
use dialect::plain::Style;
use dialect::{AnySession, Arrival};
use engine::{ConnectionId, Delivered, Due, Mail, Request, Shard, connection_index};
use eventloop::{Event, Events, Interest, Poller, PollerKind, Token, Waker};
use hub::{Command, MemberId, Speaker, Time};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, SocketFlags, sockopt};
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// What is read from one connection in one turn, so that nobody's flood delays the others by more than a turn.
const READ_BYTES: usize = 16 * 1024;
/// How often a connection is read from when the server stops: enough for what a person can have sent, and an end for a
/// flood.
const LAST_READS: usize = 4;
/// How many connections are accepted in one turn.
const ACCEPTS_PER_TURN: usize = 64;
/// How long no connection is accepted after the descriptors have run out.
const ACCEPT_PAUSE_MS: u64 = 100;
/// Of connections that are refused only so many at a time are told why; the others are just closed.
const TOLD_WHY_MAX: usize = 1024;
/// In the place of a connection's index in the token of one that is refused. No connection has it.
const REFUSED_INDEX: u64 = 0xffff_ffff;
/// A flush that waits for the hub waits no longer than this.
const DEFERRAL: Duration = Duration::from_millis(1);
/// How many slices one system call writes.
const SLICES_MAX: usize = 16;
const EVENTS_PER_TURN: usize = 1024;

const WAKER: Token = Token(u64::MAX);
/// Listeners count down from here; connections never come near.
const LISTENERS: u64 = u64::MAX - 1;

pub(crate) struct ShardThread {
    shard: Shard<AnySession>,
    poller: Poller,
    mailbox: Arc<ShardMailbox>,
    hub: Arc<HubMailbox>,
    /// Where what is said can be searched.
    reader: Option<Arc<ReaderMailbox>>,
    peers: Arc<Addresses>,
    clock: Clock,
    plain_style: Style,
    flush: Duration,
    listeners: Vec<TcpListener>,
    accept_again: Option<Time>,
    /// Whether connections may be waiting because the descriptors had run out: the log has been told of the beginning.
    has_run_out: bool,
    refusals: Refusals,
    room_left: RoomLeft,
    /// The shards that accepted connections are dealt to, in turn.
    dealt_to: Vec<Arc<ShardMailbox>>,
    next_dealt: usize,
    /// By the connection's index.
    sockets: Vec<Option<Socket>>,
    /// Makes tokens of connections that have the same index, one after the other, different.
    generation: u32,
    draining: Draining,
    sweeps: Sweeps,
    /// The flush of the last turn was left to this one.
    has_deferred: bool,
    /// When the flush of a stopping shard ends.
    stops_at: Option<Time>,
    secrets: Secrets,
    buffers: Buffers,
}

/// A connection's socket.
#[derive(Debug)]
struct Socket {
    descriptor: OwnedFd,
    id: ConnectionId,
    generation: u32,
    interest: Interest,
    /// The last write was short: nothing is written before the kernel says that there is room.
    is_blocked: bool,
    /// The peer has ended its side.
    has_ended: bool,
    /// Something was written, and no sweep has seen since that the peer has everything.
    is_owed: bool,
    /// Where it comes from, in half the space of a `SocketAddr`: there may be very many of them.
    ip: IpAddr,
    port: u16,
}

/// What a shard's thread shares with the rest of the server.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) poller: PollerKind,
    pub(crate) hub: Arc<HubMailbox>,
    pub(crate) reader: Option<Arc<ReaderMailbox>>,
    pub(crate) peers: Arc<Addresses>,
    pub(crate) clock: Clock,
    pub(crate) plain_style: Style,
    pub(crate) flush: Duration,
    pub(crate) patience: Patience,
}

/// Used again from turn to turn.
struct Buffers {
    read: Vec<u8>,
    requests: Vec<Request>,
    mail: Mail,
    streams: Vec<Stream>,
    due: Vec<ConnectionId>,
}

impl ShardThread {
    pub(crate) fn new(
        shard: Shard<AnySession>,
        listeners: Vec<TcpListener>,
        surroundings: Surroundings,
    ) -> io::Result<ShardThread> {
        let Surroundings { poller, hub, reader, peers, clock, plain_style, flush, patience } = surroundings;
        let room_left = RoomLeft::new(poller);
        let poller = Poller::of(poller)?;
        let mailbox = Arc::new(ShardMailbox::new(Waker::new(&poller, WAKER)?));
        for (nth, listener) in (0..).zip(&listeners) {
            poller.register(listener, Token(LISTENERS - nth), Interest::READ)?;
        }
        Ok(ShardThread {
            shard,
            poller,
            mailbox,
            hub,
            reader,
            peers,
            clock,
            plain_style,
            flush,
            listeners,
            accept_again: None,
            has_run_out: false,
            refusals: Refusals::default(),
            room_left,
            dealt_to: Vec::new(),
            next_dealt: 0,
            sockets: Vec::new(),
            generation: 0,
            draining: Draining::default(),
            sweeps: Sweeps::new(patience),
            has_deferred: false,
            stops_at: None,
            secrets: Secrets::new()?,
            buffers: Buffers {
                read: vec![0; READ_BYTES],
                requests: Vec::new(),
                mail: Mail::default(),
                streams: Vec::new(),
                due: Vec::new(),
            },
        })
    }

    pub(crate) fn mailbox(&self) -> Arc<ShardMailbox> {
        self.mailbox.clone()
    }

    /// Accepted connections are dealt to these shards in turn; this one has to be the first of them.
    pub(crate) fn deal_to(&mut self, shards: &[Arc<ShardMailbox>]) {
        self.dealt_to = shards.to_vec();
    }

    /// Runs until the server has stopped.
    pub(crate) fn run(mut self) {
        if !self.listeners.is_empty() {
            self.room_left.tell_end();
        }
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        while !self.has_stopped() {
            if let Err(error) = self.turn(&mut events) {
                // A poll only fails if the process has no memory left or the program is wrong.
                panic!("the poller failed: {error}");
            }
        }
    }

    fn has_stopped(&self) -> bool {
        let Some(stops_at) = self.stops_at else { return false };
        let nobody_left = self.shard.connections() == 0 && self.draining.is_empty();
        nobody_left || self.clock.now() >= stops_at
    }

    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = self.poll_timeout();
        self.poller.poll(events, timeout)?;
        let now = self.clock.now();
        let mut has_mail = false;
        for event in events.iter() {
            match event.token {
                WAKER => has_mail = true,
                Token(token) if token > LISTENERS - self.listeners.len() as u64 => {
                    self.accept(now, (LISTENERS - token) as usize);
                }
                _ => self.ready(now, event),
            }
        }
        self.post_requests();
        if has_mail {
            self.take_mail(now);
        }
        self.tick(now);
        self.post_requests();
        self.has_deferred = self.defers_flush();
        if !self.has_deferred {
            self.write_due(now);
        }
        self.part_with_the_rest(now);
        self.resume(now);
        self.close_broken(now);
        self.post_requests();
        Ok(())
    }

    /// Whether what is due waits for the next turn, once: the hub is at work on requests of ours, its answer is a few
    /// microseconds away, and one flush for both costs each reader one system call instead of two. Without this, what is
    /// in flight falls into two halves that take turns.
    fn defers_flush(&self) -> bool {
        !self.has_deferred && self.shard.waiting_requests() > 0 && self.stops_at.is_none()
    }

    /// How long to wait for the kernel or the waker: to the next deadline, not long with a flush left over, and not at all for
    /// those who are due since: whoever was read from after the flush may have been told something.
    fn poll_timeout(&self) -> Option<Duration> {
        let deadline = self.next_deadline().map(|at| until(at, self.clock.now()));
        let flush = match (self.has_deferred, self.shard.has_due()) {
            (true, _) => Some(DEFERRAL),
            (false, true) => Some(Duration::ZERO),
            (false, false) => None,
        };
        deadline.into_iter().chain(flush).min()
    }

    fn next_deadline(&self) -> Option<Time> {
        let own = [self.accept_again, self.stops_at, self.sweeps.next_deadline()];
        let told = [self.refusals.next_deadline(), self.room_left.next_deadline()];
        let all = [self.shard.next_deadline(), self.draining.next_deadline()].into_iter();
        let all = all.chain(own).chain(told);
        all.flatten().min()
    }

    fn post_requests(&mut self) {
        if self.shard.has_requests() {
            self.buffers.requests.extend(self.shard.requests());
            self.tell_who_searches();
            self.hub.post(self.buffers.requests.drain(..));
        }
    }

    /// Lets the reader's thread know where those are who are about to search: the hub knows nobody's address.
    fn tell_who_searches(&self) {
        let Some(reader) = &self.reader else { return };
        let searches = |request: &&Request| matches!(request.command, Command::Search { .. });
        for request in self.buffers.requests.iter().filter(searches) {
            // Whoever has been closed meanwhile is not to be remembered.
            if let Speaker::Member(member) = request.speaker
                && let Some(socket) = self.socket_of(member)
            {
                reader.will_search(member, Site::of(socket.ip));
            }
        }
    }

    fn tick(&mut self, now: Time) {
        self.shard.tick(now);
        self.draining.tick(now, &self.poller, &mut self.buffers.read);
        self.refusals.tick(now);
        self.room_left.tick(now);
        if self.sweeps.take_due(now) {
            self.sweep(now);
        }
        if self.accept_again.is_some_and(|at| at <= now) {
            self.accept_again = None;
            self.watch_listeners(Interest::READ);
        }
    }

    // Accepting.

    fn accept(&mut self, now: Time, nth: usize) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(listener) = self.listeners.get(nth) else { return };
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            match rustix::net::acceptfrom_with(listener, flags) {
                Ok((socket, peer)) => {
                    let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                    let Some(peer) = peer else { continue };
                    let stream = Stream { socket, peer };
                    match self.admit(now, &stream) {
                        Ok(()) => self.deal(now, stream),
                        Err(refused) => self.refuse(now, stream, refused),
                    }
                }
                Err(Errno::AGAIN) => return self.nobody_waits(),
                Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                    return self.pause_accepting(now, error);
                }
                // The peer has gone before we came to it, or the call was interrupted: on to the next.
                Err(_) => {}
            }
        }
    }

    /// Whether a connection may come in. It counts as one of its address then, but not if there is no room for it: that is
    /// no fault of the address.
    fn admit(&mut self, now: Time, stream: &Stream) -> Result<(), Refused> {
        if !self.room_left.is_there_for(&stream.socket) {
            self.room_left.refused(now, self.shard.connections());
            return Err(Refused::NoRoom);
        }
        let admitted = self.peers.arrived(now, stream.peer.ip());
        if admitted.is_err() {
            self.refusals.add(now, stream.peer.ip().to_canonical());
        }
        admitted
    }

    /// The descriptors have run out: without a pause the listener would be ready at once again, and the thread would spin.
    /// The log is told once, however often it is tried again before everybody has been let in.
    fn pause_accepting(&mut self, now: Time, error: Errno) {
        if !std::mem::replace(&mut self.has_run_out, true) {
            tracing::warn!(
                connections = self.shard.connections(),
                %error,
                "no descriptors are left; connections wait until some are free (raise the limit with ulimit -n)"
            );
        }
        self.watch_listeners(Interest::NONE);
        self.accept_again = Some(now.after_ms(ACCEPT_PAUSE_MS));
    }

    /// Everybody who waited has been let in.
    fn nobody_waits(&mut self) {
        if std::mem::take(&mut self.has_run_out) {
            tracing::info!(
                connections = self.shard.connections(),
                "there are descriptors again; nobody waits to be let in"
            );
        }
    }

    /// Tells a connection why it is not let in, if its dialect has words for that, and ends it in an orderly way.
    fn refuse(&mut self, now: Time, stream: Stream, refused: Refused) {
        let socket = stream.socket;
        if self.plain_style != Style::Chat || self.draining.len() >= TOLD_WHY_MAX {
            return;
        }
        // A new socket has room for a line; and if the peer is gone, nobody needs to be told.
        let _ = send(&socket, &[IoSlice::new(refused.line().as_bytes())]);
        let token = Token((u64::from(self.next_generation()) << 32) | REFUSED_INDEX);
        if refused == Refused::NoRoom {
            return self.draining.add_unwatched(now, token, socket);
        }
        match self.poller.register(&socket, token, Interest::READ) {
            Ok(()) => self.draining.add(now, &self.poller, token, socket),
            Err(error) => tracing::error!(%error, "a connection cannot be watched"),
        }
    }

    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1) & 0x7fff_ffff;
        self.generation
    }

    fn watch_listeners(&self, interest: Interest) {
        for (nth, listener) in (0..).zip(&self.listeners) {
            if let Err(error) = self.poller.modify(listener, Token(LISTENERS - nth), interest) {
                tracing::error!(%error, "a listener cannot be watched");
            }
        }
    }

    fn deal(&mut self, now: Time, stream: Stream) {
        let shard = self.next_dealt % self.dealt_to.len().max(1);
        self.next_dealt = shard + 1;
        match self.dealt_to.get(shard) {
            Some(mailbox) if shard > 0 => mailbox.hand_over(stream),
            _ => self.open(now, stream),
        }
    }

    fn open(&mut self, now: Time, stream: Stream) {
        let Stream { socket, peer } = stream;
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let guest = fastrand::u32(..100_000);
        let id = self.shard.open(&Arrival { now, peer, guest, secret: self.secrets.next() });
        let generation = self.next_generation();
        let socket = Socket {
            descriptor: socket,
            id,
            generation,
            interest: Interest::READ,
            is_blocked: false,
            has_ended: false,
            is_owed: false,
            ip: peer.ip(),
            port: peer.port(),
        };
        if let Err(error) = self.poller.register(&socket.descriptor, socket.token(), Interest::READ) {
            tracing::error!(%error, "a connection cannot be watched");
            self.shard.closed(id);
            self.peers.left(now, peer.ip());
            return;
        }
        tracing::info!(%peer, connections = self.shard.connections(), "connected");
        if self.sockets.len() <= id.index() {
            self.sockets.resize_with(id.index() + 1, || None);
        }
        self.sockets[id.index()] = Some(socket);
    }

    // Reading.

    fn ready(&mut self, now: Time, event: Event) {
        let Some(id) = self.connection_of(event.token) else {
            self.draining.ready(&self.poller, event.token, &mut self.buffers.read);
            return;
        };
        if event.writable() {
            self.unblock(id);
        }
        if event.readable() {
            self.read(now, id);
        } else if event.hangup() || event.error() {
            self.close(id);
        }
    }

    /// The connection that a token names, if it is still that one.
    fn connection_of(&self, token: Token) -> Option<ConnectionId> {
        let socket = self.sockets.get((token.0 & 0xffff_ffff) as usize)?.as_ref()?;
        (socket.token() == token).then_some(socket.id)
    }

    /// The socket of a member that is here.
    fn socket_of(&self, member: MemberId) -> Option<&Socket> {
        let socket = self.sockets.get(connection_index(member))?.as_ref()?;
        (self.shard.member(socket.id) == Some(member)).then_some(socket)
    }

    fn socket_mut(&mut self, id: ConnectionId) -> Option<&mut Socket> {
        self.sockets.get_mut(id.index())?.as_mut()
    }

    fn read(&mut self, now: Time, id: ConnectionId) {
        if !self.shard.wants_input(id) {
            return self.watch(id, Interest::NONE);
        }
        let Some(socket) = self.sockets.get(id.index()).and_then(Option::as_ref) else { return };
        if socket.has_ended {
            return;
        }
        match rustix::io::read(&socket.descriptor, &mut self.buffers.read[..]) {
            Ok(0) => self.peer_has_ended(now, id),
            Ok(count) => self.shard.received(now, id, &self.buffers.read[..count]),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.close(id),
        }
    }

    /// The peer sends nothing more, but may still want to read: `printf hi | nc -N` does.
    fn peer_has_ended(&mut self, now: Time, id: ConnectionId) {
        if let Some(socket) = self.socket_mut(id) {
            socket.has_ended = true;
        }
        self.watch(id, Interest::NONE);
        self.shard.ended(now, id);
    }

    /// Asks for readability as in `reading`, and for writability while a write was short.
    fn watch(&mut self, id: ConnectionId, reading: Interest) {
        let Some(socket) = self.sockets.get_mut(id.index()).and_then(Option::as_mut) else { return };
        let interest = match (reading.reads() && !socket.has_ended, socket.is_blocked) {
            (true, true) => Interest::BOTH,
            (true, false) => Interest::READ,
            (false, true) => Interest::WRITE,
            (false, false) => Interest::NONE,
        };
        if interest == socket.interest {
            return;
        }
        socket.interest = interest;
        if let Err(error) = self.poller.modify(&socket.descriptor, socket.token(), interest) {
            tracing::error!(%error, "a connection cannot be watched");
            self.close(id);
        }
    }

    /// Reads again from those who were paused, at once and in this order: if the poller were asked first, those who were
    /// not paused would come before them in each turn.
    fn resume(&mut self, now: Time) {
        let mut resumed = std::mem::take(&mut self.buffers.due);
        self.shard.take_resumed(&mut resumed);
        for id in &resumed {
            if self.shard.wants_input(*id) {
                self.watch(*id, Interest::READ);
                self.read(now, *id);
            }
        }
        self.buffers.due = resumed;
    }

    // Mail.

    fn take_mail(&mut self, now: Time) {
        let mut mail = std::mem::take(&mut self.buffers.mail);
        let mut streams = std::mem::take(&mut self.buffers.streams);
        let orders = self.mailbox.take(&mut mail, &mut streams);
        if let Some(options) = orders.options {
            self.reload(&options);
        }
        let mut told = mail.told.drain(..);
        while self.shard.deliver_portion(now, &mut told) == Delivered::Portion {
            // Mail may be more than anybody may lag behind. Whoever reads in time is not to miss any of it.
            self.write_due(now);
        }
        drop(told);
        self.shard.acknowledge(&mut mail);
        for stream in streams.drain(..) {
            self.open(now, stream);
        }
        self.buffers.mail = mail;
        self.buffers.streams = streams;
        match orders.stopping {
            Some(Stopping::LastCall) => self.hear_last_words(now),
            Some(Stopping::Over) => self.stop(now),
            None => {}
        }
    }

    /// Puts new options in force: the one place where this thread takes them, between two turns. What connections that are
    /// here were made with stays as it was.
    fn reload(&mut self, options: &Options) {
        self.shard.set_limits(options.limits);
        self.shard.set_lines_per_second(options.lines_per_second);
        self.flush = options.flush;
    }

    // Stopping.

    /// Nobody is let in any more. What has arrived by now was said in time, though not a poll has told of it.
    fn hear_last_words(&mut self, now: Time) {
        for listener in std::mem::take(&mut self.listeners) {
            close(&self.poller, listener.into());
        }
        self.accept_again = None;
        let here: Vec<_> = self.sockets.iter().flatten().map(|socket| socket.id).collect();
        for _ in 0..LAST_READS {
            self.shard.last_call(now);
            for id in &here {
                self.read(now, *id);
            }
        }
        self.shard.last_call(now);
        self.post_requests();
        self.hub.close_shard();
    }

    fn stop(&mut self, now: Time) {
        self.stops_at = Some(now.after_ms(self.flush.as_millis() as u64));
        self.shard.shutdown();
    }

    /// When everything has been told, and nobody is left whose socket has to take more of it, those who are still here wait for
    /// something to become durable that could not be written down. That will not come any more.
    fn part_with_the_rest(&mut self, now: Time) {
        let is_blocked = |socket: &Socket| socket.is_blocked;
        if self.stops_at.is_none() || self.shard.has_due() || self.sockets.iter().flatten().any(is_blocked) {
            return;
        }
        let rest: Vec<_> = self.sockets.iter().flatten().map(|socket| socket.id).collect();
        for id in rest {
            self.finish(now, id);
        }
    }

    // Writing.

    fn write_due(&mut self, now: Time) {
        let mut due = std::mem::take(&mut self.buffers.due);
        self.shard.take_due(&mut due);
        for id in &due {
            self.write(now, *id);
        }
        self.buffers.due = due;
        self.shard.settle();
    }

    /// Writes what a connection is due, until there is nothing more or the socket takes no more.
    fn write(&mut self, now: Time, id: ConnectionId) {
        if self.socket_mut(id).is_none_or(|socket| socket.is_blocked) {
            return;
        }
        loop {
            match self.shard.plan(id) {
                Due::Nothing => return,
                Due::Over => return self.finish(now, id),
                Due::Bytes => {}
            }
            let Some(socket) = self.sockets.get_mut(id.index()).and_then(Option::as_mut) else { return };
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let count = self.shard.slices(id, &mut slices);
            let offered: usize = slices[..count].iter().map(|slice| slice.len()).sum();
            match send(&socket.descriptor, &slices[..count]) {
                Ok(taken) => {
                    socket.is_owed = true;
                    self.sweeps.arm(now);
                    self.shard.taken(id, taken);
                    if taken < offered {
                        return self.block(id);
                    }
                }
                Err(Errno::AGAIN) => return self.block(id),
                Err(Errno::INTR) => {}
                Err(_) => return self.close(id),
            }
        }
    }

    fn block(&mut self, id: ConnectionId) {
        self.set_blocked(id, Writing::Blocked);
    }

    fn unblock(&mut self, id: ConnectionId) {
        self.set_blocked(id, Writing::Free);
        self.shard.mark_due(id);
    }

    fn set_blocked(&mut self, id: ConnectionId, writing: Writing) {
        let Some(socket) = self.socket_mut(id) else { return };
        socket.is_blocked = writing == Writing::Blocked;
        let reading = if socket.interest.reads() { Interest::READ } else { Interest::NONE };
        self.watch(id, reading);
    }

    // Vanishing.

    /// Looks whether those to whom something may be on its way are still there, and closes those who are not.
    fn sweep(&mut self, now: Time) {
        let mut vanished = std::mem::take(&mut self.buffers.due);
        vanished.clear();
        for socket in self.sockets.iter_mut().flatten().filter(|socket| socket.is_owed) {
            // A socket that cannot be asked is broken, and the poller says so.
            let Ok(signs) = eventloop::signs_of_life(&socket.descriptor) else { continue };
            match self.sweeps.patience().judge(signs) {
                Verdict::HasEverything => socket.is_owed = false,
                Verdict::MayBeThere => self.sweeps.arm(now),
                Verdict::HasVanished => vanished.push(socket.id),
            }
        }
        for id in &vanished {
            self.cut(*id);
        }
        self.buffers.due = vanished;
    }

    /// The peer has vanished. The kernel would keep what it has not taken and send it again for minutes.
    fn cut(&mut self, id: ConnectionId) {
        let Some(socket) = self.socket_mut(id) else { return };
        if let Err(error) = sockopt::set_socket_linger(&socket.descriptor, Some(Duration::ZERO)) {
            tracing::warn!(%error, "a connection cannot be reset");
        }
        self.close(id);
    }

    // Closing.

    /// Everything has been written: the connection ends in an orderly way.
    fn finish(&mut self, now: Time, id: ConnectionId) {
        let Some(socket) = self.forget(id) else { return };
        if socket.has_ended {
            close(&self.poller, socket.descriptor);
        } else {
            let token = socket.token();
            self.draining.add(now, &self.poller, token, socket.descriptor);
        }
    }

    /// The connection is broken.
    fn close(&mut self, id: ConnectionId) {
        if let Some(socket) = self.forget(id) {
            close(&self.poller, socket.descriptor);
        }
    }

    /// Those whose code has panicked are closed; what was written to them before still arrives.
    fn close_broken(&mut self, now: Time) {
        let mut broken = std::mem::take(&mut self.buffers.due);
        self.shard.take_broken(&mut broken);
        for id in &broken {
            self.finish(now, *id);
        }
        self.buffers.due = broken;
        panics::log_sessions();
    }

    fn forget(&mut self, id: ConnectionId) -> Option<Socket> {
        let socket = self.sockets.get_mut(id.index())?.take()?;
        if let (Some(reader), Some(member)) = (&self.reader, self.shard.member(id)) {
            reader.left(member);
        }
        self.shard.closed(id);
        self.peers.left(self.clock.now(), socket.ip);
        tracing::info!(peer = %SocketAddr::new(socket.ip, socket.port), connections = self.shard.connections(), "offline");
        Some(socket)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Blocked,
    Free,
}

impl Socket {
    fn token(&self) -> Token {
        Token((u64::from(self.generation) << 32) | self.id.index() as u64)
    }
}

/// Writes without waiting and without a signal if the peer is gone. One slice needs no message header.
fn send(socket: &OwnedFd, slices: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    match slices {
        [slice] => rustix::net::send(socket, slice, flags),
        _ => rustix::net::sendmsg(socket, slices, &mut SendAncillaryBuffer::default(), flags),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_takes_no_more_of_the_table_than_it_must() {
        assert_eq!(size_of::<Option<Socket>>(), 36);
    }
}
