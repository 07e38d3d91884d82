//! Bytes become keys, pasted text and answers, cut anywhere.
//!
//! Where it stands: the reader's thread gives it what it read; what comes out goes to the model. It is pure: that nothing followed
//! an ESC for a while is told by the reader.
//!
//! Terminals send UTF-8, control characters, and sequences that begin with ESC (ECMA-48 §5.4; xterm, rxvt, the Linux console and
//! kitty made the keys of it). What is not known is swallowed whole, so that nothing of it stands in a draft.
//!
//! What this file must never do: hold more than its bounds, take what was pasted for typed, or an answer of the terminal for keys.

use super::event::{Background, MouseAction, MouseKind, TerminalEvent};
use crate::keys::{Held, Key, KeyPress};
use crate::model::Focus;

/// A sequence that is longer than this is none; text begins behind it.
const SEQUENCE_BYTES_MAX: usize = 64;
/// So much of one paste is taken; what is behind that is dropped. It is more than a message may have, so that whoever takes it
/// sees that it is too much.
pub(super) const PASTE_BYTES_MAX: usize = 64 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";

const NOTHING: Held = Held { ctrl: false, alt: false, shift: false };
const CTRL: Held = Held { ctrl: true, ..NOTHING };
const ALT: Held = Held { alt: true, ..NOTHING };
const SHIFT: Held = Held { shift: true, ..NOTHING };

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// What has begun and not ended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    Nothing,
    /// A character of several bytes.
    Character,
    /// ESC.
    Escape,
    /// ESC `[`: a control sequence.
    Control,
    /// ESC O: one more character of the old keypads.
    SingleShift,
    /// ESC `]`: an answer of the terminal, up to BEL or ESC `\`.
    Answer,
    /// Another control string.
    ControlString,
    /// Between the marks around what is pasted.
    Paste,
}

/// The reader of what a terminal sends.
#[derive(Default)]
pub(super) struct Parser {
    state: State,
    held: Vec<u8>,
    /// What an ESC before the sequence that has begun adds to it.
    alt: Held,
    paste: Vec<u8>,
    /// So many of the last bytes of the paste may be the beginning of its end.
    paste_end: usize,
    /// A paste has come with its marks, so that what comes without is typed.
    marks_pastes: bool,
}

