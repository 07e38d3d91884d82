//! The server's moments, as the reader's clock has them and as requests write them.
//!
//! Where it stands: below everything that shows a time or asks for what was said at one.
//!
//! What this file must never do: ask a clock.

use hub::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What a moment is called where the reader is.
pub(crate) fn local(zone: &TimeZone, time: Time) -> Zoned {
    timestamp(time).to_zoned(zone.clone())
}

/// A moment as the protocol writes it (RFC 3339).
pub(crate) fn rfc3339(time: Time) -> String {
    timestamp(time).to_string()
}

/// What is later than any calendar has is its last moment: the server may say any number.
fn timestamp(time: Time) -> Timestamp {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}
