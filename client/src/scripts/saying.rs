//! Saying line after line, and knowing what became of each.
//!
//! Where it stands: between the reader of lines and the visit; `say` and `bot` are made of it.
//!
//! What this file must never do: take a message for said that was not acknowledged, or hold more of them than
//! [`super::input::AHEAD_MAX`].

use super::input::{Allowance, Input};
use super::remark;
use super::visit::Visit;
use crate::wire::{Answer, Request};
use hub::{Manner, Text};
use std::collections::HashMap;
use std::time::Instant;

pub(super) struct Saying {
    room: String,
    manner: Manner,
    /// The line of each message that is not acknowledged, by its nonce.
    waiting: HashMap<String, u64>,
    /// How much was acknowledged.
    pub(super) said: u64,
    /// How much will never be said.
    pub(super) unsaid: u64,
    /// Nothing more is to be said.
    pub(super) is_over: bool,
    /// When it went on the last time.
    pub(super) progressed: Instant,
}

impl Saying {
    pub(super) fn new(room: &str, manner: Manner) -> Saying {
        Saying {
            room: room.to_owned(),
            manner,
            waiting: HashMap::new(),
            said: 0,
            unsaid: 0,
            is_over: false,
            progressed: Instant::now(),
        }
    }

    /// How much is not acknowledged.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes in what was read.
    pub(super) fn read<I: Send + 'static>(
        &mut self,
        input: Input,
        visit: &mut Visit<I>,
        allowance: &Allowance,
    ) {
        match input {
            Input::Message { number, text } => self.say(number, &text, visit),
            Input::Unsayable { number, why, .. } => {
                self.refused(number, &why.to_string());
                allowance.grant(1);
            }
            Input::End => self.is_over = true,
            Input::Broken(error) => {
                remark(&format!("cannot read on: {error}"));
                self.unsaid += 1;
                self.is_over = true;
            }
        }
    }

    /// Says it. `number` is that of its line, or 0 if it has none.
    pub(super) fn say<I: Send + 'static>(&mut self, number: u64, text: &Text, visit: &mut Visit<I>) {
        let (room, text) = (self.room.clone(), text.formatted().to_owned());
        if self.waiting.is_empty() {
            self.progressed = Instant::now();
        }
        let nonce = visit.request(match self.manner {
            Manner::Saying => Request::Say { room, text },
            Manner::Acting => Request::Act { room, text },
        });
        self.waiting.insert(nonce, number);
    }

    /// Takes in what the server says. Whether it was about something that was said here.
    pub(super) fn hear(&mut self, answer: &Answer) -> bool {
        let (nonce, refusal) = match answer {
            Answer::Ack(ack) => (ack.nonce.as_deref(), None),
            Answer::Refusal(refusal) => (refusal.nonce.as_deref(), Some(&refusal.text)),
            _ => return false,
        };
        let Some(number) = nonce.and_then(|nonce| self.waiting.remove(nonce)) else { return false };
        self.progressed = Instant::now();
        match refusal {
            None => self.said += 1,
            Some(text) => self.refused(number, text),
        }
        true
    }

    fn refused(&mut self, number: u64, why: &str) {
        self.unsaid += 1;
        match number {
            0 => remark(&format!("not said: {why}")),
            number => remark(&format!("line {number} was not said: {why}")),
        }
    }
}
