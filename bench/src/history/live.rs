//! What it costs a live room that everything is written down: the scenarios of `bench run`, with and without.
//!
//! Both columns are the same binary. Rounds are interleaved as in `run`, and judged is what a delivery costs all threads of the
//! server together. What is put off in a busy room and done later, the index of words, is measured by [`index`].

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use history::Reader;

use super::table::{Row, to_markdown};
use crate::{
    conversation::{Conversation, Speakers},
    ledger::Seating,
    peer::{Keeping, Peer, Program},
    placement::Places,
    report::Outcome,
    run,
    scenario::{Bound, Contender, Measure, Scale, Shape, Stalled},
    usage::CpuReading,
};

const SHAPES: [Shape; 3] = [Shape::Paced, Shape::Talk { in_flight: 64 }, Shape::Talk { in_flight: 1_024 }];

/// How long the index may take to catch up.
const CATCH_UP_AT_MOST: Duration = Duration::from_secs(120);

/// Plays every scenario with history and without.
pub fn measure(roomful: &std::path::Path, places: &Places, rounds: usize, scale: Scale) -> Vec<Outcome> {
    let contender = |label: &str, keeping| Contender {
        label: label.into(),
        program: Program::Product(roomful.to_owned(), keeping),
        stalled: Stalled::Nobody,
    };
    let both = || vec![contender("off", Keeping::Nothing), contender("on", Keeping::History)];
    let bounded = |outcome| Outcome { bound, ..outcome };
    SHAPES.iter().map(|shape| bounded(run::play(*shape, both(), places, rounds, scale))).collect()
}

fn bound(_shape: Shape, measure: Measure) -> Option<Bound> {
    (measure == Measure::CpuPerDelivery).then_some(Bound::TimesBaseline(1.10))
}

/// How far the index of words is behind when a busy room falls silent, and what it takes to catch up.
///
/// # Errors
///
/// If the server fails or the index never catches up.
pub fn index(roomful: &std::path::Path, places: &Places, rounds: usize, scale: Scale) -> Result<String> {
    let messages = scale.pick(100_000, 2_000);
    let mut row = Row::new(format!("after {messages} messages"), None);
    for round in 0..rounds {
        eprintln!("index: round {} of {rounds}", round + 1);
        row.rounds.push(catch_up(roomful, places, messages)?);
    }
    let titles = ["facts not in the index", "caught up after, s", "CPU of the journal's thread a fact, µs"];
    Ok(format!(
        "## The index of words behind a busy room\n\n\
         10 members say {messages} messages of 128 bytes as fast as they can, 1024 in flight; then nobody says anything. While \
         there is something to commit, the index waits; a search looks through what it does not have yet.\n\n{}",
        to_markdown(&titles, &[row])
    ))
}

fn catch_up(roomful: &std::path::Path, places: &Places, messages: usize) -> Result<Vec<f64>> {
    places.place_server()?;
    let program = Program::Product(roomful.to_owned(), Keeping::History);
    let peer = Peer::start(&program)?;
    places.place_generator()?;
    let seating = Seating { rooms: 1, members_per_room: 10 };
    let mut conversation = Conversation::gather(peer.address(), seating, 128, program.quiet())?;
    let reader = Reader::open(peer.data().context("the server keeps nothing")?)?;
    conversation.keep_in_flight(Speakers::Everyone, 1_024, messages)?;
    let (begin, cpu_before) = (Instant::now(), CpuReading::take(peer.process())?);
    // The last of what was heard may not be committed yet, so the index falls back a little more.
    let (mut behind, mut behind_now) = (0, reader.index_behind()?);
    while behind_now > 0 {
        ensure!(begin.elapsed() < CATCH_UP_AT_MOST, "the index does not catch up");
        thread::sleep(Duration::from_millis(20));
        behind = behind_now.max(behind);
        behind_now = reader.index_behind()?;
    }
    let took = begin.elapsed();
    let spent_ns = CpuReading::take(peer.process())?.journal_ns_since(&cpu_before);
    let spent_ns = spent_ns.context("the server has no journal")?;
    Ok(vec![behind as f64, took.as_secs_f64(), spent_ns as f64 / 1e3 / behind.max(1) as f64])
}
