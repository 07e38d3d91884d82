//! One table of tests: the same cases over every transport, every strategy in one process and every poller.
//!
//! A case is a function of a cell. It is run in every cell, and where it does not apply it says why; nothing is skipped
//! in silence. The table is printed at the end. Forking, which needs a process with a single thread, has tests of its own.
//!
//! `cargo test -p socketserver --test table WORD …` runs the cases whose names contain one of the words.

mod axes;
mod cases;
#[path = "../shared/cells.rs"]
mod cells;
#[path = "../shared/places.rs"]
mod places;
mod runner;
mod running;
#[path = "../shared/servant.rs"]
mod servant;

use std::process::ExitCode;

fn main() -> ExitCode {
    runner::run(&cases::ALL)
}
