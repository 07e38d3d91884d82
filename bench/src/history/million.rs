//! A million facts in one room: how long pages and searches take.
//!
//! The file is made by the journal itself, with its index of words; `talk` knows how often what is asked for is in it. The
//! questions are put to the reader that a server would ask, on the same file.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use history::{Journal, Reader, Remaining, SEARCH_MAX, Sync};
use hub::{PageWanted, Rest, Search, Sequence, Shape, Span};

use serde_json::json;

use super::{
    client::JsonClient,
    durable::thread_cpu,
    table::{AtMost, Row, to_markdown},
    talk::{CHINESE_WORD, RARE_AUTHOR, RARE_WORD, ROOM, Talk, WORD_IN_A_TENTH},
};
use crate::{
    data::DataFolder,
    histogram::Histogram,
    machine,
    peer::{Keeping, Peer, Program},
    placement::Places,
    scenario::Scale,
};

const FACTS_TOGETHER: usize = 1_024;
const LINES: u32 = 50;
/// How often each question is put in a round.
const TIMES: usize = 100;
const ANSWER_MS: AtMost = AtMost(20.0);

/// A data file full of talk.
pub struct Million {
    folder: DataFolder,
    upto: Sequence,
    /// What making it has shown.
    making: String,
}

impl Million {
    /// Makes the file.
    ///
    /// # Errors
    ///
    /// If the disk or the journal fails.
    pub fn make(scale: Scale) -> Result<Self> {
        let folder = DataFolder::create()?;
        let facts = scale.pick(1_000_000, 100_000);
        eprintln!("{facts} facts: writing them down");
        // Nothing of this has to outlive the power.
        let options = history::Options { durability: Sync::Off, epoch_bits: 1, bytes_max: None };
        let (mut journal, _) = Journal::open(folder.path(), &options)?;
        let mut talk = Talk::begin();
        while talk.sequence().0 < facts as u64 {
            let left = facts - talk.sequence().0 as usize;
            journal.commit(&talk.batch(left.min(FACTS_TOGETHER)))?;
        }
        let written_bytes = bytes_in(folder.path())?;
        eprintln!("{facts} facts: indexing their words");
        let slices = index_all(&mut journal)?;
        let reservation = talk.batch(0).reservation;
        journal.finish(&reservation)?;
        let per_fact = |bytes: u64| bytes / facts as u64;
        let indexed_bytes = bytes_in(folder.path())?;
        let making = format!(
            "One room with {facts} facts of 5 to 20 made-up words, one of twenty Chinese. The file takes {} bytes a fact, {} of \
             them for the index of words. To index a fact takes {:.1} µs of CPU; a commit that comes meanwhile waits for one \
             slice: {:.1} ms at the median, {:.1} ms at the 99th percentile, {:.1} ms at most.",
            per_fact(indexed_bytes),
            per_fact(indexed_bytes.saturating_sub(written_bytes)),
            slices.cpu.as_secs_f64() * 1e6 / facts as f64,
            slices.millis(0.5),
            slices.millis(0.99),
            slices.millis(1.0),
        );
        Ok(Self { folder, upto: talk.sequence(), making })
    }

    /// Puts every question to a server and to the reader of the file alone, round after round, and writes the table.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or a question has another answer than it must have.
    pub fn ask(&self, roomful: &Path, places: &Places, rounds: usize) -> Result<String> {
        let questions = self.questions();
        let bounded = |question: &Question| Row::new(question.label, Some(ANSWER_MS));
        let mut rows: Vec<Row> = questions.iter().map(bounded).collect();
        let keeping = Keeping::HistoryIn(self.folder.path().to_owned());
        for round in 0..rounds {
            eprintln!("questions: round {} of {rounds}", round + 1);
            places.place_server()?;
            let peer = Peer::start(&Program::Product(roomful.to_owned(), keeping.clone()))?;
            places.place_generator()?;
            let mut client = JsonClient::enter(peer.address(), "asker", ROOM)?;
            for (question, row) in questions.iter().zip(&mut rows) {
                let asked = time(|| question.ask_server(&mut client)).context(question.label)?;
                let mut reader = Reader::open(self.folder.path())?;
                let read = time(|| self.answer(&mut reader, &question.ask)).context(question.label)?;
                row.rounds.push(vec![
                    asked.median_ms,
                    asked.p99_ms,
                    read.median_ms,
                    read.p99_ms,
                    read.first_ms,
                    asked.lines as f64,
                ]);
            }
            peer.stop()?;
        }
        let titles = [
            "a client's median, ms",
            "99th percentile, ms",
            "the reader's median, ms",
            "99th percentile, ms",
            "its first, ms",
            "lines",
        ];
        Ok(format!(
            "## Reading among a million facts\n\n{} Every question is put {TIMES} times in a round, for {LINES} lines: to a server, \
             by a client that speaks JSON lines over TCP, and to a reader of the file alone, where the first finds nothing in the \
             memory of its connection.\n\n{}",
            self.making,
            to_markdown(&titles, &rows)
        ))
    }

