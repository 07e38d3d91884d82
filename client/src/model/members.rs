//! Who is in a room, as far as it was told.
//!
//! Where it stands: one in each room of the model.
//!
//! What this file must never do: hold more names than [`NAMES_MAX`]; how many more there are is counted.

use crate::wire::{Crowd, Shown};
use std::collections::BTreeMap;

/// More are counted, and not shown one by one.
const NAMES_MAX: usize = 2_000;

/// Who is in a room.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// By the folded nick.
    names: BTreeMap<String, Member>,
    others: u32,
    /// How many only listen.
    pub listening: u32,
}

/// Somebody in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Member {
    /// Their nick.
    pub nick: Shown,
    /// If they are away, what they say about it.
    pub away: Option<Shown>,
}

impl Members {
    /// Those who are known by name, sorted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.names.values()
    }

    /// How many there are, ourselves among them.
    pub(crate) fn count(&self) -> usize {
        self.names.len() + self.others as usize
    }

    /// Somebody, if they are known by name.
    pub(super) fn named(&self, nick: &str) -> Option<&Member> {
        self.names.get(&hub::key_of(nick))
    }

    pub(super) fn clear(&mut self) {
        *self = Members::default();
    }

    pub(super) fn set_others(&mut self, others: u32) {
        self.others = others;
    }

    pub(super) fn add(&mut self, nick: &Shown, away: Option<Shown>) {
        let key = hub::key_of(nick);
        if self.names.len() < NAMES_MAX || self.names.contains_key(&key) {
            self.names.insert(key, Member { nick: nick.clone(), away });
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    /// Several came and went.
    pub(super) fn sum(&mut self, arrived: &Crowd, departed: &Crowd) {
        for nick in &arrived.nicks {
            self.add(nick, None);
        }
        for nick in &departed.nicks {
            self.remove(nick);
        }
        self.others = self.others.saturating_add(arrived.others).saturating_sub(departed.others);
    }

    /// Whether they were known by name.
    pub(super) fn remove(&mut self, nick: &str) -> bool {
        let was_known = self.names.remove(&hub::key_of(nick)).is_some();
        if !was_known {
            self.others = self.others.saturating_sub(1);
        }
        was_known
    }

    /// Whether they were here by name.
    pub(super) fn rename(&mut self, old: &str, new: &Shown) -> bool {
        let Some(member) = self.names.remove(&hub::key_of(old)) else { return false };
        self.names.insert(hub::key_of(new), Member { nick: new.clone(), ..member });
        true
    }

    /// They are away or back, if they are here by name.
    pub(super) fn set_away(&mut self, nick: &str, away: Option<&Shown>) {
        if let Some(member) = self.names.get_mut(&hub::key_of(nick)) {
            member.away = away.cloned();
        }
    }
}
