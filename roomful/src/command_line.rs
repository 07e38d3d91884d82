//! The command line. Help, completions and man pages all come from the one definition here, and its flags from the table
//! in `settings`.

use crate::archive;
use crate::client_lines::ClientVerb;
use crate::config::{FILE_VARIABLE, Flags};
use crate::key::{Key, Kind};
use crate::settings::{self, KEYS, Settings};
use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::builder::styling::{AnsiColor, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use clap_complete::Shell;
use hub::{RoomName, Time};
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default());

/// What the examples below a help text begin with.
pub(crate) const EXAMPLES_TITLE: &str = "Examples:";

const EXAMPLES: &str = "\
Examples:
  roomful serve                              everybody on the network can join at port 8008
  roomful serve --listen 127.0.0.1:0         only this machine, any free port
  roomful serve --listen 8008 --listen '[::1]:9000'
  nc 127.0.0.1 8008                          join with what is already there
  echo 'backup done' | roomful say 127.0.0.1/ops
  roomful tail 127.0.0.1/ops --follow        what is being said
  roomful export lobby --since 3d            what was said
  roomful backup /var/backups                a copy of everything that is kept";

const SERVE_EXAMPLES: &str = "\
Examples:
  roomful serve
  roomful serve --listen 127.0.0.1:0         prints the port that it got
  roomful serve --room ops --announce-max 20
  roomful serve --config roomful.toml        `roomful config default` prints such a file
  ROOMFUL_LISTEN=9000 roomful serve

Each flag is a key of the file, too (members_max), and an environment variable
(ROOMFUL_MEMBERS_MAX). A flag goes before the environment, the environment before the file.

SIGTERM or SIGINT stops the server: everybody is told, and what waits is written for
as long as --stop-seconds allows. A second signal stops it at once. SIGHUP reads the file again.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  roomful export lobby                       as people read it, on this terminal
  roomful export lobby --since 3d | less
  roomful export lobby --since 2026-11-20 --until 2026-11-21T12:00
  roomful export lobby --format html -o lobby.html
  roomful export lobby --format json -o lobby.json    what `roomful import` reads

The server may be running. Times are those of this machine's clocks. What was erased is in no
export. A direct conversation (@12) is exported only with --conversations.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  roomful import lobby.json
  roomful import lobby.json --room old-lobby
  roomful import - < lobby.json

The server must not be running. All of the file is imported or nothing, into a room in which
nothing has been said. Names, times and numbers stay; the ids of messages begin with another
epoch, and what was said belongs to nobody who could still change it.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  roomful backup /var/backups                makes /var/backups/roomful-20261120-180500.db
  roomful backup lobby-moves.db --data /srv/roomful

The server may be running. A backup is a data file: as roomful.db in a directory of its own it is
what `roomful serve --data DIRECTORY` goes on from.";

const CHECK_EXAMPLES: &str = "\
Examples:
  roomful check
  roomful check --data /srv/roomful && echo sound

The server may be running. The exit status is 0 if everything is sound, and 1 if not.";

const CONFIG_EXAMPLES: &str = "\
Examples:
  roomful config default > roomful.toml
  roomful config check roomful.toml
  roomful config show --config roomful.toml --members-max 500";

/// Group chat that anyone can join with what they already have.
#[derive(Parser, Debug)]
#[command(name = "roomful", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

impl CommandLine {
    /// Reads the process's own, or ends it with the help or with what is wrong.
    pub(crate) fn read() -> CommandLine {
        let words: Vec<OsString> = std::env::args_os().collect();
        CommandLine::of(&words).unwrap_or_else(|error| error.exit())
    }

    fn of(words: &[OsString]) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from(words).map_err(|error| match words.get(1) {
            Some(verb) if verb == "serve" => with_listen_flag(error),
            _ => error,
        })
    }
}

