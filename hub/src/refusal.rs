//! Why something is not possible: what was wrong, and what would be right. A refusal is an event like any other; the
//! hub has no errors. The words are lower case, without a final stop, fit for any dialect's frame around them.

use crate::fact::Trouble;
use crate::names::{NameProblem, quoted};
use crate::text::TextProblem;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// Why something is not possible.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// That is no nick.
    BadNick(String, NameProblem),
    /// Somebody has that nick.
    NickTaken(Arc<str>),
    /// That nick looks like somebody's.
    NickLooksLike(String),
    /// One has that nick already.
    NickIsYours(Arc<str>),
    /// Nobody has that nick.
    NoSuchNick(String),
    /// That is no name for a room.
    BadRoomName(String, NameProblem),
    /// There is no such room, or it may not be seen: the two are not told apart. Its name stands there with its mark.
    NoSuchRoom(String),
    /// A listener is in one room only: when it appears, that is one arrival at one position.
    OnlyListening,
    /// One is in that room already.
    AlreadyInRoom(Arc<str>),
    /// One is not in that room; its name stands there with its mark.
    NotInRoom(String),
    /// That would be one's own self.
    ThatIsYou,
    /// That text cannot be used.
    BadText(What, TextProblem),
    /// A bound of the server or of a room is reached.
    TooMany(Bound, u32),
    /// More begin with what was typed than are looked at.
    TooManyBeginSo(u32),
    /// The journal cannot keep more at the moment, for this reason if it has one.
    Unwritten(Option<Trouble>),
    /// This server keeps nothing of what is said.
    NothingKept,
    /// What was kept cannot be read at the moment.
    Unreadable,
    /// That was never said, or has been erased.
    NoSuchMessage,
    /// Somebody else said that.
    NotYours,
    /// Under that nonce something else was asked for.
    NonceUsed,
    /// A search needs something to look for.
    NothingToLookFor,
    /// Nothing can be asked before one is connected.
    NotConnected,
    /// One is connected already.
    AlreadyConnected,
    /// Only members can do that, not doors.
    MembersOnly,
}

/// What a text was meant to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A topic.
    Topic,
    /// An away message.
    AwayMessage,
    /// The reason of an erasure.
    Reason,
}

/// What there may be only so many of; each is a field of [`Settings`](crate::Settings).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Members on the server.
    Members,
    /// Rooms on the server.
    Rooms,
    /// Members of a room.
    MembersOfRoom,
    /// Rooms of a member.
    RoomsOfMember,
    /// People whom one ignores.
    Ignored,
    /// Direct conversations of a member.
    Conversations,
    /// Direct conversations on the server.
    ConversationsKept,
}

