//! The network of a simulated world, and the server's two loops at its end: reading and writing.
//!
//! Where it stands: between what people type and the shards, and between the shards and what people are shown. Bytes come
//! in pieces and late, sockets take little or nothing for a while, connections hang up or break.
//!
//! What this file must never do: read from a connection that is paused, or write to one that is blocked.

use super::{Lane, Link, Outcome, Pace, Typing, Unasked, World};
use crate::people::Typed;
use crate::reader::{Later, Recall};
use crate::session::{Kind, label_of};
use dialect::{Arrival, Secret};
use engine::{Due, Release, Request};
use hub::{Command, Speaker};
use std::collections::{BTreeSet, VecDeque};
use std::io::IoSlice;
use std::net::SocketAddr;

/// What is read from a connection at a time, at most.
const READ_BYTES_MAX: usize = 3000;
/// How many slices a write takes.
const SLICES_MAX: usize = 4;

impl World {
    pub(super) fn connect(&mut self, person: usize) -> Outcome {
        let shard = self.any_shard();
        let guest = self.random.u32(..100_000);
        let has_device = self.people[person].device.is_some();
        let guest = if has_device { Kind::programs(guest) } else { guest };
        let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
        let id =
            self.shards[shard].open(&Arrival { now: self.now, peer, guest, secret: Secret::new([0; 16]) });
        let member = self.shards[shard].member(id).ok_or("a connection without a member")?;
        let kind = Kind::of(guest);
        let recall = if has_device { Recall::Everything } else { Recall::Nothing };
        self.oracle.add_reader(member, kind, recall);
        let link = Link {
            shard,
            id,
            member,
            kind,
            up: VecDeque::new(),
            typing: Typing::GoesOn,
            unasked: Unasked { labels: VecDeque::new(), may_drop: self.weather.is_narrow() },
            is_read: true,
            room: self.random.usize(1..=self.weather.socket_bytes_max),
            is_blocked: false,
            is_stalled: false,
        };
        self.trace.note(|| format!("{person} connects to shard {shard} as {member:?}, {kind:?}"));
        self.links[person] = Some(link);
        self.persons.insert(member, person);
        let owners = &mut self.lanes[shard].owners;
        if owners.len() <= id.index() {
            owners.resize(id.index() + 1, None);
        }
        if owners[id.index()].replace(person).is_some() {
            return Err("a connection's index is given out twice".into());
        }
        self.report.connections += 1;
        let typed = self.people[person].begin(kind, &mut self.random);
        self.type_in(person, typed);
        Ok(())
    }

    pub(super) fn type_in(&mut self, person: usize, typed: Typed) {
        let Some(link) = &mut self.links[person] else { return };
        self.trace.note(|| format!("{person} types {:?}", String::from_utf8_lossy(&typed.bytes)));
        link.up.extend(typed.bytes);
        link.unasked.labels.extend(typed.labels);
        link.unasked.may_drop |= typed.leaves;
        if let Some(reader) = self.oracle.reader_mut(link.member) {
            reader.pings.extend(typed.pings);
        }
    }

    pub(super) fn hang_up(&mut self, person: usize) {
        let Some(link) = &mut self.links[person] else { return };
        if link.typing == Typing::GoesOn {
            link.typing = Typing::HungUp;
        }
        self.trace.note(|| format!("{person} hangs up"));
    }

    pub(super) fn reset(&mut self, person: usize) -> Outcome {
        let Some(link) = self.links[person].take() else { return Ok(()) };
        self.trace.note(|| format!("{person} is reset"));
        self.report.resets += 1;
        self.gather_reader(link.member)?;
        self.forget(&link)
    }

    /// The connections whose sessions have panicked are closed.
    pub(super) fn close_broken(&mut self, shard: usize) -> Outcome {
        let mut broken = Vec::new();
        self.shards[shard].take_broken(&mut broken);
        for id in broken {
            let person = self.lanes[shard].owners.get(id.index()).copied().flatten();
            let person = person.ok_or("a connection that nobody has is broken")?;
            let Some(link) = self.links[person].take() else { return Err("nobody's link is broken".into()) };
            self.trace.note(|| format!("the session of {person} has panicked"));
            self.report.panics += 1;
            self.gather_reader(link.member)?;
            self.forget(&link)?;
        }
        Ok(())
    }

