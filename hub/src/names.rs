//! Names of people and rooms: what is allowed, what counts as the same, what looks the same.
//!
//! A name is parsed once, in `propose`, and travels in facts with its *key* (NFKC, lower case: two names with one key
//! are one name) and, for nicks, its *look* (made of UTS #39 skeletons), so that `apply` needs no tables.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

/// A nick has at most this many characters.
pub const NICK_CHARS_MAX: usize = 32;
/// A room's name has at most this many characters.
pub const ROOM_CHARS_MAX: usize = 50;
/// So many combining marks may follow one letter: enough for every living script, too few to climb over the lines.
const MARKS_IN_A_ROW_MAX: usize = 3;
/// Nobody needs to see more of a refused name than this.
const QUOTED_CHARS_MAX: usize = 40;

/// A person's name. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nick {
    /// As it is shown (NFC).
    pub shown: Arc<str>,
    /// What counts as the same.
    pub key: Arc<str>,
    /// What looks the same.
    pub look: Look,
}

/// What a name looks like, in capitals or not, as a number: names that look alike have the same one. Different looks could
/// share a number, too rarely to matter, and then a nick would be refused that need not have been.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Look(u64);

impl Look {
    /// Made of the name as it is shown: a Greek capital nu looks like an N, but its lower case looks like a v. Only then
    /// do capitals cease to matter.
    fn of(shown: &str) -> Look {
        if shown.is_ascii() {
            return Look::of_bytes(shown.bytes().flat_map(ascii_look));
        }
        let as_shown: String = skeleton(shown).collect();
        let look: String = skeleton(&key_of(&as_shown)).collect();
        Look::of_bytes(look.bytes())
    }

    /// FNV-1a (draft-eastlake-fnv): the same on every node and in every version.
    fn of_bytes(look: impl Iterator<Item = u8>) -> Look {
        Look(look.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}

/// What the tables come to for a character of a name in ASCII. Nearly all names, and all newcomers' names, are made of nothing else,
/// and going through the tables would be a third of what it costs to let somebody in.
fn ascii_look(character: u8) -> impl Iterator<Item = u8> {
    let (first, second) = match character {
        b'0' => (b'o', None),
        b'1' | b'I' | b'|' => (b'l', None),
        b'm' | b'M' => (b'r', Some(b'n')),
        b'`' => (b'\'', None),
        other => (other.to_ascii_lowercase(), None),
    };
    core::iter::once(first).chain(second)
}

/// A room's name, without `#`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomName {
    /// As it is shown (NFC).
    pub shown: Arc<str>,
    /// What counts as the same.
    pub key: Arc<str>,
}

/// Why something is no name; shown to the person who typed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NameProblem {
    /// No characters at all.
    Empty,
    /// More than `chars_max` characters.
    TooLong {
        /// The number of its characters.
        chars: usize,
        /// The most that is allowed.
        chars_max: usize,
    },
    /// Begins with something that a name may not begin with.
    Start(char),
    /// Has something in it that a name may not have.
    Character(char),
}

impl Nick {
    /// Parses a nick: 1 to 32 letters and digits of every script and ``-_[]{}|^` ``, not beginning with a digit or `-`.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub fn parse(raw: &str) -> Result<Nick, NameProblem> {
        let (shown, key) = parse(raw, NICK_CHARS_MAX, "-_[]{}|^`", |c| c.is_numeric() || c == '-')?;
        Ok(Nick { look: Look::of(&shown), shown, key })
    }

    /// The name of a newcomer: `guest-NNNNN`.
    pub fn guest(number: u32) -> Nick {
        let shown: Arc<str> = alloc::format!("guest-{number:05}").into();
        Nick { look: Look::of(&shown), key: shown.clone(), shown }
    }

    /// Whether the name has a character outside ASCII: only then can it be refused as a look-alike.
    pub fn is_ascii(&self) -> bool {
        self.key.is_ascii() && self.shown.is_ascii()
    }
}

impl RoomName {
    /// Parses a room's name, with or without a `#` before it: 1 to 50 letters and digits of every script and `-_.+`,
    /// not beginning with `-` or `.`.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub fn parse(raw: &str) -> Result<RoomName, NameProblem> {
        let bare = raw.strip_prefix('#').unwrap_or(raw);
        let (shown, key) = parse(bare, ROOM_CHARS_MAX, "-_.+", |c| matches!(c, '-' | '.'))?;
        Ok(RoomName { shown, key })
    }
}

/// The key under which a nick or a room is found, however it is typed. Total: what is no name is nobody's key.
pub fn key_of(raw: &str) -> String {
    if raw.is_ascii() {
        return raw.to_ascii_lowercase();
    }
    raw.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn parse(
    raw: &str,
    chars_max: usize,
    also: &str,
    bad_start: fn(char) -> bool,
) -> Result<(Arc<str>, Arc<str>), NameProblem> {
    let chars = raw.chars().count();
    if chars > chars_max {
        return Err(NameProblem::TooLong { chars, chars_max });
    }
    // ASCII is in NFC as it stands.
    let shown: Arc<str> = if raw.is_ascii() { raw.into() } else { raw.nfc().collect::<String>().into() };
    let key = key_of(&shown);
    check(&shown, also, bad_start)?;
    check(&key, also, bad_start)?;
    let key = if *key == *shown { shown.clone() } else { key.into() };
    Ok((shown, key))
}

fn check(name: &str, also: &str, bad_start: fn(char) -> bool) -> Result<(), NameProblem> {
    let first = name.chars().next().ok_or(NameProblem::Empty)?;
    if bad_start(first) || is_combining_mark(first) {
        return Err(NameProblem::Start(first));
    }
    let mut marks = 0;
    for character in name.chars() {
        marks = if is_combining_mark(character) { marks + 1 } else { 0 };
        let allowed = (character.is_alphanumeric() || marks > 0 || also.contains(character))
            && marks <= MARKS_IN_A_ROW_MAX
            && !is_invisible(character);
        if !allowed {
            return Err(NameProblem::Character(character));
        }
    }
    Ok(())
}

/// Letters and marks that nobody sees: Hangul fillers, Khmer inherent vowels, the grapheme joiner, variation selectors
/// (all `Default_Ignorable_Code_Point`).
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}'
    )
}

