//! The axes of the tests: a cell is a place (transport and address) and a way (strategy, poller, kind of handler).
//!
//! A cell knows how to make its server, with the handler that all tests share. Who runs it, and what happens then, is the
//! business of the cases.

use crate::places::{PATIENCE, Place, Scratch};
use crate::servant::{Note, Notes, Servant, talks};
use socketserver::{
    Address, Error, Evented, Forking, Iterative, Listener, PollerKind, RequestError, Server, Strategy,
    Threading,
};
use std::fmt;
use std::time::Duration;

/// How a server is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Iterative(Kind),
    Threading(Kind),
    Forking(Kind),
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
    pub(crate) const ALL: [Way; 9] = [
        Way::Iterative(Kind::Blocking),
        Way::Iterative(Kind::SansIo),
        Way::Threading(Kind::Blocking),
        Way::Threading(Kind::SansIo),
        Way::Forking(Kind::Blocking),
        Way::Forking(Kind::SansIo),
        Way::Evented(PollerKind::Select),
        Way::Evented(PollerKind::Poll),
        Way::Evented(PollerKind::Epoll),
    ];
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Iterative(kind) => write!(formatter, "iterative/{kind}"),
            Way::Threading(kind) => write!(formatter, "threading/{kind}"),
            Way::Forking(kind) => write!(formatter, "forking/{kind}"),
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

/// How many requests at a time the servers handle, unless a case says otherwise.
pub(crate) const REQUESTS_MAX: usize = 3;

/// Where a case is run.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) place: Place,
    pub(crate) way: Way,
    pub(crate) scratch: Scratch,
}

type OnError = Box<dyn Fn(&RequestError, Option<&Address>) + Send + Sync>;

/// What a case wants of its server.
pub(crate) struct Setup {
    pub(crate) timeout: Option<Duration>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) requests_max: usize,
    pub(crate) admits: Box<dyn Fn(&Address) -> bool + Send + Sync>,
    /// Is called for each error, which is noted in any case.
    pub(crate) on_error: OnError,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            timeout: None,
            request_timeout: None,
            grace: PATIENCE,
            requests_max: REQUESTS_MAX,
            admits: Box::new(|_| true),
            on_error: Box::new(|_, _| ()),
        }
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
        let threads = Threading::up_to(setup.requests_max);
        let children = Forking::up_to(setup.requests_max);
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
            Way::Forking(Kind::Blocking) => {
                visitor.visit(set_up(Server::blocking(listener, children, blocking), notes, setup))
            }
            Way::Forking(Kind::SansIo) => {
                visitor.visit(set_up(Server::sans_io(listener, children, talks), notes, setup))
            }
            Way::Evented(poller) => {
                let evented = Evented::on(poller).up_to(setup.requests_max);
                visitor.visit(set_up(Server::sans_io(listener, evented, talks), notes, setup))
            }
        }
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
        .handle_error(move |error, client| {
            of_errors.error(error);
            (setup.on_error)(error, client);
        })
        .handle_timeout(move || of_timeouts.note(Note::NobodyCame));
    if let Some(timeout) = setup.timeout {
        server = server.timeout(timeout);
    }
    match setup.request_timeout {
        Some(timeout) => server.request_timeout(timeout),
        None => server,
    }
}
