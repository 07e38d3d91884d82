//! What goes wrong in one request, and costs that request only.

use crate::cells::{Cell, Setup};
use crate::places::{ask, read_all, read_message, vanish};
use crate::runner::Verdict;
use crate::servant::{BEFORE, FAIL, Note, PANIC, POUR};
use socketserver::{Client, Transport};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) fn vanishing_client_costs_nobody(cell: &Cell) -> Verdict {
    let server = cell.start(Setup::default());
    vanish(server.connect());
    let mut client = server.connect();
    client.write_all(b"hello").unwrap();
    vanish(client);
    if !cell.place.is_datagram() {
        let mut client = server.connect();
        client.write_all(POUR).unwrap();
        read_message(&mut client).unwrap();
        vanish(client);
    }
    for _ in 0..3 {
        server.assert_serves();
    }
    for error in server.stop() {
        assert!(error.starts_with("the request failed"), "{error}");
    }
    Verdict::Passed
}

pub(crate) fn panic_costs_one_request(cell: &Cell) -> Verdict {
    costs_one_request(cell, PANIC, b"", "the handler panicked: told to panic")
}

pub(crate) fn error_costs_one_request(cell: &Cell) -> Verdict {
    costs_one_request(cell, FAIL, BEFORE, "the request failed: told to fail")
}

/// The client that tells the handler to do so gets what was sent before, and the end. A bystander notices nothing, and the
/// hook hears of it once.
fn costs_one_request(cell: &Cell, word: &[u8], before: &[u8], told: &str) -> Verdict {
    let server = cell.start(Setup::default());
    let mut bystander = (!cell.way.is_iterative()).then(|| server.connect());
    assert_bystander_is_served(&mut bystander);
    let mut client = server.connect();
    client.write_all(word).unwrap();
    if !cell.place.is_datagram() {
        assert_eq!(read_all(&mut client).unwrap(), before);
    } else if !before.is_empty() {
        assert_eq!(read_message(&mut client).unwrap(), before);
    }
    server.await_note(&Note::Error(told.to_owned()));
    assert_bystander_is_served(&mut bystander);
    drop((client, bystander));
    server.assert_serves();
    server.stop_without_errors();
    Verdict::Passed
}

fn assert_bystander_is_served(bystander: &mut Option<Client>) {
    if let Some(client) = bystander {
        assert_eq!(ask(client, b"still there").unwrap(), b"still there");
    }
}

pub(crate) fn panicking_hook_costs_one_request(cell: &Cell) -> Verdict {
    let has_panicked = AtomicBool::new(false);
    let admits = move |_: &_| {
        assert!(has_panicked.swap(true, Ordering::SeqCst), "told to panic");
        true
    };
    let server = cell.start(Setup { admits: Box::new(admits), ..Setup::default() });
    let mut client = server.connect();
    if cell.place.is_datagram() {
        client.write_all(b"hello").unwrap();
    } else {
        assert_eq!(read_all(&mut client).unwrap(), b"");
    }
    server.await_note(&Note::Error("the handler panicked: told to panic".to_owned()));
    server.assert_serves();
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn client_without_address_is_told_of(cell: &Cell) -> Verdict {
    if cell.place.transport() != Transport::UnixDatagram {
        return Verdict::DoesNotApply("only a client with Unix datagrams can be without an address");
    }
    let server = cell.start(Setup::default());
    let client = std::os::unix::net::UnixDatagram::unbound().unwrap();
    connect_unbound(&client, &server.at);
    client.send(b"hello").unwrap();
    let told = "the client has no address to reply to: a local one has to bind its socket first";
    server.await_note(&Note::Error(format!("the request failed: {told}")));
    server.assert_serves();
    server.stop_without_errors();
    Verdict::Passed
}

fn connect_unbound(client: &std::os::unix::net::UnixDatagram, server: &socketserver::Endpoint) {
    use rustix::net::SocketAddrUnix;
    use socketserver::Address;
    let address = match server.address() {
        Address::Path(path) => SocketAddrUnix::new(path.as_path()).unwrap(),
        Address::Abstract(name) => SocketAddrUnix::new_abstract_name(name).unwrap(),
        address => panic!("{address} is not local"),
    };
    rustix::net::connect(client, &address).unwrap();
}
