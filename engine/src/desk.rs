//! The desk in front of the hub: requests in, records for the journal and mail for the shards out.
//!
//! One request at a time: propose, number, apply, tell. It waits for nobody: while the journal is behind but working, a
//! request that needs it is handed back, to be brought again after the next commit.

use hub::{
    Audience, Command, Event, Fact, Hub, MemberId, Position, Proposal, Record, Refusal, Reservation,
    RoomNumber, Settings, Speaker, Time, Told,
};
use std::collections::{BTreeMap, BTreeSet};

/// Something that is asked, and from which shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The shard that waits for it to be taken.
    pub shard: u8,
    /// Who asks.
    pub speaker: Speaker,
    /// What is asked.
    pub command: Command,
}

impl Request {
    /// How much it counts against [`Limits::requests_max`](crate::Limits::requests_max): one, and one more for each KiB of
    /// text, so that the bound is on memory, too.
    pub fn weight(&self) -> usize {
        let text = match &self.command {
            Command::Say { text, .. } | Command::Act { text, .. } | Command::Direct { text, .. } => {
                text.formatted()
            }
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
    /// It cannot write at the moment: whoever needs it is refused once the reservation is used up.
    Failing,
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
    /// Kept records that are not yet handed to the journal.
    records: Vec<Record>,
    /// Rooms that were written to since the last commit was prepared.
    touched: BTreeSet<RoomNumber>,
    told: Vec<Told>,
}

impl Desk {
    /// A desk for `shards` shards: 1 to 256.
    pub fn new(hub: Hub, shards: u16) -> Desk {
        let mails = (0..shards.max(1)).map(|_| Mail::default()).collect();
        Desk {
            durable: hub.position(),
            hub,
            journal: Journal::Working,
            shards_of: BTreeMap::new(),
            mails,
            records: Vec::new(),
            touched: BTreeSet::new(),
            told: Vec::new(),
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

    /// Says how the journal is from now on.
    pub fn set_journal(&mut self, journal: Journal) {
        self.journal = journal;
    }

    /// Takes a request.
    ///
    /// # Errors
    /// Gives it back if it needs the journal, which is behind: bring it again after the next commit, and nothing else
    /// before it.
    pub fn take(&mut self, now: Time, request: Request) -> Result<(), Request> {
        match self.hub.propose(&request.speaker, &request.command) {
            Err(Refusal::Unwritten) if self.journal == Journal::Working => return Err(request),
            Err(refusal) => {
                let verb = request.command.verb();
                self.answer(now, &request.speaker, Event::Refused { verb, refusal });
            }
            Ok(Proposal::Fact(fact)) => self.state(now, fact),
            Ok(Proposal::Answer(event)) => self.answer(now, &request.speaker, event),
            Ok(Proposal::Nothing) => {}
        }
        if let Some(mail) = self.mails.get_mut(usize::from(request.shard)) {
            mail.taken += request.weight();
        }
        Ok(())
    }

    /// Tells the asker something that changes nothing. Doors are answered where they stand, not here.
    fn answer(&mut self, now: Time, speaker: &Speaker, event: Event) {
        if let Speaker::Member(member) = speaker {
            let audience = Audience::Member(*member);
            self.send(Told { position: self.hub.position(), time: now, audience, event });
        }
    }

    /// Numbers a fact that was decided here, applies it and tells it.
    pub fn state(&mut self, now: Time, fact: Fact) {
        let record = Record { position: self.hub.position().next(), time: now, fact };
        if record.fact.is_kept() {
            self.records.push(record.clone());
        }
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
        self.touched.extend(opened.and_then(|name| self.hub.room_named(&name)));
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

    /// Whether there are kept records for the journal.
    pub fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    /// The kept records since the last time, and what the journal is to reserve when it writes them.
    pub fn to_commit(&mut self) -> (Vec<Record>, Reservation) {
        let touched = std::mem::take(&mut self.touched);
        (std::mem::take(&mut self.records), self.hub.reservation(touched))
    }

    /// The journal has written everything up to this position, and reserved this.
    pub fn committed(&mut self, position: Position, reservation: &Reservation) {
        self.hub.reserve(reservation);
        if position <= self.durable {
            return;
        }
        self.durable = position;
        for mail in &mut self.mails {
            mail.durable = position;
            mail.durable_grew = true;
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
        let shards = self.shards_concerned(&told.audience);
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
