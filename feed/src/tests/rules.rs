//! The rules of the crate's head, one by one: documentation by example.

use crate::{Bounds, Detour, Entry, Feeds, Holding, Kind, LogId, Plan, ReaderId, Release, Skipped};
use std::io::IoSlice;

const SMALL: Bounds = Bounds { lag_bytes_max: 800, feeds_bytes_max: usize::MAX };

/// Feeds, and a clock of positions.
struct Stage {
    feeds: Feeds,
    position: u64,
}

impl Stage {
    fn new(bounds: Bounds, release: Release) -> Stage {
        Stage { feeds: Feeds::new(bounds, release), position: 0 }
    }

    fn open() -> Stage {
        Stage::new(Bounds::default(), Release::AtOnce)
    }

    /// A room with so many readers.
    fn room<const COUNT: usize>(&mut self, label: u64) -> (LogId, [ReaderId; COUNT]) {
        let log = self.feeds.open_log(label, 0);
        let readers = [(); COUNT].map(|()| self.feeds.add_reader());
        for reader in readers {
            self.feeds.begin(reader, log);
        }
        (log, readers)
    }

    fn append(&mut self, logs: &[LogId], sequence: Option<u64>, kind: Kind, text: &str) {
        self.position += 1;
        for log in logs {
            let entry = Entry { position: self.position, sequence, author: Some(7), kind };
            self.feeds.append(*log, entry, text.as_bytes());
        }
    }

    /// A kept message; its sequence is its position.
    fn say(&mut self, log: LogId, text: &str) {
        self.append(&[log], Some(self.position + 1), Kind::Message, text);
    }

    /// A kept message of somebody who waits until it is durable.
    fn hold(&mut self, author: ReaderId, log: LogId) {
        self.say(log, "mine ");
        let receipt = format!("[{} is kept] ", self.position);
        self.feeds.detour(author, log, Detour::Hold(receipt.into_bytes()));
    }

    fn notice(&mut self, logs: &[LogId], text: &str) {
        self.append(logs, None, Kind::Notice, text);
    }

    /// Takes so many bytes at most of one plan.
    fn take(&mut self, reader: ReaderId, bytes_max: usize) -> String {
        if self.feeds.plan(reader) != Plan::Bytes {
            return String::new();
        }
        let mut slices = [IoSlice::new(&[]); 16];
        let count = self.feeds.slices(&mut slices);
        let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
        bytes.truncate(bytes_max);
        self.feeds.taken(bytes.len());
        String::from_utf8(bytes).unwrap()
    }

    /// All that the reader is shown.
    fn read(&mut self, reader: ReaderId) -> String {
        let mut text = String::new();
        loop {
            let more = self.take(reader, usize::MAX);
            if more.is_empty() {
                return text;
            }
            text += &more;
        }
    }

    fn due(&mut self) -> Vec<ReaderId> {
        let mut due = Vec::new();
        self.feeds.take_due(&mut due);
        due
    }

    fn skipped(&mut self, reader: ReaderId) -> Option<Skipped> {
        match self.feeds.plan(reader) {
            Plan::Jumped(skipped) => Some(skipped),
            _ => None,
        }
    }
}

// One order.

#[test]
fn everybody_is_shown_what_was_appended_once() {
    let mut stage = Stage::open();
    let (room, [ann, bob]) = stage.room(1);
    stage.say(room, "hello ");
    stage.say(room, "world ");
    assert_eq!(stage.read(ann), "hello world ");
    assert_eq!(stage.read(bob), "hello world ");
    assert_eq!(stage.feeds.plan(bob), Plan::Nothing);
}

#[test]
fn whoever_is_held_back_is_told_before_it_is_shown_what_waits() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.say(room, "1 ");
    stage.feeds.hold_back(ann, 1);
    stage.say(room, "2 ");
    stage.say(room, "3 ");
    stage.feeds.tell(ann, 2, b"(past) ");
    assert_eq!(stage.read(ann), "1 (past) ");
    // Nobody reads between these: what is told comes first all the same.
    stage.feeds.tell(ann, 3, b"(more past) ");
    stage.feeds.let_go(ann);
    stage.feeds.tell(ann, 2, b"(answer) ");
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.read(ann), "(more past) 2 (answer) 3 ");
}

