//! How to join, one line for each way: what `serve` prints first.

use server::PlainStyle;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// The lines, without a last line feed.
pub(crate) fn lines(addresses: &[SocketAddr], style: PlainStyle) -> String {
    let mut lines = String::from("Roomful is open. Join it from any terminal:");
    for address in addresses {
        let (host, port) = (dialled(address.ip()), address.port());
        let address_typed = address_typed(SocketAddr::new(host, port));
        let _ = write!(lines, "\n  nc {host} {port}");
        // Where nobody chats there is no line to edit.
        if style == PlainStyle::Chat {
            let _ = write!(lines, "\n  roomful join {address_typed}   our own client");
            // Without the minus sign GNU's telnet does not introduce itself to any port but 23, and without the `--` it takes
            // that for a flag.
            let _ = write!(lines, "\n  telnet -- {host} -{port}   the server edits the line");
        }
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

/// The same for our own client, which knows the usual port.
fn address_typed(address: SocketAddr) -> String {
    match (address.ip(), address.port()) {
        (IpAddr::V4(host), client::address::PORT) => host.to_string(),
        (IpAddr::V6(host), client::address::PORT) => format!("[{host}]"),
        _ => address.to_string(),
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(addresses: &[&str], style: PlainStyle) -> String {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        lines(&addresses, style)
    }

    #[test]
    fn every_listener_is_named_as_it_is_dialled() {
        assert_eq!(
            lines_of(&["127.0.0.1:8008", "[::1]:9000"], PlainStyle::Chat),
            "Roomful is open. Join it from any terminal:
  nc 127.0.0.1 8008
  roomful join 127.0.0.1   our own client
  telnet -- 127.0.0.1 -8008   the server edits the line
  nc ::1 9000
  roomful join [::1]:9000   our own client
  telnet -- ::1 -9000   the server edits the line"
        );
    }

    #[test]
    fn telnet_is_not_named_where_lines_are_only_relayed() {
        for style in [PlainStyle::Tagged, PlainStyle::Bare] {
            let expected = "Roomful is open. Join it from any terminal:\n  nc 127.0.0.1 8008";
            assert_eq!(lines_of(&["127.0.0.1:8008"], style), expected);
        }
    }

    #[test]
    fn all_interfaces_are_reached_from_other_machines_too() {
        let lines = lines_of(&["[::]:8008"], PlainStyle::Chat);
        assert!(lines.contains("nc 127.0.0.1 8008"));
        assert!(lines.contains("telnet -- 127.0.0.1 -8008"));
        assert!(lines.ends_with("from other machines"));
    }
}
