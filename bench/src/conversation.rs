//! Members talking: keeps messages in flight, or says them at a pace, until all of them have been heard.
//!
//! It stands between the scenarios and crowd and ledger. Every wait in it is bounded: when nothing is delivered for ten
//! seconds, what is missing counts as lost. It must never say a message that the ledger does not know.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    crowd::Crowd,
    ledger::{Figures, Ledger, Seating},
};

/// How long it may take until the next of the missing deliveries arrives.
const SILENCE_AT_MOST: Duration = Duration::from_secs(10);

/// How long a single wait is at most; between two it is seen whether something is overdue.
const WAIT: Duration = Duration::from_millis(500);

/// Who says the next message.
#[derive(Clone, Copy, Debug)]
pub enum Speakers {
    /// Always the first member.
    First,
    /// One after the other, all members of one room.
    Everyone,
    /// One room after the other; in each, one member after the other.
    RoomByRoom,
}

impl Speakers {
    fn nth(self, seating: &Seating, message: usize) -> usize {
        match self {
            Self::First => 0,
            Self::Everyone => message % seating.members(),
            Self::RoomByRoom => {
                let (room, round) = (message % seating.rooms, message / seating.rooms);
                room * seating.members_per_room + round % seating.members_per_room
            }
        }
    }
}

/// Members in their rooms, ready to talk.
pub struct Conversation {
    crowd: Crowd,
    ledger: Ledger,
    seating: Seating,
    message_bytes: usize,
    line: Vec<u8>,
    said: usize,
}

impl Conversation {
    /// Everyone in `seating` joins, one after the other, and the rooms become quiet (nothing heard for `quiet`).
    ///
    /// # Errors
    ///
    /// If somebody is not welcomed.
    pub fn gather(
        address: SocketAddr,
        seating: Seating,
        message_bytes: usize,
        quiet: Duration,
    ) -> Result<Self> {
        let mut crowd = Crowd::gather()?;
        for member in 0..seating.members() {
            crowd.join(address, seating.room_name(member).as_deref())?;
        }
        crowd.settle(quiet)?;
        let ledger = Ledger::open(&seating, message_bytes);
        Ok(Self { crowd, ledger, seating, message_bytes, line: Vec::new(), said: 0 })
    }

    /// Says `messages`, always keeping `in_flight` of them on their way, until all have been heard.
    ///
    /// # Errors
    ///
    /// If anything is lost, doubled, changed or out of order.
    pub fn keep_in_flight(&mut self, speakers: Speakers, in_flight: usize, messages: usize) -> Result<()> {
        let upto = self.said + messages;
        while self.said < upto {
            while self.said < upto && self.ledger.in_flight() < in_flight {
                self.say_next(speakers)?;
            }
            self.listen(WAIT)?;
        }
        self.hear_all()
    }

    /// Says `messages`, `per_second` of them, whether or not those before have been heard, then waits until all were.
    ///
    /// # Errors
    ///
    /// If anything is lost, doubled, changed or out of order.
    pub fn pace(&mut self, speakers: Speakers, per_second: u32, messages: usize) -> Result<()> {
        let begin = Instant::now();
        for message in 0..messages {
            let due = Duration::from_secs(1) * message as u32 / per_second;
            while let Some(wait) = due.checked_sub(begin.elapsed()).filter(|wait| !wait.is_zero()) {
                self.crowd.turn(wait, &mut self.ledger)?;
                self.check()?;
            }
            self.say_next(speakers)?;
        }
        self.hear_all()
    }

    /// Listens until the rooms are quiet; what is heard is still checked.
    ///
    /// # Errors
    ///
    /// If the server closed a connection or something was heard that should not have been.
    pub fn settle(&mut self, quiet: Duration) -> Result<()> {
        while self.crowd.turn(quiet, &mut self.ledger)? > 0 {}
        self.check()
    }

    /// Takes what was counted and begins to count anew.
    pub fn take_figures(&mut self) -> Figures {
        self.ledger.take_figures()
    }

    fn say_next(&mut self, speakers: Speakers) -> Result<()> {
        let speaker = speakers.nth(&self.seating, self.said);
        let message =
            self.ledger.enter(speaker, self.crowd.now_ns()).context("too many messages are in flight")?;
        self.line.clear();
        message.write(self.message_bytes, &mut self.line);
        self.crowd.say(speaker, &self.line)?;
        self.said += 1;
        Ok(())
    }

    fn hear_all(&mut self) -> Result<()> {
        while self.ledger.in_flight() > 0 {
            self.listen(WAIT)?;
        }
        Ok(())
    }

    /// Waits until something is heard, at most [`SILENCE_AT_MOST`].
    fn listen(&mut self, wait: Duration) -> Result<()> {
        let begin = Instant::now();
        while self.crowd.turn(wait, &mut self.ledger)? == 0 {
            if begin.elapsed() > SILENCE_AT_MOST {
                let (missing, messages) = (self.ledger.missing(), self.ledger.in_flight());
                bail!("lost: {missing} deliveries of {messages} messages never came");
            }
        }
        self.check()
    }

    fn check(&self) -> Result<()> {
        self.ledger.violation().map_or(Ok(()), |what| bail!("violation: {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_take_their_turns() {
        let seating = Seating { rooms: 3, members_per_room: 2 };
        let order = |speakers: Speakers| (0..7).map(|n| speakers.nth(&seating, n)).collect::<Vec<_>>();
        assert_eq!(order(Speakers::First), [0; 7]);
        assert_eq!(order(Speakers::Everyone), [0, 1, 2, 3, 4, 5, 0]);
        assert_eq!(order(Speakers::RoomByRoom), [0, 2, 4, 1, 3, 5, 0]);
    }
}
