//! What a member costs in memory. A binary of its own: the allocator counts for the whole process.
#![allow(unsafe_code)] // An allocator cannot be written without; it only counts and passes on.

use hub::{Command, Hub, MemberId, Presence, Proposal, Record, RoomName, Settings, Speaker, Time};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`, which is the same here.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const MEMBERS: u64 = 10_000;
const BYTES_OF_MEMBER_MAX: usize = 250;

fn run(hub: &mut Hub, member: MemberId, command: Command) {
    let proposal = hub.propose(&Speaker::Member(member), command).expect("nothing stands in the way");
    let Proposal::Fact(fact) = proposal else { panic!("a question cannot be applied") };
    let mut told = Vec::new();
    hub.apply(Record { position: hub.position().next(), time: Time(0), fact }, &mut told);
}

#[test]
fn ten_thousand_guests_in_one_room_cost_at_most_250_bytes_each() {
    let mut hub = Hub::new(Settings::new(RoomName::parse("lobby").expect("a name")));
    let before = IN_USE.load(Relaxed);
    for count in 0..MEMBERS {
        let member = MemberId::mint(0, count);
        // As good as random: the numbers of guests do not come in order.
        let guest = (count * 7919 % 100_000) as u32;
        run(&mut hub, member, Command::Connect { guest, presence: Presence::Visible });
        run(&mut hub, member, Command::Join { room: "lobby".into() });
    }
    let bytes_each = (IN_USE.load(Relaxed) - before) / MEMBERS as usize;
    println!("{bytes_each} bytes for each member");
    assert!(bytes_each <= BYTES_OF_MEMBER_MAX, "{bytes_each} bytes for each member");
}
