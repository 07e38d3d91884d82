//! The line that a member says while being measured, and its way back out of what a receiver heard.
//!
//! It stands at both ends of a delivery: `conversation` writes it, `ledger` and `transcript` read it. It must
//! never hold a byte that a server may change on the way (control characters, spaces at the end, a slash in front).
//!
//! ```text
//! =  SSS  QQQQQ  LL  TTTTTTTT  filler …  LF
//! │  │    │      │   └ when it was said: nanoseconds since the generator began (48 bits)
//! │  │    │      └ slot among the messages in flight (12 bits)
//! │  │    └ sequence, counted per sender from 0 (30 bits)
//! │  └ sender, the member's index (18 bits)
//! └ no line of a server begins its text like this
//! ```
//!
//! Numbers are written six bits a character, from `0` to `o`: fixed width, so that a receiver that hears ten million
//! of them a second finds them without searching.

/// What the shortest message takes: marker, numbers and the final LF, no filler. In bytes.
pub const LENGTH_MIN: usize = 20;

/// What the longest message takes, LF included. In bytes.
pub const LENGTH_MAX: usize = 1024;

/// The most messages that can be in flight at once: what the slot's twelve bits can name.
pub const SLOTS_MAX: usize = 1 << 12;

const MARKER: u8 = b'=';
const HEADER: usize = LENGTH_MIN - 1;

/// Fills a message up to its length; compared byte by byte at the receiver, so that a torn line is noticed.
const FILLER: [u8; LENGTH_MAX] = {
    let mut filler = [0; LENGTH_MAX];
    let mut at = 0;
    while at < LENGTH_MAX {
        filler[at] = b'a' + (at % 26) as u8;
        at += 1;
    }
    filler
};

/// One message as its sender said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The index of the member that says it.
    pub sender: u32,
    /// Counts the sender's messages from 0.
    pub sequence: u32,
    /// Its place among the messages in flight.
    pub slot: u16,
    /// When it was said, in nanoseconds since the generator began.
    pub said_at_ns: u64,
}

impl Message {
    /// Appends the message to `line` as `length` bytes, the final LF included.
    ///
    /// # Panics
    ///
    /// If `length` is not between [`LENGTH_MIN`] and [`LENGTH_MAX`].
    pub fn write(&self, length: usize, line: &mut Vec<u8>) {
        line.push(MARKER);
        put::<3>(line, u64::from(self.sender));
        put::<5>(line, u64::from(self.sequence));
        put::<2>(line, u64::from(self.slot));
        put::<8>(line, self.said_at_ns);
        line.extend_from_slice(&FILLER[..length - LENGTH_MIN]);
        line.push(b'\n');
    }

    /// Reads a message back; `text` is the whole of it, the final LF included.
    #[inline]
    pub fn read(text: &[u8]) -> Option<Self> {
        let (header, filler) = text.strip_suffix(b"\n")?.split_at_checked(HEADER)?;
        if header[0] != MARKER || filler != FILLER.get(..filler.len())? {
            return None;
        }
        Some(Self {
            sender: take(&header[1..4])? as u32,
            sequence: take(&header[4..9])? as u32,
            slot: take(&header[9..11])? as u16,
            said_at_ns: take(&header[11..19])?,
        })
    }
}

/// Whether a line that is not a delivery looks as if it had been one: then it was torn or forged.
pub fn resembles(line: &[u8]) -> bool {
    line.windows(3).any(|window| window == b"> =")
}

fn put<const DIGITS: usize>(line: &mut Vec<u8>, value: u64) {
    let digits: [u8; DIGITS] =
        std::array::from_fn(|place| b'0' + ((value >> (6 * (DIGITS - 1 - place))) & 63) as u8);
    line.extend_from_slice(&digits);
}

#[inline]
fn take(digits: &[u8]) -> Option<u64> {
    let mut value = 0;
    let mut widest = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        widest |= digit;
        value = value << 6 | u64::from(digit);
    }
    (widest < 64).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: Message =
        Message { sender: 9_999, sequence: 1_000_000, slot: 4_095, said_at_ns: 123_456_789_012_345 };

    fn line(length: usize) -> Vec<u8> {
        let mut line = Vec::new();
        EXAMPLE.write(length, &mut line);
        line
    }

    #[test]
    fn message_is_read_back_as_it_was_written() {
        for length in [LENGTH_MIN, 128, 400, LENGTH_MAX] {
            assert_eq!(line(length).len(), length);
            assert_eq!(Message::read(&line(length)), Some(EXAMPLE));
        }
    }

    #[test]
    fn message_holds_printable_ascii_only() {
        let line = line(LENGTH_MAX);
        let (last, text) = line.split_last().unwrap();
        assert_eq!(*last, b'\n');
        assert!(text.iter().all(u8::is_ascii_graphic));
    }

    #[test]
    fn changed_byte_anywhere_is_noticed() {
        let whole = line(128);
        for at in 0..whole.len() {
            let mut torn = whole.clone();
            torn[at] = b'\t';
            assert_eq!(Message::read(&torn), None, "byte {at}");
        }
    }

    #[test]
    fn shortened_message_is_no_message() {
        let whole = line(128);
        for end in 0..whole.len() {
            assert_eq!(Message::read(&whole[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn torn_line_resembles_a_message_and_a_servers_line_does_not() {
        assert!(resembles(b"<m00001> =000"));
        assert!(!resembles(b"-- you are now m00001"));
    }
}
