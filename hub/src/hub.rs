//! The state: who is here, which rooms there are, who is in which. Read by `propose` and the answers, changed by
//! `apply` alone. Every map is ordered, so that walking one is the same everywhere.

use crate::command::{Command, Place, Presence, Speaker};
use crate::event::{Conversation, Crowd, RoomRef, RoomView, Topic, Who};
use crate::fact::{Party, Trouble};
use crate::history::Receipt;
use crate::ids::{ClientId, MemberId, Nonce, Position, RoomNumber, Sequence, Time, conversation_name};
use crate::names::{Look, Nick, RoomName, key_of};
use crate::refusal::Refusal;
use crate::text::Line;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use smallvec::SmallVec;

/// With each commit the journal reserves so many sequences ahead in each room that it wrote to: also the bound on facts
/// that are told but not yet written.
pub const RESERVED_AHEAD: u64 = 4096;

/// And so many positions: more than can be used between two commits, because facts that are never written down use them
/// up, too, and cannot wait for a journal that fails. Holes among positions cost nothing.
pub(crate) const POSITIONS_RESERVED_AHEAD: u64 = 1_000_000_000;

/// So many nonces of a client are remembered: what it says again under one of them is not said twice.
pub(crate) const NONCES_MAX: usize = 1000;

/// How many names a picture of a room, or a sum, shows before it counts.
pub(crate) const CROWD_NICKS_MAX: usize = 8;

/// What can be set: every bound of the hub, with its default.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The room that is never closed.
    pub home: RoomName,
    /// Rooms with more visible members than this sum up arrivals and departures.
    pub announce_max: u32,
    /// Sums are told at most so often.
    pub sum_interval_ms: u64,
    /// Members on the server.
    pub members_max: u32,
    /// Rooms on the server, direct conversations not counted.
    pub rooms_max: u32,
    /// Members of a room.
    pub members_of_room_max: u32,
    /// Rooms of a member.
    pub rooms_of_member_max: u32,
    /// People whom a member ignores.
    pub ignored_max: u32,
    /// Direct conversations of a member.
    pub conversations_max: u32,
    /// Bytes of a topic.
    pub topic_bytes_max: usize,
    /// Bytes of an away message or of last words.
    pub reason_bytes_max: usize,
    /// Direct conversations on the server, those included whose parties are away.
    pub conversations_kept_max: u32,
    /// Lines of a page of names, rooms, or what was said.
    pub page_lines_max: usize,
    /// Whether what is said can be read again.
    pub keeping: Keeping,
}

/// Whether what is said can be read again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keeping {
    /// Nothing is written down.
    Nothing,
    /// There is a history.
    History,
}

impl Settings {
    /// The defaults, with this home room.
    pub fn new(home: RoomName) -> Settings {
        Settings {
            home,
            announce_max: 100,
            sum_interval_ms: 1000,
            members_max: 100_000,
            rooms_max: 10_000,
            members_of_room_max: 100_000,
            rooms_of_member_max: 50,
            ignored_max: 100,
            conversations_max: 500,
            conversations_kept_max: 100_000,
            topic_bytes_max: 512,
            reason_bytes_max: 256,
            page_lines_max: 200,
            keeping: Keeping::Nothing,
        }
    }
}

/// Rooms, members and their order. `Clone` and `Eq`, because it is plain data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hub {
    pub(crate) settings: Settings,
    /// Of the last record that was applied.
    pub(crate) position: Position,
    /// Boxed, because a node of the map keeps room for nearly twice as many as stand in it.
    pub(crate) members: BTreeMap<MemberId, Box<Member>>,
    /// Key of a nick to its owner.
    pub(crate) nicks: BTreeMap<Arc<str>, MemberId>,
    /// Look of a nick to how many have it.
    pub(crate) looks: BTreeMap<Look, Looks>,
    pub(crate) rooms: BTreeMap<RoomNumber, Room>,
    /// Key of an open room's name to its number.
    pub(crate) names: BTreeMap<Arc<str>, RoomNumber>,
    /// Two parties to their conversation: once from each side, so that all of one's own stand together.
    pub(crate) conversations: BTreeMap<(Party, Party), RoomNumber>,
    /// The clients that are here.
    pub(crate) clients: BTreeMap<ClientId, ClientHere>,
    /// Why the journal cannot write, if it cannot.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) next_room: RoomNumber,
    /// No room is opened with this number or a higher one before the journal reserves more.
    pub(crate) reserved_room: RoomNumber,
    /// Rooms with a sum to tell, by the moment when it is due.
    pub(crate) sums: BTreeSet<(Time, RoomNumber)>,
    /// Rooms to be closed: open ones that became empty, conversations of which a party left.
    pub(crate) closable: BTreeSet<RoomNumber>,
}

