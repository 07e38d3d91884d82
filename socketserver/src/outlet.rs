//! A way to a client from elsewhere: from another client's conversation, or from another thread.
//!
//! What is sent is put into a bounded mailbox of the connection, and the loop that runs it is woken, once for a batch.
//! It must never wait: who does not read fast enough costs memory up to the bound, and the sender hears that it is full.

use eventloop::{Poller, Token, Waker};
use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

/// How many bytes may wait in one mailbox, with eight for the length of each part.
const MAIL_BYTES_MAX: usize = 256 * 1024;

/// Sends to one client from anywhere in the process, for as long as its conversation lasts.
///
/// It is got from [`Output::outlet`](crate::Output::outlet). Clones send to the same client. What one thread sends
/// arrives in its order. In a child of the forking strategy it reaches the child's own client only.
#[derive(Clone)]
pub struct Outlet {
    mailbox: Arc<Mailbox>,
}

/// Why something could not be sent through an [`Outlet`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OutletError {
    /// It does not fit into the 256 KiB that may wait: the client reads too slowly, or this alone is longer, and then it will
    /// never fit. Nothing of it was sent.
    Full,
    /// The conversation is over.
    Closed,
}

impl fmt::Display for OutletError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            OutletError::Full => "the client reads too slowly: 256 KiB wait for it already",
            OutletError::Closed => "the conversation is over",
        })
    }
}

impl std::error::Error for OutletError {}

impl Outlet {
    /// Sends `bytes`: a part of the stream, or one record; nothing, if they are empty. Never waits.
    ///
    /// # Errors
    /// [`OutletError::Full`] if too much waits already, [`OutletError::Closed`] if nobody is there any more.
    pub fn send(&self, bytes: &[u8]) -> Result<(), OutletError> {
        let mut mail = self.mailbox.mail();
        if !mail.is_open || mail.is_closing {
            return Err(OutletError::Closed);
        }
        if bytes.is_empty() {
            // Not even its length is to be kept: there is no bound on how often nothing is sent.
            return Ok(());
        }
        if mail.memory_bytes() + bytes.len() > MAIL_BYTES_MAX {
            return Err(OutletError::Full);
        }
        mail.bytes.extend_from_slice(bytes);
        mail.lengths.push(bytes.len());
        self.ring(mail);
        Ok(())
    }

    /// Closes the connection when everything that was sent has left. Nothing happens if it is closed.
    pub fn close(&self) {
        let mut mail = self.mailbox.mail();
        mail.is_closing = true;
        self.ring(mail);
    }

    /// Ends the conversation at once; what was sent and has not left is given up. For a client that does not read, which would
    /// hold up [`Outlet::close`] for as long as it pleases. Nothing happens if it is closed.
    pub fn cut(&self) {
        self.mailbox.close();
        if !self.mailbox.is_cut.swap(true, Ordering::SeqCst) {
            self.mailbox.desk.ring(self.mailbox.connection);
        }
    }

    fn ring(&self, mut mail: MutexGuard<'_, Mail>) {
        let is_known = std::mem::replace(&mut mail.is_known, true);
        drop(mail);
        if !is_known {
            self.mailbox.desk.ring(self.mailbox.connection);
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outlet").field("connection", &self.mailbox.connection).finish_non_exhaustive()
    }
}

/// One connection's mail, shared between its loop and its outlets.
pub(crate) struct Mailbox {
    connection: Token,
    mail: Mutex<Mail>,
    desk: Arc<Desk>,
    is_cut: AtomicBool,
}

#[derive(Default)]
pub(crate) struct Mail {
    bytes: Vec<u8>,
    /// Of each part that was sent: where boundaries are kept, it is a record.
    lengths: Vec<usize>,
    pub(crate) is_closing: bool,
    is_open: bool,
    /// The desk knows that there is mail.
    is_known: bool,
}

impl Mail {
    /// How much memory it takes, with the lengths: of parts of one byte they take most of it.
    fn memory_bytes(&self) -> usize {
        self.bytes.len() + self.lengths.len() * size_of::<usize>()
    }

