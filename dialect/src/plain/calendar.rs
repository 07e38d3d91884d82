//! Moments as people write and read them: dates and times of day where the server's people live.
//!
//! Where it stands: beside the commands that name a moment, and the lines of the past, which bear one.
//!
//! What this file must never do: ask a clock; what time it is, is an argument.

use crate::Setup;
use hub::Time;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

const MINUTE_MS: u64 = 60 * 1000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What the clocks of the server's people show at a moment.
pub(super) fn local(setup: &Setup, time: Time) -> civil::DateTime {
    setup.zone.to_datetime(timestamp(time))
}

/// A moment to the millisecond, so that it can be typed again and means the same.
pub(super) fn exact(setup: &Setup, time: Time) -> String {
    let (timestamp, local) = (timestamp(time), local(setup, time));
    // In the hour that a clock shows twice the time of day alone could mean either.
    if setup.zone.to_ambiguous_timestamp(local).is_ambiguous() {
        timestamp.display_with_offset(setup.zone.to_offset(timestamp)).to_string()
    } else {
        local.to_string()
    }
}

/// The moment that was typed: so long ago (`10m`, `2h`, `3d`), a date, a time of today, or both (`2026-11-20T10:00`); in the zone
/// of whoever typed it.
pub fn moment(zone: &TimeZone, now: Time, typed: &str) -> Option<Time> {
    ago(now, typed).or_else(|| written_out(typed)).or_else(|| by_clock(zone, now, typed))
}

fn ago(now: Time, typed: &str) -> Option<Time> {
    let units = [('m', MINUTE_MS), ('h', HOUR_MS), ('d', DAY_MS)];
    let (count, unit_ms) = units.into_iter().find_map(|(unit, ms)| Some((typed.strip_suffix(unit)?, ms)))?;
    if !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = count.parse().ok()?;
    Some(Time(now.0.saturating_sub(count.saturating_mul(unit_ms))))
}

/// With its distance from UTC, as [`exact`] writes it where that is needed.
fn written_out(typed: &str) -> Option<Time> {
    typed.parse().ok().map(time)
}

fn by_clock(zone: &TimeZone, now: Time, typed: &str) -> Option<Time> {
    let of_today =
        || Some(zone.to_datetime(timestamp(now)).date().to_datetime(typed.parse::<civil::Time>().ok()?));
    let meant = typed.parse::<civil::DateTime>().ok().or_else(of_today)?;
    // What a clock shows twice is its first time; what it leaves out is as much later.
    zone.to_ambiguous_timestamp(meant).compatible().ok().map(time)
}

/// What lies beyond the calendar is at its end.
fn timestamp(time: Time) -> Timestamp {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// What lies before the epoch is at its beginning.
fn time(timestamp: Timestamp) -> Time {
    Time(u64::try_from(timestamp.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::RoomName;

    fn setup(zone: &str) -> Setup {
        let zone = TimeZone::posix(zone).expect("a zone");
        Setup { zone, ..Setup::new(RoomName::parse("lobby").expect("a name")) }
    }

    /// Central European time: an hour before UTC, two in summer.
    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
    /// 2026-11-20T18:05:00Z.
    const NOW: Time = Time(1_795_197_900_000);

    fn heard(zone: &str, typed: &str) -> Option<String> {
        moment(&setup(zone).zone, NOW, typed).map(|time| timestamp(time).to_string())
    }

    #[test]
    fn moment_is_meant_where_people_live() {
        let table = [
            ("10m", "2026-11-20T17:55:00Z"),
            ("2h", "2026-11-20T16:05:00Z"),
            ("3d", "2026-11-17T18:05:00Z"),
            ("0m", "2026-11-20T18:05:00Z"),
            ("99999999999999999d", "1970-01-01T00:00:00Z"),
            ("10:00", "2026-11-20T09:00:00Z"),
            ("2026-11-19", "2026-11-18T23:00:00Z"),
            ("2026-11-19T10:00", "2026-11-19T09:00:00Z"),
            ("2026-11-19 10:00", "2026-11-19T09:00:00Z"),
            ("2026-07-01T10:00:30.25", "2026-07-01T08:00:30.25Z"),
            ("2026-07-01T10:00Z", "2026-07-01T10:00:00Z"),
            ("1900-01-01", "1970-01-01T00:00:00Z"),
        ];
        for (typed, meant) in table {
            assert_eq!(heard(BERLIN, typed).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for typed in [
            "",
            "m",
            "-5m",
            "+5m",
            "5 m",
            "5y",
            "yesterday",
            "25:00",
            "2026-13-01",
            "2026-02-30",
            "h2",
            "１0m",
        ] {
            assert_eq!(heard(BERLIN, typed), None, "{typed}");
        }
    }

    #[test]
    fn exact_moment_means_the_same_when_it_is_typed_again() {
        // Around both changes of the clock, in steps of 20 minutes and some milliseconds.
        for begin in [1_774_742_400_000, 1_792_886_400_000] {
            for step in 0..300 {
                let time = Time(begin + step * 1_200_123);
                let setup = setup(BERLIN);
                let written = exact(&setup, time);
                assert_eq!(moment(&setup.zone, NOW, &written), Some(time), "{written}");
            }
        }
        assert_eq!(exact(&setup("UTC0"), NOW), "2026-11-20T18:05:00");
    }

    #[test]
    fn end_of_time_has_a_date() {
        assert_eq!(local(&setup(BERLIN), Time(u64::MAX)).date().year(), 9999);
    }
}
