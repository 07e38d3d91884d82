//! What was acknowledged is kept: through kills, failing and full disks, restarts, and whatever is sent.

mod facts;
mod failing_disk;
mod faithful;
mod full_disk;
mod killed;
mod meddling;
mod restarts;
mod returning;
mod tally;
