//! Bytes become keys, cut anywhere.
//!
//! Where it stands: the first thing in the editor. Telnet's own commands are taken out already.
//!
//! A terminal sends what a person types as UTF-8, and the keys without a character as control characters or as sequences
//! that begin with ESC (ECMA-48 §5.4, and what xterm, rxvt and the Linux console made of it). What is not known is
//! swallowed whole, so that nothing of it stands in the line.
//!
//! What this file must never do: hold more than [`SEQUENCE_BYTES_MAX`] bytes, or wait for ever for the end of a sequence.

use crate::editing::Motion;

/// A sequence that is longer than this is none.
pub(super) const SEQUENCE_BYTES_MAX: usize = 32;

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// What was pressed, by what it is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// A character, fit to be shown or not.
    Character(char),
    /// The line is finished.
    Enter,
    /// Completion.
    Tab,
    /// The cursor moves.
    Go(Motion),
    /// What stands between the cursor and there goes.
    Erase(Motion),
    /// The same, and it can be put back.
    Kill(Motion),
    /// Ctrl-D: the character under the cursor goes or, on an empty line, the person.
    EraseOrEnd,
    /// What was killed last comes back.
    Yank,
    /// Two characters are exchanged.
    Transpose,
    /// The row is written anew.
    Redraw,
    /// The line before in the history.
    Older,
    /// The line behind in the history.
    Newer,
    /// Ctrl-C.
    Interrupt,
}

/// What has begun and not ended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    Nothing,
    /// A character of several bytes.
    Character,
    /// ESC, and what may stand behind it before a last byte.
    Escape,
    /// ESC `[`: a control sequence.
    Control,
    /// ESC O: one more character of the old keypads.
    SingleShift,
    /// ESC `]` and its like: anything up to BEL or ESC `\`.
    ControlString,
}

/// What a byte came to.
enum Step {
    /// It is used.
    Used(Option<Key>),
    /// It belongs to what comes next; perhaps it ended something.
    Unused(Option<Key>),
}

/// The reader of keys.
#[derive(Default)]
pub(super) struct Keys {
    state: State,
    held: [u8; SEQUENCE_BYTES_MAX],
    held_bytes: usize,
    /// A LF or NUL that comes now belongs to the CR before it (RFC 854).
    is_behind_carriage_return: bool,
}

impl Keys {
    /// Reads up to the first key. Answers with how many bytes were used; without a key, all were.
    pub(super) fn next(&mut self, bytes: &[u8]) -> (usize, Option<Key>) {
        for (index, &byte) in bytes.iter().enumerate() {
            let step = match self.step(byte) {
                // Nothing is begun any more, so that the byte is used this time.
                Step::Unused(None) => self.step(byte),
                step => step,
            };
            match step {
                Step::Used(Some(key)) => return (index + 1, Some(key)),
                Step::Unused(Some(key)) => return (index, Some(key)),
                Step::Used(None) | Step::Unused(None) => {}
            }
        }
        (bytes.len(), None)
    }

    fn step(&mut self, byte: u8) -> Step {
        match self.state {
            State::Nothing => Step::Used(self.begin(byte)),
            State::Character => self.character(byte),
            State::Escape => self.escape(byte),
            State::Control => self.control(byte),
            State::SingleShift => self.single_shift(byte),
            State::ControlString => self.control_string(byte),
        }
    }

    fn begin(&mut self, byte: u8) -> Option<Key> {
        let is_behind_carriage_return = std::mem::take(&mut self.is_behind_carriage_return);
        match byte {
            b'\n' | 0 if is_behind_carriage_return => None,
            b'\r' => {
                self.is_behind_carriage_return = true;
                Some(Key::Enter)
            }
            ESCAPE => self.enter(State::Escape),
            0x20..=0x7e => Some(Key::Character(char::from(byte))),
            0x80.. => {
                self.enter(State::Character);
                match self.character(byte) {
                    Step::Used(key) | Step::Unused(key) => key,
                }
            }
            _ => key_of_control(byte),
        }
    }

    fn enter(&mut self, state: State) -> Option<Key> {
        self.state = state;
        self.held_bytes = 0;
        None
    }

    /// A byte of something that goes on. What is too long is dropped, and text begins behind it.
    fn hold(&mut self, byte: u8) -> Step {
        match self.held.get_mut(self.held_bytes) {
            Some(place) => {
                *place = byte;
                self.held_bytes += 1;
            }
            None => self.state = State::Nothing,
        }
        Step::Used(None)
    }

    fn end(&mut self, key: Option<Key>) -> Step {
        self.state = State::Nothing;
        Step::Used(key)
    }

    /// The sequence is broken off by a byte that is no part of it.
    fn break_off(&mut self) -> Step {
        self.state = State::Nothing;
        Step::Unused(None)
    }

