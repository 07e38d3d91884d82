//! The numbers that name and order things. Every stage of the flow uses them; nothing here decides anything.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

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
    /// Nobody who is here: the author of something that was read out of the history. Never minted.
    pub const NOBODY: MemberId = MemberId(0);

    /// A member of shard `shard`; `own` stays between 1 and 2^56 and is never used twice by the shard.
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

/// Names a client from one connection to the next: a digest of its resume secret, so that what is written down gives
/// nobody's secret away. Whoever knows the secret counts as the author of what it said, and owns its nonces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub [u8; 16]);

/// A client's own name for something that it asks for: 1 to [`Nonce::BYTES_MAX`] bytes without control characters. What is
/// said twice with one nonce is said once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Nonce(Arc<str>);

impl Nonce {
    /// A nonce has at most this many bytes.
    pub const BYTES_MAX: usize = 64;

    /// `None` if it is empty, too long, or has a control character in it.
    pub fn new(raw: &str) -> Option<Nonce> {
        let fits = (1..=Nonce::BYTES_MAX).contains(&raw.len()) && !raw.chars().any(char::is_control);
        fits.then(|| Nonce(raw.into()))
    }

    /// As the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 40 random bits, made with the data file and never changed: who comes back with another epoch speaks of another history.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Epoch(u64);

impl Epoch {
    /// The lowest 40 bits of `bits`.
    pub fn new(bits: u64) -> Epoch {
        Epoch(bits & 0xff_ffff_ffff)
    }

    /// The 40 bits.
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// Names a kept fact everywhere and for ever, written `EPOCH-ROOM-SEQUENCE` in base 32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MessageId {
    /// Of the data file.
    pub epoch: Epoch,
    /// The room's number.
    pub room: RoomNumber,
    /// Its sequence there.
    pub sequence: Sequence,
}

/// Base 32 without the letters that look like digits, after Crockford; lower case.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// An epoch is always written with so many digits: 40 bits.
const EPOCH_DIGITS: usize = 8;

fn write_base32(formatter: &mut fmt::Formatter<'_>, number: u64, digits_min: usize) -> fmt::Result {
    let digits = (64 - number.leading_zeros() as usize).div_ceil(5).max(digits_min).max(1);
    for place in (0..digits).rev() {
        let digit = (number >> (5 * place)) as usize & 31;
        fmt::Write::write_char(formatter, BASE32[digit].into())?;
    }
    Ok(())
}

/// One number has one way of being written: no zeros in front, but for those that `digits` asks for.
fn read_base32(text: &str, digits: Option<usize>) -> Option<u64> {
    let is_canonical = match digits {
        Some(digits) => text.len() == digits,
        None => text == "0" || (!text.is_empty() && !text.starts_with('0') && text.len() <= 13),
    };
    let value = |byte: u8| BASE32.iter().position(|digit| *digit == byte);
    let add = |number: u64, byte: u8| number.checked_mul(32)?.checked_add(value(byte)? as u64);
    if is_canonical { text.bytes().try_fold(0, add) } else { None }
}

impl fmt::Display for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base32(formatter, self.0, EPOCH_DIGITS)
    }
}

impl FromStr for Epoch {
    type Err = NoSuchId;

    fn from_str(text: &str) -> Result<Epoch, NoSuchId> {
        read_base32(text, Some(EPOCH_DIGITS)).map(Epoch).ok_or(NoSuchId)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-", self.epoch)?;
        write_base32(formatter, self.room.0.into(), 1)?;
        formatter.write_str("-")?;
        write_base32(formatter, self.sequence.0, 1)
    }
}

impl FromStr for MessageId {
    type Err = NoSuchId;

    fn from_str(text: &str) -> Result<MessageId, NoSuchId> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or(NoSuchId);
        let epoch = part()?.parse()?;
        let room = read_base32(part()?, None).and_then(|room| u32::try_from(room).ok()).ok_or(NoSuchId)?;
        let sequence = read_base32(part()?, None).ok_or(NoSuchId)?;
        Ok(MessageId { epoch, room: RoomNumber(room), sequence: Sequence(sequence) })
    }
}

/// A text is no id of the kind that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchId;

impl fmt::Display for NoSuchId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("that is no id; one looks like 3k7h2m9q-1-4f")
    }
}

impl core::error::Error for NoSuchId {}

/// What a direct conversation is called where rooms are called by name: `@` and its number. No room's name begins so.
pub fn conversation_name(number: RoomNumber) -> String {
    alloc::format!("@{number}")
}

impl fmt::Display for RoomNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}
