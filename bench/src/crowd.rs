//! The sockets of all members: one process, one thread, one epoll, up to 10,000 connections.
//!
//! It connects members, says lines for them and hands what they hear to a [`Listener`]. It knows nothing of rooms or
//! messages but the few lines with which the product welcomes somebody. It must never wait without a bound.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, EventData, EventFlags},
    },
    io::Errno,
    net::sockopt::set_socket_linger,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

const READ_BYTES: usize = 256 * 1024;
const EVENTS_MAX: usize = 1024;

/// How long is looked before sleeping.
const LOOK: Duration = Duration::from_micros(50);

/// How long a newcomer may wait for its welcome.
const WELCOME_AT_MOST: Duration = Duration::from_secs(20);

/// Takes what members hear.
pub trait Listener {
    /// `member` heard `bytes` at `now_ns`. Returns how many of them it took; the rest, an unfinished line, comes again
    /// with what follows.
    fn heard(&mut self, member: usize, bytes: &[u8], now_ns: u64) -> usize;
}

/// All members and what they have yet to understand.
pub struct Crowd {
    epoll: OwnedFd,
    members: Vec<Member>,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
    began: Instant,
}

struct Member {
    stream: TcpStream,
    unfinished: Vec<u8>,
}

impl Crowd {
    /// A crowd of nobody yet.
    ///
    /// # Errors
    ///
    /// If the kernel gives no epoll.
    pub fn gather() -> Result<Self> {
        raise_descriptor_limit();
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            members: Vec::new(),
            events: Vec::with_capacity(EVENTS_MAX),
            buffer: vec![0; READ_BYTES],
            began: Instant::now(),
        })
    }

    /// Nanoseconds since the crowd gathered; never goes back.
    #[inline]
    pub fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// One more member connects, takes the name that [`member_name`] gives it, and waits for its welcome. With a
    /// `room` it goes there and leaves the lobby.
    ///
    /// # Errors
    ///
    /// If it cannot connect or is not welcomed within 20 seconds.
    pub fn join(&mut self, address: SocketAddr, room: Option<&str>) -> Result<()> {
        let member = self.members.len();
        let name = member_name(member);
        let stream =
            TcpStream::connect(address).with_context(|| format!("{name} cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        // A reset instead of a farewell: 10,000 sockets in TIME_WAIT would use up the ports of the rounds to come.
        set_socket_linger(&stream, Some(Duration::ZERO))?;
        epoll::add(&self.epoll, &stream, EventData::new_u64(member as u64), EventFlags::IN)?;
        self.members.push(Member { stream, unfinished: Vec::new() });
        self.say(member, format!("/nick {name}\n").as_bytes())?;
        self.await_line(member, &format!("you are now {name}"))?;
        if let Some(room) = room {
            self.say(member, format!("/join {room}\n").as_bytes())?;
            self.await_line(member, &format!("#{room}"))?;
            self.say(member, b"/leave lobby\n")?;
        }
        Ok(())
    }

    /// `member` says `line`.
    ///
    /// # Errors
    ///
    /// If the server does not take it at once: what is in flight fits any socket's buffer many times over.
    #[inline]
    pub fn say(&mut self, member: usize, line: &[u8]) -> Result<()> {
        let taken = self.members[member].stream.write(line);
        let taken = taken.with_context(|| format!("{} could not say a line", member_name(member)))?;
        ensure!(taken == line.len(), "the server took only a part of a line of {}", member_name(member));
        Ok(())
    }

    /// Waits at most `at_most` until somebody hears something, hands it all to `listener`, and returns how many bytes
    /// that was.
    ///
    /// # Errors
    ///
    /// If the server closed a connection.
    pub fn turn(&mut self, at_most: Duration, listener: &mut impl Listener) -> Result<usize> {
        self.await_events(at_most)?;
        let mut bytes = 0;
        for index in 0..self.events.len() {
            let member = self.events[index].data.u64() as usize;
            bytes += self.hear(member, listener)?;
        }
        Ok(bytes)
    }

    /// Listens until nothing has been heard for `quiet`.
    ///
    /// # Errors
    ///
    /// If it never becomes quiet, or the server closed a connection.
    pub fn settle(&mut self, quiet: Duration) -> Result<()> {
        let begin = Instant::now();
        while self.turn(quiet, &mut Ignore)? > 0 {
            ensure!(begin.elapsed() < Duration::from_secs(60), "the room does not become quiet");
        }
        Ok(())
    }

    /// Looks for a moment before it sleeps: a generator that slept between two deliveries would have to be woken for
    /// each, and waking it, which no receiver on another machine asks for, would be counted as the server's work.
    fn await_events(&mut self, at_most: Duration) -> Result<()> {
        let begin = Instant::now();
        let mut timeout = Duration::ZERO;
        self.events.clear();
        loop {
            let timespec = Timespec::try_from(timeout)?;
            match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timespec)) {
                Ok(0) if begin.elapsed() >= at_most => return Ok(()),
                Ok(0) if begin.elapsed() >= LOOK => timeout = at_most.saturating_sub(begin.elapsed()),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn hear(&mut self, member: usize, listener: &mut impl Listener) -> Result<usize> {
        let hearing = &mut self.members[member];
        let kept = hearing.unfinished.len();
        if self.buffer.len() < kept + READ_BYTES {
            self.buffer.resize(kept + READ_BYTES, 0);
        }
        self.buffer[..kept].copy_from_slice(&hearing.unfinished);
        let read = match hearing.stream.read(&mut self.buffer[kept..]) {
            Ok(0) => bail!("the server closed the connection of {}", member_name(member)),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("the connection of {} broke", member_name(member)));
            }
        };
        let now_ns = self.began.elapsed().as_nanos() as u64;
        let taken = listener.heard(member, &self.buffer[..kept + read], now_ns);
        hearing.unfinished.clear();
        hearing.unfinished.extend_from_slice(&self.buffer[taken..kept + read]);
        Ok(read)
    }

    fn await_line(&mut self, member: usize, text: &str) -> Result<()> {
        let mut welcome = Welcome { member, text, seen: Seen::NotYet };
        let begin = Instant::now();
        while welcome.seen == Seen::NotYet {
            self.turn(Duration::from_secs(1), &mut welcome)?;
            ensure!(begin.elapsed() < WELCOME_AT_MOST, "{} never heard \"{text}\"", member_name(member));
        }
        Ok(())
    }
}

