//! What a waker promises: no wake is lost, none is reported twice, and many are one.

use std::{
    io::Write,
    os::unix::net::UnixStream,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use eventloop::{Event, Events, Interest, Mask, Poller, Token, Waker};

use super::{Watch, event, pair};

const BELL: Token = Token(1);
const RUNG: Event = event(BELL, Mask::READABLE);

fn waker(watch: &Watch, token: Token) -> Waker {
    Waker::new(&watch.poller, token).expect("the system has room for a waker")
}

pub(crate) fn wake_from_another_thread_ends_an_endless_poll(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    let ringer = thread::spawn(move || {
        bell.wake();
        bell
    });
    watch.poller.poll(&mut watch.events, None).unwrap();
    assert_eq!(watch.events.iter().collect::<Vec<_>>(), [RUNG]);
    drop(ringer.join().unwrap());
}

pub(crate) fn wake_before_the_poll_is_not_lost(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    bell.wake();
    assert_eq!(watch.now(), [RUNG]);
}

pub(crate) fn reported_wake_is_not_reported_again(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    assert_eq!(watch.now(), [], "a bell that was never rung is silent");
    bell.wake();
    assert_eq!(watch.one(), RUNG);
    assert_eq!(watch.now(), []);
    assert_eq!(watch.now(), []);
}

pub(crate) fn thousands_of_wakes_are_one_event(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    thread::scope(|scope| {
        for _ in 0..4 {
            let bell = bell.clone();
            scope.spawn(move || (0..2_500).for_each(|_| bell.wake()));
        }
    });
    assert_eq!(watch.now(), [RUNG]);
    assert_eq!(watch.now(), []);
}

pub(crate) fn wake_after_a_report_is_reported(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    for _ in 0..100 {
        bell.wake();
        assert_eq!(watch.now(), [RUNG]);
        assert_eq!(watch.now(), []);
    }
}

pub(crate) fn clone_keeps_the_waker_alive(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    let other = bell.clone();
    drop(bell);
    other.wake();
    assert_eq!(watch.now(), [RUNG]);
}

pub(crate) fn last_clone_takes_the_registration_with_it(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    bell.wake();
    drop(bell);
    assert_eq!(watch.now(), []);
    let bell = waker(&watch, BELL);
    bell.wake();
    assert_eq!(watch.now(), [RUNG], "the token is free again");
}

pub(crate) fn waker_outlives_its_poller(poller: Poller) {
    let watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    drop(watch);
    bell.wake();
}

pub(crate) fn two_wakers_are_told_apart(poller: Poller) {
    let mut watch = Watch::new(poller);
    let (bell, other) = (waker(&watch, BELL), waker(&watch, Token(2)));
    other.wake();
    assert_eq!(watch.now(), [event(Token(2), Mask::READABLE)]);
    bell.wake();
    assert_eq!(watch.now(), [RUNG]);
}

pub(crate) fn waker_is_heard_among_busy_sockets(poller: Poller) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    watch.register(&ours, Token(2), Interest::READ);
    theirs.write_all(b"hello").unwrap();
    let busy = event(Token(2), Mask::READABLE);
    assert_eq!(watch.now(), [busy]);
    bell.wake();
    let mut both = watch.now();
    both.sort_unstable_by_key(|event| event.token);
    assert_eq!(both, [RUNG, busy]);
    assert_eq!(watch.now(), [busy]);
}

pub(crate) fn no_wake_is_lost_between_two_threads(poller: Poller) {
    const LAST: u64 = 20_000;
    let mut watch = Watch::new(poller);
    let bell = waker(&watch, BELL);
    let written = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=LAST {
                written.store(number, Ordering::SeqCst);
                bell.wake();
            }
        });
        // A lost wake would leave this waiting, and `one` would say so.
        while written.load(Ordering::SeqCst) < LAST {
            assert_eq!(watch.one(), RUNG);
        }
    });
}

pub(crate) fn wake_that_does_not_fit_is_told_by_the_next_poll(poller: Poller) {
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(1);
    let bells = [1, 2, 3].map(|number| waker(&watch, Token(number)));
    for _ in 0..3 {
        bells.iter().for_each(Waker::wake);
        let mut told: Vec<u64> = (0..3).map(|_| watch.one().token.0).collect();
        told.sort_unstable();
        assert_eq!(told, [1, 2, 3]);
        assert_eq!(watch.now(), []);
    }
}

pub(crate) fn waker_that_is_dropped_leaves_its_number_to_others(poller: Poller) {
    let mut watch = Watch::new(poller);
    for round in 0..100 {
        let bell = waker(&watch, BELL);
        bell.wake();
        drop(bell);
        // One of these may get the number that the bell had.
        let (ours, mut theirs) = pair();
        assert_eq!(watch.now(), [], "round {round}");
        let (more, _silent) = pair();
        for source in [&ours, &more] {
            watch.register(source, Token(2), Interest::READ);
        }
        theirs.write_all(b"hello").unwrap();
        assert_eq!(watch.now(), [event(Token(2), Mask::READABLE)], "round {round}");
        for source in [&ours, &more] {
            watch.poller.unregister(source).unwrap();
        }
    }
}
