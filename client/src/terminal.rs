//! The terminal itself: what is painted on it, what comes from it, and that it is left as it was found.
//!
//! Where it stands: below the view, which draws a buffer of cells and says what else belongs to it; above the system. One
//! [`Terminal`] belongs to the thread that draws; a thread of its own reads keys, another one waits for signals, and both hand what
//! they have to wherever the program gathers its inputs.
//!
//! A terminal that takes nothing (a slow line, a window that is being dragged) holds up the thread that draws, and nothing else:
//! it is written to in that thread, one frame at a time, and the next frame is made when the last one is out. So there is never
//! more than one frame in memory, and what is skipped is never drawn.
//!
//! Keys are read from bytes here and not by crossterm, which was tried for and rejected (0.29): it spins for ever when the terminal
//! goes away, leaves what does not fit into its 1,024 bytes until the next key, takes the terminal's answers about its colours
//! for keys, and does not say what came at once, by which a paste is known where terminals mark none.
//!
//! What this module must never do: write anything that was not cleaned, leave a terminal in another mode than it was found in, or
//! wait in any thread but the one that draws.

pub(crate) mod colours;
pub(crate) mod escapes;
pub(crate) mod event;
mod key_by_key;
mod modes;
mod open;
mod painter;
mod parser;
mod reader;
mod signals;

pub(crate) use colours::{Colours, background_of_environment};
pub(crate) use event::TerminalEvent;
pub(crate) use key_by_key::{KeyByKey, columns};
pub(crate) use modes::{Device, Mouse, Wishes};
pub(crate) use open::open_link;
pub(crate) use painter::Painter;

use crate::model::Size;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::io;
use std::ops::ControlFlow;

/// What belongs to a picture besides its cells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Scene {
    /// Where the cursor is to be seen, if it is.
    pub cursor: Option<Position>,
    /// What leads somewhere.
    pub links: Vec<Link>,
    /// What the window is called.
    pub title: String,
}

/// Cells that lead somewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    /// The cells: a part of one row. A link over several rows is several of these with the same target.
    pub area: Rect,
    /// The address, clean.
    pub target: String,
}

/// A terminal that shows what we want and sends us keys, until it is left or dropped.
pub(crate) struct Terminal {
    device: Device,
    wishes: Wishes,
    painter: Painter,
}

/// What became of a wish to be suspended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Suspension {
    /// We were, and are here again. Everything has to be painted anew.
    Over,
    /// There is nobody who could wake us: the terminal has no shell, but only us.
    NobodyWouldWakeUs,
}

impl Terminal {
    /// Takes the terminal of this process over: raw mode, a screen of its own, and what is wished for. Whatever ends the process
    /// in its own words (a panic in any thread, a signal) gives it back first. Events go to `sink`, from threads, until it breaks
    /// off; a sink that waits holds up only these.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or the system refuses.
    pub(crate) fn enter(wishes: Wishes, sink: impl Sink) -> io::Result<Terminal> {
        let terminal = Terminal::enter_on(Device::of_process()?, wishes)?;
        signals::watch(terminal.device.try_clone()?, sink.clone())?;
        reader::start(terminal.device.try_clone()?, sink)?;
        Ok(terminal)
    }

    /// The same on any terminal, without the threads.
    fn enter_on(device: Device, wishes: Wishes) -> io::Result<Terminal> {
        modes::enter(&device, wishes)?;
        Ok(Terminal { device, wishes, painter: Painter::default() })
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// When there is no terminal any more.
    pub(crate) fn size(&self) -> io::Result<Size> {
        self.device.size()
    }

    /// Shows this. Waits until the terminal has taken it.
    ///
    /// # Errors
    /// When there is no terminal any more: the program ends quietly.
    pub(crate) fn paint(&mut self, buffer: Buffer, scene: Scene) -> io::Result<()> {
        let bytes = self.painter.paint(buffer, scene);
        modes::write(&self.device, &bytes)
    }

    /// Tells the terminal something that is no picture: one of [`escapes`].
    ///
    /// # Errors
    /// When there is no terminal any more.
    pub(crate) fn tell(&mut self, sequence: &str) -> io::Result<()> {
        modes::write(&self.device, sequence.as_bytes())
    }

    /// Whatever the terminal shows, the next picture is painted whole: after Ctrl-L, or a new size.
    pub(crate) fn forget(&mut self) {
        self.painter.forget();
    }

    /// Somebody else may have had the terminal (SIGCONT): it is made ours again, and the next picture is painted whole.
    ///
    /// # Errors
    /// When there is no terminal any more.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        self.painter.forget();
        modes::enter(&self.device, self.wishes)
    }

    /// Gives the terminal back, stops this process and whoever is in the same job, and takes the terminal again when the shell
    /// wakes us.
    ///
    /// # Errors
    /// When there is no terminal any more.
    pub(crate) fn suspend(&mut self) -> io::Result<Suspension> {
        let suspension = signals::suspend()?;
        if suspension == Suspension::Over {
            self.resume()?;
        }
        Ok(suspension)
    }
}

impl Drop for Terminal {
    /// Gives the terminal back as it was found, if nothing else has done so before.
    fn drop(&mut self) {
        modes::leave();
    }
}

/// Where events go: a function that takes them, and breaks off when nobody wants more.
pub(crate) trait Sink: Fn(TerminalEvent) -> ControlFlow<()> + Clone + Send + 'static {}

impl<F: Fn(TerminalEvent) -> ControlFlow<()> + Clone + Send + 'static> Sink for F {}
