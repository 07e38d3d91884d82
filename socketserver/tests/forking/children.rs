//! The forking strategy.
//!
//! A client that lives in the server's own process has copies in every child that is forked meanwhile. So it is ended, which
//! all copies feel, and not just dropped.

use crate::cells::{Cell, Kind, Setup, Visitor, Way};
use crate::helpers;
use crate::own;
use crate::places::{PATIENCE, Place, Scratch, ask, connect, read_all, read_message};
use crate::servant::{BEFORE, FAIL, Note, Notes, PANIC, Servant};
use rustix::process::{Pid, Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};
use socketserver::{Address, Client, Endpoint, Error, Forking, Listener, Request, Served, Server, Strategy};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Both kinds of handler at every place.
fn cells() -> impl Iterator<Item = Cell> {
    let kinds = [Kind::Blocking, Kind::SansIo];
    let cells = Place::ALL.into_iter().flat_map(move |place| kinds.map(|kind| (place, kind)));
    cells.map(|(place, kind)| Cell::new(place, Way::Forking(kind)))
}

/// Makes a cell's server, has it handle requests as the function says, waits for the children, and gives what was noted in
/// the parent.
fn noted_in(cell: &Cell, setup: Setup, requests: impl FnOnce(&Endpoint, &mut dyn Handles)) -> Vec<Note> {
    let (notes, told) = Notes::new();
    cell.build(Servant::new(cell.place, notes.clone()), &notes, setup, With { cell, requests });
    told.try_iter().collect()
}

/// A server of any type.
trait Handles {
    fn handle(&mut self) -> Result<Served, Error>;
}

impl<H, S: Strategy<H>> Handles for Server<H, S> {
    fn handle(&mut self) -> Result<Served, Error> {
        self.handle_request()
    }
}

struct With<'c, R> {
    cell: &'c Cell,
    requests: R,
}

impl<R: FnOnce(&Endpoint, &mut dyn Handles)> Visitor for With<'_, R> {
    type Outcome = ();

    fn visit<H, S>(self, mut server: Server<H, S>)
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static,
    {
        let at = self.cell.place.way_to(server.server_address());
        (self.requests)(&at, &mut server);
    }
}

pub(crate) fn forked_echo_over_every_transport() {
    for cell in cells() {
        let noted = noted_in(&cell, Setup::default(), |at, server| {
            let mut clients: Vec<Client> = (0..3).map(|_| connect(at)).collect();
            for client in &mut clients {
                client.write_all(b"hello").unwrap();
                client.end().unwrap();
            }
            for _ in &clients {
                assert_eq!(server.handle().unwrap(), Served::Request, "{cell}");
            }
            for client in &mut clients {
                assert_eq!(read_message(client).unwrap(), b"hello", "{cell}");
            }
        });
        assert_eq!(noted, [], "{cell}: everything happens in the child");
        assert!(!own::has_children(), "{cell}");
    }
}

pub(crate) fn forked_answer_to_an_empty_datagram_is_empty() {
    for cell in cells().filter(|cell| cell.place.is_datagram()) {
        let told = noted_in(&cell, Setup::default(), |at, server| {
            let mut client = connect(at);
            assert_eq!(client.write(b"").unwrap(), 0);
            server.handle().unwrap();
            assert_eq!(client.read(&mut [0; 16]).expect("an empty answer"), 0, "{cell}");
        });
        assert_eq!(told, [], "{cell}");
    }
}

pub(crate) fn silent_client_of_a_child_is_timed_out() {
    for cell in cells().filter(|cell| !cell.place.is_datagram()) {
        let setup = Setup { request_timeout: Some(Duration::from_millis(20)), ..Setup::default() };
        let told = noted_in(&cell, setup, |at, server| {
            let mut client = connect(at);
            server.handle().unwrap();
            assert_eq!(read_all(&mut client).unwrap(), b"", "{cell}");
        });
        let expected = match cell.way {
            Way::Forking(Kind::Blocking) => {
                vec![Note::Error("the request failed: the client took too long".to_owned())]
            }
            // A protocol is told itself.
            _ => vec![],
        };
        assert_eq!(told, expected, "{cell}");
    }
}

