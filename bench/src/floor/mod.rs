//! The floors: the least that anything could do and still relay lines. The product is measured beside them.
//!
//! Both are one thread, one epoll, level-triggered, `TCP_NODELAY`. They speak just enough to take the product's place:
//! `/nick NAME` and `/join ROOM` are understood and answered as the product answers them, every other line goes to the
//! others of the room with the bytes that the product would send. `house` holds what the two share (connections,
//! rooms, reading); `send` and `log` are what they differ in. They check nothing, bound nothing and clean nothing:
//! they must never be put before people, and nothing may be added to them that a relay can do without.

mod house;
mod log;
mod send;

use anyhow::Result;

use self::{house::House, log::LogRelay, send::SendRelay};

/// Which floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Floor {
    /// One `send` per receiver for every line, at once.
    Send,
    /// One log per room, written once per member at the end of the turn.
    Log,
}

impl Floor {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Log => "log",
        }
    }
}

/// Serves on a free port of loopback, which it prints (`listening on ADDRESS`), until the process is killed or the
/// one that started it ends.
///
/// # Errors
///
/// If the kernel gives no socket or no epoll.
pub fn serve(floor: Floor) -> Result<()> {
    match floor {
        Floor::Send => House::open()?.run(&mut SendRelay::default()),
        Floor::Log => House::open()?.run(&mut LogRelay::default()),
    }
}
