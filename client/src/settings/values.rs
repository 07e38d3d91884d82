//! What the values of settings are: words out of a few, and how a time is written.
//!
//! Where it stands: below the tables of keys, which say for what they are.
//!
//! What this file must never do: know a key, or let a format through that fails on some day, says no time, or is wider than a
//! column.

use jiff::Zoned;
use jiff::fmt::strtime;

/// One of several words.
pub(super) trait Choice: Copy + PartialEq + 'static {
    /// Each word with what it does.
    const ALL: &'static [(Self, &'static str, &'static str)];

    fn word(self) -> &'static str {
        let row = Self::ALL.iter().find(|(choice, _, _)| *choice == self);
        row.map_or("", |(_, word, _)| *word)
    }

    fn parse(word: &str) -> Option<Self> {
        let row = Self::ALL.iter().find(|(_, other, _)| *other == word);
        row.map(|(choice, _, _)| *choice)
    }
}

/// Which colours there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Theme {
    /// As the terminal says.
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// The terminal's own two colours, and nothing faint.
    HighContrast,
    /// No colours.
    Mono,
}

impl Choice for Theme {
    const ALL: &'static [(Theme, &'static str, &'static str)] = &[
        (Theme::Auto, "auto", "`dark` or `light`, as the terminal says; `mono` if `NO_COLOR` is set"),
        (Theme::Dark, "dark", "for a dark background"),
        (Theme::Light, "light", "for a light background"),
        (
            Theme::HighContrast,
            "high-contrast",
            "the terminal's own colours of text and background alone, and nothing faint",
        ),
        (Theme::Mono, "mono", "no colours; what they say is also said by letters, bold or underlined"),
    ];
}

/// How one's attention is called for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notify {
    /// The terminal's bell.
    Bell,
    /// OSC 9.
    Osc9,
    /// OSC 777.
    Osc777,
}

impl Choice for Notify {
    const ALL: &'static [(Notify, &'static str, &'static str)] = &[
        (
            Notify::Bell,
            "bell",
            "the terminal's bell, which many terminals and window managers make a mark of",
        ),
        (
            Notify::Osc9,
            "osc9",
            "a notification of the desktop, by the sequence OSC 9 (iTerm2, kitty, WezTerm, foot, Ghostty)",
        ),
        (
            Notify::Osc777,
            "osc777",
            "a notification of the desktop, by the sequence OSC 777 (foot, WezTerm, Ghostty, urxvt with its extension)",
        ),
    ];
}

/// For what one's attention is called for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotifyOn {
    /// What is meant for oneself.
    Mention,
    /// Everything that is said.
    Message,
    /// Nothing.
    Never,
}

impl Choice for NotifyOn {
    const ALL: &'static [(NotifyOn, &'static str, &'static str)] = &[
        (NotifyOn::Mention, "mention", "one's nick, a word of `highlight`, or a direct message"),
        (NotifyOn::Message, "message", "whatever somebody says"),
        (NotifyOn::Never, "never", "nothing"),
    ];
}

/// Of whom it is told that they came, went or are called otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrivals {
    /// Of everybody.
    All,
    /// Of those who have lately said something there.
    Talking,
    /// Of nobody.
    None,
}

impl Choice for Arrivals {
    const ALL: &'static [(Arrivals, &'static str, &'static str)] = &[
        (Arrivals::All, "all", "everybody"),
        (Arrivals::Talking, "talking", "those who have said something in that room in the last hour"),
        (Arrivals::None, "none", "nobody"),
    ];
}

/// When the list of members is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Members {
    /// Where there is room for it.
    Auto,
    /// Always.
    Always,
    /// Only when a key asks for it.
    Never,
}

impl Choice for Members {
    const ALL: &'static [(Members, &'static str, &'static str)] = &[
        (Members::Auto, "auto", "if the terminal is wide enough for it"),
        (Members::Always, "always", "also if little is left for what is said"),
        (Members::Never, "never", "until a key asks for it"),
    ];
}

