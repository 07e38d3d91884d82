//! One row of the screen as it is painted: which cluster stands in which columns, and how.
//!
//! Where it stands: between the buffer that the view drew and the painter, which compares two rows and writes what differs.
//!
//! What this file must never do: give the terminal a control character, or a cluster that is wider than what is left of the row.

use super::super::Link;
use dialect::editing::width::{columns, is_certain};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// How a cluster is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look<'a> {
    pub(super) foreground: Color,
    pub(super) background: Color,
    pub(super) modifier: Modifier,
    /// Where it leads.
    pub(super) link: Option<&'a str>,
}

impl Look<'_> {
    /// How a terminal draws if it is told nothing.
    pub(super) const PLAIN: Look<'static> =
        Look { foreground: Color::Reset, background: Color::Reset, modifier: Modifier::empty(), link: None };
}

/// One grapheme cluster in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece<'a> {
    /// The column of its beginning, from 0.
    pub(super) column: u16,
    /// How many columns are its own.
    pub(super) width: u16,
    pub(super) text: &'a str,
    pub(super) look: Look<'a>,
}

impl Piece<'_> {
    /// Whether every terminal gives it as many columns as we do.
    pub(super) fn is_certain(&self) -> bool {
        is_certain(self.text)
    }

    /// Whether it is what stands in a place that has been erased.
    fn is_erased(&self) -> bool {
        self.text == " " && self.look == Look::PLAIN
    }
}

/// What stands in a column: the beginning of a piece or, in the second column of a wide one, nothing of its own.
pub(super) type Slot<'a> = Option<Piece<'a>>;

/// A row, a slot for each column.
pub(super) struct Row<'a> {
    pub(super) slots: Vec<Slot<'a>>,
}

impl<'a> Row<'a> {
    /// The row of this number, from 0, as it is shown on any terminal.
    pub(super) fn of(buffer: &'a Buffer, row: u16, links: &'a [Link]) -> Row<'a> {
        let cells = cells(buffer, row);
        let links: Vec<&Link> = links.iter().filter(|link| link.area.y == row).collect();
        let mut slots = Vec::with_capacity(cells.len());
        while let Some(cell) = cells.get(slots.len()) {
            let piece = piece(cell, slots.len(), cells.len(), &links);
            slots.push(Some(piece));
            slots.resize(slots.len() + usize::from(piece.width) - 1, None);
        }
        Row { slots }
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece<'a>> {
        self.slots.iter().flatten()
    }

    pub(super) fn is_certain(&self) -> bool {
        self.pieces().all(Piece::is_certain)
    }

    /// The column behind which there is nothing but what erasing leaves.
    pub(super) fn end(&self) -> u16 {
        self.pieces().filter(|piece| !piece.is_erased()).last().map_or(0, |piece| piece.column + piece.width)
    }
}

/// The cells of a row, none if there is no such row.
pub(super) fn cells(buffer: &Buffer, row: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::from(row) * width;
    buffer.content.get(start..start + width).unwrap_or_default()
}

/// What is shown of a cell that begins in this column of so many. What has no width, or does not fit into the row, is shown as
/// U+FFFD, as in the line editor.
fn piece<'a>(cell: &'a Cell, column: usize, columns_max: usize, links: &[&'a Link]) -> Piece<'a> {
    let text = cell.symbol();
    let width = columns(text);
    let is_shown = width > 0 && width <= columns_max - column && !text.chars().any(char::is_control);
    let (text, width) = if is_shown { (text, width as u16) } else { ("\u{fffd}", 1) };
    let column = column as u16;
    let link = links.iter().find(|link| (link.area.left()..link.area.right()).contains(&column));
    let look = Look {
        foreground: cell.fg,
        background: cell.bg,
        modifier: cell.modifier,
        link: link.map(|link| link.target.as_str()),
    };
    Piece { column, width, text, look }
}
