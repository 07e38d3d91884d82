//! A connection that speaks one of the dialects: which one its first bytes say.
//!
//! Where it stands: between the shard and the sessions. A connection begins as plain text, which waits before it speaks; as soon
//! as its first line begins an object of JSON it is JSON, even if it was silent for so long that it was greeted. Then it begins
//! anew, as another member: the listener that it was leaves.
//!
//! What this file must never do: understand more of the bytes than that.

use crate::json::JsonSession;
use crate::plain::{PlainSession, Style};
use crate::{Arrival, Output, Own, Secret, Session, Setup, Skipped};
use hub::{MemberId, Time, Told};

/// The session of a connection, in the dialect that it speaks.
pub struct AnySession(Spoken);

enum Spoken {
    /// And what it may come back with, should it turn out to speak JSON.
    Plain(PlainSession, Secret),
    Json(JsonSession),
}

/// A way of writing events, in one of the dialects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AnyRendition {
    /// Plain text.
    Plain(Style),
    /// JSON lines.
    Json,
}

/// Calls the session, whichever it is.
macro_rules! with {
    ($any:expr, $session:ident => $call:expr) => {
        match $any {
            AnySession(Spoken::Plain($session, _)) => $call,
            AnySession(Spoken::Json($session)) => $call,
        }
    };
}

impl AnySession {
    /// Whether it speaks JSON.
    pub fn is_json(&self) -> bool {
        matches!(self.0, Spoken::Json(_))
    }

    /// Lets a connection that begins an object of JSON speak that. What it had sent before is blank.
    fn turn_to_json(&mut self, now: Time, setup: &Setup, bytes: &[u8], output: &mut Output) {
        let Spoken::Plain(plain, secret) = &self.0 else { return };
        if plain.turns_out_json(bytes) {
            output.begins_anew = plain.is_known();
            self.0 = Spoken::Json(JsonSession::begin(setup, plain.begin(now, *secret)));
        }
    }
}

impl Session for AnySession {
    type Rendition = AnyRendition;

    fn new(setup: &Setup, arrival: &Arrival) -> AnySession {
        AnySession(Spoken::Plain(PlainSession::new(setup, arrival), arrival.secret))
    }

    fn rendition(&self) -> AnyRendition {
        match &self.0 {
            Spoken::Plain(plain, _) => AnyRendition::Plain(plain.rendition()),
            Spoken::Json(_) => AnyRendition::Json,
        }
    }

    fn received(&mut self, now: Time, setup: &Setup, bytes: &[u8], output: &mut Output) {
        self.turn_to_json(now, setup, bytes, output);
        with!(self, session => session.received(now, setup, bytes, output));
    }

    fn wants_input(&self) -> bool {
        with!(self, session => session.wants_input())
    }

    fn ended(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        with!(self, session => session.ended(now, setup, output));
    }

    fn deadline(&self) -> Option<Time> {
        with!(self, session => session.deadline())
    }

    fn tick(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        with!(self, session => session.tick(now, setup, output));
    }

    fn told(&mut self, now: Time, setup: &Setup, told: &Told, output: &mut Output) {
        with!(self, session => session.told(now, setup, told, output));
    }

    fn skipped(&mut self, skipped: &Skipped, output: &mut Output) {
        with!(self, session => session.skipped(skipped, output));
    }

    fn drained(&mut self, output: &mut Output) {
        with!(self, session => session.drained(output));
    }

    fn last_call(&mut self, now: Time, setup: &Setup, output: &mut Output) {
        with!(self, session => session.last_call(now, setup, output));
    }

    fn shutdown(&mut self, output: &mut Output) {
        with!(self, session => session.shutdown(output));
    }

    fn own(&mut self, me: MemberId, told: &Told) -> Own {
        with!(self, session => session.own(me, told))
    }

    fn render(rendition: AnyRendition, setup: &Setup, told: &Told, bytes: &mut Vec<u8>) {
        match rendition {
            AnyRendition::Plain(style) => PlainSession::render(style, setup, told, bytes),
            AnyRendition::Json => JsonSession::render((), setup, told, bytes),
        }
    }

    fn filters(&self) -> bool {
        with!(self, session => session.filters())
    }

    fn filter_is_due(&self) -> bool {
        with!(self, session => session.filter_is_due())
    }

    fn filter(&mut self, taken: &[&[u8]], bytes: &mut Vec<u8>) {
        with!(self, session => session.filter(taken, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_of_any_dialect_at_rest_is_small() {
        assert!(size_of::<JsonSession>() <= 72, "{} bytes", size_of::<JsonSession>());
        // Sixteen more than plain text alone: what a connection may come back with that has not said a line yet.
        assert!(size_of::<AnySession>() <= 88, "{} bytes", size_of::<AnySession>());
    }
}
