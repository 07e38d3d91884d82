//! What is told. `apply` makes events (and `propose` answers with them); shards render them. Past tense: nothing here
//! can still be refused.

use crate::command::{DoorKind, Presence, Verb};
use crate::fact::{Hearing, Manner, Signature, Trouble};
use crate::history::{Findings, Page};
use crate::ids::{MemberId, Nonce, Position, RoomNumber, Sequence, Time};
use crate::refusal::Refusal;
use crate::text::{Line, Text};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// An event on its way to those whom it concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Its place in the order of the server; an answer has the position of the last fact that it knows of.
    pub position: Position,
    /// When it happened.
    pub time: Time,
    /// Whom it concerns.
    pub audience: Audience,
    /// What happened.
    pub event: Event,
}

/// Whom an event concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Audience {
    /// One member, through its private outbox.
    Member(MemberId),
    /// Everybody in a room, through the room's feed.
    Room(RoomNumber),
    /// Everybody in any of these rooms, once.
    Rooms(Vec<RoomNumber>),
    /// The two parties of a direct conversation, through their inbox feeds: the recipient, then the author.
    Inboxes([MemberId; 2]),
}

/// A room as it is named to people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomRef {
    /// Its number.
    pub number: RoomNumber,
    /// Its name, without `#`.
    pub name: Arc<str>,
}

/// A member as it is named to people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    /// Its id.
    pub member: MemberId,
    /// Its nick at that time.
    pub nick: Arc<str>,
    /// Where it is connected from, if others are to know that.
    pub address: Option<Arc<SocketAddr>>,
}

/// Who said something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Author {
    /// A member.
    Member(Who),
    /// A door: rendered `label (kind)`.
    Door {
        /// What kind.
        kind: DoorKind,
        /// The name it speaks under.
        label: Arc<str>,
    },
}

impl Author {
    /// The member, if it is one.
    pub fn member(&self) -> Option<MemberId> {
        match self {
            Author::Member(who) => Some(who.member),
            Author::Door { .. } => None,
        }
    }
}

/// Whether an arrival or departure is worth a line of its own, or goes into the room's next sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Announced {
    /// A line of its own.
    Singly,
    /// In the next [`Event::Summed`].
    InSum,
}

/// Some of those who came or went, and how many more.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Crowd {
    /// The first few.
    pub nicks: Vec<Arc<str>>,
    /// How many there are besides.
    pub others: u32,
}

impl Crowd {
    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.nicks.is_empty()
    }
}

/// A topic, and who set it when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// The topic.
    pub text: Line,
    /// Who set it: their nick at that time.
    pub by: Arc<str>,
    /// When.
    pub time: Time,
}

/// A room as a newcomer finds it, or as one finds it again who missed something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomView {
    /// Which room.
    pub room: RoomRef,
    /// Its topic.
    pub topic: Option<Topic>,
    /// Some of its other visible members, and how many more.
    pub members: Crowd,
    /// How many others only listen.
    pub listening: u32,
    /// The sequence of its last kept fact: pages of history end here, the feed begins behind it.
    pub upto: Sequence,
}

/// One line of a list of names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Present {
    /// The nick.
    pub nick: Arc<str>,
    /// Whether they are away.
    pub away: Option<Line>,
}

/// One line of the list of rooms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomLine {
    /// Its name, without `#`.
    pub name: Arc<str>,
    /// How many visible members it has.
    pub members: u32,
    /// Its topic.
    pub topic: Option<Line>,
}

