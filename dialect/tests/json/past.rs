//! A history in memory: what was told and kept, page by page, as the journal on a disk would answer.

use hub::{
    Author, Authorship, ClientId, Event, Findings, Kept, Known, Lookup, Manner, Page, PageWanted, Past,
    Reading, Receipt, Rest, RoomNumber, RoomRef, Search, Sequence, Shape, Span, Told, Verb, Wanted,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All that was kept, by room.
#[derive(Default)]
pub(crate) struct History {
    rooms: BTreeMap<RoomNumber, Vec<Past>>,
    /// What was said with nonces, by whom; also what has been erased since.
    receipts: Vec<(ClientId, Receipt)>,
    /// Everything up to this sequence has been let go of, in every room.
    pub(crate) forgotten: Sequence,
}

impl History {
    /// A room was opened: told to nobody, but kept.
    pub(crate) fn opened(&mut self, kept: &Kept) {
        if let hub::Fact::Opened { name, .. } = &kept.record.fact {
            let room = RoomRef { number: kept.room, name: name.shown.clone() };
            let event = Event::Opened { room, sequence: kept.sequence };
            let (position, time) = (kept.record.position, kept.record.time);
            self.rooms.entry(kept.room).or_default().insert(0, Past { position, time, event, edited: None });
        }
    }

    /// Something was told.
    pub(crate) fn note(&mut self, told: &Told) {
        let (Some(room), Some(_)) = (told.event.kept_in(), told.event.sequence()) else { return };
        let past = Past { position: told.position, time: told.time, event: told.event.clone(), edited: None };
        self.receipts.extend(receipt(&past));
        if let Event::Redacted { target, .. } = told.event {
            self.erase(room, target);
        }
        self.rooms.entry(room).or_default().push(past);
    }

    fn erase(&mut self, room: RoomNumber, target: Sequence) {
        let lines = self.rooms.entry(room).or_default();
        let Some(past) = lines.iter_mut().find(|past| past.event.sequence() == Some(target)) else { return };
        if let Event::Said { room, sequence, author, .. } = past.event.clone() {
            past.event = Event::Erased { room, sequence, author };
        }
    }

    pub(crate) fn look_up(&self, lookup: &Lookup) -> Known {
        match lookup {
            Lookup::Client(client) => {
                let receipts = self.receipts.iter().filter(|(of, _)| of == client);
                Known::Client(receipts.map(|(_, receipt)| receipt.clone()).collect())
            }
            Lookup::Author { room, target } => {
                let found = self.lines(*room).iter().find(|past| past.event.sequence() == Some(*target));
                let author = match found.map(|past| &past.event) {
                    Some(event @ (Event::Said { .. } | Event::Directed { .. })) => {
                        Authorship::Client(event.signature().map(|signed| signed.client))
                    }
                    _ => Authorship::Nothing,
                };
                Known::Author(author)
            }
        }
    }

    pub(crate) fn read(&self, reading: &Reading) -> Event {
        match &reading.what {
            Wanted::Page(wanted) => Event::Page(Arc::new(self.page(wanted))),
            Wanted::Search { rooms, search } => Event::Found(Arc::new(self.find(rooms, search))),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Past> {
        self.rooms.values().flatten()
    }

    fn lines(&self, room: RoomNumber) -> &[Past] {
        self.rooms.get(&room).map_or(&[], Vec::as_slice)
    }

    fn page(&self, wanted: &PageWanted) -> Page {
        let readable = self.lines(wanted.room.number).iter().filter(|past| {
            let sequence = past.event.sequence().expect("kept");
            sequence > self.forgotten && sequence <= wanted.upto
        });
        let lines: Vec<Past> = match wanted.shape {
            Shape::Facts => readable.cloned().collect(),
            Shape::Present => readable.filter_map(|past| self.as_it_is_now(past)).collect(),
        };
        let sequence = |past: &Past| past.event.sequence().expect("kept");
        let max = wanted.lines_max as usize;
        let range = match wanted.span {
            Span::Latest => lines.len().saturating_sub(max)..lines.len(),
            Span::Before(before) => {
                let end = lines.partition_point(|past| sequence(past) < before);
                end.saturating_sub(max)..end
            }
            Span::After(after) => {
                let start = lines.partition_point(|past| sequence(past) <= after);
                start..(start + max).min(lines.len())
            }
            Span::Around(around) => {
                let start = lines.partition_point(|past| sequence(past) < around).saturating_sub(max / 2);
                start..(start + max).min(lines.len())
            }
            Span::Since(since) => {
                let start = lines.partition_point(|past| past.time < since);
                start..(start + max).min(lines.len())
            }
        };
        Page {
            wanted: wanted.clone(),
            before: (range.start > 0).then(|| lines.get(range.start).map(sequence)).flatten(),
            after: (range.end < lines.len()).then(|| lines[..range.end].last().map(sequence)).flatten(),
            lines: lines[range].to_vec(),
            forgotten: self.forgotten,
        }
    }

    /// With the last change of it, or not at all if it is a change itself.
    fn as_it_is_now(&self, past: &Past) -> Option<Past> {
        let (number, own) = match &past.event {
            Event::Edited { .. } | Event::Redacted { .. } => return None,
            Event::Said { room, sequence, .. } => (room.number, *sequence),
            _ => return Some(past.clone()),
        };
        let mut now = past.clone();
        for later in self.lines(number) {
            if let Event::Edited { target, text: newer, sequence, .. } = &later.event
                && *target == own
                && let Event::Said { text, .. } = &mut now.event
            {
                text.clone_from(newer);
                now.edited = Some(*sequence);
            }
        }
        Some(now)
    }

    fn find(&self, rooms: &[(RoomRef, Sequence)], search: &Search) -> Findings {
        let is_readable = |past: &&Past| {
            rooms.iter().any(|(room, upto)| {
                past.event.kept_in() == Some(room.number) && past.event.sequence() <= Some(*upto)
            })
        };
        let mut lines: Vec<Past> =
            self.all().filter(is_readable).filter(|past| is_found(past, search)).cloned().collect();
        lines.sort_by_key(|past| std::cmp::Reverse(past.position));
        let rest = if lines.len() > search.lines_max as usize { Rest::More } else { Rest::Nothing };
        lines.truncate(search.lines_max as usize);
        Findings { search: search.clone(), lines, rest }
    }
}

fn is_found(past: &Past, search: &Search) -> bool {
    let (author, text) = match &past.event {
        Event::Said { author: Author::Member(who), text, .. } | Event::Directed { from: who, text, .. } => {
            (&who.nick, text)
        }
        _ => return false,
    };
    let is_by = search.author.as_ref().is_none_or(|wanted| **wanted == **author);
    is_by && search.words.split(' ').all(|word| text.formatted().contains(word))
}

fn receipt(past: &Past) -> Option<(ClientId, Receipt)> {
    let signed = past.event.signature()?;
    let (room, sequence) = (past.event.kept_in()?, past.event.sequence()?);
    let nonce = signed.nonce.clone()?;
    let verb = verb_of(&past.event)?;
    Some((signed.client, Receipt { nonce, verb, room, sequence, position: past.position }))
}

fn verb_of(event: &Event) -> Option<Verb> {
    match event {
        Event::Said { manner: Manner::Saying, .. } => Some(Verb::Say),
        Event::Said { manner: Manner::Acting, .. } => Some(Verb::Act),
        Event::Directed { .. } => Some(Verb::Direct),
        Event::Edited { .. } => Some(Verb::Edit),
        Event::Redacted { .. } => Some(Verb::Redact),
        Event::TopicSet { .. } => Some(Verb::SetTopic),
        _ => None,
    }
}
