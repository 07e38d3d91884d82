//! Clients in processes of their own, for servers that have no second thread to run them in. And one server, to be killed.
//!
//! A helper is this program with other arguments. A client does its part, and has the server, its parent, stop at the end, or
//! before. It fails by panicking.

use crate::places::{Place, ask, assert_serves, connect, payload, read_all, read_message, vanish};
use crate::servant::{BEFORE, FAIL, PANIC, POUR, poured};
use rustix::process::{Signal, getppid, kill_process};
use socketserver::{Client, Endpoint, Forking, Listener, Request, Server};
use std::io::{self, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

/// The word that makes the program be a helper.
pub(crate) const HELPER: &str = "--helper";

/// Starts a client of this kind.
pub(crate) fn start(kind: &str, place: Place, server: &Endpoint) -> Child {
    command(kind, place, server).spawn().unwrap()
}

pub(crate) fn command(kind: &str, place: Place, server: &Endpoint) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let own = std::process::id().to_string();
    command.args([HELPER, kind, &place.to_string(), &server.to_string(), &own]);
    command.stdin(Stdio::null());
    command
}

/// Waits for the end of one that was to do its part.
pub(crate) fn assert_did_its_part(mut helper: Child) {
    let status = helper.wait().unwrap();
    assert!(status.success(), "the helper: {status}");
}

pub(crate) fn be(kind: &str, place: &str, address: &str, parent: &str) -> ExitCode {
    let place = Place::ALL.into_iter().find(|known| known.to_string() == place).unwrap();
    let server: Endpoint = address.parse().unwrap();
    match kind {
        "server" => forking_server(&server),
        "printer" => printing_server(&server),
        "failing" => failing_server(&server),
        _ => be_client(kind, place, &server, &Parent(parent.parse().unwrap())),
    }
    ExitCode::SUCCESS
}

fn be_client(kind: &str, place: Place, server: &Endpoint, parent: &Parent) {
    let _stop = StopsTheServer(parent);
    match kind {
        "reader" => read_after_the_signal(server, parent),
        "idler" => idle_through_the_signal(server, parent),
        "crowd" => crowd(place, server, ROUNDS),
        "small_crowd" => crowd(place, server, WARM_UP_ROUNDS),
        "storm" => storm(place, server, parent),
        "two" => two_clients(server),
        "three" => three_clients(server),
        "three_at_once" => three_clients_at_once(server),
        _ => panic!("there is no helper {kind}"),
    }
}

/// The process with the server.
struct Parent(i32);

impl Parent {
    /// Sends it a signal, if it is still there: its number could have become somebody else's.
    fn signal(&self, signal: Signal) {
        if let Some(parent) = getppid().filter(|parent| parent.as_raw_pid() == self.0) {
            kill_process(parent, signal).unwrap();
        }
    }

    fn stop(&self) {
        self.signal(Signal::TERM);
    }
}

/// The parent hears of a helper that fails when its server has stopped.
struct StopsTheServer<'p>(&'p Parent);

impl Drop for StopsTheServer<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Has a large answer begun, has the server stop, and reads it to its end.
fn read_after_the_signal(server: &Endpoint, parent: &Parent) {
    let mut client = connect(server);
    client.write_all(POUR).unwrap();
    let mut received = read_message(&mut client).unwrap();
    parent.stop();
    received.extend(read_all(&mut client).unwrap());
    assert!(received == poured(), "{} bytes came", received.len());
}

/// Says something, and then nothing more, until the server ends.
fn idle_through_the_signal(server: &Endpoint, parent: &Parent) {
    let mut client = connect(server);
    assert_eq!(ask(&mut client, b"hello").unwrap(), b"hello");
    parent.stop();
    assert_eq!(read_message(&mut client).unwrap(), b"");
}

/// How many times each kind of client comes.
pub(crate) const ROUNDS: usize = 1000;
pub(crate) const WARM_UP_ROUNDS: usize = 25;

/// How many requests come in each round. The server refuses the last one.
pub(crate) const fn requests_of_a_round(place: Place) -> usize {
    if place.is_datagram() { 5 } else { 6 }
}

