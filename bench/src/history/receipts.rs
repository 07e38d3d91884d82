//! How many messages a second a whole server keeps: clients say something and wait for its receipt, which leaves only when the
//! disk has it.
//!
//! Each client is in a room of its own, so that nothing but receipts is written back. After each round the server is killed, and
//! everything that was acknowledged must be in its file.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use history::Reader;
use hub::{Event, MessageId, PageWanted, RoomRef, Sequence, Shape, Span};

use super::{
    client::JsonClient,
    table::{Row, to_markdown},
};
use crate::{
    histogram::Histogram,
    peer::{Keeping, Peer, Program},
    placement::Places,
    scenario::Scale,
    usage::CpuReading,
};

/// Who talks.
#[derive(Clone, Copy, Debug)]
struct Load {
    clients: usize,
    /// How many messages of each client wait for their receipts.
    in_flight: usize,
}

const LOADS: [Load; 4] = [
    Load { clients: 1, in_flight: 1 },
    Load { clients: 16, in_flight: 1 },
    Load { clients: 64, in_flight: 1 },
    Load { clients: 8, in_flight: 512 },
];

const TEXT_BYTES: usize = 110;
/// How much is read at a time of what was kept.
const PAGE_LINES: u32 = 1_000;

/// Measures all loads in turn and writes the table.
///
/// # Errors
///
/// If a server fails, or has not kept what it acknowledged.
pub fn measure(roomful: &Path, places: &Places, rounds: usize, scale: Scale) -> Result<String> {
    let window = Duration::from_millis(scale.pick(2_000, 100) as u64);
    let mut rows: Vec<Row> = LOADS.iter().map(|load| Row::new(load.label(), None)).collect();
    for round in 0..rounds {
        eprintln!("receipts: round {} of {rounds}", round + 1);
        for (load, row) in LOADS.iter().zip(&mut rows) {
            row.rounds.push(load.play(roomful, places, window)?);
        }
    }
    let titles = [
        "receipts a second",
        "median, ms",
        "99th percentile, ms",
        "server CPU each, µs",
        "· of it the journal's thread, µs",
    ];
    Ok(format!(
        "## Receipts of a whole server\n\n\
         Clients that speak JSON lines say messages of {TEXT_BYTES} bytes for {} ms, each in a room of its own, and wait for the \
         receipts, which come when the disk has what was said. One client with one message in flight is one transaction for \
         each message. After each round the server was killed by SIGKILL, and everything that it had acknowledged was in its \
         file.\n\n{}",
        window.as_millis(),
        to_markdown(&titles, &rows)
    ))
}

/// What one client got.
#[derive(Default)]
struct Got {
    /// Each of the sequences up to the last was acknowledged, from the first on.
    first: Option<MessageId>,
    receipts: u64,
    took_ns: Histogram,
}

impl Load {
    fn label(self) -> String {
        match self.clients {
            1 => format!("1 client, {} in flight", self.in_flight),
            clients => format!("{clients} clients, {} in flight each", self.in_flight),
        }
    }

    fn play(self, roomful: &Path, places: &Places, window: Duration) -> Result<Vec<f64>> {
        places.place_server()?;
        let peer = Peer::start(&Program::Product(roomful.to_owned(), Keeping::History))?;
        places.place_generator()?;
        let clients = (0..self.clients).map(|client| enter(peer.address(), client));
        let clients: Vec<JsonClient> = clients.collect::<Result<_>>()?;
        let cpu_before = CpuReading::take(peer.process())?;
        let begin = Instant::now();
        let until = begin + window;
        let talking: Vec<_> = clients
            .into_iter()
            .map(|client| thread::spawn(move || talk(client, self.in_flight, until)))
            .collect();
        let got: Vec<Got> = talking.into_iter().map(join).collect::<Result<_>>()?;
        let took = begin.elapsed();
        let cpu_after = CpuReading::take(peer.process())?;

        let receipts = got.iter().map(|got| got.receipts).sum::<u64>() as f64;
        let mut took_ns = Histogram::default();
        for got in &got {
            took_ns.merge(&got.took_ns);
        }
        let millis = |share| took_ns.percentile(share).map_or(f64::NAN, |ns| ns as f64 / 1e6);
        let micros = |spent_ns: u64| spent_ns as f64 / 1e3 / receipts;
        let journal_ns = cpu_after.journal_ns_since(&cpu_before).context("the server has no journal")?;
        let values = vec![
            receipts / took.as_secs_f64(),
            millis(0.5),
            millis(0.99),
            micros(cpu_after.since(&cpu_before).total_ns()),
            micros(journal_ns),
        ];
        verify(peer, &got)?;
        Ok(values)
    }
}

