//! What `/history` takes: gone to on the screen, printed where lines are.

use super::*;
use serde_json::Value;

/// In the lobby, of which nothing is here, and in dev, which is not seen.
fn among_much(medium: Medium) -> Stage {
    let mut stage = Stage::new(medium);
    stage.give(Input::Connected);
    stage.says(WELCOME);
    for (room, last) in [("lobby", 500), ("dev", 40)] {
        stage.says(&format!(
            r#"{{"type":"joined","room":"{room}","sequence":{last},"resumed":false,"topic":null,"members":["bob"],"others":0,"listening":0}}"#
        ));
    }
    stage.effects();
    stage
}

/// Types a command and Enter. Answers with what is asked of the past.
fn asks(stage: &mut Stage, command: &str) -> Vec<Value> {
    match stage.model.medium {
        Medium::Screen => {
            stage.types(command);
            stage.keys("Enter");
        }
        Medium::Lines => stage.give(Input::Line(command.to_owned())),
    }
    asked(stage)
}

fn asked(stage: &mut Stage) -> Vec<Value> {
    stage.sent().into_iter().filter(|request| request["type"] == "history").collect()
}

/// A page with these sequences; `rest` is what it says besides, with a comma in front.
fn brings(stage: &mut Stage, request: &Value, sequences: impl Iterator<Item = u64>, rest: &str) {
    let room = request["room"].as_str().unwrap();
    let event = |sequence| {
        format!(
            r#"{{"kind":"said","room":"{room}","id":"x","sequence":{sequence},"time":"2026-11-21T10:00:00.000Z","from":{{"nick":"bob"}},"text":"m{sequence}"}}"#
        )
    };
    let events: Vec<String> = sequences.map(event).collect();
    let nonce = &request["nonce"];
    let events = events.join(",");
    stage.says(&format!(r#"{{"type":"history","nonce":{nonce},"room":"{room}","events":[{events}]{rest}}}"#));
}

/// What stands in the rows of the timeline.
fn seen(stage: &Stage) -> String {
    let sheet = crate::layout::Sheet::of(&stage.model).expect("a room is open");
    let rows = sheet.visible().rows.into_iter();
    let texts = rows.map(|row| row.parts.iter().map(|part| part.text.as_str()).collect::<String>());
    texts.collect::<Vec<_>>().join("\n")
}

fn note(stage: &Stage) -> &str {
    &stage.model.note().expect("something is told").text
}

#[test]
fn part_of_the_past_is_gone_to() {
    for (command, member, value) in [
        ("/history 17-428", "around", serde_json::json!(17)),
        ("/history 300", "around", serde_json::json!(201)),
        ("/history 2h", "since", serde_json::json!("2026-11-21T08:00:00Z")),
    ] {
        let mut stage = among_much(Medium::Screen);
        let request = asks(&mut stage, command).remove(0);
        assert_eq!((&request["room"], &request[member]), (&"lobby".into(), &value), "{command}");
        let first = value.as_u64().unwrap_or(100);
        brings(
            &mut stage,
            &request,
            first..first + 50,
            &format!(r#","before":{first},"after":{}"#, first + 49),
        );
        assert!(seen(&stage).contains(&format!("m{first}")), "{command}: {}", seen(&stage));
        assert_eq!(stage.draft(), "");
    }
}

#[test]
fn message_that_is_here_is_gone_to_at_once() {
    let mut stage = Stage::in_lobby();
    for sequence in 2..200 {
        stage.bob("lobby", sequence, &format!("m{sequence}"));
    }
    stage.effects();
    assert!(asks(&mut stage, "/history 100").is_empty());
    assert!(seen(&stage).contains("m100\n"), "{}", seen(&stage));
    assert!(asks(&mut stage, "/history 20-30").is_empty());
    assert!(seen(&stage).contains("m20\n"), "{}", seen(&stage));
}

#[test]
fn what_comes_next_is_gone_to_if_there_is_no_message_of_that_number() {
    let mut stage = among_much(Medium::Screen);
    let request = asks(&mut stage, "/history 17-428").remove(0);
    brings(&mut stage, &request, 20..60, r#","before":10,"after":59"#);
    assert!(seen(&stage).contains("m20"), "{}", seen(&stage));
    assert!(asked(&mut stage).iter().all(|request| request["around"].is_null()), "it is asked for once");
}

#[test]
fn what_is_gone_to_is_seen_though_there_is_no_room_for_all() {
    let mut stage = among_much(Medium::Screen);
    for sequence in 501..1_600 {
        stage.bob("lobby", sequence, &format!("m{sequence}"));
    }
    stage.effects();
    let request = asks(&mut stage, "/history 17-428").remove(0);
    brings(&mut stage, &request, 17..117, r#","before":17,"after":116"#);
    assert!(seen(&stage).contains("m17\n"), "{}", seen(&stage));
}

#[test]
fn past_of_another_room_is_gone_to_there() {
    let mut stage = among_much(Medium::Screen);
    let request = asks(&mut stage, "/history #dev 3").remove(0);
    assert_eq!((request["room"].as_str(), request["around"].as_u64()), (Some("dev"), Some(38)));
    assert_eq!((stage.model.room().unwrap().title().as_str(), stage.draft()), ("#dev", ""));
    stage.keys("Alt-1");
    assert_eq!(stage.draft(), "");
}

#[test]
fn nothing_since_then_is_said() {
    let mut stage = among_much(Medium::Screen);
    let request = asks(&mut stage, "/history 10:00").remove(0);
    brings(&mut stage, &request, 0..0, "");
    assert_eq!(
        (note(&stage), stage.model.room().unwrap().scroll),
        ("nothing was said here since then", Scroll::End)
    );
}

#[test]
fn nonsense_is_no_part_of_the_past() {
    for medium in [Medium::Screen, Medium::Lines] {
        for command in ["/history 9-3", "/history banana", "/history #never 3", "/history dev then"] {
            let mut stage = among_much(medium);
            assert!(asks(&mut stage, command).is_empty(), "{command}");
            assert!(note(&stage).contains("write 200, 2h, 10:00, 2026-11-20 or 17-428"), "{}", note(&stage));
            if medium == Medium::Screen {
                assert_eq!(stage.draft(), command);
            }
        }
    }
}

#[test]
fn numbers_are_printed_page_by_page() {
    let mut stage = among_much(Medium::Lines);
    let first = asks(&mut stage, "/history 17-428").remove(0);
    assert_eq!((first["after"].as_u64(), first["limit"].as_u64()), (Some(16), Some(412)));
    brings(&mut stage, &first, 17..217, r#","before":17,"after":216"#);
    let lines = printed(&mut stage);
    assert_eq!(
        (lines.0.len(), lines.0[0].as_str(), lines.0[1].as_str()),
        (201, "-- 2026-11-21", "[10:00] <bob> m17")
    );
    assert_eq!((lines.1[0]["after"].as_u64(), lines.1[0]["limit"].as_u64()), (Some(216), Some(212)));
    brings(&mut stage, &lines.1[0], 217..430, r#","before":217,"after":429"#);
    let lines = printed(&mut stage);
    assert_eq!((lines.0.len(), lines.0.last().unwrap().as_str()), (212, "[10:00] <bob> m428"));
    assert!(lines.1.is_empty());
}

/// What was printed, and what is asked of the past.
fn printed(stage: &mut Stage) -> (Vec<String>, Vec<Value>) {
    let effects = stage.effects();
    stage.effects = effects.clone();
    let lines = stage.printed();
    stage.effects = effects;
    (lines, asked(stage))
}

#[test]
fn last_messages_are_counted_back_and_printed_in_order() {
    let mut stage = among_much(Medium::Lines);
    let request = asks(&mut stage, "/history 5").remove(0);
    assert_eq!((request["before"].as_u64(), request["limit"].as_u64()), (Some(501), Some(5)));
    brings(&mut stage, &request, 498..501, r#","before":498"#);
    let (lines, requests) = printed(&mut stage);
    assert!(lines.is_empty());
    assert_eq!((requests[0]["before"].as_u64(), requests[0]["limit"].as_u64()), (Some(498), Some(2)));
    stage.bob("lobby", 501, "live");
    assert_eq!(stage.printed(), ["<bob> live"]);
    brings(&mut stage, &requests[0], 496..498, r#","before":496,"after":497"#);
    let (lines, requests) = printed(&mut stage);
    assert_eq!(lines, ["-- 2026-11-21", "[10:00] <bob> m496", "[10:00] <bob> m497"]);
    brings(&mut stage, &requests[0], 498..502, r#","before":498"#);
    let (lines, requests) = printed(&mut stage);
    assert_eq!(
        lines,
        ["[10:00] <bob> m498", "[10:00] <bob> m499", "[10:00] <bob> m500"],
        "and nothing twice"
    );
    assert!(requests.is_empty());
}

#[test]
fn past_of_another_room_is_printed_with_its_name() {
    let mut stage = among_much(Medium::Lines);
    let request = asks(&mut stage, "/history dev 1").remove(0);
    assert_eq!((request["room"].as_str(), request["before"].as_u64()), (Some("dev"), Some(41)));
    brings(&mut stage, &request, 40..41, r#","before":40"#);
    assert_eq!(stage.printed(), ["-- 2026-11-21", "[10:00] #dev <bob> m40"]);
}

#[test]
fn where_nothing_was_said_it_is_printed_that_there_is_nothing() {
    let mut stage = among_much(Medium::Lines);
    let request = asks(&mut stage, "/history 10m").remove(0);
    assert_eq!(request["since"].as_str(), Some("2026-11-21T09:50:00Z"));
    brings(&mut stage, &request, 0..0, "");
    assert_eq!(stage.printed(), ["-- nothing was said"]);
}

#[test]
fn pages_that_lead_nowhere_are_not_followed() {
    for (command, rest) in
        [("/history 300", r#","before":501"#), ("/history 17-428", r#","before":17,"after":16"#)]
    {
        let mut stage = among_much(Medium::Lines);
        let request = asks(&mut stage, command).remove(0);
        brings(&mut stage, &request, 0..0, rest);
        assert_eq!(printed(&mut stage), (vec!["-- nothing was said".to_owned()], Vec::new()), "{command}");
    }
}
