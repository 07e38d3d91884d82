//! The timeline of a room as one long sheet of rows, of which a part is seen.
//!
//! Where it stands: between the items of a room and the view; what scrolls asks it where that ends.
//!
//! Nothing is remembered from one drawing to the next, and no more items are looked at than are seen or scrolled over.
//!
//! What this file must never do: lay out the whole of a timeline.

use super::regions::Regions;
use super::rows::{Paper, Row, day_of};
use crate::model::{Item, Model, Room, Scroll, What};
use std::collections::VecDeque;
use std::ops::Range;

/// No timeline has so many rows: what scrolls further need not count them.
const EVERYTHING_ROWS: usize = 1 << 31;

/// A timeline laid out for a screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sheet<'a> {
    room: &'a Room,
    /// What we are called: behind all items stands what we said and is not acknowledged.
    nick: &'a str,
    paper: Paper<'a>,
    rows: usize,
}

/// What is seen of a timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Visible {
    /// From above; fewer than there is room for if there are no more.
    pub rows: Vec<Row>,
    /// Which items they are of, by their indexes.
    pub items: Range<usize>,
}

impl Visible {
    /// Where the links that can be seen lead, the newest first, each once.
    pub(crate) fn links(&self) -> Vec<String> {
        let mut links: Vec<String> = Vec::new();
        for part in self.rows.iter().rev().flat_map(|row| row.parts.iter().rev()) {
            if let Some(link) = &part.link
                && !links.iter().any(|known| **known == **link)
            {
                links.push(link.to_string());
            }
        }
        links
    }
}

/// A row: which item, and which of its rows. What is not acknowledged is counted on behind the items.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    nth: usize,
    row: usize,
}

