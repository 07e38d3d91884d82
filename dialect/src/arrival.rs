//! A connection that has just been accepted: when, from where, and how many lines a second it may send.
//!
//! Where it stands: made by whoever accepts, read by the session that begins with it. Limits are generous where people can
//! be found and asked to stop, on the machine itself and in its private networks, and narrow for the rest of the world.
//!
//! What this file must never do: ask a clock, or show anybody's address.

use crate::Secret;
use hub::Time;
use std::net::{IpAddr, SocketAddr};

/// A connection that has just been accepted.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When.
    pub now: Time,
    /// From where; an IPv4 address is written as one, not mapped into IPv6.
    pub peer: SocketAddr,
    /// A random number below 100,000, for a newcomer's name.
    pub guest: u32,
    /// What a client that comes by it may come back with.
    pub secret: Secret,
}

/// How far away a peer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// On this machine, or in a private network.
    Local,
    /// Anywhere else.
    Remote,
}

impl Origin {
    /// Where an address belongs: loopback, private (RFC 1918, RFC 4193) and link-local (RFC 3927, RFC 4291 §2.5.6) ones are
    /// local.
    pub fn of(ip: IpAddr) -> Origin {
        let is_local = match ip.to_canonical() {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        };
        if is_local { Origin::Local } else { Origin::Remote }
    }
}

/// A limit for local peers, and one for all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByOrigin<T> {
    /// For local peers.
    pub local: T,
    /// For all others.
    pub remote: T,
}

impl<T: Copy> ByOrigin<T> {
    /// The limit for this origin.
    pub fn of(&self, origin: Origin) -> T {
        match origin {
            Origin::Local => self.local,
            Origin::Remote => self.remote,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_local_and_all_others_are_not() {
        let origin = |raw: &str| Origin::of(raw.parse().expect("an address"));
        for local in ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.9", "169.254.1.1", "::1", "fd00::1"] {
            assert_eq!(origin(local), Origin::Local, "{local}");
        }
        for local in ["fe80::1", "::ffff:127.0.0.1", "::ffff:192.168.1.1"] {
            assert_eq!(origin(local), Origin::Local, "{local}");
        }
        for remote in ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert_eq!(origin(remote), Origin::Remote, "{remote}");
        }
    }
}
