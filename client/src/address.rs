//! Where to go, as a person types it: `[NICK@]HOST[:PORT][/ROOM]`.
//!
//! Where it stands: between the command line and everything that connects. Names of servers that stand in the settings are
//! found by `Settings::find`, which comes here with what is no such name.
//!
//! What this file must never do: resolve a name or ask the network anything, guess what was meant where two things could be,
//! or show in an error what a terminal must not be sent.

use hub::{NameProblem, Nick, RoomName, quoted};
use std::fmt;
use std::net::Ipv6Addr;

/// Where a server listens unless it is told otherwise.
pub const PORT: u16 = 8008;
/// Longer names exist nowhere (RFC 1035 §2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// A server, who to be there, and which room to enter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// As it is shown.
    pub nick: Option<String>,
    /// A name or an IP address, that of IPv6 without brackets, as a resolver takes it.
    pub host: String,
    /// Never 0.
    pub port: u16,
    /// As it is shown, without `#`.
    pub room: Option<String>,
}

/// Why something is no address; shown to the person who typed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddressProblem {
    /// Nothing where the host should be.
    NoHost,
    /// Begins like the address of a web page.
    Scheme(String),
    /// Digits alone, which some resolvers take for an address that nobody means.
    OnlyPort(String),
    /// Stands in a host's name but cannot.
    HostCharacter(String, char),
    /// Is longer than any host's name.
    HostTooLong,
    /// Brackets are for IPv6 alone.
    NoIpv6(String),
    /// An address of IPv6 without its brackets, and what it may have been meant to be.
    NoBrackets(String, Option<(String, u16)>),
    /// Stands behind the bracket and is no port.
    BehindBracket(String),
    /// What stands where the port should be.
    Port(String),
    /// What stands where the nick should be.
    Nick(String, NameProblem),
    /// What stands where the room should be.
    Room(String, NameProblem),
}

impl Address {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// Says what is wrong and what would be right.
    pub fn parse(typed: &str) -> Result<Address, AddressProblem> {
        if let Some((scheme, _)) = typed.split_once("://") {
            return Err(AddressProblem::Scheme(scheme.to_owned()));
        }
        let parts = Parts::of(typed);
        let (host, port) = host_and_port(parts.server)?;
        Ok(Address { nick: parts.nick()?, host, port, room: parts.room()? })
    }

    /// `HOST:PORT`, by which a server is known; `[HOST]:PORT` if it is an address of IPv6.
    pub fn server(&self) -> String {
        format!("{}:{}", Host(&self.host), self.port)
    }
}

impl fmt::Display for Address {
    /// As it would be typed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nick) = &self.nick {
            write!(formatter, "{nick}@")?;
        }
        write!(formatter, "{}", Host(&self.host))?;
        if self.port != PORT {
            write!(formatter, ":{}", self.port)?;
        }
        match &self.room {
            Some(room) => write!(formatter, "/{room}"),
            None => Ok(()),
        }
    }
}

/// A host as it is written before a port.
struct Host<'a>(&'a str);

impl fmt::Display for Host<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(formatter, "[{}]", self.0) } else { write!(formatter, "{}", self.0) }
    }
}

/// What was typed, taken apart and not looked at. No nick has an `@` in it, and nothing but a room stands behind a `/`.
pub(crate) struct Parts<'a> {
    nick: Option<&'a str>,
    /// The host with its port, or the name of a server.
    pub(crate) server: &'a str,
    room: Option<&'a str>,
}

impl Parts<'_> {
    pub(crate) fn of(typed: &str) -> Parts<'_> {
        let (before, room) = match typed.split_once('/') {
            Some((before, room)) => (before, Some(room)),
            None => (typed, None),
        };
        let (nick, server) = match before.split_once('@') {
            Some((nick, server)) => (Some(nick), server),
            None => (None, before),
        };
        Parts { nick, server, room }
    }

    pub(crate) fn nick(&self) -> Result<Option<String>, AddressProblem> {
        self.nick.map(nick).transpose()
    }

    pub(crate) fn room(&self) -> Result<Option<String>, AddressProblem> {
        self.room.map(room).transpose()
    }
}

