//! Step one: may this speaker do that? Checks and decides, changes nothing.
//!
//! The table of commands is the `match` in [`Hub::propose`]; each verb has a function of its own. What is decided here
//! is checked again in `apply` only where two nodes can decide at the same time.

use crate::command::{Command, Place, Presence, Speaker};
use crate::event::{Author, Event, Who};
use crate::fact::{Fact, Hearing, Manner};
use crate::hub::{Hub, Member, Room};
use crate::ids::{MemberId, RoomNumber};
use crate::names::{Nick, RoomName};
use crate::refusal::{Bound, Refusal, What};
use crate::text::{Line, Text, TextProblem};
use core::net::SocketAddr;

/// What becomes of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proposal {
    /// It is possible: number this and apply it.
    Fact(Fact),
    /// It was a question: tell the asker this.
    Answer(Event),
    /// It changes nothing and needs no answer.
    Nothing,
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
        let member = match (speaker, command) {
            (Speaker::Member(member), Command::Connect { guest, presence, address }) => {
                return self.connect(*member, *guest, *presence, *address).map(Proposal::Fact);
            }
            (Speaker::Door { kind, label }, Command::Say { room, text }) => {
                let room = self.find_room(room)?;
                let author = Author::Door { kind: *kind, label: label.shown.clone() };
                return self.say(author, room, text, Manner::Saying).map(Proposal::Fact);
            }
            (Speaker::Door { .. }, _) => return Err(Refusal::MembersOnly),
            (Speaker::Member(member), _) => *member,
        };
        let who = self.who(member).ok_or(Refusal::NotConnected)?;
        match command {
            Command::Connect { .. } => Err(Refusal::AlreadyConnected),
            Command::Appear => Ok(self.appear(member)),
            Command::Join { room } => self.join(member, room).map(Proposal::Fact),
            Command::Leave { room } => self.leave(member, room).map(Proposal::Fact),
            Command::Say { room, text } => self.speak(who, room, text, Manner::Saying).map(Proposal::Fact),
            Command::Act { room, text } => self.speak(who, room, text, Manner::Acting).map(Proposal::Fact),
            Command::Direct { to, text } => self.direct(who, to, text).map(Proposal::Fact),
            Command::Nick { nick } => self.rename(member, nick).map(Proposal::Fact),
            Command::SetTopic { room, topic } => self.set_topic(who, room, topic).map(Proposal::Fact),
            Command::Topic { room } => self.answer_topic(member, room).map(Proposal::Answer),
            Command::Who { room, after } => self.answer_who(member, room, *after).map(Proposal::Answer),
            Command::Picture { room } => {
                Ok(self.answer_picture(member, *room).map_or(Proposal::Nothing, Proposal::Answer))
            }
            Command::Rooms { after } => Ok(Proposal::Answer(self.answer_rooms(after.as_deref()))),
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
        guest: u32,
        presence: Presence,
        address: Option<SocketAddr>,
    ) -> Result<Fact, Refusal> {
        if self.members.contains_key(&member) {
            return Err(Refusal::AlreadyConnected);
        }
        let max = self.settings.members_max;
        if self.members.len() >= max as usize {
            return Err(Refusal::TooMany(Bound::Members, max));
        }
        Ok(Fact::Connected { member, nick: self.free_guest(member, guest), presence, address })
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
            return Err(Refusal::Unwritten);
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
        if self.may_speak(member, room) { Ok(room) } else { Err(Refusal::NotInRoom(self.place_name(place))) }
    }

    fn speak(&self, who: Who, place: &Place, text: &Text, manner: Manner) -> Result<Fact, Refusal> {
        let room = self.own_room(who.member, place)?;
        self.say(Author::Member(who), room, text, manner)
    }

    fn say(&self, author: Author, room: RoomNumber, text: &Text, manner: Manner) -> Result<Fact, Refusal> {
        check_reserved(self.rooms.get(&room))?;
        Ok(Fact::Said { author, room, text: text.clone(), manner })
    }

    fn direct(&self, from: Who, to: &str, text: &Text) -> Result<Fact, Refusal> {
        let to = self.who(self.find_nick(to)?).ok_or_else(|| Refusal::NoSuchNick(to.into()))?;
        if to.member == from.member {
            return Err(Refusal::ThatIsYou);
        }
        match self.conversations.get(&(from.member, to.member)) {
            Some(number) => check_reserved(self.rooms.get(number))?,
            None => self.check_conversations(from.member)?,
        }
        Ok(Fact::Directed { from, to, text: text.clone() })
    }

    /// Whether somebody may begin one more conversation. To be written to by many is no reason to be cut off.
    fn check_conversations(&self, from: MemberId) -> Result<(), Refusal> {
        let max = self.settings.conversations_max;
        if self.conversations_of(from).count() >= max as usize {
            return Err(Refusal::TooMany(Bound::Conversations, max));
        }
        if self.next_room >= self.reserved_room { Err(Refusal::Unwritten) } else { Ok(()) }
    }

    fn rename(&self, member: MemberId, raw: &str) -> Result<Fact, Refusal> {
        let nick = Nick::parse(raw).map_err(|problem| Refusal::BadNick(raw.into(), problem))?;
        if self.members.get(&member).is_some_and(|member| member.nick.shown == nick.shown) {
            return Err(Refusal::NickIsYours(nick.shown));
        }
        self.check_nick(member, &nick)?;
        Ok(Fact::Renamed { member, nick })
    }

    fn set_topic(&self, by: Who, place: &Place, raw: &str) -> Result<Fact, Refusal> {
        let room = self.own_room(by.member, place)?;
        check_reserved(self.rooms.get(&room))?;
        let topic = line(raw, self.settings.topic_bytes_max)
            .map_err(|problem| Refusal::BadText(What::Topic, problem))?;
        Ok(Fact::TopicSet { by, room, topic })
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

/// Whether the journal can take one more kept fact of this room.
fn check_reserved(room: Option<&Room>) -> Result<(), Refusal> {
    match room {
        Some(room) if room.sequence >= room.reserved => Err(Refusal::Unwritten),
        _ => Ok(()),
    }
}

/// A line, or `None` if it is blank.
fn line(raw: &str, bytes_max: usize) -> Result<Option<Line>, TextProblem> {
    match Line::new(raw, bytes_max) {
        Ok(line) => Ok(Some(line)),
        Err(TextProblem::Blank) => Ok(None),
        Err(problem) => Err(problem),
    }
}
