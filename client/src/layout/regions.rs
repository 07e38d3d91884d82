//! Which part of the screen is for what.
//!
//! Where it stands: between the model, which knows how large the screen is, and all that is drawn or scrolled.
//!
//! What this file must never do: give two regions the same cell, or any a cell beyond the screen.

use super::breaking::{columns_of, tidy, wrapped};
use super::input::{PROMPT_COLUMNS, input_rows};
use crate::model::{MembersShown, Model, Place, Presence, Room};
use ratatui::layout::Rect;

/// From so many columns on rooms are listed beside the timeline.
const ROOMS_FROM: u16 = 60;
/// How wide the list of rooms is, by the names in it, where there is little room.
const ROOMS_COLUMNS: std::ops::RangeInclusive<u16> = 14..=22;
/// Where there is more, it is a fifth of it at most, and never wider than this.
const ROOMS_COLUMNS_MAX: u16 = 40;
/// What stands in the list besides a name: its number and a blank, a blank and what is unread, and one more blank.
const ROOMS_EXTRA: usize = 9;
/// From so many columns on members are listed, too.
const MEMBERS_FROM: u16 = 100;
/// The same if they are wanted even where it is narrow.
const MEMBERS_ALWAYS_FROM: u16 = 44;
/// How wide the list of members is, by the names in it.
const MEMBERS_COLUMNS: std::ops::RangeInclusive<u16> = 14..=24;
/// So many names are looked at to say how wide the list is.
const MEMBERS_MEASURED_MAX: usize = 100;
/// From so many rows on a note may have several.
const LONG_NOTES_FROM: u16 = 12;
/// So many at most; the rest is cut.
const NOTE_ROWS_MAX: usize = 3;
/// A draft has at most so many rows.
const INPUT_ROWS_MAX: u16 = 10;

/// The parts of the screen. Where there is no room for one it has no columns or rows. Between the timeline and what stands
/// beside it one column is left for a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Regions {
    /// The rooms that are open.
    pub rooms: Option<Rect>,
    /// What the room is called and what it is about: one row.
    pub title: Rect,
    /// What happened.
    pub timeline: Rect,
    /// Who is here.
    pub members: Option<Rect>,
    /// How we are doing: one row.
    pub status: Rect,
    /// What we should know: one row, or few.
    pub note: Option<Rect>,
    /// What is being typed.
    pub input: Rect,
}

impl Regions {
    /// The parts of the screen that the model has.
    pub(crate) fn of(model: &Model) -> Regions {
        let size = model.size();
        let mut rest = Rect::new(0, 0, size.columns, size.rows);
        let draft = model.draft();
        let draft_columns = usize::from(size.columns.saturating_sub(PROMPT_COLUMNS));
        let draft_rows = input_rows(&draft.line, draft_columns).rows.len();
        let input_rows_max = (size.rows / 3).clamp(1, INPUT_ROWS_MAX);
        let input = cut_from_bottom(
            &mut rest,
            u16::try_from(draft_rows).map_or(input_rows_max, |rows| rows.min(input_rows_max)),
        );
        let (status, note) = status_and_note(&mut rest, note_rows(model));
        let rooms = rooms_columns(model).map(|columns| cut_from_left(&mut rest, columns));
        let members = members_columns(model).map(|columns| cut_from_right(&mut rest, columns));
        let title_rows = u16::from(rest.height > 1);
        let title = Rect { height: title_rows, ..rest };
        let timeline = Rect { y: rest.y + title_rows, height: rest.height - title_rows, ..rest };
        Regions { rooms, title, timeline, members, status, note, input }
    }

    /// How many columns a row of the draft has.
    pub(crate) fn draft_columns(&self) -> usize {
        self.input.width.saturating_sub(PROMPT_COLUMNS).into()
    }

    /// Title and timeline together: where overlays lie.
    pub(crate) fn middle(&self) -> Rect {
        self.title.union(self.timeline)
    }
}

