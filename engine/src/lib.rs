//! The engine: the server without its sockets, threads and clock.
//!
//! Where it stands: everything that happens between "these bytes have arrived" and "these bytes go out", put together from
//! the hub, the dialects and the feeds. One [`Desk`] stands in front of the hub: it takes requests in order, has kept
//! facts journaled, and sorts what is to be told into one [`Mail`] per shard. Each [`Shard`] holds connections: bytes go in, requests
//! come out; mail goes in, slices of bytes come out. `server` drives both with real sockets, `simulator` with a network
//! that splits, stalls and breaks, so that what is tested there is what runs here.
//!
//! What this crate must never do: I/O, ask a clock, start a thread, or let the order of a hash map reach anybody.

mod connection_index;
mod desk;
mod shard;

pub use connection_index::connection_index;
pub use desk::{Desk, Durability, Journal, Mail, Request};
pub use feed::{Bounds, ReaderId as ConnectionId, Release};
pub use shard::{Delivered, Due, Limits, Shard};