/// Whoever wrote an address without the flag in front is told the flag. A hidden argument would do the same, but stand in the
/// completions.
fn with_listen_flag(mut error: clap::Error) -> clap::Error {
    let unexpected = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word))) => word.clone(),
        _ => return error,
    };
    if server::parse_listen(&unexpected).is_ok() {
        let tip = format!("to listen there, write '--listen {unexpected}'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Run the server
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Flags),
    #[command(flatten)]
    Client(ClientVerb),
    /// Print what was said in a room, for people or for programs
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArguments),
    /// Make a room of what was exported as JSON
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArguments),
    /// Copy everything that is kept into a new file
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(BackupArguments),
    /// Look whether everything that is kept is sound
    #[command(after_help = CHECK_EXAMPLES)]
    Check(DataFlags),
    /// Print or check the configuration
    #[command(after_help = CONFIG_EXAMPLES)]
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page, or write all of them into a directory
    Man {
        /// Write roomful.1, roomful-serve.1 and so on into this directory
        directory: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    /// The room, or @NUMBER for a direct conversation
    pub(crate) room: String,
    /// In which form [default: text]
    #[arg(long, value_enum, default_value_t, hide_default_value = true)]
    pub(crate) format: Format,
    /// From this moment on: 2026-11-20, 2026-11-20T10:00, 10:00, 10m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) since: Option<Time>,
    /// Before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Time>,
    /// Export a direct conversation, too, though it is nobody's but its two members'
    #[arg(long)]
    pub(crate) conversations: bool,
    /// Into this file, which is replaced when all is written; without it to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataFlags,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Format {
    /// lines as /history shows them
    #[default]
    Text,
    /// a document
    Markdown,
    /// an object on each line, for roomful import and other programs
    Json,
    /// a page for a browser, in one file
    Html,
}

