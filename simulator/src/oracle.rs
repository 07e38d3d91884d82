//! What is true in a simulated world: a hub of its own that decides everything once more, and from what that tells, what
//! each reader is to be shown and which numbers mean what.
//!
//! Where it stands: beside the engine. The world tells it each request that the desk takes, each byte that leaves, each
//! commit and each crash; it says what is wrong.
//!
//! What this file must never do: look into shards or feeds, or let the engine decide what is right.

use crate::device::Delivery;
use crate::reader::{Entry, INBOX, Own, Reader, Recall, Rules, Stay};
use crate::session::{Kind, Rendition, SimSession, TOPIC_LABEL, held_line, label_of, note_line, own_label};
use dialect::{Session, Setup};
use engine::{Journal, Request};
use hub::{
    Audience, ClientId, Event, Fact, Hearing, Hub, Kept, Known, Lookup, MemberId, Nonce, Page, Position,
    Proposal, Reading, Record, Refusal, Reservation, RoomNumber, Sequence, Settings, Shape, Snapshot,
    Speaker, Time, Told, Verb,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// What has become of one request.
enum Decided {
    Done,
    /// It is brought again with what was looked up.
    LookedUp,
    GivenBack,
}

/// What the desk should have done with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taking {
    Taken,
    GivenBack,
}

/// What the desk should have asked the history since the last time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) readings: Vec<Reading>,
    pub(crate) lookups: Vec<(Request, Lookup)>,
}

/// What waits behind a request for which something is looked up.
#[derive(Debug, Default)]
struct Behind {
    client: Option<ClientId>,
    is_outdated: bool,
    requests: VecDeque<Request>,
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
    /// What has been said under which nonce, and is not lost.
    nonces: BTreeMap<(ClientId, Nonce), (RoomNumber, Sequence)>,
    /// Which member is which client, as long as the process lives.
    clients: BTreeMap<MemberId, ClientId>,
    /// How often the process has begun: a member's id means somebody else then.
    lives: u32,
    /// Requests behind one for which something is looked up, and whether what is looked up for that is old.
    behind: BTreeMap<MemberId, Behind>,
    gave_back: bool,
    asked: Asked,
    /// Receipts for what is not durable yet: by position, whom and what.
    owed: VecDeque<(Position, Time, MemberId, Event)>,
    durable_position: Position,
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
            nonces: BTreeMap::new(),
            clients: BTreeMap::new(),
            lives: 0,
            behind: BTreeMap::new(),
            gave_back: false,
            asked: Asked::default(),
            owed: VecDeque::new(),
            durable_position: Position(0),
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

    pub(crate) fn add_reader(&mut self, member: MemberId, kind: Kind, recall: Recall) {
        self.readers.insert(member, Reader::new(kind, recall, self.rules));
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
        let is_again = std::mem::take(&mut self.gave_back);
        let member = match &request.speaker {
            Speaker::Member(member) => Some(*member),
            Speaker::Door { .. } => None,
        };
        if !is_again
            && request.known.is_none()
            && let Some(behind) = member.and_then(|member| self.behind.get_mut(&member))
        {
            behind.requests.push_back(request.clone());
            return Ok(Taking::Taken);
        }
        let mut next = Some(request.clone());
        while let Some(request) = next {
            match self.decide(now, request, journal)? {
                Decided::Done => next = member.and_then(|member| self.next_behind(member)),
                Decided::LookedUp => next = None,
                Decided::GivenBack => return Ok(Taking::GivenBack),
            }
        }
        Ok(Taking::Taken)
    }

    fn next_behind(&mut self, member: MemberId) -> Option<Request> {
        let next = self.behind.get_mut(&member)?.requests.pop_front();
        if next.is_none() {
            self.behind.remove(&member);
        }
        next
    }

