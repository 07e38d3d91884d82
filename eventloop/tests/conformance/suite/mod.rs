//! The facts of the conformance suite, and what they have in common.
//!
//! A fact is a function that is handed a poller with nothing registered. `conformance!` makes a test of every fact for one
//! poller. No fact may know which poller it runs on, sleep in order to wait, or share anything with another one; it may ask
//! what the poller says of itself (what it can tell, how many descriptors it can watch), and then has to find it true.

pub(crate) mod conditions;
pub(crate) mod files;
pub(crate) mod many;
pub(crate) mod readiness;
pub(crate) mod time;
pub(crate) mod waker;

use std::{
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::Duration,
};

use eventloop::{Condition, Event, Events, Interest, Mask, Poller, Telling, Token};
use rustix::{
    io::fcntl_dupfd_cloexec,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// Far longer than anything here takes. A wait of that length that ends without an event is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A poller with a buffer, and the two questions that nearly every fact asks.
struct Watch {
    poller: Poller,
    events: Events,
}

impl Watch {
    fn new(poller: Poller) -> Self {
        Watch { poller, events: Events::with_capacity(64) }
    }

    fn register(&self, source: impl AsFd, token: Token, interest: Interest) {
        self.poller.register(source, token, interest).expect("the poller takes it");
    }

    fn modify(&self, source: impl AsFd, token: Token, interest: Interest) {
        self.poller.modify(source, token, interest).expect("the poller knows it");
    }

    /// What this poller adds to an event when this is so.
    fn if_reported(&self, condition: Condition, mask: Mask) -> Mask {
        if self.tells(condition) == Telling::Reported { mask } else { Mask::EMPTY }
    }

    fn tells(&self, condition: Condition) -> Telling {
        self.poller.kind().tells(condition)
    }

    /// The same socket under a number that nothing else in this program gets near, so that it means nothing when it was
    /// closed: the system gives the lowest number that is free, and facts run side by side. `nth` keeps apart those of
    /// facts that do so.
    fn under_high_number(&self, source: impl AsFd, nth: i32) -> OwnedFd {
        raise_descriptor_limit();
        let end = self.poller.kind().descriptors_max().map_or(4_000, u32::cast_signed);
        fcntl_dupfd_cloexec(source, end - HIGH_NUMBERS + nth).expect("a number that is free")
    }

    /// Everything that is ready at this moment.
    fn now(&mut self) -> Vec<Event> {
        self.poller.poll(&mut self.events, Some(Duration::ZERO)).expect("a poll does not fail");
        self.events.iter().collect()
    }

    /// The one event that is ready or will be.
    fn one(&mut self) -> Event {
        self.poller.poll(&mut self.events, Some(PATIENCE)).expect("a poll does not fail");
        let found: Vec<Event> = self.events.iter().collect();
        assert_eq!(found.len(), 1, "one event was awaited: {found:?}");
        found[0]
    }

    /// Waits until the one descriptor that is registered is in a state that fits; states on the way there may be
    /// reported first.
    fn until(&mut self, fits: impl Fn(Event) -> bool) -> Event {
        loop {
            let event = self.one();
            if fits(event) {
                return event;
            }
        }
    }
}

/// The event that a fact awaits.
const fn event(token: Token, mask: Mask) -> Event {
    Event { token, mask }
}

/// How many numbers below the end are kept free.
const HIGH_NUMBERS: i32 = 24;

/// Any hard limit from 4,096 will do.
fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("a soft limit may be raised");
}

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

macro_rules! conformance {
    ($kind:expr) => {
        conformance!($kind, readiness::{
            idle_socket_is_not_reported,
            bytes_are_readable_until_they_are_read,
            part_of_the_bytes_read_leaves_the_rest_readable,
            idle_socket_is_writable_at_once_and_again,
            full_send_buffer_is_not_writable_until_the_peer_reads,
            both_interests_are_one_event,
            only_what_was_asked_for_is_reported,
            listener_is_readable_when_a_connection_waits,
            half_closed_peer_is_readable_and_still_served,
            half_close_is_silent_without_interest_in_reading,
            attempt_to_connect_is_writable_when_it_is_over,
            bytes_sent_before_a_hangup_can_be_read,
            no_interest_keeps_the_registration,
            modify_changes_token_and_interest,
            unregistered_descriptor_is_silent_and_may_come_back,
            fetched_batch_outlives_unregister,
            registering_twice_is_refused,
            modifying_the_unknown_is_refused,
            unregistering_the_unknown_is_refused,
            shared_token_is_reported_for_each_descriptor,
            every_bit_of_a_token_comes_back,
            events_come_as_descriptor_and_mask_to_who_registers_so,
            number_that_is_no_descriptor_is_refused,
        });
        conformance!($kind, conditions::{
            urgent_byte_is_priority_until_it_is_read,
            urgent_byte_is_silent_unless_asked_for,
            reset_is_told_as_an_error_and_a_hangup,
            reset_is_told_to_who_waits_to_write,
            hangup_is_told_until_unregistered,
            hangup_is_told_without_interest_where_it_is_reported,
            descriptor_closed_while_registered_is_told_once_or_forgotten,
            closed_descriptors_hide_nobody,
        });
        conformance!($kind, files::{
            file_is_always_ready,
            file_does_not_hide_a_socket_nor_a_socket_a_file,
            file_without_interest_is_silent,
            files_take_turns_with_sockets,
            directory_and_null_device_are_always_ready,
            file_is_modified_and_unregistered_like_a_socket,
            file_closed_while_registered_is_told_once_or_forgotten,
        });
        conformance!($kind, waker::{
            wake_from_another_thread_ends_an_endless_poll,
            wake_before_the_poll_is_not_lost,
            reported_wake_is_not_reported_again,
            thousands_of_wakes_are_one_event,
            wake_after_a_report_is_reported,
            clone_keeps_the_waker_alive,
            last_clone_takes_the_registration_with_it,
            waker_outlives_its_poller,
            two_wakers_are_told_apart,
            waker_is_heard_among_busy_sockets,
            no_wake_is_lost_between_two_threads,
            wake_that_does_not_fit_is_told_by_the_next_poll,
            waker_that_is_dropped_leaves_its_number_to_others,
        });
        conformance!($kind, time::{
            timeout_is_never_cut_short,
            poll_into_its_timeout_empties_the_buffer,
            event_ends_the_wait_before_the_timeout,
            longest_timeout_is_accepted,
            interrupted_poll_waits_for_the_time_that_is_left,
        });
        conformance!($kind, many::{
            more_ready_descriptors_than_the_buffer_holds_are_all_reported,
            busy_descriptors_do_not_hide_a_new_one,
            buffer_of_no_capacity_holds_one_event,
            buffer_of_any_capacity_holds_what_is_ready,
            those_left_out_stay_first_when_others_are_unregistered,
            descriptor_beyond_the_end_is_refused_and_disturbs_nobody,
        });
    };
    ($kind:expr, $subject:ident::{$($fact:ident,)*}) => {
        mod $subject {
            $(#[test]
            fn $fact() {
                let poller = eventloop::Poller::of($kind).expect("the system has room for a poller");
                crate::suite::$subject::$fact(poller);
            })*
        }
    };
}
