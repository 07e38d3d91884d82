//! A shard: connections with their sessions, the feeds that they read, and what travels between them and the desk.
//!
//! Bytes that arrived become requests ([`Shard::received`], [`Shard::requests`]); mail becomes entries of feeds and private
//! words ([`Shard::deliver`]); whoever is due is planned and its bytes are handed out ([`Shard::take_due`], [`Shard::plan`],
//! [`Shard::slices`], [`Shard::taken`]). An event is rendered once for each rendition that somebody here reads.

use crate::connection_index;
use crate::desk::{Mail, Request};
use dialect::{Arrival, ByOrigin, Flow, Output, Own, Session, Setup, Skipped, SkippedPlace};
use feed::{Bounds, Detour, Entry, Feeds, Holding, Kind, LogId, Plan, ReaderId, Release};
use hub::{Audience, Command, Event, Hearing, MemberId, RoomNumber, Sequence, Speaker, Time, Told};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::IoSlice;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The bounds of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of its feeds.
    pub feeds: Bounds,
    /// While more than this waits for a connection alone, nothing is read from it.
    pub private_bytes_max: usize,
    /// While the desk has requests of more than this weight to take, nothing is read at all.
    pub requests_max: usize,
    /// What a filter takes at a time.
    pub filter_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            feeds: Bounds::default(),
            private_bytes_max: 64 * 1024,
            requests_max: 16 * 1024,
            filter_bytes_max: 16 * 1024,
        }
    }
}

/// What a connection has to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// [`Shard::slices`] has something for it.
    Bytes,
    /// Nothing at the moment.
    Nothing,
    /// Nothing any more: it can be closed.
    Over,
}

/// How much of some mail was delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivered {
    /// All.
    All,
    /// A portion; there may be more.
    Portion,
}

/// A portion of mail is this part of what somebody may lag behind, so that its last entry, however long, does not matter, not
/// even to somebody who waits for a receipt and therefore lags by as much as the feeds let it.
const PORTIONS_PER_LAG: usize = 4;
/// What a log needs for an entry beside its bytes, or more.
const ENTRY_BYTES: usize = 32;

/// Connections, sessions and feeds of one I/O thread. A connection is named by its reader.
#[derive(Debug)]
pub struct Shard<S: Session> {
    index: u8,
    setup: Setup,
    limits: Limits,
    feeds: Feeds,
    connections: Vec<Option<Connection<S>>>,
    connection_count: usize,
    /// The logs of each room that somebody here is in, one for each rendition.
    rooms: HashMap<RoomNumber, Vec<(S::Rendition, LogId)>>,
    /// The direct messages of those who ever got one.
    inboxes: HashMap<MemberId, LogId>,
    /// What each log is, by its label.
    places: HashMap<u64, Place<S::Rendition>>,
    next_label: u64,
    next_member: u64,
    /// Of the last event that was delivered: where words that answer nothing belong.
    position: u64,
    requests: Vec<Request>,
    /// The weight of the requests that the desk has not taken yet.
    waiting_requests: usize,
    /// The weight of those that have not been handed out yet.
    unposted_requests: usize,
    deadlines: BTreeSet<(Time, ReaderId)>,
    /// Connections that were found not to want input, in the order in which that was found: whoever has waited longest is
    /// read from first, or a few who flood would use up what the desk can take, turn after turn. Some may have gone or be
    /// here twice: the connection says whether it is paused.
    paused: VecDeque<ReaderId>,
    /// Whether something has happened since that may have changed that.
    may_resume: bool,
    /// Connections whose sessions have panicked and that have not been closed yet. Some may have gone since.
    broken: Vec<ReaderId>,
    output: Output,
    rendered: Vec<u8>,
    /// So much was appended to logs since those who are due were named last.
    appended_bytes: usize,
}

#[derive(Debug)]
struct Connection<S> {
    /// None if it has panicked: it is not called any more.
    session: Option<S>,
    member: MemberId,
    id: ReaderId,
    /// Whether it is closed when all has been written.
    ending: Ending,
    /// Has been told something since [`Session::drained`].
    was_told: bool,
    /// Was found not to want input.
    is_paused: bool,
    /// What a filter made of what was taken, if the session filters.
    filtered: Option<Box<Filtered>>,
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    /// It does not.
    GoesOn,
    /// Its session said nothing when it closed it.
    Silently,
    /// Its session closed it with words, behind which nothing comes.
    WithLastWords,
}

