//! Editing a line, or a text of many lines, as people know it from readline: what a key does to a text, without the key and
//! without the screen.
//!
//! Where it stands: below the line editor that telnets get (`plain::Editor`), and below any client that has a screen of its
//! own. Keys are read above it, rows are made above it.
//!
//! All is counted in grapheme clusters (UAX #29) and columns, never in bytes or code points.
//!
//! What this module must never do: I/O, know a key or a control sequence, grow without a bound, or hold a character that a
//! terminal must not be sent.

// Each is built of those above it.
pub mod width;

mod clusters;

mod undo;

mod line;

mod history;

pub use clusters::{Clusters, GRAPHEME_CHARACTERS_MAX, Place};
pub use history::{HISTORY_BYTES_MAX, HISTORY_LINES_MAX, History};
pub use line::{Effect, Line, Lines, Motion};
pub use undo::{UNDO_BYTES_MAX, UNDO_STEPS_MAX};

#[cfg(test)]
mod tests;
