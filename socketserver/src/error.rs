//! What can go wrong: in opening and running a server ([`Error`]), and in one request ([`RequestError`]).
//!
//! Both end at a person, so each says what is wrong and what would be right. Must never hold what a client has sent.

use crate::endpoint::{Endpoint, PATH_BYTES_MAX};
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

/// Why a server could not be opened or run, or a client not connected.
#[derive(Debug)]
pub enum Error {
    /// A word that is no endpoint, or parts that do not fit together.
    NoEndpoint(String),
    /// A path or a name does not fit into `sun_path`.
    PathTooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Another socket listens there; with a socket file, somebody has answered on it, or the file was not to be replaced
    /// ([`replace_dead_socket`](crate::ListenOptions::replace_dead_socket)), or its folder may not be read.
    AddressInUse(Endpoint),
    /// There is a file at the path, and it is no socket.
    NotASocket(PathBuf),
    /// Forking in a process with several threads: the child would have only one of them, and the locks of all.
    SeveralThreads {
        /// How many there are.
        threads: u64,
    },
    /// This system cannot do it; the text says what would do instead.
    Unsupported(&'static str),
    /// The server has stopped, but requests went on beyond the grace and could not be ended.
    StillBusy {
        /// How many.
        requests: usize,
        /// How long was waited for them.
        grace: Duration,
    },
    /// The system refused.
    System {
        /// What was being done.
        doing: String,
        /// Its answer.
        error: io::Error,
    },
}

impl Error {
    pub(crate) fn system(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |error| Error::System { doing, error }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoEndpoint(sentence) => formatter.write_str(sentence),
            Error::PathTooLong { bytes } => {
                write!(formatter, "the path has {bytes} bytes, and a socket's may have {PATH_BYTES_MAX}")
            }
            Error::AddressInUse(endpoint) => {
                write!(formatter, "{endpoint} is in use: another program listens there")
            }
            Error::NotASocket(path) => {
                write!(formatter, "{} is a file, not a socket, and is left alone", path.display())
            }
            Error::SeveralThreads { threads } => write!(
                formatter,
                "the process has {threads} threads, and forking would copy one of them with the locks of all; \
                 use the threading strategy, or fork before any thread is started"
            ),
            Error::Unsupported(sentence) => formatter.write_str(sentence),
            Error::StillBusy { requests, grace } => {
                write!(formatter, "{requests} requests did not end within {grace:?} and go on")
            }
            Error::System { doing, error } => write!(formatter, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::System { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// For programs whose `main` returns `io::Result`.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match &error {
            Error::NoEndpoint(_) | Error::PathTooLong { .. } => io::ErrorKind::InvalidInput,
            Error::AddressInUse(_) => io::ErrorKind::AddrInUse,
            Error::NotASocket(_) => io::ErrorKind::AlreadyExists,
            Error::SeveralThreads { .. } | Error::Unsupported(_) => io::ErrorKind::Unsupported,
            Error::StillBusy { .. } => io::ErrorKind::TimedOut,
            Error::System { error, .. } => error.kind(),
        };
        io::Error::new(kind, error)
    }
}

/// Why a request failed. It cost that request only, and has reached the hook
/// [`handle_error`](crate::Server::handle_error).
#[derive(Debug)]
pub enum RequestError {
    /// No connection could be accepted, or no datagram received, or nobody could be found to handle it.
    Accept(io::Error),
    /// The handler returned this error, or the connection did while the handler was at work.
    Failed(io::Error),
    /// The handler panicked, with this text.
    Panicked(String),
    /// The child that handled it was killed by this signal.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// The child that handled it ended by itself with this status, not by returning from the handler.
    Exited {
        /// The exit status.
        status: i32,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Accept(error) => write!(formatter, "cannot take a request: {error}"),
            RequestError::Failed(error) => write!(formatter, "the request failed: {error}"),
            RequestError::Panicked(text) => write!(formatter, "the handler panicked: {text}"),
            RequestError::Killed { signal } => write!(formatter, "the child was killed by signal {signal}"),
            RequestError::Exited { status } => write!(formatter, "the child exited with status {status}"),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RequestError::Accept(error) | RequestError::Failed(error) => Some(error),
            _ => None,
        }
    }
}
