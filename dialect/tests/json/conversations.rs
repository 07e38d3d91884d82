//! Conversations in files: what clients send, and all that they read.
//!
//! Besides what ann sends (`tests/shared/conversation.rs`), a line is one of
//!
//! ```text
//! ann connects
//! ann ends                     (nothing more will come from her)
//! ann goes                     (her connection breaks)
//! ann stops reading            (and goes on with `ann reads again`)
//! journal stops                (nothing becomes durable, until `journal goes on`)
//! disk is full                 (until `disk has room`)
//! pages wait                   (nothing is read of the past, until `pages come`)
//! all up to 4 is forgotten
//! 50 ms pass
//! server is about to stop      (and stops with `server stops`)
//! server stops
//! 10 lines a second            (are possible from here on)
//! ```
//!
//! or follows from those: `ann< ` what ann reads, `ann! ` what becomes of her connection.

use crate::conversation::{self, all_go_as_written, number, sent};
use crate::world::World;
use hub::{Sequence, Trouble};
use std::fmt::Write as _;

#[test]
fn conversations_go_as_written() {
    all_go_as_written("tests/json/conversations", play);
}

/// Plays what is done, and returns it with all that comes of it.
fn play(written: &str) -> String {
    let mut world = World::new();
    for line in written.lines().filter(|line| !follows(line)) {
        writeln!(world.transcript, "{line}").expect("a string takes everything");
        if !line.is_empty() && !line.starts_with('#') {
            act(&mut world, line);
        }
    }
    world.transcript
}

/// Whether a line is not done, but comes of what is done.
pub(crate) fn follows(line: &str) -> bool {
    conversation::follows(line, &['<', '!'])
}

pub(crate) fn act(world: &mut World, line: &str) {
    if let Some((name, bytes)) = sent(line) {
        return world.send(find(world, name), &bytes);
    }
    match line.split(' ').collect::<Vec<_>>()[..] {
        [name, "connects"] => {
            world.connect(name);
        }
        [name, "ends"] => {
            let index = find(world, name);
            world.end(index);
        }
        [name, "goes"] => {
            let index = find(world, name);
            world.cut(index);
        }
        [name, "stops", "reading"] => {
            let index = find(world, name);
            world.stop_reading(index);
        }
        [name, "reads", "again"] => {
            let index = find(world, name);
            world.read_on(index);
        }
        ["journal", "stops"] => world.set_journal_working(false),
        ["journal", "goes", "on"] => world.set_journal_working(true),
        ["disk", "is", "full"] => world.journal_fails(Some(Trouble::Full)),
        ["disk", "has", "room"] => world.journal_fails(None),
        ["pages", "wait"] => world.set_pages_coming(false),
        ["pages", "come"] => world.set_pages_coming(true),
        ["all", "up", "to", sequence, "is", "forgotten"] => {
            world.history.forgotten = Sequence(number(sequence));
        }
        [ms, "ms", "pass"] => world.pass(number(ms)),
        ["server", "is", "about", "to", "stop"] => world.last_call(),
        ["server", "stops"] => world.stop(),
        [count, "lines", "a", "second"] => world.set_lines_per_second(number(count) as u32),
        _ => panic!("nobody knows how to do this: {line}"),
    }
}

fn find(world: &World, name: &str) -> usize {
    let found = world.clients.iter().rposition(|client| client.name == name);
    found.unwrap_or_else(|| panic!("{name} has not connected"))
}
