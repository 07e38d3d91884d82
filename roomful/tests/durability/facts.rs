//! What the server has stored of a room, read back page by page.

use super::faithful::{Entry, number};
use crate::harness::{JsonClient, facts_of};
use std::collections::BTreeMap;

pub(crate) struct Stored {
    /// By their sequences.
    pub(crate) facts: BTreeMap<u64, Entry>,
    /// What was lost: first and last sequence.
    pub(crate) lost: Vec<(u64, u64)>,
    places: BTreeMap<String, Vec<u64>>,
}

impl Stored {
    /// The sequence of what happened last.
    pub(crate) fn last(&self) -> Option<u64> {
        self.facts.keys().last().copied()
    }

    /// Where this was said.
    pub(crate) fn places_of(&self, text: &str) -> &[u64] {
        self.places.get(text).map_or(&[], Vec::as_slice)
    }
}

/// Everything of a room, from its first fact on. Each sequence is a fact, or lies in what was lost and is recorded as that.
pub(crate) fn stored(reader: &mut JsonClient, room: &str) -> Stored {
    let (mut facts, mut lost, mut places) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    let mut upto = 0;
    for event in facts_of(reader, room) {
        let sequence = number(&event["sequence"]);
        if event["kind"] == "opened" {
            assert_eq!((upto, sequence), (0, 1));
            upto = 1;
            continue;
        }
        let entry = Entry::of(&event);
        match &entry {
            Entry::Lost { first, last } => {
                assert_eq!((*first, *last), (upto + 1, sequence - 1), "{room}");
                lost.push((*first, *last));
            }
            Entry::Said { text, .. } => {
                assert_eq!(sequence, upto + 1, "{event} in {room}");
                places.entry(text.clone()).or_insert_with(Vec::new).push(sequence);
            }
        }
        upto = sequence;
        facts.insert(sequence, entry);
    }
    Stored { facts, lost, places }
}
