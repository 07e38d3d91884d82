//! What people write: cleaned once, when a command is made, and clean from then on.
//!
//! A [`Text`] or [`Line`] is the proof that the bytes may be sent to anybody's terminal: no ESC, no control
//! character but TAB (and LF between the lines of a text), no C1, no bidi control, no U+2028/2029, no lone CR.
//! The nine IRC formatting bytes stay in; every rendition but IRC's takes them out again
//! ([`Line::shown`], [`Text::lines`]). Nothing else may make a `Text` or a `Line`.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// A message has at most this many bytes of UTF-8, line feeds included.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// A message has at most this many lines.
pub const TEXT_LINES_MAX: usize = 256;

/// A message: 1 to [`TEXT_LINES_MAX`] lines, [`TEXT_BYTES_MAX`] bytes in all, clean, not blank unless it was
/// [relayed](Text::relayed). Cheap to clone.
// A CR at its very end says that it is a relayed line that ended with CR LF. Nowhere else is a CR.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Text(Arc<str>);

/// How a line ended that is passed on as it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// LF.
    LineFeed,
    /// CR LF.
    CarriageReturnLineFeed,
}

/// One clean, non-blank line: a topic, a reason, an away message. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Line(Arc<str>);

/// Why something is no [`Text`] or [`Line`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextProblem {
    /// Nothing is left to be shown.
    Blank,
    /// More bytes than allowed.
    TooLong {
        /// Its length after cleaning.
        bytes: usize,
        /// The most that is allowed.
        bytes_max: usize,
    },
    /// More lines than [`TEXT_LINES_MAX`].
    TooManyLines {
        /// The number of its lines.
        lines: usize,
    },
}

impl fmt::Display for TextProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextProblem::Blank => write!(formatter, "there is nothing in it that could be shown"),
            TextProblem::TooLong { bytes, bytes_max } => {
                write!(formatter, "it has {bytes} bytes; at most {bytes_max} are possible")
            }
            TextProblem::TooManyLines { lines } => {
                write!(formatter, "it has {lines} lines; at most {TEXT_LINES_MAX} are possible")
            }
        }
    }
}

/// A message that had to be made shorter to fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fitted {
    /// What fits.
    pub text: Text,
    /// How many bytes of the clean text are not in it.
    pub bytes_cut: usize,
}

impl Text {
    /// Cleans `raw`.
    ///
    /// # Errors
    /// Blank, too long or too many lines: nothing is cut here; see [`Text::fitted`] for that.
    pub fn new(raw: &str) -> Result<Text, TextProblem> {
        let clean = clean(raw, LineFeeds::Kept);
        let clean = clean.trim_matches('\n');
        check_not_blank(clean)?;
        check_length(clean, TEXT_BYTES_MAX)?;
        let lines = clean.split('\n').count();
        if lines > TEXT_LINES_MAX {
            return Err(TextProblem::TooManyLines { lines });
        }
        Ok(Text(clean.into()))
    }

    /// Cleans one line of typing and cuts it, between two characters, to what fits.
    ///
    /// # Errors
    /// Only [`TextProblem::Blank`].
    pub fn fitted(raw_line: &str) -> Result<Fitted, TextProblem> {
        let clean = clean(raw_line, LineFeeds::Spaced);
        check_not_blank(&clean)?;
        let end = floor_char_boundary(&clean, TEXT_BYTES_MAX);
        if end < clean.len() {
            check_not_blank(&clean[..end])?;
        }
        Ok(Fitted { text: Text(clean[..end].into()), bytes_cut: clean.len() - end })
    }

    /// A line for a server that passes lines on and does nothing else: cleaned, and cut to what fits, but blank if it was
    /// blank, and it remembers its end.
    pub fn relayed(raw_line: &str, ending: Ending) -> Text {
        let clean = clean(raw_line, LineFeeds::Spaced);
        let body = &clean[..floor_char_boundary(&clean, TEXT_BYTES_MAX)];
        match ending {
            Ending::LineFeed => Text(body.into()),
            Ending::CarriageReturnLineFeed => Text(format!("{body}\r").into()),
        }
    }

