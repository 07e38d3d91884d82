//! How many colours the terminal has, and on what it draws.
//!
//! Where it stands: asked once, before the theme is chosen. The environment is handed in, so that it is pure. What the terminal
//! itself says about its background comes later, as an event, and is the better answer.
//!
//! What this file must never do: wait for the terminal.

use super::event::Background;

/// How many colours may be used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Colours {
    /// None: bold, dim, reversed and underlined have to do.
    None,
    /// The sixteen that have names, which people set to their liking.
    Sixteen,
    /// At least the 256 that have numbers.
    Many,
}

impl Colours {
    /// What the environment says. `NO_COLOR` (<https://no-color.org>) counts if it is not empty.
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Colours {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let terminal = set("TERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || terminal == "dumb" || terminal.ends_with("-m") {
            return Colours::None;
        }
        let is_deep = matches!(set("COLORTERM").as_deref(), Some("truecolor" | "24bit"));
        let is_known = ["256color", "direct", "kitty", "ghostty", "alacritty", "foot", "wezterm", "iterm2"];
        // Windows' consoles set no TERM, but this.
        if is_deep || set("WT_SESSION").is_some() || is_known.iter().any(|part| terminal.contains(part)) {
            return Colours::Many;
        }
        if terminal.is_empty() || terminal.starts_with("vt") { Colours::None } else { Colours::Sixteen }
    }
}

/// What `COLORFGBG` says, which rxvt, Konsole and some others set: numbers of colours, the last one is the background's.
pub(crate) fn background_of_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Background> {
    let colours = variable("COLORFGBG")?;
    let (_, background) = colours.rsplit_once(';')?;
    match background.parse::<u8>().ok()? {
        7 | 9..=15 => Some(Background::Light),
        0..=6 | 8 => Some(Background::Dark),
        _ => None,
    }
}

/// Whether the terminal may be asked for its background: those that know no such question show it, or worse.
pub(super) fn answers_questions(variable: impl Fn(&str) -> Option<String>) -> bool {
    let terminal = variable("TERM").unwrap_or_default();
    !["", "dumb", "linux"].contains(&terminal.as_str()) && !terminal.starts_with("vt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(environment: &[(&str, &str)]) -> Colours {
        Colours::of_environment(|name| value(environment, name))
    }

    fn value(environment: &[(&str, &str)], name: &str) -> Option<String> {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn colours_are_as_many_as_the_terminal_has() {
        let table: [(&[(&str, &str)], Colours); 9] = [
            (&[], Colours::None),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], Colours::None),
            (&[("TERM", "vt220")], Colours::None),
            (&[("TERM", "linux")], Colours::Sixteen),
            (&[("TERM", "xterm")], Colours::Sixteen),
            (&[("TERM", "xterm-256color")], Colours::Many),
            (&[("TERM", "screen"), ("COLORTERM", "truecolor")], Colours::Many),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Colours::None),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], Colours::Sixteen),
        ];
        for (environment, colours) in table {
            assert_eq!(of(environment), colours, "{environment:?}");
        }
    }

    #[test]
    fn background_is_the_last_number() {
        let table = [
            ("15;0", Some(Background::Dark)),
            ("0;15", Some(Background::Light)),
            ("0;default;7", Some(Background::Light)),
            ("12;8", Some(Background::Dark)),
            ("0;default", None),
            ("", None),
        ];
        for (text, background) in table {
            assert_eq!(
                background_of_environment(|name| value(&[("COLORFGBG", text)], name)),
                background,
                "{text}"
            );
        }
    }
}
