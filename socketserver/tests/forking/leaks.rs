//! Nothing is left of requests that are over, however they ended.

use crate::cells::{Cell, Kind, REQUESTS_MAX, Setup, Visitor, Way};
use crate::helpers::{self, ROUNDS, WARM_UP_ROUNDS, requests_of_a_round};
use crate::own;
use crate::places::{Place, connect};
use crate::servant::{Note, Notes, Servant};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socketserver::{Listener, PollerKind, Request, Served, Server, Strategy, Threading};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) fn iterative_blocking() {
    leaks_nothing(Place::Tcp4, Way::Iterative(Kind::Blocking));
}

pub(crate) fn iterative_sans_io() {
    leaks_nothing(Place::Tcp4, Way::Iterative(Kind::SansIo));
}

pub(crate) fn threading_blocking() {
    leaks_nothing(Place::Tcp4, Way::Threading(Kind::Blocking));
}

pub(crate) fn threading_sans_io() {
    leaks_nothing(Place::StreamPath, Way::Threading(Kind::SansIo));
}

pub(crate) fn forking_blocking() {
    leaks_nothing(Place::Tcp4, Way::Forking(Kind::Blocking));
}

pub(crate) fn forking_sans_io() {
    leaks_nothing(Place::RecordsPath, Way::Forking(Kind::SansIo));
}

pub(crate) fn evented_on_select() {
    leaks_nothing(Place::Tcp4, Way::Evented(PollerKind::Select));
}

pub(crate) fn evented_on_poll() {
    leaks_nothing(Place::StreamPath, Way::Evented(PollerKind::Poll));
}

pub(crate) fn evented_on_epoll() {
    leaks_nothing(Place::Tcp4, Way::Evented(PollerKind::Epoll));
}

pub(crate) fn datagrams() {
    for way in Way::ALL {
        // Not UDP, where a new client may get the number of one that has vanished, and its answers.
        leaks_nothing(Place::DatagramPath, way);
    }
}

/// Memory that grows with the requests would be more than that: it is less than a kilobyte for each.
const GROWTH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Thousands of requests of all kinds, after some that make what is made once.
fn leaks_nothing(place: Place, way: Way) {
    own::silence_expected_panics();
    let cell = Cell::new(place, way);
    let (notes, told) = Notes::new();
    let come = AtomicUsize::new(0);
    // The last one of each round.
    let requests = requests_of_a_round(place);
    let admits = move |_: &_| !(come.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(requests);
    let setup = Setup { admits: Box::new(admits), ..Setup::default() };
    let servant = Servant::new(place, notes.clone());
    let gauge = servant.gauge();
    cell.build(servant, &notes, setup, ServesCrowds { place });
    assert!(gauge.most() <= REQUESTS_MAX, "{cell}: {} at a time", gauge.most());
    let panics = told
        .try_iter()
        .filter(|note| matches!(note, Note::Error(text) if text == "the handler panicked: told to panic"));
    if !place.is_datagram() {
        assert_eq!(panics.count(), ROUNDS + WARM_UP_ROUNDS, "{cell}: each panic is told of");
    }
}

struct ServesCrowds {
    place: Place,
}

impl Visitor for ServesCrowds {
    type Outcome = ();

    fn visit<H, S>(self, mut server: Server<H, S>)
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static,
    {
        own::stop_on_sigterm(&server.shutdown_handle());
        let at = self.place.way_to(server.server_address());
        let mut serve = |kind| {
            let helper = helpers::start(kind, self.place, &at);
            server.serve_forever().unwrap();
            helpers::assert_did_its_part(helper);
            own::await_one_thread();
            assert!(!own::has_children(), "a child is left");
            (own::descriptors(), own::memory())
        };
        let before = serve("small_crowd");
        let after = serve("crowd");
        assert_eq!(after.0, before.0, "descriptors");
        assert!(after.1 <= before.1 + GROWTH_BYTES_MAX, "from {} to {} bytes", before.1, after.1);
    }
}

const DESCRIPTORS_MAX: u64 = 32;
/// How often the lack is reported before there are descriptors again.
const REPORTS: usize = 3;
/// Each report is followed by a pause of 100 ms.
const LASTS_MIN: Duration = Duration::from_millis(200);
/// A loop that spins would use all of that and more.
const CPU_TIME_MAX: Duration = Duration::from_millis(100);

pub(crate) fn lack_of_descriptors_is_survived() {
    for way in Way::ALL {
        let cell = Cell::new(Place::Tcp4, way);
        let (notes, told) = Notes::new();
        let usual = getrlimit(Resource::Nofile);
        let (come, reports) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let fillers: Vec<File> = (0..DESCRIPTORS_MAX).map(|_| File::open("/dev/null").unwrap()).collect();
        let admits = move |_: &_| {
            let is_second = come.fetch_add(1, Ordering::Relaxed) == 1;
            if is_second {
                // All numbers below that are taken for good.
                let current = Some(DESCRIPTORS_MAX);
                setrlimit(Resource::Nofile, Rlimit { current, maximum: usual.maximum }).unwrap();
            }
            !is_second
        };
        let on_error = move |_: &_, _: Option<&_>| {
            if reports.fetch_add(1, Ordering::Relaxed) + 1 == REPORTS {
                setrlimit(Resource::Nofile, usual).unwrap();
            }
        };
        let setup = Setup { admits: Box::new(admits), on_error: Box::new(on_error), ..Setup::default() };
        cell.build(Servant::new(Place::Tcp4, notes.clone()), &notes, setup, Starves { cell: &cell });
        let errors: Vec<Note> = told.try_iter().filter(|note| matches!(note, Note::Error(_))).collect();
        let lack = "cannot take a request: Too many open files (os error 24)";
        assert_eq!(errors, vec![Note::Error(lack.to_owned()); REPORTS], "{cell}");
        drop(fillers);
    }
}

struct Starves<'c> {
    cell: &'c Cell,
}

