//! The log floor: lines are appended to their room's log; at the end of the turn each member that is behind gets one
//! write of all that it lacks, straight out of the log.
//!
//! It is the least that the product's own shape (a room is a log, a member is a cursor) could cost. There is no bound:
//! a member that never reads keeps the log growing.

use std::{io::IoSlice, ops::Range};

use rustix::{
    io::{Errno, writev},
    net::{SendFlags, send},
};

use super::house::{House, Relay};

/// The most slices that the kernel takes in one write (`IOV_MAX`).
const SLICES_MAX: usize = 1024;

/// All logs and cursors.
#[derive(Default)]
pub(super) struct LogRelay {
    logs: Vec<Log>,
    cursors: Vec<Cursor>,
    /// Rooms in which something was said in this turn, or in which a member can take bytes again.
    due: Vec<usize>,
}

/// What was said in a room and not yet written to everyone. Positions count all bytes ever said in it.
#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    start: u64,
    due: Due,
}

/// Whether the room is in the list of those to flush.
#[derive(Clone, Copy, Default, PartialEq)]
enum Due {
    #[default]
    No,
    Yes,
}

/// Where a member stands in its room's log, and where its own lines lie ahead of it.
#[derive(Default)]
struct Cursor {
    position: u64,
    own: Vec<Range<u64>>,
    flow: Flow,
}

/// Whether the member's socket took all that it was given.
#[derive(Clone, Copy, Default, PartialEq)]
enum Flow {
    #[default]
    Open,
    Blocked,
}

impl Log {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Adds a stretch of the log to `slices` unless it is empty, and returns its length.
    fn slice<'log>(&'log self, stretch: Range<u64>, slices: &mut Vec<IoSlice<'log>>) -> usize {
        let bytes = &self.bytes[(stretch.start - self.start) as usize..(stretch.end - self.start) as usize];
        if !bytes.is_empty() {
            slices.push(IoSlice::new(bytes));
        }
        bytes.len()
    }
}

impl Cursor {
    /// Remembers a line of the member's own.
    fn step_over(&mut self, line: Range<u64>) {
        match self.own.last_mut() {
            Some(last) if last.end == line.start => last.end = line.end,
            _ => self.own.push(line),
        }
    }

    /// Collects what the member lacks, its own lines left out, and returns how many bytes that is.
    fn pending<'log>(&self, log: &'log Log, slices: &mut Vec<IoSlice<'log>>) -> usize {
        let mut bytes = 0;
        let mut from = self.position;
        for own in &self.own {
            bytes += log.slice(from..own.start, slices);
            from = own.end;
        }
        bytes + log.slice(from..log.end(), slices)
    }

    /// Moves on by `written` bytes, stepping over the member's own lines on the way and behind.
    fn advance(&mut self, written: usize) {
        let mut left = written as u64;
        let mut passed = 0;
        for own in &self.own {
            let before = own.start - self.position;
            if left < before {
                break;
            }
            left -= before;
            self.position = own.end;
            passed += 1;
        }
        self.own.drain(..passed);
        self.position += left;
    }
}

impl Relay for LogRelay {
    fn said(&mut self, house: &mut House, speaker: usize, line: &[u8]) {
        let Some(said_by) = house.connection(speaker) else { return };
        let log = &mut self.logs[said_by.room];
        let begin = log.end();
        log.bytes.extend_from_slice(&said_by.prefix);
        log.bytes.extend_from_slice(line);
        self.cursors[speaker].step_over(begin..log.end());
        self.note_due(said_by.room);
    }

    fn turn_ended(&mut self, house: &mut House) {
        let mut due = std::mem::take(&mut self.due);
        for room in due.drain(..) {
            self.flush(house, room);
        }
        self.due = due;
    }

    fn writable(&mut self, house: &mut House, connection: usize) {
        let Some(ready) = house.connection(connection) else { return };
        let room = ready.room;
        self.cursors[connection].flow = Flow::Open;
        house.forget_writable(connection);
        self.note_due(room);
    }

