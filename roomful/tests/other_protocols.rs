//! Those who speak another protocol: each is refused in its own words, and nobody in the room notices.

use crate::harness::{Client, Ears as _, Probe, Server};

/// Sends something on a new connection and returns the answer. Nobody in the room hears anything of it, and the server
/// goes on serving.
fn answer_to(bytes: &[u8]) -> Vec<u8> {
    answer_on(Probe::connect, bytes)
}

/// The same, on a connection that was silent and has been greeted.
fn answer_when_greeted_to(bytes: &[u8]) -> Vec<u8> {
    answer_on(|server| Probe::on(Client::listen(server).into_stream()), bytes)
}

fn answer_on(connect: impl FnOnce(&Server) -> Probe, bytes: &[u8]) -> Vec<u8> {
    let mut server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let bob = Client::join(&server, "bob");
    ann.hears("[bob] entered room");
    let mut probe = connect(&server);
    probe.sends(bytes);
    let answer = probe.answer();
    let address = probe.address();
    drop(probe);
    server.notices_end_of(address);
    bob.says("did you hear anything?");
    ann.hears("<bob> did you hear anything?");
    ann.says("/who");
    ann.hears("-- #lobby has 2: ann, bob");
    answer
}

fn is_refusal_of_http(answer: &[u8]) {
    let answer = String::from_utf8_lossy(answer);
    assert!(answer.starts_with("HTTP/1.1 501 Not Implemented\r\n"), "{answer}");
    assert!(answer.contains("nc HOST PORT"), "{answer}");
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const POST: &[u8] = b"POST /lobby HTTP/1.1\r\nHost: localhost\r\nContent-Length: 37\r\n\r\n\
    from a web page\n/nick evil\nonce more\n";

#[test]
fn http_get_is_refused() {
    is_refusal_of_http(&answer_to(GET));
}

#[test]
fn http_get_is_refused_after_the_greeting() {
    is_refusal_of_http(&answer_when_greeted_to(GET));
}

#[test]
fn nothing_of_an_http_post_is_said() {
    is_refusal_of_http(&answer_to(POST));
}

#[test]
fn nothing_of_an_http_post_is_said_after_the_greeting() {
    is_refusal_of_http(&answer_when_greeted_to(POST));
}

#[test]
fn nothing_of_a_long_http_post_is_said() {
    let body = "from a web page\n".repeat(20_000);
    let post = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    is_refusal_of_http(&answer_to(post.as_bytes()));
}

#[test]
fn tls_is_refused_with_an_alert() {
    // The beginning of a ClientHello (RFC 8446 §4.1.2): record, handshake header, version, some of the random bytes.
    let mut hello = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    hello.extend((0..=255).map(|byte: u8| byte.wrapping_mul(167)));
    assert_eq!(answer_to(&hello), [0x15, 3, 1, 0, 2, 2, 40]);
}

#[test]
fn ssh_is_refused_in_a_line_before_any_version() {
    let answer = answer_to(b"SSH-2.0-OpenSSH_9.9p1 Debian-3\r\n");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("It does not speak SSH. Join it with: nc HOST PORT\r\n"), "{answer}");
    assert!(!answer.contains("SSH-2.0"), "{answer}");
}

#[test]
fn irc_is_refused_with_an_error() {
    for registration in
        ["CAP LS 302\r\nNICK ann\r\nUSER ann 0 * :Ann\r\n", "NICK evil\r\nUSER evil 0 * :Evil\r\n"]
    {
        let answer = answer_to(registration.as_bytes());
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with("ERROR :") && answer.ends_with("Join it with: nc HOST PORT\r\n"),
            "{answer}"
        );
    }
}
