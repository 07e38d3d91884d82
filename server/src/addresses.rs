//! How many connections each address has, and how fast it opens new ones.
//!
//! Where it stands: asked once when a connection is accepted and told once when it has ended, by all shards; nothing is
//! kept in a connection. An address is what one peer can be expected to have: one of IPv4, a /64 of IPv6 (RFC 6177 gives
//! each site at least that), and IPv4 mapped into IPv6 is IPv4.
//!
//! What this file must never do: remember an address longer than it has connections or has opened some too fast, or write
//! a line to the log for each connection that is refused.

use crate::ConnectionLimits;
use crate::mailbox::lock;
use dialect::{ByOrigin, Origin};
use hub::Time;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

/// Whoever has been quiet may open so many seconds' worth of connections at once: a page of tabs, a class that arrives.
const BURST_SECONDS: u64 = 5;
/// Below so many addresses it is not worth while to look for those that can be forgotten.
const SWEEP_MIN: usize = 1024;
const SECOND_US: u64 = 1_000_000;

/// The connections of all addresses.
#[derive(Debug)]
pub(crate) struct Addresses {
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    limits: ByOrigin<ConnectionLimits>,
    addresses: HashMap<Site, Address>,
    /// With so many addresses, those that can be forgotten are looked for.
    sweep_at: usize,
}

/// What counts as one address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Site {
    V4([u8; 4]),
    V6([u8; 8]),
}

#[derive(Clone, Copy, Default, Debug)]
struct Address {
    connections: u32,
    /// When all of its connections would have been opened at the rate that it may have, in microseconds (the generic cell
    /// rate algorithm: one number for a bucket of tokens).
    paid_until_us: u64,
}

/// Why a connection is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// The address has as many as it may have.
    TooMany { connections_max: u32 },
    /// It opens them too fast.
    TooFast,
    /// It has done nothing: the poller can watch no more (see `room_left`).
    NoRoom,
}

impl Refused {
    /// What the person is told.
    pub(crate) fn line(self) -> String {
        match self {
            Refused::TooMany { connections_max: 1 } => {
                "-- there is already a connection from your address, which is the most; close it and try again\n".into()
            }
            Refused::TooMany { connections_max } => format!(
                "-- there are already {connections_max} connections from your address, which is the most; close one and \
                 try again\n"
            ),
            Refused::TooFast => {
                "-- too many new connections from your address; try again in a few seconds\n".into()
            }
            Refused::NoRoom => "-- the server has no room for more connections; try again later\n".into(),
        }
    }
}

impl Addresses {
    pub(crate) fn new(limits: ByOrigin<ConnectionLimits>) -> Addresses {
        let known = Known { limits, addresses: HashMap::new(), sweep_at: SWEEP_MIN };
        Addresses { known: Mutex::new(known) }
    }

    /// Sets new limits. Connections that there are stay, even if they are more than that.
    pub(crate) fn set_limits(&self, limits: ByOrigin<ConnectionLimits>) {
        lock(&self.known).limits = limits;
    }

    /// A connection was accepted: it counts from now on, unless it is refused.
    ///
    /// # Errors
    /// If its address is over one of its limits: then it has to be closed.
    pub(crate) fn arrived(&self, now: Time, ip: IpAddr) -> Result<(), Refused> {
        let mut known = lock(&self.known);
        let limits = known.limits.of(Origin::of(ip));
        known.sweep_if_large(now);
        known.addresses.entry(Site::of(ip)).or_default().arrived(now, limits)
    }

    /// A connection has ended.
    pub(crate) fn left(&self, now: Time, ip: IpAddr) {
        let mut known = lock(&self.known);
        let key = Site::of(ip);
        let Some(address) = known.addresses.get_mut(&key) else { return };
        address.connections = address.connections.saturating_sub(1);
        if address.can_be_forgotten(now) {
            known.addresses.remove(&key);
        }
        known.sweep_if_large(now);
    }
}

