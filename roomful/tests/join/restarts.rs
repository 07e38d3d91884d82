//! The server is killed and comes back while somebody types.

use super::Home;
use super::home::{MARKED_PASTE, timeline};
use crate::harness::{DataDirectory, JsonClient, Server, facts_of, roomful};
use rustix::process::Signal;
use serde_json::json;
use std::net::SocketAddr;

fn starts_again(address: SocketAddr, data: &DataDirectory) -> Server {
    let command = roomful(&["serve", "--listen", &address.to_string()]);
    Server::start_as(command, &["--data", data.text(), "--replay-lines", "0"])
}

/// Everything that was said in the lobby, in order.
fn all_said(server: &Server) -> Vec<String> {
    let mut reader = JsonClient::join(server, "reader");
    let facts = facts_of(&mut reader, "lobby");
    facts.iter().filter_map(|fact| Some(fact["text"].as_str()?.to_owned())).collect()
}

#[test]
fn restart_is_a_pause_and_what_is_said_meanwhile_is_said_once() {
    let data = DataDirectory::new();
    let server = Server::start_with(&["--data", data.text(), "--replay-lines", "0"]);
    let address = server.address();
    let home = Home::new();
    let mut ann = home.joins(&server, "ann");
    ann.types("before\r");
    ann.shows("that it was said", |ann| {
        ann.screen().contains("ann  before") && !ann.screen().contains("on the way")
    });
    ann.types("half a li");
    ann.edits("> half a li", 11);

    server.kill();
    ann.shows_while_it_edits("that it is offline", ("> half a li", 11), |ann| {
        ann.screen().contains("○ offline, again in ")
    });
    ann.types("ne\rsecond\r");
    ann.shows_text("2 on the way");
    ann.types("a draft");
    ann.edits("> a draft", 9);

    // Somebody else is faster.
    ann.signal(Signal::STOP);
    let server = starts_again(address, &data);
    let mut bob = JsonClient::join(&server, "bob");
    for text in ["meanwhile 1", "meanwhile 2"] {
        bob.asks(json!({"type": "say", "room": "lobby", "text": text}));
    }
    ann.signal(Signal::CONT);
    ann.shows("that it is online, and everything is said", |ann| {
        let screen = ann.screen();
        screen.contains("● ann") && !screen.contains("on the way") && screen.contains("meanwhile 2")
    });
    ann.edits("> a draft", 9);
    let expected = ["before", "meanwhile 1", "meanwhile 2", "half a line", "second"];
    assert_eq!(all_said(&server), expected);
    let shown: Vec<String> =
        timeline(&ann).iter().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect();
    let said: Vec<&String> = shown.iter().filter(|line| expected.contains(&line.as_str())).collect();
    assert_eq!(said, expected.iter().collect::<Vec<_>>(), "{}", ann.screen());
    bob.asks(json!({"type": "say", "room": "lobby", "text": "afterwards"}));
    ann.shows_text("bob  afterwards");
}

#[test]
fn nothing_is_lost_or_doubled_over_several_kills() {
    const KILLS: usize = 4;
    const LINES: usize = 25;
    let data = DataDirectory::new();
    let mut server = Server::start_with(&["--data", data.text(), "--replay-lines", "0"]);
    let address = server.address();
    let home = Home::new();
    let mut ann = home.joins_at(&server, "ann", 80, 50);
    ann.types(MARKED_PASTE);
    let mut expected = Vec::new();
    for kill in 0..KILLS {
        // Some of these are on their way when it dies.
        for line in 0..LINES {
            expected.push(format!("line {kill}-{line}"));
            ann.types(&format!("line {kill}-{line}\r"));
        }
        server.kill();
        server = starts_again(address, &data);
    }
    ann.types("\r");
    ann.shows("that everything is said", |ann| {
        let screen = ann.screen();
        screen.contains("● ann") && !screen.contains("on the way") && screen.contains("line 3-24")
    });
    let said = all_said(&server);
    let of_ann: Vec<&String> = said.iter().filter(|text| text.starts_with("line ")).collect();
    assert_eq!(of_ann, expected.iter().collect::<Vec<_>>());
    let shown: Vec<String> =
        timeline(&ann).iter().filter_map(|line| Some(line.strip_prefix("ann ")?.to_owned())).collect();
    assert!(expected.ends_with(&shown) && shown.len() > 20, "{}", ann.screen());
}
