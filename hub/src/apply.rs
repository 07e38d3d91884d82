//! Step two: a numbered fact changes the state and is told. The only way in which the state changes.
//!
//! Deterministic and total: the same records in the same order give the same state and the same events on every node and
//! at every replay. A fact that two nodes decided in conflict is void, alike everywhere, and whoever asked is told.

use crate::command::{Presence, Verb};
use crate::event::{Announced, Audience, Author, Crowd, Event, RoomRef, Told, Topic, Who};
use crate::fact::{Fact, Hearing, Manner, Party, Record, Returning, Signature, Trouble};
use crate::history::Receipt;
use crate::hub::{CROWD_NICKS_MAX, ClientHere, Hub, Member, Room, RoomKind, Sum};
use crate::ids::{MemberId, Position, RoomNumber, Sequence, Time, conversation_name};
use crate::names::{Nick, RoomName};
use crate::refusal::Refusal;
use crate::text::{Line, Text};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// Where the events of one record go; all have its position and time.
struct Teller<'a> {
    position: Position,
    time: Time,
    told: &'a mut Vec<Told>,
}

/// Somebody on the way in.
struct Arriving {
    member: MemberId,
    nick: Nick,
    presence: Presence,
    address: Option<SocketAddr>,
}

/// Something that is said in a room.
struct Saying {
    author: Author,
    text: Text,
    manner: Manner,
    signature: Signature,
}

/// Something that is said to one person.
struct Directing {
    from: Who,
    to: Who,
    parties: [Party; 2],
    text: Text,
    signature: Signature,
}

/// Something that was said is changed or erased.
struct Revising {
    verb: Verb,
    by: Who,
    room: RoomNumber,
    signature: Signature,
}

/// What a kept fact came of, and where it stands.
#[derive(Clone, Copy)]
struct Stated {
    verb: Verb,
    room: RoomNumber,
    sequence: Sequence,
    position: Position,
}

impl Teller<'_> {
    fn tell(&mut self, audience: Audience, event: Event) {
        self.told.push(Told { position: self.position, time: self.time, audience, event });
    }

    /// What was possible when it was proposed is not any more.
    fn refuse(&mut self, member: MemberId, verb: Verb, refusal: Refusal) {
        self.refuse_signed(member, verb, refusal, &None);
    }

    /// The same for what a client may have given a name.
    fn refuse_signed(&mut self, member: MemberId, verb: Verb, refusal: Refusal, signature: &Signature) {
        let nonce = signature.as_ref().and_then(|signed| signed.nonce.clone());
        self.tell(Audience::Member(member), Event::Refused { verb, nonce, refusal });
    }
}

impl Hub {
    /// Applies a record and adds what is to be told to `told`. A record that was applied before is passed over.
    pub fn apply(&mut self, record: Record, told: &mut Vec<Told>) {
        if record.position <= self.position {
            return;
        }
        self.position = record.position;
        let teller = &mut Teller { position: record.position, time: record.time, told };
        match record.fact {
            Fact::Connected { member, nick, presence, address, client } => {
                let arriving = Arriving { member, nick, presence, address };
                self.connected(arriving, client, teller);
            }
            Fact::Appeared { member } => self.appeared(member, teller),
            Fact::Opened { name, by } => self.opened(name, by, teller),
            Fact::Joined { member, room } => self.joined(member, room, teller),
            Fact::Left { member, room } => self.left(member, room, teller),
            Fact::Said { author, room, text, manner, signature } => {
                self.said(Saying { author, text, manner, signature }, room, teller);
            }
            Fact::Directed { from, to, parties, text, signature } => {
                self.directed(Directing { from, to, parties, text, signature }, teller);
            }
            Fact::Edited { by, room, target, text, signature } => {
                let revising = Revising { verb: Verb::Edit, by, room, signature };
                self.revised(revising, teller, |room, sequence, by, signature| Event::Edited {
                    room,
                    sequence,
                    by,
                    target,
                    text,
                    signature,
                });
            }
            Fact::Redacted { by, room, target, reason, signature } => {
                let revising = Revising { verb: Verb::Redact, by, room, signature };
                self.revised(revising, teller, |room, sequence, by, signature| Event::Redacted {
                    room,
                    sequence,
                    by,
                    target,
                    reason,
                    signature,
                });
            }
            Fact::Renamed { member, nick } => self.renamed(member, nick, teller),
            Fact::TopicSet { by, room, topic, signature } => {
                self.topic_set(by, room, topic, signature, teller);
            }
            Fact::Ignored { member, other, hearing } => self.ignored(member, other, hearing, teller),
            Fact::Away { member, message } => self.away_set(member, message, teller),
            Fact::Quit { member, reason } => self.quitted(member, reason.as_ref(), teller),
            Fact::Summed { room } => self.summed(room, teller),
            Fact::JournalIs { trouble } => self.journal_is(trouble, teller),
            Fact::Closed { room } => self.closed(room),
            Fact::RoomsLost { next_room } => self.next_room = self.next_room.max(next_room),
            Fact::Lost { room, from, to } => self.lost(room, from, to, teller),
        }
    }

