//! The rows of the table.

mod ending;
mod listening;
mod talking;
mod trouble;

use crate::runner::{Case, Scope};

/// All of them, in the order of a server's life.
pub(crate) const ALL: [Case; 31] = [
    of_listener("address_in_use_is_refused", listening::address_in_use_is_refused),
    of_listener("address_is_free_after_the_end", listening::address_is_free_after_the_end),
    of_listener("dead_socket_file_is_replaced", listening::dead_socket_file_is_replaced),
    of_listener("dead_socket_file_stays_unless_asked", listening::dead_socket_file_stays_unless_asked),
    of_listener("live_socket_is_left_alone", listening::live_socket_is_left_alone),
    of_listener("full_backlog_counts_as_alive", listening::full_backlog_counts_as_alive),
    of_listener("file_that_is_no_socket_stays", listening::file_that_is_no_socket_stays),
    of_listener("of_two_replacers_one_wins", listening::of_two_replacers_one_wins),
    of_listener("neighbours_replace_at_the_same_time", listening::neighbours_replace_at_the_same_time),
    of_listener("locked_folder_is_not_waited_for_long", listening::locked_folder_is_not_waited_for_long),
    of_listener("file_goes_with_its_listener", listening::file_goes_with_its_listener),
    of_listener("file_of_somebody_else_stays", listening::file_of_somebody_else_stays),
    of_listener("path_too_long_is_refused", listening::path_too_long_is_refused),
    of_server("echo", talking::echo),
    of_server("client_is_known_by_its_address", talking::client_is_known_by_its_address),
    of_server("large_payload_arrives_whole", talking::large_payload_arrives_whole),
    of_server("message_that_is_too_long_is_told", talking::message_that_is_too_long_is_told),
    of_server("empty_datagram_is_answered", talking::empty_datagram_is_answered),
    of_server("more_clients_than_the_bound", talking::more_clients_than_the_bound),
    of_server("refused_client_costs_nobody", talking::refused_client_costs_nobody),
    of_server("handle_request_handles_one", talking::handle_request_handles_one),
    of_server("vanishing_client_costs_nobody", trouble::vanishing_client_costs_nobody),
    of_server("panic_costs_one_request", trouble::panic_costs_one_request),
    of_server("error_costs_one_request", trouble::error_costs_one_request),
    of_server("panicking_hook_costs_one_request", trouble::panicking_hook_costs_one_request),
    of_server("client_without_address_is_told_of", trouble::client_without_address_is_told_of),
    of_server("silent_client_is_timed_out", ending::silent_client_is_timed_out),
    of_server("answer_is_completed_in_the_grace", ending::answer_is_completed_in_the_grace),
    of_server("endless_answer_is_cut_after_the_grace", ending::endless_answer_is_cut_after_the_grace),
    of_server("flooding_client_is_cut_after_the_grace", ending::flooding_client_is_cut_after_the_grace),
    of_server("idle_client_is_cut_after_the_grace", ending::idle_client_is_cut_after_the_grace),
];

type Run = fn(&crate::cells::Cell) -> crate::runner::Verdict;

const fn of_listener(name: &'static str, run: Run) -> Case {
    Case { name, scope: Scope::Listener, run }
}

const fn of_server(name: &'static str, run: Run) -> Case {
    Case { name, scope: Scope::Server, run }
}
