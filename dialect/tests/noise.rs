//! Ten million bytes of noise, cut anywhere, into a session in every state: it does not crash, it does not grow, and nothing
//! that a terminal would obey comes out, neither to whoever sent the noise nor to those who hear of it.
//!
//! Where it stands: a program of its own, because it counts what its process has allocated; the world with a real hub behind
//! the sessions is that of the other tests. The noise is the same in every run.

#[path = "../src/fuzzing/shown.rs"]
mod shown;
#[path = "plain/world.rs"]
#[allow(dead_code, reason = "the other tests look at more of it")]
mod world;

use dialect::SkippedPlace;
use dialect::plain::{LINGER_MS, SILENCE_MS, SUSPECT_MS, Style};
use dialect::sniff::Protocol;
use fastrand::Rng;
use peak_alloc::PeakAlloc;
use shown::{without_editing, without_telnet};
use world::World;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const NOISE_BYTES: usize = 10_000_000;
/// What a shard reads at a time.
const READ_BYTES_MAX: usize = 16 * 1024;
/// The most that goes to one session, but for one in each state.
const SESSION_BYTES_MAX: usize = 64 * 1024;
/// The most that a session, a listener beside it, the hub behind them and what the test keeps of one read may hold.
const HELD_BYTES_MAX: usize = 256 * 1024;

/// A state of a session, and how one gets there. None is closed: a shard does not read from those.
struct State {
    name: &'static str,
    reach: fn(&mut World, usize),
    /// What stands in front of the noise in the same read: what is waited for then is waited for in front of noise.
    begins: &'static str,
}

const STYLES: [Style; 3] = [Style::Chat, Style::Tagged, Style::Bare];

const STATES: &[State] = &[
    State { name: "undecided", reach: |_, _| {}, begins: "" },
    State {
        name: "undecided, in a long line",
        reach: |world, ann| world.send(ann, &[b'x'; 8000]),
        begins: "",
    },
    State { name: "suspected", reach: suspected, begins: "" },
    State { name: "silent until greeted", reach: greeted, begins: "" },
    State { name: "waiting to be let in", reach: |_, _| {}, begins: "hello\n" },
    State { name: "listening", reach: |world, ann| world.send(ann, b"hello\n"), begins: "" },
    State { name: "visible", reach: visible, begins: "" },
    State { name: "in a line", reach: |world, ann| world.send(ann, b"hello\nhal"), begins: "" },
    State { name: "in a line that is too long", reach: in_long_line, begins: "" },
    State { name: "in a command", reach: |world, ann| world.send(ann, b"hello\n/nick a"), begins: "" },
    State { name: "in no room", reach: |world, ann| world.send(ann, b"hello\n/leave\n"), begins: "" },
    State { name: "in two rooms", reach: |world, ann| world.send(ann, b"hello\n/join dev\n"), begins: "" },
    State { name: "away", reach: |world, ann| world.send(ann, b"hello\n/away out\n"), begins: "" },
    State { name: "having missed something", reach: missed, begins: "" },
    State { name: "waiting for an answer", reach: visible, begins: "/rooms\n" },
    State { name: "waiting for a refusal", reach: visible, begins: "/ignore nobody\n" },
    State { name: "waiting for a long answer", reach: visible, begins: "/who\n" },
    State { name: "waiting for the past", reach: with_a_past, begins: "/history 60\n" },
    State { name: "being shown the past of a room", reach: with_a_past, begins: "/join dev\n" },
    State { name: "waiting for what is found", reach: with_a_past, begins: "/search hello\n" },
    State { name: "told more than is read", reach: told_much, begins: "" },
    State { name: "ended", reach: ended, begins: "" },
    State { name: "quitting", reach: visible, begins: "/quit bye\n" },
    State { name: "of another protocol", reach: |_, _| {}, begins: "GET / HTTP/1.1\r\n" },
    State { name: "of another protocol, late", reach: greeted, begins: "SSH-2.0-x\r\n" },
    State { name: "at telnet", reach: at_telnet, begins: "" },
    State {
        name: "in a telnet command",
        reach: |world, ann| world.send(ann, b"hello\n\xff\xfa\x18"),
        begins: "",
    },
];

fn suspected(world: &mut World, ann: usize) {
    world.send(ann, b"GE");
    world.pass(SILENCE_MS);
}

fn greeted(world: &mut World, _ann: usize) {
    world.pass(SILENCE_MS);
}

fn visible(world: &mut World, ann: usize) {
    world.send(ann, b"/me waves\n");
}

/// Rooms in which more was said than a page has.
fn with_a_past(world: &mut World, ann: usize) {
    visible(world, ann);
    for room in ["lobby", "dev"] {
        world.send(ann, format!("/join {room}\n{}", "hello\n".repeat(20)).as_bytes());
    }
    world.send(ann, b"/leave dev\n");
}

fn in_long_line(world: &mut World, ann: usize) {
    visible(world, ann);
    world.send(ann, &b"x".repeat(20_000));
}

fn missed(world: &mut World, ann: usize) {
    visible(world, ann);
    world.miss(ann, 7, SkippedPlace::Room(hub::RoomNumber(1)));
}

fn told_much(world: &mut World, ann: usize) {
    visible(world, ann);
    world.send(ann, &b"/help\n".repeat(100));
}

fn ended(world: &mut World, ann: usize) {
    visible(world, ann);
    world.end(ann);
}

