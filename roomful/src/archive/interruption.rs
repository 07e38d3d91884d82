//! Whether somebody wants it to stop: Ctrl-C, or a signal.
//!
//! Where it stands: beside work that leaves a file behind if it is ended in the middle.
//!
//! What this file must never do: keep a second signal from ending the process.

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// From now on the first signal is only noted.
    pub(super) fn watch() -> Result<Interruption> {
        let is_wanted = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down, the second finds it up.
            flag::register_conditional_default(signal, is_wanted.clone())
                .and_then(|_| flag::register(signal, is_wanted.clone()))
                .context("cannot wait for signals")?;
        }
        Ok(Interruption(is_wanted))
    }

    /// Whether to go on.
    pub(super) fn flow(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
