//! Servers of the table, each at work in a thread, and what they have noted.

use crate::cells::{Cell, Setup, Visitor};
use crate::places::{PATIENCE, Place, assert_serves, connect};
use crate::servant::{Gauge, Note, Notes, Servant};
use socketserver::{Client, Endpoint, Error, Server, ShutdownHandle, Strategy};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

impl Cell {
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
