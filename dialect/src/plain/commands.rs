//! The commands of plain text: one table, from which dispatch, refusals, suggestions and `/help` all come.
//!
//! Where it stands: behind the session, which has cut a line out of the bytes; in front of the handlers, which do what a
//! command says.
//!
//! What is in the table for people (`VerbHelp`), and how talk is told from commands, is public: a client of ours shows the same
//! help, completes the same names and reads lines by the same rule.
//!
//! What this file must never do: know a command that is not in the table.

use super::handlers;
use super::session::{PlainSession, Turn};
use super::words::{self, remark};
use crate::Output;

/// One command.
struct Verb {
    described: VerbHelp,
    allowed: Allowed,
    appearing: Appearing,
    run: fn(&mut PlainSession, &str, &mut Turn<'_>),
}

/// What a person is told about a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerbHelp {
    /// What follows the slash.
    pub name: &'static str,
    /// What else may follow it.
    pub aliases: &'static [&'static str],
    /// Its parameters as `/help` shows them: `[…]` may be left out.
    pub parameters: &'static str,
    /// How many words must follow, and what they are.
    pub needs: Needs,
    /// What it does, in a few words.
    pub help: &'static str,
    /// What else `/help COMMAND` says.
    pub details: &'static [&'static str],
    /// Who has a use for it.
    pub concerns: Concerns,
}

/// What must follow a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Needs {
    /// How many words.
    pub words: usize,
    /// What they are, with an article.
    pub what: &'static str,
}

