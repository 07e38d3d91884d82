//! The feeds against the model, in runs that proptest invents and shrinks.

use crate::model::{self, Append, Op, Way};
use crate::{Bounds, Holding, Kind, Release};
use proptest::prelude::*;

fn op() -> impl Strategy<Value = Op> {
    let reader = 0..6_usize;
    let log = 0..4_usize;
    let room = prop_oneof![Just(0), 1..200_usize, Just(usize::MAX)];
    prop_oneof![
        1 => Just(Op::OpenLog),
        1 => any::<bool>().prop_map(|filters| Op::AddReader { filters }),
        1 => reader.clone().prop_map(Op::RemoveReader),
        6 => (reader.clone(), log.clone()).prop_map(|(reader, log)| Op::Begin(reader, log)),
        2 => (reader.clone(), log).prop_map(|(reader, log)| Op::End(reader, log)),
        1 => reader.clone().prop_map(Op::EndAll),
        24 => append().prop_map(Op::Append),
        3 => (reader.clone(), 1..60_usize).prop_map(|(reader, len)| Op::Tell(reader, len)),
        1 => (reader.clone(), 1..60_usize).prop_map(|(reader, len)| Op::TellAtLast(reader, len)),
        1 => (reader.clone(), 0..3_u64).prop_map(|(reader, author)| Op::Ignore(reader, author)),
        1 => (reader.clone(), 0..3_u64).prop_map(|(reader, author)| Op::Hear(reader, author)),
        2 => (reader.clone(), 0..9_u64).prop_map(|(reader, behind)| Op::HoldBack(reader, behind)),
        2 => reader.clone().prop_map(Op::LetGo),
        4 => (0..9_u64).prop_map(Op::Durable),
        1 => prop_oneof![Just(Holding::Waits), Just(Holding::Passes)].prop_map(Op::Holding),
        4 => (reader, room).prop_map(|(reader, room)| Op::Room(reader, room)),
        8 => (1..16_usize).prop_map(Op::Turn),
        3 => Just(Op::Settle),
        2 => Just(Op::NextClosed),
    ]
}

fn append() -> impl Strategy<Value = Append> {
    let way = prop_oneof![3 => Just(Way::StepOver), 1 => Just(Way::Show), 1 => Just(Way::Hold)];
    let detours = prop::collection::vec((0..6_usize, way), 0..3);
    let kind = prop_oneof![3 => Just(Kind::Message), 1 => Just(Kind::Notice)];
    let twin = prop_oneof![4 => Just(None), 1 => (0..4_usize).prop_map(Some)];
    let author = prop::option::of(0..3_u64);
    (0..4_usize, twin, 1..4_u64, kind, author, any::<bool>(), 1..120_usize, detours).prop_map(
        |(log, twin, advance, kind, author, is_kept, len, detours)| {
            let kind = if twin.is_some() { Kind::Notice } else { kind };
            Append { log, twin, advance, kind, author, is_kept, len, detours }
        },
    )
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let feeds_bytes_max = prop_oneof![3 => Just(usize::MAX), 1 => 500..3_000_usize];
    (200..2_000_usize, feeds_bytes_max)
        .prop_map(|(lag_bytes_max, feeds_bytes_max)| Bounds { lag_bytes_max, feeds_bytes_max })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn readers_are_shown_what_a_queue_per_cursor_would_show(
        bounds in bounds(),
        is_strict in any::<bool>(),
        ops in prop::collection::vec(op(), 1..150),
    ) {
        model::play(bounds, if is_strict { Release::WhenDurable } else { Release::AtOnce }, ops);
    }
}
