//! The pollers against a naive model, and so against each other: whatever is registered, changed, unregistered, filled,
//! drained and hung up, and in whatever order, all of them tell what the model says, up to what each can tell.
//!
//! A program of its own: the descriptors stay few, so that `select` can watch them all.

use std::{
    fs::File,
    io::{Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::Duration,
};

use eventloop::{Condition, Event, Events, Interest, Mask, Poller, PollerKind, Telling, Token, Waker};
use proptest::prelude::*;

const SOURCES: usize = 6;
/// More than there are sources and bells, so that a batch holds everything.
const PLENTY: usize = 2 * SOURCES;
const BELL: Token = Token(1_000);

#[derive(Clone, Debug)]
enum Step {
    Register(usize, Token, Interest),
    Modify(usize, Token, Interest),
    Unregister(usize),
    Send(usize),
    Drain(usize),
    HangUp(usize),
    Reset(usize),
    Ring,
    /// Everybody who is ready has a turn, in batches of this size.
    Turns(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let source = || 0..SOURCES;
    let token = || (0..4_u64).prop_map(Token);
    let interest = || {
        let words = [Interest::READ, Interest::WRITE, Interest::PRIORITY];
        proptest::collection::vec(any::<bool>(), words.len()).prop_map(move |asked| {
            let asked = words.into_iter().zip(asked).filter(|(_, is_asked)| *is_asked);
            asked.fold(Interest::NONE, |interest, (word, _)| interest | word)
        })
    };
    let step = prop_oneof![
        4 => (source(), token(), interest()).prop_map(|(nth, token, interest)| Step::Register(nth, token, interest)),
        3 => (source(), token(), interest()).prop_map(|(nth, token, interest)| Step::Modify(nth, token, interest)),
        2 => source().prop_map(Step::Unregister),
        3 => source().prop_map(Step::Send),
        2 => source().prop_map(Step::Drain),
        1 => source().prop_map(Step::HangUp),
        1 => source().prop_map(Step::Reset),
        1 => Just(Step::Ring),
        2 => (1..4_usize).prop_map(Step::Turns),
    ];
    proptest::collection::vec(step, 1..60)
}

/// Something to watch, and what is so about it.
struct Source {
    kind: Kind,
    registered: Option<(Token, Interest)>,
    readable: bool,
    error: bool,
    hangup: bool,
}

enum Kind {
    File(File),
    Socket { ours: UnixStream, theirs: Option<UnixStream> },
}

impl Source {
    /// The first is a regular file, the others are sockets.
    fn new(nth: usize) -> Source {
        let kind = if nth == 0 {
            Kind::File(File::open(std::env::current_exe().unwrap()).unwrap())
        } else {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            Kind::Socket { ours, theirs: Some(theirs) }
        };
        Source { kind, registered: None, readable: nth == 0, error: false, hangup: false }
    }

    fn send(&mut self) {
        if let Kind::Socket { theirs: Some(theirs), .. } = &mut self.kind {
            theirs.write_all(b"x").unwrap();
            self.readable = true;
        }
    }

    fn drain(&mut self) {
        if let Kind::Socket { ours, theirs } = &mut self.kind {
            let mut buffer = [0; 64];
            while ours.read(&mut buffer).is_ok_and(|count| count > 0) {}
            // The reads have taken the bytes and, if there was one, the error. The end stays.
            (self.error, self.readable) = (false, theirs.is_none());
        }
    }

    fn hang_up(&mut self) {
        if let Kind::Socket { theirs, .. } = &mut self.kind
            && theirs.take().is_some()
        {
            (self.readable, self.hangup) = (true, true);
        }
    }

    /// The other end goes, with bytes unread.
    fn reset(&mut self) {
        if let Kind::Socket { ours, theirs: Some(_) } = &mut self.kind {
            ours.write_all(b"x").unwrap();
            self.error = true;
            self.hang_up();
        }
    }

    /// What a poller of this kind tells of it.
    fn event(&self, kind: PollerKind) -> Option<Event> {
        let (token, interest) = self.registered?;
        let reported = |condition| kind.tells(condition) == Telling::Reported;
        let words = [
            (self.readable && interest.reads(), Mask::READABLE),
            // Nobody fills the buffers.
            (interest.writes(), Mask::WRITABLE),
            (self.error && reported(Condition::Error), Mask::ERROR),
            (self.hangup && reported(Condition::Hangup), Mask::HANGUP),
        ];
        let mask = words.iter().filter(|(is_so, _)| *is_so).fold(Mask::EMPTY, |mask, (_, word)| mask | *word);
        (!mask.is_empty()).then_some(Event { token, mask })
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::File(file) => file.as_fd(),
            Kind::Socket { ours, .. } => ours.as_fd(),
        }
    }
}

/// A poller, and what it was found to say.
struct Watch {
    poller: Poller,
    waker: Waker,
    has_rung: bool,
}

impl Watch {
    fn new(kind: PollerKind) -> Watch {
        let poller = Poller::of(kind).expect("the system has it");
        let waker = Waker::new(&poller, BELL).expect("the system has room for a waker");
        Watch { poller, waker, has_rung: false }
    }

    fn poll(&self, capacity: usize) -> Vec<Event> {
        let mut events = Events::with_capacity(capacity);
        self.poller.poll(&mut events, Some(Duration::ZERO)).expect("a poll does not fail");
        events.iter().collect()
    }

    /// Everything that is to be told now.
    fn awaited(&mut self, sources: &[Source]) -> Vec<Event> {
        let rung = std::mem::take(&mut self.has_rung).then_some(Event { token: BELL, mask: Mask::READABLE });
        let kind = self.poller.kind();
        sorted(sources.iter().filter_map(|source| source.event(kind)).chain(rung).collect())
    }

    /// What the call has to answer, given what is registered.
    fn change(&self, source: &Source, step: &Step) {
        let result = match step {
            Step::Register(_, token, interest) => self.poller.register(source, *token, *interest),
            Step::Modify(_, token, interest) => self.poller.modify(source, *token, *interest),
            _ => self.poller.unregister(source),
        };
        let may_be = source.registered.is_none() == matches!(step, Step::Register(..));
        assert_eq!(result.is_ok(), may_be, "{}: {step:?}: {result:?}", self.poller.kind());
    }

    fn has_turns(&mut self, sources: &[Source], capacity: usize) {
        let mut awaited = self.awaited(sources);
        let mut told = Vec::new();
        for _ in 0..awaited.len().div_ceil(capacity) {
            told.extend(self.poll(capacity));
        }
        // The last batch may have begun a second round. It holds the first round's rest, and that is what counts.
        assert!(told.len() >= awaited.len() || awaited.contains(&BELL_RUNG), "{told:?}");
        awaited.retain(|event| {
            let found = told.iter().position(|told| told == event);
            found.map(|nth| told.swap_remove(nth)).is_none()
        });
        assert_eq!(awaited, [], "{} left them out", self.poller.kind());
    }
}

const BELL_RUNG: Event = Event { token: BELL, mask: Mask::READABLE };

fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|event| (event.token, event.mask.to_string()));
    events
}

