//! A client that reads the greeting of a server and then says hello every second, until the server closes.
//!
//! What one learns: to connect with a timeout, and to wait for two things at once, for bytes and for a point in time. A client
//! that sleeps between two hellos would not hear what comes meanwhile, nor that the server has gone.
//!
//! ```text
//! cargo run -p socketserver --example print_poll                # greets, and prints what it is told
//! cargo run -p socketserver --example greeted                   # in another terminal; or: -- ADDRESS:PORT SECONDS
//! ```

use eventloop::{Events, Interest, Poller, Token};
use socketserver::{Client, Endpoint};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let seconds = arguments.next().map_or(Ok(1.0), |word| word.parse())?;
    let interval = Duration::try_from_secs_f64(seconds)?;

    let client = Client::connect(&Endpoint::tcp(&address)?, Some(Duration::from_secs(5)))?;
    match talk(client, interval) {
        // A server that goes without having read our last hello resets the connection. That is an end, too.
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
        ended => ended?,
    }
    println!("the server has closed the connection");
    Ok(())
}

fn talk(mut client: Client, interval: Duration) -> io::Result<()> {
    let poller = Poller::new()?;
    poller.register(&client, Token::of(&client), Interest::READ)?;
    let mut events = Events::with_capacity(1);
    let mut bytes = [0; 4096];
    let mut hello_at: Option<Instant> = None; // not before the greeting
    loop {
        // How long until the next hello? After zero the poller only looks; without a deadline it waits for ever.
        let left = hello_at.map(|at| at.saturating_duration_since(Instant::now()));
        poller.poll(&mut events, left)?;
        if !events.is_empty() {
            let count = client.read(&mut bytes)?;
            if count == 0 {
                return Ok(()); // the end of what the server sends
            }
            io::stdout().write_all(&bytes[..count])?;
            hello_at = hello_at.or_else(|| Instant::now().checked_add(interval));
        }
        if hello_at.is_some_and(|at| at <= Instant::now()) {
            client.write_all(b"hello\n")?;
            // From now, not from when it was due: a process that was stopped does not say all of them at once.
            hello_at = Instant::now().checked_add(interval);
        }
    }
}
