//! Tells the plugs apart by the first bytes that a connection sends.
//!
//! Where it stands: in front of the sessions. Everything but a person at netcat speaks first, and at once, so that the
//! first line says which protocol it is. Protocols that are known and not spoken here are refused in their own words.
//!
//! What this file must never do: guess by time, keep state, or call something plain text that looks like HTTP. A web page
//! can make a visitor's browser send nearly any first line to any port; not one of them may be taken for typing.

/// How many bytes a first line may have without an end before it is taken for text. No protocol that is known here needs
/// more to be recognised, but for an HTTP request with a longer target: whoever reads on must look at the line's end.
pub const FIRST_LINE_BYTES_MAX: usize = 8 * 1024;

/// What the first bytes of a connection say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// More bytes are needed. See [`begins_like_protocol`] for whether waiting is worth while.
    Undecided,
    /// Text, as people type it; binary rubbish is text, too.
    Plain,
    /// Objects of JSON, one a line.
    Json,
    /// A protocol that is known and not spoken here.
    Foreign(Protocol),
}

/// A protocol that is known and not spoken here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// A browser, curl and the like (RFC 9112).
    Http,
    /// Anything encrypted (RFC 8446).
    Tls,
    /// A secure shell (RFC 4253).
    Ssh,
    /// A chat client (RFC 2812, modern.ircdocs.horse).
    Irc,
}

/// What a connection begins with that speaks a protocol. The verbs of HTTP are those of RFC 9110 §9.3 and RFC 5789; the
/// words of IRC are those that a client may send before it is registered (modern.ircdocs.horse, "Connection
/// Registration"); a TLS record begins with its type, 22 for a handshake, and the major version 3 (RFC 8446 §5.1); SSH
/// with its version string (RFC 4253 §4.2).
const BEGINNINGS: &[(&[u8], Protocol)] = &[
    (b"GET ", Protocol::Http),
    (b"HEAD ", Protocol::Http),
    (b"POST ", Protocol::Http),
    (b"PUT ", Protocol::Http),
    (b"DELETE ", Protocol::Http),
    (b"CONNECT ", Protocol::Http),
    (b"OPTIONS ", Protocol::Http),
    (b"TRACE ", Protocol::Http),
    (b"PATCH ", Protocol::Http),
    (b"\x16\x03", Protocol::Tls),
    (b"SSH-", Protocol::Ssh),
    (b"CAP ", Protocol::Irc),
    (b"NICK ", Protocol::Irc),
    (b"USER ", Protocol::Irc),
    (b"PASS ", Protocol::Irc),
];

/// How many bytes at the end of a line [`protocol_of_line`] looks at: ` HTTP/1.1`.
pub(crate) const LINE_END_BYTES: usize = 9;

/// Judges the bytes that a connection has sent so far. The verdict on some bytes holds for all that may follow them,
/// unless it is [`Verdict::Undecided`]. Empty lines in front do not count (RFC 9112 §2.2).
pub fn sniff(bytes: &[u8]) -> Verdict {
    let bytes = without_leading_blank_lines(bytes);
    if let Some(protocol) = protocol_of_beginning(bytes) {
        return Verdict::Foreign(protocol);
    }
    if begins_like_json(bytes) {
        return Verdict::Json;
    }
    let start = &bytes[..bytes.len().min(FIRST_LINE_BYTES_MAX)];
    match memchr::memchr(b'\n', start) {
        Some(end) => {
            let line = without_carriage_return(&start[..end]);
            protocol_of_line(line, line).map_or(Verdict::Plain, Verdict::Foreign)
        }
        None if start.len() == FIRST_LINE_BYTES_MAX => Verdict::Plain,
        None => Verdict::Undecided,
    }
}

/// Whether the bytes are the first few of something that a protocol begins with.
pub fn begins_like_protocol(bytes: &[u8]) -> bool {
    let bytes = without_leading_blank_lines(bytes);
    !bytes.is_empty() && BEGINNINGS.iter().any(|(beginning, _)| beginning.starts_with(bytes))
}

/// Whether the first line, behind empty ones and blanks, begins an object of JSON.
pub(crate) fn begins_like_json(bytes: &[u8]) -> bool {
    let line = without_leading_blank_lines(bytes);
    let first = line.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    first == Some(&b'{')
}

/// The protocol that begins with these bytes, if they are enough to tell.
pub(crate) fn protocol_of_beginning(bytes: &[u8]) -> Option<Protocol> {
    BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)).map(|(_, protocol)| *protocol)
}

/// The protocol whose first line begins with `head` and ends with `tail`, both without the line's end. A line that ends
/// with HTTP's version (RFC 9112 §3) is HTTP whatever it begins with: methods can be made up.
pub(crate) fn protocol_of_line(head: &[u8], tail: &[u8]) -> Option<Protocol> {
    let is_http = ends_with_http_version(tail).then_some(Protocol::Http);
    protocol_of_beginning(without_leading_blank_lines(head)).or(is_http)
}

fn ends_with_http_version(line: &[u8]) -> bool {
    let start = line.len().saturating_sub(LINE_END_BYTES);
    match &line[start..] {
        [b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor] => {
            major.is_ascii_digit() && minor.is_ascii_digit()
        }
        _ => false,
    }
}

pub(crate) fn without_leading_blank_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    &bytes[start..]
}

pub(crate) fn without_carriage_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl Protocol {
    /// What a connection that speaks this protocol is told before it is closed, in the protocol's own words.
    /// `first_bytes` are what it sent.
    pub fn refusal(self, first_bytes: &[u8]) -> Vec<u8> {
        match self {
            Protocol::Http => http_refusal(first_bytes),
            Protocol::Tls => TLS_REFUSAL.to_vec(),
            Protocol::Ssh => SSH_REFUSAL.to_vec(),
            Protocol::Irc => IRC_REFUSAL.to_vec(),
        }
    }
}