#[test]
fn rooms_are_shown_in_the_order_of_the_server() {
    let mut stage = Stage::open();
    let (lobby, [ann]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    for (room, text) in [(garden, "1 "), (lobby, "2 "), (lobby, "3 "), (garden, "4 "), (lobby, "5 ")] {
        stage.say(room, text);
    }
    assert_eq!(stage.read(ann), "1 2 3 4 5 ");
}

#[test]
fn note_stands_behind_the_entries_of_its_position() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.say(room, "1 ");
    stage.feeds.tell(ann, stage.position, b"note ");
    stage.feeds.tell(ann, stage.position, b"another ");
    stage.say(room, "2 ");
    assert_eq!(stage.read(ann), "1 note another 2 ");
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn nick_change_in_two_rooms_is_shown_once() {
    let mut stage = Stage::open();
    let (lobby, [ann, bob]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.say(garden, "before ");
    stage.notice(&[lobby, garden], "eve is now known as mallory ");
    stage.say(lobby, "behind ");
    assert_eq!(stage.read(ann), "before eve is now known as mallory behind ");
    assert_eq!(stage.read(bob), "eve is now known as mallory behind ");
}

#[test]
fn several_entries_of_one_position_are_shown_in_pairs() {
    let mut stage = Stage::open();
    let (lobby, [ann]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    for text in ["away ", "and gone "] {
        stage.notice(&[lobby, garden], text);
        stage.position -= 1;
    }
    assert_eq!(stage.read(ann), "away and gone ");
}

#[test]
fn half_written_entry_of_two_rooms_is_still_shown_once() {
    let mut stage = Stage::open();
    let (lobby, [ann]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.notice(&[lobby, garden], "mallory has quit ");
    assert_eq!(stage.take(ann, 4), "mall");
    assert_eq!(stage.read(ann), "ory has quit ");
}

// Detours.

#[test]
fn own_line_is_stepped_over() {
    let mut stage = Stage::open();
    let (room, [ann, bob]) = stage.room(1);
    stage.say(room, "1 ");
    stage.say(room, "2 ");
    stage.feeds.detour(ann, room, Detour::StepOver);
    stage.say(room, "3 ");
    assert_eq!(stage.read(ann), "1 3 ");
    assert_eq!(stage.read(bob), "1 2 3 ");
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn any_number_of_own_lines_is_stepped_over_at_once() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    for _ in 0..1_000 {
        stage.say(room, "mine ");
        stage.feeds.detour(ann, room, Detour::StepOver);
    }
    stage.say(room, "yours ");
    assert_eq!(stage.feeds.plan(ann), Plan::Bytes);
    assert_eq!(stage.read(ann), "yours ");
}

#[test]
fn detour_speaks_for_all_rooms_that_are_told_the_same() {
    for detour_is_first in [false, true] {
        let mut stage = Stage::open();
        let (lobby, [ann]) = stage.room(1);
        let (garden, []) = stage.room(2);
        stage.feeds.begin(ann, garden);
        stage.notice(&[lobby, garden], "ann is now known as anna ");
        let room = if detour_is_first { lobby } else { garden };
        stage.feeds.detour(ann, room, Detour::Hold(b"you are anna now ".to_vec()));
        assert_eq!(stage.feeds.plan(ann), Plan::Held);
        stage.feeds.durable(1);
        assert_eq!(stage.read(ann), "you are anna now ");
    }
}

#[test]
fn last_word_about_an_entry_holds() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.feeds.ignore(ann, 7);
    stage.say(room, "you are gone");
    stage.feeds.detour(ann, room, Detour::Show);
    assert_eq!(stage.read(ann), "you are gone");
}

#[test]
fn held_entry_waits_for_durable_and_keeps_everything_behind_it() {
    let mut stage = Stage::open();
    let (lobby, [ann, bob]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.say(lobby, "1 ");
    stage.say(lobby, "2 ");
    stage.feeds.detour(ann, lobby, Detour::Hold(b"[2 is kept] ".to_vec()));
    stage.say(garden, "3 ");
    stage.feeds.tell(ann, stage.position, b"note ");
    assert_eq!(stage.read(ann), "1 ");
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    assert_eq!(stage.read(bob), "1 2 ");
    stage.due();
    stage.feeds.durable(1);
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    stage.feeds.durable(2);
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.read(ann), "[2 is kept] 3 note ");
}

// Being owed.

/// A room in which ann waits for a receipt for what it said, and bob for nothing.
fn waiting(bounds: Bounds) -> (Stage, LogId, [ReaderId; 2]) {
    let mut stage = Stage::new(bounds, Release::AtOnce);
    let (room, [ann, bob]) = stage.room(1);
    stage.hold(ann, room);
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    stage.read(bob);
    stage.due();
    (stage, room, [ann, bob])
}

#[test]
fn whoever_waits_for_a_receipt_hears_the_others_while_nothing_becomes_durable() {
    let (mut stage, room, [ann, _]) = waiting(Bounds::default());
    stage.say(room, "2 ");
    assert_eq!(stage.read(ann), "");
    stage.due();
    stage.feeds.set_holding(Holding::Passes);
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.read(ann), "2 ");
    assert_eq!(stage.feeds.plan(ann), Plan::Owed);
    stage.hold(ann, room);
    stage.say(room, "4 ");
    assert_eq!(stage.read(ann), "4 ");
}

#[test]
fn what_is_owed_is_told_once_when_it_is_durable_and_not_before() {
    let (mut stage, room, [ann, _]) = waiting(Bounds::default());
    stage.feeds.set_holding(Holding::Passes);
    stage.say(room, "2 ");
    stage.hold(ann, room);
    stage.say(room, "4 ");
    assert_eq!(stage.read(ann), "2 4 ");
    stage.due();
    stage.feeds.durable(2);
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.read(ann), "[1 is kept] ");
    assert_eq!(stage.feeds.plan(ann), Plan::Owed);
    stage.say(room, "5 ");
    stage.due();
    stage.feeds.durable(5);
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.read(ann), "[3 is kept] 5 ");
    assert_eq!(stage.feeds.plan(ann), Plan::Nothing);
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn when_the_trouble_is_over_receipts_stand_in_their_place_again() {
    let (mut stage, room, [ann, _]) = waiting(Bounds::default());
    stage.feeds.set_holding(Holding::Passes);
    assert_eq!(stage.read(ann), "");
    stage.feeds.set_holding(Holding::Waits);
    stage.say(room, "2 ");
    stage.hold(ann, room);
    stage.say(room, "4 ");
    assert_eq!(stage.read(ann), "2 ");
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    stage.feeds.durable(4);
    assert_eq!(stage.read(ann), "[1 is kept] [3 is kept] 4 ");
}

#[test]
fn what_is_owed_counts_as_private_bytes() {
    let (mut stage, room, [ann, _]) = waiting(Bounds::default());
    stage.feeds.set_holding(Holding::Passes);
    let mut before = 0;
    for _ in 0..100 {
        stage.hold(ann, room);
        stage.read(ann);
        let bytes = stage.feeds.private_bytes(ann);
        assert!(bytes > before + "[2 is kept] ".len());
        before = bytes;
    }
}

#[test]
fn whoever_reads_whenever_a_quarter_of_the_bound_was_said_never_jumps_for_waiting() {
    let bounds = Bounds { lag_bytes_max: 16_000, feeds_bytes_max: usize::MAX };
    let quarter = bounds.lag_bytes_max / 4;
    for lines_between_own in [0, 1, 7, 100, 1_000_000] {
        let (mut stage, room, [ann, bob]) = waiting(bounds);
        let (mut said, mut heard) = (0, 0);
        for nth in 0..10_000 {
            if nth % (lines_between_own + 1) == 0 {
                stage.hold(ann, room);
            } else {
                stage.say(room, "x");
                said += 1;
            }
            if (nth + 1) % (quarter / (1 + crate::log::INDEX_BYTES)) == 0 {
                heard += stage.read(ann).len();
                stage.read(bob);
            }
        }
        stage.feeds.durable(stage.position);
        let rest = stage.read(ann);
        heard += rest.matches('x').count();
        assert_eq!((heard, rest.matches("kept").count()), (said, stage.position as usize - said));
    }
}

#[test]
fn what_is_said_in_another_room_is_not_missed_for_a_receipt() {
    let (mut stage, lobby, [ann, _]) = waiting(SMALL);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.hold(ann, lobby);
    let mut heard = String::new();
    for _ in 0..100 {
        stage.say(garden, "hello ");
        heard += &stage.read(ann);
    }
    assert_eq!(heard, "hello ".repeat(100));
    assert_eq!(stage.feeds.plan(ann), Plan::Owed);
}

#[test]
fn what_is_owed_outlives_its_cursor() {
    let (mut stage, room, [ann, bob]) = waiting(Bounds::default());
    stage.feeds.set_holding(Holding::Passes);
    stage.say(room, "2 ");
    stage.feeds.end_all(ann);
    stage.feeds.remove_reader(bob);
    assert_eq!(stage.read(ann), "2 ");
    assert!(!stage.feeds.reads_anything(ann));
    assert_eq!(stage.feeds.next_closed(), Some(1));
    assert_eq!(stage.feeds.plan(ann), Plan::Owed);
    stage.feeds.durable(2);
    assert_eq!(stage.read(ann), "[1 is kept] ");
    assert_eq!(stage.feeds.plan(ann), Plan::Nothing);
}

#[test]
fn last_words_come_behind_what_is_owed() {
    let (mut stage, room, [ann, _]) = waiting(SMALL);
    for _ in 0..15 {
        stage.say(room, "hello ");
    }
    assert_eq!(stage.read(ann), "hello ".repeat(15));
    stage.feeds.tell_at_last(ann, stage.position, b"bye ");
    stage.feeds.tell(ann, stage.position, b"(what was asked before) ");
    assert_eq!(stage.feeds.plan(ann), Plan::Owed);
    stage.feeds.durable(1);
    assert_eq!(stage.read(ann), "[1 is kept] bye (what was asked before) ");
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn last_words_do_not_wait_while_nothing_becomes_durable() {
    let (mut stage, room, [ann, _]) = waiting(SMALL);
    for _ in 0..15 {
        stage.say(room, "hello ");
    }
    stage.read(ann);
    stage.feeds.tell_at_last(ann, stage.position, b"bye ");
    assert_eq!(stage.feeds.plan(ann), Plan::Owed);
    stage.due();
    stage.feeds.set_holding(Holding::Passes);
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.read(ann), "bye ");
    stage.feeds.durable(1);
    assert_eq!(stage.read(ann), "[1 is kept] ");
}

#[test]
fn strict_room_shows_nothing_kept_in_trouble_either_but_notes_pass() {
    let mut stage = Stage::new(Bounds::default(), Release::WhenDurable);
    let (room, [ann, bob]) = stage.room(1);
    stage.hold(ann, room);
    stage.feeds.tell(ann, stage.position, b"answer ");
    stage.say(room, "2 ");
    stage.feeds.tell(ann, stage.position, b"another ");
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    assert_eq!(stage.feeds.plan(bob), Plan::Held);
    stage.due();
    stage.feeds.set_holding(Holding::Passes);
    assert_eq!(stage.due(), [ann, bob]);
    assert_eq!(stage.read(ann), "answer another ");
    for reader in [ann, bob] {
        assert_eq!(stage.feeds.plan(reader), Plan::Owed);
    }
    stage.feeds.durable(2);
    assert_eq!(stage.read(ann), "[1 is kept] 2 ");
    assert_eq!(stage.read(bob), "mine 2 ");
}

#[test]
fn reader_that_was_served_up_to_a_hold_is_due_when_it_is_durable() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.say(room, "1 ");
    stage.say(room, "2 ");
    stage.feeds.detour(ann, room, Detour::Hold(b"[2 is kept] ".to_vec()));
    stage.due();
    assert_eq!(stage.take(ann, usize::MAX), "1 ");
    stage.feeds.durable(2);
    assert_eq!(stage.due(), [ann]);
}

