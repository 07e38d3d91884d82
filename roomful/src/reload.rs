//! SIGHUP: the configuration is read again, and the running server goes by it as far as it can.
//!
//! Where it stands: called by `serve` for each such signal. The same flags and the same environment go before the file
//! again, so that what was given at the start stays given.
//!
//! What this file must never do: end the server. A file with a mistake in it changes nothing, and a terminal that is closed
//! sends the same signal.

use crate::config::{self, Configuration, Flags};
use crate::settings::Settings;
use server::Server;

/// Reads the configuration again and says in the log what has come of it.
pub(crate) fn reload(flags: &Flags, running: &mut Settings, server: &Server) {
    if config::file_of(flags).is_none() {
        tracing::info!(
            "there is nothing to reload: no file is named by --config or {}",
            config::FILE_VARIABLE
        );
        return;
    }
    match Configuration::read(flags) {
        Ok(configuration) => put_in_force(&configuration.settings, running, server),
        Err(problems) => {
            for problem in problems.lines() {
                tracing::warn!("{problem}");
            }
            tracing::warn!("the configuration was not reloaded: everything stays as it was");
        }
    }
}

fn put_in_force(newer: &Settings, running: &mut Settings, server: &Server) {
    let changes = config::update(running, newer);
    server.reload(&running.server);
    for change in &changes {
        tracing::info!("{change}");
    }
    if changes.is_empty() {
        tracing::info!("the configuration was reloaded: nothing has changed");
    } else {
        tracing::info!("the configuration was reloaded");
    }
}
