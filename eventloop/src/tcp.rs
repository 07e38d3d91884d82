//! What the kernel knows about the other end of a TCP connection, and how often it asks there (`tcp(7)`).
//!
//! Beside the poller: a peer whose cable was pulled is never reported as ready for anything, and a peer that just does not
//! read looks the same from here. The kernel can tell them apart, because it asks both, and only one of them answers. The
//! module hands out what the kernel counts and must never judge it: how long is too long is the caller's to say.
//!
//! No safe function reaches these two options, so this is the one place with `unsafe` in it: a call that reads an option
//! and one that sets it, each into or out of a value whose size it is told.

#![allow(unsafe_code)]

use linux_raw_sys::net::{TCP_INFO, TCP_RTO_MAX_MS, tcp_info};
use std::{
    ffi::c_int,
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd},
    time::Duration,
};

/// The range that the kernel takes.
const ASKING_INTERVAL_MS: std::ops::RangeInclusive<u128> = 1_000..=120_000;

/// What the kernel has heard from the peer of a connection, and what it waits to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignsOfLife {
    /// How long ago the last segment of the peer came, in milliseconds, whether it acknowledged something, answered a
    /// question or brought bytes.
    pub heard_ms_ago: u32,
    /// How often the kernel has asked since, by sending again what was not acknowledged or by probing, without an
    /// answer. A peer that is there brings it back to zero whenever it answers; that need not be each time, because Linux
    /// answers probes at most twice a second.
    pub asked_in_vain: u32,
    /// Nothing that was written waits to be sent or to be acknowledged.
    pub has_everything: bool,
}

/// Asks the kernel about the peer of a connected TCP socket. One system call, which does not block.
///
/// # Errors
///
/// If `socket` is not one of TCP.
pub fn signs_of_life(socket: impl AsFd) -> io::Result<SignsOfLife> {
    let info = info(socket)?;
    Ok(SignsOfLife {
        // The kernel notes acknowledgements and bytes apart: a segment with bytes that acknowledges nothing new counts
        // only as the latter.
        heard_ms_ago: info.tcpi_last_ack_recv.min(info.tcpi_last_data_recv),
        asked_in_vain: u32::from(info.tcpi_retransmits) + u32::from(info.tcpi_probes),
        has_everything: info.tcpi_unacked == 0 && info.tcpi_notsent_bytes == 0,
    })
}

/// Bounds the time between two questions to a peer that has not acknowledged what it was sent or has no room for more. It
/// doubles from one to the next, by default up to two minutes. Brought to between one second and two minutes, and inherited
/// by the connections that a listener accepts.
///
/// # Errors
///
/// If the kernel does not know the option (`ENOPROTOOPT`; Linux has it since 6.15), or `socket` is not one of TCP.
pub fn set_asking_interval_max(socket: impl AsFd, interval: Duration) -> io::Result<()> {
    let (smallest, largest) = ASKING_INTERVAL_MS.into_inner();
    let interval_ms = interval.as_millis().clamp(smallest, largest) as c_int;
    // SAFETY: the kernel reads as many bytes as it is told, those of `interval_ms`, which lives until the call returns.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            TCP_RTO_MAX_MS.cast_signed(),
            (&raw const interval_ms).cast(),
            size_of_val(&interval_ms) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn info(socket: impl AsFd) -> io::Result<tcp_info> {
    let mut info = MaybeUninit::<tcp_info>::zeroed();
    let mut size = size_of::<tcp_info>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes, the size of what `info` points to, and both live until the call
    // returns.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            TCP_INFO.cast_signed(),
            info.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `tcp_info` is made of integers, for which any bytes will do. An older kernel writes fewer fields; the others
    // were zeroed.
    Ok(unsafe { info.assume_init() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        os::unix::net::UnixStream,
    };

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    #[test]
    fn peer_that_answers_has_everything_and_was_just_heard() {
        let (mut ours, mut theirs) = pair();
        ours.write_all(b"hello").unwrap();
        theirs.read_exact(&mut [0; 5]).unwrap();
        theirs.write_all(b"hello").unwrap();
        ours.read_exact(&mut [0; 5]).unwrap();
        let signs = signs_of_life(&ours).unwrap();
        assert!(signs.has_everything && signs.asked_in_vain == 0 && signs.heard_ms_ago < 10_000, "{signs:?}");
    }

    #[test]
    fn peer_with_full_buffers_does_not_have_everything() {
        let (mut ours, theirs) = pair();
        ours.set_nonblocking(true).unwrap();
        while ours.write(&[0; 4096]).is_ok() {}
        assert!(!signs_of_life(&ours).unwrap().has_everything);
        drop(theirs);
    }

    #[test]
    fn sockets_that_are_not_tcp_are_refused() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert!(signs_of_life(&ours).is_err());
        assert!(set_asking_interval_max(&ours, Duration::from_secs(30)).is_err());
    }

    #[test]
    fn any_interval_is_taken_where_the_kernel_has_the_option() {
        let (ours, _theirs) = pair();
        for interval in [Duration::ZERO, Duration::from_secs(30), Duration::MAX] {
            match set_asking_interval_max(&ours, interval) {
                Ok(()) => {}
                Err(error) => assert_eq!(error.raw_os_error(), Some(libc::ENOPROTOOPT), "{interval:?}"),
            }
        }
    }
}
