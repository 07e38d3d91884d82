//! The words between a loop and its poller: which descriptor ([`Token`]), what is asked about it ([`Interest`]) and what
//! is answered ([`Event`], [`Mask`]).
//!
//! Plain data on both sides of every poll. Nothing here may speak to the kernel or know which poller is at work: each back
//! end translates these words into its own.

use std::{
    fmt,
    ops::BitOr,
    os::fd::{AsFd, AsRawFd, RawFd},
};

/// The caller's own number for a registered descriptor. It comes back in every [`Event`] and is never interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

impl Token {
    /// The descriptor's own number, for loops that look things up by it, as textbooks do.
    ///
    /// The system gives the number of a closed descriptor to the next one that is opened. Who closes and opens in the
    /// middle of a batch is safer with tokens that are not used again at once.
    pub fn of(source: &impl AsFd) -> Token {
        Token(source.as_fd().as_raw_fd() as u64)
    }

    /// The descriptor's number, if the token was made by [`Token::of`].
    pub const fn descriptor(self) -> RawFd {
        self.0 as RawFd
    }
}

/// What the caller wants to be told about a descriptor. Hang-ups, errors and closed descriptors are told unasked, as far
/// as the poller can ([`PollerKind::tells`](crate::PollerKind::tells)).
///
/// ```
/// use eventloop::Interest;
///
/// let interest = Interest::READ | Interest::PRIORITY;
/// assert!(interest.reads() && interest.priority() && !interest.writes());
/// assert_eq!(Interest::READ | Interest::WRITE, Interest::BOTH);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interest(u8);

impl Interest {
    /// Nothing: the descriptor stays registered, and only what nobody asks for is reported.
    pub const NONE: Interest = Interest(0);
    /// Tell when a read would not block.
    pub const READ: Interest = Interest(1);
    /// Tell when a write would not block.
    pub const WRITE: Interest = Interest(2);
    /// Tell when either would not block.
    pub const BOTH: Interest = Interest(Self::READ.0 | Self::WRITE.0);
    /// Tell when something urgent waits: on TCP the urgent byte (`tcp(7)`, `MSG_OOB`).
    pub const PRIORITY: Interest = Interest(4);

    /// Whether readability is asked for.
    pub const fn reads(self) -> bool {
        self.0 & Self::READ.0 != 0
    }

    /// Whether writability is asked for.
    pub const fn writes(self) -> bool {
        self.0 & Self::WRITE.0 != 0
    }

    /// Whether urgent data is asked for.
    pub const fn priority(self) -> bool {
        self.0 & Self::PRIORITY.0 != 0
    }
}

impl BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.reads(), "read"), (self.writes(), "write"), (self.priority(), "priority")];
        write_words(formatter, words)
    }
}

/// Which of the six conditions hold. The crate's documentation says what each word promises.
///
/// ```
/// use eventloop::Mask;
///
/// let mask = Mask::READABLE | Mask::HANGUP;
/// assert!(mask.contains(Mask::HANGUP) && mask.intersects(Mask::HANGUP | Mask::ERROR));
/// assert_eq!(mask.to_string(), "readable|hang-up");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mask(u8);

impl Mask {
    /// Nothing is so.
    pub const EMPTY: Mask = Mask(0);
    /// A read would not block: bytes, the end of the stream, or an error.
    pub const READABLE: Mask = Mask(1);
    /// Something urgent waits.
    pub const PRIORITY: Mask = Mask(2);
    /// A write would not block.
    pub const WRITABLE: Mask = Mask(4);
    /// An error is pending; the next read or write returns it.
    pub const ERROR: Mask = Mask(8);
    /// Both directions have ended; bytes that came before may still wait to be read.
    pub const HANGUP: Mask = Mask(16);
    /// The descriptor was closed while it was registered. It is forgotten with this report.
    pub const INVALID: Mask = Mask(32);

    /// Whether all of `other` holds.
    pub const fn contains(self, other: Mask) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some of `other` holds.
    pub const fn intersects(self, other: Mask) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing holds.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This mask, or none.
    pub(crate) const fn only_if(self, holds: bool) -> Mask {
        if holds { self } else { Mask::EMPTY }
    }
}

impl BitOr for Mask {
    type Output = Mask;

    fn bitor(self, other: Mask) -> Mask {
        Mask(self.0 | other.0)
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (Mask::READABLE, "readable"),
            (Mask::PRIORITY, "priority"),
            (Mask::WRITABLE, "writable"),
            (Mask::ERROR, "error"),
            (Mask::HANGUP, "hang-up"),
            (Mask::INVALID, "invalid"),
        ];
        write_words(formatter, words.map(|(mask, word)| (self.contains(mask), word)))
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The words that apply, as in `readable|hang-up`; `nothing` if none does.
fn write_words<const COUNT: usize>(
    formatter: &mut fmt::Formatter<'_>,
    words: [(bool, &str); COUNT],
) -> fmt::Result {
    let mut applying = words.iter().filter(|(applies, _)| *applies).map(|(_, word)| *word);
    formatter.write_str(applying.next().unwrap_or("nothing"))?;
    applying.try_for_each(|word| write!(formatter, "|{word}"))
}

/// The state of one descriptor, as a poll found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number under which the descriptor was registered.
    pub token: Token,
    /// What is so.
    pub mask: Mask,
}

impl Event {
    /// A read would not block: bytes, the end of the stream, or an error.
    pub const fn readable(self) -> bool {
        self.mask.contains(Mask::READABLE)
    }

    /// Something urgent waits.
    pub const fn priority(self) -> bool {
        self.mask.contains(Mask::PRIORITY)
    }

    /// A write would not block.
    pub const fn writable(self) -> bool {
        self.mask.contains(Mask::WRITABLE)
    }

    /// An error is pending; the next read or write returns it.
    pub const fn error(self) -> bool {
        self.mask.contains(Mask::ERROR)
    }

    /// Both directions have ended; bytes that came before may still wait to be read.
    pub const fn hangup(self) -> bool {
        self.mask.contains(Mask::HANGUP)
    }

    /// The descriptor was closed while it was registered. It is forgotten with this report.
    pub const fn invalid(self) -> bool {
        self.mask.contains(Mask::INVALID)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_is_set() {
        assert_eq!(Mask::EMPTY.to_string(), "nothing");
        let all =
            Mask::READABLE | Mask::PRIORITY | Mask::WRITABLE | Mask::ERROR | Mask::HANGUP | Mask::INVALID;
        assert_eq!(all.to_string(), "readable|priority|writable|error|hang-up|invalid");
        assert_eq!(format!("{:?}", Mask::READABLE | Mask::HANGUP), "readable|hang-up");
        assert_eq!(format!("{:?}", Interest::BOTH | Interest::PRIORITY), "read|write|priority");
        assert_eq!(format!("{:?}", Interest::NONE), "nothing");
    }

    #[test]
    fn token_of_a_descriptor_is_its_number() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(Token::of(&ours).descriptor(), ours.as_raw_fd());
    }
}
