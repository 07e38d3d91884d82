//! Lists that are longer than the screen: which part of them is seen, and the rows of the help.
//!
//! Where it stands: between the model, which knows what is chosen and how far one has scrolled, and the view.
//!
//! What this file must never do: know a key or a command that is not in its table.

use super::breaking::{Room as RowRoom, broken, columns_of};
use super::regions::Regions;
use super::rows::{Part, Role, Row};
use crate::model::{Model, Overlay, bindings, commands};
use dialect::plain::VerbHelp;
use ratatui::layout::Rect;
use std::ops::Range;

/// What keys and commands take at most, where what they do stands beside them and there is little room; else a third of it.
const NAMES_COLUMNS_NARROW: usize = 22;
/// With fewer columns it stands below them.
const BESIDE_FROM: usize = 56;

/// The part of a list that is seen where there is room for so many entries: around the one that is chosen.
pub(crate) fn window(count: usize, chosen: usize, rows: usize) -> Range<usize> {
    let first = chosen.saturating_sub(rows / 2).min(count.saturating_sub(rows));
    first..(first + rows).min(count)
}

/// The part of a list that is seen if one has scrolled over so many rows.
pub(crate) fn scrolled_window(count: usize, scroll: usize, rows: usize) -> Range<usize> {
    let first = scroll.min(count.saturating_sub(rows));
    first..(first + rows).min(count)
}

/// Where the list in an overlay stands: below its head.
pub(crate) fn overlay_list(regions: &Regions) -> Rect {
    let middle = regions.middle();
    let head_rows = middle.height.min(1);
    Rect { y: middle.y + head_rows, height: middle.height - head_rows, ..middle }
}

/// How far one can scroll in an overlay that has nothing to choose from.
pub(crate) fn overlay_scroll_max(model: &Model) -> usize {
    let list = overlay_list(&Regions::of(model));
    overlay_rows_count(model, list).saturating_sub(list.height.into())
}

/// Which rows of such an overlay are seen, and how many it has.
pub(crate) fn overlay_rows(model: &Model) -> (Range<usize>, usize) {
    let list = overlay_list(&Regions::of(model));
    let count = overlay_rows_count(model, list);
    let scroll = match model.overlay() {
        Some(Overlay::Help { scroll } | Overlay::Members { scroll }) => *scroll,
        _ => 0,
    };
    (scrolled_window(count, scroll, list.height.into()), count)
}

fn overlay_rows_count(model: &Model, list: Rect) -> usize {
    match model.overlay() {
        Some(Overlay::Help { .. }) => help_rows(list).len(),
        Some(Overlay::Members { .. }) => model.room().map_or(0, |room| {
            let known = room.members.iter().count();
            // A row says how many there are besides.
            known + usize::from(room.members.count() > known)
        }),
        _ => 0,
    }
}

/// Which room stands there in the list of rooms.
pub(crate) fn room_at(model: &Model, column: u16, row: u16) -> Option<usize> {
    let rooms = Regions::of(model).rooms?;
    let is_there = rooms.contains((column, row).into());
    let seen = window(model.rooms().len(), model.current(), rooms.height.into());
    let nth = seen.start + usize::from(row.checked_sub(rooms.y)?);
    (is_there && seen.contains(&nth)).then_some(nth)
}

/// All keys and commands, with what they do, for the list of an overlay.
pub(crate) fn help_rows(list: Rect) -> Vec<Row> {
    // The first column of the middle is free.
    let columns = usize::from(list.width).saturating_sub(1);
    let keys = bindings().map(|binding| (binding.keys.join(", "), binding.does));
    let commands = commands().map(|command| (VerbHelp::usage(command), command.help));
    let mut rows = section("keys", keys, columns);
    rows.push(Row::default());
    rows.extend(section("commands", commands, columns));
    rows
}

fn section(heading: &str, entries: impl Iterator<Item = (String, &'static str)>, columns: usize) -> Vec<Row> {
    let entries: Vec<(String, &str)> = entries.collect();
    let widest = entries.iter().map(|(name, _)| columns_of(name)).max().unwrap_or(0);
    let names_columns = widest.min(NAMES_COLUMNS_NARROW.max(columns / 3));
    let mut rows = vec![Row::of(vec![Part::new(heading, Role::Heading)])];
    for (name, does) in entries {
        rows.extend(entry(&name, does, names_columns, columns));
    }
    rows
}

/// Name and meaning beside each other, or below each other where there is little room.
fn entry(name: &str, does: &str, names_columns: usize, columns: usize) -> Vec<Row> {
    let name_part = || Part::new(name, Role::Key);
    let is_beside = columns >= BESIDE_FROM && columns_of(name) <= names_columns;
    let indent = if columns >= BESIDE_FROM { 1 + names_columns + 2 } else { 4 };
    let room = columns.saturating_sub(indent).max(1);
    let meaning = broken(does, RowRoom { first: room, others: room }).into_iter().map(|range| &does[range]);
    let mut rows = Vec::new();
    if !is_beside {
        rows.push(Row::of(vec![Part::blanks(1), name_part()]));
    }
    for (nth, text) in meaning.enumerate() {
        let mut parts = vec![Part::blanks(indent)];
        if is_beside && nth == 0 {
            parts = vec![Part::blanks(1), name_part(), Part::blanks(names_columns + 2 - columns_of(name))];
        }
        parts.push(Part::new(text, Role::Said));
        rows.push(Row::of(parts));
    }
    rows
}
