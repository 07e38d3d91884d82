//! Signals, and what stops a server or does not.

use crate::cells::{Cell, Kind, Setup, Way};
use crate::children::ServesHelper;
use crate::places::{PATIENCE, Place, connect};
use crate::servant::{Note, Notes, Servant};
use rustix::process::Signal;
use socketserver::{Ending, Error, Listener, Request, Server, Threading};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

thread_local! {
    static LAST_WORD: std::cell::RefCell<Option<LastWord>> = const { std::cell::RefCell::new(None) };
}

/// Belongs to a thread and is dropped with it, when its handler has long returned.
struct LastWord(Arc<AtomicUsize>);

impl Drop for LastWord {
    fn drop(&mut self) {
        // Whoever does not wait for the thread is faster than that.
        for _ in 0..1000 {
            std::thread::yield_now();
        }
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) fn threads_are_joined_when_the_server_stops() {
    const ROUNDS: usize = 50;
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = ended.clone();
    let leaves_a_last_word = move |_: &mut Request| -> io::Result<()> {
        LAST_WORD.with(|word| *word.borrow_mut() = Some(LastWord(counted.clone())));
        Ok(())
    };
    let listener = Listener::open(&"tcp:127.0.0.1:0".parse().unwrap()).unwrap();
    let server = Server::blocking(listener, Threading::default(), leaves_a_last_word).unwrap();
    let mut server = server.timeout(PATIENCE);
    let at = Place::Tcp4.way_to(server.server_address());
    for round in 1..=ROUNDS {
        let client = connect(&at);
        server.handle_request().unwrap();
        server.shutdown_handle().shutdown();
        server.serve_forever().unwrap();
        assert_eq!(ended.load(Ordering::SeqCst), round);
        drop(client);
    }
}

/// Nobody can end a thread from outside. The server says that it is still there.
pub(crate) fn handler_that_does_not_end_is_told_of() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let waited_at = gate.clone();
    let waits = move |_: &mut Request| -> io::Result<()> {
        let (is_open, opens) = &*waited_at;
        drop(opens.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
        Ok(())
    };
    let listener = Listener::open(&"tcp:127.0.0.1:0".parse().unwrap()).unwrap();
    let server = Server::blocking(listener, Threading::default(), waits).unwrap();
    let mut server = server.timeout(PATIENCE).grace(Duration::ZERO);
    let client = connect(&Place::Tcp4.way_to(server.server_address()));
    server.handle_request().unwrap();
    server.shutdown_handle().shutdown();
    let error = server.serve_forever().unwrap_err();
    assert!(matches!(error, Error::StillBusy { requests: 1, .. }), "{error:?}");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    drop((client, server));
}

/// A real signal, while somebody is being served and says nothing. Handlers that wait are cut after the grace.
pub(crate) fn signal_stops_every_strategy() {
    for way in Way::ALL {
        let cell = Cell::new(Place::Tcp4, way);
        let (notes, told) = Notes::new();
        let setup = Setup { grace: Duration::from_millis(50), ..Setup::default() };
        let servant = Servant::new(cell.place, notes.clone());
        cell.build(servant, &notes, setup, ServesHelper { place: cell.place, kind: "idler" });
        let told: Vec<Note> = told.try_iter().collect();
        let cut = "the request failed: the server stops, and the grace is over";
        let expected = match way {
            Way::Forking(Kind::Blocking) => vec![Note::Error(cut.to_owned())],
            Way::Iterative(Kind::Blocking) | Way::Threading(Kind::Blocking) => {
                vec![Note::Opened, Note::Error(cut.to_owned())]
            }
            Way::Forking(Kind::SansIo) => vec![],
            _ => vec![Note::Opened, Note::Closed(Ending::Shutdown)],
        };
        assert_eq!(told, expected, "{cell}");
    }
}

/// Interrupted calls are made again.
pub(crate) fn storm_of_signals_changes_nothing() {
    signal_hook::flag::register(Signal::USR1.as_raw(), Arc::new(AtomicBool::new(false))).unwrap();
    for way in Way::ALL {
        for place in [Place::Tcp4, Place::DatagramPath, Place::RecordsPath] {
            let cell = Cell::new(place, way);
            let (notes, told) = Notes::new();
            let servant = Servant::new(place, notes.clone());
            cell.build(servant, &notes, Setup::default(), ServesHelper { place, kind: "storm" });
            let errors: Vec<Note> = told.try_iter().filter(|note| matches!(note, Note::Error(_))).collect();
            assert_eq!(errors, [], "{cell}");
        }
    }
}
