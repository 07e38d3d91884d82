//! The server: sockets, threads and the clock around the engine. The only place in Roomful that touches any of them.
//!
//! Where it stands: it drives everything else. One thread runs the desk in front of the hub (`hub_thread`); each shard
//! has a thread that polls its sockets, feeds what it reads to its `engine::Shard`, and writes what that plans
//! (`shard_thread`). Where what is said is kept (`kept`), one thread writes it (`journal`) and one reads it (`reading`). They
//! reach each other through mailboxes that are drained in batches (`mailbox`). Listeners are opened here (`listener`);
//! whoever starts the server waits for the signals.
//!
//! What this crate must never do: decide anything about rooms, members or bytes (the engine does), write what people say
//! into a log, or let one connection's trouble reach another.

mod addresses;
mod clock;
mod draining;
mod hub_thread;
mod journal;
mod kept;
mod listener;
mod mailbox;
mod panics;
mod reading;
mod room_left;
mod secrets;
mod shard_thread;
mod turns;
mod vanishing;

pub use engine::{Bounds as FeedBounds, Limits as ShardLimits};
pub use eventloop::PollerKind;
pub use history::Retention;
pub use hub::{RoomName, Settings as HubSettings};
pub use listener::{DEFAULT_PORT, ListenError, parse_listen};
pub use panics::log_panics;

use addresses::Addresses;
use clock::Clock;
pub use dialect::ByOrigin;
use dialect::Setup;
pub use dialect::plain::Style as PlainStyle;
use engine::{Desk, Release};
use history::{CommitError, OpenError};
use hub::{Epoch, Hub, Keeping};
use hub_thread::HubThread;
use journal::JournalMailbox;
use kept::{Kept, Reach};
use mailbox::{HubMailbox, ShardMailbox, Stopping};
use rustix::process::{Resource, getrlimit, setrlimit};
use shard_thread::{ShardThread, Surroundings};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use vanishing::Patience;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes any free one.
    pub listen: Vec<SocketAddr>,
    /// How many I/O threads: 1 to 256.
    pub shards: u16,
    /// How the shards ask which sockets are ready. `select` cannot watch more than some 1,000 connections; who comes then is
    /// told so and closed.
    pub poller: PollerKind,
    /// The directory in which everything that is said is kept; without one nothing is.
    pub data: Option<PathBuf>,
    /// What a receipt promises.
    pub durability: Durability,
    /// How many bytes the data file may have; `None` leaves that to the disk.
    pub data_bytes_max: Option<u64>,
    /// What is let go of.
    pub retention: Retention,
    /// How many lines of the past whoever comes into a room at a terminal is shown.
    pub replay_lines: u32,
    /// The bounds of the hub, and its home room.
    pub hub: HubSettings,
    /// The bounds of each shard.
    pub limits: ShardLimits,
    /// How many connections there may be.
    pub connections: ByOrigin<ConnectionLimits>,
    /// How many lines a second one connection may send.
    pub lines_per_second: ByOrigin<u32>,
    /// How plain text is written.
    pub plain_style: PlainStyle,
    /// A peer from which no sign of life has come for so long, though it was asked, has vanished; at least two seconds. It is
    /// noticed within twice that; before Linux 6.15, if it had no room for what was on its way, within six minutes more. Who
    /// is there and just does not read stays.
    pub vanished: Duration,
    /// How many bytes the kernel may hold for one connection that does not read; `None` leaves that to the system.
    pub send_buffer_bytes: Option<usize>,
    /// How long a stopping server goes on writing to those who have not read everything.
    pub flush: Duration,
}

/// What a receipt promises, and when people are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// People are told at once; a receipt leaves when the disk has confirmed.
    #[default]
    Fast,
    /// Nobody is told anything before the disk has confirmed.
    Strict,
    /// Receipts promise nothing: they leave at once, and the system writes when it likes.
    None,
}

