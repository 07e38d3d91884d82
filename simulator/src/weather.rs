//! What a world is like: how big, how narrow its bounds, how bad its network and its store. All of it drawn from the seed.
//!
//! What this file must never do: draw from anything but the generator that it is given.

use engine::{Bounds, Limits, Release};
use fastrand::Rng;
use hub::{Keeping, RoomName, Settings};

/// What a world is like.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    pub(crate) mood: Mood,
    pub(crate) shards: u8,
    pub(crate) people: usize,
    /// How many rooms people know, the home room among them.
    pub(crate) rooms: usize,
    pub(crate) steps: u64,
    pub(crate) release: Release,
    pub(crate) limits: Limits,
    pub(crate) settings: Settings,
    /// Whether the lag bound is so wide that nobody ever jumps.
    pub(crate) never_lags: bool,
    /// Texts are padded by up to so many characters.
    pub(crate) padding_max: usize,
    /// How many lines somebody types at once, at most.
    pub(crate) lines_max: usize,
    /// What a socket takes before its peer reads, at most.
    pub(crate) socket_bytes_max: usize,
    /// Out of a thousand things that people do, how many are not to say something.
    pub(crate) restlessness: u32,
    /// Chances in a thousand steps.
    pub(crate) stalls: u32,
    pub(crate) resets: u32,
    /// Chances in a thousand times that somebody types, that its session is made to panic.
    pub(crate) panics: u32,
    /// How many lines a second plain sessions may send.
    pub(crate) lines_per_second: u32,
    /// Chances in a million steps.
    pub(crate) crashes: u32,
    /// Out of a hundred people, how many have a client that comes back as the same one.
    pub(crate) clients: u32,
    /// Out of a hundred of those, how many share it with somebody.
    pub(crate) sharing: u32,
    /// How many lines of the past people at netcat are shown.
    pub(crate) replay_lines: u32,
    /// Out of a hundred questions about the past, how many cannot be answered.
    pub(crate) unreadable: u32,
    /// Out of a hundred chances to answer such a question, how many are taken.
    pub(crate) recall: u32,
    /// Chances in a million steps that the process stops in an orderly way and begins again.
    pub(crate) stops: u32,
    /// Out of a hundred commits, how many fail at first.
    pub(crate) failures: u32,
    /// Out of a hundred chances to write or to begin a batch, how many are taken.
    pub(crate) diligence: u32,
}

/// What people do, by and large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    /// A bit of everything.
    Usual,
    /// A few people say more than is reserved between two commits.
    Talking,
    /// They open more rooms than that.
    Opening,
    /// They do more that is never written down.
    Passing,
}

/// Names of rooms, the home room first.
pub(crate) const ROOMS: [&str; 4] = ["lobby", "dev", "Ops", "x"];

