//! The clock: the one place where the time is asked for. Everything else gets it as an argument.

use hub::Time;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells milliseconds since the Unix epoch. Anchored once to the system's clock and then driven by the monotonic one,
/// so that a clock that is set back or forward moves no deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    epoch_ms: u64,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Clock { started: Instant::now(), epoch_ms: since_epoch.as_millis() as u64 }
    }

    pub(crate) fn now(&self) -> Time {
        Time(self.epoch_ms + self.started.elapsed().as_millis() as u64)
    }
}

/// How long until a moment; zero if it has passed.
pub(crate) fn until(at: Time, now: Time) -> Duration {
    Duration::from_millis(at.0.saturating_sub(now.0))
}