/// Longer formats write more than fits.
const FORMAT_BYTES_MAX: usize = 64;

/// How the time of a message is written: a format of `strftime`. Nothing is written if it is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeFormat(String);

impl Default for TimeFormat {
    fn default() -> TimeFormat {
        TimeFormat("%H:%M".to_owned())
    }
}

impl TimeFormat {
    /// No time is written wider than that.
    pub const CHARS_MAX: usize = 16;

    /// Checks a format.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(format: &str) -> Result<TimeFormat, String> {
        let quoted = hub::quoted(format);
        // No directive writes more than 255 characters, and so a short format never writes much.
        if format.len() > FORMAT_BYTES_MAX {
            return Err(format!("it has {} bytes; at most {FORMAT_BYTES_MAX} are possible", format.len()));
        }
        let early = Self::tried(format, "2000-01-01T00:00:00.000Z[UTC]")?;
        let late = Self::tried(format, "2000-01-01T22:48:58.999999999Z[UTC]")?;
        Self::tried(format, "2029-09-26T22:48:58.999999999Z[UTC]")?;
        if early == late && !format.is_empty() {
            return Err(format!("'{quoted}' writes the same all day; '%H:%M' writes hours and minutes"));
        }
        Ok(TimeFormat(format.to_owned()))
    }

    /// What the format writes at a moment.
    fn tried(format: &str, moment: &str) -> Result<String, String> {
        let quoted = hub::quoted(format);
        let written = moment.parse::<Zoned>().and_then(|moment| strtime::format(format, &moment));
        let written = written.map_err(|error| format!("'{quoted}' is no format for a time: {error}"))?;
        if !written.chars().all(hub::is_showable) {
            return Err(format!("'{quoted}' is no format for a time: it does not fit into one line"));
        }
        if written.chars().count() > Self::CHARS_MAX {
            let chars_max = Self::CHARS_MAX;
            return Err(format!("'{quoted}' is too wide: at most {chars_max} characters are shown"));
        }
        Ok(written)
    }

    /// Writes a moment.
    pub fn write(&self, moment: &Zoned) -> String {
        // It was tried when it was parsed; some zones have longer names than the one of the trial.
        let written = strtime::format(&self.0, moment).unwrap_or_default();
        written.chars().filter(|character| hub::is_showable(*character)).take(Self::CHARS_MAX).collect()
    }

    /// As it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_of_times_is_tried_before_it_is_needed() {
        let moment: Zoned = "2026-11-20T18:05:07+01:00[Europe/Berlin]".parse().unwrap();
        for (format, written) in [
            ("%H:%M", "18:05"),
            ("%I:%M %p", "06:05 PM"),
            ("%-H.%M", "18.05"),
            ("", ""),
            ("%d.%m.%H:%M", "20.11.18:05"),
        ] {
            assert_eq!(TimeFormat::parse(format).unwrap().write(&moment), written);
        }
        let why = |format: &str| TimeFormat::parse(format).unwrap_err();
        assert!(why("%H:%!").starts_with("'%H:%!' is no format for a time: "), "{}", why("%H:%!"));
        assert!(why("%").starts_with("'%' is no format for a time: "), "{}", why("%"));
        assert_eq!(why("%H%n%M"), "'%H%n%M' is no format for a time: it does not fit into one line");
        assert_eq!(why("%A, %d. %B"), "'%A, %d. %B' is too wide: at most 16 characters are shown");
        assert_eq!(why("%200H"), "'%200H' is too wide: at most 16 characters are shown");
        for constant in ["%Q", "%d.%m.", " ", "at"] {
            let written = format!("'{constant}' writes the same all day; '%H:%M' writes hours and minutes");
            assert_eq!(why(constant), written);
        }
        assert_eq!(why(&"%H".repeat(40)), "it has 80 bytes; at most 64 are possible");
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for (theme, word, _) in Theme::ALL {
            assert_eq!(Theme::parse(word), Some(*theme));
            assert_eq!(theme.word(), *word);
        }
        assert_eq!(Theme::parse("Dark"), None);
    }
}
