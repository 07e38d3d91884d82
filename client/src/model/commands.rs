//! What commands do. Those that the server has, too, are called and explained by its own table.
//!
//! Where it stands: behind the keys; a line that begins with `/` comes here.
//!
//! What this file must never do: know a command that `/help` does not list.

use super::{Asked, Medium, Model, Overlay, Place};
use crate::address;
use crate::moments::rfc3339;
use crate::wire::Request;
use dialect::plain::{Concerns, NotUnderstood, Typing, VerbHelp, similar, split_word};
use dialect::plain::{Needs, read_search, verbs};
use hub::Manner;

/// What only this client has.
static OWN: &[VerbHelp] = &[
    VerbHelp {
        name: "edit",
        aliases: &[],
        parameters: "TEXT",
        needs: Needs { words: 1, what: "the new text" },
        help: "changes what you said last; Alt-E brings it back to change it",
        details: &[],
        concerns: Concerns::Everybody,
    },
    VerbHelp {
        name: "redact",
        aliases: &[],
        parameters: "[REASON]",
        needs: Needs { words: 0, what: "" },
        help: "takes back what you said last, for everybody",
        details: &[],
        concerns: Concerns::Everybody,
    },
    VerbHelp {
        name: "query",
        aliases: &[],
        parameters: "NAME",
        needs: Needs { words: 1, what: "a name" },
        help: "opens the conversation with one person alone",
        details: &[],
        concerns: Concerns::Everybody,
    },
    VerbHelp {
        name: "close",
        aliases: &[],
        parameters: "",
        needs: Needs { words: 0, what: "" },
        help: "leaves this room, or closes this conversation",
        details: &[],
        concerns: Concerns::Everybody,
    },
];

type Run = fn(&mut Model, &str) -> bool;

/// So many rooms are named to somebody who misspells one.
const ROOMS_NAMED: usize = 10;

/// What each does. Whether it was taken: what was not stays where it was typed.
const RUNS: &[(&str, Run)] = &[
    ("help", Model::help),
    ("nick", Model::rename),
    ("join", Model::join),
    ("leave", Model::leave),
    ("msg", Model::message),
    ("query", Model::query),
    ("close", |model, _| model.leave("")),
    ("me", |model, text| model.talk(text, Manner::Acting)),
    ("who", Model::who),
    ("rooms", |model, _| model.list_rooms()),
    ("topic", Model::set_topic),
    ("history", Model::history),
    ("search", Model::search),
    ("ignore", |model, nick| model.quietly(Request::Ignore { nick: some(nick) })),
    ("away", |model, message| model.quietly(Request::Away { message: some(message) })),
    ("edit", Model::edit_last_to),
    ("redact", Model::redact_last),
    ("quit", |model, reason| {
        model.go(some(reason));
        true
    }),
];

/// All commands of this client, in the order in which `/help` lists them.
pub(crate) fn commands() -> impl Iterator<Item = &'static VerbHelp> + Clone {
    let shared = verbs().filter(|verb| verb.concerns == Concerns::Everybody);
    let (before, last): (Vec<_>, Vec<_>) = shared.partition(|verb| verb.name != "quit");
    before.into_iter().chain(OWN).chain(last)
}

/// What they are called.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    commands().flat_map(VerbHelp::names)
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

impl Model {
    /// Does what was typed, or says why not.
    pub(super) fn command(&mut self, typing: Typing<'_>) -> bool {
        let Some(verb) = commands().find(|verb| verb.has_name(typing.verb)) else {
            let (shown, help) = (hub::quoted(typing.verb), self.where_help_is());
            self.problem(match similar(typing.verb, names()) {
                Some(known) => format!("there is no /{shown}; did you mean /{known}? {help} lists what there is"),
                None => format!(
                    "there is no /{shown}; {help} lists what there is, and '//' says a line that begins with '/'"
                ),
            });
            return false;
        };
        if let Some(lack) = verb.lack(typing.parameters) {
            self.problem(lack);
            return false;
        }
        match RUNS.iter().find(|(name, _)| *name == verb.name) {
            Some((_, run)) => run(self, typing.parameters),
            None => false,
        }
    }

