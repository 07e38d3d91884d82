//! What was decided. `propose` makes facts, the journal numbers them, `apply` alone acts on them.
//!
//! A fact carries outcomes (keys, looks, guests' numbers), never questions: whoever applies it needs no table and no
//! clock. *Kept* facts get a sequence in their room and are journaled; *passing* ones are told and forgotten.

use crate::command::{Presence, Verb};
use crate::event::{Author, Who};
use crate::history::Receipt;
use crate::ids::{ClientId, MemberId, Nonce, Position, RoomNumber, Sequence, Time};
use crate::names::{Nick, RoomName};
use crate::text::{Line, Text};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

/// A fact with its place in the order of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Given by the journal; grows from record to record.
    pub position: Position,
    /// When it was proposed.
    pub time: Time,
    /// What was decided.
    pub fact: Fact,
}

/// A kept fact as it is written down: with what `apply` made of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The fact, its position and its time.
    pub record: Record,
    /// The room or conversation whose log it is in; 0 if it is in none.
    pub room: RoomNumber,
    /// Its number there; 0 if it has none.
    pub sequence: Sequence,
}

/// What was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Passing: somebody is connected.
    Connected {
        /// The new member.
        member: MemberId,
        /// Its name.
        nick: Nick,
        /// How it begins.
        presence: Presence,
        /// Where from, if others are to know that.
        address: Option<SocketAddr>,
        /// Which client, if it can come back as the same one.
        client: Option<Returning>,
    },
    /// Passing: a listener became visible.
    Appeared {
        /// Who.
        member: MemberId,
    },
    /// Kept: a room was opened; whoever opened it is in it (if it is still connected when the fact is applied).
    Opened {
        /// Its name.
        name: RoomName,
        /// Who opened it; nobody, if the server did.
        by: Option<MemberId>,
    },
    /// Passing: a member entered a room that exists.
    Joined {
        /// Who.
        member: MemberId,
        /// Where.
        room: RoomNumber,
    },
    /// Passing: a member left a room.
    Left {
        /// Who.
        member: MemberId,
        /// Where.
        room: RoomNumber,
    },
    /// Kept: something was said in a room.
    Said {
        /// By whom, under the nick of that time.
        author: Author,
        /// Where.
        room: RoomNumber,
        /// What.
        text: Text,
        /// Said or done.
        manner: Manner,
        /// Which client said it.
        signature: Signature,
    },
    /// Kept: something was said to one person; the conversation is opened if it does not exist.
    Directed {
        /// By whom.
        from: Who,
        /// To whom.
        to: Who,
        /// Between whom the conversation is: the author, then the recipient.
        parties: [Party; 2],
        /// What.
        text: Text,
        /// Which client said it.
        signature: Signature,
    },
    /// Kept: what was said reads differently from now on.
    Edited {
        /// By whom.
        by: Who,
        /// Where.
        room: RoomNumber,
        /// What was said.
        target: Sequence,
        /// How it reads now.
        text: Text,
        /// Which client changed it.
        signature: Signature,
    },
    /// Kept: what was said is erased.
    Redacted {
        /// By whom.
        by: Who,
        /// Where.
        room: RoomNumber,
        /// What was said.
        target: Sequence,
        /// Why.
        reason: Option<Line>,
        /// Which client erased it.
        signature: Signature,
    },
    /// Passing: a member has another name.
    Renamed {
        /// Who.
        member: MemberId,
        /// The new name.
        nick: Nick,
    },
    /// Kept: a room's topic was set or cleared.
    TopicSet {
        /// By whom.
        by: Who,
        /// Where.
        room: RoomNumber,
        /// The topic; `None` if it was cleared.
        topic: Option<Line>,
        /// Which client set it.
        signature: Signature,
    },
    /// Passing: a member hears nothing of another from now on, or hears it again.
    Ignored {
        /// Who ignores.
        member: MemberId,
        /// Who is ignored.
        other: MemberId,
        /// From now on.
        hearing: Hearing,
    },
    /// Passing: a member is away or back.
    Away {
        /// Who.
        member: MemberId,
        /// Why; `None` is back.
        message: Option<Line>,
    },
    /// Passing: a member is gone.
    Quit {
        /// Who.
        member: MemberId,
        /// Last words.
        reason: Option<Line>,
    },
    /// Passing: the arrivals and departures of a big room are told in one line.
    Summed {
        /// Where.
        room: RoomNumber,
    },
    /// Passing: the journal cannot write any more, for this reason; or it writes again.
    JournalIs {
        /// Why it cannot.
        trouble: Option<Trouble>,
    },
    /// Kept: a room that nobody needs any more is gone, and its number with it.
    Closed {
        /// Which.
        room: RoomNumber,
    },
    /// Kept: rooms with lower numbers may have been seen before a crash. Without it, a replay would give the rooms that
    /// are opened behind it other numbers than they had.
    RoomsLost {
        /// The number of the next room.
        next_room: RoomNumber,
    },
    /// Kept: these sequences may have been seen before a crash, and what they meant is lost.
    Lost {
        /// Where.
        room: RoomNumber,
        /// The first.
        from: Sequence,
        /// The last.
        to: Sequence,
    },
}