    /// The server's side of a connection's end.
    pub(super) fn forget(&mut self, link: &Link) -> Outcome {
        self.lanes[link.shard].owners[link.id.index()] = None;
        self.persons.remove(&link.member);
        self.shards[link.shard].closed(link.id);
        self.post_requests(link.shard)
    }

    pub(super) fn stall_somebody(&mut self) {
        let person = self.any_person();
        if let Some(link) = &mut self.links[person] {
            link.is_stalled = !link.is_stalled;
            let is_stalled = link.is_stalled;
            self.trace.note(|| format!("{person} stalls: {is_stalled}"));
        }
    }

    // The way in.

    pub(super) fn somebody_is_read(&mut self) -> Outcome {
        let person = self.any_person();
        self.read(person, Pace::AtRandom)
    }

    /// The server reads once from a socket that is ready.
    pub(super) fn read(&mut self, person: usize, pace: Pace) -> Outcome {
        let Some(link) = &mut self.links[person] else { return Ok(()) };
        let has_something = !link.up.is_empty() || (link.typing == Typing::HungUp);
        if !link.is_read || !has_something {
            return Ok(());
        }
        let (shard, id) = (link.shard, link.id);
        if !self.shards[shard].wants_input(id) {
            link.is_read = false;
            self.report.pauses += 1;
            self.trace.note(|| format!("{person} is not read for now"));
            return Ok(());
        }
        let limits = &self.weather.limits;
        let private_bytes = self.shards[shard].private_bytes(id);
        let waiting = self.shards[shard].waiting_requests();
        if private_bytes >= limits.private_bytes_max || waiting >= limits.requests_max {
            return Err(format!(
                "{person} is read while {private_bytes} bytes wait for it alone and {waiting} requests for the desk"
            ));
        }
        let most = link.up.len().min(READ_BYTES_MAX);
        if most == 0 {
            link.typing = Typing::Ended;
            self.trace.note(|| format!("{person} has ended"));
            self.shards[shard].ended(self.now, id);
        } else {
            let count = match pace {
                Pace::AtRandom if self.random.bool() => self.random.usize(1..=most),
                _ => most,
            };
            let bytes: Vec<u8> = link.up.drain(..count).collect();
            self.bytes_moved += count as u64;
            self.trace.note(|| format!("{count} bytes of {person} are read"));
            self.shards[shard].received(self.now, id, &bytes);
        }
        self.post_requests(shard)?;
        self.resume(shard);
        self.close_broken(shard)
    }

    pub(super) fn resume(&mut self, shard: usize) {
        let mut resumed = Vec::new();
        self.shards[shard].take_resumed(&mut resumed);
        for id in resumed {
            if let Some(person) = self.lanes[shard].owners.get(id.index()).copied().flatten()
                && let Some(link) = &mut self.links[person]
            {
                link.is_read = true;
                self.trace.note(|| format!("{person} is read again"));
            }
        }
    }

    pub(super) fn post_requests(&mut self, shard: usize) -> Outcome {
        let requests: Vec<Request> = self.shards[shard].requests().collect();
        for request in requests {
            self.trace.note(|| format!("  request {request:?}"));
            self.check_typed(&request)?;
            self.lanes[shard].requests.push_back(request);
        }
        Ok(())
    }

    /// What is asked to be said was typed, and in this order.
    fn check_typed(&mut self, request: &Request) -> Outcome {
        let (Command::Say { text, .. }
        | Command::Act { text, .. }
        | Command::Direct { text, .. }
        | Command::Edit { text, .. }) = &request.command
        else {
            return Ok(());
        };
        let Speaker::Member(member) = &request.speaker else { return Ok(()) };
        let link = self.persons.get(member).and_then(|person| self.links[*person].as_mut());
        let Some(link) = link.filter(|link| link.member == *member) else { return Ok(()) };
        link.unasked.ask(label_of(text.formatted())).map_err(|wrong| format!("of {member:?} {wrong}"))
    }

    // The way out.

