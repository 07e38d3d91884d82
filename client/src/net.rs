//! The I/O half of a connection: opens it, reads from it and writes to it, in threads of its own.
//!
//! Where it stands: between the link, which is pure, and the network. What happens is posted to a bounded channel, to which others
//! may post, too. While nobody takes anything out of it nothing is read: the server then skips for us, and says so.
//!
//! What this file must never do: have its user wait for the network, or let anything of an older connection pass for news of the
//! present one.

mod opening;
mod outbox;

pub(crate) use opening::addresses_of;

use crate::link::Failure;
use outbox::{LAST_WORDS_MAX, Outbox, Taken, WRITE_MAX};
use std::io::{ErrorKind, Read as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// At most so many bytes are read at a time.
const READ_BYTES_MAX: usize = 64 * 1024;
/// So much is still read of what nobody wants any more.
const UNWANTED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What happens on the network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NetEvent {
    /// The connection is open.
    Connected,
    /// These bytes have come, cut anywhere.
    Received(Vec<u8>),
    /// It could not be opened, or has ended.
    Disconnected(Failure),
}

/// What a connection posts: [`Net::news`] says whether it still matters.
#[derive(Debug)]
pub(crate) struct Posted {
    connection: u64,
    event: NetEvent,
}

/// One connection at a time to one server. Dropped, it closes it, and waits until what was to be sent is, for a second at most.
pub(crate) struct Net<T> {
    host: String,
    port: u16,
    posts: SyncSender<T>,
    /// Counts them; the present one is this.
    connection: u64,
    outbox: Option<Arc<Outbox>>,
    /// Hung up when the thread of the last connection is over.
    ended: Option<Receiver<()>>,
}

impl<T: From<Posted> + Send + 'static> Net<T> {
    /// Nothing is opened yet. What happens will be posted there.
    pub(crate) fn new(host: String, port: u16, posts: SyncSender<T>) -> Net<T> {
        Net { host, port, posts, connection: 0, outbox: None, ended: None }
    }

    /// Opens a connection. One that is open is closed.
    pub(crate) fn connect(&mut self) {
        self.close();
        let outbox = Arc::new(Outbox::default());
        let poster = Poster { connection: self.connection, posts: self.posts.clone() };
        let (host, port) = (self.host.clone(), self.port);
        self.outbox = Some(outbox.clone());
        let (end, ended) = sync_channel::<()>(0);
        self.ended = Some(ended);
        thread::spawn(move || {
            run(&host, port, &outbox, &poster);
            drop(end);
        });
    }

    /// Has these bytes sent. They are sent as soon as the network takes them.
    pub(crate) fn send(&self, bytes: Vec<u8>) {
        if let Some(outbox) = &self.outbox {
            outbox.put(bytes);
        }
    }

    /// Closes the connection, if there is one. What was to be sent is still tried to be, for a second.
    pub(crate) fn close(&mut self) {
        self.connection += 1;
        if let Some(outbox) = self.outbox.take() {
            outbox.close();
        }
    }

    /// What was posted, if it is of the present connection.
    pub(crate) fn news(&self, posted: Posted) -> Option<NetEvent> {
        (posted.connection == self.connection).then_some(posted.event)
    }
}

impl<T> Drop for Net<T> {
    fn drop(&mut self) {
        if let Some(outbox) = self.outbox.take() {
            outbox.close();
        }
        if let Some(ended) = self.ended.take() {
            // The last words are written by then, or will not be; a name is looked up for longer than anybody waits.
            let _ = ended.recv_timeout(LAST_WORDS_MAX + WRITE_MAX);
        }
    }
}

struct Poster<T> {
    connection: u64,
    posts: SyncSender<T>,
}

impl<T: From<Posted>> Poster<T> {
    /// Whether anybody is there to take it.
    fn post(&self, event: NetEvent) -> bool {
        self.posts.send(T::from(Posted { connection: self.connection, event })).is_ok()
    }
}

/// The life of a connection: opened, written to by a thread beside this one, read from by this one.
fn run<T: From<Posted> + Send>(host: &str, port: u16, outbox: &Outbox, poster: &Poster<T>) {
    let socket = match opening::open(host, port) {
        Ok(socket) => socket,
        Err(failure) => {
            poster.post(NetEvent::Disconnected(failure));
            return;
        }
    };
    if outbox.is_closed() || !poster.post(NetEvent::Connected) {
        return;
    }
    let failure = thread::scope(|scope| {
        scope.spawn(|| write(&socket, outbox));
        let failure = read(&socket, outbox, poster);
        outbox.end();
        failure
    });
    if let Some(failure) = failure {
        poster.post(NetEvent::Disconnected(failure));
    }
}

/// Until the server ends the connection; answers with why, if anybody wants to know.
fn read<T: From<Posted>>(mut socket: &TcpStream, outbox: &Outbox, poster: &Poster<T>) -> Option<Failure> {
    let mut bytes = vec![0; READ_BYTES_MAX];
    let mut unwanted_bytes = 0;
    while unwanted_bytes < UNWANTED_BYTES_MAX {
        match socket.read(&mut bytes) {
            Ok(0) => return Some(Failure::Closed),
            // Nobody is told any more; but what the server still sends is read, or the system would reset the connection, and
            // our last words could be lost with it.
            Ok(count) if outbox.is_closed() => unwanted_bytes += count,
            Ok(count) => {
                if !poster.post(NetEvent::Received(bytes[..count].to_vec())) {
                    outbox.close();
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => return Some(Failure::Silent),
            Err(error) if is_closing(error.kind()) => return Some(Failure::Closed),
            Err(error) => return Some(Failure::Other(error.to_string())),
        }
    }
    None
}

fn is_closing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
}

/// Until the connection ends, or was closed and all is written.
fn write(socket: &TcpStream, outbox: &Outbox) {
    loop {
        match outbox.take() {
            Taken::Bytes(bytes) => {
                if outbox.write(socket, &bytes).is_err() {
                    break;
                }
            }
            Taken::Last => {
                // The server sees the end, and ends its side.
                let _ = socket.shutdown(Shutdown::Write);
                outbox.wait_for_end();
                break;
            }
            Taken::Nothing => break,
        }
    }
    // The reader hears of it. It may have ended already.
    let _ = socket.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests;
