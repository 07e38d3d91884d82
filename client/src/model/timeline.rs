//! What happened in a room, as far as it is here, in the order of the server.
//!
//! Where it stands: one in each room of the model. What is not here is a *hole*: the past before the first page, what came too
//! fast, what lies between a place that was jumped to and the present. Holes are filled by pages when somebody comes near.
//!
//! What this file must never do: show anything in another order than that of its sequences, show anything twice, or hold more
//! than `items_max` items, or than [`BYTES_AN_ITEM`] for each of so many.

use super::item::{Hole, Item, Relation, Said, What, Why};
use crate::wire::Shown;
use hub::{Text, Time};
use std::collections::VecDeque;

/// Messages are as long as this on the whole, and hardly ever longer. Where they are, fewer are held.
const BYTES_AN_ITEM: usize = 1024;
/// What an item takes besides its text.
const BYTES_BESIDES: usize = 128;

/// What happened in a room.
#[derive(Debug)]
pub(crate) struct Timeline {
    items: VecDeque<Item>,
    /// What they take, or a little more.
    bytes: usize,
    next_number: u32,
    items_max: usize,
    /// Behind which item what is new begins.
    marker: Option<u64>,
}

/// Which end of a timeline is farther from what is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Farthest {
    Oldest,
    Newest,
}

/// Part of the past, in order: what is there from behind `begin` up to and with `end`.
pub(super) struct Past {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) items: Vec<(u64, Time, What)>,
}

impl Timeline {
    /// An empty one that holds at most so many items.
    pub(crate) fn new(items_max: usize) -> Timeline {
        Timeline { items: VecDeque::new(), bytes: 0, next_number: 0, items_max, marker: None }
    }

    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All that is here, in order.
    pub(crate) fn items(&self) -> &VecDeque<Item> {
        &self.items
    }

    /// Where an item stands.
    pub(crate) fn index_of(&self, number: u32) -> Option<usize> {
        self.items.iter().rposition(|item| item.number == number)
    }

    /// The sequence behind which what is new begins.
    pub(crate) fn marker(&self) -> Option<u64> {
        self.marker
    }

    pub(super) fn set_marker(&mut self, marker: Option<u64>) {
        self.marker = marker;
    }

    /// The order of the last item.
    pub(crate) fn last_order(&self) -> u64 {
        self.items.back().map_or(0, |item| match &item.what {
            What::Hole(hole) => hole.last,
            _ => item.order,
        })
    }

    /// Something that is kept. What is here already stays as it is. Answers with its number, if it is new.
    pub(super) fn insert(&mut self, sequence: u64, time: Time, what: What) -> Option<u32> {
        if self.kept(sequence).is_some() {
            return None;
        }
        let index = self.items.partition_point(|item| item.order < sequence);
        // In front of it may be the hole in which it belongs.
        if let Some(before) = index.checked_sub(1) {
            self.fill(before, sequence - 1, sequence);
        }
        let index = self.items.partition_point(|item| item.order < sequence);
        let number = self.put(index, sequence, time, what);
        self.forget_the_oldest();
        Some(number)
    }

    /// Something that is not kept: it stands behind all that is here.
    pub(super) fn append(&mut self, time: Time, what: What) -> u32 {
        let number = self.put(self.items.len(), self.last_order(), time, what);
        self.forget_the_oldest();
        number
    }

    /// Something that is missing behind all that is here, up to `last`.
    pub(super) fn append_hole(&mut self, last: u64, time: Time, why: Why) {
        self.append_hole_from(0, last, time, why);
    }

    /// The same of what is not before `from`.
    pub(super) fn append_hole_from(&mut self, from: u64, last: u64, time: Time, why: Why) {
        // Behind the last sequence that a number can have nothing is missing.
        let Some(behind) = self.last_order().checked_add(1) else { return };
        self.put_hole(from.max(behind), last, time, why);
    }

    /// Something that is missing.
    pub(super) fn put_hole(&mut self, first: u64, last: u64, time: Time, why: Why) {
        if first > last {
            return;
        }
        let index = self.items.partition_point(|item| item.order < first);
        self.put(index, first, time, What::Hole(Hole { first, last, why, is_asked: false }));
        self.forget_the_oldest();
    }

    /// Part of the past has come. If there is no room for all of it, then the other end has to go.
    pub(super) fn take_past(&mut self, past: Past, farthest: Farthest) {
        let mut index = self.items.len();
        while let Some(nth) = index.checked_sub(1) {
            index = nth;
            self.fill(nth, past.begin, past.end);
        }
        for (sequence, time, what) in past.items {
            if self.kept(sequence).is_none() {
                let index = self.items.partition_point(|item| item.order < sequence);
                self.put(index, sequence, time, what);
            }
        }
        match farthest {
            Farthest::Oldest => self.forget_the_oldest(),
            Farthest::Newest => self.forget_the_newest(),
        }
    }

