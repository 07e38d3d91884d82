//! The middle of the screen: the title of the room, and what happened in it.
//!
//! Where it stands: the middle of the screen, unless something lies over the room.
//!
//! What this file must never do: leave an empty screen without a word about what to do.

use super::canvas::{Canvas, behind, nth_row};
use super::{room_name, unread_words};
use crate::layout::{Regions, Sheet, members_words, wrapped};
use crate::link::State;
use crate::model::{Model, Place, Presence, Room};
use crate::theme::Ink;
use ratatui::layout::Rect;

/// From so many columns on the title says how many are here, where they do not stand beside it.
const COUNT_FROM: u16 = 50;

/// What the room is called and what it is about; where rooms are not listed, what is unread in others.
pub(super) fn draw_title(model: &Model, regions: &Regions, canvas: &mut Canvas<'_>) {
    let Some(room) = model.room() else { return };
    let mut row = indented(regions.title);
    if regions.rooms.is_none() {
        let others = model.rooms().iter().enumerate().filter(|(nth, _)| *nth != model.current());
        let unread = unread_words(others.map(|(_, room)| room));
        row = canvas.ink_at_end(row, &unread, Ink::Attention);
    }
    let is_room = matches!(room.place, Place::Room(_));
    if regions.members.is_none() && is_room && row.width >= COUNT_FROM {
        row = canvas.ink_at_end(row, &members_words(room), Ink::Quiet);
    }
    let columns = canvas.ink(row, &room_name(room), Ink::Strong);
    canvas.ink(behind(row, columns + 2), &about(room), Ink::Quiet);
}

fn about(room: &Room) -> String {
    match (room.presence, &room.topic, &room.place) {
        (Presence::Gone, _, Place::Room(name)) => format!("you are out; /join {name} enters"),
        (Presence::Entering, None, _) => "entering".into(),
        (_, Some(topic), _) => topic.text.to_string(),
        (_, None, Place::Direct { .. }) => "between the two of you".into(),
        (_, None, Place::Room(_)) => String::new(),
    }
}

pub(super) fn draw(model: &Model, regions: &Regions, canvas: &mut Canvas<'_>) {
    let area = regions.timeline;
    let rows = Sheet::of(model).map(|sheet| sheet.visible().rows).unwrap_or_default();
    if rows.is_empty() {
        return draw_words(&nothing_words(model), area, canvas);
    }
    // What is little stands at the lower end, where one types.
    let first = usize::from(area.height).saturating_sub(rows.len());
    for (nth, row) in rows.iter().enumerate() {
        let place = nth_row(area, first + nth);
        canvas.parts(place, &row.parts);
        if row.is_marked {
            let width = u16::try_from(row.gutter_columns).unwrap_or(u16::MAX).min(place.width);
            canvas.restyle(Rect { width, ..place }, Ink::Chosen);
        }
    }
}

/// What is said where there is nothing to be seen.
fn nothing_words(model: &Model) -> String {
    let Some(room) = model.room() else { return no_room_words(model) };
    match (room.presence, &room.place) {
        (Presence::Entering, _) => format!("entering {}", room_name(room)),
        (Presence::Gone, _) => "nothing of this room is here any more".into(),
        (Presence::Here, Place::Room(_)) => {
            "nothing has been said here yet; what you type and send with Enter is the first".into()
        }
        (Presence::Here, Place::Direct { with, .. }) => {
            format!("nothing has been said between you and {with} yet; nobody else reads what you type here")
        }
    }
}

fn no_room_words(model: &Model) -> String {
    match model.state() {
        State::Online => "no room is open; /join ROOM enters one, and /rooms lists what there is".into(),
        State::Over(end) => end.to_string(),
        State::Waiting { why, .. } => why.to_string(),
        State::Resting | State::Connecting | State::Greeting => {
            format!("on the way to {}", model.options().server)
        }
    }
}

/// Words in the middle of an area.
pub(super) fn draw_words(words: &str, area: Rect, canvas: &mut Canvas<'_>) {
    let columns = usize::from(area.width).saturating_sub(4).min(60);
    let rows = wrapped(words, columns);
    let first = usize::from(area.height).saturating_sub(rows.len()) / 2;
    for (nth, (text, wide)) in rows.iter().enumerate() {
        let left = (usize::from(area.width).saturating_sub(*wide) / 2) as u16;
        canvas.ink(behind(nth_row(area, first + nth), left), text, Ink::Quiet);
    }
}

/// A row without its first column, which is free in the timeline, too.
pub(super) fn indented(row: Rect) -> Rect {
    behind(row, 1)
}
