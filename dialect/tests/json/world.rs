//! A server without sockets, threads or a clock, and clients of it. Whatever clients send and read is written into one
//! transcript.

use crate::past::History;
use dialect::{AnySession, Arrival, Secret, Setup};
use engine::{ConnectionId, Desk, Due, Journal, Limits, Mail, Release, Request, Shard};
use hub::{Audience, Epoch, Hub, Keeping, Reading, RoomName, Settings, Time, Told};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::IoSlice;
use std::net::SocketAddr;

/// The first of January 2026, at noon.
const BEGIN: Time = Time(1_767_268_800_000);
/// What a shard reads from a connection at a time.
const READ_BYTES_MAX: usize = 16 * 1024;

#[expect(clippy::struct_excessive_bools, reason = "how a client of a test is, one fact each")]
pub(crate) struct Client {
    pub(crate) name: String,
    id: ConnectionId,
    /// What it has sent and the server has not read.
    sent: VecDeque<Vec<u8>>,
    has_ended: bool,
    is_reading: bool,
    /// All that it has read.
    pub(crate) read: Vec<u8>,
    /// How much of that stands in the transcript.
    noted: usize,
    pub(crate) is_closed: bool,
    is_closing_noted: bool,
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) clients: Vec<Client>,
    pub(crate) transcript: String,
    pub(crate) history: History,
    desk: Desk,
    shard: Shard<AnySession>,
    /// Requests that the desk has given back.
    given_back: VecDeque<Request>,
    is_journal_working: bool,
    are_pages_coming: bool,
    readings: VecDeque<Reading>,
}

fn setup() -> Setup {
    Setup { epoch: Epoch::new(0x12_3456_789a), ..Setup::new(home()) }
}

fn home() -> RoomName {
    RoomName::parse("lobby").expect("a name")
}

impl World {
    pub(crate) fn new() -> World {
        World::with(Keeping::History, Limits::default())
    }

    /// As a server is that nobody has set up.
    pub(crate) fn with_long_pages() -> World {
        World::set_up(Settings { keeping: Keeping::History, ..Settings::new(home()) }, Limits::default())
    }

    /// Pages are short, so that a few lines fill two.
    pub(crate) fn with(keeping: Keeping, limits: Limits) -> World {
        let settings = Settings { keeping, page_lines_max: 3, announce_max: 6, ..Settings::new(home()) };
        World::set_up(settings, limits)
    }

    fn set_up(settings: Settings, limits: Limits) -> World {
        World {
            now: BEGIN,
            clients: Vec::new(),
            transcript: String::new(),
            history: History::default(),
            desk: Desk::new(Hub::new(settings), 1),
            shard: Shard::new(0, setup(), limits, Release::AtOnce),
            given_back: VecDeque::new(),
            is_journal_working: true,
            are_pages_coming: true,
            readings: VecDeque::new(),
        }
    }

    pub(crate) fn connect(&mut self, name: &str) -> usize {
        let index = self.clients.len();
        let (peer, secret) = (SocketAddr::from(([127, 0, 0, 1], 40_000)), Secret::new([index as u8 + 1; 16]));
        let arrival = Arrival { now: self.now, peer, guest: index as u32 + 1, secret };
        self.clients.push(Client {
            name: name.into(),
            id: self.shard.open(&arrival),
            sent: VecDeque::new(),
            has_ended: false,
            is_reading: true,
            read: Vec::new(),
            noted: 0,
            is_closed: false,
            is_closing_noted: false,
        });
        index
    }

    pub(crate) fn send(&mut self, index: usize, bytes: &[u8]) {
        self.clients[index].sent.extend(bytes.chunks(READ_BYTES_MAX).map(<[u8]>::to_vec));
        self.settle();
    }

    pub(crate) fn end(&mut self, index: usize) {
        self.clients[index].has_ended = true;
        self.settle();
    }

    /// The connection breaks, and the server hears of it.
    pub(crate) fn cut(&mut self, index: usize) {
        self.close(index);
        self.settle();
    }

    pub(crate) fn stop_reading(&mut self, index: usize) {
        self.clients[index].is_reading = false;
    }

    pub(crate) fn read_on(&mut self, index: usize) {
        self.clients[index].is_reading = true;
        self.shard.mark_due(self.clients[index].id);
        self.settle();
    }

    pub(crate) fn set_journal_working(&mut self, is_working: bool) {
        self.is_journal_working = is_working;
        self.settle();
    }

    pub(crate) fn set_pages_coming(&mut self, are_coming: bool) {
        self.are_pages_coming = are_coming;
        self.settle();
    }

    pub(crate) fn set_lines_per_second(&mut self, lines_per_second: u32) {
        let both = dialect::ByOrigin { local: lines_per_second, remote: lines_per_second };
        self.shard.set_lines_per_second(both);
    }

