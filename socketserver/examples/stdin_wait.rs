//! Waits for standard input, but not longer than five seconds at a time.
//!
//! What one learns: everything that has a descriptor can be waited for, a keyboard, a pipe, and a file, which is always
//! ready, if only to say that it has ended. And what to beware of: two readers of one input, of which one has a buffer.
//!
//! ```text
//! cargo run -p socketserver --example stdin_wait                # type lines, and Ctrl-D at last; or: -- SECONDS
//! (sleep 7; date) | cargo run -p socketserver --example stdin_wait
//! cargo run -p socketserver --example stdin_wait < Cargo.toml
//! ```

use eventloop::{Events, Interest, Poller, Token};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::time::Duration;

fn main() -> anyhow::Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(5.0), |word| word.parse())?;
    let patience = Duration::try_from_secs_f64(seconds)?;

    // Not read through `io::stdin()`: that one reads ahead, and no poller knows of the lines that wait in its buffer.
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let poller = Poller::new()?;
    poller.register(&input, Token::of(&input), Interest::READ)?;
    let mut events = Events::with_capacity(1);
    let mut bytes = [0; 4096];
    loop {
        poller.poll(&mut events, Some(patience))?;
        if events.is_empty() {
            println!("Nothing for {patience:?}.");
            continue;
        }
        // Readable, or a hang-up, which is how a pipe says that nobody writes any more: reading tells which.
        match input.read(&mut bytes)? {
            0 => break,
            count => println!("{count} bytes: {}", bytes[..count].escape_ascii()),
        }
    }
    println!("The end.");
    Ok(())
}
