//! The plain dialect from outside: bytes in; commands, words and lines of the rooms out. Behind the sessions stands a
//! real hub, so that what is tested is what people get.

mod world;

#[path = "../shared/conversation.rs"]
mod conversation;

mod conversations;
mod forgery;
mod splits;
