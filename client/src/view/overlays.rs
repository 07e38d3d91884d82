//! What lies over the room for a while: help, lists to choose from, a search.
//!
//! Where it stands: in the place of title and timeline, without a frame; what stands beside them goes on.
//!
//! What this file must never do: show a list that is empty without saying why, and what would help.

mod finding;

use super::canvas::{Canvas, behind, nth_row};
use super::{is_typed_into, room_name, sides, timeline};
use crate::layout::{Regions, columns_of, help_rows, members_words, overlay_list, scrolled_window, window};
use crate::model::{Choice, Model, Overlay, SearchProgress, SearchView};
use crate::theme::Ink;
use crate::wire::{Rest, RoomLine};
use dialect::editing::Line;
use ratatui::layout::{Position, Rect};

/// What is typed has at least so many columns.
const QUERY_COLUMNS: usize = 12;

/// Draws it. Answers with where the cursor stands, if something can be typed there.
pub(super) fn draw(
    overlay: &Overlay,
    model: &Model,
    regions: &Regions,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let head = timeline::indented(nth_row(regions.middle(), 0));
    let list = overlay_list(regions);
    let cursor = draw_head(overlay, model, head, canvas);
    match overlay {
        Overlay::Help { scroll } => draw_help(*scroll, list, canvas),
        Overlay::Switcher(choice) => draw_switcher(choice, model, list, canvas),
        Overlay::Search(search) => draw_findings(search, model, list, canvas),
        Overlay::Rooms(choice) => draw_rooms(choice, list, canvas),
        Overlay::Members { scroll } => draw_members(*scroll, model, list, canvas),
        Overlay::Links(choice) => draw_links(choice, list, canvas),
    }
    cursor.filter(|_| is_typed_into(overlay))
}

/// What it is, or what is typed into it; and which keys there are.
fn draw_head(overlay: &Overlay, model: &Model, head: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
    let members = model.room().map_or_else(String::new, members_words);
    let (title, query, keys) = match overlay {
        Overlay::Help { .. } => ("keys and commands", None, "Up, Down, Esc".to_owned()),
        Overlay::Members { .. } => (members.as_str(), None, "Up, Down, Esc".to_owned()),
        Overlay::Links(_) => ("links", None, "Enter opens, c copies, Esc".to_owned()),
        Overlay::Switcher(choice) => ("go to: ", Some(&choice.query), "Enter, Esc".to_owned()),
        Overlay::Rooms(choice) => ("rooms: ", Some(&choice.query), "Enter enters, Esc".to_owned()),
        Overlay::Search(search) => ("search: ", Some(&search.query), search_keys(search)),
    };
    let mut rest = head;
    // What is typed needs the room more than words about it.
    if usize::from(head.width) >= columns_of(title) + columns_of(&keys) + QUERY_COLUMNS {
        rest = canvas.ink_at_end(head, &keys, Ink::Quiet);
    }
    let columns = canvas.ink(rest, title, Ink::Strong);
    draw_query(query?, behind(rest, columns), canvas)
}

/// One line that is typed, as much of it as there is room for in front of the cursor.
fn draw_query(line: &Line, row: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
    let room = usize::from(row.width).saturating_sub(1);
    let before = line.before_cursor();
    let mut start = 0;
    let mut wide = columns_of(before);
    while wide > room {
        let cluster = dialect::editing::width::graphemes(&before[start..]).next()?;
        wide -= columns_of(cluster);
        start += cluster.len();
    }
    canvas.ink(row, &line.text()[start..], Ink::Plain);
    let x = row.x.checked_add(u16::try_from(wide).ok()?)?;
    Some(Position { x, y: row.y }).filter(|position| row.contains(*position))
}

fn search_keys(search: &SearchView) -> String {
    let count = search.findings.len();
    match search.progress {
        SearchProgress::Typing => "Enter searches, Esc".into(),
        SearchProgress::Asked => "searching".into(),
        SearchProgress::Answered(Rest::Nothing) => format!("{count} found"),
        SearchProgress::Answered(Rest::More) => format!("newest {count} of more"),
        SearchProgress::Answered(Rest::OutOfTime) => format!("{count} found in time"),
    }
}

fn draw_help(scroll: usize, list: Rect, canvas: &mut Canvas<'_>) {
    let rows = help_rows(list);
    let seen = scrolled_window(rows.len(), scroll, list.height.into());
    for (row, nth) in seen.enumerate() {
        canvas.parts(timeline::indented(nth_row(list, row)), &rows[nth].parts);
    }
}

