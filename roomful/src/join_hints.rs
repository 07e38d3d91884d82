//! How to join, one line for each way: what `serve` prints first.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// The lines, without a last line feed.
pub(crate) fn lines(addresses: &[SocketAddr]) -> String {
    let mut lines = String::from("Roomful is open. Join it from any terminal:");
    for address in addresses {
        let port = address.port();
        let _ = write!(lines, "\n  nc {} {port}", dialled(address.ip()));
        if address.ip().is_unspecified() {
            let _ = write!(lines, "\n  nc {} {port}   from other machines", host_name());
        }
    }
    lines
}

/// What somebody on this machine writes to reach a listener.
fn dialled(listening: IpAddr) -> IpAddr {
    if listening.is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { listening }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_is_named_as_it_is_dialled() {
        let lines = lines(&["127.0.0.1:8008".parse().unwrap(), "[::1]:9000".parse().unwrap()]);
        assert_eq!(lines, "Roomful is open. Join it from any terminal:\n  nc 127.0.0.1 8008\n  nc ::1 9000");
    }

    #[test]
    fn all_interfaces_are_reached_from_other_machines_too() {
        let lines = lines(&["[::]:8008".parse().unwrap()]);
        assert!(lines.contains("nc 127.0.0.1 8008"));
        assert!(lines.ends_with("from other machines"));
    }
}
