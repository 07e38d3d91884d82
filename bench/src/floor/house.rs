//! What both floors share: accepting, reading, names and rooms.
//!
//! It hands every line to the [`Relay`] and tells it when a turn (one batch from epoll) is over. It must never do
//! per receiver what it can do once.

use std::{collections::HashMap, io::Write, net::TcpListener, os::fd::OwnedFd};

use anyhow::Result;
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, EventData, EventFlags},
    io::Errno,
    net::{SendFlags, SocketFlags, accept_with, send, sockopt::set_tcp_nodelay},
    process::{Signal, set_parent_process_death_signal},
};

const READ_BYTES: usize = 64 * 1024;
const EVENTS_MAX: usize = 1024;
const LISTENER: u64 = u64::MAX;

/// What a floor does with a line.
pub(super) trait Relay {
    /// `speaker` said a line, LF included; `house.room(speaker)` is where.
    fn said(&mut self, house: &mut House, speaker: usize, line: &[u8]);
    /// All that had been readable was read.
    fn turn_ended(&mut self, house: &mut House);
    /// A connection that was short can take bytes again.
    fn writable(&mut self, house: &mut House, connection: usize);
    /// A connection entered a room (or left it, when its index is about to be used anew).
    fn moved(&mut self, connection: usize, room: usize);
}

/// One socket and who sits there.
pub(super) struct Connection {
    pub(super) socket: OwnedFd,
    /// What stands before each of its lines: `<NAME> `, and the room's name unless it is the lobby.
    pub(super) prefix: Vec<u8>,
    pub(super) room: usize,
    name: String,
    unfinished: Vec<u8>,
}

/// A room's name and who is in it.
struct Room {
    name: String,
    members: Vec<usize>,
}

/// All connections and rooms.
pub(super) struct House {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    vacant: Vec<usize>,
    rooms: Vec<Room>,
    rooms_by_name: HashMap<String, usize>,
    closing: Vec<usize>,
}

impl House {
    /// Listens on a free port and prints it.
    pub(super) fn open() -> Result<Self> {
        // A bench that is killed leaves no floor behind.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        println!("listening on {}", listener.local_addr()?);
        std::io::stdout().flush()?;
        let mut house = Self {
            epoll,
            listener,
            connections: Vec::new(),
            vacant: Vec::new(),
            rooms: Vec::new(),
            rooms_by_name: HashMap::new(),
            closing: Vec::new(),
        };
        house.room_named("lobby");
        Ok(house)
    }

