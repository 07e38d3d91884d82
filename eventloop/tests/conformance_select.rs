//! The conformance suite over `select`, in a program of its own: `select` needs descriptors with low numbers, and the tests
//! of a program share them.

#[macro_use]
#[path = "conformance/suite/mod.rs"]
mod suite;

mod select {
    conformance!(eventloop::PollerKind::Select);
}
