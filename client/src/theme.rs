//! How the parts of a screen look: the only place with colours.
//!
//! Where it stands: below the view, which says what something is; above the terminal, which writes the styles.
//!
//! Whether the background is dark or light is often not known. Then `auto` has colours alone that can be read on both, and what
//! has no colour of its own keeps the terminal's.
//!
//! What this file must never do: say anything by a colour alone, or set a background.

use crate::layout::Role;
use crate::settings;
use crate::terminal::Colours;
use ratatui::style::{Color, Modifier, Style};

/// What something on the screen is, beside the parts of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ink {
    /// What is read.
    Plain,
    /// What need not be.
    Quiet,
    /// What is looked for first.
    Strong,
    /// What is chosen in a list, the room that is seen, and the message that one has gone to.
    Chosen,
    /// What concerns the reader.
    Attention,
    /// What one should know.
    Hint,
    /// What did not work.
    Problem,
    /// All is well.
    Good,
    /// Something is being waited for.
    Waiting,
}

/// The looks of everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Theme {
    name: settings::Theme,
    colours: Colours,
}

/// Colours for one kind of background.
struct Palette {
    quiet: Color,
    attention: Color,
    hint: Color,
    good: Color,
    waiting: Color,
    nicks: &'static [Color],
}

const fn numbered<const COUNT: usize>(numbers: [u8; COUNT]) -> [Color; COUNT] {
    let mut colours = [Color::Reset; COUNT];
    let mut nth = 0;
    while nth < COUNT {
        colours[nth] = Color::Indexed(numbers[nth]);
        nth += 1;
    }
    colours
}

/// Far enough from black and from white alike: the contrast is 4 at least, and can be 4.58 at most.
const MANY_ON_ANY: Palette = Palette {
    quiet: Color::Indexed(243),
    attention: Color::Indexed(162),
    hint: Color::Indexed(31),
    good: Color::Indexed(28),
    waiting: Color::Indexed(130),
    nicks: &numbered([130, 64, 28, 29, 30, 31, 27, 62, 63, 98, 99, 129, 164, 163]),
};

const MANY_ON_DARK: Palette = Palette {
    quiet: Color::Indexed(245),
    attention: Color::Indexed(211),
    hint: Color::Indexed(110),
    good: Color::Indexed(114),
    waiting: Color::Indexed(215),
    nicks: &numbered([75, 114, 180, 176, 79, 141, 185, 110, 173, 150, 174, 80, 147, 183, 108, 222]),
};

const MANY_ON_LIGHT: Palette = Palette {
    quiet: Color::Indexed(242),
    attention: Color::Indexed(161),
    hint: Color::Indexed(25),
    good: Color::Indexed(28),
    waiting: Color::Indexed(94),
    nicks: &numbered([25, 28, 94, 90, 23, 124, 55, 58, 24, 130, 22, 126, 29, 61, 26, 96]),
};

const SIXTEEN_ON_ANY: Palette = Palette {
    quiet: Color::Reset,
    attention: Color::LightRed,
    hint: Color::LightBlue,
    good: Color::Reset,
    waiting: Color::Reset,
    nicks: &[Color::Red, Color::Magenta, Color::LightBlue, Color::LightMagenta],
};

const SIXTEEN_ON_DARK: Palette = Palette {
    quiet: Color::Reset,
    attention: Color::LightRed,
    hint: Color::Cyan,
    good: Color::Green,
    waiting: Color::Yellow,
    nicks: &[
        Color::Green,
        Color::Yellow,
        Color::Cyan,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightMagenta,
        Color::LightCyan,
    ],
};

const SIXTEEN_ON_LIGHT: Palette = Palette {
    quiet: Color::Reset,
    attention: Color::Red,
    hint: Color::Blue,
    good: Color::Reset,
    waiting: Color::Reset,
    nicks: &[Color::Red, Color::Blue, Color::Magenta, Color::LightBlue],
};