    /// Time passes; every deadline is kept to the millisecond.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now.after_ms(ms);
        loop {
            let next = self.shard.next_deadline().into_iter().chain(self.desk.next_chore()).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            self.settle();
        }
        self.now = until;
    }

    pub(crate) fn last_call(&mut self) {
        self.shard.last_call(self.now);
        self.settle();
    }

    pub(crate) fn stop(&mut self) {
        self.shard.shutdown();
        self.settle();
    }

    /// Lets requests and mail go to and fro until nobody has anything to say.
    fn settle(&mut self) {
        while self.read_from_clients() | self.serve() {}
        for index in 0..self.clients.len() {
            self.note(index);
        }
    }

    fn read_from_clients(&mut self) -> bool {
        let mut has_read = false;
        for index in 0..self.clients.len() {
            let id = self.clients[index].id;
            while !self.clients[index].is_closed && self.shard.wants_input(id) {
                if let Some(bytes) = self.clients[index].sent.pop_front() {
                    self.shard.received(self.now, id, &bytes);
                } else if std::mem::take(&mut self.clients[index].has_ended) {
                    self.shard.ended(self.now, id);
                } else {
                    break;
                }
                has_read = true;
            }
        }
        has_read
    }

    /// One turn of everything behind the sockets. Returns whether anything happened.
    fn serve(&mut self) -> bool {
        let mut has_acted = false;
        self.given_back.extend(self.shard.requests());
        while let Some(request) = self.given_back.pop_front() {
            if let Err(request) = self.desk.take(self.now, request) {
                self.given_back.push_front(*request);
                break;
            }
            has_acted = true;
        }
        self.desk.chores(self.now);
        self.commit();
        let mut mail = std::mem::take(self.desk.mail(0).expect("a shard"));
        has_acted |= !mail.is_empty();
        for told in &mail.told {
            self.history.note(told);
        }
        // What was said a moment ago is found, too.
        let lookups: Vec<_> = self.desk.lookups().collect();
        for (request, lookup) in lookups {
            let known = Some(self.history.look_up(&lookup));
            self.given_back.push_back(Request { known, ..request });
            has_acted = true;
        }
        self.readings.extend(self.desk.readings());
        self.shard.deliver(self.now, &mut mail);
        has_acted |= self.bring_page();
        let is_due = self.shard.next_deadline().is_some_and(|at| at <= self.now);
        self.shard.tick(self.now);
        self.write() | has_acted | is_due
    }

    fn commit(&mut self) {
        if !self.is_journal_working {
            return;
        }
        let position = self.desk.hub().position();
        let (kept, reservation) = self.desk.to_commit();
        for kept in &kept {
            self.history.opened(kept);
        }
        self.desk.committed(position, &reservation);
    }

    /// The journal has read what was asked for first.
    fn bring_page(&mut self) -> bool {
        if !self.are_pages_coming {
            return false;
        }
        let Some(reading) = self.readings.pop_front() else { return false };
        let event = self.history.read(&reading);
        let audience = Audience::Member(reading.member);
        let told = vec![Told { position: reading.position, time: self.now, audience, event }];
        // What is durable stays what it was.
        self.shard.deliver(self.now, &mut Mail { told, ..Mail::default() });
        true
    }

    fn write(&mut self) -> bool {
        let mut due = Vec::new();
        self.shard.take_due(&mut due);
        let mut has_written = false;
        for id in due {
            let found = self.clients.iter().position(|client| client.id == id && !client.is_closed);
            let Some(index) = found.filter(|index| self.clients[*index].is_reading) else { continue };
            has_written = true;
            self.write_to(index);
        }
        self.shard.settle();
        has_written
    }

    fn write_to(&mut self, index: usize) {
        let id = self.clients[index].id;
        loop {
            match self.shard.plan(id) {
                Due::Nothing => return,
                Due::Over => return self.close(index),
                Due::Bytes => {}
            }
            let mut slices = [IoSlice::new(&[]); 16];
            let count = self.shard.slices(id, &mut slices);
            let bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
            self.clients[index].read.extend_from_slice(&bytes);
            self.shard.taken(id, bytes.len());
        }
    }

    fn close(&mut self, index: usize) {
        if !std::mem::replace(&mut self.clients[index].is_closed, true) {
            self.shard.closed(self.clients[index].id);
        }
    }

    /// Writes into the transcript what has been read since the last time.
    fn note(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let news = &client.read[client.noted..];
        for line in news.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let shown = match std::str::from_utf8(line) {
                Ok(text) if !text.chars().any(char::is_control) => cut(text),
                _ => cut(&line.escape_ascii().to_string()),
            };
            writeln!(self.transcript, "{}< {shown}", client.name).expect("a string takes everything");
        }
        client.noted = client.read.len();
        if client.is_closed && !std::mem::replace(&mut client.is_closing_noted, true) {
            writeln!(self.transcript, "{}! closed", client.name).expect("a string takes everything");
        }
    }

    pub(crate) fn journal_fails(&mut self, trouble: Option<hub::Trouble>) {
        let journal = trouble.map_or(Journal::Working, Journal::Failing);
        self.desk.set_journal(self.now, journal);
        self.settle();
    }
}

/// Nobody wants to read a line of 16 KiB.
fn cut(line: &str) -> String {
    if line.len() <= 1000 {
        return line.into();
    }
    let start: String = line.chars().take(60).collect();
    format!("{start}… ({} bytes)", line.len())
}