    fn moved(&mut self, connection: usize, room: usize) {
        if self.logs.len() <= room {
            self.logs.resize_with(room + 1, Log::default);
        }
        if self.cursors.len() <= connection {
            self.cursors.resize_with(connection + 1, Cursor::default);
        }
        self.cursors[connection] = Cursor { position: self.logs[room].end(), ..Cursor::default() };
    }
}

impl LogRelay {
    fn note_due(&mut self, room: usize) {
        if self.logs[room].due == Due::No {
            self.logs[room].due = Due::Yes;
            self.due.push(room);
        }
    }

    fn flush(&mut self, house: &mut House, room: usize) {
        let mut log = std::mem::take(&mut self.logs[room]);
        log.due = Due::No;
        let mut behind = 0;
        let mut slices = Vec::new();
        for index in 0..house.members(room).len() {
            let member = house.members(room)[index];
            let cursor = &mut self.cursors[member];
            if cursor.flow == Flow::Open {
                slices.clear();
                write_pending(house, member, cursor, &log, &mut slices);
            }
            behind += usize::from(cursor.flow == Flow::Blocked);
        }
        drop(slices);
        if behind == 0 {
            log.start = log.end();
            log.bytes.clear();
        }
        self.logs[room] = log;
    }
}

/// One write of all that the member lacks.
fn write_pending<'log>(
    house: &mut House,
    member: usize,
    cursor: &mut Cursor,
    log: &'log Log,
    slices: &mut Vec<IoSlice<'log>>,
) {
    let bytes = cursor.pending(log, slices);
    let Some(connection) = house.connection(member) else { return };
    let written = match slices.as_slice() {
        [] => Ok(0),
        [slice] => send(&connection.socket, slice, SendFlags::NOSIGNAL),
        slices => writev(&connection.socket, &slices[..slices.len().min(SLICES_MAX)]),
    };
    match written {
        Ok(written) => cursor.advance(written),
        Err(Errno::AGAIN) => {}
        // It is closed when the turn is over; until then it must not hold the log.
        Err(_) => {
            cursor.advance(bytes);
            house.close(member);
            return;
        }
    }
    if written != Ok(bytes) {
        cursor.flow = Flow::Blocked;
        house.await_writable(member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(bytes: &[u8], start: u64) -> Log {
        Log { bytes: bytes.to_vec(), start, due: Due::No }
    }

    fn pending(cursor: &Cursor, log: &Log) -> String {
        let mut slices = Vec::new();
        let bytes = cursor.pending(log, &mut slices);
        let text: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        assert_eq!(bytes, text.len());
        String::from_utf8(text).unwrap()
    }

    fn cursor(position: u64, own: &[Range<u64>]) -> Cursor {
        let mut cursor = Cursor { position, ..Cursor::default() };
        for line in own {
            cursor.step_over(line.clone());
        }

        cursor
    }

    #[test]
    fn own_lines_are_stepped_over_wherever_they_lie() {
        let log = log(b"abcdefghij", 100);
        assert_eq!(pending(&cursor(100, &[]), &log), "abcdefghij");
        assert_eq!(pending(&cursor(100, &[100..102, 105..106, 108..110]), &log), "cdegh");
        assert_eq!(pending(&cursor(103, &[103..104, 104..105]), &log), "fghij");
        assert_eq!(pending(&cursor(100, &[100..102, 102..110]), &log), "");
    }

    #[test]
    fn neighbouring_own_lines_become_one_range() {
        assert_eq!(cursor(0, &[3..5, 5..9, 10..11]).own, [3..9, 10..11]);
    }

    #[test]
    fn any_sequence_of_partial_writes_gives_the_same_bytes() {
        let log = log(b"abcdefghij", 7);
        let own = [7..8, 10..12, 15..17];
        for step in 1..=7 {
            let mut cursor = cursor(7, &own);
            let mut written = String::new();
            while !pending(&cursor, &log).is_empty() {
                let left = pending(&cursor, &log);
                let taken = step.min(left.len());
                written.push_str(&left[..taken]);
                cursor.advance(taken);
            }
            assert_eq!(written, "bcfgh", "{step} bytes at a time");
            cursor.advance(0);
            assert_eq!((cursor.position, cursor.own.len()), (log.end(), 0));
        }
    }
}
