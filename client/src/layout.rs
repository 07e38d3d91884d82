//! Where everything stands on the screen: regions, and what happened broken into rows.
//!
//! Where it stands: between the model and the view, which gives the rows their colours; the model asks it how far a key
//! scrolls, and where the cursor goes in a draft of several rows.
//!
//! What this module must never do: know a colour, look at more of a timeline than what is seen of it, or let what somebody writes
//! stand where only we write: times, names, rules and marks are in columns of their own.

mod breaking;
mod input;
mod links;
mod lists;
mod regions;
mod rows;
mod sheet;
#[cfg(test)]
mod tests;

pub(crate) use breaking::{columns_of, cut, tidy, wrapped};
pub(crate) use input::{PROMPT_COLUMNS, Vertical, input_rows, moved_vertically};
pub(crate) use lists::{
    help_rows, overlay_list, overlay_rows, overlay_scroll_max, room_at, scrolled_window, window,
};
pub(crate) use regions::Regions;
pub(crate) use regions::members_words;
pub(crate) use rows::{Part, Role};
pub(crate) use rows::{short_day, time_text};
pub(crate) use sheet::Sheet;