#[test]
fn strict_room_shows_nothing_kept_before_it_is_durable() {
    let mut stage = Stage::new(Bounds::default(), Release::WhenDurable);
    let (room, [ann]) = stage.room(1);
    stage.notice(&[room], "arrival ");
    stage.say(room, "kept ");
    stage.notice(&[room], "departure ");
    assert_eq!(stage.read(ann), "arrival ");
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    stage.feeds.durable(2);
    assert_eq!(stage.read(ann), "kept departure ");
}

#[test]
fn ignored_author_is_heard_again_from_then_on() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.feeds.ignore(ann, 7);
    stage.say(room, "1 ");
    stage.notice(&[room], "7 waves ");
    stage.feeds.hear(ann, 7);
    stage.say(room, "2 ");
    assert_eq!(stage.read(ann), "7 waves 2 ");
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn ignoring_holds_in_rooms_that_are_entered_later() {
    let mut stage = Stage::open();
    let (_, [ann]) = stage.room::<1>(1);
    stage.feeds.ignore(ann, 7);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.say(garden, "ignored ");
    assert_eq!(stage.read(ann), "");
}

#[test]
fn newcomer_has_no_say_about_an_entry_in_front_of_it() {
    let mut stage = Stage::open();
    let (room, [_bob]) = stage.room(1);
    stage.say(room, "before ");
    let ann = stage.feeds.add_reader();
    stage.feeds.begin(ann, room);
    stage.feeds.detour(ann, room, Detour::Show);
    assert_eq!(stage.read(ann), "");
}

