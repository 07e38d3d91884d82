//! The history: what was said is written down, and can be read back, searched and exported.
//!
//! Where it stands: behind the hub. The hub's thread hands over what has to be kept, a [`Batch`] at a time; the journal
//! commits it; only then receipts leave. Readers read the same file by connections of their own.
//!
//! What this crate must never do: decide who may read what (the hub has, in what it is asked), call something durable that
//! the disk has not confirmed, lose or change what people said unasked, or log what people said.
#![expect(dead_code, reason = "a skeleton: the journal is built on it next")]

mod schema;

mod words;

mod index;
mod search;

#[cfg(test)]
mod million;

use hub::{Kept, Position, Reservation};

/// What is committed together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// The facts, in their order.
    pub kept: Vec<Kept>,
    /// What is reserved with them.
    pub reservation: Reservation,
    /// The hub's position when the batch was made: everything up to it is durable when the batch is.
    pub position: Position,
}
