//! All that can happen, from threads that wait for it.
//!
//! Where it stands: in front of the loop that does what is to be done.
//!
//! What this file must never do: read on while the loop has in hand what was read before. So nothing that somebody sends or
//! pastes piles up here, and whoever is not read from waits.

use signal_hook::iterator::Signals;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// So many bytes are read at once.
const READ_BYTES_MAX: usize = 4096;

/// What has happened.
pub(super) enum Input {
    /// Keys were pressed, or lines came through a pipe.
    Typed(Chunk),
    /// No more of them will come.
    TypedEnded,
    /// The server has sent something.
    Received(Chunk),
    /// The server will send nothing more; why, if it did not just close.
    ReceivedEnded(Option<io::Error>),
    /// What was typed cannot be sent any more.
    SendingFailed,
    /// A signal has come.
    Signal(i32),
}

/// Bytes that were read. Their reader waits until this is dropped.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    _in_hand: Sender<()>,
}

impl Chunk {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What happens, one after the other.
pub(super) struct Inputs {
    sender: Sender<Input>,
    receiver: Receiver<Input>,
}

impl Inputs {
    pub(super) fn new() -> Inputs {
        let (sender, receiver) = channel();
        Inputs { sender, receiver }
    }

    /// For a thread of somebody else's.
    pub(super) fn sender(&self) -> Sender<Input> {
        self.sender.clone()
    }

    /// Reads what the server sends.
    pub(super) fn read_server(&self, stream: TcpStream) {
        let sender = self.sender();
        thread::spawn(move || {
            let outcome = read_all(stream, &sender, Input::Received);
            // The loop may have ended.
            let _ = sender.send(Input::ReceivedEnded(outcome.err()));
        });
    }

    /// Reads what is typed.
    pub(super) fn read_typed(&self) {
        let sender = self.sender();
        thread::spawn(move || {
            // A terminal that cannot be read has ended, too.
            let _ = read_all(io::stdin(), &sender, Input::Typed);
            let _ = sender.send(Input::TypedEnded);
        });
    }

    /// Listens for signals, which then do nothing else any more.
    ///
    /// # Errors
    /// If the system does not let us.
    pub(super) fn hear_signals(&self, numbers: &[i32]) -> io::Result<()> {
        let mut signals = Signals::new(numbers)?;
        let sender = self.sender();
        thread::spawn(move || {
            for number in signals.forever() {
                if sender.send(Input::Signal(number)).is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Waits for the next, until a deadline if there is one: then `None`.
    pub(super) fn next(&self, deadline: Option<Instant>) -> Option<Input> {
        match deadline {
            // It cannot fail: a sender is held here.
            None => self.receiver.recv().ok(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.receiver.recv_timeout(left).ok()
            }
        }
    }
}

/// A moment so much later than now.
pub(super) fn behind(time: Duration) -> Instant {
    Instant::now() + time
}

fn read_all(mut source: impl Read, sender: &Sender<Input>, input: fn(Chunk) -> Input) -> io::Result<()> {
    let mut buffer = [0; READ_BYTES_MAX];
    loop {
        let bytes = match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => buffer[..count].to_vec(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (in_hand, dropped) = channel();
        if sender.send(input(Chunk { bytes, _in_hand: in_hand })).is_err() {
            return Ok(());
        }
        // Nothing is ever sent: this ends when the chunk is dropped.
        let _ = dropped.recv();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Always has more, and counts how often it was asked.
    struct Endless(Arc<AtomicUsize>);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(buffer.len())
        }
    }

    #[test]
    fn nothing_is_read_while_the_last_chunk_is_in_hand() {
        let (inputs, reads) = (Inputs::new(), Arc::new(AtomicUsize::new(0)));
        let (sender, endless) = (inputs.sender(), Endless(reads.clone()));
        thread::spawn(move || read_all(endless, &sender, Input::Received));
        for count in 1..100 {
            let Some(Input::Received(chunk)) = inputs.next(None) else { panic!("more is there") };
            assert_eq!((chunk.bytes().len(), reads.load(Ordering::SeqCst)), (READ_BYTES_MAX, count));
        }
    }

    #[test]
    fn wait_has_an_end() {
        assert!(Inputs::new().next(Some(Instant::now())).is_none());
    }
}