/// A client that is here: by which connection, and what it said with nonces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ClientHere {
    pub(crate) member: MemberId,
    receipts: VecDeque<Receipt>,
    by_nonce: BTreeSet<Nonce>,
}

impl ClientHere {
    pub(crate) fn new(member: MemberId, receipts: Vec<Receipt>) -> ClientHere {
        let mut client = ClientHere { member, receipts: VecDeque::new(), by_nonce: BTreeSet::new() };
        for receipt in receipts {
            client.remember(receipt);
        }
        client
    }

    /// What was said under this nonce.
    pub(crate) fn receipt(&self, nonce: &Nonce) -> Option<&Receipt> {
        if !self.by_nonce.contains(nonce) {
            return None;
        }
        self.receipts.iter().rev().find(|receipt| receipt.nonce == *nonce)
    }

    pub(crate) fn remember(&mut self, receipt: Receipt) {
        if !self.by_nonce.insert(receipt.nonce.clone()) {
            return;
        }
        self.receipts.push_back(receipt);
        if self.receipts.len() > NONCES_MAX
            && let Some(oldest) = self.receipts.pop_front()
        {
            self.by_nonce.remove(&oldest.nonce);
        }
    }

    /// All of them, the oldest first.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.receipts.iter().cloned().collect()
    }
}

/// Somebody who is connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Member {
    pub(crate) nick: Nick,
    /// Ascending. Most members are in one room or two, which need no allocation of their own.
    pub(crate) rooms: SmallVec<[RoomNumber; 4]>,
    /// What few members have: kept aside, because there may be very many members.
    rare: Option<Box<Rare>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Rare {
    is_listening: bool,
    /// Known to others only where the operator wants that.
    address: Option<Arc<SocketAddr>>,
    away: Option<Line>,
    ignored: BTreeSet<MemberId>,
    /// Which client, if it can come back as the same one.
    client: Option<ClientId>,
}

impl Member {
    pub(crate) fn new(
        nick: Nick,
        presence: Presence,
        address: Option<SocketAddr>,
        client: Option<ClientId>,
    ) -> Member {
        let is_listening = presence == Presence::Listening;
        let rare = Rare { is_listening, address: address.map(Arc::new), client, ..Rare::default() };
        let rare = (rare != Rare::default()).then(|| Box::new(rare));
        Member { nick, rooms: SmallVec::new(), rare }
    }

    /// The member of this id as it is named to people.
    pub(crate) fn who(&self, member: MemberId) -> Who {
        let address = self.rare.as_ref().and_then(|rare| rare.address.clone());
        Who { member, nick: self.nick.shown.clone(), address }
    }

    pub(crate) fn presence(&self) -> Presence {
        match &self.rare {
            Some(rare) if rare.is_listening => Presence::Listening,
            _ => Presence::Visible,
        }
    }

    /// Makes it visible.
    pub(crate) fn show(&mut self) {
        self.rare_mut().is_listening = false;
        self.tidy();
    }

    pub(crate) fn set_away(&mut self, message: Option<Line>) {
        self.rare_mut().away = message;
        self.tidy();
    }

    pub(crate) fn set_ignored(&mut self, ignored: BTreeSet<MemberId>) {
        self.rare_mut().ignored = ignored;
        self.tidy();
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Gives the box back when nothing is in it.
    fn tidy(&mut self) {
        if self.rare.as_deref() == Some(&Rare::default()) {
            self.rare = None;
        }
    }

    /// Which client it is, if it can come back as the same one.
    pub(crate) fn client(&self) -> Option<ClientId> {
        self.rare.as_ref()?.client
    }

    pub(crate) fn away(&self) -> Option<&Line> {
        self.rare.as_ref()?.away.as_ref()
    }

    pub(crate) fn ignored(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.rare.iter().flat_map(|rare| rare.ignored.iter().copied())
    }

    pub(crate) fn ignores(&self, other: MemberId) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.ignored.contains(&other))
    }
}

