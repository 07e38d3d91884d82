//! The screen: a function of the model.
//!
//! Where it stands: behind the layout, which says what stands where; in front of the terminal, which writes what has changed.
//!
//! What this module must never do: remember anything from one drawing to the next, decide where a row ends, or say anything by a
//! colour alone.

mod canvas;
mod input;
mod overlays;
mod sides;
mod status;
#[cfg(test)]
mod tests;
mod timeline;

use crate::layout::Regions;
use crate::model::{Model, Place, Room};
use crate::terminal::Scene;
use crate::theme::Theme;
use canvas::Canvas;
use ratatui::buffer::Buffer;

/// Draws the model into an empty buffer, which should be as large as the model's screen.
pub(crate) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer) -> Scene {
    let regions = Regions::of(model);
    let mut canvas = Canvas::new(theme, buffer);
    sides::draw_rooms(model, &regions, &mut canvas);
    sides::draw_members(model, &regions, &mut canvas);
    status::draw_status(model, &regions, &mut canvas);
    status::draw_note(model, &regions, &mut canvas);
    let in_input = input::draw(model, &regions, &mut canvas);
    let cursor = if let Some(overlay) = model.overlay() {
        overlays::draw(overlay, model, &regions, &mut canvas)
    } else {
        timeline::draw_title(model, &regions, &mut canvas);
        timeline::draw(model, &regions, &mut canvas);
        in_input
    };
    Scene { cursor, links: canvas.into_links(), title: window_title(model) }
}

/// What one sees of us while one looks at another window: `(@1 +3) #dev - chat.example`.
fn window_title(model: &Model) -> String {
    let unread = unread_words(model.rooms().iter());
    let unread = if unread.is_empty() { String::new() } else { format!("({unread}) ") };
    let room = model.room().map_or_else(String::new, |room| format!("{} - ", room_name(room)));
    format!("{unread}{room}{}", model.options().server)
}

/// `#lobby`, or `@bob` for a conversation with him.
fn room_name(room: &Room) -> String {
    match &room.place {
        Place::Room(_) => room.title(),
        Place::Direct { .. } => format!("@{}", room.title()),
    }
}

/// `+3 @1`: how much is unread, and how much of it names us; nothing if nothing is.
fn unread_words<'a>(rooms: impl Iterator<Item = &'a Room>) -> String {
    let (mut unread, mut mentions) = (0_u32, 0_u32);
    for room in rooms {
        unread = unread.saturating_add(room.unread);
        mentions = mentions.saturating_add(room.mentions);
    }
    let parts = [(unread, '+'), (mentions, '@')].into_iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, sign)| format!("{sign}{count}")).collect::<Vec<_>>().join(" ")
}