impl Known {
    /// So that the table never has more than twice the addresses that have connections or had some in the last seconds.
    /// Looking through it costs a constant for each that was added since the last time.
    fn sweep_if_large(&mut self, now: Time) {
        if self.addresses.len() < self.sweep_at {
            return;
        }
        self.addresses.retain(|_, address| !address.can_be_forgotten(now));
        self.sweep_at = (2 * self.addresses.len()).max(SWEEP_MIN);
        self.addresses.shrink_to(self.sweep_at);
    }
}

impl Site {
    pub(crate) fn of(ip: IpAddr) -> Site {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Site::V4(ip.octets()),
            IpAddr::V6(ip) => {
                let [network @ .., _, _, _, _, _, _, _, _] = ip.octets();
                Site::V6(network)
            }
        }
    }
}

impl Address {
    fn arrived(&mut self, now: Time, limits: ConnectionLimits) -> Result<(), Refused> {
        if self.connections >= limits.per_address_max {
            return Err(Refused::TooMany { connections_max: limits.per_address_max });
        }
        let now_us = us(now);
        let price_us = SECOND_US / u64::from(limits.per_second_max.max(1));
        let paid_until_us = self.paid_until_us.max(now_us) + price_us;
        // Whoever may open fewer than one in so many seconds may still open one.
        let burst_us = (BURST_SECONDS * SECOND_US).max(price_us);
        if paid_until_us > now_us + burst_us {
            return Err(Refused::TooFast);
        }
        self.paid_until_us = paid_until_us;
        self.connections += 1;
        Ok(())
    }

    fn can_be_forgotten(&self, now: Time) -> bool {
        self.connections == 0 && self.paid_until_us <= us(now)
    }
}

fn us(time: Time) -> u64 {
    time.0.saturating_mul(1000)
}

/// Connections that were refused and of which the log has not been told: one line a second for all of them.
#[derive(Default, Debug)]
pub(crate) struct Refusals {
    connections: u64,
    last: Option<IpAddr>,
    log_at: Option<Time>,
}

impl Refusals {
    /// Counts one.
    pub(crate) fn add(&mut self, now: Time, ip: IpAddr) {
        self.connections += 1;
        self.last = Some(ip);
        self.log_at.get_or_insert(now.after_ms(1000));
    }

