//! What the store answers when it is asked for the past: what any journal has to answer.
//!
//! A page holds facts up to the last that may be read, never beyond; what has been erased since is not in it any more. What
//! was said is there as soon as the store was given it, written or not.
//!
//! What this file must never do: show what was erased.

use super::Store;
use hub::{
    Author, Authorship, ClientId, Event, Fact, Kept, Known, Lookup, MemberId, Page, PageWanted, Past,
    Receipt, RoomNumber, Sequence, Shape, Span, Who,
};
use std::collections::BTreeMap;

/// So many nonces of a client are looked up.
const NONCES_MAX: usize = 1000;

impl Store {
    pub(super) fn index(&mut self, fact: &Kept) {
        if fact.sequence > Sequence(0) {
            self.rooms.entry(fact.room).or_default().insert(fact.sequence, fact.clone());
        }
        if let Fact::Redacted { room, target, .. } = &fact.record.fact {
            self.erased.insert((*room, *target));
        }
    }

    /// What was looked up.
    pub(crate) fn known(&self, lookup: Lookup) -> Known {
        match lookup {
            Lookup::Client(client) => Known::Client(self.receipts(client)),
            Lookup::Author { room, target } => Known::Author(self.author(room, target)),
        }
    }

    fn receipts(&self, client: ClientId) -> Vec<Receipt> {
        let facts = self.rooms.values().flat_map(BTreeMap::values);
        let receipt = |fact: &Kept| {
            let signed = fact.record.fact.signature().filter(|signed| signed.client == client)?;
            let nonce = signed.nonce.clone()?;
            let (room, sequence, position) = (fact.room, fact.sequence, fact.record.position);
            Some(Receipt { nonce, room, sequence, position })
        };
        let mut receipts: Vec<Receipt> = facts.filter_map(receipt).collect();
        receipts.sort_by_key(|receipt| receipt.position);
        receipts.split_off(receipts.len().saturating_sub(NONCES_MAX))
    }

    fn author(&self, room: RoomNumber, target: Sequence) -> Authorship {
        let fact = self.rooms.get(&room).and_then(|facts| facts.get(&target));
        match fact.map(|fact| &fact.record.fact) {
            Some(Fact::Said { signature, .. } | Fact::Directed { signature, .. })
                if !self.erased.contains(&(room, target)) =>
            {
                Authorship::Client(signature.as_ref().map(|signed| signed.client))
            }
            _ => Authorship::Nothing,
        }
    }

    /// A page of a room's log.
    pub(crate) fn page(&self, wanted: &PageWanted) -> Page {
        let room = wanted.room.number;
        let facts = self.rooms.get(&room).into_iter().flat_map(|facts| facts.range(..=wanted.upto));
        let is_line = |fact: &&Kept| wanted.shape == Shape::Facts || !is_change(&fact.record.fact);
        let lines: Vec<&Kept> = facts.map(|(_, fact)| fact).filter(is_line).collect();
        let most = wanted.lines_max as usize;
        let first_from = |from: Sequence| lines.partition_point(|fact| fact.sequence < from);
        let begin = match wanted.span {
            Span::Latest => lines.len().saturating_sub(most),
            Span::Before(end) => first_from(end).saturating_sub(most),
            Span::After(behind) => first_from(behind.next()),
            Span::Around(middle) => first_from(middle).saturating_sub(most / 2),
            Span::Since(time) => lines.partition_point(|fact| fact.record.time < time),
        };
        let end = match wanted.span {
            Span::Before(end) => first_from(end),
            _ => (begin + most).min(lines.len()),
        };
        let edits = if wanted.shape == Shape::Present { self.edits(wanted) } else { BTreeMap::new() };
        let shown = &lines[begin..end];
        Page {
            wanted: wanted.clone(),
            lines: shown.iter().filter_map(|fact| self.line(fact, wanted, &edits)).collect(),
            before: shown.first().map(|fact| fact.sequence).filter(|_| begin > 0),
            after: shown.last().map(|fact| fact.sequence).filter(|_| end < lines.len()),
            forgotten: Sequence(0),
        }
    }

    /// The last change of each fact that was changed.
    fn edits(&self, wanted: &PageWanted) -> BTreeMap<Sequence, &Kept> {
        let facts =
            self.rooms.get(&wanted.room.number).into_iter().flat_map(|facts| facts.range(..=wanted.upto));
        let edit = |(_, fact): (_, &'_ Kept)| match &fact.record.fact {
            Fact::Edited { target, .. } => Some(*target),
            _ => None,
        };
        facts.filter_map(|(sequence, fact)| Some((edit((sequence, fact))?, fact))).collect()
    }

    fn line(&self, fact: &Kept, wanted: &PageWanted, edits: &BTreeMap<Sequence, &Kept>) -> Option<Past> {
        let edit = edits.get(&fact.sequence).filter(|_| !self.erased.contains(&(fact.room, fact.sequence)));
        let mut event = self.event(fact, wanted)?;
        if let Some(Fact::Edited { text: changed, .. }) = edit.map(|edit| &edit.record.fact)
            && let Event::Said { text, .. } | Event::Directed { text, .. } = &mut event
        {
            *text = changed.clone();
        }
        let edited = edit.map(|edit| edit.sequence);
        Some(Past { position: fact.record.position, time: fact.record.time, event, edited })
    }

    /// What happened, told anew.
    fn event(&self, kept: &Kept, wanted: &PageWanted) -> Option<Event> {
        let (room, sequence) = (wanted.room.clone(), kept.sequence);
        let is_erased = |target: &Sequence| self.erased.contains(&(kept.room, *target));
        Some(match kept.record.fact.clone() {
            Fact::Said { author, .. } if is_erased(&sequence) => {
                Event::Erased { room, sequence, author: author_of(author) }
            }
            Fact::Directed { from: by, .. } if is_erased(&sequence) => {
                Event::Erased { room, sequence, author: Author::Member(nobody(by)) }
            }
            Fact::Edited { by, target, .. } if is_erased(&target) => {
                Event::Erased { room, sequence, author: Author::Member(nobody(by)) }
            }
            Fact::Said { author, text, manner, signature, .. } => {
                Event::Said { room, sequence, author: author_of(author), text, manner, signature }
            }
            Fact::Directed { from, to, text, signature, .. } => {
                let (from, to) = (nobody(from), nobody(to));
                Event::Directed { conversation: kept.room, sequence, from, to, text, signature }
            }
            Fact::Edited { by, target, text, signature, .. } => {
                Event::Edited { room, sequence, by: nobody(by), target, text, signature }
            }
            Fact::Redacted { by, target, reason, signature, .. } => {
                Event::Redacted { room, sequence, by: nobody(by), target, reason, signature }
            }
            Fact::TopicSet { by, topic, signature, .. } => {
                Event::TopicSet { room, sequence, by: nobody(by), topic, signature }
            }
            Fact::Opened { .. } => Event::Opened { room, sequence },
            Fact::Lost { from, to, .. } => Event::Lost { room, sequence, from, to },
            _ => return None,
        })
    }
}

/// Whether it changes something that was said.
fn is_change(fact: &Fact) -> bool {
    matches!(fact, Fact::Edited { .. } | Fact::Redacted { .. })
}

/// Whoever said something is nobody who is here.
fn nobody(who: Who) -> Who {
    Who { member: MemberId::NOBODY, address: None, ..who }
}

fn author_of(author: Author) -> Author {
    match author {
        Author::Member(who) => Author::Member(nobody(who)),
        door @ Author::Door { .. } => door,
    }
}