    /// Serves for as long as the process lives.
    pub(super) fn run(mut self, relay: &mut impl Relay) -> Result<()> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            events.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                let (flags, data) = (event.flags, event.data.u64());
                if data == LISTENER {
                    self.accept(relay)?;
                    continue;
                }
                let connection = data as usize;
                if flags.contains(EventFlags::OUT) {
                    relay.writable(&mut self, connection);
                }
                if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                    self.read(relay, connection, &mut buffer);
                }
            }
            relay.turn_ended(&mut self);
            self.close_marked();
        }
    }

    pub(super) fn connection(&self, connection: usize) -> Option<&Connection> {
        self.connections[connection].as_ref()
    }

    pub(super) fn members(&self, room: usize) -> &[usize] {
        &self.rooms[room].members
    }

    /// Asks to be told when the connection takes bytes again.
    pub(super) fn await_writable(&mut self, connection: usize) {
        self.watch(connection, EventFlags::IN | EventFlags::OUT);
    }

    /// Asks no longer.
    pub(super) fn forget_writable(&mut self, connection: usize) {
        self.watch(connection, EventFlags::IN);
    }

    /// The connection is broken; it is closed when the turn is over.
    pub(super) fn close(&mut self, connection: usize) {
        self.closing.push(connection);
    }

    fn watch(&mut self, connection: usize, flags: EventFlags) {
        let Some(watched) = &self.connections[connection] else { return };
        if epoll::modify(&self.epoll, &watched.socket, EventData::new_u64(connection as u64), flags).is_err()
        {
            self.close(connection);
        }
    }

    fn accept(&mut self, relay: &mut impl Relay) -> Result<()> {
        // Whatever accept refuses (a peer that is gone again, no descriptors left) is that peer's loss.
        while let Ok(socket) = accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            set_tcp_nodelay(&socket, true)?;
            let connection = self.vacant.pop().unwrap_or(self.connections.len());
            epoll::add(&self.epoll, &socket, EventData::new_u64(connection as u64), EventFlags::IN)?;
            if connection == self.connections.len() {
                self.connections.push(None);
            }
            let (name, prefix, unfinished) = (format!("guest-{connection}"), Vec::new(), Vec::new());
            self.connections[connection] = Some(Connection { socket, prefix, room: 0, name, unfinished });
            self.rooms[0].members.push(connection);
            self.set_prefix(connection);
            relay.moved(connection, 0);
        }
        Ok(())
    }

    fn read(&mut self, relay: &mut impl Relay, connection: usize, buffer: &mut Vec<u8>) {
        let Some(reader) = &mut self.connections[connection] else { return };
        let kept = reader.unfinished.len();
        if buffer.len() < kept + READ_BYTES {
            buffer.resize(kept + READ_BYTES, 0);
        }
        buffer[..kept].copy_from_slice(&reader.unfinished);
        match rustix::io::read(&reader.socket, &mut buffer[kept..]) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(0) | Err(_) => self.close(connection),
            Ok(read) => {
                reader.unfinished.clear();
                let rest = self.take_lines(relay, connection, &buffer[..kept + read]);
                if let Some(reader) = &mut self.connections[connection] {
                    reader.unfinished.extend_from_slice(rest);
                }
            }
        }
    }

    /// Returns what lies behind the last LF.
    fn take_lines<'a>(&mut self, relay: &mut impl Relay, connection: usize, mut bytes: &'a [u8]) -> &'a [u8] {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            if line[0] == b'/' {
                self.obey(relay, connection, line);
            } else {
                relay.said(self, connection, line);
            }
        }
        bytes
    }

    fn obey(&mut self, relay: &mut impl Relay, connection: usize, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        match line.trim().split_once(' ') {
            Some(("/nick", name)) => {
                let Some(named) = &mut self.connections[connection] else { return };
                name.clone_into(&mut named.name);
                self.set_prefix(connection);
                self.answer(connection, &format!("-- you are now {name}\n"));
            }
            Some(("/join", name)) => {
                self.leave_room(connection);
                let room = self.room_named(name);
                self.rooms[room].members.push(connection);
                let Some(moved) = &mut self.connections[connection] else { return };
                moved.room = room;
                self.set_prefix(connection);
                relay.moved(connection, room);
                self.answer(connection, &format!("-- #{name}\n"));
            }
            // Whoever joins a room has left the one before.
            _ => {}
        }
    }

    /// An answer goes out at once; one that does not fit into an empty socket has nobody to read it.
    fn answer(&self, connection: usize, line: &str) {
        if let Some(asker) = &self.connections[connection] {
            let _ = send(&asker.socket, line.as_bytes(), SendFlags::NOSIGNAL);
        }
    }

    fn set_prefix(&mut self, connection: usize) {
        let Some(named) = &mut self.connections[connection] else { return };
        named.prefix = match named.room {
            0 => format!("<{}> ", named.name),
            room => format!("#{} <{}> ", self.rooms[room].name, named.name),
        }
        .into_bytes();
    }

    fn room_named(&mut self, name: &str) -> usize {
        if let Some(room) = self.rooms_by_name.get(name) {
            return *room;
        }
        let room = self.rooms.len();
        self.rooms.push(Room { name: name.to_owned(), members: Vec::new() });
        self.rooms_by_name.insert(name.to_owned(), room);
        room
    }

    fn leave_room(&mut self, connection: usize) {
        if let Some(leaving) = &self.connections[connection] {
            let members = &mut self.rooms[leaving.room].members;
            if let Some(place) = members.iter().position(|member| *member == connection) {
                members.swap_remove(place);
            }
        }
    }

    fn close_marked(&mut self) {
        for connection in std::mem::take(&mut self.closing) {
            self.leave_room(connection);
            if self.connections[connection].take().is_some() {
                self.vacant.push(connection);
            }
        }
    }
}
