//! The line between what was said and what is typed: how we are doing. And the note below it.
//!
//! Where it stands: between the timeline and the input.
//!
//! What this file must never do: say how the connection is doing by a colour or a sign alone.

use super::canvas::{Canvas, behind, nth_row};
use crate::layout::{Regions, Sheet, wrapped};
use crate::link::State;
use crate::model::{Model, Place, Scroll, Weight};
use crate::theme::Ink;
use ratatui::layout::Rect;
use std::time::Duration;

/// With fewer columns there is no room for the key that connects at once.
const KEY_FROM: u16 = 60;

pub(super) fn draw_status(model: &Model, regions: &Regions, canvas: &mut Canvas<'_>) {
    let row = regions.status;
    canvas.horizontal_line(row);
    draw_joints(regions, canvas);
    let mut rest = behind(row, 1);
    let scroll = scroll_words(model);
    if !scroll.is_empty() {
        rest = canvas.ink_at_end(
            Rect { width: rest.width.saturating_sub(1), ..rest },
            &format!(" {scroll} "),
            Ink::Hint,
        );
    }
    let (sign, words, ink) = connection(model);
    let columns = canvas.ink(rest, &format!(" {sign}"), ink);
    rest = behind(rest, columns);
    let columns = canvas.ink(rest, &format!(" {words} "), Ink::Plain);
    rest = behind(rest, columns);
    for (words, ink) in besides(model) {
        rest = behind(rest, 1);
        let columns = canvas.ink(rest, &format!(" {words} "), ink);
        rest = behind(rest, columns);
    }
}

/// Where the lines beside the timeline end.
fn draw_joints(regions: &Regions, canvas: &mut Canvas<'_>) {
    let joint = |column: u16| Rect { x: column, width: 1, ..regions.status };
    if let Some(rooms) = regions.rooms {
        canvas.ink(joint(rooms.right()), "┴", Ink::Quiet);
    }
    if let Some(members) = regions.members {
        canvas.ink(joint(members.x - 1), "┴", Ink::Quiet);
    }
}

/// A sign, words, and how both look.
fn connection(model: &Model) -> (&'static str, String, Ink) {
    let server = &model.options().server;
    match model.state() {
        State::Online => {
            let nick = model.nick().map_or("", |nick| nick);
            let latency = model.latency().map(|latency| format!("  {}", latency_words(latency)));
            ("●", format!("{nick}{}", latency.unwrap_or_default()), Ink::Good)
        }
        State::Resting => ("○", format!("not connected to {server}"), Ink::Waiting),
        State::Connecting => ("◌", format!("connecting to {server}"), Ink::Waiting),
        State::Greeting => ("◌", format!("greeting {server}"), Ink::Waiting),
        State::Waiting { until, why } => {
            let left = until.saturating_sub(model.now());
            let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            let key = if model.size().columns < KEY_FROM { "" } else { " (Enter: now)" };
            ("○", format!("offline, again in {seconds} s{key}: {why}"), Ink::Waiting)
        }
        State::Over(end) => ("○", format!("offline: {end}"), Ink::Problem),
    }
}

/// `0.4 ms`, `42 ms`, `1.2 s`.
fn latency_words(latency: Duration) -> String {
    let ms = latency.as_secs_f64() * 1000.0;
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

/// What else there is to know, most important first.
fn besides(model: &Model) -> Vec<(String, Ink)> {
    let mut words = Vec::new();
    if let Some(trouble) = model.trouble() {
        words.push((format!("the server cannot write anything down: {trouble}"), Ink::Problem));
    }
    if model.draft().editing.is_some() {
        words.push(("changing a message; Esc leaves it".into(), Ink::Hint));
    }
    let pending = model.on_their_way();
    if pending > 0 {
        words.push((format!("… {pending} on the way"), Ink::Waiting));
    }
    words
}

/// Where one is in a timeline, if that is not its end.
fn scroll_words(model: &Model) -> String {
    let Some(room) = model.room().filter(|room| room.scroll != Scroll::End) else { return String::new() };
    let below = Sheet::of(model).map_or(0, |sheet| sheet.below());
    let new = if room.unread > 0 && matches!(room.place, Place::Room(_)) {
        format!(", {} new", room.unread)
    } else {
        String::new()
    };
    match below {
        0 => format!("↓ more below{new}, Esc goes there"),
        below => format!("↓ {below} below{new}, Esc goes there"),
    }
}

pub(super) fn draw_note(model: &Model, regions: &Regions, canvas: &mut Canvas<'_>) {
    let (Some(area), Some(note)) = (regions.note, model.note()) else { return };
    let (sign, ink) = match note.weight {
        Weight::Hint => ("· ", Ink::Hint),
        Weight::Problem => ("! ", Ink::Problem),
    };
    let columns = canvas.ink(nth_row(area, 0), sign, ink);
    let lines = wrapped(&note.text, area.width.saturating_sub(columns).into());
    let last = usize::from(area.height).saturating_sub(1);
    for (nth, (line, _)) in lines.iter().enumerate().take(last) {
        canvas.ink(behind(nth_row(area, nth), columns), line, ink);
    }
    // The last row cuts what has no room.
    let rest: Vec<&str> = lines.iter().skip(last).map(|(line, _)| line.as_str()).collect();
    canvas.ink(behind(nth_row(area, last), columns), &rest.join(" "), ink);
}
