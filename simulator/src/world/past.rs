//! What is asked of the past in a simulated world, and what clients make of what they are shown of it.
//!
//! Where it stands: between the desk and the store, and between what leaves the server and what a client keeps. Questions
//! are answered late and in any order, but one member's in theirs; a page comes behind the mail of its position.
//!
//! What this file must never do: answer what is not durable where nothing else may be shown before it is.

use super::{Outcome, Question, World};
use crate::device::{Delivery, client_id};
use crate::reader::{Reader, Stay};
use engine::{Mail, Release};
use hub::{Audience, Event, Known, MemberId, Reading, Refusal, Sequence, Speaker, Told, Verb, Wanted};
use std::sync::Arc;

impl World {
    /// The desk may have something to ask. Whoever is asked knows everything that was told before.
    pub(super) fn ask_store(&mut self) -> Outcome {
        let readings: Vec<Reading> = self.desk.readings().collect();
        let lookups: Vec<_> = self.desk.lookups().collect();
        let should = self.oracle.take_asked();
        if readings != should.readings || lookups != should.lookups {
            return Err(format!("the desk asks {readings:?} and {lookups:?}, but should ask {should:?}"));
        }
        if readings.is_empty() && lookups.is_empty() {
            return Ok(());
        }
        self.store.give(&mut self.desk);
        self.questions.extend(readings.into_iter().map(Question::Reading));
        self.questions.extend(lookups.into_iter().map(|(request, lookup)| Question::Lookup(request, lookup)));
        Ok(())
    }

    /// Perhaps a question is answered, and perhaps somebody who was looked up is brought to the desk.
    pub(super) fn recall(&mut self) -> Outcome {
        if !self.questions.is_empty() && self.memory.u32(..100) < self.weather.recall {
            let any = self.memory.usize(..self.questions.len());
            let member = self.questions[any].member();
            let first = self.questions.iter().position(|question| question.member() == member);
            self.answer(first.unwrap_or(any))?;
        }
        if !self.found.is_empty() && self.memory.u32(..100) < self.weather.recall {
            self.bring_found()?;
        }
        Ok(())
    }

    /// Everything that can be answered is.
    pub(super) fn recall_all(&mut self) -> Outcome {
        for nth in (0..self.questions.len()).rev() {
            self.answer(nth)?;
        }
        while !self.found.is_empty() && self.given_back.is_none() {
            self.bring_found()?;
        }
        Ok(())
    }

    fn bring_found(&mut self) -> Outcome {
        if self.given_back.is_none() && !self.found.is_empty() {
            // Whoever was looked up first need not be back first.
            let any = self.memory.usize(..self.found.len());
            let Some(request) = self.found.remove(any) else { return Ok(()) };
            self.trace.note(|| format!("the desk gets again {request:?}"));
            self.take(request)?;
            self.post_mail()?;
        }
        Ok(())
    }

    fn answer(&mut self, nth: usize) -> Outcome {
        let is_strict = self.weather.release == Release::WhenDurable;
        if let Some(Question::Reading(reading)) = self.questions.get(nth)
            && is_strict
            && reading.position > self.store.position
        {
            return Ok(());
        }
        let is_readable = self.is_calm || self.memory.u32(..100) >= self.weather.unreadable;
        match self.questions.remove(nth) {
            Some(Question::Lookup(request, lookup)) => {
                let unreadable = || Known::Unreadable(Refusal::Unreadable);
                let known = if is_readable { self.store.known(lookup) } else { unreadable() };
                self.trace.note(|| format!("looked up {lookup:?}: {known:?}"));
                self.found.push_back(engine::Request { known: Some(known), ..request });
                Ok(())
            }
            Some(Question::Reading(reading)) if is_readable => self.show_past(&reading),
            Some(Question::Reading(reading)) => {
                let refusal = Refusal::Unreadable;
                self.tell_of_past(
                    &reading,
                    Event::Refused { verb: Verb::History, nonce: None, refusal },
                    Sequence(0),
                )
            }
            None => Ok(()),
        }
    }