/// Why a server did not start.
#[derive(Debug)]
pub enum StartError {
    /// It cannot listen, or the system gives no threads or descriptors.
    Listen(ListenError),
    /// What it keeps cannot be opened.
    Data(OpenError),
    /// What it keeps cannot be written to.
    Write(CommitError),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(error) => error.fmt(formatter),
            StartError::Data(error) => error.fmt(formatter),
            StartError::Write(error) => write!(formatter, "what is said could not be kept: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> StartError {
        StartError::Listen(ListenError::System(error))
    }
}

/// How many connections may come from one address; of IPv6, from one /64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    /// At a time.
    pub per_address_max: u32,
    /// New ones in a second.
    pub per_second_max: u32,
}

impl Options {
    /// The defaults, with this home room, listening nowhere.
    pub fn new(home: RoomName) -> Options {
        Options {
            listen: Vec::new(),
            shards: 1,
            poller: PollerKind::default(),
            data: None,
            durability: Durability::default(),
            data_bytes_max: None,
            retention: Retention::default(),
            replay_lines: 20,
            hub: HubSettings::new(home.clone()),
            limits: ShardLimits::default(),
            connections: ByOrigin {
                local: ConnectionLimits { per_address_max: 100_000, per_second_max: 100_000 },
                remote: ConnectionLimits { per_address_max: 100, per_second_max: 20 },
            },
            lines_per_second: Setup::new(home).lines_per_second,
            plain_style: PlainStyle::default(),
            vanished: Duration::from_secs(120),
            send_buffer_bytes: None,
            flush: Duration::from_secs(5),
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    hub: Arc<HubMailbox>,
    journal: Option<Arc<JournalMailbox>>,
    peers: Arc<Addresses>,
    shards: Vec<Arc<ShardMailbox>>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens the listeners and what is kept, and starts the threads.
    ///
    /// # Errors
    /// If an address cannot be listened on, what is kept cannot be opened, or the system gives no threads or descriptors.
    pub fn start(options: &Options) -> Result<Server, StartError> {
        let sockets =
            listener::SocketOptions::new(Patience::new(options.vanished), options.send_buffer_bytes);
        let listeners = listener::open_all(&options.listen, &sockets).map_err(StartError::Listen)?;
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        let kept = options.data.as_deref().map(|directory| Kept::open(directory, options)).transpose()?;
        start_threads(options, listeners, addresses, kept)
    }

    /// Where it listens, in the order in which it was asked to.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Asks the server to stop: no connection is accepted any more, what people have sent by now is still said, everybody
    /// is told, and what waits is written for as long as [`Options::flush`] allows. Returns at once. To be called once.
    pub fn stop(&self) {
        for shard in &self.shards {
            shard.stop(Stopping::LastCall);
        }
    }

    /// Puts options in force while the server runs: the bounds of the hub between two requests, those of the shards
    /// between two turns, on people who are here as on those who come. What a running server cannot change is left as it
    /// was: [`Options::listen`], [`Options::shards`], [`Options::poller`], the home room, [`Options::plain_style`], [`Options::vanished`],
    /// [`Options::send_buffer_bytes`], [`Options::data`], [`Options::durability`], [`Options::data_bytes_max`],
    /// [`Options::replay_lines`]. Returns at once.
    pub fn reload(&self, options: &Options) {
        self.hub.set_up(HubSettings { keeping: keeping(self.journal.as_ref()), ..options.hub.clone() });
        if let Some(journal) = &self.journal {
            journal.set_retention(options.retention);
        }
        self.peers.set_limits(options.connections);
        let options = Arc::new(options.clone());
        for shard in &self.shards {
            shard.reload(options.clone());
        }
    }

    /// Waits until the server has stopped.
    ///
    /// # Panics
    /// If one of its threads did: what was promised can then not be kept, and the process should end.
    pub fn join(self) {
        for thread in self.threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Lets this process have as many descriptors as the system allows it: every connection needs one.
///
/// # Errors
/// If the system refuses; then the limit stays as it was.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// 64 bits that nobody can guess.
fn random_bits() -> io::Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}

/// Whether what is said can be read again, where there is something to keep it.
fn keeping<T>(kept: Option<&T>) -> Keeping {
    if kept.is_some() { Keeping::History } else { Keeping::Nothing }
}

/// How many shards there are.
fn shard_count(options: &Options) -> u16 {
    options.shards.clamp(1, 256)
}

/// Makes the shards, restores the desk, and only when all of it is there starts one thread after the other.
fn start_threads(
    options: &Options,
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    kept: Option<Kept>,
) -> Result<Server, StartError> {
    let clock = Clock::start();
    let hub = Arc::new(HubMailbox::new(usize::from(shard_count(options))));
    let peers = Arc::new(Addresses::new(options.connections));
    let surroundings = Surroundings {
        poller: options.poller,
        hub: hub.clone(),
        reader: kept.as_ref().map(Kept::reader_mailbox),
        peers: peers.clone(),
        clock,
        plain_style: options.plain_style,
        flush: options.flush,
        patience: Patience::new(options.vanished),
    };
    let shards = make_shards(options, kept.as_ref(), listeners, &surroundings)?;
    let mailboxes: Vec<Arc<ShardMailbox>> = shards.iter().map(ShardThread::mailbox).collect();
    let mut desk = match &kept {
        None => Desk::new(Hub::new(options.hub.clone()), shard_count(options)),
        Some(kept) => kept.set_up_desk(options, shard_count(options), clock.now()),
    };
    let mut threads = Vec::new();
    let reach = Reach { hub: &hub, shards: &mailboxes, clock };
    let archive = kept.map(|kept| kept.start(options, &mut desk, &reach, &mut threads)).transpose()?;
    let journal = archive.as_ref().map(|archive| archive.journal.clone());
    let hub_thread = HubThread { desk, mailbox: hub.clone(), shards: mailboxes.clone(), clock, archive };
    threads.push(spawn("hub", move || hub_thread.run())?);
    for (index, mut shard) in shards.into_iter().enumerate() {
        shard.deal_to(&mailboxes);
        threads.push(spawn(&format!("shard {index}"), move || shard.run())?);
    }
    Ok(Server { addresses, hub, journal, peers, shards: mailboxes, threads })
}

/// The shards, with their pollers. The first one accepts for all of them.
fn make_shards(
    options: &Options,
    kept: Option<&Kept>,
    listeners: Vec<TcpListener>,
    surroundings: &Surroundings,
) -> Result<Vec<ShardThread>, StartError> {
    let setup = Setup {
        lines_per_second: options.lines_per_second,
        plain_style: options.plain_style,
        epoch: kept.map_or_else(|| random_bits().map(Epoch::new), |kept| Ok(kept.epoch()))?,
        keeping: keeping(kept),
        replay_lines: options.replay_lines,
        zone: jiff::tz::TimeZone::system(),
        ..Setup::new(options.hub.home.clone())
    };
    let is_strict = kept.is_some() && options.durability == Durability::Strict;
    let release = if is_strict { Release::WhenDurable } else { Release::AtOnce };
    let mut listeners = Some(listeners);
    let mut shards = Vec::new();
    for index in 0..shard_count(options) {
        let shard = engine::Shard::new(index as u8, setup.clone(), options.limits, release);
        let listeners = listeners.take().unwrap_or_default();
        shards.push(ShardThread::new(shard, listeners, surroundings.clone())?);
    }
    Ok(shards)
}

/// Starts a thread. If it panics the process ends: a hub or a shard that is missing would leave people talking into the
/// void, and what was acknowledged is on disk.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        panics::keep_on_this_thread();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        if ended.is_err() {
            panics::tell_last();
            std::process::abort();
        }
    })
}
