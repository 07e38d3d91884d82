//! Servers of five transports, run in four ways.

mod client;
mod conversation;
mod driver;
mod endpoint;
mod error;
mod framed;
mod hooks;
mod listener;
mod outlet;
mod protocol;
mod request;
mod server;
mod shutdown;
mod socket;
mod strategy;
mod waiting;

pub use client::{Client, Connecting};
pub use endpoint::{Address, Endpoint, Transport};
pub use error::{Error, RequestError};
pub use eventloop::PollerKind;
pub use framed::{FrameHandler, Framed, Framing};
pub use listener::{ListenOptions, Listener};
pub use outlet::{Outlet, OutletError};
pub use protocol::{Ending, Output, Protocol};
pub use request::{Reader, Request, RequestHandler, Writer};
pub use server::{Blocking, SansIo, Served, Server};
pub use shutdown::ShutdownHandle;
pub use strategy::{Evented, Forking, Iterative, Strategy, Threading};
