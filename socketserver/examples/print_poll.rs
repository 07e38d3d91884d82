//! Greets clients and prints what they send, in one thread: the loop with `poll`, by hand, with all that a poll can say.
//!
//! What one learns: register, modify, unregister, poll; and the conditions. A client is first watched for room to write, until
//! it was greeted, and then for bytes and for urgent ones. Hang-ups and errors come unasked, and whoever overlooks them
//! spins. For the loop in its plainest form see `print_select`.
//!
//! ```text
//! cargo run -p socketserver --example print_poll                # or: -- ADDRESS:PORT
//! nc 127.0.0.1 8000                                             # in another terminal, or the example `greeted`
//! ```

use eventloop::{Events, Interest, Mask, Poller, PollerKind, Token};
use rustix::net::RecvFlags;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;

/// Those beyond it wait in the backlog: without a bound the descriptors would run out some day.
const CLIENTS_MAX: usize = 1000;

struct Client {
    stream: TcpStream,
    address: SocketAddr,
}

/// Whether a client is watched any longer.
#[derive(PartialEq)]
enum Next {
    Stays,
    Leaves,
}

impl Client {
    /// Does what the conditions ask for.
    fn serve(&mut self, mask: Mask, poller: &Poller) -> io::Result<Next> {
        if mask.contains(Mask::WRITABLE) {
            self.stream.write_all(b"Thank you for connecting\n")?; // a new connection has room for so little
            poller.modify(&self.stream, Token::of(&self.stream), Interest::READ | Interest::PRIORITY)?;
        }
        if mask.contains(Mask::PRIORITY) {
            let mut urgent = [0];
            rustix::net::recv(&self.stream, &mut urgent, RecvFlags::OOB)?;
            println!("{}: urgent: {}", self.address, urgent.escape_ascii());
        }
        if mask.contains(Mask::READABLE) {
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes)? {
                0 => return Ok(Next::Leaves),
                // Whatever one read gives, be it half a line or three: a stream knows no lines.
                count => println!("{}: {}", self.address, bytes[..count].escape_ascii()),
            }
        } else if mask.contains(Mask::ERROR) {
            return self.stream.take_error()?.map_or(Ok(Next::Leaves), Err);
        } else if mask.contains(Mask::HANGUP) {
            return Ok(Next::Leaves); // both directions have ended, and nothing is left to read
        }
        Ok(Next::Stays)
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

    let poller = Poller::of(PollerKind::Poll)?;
    poller.register(&listener, Token::of(&listener), Interest::READ)?;
    poller.register(&signals, Token::of(&signals), Interest::READ)?;
    let mut events = Events::with_capacity(64);
    let mut clients: BTreeMap<_, Client> = BTreeMap::new();
    loop {
        poller.poll(&mut events, None)?;
        for (descriptor, mask) in events.descriptors() {
            if descriptor == signals.as_raw_fd() {
                return Ok(());
            }
            if descriptor == listener.as_raw_fd() {
                let Ok((stream, address)) = listener.accept() else { continue };
                stream.set_nonblocking(true)?;
                poller.register(&stream, Token::of(&stream), Interest::WRITE)?;
                clients.insert(stream.as_raw_fd(), Client { stream, address });
            } else if let Some(client) = clients.get_mut(&descriptor) {
                match client.serve(mask, &poller) {
                    Ok(Next::Stays) => continue,
                    Ok(Next::Leaves) => println!("{}: the end", client.address),
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
