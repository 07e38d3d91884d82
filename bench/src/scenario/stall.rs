//! `stall`: one member never reads while the others talk; rounds with it and without it are played in turn.
//!
//! First so much is said at full speed that the kernel's buffers of that member are full and its lag is past the
//! product's bound; the latencies of all others are taken after that, at a moderate pace. At the end the member reads
//! everything: what it heard and what it was told that it missed must be exactly what was said.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, connect, socket_with,
    sockopt::{set_socket_linger, set_socket_recv_buffer_size},
};

use super::{Measure, Sample, Scale, Stalled, exchange::latencies};
use crate::{
    conversation::{Conversation, Speakers},
    ledger::Seating,
    peer::Peer,
    transcript::Transcript,
    usage::Memory,
};

const MESSAGE_BYTES: usize = 400;
const PER_SECOND: u32 = 60;
const FILL_IN_FLIGHT: usize = 64;

/// More than the kernel keeps for a member that never reads: its own send buffer of up to 4 MiB and the receiver's, and
/// the product's bound on top.
const FILL_BYTES: usize = 6 * 1024 * 1024;

/// The stalled member's receive buffer while it does not read.
const STALLED_BUFFER_BYTES: usize = 16 * 1024;

/// How long the stalled member may take for all that it is owed.
const CATCH_UP_AT_MOST: Duration = Duration::from_secs(30);

struct Plan {
    members: usize,
    warm_up: usize,
    fill: usize,
    paced: usize,
}

fn plan(scale: Scale) -> Plan {
    Plan {
        members: scale.pick(1_000, 200),
        warm_up: 1_000,
        fill: FILL_BYTES / MESSAGE_BYTES,
        paced: scale.pick(480, 60),
    }
}

pub(super) fn describe(scale: Scale) -> String {
    let Plan { members, fill, paced, .. } = plan(scale);
    format!(
        "{members} members take turns with messages of {MESSAGE_BYTES} bytes. One more joins and never reads. {fill} \
         messages at full speed fill the kernel's buffers; then {paced} at {PER_SECOND} a second are measured. At the \
         end it reads: what it heard and what it was told it missed must be exactly what was said."
    )
}

pub(super) fn play(peer: &Peer, quiet: Duration, stalled: Stalled, scale: Scale) -> Result<Sample> {
    let plan = plan(scale);
    let seating = Seating { rooms: 1, members_per_room: plan.members };
    let mut conversation = Conversation::gather(peer.address(), seating, MESSAGE_BYTES, quiet)?;
    conversation.keep_in_flight(Speakers::Everyone, FILL_IN_FLIGHT, plan.warm_up)?;
    let memory_before = Memory::read(peer.process())?;
    let reader = match stalled {
        Stalled::Nobody => None,
        Stalled::One => Some(StalledReader::join(peer.address())?),
    };
    conversation.settle(quiet)?;

    conversation.keep_in_flight(Speakers::Everyone, FILL_IN_FLIGHT, plan.fill)?;
    conversation.take_figures();
    conversation.pace(Speakers::Everyone, PER_SECOND, plan.paced)?;
    let grown_bytes =
        Memory::read(peer.process())?.resident_bytes as f64 - memory_before.resident_bytes as f64;

    let mut sample = latencies(&conversation.take_figures());
    sample.push((Measure::ResidentGrowth, grown_bytes / 1024.0));
    if let Some(reader) = reader {
        sample.extend(catch_up(reader, &mut conversation, (plan.fill + plan.paced) as u64)?);
    }
    Ok(sample)
}

/// The stalled member reads what it is owed, then one more message, as everyone else does.
fn catch_up(mut reader: StalledReader, conversation: &mut Conversation, said: u64) -> Result<Sample> {
    reader.read_until(said)?;
    conversation.keep_in_flight(Speakers::Everyone, 1, 1)?;
    reader.read_until(said + 1)?;
    let transcript = &reader.transcript;
    ensure!(transcript.skipped > 0, "the stalled member missed nothing: it was not stalled long enough");
    Ok(vec![
        (Measure::Skipped, transcript.skipped as f64),
        (Measure::SkipLines, transcript.skip_lines as f64),
    ])
}

/// The member that never reads, until it does.
struct StalledReader {
    stream: TcpStream,
    transcript: Transcript,
}

impl StalledReader {
    fn join(address: SocketAddr) -> Result<Self> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // The window is settled with the handshake, so the buffer must be small before it.
        set_socket_recv_buffer_size(&socket, STALLED_BUFFER_BYTES)?;
        connect(&socket, &address).context("the stalled member cannot connect")?;
        set_socket_linger(&socket, Some(Duration::ZERO))?;
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"/nick stalled\n")?;
        await_welcome(&mut stream)?;
        Ok(Self { stream, transcript: Transcript::default() })
    }

    /// Reads until heard and skipped messages are `said` in number, and checks that they never are more.
    fn read_until(&mut self, said: u64) -> Result<()> {
        let begin = Instant::now();
        let mut buffer = vec![0; 256 * 1024];
        set_socket_recv_buffer_size(&self.stream, 4 * 1024 * 1024)?;
        self.stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        while self.transcript.accounted() < said {
            match self.stream.read(&mut buffer) {
                Ok(0) => bail!("the server closed the stalled member's connection"),
                Ok(read) => self.transcript.take(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("the stalled member's connection broke"),
            }
            ensure!(begin.elapsed() < CATCH_UP_AT_MOST, "{}", self.account(said));
        }
        ensure!(self.transcript.accounted() == said, "{}", self.account(said));
        self.transcript.violation().map_or(Ok(()), |what| bail!("violation: the stalled member {what}"))
    }

    fn account(&self, said: u64) -> String {
        let Transcript { heard, skipped, skip_lines, .. } = &self.transcript;
        format!(
            "violation: {said} messages were said, the stalled member heard {heard} and was told in {skip_lines} lines \
             that it missed {skipped}"
        )
    }
}

/// Reads byte by byte, so that nothing beyond the welcome is taken.
fn await_welcome(stream: &mut TcpStream) -> Result<()> {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).context("the stalled member was not welcomed")?;
        match byte[0] {
            b'\n' if line.starts_with(b"-- ") && line.ends_with(b"you are now stalled") => return Ok(()),
            b'\n' => line.clear(),
            byte => line.push(byte),
        }
    }
}
