//! What everything is drawn with: texts and rows into cells, in styles of the theme.
//!
//! Where it stands: below all that is drawn; nothing else touches the buffer.
//!
//! What this file must never do: write outside of the buffer, or anything that is not tidy.

use crate::layout::{Part, columns_of, cut, tidy};
use crate::terminal::Link;
use crate::theme::{self, Ink, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A buffer with a theme.
pub(super) struct Canvas<'a> {
    theme: Theme,
    buffer: &'a mut Buffer,
    links: Vec<Link>,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(theme: Theme, buffer: &'a mut Buffer) -> Canvas<'a> {
        Canvas { theme, buffer, links: Vec::new() }
    }

    pub(super) fn into_links(self) -> Vec<Link> {
        self.links
    }

    pub(super) fn theme(&self) -> Theme {
        self.theme
    }

    /// A text at the beginning of this row, cut to it. Answers with how many columns it took.
    pub(super) fn text(&mut self, row: Rect, text: &str, style: Style) -> u16 {
        let row = row.intersection(self.buffer.area);
        if row.is_empty() {
            return 0;
        }
        let text = tidy(text);
        let shown = cut(&text, row.width.into());
        // What was there before shines through in nothing.
        let style = Style::reset().patch(style);
        let (end, _) = self.buffer.set_stringn(row.x, row.y, shown, row.width.into(), style);
        end - row.x
    }

    /// The same in one of the theme's inks.
    pub(super) fn ink(&mut self, row: Rect, text: &str, ink: Ink) -> u16 {
        self.text(row, text, self.theme.ink(ink))
    }

    /// A text at the end of this row, if there is room for all of it. Answers with what is left of the row.
    pub(super) fn ink_at_end(&mut self, row: Rect, text: &str, ink: Ink) -> Rect {
        let columns = u16::try_from(columns_of(&tidy(text))).unwrap_or(u16::MAX);
        if columns == 0 || columns >= row.width {
            return row;
        }
        let left = row.width - columns;
        self.ink(Rect { x: row.x + left, width: columns, ..row }, text, ink);
        Rect { width: left - 1, ..row }
    }

    /// A row of parts, each as its role looks; links are remembered.
    pub(super) fn parts(&mut self, row: Rect, parts: &[Part]) -> u16 {
        let mut rest = row;
        for part in parts {
            let style = self.theme.role(&part.role);
            let style = if part.link.is_some() { theme::link(style) } else { style };
            let columns = self.text(rest, &part.text, style);
            if let Some(target) = &part.link {
                self.links.push(Link {
                    area: Rect { width: columns, height: 1, ..rest },
                    target: target.to_string(),
                });
            }
            rest = behind(rest, columns);
        }
        row.width - rest.width
    }

    /// Changes the style of what is drawn there.
    pub(super) fn restyle(&mut self, area: Rect, ink: Ink) {
        self.buffer.set_style(area.intersection(self.buffer.area), self.theme.ink(ink));
    }

    /// A line from above to below.
    pub(super) fn vertical_line(&mut self, column: u16, rows: std::ops::Range<u16>) {
        for row in rows {
            self.ink(Rect::new(column, row, 1, 1), "│", Ink::Quiet);
        }
    }

    /// A line from left to right.
    pub(super) fn horizontal_line(&mut self, row: Rect) {
        self.ink(row, &"─".repeat(row.width.into()), Ink::Quiet);
    }
}

/// What is left of a row behind so many columns.
pub(super) fn behind(row: Rect, columns: u16) -> Rect {
    let columns = columns.min(row.width);
    Rect { x: row.x + columns, width: row.width - columns, ..row }
}

/// One row of an area; an empty one if it has not so many.
pub(super) fn nth_row(area: Rect, nth: usize) -> Rect {
    match u16::try_from(nth) {
        Ok(nth) if nth < area.height => Rect { y: area.y + nth, height: 1, ..area },
        _ => Rect { height: 0, ..area },
    }
}
