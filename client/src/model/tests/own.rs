//! What somebody said themselves, changed and taken back.

use super::*;

const TIME: &str = "2026-11-21T10:00:00.000Z";

/// Types a line and Enter. Answers with what is sent.
fn enters(stage: &mut Stage, line: &str) -> Vec<serde_json::Value> {
    stage.types(line);
    stage.keys("Enter");
    stage.sent()
}

/// Says that, and the server keeps it under this sequence.
fn has_said(stage: &mut Stage, line: &str, sequence: u64) {
    let nonce = enters(stage, line)[0]["nonce"].clone();
    acks(stage, &nonce, sequence);
}

fn acks(stage: &mut Stage, nonce: &serde_json::Value, sequence: u64) {
    stage.says(&format!(
        r#"{{"type":"ack","nonce":{nonce},"room":"lobby","id":"x","sequence":{sequence},"time":"{TIME}"}}"#
    ));
}

fn refuses(stage: &mut Stage, nonce: &serde_json::Value, code: &str, text: &str) {
    stage.says(&format!(r#"{{"type":"refusal","nonce":{nonce},"code":"{code}","text":"{text}"}}"#));
}

fn note(stage: &Stage) -> &str {
    &stage.model.note().expect("something is told").text
}

#[test]
fn nothing_is_changed_while_the_last_message_is_on_its_way() {
    for change in ["Alt-E", "/edit new words", "/redact"] {
        let mut stage = Stage::in_lobby();
        has_said(&mut stage, "older", 2);
        enters(&mut stage, "newer");
        let sent = match change {
            "Alt-E" => {
                stage.keys("Alt-E");
                assert_eq!((stage.draft(), stage.model.draft().editing), ("", None));
                stage.sent()
            }
            command => enters(&mut stage, command),
        };
        assert!(sent.is_empty(), "{change}: {sent:?}");
        assert_eq!(note(&stage), "what you said last is not acknowledged yet; try again in a moment");
    }
}

#[test]
fn nothing_is_changed_twice_at_a_time() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "older", 2);
    has_said(&mut stage, "newer", 3);
    let nonce = enters(&mut stage, "/edit newest")[0]["nonce"].clone();
    stage.keys("Alt-E");
    assert_eq!(stage.draft(), "");
    assert!(note(&stage).contains("not acknowledged yet"));
    acks(&mut stage, &nonce, 4);
    stage.keys("Alt-E");
    assert_eq!(stage.draft(), "newest");
}

#[test]
fn refused_redaction_can_be_asked_for_again() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "hello", 2);
    let nonce = enters(&mut stage, "/redact")[0]["nonce"].clone();
    refuses(&mut stage, &nonce, "bad-text", "no");
    assert_eq!(note(&stage), "no");
    assert_eq!(enters(&mut stage, "/redact")[0]["target"], 2);
}

#[test]
fn who_has_said_nothing_is_told_so() {
    for (change, words) in [("/edit x", "changed"), ("/redact", "taken back")] {
        let mut stage = Stage::in_lobby();
        assert!(enters(&mut stage, change).is_empty());
        assert_eq!(note(&stage), format!("you have said nothing here that could be {words}"));
        assert_eq!(stage.draft(), change, "it stays to be mended");
    }
}

#[test]
fn what_one_did_is_changed_as_that() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "/me wawes", 2);
    stage.keys("Alt-E");
    assert_eq!(stage.draft(), "/me wawes");
    stage.keys("Backspace Backspace Backspace");
    let edit = &enters(&mut stage, "ves")[0];
    assert_eq!((edit["type"].as_str(), edit["text"].as_str()), (Some("edit"), Some("waves")));
    acks(&mut stage, &edit["nonce"], 3);
    let said = stage.model.room().unwrap().timeline.kept(2).and_then(Item::said).expect("it is there");
    assert_eq!((said.manner, said.text.formatted()), (hub::Manner::Acting, "waves"));
    for command in ["/edit nods", "/edit /me nods"] {
        let edit = enters(&mut stage, command)[0].clone();
        assert_eq!(edit["text"], "nods", "{command}");
        acks(&mut stage, &edit["nonce"], 4);
    }
}

#[test]
fn slash_in_front_of_what_was_said_stays_when_it_is_changed() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "//me waves", 2);
    stage.keys("Alt-E");
    assert_eq!(stage.draft(), "/me waves");
    assert_eq!(enters(&mut stage, "!")[0]["text"], "/me waves!");
}

