//! Who should hear what: every delivery is checked here as it arrives, and counted.
//!
//! `conversation` enters each message before it is said; the crowd hands over what its members hear. Checked is that a
//! line is byte for byte what was said, under its sender's name, in its sender's room, and that each receiver hears each
//! sender's messages without a gap, without a double and in order. A message is done when all others of its
//! room have heard it. It must never forgive: the first violation ends the round.

use crate::{
    crowd::{Listener, member_name},
    histogram::Histogram,
    message::{self, Message, SLOTS_MAX},
};

/// Which rooms there are and who sits where: `rooms` of equal size, members numbered room by room.
#[derive(Clone, Copy, Debug)]
pub struct Seating {
    /// How many rooms; a single one is the lobby.
    pub rooms: usize,
    /// How many members sit in each.
    pub members_per_room: usize,
}

impl Seating {
    /// How many members there are in all.
    pub fn members(&self) -> usize {
        self.rooms * self.members_per_room
    }

    /// The room that a member has to join, or `None` if that is the lobby.
    pub fn room_name(&self, member: usize) -> Option<String> {
        (self.rooms > 1).then(|| format!("r{:05}", member / self.members_per_room))
    }

    /// What stands before a member's text at the others of its room.
    pub fn prefix(&self, member: usize) -> String {
        let name = member_name(member);
        self.room_name(member).map_or_else(|| format!("<{name}> "), |room| format!("#{room} <{name}> "))
    }
}

/// A part of a room's members, by the order in which they joined. Fairness is judged by their latencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first tenth.
    First,
    /// All between.
    Middle,
    /// The last tenth.
    Last,
}

/// What one member must know to judge a delivery.
struct Seat {
    room: usize,
    place: usize,
    part: Part,
    prefix: Vec<u8>,
}

/// A message on its way.
#[derive(Clone, Copy, Default)]
struct Flight {
    sender: u32,
    sequence: u32,
    missing: u32,
}

/// All that was said and heard.
pub struct Ledger {
    seats: Vec<Seat>,
    members_per_room: usize,
    line_bytes: usize,
    /// The sequence that each receiver must hear next from each sender of its room.
    expected: Vec<Vec<u32>>,
    /// The sequence that each member says next.
    next: Vec<u32>,
    flights: Vec<Flight>,
    vacant: Vec<u16>,
    figures: Figures,
    violation: Option<String>,
}

/// What was counted since the ledger was opened or [`Ledger::take_figures`] was last called.
#[derive(Default)]
pub struct Figures {
    /// How often somebody heard a message.
    pub deliveries: u64,
    /// Latencies in nanoseconds, from saying to hearing, by the receiver's part of the room.
    latencies_ns: [Histogram; 3],
}

impl Figures {
    /// The latencies of one part of the receivers, in nanoseconds.
    pub fn part_ns(&self, part: Part) -> &Histogram {
        &self.latencies_ns[part as usize]
    }

    /// The latencies of all receivers, in nanoseconds.
    pub fn all_ns(&self) -> Histogram {
        let mut all = Histogram::default();
        self.latencies_ns.iter().for_each(|part| all.merge(part));
        all
    }
}

impl Ledger {
    /// Opens a ledger for everyone in `seating`, for messages of `message_bytes`, LF included.
    pub fn open(seating: &Seating, message_bytes: usize) -> Self {
        let per_room = seating.members_per_room;
        let seats = (0..seating.members()).map(|member| Seat {
            room: member / per_room,
            place: member % per_room,
            part: part(member % per_room, per_room),
            prefix: seating.prefix(member).into_bytes(),
        });
        Self {
            seats: seats.collect(),
            members_per_room: per_room,
            line_bytes: seating.prefix(0).len() + message_bytes,
            expected: vec![vec![0; per_room * per_room]; seating.rooms],
            next: vec![0; seating.members()],
            flights: vec![Flight::default(); SLOTS_MAX],
            vacant: (0..SLOTS_MAX as u16).rev().collect(),
            figures: Figures::default(),
            violation: None,
        }
    }

