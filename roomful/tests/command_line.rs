//! The command line: what goes wrong is said with what to do, and what is printed can be used.

use crate::harness::{Ears as _, Server, Tool, roomful};
use rustix::process::Signal;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn output_of(arguments: &[&str]) -> Output {
    roomful(arguments).output().expect("the program starts")
}

/// What a successful run prints.
fn printed(arguments: &[&str]) -> String {
    let output = output_of(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a wrong command line is answered.
fn complaint(arguments: &[&str]) -> String {
    let output = output_of(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// A pipe that nobody reads any more.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn server_tells_how_to_join_with_what_people_have_if_they_can_chat_there() {
    let mut server = Server::start();
    let port = server.address().port();
    server.stdout.hears(&format!("  roomful join 127.0.0.1:{port}   our own client"));
    server.stdout.hears(&format!("  telnet -- 127.0.0.1 -{port}   the server edits the line"));
    let mut server = Server::start_with(&["--plain-style", "bare"]);
    server.signal(Signal::TERM);
    server.ends();
    assert!(!server.stdout.heard().iter().any(|line| line.contains("telnet") || line.contains("join ")));
}

#[test]
fn second_server_on_a_port_says_what_to_do() {
    let server = Server::start();
    let output = output_of(&["serve", "--listen", &server.address().to_string()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    let expected = format!(
        "roomful: cannot listen on {}: another program (perhaps another Roomful) is listening there; \
         stop it or choose another port with --listen 127.0.0.1:0\n",
        server.address()
    );
    assert_eq!(error, expected);
    assert!(output.stdout.is_empty(), "nobody is told how to join what does not run");
}

#[test]
fn unknown_flag_is_answered_with_the_one_that_was_meant() {
    assert!(complaint(&["serve", "--listne", "1"]).contains("--listen"));
}

#[test]
fn address_without_its_flag_is_answered_with_the_flag() {
    assert!(complaint(&["serve", "8008"]).contains("tip: to listen there, write '--listen 8008'"));
    assert!(complaint(&["serve", "--shards", "2", "[::1]:9"]).contains("'--listen [::1]:9'"));
    assert!(!complaint(&["serve", "nowhere"]).contains("--listen"));
    assert!(!complaint(&["completions", "bash", "8008"]).contains("--listen"));
}

#[test]
fn unknown_verb_is_answered_with_the_one_that_was_meant() {
    assert!(complaint(&["serv"]).contains("'serve'"));
}

#[test]
fn bad_value_is_answered_with_what_is_possible() {
    assert!(
        complaint(&["serve", "--listen", "nowhere"]).contains("write PORT, ADDRESS:PORT or [ADDRESS]:PORT")
    );
    assert!(complaint(&["serve", "--log-format", "jsn"]).contains("possible values: human, json"));
    assert!(complaint(&["serve", "--shards", "0"]).contains("1 to 256"));
    assert!(complaint(&["serve", "--room", "a room"]).contains("a space is not possible"));
    assert!(complaint(&["completions", "basch"]).contains("bash"));
}

#[test]
fn without_a_verb_the_help_is_shown() {
    assert!(complaint(&[]).contains("Usage: roomful"));
}

#[test]
fn help_shows_examples() {
    let help = printed(&["--help"]);
    assert!(help.contains("Examples:") && help.contains("nc 127.0.0.1 8008"), "{help}");
    let help = printed(&["serve", "--help"]);
    assert!(help.contains("Examples:") && help.contains("--listen 127.0.0.1:0"), "{help}");
}

#[test]
fn completions_know_the_verbs_and_flags() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell]);
        for word in [
            "serve",
            "export",
            "import",
            "backup",
            "check",
            "config",
            "completions",
            "plain-style",
            "conversations",
        ] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn bash_understands_its_completions() {
    if Tool::BASH.is_missing() {
        return;
    }
    let script = printed(&["completions", "bash"]);
    let mut bash = Tool::BASH.command().arg("-n").stdin(Stdio::piped()).spawn().expect("bash starts");
    let stdin = bash.stdin.take().expect("a pipe");
    { stdin }.write_all(script.as_bytes()).expect("bash reads");
    assert!(bash.wait().expect("bash ends").success());
}

#[test]
fn man_page_is_printed() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH roomful 1") && page.contains(".SH NAME"), "{page}");
}

/// The example lines stand as they are, in a section of their own.
fn shows_examples(page: &str, example: &str) {
    let (_, examples) = page.split_once("\n.SH EXAMPLES\n.nf\n").expect("a section of examples, not filled");
    let (examples, _) = examples.split_once("\n.fi\n").expect("the end of what is not filled");
    assert!(examples.lines().any(|line| line.trim_start().starts_with(example)), "{examples}");
    assert!(!page.contains("EXTRA") && !page.contains("Examples:"), "{page}");
}

#[test]
fn man_page_has_its_examples_line_by_line() {
    shows_examples(&printed(&["man"]), r"roomful serve \-\-listen 8008 \-\-listen \*(Aq[::1]:9000\*(Aq");
}

#[test]
fn man_pages_are_written_into_a_directory() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("man-pages-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let words = printed(&["man", directory.to_str().expect("UTF-8")]);
    assert_eq!(words, "");
    for page in [
        "roomful.1",
        "roomful-serve.1",
        "roomful-export.1",
        "roomful-import.1",
        "roomful-backup.1",
        "roomful-check.1",
        "roomful-config.1",
        "roomful-config-check.1",
        "roomful-man.1",
    ] {
        let page = fs::read_to_string(directory.join(page)).expect("the page was written");
        assert!(page.contains(".SH NAME"), "{page}");
    }
    let page = |name: &str| fs::read_to_string(directory.join(name)).expect("the page was written");
    shows_examples(&page("roomful-serve.1"), "ROOMFUL_LISTEN=9000 roomful serve");
    shows_examples(&page("roomful-export.1"), "roomful export lobby \\-\\-since 3d");
    shows_examples(&page("roomful-import.1"), "roomful import lobby.json");
    shows_examples(&page("roomful-backup.1"), "roomful backup /var/backups");
    shows_examples(&page("roomful-check.1"), "roomful check");
    shows_examples(&page("roomful-config.1"), "roomful config default > roomful.toml");
    assert!(page("roomful-serve.1").contains("\nSIGTERM or SIGINT stops the server"), "the prose is filled");
    assert!(!page("roomful-man.1").contains(".SH EXAMPLES"), "there are none");
    fs::remove_dir_all(&directory).expect("the directory goes");
}

#[test]
fn directory_for_man_pages_that_does_not_exist_is_named() {
    let output = output_of(&["man", "/does/not/exist"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(error.starts_with("roomful: cannot write man pages into /does/not/exist: "), "{error}");
}

/// What a run says on standard error if nobody reads its standard output, as behind `| head -0`.
fn said_into_a_broken_pipe(arguments: &[&str]) -> String {
    let run = roomful(arguments).stdout(broken_pipe()).stderr(Stdio::piped()).output();
    let output = run.expect("the program starts");
    assert_ne!(output.status.code(), Some(101), "{output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn whoever_stops_reading_hears_no_complaint() {
    for arguments in
        [&["--help"][..], &["serve", "--help"], &["--version"], &["completions", "bash"], &["man"]]
    {
        assert_eq!(said_into_a_broken_pipe(arguments), "", "{arguments:?}");
    }
}

#[test]
fn errors_that_nobody_reads_keep_their_exit_status() {
    let status_of =
        |command: &mut Command| command.stderr(broken_pipe()).status().expect("the program starts");
    assert_eq!(status_of(&mut roomful(&["man", "/does/not/exist"])).code(), Some(1));
    assert_eq!(status_of(&mut roomful(&["serve", "--listne"])).code(), Some(2));
}