impl Visitor for Starves<'_> {
    type Outcome = ();

    fn visit<H, S>(self, mut server: Server<H, S>)
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static,
    {
        own::stop_on_sigterm(&server.shutdown_handle());
        let helper = helpers::start("three", Place::Tcp4, &Place::Tcp4.way_to(server.server_address()));
        let (begun, used_before) = (Instant::now(), own::cpu_time());
        server.serve_forever().unwrap();
        let (lasted, cpu_time) = (begun.elapsed(), own::cpu_time().saturating_sub(used_before));
        helpers::assert_did_its_part(helper);
        assert!(lasted >= LASTS_MIN, "{}: it lasted {lasted:?}", self.cell);
        assert!(cpu_time <= CPU_TIME_MAX, "{}: it used {cpu_time:?} of CPU time", self.cell);
    }
}

/// All threads are busy, and there is no descriptor for the bell that tells when one has ended.
pub(crate) fn last_descriptor_does_for_the_last_thread() {
    let usual = getrlimit(Resource::Nofile);
    let (goes_on, may_go_on) = channel();
    let (releases, may_go_on) = (goes_on.clone(), Mutex::new(may_go_on));
    let waits = move |_: &mut Request| -> io::Result<()> {
        may_go_on.lock().unwrap().recv().map_err(io::Error::other)
    };
    let (notes, told) = Notes::new();
    let listener = Listener::open(&"tcp:127.0.0.1:0".parse().unwrap()).unwrap();
    let mut server = Server::blocking(listener, Threading::up_to(1), waits)
        .unwrap()
        .verify_request(move |_| {
            let current = Some(own::lowest_free_descriptor());
            setrlimit(Resource::Nofile, Rlimit { current, maximum: usual.maximum }).unwrap();
            true
        })
        .handle_error(move |error, _| {
            notes.error(error);
            setrlimit(Resource::Nofile, usual).unwrap();
            releases.send(()).unwrap();
        });
    let at = Place::Tcp4.way_to(server.server_address());
    let clients = [connect(&at), connect(&at)];
    for _ in &clients {
        assert_eq!(server.handle_request().unwrap(), Served::Request);
    }
    goes_on.send(()).unwrap();
    drop((server, clients));
    setrlimit(Resource::Nofile, usual).unwrap();
    let lack = "cannot take a request: Too many open files (os error 24)";
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Note::Error(lack.to_owned())]);
}