// A beginning and an end.

#[test]
fn cursor_reads_from_its_beginning_to_its_end_inclusive() {
    let mut stage = Stage::open();
    let (room, [_ann]) = stage.room(1);
    let bob = stage.feeds.add_reader();
    stage.say(room, "before ");
    stage.feeds.begin(bob, room);
    stage.say(room, "within ");
    stage.notice(&[room], "bob left ");
    stage.feeds.end(bob, room);
    stage.say(room, "behind ");
    assert!(!stage.feeds.is_reading(bob, room));
    assert_eq!(stage.read(bob), "within bob left ");
}

#[test]
fn beginning_twice_is_beginning_once() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.feeds.begin(ann, room);
    stage.say(room, "hello ");
    assert_eq!(stage.read(ann), "hello ");
    stage.feeds.end(ann, room);
    assert_eq!(stage.feeds.next_closed(), Some(1));
}

#[test]
fn reader_comes_back_before_it_has_read_that_it_left() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.say(room, "ann left ");
    stage.feeds.end(ann, room);
    stage.say(room, "unheard ");
    stage.feeds.begin(ann, room);
    stage.say(room, "ann is back ");
    assert_eq!(stage.read(ann), "ann left ann is back ");
}

#[test]
fn log_is_closed_once_when_its_last_cursor_has_been_read_to_its_end() {
    let mut stage = Stage::open();
    let (room, [ann, bob]) = stage.room(4);
    stage.say(room, "bye ");
    stage.feeds.end_all(ann);
    stage.feeds.remove_reader(bob);
    assert_eq!(stage.feeds.next_closed(), None);
    assert_eq!(stage.read(ann), "bye ");
    assert_eq!(stage.feeds.next_closed(), Some(4));
    assert_eq!(stage.feeds.next_closed(), None);
    assert_eq!(stage.feeds.kept_bytes(), 0);
}

#[test]
fn log_that_is_deserted_and_entered_again_is_open() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.feeds.end(ann, room);
    stage.feeds.begin(ann, room);
    assert_eq!(stage.feeds.next_closed(), None);
    stage.feeds.end(ann, room);
    stage.feeds.begin(ann, room);
    stage.feeds.end(ann, room);
    assert_eq!(stage.feeds.next_closed(), Some(1));
    let unentered = stage.feeds.open_log(2, 0);
    assert_eq!(stage.feeds.next_closed(), None);
    stage.feeds.begin(ann, unentered);
    assert!(stage.feeds.is_reading(ann, unentered));
}

#[test]
fn cursor_that_takes_a_removed_ones_place_is_still_found() {
    let mut stage = Stage::open();
    let (room, [ann, _bob, eve]) = stage.room(1);
    stage.feeds.remove_reader(ann);
    stage.say(room, "mine ");
    stage.feeds.detour(eve, room, Detour::StepOver);
    stage.say(room, "yours ");
    assert_eq!(stage.read(eve), "yours ");
}

