//! What a server process spends, read from `/proc`: CPU time and memory.
//!
//! The kernel keeps the sum exactly, to the nanosecond, per thread (`schedstat`). It tells user from system time only by
//! looking at what runs at each tick, in ticks of 10 ms for the whole process (`stat`). So the sum is taken from the
//! first and the shares from the second; a user part is worth believing only over seconds of CPU time.
//! This must never touch the server itself: reading costs the reader.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result};

/// The kernel's unit in `/proc/PID/stat` (`USER_HZ` is 100 on every Linux that Rust runs on).
const TICK_NS: u64 = 10_000_000;

/// All the CPU time that a process had spent at one moment, with that of the children it has waited for.
#[derive(Clone, Debug)]
pub struct CpuReading {
    threads_ns: BTreeMap<u32, u64>,
    /// The thread that is called `journal`, if there is one.
    journal: Option<u32>,
    own: Ticks,
    /// Of children that have ended and were waited for, and of theirs. Who is still alive, or dead and not waited for, is not in
    /// it. The kernel adds them up exactly and rounds the sum.
    children: Ticks,
}

/// CPU time as the kernel tells it for a whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    user: u64,
    system: u64,
}

impl Ticks {
    fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    fn total_ns(self) -> u64 {
        (self.user + self.system) * TICK_NS
    }
}

/// CPU time spent between two readings, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuSpent {
    /// In user mode: our own code.
    pub user_ns: u64,
    /// In the kernel on our behalf.
    pub system_ns: u64,
}

impl CpuSpent {
    /// User and system time together, in nanoseconds.
    pub fn total_ns(self) -> u64 {
        self.user_ns + self.system_ns
    }
}

impl CpuReading {
    /// Reads what the process has spent so far.
    ///
    /// # Errors
    ///
    /// If the process is gone or the kernel does not tell.
    pub fn take(process: u32) -> Result<Self> {
        let (own, children) = parse_ticks(&read(process, "stat")?)
            .with_context(|| format!("/proc/{process}/stat is not what it used to be"))?;
        let threads_ns = threads_ns(process)?;
        let journal = threads_ns.keys().copied().find(|thread| is_journal(process, *thread));
        Ok(Self { threads_ns, journal, own, children })
    }

    /// What the product's journal spent since `earlier`, in nanoseconds; `None` if it has none.
    pub fn journal_ns_since(&self, earlier: &Self) -> Option<u64> {
        let thread = self.journal?;
        Some(self.threads_ns.get(&thread)? - earlier.threads_ns.get(&thread)?)
    }

    /// How many threads the process had.
    pub fn threads(&self) -> usize {
        self.threads_ns.len()
    }

    /// What was spent since `earlier`, a reading of the same process.
    pub fn since(&self, earlier: &Self) -> CpuSpent {
        let (own, children) = (self.own.since(earlier.own), self.children.since(earlier.children));
        let total_ns = self.own_spent_ns(earlier, own) + children.total_ns();
        let (user_ticks, system_ticks) = (own.user + children.user, own.system + children.system);
        let ticks = user_ticks + system_ticks;
        let user_ns = (total_ns as f64 * user_ticks as f64 / ticks.max(1) as f64) as u64;
        CpuSpent { user_ns, system_ns: total_ns - user_ns }
    }

    /// Exactly, if the threads know it. One that ended took its count with it, and one that came and went between the
    /// readings is in neither; the ticks of the whole process hold their share, too, within the two that rounding takes.
    fn own_spent_ns(&self, earlier: &Self, own: Ticks) -> u64 {
        let by_threads_ns = self.threads_spent_ns(earlier);
        let all_live = earlier.threads_ns.keys().all(|thread| self.threads_ns.contains_key(thread));
        let is_whole = own.total_ns().saturating_sub(by_threads_ns) <= 2 * TICK_NS;
        if all_live && is_whole { by_threads_ns } else { own.total_ns() }
    }

    fn threads_spent_ns(&self, earlier: &Self) -> u64 {
        self.threads_ns
            .iter()
            .map(|(thread, now_ns)| {
                now_ns.saturating_sub(earlier.threads_ns.get(thread).copied().unwrap_or(0))
            })
            .sum()
    }
}

/// The memory of a process at one moment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All that is resident, shared pages included.
    pub resident_bytes: u64,
    /// Resident, with shared pages counted by their share.
    pub proportional_bytes: u64,
    /// Not backed by a file: heap and stacks.
    pub anonymous_bytes: u64,
}

