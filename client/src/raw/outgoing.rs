//! Lines on their way to the server.
//!
//! Where it stands: behind the editor, in front of the socket. A thread of its own writes, so that somebody whose server does
//! not read can still type, and leave.
//!
//! What this file must never do: hold more than [`WAITING_BYTES_MAX`], or wait.

use super::inputs::Input;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// While more than this waits because the server does not read, no line is taken.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// What was typed last may take so long to leave once its author has left.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// The way out. Dropped, it ends what is sent behind the last line.
pub(super) struct Outgoing {
    lines: Sender<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Ends when the thread does.
    written: Receiver<()>,
}

impl Outgoing {
    /// Writes to this connection. If that fails, it is told.
    pub(super) fn new(stream: TcpStream, inputs: Sender<Input>) -> Outgoing {
        let (lines, taken) = channel();
        let (in_work, written) = channel();
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let still_waiting = waiting_bytes.clone();
        thread::spawn(move || {
            write_all(&stream, &taken, &still_waiting, &inputs);
            drop(in_work);
        });
        Outgoing { lines, waiting_bytes, written }
    }

    /// Sends a line, behind those that wait. Whether it was taken: not, while the server reads none.
    pub(super) fn send(&self, line: &str) -> bool {
        let bytes = line.len() + 1;
        if self.waiting_bytes.load(Ordering::Relaxed) + bytes > WAITING_BYTES_MAX {
            return false;
        }
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.lines.send([line.as_bytes(), b"\n"].concat()).is_ok()
    }

    /// No line comes any more. Waits until all have left, or it has taken too long.
    pub(super) fn end(self) {
        drop(self.lines);
        // Nothing is ever sent: this ends with the thread, or in time.
        let _ = self.written.recv_timeout(LAST_WORDS_MAX);
    }
}

fn write_all(
    mut stream: &TcpStream,
    lines: &Receiver<Vec<u8>>,
    waiting_bytes: &AtomicUsize,
    inputs: &Sender<Input>,
) {
    for line in lines {
        if stream.write_all(&line).is_err() {
            // The loop may have ended.
            let _ = inputs.send(Input::SendingFailed);
            return;
        }
        waiting_bytes.fetch_sub(line.len(), Ordering::Relaxed);
    }
    // It may be closed already.
    let _ = stream.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::super::inputs::Inputs;
    use super::*;
    use std::io::Read as _;
    use std::net::TcpListener;

    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let here = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        (here, listener.accept().expect("the other end").0)
    }

    #[test]
    fn all_that_was_sent_leaves_before_the_end() {
        let (here, mut there) = connection();
        let outgoing = Outgoing::new(here, Inputs::new().sender());
        assert!(["one", "", "漢字"].iter().all(|line| outgoing.send(line)));
        outgoing.end();
        let mut received = String::new();
        there.read_to_string(&mut received).expect("text, and an end");
        assert_eq!(received, "one\n\n漢字\n");
    }

    #[test]
    fn server_that_does_not_read_is_sent_a_bounded_amount_and_nobody_waits_for_it() {
        let (here, _there) = connection();
        let outgoing = Outgoing::new(here, Inputs::new().sender());
        let line = "x".repeat(16 * 1024);
        // The kernel takes some megabytes at most.
        assert!((0..10_000).any(|_| !outgoing.send(&line)));
        assert!(outgoing.waiting_bytes.load(Ordering::Relaxed) <= WAITING_BYTES_MAX);
    }

    #[test]
    fn failure_is_told() {
        let (here, there) = connection();
        let inputs = Inputs::new();
        here.shutdown(Shutdown::Write).expect("half of the connection is closed");
        let outgoing = Outgoing::new(here, inputs.sender());
        outgoing.send("hi");
        assert!(matches!(inputs.next(None), Some(Input::SendingFailed)));
        drop(there);
    }
}
