//! Keys, as people and tests write them.
//!
//! Where it stands: the terminal makes these of what it reads; the model acts on them, and knows no terminal.
//!
//! What this file must never do: know what a key does, or how a terminal sends it.

use std::fmt;

/// A key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Key {
    /// Whatever types a character.
    Character(char),
    /// Return.
    Enter,
    /// Tab.
    Tab,
    /// The key that takes away the character before the cursor.
    Backspace,
    /// The key that takes away the one behind it.
    Delete,
    /// Insert.
    Insert,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Escape.
    Escape,
    /// F1 to F12.
    Function(u8),
}

/// A key with what is held beside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct KeyPress {
    /// The key.
    pub key: Key,
    /// What is held.
    pub held: Held,
}

/// What is held while a key is pressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Held {
    /// Ctrl.
    pub ctrl: bool,
    /// Alt.
    pub alt: bool,
    /// Shift; not of characters, which are others with it.
    pub shift: bool,
}

const NAMES: &[(&str, Key)] = &[
    ("Enter", Key::Enter),
    ("Tab", Key::Tab),
    ("Backspace", Key::Backspace),
    ("Delete", Key::Delete),
    ("Insert", Key::Insert),
    ("Left", Key::Left),
    ("Right", Key::Right),
    ("Up", Key::Up),
    ("Down", Key::Down),
    ("Home", Key::Home),
    ("End", Key::End),
    ("PageUp", Key::PageUp),
    ("PageDown", Key::PageDown),
    ("Esc", Key::Escape),
    ("Space", Key::Character(' ')),
];

impl KeyPress {
    /// A key with nothing held.
    pub(crate) fn plain(key: Key) -> KeyPress {
        KeyPress { key, held: Held::default() }
    }

    /// Reads `Ctrl-K`, `Alt-Enter`, `F1`, `a`. `None` if it is no key.
    #[cfg(test)]
    pub(crate) fn parse(name: &str) -> Option<KeyPress> {
        let mut held = Held::default();
        let mut rest = name;
        loop {
            let (flag, behind) = match rest.split_once('-') {
                Some(("Ctrl", behind)) if !behind.is_empty() => (&mut held.ctrl, behind),
                Some(("Alt", behind)) if !behind.is_empty() => (&mut held.alt, behind),
                Some(("Shift", behind)) if !behind.is_empty() => (&mut held.shift, behind),
                _ => break,
            };
            *flag = true;
            rest = behind;
        }
        let named = NAMES.iter().find(|(known, _)| *known == rest).map(|(_, key)| *key);
        let function = rest.strip_prefix('F').and_then(|number| number.parse().ok()).map(Key::Function);
        let mut characters = rest.chars();
        let character = characters.next().filter(|_| characters.next().is_none());
        // Ctrl-K is written with a capital and typed without.
        let typed = character
            .map(|character| if held.ctrl || held.alt { character.to_ascii_lowercase() } else { character });
        let key = named.or(typed.map(Key::Character)).or(function)?;
        Some(KeyPress { key, held })
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (is_held, name) in
            [(self.held.ctrl, "Ctrl-"), (self.held.alt, "Alt-"), (self.held.shift, "Shift-")]
        {
            if is_held {
                formatter.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, key)| *key == self.key) {
            return formatter.write_str(name);
        }
        match self.key {
            Key::Character(character) if self.held.ctrl || self.held.alt => {
                write!(formatter, "{}", character.to_ascii_uppercase())
            }
            Key::Character(character) => write!(formatter, "{character}"),
            Key::Function(number) => write!(formatter, "F{number}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_are_read_as_they_are_written() {
        for name in [
            "Ctrl-K",
            "Alt-Enter",
            "F1",
            "a",
            "Shift-Tab",
            "Ctrl-Alt-Left",
            "PageUp",
            "Alt-1",
            "-",
            "Ctrl-_",
            "F12",
            "F",
            "Space",
        ] {
            assert_eq!(KeyPress::parse(name).map(|key| key.to_string()).as_deref(), Some(name));
        }
        assert_eq!(KeyPress::parse("Ctrl-Nothing"), None);
        assert_eq!(KeyPress::parse(""), None);
    }
}
