//! Rounds in turn: each subject is measured once a round, every second round in the opposite order.
//!
//! The machine's speed swings within minutes, so only what was measured side by side can be compared. A subject that failed
//! is not tried again, and the others go on without it.

use anyhow::{Error, Result};

/// What came of one subject.
#[derive(Debug)]
pub struct Trial<S, T> {
    /// What was measured.
    pub subject: S,
    /// What came out, round by round.
    pub outcomes: Vec<T>,
    /// Why there are no more.
    pub failure: Option<Error>,
}

/// Measures each subject so many times.
pub fn interleaved<S: Copy, T>(
    subjects: &[S],
    rounds: usize,
    mut measure: impl FnMut(S) -> Result<T>,
) -> Vec<Trial<S, T>> {
    let begun = |subject: &S| Trial { subject: *subject, outcomes: Vec::new(), failure: None };
    let mut trials: Vec<Trial<S, T>> = subjects.iter().map(begun).collect();
    for round in 0..rounds {
        let mut in_turn: Vec<_> = trials.iter_mut().filter(|trial| trial.failure.is_none()).collect();
        if round % 2 == 1 {
            in_turn.reverse();
        }
        for trial in in_turn {
            match measure(trial.subject) {
                Ok(outcome) => trial.outcomes.push(outcome),
                Err(error) => trial.failure = Some(error),
            }
        }
    }
    trials
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn every_second_round_goes_the_other_way() {
        let mut order = String::new();
        interleaved(&['a', 'b', 'c'], 3, |subject| {
            order.push(subject);
            Ok(())
        });
        assert_eq!(order, "abccbaabc");
    }

    #[test]
    fn subject_that_failed_is_left_out_and_says_why() {
        let trials =
            interleaved(&[1, 2], 3, |subject| if subject == 1 { bail!("it is one") } else { Ok(subject) });
        assert!(trials[0].outcomes.is_empty());
        assert_eq!(trials[0].failure.as_ref().unwrap().to_string(), "it is one");
        assert_eq!(trials[1].outcomes, [2, 2, 2]);
    }
}
