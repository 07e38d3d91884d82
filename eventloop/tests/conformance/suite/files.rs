//! Regular files, directories and devices without readiness: always ready, under every poller.

use std::{fs::File, io::Write, time::Duration};

use eventloop::{Condition, Event, Events, Interest, Mask, Poller, Telling, Token};

use super::{Watch, event, pair};

const FILE: Token = Token(1);
const SOCKET: Token = Token(2);

fn file() -> File {
    File::open(std::env::current_exe().expect("this program is a file")).expect("it can be read")
}

pub(crate) fn file_is_always_ready(poller: Poller) {
    let file = file();
    let mut watch = Watch::new(poller);
    watch.register(&file, FILE, Interest::BOTH);
    assert_eq!(watch.now(), [event(FILE, Mask::READABLE | Mask::WRITABLE)]);
    watch.poller.poll(&mut watch.events, None).unwrap();
    assert_eq!(watch.events.len(), 1, "an endless poll ends at once");
}

pub(crate) fn file_does_not_hide_a_socket_nor_a_socket_a_file(poller: Poller) {
    let file = file();
    let (ours, mut theirs) = pair();
    let mut watch = Watch::new(poller);
    watch.register(&ours, SOCKET, Interest::READ);
    watch.register(&file, FILE, Interest::READ);
    let ready = event(FILE, Mask::READABLE);
    assert_eq!(watch.one(), ready, "the socket is silent");
    theirs.write_all(b"hello").unwrap();
    let mut both = watch.now();
    both.sort_unstable_by_key(|event| event.token);
    assert_eq!(both, [ready, event(SOCKET, Mask::READABLE)]);
}

pub(crate) fn file_without_interest_is_silent(poller: Poller) {
    let file = file();
    let mut watch = Watch::new(poller);
    watch.register(&file, FILE, Interest::NONE);
    assert_eq!(watch.now(), []);
    watch.poller.poll(&mut watch.events, Some(Duration::from_millis(1))).unwrap();
    assert!(watch.events.is_empty());
}

pub(crate) fn files_take_turns_with_sockets(poller: Poller) {
    let files = [file(), file()];
    let sockets = [pair(), pair(), pair()];
    let mut watch = Watch::new(poller);
    watch.events = Events::with_capacity(2);
    for (number, file) in (0..).zip(&files) {
        watch.register(file, Token(number), Interest::READ);
    }
    for (number, (ours, _)) in (2..).zip(&sockets) {
        watch.register(ours, Token(number), Interest::WRITE);
    }
    let mut turns = [0; 5];
    for _ in 0..10 {
        watch.now().iter().for_each(|event| turns[event.token.0 as usize] += 1);
    }
    assert_eq!(turns, [4; 5]);
}

pub(crate) fn directory_and_null_device_are_always_ready(poller: Poller) {
    let mut watch = Watch::new(poller);
    for path in ["/", "/dev/null"] {
        let opened = File::open(path).unwrap();
        watch.register(&opened, FILE, Interest::READ);
        assert_eq!(watch.now(), [event(FILE, Mask::READABLE)], "{path}");
        watch.poller.unregister(&opened).unwrap();
    }
}

pub(crate) fn file_is_modified_and_unregistered_like_a_socket(poller: Poller) {
    use std::io::ErrorKind::{AlreadyExists, NotFound};
    let file = file();
    let mut watch = Watch::new(poller);
    let error = |result: std::io::Result<()>| result.unwrap_err().kind();
    assert_eq!(error(watch.poller.modify(&file, FILE, Interest::READ)), NotFound);
    assert_eq!(error(watch.poller.unregister(&file)), NotFound);
    watch.register(&file, FILE, Interest::READ);
    assert_eq!(error(watch.poller.register(&file, FILE, Interest::READ)), AlreadyExists);
    watch.modify(&file, Token(8), Interest::WRITE);
    assert_eq!(watch.now(), [event(Token(8), Mask::WRITABLE)]);
    watch.poller.unregister(&file).unwrap();
    assert_eq!(watch.now(), []);
    watch.register(&file, FILE, Interest::READ);
    assert_eq!(watch.now(), [event(FILE, Mask::READABLE)]);
}

pub(crate) fn file_closed_while_registered_is_told_once_or_forgotten(poller: Poller) {
    let mut watch = Watch::new(poller);
    let (ours, _theirs) = pair();
    watch.register(&ours, SOCKET, Interest::WRITE);
    let closed = watch.under_high_number(file(), 4);
    watch.register(&closed, FILE, Interest::READ);
    drop(closed);
    let told: Vec<Event> = [watch.now(), watch.now()].concat();
    let about_the_file: Vec<_> = told.into_iter().filter(|event| event.token == FILE).collect();
    if watch.tells(Condition::Invalid) == Telling::Reported {
        assert_eq!(about_the_file, [event(FILE, Mask::INVALID)]);
    } else {
        assert_eq!(about_the_file, []);
    }
    assert_eq!(watch.now(), [event(SOCKET, Mask::WRITABLE)]);
}
