//! The numbers that name and order things. Every stage of the flow uses them; nothing here decides anything.

use core::fmt;

/// Orders everything that happens on the server. Grows by at least one from fact to fact; holes are allowed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position(pub u64);

impl Position {
    /// The position behind this one.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }
}

/// Numbers the kept facts of one room: 1, 2, 3 …, dense but for recorded `Lost` ranges. 0 stands before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The sequence behind this one.
    #[must_use]
    pub fn next(self) -> Sequence {
        Sequence(self.0.saturating_add(1))
    }
}

/// Names a room for ever: never used twice, kept when the room is renamed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct RoomNumber(pub u32);

/// Names a member for its stay. Minted by the shard that holds the connection: the upper 8 bits are the shard, the lower
/// 56 are the shard's own, so that two shards never mint the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MemberId(u64);

impl MemberId {
    /// The lowest and the highest that there can be: the ends of a range.
    pub(crate) const ALL: (MemberId, MemberId) = (MemberId(0), MemberId(u64::MAX));

    /// A member of shard `shard`; `own` stays below 2^56 and is never used twice by the shard.
    pub fn mint(shard: u8, own: u64) -> MemberId {
        MemberId((u64::from(shard) << 56) | (own & 0x00ff_ffff_ffff_ffff))
    }

    /// The shard that minted this id: where the member's connection is.
    pub fn shard(self) -> u8 {
        (self.0 >> 56) as u8
    }

    /// The bare number, for records of who said what.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// A moment: milliseconds since the Unix epoch. Always an argument; nothing in this crate asks a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// The moment `ms` milliseconds later.
    #[must_use]
    pub fn after_ms(self, ms: u64) -> Time {
        Time(self.0.saturating_add(ms))
    }
}

impl fmt::Display for RoomNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}