    fn questions(&self) -> Vec<Question> {
        let middle = Sequence(self.upto.0 / 2);
        let page = |span| {
            Ask::Page(PageWanted {
                room: Talk::room(),
                upto: self.upto,
                span,
                lines_max: LINES,
                shape: Shape::Present,
            })
        };
        let words = |words: &str| Search { words: words.into(), lines_max: LINES, ..Search::default() };
        let rare_of_rare = Search { author: Some(RARE_AUTHOR.into()), ..words(RARE_WORD) };
        let of_author = Search { author: Some(RARE_AUTHOR.into()), lines_max: LINES, ..Search::default() };
        [
            ("the latest page", page(Span::Latest)),
            ("a page before one in the middle", page(Span::Before(middle))),
            ("a page around one in the middle", page(Span::Around(middle))),
            ("a page since a moment in the middle", page(Span::Since(Talk::time(middle)))),
            ("a Chinese word of two characters", Ask::Search(words(CHINESE_WORD))),
            ("a word in a tenth of the facts", Ask::Search(words(WORD_IN_A_TENTH))),
            ("a rare word", Ask::Search(words(RARE_WORD))),
            ("a rare author", Ask::Search(of_author)),
            ("a rare word of a rare author", Ask::Search(rare_of_rare)),
        ]
        .map(|(label, ask)| Question { label, ask })
        .into()
    }

    /// How many lines the answer has. An answer without any is a wrong one, and so is one that took too long.
    fn answer(&self, reader: &mut Reader, ask: &Ask) -> Result<usize> {
        let lines = match ask {
            Ask::Page(wanted) => reader.page(wanted, &[])?.lines.len(),
            Ask::Search(search) => {
                let findings = reader.search(&[(Talk::room(), self.upto)], search, &[], SEARCH_MAX)?;
                ensure!(findings.rest != Rest::OutOfTime, "the search ran out of time");
                findings.lines.len()
            }
        };
        ensure!(lines > 0, "nothing was found that is in the file");
        Ok(lines)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A question, and what it is called in the table.
struct Question {
    label: &'static str,
    ask: Ask,
}

enum Ask {
    Page(PageWanted),
    Search(Search),
}

impl Question {
    /// How many lines the server's answer has.
    fn ask_server(&self, client: &mut JsonClient) -> Result<usize> {
        let answer = match &self.ask {
            Ask::Page(wanted) => {
                let mut question = json!({"type": "history", "limit": LINES});
                match wanted.span {
                    Span::Latest => {}
                    Span::Before(sequence) => question["before"] = sequence.0.into(),
                    Span::After(sequence) => question["after"] = sequence.0.into(),
                    Span::Around(sequence) => question["around"] = sequence.0.into(),
                    Span::Since(time) => question["since"] = machine::moment(time.0).into(),
                }
                client.ask(question, "history")?
            }
            Ask::Search(search) => {
                let mut question = json!({"type": "search", "words": search.words, "limit": LINES});
                if let Some(author) = &search.author {
                    question["author"] = author.as_str().into();
                }
                let answer = client.ask(question, "found")?;
                ensure!(answer["rest"] != "out-of-time", "the search ran out of time");
                answer
            }
        };
        let lines = answer["events"].as_array().context("an answer without events")?.len();
        ensure!(lines > 0, "nothing was found that is in the file");
        Ok(lines)
    }
}

/// How long a question took, asked again and again.
struct Took {
    median_ms: f64,
    p99_ms: f64,
    first_ms: f64,
    lines: usize,
}

fn time(mut ask: impl FnMut() -> Result<usize>) -> Result<Took> {
    let mut took_ns = Histogram::default();
    let begin = Instant::now();
    let mut lines = ask()?;
    let first = begin.elapsed();
    took_ns.record(first.as_nanos() as u64);
    for _ in 1..TIMES {
        let begin = Instant::now();
        lines = ask()?;
        took_ns.record(begin.elapsed().as_nanos() as u64);
    }
    let millis = |share| took_ns.percentile(share).map_or(f64::NAN, |ns| ns as f64 / 1e6);
    Ok(Took { median_ms: millis(0.5), p99_ms: millis(0.99), first_ms: first.as_secs_f64() * 1e3, lines })
}

/// What the slices took in which the index was made.
struct Slices {
    took_ns: Histogram,
    cpu: Duration,
}

impl Slices {
    fn millis(&self, share: f64) -> f64 {
        self.took_ns.percentile(share).map_or(f64::NAN, |ns| ns as f64 / 1e6)
    }
}

fn index_all(journal: &mut Journal) -> Result<Slices> {
    let mut took_ns = Histogram::default();
    let cpu_before = thread_cpu();
    loop {
        let begin = Instant::now();
        let remaining = journal.index_some()?;
        took_ns.record(begin.elapsed().as_nanos() as u64);
        if remaining == Remaining::Nothing {
            return Ok(Slices { took_ns, cpu: thread_cpu().saturating_sub(cpu_before) });
        }
    }
}

/// How many bytes the files in a directory have.
pub(super) fn bytes_in(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_finds_what_is_in_the_file() {
        let million = Million::make(Scale::Quick).unwrap();
        let mut reader = Reader::open(million.folder()).unwrap();
        for question in million.questions() {
            let lines = million.answer(&mut reader, &question.ask);
            assert!(lines.is_ok_and(|lines| lines > 0), "{}", question.label);
        }
    }
}
