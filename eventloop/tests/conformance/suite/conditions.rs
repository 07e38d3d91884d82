//! The six conditions, and that each poller tells of them as it says it does.
//!
//! What is readable and what is writable is the subject of `readiness`; here are the four others.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use eventloop::{Condition, Event, Events, Interest, Mask, Poller, Telling, Token};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::{Watch, event, pair, tcp_pair};

const TOKEN: Token = Token(7);

/// A connection that the other end has reset.
fn reset_pair() -> TcpStream {
    let (mut ours, theirs) = tcp_pair();
    // Closing a socket in which bytes wait unread resets the connection (RFC 2525 §2.17).
    ours.write_all(b"never read").unwrap();
    theirs.peek(&mut [0; 1]).unwrap();
    drop(theirs);
    ours
}

pub(crate) fn urgent_byte_is_priority_until_it_is_read(poller: Poller) {
    let (ours, theirs) = tcp_pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ | Interest::PRIORITY);
    send(&theirs, b"!", SendFlags::OOB).unwrap();
    assert_eq!(watch.tells(Condition::Priority), Telling::Reported);
    assert_eq!(watch.until(Event::priority), event(TOKEN, Mask::PRIORITY));
    let mut urgent = [0; 1];
    assert_eq!(recv(&ours, &mut urgent[..], RecvFlags::OOB).unwrap().0, 1);
    assert_eq!(&urgent, b"!");
    assert_eq!(watch.now(), []);
}

pub(crate) fn urgent_byte_is_silent_unless_asked_for(poller: Poller) {
    let (ours, mut theirs) = tcp_pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    send(&theirs, b"!", SendFlags::OOB).unwrap();
    theirs.write_all(b"calm").unwrap();
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE));
}

pub(crate) fn reset_is_told_as_an_error_and_a_hangup(poller: Poller) {
    let mut ours = reset_pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    let error = watch.if_reported(Condition::Error, Mask::ERROR);
    let hangup = watch.if_reported(Condition::Hangup, Mask::HANGUP);
    let awaited = event(TOKEN, Mask::READABLE | error | hangup);
    assert_eq!(watch.until(|event| event.mask.contains(awaited.mask)), awaited);
    assert_eq!(ours.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

pub(crate) fn reset_is_told_to_who_waits_to_write(poller: Poller) {
    let mut ours = reset_pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::WRITE);
    let error = watch.if_reported(Condition::Error, Mask::ERROR);
    watch.until(|event| event.mask.contains(Mask::WRITABLE | error));
    assert_eq!(ours.write(b"x").unwrap_err().kind(), ErrorKind::ConnectionReset);
}

pub(crate) fn hangup_is_told_until_unregistered(poller: Poller) {
    let (ours, theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    drop(theirs);
    let hangup = event(TOKEN, Mask::READABLE | watch.if_reported(Condition::Hangup, Mask::HANGUP));
    assert_eq!(watch.one(), hangup);
    assert_eq!(watch.now(), [hangup]);
    watch.poller.unregister(&ours).unwrap();
    assert_eq!(watch.now(), []);
}

pub(crate) fn hangup_is_told_without_interest_where_it_is_reported(poller: Poller) {
    let (ours, theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::NONE);
    drop(theirs);
    let hangup = event(TOKEN, Mask::HANGUP);
    let told = if watch.tells(Condition::Hangup) == Telling::Reported { vec![hangup] } else { Vec::new() };
    assert_eq!(watch.now(), told);
    assert_eq!(watch.now(), told);
}

pub(crate) fn descriptor_closed_while_registered_is_told_once_or_forgotten(poller: Poller) {
    let mut watch = Watch::new(poller);
    let (ours, mut theirs) = pair();
    let closed = watch.under_high_number(&ours, 0);
    drop(ours);
    watch.register(&closed, TOKEN, Interest::READ);
    theirs.write_all(b"hello").unwrap();
    drop(closed);
    match watch.tells(Condition::Invalid) {
        Telling::Reported => assert_eq!(watch.one(), event(TOKEN, Mask::INVALID)),
        told => assert_eq!(told, Telling::Refused),
    }
    assert_eq!(watch.now(), []);
    // The number is free again, also for the poller.
    let (ours, mut theirs) = pair();
    let again = watch.under_high_number(&ours, 0);
    watch.register(&again, Token(8), Interest::READ);
    theirs.write_all(b"hello").unwrap();
    assert_eq!(watch.now(), [event(Token(8), Mask::READABLE)]);
}

pub(crate) fn closed_descriptors_hide_nobody(poller: Poller) {
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(1);
    let (ours, mut theirs) = pair();
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.write_all(b"hello").unwrap();
    for nth in 1..=3 {
        let (closed, _) = pair();
        let closed = watch.under_high_number(&closed, nth);
        watch.register(&closed, Token(100), Interest::READ);
    }
    let told: Vec<Event> = (0..6).map(|_| watch.one()).collect();
    let invalid = told.iter().filter(|told| **told == event(Token(100), Mask::INVALID)).count();
    let expected = if watch.tells(Condition::Invalid) == Telling::Reported { 3 } else { 0 };
    assert_eq!(invalid, expected, "{told:?}");
    assert_eq!(told.iter().filter(|told| **told == event(TOKEN, Mask::READABLE)).count(), 6 - expected);
}
