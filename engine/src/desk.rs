//! The desk in front of the hub: requests in, records for the journal and mail for the shards out.
//!
//! One request at a time: propose, number, apply, tell. It waits for nobody: while the journal is behind but working, a
//! request that needs it is handed back, to be brought again after the next commit. What only the history knows is asked
//! for and brought later ([`Desk::lookups`]), and whatever the same speaker asks meanwhile waits behind it; what people want
//! to read of it goes past the hub ([`Desk::readings`]).

use hub::{
    Audience, ClientId, Command, Event, Fact, Hub, Kept, Known, Lookup, MemberId, Position, Proposal,
    Reading, Record, Refusal, Reservation, RoomNumber, Sequence, Settings, Speaker, Time, Told, Trouble,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Something that is asked, and from which shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The shard that waits for it to be taken.
    pub shard: u8,
    /// Who asks.
    pub speaker: Speaker,
    /// What is asked.
    pub command: Command,
    /// What was looked up for it, if it was brought before and could not be decided without.
    pub known: Option<Known>,
}

impl Request {
    /// How much it counts against [`Limits::requests_max`](crate::Limits::requests_max): one, and one more for each KiB of
    /// text, so that the bound is on memory, too.
    pub fn weight(&self) -> usize {
        let text = match &self.command {
            Command::Say { text, .. }
            | Command::Act { text, .. }
            | Command::Direct { text, .. }
            | Command::Edit { text, .. } => text.formatted(),
            _ => "",
        };
        1 + text.len() / 1024
    }
}

/// What a shard is told, in the order of the server.
#[derive(Debug, Default)]
pub struct Mail {
    /// Events for its members.
    pub told: Vec<Told>,
    /// Everything up to this position is durable.
    pub durable: Position,
    /// The weight of the shard's requests that have been taken since the last mail.
    pub taken: usize,
    /// Whether more is durable than the last mail said.
    pub durable_grew: bool,
}

impl Mail {
    /// Adds what came later.
    pub fn append(&mut self, later: &mut Mail) {
        self.told.append(&mut later.told);
        self.durable = self.durable.max(later.durable);
        self.taken += std::mem::take(&mut later.taken);
        self.durable_grew |= std::mem::take(&mut later.durable_grew);
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && self.taken == 0 && !self.durable_grew
    }
}

/// How the journal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Journal {
    /// It writes: whoever needs it may have to wait for the next commit.
    Working,
    /// It cannot write at the moment, for this reason: whoever needs it is refused once the reservation is used up.
    Failing(Trouble),
}

/// When a kept fact counts as durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// When the journal has committed it.
    Committed,
    /// As soon as it is stated: receipts promise nothing.
    Stated,
}

/// So many receipts may wait for what was said before to become durable.
const OWED_MAX: usize = 64 * 1024;

/// What waits until something has been looked up: a session's next command is proposed only when its last one is done.
#[derive(Debug, Default)]
struct Behind {
    /// The client whose nonces are looked up, if it is that.
    client: Option<ClientId>,
    /// Whether that client has said more since, by another connection: then what was looked up is old.
    is_outdated: bool,
    requests: VecDeque<Request>,
}

/// What has become of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    Done,
    /// It is done when it is brought again with what was looked up.
    LookedUp,
}

/// The hub, and who is to be told what.
#[derive(Debug)]
pub struct Desk {
    hub: Hub,
    journal: Journal,
    durable: Position,
    /// How many members each shard has in each room; not kept for a single shard.
    shards_of: BTreeMap<RoomNumber, Vec<u32>>,
    mails: Vec<Mail>,
    durability: Durability,
    /// Kept facts that are not yet handed to the journal.
    kept: Vec<Kept>,
    readings: Vec<Reading>,
    lookups: Vec<(Request, Lookup)>,
    /// What stands behind a request for which something is looked up; by who asks.
    behind: BTreeMap<MemberId, Behind>,
    /// Whether the last request was given back, so that the next one is that again.
    gave_back: bool,
    /// Receipts for what was said before, until that is durable; by its position.
    owed: VecDeque<(Position, Told)>,
    /// Rooms that were written to since the last commit was prepared, or would have been if they could.
    touched: BTreeSet<RoomNumber>,
    /// Whether something waits for numbers to be reserved.
    wants_reservation: bool,
    told: Vec<Told>,
}

