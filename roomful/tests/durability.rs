//! What was acknowledged is kept: through kills, failing and full disks, restarts, and whatever is sent.

mod facts;
mod faithful;
mod killed;
mod restarts;
mod returning;
mod tally;