/// A note has as many rows as its words take, up to a bound, where there are rows enough.
fn note_rows(model: &Model) -> u16 {
    let size = model.size();
    let Some(note) = model.note() else { return 0 };
    if size.rows < LONG_NOTES_FROM {
        return 1;
    }
    let columns = usize::from(size.columns.saturating_sub(PROMPT_COLUMNS));
    wrapped(&note.text, columns).len().min(NOTE_ROWS_MAX) as u16
}

/// Where there is no room for both, a note stands in the place of the status.
fn status_and_note(rest: &mut Rect, note_rows: u16) -> (Rect, Option<Rect>) {
    let rows_free = rest.height.saturating_sub(1);
    if note_rows > 0 && rows_free == 1 {
        let note = cut_from_bottom(rest, 1);
        return (Rect { y: note.bottom(), height: 0, ..note }, Some(note));
    }
    let note = (note_rows > 0 && rows_free > note_rows).then(|| cut_from_bottom(rest, note_rows));
    let status = cut_from_bottom(rest, rows_free.min(1));
    (status, note)
}

fn cut_from_bottom(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    rest.height -= rows;
    Rect { y: rest.bottom(), height: rows, ..*rest }
}

fn cut_from_left(rest: &mut Rect, columns: u16) -> Rect {
    let cut = Rect { width: columns, ..*rest };
    rest.x += columns + 1;
    rest.width -= columns + 1;
    cut
}

fn cut_from_right(rest: &mut Rect, columns: u16) -> Rect {
    rest.width -= columns + 1;
    Rect { x: rest.right() + 1, width: columns, ..*rest }
}

fn rooms_columns(model: &Model) -> Option<u16> {
    if model.size().columns < ROOMS_FROM || model.rooms().is_empty() {
        return None;
    }
    // A conversation has a sign in front of the nick.
    let names = model.rooms().iter().map(|room| match room.place {
        Place::Room(_) => room.title(),
        Place::Direct { .. } => format!("@{}", room.title()),
    });
    let (narrowest, widest) = ROOMS_COLUMNS.into_inner();
    let widest = (model.size().columns / 5).clamp(widest, ROOMS_COLUMNS_MAX);
    Some(columns_for(names, ROOMS_EXTRA, &(narrowest..=widest)))
}

fn members_columns(model: &Model) -> Option<u16> {
    let columns_min = match model.options().members {
        MembersShown::Auto => MEMBERS_FROM,
        MembersShown::Always => MEMBERS_ALWAYS_FROM,
        MembersShown::Never => return None,
    };
    let room = model.room().filter(|room| has_members(room))?;
    let beside = rooms_columns(model).unwrap_or(0);
    if model.size().columns < columns_min || model.size().columns - beside < MEMBERS_ALWAYS_FROM {
        return None;
    }
    let names = room.members.iter().take(MEMBERS_MEASURED_MAX).map(|member| member.nick.to_string());
    Some(columns_for(names.chain([members_words(room)]), 0, &MEMBERS_COLUMNS))
}

/// How many are in a room: `12 here, 3 listening`. Whoever is not in it is not told.
pub(crate) fn members_words(room: &Room) -> String {
    let here = room.members.count();
    if room.presence != Presence::Here {
        return String::new();
    }
    match room.members.listening {
        0 => format!("{here} here"),
        listening => format!("{here} here, {listening} listening"),
    }
}

/// Conversations have the two that have them.
fn has_members(room: &Room) -> bool {
    matches!(room.place, Place::Room(_))
}

fn columns_for(
    names: impl Iterator<Item = String>,
    extra: usize,
    bounds: &std::ops::RangeInclusive<u16>,
) -> u16 {
    let widest = names.map(|name| columns_of(&tidy(&name)) + extra).max().unwrap_or(0);
    u16::try_from(widest).unwrap_or(u16::MAX).clamp(*bounds.start(), *bounds.end())
}
