//! Whether everything is told line by line, with nothing ever redrawn, and why.
//!
//! Where it stands: asked once at the start, before anything is written. There is no way to ask a terminal whether somebody listens to
//! it or reads it with their fingers; so these people say so once, by a variable or a setting, and it is believed.
//!
//! What this file must never do: draw a screen where nothing could show one.

use std::ffi::OsString;

/// Says whether to be plain: `1` always, `0` not because of [`ACCESSIBLE_VARIABLE`].
pub(crate) const PLAIN_VARIABLE: &str = "ROOMFUL_PLAIN";
/// What other programs look at, too, for people with screen readers.
pub(crate) const ACCESSIBLE_VARIABLE: &str = "ACCESSIBLE";

/// Why everything is told line by line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    /// Somebody asked for it, on the command line, in the settings or by [`PLAIN_VARIABLE`].
    Asked,
    /// Input or output is no terminal.
    NoTerminal,
    /// The terminal can only write lines.
    DumbTerminal,
    /// Somebody uses a screen reader.
    ScreenReader,
}

/// What is known at the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wish {
    /// `--plain` stands on the command line.
    pub flag: bool,
    /// The settings say so.
    pub setting: bool,
    /// Both input and output are a terminal.
    pub is_terminal: bool,
}

/// Why everything is told line by line; `None` if there is a screen. `variable` asks the environment.
pub(crate) fn why_plain(wish: Wish, variable: impl Fn(&str) -> Option<OsString>) -> Option<Why> {
    let says = |name: &str| variable(name).and_then(|value| yes_or_no(&value));
    let is_dumb = variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    if !wish.is_terminal {
        return Some(Why::NoTerminal);
    }
    if is_dumb {
        return Some(Why::DumbTerminal);
    }
    match says(PLAIN_VARIABLE) {
        _ if wish.flag => Some(Why::Asked),
        Some(asked) => asked.then_some(Why::Asked),
        None if wish.setting => Some(Why::Asked),
        None => (says(ACCESSIBLE_VARIABLE) == Some(true)).then_some(Why::ScreenReader),
    }
}

/// What a variable says; nothing if it is empty. Whatever is no `no` is a yes, as others do it.
fn yes_or_no(value: &OsString) -> Option<bool> {
    let value = value.to_string_lossy().to_lowercase();
    (!value.is_empty()).then_some(!matches!(value.as_str(), "0" | "no" | "false" | "off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Wish = Wish { flag: false, setting: false, is_terminal: true };

    fn why(wish: Wish, variables: &[(&str, &str)]) -> Option<Why> {
        why_plain(wish, |name| {
            let (_, value) = variables.iter().rev().find(|(other, _)| *other == name)?;
            Some(value.into())
        })
    }

    #[test]
    fn there_is_a_screen_unless_something_speaks_against_it() {
        let flag = Wish { flag: true, ..SCREEN };
        let setting = Wish { setting: true, ..SCREEN };
        let pipe = Wish { is_terminal: false, ..SCREEN };
        for (wish, variables, expected) in [
            (SCREEN, &[][..], None),
            (SCREEN, &[("NO_COLOR", "1")], None),
            (flag, &[], Some(Why::Asked)),
            (setting, &[], Some(Why::Asked)),
            (pipe, &[], Some(Why::NoTerminal)),
            (pipe, &[("ROOMFUL_PLAIN", "0")], Some(Why::NoTerminal)),
            (SCREEN, &[("TERM", "dumb")], Some(Why::DumbTerminal)),
            (SCREEN, &[("TERM", "dumb"), ("ROOMFUL_PLAIN", "0")], Some(Why::DumbTerminal)),
            (SCREEN, &[("TERM", "")], Some(Why::DumbTerminal)),
            (SCREEN, &[("ROOMFUL_PLAIN", "1")], Some(Why::Asked)),
            (SCREEN, &[("ROOMFUL_PLAIN", "")], None),
            (setting, &[("ROOMFUL_PLAIN", "0")], None),
            (flag, &[("ROOMFUL_PLAIN", "0")], Some(Why::Asked)),
            (SCREEN, &[("ACCESSIBLE", "1")], Some(Why::ScreenReader)),
            (SCREEN, &[("ACCESSIBLE", "False")], None),
            (SCREEN, &[("ACCESSIBLE", "yes"), ("ROOMFUL_PLAIN", "0")], None),
        ] {
            let with_terminal: Vec<_> = [("TERM", "xterm")].iter().chain(variables).copied().collect();
            assert_eq!(why(wish, &with_terminal), expected, "{wish:?} {variables:?}");
        }
        assert_eq!(why(SCREEN, &[]), Some(Why::DumbTerminal));
    }
}
