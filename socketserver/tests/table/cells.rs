//! The axes of the table: a cell is a place (transport and address) and a way (strategy, poller, kind of handler).
//!
//! A cell knows how to start its server. What happens in it is the business of the cases.

use crate::places::{PATIENCE, Place, Scratch, assert_serves, connect};
use crate::servant::{Gauge, Note, Notes, Servant, talks};
use socketserver::{
    Address, Client, Endpoint, Error, Evented, Iterative, Listener, PollerKind, Server, ShutdownHandle,
    Strategy, Threading,
};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How a server is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Iterative(Kind),
    Threading(Kind),
    Evented(PollerKind),
}

/// What kind of handler it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Blocking,
    SansIo,
}

impl Way {
    /// A blocking handler on the evented strategy is refused by the compiler; the documentation of `Strategy` tests that.
    pub(crate) const ALL: [Way; 7] = [
        Way::Iterative(Kind::Blocking),
        Way::Iterative(Kind::SansIo),
        Way::Threading(Kind::Blocking),
        Way::Threading(Kind::SansIo),
        Way::Evented(PollerKind::Select),
        Way::Evented(PollerKind::Poll),
        Way::Evented(PollerKind::Epoll),
    ];

    pub(crate) const fn blocks(self) -> bool {
        matches!(self, Way::Iterative(Kind::Blocking) | Way::Threading(Kind::Blocking))
    }

    pub(crate) const fn is_iterative(self) -> bool {
        matches!(self, Way::Iterative(_))
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Iterative(kind) => write!(formatter, "iterative/{kind}"),
            Way::Threading(kind) => write!(formatter, "threading/{kind}"),
            Way::Evented(poller) => write!(formatter, "evented/{poller}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::Blocking => "blocking",
            Kind::SansIo => "sans-io",
        })
    }
}

/// How many requests at a time the servers of the table handle.
pub(crate) const REQUESTS_MAX: usize = 3;

/// Where a case is run.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) place: Place,
    pub(crate) way: Way,
    pub(crate) scratch: Scratch,
}

/// What a case wants of its server.
pub(crate) struct Setup {
    pub(crate) timeout: Option<Duration>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) admits: Box<dyn Fn(&Address) -> bool + Send + Sync>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup { timeout: None, request_timeout: None, grace: PATIENCE, admits: Box::new(|_| true) }
    }
}

/// Does something with a server of any type.
pub(crate) trait Visitor {
    type Outcome;

    fn visit<H, S>(self, server: Server<H, S>) -> Self::Outcome
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static;
}

impl Cell {
    pub(crate) fn new(place: Place, way: Way) -> Cell {
        Cell { place, way, scratch: Scratch::new() }
    }

    pub(crate) fn listen(&self) -> Listener {
        Listener::open(&self.place.endpoint(&self.scratch)).unwrap()
    }

    /// Makes the cell's server and hands it to the visitor.
    pub(crate) fn build<V: Visitor>(
        &self,
        servant: Servant,
        notes: &Notes,
        setup: Setup,
        visitor: V,
    ) -> V::Outcome {
        let listener = self.listen();
        let blocking = {
            let servant = servant.clone();
            move |request: &mut socketserver::Request| servant.handle(request)
        };
        let talks = talks(servant);
        let threads = Threading::up_to(REQUESTS_MAX);
        match self.way {
            Way::Iterative(Kind::Blocking) => {
                visitor.visit(set_up(Server::blocking(listener, Iterative, blocking), notes, setup))
            }
            Way::Iterative(Kind::SansIo) => {
                visitor.visit(set_up(Server::sans_io(listener, Iterative, talks), notes, setup))
            }
            Way::Threading(Kind::Blocking) => {
                visitor.visit(set_up(Server::blocking(listener, threads, blocking), notes, setup))
            }
            Way::Threading(Kind::SansIo) => {
                visitor.visit(set_up(Server::sans_io(listener, threads, talks), notes, setup))
            }
            Way::Evented(poller) => {
                let evented = Evented::on(poller).up_to(REQUESTS_MAX);
                visitor.visit(set_up(Server::sans_io(listener, evented, talks), notes, setup))
            }
        }
    }

