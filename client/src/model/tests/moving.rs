//! Somebody who goes from one room into another, and does not wait until the server has answered.

use super::*;

impl Stage {
    /// Types a command and Enter. Answers with the nonce of what is asked for.
    fn asks(&mut self, command: &str) -> String {
        self.types(command);
        self.keys("Enter");
        self.nonce()
    }

    fn nonce(&mut self) -> String {
        let sent = self.sent();
        sent.last().expect("a request")["nonce"].as_str().expect("a nonce").to_owned()
    }

    fn lets_in(&mut self, nonce: &str, room: &str) {
        self.says(&format!(
            r#"{{"type":"joined","nonce":"{nonce}","room":"{room}","sequence":1,"resumed":false,"topic":null,"members":["bob"],"others":0,"listening":0}}"#
        ));
        self.answer_pages();
    }

    fn title(&self) -> String {
        self.model.room().expect("a room is open").title()
    }
}

#[test]
fn what_is_typed_behind_the_command_goes_along() {
    let mut stage = Stage::in_lobby();
    let nonce = stage.asks("/join dev");
    stage.types("hello");
    stage.keys("Left");
    stage.lets_in(&nonce, "dev");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#dev", "hello"));
    assert_eq!(stage.model.draft().line.before_cursor(), "hell");
    stage.keys("Alt-1");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#lobby", ""));
}

#[test]
fn draft_that_was_there_before_stays_in_its_room() {
    let mut stage = Stage::in_lobby();
    stage.types("for the lobby");
    stage.keys("Ctrl-K");
    stage.types("dev");
    stage.keys("Enter");
    let nonce = stage.nonce();
    stage.lets_in(&nonce, "dev");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#dev", ""));
    stage.keys("Alt-1");
    assert_eq!(stage.draft(), "for the lobby");
}

#[test]
fn whoever_has_gone_on_with_something_else_is_not_moved() {
    let mut stage = Stage::in_lobby();
    stage.types("for the lobby");
    stage.keys("Ctrl-K");
    stage.types("dev");
    stage.keys("Enter");
    let nonce = stage.nonce();
    stage.types(" alone");
    stage.lets_in(&nonce, "dev");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#lobby", "for the lobby alone"));
    assert_eq!(stage.model.note().unwrap().text, "#dev is open; Ctrl-K goes there");
    // Nor whoever looks at another room by then.
    let nonce = stage.asks("/join ops");
    stage.keys("Alt-2");
    stage.lets_in(&nonce, "ops");
    assert_eq!((stage.title().as_str(), stage.model.rooms().len()), ("#dev", 3));
}

#[test]
fn what_was_typed_there_before_is_not_written_over() {
    let mut stage = Stage::in_lobby();
    let nonce = stage.asks("/join dev");
    stage.lets_in(&nonce, "dev");
    stage.types("for dev");
    stage.says(r#"{"type":"left","room":"dev"}"#);
    let nonce = stage.asks("/join dev");
    stage.types("hello");
    stage.lets_in(&nonce, "dev");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#lobby", "hello"));
    stage.keys("Alt-2");
    assert_eq!((stage.title().as_str(), stage.draft()), ("#dev", "for dev"));
}

#[test]
fn whoever_asked_when_the_connection_ended_is_asked_for_again() {
    let mut stage = Stage::in_lobby();
    stage.asks("/join dev");
    stage.give(Input::Disconnected(Failure::Closed));
    stage.pass(Duration::from_secs(60));
    stage.comes_in();
    let sent = stage.sent();
    let join = sent.iter().find(|request| request["type"] == "join").expect("it is asked for again");
    let nonce = join["nonce"].as_str().expect("a nonce").to_owned();
    stage.lets_in(&nonce, "dev");
    assert_eq!(stage.title(), "#dev");
}

#[test]
fn lines_are_said_where_they_were_meant_to_be_said() {
    let mut stage = Stage::new(Medium::Lines);
    stage.enter();
    for line in ["here", "/join dev", "in dev", "/leave dev", "back here"] {
        stage.give(Input::Line(line.into()));
    }
    let sent = stage.sent();
    let types: Vec<&str> = sent.iter().map(|request| request["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["say", "join"], "nothing is said before it is known where");
    let nonce = sent[1]["nonce"].as_str().unwrap();
    stage.says(&format!(
        r#"{{"type":"joined","nonce":"{nonce}","room":"dev","sequence":1,"resumed":false,"topic":null,"members":[],"others":0,"listening":0}}"#
    ));
    let sent = stage.sent();
    assert_eq!((sent[0]["room"].as_str(), sent[0]["text"].as_str()), (Some("dev"), Some("in dev")));
    assert_eq!((sent[1]["type"].as_str(), sent.len()), (Some("leave"), 2));
    let nonce = sent[1]["nonce"].as_str().unwrap();
    stage.says(&format!(r#"{{"type":"left","nonce":"{nonce}","room":"dev"}}"#));
    let sent = stage.sent();
    assert_eq!((sent[0]["room"].as_str(), sent[0]["text"].as_str()), (Some("lobby"), Some("back here")));
}

#[test]
fn lines_go_on_where_they_were_if_a_room_cannot_be_entered() {
    let mut stage = Stage::new(Medium::Lines);
    stage.enter();
    stage.give(Input::Line("/join dev".into()));
    stage.give(Input::Line("hello".into()));
    let nonce = stage.nonce();
    stage.says(&format!(
        r#"{{"type":"refusal","nonce":"{nonce}","code":"room-full","text":"the room is full","room":"dev"}}"#
    ));
    let sent = stage.sent();
    assert_eq!((sent[0]["room"].as_str(), sent[0]["text"].as_str()), (Some("lobby"), Some("hello")));
    assert!(stage.model.note().unwrap().text.contains("the room is full"));
}
