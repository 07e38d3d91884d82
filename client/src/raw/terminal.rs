//! The terminal's own settings: key by key while somebody types, and as they were afterwards.
//!
//! Where it stands: below the screen.
//!
//! What this file must never do: leave the terminal otherwise than it was, whichever way the program ends.

use rustix::process::{Signal, kill_current_process_group};
use std::io;
use std::panic;

/// While this is there, keys come one by one and are not echoed; what is written needs CR LF.
pub(super) struct KeyByKey(());

impl KeyByKey {
    /// Begins that. A panic, in whichever thread, ends it and the program: nobody could go on in half a terminal.
    ///
    /// # Errors
    /// If the terminal does not let us.
    pub(super) fn begin() -> io::Result<KeyByKey> {
        crossterm::terminal::enable_raw_mode()?;
        let told_before = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            restore();
            told_before(panicked);
            // The status of a panic in the thread that began.
            std::process::exit(101);
        }));
        Ok(KeyByKey(()))
    }
}

/// Stops the program, with whatever else the shell started together with it, until the shell lets it go on: key by key again.
///
/// # Errors
/// If the terminal does not let us go on.
pub(super) fn suspend() -> io::Result<()> {
    restore();
    kill_current_process_group(Signal::TSTP)?;
    resume()
}

/// Key by key again: somebody else had the terminal, and may have changed it.
///
/// # Errors
/// If the terminal does not let us.
pub(super) fn resume() -> io::Result<()> {
    restore();
    crossterm::terminal::enable_raw_mode()
}

impl Drop for KeyByKey {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    // A terminal that is gone needs nothing.
    let _ = crossterm::terminal::disable_raw_mode();
}

/// How many columns there are; 0 if nobody knows.
pub(super) fn columns() -> u16 {
    rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| size.ws_col)
}
