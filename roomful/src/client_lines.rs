//! The command line of the client: `join`, and for scripts `say`, `tail`, `search`, `rooms`, `who`, `bot`.
//!
//! Where it stands: beside `command_line`, which has all other verbs; the work is done by the crate `client`.
//!
//! What it must never do: print data anywhere but on standard output, or anything else there.

use crate::command_line::{moment, room};
use clap::{Args, Subcommand};
use client::address::Address;
use client::join::{self, Join};
use client::own_name;
use client::places::Places;
use client::scripts::{
    self, Beginning, BotWanted, Ending, FAILED, Form, Problem, SayWanted, SearchWanted, Source, TailWanted,
    Waiting,
};
use client::settings::Settings;
use hub::{Manner, Nick, RoomName, Time};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What stands below the help of each of them.
const STATUS: &str = "Exit status: 0 if all is well, 1 if not, 2 if the command line is wrong, 128 and the number of a signal that ended it.";

const SAY_EXAMPLES: &str = "\
Examples:
  roomful say 127.0.0.1/ops the backup is done
  uptime | roomful say 127.0.0.1/ops         each line is a message; blank ones are passed over
  roomful say 127.0.0.1/ops --whole < report.txt
  roomful say backup@127.0.0.1/ops --wait done       also if the server is not there yet

Exit status: 0 if all was acknowledged, 1 if not (standard error says how much), 2 if the command
line is wrong, 128 and the number of a signal that ended it. What was acknowledged is kept; it is
said once and in order, whatever happens to the connection meanwhile.";

const TAIL_EXAMPLES: &str = "\
Examples:
  roomful tail 127.0.0.1/ops
  roomful tail 127.0.0.1/ops --since 10m --json | jq -r .text
  roomful tail 127.0.0.1/ops --follow | grep --line-buffered -i error

With --follow it comes back by itself when the connection or the server was gone, and then prints
what it missed. Arrivals and departures are not printed.";

const SEARCH_EXAMPLES: &str = "\
Examples:
  roomful search 127.0.0.1 disk full
  roomful search 127.0.0.1/ops --from backup --since 3d

Exit status: 0 if something was found, 1 if nothing was, or something went wrong (standard error
says what), 2 if the command line is wrong.";

const ROOMS_EXAMPLES: &str = "\
Examples:
  roomful rooms 127.0.0.1                    name, members and topic, with tabs between
  roomful rooms 127.0.0.1 --json";

const WHO_EXAMPLES: &str = "\
Examples:
  roomful who 127.0.0.1/ops                  a nick a line; behind a tab, that somebody is away
  roomful who 127.0.0.1/ops --json";

const BOT_EXAMPLES: &str = "\
Examples:
  roomful bot echo@127.0.0.1/ops -- sed -un 's/^<[^>]*> !echo //p'
  roomful bot 127.0.0.1/ops --json -- ./bot.py

The command reads what others say: '<ann> text' and '* ann waves', each line of a message with its
author in front; with --json the events. Each line that it prints is said; it has to print them at
once, unbuffered. If it does not read, at most 1,000 lines wait for it; more are skipped, which is
told on standard error.

Exit status: that of the command (128 and the number of the signal, if one ended it); 1 if there
is no connection; 2 if the command line is wrong.";

const JOIN_EXAMPLES: &str = "\
Examples:
  roomful join 127.0.0.1
  roomful join ann@chat.example:9000/ops
  roomful join work/ops                      a server that the settings know by name
  roomful join 127.0.0.1 --plain             line by line, for screen readers
  roomful join --raw 127.0.0.1 5000          any server that speaks lines

F1 lists keys and commands. Settings stand in ~/.config/roomful/client.toml; 'roomful config client'
prints such a file. Without a terminal, lines go in and lines come out.

Exit status: 0 if you left, 1 if there was no connection, or not all that was said was acknowledged,
or a line of a pipe was not said or done; 2 if the command line is wrong.";

#[derive(Subcommand, Debug)]
pub(crate) enum ClientVerb {
    /// Talk, in this terminal
    #[command(after_help = JOIN_EXAMPLES)]
    Join(JoinArguments),
    /// Say something in a room
    #[command(after_help = SAY_EXAMPLES)]
    Say(SayArguments),
    /// Print what was said in a room, and what is being said
    #[command(after_help = format!("{TAIL_EXAMPLES}\n\n{STATUS}"))]
    Tail(TailArguments),
    /// Look for what was said
    #[command(after_help = SEARCH_EXAMPLES)]
    Search(SearchArguments),
    /// Print which rooms there are
    #[command(after_help = format!("{ROOMS_EXAMPLES}\n\n{STATUS}"))]
    Rooms(AskArguments),
    /// Print who is in a room
    #[command(after_help = format!("{WHO_EXAMPLES}\n\n{STATUS}"))]
    Who(AskArguments),
    /// Run a command that reads a room and talks in it
    #[command(after_help = BOT_EXAMPLES)]
    Bot(BotArguments),
}

