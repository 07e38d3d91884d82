//! From a key to its echo, in a quiet room and in busy ones, and what a busy room costs the client.
//!
//! Each key is a character that stands nowhere else on the screen, so that its echo cannot be taken for anything else.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use fastrand::Rng;

use super::{
    Stage,
    latencies::{Latencies, Timed, to_markdown},
    talker::{Speech, Talker, newest, pour},
    terminal::{Painted, ROOM, Terminal},
};
use crate::{
    peer::{Keeping, Peer},
    report::{figure, markdown},
    usage::{CpuReading, CpuSpent},
};

const ECHO_MS: f64 = 30.0;
/// So many lines come in a second.
const LINES_PER_SECOND: usize = 10_000;
/// As many as a connection of this machine may say before its pace counts.
const BURST_LINES: usize = 100_000;
/// One after another, so that a burst takes long enough to type in.
const BURST_TALKERS: usize = 5;
/// Between an echo and the next key, so that keys come at any point of a frame.
const BETWEEN_KEYS_MS: std::ops::Range<u64> = 3..18;
/// The line is emptied after so many keys: it never wraps.
const KEYS_OF_A_LINE: usize = 30;
/// Takes back what was typed.
const EMPTY_THE_LINE: &str = "\x15";
/// Braille patterns: one column wide, and in nobody's text.
const KEYS: std::ops::Range<u32> = 0x2801..0x2900;

/// Types in three rooms.
///
/// # Errors
///
/// If anything is not painted.
pub fn measure(stage: &Stage<'_>) -> Result<String> {
    let scale = stage.scale;
    let mut quiet = Typist::enter(stage)?;
    for _ in 0..scale.pick(300, 5) {
        quiet.press_and_wait()?;
    }
    let (busy, cost) = among_lines(stage)?;
    let mut poured = Latencies::default();
    let mut bursts = Latencies::default();
    for number in 0..scale.pick(5, 1) {
        let (typed, burst) = among_a_burst(stage, number)?;
        poured.extend(&typed);
        bursts.record(burst);
    }
    let echoes = [
        Timed { what: "in a quiet room", latencies: quiet.echoes, bound_ms: Some(ECHO_MS) },
        Timed { what: "while 10,000 lines come in a second", latencies: busy, bound_ms: Some(ECHO_MS) },
        Timed { what: "while as many come as the server gives", latencies: poured, bound_ms: Some(ECHO_MS) },
    ];
    let others = [
        Timed { what: "a line, from said to painted", latencies: cost.ages.clone(), bound_ms: None },
        Timed {
            what: "500,000 lines, from the first said to the last painted",
            latencies: bursts,
            bound_ms: None,
        },
    ];
    Ok(format!(
        "## Typing\n\nFrom a key to its echo. Lines have 60 to 200 characters, one of ten is Chinese, all come into the room that \
         is seen.\n\n{}\n\
         The lines themselves. Of a burst the client shows what it is given: a reader who lags is skipped by the server.\n\n{}\n\
         What the client spends while 10,000 lines come in a second and nobody types:\n\n{}",
        to_markdown(&echoes),
        to_markdown(&others),
        cost.to_markdown(),
    ))
}

/// Somebody who types, and is timed.
struct Typist {
    terminal: Terminal,
    rng: Rng,
    pressed: u32,
    echoes: Latencies,
    // Behind the client, so that it ends after it.
    server: Peer,
}

