//! How many messages a second can be kept: what the disk does, and what the journal makes of it.
//!
//! The floor is the disk's own: four kilobytes and a sync, again and again. Beside it the journal commits the same facts one
//! at a time and many together, without anything around it; with the sync, and without it, which shows what of the time
//! is the processor's. What a whole server gives is measured by `receipts`.
//!
//! CPU is that of the thread that commits, which is what the server's journal would spend.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use history::{Batch, Journal, Sync};
use rustix::time::{ClockId, clock_gettime};

use super::{
    table::{Row, to_markdown},
    talk::Talk,
};
use crate::{data::DataFolder, histogram::Histogram, scenario::Scale};

const PAGE_BYTES: usize = 4_096;
/// As much of a file as is written over: SQLite's log has about this size when it begins anew.
const OVERWRITTEN_PAGES: usize = 4_096;
/// So many facts together, for each row of the table.
const FACTS_TOGETHER: [usize; 5] = [1, 16, 256, 1_024, 4_096];

/// A way to write something down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A page over what the file has already, and `fdatasync`: what was written and what is needed to find it.
    OverwriteData,
    /// A page over what the file has already, and `fsync`: also when that was.
    Overwrite,
    /// A page at the end of a file that grows, and `fdatasync`.
    AppendData,
    /// The journal: so many facts in a commit.
    Commit(Sync, usize),
}

/// What a round gave.
struct Pace {
    facts_per_second: f64,
    median_ms: f64,
    p99_ms: f64,
    cpu_micros_per_fact: f64,
}

/// Measures all ways in turn and writes the table.
///
/// # Errors
///
/// If the disk or the journal fails.
pub fn measure(rounds: usize, scale: Scale) -> Result<String> {
    let window = Duration::from_millis(scale.pick(1_000, 50) as u64);
    let ways = ways();
    let mut rows: Vec<Row> = ways.iter().map(|way| Row::new(way.label(), None)).collect();
    for round in 0..rounds {
        eprintln!("commits: round {} of {rounds}", round + 1);
        for (way, row) in ways.iter().zip(&mut rows) {
            let pace = way.play(window)?;
            row.rounds.push(vec![
                pace.facts_per_second,
                pace.median_ms,
                pace.p99_ms,
                pace.cpu_micros_per_fact,
            ]);
        }
    }
    let titles = ["facts a second", "each write, median, ms", "99th percentile, ms", "CPU a fact, µs"];
    Ok(format!(
        "## What the disk and the journal can do\n\n\
         Each way writes for {} ms with nothing else around it. The floor is a page of {PAGE_BYTES} bytes and one sync. \
         The journal commits facts of made-up talk, so many in one transaction; `durability = \"none\"` leaves out the sync.\n\n{}",
        window.as_millis(),
        to_markdown(&titles, &rows)
    ))
}

fn ways() -> Vec<Way> {
    let commits = |sync| FACTS_TOGETHER.map(|facts| Way::Commit(sync, facts));
    [Way::OverwriteData, Way::Overwrite, Way::AppendData]
        .into_iter()
        .chain(commits(Sync::Full))
        .chain(commits(Sync::Off))
        .collect()
}

impl Way {
    fn label(self) -> String {
        let durability = |sync| match sync {
            Sync::Full => "",
            Sync::Off => ", not synced",
        };
        match self {
            Self::OverwriteData => "disk: a page over an old one, fdatasync".into(),
            Self::Overwrite => "disk: a page over an old one, fsync".into(),
            Self::AppendData => "disk: a page at the end of a file, fdatasync".into(),
            Self::Commit(sync, 1) => format!("journal: a commit for each fact{}", durability(sync)),
            Self::Commit(sync, facts) => format!("journal: {facts} facts in a commit{}", durability(sync)),
        }
    }

    fn play(self, window: Duration) -> Result<Pace> {
        let folder = DataFolder::create()?;
        match self {
            Self::OverwriteData => {
                let (file, mut pages) =
                    (file_of_pages(&folder, OVERWRITTEN_PAGES)?, (0..OVERWRITTEN_PAGES).cycle());
                repeat(window, 1, || pages.next(), |page| Ok(write_page(&file, page)?.sync_data()?))
            }
            Self::Overwrite => {
                let (file, mut pages) =
                    (file_of_pages(&folder, OVERWRITTEN_PAGES)?, (0..OVERWRITTEN_PAGES).cycle());
                repeat(window, 1, || pages.next(), |page| Ok(write_page(&file, page)?.sync_all()?))
            }
            Self::AppendData => {
                let (file, mut pages) = (file_of_pages(&folder, 0)?, 0..);
                repeat(window, 1, || pages.next(), |page| Ok(write_page(&file, page)?.sync_data()?))
            }
            Self::Commit(durability, facts) => {
                let options = history::Options { durability, epoch_bits: 1, bytes_max: None };
                let (mut journal, _) = Journal::open(folder.path(), &options)?;
                let mut talk = Talk::begin();
                let commit = |batch: Batch| Ok(journal.commit(&batch)?);
                repeat(window, facts, || talk.batch(facts), commit)
            }
        }
    }
}

fn file_of_pages(folder: &DataFolder, pages: usize) -> Result<File> {
    let mut file = File::create_new(folder.path().join("pages"))?;
    file.write_all(&vec![1; pages * PAGE_BYTES])?;
    file.sync_all().context("cannot sync a file")?;
    Ok(file)
}

fn write_page(file: &File, page: Option<usize>) -> Result<&File> {
    let offset = page.unwrap_or(0) * PAGE_BYTES;
    file.write_all_at(&[2; PAGE_BYTES], offset as u64).context("cannot write a page")?;
    Ok(file)
}

/// Writes again and again; what is to be written is made between two writes and not counted.
fn repeat<T>(
    window: Duration,
    facts: usize,
    mut next: impl FnMut() -> T,
    mut write: impl FnMut(T) -> Result<()>,
) -> Result<Pace> {
    let mut took_ns = Histogram::default();
    let (mut took, mut cpu) = (Duration::ZERO, Duration::ZERO);
    while took < window {
        let wanted = next();
        let (begin, cpu_before) = (Instant::now(), thread_cpu());
        write(wanted)?;
        cpu += thread_cpu().saturating_sub(cpu_before);
        let this = begin.elapsed();
        took_ns.record(this.as_nanos() as u64);
        took += this;
    }
    let all_facts = took_ns.total() as f64 * facts as f64;
    let millis = |share| took_ns.percentile(share).map_or(f64::NAN, |ns| ns as f64 / 1e6);
    Ok(Pace {
        facts_per_second: all_facts / took.as_secs_f64(),
        median_ms: millis(0.5),
        p99_ms: millis(0.99),
        cpu_micros_per_fact: cpu.as_secs_f64() * 1e6 / all_facts,
    })
}

/// What this thread has spent so far.
pub(super) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_writes_and_is_in_the_table() {
        let table = measure(1, Scale::Quick).unwrap();
        for way in ways() {
            assert!(table.contains(&format!("| {} ", way.label())), "{table}");
        }
    }
}
