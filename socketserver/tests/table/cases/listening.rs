//! How an address is taken, kept and given back. One way to serve is enough for that.

use crate::cells::{Cell, Setup};
use crate::places::{Place, connect, read_all, read_message};
use crate::runner::Verdict;
use crate::servant::{BEFORE, FAIL};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use socketserver::{Address, Endpoint, Error, ListenOptions, Listener, Transport};
use std::fs;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Barrier;

const HAS_NO_FILE: &str = "there is no file";

const WITH_FILES: [Place; 3] = [Place::StreamPath, Place::DatagramPath, Place::RecordsPath];

pub(crate) fn address_in_use_is_refused(cell: &Cell) -> Verdict {
    let server = cell.start(Setup::default());
    let address = server.at.address().clone();
    let error = Listener::open(&Endpoint::new(cell.place.transport(), address.clone()).unwrap()).unwrap_err();
    assert!(matches!(error, Error::AddressInUse(_)), "{error:?}");
    let transport = cell.place.transport();
    assert_eq!(error.to_string(), format!("{transport}:{address} is in use: another program listens there"));
    server.assert_serves();
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn address_is_free_after_the_end(cell: &Cell) -> Verdict {
    let server = cell.start(Setup::default());
    let at = server.at.clone();
    // The server ends the connection first, which leaves the address lingering (TIME_WAIT).
    let mut client = server.connect();
    client.write_all(FAIL).unwrap();
    assert_eq!(read_message(&mut client).unwrap(), BEFORE);
    if !cell.place.is_datagram() {
        assert_eq!(read_all(&mut client).unwrap(), b"");
    }
    drop(client);
    server.stop();
    Listener::open(&at).unwrap();
    Verdict::Passed
}

pub(crate) fn dead_socket_file_is_replaced(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    // Of any kind: nobody answers, whatever it was.
    for dead in WITH_FILES {
        leave_behind(&file_of(cell), dead);
        let server = cell.start(Setup::default());
        server.assert_serves();
        server.stop_without_errors();
    }
    Verdict::Passed
}

pub(crate) fn dead_socket_file_stays_unless_asked(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    leave_behind(&file_of(cell), cell.place);
    let options = ListenOptions { replace_dead_socket: false, ..ListenOptions::default() };
    let error = Listener::open_with(&cell.place.endpoint(&cell.scratch), options).unwrap_err();
    assert!(matches!(error, Error::AddressInUse(_)), "{error:?}");
    assert!(file_of(cell).exists());
    Verdict::Passed
}

pub(crate) fn live_socket_is_left_alone(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    for live in WITH_FILES {
        let other = Cell::new(live, cell.way);
        let server = other.start(Setup::default());
        let endpoint = Endpoint::new(cell.place.transport(), server.at.address().clone()).unwrap();
        let error = Listener::open(&endpoint).unwrap_err();
        assert!(matches!(error, Error::AddressInUse(_)), "beside {live}: {error:?}");
        server.assert_serves();
        server.stop_without_errors();
    }
    Verdict::Passed
}

pub(crate) fn full_backlog_counts_as_alive(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    if cell.place.is_datagram() {
        return Verdict::DoesNotApply("a socket for datagrams has no backlog");
    }
    let options = ListenOptions { backlog: 0, ..ListenOptions::default() };
    let endpoint = cell.place.endpoint(&cell.scratch);
    let _listener = Listener::open_with(&endpoint, options).unwrap();
    let _waiting = connect(&endpoint);
    let probe = rustix_socket(cell.place);
    rustix::io::ioctl_fionbio(&probe, true).unwrap();
    let full = rustix::net::connect(&probe, &SocketAddrUnix::new(file_of(cell)).unwrap());
    assert_eq!(full, Err(rustix::io::Errno::AGAIN), "the backlog is full");
    let error = Listener::open(&endpoint).unwrap_err();
    assert!(matches!(error, Error::AddressInUse(_)), "{error:?}");
    Verdict::Passed
}

pub(crate) fn file_that_is_no_socket_stays(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    let path = file_of(cell);
    fs::write(&path, "precious").unwrap();
    let error = Listener::open(&cell.place.endpoint(&cell.scratch)).unwrap_err();
    let sentence = format!("{} is a file, not a socket, and is left alone", path.display());
    assert_eq!(error.to_string(), sentence);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    Verdict::Passed
}

pub(crate) fn of_two_replacers_one_wins(cell: &Cell) -> Verdict {
    const ROUNDS: usize = 300;
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    let endpoint = cell.place.endpoint(&cell.scratch);
    for round in 0..ROUNDS {
        // Every other time there is nothing to replace.
        if round % 2 == 0 {
            leave_behind(&file_of(cell), cell.place);
        }
        let barrier = Barrier::new(2);
        let open = || {
            barrier.wait();
            Listener::open(&endpoint)
        };
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(open);
            (open(), other.join().unwrap())
        });
        assert!(one.is_ok() != other.is_ok(), "round {round}: one of {one:?} and {other:?}");
        connect(&endpoint);
        drop((one, other));
    }
    Verdict::Passed
}