pub(crate) fn panics_and_errors_reach_the_parent() {
    own::silence_expected_panics();
    for cell in cells() {
        for (word, before, told) in [
            (PANIC, b"".as_slice(), "the handler panicked: told to panic"),
            (FAIL, BEFORE, "the request failed: told to fail"),
        ] {
            let whose = Arc::new(Mutex::new(None));
            let noted_whose = whose.clone();
            let on_error = move |_: &_, client: Option<&Address>| {
                *noted_whose.lock().unwrap() = client.map(ToString::to_string);
            };
            let setup = Setup { on_error: Box::new(on_error), ..Setup::default() };
            let mut own_name = None;
            let noted = noted_in(&cell, setup, |at, server| {
                let mut client = connect(at);
                client.write_all(word).unwrap();
                server.handle().unwrap();
                if !cell.place.is_datagram() {
                    assert_eq!(read_all(&mut client).unwrap(), before, "{cell}");
                } else if !before.is_empty() {
                    assert_eq!(read_message(&mut client).unwrap(), before, "{cell}");
                }
                client.end().unwrap();
                let name = rustix::net::getsockname(&client).unwrap();
                own_name = std::net::SocketAddr::try_from(name).ok().map(|name| name.port().to_string());
            });
            assert_eq!(noted, [Note::Error(told.to_owned())], "{cell}");
            let whose = whose.lock().unwrap().take().expect("a client");
            assert!(own_name.is_none_or(|port| whose.ends_with(&port)), "{cell}: {whose}");
        }
    }
}

/// All children fail at once and with long texts, more than the way to the parent holds.
pub(crate) fn no_report_is_lost_in_a_crowd() {
    const CHILDREN: usize = 40;
    let fails = |request: &mut Request| -> io::Result<()> {
        request.reader.fill_buf()?;
        Err(io::Error::other("x".repeat(4000)))
    };
    let (mut server, told) = server(Forking::up_to(CHILDREN), fails);
    let at = endpoint_of(&server);
    let mut clients: Vec<Client> = (0..CHILDREN).map(|_| connect(&at)).collect();
    for _ in 0..CHILDREN {
        assert_eq!(server.handle_request().unwrap(), Served::Request);
    }
    for client in &mut clients {
        client.write_all(b"now").unwrap();
    }
    drop(server);
    assert_eq!(told.try_iter().count(), CHILDREN);
    drop(clients);
}

/// A server at TCP with its errors noted.
fn server<H: Fn(&mut Request) -> io::Result<()>>(
    strategy: Forking,
    handler: H,
) -> (Server<socketserver::Blocking<H>, Forking>, Receiver<Note>) {
    let (notes, told) = Notes::new();
    let listener = Listener::open(&"tcp:127.0.0.1:0".parse().unwrap()).unwrap();
    let server = Server::blocking(listener, strategy, handler).unwrap();
    (server.timeout(PATIENCE).handle_error(move |error, _| notes.error(error)), told)
}

fn endpoint_of<H, S: Strategy<H>>(server: &Server<H, S>) -> Endpoint {
    Place::Tcp4.way_to(server.server_address())
}

fn errors(told: &Receiver<Note>) -> Vec<String> {
    let errors = told.try_iter().filter_map(|note| match note {
        Note::Error(text) => Some(text),
        _ => None,
    });
    errors.collect()
}

/// What the hook is told of a child that does this.
fn told_of(handler: impl Fn(&mut Request) -> io::Result<()>) -> Vec<String> {
    let (mut server, told) = server(Forking::default(), handler);
    let mut client = connect(&endpoint_of(&server));
    server.handle_request().unwrap();
    assert_eq!(read_all(&mut client).unwrap(), b"");
    drop(server);
    errors(&told)
}

