//! The servers that print what clients send.

use crate::harness::{GUARD, Program, nc_is_missing};
use rustix::net::{SendFlags, sockopt};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Starts a printing server.
fn start(name: &str) -> (Program, SocketAddr) {
    let mut server = Program::example(name, &["127.0.0.1:0"]);
    let address = server.address();
    (server, address)
}

/// Connects, and reads the greeting of the server that has one: a connection with something unread in it is reset when it is
/// closed, not ended.
fn connect(name: &str, server: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(server).unwrap();
    if name == "print_poll" {
        let mut greeting = [0; b"Thank you for connecting\n".len()];
        client.set_read_timeout(Some(GUARD)).unwrap();
        client.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"Thank you for connecting\n");
    }
    client
}

#[test]
fn what_a_client_types_is_printed_and_so_is_its_end() {
    if nc_is_missing() {
        return;
    }
    for name in ["print_blocking", "print_threads", "print_select", "print_poll"] {
        let (mut server, address) = start(name);
        for round in 0..2 {
            let mut client = Program::nc(&["-N"], address);
            client.says(&format!("line {round}"));
            let line = server.waits_for(&format!("line {round}"));
            assert!(line.contains("127.0.0.1:"), "{name}: {line}");
            client.ends_input();
            server.waits_for(": the end");
            client.ends_well();
        }
        assert_eq!(server.stops(), [""; 0], "{name}");
    }
}

#[test]
fn terminal_is_not_sent_what_it_would_obey() {
    for name in ["print_blocking", "print_threads", "print_select", "print_poll"] {
        let (mut server, address) = start(name);
        let mut client = connect(name, address);
        client.write_all(b"\x1b[31mred\x07 \xff\n").unwrap();
        let line = server.waits_for("[31mred");
        assert!(!line.chars().any(char::is_control), "{name}: {line:?}");
        drop(client);
        server.waits_for(": the end");
        server.stops();
    }
}

#[test]
fn second_client_of_the_blocking_server_is_heard_when_the_first_has_gone() {
    let (mut server, address) = start("print_blocking");
    let mut first = connect("print_blocking", address);
    first.write_all(b"one\n").unwrap();
    server.waits_for("one");
    let mut second = connect("print_blocking", address);
    second.write_all(b"two\n").unwrap();
    first.write_all(b"three\n").unwrap();
    assert!(server.next().unwrap().contains("three"));
    drop(first);
    assert!(server.next().unwrap().contains("the end"));
    assert!(server.next().unwrap().contains("two"));
    drop(second);
    server.waits_for("the end");
    server.stops();
}

#[test]
fn second_client_of_the_others_is_heard_at_once() {
    for name in ["print_threads", "print_select", "print_poll"] {
        let (mut server, address) = start(name);
        let mut first = connect(name, address);
        let mut second = connect(name, address);
        second.write_all(b"two\n").unwrap();
        server.waits_for("two");
        first.write_all(b"one\n").unwrap();
        server.waits_for("one");
        second.write_all(b"three\n").unwrap();
        server.waits_for("three");
        drop((first, second));
        server.waits_for("the end");
        server.waits_for("the end");
        server.stops();
    }
}

#[test]
fn threads_count_the_lines_of_all() {
    let (mut server, address) = start("print_threads");
    for number in 1..=3 {
        let mut client = connect("print_threads", address);
        client.write_all(b"line\n").unwrap();
        assert!(server.waits_for("\"line\"").starts_with(&format!("{number} ")));
        drop(client);
        server.waits_for("the end");
    }
    server.stops();
}

#[test]
fn line_that_comes_in_pieces_is_printed_whole() {
    for name in ["print_blocking", "print_threads", "print_select"] {
        let (mut server, address) = start(name);
        let mut client = connect(name, address);
        client.set_nodelay(true).unwrap();
        // Each byte a segment, an umlaut among them.
        for byte in "grüße\nund mehr\n".bytes() {
            client.write_all(&[byte]).unwrap();
        }
        assert!(server.next().unwrap().ends_with("\"grüße\""), "{name}");
        assert!(server.next().unwrap().ends_with("\"und mehr\""), "{name}");
        drop(client);
        server.waits_for("the end");
        server.stops();
    }
}

#[test]
fn urgent_byte_is_told_apart() {
    let (mut server, address) = start("print_poll");
    let mut client = connect("print_poll", address);
    client.write_all(b"calm").unwrap();
    server.waits_for("calm");
    assert_eq!(rustix::net::send(&client, b"!", SendFlags::OOB).unwrap(), 1);
    server.waits_for("urgent: !");
    client.write_all(b"calm again").unwrap();
    server.waits_for("calm again");
    drop(client);
    server.waits_for("the end");
    server.stops();
}

#[test]
fn client_that_resets_its_connection_costs_nobody_else_anything() {
    for name in ["print_threads", "print_select", "print_poll"] {
        let (mut server, address) = start(name);
        let mut steady = connect(name, address);
        steady.write_all(b"before\n").unwrap();
        server.waits_for("before");
        let mut rude = connect(name, address);
        rude.write_all(b"rude\n").unwrap();
        server.waits_for("rude");
        sockopt::set_socket_linger(&rude, Some(Duration::ZERO)).unwrap();
        drop(rude);
        steady.write_all(b"after\n").unwrap();
        server.waits_for("after");
        drop(steady);
        server.waits_for("the end");
        server.is_told_to_stop();
        assert_eq!(server.ends().0.code(), Some(0), "{name}");
    }
}