/// One after the other: a client that is served, one whose handler panics, one whose handler fails, one that vanishes, one that
/// vanishes with an answer on its way, and one that is refused. With datagrams, who vanishes without a word has never come.
fn crowd(place: Place, server: &Endpoint, rounds: usize) {
    for _ in 0..rounds {
        assert_serves(server);
        for (word, answer) in [(PANIC, b"".as_slice()), (FAIL, BEFORE)] {
            let mut client = connect(server);
            client.write_all(word).unwrap();
            if !place.is_datagram() {
                assert_eq!(read_all(&mut client).unwrap(), answer);
            }
        }
        vanish(connect(server));
        let mut client = connect(server);
        let mut refused = connect(server);
        if place.is_datagram() {
            client.write_all(b"hello").unwrap();
            refused.write_all(b"hello").unwrap();
        } else {
            client.write_all(POUR).unwrap();
            read_message(&mut client).unwrap();
        }
        vanish(client);
        if !place.is_datagram() {
            assert_eq!(read_all(&mut refused).unwrap(), b"");
        }
    }
}

/// Sends large things, and interrupts the server before each part and while it is at work on it.
fn storm(place: Place, at: &Endpoint, parent: &Parent) {
    let is_over = AtomicBool::new(false);
    let (begins, has_begun) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                parent.signal(Signal::USR1);
                // Only the first one is waited for.
                let _ = begins.send(());
            }
        });
        has_begun.recv().unwrap();
        let is_over = SetsAtTheEnd(&is_over);
        for _ in 0..3 {
            send_and_receive(place, at);
        }
        drop(is_over);
    });
}

/// Else a failure would leave the storm without an end.
struct SetsAtTheEnd<'a>(&'a AtomicBool);

impl Drop for SetsAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

const PART_BYTES: usize = 32 * 1024;

fn send_and_receive(place: Place, at: &Endpoint) {
    let mut client = connect(at);
    let parts = if place.is_datagram() { 1 } else { 16 };
    for part in payload(parts * PART_BYTES).chunks(PART_BYTES) {
        client.write_all(part).unwrap();
        let mut received = Vec::new();
        while received.len() < part.len() {
            received.extend(read_message(&mut client).unwrap());
        }
        assert!(received == part);
    }
}

/// The first cannot be watched.
fn two_clients(server: &Endpoint) {
    assert_eq!(read_all(&mut connect(server)).unwrap(), b"");
    assert_serves(server);
}

/// The first is served. The server refuses the second, and has no descriptor for the third at first.
fn three_clients(server: &Endpoint) {
    assert_serves(server);
    assert_eq!(read_all(&mut connect(server)).unwrap(), b"");
    assert_serves(server);
}

/// The server has no threads for the first two at first.
fn three_clients_at_once(server: &Endpoint) {
    let mut clients = [connect(server), connect(server), connect(server)];
    let answers = clients.each_mut().map(|client| read_message(client).unwrap_or_default());
    assert_eq!(answers, [b"".as_slice(), b"", b"hello"]);
}

fn echo(request: &mut Request) -> io::Result<()> {
    io::copy(&mut request.reader, &mut request.writer)?;
    Ok(())
}

/// A forking echo, which says on its standard output that it listens.
fn forking_server(endpoint: &Endpoint) {
    let listener = Listener::open(endpoint).unwrap();
    println!("{}", listener.address());
    let mut server = Server::blocking(listener, Forking::default(), echo).unwrap();
    server.serve_forever().unwrap();
}

/// Fails at every request, and says on its standard error how often.
fn failing_server(endpoint: &Endpoint) {
    let fails = |_: &mut Request| -> io::Result<()> { Err(io::Error::other("told to fail")) };
    let listener = Listener::open(endpoint).unwrap();
    println!("{}", listener.address());
    let mut server = Server::blocking(listener, Forking::default(), fails).unwrap();
    server.shutdown_handle().shutdown_on_termination().unwrap();
    server.serve_forever().unwrap();
}

/// Prints before the fork, in the child, and after it. What is printed has no end of line, so it stays in the buffer.
fn printing_server(endpoint: &Endpoint) {
    let printing = |request: &mut Request| -> io::Result<()> {
        print!("[child]");
        let mut message = [0; 4];
        io::Read::read_exact(&mut request.reader, &mut message)?;
        if &message == b"exit" {
            std::process::exit(0);
        }
        Ok(())
    };
    let listener = Listener::open(endpoint).unwrap();
    let at = Endpoint::new(listener.transport(), listener.address().clone()).unwrap();
    let mut server = Server::blocking(listener, Forking::default(), printing).unwrap();
    for message in [b"stay", b"exit"] {
        print!("[parent]");
        let mut client: Client = connect(&at);
        client.write_all(message).unwrap();
        server.handle_request().unwrap();
        assert_eq!(read_all(&mut client).unwrap(), b"");
    }
    drop(server);
    print!("[end]");
}