impl Parser {
    /// Reads bytes; answers with what they mean.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<TerminalEvent> {
        let mut events = Vec::new();
        for &byte in bytes {
            self.step(byte, &mut events);
        }
        events
    }

    /// Whether what has begun may be a whole: whoever presses Escape sends the beginning of a sequence. Then it is asked for by
    /// [`Parser::flush`] if nothing comes for a while.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Escape | State::Control | State::SingleShift) && self.held.is_empty()
    }

    /// Nothing came for a while: what has begun is what it is by now.
    pub(super) fn flush(&mut self) -> Option<TerminalEvent> {
        let press = match self.state {
            _ if !self.is_waiting() => return None,
            State::Control => pressed(Key::Character('['), ALT),
            State::SingleShift => pressed(Key::Character('O'), ALT),
            _ => pressed(Key::Escape, self.alt),
        };
        self.enter(State::Nothing);
        Some(TerminalEvent::Key(press))
    }

    /// Whether these bytes, which came at once, are a paste of a terminal that does not mark one: text whose lines go on
    /// behind a line end. Nobody types so much in so little time; should a line be that slow, then what was typed stands in the
    /// draft and waits for one more Enter. Where pastes are marked nothing is guessed.
    pub(super) fn looks_pasted(&self, bytes: &[u8]) -> bool {
        let is_text = |byte: &u8| matches!(byte, b'\r' | b'\n' | b'\t' | 0x20..=0x7e | 0x80..);
        let line_end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let goes_on =
            line_end.is_some_and(|end| bytes[end..].iter().any(|byte| !matches!(byte, b'\r' | b'\n')));
        self.state == State::Nothing
            && !self.marks_pastes
            && bytes.len() >= UNMARKED_PASTE_BYTES_MIN
            && goes_on
            && bytes.iter().all(is_text)
    }

    fn step(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        match self.state {
            State::Nothing => self.begin(byte, events),
            State::Character => self.character(byte, events),
            State::Escape => self.escape(byte, events),
            State::Control => self.control(byte, events),
            State::SingleShift => self.single_shift(byte, events),
            State::Answer | State::ControlString => self.control_string(byte, events),
            State::Paste => self.paste(byte, events),
        }
    }

    fn enter(&mut self, state: State) {
        if state == State::Nothing {
            self.alt = NOTHING;
        }
        self.state = state;
        self.held.clear();
    }

    /// A byte of something that goes on.
    fn hold(&mut self, byte: u8) {
        if self.held.len() < SEQUENCE_BYTES_MAX {
            self.held.push(byte);
        } else {
            self.enter(State::Nothing);
        }
    }

    /// The sequence is broken off by a byte that is no part of it.
    fn break_off(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        self.enter(State::Nothing);
        self.begin(byte, events);
    }

    /// A sequence has ended; it means this.
    fn end(&mut self, press: Option<KeyPress>, events: &mut Vec<TerminalEvent>) {
        let alt = self.alt;
        self.enter(State::Nothing);
        events.extend(press.map(|press| TerminalEvent::Key(pressed(press.key, both(press.held, alt)))));
    }

    fn begin(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        match byte {
            ESCAPE => self.enter(State::Escape),
            0x80.. => {
                self.state = State::Character;
                self.held.clear();
                self.character(byte, events);
            }
            _ => self.end(Some(key_of_byte(byte)), events),
        }
    }

    /// One U+FFFD stands for each maximal part that is no UTF-8 (Unicode §3.9).
    fn character(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        self.held.push(byte);
        match std::str::from_utf8(&self.held) {
            Ok(text) => {
                let press = text.chars().next().map(|character| KeyPress::plain(Key::Character(character)));
                self.end(press, events);
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                let is_alone = self.held.len() == 1;
                let press = KeyPress::plain(Key::Character(char::REPLACEMENT_CHARACTER));
                self.end(Some(press), events);
                if !is_alone {
                    self.begin(byte, events);
                }
            }
        }
    }

    fn escape(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        match byte {
            // Alt with Escape, or Alt with a key that sends a sequence.
            ESCAPE => {
                self.alt = ALT;
                self.enter(State::Escape);
            }
            b'[' => self.enter(State::Control),
            b'O' => self.enter(State::SingleShift),
            b']' => self.enter(State::Answer),
            b'P' | b'X' | b'^' | b'_' => self.enter(State::ControlString),
            _ => {
                self.alt = ALT;
                self.begin(byte, events);
            }
        }
    }

    fn control(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        match byte {
            // rxvt's way of saying Shift ends where others go on.
            b'$' if !self.held.is_empty() && self.held.iter().all(u8::is_ascii_digit) => {
                self.end_control(byte, events);
            }
            0x20..=0x3f => self.hold(byte),
            // The Linux console's function keys: ESC [ [ A.
            b'[' if self.held.is_empty() => self.hold(byte),
            0x40..=0x7e => self.end_control(byte, events),
            _ => self.break_off(byte, events),
        }
    }

    fn end_control(&mut self, last: u8, events: &mut Vec<TerminalEvent>) {
        let parameters = std::mem::take(&mut self.held);
        let event = match (parameters.as_slice(), last) {
            (b"200", b'~') => {
                self.enter(State::Paste);
                self.marks_pastes = true;
                return;
            }
            (b"", b'I') => Some(TerminalEvent::Focus(Focus::Here)),
            (b"", b'O') => Some(TerminalEvent::Focus(Focus::Elsewhere)),
            ([b'<', parameters @ ..], b'M' | b'm') => mouse(parameters, last).map(TerminalEvent::Mouse),
            _ => return self.end(key_of_sequence(&parameters, last), events),
        };
        self.enter(State::Nothing);
        events.extend(event);
    }

    fn single_shift(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        match byte {
            b'0'..=b'9' | b';' => self.hold(byte),
            0x40..=0x7e => {
                let press = key_of_keypad(byte).or_else(|| key_of_sequence(&self.held, byte));
                self.end(press, events);
            }
            _ => self.break_off(byte, events),
        }
    }

    fn control_string(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        let is_ending = self.held.last() == Some(&ESCAPE);
        match byte {
            BELL => self.end_string(events),
            b'\\' if is_ending => {
                self.held.pop();
                self.end_string(events);
            }
            _ if is_ending => {
                self.enter(State::Escape);
                self.escape(byte, events);
            }
            ESCAPE | 0x20.. => self.hold(byte),
            _ => self.break_off(byte, events),
        }
    }

    fn end_string(&mut self, events: &mut Vec<TerminalEvent>) {
        if self.state == State::Answer {
            events.extend(background(&self.held).map(TerminalEvent::Background));
        }
        self.enter(State::Nothing);
    }

    fn paste(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        if PASTE_END.get(self.paste_end) == Some(&byte) {
            self.paste_end += 1;
        } else {
            // What looked like the mark was text. ESC occurs only once in the mark, so that a wrong byte can only begin it anew.
            let begun = &PASTE_END[..std::mem::take(&mut self.paste_end)];
            keep(begun, &mut self.paste);
            match byte {
                ESCAPE => self.paste_end = 1,
                _ => keep(&[byte], &mut self.paste),
            }
        }
        if self.paste_end == PASTE_END.len() {
            self.paste_end = 0;
            events.push(TerminalEvent::Paste(pasted(&std::mem::take(&mut self.paste))));
            self.enter(State::Nothing);
        }
    }
}