pub(crate) fn neighbours_replace_at_the_same_time(cell: &Cell) -> Verdict {
    const NEIGHBOURS: usize = 4;
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    let paths: Vec<PathBuf> = (0..NEIGHBOURS).map(|number| cell.scratch.path(&number.to_string())).collect();
    for path in &paths {
        leave_behind(path, cell.place);
    }
    let barrier = Barrier::new(NEIGHBOURS);
    std::thread::scope(|scope| {
        for path in &paths {
            let endpoint = Endpoint::new(cell.place.transport(), Address::Path(path.clone())).unwrap();
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                Listener::open(&endpoint).unwrap();
            });
        }
    });
    Verdict::Passed
}

pub(crate) fn locked_folder_is_not_waited_for_long(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    let folder = fs::File::open(file_of(cell).parent().unwrap()).unwrap();
    folder.lock().unwrap();
    cell.start(Setup::default()).stop_without_errors();
    leave_behind(&file_of(cell), cell.place);
    let error = Listener::open(&cell.place.endpoint(&cell.scratch)).unwrap_err();
    assert!(matches!(error, Error::AddressInUse(_)), "{error:?}");
    Verdict::Passed
}

pub(crate) fn file_goes_with_its_listener(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    let server = cell.start(Setup::default());
    assert!(file_of(cell).exists());
    server.stop_without_errors();
    assert!(!file_of(cell).exists());
    Verdict::Passed
}

pub(crate) fn file_of_somebody_else_stays(cell: &Cell) -> Verdict {
    if !cell.place.has_file() {
        return Verdict::DoesNotApply(HAS_NO_FILE);
    }
    let listener = cell.listen();
    fs::remove_file(file_of(cell)).unwrap();
    let server = cell.start(Setup::default());
    drop(listener);
    server.assert_serves();
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn path_too_long_is_refused(cell: &Cell) -> Verdict {
    const BYTES: usize = 108;
    let long = "x".repeat(BYTES);
    let address = match cell.place.transport() {
        Transport::Tcp | Transport::Udp => return Verdict::DoesNotApply("it has no path"),
        _ if cell.place.has_file() => Address::Path(PathBuf::from(long)),
        _ => Address::Abstract(long.into_bytes()),
    };
    let error = Listener::open(&Endpoint::new(cell.place.transport(), address).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the path has 108 bytes, and a socket's may have 107");
    Verdict::Passed
}

fn file_of(cell: &Cell) -> PathBuf {
    cell.scratch.path("socket")
}

/// A socket file as a crash leaves it: nobody has the socket open any more.
fn leave_behind(path: &Path, place: Place) {
    let socket = rustix_socket(place);
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
}

fn rustix_socket(place: Place) -> OwnedFd {
    let kind = match place.transport() {
        Transport::UnixDatagram => SocketType::DGRAM,
        Transport::UnixSeqpacket => SocketType::SEQPACKET,
        _ => SocketType::STREAM,
    };
    rustix::net::socket(AddressFamily::UNIX, kind, None).unwrap()
}
