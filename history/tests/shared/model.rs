//! Pages made the simple way: from a list of all facts, again for every page.

use hub::{
    Author, Event, Fact, Kept, Manner, MemberId, Page, PageWanted, Past, RoomRef, Sequence, Shape, Signature,
    Signed, Span, Text, Who,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the facts come to.
struct Model<'a> {
    wanted: &'a PageWanted,
    facts: Vec<&'a Kept>,
    said: BTreeSet<Sequence>,
    erased: BTreeSet<Sequence>,
    edited: BTreeMap<Sequence, (Sequence, Text)>,
}

/// The page, if all of these facts are kept.
pub(crate) fn page(facts: &[Kept], wanted: &PageWanted) -> Page {
    let of_room = facts.iter().filter(|kept| kept.room == wanted.room.number && kept.sequence.0 > 0);
    let mut model = Model {
        wanted,
        facts: of_room.collect(),
        said: BTreeSet::new(),
        erased: BTreeSet::new(),
        edited: BTreeMap::new(),
    };
    model.read();
    model.page()
}

impl Model<'_> {
    fn read(&mut self) {
        for kept in &self.facts {
            match &kept.record.fact {
                Fact::Said { .. } | Fact::Directed { .. } => {
                    self.said.insert(kept.sequence);
                }
                Fact::Redacted { target, .. } if self.said.contains(target) => {
                    self.erased.insert(*target);
                }
                Fact::Edited { target, text, .. }
                    if self.said.contains(target) && !self.erased.contains(target) =>
                {
                    self.edited.insert(*target, (kept.sequence, text.clone()));
                }
                _ => {}
            }
        }
    }

    fn page(&self) -> Page {
        let upto = self.wanted.upto;
        let rows: Vec<(Sequence, Option<Past>)> = self
            .facts
            .iter()
            .filter(|kept| kept.sequence <= upto)
            .map(|kept| (kept.sequence, self.line(kept)))
            .collect();
        let max = self.wanted.lines_max as usize;
        let (mut begin, mut end) = match self.wanted.span {
            Span::Latest => (backwards(&rows, rows.len(), max), rows.len()),
            Span::Before(sequence) => {
                let end = rows.partition_point(|(other, _)| *other < sequence);
                (backwards(&rows, end, max), end)
            }
            Span::After(sequence) => {
                let begin = rows.partition_point(|(other, _)| *other <= sequence);
                (begin, forwards(&rows, begin, max))
            }
            Span::Since(time) => {
                let mut of_room = self.facts.iter().filter(|kept| kept.sequence <= upto);
                let begin = of_room.position(|kept| kept.record.time >= time).unwrap_or(rows.len());
                (begin, forwards(&rows, begin, max))
            }
            Span::Around(sequence) => {
                let middle = rows.partition_point(|(other, _)| *other < sequence);
                let begin = backwards(&rows, middle, max / 2);
                let earlier = rows[begin..middle].iter().filter(|(_, line)| line.is_some()).count();
                (begin, forwards(&rows, middle, max - earlier))
            }
        };
        if begin >= end {
            (begin, end) = (0, 0);
        }
        let looked = &rows[begin..end];
        let first = looked.first().map(|(sequence, _)| *sequence).filter(|_| begin > 0);
        let last = looked.last().map(|(sequence, _)| *sequence).filter(|_| end < rows.len());
        Page {
            wanted: self.wanted.clone(),
            lines: looked.iter().filter_map(|(_, line)| line.clone()).collect(),
            before: first,
            after: last,
            forgotten: Sequence(0),
        }
    }

    fn line(&self, kept: &Kept) -> Option<Past> {
        let is_erased = self.erased.contains(&kept.sequence);
        let edited = self.edited.get(&kept.sequence).filter(|_| !is_erased);
        let (event, edited) = match self.wanted.shape {
            Shape::Present => match &kept.record.fact {
                Fact::Opened { .. } | Fact::Edited { .. } | Fact::Redacted { .. } => return None,
                _ => (self.event(kept, edited.map(|(_, text)| text)), edited.map(|(sequence, _)| *sequence)),
            },
            Shape::Facts => match &kept.record.fact {
                Fact::Edited { target, .. } if !self.stands(*target, kept.sequence) => return None,
                _ => (self.event(kept, None), None),
            },
        };
        Some(Past { position: kept.record.position, time: kept.record.time, event, edited })
    }

    /// Whether this was said before that and is not erased.
    fn stands(&self, target: Sequence, before: Sequence) -> bool {
        target < before && self.said.contains(&target) && !self.erased.contains(&target)
    }

    fn event(&self, kept: &Kept, edited: Option<&Text>) -> Event {
        let (room, sequence) = (self.wanted.room.clone(), kept.sequence);
        let is_erased = self.erased.contains(&sequence);
        match kept.record.fact.clone() {
            Fact::Opened { .. } => Event::Opened { room, sequence },
            Fact::Said { author, .. } if is_erased => {
                Event::Erased { room, sequence, author: past_author(&author) }
            }
            Fact::Directed { from, .. } if is_erased => {
                Event::Erased { room, sequence, author: Author::Member(nobody(&from)) }
            }
            Fact::Said { author, text, manner, signature, .. } => {
                said(room, sequence, &author, edited.cloned().unwrap_or(text), manner, signature)
            }
            Fact::Directed { from, to, text, signature, .. } => Event::Directed {
                conversation: room.number,
                sequence,
                from: nobody(&from),
                to: nobody(&to),
                text: edited.cloned().unwrap_or(text),
                signature: without_nonce(signature),
            },
            Fact::TopicSet { by, topic, signature, .. } => Event::TopicSet {
                room,
                sequence,
                by: nobody(&by),
                topic,
                signature: without_nonce(signature),
            },
            Fact::Edited { by, target, text, signature, .. } => {
                let (by, signature) = (nobody(&by), without_nonce(signature));
                Event::Edited { room, sequence, by, target, text, signature }
            }
            Fact::Redacted { by, target, reason, signature, .. } => {
                let (by, signature) = (nobody(&by), without_nonce(signature));
                Event::Redacted { room, sequence, by, target, reason, signature }
            }
            Fact::Lost { from, to, .. } => Event::Lost { room, sequence, from, to },
            other => panic!("{other:?} has no line"),
        }
    }
}

