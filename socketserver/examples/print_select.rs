//! Prints what clients send, in one thread: the loop with `select` that every textbook begins with, by hand.
//!
//! What one learns: what a server on a poller does when no library does it. The listener is watched like a client; each turn
//! reads once from whoever is ready, so that nobody waits for anybody; and a line is put together out of what one read
//! gives, because a stream knows no lines. `select` cannot watch descriptors beyond 1,023, so there is a bound on clients:
//! those beyond it wait until somebody leaves.
//!
//! ```text
//! cargo run -p socketserver --example print_select              # or: -- ADDRESS:PORT
//! nc 127.0.0.1 8000                                             # in another terminal, and in a third
//! ```

use eventloop::{Events, Interest, Poller, PollerKind, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;

const CLIENTS_MAX: usize = 1000;
const LINE_BYTES_MAX: usize = 4096;

struct Client {
    stream: TcpStream,
    address: SocketAddr,
    /// What has come of a line whose end has not.
    line: Vec<u8>,
}

impl Client {
    /// Reads once and prints the lines that are complete. Zero is the end.
    fn print(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 1024];
        let count = self.stream.read(&mut bytes)?;
        self.line.extend_from_slice(&bytes[..count]);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            println!("{}: {:?}", self.address, String::from_utf8_lossy(line.trim_ascii_end()));
        }
        if self.line.len() > LINE_BYTES_MAX {
            return Err(io::Error::other("a line is too long"));
        }
        Ok(count)
    }
}

fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?; // nothing here may ever wait but the poller
    println!("listening at {}", listener.local_addr()?);

    // A signal becomes a byte in a pipe, and so one more descriptor to wait for.
    let (signals, signalled) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::low_level::pipe::register(signal, signalled.try_clone()?)?;
    }

    let poller = Poller::of(PollerKind::Select)?;
    poller.register(&listener, Token::of(&listener), Interest::READ)?;
    poller.register(&signals, Token::of(&signals), Interest::READ)?;
    let mut events = Events::with_capacity(64);
    let mut clients: BTreeMap<_, Client> = BTreeMap::new();
    loop {
        poller.poll(&mut events, None)?;
        for (descriptor, _) in events.descriptors() {
            if descriptor == signals.as_raw_fd() {
                return Ok(());
            } else if descriptor == listener.as_raw_fd() {
                let Ok((stream, address)) = listener.accept() else { continue };
                stream.set_nonblocking(true)?;
                poller.register(&stream, Token::of(&stream), Interest::READ)?;
                clients.insert(stream.as_raw_fd(), Client { stream, address, line: Vec::new() });
            } else if let Some(client) = clients.get_mut(&descriptor) {
                match client.print() {
                    Ok(1..) => continue,
                    Ok(0) => println!("{}: the end", client.address),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => println!("{}: {error}", client.address),
                }
                poller.unregister(&client.stream)?; // and only then close it
                clients.remove(&descriptor);
            }
        }
        let room = if clients.len() < CLIENTS_MAX { Interest::READ } else { Interest::NONE };
        poller.modify(&listener, Token::of(&listener), room)?;
    }
}