    /// One U+FFFD stands for each maximal part that is no UTF-8 (Unicode §3.9).
    fn character(&mut self, byte: u8) -> Step {
        self.hold(byte);
        match std::str::from_utf8(&self.held[..self.held_bytes]) {
            Ok(text) => {
                let key = text.chars().next().map(Key::Character);
                self.end(key)
            }
            Err(error) if error.error_len().is_none() => Step::Used(None),
            Err(_) => {
                self.state = State::Nothing;
                let key = Some(Key::Character(char::REPLACEMENT_CHARACTER));
                if self.held_bytes == 1 { Step::Used(key) } else { Step::Unused(key) }
            }
        }
    }

    fn escape(&mut self, byte: u8) -> Step {
        let is_first = self.held_bytes == 0;
        match byte {
            ESCAPE => Step::Used(self.enter(State::Escape)),
            b'[' if is_first => Step::Used(self.enter(State::Control)),
            b'O' if is_first => Step::Used(self.enter(State::SingleShift)),
            b']' | b'P' | b'X' | b'^' | b'_' if is_first => Step::Used(self.enter(State::ControlString)),
            0x08 | 0x7f if is_first => self.end(Some(Key::Kill(Motion::WordLeft))),
            0x20..=0x2f => self.hold(byte),
            0x30..=0x7e => self.end(if is_first { key_of_alt(byte) } else { None }),
            _ => self.break_off(),
        }
    }

    fn control(&mut self, byte: u8) -> Step {
        match byte {
            0x20..=0x3f => self.hold(byte),
            // The Linux console's function keys: ESC [ [ A.
            b'[' if self.held_bytes == 0 => self.hold(byte),
            0x40..=0x7e => {
                let key = key_of_sequence(&self.held[..self.held_bytes], byte);
                self.end(key)
            }
            _ => self.break_off(),
        }
    }

    fn single_shift(&mut self, byte: u8) -> Step {
        match byte {
            b'0'..=b'9' | b';' => self.hold(byte),
            // rxvt's way of saying Ctrl.
            b'c' => self.end(Some(Key::Go(Motion::WordRight))),
            b'd' => self.end(Some(Key::Go(Motion::WordLeft))),
            0x40..=0x7e => {
                let key = key_of_sequence(&self.held[..self.held_bytes], byte);
                self.end(key)
            }
            _ => self.break_off(),
        }
    }

    fn control_string(&mut self, byte: u8) -> Step {
        match byte {
            BELL => self.end(None),
            ESCAPE => Step::Used(self.enter(State::Escape)),
            0x20.. => self.hold(byte),
            _ => self.break_off(),
        }
    }
}

fn key_of_control(byte: u8) -> Option<Key> {
    let key = match byte {
        0x01 => Key::Go(Motion::Start),
        0x02 => Key::Go(Motion::Left),
        0x03 => Key::Interrupt,
        0x04 => Key::EraseOrEnd,
        0x05 => Key::Go(Motion::End),
        0x06 => Key::Go(Motion::Right),
        0x08 | 0x7f => Key::Erase(Motion::Left),
        b'\t' => Key::Tab,
        b'\n' => Key::Enter,
        0x0b => Key::Kill(Motion::End),
        0x0c => Key::Redraw,
        0x0e => Key::Newer,
        0x10 => Key::Older,
        0x14 => Key::Transpose,
        0x15 => Key::Kill(Motion::Start),
        0x17 => Key::Kill(Motion::BlankLeft),
        0x19 => Key::Yank,
        _ => return None,
    };
    Some(key)
}

fn key_of_alt(byte: u8) -> Option<Key> {
    match byte.to_ascii_lowercase() {
        b'b' => Some(Key::Go(Motion::WordLeft)),
        b'f' => Some(Key::Go(Motion::WordRight)),
        b'd' => Some(Key::Kill(Motion::WordRight)),
        _ => None,
    }
}

/// The key behind `ESC [ parameters last` or `ESC O parameters last`.
fn key_of_sequence(parameters: &[u8], last: u8) -> Option<Key> {
    // xterm counts 1 for Shift, 2 for Alt, 4 for Ctrl, and adds one.
    let is_by_word = [&b";3"[..], b";5", b";7"].iter().any(|modifier| parameters.ends_with(modifier));
    let is_known = parameters.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';'));
    let key = match last {
        _ if !is_known => return None,
        b'A' => Key::Older,
        b'B' => Key::Newer,
        b'C' if is_by_word => Key::Go(Motion::WordRight),
        b'C' => Key::Go(Motion::Right),
        b'D' if is_by_word => Key::Go(Motion::WordLeft),
        b'D' => Key::Go(Motion::Left),
        b'H' => Key::Go(Motion::Start),
        b'F' => Key::Go(Motion::End),
        b'~' => return key_of_number(parameters),
        _ => return None,
    };
    Some(key)
}

