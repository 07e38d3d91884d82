//! The end of a simulated world: everything flows until nothing is left to do; then everybody must have been shown
//! everything; then all leave, and nothing may be left of them.
//!
//! What this file must never do: end a world in which something is still under way.

use super::{Outcome, Pace, Typing, World};
use crate::people::Typed;
use crate::reader::Later;
use crate::session::Rendition;

/// After so many rounds in which everything flows, nothing may be left to do.
const CALM_ROUNDS_MAX: usize = 20_000;
/// What a socket takes then.
const CALM_SOCKET_BYTES: usize = 10_000;
/// A log keeps one segment of this size whatever its bound.
const SEGMENT_BYTES: usize = 32 * 1024;
/// An entry and its place in an index take at most so many bytes here.
const ENTRY_BYTES_MAX: usize = 24 * 1024;

impl World {
    /// Lets everything flow until nothing is left to do.
    pub(super) fn calm(&mut self) -> Outcome {
        self.is_calm = true;
        self.weather.failures = 0;
        self.weather.socket_bytes_max = self.weather.socket_bytes_max.max(CALM_SOCKET_BYTES);
        for link in self.links.iter_mut().flatten() {
            link.is_stalled = false;
        }
        let mut quiet_rounds = 0;
        for _ in 0..CALM_ROUNDS_MAX {
            if self.round()? {
                quiet_rounds = 0;
            } else {
                quiet_rounds += 1;
            }
            // Time passes only when nothing else happens, far enough for every timer there is.
            if quiet_rounds > 0 {
                self.pass_time(2000)?;
            }
            if quiet_rounds > 10 {
                return Ok(());
            }
        }
        let requests: usize = self.lanes.iter().map(|lane| lane.requests.len()).sum();
        let (given_back, questions, found) = (&self.given_back, &self.questions, &self.found);
        Err(format!(
            "it never comes to rest: {requests} requests, {given_back:?} given back, {questions:?} asked, {found:?} found"
        ))
    }

    /// Everything that can happen happens once. Returns whether anything did.
    pub(super) fn round(&mut self) -> Result<bool, String> {
        let before = (self.oracle.told_count, self.bytes_moved);
        for person in 0..self.people.len() {
            let most = self.weather.socket_bytes_max;
            self.drain(person, most);
            self.read(person, Pace::Everything)?;
        }
        self.desk_turn(Pace::Everything)?;
        self.recall_all()?;
        for shard in 0..self.shards.len() {
            self.deliver(shard, Pace::Everything)?;
            self.shard_turn(shard)?;
        }
        if self.store.is_busy() {
            self.finish_batch()?;
        }
        self.begin_batch();
        self.finish_batch()?;
        let is_answered = self.questions.is_empty() && self.found.is_empty();
        let is_idle =
            is_answered && self.lanes.iter().all(|lane| lane.requests.is_empty() && lane.mails.is_empty());
        Ok(!is_idle || before != (self.oracle.told_count, self.bytes_moved))
    }

    pub(super) fn check_readers(&mut self) -> Outcome {
        for (person, link) in self.links.iter().enumerate() {
            let Some(link) = link else { continue };
            let of = format!("{person} ({:?}, {:?})", link.member, link.kind);
            if !link.up.is_empty() {
                return Err(format!("nobody reads what {of} typed"));
            }
            if link.typing != Typing::GoesOn {
                return Err(format!("{of} has hung up and is still here"));
            }
            link.unasked.finish().map_err(|wrong| format!("of {of} {wrong}"))?;
            let reader = self.oracle.reader_mut(link.member).ok_or("a connection that nobody reads")?;
            reader.finish(Later::Comes).map_err(|wrong| format!("everything flows, but of {of} {wrong}"))?;
        }
        Ok(())
    }

    pub(super) fn check_logs(&mut self) -> Outcome {
        for (index, shard) in self.shards.iter().enumerate() {
            let (logs, needed) = (shard.logs(), self.oracle.logs_needed(index));
            if logs != needed {
                return Err(format!("shard {index} has {logs} logs, but {needed} are read"));
            }
        }
        Ok(())
    }

    pub(super) fn check_hub(&mut self) -> Outcome {
        self.oracle.check_hub(self.desk.hub())
    }

    pub(super) fn everybody_leaves(&mut self) -> Outcome {
        if self.random.u32(..3) == 0 {
            self.trace.note(|| "the server stops".into());
            for shard in &mut self.shards {
                shard.shutdown();
            }
            self.oracle.shut_down();
            return Ok(());
        }
        for person in 0..self.people.len() {
            let Some(link) = &self.links[person] else { continue };
            match (self.random.u32(..3), link.kind.rendition) {
                (0, _) => self.reset(person)?,
                (1, Rendition::Plain) => self.say_goodbye(person, b"/quit\n"),
                (1, _) => self.say_goodbye(person, b"quit\n"),
                _ => self.hang_up(person),
            }
        }
        Ok(())
    }

    pub(super) fn say_goodbye(&mut self, person: usize, words: &[u8]) {
        self.type_in(person, Typed { bytes: words.to_vec(), ..Typed::default() });
    }

    pub(super) fn check_emptiness(&mut self) -> Outcome {
        if let Some(person) = self.links.iter().position(Option::is_some) {
            return Err(format!("{person} never got away"));
        }
        for (index, shard) in self.shards.iter().enumerate() {
            let held = (shard.connections(), shard.logs(), shard.kept_bytes(), shard.waiting_requests());
            if held != (0, 0, 0, 0) {
                return Err(format!(
                    "nobody is here, but shard {index} holds connections, logs, bytes, requests: {held:?}"
                ));
            }
        }
        self.check_hub()?;
        if self.desk.hub().members() > 0 {
            return Err("nobody is here, but the hub has members".into());
        }
        let conversations = self.desk.hub().snapshot().rooms;
        let is_kept = self.weather.settings.keeping == hub::Keeping::History;
        let may_return = |party: &hub::Party| is_kept && matches!(party, hub::Party::Client(_));
        let is_conversation = |room: &&hub::KeptRoom| match &room.kind {
            hub::KeptKind::Conversation(parties, _) => !parties.iter().any(may_return),
            hub::KeptKind::Open(_) => false,
        };
        match conversations.iter().find(is_conversation) {
            Some(room) => Err(format!("nobody is here, but there is a conversation {}", room.number)),
            None => Ok(()),
        }
    }

    // Bounds.

    pub(super) fn check_bounds(&mut self, shard: usize) -> Outcome {
        let found = &self.shards[shard];
        let bounds = self.weather.limits.feeds;
        let per_log = SEGMENT_BYTES + ENTRY_BYTES_MAX;
        let logs_bytes_max = found.logs() * per_log.max(bounds.lag_bytes_max + ENTRY_BYTES_MAX);
        let all_bytes_max = bounds.feeds_bytes_max.saturating_add(found.logs() * per_log);
        let kept = found.kept_bytes();
        if kept > logs_bytes_max.min(all_bytes_max) {
            return Err(format!("shard {shard} keeps {kept} bytes in {} logs", found.logs()));
        }
        Ok(())
    }
}
