//! Plain text: people at netcat, and scripts that write lines.
//!
//! Where it stands: a line typed becomes a command of the hub; an event becomes a line. A line of the server begins with
//! `-- ` or `[nick] `, and nothing that a member writes does: it stands behind `<nick> ` or `* nick `.
//!
//! What this dialect must never do: besides what the whole crate must not, echo what was typed to anybody but a
//! telnet that asks for it, or take a line of another protocol for something said.

// In the order in which a line meets them.
mod style;

mod input;
mod session;
mod telnet;
mod terminal;

mod editor;

mod commands;
mod handlers;
mod questions;

mod render;
mod words;

mod past;

mod calendar;

pub use calendar::moment;
pub use commands::{Concerns, Needs, Typed, Typing, VerbHelp, similar, split_word, typed, verbs};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use editor::fuzzing::play as play_editor;
pub use editor::{Asked, Completed, Completion, CompletionKind, Editor};
pub use past::{write_found, write_past};
pub use questions::{Extent, HistoryAsked, NotUnderstood, SearchAsked};
pub use questions::{history as read_history, search as read_search};
pub use session::{APPEAR_MS, LINGER_MS, PlainSession, SILENCE_MS, SUSPECT_MS};
pub use style::Style;
