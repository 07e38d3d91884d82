//! What comes from a terminal: keys, pasted text, the mouse, a new size, and what the system tells a program that has one.
//!
//! Where it stands: [`super::keys`] reads these out of bytes, `update` of the model takes them. A key can be written down as people
//! write it (`Ctrl-K`), for the help, the settings and the tests.
//!
//! What this file must never do: know what a key is for.

use std::fmt;
use std::str::FromStr;

/// One thing that happened at the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TerminalEvent {
    /// A key was pressed.
    Key(KeyPress),
    /// Text was pasted. Its lines end in LF; other control characters than TAB are still in it.
    Paste(String),
    /// The window has this size now: columns, rows.
    Resize(u16, u16),
    /// The window is looked at, or no longer.
    Focus(Focus),
    /// Something was done with the mouse. Only where it was asked for.
    Mouse(MouseAction),
    /// The terminal says what colour it draws on.
    Background(Background),
    /// The system wants something of this program.
    Signal(Signal),
    /// There is no terminal any more. Nothing comes after this.
    Gone,
}

/// Whether the window is the one that keys go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    /// It is.
    Gained,
    /// It is not.
    Lost,
}

/// What the terminal draws on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Background {
    /// Rather black than white.
    #[default]
    Dark,
    /// Rather white than black.
    Light,
}

/// What the system wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// SIGTERM, SIGINT or SIGHUP: end, in order. If a second one comes before that is done, the program ends at once.
    End,
    /// SIGTSTP from somebody else; our own Ctrl-Z is a key.
    Suspend,
    /// SIGCONT: somebody may have written to the terminal, and changed its modes.
    Continued,
}

/// Something done with the mouse, at this column and row from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MouseAction {
    /// What.
    pub kind: MouseKind,
    /// The column.
    pub column: u16,
    /// The row.
    pub row: u16,
}

/// What the mouse does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MouseKind {
    /// The left button goes down.
    Press,
    /// The middle or the right button goes down.
    OtherPress,
    /// A button goes up.
    Release,
    /// It moves while a button is down.
    Drag,
    /// The wheel turns away from the hand.
    WheelUp,
    /// The wheel turns towards the hand.
    WheelDown,
}

/// A key, and what was held down with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KeyPress {
    /// The key. A letter with Ctrl is a small one, because terminals know no other.
    pub key: Key,
    /// What was held down. A character has no Shift of its own: it is in the character.
    pub modifiers: Modifiers,
}

/// The keys of a keyboard, by what they are called.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "they are called what is printed on them")]
pub enum Key {
    /// What makes a character.
    Character(char),
    Enter,
    Tab,
    Escape,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// F1 to F24.
    Function(u8),
}

/// Which of the three are held down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Modifiers(u8);

impl Modifiers {
    /// None of them.
    pub const NONE: Modifiers = Modifiers(0);
    /// Shift, with a key that makes no character.
    pub const SHIFT: Modifiers = Modifiers(1);
    /// Alt, which some call Meta or Option.
    pub const ALT: Modifiers = Modifiers(2);
    /// Ctrl.
    pub const CONTROL: Modifiers = Modifiers(4);

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Modifiers) -> Modifiers {
        Modifiers(self.0 | others.0)
    }

    /// Whether these are among them.
    pub const fn contain(self, others: Modifiers) -> bool {
        self.0 & others.0 == others.0
    }

    /// As xterm counts them: 1 for Shift, 2 for Alt, 4 for Ctrl. What else it counts is not ours.
    pub(super) const fn from_bits(bits: u8) -> Modifiers {
        Modifiers(bits & 7)
    }

    /// All but these.
    const fn without(self, others: Modifiers) -> Modifiers {
        Modifiers(self.0 & !others.0)
    }
}

const MODIFIERS: [(Modifiers, &str); 3] =
    [(Modifiers::CONTROL, "Ctrl"), (Modifiers::ALT, "Alt"), (Modifiers::SHIFT, "Shift")];

/// The keys that have a name.
const NAMES: [(Key, &str); 17] = [
    (Key::Enter, "Enter"),
    (Key::Tab, "Tab"),
    (Key::Escape, "Escape"),
    (Key::Escape, "Esc"),
    (Key::Backspace, "Backspace"),
    (Key::Delete, "Delete"),
    (Key::Insert, "Insert"),
    (Key::Up, "Up"),
    (Key::Down, "Down"),
    (Key::Left, "Left"),
    (Key::Right, "Right"),
    (Key::Home, "Home"),
    (Key::End, "End"),
    (Key::PageUp, "PageUp"),
    (Key::PageDown, "PageDown"),
    (Key::Character(' '), "Space"),
    (Key::Character('-'), "Minus"),
];

impl KeyPress {
    /// A key alone.
    pub const fn plain(key: Key) -> KeyPress {
        KeyPress { key, modifiers: Modifiers::NONE }
    }

