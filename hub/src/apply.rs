//! Step two: a numbered fact changes the state and is told. The only way in which the state changes.
//!
//! Deterministic and total: the same records in the same order give the same state and the same events on every node and
//! at every replay. A fact that two nodes decided in conflict is void, alike everywhere, and whoever asked is told.

use crate::command::Presence;
use crate::event::{Announced, Audience, Author, Crowd, Event, RoomRef, Told, Topic, Who};
use crate::fact::{Fact, Hearing, Manner, Record};
use crate::hub::{CROWD_NICKS_MAX, Hub, Member, Room, RoomKind, own_look};
use crate::ids::{MemberId, Position, RoomNumber, Sequence, Time};
use crate::names::{Nick, RoomName};
use crate::propose::pair;
use crate::text::{Line, Text};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Where the events of one record go; all have its position and time.
struct Teller<'a> {
    position: Position,
    time: Time,
    told: &'a mut Vec<Told>,
}

impl Teller<'_> {
    fn tell(&mut self, audience: Audience, event: Event) {
        self.told.push(Told { position: self.position, time: self.time, audience, event });
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
            Fact::Connected { member, nick, presence } => self.connected(member, nick, presence, teller),
            Fact::Appeared { member } => self.appeared(member, teller),
            Fact::Opened { name, by } => self.opened(name, by, teller),
            Fact::Joined { member, room } => self.joined(member, room, teller),
            Fact::Left { member, room } => self.left(member, room, teller),
            Fact::Said { author, room, text, manner } => self.said(author, room, text, manner, teller),
            Fact::Directed { from, to, text } => self.directed(from, to, text, teller),
            Fact::Renamed { member, nick } => self.renamed(member, nick, teller),
            Fact::TopicSet { by, room, topic } => self.topic_set(by, room, topic, teller),
            Fact::Ignored { member, other, hearing } => self.ignored(member, other, hearing, teller),
            Fact::Away { member, message } => self.away_set(member, message, teller),
            Fact::Quit { member, reason } => self.quitted(member, reason.as_ref(), teller),
            Fact::Summed { room } => self.summed(room, teller),
            Fact::Closed { room } => self.closed(room),
            Fact::Lost { room, from, to } => self.lost(room, from, to, teller),
        }
    }

    fn connected(&mut self, member: MemberId, nick: Nick, presence: Presence, teller: &mut Teller<'_>) {
        if self.members.contains_key(&member) {
            return;
        }
        if let Err(refusal) = self.check_nick(member, &nick) {
            teller.tell(Audience::Member(member), Event::Refused { verb: "connect", refusal });
            return;
        }
        self.looks.entry(nick.look.clone()).or_default().add(&nick);
        self.nicks.insert(nick.key, member);
        let shown = nick.shown;
        let found = Member { nick: shown.clone(), presence, rooms: Vec::new(), rare: None };
        self.members.insert(member, found);
        teller.tell(Audience::Member(member), Event::Connected { nick: shown, presence });
    }

    fn appeared(&mut self, id: MemberId, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.presence == Presence::Visible {
            return;
        }
        member.presence = Presence::Visible;
        let who = Who { member: id, nick: member.nick.clone() };
        for number in member.rooms.clone() {
            if let Some(room) = self.rooms.get_mut(&number) {
                room.listeners.remove(&id);
                room.members.insert(id);
            }
            self.announce_arrival(number, &who, teller);
        }
    }

    fn opened(&mut self, name: RoomName, by: Option<MemberId>, teller: &mut Teller<'_>) {
        let number = match self.names.get(&name.key) {
            Some(number) => *number,
            None => self.add_room(name),
        };
        if let Some(member) = by {
            self.joined(member, number, teller);
        }
    }

    fn add_room(&mut self, name: RoomName) -> RoomNumber {
        let number = self.take_room_number();
        self.names.insert(name.key.clone(), number);
        let mut room = Room::new(RoomKind::Open(name));
        room.sequence = Sequence(1);
        self.rooms.insert(number, room);
        number
    }

    fn take_room_number(&mut self) -> RoomNumber {
        let number = self.next_room;
        self.next_room = RoomNumber(number.0 + 1);
        number
    }

    fn joined(&mut self, id: MemberId, number: RoomNumber, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let Some(room) = self.rooms.get_mut(&number) else { return };
        let Err(place) = member.rooms.binary_search(&number) else { return };
        member.rooms.insert(place, number);
        room.those(member.presence).insert(id);
        let is_visible = member.presence == Presence::Visible;
        let who = Who { member: id, nick: member.nick.clone() };
        if let Some(view) = self.view(number, id) {
            teller.tell(Audience::Member(id), Event::Admitted(view));
        }
        if is_visible {
            self.announce_arrival(number, &who, teller);
        }
    }

    fn left(&mut self, id: MemberId, number: RoomNumber, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let Ok(place) = member.rooms.binary_search(&number) else { return };
        member.rooms.remove(place);
        let who = Who { member: id, nick: member.nick.clone() };
        let was_visible = member.presence == Presence::Visible;
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
        if room.head_count() == 0 {
            self.closable.insert(number);
        }
    }

    fn said(
        &mut self,
        author: Author,
        number: RoomNumber,
        text: Text,
        manner: Manner,
        teller: &mut Teller<'_>,
    ) {
        let Some((room, sequence)) = self.next_sequence(number) else { return };
        let event = Event::Said { room, sequence, author, text, manner };
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

    fn directed(&mut self, from: Who, to: Who, text: Text, teller: &mut Teller<'_>) {
        let conversation = self.conversation(from.member, to.member);
        let Some(room) = self.rooms.get_mut(&conversation) else { return };
        room.sequence = room.sequence.next();
        let sequence = room.sequence;
        let audience = Audience::Inboxes([to.member, from.member]);
        let away = self.members.get(&to.member).and_then(|member| member.away().cloned());
        let away = away.map(|message| Event::RecipientAway { nick: to.nick.clone(), message });
        let author = from.member;
        teller.tell(audience, Event::Directed { conversation, sequence, from, to, text });
        if let Some(event) = away {
            teller.tell(Audience::Member(author), event);
        }
    }

    fn conversation(&mut self, one: MemberId, other: MemberId) -> RoomNumber {
        let key = pair(one, other);
        if let Some(number) = self.conversations.get(&key) {
            return *number;
        }
        let number = self.take_room_number();
        self.conversations.insert(key, number);
        self.rooms.insert(number, Room::new(RoomKind::Conversation(key.0, key.1)));
        for id in [one, other] {
            if let Some(member) = self.members.get_mut(&id) {
                member.rare_mut().conversations += 1;
            }
        }
        self.closable_if_deserted(number);
        number
    }

    /// A conversation that is opened again at a replay belongs to nobody who is here.
    fn closable_if_deserted(&mut self, number: RoomNumber) {
        if self.rooms.get(&number).is_some_and(|room| !self.stays_open(room)) {
            self.closable.insert(number);
        }
    }

    fn renamed(&mut self, id: MemberId, nick: Nick, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get(&id) else { return };
        if let Err(refusal) = self.check_nick(id, &nick) {
            teller.tell(Audience::Member(id), Event::Refused { verb: "nick", refusal });
            return;
        }
        let who = Who { member: id, nick: member.nick.clone() };
        self.release_nick(&who.nick);
        self.looks.entry(nick.look.clone()).or_default().add(&nick);
        self.nicks.insert(nick.key, id);
        if let Some(member) = self.members.get_mut(&id) {
            member.nick = nick.shown.clone();
        }
        let event = Event::Renamed { who, nick: nick.shown };
        self.tell_rooms_of(id, event.clone(), teller);
        teller.tell(Audience::Member(id), event);
    }

    fn release_nick(&mut self, shown: &str) {
        let old = own_look(shown);
        self.nicks.remove(&old.key);
        if let Some(looks) = self.looks.get_mut(&old.look) {
            looks.remove(&old);
            if looks.is_empty() {
                self.looks.remove(&old.look);
            }
        }
    }

    /// Tells all rooms of a visible member something, once.
    fn tell_rooms_of(&mut self, id: MemberId, event: Event, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get(&id) else { return };
        if member.presence == Presence::Visible && !member.rooms.is_empty() {
            teller.tell(Audience::Rooms(member.rooms.clone()), event);
        }
    }

    fn topic_set(&mut self, by: Who, number: RoomNumber, topic: Option<Line>, teller: &mut Teller<'_>) {
        let Some((room_ref, sequence)) = self.next_sequence(number) else { return };
        if let Some(room) = self.rooms.get_mut(&number) {
            let set = |text: &Line| Topic { text: text.clone(), by: by.nick.clone(), time: teller.time };
            room.topic = topic.as_ref().map(set);
        }
        self.closable_if_deserted(number);
        let event = Event::TopicSet { room: room_ref, sequence, by, topic };
        teller.tell(Audience::Room(number), event);
    }

    fn ignored(&mut self, id: MemberId, other: MemberId, hearing: Hearing, teller: &mut Teller<'_>) {
        let Some(other) = self.who(other) else { return };
        let here: Vec<MemberId> = match self.members.get(&id) {
            Some(member) => member.ignored().filter(|id| self.members.contains_key(id)).collect(),
            None => return,
        };
        let Some(member) = self.members.get_mut(&id) else { return };
        let ignored = &mut member.rare_mut().ignored;
        // Those who have gone come back as somebody else: their ids need not be remembered.
        *ignored = here.into_iter().collect();
        match hearing {
            Hearing::Nothing => ignored.insert(other.member),
            Hearing::Everything => ignored.remove(&other.member),
        };
        teller.tell(Audience::Member(id), Event::Ignoring { other, hearing });
    }

    fn away_set(&mut self, id: MemberId, message: Option<Line>, teller: &mut Teller<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if message.is_some() || member.rare.is_some() {
            member.rare_mut().away.clone_from(&message);
        }
        let Some(who) = self.who(id) else { return };
        let event = Event::Away { who, message };
        self.tell_rooms_of(id, event.clone(), teller);
        teller.tell(Audience::Member(id), event);
    }

    fn quitted(&mut self, id: MemberId, reason: Option<&Line>, teller: &mut Teller<'_>) {
        let Some(member) = self.members.remove(&id) else { return };
        self.release_nick(&member.nick);
        for number in &member.rooms {
            self.remove_from_room(id, *number);
        }
        if member.conversations() > 0 {
            self.desert_conversations(id);
        }
        if member.presence == Presence::Visible {
            self.tell_quit(&Who { member: id, nick: member.nick }, &member.rooms, reason, teller);
        }
        teller.tell(Audience::Member(id), Event::Disconnected);
    }

    fn desert_conversations(&mut self, id: MemberId) {
        // Found by walking all conversations, which only the end of a member that has some costs.
        let own = |(one, other): &&(MemberId, MemberId)| *one == id || *other == id;
        let numbers: Vec<RoomNumber> =
            self.conversations.iter().filter(|(pair, _)| own(pair)).map(|(_, number)| *number).collect();
        for number in numbers {
            self.closable_if_deserted(number);
        }
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
        let Some(room) = self.rooms.get_mut(&number) else { return };
        let announced = if room.members.len() as u32 > self.settings.announce_max {
            add(&mut room.arrived, &who.nick);
            Announced::InSum
        } else {
            Announced::Singly
        };
        if announced == Announced::InSum {
            self.plan_sum(number, teller.time);
        }
        let event = Event::Joined { room: room_ref, who: who.clone(), announced };
        teller.tell(Audience::Room(number), event);
    }

    /// Whether a departure gets a line of its own; if not, it is in the next sum. Who has left is not counted any more.
    fn note_departure(&mut self, number: RoomNumber, nick: &Arc<str>, now: Time) -> Announced {
        let announce_max = self.settings.announce_max;
        let Some(room) = self.rooms.get_mut(&number) else { return Announced::Singly };
        if (room.members.len() as u32) < announce_max {
            return Announced::Singly;
        }
        add(&mut room.departed, nick);
        self.plan_sum(number, now);
        Announced::InSum
    }

    /// The first of a crowd starts the interval; later ones find it running.
    fn plan_sum(&mut self, number: RoomNumber, now: Time) {
        let Some(room) = self.rooms.get(&number) else { return };
        let count = |crowd: &Crowd| crowd.nicks.len() as u32 + crowd.others;
        if count(&room.arrived) + count(&room.departed) == 1 {
            self.sums.insert((now.after_ms(self.settings.sum_interval_ms), number));
        }
    }

    fn summed(&mut self, number: RoomNumber, teller: &mut Teller<'_>) {
        self.sums.retain(|(_, planned)| *planned != number);
        let Some(room_ref) = self.room_ref(number) else { return };
        let Some(room) = self.rooms.get_mut(&number) else { return };
        let arrived = core::mem::take(&mut room.arrived);
        let departed = core::mem::take(&mut room.departed);
        if arrived.is_empty() && departed.is_empty() {
            return;
        }
        let event = Event::Summed { room: room_ref, arrived, departed };
        teller.tell(Audience::Room(number), event);
    }

    fn closed(&mut self, number: RoomNumber) {
        self.closable.remove(&number);
        let Some(room) = self.rooms.get(&number) else { return };
        if self.stays_open(room) {
            return;
        }
        match self.rooms.remove(&number).map(|room| room.kind) {
            Some(RoomKind::Open(name)) => {
                self.names.remove(&name.key);
            }
            Some(RoomKind::Conversation(one, other)) => {
                self.conversations.remove(&(one, other));
                self.forget_conversation(one);
                self.forget_conversation(other);
            }
            None => {}
        }
        self.sums.retain(|(_, planned)| *planned != number);
    }

    fn forget_conversation(&mut self, party: MemberId) {
        if let Some(rare) = self.members.get_mut(&party).and_then(|member| member.rare.as_mut()) {
            rare.conversations = rare.conversations.saturating_sub(1);
        }
    }

    fn lost(&mut self, number: RoomNumber, from: Sequence, to: Sequence, teller: &mut Teller<'_>) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        if to < room.sequence {
            return;
        }
        room.sequence = to.next();
        let sequence = room.sequence;
        if let Some(room) = self.room_ref(number) {
            teller.tell(Audience::Room(number), Event::Lost { room, sequence, from, to });
        }
    }
}

fn add(crowd: &mut Crowd, nick: &Arc<str>) {
    if crowd.nicks.len() < CROWD_NICKS_MAX {
        crowd.nicks.push(nick.clone());
    } else {
        crowd.others += 1;
    }
}
