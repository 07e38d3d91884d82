//! `roomful join`: people at real terminals, a real server, and whatever may happen between them.
//!
//! A test here types what a person types and waits for what a person sees; what a terminal is told besides is read from its bytes.
//! That a panic gives the terminal back is tested where terminals are (`client`, `terminal::modes::tests`), with a program that
//! can be made to panic; this one cannot.

mod home;
mod hostile;
mod keyboard;
mod leaving;
mod looking_back;
mod plain;
mod restarts;
mod rooms;
mod sizes;
mod strangers;
mod talking;

use home::Home;