/// Adds to a paste what there is room for.
fn keep(bytes: &[u8], paste: &mut Vec<u8>) {
    let room = PASTE_BYTES_MAX - paste.len();
    paste.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// Fewer bytes at once may have been typed on a slow line.
const UNMARKED_PASTE_BYTES_MIN: usize = 64;

/// What was pasted, its lines ended by LF, however they were ended where it came from.
pub(super) fn pasted(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n")
}

/// A key with what is held, as the model has it: Shift is in a character, and with Ctrl or Alt a letter is a small one.
fn pressed(key: Key, held: Held) -> KeyPress {
    match key {
        Key::Character(character) if held.ctrl || held.alt => KeyPress {
            key: Key::Character(character.to_ascii_lowercase()),
            held: Held { shift: false, ..held },
        },
        Key::Character(_) => KeyPress { key, held: Held { shift: false, ..held } },
        _ => KeyPress { key, held },
    }
}

fn both(one: Held, other: Held) -> Held {
    Held { ctrl: one.ctrl || other.ctrl, alt: one.alt || other.alt, shift: one.shift || other.shift }
}

/// What one byte means that is no part of anything: in a terminal's raw mode Enter sends CR, so that LF is Ctrl-J.
fn key_of_byte(byte: u8) -> KeyPress {
    let control = |character: u8| pressed(Key::Character(char::from(character)), CTRL);
    match byte {
        b'\r' => KeyPress::plain(Key::Enter),
        b'\t' => KeyPress::plain(Key::Tab),
        // Which of the two Backspace sends is a setting of terminals; Ctrl-H is the same as Backspace at half of them.
        0x08 | 0x7f => KeyPress::plain(Key::Backspace),
        ESCAPE => KeyPress::plain(Key::Escape),
        0 => control(b' '),
        0x01..=0x1a => control(byte - 1 + b'a'),
        0x1c..=0x1f => control(byte + b'@'),
        _ => KeyPress::plain(Key::Character(char::from(byte))),
    }
}

/// Keys of the numeric keypad in its application mode, of which Enter is the one that matters.
fn key_of_keypad(byte: u8) -> Option<KeyPress> {
    let key = match byte {
        b'M' => Key::Enter,
        b'j'..=b'y' => Key::Character(char::from(byte - b'j' + b'*')),
        // rxvt's way of saying Ctrl.
        b'a' => return Some(pressed(Key::Up, CTRL)),
        b'b' => return Some(pressed(Key::Down, CTRL)),
        b'c' => return Some(pressed(Key::Right, CTRL)),
        b'd' => return Some(pressed(Key::Left, CTRL)),
        _ => return None,
    };
    Some(KeyPress::plain(key))
}

/// The key behind `ESC [ parameters last` or `ESC O parameters last`.
fn key_of_sequence(parameters: &[u8], last: u8) -> Option<KeyPress> {
    if let ([b'['], b'A'..=b'E') = (parameters, last) {
        return Some(KeyPress::plain(Key::Function(last - b'A' + 1)));
    }
    let numbers = numbers(parameters)?;
    let held = held(numbers.get(1).copied().unwrap_or(1));
    let key = match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'P'..=b'S' => Key::Function(last - b'P' + 1),
        b'Z' => return Some(pressed(Key::Tab, both(held, SHIFT))),
        // rxvt says Shift with the last byte of an arrow, and with that of a number.
        b'a' => return Some(pressed(Key::Up, SHIFT)),
        b'b' => return Some(pressed(Key::Down, SHIFT)),
        b'c' => return Some(pressed(Key::Right, SHIFT)),
        b'd' => return Some(pressed(Key::Left, SHIFT)),
        b'$' => return key_of_number(*numbers.first()?, SHIFT),
        b'^' => return key_of_number(*numbers.first()?, CTRL),
        b'~' if numbers.first() == Some(&27) => {
            // xterm's modifyOtherKeys: 27, what is held down, the character.
            return key_of_code(*numbers.get(2)?, held);
        }
        b'~' => return key_of_number(*numbers.first()?, held),
        b'u' => return key_of_code(*numbers.first()?, held),
        _ => return None,
    };
    Some(pressed(key, held))
}

