//! A storm: thousands of connections that come and go in every way there is, while a few members talk as if nothing were.

use crate::harness::{Client, Ears as _, Server, may_have_descriptors, reset};
use rustix::net::{AddressFamily, SocketType};
use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const CONNECTIONS: usize = 20_000;
/// A first storm, after which the memory is what it may be.
const WARM_UP: usize = 4_000;
const THREADS: usize = 3;
/// So many connections each thread has at a time.
const AT_A_TIME: usize = 100;
/// From so many addresses they come: one alone would run out of ports, because each port rests for a minute.
const SOURCES: usize = 64;
const HEARERS: usize = 4;

#[test]
fn twenty_thousand_connections_come_and_go_and_nobody_else_notices() {
    if !may_have_descriptors(1000) {
        println!("skipped: this process may not have 1,000 descriptors");
        return;
    }
    let server = Server::start();
    let mut ann = Client::join(&server, "ann");
    let mut hearers: Vec<_> =
        (0..HEARERS).map(|number| Client::join(&server, &format!("ear{number}"))).collect();
    ann.waits_for(&format!("[ear{}] entered room", HEARERS - 1));
    let descriptors = server.descriptors();

    storm(&server, WARM_UP, &ann, &mut hearers);
    server.closes_descriptors_down_to(descriptors, &mut ann);
    let memory_kib = server.resident_kib();

    let lines = storm(&server, CONNECTIONS, &ann, &mut hearers);
    server.closes_descriptors_down_to(descriptors, &mut ann);
    // What a storm leaves behind are the allocator's pages, the same after each. A quarter more than after the first, and
    // 2 MiB, are for chance; a leak of 500 bytes a connection would be more than twice that.
    let memory_kib_max = memory_kib + memory_kib / 4 + 2048;
    let memory_kib_after = server.resident_kib();
    println!("{lines} lines; {memory_kib} KiB before, {memory_kib_after} KiB after");
    assert!(memory_kib_after <= memory_kib_max, "{memory_kib_after} KiB after {memory_kib} KiB");
    assert!(lines >= CONNECTIONS / 200, "only {lines} lines were said and heard by all");
    ann.says("/who");
    ann.waits_for(&format!("-- #lobby has {}: ann, ear0", HEARERS + 1));
}

/// While so many connections come and go, ann says line after line, and everybody hears each before the next is said.
/// Returns how many lines.
fn storm(server: &Server, connections: usize, ann: &Client, hearers: &mut [Client]) -> usize {
    let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let address = server.address();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                come_and_go(address, connections, &begun);
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        let mut lines = 0;
        while ended.load(Ordering::Relaxed) < THREADS {
            ann.says(&format!("line {lines}"));
            for hearer in &mut *hearers {
                // Nothing of ann's is missing before it.
                assert_eq!(hearer.waits_for("<ann> "), format!("<ann> line {lines}"));
            }
            lines += 1;
        }
        lines
    })
}

fn come_and_go(address: SocketAddr, connections: usize, begun: &AtomicUsize) {
    let mut here = VecDeque::new();
    loop {
        let number = begun.fetch_add(1, Ordering::Relaxed);
        if number >= connections {
            return;
        }
        let stream = connect_from(number % SOURCES, address);
        match number % 7 {
            0 => drop(stream),
            1 => reset(stream),
            2 => here.push_back((Leaving::Closes, after(stream, b"half a li"))),
            3 => here.push_back((Leaving::Resets, after(stream, b"/nick some"))),
            4 => here.push_back((Leaving::Closes, after(stream, b"hello\n"))),
            5 => here.push_back((Leaving::Closes, after(stream, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))),
            _ => here.push_back((Leaving::Resets, stream)),
        }
        if here.len() > AT_A_TIME
            && let Some((leaving, stream)) = here.pop_front()
        {
            match leaving {
                Leaving::Closes => drop(stream),
                Leaving::Resets => reset(stream),
            }
        }
    }
}

enum Leaving {
    Closes,
    Resets,
}

/// The server may have refused it by then: what is sent need not arrive.
fn after(mut stream: TcpStream, bytes: &[u8]) -> TcpStream {
    let _ = stream.write_all(bytes);
    stream
}

fn connect_from(source: usize, address: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    let source = SocketAddr::from((Ipv4Addr::new(127, 0, 1, source as u8 + 1), 0));
    rustix::net::bind(&socket, &source).expect("a port is free");
    rustix::net::connect(&socket, &address).expect("the server accepts");
    TcpStream::from(socket)
}

#[test]
fn members_who_flood_keep_no_newcomer_out() {
    const FLOODING: usize = 4;
    let server = Server::start();
    let flooding: Vec<_> =
        (0..FLOODING).map(|number| Client::join(&server, &format!("flood{number}"))).collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in &flooding {
            let is_over = &is_over;
            scope.spawn(move || {
                let lines = "all and everything\n".repeat(1000);
                while !is_over.load(Ordering::Relaxed) {
                    client.sends(lines.as_bytes());
                }
            });
        }
        for number in 0..20 {
            // Somebody who has been let in, greeted, and answered.
            let mut newcomer = Client::listen(&server);
            newcomer.says(&format!("/nick newcomer{number}"));
            newcomer.waits_for(&format!("-- you are now newcomer{number}"));
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
