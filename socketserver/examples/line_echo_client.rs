//! Sends standard input to an echo server and prints what comes back.
//!
//! What one learns: to connect with a timeout, to send all, to end one direction of a connection and still read the other one
//! to its end. And that whoever sends much must read meanwhile: a server that cannot get rid of its answers stops reading,
//! and then both sides wait for each other, for ever.
//!
//! ```text
//! cargo run -p socketserver --example line_echo -- threading
//! cargo run -p socketserver --example line_echo_client < Cargo.toml      # in another terminal
//! cargo run -p socketserver --example line_echo_client -- tcp:127.0.0.1:8000 0.5
//! ```

use anyhow::{Context as _, ensure};
use socketserver::{Client, Endpoint};
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "tcp:127.0.0.1:8000".to_owned());
    let seconds = arguments.next().map_or(Ok(5.0), |word| word.parse())?;
    let patience = Duration::try_from_secs_f64(seconds)?;

    let client = Arc::new(Client::connect(&server.parse::<Endpoint>()?, Some(patience))?);
    let (done, sent) = channel();
    let sender = client.clone();
    thread::spawn(move || done.send(send_all(&sender)));

    let echoed = io::copy(&mut &*client, &mut io::stdout())?;
    io::stdout().flush()?;

    // The server has closed, as it should when everything was sent. The thread may still have to say that it was.
    let sent = sent.recv_timeout(Duration::from_secs(1)).context("the server has closed too early")??;
    ensure!(echoed == sent, "of {sent} bytes {echoed} have come back");
    Ok(())
}

/// Sends standard input to its end. Returns how many bytes that were.
fn send_all(mut client: &Client) -> io::Result<u64> {
    let mut bytes = [0; 16 * 1024];
    let mut sent = 0;
    loop {
        let count = io::stdin().read(&mut bytes)?;
        if count == 0 {
            client.end()?; // nothing more will be sent; what comes back can still be read
            return Ok(sent);
        }
        client.write_all(&bytes[..count])?; // not `write`, which takes as much as there is room for
        sent += count as u64;
    }
}
