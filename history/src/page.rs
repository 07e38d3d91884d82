//! Pages: a part of a room's log, as it stands now or fact by fact.
//!
//! Where it stands: behind [`Reader::page`](crate::Reader::page). Rows are walked through in one direction, those of the file and
//! those that are not in it yet, until the page is full.
//!
//! What this file must never do: ask who may read it, walk on without an end, or show what was erased.

use crate::batch::Batch;
use crate::rows::{COLUMNS, FactId, Kind, Row};
use crate::unwritten::{Change, Unwritten};
use hub::{Page, PageWanted, Past, Position, Sequence, Shape, Span, Time};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::ops::ControlFlow;
use std::sync::Arc;

/// So many rows are looked at for a page: in [`Shape::Present`] most of a part of the log may be changes, which are no lines.
const ROWS_MAX: usize = 4_096;
/// A page has at most so many bytes of text, but at least one line.
const BYTES_MAX: usize = 256 * 1024;

/// Reads a page. The connection has to be in a transaction, or what is written meanwhile may be missed.
pub(crate) fn page(
    connection: &Connection,
    wanted: &PageWanted,
    batches: &[Arc<Batch>],
    written: Position,
) -> Result<Page, rusqlite::Error> {
    let unwritten = Unwritten::of(wanted.room.number, batches, written);
    let log = Log { connection, wanted, unwritten };
    let parts = log.parts()?;
    Ok(Page {
        wanted: wanted.clone(),
        before: log.before(&parts)?,
        after: log.after(&parts)?,
        lines: parts.earlier.lines.into_iter().chain(parts.later.lines).collect(),
        forgotten: log.forgotten()?,
    })
}

/// A room's log and what is wanted of it.
struct Log<'a> {
    connection: &'a Connection,
    wanted: &'a PageWanted,
    unwritten: Unwritten<'a>,
}

/// What was found backwards, and then forwards, from where the span begins.
#[derive(Default)]
struct Parts {
    earlier: Walk,
    later: Walk,
}

/// What a walk may take.
#[derive(Clone, Copy)]
struct Budget {
    lines: usize,
    rows: usize,
    bytes: usize,
}

/// A way through the log, and what was found on it, in ascending order when it is done.
#[derive(Default)]
struct Walk {
    lines: Vec<Past>,
    rows: usize,
    bytes: usize,
    /// The first and the last sequence that were looked at.
    looked: Option<(Sequence, Sequence)>,
    /// Whether it ended because the budget was used up.
    is_cut_off: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    File,
    Batch,
}

