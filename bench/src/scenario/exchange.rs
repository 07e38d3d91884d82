//! `paced`, `talk` and `rooms`: members talk with so many messages in flight, and the server's CPU time is divided by
//! the deliveries.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Measure, Sample, Scale, Shape};
use crate::{
    conversation::{Conversation, Speakers},
    ledger::{Figures, Part, Seating},
    peer::Peer,
    usage::{CpuReading, CpuSpent},
};

const MESSAGE_BYTES: usize = 128;

struct Plan {
    seating: Seating,
    speakers: Speakers,
    in_flight: usize,
    messages: usize,
}

fn plan(shape: Shape, scale: Scale) -> Plan {
    let room = |members_per_room| Seating { rooms: 1, members_per_room };
    match shape {
        Shape::Talk { in_flight } => Plan {
            seating: room(200),
            speakers: Speakers::Everyone,
            in_flight,
            messages: scale.pick(50_000 + 100 * in_flight, 10_000),
        },
        Shape::Rooms => Plan {
            seating: Seating { rooms: scale.pick(1_000, 100), members_per_room: 10 },
            speakers: Speakers::RoomByRoom,
            in_flight: 64,
            messages: scale.pick(60_000, 5_000),
        },
        _ => Plan {
            seating: room(1_001),
            speakers: Speakers::First,
            in_flight: 1,
            messages: scale.pick(1_000, 50),
        },
    }
}

pub(super) fn describe(shape: Shape, scale: Scale) -> String {
    let Plan { seating, speakers, in_flight, messages } = plan(shape, scale);
    let who = match speakers {
        Speakers::First => format!("One member talks to {} others", seating.members() - 1),
        Speakers::Everyone => format!("{} members take turns", seating.members()),
        Speakers::RoomByRoom => format!(
            "{} rooms of {} take turns, and in each its members",
            seating.rooms, seating.members_per_room
        ),
    };
    format!(
        "{who}: {messages} messages of {MESSAGE_BYTES} bytes, {in_flight} in flight. A message is done, and the next one \
         said, when all others of its room have heard it."
    )
}

pub(super) fn play(shape: Shape, peer: &Peer, quiet: Duration, scale: Scale) -> Result<Sample> {
    let plan = plan(shape, scale);
    let mut conversation = Conversation::gather(peer.address(), plan.seating, MESSAGE_BYTES, quiet)?;
    conversation.keep_in_flight(plan.speakers, plan.in_flight, plan.messages / 20)?;
    conversation.take_figures();

    let begin = Instant::now();
    let cpu_before = CpuReading::take(peer.process())?;
    conversation.keep_in_flight(plan.speakers, plan.in_flight, plan.messages)?;
    let cpu_after = CpuReading::take(peer.process())?;
    let took = begin.elapsed();

    let figures = conversation.take_figures();
    let journal_ns = cpu_after.journal_ns_since(&cpu_before);
    let mut sample = per_delivery(&figures, cpu_after.since(&cpu_before), journal_ns, took);
    sample.extend(latencies(&figures));
    if let Shape::Paced = shape {
        sample.extend(tenths(&figures));
    }
    Ok(sample)
}

fn per_delivery(figures: &Figures, spent: CpuSpent, journal_ns: Option<u64>, took: Duration) -> Sample {
    let deliveries = figures.deliveries as f64;
    let micros = |spent_ns: u64| spent_ns as f64 / 1e3 / deliveries;
    let mut sample = vec![
        (Measure::CpuPerDelivery, micros(spent.total_ns())),
        (Measure::UserPerDelivery, micros(spent.user_ns)),
        (Measure::SystemPerDelivery, micros(spent.system_ns)),
    ];
    sample.extend(journal_ns.map(|spent_ns| (Measure::JournalPerDelivery, micros(spent_ns))));
    sample.push((Measure::Throughput, deliveries / took.as_secs_f64() / 1e3));
    sample
}

/// Median and 99th percentile over all receivers.
pub(super) fn latencies(figures: &Figures) -> Sample {
    let all = figures.all_ns();
    let millis = |share| Some(all.percentile(share)? as f64 / 1e6);
    let median = millis(0.5).map(|value| (Measure::LatencyMedian, value));
    let p99 = millis(0.99).map(|value| (Measure::LatencyP99, value));
    median.into_iter().chain(p99).collect()
}

fn tenths(figures: &Figures) -> Sample {
    let millis = |part| Some(figures.part_ns(part).percentile(0.5)? as f64 / 1e6);
    let (Some(first), Some(last)) = (millis(Part::First), millis(Part::Last)) else { return Sample::new() };
    vec![
        (Measure::LatencyFirstTenth, first),
        (Measure::LatencyLastTenth, last),
        (Measure::TenthsApart, first.max(last) / first.min(last)),
    ]
}
