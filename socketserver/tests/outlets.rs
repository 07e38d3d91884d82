//! Outlets: sending to a client from other conversations and other threads, with a bound.

#[path = "shared/places.rs"]
#[expect(dead_code, reason = "the table uses the rest")]
mod places;

use places::{Place, Scratch, ask, connect, read_all, read_message};
use socketserver::{
    Address, Ending, Endpoint, Error, Evented, Iterative, Listener, Outlet, OutletError, Output, PollerKind,
    Protocol, Server, ShutdownHandle, Strategy, Threading,
};
use std::io::Write as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

/// Says `hello`, hands its outlet out, and echoes what comes.
struct Guest {
    house: House,
}

#[derive(Clone)]
struct House {
    outlets: Sender<Outlet>,
    endings: Sender<Ending>,
    /// On `stop`: says `bye` through the first guest's outlet, and asks the server to stop, in the same turn.
    stopping: Arc<(OnceLock<Outlet>, OnceLock<ShutdownHandle>)>,
}

impl Protocol for Guest {
    fn opened(&mut self, out: &mut Output<'_>) {
        let outlet = out.outlet().expect("a connection has outlets");
        let _ = self.house.stopping.0.set(outlet.clone());
        self.house.outlets.send(outlet).unwrap();
        out.send(b"hello");
    }

    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        match bytes {
            b"stop" => {
                let (first, handle) = &*self.house.stopping;
                first.get().unwrap().send(b"bye").unwrap();
                handle.get().unwrap().shutdown();
            }
            b"close" => out.close(),
            _ => out.send(bytes),
        }
    }

    fn closed(&mut self, ending: Ending) {
        let _ = self.house.endings.send(ending);
    }
}

struct Running {
    at: Endpoint,
    handle: ShutdownHandle,
    outlets: Receiver<Outlet>,
    endings: Receiver<Ending>,
    thread: JoinHandle<Result<(), Error>>,
    _scratch: Scratch,
}

impl Running {
    fn connect(&self) -> (socketserver::Client, Outlet) {
        let mut client = connect(&self.at);
        assert_eq!(read_message(&mut client).unwrap(), b"hello");
        (client, self.outlets.recv().unwrap())
    }

    fn stop(self) {
        self.handle.shutdown();
        self.thread.join().unwrap().unwrap();
    }
}

macro_rules! start {
    ($place:expr, $strategy:expr) => {{
        let scratch = Scratch::new();
        let (outlets, gets_outlets) = channel();
        let (endings, gets_endings) = channel();
        let house = House { outlets, endings, stopping: Arc::default() };
        let stopping = house.stopping.clone();
        let make = move |_: &Address| Guest { house: house.clone() };
        let listener = Listener::open(&$place.endpoint(&scratch)).unwrap();
        let server = Server::sans_io(listener, $strategy, make).unwrap();
        let handle = server.shutdown_handle();
        let _ = stopping.1.set(handle.clone());
        let at = $place.way_to(server.server_address());
        let thread = run(server);
        Running { at, handle, outlets: gets_outlets, endings: gets_endings, thread, _scratch: scratch }
    }};
}

fn run<H, S>(mut server: Server<H, S>) -> JoinHandle<Result<(), Error>>
where
    H: Send + Sync + 'static,
    S: Strategy<H> + Send + 'static,
{
    std::thread::spawn(move || server.serve_forever())
}

