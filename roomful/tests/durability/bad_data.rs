//! Data directories that cannot be used, and a data file that has been damaged.

use super::mounts::alone_with;
use crate::harness::{DataDirectory, JsonClient, Server, roomful};
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::process::Command;

const FILE: &str = "roomful.db";

fn serve_from(data: &DataDirectory) -> Command {
    roomful(&["serve", "--listen", "127.0.0.1:0", "--data", data.text()])
}

/// What a server says that does not start.
fn complaint(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "nobody is told how to join what does not run: {output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn foreign_file_is_named_and_left_as_it_is() {
    let data = DataDirectory::new();
    let file = data.path().join(FILE);
    let precious = "a diary, and no data file of anybody's".repeat(10);
    fs::write(&file, &precious).expect("it is written");
    let expected = format!(
        "roomful: {} is no data file of roomful, or its beginning is damaged; it has been left as it is\n",
        file.display()
    );
    assert_eq!(complaint(&mut serve_from(&data)), expected);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), precious);
}

#[test]
fn directory_that_another_server_uses_is_left_to_it() {
    let data = DataDirectory::new();
    let server = Server::start_with(&["--data", data.text()]);
    let process = server.pid().as_raw_nonzero();
    let expected =
        format!("roomful: {} is in use by another roomful (process {process})\n", data.path().display());
    assert_eq!(complaint(&mut serve_from(&data)), expected);
    let mut ann = JsonClient::join(&server, "ann");
    assert_eq!(ann.asks(json!({"type": "say", "room": "lobby", "text": "still mine"}))["type"], "ack");
    server.kill();
    // Whoever is dead uses nothing.
    let server = Server::start_with(&["--data", data.text()]);
    JsonClient::join(&server, "ann");
}

#[test]
fn directory_that_may_not_be_written_to_is_named() {
    const READ_ONLY: &str = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"";
    let data = DataDirectory::new();
    for _ in ["empty", "with a data file in it"] {
        let Some(mut command) = alone_with(READ_ONLY, data.text(), &serve_from(&data)) else { return };
        let said = complaint(&mut command);
        assert!(said.starts_with(&format!("roomful: {}", data.path().display())), "{said}");
        assert!(said.contains("Read-only file system"), "{said}");
        let mut server = Server::start_with(&["--data", data.text()]);
        server.signal(Signal::TERM);
        assert!(server.ends().success());
    }
}

#[test]
fn file_that_is_damaged_in_the_middle_still_serves_what_can_be_read_and_takes_more() {
    const SAYINGS: usize = 400;
    const PAGE_BYTES: u64 = 4096;
    let data = DataDirectory::new();
    let mut server = Server::start_with(&["--data", data.text()]);
    let mut ann = JsonClient::join(&server, "ann");
    for nth in 0..SAYINGS {
        let text = format!("number {nth} {}", "x".repeat(2000));
        ann.sends(&json!({"type": "say", "room": "lobby", "text": text}));
    }
    for _ in 0..SAYINGS {
        ann.waits_for_type("ack");
    }
    server.signal(Signal::TERM);
    ann.waits_for_type("bye");
    assert!(server.ends().success());
    let file = fs::OpenOptions::new().write(true).open(data.path().join(FILE)).expect("it is there");
    let pages = file.metadata().expect("it has a length").len() / PAGE_BYTES;
    for page in pages / 3..pages / 2 {
        file.write_all_at(&[0xff; PAGE_BYTES as usize], page * PAGE_BYTES).expect("it is written");
    }
    drop(file);

    let server = Server::start_with(&["--data", data.text()]);
    let mut bob = JsonClient::join(&server, "bob");
    let latest = bob.asks(json!({"type": "history", "room": "lobby", "limit": 5}));
    assert_eq!(latest["events"].as_array().map(Vec::len), Some(5), "{latest}");
    let mut unreadable = 0;
    for before in (10..SAYINGS).step_by(10) {
        let page = bob.asks(json!({"type": "history", "room": "lobby", "before": before, "limit": 10}));
        if page["type"] == "refusal" {
            assert_eq!(page["code"], "unreadable");
            unreadable += 1;
        }
    }
    assert!(0 < unreadable && unreadable < SAYINGS / 10, "{unreadable} pages could not be read");
    assert_eq!(bob.asks(json!({"type": "say", "room": "lobby", "text": "more"}))["type"], "ack");
}
