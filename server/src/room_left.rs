//! Room for connections with a poller that cannot watch them all: `select` knows no descriptor from 1,024 on.
//!
//! Where it stands: asked by the shard that accepts, before anything else is done for a connection, on behalf of all shards:
//! the numbers of descriptors are the process's. With `poll` and `epoll` there is no such end, and nothing to be told.
//!
//! What this file must never do: write a line to the log for each connection that is refused.

use eventloop::PollerKind;
use hub::Time;
use std::os::fd::{AsFd, AsRawFd};

/// So long after the last refusal it is over.
const QUIET_MS: u64 = 10_000;

/// Whether there is room, and what the log has been told of it.
#[derive(Debug)]
pub(crate) struct RoomLeft {
    poller: PollerKind,
    /// Connections refused since there was no room; none if there is room.
    refused: u64,
    /// When it is over, if nobody else is refused.
    over_at: Option<Time>,
}

impl RoomLeft {
    pub(crate) fn new(poller: PollerKind) -> RoomLeft {
        RoomLeft { poller, refused: 0, over_at: None }
    }

    /// Tells the log how many connections there can be, if that has an end.
    pub(crate) fn tell_end(&self) {
        let Some(descriptors_max) = self.poller.descriptors_max() else { return };
        tracing::info!(
            connections_max = descriptors_max.saturating_sub(taken_below(descriptors_max)),
            "{} cannot watch more connections than that; --poller poll and --poller epoll can",
            self.poller
        );
    }

    /// Whether the poller can watch this socket.
    pub(crate) fn is_there_for(&self, socket: impl AsFd) -> bool {
        let number = i64::from(socket.as_fd().as_raw_fd());
        self.poller.descriptors_max().is_none_or(|descriptors_max| number < i64::from(descriptors_max))
    }

    /// There was no room for a connection. The log is told of the first.
    pub(crate) fn refused(&mut self, now: Time, connections: usize) {
        self.over_at = Some(now.after_ms(QUIET_MS));
        self.refused += 1;
        if self.refused == 1 {
            let descriptors_max = self.poller.descriptors_max();
            tracing::warn!(
                connections,
                descriptors_max,
                "no room for more connections: {} can watch no more, and who comes is refused; start with --poller poll or \
                 --poller epoll to let them in",
                self.poller
            );
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.over_at
    }

    /// Tells the log that it is over, once nobody was refused for a while.
    pub(crate) fn tick(&mut self, now: Time) {
        if self.over_at.take_if(|at| *at <= now).is_some() {
            let refused = std::mem::take(&mut self.refused);
            tracing::info!(refused, "nobody was refused for lack of room for {} seconds", QUIET_MS / 1000);
        }
    }
}

/// How many numbers below this one are taken by now. Where the system does not tell, only those of the standard streams are
/// counted.
fn taken_below(descriptors_max: u32) -> u32 {
    /// Input, output and errors.
    const STANDARD_STREAMS: usize = 3;
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = open.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // One of them is that of the listing itself.
    let taken = numbers.filter(|number| *number < descriptors_max).count().saturating_sub(1);
    taken.max(STANDARD_STREAMS) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lack_of_room_is_over_when_nobody_was_refused_for_a_while() {
        let mut room_left = RoomLeft::new(PollerKind::Select);
        assert_eq!(room_left.next_deadline(), None);
        room_left.refused(Time(0), 1_000);
        room_left.refused(Time(5_000), 1_000);
        room_left.tick(Time(10_000));
        assert_eq!(room_left.refused, 2);
        room_left.tick(Time(15_000));
        assert_eq!((room_left.refused, room_left.next_deadline()), (0, None));
    }

    #[test]
    fn only_select_has_an_end() {
        let low = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let high = rustix::io::fcntl_dupfd_cloexec(&low, 1024);
        for poller in PollerKind::ALL {
            let room_left = RoomLeft::new(poller);
            assert!(room_left.is_there_for(&low));
            if let Ok(high) = &high {
                assert_eq!(room_left.is_there_for(high), poller != PollerKind::Select);
            }
        }
    }
}
