//! The simulator: whole servers under one seed.
//!
//! Where it stands: in the place of `server`. It drives the real engine (hub, feeds, dialects, desk, shards) with a network
//! that splits, delays, stalls and breaks, a store that commits late, fails and crashes, and a clock that it moves itself;
//! and it checks after every step that what people are shown is what they should be shown ([`run`]).
//! Inside, `world` moves everything, `oracle` knows what is true, a `reader` for each connection knows what comes next.
//!
//! A seed is a world: how many people, how narrow the bounds, how bad the weather, who says what when. The same seed is
//! the same world, step by step, on every machine; so a failure is replayed by naming its seed.
//!
//! What this crate must never do: ask a clock, read the environment, start a thread inside a world, or let the order of a
//! hash map decide anything.

// In the order in which a message meets them.
mod device;
mod people;
mod session;
mod store;
mod world;

mod oracle;
mod reader;

mod trace;
mod weather;

use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use trace::Trace;
use world::World;

/// What can be asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How many of the last steps a failure shows.
    pub trace_lines_max: usize,
}

/// What was seen in worlds that held.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Steps of all kinds.
    pub steps: u64,
    /// Events that the hub told.
    pub told: u64,
    /// Lines that readers were shown.
    pub lines: u64,
    /// Skips that were announced.
    pub skips: u64,
    /// Messages in them.
    pub messages_skipped: u64,
    /// Lines that waited until they were durable.
    pub held: u64,
    /// And of them, those that came behind what others said later.
    pub owed: u64,
    /// Times that all of a shard were seen to hear each other while nothing could be written.
    pub heard_in_trouble: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// Connections that were reset.
    pub resets: u64,
    /// Connections whose session panicked.
    pub panics: u64,
    /// Times that a connection was not read for a while.
    pub pauses: u64,
    /// Commits that came to an end.
    pub commits: u64,
    /// Commits that failed at first.
    pub failures: u64,
    /// Requests that the desk gave back until the next commit.
    pub given_back: u64,
    /// Requests that were refused because the journal could not write.
    pub unwritten: u64,
    /// Times that the process was gone.
    pub crashes: u64,
    /// Times that it stopped in an orderly way.
    pub stops: u64,
    /// Questions about the past that were answered.
    pub pages: u64,
    /// Lines of the past that people at netcat were shown.
    pub past: u64,
    /// Facts that clients who came back were shown by replays.
    pub replayed: u64,
    /// Facts that were skipped and asked for.
    pub filled: u64,
    /// Things that clients said and that were acknowledged.
    pub acknowledged: u64,
    /// Replays that broke off.
    pub unavailable: u64,
}

/// A world in which something was wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which one.
    pub seed: u64,
    /// At which step.
    pub step: u64,
    /// What was violated, or what the panic said.
    pub what: String,
    /// The world's weather, and its last steps.
    pub trace: Vec<String>,
}

