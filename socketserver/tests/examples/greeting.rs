//! The server that thanks, and the client that is thanked.

use crate::harness::{GUARD, Program, nc_is_missing};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn greeter_thanks_each_client_and_closes() {
    if nc_is_missing() {
        return;
    }
    let mut greeter = Program::example("greeter", &["127.0.0.1:0"]);
    let address = greeter.address();
    for _ in 0..3 {
        // `-d`: it only listens. With an input it would wait for its end, too.
        let mut client = Program::nc(&["-d"], address);
        assert_eq!(client.ends_well(), ["Thank you for connecting"]);
        greeter.waits_for("has connected");
    }
    assert_eq!(greeter.stops(), [""; 0]);
}

#[test]
fn address_in_use_is_told_in_words() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, complaint) = Program::example("greeter", &[&address]).ends();
    assert!(!status.success());
    assert_eq!(complaint, format!("Error: tcp:{address} is in use: another program listens there"));
}

#[test]
fn greeted_client_of_a_server_that_closes_at_once_ends() {
    let mut greeter = Program::example("greeter", &["127.0.0.1:0"]);
    let mut client = Program::example("greeted", &[&greeter.address().to_string()]);
    assert_eq!(client.ends_well(), ["Thank you for connecting", "the server has closed the connection"]);
    greeter.stops();
}

#[test]
fn greeted_client_says_hello_at_each_interval_after_the_greeting() {
    const INTERVAL: Duration = Duration::from_millis(40);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut client = Program::example("greeted", &[&address, "0.04"]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();

    let greeted_at = Instant::now();
    stream.write_all(b"Welcome\n").unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    for count in 1..=3 {
        assert_eq!(lines.next().unwrap().unwrap(), "hello");
        assert!(greeted_at.elapsed() >= INTERVAL * count, "{count} after {:?}", greeted_at.elapsed());
    }
    client.hears("Welcome");
    stream.write_all(b"and so on\n").unwrap();
    client.hears("and so on");
    // It may be about to say the next one, which must not be answered by a reset before it has read the end.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    client.hears("the server has closed the connection");
    client.ends_well();
}

#[test]
fn greeted_client_ends_when_its_server_is_stopped() {
    let mut server = Program::example("print_poll", &["127.0.0.1:0"]);
    let mut client = Program::example("greeted", &[&server.address().to_string(), "0.01"]);
    client.hears("Thank you for connecting");
    server.waits_for("hello\\n");
    server.waits_for("hello\\n");
    server.stops();
    assert_eq!(client.ends_well(), ["the server has closed the connection"]);
}
