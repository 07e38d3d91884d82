//! How the terminal draws what comes next: colours, weight, and where it leads, told only when it changes.
//!
//! Where it stands: between the painter, which says how a cluster shall look, and the bytes (ECMA-48 §8.3.117 SGR, ISO 8613-6
//! for colours beyond sixteen, and the terminals' own OSC 8 for links).
//!
//! What this file must never do: let a link's target end the sequence that it stands in.

use super::row::Look;
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// What terminals take as a link's target (the limit of VTE).
const TARGET_BYTES_MAX: usize = 2083;

/// What we write, and what its numbers are.
const MODIFIERS: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// The look that was told last.
pub(super) struct Pen<'a> {
    look: Look<'a>,
}

impl<'a> Pen<'a> {
    /// The terminal draws plainly: that is how every frame begins and ends.
    pub(super) fn new() -> Pen<'a> {
        Pen { look: Look::PLAIN }
    }

    /// Whether what comes next looks like this without a word.
    pub(super) fn draws(&self, look: &Look) -> bool {
        self.look == *look
    }

    /// What comes next looks like this.
    pub(super) fn take(&mut self, look: Look<'a>, out: &mut String) {
        if look.link != self.look.link {
            write_link(look.link, out);
        }
        write_style(&self.look, &look, out);
        self.look = look;
    }
}

fn write_style(old: &Look, new: &Look, out: &mut String) {
    let known = MODIFIERS.iter().fold(Modifier::empty(), |all, (modifier, _)| all | *modifier);
    let (old_modifier, new_modifier) = (old.modifier & known, new.modifier & known);
    let is_plain = |look: &Look, modifier: Modifier| {
        (look.foreground, look.background) == (Color::Reset, Color::Reset) && modifier.is_empty()
    };
    if is_plain(new, new_modifier) {
        if !is_plain(old, old_modifier) {
            out.push_str("\x1b[m");
        }
        return;
    }
    let mut parameters = Vec::new();
    // Bold and dim are switched off by one number for both, and not everywhere; nought is understood by all.
    let is_fresh = !new_modifier.contains(old_modifier);
    let (old, old_modifier) = if is_fresh { (&Look::PLAIN, Modifier::empty()) } else { (old, old_modifier) };
    if is_fresh {
        parameters.push("0".to_owned());
    }
    let added = new_modifier - old_modifier;
    let numbers = MODIFIERS.iter().filter(|(modifier, _)| added.contains(*modifier));
    parameters.extend(numbers.map(|(_, number)| number.to_string()));
    if new.foreground != old.foreground {
        parameters.push(parameter(new.foreground, Ground::Fore));
    }
    if new.background != old.background {
        parameters.push(parameter(new.background, Ground::Back));
    }
    if !parameters.is_empty() {
        let _ = write!(out, "\x1b[{}m", parameters.join(";"));
    }
}

/// What has the colour.
#[derive(Clone, Copy)]
enum Ground {
    Fore,
    Back,
}

fn parameter(color: Color, ground: Ground) -> String {
    let added = match ground {
        Ground::Fore => 0,
        Ground::Back => 10,
    };
    let number = match color {
        Color::Rgb(red, green, blue) => return format!("{};2;{red};{green};{blue}", 38 + added),
        Color::Indexed(index) => return format!("{};5;{index}", 38 + added),
        Color::Reset => 39,
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
    };
    (number + added).to_string()
}

/// Begins a link, or ends the one before. Its identity is made of its target, so that a link that goes over two rows is one: they
/// are lit together under the mouse.
fn write_link(target: Option<&str>, out: &mut String) {
    let target = target.map(encoded).filter(|target| target.len() <= TARGET_BYTES_MAX);
    let _ = match target {
        Some(target) => write!(out, "\x1b]8;id={:x};{target}\x1b\\", identity(&target)),
        None => write!(out, "\x1b]8;;\x1b\\"),
    };
}

fn identity(target: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    hasher.finish() as u32
}

/// A target in printable ASCII, which is all that may stand in the sequence.
fn encoded(target: &str) -> String {
    let mut encoded = String::with_capacity(target.len());
    for byte in target.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(looks: &[Look<'static>]) -> String {
        let (mut pen, mut out) = (Pen::new(), String::new());
        for look in looks {
            pen.take(*look, &mut out);
        }
        out
    }

    fn look(foreground: Color, modifier: Modifier) -> Look<'static> {
        Look { foreground, modifier, ..Look::PLAIN }
    }

    #[test]
    fn same_look_is_told_once() {
        let red = look(Color::Red, Modifier::BOLD);
        assert_eq!(written(&[red, red]), "\x1b[1;31m");
        assert_eq!(written(&[Look::PLAIN]), "");
    }

    #[test]
    fn only_what_changes_is_told() {
        let [bold, red] = [look(Color::Reset, Modifier::BOLD), look(Color::Red, Modifier::BOLD)];
        assert_eq!(written(&[bold, red, Look::PLAIN]), "\x1b[1m\x1b[31m\x1b[m");
        assert_eq!(written(&[red, look(Color::Red, Modifier::DIM)]), "\x1b[1;31m\x1b[0;2;31m");
        let indexed = Look { background: Color::Indexed(236), ..Look::PLAIN };
        let exact = Look { background: Color::Rgb(1, 2, 3), ..Look::PLAIN };
        assert_eq!(written(&[indexed, exact]), "\x1b[48;5;236m\x1b[48;2;1;2;3m");
    }

    #[test]
    fn modifier_that_we_do_not_write_changes_nothing() {
        assert_eq!(written(&[look(Color::Reset, Modifier::SLOW_BLINK), Look::PLAIN]), "");
    }

    #[test]
    fn link_has_an_identity_and_cannot_break_out() {
        let hostile = Look { link: Some("https://a/ö\x1b\\\x07 b"), ..Look::PLAIN };
        let text = written(&[hostile, Look::PLAIN]);
        let (start, end) = text.split_once("https://").expect("a target");
        assert!(start.starts_with("\x1b]8;id=") && start.ends_with(';'), "{start:?}");
        assert_eq!(end, "a/%C3%B6%1B\\%07%20b\x1b\\\x1b]8;;\x1b\\");
    }
}