fn key_of_number(parameters: &[u8]) -> Option<Key> {
    match parameters.split(|&byte| byte == b';').next()? {
        b"1" | b"7" => Some(Key::Go(Motion::Start)),
        b"4" | b"8" => Some(Key::Go(Motion::End)),
        b"3" => Some(Key::Erase(Motion::Right)),
        // Among others the marks around what is pasted, 200 and 201.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let (mut reader, mut keys, mut rest) = (Keys::default(), Vec::new(), bytes);
        while let (used, Some(key)) = reader.next(rest) {
            keys.push(key);
            rest = &rest[used..];
        }
        keys
    }

    fn typed(text: &str) -> Vec<Key> {
        text.chars().map(Key::Character).collect()
    }

    #[test]
    fn every_line_end_is_one_enter() {
        for bytes in ["\r\n", "\r\0", "\r", "\n"] {
            assert_eq!(keys(bytes.as_bytes()), [Key::Enter], "{bytes:?}");
        }
        assert_eq!(keys(b"\r\r\n\n\0"), [Key::Enter; 3]);
    }

    #[test]
    fn keys_without_a_character_are_known_in_every_form() {
        let table: [(&[&[u8]], Key); 9] = [
            (&[b"\x1b[A", b"\x1bOA", b"\x10"], Key::Older),
            (&[b"\x1b[B", b"\x1bOB", b"\x0e"], Key::Newer),
            (&[b"\x1b[C", b"\x1bOC", b"\x06"], Key::Go(Motion::Right)),
            (&[b"\x1b[1;5C", b"\x1b[1;3C", b"\x1bOc", b"\x1bf"], Key::Go(Motion::WordRight)),
            (&[b"\x1b[1;5D", b"\x1b\x1b[1;5D", b"\x1bOd", b"\x1bb"], Key::Go(Motion::WordLeft)),
            (&[b"\x1b[H", b"\x1bOH", b"\x1b[1~", b"\x1b[7~", b"\x01"], Key::Go(Motion::Start)),
            (&[b"\x1b[F", b"\x1bOF", b"\x1b[4~", b"\x1b[8~", b"\x05"], Key::Go(Motion::End)),
            (&[b"\x08", b"\x7f"], Key::Erase(Motion::Left)),
            (&[b"\x1b\x7f", b"\x1b\x08"], Key::Kill(Motion::WordLeft)),
        ];
        for (forms, key) in table {
            for form in forms {
                assert_eq!(keys(form), [key], "{form:?}");
            }
        }
        assert_eq!(keys(b"\x1b[3~"), [Key::Erase(Motion::Right)]);
    }

    #[test]
    fn unknown_sequences_leave_nothing_in_the_line() {
        for unknown in [
            "\x1b[200~",
            "\x1b[201~",
            "\x1b[?1;2c",
            "\x1b[[A",
            "\x1b[15;2~",
            "\x1b(B",
            "\x1bOP",
            "\x1bz",
            "\x1b]0;title\x07",
            "\x1bP1$r0m\x1b\\",
            "\x1b[<0;1;1M",
            "\x1b[Z",
        ] {
            assert_eq!(keys(format!("a{unknown}b").as_bytes()), typed("ab"), "{unknown:?}");
        }
    }

    #[test]
    fn lone_escape_does_not_eat_what_follows_for_ever() {
        let finished = [typed(""), vec![Key::Enter]].concat();
        for begun in ["\x1b", "\x1b[", "\x1b[12;", "\x1bO", "\x1b]title", "\x1b("] {
            assert_eq!(keys(format!("{begun}\r").as_bytes()), finished, "{begun:?}");
            assert_eq!(
                keys(format!("{begun}é").as_bytes()).last(),
                (begun != "\x1b]title").then_some(&Key::Character('é'))
            );
        }
        assert_eq!(keys(&[b"\x1b[", &b"1".repeat(100)[..]].concat()), typed(&"1".repeat(67)));
        assert_eq!(keys(&[b"\x1b]", &b"x".repeat(100)[..]].concat()), typed(&"x".repeat(67)));
    }

    #[test]
    fn bytes_that_are_no_text_are_one_mark_a_part() {
        for bytes in [
            &b"\xff"[..],
            b"\xe6\xbca",
            b"\xf0\x9f\x91\xe6",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\x9b31m",
            b"\xf0\x9f\r",
        ] {
            let expected = String::from_utf8_lossy(bytes);
            let shown: String = keys(&[bytes, b"!"].concat())
                .into_iter()
                .map(|key| if let Key::Character(character) = key { character } else { '\r' })
                .collect();
            assert_eq!(shown, String::from_utf8_lossy(&[bytes, b"!"].concat()), "{expected:?}");
        }
    }
}
