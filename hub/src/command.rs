//! What is asked of the hub, and by whom. Made by dialects, answered by `propose`. Verbs: nothing here has happened.

use crate::history::{Search, Shape, Span};
use crate::ids::{ClientId, MemberId, Nonce, RoomNumber, Sequence};
use crate::names::Nick;
use crate::text::Text;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::net::SocketAddr;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Speaker {
    /// A connection that is, or with [`Command::Connect`] becomes, a member.
    Member(MemberId),
    /// Something that speaks without being a member: rendered `ann (web)`, so that it never passes for one.
    Door {
        /// What kind of door.
        kind: DoorKind,
        /// The name that it speaks under.
        label: Nick,
    },
}

/// The kinds of doors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DoorKind {
    /// An HTTP request.
    Web,
    /// A webhook.
    Hook,
    /// A datagram.
    Datagram,
    /// The server's operator, from the command line.
    Operator,
}

impl DoorKind {
    /// The word behind the label.
    pub fn word(self) -> &'static str {
        match self {
            DoorKind::Web => "web",
            DoorKind::Hook => "hook",
            DoorKind::Datagram => "datagram",
            DoorKind::Operator => "operator",
        }
    }
}

/// Whether a connection is somebody yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Reads, is counted, but is neither announced nor named: it may be a probe or a browser's preconnect.
    Listening,
    /// A member among the others.
    Visible,
}

/// Which room is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// One that the session knows by number.
    Number(RoomNumber),
    /// One that was typed.
    Name(String),
}

/// Who a connection says it is, and has proved it by knowing the secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// The client.
    pub id: ClientId,
    /// Whether it has been here before.
    pub standing: Standing,
}

/// Whether a client has been here before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Its secret was made for this connection.
    New,
    /// It brought its secret.
    Returning,
}

/// What somebody may be about to type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Among {
    /// The nicks of those whom one shares a room with.
    Nicks,
    /// The rooms that one may see.
    Rooms,
}

/// What is asked. Names are as they were typed: the hub parses them, so that its refusals keep their place among its
/// answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Become known: under the nick that is asked for, or as a guest. A client that is still here by another connection is
    /// taken off that.
    Connect {
        /// A random number below 100,000 for the guest's name; the next free one is taken.
        guest: u32,
        /// How to begin.
        presence: Presence,
        /// Where from, if others are to know that: nobody's address is shown unless the operator wants it.
        address: Option<SocketAddr>,
        /// The nick as it was typed; without one it is a guest's.
        nick: Option<String>,
        /// Which client, if it can come back as the same one.
        client: Option<Client>,
    },
    /// Be visible from now on.
    Appear,
    /// Enter a room; it is opened if it does not exist.
    Join {
        /// Its name.
        room: String,
    },
    /// Leave a room.
    Leave {
        /// Which.
        room: Place,
    },
    /// Say something in a room.
    Say {
        /// Where.
        room: Place,
        /// What.
        text: Text,
        /// Its name for the client.
        nonce: Option<Nonce>,
    },
    /// Do something in a room (`/me`).
    Act {
        /// Where.
        room: Place,
        /// What.
        text: Text,
        /// Its name for the client.
        nonce: Option<Nonce>,
    },
    /// Say something to one person.
    Direct {
        /// Their nick.
        to: String,
        /// What.
        text: Text,
        /// Its name for the client.
        nonce: Option<Nonce>,
    },
    /// Change what one said.
    Edit {
        /// Where.
        room: Place,
        /// What was said.
        target: Sequence,
        /// What is to stand there instead.
        text: Text,
        /// The change's name for the client.
        nonce: Option<Nonce>,
    },
    /// Erase what one said.
    Redact {
        /// Where.
        room: Place,
        /// What was said.
        target: Sequence,
        /// Why, as it was typed; may be blank.
        reason: String,
        /// The erasure's name for the client.
        nonce: Option<Nonce>,
    },
    /// Take a name.
    Nick {
        /// The name.
        nick: String,
    },
    /// Set or clear a room's topic.
    SetTopic {
        /// Where.
        room: Place,
        /// The topic as it was typed; blank clears it.
        topic: String,
        /// Its name for the client.
        nonce: Option<Nonce>,
    },
    /// Ask for a room's topic.
    Topic {
        /// Where.
        room: Place,
    },
    /// Ask who is in a room: one page.
    Who {
        /// Where.
        room: Place,
        /// The `next` of the page before.
        after: Option<MemberId>,
    },
    /// Ask for a fresh picture of a room that one is in, after something was missed there.
    Picture {
        /// Where.
        room: RoomNumber,
    },
    /// Ask for a page of what was said in a room or conversation.
    History {
        /// Where.
        room: Place,
        /// Which part.
        span: Span,
        /// How many lines at most; the hub's own bound holds, too.
        lines_max: u32,
        /// As it is now, or as it happened.
        shape: Shape,
    },
    /// Look for what was said.
    Search {
        /// Where; everywhere where one may read, if it is not said.
        room: Option<Place>,
        /// What to look for.
        search: Search,
    },
    /// Ask which rooms there are: one page.
    Rooms {
        /// The `next` of the page before.
        after: Option<Arc<str>>,
    },
    /// Ask which direct conversations one has had.
    Conversations,
    /// Ask what begins with what was typed so far.
    Complete {
        /// Among what to look.
        among: Among,
        /// The beginning, as it was typed.
        beginning: String,
    },
    /// Hear nothing more of somebody, or hear them again.
    Ignore {
        /// Their nick.
        nick: String,
    },
    /// Ask whom one ignores.
    Ignored,
    /// Be away, or be back.
    Away {
        /// Why, as it was typed; blank is back.
        message: String,
    },
    /// Leave for good.
    Quit {
        /// Last words, as they were typed; may be blank.
        reason: String,
    },
}

