//! The kernel's side of the contract: one suite, run over every poller.
//!
//! Here over those that watch any descriptor; `conformance_select.rs` runs the same facts in a program of their own, because
//! `select` needs low numbers and the tests of a program share them.

#[macro_use]
mod suite;

#[cfg(target_os = "linux")]
mod epoll {
    conformance!(eventloop::PollerKind::Epoll);
}

mod poll {
    conformance!(eventloop::PollerKind::Poll);
}
