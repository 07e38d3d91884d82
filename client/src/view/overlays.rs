//! What lies over the room for a while: help, lists to choose from, a search.
//!
//! Where it stands: in the place of title and timeline, without a frame; what stands beside them goes on.
//!
//! What this file must never do: show a list that is empty without saying why, and what would help.

mod finding;

use super::canvas::{Canvas, behind, nth_row};
use super::{room_name, sides, timeline};
use crate::layout::{
    Regions, columns_of, help_rows, members_words, overlay_list, overlay_rows, scrolled_window, window,
};
use crate::model::{
    Candidate, Choice, Member, Model, Overlay, Place, Presence, Room, SearchProgress, SearchView,
};
use crate::theme::Ink;
use crate::wire::{Rest, RoomLine};
use dialect::editing::Line;
use ratatui::layout::{Position, Rect};

/// What is typed has at least so many columns.
const QUERY_COLUMNS: usize = 12;
/// From so many columns on there is room for a title of several words.
const LONG_TITLE_FROM: u16 = 60;

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
        Overlay::Rooms(choice) => draw_rooms(choice, model, list, canvas),
        Overlay::Members { scroll } => draw_members(*scroll, model, list, canvas),
        Overlay::Links(choice) => draw_links(choice, list, canvas),
    }
    cursor
}

/// What it is, or what is typed into it; and which keys there are, as far as there is room for them.
fn draw_head(overlay: &Overlay, model: &Model, head: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
    let (title, keys) = head_words(overlay, model, head.width);
    let query = overlay.query();
    // What is typed needs the room more than words about it.
    let taken = columns_of(&title) + query.map_or(1, |_| QUERY_COLUMNS);
    let fits = |keys: &&String| usize::from(head.width) >= taken + columns_of(keys);
    let rest = match keys.iter().find(fits) {
        Some(keys) => canvas.ink_at_end(head, keys, Ink::Quiet),
        None => head,
    };
    let columns = canvas.ink(rest, &title, Ink::Strong);
    draw_query(query?, behind(rest, columns), canvas)
}

/// What stands in the head: in front, and what of this there is room for at its end.
fn head_words(overlay: &Overlay, model: &Model, columns: u16) -> (String, Vec<String>) {
    let keys = |all: &[&str]| all.iter().map(|&keys| keys.to_owned()).collect();
    match overlay {
        Overlay::Help { .. } => (help_title(columns).into(), scrolled_words(model)),
        Overlay::Members { .. } => {
            (model.room().map_or_else(String::new, members_title), scrolled_words(model))
        }
        Overlay::Links(_) => {
            ("links".into(), keys(&["Enter opens, c copies, Esc closes", "Enter, c copies, Esc"]))
        }
        Overlay::Switcher(_) => ("go to: ".into(), keys(&["Enter goes there, Esc closes", "Enter, Esc"])),
        Overlay::Rooms(_) => ("rooms: ".into(), keys(&["Enter enters, Esc closes", "Enter, Esc"])),
        Overlay::Search(search) => ("search: ".into(), search_words(search)),
    }
}

/// Which part of something long is seen, and the keys that move it.
fn scrolled_words(model: &Model) -> Vec<String> {
    let (seen, count) = overlay_rows(model);
    if seen.len() == count {
        return vec!["Esc closes".into(), "Esc".into()];
    }
    let place = format!("{}-{} of {count}", seen.start + 1, seen.end);
    ["Up, Down, PageUp, PageDown, Esc closes", "PageUp, PageDown, Esc", "Up, Down, Esc"]
        .map(|keys| format!("{place}; {keys}"))
        .into_iter()
        .chain([format!("{place}; Esc"), place.clone()])
        .collect()
}

/// Where it is narrow, the keys need the room more.
fn help_title(columns: u16) -> &'static str {
    if columns >= LONG_TITLE_FROM { "keys and commands" } else { "help" }
}

fn members_title(room: &Room) -> String {
    match &room.place {
        Place::Room(_) => members_words(room),
        Place::Direct { .. } => "the two of you".into(),
    }
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

fn search_words(search: &SearchView) -> Vec<String> {
    let count = search.findings.len();
    let found = match search.progress {
        SearchProgress::Typing => return vec!["Enter searches, Esc closes".into(), "Enter, Esc".into()],
        SearchProgress::Asked => return vec!["searching; Esc closes".into(), "searching".into()],
        SearchProgress::Older | SearchProgress::Answered(Rest::More) => format!("newest {count}"),
        SearchProgress::Answered(Rest::OutOfTime) => format!("{count} found in time"),
        SearchProgress::Answered(Rest::Nothing) => format!("{count} found"),
    };
    match count {
        0 => vec![format!("{found}; Esc closes"), found],
        _ => vec![
            format!("{found}; Enter goes there, Esc closes"),
            format!("{found}; Enter, Esc"),
            "Enter, Esc".into(),
        ],
    }
}

/// How one goes on behind the last that was found, if there may be more.
fn further_words(progress: SearchProgress) -> Option<&'static str> {
    match progress {
        SearchProgress::Answered(Rest::More | Rest::OutOfTime) => Some("Down at the end looks further back"),
        SearchProgress::Older => Some("looking further back"),
        SearchProgress::Typing | SearchProgress::Asked | SearchProgress::Answered(Rest::Nothing) => None,
    }
}