/// Numbers with semicolons between them. What stands behind a colon says more about a number, which is left out.
fn numbers(parameters: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(parameters).ok()?;
    let number = |part: &str| {
        let part = part.split(':').next().unwrap_or_default();
        if part.is_empty() { Some(1) } else { part.parse().ok() }
    };
    if text.is_empty() { Some(Vec::new()) } else { text.split(';').map(number).collect() }
}

/// xterm counts 1 for Shift, 2 for Alt, 4 for Ctrl, and adds one.
fn held(number: u32) -> Held {
    let bits = number.saturating_sub(1);
    Held { shift: bits & 1 != 0, alt: bits & 2 != 0, ctrl: bits & 4 != 0 }
}

fn key_of_number(number: u32, held: Held) -> Option<KeyPress> {
    let key = match number {
        1 | 7 => Key::Home,
        2 => Key::Insert,
        3 => Key::Delete,
        4 | 8 => Key::End,
        5 => Key::PageUp,
        6 => Key::PageDown,
        11..=15 => Key::Function((number - 10) as u8),
        17..=21 => Key::Function((number - 11) as u8),
        23..=26 => Key::Function((number - 12) as u8),
        28 | 29 => Key::Function((number - 13) as u8),
        31..=34 => Key::Function((number - 14) as u8),
        _ => return None,
    };
    Some(pressed(key, held))
}

/// A key that is told by its character's number (kitty's keyboard protocol, xterm's modifyOtherKeys).
fn key_of_code(code: u32, held: Held) -> Option<KeyPress> {
    let character = char::from_u32(code)?;
    let key = match character {
        '\r' => Key::Enter,
        '\t' => Key::Tab,
        '\x1b' => Key::Escape,
        '\x08' | '\x7f' => Key::Backspace,
        // Kitty's keys without a character are in a private area.
        '\u{e000}'..='\u{f8ff}' => return None,
        _ if character.is_control() => return None,
        // They tell the key, and what is held down with it.
        'a'..='z' if held.shift => Key::Character(character.to_ascii_uppercase()),
        _ => Key::Character(character),
    };
    Some(pressed(key, held))
}

