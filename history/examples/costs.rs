//! What the journal costs: `cargo run --release -p history --example costs`. Facts a second by the size of a batch, with and
//! without waiting for the disk; then a room with a million facts: opening the file, and pages of it.
//!
//! A tool for whoever changes the journal. It judges nothing.

use history::{Batch, Journal, Options, Reader, Sync};
use hub::{
    Author, Fact, Kept, Manner, MemberId, PageWanted, Position, Record, Reservation, RoomName, RoomNumber,
    RoomRef, Sequence, Shape, Span, Text, Time, Who,
};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

const ROOM: RoomNumber = RoomNumber(1);
const FACTS: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::temp_dir().join(format!("roomful-costs-{}", std::process::id()));
    let result = measure(&place);
    std::fs::remove_dir_all(&place)?;
    result
}

fn measure(place: &Path) -> Result<(), Box<dyn Error>> {
    println!("facts of 110 bytes; µs of CPU per fact (all of the process), and µs of waiting");
    for durability in [Sync::Off, Sync::Full] {
        for facts in [1, 16, 256, 1_024, 4_096] {
            commits(&place.join(format!("{durability:?}-{facts}")), durability, facts)?;
        }
    }
    million(&place.join("million"))
}

fn commits(directory: &Path, durability: Sync, facts: u64) -> Result<(), Box<dyn Error>> {
    let mut journal = new(directory, durability)?;
    let rounds = (400_000 / facts).min(if durability == Sync::Full { 300 } else { 5_000 });
    let batches: Vec<Batch> = (0..rounds).map(|round| batch(2 + round * facts, facts)).collect();
    let (begin, cpu) = (Instant::now(), cpu_time()?);
    for batch in &batches {
        journal.commit(batch)?;
    }
    let all = (rounds * facts) as f64;
    let cpu = cpu_time()?.saturating_sub(cpu).as_secs_f64() * 1e6 / all;
    let waiting = begin.elapsed().as_secs_f64() * 1e6 / all;
    println!("{durability:?}, {facts:5} in a batch: {cpu:8.2} CPU {waiting:8.2} waiting");
    Ok(())
}

fn million(directory: &Path) -> Result<(), Box<dyn Error>> {
    let mut journal = new(directory, Sync::Off)?;
    for begin in (2..FACTS).step_by(4_096) {
        journal.commit(&batch(begin, 4_096))?;
    }
    let upto = Sequence(1 + FACTS);
    journal.finish(&batch(upto.0, 1).reservation)?;
    let begin = Instant::now();
    let (_journal, _) = Journal::open(directory, &Options::default())?;
    println!("opening a file with {FACTS} facts: {:?}", begin.elapsed());
    let mut reader = Reader::open(directory)?;
    let middle = Sequence(FACTS / 2);
    let spans = [
        Span::Latest,
        Span::Before(middle),
        Span::After(middle),
        Span::Around(middle),
        Span::Since(Time(middle.0)),
    ];
    for span in spans {
        let room = RoomRef { number: ROOM, name: "lobby".into() };
        let wanted = PageWanted { room, upto, span, lines_max: 50, shape: Shape::Present };
        let mut times = Vec::new();
        for _ in 0..1_000 {
            let begin = Instant::now();
            let page = reader.page(&wanted, &[])?;
            times.push(begin.elapsed());
            assert_eq!(page.lines.len(), 50);
        }
        times.sort_unstable();
        println!("page of 50, {span:?}: median {:?}, 99th percentile {:?}", times[500], times[990]);
    }
    Ok(())
}

fn new(directory: &Path, durability: Sync) -> Result<Journal, Box<dyn Error>> {
    let (mut journal, _) = Journal::open(directory, &Options { durability, ..Options::default() })?;
    let name = RoomName::parse("lobby").map_err(|problem| problem.to_string())?;
    let record = Record { position: Position(1), time: Time(1), fact: Fact::Opened { name, by: None } };
    let mut first = batch(2, 0);
    first.kept.push(Kept { record, room: ROOM, sequence: Sequence(1) });
    journal.commit(&first)?;
    Ok(journal)
}

fn batch(begin: u64, facts: u64) -> Batch {
    let kept: Vec<Kept> = (begin..begin + facts).map(said).collect();
    let end = begin + facts - 1;
    let reservation = Reservation {
        position: Position(end + 1_000_000_000),
        next_room: RoomNumber(1_024),
        sequences: [(ROOM, Sequence(end + hub::RESERVED_AHEAD))].into(),
    };
    Batch { kept, reservation, position: Position(end) }
}

fn said(number: u64) -> Kept {
    let nick = format!("guest-{:05}", number % 200).into();
    let author = Author::Member(Who { member: MemberId::mint(0, 7), nick, address: None });
    let text = Text::kept(&format!("{number:08} {}", "so it goes on ".repeat(8)).trim()[..110]);
    let fact = Fact::Said { author, room: ROOM, text, manner: Manner::Saying, signature: None };
    let record = Record { position: Position(number), time: Time(number), fact };
    Kept { record, room: ROOM, sequence: Sequence(number) }
}

/// User and system time of the process so far, in ticks of a hundredth of a second (`man proc_pid_stat`).
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|field| field.parse::<u64>().ok());
    let ticks = ticks(11).zip(ticks(12)).map(|(user, system)| user + system).ok_or("no CPU time")?;
    Ok(Duration::from_millis(ticks * 10))
}
