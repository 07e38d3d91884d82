//! Why there is no connection, in words for the person who wanted one.
//!
//! Where it stands: the link ends or waits with one of these; whoever uses it shows the words.
//!
//! What this file must never do: say what is wrong without saying what would be right.

use crate::wire::Shown;
use std::fmt;

/// Why there is no connection at the moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// There is no machine of that name.
    NotFound,
    /// Nothing listens there.
    Refused,
    /// It does not answer.
    TimedOut,
    /// It had been open, and the server closed it.
    Closed,
    /// It is open, and nothing comes.
    Silent,
    /// What the system says.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Failure::NotFound => "no machine of that name was found; check the spelling, and the network",
            Failure::Refused => "nothing listens there; is the server running, and on that port?",
            Failure::TimedOut => {
                "it does not answer; check the address, and whether a firewall is in between"
            }
            Failure::Closed => "the server closed the connection",
            Failure::Silent => "the server does not answer any more",
            Failure::Other(text) => text,
        })
    }
}

/// Why there will be no connection any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// We have left.
    Left,
    /// The same client has come by another connection.
    Elsewhere,
    /// It could not be opened the first time.
    Unreachable(Failure),
    /// This is no Roomful server.
    Stranger(Stranger),
    /// It speaks another version of the protocol; what it says about it.
    Version(Shown),
    /// It does not let us in; what it says about it.
    Refused(Shown),
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Left => write!(formatter, "you have left"),
            End::Elsewhere => {
                write!(formatter, "you came in by another connection, which goes on in your place")
            }
            End::Unreachable(failure) => failure.fmt(formatter),
            End::Stranger(stranger) => stranger.fmt(formatter),
            End::Version(text) => {
                write!(
                    formatter,
                    "the server speaks another version of the protocol than this program ({text}); use the version of roomful that the server has"
                )
            }
            End::Refused(text) => write!(formatter, "the server does not let you in: {text}"),
        }
    }
}

/// What answers where a Roomful server was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stranger {
    /// A web server.
    Http,
    /// An SSH server; what it says about itself.
    Ssh(Shown),
    /// Something that wants TLS.
    Tls,
    /// A mail or FTP server, which both greet with a number; what it says.
    Greeter(Shown),
    /// An IRC server.
    Irc,
    /// Something that sends text; the beginning of it.
    Text(Shown),
    /// Something that sends no text.
    Binary,
    /// It says nothing.
    Silent,
    /// It sends a line that never ends.
    Endless,
    /// JSON, but not as the protocol has it; why.
    Unreadable(String),
}

impl Stranger {
    /// Guesses who says this.
    pub(super) fn who_says(line: &[u8]) -> Stranger {
        let is_tls = matches!(line, [0x15 | 0x16, 0x03, ..]);
        let text = String::from_utf8_lossy(&line[..line.len().min(80)]);
        let shown = Shown::new(text.trim());
        if is_tls {
            return Stranger::Tls;
        }
        if text.starts_with("HTTP/") || text.starts_with("<!DOCTYPE") || text.starts_with("<html") {
            return Stranger::Http;
        }
        if text.starts_with("SSH-") {
            return Stranger::Ssh(shown);
        }
        if text.starts_with(':') || text.starts_with("ERROR :") || text.starts_with("NOTICE ") {
            return Stranger::Irc;
        }
        let begins_with_number = text.len() > 3 && text.bytes().take(3).all(|byte| byte.is_ascii_digit());
        if begins_with_number && matches!(text.as_bytes()[3], b' ' | b'-') {
            return Stranger::Greeter(shown);
        }
        if line.contains(&0) || text.contains('\u{fffd}') || shown.is_empty() {
            return Stranger::Binary;
        }
        Stranger::Text(shown)
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stranger::Http => {
                write!(formatter, "a web server (HTTP) answers there, not Roomful; check the port")
            }
            Stranger::Ssh(banner) => {
                write!(formatter, "an SSH server answers there ({banner}), not Roomful; check the port")
            }
            Stranger::Tls => {
                write!(formatter, "a server that wants TLS answers there, not Roomful; check the port")
            }
            Stranger::Greeter(text) => {
                write!(
                    formatter,
                    "another kind of server answers there, not Roomful: '{text}'; check the port"
                )
            }
            Stranger::Irc => write!(formatter, "an IRC server answers there, not Roomful; check the port"),
            Stranger::Text(text) => write!(
                formatter,
                "something else answers there, not Roomful: '{text}'; check the port, or try 'roomful join --raw HOST PORT'"
            ),
            Stranger::Binary => {
                write!(
                    formatter,
                    "something else answers there, not Roomful, and not with text; check the port"
                )
            }
            Stranger::Silent => {
                write!(formatter, "somebody accepts connections there and says nothing; check the port")
            }
            Stranger::Endless => {
                write!(formatter, "the server sends a line that does not end; that is no Roomful server")
            }
            Stranger::Unreadable(why) => {
                write!(
                    formatter,
                    "the server does not speak as Roomful does ({why}); check the port and the version"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_called_by_their_names() {
        let named = |line: &[u8]| Stranger::who_says(line).to_string();
        assert!(named(b"HTTP/1.1 400 Bad Request\r").contains("a web server (HTTP)"));
        assert!(
            named(b"SSH-2.0-OpenSSH_9.6\r").contains("an SSH server answers there (SSH-2.0-OpenSSH_9.6)")
        );
        assert!(named(b"220 mail.example ESMTP").contains("'220 mail.example ESMTP'"));
        assert!(named(b":irc.example NOTICE * :hi").contains("an IRC server"));
        assert!(named(b"\x15\x03\x01\0\x02").contains("TLS"));
        assert!(named(b"-- you are guest-1\x1b[2J").contains("'-- you are guest-1[2J'"));
        assert!(named(b"J\0\0\0\n8.0").contains("not with text"));
    }
}
