//! What is committed together.
//!
//! Where it stands: the hub's thread fills one, the journal writes it, and readers look into those that are not written yet.
//!
//! What this file must never do: hold anything that the hub did not number.

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
