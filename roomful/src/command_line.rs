//! The command line. Help, completions and man pages all come from the one definition here.

use anyhow::Context as _;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use server::{FeedBounds, HubSettings, Options, RoomName, ShardLimits};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  roomful serve                              everybody on the network can join at port 8008
  roomful serve --listen 127.0.0.1:0         only this machine, any free port
  roomful serve --listen 8008 --listen '[::1]:9000'
  nc 127.0.0.1 8008                          join with what is already there";

const SERVE_EXAMPLES: &str = "\
Examples:
  roomful serve
  roomful serve --listen 127.0.0.1:0         prints the port that it got
  roomful serve --room ops --announce-max 20
  ROOMFUL_LISTEN=9000 roomful serve

SIGTERM or SIGINT stops the server: everybody is told, and what waits is written for
at most five seconds. A second signal stops it at once.";

/// Not in a comment, where the brackets would be a link.
const LISTEN_HELP: &str = "Where to listen: PORT, ADDRESS:PORT or [ADDRESS]:PORT; may be given several times \
    [default: 8008 on all interfaces]";

/// Group chat that anyone can join with what they already have.
#[derive(Parser, Debug)]
#[command(name = "roomful", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Run the server
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeOptions>),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page, or write all of them into a directory
    Man {
        /// Write roomful.1, roomful-serve.1 … into this directory
        directory: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ServeOptions {
    /// Where to listen.
    #[arg(long, help = LISTEN_HELP, value_name = "ADDRESS", value_parser = parse_listen, env = "ROOMFUL_LISTEN", value_delimiter = ',')]
    listen: Vec<SocketAddr>,

    /// The room that everybody is in unasked
    #[arg(long, value_name = "ROOM", value_parser = parse_room, default_value = "lobby", env = "ROOMFUL_ROOM")]
    room: RoomName,

    /// I/O threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), env = "ROOMFUL_SHARDS")]
    shards: u16,

    /// Rooms with more members sum up who comes and goes, at most once a second
    #[arg(long, value_name = "MEMBERS", default_value_t = 100, env = "ROOMFUL_ANNOUNCE_MAX")]
    announce_max: u32,

    /// Most that a member may lag behind in a room before it skips, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024, value_parser = parse_lag, env = "ROOMFUL_LAG_BYTES_MAX")]
    lag_bytes_max: usize,

    /// Most connections, listening ones included
    #[arg(long, value_name = "N", default_value_t = 100_000, env = "ROOMFUL_MEMBERS_MAX")]
    members_max: u32,

    /// Most rooms
    #[arg(long, value_name = "N", default_value_t = 10_000, env = "ROOMFUL_ROOMS_MAX")]
    rooms_max: u32,

    /// How logs are written: for people, or one JSON object a line
    #[arg(long, value_enum, default_value_t = LogFormat::Human, env = "ROOMFUL_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// How logs are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

/// A lag bound below this could not hold the longest message.
const LAG_BYTES_MIN: usize = 64 * 1024;

fn parse_listen(raw: &str) -> Result<SocketAddr, String> {
    server::parse_listen(raw).map_err(|error| error.to_string())
}

fn parse_room(raw: &str) -> Result<RoomName, String> {
    RoomName::parse(raw).map_err(|problem| problem.to_string())
}

fn parse_lag(raw: &str) -> Result<usize, String> {
    let bytes: usize = raw.parse().map_err(|_| "write a number of bytes, such as 262144".to_owned())?;
    if bytes < LAG_BYTES_MIN {
        return Err(format!(
            "at least {LAG_BYTES_MIN} bytes are needed, or the longest message would not fit"
        ));
    }
    Ok(bytes)
}

impl ServeOptions {
    /// The options as the server takes them.
    pub(crate) fn server_options(&self) -> Options {
        let everywhere = || server::parse_listen(&server::DEFAULT_PORT.to_string()).into_iter().collect();
        let listen = if self.listen.is_empty() { everywhere() } else { self.listen.clone() };
        let hub = HubSettings {
            announce_max: self.announce_max,
            members_max: self.members_max,
            rooms_max: self.rooms_max,
            ..HubSettings::new(self.room.clone())
        };
        let feeds = FeedBounds { lag_bytes_max: self.lag_bytes_max, ..FeedBounds::default() };
        let limits = ShardLimits { feeds, ..ShardLimits::default() };
        Options { listen, shards: self.shards, hub, limits, ..Options::new(self.room.clone()) }
    }
}

/// Prints completions.
pub(crate) fn print_completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "roomful", &mut script);
    print(&script).context("cannot print the completions")
}

/// Prints to standard output. Whoever stops reading, as `head` does, has what they want: nothing has failed.
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Prints the man page of the program, or writes those of all its verbs.
pub(crate) fn write_man_pages(directory: Option<&Path>) -> anyhow::Result<()> {
    let command = CommandLine::command();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        return rendered.and_then(|()| print(&page)).context("cannot print the man page");
    };
    clap_mangen::generate_to(command, directory)
        .with_context(|| format!("cannot write man pages into {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn without_flags_it_listens_everywhere() {
        let line = CommandLine::try_parse_from(["roomful", "serve"]).unwrap();
        let Verb::Serve(options) = line.verb else { panic!("serve was asked for") };
        assert_eq!(options.server_options().listen, [server::parse_listen("8008").unwrap()]);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let error = |line: &[&str]| CommandLine::try_parse_from(line).unwrap_err().to_string();
        assert!(error(&["roomful", "serve", "--listn", "1"]).contains("--listen"));
        assert!(error(&["roomful", "serve", "--listen", "nowhere"]).contains("ADDRESS:PORT"));
        assert!(error(&["roomful", "serve", "--room", ".x"]).contains("begins with '.'"));
        assert!(error(&["roomful", "serve", "--lag-bytes-max", "10"]).contains("65536"));
        assert!(error(&["roomful", "serv"]).contains("serve"));
    }
}