    /// Enters the next message of `sender`, which is about to be said. `None` if too many are in flight.
    pub fn enter(&mut self, sender: usize, said_at_ns: u64) -> Option<Message> {
        let slot = self.vacant.pop()?;
        let sequence = self.next[sender];
        self.next[sender] += 1;
        let missing = self.members_per_room as u32 - 1;
        self.flights[usize::from(slot)] = Flight { sender: sender as u32, sequence, missing };
        Some(Message { sender: sender as u32, sequence, slot, said_at_ns })
    }

    /// How many messages somebody has yet to hear.
    pub fn in_flight(&self) -> usize {
        SLOTS_MAX - self.vacant.len()
    }

    /// How many deliveries are missing to those messages.
    pub fn missing(&self) -> u64 {
        self.flights.iter().map(|flight| u64::from(flight.missing)).sum()
    }

    /// What was wrong, if anything was.
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Takes what was counted and begins to count anew.
    pub fn take_figures(&mut self) -> Figures {
        std::mem::take(&mut self.figures)
    }

    #[inline]
    fn delivery(&self, line: &[u8]) -> Option<Message> {
        let message = Message::read(&line[self.seats[0].prefix.len()..])?;
        let sender = self.seats.get(message.sender as usize)?;
        line.starts_with(&sender.prefix).then_some(message)
    }

    #[inline]
    fn delivered(&mut self, receiver: usize, message: &Message, now_ns: u64) {
        let (seat, sender) = (&self.seats[receiver], &self.seats[message.sender as usize]);
        if seat.room != sender.room || receiver == message.sender as usize {
            self.violate(receiver, &format!("heard what was not for it: {message:?}"));
            return;
        }
        let expected = &mut self.expected[seat.room][seat.place * self.members_per_room + sender.place];
        let flight = &mut self.flights[usize::from(message.slot)];
        let is_in_flight = (flight.sender, flight.sequence) == (message.sender, message.sequence);
        if *expected != message.sequence || !is_in_flight || flight.missing == 0 {
            let expected = *expected;
            self.violate(receiver, &format!("expected sequence {expected} (lost or doubled): {message:?}"));
            return;
        }
        *expected += 1;
        flight.missing -= 1;
        if flight.missing == 0 {
            self.vacant.push(message.slot);
        }
        self.figures.deliveries += 1;
        self.figures.latencies_ns[seat.part as usize].record(now_ns.saturating_sub(message.said_at_ns));
    }

    /// A line that is no delivery is the server's business, unless it was to be one or tells of a loss.
    fn noticed(&mut self, receiver: usize, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        if message::resembles(line) {
            self.violate(receiver, &format!("heard what nobody said: {text}"));
        } else if text.starts_with("-- ") && text.contains(" skipped") {
            self.violate(receiver, &format!("was told of a loss: {text}"));
        }
    }

    fn violate(&mut self, receiver: usize, what: &str) {
        self.violation.get_or_insert_with(|| format!("{} {what}", member_name(receiver)));
    }
}

impl Listener for Ledger {
    /// Deliveries all have one length, so most lines are found without looking for their end.
    fn heard(&mut self, receiver: usize, bytes: &[u8], now_ns: u64) -> usize {
        let mut taken = 0;
        loop {
            let rest = &bytes[taken..];
            if let Some(line) = rest.get(..self.line_bytes)
                && let Some(message) = self.delivery(line)
            {
                self.delivered(receiver, &message, now_ns);
                taken += self.line_bytes;
            } else if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                self.noticed(receiver, &rest[..end]);
                taken += end + 1;
            } else {
                return taken;
            }
        }
    }
}

