//! Step one: may this speaker do that? Checks and decides, changes nothing.
//!
//! The table of commands is the `match` in [`Hub::propose`]; each verb has a function of its own. What is decided here
//! is checked again in `apply` only where two nodes can decide at the same time.

use crate::command::{Client, Command, Place, Presence, Speaker, Standing};
use crate::event::{Author, Event, Who};
use crate::fact::{Fact, Hearing, Manner, Returning, Signature, Signed};
use crate::history::{Authorship, Known, Lookup, PageWanted, Reading, Receipt, Search, Shape, Span, Wanted};
use crate::hub::{Hub, Keeping, Member, Room};
use crate::ids::{MemberId, Nonce, Position, RoomNumber, Sequence};
use crate::names::{Nick, RoomName};
use crate::refusal::{Bound, Refusal, What};
use crate::text::{Line, Text, TextProblem};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// What becomes of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proposal {
    /// It is possible: number this and apply it.
    Fact(Fact),
    /// It was a question: tell the asker this.
    Answer(Event),
    /// It was said before, at this position: tell the asker this as soon as that is durable.
    Receipt(Event, Position),
    /// It asks for what was said: let it be read and tell the asker what was found.
    Read(Reading),
    /// It cannot be decided without this: look it up, and propose again.
    LookUp(Lookup),
    /// It changes nothing and needs no answer.
    Nothing,
}

/// Somebody who wants to come in.
struct Newcomer<'a> {
    guest: u32,
    presence: Presence,
    address: Option<SocketAddr>,
    nick: Option<&'a str>,
    client: Option<Client>,
}

/// Guests' numbers have at least five digits; with this many tries a free one is found unless most are in use, and then
/// they get nine.
const GUEST_TRIES: u32 = 16;
/// How many numbers of nine digits there are.
const FAR_GUESTS: u32 = 900_000_000;

impl Hub {
    /// Decides about `command`. A question is answered, an impossible thing refused, anything else becomes a fact, which
    /// must be numbered and applied before the same session's next command is proposed.
    ///
    /// # Errors
    /// The refusal is what the speaker is told.
    pub fn propose(&self, speaker: &Speaker, command: &Command) -> Result<Proposal, Refusal> {
        self.propose_knowing(speaker, command, None)
    }