    /// A key with these held down, as a terminal would say it: Shift is in the character, and Ctrl's letters are small.
    pub fn with(key: Key, modifiers: Modifiers) -> KeyPress {
        let Key::Character(character) = key else { return KeyPress { key, modifiers } };
        let modifiers = modifiers.without(Modifiers::SHIFT);
        let is_control = modifiers.contain(Modifiers::CONTROL);
        let character = if is_control { character.to_ascii_lowercase() } else { character };
        KeyPress { key: Key::Character(character), modifiers }
    }

    /// Reads a key as people write it: `ctrl-k`, `Alt-1`, `f1`, `shift-tab`, `é`, `Alt-B` (which is Alt with a capital letter).
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<KeyPress, UnknownKey> {
        let mut rest = text;
        let mut modifiers = Modifiers::NONE;
        while let Some((held, behind)) = modifier(rest) {
            modifiers = modifiers.and(held);
            rest = behind;
        }
        let key = key(rest).ok_or_else(|| UnknownKey(text.to_owned()))?;
        Ok(KeyPress::with(key, modifiers))
    }
}

/// The modifier that a text begins with, and what is behind its minus sign.
fn modifier(text: &str) -> Option<(Modifiers, &str)> {
    let (word, rest) = text.split_once('-')?;
    let (held, _) = MODIFIERS.iter().find(|(_, name)| name.eq_ignore_ascii_case(word))?;
    Some((*held, rest))
}

fn key(name: &str) -> Option<Key> {
    let mut characters = name.chars();
    if let (Some(character), None) = (characters.next(), characters.next()) {
        return (!character.is_control()).then_some(Key::Character(character));
    }
    if let Some((key, _)) = NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
        return Some(*key);
    }
    let number = name.strip_prefix(['f', 'F'])?.parse().ok()?;
    (1..=24).contains(&number).then_some(Key::Function(number))
}

impl FromStr for KeyPress {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<KeyPress, UnknownKey> {
        KeyPress::parse(text)
    }
}

impl fmt::Display for KeyPress {
    /// As it is printed in the help: `Ctrl-K`, `Alt-Enter`, `F1`. A letter with Ctrl is a capital there, as on the keyboard.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (_, name) in MODIFIERS.iter().filter(|(held, _)| self.modifiers.contain(*held)) {
            write!(formatter, "{name}-")?;
        }
        if let Some((_, name)) = NAMES.iter().find(|(key, _)| *key == self.key) {
            return formatter.write_str(name);
        }
        match self.key {
            Key::Function(number) => write!(formatter, "F{number}"),
            Key::Character(character) if self.modifiers.contain(Modifiers::CONTROL) => {
                write!(formatter, "{}", character.to_ascii_uppercase())
            }
            Key::Character(character) => write!(formatter, "{character}"),
            // All others have names.
            key => write!(formatter, "{key:?}"),
        }
    }
}

/// A text that is no key's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownKey(String);

impl fmt::Display for UnknownKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no key `{}`: keys are called like Ctrl-K, Alt-1, Shift-Tab, PageUp, F1", self.0)
    }
}

impl std::error::Error for UnknownKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_as_people_write_it() {
        let table = [
            ("ctrl-k", Key::Character('k'), Modifiers::CONTROL),
            ("Ctrl-K", Key::Character('k'), Modifiers::CONTROL),
            ("alt-1", Key::Character('1'), Modifiers::ALT),
            ("Alt-B", Key::Character('B'), Modifiers::ALT),
            ("shift-tab", Key::Tab, Modifiers::SHIFT),
            ("ctrl-alt-pageup", Key::PageUp, Modifiers::CONTROL.and(Modifiers::ALT)),
            ("F12", Key::Function(12), Modifiers::NONE),
            ("漢", Key::Character('漢'), Modifiers::NONE),
            ("f", Key::Character('f'), Modifiers::NONE),
            ("ctrl--", Key::Character('-'), Modifiers::CONTROL),
            ("-", Key::Character('-'), Modifiers::NONE),
        ];
        for (text, key, modifiers) in table {
            assert_eq!(KeyPress::parse(text), Ok(KeyPress { key, modifiers }), "{text}");
        }
    }

    #[test]
    fn key_that_is_written_is_the_same_when_read() {
        let modifiers = (0..8).map(Modifiers::from_bits);
        let named = NAMES.iter().map(|(key, _)| *key);
        let others = ['a', 'B', '1', 'ß', '/'].map(Key::Character).into_iter().chain([Key::Function(24)]);
        let keys: Vec<Key> = named.chain(others).collect();
        for held in modifiers {
            for key in &keys {
                let press = KeyPress::with(*key, held);
                assert_eq!(KeyPress::parse(&press.to_string()), Ok(press), "{press}");
            }
        }
        assert_eq!(KeyPress::parse("ctrl-alt-x").map(|press| press.to_string()), Ok("Ctrl-Alt-X".to_owned()));
    }

    #[test]
    fn no_key_is_refused_and_says_what_keys_are_called() {
        for text in ["", "ctrl-", "f0", "f25", "hyper-x", "\x1b", "ab"] {
            let error = KeyPress::parse(text).expect_err(text);
            assert!(error.to_string().contains("Shift-Tab"), "{error}");
        }
    }
}
