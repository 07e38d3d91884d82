//! What is asked of the history, and what it answers: spans of a room's log, searches, and what only the history knows.
//!
//! Where it stands: the hub checks what is asked and says exactly what may be read ([`Reading`], [`Lookup`]); the journal
//! reads; the answer travels to the asker as an event ([`Page`], [`Findings`]) or back to the hub as [`Known`].
//!
//! What this file must never do: hold more of what was said than one page.

use crate::command::Verb;
use crate::event::{Event, RoomRef};
use crate::ids::{ClientId, MemberId, Nonce, Position, RoomNumber, Sequence, Time};
use crate::refusal::Refusal;
use alloc::string::String;
use alloc::vec::Vec;

/// Which part of a room's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// The last lines.
    Latest,
    /// The last lines in front of this one.
    Before(Sequence),
    /// The first lines behind this one.
    After(Sequence),
    /// Lines before, at and behind this one.
    Around(Sequence),
    /// The first lines from this moment on.
    Since(Time),
}

/// How the past is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// As it stands now: what was changed is shown as it was changed to, and that it was; the changes themselves are no
    /// lines.
    Present,
    /// Fact by fact, as it happened: for whoever was away and knows what was before. What has been erased since stays so.
    Facts,
}

/// What to look for. Something must be given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Search {
    /// Words, or parts of them, that must all be in the text; as they were typed.
    pub words: String,
    /// Whose nick it was said under.
    pub author: Option<String>,
    /// Not before this moment.
    pub since: Option<Time>,
    /// Before this moment.
    pub before: Option<Time>,
    /// How many at most; the hub's own bound holds, too.
    pub lines_max: u32,
}

/// What may be read, checked by the hub and complete: whoever reads asks nobody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// For whom.
    pub member: MemberId,
    /// The order of the server at which it was granted: the answer belongs behind this.
    pub position: Position,
    /// What.
    pub what: Wanted,
}

/// What is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A page of a room.
    Page(PageWanted),
    /// What is found in rooms.
    Search {
        /// Where, each up to its last fact that may be read.
        rooms: Vec<(RoomRef, Sequence)>,
        /// What to look for, with the hub's bound applied.
        search: Search,
    },
}

/// Which page of which room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageWanted {
    /// The room; a conversation is called by [`conversation_name`](crate::conversation_name).
    pub room: RoomRef,
    /// The last fact that may be read.
    pub upto: Sequence,
    /// Which part.
    pub span: Span,
    /// How many lines at most, the hub's bound applied.
    pub lines_max: u32,
    /// How it is shown.
    pub shape: Shape,
}

/// A page of the past, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// What was asked.
    pub wanted: PageWanted,
    /// The lines, by ascending sequence.
    pub lines: Vec<Past>,
    /// The first sequence that was looked at, if there is anything before it.
    pub before: Option<Sequence>,
    /// The last sequence that was looked at, if there is anything behind it, up to [`PageWanted::upto`].
    pub after: Option<Sequence>,
    /// Everything up to this sequence has been let go of, because the operator wanted it so; 0 if nothing has.
    pub forgotten: Sequence,
}

/// Something of the past: told as it was told, with authors who are nobody's members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Past {
    /// Its place in the order of the server.
    pub position: Position,
    /// When it happened.
    pub time: Time,
    /// What happened.
    pub event: Event,
    /// The change that it shows, if it was changed; only in [`Shape::Present`].
    pub edited: Option<Sequence>,
}

/// What a search has found, the newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    /// What was looked for.
    pub search: Search,
    /// What was found.
    pub lines: Vec<Past>,
    /// Whether there may be more of it.
    pub rest: Rest,
}

/// What a search may have left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rest {
    /// Nothing: this is all.
    Nothing,
    /// There is more behind the last line: search again before its time.
    More,
    /// Time was up before everything had been looked at.
    OutOfTime,
}

/// What the hub has to know of the past before it can decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// The last nonces of a client that comes back.
    Client(ClientId),
    /// Who said something.
    Author {
        /// Where.
        room: RoomNumber,
        /// What.
        target: Sequence,
    },
}

/// What was looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Known {
    /// The last nonces of a client, the oldest first.
    Client(Vec<Receipt>),
    /// Whoever said it.
    Author(Authorship),
    /// It could not be read; whoever asked is told so.
    Unreadable(Refusal),
}

/// Who said something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authorship {
    /// That is nothing that anybody said, or it has been erased.
    Nothing,
    /// This client, or nobody who could come back.
    Client(Option<ClientId>),
}

/// Something that was said with a nonce.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Its name for the client.
    pub nonce: Nonce,
    /// What was asked for: only the same is taken for a repetition.
    pub verb: Verb,
    /// Where.
    pub room: RoomNumber,
    /// Its sequence there.
    pub sequence: Sequence,
    /// Its place in the order of the server.
    pub position: Position,
}
