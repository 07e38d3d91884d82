//! The tables of what can be set: one for the whole file, one for each server.
//!
//! Where it stands: `file` reads by them, `reference` is made of them. Whoever adds a setting adds a row, and a field that
//! something looks at.
//!
//! What this file must never do: change anything when a value is refused.

use super::values::{Choice, TimeFormat};
use super::{Arrivals, Members, Notify, NotifyOn, Server, Settings, Theme};
use crate::address::{self, Address};
use crate::toml_file;
use toml::de::DeValue;

/// One row: something that can be set in a `T`.
pub(super) struct Key<T: 'static> {
    /// As it is spelled in the file: lower case, words joined by `_`.
    pub(super) name: &'static str,
    /// What it is for: one line, without a final stop.
    pub(super) help: &'static str,
    /// What else there is to say: sentences, or nothing.
    pub(super) more: &'static str,
    /// What the values may be, in words that fit behind "write".
    pub(super) allowed: fn() -> String,
    /// If there are only a few: each with what it does.
    pub(super) words: fn() -> Vec<(&'static str, &'static str)>,
    /// The value as it is spelled in the file; nothing if none is set.
    pub(super) written: fn(&T) -> Option<String>,
    /// A value that somebody may want, as it is spelled in the file.
    pub(super) example: &'static str,
    /// Checks a value and puts it where it belongs.
    pub(super) put: fn(&mut T, &DeValue<'_>) -> Result<(), Wrong>,
}

/// Why a value is not possible.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is of another type.
    Type,
    /// Says what is wrong with it.
    Value(String),
}

/// Words that one is called by: so many, of so many characters.
const HIGHLIGHTS_MAX: usize = 100;
const HIGHLIGHT_CHARS_MAX: usize = 64;
/// No more rooms can be named when one comes to a server.
const ROOMS_MAX: usize = 1_000;
const SCROLLBACK: std::ops::RangeInclusive<usize> = 1_000..=1_000_000;

