//! The kernel's side of the contract: one suite, run over every poller.
//!
//! A fact of the suite is a function that is handed a poller with nothing registered. `conformance!` makes a test
//! of every fact for one poller; a new poller is one more line at the end of this file. No fact may know which
//! poller it runs on, sleep in order to wait, or share anything with another one.

mod many;
mod readiness;
mod time;
mod waker;

use std::{os::fd::AsFd, time::Duration};

use eventloop::{Event, Events, Interest, Mask, Poller, Token};

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

macro_rules! conformance {
    ($new:expr) => {
        conformance!($new, readiness::{
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
            reset_is_an_error_and_a_hangup,
            hangup_is_reported_without_interest_and_until_unregistered,
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
        });
        conformance!($new, waker::{
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
        });
        conformance!($new, time::{
            timeout_is_never_cut_short,
            poll_into_its_timeout_empties_the_buffer,
            event_ends_the_wait_before_the_timeout,
            longest_timeout_is_accepted,
            interrupted_poll_waits_for_the_time_that_is_left,
        });
        conformance!($new, many::{
            more_ready_descriptors_than_the_buffer_holds_are_all_reported,
            busy_descriptors_do_not_hide_a_new_one,
            buffer_of_no_capacity_holds_one_event,
        });
    };
    ($new:expr, $subject:ident::{$($fact:ident,)*}) => {
        mod $subject {
            $(#[test]
            fn $fact() {
                crate::$subject::$fact($new);
            })*
        }
    };
}

mod epoll {
    conformance!(eventloop::Poller::new().expect("the system has room for a poller"));
}
