//! The history: what was said is written down, and can be read back, searched and exported.
//!
//! Where it stands: behind the hub. The hub's thread hands over what has to be kept, a [`Batch`] at a time; the journal
//! commits it; only then receipts leave. Readers read the same file by connections of their own.
//!
//! What this crate must never do: decide who may read what (the hub has, in what it is asked), call something durable that
//! the disk has not confirmed, lose or change what people said unasked, or log what people said.

// In the order in which a batch meets them, and then a question.
mod batch;
mod journal;

mod page;
mod reader;
mod unwritten;

mod search;
mod words;

mod backup;
mod check;
mod export;
mod import;

mod directory;
mod error;
mod index;
mod restore;
mod retention;
mod rows;
mod schema;
mod write;

#[cfg(test)]
mod book;
#[cfg(test)]
mod million;

pub use backup::{BackupError, Progress, backup};
pub use batch::Batch;
pub use check::{CheckError, check};
pub use directory::Sync;
pub use error::{Cause, CommitError, OpenError, ReadError};
pub use export::{ExportError, ExportWanted, Format, Place, export, find_conversation};
pub use import::{ImportError, Imported, import};
pub use journal::{Ended, Journal, Options, Remaining, Restored};
pub use reader::{Reader, SEARCH_MAX};
pub use retention::Retention;
