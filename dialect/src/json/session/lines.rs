//! From bytes to lines, and from lines to requests.
//!
//! Where it stands: in front of the handlers. Lines are read where they lie, as long as none has to wait: for an answer, for the
//! client to read, or because too many came.
//!
//! What this file must never do: work on a line twice, or drop one that has to wait.

use super::{InputEnd, JsonSession, Outlet, Stage, Throttle, Turn, WORDS_BYTES_MAX, requests};
use crate::json::input::{LINE_BYTES_MAX, Next};
use crate::json::request::Request;
use crate::json::words;
use hub::Time;

impl JsonSession {
    pub(super) fn hear(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        if !self.is_listening() {
            return;
        }
        let bytes_used = if self.input.is_empty() { self.read_in_place(bytes, turn) } else { 0 };
        if self.is_listening() {
            self.input.add(&bytes[bytes_used..]);
            self.read_waiting(turn);
        }
    }

    /// Whether lines have to wait: for an answer, for the client to read, or because too many came.
    pub(super) fn is_waiting(&self) -> bool {
        self.awaited.is_some()
            || self.outlet != Outlet::Free
            || self.held_until().is_some()
            || self.rare.as_ref().is_some_and(|rare| rare.catching.is_some())
    }

    fn is_reading(&self) -> bool {
        self.is_listening() && !self.is_waiting()
    }

    /// Until when no line is worked on, because too many came.
    pub(super) fn held_until(&self) -> Option<Time> {
        match self.rare.as_ref()?.throttle? {
            Throttle::Holding(until) => Some(until),
            Throttle::Told | Throttle::Lifted => None,
        }
    }

    /// Whether another line may be worked on now. If too many came, the rest waits, and its sender is told that.
    fn may_send(&mut self, turn: &mut Turn<'_>) -> bool {
        let throttle = self.rare.as_ref().and_then(|rare| rare.throttle);
        if throttle == Some(Throttle::Lifted) {
            return true;
        }
        let wait_ms = self.pace.wait_ms(turn.now);
        if wait_ms == 0 {
            if throttle.is_some() && self.pace.is_relaxed(turn.now) {
                self.with_rare(|rare| rare.throttle = None);
            }
            return true;
        }
        if throttle.is_none() {
            words::throttled(self.lines_per_second(turn), &mut turn.output.words);
        }
        let until = turn.now.after_ms(wait_ms);
        self.with_rare(|rare| rare.throttle = Some(Throttle::Holding(until)));
        false
    }

    pub(super) fn lines_per_second(&self, turn: &Turn<'_>) -> u32 {
        turn.setup.lines_per_second.of(self.origin)
    }

    /// The time of holding somebody's lines back is over.
    pub(super) fn release(&mut self, throttle: Throttle, turn: &mut Turn<'_>) {
        self.with_rare(|rare| rare.throttle = Some(throttle));
        self.read_waiting(turn);
    }

    /// Works on whole lines of bytes behind which nothing waits; returns how many bytes were used.
    fn read_in_place(&mut self, bytes: &[u8], turn: &mut Turn<'_>) -> usize {
        let mut from = 0;
        while self.is_reading()
            && let Some(end) = memchr::memchr(b'\n', &bytes[from..])
            && self.may_send(turn)
        {
            let line = &bytes[from..from + end];
            from += end + 1;
            self.work_on((line.len() <= LINE_BYTES_MAX).then_some(line), turn);
        }
        from
    }

    /// Works on the lines that had to wait, until the next has to.
    pub(super) fn read_waiting(&mut self, turn: &mut Turn<'_>) {
        // Nothing is held back that is not there.
        while self.is_reading() && self.input.has_line() && self.may_send(turn) {
            match self.input.next() {
                Next::Line(line) => self.work_on(Some(&line), turn),
                Next::Overlong => self.work_on(None, turn),
                Next::Nothing => break,
            }
        }
        self.end_if_all_was_said(turn);
    }

    /// Somebody who ended without having said hello has nothing to wait for.
    fn end_if_all_was_said(&mut self, turn: &mut Turn<'_>) {
        if self.stage == Stage::New && self.input_end == InputEnd::Reached && !self.is_waiting() {
            self.close(turn.output);
        }
    }

    /// A line; without one, it was too long.
    fn work_on(&mut self, line: Option<&[u8]>, turn: &mut Turn<'_>) {
        self.pace.spend(turn.now, self.lines_per_second(turn));
        match line {
            None => words::line_too_long(&mut turn.output.words),
            Some(line) if line.trim_ascii().is_empty() => {}
            Some(line) => match Request::read(line) {
                Ok(request) => requests::work_on(self, &request, turn),
                Err(unreadable) => words::unreadable(&unreadable, &mut turn.output.words),
            },
        }
        // What comes next waits until the client has read what was answered, if that is much.
        if self.is_listening() && turn.output.words.len() >= WORDS_BYTES_MAX {
            self.outlet = Outlet::Full;
        }
    }
}
