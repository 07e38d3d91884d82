//! What a server bears that nobody does in good faith, or that happens once in a thousand days.

use socketserver::{
    Address, Client, Ending, Endpoint, Error, Evented, Iterative, Listener, Output, Protocol, Request,
    RequestError, Server, ShutdownHandle, Strategy, Threading,
};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn listen() -> (Listener, Endpoint) {
    let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0").unwrap()).unwrap();
    let at = Endpoint::new(listener.transport(), listener.address().clone()).unwrap();
    (listener, at)
}

fn connect(at: &Endpoint) -> Client {
    let mut client = Client::connect(at, Some(PATIENCE)).unwrap();
    client.set_timeout(Some(PATIENCE));
    client
}

/// Sends this, and reads to the end.
fn ask(at: &Endpoint, question: &[u8]) -> Vec<u8> {
    let mut client = connect(at);
    client.write_all(question).unwrap();
    client.end().unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has ended, too.
    let _ = client.read_to_end(&mut answer);
    answer
}

type Running = (ShutdownHandle, JoinHandle<Result<(), Error>>);

fn run<H, S>(mut server: Server<H, S>) -> Running
where
    H: Send + Sync + 'static,
    S: Strategy<H> + Send + 'static,
{
    let handle = server.shutdown_handle();
    (handle, std::thread::spawn(move || server.serve_forever()))
}

/// Panics when it is dropped.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("told to panic: dropped");
    }
}

impl std::fmt::Display for Bomb {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

struct Throws;

impl Protocol for Throws {
    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        match bytes {
            b"panic" => std::panic::panic_any(Bomb),
            b"fail" => out.fail(Bomb),
            _ => out.send(bytes),
        }
    }
}

fn throws(request: &mut Request) -> io::Result<()> {
    let mut bytes = Vec::new();
    request.reader.read_to_end(&mut bytes)?;
    match &bytes[..] {
        b"panic" => std::panic::panic_any(Bomb),
        b"fail" => Err(io::Error::other(Bomb)),
        _ => request.writer.write_all(&bytes),
    }
}

fn assert_survives_bombs(at: &Endpoint, (handle, thread): Running) {
    for question in [b"panic".as_slice(), b"fail"] {
        ask(at, question);
        assert_eq!(ask(at, b"hello"), b"hello");
    }
    handle.shutdown();
    thread.join().expect("the server has not panicked").unwrap();
}

#[test]
fn what_a_handler_throws_may_panic_once_more() {
    let make = |_: &Address| Throws;
    let (listener, at) = listen();
    assert_survives_bombs(&at, run(Server::sans_io(listener, Evented::default(), make).unwrap()));
    let (listener, at) = listen();
    assert_survives_bombs(&at, run(Server::sans_io(listener, Iterative, make).unwrap()));
    let (listener, at) = listen();
    assert_survives_bombs(&at, run(Server::blocking(listener, Iterative, throws).unwrap()));
    let (listener, at) = listen();
    assert_survives_bombs(&at, run(Server::blocking(listener, Threading::default(), throws).unwrap()));
}

/// Panics when it is called, and once more when it is dropped.
struct PanicsTwice;

impl Protocol for PanicsTwice {
    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        assert!(bytes != b"panic", "told to panic");
        out.send(bytes);
    }
}

impl Drop for PanicsTwice {
    fn drop(&mut self) {
        panic!("told to panic: dropped");
    }
}

/// In one unwinding that would be the end of the process.
#[test]
fn protocol_may_panic_and_panic_again_when_it_is_dropped() {
    let make = |_: &Address| PanicsTwice;
    for endpoint in [Endpoint::tcp("127.0.0.1:0").unwrap(), Endpoint::udp("127.0.0.1:0").unwrap()] {
        let listener = Listener::open(&endpoint).unwrap();
        let at = Endpoint::new(listener.transport(), listener.address().clone()).unwrap();
        let (handle, thread) = run(Server::sans_io(listener, Evented::default(), make).unwrap());
        connect(&at).write_all(b"panic").unwrap();
        let mut client = connect(&at);
        client.write_all(b"hello").unwrap();
        client.read_exact(&mut [0; 5]).unwrap();
        handle.shutdown();
        thread.join().expect("the server has not panicked").unwrap();
    }
}

