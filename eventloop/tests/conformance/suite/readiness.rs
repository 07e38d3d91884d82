//! What each state of a socket looks like to a poller.
//!
//! Local socket pairs where the fact is about the poller, because what one end does is at once seen at the other; TCP
//! where the fact is about TCP.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::{fd::AsRawFd, unix::net::UnixStream},
};

use eventloop::{Condition, Event, Interest, Mask, Poller, Token};
use rustix::{
    io::{Errno, ioctl_fionbio},
    net::{AddressFamily, SocketType, connect, socket, sockopt},
};

use super::{Watch, event, pair, tcp_pair};

const TOKEN: Token = Token(7);

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

pub(crate) fn attempt_to_connect_is_writable_when_it_is_over(poller: Poller) {
    let mut watch = Watch::new(poller);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connecting = || {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        ioctl_fionbio(&socket, true).unwrap();
        assert!(matches!(connect(&socket, &address), Ok(()) | Err(Errno::INPROGRESS)));
        socket
    };
    let good = connecting();
    watch.register(&good, TOKEN, Interest::WRITE);
    assert_eq!(watch.one(), event(TOKEN, Mask::WRITABLE));
    assert_eq!(sockopt::socket_error(&good).unwrap(), Ok(()));
    watch.poller.unregister(&good).unwrap();

    drop(listener);
    let ill = connecting();
    watch.register(&ill, TOKEN, Interest::WRITE);
    assert!(watch.until(Event::writable).writable());
    assert_eq!(sockopt::socket_error(&ill).unwrap(), Err(Errno::CONNREFUSED));
}

pub(crate) fn bytes_sent_before_a_hangup_can_be_read(poller: Poller) {
    let (mut ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, TOKEN, Interest::READ);
    theirs.write_all(b"last words").unwrap();
    drop(theirs);
    let hangup = watch.if_reported(Condition::Hangup, Mask::HANGUP);
    assert_eq!(watch.one(), event(TOKEN, Mask::READABLE | hangup));
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

pub(crate) fn events_come_as_descriptor_and_mask_to_who_registers_so(poller: Poller) {
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, Token::of(&ours), Interest::READ);
    watch.register(&theirs, Token::of(&theirs), Interest::WRITE);
    theirs.write_all(b"hello").unwrap();
    watch.now();
    let mut found: Vec<_> = watch.events.descriptors().collect();
    found.sort_unstable_by_key(|(descriptor, _)| *descriptor);
    let mut expected = [(ours.as_raw_fd(), Mask::READABLE), (theirs.as_raw_fd(), Mask::WRITABLE)];
    expected.sort_unstable_by_key(|(descriptor, _)| *descriptor);
    assert_eq!(found, expected);
}

pub(crate) fn number_that_is_no_descriptor_is_refused(poller: Poller) {
    // Paths are looked up below it; it is a number that the system understands only there.
    let nothing = rustix::fs::CWD;
    let refused = Watch::new(poller).poller.register(nothing, TOKEN, Interest::READ).unwrap_err();
    assert_eq!(Errno::from_io_error(&refused), Some(Errno::BADF));
}