#[derive(Args, Debug)]
pub(crate) struct JoinArguments {
    /// Where: HOST, HOST:PORT, HOST/ROOM, NICK@HOST/ROOM, or a name from the settings
    #[arg(value_name = "ADDRESS", required_unless_present = "raw")]
    address: Option<String>,
    /// What to be called there
    #[arg(long, value_name = "NICK", value_parser = nick)]
    nick: Option<String>,
    /// Line by line: nothing that was written is touched again, and nothing is drawn
    #[arg(long)]
    plain: bool,
    /// Speak to any line server at all, with no protocol but lines
    #[arg(long, num_args = 2, value_names = ["HOST", "PORT"], conflicts_with_all = ["address", "nick", "plain"])]
    raw: Vec<String>,
    #[command(flatten)]
    settings: SettingsFlag,
}

/// Where the settings stand.
#[derive(Args, Debug)]
pub(crate) struct SettingsFlag {
    /// The client's settings, instead of ~/.config/roomful/client.toml
    #[arg(long = "settings", value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Where to go, and as whom.
#[derive(Args, Debug)]
pub(crate) struct Destination {
    /// Where: HOST, HOST:PORT, HOST/ROOM, NICK@HOST/ROOM, or a name from the settings
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// What to be called there
    #[arg(long, value_name = "NICK", value_parser = nick)]
    nick: Option<String>,
    #[command(flatten)]
    settings: SettingsFlag,
}

#[derive(Args, Debug)]
pub(crate) struct SayArguments {
    #[command(flatten)]
    destination: Destination,
    /// What to say; without it standard input is read, a line a message
    #[arg(value_name = "TEXT")]
    words: Vec<String>,
    /// Say it as something that you do, as /me does
    #[arg(long)]
    act: bool,
    /// All of standard input is one message, of at most 256 lines and 16 KiB
    #[arg(long, conflicts_with = "words")]
    whole: bool,
    /// Wait until all is acknowledged however long that takes, also for a server that is not there yet
    #[arg(long, conflicts_with = "timeout")]
    wait: bool,
    /// Give up when nothing has been acknowledged for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
}

#[derive(Args, Debug)]
pub(crate) struct TailArguments {
    #[command(flatten)]
    destination: Destination,
    /// Print events, an object a line
    #[arg(long)]
    json: bool,
    /// From this moment on: 2026-11-20, 2026-11-20T10:00, 10:00, 10m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Time>,
    /// The last so many messages
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20, conflicts_with = "since",
        value_parser = clap::value_parser!(u32).range(0..=100_000))]
    lines: u32,
    /// Go on with what happens
    #[arg(short, long)]
    follow: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SearchArguments {
    #[command(flatten)]
    destination: Destination,
    /// What was said has all of these words in it; quotes within keep words together
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// In this room, besides others that are named so; without it in that of the address
    #[arg(long, value_name = "ROOM", value_parser = room)]
    room: Vec<RoomName>,
    /// Said by this person
    #[arg(long, value_name = "NICK")]
    from: Option<String>,
    /// From this moment on: 2026-11-20, 2026-11-20T10:00, 10:00, 10m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Time>,
    /// Before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<Time>,
    /// At most so many messages, the newest of all
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    lines: u32,
    /// Print events, an object a line
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AskArguments {
    #[command(flatten)]
    destination: Destination,
    /// Print objects, one a line
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BotArguments {
    #[command(flatten)]
    destination: Destination,
    /// Give the command events, an object a line
    #[arg(long)]
    json: bool,
    /// The command and its arguments, behind --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Does what was asked for, and answers with the status.
pub(crate) fn run(verb: ClientVerb) -> ExitCode {
    match done(verb) {
        Ok(status) => status,
        Err(Wrong::Typed(text)) => {
            complain(&text);
            ExitCode::from(2)
        }
        Err(Wrong::Settings(text)) => {
            complain(&text);
            ExitCode::from(FAILED)
        }
        Err(Wrong::Script(problem)) => {
            if !problem.is_quiet() {
                complain(&problem.to_string());
            }
            ExitCode::from(problem.status())
        }
    }
}

/// What went wrong, and where.
enum Wrong {
    Typed(String),
    Settings(String),
    Script(Problem),
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Wrong {
        Wrong::Script(problem)
    }
}

fn complain(text: &str) {
    for line in text.lines() {
        // Nobody may be reading; the exit status says it, too.
        let _ = writeln!(io::stderr(), "roomful: {line}");
    }
}

fn done(verb: ClientVerb) -> Result<ExitCode, Wrong> {
    let status = match verb {
        ClientVerb::Join(arguments) => return arguments.join(),
        ClientVerb::Say(arguments) => {
            let address = arguments.destination.of_somebody()?;
            scripts::say(&address, &say_wanted(&arguments))?
        }
        ClientVerb::Tail(arguments) => {
            scripts::tail(&arguments.destination.address()?, &tail_wanted(&arguments))?
        }
        ClientVerb::Search(arguments) => {
            let address = arguments.destination.address()?;
            scripts::search(&address, &search_wanted(arguments)?)?
        }
        ClientVerb::Rooms(arguments) => {
            scripts::rooms(&arguments.destination.address()?, form(arguments.json))?
        }
        ClientVerb::Who(arguments) => scripts::who(&arguments.destination.address()?, form(arguments.json))?,
        ClientVerb::Bot(arguments) => {
            let address = arguments.destination.of_somebody()?;
            scripts::bot(&address, &BotWanted { command: arguments.command, form: form(arguments.json) })?
        }
    };
    Ok(ExitCode::from(status))
}

impl JoinArguments {
    fn join(self) -> Result<ExitCode, Wrong> {
        if let [host, port] = &self.raw[..] {
            let port = port.parse().ok().filter(|&port: &u16| port > 0);
            let port = port.ok_or_else(|| Wrong::Typed("the port is a number from 1 to 65535".to_owned()))?;
            return Ok(client::raw::run(host, port));
        }
        let (settings, places) = self.settings.read()?;
        let typed = self.address.unwrap_or_default();
        let mut destination = settings.find(&typed).map_err(|problem| Wrong::Typed(problem.to_string()))?;
        if self.nick.is_some() {
            destination.address.nick = self.nick;
        }
        let manner = if self.plain { join::Manner::Plain } else { join::Manner::Usual };
        Ok(join::run(Join { destination, settings, places, manner }))
    }
}

impl SettingsFlag {
    fn read(&self) -> Result<(Settings, Places), Wrong> {
        let places = Places::here(self.file.clone());
        let settings =
            Settings::read(&places.settings).map_err(|problem| Wrong::Settings(problem.to_string()))?;
        Ok((settings, places))
    }
}

impl Destination {
    /// With the nick that was given, here or in the settings.
    fn address(&self) -> Result<Address, Wrong> {
        let (settings, _) = self.settings.read()?;
        let found = settings.find(&self.address).map_err(|problem| Wrong::Typed(problem.to_string()))?;
        let nick = self.nick.clone().or(found.address.nick);
        let room = found.address.room.or_else(|| found.rooms.into_iter().next());
        Ok(Address { nick, room, ..found.address })
    }

    /// The same for somebody who talks: called as they are on this machine, if nothing else was given. Who only reads
    /// comes as a guest, and takes no name from anybody.
    fn of_somebody(&self) -> Result<Address, Wrong> {
        let address = self.address()?;
        let nick = address.nick.or_else(own_name::user_nick);
        Ok(Address { nick, ..address })
    }
}

fn say_wanted(arguments: &SayArguments) -> SayWanted {
    let source = if arguments.whole {
        Source::Whole
    } else if arguments.words.is_empty() {
        Source::Lines
    } else {
        Source::Words(arguments.words.join(" "))
    };
    let waiting = if arguments.wait {
        Waiting::Always
    } else {
        Waiting::AtMost(Duration::from_secs(arguments.timeout.into()))
    };
    let manner = if arguments.act { Manner::Acting } else { Manner::Saying };
    SayWanted { source, manner, waiting }
}

fn tail_wanted(arguments: &TailArguments) -> TailWanted {
    let beginning = arguments.since.map_or(Beginning::Last(arguments.lines), Beginning::Since);
    let ending = if arguments.follow { Ending::Never } else { Ending::Now };
    TailWanted { beginning, ending, form: form(arguments.json) }
}

fn search_wanted(arguments: SearchArguments) -> Result<SearchWanted, Wrong> {
    if arguments.words.is_empty() && arguments.from.is_none() {
        return Err(Wrong::Typed("say what to look for: some words, or --from NICK".to_owned()));
    }
    Ok(SearchWanted {
        words: arguments.words.join(" "),
        author: arguments.from,
        rooms: arguments.room.iter().map(|room| room.shown.to_string()).collect(),
        since: arguments.since,
        before: arguments.before,
        count_max: arguments.lines,
        form: form(arguments.json),
    })
}

/// What a flag of the command line means.
fn form(json: bool) -> Form {
    if json { Form::Json } else { Form::Text }
}

fn nick(text: &str) -> Result<String, String> {
    Nick::parse(text).map(|nick| nick.shown.to_string()).map_err(|problem| problem.to_string())
}
