//! A server with its children: which processes they are, what memory they take together, when they have come to rest.
//!
//! Read from `/proc`, as in `usage`. Each reading costs the reader and never the server.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::usage::{CpuReading, Memory};

/// How long requests may take to end after the last answer. Python looks for children that have ended twice a second.
const REST_WITHIN: Duration = Duration::from_secs(3);

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The memory of a server with its children at one moment, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FamilyMemory {
    /// All that is resident. Pages that processes share are counted in each.
    pub resident: u64,
    /// Resident, with shared pages counted by their share.
    pub proportional: u64,
    /// The tables in which the kernel keeps what is where.
    pub page_tables: u64,
    /// The stacks on which the kernel works for threads; of the whole machine, since they are told of no process alone.
    pub kernel_stacks: u64,
}

impl FamilyMemory {
    /// Reads it. A child that has just ended has none.
    ///
    /// # Errors
    ///
    /// If the server is gone, or the kernel does not tell.
    pub fn read(process: u32) -> Result<Self> {
        let machine = fs::read_to_string("/proc/meminfo").context("cannot read /proc/meminfo")?;
        let kernel_stacks = kilobytes(&machine, "KernelStack").context("/proc/meminfo has no KernelStack")?;
        let mut sum = Self::of_one(process)?;
        sum.kernel_stacks = kernel_stacks * 1024;
        for child in members(process)?.into_iter().filter(|member| *member != process) {
            let Ok(one) = Self::of_one(child) else { continue };
            sum.resident += one.resident;
            sum.proportional += one.proportional;
            sum.page_tables += one.page_tables;
        }
        Ok(sum)
    }

    fn of_one(process: u32) -> Result<Self> {
        let memory = Memory::read(process)?;
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let page_tables = kilobytes(&status, "VmPTE").context("a process has no VmPTE")?;
        Ok(FamilyMemory {
            resident: memory.resident_bytes,
            proportional: memory.proportional_bytes,
            page_tables: page_tables * 1024,
            kernel_stacks: 0,
        })
    }
}

/// Waits until the server has no child and no thread but those that it had at `beginning`, and returns what it had
/// spent by then.
///
/// # Errors
///
/// If it does not come to rest within three seconds.
pub fn await_rest(process: u32, beginning: &CpuReading) -> Result<CpuReading> {
    let until = Instant::now() + REST_WITHIN;
    loop {
        // Children first: what they have spent is told by the reading that comes after their end.
        let members = members(process)?.len();
        let reading = CpuReading::take(process)?;
        if members == 1 && reading.threads() <= beginning.threads() {
            return Ok(reading);
        }
        anyhow::ensure!(
            Instant::now() < until,
            "the server has not come to rest: {members} processes, {} threads",
            reading.threads()
        );
        sleep(LOOK_EVERY);
    }
}

/// The process and its children, those included that have ended and were not waited for.
fn members(process: u32) -> Result<Vec<u32>> {
    let mut members = vec![process];
    for entry in fs::read_dir("/proc").context("cannot list /proc")? {
        let name = entry?.file_name();
        let Some(other) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended since the listing.
        let Ok(stat) = fs::read_to_string(format!("/proc/{other}/stat")) else { continue };
        if parent(&stat) == Some(process) {
            members.push(other);
        }
    }
    Ok(members)
}

/// The 4th field of `stat` (proc(5)), counted from behind the program's name.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn child_belongs_to_the_family_and_its_memory_counts() {
        let before = FamilyMemory::read(std::process::id()).unwrap();
        // It waits for the end of its input.
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        assert!(members(std::process::id()).unwrap().contains(&child.id()));
        let after = FamilyMemory::read(std::process::id()).unwrap();
        assert!(before.page_tables > 0 && after.page_tables > 0 && after.kernel_stacks > 0);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!members(std::process::id()).unwrap().contains(&child.id()));
    }

    #[test]
    fn parent_is_found_behind_a_name_with_parentheses() {
        assert_eq!(parent("42 (a) b (c)) S 17 42 42 0"), Some(17));
    }
}