/// The mouse, as terminals tell it since xterm 277 (`CSI ? 1006`): what, column, row, from 1.
fn mouse(parameters: &[u8], last: u8) -> Option<MouseAction> {
    const MOVING: u32 = 32;
    const WHEEL: u32 = 64;
    let [what, column, row] = numbers(parameters)?.try_into().ok()?;
    // What is held down on the keyboard is told by bits that are nothing to us.
    let kind = match (what & !(4 | 8 | 16), last) {
        (0, b'M') => MouseKind::Press,
        (1 | 2, b'M') => MouseKind::OtherPress,
        (0..=2, b'm') => MouseKind::Release,
        (what, b'M') if what & MOVING != 0 && what & 3 != 3 => MouseKind::Drag,
        (WHEEL, b'M') => MouseKind::WheelUp,
        (65, b'M') => MouseKind::WheelDown,
        _ => return None,
    };
    let place = |number: u32| u16::try_from(number.saturating_sub(1)).ok();
    Some(MouseAction { kind, column: place(column)?, row: place(row)? })
}

/// The answer to what the background's colour is: `11;rgb:RRRR/GGGG/BBBB`, each of one to four hexadecimal digits (`XParseColor`).
fn background(answer: &[u8]) -> Option<Background> {
    let text = std::str::from_utf8(answer).ok()?.strip_prefix("11;rgb")?;
    let parts: Vec<&str> = text.trim_start_matches('a').strip_prefix(':')?.split('/').take(3).collect();
    let shares: Vec<f32> = parts.iter().map(|part| share(part)).collect::<Option<_>>()?;
    let [red, green, blue] = shares.try_into().ok()?;
    // How bright the eye finds it (ITU-R BT.601).
    let brightness = 0.299 * red + 0.587 * green + 0.114 * blue;
    Some(if brightness > 0.5 { Background::Light } else { Background::Dark })
}

