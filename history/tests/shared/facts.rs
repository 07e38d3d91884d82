//! Kept facts as a hub would make them, in a room that everybody knows.

use history::Batch;
use hub::{
    Author, ClientId, Fact, Kept, Line, Manner, MemberId, Nonce, Party, Position, Record, Reservation,
    RoomName, RoomNumber, Sequence, Signature, Signed, Text, Time, Who,
};
use std::sync::Arc;

pub(crate) const ROOM: RoomNumber = RoomNumber(1);

pub(crate) fn who(nick: &str) -> Who {
    Who { member: MemberId::mint(0, 7), nick: nick.into(), address: None }
}

pub(crate) fn client(number: u8) -> ClientId {
    ClientId([number; 16])
}

pub(crate) fn signed(number: u8, nonce: Option<&str>) -> Arc<Signed> {
    let nonce = nonce.map(|nonce| Nonce::new(nonce).unwrap());
    Arc::new(Signed { client: client(number), nonce })
}

pub(crate) fn text(raw: &str) -> Text {
    Text::new(raw).unwrap()
}

/// A log that numbers what is put into it: positions are ten times the order, times a hundred times, unless said otherwise.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) kept: Vec<Kept>,
    pub(crate) sequences: std::collections::BTreeMap<RoomNumber, Sequence>,
    pub(crate) time: Option<Time>,
}

impl Log {
    /// With a room that is open.
    pub(crate) fn open() -> Log {
        let mut log = Log::default();
        log.open_room(ROOM, "lobby");
        log
    }

    pub(crate) fn open_room(&mut self, room: RoomNumber, name: &str) {
        let name = RoomName::parse(name).unwrap();
        self.put(room, Fact::Opened { name, by: None });
    }

    /// Numbers a fact; gives its sequence.
    pub(crate) fn put(&mut self, room: RoomNumber, fact: Fact) -> Sequence {
        let has_none = matches!(fact, Fact::Closed { .. } | Fact::RoomsLost { .. });
        let sequence = match &fact {
            _ if has_none => Sequence(0),
            Fact::Lost { to, .. } => to.next(),
            _ => self.sequences.get(&room).copied().unwrap_or_default().next(),
        };
        if !has_none {
            self.sequences.insert(room, sequence);
        }
        let order = self.kept.len() as u64 + 1;
        let time = self.time.unwrap_or(Time(order * 100));
        let record = Record { position: Position(order * 10), time, fact };
        self.kept.push(Kept { record, room, sequence });
        sequence
    }

    pub(crate) fn say(&mut self, nick: &str, raw: &str) -> Sequence {
        self.say_signed(nick, raw, None)
    }

    pub(crate) fn say_signed(&mut self, nick: &str, raw: &str, signature: Signature) -> Sequence {
        let author = Author::Member(who(nick));
        let (room, text, manner) = (ROOM, text(raw), Manner::Saying);
        self.put(ROOM, Fact::Said { author, room, text, manner, signature })
    }

    pub(crate) fn direct(&mut self, room: RoomNumber, parties: [Party; 2], raw: &str) -> Sequence {
        let (from, to, text) = (who("ann"), who("bob"), text(raw));
        self.put(room, Fact::Directed { from, to, parties, text, signature: None })
    }

    pub(crate) fn edit(&mut self, target: Sequence, raw: &str) -> Sequence {
        let (by, room, text) = (who("ann"), ROOM, text(raw));
        self.put(ROOM, Fact::Edited { by, room, target, text, signature: None })
    }

    pub(crate) fn redact(&mut self, target: Sequence) -> Sequence {
        let reason = Line::new("so it was wanted", 100).ok();
        self.put(ROOM, Fact::Redacted { by: who("ann"), room: ROOM, target, reason, signature: None })
    }

    pub(crate) fn set_topic(&mut self, raw: &str) -> Sequence {
        let topic = Line::new(raw, 1000).ok();
        self.put(ROOM, Fact::TopicSet { by: who("ann"), room: ROOM, topic, signature: None })
    }

    pub(crate) fn lose(&mut self, count: u64) -> Sequence {
        let from = self.sequences[&ROOM].next();
        self.put(ROOM, Fact::Lost { room: ROOM, from, to: Sequence(from.0 + count - 1) })
    }

    /// The last sequence of the room.
    pub(crate) fn upto(&self) -> Sequence {
        self.sequences[&ROOM]
    }

    /// Everything behind the first `begin` facts, in one batch.
    pub(crate) fn batch(&self, begin: usize) -> Batch {
        batch(self.kept[begin..].to_vec())
    }
}

/// A batch of these facts, with what a hub would reserve.
pub(crate) fn batch(kept: Vec<Kept>) -> Batch {
    let position = kept.last().map_or(Position(0), |kept| kept.record.position);
    let numbered = kept.iter().filter(|kept| kept.sequence.0 > 0);
    let reservation = Reservation {
        position: Position(position.0 + 1_000_000_000),
        next_room: RoomNumber(2_000),
        sequences: numbered
            .map(|kept| (kept.room, Sequence(kept.sequence.0 + hub::RESERVED_AHEAD)))
            .collect(),
    };
    Batch { kept, reservation, position }
}