#[test]
fn what_was_taken_back_is_named() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "hello", 2);
    has_said(&mut stage, "wrong window", 3);
    for (words, sequence) in [("wrong window", 4), ("hello", 5)] {
        let nonce = enters(&mut stage, "/redact")[0]["nonce"].clone();
        acks(&mut stage, &nonce, sequence);
        assert_eq!(note(&stage), format!("taken back: {words}"));
    }
    stage.give(Input::Paste("a long first line of what was said, and\na second one".into()));
    has_said(&mut stage, "", 6);
    let nonce = enters(&mut stage, "/redact")[0]["nonce"].clone();
    acks(&mut stage, &nonce, 7);
    assert_eq!(note(&stage), "taken back: a long first line of what was said, and …");
}

#[test]
fn change_that_is_on_its_way_is_seen() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "helo", 2);
    let is_changing = |stage: &Stage| {
        let item = stage.model.room().unwrap().timeline.kept(2);
        item.and_then(Item::said).expect("it is there").is_changing
    };
    let nonce = enters(&mut stage, "/edit hello")[0]["nonce"].clone();
    assert!(is_changing(&stage));
    acks(&mut stage, &nonce, 3);
    assert!(!is_changing(&stage));
}

#[test]
fn refused_change_is_there_again_as_a_change() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "/me wawes", 2);
    let nonce = enters(&mut stage, "/edit waves")[0]["nonce"].clone();
    refuses(&mut stage, &nonce, "bad-text", "no");
    assert_eq!((stage.draft(), note(&stage)), ("/me waves", "no"));
    assert_eq!(stage.model.draft().editing, Some(2), "it would not be said anew");
    let edit = &enters(&mut stage, "!")[0];
    assert_eq!((edit["target"].as_u64(), edit["text"].as_str()), (Some(2), Some("waves!")));
}

#[test]
fn refused_change_does_not_touch_what_is_typed_by_then() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "helo", 2);
    stage.keys("Alt-E");
    let nonce = enters(&mut stage, "!")[0]["nonce"].clone();
    stage.types("something else");
    refuses(&mut stage, &nonce, "bad-text", "no");
    assert_eq!((stage.draft(), stage.model.draft().editing), ("something else", None));
    stage.keys("Up");
    assert_eq!(stage.draft(), "helo!");
}

#[test]
fn what_somebody_else_said_under_the_same_nick_is_offered_once_at_most() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "mine", 2);
    stage.says(&format!(
        r#"{{"type":"event","kind":"said","room":"lobby","id":"x","sequence":3,"time":"{TIME}","from":{{"nick":"ann"}},"text":"another ann's"}}"#
    ));
    stage.keys("Alt-E");
    let nonce = enters(&mut stage, "!")[0]["nonce"].clone();
    refuses(&mut stage, &nonce, "not-yours", "somebody else said that");
    assert_eq!(stage.draft(), "another ann's!");
    stage.keys("Esc Alt-E");
    assert_eq!((stage.draft(), stage.model.draft().editing), ("mine", Some(2)));
}

#[test]
fn change_of_a_message_that_another_history_does_not_have_is_there_again() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "helo", 2);
    stage.give(Input::Disconnected(Failure::Closed));
    enters(&mut stage, "/edit hello");
    stage.give(Input::Connected);
    stage.says(&WELCOME.replace(r#""epoch":"e""#, r#""epoch":"f""#));
    assert_eq!((stage.draft(), stage.model.draft().editing), ("hello", None));
    assert!(stage.sent().iter().all(|request| request["type"] != "edit"));
}

#[test]
fn older_message_is_not_changed_while_what_was_said_last_may_be_in_a_hole() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "the agreed decision", 2);
    stage.says(r#"{"type":"gap","room":"lobby","from":3,"to":90,"messages":88}"#);
    stage.sent();
    for line in ["/redact", "/edit something else"] {
        assert!(enters(&mut stage, line).is_empty(), "{line}");
        assert_eq!(note(&stage), "what you said last is not fetched yet; scroll to it first");
        stage.keys("Ctrl-C");
    }
    stage.keys("Alt-E");
    assert_eq!(stage.draft(), "");
}

#[test]
fn refused_change_of_a_room_that_was_left_can_be_had_again() {
    let mut stage = Stage::in_lobby();
    has_said(&mut stage, "old", 2);
    let asked = enters(&mut stage, "/edit long new words");
    enters(&mut stage, "/leave");
    enters(&mut stage, "/join dev");
    refuses(&mut stage, &asked[0]["nonce"], "not-yours", "somebody else said that");
    stage.keys("Up");
    assert_eq!(stage.draft(), "long new words");
}