impl Desk {
    /// A desk for `shards` shards: 1 to 256.
    pub fn new(hub: Hub, shards: u16) -> Desk {
        let mails = (0..shards.max(1)).map(|_| Mail::default()).collect();
        Desk {
            durable: hub.position(),
            journal: Journal::Working,
            shards_of: BTreeMap::new(),
            mails,
            durability: Durability::Committed,
            kept: Vec::new(),
            readings: Vec::new(),
            lookups: Vec::new(),
            behind: BTreeMap::new(),
            gave_back: false,
            owed: VecDeque::new(),
            touched: BTreeSet::new(),
            wants_reservation: false,
            told: Vec::new(),
            hub,
        }
    }

    /// The hub, to look at.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Sets up the hub anew: [`Hub::set_settings`].
    pub fn set_settings(&mut self, settings: &Settings) {
        self.hub.set_settings(settings);
    }

    /// Says when a kept fact counts as durable; without this, when it has been committed.
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability;
    }

    /// Says how the journal is from now on; everybody hears of it if that is news.
    pub fn set_journal(&mut self, now: Time, journal: Journal) {
        if self.journal == journal {
            return;
        }
        self.journal = journal;
        let trouble = match journal {
            Journal::Working => None,
            Journal::Failing(trouble) => Some(trouble),
        };
        self.state(now, Fact::JournalIs { trouble });
    }

    /// Takes a request. Behind one for which something is looked up, those of the same speaker wait and are taken with it.
    ///
    /// # Errors
    /// Gives it, or one that waited behind it, back if it needs the journal, which is behind: bring it again after the next
    /// commit, and nothing else before it.
    pub fn take(&mut self, now: Time, request: Request) -> Result<(), Box<Request>> {
        let is_again = std::mem::take(&mut self.gave_back);
        let member = match &request.speaker {
            Speaker::Member(member) => Some(*member),
            Speaker::Door { .. } => None,
        };
        if !is_again
            && request.known.is_none()
            && let Some(behind) = member.and_then(|member| self.behind.get_mut(&member))
        {
            behind.requests.push_back(request);
            return Ok(());
        }
        let mut next = Some(request);
        while let Some(request) = next {
            let taking = self.decide(now, request).inspect_err(|_| self.gave_back = true)?;
            next = member.filter(|_| taking == Taking::Done).and_then(|member| self.next_behind(member));
        }
        Ok(())
    }

    fn next_behind(&mut self, member: MemberId) -> Option<Request> {
        let next = self.behind.get_mut(&member)?.requests.pop_front();
        if next.is_none() {
            self.behind.remove(&member);
        }
        next
    }

    fn decide(&mut self, now: Time, mut request: Request) -> Result<Taking, Box<Request>> {
        if self.is_outdated(&request) {
            request.known = None;
        }
        match self.hub.propose_knowing(&request.speaker, &request.command, request.known.as_ref()) {
            Err(Refusal::Unwritten(_)) if self.journal == Journal::Working => {
                // Perhaps nothing at all waits to be written, as right after a start.
                self.touched.extend(self.hub.written_to(&request.speaker, &request.command));
                self.wants_reservation = true;
                return Err(Box::new(request));
            }
            Err(refusal) => {
                let (verb, nonce) = (request.command.verb(), request.command.nonce().cloned());
                self.answer(now, &request.speaker, Event::Refused { verb, nonce, refusal });
            }
            Ok(Proposal::Fact(fact)) => self.state(now, fact),
            Ok(Proposal::Answer(event)) => self.answer(now, &request.speaker, event),
            Ok(Proposal::Receipt(event, said)) => self.owe(now, &request, event, said),
            Ok(Proposal::Read(reading)) => self.readings.push(reading),
            Ok(Proposal::LookUp(lookup)) => {
                self.look_up(request, lookup);
                return Ok(Taking::LookedUp);
            }
            Ok(Proposal::Nothing) => {}
        }
        if let Some(mail) = self.mails.get_mut(usize::from(request.shard)) {
            mail.taken += request.weight();
        }
        Ok(Taking::Done)
    }

    fn look_up(&mut self, request: Request, lookup: Lookup) {
        if let Speaker::Member(member) = request.speaker {
            let behind = self.behind.entry(member).or_default();
            behind.is_outdated = false;
            behind.client = match lookup {
                Lookup::Client(client) => Some(client),
                Lookup::Author { .. } => None,
            };
        }
        self.lookups.push((request, lookup));
    }

    /// Whether what was looked up for a request is not all any more.
    fn is_outdated(&self, request: &Request) -> bool {
        let Speaker::Member(member) = &request.speaker else { return false };
        let is_of_client = matches!(request.known, Some(Known::Client(_)));
        is_of_client && self.behind.get(member).is_some_and(|behind| behind.is_outdated)
    }

    /// Whoever is looked up at the moment, and has said this by another connection, has to be looked up again.
    fn outdate(&mut self, fact: &Fact) {
        let Some(signed) = fact.signature() else { return };
        for behind in self.behind.values_mut().filter(|behind| behind.client == Some(signed.client)) {
            behind.is_outdated = true;
        }
    }

    /// What members want to read, since the last time.
    pub fn readings(&mut self) -> std::vec::Drain<'_, Reading> {
        self.readings.drain(..)
    }

    /// Requests for which something has to be looked up first, since the last time: to be brought again with it.
    pub fn lookups(&mut self) -> std::vec::Drain<'_, (Request, Lookup)> {
        self.lookups.drain(..)
    }

    /// Tells the asker something as soon as `said` is durable.
    fn owe(&mut self, now: Time, request: &Request, event: Event, said: Position) {
        let speaker = &request.speaker;
        let Speaker::Member(member) = speaker else { return };
        if said <= self.durable {
            return self.answer(now, speaker, event);
        }
        if self.owed.len() >= OWED_MAX {
            // Whoever asks again and again while nothing can be written is not noted down each time.
            let trouble = match self.journal {
                Journal::Working => None,
                Journal::Failing(trouble) => Some(trouble),
            };
            let (verb, nonce) = (request.command.verb(), request.command.nonce().cloned());
            let refusal = Refusal::Unwritten(trouble);
            return self.answer(now, speaker, Event::Refused { verb, refusal, nonce });
        }
        let told = Told { position: said, time: now, audience: Audience::Member(*member), event };
        let place = self.owed.partition_point(|(position, _)| *position <= said);
        self.owed.insert(place, (said, told));
    }

    /// Tells the asker something that changes nothing. Doors are answered where they stand, not here.
    fn answer(&mut self, now: Time, speaker: &Speaker, event: Event) {
        if let Speaker::Member(member) = speaker {
            self.tell(now, *member, event);
        }
    }

    /// Tells a member something that changes nothing.
    pub fn tell(&mut self, now: Time, member: MemberId, event: Event) {
        let audience = Audience::Member(member);
        self.send(Told { position: self.hub.position(), time: now, audience, event });
    }

    /// Numbers a fact that was decided here, applies it and tells it.
    pub fn state(&mut self, now: Time, fact: Fact) {
        self.outdate(&fact);
        let record = Record { position: self.hub.position().next(), time: now, fact };
        let kept = record.fact.is_kept().then(|| record.clone());
        let quitting = match &record.fact {
            Fact::Quit { member, .. } if self.mails.len() > 1 => {
                Some((*member, self.hub.rooms_of(*member).to_vec()))
            }
            _ => None,
        };
        let opened = match &record.fact {
            Fact::Opened { name, .. } => Some(name.shown.clone()),
            _ => None,
        };
        let mut told = std::mem::take(&mut self.told);
        self.hub.apply(record, &mut told);
        // What is said in a new room before the next commit is seen, too: its sequences are reserved like any other's.
        let opened = opened.and_then(|name| self.hub.room_named(&name));
        self.touched.extend(opened);
        if let Some(record) = kept {
            self.keep(record, opened, &told);
        }
        if self.durability == Durability::Stated {
            self.set_durable(self.hub.position());
        }
        for event in told.drain(..) {
            self.send(event);
        }
        self.told = told;
        // Only now: a quit is told to whoever quits, too.
        if let Some((member, rooms)) = quitting {
            for room in rooms {
                self.uncount(member, room);
            }
        }
    }

    /// Puts a kept fact aside for the journal, with the number that it got; one that was void got none.
    fn keep(&mut self, record: Record, opened: Option<RoomNumber>, told: &[Told]) {
        let numbered = told.iter().find_map(|told| Some((told.event.kept_in()?, told.event.sequence()?)));
        let (room, sequence) = match (&record.fact, numbered) {
            (Fact::Closed { room }, _) => (*room, Sequence(0)),
            (Fact::RoomsLost { .. }, _) => (RoomNumber(0), Sequence(0)),
            (Fact::Opened { .. }, _) => match opened {
                Some(room) => (room, Sequence(1)),
                None => return,
            },
            // Told to nobody, because it is no room of people's.
            (Fact::Lost { room, to, .. }, None) => (*room, to.next()),
            (_, Some(numbered)) => numbered,
            (_, None) => return,
        };
        self.kept.push(Kept { record, room, sequence });
    }

    /// States what the hub itself would like to state by now. To be called when requests have been taken, and at
    /// [`Desk::next_chore`].
    pub fn chores(&mut self, now: Time) {
        while let Some(fact) = self.hub.chore(now) {
            self.state(now, fact);
        }
    }

    /// When there are chores again, if nothing happens before.
    pub fn next_chore(&self) -> Option<Time> {
        self.hub.next_chore()
    }

    /// Whether there is something for the journal: kept facts, or numbers to be reserved.
    pub fn wants_commit(&self) -> bool {
        !self.kept.is_empty() || self.wants_reservation
    }

    /// Whether a request was given back that waits for numbers.
    pub fn wants_reservation(&self) -> bool {
        self.wants_reservation
    }

    /// The kept facts since the last time, and what the journal is to reserve when it writes them.
    pub fn to_commit(&mut self) -> (Vec<Kept>, Reservation) {
        let touched = std::mem::take(&mut self.touched);
        self.wants_reservation = false;
        (std::mem::take(&mut self.kept), self.hub.reservation(touched))
    }

    /// The journal has written everything up to this position, and reserved this.
    pub fn committed(&mut self, position: Position, reservation: &Reservation) {
        self.hub.reserve(reservation);
        self.set_durable(position);
    }

    fn set_durable(&mut self, position: Position) {
        if position <= self.durable {
            return;
        }
        self.durable = position;
        for mail in &mut self.mails {
            mail.durable = position;
            mail.durable_grew = true;
        }
        while self.owed.front().is_some_and(|(said, _)| *said <= position) {
            if let Some((_, told)) = self.owed.pop_front() {
                self.send(Told { position: self.hub.position(), ..told });
            }
        }
    }

    /// What a shard is to be told since the last time.
    pub fn mail(&mut self, shard: u8) -> Option<&mut Mail> {
        self.mails.get_mut(usize::from(shard))
    }

    fn send(&mut self, told: Told) {
        self.touched.extend(told.event.kept_in());
        if let [only] = self.mails.as_mut_slice() {
            only.told.push(told);
            return;
        }
        self.count(&told);
        let shards = match (&told.event, &told.audience) {
            // Who is not here yet will have to know, too.
            (Event::JournalIs { .. }, Audience::Rooms(_)) => (0..self.mails.len()).collect(),
            _ => self.shards_concerned(&told.audience),
        };
        for shard in shards {
            if let Some(mail) = self.mails.get_mut(shard) {
                mail.told.push(told.clone());
            }
        }
    }

    /// Keeps the number of each shard's members in each room.
    fn count(&mut self, told: &Told) {
        let Audience::Member(member) = told.audience else { return };
        match &told.event {
            Event::Admitted(view) => {
                let shards = self.mails.len();
                let counts = self.shards_of.entry(view.room.number).or_insert_with(|| vec![0; shards]);
                if let Some(count) = counts.get_mut(usize::from(member.shard())) {
                    *count += 1;
                }
            }
            Event::Dismissed { room } => self.uncount(member, room.number),
            _ => {}
        }
    }

    fn uncount(&mut self, member: MemberId, room: RoomNumber) {
        let Some(counts) = self.shards_of.get_mut(&room) else { return };
        if let Some(count) = counts.get_mut(usize::from(member.shard())) {
            *count = count.saturating_sub(1);
        }
        if counts.iter().all(|count| *count == 0) {
            self.shards_of.remove(&room);
        }
    }

    /// The shards that have somebody in the audience, each once.
    fn shards_concerned(&self, audience: &Audience) -> BTreeSet<usize> {
        let of_room = |room: &RoomNumber| {
            let counts = self.shards_of.get(room).into_iter().flatten().enumerate();
            counts.filter(|(_, count)| **count > 0).map(|(shard, _)| shard)
        };
        match audience {
            Audience::Member(member) => BTreeSet::from([usize::from(member.shard())]),
            Audience::Room(room) => of_room(room).collect(),
            Audience::Rooms(rooms) => rooms.iter().flat_map(of_room).collect(),
            Audience::Inboxes(members) => members.iter().map(|member| usize::from(member.shard())).collect(),
        }
    }
}
