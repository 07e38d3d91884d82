//! The thread that reads keys.
//!
//! Where it stands: between the terminal's descriptor and [`super::parser`], which knows what the bytes mean; here is only what needs
//! a clock.
//!
//! What this file must never do: take part in anything else, or go on when there is no terminal any more.

use super::event::TerminalEvent;
use super::parser::{PASTE_BYTES_MAX, Parser, pasted};
use super::{Device, Sink};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::thread;

/// The rest of a sequence comes at once, even over slow lines: they are slow to deliver, not to deliver the rest.
const ESCAPE_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
/// A paste that is not marked has ended when nothing came for so long.
const PASTE_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
/// As much as the system keeps for a terminal (`N_TTY_BUF_SIZE`).
const READ_BYTES: usize = 4096;

/// Starts the thread. It ends when the sink breaks off, or with the terminal.
pub(super) fn start(device: Device, sink: impl Sink) -> io::Result<()> {
    let reader = Reader { device, parser: Parser::default() };
    thread::Builder::new().name("keys".into()).spawn(move || reader.run(sink)).map(drop)
}

/// What a wait came to.
enum Waited {
    /// There is something to read.
    Readable,
    /// Nothing came.
    Nothing,
}

struct Reader {
    device: Device,
    parser: Parser,
}

impl Reader {
    fn run(mut self, sink: impl Sink) {
        while let Ok(events) = self.next() {
            if events.into_iter().try_for_each(&sink).is_break() {
                return;
            }
        }
        let _ = sink(TerminalEvent::Gone);
    }

    /// Waits for what comes next, which may be nothing yet.
    fn next(&mut self) -> io::Result<Vec<TerminalEvent>> {
        let patience = self.parser.is_waiting().then_some(&ESCAPE_WAIT);
        if let Waited::Nothing = self.wait(patience)? {
            return Ok(self.parser.flush().into_iter().collect());
        }
        let bytes = self.read()?;
        if self.parser.looks_pasted(&bytes) {
            return Ok(vec![TerminalEvent::Paste(pasted(&self.rest_of_paste(bytes)?))]);
        }
        Ok(self.parser.read(&bytes))
    }

    /// A paste may be more than is read at once. What is too much for one is dropped, so that it is nothing else either.
    fn rest_of_paste(&self, mut paste: Vec<u8>) -> io::Result<Vec<u8>> {
        while let Waited::Readable = self.wait(Some(&PASTE_WAIT))? {
            paste.extend(self.read()?);
            paste.truncate(PASTE_BYTES_MAX);
        }
        Ok(paste)
    }

    fn wait(&self, patience: Option<&Timespec>) -> io::Result<Waited> {
        let mut descriptor = [PollFd::new(self.device.input(), PollFlags::IN)];
        loop {
            match poll(&mut descriptor, patience) {
                Ok(0) => return Ok(Waited::Nothing),
                Ok(_) => return Ok(Waited::Readable),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads what there is. That there is nothing more, ever, is an error.
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; READ_BYTES];
        match rustix::io::read(self.device.input(), bytes.as_mut_slice()) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                bytes.truncate(count);
                Ok(bytes)
            }
            // Somebody else was faster; or it was a signal.
            Err(Errno::INTR | Errno::AGAIN) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}