pub(crate) fn killed_child_is_told_of() {
    let killed = told_of(|_: &mut Request| {
        kill_process(getpid(), Signal::KILL)?;
        unreachable!("nobody survives that")
    });
    assert_eq!(killed, ["the child was killed by signal 9"]);
    let aborted = told_of(|_: &mut Request| std::process::abort());
    assert_eq!(aborted, ["the child was killed by signal 6"]);
}

pub(crate) fn exit_status_of_a_child_is_told() {
    let exited = told_of(|_: &mut Request| std::process::exit(3));
    assert_eq!(exited, ["the child exited with status 3"]);
    let exited = told_of(|_: &mut Request| std::process::exit(0));
    assert_eq!(exited, Vec::<String>::new());
}

fn echo(request: &mut Request) -> io::Result<()> {
    loop {
        let bytes = request.reader.fill_buf()?.to_vec();
        if bytes.is_empty() {
            return Ok(());
        }
        request.reader.consume(bytes.len());
        request.reply(&bytes)?;
    }
}

pub(crate) fn bound_on_children_is_kept() {
    let (server, told) = server(Forking::up_to(2), echo);
    let mut server = server.timeout(Duration::from_millis(50));
    let at = endpoint_of(&server);
    let mut clients: Vec<Client> = (0..3).map(|_| connect(&at)).collect();
    for _ in 0..2 {
        assert_eq!(server.handle_request().unwrap(), Served::Request);
    }
    assert_eq!(server.handle_request().unwrap(), Served::Nothing, "both children are busy");
    clients[0].end().unwrap();
    let mut server = server.timeout(PATIENCE);
    assert_eq!(server.handle_request().unwrap(), Served::Request, "one has ended");
    assert_eq!(ask(&mut clients[2], b"third").unwrap(), b"third");
    for client in &clients[1..] {
        client.end().unwrap();
    }
    drop(server);
    assert_eq!(errors(&told), Vec::<String>::new());
}

pub(crate) fn busy_child_is_waited_for() {
    for place in Place::ALL.into_iter().filter(|place| !place.is_datagram()) {
        for kind in [Kind::Blocking, Kind::SansIo] {
            let cell = Cell::new(place, Way::Forking(kind));
            let (notes, told) = Notes::new();
            let servant = Servant::new(place, notes.clone());
            cell.build(servant, &notes, Setup::default(), ServesHelper { place, kind: "reader" });
            assert_eq!(told.try_iter().collect::<Vec<_>>(), [], "{cell}");
        }
    }
}

/// Serves a helper until it sends SIGTERM.
pub(crate) struct ServesHelper {
    pub(crate) place: Place,
    pub(crate) kind: &'static str,
}

impl Visitor for ServesHelper {
    type Outcome = ();

    fn visit<H, S>(self, mut server: Server<H, S>)
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static,
    {
        own::stop_on_sigterm(&server.shutdown_handle());
        let helper = helpers::start(self.kind, self.place, &self.place.way_to(server.server_address()));
        server.serve_forever().unwrap();
        helpers::assert_did_its_part(helper);
    }
}

const GRACE: Duration = Duration::from_millis(100);

pub(crate) fn blocked_child_is_cut_after_the_grace() {
    let (server, told) = server(Forking::default(), echo);
    let mut server = server.grace(GRACE);
    let mut client = connect(&endpoint_of(&server));
    server.handle_request().unwrap();
    server.shutdown_handle().shutdown();
    let begun = Instant::now();
    server.serve_forever().unwrap();
    assert!(begun.elapsed() >= GRACE);
    assert_eq!(read_all(&mut client).unwrap(), b"");
    assert_eq!(errors(&told), ["the request failed: the server stops, and the grace is over"]);
}

