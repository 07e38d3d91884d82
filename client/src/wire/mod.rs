//! JSON lines as a client speaks them: requests out, answers in. The contract is `docs/protocol.md`.
//!
//! Where it stands: between the connection, which carries lines, and the link, which knows what they mean to us.
//!
//! What this module must never do: let through to a terminal what a server has no business to send there, however
//! hostile it is. Every string that comes in is cleaned while it is read.

mod shown;

mod answer;
mod request;

pub(crate) use answer::{
    Ack, Answer, Author, Conversation, Crowd, Event, Findings, Gap, Happening, Names, Notice, Page, Person,
    Picture, Refusal, Rest, RoomLine, RoomsPage, Topic, Welcome, read,
};
pub(crate) use request::{Request, Resume, Shape, Span};
pub(crate) use shown::Shown;
