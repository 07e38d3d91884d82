//! The client as plain data, and how it changes: `update(model, input) → effects`.
//!
//! Where it stands: between the link and the terminal. Inputs are keys, bytes from the server and time; effects are what the
//! loop around it does: bytes to send, a bell, a line to print. The view is a function of the model, so screens are tests.
//!
//! What this module must never do: I/O, ask a clock, or know how a terminal is told something.

mod item;
mod members;
mod overlay;
mod room;
mod timeline;

pub use item::{Hole, Item, Manner, Relation, Said, What, Why};
pub use members::{Member, Members};
pub use overlay::{Choice, Finding, Overlay, SearchProgress, SearchView};
pub use room::{Draft, Pending, Place, Presence, Room, Scroll};
pub use timeline::Timeline;

use crate::keys::KeyPress;
use crate::link::{Link, State};
use crate::wire::Shown;
use hub::Time;
use jiff::tz::TimeZone;
use std::time::Duration;

/// What a person has chosen; it does not change while the client runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// How times are written, as `strftime` has it.
    pub time_format: String,
    /// Where the reader's clock is.
    pub zone: TimeZone,
    /// Words besides one's nick that make a message one's business.
    pub highlights: Vec<String>,
    /// How many items of a room are held in memory.
    pub items_max: usize,
    /// When members are shown beside the timeline.
    pub members: MembersShown,
    /// What the server is called on the screen.
    pub server: String,
}

/// When members are shown beside the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MembersShown {
    /// Where there is enough room.
    #[default]
    Auto,
    /// Also where it is narrow.
    Always,
    /// Not before they are asked for.
    Never,
}

/// Columns and rows of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Something that the person should see and need not act on: one line above the input, for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What it says.
    pub text: String,
    /// Whether something did not work.
    pub weight: Weight,
}

/// How much a note matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// Good to know.
    Hint,
    /// Something did not work.
    Problem,
}

/// Whether somebody looks at this terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    /// As far as we know.
    Here,
    /// The terminal has said that they look at another.
    Elsewhere,
}

/// The client.
pub struct Model {
    options: Options,
    link: Link,
    rooms: Vec<Room>,
    current: usize,
    overlay: Option<Overlay>,
    note: Option<Note>,
    size: Size,
    focus: Focus,
    time: Time,
    now: Duration,
}

impl Model {
    /// What a person has chosen.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How the connection is doing.
    pub fn state(&self) -> &State {
        self.link.state()
    }

    /// How long the server took to answer the last time that it was asked.
    pub fn latency(&self) -> Option<Duration> {
        self.link.latency()
    }

    /// What we are called.
    pub fn nick(&self) -> Option<&Shown> {
        self.link.nick()
    }

    /// All that are open, in the order in which they are shown. There may be none.
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// Which of them is seen.
    pub fn current(&self) -> usize {
        self.current
    }

    /// The one that is seen.
    pub fn room(&self) -> Option<&Room> {
        self.rooms.get(self.current)
    }

    /// What lies over the timeline.
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// The line above the input.
    pub fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// Columns and rows of the terminal.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What time it is.
    pub fn time(&self) -> Time {
        self.time
    }

    /// The same, for what is measured.
    pub fn now(&self) -> Duration {
        self.now
    }
}

#[allow(unused)]
fn later(_: KeyPress, _: Focus) {}
