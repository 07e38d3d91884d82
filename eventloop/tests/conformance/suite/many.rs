//! More ready descriptors than the buffer holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{ErrorKind, Write},
    os::unix::net::UnixStream,
};

use eventloop::{Events, Interest, Mask, Poller, Token};

use super::{PATIENCE, Watch, event, pair, raise_descriptor_limit};

const BATCH: usize = 64;

/// With two descriptors a pair, more than the usual soft limit of 1,024 where the poller can watch so many.
fn pairs(poller: &Poller) -> u64 {
    if poller.kind().descriptors_max().is_some() { 300 } else { 600 }
}

/// Pairs whose first end is registered for reading, with the pair's number as its token, and has a byte to read.
fn busy_pairs(watch: &Watch, numbers: std::ops::Range<u64>) -> Vec<(UnixStream, UnixStream)> {
    raise_descriptor_limit();
    numbers
        .map(|number| {
            let (ours, mut theirs) = pair();
            watch.register(&ours, Token(number), Interest::READ);
            theirs.write_all(b"x").unwrap();
            (ours, theirs)
        })
        .collect()
}

pub(crate) fn more_ready_descriptors_than_the_buffer_holds_are_all_reported(poller: Poller) {
    const ROUNDS: u32 = 3;
    let pairs = pairs(&poller);
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(BATCH);
    let _pairs = busy_pairs(&watch, 0..pairs);
    // Nobody reads, so all of them stay ready. Three times as many reports as there are descriptors are three turns
    // for each; the last batch, which is rounded up, begins a fourth.
    let mut turns: BTreeMap<Token, u32> = BTreeMap::new();
    for _ in 0..(pairs * u64::from(ROUNDS)).div_ceil(BATCH as u64) {
        watch.poller.poll(&mut watch.events, Some(PATIENCE)).unwrap();
        assert_eq!(watch.events.len(), BATCH, "a full batch is ready");
        for event in watch.events.iter() {
            *turns.entry(event.token).or_default() += 1;
        }
    }
    assert_eq!(turns.len() as u64, pairs, "everyone was reported");
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

pub(crate) fn buffer_of_any_capacity_holds_what_is_ready(poller: Poller) {
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(usize::MAX / 2);
    let _busy = busy_pairs(&watch, 0..2);
    assert_eq!(watch.now().len(), 2);
}

pub(crate) fn those_left_out_stay_first_when_others_are_unregistered(poller: Poller) {
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(4);
    let busy = busy_pairs(&watch, 0..16);
    let mut told: BTreeSet<Token> = watch.now().iter().map(|event| event.token).collect();
    told.extend(watch.now().iter().map(|event| event.token));
    assert_eq!(told.len(), 8);
    // One who had a turn and one who had none.
    let gone = [0, 8].map(|nth| {
        let (with, without): (Vec<_>, Vec<_>) = (0..16).map(Token).partition(|token| told.contains(token));
        if nth == 0 { with[0] } else { without[0] }
    });
    for token in gone {
        watch.poller.unregister(&busy[token.0 as usize].0).unwrap();
        told.insert(token);
    }
    for _ in 0..2 {
        told.extend(watch.now().iter().map(|event| event.token));
    }
    assert_eq!(told.len(), 16, "seven were left out and two batches hold eight");
}

pub(crate) fn descriptor_beyond_the_end_is_refused_and_disturbs_nobody(poller: Poller) {
    raise_descriptor_limit();
    let maximum = poller.kind().descriptors_max();
    let mut watch = Watch::new(poller);
    let (ours, mut theirs) = pair();
    watch.register(&ours, Token(1), Interest::READ);
    for number in [1024, 1025, 3_000] {
        let beyond = rustix::io::fcntl_dupfd_cloexec(&theirs, number).unwrap();
        let registered = watch.poller.register(&beyond, Token(2), Interest::WRITE);
        if maximum.is_none() {
            registered.expect("there is no end");
            watch.poller.unregister(&beyond).unwrap();
            continue;
        }
        let refused = registered.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        let text = refused.to_string();
        assert!(text.ends_with("is beyond what select can watch (0 to 1023); use poll or epoll"), "{text}");
        for refused in
            [watch.poller.modify(&beyond, Token(2), Interest::READ), watch.poller.unregister(&beyond)]
        {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
        }
    }
    assert_eq!(watch.now(), []);
    theirs.write_all(b"x").unwrap();
    assert_eq!(watch.now(), [event(Token(1), Mask::READABLE)]);
}
