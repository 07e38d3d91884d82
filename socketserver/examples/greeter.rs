//! The smallest server: whoever connects is thanked, and that was it.
//!
//! What one learns: a server is a listener, a strategy and a handler. What the handler has written is sent when it returns,
//! and then the connection is closed. One client after the other will do, for nobody takes any time.
//!
//! ```text
//! cargo run -p socketserver --example greeter                   # or: -- ADDRESS:PORT
//! nc -d 127.0.0.1 8000                                          # in another terminal
//! ```

use socketserver::{Endpoint, Iterative, Listener, Request, Server};
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());

    let listener = Listener::open(&Endpoint::tcp(&address)?)?;
    let mut server = Server::blocking(listener, Iterative, |request: &mut Request| {
        println!("{} has connected", request.client_address());
        writeln!(request.writer, "Thank you for connecting")
    })?;

    server.shutdown_handle().shutdown_on_termination()?;
    println!("listening at {}", server.server_address());
    server.serve_forever()?; // until Ctrl-C
    Ok(())
}
