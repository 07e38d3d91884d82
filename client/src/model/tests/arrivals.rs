//! Those who come and go, for somebody who wants to know of those who talk alone.

use super::*;

/// In the lobby with bob, who talks, and others, who do not.
fn where_bob_talks() -> Stage {
    let mut stage = Stage::in_lobby();
    stage.model.options.arrivals = Arrivals::Talking;
    stage.bob("lobby", 2, "hello");
    stage
}

/// Something happens, some minutes after bob has talked; these members are without the braces.
fn happens(stage: &mut Stage, minutes: u64, members: &str) {
    let (hour, minute) = (10 + minutes / 60, minutes % 60);
    stage.says(&format!(r#"{{"type":"event","time":"2026-11-21T{hour}:{minute:02}:00.000Z",{members}}}"#));
}

fn told(stage: &Stage) -> Vec<String> {
    let items = stage.model.room().expect("a room is open").timeline.items().iter();
    let told = |item: &Item| if let What::Told(text) = &item.what { Some(text.to_string()) } else { None };
    items.filter_map(told).collect()
}

#[test]
fn who_talks_still_does_under_another_name() {
    let mut stage = where_bob_talks();
    happens(&mut stage, 1, r#""kind":"renamed","from":{"nick":"eve"},"nick":"adam""#);
    happens(&mut stage, 2, r#""kind":"renamed","from":{"nick":"bob"},"nick":"rob""#);
    happens(&mut stage, 3, r#""kind":"joined","room":"lobby","from":{"nick":"bob"}"#);
    happens(&mut stage, 4, r#""kind":"quit","from":{"nick":"rob"}"#);
    assert_eq!(told(&stage), ["bob is now rob", "rob is offline"]);
}

#[test]
fn who_takes_the_name_of_somebody_who_talked_has_not_talked() {
    let mut stage = where_bob_talks();
    happens(&mut stage, 1, r#""kind":"quit","from":{"nick":"bob"}"#);
    happens(&mut stage, 2, r#""kind":"renamed","from":{"nick":"eve"},"nick":"bob""#);
    happens(&mut stage, 3, r#""kind":"quit","from":{"nick":"bob"}"#);
    assert_eq!(told(&stage), ["bob is offline"]);
}

#[test]
fn what_one_is_told_oneself_does_not_hide_who_talks() {
    let mut stage = where_bob_talks();
    // An answer of ours bears the time of our own clock, which is far behind.
    let number = stage.model.room().unwrap().number;
    stage.model.time = Time(0);
    stage.model.remark(number, "the topic is tea");
    happens(&mut stage, 1, r#""kind":"quit","from":{"nick":"bob"}"#);
    assert_eq!(told(&stage), ["bob is offline"]);
}

#[test]
fn of_many_at_once_those_who_talk_are_named() {
    let mut stage = where_bob_talks();
    let sum = |arrived: &str, departed: &str| {
        format!(
            r#""kind":"sum","room":"lobby","arrived":{{"nicks":[{arrived}],"others":40}},"departed":{{"nicks":[{departed}],"others":7}}"#
        )
    };
    happens(&mut stage, 1, &sum(r#""eve""#, r#""bob","adam""#));
    happens(&mut stage, 2, &sum(r#""eve""#, r#""adam""#));
    happens(&mut stage, 3, &sum(r#""Bob""#, ""));
    assert_eq!(told(&stage), ["bob left", "Bob came in"]);
}

#[test]
fn who_talked_is_known_from_pages_too() {
    for (minutes, expected) in [(59, &["eve is offline"][..]), (61, &[])] {
        let mut stage = Stage::new(Medium::Screen);
        stage.model.options.arrivals = Arrivals::Talking;
        stage.give(Input::Connected);
        stage.says(WELCOME);
        stage.says(r#"{"type":"joined","room":"lobby","sequence":5,"resumed":false,"topic":null,"members":["eve"],"others":0,"listening":0}"#);
        let asked = stage.sent().into_iter().find(|request| request["type"] == "history").unwrap();
        let event = r#"{"kind":"acted","room":"lobby","id":"x","sequence":5,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"eve"},"text":"waves"}"#;
        stage.says(&format!(
            r#"{{"type":"history","nonce":{},"room":"lobby","events":[{event}]}}"#,
            asked["nonce"]
        ));
        happens(&mut stage, minutes, r#""kind":"quit","from":{"nick":"eve"}"#);
        assert_eq!(told(&stage), expected, "after {minutes} minutes");
    }
}

#[test]
fn what_is_no_member_does_not_talk() {
    let mut stage = where_bob_talks();
    stage.says(r#"{"type":"event","kind":"said","room":"lobby","id":"x","sequence":3,"time":"2026-11-21T10:00:00.000Z","from":{"nick":"build","door":"hook"},"text":"done"}"#);
    happens(&mut stage, 1, r#""kind":"quit","from":{"nick":"build"}"#);
    assert!(told(&stage).is_empty());
}
