//! What is true in a simulated world: a hub of its own that decides everything once more, and from what that tells, what
//! each reader is to be shown and which numbers mean what.
//!
//! Where it stands: beside the engine. The world tells it each request that the desk takes, each byte that leaves, each
//! commit and each crash; it says what is wrong.
//!
//! What this file must never do: look into shards or feeds, or let the engine decide what is right.

use crate::reader::{Entry, INBOX, Own, Reader, Rules, Stay};
use crate::session::{Kind, Rendition, SimSession, TOPIC_LABEL, held_line, label_of, note_line};
use dialect::{Session, Setup};
use engine::{Journal, Request};
use hub::{
    Audience, Event, Fact, Hearing, Hub, Kept, MemberId, Position, Proposal, Record, Refusal, Reservation,
    RoomNumber, Sequence, Settings, Snapshot, Speaker, Time, Told, Verb,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// What the desk should have done with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taking {
    Taken,
    GivenBack,
}

/// What is true.
pub(crate) struct Oracle {
    setup: Setup,
    rules: Rules,
    hub: Hub,
    readers: BTreeMap<MemberId, Reader>,
    present: BTreeMap<RoomNumber, BTreeSet<MemberId>>,
    /// What was told since [`Oracle::take_told`].
    told: Vec<Told>,
    /// Kept facts that are told but not written, in order.
    undurable: VecDeque<(Position, RoomNumber, Sequence)>,
    durable: BTreeSet<(RoomNumber, Sequence)>,
    /// What every number has ever meant that was told.
    meanings: BTreeMap<(RoomNumber, Sequence), Rc<str>>,
    lost: BTreeMap<RoomNumber, Vec<(Sequence, Sequence)>>,
    room_names: BTreeMap<RoomNumber, Rc<str>>,
    /// Of everything that was ever told.
    position_max: Position,
    position_at_restart: Position,
    /// A hub that has applied every record that was ever written.
    replica: Hub,
    pub(crate) told_count: u64,
    pub(crate) given_back: u64,
    pub(crate) unwritten: u64,
}

impl Oracle {
    pub(crate) fn new(setup: Setup, settings: &Settings, rules: Rules) -> Oracle {
        Oracle {
            setup,
            rules,
            hub: Hub::new(settings.clone()),
            readers: BTreeMap::new(),
            present: BTreeMap::new(),
            told: Vec::new(),
            undurable: VecDeque::new(),
            durable: BTreeSet::new(),
            meanings: BTreeMap::new(),
            lost: BTreeMap::new(),
            room_names: BTreeMap::new(),
            position_max: Position(0),
            position_at_restart: Position(0),
            replica: Hub::new(settings.clone()),
            told_count: 0,
            given_back: 0,
            unwritten: 0,
        }
    }

    // Readers.

    pub(crate) fn add_reader(&mut self, member: MemberId, kind: Kind) {
        self.readers.insert(member, Reader::new(kind, self.rules));
    }

    pub(crate) fn reader_mut(&mut self, member: MemberId) -> Option<&mut Reader> {
        self.readers.get_mut(&member)
    }

    /// The connection is gone: nothing more comes, and nothing more is expected.
    pub(crate) fn remove_reader(&mut self, member: MemberId) -> Option<Reader> {
        for members in self.present.values_mut() {
            members.remove(&member);
        }
        self.readers.remove(&member)
    }

    /// The server stops: everybody is told so, and nothing else any more.
    pub(crate) fn shut_down(&mut self) {
        self.present.clear();
        for reader in self.readers.values_mut() {
            reader.stay = Stay::Stopped;
        }
    }

    /// How many logs a shard needs when everybody has read everything: one for each room and rendition that is read
    /// there, and the inboxes.
    pub(crate) fn logs_needed(&self, shard: usize) -> usize {
        let readers = || self.readers.iter().filter(|(member, _)| usize::from(member.shard()) == shard);
        let rooms_of = |reader: &Reader| {
            let rendition = reader.kind.rendition;
            reader.rooms.iter().map(move |room| (*room, rendition)).collect::<Vec<_>>()
        };
        let rooms: BTreeSet<_> = readers().flat_map(|(_, reader)| rooms_of(reader)).collect();
        rooms.len() + readers().filter(|(_, reader)| reader.has_inbox).count()
    }