const HTTP_REFUSAL_BODY: &str = "\
This is a chat room for people at netcat. It does not speak HTTP.\n\
Join it from a terminal:\n\
\n\
\x20   nc HOST PORT\n";

/// 501: the server does not support the functionality that is required (RFC 9110 §15.6.2). `close` says that nothing
/// else will be answered (RFC 9112 §9.6); the answer to HEAD has no content (RFC 9110 §9.3.2).
fn http_refusal(first_bytes: &[u8]) -> Vec<u8> {
    let is_head = without_leading_blank_lines(first_bytes).starts_with(b"HEAD ");
    let body = if is_head { "" } else { HTTP_REFUSAL_BODY };
    format!(
        "HTTP/1.1 501 Not Implemented\r\n\
         Connection: close\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\n\
         \r\n\
         {body}",
        HTTP_REFUSAL_BODY.len()
    )
    .into_bytes()
}

/// An alert record (type 21) of legacy version 3.1 with two bytes: fatal (2), `handshake_failure` (40). RFC 8446 §5.1, §6.
const TLS_REFUSAL: &[u8] = &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28];

/// A server may send lines of text before its version string (RFC 4253 §4.2); clients show them or log them.
const SSH_REFUSAL: &[u8] =
    b"This is a chat room for people at netcat. It does not speak SSH. Join it with: nc HOST PORT\r\n";

/// ERROR is the last thing that a client is told before its connection is closed (RFC 2812 §3.7.4).
const IRC_REFUSAL: &[u8] =
    b"ERROR :This is a chat room for people at netcat. It does not speak IRC. Join it with: nc HOST PORT\r\n";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_bytes_tell_the_plugs_apart() {
        let http = Verdict::Foreign(Protocol::Http);
        let irc = Verdict::Foreign(Protocol::Irc);
        let table: &[(&[u8], Verdict)] = &[
            (b"", Verdict::Undecided),
            (b"\n", Verdict::Undecided),
            (b"\r\n\r\nGET ", http),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", http),
            (b"GET ", http),
            (b"GET", Verdict::Undecided),
            (b"GET\n", Verdict::Plain),
            (b"get / is typed\n", Verdict::Plain),
            (b"get / HTTP/1.0\n", http),
            (b"FOO /x HTTP/1.1\r\n", http),
            (b"FOO /x HTTP/1.1", Verdict::Undecided),
            (b"FOO /x HTTP/11\r\n", Verdict::Plain),
            (b"I like HTTP/2\n", Verdict::Plain),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http),
            (b"OPTIONS * HTTP/1.1\r\n", http),
            (b"OPTIONS", Verdict::Undecided),
            (b"\x16\x03\x01\x02", Verdict::Foreign(Protocol::Tls)),
            (b"\x16", Verdict::Undecided),
            (b"\x16\x04\n", Verdict::Plain),
            (b"SSH-2.0-OpenSSH_9.9\r\n", Verdict::Foreign(Protocol::Ssh)),
            (b"SSH", Verdict::Undecided),
            (b"ssh-2.0\n", Verdict::Plain),
            (b"CAP LS 302\r\n", irc),
            (b"NICK ann\r\n", irc),
            (b"USER a 0 * :a\r\n", irc),
            (b"PASS secret\r\n", irc),
            (b"nick ann\n", Verdict::Plain),
            (b"NICKEL\n", Verdict::Plain),
            (b"hello", Verdict::Undecided),
            (b"hello\n", Verdict::Plain),
            (b"hello\nGET / HTTP/1.1\n", Verdict::Plain),
            (b"\x00\xff\x80\n", Verdict::Plain),
            (b"{", Verdict::Json),
            (b"\r\n\n \t{\"type\":\"hello\"}\n", Verdict::Json),
            (b" \t", Verdict::Undecided),
            (b" \n{", Verdict::Plain),
            (b"x{", Verdict::Undecided),
        ];
        for (bytes, verdict) in table {
            assert_eq!(sniff(bytes), *verdict, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn long_line_without_an_end_is_text() {
        assert_eq!(sniff(&[b'x'; FIRST_LINE_BYTES_MAX - 1]), Verdict::Undecided);
        assert_eq!(sniff(&[b'x'; FIRST_LINE_BYTES_MAX]), Verdict::Plain);
    }

    #[test]
    fn only_a_beginning_is_worth_waiting_for() {
        for bytes in [&b"G"[..], b"GET", b"\x16", b"SSH", b"CA", b"\r\nP"] {
            assert!(begins_like_protocol(bytes), "{}", bytes.escape_ascii());
        }
        for bytes in [&b""[..], b"\n", b"GETT", b"hel", b"\x17"] {
            assert!(!begins_like_protocol(bytes), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn answer_to_http_has_the_length_that_it_states() {
        let answer = String::from_utf8(Protocol::Http.refusal(b"GET / HTTP/1.1\r\n")).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 501 "));
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(body.contains("nc HOST PORT"));
        assert!(Protocol::Http.refusal(b"HEAD / HTTP/1.1\r\n").ends_with(b"\r\n\r\n"));
    }

    proptest! {
        #[test]
        fn verdict_does_not_change_when_more_arrives(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b"\r\nGET HTP/1.USCA{".to_vec())], 0..40),
            cut in 0_usize..40,
        ) {
            let earlier = sniff(&bytes[..cut.min(bytes.len())]);
            prop_assert!(earlier == Verdict::Undecided || earlier == sniff(&bytes));
        }
    }
}