/// The first two clients get no thread, for there is no memory for its stack, and the third one is not tried at once.
pub(crate) fn lack_of_threads_is_waited_out() {
    const REPORTS: usize = 2;
    let usual = getrlimit(Resource::As);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let reported = reports.clone();
    let answers = |request: &mut Request| -> io::Result<()> { request.reply(b"hello") };
    let listener = Listener::open(&"tcp:127.0.0.1:0".parse().unwrap()).unwrap();
    let mut server =
        Server::blocking(listener, Threading::default(), answers).unwrap().handle_error(move |_, _| {
            let mut reports = reported.lock().unwrap();
            reports.push(Instant::now());
            if reports.len() == REPORTS {
                setrlimit(Resource::As, usual).unwrap();
            }
        });
    own::stop_on_sigterm(&server.shutdown_handle());
    let at = Place::Tcp4.way_to(server.server_address());
    let mut helper = helpers::command("three_at_once", Place::Tcp4, &at);
    let helper = helper.spawn().unwrap();
    // Less than a stack beyond what there is, and more than anything else here takes.
    let current = Some(own::address_space() + 1024 * 1024);
    setrlimit(Resource::As, Rlimit { current, maximum: usual.maximum }).unwrap();
    server.serve_forever().unwrap();
    helpers::assert_did_its_part(helper);
    let reports = reports.lock().unwrap();
    let pause = reports[1] - reports[0];
    assert!(reports.len() == REPORTS && pause >= Duration::from_millis(50), "{pause:?} between {reports:?}");
}

/// It is closed, and the hook is told what to do. The server goes on with the numbers that it can watch.
pub(crate) fn connection_beyond_select_is_told_of() {
    let usual = getrlimit(Resource::Nofile);
    let enough = Rlimit { current: Some(2 * WATCHED_MAX), maximum: usual.maximum };
    setrlimit(Resource::Nofile, enough).unwrap();
    let cell = Cell::new(Place::Tcp4, Way::Evented(PollerKind::Select));
    let (notes, told) = Notes::new();
    let fillers = Arc::new(Mutex::new(Vec::new()));
    let freed = fillers.clone();
    let setup = Setup { on_error: Box::new(move |_, _| freed.lock().unwrap().clear()), ..Setup::default() };
    let servant = Servant::new(Place::Tcp4, notes.clone());
    cell.build(servant, &notes, setup, ServesBeyond { fillers: &fillers });
    let errors: Vec<Note> = told.try_iter().filter(|note| matches!(note, Note::Error(_))).collect();
    let beyond = "descriptor 1024 is beyond what select can watch (0 to 1023); use poll or epoll";
    assert_eq!(errors, [Note::Error(format!("cannot take a request: {beyond}"))]);
    setrlimit(Resource::Nofile, usual).unwrap();
}

/// Descriptors that `select` can watch.
const WATCHED_MAX: u64 = 1024;

/// Serves while all descriptors that can be watched are taken by something else.
struct ServesBeyond<'f> {
    fillers: &'f Mutex<Vec<File>>,
}

impl Visitor for ServesBeyond<'_> {
    type Outcome = ();

    fn visit<H, S>(self, mut server: Server<H, S>)
    where
        H: Send + Sync + 'static,
        S: Strategy<H> + Send + 'static,
    {
        own::stop_on_sigterm(&server.shutdown_handle());
        let helper = helpers::start("two", Place::Tcp4, &Place::Tcp4.way_to(server.server_address()));
        let mut fillers = self.fillers.lock().unwrap();
        while own::lowest_free_descriptor() < WATCHED_MAX {
            fillers.push(File::open("/dev/null").unwrap());
        }
        drop(fillers);
        server.serve_forever().unwrap();
        helpers::assert_did_its_part(helper);
    }
}
