//! What each state of a socket looks like to a poller.
//!
//! Local socket pairs where the fact is about the poller, because what one end does is at once seen at the other; TCP
//! where the fact is about TCP.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
};

use eventloop::{Event, Interest, Mask, Poller, Token};

use crate::{Watch, event};

const TOKEN: Token = Token(7);

fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    for end in [&ours, &theirs] {
        end.set_nonblocking(true).expect("non-blocking");
    }
    (ours, theirs)
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (ours, _) = listener.accept().expect("the other end");
    (ours, theirs)
}

/// Writes until the kernel takes no more, and says how much it took.
fn fill(mut stream: &UnixStream) -> usize {
    let mut taken = 0;
    loop {
        match stream.write(&[b'x'; 4096]) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return taken,
            Err(error) => panic!("filling failed: {error}"),
        }
    }
}

/// Reads until nothing is left, and says how much there was.
fn drain(mut stream: &UnixStream) -> usize {
    let mut read = 0;
    loop {
        match stream.read(&mut [0; 4096]) {
            Ok(count) => read += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return read,
            Err(error) => panic!("draining failed: {error}"),
        }
    }
}

pub(crate) fn idle_socket_is_not_reported(poller: Poller) {
    let (ours, _theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    assert_eq!(watch.now(), []);
}

pub(crate) fn bytes_are_readable_until_they_are_read(poller: Poller) {
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.write_all(b"hello").unwrap();
    let readable = event(TOKEN, Mask::READABLE);
    assert_eq!(watch.one(), readable);
    assert_eq!(watch.now(), [readable], "the level is reported, not the change");
    assert_eq!(drain(&ours), 5);
    assert_eq!(watch.now(), []);
}

pub(crate) fn part_of_the_bytes_read_leaves_the_rest_readable(poller: Poller) {
    let (mut ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.write_all(b"hello").unwrap();
    assert!(watch.one().readable());
    ours.read_exact(&mut [0; 4]).unwrap();
    assert!(watch.one().readable());
    ours.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(watch.now(), []);
}

pub(crate) fn idle_socket_is_writable_at_once_and_again(poller: Poller) {
    let (ours, _theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::WRITE);
    let writable = event(TOKEN, Mask::WRITABLE);
    assert_eq!(watch.now(), [writable]);
    assert_eq!(watch.now(), [writable]);
}

pub(crate) fn full_send_buffer_is_not_writable_until_the_peer_reads(poller: Poller) {
    let (ours, theirs) = pair();
    let mut watch = Watch::new(poller);
    let filled = fill(&ours);
    watch.register(&ours, TOKEN, Interest::WRITE);
    assert_eq!(watch.now(), []);
    assert_eq!(drain(&theirs), filled);
    assert_eq!(watch.one(), event(TOKEN, Mask::WRITABLE));
}

pub(crate) fn both_interests_are_one_event(poller: Poller) {
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::BOTH);
    theirs.write_all(b"hello").unwrap();
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE | Mask::WRITABLE));
}

pub(crate) fn only_what_was_asked_for_is_reported(poller: Poller) {
    let (ours, mut theirs) = pair();
    theirs.write_all(b"hello").unwrap();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE));
    watch.modify(&ours, TOKEN, Interest::WRITE);
    assert_eq!(watch.one(), event(TOKEN, Mask::WRITABLE));
}

pub(crate) fn listener_is_readable_when_a_connection_waits(poller: Poller) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut watch = Watch::new(poller);
    watch.register(&listener, TOKEN, Interest::READ);
    assert_eq!(watch.now(), []);
    let _theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE));
    listener.accept().unwrap();
    assert_eq!(watch.now(), []);
}

pub(crate) fn half_closed_peer_is_readable_and_still_served(poller: Poller) {
    let (mut ours, mut theirs) = tcp_pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.shutdown(Shutdown::Write).unwrap();
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE), "no hangup and no error");
    assert_eq!(ours.read(&mut [0; 8]).unwrap(), 0);

    watch.modify(&ours, TOKEN, Interest::WRITE);
    assert_eq!(watch.one(), event(TOKEN, Mask::WRITABLE));
    ours.write_all(b"bye").unwrap();
    drop(ours);
    let mut heard = String::new();
    theirs.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "bye");
}

