//! What went wrong in a child, told to its parent through a pipe.
//!
//! A child has a copy of the hooks, but what they change there nobody sees. So its errors go to the parent's hooks, as text.
//! It must never make a request that goes well pay for it.

use crate::endpoint::Address;
use crate::error::RequestError;
use crate::hooks::Hooks;
use crate::waiting::{Found, after, wait_for_one, watched};
use eventloop::Interest;
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One pipe for all children, through which they tell what went wrong. It costs a request that goes well nothing.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    readable: Arc<OwnedFd>,
    writable: Arc<OwnedFd>,
}

/// A report is written at once and whole: not longer than what the kernel writes in one piece (`pipe(7)`, `PIPE_BUF`).
const REPORT_BYTES_MAX: usize = 4096;
const FAILED: u8 = b'f';
const PANICKED: u8 = b'p';

impl Reports {
    pub(super) fn new() -> io::Result<Reports> {
        let (readable, writable) = rustix::pipe::pipe()?;
        for end in [&readable, &writable] {
            rustix::io::ioctl_fionbio(end, true)?;
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
        }
        Ok(Reports { readable: Arc::new(readable), writable: Arc::new(writable) })
    }

    /// The hooks of a child: what goes wrong is told to the parent.
    pub(super) fn hooks_of_child(&self, parents: &Hooks) -> Hooks {
        let writable = self.writable.clone();
        let tell = move |error: &RequestError, _: Option<&Address>| {
            send_report(&writable, &written(error));
        };
        Hooks { handle_error: Arc::new(tell), ..parents.clone() }
    }

    /// What children have told: which of them, and what.
    pub(super) fn take(&self) -> Vec<(u32, RequestError)> {
        let mut bytes = Vec::new();
        let mut chunk = [0; REPORT_BYTES_MAX];
        while let Ok(count @ 1..) = rustix::io::read(&*self.readable, &mut chunk) {
            bytes.extend_from_slice(&chunk[..count]);
        }
        let mut rest = &bytes[..];
        std::iter::from_fn(|| read_report(&mut rest)).collect()
    }
}

/// Sends it at once, or when the parent has made room. If it does not, or is gone, there is nobody to tell.
fn send_report(writable: &OwnedFd, report: &[u8]) {
    let until = after(Instant::now(), REPORT_TIMEOUT);
    while let Err(Errno::AGAIN | Errno::INTR) = rustix::io::write(writable, report) {
        let mut room = [watched(writable.as_fd(), Interest::WRITE)];
        if !matches!(wait_for_one(&mut room, Some(until)), Ok(Found::Ready)) {
            return;
        }
    }
}

/// How long a child waits for that.
const REPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// A report: its length (2 bytes), the child (4), what it is (1), the system's error number or 0 (4), and the text.
fn written(error: &RequestError) -> Vec<u8> {
    let (kind, errno, text) = match error {
        RequestError::Failed(error) => (FAILED, error.raw_os_error().unwrap_or(0), error.to_string()),
        RequestError::Panicked(text) => (PANICKED, 0, text.clone()),
        other => (FAILED, 0, other.to_string()),
    };
    let mut end = text.len().min(REPORT_BYTES_MAX - REPORT_HEAD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut report = Vec::with_capacity(REPORT_HEAD_BYTES + end);
    report.extend_from_slice(&((REPORT_HEAD_BYTES + end) as u16).to_ne_bytes());
    report.extend_from_slice(&std::process::id().to_ne_bytes());
    report.push(kind);
    report.extend_from_slice(&errno.to_ne_bytes());
    report.extend_from_slice(&text.as_bytes()[..end]);
    report
}

const REPORT_HEAD_BYTES: usize = 2 + 4 + 1 + 4;

fn read_report(rest: &mut &[u8]) -> Option<(u32, RequestError)> {
    let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
    let (report, after) = rest.split_at_checked(length)?;
    *rest = after;
    let process = u32::from_ne_bytes(*report.get(2..)?.first_chunk()?);
    let kind = *report.get(6)?;
    let errno = i32::from_ne_bytes(*report.get(7..)?.first_chunk()?);
    let text = String::from_utf8_lossy(report.get(REPORT_HEAD_BYTES..)?).into_owned();
    let error = match (kind, errno) {
        (PANICKED, _) => RequestError::Panicked(text),
        (_, 0) => RequestError::Failed(io::Error::other(text)),
        (_, errno) => RequestError::Failed(io::Error::from_raw_os_error(errno)),
    };
    Some((process, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_out_as_they_went_in() {
        let mut bytes = written(&RequestError::Panicked("x".repeat(10_000)));
        assert_eq!(bytes.len(), REPORT_BYTES_MAX);
        bytes.extend(written(&RequestError::Failed(io::Error::from_raw_os_error(libc::EPIPE))));
        bytes.extend(written(&RequestError::Failed(io::Error::other("of our own"))));
        let mut rest = &bytes[..];
        let reports: Vec<_> = std::iter::from_fn(|| read_report(&mut rest)).collect();
        assert_eq!(reports.len(), 3);
        assert!(reports.iter().all(|(process, _)| *process == std::process::id()));
        assert!(matches!(&reports[0].1, RequestError::Panicked(text) if text.starts_with("xxx")));
        assert!(
            matches!(&reports[1].1, RequestError::Failed(error) if error.kind() == io::ErrorKind::BrokenPipe)
        );
        assert_eq!(reports[2].1.to_string(), "the request failed: of our own");
    }

    #[test]
    fn half_a_report_is_none() {
        let bytes = written(&RequestError::Panicked("text".to_owned()));
        for end in 0..bytes.len() {
            assert!(read_report(&mut &bytes[..end]).is_none());
        }
    }
}