// The lag bound.

#[test]
fn smaller_bound_holds_for_those_who_are_here_from_the_next_entry_on() {
    let mut stage = Stage::open();
    let (room, [ann, bob]) = stage.room(9);
    for _ in 0..1000 {
        stage.say(room, "before ");
    }
    assert_eq!(stage.read(bob).len(), 7000);
    stage.feeds.set_bounds(SMALL);
    assert_eq!(stage.skipped(ann), None, "nothing was appended since");
    for _ in 0..1000 {
        stage.say(room, "after ");
    }
    assert!(stage.feeds.kept_bytes() <= SMALL.lag_bytes_max);
    let skipped = stage.skipped(ann).expect("ann lags by more than the new bound");
    assert_eq!(skipped.from, 1);
    let shown = stage.read(ann);
    assert_eq!(skipped.messages as usize + shown.len() / "after ".len(), 2000);
}

#[test]
fn skip_counts_exactly() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann, bob]) = stage.room(9);
    stage.say(room, "seen ");
    assert_eq!(stage.read(ann), "seen ");
    for nth in 0..100 {
        stage.say(room, "missed ");
        match nth % 10 {
            0 => stage.feeds.detour(ann, room, Detour::StepOver),
            1 => stage.feeds.detour(ann, room, Detour::Show),
            _ => {}
        }
        stage.notice(&[room], "arrival ");
    }
    let (from, to) = (2, stage.position - 1);
    let (entries, messages, position) = (180, 80, stage.position);
    let expected = Skipped { label: 9, entries, messages, from, to, behind: 1, position };
    assert_eq!(stage.skipped(ann), Some(expected));
    assert_eq!(stage.skipped(bob).map(|skipped| skipped.messages), Some(101));
    assert_eq!(stage.read(ann), "missed ".repeat(10));
}

#[test]
fn skip_of_a_cursor_with_an_end_counts_up_to_its_end() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann, _bob]) = stage.room(1);
    for _ in 0..5 {
        stage.say(room, "missed ");
    }
    stage.notice(&[room], "ann left ");
    stage.feeds.detour(ann, room, Detour::Show);
    stage.feeds.end(ann, room);
    for _ in 0..100 {
        stage.say(room, "none of its business ");
    }
    let expected = Skipped { label: 1, entries: 5, messages: 5, from: 1, to: 5, behind: 0, position: 6 };
    assert_eq!(stage.skipped(ann), Some(expected));
    assert_eq!(stage.read(ann), "ann left ");
}

#[test]
fn skip_begins_at_the_rooms_sequence_and_is_empty_without_kept_facts() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let room = stage.feeds.open_log(1, 40);
    let ann = stage.feeds.add_reader();
    stage.feeds.begin(ann, room);
    for _ in 0..100 {
        stage.notice(&[room], "arrival ");
    }
    let skipped = stage.skipped(ann).unwrap();
    assert_eq!((skipped.messages, skipped.from, skipped.to), (0, 41, 40));
}

#[test]
fn who_lags_by_its_own_lines_alone_has_missed_nothing() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann, bob]) = stage.room(1);
    for nth in 0..100 {
        stage.say(room, "mine ");
        stage.feeds.detour(
            ann,
            room,
            if nth % 2 == 0 { Detour::StepOver } else { Detour::Hold(b"[kept] ".to_vec()) },
        );
    }
    stage.feeds.durable(stage.position);
    assert_eq!(stage.skipped(ann).map(|skipped| (skipped.entries, skipped.messages)), Some((0, 0)));
    assert_eq!(stage.read(ann), "[kept] ".repeat(50));
    assert_eq!(stage.skipped(bob).map(|skipped| (skipped.entries, skipped.messages)), Some((100, 100)));
}

#[test]
fn skip_does_not_begin_before_the_room_was_entered_again() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann]) = stage.room(1);
    stage.say(room, "unread ");
    stage.feeds.end(ann, room);
    // Nobody else is here, so that nobody is told what is said until ann is back.
    stage.position = 50;
    stage.feeds.went_on(room, 50);
    stage.feeds.begin(ann, room);
    for _ in 0..100 {
        stage.say(room, "missed ");
    }
    let expected = Skipped { label: 1, entries: 1, messages: 1, from: 1, to: 1, behind: 0, position: 1 };
    assert_eq!(stage.skipped(ann), Some(expected));
    let skipped = stage.skipped(ann).map(|skipped| (skipped.messages, skipped.from, skipped.to));
    assert_eq!(skipped, Some((100, 51, 150)));
}

#[test]
fn jump_ends_where_what_is_durable_ends() {
    let mut stage = Stage::new(SMALL, Release::WhenDurable);
    let (room, [ann]) = stage.room(1);
    for _ in 0..100 {
        stage.say(room, "missed ");
    }
    stage.feeds.durable(100);
    stage.say(room, "kept ");
    assert_eq!(stage.skipped(ann).map(|skipped| (skipped.messages, skipped.to)), Some((100, 100)));
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    stage.feeds.durable(101);
    assert_eq!(stage.read(ann), "kept ");
}

