//! Runs of the feeds that a fuzzer invents: bytes become operations, and these are played against the model.
//!
//! Where it stands: behind the feature `fuzzing`, for the target of that name in `fuzz`, and in the tests, which play again
//! what the fuzzer found worth keeping. What it must never do: panic for another reason than that the feeds are wrong.

use crate::model::{self, Append, Op, Way};
use crate::{Bounds, Holding, Kind, Release};

/// Longer runs find nothing that shorter ones do not.
const OPS_MAX: usize = 300;

/// Plays the run that these bytes describe. All bytes describe one.
///
/// # Panics
/// When the feeds do something else than the model.
pub fn feed(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let bounds = bounds(&mut choices);
    let release = if choices.below(2) == 0 { Release::AtOnce } else { Release::WhenDurable };
    let ops = std::iter::from_fn(|| (!choices.0.is_empty()).then(|| op(&mut choices)));
    model::play(bounds, release, ops.take(OPS_MAX));
}

/// One choice a byte; when they are used up, always the first.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, count: u8) -> usize {
        usize::from(self.byte() % count)
    }
}

fn bounds(choices: &mut Choices<'_>) -> Bounds {
    let lag_bytes_max = 200 + 7 * usize::from(choices.byte());
    let feeds_bytes_max = match choices.byte() {
        few @ 0..64 => 500 + 40 * usize::from(few),
        _ => usize::MAX,
    };
    Bounds { lag_bytes_max, feeds_bytes_max }
}

fn op(choices: &mut Choices<'_>) -> Op {
    match choices.byte() {
        // Few of them, so that what was kept before there was a gate, or trouble, means much the same.
        0xed => Op::TellAtLast(reader(choices), 1 + choices.below(60)),
        0xee => Op::Holding(Holding::Waits),
        0xef => Op::Holding(Holding::Passes),
        0xf0..=0xf7 => Op::HoldBack(reader(choices), choices.below(9) as u64),
        0xf8..=0xff => Op::LetGo(reader(choices)),
        ungated => ungated_op(ungated % 16, choices),
    }
}

fn ungated_op(choice: u8, choices: &mut Choices<'_>) -> Op {
    match choice {
        0 => Op::OpenLog,
        1 => Op::AddReader { filters: choices.below(2) == 1 },
        2 => Op::RemoveReader(reader(choices)),
        3 => Op::Begin(reader(choices), log(choices)),
        4 => Op::End(reader(choices), log(choices)),
        5 => Op::EndAll(reader(choices)),
        6 | 7 => Op::Append(append(choices)),
        8 => Op::Tell(reader(choices), 1 + choices.below(60)),
        9 => Op::Ignore(reader(choices), choices.below(3) as u64),
        10 => Op::Hear(reader(choices), choices.below(3) as u64),
        11 => Op::Durable(choices.below(9) as u64),
        12 => Op::Room(reader(choices), room(choices)),
        13 => Op::Turn(1 + choices.below(15)),
        14 => Op::Settle,
        _ => Op::NextClosed,
    }
}

fn reader(choices: &mut Choices<'_>) -> usize {
    choices.below(6)
}

fn log(choices: &mut Choices<'_>) -> usize {
    choices.below(4)
}

fn room(choices: &mut Choices<'_>) -> usize {
    match choices.byte() {
        u8::MAX => usize::MAX,
        bytes => usize::from(bytes),
    }
}

fn append(choices: &mut Choices<'_>) -> Append {
    let log = log(choices);
    let twin = (choices.below(5) == 4).then(|| self::log(choices));
    let is_message = twin.is_none() && choices.below(4) > 0;
    let author = (choices.below(2) == 1).then(|| choices.below(3) as u64);
    let detours = choices.below(3);
    Append {
        log,
        twin,
        advance: 1 + choices.below(3) as u64,
        kind: if is_message { Kind::Message } else { Kind::Notice },
        author,
        is_kept: choices.below(2) == 1,
        len: 1 + choices.below(120),
        detours: (0..detours).map(|_| (reader(choices), way(choices))).collect(),
    }
}

fn way(choices: &mut Choices<'_>) -> Way {
    match choices.below(5) {
        3 => Way::Show,
        4 => Way::Hold,
        _ => Way::StepOver,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn what_a_fuzzer_kept_is_played_again() {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/feed");
        let inputs = fs::read_dir(kept).expect("a directory of inputs");
        let mut count = 0;
        for input in inputs {
            let path = input.expect("an input").path();
            // The name of what fails stands above its panic.
            println!("{}", path.display());
            super::feed(&fs::read(&path).expect("a file"));
            count += 1;
        }
        assert!(count > 0, "{kept} is empty");
    }
}
