//! Who talks to whom, and what is read off: each scenario plays one round against one contender.
//!
//! `run` calls [`Shape::play`] round after round and `report` sets the [`Sample`]s side by side with the bounds that
//! are written here. A scenario must never decide by a clock whether something is right, only how long it took.

mod exchange;
mod join;
mod stall;

use anyhow::{Context, Result};

use crate::{
    peer::{Peer, Program},
    placement::Places,
};

/// A scenario, as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// One talks to 1,000, one message in flight.
    Paced,
    /// 200 members all talk, 64 and 1,024 messages in flight.
    Talk,
    /// 1,000 rooms of 10.
    Rooms,
    /// 10,000 join one after the other, then nobody does anything.
    #[value(alias = "idle")]
    Join,
    /// One of 1,000 never reads.
    Stall,
}

impl Scenario {
    /// The tables that it gives.
    pub fn shapes(self) -> &'static [Shape] {
        match self {
            Self::Paced => &[Shape::Paced],
            Self::Talk => &[Shape::Talk { in_flight: 64 }, Shape::Talk { in_flight: 1_024 }],
            Self::Rooms => &[Shape::Rooms],
            Self::Join => &[Shape::Join],
            Self::Stall => &[Shape::Stall],
        }
    }
}

/// How much is said, and by how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// What the figures are judged by.
    Full,
    /// Just enough to see that everything works.
    Quick,
}

impl Scale {
    /// One of two numbers.
    pub fn pick(self, full: usize, quick: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

/// One table of the report: a scenario with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One talks to 1,000.
    Paced,
    /// 200 members all talk.
    Talk {
        /// How many messages are on their way at any time.
        in_flight: usize,
    },
    /// 1,000 rooms of 10.
    Rooms,
    /// 10,000 join and rest.
    Join,
    /// One never reads.
    Stall,
}

/// Whether a member that never reads sits in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stalled {
    /// Everyone reads.
    Nobody,
    /// One member does not.
    One,
}

/// One column of a table: a server, and what is special about its rounds.
#[derive(Clone, Debug)]
pub struct Contender {
    /// The column's head.
    pub label: String,
    /// What is started for it.
    pub program: Program,
    /// Whether somebody never reads; heeded by [`Shape::Stall`] only.
    pub stalled: Stalled,
}

/// What can be read off a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`Measure::title` says what each is, in the words of the report")]
pub enum Measure {
    CpuPerDelivery,
    UserPerDelivery,
    SystemPerDelivery,
    JournalPerDelivery,
    Throughput,
    LatencyMedian,
    LatencyP99,
    LatencyFirstTenth,
    LatencyLastTenth,
    TenthsApart,
    JoinCpu,
    JoinUser,
    JoinTook,
    ResidentPerMember,
    AnonymousPerMember,
    CpuAtRest,
    ResidentGrowth,
    Skipped,
    SkipLines,
}

impl Measure {
    /// What it is, with its unit.
    pub fn title(self) -> &'static str {
        match self {
            Self::CpuPerDelivery => "server CPU per delivery, µs",
            Self::UserPerDelivery => "· of it user, µs",
            Self::SystemPerDelivery => "· of it system, µs",
            Self::JournalPerDelivery => "CPU of the journal's thread per delivery, µs",
            Self::Throughput => "thousand deliveries per second",
            Self::LatencyMedian => "latency, median, ms",
            Self::LatencyP99 => "latency, 99th percentile, ms",
            Self::LatencyFirstTenth => "· median of the first tenth of the receivers, ms",
            Self::LatencyLastTenth => "· median of the last tenth, ms",
            Self::TenthsApart => "· the slower of the two ÷ the faster",
            Self::JoinCpu => "server CPU for all joins, s",
            Self::JoinUser => "· of it user, s",
            Self::JoinTook => "time it took, s",
            Self::ResidentPerMember => "resident memory per member, bytes",
            Self::AnonymousPerMember => "· of it anonymous, bytes",
            Self::CpuAtRest => "CPU at rest, µs per second",
            Self::ResidentGrowth => "resident memory grew by, KiB",
            Self::Skipped => "messages the stalled member was told it missed",
            Self::SkipLines => "· in so many lines",
        }
    }
}

/// What a round gave.
pub type Sample = Vec<(Measure, f64)>;

/// What is asked of the product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// At most this many times what the first column has.
    TimesBaseline(f64),
    /// At most this, in the measure's own unit.
    AtMost(f64),
}

impl Shape {
    /// The table's heading.
    pub fn title(self) -> String {
        match self {
            Self::Paced => "One to 1,000, one message in flight".into(),
            Self::Talk { in_flight } => format!("200 members talk, {in_flight} messages in flight"),
            Self::Rooms => "1,000 rooms of 10".into(),
            Self::Join => "10,000 join one room one after the other, then rest".into(),
            Self::Stall => "One member that never reads, among 1,000 that talk".into(),
        }
    }

    /// What happens in a round.
    pub fn description(self, scale: Scale) -> String {
        match self {
            Self::Paced | Self::Talk { .. } | Self::Rooms => exchange::describe(self, scale),
            Self::Join => join::describe(scale),
            Self::Stall => stall::describe(scale),
        }
    }

    /// What is asked of the product.
    pub fn bound(self, measure: Measure) -> Option<Bound> {
        match (self, measure) {
            (Self::Paced, Measure::CpuPerDelivery) => Some(Bound::TimesBaseline(1.15)),
            (Self::Paced, Measure::UserPerDelivery) => Some(Bound::AtMost(0.4)),
            (Self::Paced, Measure::TenthsApart) => Some(Bound::AtMost(1.25)),
            (Self::Talk { .. }, Measure::CpuPerDelivery) => Some(Bound::TimesBaseline(1.5)),
            (Self::Rooms, Measure::CpuPerDelivery) => Some(Bound::TimesBaseline(1.25)),
            (Self::Join, Measure::JoinCpu) => Some(Bound::AtMost(1.0)),
            (Self::Join, Measure::ResidentPerMember) => Some(Bound::AtMost(512.0)),
            (Self::Join, Measure::CpuAtRest) => Some(Bound::AtMost(0.0)),
            (Self::Stall, Measure::LatencyP99) => Some(Bound::TimesBaseline(1.10)),
            (Self::Stall, Measure::ResidentGrowth) => Some(Bound::AtMost(256.0)),
            _ => None,
        }
    }

    /// How many rounds it takes for a median to be worth something.
    pub fn rounds(self, scale: Scale) -> usize {
        match self {
            Self::Join => scale.pick(3, 1),
            _ => scale.pick(5, 1),
        }
    }

    /// Plays one round: a fresh server, everybody joins, and what the shape says.
    ///
    /// # Errors
    ///
    /// If the server fails, or anything is lost, doubled, changed or out of order.
    pub fn play(self, contender: &Contender, places: &Places, scale: Scale) -> Result<Sample> {
        places.place_server()?;
        let peer = Peer::start(&contender.program)?;
        places.place_generator()?;
        let quiet = contender.program.quiet();
        match self {
            Self::Paced | Self::Talk { .. } | Self::Rooms => exchange::play(self, &peer, quiet, scale),
            Self::Join => join::play(&peer, quiet, scale),
            Self::Stall => stall::play(&peer, quiet, contender.stalled, scale),
        }
        .with_context(|| format!("{}; the server's last words:\n{}", contender.label, peer.last_words()))
    }
}
