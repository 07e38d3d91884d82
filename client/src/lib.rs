//! The terminal client, and chat for scripts.
//!
//! Where it stands: at the other end of a connection to a Roomful server, whose JSON lines it speaks. Nothing here is known to the
//! server's crates.
//!
//! ```text
//! address, settings ─▶ link (what is said when; pure) ─▶ net (sockets, threads)
//!                        │
//!                        ▼
//!            model: update(model, input) → effects (pure) ─▶ view: the screen, a function of the model
//! ```
//!
//! What this crate must never do: let through to a terminal what a server has no business to send there, lose what somebody
//! typed, say anything twice, or wait for anything in the thread that draws.

pub mod places;
mod plainness;
pub mod toml_file;

pub mod address;
pub mod own_name;
pub mod settings;

mod remembered;

mod chance;
mod link;
mod moments;
mod wire;

mod net;
mod session;

pub mod progress;
pub mod scripts;

mod keys;
mod layout;
mod model;

mod terminal;
mod theme;
mod view;

pub mod raw;

pub mod join;
