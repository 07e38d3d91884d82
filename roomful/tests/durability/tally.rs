//! A number that several threads count up, and that one waits for.

use crate::harness::GUARD;
use std::sync::{Condvar, Mutex};

#[derive(Default)]
pub(crate) struct Tally {
    count: Mutex<usize>,
    grew: Condvar,
}

impl Tally {
    pub(crate) fn add(&self, more: usize) {
        *self.count.lock().expect("nobody panics here") += more;
        self.grew.notify_all();
    }

    pub(crate) fn waits_for(&self, wanted: usize) {
        let count = self.count.lock().expect("nobody panics here");
        let reached = self.grew.wait_timeout_while(count, GUARD, |count| *count < wanted);
        let (count, reached) = reached.expect("nobody panics here");
        assert!(!reached.timed_out(), "waited in vain for {wanted}: it is {count}");
    }
}