#[test]
fn what_a_hook_throws_may_panic_once_more() {
    let (listener, at) = listen();
    let server = Server::sans_io(listener, Evented::default(), |_: &Address| Throws).unwrap();
    let come = AtomicUsize::new(0);
    let server = server.verify_request(move |_| match come.fetch_add(1, Ordering::SeqCst) {
        0 => std::panic::panic_any(Bomb),
        _ => true,
    });
    let server = server.handle_error(|_: &RequestError, _| std::panic::panic_any(Bomb));
    let (handle, thread) = run(server);
    assert_eq!(ask(&at, b"hello"), b"");
    assert_eq!(ask(&at, b"hello"), b"hello");
    handle.shutdown();
    thread.join().expect("the server has not panicked").unwrap();
}

/// Its handler would wait for its client for ever, and the thread with it.
#[test]
fn request_of_a_dropped_server_ends_with_the_grace() {
    let (listener, at) = listen();
    let reports = Arc::new(AtomicUsize::new(0));
    let reported = reports.clone();
    let mut server = Server::blocking(listener, Threading::default(), throws)
        .unwrap()
        .grace(Duration::ZERO)
        .handle_error(move |_, _| {
            reported.fetch_add(1, Ordering::SeqCst);
        });
    let mut client = connect(&at);
    server.handle_request().unwrap();
    drop(server);
    assert_eq!(reports.load(Ordering::SeqCst), 1);
    assert_eq!(client.read(&mut [0; 1]).expect("an orderly end"), 0);
}

struct Tells(Sender<Ending>);

impl Protocol for Tells {
    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        out.send(bytes);
    }

    fn closed(&mut self, ending: Ending) {
        self.0.send(ending).unwrap();
    }
}

#[test]
fn conversations_are_told_when_the_server_ends_with_an_error() {
    let (listener, at) = listen();
    let (endings, told) = channel();
    let make = move |_: &Address| Tells(endings.clone());
    let server = Server::sans_io(listener, Evented::default(), make).unwrap();
    let listening = server.as_fd().try_clone_to_owned().unwrap();
    let (_, thread) = run(server);
    let mut client = connect(&at);
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    rustix::net::shutdown(&listening, rustix::net::Shutdown::Both).unwrap();
    thread.join().unwrap().unwrap_err();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Ending::Shutdown]);
}

/// It stays readable for ever, and nothing can be read from it.
#[test]
fn listener_that_was_shut_down_ends_its_server() {
    let make = |_: &Address| Throws;
    let (listener, _) = listen();
    assert_ends_when_shut_down(Server::sans_io(listener, Iterative, make).unwrap());
    let (listener, _) = listen();
    assert_ends_when_shut_down(Server::sans_io(listener, Evented::default(), make).unwrap());
}

fn assert_ends_when_shut_down<H, S>(server: Server<H, S>)
where
    H: Send + Sync + 'static,
    S: Strategy<H> + Send + 'static,
{
    rustix::net::shutdown(&server, rustix::net::Shutdown::Both).unwrap();
    let (_, thread) = run(server);
    let error = thread.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::System { .. }), "{error}");
}

/// Without a farewell what the client still sends would meet a closed socket, and the reset would destroy the answer.
#[test]
fn answer_that_comes_before_the_end_of_the_question_arrives() {
    let (listener, at) = listen();
    let server = Server::blocking(listener, Threading::up_to(2), |request: &mut Request| {
        request.reader.read_exact(&mut [0; 1])?;
        request.writer.write_all(b"too long, thank you")
    });
    let (handle, running) = run(server.unwrap());
    for _ in 0..5 {
        assert_eq!(ask(&at, &vec![b'x'; 4 * 1024 * 1024]), b"too long, thank you");
    }
    handle.shutdown();
    running.join().unwrap().unwrap();
}
