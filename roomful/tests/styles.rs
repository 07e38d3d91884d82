//! The two classic styles, byte for byte, as the programs that were written for them read them.

use crate::harness::{Ears as _, GUARD, Server};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// The client of the exercise: whatever it reads it shows as it is.
struct Old {
    stream: TcpStream,
}

impl Old {
    /// Connects, and is there: whatever others send from now on comes here.
    fn connect(server: &mut Server) -> Old {
        let stream = TcpStream::connect_timeout(&server.address(), GUARD).expect("the server accepts");
        stream.set_read_timeout(Some(GUARD)).expect("an option of sockets");
        let old = Old { stream };
        // Nothing tells whoever is new that it is let in; the log does.
        let port = format!(":{} ", old.address().port());
        while !server.logs.waits_for("connected").contains(&port) {}
        old
    }

    fn address(&self) -> SocketAddr {
        self.stream.local_addr().expect("an address")
    }

    fn sends(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).expect("the server takes what is sent");
    }

    /// These bytes come, and as far as can be told no others.
    fn reads(&mut self, expected: &str) {
        let mut bytes = vec![0; expected.len()];
        self.stream.read_exact(&mut bytes).expect("so many bytes");
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    fn reads_the_end(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("an orderly end");
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

/// `<('127.0.0.1', 40000)> `
fn tag(peer: &Old) -> String {
    format!("\r<('127.0.0.1', {})> ", peer.address().port())
}

#[test]
fn tagged_is_what_the_client_of_the_exercise_expects() {
    let mut server = Server::start_with(&["--plain-style", "tagged"]);
    let mut ann = Old::connect(&mut server);
    // Nothing greets ann; the first that she reads is that bob has come.
    let mut bob = Old::connect(&mut server);
    ann.reads(&format!("[127.0.0.1:{}] entered room\n", bob.address().port()));
    ann.sends("hello\n");
    bob.reads(&format!("{}hello\n", tag(&ann)));
    // Untrimmed, blank lines too, each with its own end, and no command is one.
    bob.sends("  spaced out \t\r\n\n/who\n");
    let bob_tag = tag(&bob);
    ann.reads(&format!("{bob_tag}  spaced out \t\r\n{bob_tag}\n{bob_tag}/who\n"));
    ann.sends("你好，");
    ann.sends("世界\n");
    bob.reads(&format!("{}你好，世界\n", tag(&ann)));
    let bob_port = bob.address().port();
    drop(bob);
    ann.reads(&format!("Client (127.0.0.1, {bob_port}) is offline"));
    let mut cat = Old::connect(&mut server);
    ann.reads(&format!("[127.0.0.1:{}] entered room\n", cat.address().port()));
    server.signal(rustix::process::Signal::TERM);
    for old in [&mut ann, &mut cat] {
        old.reads("Shutdown Server\n");
        old.reads_the_end();
    }
    assert!(server.ends().success());
}

#[test]
fn bare_passes_lines_on_and_nothing_else() {
    let mut server = Server::start_with(&["--plain-style", "bare"]);
    let mut ann = Old::connect(&mut server);
    let mut bob = Old::connect(&mut server);
    // Who has been heard is there: nobody is told who comes.
    ann.sends("are you there\n");
    bob.reads("are you there\n");
    bob.sends("  yes, and here \r\n\n/quit\n");
    ann.reads("yes, and here\n\n/quit\n");
    ann.sends("the last line has no end");
    ann.stream.shutdown(Shutdown::Write).expect("half of the connection is closed");
    bob.reads("the last line has no end\n");
    ann.reads_the_end();
    server.signal(rustix::process::Signal::TERM);
    bob.reads("Shutdown Server\n");
    bob.reads_the_end();
    assert!(server.ends().success());
}

#[test]
fn an_ipv4_address_is_shown_as_one_on_a_listener_for_both() {
    let mut server = Server::start_with(&["--plain-style", "tagged", "--listen", "0"]);
    let mut ann = Old::connect(&mut server);
    let bob = Old::connect(&mut server);
    ann.reads(&format!("[127.0.0.1:{}] entered room\n", bob.address().port()));
}
