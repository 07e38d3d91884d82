//! The command line of the load generator: `bench run` measures, `bench floor` is what it measures beside.

use std::process::ExitCode;

use anyhow::Result;
use bench::{
    floor::{self, Floor},
    run::{self, Options},
};
use clap::{Parser, Subcommand};

/// Measures the chat server beside floors that do the least anything could do.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the scenarios, all contenders in turn, and print the tables.
    Run(Options),
    /// Serve as a floor on a free port of loopback, which is printed.
    Floor {
        /// Which floor.
        kind: Floor,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Run(options) => run::run(&options),
        Task::Floor { kind } => floor::serve(kind).map(|()| ExitCode::SUCCESS),
    }
}