    /// A text as it was written down once: cleaned again and cut to what fits, for whoever wrote it there may have been
    /// somebody else.
    pub fn kept(written: &str) -> Text {
        let clean = clean(written, LineFeeds::Kept);
        Text(clean[..floor_char_boundary(&clean, TEXT_BYTES_MAX)].into())
    }

    /// How the line ended, if it was relayed; all others end with LF.
    pub fn ending(&self) -> Ending {
        if self.0.ends_with('\r') { Ending::CarriageReturnLineFeed } else { Ending::LineFeed }
    }

    /// The lines without IRC's formatting bytes: what everybody but IRC is shown.
    pub fn lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.formatted().split('\n').map(without_formatting)
    }

    /// The text with IRC's formatting bytes in it.
    pub fn formatted(&self) -> &str {
        self.0.strip_suffix('\r').unwrap_or(&self.0)
    }
}

impl Line {
    /// Cleans `raw`; line feeds become spaces, blanks at both ends go.
    ///
    /// # Errors
    /// Blank, or longer than `bytes_max`.
    pub fn new(raw: &str, bytes_max: usize) -> Result<Line, TextProblem> {
        let clean = clean(raw, LineFeeds::Spaced);
        let clean = clean.trim();
        check_not_blank(clean)?;
        check_length(clean, bytes_max)?;
        Ok(Line(clean.into()))
    }

    /// The line without IRC's formatting bytes: what everybody but IRC is shown.
    pub fn shown(&self) -> Cow<'_, str> {
        without_formatting(&self.0)
    }

    /// The line with IRC's formatting bytes in it.
    pub fn formatted(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineFeeds {
    Kept,
    Spaced,
}

fn check_not_blank(clean: &str) -> Result<(), TextProblem> {
    let shows_nothing = |character: char| character.is_whitespace() || is_ignorable(character);
    if without_formatting(clean).chars().all(shows_nothing) { Err(TextProblem::Blank) } else { Ok(()) }
}

/// Unicode's `Default_Ignorable_Code_Point` property (UAX #44, version 16): what a terminal draws nothing for. In a text with
/// something else in it these stay, because joiners and selectors say how their neighbours are drawn.
fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn check_length(clean: &str, bytes_max: usize) -> Result<(), TextProblem> {
    if clean.len() > bytes_max { Err(TextProblem::TooLong { bytes: clean.len(), bytes_max }) } else { Ok(()) }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}

/// Bytes that need no second look: the printable part of ASCII, and TAB.
fn is_plain_ascii(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) || byte == b'\t'
}

/// Takes out what no terminal may be sent. A whole CSI sequence goes (ECMA-48 §5.4: parameters 30–3F,
/// intermediates 20–2F, final 40–7E), so that coloured output pasted into a room stays readable; of anything else
/// only the control character itself goes.
fn clean(raw: &str, line_feeds: LineFeeds) -> Cow<'_, str> {
    // Not with `all`: without a way out in the middle many bytes are looked at at once.
    if raw.bytes().fold(true, |is_plain, byte| is_plain & is_plain_ascii(byte)) {
        return Cow::Borrowed(raw);
    }
    let mut clean = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(character) = rest.next() {
        match character {
            '\n' if line_feeds == LineFeeds::Kept => clean.push('\n'),
            '\n' => clean.push(' '),
            '\u{1b}' => rest = behind_csi(rest),
            _ if is_forbidden(character) => {}
            _ => clean.push(character),
        }
    }
    Cow::Owned(clean)
}