impl From<Format> for history::Format {
    fn from(format: Format) -> history::Format {
        match format {
            Format::Text => history::Format::Text,
            Format::Markdown => history::Format::Markdown,
            Format::Json => history::Format::Json,
            Format::Html => history::Format::Html,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// The export, or - for standard input
    pub(crate) file: PathBuf,
    /// What the room is to be called; without it as it was called
    #[arg(long, value_name = "NAME", value_parser = room)]
    pub(crate) room: Option<RoomName>,
    #[command(flatten)]
    pub(crate) data: DataFlags,
}

#[derive(Args, Debug)]
pub(crate) struct BackupArguments {
    /// The new file, or a directory for a file that is called after the time
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataFlags,
}

/// Where what is said is kept, as `roomful serve` is told it.
#[derive(Clone, Debug)]
pub(crate) struct DataFlags(pub(crate) Flags);

/// A moment as people write it.
pub(crate) fn moment(text: &str) -> Result<Time, String> {
    dialect::plain::moment(&TimeZone::system(), archive::now(), text)
        .ok_or_else(|| "that is no time; write 2026-11-20, 2026-11-20T10:00, 10:00, 10m, 2h or 3d".to_owned())
}

/// The name of a room.
pub(crate) fn room(text: &str) -> Result<RoomName, String> {
    RoomName::parse(text).map_err(|problem| problem.to_string())
}

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigVerb {
    /// Print a configuration file with every key and its default
    Default,
    /// Print a file of settings for the client, with every key and its default
    Client,
    /// Check a configuration file, together with the environment
    Check {
        /// The file
        file: Option<PathBuf>,
        /// The file, named as for `roomful serve`
        #[arg(long, value_name = "FILE", conflicts_with = "file")]
        config: Option<PathBuf>,
    },
    /// Print every key with its value and where that comes from; takes the flags of `roomful serve`
    Show(Flags),
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let command = command.arg(file_argument());
        KEYS.iter().fold(command, |command, key| command.arg(argument(key)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Flags, clap::Error> {
        let given = |key: &'static Key| {
            let texts: Vec<&str> = matches.get_many::<String>(key.name)?.map(String::as_str).collect();
            Some((key, texts.join(",")))
        };
        Ok(Flags {
            config: matches.get_one::<PathBuf>("config").cloned(),
            given: KEYS.iter().filter_map(given).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Flags::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for DataFlags {
    fn augment_args(command: Command) -> Command {
        command.arg(file_argument()).args(data_key().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        DataFlags::augment_args(command)
    }
}

impl FromArgMatches for DataFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<DataFlags, clap::Error> {
        let given = |key: &'static Key| Some((key, matches.get_one::<String>(key.name)?.clone()));
        Ok(DataFlags(Flags {
            config: matches.get_one::<PathBuf>("config").cloned(),
            given: data_key().and_then(given).into_iter().collect(),
        }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = DataFlags::from_arg_matches(matches)?;
        Ok(())
    }
}

fn data_key() -> Option<&'static Key> {
    settings::key("data")
}

fn file_argument() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("The configuration file; without it none is read")
        .long_help(format!("The configuration file; without it none is read\n\n[env: {FILE_VARIABLE}]"))
}

/// The flag of a key. Its environment variable is not clap's business, or its help would show what the variable says on
/// the machine where a man page was made, and an empty one would be an error.
fn argument(key: &'static Key) -> Arg {
    let default = key.text(&Settings::default());
    let argument = Arg::new(key.name)
        .long(key.long())
        .value_name(key.value_name)
        .help_heading(key.subject.title())
        .help(format!("{} [default: {default}]", key.help))
        .long_help(long_help(key, &default));
    let checked = |text: &str| key.check(text).map(|()| text.to_owned());
    match &key.kind {
        Kind::Choice(choices) => argument
            .value_parser(PossibleValuesParser::new(choices.iter().map(|choice| choice.word)))
            .hide_possible_values(true),
        Kind::Addresses => argument.value_parser(checked).action(ArgAction::Append).value_delimiter(','),
        Kind::Number(_) | Kind::Room | Kind::Data => argument.value_parser(checked),
    }
}

fn long_help(key: &Key, default: &str) -> String {
    let (help, environment) = (key.help, key.environment());
    match &key.kind {
        Kind::Choice(choices) => {
            // On one line: a man page would make one of several.
            let choices: Vec<String> =
                choices.iter().map(|choice| format!("{} ({})", choice.word, choice.help)).collect();
            let choices = choices.join(", ");
            format!("{help}: {choices}\n\n[default: {default}, env: {environment}]")
        }
        Kind::Number(number) => {
            let (smallest, largest) = (number.smallest, number.largest);
            format!("{help}\n\n[{smallest} to {largest}, default: {default}, env: {environment}]")
        }
        Kind::Room | Kind::Addresses | Kind::Data => {
            format!("{help}\n\n[default: {default}, env: {environment}]")
        }
    }
}

/// Prints completions.
pub(crate) fn print_completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "roomful", &mut script);
    print(&script).context("cannot print the completions")
}

/// Prints to standard output. Whoever stops reading, as `head` does, has what they want: nothing has failed.
pub(crate) fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;

    fn settings(line: &[&str]) -> Settings {
        let line = CommandLine::try_parse_from(line).unwrap();
        let Verb::Serve(flags) = line.verb else { panic!("serve was asked for") };
        Configuration::read(&flags).unwrap().settings
    }

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn without_flags_it_listens_everywhere() {
        let everywhere = server::parse_listen("8008").unwrap();
        assert_eq!(settings(&["roomful", "serve"]).server.listen, [everywhere]);
    }

    #[test]
    fn several_addresses_are_several_flags_or_stand_between_commas() {
        let [one, other, third] =
            ["1", "127.0.0.1:2", "[::1]:3"].map(|raw| server::parse_listen(raw).unwrap());
        let line = ["roomful", "serve", "--listen", "1", "--listen", "127.0.0.1:2,[::1]:3"];
        assert_eq!(settings(&line).server.listen, [one, other, third]);
    }

    #[test]
    fn every_key_is_a_flag() {
        for key in KEYS {
            let default = key.text(&Settings::default());
            let line = CommandLine::try_parse_from(["roomful", "serve", &key.flag(), &default]).unwrap();
            let Verb::Serve(flags) = line.verb else { panic!("serve was asked for") };
            let given: Vec<_> = flags.given.iter().map(|(key, text)| (key.name, text.as_str())).collect();
            assert_eq!(given, [(key.name, default.as_str())]);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let error = |line: &[&str]| CommandLine::try_parse_from(line).unwrap_err().to_string();
        assert!(error(&["roomful", "serve", "--listn", "1"]).contains("--listen"));
        assert!(error(&["roomful", "serve", "--listen", "nowhere"]).contains("ADDRESS:PORT"));
        assert!(error(&["roomful", "serve", "--room", ".x"]).contains("begins with '.'"));
        assert!(error(&["roomful", "serve", "--lag-bytes-max", "10"]).contains("65536"));
        assert!(error(&["roomful", "serve", "--members-max", "0"]).contains("nobody could come in"));
        assert!(error(&["roomful", "serve", "--plain-style", "x"]).contains("chat, tagged, bare"));
        assert!(error(&["roomful", "serv"]).contains("serve"));
    }
}
