//! How conversations and servers end: timeouts, and shutting down while somebody is at work.

use crate::cells::{Cell, Setup};
use crate::places::{ask, payload, read_all, read_message};
use crate::runner::Verdict;
use crate::running::{Running, errors};
use crate::servant::{Note, POUR, SPOUT, poured};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socketserver::{Client, Ending};
use std::io::Write as _;
use std::time::Duration;

const DATAGRAM_IS_WHOLE: &str = "a datagram has arrived whole before its handler is called, and ends with it";
const GRACE: Duration = Duration::from_millis(100);
/// The grace, what handlers have beyond it to notice, and what a busy machine needs.
const STOP_TAKES_MAX: Duration = Duration::from_secs(5);
const GRACE_IS_OVER: &str = "the request failed: the server stops, and the grace is over";

pub(crate) fn silent_client_is_timed_out(cell: &Cell) -> Verdict {
    if cell.place.is_datagram() {
        return Verdict::DoesNotApply(DATAGRAM_IS_WHOLE);
    }
    let setup = Setup { request_timeout: Some(Duration::from_millis(30)), ..Setup::default() };
    let server = cell.start(setup);
    let mut client = server.connect();
    assert_eq!(ask(&mut client, b"hello").unwrap(), b"hello");
    assert_eq!(read_all(&mut client).expect("the end, because we say nothing"), b"");
    if cell.way.blocks() {
        server.await_note(&Note::Error("the request failed: the client took too long".to_owned()));
    } else {
        server.await_note(&Note::Closed(Ending::TimedOut));
    }
    server.assert_serves();
    server.stop_without_errors();
    Verdict::Passed
}

pub(crate) fn answer_is_completed_in_the_grace(cell: &Cell) -> Verdict {
    if cell.place.is_datagram() {
        return Verdict::DoesNotApply(DATAGRAM_IS_WHOLE);
    }
    let server = cell.start(Setup::default());
    let mut client = server.connect();
    client.write_all(POUR).unwrap();
    server.await_note(&Note::Pouring);
    server.shut_down();
    let received = read_all(&mut client).unwrap();
    let expected = poured();
    assert!(received == expected, "{} of {} bytes came", received.len(), expected.len());
    drop(client);
    assert_eq!(errors(server.await_end()), Vec::<String>::new());
    Verdict::Passed
}

pub(crate) fn endless_answer_is_cut_after_the_grace(cell: &Cell) -> Verdict {
    if cell.place.is_datagram() {
        return Verdict::DoesNotApply(DATAGRAM_IS_WHOLE);
    }
    let server = cell.start(Setup { grace: GRACE, ..Setup::default() });
    let mut client = server.connect();
    client.write_all(SPOUT).unwrap();
    server.await_note(&Note::Pouring);
    assert_is_cut(cell, server);
    Verdict::Passed
}

pub(crate) fn flooding_client_is_cut_after_the_grace(cell: &Cell) -> Verdict {
    if cell.place.is_datagram() {
        return Verdict::DoesNotApply(DATAGRAM_IS_WHOLE);
    }
    let server = cell.start(Setup { grace: GRACE, ..Setup::default() });
    let mut client = server.connect();
    assert_eq!(ask(&mut client, b"hello").unwrap(), b"hello");
    let flood = std::thread::spawn(move || flood(&client));
    let (took, notes) = server.time_stop();
    assert!(took < STOP_TAKES_MAX, "it took {took:?}");
    for error in errors(notes) {
        assert!(error.starts_with("the request failed"), "{error}");
    }
    flood.join().unwrap();
    Verdict::Passed
}

/// Sends and reads without a pause, so that neither side ever has to wait, until the server has ended the connection.
fn flood(client: &Client) {
    let (sent, mut received) = (payload(1024), vec![0; 64 * 1024]);
    loop {
        match rustix::net::send(client, &sent, SendFlags::NOSIGNAL) {
            Ok(_) | Err(Errno::AGAIN) => {}
            Err(_) => return,
        }
        match rustix::net::recv(client, &mut received[..], RecvFlags::empty()) {
            Ok((_, 1..)) | Err(Errno::AGAIN) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

pub(crate) fn idle_client_is_cut_after_the_grace(cell: &Cell) -> Verdict {
    if cell.place.is_datagram() {
        return Verdict::DoesNotApply(DATAGRAM_IS_WHOLE);
    }
    let server = cell.start(Setup { grace: GRACE, ..Setup::default() });
    let mut client = server.connect();
    assert_eq!(ask(&mut client, b"hello").unwrap(), b"hello");
    assert_is_cut(cell, server);
    assert_eq!(read_message(&mut client).expect("an orderly end"), b"");
    Verdict::Passed
}

fn assert_is_cut(cell: &Cell, server: Running) {
    let (took, notes) = server.time_stop();
    assert!(took < STOP_TAKES_MAX, "it took {took:?}");
    if cell.way.blocks() {
        assert!(took >= GRACE, "it had only {took:?}");
        assert_eq!(errors(notes), [GRACE_IS_OVER]);
    } else {
        assert!(notes.contains(&Note::Closed(Ending::Shutdown)), "{notes:?}");
        assert_eq!(errors(notes), Vec::<String>::new());
    }
}
