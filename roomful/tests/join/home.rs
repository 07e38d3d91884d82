//! Somebody who has files of their own, and how they join.

use crate::harness::{DataDirectory, Server, Terminal, roomful};

/// Escape, as terminals send it that tell it from the beginning of a sequence: what is typed behind it is not taken for Alt.
pub(super) const ESCAPE: &str = "\x1b[27u";
/// From here on the terminal is known to mark what is pasted: lines that come at once are not taken for a paste.
pub(super) const MARKED_PASTE: &str = "\x1b[200~\x1b[201~";

/// Where somebody's files are. Gone when the test is over.
pub(super) struct Home {
    directory: DataDirectory,
}

impl Home {
    pub(super) fn new() -> Home {
        Home { directory: DataDirectory::new() }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// What the environment says to somebody at home here, and these things besides.
    fn environment(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = [
            ("HOME", self.path("")),
            ("XDG_STATE_HOME", self.path("state")),
            ("XDG_CONFIG_HOME", self.path("config")),
        ];
        // What whoever runs the tests may have, and would change what is seen.
        let unset = ["ACCESSIBLE", "COLORTERM", "COLORFGBG", "NO_COLOR", "TMUX", "WT_SESSION", "TZ"];
        let unset = unset.map(|name| (name.to_owned(), String::new()));
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        unset.into_iter().chain(own).chain(more).collect()
    }

    /// Runs `roomful` with these words, in this environment.
    pub(super) fn runs_in(&self, more: &[(&str, &str)], words: &[&str], columns: u16, rows: u16) -> Terminal {
        let environment = self.environment(more);
        Terminal::roomful_in(&borrowed(&environment), words, columns, rows)
    }

    /// The same without a terminal.
    pub(super) fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = roomful(words);
        command.envs(self.environment(&[]));
        command
    }

    /// A shell.
    pub(super) fn bash(&self, columns: u16, rows: u16) -> Terminal {
        let environment = self.environment(&[]);
        Terminal::bash_in(&borrowed(&environment), columns, rows)
    }

    /// A shell that does this and nothing else, on an ordinary terminal.
    pub(super) fn script(&self, script: &str) -> Terminal {
        let environment = self.environment(&[]);
        Terminal::script_in(&borrowed(&environment), script, 80, 24)
    }

    /// Settings, in TOML.
    pub(super) fn sets(&self, settings: &str) {
        let directory = self.directory.path().join("config/roomful");
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        std::fs::write(directory.join("client.toml"), settings).expect("a file can be written");
    }

    /// Joins `ann@…` or `ann@…/room`, and is in.
    pub(super) fn joins_at(&self, server: &Server, nick: &str, columns: u16, rows: u16) -> Terminal {
        let mut terminal = self.begins_to_join(server, nick, columns, rows);
        terminal.shows("that the room is there", is_in);
        terminal
    }

    /// The same on an ordinary terminal.
    pub(super) fn joins(&self, server: &Server, nick: &str) -> Terminal {
        self.joins_at(server, nick, 80, 24)
    }

    pub(super) fn begins_to_join(&self, server: &Server, nick: &str, columns: u16, rows: u16) -> Terminal {
        self.runs_in(&[], &["join", &format!("{nick}@{}", server.address())], columns, rows)
    }
}

fn borrowed(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Whether somebody is online, and in a room.
pub(super) fn is_in(terminal: &Terminal) -> bool {
    let screen = terminal.screen();
    screen.contains("● ") && screen.contains('#') && !screen.contains("entering")
}

/// What stands in the timeline, from above: what was said as `ann hello`, everything else as it stands there. What goes on in
/// the next row stands for itself.
pub(super) fn timeline(terminal: &Terminal) -> Vec<String> {
    let screen = terminal.screen();
    let middle = screen.lines().map(|row| {
        let mut parts = row.split('│');
        let first = parts.next().unwrap_or_default();
        parts.next().unwrap_or(first)
    });
    let said = middle.filter_map(|row| {
        let row = row.trim_start().trim_start_matches(['▌', '…']).trim_start();
        let (time, behind) = row.split_at_checked(5)?;
        is_time(time)?;
        Some(behind.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    said.collect()
}

/// Something if this is a time such as `12:01`.
fn is_time(word: &str) -> Option<()> {
    let (hours, minutes) = word.split_once(':')?;
    hours.parse::<u8>().ok().and(minutes.parse::<u8>().ok()).map(drop)
}