/// What can be set for all servers.
pub(super) static KEYS: &[Key<Settings>] = &[
    Key {
        name: "nick",
        help: "What to be called where nothing else is said",
        more: "What is typed before an `@` goes before it, and so does the `nick` of a server. Without any of them it is the name \
               that one has on this machine.",
        allowed: nick_allowed,
        words: Vec::new,
        written: |settings| settings.nick.as_deref().map(quoted),
        example: "\"ann\"",
        put: |settings, value| {
            settings.nick = Some(nick(value)?);
            Ok(())
        },
    },
    Key {
        name: "theme",
        help: "Which colours there are",
        more: "",
        allowed: allowed_of::<Theme>,
        words: words_of::<Theme>,
        written: |settings| Some(quoted(settings.theme.word())),
        example: "\"light\"",
        put: |settings, value| {
            settings.theme = choice(text(value)?)?;
            Ok(())
        },
    },
    Key {
        name: "notify",
        help: "How the terminal calls for one's attention",
        more: "It does so while one is in another window, or in another room. Several are possible, and none: `[]`. A terminal that \
               does not know a sequence ignores it.",
        allowed: || format!("an array of {}", several_of::<Notify>("and")),
        words: words_of::<Notify>,
        written: |settings| Some(array(settings.notify.iter().map(|notify| notify.word()))),
        example: "[\"bell\", \"osc777\"]",
        put: |settings, value| {
            let mut notify = Vec::new();
            for word in texts(value)? {
                let word = choice(word)?;
                if !notify.contains(&word) {
                    notify.push(word);
                }
            }
            settings.notify = notify;
            Ok(())
        },
    },
    Key {
        name: "notify_on",
        help: "What it calls for",
        more: "",
        allowed: allowed_of::<NotifyOn>,
        words: words_of::<NotifyOn>,
        written: |settings| Some(quoted(settings.notify_on.word())),
        example: "\"message\"",
        put: |settings, value| {
            settings.notify_on = choice(text(value)?)?;
            Ok(())
        },
    },
    Key {
        name: "highlight",
        help: "Words that count as if one's nick had been said",
        more: "They are found as whole words, in capitals or not, and are shown like one's nick.",
        allowed: || {
            format!(
                "an array of at most {HIGHLIGHTS_MAX} words of 1 to {HIGHLIGHT_CHARS_MAX} characters, such as [\"deploy\", \"disk full\"]"
            )
        },
        words: Vec::new,
        written: |settings| Some(array(settings.highlight.iter().map(String::as_str))),
        example: "[\"deploy\", \"disk full\"]",
        put: |settings, value| {
            settings.highlight = highlight(value)?;
            Ok(())
        },
    },
    Key {
        name: "mouse",
        help: "Whether the mouse scrolls and clicks in the client",
        more: "If it does, the terminal selects text only while Shift is held.",
        allowed: switch_allowed,
        words: Vec::new,
        written: |settings| Some(settings.mouse.to_string()),
        example: "true",
        put: |settings, value| {
            settings.mouse = switch(value)?;
            Ok(())
        },
    },
    Key {
        name: "plain",
        help: "Whether everything is told line by line, as `--plain` does",
        more: "Nothing is ever redrawn then: this is what a screen reader or a braille line wants.",
        allowed: switch_allowed,
        words: Vec::new,
        written: |settings| Some(settings.plain.to_string()),
        example: "true",
        put: |settings, value| {
            settings.plain = switch(value)?;
            Ok(())
        },
    },
    Key {
        name: "time_format",
        help: "How the time of a message is written",
        more: "The directives are those of `strftime`. `%H:%M:%S` has seconds, `%I:%M %p` twelve hours, and `\"\"` writes no times.",
        allowed: || {
            let chars_max = TimeFormat::CHARS_MAX;
            format!("a format such as \"%H:%M\" that makes at most {chars_max} characters of a time")
        },
        words: Vec::new,
        written: |settings| Some(quoted(settings.time_format.as_str())),
        example: "\"%H:%M:%S\"",
        put: |settings, value| {
            settings.time_format = TimeFormat::parse(text(value)?).map_err(Wrong::Value)?;
            Ok(())
        },
    },
    Key {
        name: "arrivals",
        help: "Of whom it is told that they came in, left or took another name",
        more: "The list of members is right whichever it is, and of somebody with whom one has a conversation it is always told there.",
        allowed: allowed_of::<Arrivals>,
        words: words_of::<Arrivals>,
        written: |settings| Some(quoted(settings.arrivals.word())),
        example: "\"talking\"",
        put: |settings, value| {
            settings.arrivals = choice(text(value)?)?;
            Ok(())
        },
    },
    Key {
        name: "members",
        help: "When the list of members is shown beside the messages",
        more: "",
        allowed: allowed_of::<Members>,
        words: words_of::<Members>,
        written: |settings| Some(quoted(settings.members.word())),
        example: "\"never\"",
        put: |settings, value| {
            settings.members = choice(text(value)?)?;
            Ok(())
        },
    },
    Key {
        name: "scrollback",
        help: "So many messages of a room are held in memory",
        more: "Older ones are fetched from the server again when one scrolls to them.",
        allowed: || format!("a number from {} to {}, without quotes", SCROLLBACK.start(), SCROLLBACK.end()),
        words: Vec::new,
        written: |settings| Some(settings.scrollback.to_string()),
        example: "20000",
        put: |settings, value| {
            settings.scrollback = scrollback(value)?;
            Ok(())
        },
    },
];

/// What can be set for one server.
pub(super) static SERVER_KEYS: &[Key<ServerDraft>] = &[
    Key {
        name: "address",
        help: "Where the server is; it has to be there",
        more: "The port is 8008 unless it is written.",
        allowed: || "HOST or HOST:PORT, in quotes".to_owned(),
        words: Vec::new,
        written: |_| None,
        example: "\"chat.example:8008\"",
        put: |server, value| {
            server.address = Some(address(text(value)?)?);
            Ok(())
        },
    },
    Key {
        name: "nick",
        help: "What to be called there",
        more: "What is typed before an `@` goes before it.",
        allowed: nick_allowed,
        words: Vec::new,
        written: |_| None,
        example: "\"ann\"",
        put: |server, value| {
            server.nick = Some(nick(value)?);
            Ok(())
        },
    },
    Key {
        name: "rooms",
        help: "Where to be there",
        more: "The first one is shown first, unless a room was typed. Without any it is the server's home room.",
        allowed: || format!("an array of at most {ROOMS_MAX} names, such as [\"ops\", \"dev\"]"),
        words: Vec::new,
        written: |server| Some(array(server.rooms.iter().map(String::as_str))),
        example: "[\"ops\", \"dev\"]",
        put: |server, value| {
            server.rooms = rooms(value)?;
            Ok(())
        },
    },
];

/// A server of which not everything has been read.
#[derive(Default)]
pub(super) struct ServerDraft {
    address: Option<(String, u16)>,
    nick: Option<String>,
    rooms: Vec<String>,
}

impl ServerDraft {
    /// The server, if it has an address.
    pub(super) fn finish(self) -> Option<Server> {
        let (host, port) = self.address?;
        Some(Server { host, port, nick: self.nick, rooms: self.rooms })
    }
}

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Wrong> {
    value.as_str().ok_or(Wrong::Type)
}

