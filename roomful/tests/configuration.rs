//! Configuration: flags before environment before file, every mistake said with its place, and reloads that change what
//! they can and say so.

use crate::harness::{Client, Ears as _, Lines, Server, roomful};
use crate::stopping::stuck_member;
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A configuration file of one test.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> File {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("configuration-{}-{nth}.toml", std::process::id());
        let file = File(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).expect("the file is written");
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    /// A pipe with a name goes where it was. Whoever opens it waits for somebody to write.
    fn becomes_a_fifo(&self) {
        fs::remove_file(&self.0).expect("the file goes");
        mkfifoat(CWD, &self.0, Mode::RUSR | Mode::WUSR).expect("a pipe with a name");
    }

    /// A server that reads it.
    fn serves(&self, flags: &[&str]) -> Server {
        Server::start_with(&[&["--config", self.path()], flags].concat())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    roomful(arguments).envs(variables.iter().copied()).output().expect("the program starts")
}

/// What a successful run prints.
fn printed(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(arguments, variables);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a run that fails says.
fn complaint(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(arguments, variables);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// A run that might go on for ever: it is killed at the end of the test.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines that a run says on standard error until its end, which is waited for with a guard.
fn complaints_in_time(arguments: &[&str]) -> Vec<String> {
    let child = roomful(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut run = Run(child.expect("the program starts"));
    let mut stderr = Lines::of("standard error", run.0.stderr.take().expect("a pipe"));
    while stderr.next("the end of the run").is_some() {}
    assert_eq!(run.0.wait().expect("the run can be waited for").code(), Some(1));
    stderr.heard().clone()
}

/// The line of `roomful config show` about a key, its blanks made one.
fn shown(listing: &str, key: &str) -> String {
    let start = format!("{key} = ");
    let line = listing.lines().find(|line| line.starts_with(&start)).expect("every key is listed");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn flag_goes_before_environment_before_file_before_default_and_each_is_named() {
    let file = File::new("# mine\nmembers_max = 5\nrooms_max = 5\nshards = 5\n");
    let arguments = ["config", "show", "--config", file.path(), "--shards", "7"];
    let variables = [("ROOMFUL_SHARDS", "6"), ("ROOMFUL_ROOMS_MAX", "6"), ("ROOMFUL_IGNORED_MAX", "")];
    let listing = printed(&arguments, &variables);
    assert_eq!(shown(&listing, "shards"), "shards = 7 # flag --shards");
    assert_eq!(shown(&listing, "rooms_max"), "rooms_max = 6 # environment ROOMFUL_ROOMS_MAX");
    assert_eq!(shown(&listing, "members_max"), format!("members_max = 5 # {}:2", file.path()));
    assert_eq!(shown(&listing, "ignored_max"), "ignored_max = 100 # default");
    assert_eq!(shown(&listing, "listen"), "listen = [\"[::]:8008\"] # default");
}

#[test]
fn what_is_shown_is_a_configuration_that_means_the_same() {
    let listing = printed(&["config", "show", "--listen", "9,[::1]:10", "--plain-style", "bare"], &[]);
    let file = File::new(&listing);
    let again = printed(&["config", "show"], &[("ROOMFUL_CONFIG", file.path())]);
    let values = |listing: &str| {
        let settings =
            listing.lines().map(|line| line.split("  #").next().unwrap_or(line).trim_end().to_owned());
        settings.collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&listing));
    assert!(again.contains("listen = [\"[::]:9\", \"[::1]:10\"]"), "{again}");
}

#[test]
fn printed_default_passes_the_check() {
    let file = File::new(&printed(&["config", "default"], &[]));
    let expected = format!("{}: no problems\n", file.path());
    assert_eq!(printed(&["config", "check", file.path()], &[]), expected);
    assert_eq!(printed(&["config", "check", "--config", file.path()], &[]), expected);
    assert_eq!(printed(&["config", "check"], &[("ROOMFUL_CONFIG", file.path())]), expected);
    assert!(printed(&["config", "check"], &[]).starts_with("no file is named"));
}

#[test]
fn every_problem_of_a_file_is_said_at_once_with_its_line() {
    let file =
        File::new("mebers_max = 5\nmembers_max = 0\nshards = 'two'\nroom = lobby\nplain_style = 'fancy'\n");
    let path = file.path();
    let expected = [
        format!("{path}:1: unknown key 'mebers_max'; did you mean 'members_max'?"),
        format!(
            "{path}:2: members_max: 0 is too small, nobody could come in; write a number from 1 to 16777216"
        ),
        format!("{path}:3: shards: a string is not possible; write a number from 1 to 256, without quotes"),
        format!("{path}:4: this is not TOML: string values must be quoted, expected literal string"),
        format!("{path}:5: plain_style: 'fancy' is none of chat, tagged or bare"),
        "environment variable ROOMFUL_ROOM: '.x' is no name for a room: it begins with '.'; a letter goes there".to_owned(),
    ];
    let expected = format!("roomful: {}\n", expected.join("\nroomful: "));
    let variables = [("ROOMFUL_ROOM", ".x")];
    assert_eq!(complaint(&["config", "check", path], &variables), expected);
    assert_eq!(complaint(&["config", "show", "--config", path], &variables), expected);
    assert_eq!(complaint(&["serve", "--config", path], &variables), expected);
}

#[test]
fn file_that_cannot_be_read_is_named() {
    let error = complaint(&["serve", "--config", "/does/not/exist"], &[]);
    assert!(error.starts_with("roomful: cannot read /does/not/exist: "), "{error}");
    let file = File::new("");
    fs::write(&file.0, b"# \xff\n").expect("the file is written");
    let expected = format!("roomful: {}:1: this is not UTF-8; save the file as UTF-8\n", file.path());
    assert_eq!(complaint(&["config", "check", file.path()], &[]), expected);
}

#[test]
fn fifo_and_device_and_directory_are_refused_instead_of_waited_for() {
    let file = File::new("");
    file.becomes_a_fifo();
    for path in [file.path(), "/dev/zero", "/dev"] {
        let expected = [format!("roomful: {path}: that is no regular file")];
        assert_eq!(complaints_in_time(&["config", "check", path]), expected);
        assert_eq!(complaints_in_time(&["serve", "--listen", "127.0.0.1:0", "--config", path]), expected);
    }
}

#[test]
fn file_that_has_become_a_fifo_changes_nothing_and_the_server_still_stops() {
    let file = File::new("topic_bytes_max = 5\n");
    let mut server = file.serves(&[]);
    file.becomes_a_fifo();
    server.signal(Signal::HUP);
    server.logs.waits_for(&format!("{}: that is no regular file", file.path()));
    server.logs.waits_for("everything stays as it was");
    server.signal(Signal::TERM);
    assert!(server.ends().success());
}

#[test]
fn file_that_is_too_large_is_said_to_be() {
    const FILE_BYTES_MAX: usize = 1024 * 1024;
    let largest = "#".repeat(FILE_BYTES_MAX);
    let file = File::new(&largest);
    printed(&["config", "check", file.path()], &[]);
    file.write(&(largest + "\n"));
    let expected = format!("roomful: {}: it has 1048577 bytes; at most 1048576 are read", file.path());
    assert_eq!(complaints_in_time(&["config", "check", file.path()]), [expected]);
}

#[test]
fn largest_file_full_of_problems_is_answered_in_time_with_the_first_hundred() {
    let repeated = "a=1\n".repeat(250_000);
    let numbers = (10_000..90_000).map(|number| number.to_string());
    let unknown = format!("mem{}=1\n", numbers.clone().collect::<Vec<_>>().join("=1\nmem"));
    let alternating =
        format!("shards{}=1\n=\n", numbers.take(50_000).collect::<Vec<_>>().join("=1\n=\nshards"));
    // How many faults the parser finds in a line that is nothing but a sign is its own business.
    for (text, rest) in [(repeated, ": and 249900"), (unknown, ": and 79900"), (alternating, ": and ")] {
        let file = File::new(&text);
        let complaints = complaints_in_time(&["config", "check", file.path()]);
        assert_eq!(complaints.len(), 101, "{:?}", complaints.last());
        assert!(
            complaints[0].starts_with(&format!("roomful: {}:1: unknown key", file.path())),
            "{}",
            complaints[0]
        );
        let expected = format!("roomful: {}{rest}", file.path());
        let last = &complaints[100];
        assert!(last.starts_with(&expected) && last.ends_with(" more problems"), "{last}");
    }
}

#[test]
fn key_as_long_as_the_largest_file_is_answered_in_time() {
    let file = File::new(&format!("{}=1\n", "k".repeat(1_000_000)));
    let complaints = complaints_in_time(&["config", "check", file.path()]);
    assert!(complaints[0].ends_with("`roomful config default` lists them all"));
}

#[test]
fn server_goes_by_its_file_and_by_flags_before_it() {
    let file = File::new("room = \"ops\"\ntopic_bytes_max = 5\n");
    let server = file.serves(&["--topic-bytes-max", "6"]);
    let mut ann = Client::connect(&server);
    ann.waits_for("#ops");
    ann.says("/topic 1234567");
    ann.waits_for("at most 6 are possible");
}

#[test]
fn reload_changes_what_it_can_and_names_what_needs_a_restart() {
    let file = File::new("topic_bytes_max = 5\n");
    let mut server = file.serves(&[]);
    let mut ann = Client::join(&server, "ann");
    ann.says("/topic 1234567");
    ann.waits_for("at most 5 are possible");
    file.write("topic_bytes_max = 6\nshards = 2\nlisten = ['127.0.0.1:1']\n");
    server.signal(Signal::HUP);
    server.logs.waits_for("shards: 1 -> 2 (needs a restart)");
    server.logs.waits_for("topic_bytes_max: 5 -> 6");
    server.logs.waits_for("the configuration was reloaded");
    ann.says("/topic 1234567");
    ann.waits_for("at most 6 are possible");
    assert!(
        !server.logs.heard().iter().any(|line| line.contains("listen:")),
        "its flag still goes before it"
    );
    // What runs is still different from what is written.
    server.signal(Signal::HUP);
    server.logs.waits_for("shards: 1 -> 2 (needs a restart)");
    file.write("topic_bytes_max = 6\n");
    server.signal(Signal::HUP);
    server.logs.waits_for("nothing has changed");
}

#[test]
fn reload_reaches_every_shard() {
    let file = File::new("stop_seconds = 3600\n");
    let mut server = file.serves(&["--shards", "2"]);
    // Connections are dealt to the shards in turn: the two are on different ones.
    let (stuck, ann) = stuck_member(&server);
    file.write("stop_seconds = 1\n");
    server.signal(Signal::HUP);
    server.logs.waits_for("stop_seconds: 3600 -> 1");
    server.logs.waits_for("the configuration was reloaded");
    server.signal(Signal::TERM);
    drop(ann);
    assert!(server.ends().success());
    drop(stuck);
}

#[test]
fn broken_file_changes_nothing_and_the_log_says_what_is_wrong_with_it() {
    let file = File::new("topic_bytes_max = 5\n");
    let mut server = file.serves(&[]);
    let mut ann = Client::join(&server, "ann");
    file.write("topic_bytes_max = 6\nmebers_max = 5\nshards = 0\n");
    server.signal(Signal::HUP);
    server
        .logs
        .waits_for(&format!("{}:2: unknown key 'mebers_max'; did you mean 'members_max'?", file.path()));
    server.logs.waits_for(&format!("{}:3: shards: 0 is too small", file.path()));
    server.logs.waits_for("everything stays as it was");
    ann.says("/topic 1234567");
    ann.waits_for("at most 5 are possible");
}

#[test]
fn server_without_a_file_outlives_its_terminal() {
    let mut server = Server::start();
    let mut ann = Client::join(&server, "ann");
    server.signal(Signal::HUP);
    server.logs.waits_for("there is nothing to reload");
    ann.says("/who");
    ann.waits_for("#lobby has 1");
    server.signal(Signal::TERM);
    ann.waits_for("-- Shutdown Server");
    drop(ann);
    assert!(server.ends().success());
}

#[test]
fn default_lists_every_flag_of_the_server() {
    let help = printed(&["serve", "--help"], &[]);
    let file = printed(&["config", "default"], &[]);
    let flags = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    let names = flags.filter_map(|flag| flag.split_once(' ').map(|(name, _)| name.replace('-', "_")));
    let keys: Vec<String> = names.filter(|name| name != "config").collect();
    assert!(keys.len() > 20, "{keys:?}");
    for key in keys {
        assert!(file.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key}");
    }
}