/// A nick as it is shown.
///
/// # Errors
/// If it is none.
pub(crate) fn nick(raw: &str) -> Result<String, AddressProblem> {
    let nick = Nick::parse(raw).map_err(|problem| AddressProblem::Nick(raw.to_owned(), problem))?;
    Ok(nick.shown.to_string())
}

/// A room's name as it is shown, typed with or without `#`.
///
/// # Errors
/// If it is none.
pub(crate) fn room(raw: &str) -> Result<String, AddressProblem> {
    let room = RoomName::parse(raw).map_err(|problem| AddressProblem::Room(raw.to_owned(), problem))?;
    Ok(room.shown.to_string())
}

fn host_and_port(raw: &str) -> Result<(String, u16), AddressProblem> {
    if let Some(behind) = raw.strip_prefix('[') {
        return bracketed(raw, behind);
    }
    if is_ipv6(raw) {
        return Err(AddressProblem::NoBrackets(raw.to_owned(), with_port(raw)));
    }
    let (host, port) = match raw.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (raw, None),
    };
    check_host(host)?;
    Ok((host.to_owned(), port.map_or(Ok(PORT), parse_port)?))
}

/// `[ADDRESS]` or `[ADDRESS]:PORT`; `behind` begins behind the bracket.
fn bracketed(raw: &str, behind: &str) -> Result<(String, u16), AddressProblem> {
    let no_ipv6 = || AddressProblem::NoIpv6(raw.to_owned());
    let (host, rest) = behind.split_once(']').ok_or_else(no_ipv6)?;
    if !is_ipv6(host) {
        return Err(no_ipv6());
    }
    let port = match rest.strip_prefix(':') {
        Some(port) => parse_port(port)?,
        None if rest.is_empty() => PORT,
        None => return Err(AddressProblem::BehindBracket(rest.to_owned())),
    };
    Ok((host.to_owned(), port))
}

/// An address of IPv6, also one that says by which interface: `fe80::1%eth0` (RFC 4007 §11).
fn is_ipv6(raw: &str) -> bool {
    let (address, zone) = match raw.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (raw, None),
    };
    let possible = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let is_zone = |zone: &str| !zone.is_empty() && zone.len() <= HOST_BYTES_MAX && zone.chars().all(possible);
    address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_zone)
}

/// `::1:9000` is an address, but may have been meant to be one with a port.
fn with_port(raw: &str) -> Option<(String, u16)> {
    let (address, port) = raw.rsplit_once(':')?;
    let port = parse_port(port).ok()?;
    is_ipv6(address).then(|| (address.to_owned(), port))
}

fn check_host(host: &str) -> Result<(), AddressProblem> {
    if host.is_empty() {
        return Err(AddressProblem::NoHost);
    }
    if host.len() > HOST_BYTES_MAX {
        return Err(AddressProblem::HostTooLong);
    }
    let possible = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    let impossible = host.chars().find(|character| !possible(*character));
    let leading = host.chars().next().filter(|character| matches!(character, '-' | '.'));
    if let Some(character) = impossible.or(leading) {
        return Err(AddressProblem::HostCharacter(host.to_owned(), character));
    }
    if host.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AddressProblem::OnlyPort(host.to_owned()));
    }
    Ok(())
}

fn parse_port(raw: &str) -> Result<u16, AddressProblem> {
    // The parser of numbers would take a sign.
    let is_number = raw.bytes().all(|byte| byte.is_ascii_digit());
    let port = raw.parse::<u16>().ok().filter(|port| is_number && *port != 0);
    port.ok_or_else(|| AddressProblem::Port(raw.to_owned()))
}

