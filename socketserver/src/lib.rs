//! Servers of five transports, run in four ways: what Python's `socketserver` and `asynchat` are to a Python programmer,
//! with nothing hidden.
//!
//! A server is made of three things that know nothing of each other: **where** requests come to (a [`Listener`] at an
//! [`Endpoint`]), **how** they are run (a [`Strategy`]), and **what** is done with each (a [`RequestHandler`] or a
//! [`Protocol`]). Any of them can be exchanged and the others stay as they are.
//!
//! ```
//! use socketserver::{Endpoint, Listener, Request, Server, Threading};
//! use std::io::{BufRead, Read, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = Listener::open(&Endpoint::tcp("127.0.0.1:0")?)?;
//! let mut server = Server::blocking(listener, Threading::up_to(64), |request: &mut Request| {
//!     let mut name = String::new();
//!     request.writer.write_all(b"Your name? ")?;
//!     (&mut request.reader).take(100).read_line(&mut name)?;
//!     writeln!(request.writer, "Hello, {}!", name.trim())
//! })?;
//! println!("listening at {}", server.server_address());
//! server.shutdown_handle().shutdown_on_termination()?; // Ctrl-C
//! # server.shutdown_handle().shutdown();
//! server.serve_forever()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Which strategy?
//!
//! Ask in this order:
//!
//! 1. **Can a request be answered at once, without waiting for anything?** Then [`Iterative`]: nothing is simpler. A clock, a
//!    counter, a sink for datagrams. One client that dawdles keeps everybody waiting, so set a
//!    [`request_timeout`](Server::request_timeout).
//! 2. **Do clients have to do with each other, or are there thousands that mostly wait?** Then [`Evented`]: one thread, no locks,
//!    a few hundred bytes a connection. A chat, a game, a broker, a proxy. A handler must not block, so it is a [`Protocol`]:
//!    it is told what has arrived and says what shall be sent.
//! 3. **May a request crash, leak or be hostile, and would that harm the others?** Then [`Forking`]: each has a process of its
//!    own. What it changes in memory is lost with it.
//! 4. **Otherwise** [`Threading`]: a handler is written as if its client were the only one, and may wait for a disk, a
//!    database or another server.
//!
//! | | `Iterative` | `Threading` | `Forking` | `Evented` |
//! |---|---|---|---|---|
//! | at a time | one | up to a bound | up to a bound | up to a bound, 100,000 |
//! | a request costs besides its own work | nothing | starting a thread | copying a process | nothing |
//! | an idle connection costs | everybody's time | a thread with its stack | a process | some hundred bytes |
//! | a handler may block | yes, and all wait | yes | yes | no |
//! | handlers share memory | yes, without locks | yes, behind locks | no | yes, without locks |
//! | a handler that crashes the process takes with it | the server | the server | itself | the server |
//! | handlers | both kinds | both kinds | both kinds | [`Protocol`] |
//!
//! What each costs in figures, with a plot: `docs/io-models.md`, made by `cargo xtask bench io`.
//!
//! **Which poller** for [`Evented::on`]? The default, `epoll` on Linux and `poll` elsewhere. `select` and `poll` hand the whole list
//! of connections to the kernel at every turn: that is as good as anything for a hundred, and hopeless for ten thousand.
//! `select` ends at descriptor 1,023 besides. They are here because every system has them, and to be compared.
//!
//! **When not to fork.** In a process with several threads: the child has a copy of one of them, and of the locks that the others
//! held in that moment. Nobody will release those, and the first that is needed (the memory allocator's, say) is
//! waited for for ever. [`Forking`] therefore counts the threads before each fork and refuses if there is more than
//! one. Not for a handler that has to remember something either, nor for many short requests: a copy of the page tables
//! costs more than the work.
//!
//! # Which transport?
//!
//! | | connections | keeps boundaries | between machines | a client needs |
//! |---|---|---|---|---|
//! | [`Transport::Tcp`] | yes | no | yes | an address and a port |
//! | [`Transport::Udp`] | no | yes | yes, may lose, double and reorder | an address and a port |
//! | [`Transport::UnixStream`] | yes | no | no | a path or a name, and permission for the file |
//! | [`Transport::UnixDatagram`] | no | yes | no | likewise, and an address of its own to be answered |
//! | [`Transport::UnixSeqpacket`] | yes | yes | no | likewise |
//!
//! An address of IPv6 serves IPv4 as well, unless [`ListenOptions::dual_stack`] is off. A Unix address is a path or, on Linux, a name
//! that is no file, `unix:@name`. A path is a file whose permissions the process's umask decides; it is removed when the server ends.
//! One that was left behind by a crash is replaced, but only if nobody answers on it.
//!
//! With datagrams each datagram is a request of its own: a handler's reader holds the one that has come, and what it
//! writes goes back as one. Nobody vouches for the address of a sender: a server that answers every datagram, also an answer, can be
//! made to talk to another one of its kind, or to itself, for ever.
//!
//! # Which handler?
//!
//! A **[`RequestHandler`]** reads and writes, and waits while it does. It is the natural way to write down a conversation, and
//! what Python's `StreamRequestHandler` and `DatagramRequestHandler` are. A closure will do.
//!
//! A **[`Protocol`]** never touches a socket: [`opened`](Protocol::opened), [`received`](Protocol::received),
//! [`closed`](Protocol::closed). It runs under every strategy and over every transport, and in a test without either. [`Framed`]
//! cuts what arrives into lines or blocks of a length, as `asynchat` did. An [`Outlet`] sends to a client
//! from elsewhere.
//!
//! # What is certain
//!
//! - **A request costs itself at most.** An error or a panic in a handler ends its connection, reaches
//!   [`handle_error`](Server::handle_error), and nobody else notices.
//! - **Nothing is unbounded**: requests at a time, clients in the backlog, what waits to be sent to a client that does not read,
//!   frames, datagrams, the time that a stopping server waits ([`grace`](Server::grace)); and the time that a
//!   client may do nothing, once you have set it ([`request_timeout`](Server::request_timeout)): nobody else knows how patient
//!   your handler is, so a server that strangers can reach needs one.
//! - **It stops when it is asked to**, by a [`ShutdownHandle`] that any thread, handler or signal handler may use; requests that are
//!   being handled get the grace to end, and threads are joined, children waited for, files removed.
//! - **Signals interrupt nothing**: a call that one has interrupted is made again, with the time that is left.
//! - **When descriptors, threads or processes run out** clients wait in the backlog, the hook hears of it, and no CPU is burnt.
//!   Only one who was accepted before the lack was noticed is lost, ten in a second at most.
//!
//! # For those who come from Python
//!
//! | Python | here |
//! |---|---|
//! | `TCPServer(address, Handler)` | [`Server::blocking`]`(`[`Listener::open`]`(&`[`Endpoint::tcp`]`(address)?)?, `[`Iterative`]`, handler)?` |
//! | `UDPServer`, `UnixStreamServer`, `UnixDatagramServer` | [`Endpoint::udp`], [`Endpoint::unix_stream`], [`Endpoint::unix_datagram`] |
//! | `ThreadingMixIn`, `ForkingMixIn` | [`Threading`], [`Forking`] |
//! | `serve_forever()`, `handle_request()`, `shutdown()` | [`Server::serve_forever`], [`Server::handle_request`], [`ShutdownHandle::shutdown`] |
//! | `server_address`, `fileno()` | [`Server::server_address`], [`AsFd`](std::os::fd::AsFd) |
//! | `verify_request`, `handle_error`, `handle_timeout`, `timeout` | the methods of [`Server`] with these names |
//! | `rfile`, `wfile`, `client_address` | [`Request::reader`], [`Request::writer`], [`Request::client_address`] |
//! | `StreamRequestHandler.timeout` | [`Server::request_timeout`] |
//! | `request_queue_size`, `allow_reuse_address`, `allow_reuse_port` | [`ListenOptions`] |
//! | `max_children`, `block_on_close` | [`Forking::up_to`]; the server always waits, but not longer than the [`grace`](Server::grace) |
//! | `asyncore.dispatcher` | [`Protocol`] on [`Evented`] |
//! | `asynchat.async_chat`, `set_terminator` | [`Framed`], [`Framing`] |
//! | `socket.create_connection`, `connect_ex` | [`Client::connect`], [`Connecting::error_code`] |
//!
//! # Examples
//!
//! Small programs to read in this order, each run with `cargo run -p socketserver --example NAME`; they listen at `127.0.0.1:8000`
//! unless told otherwise, and their heads say what to type in another terminal.
//!
//! | example | what one learns |
//! |---|---|
//! | `greeter` | a server is a listener, a strategy and a handler |
//! | `greeted` | its client: connecting with a timeout; waiting for bytes and for a point in time at once |
//! | `stdin_wait` | everything with a descriptor can be waited for: a terminal, a pipe, a file |
//! | `two_sockets` | one loop for several servers, with a timeout |
//! | `print_blocking` | how simple one client at a time is, and what it costs |
//! | `print_threads` | the same handler under another strategy; sharing between threads |
//! | `print_select` | the textbook loop by hand; lines out of a stream |
//! | `print_poll` | register, modify, unregister, poll; all conditions |
//! | `line_echo` | both kinds of handlers under every strategy, poller and transport |
//! | `line_echo_client` | connect timeout, send-all, half-close; whoever sends much must read meanwhile |
//! | `http_hello` | the least of HTTP/1.1 that is right: bounds, patience, status, length |
//! | `file_server` | not being led out of a folder; large files through a small buffer |
//! | `chat` | what the evented strategy is for: a room without locks |
//!
//! # What is left out, and why
//!
//! - **Raw sockets** need privileges and a protocol of one's own, and no server handles requests on them.
//! - **`SOCK_RDM`**: no protocol of any common system has it. For records with connections there is
//!   [`Transport::UnixSeqpacket`].
//! - **CGI and XML-RPC**, which Python builds on its servers, are protocols above HTTP and belong to the library that speaks HTTP.
//! - **TLS** is a layer between a connection and its handler; a [`Protocol`] can be wrapped in one, without this crate.
//! - **Windows**: its sockets are no descriptors, and its pollers are of another kind.
//! - **Mixtures**, such as several threads with a poller each: start several servers on sockets with
//!   [`ListenOptions::reuse_port`].