impl<'a> Sheet<'a> {
    /// The timeline of the room that is seen, as large as it is on the screen.
    pub(crate) fn of(model: &'a Model) -> Option<Sheet<'a>> {
        let timeline = Regions::of(model).timeline;
        let paper = Paper { options: model.options(), columns: timeline.width.into() };
        let nick = model.nick().map_or("", |nick| nick);
        Some(Sheet { room: model.room()?, nick, paper, rows: timeline.height.into() })
    }

    /// What is seen.
    pub(crate) fn visible(&self) -> Visible {
        let Some(mut lowest) = self.lowest() else {
            return Visible { rows: Vec::new(), items: 0..0 };
        };
        let mut rows: VecDeque<Row> = self.rows_of(lowest.nth).into_iter().take(lowest.row + 1).collect();
        let mut first = lowest.nth;
        while rows.len() < self.rows && first > 0 {
            first -= 1;
            self.rows_of(first).into_iter().rev().for_each(|row| rows.push_front(row));
        }
        let surplus = rows.len().saturating_sub(self.rows);
        rows.drain(..surplus);
        // The beginning of everything may be so near that there is room below.
        let mut seen = lowest.row + 1;
        while rows.len() < self.rows {
            let room = self.rows - rows.len();
            rows.extend(self.rows_of(lowest.nth).into_iter().skip(seen).take(room));
            if rows.len() == self.rows || lowest.nth + 1 == self.count() {
                break;
            }
            lowest.nth += 1;
            seen = 0;
        }
        let items = self.room.timeline.items().len();
        Visible { rows: rows.into(), items: first.min(items)..(lowest.nth + 1).min(items) }
    }

    /// Items of which some are seen, and no others are; found without laying them out.
    pub(crate) fn items_near(&self) -> Range<usize> {
        let items = self.room.timeline.items().len();
        let end = self.lowest().map_or(0, |lowest| (lowest.nth + 1).min(items));
        end.saturating_sub(self.rows.max(1))..end
    }

    /// How many items, and messages that are not acknowledged, lie below with all their rows.
    pub(crate) fn below(&self) -> usize {
        self.lowest().map_or(0, |lowest| self.count() - lowest.nth - 1)
    }

    /// What is seen after scrolling by so many rows; up is negative.
    pub(crate) fn scrolled(&self, rows: isize) -> Scroll {
        let Some(from) = self.lowest() else { return Scroll::End };
        if rows.unsigned_abs() > EVERYTHING_ROWS {
            return if rows < 0 { self.top() } else { Scroll::End };
        }
        if rows > 0 {
            let to = self.down(from, rows.unsigned_abs());
            // What is not acknowledged has no number to stay at.
            let is_behind_all = to.nth >= self.room.timeline.items().len();
            return if is_behind_all { Scroll::End } else { self.scroll(to) };
        }
        let to = self.up(from, rows.unsigned_abs());
        self.scroll(self.settled(to))
    }

    /// What is seen at the very beginning of what is here.
    pub(crate) fn top(&self) -> Scroll {
        if self.count() == 0 {
            return Scroll::End;
        }
        self.scroll(self.settled(At { nth: 0, row: 0 }))
    }

    /// What is seen if the item of this number is in the middle; the end, if it is not there any more.
    pub(crate) fn scroll_to(&self, number: u32) -> Scroll {
        let Some(nth) = self.room.timeline.index_of(number) else { return Scroll::End };
        let at = self.down(At { nth, row: 0 }, self.rows / 2);
        self.scroll(self.settled(at))
    }

    /// Items, and what is not acknowledged.
    fn count(&self) -> usize {
        self.room.timeline.items().len() + self.room.pending.len()
    }

    /// The lowest row that is seen, if there is any.
    fn lowest(&self) -> Option<At> {
        let last = At { nth: self.count().checked_sub(1)?, row: usize::MAX };
        let at = match self.room.scroll {
            Scroll::End => last,
            Scroll::At { item, row } => self.room.timeline.index_of(item).map_or(last, |nth| At { nth, row }),
        };
        Some(At { row: at.row.min(self.height(at.nth) - 1), ..at })
    }

    /// The same as something that stays where it is when more comes.
    fn scroll(&self, at: At) -> Scroll {
        let items = self.room.timeline.items();
        let is_last = at.nth + 1 == self.count() && at.row + 1 == self.height(at.nth);
        match (items.get(at.nth), items.back()) {
            (Some(item), _) if !is_last => Scroll::At { item: item.number, row: at.row },
            (None, Some(item)) if !is_last => {
                Scroll::At { item: item.number, row: self.height(items.len() - 1) - 1 }
            }
            _ => Scroll::End,
        }
    }

    fn up(&self, from: At, rows: usize) -> At {
        let (mut at, mut left) = (from, rows);
        while left > at.row {
            let Some(nth) = at.nth.checked_sub(1) else { return At { row: 0, ..at } };
            left -= at.row + 1;
            at = At { nth, row: self.height(nth) - 1 };
        }
        At { row: at.row - left, ..at }
    }

    fn down(&self, from: At, rows: usize) -> At {
        let (mut at, mut left) = (from, rows);
        loop {
            let below = self.height(at.nth) - 1 - at.row;
            if left <= below {
                return At { row: at.row + left, ..at };
            }
            if at.nth + 1 >= self.count() {
                return At { row: at.row + below, ..at };
            }
            left -= below + 1;
            at = At { nth: at.nth + 1, row: 0 };
        }
    }

    /// Not so far up that there would be nothing above.
    fn settled(&self, at: At) -> At {
        let top = self.up(at, self.rows.saturating_sub(1));
        self.down(top, self.rows.saturating_sub(1)).max(at)
    }

    /// How many rows an item has: at least one.
    fn height(&self, nth: usize) -> usize {
        self.rows_of(nth).len().max(1)
    }

    /// The rows of an item and of what stands above it: another day, what is new.
    fn rows_of(&self, nth: usize) -> Vec<Row> {
        let items = self.room.timeline.items();
        let Some(item) = items.get(nth) else {
            let pending = self.room.pending.get(nth - items.len());
            return pending.map(|pending| self.paper.pending(pending, self.nick)).unwrap_or_default();
        };
        let mut rows = Vec::new();
        if self.begins_day(nth, item) {
            rows.push(self.paper.day(item.time));
        }
        if self.begins_new(nth, item) {
            rows.push(self.paper.new_rule());
        }
        let is_marked = self.room.jumped_to == Some(item.number);
        rows.extend(self.paper.item(item).into_iter().map(|row| Row { is_marked, ..row }));
        rows
    }

    fn begins_day(&self, nth: usize, item: &Item) -> bool {
        if matches!(item.what, What::Hole(_)) {
            return false;
        }
        let mut before = self.room.timeline.items().range(..nth).rev();
        let before = before.find(|item| !matches!(item.what, What::Hole(_)));
        let options = self.paper.options;
        before.is_none_or(|before| day_of(options, before.time) != day_of(options, item.time))
    }

    fn begins_new(&self, nth: usize, item: &Item) -> bool {
        let Some(marker) = self.room.timeline.marker() else { return false };
        let before = nth.checked_sub(1).and_then(|nth| self.room.timeline.items().get(nth));
        item.order > marker && before.is_none_or(|before| before.order <= marker)
    }
}
