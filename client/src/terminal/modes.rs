//! Taking a terminal over, and giving it back.
//!
//! Where it stands: below [`super::Terminal`]. How the terminal was found is kept for the whole process, because it must be given
//! back from wherever the process ends: the thread that draws, a panic in any other, a signal.
//!
//! What this file must never do: give the terminal back twice, or wait for a terminal that takes nothing before it gives it back.

use super::colours::answers_questions;
use super::escapes::{ASK_BACKGROUND, RESTORE_TITLE, SAVE_TITLE};
use crate::model::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetwinsize, tcsetattr};
use std::env;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic;
use std::process;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

/// A screen of our own; a line that is too long does not go on in the next row (a family of emoji may be wider than we think);
/// pastes are marked; it is said whether we are looked at.
const ENTER: &str = "\x1b[?1049h\x1b[?7l\x1b[?2004h\x1b[?1004h";
/// Buttons, movement while one is down, and places beyond column 223.
const MOUSE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// The same backwards. We may have been broken off anywhere, so that first of all whatever has begun is ended: a string, a frame,
/// a link, a colour.
const LEAVE: &str = "\x1b\\\x1b]8;;\x1b\\\x1b[m\x1b[?1006l\x1b[?1002l\x1b[?1000l\
                     \x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?2026l\x1b[?1049l";
/// A terminal that takes nothing for so long gets its modes back, but not its screen.
const LEAVE_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
/// The same for a frame that is being written.
const FRAME_WAIT: Duration = Duration::from_millis(5);
const FRAME_WAITS_MAX: u32 = 100;
/// As after any other panic.
const PANIC_STATUS: i32 = 101;

/// What the terminal is to do for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Wishes {
    /// On which screen.
    pub screen: Screen,
    /// Who has the mouse.
    pub mouse: Mouse,
}

/// On which screen somebody is shown something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Screen {
    /// On one of our own, on which we draw; what was there before is there again afterwards.
    #[default]
    Own,
    /// On the ordinary one, where lines are written: nothing but keys are ours.
    Ordinary,
}

/// Who has the mouse.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Mouse {
    /// The terminal, whose own selection works.
    #[default]
    Terminals,
    /// We.
    Ours,
}

/// The two ends of a terminal.
#[derive(Debug)]
pub(crate) struct Device {
    input: OwnedFd,
    output: OwnedFd,
}

impl Device {
    /// The one that this process has.
    ///
    /// # Errors
    /// When standard input or output is no terminal.
    pub(crate) fn of_process() -> io::Result<Device> {
        Device::new(&io::stdin(), &io::stdout())
    }

    /// The one behind these.
    ///
    /// # Errors
    /// When one of them is no terminal.
    pub(crate) fn new(input: &impl AsFd, output: &impl AsFd) -> io::Result<Device> {
        if !(rustix::termios::isatty(input) && rustix::termios::isatty(output)) {
            return Err(io::Error::other("standard input and output are not both a terminal"));
        }
        Ok(Device {
            input: input.as_fd().try_clone_to_owned()?,
            output: output.as_fd().try_clone_to_owned()?,
        })
    }

    pub(super) fn try_clone(&self) -> io::Result<Device> {
        Ok(Device { input: self.input.try_clone()?, output: self.output.try_clone()? })
    }

    pub(super) fn input(&self) -> &OwnedFd {
        &self.input
    }

    /// Columns and rows. There is at least one of each, so that there is always a picture.
    pub(super) fn size(&self) -> io::Result<Size> {
        let size = tcgetwinsize(&self.output)?;
        // Serial lines and some containers say that they have none.
        match (size.ws_col, size.ws_row) {
            (0, _) | (_, 0) => Ok(Size { columns: 80, rows: 24 }),
            (columns, rows) => Ok(Size { columns, rows }),
        }
    }