#[test]
fn what_a_lost_reader_may_read_later_is_kept() {
    let mut stage = Stage::new(SMALL, Release::WhenDurable);
    let (room, [ann]) = stage.room(1);
    for _ in 0..99 {
        stage.say(room, "missed ");
        stage.feeds.durable(stage.position);
    }
    stage.say(room, "kept ");
    stage.feeds.settle();
    assert_eq!(stage.skipped(ann).map(|skipped| skipped.to), Some(99));
    stage.feeds.durable(100);
    assert_eq!(stage.read(ann), "kept ");
}

#[test]
fn what_concerns_the_reader_is_never_skipped() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann]) = stage.room(1);
    stage.notice(&[room], "ann has the floor ");
    stage.feeds.detour(ann, room, Detour::Show);
    stage.say(room, "mine ");
    stage.feeds.detour(ann, room, Detour::Hold(b"[mine is kept] ".to_vec()));
    for _ in 0..100 {
        stage.say(room, "missed ");
    }
    let skipped = stage.skipped(ann).unwrap();
    assert_eq!(skipped.messages, 100);
    stage.feeds.tell(ann, skipped.behind, b"(100 skipped) ");
    assert_eq!(stage.read(ann), "ann has the floor ");
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    stage.feeds.durable(2);
    assert_eq!(stage.read(ann), "[mine is kept] (100 skipped) ");
}

#[test]
fn note_about_a_skip_stands_in_front_of_what_is_shown_of_it() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann]) = stage.room(1);
    stage.notice(&[room], "ann joined ");
    stage.feeds.detour(ann, room, Detour::Show);
    stage.say(room, "missed ");
    stage.say(room, "mine ");
    stage.feeds.detour(ann, room, Detour::Show);
    for _ in 0..100 {
        stage.say(room, "missed ");
    }
    let skipped = stage.skipped(ann).unwrap();
    assert_eq!((skipped.messages, skipped.behind), (101, 1));
    stage.feeds.tell(ann, skipped.behind, b"(101 skipped) ");
    assert_eq!(stage.read(ann), "ann joined (101 skipped) mine ");
}

#[test]
fn half_written_entry_survives_a_trim() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann]) = stage.room(1);
    stage.say(room, "a long story ");
    stage.say(room, "missed ");
    assert_eq!(stage.take(ann, 6), "a long");
    for _ in 0..100 {
        stage.say(room, "missed ");
    }
    let skipped = stage.skipped(ann).unwrap();
    assert_eq!((skipped.messages, skipped.from, skipped.behind), (101, 2, 1));
    stage.feeds.tell(ann, skipped.behind, b"(101 skipped) ");
    stage.say(room, "again ");
    assert_eq!(stage.read(ann), " story (101 skipped) again ");
}

#[test]
fn stalled_reader_costs_bounded_memory() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann, bob]) = stage.room(1);
    stage.feeds.ignore(ann, 7);
    for _ in 0..10_000 {
        stage.say(room, "ignored ");
        assert_eq!(stage.read(bob), "ignored ");
        stage.feeds.settle();
        assert!(stage.feeds.kept_bytes() <= SMALL.lag_bytes_max);
        assert!(stage.feeds.private_bytes(ann) <= 100 * SMALL.lag_bytes_max / "ignored ".len());
    }
    assert_eq!(stage.skipped(ann).map(|skipped| skipped.messages), Some(0));
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn strict_room_that_nobody_reads_remembers_only_what_is_not_durable() {
    let mut stage = Stage::new(SMALL, Release::WhenDurable);
    let (room, [_ann]) = stage.room(1);
    for _ in 0..1_000 {
        stage.say(room, "kept ");
        stage.feeds.durable(stage.position);
    }
    assert!(stage.feeds.logs.get(room.0).is_some_and(|log| log.undurable_count() <= 1));
}

#[test]
fn what_only_lost_readers_could_read_is_not_kept() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [_stalled, bob]) = stage.room(1);
    for _ in 0..100 {
        stage.say(room, "hello ");
    }
    let _ = stage.skipped(bob);
    stage.feeds.settle();
    assert_eq!(stage.feeds.kept_bytes(), 0);
}

#[test]
fn log_that_a_late_reader_has_read_keeps_nothing() {
    let mut stage = Stage::open();
    let (room, [ann, bob]) = stage.room(1);
    stage.say(room, "hello ");
    stage.due();
    assert_eq!(stage.read(ann), "hello ");
    stage.feeds.settle();
    assert!(stage.feeds.kept_bytes() > 0);
    assert_eq!(stage.read(bob), "hello ");
    stage.feeds.settle();
    assert_eq!(stage.feeds.kept_bytes(), 0);
}

#[test]
fn log_whose_late_reader_has_gone_keeps_nothing() {
    let mut stage = Stage::open();
    let (room, [ann, bob]) = stage.room(1);
    stage.say(room, "hello ");
    stage.due();
    assert_eq!(stage.read(ann), "hello ");
    stage.feeds.settle();
    stage.feeds.remove_reader(bob);
    stage.feeds.settle();
    assert_eq!(stage.feeds.kept_bytes(), 0);
}

