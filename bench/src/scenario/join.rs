//! `join` (and `idle`): many join one room one after the other; then nobody does anything.
//!
//! The server is warmed by one that comes and goes, so that what it needs once is not counted for its members.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Measure, Sample, Scale};
use crate::{
    crowd::{Crowd, Ignore},
    peer::Peer,
    usage::{CpuReading, Memory},
};

/// How long the server is watched at rest.
const REST: Duration = Duration::from_secs(3);

/// How long a server may go on working after the last join.
const REST_WITHIN: Duration = Duration::from_secs(20);

fn members(scale: Scale) -> usize {
    scale.pick(10_000, 2_000)
}

pub(super) fn describe(scale: Scale) -> String {
    format!(
        "{} join the lobby, each after the one before was welcomed; CPU is counted until the server rests. Then it is \
         watched for {} seconds. Memory is what the joins added, after one had come and gone.",
        members(scale),
        REST.as_secs()
    )
}

pub(super) fn play(peer: &Peer, quiet: Duration, scale: Scale) -> Result<Sample> {
    let members = members(scale);
    warm(peer, quiet)?;
    let mut crowd = Crowd::gather()?;
    let memory_before = Memory::read(peer.process())?;
    let cpu_before = CpuReading::take(peer.process())?;
    let begin = Instant::now();
    for _ in 0..members {
        crowd.join(peer.address(), None)?;
    }
    let took = begin.elapsed();
    crowd.settle(quiet)?;
    let cpu_joined = await_rest(&mut crowd, peer)?;
    let memory = Memory::read(peer.process())?;
    let resting = Instant::now();
    pass(&mut crowd, REST)?;
    let at_rest = CpuReading::take(peer.process())?.since(&cpu_joined);

    let spent = cpu_joined.since(&cpu_before);
    let per_member = |after: u64, before: u64| (after as f64 - before as f64) / members as f64;
    Ok(vec![
        (Measure::JoinCpu, spent.total_ns() as f64 / 1e9),
        (Measure::JoinUser, spent.user_ns as f64 / 1e9),
        (Measure::JoinTook, took.as_secs_f64()),
        (Measure::ResidentPerMember, per_member(memory.resident_bytes, memory_before.resident_bytes)),
        (Measure::AnonymousPerMember, per_member(memory.anonymous_bytes, memory_before.anonymous_bytes)),
        (Measure::CpuAtRest, at_rest.total_ns() as f64 / 1e3 / resting.elapsed().as_secs_f64()),
    ])
}

/// One comes, says good-bye and goes.
fn warm(peer: &Peer, quiet: Duration) -> Result<()> {
    let mut crowd = Crowd::gather()?;
    crowd.join(peer.address(), None)?;
    crowd.settle(quiet)?;
    drop(crowd);
    let mut nobody = Crowd::gather()?;
    await_rest(&mut nobody, peer).map(drop)
}

/// Waits until the server has spent nothing for a tenth of a second, and returns what it had spent by then.
fn await_rest(crowd: &mut Crowd, peer: &Peer) -> Result<CpuReading> {
    let begin = Instant::now();
    let mut before = CpuReading::take(peer.process())?;
    loop {
        pass(crowd, Duration::from_millis(100))?;
        let now = CpuReading::take(peer.process())?;
        // A server that never rests is no failure of the round: the time that it takes at rest is reported.
        if now.since(&before).total_ns() == 0 || begin.elapsed() > REST_WITHIN {
            return Ok(now);
        }
        before = now;
    }
}

/// Lets time pass; whoever hears something hears it.
fn pass(crowd: &mut Crowd, time: Duration) -> Result<()> {
    let begin = Instant::now();
    while let Some(left) = time.checked_sub(begin.elapsed()).filter(|left| !left.is_zero()) {
        crowd.turn(left, &mut Ignore)?;
    }
    Ok(())
}