impl Theme {
    /// The looks of this name, with the colours that there are.
    pub(crate) fn new(name: settings::Theme, colours: Colours) -> Theme {
        Theme { name, colours }
    }

    /// How something looks.
    pub(crate) fn ink(self, ink: Ink) -> Style {
        let coloured = |colour: fn(&Palette) -> Color| match self.palette() {
            Some(palette) => Style::new().fg(colour(palette)),
            None => Style::new(),
        };
        match ink {
            Ink::Plain => Style::new(),
            Ink::Quiet => self.quiet(),
            Ink::Strong => Style::new().add_modifier(Modifier::BOLD),
            Ink::Chosen => Style::new().add_modifier(Modifier::REVERSED),
            Ink::Attention | Ink::Problem => {
                coloured(|palette| palette.attention).add_modifier(Modifier::BOLD)
            }
            Ink::Hint => coloured(|palette| palette.hint),
            Ink::Good => coloured(|palette| palette.good),
            Ink::Waiting => coloured(|palette| palette.waiting),
        }
    }

    /// How part of a row of text looks.
    pub(crate) fn role(self, role: &Role) -> Style {
        match role {
            Role::Quiet | Role::Rule | Role::HoleRule | Role::Pending => self.quiet(),
            Role::NewRule | Role::MentionMark => self.ink(Ink::Attention),
            Role::Nick(nick) => self.nick(nick),
            Role::Door => self.quiet().add_modifier(Modifier::ITALIC),
            Role::Said => Style::new(),
            Role::Mention => self.mention(),
            Role::Remark => self.ink(Ink::Hint),
            Role::Found => self.ink(Ink::Attention).add_modifier(Modifier::UNDERLINED),
            Role::Key => self.ink(Ink::Strong),
            Role::Heading => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        }
    }

