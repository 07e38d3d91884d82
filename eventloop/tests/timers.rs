//! Timers: order, ties, cancelling, and everything at once against a naive list. Time is a plain number here, which is
//! also the proof that no clock is needed.

use eventloop::{TimerKey, Timers};
use proptest::prelude::*;

fn all_due(timers: &mut Timers<u64, &'static str>, now: u64) -> Vec<&'static str> {
    std::iter::from_fn(|| timers.due(now)).collect()
}

#[test]
fn timers_are_due_in_the_order_of_their_deadlines() {
    let mut timers = Timers::new();
    timers.set(30, "third");
    timers.set(10, "first");
    timers.set(20, "second");
    assert_eq!(all_due(&mut timers, 30), ["first", "second", "third"]);
}

#[test]
fn equal_deadlines_are_due_in_the_order_in_which_they_were_set() {
    let mut timers = Timers::new();
    for name in ["a", "b", "c"] {
        timers.set(10, name);
    }
    assert_eq!(all_due(&mut timers, 10), ["a", "b", "c"]);
}

#[test]
fn timer_is_due_at_its_deadline_and_not_before() {
    let mut timers = Timers::new();
    timers.set(10, "tea");
    assert_eq!(timers.due(9), None);
    assert_eq!(timers.next(), Some(10));
    assert_eq!(timers.due(10), Some("tea"));
    assert_eq!(timers.due(10), None);
    assert_eq!(timers.next(), None);
}

#[test]
fn deadline_in_the_past_is_due_at_once() {
    let mut timers = Timers::new();
    timers.set(5, "late");
    assert_eq!(timers.due(100), Some("late"));
}

#[test]
fn cancelled_timer_is_never_due_and_does_not_count_as_next() {
    let mut timers = Timers::new();
    let early = timers.set(10, "early");
    timers.set(20, "later");
    assert_eq!(timers.cancel(early), Some("early"));
    assert_eq!(timers.next(), Some(20));
    assert_eq!(all_due(&mut timers, 100), ["later"]);
}

#[test]
fn cancelling_twice_or_too_late_gives_nothing_and_touches_nobody() {
    let mut timers = Timers::new();
    let cancelled = timers.set(10, "cancelled");
    let fired = timers.set(10, "fired");
    assert_eq!(timers.cancel(cancelled), Some("cancelled"));
    assert_eq!(timers.due(10), Some("fired"));
    timers.set(10, "bystander");
    assert_eq!(timers.cancel(cancelled), None);
    assert_eq!(timers.cancel(fired), None);
    assert_eq!(timers.due(10), Some("bystander"));
}

#[derive(Clone, Debug)]
enum Step {
    Set(u8),
    /// Cancels the timer that was set as the so-manieth, if it came to that.
    Cancel(usize),
    Due(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<u8>().prop_map(Step::Set),
        (0_usize..40).prop_map(Step::Cancel),
        any::<u8>().prop_map(Step::Due),
    ]
}

/// The naive list: what waits, in the order in which it was set, as deadline and number.
#[derive(Default)]
struct Naive {
    waiting: Vec<(u8, usize)>,
}

impl Naive {
    fn earliest(&self) -> Option<(u8, usize)> {
        self.waiting.iter().copied().min()
    }

    fn remove(&mut self, number: usize) -> Option<usize> {
        let place = self.waiting.iter().position(|waiting| waiting.1 == number)?;
        Some(self.waiting.remove(place).1)
    }

    fn due(&mut self, now: u8) -> Option<usize> {
        let (at, number) = self.earliest()?;
        if at <= now { self.remove(number) } else { None }
    }
}

proptest! {
    #[test]
    fn any_history_is_that_of_a_naive_list(steps in prop::collection::vec(step(), 0..120)) {
        let (mut timers, mut naive) = (Timers::new(), Naive::default());
        let mut keys: Vec<TimerKey<u8>> = Vec::new();
        for step in steps {
            match step {
                Step::Set(at) => {
                    naive.waiting.push((at, keys.len()));
                    keys.push(timers.set(at, keys.len()));
                }
                Step::Cancel(number) => {
                    if let Some(key) = keys.get(number) {
                        prop_assert_eq!(timers.cancel(*key), naive.remove(number));
                    }
                }
                Step::Due(now) => prop_assert_eq!(timers.due(now), naive.due(now)),
            }
            prop_assert_eq!(timers.next(), naive.earliest().map(|earliest| earliest.0));
        }
    }
}
