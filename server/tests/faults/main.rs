//! Faults from outside: peers that vanish, addresses with too many connections. A server in this process, with limits that
//! are soon reached.
//!
//! What these tests must never do: sleep in order to wait, or leave anything behind in the system.

mod client;
mod limits;
mod network;
mod vanished;