fn draw_help(scroll: usize, list: Rect, canvas: &mut Canvas<'_>) {
    let rows = help_rows(list);
    let seen = scrolled_window(rows.len(), scroll, list.height.into());
    for (row, nth) in seen.enumerate() {
        canvas.parts(timeline::indented(nth_row(list, row)), &rows[nth].parts);
    }
}

fn draw_switcher(choice: &Choice<Candidate<usize>>, model: &Model, list: Rect, canvas: &mut Canvas<'_>) {
    if choice.entries.is_empty() {
        let words = match choice.query.text() {
            "" => "no room is open; type the name of one",
            _ => "nothing that is open is called so",
        };
        return timeline::draw_words(words, list, canvas);
    }
    draw_entries(choice, list, canvas, |candidate, row, canvas| {
        let nth = match candidate {
            Candidate::Known(nth) => *nth,
            Candidate::New(name) => {
                return draw_new(name, "not open here", row, canvas);
            }
        };
        let Some(room) = model.rooms().get(nth) else { return };
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

/// A room that there is not yet, as far as it is known here.
fn draw_new(name: &str, words: &str, row: Rect, canvas: &mut Canvas<'_>) {
    let columns = canvas.ink(row, &format!("+ #{name}"), Ink::Plain);
    canvas.ink_at_end(behind(row, columns + 1), words, Ink::Quiet);
}

fn draw_rooms(choice: &Choice<Candidate<RoomLine>>, model: &Model, list: Rect, canvas: &mut Canvas<'_>) {
    if choice.entries.is_empty() {
        let words = match choice.query.text() {
            _ if model.asks_for_rooms() => "asking which rooms there are",
            "" => "there is no room yet; type a name to open one",
            _ => "no room is called so",
        };
        return timeline::draw_words(words, list, canvas);
    }
    let names = choice.entries.iter().filter_map(|candidate| match candidate {
        Candidate::Known(line) => Some(columns_of(&line.room) + 1),
        Candidate::New(_) => None,
    });
    let names_columns = u16::try_from(names.max().unwrap_or(0)).unwrap_or(u16::MAX).min(list.width / 2);
    draw_entries(choice, list, canvas, |candidate, row, canvas| {
        let line = match candidate {
            Candidate::Known(line) => line,
            Candidate::New(name) => return draw_new(name, "a new room", row, canvas),
        };
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
    let Some(room) = model.room() else {
        return timeline::draw_words("no room is open", list, canvas);
    };
    if let Place::Direct { with, .. } = &room.place {
        return draw_the_two(room, with, model, timeline::indented(list), canvas);
    }
    if room.members.count() == 0 {
        return timeline::draw_words("who is in there is told to those who are in it", list, canvas);
    }
    sides::draw_member_list(room, scroll, timeline::indented(list), canvas);
}

/// The two that have a conversation. Of the other it is known what the rooms that both are in tell of them.
fn draw_the_two(room: &Room, with: &str, model: &Model, list: Rect, canvas: &mut Canvas<'_>) {
    let other = match model.member(with) {
        _ if room.presence == Presence::Gone => "somebody else is called so now".to_owned(),
        Some(Member { away: Some(why), .. }) => format!("away: {why}"),
        Some(Member { away: None, .. }) => "here".to_owned(),
        None => "offline, or not in your rooms".to_owned(),
    };
    let me = model.nick().map_or("", |nick| nick);
    let widest = columns_of(with).max(columns_of(me));
    let columns = u16::try_from(widest).unwrap_or(u16::MAX).min(list.width / 2);
    for (nth, (nick, words)) in [(me, "you"), (with, other.as_str())].into_iter().enumerate() {
        let row = nth_row(list, nth);
        let style = canvas.theme().nick(nick);
        canvas.text(Rect { width: columns.min(row.width), ..row }, nick, style);
        canvas.ink(behind(row, columns + 2), words, Ink::Quiet);
    }
}

fn draw_findings(search: &SearchView, model: &Model, list: Rect, canvas: &mut Canvas<'_>) {
    if search.findings.is_empty() {
        return timeline::draw_words(nothing_found_words(search.progress), list, canvas);
    }
    let (list, foot) = match further_words(search.progress) {
        Some(words) => (Rect { height: list.height.saturating_sub(1), ..list }, words),
        None => (list, ""),
    };
    let entry_rows = finding::rows(list.width);
    let seen = window(search.findings.len(), search.selected, usize::from(list.height) / entry_rows);
    for (entry, nth) in seen.clone().enumerate() {
        let first = nth_row(list, entry * entry_rows);
        let area = Rect { height: entry_rows as u16, ..first };
        finding::draw(&search.findings[nth], search.query.text(), (model, area), canvas);
        if nth == search.selected {
            canvas.restyle(area, Ink::Chosen);
        }
    }
    let drawn = u16::try_from(seen.len() * entry_rows).unwrap_or(list.height).min(list.height);
    let below = Rect { y: list.y + drawn, height: 1, ..list };
    canvas.ink(behind(below, 2), foot, Ink::Quiet);
}

fn nothing_found_words(progress: SearchProgress) -> &'static str {
    match progress {
        SearchProgress::Typing => {
            "words that are all in what was said; \"words side by side\", from:ann, in:dev, since:3d and before:2026-11-20 find less"
        }
        SearchProgress::Asked | SearchProgress::Older => "searching",
        SearchProgress::Answered(Rest::OutOfTime) => {
            "nothing was found in time; since:3d looks at less, and at the newest"
        }
        SearchProgress::Answered(_) => "nothing was found; fewer words find more",
    }
}
