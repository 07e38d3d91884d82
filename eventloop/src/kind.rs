//! Which pollers there are, and what each can tell.
//!
//! A name to choose by (`roomful serve --poller NAME` is such a choice) and a table to know by. The table is also in the
//! crate's documentation; a test holds the two together, and the conformance suite holds the table to the kernel.

use std::{error::Error, fmt, str::FromStr};

use crate::select;

/// A way to ask the kernel which descriptors are ready. The crate's documentation says when to choose which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PollerKind {
    /// `select(2)`: everywhere since 1983, for descriptors below 1,024.
    Select,
    /// `poll(2)`: everywhere, for any descriptor; each poll costs something for every descriptor that is registered.
    Poll,
    /// `epoll(7)`: on Linux; a poll costs something only for those that are ready.
    Epoll,
}

impl PollerKind {
    /// All of them, the oldest first.
    pub const ALL: [PollerKind; 3] = [PollerKind::Select, PollerKind::Poll, PollerKind::Epoll];

    /// The name, as [`FromStr`] takes it.
    pub const fn name(self) -> &'static str {
        match self {
            PollerKind::Select => "select",
            PollerKind::Poll => "poll",
            PollerKind::Epoll => "epoll",
        }
    }

    /// How many descriptors the poller can watch, if that has an end: they must also be *numbered* below it.
    pub const fn descriptors_max(self) -> Option<u32> {
        match self {
            PollerKind::Select => Some(select::DESCRIPTORS_MAX as u32),
            PollerKind::Poll | PollerKind::Epoll => None,
        }
    }

    /// How this poller tells of a condition.
    pub const fn tells(self, condition: Condition) -> Telling {
        use Condition::{Error, Hangup, Invalid, Priority, Readable, Writable};
        match (self, condition) {
            (PollerKind::Select, Error | Hangup) => Telling::Folded,
            (PollerKind::Epoll, Invalid) => Telling::Refused,
            (_, Readable | Priority | Writable | Error | Hangup | Invalid) => Telling::Reported,
        }
    }
}

impl Default for PollerKind {
    /// The best that the system has: `epoll` on Linux, `poll` elsewhere.
    fn default() -> Self {
        if cfg!(target_os = "linux") { PollerKind::Epoll } else { PollerKind::Poll }
    }
}

impl fmt::Display for PollerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for PollerKind {
    type Err = UnknownPoller;

    fn from_str(name: &str) -> Result<Self, UnknownPoller> {
        let named = PollerKind::ALL.into_iter().find(|kind| kind.name() == name);
        named.ok_or_else(|| UnknownPoller(name.to_owned()))
    }
}

/// No poller has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPoller(String);

impl fmt::Display for UnknownPoller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = PollerKind::ALL.map(PollerKind::name).join(", ");
        write!(formatter, "unknown poller `{}`, expected one of: {names}", self.0)
    }
}

impl Error for UnknownPoller {}

/// The six classic poll conditions, those of [`Mask`](crate::Mask).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A read would not block.
    Readable,
    /// Something urgent waits.
    Priority,
    /// A write would not block.
    Writable,
    /// An error is pending.
    Error,
    /// Both directions have ended.
    Hangup,
    /// The descriptor was closed while it was registered.
    Invalid,
}

impl Condition {
    /// All of them, in the order of the table in the crate's documentation.
    pub const ALL: [Condition; 6] = [
        Condition::Readable,
        Condition::Priority,
        Condition::Writable,
        Condition::Error,
        Condition::Hangup,
        Condition::Invalid,
    ];
}

/// How a poller tells of a [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Telling {
    /// By its own bit in the [`Mask`](crate::Mask).
    Reported,
    /// By the bit of another condition, to who asked for that one: the read or write that follows says what it was.
    Folded,
    /// Not at all: what is so cannot be registered, and what becomes so is forgotten.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for kind in PollerKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    /// The cells of the table in the crate's documentation whose first column is headed `condition`.
    fn documented() -> Vec<Vec<&'static str>> {
        let lines = include_str!("lib.rs").lines().skip_while(|line| !line.starts_with("//! | condition |"));
        let rows = lines.take_while(|line| line.starts_with("//! |"));
        rows.map(|row| row.split('|').map(str::trim).skip(1).collect()).collect()
    }

    #[test]
    fn table_in_the_documentation_is_what_is_told() {
        let rows = documented();
        let head = PollerKind::ALL.map(|kind| format!("`{kind}`"));
        assert_eq!(rows[0][1..4], head);
        let name = |condition| match condition {
            Condition::Hangup => "hang-up".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        for (row, condition) in rows[2..].iter().zip(Condition::ALL) {
            assert_eq!(row[0], name(condition));
            for (cell, kind) in row[1..].iter().zip(PollerKind::ALL) {
                let told = format!("{:?}", kind.tells(condition)).to_lowercase();
                assert_eq!(cell.split(' ').next(), Some(&*told), "{condition:?} under {kind}");
            }
        }
        assert_eq!(rows.len(), 2 + Condition::ALL.len());
    }

    #[test]
    fn unknown_name_is_told_the_known_ones() {
        let error = "kqueue".parse::<PollerKind>().unwrap_err();
        assert_eq!(error.to_string(), "unknown poller `kqueue`, expected one of: select, poll, epoll");
    }
}
