//! What somebody does with what lies over the room.

use super::*;

const DEV: &str = r#"{"type":"joined","room":"dev","sequence":0,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}"#;

impl Stage {
    fn overlay(&self) -> &Overlay {
        self.model.overlay().expect("something lies over the room")
    }

    fn note_text(&self) -> &str {
        &self.model.note().expect("there is a note").text
    }

    /// The rows of the list of rooms, the one that is chosen in brackets.
    fn listed(&self) -> Vec<String> {
        let shown =
            |nth: usize, selected: usize, row: String| if nth == selected { format!("[{row}]") } else { row };
        match self.overlay() {
            Overlay::Switcher(choice) => {
                let rows = choice.entries.iter().map(|candidate| match candidate {
                    Candidate::Known(index) => self.model.rooms()[*index].title(),
                    Candidate::New(name) => format!("+ {name}"),
                });
                rows.enumerate().map(|(nth, row)| shown(nth, choice.selected, row)).collect()
            }
            Overlay::Rooms(choice) => {
                let rows = choice.entries.iter().map(|candidate| match candidate {
                    Candidate::Known(line) => format!("#{}", line.room),
                    Candidate::New(name) => format!("+ {name}"),
                });
                rows.enumerate().map(|(nth, row)| shown(nth, choice.selected, row)).collect()
            }
            other => panic!("{other:?} is no list of rooms"),
        }
    }

    /// The list of the server's rooms, which are these.
    fn lists_rooms(&mut self, rooms: &[(&str, Option<&str>)]) {
        self.types("/rooms");
        self.keys("Enter");
        let nonce = self.sent()[0]["nonce"].clone();
        let rooms: Vec<_> = rooms
            .iter()
            .map(|(room, topic)| serde_json::json!({"room": room, "members": 1, "topic": topic}))
            .collect();
        self.says(
            &serde_json::json!({"type": "rooms", "nonce": nonce, "rooms": rooms, "more": false}).to_string(),
        );
    }

    /// Looks for `tea`. Answers with what the server was asked.
    fn looks_for_tea(&mut self) -> serde_json::Value {
        self.keys("Ctrl-R");
        self.types("tea");
        self.keys("Enter");
        self.search_sent()
    }

    fn search_sent(&mut self) -> serde_json::Value {
        let sent = self.sent();
        sent.into_iter().find(|request| request["type"] == "search").expect("a search is asked for")
    }

    /// The server has found what bob said in the lobby, each a minute before the one in front of it.
    fn finds(&mut self, asked: &serde_json::Value, sequences: &[u64], rest: &str) {
        let events: Vec<_> = sequences
            .iter()
            .map(|sequence| {
                serde_json::json!({"kind": "said", "room": "lobby", "id": "x", "sequence": sequence,
                    "time": format!("2026-11-21T10:{sequence:02}:00.000Z"), "from": {"nick": "bob"}, "text": "tea?"})
            })
            .collect();
        let nonce = &asked["nonce"];
        self.says(
            &serde_json::json!({"type": "found", "nonce": nonce, "events": events, "rest": rest}).to_string(),
        );
    }

    /// The sequences of what was found, and which of them is chosen.
    fn found(&self) -> (Vec<u64>, usize) {
        let Overlay::Search(search) = self.overlay() else { panic!("no search is open") };
        (search.findings.iter().map(|finding| finding.sequence).collect(), search.selected)
    }
}

#[test]
fn what_is_typed_over_what_is_only_read_goes_into_the_draft() {
    for key in ["F1", "F2"] {
        let mut stage = Stage::in_lobby();
        stage.types("so ");
        stage.keys(key);
        stage.types("xyz");
        assert!(stage.model.overlay().is_none(), "{key}");
        assert_eq!(stage.draft(), "so xyz", "{key}");
        stage.keys(key);
        stage.give(Input::Paste(" and more".into()));
        assert_eq!((stage.model.overlay().is_none(), stage.draft()), (true, "so xyz and more"), "{key}");
    }
}

#[test]
fn keys_that_only_move_leave_the_help_open() {
    let mut stage = Stage::in_lobby();
    stage.types("draft");
    stage.keys("F1 Down PageDown Left Backspace Home");
    assert!(matches!(stage.overlay(), Overlay::Help { scroll: 21 }));
    assert_eq!(stage.draft(), "draft");
}

