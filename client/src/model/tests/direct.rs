//! What is said to one person alone from another room.

use super::*;

/// Types a line and Enter. Answers with the nonce of what is sent last.
fn enters(stage: &mut Stage, line: &str) -> serde_json::Value {
    stage.types(line);
    stage.keys("Enter");
    stage.sent().last().expect("a request")["nonce"].clone()
}

fn acks(stage: &mut Stage, nonce: &serde_json::Value, conversation: &str, sequence: u64) {
    stage.says(&format!(
        r#"{{"type":"ack","nonce":{nonce},"room":"{conversation}","id":"x","sequence":{sequence},"time":"2026-11-21T10:00:00.000Z"}}"#
    ));
}

fn refuses(stage: &mut Stage, nonce: &serde_json::Value) {
    stage.says(&format!(
        r#"{{"type":"refusal","nonce":{nonce},"request":"direct","code":"no-such-nick","text":"nobody here is called so"}}"#
    ));
}

fn titles(stage: &Stage) -> Vec<String> {
    stage.model.rooms().iter().map(Room::title).collect()
}

fn note(stage: &Stage) -> &str {
    &stage.model.note().expect("something is told").text
}

#[test]
fn there_is_no_conversation_with_nobody() {
    let mut stage = Stage::in_lobby();
    let nonce = enters(&mut stage, "/msg nobody are you there?");
    assert_eq!((titles(&stage), stage.model.on_their_way()), (vec!["#lobby".to_owned()], 1));
    refuses(&mut stage, &nonce);
    assert_eq!((titles(&stage), stage.model.on_their_way()), (vec!["#lobby".to_owned()], 0));
    assert_eq!((stage.draft(), note(&stage)), ("/msg nobody are you there?", "nobody here is called so"));
    assert!(stage.model.remembered().rooms.iter().all(|room| room.name == "lobby"));
}

#[test]
fn refused_message_goes_back_to_where_it_was_typed() {
    let mut stage = Stage::in_lobby();
    let nonce = enters(&mut stage, "/msg bob first");
    acks(&mut stage, &nonce, "@3", 1);
    let nonce = enters(&mut stage, "/msg bob second");
    assert_eq!(stage.model.rooms()[1].pending.len(), 1, "it is seen in the conversation");
    stage.keys("Alt-2");
    refuses(&mut stage, &nonce);
    assert_eq!((stage.draft(), stage.model.rooms()[1].pending.len()), ("", 0));
    stage.keys("Alt-1");
    assert_eq!(stage.draft(), "/msg bob second");
}

#[test]
fn refused_message_is_what_up_brings_back_if_something_else_is_typed() {
    let mut stage = Stage::in_lobby();
    let nonce = enters(&mut stage, "/msg nobody hello");
    stage.types("else");
    refuses(&mut stage, &nonce);
    assert_eq!(stage.draft(), "else");
    stage.keys("Up");
    assert_eq!(stage.draft(), "/msg nobody hello");
}

#[test]
fn refused_message_of_a_room_that_was_closed_is_what_up_brings_back() {
    let mut stage = Stage::in_lobby();
    stage.types("/query bob");
    stage.keys("Enter");
    let nonce = enters(&mut stage, "/msg nobody hello");
    stage.types("/close");
    stage.keys("Enter");
    assert_eq!(titles(&stage), ["#lobby"]);
    refuses(&mut stage, &nonce);
    assert_eq!(stage.draft(), "", "it is not for this room");
    stage.keys("Up");
    assert_eq!(stage.draft(), "/msg nobody hello");
}

#[test]
fn refused_line_leaves_no_draft_where_the_terminal_edits_lines() {
    let mut stage = Stage::new(Medium::Lines);
    stage.enter();
    stage.give(Input::Line("/msg nobody hello".into()));
    let nonce = stage.sent()[0]["nonce"].clone();
    refuses(&mut stage, &nonce);
    assert_eq!((stage.printed(), stage.draft()), (vec!["-- nobody here is called so".into()], ""));
}

#[test]
fn message_that_is_not_seen_is_told_to_have_arrived() {
    let mut stage = Stage::in_lobby();
    let nonce = enters(&mut stage, "/msg bob psst");
    acks(&mut stage, &nonce, "@3", 1);
    assert_eq!((titles(&stage), note(&stage)), (vec!["#lobby".into(), "bob".into()], "to bob: psst"));
    stage.pass(Duration::from_secs(10));
    stage.keys("Alt-2");
    assert_eq!(stage.said(), ["psst"]);
    let nonce = enters(&mut stage, "/msg bob again");
    acks(&mut stage, &nonce, "@3", 2);
    assert_eq!((stage.said(), stage.model.note()), (vec!["psst".into(), "again".into()], None));
}

#[test]
fn message_that_has_arrived_is_printed() {
    let mut stage = Stage::new(Medium::Lines);
    stage.enter();
    stage.give(Input::Line("/msg bob psst".into()));
    let nonce = stage.sent()[0]["nonce"].clone();
    acks(&mut stage, &nonce, "@3", 1);
    assert_eq!(stage.printed(), ["-- to bob: psst"]);
}

#[test]
fn what_was_said_in_a_conversation_before_can_be_read() {
    let mut stage = Stage::in_lobby();
    let nonce = enters(&mut stage, "/msg bob psst");
    acks(&mut stage, &nonce, "@3", 7);
    stage.keys("Alt-2");
    let asked = stage.sent().into_iter().find(|request| request["type"] == "history").expect("the past");
    assert_eq!((asked["room"].as_str(), asked["before"].as_u64()), (Some("@3"), Some(7)));
}

#[test]
fn message_goes_to_whoever_has_the_nick_now() {
    let mut stage = Stage::in_lobby();
    let nonce = enters(&mut stage, "/msg bob to the first");
    acks(&mut stage, &nonce, "@3", 1);
    let nonce = enters(&mut stage, "/msg bob to the second");
    acks(&mut stage, &nonce, "@7", 1);
    let presences: Vec<Presence> = stage.model.rooms()[1..].iter().map(|room| room.presence).collect();
    assert_eq!(presences, [Presence::Gone, Presence::Here]);
    stage.keys("Alt-3");
    assert_eq!(stage.said(), ["to the second"]);
}