    /// Starts the cell's server.
    pub(crate) fn start(&self, setup: Setup) -> Running {
        let (notes, all_notes) = Notes::new();
        let servant = Servant::new(self.place, notes.clone());
        let gauge = servant.gauge();
        let mut running = self.build(servant, &notes, setup, Start { place: self.place, gauge });
        running.noted = all_notes;
        running
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} × {}", self.place, self.way)
    }
}

fn set_up<H, S: Strategy<H>>(
    server: Result<Server<H, S>, Error>,
    notes: &Notes,
    setup: Setup,
) -> Server<H, S> {
    let (of_errors, of_timeouts) = (notes.clone(), notes.clone());
    let mut server = server
        .unwrap()
        .grace(setup.grace)
        .verify_request(setup.admits)
        .handle_error(move |error, _| of_errors.error(error))
        .handle_timeout(move || of_timeouts.note(Note::NobodyCame));
    if let Some(timeout) = setup.timeout {
        server = server.timeout(timeout);
    }
    match setup.request_timeout {
        Some(timeout) => server.request_timeout(timeout),
        None => server,
    }
}

/// Starts a server in a thread.
struct Start {
    place: Place,
    gauge: Arc<Gauge>,
}

impl Visitor for Start {
    type Outcome = Running;

    fn visit<H, S>(self, mut server: Server<H, S>) -> Running
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static,
    {
        let at = self.place.way_to(server.server_address());
        let handle = server.shutdown_handle();
        let (ended, ends) = channel();
        std::thread::spawn(move || {
            let outcome = server.serve_forever();
            drop(server);
            // A test that has failed listens no more.
            let _ = ended.send(outcome);
        });
        let (_, noted) = channel();
        Running { at, handle, noted, ends, gauge: self.gauge }
    }
}

/// A server at work.
pub(crate) struct Running {
    pub(crate) at: Endpoint,
    pub(crate) gauge: Arc<Gauge>,
    handle: ShutdownHandle,
    noted: Receiver<Note>,
    ends: Receiver<Result<(), Error>>,
}

impl Running {
    pub(crate) fn connect(&self) -> Client {
        connect(&self.at)
    }

    pub(crate) fn assert_serves(&self) {
        assert_serves(&self.at);
    }

    /// Passes over notes up to this one.
    pub(crate) fn await_note(&self, note: &Note) {
        self.await_that(&format!("{note:?}"), |noted| noted == note);
    }

    /// Passes over notes up to one that fits, and gives it.
    pub(crate) fn await_that(&self, what: &str, fits: impl Fn(&Note) -> bool) -> Note {
        let mut before = Vec::new();
        loop {
            match self.noted.recv_timeout(PATIENCE) {
                Ok(noted) if fits(&noted) => return noted,
                Ok(noted) => before.push(noted),
                Err(error) => panic!("waited for {what}, and there was only {before:?}: {error}"),
            }
        }
    }

    /// Asks the server to stop.
    pub(crate) fn shut_down(&self) {
        self.handle.shutdown();
    }

    /// Waits for the end of the server, and gives the notes that nobody has looked at.
    pub(crate) fn await_end(self) -> Vec<Note> {
        match self.ends.recv_timeout(PATIENCE + Duration::from_secs(5)) {
            Ok(outcome) => outcome.expect("the server ends in an orderly way"),
            Err(RecvTimeoutError::Timeout) => panic!("the server does not stop"),
            Err(RecvTimeoutError::Disconnected) => panic!("the server panicked"),
        }
        self.noted.try_iter().collect()
    }

    /// Stops the server and gives what the error hook was told since somebody last looked.
    pub(crate) fn stop(self) -> Vec<String> {
        self.shut_down();
        errors(self.await_end())
    }

    /// Stops the server, about which nothing was to complain.
    pub(crate) fn stop_without_errors(self) {
        assert_eq!(self.stop(), Vec::<String>::new(), "errors");
    }

    /// Asks the server to stop, and tells how long that took.
    pub(crate) fn time_stop(self) -> (Duration, Vec<Note>) {
        let begun = Instant::now();
        self.shut_down();
        let notes = self.await_end();
        (begun.elapsed(), notes)
    }
}

/// What the error hook was told.
pub(crate) fn errors(notes: Vec<Note>) -> Vec<String> {
    let errors = notes.into_iter().filter_map(|note| match note {
        Note::Error(text) => Some(text),
        _ => None,
    });
    errors.collect()
}
