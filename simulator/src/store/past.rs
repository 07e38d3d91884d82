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
        match &fact.record.fact {
            Fact::Redacted { room, target, .. } => {
                self.erased.insert((*room, *target));
            }
            Fact::Edited { room, target, .. } => {
                self.edits.entry((*room, *target)).or_default().insert(fact.sequence);
            }
            _ => {}
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
            let verb = fact.record.fact.verb()?;
            let (room, sequence, position) = (fact.room, fact.sequence, fact.record.position);
            Some(Receipt { nonce, verb, room, sequence, position })
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
        let most = wanted.lines_max as usize;
        let shown = match wanted.span {
            Span::Latest => self.last_before(wanted, wanted.upto.next(), most),
            Span::Before(end) => self.last_before(wanted, end, most),
            Span::After(behind) => self.first_from(wanted, behind.next(), most),
            Span::Around(middle) => {
                let before = self.last_before(wanted, middle, most / 2);
                let begin = before.first().map_or(middle, |fact| fact.sequence);
                self.first_from(wanted, begin, most)
            }
            Span::Since(time) => {
                let mut facts = self.facts(wanted, Sequence(0), wanted.upto);
                let begin = facts
                    .find(|fact| fact.record.time >= time)
                    .map_or(Sequence(u64::MAX), |fact| fact.sequence);
                self.first_from(wanted, begin, most)
            }
        };
        let (first, last) = (shown.first().map(|fact| fact.sequence), shown.last().map(|fact| fact.sequence));
        let is_before = |first: &Sequence| !self.last_before(wanted, *first, 1).is_empty();
        let is_behind = |last: &Sequence| !self.first_from(wanted, last.next(), 1).is_empty();
        Page {
            wanted: wanted.clone(),
            lines: shown.iter().filter_map(|fact| self.line(fact, wanted)).collect(),
            before: first.filter(is_before),
            after: last.filter(is_behind),
            forgotten: Sequence(0),
        }
    }

    /// The facts between two sequences, both included, that are lines of a page.
    fn facts<'a>(
        &'a self,
        wanted: &'a PageWanted,
        from: Sequence,
        to: Sequence,
    ) -> impl DoubleEndedIterator<Item = &'a Kept> {
        let is_line = |fact: &&Kept| wanted.shape == Shape::Facts || !is_change(&fact.record.fact);
        let to = to.min(wanted.upto);
        let rooms = self.rooms.get(&wanted.room.number).filter(|_| from <= to).into_iter();
        rooms.flat_map(move |facts| facts.range(from..=to)).map(|(_, fact)| fact).filter(is_line)
    }

    fn first_from<'a>(&'a self, wanted: &'a PageWanted, from: Sequence, most: usize) -> Vec<&'a Kept> {
        self.facts(wanted, from, wanted.upto).take(most).collect()
    }

    fn last_before<'a>(&'a self, wanted: &'a PageWanted, end: Sequence, most: usize) -> Vec<&'a Kept> {
        let mut facts: Vec<&Kept> =
            self.facts(wanted, Sequence(0), Sequence(end.0.saturating_sub(1))).rev().take(most).collect();
        facts.reverse();
        facts
    }

    /// The last change of a fact, if it was changed and is not erased.
    fn edit(&self, fact: &Kept, wanted: &PageWanted) -> Option<&Kept> {
        let place = (fact.room, fact.sequence);
        if wanted.shape == Shape::Facts || self.erased.contains(&place) {
            return None;
        }
        let edits = self.edits.get(&place)?.range(..=wanted.upto);
        let last = edits.last()?;
        self.rooms.get(&fact.room)?.get(last)
    }

    fn line(&self, fact: &Kept, wanted: &PageWanted) -> Option<Past> {
        let edit = self.edit(fact, wanted);
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
