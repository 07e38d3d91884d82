//! Clients: connecting with and without waiting, and every way in which that ends.

#[path = "shared/places.rs"]
#[expect(dead_code, reason = "the table uses the rest")]
mod places;

use eventloop::{Events, Interest, Poller, Token};
use places::{PATIENCE, Place, Scratch, connect, payload};
use rustix::io::Errno;
use socketserver::{Client, Connecting, Endpoint, Error, ListenOptions, Listener};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::time::Duration;

/// A port that nobody listens at: it was just given back.
fn closed_port() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Endpoint::tcp(listener.local_addr().unwrap()).unwrap()
}

#[test]
fn refused_connection_is_told_with_the_address() {
    let endpoint = closed_port();
    let error = Client::connect(&endpoint, Some(PATIENCE)).unwrap_err();
    assert_eq!(error.to_string(), format!("connecting to {endpoint}: Connection refused (os error 111)"));
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn missing_socket_file_is_told() {
    let scratch = Scratch::new();
    let error = Client::connect(&Place::StreamPath.endpoint(&scratch), None).unwrap_err();
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
}

#[test]
fn attempt_that_fails_later_leaves_its_error_code() {
    let connecting = match Connecting::begin(&closed_port()) {
        Ok(connecting) => connecting,
        // The kernel may know at once.
        Err(error) => return assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused),
    };
    await_writable(&connecting);
    assert_eq!(connecting.error_code().unwrap(), Errno::CONNREFUSED.raw_os_error());
    assert_eq!(connecting.error_code().unwrap(), 0, "it is told once");
    assert_eq!(connecting.finish().unwrap_err().kind(), io::ErrorKind::NotConnected);
}

#[test]
fn attempt_that_succeeds_becomes_a_client() {
    for place in Place::ALL {
        let scratch = Scratch::new();
        let listener = Listener::open(&place.endpoint(&scratch)).unwrap();
        let connecting = Connecting::begin(&place.way_to(listener.address())).unwrap();
        await_writable(&connecting);
        assert_eq!(connecting.error_code().unwrap(), 0, "{place}");
        connecting.finish().unwrap_or_else(|error| panic!("{place}: {error}"));
    }
}

fn await_writable(connecting: &Connecting) {
    let poller = Poller::new().unwrap();
    poller.register(connecting, Token(1), Interest::WRITE).unwrap();
    let mut events = Events::with_capacity(1);
    poller.poll(&mut events, Some(PATIENCE)).unwrap();
    assert_eq!(events.iter().count(), 1, "the attempt ends");
    poller.unregister(connecting).unwrap();
}

#[test]
fn full_backlog_is_waited_for_as_long_as_the_timeout() {
    let scratch = Scratch::new();
    let endpoint = Place::StreamPath.endpoint(&scratch);
    let options = ListenOptions { backlog: 0, ..ListenOptions::default() };
    let _listener = Listener::open_with(&endpoint, options).unwrap();
    let _waiting = connect(&endpoint);
    let error = Client::connect(&endpoint, Some(Duration::from_millis(20))).unwrap_err();
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
}

#[test]
fn client_gets_in_when_the_backlog_has_room() {
    let scratch = Scratch::new();
    let endpoint = Place::StreamPath.endpoint(&scratch);
    let options = ListenOptions { backlog: 0, ..ListenOptions::default() };
    let listener = Listener::open_with(&endpoint, options).unwrap();
    let _waiting = connect(&endpoint);
    let accepting = std::thread::spawn(move || {
        let listener: UnixListener = rustix::io::dup(&listener).unwrap().into();
        listener.set_nonblocking(false).unwrap();
        [listener.accept().unwrap(), listener.accept().unwrap()]
    });
    Client::connect(&endpoint, Some(PATIENCE)).unwrap();
    accepting.join().unwrap();
}

#[test]
fn every_address_of_a_name_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [closed_port().address().inet().unwrap(), listener.local_addr().unwrap()];
    Client::connect(&Endpoint::tcp(&addresses[..]).unwrap(), Some(PATIENCE)).unwrap();
}

#[test]
fn name_without_an_address_is_no_endpoint() {
    let error = Endpoint::tcp(&[][..]).unwrap_err();
    assert!(matches!(error, Error::NoEndpoint(_)), "{error:?}");
}

fn connected() -> (Client, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = connect(&Endpoint::tcp(listener.local_addr().unwrap()).unwrap());
    (client, listener.accept().unwrap().0)
}

#[test]
fn silent_server_ends_a_read_with_the_timeout() {
    let (mut client, _server) = connected();
    client.set_timeout(Some(Duration::from_millis(10)));
    assert_eq!(client.read(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[test]
fn server_that_does_not_read_ends_a_write_with_the_timeout() {
    let (mut client, _server) = connected();
    client.set_timeout(Some(Duration::from_millis(10)));
    let error = client.write_all(&vec![0; 64 * 1024 * 1024]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn everything_is_sent_to_a_server_that_reads_late() {
    let (mut client, mut server) = connected();
    let sent = payload(16 * 1024 * 1024);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            client.write_all(&sent).unwrap();
            client.end().unwrap();
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert!(received == sent);
    });
}

#[test]
fn server_that_has_gone_is_an_error_and_no_signal() {
    let (mut client, server) = connected();
    drop(server);
    let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    let error = (0..1000).find_map(|_| client.write(b"anybody there?").err()).unwrap();
    assert!(kinds.contains(&error.kind()), "{error}");
}
