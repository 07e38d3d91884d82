//! How long our own part of a flush takes, without sockets: `cargo run --release -p feed --example flush`.
//!
//! Two rooms. In the quiet one, one message a turn goes to 1,000 readers: what counts is the time for each reader. In the
//! busy one 200 readers say 1,024 things a turn, and each steps over its own: what counts is the time for each delivery.

use feed::{Bounds, Detour, Entry, Feeds, Kind, LogId, Plan, ReaderId, Release};
use std::hint::black_box;
use std::io::IoSlice;
use std::time::Instant;

const TURNS: u32 = 2_000;
const ROUNDS: u32 = 5;
const LINE: [u8; 128] = [b'x'; 128];

struct Room {
    feeds: Feeds,
    log: LogId,
    readers: Vec<ReaderId>,
    due: Vec<ReaderId>,
    position: u64,
}

impl Room {
    fn new(readers: usize) -> Room {
        // A turn of the busy room is larger than the default bound.
        let bounds = Bounds { lag_bytes_max: 1 << 20, ..Bounds::default() };
        let mut feeds = Feeds::new(bounds, Release::AtOnce);
        let log = feeds.open_log(0, 0);
        let readers: Vec<ReaderId> = (0..readers).map(|_| feeds.add_reader()).collect();
        for reader in &readers {
            feeds.begin(*reader, log);
        }
        Room { feeds, log, readers, due: Vec::new(), position: 0 }
    }

    fn say(&mut self, author: usize) {
        self.position += 1;
        let sequence = Some(self.position);
        let entry =
            Entry { position: self.position, sequence, author: Some(author as u64), kind: Kind::Message };
        self.feeds.append(self.log, entry, &LINE);
        self.feeds.detour(self.readers[author], self.log, Detour::StepOver);
    }

    /// Serves everybody who is due, as a shard does. Returns the bytes that were taken.
    fn flush(&mut self) -> usize {
        let mut due = std::mem::take(&mut self.due);
        self.feeds.take_due(&mut due);
        let bytes = due.iter().map(|reader| self.serve(*reader)).sum();
        self.feeds.settle();
        self.due = due;
        bytes
    }

    fn serve(&mut self, reader: ReaderId) -> usize {
        let mut all = 0;
        while self.feeds.plan(reader) == Plan::Bytes {
            let mut slices = [IoSlice::new(&[]); 16];
            let count = self.feeds.slices(&mut slices);
            let bytes = black_box(&slices[..count]).iter().map(|slice| slice.len()).sum();
            self.feeds.taken(bytes);
            all += bytes;
        }
        all
    }
}

/// Prints the best and the median nanoseconds of a turn, divided by `per_turn`.
fn measure(what: &str, per_turn: usize, mut turn: impl FnMut()) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..TURNS).for_each(|_| turn());
            start.elapsed().as_nanos() as f64 / f64::from(TURNS) / per_turn as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{what}: {:.2} ns at best, {:.2} in the middle", rounds[0], rounds[rounds.len() / 2]);
}

fn main() {
    let mut quiet = Room::new(1_000);
    measure("1,000 readers, one message a turn, per reader", 1_000, || {
        quiet.say(0);
        assert_eq!(quiet.flush(), 999 * LINE.len());
    });
    let mut busy = Room::new(200);
    measure("200 readers who all talk, 1,024 messages a turn, per delivery", 199 * 1_024, || {
        (0..1_024).for_each(|nth| busy.say(nth % 200));
        assert_eq!(busy.flush(), 199 * 1_024 * LINE.len());
    });
}
