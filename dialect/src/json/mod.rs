//! JSON lines: programs, bots, and our own clients. One object a line, in both directions; `docs/protocol.md` is the contract.
//!
//! Where it stands: a line becomes a request, a request a command of the hub; an event becomes an object. What a client asks for
//! it may name (`nonce`), and whatever answers it carries that name.
//!
//! What this dialect must never do: besides what the whole crate must not, write a line feed inside an object, answer a line
//! with silence, or give a client's secret to anybody but that client.

// In the order in which a line meets them.
mod input;
mod request;

mod session;

mod object;
mod render;
mod words;

pub use input::LINE_BYTES_MAX;
pub use render::replay as write_past;
pub(crate) use session::Begin;
pub use session::{HELLO_MS_MAX, JsonSession, LINGER_MS};

/// The version of the protocol that is spoken here.
pub const VERSION: u64 = 1;
