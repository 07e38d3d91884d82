//! The command line of the load generator: `bench run` measures the chat server, `bench floor` is what it measures beside;
//! `bench history` measures what it costs to keep what is said, `bench client` how fast the terminal client is; `bench io` measures
//! models of input and output, `bench echo` is a server of one of them.

use std::process::ExitCode;

use anyhow::Result;
use bench::{
    client,
    floor::{self, Floor},
    history, io_models,
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
    /// Measure what the history costs, and put the figures into docs/bench/history.md.
    History(history::Options),
    /// Measure the terminal client in a pseudo-terminal, and put the figures into docs/bench/client.md.
    Client(client::Options),
    /// Measure strategies and pollers beside Python's, and put the figures into docs/io-models.md.
    Io(io_models::Options),
    /// Serve as one of the servers of `io`, on a free port of loopback, which is printed.
    #[command(hide = true)]
    Echo(io_models::echo::Options),
    /// Serve as a floor on a free port of loopback, which is printed.
    Floor {
        /// Which floor.
        kind: Floor,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Run(options) => run::run(&options),
        Task::History(options) => history::run(&options),
        Task::Client(options) => client::run(&options),
        Task::Io(options) => io_models::run(&options),
        Task::Echo(options) => io_models::echo::serve(&options).map(|()| ExitCode::SUCCESS),
        Task::Floor { kind } => floor::serve(kind).map(|()| ExitCode::SUCCESS),
    }
}
