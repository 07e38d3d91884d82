//! What outlives the process: rooms, topics, sequences, and what the journal has reserved. A hub that is restored from a
//! snapshot and applies the kept facts behind it is, as far as kept state goes, the hub that was.

use crate::event::Topic;
use crate::fact::Party;
use crate::hub::{
    Hub, POSITIONS_RESERVED_AHEAD, RESERVED_AHEAD, ROOMS_RESERVED_AHEAD, Room, RoomKind, Settings,
};
use crate::ids::{Position, RoomNumber, Sequence};
use crate::names::RoomName;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The kept state of a hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Of the last record that is in it.
    pub position: Position,
    /// No room had this number or a higher one.
    pub next_room: RoomNumber,
    /// By ascending number.
    pub rooms: Vec<KeptRoom>,
}

/// A room as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptRoom {
    /// Its number.
    pub number: RoomNumber,
    /// What it is.
    pub kind: KeptKind,
    /// Of its last kept fact.
    pub sequence: Sequence,
    /// Its topic.
    pub topic: Option<Topic>,
}

/// What a kept room is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeptKind {
    /// A room with a name.
    Open(RoomName),
    /// A direct conversation: whose it is, and their nicks when something was said last.
    Conversation([Party; 2], [Arc<str>; 2]),
}

/// What the journal has put aside with its last commit, so that no number that anybody saw is ever used again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reservation {
    /// No record had a higher position.
    pub position: Position,
    /// No room was opened with this number or a higher one.
    pub next_room: RoomNumber,
    /// The highest sequence that may be given out, of each room that was written to.
    pub sequences: BTreeMap<RoomNumber, Sequence>,
}

impl Hub {
    /// The kept state.
    pub fn snapshot(&self) -> Snapshot {
        let keep = |(number, room): (&RoomNumber, &Room)| KeptRoom {
            number: *number,
            kind: match &room.kind {
                RoomKind::Open(name) => KeptKind::Open(name.clone()),
                RoomKind::Conversation(parties, nicks) => KeptKind::Conversation(*parties, nicks.clone()),
            },
            sequence: room.sequence,
            topic: room.topic.clone(),
        };
        let rooms = self.rooms.iter().map(keep).collect();
        Snapshot { position: self.position, next_room: self.next_room, rooms }
    }

    /// A hub in which nobody is yet, with the rooms of a snapshot. Nothing can be said before the first commit has
    /// reserved numbers.
    pub fn restore(settings: Settings, snapshot: &Snapshot) -> Hub {
        let mut hub = Hub::new(settings);
        hub.position = snapshot.position;
        hub.next_room = snapshot.next_room;
        hub.reserved_room = snapshot.next_room;
        for kept in &snapshot.rooms {
            hub.restore_room(kept);
        }
        hub
    }

    fn restore_room(&mut self, kept: &KeptRoom) {
        let kind = match &kept.kind {
            KeptKind::Open(name) => {
                self.names.insert(name.key.clone(), kept.number);
                RoomKind::Open(name.clone())
            }
            KeptKind::Conversation(parties, nicks) => {
                self.connect_parties(*parties, kept.number);
                RoomKind::Conversation(*parties, nicks.clone())
            }
        };
        let mut room = Room::new(kind);
        room.sequence = kept.sequence;
        room.reserved = kept.sequence;
        room.topic.clone_from(&kept.topic);
        if matches!(room.kind, RoomKind::Conversation(..)) && !self.stays_open(&room) {
            self.closable.insert(kept.number);
        }
        self.rooms.insert(kept.number, room);
    }

    /// After a commit: the numbers that may be given out now.
    pub fn reserve(&mut self, reservation: &Reservation) {
        self.reserved_room = self.reserved_room.max(reservation.next_room);
        for (number, reserved) in &reservation.sequences {
            if let Some(room) = self.rooms.get_mut(number) {
                room.reserved = room.reserved.max(*reserved);
            }
        }
    }

    /// After a restart, when the kept facts behind the snapshot have been applied: goes on behind everything that may
    /// have been seen. Then, in this order and before anybody is let in: what [`Hub::losses`] gives is applied, the
    /// chores are done, and all of it is committed.
    pub fn recover(&mut self, reservation: &Reservation) {
        self.position = self.position.max(reservation.position);
        self.next_room = self.next_room.max(reservation.next_room);
        // A room that was opened at the replay is not new: nothing is reserved for it but what was used.
        self.reserved_room = self.next_room;
        for room in self.rooms.values_mut() {
            room.reserved = room.sequence;
        }
        self.forget_guests();
        // At the replay nobody was anywhere. But open rooms wait for their people, and only conversations are deserted.
        let deserted = self.conversations.values().copied();
        self.closable = deserted
            .filter(|number| self.rooms.get(number).is_none_or(|room| !self.stays_open(room)))
            .collect();
    }

    /// Guests cannot come back, and somebody else may get the id that they had: whoever talked with one must not be taken
    /// to have talked with that one. (Between two guests there is nothing to be read any more.)
    fn forget_guests(&mut self) {
        let with_guest = self.rooms.iter_mut().filter_map(|(number, room)| match &mut room.kind {
            RoomKind::Conversation([one @ Party::Client(_), other @ Party::Guest(_)], _) => {
                let before = [*one, *other];
                *other = Party::Past(*number);
                Some((*number, before, [*one, *other]))
            }
            _ => None,
        });
        let forgotten: Vec<_> = with_guest.collect();
        for (number, [one, other], parties) in forgotten {
            self.conversations.remove(&(one, other));
            self.conversations.remove(&(other, one));
            self.connect_parties(parties, number);
        }
    }

    /// What the journal should reserve when the server stops in an orderly way: exactly what was used, so that nothing
    /// counts as lost.
    pub fn exact_reservation(&self) -> Reservation {
        let used = |(number, room): (&RoomNumber, &Room)| (*number, room.sequence);
        Reservation {
            position: self.position,
            next_room: self.next_room,
            sequences: self.rooms.iter().map(used).collect(),
        }
    }

    /// What the journal should reserve with a commit that writes to these rooms.
    pub fn reservation(&self, rooms: impl IntoIterator<Item = RoomNumber>) -> Reservation {
        let ahead = |number: RoomNumber| {
            let sequence = self.rooms.get(&number)?.sequence;
            Some((number, Sequence(sequence.0.saturating_add(RESERVED_AHEAD))))
        };
        Reservation {
            position: Position(self.position.0.saturating_add(POSITIONS_RESERVED_AHEAD)),
            next_room: RoomNumber(self.next_room.0.saturating_add(ROOMS_RESERVED_AHEAD)),
            sequences: rooms.into_iter().filter_map(ahead).collect(),
        }
    }
}
