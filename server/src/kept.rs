//! What is kept: opened before anything else, restored into the desk, and given to the threads that write and read it.
//!
//! Where it stands: at the start of a server that keeps what is said, once. After that the journal's thread (`journal`) and
//! the reader's (`reading`) have it, and the hub's thread speaks to them.
//!
//! What this file must never do: let anybody in before what has to be written down at the start is durable.

use crate::clock::Clock;
use crate::hub_thread::{Archive, Telling};
use crate::journal::{JournalMailbox, JournalThread};
use crate::mailbox::{HubMailbox, ShardMailbox};
use crate::reading::{ReaderMailbox, ReaderThread};
use crate::{Durability, Options, StartError, random_bits, spawn};
use engine::Desk;
use history::{Batch, Ended, Journal, Reader, Restored};
use hub::{Epoch, Hub, Keeping, Settings as HubSettings, Time};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// What is kept, opened.
pub(crate) struct Kept {
    directory: PathBuf,
    journal: Journal,
    reader: Reader,
    reader_mailbox: Arc<ReaderMailbox>,
    restored: Restored,
}

/// Whom the threads that write and read have to reach, and by what clock they go.
pub(crate) struct Reach<'server> {
    pub(crate) hub: &'server Arc<HubMailbox>,
    pub(crate) shards: &'server [Arc<ShardMailbox>],
    pub(crate) clock: Clock,
}

impl Kept {
    /// Opens the data file in this directory, to write and to read.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn open(directory: &Path, options: &Options) -> Result<Kept, StartError> {
        let journal_options = history::Options {
            durability: match options.durability {
                Durability::None => history::Sync::Off,
                Durability::Fast | Durability::Strict => history::Sync::Full,
            },
            epoch_bits: random_bits()?,
            bytes_max: options.data_bytes_max,
        };
        let (journal, restored) = Journal::open(directory, &journal_options).map_err(StartError::Data)?;
        let reader = Reader::open(directory).map_err(StartError::Data)?;
        let reader_mailbox = Arc::new(ReaderMailbox::new());
        Ok(Kept { directory: directory.to_owned(), journal, reader, reader_mailbox, restored })
    }

    /// Of the data file.
    pub(crate) fn epoch(&self) -> Epoch {
        self.restored.epoch
    }

    /// Where what is kept can be asked for.
    pub(crate) fn reader_mailbox(&self) -> Arc<ReaderMailbox> {
        self.reader_mailbox.clone()
    }

    /// The desk as it was left, and everything stated that has to be before anybody is let in.
    pub(crate) fn set_up_desk(&self, options: &Options, shards: u16, now: Time) -> Desk {
        let settings = HubSettings { keeping: Keeping::History, ..options.hub.clone() };
        let mut hub = Hub::restore(settings, &self.restored.snapshot);
        hub.recover(&self.restored.reservation);
        let losses = hub.losses(&self.restored.reservation);
        let mut desk = Desk::new(hub, shards);
        if options.durability == Durability::None {
            desk.set_durability(engine::Durability::Stated);
        }
        for loss in losses {
            desk.state(now, loss);
        }
        desk.chores(now);
        desk
    }

    /// Commits what has to be before anybody is let in, and starts the threads that write and read what is kept.
    ///
    /// # Errors
    /// If it cannot be written, or the system gives no threads.
    pub(crate) fn start(
        mut self,
        options: &Options,
        desk: &mut Desk,
        reach: &Reach<'_>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Archive, StartError> {
        self.commit_first(desk)?;
        if self.restored.ended == Ended::Abruptly {
            tracing::warn!("the server did not stop in order the last time; the data file is being checked");
            spawn("check", move || log_check(&self.directory))?;
        }
        let journal = Arc::new(JournalMailbox::new());
        let journal_thread = JournalThread::new(
            self.journal,
            journal.clone(),
            reach.hub.clone(),
            reach.clock,
            options.retention,
        );
        threads.push(spawn("journal", move || journal_thread.run())?);
        let reader_thread = ReaderThread {
            reader: self.reader,
            mailbox: self.reader_mailbox.clone(),
            journal: journal.clone(),
            hub: reach.hub.clone(),
            shards: reach.shards.to_vec(),
            clock: reach.clock,
        };
        threads.push(spawn("reader", move || reader_thread.run())?);
        let position = desk.hub().position();
        Ok(Archive {
            journal,
            reader: self.reader_mailbox,
            telling: match options.durability {
                Durability::Strict => Telling::WhenDurable,
                Durability::Fast | Durability::None => Telling::AtOnce,
            },
            handed_over: position,
            durable: position,
            readings: VecDeque::new(),
            patience: options.flush,
        })
    }

    fn commit_first(&mut self, desk: &mut Desk) -> Result<(), StartError> {
        let (facts, reservation) = desk.to_commit();
        let position = desk.hub().position();
        let first = Batch { kept: facts, reservation, position };
        self.journal.commit(&first).map_err(StartError::Write)?;
        desk.committed(position, &first.reservation);
        Ok(())
    }
}

/// Looks at every page of the data file and says what it found, beside the running server.
fn log_check(directory: &Path) {
    match history::check(directory) {
        Ok(findings) if findings.is_empty() => tracing::info!("the data file is sound"),
        Ok(findings) => {
            for finding in findings {
                tracing::error!(%finding, "the data file is damaged");
            }
        }
        Err(error) => tracing::warn!(%error, "the data file could not be checked"),
    }
}
