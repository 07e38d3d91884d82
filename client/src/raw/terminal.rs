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

#[cfg(test)]
mod tests {
    use super::*;
    use pty_process::blocking::{Command, Pty, open};
    use std::io::{Read as _, Write as _};

    /// Run in a terminal of its own by the test below.
    #[test]
    #[ignore = "takes the terminal and panics"]
    fn takes_the_terminal_and_panics() {
        let _key_by_key = KeyByKey::begin().expect("a terminal");
        println!("key by key");
        let panics = std::thread::spawn(|| {
            let _ = io::stdin().read(&mut [0]);
            panic!("a key was pressed");
        });
        let _ = panics.join();
        unreachable!("the panic has ended the program");
    }

    #[test]
    fn panic_in_any_thread_leaves_the_terminal_as_it_was() {
        let settings = |pty: &Pty| format!("{:?}", rustix::termios::tcgetattr(pty).expect("a terminal"));
        let (mut pty, pts) = open().expect("a pseudo-terminal");
        let before = settings(&pty);
        let this = std::env::current_exe().expect("this program");
        let name = "raw::terminal::tests::takes_the_terminal_and_panics";
        let mut child = Command::new(this)
            .args([name, "--exact", "--ignored", "--nocapture"])
            .spawn(pts)
            .expect("it starts");
        let mut shown = String::new();
        let mut bytes = [0; 4096];
        // At the end of the program the pseudo-terminal gives an error.
        while let Ok(count @ 1..) = pty.read(&mut bytes) {
            let was_key_by_key = shown.contains("key by key");
            shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
            if shown.contains("key by key") && !was_key_by_key {
                assert_ne!(settings(&pty), before, "{shown}");
                pty.write_all(b"x").expect("a key is pressed");
            }
        }
        assert_eq!(child.wait().expect("it ends").code(), Some(101), "{shown}");
        assert_eq!(settings(&pty), before, "{shown}");
        // The rows begin at the edge again.
        assert!(shown.contains("a key was pressed\r\n"), "{shown}");
    }
}
