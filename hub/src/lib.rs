//! The hub: rooms, members, permissions and order. Command in, fact decided, fact applied, events out.
//!
//! Where it stands: between the dialects, which make [`Command`]s out of bytes, and the feeds, which carry rendered
//! [`Event`]s. Two steps: [`Hub::propose`] checks and decides but changes nothing; [`Hub::apply`] changes state and
//! tells, but decides nothing. Between them the journal gives the fact its [`Position`].
//!
//! What this crate must never do: I/O, ask a clock, roll dice, allocate identity (times and ids are arguments), let the
//! order of a hash map reach an event, fail (a refusal is an event), or know how many nodes or shards there are.
//! `#![no_std]` and the list of its dependencies, which `cargo xtask test` checks, keep it so.
#![no_std]

extern crate alloc;

// In the order in which a command meets them.
mod command;
mod history;
mod ids;
mod names;
mod text;

mod propose;

mod fact;
mod refusal;

mod apply;
mod chores;
mod hub;
mod snapshot;

mod answers;
mod event;

#[cfg(test)]
mod tests;

pub use command::{Among, Client, Command, DoorKind, Place, Presence, Speaker, Standing, Verb};
pub use event::{
    Announced, Audience, Author, Conversation, Crowd, Event, Present, RoomLine, RoomRef, RoomView, Told,
    Topic, Who,
};
pub use fact::{Fact, Hearing, Kept, Manner, Party, Record, Returning, Signature, Signed, Trouble};
pub use history::{
    Authorship, Findings, Known, Lookup, Page, PageWanted, Past, Reading, Receipt, Rest, Search, Shape, Span,
    Wanted,
};
pub use hub::{Hub, Keeping, RESERVED_AHEAD, Settings};
pub use ids::{
    ClientId, Epoch, MemberId, MessageId, NoSuchId, Nonce, Position, RoomNumber, Sequence, Time,
    conversation_name,
};
pub use names::{Look, NICK_CHARS_MAX, NameProblem, Nick, ROOM_CHARS_MAX, RoomName, key_of, quoted};
pub use propose::Proposal;
pub use refusal::{Bound, Refusal, What};
pub use snapshot::{KeptKind, KeptRoom, Reservation, Snapshot};
pub use text::{Ending, Fitted, Line, TEXT_BYTES_MAX, TEXT_LINES_MAX, Text, TextProblem, is_showable};
