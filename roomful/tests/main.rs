//! The process: the real program with real clients, on the loopback interface and ports that the system chooses.
//!
//! One file a subject, one program for all of them, so that they run side by side. `harness` starts servers and clients.
//! What these tests must never do: sleep in order to wait (they wait for what they are to see, and fail with what they saw
//! instead), depend on each other, or need anything but Rust without saying so.

mod harness;

mod archive;
mod coming_and_going;
mod command_line;
mod commands;
mod configuration;
mod crowds;
mod descriptors;
mod durability;
mod hostile;
mod join;
mod logs;
mod one_message;
mod other_protocols;
mod pollers;
mod raw;
mod scripts;
mod stopping;
mod storm;
mod styles;
mod talk;
mod telnet;
mod tutorial_defects;