impl fmt::Display for AddressProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressProblem::NoHost => {
                write!(formatter, "there is no host in it; write HOST, HOST:PORT or HOST:PORT/ROOM")
            }
            AddressProblem::Scheme(scheme) => {
                write!(formatter, "it begins with '{}://'; write HOST:PORT without that", quoted(scheme))
            }
            AddressProblem::OnlyPort(digits) => {
                let digits = quoted(digits);
                write!(formatter, "'{digits}' is no host; if it is a port, write localhost:{digits}")
            }
            AddressProblem::HostCharacter(host, character) => {
                write!(formatter, "'{}' is no host: ", quoted(host))?;
                host_character(*character, formatter)
            }
            AddressProblem::HostTooLong => {
                write!(formatter, "its host has more than {HOST_BYTES_MAX} bytes; no name is that long")
            }
            AddressProblem::NoIpv6(raw) => {
                let raw = quoted(raw);
                write!(formatter, "'{raw}' is no address of IPv6 in brackets; one is [::1], or [::1]:{PORT}")
            }
            AddressProblem::NoBrackets(raw, None) => {
                write!(formatter, "an address of IPv6 stands in brackets; write [{raw}], or [{raw}]:{PORT}")
            }
            AddressProblem::NoBrackets(raw, Some((address, port))) => {
                write!(
                    formatter,
                    "an address of IPv6 stands in brackets; write [{address}]:{port} if {port} is the port, else [{raw}]"
                )
            }
            AddressProblem::BehindBracket(rest) => {
                write!(
                    formatter,
                    "'{}' stands behind the bracket; a port is written [::1]:{PORT}",
                    quoted(rest)
                )
            }
            AddressProblem::Port(raw) => {
                write!(formatter, "'{}' is no port; write a number from 1 to 65535, or none", quoted(raw))
            }
            AddressProblem::Nick(raw, problem) => {
                write!(formatter, "'{}' is no nick: {problem}", quoted(raw))
            }
            AddressProblem::Room(raw, problem) => {
                write!(formatter, "'{}' is no name for a room: {problem}", quoted(raw))
            }
        }
    }
}

impl std::error::Error for AddressProblem {}

