//! More ready descriptors than the buffer holds.

use std::{collections::BTreeMap, io::Write, os::unix::net::UnixStream};

use eventloop::{Events, Interest, Poller, Token};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{PATIENCE, Watch};

const PAIRS: u64 = 2_000;
const BATCH: usize = 64;

/// Two descriptors a pair are more than the usual soft limit of 1,024. Any hard limit from 4,096 will do.
fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("a soft limit may be raised");
}

/// Pairs whose first end is registered for reading, with the pair's number as its token, and has a byte to read.
fn busy_pairs(watch: &Watch, numbers: std::ops::Range<u64>) -> Vec<(UnixStream, UnixStream)> {
    raise_descriptor_limit();
    numbers
        .map(|number| {
            let (ours, mut theirs) = UnixStream::pair().expect("the limit of open files is at least 4,096");
            watch.register(&ours, Token(number), Interest::READ);
            theirs.write_all(b"x").unwrap();
            (ours, theirs)
        })
        .collect()
}

pub(crate) fn more_ready_descriptors_than_the_buffer_holds_are_all_reported(poller: Poller) {
    const ROUNDS: u32 = 3;
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(BATCH);
    let _pairs = busy_pairs(&watch, 0..PAIRS);
    // Nobody reads, so all of them stay ready. Three times as many reports as there are descriptors are three turns
    // for each; the last batch, which is rounded up, begins a fourth.
    let mut turns: BTreeMap<Token, u32> = BTreeMap::new();
    for _ in 0..(PAIRS * u64::from(ROUNDS)).div_ceil(BATCH as u64) {
        watch.poller.poll(&mut watch.events, Some(PATIENCE)).unwrap();
        assert_eq!(watch.events.len(), BATCH, "a full batch is ready");
        for event in watch.events.iter() {
            *turns.entry(event.token).or_default() += 1;
        }
    }
    assert_eq!(turns.len() as u64, PAIRS, "everyone was reported");
    let (fewest, most) = (turns.values().min().unwrap(), turns.values().max().unwrap());
    assert!(*fewest >= ROUNDS && *most <= ROUNDS + 1, "between {fewest} and {most} turns");
}

pub(crate) fn busy_descriptors_do_not_hide_a_new_one(poller: Poller) {
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(4);
    let _busy = busy_pairs(&watch, 0..16);
    for _ in 0..3 {
        assert_eq!(watch.now().len(), 4);
    }
    let _late = busy_pairs(&watch, 16..17);
    let heard = (0..5).any(|_| watch.now().iter().any(|event| event.token == Token(16)));
    assert!(heard, "seventeen are ready and five batches hold twenty");
}

pub(crate) fn buffer_of_no_capacity_holds_one_event(poller: Poller) {
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(0);
    let _busy = busy_pairs(&watch, 0..2);
    let first = watch.one().token;
    assert_ne!(watch.one().token, first, "the one that was left out comes next");
}