impl Report {
    /// Adds what was seen in another world.
    pub fn add(&mut self, other: &Report) {
        let pairs = [
            (&mut self.steps, other.steps),
            (&mut self.told, other.told),
            (&mut self.lines, other.lines),
            (&mut self.skips, other.skips),
            (&mut self.messages_skipped, other.messages_skipped),
            (&mut self.held, other.held),
            (&mut self.owed, other.owed),
            (&mut self.heard_in_trouble, other.heard_in_trouble),
            (&mut self.connections, other.connections),
            (&mut self.resets, other.resets),
            (&mut self.panics, other.panics),
            (&mut self.pauses, other.pauses),
            (&mut self.commits, other.commits),
            (&mut self.failures, other.failures),
            (&mut self.given_back, other.given_back),
            (&mut self.unwritten, other.unwritten),
            (&mut self.crashes, other.crashes),
            (&mut self.stops, other.stops),
            (&mut self.pages, other.pages),
            (&mut self.past, other.past),
            (&mut self.replayed, other.replayed),
            (&mut self.filled, other.filled),
            (&mut self.acknowledged, other.acknowledged),
            (&mut self.unavailable, other.unavailable),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
    }

    fn add_device(&mut self, counts: &device::Counts) {
        self.replayed += counts.replayed;
        self.filled += counts.filled;
        self.acknowledged += counts.acknowledged;
        self.unavailable += counts.unavailable;
    }

    fn add_reader(&mut self, counts: &reader::Counts) {
        self.lines += counts.lines;
        self.skips += counts.skips;
        self.messages_skipped += counts.messages_skipped;
        self.held += counts.held;
        self.owed += counts.owed;
        self.past += counts.past;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} steps, {} events told, {} lines shown, {} held, {} of them owed; {} skips of {} messages; {} connections, {} resets, \
             {} panics, {} pauses; {} commits, {} failed, {} turns in trouble, {} requests given back, {} refused; {} crashes, {} stops; \
             {} pages, {} lines of the past, {} facts replayed, {} filled in, {} acknowledged, {} replays broken off",
            self.steps,
            self.told,
            self.lines,
            self.held,
            self.owed,
            self.skips,
            self.messages_skipped,
            self.connections,
            self.resets,
            self.panics,
            self.pauses,
            self.commits,
            self.failures,
            self.heard_in_trouble,
            self.given_back,
            self.unwritten,
            self.crashes,
            self.stops,
            self.pages,
            self.past,
            self.replayed,
            self.filled,
            self.acknowledged,
            self.unavailable
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(formatter, "  | {line}")?;
        }
        writeln!(formatter, "seed {} fails at step {}: {}", self.seed, self.step, self.what)?;
        write!(formatter, "replay it with: cargo xtask sim --seeds 1 --from {}", self.seed)
    }
}

impl std::error::Error for Failure {}

/// Lives one world from its seed.
///
/// # Errors
/// What was violated first, or that something panicked, and the steps that led there.
pub fn run(seed: u64, options: &Options) -> Result<Report, Failure> {
    let mut world = World::new(seed, Trace::new(options.trace_lines_max));
    // A panic is a failure like any other: its seed must be told. The world is not used any more, only read.
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| world.run()));
    match outcome.unwrap_or_else(|panic| Err(format!("it panics: {}", words_of(panic.as_ref())))) {
        Ok(()) => Ok(world.report),
        Err(what) => {
            let step = world.report.steps;
            Err(Failure { seed, step, what, trace: world.trace.into_lines() })
        }
    }
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

/// Lives the worlds of all these seeds, on all processors, and calls `progress` with the number of those that are begun.
/// A world that fails is lived again, with the trace that the options ask for.
///
/// # Errors
/// The failure with the smallest seed of those that were found before all others stopped.
pub fn run_all(seeds: &[u64], options: &Options, progress: impl Fn(usize) + Sync) -> Result<Report, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let untraced = Options { trace_lines_max: 0 };
    let begun = AtomicUsize::new(0);
    let live = || {
        let mut sum = Report::default();
        while let Some(seed) = seeds.get(begun.fetch_add(1, Ordering::Relaxed)) {
            progress(begun.load(Ordering::Relaxed).min(seeds.len()));
            match run(*seed, &untraced) {
                Ok(report) => sum.add(&report),
                Err(failure) => {
                    begun.store(seeds.len(), Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
        Ok(sum)
    };
    let outcomes: Vec<Result<Report, Failure>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(live)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| match worker.join() {
            Ok(outcome) => outcome,
            Err(panic) => panic::resume_unwind(panic),
        };
        workers.into_iter().map(join).collect()
    });
    let mut sum = Report::default();
    let mut failures = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(report) => sum.add(&report),
            Err(failure) => failures.push(failure),
        }
    }
    match failures.into_iter().min_by_key(|failure| failure.seed) {
        None => Ok(sum),
        Some(failure) => Err(run(failure.seed, options).err().unwrap_or(failure)),
    }
}