fn draw_switcher(choice: &Choice<usize>, model: &Model, list: Rect, canvas: &mut Canvas<'_>) {
    if choice.entries.is_empty() {
        let words = match choice.query.text() {
            "" => "no room is open; type the name of one".to_owned(),
            name => format!("no room that is open is called so; Enter enters {name}"),
        };
        return timeline::draw_words(&words, list, canvas);
    }
    draw_entries(choice, list, canvas, |nth, row, canvas| {
        let Some(room) = model.rooms().get(*nth) else { return };
        let rest = match (room.mentions, room.unread) {
            (0, 0) => row,
            (0, unread) => canvas.ink_at_end(row, &format!("{unread} unread"), Ink::Quiet),
            (mentions, unread) => {
                canvas.ink_at_end(row, &format!("{unread} unread, {mentions} for you"), Ink::Attention)
            }
        };
        canvas.ink(rest, &room_name(room), Ink::Plain);
    });
}

fn draw_rooms(choice: &Choice<RoomLine>, list: Rect, canvas: &mut Canvas<'_>) {
    if choice.entries.is_empty() {
        let words = "no room is called so; /join ROOM opens one";
        return timeline::draw_words(words, list, canvas);
    }
    let widest = choice.entries.iter().map(|line| columns_of(&line.room) + 1).max().unwrap_or(0);
    let names_columns = u16::try_from(widest).unwrap_or(u16::MAX).min(list.width / 2);
    draw_entries(choice, list, canvas, |line, row, canvas| {
        canvas.ink(
            Rect { width: row.width.min(names_columns), ..row },
            &format!("#{}", line.room),
            Ink::Plain,
        );
        let rest = behind(row, names_columns + 2);
        let columns = canvas.ink(rest, &format!("{:>5}", line.members), Ink::Plain);
        let topic = line.topic.as_ref().map_or("", |topic| topic);
        canvas.ink(behind(rest, columns + 2), topic, Ink::Quiet);
    });
}

fn draw_links(choice: &Choice<String>, list: Rect, canvas: &mut Canvas<'_>) {
    draw_entries(choice, list, canvas, |link, row, canvas| {
        canvas.ink(row, link, Ink::Plain);
    });
}

/// A row for each entry, around the chosen one.
fn draw_entries<T>(
    choice: &Choice<T>,
    list: Rect,
    canvas: &mut Canvas<'_>,
    draw_entry: impl Fn(&T, Rect, &mut Canvas<'_>),
) {
    let seen = window(choice.entries.len(), choice.selected, list.height.into());
    for (row, nth) in seen.enumerate() {
        let row = nth_row(list, row);
        draw_entry(&choice.entries[nth], timeline::indented(row), canvas);
        if nth == choice.selected {
            canvas.restyle(row, Ink::Chosen);
        }
    }
}

fn draw_members(scroll: usize, model: &Model, list: Rect, canvas: &mut Canvas<'_>) {
    let Some(room) = model.room().filter(|room| room.members.count() > 0) else {
        return timeline::draw_words("nobody is here", list, canvas);
    };
    sides::draw_member_list(room, scroll, timeline::indented(list), canvas);
}

fn draw_findings(search: &SearchView, model: &Model, list: Rect, canvas: &mut Canvas<'_>) {
    if search.findings.is_empty() {
        return timeline::draw_words(nothing_found_words(search.progress), list, canvas);
    }
    let entry_rows = finding::rows(list.width);
    let seen = window(search.findings.len(), search.selected, usize::from(list.height) / entry_rows);
    for (entry, nth) in seen.enumerate() {
        let first = nth_row(list, entry * entry_rows);
        let area = Rect { height: entry_rows as u16, ..first };
        finding::draw(&search.findings[nth], search.query.text(), (model, area), canvas);
        if nth == search.selected {
            canvas.restyle(area, Ink::Chosen);
        }
    }
}

fn nothing_found_words(progress: SearchProgress) -> &'static str {
    match progress {
        SearchProgress::Typing => {
            "words that are all in what was said; \"words side by side\", from:ann, in:dev, since:3d and before:2026-11-20 find less"
        }
        SearchProgress::Asked => "searching",
        SearchProgress::Answered(Rest::OutOfTime) => {
            "nothing was found in time; since:3d looks at less, and at the newest"
        }
        SearchProgress::Answered(_) => "nothing was found; fewer words find more",
    }
}