/// What a filter is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// What was planned.
    Planned,
    /// Nothing: it has something of its own to write.
    Nothing,
}

#[derive(Debug, Default)]
struct Filtered {
    bytes: Vec<u8>,
    taken: usize,
}

#[derive(Clone, Copy, Debug)]
enum Place<R> {
    Room(RoomNumber, R),
    Inbox(MemberId),
}

impl<S: Session> Shard<S> {
    /// A shard without connections.
    pub fn new(index: u8, setup: Setup, limits: Limits, release: Release) -> Shard<S> {
        Shard {
            index,
            setup,
            limits,
            feeds: Feeds::new(limits.feeds, release),
            connections: Vec::new(),
            connection_count: 0,
            rooms: HashMap::new(),
            inboxes: HashMap::new(),
            places: HashMap::new(),
            next_label: 0,
            next_member: 0,
            position: 0,
            requests: Vec::new(),
            waiting_requests: 0,
            unposted_requests: 0,
            deadlines: BTreeSet::new(),
            paused: VecDeque::new(),
            may_resume: false,
            broken: Vec::new(),
            output: Output::default(),
            rendered: Vec::new(),
            appended_bytes: 0,
        }
    }

    /// Changes the bounds, with effect on the connections that are here, too.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.feeds.set_bounds(limits.feeds);
        // A wider bound may let those go on who wait.
        self.may_resume = !self.paused.is_empty();
    }

    /// Changes how many lines a second one connection may send.
    pub fn set_lines_per_second(&mut self, lines_per_second: ByOrigin<u32>) {
        self.setup.lines_per_second = lines_per_second;
    }

    // Connections and what they send.

    /// A connection was accepted.
    pub fn open(&mut self, arrival: &Arrival) -> ReaderId {
        let id = self.feeds.add_reader();
        let member = self.mint(id);
        let connection = Connection {
            session: None,
            member,
            id,
            ending: Ending::GoesOn,
            was_told: false,
            is_paused: false,
            filtered: None,
        };
        if self.connections.len() <= id.index() {
            self.connections.resize_with(id.index() + 1, || None);
        }
        self.connections[id.index()] = Some(connection);
        self.connection_count += 1;
        self.begin_session(id, arrival);
        id
    }

    fn begin_session(&mut self, id: ReaderId, arrival: &Arrival) {
        let begun = guarded(|| {
            let session = S::new(&self.setup, arrival);
            let deadline = session.deadline();
            (session, deadline)
        });
        match begun {
            Ok((session, deadline)) => {
                if let Some(connection) = self.connection_mut(id) {
                    connection.session = Some(session);
                }
                self.deadlines.extend(deadline.map(|at| (at, id)));
            }
            Err(Panicked) => self.break_off(id),
        }
    }

    /// The index of the connection stands in its member's id, so that a member is found without a search; the count before
    /// it makes the id unique.
    fn mint(&mut self, id: ReaderId) -> MemberId {
        self.next_member += 1;
        connection_index::mint(self.index, self.next_member, id.index())
    }

    /// The connection of a member, if it is still here.
    fn connection_of(&self, member: MemberId) -> Option<ReaderId> {
        let connection = self.connections.get(connection_index::connection_index(member))?.as_ref()?;
        (connection.member == member).then_some(connection.id)
    }

    /// Bytes have arrived.
    pub fn received(&mut self, now: Time, id: ReaderId, bytes: &[u8]) {
        self.with_session(id, |session, setup, output| session.received(now, setup, bytes, output));
    }

    /// The peer will send nothing more.
    pub fn ended(&mut self, now: Time, id: ReaderId) {
        self.with_session(id, |session, setup, output| session.ended(now, setup, output));
    }

    /// The connection is closed, from whichever side: it is forgotten, and its member quits.
    pub fn closed(&mut self, id: ReaderId) {
        let Some(connection) = self.connections.get_mut(id.index()).and_then(Option::take) else { return };
        match connection.session.as_ref().map(|session| guarded(|| session.deadline())) {
            Some(Ok(deadline)) => self.forget_deadline(id, deadline),
            // Nobody knows: it is looked for.
            Some(Err(Panicked)) | None => self.deadlines.retain(|(_, of)| *of != id),
        }
        self.connection_count -= 1;
        self.inboxes.remove(&connection.member);
        self.feeds.remove_reader(id);
        self.forget_closed_logs();
        self.ask(connection.member, Command::Quit { reason: String::new() });
        drop_session(connection.session);
    }

    fn forget_deadline(&mut self, id: ReaderId, deadline: Option<Time>) {
        if let Some(at) = deadline {
            self.deadlines.remove(&(at, id));
        }
    }

    /// The session of a connection has panicked. It is not called again, nothing of what it wanted is done, and the
    /// connection gets nothing more; [`Shard::take_broken`] names it.
    fn break_off(&mut self, id: ReaderId) {
        self.output = Output::default();
        self.deadlines.retain(|(_, of)| *of != id);
        if let Some(connection) = self.connection_mut(id) {
            drop_session(connection.session.take());
            connection.filtered = None;
        }
        self.broken.push(id);
    }

    /// The connections whose code has panicked since the last time: to be closed. To be asked once a turn.
    pub fn take_broken(&mut self, broken: &mut Vec<ReaderId>) {
        broken.clear();
        std::mem::swap(&mut self.broken, broken);
        // The index of one that was closed in the meantime may be somebody else's by now.
        broken.retain(|id| self.connection(*id).is_some_and(|connection| connection.session.is_none()));
    }

    /// Whether to read from the connection. If not, [`Shard::take_resumed`] names it when that has changed.
    pub fn wants_input(&mut self, id: ReaderId) -> bool {
        let wants = self.would_read(id);
        if !wants
            && let Some(connection) = self.connection_mut(id)
            && !std::mem::replace(&mut connection.is_paused, true)
        {
            self.paused.push_back(id);
        }
        wants
    }

    fn would_read(&mut self, id: ReaderId) -> bool {
        // What has not been posted yet counts, too: a turn may read from a thousand connections before it posts.
        self.waiting_requests + self.unposted_requests < self.limits.requests_max
            && self.connection(id).is_some_and(|connection| connection.ending == Ending::GoesOn)
            && self.ask_session(id, S::wants_input).unwrap_or(false)
            && self.feeds.private_bytes(id) < self.limits.private_bytes_max
    }

    /// The connections that were paused and want input again, those first that were paused first. Read from them in this
    /// order, and ask [`Shard::wants_input`] before each: what is read from one may be all that the desk can take.
    pub fn take_resumed(&mut self, resumed: &mut Vec<ReaderId>) {
        resumed.clear();
        if std::mem::take(&mut self.may_resume) {
            for id in std::mem::take(&mut self.paused) {
                self.resume_or_keep(id, resumed);
            }
        }
    }

    fn resume_or_keep(&mut self, id: ReaderId, resumed: &mut Vec<ReaderId>) {
        let would_read = self.would_read(id);
        let Some(connection) = self.connection_mut(id).filter(|connection| connection.is_paused) else {
            return;
        };
        if would_read {
            connection.is_paused = false;
            resumed.push(id);
        } else {
            self.paused.push_back(id);
        }
    }

    /// When [`Shard::tick`] is next to be called.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Lets every session act whose deadline has come.
    pub fn tick(&mut self, now: Time) {
        while let Some((at, id)) = self.deadlines.first().copied()
            && at <= now
        {
            self.deadlines.pop_first();
            self.with_session(id, |session, setup, output| session.tick(now, setup, output));
            self.may_resume |= !self.paused.is_empty();
        }
    }

    /// The server is about to stop: whoever was too fast is not held back any more.
    pub fn last_call(&mut self, now: Time) {
        for id in self.all() {
            self.with_session(id, |session, setup, output| session.last_call(now, setup, output));
        }
    }

    /// The server stops: everybody is told, and is over when it has been written.
    pub fn shutdown(&mut self) {
        for id in self.all() {
            self.with_session(id, |session, _, output| session.shutdown(output));
        }
    }

    fn all(&self) -> Vec<ReaderId> {
        self.connections.iter().flatten().map(|connection| connection.id).collect()
    }

    /// Whether there are requests for the desk.
    pub fn has_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    /// The requests since the last time, for the desk.
    pub fn requests(&mut self) -> std::vec::Drain<'_, Request> {
        self.waiting_requests += std::mem::take(&mut self.unposted_requests);
        self.requests.drain(..)
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.connection_count
    }

    /// Who the connection is to the hub.
    pub fn member(&self, id: ReaderId) -> Option<MemberId> {
        Some(self.connection(id)?.member)
    }

    /// How many logs its feeds have: one for each room and rendition that is read here, and inboxes.
    pub fn logs(&self) -> usize {
        self.feeds.logs()
    }

    /// What its feeds keep for cursors that lag, in bytes.
    pub fn kept_bytes(&self) -> usize {
        self.feeds.kept_bytes()
    }

    /// What waits for a connection alone, in bytes.
    pub fn private_bytes(&self, id: ReaderId) -> usize {
        self.feeds.private_bytes(id)
    }

    /// The weight of the requests that were handed out and that the desk has not taken yet.
    pub fn waiting_requests(&self) -> usize {
        self.waiting_requests
    }

    // What they are told.

    /// Takes in what the desk has sent, all at once.
    pub fn deliver(&mut self, now: Time, mail: &mut Mail) {
        let mut told = mail.told.drain(..);
        while self.deliver_portion(now, &mut told) == Delivered::Portion {}
        drop(told);
        self.acknowledge(mail);
    }

    /// Takes in of what the desk has sent only so much that nobody who reads it at once falls behind the lag bound by it:
    /// serve those who are due before the next portion. [`Shard::acknowledge`] belongs behind the last.
    pub fn deliver_portion(&mut self, now: Time, mail: &mut impl Iterator<Item = Told>) -> Delivered {
        for told in mail {
            self.tell(now, &told);
            if self.appended_bytes > self.limits.feeds.lag_bytes_max / PORTIONS_PER_LAG {
                return Delivered::Portion;
            }
        }
        Delivered::All
    }

    /// Takes in what mail says beside what is told.
    pub fn acknowledge(&mut self, mail: &mut Mail) {
        self.feeds.durable(mail.durable.0);
        mail.durable_grew = false;
        self.waiting_requests = self.waiting_requests.saturating_sub(std::mem::take(&mut mail.taken));
        self.may_resume = !self.paused.is_empty();
    }

    fn tell(&mut self, now: Time, told: &Told) {
        // Pages of the past come late, and belong where they were granted.
        self.position = self.position.max(told.position.0);
        if let Event::JournalIs { trouble } = &told.event {
            // While nothing becomes durable, nobody waits for that. What one is told who comes in meanwhile changes nothing.
            if !matches!(told.audience, Audience::Member(_)) {
                self.feeds.set_holding(if trouble.is_some() { Holding::Passes } else { Holding::Waits });
            }
            return self.tell_trouble(told);
        }
        match &told.audience {
            Audience::Member(member) => self.tell_member(now, *member, told),
            Audience::Room(room) => self.tell_room(*room, told),
            Audience::Rooms(rooms) => {
                for room in rooms {
                    self.tell_room(*room, told);
                }
            }
            Audience::Inboxes([recipient, author]) => {
                self.tell_inbox(*recipient, told);
                // Alone with what was said, if the other one has gone.
                if author != recipient {
                    self.tell_inbox(*author, told);
                }
            }
        }
    }

    /// Everybody who reads anything hears how the journal is, however much it lags; or one who has just come in.
    fn tell_trouble(&mut self, told: &Told) {
        let audience = match &told.audience {
            Audience::Member(member) => self.connection_of(*member).into_iter().collect(),
            _ => self.all(),
        };
        for id in audience {
            let Some(rendition) = self.ask_session(id, S::rendition) else { continue };
            if self.feeds.reads_anything(id) {
                self.rendered.clear();
                S::render(rendition, &self.setup, told, &mut self.rendered);
                self.feeds.tell(id, told.position.0, &self.rendered);
            }
        }
    }

    fn tell_member(&mut self, now: Time, member: MemberId, told: &Told) {
        let Some(id) = self.connection_of(member) else { return };
        match &told.event {
            Event::Admitted(view) => self.begin(id, view.room.number, view.upto),
            Event::Dismissed { room } => self.end(id, room.number),
            Event::Ignoring { other, hearing: Hearing::Nothing } => {
                self.feeds.ignore(id, other.member.number());
            }
            Event::Ignoring { other, hearing: Hearing::Everything } => {
                self.feeds.hear(id, other.member.number());
            }
            _ => {}
        }
        if let Some(connection) = self.connection_mut(id) {
            connection.was_told = true;
        }
        let position = told.position.0;
        self.with_session_at(id, position, |session, setup, output| session.told(now, setup, told, output));
    }

    fn begin(&mut self, id: ReaderId, room: RoomNumber, upto: Sequence) {
        let Some(rendition) = self.ask_session(id, S::rendition) else { return };
        let known = self.rooms.get(&room).and_then(|logs| logs.iter().find(|(of, _)| *of == rendition));
        let log = if let Some((_, log)) = known {
            // Whoever left without having read everything keeps the log, but not the desk's mail for the room.
            self.feeds.went_on(*log, upto.0);
            *log
        } else {
            let log = self.open_log(Place::Room(room, rendition), upto);
            self.rooms.entry(room).or_default().push((rendition, log));
            log
        };
        self.feeds.begin(id, log);
    }

    fn end(&mut self, id: ReaderId, room: RoomNumber) {
        for (_, log) in self.rooms.get(&room).into_iter().flatten() {
            self.feeds.end(id, *log);
        }
        self.forget_closed_logs();
    }

    fn open_log(&mut self, place: Place<S::Rendition>, upto: Sequence) -> LogId {
        let label = self.next_label;
        self.next_label += 1;
        self.places.insert(label, place);
        self.feeds.open_log(label, upto.0)
    }

    fn forget_closed_logs(&mut self) {
        while let Some(label) = self.feeds.next_closed() {
            match self.places.remove(&label) {
                Some(Place::Room(room, rendition)) => self.forget_log(room, rendition),
                Some(Place::Inbox(member)) => {
                    self.inboxes.remove(&member);
                }
                None => {}
            }
        }
    }

    fn forget_log(&mut self, room: RoomNumber, rendition: S::Rendition) {
        let Some(logs) = self.rooms.get_mut(&room) else { return };
        logs.retain(|(of, _)| *of != rendition);
        if logs.is_empty() {
            self.rooms.remove(&room);
        }
    }

    fn tell_room(&mut self, room: RoomNumber, told: &Told) {
        let count = self.rooms.get(&room).map_or(0, Vec::len);
        for nth in 0..count {
            let log = self.rooms.get(&room).and_then(|logs| logs.get(nth)).copied();
            if let Some((rendition, log)) = log {
                let own = told.event.author().and_then(|author| self.own(author, rendition, told));
                self.append(rendition, log, told, own);
            }
        }
    }

    /// The recipient reads a direct message in its inbox; so does its author, unless its dialect steps over it.
    fn tell_inbox(&mut self, member: MemberId, told: &Told) {
        let Some(id) = self.connection_of(member) else { return };
        let Some(rendition) = self.ask_session(id, S::rendition) else { return };
        let is_author = told.event.author() == Some(member);
        let own = if is_author { self.own(member, rendition, told) } else { None };
        if let Some((_, Detour::StepOver)) = own {
            return;
        }
        let log = self.inbox(member, id);
        self.append(rendition, log, told, own);
    }

    fn inbox(&mut self, member: MemberId, id: ReaderId) -> LogId {
        if let Some(log) = self.inboxes.get(&member) {
            return *log;
        }
        let log = self.open_log(Place::Inbox(member), Sequence(0));
        self.inboxes.insert(member, log);
        self.feeds.begin(id, log);
        log
    }

    /// What the author's own cursor does with an event, if it is here and reads this rendition.
    fn own(&mut self, author: MemberId, rendition: S::Rendition, told: &Told) -> Option<(ReaderId, Detour)> {
        let id = self.connection_of(author)?;
        let called = self.call(id, |session, _, _| {
            let before = session.deadline();
            let own = (session.rendition() == rendition).then(|| session.own(author, told));
            (own, before, session.deadline())
        });
        let (own, before, deadline) = called?;
        // What it did may be what its next line waited for.
        if deadline != before {
            self.forget_deadline(id, before);
            self.deadlines.extend(deadline.map(|at| (at, id)));
        }
        let detour = match own? {
            Own::StepOver => Detour::StepOver,
            Own::Show => Detour::Show,
            Own::Hold(bytes) => Detour::Hold(bytes),
        };
        Some((id, detour))
    }

    /// Renders an event once and appends it for all readers of a log.
    fn append(&mut self, rendition: S::Rendition, log: LogId, told: &Told, own: Option<(ReaderId, Detour)>) {
        self.rendered.clear();
        S::render(rendition, &self.setup, told, &mut self.rendered);
        if self.rendered.is_empty() {
            return;
        }
        let entry = Entry {
            position: told.position.0,
            sequence: told.event.sequence().map(|sequence| sequence.0),
            author: told.event.author().map(MemberId::number),
            kind: if told.event.is_message() { Kind::Message } else { Kind::Notice },
        };
        self.feeds.append(log, entry, &self.rendered);
        self.appended_bytes += self.rendered.len() + ENTRY_BYTES;
        if let Some((id, detour)) = own {
            self.feeds.detour(id, log, detour);
        }
    }

    // What goes out.

    /// The connections that may have something to write, in the order in which they should be served.
    pub fn take_due(&mut self, due: &mut Vec<ReaderId>) {
        self.appended_bytes = 0;
        self.feeds.take_due(due);
    }

    /// Whether there may be somebody.
    pub fn has_due(&self) -> bool {
        self.feeds.has_due()
    }

    /// To be called when those who were due have been served.
    pub fn settle(&mut self) {
        // What was stepped over waits no more, though nothing of it was taken.
        self.may_resume |= !self.paused.is_empty();
        self.feeds.settle();
        self.forget_closed_logs();
    }

    /// Asks for a connection to be served again, because its socket has room again.
    pub fn mark_due(&mut self, id: ReaderId) {
        self.feeds.mark_due(id);
    }

    /// Finds out what the connection has to write next.
    pub fn plan(&mut self, id: ReaderId) -> Due {
        match self.ask_session(id, S::filters) {
            None => Due::Nothing,
            Some(false) => self.plan_direct(id),
            Some(true) => self.plan_filtered(id),
        }
    }

    fn plan_filtered(&mut self, id: ReaderId) -> Due {
        // Asked once: a filter that has something of its own to write writes all of it.
        let Some(mut is_due) = self.ask_session(id, S::filter_is_due) else { return Due::Nothing };
        loop {
            if self.connection(id).is_some_and(|connection| connection.filtered.is_some()) {
                return Due::Bytes;
            }
            let due = self.plan_direct(id);
            match due {
                Due::Bytes => self.filter(id, Taken::Planned),
                Due::Nothing | Due::Over if is_due => {
                    self.filter(id, Taken::Nothing);
                    is_due = false;
                }
                Due::Nothing | Due::Over => return due,
            }
            if self.is_broken(id) {
                return Due::Nothing;
            }
        }
    }

    fn plan_direct(&mut self, id: ReaderId) -> Due {
        loop {
            match self.feeds.plan(id) {
                Plan::Bytes => return Due::Bytes,
                Plan::Jumped(skipped) => {
                    self.tell_skipped(id, skipped);
                    if self.is_broken(id) {
                        return Due::Nothing;
                    }
                }
                Plan::Held => return Due::Nothing,
                Plan::Owed => {
                    // It is not over before it was shown that, too; unless it was shown its last words, because nothing can
                    // be written down: that may last, and nobody waits for what comes behind them.
                    if !self.drained(id) {
                        return if self.has_passed_last_words(id) { Due::Over } else { Due::Nothing };
                    }
                }
                Plan::Nothing => {
                    if !self.drained(id) {
                        return if self.is_over(id) { Due::Over } else { Due::Nothing };
                    }
                }
            }
        }
    }

    fn is_broken(&self, id: ReaderId) -> bool {
        self.connection(id).is_none_or(|connection| connection.session.is_none())
    }

    /// Whether last words were among what it was told alone and has been shown: they did not wait for what it is owed.
    fn has_passed_last_words(&self, id: ReaderId) -> bool {
        let was_told = |connection: &Connection<S>| connection.ending == Ending::WithLastWords;
        self.feeds.holding() == Holding::Passes && self.connection(id).is_some_and(was_told)
    }

    fn is_over(&self, id: ReaderId) -> bool {
        self.connection(id).is_none_or(|connection| connection.ending != Ending::GoesOn)
    }

    /// Lets the session go on with a long answer. Returns whether it had more words at once.
    fn drained(&mut self, id: ReaderId) -> bool {
        let Some(connection) = self.connection_mut(id) else { return false };
        if !std::mem::take(&mut connection.was_told) {
            return false;
        }
        self.with_session(id, |session, _, output| session.drained(output));
        self.feeds.private_bytes(id) > 0
    }

    fn tell_skipped(&mut self, id: ReaderId, skipped: feed::Skipped) {
        if skipped.entries == 0 {
            return;
        }
        let place = match self.places.get(&skipped.label) {
            Some(Place::Room(room, _)) => SkippedPlace::Room(*room),
            Some(Place::Inbox(_)) => SkippedPlace::Inbox,
            None => return,
        };
        let (from, to) = (Sequence(skipped.from), Sequence(skipped.to));
        let told = Skipped { place, messages: skipped.messages, from, to };
        // In front of what concerns the reader itself and is shown all the same, and of answers, which knew of what was missed.
        self.with_session_at(id, skipped.behind, |session, _, output| session.skipped(&told, output));
    }

    /// Lets the session's filter make its bytes of what comes next. It may keep a part of it back, so that there are none.
    fn filter(&mut self, id: ReaderId, taken: Taken) {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let count = match taken {
            Taken::Planned => self.feeds.slices(&mut slices),
            Taken::Nothing => 0,
        };
        let mut left = self.limits.filter_bytes_max;
        let mut taken: [&[u8]; SLICES_MAX] = [&[]; SLICES_MAX];
        for (slot, slice) in taken.iter_mut().zip(&slices[..count]) {
            *slot = &slice[..slice.len().min(left)];
            left -= slot.len();
        }
        let Some(connection) = self.connections.get_mut(id.index()).and_then(Option::as_mut) else { return };
        let Some(session) = &mut connection.session else { return };
        let mut filtered = Filtered::default();
        if guarded(|| session.filter(&taken[..count], &mut filtered.bytes)) == Err(Panicked) {
            return self.break_off(id);
        }
        if !filtered.bytes.is_empty() {
            connection.filtered = Some(Box::new(filtered));
        }
        if count > 0 {
            self.feeds.taken(self.limits.filter_bytes_max - left);
        }
    }

    /// Fills `slices` with what was planned and returns how many were filled.
    pub fn slices<'a>(&'a self, id: ReaderId, slices: &mut [IoSlice<'a>]) -> usize {
        let filtered = self.connection(id).and_then(|connection| connection.filtered.as_ref());
        match (filtered, slices.first_mut()) {
            (Some(filtered), Some(slot)) => {
                *slot = IoSlice::new(&filtered.bytes[filtered.taken..]);
                1
            }
            _ => self.feeds.slices(slices),
        }
    }

    /// So many of the bytes that were handed out have been written.
    pub fn taken(&mut self, id: ReaderId, bytes: usize) {
        let Some(connection) = self.connections.get_mut(id.index()).and_then(Option::as_mut) else { return };
        self.may_resume |= !self.paused.is_empty();
        let Some(filtered) = &mut connection.filtered else { return self.feeds.taken(bytes) };
        filtered.taken += bytes;
        if filtered.taken >= filtered.bytes.len() {
            connection.filtered = None;
        }
    }

    // The session, and what it wants done.

    fn connection(&self, id: ReaderId) -> Option<&Connection<S>> {
        self.connections.get(id.index())?.as_ref()
    }

    fn connection_mut(&mut self, id: ReaderId) -> Option<&mut Connection<S>> {
        self.connections.get_mut(id.index())?.as_mut()
    }

    /// Asks the session something, unless it is broken.
    fn ask_session<T>(&mut self, id: ReaderId, question: impl FnOnce(&S) -> T) -> Option<T> {
        self.call(id, |session, _, _| question(session))
    }

    /// Calls the session, unless it is broken; if it breaks by that, nobody else does.
    fn call<T>(&mut self, id: ReaderId, act: impl FnOnce(&mut S, &Setup, &mut Output) -> T) -> Option<T> {
        let connection = self.connections.get_mut(id.index()).and_then(Option::as_mut)?;
        let session = connection.session.as_mut()?;
        let called = guarded(|| act(session, &self.setup, &mut self.output));
        if called.is_err() {
            self.break_off(id);
        }
        called.ok()
    }

    fn with_session(&mut self, id: ReaderId, act: impl FnOnce(&mut S, &Setup, &mut Output)) {
        self.with_session_at(id, self.position, act);
    }

    /// Calls the session and does what it has put into the output.
    fn with_session_at(
        &mut self,
        id: ReaderId,
        position: u64,
        act: impl FnOnce(&mut S, &Setup, &mut Output),
    ) {
        let called = self.call(id, |session, setup, output| {
            let before = session.deadline();
            act(session, setup, output);
            (before, session.deadline(), session.filter_is_due())
        });
        if let Some((before, deadline, is_filter_due)) = called {
            if is_filter_due {
                self.feeds.mark_due(id);
            }
            if deadline != before {
                self.forget_deadline(id, before);
            }
            // Even if it is the same: the one that has just come is not there any more, and there may be another thing to do
            // at that very moment.
            self.deadlines.extend(deadline.map(|at| (at, id)));
            self.follow_up(id, position);
        }
    }

    /// Does what the session has put into the output.
    fn follow_up(&mut self, id: ReaderId, position: u64) {
        let Some(connection) = self.connections.get_mut(id.index()).and_then(Option::as_mut) else { return };
        let is_closing = std::mem::take(&mut self.output.close);
        if is_closing {
            connection.ending = Ending::Silently;
            self.feeds.mark_due(id);
        }
        let (member, is_ending) = (connection.member, connection.ending != Ending::GoesOn);
        if !self.output.words.is_empty() {
            connection.was_told = true;
            if is_closing {
                connection.ending = Ending::WithLastWords;
                self.feeds.tell_at_last(id, position, &self.output.words);
            } else {
                self.feeds.tell(id, position, &self.output.words);
            }
            self.output.words.clear();
        }
        match std::mem::take(&mut self.output.flow) {
            // What stands behind the gate stays there, and does not keep the connection from being over.
            Flow::Withhold => {}
            _ if is_closing => self.feeds.let_go(id),
            Flow::Wait if !is_ending => self.feeds.hold_back(id, position),
            Flow::Unchanged | Flow::Wait => {}
            Flow::GoOn => self.feeds.let_go(id),
        }
        if is_ending {
            self.feeds.end_all(id);
        }
        let member = if std::mem::take(&mut self.output.begins_anew) { self.begin_anew(id) } else { member };
        let mut commands = std::mem::take(&mut self.output.commands);
        for command in commands.drain(..) {
            self.ask(member, command);
        }
        self.output.commands = commands;
    }

    /// The connection is another member from now on. What it was told as the one that it was, it is still shown.
    fn begin_anew(&mut self, id: ReaderId) -> MemberId {
        let minted = self.mint(id);
        let Some(connection) = self.connection_mut(id) else { return minted };
        let before = std::mem::replace(&mut connection.member, minted);
        self.feeds.let_go(id);
        self.feeds.end_all(id);
        self.inboxes.remove(&before);
        self.ask(before, Command::Quit { reason: String::new() });
        minted
    }

    fn ask(&mut self, member: MemberId, command: Command) {
        let request = Request { shard: self.index, speaker: Speaker::Member(member), command, known: None };
        self.unposted_requests += request.weight();
        self.requests.push(request);
    }
}

/// How many slices a filter takes at a time.
const SLICES_MAX: usize = 64;

/// A session has panicked.
#[derive(PartialEq, Eq, Debug)]
struct Panicked;

/// Runs a session's code: the one place where it is called, and where its panics end. What it had in its hands is thrown
/// away by whoever called it, so that nothing half-done is seen by anybody. Whoever runs the program may log the panic
/// in a hook; what it says is not kept, because it may be what people said.
fn guarded<T>(act: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|_| Panicked)
}

/// Drops a session, which may panic, too; then nobody needs to be told.
fn drop_session<S>(session: Option<S>) {
    let _ = guarded(|| drop(session));
}