    fn decide(&mut self, now: Time, mut request: Request, journal: Journal) -> Result<Decided, String> {
        let speaker = request.speaker.clone();
        if let (Speaker::Member(member), Some(Known::Client(_))) = (&speaker, &request.known)
            && self.behind.get(member).is_some_and(|behind| behind.is_outdated)
        {
            request.known = None;
        }
        match self.hub.propose_knowing(&speaker, &request.command, request.known.as_ref()) {
            Err(Refusal::Unwritten(_)) if journal == Journal::Working => {
                self.given_back += 1;
                self.gave_back = true;
                return Ok(Decided::GivenBack);
            }
            Err(refusal) => {
                self.unwritten += u64::from(matches!(refusal, Refusal::Unwritten(_)));
                let (verb, nonce) = (request.command.verb(), request.command.nonce().cloned());
                self.answer(now, &speaker, Event::Refused { verb, nonce, refusal })?;
            }
            Ok(Proposal::Fact(fact)) => self.state(now, fact)?,
            Ok(Proposal::Answer(event)) => self.answer(now, &speaker, event)?,
            Ok(Proposal::Receipt(event, said)) => self.owe(now, &speaker, event, said)?,
            Ok(Proposal::Read(reading)) => self.asked.readings.push(reading),
            Ok(Proposal::LookUp(lookup)) => {
                self.look_up(request, lookup);
                return Ok(Decided::LookedUp);
            }
            Ok(Proposal::Nothing) => {}
        }
        Ok(Decided::Done)
    }

    fn look_up(&mut self, request: Request, lookup: Lookup) {
        if let Speaker::Member(member) = request.speaker {
            let behind = self.behind.entry(member).or_default();
            behind.is_outdated = false;
            behind.client = if let Lookup::Client(client) = lookup { Some(client) } else { None };
        }
        self.asked.lookups.push((request, lookup));
    }

    fn owe(&mut self, now: Time, speaker: &Speaker, event: Event, said: Position) -> Result<(), String> {
        let Speaker::Member(member) = speaker else { return Ok(()) };
        if said <= self.durable_position {
            return self.answer(now, speaker, event);
        }
        let at = self.owed.partition_point(|(position, ..)| *position <= said);
        self.owed.insert(at, (said, now, *member, event));
        Ok(())
    }

