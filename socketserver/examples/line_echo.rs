//! Sends every line back, run in whichever of the four ways one likes.
//!
//! What one learns: the two kinds of handlers side by side. One reads and writes, and may wait, because it has a thread or a
//! process, or everybody's turn, to itself. The other one is told what has arrived and says what shall be sent, so
//! that one thread is enough for all. The address says how bytes travel, and neither handler needs to know.
//!
//! ```text
//! cargo run -p socketserver --example line_echo -- threading
//! cargo run -p socketserver --example line_echo -- forking unix:/tmp/echo
//! cargo run -p socketserver --example line_echo -- evented tcp:127.0.0.1:8000 poll
//! nc 127.0.0.1 8000                                             # in another terminal, or the example `line_echo_client`
//! ```

use anyhow::bail;
use socketserver::{Endpoint, Evented, Forking, FrameHandler, Framed, Framing, Iterative, Listener};
use socketserver::{Output, PollerKind, Request, Server, Strategy, Threading};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::time::Duration;

const LINE_BYTES_MAX: usize = 64 * 1024;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let strategy = arguments.next().unwrap_or_default();
    let endpoint = arguments.next().unwrap_or_else(|| "tcp:127.0.0.1:8000".to_owned());
    let poller = arguments.next().map_or(Ok(PollerKind::default()), |name| name.parse())?;

    let listener = Listener::open(&endpoint.parse::<Endpoint>()?)?;
    match strategy.as_str() {
        "iterative" => serve(Server::blocking(listener, Iterative, echo)?),
        "threading" => serve(Server::blocking(listener, Threading::up_to(64), echo)?),
        "forking" => serve(Server::blocking(listener, Forking::up_to(64), echo)?),
        "evented" => serve(Server::sans_io(listener, Evented::on(poller), |_: &_| {
            Framed::new(Framing::lines(), Echo).frame_bytes_max(LINE_BYTES_MAX)
        })?),
        _ => bail!("say how: iterative, threading, forking or evented, then ENDPOINT and POLLER if you like"),
    }
}

fn serve<H, S: Strategy<H>>(server: Server<H, S>) -> anyhow::Result<()> {
    // Nobody may keep a thread, or the only turn, for ever without saying anything.
    let mut server = server.request_timeout(Duration::from_secs(60)).grace(Duration::from_secs(1));
    server.shutdown_handle().shutdown_on_termination()?;
    println!("listening at {}", server.server_address());
    server.serve_forever()?;
    println!("stopped");
    Ok(())
}

/// The handler that may wait. A line that is too long for the memory comes back in pieces.
fn echo(request: &mut Request) -> io::Result<()> {
    let mut line = Vec::new();
    while (&mut request.reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line)? > 0 {
        request.writer.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

/// The handler that is told.
struct Echo;

impl FrameHandler for Echo {
    fn frame(&mut self, line: &[u8], _: &mut Framing, out: &mut Output<'_>) {
        out.send(line);
        out.send(b"\n");
    }

    fn ended(&mut self, rest: &[u8], out: &mut Output<'_>) {
        out.send(rest);
    }
}