impl fmt::Display for NameProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameProblem::Empty => write!(formatter, "it is empty"),
            NameProblem::TooLong { chars, chars_max } => {
                write!(formatter, "it has {chars} characters; at most {chars_max} are possible")
            }
            NameProblem::Start(character) => {
                write!(formatter, "it begins with {}; a letter goes there", Named(*character))
            }
            NameProblem::Character(character) => {
                write!(formatter, "{} is not possible in it", Named(*character))
            }
        }
    }
}

/// A character as a refusal may show it: itself if it is harmless, else its number.
struct Named(char);

impl fmt::Display for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ' ' => write!(formatter, "a space"),
            c if c.is_ascii_graphic() || (c.is_alphanumeric() && !is_invisible(c)) => {
                write!(formatter, "'{c}'")
            }
            c => write!(formatter, "U+{:04X}", u32::from(c)),
        }
    }
}

/// A refused name as it may be shown again to the one who typed it: harmless characters only, and not too many.
pub fn quoted(raw: &str) -> String {
    let harmless = |c: &char| *c == ' ' || c.is_ascii_graphic() || (c.is_alphanumeric() && !is_invisible(*c));
    let mut quoted: String = raw.chars().filter(harmless).take(QUOTED_CHARS_MAX).collect();
    if raw.chars().nth(QUOTED_CHARS_MAX).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn problem(raw: &str) -> String {
        Nick::parse(raw).map_or_else(|problem| problem.to_string(), |nick| nick.shown.to_string())
    }

    #[test]
    fn look_of_a_name_in_ascii_is_what_the_tables_say() {
        let is_possible =
            |character: &char| character.is_ascii_alphanumeric() || "-_[]{}|^`".contains(*character);
        for character in ('!'..='~').filter(is_possible) {
            let as_shown: String = skeleton(&String::from(character)).collect();
            let look: String = skeleton(&key_of(&as_shown)).collect();
            assert!(ascii_look(character as u8).eq(look.bytes()), "{character} looks like {look}");
        }
    }

    #[test]
    fn letters_of_every_script_make_a_nick() {
        for nick in ["ann", "Ann-2", "小明", "हिन्दी", "אבג", "Zoë", "_x", "[bot]", "a`b^c|d{e}"]
        {
            assert_eq!(problem(nick), nick);
        }
    }

    #[test]
    fn a_refused_nick_says_what_stands_in_the_way() {
        assert_eq!(problem(""), "it is empty");
        assert_eq!(problem("a b"), "a space is not possible in it");
        assert_eq!(problem("2pac"), "it begins with '2'; a letter goes there");
        assert_eq!(problem("-x"), "it begins with '-'; a letter goes there");
        assert_eq!(problem("a\u{1b}[31m"), "U+001B is not possible in it");
        assert_eq!(problem("a\u{202e}b"), "U+202E is not possible in it");
        assert_eq!(problem("a\u{3164}b"), "U+3164 is not possible in it");
        assert_eq!(problem(&"x".repeat(10_000)), "it has 10000 characters; at most 32 are possible");
        assert_eq!(problem("a\u{300}\u{301}\u{302}\u{303}\u{304}"), "U+0304 is not possible in it");
        assert_eq!(problem("<ann>"), "'<' is not possible in it");
    }

    #[test]
    fn one_key_for_one_name() {
        let key = |raw| Nick::parse(raw).unwrap().key;
        assert_eq!(key("Ann"), key("ann"));
        assert_eq!(key("ａｎｎ"), key("ann"));
        assert_eq!(key("Zoe\u{308}"), key("zoë"));
        assert_eq!(key_of("ＡNN"), "ann");
    }

    #[test]
    fn look_alikes_share_a_look() {
        let look = |raw| Nick::parse(raw).unwrap().look;
        assert_eq!(look("раураl"), look("paypal"));
        // Greek and Cyrillic capitals, whose lower case looks like nothing Latin; capitals in another place.
        for (fake, real) in
            [("ΑΝΝ", "ANN"), ("AΝN", "ann"), ("ВОВ", "BOB"), ("аnn", "ANN"), ("Сlаrа", "clara")]
        {
            assert_eq!(look(fake), look(real), "{fake} looks like {real}");
        }
        assert_eq!(look("MARY"), look("mary"));
        assert_ne!(look("ann"), look("bob"));
    }

    #[test]
    fn a_room_is_found_with_or_without_its_sign() {
        assert_eq!(RoomName::parse("#Dev").unwrap().key, RoomName::parse("dev").unwrap().key);
        assert_eq!(&*RoomName::parse("Dev-2.x+y").unwrap().shown, "Dev-2.x+y");
        assert!(RoomName::parse("2024").is_ok());
        assert_eq!(RoomName::parse(".x"), Err(NameProblem::Start('.')));
        assert_eq!(RoomName::parse("##x"), Err(NameProblem::Character('#')));
        assert!(matches!(RoomName::parse(&"r".repeat(51)), Err(NameProblem::TooLong { .. })));
    }

    #[test]
    fn a_quoted_name_is_harmless_and_short() {
        assert_eq!(quoted("a\u{1b}[31m\u{202e}b"), "a[31mb");
        assert_eq!(quoted(&"x".repeat(50)), "x".repeat(40) + "…");
    }
}
