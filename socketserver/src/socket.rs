//! System calls on sockets, as every part of the crate makes them: without waiting, without a signal, and again if a
//! signal has interrupted them.

use crate::endpoint::Transport;
#[cfg(target_os = "linux")]
use rustix::buffer::Buffer;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrAny};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// A socket that does not block and is not handed on to other programs.
#[cfg(not(any(target_os = "macos", target_os = "ios")))]
pub(crate) fn open(transport: Transport, family: AddressFamily) -> Result<OwnedFd, Errno> {
    use rustix::net::SocketFlags;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(family, transport.socket_type(), flags, None)
}

/// A socket that does not block and is not handed on to other programs.
#[cfg(any(target_os = "macos", target_os = "ios"))]
pub(crate) fn open(transport: Transport, family: AddressFamily) -> Result<OwnedFd, Errno> {
    prepared(rustix::net::socket(family, transport.socket_type(), None)?)
}

/// A connection that does not block, from a listener that does not.
#[cfg(not(any(target_os = "macos", target_os = "ios")))]
pub(crate) fn accept(listener: impl AsFd) -> Result<(OwnedFd, Option<SocketAddrAny>), Errno> {
    use rustix::net::SocketFlags;
    rustix::net::acceptfrom_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
}

/// A connection that does not block, from a listener that does not.
#[cfg(any(target_os = "macos", target_os = "ios"))]
pub(crate) fn accept(listener: impl AsFd) -> Result<(OwnedFd, Option<SocketAddrAny>), Errno> {
    let (socket, peer) = rustix::net::acceptfrom(listener)?;
    Ok((prepared(socket)?, peer))
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
fn prepared(socket: OwnedFd) -> Result<OwnedFd, Errno> {
    rustix::io::ioctl_fionbio(&socket, true)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    Ok(socket)
}

/// A peer that is gone is an error, not a signal that ends the process.
fn send_flags() -> SendFlags {
    #[cfg(not(any(target_os = "macos", target_os = "ios")))]
    return SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    #[cfg(any(target_os = "macos", target_os = "ios"))]
    return SendFlags::DONTWAIT;
}

/// What waits, up to the length of `buffer`; 0 is the end. `WouldBlock` if nothing does.
///
/// # Errors
/// `InvalidData` for a record that does not fit into the buffer; it is gone. Or what the system says.
pub(crate) fn receive(socket: impl AsFd, transport: Transport, buffer: &mut [u8]) -> io::Result<usize> {
    if !transport.keeps_boundaries() {
        let received = retry_on_intr(|| rustix::net::recv(&socket, &mut buffer[..], RecvFlags::DONTWAIT))?;
        return Ok(received.1);
    }
    let (length, _) = retry_on_intr(|| receive_whole(&socket, &mut buffer[..]))?;
    if length > buffer.len() { Err(too_long(length)) } else { Ok(length) }
}

/// What waits, into an empty buffer with a capacity: memory into which nothing comes is not touched, which is most of it.
/// Nothing is the end. `WouldBlock` if nothing waits.
///
/// # Errors
/// As [`receive`].
pub(crate) fn receive_into(socket: impl AsFd, transport: Transport, buffer: &mut Vec<u8>) -> io::Result<()> {
    if !transport.keeps_boundaries() {
        buffer.clear();
        retry_on_intr(|| rustix::net::recv(&socket, spare_capacity(buffer), RecvFlags::DONTWAIT))?;
        return Ok(());
    }
    let (length, _) = retry_on_intr(|| receive_whole_into(&socket, buffer))?;
    if length > buffer.len() {
        buffer.clear();
        return Err(too_long(length));
    }
    Ok(())
}

/// One datagram or record, and who sent it, likewise. If its length is greater than the buffer's, the rest is gone.
pub(crate) fn receive_whole_into(
    socket: impl AsFd,
    buffer: &mut Vec<u8>,
) -> Result<(usize, Option<SocketAddrAny>), Errno> {
    buffer.clear();
    #[cfg(target_os = "linux")]
    return receive_whole(socket, spare_capacity(buffer));
    #[cfg(not(target_os = "linux"))]
    {
        buffer.resize(buffer.capacity(), 0);
        let received = receive_whole(socket, buffer);
        buffer.truncate(received.as_ref().map_or(0, |received| received.0));
        received
    }
}

/// One datagram or record, and who sent it. If its length is greater than the buffer's, the rest is gone.
#[cfg(target_os = "linux")]
fn receive_whole(
    socket: impl AsFd,
    buffer: impl Buffer<u8>,
) -> Result<(usize, Option<SocketAddrAny>), Errno> {
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    let (_, length, sender) = rustix::net::recvfrom(&socket, buffer, flags)?;
    Ok((length, sender))
}

/// One datagram or record, and who sent it. If its length is greater than the buffer's, the rest is gone. The system says only
/// that it was longer.
#[cfg(not(target_os = "linux"))]
fn receive_whole(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Option<SocketAddrAny>), Errno> {
    use rustix::net::{RecvAncillaryBuffer, ReturnFlags, recvmsg};
    let room = buffer.len();
    let mut parts = [io::IoSliceMut::new(buffer)];
    let mut nothing_else = RecvAncillaryBuffer::default();
    let received = recvmsg(&socket, &mut parts, &mut nothing_else, RecvFlags::DONTWAIT)?;
    let is_whole = !received.flags.contains(ReturnFlags::TRUNC);
    Ok((if is_whole { received.bytes } else { room + 1 }, received.address))
}

/// Sends as much as there is room for; of a record, all or nothing. `WouldBlock` if there is none.
pub(crate) fn send(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| rustix::net::send(&socket, bytes, send_flags()))?)
}

/// Sends one datagram; waits as long as the socket is set to.
pub(crate) fn send_to(socket: impl AsFd, bytes: &[u8], receiver: &SocketAddrAny) -> io::Result<()> {
    let flags = send_flags().difference(SendFlags::DONTWAIT);
    retry_on_intr(|| rustix::net::sendto(&socket, bytes, flags, receiver))?;
    Ok(())
}

/// Sends one datagram, or says `WouldBlock`.
pub(crate) fn send_to_at_once(socket: impl AsFd, bytes: &[u8], receiver: &SocketAddrAny) -> io::Result<()> {
    retry_on_intr(|| rustix::net::sendto(&socket, bytes, send_flags(), receiver))?;
    Ok(())
}

pub(crate) fn too_long(length: usize) -> io::Error {
    let or_more = if cfg!(target_os = "linux") { "" } else { " or more" };
    let sentence =
        format!("a datagram or record of {length} bytes{or_more} is longer than what is received at once");
    io::Error::new(io::ErrorKind::InvalidData, sentence)
}