impl Memory {
    /// Reads the memory of a process.
    ///
    /// # Errors
    ///
    /// If the process is gone or the kernel does not tell.
    pub fn read(process: u32) -> Result<Self> {
        parse_memory(&read(process, "smaps_rollup")?)
            .with_context(|| format!("/proc/{process}/smaps_rollup is not what it used to be"))
    }
}

/// How long all processors have existed and been busy, and how long for this process and those that it started and
/// saw end; in ticks. It tells whether others disturbed a measurement.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "what they share is the unit")]
pub struct MachineReading {
    all_ticks: u64,
    busy_ticks: u64,
    ours_ticks: u64,
}

impl MachineReading {
    /// Reads it; `None` if the kernel does not tell.
    pub fn take() -> Option<Self> {
        let machine = fs::read_to_string("/proc/stat").ok()?;
        let ours = fs::read_to_string("/proc/self/stat").ok()?;
        parse_machine(&machine, &ours)
    }

    /// The share of all processors that others used between two readings, 0 to 1.
    pub fn others_share(earlier: Option<Self>, later: Option<Self>) -> Option<f64> {
        let (earlier, later) = (earlier?, later?);
        let busy = later.busy_ticks.saturating_sub(earlier.busy_ticks);
        let others = busy.saturating_sub(later.ours_ticks - earlier.ours_ticks);
        let all = later.all_ticks.saturating_sub(earlier.all_ticks);
        (all > 0).then(|| others as f64 / all as f64)
    }
}

/// How often all threads of a process have let go of a processor by themselves, which is how often something woke them.
///
/// # Errors
///
/// If the process is gone or the kernel does not tell.
pub fn voluntary_switches(process: u32) -> Result<u64> {
    let mut switches = 0;
    for thread in threads_ns(process)?.into_keys() {
        let status = read(process, &format!("task/{thread}/status"))?;
        switches += parse_voluntary_switches(&status)
            .with_context(|| format!("/proc/{process}/task/{thread}/status is not what it used to be"))?;
    }
    Ok(switches)
}

fn parse_voluntary_switches(text: &str) -> Option<u64> {
    let count = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    count.trim().parse().ok()
}

fn read(process: u32, file: &str) -> Result<String> {
    let path = PathBuf::from(format!("/proc/{process}/{file}"));
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn threads_ns(process: u32) -> Result<BTreeMap<u32, u64>> {
    let folder = format!("/proc/{process}/task");
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
        let name = entry?.file_name();
        let Some(thread) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // A thread may end between the listing and the reading; then it is simply not there.
        let Ok(schedstat) = fs::read_to_string(format!("{folder}/{thread}/schedstat")) else { continue };
        if let Some(spent_ns) = parse_schedstat(&schedstat) {
            threads.insert(thread, spent_ns);
        }
    }
    Ok(threads)
}

fn is_journal(process: u32, thread: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{process}/task/{thread}/comm"));
    name.is_ok_and(|name| name.trim_end() == "journal")
}

/// `schedstat`: time on the CPU in nanoseconds, time waiting, number of turns.
fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// `stat` (proc(5)): the 14th and 15th field are user and system time, the two behind them those of the children that were
/// waited for. The second is the program's name in parentheses, which may itself hold spaces and parentheses, so the
/// count starts behind the last one.
fn parse_ticks(text: &str) -> Option<(Ticks, Ticks)> {
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse().ok();
    Some((Ticks { user: next()?, system: next()? }, Ticks { user: next()?, system: next()? }))
}

