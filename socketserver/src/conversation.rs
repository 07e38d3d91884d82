//! What a strategy hands to a handler: a connection, or one datagram with the way back.
//!
//! It stands between the listener that takes requests and everything that handles them.

use crate::endpoint::{Address, Transport};
use crate::listener::{Datagram, Listener};
use crate::socket;
use rustix::io::Errno;
use rustix::net::Shutdown;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// One end of an accepted connection. It does not block.
#[derive(Debug)]
pub struct Connection {
    pub(crate) socket: OwnedFd,
    pub(crate) transport: Transport,
    pub(crate) peer: Address,
}

/// One request.
#[derive(Debug)]
pub enum Conversation {
    Connection(Connection),
    Datagram(Exchange),
}

/// A datagram, and the socket through which it is answered.
#[derive(Debug)]
pub struct Exchange {
    pub(crate) listener: Arc<Listener>,
    pub(crate) datagram: Datagram,
}

impl Conversation {
    pub(crate) fn client_address(&self) -> Address {
        match self {
            Conversation::Connection(connection) => connection.peer.clone(),
            Conversation::Datagram(exchange) => exchange.client_address(),
        }
    }
}

impl Exchange {
    pub(crate) fn client_address(&self) -> Address {
        self.datagram.sender.as_ref().map_or(Address::Unnamed, Address::of)
    }

    /// Sends a datagram back. Waits a tenth of a second for a local client that does not read.
    pub(crate) fn reply(&self, bytes: &[u8]) -> io::Result<()> {
        self.reply_by(bytes, |receiver| socket::send_to(&*self.listener, bytes, receiver))
    }

    /// Sends a datagram back, or not if it would have to wait.
    pub(crate) fn reply_at_once(&self, bytes: &[u8]) -> io::Result<()> {
        self.reply_by(bytes, |receiver| socket::send_to_at_once(&*self.listener, bytes, receiver))
    }

    fn reply_by(
        &self,
        bytes: &[u8],
        send: impl FnOnce(&rustix::net::SocketAddrAny) -> io::Result<()>,
    ) -> io::Result<()> {
        let sender = self.datagram.sender.as_ref().filter(|_| self.client_address() != Address::Unnamed);
        let receiver = sender.ok_or_else(nowhere_to_reply)?;
        send(receiver).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                io::Error::new(io::ErrorKind::TimedOut, "the client does not read what it is sent")
            }
            _ if error.raw_os_error() == Some(Errno::MSGSIZE.raw_os_error()) => {
                let sentence = format!("{} bytes are too many for one datagram", bytes.len());
                io::Error::new(io::ErrorKind::InvalidData, sentence)
            }
            _ => error,
        })
    }
}

fn nowhere_to_reply() -> io::Error {
    let sentence = "the client has no address to reply to: a local one has to bind its socket first";
    io::Error::new(io::ErrorKind::NotConnected, sentence)
}

/// How long a client that was sent everything may take to close its side.
pub(crate) const LINGER: Duration = Duration::from_secs(1);
/// How much is thrown away at once of what a client has sent and nobody has read.
const UNREAD_BYTES_MAX: usize = 256 * 1024;

impl Connection {
    /// Ends our side. What has arrived and was not read is thrown away: closing a socket in which it waits would reset the
    /// connection, and the client could lose the end of what it was sent (RFC 2525 §2.17).
    /// Returns whether the client has ended its side; if not, what it still sends would do the same.
    pub(crate) fn finish(&self) -> bool {
        // A peer that is gone needs no farewell.
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Write);
        self.discard()
    }

    /// Throws away what has arrived. Returns whether the client has ended its side.
    pub(crate) fn discard(&self) -> bool {
        let mut unread = [0; 4096];
        let mut discarded = 0;
        while discarded < UNREAD_BYTES_MAX {
            match socket::receive(&self.socket, Transport::Tcp, &mut unread) {
                Ok(0) => return true,
                Ok(count) => discarded += count,
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
        false
    }
}