    /// What was said says something else now, if it is here.
    pub(super) fn edit(&mut self, sequence: u64, text: &Text) {
        if let Some(What::Said(said)) = self.kept_mut(sequence).map(|item| &mut item.what) {
            said.text = text.clone();
            said.is_edited = true;
            said.is_changing = false;
            self.bytes += text.formatted().len();
            self.forget_the_oldest();
        }
    }

    /// A change of what was said is on its way.
    pub(super) fn begin_change(&mut self, sequence: u64) {
        self.with_said(sequence, |said| said.is_changing = true);
    }

    /// Nothing has come of it.
    pub(super) fn end_change(&mut self, sequence: u64) {
        self.with_said(sequence, |said| said.is_changing = false);
    }

    /// Somebody else said that.
    pub(super) fn disown(&mut self, sequence: u64) {
        self.with_said(sequence, |said| said.relation = Relation::Other);
    }

    fn with_said(&mut self, sequence: u64, change: impl FnOnce(&mut Said)) {
        if let Some(What::Said(said)) = self.kept_mut(sequence).map(|item| &mut item.what) {
            change(said);
        }
    }

    /// What was said is gone, if it was here.
    pub(super) fn erase(&mut self, sequence: u64) {
        if let Some(item) = self.kept_mut(sequence)
            && let What::Said(said) = &item.what
        {
            item.what = What::Erased { by: said.by.clone() };
        }
    }

    /// The item of this sequence.
    pub(crate) fn kept(&self, sequence: u64) -> Option<&Item> {
        let index = self.items.partition_point(|item| item.order < sequence);
        let mut same = self.items.range(index..).take_while(|item| item.order == sequence);
        same.find(|item| item.sequence().is_some())
    }

    /// The first item that is kept and has this sequence or a later one.
    pub(super) fn first_kept_from(&self, sequence: u64) -> Option<&Item> {
        let index = self.items.partition_point(|item| item.order < sequence);
        self.items.range(index..).find(|item| item.sequence().is_some())
    }

    fn kept_mut(&mut self, sequence: u64) -> Option<&mut Item> {
        let index = self.items.partition_point(|item| item.order < sequence);
        let mut same = self.items.range_mut(index..).take_while(|item| item.order == sequence);
        same.find(|item| item.sequence().is_some())
    }

    /// The hole at this index, to say that it was asked for.
    pub(super) fn hole_mut(&mut self, index: usize) -> Option<&mut Hole> {
        match self.items.get_mut(index).map(|item| &mut item.what) {
            Some(What::Hole(hole)) => Some(hole),
            _ => None,
        }
    }

    /// A quiet line before everything, once.
    pub(super) fn say_at_the_beginning(&mut self, time: Time, text: &str) {
        let what = What::Told(Shown::new(text));
        if self.items.front().is_none_or(|first| first.what != what) {
            self.put(0, 0, time, what);
        }
    }

    /// Nothing that was asked for will come: it may be asked for again.
    pub(super) fn ask_again(&mut self) {
        for item in &mut self.items {
            if let What::Hole(hole) = &mut item.what {
                hole.is_asked = false;
            }
        }
    }

    /// Nothing that is missing can be had. That something was skipped is still said.
    pub(super) fn close_holes(&mut self) {
        for item in &mut self.items {
            if let What::Hole(Hole { last, why: Why::Skipped(count), .. }) = item.what {
                item.order = last;
                item.what = What::Told(Shown::new(&lost_words(count)));
            }
        }
        self.items.retain(|item| !matches!(item.what, What::Hole(_)));
    }