fn apply(step: &Step, sources: &mut [Source], watches: &mut [Watch]) {
    match step {
        Step::Register(nth, token, interest) => {
            for watch in watches.iter() {
                watch.change(&sources[*nth], step);
            }
            sources[*nth].registered.get_or_insert((*token, *interest));
        }
        Step::Modify(nth, token, interest) => {
            for watch in watches.iter() {
                watch.change(&sources[*nth], step);
            }
            sources[*nth].registered = sources[*nth].registered.map(|_| (*token, *interest));
        }
        Step::Unregister(nth) => {
            for watch in watches.iter() {
                watch.change(&sources[*nth], step);
            }
            sources[*nth].registered = None;
        }
        Step::Send(nth) => sources[*nth].send(),
        Step::Drain(nth) => sources[*nth].drain(),
        Step::HangUp(nth) => sources[*nth].hang_up(),
        Step::Reset(nth) => sources[*nth].reset(),
        Step::Ring => watches.iter_mut().for_each(|watch| {
            watch.waker.wake();
            watch.has_rung = true;
        }),
        Step::Turns(capacity) => watches.iter_mut().for_each(|watch| watch.has_turns(sources, *capacity)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_poller_tells_what_the_model_says(steps in steps()) {
        let kinds = PollerKind::ALL.into_iter();
        let kinds = kinds.filter(|kind| *kind != PollerKind::Epoll || cfg!(target_os = "linux"));
        let mut watches: Vec<Watch> = kinds.map(Watch::new).collect();
        let mut sources: Vec<Source> = (0..SOURCES).map(Source::new).collect();
        for step in &steps {
            apply(step, &mut sources, &mut watches);
            for watch in &mut watches {
                let awaited = watch.awaited(&sources);
                prop_assert_eq!(sorted(watch.poll(PLENTY)), awaited, "{}, after {:?}", watch.poller.kind(), step);
            }
        }
    }
}