    /// When [`Refusals::tick`] is next to be called.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.log_at
    }

    /// Tells the log, if it is time to.
    pub(crate) fn tick(&mut self, now: Time) {
        if self.log_at.is_some_and(|at| at <= now) {
            let Refusals { connections, last, .. } = std::mem::take(self);
            tracing::info!(
                connections,
                last_from = last.map(tracing::field::display),
                "refused: their addresses have too many connections, or open them too fast"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_000_000);

    fn addresses(per_address_max: u32, per_second_max: u32) -> Addresses {
        let limits = ConnectionLimits { per_address_max, per_second_max };
        let none = ConnectionLimits { per_address_max: 0, per_second_max: 0 };
        Addresses::new(ByOrigin { local: none, remote: limits })
    }

    fn ip(raw: &str) -> IpAddr {
        raw.parse().expect("an address")
    }

    fn count(addresses: &Addresses) -> usize {
        lock(&addresses.known).addresses.len()
    }

    #[test]
    fn address_has_as_many_connections_as_it_may_have_and_no_more() {
        let addresses = addresses(2, 1000);
        let too_many = Err(Refused::TooMany { connections_max: 2 });
        let here = ip("192.0.2.1");
        assert_eq!(addresses.arrived(NOW, here), Ok(()));
        assert_eq!(addresses.arrived(NOW, here), Ok(()));
        assert_eq!(addresses.arrived(NOW, here), too_many);
        assert_eq!(addresses.arrived(NOW, ip("::ffff:192.0.2.1")), too_many, "it is the same address");
        assert_eq!(addresses.arrived(NOW, ip("192.0.2.2")), Ok(()), "that is another one");
        addresses.left(NOW, here);
        assert_eq!(addresses.arrived(NOW, here), Ok(()));
    }

    #[test]
    fn all_of_a_64_of_ipv6_count_as_one() {
        let addresses = addresses(1, 1000);
        assert_eq!(addresses.arrived(NOW, ip("2001:db8::1")), Ok(()));
        let same = addresses.arrived(NOW, ip("2001:db8:0:0:ffff::2"));
        assert_eq!(same, Err(Refused::TooMany { connections_max: 1 }));
        assert_eq!(addresses.arrived(NOW, ip("2001:db8:0:1::1")), Ok(()));
    }

    #[test]
    fn local_addresses_have_limits_of_their_own() {
        let addresses = addresses(1, 1000);
        assert!(addresses.arrived(NOW, ip("127.0.0.1")).is_err());
        assert!(addresses.arrived(NOW, ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn burst_is_let_in_and_what_follows_only_at_its_rate() {
        let addresses = addresses(1000, 10);
        let here = ip("192.0.2.1");
        let let_in = |now| (0..1000).take_while(|_| addresses.arrived(now, here).is_ok()).count();
        assert_eq!(let_in(NOW), 50, "five seconds' worth");
        assert_eq!(addresses.arrived(NOW, here), Err(Refused::TooFast));
        assert_eq!(let_in(NOW.after_ms(99)), 0);
        assert_eq!(let_in(NOW.after_ms(100)), 1);
        assert_eq!(let_in(NOW.after_ms(1100)), 10);
        assert_eq!(let_in(NOW.after_ms(60_000)), 50);
    }

    #[test]
    fn limits_can_be_changed_while_connections_are_open() {
        let addresses = addresses(3, 1000);
        let here = ip("192.0.2.1");
        assert!((0..3).all(|_| addresses.arrived(NOW, here).is_ok()));
        let narrow = ConnectionLimits { per_address_max: 1, per_second_max: 1000 };
        addresses.set_limits(ByOrigin { local: narrow, remote: narrow });
        addresses.left(NOW, here);
        addresses.left(NOW, here);
        assert_eq!(addresses.arrived(NOW, here), Err(Refused::TooMany { connections_max: 1 }));
        addresses.left(NOW, here);
        assert!(addresses.arrived(NOW, here).is_ok());
    }

    #[test]
    fn address_without_connections_is_forgotten_once_its_haste_is() {
        let addresses = addresses(10, 1);
        let here = ip("192.0.2.1");
        addresses.arrived(NOW, here).expect("there is room");
        addresses.left(NOW.after_ms(999), here);
        assert_eq!(count(&addresses), 1, "it has been here a moment ago");
        addresses.arrived(NOW.after_ms(5000), here).expect("there is room");
        addresses.left(NOW.after_ms(6000), here);
        assert_eq!(count(&addresses), 0);
    }

    #[test]
    fn table_does_not_grow_with_all_addresses_that_ever_were() {
        let addresses = addresses(10, 10);
        for number in 0..100_000_u32 {
            let now = NOW.after_ms(u64::from(number));
            let here = IpAddr::from((0x0b00_0000 + number).to_be_bytes());
            addresses.arrived(now, here).expect("there is room");
            addresses.left(now, here);
            assert!(count(&addresses) <= SWEEP_MIN, "after {number}");
        }
        assert!(lock(&addresses.known).addresses.capacity() <= 4 * SWEEP_MIN);
    }

    #[test]
    fn log_is_told_of_refusals_once_a_second_at_most() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.next_deadline(), None);
        refusals.add(NOW, ip("192.0.2.1"));
        refusals.add(NOW.after_ms(500), ip("192.0.2.1"));
        assert_eq!(refusals.next_deadline(), Some(NOW.after_ms(1000)));
        refusals.tick(NOW.after_ms(999));
        assert_eq!(refusals.connections, 2);
        refusals.tick(NOW.after_ms(1000));
        assert_eq!((refusals.connections, refusals.next_deadline()), (0, None));
    }
}