    fn connected(&mut self, arriving: Arriving, client: Option<Returning>, teller: &mut Teller<'_>) {
        let Arriving { member, nick, presence, address } = arriving;
        if self.members.contains_key(&member) {
            return;
        }
        let id = client.as_ref().map(|client| client.id);
        if let Some(returning) = client {
            // What it said by its other connection, if it has one, is known better here.
            let known = self.clients.get(&returning.id).map(|here| (here.member, here.receipts()));
            let receipts = match known {
                Some((other, receipts)) => {
                    self.quitted(other, None, teller);
                    receipts
                }
                None => returning.receipts,
            };
            self.clients.insert(returning.id, ClientHere::new(member, receipts));
        }
        if let Err(refusal) = self.check_nick(member, &nick) {
            if let Some(id) = id {
                self.clients.remove(&id);
            }
            teller.refuse(member, Verb::Connect, refusal);
            return;
        }
        let shown = nick.shown.clone();
        self.take_nick(member, &nick);
        self.members.insert(member, Box::new(Member::new(nick, presence, address, id)));
        let conversations = self.conversation_views(member);
        teller.tell(Audience::Member(member), Event::Connected { nick: shown, presence, conversations });
    }

    /// Remembers what a client said under its own name for it.
    fn remember(&mut self, signature: &Signature, stated: Stated) {
        let Some(signed) = signature else { return };
        let Some(nonce) = signed.nonce.clone() else { return };
        let Stated { verb, room, sequence, position } = stated;
        if let Some(client) = self.clients.get_mut(&signed.client) {
            client.remember(Receipt { nonce, verb, room, sequence, position });
        }
    }

    fn appeared(&mut self, id: MemberId, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.presence() == Presence::Visible {
            return;
        }
        member.show();
        let who = member.who(id);
        for number in member.rooms.clone() {
            if let Some(room) = self.rooms.get_mut(&number) {
                room.listeners.remove(&id);
                room.members.insert(id);
            }
            self.announce_arrival(number, &who, teller);
        }
    }

    fn opened(&mut self, name: RoomName, by: Option<MemberId>, teller: &mut Teller<'_>) {
        let found = self.names.get(&name.key).copied();
        let Some(number) = found.or_else(|| self.add_room(name)) else { return };
        if let Some(member) = by {
            self.joined(member, number, teller);
            // Empty, if whoever opened it has gone meanwhile.
            self.reconsider(number);
        }
    }

    fn add_room(&mut self, name: RoomName) -> Option<RoomNumber> {
        let number = self.take_room_number()?;
        self.names.insert(name.key.clone(), number);
        let mut room = Room::new(RoomKind::Open(name));
        room.sequence = Sequence(1);
        self.rooms.insert(number, room);
        Some(number)
    }

    /// `None` when all numbers have been used: none is ever used twice.
    fn take_room_number(&mut self) -> Option<RoomNumber> {
        let number = self.next_room;
        self.next_room = RoomNumber(number.0.checked_add(1)?);
        Some(number)
    }

    /// To be called when something has changed that decides whether the room is still needed.
    fn reconsider(&mut self, number: RoomNumber) {
        match self.rooms.get(&number) {
            Some(room) if !self.stays_open(room) => self.closable.insert(number),
            _ => self.closable.remove(&number),
        };
    }