#[test]
fn room_is_found_by_some_of_its_letters() {
    let mut stage = Stage::in_lobby();
    stage.says(DEV);
    stage.keys("Ctrl-K");
    assert_eq!(stage.listed(), ["[#lobby]", "#dev"]);
    stage.types("#lb");
    assert_eq!(stage.listed(), ["[#lobby]", "+ lb"]);
    stage.keys("Alt-2 Ctrl-K");
    stage.types("lb");
    stage.keys("Enter");
    assert_eq!(stage.model.room().expect("a room is open").title(), "#lobby");
    assert!(stage.sent().iter().all(|request| request["type"] != "join"), "no room is opened");
}

#[test]
fn room_that_is_not_open_is_entered_by_whoever_chooses_that() {
    let mut stage = Stage::in_lobby();
    stage.keys("Ctrl-K");
    stage.types("lb");
    stage.keys("Down Enter");
    assert_eq!(stage.sent()[0]["room"], "lb");
    let mut stage = Stage::in_lobby();
    stage.keys("Ctrl-K");
    stage.types("kitchen");
    assert_eq!(stage.listed(), ["[+ kitchen]"]);
    stage.keys("Enter");
    assert_eq!(stage.sent()[0]["room"], "kitchen");
}

#[test]
fn first_of_a_list_is_chosen_again_when_something_else_is_typed() {
    let mut stage = Stage::in_lobby();
    stage.says(DEV);
    stage.keys("Ctrl-K Down");
    assert_eq!(stage.listed(), ["#lobby", "[#dev]"]);
    stage.types("o");
    stage.keys("Down");
    assert_eq!(stage.listed(), ["#lobby", "[+ o]"]);
    stage.keys("Left Right");
    assert_eq!(stage.listed(), ["#lobby", "[+ o]"], "only another text changes what is chosen");
    stage.types("b");
    assert_eq!(stage.listed(), ["[#lobby]", "+ ob"]);
}

#[test]
fn text_that_is_no_name_stays_and_is_told() {
    let mut stage = Stage::in_lobby();
    stage.lists_rooms(&[("lobby", None), ("dev", None)]);
    stage.types("no/name");
    assert!(stage.listed().is_empty());
    stage.keys("Enter");
    assert!(matches!(stage.overlay(), Overlay::Rooms(choice) if choice.query.text() == "no/name"));
    assert!(stage.note_text().starts_with("'no/name' is no name for a room"), "{}", stage.note_text());
}

#[test]
fn rooms_of_the_server_are_found_by_letters_and_topics_and_a_new_one_stands_last() {
    let mut stage = Stage::in_lobby();
    let rooms =
        [("cats", Some("everything about the lb")), ("lobby", None), ("lbs", None), ("Dev", Some("code"))];
    stage.lists_rooms(&rooms);
    stage.types("lb");
    assert_eq!(stage.listed(), ["[#lbs]", "#cats", "#lobby", "+ lb"]);
    stage.keys("Ctrl-U");
    stage.types("dev");
    assert_eq!(stage.listed(), ["[#Dev]"], "what there is is not new");
    stage.keys("Ctrl-U");
    stage.types("zzz");
    stage.keys("Enter");
    assert_eq!(stage.sent()[0]["room"], "zzz");
}

#[test]
fn older_findings_are_fetched_behind_the_last() {
    let mut stage = Stage::in_lobby();
    let asked = stage.looks_for_tea();
    assert_eq!(asked["before"], serde_json::Value::Null);
    stage.finds(&asked, &[9, 8], "more");
    stage.keys("Down");
    assert_eq!(stage.found(), (vec![9, 8], 1));
    assert!(stage.sent().is_empty(), "nothing is asked for before one goes on");
    stage.keys("Down");
    let asked = stage.search_sent();
    assert_eq!((&asked["words"], &asked["before"]), (&"tea".into(), &"2026-11-21T10:08:00.001Z".into()));
    stage.keys("Up");
    assert_eq!(stage.found().1, 0, "one is free to move meanwhile");
    stage.finds(&asked, &[8, 7], "nothing");
    assert_eq!(stage.found(), (vec![9, 8, 7], 2), "what is known comes once, what is new is chosen");
    stage.keys("Down");
    assert!(stage.sent().is_empty());
}

