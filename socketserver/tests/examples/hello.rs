//! The hello in HTTP, as `curl`, a browser and somebody with bad intentions meet it.

use crate::harness::{GUARD, Program, curl_is_missing};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><title>Hello</title><h1>Hello, world!</h1></html>\n";

fn start(arguments: &[&str]) -> (Program, SocketAddr) {
    let mut server = Program::example("http_hello", &[&["127.0.0.1:0"], arguments].concat());
    let address = server.address();
    (server, address)
}

/// What `curl` prints, after it has ended well.
fn curl(flags: &[&str], server: SocketAddr) -> String {
    let url = format!("http://{server}/");
    let output = Command::new("curl").args(["-s", "-i", "--max-time", "20"]).args(flags).arg(url).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{flags:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Everything that is answered to these bytes.
fn answer(bytes: &[u8], server: SocketAddr) -> String {
    let mut client = TcpStream::connect(server).unwrap();
    client.set_read_timeout(Some(GUARD)).unwrap();
    client.write_all(bytes).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

/// The bytes of an answer, to the last one.
fn whole(status: &str, page: &str) -> String {
    let length = page.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\
         Allow: GET, HEAD\r\nConnection: close\r\n\r\n{page}"
    )
}

#[test]
fn curl_is_greeted() {
    if curl_is_missing() {
        return;
    }
    let (mut server, address) = start(&[]);
    assert_eq!(curl(&[], address), whole("200 OK", PAGE));
    assert_eq!(curl(&["--http1.0"], address), whole("200 OK", PAGE));
    // Only the head, and the length of what GET would give.
    assert_eq!(curl(&["--head"], address), whole("200 OK", PAGE).replace(PAGE, ""));
    let refused = curl(&["--data", "a=b"], address);
    assert!(refused.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{refused}");
    assert!(refused.contains("\r\nAllow: GET, HEAD\r\n"), "{refused}");
    server.stops();
}

#[test]
fn browser_is_greeted() {
    let (mut server, address) = start(&[]);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 \
         Firefox/128.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: de,en-US;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nDNT: 1\r\n\
         Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nPriority: u=0, i\r\n\r\n"
    );
    // A browser keeps its side open and goes by the length.
    let mut browser = TcpStream::connect(address).unwrap();
    browser.set_read_timeout(Some(GUARD)).unwrap();
    browser.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    browser.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, whole("200 OK", PAGE));
    // A connection that it has made ahead and does not need is closed without an answer.
    assert_eq!(self::answer(b"", address), "");
    server.stops();
}

#[test]
fn what_is_no_request_is_refused() {
    let (mut server, address) = start(&[]);
    let field = format!("X: {}\r\n", "x".repeat(1000));
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", field.repeat(9));
    for (request, status) in [
        ("GARBAGE\r\n\r\n", "400 Bad Request"),
        ("\r\n\r\n", "400 Bad Request"),
        ("GET /\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\n", "400 Bad Request"),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n", "400 Bad Request"),
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed"),
        (&large, "431 Request Header Fields Too Large"),
        ("GET / HTTP/1.1\nhost: a\n\n", "200 OK"),
    ] {
        let answer = answer(request.as_bytes(), address);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:?}: {answer}");
    }
    server.stops();
}

#[test]
fn patience_with_a_request_has_an_end() {
    let (_server, address) = start(&["0.1"]);
    for drips in [false, true] {
        // Before the server can have begun to count.
        let begun = Instant::now();
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
        // Each wait for an answer is also the pause between two drops.
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let end = loop {
            match client.read(&mut [0; 64]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => assert!(begun.elapsed() < GUARD),
                end => break end,
            }
            if drips && client.write_all(b"x").is_err() {
                break Ok(0);
            }
        };
        assert!(matches!(end, Ok(0)) || drips, "{end:?}");
        assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    }
}