pub(crate) fn half_close_is_silent_without_interest_in_reading(poller: Poller) {
    let (ours, theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::NONE);
    theirs.shutdown(Shutdown::Write).unwrap();
    assert_eq!(watch.now(), []);
    watch.modify(&ours, TOKEN, Interest::READ);
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE));
}

pub(crate) fn reset_is_an_error_and_a_hangup(poller: Poller) {
    let (mut ours, theirs) = tcp_pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    // Closing a socket in which bytes wait unread resets the connection (RFC 2525 §2.17).
    ours.write_all(b"never read").unwrap();
    theirs.peek(&mut [0; 1]).unwrap();
    drop(theirs);
    let event = watch.until(Event::error);
    assert!(event.hangup(), "a reset ends both directions: {event:?}");
    assert!(event.readable(), "whoever reads must be told to: {event:?}");
    assert_eq!(ours.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

pub(crate) fn hangup_is_reported_without_interest_and_until_unregistered(poller: Poller) {
    let (ours, theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::NONE);
    drop(theirs);
    let hangup = event(TOKEN, Mask::HANGUP);
    assert_eq!(watch.one(), hangup);
    assert_eq!(watch.now(), [hangup]);
    watch.poller.unregister(&ours).unwrap();
    assert_eq!(watch.now(), []);
}

pub(crate) fn bytes_sent_before_a_hangup_can_be_read(poller: Poller) {
    let (mut ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.write_all(b"last words").unwrap();
    drop(theirs);
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE | Mask::HANGUP));
    let mut heard = String::new();
    ours.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "last words");
}

pub(crate) fn no_interest_keeps_the_registration(poller: Poller) {
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    watch.modify(&ours, TOKEN, Interest::NONE);
    theirs.write_all(b"hello").unwrap();
    assert_eq!(watch.now(), []);
    watch.modify(&ours, TOKEN, Interest::READ);
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE));
}

pub(crate) fn modify_changes_token_and_interest(poller: Poller) {
    let (ours, _theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, Token(1), Interest::READ);
    watch.modify(&ours, Token(2), Interest::WRITE);
    assert_eq!(watch.one(), event(Token(2), Mask::WRITABLE));
}

pub(crate) fn unregistered_descriptor_is_silent_and_may_come_back(poller: Poller) {
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.write_all(b"hello").unwrap();
    assert!(watch.one().readable());
    watch.poller.unregister(&ours).unwrap();
    assert_eq!(watch.now(), []);
    watch.register(&ours, Token(8), Interest::READ);
    assert_eq!(watch.one(), event(Token(8), Mask::READABLE));
}

pub(crate) fn fetched_batch_outlives_unregister(poller: Poller) {
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.write_all(b"hello").unwrap();
    assert!(watch.one().readable());
    watch.poller.unregister(&ours).unwrap();
    assert_eq!(watch.events.iter().map(|event| event.token).collect::<Vec<_>>(), [TOKEN]);
}

pub(crate) fn registering_twice_is_refused(poller: Poller) {
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    let refused = watch.poller.register(&ours, Token(8), Interest::WRITE).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    theirs.write_all(b"hello").unwrap();
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE), "the first registration stands");
}

pub(crate) fn modifying_the_unknown_is_refused(poller: Poller) {
    let (ours, _theirs) = pair();
    let watch = Watch::new(poller);
    let refused = watch.poller.modify(&ours, TOKEN, Interest::READ).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}

pub(crate) fn unregistering_the_unknown_is_refused(poller: Poller) {
    let (ours, _theirs) = pair();
    let watch = Watch::new(poller);
    let refused = watch.poller.unregister(&ours).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}

pub(crate) fn shared_token_is_reported_for_each_descriptor(poller: Poller) {
    let (ours, theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::WRITE);
    watch.register(&theirs, TOKEN, Interest::WRITE);
    assert_eq!(watch.now(), [event(TOKEN, Mask::WRITABLE); 2]);
}

pub(crate) fn every_bit_of_a_token_comes_back(poller: Poller) {
    let (ours, theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, Token(u64::MAX), Interest::WRITE);
    watch.register(&theirs, Token(0), Interest::WRITE);
    let mut tokens: Vec<Token> = watch.now().iter().map(|event| event.token).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [Token(0), Token(u64::MAX)]);
}
