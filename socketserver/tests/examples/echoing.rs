//! The line echo, in each of the four ways, and its client.

use crate::harness::{Folder, GUARD, Program, nc_is_missing};
use rustix::net::{AddressFamily, SocketType};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// How the server is run: strategy, and poller if it has one.
const WAYS: [&[&str]; 6] = [
    &["iterative"],
    &["threading"],
    &["forking"],
    &["evented", "select"],
    &["evented", "poll"],
    &["evented", "epoll"],
];

/// Starts the server in this way.
fn start(way: &[&str], endpoint: &str) -> Program {
    let mut arguments = vec![way[0], endpoint];
    arguments.extend(&way[1..]);
    Program::example("line_echo", &arguments)
}

/// More than what fits into the buffers of both ends, so that who only sends comes to a halt; and a last line without an
/// end.
fn large_text() -> String {
    let lines: Vec<String> = (0..400_000).map(|number| format!("line {number} of many\n")).collect();
    lines.concat() + "the last line"
}

/// Sends a text through the example's client and compares what comes back.
fn echoes(text: &str, endpoint: &str, folder: &Folder) {
    fs::write(folder.path("input"), text).unwrap();
    let input = File::open(folder.path("input")).unwrap();
    let mut client = Program::example_reading("line_echo_client", &[endpoint], input);
    let echoed = client.ends_well(); // the client counts the bytes
    assert!(
        echoed.iter().map(String::as_str).eq(text.split_terminator('\n')),
        "{} lines of {endpoint}",
        echoed.len()
    );
}

#[test]
fn every_strategy_echoes_lines_over_tcp() {
    let folder = Folder::new("echo-tcp");
    let large = large_text();
    for way in WAYS {
        let mut server = start(way, "tcp:127.0.0.1:0");
        let endpoint = format!("tcp:{}", server.address());
        for text in ["", "\n", "one line\n", "one\r\ntwo\nno end", &large] {
            echoes(text, &endpoint, &folder);
        }
        assert_eq!(server.stops(), ["stopped"], "{way:?}");
    }
}

#[test]
fn every_strategy_echoes_lines_over_a_socket_file_and_removes_it() {
    let folder = Folder::new("echo-unix");
    for way in WAYS {
        let path = folder.path("echo");
        let endpoint = format!("unix:{}", path.display());
        let mut server = start(way, &endpoint);
        server.hears(&format!("listening at {}", path.display()));
        echoes("one\ntwo\n", &endpoint, &folder);
        assert_eq!(server.stops(), ["stopped"], "{way:?}");
        assert!(!path.exists(), "{way:?}");
    }
}

#[test]
fn every_strategy_echoes_line_by_line_to_netcat() {
    if nc_is_missing() {
        return;
    }
    for way in WAYS {
        let mut server = start(way, "tcp:127.0.0.1:0");
        let mut client = Program::nc(&["-N"], server.address());
        for line in ["first", "second"] {
            client.says(line);
            client.hears(line);
        }
        client.types(b"no end");
        client.ends_input();
        assert_eq!(client.ends_well(), ["no end"], "{way:?}");
        assert_eq!(server.stops(), ["stopped"], "{way:?}");
    }
}

#[test]
fn all_strategies_but_one_serve_several_clients_at_a_time() {
    for way in &WAYS[1..] {
        let mut server = start(way, "tcp:127.0.0.1:0");
        let address = server.address();
        let mut clients: Vec<TcpStream> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
        for client in clients.iter_mut().rev() {
            client.set_read_timeout(Some(GUARD)).unwrap();
            client.write_all(b"hello\n").unwrap();
            let mut echoed = [0; 6];
            client.read_exact(&mut echoed).unwrap();
            assert_eq!(&echoed, b"hello\n", "{way:?}");
        }
        drop(clients);
        assert_eq!(server.stops(), ["stopped"], "{way:?}");
    }
}

#[test]
fn server_that_is_not_told_how_says_what_there_is() {
    let (status, complaint) = Program::example("line_echo", &[]).ends();
    assert!(!status.success());
    assert!(complaint.contains("iterative, threading, forking or evented"), "{complaint}");
    let arguments = ["evented", "tcp:127.0.0.1:0", "kqueue"];
    let (status, complaint) = Program::example("line_echo", &arguments).ends();
    assert!(!status.success());
    assert!(complaint.contains("unknown poller `kqueue`"), "{complaint}");
}

#[test]
fn client_of_nobody_says_so() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (status, complaint) = Program::example("line_echo_client", &[&format!("tcp:{closed}")]).ends();
    assert!(!status.success());
    assert!(complaint.contains("Connection refused"), "{complaint}");
}

#[test]
fn client_of_a_server_that_accepts_nobody_gives_up_after_its_timeout() {
    let listener = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&listener, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    // Room for one; whoever comes next is not answered.
    rustix::net::listen(&listener, 0).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&listener).unwrap()).unwrap();
    let _first = TcpStream::connect(address).unwrap();
    let (status, complaint) =
        Program::example("line_echo_client", &[&format!("tcp:{address}"), "0.05"]).ends();
    assert!(!status.success());
    assert!(complaint.contains("took too long"), "{complaint}");
}

#[test]
fn client_whose_server_closes_too_early_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp:{}", listener.local_addr().unwrap());
    let mut client = Program::example("line_echo_client", &[&endpoint]);
    drop(listener.accept().unwrap());
    let (status, complaint) = client.ends();
    assert!(!status.success());
    assert!(complaint.contains("the server has closed too early"), "{complaint}");
}