/// DO SGA, DO ECHO, WILL TTYPE, WILL NAWS: a telnet that lets the server edit.
fn at_telnet(world: &mut World, ann: usize) {
    world.send(ann, b"\xff\xfd\x03\xff\xfd\x01\xff\xfb\x18\xff\xfb\x1fhello\n");
}

/// What the bytes of one session are like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Noise {
    /// Any bytes.
    Any,
    /// Any, but no line ends, and nothing that telnet would take out.
    Endless,
    /// Bytes on which terminals and lines turn.
    Turning,
    /// Pieces of commands among such bytes.
    Pieces,
}

const TURNING: &[u8] =
    b"\n\r/ #<>*[]-\x1b[]\x9b\x00\x07\x08\x7f\xc2\x80\x9f\xe2\x80\xa8\xae\xff\xfa\xfb\xfd\xf0\xf9a1;m";

const PIECES: &[&str] = &[
    "/nick ",
    "/join #",
    "/leave\n",
    "/msg bob ",
    "/me ",
    "/who\n",
    "/rooms\n",
    "/topic ",
    "/history ",
    "/search ",
    "from:",
    "before:",
    "2026-11-20",
    "/ignore ",
    "/away ",
    "/help ",
    "//",
    "\u{1b}[2J",
    "\u{9b}31m",
    "\u{202e}",
    "\u{2028}",
    "\u{3}04,12",
    "你好",
    "\r\n",
    " HTTP/1.1\r\n",
];

impl Noise {
    fn any(random: &mut Rng) -> Noise {
        [Noise::Any, Noise::Endless, Noise::Turning, Noise::Pieces][random.usize(..4)]
    }

    fn bytes(self, random: &mut Rng, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            match self {
                Noise::Any => bytes.push(random.u8(..)),
                Noise::Endless => bytes.push(random.u8(b'\n' + 1..u8::MAX)),
                Noise::Pieces if random.u8(..4) == 0 => {
                    bytes.extend_from_slice(PIECES[random.usize(..PIECES.len())].as_bytes());
                }
                Noise::Turning | Noise::Pieces => bytes.push(TURNING[random.usize(..TURNING.len())]),
            }
        }
        bytes.truncate(count);
        bytes
    }
}

/// A length of which the number of digits is drawn: most of them short, some very long.
fn length(random: &mut Rng, max: usize) -> usize {
    max >> random.u32(..max.ilog2())
}

/// One session in this state, until so many bytes have gone into it or it is closed. Returns how many they were.
fn play(style: Style, state: &State, noise: Noise, random: &mut Rng, bytes_max: usize) -> usize {
    let before = ALLOCATOR.current_usage();
    let mut world = World::new();
    world.setup.plain_style = style;
    world.keep_history();
    let (ann, bob) = (world.connect("ann"), world.connect("bob"));
    world.send(bob, b"/nick bob\n");
    (state.reach)(&mut world, ann);
    let mut begins = state.begins.as_bytes().to_vec();
    let mut left = bytes_max;
    loop {
        let cut = length(random, READ_BYTES_MAX).min(left);
        left -= cut;
        let bytes = [std::mem::take(&mut begins), noise.bytes(random, cut)].concat();
        world.send(ann, &bytes);
        drop(bytes);
        if random.u8(..8) == 0 {
            world.pass(random.u64(..2 * LINGER_MS));
        }
        check_and_forget(&mut world);
        let held = ALLOCATOR.current_usage() - before;
        assert!(held <= HELD_BYTES_MAX, "{held} bytes are held, {}, {noise:?}, {style:?}", state.name);
        if left == 0 || world.people[ann].is_closed {
            break;
        }
    }
    world.end(ann);
    world.pass(SUSPECT_MS + LINGER_MS);
    assert!(world.people[ann].is_closed, "whoever has ended is gone after a while, {}", state.name);
    check_and_forget(&mut world);
    bytes_max - left
}

/// Looks at what everybody was shown, and keeps nothing of it.
fn check_and_forget(world: &mut World) {
    let tls = Protocol::Tls.refusal(b"");
    for person in &mut world.people {
        check_shown(person.words.strip_suffix(tls.as_slice()).unwrap_or(&person.words));
        check_shown(&person.lines);
        check_shown(&without_editing(&without_telnet(&person.filtered)));
        (person.words, person.lines, person.commands) = Default::default();
        (person.unfiltered, person.filtered) = Default::default();
    }
    world.transcript = String::new();
}

fn check_shown(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("what is shown is text");
    let is_obeyed = |character: char| character.is_control() && !"\t\r\n".contains(character);
    assert!(!text.contains(is_obeyed), "ESC, another control character or C1: {}", text.escape_debug());
}

#[test]
fn ten_million_random_bytes_in_every_state_crash_nothing_grow_nothing_and_reach_no_terminal() {
    let mut random = Rng::with_seed(20_261_121);
    let bytes_per_state = NOISE_BYTES.div_ceil(STATES.len() * STYLES.len());
    let before = ALLOCATOR.current_usage();
    for (style, state) in STYLES.iter().flat_map(|style| STATES.iter().map(|state| (*style, state))) {
        let mut left = bytes_per_state;
        // What grows must show: most of the bytes have no end.
        left -= play(style, state, Noise::Endless, &mut random, left / 4 * 3);
        while left > 0 {
            let noise = Noise::any(&mut random);
            let bytes = length(&mut random, SESSION_BYTES_MAX).min(left);
            left -= play(style, state, noise, &mut random, bytes);
        }
    }
    let held = ALLOCATOR.current_usage().saturating_sub(before);
    assert!(held < 4096, "{held} bytes are still held when all have gone");
}