    fn joined(&mut self, id: MemberId, number: RoomNumber, teller: &mut Teller<'_>) {
        if let Err(refusal) = self.check_shown(id)
            && !self.is_in(id, number)
        {
            return teller.refuse(id, Verb::Join, refusal);
        }
        let Some(member) = self.members.get_mut(&id) else { return };
        let open = self.rooms.get_mut(&number).filter(|room| matches!(room.kind, RoomKind::Open(_)));
        let Some(room) = open else { return teller.refuse(id, Verb::Join, no_such_room(number)) };
        let Err(place) = member.rooms.binary_search(&number) else { return };
        member.rooms.insert(place, number);
        room.those(member.presence()).insert(id);
        self.closable.remove(&number);
        let is_visible = member.presence() == Presence::Visible;
        let who = member.who(id);
        let is_first = member.rooms.len() == 1;
        if let Some(view) = self.view(number, id) {
            teller.tell(Audience::Member(id), Event::Admitted(view));
        }
        if is_first && self.trouble.is_some() {
            // Everybody else was told when it began.
            teller.tell(Audience::Member(id), Event::JournalIs { trouble: self.trouble });
        }
        if is_visible {
            self.announce_arrival(number, &who, teller);
        }
    }

    fn left(&mut self, id: MemberId, number: RoomNumber, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let Ok(place) = member.rooms.binary_search(&number) else { return };
        member.rooms.remove(place);
        let who = member.who(id);
        let was_visible = member.presence() == Presence::Visible;
        self.remove_from_room(id, number);
        let Some(room) = self.room_ref(number) else { return };
        if was_visible {
            let announced = self.note_departure(number, &who.nick, teller.time);
            let event = Event::Left { room: room.clone(), who, announced };
            teller.tell(Audience::Room(number), event);
        }
        teller.tell(Audience::Member(id), Event::Dismissed { room });
    }

