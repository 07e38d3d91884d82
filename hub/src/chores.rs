//! What the hub itself would like to state: sums that are due, rooms that nobody needs, numbers that a crash lost. Like
//! any fact they are only proposed here; the desk numbers and applies them.

use crate::fact::Fact;
use crate::hub::Hub;
use crate::ids::{Sequence, Time};
use crate::snapshot::Reservation;
use alloc::vec::Vec;

impl Hub {
    /// The next chore that is due: to be numbered and applied before anything else is proposed; ask again until there
    /// is none. (A room that is entered between the two would stay open here, but not when the journal is replayed.)
    pub fn chore(&self, now: Time) -> Option<Fact> {
        if let Some(room) = self.closable.first() {
            return Some(Fact::Closed { room: *room });
        }
        // The earliest stands first.
        let (at, room) = self.sums.first()?;
        (*at <= now).then_some(Fact::Summed { room: *room })
    }

    /// When to ask for chores again, if nothing happens before.
    pub fn next_chore(&self) -> Option<Time> {
        self.sums.first().map(|(at, _)| *at)
    }

    /// After a crash: the rooms' numbers and the sequences that the journal had reserved, that people may have seen, and
    /// that no fact has. To be applied before anything else.
    pub fn losses(&self, reservation: &Reservation) -> Vec<Fact> {
        let lost = |(room, reserved): (&crate::RoomNumber, &Sequence)| {
            let sequence = self.rooms.get(room)?.sequence;
            let from = sequence.next();
            (*reserved >= from).then_some(Fact::Lost { room: *room, from, to: *reserved })
        };
        let rooms = Fact::RoomsLost { next_room: reservation.next_room };
        core::iter::once(rooms).chain(reservation.sequences.iter().filter_map(lost)).collect()
    }
}
