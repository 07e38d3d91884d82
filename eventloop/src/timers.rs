//! Deadlines in order: what is due, and how long the next poll may last.
//!
//! The loop asks [`Timers::next`] before it polls and takes what is [`Timers::due`] after. There is no clock here and
//! there must never be one: an instant is whatever the caller says it is, so that a simulation under virtual time runs
//! through the same code.

use std::collections::BTreeMap;

/// A set of deadlines, each with something to do. `I` is the instant, any ordered type: `std::time::Instant`, or
/// virtual nanoseconds.
///
/// It is a balanced tree and not a heap: most deadlines of a server (idle limits, handshakes) are cancelled long
/// before they are due, and here a cancelled one is gone at once instead of being carried to its end.
#[derive(Clone, Debug)]
pub struct Timers<I, T> {
    waiting: BTreeMap<TimerKey<I>, T>,
    /// The number of the next timer. At a billion a second it lasts for 584 years.
    serial_next: u64,
}

/// Names a timer that was set, to cancel it. It means something only to the [`Timers`] that gave it, and never comes to
/// mean another timer.
// The order of the fields is the order of the timers: by deadline, then as they were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey<I> {
    at: I,
    serial: u64,
}

impl<I: Ord + Copy, T> Timers<I, T> {
    /// No deadlines.
    pub const fn new() -> Self {
        Timers { waiting: BTreeMap::new(), serial_next: 0 }
    }

    /// `what` shall be due from `at` on, which may be in the past. Equal deadlines are due in the order in which they
    /// were set.
    pub fn set(&mut self, at: I, what: T) -> TimerKey<I> {
        let key = TimerKey { at, serial: self.serial_next };
        self.serial_next += 1;
        self.waiting.insert(key, what);
        key
    }

    /// Takes a timer out and gives back what it was for; `None` if it was due or cancelled before.
    pub fn cancel(&mut self, key: TimerKey<I>) -> Option<T> {
        self.waiting.remove(&key)
    }

    /// The earliest deadline, for the timeout of the next poll; `None` if there is none.
    pub fn next(&self) -> Option<I> {
        self.waiting.first_key_value().map(|(key, _)| key.at)
    }

    /// Takes out the earliest timer whose deadline is `now` or before. Call it until it gives `None`; with the same
    /// `now` that ends, unless each one that is taken sets another that is due already.
    pub fn due(&mut self, now: I) -> Option<T> {
        let earliest = self.waiting.first_entry()?;
        (earliest.key().at <= now).then(|| earliest.remove())
    }
}

impl<I: Ord + Copy, T> Default for Timers<I, T> {
    fn default() -> Self {
        Self::new()
    }
}
