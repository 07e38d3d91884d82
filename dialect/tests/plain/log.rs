//! What was said, as simply as it can be kept: a list for each room, looked through from its beginning.
//!
//! Where it stands: beside the hub of the tests, in place of a journal.
//!
//! What this file must never do: keep more than [`LINES_MAX`] lines of a room.

use hub::{
    Author, Event, Findings, Page, PageWanted, Past, Reading, Rest, RoomNumber, Search, Sequence, Span, Told,
    Wanted,
};
use std::collections::BTreeMap;

/// A room remembers so many lines.
const LINES_MAX: usize = 64;

/// The logs of all rooms, as they read now.
#[derive(Default)]
pub(crate) struct Log {
    rooms: BTreeMap<RoomNumber, Room>,
}

#[derive(Default)]
struct Room {
    lines: Vec<Past>,
    forgotten: Sequence,
}

impl Log {
    /// Keeps what was told, if it is to be kept.
    pub(crate) fn keep(&mut self, told: &Told) {
        let Some(number) = told.event.kept_in() else { return };
        let room = self.rooms.entry(number).or_default();
        match &told.event {
            Event::Edited { target, sequence, text: new, .. } => room.change(*target, |past| {
                if let Event::Said { text, .. } | Event::Directed { text, .. } = &mut past.event {
                    *text = new.clone();
                    past.edited = Some(*sequence);
                }
            }),
            Event::Redacted { room: name, target, .. } => room.change(*target, |past| {
                let author = match &past.event {
                    Event::Said { author, .. } => author.clone(),
                    Event::Directed { from, .. } => Author::Member(from.clone()),
                    _ => return,
                };
                past.event = Event::Erased { room: name.clone(), sequence: *target, author };
                past.edited = None;
            }),
            event => {
                let (position, time) = (told.position, told.time);
                room.lines.push(Past { position, time, event: event.clone(), edited: None });
            }
        }
        if room.lines.len() > LINES_MAX {
            room.forgotten = sequence(&room.lines.remove(0));
        }
    }

    /// The answer to a question that the hub has granted.
    pub(crate) fn read(&self, reading: &Reading) -> Event {
        match &reading.what {
            Wanted::Page(wanted) => Event::Page(self.page(wanted).into()),
            Wanted::Search { rooms, search } => {
                let numbers = rooms.iter().map(|(room, upto)| (room.number, *upto));
                Event::Found(self.find(numbers, search).into())
            }
        }
    }

    fn page(&self, wanted: &PageWanted) -> Page {
        let nothing = Room::default();
        let room = self.rooms.get(&wanted.room.number).unwrap_or(&nothing);
        let lines: Vec<&Past> = room.lines.iter().filter(|past| sequence(past) <= wanted.upto).collect();
        let count = wanted.lines_max as usize;
        let first = |is_behind: &dyn Fn(&Past) -> bool| lines.iter().position(|past| is_behind(past));
        let last_of = |end: usize| end.saturating_sub(count)..end;
        let range = match wanted.span {
            Span::Latest => last_of(lines.len()),
            Span::Before(end) => last_of(first(&|past| sequence(past) >= end).unwrap_or(lines.len())),
            Span::After(begin) => first(&|past| sequence(past) > begin).unwrap_or(lines.len())..lines.len(),
            Span::Since(time) => first(&|past| past.time >= time).unwrap_or(lines.len())..lines.len(),
            Span::Around(_) => panic!("nobody asks for that"),
        };
        let range = range.start..range.end.min(range.start + count);
        let shown = &lines[range.clone()];
        Page {
            wanted: wanted.clone(),
            lines: shown.iter().copied().cloned().collect(),
            before: shown.first().filter(|_| range.start > 0).map(|past| sequence(past)),
            after: shown.last().filter(|_| range.end < lines.len()).map(|past| sequence(past)),
            forgotten: room.forgotten,
        }
    }

    fn find(&self, rooms: impl Iterator<Item = (RoomNumber, Sequence)>, search: &Search) -> Findings {
        let mut lines: Vec<Past> = Vec::new();
        for (number, upto) in rooms {
            let past = self.rooms.get(&number).map_or(&[][..], |room| &room.lines);
            lines.extend(past.iter().filter(|past| sequence(past) <= upto && matches(past, search)).cloned());
        }
        lines.sort_by_key(|past| std::cmp::Reverse(past.position));
        let rest = if lines.len() > search.lines_max as usize { Rest::More } else { Rest::Nothing };
        lines.truncate(search.lines_max as usize);
        Findings { search: search.clone(), lines, rest }
    }
}

impl Room {
    fn change(&mut self, target: Sequence, change: impl FnOnce(&mut Past)) {
        if let Some(past) = self.lines.iter_mut().find(|past| sequence(past) == target) {
            change(past);
        }
    }
}

fn sequence(past: &Past) -> Sequence {
    past.event.sequence().expect("what is kept has a sequence")
}

fn matches(past: &Past, search: &Search) -> bool {
    let (nick, text) = match &past.event {
        Event::Said { author: Author::Member(who), text, .. } => (&who.nick, text),
        Event::Directed { from, text, .. } => (&from.nick, text),
        _ => return false,
    };
    let text = text.formatted().to_lowercase();
    search.words.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
        && search.author.as_ref().is_none_or(|author| **author == **nick)
        && search.since.is_none_or(|since| past.time >= since)
        && search.before.is_none_or(|before| past.time < before)
}