    /// How a name looks: the same wherever and whenever it is seen, however it is capitalised.
    pub(crate) fn nick(self, nick: &str) -> Style {
        match self.palette() {
            Some(palette) => {
                let nth = fnv(&hub::key_of(nick)) % palette.nicks.len() as u64;
                Style::new().fg(palette.nicks[nth as usize])
            }
            None => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    fn mention(self) -> Style {
        match self.palette() {
            Some(palette) => Style::new().fg(palette.attention),
            None => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// Where there is no grey that can be read on any background, the terminal makes it fainter; where all should be far from
    /// the background, nothing is quiet.
    fn quiet(self) -> Style {
        match self.palette() {
            _ if self.name == settings::Theme::HighContrast => Style::new(),
            Some(palette) if self.colours == Colours::Many => Style::new().fg(palette.quiet),
            _ => Style::new().add_modifier(Modifier::DIM),
        }
    }

    fn palette(self) -> Option<&'static Palette> {
        use settings::Theme::{Auto, Dark, HighContrast, Light, Mono};
        match (self.name, self.colours) {
            (Mono | HighContrast, _) | (_, Colours::None) => None,
            (Auto, Colours::Many) => Some(&MANY_ON_ANY),
            (Dark, Colours::Many) => Some(&MANY_ON_DARK),
            (Light, Colours::Many) => Some(&MANY_ON_LIGHT),
            (Auto, Colours::Sixteen) => Some(&SIXTEEN_ON_ANY),
            (Dark, Colours::Sixteen) => Some(&SIXTEEN_ON_DARK),
            (Light, Colours::Sixteen) => Some(&SIXTEEN_ON_LIGHT),
        }
    }
}

/// What is part of a link, which looks so in every theme.
pub(crate) fn link(style: Style) -> Style {
    style.add_modifier(Modifier::UNDERLINED)
}

/// FNV-1a, 64 bits: the same in every run and on every machine, which the standard library's hashes need not be. The upper half is
/// folded in, because the lower bits alone mix poorly.
fn fnv(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use settings::Theme::{Auto, Dark, HighContrast, Light, Mono};

    const BLACK: [u8; 3] = [0; 3];
    const WHITE: [u8; 3] = [255; 3];

    /// What xterm shows; others differ in the sixteen.
    fn rgb(colour: Color) -> Option<[u8; 3]> {
        const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        Some(match colour {
            Color::Reset => return None,
            Color::Red => [205, 0, 0],
            Color::Green => [0, 205, 0],
            Color::Yellow => [205, 205, 0],
            Color::Blue => [0, 0, 238],
            Color::Magenta => [205, 0, 205],
            Color::Cyan => [0, 205, 205],
            Color::LightRed => [255, 0, 0],
            Color::LightGreen => [0, 255, 0],
            Color::LightYellow => [255, 255, 0],
            Color::LightBlue => [92, 92, 255],
            Color::LightMagenta => [255, 0, 255],
            Color::LightCyan => [0, 255, 255],
            Color::Indexed(number @ 16..=231) => {
                let number = usize::from(number) - 16;
                [LEVELS[number / 36], LEVELS[number / 6 % 6], LEVELS[number % 6]]
            }
            Color::Indexed(number @ 232..) => [8 + (number - 232) * 10; 3],
            _ => panic!("{colour:?} is in no palette"),
        })
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(rgb: [u8; 3]) -> f64 {
        let [red, green, blue] = rgb.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    fn all(palette: &Palette) -> impl Iterator<Item = Color> {
        let Palette { quiet, attention, hint, good, waiting, nicks } = palette;
        [*quiet, *attention, *hint, *good, *waiting].into_iter().chain(nicks.iter().copied())
    }

    #[test]
    fn every_colour_can_be_read_on_its_background() {
        for (name, colours, backgrounds, contrast_min) in [
            (Auto, Colours::Many, &[BLACK, WHITE][..], 4.0),
            (Dark, Colours::Many, &[BLACK, [30, 30, 46]], 4.5),
            (Light, Colours::Many, &[WHITE], 4.5),
            (Auto, Colours::Sixteen, &[BLACK, WHITE], 3.0),
            (Dark, Colours::Sixteen, &[BLACK], 4.5),
            (Light, Colours::Sixteen, &[WHITE], 4.5),
        ] {
            let palette = Theme::new(name, colours).palette().expect("there are colours");
            for colour in all(palette) {
                for background in backgrounds {
                    let contrast = rgb(colour).map_or(21.0, |rgb| contrast(rgb, *background));
                    assert!(contrast >= contrast_min, "{name:?} {colour:?} on {background:?}: {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn names_keep_their_colours() {
        let theme = Theme::new(Auto, Colours::Many);
        assert_eq!(theme.nick("Ann"), theme.nick("ann"));
        assert_eq!(theme.nick("ann").fg, Some(Color::Indexed(62)));
        let names = (0..1000).map(|number| theme.nick(&format!("guest-{number}")).fg);
        let mut counts = std::collections::HashMap::new();
        names.for_each(|colour| *counts.entry(colour).or_insert(0) += 1);
        assert_eq!(counts.len(), MANY_ON_ANY.nicks.len());
        assert!(counts.values().all(|count| (40..110).contains(count)), "{counts:?}");
    }

    #[test]
    fn without_colours_there_are_none() {
        let inks =
            [Ink::Plain, Ink::Quiet, Ink::Strong, Ink::Chosen, Ink::Attention, Ink::Problem, Ink::Good];
        for (name, colours) in [
            (Auto, Colours::None),
            (Dark, Colours::None),
            (Mono, Colours::Many),
            (HighContrast, Colours::Many),
        ] {
            let theme = Theme::new(name, colours);
            for style in inks.map(|ink| theme.ink(ink)).into_iter().chain([theme.nick("ann")]) {
                assert_eq!((style.fg, style.bg), (None, None), "{name:?}");
            }
        }
    }

    #[test]
    fn nothing_is_faint_where_all_should_be_plain() {
        assert_eq!(Theme::new(HighContrast, Colours::Many).ink(Ink::Quiet), Style::new());
        let quiet = Theme::new(Mono, Colours::Many).ink(Ink::Quiet);
        assert!(quiet.add_modifier.contains(Modifier::DIM));
    }
}
