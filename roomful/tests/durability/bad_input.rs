//! Bad input over the wire: lines that are no requests, clients that say what they cannot know, searches that look like a
//! language. Each is answered, nobody else notices, and the connection goes on.

use super::faithful::number;
use crate::harness::{Client, Ears as _, JsonClient, Server};
use serde_json::{Value, json};

fn say(text: &str) -> Value {
    json!({"type": "say", "room": "lobby", "text": text})
}

#[test]
fn lines_that_are_no_requests_are_refused_and_the_connection_goes_on() {
    let server = Server::start();
    let mut bob = Client::join(&server, "bob");
    let mut ann = JsonClient::join(&server, "ann");
    bob.hears("[ann] entered room");
    let quoted = |text: &str| format!(r#"{{"type":"say","room":"lobby","text":"{text}"}}"#);
    let members: Vec<_> = (0..10_000).map(|nth| format!(r#""m{nth}":{nth}"#)).collect();
    let table: Vec<(Vec<u8>, &str)> = vec![
        (quoted(&"x".repeat(1 << 20)).into(), "line-too-long"),
        (format!(r#"{{"type":{}{}}}"#, "[".repeat(60_000), "]".repeat(60_000)).into(), "too-deep"),
        (format!(r#"{{"type":{}"#, r#"{"type":"#.repeat(10_000)).into(), "too-deep"),
        (br#"{"type":"say","type":"quit","room":"lobby","text":"twice"}"#.into(), "duplicate-member"),
        (format!(r#"{{"type":"say",{}}}"#, members.join(",")).into(), "too-many-members"),
        (quoted(r"half \ud800 of a pair").into(), "no-json"),
        (quoted(r"the other half \udc00").into(), "no-json"),
        (b"{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"\xff\xfe\"}".into(), "no-utf8"),
        (b"{\"type\":\"say\",\"room\":\"lobby\",\"text\":\"\xed\xa0\x80\"}".into(), "no-utf8"),
        (br#"{"type":"say","room":"lobby","text":1e999}"#.into(), "no-json"),
        (br#"{"type":"say","room":"lobby","text":["a"]}"#.into(), "bad-member"),
        (br#"{"type":"say","room":"lobby","text":"cut o"#.into(), "no-json"),
        (br#"{"type":"history","room":"lobby","before":-1}"#.into(), "bad-member"),
        (br#"{"type":"history","room":"lobby","before":18446744073709551616}"#.into(), "bad-member"),
        (br#"{"type":"say","room":"lobby","text":"x","nonce":""}"#.into(), "bad-nonce"),
        (b"[1,2,3]".into(), "no-json"),
        (b"\0\0\0\0".into(), "no-json"),
        (quoted(&"\\n".repeat(300)).into(), "bad-text"),
        (br#"{"type":"\u0000\u001b[2J"}"#.into(), "unknown-type"),
    ];
    for (line, code) in table {
        let shown = line[..line.len().min(60)].escape_ascii().to_string();
        ann.tries_to_send(&[&line[..], b"\n"].concat()).expect("the server takes what is sent");
        let answer = ann.object();
        assert_eq!((&answer["type"], &answer["code"]), (&json!("refusal"), &json!(code)), "{shown}");
        assert_eq!(ann.asks(json!({"type": "ping"}))["type"], "pong", "{shown}");
    }
    ann.sends(&say("still here"));
    bob.hears("<ann> still here");
    assert_eq!(number(&ann.waits_for_type("ack")["sequence"]), 2);
}

/// Says hello with this to come back with, and returns what it is answered: its welcome and where it is, or a refusal.
fn come_back(server: &Server, nick: &str, resume: &Value) -> (JsonClient, Value, Value) {
    let mut client = JsonClient::connect(server);
    client.sends(&json!({"type": "hello", "version": 1, "nick": nick, "resume": resume, "rooms": ["lobby"]}));
    let welcome = client.object();
    if welcome["type"] != "welcome" {
        return (client, welcome, Value::Null);
    }
    let joined = client.waits_for_type("joined");
    (client, welcome, joined)
}

#[test]
fn client_that_comes_back_from_the_future_or_another_history_is_told_so_and_shown_what_happens_now() {
    let server = Server::start();
    let mut bob = JsonClient::join(&server, "bob");
    bob.asks(say("one"));
    let (first, welcome, _) =
        come_back(&server, "ann", &json!({"secret": "00112233445566778899aabbccddeeff"}));
    let (secret, epoch) = (&welcome["resume"]["secret"], &welcome["epoch"]);
    drop(first);
    let table = [
        (json!({"secret": secret, "epoch": epoch, "rooms": {"lobby": 3}}), json!("future")),
        (json!({"secret": secret, "epoch": epoch, "rooms": {"lobby": u64::MAX}}), json!("future")),
        (json!({"secret": secret, "epoch": "00000000", "rooms": {"lobby": 1}}), json!("other-epoch")),
        (json!({"secret": secret, "epoch": "what?", "rooms": {"lobby": 1}}), json!("other-epoch")),
        (json!({"secret": secret, "epoch": epoch, "rooms": {"no such room": 1}}), Value::Null),
    ];
    for (nth, (resume, reason)) in table.into_iter().enumerate() {
        let (mut ann, _, joined) = come_back(&server, "ann", &resume);
        assert_eq!((&joined["resumed"], &joined["reason"]), (&json!(false), &reason), "{resume}");
        // Nothing else comes between this and what happens now.
        let text = format!("now {nth}");
        bob.sends(&say(&text));
        assert_eq!(ann.waits_for_type("event")["text"], text);
        bob.waits_for_type("ack");
    }
    for secret in [json!("abc"), json!("zz112233445566778899aabbccddeeff"), json!(7), Value::Null] {
        let (_, answer, _) = come_back(&server, "ann", &json!({"secret": secret, "epoch": epoch}));
        assert_eq!(answer["type"], "refusal", "{secret}");
    }
}

#[test]
fn wrong_secret_gives_neither_nick_nor_nonces_nor_conversations_nor_what_was_said() {
    let server = Server::start();
    let mut bob = JsonClient::join(&server, "bob");
    let right = json!({"secret": "00112233445566778899aabbccddeeff"});
    let (mut ann, welcome, _) = come_back(&server, "ann", &right);
    let epoch = &welcome["epoch"];
    ann.sends(&json!({"type": "say", "room": "lobby", "text": "mine", "nonce": "n"}));
    let said = ann.waits_for_type("ack");
    let direct = ann.asks(json!({"type": "direct", "to": "bob", "text": "psst"}));
    let conversation = direct["room"].as_str().expect("a conversation");
    let rooms = json!({"lobby": 1, conversation: 0});
    let wrong = json!({"secret": "00112233445566778899aabbccddeefe", "epoch": epoch, "rooms": rooms});
    let (_, refusal, _) = come_back(&server, "ann", &wrong);
    assert_eq!(refusal["code"], "nick-taken");

    let (mut eve, welcome, joined) = come_back(&server, "eve", &wrong);
    assert_eq!((&welcome["conversations"], &joined["resumed"]), (&json!([]), &json!(true)));
    eve.sends(&json!({"type": "say", "room": "lobby", "text": "mine", "nonce": "n"}));
    let own = eve.waits_for_type("ack");
    assert_eq!((&own["nonce"], &own["repeated"]), (&json!("n"), &Value::Null));
    assert!(number(&own["sequence"]) > number(&said["sequence"]));
    let target = &said["sequence"];
    for change in ["edit", "redact"] {
        let request = json!({"type": change, "room": "lobby", "target": target, "text": "not mine"});
        assert_eq!(eve.asks(request)["code"], "not-yours");
    }
    let page = eve.asks(json!({"type": "history", "room": conversation}));
    assert_eq!((&page["type"], &page["code"]), (&json!("refusal"), &json!("no-such-room")));
    assert!(eve.heard().iter().all(|line| !line.contains("psst")));
    assert_eq!(bob.waits_for_event("direct")["text"], "psst");
}

#[test]
fn searches_made_of_operators_and_quotes_are_words_like_any_other() {
    const WORDS: [&str; 14] = [
        "\"",
        "\"\"\"",
        "'; DROP TABLE facts; --",
        "AND OR NOT",
        "NEAR(a b, 2)",
        "text : x",
        "{a b} : c",
        "^begin",
        "pre*",
        "a + b",
        "(((",
        "%_\\",
        "-minus",
        "\u{1f642} 你好 \" OR 1=1",
    ];
    let server = Server::start();
    let mut ann = JsonClient::join(&server, "ann");
    for words in WORDS {
        let said = ann.asks(say(&format!("here it is: {words} in the middle")));
        let found = ann.asks(json!({"type": "search", "words": words}));
        assert_eq!(found["type"], "found", "{words}");
        let is_there = |event: &Value| event["sequence"] == said["sequence"];
        assert!(found["events"].as_array().expect("a list").iter().any(is_there), "{words}: {found}");
    }
    let mut bob = Client::join(&server, "bob");
    for words in WORDS {
        bob.says(&format!("/search {words}"));
        bob.says("/who");
        bob.waits_for("-- #lobby has 2: ann, bob");
    }
    assert!(bob.heard().iter().any(|line| line.ends_with("here it is: ((( in the middle")));
}