#[test]
fn all_logs_together_are_bounded() {
    let bounds = Bounds { lag_bytes_max: 8_000, feeds_bytes_max: 10_000 };
    let mut stage = Stage::new(bounds, Release::AtOnce);
    let rooms: Vec<LogId> = (0..10).map(|label| stage.room::<1>(label).0).collect();
    for nth in 0..10_000 {
        stage.say(rooms[nth % rooms.len()], "hello ");
        let last_segments = rooms.len() * bounds.lag_bytes_max / 8;
        assert!(stage.feeds.kept_bytes() <= bounds.feeds_bytes_max + last_segments);
    }
}

#[test]
fn entry_that_is_larger_than_the_bound_is_still_shown() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann]) = stage.room(1);
    let story = "story ".repeat(1_000);
    stage.say(room, &story);
    assert_eq!(stage.read(ann), story);
}

// Whole entries.

#[test]
fn any_number_of_bytes_may_be_taken_at_once() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    for text in ["one ", "two ", "three "] {
        stage.say(room, text);
        stage.feeds.tell(ann, stage.position, b"(note) ");
    }
    let mut shown = String::new();
    for bytes_max in (1..6).cycle() {
        let more = stage.take(ann, bytes_max);
        if more.is_empty() {
            break;
        }
        shown += &more;
    }
    assert_eq!(shown, "one (note) two (note) three (note) ");
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn plan_of_which_nothing_was_taken_is_made_again() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.say(room, "hello ");
    assert_eq!(stage.feeds.plan(ann), Plan::Bytes);
    stage.feeds.taken(0);
    assert_eq!(stage.read(ann), "hello ");
}

// Being due.

#[test]
fn everybody_with_something_new_is_due_once() {
    let mut stage = Stage::open();
    let (lobby, [ann, bob]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.say(lobby, "hello ");
    stage.say(garden, "hello ");
    stage.feeds.mark_due(ann);
    let mut due = stage.due();
    due.sort();
    assert_eq!(due, [ann, bob]);
    assert_eq!(stage.due(), []);
}

#[test]
fn reader_that_was_due_while_it_was_blocked_can_be_due_again() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.say(room, "hello ");
    assert_eq!(stage.due(), [ann]);
    stage.feeds.mark_due(ann);
    assert_eq!(stage.due(), [ann]);
    stage.say(room, "world ");
    assert_eq!(stage.due(), [ann]);
}

#[test]
fn rotation_serves_nobody_always_last() {
    fn counts<const COUNT: usize>() {
        let mut stage = Stage::open();
        let (room, readers) = stage.room::<COUNT>(1);
        let mut was_last = [0; COUNT];
        for _ in 0..100 * COUNT {
            stage.say(room, "hello ");
            let last = stage.due().pop();
            let last = readers.iter().position(|reader| Some(*reader) == last).unwrap();
            was_last[last] += 1;
        }
        assert!(was_last.iter().all(|count| (90..=110).contains(count)), "{was_last:?}");
    }
    counts::<2>();
    counts::<3>();
    counts::<6>();
    counts::<100>();
}

#[test]
fn reader_that_has_gone_is_nobodys_business() {
    let mut stage = Stage::open();
    let (room, [ann, bob]) = stage.room(1);
    stage.say(room, "hello ");
    stage.feeds.tell(ann, stage.position, b"note ");
    stage.feeds.remove_reader(ann);
    assert_eq!(stage.due(), [bob]);
    assert_eq!(stage.feeds.plan(ann), Plan::Nothing);
    stage.feeds.taken(10);
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}

#[test]
fn cursor_at_rest_is_small() {
    assert!(size_of::<crate::Cursor>() <= 40);
    assert!(size_of::<crate::Reader>() <= 48);
}

// The gate.

/// A reader of two rooms who is held back behind `1 `, with `2 ` and `3 ` waiting.
fn held_back() -> (Stage, [LogId; 2], ReaderId) {
    let mut stage = Stage::open();
    let (lobby, [ann]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.say(lobby, "1 ");
    stage.feeds.hold_back(ann, stage.position);
    stage.say(garden, "2 ");
    stage.say(lobby, "3 ");
    (stage, [lobby, garden], ann)
}

#[test]
fn entries_behind_the_gate_wait_in_all_rooms() {
    let (mut stage, _, ann) = held_back();
    assert_eq!(stage.read(ann), "1 ");
    assert_eq!(stage.feeds.plan(ann), Plan::Nothing);
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "2 3 ");
}

#[test]
fn nobody_else_is_held_back() {
    let (mut stage, [lobby, _], _) = held_back();
    let bob = stage.feeds.add_reader();
    stage.feeds.begin(bob, lobby);
    stage.say(lobby, "4 ");
    assert_eq!(stage.read(bob), "4 ");
}

#[test]
fn notes_pass_the_gate() {
    let (mut stage, [lobby, _], ann) = held_back();
    stage.feeds.tell(ann, stage.position, b"answer ");
    stage.say(lobby, "4 ");
    assert_eq!(stage.read(ann), "1 answer ");
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "2 3 4 ");
}