#[test]
fn other_words_are_another_search() {
    let mut stage = Stage::in_lobby();
    let asked = stage.looks_for_tea();
    stage.types("s");
    stage.finds(&asked, &[9], "nothing");
    assert_eq!(stage.found().0, [0_u64; 0], "this is not what is looked for any more");
    stage.keys("Enter");
    let asked = stage.search_sent();
    assert_eq!(asked["words"], "teas");
    stage.finds(&asked, &[4], "nothing");
    assert_eq!(stage.found().0, [4]);
}

#[test]
fn search_that_is_typed_as_a_command_stays_answered_while_the_cursor_moves() {
    let mut stage = Stage::in_lobby();
    stage.types("/search tea");
    stage.keys("Enter");
    let asked = stage.search_sent();
    stage.finds(&asked, &[9], "nothing");
    stage.keys("Left");
    let Overlay::Search(search) = stage.overlay() else { panic!("no search is open") };
    assert_eq!(search.progress, SearchProgress::Answered(crate::wire::Rest::Nothing));
}

#[test]
fn search_with_a_bad_time_is_not_waited_for() {
    let mut stage = Stage::in_lobby();
    stage.types("/search tea since:teatime");
    stage.keys("Enter");
    let Overlay::Search(search) = stage.overlay() else { panic!("no search is open") };
    assert_eq!(search.progress, SearchProgress::Typing);
    assert!(stage.note_text().starts_with("'teatime' is no time"));
}

#[test]
fn message_that_one_has_gone_to_is_marked_until_one_scrolls_or_goes_elsewhere() {
    for keys in ["PageUp", "Esc", "Shift-Up", "Ctrl-Home", "Alt-2 Alt-1"] {
        let mut stage = Stage::in_lobby();
        stage.says(DEV);
        (2..=40).for_each(|sequence| stage.bob("lobby", sequence, "tea?"));
        let asked = stage.looks_for_tea();
        stage.finds(&asked, &[20], "nothing");
        stage.keys("Enter");
        let marked = |stage: &Stage| {
            let room = &stage.model.rooms()[0];
            let number = room.jumped_to?;
            room.timeline.items().iter().find(|item| item.number == number).map(|item| item.order)
        };
        assert_eq!(marked(&stage), Some(20));
        stage.types("hm");
        stage.bob("lobby", 41, "more tea");
        assert_eq!(marked(&stage), Some(20), "it stays while one types and others talk");
        stage.keys(keys);
        assert_eq!(marked(&stage), None, "{keys}");
    }
}

#[test]
fn list_of_rooms_is_there_at_once_and_does_not_come_back_once_it_is_closed() {
    let mut stage = Stage::in_lobby();
    let rooms = r#""rooms":[{"room":"dev","members":1},{"room":"ops","members":2}],"more":false}"#;
    for is_closed in [false, true] {
        stage.types("/rooms");
        stage.keys("Enter");
        let nonce = stage.sent()[0]["nonce"].clone();
        assert!(matches!(stage.overlay(), Overlay::Rooms(_)) && stage.model.asks_for_rooms());
        if is_closed {
            stage.keys("Esc");
            stage.types("dear all");
        } else {
            stage.types("de");
        }
        stage.says(&format!(r#"{{"type":"rooms","nonce":{nonce},{rooms}"#));
        if is_closed {
            assert!(stage.model.overlay().is_none(), "whoever types is not interrupted");
            assert_eq!(stage.draft(), "dear all");
        } else {
            assert_eq!(stage.listed()[0], "[#dev]");
            stage.keys("Esc");
        }
    }
}

#[test]
fn new_search_does_not_show_what_an_earlier_one_finds() {
    let mut stage = Stage::in_lobby();
    let asked = stage.looks_for_tea();
    stage.keys("Esc Ctrl-R");
    let answer = serde_json::json!({"type": "found", "nonce": asked["nonce"], "events": [], "rest": "more"});
    stage.says(&answer.to_string());
    let Overlay::Search(search) = stage.overlay() else { panic!("a search is open") };
    assert_eq!(search.progress, SearchProgress::Typing);
}
