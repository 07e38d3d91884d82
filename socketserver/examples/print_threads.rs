//! Prints what clients send, with a thread for each, and counts the lines of all.
//!
//! What one learns: the handler is that of `print_blocking` and the strategy another one, and nobody waits for anybody. What
//! the threads share, here a number, has to bear that.
//!
//! ```text
//! cargo run -p socketserver --example print_threads             # or: -- ADDRESS:PORT
//! nc 127.0.0.1 8000                                             # in another terminal, and in a third
//! ```

use socketserver::{Endpoint, Listener, Request, Server, Threading};
use std::io::{self, BufRead as _, Read as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A client that sends a line without an end is not to fill the memory.
const LINE_BYTES_MAX: u64 = 4096;

fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());

    let listener = Listener::open(&Endpoint::tcp(&address)?)?;
    let lines = AtomicUsize::new(0);
    let handler = move |request: &mut Request| print(request, &lines);
    let mut server = Server::blocking(listener, Threading::up_to(64), handler)?.grace(Duration::from_secs(1));

    server.shutdown_handle().shutdown_on_termination()?;
    println!("listening at {}", server.server_address());
    server.serve_forever()?; // and waits for the threads
    Ok(())
}

fn print(request: &mut Request, lines: &AtomicUsize) -> io::Result<()> {
    let client = request.client_address().clone();
    let mut line = Vec::new();
    while (&mut request.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? > 0 {
        // Two threads never get the same number, whichever comes first.
        let number = lines.fetch_add(1, Ordering::Relaxed) + 1;
        println!("{number} {client}: {:?}", String::from_utf8_lossy(line.trim_ascii_end()));
        line.clear();
    }
    println!("{client}: the end");
    Ok(())
}