    /// Decides as [`Hub::propose`] does, with what was looked up for that.
    ///
    /// # Errors
    /// The refusal is what the speaker is told.
    pub fn propose_knowing(
        &self,
        speaker: &Speaker,
        command: &Command,
        known: Option<&Known>,
    ) -> Result<Proposal, Refusal> {
        if let Some(Known::Unreadable(refusal)) = known {
            return Err(refusal.clone());
        }
        let member = match (speaker, command) {
            (Speaker::Member(member), Command::Connect { guest, presence, address, nick, client }) => {
                let (presence, address, nick) = (*presence, *address, nick.as_deref());
                let newcomer = Newcomer { guest: *guest, presence, address, nick, client: *client };
                return self.connect(*member, &newcomer, known);
            }
            (Speaker::Door { kind, label }, Command::Say { room, text, .. }) => {
                let room = self.find_room(room)?;
                let author = Author::Door { kind: *kind, label: label.shown.clone() };
                return self.say(author, room, text, Manner::Saying, None).map(Proposal::Fact);
            }
            (Speaker::Door { .. }, _) => return Err(Refusal::MembersOnly),
            (Speaker::Member(member), _) => *member,
        };
        let who = self.who(member).ok_or(Refusal::NotConnected)?;
        if let Some(receipt) = self.receipt(member, command)? {
            return Ok(receipt);
        }
        match command {
            Command::Connect { .. } => Err(Refusal::AlreadyConnected),
            Command::Appear => Ok(self.appear(member)),
            Command::Join { room } => self.join(member, room).map(Proposal::Fact),
            Command::Leave { room } => self.leave(member, room).map(Proposal::Fact),
            Command::Say { room, text, nonce } => {
                self.speak(who, room, text, Manner::Saying, nonce.as_ref()).map(Proposal::Fact)
            }
            Command::Act { room, text, nonce } => {
                self.speak(who, room, text, Manner::Acting, nonce.as_ref()).map(Proposal::Fact)
            }
            Command::Direct { to, text, nonce } => {
                self.direct(who, to, text, nonce.as_ref()).map(Proposal::Fact)
            }
            Command::Edit { room, target, text, nonce } => {
                let change = Change { room, target: *target, nonce: nonce.as_ref() };
                self.change(&who, &change, known, |room, signature| {
                    let (target, text) = (*target, text.clone());
                    Ok(Fact::Edited { by: who.clone(), room, target, text, signature })
                })
            }
            Command::Redact { room, target, reason, nonce } => {
                let change = Change { room, target: *target, nonce: nonce.as_ref() };
                self.change(&who, &change, known, |room, signature| {
                    let reason = line(reason, self.settings.reason_bytes_max)
                        .map_err(|problem| Refusal::BadText(What::Reason, problem))?;
                    Ok(Fact::Redacted { by: who.clone(), room, target: *target, reason, signature })
                })
            }
            Command::History { room, span, lines_max, shape } => {
                self.history(member, room, *span, *lines_max, *shape).map(Proposal::Read)
            }
            Command::Search { room, search } => {
                self.search(member, room.as_ref(), search).map(Proposal::Read)
            }
            Command::Nick { nick } => self.rename(member, nick).map(Proposal::Fact),
            Command::SetTopic { room, topic, nonce } => {
                self.set_topic(who, room, topic, nonce.as_ref()).map(Proposal::Fact)
            }
            Command::Topic { room } => self.answer_topic(member, room).map(Proposal::Answer),
            Command::Who { room, after } => self.answer_who(member, room, *after).map(Proposal::Answer),
            Command::Picture { room } => {
                Ok(self.answer_picture(member, *room).map_or(Proposal::Nothing, Proposal::Answer))
            }
            Command::Rooms { after } => Ok(Proposal::Answer(self.answer_rooms(after.as_deref()))),
            Command::Conversations => {
                Ok(Proposal::Answer(Event::Conversations(self.conversation_views(member))))
            }
            Command::Complete { among, beginning } => {
                self.answer_complete(member, *among, beginning).map(Proposal::Answer)
            }
            Command::Ignore { nick } => self.ignore(member, nick).map(Proposal::Fact),
            Command::Ignored => Ok(Proposal::Answer(self.answer_ignored(member))),
            Command::Away { message } => self.away(member, message).map(Proposal::Fact),
            Command::Quit { reason } => Ok(Proposal::Fact(self.quit(member, reason))),
        }
    }

    fn connect(
        &self,
        member: MemberId,
        newcomer: &Newcomer<'_>,
        known: Option<&Known>,
    ) -> Result<Proposal, Refusal> {
        if self.members.contains_key(&member) {
            return Err(Refusal::AlreadyConnected);
        }
        let client = newcomer.client;
        // Its own half-open connection makes room for it, and gives it its nick back.
        let other = client.and_then(|client| self.clients.get(&client.id)).map(|here| here.member);
        let max = self.settings.members_max;
        if other.is_none() && self.members.len() >= max as usize {
            return Err(Refusal::TooMany(Bound::Members, max));
        }
        let nick = match newcomer.nick {
            None => self.free_guest(member, newcomer.guest),
            Some(raw) => {
                let nick = Nick::parse(raw).map_err(|problem| Refusal::BadNick(raw.into(), problem))?;
                self.check_nick(other.unwrap_or(member), &nick)?;
                nick
            }
        };
        let receipts = match (client, known) {
            (Some(client), None)
                if client.standing == Standing::Returning
                    && other.is_none()
                    && self.settings.keeping == Keeping::History =>
            {
                return Ok(Proposal::LookUp(Lookup::Client(client.id)));
            }
            (Some(_), Some(Known::Client(receipts))) => receipts.clone(),
            _ => Vec::new(),
        };
        let client = client.map(|client| Returning { id: client.id, receipts });
        let (presence, address) = (newcomer.presence, newcomer.address);
        Ok(Proposal::Fact(Fact::Connected { member, nick, presence, address, client }))
    }

    /// What is said under a nonce that was used before is not said again; anything else is not done under it.
    fn receipt(&self, member: MemberId, command: &Command) -> Result<Option<Proposal>, Refusal> {
        let Some((nonce, receipt)) = self.said_under_its_nonce(member, command) else { return Ok(None) };
        let Some(room) = self.place_ref(receipt.room) else { return Ok(None) };
        // A client that takes this for the receipt of an erasure would believe that something is gone.
        if receipt.verb != command.verb() {
            return Err(Refusal::NonceUsed);
        }
        let event = Event::Acknowledged { nonce: nonce.clone(), room, sequence: receipt.sequence };
        Ok(Some(Proposal::Receipt(event, receipt.position)))
    }