fn enter(address: SocketAddr, client: usize) -> Result<JsonClient> {
    JsonClient::enter(address, &format!("c{client:03}"), &format!("r{client:03}"))
}

fn join(talking: thread::JoinHandle<Result<Got>>) -> Result<Got> {
    talking.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a client panicked")))
}

/// Keeps so many messages in flight until time is up, then waits for the last receipts.
fn talk(mut client: JsonClient, in_flight: usize, until: Instant) -> Result<Got> {
    let text = "x".repeat(TEXT_BYTES);
    let mut got = Got::default();
    let mut waiting: VecDeque<(u64, Instant)> = VecDeque::new();
    let mut said = 0;
    loop {
        let now = Instant::now();
        while waiting.len() < in_flight && now < until {
            client.say(&said.to_string(), &text);
            waiting.push_back((said, now));
            said += 1;
        }
        if waiting.is_empty() {
            return Ok(got);
        }
        client.send_all()?;
        loop {
            let receipt = client.receipt()?;
            let (nonce, said_at) = waiting.pop_front().context("a receipt for nothing")?;
            got.take(receipt.id)?;
            ensure!(receipt.nonce == nonce.to_string(), "the receipts are out of order");
            got.took_ns.record(said_at.elapsed().as_nanos() as u64);
            if waiting.is_empty() || !client.has_heard_more() {
                break;
            }
        }
    }
}

impl Got {
    /// In a room where nobody else says anything the sequences have no hole.
    fn take(&mut self, id: MessageId) -> Result<()> {
        let first = *self.first.get_or_insert(id);
        let expected = MessageId { sequence: Sequence(first.sequence.0 + self.receipts), ..first };
        ensure!(id == expected, "a receipt for {id}, where {expected} was due");
        self.receipts += 1;
        Ok(())
    }
}

/// Kills the server; all that was acknowledged must have been kept.
fn verify(peer: Peer, got: &[Got]) -> Result<()> {
    let data = peer.data().context("the server keeps nothing")?.to_owned();
    let folder = peer.kill();
    let mut reader = Reader::open(&data)?;
    for got in got {
        let Some(first) = got.first else { continue };
        let kept = count_said(&mut reader, first, got.receipts)?;
        ensure!(
            kept == got.receipts,
            "{} messages were acknowledged, {kept} of them were kept",
            got.receipts
        );
    }
    drop(folder);
    Ok(())
}

/// How many of so many messages from this one on are in the file.
fn count_said(reader: &mut Reader, first: MessageId, messages: u64) -> Result<u64> {
    let upto = Sequence(first.sequence.0 + messages - 1);
    let room = RoomRef { number: first.room, name: "".into() };
    let mut from = Sequence(first.sequence.0 - 1);
    let mut kept = 0;
    while from < upto {
        let span = Span::After(from);
        let wanted =
            PageWanted { room: room.clone(), upto, span, lines_max: PAGE_LINES, shape: Shape::Facts };
        let page = reader.page(&wanted, &[])?;
        kept += page.lines.iter().filter(|line| matches!(line.event, Event::Said { .. })).count() as u64;
        from = page.after.unwrap_or(upto);
    }
    Ok(kept)
}
