//! The clients: one thread, one poller, lines sent and their echoes checked.
//!
//! It has to be cheaper than any server that it drives, so a connection is made by a call that waits (loopback answers at
//! once), a line is one send, and only the echo is waited for together. It must never wait without a bound.

use std::{
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use eventloop::{Events, Interest, Poller, Token};
use rustix::net::{RecvFlags, recv};

/// How long a line is, its end included.
pub const LINE_BYTES: usize = 64;

/// How long the server may take for one answer. With 10,000 idle connections `poll` takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long clients look for answers before they sleep, where they have a processor to themselves. A server that has to wake
/// a sleeping processor pays for that with its own time: in a virtual machine more than for everything else in a request.
pub const LOOK: Duration = Duration::from_millis(1);

/// How many idle connections are made at a time: fewer than any server's queue holds.
const HELD_AT_ONCE: usize = 256;

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many do it at a time.
    pub clients: usize,
    /// After how many requests each closes its connection and makes a new one; `None`: never.
    pub requests_per_connection: Option<u64>,
    /// How long requests are begun.
    pub window: Duration,
}

/// All connections to one server.
pub struct Generator {
    address: SocketAddr,
    look: Duration,
    poller: Poller,
    events: Events,
    /// Connections that were answered once and do nothing more.
    idle: Vec<Client>,
    /// Makes every line different.
    requests_begun: u64,
}

struct Client {
    stream: TcpStream,
    /// How many requests it will still make after this one.
    requests_left: Option<u64>,
    line: [u8; LINE_BYTES],
    heard_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Echo {
    Whole,
    Partial,
}

impl Generator {
    /// Clients of the server at `address`, none of them connected yet. They look for answers for so long before they sleep.
    ///
    /// # Errors
    ///
    /// If the kernel gives no poller.
    pub fn aimed_at(address: SocketAddr, look: Duration) -> Result<Self> {
        crate::crowd::raise_descriptor_limit();
        let poller = Poller::new().context("cannot make a poller")?;
        Ok(Self {
            address,
            look,
            poller,
            events: Events::with_capacity(1024),
            idle: Vec::new(),
            requests_begun: 0,
        })
    }

    /// Makes `count` connections more that are answered once, so that the server surely has them, and then do nothing.
    ///
    /// # Errors
    ///
    /// If the server does not take or does not answer one of them.
    pub fn hold(&mut self, count: usize) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let batch = left.min(HELD_AT_ONCE);
            let mut clients = self.begin(batch, Some(1))?;
            self.answer_each_once(&mut clients)?;
            self.idle.append(&mut clients);
            left -= batch;
        }
        Ok(())
    }

    /// Lets clients make requests as long as the window is open, and returns how many were answered. All connections that
    /// it made are closed.
    ///
    /// # Errors
    ///
    /// If an answer is wrong, or none comes.
    pub fn play(&mut self, load: &Load) -> Result<u64> {
        let until = Instant::now() + load.window;
        let mut clients = self.begin(load.clients, load.requests_per_connection)?;
        let (mut answered, mut busy) = (0, clients.len());
        while busy > 0 {
            let found = self.await_answers()?;
            let is_over = Instant::now() >= until;
            for index in found {
                if clients[index].hear()? == Echo::Partial {
                    continue;
                }
                answered += 1;
                if is_over {
                    busy -= 1;
                } else {
                    self.go_on(&mut clients[index], index, load)?;
                }
            }
        }
        Ok(answered)
    }

    /// The next request of a client whose last one was answered, through a new connection if it is time for one.
    fn go_on(&mut self, client: &mut Client, index: usize, load: &Load) -> Result<()> {
        if client.requests_left == Some(0) {
            // The old connection is closed before the new one is made: a server that serves one at a time would wait for both.
            let line = self.next_line();
            client.stream.shutdown(std::net::Shutdown::Write)?;
            *client = self.connect(line, load.requests_per_connection)?;
            self.poller.register(&client.stream, Token(index as u64), Interest::READ)?;
        } else {
            client.line = self.next_line();
        }
        client.ask()
    }

    /// Connections whose first lines are on their way.
    fn begin(&mut self, count: usize, requests_per_connection: Option<u64>) -> Result<Vec<Client>> {
        let mut clients = Vec::with_capacity(count);
        for index in 0..count {
            let line = self.next_line();
            let mut client = self.connect(line, requests_per_connection)?;
            self.poller.register(&client.stream, Token(index as u64), Interest::READ)?;
            client.ask()?;
            clients.push(client);
        }
        Ok(clients)
    }

    fn answer_each_once(&mut self, clients: &mut [Client]) -> Result<()> {
        let mut waiting = clients.len();
        while waiting > 0 {
            for index in self.await_answers()? {
                if clients[index].hear()? == Echo::Whole {
                    waiting -= 1;
                    self.poller.unregister(&clients[index].stream)?;
                }
            }
        }
        Ok(())
    }

    /// Whose sockets are readable.
    fn await_answers(&mut self) -> Result<Vec<usize>> {
        let looks_until = Instant::now() + self.look;
        self.events_within(Duration::ZERO)?;
        while self.events.is_empty() && Instant::now() < looks_until {
            self.events_within(Duration::ZERO)?;
        }
        if self.events.is_empty() {
            self.events_within(PATIENCE)?;
        }
        ensure!(!self.events.is_empty(), "the server has answered nobody for {} seconds", PATIENCE.as_secs());
        Ok(self.events.iter().map(|event| event.token.0 as usize).collect())
    }

    fn events_within(&mut self, at_most: Duration) -> Result<()> {
        self.poller.poll(&mut self.events, Some(at_most)).context("cannot wait for answers")
    }

    fn connect(&self, line: [u8; LINE_BYTES], requests_per_connection: Option<u64>) -> Result<Client> {
        let stream = TcpStream::connect(self.address);
        let stream = stream.with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, requests_left: requests_per_connection, line, heard_bytes: 0 })
    }

    fn next_line(&mut self) -> [u8; LINE_BYTES] {
        let mut line = [b'.'; LINE_BYTES];
        line[LINE_BYTES - 1] = b'\n';
        let mut number = self.requests_begun;
        for digit in line[..16].iter_mut().rev() {
            *digit = b"0123456789abcdef"[(number % 16) as usize];
            number /= 16;
        }
        self.requests_begun += 1;
        line
    }
}

impl Client {
    fn ask(&mut self) -> Result<()> {
        self.heard_bytes = 0;
        self.requests_left = self.requests_left.map(|left| left - 1);
        let taken = self.stream.write(&self.line).context("the server does not take a line")?;
        ensure!(taken == LINE_BYTES, "the server has taken only {taken} of the {LINE_BYTES} bytes of a line");
        Ok(())
    }

    fn hear(&mut self) -> Result<Echo> {
        let mut buffer = [0; LINE_BYTES + 1];
        let heard = match recv(&self.stream, &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok((_, 0)) => bail!("the server has closed a connection"),
            Ok((_, heard)) => heard,
            Err(errno) if errno.kind() == ErrorKind::WouldBlock => return Ok(Echo::Partial),
            Err(errno) => return Err(errno).context("the server has broken a connection"),
        };
        let expected = self.line[self.heard_bytes..].get(..heard);
        ensure!(
            expected == Some(&buffer[..heard]),
            "the server has sent something else than what it was sent"
        );
        self.heard_bytes += heard;
        Ok(if self.heard_bytes == LINE_BYTES { Echo::Whole } else { Echo::Partial })
    }
}