// In the order in which a request meets them.
mod endpoint; // where

mod listener; // a socket that requests come to

mod server; // what is put together, and how the next request is taken

mod conversation; // what a strategy hands to a handler
mod strategy; // how requests are run

mod converse; // one request seen through, by either kind of handler

mod request; // handlers that block

mod driver; // handlers that do not, on a poller
mod protocol; // what those are told and say

mod framed; // lines and blocks
mod outlet; // sending to a client from elsewhere

mod hooks; // what the user is asked and told
mod shutdown; // how all of it stops
mod waiting; // waiting for one socket, with an end

mod error; // what can go wrong
mod socket; // system calls on sockets

mod client; // the other end

pub use client::{Client, Connecting};
pub use converse::{Blocking, SansIo};
pub use endpoint::{Address, Endpoint, Transport};
pub use error::{Error, RequestError};
pub use eventloop::PollerKind;
pub use framed::{FrameHandler, Framed, Framing};
pub use listener::{ListenOptions, Listener};
pub use outlet::{Outlet, OutletError};
pub use protocol::{Ending, Output, Protocol};
pub use request::{Reader, Request, RequestHandler, Writer};
pub use server::{Served, Server};
pub use shutdown::ShutdownHandle;
pub use strategy::{Evented, Forking, Iterative, Strategy, Threading};