/// A direct conversation, as one of its parties finds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversation {
    /// What it is called.
    pub room: RoomRef,
    /// The other party's nick, as it was when something was said last.
    pub with: Arc<str>,
    /// The sequence of its last kept fact.
    pub upto: Sequence,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// To oneself: one is known now, under this nick.
    Connected {
        /// The nick.
        nick: Arc<str>,
        /// How one begins.
        presence: Presence,
        /// The conversations that one has had before.
        conversations: Vec<Conversation>,
    },
    /// To oneself: one is in a room. The cursor begins here, in front of one's own [`Event::Joined`].
    Admitted(RoomView),
    /// To oneself: a fresh picture of a room that one is in.
    Pictured(RoomView),
    /// To oneself: one's part in a room is over. The cursor ends here, behind one's own [`Event::Left`].
    Dismissed {
        /// Which room.
        room: RoomRef,
    },
    /// To oneself: one's stay is over; the connection is closed when all has been written.
    Disconnected,
    /// To oneself: what was asked for is not possible.
    Refused {
        /// Which command was refused.
        verb: Verb,
        /// The name that its client gave it, if it gave it one.
        nonce: Option<Nonce>,
        /// Why, and what would be possible.
        refusal: Refusal,
    },
    /// To oneself, once it is durable: that was said before, and is not said twice.
    Acknowledged {
        /// The name that it was said under.
        nonce: Nonce,
        /// Where it was said.
        room: RoomRef,
        /// Its sequence there.
        sequence: Sequence,
    },
    /// To oneself: a page of the past.
    Page(Arc<Page>),
    /// To oneself: what a search has found.
    Found(Arc<Findings>),
    /// To oneself: a page of names.
    Names {
        /// Of which room.
        room: RoomRef,
        /// The names, in alphabetical order within the page.
        names: Vec<Present>,
        /// How many only listen.
        listening: u32,
        /// Ask again with this for the next page.
        next: Option<MemberId>,
    },
    /// To oneself: a page of rooms.
    RoomList {
        /// The rooms, in the order of their keys.
        rooms: Vec<RoomLine>,
        /// Ask again with this for the next page.
        next: Option<Arc<str>>,
    },
    /// To oneself: the direct conversations that one has had.
    Conversations(Vec<Conversation>),
    /// To oneself: all that begins so, in the order of their keys; rooms without `#`.
    Completions {
        /// Nicks or names of rooms.
        names: Vec<Arc<str>>,
    },
    /// To oneself: a room's topic.
    TopicIs {
        /// Of which room.
        room: RoomRef,
        /// The topic.
        topic: Option<Topic>,
    },
    /// To oneself: somebody is not heard any more, or heard again.
    Ignoring {
        /// Who.
        other: Who,
        /// From now on.
        hearing: Hearing,
    },
    /// To oneself: the nicks of those whom one ignores.
    IgnoreList {
        /// In alphabetical order.
        nicks: Vec<Arc<str>>,
    },
    /// To oneself: the person written to is away.
    RecipientAway {
        /// Who.
        nick: Arc<str>,
        /// Why.
        message: Line,
    },
    /// To a room: somebody entered.
    Joined {
        /// Which room.
        room: RoomRef,
        /// Who.
        who: Who,
        /// Whether it gets a line of its own.
        announced: Announced,
    },
    /// To a room: somebody left it.
    Left {
        /// Which room.
        room: RoomRef,
        /// Who.
        who: Who,
        /// Whether it gets a line of its own.
        announced: Announced,
    },
    /// To all rooms of a member, once: it is gone. Rooms that sum up get it with [`Announced::InSum`].
    Quit {
        /// Who.
        who: Who,
        /// Last words.
        reason: Option<Line>,
        /// Whether it gets a line of its own.
        announced: Announced,
    },
    /// To all rooms of a member, once, and to itself: it has another nick.
    Renamed {
        /// Who, with the old nick.
        who: Who,
        /// The new nick.
        nick: Arc<str>,
    },
    /// To all rooms of a member, once, and to itself: it is away or back. Only to itself, if it was so before.
    Away {
        /// Who.
        who: Who,
        /// Why; `None` is back.
        message: Option<Line>,
    },
    /// To a room: something was said or done.
    Said {
        /// Which room.
        room: RoomRef,
        /// Its number in the room.
        sequence: Sequence,
        /// Who.
        author: Author,
        /// What.
        text: Text,
        /// Said or done.
        manner: Manner,
        /// Which client said it.
        signature: Signature,
    },
    /// To two inboxes: something was said to one person.
    Directed {
        /// The conversation's number.
        conversation: RoomNumber,
        /// Its number in the conversation.
        sequence: Sequence,
        /// Who said it.
        from: Who,
        /// To whom.
        to: Who,
        /// What.
        text: Text,
        /// Which client said it.
        signature: Signature,
    },
    /// To a room or two inboxes: what was said reads differently now.
    Edited {
        /// Where.
        room: RoomRef,
        /// Its number there.
        sequence: Sequence,
        /// Who changed it.
        by: Who,
        /// What was changed.
        target: Sequence,
        /// How it reads now.
        text: Text,
        /// Which client changed it.
        signature: Signature,
    },
    /// To a room or two inboxes: what was said is erased.
    Redacted {
        /// Where.
        room: RoomRef,
        /// Its number there.
        sequence: Sequence,
        /// Who erased it.
        by: Who,
        /// What was erased.
        target: Sequence,
        /// Why.
        reason: Option<Line>,
        /// Which client erased it.
        signature: Signature,
    },
    /// Of the past: something stood here that was erased.
    Erased {
        /// Where.
        room: RoomRef,
        /// Its number there.
        sequence: Sequence,
        /// Whose it was.
        author: Author,
    },
    /// Of the past: the room was opened.
    Opened {
        /// Which room.
        room: RoomRef,
        /// Its number there.
        sequence: Sequence,
    },
    /// To a room: its topic was set or cleared.
    TopicSet {
        /// Which room.
        room: RoomRef,
        /// Its number in the room.
        sequence: Sequence,
        /// Who.
        by: Who,
        /// The topic; `None` if it was cleared.
        topic: Option<Line>,
        /// Which client set it.
        signature: Signature,
    },
    /// To all rooms, once: what is said cannot be written down any more, or can be again.
    JournalIs {
        /// Why it cannot.
        trouble: Option<Trouble>,
    },
    /// To a big room, at most once a second: who came and went.
    Summed {
        /// Which room.
        room: RoomRef,
        /// Who came.
        arrived: Crowd,
        /// Who left the room or the server.
        departed: Crowd,
    },
    /// To a room: these sequences are lost.
    Lost {
        /// Which room.
        room: RoomRef,
        /// The number of the notice itself.
        sequence: Sequence,
        /// The first that is lost.
        from: Sequence,
        /// The last.
        to: Sequence,
    },
}

