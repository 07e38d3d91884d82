//! What a timeout promises.

use std::{
    io::Write,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use eventloop::{Interest, Poller, Token, Waker};
use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, Watch};

pub(crate) fn timeout_is_never_cut_short(poller: Poller) {
    let mut watch = Watch::new(poller);
    for timeout_us in [1, 300, 999, 1_000, 1_001, 2_500, 20_000] {
        let timeout = Duration::from_micros(timeout_us);
        let start = Instant::now();
        watch.poller.poll(&mut watch.events, Some(timeout)).unwrap();
        let lasted = start.elapsed();
        assert!(watch.events.is_empty());
        assert!(lasted >= timeout, "{lasted:?} is shorter than {timeout:?}");
    }
}

pub(crate) fn poll_into_its_timeout_empties_the_buffer(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = Waker::new(&watch.poller, Token(1)).unwrap();
    bell.wake();
    assert_eq!(watch.now().len(), 1);
    watch.poller.poll(&mut watch.events, Some(Duration::from_millis(1))).unwrap();
    assert!(watch.events.is_empty());
}

pub(crate) fn event_ends_the_wait_before_the_timeout(poller: Poller) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut watch = Watch::new(poller);
    watch.register(&ours, Token(1), Interest::READ);
    let start = Instant::now();
    let writer = thread::spawn(move || {
        theirs.write_all(b"hello").unwrap();
        theirs
    });
    assert!(watch.one().readable());
    assert!(start.elapsed() < PATIENCE);
    drop(writer.join().unwrap());
}

pub(crate) fn longest_timeout_is_accepted(poller: Poller) {
    let mut watch = Watch::new(poller);
    let bell = Waker::new(&watch.poller, Token(1)).unwrap();
    // The second one is beyond what the kernel's own argument can hold.
    for timeout in [Duration::MAX, Duration::from_secs(30 * 24 * 60 * 60)] {
        bell.wake();
        watch.poller.poll(&mut watch.events, Some(timeout)).unwrap();
        assert_eq!(watch.events.len(), 1);
    }
}

/// Whom to send a signal that is to reach this thread.
fn this_thread() -> Pid {
    #[cfg(target_os = "linux")]
    return rustix::thread::gettid();
    #[cfg(not(target_os = "linux"))]
    rustix::process::getpid()
}

pub(crate) fn interrupted_poll_waits_for_the_time_that_is_left(poller: Poller) {
    let mut watch = Watch::new(poller);
    let (timeout, signals_last) = (Duration::from_millis(50), Duration::from_secs(10));
    let received = Arc::new(AtomicUsize::new(0));
    signal_hook::flag::register_usize(signal_hook::consts::SIGUSR1, Arc::clone(&received), 1).unwrap();
    let (polling, poll_ended) = (this_thread(), AtomicBool::new(false));
    let lasted = thread::scope(|scope| {
        // As fast as it can, so that no wait comes to its end: if each one began anew with the whole timeout, the poll
        // would last as long as the signals. A signal to a process may go to any of its threads, but Linux prefers
        // the one whose number it is given.
        scope.spawn(|| {
            let start = Instant::now();
            while !poll_ended.load(Ordering::SeqCst) && start.elapsed() < signals_last {
                kill_process(polling, Signal::USR1).unwrap();
                thread::yield_now();
            }
        });
        let start = Instant::now();
        let result = watch.poller.poll(&mut watch.events, Some(timeout));
        let lasted = start.elapsed();
        poll_ended.store(true, Ordering::SeqCst);
        result.map(|()| lasted)
    });
    let lasted = lasted.expect("a signal is not an error");
    assert!(watch.events.is_empty());
    assert!(lasted >= timeout, "a signal ended the poll after {lasted:?}");
    assert!(lasted < signals_last, "each signal began the timeout anew: {lasted:?}");
    assert!(received.load(Ordering::SeqCst) > 0, "no signal came");
}