/// An array of strings; one alone needs no brackets.
fn texts<'v>(value: &'v DeValue<'_>) -> Result<Vec<&'v str>, Wrong> {
    match value {
        DeValue::Array(several) => several.iter().map(|one| text(one.get_ref())).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn switch(value: &DeValue<'_>) -> Result<bool, Wrong> {
    value.as_bool().ok_or(Wrong::Type)
}

fn switch_allowed() -> String {
    "true or false, without quotes".to_owned()
}

fn choice<C: Choice>(word: &str) -> Result<C, Wrong> {
    let none_of = || Wrong::Value(format!("'{}' is none of {}", hub::quoted(word), several_of::<C>("and")));
    C::parse(word).ok_or_else(none_of)
}

fn words_of<C: Choice>() -> Vec<(&'static str, &'static str)> {
    C::ALL.iter().map(|(_, word, help)| (*word, *help)).collect()
}

fn allowed_of<C: Choice>() -> String {
    several_of::<C>("or")
}

/// `"auto", "dark" or "light"`
fn several_of<C: Choice>(joined_by: &str) -> String {
    let words: Vec<String> = C::ALL.iter().map(|(_, word, _)| quoted(word)).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} {joined_by} {last}", others.join(", ")),
        _ => words.concat(),
    }
}

fn nick(value: &DeValue<'_>) -> Result<String, Wrong> {
    address::nick(text(value)?).map_err(|problem| Wrong::Value(problem.to_string()))
}

fn nick_allowed() -> String {
    "a nick, in quotes".to_owned()
}

fn rooms(value: &DeValue<'_>) -> Result<Vec<String>, Wrong> {
    let raw = texts(value)?;
    if raw.len() > ROOMS_MAX {
        return Err(Wrong::Value(format!("there are {} rooms; at most {ROOMS_MAX} are possible", raw.len())));
    }
    let room = |raw: &str| address::room(raw).map_err(|problem| Wrong::Value(problem.to_string()));
    raw.into_iter().map(room).collect()
}

fn address(raw: &str) -> Result<(String, u16), Wrong> {
    let address = Address::parse(raw).map_err(|problem| Wrong::Value(problem.to_string()))?;
    let elsewhere =
        |what: &str, key: &str| Wrong::Value(format!("{what} stands in its own key; write {key}"));
    if let Some(nick) = &address.nick {
        return Err(elsewhere("a nick", &format!("nick = {}", quoted(nick))));
    }
    if let Some(room) = &address.room {
        return Err(elsewhere("a room", &format!("rooms = [{}]", quoted(room))));
    }
    Ok((address.host, address.port))
}

fn highlight(value: &DeValue<'_>) -> Result<Vec<String>, Wrong> {
    let words = texts(value)?;
    if words.len() > HIGHLIGHTS_MAX {
        let count = words.len();
        return Err(Wrong::Value(format!("there are {count} words; at most {HIGHLIGHTS_MAX} are possible")));
    }
    let word = |raw: &str| {
        let word = raw.trim();
        let is_possible = !word.is_empty()
            && word.chars().count() <= HIGHLIGHT_CHARS_MAX
            && word.chars().all(hub::is_showable);
        let not_possible = || {
            let raw = hub::quoted(raw);
            Wrong::Value(format!(
                "'{raw}' cannot be looked for; write 1 to {HIGHLIGHT_CHARS_MAX} characters in one line"
            ))
        };
        is_possible.then(|| word.to_owned()).ok_or_else(not_possible)
    };
    words.into_iter().map(word).collect()
}

fn scrollback(value: &DeValue<'_>) -> Result<usize, Wrong> {
    let digits = toml_file::integer(value).ok_or(Wrong::Type)?;
    let lines = digits.replace('_', "").parse::<usize>().ok().filter(|lines| SCROLLBACK.contains(lines));
    let outside = || {
        let (least, most) = (SCROLLBACK.start(), SCROLLBACK.end());
        Wrong::Value(format!(
            "{} is not possible; write a number from {least} to {most}",
            hub::quoted(&digits)
        ))
    };
    lines.ok_or_else(outside)
}

/// A string of TOML. Nothing that is written so has a control character in it.
pub(super) fn quoted(raw: &str) -> String {
    format!("\"{}\"", raw.replace('\\', "\\\\").replace('"', "\\\""))
}

fn array<'a>(raw: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", raw.map(quoted).collect::<Vec<_>>().join(", "))
}
