//! How long to wait before the next try: twice as long each time, and never all clients at once.
//!
//! Where it stands: inside the link, which asks it whenever a connection has ended.
//!
//! What this file must never do: let a server that comes back be met by everybody in the same moment.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

pub(super) struct Backoff {
    tries: u32,
    chance: fastrand::Rng,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Backoff {
        Backoff { tries: 0, chance: fastrand::Rng::with_seed(seed) }
    }

    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    /// Between half of it and all of it.
    pub(super) fn next(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.tries.min(16)).min(LONGEST);
        self.tries += 1;
        longest.mul_f64(0.5 + self.chance.f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_somewhere() {
        let mut backoff = Backoff::new(1);
        let waits: Vec<Duration> = (0..12).map(|_| backoff.next()).collect();
        assert!(waits[0] <= FIRST && waits[0] >= FIRST / 2);
        assert!(waits[11] <= LONGEST && waits[11] >= LONGEST / 2);
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
