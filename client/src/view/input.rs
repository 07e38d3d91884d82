//! What is being typed, and where the cursor stands in it.
//!
//! Where it stands: the lowest part of the screen, whatever lies over the room.
//!
//! What this file must never do: let a draft and a hint look alike.

use super::canvas::{Canvas, behind, nth_row};
use crate::layout::{PROMPT_COLUMNS, Regions, input_rows};
use crate::model::Model;
use crate::theme::Ink;
use ratatui::layout::{Position, Rect};

const PLACEHOLDER: &str = "type to talk; F1 lists the keys";

/// Draws it. Answers with where the cursor stands.
pub(super) fn draw(model: &Model, regions: &Regions, canvas: &mut Canvas<'_>) -> Option<Position> {
    let area = regions.input;
    let line = &model.draft().line;
    let typed = input_rows(line, regions.draft_columns());
    let seen = typed.window(area.height.into());
    for (row, nth) in seen.clone().enumerate() {
        let place = nth_row(area, row);
        let is_cut = (row == 0 && nth > 0) || (nth + 1 == seen.end && seen.end < typed.rows.len());
        canvas.ink(place, prompt(nth, is_cut), Ink::Strong);
        canvas.ink(behind(place, PROMPT_COLUMNS), &line.text()[typed.rows[nth].clone()], Ink::Plain);
    }
    if line.text().is_empty() {
        canvas.ink(behind(nth_row(area, 0), PROMPT_COLUMNS), PLACEHOLDER, Ink::Quiet);
    }
    cursor(area, typed.cursor_row - seen.start.min(typed.cursor_row), typed.cursor_column)
}

/// What stands in front of a row: a sign in front of the first one, another where more rows are than can be seen.
fn prompt(nth: usize, is_cut: bool) -> &'static str {
    match (nth, is_cut) {
        (0, _) => "> ",
        (_, true) => "… ",
        (_, false) => "  ",
    }
}

fn cursor(area: Rect, row: usize, column: usize) -> Option<Position> {
    let x = area.x.checked_add(PROMPT_COLUMNS)?.checked_add(u16::try_from(column).ok()?)?;
    let y = area.y.checked_add(u16::try_from(row).ok()?)?;
    Some(Position { x, y }).filter(|position| area.contains(*position))
}