/// Who has a use for a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Concerns {
    /// Everybody.
    Everybody,
    /// Those whose line may be edited by the server: people at telnet.
    EditingHere,
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
        described: VerbHelp {
            name: "help",
            aliases: &[],
            parameters: "[COMMAND]",
            needs: NOTHING,
            help: "lists what you can do, or explains one command",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::help,
    },
    Verb {
        described: VerbHelp {
            name: "nick",
            aliases: &[],
            parameters: "NAME",
            needs: Needs { words: 1, what: "a name" },
            help: "changes your name",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Behind,
        run: handlers::nick,
    },
    Verb {
        described: VerbHelp {
            name: "join",
            aliases: &[],
            parameters: "ROOM",
            needs: Needs { words: 1, what: "a room" },
            help: "enters a room, or opens it; what you type goes there",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::join,
    },
    Verb {
        described: VerbHelp {
            name: "leave",
            aliases: &["part"],
            parameters: "[ROOM]",
            needs: NOTHING,
            help: "leaves that room, or the one you talk in",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::InARoomUnlessNamed,
        appearing: Appearing::Before,
        run: handlers::leave,
    },
    Verb {
        described: VerbHelp {
            name: "msg",
            aliases: &[],
            parameters: "NAME TEXT",
            needs: Needs { words: 2, what: "a name and a text" },
            help: "says something to one person alone",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::msg,
    },
    Verb {
        described: VerbHelp {
            name: "me",
            aliases: &[],
            parameters: "TEXT",
            needs: Needs { words: 1, what: "a text" },
            help: "says what you do: '/me waves'",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::InARoom,
        appearing: Appearing::Before,
        run: handlers::me,
    },
    Verb {
        described: VerbHelp {
            name: "who",
            aliases: &[],
            parameters: "[ROOM]",
            needs: NOTHING,
            help: "lists who is in that room, or in the one you talk in",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::InARoomUnlessNamed,
        appearing: Appearing::Before,
        run: handlers::who,
    },
    Verb {
        described: VerbHelp {
            name: "rooms",
            aliases: &[],
            parameters: "",
            needs: NOTHING,
            help: "lists the rooms, how many are there, and the topic",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::rooms,
    },
    Verb {
        described: VerbHelp {
            name: "topic",
            aliases: &[],
            parameters: "[TEXT]",
            needs: NOTHING,
            help: "shows or sets the room's topic; '/topic -' clears it",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::InARoom,
        appearing: Appearing::Before,
        run: handlers::topic,
    },
    Verb {
        described: VerbHelp {
            name: "history",
            aliases: &[],
            parameters: "[N|SINCE]",
            needs: NOTHING,
            help: "shows what was said; see /help history",
            details: &[
                "/history             the last 50 messages",
                "/history 200         the last 200",
                "/history 2h          since two hours ago; 10m and 3d work alike",
                "/history 10:00       since then; also 2026-11-20 and 2026-11-20T10:00",
                "/history 17-428      the messages of these numbers",
                "/history #dev 200    those of another room that you are in",
            ],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::history,
    },
    Verb {
        described: VerbHelp {
            name: "search",
            aliases: &[],
            parameters: "WORDS",
            needs: Needs { words: 1, what: "something to look for" },
            help: "finds messages in your rooms that have all these words",
            details: &[
                "from:ann in:dev      only what ann said, only in #dev",
                "since:3d             only since then; also 10:00 and 2026-11-20",
                "before:2026-11-20    only before that",
            ],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::search,
    },
    Verb {
        described: VerbHelp {
            name: "ignore",
            aliases: &[],
            parameters: "[NAME]",
            needs: NOTHING,
            help: "hides what somebody says, or shows it again; or lists",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::ignore,
    },
    Verb {
        described: VerbHelp {
            name: "away",
            aliases: &[],
            parameters: "[MESSAGE]",
            needs: NOTHING,
            help: "says that you are away; without a message, you are back",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Before,
        run: handlers::away,
    },
    Verb {
        described: VerbHelp {
            name: "telnet",
            aliases: &[],
            parameters: "",
            needs: NOTHING,
            help: "edits the line for you, if you came with telnet",
            details: &[],
            concerns: Concerns::EditingHere,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Never,
        run: handlers::telnet,
    },
    Verb {
        described: VerbHelp {
            name: "plain",
            aliases: &[],
            parameters: "",
            needs: NOTHING,
            help: "leaves editing to your terminal again",
            details: &[],
            concerns: Concerns::EditingHere,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Never,
        run: handlers::plain,
    },
    Verb {
        described: VerbHelp {
            name: "quit",
            aliases: &[],
            parameters: "[LAST WORDS]",
            needs: NOTHING,
            help: "leaves for good",
            details: &[],
            concerns: Concerns::Everybody,
        },
        allowed: Allowed::Always,
        appearing: Appearing::Never,
        run: handlers::quit,
    },
];

/// What else `/help` says.
const HINTS: &[&str] = &["//text says '/text'; behind '/ ' anything is said as it stands"];

/// What a line means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed<'a> {
    /// Something to be said.
    Talk(&'a str),
    /// Something to be done.
    Command(Typing<'a>),
}

/// A command as it was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Typing<'a> {
    /// The word behind `/`, however it is capitalised; perhaps no command's name.
    pub verb: &'a str,
    /// What follows it, without the blanks around it.
    pub parameters: &'a str,
}

/// Tells talk from commands. `//text` is talk and says `/text`; `/ text` is talk, too, and says what follows the blank.
pub fn typed(line: &str) -> Typed<'_> {
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
pub fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Does what was typed, or says why not.
pub(super) fn run(session: &mut PlainSession, typing: Typing<'_>, turn: &mut Turn<'_>) {
    let Some(verb) = find(typing.verb) else { return unknown(typing.verb, turn.output) };
    if let Some(lack) = verb.described.lack(typing.parameters) {
        return remark!(turn.output, "{lack}");
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
    VERBS.iter().find(|verb| verb.described.has_name(name))
}

/// All commands that there are in plain text, in the order in which `/help` lists them.
pub fn verbs() -> impl Iterator<Item = &'static VerbHelp> + Clone {
    VERBS.iter().map(|verb| &verb.described)
}

fn names() -> impl Iterator<Item = &'static str> + Clone {
    verbs().flat_map(VerbHelp::names)
}

fn unknown(name: &str, output: &mut Output) {
    let shown = hub::quoted(name);
    match similar(name, names()) {
        Some(known) => remark!(output, "there is no /{shown}; did you mean /{known}? see /help"),
        None => remark!(output, "there is no /{shown}; /help lists what there is"),
    }
}

impl VerbHelp {
    /// Its name, and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Whether this is its name, however it is capitalised.
    pub fn has_name(&self, name: &str) -> bool {
        self.names().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// How it is typed: `/msg NAME TEXT`.
    pub fn usage(&self) -> String {
        match self.parameters {
            "" => format!("/{}", self.name),
            parameters => format!("/{} {parameters}", self.name),
        }
    }

    /// What is to be said to somebody who typed these parameters, if they are too few.
    pub fn lack(&self, parameters: &str) -> Option<String> {
        let words = parameters.split_whitespace().take(self.needs.words).count();
        let lacks = words < self.needs.words;
        lacks.then(|| format!("/{} needs {}: {}", self.name, self.needs.what, self.usage()))
    }
}

impl Verb {
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
    let commands = names().map(|name| format!("/{name}"));
    commands.filter(|command| command.starts_with(&typed.to_lowercase())).collect()
}

/// All of `/help`.
pub(super) fn help_on_all(output: &mut Output) {
    let width = verbs().map(|verb| verb.usage().len()).max().unwrap_or(0);
    for verb in verbs() {
        remark!(output, "{:width$}  {}", verb.usage(), verb.help);
    }
    for hint in HINTS {
        remark!(output, "{hint}");
    }
}

/// `/help COMMAND`, with or without the slash.
pub(super) fn help_on(name: &str, output: &mut Output) {
    let bare = name.strip_prefix('/').unwrap_or(name);
    let Some(Verb { described: verb, .. }) = find(bare) else { return unknown(bare, output) };
    remark!(output, "{}  {}", verb.usage(), verb.help);
    for alias in verb.aliases {
        remark!(output, "/{alias} does the same");
    }
    for detail in verb.details {
        remark!(output, "{detail}");
    }
}

/// The name that was probably meant: one that begins like this, or that one slip of the fingers makes out of it. The names are
/// in lower case.
pub fn similar<'a>(typed: &str, mut names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let begins = names.clone().find(|name| typed.len() > 1 && name.starts_with(&typed));
    begins.or_else(|| names.find(|name| is_one_slip(&typed, name)))
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
            assert_eq!(similar(typed, names()), meant, "/{typed}");
        }
    }

    #[test]
    fn no_name_means_two_commands() {
        let mut names: Vec<_> = names().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn lack_is_told_for_every_command_that_needs_something() {
        let table = [
            ("nick", "", Some("/nick needs a name: /nick NAME")),
            ("nick", "ann", None),
            ("msg", " ann ", Some("/msg needs a name and a text: /msg NAME TEXT")),
            ("msg", "ann hi", None),
            ("who", "", None),
        ];
        for (name, parameters, lack) in table {
            let verb = verbs().find(|verb| verb.has_name(name)).expect("it is in the table");
            assert_eq!(verb.lack(parameters).as_deref(), lack, "/{name} {parameters}");
        }
    }

    #[test]
    fn what_concerns_only_telnets_is_known() {
        let only: Vec<_> = verbs().filter(|verb| verb.concerns == Concerns::EditingHere).collect();
        assert_eq!(only.iter().map(|verb| verb.name).collect::<Vec<_>>(), ["telnet", "plain"]);
    }

    #[test]
    fn help_fits_a_terminal() {
        let mut output = Output::default();
        help_on_all(&mut output);
        for verb in verbs() {
            help_on(verb.name, &mut output);
        }
        for line in String::from_utf8(output.words).unwrap().lines() {
            assert!(line.starts_with("-- ") && line.len() <= 79, "{line}");
        }
    }
}
