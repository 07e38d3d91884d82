//! A terminal whose keys come one by one, and on whose ordinary screen lines are written.
//!
//! Where it stands: beside [`super::Terminal`], which draws on a screen of its own; both take the terminal over and give it back in
//! the same way.
//!
//! What this file must never do: leave the terminal otherwise than it was, whichever way the program ends.

use super::modes::{self, Device, Screen, Wishes};
use super::{Suspension, signals};
use std::io;

const WISHES: Wishes = Wishes { screen: Screen::Ordinary, mouse: modes::Mouse::Terminals };

/// While this is there, keys come one by one and are not echoed; what is written needs CR LF. A panic, in whichever thread, ends
/// it and the program: nobody could go on in half a terminal.
pub(crate) struct KeyByKey(Device);

impl KeyByKey {
    /// Begins that.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or it does not let us.
    pub(crate) fn begin() -> io::Result<KeyByKey> {
        let device = Device::of_process()?;
        modes::enter(&device, WISHES)?;
        Ok(KeyByKey(device))
    }

    /// Stops the program, with whatever else the shell started together with it, until the shell lets it go on: key by key again.
    /// Where there is no shell that could, nothing happens.
    ///
    /// # Errors
    /// When there is no terminal any more.
    pub(crate) fn suspend(&self) -> io::Result<()> {
        match signals::suspend()? {
            Suspension::Over => self.resume(),
            Suspension::NobodyWouldWakeUs => Ok(()),
        }
    }

    /// Key by key again: somebody else had the terminal, and may have changed it.
    ///
    /// # Errors
    /// When there is no terminal any more.
    pub(crate) fn resume(&self) -> io::Result<()> {
        modes::enter(&self.0, WISHES)
    }
}

impl Drop for KeyByKey {
    fn drop(&mut self) {
        modes::leave();
    }
}

/// How many columns there are; 0 if nobody knows.
pub(crate) fn columns() -> u16 {
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
        let name = "terminal::key_by_key::tests::takes_the_terminal_and_panics";
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
