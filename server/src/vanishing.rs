//! Tells peers that have vanished from peers that just do not read, for the shard's thread.
//!
//! A peer to which nothing is on its way is watched by the kernel alone (keepalive, see `listener`). To the others, those
//! whose bytes are not acknowledged or find no room, the kernel sends again or probes, and counts how often it did so without
//! an answer. A sweep looks at these counts now and then, and only while something was written that may still be under
//! way: nobody pays for people who are idle. `TCP_USER_TIMEOUT`, which would need no sweep, also cuts off who is
//! there and does not read; `docs/adr/0008-a-peer-that-does-not-read-has-not-vanished.md` has the figures.
//!
//! What it must never do: hold anything for each connection (a flag in the shard's own table is all), or judge a peer by
//! time alone, since one with no room may be asked, and so heard, only every two minutes.

use eventloop::SignsOfLife;
use hub::Time;
use std::time::Duration;

/// The system counts in seconds: one is needed to wait, one to ask.
const VANISHED_MIN: Duration = Duration::from_secs(2);
/// Nobody waits longer; the system's own counters would end.
const VANISHED_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Sweeps within the time after which a peer has vanished.
const SWEEPS: u64 = 2;
/// How often a peer is asked within that time. Each question costs a packet or two.
const QUESTIONS: u32 = 4;
/// So many unanswered questions are needed: networks lose packets, and who is there need not answer each.
const UNANSWERED_MIN: u32 = 3;

/// When a peer has vanished.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Patience(Duration);

impl Patience {
    /// That much of it, as far as the system can keep to it; whole seconds.
    pub(crate) fn new(vanished: Duration) -> Patience {
        Patience(Duration::from_secs(vanished.clamp(VANISHED_MIN, VANISHED_MAX).as_secs()))
    }

    pub(crate) fn seconds(self) -> u64 {
        self.0.as_secs()
    }

    /// How far apart questions to a peer may be that does not answer, or has no room.
    pub(crate) fn asking_interval_max(self) -> Duration {
        self.0 / QUESTIONS
    }

    /// Whether a peer that has not acknowledged everything has vanished: it was not heard for so long, and it was asked.
    ///
    /// The first alone is not enough, but it implies that a question has waited for at least half of that time: a peer that
    /// is silent for half of it is asked by keepalive, unless something was on its way to it already.
    fn is_over(self, signs: SignsOfLife) -> bool {
        u128::from(signs.heard_ms_ago) >= self.0.as_millis() && signs.asked_in_vain >= UNANSWERED_MIN
    }

    /// What to think of a peer to which something was written.
    pub(crate) fn judge(self, signs: SignsOfLife) -> Verdict {
        match signs {
            SignsOfLife { has_everything: true, .. } => Verdict::HasEverything,
            signs if self.is_over(signs) => Verdict::HasVanished,
            _ => Verdict::MayBeThere,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Keepalive will notice if it vanishes.
    HasEverything,
    /// It has to be looked at again.
    MayBeThere,
    HasVanished,
}

/// When to look.
#[derive(Debug)]
pub(crate) struct Sweeps {
    patience: Patience,
    next: Option<Time>,
}

impl Sweeps {
    pub(crate) fn new(patience: Patience) -> Sweeps {
        Sweeps { patience, next: None }
    }

    pub(crate) fn patience(&self) -> Patience {
        self.patience
    }

    /// Something was written: there will be a sweep.
    pub(crate) fn arm(&mut self, now: Time) {
        if self.next.is_none() {
            self.next = Some(now.after_ms(self.patience.seconds() * 1000 / SWEEPS));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.next
    }

    /// Whether it is time for a sweep. There is no next one until [`Sweeps::arm`] is called again.
    pub(crate) fn take_due(&mut self, now: Time) -> bool {
        self.next.take_if(|at| *at <= now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(heard_seconds_ago: u32, asked_in_vain: u32) -> Verdict {
        let heard_ms_ago = heard_seconds_ago * 1000;
        let signs = SignsOfLife { heard_ms_ago, asked_in_vain, has_everything: false };
        Patience::new(Duration::from_secs(120)).judge(signs)
    }

    #[test]
    fn peer_has_vanished_when_it_was_silent_for_so_long_and_asked_more_than_once_or_twice() {
        assert_eq!(verdict(120, 3), Verdict::HasVanished);
        assert_eq!(verdict(119, 9), Verdict::MayBeThere);
        // No room, and the next question is not due yet, or one was lost.
        assert_eq!(verdict(239, 0), Verdict::MayBeThere);
        assert_eq!(verdict(239, 1), Verdict::MayBeThere);
    }

    #[test]
    fn peer_that_has_everything_is_left_to_keepalive() {
        let signs = SignsOfLife { heard_ms_ago: 900_000, asked_in_vain: 9, has_everything: true };
        assert_eq!(Patience::new(Duration::ZERO).judge(signs), Verdict::HasEverything);
    }

    #[test]
    fn patience_stays_within_what_the_system_can_count() {
        assert_eq!(Patience::new(Duration::ZERO).seconds(), 2);
        assert_eq!(Patience::new(Duration::from_secs(120)).seconds(), 120);
        assert_eq!(Patience::new(Duration::MAX).seconds(), 24 * 60 * 60);
    }

    #[test]
    fn there_is_no_sweep_unless_something_was_written_since_the_last() {
        let mut sweeps = Sweeps::new(Patience::new(Duration::from_secs(120)));
        assert_eq!(sweeps.next_deadline(), None);
        sweeps.arm(Time(1000));
        sweeps.arm(Time(50_000));
        assert_eq!(sweeps.next_deadline(), Some(Time(61_000)));
        assert!(!sweeps.take_due(Time(60_999)));
        assert!(sweeps.take_due(Time(61_000)));
        assert!(!sweeps.take_due(Time(1_000_000)));
        assert_eq!(sweeps.next_deadline(), None);
    }
}