    /// What was sent, part by part.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        self.lengths.iter().map(move |length| {
            let (part, after) = rest.split_at(*length);
            rest = after;
            part
        })
    }
}

impl Mailbox {
    /// Whoever panicked while holding it was in the middle of nothing: each change is one statement.
    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what waits.
    pub(crate) fn take(&self) -> Mail {
        let mut mail = self.mail();
        let is_open = mail.is_open && !mail.is_closing;
        std::mem::replace(&mut *mail, Mail { is_open, ..Mail::default() })
    }

    /// Takes what waits, and accepts nothing any more.
    pub(crate) fn take_last(&self) -> Mail {
        std::mem::take(&mut *self.mail())
    }

    /// The conversation is over.
    pub(crate) fn close(&self) {
        *self.mail() = Mail::default();
    }

    /// Whether the conversation is to end at once.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mailbox").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// Which connections of one loop have mail, and the bell of that loop.
#[derive(Debug)]
pub(crate) struct Desk {
    called: Mutex<Vec<Token>>,
    waker: Waker,
}

impl Desk {
    fn ring(&self, connection: Token) {
        let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        called.push(connection);
        // The first one has rung, and nobody has looked since.
        if called.len() == 1 {
            self.waker.wake();
        }
    }
}

/// The desk of one loop, made when the first outlet is asked for: most servers need none.
#[derive(Debug)]
pub(crate) struct OutletDesk<'p> {
    poller: &'p Poller,
    token: Token,
    desk: OnceCell<Arc<Desk>>,
}

impl<'p> OutletDesk<'p> {
    /// Its bell will ring as this token.
    pub(crate) const fn new(poller: &'p Poller, token: Token) -> OutletDesk<'p> {
        OutletDesk { poller, token, desk: OnceCell::new() }
    }

    /// The connections that have mail.
    pub(crate) fn called(&self) -> Vec<Token> {
        let Some(desk) = self.desk.get() else { return Vec::new() };
        std::mem::take(&mut *desk.called.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn desk(&self) -> io::Result<Arc<Desk>> {
        if let Some(desk) = self.desk.get() {
            return Ok(desk.clone());
        }
        let waker = Waker::new(self.poller, self.token)?;
        Ok(self.desk.get_or_init(|| Arc::new(Desk { called: Mutex::default(), waker })).clone())
    }
}

/// Where one connection gets its outlets from.
#[derive(Debug)]
pub(crate) enum Outlets<'a> {
    /// It is made when the first one is asked for.
    Connection { desk: &'a OutletDesk<'a>, connection: Token, mailbox: &'a OnceCell<Arc<Mailbox>> },
    /// A datagram: there is nobody to send to later.
    None,
}

impl Outlets<'_> {
    pub(crate) fn outlet(&self) -> io::Result<Outlet> {
        let Outlets::Connection { desk, connection, mailbox } = self else {
            let sentence = "a datagram has no outlet: its conversation is over with the reply";
            return Err(io::Error::new(io::ErrorKind::Unsupported, sentence));
        };
        if mailbox.get().is_none() {
            let mail = Mutex::new(Mail { is_open: true, ..Mail::default() });
            let desk = desk.desk()?;
            let made =
                Arc::new(Mailbox { connection: *connection, mail, desk, is_cut: AtomicBool::new(false) });
            // Nobody else could have set it: the cell belongs to one thread.
            let _ = mailbox.set(made);
        }
        Ok(Outlet { mailbox: mailbox.get().expect("it was set").clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_small_parts_count_towards_the_bound() {
        let poller = Poller::new().unwrap();
        let (desk, mailbox) = (OutletDesk::new(&poller, Token(1)), OnceCell::new());
        let outlets = Outlets::Connection { desk: &desk, connection: Token(2), mailbox: &mailbox };
        let outlet = outlets.outlet().unwrap();
        let sent = (0..MAIL_BYTES_MAX).take_while(|_| outlet.send(b"x").is_ok()).count();
        assert_eq!(outlet.send(b"x"), Err(OutletError::Full));
        assert_eq!(sent, MAIL_BYTES_MAX.div_ceil(1 + size_of::<usize>()));
    }
}
