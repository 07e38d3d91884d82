//! What comes from a terminal: keys, pasted text, the mouse, a new size, and what the system tells a program that has one.
//!
//! Where it stands: the terminal's threads make these, the program that draws takes them, and the model acts on most of them.
//!
//! What this file must never do: know what a key is for.

use crate::keys::KeyPress;
use crate::model::{Focus, Size};

/// One thing that happened at the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum TerminalEvent {
    /// A key was pressed.
    Key(KeyPress),
    /// Text was pasted. Its lines end in LF; other control characters than TAB are still in it.
    Paste(String),
    /// The window has this size now.
    Resize(Size),
    /// The window gets what is typed, or no longer.
    Focus(Focus),
    /// Something was done with the mouse. Only where it was asked for.
    Mouse(MouseAction),
    /// The terminal says what colour it draws on.
    Background(Background),
    /// The system wants something of this program.
    Signal(Signal),
    /// There is no terminal any more. Nothing comes after this.
    Gone,
}

/// What the terminal draws on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Background {
    /// Rather black than white.
    #[default]
    Dark,
    /// Rather white than black.
    Light,
}

/// What the system wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signal {
    /// SIGTERM, SIGINT or SIGHUP: end, in order. If a second one comes before that is done, the program ends at once.
    End,
    /// SIGTSTP from somebody else; our own Ctrl-Z is a key.
    Suspend,
    /// SIGCONT: somebody may have written to the terminal, and changed its modes.
    Continued,
}

/// Something done with the mouse, at this column and row from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MouseAction {
    /// What.
    pub kind: MouseKind,
    /// The column.
    pub column: u16,
    /// The row.
    pub row: u16,
}

/// What the mouse does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MouseKind {
    /// The left button goes down.
    Press,
    /// The middle or the right button goes down.
    OtherPress,
    /// A button goes up.
    Release,
    /// It moves while a button is down.
    Drag,
    /// The wheel turns away from the hand.
    WheelUp,
    /// The wheel turns towards the hand.
    WheelDown,
}