fn said(
    room: RoomRef,
    sequence: Sequence,
    author: &Author,
    text: Text,
    manner: Manner,
    signature: Signature,
) -> Event {
    let (author, signature) = (past_author(author), without_nonce(signature));
    Event::Said { room, sequence, author, text, manner, signature }
}

fn past_author(author: &Author) -> Author {
    match author {
        Author::Member(who) => Author::Member(nobody(who)),
        door @ Author::Door { .. } => door.clone(),
    }
}

fn nobody(who: &Who) -> Who {
    Who { member: MemberId::NOBODY, nick: who.nick.clone(), address: None }
}

fn without_nonce(signature: Signature) -> Signature {
    signature.map(|signed| Arc::new(Signed { client: signed.client, nonce: None }))
}

/// Where a page begins that ends in front of `end`: it is not ended by what is no line.
fn backwards(rows: &[(Sequence, Option<Past>)], end: usize, max: usize) -> usize {
    let mut lines = 0;
    for begin in (0..end).rev() {
        if rows[begin].1.is_some() {
            lines += 1;
            if lines > max {
                return begin + 1;
            }
        }
    }
    0
}

fn forwards(rows: &[(Sequence, Option<Past>)], begin: usize, max: usize) -> usize {
    let mut lines = 0;
    for (place, row) in rows.iter().enumerate().skip(begin) {
        if row.1.is_some() {
            lines += 1;
            if lines > max {
                return place;
            }
        }
    }
    rows.len()
}
