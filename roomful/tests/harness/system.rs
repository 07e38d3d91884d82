//! What the system tells of a server: its processor's time, its memory, its descriptors, whether it is stopped.

use super::ears::Ears as _;
use super::{Client, GUARD, Server};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, prlimit, setrlimit};
use std::fs;
use std::time::{Duration, Instant};

/// How long a server at rest is watched.
const WATCHED: Duration = Duration::from_millis(600);
/// In hundredths of a second, in which the system counts the processor's time of a process: a loop that spins would be at
/// nearly all of the time that passes, a server at rest is at none. What was going on before may still end when the watch
/// begins.
const TICKS_MAX: u64 = 2;

impl Server {
    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.pid().as_raw_nonzero())
    }

    /// The processor's time that it has used, in hundredths of a second (`proc_pid_stat(5)`, fields 14 and 15).
    fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(self.proc("stat")).expect("the system tells of its processes");
        let number = |nth| field(&stat, nth).parse::<u64>().expect("the format of Linux");
        number(14) + number(15)
    }

    /// Somebody listens and hears nothing; meanwhile the server does nothing.
    pub(crate) fn rests(&self, listener: &mut Client) {
        let before = self.processor_ticks();
        listener.hears_nothing_for(WATCHED);
        let used = self.processor_ticks() - before;
        assert!(used <= TICKS_MAX, "{used} hundredths of a second in {WATCHED:?}");
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(self.proc("fd")).expect("the system tells of its processes").count()
    }

    /// Waits until it has as few descriptors open as this. Between two looks a member asks it something, so that it is
    /// given its turns.
    pub(crate) fn closes_descriptors_down_to(&self, expected: usize, member: &mut Client) {
        let deadline = Instant::now() + GUARD;
        while self.descriptors() > expected {
            assert!(Instant::now() < deadline, "{} descriptors, not {expected}", self.descriptors());
            member.says("/help who");
            member.waits_for("-- /who");
        }
    }

    /// How much memory it has, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).expect("the system tells of its processes");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the format of Linux");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Leaves it so many descriptors more than it has now.
    pub(crate) fn may_open(&self, more: u64) {
        let limit = Rlimit { current: Some(self.descriptors() as u64 + more), ..getrlimit(Resource::Nofile) };
        prlimit(Some(self.pid()), Resource::Nofile, limit).expect("a limit may be lowered");
    }

    /// Stops its threads where they are, and waits until they are.
    pub(crate) fn freezes(&self) {
        self.signal(Signal::STOP);
        while !self.has_frozen() {
            std::thread::yield_now();
        }
    }

    pub(crate) fn thaws(&self) {
        self.signal(Signal::CONT);
    }

    fn has_frozen(&self) -> bool {
        let threads = fs::read_dir(self.proc("task")).expect("the system tells of its threads");
        threads.flatten().all(|thread| {
            fs::read_to_string(thread.path().join("stat")).is_ok_and(|stat| field(&stat, 3) == "T")
        })
    }
}

/// A field of `proc_pid_stat(5)`, by its number there: from 3 on.
fn field(stat: &str, number: usize) -> &str {
    // The name of the program, in brackets, may have blanks in it.
    let (_, behind_name) = stat.rsplit_once(") ").expect("the format of Linux");
    behind_name.split(' ').nth(number - 3).expect("the format of Linux")
}

/// Raises the limit of descriptors of this process as far as it may go; the server does so for itself.
pub(crate) fn may_have_descriptors(wanted: u64) -> bool {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let raised = setrlimit(Resource::Nofile, limit);
    raised.is_ok() && limit.maximum.is_none_or(|maximum| maximum >= wanted)
}
