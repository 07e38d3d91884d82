//! What the terminal shows, and the least that it has to be told to show something else.
//!
//! Where it stands: the view has drawn a [`Buffer`] and said what else belongs to it (a [`Scene`]); the painter compares both with
//! what was painted last and answers with bytes, which [`super::Terminal`] writes at once.
//!
//! ratatui's own way to a terminal was tried and rejected: it knows no links, writes cell by cell, and moves the cursor by
//! what it believes a character's width to be. Terminals do not agree about that for families of emoji, hearts and some others,
//! and a row that was computed wrongly once stays wrong. Here a row in which such a cluster stands, or stood, is painted whole when
//! anything in it changes: its place is filled with blanks first, because it may be narrower than we think, and whatever stands
//! behind it is placed by its column, because it may be wider. So at worst the cluster itself looks odd, and nothing else moves.
//!
//! What this file must never do: write what has not changed, let the cursor be seen while it wanders, or answer anything but a
//! whole frame.

mod pen;
mod row;
#[cfg(test)]
mod tests;

use super::Scene;
use super::escapes;
use pen::Pen;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use row::{Look, Piece, Row};
use std::fmt::Write as _;

/// Terminals read at least so much before they draw, so that a smaller frame is seen whole or not at all. Most key presses make
/// such a one, and what is around a frame would be the greater part of it.
const SMALL_FRAME_BYTES: usize = 128;
/// The shortest movement has three bytes.
const BRIDGE_COLUMNS_MAX: usize = 3;
const SHOW_CURSOR: &str = "\x1b[?25h";
const HIDE_CURSOR: &str = "\x1b[?25l";
/// Terminals that know this (`CSI ? 2026`) draw what stands between the two at once; the others take no notice.
const BEGIN_FRAME: &str = "\x1b[?2026h";
const END_FRAME: &str = "\x1b[?2026l";
const CLEAR: &str = "\x1b[m\x1b[2J";

/// Turns pictures into bytes.
#[derive(Default)]
pub(crate) struct Painter {
    shown: Option<Shown>,
}

/// What the terminal shows.
struct Shown {
    buffer: Buffer,
    scene: Scene,
}

impl Painter {
    /// What the terminal shows is not known any more: somebody else has written to it, or its size has changed. The next frame
    /// clears it.
    pub(crate) fn forget(&mut self) {
        self.shown = None;
    }

    /// What has to be written so that the terminal shows this; nothing if it shows it already. A buffer of another size than the
    /// last one clears the screen. The buffer's area begins in the corner.
    pub(crate) fn paint(&mut self, buffer: Buffer, scene: Scene) -> Vec<u8> {
        let known = self.shown.take().filter(|shown| shown.buffer.area == buffer.area);
        let is_cleared = known.is_none();
        let old = known.unwrap_or_else(|| Shown::cleared(buffer.area, &scene));
        let mut frame = Frame::default();
        frame.paint_rows(&old, &buffer, &scene);
        let is_title_new = is_cleared || old.scene.title != scene.title;
        let title = if is_title_new { escapes::title(&scene.title) } else { String::new() };
        let bytes = finish(frame, is_cleared, &title, &old, &scene);
        self.shown = Some(Shown { buffer, scene });
        bytes
    }
}

impl Shown {
    /// What is shown of nothing. The cursor is hidden and stands nowhere.
    fn cleared(area: Rect, scene: &Scene) -> Shown {
        let scene = Scene { cursor: None, links: Vec::new(), title: scene.title.clone() };
        Shown { buffer: Buffer::empty(area), scene }
    }
}

/// Puts the cursor where it belongs and, if there is much to draw, makes it one step to the eye.
fn finish(mut frame: Frame, is_cleared: bool, title: &str, old: &Shown, scene: &Scene) -> Vec<u8> {
    let has_moved = frame.at.is_some() || frame.is_lost;
    let was_shown = old.scene.cursor.is_some();
    let is_great = is_cleared || frame.out.len() > SMALL_FRAME_BYTES;
    if let Some(cursor) = scene.cursor
        && (has_moved || old.scene.cursor != Some(cursor))
    {
        frame.go(cursor.x, cursor.y);
    }
    let toggle = match (was_shown && !is_great, scene.cursor) {
        (false, Some(_)) => SHOW_CURSOR,
        (true, None) => HIDE_CURSOR,
        (false, None) | (true, Some(_)) => "",
    };
    let [begin, hide, clear, end] = [
        if is_great { BEGIN_FRAME } else { "" },
        if is_great { HIDE_CURSOR } else { "" },
        if is_cleared { CLEAR } else { "" },
        if is_great { END_FRAME } else { "" },
    ];
    [begin, hide, clear, title, &frame.out, toggle, end].concat().into_bytes()
}

