//! What goes well: answers, large and empty ones, many clients, one request at a time.

use crate::cells::{Cell, REQUESTS_MAX, Setup, Visitor};
use crate::places::{Place, RECORD_BYTES_MAX, ask, connect, payload, read_all, read_message};
use crate::runner::Verdict;
use crate::servant::{GATHER, Note, Notes, Servant, WHO};
use rustix::net::SocketAddrUnix;
use socketserver::{Client, Served, Server, Strategy, Transport};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) fn echo(cell: &Cell) -> Verdict {
    let server = cell.start(Setup::default());
    for _ in 0..3 {
        server.assert_serves();
    }
    let mut client = server.connect();
    for question in [b"one".as_slice(), b"two", b"three"] {
        assert_eq!(ask(&mut client, question).unwrap(), question);
    }
    drop(client);
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn client_is_known_by_its_address(cell: &Cell) -> Verdict {
    let server = cell.start(Setup::default());
    let mut client = server.connect();
    let known_as = String::from_utf8(ask(&mut client, WHO).unwrap()).unwrap();
    let own = rustix::net::getsockname(&client).unwrap();
    let own = match (cell.place, SocketAddr::try_from(own.clone())) {
        (Place::TcpDual, Ok(own)) => format!("[::ffff:127.0.0.1]:{}", own.port()),
        (_, Ok(own)) => own.to_string(),
        // The name that the system has chosen for it, so that it can be answered.
        (Place::DatagramPath | Place::DatagramName, Err(_)) => {
            let own = SocketAddrUnix::try_from(own).unwrap();
            format!("@{}", own.abstract_name().unwrap().escape_ascii())
        }
        (_, Err(_)) => "(unnamed)".to_owned(),
    };
    assert_eq!(known_as, own);
    drop(client);
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn large_payload_arrives_whole(cell: &Cell) -> Verdict {
    let server = cell.start(Setup::default());
    if cell.place.is_stream() {
        both_ways_at_once(server.connect());
        read_late(server.connect());
    } else {
        let largest = payload(cell.place.message_bytes_max());
        let mut client = server.connect();
        assert!(ask(&mut client, &largest).unwrap() == largest, "the largest message comes back");
    }
    server.stop_without_errors();
    Verdict::Passed
}

const LARGE_BYTES: usize = 2 * 1024 * 1024;

fn both_ways_at_once(client: Client) {
    let sent = payload(LARGE_BYTES);
    let other_way = client.as_fd().try_clone_to_owned().unwrap();
    let mut client = client;
    std::thread::scope(|scope| {
        let sent = &sent;
        scope.spawn(move || {
            let mut rest = &sent[..];
            while !rest.is_empty() {
                match rustix::net::send(&other_way, rest, rustix::net::SendFlags::NOSIGNAL) {
                    Ok(count) => rest = &rest[count..],
                    Err(rustix::io::Errno::AGAIN) => {
                        let mut room =
                            [rustix::event::PollFd::new(&other_way, rustix::event::PollFlags::OUT)];
                        rustix::event::poll(&mut room, None).unwrap();
                    }
                    Err(errno) => panic!("the server takes no more: {errno}"),
                }
            }
            rustix::net::shutdown(&other_way, rustix::net::Shutdown::Write).unwrap();
        });
        let received = read_all(&mut client).unwrap();
        assert!(received == *sent, "{} of {} bytes came back", received.len(), sent.len());
    });
}

/// The client sends everything before it reads anything.
fn read_late(mut client: Client) {
    let sent = payload(2 * LARGE_BYTES);
    assert_eq!(ask(&mut client, GATHER).unwrap(), GATHER);
    client.write_all(&sent).unwrap();
    client.end().unwrap();
    let received = read_all(&mut client).unwrap();
    assert!(received == sent, "{} of {} bytes came back", received.len(), sent.len());
}

pub(crate) fn message_that_is_too_long_is_told(cell: &Cell) -> Verdict {
    let told = match cell.place.transport() {
        Transport::Tcp | Transport::UnixStream => {
            return Verdict::DoesNotApply("a stream has no messages");
        }
        Transport::Udp => return Verdict::DoesNotApply("UDP sends none that would not be received"),
        Transport::UnixDatagram => "cannot take a request",
        Transport::UnixSeqpacket => "the request failed",
    };
    let server = cell.start(Setup::default());
    let mut client = server.connect();
    client.write_all(&payload(RECORD_BYTES_MAX + 1)).unwrap();
    let text = "a datagram or record of 65537 bytes is longer than what is received at once";
    server.await_note(&Note::Error(format!("{told}: {text}")));
    if cell.place.transport().has_connections() {
        assert_eq!(read_all(&mut client).unwrap(), b"");
    }
    server.assert_serves();
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn empty_datagram_is_answered(cell: &Cell) -> Verdict {
    if cell.place.transport() == Transport::UnixSeqpacket {
        return Verdict::DoesNotApply("an empty record cannot be told from the end of the connection");
    }
    if cell.place.is_stream() {
        return Verdict::DoesNotApply("a stream has no messages");
    }
    let server = cell.start(Setup::default());
    let mut client = server.connect();
    // `write_all` would send nothing for nothing.
    assert_eq!(client.write(b"").unwrap(), 0);
    assert_eq!(client.read(&mut [0; 16]).expect("an empty answer"), 0);
    assert_eq!(ask(&mut client, b"next").unwrap(), b"next");
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn more_clients_than_the_bound(cell: &Cell) -> Verdict {
    let server = cell.start(Setup::default());
    if !cell.place.is_datagram() && !cell.way.is_iterative() {
        let mut held: Vec<Client> = (0..REQUESTS_MAX).map(|_| server.connect()).collect();
        for client in &mut held {
            assert_eq!(ask(client, b"held").unwrap(), b"held");
        }
        let mut waiting = server.connect();
        waiting.write_all(b"waiting").unwrap();
        drop(held.pop());
        assert_eq!(read_message(&mut waiting).unwrap(), b"waiting");
        drop(held);
    }
    let mut clients: Vec<Client> = (0..4 * REQUESTS_MAX).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&[b'a' + number as u8]).unwrap();
        client.end().unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(read_message(client).unwrap(), [b'a' + number as u8]);
    }
    let gauge = server.gauge.clone();
    server.stop_without_errors();
    let bound = if cell.way.is_iterative() { 1 } else { REQUESTS_MAX };
    assert!(gauge.most() <= bound, "{} at a time", gauge.most());
    Verdict::Passed
}

pub(crate) fn refused_client_costs_nobody(cell: &Cell) -> Verdict {
    let has_refused = AtomicBool::new(false);
    let admits = move |_: &_| has_refused.swap(true, Ordering::SeqCst);
    let server = cell.start(Setup { admits: Box::new(admits), ..Setup::default() });
    let mut refused = server.connect();
    if cell.place.is_datagram() {
        refused.write_all(b"refused").unwrap();
    } else {
        assert_eq!(read_all(&mut refused).unwrap(), b"");
    }
    server.assert_serves();
    server.shut_down();
    let notes = server.await_end();
    let opened = notes.iter().filter(|note| **note == Note::Opened).count();
    assert_eq!(opened, 1, "only the second client meets a handler: {notes:?}");
    Verdict::Passed
}

pub(crate) fn handle_request_handles_one(cell: &Cell) -> Verdict {
    let (notes, all_notes) = Notes::new();
    let setup = Setup { timeout: Some(Duration::from_millis(20)), ..Setup::default() };
    cell.build(Servant::new(cell.place, notes.clone()), &notes, setup, OneByOne { cell });
    let told = all_notes.try_iter().filter(|note| !matches!(note, Note::Closed(_)));
    assert_eq!(told.collect::<Vec<_>>(), [Note::NobodyCame, Note::Opened, Note::Opened, Note::NobodyCame]);
    Verdict::Passed
}

struct OneByOne<'c> {
    cell: &'c Cell,
}

impl Visitor for OneByOne<'_> {
    type Outcome = ();

    fn visit<H, S>(self, mut server: Server<H, S>)
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static,
    {
        let at = self.cell.place.way_to(server.server_address());
        assert_eq!(server.handle_request().unwrap(), Served::Nothing, "nobody is there");
        let mut clients = [connect(&at), connect(&at)];
        for client in &mut clients {
            client.write_all(b"hello").unwrap();
            client.end().unwrap();
        }
        for client in &mut clients {
            assert_eq!(server.handle_request().unwrap(), Served::Request);
            assert_eq!(read_message(client).unwrap(), b"hello");
        }
        assert_eq!(server.handle_request().unwrap(), Served::Nothing, "everybody was served");
        let handle = server.shutdown_handle();
        handle.shutdown();
        assert_eq!(server.handle_request().unwrap(), Served::Nothing, "it was asked to stop");
    }
}