#[test]
fn each_thread_is_heard_in_its_order_under_every_strategy() {
    for server in [
        start!(Place::Tcp4, Iterative),
        start!(Place::StreamPath, Threading::up_to(2)),
        start!(Place::Tcp6, Evented::on(PollerKind::Select)),
        start!(Place::StreamName, Evented::on(PollerKind::Poll)),
        start!(Place::Tcp4, Evented::on(PollerKind::Epoll)),
    ] {
        let (mut client, outlet) = server.connect();
        let senders: Vec<_> = (0..4_u8)
            .map(|sender| {
                let outlet = outlet.clone();
                std::thread::spawn(move || {
                    for number in 0..200_u8 {
                        outlet.send(&[sender, number]).unwrap();
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        outlet.close();
        let heard = read_all(&mut client).unwrap();
        for sender in 0..4 {
            let of_sender = heard.chunks(2).filter(|pair| pair[0] == sender).map(|pair| pair[1]);
            assert!(of_sender.eq(0..200), "{heard:?}");
        }
        drop(client);
        assert_eq!(server.endings.recv().unwrap(), Ending::ByServer);
        server.stop();
    }
}

#[test]
fn each_send_is_a_record_where_there_are_records() {
    let server = start!(Place::RecordsPath, Evented::default());
    let (mut client, outlet) = server.connect();
    for record in [b"one".as_slice(), b"", b"two"] {
        outlet.send(record).unwrap();
    }
    assert_eq!(read_message(&mut client).unwrap(), b"one");
    assert_eq!(read_message(&mut client).unwrap(), b"two");
    drop(client);
    server.stop();
}

/// Sends until the outlet stays full although the loop has had its turns, and gives how many parts it took.
fn fill(outlet: &Outlet, bystander: &mut socketserver::Client) -> usize {
    const PARTS_MAX: usize = 1024;
    let mut parts = 0;
    let mut full_in_a_row = 0;
    while full_in_a_row < 5 {
        match outlet.send(&part(parts)) {
            Ok(()) => (parts, full_in_a_row) = (parts + 1, 0),
            Err(OutletError::Full) => {
                full_in_a_row += 1;
                assert_eq!(ask(bystander, b"a turn").unwrap(), b"a turn");
            }
            Err(OutletError::Closed) => panic!("it is open"),
        }
        assert!(parts < PARTS_MAX, "there is no bound");
    }
    parts
}

fn part(number: usize) -> Vec<u8> {
    vec![number as u8; 32 * 1024]
}

#[test]
fn client_that_does_not_read_fills_its_outlet_and_loses_nothing() {
    for kind in PollerKind::ALL {
        let server = start!(Place::Tcp4, Evented::on(kind));
        let (mut client, outlet) = server.connect();
        let (mut bystander, _) = server.connect();
        let parts = fill(&outlet, &mut bystander);
        let expected: Vec<u8> = (0..parts).flat_map(part).collect();
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            heard.extend(read_message(&mut client).unwrap());
        }
        assert!(heard == expected, "{} of {} bytes", heard.len(), expected.len());
        // There is room again.
        outlet.send(b"more").unwrap();
        outlet.close();
        assert_eq!(read_all(&mut client).unwrap(), b"more");
        drop((client, bystander));
        server.stop();
    }
}

#[test]
fn client_that_does_not_read_is_ended_by_cutting_its_outlet() {
    let server = start!(Place::Tcp4, Evented::default());
    let (mut bystander, _) = server.connect();
    let (client, outlet) = server.connect();
    fill(&outlet, &mut bystander);
    outlet.cut();
    assert_eq!(outlet.send(b"more"), Err(OutletError::Closed));
    assert_eq!(server.endings.recv().unwrap(), Ending::ByServer);
    outlet.cut(); // nobody is there any more; nothing happens
    drop((client, bystander));
    server.stop();
}

#[test]
fn close_waits_until_a_slow_client_has_everything() {
    let server = start!(Place::StreamPath, Evented::default());
    let (mut client, outlet) = server.connect();
    let (mut bystander, _) = server.connect();
    let parts = fill(&outlet, &mut bystander);
    outlet.close();
    assert_eq!(outlet.send(b"after"), Err(OutletError::Closed));
    let heard = read_all(&mut client).unwrap();
    assert!(heard == (0..parts).flat_map(part).collect::<Vec<u8>>());
    drop(bystander);
    server.stop();
}

#[test]
fn sends_of_nothing_do_not_pile_up() {
    let server = start!(Place::StreamPath, Evented::default());
    let (mut client, outlet) = server.connect();
    let (mut bystander, _) = server.connect();
    fill(&outlet, &mut bystander);
    // They are nothing, so there is always room for them.
    for _ in 0..1000 {
        outlet.send(b"").unwrap();
    }
    outlet.close();
    read_all(&mut client).unwrap();
    drop(bystander);
    server.stop();
}

#[test]
fn outlet_of_a_client_that_has_left_is_closed() {
    let server = start!(Place::Tcp4, Evented::default());
    let (client, outlet) = server.connect();
    drop(client);
    assert_eq!(server.endings.recv().unwrap(), Ending::ByClient);
    assert_eq!(outlet.send(b"anybody there?"), Err(OutletError::Closed));
    outlet.close();
    server.stop();
    assert_eq!(outlet.send(b"anybody there?"), Err(OutletError::Closed));
}

#[test]
fn outlet_outlives_its_server() {
    let server = start!(Place::Tcp4, Evented::default());
    let (_client, outlet) = server.connect();
    server.stop();
    assert_eq!(outlet.send(b"anybody there?"), Err(OutletError::Closed));
}

#[test]
fn what_was_sent_before_the_shutdown_arrives() {
    for kind in PollerKind::ALL {
        let server = start!(Place::Tcp4, Evented::on(kind));
        let (mut first, _) = server.connect();
        let (mut second, _) = server.connect();
        second.write_all(b"stop").unwrap();
        assert_eq!(read_all(&mut first).unwrap(), b"bye", "{kind}");
        assert_eq!(read_all(&mut second).unwrap(), b"");
        drop((first, second));
        server.thread.join().unwrap().unwrap();
    }
}

#[test]
fn nothing_is_received_after_the_protocol_has_closed() {
    let server = start!(Place::Tcp4, Evented::default());
    let (mut client, _) = server.connect();
    client.write_all(b"close").unwrap();
    assert_eq!(read_all(&mut client).unwrap(), b"");
    assert_eq!(server.endings.recv().unwrap(), Ending::ByServer);
    client.write_all(b"and another thing").unwrap();
    drop(client);
    server.stop();
}

#[test]
fn datagram_has_no_outlet() {
    struct Asks;
    impl Protocol for Asks {
        fn received(&mut self, _: &[u8], out: &mut Output<'_>) {
            let error = out.outlet().unwrap_err().to_string();
            out.send(error.as_bytes());
        }
    }
    let listener = Listener::open(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
    let server = Server::sans_io(listener, Evented::default(), |_: &Address| Asks).unwrap();
    let at = Place::Udp4.way_to(server.server_address());
    let handle = server.shutdown_handle();
    let thread = run(server);
    let answer = ask(&mut connect(&at), b"?").unwrap();
    assert_eq!(answer, b"a datagram has no outlet: its conversation is over with the reply");
    handle.shutdown();
    thread.join().unwrap().unwrap();
}
