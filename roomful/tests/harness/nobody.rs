//! A port at which nobody is, for as long as the tests run: one that was merely free a moment ago may be another test's by now.

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use std::net::{Ipv4Addr, SocketAddr};

/// An address that is taken, and at which nobody listens: whoever connects is refused.
pub(crate) fn nobody() -> SocketAddr {
    let taken = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&taken, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
    let address = getsockname(&taken).expect("an address");
    // It is taken until the process ends.
    std::mem::forget(taken);
    SocketAddr::try_from(address).expect("an address of IPv4")
}