    fn show_past(&mut self, reading: &Reading) -> Outcome {
        let Wanted::Page(wanted) = &reading.what else { return Err("nobody searches".into()) };
        let page = self.store.page(wanted);
        self.report.pages += 1;
        self.tell_of_past(reading, Event::Page(Arc::new(page)), wanted.upto)
    }

    /// An answer goes straight to the shard, behind what that was told before.
    fn tell_of_past(&mut self, reading: &Reading, event: Event, upto: Sequence) -> Outcome {
        self.trace.note(|| format!("read {reading:?}"));
        self.post_mail()?;
        let audience = Audience::Member(reading.member);
        let told = Told { position: reading.position, time: self.now, audience, event };
        self.oracle.read(&told, upto)?;
        let lane = &mut self.lanes[usize::from(reading.member.shard())];
        lane.mails.push_back(Mail { told: vec![told], ..Mail::default() });
        Ok(())
    }

    // What clients make of it.

    /// Whoever is a client has been shown something.
    pub(super) fn deliver_to_device(&mut self, person: usize, member: MemberId) -> Outcome {
        let deliveries = self.oracle.reader_mut(member).map(Reader::take_deliveries);
        let Some(device) = &mut self.people[person].device else { return Ok(()) };
        for delivery in deliveries.unwrap_or_default() {
            if let Delivery::Acknowledged { nonce, room, sequence } = &delivery {
                self.oracle.check_acknowledged(client_id(device.client), nonce, (*room, *sequence))?;
            }
            device.take(delivery).map_err(|wrong| format!("the client of {person} finds: {wrong}"))?;
        }
        Ok(())
    }

    /// Its connection is gone: up to where it was sure, nothing may have been left out.
    pub(super) fn disconnect_device(&mut self, person: usize) -> Outcome {
        let Some(device) = &mut self.people[person].device else { return Ok(()) };
        for (room, base, mark, seen) in device.seen() {
            let is_left_out = |number: &Sequence| !seen.contains(number) && !device.is_owed(room, *number);
            if let Some(number) = self.oracle.facts_between(room, base, mark).find(is_left_out) {
                return Err(format!(
                    "the client of {person} was never shown number {} of room {room}, and believes that it has all \
                     between {} and {}",
                    number.0, base.0, mark.0
                ));
            }
        }
        device.disconnected();
        Ok(())
    }

    /// Everything has flowed: clients have everything of the rooms that they are in, but what they know to be missing.
    pub(super) fn check_devices(&mut self) -> Outcome {
        for (person, link) in self.links.iter().enumerate() {
            let (Some(link), Some(device)) = (link, &self.people[person].device) else { continue };
            let Some(reader) = self.oracle.reader_mut(link.member).filter(|reader| reader.stay == Stay::Here)
            else {
                continue;
            };
            let rooms = reader.rooms.clone();
            if device.is_waiting() {
                return Err(format!("the client of {person} waits for what it missed: {device:?}"));
            }
            for (room, base, _, seen) in device.seen().filter(|(room, ..)| rooms.contains(room)) {
                let mut facts = self.oracle.facts_between(room, base, Sequence(u64::MAX));
                let is_missing =
                    |number: &Sequence| !seen.contains(number) && !device.is_excused(room, *number);
                if let Some(number) = facts.find(is_missing) {
                    return Err(format!(
                        "the client of {person} never got number {} of room {room}",
                        number.0
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Question {
    /// Who waits for the answer.
    fn member(&self) -> Option<MemberId> {
        match self {
            Question::Reading(reading) => Some(reading.member),
            Question::Lookup(request, _) => match request.speaker {
                Speaker::Member(member) => Some(member),
                Speaker::Door { .. } => None,
            },
        }
    }
}