    /// The one place in which a terminal is written to. Waits until everything is out.
    pub(super) fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.output, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                // Somebody who has the same terminal does not want to wait.
                Err(Errno::AGAIN) => {
                    poll(&mut [PollFd::new(&self.output, PollFlags::OUT)], None)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether the terminal takes something within a while. Terminals that do take at least as much as leaving one needs.
    fn takes_something(&self) -> bool {
        let mut descriptor = [PollFd::new(&self.output, PollFlags::OUT)];
        matches!(poll(&mut descriptor, Some(&LEAVE_WAIT)), Ok(1..))
    }
}

/// A terminal that is ours, and how it was found.
struct Entered {
    device: Device,
    found: Termios,
    screen: Screen,
}

static ENTERED: Mutex<Option<Entered>> = Mutex::new(None);
/// Held while a frame is written, so that no other thread gives the terminal back in the middle of it.
static WRITING: Mutex<()> = Mutex::new(());

/// A thread that panicked with it has not left it half done: what is in it is replaced as a whole.
fn entered() -> MutexGuard<'static, Option<Entered>> {
    ENTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes to a terminal while it is ours. If another thread has given it back, then the process is about to end, and nobody
/// misses what would be written.
pub(super) fn write(device: &Device, bytes: &[u8]) -> io::Result<()> {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    if entered().is_some() { device.write(bytes) } else { Ok(()) }
}

/// Waits for a frame that is being written, but not for ever: the terminal may take nothing.
fn wait_for_the_frame() -> Option<MutexGuard<'static, ()>> {
    for _ in 0..FRAME_WAITS_MAX {
        match WRITING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(FRAME_WAIT),
        }
    }
    None
}

/// Takes the terminal over. If it is ours already, then it is told everything once more, and how it was found is kept.
pub(super) fn enter(device: &Device, wishes: Wishes) -> io::Result<()> {
    leave_before_panics_are_told();
    let mut entered = entered();
    let (found, once) = match entered.take() {
        Some(entered) => (entered.found, String::new()),
        None => (tcgetattr(&device.input)?, told_once()),
    };
    let mut raw = found.clone();
    raw.make_raw();
    let kept = device.try_clone()?;
    // Whoever is in the background is stopped here, before anything is written into somebody else's screen.
    tcsetattr(&device.input, OptionalActions::Now, &raw)?;
    *entered = Some(Entered { device: kept, found, screen: wishes.screen });
    drop(entered);
    if wishes.screen == Screen::Ordinary {
        return Ok(());
    }
    let mouse = match wishes.mouse {
        Mouse::Terminals => "",
        Mouse::Ours => MOUSE,
    };
    write(device, [&once, ENTER, mouse].concat().as_bytes())
}

/// The title is kept on a stack of the terminal, so that it must not be kept twice; and one answer is enough.
fn told_once() -> String {
    let question = if answers_questions(|name| env::var(name).ok()) { ASK_BACKGROUND } else { "" };
    [SAVE_TITLE, question].concat()
}

/// Gives the terminal back, if it is ours. It may be gone; then there is nobody who could be told.
pub(super) fn leave() {
    let frame = wait_for_the_frame();
    let Some(Entered { device, found, screen }) = entered().take() else { return };
    if screen == Screen::Own && frame.is_some() && device.takes_something() {
        let _ = device.write([LEAVE, RESTORE_TITLE].concat().as_bytes());
    }
    // What was typed for a room must not become a command of the shell.
    let _ = tcflush(&device.input, QueueSelector::IFlush);
    let _ = tcsetattr(&device.input, OptionalActions::Now, &found);
}

/// From now on a panic in any thread gives the terminal back, is told on the ordinary screen, and ends the process: a thread
/// that is missing would be a window that takes no keys.
fn leave_before_panics_are_told() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_ours = entered().is_some();
            leave();
            tell(panic);
            if is_ours {
                process::exit(PANIC_STATUS);
            }
        }));
    });
}

#[cfg(test)]
mod tests;