impl Log<'_> {
    fn parts(&self) -> Result<Parts, rusqlite::Error> {
        let lines = (self.wanted.lines_max as usize).max(1);
        let whole = Budget { lines, rows: ROWS_MAX, bytes: BYTES_MAX };
        let upto = self.wanted.upto;
        let earlier = |walk| Parts { earlier: walk, ..Parts::default() };
        let later = |walk| Parts { later: walk, ..Parts::default() };
        Ok(match self.wanted.span {
            Span::Latest => earlier(self.backward(upto, whole)?),
            Span::Before(sequence) => earlier(self.backward(in_front_of(sequence, upto), whole)?),
            Span::After(sequence) => later(self.forward(sequence.next(), whole)?),
            Span::Since(time) => match self.first_since(time)? {
                Some(sequence) => later(self.forward(sequence, whole)?),
                None => Parts::default(),
            },
            Span::Around(sequence) => {
                let half = Budget { lines: lines / 2, rows: ROWS_MAX / 2, bytes: BYTES_MAX / 2 };
                let earlier = self.backward(in_front_of(sequence, upto), half)?;
                let lines = lines - earlier.lines.len();
                Parts { later: self.forward(sequence, Budget { lines, ..half })?, earlier }
            }
        })
    }

    /// From the first row that is not in front of `from` up to the end.
    fn forward(&self, from: Sequence, budget: Budget) -> Result<Walk, rusqlite::Error> {
        let mut walk = Walk::default();
        let to = self.wanted.upto;
        if from <= to && self.walk_file("ASC", from, to, budget, &mut walk)?.is_continue() {
            let rows = self.unwritten.rows(from, to).iter();
            let _done = self.walk_batches(rows, budget, &mut walk)?;
        }
        Ok(walk)
    }

    /// From `to` back to the beginning.
    fn backward(&self, to: Sequence, budget: Budget) -> Result<Walk, rusqlite::Error> {
        let mut walk = Walk::default();
        let from = Sequence(1);
        let rows = self.unwritten.rows(from, to).iter().rev();
        if self.walk_batches(rows, budget, &mut walk)?.is_continue() && from <= to {
            let _done = self.walk_file("DESC", from, to, budget, &mut walk)?;
        }
        walk.lines.reverse();
        Ok(walk)
    }

    fn walk_file(
        &self,
        order: &str,
        from: Sequence,
        to: Sequence,
        budget: Budget,
        walk: &mut Walk,
    ) -> Result<ControlFlow<()>, rusqlite::Error> {
        let sql = format!("SELECT {COLUMNS} FROM facts WHERE id BETWEEN ?1 AND ?2 ORDER BY id {order}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.id(from).number(), self.id(to).number()])?;
        while let Some(row) = rows.next()? {
            let looked = match Row::read(row)? {
                Some(row) => self.look_at(row, Origin::File, budget, walk)?,
                None => walk.pass_over(budget),
            };
            if looked.is_break() {
                return Ok(looked);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn walk_batches<'r>(
        &self,
        rows: impl Iterator<Item = &'r Row<'r>>,
        budget: Budget,
        walk: &mut Walk,
    ) -> Result<ControlFlow<()>, rusqlite::Error> {
        for row in rows {
            if self.look_at(*row, Origin::Batch, budget, walk)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Makes a line of a row, if it is one and there is room for it.
    fn look_at(
        &self,
        row: Row<'_>,
        origin: Origin,
        budget: Budget,
        walk: &mut Walk,
    ) -> Result<ControlFlow<()>, rusqlite::Error> {
        let line = match self.wanted.shape {
            Shape::Present => self.present(row)?,
            Shape::Facts => self.as_it_happened(row, origin)?,
        };
        Ok(walk.take(row.sequence(), line, budget))
    }

    /// The row as it stands now; `None` if it is no line.
    fn present(&self, row: Row<'_>) -> Result<Option<Past>, rusqlite::Error> {
        let room = &self.wanted.room;
        match row.kind {
            Kind::Opened | Kind::Edited | Kind::Redacted => return Ok(None),
            Kind::Topic | Kind::Lost => return Ok(row.past(room, None)),
            Kind::Said | Kind::Acted | Kind::Directed => {}
        }
        if row.is_erased() {
            return Ok(row.past(room, None));
        }
        match self.unwritten.change(row.sequence()) {
            Some(Change::Erased) => Ok(Row { text: None, ..row }.past(room, None)),
            Some(Change::Reads(change, text)) => Ok(Row { text: Some(text), ..row }.past(room, Some(change))),
            None => match row.revised {
                None => Ok(row.past(room, None)),
                Some(change) => {
                    // Without its change, which the file then has lost, it is shown as it was.
                    let text = self.text_of(change)?;
                    Ok(Row { text: text.as_deref().or(row.text), ..row }.past(room, Some(change)))
                }
            },
        }
    }

    /// The row as it happened, unless it has been erased since; `None` if it is a change of something erased.
    fn as_it_happened(&self, row: Row<'_>, origin: Origin) -> Result<Option<Past>, rusqlite::Error> {
        let room = &self.wanted.room;
        let is_erased = |sequence| self.unwritten.change(sequence) == Some(Change::Erased);
        if row.kind.is_said() && is_erased(row.sequence()) {
            return Ok(Row { text: None, ..row }.past(room, None));
        }
        if let (Kind::Edited, Some(target)) = (row.kind, row.target) {
            // One that came behind the erasure has kept its text only as long as it is not written.
            let is_void = origin == Origin::Batch && (target >= row.id || !self.stands(target)?);
            if row.text.is_none() || is_void || is_erased(target.sequence()) {
                return Ok(None);
            }
        }
        Ok(row.past(room, None))
    }

    fn text_of(&self, change: Sequence) -> Result<Option<String>, rusqlite::Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT text FROM facts WHERE id = ?1 AND kind = 6")?;
        let text = statement.query_row([self.id(change).number()], |row| row.get(0)).optional()?;
        Ok(text.flatten())
    }

    /// Whether this was said, and is not erased in the file.
    fn stands(&self, target: FactId) -> Result<bool, rusqlite::Error> {
        let sequence = target.sequence();
        if let [row] = self.unwritten.rows(sequence, sequence) {
            return Ok(row.kind.is_said());
        }
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM facts WHERE id = ?1 AND kind IN (2, 3, 4) AND text IS NOT NULL)",
            )?
            .query_row([target.number()], |row| row.get(0))
    }

    /// The first fact that is not older than this: found by halving, as if no fact were older than one in front of it. Where
    /// a clock was set back, some of them are; then it is one of the places where older facts are followed by one that is not.
    fn first_since(&self, time: Time) -> Result<Option<Sequence>, rusqlite::Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, time FROM facts WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1")?;
        let since = i64::try_from(time.0).unwrap_or(i64::MAX);
        let last = self.id(self.wanted.upto);
        let (mut low, mut high) = (self.id(Sequence(1)).number(), last.number());
        let mut found = None;
        while low <= high {
            let middle = low + (high - low) / 2;
            let probe =
                statement.query_row([middle, high], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            match probe {
                Some((id, its_time)) if i64::lt(&its_time, &since) => low = i64::saturating_add(id, 1),
                Some((id, _)) => {
                    found = FactId::from_number(id);
                    high = middle - 1;
                }
                None => high = middle - 1,
            }
        }
        let unwritten = self.unwritten.rows(Sequence(1), self.wanted.upto);
        let in_batches = || unwritten.iter().find(|row| row.time >= time).map(|row| row.id);
        Ok(found.or_else(in_batches).map(FactId::sequence))
    }

    /// Where the page before this one ends, if there is one.
    fn before(&self, parts: &Parts) -> Result<Option<Sequence>, rusqlite::Error> {
        let first = parts.earlier.first().or(parts.later.first());
        let is_more = match first {
            None => false,
            Some(_) if parts.earlier.is_cut_off => true,
            // Walked to the beginning.
            Some(_) if parts.earlier.looked.is_some() => false,
            Some(first) => self.is_anything(Sequence(1), in_front_of(first, self.wanted.upto))?,
        };
        Ok(first.filter(|_| is_more))
    }

    /// Where the page behind this one begins, if there is one.
    fn after(&self, parts: &Parts) -> Result<Option<Sequence>, rusqlite::Error> {
        let last = parts.later.last().or(parts.earlier.last());
        let is_more = match last {
            None => false,
            Some(_) if parts.later.is_cut_off => true,
            // Walked to the end.
            Some(_) if parts.later.looked.is_some() => false,
            Some(last) => self.is_anything(last.next(), self.wanted.upto)?,
        };
        Ok(last.filter(|_| is_more))
    }

    fn is_anything(&self, from: Sequence, to: Sequence) -> Result<bool, rusqlite::Error> {
        if from > to {
            return Ok(false);
        }
        if !self.unwritten.rows(from, to).is_empty() {
            return Ok(true);
        }
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM facts WHERE id BETWEEN ?1 AND ?2)")?
            .query_row([self.id(from).number(), self.id(to).number()], |row| row.get(0))
    }

    fn forgotten(&self) -> Result<Sequence, rusqlite::Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT forgotten FROM rooms WHERE number = ?1")?;
        let number = self.wanted.room.number.0;
        let forgotten: Option<i64> = statement.query_row([number], |row| row.get(0)).optional()?;
        Ok(Sequence(forgotten.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()))
    }

    fn id(&self, sequence: Sequence) -> FactId {
        FactId::nearest(self.wanted.room.number, sequence)
    }
}