impl Typist {
    fn enter(stage: &Stage<'_>) -> Result<Self> {
        let server = stage.server(Keeping::Nothing)?;
        let mut terminal = Terminal::join(stage.roomful, server.address(), "reader", "")?;
        terminal.wait_for("the room", |screen| screen.contains(ROOM))?;
        Ok(Self { terminal, rng: Rng::with_seed(3), pressed: 0, echoes: Latencies::default(), server })
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Types one character and waits until it is seen.
    fn press_and_wait(&mut self) -> Result<()> {
        thread::sleep(Duration::from_millis(self.rng.u64(BETWEEN_KEYS_MS)));
        if (self.pressed as usize).is_multiple_of(KEYS_OF_A_LINE) {
            self.terminal.types(EMPTY_THE_LINE)?;
        }
        let code = KEYS.start + self.pressed % (KEYS.end - KEYS.start);
        let key = char::from_u32(code).unwrap_or('x');
        self.pressed += 1;
        let pressed = self.terminal.types(key.encode_utf8(&mut [0; 4]))?;
        let seen = self.terminal.wait_for("the echo of a key", |screen| screen.contains(key))?;
        self.echoes.record(seen.saturating_duration_since(pressed));
        Ok(())
    }
}

/// What a busy room costs.
struct Cost {
    seconds: f64,
    spent: CpuSpent,
    painted: Painted,
    /// From said to painted.
    ages: Latencies,
}

impl Cost {
    fn to_markdown(&self) -> String {
        let per_second = |value: f64| figure(value / self.seconds);
        let head = ["processors", "in user mode", "in the kernel", "frames a second", "KiB a second painted"];
        let row = [
            per_second(self.spent.total_ns() as f64 / 1e9),
            per_second(self.spent.user_ns as f64 / 1e9),
            per_second(self.spent.system_ns as f64 / 1e9),
            per_second(self.painted.pieces as f64),
            per_second(self.painted.bytes as f64 / 1024.0),
        ];
        markdown(&head.map(str::to_owned), &[row.to_vec()])
    }
}

/// Types, and then only watches, while lines come at a steady pace.
fn among_lines(stage: &Stage<'_>) -> Result<(Latencies, Cost)> {
    let mut typist = Typist::enter(stage)?;
    let (keys, watched_ms) = (stage.scale.pick(500, 5), stage.scale.pick(5_000, 500));
    let watched = Duration::from_millis(watched_ms as u64);
    let talker = Talker::enter(typist.address(), "talker")?;
    // Longer than it can take; who talks ends with the server.
    let speech = talker.speak(60 * LINES_PER_SECOND, LINES_PER_SECOND);
    typist.terminal.wait_for("what is said", |screen| newest(screen).is_some())?;
    for _ in 0..keys {
        typist.press_and_wait()?;
    }
    let cost = watch(&mut typist.terminal, &speech, watched)?;
    Ok((typist.echoes, cost))
}

fn watch(terminal: &mut Terminal, speech: &Speech, watched: Duration) -> Result<Cost> {
    let mut ages = Latencies::default();
    let mut newest_seen = None;
    let (before, begun) = (CpuReading::take(terminal.process())?, Instant::now());
    let painted = terminal.watch(begun + watched, |at, screen| {
        let now_newest = newest(screen);
        if now_newest > newest_seen {
            newest_seen = now_newest;
            if let Some(said_at) = now_newest.and_then(|number| speech.said_at(number)) {
                ages.record(at.saturating_duration_since(said_at));
            }
        }
    })?;
    let spent = CpuReading::take(terminal.process())?.since(&before);
    Ok(Cost { seconds: begun.elapsed().as_secs_f64(), spent, painted, ages })
}

/// Types from the first line of a burst to the last. Answers with the echoes, and how long the burst took.
fn among_a_burst(stage: &Stage<'_>, number: usize) -> Result<(Latencies, Duration)> {
    let mut typist = Typist::enter(stage)?;
    let (count, lines_each) = (stage.scale.pick(BURST_TALKERS, 2), stage.scale.pick(BURST_LINES, 2_000));
    let enter = |nth| Talker::enter(typist.address(), &format!("talker-{number}-{nth}"));
    let talkers = (0..count).map(enter).collect::<Result<Vec<_>>>()?;
    let lines = count * lines_each;
    let begun = Instant::now();
    let speech = pour(talkers, lines_each);
    typist.terminal.wait_for("what is said", |screen| newest(screen).is_some())?;
    let mut speech = Some(speech);
    let mut talker = None;
    // Whatever of it is skipped, the last line of all is seen: there is always one more until it is.
    while !typist.terminal.shows(|screen| newest(screen) >= Some(lines)) {
        typist.press_and_wait()?;
        if let Some(ended) = speech.take_if(|speech| speech.is_over()) {
            talker = Some(ended.end()?);
        }
        if let Some(talker) = &mut talker {
            talker.say(1)?;
        }
    }
    let ended = typist.terminal.last_painted();
    Ok((typist.echoes, ended - begun))
}
