//! The commands of plain text: one table, from which dispatch, refusals, suggestions and `/help` all come.
//!
//! Where it stands: behind the session, which has cut a line out of the bytes; in front of the handlers, which do what a
//! command says.
//!
//! What this file must never do: know a command that is not in the table.

use super::handlers;
use super::session::{PlainSession, Turn};
use super::words::{self, remark};
use crate::Output;

/// One command.
pub(super) struct Verb {
    pub(super) name: &'static str,
    aliases: &'static [&'static str],
    /// Its parameters as `/help` shows them: `[…]` may be left out.
    parameters: &'static str,
    /// How many words must follow, and what they are.
    needs: Needs,
    allowed: Allowed,
    appearing: Appearing,
    help: &'static str,
    /// What else `/help COMMAND` says.
    details: &'static [&'static str],
    run: fn(&mut PlainSession, &str, &mut Turn<'_>),
}

/// What must follow a verb.
struct Needs {
    words: usize,
    what: &'static str,
}

/// When a command is possible.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Always,
    InARoom,
    /// In a room, or with one named.
    InARoomUnlessNamed,
}

/// When somebody who only listened becomes visible to the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Appearing {
    Before,
    /// Others are to read the new name, never the old one.
    Behind,
    Never,
}

const NOTHING: Needs = Needs { words: 0, what: "" };

/// In the order in which `/help` lists them.
const VERBS: &[Verb] = &[
    Verb {
        name: "help",
        aliases: &[],
        parameters: "[COMMAND]",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "lists what you can do, or explains one command",
        details: &[],
        run: handlers::help,
    },
    Verb {
        name: "nick",
        aliases: &[],
        parameters: "NAME",
        needs: Needs { words: 1, what: "a name" },
        allowed: Allowed::Always,
        appearing: Appearing::Behind,
        help: "changes your name",
        details: &[],
        run: handlers::nick,
    },
    Verb {
        name: "join",
        aliases: &[],
        parameters: "ROOM",
        needs: Needs { words: 1, what: "a room" },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "enters a room, or opens it; what you type goes there",
        details: &[],
        run: handlers::join,
    },
    Verb {
        name: "leave",
        aliases: &["part"],
        parameters: "[ROOM]",
        needs: NOTHING,
        allowed: Allowed::InARoomUnlessNamed,
        appearing: Appearing::Before,
        help: "leaves that room, or the one you talk in",
        details: &[],
        run: handlers::leave,
    },
    Verb {
        name: "msg",
        aliases: &[],
        parameters: "NAME TEXT",
        needs: Needs { words: 2, what: "a name and a text" },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "says something to one person alone",
        details: &[],
        run: handlers::msg,
    },
    Verb {
        name: "me",
        aliases: &[],
        parameters: "TEXT",
        needs: Needs { words: 1, what: "a text" },
        allowed: Allowed::InARoom,
        appearing: Appearing::Before,
        help: "says what you do: '/me waves'",
        details: &[],
        run: handlers::me,
    },
    Verb {
        name: "who",
        aliases: &[],
        parameters: "[ROOM]",
        needs: NOTHING,
        allowed: Allowed::InARoomUnlessNamed,
        appearing: Appearing::Before,
        help: "lists who is in that room, or in the one you talk in",
        details: &[],
        run: handlers::who,
    },
    Verb {
        name: "rooms",
        aliases: &[],
        parameters: "",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "lists the rooms, how many are there, and the topic",
        details: &[],
        run: handlers::rooms,
    },
    Verb {
        name: "topic",
        aliases: &[],
        parameters: "[TEXT]",
        needs: NOTHING,
        allowed: Allowed::InARoom,
        appearing: Appearing::Before,
        help: "shows or sets the room's topic; '/topic -' clears it",
        details: &[],
        run: handlers::topic,
    },
    Verb {
        name: "history",
        aliases: &[],
        parameters: "[N|SINCE]",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "shows what was said; see /help history",
        details: &[
            "/history             the last 50 messages",
            "/history 200         the last 200",
            "/history 2h          since two hours ago; 10m and 3d work alike",
            "/history 10:00       since then; also 2026-11-20 and 2026-11-20T10:00",
            "/history 17-428      the messages of these numbers",
            "/history #dev 200    those of another room that you are in",
        ],
        run: handlers::history,
    },
    Verb {
        name: "search",
        aliases: &[],
        parameters: "WORDS",
        needs: Needs { words: 1, what: "something to look for" },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "finds messages in your rooms that have all these words",
        details: &[
            "from:ann in:dev      only what ann said, only in #dev",
            "since:3d             only since then; also 10:00 and 2026-11-20",
            "before:2026-11-20    only before that",
        ],
        run: handlers::search,
    },
    Verb {
        name: "ignore",
        aliases: &[],
        parameters: "[NAME]",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "hides what somebody says, or shows it again; or lists",
        details: &[],
        run: handlers::ignore,
    },
    Verb {
        name: "away",
        aliases: &[],
        parameters: "[MESSAGE]",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        help: "says that you are away; without a message, you are back",
        details: &[],
        run: handlers::away,
    },
    Verb {
        name: "telnet",
        aliases: &[],
        parameters: "",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Never,
        help: "edits the line for you, if you came with telnet",
        details: &[],
        run: handlers::telnet,
    },
    Verb {
        name: "plain",
        aliases: &[],
        parameters: "",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Never,
        help: "leaves editing to your terminal again",
        details: &[],
        run: handlers::plain,
    },
    Verb {
        name: "quit",
        aliases: &[],
        parameters: "[LAST WORDS]",
        needs: NOTHING,
        allowed: Allowed::Always,
        appearing: Appearing::Never,
        help: "leaves for good",
        details: &[],
        run: handlers::quit,
    },
];

