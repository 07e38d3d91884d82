//! Who talks in a room: whoever has said something there lately.
//!
//! Where it stands: one in each room of the model, for those who want to know of nobody else's coming and going. It is not the
//! list of members: somebody who leaves and comes back is still one who talks.
//!
//! What this file must never do: hold more names than [`TALKERS_MAX`].

use crate::wire::{Crowd, Event, Happening};
use hub::Time;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where more have talked lately, whoever has been silent for longest is forgotten.
const TALKERS_MAX: usize = 2_000;
/// Whoever has said something in this time is one of those who talk.
const LATELY_MS: u64 = 60 * 60 * 1_000;

/// When each has said something the last time, by the folded nick that they have now.
#[derive(Debug, Default)]
pub(crate) struct Talkers {
    last: BTreeMap<String, Time>,
}

impl Talkers {
    /// Somebody said something; what was said before may be told later.
    pub(super) fn mark(&mut self, nick: &str, time: Time) {
        let key = hub::key_of(nick);
        if let Some(last) = self.last.get_mut(&key) {
            *last = (*last).max(time);
            return;
        }
        self.last.insert(key, time);
        if self.last.len() > TALKERS_MAX
            && let Some(silent) = self.last.iter().min_by_key(|(_, last)| **last).map(|(key, _)| key.clone())
        {
            self.last.remove(&silent);
        }
    }

    /// Who had that nick before is not there any more.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        let last = self.last.remove(&hub::key_of(old));
        let key = hub::key_of(new);
        match last {
            Some(last) => drop(self.last.insert(key, last)),
            None => drop(self.last.remove(&key)),
        }
    }

    /// What an event says of those who talk, if it says anything.
    pub(super) fn told_of<'a>(&self, event: &'a Event) -> Option<Cow<'a, Event>> {
        let since = Time(event.time.0.saturating_sub(LATELY_MS));
        let talks = |nick: &str| self.last.get(&hub::key_of(nick)).is_some_and(|last| *last >= since);
        if let Happening::Sum { arrived, departed } = &event.what {
            let named = |crowd: &Crowd| Crowd {
                nicks: crowd.nicks.iter().filter(|nick| talks(nick)).cloned().collect(),
                others: 0,
            };
            let what = Happening::Sum { arrived: named(arrived), departed: named(departed) };
            return Some(Cow::Owned(Event { what, ..event.clone() }));
        }
        event.from.as_ref().filter(|from| talks(&from.nick)).map(|_| Cow::Borrowed(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_been_silent_for_longest_is_forgotten_first() {
        let mut talkers = Talkers::default();
        for nth in 0..3 * TALKERS_MAX as u64 {
            talkers.mark(&format!("n{nth}"), Time(nth));
        }
        assert_eq!(talkers.last.len(), TALKERS_MAX);
        assert!(talkers.last.contains_key("n5999") && !talkers.last.contains_key("n3999"));
    }
}
