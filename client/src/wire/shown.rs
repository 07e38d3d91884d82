//! One clean line of somebody else's.
//!
//! Where it stands: whatever the server says becomes this, or a [`hub::Text`], while it is read.
//!
//! What this file must never do: hold more than [`BYTES_MAX`] bytes, or anything that a terminal must not be sent.

use serde::{Deserialize, Deserializer};
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Longer ones are cut: names are shorter, and a topic or a refusal that is longer is not worth reading.
const BYTES_MAX: usize = 1024;

/// A name, a topic, a reason: one line that may be shown on any terminal. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Shown(Arc<str>);

impl Shown {
    /// Takes out of a text what a terminal must not be sent; line feeds and tabs become blanks. What is too long is cut.
    pub fn new(raw: &str) -> Shown {
        let is_plain = raw.len() <= BYTES_MAX && raw.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if is_plain {
            return Shown(raw.into());
        }
        let mut clean = String::new();
        for character in raw.chars() {
            let character = if matches!(character, '\n' | '\t') { ' ' } else { character };
            if clean.len() + character.len_utf8() > BYTES_MAX {
                break;
            }
            if hub::is_showable(character) {
                clean.push(character);
            }
        }
        Shown(clean.into())
    }
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Shown {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self)
    }
}

impl From<&str> for Shown {
    fn from(raw: &str) -> Shown {
        Shown::new(raw)
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shown, D::Error> {
        String::deserialize(deserializer).map(|raw| Shown::new(&raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_through_that_moves_a_cursor() {
        let hostile = "a\u{1b}[2J\u{7}b\r\nc\u{9b}1m\u{202e}d\u{2028}e\tf";
        assert_eq!(&*Shown::new(hostile), "a[2Jb c1mde f");
    }

    #[test]
    fn long_line_is_cut_between_characters() {
        assert_eq!(Shown::new(&"漢".repeat(1000)).len(), 1023);
    }
}
