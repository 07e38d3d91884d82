//! From bytes to lines, and from lines to what they mean.
//!
//! Where it stands: the session has judged the connection and taken telnet's commands out. Lines are read where they lie, as
//! long as none has to wait: for an answer, for the person to read, or because too many came.
//!
//! What this file must never do: say a part of a line twice, or drop one that has to wait.

use super::{
    APPEAR_MS, FirstLine, Outlet, PlainSession, Stage, Throttle, Timer, Turn, Visibility, WORDS_BYTES_MAX,
};
use crate::plain::commands;
use crate::plain::input::RawLine;
use crate::plain::words;
use crate::sniff;
use hub::{Command, Text, Time};
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation as _;

impl PlainSession {
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.stage, Stage::Present | Stage::Ended) && !self.is_waiting()
    }

    /// Whether lines have to wait: for an answer, for the person to read, or because too many came.
    pub(super) fn is_waiting(&self) -> bool {
        self.awaited.is_some() || self.outlet != Outlet::Free || self.held_until().is_some()
    }

    /// Until when no line is worked on, because too many came.
    pub(super) fn held_until(&self) -> Option<Time> {
        match self.rare.as_ref()?.throttle? {
            Throttle::Holding(until) => Some(until),
            Throttle::Told | Throttle::Lifted => None,
        }
    }

    /// Whether another line may be worked on now. If too many came, the rest waits, and its sender is told that.
    pub(super) fn may_send(&mut self, turn: &mut Turn<'_>) -> bool {
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
        if throttle.is_none() && !self.style.relays() {
            words::throttled(turn.setup.lines_per_second.of(self.origin), turn.output);
        }
        let until = turn.now.after_ms(wait_ms);
        self.with_rare(|rare| rare.throttle = Some(Throttle::Holding(until)));
        false
    }

    /// Something was sent that counts.
    pub(super) fn spend(&mut self, turn: &mut Turn<'_>) {
        self.pace.spend(turn.now, turn.setup.lines_per_second.of(self.origin));
    }

    /// The time of holding somebody's lines back is over.
    pub(super) fn release(&mut self, throttle: Throttle, turn: &mut Turn<'_>) {
        self.with_rare(|rare| rare.throttle = Some(throttle));
        self.read_waiting(turn);
    }

    /// Everything that was answered has been read: works on the lines that had to wait for that.
    pub(super) fn read_on(&mut self, turn: &mut Turn<'_>) {
        self.outlet = Outlet::Free;
        self.read_waiting(turn);
    }

    pub(super) fn read_waiting(&mut self, turn: &mut Turn<'_>) {
        let waiting = self.input.take_waiting();
        let bytes_used = self.read(waiting.bytes(), turn);
        self.input.put_back(waiting, bytes_used);
    }

    /// Works on lines until the next has to wait; returns how many bytes need not be looked at again. Complete
    /// lines are read where they lie.
    pub(super) fn read(&mut self, bytes: &[u8], turn: &mut Turn<'_>) -> usize {
        if self.is_editing() {
            return self.edit(bytes, turn);
        }
        let mut from = 0;
        while self.is_reading() {
            let rest = &bytes[from..];
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.begin_line(rest, turn);
                return bytes.len();
            };
            if !self.may_send(turn) {
                break;
            }
            from += end + 1;
            self.spend(turn);
            if self.input.has_partial() {
                let stored = self.input.finish_line(&rest[..end]);
                self.line(stored.line(), turn);
                if bytes == b"\r\n" && stored.came_key_by_key() && !self.style.relays() {
                    self.offer_editor();
                }
            } else {
                self.line(RawLine::new(&rest[..end]), turn);
            }
            self.wait_if_much_was_said(turn);
        }
        if self.is_waiting() { from } else { bytes.len() }
    }

    /// What comes next waits until the person has read what was answered, if that is much.
    pub(super) fn wait_if_much_was_said(&mut self, turn: &mut Turn<'_>) {
        if self.is_reading() && turn.output.words.len() >= WORDS_BYTES_MAX {
            self.outlet = Outlet::Full;
        }
    }

    fn begin_line(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        self.input.add_to_line(bytes);
        if self.first_line == FirstLine::Judged {
            return;
        }
        let beginning = sniff::without_leading_blank_lines(self.input.partial());
        if let Some(protocol) = sniff::protocol_of_beginning(beginning)
            && self.style.refuses(protocol)
        {
            let stored = self.input.finish_line(b"");
            self.refuse(protocol, stored.line().head(), turn);
        }
    }

    pub(super) fn line(&mut self, line: RawLine<'_>, turn: &mut Turn<'_>) {
        if self.first_line == FirstLine::Unjudged && !line.is_blank() {
            self.first_line = FirstLine::Judged;
            if let Some(protocol) = line.protocol()
                && self.style.refuses(protocol)
            {
                return self.refuse(protocol, line.head(), turn);
            }
        }
        if self.style.relays() {
            return self.relay(&line, turn);
        }
        let decoded = line.decode();
        let is_whole = decoded.bytes_used == line.bytes();
        match commands::typed(&without_erased(&decoded.text)) {
            commands::Typed::Talk(text) => {
                if self.talk(text, turn) && !is_whole {
                    words::line_cut(line.bytes(), decoded.bytes_used, turn.output);
                }
            }
            commands::Typed::Command(command) if is_whole => commands::run(self, command, turn),
            commands::Typed::Command(_) => words::command_too_long(line.bytes(), turn.output),
        }
    }

    fn relay(&mut self, line: &RawLine<'_>, turn: &mut Turn<'_>) {
        if let Some(room) = self.current() {
            let text = self.style.relayed(line);
            turn.output.commands.push(Command::Say { room, text, nonce: None });
        }
    }

    /// Says something where the person is; returns whether there was something to say and somewhere to say it.
    fn talk(&mut self, text: &str, turn: &mut Turn<'_>) -> bool {
        // Blank lines are not worth a word. Nothing is cut here: a line that is decoded has at most what a text may have.
        let Ok(fitted) = Text::fitted(text) else { return false };
        let Some(room) = self.current() else {
            words::in_no_room(turn.setup, turn.output);
            return false;
        };
        turn.output.commands.push(Command::Say { room, text: fitted.text, nonce: None });
        if self.stage == Stage::Present && self.visibility == Visibility::Hidden && self.timer.get().is_none()
        {
            self.timer = Timer::at(turn.now.after_ms(APPEAR_MS));
        }
        true
    }
}

