//! `roomful serve`: starts the server, says how to join, waits for the signals.

use crate::config::{Configuration, Flags};
use crate::{join_hints, logging, reload};
use anyhow::Context as _;
use server::Server;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Write as _};
use std::thread;

/// Runs the server until a signal stops it.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("cannot wait for signals")?;
    let configuration = Configuration::read(flags)?;
    let mut running = configuration.settings;
    logging::start(running.log_format);
    server::log_panics();
    raise_descriptor_limit();
    running.server.data = running.data.directory()?;
    let server = Server::start(&running.server)?;
    let hints = join_hints::lines(server.addresses(), running.server.plain_style);
    // Whoever started the server may not want to read it; that is no reason to stop.
    let _ = writeln!(io::stdout(), "{hints}");
    tracing::info!(addresses = ?server.addresses(), "listening");
    for signal in signals.forever() {
        if signal != SIGHUP {
            break;
        }
        reload::reload(flags, &mut running, &server);
    }
    tracing::info!("stopping");
    server.stop();
    exit_at_once_on_second_signal(signals);
    server.join();
    tracing::info!("stopped");
    logging::flush();
    Ok(())
}

/// The flush may take seconds; who asks twice does not want to wait. Closing the terminal is not asking.
fn exit_at_once_on_second_signal(mut signals: Signals) {
    thread::spawn(move || {
        if let Some(signal) = signals.forever().find(|signal| *signal != SIGHUP) {
            std::process::exit(128 + signal);
        }
    });
}

/// Every connection is a descriptor: take as many as the system allows.
fn raise_descriptor_limit() {
    if let Err(error) = server::raise_descriptor_limit() {
        tracing::warn!(%error, "the limit of descriptors could not be raised");
    }
}