impl Walk {
    /// Looks at a row; if there is no room for its line, the walk ends in front of it.
    fn take(&mut self, sequence: Sequence, line: Option<Past>, budget: Budget) -> ControlFlow<()> {
        let bytes = line.as_ref().map_or(0, text_bytes);
        let is_full = line.is_some()
            && (self.lines.len() >= budget.lines
                || (!self.lines.is_empty() && self.bytes + bytes > budget.bytes));
        if is_full || self.rows >= budget.rows {
            self.is_cut_off = true;
            return ControlFlow::Break(());
        }
        self.rows += 1;
        self.bytes += bytes;
        self.lines.extend(line);
        let (first, last) = self.looked.unwrap_or((sequence, sequence));
        self.looked = Some((first.min(sequence), last.max(sequence)));
        ControlFlow::Continue(())
    }

    /// A row that makes no sense costs time, too.
    fn pass_over(&mut self, budget: Budget) -> ControlFlow<()> {
        self.rows += 1;
        self.is_cut_off = self.rows >= budget.rows;
        if self.is_cut_off { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn first(&self) -> Option<Sequence> {
        self.looked.map(|(first, _)| first)
    }

    fn last(&self) -> Option<Sequence> {
        self.looked.map(|(_, last)| last)
    }
}

fn text_bytes(past: &Past) -> usize {
    match &past.event {
        hub::Event::Said { text, .. }
        | hub::Event::Directed { text, .. }
        | hub::Event::Edited { text, .. } => text.formatted().len(),
        _ => 0,
    }
}

/// The last sequence in front of this one that may be read.
fn in_front_of(sequence: Sequence, upto: Sequence) -> Sequence {
    Sequence(sequence.0.saturating_sub(1)).min(upto)
}