    fn where_help_is(&self) -> &'static str {
        match self.medium {
            Medium::Screen => "F1",
            Medium::Lines => "/help",
        }
    }

    fn rename(&mut self, nick: &str) -> bool {
        match address::nick(nick) {
            Ok(nick) => self.quietly(Request::Nick { nick }),
            Err(problem) => {
                self.problem(problem.to_string());
                false
            }
        }
    }

    fn quietly(&mut self, request: Request) -> bool {
        self.ask(request, Asked::Answer);
        true
    }

    fn help(&mut self, name: &str) -> bool {
        let name = name.trim_start_matches('/');
        if self.medium == Medium::Screen && name.is_empty() {
            self.overlay = Some(Overlay::Help { scroll: 0 });
            return true;
        }
        if name.is_empty() {
            for verb in commands() {
                self.print(format!("-- {:18} {}", verb.usage(), verb.help));
            }
            return true;
        }
        let Some(verb) = commands().find(|verb| verb.has_name(name)) else {
            let help = self.where_help_is();
            self.problem(format!("there is no /{}; {help} lists what there is", hub::quoted(name)));
            return false;
        };
        let mut text = format!("{}  {}", verb.usage(), verb.help);
        for alias in verb.aliases {
            text.extend(["\n/", alias, " does the same"]);
        }
        for detail in verb.details {
            text.push('\n');
            text.push_str(detail);
        }
        self.remark_here(&text);
        true
    }

    fn join(&mut self, parameters: &str) -> bool {
        let (name, rest) = split_word(parameters);
        match address::room(name) {
            Ok(name) if rest.is_empty() => self.enter(&name),
            Ok(_) => {
                self.problem("a room's name has no blanks in it; /join NAME enters one room");
                return false;
            }
            Err(problem) => {
                self.problem(problem.to_string());
                return false;
            }
        }
        true
    }

    fn leave(&mut self, parameters: &str) -> bool {
        let index = if parameters.is_empty() {
            Some(self.current).filter(|&current| current < self.rooms.len())
        } else {
            self.index_of_room(parameters.trim_start_matches('#'))
        };
        let Some(index) = index else {
            let titles: Vec<String> = self.rooms.iter().take(ROOMS_NAMED).map(super::Room::title).collect();
            self.problem(match titles.as_slice() {
                [] => "you are in no room".to_owned(),
                titles => format!("you are in no room of that name, but in {}", titles.join(", ")),
            });
            return false;
        };
        self.leave_room(index);
        true
    }

    fn query(&mut self, parameters: &str) -> bool {
        let (to, _) = split_word(parameters);
        let index = self.open_direct(to);
        self.go_to(index);
        true
    }

    fn who(&mut self, parameters: &str) -> bool {
        let name = if parameters.is_empty() { self.room_name_here() } else { some(parameters) };
        let Some(room) = name else {
            self.problem("/who needs a room here: /who ROOM");
            return false;
        };
        let here = self.rooms.get(self.current).map_or(0, |room| room.number);
        self.ask(Request::Who { room }, Asked::Who { room: here, listed: String::new() });
        true
    }

    fn list_rooms(&mut self) -> bool {
        self.known_rooms.clear();
        self.ask(Request::Rooms, Asked::Rooms);
        self.open_known_rooms();
        true
    }

    fn set_topic(&mut self, topic: &str) -> bool {
        let Some((number, room)) = self.room_here() else {
            self.problem("only rooms have topics");
            return false;
        };
        match topic {
            "" => drop(self.ask(Request::Topic { room }, Asked::Answer)),
            topic => {
                let topic = Some(topic.to_owned()).filter(|topic| topic != "-");
                let request = Request::SetTopic { room, topic: topic.clone() };
                self.ask(request, Asked::SetTopic { room: number, topic });
            }
        }
        true
    }

    fn search(&mut self, words: &str) -> bool {
        if self.medium == Medium::Screen {
            self.open_search(words);
        }
        self.start_search(words, None)
    }

    /// Asks the server for what was typed, or for what of it is older than this.
    pub(super) fn start_search(&mut self, words: &str, older_than: Option<hub::Time>) -> bool {
        let asked = match read_search(&self.options.zone, self.time, words) {
            Ok(asked) => asked,
            Err(NotUnderstood(word)) => {
                let word = hub::quoted(word);
                self.problem(format!(
                    "'{word}' is no time; write 2026-11-20, 2026-11-20T10:00, 10:00, 10m, 2h or 3d"
                ));
                return false;
            }
        };
        let room = asked.room.map(|place| match place {
            hub::Place::Name(name) => name,
            hub::Place::Number(number) => hub::conversation_name(number),
        });
        let exact = |time: Option<hub::Time>| time.map(rfc3339);
        let search = asked.search;
        let request = Request::Search {
            words: some(&search.words),
            author: search.author,
            room,
            since: exact(search.since),
            before: exact(older_than.or(search.before)),
            limit: Some(super::FINDINGS_MAX),
        };
        self.search_is_asked(words, older_than);
        self.ask(request, Asked::Search);
        true
    }

    /// The room that is seen, if it is one.
    fn room_here(&self) -> Option<(u32, String)> {
        let room = self.rooms.get(self.current)?;
        match &room.place {
            Place::Room(name) => Some((room.number, name.to_string())),
            Place::Direct { .. } => None,
        }
    }

    fn room_name_here(&self) -> Option<String> {
        self.room_here().map(|(_, name)| name)
    }

    /// What is seen, as the server calls it.
    pub(super) fn named_here(&self) -> Option<(u32, String)> {
        let room = self.rooms.get(self.current)?;
        Some((room.number, room.name()?.to_string()))
    }

    fn remark_here(&mut self, text: &str) {
        match self.rooms.get(self.current).map(|room| room.number) {
            Some(number) => self.remark(number, text),
            None => self.hint(text.lines().next().unwrap_or_default().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guide;

    #[test]
    fn commands_in_the_guide_are_those_of_the_table() {
        let mut table = "| command | what it does |\n|---|---|\n".to_owned();
        for verb in commands() {
            table.extend(["| `", &verb.usage().replace('|', "\\|"), "` | ", verb.help, " |\n"]);
        }
        guide::check("commands", &table);
    }

    #[test]
    fn every_command_that_is_listed_does_something() {
        for verb in commands() {
            assert!(RUNS.iter().any(|(name, _)| *name == verb.name), "/{}", verb.name);
        }
        assert_eq!(RUNS.len(), commands().count(), "something is done that no command is listed for");
    }
}
