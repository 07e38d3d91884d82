//! What answers is no Roomful server, or none of this version, or nothing at all: the person is told what, and what to do.

use super::{complaint, run};
use crate::harness::nobody;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Somebody who listens, and does this with whoever comes. Its port.
pub(super) fn listens(answer: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream);
        }
    });
    port
}

/// Somebody who reads what comes, answers with this, and goes.
fn answers(bytes: &'static [u8]) -> u16 {
    listens(move |mut stream| {
        let mut request = [0; 4096];
        // Who has gone is not answered.
        let _ = stream.read(&mut request).and_then(|_| stream.write_all(bytes));
    })
}

fn told_at(port: u16) -> String {
    complaint(&["tail", &format!("127.0.0.1:{port}/dev")])
}

#[test]
fn strangers_are_called_by_their_names() {
    let http = told_at(answers(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
    assert!(http.contains("a web server (HTTP) answers there"), "{http}");
    let ssh = told_at(answers(b"SSH-2.0-OpenSSH_9.6\x1b[2J\r\n"));
    assert!(ssh.contains("an SSH server answers there (SSH-2.0-OpenSSH_9.6[2J)"), "{ssh}");
    let tls = told_at(answers(b"\x15\x03\x01\0\x02\x02\x50"));
    assert!(tls.contains("TLS"), "{tls}");
    let mail = told_at(answers(b"220 mail.example ESMTP\r\n"));
    assert!(mail.contains("220 mail.example ESMTP"), "{mail}");
    let broken = told_at(answers(b"{\"type\":\"welcome\",\"version\":\"\x1b[31m\n"));
    assert!(broken.contains("does not speak as Roomful does"), "{broken}");
    for told in [http, ssh, tls, mail, broken] {
        assert!(told.contains("check the port") && crate::harness::is_harmless(told.trim_end()), "{told:?}");
    }
}

#[test]
fn another_version_is_told() {
    let refusal = b"{\"type\":\"refusal\",\"request\":\"hello\",\"code\":\"bad-version\",\"text\":\"this server speaks version 7\"}\n";
    let told = told_at(answers(refusal));
    assert!(told.contains("another version") && told.contains("this server speaks version 7"), "{told}");
    let welcome = b"{\"type\":\"welcome\",\"version\":2,\"server\":\"roomful 9\",\"epoch\":\"x\",\"nick\":\"a\",\"resume\":{\"secret\":\"s\"}}\n";
    let told = told_at(answers(welcome));
    assert!(told.contains("another version") && told.contains("roomful 9"), "{told}");
}

#[test]
fn nobody_who_listens_is_told() {
    let port = nobody().port();
    let told = told_at(port);
    assert_eq!(
        told,
        format!(
            "roomful: 127.0.0.1:{port}: nothing listens there; is the server running, and on that port?\n"
        )
    );
    let told = complaint(&["say", "no.such.host.invalid/dev", "hello"]);
    assert!(told.contains("no machine of that name was found"), "{told}");
    assert_eq!(run(&["say", "127.0.0.1:99999/dev", "hello"]).status.code(), Some(2));
}

#[test]
fn who_accepts_and_says_nothing_is_not_waited_for_for_ever() {
    // The connection is held open.
    let port = listens(std::mem::forget);
    assert!(told_at(port).contains("accepts connections there and says nothing"));
}

#[test]
fn who_goes_at_once_is_told() {
    assert!(told_at(listens(drop)).contains("the server closed the connection"));
}

#[test]
fn line_that_does_not_end_is_not_read_to_its_end() {
    static PIECE: [u8; 64 * 1024] = [b'x'; 64 * 1024];
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let port = listens(move |mut stream| {
        while stream.write_all(&PIECE).is_ok() {
            count.fetch_add(PIECE.len(), Ordering::Relaxed);
        }
    });
    let told = told_at(port);
    assert!(told.contains("a line that does not end"), "{told}");
    assert!(written.load(Ordering::Relaxed) < 64 * 1024 * 1024, "all of that was read");
}