#[test]
fn note_of_somebody_held_back_comes_before_what_waits_even_if_nothing_was_taken_before_it_is_let_go() {
    let (mut stage, _, ann) = held_back();
    stage.feeds.tell(ann, stage.position, b"the past ");
    stage.feeds.let_go(ann);
    stage.feeds.tell(ann, stage.position, b"the present ");
    assert_eq!(stage.read(ann), "1 the past 2 3 the present ");
}

#[test]
fn who_is_held_back_twice_stays_at_the_first_gate() {
    let (mut stage, [lobby, _], ann) = held_back();
    stage.feeds.hold_back(ann, stage.position);
    stage.say(lobby, "4 ");
    assert_eq!(stage.read(ann), "1 ");
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "2 3 4 ");
}

#[test]
fn note_that_waited_behind_an_entry_is_due_when_that_is_behind_the_gate() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.say(room, "mine ");
    stage.feeds.detour(ann, room, Detour::Hold(b"[mine is kept] ".to_vec()));
    stage.feeds.tell(ann, stage.position, b"note ");
    stage.due();
    assert_eq!(stage.feeds.plan(ann), Plan::Held);
    stage.feeds.hold_back(ann, 0);
    assert_eq!(stage.due(), [ann]);
    assert_eq!(stage.read(ann), "note ");
}

#[test]
fn gate_in_front_of_what_is_told_to_several_rooms_lets_it_be_shown_once() {
    let mut stage = Stage::open();
    let (lobby, [ann]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.feeds.hold_back(ann, stage.position);
    stage.notice(&[lobby, garden], "eve is now known as mallory ");
    stage.feeds.tell(ann, 0, b"note ");
    assert_eq!(stage.read(ann), "note ");
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "eve is now known as mallory ");
}

#[test]
fn gate_at_a_position_in_several_rooms_shows_it_once() {
    let mut stage = Stage::open();
    let (lobby, [ann]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    stage.notice(&[lobby, garden], "eve is now known as mallory ");
    stage.feeds.hold_back(ann, stage.position);
    stage.notice(&[lobby, garden], "and quits ");
    assert_eq!(stage.read(ann), "eve is now known as mallory ");
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "and quits ");
}

#[test]
fn more_than_a_plan_holds_is_shown_up_to_the_gate() {
    let mut stage = Stage::open();
    let (lobby, [ann]) = stage.room(1);
    let (garden, []) = stage.room(2);
    stage.feeds.begin(ann, garden);
    for nth in 0..20 {
        stage.say([lobby, garden][nth % 2], "seen ");
    }
    stage.feeds.hold_back(ann, stage.position);
    for nth in 0..20 {
        stage.say([lobby, garden][nth % 2], "waiting ");
    }
    assert_eq!(stage.read(ann), "seen ".repeat(20));
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "waiting ".repeat(20));
}

#[test]
fn who_is_let_go_is_due() {
    let (mut stage, _, ann) = held_back();
    stage.due();
    assert_eq!(stage.read(ann), "1 ");
    assert_eq!(stage.due(), []);
    stage.feeds.let_go(ann);
    assert_eq!(stage.due(), [ann]);
    stage.feeds.let_go(ann);
    assert_eq!(stage.due(), []);
}

#[test]
fn who_lags_while_held_back_skips() {
    let mut stage = Stage::new(SMALL, Release::AtOnce);
    let (room, [ann]) = stage.room(1);
    stage.feeds.hold_back(ann, stage.position);
    stage.say(room, "mine ");
    stage.feeds.detour(ann, room, Detour::Show);
    for _ in 0..100 {
        stage.say(room, "missed ");
    }
    let skipped = stage.skipped(ann).expect("ann lags");
    assert_eq!((skipped.messages, skipped.from, skipped.to), (100, 1, 101));
    stage.feeds.tell(ann, skipped.behind, b"(100 skipped) ");
    stage.say(room, "again ");
    assert_eq!(stage.read(ann), "(100 skipped) ");
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "mine again ");
}

#[test]
fn what_is_held_until_it_is_durable_waits_for_the_gate_too() {
    let mut stage = Stage::open();
    let (room, [ann]) = stage.room(1);
    stage.feeds.hold_back(ann, stage.position);
    stage.say(room, "mine ");
    stage.feeds.detour(ann, room, Detour::Hold(b"[mine is kept] ".to_vec()));
    assert_eq!(stage.feeds.plan(ann), Plan::Nothing);
    stage.feeds.durable(stage.position);
    assert_eq!(stage.read(ann), "");
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "[mine is kept] ");
}

#[test]
fn cursor_that_ended_behind_the_gate_is_read_to_its_end() {
    let (mut stage, [lobby, garden], ann) = held_back();
    stage.feeds.end_all(ann);
    stage.say(lobby, "behind ");
    assert_eq!(stage.read(ann), "1 ");
    assert_eq!(stage.feeds.next_closed(), None);
    stage.feeds.let_go(ann);
    assert_eq!(stage.read(ann), "2 3 ");
    assert!(!stage.feeds.is_reading(ann, lobby) && !stage.feeds.is_reading(ann, garden));
    assert_eq!(stage.feeds.next_closed().into_iter().chain(stage.feeds.next_closed()).sum::<u64>(), 3);
    assert_eq!(stage.feeds.private_bytes(ann), 0);
}