    fn remove_from_room(&mut self, id: MemberId, number: RoomNumber) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        room.members.remove(&id);
        room.listeners.remove(&id);
        self.reconsider(number);
    }

    fn said(&mut self, saying: Saying, number: RoomNumber, teller: &mut Teller<'_>) {
        let Saying { author, text, manner, signature } = saying;
        let Some((room, sequence)) = self.next_sequence(number) else {
            if let Some(member) = author.member() {
                teller.refuse_signed(member, manner.verb(), no_such_room(number), &signature);
            }
            return;
        };
        let (verb, position) = (manner.verb(), teller.position);
        self.remember(&signature, Stated { verb, room: number, sequence, position });
        let event = Event::Said { room, sequence, author, text, manner, signature };
        teller.tell(Audience::Room(number), event);
    }

    /// Numbers a kept fact in an open room; `None` if there is no such room.
    fn next_sequence(&mut self, number: RoomNumber) -> Option<(RoomRef, Sequence)> {
        let room = self.rooms.get_mut(&number)?;
        let RoomKind::Open(name) = &room.kind else { return None };
        let room_ref = RoomRef { number, name: name.shown.clone() };
        room.sequence = room.sequence.next();
        Some((room_ref, room.sequence))
    }

    fn directed(&mut self, directing: Directing, teller: &mut Teller<'_>) {
        let Directing { from, to, parties, text, signature } = directing;
        let nicks = [from.nick.clone(), to.nick.clone()];
        let Some(conversation) = self.conversation(parties, nicks) else { return };
        let Some(room) = self.rooms.get_mut(&conversation) else { return };
        room.sequence = room.sequence.next();
        let sequence = room.sequence;
        let (verb, position) = (Verb::Direct, teller.position);
        self.remember(&signature, Stated { verb, room: conversation, sequence, position });
        let audience = Audience::Inboxes([to.member, from.member]);
        let away = self.members.get(&to.member).and_then(|member| member.away().cloned());
        let away = away.map(|message| Event::RecipientAway { nick: to.nick.clone(), message });
        let author = from.member;
        teller.tell(audience, Event::Directed { conversation, sequence, from, to, text, signature });
        if let Some(event) = away {
            teller.tell(Audience::Member(author), event);
        }
    }

    /// The conversation of these two, which is opened if it does not exist; nobody has one with oneself. Their nicks are
    /// from now on these.
    fn conversation(&mut self, parties: [Party; 2], nicks: [Arc<str>; 2]) -> Option<RoomNumber> {
        let [one, other] = parties;
        let found = self.conversations.get(&(one, other)).copied();
        if one == other {
            return None;
        }
        let number = match found {
            Some(number) => number,
            None => self.take_room_number()?,
        };
        let kind = if one < other {
            RoomKind::Conversation(parties, nicks)
        } else {
            let ([one, other], [nick, other_nick]) = (parties, nicks);
            RoomKind::Conversation([other, one], [other_nick, nick])
        };
        if let Some(room) = self.rooms.get_mut(&number) {
            room.kind = kind;
        } else {
            self.connect_parties(parties, number);
            self.rooms.insert(number, Room::new(kind));
        }
        // Opened again at a replay, it may belong to nobody who is here.
        self.reconsider(number);
        Some(number)
    }

    pub(crate) fn connect_parties(&mut self, [one, other]: [Party; 2], number: RoomNumber) {
        self.conversations.insert((one, other), number);
        self.conversations.insert((other, one), number);
    }

    /// Something that was said is changed or erased: a kept fact of its own.
    fn revised(
        &mut self,
        revising: Revising,
        teller: &mut Teller<'_>,
        event: impl FnOnce(RoomRef, Sequence, Who, Signature) -> Event,
    ) {
        let Revising { verb, by, room: number, signature } = revising;
        let Some(place) = self.place_ref(number) else {
            return teller.refuse_signed(by.member, verb, no_such_room(number), &signature);
        };
        let author = self.party(by.member);
        let Some(room) = self.rooms.get_mut(&number) else { return };
        room.sequence = room.sequence.next();
        let sequence = room.sequence;
        let other = match &room.kind {
            RoomKind::Open(_) => None,
            RoomKind::Conversation(parties, _) => parties.iter().find(|party| **party != author).copied(),
        };
        let audience = match other {
            None => Audience::Room(number),
            // Whoever is not here reads it in the conversation's history.
            Some(other) => Audience::Inboxes([self.member_of(other).unwrap_or(by.member), by.member]),
        };
        self.remember(&signature, Stated { verb, room: number, sequence, position: teller.position });
        teller.tell(audience, event(place, sequence, by, signature));
    }

    /// Who a party is now, if it is here.
    fn member_of(&self, party: Party) -> Option<MemberId> {
        match party {
            Party::Client(client) => self.clients.get(&client).map(|here| here.member),
            Party::Guest(member) => self.members.contains_key(&member).then_some(member),
            Party::Past(_) => None,
        }
    }

    /// Told to everybody who is in a room, once, and only if it is news; to nobody if nobody is, because whoever delivers
    /// events has to know.
    fn journal_is(&mut self, trouble: Option<Trouble>, teller: &mut Teller<'_>) {
        if self.trouble.is_some() == trouble.is_some() {
            self.trouble = trouble;
            return;
        }
        self.trouble = trouble;
        let with_people = self.rooms.iter().filter(|(_, room)| room.head_count() > 0);
        let rooms: Vec<RoomNumber> = with_people.map(|(number, _)| *number).collect();
        teller.tell(Audience::Rooms(rooms), Event::JournalIs { trouble });
    }

    fn renamed(&mut self, id: MemberId, nick: Nick, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get(&id) else { return };
        if let Err(refusal) = self.check_nick(id, &nick) {
            teller.refuse(id, Verb::Nick, refusal);
            return;
        }
        let who = member.who(id);
        let old = member.nick.clone();
        self.release_nick(&old);
        let event = Event::Renamed { who, nick: nick.shown.clone() };
        self.take_nick(id, &nick);
        if let Some(member) = self.members.get_mut(&id) {
            member.nick = nick;
        }
        self.tell_rooms_of(id, event.clone(), teller);
        teller.tell(Audience::Member(id), event);
    }

    fn take_nick(&mut self, id: MemberId, nick: &Nick) {
        self.nicks.insert(nick.key.clone(), id);
        self.looks.entry(nick.look).or_default().add(nick);
    }

    fn release_nick(&mut self, nick: &Nick) {
        self.nicks.remove(&nick.key);
        if let Some(looks) = self.looks.get_mut(&nick.look) {
            looks.remove(nick);
            if looks.is_empty() {
                self.looks.remove(&nick.look);
            }
        }
    }

    /// Tells all rooms of a visible member something, once.
    fn tell_rooms_of(&mut self, id: MemberId, event: Event, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get(&id) else { return };
        if member.presence() == Presence::Visible && !member.rooms.is_empty() {
            teller.tell(Audience::Rooms(member.rooms.to_vec()), event);
        }
    }

    fn topic_set(
        &mut self,
        by: Who,
        number: RoomNumber,
        topic: Option<Line>,
        signature: Signature,
        teller: &mut Teller<'_>,
    ) {
        let Some((room_ref, sequence)) = self.next_sequence(number) else {
            return teller.refuse_signed(by.member, Verb::SetTopic, no_such_room(number), &signature);
        };
        if let Some(room) = self.rooms.get_mut(&number) {
            let set = |text: &Line| Topic { text: text.clone(), by: by.nick.clone(), time: teller.time };
            room.topic = topic.as_ref().map(set);
        }
        let (verb, position) = (Verb::SetTopic, teller.position);
        self.remember(&signature, Stated { verb, room: number, sequence, position });
        let event = Event::TopicSet { room: room_ref, sequence, by, topic, signature };
        teller.tell(Audience::Room(number), event);
    }

    fn ignored(&mut self, id: MemberId, other: MemberId, hearing: Hearing, teller: &mut Teller<'_>) {
        let Some(other) = self.who(other) else { return };
        let Some(member) = self.members.get(&id) else { return };
        // Those who have gone come back as somebody else: their ids need not be remembered.
        let here = member.ignored().filter(|id| self.members.contains_key(id));
        let mut ignored: BTreeSet<MemberId> = here.collect();
        match hearing {
            Hearing::Nothing => ignored.insert(other.member),
            Hearing::Everything => ignored.remove(&other.member),
        };
        if let Some(member) = self.members.get_mut(&id) {
            member.set_ignored(ignored);
        }
        teller.tell(Audience::Member(id), Event::Ignoring { other, hearing });
    }

    fn away_set(&mut self, id: MemberId, message: Option<Line>, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let is_new = member.away() != message.as_ref();
        if is_new {
            member.set_away(message.clone());
        }
        let Some(who) = self.who(id) else { return };
        let event = Event::Away { who, message };
        if is_new {
            self.tell_rooms_of(id, event.clone(), teller);
        }
        teller.tell(Audience::Member(id), event);
    }

    fn quitted(&mut self, id: MemberId, reason: Option<&Line>, teller: &mut Teller<'_>) {
        let party = self.party(id);
        let Some(member) = self.members.remove(&id) else { return };
        if let Some(client) = member.client() {
            self.clients.remove(&client);
        }
        self.release_nick(&member.nick);
        for number in &member.rooms {
            self.remove_from_room(id, *number);
        }
        let conversations: Vec<RoomNumber> = self.conversations_of(party).collect();
        for number in conversations {
            self.reconsider(number);
        }
        if member.presence() == Presence::Visible {
            self.tell_quit(&member.who(id), &member.rooms, reason, teller);
        }
        teller.tell(Audience::Member(id), Event::Disconnected);
    }

    /// Rooms that announce singly and rooms that sum up are told apart, but both at one position: whoever is in several
    /// reads it once.
    fn tell_quit(&mut self, who: &Who, rooms: &[RoomNumber], reason: Option<&Line>, teller: &mut Teller<'_>) {
        let mut singly = Vec::new();
        let mut in_sum = Vec::new();
        for number in rooms {
            match self.note_departure(*number, &who.nick, teller.time) {
                Announced::Singly => singly.push(*number),
                Announced::InSum => in_sum.push(*number),
            }
        }
        for (rooms, announced) in [(singly, Announced::Singly), (in_sum, Announced::InSum)] {
            if !rooms.is_empty() {
                let event = Event::Quit { who: who.clone(), reason: reason.cloned(), announced };
                teller.tell(Audience::Rooms(rooms), event);
            }
        }
    }

    fn announce_arrival(&mut self, number: RoomNumber, who: &Who, teller: &mut Teller<'_>) {
        let Some(room_ref) = self.room_ref(number) else { return };
        let announced = self.note_arrival(number, &who.nick, teller.time);
        let event = Event::Joined { room: room_ref, who: who.clone(), announced };
        teller.tell(Audience::Room(number), event);
    }

    /// Whether an arrival gets a line of its own; if not, it goes into the next sum. Somebody who is still to be told as
    /// gone, and is back before, is told neither as gone nor as come.
    fn note_arrival(&mut self, number: RoomNumber, nick: &Arc<str>, now: Time) -> Announced {
        let Some(room) = self.rooms.get_mut(&number) else { return Announced::Singly };
        if room.sum.as_mut().is_some_and(|sum| strike(&mut sum.departed, nick)) {
            return Announced::InSum;
        }
        if room.members.len() as u32 <= self.settings.announce_max {
            return Announced::Singly;
        }
        if let Some(sum) = self.sum_of(number, now) {
            add(&mut sum.arrived, nick);
        }
        Announced::InSum
    }

    /// The same for a departure. Who has left is not among the members any more.
    fn note_departure(&mut self, number: RoomNumber, nick: &Arc<str>, now: Time) -> Announced {
        let Some(room) = self.rooms.get_mut(&number) else { return Announced::Singly };
        if room.sum.as_mut().is_some_and(|sum| strike(&mut sum.arrived, nick)) {
            return Announced::InSum;
        }
        if (room.members.len() as u32) < self.settings.announce_max {
            return Announced::Singly;
        }
        if let Some(sum) = self.sum_of(number, now) {
            add(&mut sum.departed, nick);
        }
        Announced::InSum
    }

    /// The sum that the room is to be told next. Whoever is the first in it starts the interval.
    fn sum_of(&mut self, number: RoomNumber, now: Time) -> Option<&mut Sum> {
        let due = now.after_ms(self.settings.sum_interval_ms);
        let sums = &mut self.sums;
        let plan = || {
            sums.insert((due, number));
            Box::new(Sum { due, arrived: Crowd::default(), departed: Crowd::default() })
        };
        Some(self.rooms.get_mut(&number)?.sum.get_or_insert_with(plan))
    }

    fn summed(&mut self, number: RoomNumber, teller: &mut Teller<'_>) {
        let Some(room_ref) = self.room_ref(number) else { return };
        let Some(sum) = self.rooms.get_mut(&number).and_then(|room| room.sum.take()) else { return };
        self.sums.remove(&(sum.due, number));
        let Sum { arrived, departed, .. } = *sum;
        if !arrived.is_empty() || !departed.is_empty() {
            let event = Event::Summed { room: room_ref, arrived, departed };
            teller.tell(Audience::Room(number), event);
        }
    }

    fn closed(&mut self, number: RoomNumber) {
        self.closable.remove(&number);
        let Some(room) = self.rooms.get(&number) else { return };
        if self.stays_open(room) {
            return;
        }
        let Some(room) = self.rooms.remove(&number) else { return };
        if let Some(sum) = room.sum {
            self.sums.remove(&(sum.due, number));
        }
        match room.kind {
            RoomKind::Open(name) => {
                self.names.remove(&name.key);
            }
            RoomKind::Conversation([one, other], _) => {
                self.conversations.remove(&(one, other));
                self.conversations.remove(&(other, one));
            }
        }
    }

    /// A range that does not begin right behind the last fact is none that this hub lost: it is void.
    fn lost(&mut self, number: RoomNumber, from: Sequence, to: Sequence, teller: &mut Teller<'_>) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        if from != room.sequence.next() || to < from {
            return;
        }
        room.sequence = to.next();
        let sequence = room.sequence;
        if let Some(room) = self.room_ref(number) {
            teller.tell(Audience::Room(number), Event::Lost { room, sequence, from, to });
        }
    }
}

fn no_such_room(number: RoomNumber) -> Refusal {
    Refusal::NoSuchRoom(conversation_name(number))
}

/// Nobody is named twice; who comes or goes again is counted.
fn add(crowd: &mut Crowd, nick: &Arc<str>) {
    if crowd.nicks.len() < CROWD_NICKS_MAX && !crowd.nicks.contains(nick) {
        crowd.nicks.push(nick.clone());
    } else {
        crowd.others = crowd.others.saturating_add(1);
    }
}

/// Takes somebody out again, if everybody in the crowd is named: who is only counted cannot be told from the others.
fn strike(crowd: &mut Crowd, nick: &Arc<str>) -> bool {
    let place = crowd.nicks.iter().position(|other| other == nick).filter(|_| crowd.others == 0);
    place.map(|place| crowd.nicks.remove(place)).is_some()
}