impl Event {
    /// The member whose doing this is, if it is one's: its own cursor may treat the entry differently.
    pub fn author(&self) -> Option<MemberId> {
        match self {
            Event::Joined { who, .. }
            | Event::Left { who, .. }
            | Event::Quit { who, .. }
            | Event::Renamed { who, .. }
            | Event::Away { who, .. } => Some(who.member),
            Event::Said { author, .. } => author.member(),
            Event::Directed { from, .. } => Some(from.member),
            Event::TopicSet { by, .. } | Event::Edited { by, .. } | Event::Redacted { by, .. } => {
                Some(by.member)
            }
            _ => None,
        }
    }

    /// The sequence of the kept fact that this tells, if it is one.
    pub fn sequence(&self) -> Option<Sequence> {
        match self {
            Event::Said { sequence, .. }
            | Event::Directed { sequence, .. }
            | Event::Edited { sequence, .. }
            | Event::Redacted { sequence, .. }
            | Event::Erased { sequence, .. }
            | Event::Opened { sequence, .. }
            | Event::TopicSet { sequence, .. }
            | Event::Lost { sequence, .. } => Some(*sequence),
            _ => None,
        }
    }

    /// The room in which the journal has to keep a fact that is told by this, if it is one.
    pub fn kept_in(&self) -> Option<RoomNumber> {
        match self {
            Event::Said { room, .. }
            | Event::Edited { room, .. }
            | Event::Redacted { room, .. }
            | Event::TopicSet { room, .. }
            | Event::Lost { room, .. } => Some(room.number),
            Event::Directed { conversation, .. } => Some(*conversation),
            _ => None,
        }
    }

    /// Which client it came from, if it is a kept fact of one that can come back.
    pub fn signature(&self) -> Option<&crate::Signed> {
        match self {
            Event::Said { signature, .. }
            | Event::Directed { signature, .. }
            | Event::Edited { signature, .. }
            | Event::Redacted { signature, .. }
            | Event::TopicSet { signature, .. } => signature.as_deref(),
            _ => None,
        }
    }

    /// Whether it is something that a person wrote to others: what a skip counts and what ignoring hides.
    pub fn is_message(&self) -> bool {
        matches!(self, Event::Said { .. } | Event::Directed { .. })
    }
}
