//! Backup, export, import, check: the verbs, beside a running server and without one.

use crate::harness::{Client, DataDirectory, Ears as _, GUARD, Server, Tool, roomful};
use rustix::process::Signal;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Instant;

fn run(data: &DataDirectory, arguments: &[&str]) -> Output {
    roomful(arguments).args(["--data", data.text()]).output().expect("the program starts")
}

/// What a successful run prints. It has nothing to say besides.
fn printed(data: &DataDirectory, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a run that fails says, after what it has printed.
fn complaint(data: &DataDirectory, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8")
}

fn serve(data: &DataDirectory) -> Server {
    Server::start_with(&["--data", data.text(), "--replay-lines", "20"])
}

fn stop(mut server: Server) {
    server.signal(Signal::TERM);
    assert!(server.ends().success());
}

/// A directory in which ann once talked.
fn talked_in() -> DataDirectory {
    let data = DataDirectory::new();
    let server = serve(&data);
    let mut ann = Client::join(&server, "ann");
    ann.says("good morning");
    ann.says("<b>&</b>");
    // It is told what it said before only when that has been said.
    ann.says("/topic what is new");
    ann.waits_for("[ann] set the topic: what is new");
    stop(server);
    data
}

/// Waits until the journal has written this.
fn is_kept(data: &DataDirectory, text: &str) {
    let deadline = Instant::now() + GUARD;
    // At first nothing may be there at all.
    while !String::from_utf8_lossy(&run(data, &["export", "lobby"]).stdout).contains(text) {
        assert!(Instant::now() < deadline, "{text} is not kept");
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
}

#[test]
fn server_goes_on_from_a_backup_that_was_made_beside_another() {
    let (data, other) = (DataDirectory::new(), DataDirectory::new());
    let server = serve(&data);
    let ann = Client::join(&server, "ann");
    ann.says("good morning");
    is_kept(&data, "<ann> good morning");
    let file = other.path().join("roomful.db");
    let told = printed(&data, &["backup", file.to_str().expect("UTF-8")]);
    assert!(told.starts_with(file.to_str().expect("UTF-8")) && told.ends_with(" bytes, checked\n"), "{told}");
    ann.says("not in the backup");
    is_kept(&data, "not in the backup");
    let successor = serve(&other);
    let mut bob = Client::connect(&successor);
    bob.says("/nick bob");
    bob.waits_for("<ann> good morning");
    assert!(!printed(&other, &["export", "lobby"]).contains("not in the backup"));
    assert_eq!(printed(&other, &["check"]), format!("what is kept in {} is sound\n", other.text()));
}

#[test]
fn backup_in_a_directory_has_a_name_of_its_own_and_replaces_nothing() {
    let (data, backups) = (talked_in(), DataDirectory::new());
    printed(&data, &["backup", backups.text()]);
    let made = names(backups.path());
    let [name] = &made[..] else { panic!("{made:?}") };
    let time = name.strip_prefix("roomful-").and_then(|name| name.strip_suffix(".db"));
    let is_time = |time: &str| time.len() == 15 && time.replace('-', "").parse::<u64>().is_ok();
    assert!(time.is_some_and(is_time), "{name}");
    let file = backups.path().join(name);
    let words = complaint(&data, &["backup", file.to_str().expect("UTF-8")]);
    assert!(words.ends_with("is there already; name a new file, or a directory\n"), "{words}");
}

#[test]
fn room_is_exported_in_every_form() {
    let data = talked_in();
    let text = printed(&data, &["export", "lobby"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("-- 2"), "{text}");
    assert!(lines[1].ends_with("] <ann> good morning"), "{text}");
    assert_eq!(printed(&data, &["export", "#Lobby", "--since", "1h"]), text);
    assert_eq!(printed(&data, &["export", "lobby", "--until", "2026-01-01T00:00"]), "");
    let markdown = printed(&data, &["export", "lobby", "--format", "markdown"]);
    assert!(markdown.contains(r" **ann**: \<b\>\&\</b\>"), "{markdown}");
    let html = printed(&data, &["export", "lobby", "--format=html"]);
    assert!(html.contains("<bdi>&lt;b&gt;&amp;&lt;/b&gt;</bdi>"), "{html}");
    let json = printed(&data, &["export", "lobby", "--format", "json"]);
    assert!(
        json.starts_with("{\"type\":\"export\",\"version\":1,") && json.contains("\"<b>&</b>\""),
        "{json}"
    );
}

#[test]
fn export_into_a_file_is_whole_or_not_there() {
    let (data, other) = (talked_in(), DataDirectory::new());
    let file = other.path().join("lobby.txt");
    let file = file.to_str().expect("UTF-8");
    fs::write(file, "old").expect("a file");
    assert_eq!(printed(&data, &["export", "lobby", "-o", file]), "");
    assert!(fs::read_to_string(file).expect("a file").contains("good morning"));
    let words = complaint(&data, &["export", "lobbi", "-o", file]);
    assert_eq!(words, "roomful: there is no room \"lobbi\"; there are lobby\n");
    assert!(fs::read_to_string(file).expect("a file").contains("good morning"), "it is left as it was");
    assert_eq!(names(other.path()), ["lobby.txt"]);
    assert_eq!(printed(&data, &["export", "lobby", "-o", "/dev/null"]), "");
    let words = complaint(&data, &["export", "lobby", "-o", other.text()]);
    assert!(words.ends_with("is a directory; name a file\n"), "{words}");
}

#[test]
fn export_that_nobody_reads_to_its_end_is_no_failure() {
    let data = talked_in();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = roomful(&["export", "lobby", "--data", data.text()]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().expect("the program starts");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn export_on_a_full_disk_says_so() {
    let data = talked_in();
    let words = complaint(&data, &["export", "lobby", "-o", "/dev/full"]);
    assert!(words.starts_with("roomful: the export cannot be written: No space left"), "{words}");
}

#[test]
fn conversation_is_exported_only_if_that_is_what_is_wanted() {
    let data = DataDirectory::new();
    let server = serve(&data);
    let (ann, mut bob) = (Client::join(&server, "ann"), Client::join(&server, "bob"));
    ann.says("/msg bob psst");
    bob.waits_for("<ann to you> psst");
    ann.says("done");
    is_kept(&data, "done");
    // The lobby is room 1.
    let words = complaint(&data, &["export", "@2"]);
    assert!(words.contains("@2 is a direct conversation") && words.contains("--conversations"), "{words}");
    let text = printed(&data, &["export", "@2", "--conversations"]);
    assert!(text.ends_with("] <ann to bob> psst\n"), "{text}");
    assert!(complaint(&data, &["export", "@x"]).contains("as in @12"));
    let words = complaint(&data, &["export", "@1"]);
    assert_eq!(words, "roomful: @1 is no conversation but the room #lobby, which is exported by its name\n");
    assert_eq!(complaint(&data, &["export", "@1", "--conversations"]), words);
    assert_eq!(complaint(&data, &["export", "@99"]), "roomful: there is no conversation @99\n");
}

#[test]
fn moment_that_is_none_is_answered_with_what_would_be_one() {
    let output = run(&DataDirectory::new(), &["export", "lobby", "--since", "yesterday"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let words = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(words.contains("write 2026-11-20, 2026-11-20T10:00, 10:00, 10m, 2h or 3d"), "{words}");
}

#[test]
fn imported_room_is_there_when_the_server_is_started() {
    let (data, other) = (talked_in(), DataDirectory::new());
    let json = printed(&data, &["export", "lobby", "--format", "json"]);
    let mut command = roomful(&["import", "-", "--data", other.text()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut import = command.spawn().expect("the program starts");
    { import.stdin.take().expect("a pipe") }.write_all(json.as_bytes()).expect("it is read");
    let output = import.wait_with_output().expect("it ends");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(told, "#lobby: 2 messages imported, with ids of their own\n");
    let server = serve(&other);
    let mut bob = Client::connect(&server);
    bob.says("/nick bob");
    bob.waits_for("<ann> good morning");
    bob.says("/search morning");
    bob.waits_for("#lobby <ann> good morning");
    let file = data.path().join("lobby.json");
    fs::write(&file, &json).expect("a file");
    let words = complaint(&other, &["import", file.to_str().expect("UTF-8"), "--room", "old"]);
    assert!(words.contains("is in use by another roomful"), "{words}");
    stop(server);
    let words = complaint(&other, &["import", file.to_str().expect("UTF-8")]);
    assert!(words.ends_with("something has been said already; name another room with --room\n"), "{words}");
    printed(&other, &["import", file.to_str().expect("UTF-8"), "--room", "#old"]);
    assert_eq!(printed(&other, &["export", "old"]), printed(&data, &["export", "lobby"]));
}

#[test]
fn import_that_was_cut_off_leaves_nothing() {
    let (data, other) = (talked_in(), DataDirectory::new());
    let json = printed(&data, &["export", "lobby", "--format", "json"]);
    let file = other.path().join("lobby.json");
    fs::write(&file, &json[..json.len() / 2]).expect("a file");
    let words = complaint(&other, &["import", file.to_str().expect("UTF-8")]);
    assert!(words.starts_with("roomful: nothing was imported: line "), "{words}");
    assert!(words.contains("cut off"), "{words}");
    let words = complaint(&other, &["export", "lobby"]);
    assert_eq!(words, "roomful: there is no room \"lobby\"; nothing is kept of any room\n");
    let words = complaint(&other, &["import", "/no/such/file"]);
    assert!(words.starts_with("roomful: cannot open /no/such/file: "), "{words}");
    assert!(complaint(&other, &["import", "/dev/zero"]).contains("line 1: it is longer than 131072 bytes"));
}

#[test]
fn damage_is_told_with_what_helps() {
    let data = talked_in();
    let file = data.path().join("roomful.db");
    let mut bytes = fs::read(&file).expect("the data file");
    let end = bytes.len();
    bytes[end - 3 * 4096..].fill(0xa5);
    fs::write(&file, bytes).expect("the data file");
    let words = complaint(&data, &["check"]);
    assert!(words.starts_with("the file"), "{words}");
    for help in [" is damaged\n", "put a backup in its place", "roomful export ROOM --format json"] {
        assert!(words.contains(help), "{words}");
    }
}

#[test]
fn what_is_no_data_directory_is_said() {
    let data = DataDirectory::new();
    for arguments in [&["check"][..], &["export", "lobby"], &["backup", data.text()]] {
        let words = complaint(&data, arguments);
        assert_eq!(
            words,
            format!(
                "roomful: there is no {}/roomful.db; name the data directory of a roomful\n",
                data.text()
            )
        );
    }
    assert_eq!(names(data.path()), [""; 0], "nothing is made by looking");
    fs::write(data.path().join("roomful.db"), "what I have written myself\n").expect("a file");
    let words = complaint(&data, &["check"]);
    assert!(words.contains("is no data file of roomful"), "{words}");
    let nowhere = roomful(&["check", "--data", ":memory:"]).output().expect("the program starts");
    let words = String::from_utf8(nowhere.stderr).expect("UTF-8");
    assert_eq!(words, "roomful: with --data :memory: nothing is kept; name the data directory of a server\n");
}

#[test]
fn data_directory_is_found_as_the_server_finds_it() {
    let data = talked_in();
    let from_environment = roomful(&["check"]).env("ROOMFUL_DATA", data.text()).output();
    assert!(from_environment.expect("the program starts").status.success());
    let file = data.path().join("roomful.toml");
    fs::write(&file, format!("data = {:?}\n", data.text())).expect("a file");
    let from_file = roomful(&["check", "--config", file.to_str().expect("UTF-8")]).output();
    assert!(from_file.expect("the program starts").status.success());
}

/// The blocks of this kind in the operator's guide, each as its lines.
fn blocks(kind: &str) -> Vec<Vec<&'static str>> {
    let mut blocks = Vec::new();
    let mut lines = include_str!("../../docs/operating.md").lines();
    while lines.by_ref().any(|line| line.strip_prefix("```") == Some(kind)) {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
    }
    blocks
}

#[test]
fn commands_of_the_operators_guide_do_what_it_says() {
    if Tool::BASH.is_missing() {
        return;
    }
    let (data, place) = (talked_in(), DataDirectory::new());
    let programs = Path::new(env!("CARGO_BIN_EXE_roomful")).parent().expect("a directory");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let commands: Vec<&str> =
        blocks("console").concat().iter().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        // The machine's own configuration is not for this.
        let mut shell = Tool::BASH.command();
        shell.args(["-c", command]).current_dir(place.path()).stdin(Stdio::null());
        shell.env_clear().env("PATH", &path).env("HOME", place.text()).env("ROOMFUL_DATA", data.text());
        let output = shell.output().expect("bash starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
    }
    assert!(fs::read_to_string(place.path().join("lobby.html")).expect("a page").contains("good morning"));
    assert!(printed(&data, &["export", "old-lobby"]).contains("good morning"));
}

#[test]
fn example_of_an_export_in_the_operators_guide_is_one() {
    let data = DataDirectory::new();
    let file = data.path().join("example.json");
    fs::write(&file, blocks("json").concat().join("\n")).expect("a file");
    printed(&data, &["import", file.to_str().expect("UTF-8")]);
    let text = printed(&data, &["export", "lobby"]);
    assert!(
        text.contains("<ann> hello (edited)\n") && text.contains("a message of bob was erased"),
        "{text}"
    );
    assert!(printed(&data, &["check"]).ends_with("is sound\n"));
}
