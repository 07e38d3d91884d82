//! What a terminal is told besides pictures: its title, a bell, a notification, the clipboard.
//!
//! Where it stands: pure functions from texts to bytes, for the painter and for whoever carries out the model's effects.
//!
//! Inside tmux the sequences for notifications are wrapped (`ESC P tmux; … ESC \`, every ESC doubled), because tmux swallows what it does
//! not know; it lets them through if its option `allow-passthrough` is on. The clipboard is never wrapped: tmux understands OSC 52
//! itself, if its option `set-clipboard` is on. GNU screen is not helped: its own wrapper breaks off at 768 bytes.
//!
//! What this file must never do: let a text end the sequence that it stands in.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Terminals show far less of a title.
const TITLE_CHARACTERS_MAX: usize = 200;
/// A notification is a hint, not the message.
const NOTE_CHARACTERS_MAX: usize = 240;
/// Many terminals take no more than 100,000 bytes of base64; 64 KiB are 87,384.
pub(crate) const CLIPBOARD_BYTES_MAX: usize = 64 * 1024;

/// The bell.
pub(crate) const BELL: &str = "\x07";
/// Keeps the window's title on the terminal's own stack (`CSI 22 ; 2 t`, which xterm invented).
pub(crate) const SAVE_TITLE: &str = "\x1b[22;2t";
/// Takes it back from there.
pub(crate) const RESTORE_TITLE: &str = "\x1b[23;2t";
/// Asks what the background's colour is; the answer is an event.
pub(crate) const ASK_BACKGROUND: &str = "\x1b]11;?\x1b\\";

/// What stands between us and the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Between {
    /// Nothing that we know of.
    #[default]
    Nothing,
    /// tmux, which has to be told what is not meant for it.
    Tmux,
}

impl Between {
    /// What the environment says: `TMUX` is set by tmux in every pane.
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Between {
        match variable("TMUX") {
            Some(place) if !place.is_empty() => Between::Tmux,
            _ => Between::Nothing,
        }
    }

    fn wrap(self, sequence: String) -> String {
        match self {
            Between::Nothing => sequence,
            Between::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
        }
    }
}

/// Sets the window's title (OSC 2).
pub(crate) fn title(text: &str) -> String {
    format!("\x1b]2;{}\x1b\\", clean(text, TITLE_CHARACTERS_MAX))
}

/// A notification of the desktop, as iTerm2, Windows Terminal, kitty and others show it (OSC 9). It has no title of its own.
pub(crate) fn notification_9(text: &str, between: Between) -> String {
    between.wrap(format!("\x1b]9;{}\x07", clean_part(text)))
}

/// A notification of the desktop, as urxvt, foot, Ghostty and others show it (OSC 777).
pub(crate) fn notification_777(title: &str, body: &str, between: Between) -> String {
    between.wrap(format!("\x1b]777;notify;{};{}\x07", clean_part(title), clean_part(body)))
}

/// Puts a text into the clipboard (OSC 52).
///
/// # Errors
/// When the text is longer than [`CLIPBOARD_BYTES_MAX`]: half of it would be worse than nothing.
pub(crate) fn clipboard(text: &str) -> Result<String, TooLong> {
    if text.len() > CLIPBOARD_BYTES_MAX {
        return Err(TooLong { bytes: text.len() });
    }
    Ok(format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text)))
}

/// A text that does not fit into the clipboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooLong {
    /// How long it is.
    pub bytes: usize,
}

impl std::fmt::Display for TooLong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "too long to copy: {} KiB, and terminals take {} KiB",
            self.bytes.div_ceil(1024),
            CLIPBOARD_BYTES_MAX / 1024
        )
    }
}

impl std::error::Error for TooLong {}

/// A text in one line, without what could end a sequence, and not longer than it is looked at.
fn clean(text: &str, characters_max: usize) -> String {
    let blank = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().map(blank).take(characters_max).collect()
}

/// The same, where a semicolon would begin the next part.
fn clean_part(text: &str) -> String {
    clean(text, NOTE_CHARACTERS_MAX).replace(';', ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\x07b\x1b\\c\u{9c}d;e\nf";

    #[test]
    fn no_text_ends_its_sequence() {
        assert_eq!(title(HOSTILE), "\x1b]2;a b \\c d;e f\x1b\\");
        assert_eq!(notification_9(HOSTILE, Between::Nothing), "\x1b]9;a b \\c d,e f\x07");
        let note = notification_777(HOSTILE, HOSTILE, Between::Nothing);
        assert_eq!(note, "\x1b]777;notify;a b \\c d,e f;a b \\c d,e f\x07");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "ö漢".repeat(10_000);
        assert!(title(&long).len() < 600);
        assert!(notification_777(&long, &long, Between::Nothing).len() < 1500);
    }

    #[test]
    fn tmux_hands_a_notification_on() {
        let note = notification_9("hi", Between::Tmux);
        assert_eq!(note, "\x1bPtmux;\x1b\x1b]9;hi\x07\x1b\\");
        let within = |value: &'static str| Between::of_environment(move |_| Some(value.to_owned()));
        assert_eq!([within("/tmp/tmux-0/default,1,0"), within("")], [Between::Tmux, Between::Nothing]);
        assert_eq!(Between::of_environment(|_| None), Between::Nothing);
    }

    #[test]
    fn clipboard_takes_any_text_up_to_its_bound() {
        assert_eq!(clipboard("hé\x1b\n"), Ok("\x1b]52;c;aMOpGwo=\x07".to_owned()));
        assert!(clipboard(&"x".repeat(CLIPBOARD_BYTES_MAX)).is_ok());
        let error = clipboard(&"x".repeat(CLIPBOARD_BYTES_MAX + 1)).expect_err("one byte too many");
        assert_eq!(error.to_string(), "too long to copy: 65 KiB, and terminals take 64 KiB");
    }
}