/// Why a host has no such character, and what to do where something else was probably meant.
fn host_character(character: char, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match character {
        '#' => write!(formatter, "'#' is not possible in it; a room is written HOST/ROOM"),
        '@' => write!(formatter, "there is a second '@'; write NICK@HOST"),
        ' ' => write!(formatter, "a space is not possible in it"),
        '-' | '.' => write!(formatter, "it begins with '{character}'"),
        _ if character.is_ascii_graphic() => write!(formatter, "'{character}' is not possible in it"),
        _ => write!(formatter, "U+{:04X} is not possible in it", u32::from(character)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What it was taken for, with nothing left out; or why it was not taken.
    fn read(typed: &str) -> String {
        match Address::parse(typed) {
            Ok(Address { nick, host, port, room }) => {
                format!("{} {host} {port} {}", nick.as_deref().unwrap_or("-"), room.as_deref().unwrap_or("-"))
            }
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn addresses_are_read_as_they_are_meant() {
        for (typed, meant) in [
            ("chat.example", "- chat.example 8008 -"),
            ("localhost:9000", "- localhost 9000 -"),
            ("10.0.0.7/ops", "- 10.0.0.7 8008 ops"),
            ("10.0.0.7:1/#ops", "- 10.0.0.7 1 ops"),
            ("ann@chat.example:65535/ops", "ann chat.example 65535 ops"),
            ("[bot]@chat.example/ops", "[bot] chat.example 8008 ops"),
            ("[::1]", "- ::1 8008 -"),
            ("[::1]:9000/ops", "- ::1 9000 ops"),
            ("ann@[fe80::1%eth0]:9000/#ops", "ann fe80::1%eth0 9000 ops"),
            ("小明@münchen.example/聊天室", "小明 münchen.example 8008 聊天室"),
            ("my_host./2024", "- my_host. 8008 2024"),
            ("h/Zoe\u{308}", "- h 8008 Zoë"),
        ] {
            assert_eq!(read(typed), meant, "{typed}");
        }
    }

    #[test]
    fn refused_addresses_say_what_would_be_right() {
        for (typed, why) in [
            ("", "there is no host in it; write HOST, HOST:PORT or HOST:PORT/ROOM"),
            ("/ops", "there is no host in it; write HOST, HOST:PORT or HOST:PORT/ROOM"),
            (":8008", "there is no host in it; write HOST, HOST:PORT or HOST:PORT/ROOM"),
            ("ann@", "there is no host in it; write HOST, HOST:PORT or HOST:PORT/ROOM"),
            ("http://h:8008/ops", "it begins with 'http://'; write HOST:PORT without that"),
            ("9000", "'9000' is no host; if it is a port, write localhost:9000"),
            ("9000/ops", "'9000' is no host; if it is a port, write localhost:9000"),
            ("h#ops", "'h#ops' is no host: '#' is not possible in it; a room is written HOST/ROOM"),
            ("ann@bob@h", "'bob@h' is no host: there is a second '@'; write NICK@HOST"),
            ("h /ops", "'h ' is no host: a space is not possible in it"),
            ("h\u{1b}[2J", "'h[2J' is no host: U+001B is not possible in it"),
            ("-h", "'-h' is no host: it begins with '-'"),
            ("::1", "an address of IPv6 stands in brackets; write [::1], or [::1]:8008"),
            (
                "::1:9000/ops",
                "an address of IPv6 stands in brackets; write [::1]:9000 if 9000 is the port, else [::1:9000]",
            ),
            ("[::1", "'[::1' is no address of IPv6 in brackets; one is [::1], or [::1]:8008"),
            ("[h]", "'[h]' is no address of IPv6 in brackets; one is [::1], or [::1]:8008"),
            ("[::1%]", "'[::1%]' is no address of IPv6 in brackets; one is [::1], or [::1]:8008"),
            ("[::1]9000", "'9000' stands behind the bracket; a port is written [::1]:8008"),
            ("h:", "'' is no port; write a number from 1 to 65535, or none"),
            ("h:0", "'0' is no port; write a number from 1 to 65535, or none"),
            ("h:+1", "'+1' is no port; write a number from 1 to 65535, or none"),
            ("h:65536", "'65536' is no port; write a number from 1 to 65535, or none"),
            ("h:1:2", "'1:2' is no port; write a number from 1 to 65535, or none"),
            ("2pac@h", "'2pac' is no nick: it begins with '2'; a letter goes there"),
            ("@h", "'' is no nick: it is empty"),
            ("h/", "'' is no name for a room: it is empty"),
            ("h/a/b", "'a/b' is no name for a room: '/' is not possible in it"),
        ] {
            assert_eq!(read(typed), why, "{typed}");
        }
        assert_eq!(read(&"h".repeat(254)), "its host has more than 253 bytes; no name is that long");
    }

    #[test]
    fn server_is_known_by_host_and_port() {
        assert_eq!(Address::parse("ann@h/ops").unwrap().server(), "h:8008");
        assert_eq!(Address::parse("[::1]:9/ops").unwrap().server(), "[::1]:9");
    }

    proptest! {
        #[test]
        fn what_was_read_is_written_so_that_it_is_read_the_same(
            typed in "([a-z\\[\\]]{1,3}@)?(\\[::[0-9a-f]{1,3}\\]|[a-z.]{1,5})(:[0-9]{1,5})?(/#?[a-z0-9.]{1,4})?",
        ) {
            if let Ok(address) = Address::parse(&typed) {
                prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
            }
        }

        #[test]
        fn whatever_is_typed_is_read_or_refused_in_harmless_words(
            typed in prop_oneof!["\\PC*", "[a:@/#\\[\\]%0-9.\u{1b}\u{202e}-]*", any::<String>()],
        ) {
            match Address::parse(&typed) {
                Ok(address) => {
                    prop_assert_ne!(address.port, 0);
                    prop_assert!(address.host.len() <= HOST_BYTES_MAX);
                }
                Err(problem) => {
                    let words = problem.to_string();
                    prop_assert!(words.chars().all(hub::is_showable), "{:?}", words);
                }
            }
        }
    }
}
