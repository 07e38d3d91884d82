//! The send floor: for each line one `send` per receiver, at once, and nothing else.
//!
//! It is what a room costs when there is nothing to coalesce: the kernel's path and one system call per delivery.

use rustix::{
    io::Errno,
    net::{SendFlags, send},
};

use super::house::{House, Relay};

/// The line being relayed, and what connections that were short have yet to get.
#[derive(Default)]
pub(super) struct SendRelay {
    line: Vec<u8>,
    unsent: Vec<Vec<u8>>,
}

impl Relay for SendRelay {
    fn said(&mut self, house: &mut House, speaker: usize, line: &[u8]) {
        let Some(said_by) = house.connection(speaker) else { return };
        self.line.clear();
        self.line.extend_from_slice(&said_by.prefix);
        self.line.extend_from_slice(line);
        let room = said_by.room;
        let line = std::mem::take(&mut self.line);
        // Nobody enters or leaves a room before the turn is over, so the index stays true.
        for index in 0..house.members(room).len() {
            let receiver = house.members(room)[index];
            if receiver != speaker {
                self.deliver(house, receiver, &line);
            }
        }
        self.line = line;
    }

    fn turn_ended(&mut self, _house: &mut House) {}

    fn writable(&mut self, house: &mut House, connection: usize) {
        let waiting = std::mem::take(&mut self.unsent[connection]);
        house.forget_writable(connection);
        self.deliver(house, connection, &waiting);
    }

    fn moved(&mut self, connection: usize, _room: usize) {
        if self.unsent.len() <= connection {
            self.unsent.resize_with(connection + 1, Vec::new);
        }
        self.unsent[connection].clear();
    }
}

impl SendRelay {
    fn deliver(&mut self, house: &mut House, receiver: usize, bytes: &[u8]) {
        let unsent = &mut self.unsent[receiver];
        if !unsent.is_empty() {
            unsent.extend_from_slice(bytes);
            return;
        }
        let Some(connection) = house.connection(receiver) else { return };
        match send(&connection.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => {}
            Ok(sent) => {
                unsent.extend_from_slice(&bytes[sent..]);
                house.await_writable(receiver);
            }
            Err(Errno::AGAIN) => {
                unsent.extend_from_slice(bytes);
                house.await_writable(receiver);
            }
            Err(_) => house.close(receiver),
        }
    }
}
