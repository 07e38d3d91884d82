//! How long a search takes among a million facts, and what the index costs: measured, not tested.
//!
//! `cargo test --release -p history -- --ignored --nocapture million` writes the figures.

use crate::schema::MIGRATIONS;
use crate::{index, search};
use fastrand::Rng;
use hub::{Rest, RoomNumber, RoomRef, Search, Sequence};
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

const FACTS: u64 = 1_000_000;
const ROOMS_BESIDE: u32 = 20;
const FACTS_BESIDE: u64 = 2_000;
const VOCABULARY: usize = 20_000;
const AUTHORS: usize = 200;
const ROUNDS: usize = 200;

/// Words as they come in talk: the n-th is said one n-th as often as the first.
struct Talk {
    words: Vec<String>,
    chinese: Vec<String>,
    rng: Rng,
}

impl Talk {
    fn new() -> Talk {
        let mut rng = Rng::with_seed(5);
        let words = (0..VOCABULARY).map(|rank| word(&mut rng, rank)).collect();
        let chinese = (0..3000).map(|_| (0..2).map(|_| han(&mut rng)).collect()).collect();
        Talk { words, chinese, rng }
    }

    fn rank(&mut self, of: usize) -> usize {
        // The inverse of a harmonic sum, near enough.
        ((of as f64).powf(self.rng.f64()) - 1.0) as usize
    }

    fn text(&mut self) -> String {
        let count = self.rng.usize(5..=20);
        if self.rng.f64() < 0.05 {
            (0..count)
                .map(|_| {
                    let rank = self.rank(self.chinese.len());
                    self.chinese[rank].clone()
                })
                .collect()
        } else {
            let picked: Vec<_> = (0..count).map(|_| self.rank(VOCABULARY)).collect();
            picked.iter().map(|rank| self.words[*rank].as_str()).collect::<Vec<_>>().join(" ")
        }
    }

    fn author(&mut self) -> String {
        format!("author{}", self.rank(AUTHORS))
    }
}

fn word(rng: &mut Rng, rank: usize) -> String {
    const ONSETS: &[&str] = &[
        "t", "n", "s", "h", "r", "d", "l", "c", "m", "w", "f", "g", "p", "b", "v", "k", "th", "st", "ch",
        "pr", "x", "z", "qu", "j",
    ];
    const VOWELS: &[&str] = &["e", "a", "o", "i", "u", "ea", "ou", "y"];
    const CODAS: &[&str] = &["", "n", "r", "s", "t", "ng", "l", "d", "ck", "m"];
    let pick = |rng: &mut Rng, from: &[&'static str]| from[(from.len() as f64 * rng.f64().powi(2)) as usize];
    let syllables = 1 + (rank as f64).log10() as usize / 2 + rng.usize(0..=1);
    (0..syllables.max(1)).map(|_| [pick(rng, ONSETS), pick(rng, VOWELS), pick(rng, CODAS)].concat()).collect()
}

fn han(rng: &mut Rng) -> char {
    char::from_u32(0x4e00 + rng.u32(0..2000)).unwrap()
}

fn fill(connection: &Connection, talk: &mut Talk, room: u32, facts: u64) {
    let transaction = connection.unchecked_transaction().unwrap();
    {
        let mut insert = transaction
            .prepare(
                "INSERT INTO facts (id, position, time, kind, nick, text) VALUES (?1, ?2, ?3, 2, ?4, ?5)",
            )
            .unwrap();
        for sequence in 1..=facts {
            let id = i64::from(room) << 32 | sequence.cast_signed();
            let position = (sequence * 100 + u64::from(room)).cast_signed();
            insert.execute((id, position, position * 10, talk.author(), talk.text())).unwrap();
        }
    }
    let insert = "INSERT INTO rooms (number, sequence, reserved) VALUES (?1, ?2, ?2)";
    transaction.execute(insert, (room, facts.cast_signed())).unwrap();
    transaction.commit().unwrap();
}

fn file_mib(path: &Path, connection: &Connection) -> u64 {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    std::fs::metadata(path).unwrap().len() >> 20
}

fn measure(what: &str, connection: &Connection, rooms: &[(RoomRef, Sequence)], wanted: &Search) {
    let mut times = Vec::new();
    let mut lines = 0;
    let mut out_of_time = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let end = start + Duration::from_secs(2);
        let findings = search::search(connection, rooms, wanted, &[], move || Instant::now() > end).unwrap();
        times.push(start.elapsed());
        lines = findings.lines.len();
        out_of_time += usize::from(findings.rest == Rest::OutOfTime);
    }
    times.sort();
    println!(
        "{what:<44} {:>9.2?} {:>9.2?} {lines:>3} lines {out_of_time} out of time",
        times[ROUNDS / 2],
        times[ROUNDS * 99 / 100]
    );
}

fn rooms(count: u32) -> Vec<(RoomRef, Sequence)> {
    (1..=count)
        .map(|number| (RoomRef { number: RoomNumber(number), name: "room".into() }, Sequence(FACTS)))
        .collect()
}

