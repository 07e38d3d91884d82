//! The sockets, against listeners on loopback.

use super::*;
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

const GUARD: Duration = Duration::from_secs(20);

fn net(listener: &TcpListener, waiting_max: usize) -> (Net<Posted>, Receiver<Posted>) {
    let (posts, events) = sync_channel(waiting_max);
    let address = listener.local_addr().unwrap();
    (Net::new(address.ip().to_string(), address.port(), posts), events)
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn next(net: &Net<Posted>, events: &Receiver<Posted>) -> NetEvent {
    loop {
        let posted = events.recv_timeout(GUARD).expect("something happens");
        if let Some(event) = net.news(posted) {
            return event;
        }
    }
}

#[test]
fn what_is_sent_arrives_and_what_comes_is_told_until_the_end() {
    let listener = listener();
    let (mut net, events) = net(&listener, 8);
    net.connect();
    let (mut peer, _) = listener.accept().unwrap();
    assert_eq!(next(&net, &events), NetEvent::Connected);
    net.send(b"hello".to_vec());
    let mut bytes = [0; 5];
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    peer.write_all(b"welcome").unwrap();
    drop(peer);
    let mut heard = Vec::new();
    loop {
        match next(&net, &events) {
            NetEvent::Received(bytes) => heard.extend(bytes),
            NetEvent::Disconnected(failure) => break assert_eq!(failure, Failure::Closed),
            NetEvent::Connected => panic!("once is enough"),
        }
    }
    assert_eq!(heard, b"welcome");
}

#[test]
fn what_was_handed_over_is_written_before_it_is_closed() {
    let listener = listener();
    let (mut net, events) = net(&listener, 8);
    net.connect();
    let (mut peer, _) = listener.accept().unwrap();
    assert_eq!(next(&net, &events), NetEvent::Connected);
    let words = vec![b'x'; 4 * 1024 * 1024];
    net.send(words.clone());
    let reader = thread::spawn(move || {
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).map(|_| heard)
    });
    drop(net);
    assert_eq!(reader.join().unwrap().unwrap().len(), words.len());
}

#[test]
fn nobody_waits_for_a_server_that_reads_nothing() {
    let listener = listener();
    let (mut net, events) = net(&listener, 8);
    net.connect();
    let (_peer, _) = listener.accept().unwrap();
    assert_eq!(next(&net, &events), NetEvent::Connected);
    for _ in 0..100 {
        net.send(vec![b'x'; 1024 * 1024]);
    }
    // More than may wait: the connection is given up.
    assert_eq!(next(&net, &events), NetEvent::Disconnected(Failure::Closed));
}

#[test]
fn older_connection_is_never_heard_behind_a_newer_one() {
    let listener = listener();
    let (mut net, events) = net(&listener, 1);
    net.connect();
    let (mut old, _) = listener.accept().unwrap();
    assert_eq!(next(&net, &events), NetEvent::Connected);
    // Its reader waits with the next piece in its hands, because nobody takes the first.
    old.write_all(&vec![b'o'; 1024 * 1024]).unwrap();
    net.connect();
    let (mut new, _) = listener.accept().unwrap();
    new.write_all(b"new").unwrap();
    assert_eq!(next(&net, &events), NetEvent::Connected);
    assert_eq!(next(&net, &events), NetEvent::Received(b"new".to_vec()));
}

#[test]
fn channel_that_nobody_empties_keeps_the_server_from_sending() {
    let listener = listener();
    let (mut net, events) = net(&listener, 2);
    net.connect();
    let (mut peer, _) = listener.accept().unwrap();
    peer.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let piece = vec![b'x'; 1024 * 1024];
    let is_full = (0..200).any(|_| peer.write_all(&piece).is_err());
    assert!(is_full, "200 MiB went somewhere");
    drop(events);
    drop(net);
}

#[test]
fn what_goes_wrong_has_a_name() {
    let refusing = listener().local_addr().unwrap();
    let (posts, events) = sync_channel(1);
    let mut net: Net<Posted> = Net::new("127.0.0.1".to_owned(), refusing.port(), posts.clone());
    net.connect();
    assert_eq!(next(&net, &events), NetEvent::Disconnected(Failure::Refused));
    let mut net: Net<Posted> = Net::new("no.such.host.invalid".to_owned(), 1, posts);
    net.connect();
    assert_eq!(next(&net, &events), NetEvent::Disconnected(Failure::NotFound));
}