    /// Everything is forgotten: this is another history.
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
        self.marker = None;
    }

    fn put(&mut self, index: usize, order: u64, time: Time, what: What) -> u32 {
        let number = self.next_number;
        self.next_number = self.next_number.wrapping_add(1);
        self.bytes += bytes_of(&what);
        self.items.insert(index, Item { number, order, time, what });
        number
    }

    /// What lies behind `begin`, up to `end`, is known now: the hole at this index, if it is one, becomes smaller, two, or goes.
    fn fill(&mut self, index: usize, begin: u64, end: u64) {
        let Some(item) = self.items.get(index) else { return };
        let What::Hole(hole) = &item.what else { return };
        if end < hole.first || hole.last <= begin {
            return;
        }
        let (hole, time) = (hole.clone(), item.time);
        self.items.remove(index);
        if end < hole.last {
            let behind = Hole { first: end + 1, is_asked: false, ..hole.clone() };
            self.put(index, end + 1, time, What::Hole(behind));
        }
        if hole.first <= begin {
            let before = Hole { last: begin, is_asked: false, ..hole.clone() };
            self.put(index, hole.first, time, What::Hole(before));
        }
    }

    /// What is beyond the bound becomes part of the hole at the beginning.
    fn forget_the_oldest(&mut self) {
        self.forget_the_oldest_beyond(self.items_max * BYTES_AN_ITEM);
    }

    /// The older half becomes part of that hole.
    pub(super) fn forget_the_older_half(&mut self) {
        self.forget_the_oldest_beyond(self.bytes / 2);
    }

    fn forget_the_oldest_beyond(&mut self, bytes_max: usize) {
        let Some(kept) = self.items_to_keep(bytes_max, self.items.iter().rev()) else { return };
        let count = self.items.len() - kept;
        let Some(last) = self.items.drain(..count).next_back() else { return };
        let upto = match &last.what {
            What::Hole(hole) => hole.last,
            _ => last.order,
        };
        self.items.retain(|item| item.order > upto);
        if upto > 0 {
            let hole = Hole { first: 1, last: upto, why: Why::Unread, is_asked: false };
            self.put(0, 1, last.time, What::Hole(hole));
        }
        self.count_bytes();
    }

    /// How many may stay if not all may, counted from the end that is kept. It is a tenth less than there might be, so that it is
    /// not done with each item.
    fn items_to_keep<'a>(
        &self,
        bytes_max: usize,
        from_the_kept_end: impl Iterator<Item = &'a Item>,
    ) -> Option<usize> {
        if self.items.len() <= self.items_max && self.bytes <= bytes_max {
            return None;
        }
        let mut bytes = 0;
        let fits = |item: &&Item| {
            bytes += bytes_of(&item.what);
            bytes <= bytes_max - bytes_max / 10
        };
        Some(from_the_kept_end.take(self.items_max - self.items_max / 10).take_while(fits).count())
    }

    fn count_bytes(&mut self) {
        self.bytes = self.items.iter().map(|item| bytes_of(&item.what)).sum();
    }

    /// The same at the other end, for somebody who looks at the beginning.
    fn forget_the_newest(&mut self) {
        let bytes_max = self.items_max * BYTES_AN_ITEM;
        let Some(kept) = self.items_to_keep(bytes_max, self.items.iter()) else { return };
        let last = self.last_order();
        self.items.truncate(kept);
        self.count_bytes();
        let time = self.items.back().map_or(Time(0), |item| item.time);
        self.append_hole(last, time, Why::Unread);
    }
}

fn bytes_of(what: &What) -> usize {
    BYTES_BESIDES + what.bytes()
}

fn lost_words(count: Option<u64>) -> String {
    match count {
        Some(1) => "1 message was skipped; it came too fast and was not kept".into(),
        Some(count) => format!("{count} messages were skipped; they came too fast and were not kept"),
        None => "messages were skipped; they came too fast and were not kept".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> What {
        What::Told(Shown::new(text))
    }

    fn topic() -> What {
        What::Topic { by: crate::wire::Author { nick: "ann".into(), door: None }, topic: None }
    }

    #[test]
    fn holes_are_bounded_like_everything() {
        let mut timeline = Timeline::new(100);
        for nth in 0..1_000 {
            timeline.append_hole_from(3 * nth + 1, 3 * nth + 2, Time(0), Why::Skipped(None));
        }
        assert!(timeline.items().len() <= 100);
        assert_eq!(timeline.last_order(), 2_999);
    }

    #[test]
    fn long_messages_are_fewer() {
        let mut timeline = Timeline::new(100);
        let long = "x".repeat(10_000);
        for _ in 0..1_000 {
            timeline.append(Time(0), What::Remark(Text::kept(&long)));
        }
        let bytes: usize = timeline.items().iter().map(|item| item.what.bytes()).sum();
        assert!((50_000..=100 * BYTES_AN_ITEM).contains(&bytes), "{bytes}");
    }

    #[test]
    fn past_takes_the_place_of_the_present_if_there_is_no_room_for_both() {
        let mut timeline = Timeline::new(100);
        timeline.append_hole(1_000, Time(0), Why::Unread);
        for page in (0..10).rev() {
            let sequences = 100 * page + 1..=100 * page + 100;
            let items = sequences.map(|sequence| (sequence, Time(0), topic())).collect();
            timeline.take_past(Past { begin: 100 * page, end: 100 * page + 100, items }, Farthest::Newest);
            assert!(timeline.items().len() <= 102);
        }
        assert_eq!(timeline.items()[0].order, 1);
        assert_eq!(timeline.last_order(), 1_000);
        let holes = timeline.items().iter().filter(|item| matches!(item.what, What::Hole(_)));
        assert_eq!(holes.count(), 1);
        timeline.append(Time(0), told("the present goes on"));
        assert_eq!(timeline.items().back().map(|item| item.order), Some(1_000));
    }
}