    pub(super) fn shard_turn(&mut self, shard: usize) -> Outcome {
        let mut due = Vec::new();
        self.shards[shard].take_due(&mut due);
        let mut seen = BTreeSet::new();
        for id in due {
            if !seen.insert(id) {
                return Err("somebody is due twice".into());
            }
            // Closed in the meantime.
            let Some(person) = self.lanes[shard].owners.get(id.index()).copied().flatten() else { continue };
            self.write(person)?;
        }
        self.shards[shard].settle();
        self.post_requests(shard)?;
        self.resume(shard);
        self.close_broken(shard)?;
        self.check_that_all_hear(shard)?;
        self.check_bounds(shard)
    }

    /// While nothing becomes durable, whoever reads hears what others say, whatever it waits for itself.
    fn check_that_all_hear(&mut self, shard: usize) -> Outcome {
        let Lane { delivered, is_in_trouble, .. } = self.lanes[shard];
        if !is_in_trouble || !self.weather.never_lags || self.weather.release == Release::WhenDurable {
            return Ok(());
        }
        self.report.heard_in_trouble += 1;
        for (person, link) in self.links.iter().enumerate() {
            if let Some(link) = link.as_ref().filter(|link| link.shard == shard && !link.is_blocked)
                && let Some(reader) = self.oracle.reader_mut(link.member)
            {
                reader.check_heard(delivered).map_err(|wrong| format!("in trouble, of {person} {wrong}"))?;
            }
        }
        Ok(())
    }

    /// Writes what a connection is due, until there is nothing more or the socket takes no more.
    pub(super) fn write(&mut self, person: usize) -> Outcome {
        loop {
            let Some(link) = &mut self.links[person] else { return Ok(()) };
            if link.is_blocked {
                return Ok(());
            }
            let shard = &mut self.shards[link.shard];
            match shard.plan(link.id) {
                Due::Nothing => return Ok(()),
                Due::Over => return self.finish(person),
                Due::Bytes => {}
            }
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let count = shard.slices(link.id, &mut slices);
            let offered: usize = slices[..count].iter().map(|slice| slice.len()).sum();
            if offered == 0 {
                return Err("bytes are due, but none are handed out".into());
            }
            let mut taken = offered.min(link.room);
            if taken > 0 && !self.is_calm && self.random.u32(..10) == 0 {
                taken = self.random.usize(..=taken);
            }
            let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
            bytes.truncate(taken);
            link.room -= taken;
            self.bytes_moved += taken as u64;
            link.is_blocked = taken < offered;
            shard.taken(link.id, taken);
            let (member, durable) = (link.member, self.store.position);
            self.trace.note(|| format!("{taken} of {offered} bytes go to {person}"));
            let reader = self.oracle.reader_mut(member).ok_or("a connection that nobody reads")?;
            reader
                .shown(&bytes, durable)
                .map_err(|wrong| format!("{person} ({member:?}) is shown {wrong}"))?;
            self.deliver_to_device(person, member)?;
        }
    }

    /// Everything has been written, the connection is over.
    pub(super) fn finish(&mut self, person: usize) -> Outcome {
        let Some(link) = self.links[person].take() else { return Ok(()) };
        self.trace.note(|| format!("{person} is over"));
        if link.typing == Typing::Ended {
            link.unasked.finish().map_err(|wrong| format!("{person} has hung up, and {wrong}"))?;
        }
        if let Some(reader) = self.oracle.reader_mut(link.member) {
            reader.pings.clear();
            reader.is_listing = false;
            let lane = &self.lanes[usize::from(link.member.shard())];
            let later = if lane.is_in_trouble { Later::NeverComes } else { Later::Comes };
            reader
                .finish(later)
                .map_err(|wrong| format!("{person} ({:?}) is over, but {wrong}", link.member))?;
        }
        self.gather_reader(link.member)?;
        self.forget(&link)
    }

    pub(super) fn somebody_reads(&mut self) {
        for _ in 0..4 {
            let person = self.any_person();
            let most = self.weather.socket_bytes_max;
            let bytes = self.random.usize(1..=most);
            self.drain(person, bytes);
        }
    }

    /// The peer reads: its socket takes more again.
    pub(super) fn drain(&mut self, person: usize, bytes: usize) {
        let Some(link) = &mut self.links[person] else { return };
        if link.is_stalled {
            return;
        }
        link.room = (link.room + bytes).min(self.weather.socket_bytes_max);
        if std::mem::take(&mut link.is_blocked) {
            self.trace.note(|| format!("{person} can be written to"));
            self.shards[link.shard].mark_due(link.id);
        }
    }
}