    fn said_under_its_nonce<'a>(
        &self,
        member: MemberId,
        command: &'a Command,
    ) -> Option<(&'a Nonce, &Receipt)> {
        let nonce = command.nonce()?;
        let client = self.members.get(&member)?.client()?;
        Some((nonce, self.clients.get(&client)?.receipt(nonce)?))
    }

    fn signature(&self, member: MemberId, nonce: Option<&Nonce>) -> Signature {
        let client = self.members.get(&member)?.client()?;
        Some(Arc::new(Signed { client, nonce: nonce.cloned() }))
    }

    /// The first free guest's name from this number on.
    fn free_guest(&self, member: MemberId, guest: u32) -> Nick {
        let near = (0..GUEST_TRIES).map(|step| guest.wrapping_add(step) % 100_000);
        let far = (0..FAR_GUESTS).map(|step| 100_000_000 + guest.wrapping_add(step) % FAR_GUESTS);
        let mut nicks = near.chain(far).map(Nick::guest);
        let free = |nick: &Nick| self.check_nick(member, nick).is_ok();
        // The far numbers are far more than members, so that one is free; if not, `apply` says that it is taken.
        nicks.find(free).unwrap_or_else(|| Nick::guest(guest))
    }

    fn appear(&self, member: MemberId) -> Proposal {
        match self.members.get(&member) {
            Some(found) if found.presence() == Presence::Listening => {
                Proposal::Fact(Fact::Appeared { member })
            }
            _ => Proposal::Nothing,
        }
    }

    fn join(&self, member: MemberId, raw: &str) -> Result<Fact, Refusal> {
        let name = RoomName::parse(raw).map_err(|problem| Refusal::BadRoomName(raw.into(), problem))?;
        let found = self.names.get(&name.key).copied();
        if found.is_some_and(|number| self.is_in(member, number)) {
            return Err(Refusal::AlreadyInRoom(name.shown));
        }
        self.check_shown(member)?;
        self.check_rooms_of(member)?;
        let Some(number) = found else {
            return self.open_room(member, name);
        };
        let max = self.settings.members_of_room_max;
        if self.rooms.get(&number).is_some_and(|room| room.head_count() >= max) {
            return Err(Refusal::TooMany(Bound::MembersOfRoom, max));
        }
        Ok(Fact::Joined { member, room: number })
    }

    /// Whether a member may be in one more room than it is, as far as its presence goes.
    pub(crate) fn check_shown(&self, member: MemberId) -> Result<(), Refusal> {
        let listens_elsewhere =
            |found: &Member| found.presence() == Presence::Listening && !found.rooms.is_empty();
        let found = self.members.get(&member);
        if found.is_some_and(|found| listens_elsewhere(found)) { Err(Refusal::OnlyListening) } else { Ok(()) }
    }

    fn check_rooms_of(&self, member: MemberId) -> Result<(), Refusal> {
        let max = self.settings.rooms_of_member_max;
        let rooms = self.members.get(&member).map_or(0, |member| member.rooms.len());
        if rooms >= max as usize { Err(Refusal::TooMany(Bound::RoomsOfMember, max)) } else { Ok(()) }
    }

    fn open_room(&self, member: MemberId, name: RoomName) -> Result<Fact, Refusal> {
        let max = self.settings.rooms_max;
        if self.names.len() >= max as usize {
            return Err(Refusal::TooMany(Bound::Rooms, max));
        }
        if self.next_room >= self.reserved_room {
            return Err(Refusal::Unwritten(self.trouble));
        }
        Ok(Fact::Opened { name, by: Some(member) })
    }

    fn leave(&self, member: MemberId, place: &Place) -> Result<Fact, Refusal> {
        let room = self.own_room(member, place)?;
        Ok(Fact::Left { member, room })
    }

    /// The open room that is meant, if the member is in it.
    fn own_room(&self, member: MemberId, place: &Place) -> Result<RoomNumber, Refusal> {
        let room = self.find_room(place)?;
        if self.may_speak(member, room) { Ok(room) } else { Err(Refusal::NotInRoom(self.number_name(room))) }
    }

    fn speak(
        &self,
        who: Who,
        place: &Place,
        text: &Text,
        manner: Manner,
        nonce: Option<&Nonce>,
    ) -> Result<Fact, Refusal> {
        let room = self.own_room(who.member, place)?;
        let signature = self.signature(who.member, nonce);
        self.say(Author::Member(who), room, text, manner, signature)
    }

    fn say(
        &self,
        author: Author,
        room: RoomNumber,
        text: &Text,
        manner: Manner,
        signature: Signature,
    ) -> Result<Fact, Refusal> {
        self.check_reserved(self.rooms.get(&room))?;
        Ok(Fact::Said { author, room, text: text.clone(), manner, signature })
    }

    /// Whether the journal can take one more kept fact of this room.
    fn check_reserved(&self, room: Option<&Room>) -> Result<(), Refusal> {
        match room {
            Some(room) if room.sequence >= room.reserved => Err(Refusal::Unwritten(self.trouble)),
            _ => Ok(()),
        }
    }

    fn direct(&self, from: Who, to: &str, text: &Text, nonce: Option<&Nonce>) -> Result<Fact, Refusal> {
        let to = self.who(self.find_nick(to)?).ok_or_else(|| Refusal::NoSuchNick(to.into()))?;
        if to.member == from.member {
            return Err(Refusal::ThatIsYou);
        }
        let parties = [self.party(from.member), self.party(to.member)];
        match self.conversations.get(&(parties[0], parties[1])) {
            Some(number) => self.check_reserved(self.rooms.get(number))?,
            None => self.check_conversations(from.member)?,
        }
        let signature = self.signature(from.member, nonce);
        Ok(Fact::Directed { from, to, parties, text: text.clone(), signature })
    }

    /// Whether somebody may begin one more conversation. To be written to by many is no reason to be cut off.
    fn check_conversations(&self, from: MemberId) -> Result<(), Refusal> {
        let max = self.settings.conversations_max;
        if self.conversations_of(self.party(from)).count() >= max as usize {
            return Err(Refusal::TooMany(Bound::Conversations, max));
        }
        let kept_max = self.settings.conversations_kept_max;
        // Each stands there from both sides.
        if self.conversations.len() / 2 >= kept_max as usize {
            return Err(Refusal::TooMany(Bound::ConversationsKept, kept_max));
        }
        if self.next_room >= self.reserved_room { Err(Refusal::Unwritten(self.trouble)) } else { Ok(()) }
    }

    /// Only what one said oneself, with this connection's client, can be changed; what that is only the journal knows.
    fn change(
        &self,
        who: &Who,
        change: &Change<'_>,
        known: Option<&Known>,
        fact: impl FnOnce(RoomNumber, Signature) -> Result<Fact, Refusal>,
    ) -> Result<Proposal, Refusal> {
        self.check_keeping()?;
        let room = self.readable(who.member, change.room)?;
        let found = self.rooms.get(&room);
        if found.is_none_or(|found| change.target > found.sequence) {
            return Err(Refusal::NoSuchMessage);
        }
        let client = self.members.get(&who.member).and_then(|member| member.client());
        match known {
            Some(Known::Author(Authorship::Client(author))) if author.is_some() && *author == client => {}
            Some(Known::Author(Authorship::Client(_))) => return Err(Refusal::NotYours),
            Some(_) => return Err(Refusal::NoSuchMessage),
            None => return Ok(Proposal::LookUp(Lookup::Author { room, target: change.target })),
        }
        self.check_reserved(found)?;
        fact(room, self.signature(who.member, change.nonce)).map(Proposal::Fact)
    }

    fn check_keeping(&self) -> Result<(), Refusal> {
        match self.settings.keeping {
            Keeping::History => Ok(()),
            Keeping::Nothing => Err(Refusal::NothingKept),
        }
    }

    fn history(
        &self,
        member: MemberId,
        place: &Place,
        span: Span,
        lines_max: u32,
        shape: Shape,
    ) -> Result<Reading, Refusal> {
        let number = self.readable(member, place)?;
        self.check_keeping()?;
        let not_there = || Refusal::NoSuchRoom(self.place_name(place));
        let room = self.place_ref(number).ok_or_else(not_there)?;
        let upto = self.rooms.get(&number).ok_or_else(not_there)?.sequence;
        let lines_max = lines_max.clamp(1, self.settings.page_lines_max as u32);
        Ok(self.reading(member, Wanted::Page(PageWanted { room, upto, span, lines_max, shape })))
    }

    /// Rooms, unless one is named: those that the member is in, and its conversations.
    fn search(&self, member: MemberId, place: Option<&Place>, search: &Search) -> Result<Reading, Refusal> {
        let numbers = match place {
            Some(place) => alloc::vec![self.readable(member, place)?],
            None => self
                .rooms_of(member)
                .iter()
                .copied()
                .chain(self.conversations_of(self.party(member)))
                .collect(),
        };
        self.check_keeping()?;
        // What shows nothing would be found in every text.
        let has_words = Text::fitted(&search.words).is_ok();
        if !has_words && search.author.as_deref().is_none_or(|author| author.trim().is_empty()) {
            return Err(Refusal::NothingToLookFor);
        }
        let upto = |number: RoomNumber| Some((self.place_ref(number)?, self.rooms.get(&number)?.sequence));
        let rooms = numbers.into_iter().filter_map(upto).collect();
        let lines_max = search.lines_max.clamp(1, self.settings.page_lines_max as u32);
        let search = Search { lines_max, ..search.clone() };
        Ok(self.reading(member, Wanted::Search { rooms, search }))
    }

    fn reading(&self, member: MemberId, what: Wanted) -> Reading {
        Reading { member, position: self.position, what }
    }

    fn rename(&self, member: MemberId, raw: &str) -> Result<Fact, Refusal> {
        let nick = Nick::parse(raw).map_err(|problem| Refusal::BadNick(raw.into(), problem))?;
        if self.members.get(&member).is_some_and(|member| member.nick.shown == nick.shown) {
            return Err(Refusal::NickIsYours(nick.shown));
        }
        self.check_nick(member, &nick)?;
        Ok(Fact::Renamed { member, nick })
    }

    fn set_topic(&self, by: Who, place: &Place, raw: &str, nonce: Option<&Nonce>) -> Result<Fact, Refusal> {
        let room = self.own_room(by.member, place)?;
        self.check_reserved(self.rooms.get(&room))?;
        let topic = line(raw, self.settings.topic_bytes_max)
            .map_err(|problem| Refusal::BadText(What::Topic, problem))?;
        let signature = self.signature(by.member, nonce);
        Ok(Fact::TopicSet { by, room, topic, signature })
    }

    fn ignore(&self, member: MemberId, raw: &str) -> Result<Fact, Refusal> {
        let other = self.find_nick(raw)?;
        if other == member {
            return Err(Refusal::ThatIsYou);
        }
        let Some(found) = self.members.get(&member) else { return Err(Refusal::NotConnected) };
        if found.ignores(other) {
            return Ok(Fact::Ignored { member, other, hearing: Hearing::Everything });
        }
        let max = self.settings.ignored_max;
        let here = found.ignored().filter(|id| self.members.contains_key(id)).count();
        if here >= max as usize {
            return Err(Refusal::TooMany(Bound::Ignored, max));
        }
        Ok(Fact::Ignored { member, other, hearing: Hearing::Nothing })
    }

    fn away(&self, member: MemberId, raw: &str) -> Result<Fact, Refusal> {
        let message = line(raw, self.settings.reason_bytes_max)
            .map_err(|problem| Refusal::BadText(What::AwayMessage, problem))?;
        Ok(Fact::Away { member, message })
    }

    /// Nothing stops anybody from leaving: last words that are no line are left out.
    fn quit(&self, member: MemberId, raw: &str) -> Fact {
        let reason = Line::new(raw, self.settings.reason_bytes_max).ok();
        Fact::Quit { member, reason }
    }
}

/// Something that one wants to change.
struct Change<'a> {
    room: &'a Place,
    target: Sequence,
    nonce: Option<&'a Nonce>,
}

/// A line, or `None` if it is blank.
fn line(raw: &str, bytes_max: usize) -> Result<Option<Line>, TextProblem> {
    match Line::new(raw, bytes_max) {
        Ok(line) => Ok(Some(line)),
        Err(TextProblem::Blank) => Ok(None),
        Err(problem) => Err(problem),
    }
}
