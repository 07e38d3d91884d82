//! The servers that are measured: a line echo by every way of the crate `socketserver`, and Python's beside it.
//!
//! Each runs as a process of its own, `bench echo`, which the measurement starts and kills. It does what a user of the
//! crate would write, and must do nothing more.

use std::{
    io::{self, BufRead, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::Command,
};

use anyhow::{Context, Result};
use clap::Args;
use rustix::process::{Signal, set_parent_process_death_signal};
use socketserver::{
    Address, Endpoint, Evented, Forking, Iterative, Listener, Output, Protocol, Request, RequestHandler,
    Server, Strategy, Threading,
};

use super::way::{Handler, Way};
use crate::crowd::raise_descriptor_limit;

/// How many requests threading and forking run at a time; in Python likewise.
const REQUESTS_AT_ONCE: usize = 256;

const PYTHONS: &str = include_str!("../../peers/socketserver_echo.py");

/// What to serve by.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Which strategy, with which handler or poller.
    way: Way,
    /// Serve by the counterpart that this Python has.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

/// Serves on a free port of loopback, which is printed, until it is killed or whoever started it ends.
///
/// # Errors
///
/// If the kernel gives no socket, or there is no such Python.
pub fn serve(options: &Options) -> Result<()> {
    // It survives that Python takes the place of this program.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if let Some(python) = &options.python {
        let name = options.way.model().name();
        // `-I`: whatever else is installed for this user is not loaded.
        let error = Command::new(python).args(["-I", "-c", PYTHONS, name]).exec();
        return Err(error).with_context(|| format!("cannot run {}", python.display()));
    }
    raise_descriptor_limit();
    let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
    match options.way {
        Way::Iterative(handler) => serve_by(listener, Iterative, handler),
        Way::Threading(handler) => serve_by(listener, Threading::up_to(REQUESTS_AT_ONCE), handler),
        Way::Forking(handler) => serve_by(listener, Forking::up_to(REQUESTS_AT_ONCE), handler),
        Way::Evented(poller) => run(Server::sans_io(listener, Evented::on(poller), new_echo)?),
    }
}

type MakeEcho = fn(&Address) -> Echo;

fn serve_by<S>(listener: Listener, strategy: S, handler: Handler) -> Result<()>
where
    S: Strategy<socketserver::Blocking<LineEcho>> + Strategy<socketserver::SansIo<MakeEcho>>,
{
    match handler {
        Handler::Blocking => run(Server::blocking(listener, strategy, LineEcho)?),
        Handler::SansIo => run(Server::sans_io(listener, strategy, new_echo as MakeEcho)?),
    }
}

fn run<H, S: Strategy<H>>(mut server: Server<H, S>) -> Result<()> {
    println!("listening on {}", server.server_address());
    server.serve_forever()?;
    Ok(())
}

/// The blocking handler: a line is read, and written.
struct LineEcho;

impl RequestHandler for LineEcho {
    fn handle(&self, request: &mut Request) -> io::Result<()> {
        let mut line = Vec::new();
        while request.reader.read_until(b'\n', &mut line)? > 0 {
            request.writer.write_all(&line)?;
            line.clear();
        }
        Ok(())
    }
}

/// The handler that does no input and output: what has arrived is sent.
struct Echo;

fn new_echo(_: &Address) -> Echo {
    Echo
}

impl Protocol for Echo {
    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        out.send(bytes);
    }
}