    // What is asked.

    /// A request is brought to the desk.
    pub(crate) fn take(&mut self, now: Time, request: &Request, journal: Journal) -> Result<Taking, String> {
        match self.hub.propose(&request.speaker, &request.command) {
            Err(Refusal::Unwritten(_)) if journal == Journal::Working => {
                self.given_back += 1;
                return Ok(Taking::GivenBack);
            }
            Err(refusal) => {
                self.unwritten += u64::from(matches!(refusal, Refusal::Unwritten(_)));
                self.answer(
                    now,
                    &request.speaker,
                    Event::Refused {
                        verb: request.command.verb(),
                        refusal,
                        nonce: request.command.nonce().cloned(),
                    },
                )?;
            }
            Ok(Proposal::Fact(fact)) => self.state(now, fact)?,
            Ok(Proposal::Answer(event)) => self.answer(now, &request.speaker, event)?,
            Ok(Proposal::Nothing) => {}
            Ok(proposal) => return Err(format!("nobody asks for that: {proposal:?}")),
        }
        Ok(Taking::Taken)
    }

    /// The desk does its chores.
    pub(crate) fn chores(&mut self, now: Time) -> Result<(), String> {
        while let Some(fact) = self.hub.chore(now) {
            self.state(now, fact)?;
        }
        Ok(())
    }

    /// The desk learns how the journal is; it was so before.
    pub(crate) fn journal_is(&mut self, now: Time, before: Journal, journal: Journal) -> Result<(), String> {
        let trouble = match journal {
            Journal::Working => None,
            Journal::Failing(trouble) => Some(trouble),
        };
        if before == journal { Ok(()) } else { self.state(now, Fact::JournalIs { trouble }) }
    }

    fn answer(&mut self, time: Time, speaker: &Speaker, event: Event) -> Result<(), String> {
        let Speaker::Member(member) = speaker else { return Ok(()) };
        let audience = Audience::Member(*member);
        self.tell(Told { position: self.hub.position(), time, audience, event })
    }

    fn state(&mut self, now: Time, fact: Fact) -> Result<(), String> {
        let position = self.hub.position().next();
        if position <= self.position_max {
            return Err(format!("position {} is given out again", position.0));
        }
        self.position_max = position;
        let mut told = Vec::new();
        self.hub.apply(Record { position, time: now, fact }, &mut told);
        told.into_iter().try_for_each(|told| self.tell(told))
    }

    /// What was told since the last time, to be compared with the mails.
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Whether the desk's hub is as it should be.
    pub(crate) fn check_hub(&self, hub: &Hub) -> Result<(), String> {
        if *hub == self.hub { Ok(()) } else { Err("two hubs that applied the same differ".into()) }
    }

    // What is told.

    fn tell(&mut self, told: Told) -> Result<(), String> {
        self.told_count += 1;
        self.check_numbers(&told)?;
        match &told.audience {
            Audience::Member(member) => self.tell_member(*member, &told),
            Audience::Room(room) => self.tell_rooms(&[*room], &told),
            Audience::Rooms(rooms) => self.tell_rooms(rooms, &told),
            Audience::Inboxes(members) => {
                let mut rendered = Rendered::new(&self.setup, &told);
                for member in members {
                    tell_reader(&mut self.readers, *member, BTreeSet::from([INBOX]), &mut rendered);
                }
            }
        }
        self.told.push(told);
        Ok(())
    }

    fn tell_member(&mut self, member: MemberId, told: &Told) {
        let reader = self.readers.get_mut(&member).filter(|reader| reader.stay != Stay::Stopped);
        let Some(reader) = reader else { return };
        let mut stay = reader.stay;
        match &told.event {
            Event::Admitted(view) => {
                reader.rooms.insert(view.room.number);
                self.present.entry(view.room.number).or_default().insert(member);
            }
            Event::Dismissed { room } => {
                reader.rooms.remove(&room.number);
                self.present.entry(room.number).or_default().remove(&member);
            }
            Event::Ignoring { other, hearing: Hearing::Nothing } => {
                reader.ignored.insert(other.member.number());
            }
            Event::Ignoring { other, hearing: Hearing::Everything } => {
                reader.ignored.remove(&other.member.number());
            }
            Event::Names { next, .. } => reader.is_listing = next.is_some(),
            Event::Refused { verb: Verb::Connect, .. } => stay = Stay::Over,
            Event::Refused { verb: Verb::Who, .. } => reader.is_listing = false,
            Event::Disconnected => {
                stay = Stay::Over;
                for room in std::mem::take(&mut reader.rooms) {
                    self.present.entry(room).or_default().remove(&member);
                }
            }
            _ => {}
        }
        if reader.kind.rendition != Rendition::Plain {
            reader.expect_note(told.position, note_line(told).into());
        }
        reader.stay = stay;
    }

