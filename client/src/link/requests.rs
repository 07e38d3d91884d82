//! What was asked for and is not answered.
//!
//! Where it stands: inside the link. What has to be kept stays here until it is acknowledged or refused, over as many
//! connections as that takes; everything else until its connection ends.
//!
//! What this file must never do: send two requests in another order than they were made in, or more of those that have to be
//! kept than [`KEPT_MAX`] before they are acknowledged.

use crate::wire::{Answer, Request};
use std::collections::VecDeque;

/// A server remembers a client's last 1,000 nonces: what is on its way has to be among them when it is said again.
const KEPT_MAX: usize = 500;
/// Not more than so many bytes are handed over at a time, so that other things get their turn.
const BATCH_BYTES_MAX: usize = 256 * 1024;

struct Asked {
    nonce: String,
    request: Request,
    is_sent: bool,
}

pub(super) struct Requests {
    prefix: String,
    count: u64,
    asked: VecDeque<Asked>,
    /// All before this one have been sent.
    first_unsent: usize,
    kept_on_their_way: usize,
    kept: usize,
    /// Something has to be sent once more: until all that went with it is answered, nothing that has to be kept is sent, or it
    /// could overtake.
    is_held: bool,
    /// A room is being entered: until it is known whether that was possible, nothing is sent that may need it.
    is_joining: bool,
}

impl Requests {
    pub(super) fn new(seed: u64) -> Requests {
        Requests {
            prefix: format!("{seed:016x}"),
            count: 0,
            asked: VecDeque::new(),
            first_unsent: 0,
            kept_on_their_way: 0,
            kept: 0,
            is_held: false,
            is_joining: false,
        }
    }

    /// A name that no other request has.
    pub(super) fn nonce(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.prefix, self.count)
    }

    pub(super) fn add(&mut self, request: Request) -> String {
        let nonce = self.nonce();
        self.kept += usize::from(request.is_kept());
        self.asked.push_back(Asked { nonce: nonce.clone(), request, is_sent: false });
        nonce
    }

    /// Whether any that has to be kept was sent and is not answered.
    pub(super) fn has_kept_on_their_way(&self) -> bool {
        self.kept_on_their_way > 0
    }

    /// What was asked for under this nonce, if it is not answered.
    pub(super) fn get(&self, nonce: &str) -> Option<&Request> {
        self.find(nonce).map(|nth| &self.asked[nth].request)
    }

    /// Whether it was asked to leave this room, and that is not answered.
    pub(super) fn is_leaving(&self, room: &str) -> bool {
        let key = hub::key_of(room);
        self.is_asked(|request| matches!(request, Request::Leave { room } if hub::key_of(room) == key))
    }

    /// Whether it was asked to enter this room, and that is not answered.
    pub(super) fn is_joining(&self, room: &str) -> bool {
        let key = hub::key_of(room);
        self.is_asked(|request| matches!(request, Request::Join { room } if hub::key_of(room) == key))
    }

    fn is_asked(&self, what: impl Fn(&Request) -> bool) -> bool {
        self.asked.iter().any(|asked| what(&asked.request))
    }

    /// How many have to be kept.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// The lines of those that may be sent now.
    pub(super) fn take_sendable(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.is_held &= self.has_kept_on_their_way();
        while let Some(asked) = self.asked.get_mut(self.first_unsent) {
            let is_kept = asked.request.is_kept();
            let is_barred = self.is_held || self.kept_on_their_way >= KEPT_MAX;
            if bytes.len() > BATCH_BYTES_MAX || self.is_joining || (is_kept && is_barred) {
                break;
            }
            self.first_unsent += 1;
            if asked.is_sent {
                continue;
            }
            asked.is_sent = true;
            self.kept_on_their_way += usize::from(is_kept);
            self.is_joining = matches!(asked.request, Request::Join { .. });
            bytes.extend(asked.request.line(Some(&asked.nonce)));
        }
        bytes
    }

    /// An answer has come: what it answers is done with, unless more pages follow. Whether that was something that has to be kept.
    pub(super) fn answered(&mut self, answer: &Answer) -> bool {
        let nonce = match answer {
            Answer::Names(names) if names.more => None,
            Answer::Rooms(rooms) if rooms.more => None,
            answer => answer.nonce(),
        };
        let Some(nth) = nonce.and_then(|nonce| self.find(nonce)) else { return false };
        let is_kept = self.asked[nth].request.is_kept();
        self.remove(nth);
        is_kept
    }

    /// The connection has ended: what has to be kept is sent again on the next one, the rest is not. Answers with the nonces of
    /// what was sent and will not be answered.
    pub(super) fn disconnected(&mut self) -> Vec<String> {
        let mut unanswered = Vec::new();
        self.asked.retain_mut(|asked| {
            let is_over = asked.is_sent && !asked.request.is_kept();
            asked.is_sent = false;
            if is_over {
                unanswered.push(std::mem::take(&mut asked.nonce));
            }
            !is_over
        });
        self.first_unsent = 0;
        self.kept_on_their_way = 0;
        self.is_held = false;
        self.is_joining = false;
        unanswered
    }

    /// Messages have other sequences than they had, so what was to change one could change another: that is not sent any more.
    /// Answers with the nonces. Nothing may be on its way.
    pub(super) fn forget_targets(&mut self) -> Vec<String> {
        let mut forgotten = Vec::new();
        self.asked.retain_mut(|asked| {
            let has_target = matches!(asked.request, Request::Edit { .. } | Request::Redact { .. });
            if has_target {
                forgotten.push(std::mem::take(&mut asked.nonce));
            }
            !has_target
        });
        self.kept -= forgotten.len();
        forgotten
    }

    /// Something that was sent was not done, and is to be sent once more, before all that follows it and was not sent.
    /// Whether it was known.
    pub(super) fn send_again(&mut self, nonce: &str) -> bool {
        let Some(nth) = self.find(nonce) else { return false };
        let asked = &mut self.asked[nth];
        self.is_joining &= !matches!(asked.request, Request::Join { .. });
        if std::mem::take(&mut asked.is_sent) && asked.request.is_kept() {
            self.kept_on_their_way -= 1;
            self.is_held = true;
        }
        self.first_unsent = self.first_unsent.min(nth);
        true
    }

    fn find(&self, nonce: &str) -> Option<usize> {
        // As a rule it is the first one. It may stand behind one that is to be sent once more.
        self.asked.iter().position(|asked| asked.nonce == nonce)
    }

    fn remove(&mut self, nth: usize) {
        let Some(asked) = self.asked.remove(nth) else { return };
        self.is_joining &= !matches!(asked.request, Request::Join { .. });
        if asked.request.is_kept() {
            self.kept -= 1;
            self.kept_on_their_way -= usize::from(asked.is_sent);
        }
        if nth < self.first_unsent {
            self.first_unsent -= 1;
        }
    }
}
