//! What stands beside the timeline: rooms on its left, members on its right.
//!
//! Where it stands: beside the timeline, where the layout has room for them.
//!
//! What this file must never do: draw more than there are rows for; how much more there is it says.

use super::canvas::{Canvas, behind, nth_row};
use super::room_name;
use crate::layout::{Regions, members_words, window};
use crate::model::{Member, Model, Presence, Room};
use crate::theme::Ink;
use ratatui::layout::Rect;

/// Alt and a digit go to so many rooms.
const NUMBERED_ROOMS: usize = 9;

pub(super) fn draw_rooms(model: &Model, regions: &Regions, canvas: &mut Canvas<'_>) {
    let Some(area) = regions.rooms else { return };
    let seen = window(model.rooms().len(), model.current(), area.height.into());
    for (row, nth) in seen.clone().enumerate() {
        let row = nth_row(area, row);
        draw_room(&model.rooms()[nth], nth, row, canvas);
        if nth == model.current() {
            canvas.restyle(row, Ink::Chosen);
        }
    }
    canvas.vertical_line(area.right(), area.top()..area.bottom());
}

fn draw_room(room: &Room, nth: usize, row: Rect, canvas: &mut Canvas<'_>) {
    let number = if nth < NUMBERED_ROOMS { format!("{:>2} ", nth + 1) } else { "   ".into() };
    let columns = canvas.ink(row, &number, Ink::Quiet);
    let rest = behind(row, columns);
    let rest = Rect { width: rest.width.saturating_sub(1), ..rest };
    let rest = if room.mentions > 0 {
        canvas.ink_at_end(rest, &format!("@{}", count(room.mentions)), Ink::Attention)
    } else if room.unread > 0 {
        canvas.ink_at_end(rest, &count(room.unread), Ink::Strong)
    } else {
        rest
    };
    let ink = match room.presence {
        Presence::Entering | Presence::Gone => Ink::Quiet,
        Presence::Here if room.unread > 0 => Ink::Strong,
        Presence::Here => Ink::Plain,
    };
    canvas.ink(rest, &room_name(room), ink);
}

fn count(count: u32) -> String {
    if count > 999 { "999+".into() } else { count.to_string() }
}

pub(super) fn draw_members(model: &Model, regions: &Regions, canvas: &mut Canvas<'_>) {
    let (Some(area), Some(room)) = (regions.members, model.room()) else { return };
    let Some(line) = area.x.checked_sub(1) else { return };
    canvas.vertical_line(line, area.top()..area.bottom());
    canvas.ink(nth_row(area, 0), &members_words(room), Ink::Quiet);
    let list = behind_first(area);
    draw_member_list(room, 0, list, canvas);
}

/// The members from one of them on, a row each; the last row says how many more there are.
pub(super) fn draw_member_list(room: &Room, first: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let rows = usize::from(area.height);
    let count = room.members.count();
    let known = room.members.iter().count();
    let fits = count - first.min(count) <= rows;
    let shown = if fits { rows } else { rows.saturating_sub(1) };
    for (row, member) in room.members.iter().skip(first).take(shown).enumerate() {
        draw_member(member, nth_row(area, row), canvas);
    }
    let left = count.saturating_sub(first + shown.min(known.saturating_sub(first)));
    if !fits || left > 0 {
        let row = nth_row(area, shown.min(known.saturating_sub(first)));
        canvas.ink(row, &format!("and {left} more"), Ink::Quiet);
    }
}

fn draw_member(member: &Member, row: Rect, canvas: &mut Canvas<'_>) {
    if member.away.is_none() {
        let style = canvas.theme().nick(&member.nick);
        canvas.text(row, &member.nick, style);
        return;
    }
    let rest = canvas.ink_at_end(row, "away", Ink::Quiet);
    canvas.ink(rest, &member.nick, Ink::Quiet);
}

/// An area without its first row.
pub(super) fn behind_first(area: Rect) -> Rect {
    let head_rows = area.height.min(1);
    Rect { y: area.y + head_rows, height: area.height - head_rows, ..area }
}