/// What else `/help` says.
const HINTS: &[&str] = &["//text says '/text'; behind '/ ' anything is said as it stands"];

/// What a line means.
pub(super) enum Typed<'a> {
    /// Something to be said.
    Talk(&'a str),
    /// Something to be done.
    Command(Typing<'a>),
}

/// A command as it was typed.
#[derive(Clone, Copy)]
pub(super) struct Typing<'a> {
    /// The word behind `/`.
    verb: &'a str,
    /// What follows it, without the blanks around it.
    parameters: &'a str,
}

/// Tells talk from commands. `//text` is talk and says `/text`; `/ text` is talk, too, and says what follows the blank.
pub(super) fn typed(line: &str) -> Typed<'_> {
    let Some(behind) = line.strip_prefix('/') else { return Typed::Talk(line) };
    if behind.starts_with('/') {
        return Typed::Talk(behind);
    }
    if let Some(text) = behind.strip_prefix(' ') {
        return Typed::Talk(text);
    }
    let (verb, parameters) = split_word(behind);
    Typed::Command(Typing { verb, parameters })
}

/// The first word, and what follows it without the blanks around it.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Does what was typed, or says why not.
pub(super) fn run(session: &mut PlainSession, typing: Typing<'_>, turn: &mut Turn<'_>) {
    let Some(verb) = find(typing.verb) else { return unknown(typing.verb, turn.output) };
    if typing.parameters.split_whitespace().nth(verb.needs.words.saturating_sub(1)).is_none()
        && verb.needs.words > 0
    {
        return remark!(turn.output, "/{} needs {}: {}", verb.name, verb.needs.what, verb.usage());
    }
    if !verb.is_allowed(session, typing.parameters) {
        return words::in_no_room(turn.setup, turn.output);
    }
    if verb.appearing == Appearing::Before {
        session.appear(turn);
    }
    (verb.run)(session, typing.parameters, turn);
    if verb.appearing == Appearing::Behind {
        session.appear(turn);
    }
}

/// The command of this name, however it is capitalised.
fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.names().any(|known| known.eq_ignore_ascii_case(name)))
}

fn unknown(name: &str, output: &mut Output) {
    let shown = hub::quoted(name);
    match similar(name) {
        Some(known) => remark!(output, "there is no /{shown}; did you mean /{known}? see /help"),
        None => remark!(output, "there is no /{shown}; /help lists what there is"),
    }
}

