//! Dialects: bytes from a connection become commands, events become bytes for it.
//!
//! Where it stands: between the sockets of a shard and the hub. A [`Session`] is the dialect state of one connection; a
//! *rendition* is one dialect's bytes for an event, made once and read by all whose dialect it is.
//!
//! What this crate must never do: I/O, ask a clock, panic on any bytes whatever, let a member's text look like a line of
//! the server or of somebody else, or let through to a terminal what [`hub::Text`] keeps out.

// In the order in which a connection meets them.
mod arrival;
mod pace;
mod secret;
pub mod sniff;

mod any;

pub mod json;
pub mod plain;

pub mod editing;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

pub use any::{AnyRendition, AnySession};
pub use arrival::{Arrival, ByOrigin, Origin};
pub use pace::Pace;
pub use secret::Secret;

use hub::{Command, Epoch, Keeping, MemberId, RoomName, RoomNumber, Sequence, Time, Told};
use jiff::tz::TimeZone;

/// What all sessions of a server share.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The room that everybody is in unasked.
    pub home: RoomName,
    /// How many lines a second one connection may send.
    pub lines_per_second: ByOrigin<u32>,
    /// Of the data file: a part of every message's id.
    pub epoch: Epoch,
    /// How plain text is written.
    pub plain_style: plain::Style,
    /// Whether what was said can be read again.
    pub keeping: Keeping,
    /// Whoever enters a room by plain text is shown so many of the last messages there; 0 is none.
    pub replay_lines: u32,
    /// Where people's clocks are: moments are written, and read, as they are called there.
    pub zone: TimeZone,
}

impl Setup {
    /// The defaults, with this home room.
    pub fn new(home: RoomName) -> Setup {
        let lines_per_second = ByOrigin { local: 10_000, remote: 10 };
        Setup {
            home,
            lines_per_second,
            epoch: Epoch::default(),
            plain_style: plain::Style::default(),
            keeping: Keeping::Nothing,
            replay_lines: 20,
            zone: TimeZone::UTC,
        }
    }
}

/// What a session wants done. Reused from call to call; whoever passes it in takes out what it finds.
#[derive(Default, Debug)]
pub struct Output {
    /// For the hub, in this order.
    pub commands: Vec<Command>,
    /// For this connection alone.
    pub words: Vec<u8>,
    /// Whether the connection is to be closed once all has been written.
    pub close: bool,
    /// What becomes of what happens behind the event that was just told.
    pub flow: Flow,
    /// Whether the connection begins anew, as another member: it turned out to speak another dialect than was thought. The
    /// member that it was leaves.
    pub begins_anew: bool,
}

/// What becomes of the events of rooms that a connection is to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flow {
    /// What became of them before.
    #[default]
    Unchanged,
    /// Those behind the event that was just told wait; words are shown.
    Wait,
    /// All are shown.
    GoOn,
    /// Those that wait never are: the connection is closed, and what they belong behind has not been told.
    Withhold,
}

/// Messages that a reader's cursor jumped over, because it lagged by more than the bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// Where.
    pub place: SkippedPlace,
    /// How many messages it would have been shown.
    pub messages: u64,
    /// The sequence of the first kept fact that was jumped over.
    pub from: Sequence,
    /// The sequence of the last.
    pub to: Sequence,
}

/// Where something was skipped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SkippedPlace {
    /// In a room.
    Room(RoomNumber),
    /// Among the direct messages.
    Inbox,
}

/// What an author's own cursor does with an entry that all others are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Own {
    /// Passes it: the author sees its own typing.
    StepOver,
    /// Shows it like anybody's.
    Show,
    /// Waits until the fact is durable, then shows these bytes in its place; later, if waiting would cost the author what
    /// others say.
    Hold(Vec<u8>),
}

/// The dialect state of one connection. Plain data: no closures, no handles, no clock.
pub trait Session: Sized {
    /// Names one way of writing events. Holds only what changes the bytes.
    type Rendition: Copy + Ord + std::fmt::Debug;

    /// A connection that has just been accepted.
    fn new(setup: &Setup, arrival: &Arrival) -> Self;

    /// How this session's feeds are written.
    fn rendition(&self) -> Self::Rendition;

    /// Bytes have arrived, cut anywhere. Called only while [`Session::wants_input`].
    fn received(&mut self, now: Time, setup: &Setup, bytes: &[u8], output: &mut Output);

    /// Whether more bytes should be read. Not while a command is under way whose answer changes what the next line means:
    /// the bytes that are here already wait in the session.
    fn wants_input(&self) -> bool;

    /// The peer will send nothing more, but may still read.
    fn ended(&mut self, now: Time, setup: &Setup, output: &mut Output);

    /// When [`Session::tick`] is next to be called; asked again after every other call.
    fn deadline(&self) -> Option<Time>;

    /// The deadline has come.
    fn tick(&mut self, now: Time, setup: &Setup, output: &mut Output);

    /// An event for this member alone.
    fn told(&mut self, now: Time, setup: &Setup, told: &Told, output: &mut Output);

    /// The cursor has jumped: say so, and ask for a fresh picture of the room.
    fn skipped(&mut self, skipped: &Skipped, output: &mut Output);

    /// All private words have been taken: time for the next page of a long answer.
    fn drained(&mut self, output: &mut Output);

    /// The server is about to stop: what has been sent by now is worked on, however much it was.
    fn last_call(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        let _ = (now, setup, output);
    }

    /// The server stops: last words.
    fn shutdown(&mut self, output: &mut Output);

    /// What this member's own cursor does with an event whose author it is.
    fn own(&mut self, me: MemberId, told: &Told) -> Own;

    /// Writes an event, for everybody who reads this rendition. Writes nothing if the rendition does not show it.
    fn render(rendition: Self::Rendition, setup: &Setup, told: &Told, bytes: &mut Vec<u8>);

    /// Whether what goes out passes through [`Session::filter`]; the answer never changes back to no.
    fn filters(&self) -> bool {
        false
    }

    /// Whether the filter has something to write even if nothing is taken from the feeds.
    fn filter_is_due(&self) -> bool {
        false
    }

    /// Puts what was taken from the feeds into `bytes`, with what belongs before, into and behind it. The slices may be
    /// cut anywhere; there may be none.
    fn filter(&mut self, taken: &[&[u8]], bytes: &mut Vec<u8>) {
        for slice in taken {
            bytes.extend_from_slice(slice);
        }
    }
}