pub(crate) fn stubborn_child_is_killed_after_the_grace() {
    let sleeps = |_: &mut Request| -> io::Result<()> {
        loop {
            std::thread::park();
        }
    };
    let (server, told) = server(Forking::default(), sleeps);
    let mut server = server.grace(GRACE);
    let mut client = connect(&endpoint_of(&server));
    server.handle_request().unwrap();
    server.shutdown_handle().shutdown();
    server.serve_forever().unwrap();
    assert_eq!(read_all(&mut client).unwrap(), b"");
    assert_eq!(errors(&told), ["the child was killed by signal 9"]);
}

/// A thread that waits until it is told to end.
fn second_thread() -> (std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // The end of the sender is as good.
        let _ = receiver.recv();
    });
    (sender, thread)
}

pub(crate) fn second_thread_is_refused_at_the_start() {
    let (mut server, _) = server(Forking::default(), echo);
    let (end, thread) = second_thread();
    let error = server.handle_request().unwrap_err();
    assert!(matches!(error, Error::SeveralThreads { threads: 2 }), "{error:?}");
    assert!(error.to_string().contains("use the threading strategy"), "{error}");
    assert!(matches!(server.serve_forever(), Err(Error::SeveralThreads { .. })));
    drop(end);
    thread.join().unwrap();
}

pub(crate) fn thread_that_was_joined_does_not_count() {
    // One in some thousands is counted for a moment longer.
    const ROUNDS: usize = 10_000;
    let (server, _) = server(Forking::default(), echo);
    let mut server = server.timeout(Duration::ZERO);
    for round in 0..ROUNDS {
        std::thread::spawn(|| ()).join().unwrap();
        let outcome = server.handle_request();
        assert!(matches!(outcome, Ok(Served::Nothing)), "round {round}: {outcome:?}");
    }
}

pub(crate) fn second_thread_is_refused_later() {
    let (server, _) = server(Forking::default(), echo);
    let second = Arc::new(Mutex::new(None));
    let started = second.clone();
    let mut server = server.verify_request(move |_| {
        started.lock().unwrap().get_or_insert_with(second_thread);
        true
    });
    let mut client = connect(&endpoint_of(&server));
    let error = server.serve_forever().unwrap_err();
    assert!(matches!(error, Error::SeveralThreads { threads: 2 }), "{error:?}");
    assert_eq!(read_all(&mut client).unwrap(), b"", "nobody serves it");
    let (end, thread) = second.lock().unwrap().take().unwrap();
    drop(end);
    thread.join().unwrap();
}

pub(crate) fn signal_to_a_child_stops_no_parent() {
    let raises = |request: &mut Request| -> io::Result<()> {
        kill_process(getpid(), Signal::TERM)?;
        request.reply(b"still here")
    };
    let (mut server, told) = server(Forking::default(), raises);
    own::stop_on_sigterm(&server.shutdown_handle());
    let at = endpoint_of(&server);
    for _ in 0..3 {
        let mut client = connect(&at);
        assert_eq!(server.handle_request().unwrap(), Served::Request);
        assert_eq!(read_all(&mut client).unwrap(), b"still here");
    }
    drop(server);
    assert_eq!(errors(&told), Vec::<String>::new());
}

/// The address that a server in a process of its own says it listens at.
fn started_server(place: Place, scratch: &Scratch) -> (std::process::Child, Endpoint) {
    started(place, &mut helpers::command("server", place, &place.endpoint(scratch)))
}

fn started(place: Place, command: &mut Command) -> (std::process::Child, Endpoint) {
    let mut process = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    io::BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = format!("{}:{}", place.transport(), line.trim_end()).parse::<Endpoint>().unwrap();
    (process, place.way_to(endpoint.address()))
}

/// The server is killed, and its child goes on. Who comes next gets the address.
pub(crate) fn address_is_free_while_a_child_lives() {
    for place in Place::ALL.into_iter().filter(|place| !place.is_datagram()) {
        let scratch = Scratch::new();
        let (mut process, at) = started_server(place, &scratch);
        let mut client = connect(&at);
        assert_eq!(ask(&mut client, b"one").unwrap(), b"one");
        process.kill().unwrap();
        process.wait().unwrap();
        let next = Listener::open(&at).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(ask(&mut client, b"two").unwrap(), b"two", "{place}: the child is still there");
        drop((client, next));
    }
}