/// Which command it was, without what was asked: a refusal carries it, so that the session knows what was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// [`Command::Connect`].
    Connect,
    /// [`Command::Appear`].
    Appear,
    /// [`Command::Join`].
    Join,
    /// [`Command::Leave`].
    Leave,
    /// [`Command::Say`].
    Say,
    /// [`Command::Act`].
    Act,
    /// [`Command::Direct`].
    Direct,
    /// [`Command::Edit`].
    Edit,
    /// [`Command::Redact`].
    Redact,
    /// [`Command::History`].
    History,
    /// [`Command::Search`].
    Search,
    /// [`Command::Nick`].
    Nick,
    /// [`Command::SetTopic`].
    SetTopic,
    /// [`Command::Topic`].
    Topic,
    /// [`Command::Who`].
    Who,
    /// [`Command::Picture`].
    Picture,
    /// [`Command::Rooms`].
    Rooms,
    /// [`Command::Conversations`].
    Conversations,
    /// [`Command::Complete`].
    Complete,
    /// [`Command::Ignore`].
    Ignore,
    /// [`Command::Ignored`].
    Ignored,
    /// [`Command::Away`].
    Away,
    /// [`Command::Quit`].
    Quit,
}

impl Command {
    /// The client's own name for what it asks for, if it gave it one.
    pub fn nonce(&self) -> Option<&Nonce> {
        match self {
            Command::Say { nonce, .. }
            | Command::Act { nonce, .. }
            | Command::Direct { nonce, .. }
            | Command::Edit { nonce, .. }
            | Command::Redact { nonce, .. }
            | Command::SetTopic { nonce, .. } => nonce.as_ref(),
            _ => None,
        }
    }

    /// Which command it is.
    pub fn verb(&self) -> Verb {
        match self {
            Command::Connect { .. } => Verb::Connect,
            Command::Appear => Verb::Appear,
            Command::Join { .. } => Verb::Join,
            Command::Leave { .. } => Verb::Leave,
            Command::Say { .. } => Verb::Say,
            Command::Act { .. } => Verb::Act,
            Command::Direct { .. } => Verb::Direct,
            Command::Edit { .. } => Verb::Edit,
            Command::Redact { .. } => Verb::Redact,
            Command::History { .. } => Verb::History,
            Command::Search { .. } => Verb::Search,
            Command::Nick { .. } => Verb::Nick,
            Command::SetTopic { .. } => Verb::SetTopic,
            Command::Topic { .. } => Verb::Topic,
            Command::Who { .. } => Verb::Who,
            Command::Picture { .. } => Verb::Picture,
            Command::Rooms { .. } => Verb::Rooms,
            Command::Conversations => Verb::Conversations,
            Command::Complete { .. } => Verb::Complete,
            Command::Ignore { .. } => Verb::Ignore,
            Command::Ignored => Verb::Ignored,
            Command::Away { .. } => Verb::Away,
            Command::Quit { .. } => Verb::Quit,
        }
    }
}

impl Verb {
    /// A short constant word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Connect => "connect",
            Verb::Appear => "appear",
            Verb::Join => "join",
            Verb::Leave => "leave",
            Verb::Say => "say",
            Verb::Act => "act",
            Verb::Direct => "direct",
            Verb::Edit => "edit",
            Verb::Redact => "redact",
            Verb::History => "history",
            Verb::Search => "search",
            Verb::Nick => "nick",
            Verb::SetTopic => "set-topic",
            Verb::Topic => "topic",
            Verb::Who => "who",
            Verb::Picture => "picture",
            Verb::Rooms => "rooms",
            Verb::Conversations => "conversations",
            Verb::Complete => "complete",
            Verb::Ignore => "ignore",
            Verb::Ignored => "ignored",
            Verb::Away => "away",
            Verb::Quit => "quit",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}
