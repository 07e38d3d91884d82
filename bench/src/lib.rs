//! The load generator: crowds of members over real sockets, what they hear verified line by line, what the
//! server spends read from the kernel. It measures `roomful serve` beside two *floors* of ours, which do the least
//! that anything in their shape could do, so that a figure says how far we are from what the kernel lets us have.
//!
//! The modules stand in the order in which one measured message meets them:
//!
//! 1. [`message`] makes the line that is said and finds it again at the receiver;
//! 2. [`crowd`] holds the sockets of all members and says and hears lines;
//! 3. [`peer`] starts the server under test, a [`floor`] or the product; [`data`] is where that keeps what is said;
//!    [`placement`] says on which processors;
//! 4. [`ledger`] checks every delivery: nothing lost, nothing doubled, in order;
//! 5. [`conversation`] keeps messages in flight until all that was to be said has been heard;
//! 6. [`usage`] reads the server's CPU time and memory, [`histogram`] keeps the latencies;
//! 7. [`scenario`] says who talks to whom, [`run`] interleaves the contenders, [`report`] writes the tables.
//!
//! Three are measurements of their own. [`history`], `bench history`: what it costs to keep what is said, and how long it takes
//! to read it back. [`client`], `bench client`: how fast the terminal client is. [`io_models`], `bench io`: the strategies of `socketserver` and the pollers of `eventloop`.
//!
//! A speed that misses its bound is reported and never fails a run; a lost, doubled or reordered line always does.

pub mod client;
pub mod conversation;
pub mod crowd;
pub mod data;
pub mod extent;
pub mod floor;
pub mod histogram;
pub mod history;
pub mod io_models;
pub mod ledger;
pub mod machine;
pub mod message;
pub mod peer;
pub mod placement;
pub mod report;
pub mod run;
pub mod scenario;
pub mod transcript;
pub mod usage;
