//! JSON lines from outside: lines in, lines out. Behind the sessions stand a real hub, real feeds and a history in memory, so
//! that what is tested is what programs get.

mod past;
mod schema;
mod world;

#[path = "../shared/conversation.rs"]
mod conversation;

mod conversations;
mod document;
mod gaps;
mod properties;