impl Weather {
    /// Panics, haste and what is remembered are drawn from generators of their own, so that worlds without any are what they
    /// were before there were any.
    pub(crate) fn draw(random: &mut Rng, sabotage: &mut Rng, haste: &mut Rng, memory: &mut Rng) -> Weather {
        let mood = match random.u32(..100) {
            0..3 => Mood::Talking,
            3..6 => Mood::Opening,
            6..9 => Mood::Passing,
            _ => Mood::Usual,
        };
        let is_torrent = mood != Mood::Usual;
        let people = match random.u32(..100) {
            _ if is_torrent => random.usize(2..6),
            0..50 => random.usize(2..8),
            50..90 => random.usize(8..40),
            90..98 => random.usize(40..150),
            _ => random.usize(500..3000),
        };
        // Each event is shown to everybody: the work is about the same for few and for many.
        let steps = match people {
            _ if is_torrent => random.u64(300..1500),
            0..40 => random.u64(1000..5000),
            40..150 => random.u64(1500..4000),
            _ => people as u64 * 2,
        };
        let never_lags = random.u32(..100) < 45;
        let lag_bytes_max = if never_lags { 1 << 26 } else { pick(random, &[1, 40_000, 70_000, 200_000]) };
        let feeds_bytes_max =
            if never_lags { 1 << 30 } else { pick(random, &[1, 100_000, 1 << 28, 1 << 28]) };
        let limits = Limits {
            feeds: Bounds { lag_bytes_max, feeds_bytes_max },
            private_bytes_max: if is_torrent { 1 << 20 } else { pick(random, &[300, 4000, 64 * 1024]) },
            requests_max: if is_torrent { 16 * 1024 } else { pick(random, &[1, 5, 50, 16 * 1024]) },
            filter_bytes_max: pick(random, &[20, 300, 4000, 16 * 1024]),
        };
        let is_kept = memory.u32(..100) >= 25;
        let keeping = if is_kept { Keeping::History } else { Keeping::Nothing };
        let is_wordy = random.u32(..100) < if never_lags { 20 } else { 75 };
        Weather {
            mood,
            shards: random.u8(1..=3),
            people,
            rooms: if mood == Mood::Talking { 1 } else { random.usize(1..=3) },
            steps,
            release: if random.u32(..100) < 25 { Release::WhenDurable } else { Release::AtOnce },
            limits,
            settings: Settings { keeping, ..settings(random) },
            never_lags,
            padding_max: if is_torrent {
                3
            } else if is_wordy {
                pick(random, &[800, 4000, 9000])
            } else {
                60
            },
            lines_max: if is_torrent { 400 } else { pick(random, &[1, 3, 12]) },
            socket_bytes_max: pick(random, &[40, 1000, 10_000, 200_000]),
            restlessness: if is_torrent { 3 } else { pick(random, &[50, 300, 700]) },
            stalls: pick(random, &[0, 2, 10, 30]),
            resets: pick(random, &[0, 1, 5]),
            panics: pick(sabotage, &[0, 0, 20]),
            lines_per_second: pick(haste, &[10_000, 10_000, 1, 3, 20]),
            crashes: if is_torrent { 3000 } else { pick(random, &[0, 300, 1500]) },
            clients: if is_kept { pick(memory, &[20, 60, 100]) } else { 0 },
            sharing: pick(memory, &[0, 20, 70]),
            replay_lines: pick(memory, &[0, 3, 20]),
            unreadable: pick(memory, &[0, 0, 5]),
            recall: pick(memory, &[5, 40, 90]),
            stops: if is_kept { pick(memory, &[0, 300, 1000]) } else { 0 },
            failures: if is_torrent { pick(random, &[0, 90]) } else { pick(random, &[0, 0, 10, 40]) },
            diligence: if is_torrent { 10 } else { pick(random, &[5, 30, 90]) },
        }
    }
}

impl Weather {
    /// Whether somebody may find no place, on the server or in a room.
    pub(crate) fn is_narrow(&self) -> bool {
        let Settings { members_max, members_of_room_max, rooms_of_member_max, rooms_max, .. } = self.settings;
        [members_max, members_of_room_max, rooms_of_member_max, rooms_max].iter().any(|max| *max < 10)
    }
}

fn settings(random: &mut Rng) -> Settings {
    let home = RoomName::parse(ROOMS[0]).unwrap_or_else(|_| unreachable!("the name is a constant"));
    let mut settings = Settings::new(home);
    settings.announce_max = pick(random, &[1, 3, 8, 100]);
    settings.page_lines_max = pick(random, &[1, 4, 200]);
    settings.members_max = pick(random, &[5, 100_000, 100_000]);
    settings.rooms_max = pick(random, &[2, 10_000, 10_000]);
    settings.members_of_room_max = pick(random, &[3, 100_000, 100_000]);
    settings.rooms_of_member_max = pick(random, &[1, 50, 50]);
    settings.conversations_max = pick(random, &[2, 500]);
    settings.ignored_max = pick(random, &[1, 100]);
    settings
}

pub(crate) fn pick<T: Copy>(random: &mut Rng, among: &[T]) -> T {
    among[random.usize(..among.len())]
}
