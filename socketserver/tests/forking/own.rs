//! What a case knows of its own process.

use crate::places::PATIENCE;
use rustix::io::Errno;
use rustix::process::{Signal, WaitOptions, wait};
use rustix::time::{ClockId, clock_gettime};
use socketserver::ShutdownHandle;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What is open, with what it leads to.
pub(crate) fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let named = entries.filter_map(|entry| {
        let entry = entry.unwrap();
        let target = fs::read_link(entry.path()).ok()?;
        // The folder that is being read is open, too.
        let target = target.to_str()?.to_owned();
        (!target.ends_with("/fd")).then(|| format!("{} {target}", entry.file_name().display()))
    });
    let mut named: Vec<String> = named.collect();
    named.sort();
    named
}

static KEPT_BELLS: AtomicUsize = AtomicUsize::new(0);

/// Has SIGTERM stop the server. For as long as the process lives, as its documentation says, and so does the descriptor.
pub(crate) fn stop_on_sigterm(handle: &ShutdownHandle) {
    handle.shutdown_on_signal(Signal::TERM.as_raw()).unwrap();
    KEPT_BELLS.fetch_add(1, Ordering::Relaxed);
}

/// What is open at the end of a case, but for what SIGTERM rings.
pub(crate) fn descriptors_but_bells() -> Vec<String> {
    let mut open = descriptors();
    for _ in 0..KEPT_BELLS.load(Ordering::Relaxed) {
        let bell = open.iter().rposition(|named| named.ends_with("anon_inode:[eventfd]"));
        open.remove(bell.expect("a bell that the signal keeps"));
    }
    open
}

/// The number that the next descriptor gets.
pub(crate) fn lowest_free_descriptor() -> u64 {
    u64::try_from(fs::File::open("/dev/null").unwrap().as_raw_fd()).unwrap()
}

/// How many threads there are.
pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// A thread that has done its work is still counted for a moment.
pub(crate) fn await_one_thread() {
    let until = Instant::now() + PATIENCE;
    while threads() > 1 {
        assert!(Instant::now() < until, "{} threads are left", threads());
        std::thread::yield_now();
    }
}

/// Whether there is a child, living or dead.
pub(crate) fn has_children() -> bool {
    !matches!(wait(WaitOptions::NOHANG), Err(Errno::CHILD))
}

/// How much memory is in use, in bytes.
pub(crate) fn memory() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

/// How much address space is taken, in bytes.
pub(crate) fn address_space() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

/// How much CPU time this process has used.
pub(crate) fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

/// Panics that a case asks for are no news.
pub(crate) fn silence_expected_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<&str>();
        if !text.is_some_and(|text| text.starts_with("told to")) {
            usual(panic);
        }
    }));
}