/// Which client said something, and under which name of its own. Nothing for whoever cannot come back as the same one;
/// then it costs nothing.
pub type Signature = Option<Arc<Signed>>;

/// The client that said something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// Which client.
    pub client: ClientId,
    /// Its own name for what it said.
    pub nonce: Option<Nonce>,
}

/// A client that is here now, with what it said before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Returning {
    /// Which client.
    pub id: ClientId,
    /// What it said last with nonces, the oldest first.
    pub receipts: Vec<Receipt>,
}

/// One of the two whose conversation a direct conversation is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Party {
    /// A client, which can come back.
    Client(ClientId),
    /// A guest, for its stay.
    Guest(MemberId),
    /// A guest who left before the server was started: nobody who will ever be here again.
    Past(RoomNumber),
}

/// Why the journal cannot write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// There is no room left on the disk, or what was allowed is used up.
    Full,
    /// The file or its directory may not be written to.
    ReadOnly,
    /// The data file has been deleted, moved or replaced: what is written would be found by nobody.
    Gone,
    /// The disk reports errors.
    Failing,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Trouble::Full => "the disk is full",
            Trouble::ReadOnly => "the data may not be written to",
            Trouble::Gone => "the data file is gone",
            Trouble::Failing => "the disk reports errors",
        })
    }
}

/// Said (`<ann> hello`) or done (`* ann waves`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// `<ann> hello`.
    Saying,
    /// `* ann waves`.
    Acting,
}

impl Manner {
    /// Which command was asked.
    pub(crate) fn verb(self) -> Verb {
        match self {
            Manner::Saying => Verb::Say,
            Manner::Acting => Verb::Act,
        }
    }
}

/// Whether somebody is heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hearing {
    /// Not any more.
    Nothing,
    /// Again.
    Everything,
}

impl Fact {
    /// Which client it came from, if it is one that can come back.
    pub fn signature(&self) -> Option<&Signed> {
        match self {
            Fact::Said { signature, .. }
            | Fact::Directed { signature, .. }
            | Fact::Edited { signature, .. }
            | Fact::Redacted { signature, .. }
            | Fact::TopicSet { signature, .. } => signature.as_deref(),
            _ => None,
        }
    }

    /// What was asked for that it comes of, if that may be asked for with a nonce.
    pub fn verb(&self) -> Option<Verb> {
        match self {
            Fact::Said { manner, .. } => Some(manner.verb()),
            Fact::Directed { .. } => Some(Verb::Direct),
            Fact::Edited { .. } => Some(Verb::Edit),
            Fact::Redacted { .. } => Some(Verb::Redact),
            Fact::TopicSet { .. } => Some(Verb::SetTopic),
            _ => None,
        }
    }

    /// Whether the fact gets a sequence and goes into the journal.
    pub fn is_kept(&self) -> bool {
        match self {
            Fact::Opened { .. }
            | Fact::Said { .. }
            | Fact::Directed { .. }
            | Fact::Edited { .. }
            | Fact::Redacted { .. }
            | Fact::TopicSet { .. }
            | Fact::Closed { .. }
            | Fact::RoomsLost { .. }
            | Fact::Lost { .. } => true,
            Fact::Connected { .. }
            | Fact::Appeared { .. }
            | Fact::Joined { .. }
            | Fact::Left { .. }
            | Fact::Renamed { .. }
            | Fact::Ignored { .. }
            | Fact::Away { .. }
            | Fact::Quit { .. }
            | Fact::JournalIs { .. }
            | Fact::Summed { .. } => false,
        }
    }
}
