//! What was acknowledged is kept: through kills, failing and full disks, restarts, and whatever is sent.

mod bad_data;
mod bad_input;
mod facts;
mod failing_disk;
mod faithful;
mod full_disk;
mod gone;
mod killed;
mod meddling;
mod mounts;
mod restarts;
mod returning;
mod tally;