/// A line as its sender saw it: BS and DEL have taken the character in front of them away, and Ctrl-U everything.
fn without_erased(text: &str) -> Cow<'_, str> {
    const BACKSPACE: char = '\u{08}';
    const DELETE: char = '\u{7f}';
    const CTRL_U: char = '\u{15}';
    let keys = [BACKSPACE, DELETE, CTRL_U];
    if memchr::memchr3(BACKSPACE as u8, DELETE as u8, CTRL_U as u8, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len());
    for piece in text.split_inclusive(keys) {
        let typed = piece.strip_suffix(keys);
        seen.push_str(typed.unwrap_or(piece));
        match piece.chars().next_back() {
            Some(CTRL_U) => seen.clear(),
            Some(BACKSPACE | DELETE) => {
                seen.truncate(last_character(&seen));
            }
            _ => {}
        }
    }
    Cow::Owned(seen)
}

/// Where the last grapheme cluster begins. Only the end is looked at: a long row of flags is not gone through for each key.
fn last_character(text: &str) -> usize {
    const CHARACTER_BYTES_MAX: usize = 128;
    let begins =
        (text.len().saturating_sub(CHARACTER_BYTES_MAX)..=text.len()).find(|at| text.is_char_boundary(*at));
    let begin = begins.unwrap_or(0);
    text[begin..].grapheme_indices(true).next_back().map_or(begin, |(start, _)| begin + start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_as_its_sender_saw_it() {
        let table = [
            ("hex\u{8}llo", "hello"),
            ("你好\u{7f}们", "你们"),
            ("e\u{301}\u{8}x", "x"),
            ("👨‍👩‍👧\u{8}x", "x"),
            ("\u{8}\u{8}x", "x"),
            ("wrong\u{15}right", "right"),
            ("as it is", "as it is"),
        ];
        for (typed, seen) in table {
            assert_eq!(without_erased(typed), seen, "{}", typed.escape_debug());
        }
    }

    #[test]
    fn nothing_is_left_of_flags_that_are_all_erased() {
        let flags = 2000;
        let line = format!("{}{}", "🇩🇪".repeat(flags), "\u{8}".repeat(flags));
        assert_eq!(without_erased(&line), "");
    }
}