    /// What the history should have been asked since the last time.
    pub(crate) fn take_asked(&mut self) -> Asked {
        std::mem::take(&mut self.asked)
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
        if let Some(signed) = fact.signature() {
            for behind in self.behind.values_mut().filter(|behind| behind.client == Some(signed.client)) {
                behind.is_outdated = true;
            }
        }
        if let Fact::Connected { member, client: Some(client), .. } = &fact {
            self.clients.insert(*member, client.id);
        }
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
            _ if matches!(told.event, Event::JournalIs { .. }) => self.tell_trouble(&told),
            Audience::Member(member) => self.tell_member(*member, &told),
            Audience::Room(room) => self.tell_rooms(&[*room], &told),
            Audience::Rooms(rooms) => self.tell_rooms(rooms, &told),
            Audience::Inboxes(members) => {
                let mut rendered = Rendered::new(&self.setup, &told);
                for member in members.iter().collect::<BTreeSet<_>>() {
                    tell_reader(&mut self.readers, *member, BTreeSet::from([INBOX]), &mut rendered);
                }
            }
        }
        self.told.push(told);
        Ok(())
    }

    /// Everybody is told who reads a room, or one who has just come in.
    fn tell_trouble(&mut self, told: &Told) {
        let mut rendered = Rendered::new(&self.setup, told);
        let is_told = |member: &MemberId| match &told.audience {
            Audience::Member(one) => one == member,
            _ => true,
        };
        for (_, reader) in self.readers.iter_mut().filter(|(member, _)| is_told(member)) {
            if let Some(bytes) = rendered.bytes(reader.kind.rendition) {
                reader.expect_trouble(told.position, bytes);
            }
        }
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
            reader.expect_note(told.position, note_line(told).into(), delivery_of(&told.event));
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
            let name: Rc<str> = self.pair_of(from.member, to.member).into();
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
        self.check_nonce(told, room, sequence)?;
        self.meanings.insert((room, sequence), meaning);
        self.undurable.push_back((told.position, room, sequence));
        Ok(())
    }

    /// A conversation is the same one as long as its clients are the same, and a guest's as long as the guest is here.
    fn pair_of(&self, one: MemberId, other: MemberId) -> String {
        let name = |member: MemberId| match self.clients.get(&member) {
            Some(client) => format!("{client:?}"),
            None => format!("{member:?} of life {}", self.lives),
        };
        let (one, other) = (name(one), name(other));
        if one < other { format!("{one} and {other}") } else { format!("{other} and {one}") }
    }

    /// What is said twice under one nonce is said once.
    fn check_nonce(&mut self, told: &Told, room: RoomNumber, sequence: Sequence) -> Result<(), String> {
        let Some(signed) = told.event.signature() else { return Ok(()) };
        let Some(nonce) = signed.nonce.clone() else { return Ok(()) };
        match self.nonces.insert((signed.client, nonce.clone()), (room, sequence)) {
            Some((room, before)) => {
                Err(format!("{nonce:?} was said as number {} of room {room}, and is said again", before.0))
            }
            None => Ok(()),
        }
    }

    /// Something was acknowledged to a client: it is what was said, and it is durable.
    pub(crate) fn check_acknowledged(
        &self,
        client: ClientId,
        nonce: &Nonce,
        place: (RoomNumber, Sequence),
    ) -> Result<(), String> {
        if !self.durable.contains(&place) {
            return Err(format!("{nonce:?} is acknowledged before it is durable"));
        }
        match self.nonces.get(&(client, nonce.clone())) {
            Some(known) if *known != place => {
                Err(format!("{nonce:?} is acknowledged as {place:?}, but is {known:?}"))
            }
            _ => Ok(()),
        }
    }

    /// A page that the store has made for a member, or that it could not make.
    pub(crate) fn read(&mut self, told: &Told, upto: Sequence) -> Result<(), String> {
        if let Event::Page(page) = &told.event {
            self.check_page(page, upto).map_err(|wrong| format!("in {page:?}: {wrong}"))?;
        }
        let Audience::Member(member) = told.audience else { return Err("a page for many".into()) };
        if let Some(reader) = self.readers.get_mut(&member).filter(|reader| reader.stay != Stay::Stopped)
            && reader.kind.rendition != Rendition::Plain
        {
            reader.expect_late(told.position, note_line(told).into());
        }
        Ok(())
    }

    fn check_page(&self, page: &Page, upto: Sequence) -> Result<(), String> {
        let room = page.wanted.room.number;
        let numbers: Vec<Sequence> = page.lines.iter().filter_map(|line| line.event.sequence()).collect();
        if !numbers.is_sorted_by(|one, other| one < other) || numbers.last().is_some_and(|last| *last > upto)
        {
            return Err("lines that are out of order or may not be read".into());
        }
        if let Some(lost) = numbers.iter().find(|number| self.is_lost(room, **number)) {
            return Err(format!("number {} is lost", lost.0));
        }
        if page.wanted.shape == Shape::Facts
            && let (Some(first), Some(last)) = (numbers.first(), numbers.last())
            && let Some(left_out) =
                self.facts_between(room, *first, *last).find(|number| numbers.binary_search(number).is_err())
        {
            return Err(format!("number {} is left out", left_out.0));
        }
        Ok(())
    }

    /// The kept facts of a room behind a sequence, up to another, that were told and are not lost.
    pub(crate) fn facts_between(
        &self,
        room: RoomNumber,
        behind: Sequence,
        upto: Sequence,
    ) -> impl Iterator<Item = Sequence> + '_ {
        let numbers = (room, behind.next())..=(room, upto.max(behind.next()));
        let told = self.meanings.range(numbers).map(|((_, sequence), _)| *sequence);
        told.filter(move |sequence| *sequence <= upto && !self.is_lost(room, *sequence))
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
            self.check_kept(fact)?;
            self.replica.apply(fact.record.clone(), &mut told);
            told.clear();
        }
        let replayed = self.replica.snapshot();
        if replayed.rooms != kept.rooms {
            return Err(format!("the kept facts make {replayed:?},\n  but the hub has {kept:?}"));
        }
        Ok(())
    }

    /// A fact is written under the number that it was told under.
    fn check_kept(&self, kept: &Kept) -> Result<(), String> {
        let (room, sequence) = (kept.room, kept.sequence);
        if kept.record.fact.signature().is_some() && !self.meanings.contains_key(&(room, sequence)) {
            return Err(format!("{kept:?} was told under another number"));
        }
        Ok(())
    }

    /// The process has begun again on what was written: guests who were here are nobody any more.
    pub(crate) fn replica_restarts(&mut self) {
        self.replica.recover(&Reservation::default());
    }

    /// The desk has learned of a commit.
    pub(crate) fn committed(&mut self, position: Position, reservation: &Reservation) -> Result<(), String> {
        self.hub.reserve(reservation);
        self.durable_position = self.durable_position.max(position);
        while self.owed.front().is_some_and(|(said, ..)| *said <= position) {
            if let Some((_, time, member, event)) = self.owed.pop_front() {
                self.answer(time, &Speaker::Member(member), event)?;
            }
        }
        Ok(())
    }

    // Crashes.

    /// The process is gone, and with it every connection.
    pub(crate) fn crashed(&mut self) {
        self.readers.clear();
        self.present.clear();
        self.told.clear();
        self.clients.clear();
        self.behind.clear();
        self.gave_back = false;
        self.asked = Asked::default();
        self.owed.clear();
        self.lives += 1;
    }

    /// The process is gone again before anybody was there: what it stated at its restart was seen by nobody.
    pub(crate) fn crashed_at_restart(&mut self) {
        self.crashed();
        self.position_max = self.position_at_restart;
        for (_, room, sequence) in std::mem::take(&mut self.undurable) {
            self.nonces.retain(|_, place| *place != (room, sequence));
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
            self.nonces.retain(|_, place| *place != (room, sequence));
            if rooms.contains(&room) && !self.is_lost(room, sequence) {
                return Err(format!("number {} of room {room} was told and is in no loss", sequence.0));
            }
        }
        self.hub = hub.clone();
        self.durable_position = hub.position();
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
    let (is_message, sequence, kept_in) =
        (told.event.is_message(), told.event.sequence(), told.event.kept_in());
    reader.expect_entry(told.position, Entry { bytes, places, is_message, sequence, kept_in, own });
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
        (_, event) if event.signature().is_some() => Own::Held(held_line(told, own_label(event))),
        (_, Event::Said { text, .. } | Event::Directed { text, .. }) => {
            Own::Held(held_line(told, label_of(text.formatted())))
        }
        (_, Event::TopicSet { .. }) => Own::Held(held_line(told, TOPIC_LABEL)),
        _ => Own::Shown,
    }
}

/// What a client makes of what it is told alone.
fn delivery_of(event: &Event) -> Option<Delivery> {
    match event {
        Event::Connected { conversations, .. } => {
            let with_ends = conversations.iter().map(|found| (found.room.number, found.upto));
            Some(Delivery::Connected(with_ends.collect()))
        }
        Event::Admitted(view) => {
            let name = view.room.name.as_ref().into();
            Some(Delivery::Admitted { room: view.room.number, name, upto: view.upto })
        }
        Event::Dismissed { room } => Some(Delivery::Dismissed { name: room.name.as_ref().into() }),
        Event::Acknowledged { nonce, room, sequence } => {
            Some(Delivery::Acknowledged { nonce: nonce.clone(), room: room.number, sequence: *sequence })
        }
        Event::Disconnected | Event::Refused { verb: Verb::Connect, .. } => Some(Delivery::Over),
        _ => None,
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