#[test]
#[ignore = "measures for a minute; run it in release"]
fn million() {
    let directory = std::env::temp_dir().join(format!("roomful-million-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("million.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")
        .unwrap();
    connection.execute_batch(MIGRATIONS[0]).unwrap();
    let mut talk = Talk::new();
    for room in 1..=ROOMS_BESIDE / 2 {
        fill(&connection, &mut talk, room, FACTS_BESIDE);
    }
    fill(&connection, &mut talk, ROOMS_BESIDE / 2 + 1, FACTS);
    for room in ROOMS_BESIDE / 2 + 2..=ROOMS_BESIDE + 1 {
        fill(&connection, &mut talk, room, FACTS_BESIDE);
    }
    println!("without the index {} MiB", file_mib(&path, &connection));
    let start = Instant::now();
    let mut slices = Vec::new();
    loop {
        let slice = Instant::now();
        let indexed = index::index_some(&connection, 200).unwrap();
        slices.push(slice.elapsed());
        if indexed.rest == index::Behind::Nothing {
            break;
        }
    }
    slices.sort();
    let all = FACTS + u64::from(ROOMS_BESIDE) * FACTS_BESIDE;
    println!(
        "indexed in {:?}: {:.1} µs a fact; slices {:?} {:?} {:?}",
        start.elapsed(),
        start.elapsed().as_secs_f64() * 1e6 / all as f64,
        slices[slices.len() / 2],
        slices[slices.len() * 99 / 100],
        slices[slices.len() - 1]
    );
    println!("with the index {} MiB", file_mib(&path, &connection));
    let segments: i64 =
        connection.query_row("SELECT count(DISTINCT segid) FROM words_idx", (), |row| row.get(0)).unwrap();
    println!("{segments} segments");
    drop(connection);

    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA cache_size = -16000;").unwrap();
    let big = vec![rooms(ROOMS_BESIDE + 1).swap_remove(ROOMS_BESIDE as usize / 2)];
    let everywhere = rooms(ROOMS_BESIDE + 1);
    let words = |words: &str| Search { words: words.into(), lines_max: 50, ..Search::default() };
    let by =
        |words: &str, author: usize| Search { author: Some(format!("author{author}")), ..self::words(words) };
    let _ = &by;
    let cases: Vec<(String, Search)> = vec![
        (format!("two Chinese characters, common {}", talk.chinese[1]), words(&talk.chinese[1])),
        (format!("two Chinese characters, rare {}", talk.chinese[2900]), words(&talk.chinese[2900])),
        ("one Chinese character".into(), words(&talk.chinese[2900][..3])),
        (format!("the most common word {}", talk.words[0]), words(&talk.words[0])),
        (format!("a word in 10 % of the rows {}", talk.words[10]), words(&talk.words[10])),
        (format!("a rare word {}", talk.words[19_000]), words(&talk.words[19_000])),
        (format!("a rarer word {}", talk.words[19_990]), words(&talk.words[19_990])),
        (format!("a rare word of a rare author {}", talk.words[15_000]), by(&talk.words[15_000], 190)),
        (format!("a common word of a rare author {}", talk.words[3]), by(&talk.words[3], 190)),
        ("a rare author".into(), by("", 190)),
        ("two letters, common: th".into(), words("th")),
        ("two letters, rare: zz".into(), words("zz")),
        ("two letters: xq".into(), words("xq")),
        ("one letter: e".into(), words("e")),
        ("one letter: z".into(), words("z")),
        ("nothing: qqqq".into(), words("qqqq")),
        ("nothing, of common parts: thensther".into(), words("thensther")),
        ("nothing: two words".into(), words(&format!("{} {}", talk.words[19_000], talk.words[18_000]))),
        (
            format!("two common words {} {}", talk.words[20], talk.words[30]),
            words(&format!("{} {}", talk.words[20], talk.words[30])),
        ),
        (
            "a phrase that is nowhere".into(),
            words(&format!("\"{} {} {}\"", talk.words[3], talk.words[15_000], talk.words[4])),
        ),
        (
            "the most common word, years ago".into(),
            Search { before: Some(hub::Time(300_000_000)), ..words(&talk.words[0]) },
        ),
        (
            "a rare word, since lately".into(),
            Search { since: Some(hub::Time(900_000_000)), ..words(&talk.words[19_000]) },
        ),
        ("a phrase of common words".into(), words(&format!("\"{} {}\"", talk.words[13], talk.words[14]))),
    ];
    for (what, search) in &cases {
        measure(what, &connection, &big, search);
    }
    println!("all {} rooms:", everywhere.len());
    for (what, search) in &cases {
        measure(what, &connection, &everywhere, search);
    }
    removals(&connection);
    std::fs::remove_dir_all(&directory).unwrap();
}

/// What it costs to take facts out of the index: single ones from everywhere, and the oldest ones together.
fn removals(connection: &Connection) {
    let first = i64::from(ROOMS_BESIDE / 2 + 1) << 32;
    let timed = |what: &str, ids: &[(i64, i64)]| {
        let start = Instant::now();
        for (from, to) in ids {
            let transaction = connection.unchecked_transaction().unwrap();
            index::remove_all(&transaction, *from, *to).unwrap();
            transaction.execute("DELETE FROM facts WHERE id BETWEEN ?1 AND ?2", (from, to)).unwrap();
            transaction.commit().unwrap();
        }
        println!("{what}: {:.2?} each", start.elapsed() / ids.len() as u32);
    };
    let single: Vec<_> = (1..=100).map(|number| first + number * 9_973).map(|id| (id, id)).collect();
    timed("one fact is removed", &single);
    let together: Vec<_> = (0..10).map(|slice| (first + slice * 100, first + slice * 100 + 99)).collect();
    timed("a hundred facts are removed", &together);
    let together: Vec<_> = (1..4).map(|slice| (first + slice * 1000, first + slice * 1000 + 999)).collect();
    timed("a thousand facts are removed", &together);
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')", ()).unwrap();
}

fn words(words: &str) -> Search {
    Search { words: words.into(), lines_max: 50, ..Search::default() }
}