/// How much of the most that can be said in so many digits.
fn share(digits: &str) -> Option<f32> {
    let most = match digits.len() {
        length @ 1..=4 => (1_u32 << (4 * length)) - 1,
        _ => return None,
    };
    Some(u32::from_str_radix(digits, 16).ok()? as f32 / most as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(bytes: &[u8]) -> Vec<TerminalEvent> {
        Parser::default().read(bytes)
    }

    fn key(name: &str) -> TerminalEvent {
        TerminalEvent::Key(KeyPress::parse(name).expect("a key's name"))
    }

    fn typed(text: &str) -> Vec<TerminalEvent> {
        text.chars().map(|c| TerminalEvent::Key(KeyPress::plain(Key::Character(c)))).collect()
    }

    #[test]
    fn keys_are_known_in_every_form() {
        let table: [(&str, &[&str]); 31] = [
            ("Enter", &["\r", "\x1bOM", "\x1b[13u"]),
            ("Ctrl-J", &["\n", "\x1b[106;5u"]),
            ("Alt-Enter", &["\x1b\r", "\x1b[13;3u", "\x1b[27;3;13~"]),
            ("Ctrl-Enter", &["\x1b[13;5u", "\x1b[27;5;13~"]),
            ("Tab", &["\t"]),
            ("Shift-Tab", &["\x1b[Z", "\x1b[9;2u"]),
            ("Backspace", &["\x7f", "\x08"]),
            ("Alt-Backspace", &["\x1b\x7f", "\x1b\x08"]),
            ("Up", &["\x1b[A", "\x1bOA", "\x1b[1;1A"]),
            ("Ctrl-Left", &["\x1b[1;5D", "\x1bOd"]),
            ("Alt-Right", &["\x1b[1;3C", "\x1b\x1b[C"]),
            ("Shift-Up", &["\x1b[1;2A", "\x1b[a"]),
            ("Home", &["\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"]),
            ("End", &["\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"]),
            ("PageUp", &["\x1b[5~"]),
            ("Shift-PageDown", &["\x1b[6;2~", "\x1b[6$"]),
            ("Ctrl-PageDown", &["\x1b[6;5~", "\x1b[6^"]),
            ("Delete", &["\x1b[3~"]),
            ("Insert", &["\x1b[2~"]),
            ("F1", &["\x1bOP", "\x1b[11~", "\x1b[[A", "\x1b[P", "\x1b[1P"]),
            ("F5", &["\x1b[15~", "\x1b[[E"]),
            ("F12", &["\x1b[24~"]),
            ("F20", &["\x1b[34~"]),
            ("Shift-F3", &["\x1b[1;2R", "\x1b[13;2~"]),
            ("Ctrl-K", &["\x0b", "\x1b[107;5u", "\x1b[107:75;5:1u"]),
            ("Ctrl-Space", &["\0"]),
            ("Ctrl-_", &["\x1f"]),
            ("Ctrl-Alt-A", &["\x1b\x01"]),
            ("Alt-1", &["\x1b1"]),
            ("Alt-B", &["\x1bB"]),
            ("Alt-é", &["\x1bé"]),
        ];
        for (name, forms) in table {
            for form in forms {
                assert_eq!(events(form.as_bytes()), [key(name)], "{form:?}");
            }
        }
    }

    #[test]
    fn lone_escape_is_known_when_nothing_follows() {
        let mut parser = Parser::default();
        assert_eq!((parser.read(b"\x1b"), parser.is_waiting()), (vec![], true));
        assert_eq!((parser.flush(), parser.is_waiting()), (Some(key("Esc")), false));
        assert_eq!((parser.read(b"\x1b["), parser.flush()), (vec![], Some(key("Alt-["))));
        assert_eq!((parser.read(b"\x1bO"), parser.flush()), (vec![], Some(key("Alt-O"))));
        assert_eq!((parser.read(b"\x1b\x1b"), parser.flush()), (vec![], Some(key("Alt-Esc"))));
        assert_eq!((parser.flush(), parser.read(b"a")), (None, typed("a")));
    }

    #[test]
    fn what_is_not_known_leaves_nothing_in_the_draft() {
        let long = format!("\x1b[{}~", "1".repeat(50));
        for unknown in
            ["\x1b[?1;2c", "\x1b[99~", "\x1bP1$r0m\x1b\\", "\x1b]0;title\x07", "\x1b[57441u", &long]
        {
            assert_eq!(events(format!("a{unknown}b").as_bytes()), typed("ab"), "{unknown:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_one_mark_a_part() {
        for bytes in
            [&b"\xff"[..], b"\xe6\xbca", b"\xf0\x9f\x91\xe6", b"\xc0\x80", b"\xed\xa0\x80", b"\x9b31m"]
        {
            let bytes = [bytes, b"!"].concat();
            assert_eq!(events(&bytes), typed(&String::from_utf8_lossy(&bytes)), "{bytes:?}");
        }
    }

    #[test]
    fn paste_is_one_event_whatever_its_line_ends() {
        for text in ["a\r\nb\r\n\r\nc", "a\rb\r\rc", "a\nb\n\nc"] {
            let bytes = format!("\x1b[200~{text}\x1b[201~x");
            let [paste, rest] = [TerminalEvent::Paste("a\nb\n\nc".into()), typed("x").remove(0)];
            assert_eq!(events(bytes.as_bytes()), [paste, rest]);
        }
    }

    #[test]
    fn sequence_in_a_paste_is_text() {
        let paste = TerminalEvent::Paste("\x1b[A\x1b[20\x1b\x1b[200~".into());
        assert_eq!(events(b"\x1b[200~\x1b[A\x1b[20\x1b\x1b[200~\x1b[201~"), [paste]);
    }

    #[test]
    fn paste_is_bounded_and_its_end_is_found() {
        let bytes = [b"\x1b[200~", &vec![b'x'; 3 * PASTE_BYTES_MAX][..], b"\x1b[201~y"].concat();
        let [paste, rest] = [TerminalEvent::Paste("x".repeat(PASTE_BYTES_MAX)), typed("y").remove(0)];
        assert!(events(&bytes) == [paste, rest]);
        let mut parser = Parser::default();
        parser.read(&[b"\x1b[200~".to_vec(), b"\x1b[201".repeat(PASTE_BYTES_MAX)].concat());
        assert!(parser.paste.len() <= PASTE_BYTES_MAX);
    }

    #[test]
    fn burst_of_lines_is_a_paste_only_where_pastes_are_not_marked() {
        let mut parser = Parser::default();
        let burst = "a line of what was pasted\r".repeat(3) + "and the last one";
        assert!(parser.looks_pasted(burst.as_bytes()));
        let typed = ["hello\rworld".to_owned(), format!("{}\r", "x".repeat(200)), format!("{burst}\x1b[A")];
        for typed in typed {
            assert!(!parser.looks_pasted(typed.as_bytes()), "{typed:?}");
        }
        parser.read(b"\x1b[200~a\x1b[201~");
        assert!(!parser.looks_pasted(burst.as_bytes()));
    }

    #[test]
    fn background_is_dark_or_light() {
        let table = [
            ("\x1b]11;rgb:0000/0000/0000\x1b\\", Background::Dark),
            ("\x1b]11;rgb:fdfd/f6f6/e3e3\x07", Background::Light),
            ("\x1b]11;rgb:ff/ff/ff\x07", Background::Light),
            ("\x1b]11;rgba:1e1e/1e1e/2e2e/ffff\x07", Background::Dark),
        ];
        for (answer, background) in table {
            assert_eq!(events(answer.as_bytes()), [TerminalEvent::Background(background)], "{answer:?}");
        }
        assert_eq!(events(b"\x1b]11;rgb:zz/0/0\x07\x1b]11;red\x07\x1b]4;11;rgb:0/0/0\x07"), []);
    }

    #[test]
    fn mouse_and_focus_are_told() {
        let action = |kind| TerminalEvent::Mouse(MouseAction { kind, column: 9, row: 4 });
        let table = [
            ("0;10;5M", MouseKind::Press),
            ("16;10;5M", MouseKind::Press),
            ("2;10;5M", MouseKind::OtherPress),
            ("0;10;5m", MouseKind::Release),
            ("32;10;5M", MouseKind::Drag),
            ("64;10;5M", MouseKind::WheelUp),
            ("65;10;5M", MouseKind::WheelDown),
        ];
        for (parameters, kind) in table {
            assert_eq!(events(format!("\x1b[<{parameters}").as_bytes()), [action(kind)], "{parameters}");
        }
        assert_eq!(events(b"\x1b[<35;1;1M\x1b[<99999999999;1;1M\x1b[<1M"), []);
        let focus = [Focus::Here, Focus::Elsewhere].map(TerminalEvent::Focus);
        assert_eq!(events(b"\x1b[I\x1b[O"), focus);
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_gives_the_same_events(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(b"\x1b".to_vec()), Just(b"\x1b[".to_vec()), Just(b"\x1b[200~".to_vec()),
                    Just(b"\x1b[201~".to_vec()), Just(b"\x1b]11;".to_vec()), Just(b"\x1b\\".to_vec()),
                    Just("é漢".as_bytes().to_vec()), Just(b"\x1bO".to_vec()),
                    prop::collection::vec(any::<u8>(), 0..6)
                ],
                0..24,
            ),
            cuts in prop::collection::vec(1_usize..7, 1..40),
        ) {
            let bytes = parts.concat();
            let (mut parser, mut rest, mut told) = (Parser::default(), bytes.as_slice(), Vec::new());
            for cut in cuts.iter().cycle().take(bytes.len()) {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                told.extend(parser.read(piece));
                rest = behind;
            }
            prop_assert_eq!(told, events(&bytes));
        }
    }
}