/// Who ignores the signal has the system wait for children, maybe before the server has so much as looked at one.
pub(crate) fn children_may_be_waited_for_by_the_system() {
    // What is said about them fits into a pipe that nobody reads meanwhile.
    const CLIENTS: usize = 800;
    let scratch = Scratch::new();
    let helper = helpers::command("failing", Place::Tcp4, &Place::Tcp4.endpoint(&scratch));
    let mut command = Command::new("env");
    command.arg("--ignore-signal=CHLD").arg(helper.get_program()).args(helper.get_args());
    let (mut process, at) = started(Place::Tcp4, command.stderr(std::process::Stdio::piped()));
    for _ in 0..CLIENTS {
        assert_eq!(read_all(&mut connect(&at)).unwrap(), b"");
    }
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    let mut told = String::new();
    process.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(process.wait().unwrap().success());
    let others: Vec<&str> = told.lines().filter(|line| !line.ends_with("told to fail")).collect();
    assert_eq!(others, Vec::<&str>::new());
    assert_eq!(told.lines().count(), CLIENTS);
}

pub(crate) fn child_does_not_take_the_socket_file_along() {
    for place in [Place::StreamPath, Place::DatagramPath, Place::RecordsPath] {
        let cell = Cell::new(place, Way::Forking(Kind::Blocking));
        let noted = noted_in(&cell, Setup::default(), |at, server| {
            for _ in 0..2 {
                let mut client = connect(at);
                client.write_all(b"hello").unwrap();
                client.end().unwrap();
                server.handle().unwrap();
                assert_eq!(read_message(&mut client).unwrap(), b"hello");
                // Of a connection this is the end of the child, or nearly.
                if !place.is_datagram() {
                    assert_eq!(read_message(&mut client).unwrap(), b"");
                }
            }
            assert!(cell.scratch.path("socket").exists());
        });
        assert_eq!(noted, []);
        assert!(!cell.scratch.path("socket").exists());
    }
}

pub(crate) fn nothing_is_printed_twice() {
    let scratch = Scratch::new();
    let mut command = helpers::command("printer", Place::Tcp4, &Place::Tcp4.endpoint(&scratch));
    let mut process = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut printed = String::new();
    process.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(process.wait().unwrap().success());
    // A child prints when it ends, which may be after the parent has printed again.
    for (text, times) in [("[parent]", 2), ("[child]", 2), ("[end]", 1)] {
        assert_eq!(printed.matches(text).count(), times, "{printed}");
    }
}

/// The connection has the last descriptor. The parent needs one to hear of the child's end, and must not wait for that.
pub(crate) fn last_descriptor_does_for_a_child() {
    let (server, told) = server(Forking::default(), echo);
    // Afterwards the first request has made everything that a server makes once.
    let usual = getrlimit(Resource::Nofile);
    let requests = Arc::new(Mutex::new(0));
    let counted = requests.clone();
    let mut server = server.verify_request(move |_| {
        let mut requests = counted.lock().unwrap();
        *requests += 1;
        if *requests == 2 {
            let current = Some(own::lowest_free_descriptor());
            setrlimit(Resource::Nofile, Rlimit { current, maximum: usual.maximum }).unwrap();
        }
        true
    });
    let mut clients: Vec<Client> = (0..2).map(|_| connect(&endpoint_of(&server))).collect();
    for client in &mut clients {
        assert_eq!(server.handle_request().unwrap(), Served::Request);
        assert_eq!(ask(client, b"hello").unwrap(), b"hello");
    }
    setrlimit(Resource::Nofile, usual).unwrap();
    for client in &clients {
        client.end().unwrap();
    }
    drop(server);
    assert_eq!(errors(&told), Vec::<String>::new());
    assert_eq!(*requests.lock().unwrap(), 2);
}
