//! How fast one connection may send: so many lines a second on average, and at once what it may send in ten.
//!
//! Where it stands: in each session, which asks before it works on a line. Whoever is too fast is told and not read from
//! for a while; nothing is dropped.
//!
//! What this file must never do: take more than four bytes of a session that is at rest; there may be very many of them.

use hub::Time;

/// What may be sent at once is what may be sent in so many seconds.
const BURST_SECONDS: u32 = 10;
/// The unit here is a hundredth of a millisecond.
const TICKS_PER_SECOND: u32 = 100_000;
const TICKS_PER_MS: u32 = TICKS_PER_SECOND / 1000;
const BURST_TICKS: u32 = BURST_SECONDS * TICKS_PER_SECOND;

/// The moment at which everything sent so far will have been within the rate: the generic cell rate algorithm (ITU-T I.371).
/// It is kept modulo 2³² ticks, some twelve hours. What lies further ahead than anybody can get lies in the past; so, at
/// worst, somebody who was silent for exactly so long is held up once, for seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace(u32);

impl Pace {
    /// How many milliseconds the next line has to wait; 0 if it may come now.
    pub fn wait_ms(self, now: Time) -> u64 {
        u64::from(self.ahead(now).saturating_sub(BURST_TICKS).div_ceil(TICKS_PER_MS))
    }

    /// Whether half of what may be sent at once is free again: being held up is over then.
    pub fn is_relaxed(self, now: Time) -> bool {
        self.ahead(now) <= BURST_TICKS / 2
    }

    /// A line was sent that may be one of `lines_per_second` (at least one, at most 100,000).
    pub fn spend(&mut self, now: Time, lines_per_second: u32) {
        // Rounded up: at most so many, at high rates perhaps fewer.
        let cost = TICKS_PER_SECOND.div_ceil(lines_per_second.clamp(1, TICKS_PER_SECOND));
        self.0 = ticks(now).wrapping_add(self.ahead(now) + cost);
    }

    fn ahead(self, now: Time) -> u32 {
        let ahead = self.0.wrapping_sub(ticks(now));
        if ahead > 2 * BURST_TICKS { 0 } else { ahead }
    }
}

fn ticks(now: Time) -> u32 {
    (now.0 as u32).wrapping_mul(TICKS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines come through in these milliseconds if one is always ready.
    fn lines_in(lines_per_second: u32, begin: Time, ms: u64) -> u32 {
        let mut pace = Pace::default();
        let mut lines = 0;
        let mut now = begin;
        while now < begin.after_ms(ms) {
            match pace.wait_ms(now) {
                0 => {
                    pace.spend(now, lines_per_second);
                    lines += 1;
                }
                wait_ms => now = now.after_ms(wait_ms),
            }
        }
        lines
    }

    #[test]
    fn ten_seconds_worth_comes_at_once_and_then_the_rate() {
        for begin in [Time(0), Time(1_763_700_000_000), Time(u64::from(u32::MAX / TICKS_PER_MS) - 5)] {
            for rate in [1, 10, 1000, 10_000] {
                let expected = rate * (BURST_SECONDS + 60);
                let lines = lines_in(rate, begin, 60_000);
                assert!(lines.abs_diff(expected) <= 2 * rate.div_ceil(100) + 1, "{lines} at {rate}");
            }
            for rate in [7, 30_000, 60_000] {
                let lines = lines_in(rate, begin, 60_000);
                assert!(
                    lines <= rate * (BURST_SECONDS + 60) + 2 * rate.div_ceil(100) + 1,
                    "{lines} at {rate}"
                );
            }
        }
    }

    #[test]
    fn whoever_was_silent_may_send_as_much_as_a_newcomer() {
        let mut pace = Pace::default();
        for _ in 0..1000 {
            pace.spend(Time(0), 10);
            if pace.wait_ms(Time(0)) > 0 {
                break;
            }
        }
        assert!(pace.wait_ms(Time(0)) > 0 && !pace.is_relaxed(Time(0)));
        assert!(pace.is_relaxed(Time(11_000)));
        for hours in 1..100 {
            assert!(pace.is_relaxed(Time(hours * 3_600_000)), "after {hours} hours");
        }
    }
}