/// The first line of `/proc/stat` holds user, nice, system, idle, iowait, irq, softirq and steal (guests are counted in user);
/// the fields behind a process's own times are those of its children (proc(5)).
fn parse_machine(machine: &str, ours: &str) -> Option<MachineReading> {
    let times: Vec<u64> = machine
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace()
        .map_while(|ticks| ticks.parse().ok())
        .take(8)
        .collect();
    let idle_ticks = times.get(3)? + times.get(4)?;
    let all_ticks: u64 = times.iter().sum();
    let ours = ours.rsplit_once(')')?.1.split_ascii_whitespace().skip(11).take(4);
    let ours_ticks = ours.map_while(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(MachineReading { all_ticks, busy_ticks: all_ticks - idle_ticks, ours_ticks })
}

fn parse_memory(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    };
    Some(Memory {
        resident_bytes: field("Rss")?,
        proportional_bytes: field("Pss")?,
        anonymous_bytes: field("Anonymous")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(user: u64, system: u64) -> Ticks {
        Ticks { user, system }
    }

    fn reading(threads: &[(u32, u64)], user: u64, system: u64) -> CpuReading {
        let threads_ns = threads.iter().copied().collect();
        CpuReading { threads_ns, journal: None, own: ticks(user, system), children: ticks(0, 0) }
    }

    #[test]
    fn ticks_are_found_behind_a_name_with_parentheses() {
        let text = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 0 0 0 123 456 78 9 20 0 1 0 9 0 0";
        assert_eq!(parse_ticks(text), Some((ticks(123, 456), ticks(78, 9))));
    }

    #[test]
    fn memory_is_read_by_name() {
        let text = "7ff0-7fff ---p 0 00:00 0 [rollup]\nRss:  2048 kB\nPss:  1000 kB\nPss_Anon: 3 kB\nAnonymous: 512 kB\n";
        let memory = parse_memory(text).unwrap();
        assert_eq!(
            (memory.resident_bytes, memory.proportional_bytes, memory.anonymous_bytes),
            (2048 * 1024, 1000 * 1024, 512 * 1024)
        );
    }

    #[test]
    fn exact_sum_is_split_by_the_ticks() {
        let earlier = reading(&[(1, 1_000), (2, 0)], 10, 10);
        let later = reading(&[(1, 1_000_001_000), (2, 500), (3, 500)], 20, 40);
        let spent = later.since(&earlier);
        assert_eq!(spent.total_ns(), 1_000_001_000);
        assert_eq!(spent.user_ns, 250_000_250);
    }

    #[test]
    fn thread_that_ended_makes_the_ticks_count() {
        let spent = reading(&[(1, 5)], 3, 7).since(&reading(&[(1, 1), (2, 1)], 1, 1));
        assert_eq!((spent.user_ns, spent.system_ns), (20_000_000, 60_000_000));
    }

    #[test]
    fn thread_that_came_and_went_makes_the_ticks_count() {
        let spent = reading(&[(1, 5)], 10, 10).since(&reading(&[(1, 1)], 0, 0));
        assert_eq!(spent.total_ns(), 200_000_000);
    }

    #[test]
    fn children_that_were_waited_for_are_added() {
        let earlier = reading(&[(1, 0)], 0, 0);
        let later = CpuReading { children: ticks(1, 3), ..reading(&[(1, 500)], 0, 0) };
        let spent = later.since(&earlier);
        assert_eq!((spent.user_ns, spent.system_ns), (10_000_125, 30_000_375));
    }

    #[test]
    fn others_are_what_is_busy_and_not_ours() {
        let ours = |ticks: u64| format!("42 (bench) S 1 42 42 0 -1 4194560 1 0 0 0 {ticks} 1 1 1 20 0");
        let earlier = parse_machine("cpu  10 0 10 100 5 0 0 0 0 0\ncpu0 1\n", &ours(0));
        let later = parse_machine("cpu  40 0 20 155 10 0 5 5 7 0\ncpu0 1\n", &ours(30));
        let share = MachineReading::others_share(earlier, later).unwrap();
        assert!((share - 20.0 / 110.0).abs() < 1e-9, "{share}");
        assert!(MachineReading::others_share(None, later).is_none());
    }

    #[test]
    fn journal_is_known_by_its_name() {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let journal = std::thread::Builder::new().name("journal".into()).spawn(move || stopped.recv());
        let process = std::process::id();
        let mut reading = CpuReading::take(process).unwrap();
        while reading.journal.is_none() {
            // A thread names itself when it begins.
            reading = CpuReading::take(process).unwrap();
        }
        assert!(reading.journal_ns_since(&reading) == Some(0));
        drop(stop);
        assert!(journal.unwrap().join().unwrap().is_err());
    }

    #[test]
    fn switches_are_those_that_were_voluntary() {
        let text = "Threads:\t1\nvoluntary_ctxt_switches:\t42\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(parse_voluntary_switches(text), Some(42));
    }

    #[test]
    fn own_process_can_be_read() {
        let process = std::process::id();
        assert!(voluntary_switches(process).is_ok());
        assert!(!CpuReading::take(process).unwrap().threads_ns.is_empty());
        assert!(Memory::read(process).unwrap().resident_bytes > 0);
    }
}
