//! Cases that need a process each: forking, which wants a process with a single thread; signals, which are the whole process's;
//! and leaks, which are counted in it.
//!
//! Without arguments the program runs itself once for each case, some at a time. `cargo test -p socketserver --test forking WORD …` runs
//! those whose names contain one of the words. A case fails by panicking, and whatever it was about, its process must end with one
//! thread, no child, and the descriptors that it began with.

#[path = "../shared/cells.rs"]
mod cells;
mod children;
mod helpers;
mod leaks;
mod own;
#[path = "../shared/places.rs"]
mod places;
mod runner;
#[path = "../shared/servant.rs"]
mod servant;
mod signals;

use runner::Case;
use std::process::ExitCode;

/// All of them.
const CASES: [Case; 38] = [
    ("forked_echo_over_every_transport", children::forked_echo_over_every_transport),
    ("forked_answer_to_an_empty_datagram_is_empty", children::forked_answer_to_an_empty_datagram_is_empty),
    ("silent_client_of_a_child_is_timed_out", children::silent_client_of_a_child_is_timed_out),
    ("panics_and_errors_reach_the_parent", children::panics_and_errors_reach_the_parent),
    ("no_report_is_lost_in_a_crowd", children::no_report_is_lost_in_a_crowd),
    ("killed_child_is_told_of", children::killed_child_is_told_of),
    ("exit_status_of_a_child_is_told", children::exit_status_of_a_child_is_told),
    ("bound_on_children_is_kept", children::bound_on_children_is_kept),
    ("busy_child_is_waited_for", children::busy_child_is_waited_for),
    ("blocked_child_is_cut_after_the_grace", children::blocked_child_is_cut_after_the_grace),
    ("stubborn_child_is_killed_after_the_grace", children::stubborn_child_is_killed_after_the_grace),
    ("second_thread_is_refused_at_the_start", children::second_thread_is_refused_at_the_start),
    ("thread_that_was_joined_does_not_count", children::thread_that_was_joined_does_not_count),
    ("second_thread_is_refused_later", children::second_thread_is_refused_later),
    ("signal_to_a_child_stops_no_parent", children::signal_to_a_child_stops_no_parent),
    ("address_is_free_while_a_child_lives", children::address_is_free_while_a_child_lives),
    ("children_may_be_waited_for_by_the_system", children::children_may_be_waited_for_by_the_system),
    ("child_does_not_take_the_socket_file_along", children::child_does_not_take_the_socket_file_along),
    ("nothing_is_printed_twice", children::nothing_is_printed_twice),
    ("last_descriptor_does_for_a_child", children::last_descriptor_does_for_a_child),
    ("threads_are_joined_when_the_server_stops", signals::threads_are_joined_when_the_server_stops),
    ("handler_that_does_not_end_is_told_of", signals::handler_that_does_not_end_is_told_of),
    ("signal_stops_every_strategy", signals::signal_stops_every_strategy),
    ("storm_of_signals_changes_nothing", signals::storm_of_signals_changes_nothing),
    ("iterative_blocking_leaks_nothing", leaks::iterative_blocking),
    ("iterative_sans_io_leaks_nothing", leaks::iterative_sans_io),
    ("threading_blocking_leaks_nothing", leaks::threading_blocking),
    ("threading_sans_io_leaks_nothing", leaks::threading_sans_io),
    ("forking_blocking_leaks_nothing", leaks::forking_blocking),
    ("forking_sans_io_leaks_nothing", leaks::forking_sans_io),
    ("evented_on_select_leaks_nothing", leaks::evented_on_select),
    ("evented_on_poll_leaks_nothing", leaks::evented_on_poll),
    ("evented_on_epoll_leaks_nothing", leaks::evented_on_epoll),
    ("datagrams_leak_nothing", leaks::datagrams),
    ("lack_of_descriptors_is_survived", leaks::lack_of_descriptors_is_survived),
    ("lack_of_threads_is_waited_out", leaks::lack_of_threads_is_waited_out),
    ("last_descriptor_does_for_the_last_thread", leaks::last_descriptor_does_for_the_last_thread),
    ("connection_beyond_select_is_told_of", leaks::connection_beyond_select_is_told_of),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [runner::CASE, name] => runner::be(&CASES, name),
        [helpers::HELPER, kind, place, address, parent] => helpers::be(kind, place, address, parent),
        _ => runner::run_all(&CASES, &words),
    }
}