fn part(place: usize, members: usize) -> Part {
    let tenth = members.div_ceil(10);
    if place < tenth {
        Part::First
    } else if place >= members - tenth {
        Part::Last
    } else {
        Part::Middle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEATING: Seating = Seating { rooms: 2, members_per_room: 3 };

    fn line(message: &Message) -> Vec<u8> {
        let mut line = SEATING.prefix(message.sender as usize).into_bytes();
        message.write(64, &mut line);
        line
    }

    /// A ledger in which member 0 has said `count` messages, and the lines that its room should hear.
    fn said(count: usize) -> (Ledger, Vec<Vec<u8>>) {
        let mut ledger = Ledger::open(&SEATING, 64);
        let lines = (0..count).map(|_| line(&ledger.enter(0, 5).unwrap())).collect();
        (ledger, lines)
    }

    #[test]
    fn message_is_done_when_all_others_of_the_room_have_heard_it() {
        let (mut ledger, lines) = said(2);
        let both = lines.concat();
        assert_eq!(ledger.heard(1, &both, 10), both.len());
        assert_eq!((ledger.in_flight(), ledger.missing()), (2, 2));
        assert_eq!(ledger.heard(2, &both, 20), both.len());
        assert_eq!((ledger.in_flight(), ledger.missing(), ledger.violation()), (0, 0, None));
        let figures = ledger.take_figures();
        assert_eq!((figures.deliveries, figures.all_ns().percentile(1.0)), (4, Some(15)));
    }

    #[test]
    fn unfinished_line_is_left_for_later() {
        let (mut ledger, lines) = said(1);
        for end in 0..lines[0].len() {
            assert_eq!(ledger.heard(1, &lines[0][..end], 10), 0);
        }
        assert_eq!((ledger.missing(), ledger.violation()), (2, None));
    }

    #[test]
    fn servers_lines_between_deliveries_are_passed_over() {
        let (mut ledger, lines) = said(1);
        let bytes = [b"-- 3 members here\n[m00004] entered room\n".as_slice(), &lines[0], b"\n"].concat();
        assert_eq!(ledger.heard(1, &bytes, 10), bytes.len());
        assert_eq!((ledger.missing(), ledger.violation()), (1, None));
    }

    #[test]
    fn lost_message_is_a_violation() {
        let (mut ledger, lines) = said(2);
        ledger.heard(1, &lines[1], 10);
        assert!(ledger.violation().unwrap().starts_with("m00001 expected sequence 0"));
    }

    #[test]
    fn doubled_message_is_a_violation() {
        let (mut ledger, lines) = said(1);
        ledger.heard(1, &[lines[0].clone(), lines[0].clone()].concat(), 10);
        assert!(ledger.violation().unwrap().starts_with("m00001 expected sequence 1"));
    }

    #[test]
    fn messages_out_of_order_are_a_violation() {
        let (mut ledger, mut lines) = said(2);
        lines.reverse();
        ledger.heard(1, &lines.concat(), 10);
        assert!(ledger.violation().is_some());
    }

    #[test]
    fn message_in_another_room_or_back_at_its_sender_is_a_violation() {
        for receiver in [0, 3] {
            let (mut ledger, lines) = said(1);
            ledger.heard(receiver, &lines[0], 10);
            assert!(ledger.violation().unwrap().contains("not for it"));
        }
    }

    #[test]
    fn message_under_a_wrong_name_or_torn_is_a_violation() {
        let (ledger, lines) = said(1);
        drop(ledger);
        let mut renamed = lines[0].clone();
        renamed[SEATING.prefix(0).len() - 3] = b'9';
        let mut torn = lines[0].clone();
        torn.truncate(40);
        torn.push(b'\n');
        for wrong in [renamed, torn] {
            let (mut ledger, _) = said(1);
            ledger.heard(1, &wrong, 10);
            assert!(ledger.violation().unwrap().contains("nobody said"));
        }
    }

    #[test]
    fn notice_of_a_skip_is_a_violation() {
        let (mut ledger, _) = said(1);
        ledger.heard(1, b"-- 12 messages skipped\n", 10);
        assert!(ledger.violation().unwrap().contains("told of a loss"));
    }

    #[test]
    fn tenths_are_counted_by_joining_order() {
        let parts: Vec<Part> = (0..20).map(|place| part(place, 20)).collect();
        assert_eq!(&parts[..3], [Part::First, Part::First, Part::Middle]);
        assert_eq!(&parts[17..], [Part::Middle, Part::Last, Part::Last]);
    }
}