/// How many nicks share one look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Looks {
    pub(crate) ascii: u32,
    pub(crate) other: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    pub(crate) kind: RoomKind,
    /// Of its last kept fact.
    pub(crate) sequence: Sequence,
    /// No kept fact gets a higher one before the journal reserves more.
    pub(crate) reserved: Sequence,
    pub(crate) topic: Option<Topic>,
    /// The visible ones.
    pub(crate) members: BTreeSet<MemberId>,
    /// Those who only listen: a set of their own, so that nobody has to look past them for a name.
    pub(crate) listeners: BTreeSet<MemberId>,
    /// What is to be told of those who came and went, in a room that sums up.
    pub(crate) sum: Option<Box<Sum>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sum {
    /// When it is told: the room's entry in `Hub::sums` says the same.
    pub(crate) due: Time,
    pub(crate) arrived: Crowd,
    pub(crate) departed: Crowd,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum RoomKind {
    Open(RoomName),
    /// Whose it is, and their nicks when something was said last.
    Conversation([Party; 2], [Arc<str>; 2]),
}

impl Room {
    pub(crate) fn new(kind: RoomKind) -> Room {
        Room {
            kind,
            sequence: Sequence(0),
            reserved: Sequence(RESERVED_AHEAD),
            topic: None,
            members: BTreeSet::new(),
            listeners: BTreeSet::new(),
            sum: None,
        }
    }

    /// The set in which a member of this presence stands.
    pub(crate) fn those(&mut self, presence: Presence) -> &mut BTreeSet<MemberId> {
        match presence {
            Presence::Visible => &mut self.members,
            Presence::Listening => &mut self.listeners,
        }
    }

    pub(crate) fn head_count(&self) -> u32 {
        (self.members.len() + self.listeners.len()) as u32
    }
}

impl Hub {
    /// An empty hub: nobody is here, no room is open. It may open rooms at once; where there is a journal, its first
    /// commit comes before anybody is let in, so that their numbers are reserved.
    pub fn new(settings: Settings) -> Hub {
        Hub {
            settings,
            position: Position(0),
            members: BTreeMap::new(),
            nicks: BTreeMap::new(),
            looks: BTreeMap::new(),
            rooms: BTreeMap::new(),
            names: BTreeMap::new(),
            conversations: BTreeMap::new(),
            clients: BTreeMap::new(),
            trouble: None,
            next_room: RoomNumber(1),
            reserved_room: RoomNumber(1 + ROOMS_RESERVED_AHEAD),
            sums: BTreeSet::new(),
            closable: BTreeSet::new(),
        }
    }

    /// The position of the last record that was applied.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What the hub was set up with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sets up the hub anew, between two requests; the home room stays what it is, for people are in it. Bounds are looked
    /// at by `propose` alone: whatever is beyond a lower one stays, and there is only nothing added to it.
    ///
    /// `apply` reads two of the settings, `announce_max` and `sum_interval_ms`. They decide how arrivals and departures
    /// are told, and when: passing events, which no journal keeps and no snapshot knows. So a replay under other settings
    /// comes to the same state, as it already does when a server is started again with others. Nodes that apply one log
    /// together would have to change them at one position: by a fact, not by this.
    pub fn set_settings(&mut self, settings: &Settings) {
        let home = self.settings.home.clone();
        self.settings = Settings { home, ..settings.clone() };
    }

    /// How many connections are known, listeners among them.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// The rooms that a member is in, ascending.
    pub fn rooms_of(&self, member: MemberId) -> &[RoomNumber] {
        self.members.get(&member).map_or(&[], |found| &found.rooms)
    }

    /// Whether `member` may know that this room exists. A room that one may not see is answered like one that does not
    /// exist.
    pub fn may_see(&self, member: MemberId, room: RoomNumber) -> bool {
        match self.rooms.get(&room).map(|room| &room.kind) {
            Some(RoomKind::Open(_)) => true,
            Some(RoomKind::Conversation(parties, _)) => parties.contains(&self.party(member)),
            None => false,
        }
    }

    /// Whether `member` may read what is said there.
    pub fn may_read(&self, member: MemberId, room: RoomNumber) -> bool {
        match self.rooms.get(&room).map(|room| &room.kind) {
            Some(RoomKind::Open(_)) => self.is_in(member, room),
            Some(RoomKind::Conversation(..)) => self.may_see(member, room),
            None => false,
        }
    }

    /// Whether `member` may say something there.
    pub fn may_speak(&self, member: MemberId, room: RoomNumber) -> bool {
        self.may_read(member, room)
    }

    pub(crate) fn is_in(&self, member: MemberId, room: RoomNumber) -> bool {
        self.members.get(&member).is_some_and(|member| member.rooms.binary_search(&room).is_ok())
    }

    pub(crate) fn who(&self, member: MemberId) -> Option<Who> {
        self.members.get(&member).map(|found| found.who(member))
    }

    /// Who a member is in a direct conversation.
    pub(crate) fn party(&self, member: MemberId) -> Party {
        let client = self.members.get(&member).and_then(|member| member.client());
        client.map_or(Party::Guest(member), Party::Client)
    }

    /// An open room.
    pub(crate) fn room_ref(&self, number: RoomNumber) -> Option<RoomRef> {
        match &self.rooms.get(&number)?.kind {
            RoomKind::Open(name) => Some(RoomRef { number, name: name.shown.clone() }),
            RoomKind::Conversation(..) => None,
        }
    }

    /// A room or a conversation.
    pub(crate) fn place_ref(&self, number: RoomNumber) -> Option<RoomRef> {
        let conversation = || RoomRef { number, name: conversation_name(number).into() };
        self.rooms.contains_key(&number).then(|| self.room_ref(number).unwrap_or_else(conversation))
    }

    /// The room or conversation that is meant and that the member may read; what may not even be seen is answered like
    /// what does not exist.
    pub(crate) fn readable(&self, member: MemberId, place: &Place) -> Result<RoomNumber, Refusal> {
        let not_there = || Refusal::NoSuchRoom(self.place_name(place));
        let number = match place {
            Place::Number(number) => *number,
            Place::Name(name) => match name.strip_prefix('@').map(str::parse) {
                Some(number) => RoomNumber(number.map_err(|_| not_there())?),
                None => self.room_named(name).ok_or_else(not_there)?,
            },
        };
        if !self.may_see(member, number) {
            return Err(not_there());
        }
        if self.may_read(member, number) {
            Ok(number)
        } else {
            Err(Refusal::NotInRoom(self.number_name(number)))
        }
    }
    /// The open room that is meant, if the asker may see it.
    pub(crate) fn find_room(&self, place: &Place) -> Result<RoomNumber, Refusal> {
        let found = match place {
            Place::Number(number) => Some(*number).filter(|number| self.room_ref(*number).is_some()),
            Place::Name(name) => self.room_named(name),
        };
        found.ok_or_else(|| Refusal::NoSuchRoom(self.place_name(place)))
    }

    /// The number of the open room of this name.
    pub fn room_named(&self, name: &str) -> Option<RoomNumber> {
        let bare = name.strip_prefix('#').unwrap_or(name);
        self.names.get(key_of(bare).as_str()).copied()
    }

    /// The room or conversation whose log a command would be written to, if it is there.
    pub fn written_to(&self, speaker: &Speaker, command: &Command) -> Option<RoomNumber> {
        let number = match command {
            Command::Say { room, .. } | Command::Act { room, .. } | Command::SetTopic { room, .. } => {
                self.find_room(room).ok()
            }
            Command::Edit { room, .. } | Command::Redact { room, .. } => match speaker {
                Speaker::Member(member) => self.readable(*member, room).ok(),
                Speaker::Door { .. } => None,
            },
            Command::Direct { to, .. } => match speaker {
                Speaker::Member(member) => {
                    let parties = (self.party(*member), self.party(self.find_nick(to).ok()?));
                    self.conversations.get(&parties).copied()
                }
                Speaker::Door { .. } => None,
            },
            _ => None,
        };
        number.filter(|number| self.rooms.contains_key(number))
    }

    /// Whether a room is still needed: the home room, one with people, and, where there is a history, one in which something
    /// was said; a conversation that one of its parties can come back to. Without a history a topic alone keeps no room, or
    /// one person could use up all that there may be.
    pub(crate) fn stays_open(&self, room: &Room) -> bool {
        let is_kept = self.settings.keeping == Keeping::History;
        match &room.kind {
            RoomKind::Open(name) => {
                let has_history = is_kept && room.sequence > Sequence(1);
                name.key == self.settings.home.key || room.head_count() > 0 || has_history
            }
            RoomKind::Conversation(parties, _) => {
                let may_return = |party: &Party| match party {
                    Party::Client(client) => is_kept || self.clients.contains_key(client),
                    Party::Guest(_) | Party::Past(_) => false,
                };
                let is_here = |party: &Party| match party {
                    Party::Client(client) => self.clients.contains_key(client),
                    Party::Guest(member) => self.members.contains_key(member),
                    Party::Past(_) => false,
                };
                parties.iter().all(is_here) || (is_kept && parties.iter().any(may_return))
            }
        }
    }

    /// The direct conversations of a party.
    pub(crate) fn conversations_of(&self, party: Party) -> impl Iterator<Item = RoomNumber> + '_ {
        let begin = (party, Party::Client(ClientId([0; 16])));
        self.conversations
            .range(begin..)
            .take_while(move |((of, _), _)| *of == party)
            .map(|(_, number)| *number)
    }

    /// All conversations of a member, as it finds them; a setting bounds how many it can begin.
    pub(crate) fn conversation_views(&self, member: MemberId) -> Vec<Conversation> {
        let party = self.party(member);
        self.conversations_of(party).filter_map(|number| self.conversation_view(number, party)).collect()
    }

    fn conversation_view(&self, number: RoomNumber, party: Party) -> Option<Conversation> {
        let room = self.rooms.get(&number)?;
        let RoomKind::Conversation([one, _], [nick, other_nick]) = &room.kind else { return None };
        let with = if *one == party { other_nick.clone() } else { nick.clone() };
        Some(Conversation { room: self.place_ref(number)?, with, upto: room.sequence })
    }

    /// A room as it is named in a refusal: with its mark, whether that was typed or not.
    pub(crate) fn place_name(&self, place: &Place) -> String {
        match place {
            Place::Number(number) => self.number_name(*number),
            Place::Name(name) if name.starts_with(['#', '@']) => name.clone(),
            Place::Name(name) => format!("#{name}"),
        }
    }

    pub(crate) fn number_name(&self, number: RoomNumber) -> String {
        self.room_ref(number).map_or_else(|| conversation_name(number), |room| format!("#{}", room.name))
    }

    /// The visible member of this name.
    pub(crate) fn find_nick(&self, raw: &str) -> Result<MemberId, Refusal> {
        let owner = self.nicks.get(key_of(raw).as_str()).copied();
        let is_visible =
            |id: &MemberId| self.members.get(id).is_some_and(|member| member.presence() == Presence::Visible);
        owner.filter(is_visible).ok_or_else(|| Refusal::NoSuchNick(raw.into()))
    }

    /// Whether `member` may take this nick.
    pub(crate) fn check_nick(&self, member: MemberId, nick: &Nick) -> Result<(), Refusal> {
        match self.nicks.get(&nick.key) {
            Some(owner) if *owner != member => return Err(Refusal::NickTaken(nick.shown.clone())),
            _ => {}
        }
        let mut looks = self.looks.get(&nick.look).copied().unwrap_or_default();
        if let Some(own) = self.members.get(&member).map(|found| &found.nick)
            && own.look == nick.look
        {
            looks.remove(own);
        }
        let clash = looks.other > 0 || (!nick.is_ascii() && looks.ascii > 0);
        if clash { Err(Refusal::NickLooksLike(nick.shown.as_ref().into())) } else { Ok(()) }
    }

    /// The room as somebody finds it who comes in or has missed something.
    pub(crate) fn view(&self, number: RoomNumber, viewer: MemberId) -> Option<RoomView> {
        let room = self.rooms.get(&number)?;
        let others = room.members.iter().filter(|member| **member != viewer);
        let nicks: Vec<Arc<str>> = others
            .take(CROWD_NICKS_MAX)
            .filter_map(|id| self.members.get(id).map(|member| member.nick.shown.clone()))
            .collect();
        let others_count = room.members.len() - usize::from(room.members.contains(&viewer));
        let others = (others_count - nicks.len()) as u32;
        Some(RoomView {
            room: self.room_ref(number)?,
            topic: room.topic.clone(),
            members: Crowd { nicks, others },
            listening: (room.listeners.len() - usize::from(room.listeners.contains(&viewer))) as u32,
            upto: room.sequence,
        })
    }
}

/// The journal reserves so many room numbers ahead.
pub(crate) const ROOMS_RESERVED_AHEAD: u32 = 1024;

impl Looks {
    pub(crate) fn add(&mut self, nick: &Nick) {
        *self.those_like(nick) += 1;
    }

    pub(crate) fn remove(&mut self, nick: &Nick) {
        let count = self.those_like(nick);
        *count = count.saturating_sub(1);
    }

    pub(crate) fn is_empty(self) -> bool {
        self.ascii == 0 && self.other == 0
    }

    fn those_like(&mut self, nick: &Nick) -> &mut u32 {
        if nick.is_ascii() { &mut self.ascii } else { &mut self.other }
    }
}
