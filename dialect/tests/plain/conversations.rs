//! Conversations in files: what people do, and all that comes of it.
//!
//! Besides what ann types (`tests/shared/conversation.rs`), a line is one of
//!
//! ```text
//! ann connects
//! ann types x 5000 times
//! ann ends                     (nothing more will come from her)
//! ann misses 412 in 1          (a room's number, or inbox)
//! 50 ms pass
//! server is about to stop      (and stops with `server stops`)
//! server stops
//! style tagged                 (or bare; before anybody connects)
//! 10 lines a second             (are possible from here on)
//! it is 2026-11-20T18:05:00Z    (before anybody connects)
//! history is kept               (before anybody connects)
//! history is slow               (and answers with `history answers`)
//! history answers
//! ann changes 3 in 1 to text    (the third fact of a room, of which the number is 1)
//! ann erases 3 in 1
//! disk is full                  (and well again with `disk is well`)
//! ```
//!
//! or follows from those: `ann= ` what the session asks the hub for, `ann< ` private words, `ann| ` what ann reads of her
//! rooms, `ann^ ` what her filter makes of both (escaped), `ann! ` what becomes of the connection.

use crate::conversation::{all_go_as_written, follows, number, sent, unescaped};
use crate::world::{History, World};
use dialect::SkippedPlace;
use dialect::plain::Style;
use hub::{RoomNumber, Time, Trouble};
use std::fmt::Write as _;

/// What stands behind a name in a line that comes of what is done.
const FOLLOWING: &[char] = &['=', '<', '|', '^', '!'];

#[test]
fn conversations_go_as_written() {
    all_go_as_written("tests/conversations", play);
}

fn play(written: &str) -> String {
    let mut world = World::new();
    for line in written.lines().filter(|line| !follows(line, FOLLOWING)) {
        writeln!(world.transcript, "{line}").expect("a string takes everything");
        if !line.is_empty() && !line.starts_with('#') {
            act(&mut world, line);
        }
    }
    world.transcript
}

fn act(world: &mut World, line: &str) {
    if let Some((name, bytes)) = sent(line) {
        return world.send(find(world, name), &bytes);
    }
    if let Some((what, text)) = line.split_once(" to ")
        && let [name, "changes", target, "in", room] = what.split(' ').collect::<Vec<_>>()[..]
    {
        let index = find(world, name);
        return world.edit(index, number(room) as u32, number(target), text);
    }
    match line.split(' ').collect::<Vec<_>>()[..] {
        [name, "connects"] => {
            world.connect(name);
        }
        [name, "ends"] => {
            let index = find(world, name);
            world.end(index);
        }
        [name, "types", text, count, "times"] => {
            let index = find(world, name);
            let mut bytes = unescaped(text).repeat(number(count) as usize);
            bytes.push(b'\n');
            world.send(index, &bytes);
        }
        [name, "misses", count, "in", "inbox"] => {
            let index = find(world, name);
            world.miss(index, number(count), SkippedPlace::Inbox);
        }
        [name, "misses", count, "in", room] => {
            let index = find(world, name);
            world.miss(index, number(count), SkippedPlace::Room(RoomNumber(number(room) as u32)));
        }
        [ms, "ms", "pass"] => world.pass(number(ms)),
        ["server", "is", "about", "to", "stop"] => world.last_call(),
        ["server", "stops"] => world.stop(),
        ["it", "is", moment] => {
            let timestamp: jiff::Timestamp = moment.parse().expect("a moment");
            world.now = Time(timestamp.as_millisecond() as u64);
        }
        ["history", "is", "kept"] => world.keep_history(),
        ["history", "is", "slow"] => world.answer(History::WhenAsked),
        ["history", "answers"] => world.answer(History::AtOnce),
        [name, "erases", target, "in", room] => {
            let index = find(world, name);
            world.redact(index, number(room) as u32, number(target));
        }
        ["disk", "is", "full"] => world.journal_is(Some(Trouble::Full)),
        ["disk", "is", "well"] => world.journal_is(None),
        ["style", "tagged"] => world.setup.plain_style = Style::Tagged,
        ["style", "bare"] => world.setup.plain_style = Style::Bare,
        [count, "lines", "a", "second"] => world.setup.lines_per_second.local = number(count) as u32,
        _ => panic!("nobody knows how to do this: {line}"),
    }
}

fn find(world: &World, name: &str) -> usize {
    let found = world.people.iter().rposition(|person| person.name == name);
    found.unwrap_or_else(|| panic!("{name} has not connected"))
}
