//! Prints what clients send, one client after the other.
//!
//! What one learns: how simple it is as long as one waits for one client only, and what that costs. Connect twice, and type
//! in both: the second one is heard when the first one has gone.
//!
//! ```text
//! cargo run -p socketserver --example print_blocking            # or: -- ADDRESS:PORT
//! nc 127.0.0.1 8000                                             # in another terminal, and in a third
//! ```

use socketserver::{Endpoint, Iterative, Listener, Request, Server};
use std::io::{self, BufRead as _, Read as _};
use std::time::Duration;

/// A client that sends a line without an end is not to fill the memory.
const LINE_BYTES_MAX: u64 = 4096;

fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());

    let listener = Listener::open(&Endpoint::tcp(&address)?)?;
    let mut server = Server::blocking(listener, Iterative, print)?.grace(Duration::from_secs(1));

    server.shutdown_handle().shutdown_on_termination()?;
    println!("listening at {}", server.server_address());
    server.serve_forever()?;
    Ok(())
}

fn print(request: &mut Request) -> io::Result<()> {
    let client = request.client_address().clone();
    let mut line = Vec::new();
    while (&mut request.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? > 0 {
        // With quotes and escapes (`:?`), for what others send must never reach a terminal as it is.
        println!("{client}: {:?}", String::from_utf8_lossy(line.trim_ascii_end()));
        line.clear();
    }
    println!("{client}: the end");
    Ok(())
}