/// A frame that is being made.
#[derive(Default)]
struct Frame {
    out: String,
    /// Where the cursor stands, if that is certain on every terminal.
    at: Option<Position>,
    /// Something was written behind which the cursor stands nobody knows where.
    is_lost: bool,
}

impl Frame {
    fn paint_rows(&mut self, old: &Shown, buffer: &Buffer, scene: &Scene) {
        let has_links_changed = old.scene.links != scene.links;
        for number in 0..buffer.area.height {
            if !has_links_changed && row::cells(&old.buffer, number) == row::cells(buffer, number) {
                continue;
            }
            let before = Row::of(&old.buffer, number, &old.scene.links);
            let now = Row::of(buffer, number, &scene.links);
            if before.slots != now.slots {
                self.paint_row(number, &before, &now);
            }
        }
    }

    /// Every row begins and ends plainly, so that what is erased is plain, too.
    fn paint_row(&mut self, number: u16, before: &Row, now: &Row) {
        let mut pen = Pen::new();
        let is_whole = !(before.is_certain() && now.is_certain());
        let end = now.end();
        let has_changed = |piece: &Piece| {
            let columns = usize::from(piece.column)..usize::from(piece.column + piece.width);
            is_whole || before.slots.get(columns.clone()) != now.slots.get(columns)
        };
        for piece in now.pieces().filter(|piece| piece.column < end && has_changed(piece)) {
            self.bridge(piece.column, number, now, &pen);
            self.go(piece.column, number);
            self.write(piece, &mut pen, now.slots.len());
        }
        pen.take(Look::PLAIN, &mut self.out);
        let erased = now.pieces().find(|piece| piece.column >= end && has_changed(piece));
        if let Some(piece) = erased {
            self.go(piece.column, number);
            self.out.push_str("\x1b[K");
        }
    }

    /// Writes what stands there already, if that takes no more bytes than a movement: mostly the blank between two words.
    fn bridge(&mut self, column: u16, number: u16, now: &Row, pen: &Pen) {
        let Some(at) = self.at.filter(|at| at.y == number && at.x < column) else { return };
        let between = &now.slots[usize::from(at.x)..usize::from(column)];
        let is_short = |piece: &Piece| piece.text.len() == 1 && pen.draws(&piece.look);
        if between.len() <= BRIDGE_COLUMNS_MAX
            && between.iter().all(|slot| slot.as_ref().is_some_and(is_short))
        {
            between.iter().flatten().for_each(|piece| self.out.push_str(piece.text));
            self.at = Some(Position { x: column, ..at });
        }
    }

    fn write<'a>(&mut self, piece: &Piece<'a>, pen: &mut Pen<'a>, columns: usize) {
        pen.take(piece.look, &mut self.out);
        let here = self.at;
        let behind = here.map(|at| Position { x: at.x + piece.width, ..at });
        // Terminals wait in the last column in ways of their own.
        self.at = behind.filter(|behind| usize::from(behind.x) < columns);
        self.is_lost |= self.at.is_none();
        if piece.is_certain() {
            self.out.push_str(piece.text);
            return;
        }
        self.out.extend(std::iter::repeat_n(' ', usize::from(piece.width)));
        if let Some(here) = here {
            self.go(here.x, here.y);
        }
        self.out.push_str(piece.text);
        self.at = None;
        self.is_lost = true;
    }

    /// Moves the cursor, if it is not there already (ECMA-48 §8.3.21 CUP, §8.3.20 CUF, and CR for the first column).
    fn go(&mut self, column: u16, row: u16) {
        let wanted = Position { x: column, y: row };
        let _ = match self.at {
            Some(at) if at == wanted => Ok(()),
            Some(at) if at.y == row && column == 0 => write!(self.out, "\r"),
            Some(at) if at.y == row && at.x < column => match column - at.x {
                1 => write!(self.out, "\x1b[C"),
                columns => write!(self.out, "\x1b[{columns}C"),
            },
            _ if column == 0 => write!(self.out, "\x1b[{}H", row + 1),
            _ => write!(self.out, "\x1b[{};{}H", row + 1, column + 1),
        };
        self.at = Some(wanted);
    }
}