impl Refusal {
    /// A short constant word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::BadNick(..) => "bad-nick",
            Refusal::NickTaken(_) => "nick-taken",
            Refusal::NickLooksLike(_) => "nick-looks-like",
            Refusal::NickIsYours(_) => "nick-is-yours",
            Refusal::NoSuchNick(_) => "no-such-nick",
            Refusal::BadRoomName(..) => "bad-room-name",
            Refusal::NoSuchRoom(_) => "no-such-room",
            Refusal::OnlyListening => "only-listening",
            Refusal::AlreadyInRoom(_) => "already-in-room",
            Refusal::NotInRoom(_) => "not-in-room",
            Refusal::ThatIsYou => "that-is-you",
            Refusal::BadText(..) => "bad-text",
            Refusal::TooMany(..) => "too-many",
            Refusal::TooManyBeginSo(_) => "too-many-begin-so",
            Refusal::Unwritten(_) => "unwritten",
            Refusal::NothingKept => "nothing-kept",
            Refusal::Unreadable => "unreadable",
            Refusal::NoSuchMessage => "no-such-message",
            Refusal::NotYours => "not-yours",
            Refusal::NonceUsed => "nonce-used",
            Refusal::NothingToLookFor => "nothing-to-look-for",
            Refusal::NotConnected => "not-connected",
            Refusal::AlreadyConnected => "already-connected",
            Refusal::MembersOnly => "members-only",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::BadNick(raw, problem) => write!(f, "'{}' is no nick: {problem}", quoted(raw)),
            Refusal::NickTaken(nick) => write!(f, "{nick} is taken; choose another nick"),
            Refusal::NickLooksLike(raw) => {
                write!(f, "'{}' looks like somebody else's nick; choose another", quoted(raw))
            }
            Refusal::NickIsYours(nick) => write!(f, "you are {nick} already"),
            Refusal::NoSuchNick(raw) => {
                write!(f, "nobody here is called '{}'; check the spelling, or see who is here", quoted(raw))
            }
            Refusal::BadRoomName(raw, problem) => {
                write!(f, "'{}' is no name for a room: {problem}", quoted(raw))
            }
            Refusal::NoSuchRoom(raw) if raw.starts_with('@') => write!(
                f,
                "there is no room '{}'; a conversation is read by its number if it is yours, and written to by nick",
                quoted(raw)
            ),
            Refusal::NoSuchRoom(raw) => {
                write!(f, "there is no room '{}'; check the spelling, or join it to open it", quoted(raw))
            }
            Refusal::OnlyListening => {
                write!(f, "you only listen so far; show yourself before you join another room")
            }
            Refusal::AlreadyInRoom(name) => write!(f, "you are in #{name} already"),
            Refusal::NotInRoom(room) => write!(f, "you are not in {room}; join it first"),
            Refusal::ThatIsYou => write!(f, "that is you; name somebody else"),
            Refusal::BadText(what, problem) => write!(f, "that is no {}: {problem}", what.words()),
            Refusal::TooMany(bound, max) => {
                write!(f, "{} {max}, and that many there are; {}", bound.words(), bound.way_out())
            }
            Refusal::TooManyBeginSo(max) => {
                write!(f, "more than {max} begin like that; type more of it")
            }
            Refusal::Unwritten(None) => {
                write!(f, "nothing can be said now: the server cannot write it down; try again in a while")
            }
            Refusal::Unwritten(Some(trouble)) => write!(
                f,
                "nothing can be said now: the server cannot write it down ({trouble}); try again in a while"
            ),
            Refusal::NothingKept => write!(f, "this server keeps nothing of what is said"),
            Refusal::Unreadable => {
                write!(f, "what was kept cannot be read at the moment; try again in a while")
            }
            Refusal::NoSuchMessage => write!(f, "there is no such message, or it has been erased"),
            Refusal::NotYours => write!(f, "somebody else said that; only what you said is yours to change"),
            Refusal::NonceUsed => {
                write!(f, "that nonce was used for something else; use a fresh one for each request")
            }
            Refusal::NothingToLookFor => write!(f, "say what to look for: words, or who said it"),
            Refusal::NotConnected => write!(f, "you are not connected yet"),
            Refusal::AlreadyConnected => write!(f, "you are connected already"),
            Refusal::MembersOnly => {
                write!(f, "only members can do that; without being one, things can only be said in rooms")
            }
        }
    }
}

impl What {
    fn words(self) -> &'static str {
        match self {
            What::Topic => "topic",
            What::AwayMessage => "away message",
            What::Reason => "reason",
        }
    }
}

impl Bound {
    fn words(self) -> &'static str {
        match self {
            Bound::Members => "the members of this server are limited to",
            Bound::Rooms => "the rooms of this server are limited to",
            Bound::MembersOfRoom => "the members of that room are limited to",
            Bound::RoomsOfMember => "the rooms that you can be in are limited to",
            Bound::Ignored => "the people whom you can ignore are limited to",
            Bound::Conversations => "the direct conversations of one person are limited to",
            Bound::ConversationsKept => "the direct conversations of this server are limited to",
        }
    }

    fn way_out(self) -> &'static str {
        match self {
            Bound::Members | Bound::MembersOfRoom => "try again when somebody has left",
            Bound::Rooms => "join one of them",
            Bound::RoomsOfMember => "leave one first",
            Bound::Ignored => "ignore one of them again to hear them",
            Bound::Conversations | Bound::ConversationsKept => "talk in a room",
        }
    }
}