impl Verb {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    fn usage(&self) -> String {
        match self.parameters {
            "" => format!("/{}", self.name),
            parameters => format!("/{} {parameters}", self.name),
        }
    }

    fn is_allowed(&self, session: &PlainSession, parameters: &str) -> bool {
        match self.allowed {
            Allowed::Always => true,
            Allowed::InARoom => session.current().is_some(),
            Allowed::InARoomUnlessNamed => session.current().is_some() || !parameters.is_empty(),
        }
    }
}

/// The commands that begin with what was typed, slash included.
pub(super) fn beginning_with(typed: &str) -> Vec<String> {
    let commands = VERBS.iter().flat_map(Verb::names).map(|name| format!("/{name}"));
    commands.filter(|command| command.starts_with(&typed.to_lowercase())).collect()
}

/// All of `/help`.
pub(super) fn help_on_all(output: &mut Output) {
    let width = VERBS.iter().map(|verb| verb.usage().len()).max().unwrap_or(0);
    for verb in VERBS {
        remark!(output, "{:width$}  {}", verb.usage(), verb.help);
    }
    for hint in HINTS {
        remark!(output, "{hint}");
    }
}

/// `/help COMMAND`, with or without the slash.
pub(super) fn help_on(name: &str, output: &mut Output) {
    let bare = name.strip_prefix('/').unwrap_or(name);
    let Some(verb) = find(bare) else { return unknown(bare, output) };
    remark!(output, "{}  {}", verb.usage(), verb.help);
    for alias in verb.aliases {
        remark!(output, "/{alias} does the same");
    }
    for detail in verb.details {
        remark!(output, "{detail}");
    }
}

/// The command that was probably meant: one that begins like this, or that one slip of the fingers makes out of it.
fn similar(typed: &str) -> Option<&'static str> {
    let typed = typed.to_lowercase();
    let names = || VERBS.iter().flat_map(Verb::names);
    let begins = names().find(|name| typed.len() > 1 && name.starts_with(&typed));
    begins.or_else(|| names().find(|name| is_one_slip(&typed, name)))
}

/// Whether two words differ by one letter too many, too few or wrong, or by two that changed places.
fn is_one_slip(typed: &str, meant: &str) -> bool {
    let typed: Vec<char> = typed.chars().take(meant.len() + 2).collect();
    let meant: Vec<char> = meant.chars().collect();
    let same_start = typed.iter().zip(&meant).take_while(|(one, other)| one == other).count();
    let (typed, meant) = (&typed[same_start..], &meant[same_start..]);
    match (typed, meant) {
        ([], [_]) | ([_], []) => true,
        ([_, typed_rest @ ..], [_, meant_rest @ ..]) => {
            let swapped = match (typed, meant) {
                ([a, b, typed_rest @ ..], [c, d, meant_rest @ ..]) => {
                    a == d && b == c && typed_rest == meant_rest
                }
                _ => false,
            };
            typed_rest == meant_rest || typed_rest == meant || typed == meant_rest || swapped
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_finds_the_command_that_was_meant() {
        let table = [
            ("jion", Some("join")),
            ("joinn", Some("join")),
            ("jon", Some("join")),
            ("nik", Some("nick")),
            ("tpoic", Some("topic")),
            ("ig", Some("ignore")),
            ("mg", Some("msg")),
            ("QUTI", Some("quit")),
            ("foo", None),
            ("", None),
            ("x", None),
            ("supercalifragilistic", None),
        ];
        for (typed, meant) in table {
            assert_eq!(similar(typed), meant, "/{typed}");
        }
    }

    #[test]
    fn no_name_means_two_commands() {
        let mut names: Vec<_> = VERBS.iter().flat_map(Verb::names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn help_fits_a_terminal() {
        let mut output = Output::default();
        help_on_all(&mut output);
        for verb in VERBS {
            help_on(verb.name, &mut output);
        }
        for line in String::from_utf8(output.words).unwrap().lines() {
            assert!(line.starts_with("-- ") && line.len() <= 79, "{line}");
        }
    }
}