/// What follows a control sequence whose ESC has just been taken; unchanged if it is none.
fn behind_csi(behind_escape: core::str::Chars<'_>) -> core::str::Chars<'_> {
    let mut rest = behind_escape.clone();
    if rest.next() != Some('[') {
        return behind_escape;
    }
    for character in rest.by_ref() {
        match character {
            ' '..='?' => {}
            '@'..='~' => return rest,
            _ => break,
        }
    }
    behind_escape
}

/// IRC's bold, colour, hex colour, reset, monospace, reverse, italics, strikethrough, underline
/// (modern.ircdocs.horse/formatting).
fn is_formatting(character: char) -> bool {
    matches!(
        character,
        '\u{02}' | '\u{03}' | '\u{04}' | '\u{0f}' | '\u{11}' | '\u{16}' | '\u{1d}' | '\u{1e}' | '\u{1f}'
    )
}

/// Bytes below the printable ones of ASCII but TAB and LF: the formatting bytes are all among them.
fn may_be_formatting(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' && byte != b'\n'
}

/// Whether a terminal may be sent this character as it is; TAB, which a text may have, is not asked about.
pub fn is_showable(character: char) -> bool {
    !character.is_control() && !is_line_separator(character) && !is_bidi_control(character)
}

fn is_forbidden(character: char) -> bool {
    !is_showable(character) && character != '\t' && !is_formatting(character)
}

fn is_line_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

/// Unicode's `Bidi_Control` property (UAX #9): they could reorder what stands around the text.
fn is_bidi_control(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Takes out the formatting bytes, and the colour numbers that belong to 03 (one or two digits, a comma, one or two
/// digits) and 04 (six hex digits, likewise).
fn without_formatting(text: &str) -> Cow<'_, str> {
    // Most texts have none of it, and are looked at many bytes at once: so there is no way out in the middle here either.
    if !text.bytes().fold(false, |is_found, byte| is_found | may_be_formatting(byte)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '\u{03}' => rest = behind_colours(rest, decimal_colour),
            '\u{04}' => rest = behind_colours(rest, hex_colour),
            _ if is_formatting(character) => {}
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// What follows a foreground colour and, behind a comma, a background colour.
fn behind_colours(text: &str, colour: fn(&str) -> usize) -> &str {
    let foreground = colour(text);
    let rest = &text[foreground..];
    let background = rest.strip_prefix(',').map_or(0, colour);
    if foreground > 0 && background > 0 { &rest[1 + background..] } else { rest }
}

fn decimal_colour(text: &str) -> usize {
    text.bytes().take(2).take_while(u8::is_ascii_digit).count()
}

fn hex_colour(text: &str) -> usize {
    let digits = text.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
    if digits == 6 { 6 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn shown(raw: &str) -> String {
        Text::new(raw)
            .map_or_else(|problem| problem.to_string(), |text| text.lines().collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn terminal_controls_are_taken_out() {
        assert_eq!(shown("a\u{1b}[31;1mred\u{1b}[0m\u{7}!"), "ared!");
        assert_eq!(shown("\u{1b}]0;title\u{7}x"), "]0;titlex");
        assert_eq!(shown("\u{1b}[12"), "[12");
        assert_eq!(shown("c1\u{9b}31m"), "c131m");
        assert_eq!(shown("\u{202e}evil\u{2028}line\u{7f}"), "evilline");
        assert_eq!(shown("a\rb"), "ab");
        assert_eq!(shown("tab\tstays"), "tab\tstays");
    }

    #[test]
    fn what_could_deceive_is_not_showable() {
        for character in ['\u{1b}', '\t', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{2028}', '\u{2}'] {
            assert!(!is_showable(character), "{character:?}");
        }
        assert!(['a', '漢', '\u{200d}', '\u{301}'].into_iter().all(is_showable));
    }

    #[test]
    fn relayed_line_is_clean_and_keeps_its_blanks_and_its_end() {
        let text = Text::relayed("  \u{1b}[31mhi\rthere  ", Ending::CarriageReturnLineFeed);
        assert_eq!(text.formatted(), "  hithere  ");
        assert_eq!(text.lines().collect::<Vec<_>>(), ["  hithere  "]);
        assert_eq!(text.ending(), Ending::CarriageReturnLineFeed);
        let blank = Text::relayed("", Ending::LineFeed);
        assert_eq!((blank.formatted(), blank.ending()), ("", Ending::LineFeed));
        let long = Text::relayed(&"x".repeat(TEXT_BYTES_MAX + 1), Ending::CarriageReturnLineFeed);
        assert_eq!(long.formatted().len(), TEXT_BYTES_MAX);
    }

    #[test]
    fn formatting_stays_in_the_text_but_is_not_shown() {
        let text = Text::new("\u{2}bold\u{2} \u{3}04,12red\u{3} \u{4}ff0000hex").unwrap();
        assert_eq!(text.formatted(), "\u{2}bold\u{2} \u{3}04,12red\u{3} \u{4}ff0000hex");
        assert_eq!(shown(text.formatted()), "bold red hex");
        assert_eq!(shown("\u{3}4,text"), ",text");
        assert_eq!(shown("\u{3},5text"), ",5text");
        assert_eq!(Text::new("\u{2}\u{3}5"), Err(TextProblem::Blank));
    }

    #[test]
    fn every_formatting_character_is_a_byte_that_may_be_one() {
        for character in ('\0'..=char::MAX).filter(|character| is_formatting(*character)) {
            assert!(character.is_ascii() && may_be_formatting(character as u8), "{character:?}");
        }
    }

    #[test]
    fn line_feeds_stay_between_lines_only() {
        assert_eq!(shown("\n\none\r\ntwo\n"), "one\ntwo");
        assert_eq!(Line::new(" a\nb ", 10).unwrap().shown(), "a b");
    }

    #[test]
    fn every_bound_is_told() {
        assert_eq!(
            Text::new(&"x".repeat(TEXT_BYTES_MAX + 1)),
            Err(TextProblem::TooLong { bytes: TEXT_BYTES_MAX + 1, bytes_max: TEXT_BYTES_MAX })
        );
        assert!(Text::new(&"x".repeat(TEXT_BYTES_MAX)).is_ok());
        assert!(Text::new(&"x\n".repeat(TEXT_LINES_MAX)).is_ok());
        assert_eq!(
            Text::new(&"x\n".repeat(TEXT_LINES_MAX + 1)),
            Err(TextProblem::TooManyLines { lines: TEXT_LINES_MAX + 1 })
        );
        assert!(Line::new("12345", 4).is_err());
        assert_eq!(Text::new(" \u{1b}[0m "), Err(TextProblem::Blank));
    }

    #[test]
    fn what_shows_nothing_is_no_text_but_stays_in_one() {
        for raw in [
            "\u{200b}",
            "\u{200c} \u{2060}\n\u{feff}",
            "\u{3164}\u{ffa0}",
            "\u{ad}\u{3}4\u{e0020}",
            "\u{3000}",
        ] {
            assert_eq!(Text::new(raw), Err(TextProblem::Blank), "{raw:?}");
            assert_eq!(Text::fitted(raw), Err(TextProblem::Blank), "{raw:?}");
            assert_eq!(Line::new(raw, 100), Err(TextProblem::Blank), "{raw:?}");
        }
        // An emoji of three, and a blank of Braille, which is a sign like its neighbours.
        for raw in ["\u{1f469}\u{200d}\u{1f680}", "\u{2800}", "a\u{200b}"] {
            assert_eq!(shown(raw), raw);
        }
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let fitted = Text::fitted(&"é".repeat(TEXT_BYTES_MAX)).unwrap();
        assert_eq!(fitted.text.formatted().len(), TEXT_BYTES_MAX);
        assert_eq!(fitted.bytes_cut, TEXT_BYTES_MAX);
        let odd = Text::fitted(&alloc::format!("a{}", "é".repeat(TEXT_BYTES_MAX))).unwrap();
        assert_eq!(odd.text.formatted().len(), TEXT_BYTES_MAX - 1);
    }

    proptest! {
        #[test]
        fn what_is_cleaned_is_clean(raw in "\\PC*|[\\x00-\\xff\u{2028}\u{202e}a]*") {
            if let Ok(text) = Text::new(&raw) {
                for line in text.lines() {
                    prop_assert!(!line.chars().any(|c| (c.is_control() && c != '\t') || is_forbidden(c)));
                }
                prop_assert_eq!(Text::new(text.formatted()), Ok(text.clone()));
            }
        }
    }
}
