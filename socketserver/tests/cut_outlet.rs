//! A client that does not read is given up by cutting its outlet.
//!
//! The chat among the examples is built on this.

use socketserver::{
    Client, Ending, Endpoint, Evented, Listener, Outlet, OutletError, Output, Protocol, Server,
};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

const GUARD: Duration = Duration::from_secs(20);

/// Gives its outlet away, and tells how it ended.
struct Listening {
    outlets: Sender<Outlet>,
    endings: Sender<Ending>,
}

impl Protocol for Listening {
    fn opened(&mut self, out: &mut Output<'_>) {
        let outlet = out.outlet().expect("there are descriptors");
        self.outlets.send(outlet).expect("the test waits for it");
    }

    fn received(&mut self, _: &[u8], _: &mut Output<'_>) {}

    fn closed(&mut self, ending: Ending) {
        self.endings.send(ending).expect("the test waits for it");
    }
}

const PART: &[u8] = &[b'x'; 16 * 1024];
/// More than the kernel keeps for both ends of a connection.
const PARTS_MAX: usize = 4096;

/// Sends until the outlet is full.
fn fill(outlet: &Outlet) {
    // A mailbox may also be full for the moment, until the loop takes it in: for good it is when nothing is taken for long.
    let mut full_since = None;
    for _ in 0..PARTS_MAX {
        while let Err(error) = outlet.send(PART) {
            assert_eq!(error, OutletError::Full);
            if full_since.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(200) {
                return;
            }
            std::thread::yield_now();
        }
        full_since = None;
    }
    panic!("it takes {PARTS_MAX} parts that nobody reads");
}

#[test]
fn outlet_that_is_cut_ends_a_client_that_does_not_read() {
    let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0").unwrap()).unwrap();
    let at = Endpoint::new(listener.transport(), listener.address().clone()).unwrap();
    let (outlets, outlet) = channel();
    let (endings, ending) = channel();
    let (handles, handle) = channel();
    let server = std::thread::spawn(move || {
        let make = |_: &_| Listening { outlets: outlets.clone(), endings: endings.clone() };
        let mut server = Server::sans_io(listener, Evented::default(), make).unwrap();
        handles.send(server.shutdown_handle()).unwrap();
        server.serve_forever()
    });
    let handle = handle.recv_timeout(GUARD).unwrap();
    let _client = Client::connect(&at, Some(GUARD)).unwrap();
    let outlet = outlet.recv_timeout(GUARD).unwrap();

    fill(&outlet);
    outlet.cut();
    assert_eq!(outlet.send(PART), Err(OutletError::Closed));
    assert_eq!(ending.recv_timeout(GUARD).unwrap(), Ending::ByServer);
    outlet.cut(); // nobody is there any more; nothing happens
    handle.shutdown();
    server.join().unwrap().unwrap();
}