/// The name that every server knows a member by: all of one length, so that all deliveries are.
pub fn member_name(member: usize) -> String {
    format!("m{member:05}")
}

/// Takes a chunk apart into whole lines (without their LF) and returns how many bytes they were.
pub fn each_line(bytes: &[u8], mut line: impl FnMut(&[u8])) -> usize {
    let mut taken = 0;
    while let Some(end) = bytes[taken..].iter().position(|byte| *byte == b'\n') {
        line(&bytes[taken..taken + end]);
        taken += end + 1;
    }
    taken
}

/// Hears everything and heeds nothing.
pub struct Ignore;

impl Listener for Ignore {
    fn heard(&mut self, _member: usize, bytes: &[u8], _now_ns: u64) -> usize {
        each_line(bytes, |_| ())
    }
}

#[derive(PartialEq)]
enum Seen {
    NotYet,
    Yes,
}

/// Waits for a line of the server's own to one member.
struct Welcome<'text> {
    member: usize,
    text: &'text str,
    seen: Seen,
}

impl Listener for Welcome<'_> {
    fn heard(&mut self, member: usize, bytes: &[u8], _now_ns: u64) -> usize {
        each_line(bytes, |line| {
            let is_answer = line.starts_with(b"-- ") && String::from_utf8_lossy(line).contains(self.text);
            if member == self.member && is_answer {
                self.seen = Seen::Yes;
            }
        })
    }
}

/// 10,000 members take 10,000 descriptors; if the hard limit does not allow it, connecting says so.
pub(crate) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_and_the_unfinished_one_is_left() {
        let mut lines = Vec::new();
        let taken = each_line(b"one\n\ntwo\nthr", |line| lines.push(line.to_vec()));
        assert_eq!((taken, lines), (9, vec![b"one".to_vec(), b"".to_vec(), b"two".to_vec()]));
    }

    #[test]
    fn welcome_of_another_member_is_not_ones_own() {
        let mut welcome = Welcome { member: 1, text: "you are now m00001", seen: Seen::NotYet };
        welcome.heard(2, b"-- you are now m00001\n", 0);
        welcome.heard(1, b"<m00002> you are now m00001\n", 0);
        assert!(welcome.seen == Seen::NotYet);
        welcome.heard(1, b"-- you are now m00001\n", 0);
        assert!(welcome.seen == Seen::Yes);
    }
}
