//! What the model has to know of the layout.
use super::{Model, Scroll};
use dialect::editing::Line;
use std::ops::Range;

pub(super) const NEAR_ITEMS: usize = 50;
pub(super) fn range(model: &Model) -> Option<Range<usize>> {
    let count = model.room()?.timeline.items().len();
    Some(count.saturating_sub(20)..count)
}
pub(super) fn input_columns(model: &Model) -> usize {
    usize::from(model.size.columns) - 2
}
pub(super) fn moved_vertically(_: &Line, _: usize, _: isize) -> Option<usize> {
    None
}
pub(super) fn timeline_rows(model: &Model) -> usize {
    usize::from(model.size.rows)
}
pub(super) fn scrolled(_: &Model, _: isize) -> Option<Scroll> {
    None
}
pub(super) fn room_at(_: &Model, _: u16, _: u16) -> Option<usize> {
    None
}
pub(super) fn overlay_scroll_max(_: &Model) -> usize {
    100
}
pub(super) fn links(_: &str) -> Vec<Range<usize>> {
    Vec::new()
}
pub(super) fn centred(_: &Model, _: usize, item: u32) -> Scroll {
    Scroll::At { item, row: 0 }
}
pub(super) fn from_the_marker(_: &Model, _: usize) -> Scroll {
    Scroll::End
}
