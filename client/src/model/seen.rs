//! What the model has to know of the layout: what is seen, and where a key leads on the screen.
//!
//! Where it stands: the only file of the model that asks the layout anything.
//!
//! What this file must never do: change the model.

use super::{Model, Scroll};
use crate::layout::{self, Regions, Sheet, Vertical};
use dialect::editing::Line;
use std::ops::Range;

/// What is missing so close to what is seen is fetched.
pub(super) const NEAR_ITEMS: usize = 50;

/// Which items of the timeline are seen, by their indexes.
pub(super) fn range(model: &Model) -> Option<Range<usize>> {
    Sheet::of(model).map(|sheet| sheet.visible().items)
}

/// How many columns a row of the draft has.
pub(super) fn input_columns(model: &Model) -> usize {
    Regions::of(model).draft_columns()
}

/// Where the cursor goes in the row above (negative) or below, by bytes.
pub(super) fn moved_vertically(line: &Line, columns: usize, rows: isize) -> Option<usize> {
    let direction = if rows < 0 { Vertical::Up } else { Vertical::Down };
    layout::moved_vertically(line, columns, direction)
}

/// How many rows of the timeline are seen.
pub(super) fn timeline_rows(model: &Model) -> usize {
    Regions::of(model).timeline.height.into()
}

/// What is seen after scrolling by so many rows; up is negative.
pub(super) fn scrolled(model: &Model, rows: isize) -> Option<Scroll> {
    Sheet::of(model).map(|sheet| sheet.scrolled(rows))
}

/// Which room stands there in the list of rooms.
pub(super) fn room_at(model: &Model, column: u16, row: u16) -> Option<usize> {
    layout::room_at(model, column, row)
}

/// How far one can scroll in what lies over the room.
pub(super) fn overlay_scroll_max(model: &Model) -> usize {
    layout::overlay_scroll_max(model)
}

/// Where links stand in a line, by bytes.
pub(super) fn links(line: &str) -> Vec<Range<usize>> {
    layout::links(line)
}

/// What is seen of a room if this item is in the middle.
pub(super) fn centred(model: &Model, room: usize, item: u32) -> Scroll {
    model.rooms.get(room).map_or(Scroll::End, |room| Sheet::of_room(model, room).scroll_to(item))
}

/// What is seen of a room if what is new begins at the top; the end, if all of it can be seen.
pub(super) fn from_the_marker(model: &Model, room: usize) -> Scroll {
    model.rooms.get(room).map_or(Scroll::End, |room| Sheet::of_room(model, room).from_the_marker())
}