    fn tell_rooms(&mut self, rooms: &[RoomNumber], told: &Told) {
        let mut places: BTreeMap<MemberId, BTreeSet<RoomNumber>> = BTreeMap::new();
        for room in rooms {
            for member in self.present.get(room).into_iter().flatten() {
                places.entry(*member).or_default().insert(*room);
            }
        }
        let mut rendered = Rendered::new(&self.setup, told);
        for (member, places) in places {
            tell_reader(&mut self.readers, member, places, &mut rendered);
        }
    }

    // Numbers.

    fn check_numbers(&mut self, told: &Told) -> Result<(), String> {
        if let Event::Admitted(view) = &told.event {
            let name: Rc<str> = view.room.name.to_lowercase().into();
            let known = self.room_names.entry(view.room.number).or_insert_with(|| name.clone());
            if *known != name {
                return Err(format!("room number {} meant #{known} and means #{name}", view.room.number));
            }
        }
        let (Some(room), Some(sequence)) = (told.event.kept_in(), told.event.sequence()) else {
            return Ok(());
        };
        if let Event::Directed { conversation, from, to, .. } = &told.event {
            let pair = (from.member.min(to.member), from.member.max(to.member));
            let name: Rc<str> = format!("{pair:?}").into();
            let known = self.room_names.entry(*conversation).or_insert_with(|| name.clone());
            if *known != name {
                return Err(format!("conversation {conversation} was {known} and is {name}"));
            }
        }
        let meaning = meaning_of(told);
        if let Some(known) = self.meanings.get(&(room, sequence))
            && *known != meaning
        {
            return Err(format!("number {} of room {room} meant {known} and means {meaning}", sequence.0));
        }
        if self.is_lost(room, sequence) {
            return Err(format!("number {} of room {room} is lost and used again", sequence.0));
        }
        self.meanings.insert((room, sequence), meaning);
        self.undurable.push_back((told.position, room, sequence));
        Ok(())
    }

    fn is_lost(&self, room: RoomNumber, sequence: Sequence) -> bool {
        let ranges = self.lost.get(&room).into_iter().flatten();
        ranges.clone().any(|(from, to)| (*from..=*to).contains(&sequence))
    }

    /// Everything up to this position is written; these facts are new among it, and the hub's kept state was this.
    pub(crate) fn written(
        &mut self,
        position: Position,
        facts: &[Kept],
        kept: &Snapshot,
    ) -> Result<(), String> {
        while let Some((at, room, sequence)) = self.undurable.front().copied()
            && at <= position
        {
            self.undurable.pop_front();
            self.durable.insert((room, sequence));
        }
        let mut told = Vec::new();
        for fact in facts {
            self.replica.apply(fact.record.clone(), &mut told);
            told.clear();
        }
        let replayed = self.replica.snapshot();
        if replayed.rooms != kept.rooms {
            return Err(format!("the kept facts make {replayed:?},\n  but the hub has {kept:?}"));
        }
        Ok(())
    }

    /// The desk has learned of a commit.
    pub(crate) fn committed(&mut self, reservation: &Reservation) {
        self.hub.reserve(reservation);
    }

    // Crashes.

    /// The process is gone, and with it every connection.
    pub(crate) fn crashed(&mut self) {
        self.readers.clear();
        self.present.clear();
        self.told.clear();
    }

    /// The process is gone again before anybody was there: what it stated at its restart was seen by nobody.
    pub(crate) fn crashed_at_restart(&mut self) {
        self.crashed();
        self.position_max = self.position_at_restart;
        for (_, room, sequence) in std::mem::take(&mut self.undurable) {
            self.meanings.remove(&(room, sequence));
        }
    }

