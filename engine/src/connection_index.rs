//! Which connection a member's id names.
//!
//! Where it stands: a shard writes the index of a connection into the id of its member, so that neither it nor whoever holds
//! the sockets has to look for it.
//!
//! What this file must never do: promise that the connection is still that member's: an index is used again.

use hub::MemberId;

/// The lower bits of a member's id: the index of its connection. More connections than this no process can have.
const INDEX_BITS: u32 = 24;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;

/// The id of the member of a connection: the count of all that the shard has minted makes it unique.
pub(crate) fn mint(shard: u8, count: u64, index: usize) -> MemberId {
    MemberId::mint(shard, (count << INDEX_BITS) | (index as u64 & INDEX_MASK))
}

/// The [index](crate::ConnectionId::index) of the connection for which a member's id was minted. It may be another's by now:
/// [`Shard::member`](crate::Shard::member) says whose it is.
pub fn connection_index(member: MemberId) -> usize {
    (member.number() & INDEX_MASK) as usize
}

#[cfg(test)]
mod tests {
    use super::connection_index;
    use crate::{Limits, Release, Shard};
    use dialect::plain::PlainSession;
    use dialect::{Arrival, Secret, Setup};
    use hub::{RoomName, Time};

    #[test]
    fn id_of_a_member_names_its_connection() {
        let setup = Setup::new(RoomName::parse("lobby").unwrap());
        let mut shard: Shard<PlainSession> = Shard::new(7, setup, Limits::default(), Release::AtOnce);
        let peer = ([127, 0, 0, 1], 40_000).into();
        let arrival = Arrival { now: Time(1), peer, guest: 1, secret: Secret::new([1; 16]) };
        for _ in 0..3 {
            let id = shard.open(&arrival);
            let member = shard.member(id).unwrap();
            assert_eq!((member.shard(), connection_index(member)), (7, id.index()));
        }
    }
}