    /// A hub stands again, with what was written and these losses, which are not applied yet.
    pub(crate) fn restarted(&mut self, hub: &Hub, losses: &[Fact]) -> Result<(), String> {
        if hub.position() < self.position_max {
            return Err(format!("position {} was seen before", hub.position().next().0));
        }
        for loss in losses {
            let Fact::Lost { room, from, to } = loss else { continue };
            let numbers = (*room, *from)..=(*room, *to);
            if let Some((_, sequence)) = self.durable.range(numbers).next() {
                return Err(format!("number {} of room {room} is written and called lost", sequence.0));
            }
            self.lost.entry(*room).or_default().push((*from, *to));
        }
        let rooms: BTreeSet<RoomNumber> = hub.snapshot().rooms.iter().map(|room| room.number).collect();
        for (_, room, sequence) in std::mem::take(&mut self.undurable) {
            if rooms.contains(&room) && !self.is_lost(room, sequence) {
                return Err(format!("number {} of room {room} was told and is in no loss", sequence.0));
            }
        }
        self.hub = hub.clone();
        self.position_at_restart = self.position_max;
        Ok(())
    }

    /// The desk states a fact of its own accord.
    pub(crate) fn stated(&mut self, now: Time, fact: Fact) -> Result<(), String> {
        self.state(now, fact)
    }
}

/// What one reader is to be shown of an event.
fn tell_reader(
    readers: &mut BTreeMap<MemberId, Reader>,
    member: MemberId,
    places: BTreeSet<RoomNumber>,
    rendered: &mut Rendered<'_>,
) {
    let Some(reader) = readers.get_mut(&member) else { return };
    let Some(bytes) = rendered.bytes(reader.kind.rendition) else { return };
    let told = rendered.told;
    let own = own_of(reader, member, told);
    if own == Own::SteppedOver && places.contains(&INBOX) && told.event.author() == Some(member) {
        return;
    }
    let (is_message, sequence) = (told.event.is_message(), told.event.sequence());
    reader.expect_entry(told.position, Entry { bytes, places, is_message, sequence, own });
}

/// An event as each rendition shows it, made when it is first needed.
struct Rendered<'a> {
    setup: &'a Setup,
    told: &'a Told,
    made: BTreeMap<Rendition, Option<Rc<[u8]>>>,
}

impl<'a> Rendered<'a> {
    fn new(setup: &'a Setup, told: &'a Told) -> Rendered<'a> {
        Rendered { setup, told, made: BTreeMap::new() }
    }

    /// `None` if the rendition does not show it.
    fn bytes(&mut self, rendition: Rendition) -> Option<Rc<[u8]>> {
        let make = || {
            let mut bytes = Vec::new();
            SimSession::render(rendition, self.setup, self.told, &mut bytes);
            (!bytes.is_empty()).then(|| bytes.into())
        };
        self.made.entry(rendition).or_insert_with(make).clone()
    }
}

/// What the reader's own cursor does with an event.
fn own_of(reader: &Reader, member: MemberId, told: &Told) -> Own {
    if told.event.author() != Some(member) {
        let author = told.event.author().map(MemberId::number);
        let is_ignored = told.event.is_message() && author.is_some_and(|id| reader.ignored.contains(&id));
        return if is_ignored { Own::SteppedOver } else { Own::Shared };
    }
    match (reader.kind.rendition, &told.event) {
        (Rendition::Plain, Event::TopicSet { .. }) => Own::Shown,
        (Rendition::Plain, _) => Own::SteppedOver,
        (_, Event::Said { text, .. } | Event::Directed { text, .. }) => {
            Own::Held(held_line(told, label_of(text.formatted())))
        }
        (_, Event::TopicSet { .. }) => Own::Held(held_line(told, TOPIC_LABEL)),
        _ => Own::Shown,
    }
}

fn meaning_of(told: &Told) -> Rc<str> {
    match &told.event {
        Event::Said { author, text, .. } => format!("{author:?} {}", label_of(text.formatted())).into(),
        Event::Directed { from, to, text, .. } => {
            format!("{from:?} {to:?} {}", label_of(text.formatted())).into()
        }
        event => format!("{event:?}").into(),
    }
}
